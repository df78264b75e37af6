/* SPDX-License-Identifier: Apache-2.0 */
/* What keys and the mouse do. */
#include "tui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t tui_slider_value(const struct hwl_control *c, const hwl_range *r, int at, int width);

void tui_ui_free(struct tui_ui *ui)
{
    tui_popup_close(ui);
    hwl_watch_free(&ui->live);
    free(ui->item);
    tui_desk_free(&ui->desk);
    tui_grid_free(&ui->grid);
}

void tui_hit(struct tui_ui *ui, int x, int y, int width, int height, uint8_t area, uint32_t index, bool slider)
{
    if (ui->n_hits < TUI_HITS)
        ui->hit[ui->n_hits++] = (struct tui_hit){x, y, width, height, area, index, slider};
}

static uint32_t count(const struct tui_ui *ui, enum tui_area area)
{
    const struct tui_desk *d = &ui->desk;
    switch (area) {
    case TUI_AREA_CONTROLS: return d->n_controls;
    case TUI_AREA_MEMORY: return tui_memory_rows(ui);
    case TUI_AREA_LAYERS: return d->view.n_columns;
    case TUI_AREA_ADVICE: return d->advised ? d->n_advice : 0;
    case TUI_AREAS: break;
    }
    return 0;
}

static void clamp(struct tui_ui *ui)
{
    for (int a = 0; a < TUI_AREAS; a++) {
        const uint32_t n = count(ui, (enum tui_area)a);
        ui->at[a] = n && ui->at[a] >= n ? n - 1 : n ? ui->at[a] : 0;
    }
    for (int r = 0; r < HWL_HEAT_ROWS && !ui->desk.view.heat_row[ui->heat_row]; r++)
        ui->heat_row = (ui->heat_row + 1) % HWL_HEAT_ROWS;
}

static const struct hwl_control *focused(const struct tui_ui *ui)
{
    const uint32_t at = ui->at[TUI_AREA_CONTROLS];
    return ui->area == TUI_AREA_CONTROLS && at < ui->desk.n_controls ? ui->desk.control[at] : NULL;
}

static void set_number(struct tui_ui *ui, const struct hwl_control *c, uint64_t n)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    (void)tui_desk_set(&ui->desk, c->option, text);
}

const char *tui_value(const struct tui_ui *ui, const struct hwl_control *control, char *buf, uint64_t size)
{
    if (*ui->desk.trouble && hwl_settings_get(ui->desk.settings, control->option, buf, size))
        return buf;
    return hwl_view_control_value(control, ui->desk.plan, ui->desk.settings, buf, size);
}

static uint64_t current(const struct tui_ui *ui, const struct hwl_control *c)
{
    char text[64];
    return strtoull(tui_value(ui, c, text, sizeof text), NULL, 10);
}

/* The choice before or after the one in force; quantisation begins with what is stored. */
static void next_choice(struct tui_ui *ui, const struct hwl_control *c, bool up)
{
    const char *engine = hwl_plan_engine(ui->desk.plan), *v;
    const bool stored = strcmp(c->option, "quant") == 0;
    char now[64];
    int at = stored ? -1 : 0, n = 0;
    (void)tui_value(ui, c, now, sizeof now);
    for (; (v = hwl_option_choice(engine, c->option, (uint32_t)n)); n++)
        if (strcmp(v, now) == 0)
            at = n;
    at += up ? 1 : -1;
    if (at >= n || at < (stored ? -1 : 0))
        return;
    (void)tui_desk_set(&ui->desk, c->option, at < 0 ? "" : hwl_option_choice(engine, c->option, (uint32_t)at));
}

static void step_share(struct tui_ui *ui, const struct hwl_control *c, bool up, bool page)
{
    char text[32];
    int percent = (int)(strtod(tui_value(ui, c, text, sizeof text), NULL) * 100 + 0.5);
    percent += (up ? 1 : -1) * (page ? 5 : 1);
    percent = percent < 1 ? 1 : percent > 100 ? 100 : percent;
    (void)snprintf(text, sizeof text, "%d.%02d", percent / 100, percent % 100);
    (void)tui_desk_set(&ui->desk, c->option, text);
}

