/* SPDX-License-Identifier: Apache-2.0 */
/* The stacked bar of one device. */
#include "gtk/bar.h"

#include "gtk/pattern.h"
#include "gtk/theme.h"
#include "gtk/ui.h"

#define HEIGHT 26
#define LEAST 3 /* pixels of a segment that is not empty */

struct _HwlBar {
    GtkWidget parent_instance;
    struct hwl_view_device device;
    uint64_t scale;
    int highlight;
    bool set;
};

G_DEFINE_FINAL_TYPE(HwlBar, hwl_bar, GTK_TYPE_WIDGET)

void hwl_bar_draw_segment(GtkSnapshot *snapshot, const graphene_rect_t *rect, uint32_t segment, bool faint)
{
    const struct hwl_palette *p = hwl_theme_palette();
    GdkRGBA fill = hwl_theme_rgba(p->segment[segment]), ink = hwl_theme_rgba(p->on_segment[segment]);
    fill.alpha = faint ? 0.35f : 1;
    gtk_snapshot_append_color(snapshot, &fill, rect);
    ink.alpha = 0.55f;
    if (hwl_theme_contrast())
        hwl_pattern_draw(snapshot, rect, hwl_view_pattern(segment), &ink);
}

static void letter(HwlBar *b, GtkSnapshot *snapshot, const graphene_rect_t *rect, uint32_t segment)
{
    const char text[2] = {hwl_view_segment_letter(segment), 0};
    const GdkRGBA ink = hwl_theme_rgba(hwl_theme_palette()->on_segment[segment]);
    PangoLayout *layout = gtk_widget_create_pango_layout(GTK_WIDGET(b), text);
    int w, h;
    pango_layout_get_pixel_size(layout, &w, &h);
    if (rect->size.width >= (float)w + 4 && segment != HWL_VIEW_FREE) {
        if (hwl_theme_contrast()) { /* the pattern must not run through the letter */
            const GdkRGBA ground = hwl_theme_rgba(hwl_theme_palette()->segment[segment]);
            gtk_snapshot_append_color(snapshot, &ground, &GRAPHENE_RECT_INIT(rect->origin.x + (rect->size.width - (float)w) / 2 - 2,
                                                                           rect->origin.y + (rect->size.height - (float)h) / 2, (float)w + 4, (float)h));
        }
        gtk_snapshot_save(snapshot);
        gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT(rect->origin.x + (rect->size.width - (float)w) / 2,
                                                              rect->origin.y + (rect->size.height - (float)h) / 2));
        gtk_snapshot_append_layout(snapshot, layout, &ink);
        gtk_snapshot_restore(snapshot);
    }
    g_object_unref(layout);
}

/* Where usable memory ends in a bar that is too long. */
static void draw_limit(GtkSnapshot *snapshot, float x, float width, float height)
{
    const struct hwl_palette *p = hwl_theme_palette();
    const GdkRGBA over = hwl_theme_rgba(p->level[HWL_LEVEL_OVER]), mark = hwl_theme_rgba(p->mark), ground = hwl_theme_rgba(p->ground);
    GdkRGBA ink = over;
    hwl_pattern_draw(snapshot, &GRAPHENE_RECT_INIT(x, 0, width - x, height), "diagonal", &ink);
    gtk_snapshot_append_color(snapshot, &over, &GRAPHENE_RECT_INIT(x, height - 4, width - x, 4));
    gtk_snapshot_append_color(snapshot, &ground, &GRAPHENE_RECT_INIT(x - 2, 0, 5, height));
    gtk_snapshot_append_color(snapshot, &mark, &GRAPHENE_RECT_INIT(x - 1, 0, 3, height));
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    HwlBar *b = HWL_BAR(widget);
    float width = (float)gtk_widget_get_width(widget), height = (float)gtk_widget_get_height(widget);
    uint32_t limit = 0;
    if (!b->set || width < 2)
        return;
    const uint64_t own = b->device.usable == HWL_UNKNOWN || b->device.used > b->device.usable ? b->device.used : b->device.usable;
    if (b->scale && own < b->scale)
        width = (float)((double)width * ((double)own / (double)b->scale));
    if (width < LEAST)
        width = LEAST;
    hwl_view_layout(&b->device, (uint32_t)width, LEAST, &limit);
    GskRoundedRect clip;
    gsk_rounded_rect_init_from_rect(&clip, &GRAPHENE_RECT_INIT(0, 0, width, height), 6);
    gtk_snapshot_push_rounded_clip(snapshot, &clip);
    for (uint32_t i = 0; i < HWL_VIEW_SEGMENTS; i++) {
        const struct hwl_view_segment *s = &b->device.segment[i];
        const graphene_rect_t rect = GRAPHENE_RECT_INIT((float)s->at, 0, (float)s->width, height);
        if (!s->width)
            continue;
        hwl_bar_draw_segment(snapshot, &rect, i, b->highlight >= 0 && b->highlight != (int)i);
        letter(b, snapshot, &rect, i);
    }
    gtk_snapshot_pop(snapshot);
    if (hwl_theme_contrast()) { /* free memory has the colour of the ground */
        const GdkRGBA line = hwl_theme_rgba(hwl_theme_palette()->line), lines[4] = {line, line, line, line};
        gtk_snapshot_append_border(snapshot, &clip, (const float[4]){1, 1, 1, 1}, lines);
    }
    if (b->device.missing)
        draw_limit(snapshot, (float)limit, width, height);
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *least, int *natural, int *a, int *c)
{
    (void)widget;
    (void)for_size;
    *least = orientation == GTK_ORIENTATION_VERTICAL ? HEIGHT : 40;
    *natural = orientation == GTK_ORIENTATION_VERTICAL ? HEIGHT : 160;
    *a = *c = -1;
}

