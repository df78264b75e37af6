/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's page: devices on top, their history, processes below; an engine's plan against what it really took. */
#include "tui/ui.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

/* four: so many lines, of which the third is the history; else two. Below 60 columns three. */
static void device(struct tui_grid *g, const hwl_monitor_device *d, int y, bool four)
{
    const bool narrow = g->width < 60;
    const int x = 8, right = 32, bar = g->width - x - right - 1;
    char text[200], used[32], total[32], name[96];
    const bool known = d->used_bytes != HWL_UNKNOWN && d->total_bytes != HWL_UNKNOWN && d->total_bytes;
    const uint64_t reserved = d->reserved_bytes == HWL_UNKNOWN ? 0 : d->reserved_bytes;
    const enum hwl_level level = known ? hwl_view_level(d->used_bytes + reserved, d->total_bytes) : HWL_LEVEL_UNKNOWN;
    (void)tui_text(g, 1, y, 6, TUI_STRONG, d->id);
    for (int i = 0; i < bar; i++) { /* measured is an outline, a plan is filled */
        const double at = (double)(i + 1) / bar * (double)(known ? d->total_bytes : 1);
        const bool on = known && d->used_bytes && (!i || at <= (double)d->used_bytes), held = known && !on && at <= (double)(d->used_bytes + reserved);
        tui_put(g, x + i, y, on ? (enum tui_style)(TUI_LEVEL + (int)level) : TUI_DIM, on ? '|' : held ? 'R' : '.');
    }
    if (known)
        (void)tui_textf(g, x + (bar > 0 ? bar : 0) + 1, y, right, (enum tui_style)(TUI_LEVEL + (int)level), "%9s of %9s %3u %% %s",
                        hwl_view_gib(d->used_bytes, used, sizeof used), hwl_view_bytes(d->total_bytes, total, sizeof total),
                        hwl_view_percent(d->used_bytes, d->total_bytes), hwl_view_level_mark(level));
    else if (d->total_bytes != HWL_UNKNOWN)
        (void)tui_textf(g, x + (bar > 0 ? bar : 0) + 1, y, right, TUI_TEXT, "%9s of %9s", "unknown", hwl_view_bytes(d->total_bytes, total, sizeof total));
    else
        (void)tui_text(g, x + (bar > 0 ? bar : 0) + 1, y, right, TUI_TEXT, "does not answer");
    (void)snprintf(text, sizeof text, "free %s", hwl_view_bytes(d->free_bytes, used, sizeof used));
    if (reserved)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), ", driver %s %s", narrow ? "has" : "keeps", hwl_view_bytes(reserved, total, sizeof total));
    const int w = tui_width(text);
    char figures[80];
    (void)hwl_watch_figures(d, figures, sizeof figures);
    if (narrow) {
        (void)tui_text(g, 1, y + 1, g->width - 2, TUI_DIM, text);
        (void)tui_text(g, 1, y + 2, g->width - 2, TUI_TEXT, *figures ? figures : hwl_view_clean(d->name, name, sizeof name));
        return;
    }
    const int last = g->width - w - 1, most = last - x - tui_width(figures) - 4;
    if (most < 12 && four) { /* what is free has a line of its own */
        (void)tui_text(g, last, y + 3, w, TUI_DIM, text);
        const int n = tui_text(g, x, y + 1, g->width - x - tui_width(figures) - 4, TUI_DIM, hwl_view_clean(d->name, name, sizeof name));
        (void)tui_text(g, x + n + 2, y + 1, g->width - x - n - 3, TUI_TEXT, figures);
        return;
    }
    const int n = most < 12 ? -2 : tui_text(g, x, y + 1, most, TUI_DIM, hwl_view_clean(d->name, name, sizeof name));
    (void)tui_text(g, x + n + 2, y + 1, last - x - n - 3, TUI_TEXT, figures);
    (void)tui_text(g, last, y + 1, w, TUI_DIM, text);
}

/* Ten minutes, oldest at the left, as eighths of a line. */
static void history(struct tui_ui *ui, struct tui_grid *g, uint32_t index, uint64_t total, int y)
{
    const int x = 8, width = g->width - x - 1;
    if (width < 1)
        return;
    (void)tui_text(g, 1, y, 6, TUI_DIM, "10 min");
    for (int i = 0; i < width; i++) {
        const uint32_t from = (uint32_t)((uint64_t)(width - 1 - i) * HWL_LIVE_POINTS / (uint64_t)width);
        const uint32_t to = (uint32_t)((uint64_t)(width - i) * HWL_LIVE_POINTS / (uint64_t)width);
        const uint64_t used = hwl_live_most(&ui->live.live, index, from, to - from);
        if (used == HWL_UNKNOWN || !total || total == HWL_UNKNOWN)
            continue;
        const double share = (double)used / (double)total;
        const int eighth = share >= 1 ? 7 : (int)(share * 8);
        tui_put(g, x + i, y, TUI_TEXT, 0x2581 + (uint32_t)eighth);
    }
}

/* A note over as many lines as it needs. */
static int note_lines(struct tui_grid *g, int y, const char *note)
{
    const size_t room = g->width > 12 ? (size_t)g->width - 10 : 2;
    int line = 0;
    for (; *note; line++) {
        size_t n = strlen(note), blank = room;
        if (n > room) {
            while (blank > room / 2 && note[blank] != ' ')
                blank--;
            n = note[blank] == ' ' ? blank : room;
        }
        (void)tui_textf(g, 1, y + line, g->width - 2, TUI_MARK, "%-7s %.*s", line ? "" : "note", (int)n, note);
        note += n;
        note += strspn(note, " ");
    }
    return line;
}

