/* SPDX-License-Identifier: Apache-2.0 */
/* What lies over the page: lists to choose from, text to read, a value to type. Esc always leaves. */
#include "tui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void tui_popup_close(struct tui_ui *ui)
{
    for (uint32_t i = 0; i < ui->n_items; i++) {
        free(ui->item[i].text);
        free(ui->item[i].value);
    }
    ui->n_items = ui->sel = ui->scroll = 0;
    ui->popup = TUI_NONE;
    ui->desk.want_charts = false;
    *ui->typed = 0;
}

void tui_popup_open(struct tui_ui *ui, enum tui_popup popup, const char *title)
{
    tui_popup_close(ui);
    ui->popup = popup;
    (void)snprintf(ui->title, sizeof ui->title, "%s", title);
}

void tui_popup_add(struct tui_ui *ui, const char *text, const char *value)
{
    if (ui->n_items == ui->cap_items) {
        const uint32_t cap = ui->cap_items ? ui->cap_items * 2 : 64;
        struct tui_item *more = realloc(ui->item, cap * sizeof *more);
        if (!more)
            return;
        ui->item = more;
        ui->cap_items = cap;
    }
    struct tui_item *i = &ui->item[ui->n_items];
    *i = (struct tui_item){strdup(text), strdup(value)};
    if (i->text && i->value) {
        ui->n_items++;
    } else {
        free(i->text);
        free(i->value);
    }
}

static bool searched(const struct tui_ui *ui)
{
    return ui->popup == TUI_MODELS || ui->popup == TUI_DEVICES;
}

/* Every word that is typed stands in the item. */
static bool matches(const struct tui_ui *ui, const struct tui_item *item)
{
    char words[sizeof ui->typed], *save = NULL;
    (void)snprintf(words, sizeof words, "%s", searched(ui) ? ui->typed : "");
    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
        if (!strcasestr(item->text, w))
            return false;
    return true;
}

uint32_t tui_popup_shown(const struct tui_ui *ui, uint32_t n)
{
    for (uint32_t i = 0; i < ui->n_items; i++)
        if (matches(ui, &ui->item[i]) && !n--)
            return i;
    return UINT32_MAX;
}

static uint32_t n_shown(const struct tui_ui *ui)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < ui->n_items; i++)
        n += matches(ui, &ui->item[i]);
    return n;
}

/* ---- what choosing does ---- */

static void take_devices(struct tui_ui *ui, const char *spec, bool more)
{
    hwl_devices *d = NULL;
    hwl_error error = {.offset = HWL_NO_OFFSET};
    const hwl_device *host = hwl_devices_get(ui->desk.devices, hwl_devices_gpus(ui->desk.devices));
    const bool machine = strcmp(spec, "machine") == 0, none = strcmp(spec, "none") == 0;
    hwl_status status = machine ? hwl_probe_devices(ui->probe, &d, &error) : more ? hwl_devices_copy(ui->desk.devices, &d) : hwl_devices_new(&d);
    if (status == HWL_OK && !machine) {
        if (!more)
            hwl_devices_set_ram(d, host->memory_bytes, host->free_bytes);
        status = none ? HWL_OK : hwl_devices_add_gpu(d, spec, &error);
        if (status == HWL_E_NOT_FOUND && *spec >= '0' && *spec <= '9')
            status = hwl_devices_add_gpu_memory(d, spec, &error);
    }
    if (status == HWL_OK) {
        (void)tui_desk_take_devices(&ui->desk, d);
        return;
    }
    hwl_devices_free(d);
    (void)snprintf(ui->desk.notice, sizeof ui->desk.notice, "%.190s", error.message);
}

static void take_engine(struct tui_ui *ui, const char *value)
{
    char engine[64], *version;
    (void)snprintf(engine, sizeof engine, "%s", value);
    version = strchr(engine, ' ');
    if (version)
        *version++ = 0;
    /* both in one step: a version of another engine would be refused in between */
    (void)hwl_settings_clear(ui->desk.settings, "engine-version", NULL);
    if (ui->desk.plan && strcmp(engine, hwl_plan_engine(ui->desk.plan)) != 0) { /* each engine has types of its own */
        (void)hwl_settings_clear(ui->desk.settings, "kv-type", NULL);
        (void)hwl_settings_clear(ui->desk.settings, "quant", NULL);
    }
    if (version)
        (void)hwl_settings_set(ui->desk.settings, "engine-version", version, NULL);
    (void)tui_desk_set(&ui->desk, "engine", engine);
}

