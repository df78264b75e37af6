/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine uses now, ten minutes back, its processes, and what the plan would add. Read by a thread, once a second from the
 * first time that the page is in sight (a driver asked for nothing may wake a card): the history then has no holes. */
#include "gtk/cards.h"

#include "gtk/theme.h"
#include "gtk/threads.h"
#include "gtk/ui.h"
#include "view/stores.h"
#include "view/view.h"
#include "view/watch.h"

#include <string.h>

enum { PROCESS, DEVICE, MEASURED, PLANNED, DIFFERENCE, ENGINE, NAME, COLUMNS };
static const char *const titles[COLUMNS] = {"process", "device", "memory", "planned", "difference", "engine", "name"};

struct trace {
    uint64_t total, used[HWL_LIVE_POINTS]; /* by age: the thread writes its own while this is drawn */
    GtkWidget *card, *memory, *figures, *plan, *graph;
};

struct line {
    GtkWidget *row, *cell[COLUMNS];
};

struct monitor {
    HwlDesk *desk;
    GtkWidget *page, *box, *cards, *processes, *against, *note;
    GtkWidget *head, *head_cell[COLUMNS];
    GtkSizeGroup *column[COLUMNS];
    GPtrArray *trace; /* struct trace, in the order of the monitor's devices */
    GArray *line;     /* struct line */
    guint timer;
    bool asking;            /* watch belongs to the thread */
    struct hwl_watch watch;
};

static uint64_t planned(const struct monitor *m, const char *id)
{
    const struct hwl_session *s = hwl_desk_session(m->desk);
    for (uint32_t i = 0; s->plan && s->ask->detected && i < hwl_plan_n_devices(s->plan); i++) {
        const hwl_plan_device *d = hwl_plan_get_device(s->plan, i);
        if (strcmp(d->device->id, id) == 0)
            return d->used_bytes;
    }
    return HWL_UNKNOWN;
}

#define BRIDGE 3 /* seconds without a look that the line goes over: a timer of one second now and then skips one */

/* A stretch of seconds, newest first: [from, end), both ends seen. */
static void draw_stretch(cairo_t *cr, const struct trace *t, uint32_t from, uint32_t end, int width, int height)
{
    const double step = (double)width / (HWL_LIVE_POINTS - 1);
    GdkRGBA ink = hwl_theme_rgba(hwl_theme_palette()->segment[HWL_KIND_WEIGHTS]);
    for (int line = 0; line < 2; line++) {
        for (uint32_t i = from; i < end; i++)
            if (t->used[i] != HWL_UNKNOWN)
                cairo_line_to(cr, width - i * step, height - (double)t->used[i] / (double)t->total * height);
        if (!line) {
            cairo_line_to(cr, width - (end - 1) * step, height);
            cairo_line_to(cr, width - from * step, height);
            cairo_close_path(cr);
        }
        ink.alpha = line ? 1 : 0.35f;
        gdk_cairo_set_source_rgba(cr, &ink);
        cairo_set_line_width(cr, 2);
        (line ? cairo_stroke : cairo_fill)(cr);
    }
}

static void draw(GtkDrawingArea *area, cairo_t *cr, int width, int height, void *user)
{
    const struct trace *t = user;
    const GdkRGBA ground = hwl_theme_rgba(hwl_theme_palette()->segment[HWL_VIEW_FREE]);
    (void)area;
    gdk_cairo_set_source_rgba(cr, &ground);
    cairo_rectangle(cr, 0, 0, width, height);
    cairo_fill(cr);
    if (!t->total || t->total == HWL_UNKNOWN)
        return;
    for (uint32_t i = 0; i < HWL_LIVE_POINTS; i++) {
        uint32_t end = i; /* behind the last second that was seen */
        for (uint32_t next = i; next < HWL_LIVE_POINTS && next <= end + BRIDGE; next++)
            if (t->used[next] != HWL_UNKNOWN)
                end = next + 1;
        if (t->used[i] == HWL_UNKNOWN)
            continue;
        draw_stretch(cr, t, i, end, width, height);
        i = end;
    }
}

static GtkWidget *time_axis(void)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0), *from = hwl_ui_short_label("10 minutes ago", "dim small");
    gtk_widget_set_hexpand(from, TRUE);
    gtk_box_append(GTK_BOX(box), from);
    gtk_box_append(GTK_BOX(box), hwl_ui_short_label("now", "dim small"));
    return box;
}