/* Rows of the processes, those with the most memory first, then what no process was seen for. */
static uint32_t sorted(const struct hwl_watch *w, uint32_t *order, uint32_t most)
{
    struct hwl_watch_row row, before;
    uint32_t n = 0;
    for (; n < most && hwl_watch_row(w, n, &row); n++) {
        uint32_t at = n;
        const uint64_t bytes = row.measured_bytes == HWL_UNKNOWN ? 0 : row.measured_bytes;
        while (at && hwl_watch_row(w, order[at - 1], &before) && (before.measured_bytes == HWL_UNKNOWN ? 0 : before.measured_bytes) < bytes)
            at--;
        memmove(&order[at + 1], &order[at], (n - at) * sizeof *order);
        order[at] = n;
    }
    return n;
}

enum { ROWS = 128 };

/* One line a process and device; planned against measured where there is a plan. Returns the lines. */
static int processes(struct tui_ui *ui, struct tui_grid *g, int y)
{
    const struct hwl_watch *w = &ui->live;
    const bool narrow = g->width < 70;
    uint32_t order[ROWS + 1];
    const uint32_t n = sorted(w, order, ROWS);
    char text[320];
    int line = y;
    if (*hwl_watch_plan(w, text, sizeof text))
        (void)tui_text(g, 1, line++, g->width - 2, TUI_STRONG, text);
    (void)tui_text(g, 1, line++, g->width - 2, TUI_DIM, narrow ? "process  device       memory" : "process  device       memory      planned  differs   engine       name");
    for (uint32_t i = 0; i < n; i++) {
        struct hwl_watch_row r;
        if (!hwl_watch_row(w, order[i], &r))
            continue;
        const enum tui_style style = *r.engine ? TUI_TEXT : TUI_DIM;
        (void)tui_textf(g, 1, line, g->width - 2, style, "%-8s %-6s %12s", r.process, r.device, r.measured);
        if (!narrow) {
            (void)tui_textf(g, 30, line++, g->width - 31, style, "%12s  %-8s  %-12s %s", r.planned, r.difference, r.engine, r.name);
            continue;
        }
        line++;
        if (*r.planned)
            (void)tui_textf(g, 3, line++, g->width - 4, style, "planned %s, %s", r.planned, r.difference);
        if (*r.engine || *r.name)
            (void)tui_textf(g, 3, line++, g->width - 4, TUI_DIM, "%s  %s", r.engine, r.name);
    }
    if (!n)
        (void)tui_text(g, 1, line++, g->width - 2, TUI_DIM, "no process on a GPU, and none of a known engine");
    const char *note;
    for (uint32_t i = 0; (note = hwl_monitor_note(w->monitor, i)); i++)
        line += note_lines(g, line, note);
    return line - y;
}

/* The page as high as it wants to be; what the screen holds of it is copied. */
static int page(struct tui_ui *ui, struct tui_grid *g, int each)
{
    const hwl_monitor *m = ui->live.monitor;
    int y = 0;
    for (uint32_t i = 0; i < hwl_monitor_n_devices(m); i++) {
        const hwl_monitor_device *d = hwl_monitor_get_device(m, i);
        device(g, d, y, each == 4);
        if (each == 4)
            history(ui, g, i, d->total_bytes, y + 2);
        y += each;
    }
    return y + processes(ui, g, y);
}

void tui_draw_monitor(struct tui_ui *ui)
{
    struct tui_grid *g = &ui->grid, all = {.ascii = g->ascii};
    const hwl_monitor *m = ui->live.monitor;
    const int room = g->height - 4;
    (void)tui_text(g, 0, 0, g->width, TUI_STRONG, "hwLedger  this machine");
    tui_rule(g, 0, 1, g->width);
    tui_rule(g, 0, g->height - 2, g->width);
    const bool narrow = g->width < 60;
    (void)tui_text(g, 1, g->height - 1, g->width - 2, TUI_DIM, narrow ? "M planner ? q" : "M planner   ? help   q quit");
    tui_hit(ui, 1, g->height - 1, 9, 1, TUI_AREAS, 'M', false);
    tui_hit(ui, narrow ? 11 : 13, g->height - 1, narrow ? 1 : 6, 1, TUI_AREAS, '?', false);
    tui_hit(ui, narrow ? 13 : 22, g->height - 1, narrow ? 1 : 6, 1, TUI_AREAS, 'q', false);
    if (!m || *ui->live.trouble) {
        (void)tui_text(g, 1, 2, g->width - 2, TUI_TEXT, *ui->live.trouble ? ui->live.trouble : "looking ...");
        return;
    }
    const int n = (int)hwl_monitor_n_devices(m), each = g->width < 60 ? 3 : room >= n * 4 + 6 ? 4 : room >= n * 2 + 4 ? 2 : 4;
    if (room < 1 || !tui_grid_size(&all, g->width, n * 4 + 4 + 3 * ROWS + 40))
        return;
    const int lines = page(ui, &all, each), most = lines > room ? lines - room : 0;
    ui->page_top = (int)ui->page_top > most ? (uint32_t)most : ui->page_top;
    for (int y = 0; y < room && y + (int)ui->page_top < lines; y++)
        memcpy(&g->cell[(y + 2) * g->width], &all.cell[(y + (int)ui->page_top) * g->width], (size_t)g->width * sizeof *g->cell);
    if (most)
        (void)tui_textf(g, g->width - 24, g->height - 1, 23, TUI_DIM, "%8s %u-%u of %d", "lines", ui->page_top + 1,
                        ui->page_top + (uint32_t)(lines < room ? lines : room), lines);
    tui_grid_free(&all);
}