static gboolean tooltip(GtkWidget *widget, int x, int y, gboolean keyboard, GtkTooltip *tip)
{
    HwlBar *b = HWL_BAR(widget);
    char text[300];
    (void)y;
    for (uint32_t i = 0; b->set && !keyboard && i < HWL_VIEW_SEGMENTS; i++) {
        const struct hwl_view_segment *s = &b->device.segment[i];
        if ((uint32_t)x >= s->at && (uint32_t)x < s->at + s->width) {
            gtk_tooltip_set_text(tip, hwl_view_segment_sentence(&b->device, i, text, sizeof text));
            return TRUE;
        }
    }
    return FALSE;
}

static void hwl_bar_class_init(HwlBarClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);
    w->snapshot = snapshot;
    w->measure = measure;
    w->query_tooltip = tooltip;
    gtk_widget_class_set_accessible_role(w, GTK_ACCESSIBLE_ROLE_IMG);
    gtk_widget_class_set_css_name(w, "memorybar");
}

static void hwl_bar_init(HwlBar *b)
{
    b->highlight = -1;
    gtk_widget_set_has_tooltip(GTK_WIDGET(b), TRUE);
    gtk_widget_set_hexpand(GTK_WIDGET(b), TRUE);
    gtk_widget_set_overflow(GTK_WIDGET(b), GTK_OVERFLOW_HIDDEN);
    hwl_theme_watch(GTK_WIDGET(b));
}

GtkWidget *hwl_bar_new(void)
{
    return g_object_new(HWL_TYPE_BAR, NULL);
}

/* "weights 17,280 bytes, ..., in all 21,131 of 25,386 bytes": what the bar shows, to the byte. */
static const char *to_the_byte(const struct hwl_view_device *d, char *buf, gsize size)
{
    char n[40], m[40];
    gsize at = 0;
    *buf = 0;
    for (uint32_t i = 0; i < HWL_KIND_COUNT && at < size; i++)
        if (d->segment[i].bytes)
            at += (gsize)g_snprintf(buf + at, (gulong)(size - at), "%s %s bytes, ", hwl_view_segment_label(i),
                                    hwl_count_text(d->segment[i].bytes, n, sizeof n));
    if (at < size)
        g_snprintf(buf + at, (gulong)(size - at), "in all %s of %s bytes", hwl_count_text(d->used, n, sizeof n),
                   d->usable == HWL_UNKNOWN ? "unknown" : hwl_count_text(d->usable, m, sizeof m));
    return buf;
}

void hwl_bar_set(HwlBar *b, const struct hwl_view_device *device, uint64_t scale)
{
    char text[400];
    b->device = *device;
    b->device.device = NULL; /* of a plan that may go first */
    b->scale = scale;
    b->set = true;
    hwl_ui_name(b, hwl_view_device_sentence(device, text, sizeof text));
    hwl_ui_describe(b, to_the_byte(device, text, sizeof text));
    gtk_widget_queue_draw(GTK_WIDGET(b));
}

void hwl_bar_highlight(HwlBar *b, int segment)
{
    if (b->highlight == segment)
        return;
    b->highlight = segment;
    gtk_widget_queue_draw(GTK_WIDGET(b));
}