static struct trace *add_card(struct monitor *m, const hwl_monitor_device *d)
{
    struct trace *t = g_new0(struct trace, 1);
    GtkWidget *box;
    char title[140], name[96];
    g_snprintf(title, sizeof title, "%s  %s", d->id, hwl_view_clean(d->name, name, sizeof name));
    t->card = hwl_ui_card(title, &box);
    t->memory = hwl_ui_label("", "number");
    t->figures = hwl_ui_label("", "number");
    t->plan = hwl_ui_label("", "dim number");
    t->graph = g_object_new(GTK_TYPE_DRAWING_AREA, "accessible-role", GTK_ACCESSIBLE_ROLE_IMG, NULL);
    hwl_ui_describe(t->graph, "Memory used, the last ten minutes");
    gtk_widget_set_tooltip_text(t->graph, "Memory used, the last ten minutes");
    gtk_widget_set_size_request(t->graph, -1, 96);
    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(t->graph), draw, t, NULL);
    hwl_theme_watch(t->graph);
    gtk_box_append(GTK_BOX(box), t->memory);
    gtk_box_append(GTK_BOX(box), t->figures);
    gtk_box_append(GTK_BOX(box), t->graph);
    gtk_box_append(GTK_BOX(box), time_axis());
    gtk_box_append(GTK_BOX(box), t->plan);
    gtk_box_append(GTK_BOX(m->cards), t->card);
    g_ptr_array_add(m->trace, t);
    return t;
}

static void show_device(struct monitor *m, uint32_t index)
{
    const hwl_monitor_device *d = hwl_monitor_get_device(m->watch.monitor, index);
    struct trace *t = index < m->trace->len ? g_ptr_array_index(m->trace, index) : add_card(m, d);
    char text[320];
    t->total = d->total_bytes;
    for (uint32_t age = 0; age < HWL_LIVE_POINTS; age++)
        t->used[age] = hwl_live_at(&m->watch.live, index, age);
    hwl_ui_set(t->memory, hwl_watch_memory(d, text, sizeof text));
    hwl_ui_set(t->figures, hwl_watch_figures(d, text, sizeof text));
    gtk_widget_set_visible(t->figures, *text != 0);
    hwl_ui_name(t->graph, hwl_watch_sentence(d, text, sizeof text));
    gtk_widget_set_visible(t->plan, hwl_desk_session(m->desk)->plan != NULL);
    hwl_ui_set(t->plan, hwl_watch_room(d, planned(m, d->id), text, sizeof text));
    gtk_widget_queue_draw(t->graph);
}

static GtkWidget *add_cells(struct monitor *m, GtkWidget **cell, const char *classes)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 16);
    for (int c = 0; c < COLUMNS; c++) {
        cell[c] = hwl_ui_short_label("", classes);
        gtk_label_set_ellipsize(GTK_LABEL(cell[c]), PANGO_ELLIPSIZE_NONE);
        gtk_label_set_xalign(GTK_LABEL(cell[c]), c >= MEASURED && c <= DIFFERENCE ? 1 : 0);
        gtk_size_group_add_widget(m->column[c], cell[c]);
        gtk_box_append(GTK_BOX(box), cell[c]);
    }
    return box;
}

/* Planned against measured is there only where an engine runs whose plan could be made. */
static bool shown(const struct monitor *m, int column)
{
    return (column != PLANNED && column != DIFFERENCE) || m->watch.n_planned > 0;
}

static void show_process(struct monitor *m, uint32_t index, const struct hwl_watch_row *row)
{
    const char *const text[COLUMNS] = {row->process, row->device, row->measured, row->planned, row->difference, row->engine, row->name};
    if (index >= m->line->len) {
        struct line line;
        line.row = gtk_list_box_row_new();
        gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(line.row), add_cells(m, line.cell, "number"));
        gtk_list_box_append(GTK_LIST_BOX(m->processes), line.row);
        g_array_append_val(m->line, line);
    }
    const struct line *line = &g_array_index(m->line, struct line, index);
    for (int c = 0; c < COLUMNS; c++) {
        hwl_ui_set(line->cell[c], text[c]);
        gtk_widget_set_visible(line->cell[c], shown(m, c));
    }
    hwl_ui_name(line->row, row->sentence);
    gtk_widget_set_visible(line->row, TRUE);
}

/* Why the last look failed, or what it could not see: a lost card, processes of other users. */
static void show_notes(struct monitor *m)
{
    GString *text = g_string_new(m->watch.trouble);
    const char *note;
    for (uint32_t i = 0; !*m->watch.trouble && m->watch.monitor && (note = hwl_monitor_note(m->watch.monitor, i)); i++)
        g_string_append_printf(text, "%s%s", i ? "\n" : "", note);
    hwl_ui_set(m->note, text->str);
    gtk_widget_set_visible(m->note, text->len != 0);
    g_string_free(text, TRUE);
}

