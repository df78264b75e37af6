/* SPDX-License-Identifier: Apache-2.0 */
/* A name and its figures, in one line or in two. */
#include "gtk/ends.h"

#include <stdbool.h>

#define GAP 8

struct _HwlEnds {
    GtkWidget parent_instance;
    GtkWidget *child[2];
};

G_DEFINE_FINAL_TYPE(HwlEnds, hwl_ends, GTK_TYPE_WIDGET)

static int natural_of(GtkWidget *child)
{
    int natural;
    gtk_widget_measure(child, GTK_ORIENTATION_HORIZONTAL, -1, NULL, &natural, NULL, NULL);
    return natural;
}

static bool in_line(HwlEnds *e, int width)
{
    return width < 0 || natural_of(e->child[0]) + GAP + natural_of(e->child[1]) <= width;
}

static int height_of(GtkWidget *child, int width)
{
    int height;
    gtk_widget_measure(child, GTK_ORIENTATION_VERTICAL, width, NULL, &height, NULL, NULL);
    return height;
}

static GtkSizeRequestMode request_mode(GtkWidget *widget)
{
    (void)widget;
    return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *least, int *natural, int *a, int *b)
{
    HwlEnds *e = HWL_ENDS(widget);
    *a = *b = -1;
    if (orientation == GTK_ORIENTATION_VERTICAL) {
        const int first = height_of(e->child[0], for_size), second = height_of(e->child[1], for_size);
        *least = *natural = in_line(e, for_size) ? MAX(first, second) : first + second;
        return;
    }
    *least = 0;
    for (int i = 0; i < 2; i++) {
        int own;
        gtk_widget_measure(e->child[i], orientation, -1, &own, NULL, NULL, NULL);
        *least = MAX(*least, own);
    }
    *natural = natural_of(e->child[0]) + GAP + natural_of(e->child[1]);
}

static void size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    HwlEnds *e = HWL_ENDS(widget);
    (void)baseline;
    if (in_line(e, width)) {
        const int second = natural_of(e->child[1]);
        gtk_widget_size_allocate(e->child[0], &(GtkAllocation){0, 0, width - GAP - second, height}, -1);
        gtk_widget_size_allocate(e->child[1], &(GtkAllocation){width - second, 0, second, height}, -1);
        return;
    }
    const int first = height_of(e->child[0], width);
    gtk_widget_size_allocate(e->child[0], &(GtkAllocation){0, 0, width, first}, -1);
    gtk_widget_size_allocate(e->child[1], &(GtkAllocation){0, first, width, MAX(height - first, 1)}, -1);
}

static void dispose(GObject *object)
{
    g_clear_pointer(&HWL_ENDS(object)->child[0], gtk_widget_unparent);
    g_clear_pointer(&HWL_ENDS(object)->child[1], gtk_widget_unparent);
    G_OBJECT_CLASS(hwl_ends_parent_class)->dispose(object);
}

static void hwl_ends_class_init(HwlEndsClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dispose;
    w->get_request_mode = request_mode;
    w->measure = measure;
    w->size_allocate = size_allocate;
}

static void hwl_ends_init(HwlEnds *e)
{
    (void)e;
}

GtkWidget *hwl_ends_new(GtkWidget *first, GtkWidget *second)
{
    HwlEnds *e = g_object_new(HWL_TYPE_ENDS, NULL);
    e->child[0] = first;
    e->child[1] = second;
    gtk_widget_set_parent(first, GTK_WIDGET(e));
    gtk_widget_set_parent(second, GTK_WIDGET(e));
    return GTK_WIDGET(e);
}