static void choose(struct tui_ui *ui, bool more)
{
    const enum tui_popup popup = ui->popup;
    const uint32_t i = tui_popup_shown(ui, ui->sel);
    const uint32_t at = ui->at[TUI_AREA_CONTROLS];
    char value[512] = "";
    if (popup == TUI_ENTRY || (i == UINT32_MAX && searched(ui)))
        (void)snprintf(value, sizeof value, "%s", ui->typed);
    else if (i != UINT32_MAX)
        (void)snprintf(value, sizeof value, "%s", ui->item[i].value);
    if (popup == TUI_LINES)
        return;
    tui_popup_close(ui);
    *ui->desk.notice = 0;
    if (!*value && popup != TUI_CHOICES)
        return;
    if (popup == TUI_MODELS && ui->open_model)
        ui->open_model(ui->user, value);
    else if (popup == TUI_DEVICES)
        take_devices(ui, value, more);
    else if (popup == TUI_ENGINES)
        take_engine(ui, value);
    else if (popup == TUI_EXPORT)
        tui_export_run(ui, value);
    else if ((popup == TUI_CHOICES || popup == TUI_ENTRY) && at < ui->desk.n_controls)
        (void)tui_desk_set(&ui->desk, ui->desk.control[at]->option, value);
}

static void scroll(struct tui_ui *ui, int by)
{
    const uint32_t n = n_shown(ui);
    const int64_t to = (int64_t)ui->sel + by;
    ui->sel = !n || to < 0 ? 0 : to >= (int64_t)n ? n - 1 : (uint32_t)to;
}

static void erase(struct tui_ui *ui)
{
    size_t n = strlen(ui->typed);
    while (n && ((unsigned char)ui->typed[n - 1] & 0xc0) == 0x80)
        n--;
    ui->typed[n ? n - 1 : 0] = 0;
    ui->sel = 0;
}

static void type(struct tui_ui *ui, uint32_t key)
{
    const size_t n = strlen(ui->typed);
    if (n + 1 < sizeof ui->typed && key >= 0x20 && key < 0x7f) {
        ui->typed[n] = (char)key;
        ui->typed[n + 1] = 0;
        ui->sel = 0;
    }
}

static void click(struct tui_ui *ui, struct tui_event e)
{
    for (uint32_t i = ui->n_hits; i; i--) {
        const struct tui_hit *h = &ui->hit[i - 1];
        if (e.x < h->x || e.x >= h->x + h->width || e.y < h->y || e.y >= h->y + h->height)
            continue;
        if (h->area != TUI_AREAS + 1) /* not of the popup: outside closes it */
            break;
        ui->sel = h->index;
        choose(ui, false);
        return;
    }
    tui_popup_close(ui);
}

bool tui_popup_event(struct tui_ui *ui, struct tui_event e)
{
    const bool typing = searched(ui) || ui->popup == TUI_ENTRY;
    switch (e.key) {
    case TUI_KEY_ESCAPE: tui_popup_close(ui); break;
    case TUI_KEY_UP:
    case TUI_KEY_WHEEL_UP: scroll(ui, -1); break;
    case TUI_KEY_DOWN:
    case TUI_KEY_WHEEL_DOWN: scroll(ui, 1); break;
    case TUI_KEY_PAGE_UP: scroll(ui, -10); break;
    case TUI_KEY_PAGE_DOWN: scroll(ui, 10); break;
    case TUI_KEY_HOME: scroll(ui, INT32_MIN / 2); break;
    case TUI_KEY_END: scroll(ui, INT32_MAX / 2); break;
    case TUI_KEY_BACKSPACE: erase(ui); break;
    case TUI_KEY_CLICK: click(ui, e); break;
    case TUI_KEY_ENTER:
        if (ui->popup == TUI_LINES)
            tui_popup_close(ui);
        else
            choose(ui, false);
        break;
    default:
        if (ui->popup == TUI_DEVICES && e.key == '+')
            choose(ui, true);
        else if (typing)
            type(ui, e.key);
        else if (e.key == 'q' || e.key == 'x' || e.key == '?')
            tui_popup_close(ui);
        break;
    }
    return true;
}

