/* SPDX-License-Identifier: Apache-2.0 */
/* The context chart: powers of two side by side (equal steps to the right are doublings), bytes upward from zero. */
#include "gtk/curve.h"

#include "gtk/pattern.h"
#include "gtk/theme.h"
#include "gtk/ui.h"
#include "view/view.h"

#include <math.h>

#define LEFT 78.0f
#define RIGHT 14.0f
#define TOP 12.0f
#define BOTTOM 26.0f

struct _HwlCurve {
    GtkWidget parent_instance;
    struct hwl_chart chart;
};

G_DEFINE_FINAL_TYPE(HwlCurve, hwl_curve, GTK_TYPE_WIDGET)

static void text_at(HwlCurve *c, GtkSnapshot *snapshot, const char *text, float x, float y, float align, const GdkRGBA *ink)
{
    PangoLayout *layout = gtk_widget_create_pango_layout(GTK_WIDGET(c), text);
    PangoAttrList *attrs = pango_attr_list_new();
    int w, h;
    pango_attr_list_insert(attrs, pango_attr_scale_new(0.87));
    pango_layout_set_attributes(layout, attrs);
    pango_layout_get_pixel_size(layout, &w, &h);
    gtk_snapshot_save(snapshot);
    gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT(x - align * (float)w, y - (float)h / 2));
    gtk_snapshot_append_layout(snapshot, layout, ink);
    gtk_snapshot_restore(snapshot);
    pango_attr_list_unref(attrs);
    g_object_unref(layout);
}

struct frame {
    float x, y, w, h;
    double low, high; /* log2 of tokens */
    double top;       /* bytes */
};

static struct frame frame_of(HwlCurve *c)
{
    const struct hwl_chart *k = &c->chart;
    const double first = (double)k->point[0].x, last = (double)k->point[k->n - 1].x;
    const struct frame f = {LEFT, TOP, (float)gtk_widget_get_width(GTK_WIDGET(c)) - LEFT - RIGHT,
                            (float)gtk_widget_get_height(GTK_WIDGET(c)) - TOP - BOTTOM, log2(first > 1 ? first : 1), log2(last > 2 ? last : 2),
                            (double)k->top * 1.08};
    return f;
}

static float across(const struct frame *f, uint64_t tokens)
{
    const double at = log2(tokens > 1 ? (double)tokens : 1);
    return f->x + (float)((at - f->low) / (f->high > f->low ? f->high - f->low : 1)) * f->w;
}

static float up(const struct frame *f, uint64_t bytes)
{
    return f->y + f->h - (float)((double)bytes / (f->top > 0 ? f->top : 1)) * f->h;
}

static void draw_axes(HwlCurve *c, GtkSnapshot *snapshot, const struct frame *f)
{
    const struct hwl_palette *p = hwl_theme_palette();
    const GdkRGBA dim = hwl_theme_rgba(p->dim), line = hwl_theme_rgba(p->line);
    char text[40];
    float free_from = -1000;
    uint64_t step = 1u << 20;
    while ((double)step * 5 < f->top)
        step *= 2; /* powers of two read as whole GiB */
    for (uint64_t bytes = 0; (double)bytes <= f->top; bytes += step) {
        const float y = up(f, bytes);
        gtk_snapshot_append_color(snapshot, &line, &GRAPHENE_RECT_INIT(f->x, y, f->w, 1));
        text_at(c, snapshot, hwl_view_bytes(bytes, text, sizeof text), f->x - 8, y, 1, &dim);
    }
    for (uint32_t i = 0; i < c->chart.n; i++) {
        const float x = across(f, c->chart.point[i].x);
        const uint64_t tokens = c->chart.point[i].x;
        if (x < free_from || (tokens & (tokens - 1))) /* odd values stand at their marks */
            continue;
        text_at(c, snapshot, c->chart.point[i].label, x, f->y + f->h + BOTTOM / 2, 0.5f, &dim);
        free_from = x + 44;
    }
}

/* What the device has, and what lies beyond. */
static void draw_limit(HwlCurve *c, GtkSnapshot *snapshot, const struct frame *f, uint64_t usable)
{
    const struct hwl_palette *p = hwl_theme_palette();
    const GdkRGBA bad = hwl_theme_rgba(p->level[HWL_LEVEL_RED]);
    GdkRGBA soft = bad;
    if (usable == HWL_UNKNOWN)
        return;
    const float y = up(f, usable);
    soft.alpha = 0.35f;
    if (y > f->y)
        hwl_pattern_draw(snapshot, &GRAPHENE_RECT_INIT(f->x, f->y, f->w, y - f->y), "diagonal", &soft);
    gtk_snapshot_append_color(snapshot, &bad, &GRAPHENE_RECT_INIT(f->x, y - 1, f->w, 2));
    text_at(c, snapshot, "usable", f->x + f->w - 4, y + 10, 1, &bad);
}

