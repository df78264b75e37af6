/* SPDX-License-Identifier: Apache-2.0 */
/* The heatmap: a column a layer. Two lines show place and kind, more lines show each row's bytes. */
#include "tui/ui.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

static bool any_host(const struct hwl_heat_column *c)
{
    for (int r = 0; r < HWL_HEAT_ROWS; r++)
        if (c->cell[r].host)
            return true;
    return false;
}

static void axis(struct tui_ui *ui, int x, int y, int width)
{
    const struct hwl_view_model *v = &ui->desk.view;
    for (uint32_t i = 0; i < v->n_columns; i += 8)
        if ((int)i + 4 <= width)
            (void)tui_textf(&ui->grid, x + (int)i, y, 7, TUI_DIM, "%u", v->column[i].first);
}

static void letters(struct tui_ui *ui, int x, int y)
{
    const struct hwl_view_model *v = &ui->desk.view;
    for (uint32_t i = 0; i < v->n_columns; i++) {
        const struct hwl_heat_column *c = &v->column[i];
        const bool host = any_host(c);
        uint64_t bytes = 0;
        for (int r = 0; r < HWL_HEAT_ROWS; r++)
            bytes += c->cell[r].bytes;
        const uint8_t shade = c->cell[HWL_HEAT_FFN].shade ? c->cell[HWL_HEAT_FFN].shade : c->cell[HWL_HEAT_ATTENTION].shade;
        const char letter = c->letter == '.' ? '-' : c->letter;
        tui_put(&ui->grid, x + (int)i, y, (enum tui_style)(TUI_HEAT + (bytes ? shade : 0)), host ? 'h' : (uint32_t)letter);
        if (host)
            tui_underline(&ui->grid, x + (int)i, y);
        tui_hit(ui, x + (int)i, y, 1, 1, TUI_AREA_LAYERS, i, false);
    }
}

static void heat(struct tui_ui *ui, enum hwl_heat_row r, int x, int y)
{
    static const uint32_t blocks[] = {' ', 0x2591, 0x2591, 0x2592, 0x2592, 0x2593, 0x2593, 0x2588, 0x2588};
    const struct hwl_view_model *v = &ui->desk.view;
    for (uint32_t i = 0; i < v->n_columns; i++) {
        const struct hwl_heat_cell *c = &v->column[i].cell[r];
        tui_put(&ui->grid, x + (int)i, y, TUI_TEXT, c->host ? 'h' : blocks[c->shade <= 8 ? c->shade : 8]);
        tui_hit(ui, x + (int)i, y, 1, 1, TUI_AREA_LAYERS, i, false);
    }
}

void tui_draw_layers(struct tui_ui *ui, int y, int height)
{
    struct tui_grid *g = &ui->grid;
    const struct hwl_view_model *v = &ui->desk.view;
    const bool focus = ui->area == TUI_AREA_LAYERS;
    const int x = TUI_HEAT_LEFT, width = g->width - x - 1;
    const uint32_t at = ui->at[TUI_AREA_LAYERS];
    char text[200], count[64];
    (void)tui_text(g, 1, y, 12, focus ? TUI_STRONG : TUI_DIM, focus ? "[Layers]" : "Layers");
    axis(ui, x, y, width);
    (void)tui_text(g, 1, y + 1, 12, TUI_DIM, "kind");
    letters(ui, x, y + 1);
    int row = 2;
    for (int r = 0; r < HWL_HEAT_ROWS && row + 1 < height; r++) {
        if (!v->heat_row[r])
            continue;
        const bool chosen = focus && (int)ui->heat_row == r;
        (void)tui_text(g, 1, y + row, 12, chosen ? TUI_STRONG : TUI_DIM, hwl_view_heat_row((enum hwl_heat_row)r));
        heat(ui, (enum hwl_heat_row)r, x, y + row);
        row++;
    }
    if (focus && at < v->n_columns) {
        (void)hwl_view_cell_sentence(v, at, (enum hwl_heat_row)ui->heat_row, text, sizeof text);
        char *cut = tui_width(text) > g->width - 2 && row + 2 <= height ? strstr(text, ": ") : NULL;
        if (cut) /* which cell it is above what it holds */
            *cut = 0;
        (void)tui_text(g, 1, y + height - (cut ? 2 : 1), g->width - 2, TUI_STRONG, text);
        if (cut)
            (void)tui_text(g, 1, y + height - 1, g->width - 2, TUI_STRONG, cut + 2);
        tui_restyle(g, x + (int)at, y + 1, 1, TUI_FOCUS);
        return;
    }
    (void)hwl_view_column_sentence(v, count, sizeof count);
    (void)tui_textf(g, 1, y + height - 1, g->width - 2, TUI_DIM, "%s; E experts  S window  M latent  R recurrent  h host", count);
}
