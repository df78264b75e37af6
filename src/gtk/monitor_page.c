/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine uses now, ten minutes back, and what the plan would add. Read by a thread, only while the page is in sight. */
#include "gtk/cards.h"

#include "gtk/theme.h"
#include "gtk/ui.h"
#include "view/view.h"

#include <string.h>

#define EVERY_S 2
#define SAMPLES (600 / EVERY_S)
#define DEVICES 16

struct trace {
    char name[96], id[16];
    uint64_t total;
    uint64_t used[SAMPLES]; /* a ring, newest at `at` - 1 */
    uint32_t n, at;
    GtkWidget *card, *figures, *plan, *graph;
};

struct monitor {
    HwlDesk *desk;
    GtkWidget *page, *box, *note;
    struct trace trace[DEVICES];
    uint32_t n;
    guint timer;
    bool asking;
};

static uint64_t sample(const struct trace *t, uint32_t back)
{
    return t->used[(t->at + SAMPLES - 1 - back) % SAMPLES];
}

static uint64_t planned(const struct monitor *m, const struct trace *t)
{
    const struct hwl_session *s = hwl_desk_session(m->desk);
    for (uint32_t i = 0; s->plan && s->ask->detected && i < hwl_plan_n_devices(s->plan); i++) {
        const hwl_plan_device *d = hwl_plan_get_device(s->plan, i);
        if (strcmp(d->device->id, t->id) == 0)
            return d->used_bytes;
    }
    return HWL_UNKNOWN;
}

static void draw(GtkDrawingArea *area, cairo_t *cr, int width, int height, void *user)
{
    const struct trace *t = user;
    const struct hwl_palette *p = hwl_theme_palette();
    const GdkRGBA ground = hwl_theme_rgba(p->segment[HWL_VIEW_FREE]), ink = hwl_theme_rgba(p->segment[HWL_KIND_WEIGHTS]);
    GdkRGBA soft = ink;
    (void)area;
    gdk_cairo_set_source_rgba(cr, &ground);
    cairo_rectangle(cr, 0, 0, width, height);
    cairo_fill(cr);
    if (!t->total || !t->n)
        return;
    const double step = (double)width / (SAMPLES - 1);
    soft.alpha = 0.35f;
    cairo_move_to(cr, width, height);
    for (uint32_t i = 0; i < t->n; i++)
        cairo_line_to(cr, width - i * step, height - (double)sample(t, i) / (double)t->total * height);
    cairo_line_to(cr, width - (t->n - 1) * step, height);
    cairo_close_path(cr);
    gdk_cairo_set_source_rgba(cr, &soft);
    cairo_fill(cr);
    for (uint32_t i = 0; i < t->n; i++)
        (i ? cairo_line_to : cairo_move_to)(cr, width - i * step, height - (double)sample(t, i) / (double)t->total * height);
    gdk_cairo_set_source_rgba(cr, &ink);
    cairo_set_line_width(cr, 2);
    cairo_stroke(cr);
}

static void add_card(struct monitor *m, struct trace *t)
{
    GtkWidget *box;
    char title[140];
    g_snprintf(title, sizeof title, "%s  %s", t->id, t->name);
    t->card = hwl_ui_card(title, &box);
    t->figures = hwl_ui_label("", "number");
    t->plan = hwl_ui_label("", "dim number");
    t->graph = gtk_drawing_area_new();
    gtk_widget_set_size_request(t->graph, -1, 96);
    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(t->graph), draw, t, NULL);
    hwl_theme_watch(t->graph);
    gtk_box_append(GTK_BOX(box), t->figures);
    gtk_box_append(GTK_BOX(box), t->graph);
    gtk_box_append(GTK_BOX(box), t->plan);
    gtk_box_append(GTK_BOX(m->box), t->card);
}

