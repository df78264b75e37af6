/* SPDX-License-Identifier: Apache-2.0 */
/* Controls to the left, answers to the right. */
#include "gtk/panes.h"

struct _HwlPanes {
    GtkWidget parent_instance;
    GtkWidget *left, *line, *right;
    bool folded, at_right;
};

enum { FOLDED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(HwlPanes, hwl_panes, GTK_TYPE_WIDGET)

static int least_of(GtkWidget *child)
{
    int least;
    gtk_widget_measure(child, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
    return least;
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *least, int *natural, int *a, int *b)
{
    HwlPanes *p = HWL_PANES(widget);
    GtkWidget *const children[] = {p->left, p->line, p->right};
    int sum = 0, child_least, child_natural;
    (void)for_size;
    *least = *natural = 0;
    for (int i = 0; i < 3; i++) {
        if (!gtk_widget_get_visible(children[i]))
            continue;
        gtk_widget_measure(children[i], orientation, -1, &child_least, &child_natural, NULL, NULL);
        *least = MAX(*least, child_least);
        *natural = MAX(*natural, child_natural);
        sum += child_natural;
    }
    if (orientation == GTK_ORIENTATION_HORIZONTAL)
        *natural = sum;
    *a = *b = -1;
}

static void give(GtkWidget *child, bool shown, int x, int width, int height)
{
    gtk_widget_set_child_visible(child, shown);
    if (shown)
        gtk_widget_size_allocate(child, &(GtkAllocation){x, 0, width, height}, -1);
}

static void size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    HwlPanes *p = HWL_PANES(widget);
    const bool both = gtk_widget_get_visible(p->left);
    const int line = least_of(p->line);
    int left = 0, natural;
    (void)baseline;
    if (both) {
        gtk_widget_measure(p->left, GTK_ORIENTATION_HORIZONTAL, -1, &left, &natural, NULL, NULL);
        left = CLAMP(width * 36 / 100, left, natural);
    }
    const bool folded = both && width < least_of(p->left) + line + least_of(p->right);
    const bool alone = folded || !both;
    give(p->left, both && (!folded || !p->at_right), 0, folded ? width : left, height);
    give(p->line, !alone, left, line, height);
    give(p->right, !folded || p->at_right, alone ? 0 : left + line, alone ? width : width - left - line, height);
    if (folded == p->folded)
        return;
    p->folded = folded;
    g_signal_emit(p, signals[FOLDED], 0);
}

static void dispose(GObject *object)
{
    HwlPanes *p = HWL_PANES(object);
    g_clear_pointer(&p->left, gtk_widget_unparent);
    g_clear_pointer(&p->line, gtk_widget_unparent);
    g_clear_pointer(&p->right, gtk_widget_unparent);
    G_OBJECT_CLASS(hwl_panes_parent_class)->dispose(object);
}

static void hwl_panes_class_init(HwlPanesClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dispose;
    w->measure = measure;
    w->size_allocate = size_allocate;
    signals[FOLDED] = g_signal_new("folded", HWL_TYPE_PANES, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void hwl_panes_init(HwlPanes *p)
{
    p->at_right = true;
}

GtkWidget *hwl_panes_new(GtkWidget *left, GtkWidget *right)
{
    HwlPanes *p = g_object_new(HWL_TYPE_PANES, NULL);
    p->left = left;
    p->line = gtk_separator_new(GTK_ORIENTATION_VERTICAL);
    p->right = right;
    gtk_widget_set_parent(p->left, GTK_WIDGET(p));
    gtk_widget_set_parent(p->line, GTK_WIDGET(p));
    gtk_widget_set_parent(p->right, GTK_WIDGET(p));
    return GTK_WIDGET(p);
}

bool hwl_panes_folded(HwlPanes *p)
{
    return p->folded;
}

void hwl_panes_turn(HwlPanes *p, bool right)
{
    if (p->at_right == right)
        return;
    p->at_right = right;
    gtk_widget_queue_allocate(GTK_WIDGET(p));
    g_signal_emit(p, signals[FOLDED], 0);
}

bool hwl_panes_right(HwlPanes *p)
{
    return p->at_right;
}

void hwl_panes_show_left(HwlPanes *p, bool show)
{
    gtk_widget_set_visible(p->left, show);
    gtk_widget_set_visible(p->line, show);
}
