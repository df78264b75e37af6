/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/ui.h"
#include "view/advice.h"

enum { GAIN = 22, RESULT = 18 };

/* Lines of one advice: what it is and what comes of it beside each other where they fit, and what it costs where all find room. */
static int lines(const struct hwl_view_advice *a, int title, bool costs)
{
    return 1 + (tui_width(a->title) > title) + costs;
}

static int draw(struct tui_ui *ui, uint32_t k, const struct hwl_view_advice *a, int y, int title, bool costs)
{
    struct tui_grid *g = &ui->grid;
    const struct tui_desk *d = &ui->desk;
    const bool chosen = ui->area == TUI_AREA_ADVICE && ui->at[TUI_AREA_ADVICE] == k, wide = g->width >= 110, two = tui_width(a->title) > title;
    const enum tui_style style = d->advice[k].verdict == HWL_VERDICT_EXCEEDS ? TUI_DIM : TUI_TEXT;
    int line = y;
    (void)tui_textf(g, 1, line, 3, TUI_KEY, "%s%u", chosen ? ">" : " ", k + 1);
    (void)tui_text(g, 4, line, two ? g->width - 5 : title, chosen ? TUI_STRONG : TUI_TEXT, a->title);
    if (two) {
        (void)tui_textf(g, 6, ++line, g->width - 7, style, "%s, %s", wide ? a->result : a->brief, a->gain);
    } else {
        (void)tui_text(g, 5 + title, line, GAIN, TUI_TEXT, a->gain);
        (void)tui_text(g, 6 + title + GAIN, line, g->width - 7 - title - GAIN, style, wide ? a->result : a->brief);
    }
    if (costs)
        (void)tui_text(g, 6, ++line, g->width - 7, TUI_DIM, a->cost);
    tui_hit(ui, 1, y, g->width - 2, line - y + 1, TUI_AREA_ADVICE, k, false);
    return line - y + 1;
}

void tui_draw_advice(struct tui_ui *ui, int y, int height)
{
    struct tui_grid *g = &ui->grid;
    struct tui_desk *d = &ui->desk;
    const bool focus = ui->area == TUI_AREA_ADVICE;
    struct hwl_view_advice a[HWL_ADVICE_MAX];
    const int title = g->width >= 110 ? 44 : g->width - 7 - GAIN - RESULT;
    (void)tui_text(g, 1, y, 12, focus ? TUI_STRONG : TUI_DIM, focus ? "[Advice]" : "Advice");
    if (!d->advised || !d->n_advice) {
        (void)tui_text(g, 14, y, g->width - 15, TUI_DIM, d->advised ? "nothing would help" : tui_desk_advisable(d) ? "working it out ..." : "");
        return;
    }
    int all = 0;
    for (uint32_t i = 0; i < d->n_advice; i++) {
        hwl_view_advice(&d->advice[i], d->settings, &a[i]);
        all += lines(&a[i], title, true);
    }
    const bool costs = all < height;
    /* as few as possible are left out before the chosen one, so that it is in sight */
    uint32_t first = 0, at = ui->at[TUI_AREA_ADVICE] < d->n_advice ? ui->at[TUI_AREA_ADVICE] : 0, end;
    for (int used = height; used >= height && first <= at; first += used >= height) {
        used = 0;
        for (uint32_t i = first; i <= at; i++)
            used += lines(&a[i], title, costs);
    }
    int line = 1;
    for (end = first; end < d->n_advice && line + lines(&a[end], title, costs) <= height; end++)
        line += draw(ui, end, &a[end], y + line, title, costs);
    if (end - first < d->n_advice)
        (void)tui_textf(g, 14, y, g->width - 15, TUI_DIM, "%u-%u of %u", first + 1, end, d->n_advice);
}