static void step(struct tui_ui *ui, bool up, bool page)
{
    const struct hwl_control *c = focused(ui);
    char text[64];
    const uint64_t quarter = (uint64_t)256 << 20;
    if (!c || !ui->desk.plan)
        return;
    if (c->kind == HWL_CONTROL_CHOICE) {
        next_choice(ui, c, up);
    } else if (c->kind == HWL_CONTROL_FLAG) {
        (void)tui_desk_set(&ui->desk, c->option,
                           strcmp(tui_value(ui, c, text, sizeof text), "true") == 0 ? "false" : "true");
    } else if (c->kind == HWL_CONTROL_SHARE) {
        step_share(ui, c, up, page);
    } else if (c->kind == HWL_CONTROL_BYTES) {
        const uint64_t n = current(ui, c), by = page ? quarter * 4 : quarter;
        set_number(ui, c, up ? n + by : n > by ? n - by : 0);
    } else {
        const hwl_range *r = tui_desk_bounds(&ui->desk, ui->at[TUI_AREA_CONTROLS]);
        const uint64_t n = current(ui, c);
        if (r && hwl_view_control_step(c, r, n, up, page) != n)
            set_number(ui, c, hwl_view_control_step(c, r, n, up, page));
    }
}

static void jump(struct tui_ui *ui, uint32_t key)
{
    const struct hwl_control *c = focused(ui);
    const uint32_t at = ui->at[TUI_AREA_CONTROLS];
    const bool marks = key == 'r' || key == 'l';
    const hwl_range *r = !c ? NULL : marks ? tui_desk_range(&ui->desk, at) : tui_desk_bounds(&ui->desk, at);
    ui->jump = 0;
    if (!r && c && marks && ui->desk.async && c->kind == HWL_CONTROL_NUMBER && !ui->desk.unranged[at] && !*ui->desk.trouble) {
        ui->jump = key; /* the worker is at it */
        (void)snprintf(ui->desk.notice, sizeof ui->desk.notice, "working out the marks of %s ...", c->label);
    }
    if (!r)
        return;
    const uint64_t n = key == 'r' ? r->recommended : key == 'l' ? r->limit : key == TUI_KEY_HOME ? r->least : r->most;
    if (n == HWL_UNKNOWN)
        (void)snprintf(ui->desk.notice, sizeof ui->desk.notice, "%s: nothing %s with all else equal", c->label, key == 'r' ? "is green" : "fits");
    else
        set_number(ui, c, n);
}

static void move(struct tui_ui *ui, bool down)
{
    const uint32_t n = count(ui, ui->area);
    if (ui->area == TUI_AREA_LAYERS) { /* between rows */
        for (int i = 0; i < HWL_HEAT_ROWS; i++) {
            ui->heat_row = (ui->heat_row + (down ? 1 : HWL_HEAT_ROWS - 1)) % HWL_HEAT_ROWS;
            if (ui->desk.view.heat_row[ui->heat_row])
                return;
        }
    } else if (down && ui->at[ui->area] + 1 < n) {
        ui->at[ui->area]++;
    } else if (!down && ui->at[ui->area]) {
        ui->at[ui->area]--;
    }
}

static void sideways(struct tui_ui *ui, bool right, bool page)
{
    if (ui->area == TUI_AREA_CONTROLS) {
        step(ui, right, page);
    } else if (ui->area == TUI_AREA_LAYERS) {
        const uint32_t by = page ? 8 : 1, n = ui->desk.view.n_columns;
        uint32_t *at = &ui->at[TUI_AREA_LAYERS];
        *at = right ? (*at + by < n ? *at + by : n ? n - 1 : 0) : *at > by ? *at - by : 0;
    } else if (ui->area == TUI_AREA_MEMORY) { /* devices for which there is no room */
        ui->first_device = right ? ui->first_device + 1 : ui->first_device ? ui->first_device - 1 : 0;
    }
}

static void tab(struct tui_ui *ui, bool back)
{
    for (int i = 0; i < TUI_AREAS; i++) {
        ui->area = (enum tui_area)(((int)ui->area + (back ? TUI_AREAS - 1 : 1)) % TUI_AREAS);
        if (count(ui, ui->area))
            return;
    }
}

