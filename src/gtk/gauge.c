/* SPDX-License-Identifier: Apache-2.0 */
/* The gauge is drawn here. A GtkLevelBar that is never drawn carries its value to assistive programs, which a widget of our own cannot
 * in GTK 4.8. It follows a moment later: every change of it restyles the window and costs a picture more. */
#include "gtk/gauge.h"

#include "gtk/theme.h"
#include "gtk/ui.h"

#define HEIGHT 16
#define SAID_MS 100 /* of rest */
#define LATEST_MS 400

struct _HwlGauge {
    GtkWidget parent_instance;
    GtkWidget *bar;
    struct hwl_view_device device; /* without its plan */
    char sentence[400];
    guint timer;
    gint64 since; /* when what is to be said began to change */
};

G_DEFINE_FINAL_TYPE(HwlGauge, hwl_gauge, GTK_TYPE_WIDGET)

static uint64_t whole(const struct hwl_view_device *d)
{
    return d->usable == HWL_UNKNOWN || d->used > d->usable ? d->used : d->usable;
}

static void fill(GtkSnapshot *snapshot, float x, float w, float h, uint32_t rgb)
{
    const GdkRGBA colour = hwl_theme_rgba(rgb);
    gtk_snapshot_append_color(snapshot, &colour, &GRAPHENE_RECT_INIT(x, 0, w, h));
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    const struct hwl_view_device *d = &HWL_GAUGE(widget)->device;
    const struct hwl_palette *p = hwl_theme_palette();
    const float w = (float)gtk_widget_get_width(widget), h = (float)gtk_widget_get_height(widget);
    const uint64_t all = whole(d);
    const GdkRGBA mark = hwl_theme_rgba(p->mark), line = hwl_theme_rgba(p->line), lines[4] = {line, line, line, line};
    GskRoundedRect shape;
    gsk_rounded_rect_init_from_rect(&shape, &GRAPHENE_RECT_INIT(0, 0, w, h), h / 2);
    gtk_snapshot_push_rounded_clip(snapshot, &shape);
    fill(snapshot, 0, w, h, p->segment[HWL_VIEW_FREE]);
    if (all)
        fill(snapshot, 0, (float)((double)d->used / (double)all * (double)w), h, p->level[d->level]);
    gtk_snapshot_pop(snapshot);
    gtk_snapshot_append_border(snapshot, &shape, (const float[4]){1, 1, 1, 1}, lines);
    if (d->missing) { /* what is usable ends here */
        const float x = (float)((double)d->usable / (double)all * (double)w);
        fill(snapshot, x - 2, 5, h, p->ground);
        fill(snapshot, x - 1, 3, h, p->mark);
        return;
    }
    /* where green ends, and yellow */
    const double ends[] = {0.80, 0.95};
    for (int i = 0; i < 2; i++)
        gtk_snapshot_append_color(snapshot, &mark, &GRAPHENE_RECT_INIT((float)(ends[i] * (double)w), h - 4, 1, 4));
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *least, int *natural, int *a, int *b)
{
    gtk_widget_measure(HWL_GAUGE(widget)->bar, orientation, for_size, least, natural, a, b); /* GTK wants to be asked */
    if (orientation == GTK_ORIENTATION_VERTICAL)
        *least = *natural = HEIGHT;
    *a = *b = -1;
}

static void size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    GtkWidget *bar = HWL_GAUGE(widget)->bar;
    int least;
    gtk_widget_measure(bar, GTK_ORIENTATION_VERTICAL, width, &least, NULL, NULL, NULL);
    gtk_widget_allocate(bar, width, MAX(height, least), baseline, NULL);
}

static void dispose(GObject *object)
{
    HwlGauge *g = HWL_GAUGE(object);
    g_clear_handle_id(&g->timer, g_source_remove);
    g_clear_pointer(&g->bar, gtk_widget_unparent);
    G_OBJECT_CLASS(hwl_gauge_parent_class)->dispose(object);
}

static void hwl_gauge_class_init(HwlGaugeClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dispose;
    w->snapshot = snapshot;
    w->measure = measure;
    w->size_allocate = size_allocate;
    gtk_widget_class_set_accessible_role(w, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void hwl_gauge_init(HwlGauge *g)
{
    g->device.level = HWL_LEVEL_UNKNOWN;
    g->bar = gtk_level_bar_new();
    hwl_ui_name(g->bar, "Memory used");
    gtk_widget_set_parent(g->bar, GTK_WIDGET(g));
    gtk_widget_set_hexpand(GTK_WIDGET(g), TRUE);
    hwl_theme_watch(GTK_WIDGET(g));
}

GtkWidget *hwl_gauge_new(void)
{
    return g_object_new(HWL_TYPE_GAUGE, NULL);
}

static gboolean say(void *user)
{
    HwlGauge *g = user;
    GtkLevelBar *bar = GTK_LEVEL_BAR(g->bar);
    const double top = whole(&g->device) ? (double)whole(&g->device) : 1;
    g->timer = 0;
    /* the range grows before the value and shrinks after it: neither is ever cut */
    if (top > gtk_level_bar_get_max_value(bar))
        gtk_level_bar_set_max_value(bar, top);
    gtk_level_bar_set_value(bar, (double)g->device.used);
    gtk_level_bar_set_max_value(bar, top);
    hwl_ui_describe(bar, g->sentence);
    return G_SOURCE_REMOVE;
}

void hwl_gauge_set(HwlGauge *g, const struct hwl_view_device *d)
{
    g->device = *d;
    g->device.device = NULL; /* of a plan that may go first */
    (void)hwl_view_device_sentence(d, g->sentence, sizeof g->sentence);
    const gint64 now = g_get_monotonic_time();
    if (!g->timer || now - g->since < LATEST_MS * 1000) {
        g->since = g->timer ? g->since : now;
        g_clear_handle_id(&g->timer, g_source_remove);
        g->timer = g_timeout_add(SAID_MS, say, g);
    }
    gtk_widget_queue_draw(GTK_WIDGET(g));
}
