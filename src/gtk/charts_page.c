/* SPDX-License-Identifier: Apache-2.0 */
/* Memory against context, and what each quantisation would take and allow. */
#include "gtk/cards.h"

#include "gtk/curve.h"
#include "gtk/theme.h"
#include "gtk/ui.h"
#include "view/view.h"

#include <string.h>

struct charts {
    HwlDesk *desk;
    GtkWidget *curve, *quants, *wait;
};

struct small_bar {
    uint64_t used, usable, top;
    enum hwl_level level;
};

static void draw_bar(GtkDrawingArea *area, cairo_t *cr, int width, int height, void *user)
{
    const struct small_bar *b = user;
    const struct hwl_palette *p = hwl_theme_palette();
    const GdkRGBA fill = hwl_theme_rgba(p->level[b->level]), rest = hwl_theme_rgba(p->segment[HWL_VIEW_FREE]), mark = hwl_theme_rgba(p->mark);
    const double top = b->top ? (double)b->top : 1;
    (void)area;
    gdk_cairo_set_source_rgba(cr, &rest);
    cairo_rectangle(cr, 0, 2, width, height - 4);
    cairo_fill(cr);
    gdk_cairo_set_source_rgba(cr, &fill);
    cairo_rectangle(cr, 0, 2, (double)b->used / top * width, height - 4);
    cairo_fill(cr);
    if (b->usable != HWL_UNKNOWN) {
        gdk_cairo_set_source_rgba(cr, &mark);
        cairo_rectangle(cr, (double)b->usable / top * (width - 2), 0, 2, height);
        cairo_fill(cr);
    }
}

static GtkWidget *quant_row(const struct hwl_chart_point *t, uint64_t top)
{
    GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8), *area = gtk_drawing_area_new();
    GtkWidget *name = hwl_ui_short_label(t->label, "number");
    char text[200], a[40], b[40], sentence[300];
    struct small_bar *bar = g_new0(struct small_bar, 1);
    *bar = (struct small_bar){t->refused ? 0 : t->used, t->usable, top, t->level};
    gtk_widget_set_size_request(name, 76, -1);
    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(area), draw_bar, bar, g_free);
    gtk_widget_set_size_request(area, 40, 18);
    gtk_widget_set_hexpand(area, TRUE);
    gtk_widget_set_valign(area, GTK_ALIGN_CENTER);
    hwl_theme_watch(area);
    if (t->refused)
        g_strlcpy(text, "refused", sizeof text);
    else if (t->max_context == HWL_UNKNOWN || !t->max_context)
        g_snprintf(text, sizeof text, "%s %s\nno context fits", hwl_view_bytes(t->used, a, sizeof a), hwl_view_level_mark(t->level));
    else
        g_snprintf(text, sizeof text, "%s %s\ncontext to %s", hwl_view_bytes(t->used, a, sizeof a), hwl_view_level_mark(t->level),
                   hwl_count_text(t->max_context, b, sizeof b));
    GtkWidget *figures = hwl_ui_label(text, "number small");
    gtk_widget_set_size_request(figures, 116, -1);
    if (t->current)
        gtk_widget_add_css_class(name, "heading");
    gtk_box_append(GTK_BOX(box), name);
    gtk_box_append(GTK_BOX(box), area);
    gtk_box_append(GTK_BOX(box), figures);
    gtk_widget_add_css_class(box, "control");
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    if (t->current)
        gtk_widget_add_css_class(row, "current");
    g_snprintf(sentence, sizeof sentence, "%s: %s, %s%s", t->label, text, t->refused ? "" : hwl_view_level_word(t->level), t->current ? ", in force" : "");
    hwl_ui_name(row, g_strdelimit(sentence, "\n", ','));
    g_object_set_data_full(G_OBJECT(row), "hwl-type", g_strdup(t->label), g_free);
    return row;
}

static void follow(HwlDesk *desk, GtkWidget *page)
{
    struct charts *c = g_object_get_data(G_OBJECT(page), "hwl-charts");
    const struct hwl_extras *x = hwl_desk_extras(desk);
    if (x->has_context)
        hwl_curve_set(HWL_CURVE(c->curve), &x->context);
    gtk_widget_set_visible(c->wait, !(hwl_desk_extras_fresh(desk) && x->has_quant));
    if (!x->has_quant || !hwl_desk_extras_fresh(desk))
        return;
    hwl_ui_clear(c->quants);
    for (uint32_t i = 0; i < x->quant.n; i++)
        gtk_list_box_append(GTK_LIST_BOX(c->quants), quant_row(&x->quant.point[i], x->quant.top));
}

static void context_chosen(GtkWidget *curve, guint64 tokens, struct charts *c)
{
    char text[32];
    (void)curve;
    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, tokens);
    hwl_session_settle(hwl_desk_session(c->desk));
    hwl_desk_set(c->desk, "ctx", text);
}

static void type_chosen(GtkListBox *list, GtkListBoxRow *row, struct charts *c)
{
    const char *type = g_object_get_data(G_OBJECT(row), "hwl-type"), *known;
    char engine[64];
    (void)list;
    (void)hwl_session_engine(hwl_desk_session(c->desk), engine, sizeof engine);
    for (uint32_t i = 0; (known = hwl_option_choice(engine, "quant", i)); i++)
        if (strcmp(known, type) == 0) {
            hwl_session_settle(hwl_desk_session(c->desk));
            hwl_desk_set(c->desk, "quant", type);
        }
}

GtkWidget *hwl_charts_page_new(HwlDesk *desk)
{
    struct charts *c = g_new0(struct charts, 1);
    GtkWidget *page = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12), *box;
    c->desk = desk;
    c->curve = hwl_curve_new();
    c->quants = gtk_list_box_new();
    c->wait = hwl_ui_label("Planning every type …", "dim");
    GtkWidget *context = hwl_ui_card("Memory against context", &box);
    gtk_box_append(GTK_BOX(box), c->curve);
    gtk_box_append(GTK_BOX(box), hwl_ui_label("The fullest device. Click a point to ask for that context.", "dim small"));
    GtkWidget *quants = hwl_ui_card("Quantisation", &box);
    gtk_box_append(GTK_BOX(box), c->wait);
    gtk_box_append(GTK_BOX(box), c->quants);
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(c->quants), GTK_SELECTION_NONE);
    hwl_ui_name(c->quants, "Quantisation: memory and largest context; Enter uses one");
    gtk_box_append(GTK_BOX(page), context);
    gtk_box_append(GTK_BOX(page), quants);
    gtk_widget_add_css_class(page, "padded");
    g_signal_connect(c->curve, "chosen", G_CALLBACK(context_chosen), c);
    g_signal_connect(c->quants, "row-activated", G_CALLBACK(type_chosen), c);
    g_object_set_data_full(G_OBJECT(page), "hwl-charts", c, g_free);
    g_signal_connect_object(desk, "answer", G_CALLBACK(follow), page, 0);
    g_signal_connect_object(desk, "extras", G_CALLBACK(follow), page, 0);
    return hwl_ui_scrolled(page, 860);
}