static void draw_line(HwlCurve *c, GtkSnapshot *snapshot, const struct frame *f)
{
    const struct hwl_palette *p = hwl_theme_palette();
    const GdkRGBA ink = hwl_theme_rgba(p->segment[HWL_KIND_WEIGHTS]), mark = hwl_theme_rgba(p->mark), ground = hwl_theme_rgba(p->ground);
    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &GRAPHENE_RECT_INIT(f->x - 8, 0, f->w + 16, f->h + TOP + 8));
    bool open = false;
    gdk_cairo_set_source_rgba(cr, &ink);
    cairo_set_line_width(cr, 2.5);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    for (uint32_t i = 0; i < c->chart.n; i++) {
        const struct hwl_chart_point *t = &c->chart.point[i];
        if (!t->refused)
            (open ? cairo_line_to : cairo_move_to)(cr, (double)across(f, t->x), (double)up(f, t->used));
        open = !t->refused;
    }
    cairo_stroke(cr);
    for (uint32_t i = 0; i < c->chart.n; i++) {
        const struct hwl_chart_point *t = &c->chart.point[i];
        const double r = t->current ? 6 : 3.5;
        if (t->refused)
            continue;
        const GdkRGBA fill = hwl_theme_rgba(p->level[t->level]);
        cairo_arc(cr, (double)across(f, t->x), (double)up(f, t->used), r + 1.5, 0, 2 * G_PI);
        gdk_cairo_set_source_rgba(cr, t->current ? &mark : &ground);
        cairo_fill(cr);
        cairo_arc(cr, (double)across(f, t->x), (double)up(f, t->used), r, 0, 2 * G_PI);
        gdk_cairo_set_source_rgba(cr, &fill);
        cairo_fill(cr);
    }
    cairo_destroy(cr);
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    HwlCurve *c = HWL_CURVE(widget);
    if (!c->chart.n)
        return;
    const struct frame f = frame_of(c);
    if (f.w < 40 || f.h < 40)
        return;
    uint64_t usable = HWL_UNKNOWN;
    for (uint32_t i = 0; i < c->chart.n; i++)
        if (!c->chart.point[i].refused)
            usable = c->chart.point[i].usable;
    draw_axes(c, snapshot, &f);
    draw_limit(c, snapshot, &f, usable);
    draw_line(c, snapshot, &f);
    if (c->chart.limit != HWL_UNKNOWN && c->chart.limit) {
        const GdkRGBA mark = hwl_theme_rgba(hwl_theme_palette()->mark);
        const float x = across(&f, c->chart.limit);
        char text[64], count[40];
        gtk_snapshot_append_color(snapshot, &mark, &GRAPHENE_RECT_INIT(x - 0.5f, f.y, 1, f.h));
        g_snprintf(text, sizeof text, "limit %s", hwl_count_text(c->chart.limit, count, sizeof count));
        text_at(c, snapshot, text, x - 6, f.y + f.h - 12, 1, &mark);
    }
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *least, int *natural, int *a, int *b)
{
    (void)widget;
    (void)for_size;
    *least = orientation == GTK_ORIENTATION_VERTICAL ? 260 : 260;
    *natural = orientation == GTK_ORIENTATION_VERTICAL ? 300 : 600;
    *a = *b = -1;
}

static guint chosen_signal;

static void pressed(GtkGestureClick *click, int n, double x, double y, void *user)
{
    HwlCurve *c = user;
    (void)click;
    (void)n;
    (void)y;
    if (!c->chart.n)
        return;
    const struct frame f = frame_of(c);
    uint32_t best = 0;
    for (uint32_t i = 1; i < c->chart.n; i++)
        if (fabs((double)across(&f, c->chart.point[i].x) - x) < fabs((double)across(&f, c->chart.point[best].x) - x))
            best = i;
    g_signal_emit(c, chosen_signal, 0, (guint64)c->chart.point[best].x);
}

static void hwl_curve_class_init(HwlCurveClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);
    w->snapshot = snapshot;
    w->measure = measure;
    gtk_widget_class_set_accessible_role(w, GTK_ACCESSIBLE_ROLE_IMG);
    chosen_signal = g_signal_new("chosen", HWL_TYPE_CURVE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);
}

static void hwl_curve_init(HwlCurve *c)
{
    GtkGesture *click = gtk_gesture_click_new();
    g_signal_connect(click, "pressed", G_CALLBACK(pressed), c);
    gtk_widget_add_controller(GTK_WIDGET(c), GTK_EVENT_CONTROLLER(click));
    gtk_widget_set_hexpand(GTK_WIDGET(c), TRUE);
    hwl_theme_watch(GTK_WIDGET(c));
}

GtkWidget *hwl_curve_new(void)
{
    return g_object_new(HWL_TYPE_CURVE, NULL);
}

void hwl_curve_set(HwlCurve *c, const struct hwl_chart *chart)
{
    GString *s = g_string_new("Memory against context: ");
    char bytes[40];
    c->chart = *chart;
    for (uint32_t i = 0; i < chart->n; i++)
        g_string_append_printf(s, "%s%s %s", i ? "; " : "", chart->point[i].label,
                               chart->point[i].refused ? "refused" : hwl_view_bytes(chart->point[i].used, bytes, sizeof bytes));
    hwl_ui_name(c, s->str);
    g_string_free(s, TRUE);
    gtk_widget_queue_draw(GTK_WIDGET(c));
}
