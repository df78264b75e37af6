/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's page: devices on top, their history, processes below; an engine's plan against what it really took. */
#include "tui/ui.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

static void device(struct tui_ui *ui, const hwl_monitor_device *d, int y, bool brief)
{
    struct tui_grid *g = &ui->grid;
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
    (void)tui_textf(g, x + bar + 1, y, right, (enum tui_style)(TUI_LEVEL + (int)level), "%9s of %9s %3u %% %s",
                    hwl_view_gib(d->used_bytes, used, sizeof used), hwl_view_bytes(d->total_bytes, total, sizeof total),
                    known ? hwl_view_percent(d->used_bytes, d->total_bytes) : 0, hwl_view_level_mark(level));
    if (brief)
        return;
    const int n = tui_text(g, x, y + 1, g->width - x - 1, TUI_DIM, hwl_view_clean(d->name, name, sizeof name));
    (void)tui_text(g, x + n + 2, y + 1, g->width - x - n - 3, TUI_TEXT, hwl_watch_figures(d, text, sizeof text));
    (void)snprintf(text, sizeof text, "  free %s", hwl_view_bytes(d->free_bytes, used, sizeof used));
    if (reserved)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), ", driver keeps %s", hwl_view_bytes(reserved, total, sizeof total));
    const int w = tui_width(text);
    if (g->width - w - 1 > x + n + 30)
        (void)tui_text(g, g->width - w - 1, y + 1, w, TUI_DIM, text);
}

/* Ten minutes, oldest at the left, as eighths of a line. */
static void history(struct tui_ui *ui, uint32_t index, uint64_t total, int y)
{
    struct tui_grid *g = &ui->grid;
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

static void processes(struct tui_ui *ui, int y, int rows)
{
    struct tui_grid *g = &ui->grid;
    const hwl_monitor *m = ui->live.monitor;
    const uint32_t n = hwl_monitor_n_processes(m);
    (void)tui_textf(g, 1, y, g->width - 2, TUI_DIM, "%-8s %-6s %12s  %-12s %s", "process", "device", "memory", "engine", "name");
    if (!n)
        (void)tui_text(g, 1, y + 1, g->width - 2, TUI_DIM, "no process on a GPU, and none of a known engine");
    for (uint32_t i = 0; i < n && (int)i + 1 < rows; i++) {
        const hwl_monitor_process *p = hwl_monitor_get_process(m, i);
        char bytes[32];
        const bool last = (int)i + 2 == rows && i + 1 < n;
        if (last)
            (void)tui_textf(g, 1, y + 1 + (int)i, g->width - 2, TUI_DIM, "and %u more", n - i);
        else
            (void)tui_textf(g, 1, y + 1 + (int)i, g->width - 2, p->engine ? TUI_TEXT : TUI_DIM, "%-8llu %-6s %12s  %-12s %s", (unsigned long long)p->pid,
                            hwl_monitor_get_device(m, p->device)->id, hwl_view_bytes(p->bytes, bytes, sizeof bytes), p->engine ? p->engine : "", p->name);
    }
}

/* One line a device: planned, measured, the difference. */
static int comparison(struct tui_ui *ui, int y, int rows)
{
    struct tui_grid *g = &ui->grid;
    const struct hwl_watch *m = &ui->live;
    char text[200];
    int line = 0;
    if (rows < 3 || !*hwl_watch_plan(m, text, sizeof text))
        return 0;
    (void)tui_text(g, 1, y + line++, g->width - 2, TUI_STRONG, text);
    for (uint32_t i = 0; i < m->n_planned && i < hwl_monitor_n_devices(m->monitor) && line + 1 < rows; i++) {
        const uint64_t planned = m->planned[i], measured = hwl_live_measured(m->monitor, m->planned_pid, i);
        char a[32], b[32], c[32];
        if (!planned && measured == HWL_UNKNOWN)
            continue;
        (void)tui_textf(g, 1, y + line++, g->width - 2, TUI_TEXT, g->width < 70 ? "%-5s %10s > %10s %s" : "%-6s planned %12s   measured %12s   %s", hwl_monitor_get_device(m->monitor, i)->id,
                        hwl_view_bytes(planned, a, sizeof a), hwl_view_bytes(measured, b, sizeof b), hwl_live_difference(planned, measured, c, sizeof c));
    }
    return line + 1;
}

void tui_draw_monitor(struct tui_ui *ui)
{
    struct tui_grid *g = &ui->grid;
    const hwl_monitor *m = ui->live.monitor;
    int y = 2;
    (void)tui_text(g, 0, 0, g->width, TUI_STRONG, "hwLedger  this machine");
    tui_rule(g, 0, 1, g->width);
    tui_rule(g, 0, g->height - 2, g->width);
    (void)tui_text(g, 1, g->height - 1, g->width - 2, TUI_DIM, "M planner   ? help   q quit");
    tui_hit(ui, 1, g->height - 1, 9, 1, TUI_AREAS, 'M', false);
    if (!m || *ui->live.trouble) {
        (void)tui_text(g, 1, 2, g->width - 2, TUI_TEXT, *ui->live.trouble ? ui->live.trouble : "looking ...");
        return;
    }
    const uint32_t n = hwl_monitor_n_devices(m);
    const int room = g->height - 4, each = room >= (int)n * 4 + 6 ? 4 : room >= (int)n * 2 + 4 ? 2 : 1;
    for (uint32_t i = 0; i < n && y + each < g->height - 4; i++) {
        const hwl_monitor_device *d = hwl_monitor_get_device(m, i);
        device(ui, d, y, each == 1);
        if (each == 4)
            history(ui, i, d->total_bytes, y + 2);
        y += each;
    }
    y += comparison(ui, y, (g->height - 2 - y) / 2 + 1);
    processes(ui, y, g->height - 2 - y);
}
