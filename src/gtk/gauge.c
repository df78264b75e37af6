/* SPDX-License-Identifier: Apache-2.0 */
/* The gauge. GtkLevelBar carries the value to assistive programs (a widget of our own cannot in GTK 4.8). */
#include "gtk/gauge.h"

#include "gtk/theme.h"
#include "gtk/ui.h"

#include <string.h>

struct _HwlGauge {
    GtkWidget parent_instance;
    GtkWidget *bar;
    double limit; /* share of the width where usable memory ends; 1: the end */
};

G_DEFINE_FINAL_TYPE(HwlGauge, hwl_gauge, GTK_TYPE_WIDGET)

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    HwlGauge *g = HWL_GAUGE(widget);
    const struct hwl_palette *p = hwl_theme_palette();
    gtk_widget_snapshot_child(widget, g->bar, snapshot);
    const float w = (float)gtk_widget_get_width(widget), h = (float)gtk_widget_get_height(widget);
    const GdkRGBA mark = hwl_theme_rgba(p->mark), ground = hwl_theme_rgba(p->ground);
    if (g->limit < 1) {
        const float x = (float)(g->limit * (double)w);
        gtk_snapshot_append_color(snapshot, &ground, &GRAPHENE_RECT_INIT(x - 2, 0, 5, h));
        gtk_snapshot_append_color(snapshot, &mark, &GRAPHENE_RECT_INIT(x - 1, 0, 3, h));
        return;
    }
    /* where green ends, and yellow */
    const double ends[] = {0.80, 0.95};
    for (int i = 0; i < 2; i++)
        gtk_snapshot_append_color(snapshot, &mark, &GRAPHENE_RECT_INIT((float)(ends[i] * (double)w), h - 4, 1, 4));
}

static void dispose(GObject *object)
{
    g_clear_pointer(&HWL_GAUGE(object)->bar, gtk_widget_unparent);
    G_OBJECT_CLASS(hwl_gauge_parent_class)->dispose(object);
}

static void hwl_gauge_class_init(HwlGaugeClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dispose;
    w->snapshot = snapshot;
    gtk_widget_class_set_layout_manager_type(w, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_accessible_role(w, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void hwl_gauge_init(HwlGauge *g)
{
    g->limit = 1;
    g->bar = gtk_level_bar_new();
    gtk_widget_add_css_class(g->bar, "gauge");
    /* one colour a time, by class of the level: the offsets of the level bar would compare shares in floating point */
    gtk_level_bar_remove_offset_value(GTK_LEVEL_BAR(g->bar), GTK_LEVEL_BAR_OFFSET_LOW);
    gtk_level_bar_remove_offset_value(GTK_LEVEL_BAR(g->bar), GTK_LEVEL_BAR_OFFSET_HIGH);
    gtk_level_bar_remove_offset_value(GTK_LEVEL_BAR(g->bar), GTK_LEVEL_BAR_OFFSET_FULL);
    hwl_ui_name(g->bar, "Memory used");
    gtk_widget_set_parent(g->bar, GTK_WIDGET(g));
    hwl_theme_watch(GTK_WIDGET(g));
}

GtkWidget *hwl_gauge_new(void)
{
    return g_object_new(HWL_TYPE_GAUGE, NULL);
}

void hwl_gauge_set(HwlGauge *g, const struct hwl_view_device *d)
{
    GtkLevelBar *bar = GTK_LEVEL_BAR(g->bar);
    char text[400];
    const uint64_t whole = d->usable == HWL_UNKNOWN || d->used > d->usable ? d->used : d->usable;
    const double top = whole ? (double)whole : 1;
    /* the range grows before the value and shrinks after it: neither is ever cut */
    if (top > gtk_level_bar_get_max_value(bar))
        gtk_level_bar_set_max_value(bar, top);
    gtk_level_bar_set_value(bar, (double)d->used);
    gtk_level_bar_set_max_value(bar, top);
    g->limit = d->missing ? (double)d->usable / (double)d->used : 1;
    for (int i = 0; i < HWL_LEVEL_COUNT; i++)
        gtk_level_bar_remove_offset_value(bar, hwl_theme_level_class((enum hwl_level)i) + strlen("level-"));
    gtk_level_bar_add_offset_value(bar, hwl_theme_level_class(d->level) + strlen("level-"), top);
    hwl_ui_describe(bar, hwl_view_device_sentence(d, text, sizeof text));
    gtk_widget_queue_draw(GTK_WIDGET(g));
}