static void enter(struct tui_ui *ui)
{
    const struct hwl_control *c = focused(ui);
    if (ui->area == TUI_AREA_ADVICE)
        (void)tui_desk_use_advice(&ui->desk, ui->at[TUI_AREA_ADVICE]);
    else if (ui->area == TUI_AREA_MEMORY || ui->area == TUI_AREA_LAYERS)
        tui_popup_explain(ui);
    else if (c && c->kind == HWL_CONTROL_CHOICE)
        tui_popup_choices(ui);
    else if (c && c->kind == HWL_CONTROL_FLAG)
        step(ui, true, false);
    else if (c)
        tui_popup_open(ui, TUI_ENTRY, c->label);
}

static void copy(struct tui_ui *ui)
{
    char text[4096];
    if (!ui->copy)
        return;
    ui->copy(ui->user, tui_desk_command(&ui->desk, text, sizeof text));
    (void)snprintf(ui->desk.notice, sizeof ui->desk.notice, "the command line is on the terminal's clipboard");
}

static void letter(struct tui_ui *ui, uint32_t key)
{
    if (key > TUI_KEY_ALT && key - TUI_KEY_ALT >= '1' && key - TUI_KEY_ALT <= '5') {
        (void)tui_desk_use_advice(&ui->desk, key - TUI_KEY_ALT - '1');
        return;
    }
    if (key >= '0' && key <= '9') {
        const struct hwl_control *c = focused(ui);
        if (c && c->kind != HWL_CONTROL_CHOICE && c->kind != HWL_CONTROL_FLAG) {
            tui_popup_open(ui, TUI_ENTRY, c->label);
            (void)snprintf(ui->typed, sizeof ui->typed, "%c", (char)key);
        } else if (key >= '1' && key <= '5') {
            (void)tui_desk_use_advice(&ui->desk, key - '1');
        }
        return;
    }
    switch (key) {
    case TUI_KEY_TAB: tab(ui, false); break; /* of the mouse */
    case 'm': tui_popup_models(ui); break;
    case 'd': tui_popup_devices(ui); break;
    case 'e': tui_popup_engines(ui); break;
    case 'r':
    case 'l': jump(ui, key); break;
    case 'x': tui_popup_explain(ui); break;
    case 'v': tui_popup_charts(ui); break;
    case 'w': tui_popup_export(ui); break;
    case 'y': copy(ui); break;
    case 'p': tui_desk_pin(&ui->desk); break;
    case 'c': tui_popup_compare(ui); break;
    case 'u': (void)tui_desk_undo(&ui->desk); break;
    case 't': ui->theme++; break;
    case 'M': ui->monitor = !ui->monitor; break;
    case '?':
    case TUI_KEY_F1: tui_popup_help(ui); break;
    case 'q': ui->quit = true; break;
    default: break;
    }
}

static void click(struct tui_ui *ui, struct tui_event e)
{
    for (uint32_t i = ui->n_hits; i; i--) { /* what was drawn last lies on top */
        const struct tui_hit *h = &ui->hit[i - 1];
        if (e.x < h->x || e.x >= h->x + h->width || e.y < h->y || e.y >= h->y + h->height)
            continue;
        if (h->area == TUI_AREAS) {
            letter(ui, h->index);
            return;
        }
        const bool again = ui->area == h->area && ui->at[h->area] == h->index;
        ui->area = (enum tui_area)h->area;
        ui->at[h->area] = h->index;
        if (h->slider) {
            const struct hwl_control *c = focused(ui);
            const hwl_range *r = tui_desk_bounds(&ui->desk, h->index);
            if (c && r)
                set_number(ui, c, tui_slider_value(c, r, e.x - h->x, h->width));
        } else if (again) {
            enter(ui);
        }
        return;
    }
}

