/* SPDX-License-Identifier: Apache-2.0 */
/* The box of memory: a bar for each device, then the classes in a table. */
#include "tui/ui.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

/* Devices worth a line: an idle host is none. */
static bool shown(const struct hwl_view_device *d)
{
    return !(d->idle && d->host);
}

static uint32_t n_shown(const struct hwl_view_model *v)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->n_devices; i++)
        n += shown(&v->device[i]);
    return n;
}

static bool has_kind(const struct hwl_view_model *v, uint32_t k)
{
    return hwl_plan_total(v->plan, (hwl_kind)k) > 0;
}

uint32_t tui_memory_rows(const struct tui_ui *ui)
{
    uint32_t n = 0;
    for (uint32_t k = 0; ui->desk.plan && k < HWL_KIND_COUNT; k++)
        n += has_kind(&ui->desk.view, k);
    return n;
}

uint32_t tui_memory_lines(const struct tui_ui *ui)
{
    return n_shown(&ui->desk.view) + tui_memory_rows(ui) + 5; /* frame, gap, head and what is free */
}

static void bar(struct tui_ui *ui, struct hwl_view_device *d, int x, int y, int width)
{
    struct tui_grid *g = &ui->grid;
    uint32_t limit;
    const int label = 7, right = 10, bar = width - label - right;
    (void)tui_text(g, x, y, label - 1, TUI_TEXT, d->id);
    if (bar > 3) {
        hwl_view_layout(d, (uint32_t)bar, 1, &limit);
        for (uint32_t s = 0; s < HWL_VIEW_SEGMENTS; s++)
            tui_fill(g, x + label + (int)d->segment[s].at, y, (int)d->segment[s].width, 1, (enum tui_style)(TUI_SEGMENT + (int)s),
                     (uint32_t)hwl_view_segment_letter(s));
        if (d->level == HWL_LEVEL_OVER && (int)limit < bar) /* what is usable ends here */
            tui_put(g, x + label + (int)limit, y, (enum tui_style)(TUI_LEVEL + HWL_LEVEL_OVER), 0x2502);
    }
    (void)tui_textf(g, x + width - right + 1, y, right - 1, (enum tui_style)(TUI_LEVEL + (int)d->level), "%4u %% %s", d->percent,
                    hwl_view_level_mark(d->level));
}

/* The first of all devices worth a line that is drawn where there is room for most of them. */
static uint32_t first_shown(struct tui_ui *ui, uint32_t all, uint32_t most)
{
    const uint32_t last = all > most ? all - most : 0;
    if (ui->first_device > last)
        ui->first_device = last;
    return ui->first_device;
}

enum { FIRST = 13, COLUMN = 8, BASIS = 8 };