static void show(struct monitor *m)
{
    struct hwl_watch_row row;
    uint32_t n = 0;
    char text[240];
    show_notes(m);
    if (*m->watch.trouble)
        return;
    for (uint32_t i = 0; i < hwl_monitor_n_devices(m->watch.monitor); i++)
        show_device(m, i);
    for (; hwl_watch_row(&m->watch, n, &row); n++)
        show_process(m, n, &row);
    for (uint32_t i = n; i < m->line->len; i++)
        gtk_widget_set_visible(g_array_index(m->line, struct line, i).row, FALSE);
    gtk_widget_set_visible(m->head, n > 0);
    for (int c = 0; c < COLUMNS; c++)
        gtk_widget_set_visible(m->head_cell[c], shown(m, c));
    hwl_ui_set(m->against, n ? hwl_watch_plan(&m->watch, text, sizeof text) : "No process on a GPU, and none of a known engine.");
    gtk_widget_set_visible(m->against, *gtk_label_get_text(GTK_LABEL(m->against)) != 0);
}

static void look(GTask *task, void *source, void *data, GCancellable *cancellable)
{
    struct monitor *m = data; /* the task holds the page, the page holds m */
    struct hwl_view_stores stores;
    (void)source;
    (void)cancellable;
    hwl_view_stores(&stores);
    hwl_watch_look(&m->watch, NULL, &stores.options, (uint64_t)(g_get_monotonic_time() / G_USEC_PER_SEC) + 1);
    g_task_return_boolean(task, TRUE);
}

static void looked(GObject *page, GAsyncResult *result, void *user)
{
    struct monitor *m = user;
    (void)result;
    m->asking = false;
    if (gtk_widget_get_mapped(GTK_WIDGET(page))) /* the window may have gone meanwhile */
        show(m);
}

static gboolean tick(void *user)
{
    struct monitor *m = user;
    GtkRoot *root = gtk_widget_get_root(m->page);
    if (m->asking || !root || !gtk_widget_get_mapped(GTK_WIDGET(root)))
        return G_SOURCE_CONTINUE;
    m->asking = true;
    GTask *task = g_task_new(m->page, NULL, looked, m);
    g_task_set_task_data(task, m, NULL);
    hwl_threads_run(task, look);
    g_object_unref(task);
    return G_SOURCE_CONTINUE;
}

/* The window goes: a thread may hold the page for a while, its timer must not. */
static void leave(struct monitor *m)
{
    g_clear_handle_id(&m->timer, g_source_remove);
}

/* What came while the page was out of sight is shown at once. */
static void mapped(GtkWidget *page, struct monitor *m)
{
    (void)page;
    if (m->watch.monitor && !m->asking)
        show(m);
    (void)tick(m);
    if (!m->timer)
        m->timer = g_timeout_add_seconds(1, tick, m);
}

static void free_monitor(void *data)
{
    struct monitor *m = data;
    g_clear_handle_id(&m->timer, g_source_remove);
    hwl_watch_free(&m->watch);
    for (int c = 0; c < COLUMNS; c++)
        g_object_unref(m->column[c]);
    g_ptr_array_unref(m->trace);
    g_array_unref(m->line);
    g_free(m);
}

static void add_processes(struct monitor *m)
{
    GtkWidget *box, *card = hwl_ui_card("Processes", &box);
    for (int c = 0; c < COLUMNS; c++)
        m->column[c] = gtk_size_group_new(GTK_SIZE_GROUP_HORIZONTAL);
    m->head = add_cells(m, m->head_cell, "dim small");
    GtkWidget *table = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6), *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_AUTOMATIC, GTK_POLICY_NEVER); /* wider than a narrow window */
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), table);
    gtk_box_append(GTK_BOX(box), scrolled);
    gtk_box_append(GTK_BOX(table), m->head);
    for (int c = 0; c < COLUMNS; c++)
        gtk_label_set_text(GTK_LABEL(m->head_cell[c]), titles[c]);
    m->processes = gtk_list_box_new();
    m->against = hwl_ui_label("", "dim number");
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(m->processes), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(m->processes, "plain");
    hwl_ui_name(m->processes, "Processes, measured against planned");
    gtk_box_append(GTK_BOX(table), m->processes);
    gtk_box_append(GTK_BOX(box), m->against);
    gtk_box_append(GTK_BOX(m->box), card);
}

GtkWidget *hwl_monitor_page_new(HwlDesk *desk)
{
    struct monitor *m = g_new0(struct monitor, 1);
    m->desk = desk;
    m->trace = g_ptr_array_new_with_free_func(g_free);
    m->line = g_array_new(FALSE, TRUE, sizeof(struct line));
    m->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    m->cards = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    m->note = hwl_ui_label("", "dim");
    m->page = hwl_ui_scrolled(m->box, 860);
    gtk_box_append(GTK_BOX(m->box), m->note);
    gtk_box_append(GTK_BOX(m->box), m->cards);
    add_processes(m);
    gtk_widget_set_visible(m->note, FALSE);
    gtk_widget_add_css_class(m->box, "padded");
    g_object_set_data_full(G_OBJECT(m->page), "hwl-monitor", m, free_monitor);
    g_signal_connect(m->page, "map", G_CALLBACK(mapped), m);
    g_signal_connect_swapped(m->page, "unrealize", G_CALLBACK(leave), m);
    return m->page;
}