/* The monitor's page scrolls; of the other keys it takes those that are not about a plan. */
static void monitor_event(struct tui_ui *ui, struct tui_event e)
{
    const uint32_t page = ui->grid.height > 5 ? (uint32_t)ui->grid.height - 5 : 1, top = ui->page_top;
    switch (e.key) {
    case TUI_KEY_UP:
    case TUI_KEY_WHEEL_UP: ui->page_top = top ? top - 1 : 0; break;
    case TUI_KEY_DOWN:
    case TUI_KEY_WHEEL_DOWN: ui->page_top = top + 1; break; /* the page knows its end */
    case TUI_KEY_PAGE_UP: ui->page_top = top > page ? top - page : 0; break;
    case TUI_KEY_PAGE_DOWN: ui->page_top = top + page; break;
    case TUI_KEY_HOME: ui->page_top = 0; break;
    case TUI_KEY_END: ui->page_top = UINT16_MAX; break;
    case TUI_KEY_CLICK: click(ui, e); break;
    case TUI_KEY_ESCAPE: ui->monitor = false; break;
    case 'M':
    case 't':
    case 'q':
    case '?':
    case TUI_KEY_F1: letter(ui, e.key); break;
    default: break;
    }
}

void tui_ui_event(struct tui_ui *ui, struct tui_event e)
{
    ui->idle_left = true;
    ui->jump = 0;
    if (ui->popup != TUI_NONE && tui_popup_event(ui, e)) {
        clamp(ui);
        return;
    }
    if (ui->monitor) {
        monitor_event(ui, e);
        return;
    }
    *ui->desk.notice = 0;
    switch (e.key) {
    case TUI_KEY_UP:
    case TUI_KEY_WHEEL_UP: move(ui, false); break;
    case TUI_KEY_DOWN:
    case TUI_KEY_WHEEL_DOWN: move(ui, true); break;
    case TUI_KEY_LEFT: sideways(ui, false, false); break;
    case TUI_KEY_RIGHT: sideways(ui, true, false); break;
    case TUI_KEY_PAGE_DOWN: sideways(ui, false, true); break;
    case TUI_KEY_PAGE_UP: sideways(ui, true, true); break;
    case TUI_KEY_HOME:
    case TUI_KEY_END: jump(ui, e.key); break;
    case TUI_KEY_TAB: tab(ui, false); break;
    case TUI_KEY_BACKTAB: tab(ui, true); break;
    case TUI_KEY_ENTER: enter(ui); break;
    case TUI_KEY_CLICK: click(ui, e); break;
    case TUI_KEY_F2: tui_popup_explain(ui); break;
    default: letter(ui, e.key); break;
    }
    clamp(ui);
}

/* First the marks of the slider in focus, then those in sight, then advice. */
bool tui_ui_idle(struct tui_ui *ui)
{
    struct tui_desk *d = &ui->desk;
    if (!tui_desk_advisable(d))
        return ui->idle_left = false;
    for (uint32_t k = 0; !d->refused && k <= d->n_controls; k++) {
        const uint32_t i = k ? k - 1 : ui->at[TUI_AREA_CONTROLS];
        if (i < d->n_controls && d->control[i]->kind == HWL_CONTROL_NUMBER && !d->ranged[i] && !d->unranged[i]) {
            (void)tui_desk_range(d, i);
            return ui->idle_left = true;
        }
    }
    if (!d->advised) {
        tui_desk_advise(d);
        clamp(ui);
        return ui->idle_left = true;
    }
    return ui->idle_left = false;
}

void tui_ui_came(struct tui_ui *ui)
{
    const uint32_t at = ui->at[TUI_AREA_CONTROLS];
    if (ui->jump && ui->area == TUI_AREA_CONTROLS && (ui->desk.ranged[at] || ui->desk.unranged[at])) {
        const uint32_t key = ui->jump;
        *ui->desk.notice = 0;
        jump(ui, key);
    }
    if (ui->popup == TUI_LINES && ui->desk.want_charts)
        tui_popup_charts(ui);
    clamp(ui);
}

void tui_ui_draw(struct tui_ui *ui)
{
    tui_grid_blank(&ui->grid);
    ui->n_hits = 0;
    tui_desk_columns(&ui->desk, ui->grid.width > TUI_HEAT_LEFT + 10 ? (uint32_t)(ui->grid.width - TUI_HEAT_LEFT - 1) : 10);
    clamp(ui);
    if (ui->monitor)
        tui_draw_monitor(ui);
    else
        tui_draw_planner(ui);
    if (ui->popup != TUI_NONE)
        tui_draw_popup(ui);
}
