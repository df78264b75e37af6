/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/ui.h"
#include "view/advice.h"

void tui_draw_advice(struct tui_ui *ui, int y, int height)
{
    struct tui_grid *g = &ui->grid;
    struct tui_desk *d = &ui->desk;
    const bool focus = ui->area == TUI_AREA_ADVICE;
    const uint32_t at = ui->at[TUI_AREA_ADVICE];
    const bool costs = height > 2 * (int)d->n_advice; /* room for a second line each */
    const uint32_t rows = height > 1 ? (costs ? d->n_advice : (uint32_t)height - 1) : 0;
    uint32_t first = at >= rows && rows ? at - rows + 1 : 0;
    (void)tui_text(g, 1, y, 12, focus ? TUI_STRONG : TUI_DIM, focus ? "[Advice]" : "Advice");
    if (!d->advised || !d->n_advice) {
        (void)tui_text(g, 14, y, g->width - 15, TUI_DIM, d->advised ? "nothing would help" : *d->trouble ? "" : "working it out ...");
        return;
    }
    if (d->n_advice > rows)
        (void)tui_textf(g, 14, y, 20, TUI_DIM, "%u-%u of %u", first + 1, first + rows, d->n_advice);
    for (uint32_t i = 0; i < rows && first + i < d->n_advice; i++) {
        const uint32_t k = first + i;
        const bool chosen = focus && at == k;
        struct hwl_view_advice a;
        const int line = y + 1 + (int)i * (costs ? 2 : 1), wide = g->width >= 110, title = wide ? 44 : g->width / 2 - 2, gain = 22;
        hwl_view_advice(&d->advice[k], d->settings, &a);
        (void)tui_textf(g, 1, line, 3, TUI_KEY, "%s%u", chosen ? ">" : " ", k + 1);
        (void)tui_text(g, 4, line, title, chosen ? TUI_STRONG : TUI_TEXT, a.title);
        (void)tui_text(g, 5 + title, line, gain, TUI_TEXT, a.gain);
        (void)tui_text(g, 6 + title + gain, line, g->width - 7 - title - gain, d->advice[k].verdict == HWL_VERDICT_EXCEEDS ? TUI_DIM : TUI_TEXT, wide ? a.result : a.brief);
        if (costs)
            (void)tui_textf(g, 6, line + 1, g->width - 7, TUI_DIM, "%s", a.cost);
        tui_hit(ui, 1, line, g->width - 2, 1, TUI_AREA_ADVICE, k, false);
    }
}