/* ---- drawing ---- */

static void draw_entry(struct tui_ui *ui, int x, int y, int width)
{
    char text[200];
    const uint32_t at = ui->at[TUI_AREA_CONTROLS];
    const int n = tui_textf(&ui->grid, x + 2, y + 1, width - 5, TUI_TEXT, "%s", ui->typed);
    tui_put(&ui->grid, x + 2 + n, y + 1, TUI_FOCUS, ' ');
    if (at < ui->desk.n_controls)
        (void)tui_text(&ui->grid, x + 2, y + 2, width - 4, TUI_DIM,
                       hwl_view_control_sentence(ui->desk.control[at], ui->desk.plan, tui_desk_known_range(&ui->desk, at), text, sizeof text));
}

int tui_popup_width(const struct tui_ui *ui)
{
    const int w = ui->grid.width;
    return w < 64 ? w : ui->popup == TUI_LINES ? (w > 124 ? 120 : w - 4) : searched(ui) ? (w > 84 ? 80 : w - 4) : 60;
}

void tui_draw_popup(struct tui_ui *ui)
{
    struct tui_grid *g = &ui->grid;
    const bool search = searched(ui), entry = ui->popup == TUI_ENTRY, lines = ui->popup == TUI_LINES;
    const int width = tui_popup_width(ui);
    const uint32_t n = n_shown(ui);
    const int want = entry ? 4 : (int)(n > 500 ? 500 : n) + 2 + search, most = g->height - 2;
    const int height = search ? (most < 22 ? most : 22) : want < most ? (want < 3 ? 3 : want) : most;
    const int x = (g->width - width) / 2, y = (g->height - height) / 2, rows = height - 2 - search;
    tui_fill(g, x, y, width, height, TUI_TEXT, ' ');
    tui_box(g, x, y, width, height, ui->title, true);
    if (entry) {
        draw_entry(ui, x, y, width);
        return;
    }
    if (search) {
        const int used = tui_textf(g, x + 2, y + 1, width - 5, TUI_TEXT, "Search: %s", ui->typed);
        tui_put(g, x + 2 + used, y + 1, TUI_FOCUS, ' ');
    }
    if (lines) /* text scrolls as a whole */
        ui->scroll = ui->sel + (uint32_t)rows <= n ? ui->sel : n > (uint32_t)rows ? n - (uint32_t)rows : 0;
    else if (ui->sel < ui->scroll)
        ui->scroll = ui->sel;
    else if (ui->sel >= ui->scroll + (uint32_t)rows)
        ui->scroll = ui->sel - (uint32_t)rows + 1;
    if (lines && ui->sel > ui->scroll)
        ui->sel = ui->scroll;
    for (int r = 0; r < rows; r++) {
        const uint32_t i = tui_popup_shown(ui, ui->scroll + (uint32_t)r);
        const int line = y + 1 + search + r;
        if (i == UINT32_MAX)
            break;
        const bool chosen = !lines && ui->scroll + (uint32_t)r == ui->sel;
        (void)tui_text(g, x + 2, line, width - 4, chosen ? TUI_FOCUS : TUI_TEXT, ui->item[i].text);
        if (chosen) {
            tui_put(g, x + 1, line, TUI_STRONG, '>');
            tui_restyle(g, x + 2, line, width - 4, TUI_FOCUS);
        }
        tui_hit(ui, x + 1, line, width - 2, 1, TUI_AREAS + 1, ui->scroll + (uint32_t)r, false);
    }
    if (n > (uint32_t)rows)
        (void)tui_textf(g, x + width - 18, y + height - 1, 16, TUI_DIM, " %u-%u of %u ", ui->scroll + 1,
                        ui->scroll + (uint32_t)rows < n ? ui->scroll + (uint32_t)rows : n, n);
    if (!n)
        (void)tui_text(g, x + 2, y + 1 + search, width - 4, TUI_DIM, search ? "nothing matches; Enter takes what is typed" : "nothing");
    if (ui->popup == TUI_DEVICES)
        (void)tui_text(g, x + 2, y + height - 1, width - 20, TUI_DIM, " Enter takes it, + adds it; NAMExN ");
}