static void take(struct monitor *m, const hwl_device *d)
{
    struct trace *t = NULL;
    char text[200], a[40], b[40], c[40];
    for (uint32_t i = 0; i < m->n; i++)
        if (strcmp(m->trace[i].id, d->id) == 0)
            t = &m->trace[i];
    if (!t && m->n < DEVICES) {
        t = &m->trace[m->n++];
        g_strlcpy(t->id, d->id, sizeof t->id);
        (void)hwl_view_clean(d->name, t->name, sizeof t->name);
        add_card(m, t);
    }
    if (!t || d->memory_bytes == HWL_UNKNOWN || d->free_bytes == HWL_UNKNOWN)
        return;
    const uint64_t used = d->memory_bytes - (d->free_bytes < d->memory_bytes ? d->free_bytes : d->memory_bytes);
    t->total = d->memory_bytes;
    t->used[t->at] = used;
    t->at = (t->at + 1) % SAMPLES;
    t->n += t->n < SAMPLES;
    g_snprintf(text, sizeof text, "%s used of %s, %s free (%u %%)", hwl_view_bytes(used, a, sizeof a), hwl_view_bytes(t->total, b, sizeof b),
               hwl_view_bytes(d->free_bytes, c, sizeof c), hwl_view_percent(used, t->total));
    hwl_ui_set(t->figures, text);
    hwl_ui_name(t->graph, text);
    const uint64_t plan = planned(m, t);
    if (plan == HWL_UNKNOWN)
        g_strlcpy(text, "The plan is for other devices.", sizeof text);
    else if (plan <= d->free_bytes)
        g_snprintf(text, sizeof text, "The plan takes %s here; %s would be left.", hwl_view_bytes(plan, a, sizeof a),
                   hwl_view_bytes(d->free_bytes - plan, b, sizeof b));
    else
        g_snprintf(text, sizeof text, "The plan takes %s here; %s more than is free now.", hwl_view_bytes(plan, a, sizeof a),
                   hwl_view_bytes(plan - d->free_bytes, b, sizeof b));
    hwl_ui_set(t->plan, text);
    gtk_widget_queue_draw(t->graph);
}

static void ask(GTask *task, void *source, void *data, GCancellable *cancellable)
{
    hwl_devices *d = NULL;
    (void)source;
    (void)data;
    (void)cancellable;
    (void)hwl_probe_devices(NULL, &d, NULL);
    g_task_return_pointer(task, d, (GDestroyNotify)hwl_devices_free);
}

static void asked(GObject *source, GAsyncResult *result, void *user)
{
    struct monitor *m = g_object_get_data(source, "hwl-monitor");
    hwl_devices *d = g_task_propagate_pointer(G_TASK(result), NULL);
    (void)user;
    if (m)
        m->asking = false;
    if (m && gtk_widget_get_mapped(m->page)) { /* the window may have gone meanwhile */
        for (uint32_t i = 0; d && i < hwl_devices_count(d); i++)
            take(m, hwl_devices_get(d, i));
        gtk_widget_set_visible(m->note, d && !hwl_devices_gpus(d));
    }
    hwl_devices_free(d);
}

static gboolean tick(void *user)
{
    struct monitor *m = user;
    if (m->asking)
        return G_SOURCE_CONTINUE;
    m->asking = true;
    GTask *task = g_task_new(m->page, NULL, asked, NULL);
    g_task_run_in_thread(task, ask);
    g_object_unref(task);
    return G_SOURCE_CONTINUE;
}

static void mapped(GtkWidget *page, struct monitor *m)
{
    (void)page;
    (void)tick(m);
    if (!m->timer)
        m->timer = g_timeout_add_seconds(EVERY_S, tick, m);
}

static void unmapped(GtkWidget *page, struct monitor *m)
{
    (void)page;
    g_clear_handle_id(&m->timer, g_source_remove);
}

static void free_monitor(void *data)
{
    struct monitor *m = data;
    g_clear_handle_id(&m->timer, g_source_remove);
    g_free(m);
}

GtkWidget *hwl_monitor_page_new(HwlDesk *desk)
{
    struct monitor *m = g_new0(struct monitor, 1);
    m->desk = desk;
    m->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    m->note = hwl_ui_label("No GPU was found on this machine.", "dim");
    m->page = hwl_ui_scrolled(m->box, 860);
    gtk_box_append(GTK_BOX(m->box), m->note);
    gtk_widget_set_visible(m->note, FALSE);
    gtk_widget_add_css_class(m->box, "padded");
    g_object_set_data_full(G_OBJECT(m->page), "hwl-monitor", m, free_monitor);
    g_signal_connect(m->page, "map", G_CALLBACK(mapped), m);
    g_signal_connect(m->page, "unmap", G_CALLBACK(unmapped), m);
    return m->page;
}
