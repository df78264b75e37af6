/* SPDX-License-Identifier: Apache-2.0 */
/* What does not fit a narrow window: labels that end in dots, widgets that stand over the edge. */
#include "gtk/harness_cut.h"

#include <stdio.h>

struct search {
    GtkWidget *window;
    float width;
    unsigned n;
};

static const char *say(GtkWidget *w)
{
    return GTK_IS_LABEL(w) ? gtk_label_get_text(GTK_LABEL(w)) : "";
}

static void look(struct search *s, GtkWidget *w)
{
    graphene_rect_t r;
    if (!gtk_widget_get_mapped(w) || GTK_IS_SCROLLBAR(w))
        return;
    if (GTK_IS_LABEL(w) && pango_layout_is_ellipsized(gtk_label_get_layout(GTK_LABEL(w)))) {
        printf("cut: %s\n", say(w));
        s->n++;
    }
    if (w != s->window && gtk_widget_compute_bounds(w, s->window, &r) && r.size.width > 0 && r.origin.x + r.size.width > s->width + 1.5f) {
        printf("over the edge by %.0f: %s %s\n", (double)(r.origin.x + r.size.width - s->width), G_OBJECT_TYPE_NAME(w), say(w));
        s->n++;
    }
    for (GtkWidget *c = gtk_widget_get_first_child(w); c; c = gtk_widget_get_next_sibling(c))
        look(s, c);
}

unsigned hwl_harness_cut(GtkWidget *window)
{
    struct search s = {.window = window, .width = (float)gtk_widget_get_width(window)};
    if (gtk_widget_get_width(window) > HWL_NARROW) {
        printf("the window cannot be narrower than %d\n", gtk_widget_get_width(window));
        s.n++;
    }
    look(&s, window);
    return s.n;
}
