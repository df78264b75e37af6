/* SPDX-License-Identifier: Apache-2.0 */
/* The slider. Its value stays plain (tokens, layers, bytes): GTK hands it to screen readers as it is. */
#include "gtk/slider.h"

#include "gtk/pattern.h"
#include "gtk/theme.h"

#include <math.h>

struct _HwlSlider {
    GtkScale parent_instance;
    double recommended, limit;
    bool falling;
};

G_DEFINE_FINAL_TYPE(HwlSlider, hwl_slider, GTK_TYPE_SCALE)

/* Where a value stands; the knob's middle moves within the trough less the knob. */
static float place(HwlSlider *s, double value, const GdkRectangle *trough)
{
    GtkAdjustment *a = gtk_range_get_adjustment(GTK_RANGE(s));
    const double low = gtk_adjustment_get_lower(a), high = gtk_adjustment_get_upper(a), inset = 2;
    const double share = high > low ? CLAMP((value - low) / (high - low), 0, 1) : 0;
    return (float)(trough->x + inset + share * (trough->width - 2 * inset));
}

static bool inside(HwlSlider *s, double value)
{
    GtkAdjustment *a = gtk_range_get_adjustment(GTK_RANGE(s));
    return value >= gtk_adjustment_get_lower(a) && value <= gtk_adjustment_get_upper(a);
}

static void mark(GtkSnapshot *snapshot, float x, float y, float h, const GdkRGBA *colour)
{
    gtk_snapshot_append_color(snapshot, colour, &GRAPHENE_RECT_INIT(x - 1, y, 2, h));
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    HwlSlider *s = HWL_SLIDER(widget);
    const struct hwl_palette *p = hwl_theme_palette();
    const GdkRGBA bad = hwl_theme_rgba(p->level[HWL_LEVEL_RED]), good = hwl_theme_rgba(p->level[HWL_LEVEL_GREEN]);
    GtkAdjustment *a = gtk_range_get_adjustment(GTK_RANGE(s));
    GdkRectangle t;
    gtk_range_get_range_rect(GTK_RANGE(s), &t);
    const float middle = (float)gtk_widget_get_height(widget) / 2;
    const double end_value = s->falling ? gtk_adjustment_get_lower(a) : gtk_adjustment_get_upper(a);
    if (s->limit >= 0 && inside(s, s->limit) && fabs(s->limit - end_value) > 0.5) { /* at the end there is nothing beyond it */
        const float x = place(s, s->limit, &t), end = (float)(t.x + t.width);
        const graphene_rect_t rect = s->falling ? GRAPHENE_RECT_INIT((float)t.x, middle - 5, x - (float)t.x, 10)
                                                : GRAPHENE_RECT_INIT(x, middle - 5, end - x, 10);
        hwl_pattern_draw(snapshot, &rect, "diagonal", &bad);
        mark(snapshot, x, middle - 9, 18, &bad);
    }
    if (s->recommended >= 0 && inside(s, s->recommended) && fabs(s->recommended - end_value) > 0.5)
        mark(snapshot, place(s, s->recommended, &t), middle - 9, 18, &good);
    GTK_WIDGET_CLASS(hwl_slider_parent_class)->snapshot(widget, snapshot);
}

static void hwl_slider_class_init(HwlSliderClass *class)
{
    GTK_WIDGET_CLASS(class)->snapshot = snapshot;
}

static void hwl_slider_init(HwlSlider *s)
{
    s->recommended = s->limit = -1;
    hwl_theme_watch(GTK_WIDGET(s));
}

GtkWidget *hwl_slider_new(void)
{
    GtkWidget *s = g_object_new(HWL_TYPE_SLIDER, "draw-value", FALSE, "hexpand", TRUE, "round-digits", -1, NULL);
    gtk_range_set_adjustment(GTK_RANGE(s), gtk_adjustment_new(0, 0, 1, 1, 10, 0));
    return s;
}

void hwl_slider_set_marks(HwlSlider *s, double recommended, double limit, bool falling)
{
    s->recommended = recommended;
    s->limit = limit;
    s->falling = falling;
    gtk_widget_queue_draw(GTK_WIDGET(s));
}
