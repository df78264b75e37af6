/* SPDX-License-Identifier: Apache-2.0 */
/* A width that text can still be read at. */
#include "gtk/clamp.h"

struct _HwlClamp {
    GtkWidget parent_instance;
    GtkWidget *child;
    int most;
};

G_DEFINE_FINAL_TYPE(HwlClamp, hwl_clamp, GTK_TYPE_WIDGET)

static int inner(HwlClamp *c, int width)
{
    int least;
    gtk_widget_measure(c->child, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
    return width < 0 ? width : MAX(MIN(width, c->most), least);
}

static GtkSizeRequestMode request_mode(GtkWidget *widget)
{
    return gtk_widget_get_request_mode(HWL_CLAMP(widget)->child);
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *least, int *natural, int *a, int *b)
{
    HwlClamp *c = HWL_CLAMP(widget);
    if (orientation == GTK_ORIENTATION_VERTICAL) {
        gtk_widget_measure(c->child, orientation, inner(c, for_size), least, natural, a, b);
        return;
    }
    gtk_widget_measure(c->child, orientation, for_size, least, natural, NULL, NULL);
    *natural = MAX(MIN(*natural, c->most), *least);
    *a = *b = -1;
}

static void size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    HwlClamp *c = HWL_CLAMP(widget);
    const int own = inner(c, width);
    gtk_widget_size_allocate(c->child, &(GtkAllocation){(width - own) / 2, 0, own, height}, baseline);
}

static void dispose(GObject *object)
{
    g_clear_pointer(&HWL_CLAMP(object)->child, gtk_widget_unparent);
    G_OBJECT_CLASS(hwl_clamp_parent_class)->dispose(object);
}

static void hwl_clamp_class_init(HwlClampClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dispose;
    w->get_request_mode = request_mode;
    w->measure = measure;
    w->size_allocate = size_allocate;
}

static void hwl_clamp_init(HwlClamp *c)
{
    c->most = 600;
}

GtkWidget *hwl_clamp_new(GtkWidget *child, int most)
{
    HwlClamp *c = g_object_new(HWL_TYPE_CLAMP, NULL);
    c->child = child;
    c->most = most;
    gtk_widget_set_parent(child, GTK_WIDGET(c));
    return GTK_WIDGET(c);
}