/* Columns of devices that fit, from the one the verdict hangs on. */
static void table(struct tui_ui *ui, int x, int y, int width, int height)
{
    struct tui_grid *g = &ui->grid;
    const struct hwl_view_model *v = &ui->desk.view;
    char text[40];
    uint32_t column[16], n = 0;
    const uint32_t all = n_shown(v), room = width > FIRST + COLUMN ? (uint32_t)(width - FIRST - COLUMN) / COLUMN : 1, most = room < 16 ? room : 16;
    const uint32_t first = first_shown(ui, all, most);
    for (uint32_t i = 0, k = 0; i < v->n_devices && n < most; i++)
        if (shown(&v->device[i]) && k++ >= first)
            column[n++] = i;
    if (!first && n && n < all && v->speaker > column[n - 1])
        column[n - 1] = v->speaker;
    const bool basis_fits = width >= FIRST + COLUMN * (int)(n + 1) + BASIS;
    (void)tui_text(g, x, y, FIRST, TUI_DIM, n < all ? ui->area == TUI_AREA_MEMORY ? "GiB   < >" : "GiB" : "GiB");
    for (uint32_t i = 0; i < n; i++)
        (void)tui_textf(g, x + FIRST + COLUMN * (int)i, y, COLUMN, TUI_DIM, "%7.7s", v->device[column[i]].id);
    (void)tui_text(g, x + FIRST + COLUMN * (int)n, y, COLUMN, TUI_DIM, "  total");
    int row = 1;
    uint32_t line = 0;
    const uint32_t at = ui->area == TUI_AREA_MEMORY ? ui->at[TUI_AREA_MEMORY] : 0, rows = height > 1 ? (uint32_t)height - 1 : 1;
    const uint32_t skip = at >= rows ? at - rows + 1 : 0; /* the selected line is in sight */
    for (uint32_t k = 0; k < HWL_KIND_COUNT && row < height; k++) {
        hwl_basis basis;
        double error;
        if (!has_kind(v, k) || !hwl_view_basis(v->plan, (hwl_kind)k, &basis, &error))
            continue;
        const bool focus = ui->area == TUI_AREA_MEMORY && at == line;
        if (line < skip) {
            line++;
            continue;
        }
        tui_put(g, x, y + row, (enum tui_style)(TUI_SEGMENT + (int)k), (uint32_t)hwl_view_segment_letter(k));
        (void)tui_text(g, x + 2, y + row, FIRST - 2, focus ? TUI_STRONG : TUI_TEXT, hwl_view_segment_label(k));
        for (uint32_t i = 0; i < n; i++)
            (void)tui_textf(g, x + FIRST + COLUMN * (int)i, y + row, COLUMN, TUI_TEXT, "%7s",
                            hwl_view_gib(v->device[column[i]].segment[k].bytes, text, sizeof text));
        (void)tui_textf(g, x + FIRST + COLUMN * (int)n, y + row, COLUMN, TUI_TEXT, "%7s",
                        hwl_view_gib(hwl_plan_total(v->plan, (hwl_kind)k), text, sizeof text));
        if (basis_fits && error > 0)
            (void)tui_textf(g, x + FIRST + COLUMN * (int)(n + 1) + 1, y + row, BASIS, TUI_DIM, "+-%.3g %%", error * 100);
        else if (basis_fits)
            (void)tui_text(g, x + FIRST + COLUMN * (int)(n + 1) + 1, y + row, BASIS, TUI_DIM, hwl_basis_name(basis));
        if (focus)
            tui_put(g, x - 1, y + row, TUI_STRONG, '>');
        tui_hit(ui, x - 1, y + row, width, 1, TUI_AREA_MEMORY, line++, false);
        row++;
    }
    if (row >= height)
        return;
    (void)tui_text(g, x, y + row, FIRST, TUI_DIM, ". free");
    for (uint32_t i = 0; i < n; i++)
        (void)tui_textf(g, x + FIRST + COLUMN * (int)i, y + row, COLUMN, TUI_DIM, "%7s",
                        hwl_view_gib(v->device[column[i]].device->free_bytes, text, sizeof text));
}

void tui_draw_memory(struct tui_ui *ui, int x, int y, int width, int height)
{
    struct hwl_view_model *v = &ui->desk.view;
    const uint32_t lines = tui_memory_rows(ui) + 2, n = n_shown(v);
    tui_box(&ui->grid, x, y, width, height, "Memory", ui->area == TUI_AREA_MEMORY);
    x += 2;
    width -= 4;
    const int room = height - 2;
    int bars = room > (int)lines ? room - (int)lines : 1, row = 0;
    const uint32_t first = n > (uint32_t)bars ? (ui->first_device < n - (uint32_t)bars ? ui->first_device : n - (uint32_t)bars) : 0;
    for (uint32_t i = 0, k = 0; i < v->n_devices && row < bars; i++) {
        if (!shown(&v->device[i]) || k++ < first)
            continue;
        if (row == bars - 1 && k < n) { /* more than there is room for: the one that counts is among them */
            bar(ui, &v->device[!first && v->speaker > i ? v->speaker : i], x, y + 1 + row, width - 6);
            (void)tui_textf(&ui->grid, x + width - 5, y + 1 + row, 5, TUI_DIM, "+%u", n - (uint32_t)bars);
            row++;
            break;
        }
        bar(ui, &v->device[i], x, y + 1 + row, width);
        row++;
    }
    if (row + (int)lines < room)
        row++;
    table(ui, x, y + 1 + row, width, room - row);
}
