/* SPDX-License-Identifier: Apache-2.0 */
/* The planner's page: who gets how many lines. 80x24 shows everything; below, controls and the verdict stay; above, the heatmap
 * and the advice grow. */
#include "tui/ui.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *key, *what;
    uint32_t event;
} hints[] = {
    {"m", "model", 'm'},       {"d", "device", 'd'},  {"e", "engine", 'e'}, {"r", "recommended", 'r'}, {"l", "limit", 'l'},
    {"x", "explain", 'x'},     {"v", "charts", 'v'},  {"M", "monitor", 'M'}, {"w", "export", 'w'},     {"u", "undo", 'u'},
    {"?", "help", '?'},        {"q", "quit", 'q'},
};

static void devices_text(const struct tui_desk *d, char *buf, size_t size)
{
    size_t n = 0;
    *buf = 0;
    for (uint32_t i = 0, end; i < hwl_devices_gpus(d->devices) && n < size; i = end) {
        const hwl_device *v = hwl_devices_get(d->devices, i);
        char name[96];
        for (end = i + 1; end < hwl_devices_gpus(d->devices) && strcmp(v->name, hwl_devices_get(d->devices, end)->name) == 0;)
            end++;
        (void)hwl_view_clean(v->name, name, sizeof name);
        const char *brief = name; /* the vendor's words say little here */
        static const char *const prefixes[] = {"NVIDIA ", "AMD ", "Intel ", "GeForce ", "Radeon "};
        for (size_t k = 0; k < sizeof prefixes / sizeof *prefixes; k++)
            if (strncmp(brief, prefixes[k], strlen(prefixes[k])) == 0)
                brief += strlen(prefixes[k]);
        if (end - i > 1)
            n += (size_t)snprintf(buf + n, size - n, "%s%u x %s", n ? " + " : "", end - i, brief);
        else
            n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " + " : "", brief);
    }
    if (!hwl_devices_gpus(d->devices))
        (void)snprintf(buf, size, "no GPU");
}

static void title_line(struct tui_ui *ui)
{
    struct tui_grid *g = &ui->grid;
    const struct tui_desk *d = &ui->desk;
    char name[160] = "no model", devices[200], right[280];
    hwl_model_info m;
    int x = tui_text(g, 0, 0, 10, TUI_STRONG, g->width >= 60 ? "hwLedger  " : "");
    if (d->model) {
        char quant[32];
        hwl_model_get_info(d->model, &m);
        (void)hwl_view_clean(m.name, name, 120);
        if (hwl_settings_get(d->settings, "quant", quant, sizeof quant)) {
            const size_t n = strlen(name);
            (void)snprintf(name + n, sizeof name - n, " %s", quant);
        }
    }
    devices_text(d, devices, sizeof devices);
    if (d->plan)
        (void)snprintf(right, sizeof right, "%s %s  %s", hwl_plan_engine(d->plan), hwl_plan_engine_version(d->plan), devices);
    else
        (void)snprintf(right, sizeof right, "%s", devices);
    const int room = g->width - x, want = tui_width(right), left = room - want - 2 >= room / 2 ? room - want - 2 : room / 2;
    x += tui_text(g, x, 0, left, TUI_TEXT, name);
    tui_hit(ui, 0, 0, x, 1, TUI_AREAS, 'm', false);
    const int at = g->width - want > x + 2 ? g->width - want : x + 2;
    (void)tui_text(g, at, 0, g->width - at, TUI_DIM, right);
    tui_hit(ui, at, 0, g->width - at, 1, TUI_AREAS, 'd', false);
}

/* The answer first: verdict, bytes left, and what is wrong where something is. */
static void verdict_line(struct tui_ui *ui, int y)
{
    struct tui_grid *g = &ui->grid;
    const struct tui_desk *d = &ui->desk;
    char brief[96];
    if (*ui->reading)
        (void)tui_textf(g, 1, y, g->width - 2, TUI_STRONG, "%s  (Esc leaves it)", ui->reading);
    else if (*d->trouble)
        (void)tui_textf(g, 1, y, g->width - 2, (enum tui_style)(TUI_LEVEL + HWL_LEVEL_OVER), "x %s", d->trouble);
    else if (d->plan)
        (void)tui_text(g, 1, y, g->width - 2, (enum tui_style)(TUI_LEVEL + (int)d->view.level),
                       tui_width(d->view.headline) <= g->width - 2 ? d->view.headline : hwl_view_brief(&d->view, brief, sizeof brief));
    else
        (void)tui_text(g, 1, y, g->width - 2, TUI_TEXT, "Press m to choose a model.");
}

static void hint_line(struct tui_ui *ui, int y)
{
    struct tui_grid *g = &ui->grid;
    const bool small = g->width < 70 || g->height < 20;
    int x = 1;
    if (*ui->desk.notice) {
        (void)tui_text(g, 1, y, g->width - 2, TUI_STRONG, ui->desk.notice);
        return;
    }
    if (small && ui->desk.plan) {
        static const char *const next[] = {"memory", "layers", "advice", "controls"};
        tui_hit(ui, x, y, 12, 1, TUI_AREAS, TUI_KEY_TAB, false);
        x += tui_text(g, x, y, 3, TUI_KEY, "Tab");
        x += 2 + tui_text(g, x + 1, y, 9, TUI_DIM, next[ui->area]) + 1;
    }
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        const int width = (int)strlen(hints[i].key) + 1 + (int)strlen(hints[i].what);
        const bool last = i + 2 >= sizeof hints / sizeof *hints; /* help and quit always stand */
        if (x + width + (last ? 0 : 16) > g->width)
            continue;
        tui_hit(ui, x, y, width, 1, TUI_AREAS, hints[i].event, false);
        x += tui_text(g, x, y, width, TUI_KEY, hints[i].key);
        x += 1 + tui_text(g, x + 1, y, width, TUI_DIM, hints[i].what);
        x += 2;
    }
}

void tui_draw_planner(struct tui_ui *ui)
{
    struct tui_grid *g = &ui->grid;
    const bool wide = g->width >= 70 && g->height >= 20;
    title_line(ui);
    tui_rule(g, 0, 1, g->width);
    verdict_line(ui, 2);
    hint_line(ui, g->height - 1);
    tui_rule(g, 0, g->height - 2, g->width);
    const int room = g->height - 5;
    if (!ui->desk.plan)
        return;
    if (!wide) { /* one box at a time: Tab goes on to the next */
        if (ui->area == TUI_AREA_CONTROLS)
            tui_draw_controls(ui, 0, 3, g->width, room);
        else if (ui->area == TUI_AREA_MEMORY)
            tui_draw_memory(ui, 0, 3, g->width, room);
        else if (ui->area == TUI_AREA_LAYERS)
            tui_draw_layers(ui, 3, room);
        else
            tui_draw_advice(ui, 3, room);
        return;
    }
    const int layers = g->height >= 28 ? 7 : 3, least = g->height >= 36 ? 6 : g->height >= 28 ? 4 : 3;
    /* what the boxes do not need, advice gets */
    const int lines = (int)ui->desk.n_controls + 3, memory = (int)tui_memory_lines(ui), need = lines > memory ? lines : memory;
    const int boxes = room - least - layers > need ? need : room - least - layers, advice = room - boxes - layers;
    const int left = g->width >= 110 ? 50 : g->width * 2 / 5 + 4;
    tui_draw_controls(ui, 0, 3, left, boxes);
    tui_draw_memory(ui, left, 3, g->width - left, boxes);
    tui_draw_layers(ui, 3 + boxes, layers);
    tui_draw_advice(ui, 3 + boxes + layers, advice);
}
