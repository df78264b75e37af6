/* SPDX-License-Identifier: Apache-2.0 */
/* The box of controls: a line each, with the slider's marks: r recommended, L limit, hatched beyond it. */
#include "tui/ui.h"
#include "view/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where n stands on a slider of width cells: tokens by their logarithm, the rest evenly. */
static bool by_logarithm(const struct hwl_control *c, const hwl_range *r)
{
    return r->least && (strcmp(c->unit, "tokens") == 0 || r->most / r->least > 256);
}

static int place(const struct hwl_control *c, const hwl_range *r, uint64_t n, int width)
{
    double share;
    if (r->most <= r->least || n <= r->least)
        return 0;
    if (n >= r->most)
        return width - 1;
    if (by_logarithm(c, r))
        share = log((double)n / (double)r->least) / log((double)r->most / (double)r->least);
    else
        share = (double)(n - r->least) / (double)(r->most - r->least);
    const int at = (int)(share * (width - 1) + 0.5);
    return at < 0 ? 0 : at >= width ? width - 1 : at;
}

uint64_t tui_slider_value(const struct hwl_control *c, const hwl_range *r, int at, int width);
uint64_t tui_slider_value(const struct hwl_control *c, const hwl_range *r, int at, int width)
{
    if (width < 2 || at <= 0)
        return r->least;
    if (at >= width - 1)
        return r->most;
    const double share = (double)at / (width - 1);
    if (!by_logarithm(c, r))
        return r->least + (uint64_t)(share * (double)(r->most - r->least) + 0.5);
    uint64_t power = 1; /* the next power of two */
    const double n = (double)r->least * pow((double)r->most / (double)r->least, share);
    while ((double)power * 1.41421356 < n)
        power *= 2;
    return power < r->least ? r->least : power > r->most ? r->most : power;
}

/* marked: the marks are known; a slider without them is drawn while they are worked out. */
static void slider(struct tui_grid *g, const struct hwl_control *c, const hwl_range *r, bool marked, uint64_t n, int x, int y, int width)
{
    const int knob = place(c, r, n, width), limit = r->limit == HWL_UNKNOWN ? -1 : place(c, r, r->limit, width);
    for (int i = 0; i < width; i++) {
        const bool beyond = marked && !r->falling && (r->limit == HWL_UNKNOWN || (i > limit && r->limit < r->most));
        tui_put(g, x + i, y, beyond ? TUI_DIM : TUI_TEXT, i < knob ? 0x2501 : beyond ? 0x2571 : 0x2500);
    }
    if (marked && r->limit != HWL_UNKNOWN && limit != knob)
        tui_put(g, x + limit, y, TUI_MARK, 'L');
    if (marked && r->recommended != HWL_UNKNOWN && place(c, r, r->recommended, width) != knob)
        tui_put(g, x + place(c, r, r->recommended, width), y, TUI_MARK, 'r');
    tui_put(g, x + knob, y, TUI_STRONG, 0x25cf);
}

static void value_text(const struct hwl_control *c, const char *value, char *buf, size_t size)
{
    const uint64_t n = strtoull(value, NULL, 10);
    if (!*value)
        (void)snprintf(buf, size, "%s", strcmp(c->option, "quant") == 0 ? "as stored" : "default");
    else if (c->kind == HWL_CONTROL_NUMBER)
        (void)hwl_count_text(n, buf, size);
    else if (c->kind == HWL_CONTROL_BYTES)
        (void)hwl_view_bytes(n, buf, size);
    else if (c->kind == HWL_CONTROL_FLAG)
        (void)snprintf(buf, size, "%s", strcmp(value, "true") == 0 ? "on" : "off");
    else
        (void)hwl_view_clean(value, buf, size);
}

/* "f16 [q8_0] q4_0" as far as it goes: the choice in force is in brackets. */
static void choices(struct tui_ui *ui, const struct hwl_control *c, const char *value, int x, int y, int width)
{
    const char *v, *engine = hwl_plan_engine(ui->desk.plan);
    int total = 0, at = x;
    bool known = false;
    for (uint32_t i = 0; (v = hwl_option_choice(engine, c->option, i)); i++) {
        total += (int)strlen(v) + 3;
        known = known || strcmp(v, value) == 0;
    }
    if (!total || total > width || !known) {
        char text[64];
        value_text(c, value, text, sizeof text);
        (void)tui_textf(&ui->grid, x, y, width, TUI_TEXT, "[%s]%s", text, total ? "  Enter lists" : "");
        return;
    }
    for (uint32_t i = 0; (v = hwl_option_choice(engine, c->option, i)); i++) {
        const bool on = strcmp(v, value) == 0;
        at += tui_textf(&ui->grid, at, y, x + width - at, on ? TUI_STRONG : TUI_DIM, on ? "[%s]" : " %s ", v);
    }
}

static void line(struct tui_ui *ui, uint32_t i, int x, int y, int width)
{
    struct tui_grid *g = &ui->grid;
    struct tui_desk *d = &ui->desk;
    const struct hwl_control *c = d->control[i];
    const bool focus = ui->area == TUI_AREA_CONTROLS && ui->at[TUI_AREA_CONTROLS] == i;
    char value[96], text[64];
    const int label = width >= 44 ? 17 : 9;
    (void)tui_value(ui, c, value, sizeof value);
    value_text(c, value, text, sizeof text);
    tui_put(g, x, y, TUI_STRONG, focus ? '>' : ' ');
    (void)tui_text(g, x + 1, y, label - 1, focus ? TUI_STRONG : TUI_TEXT, width >= 44 ? c->label : c->brief);
    const hwl_range *marks = tui_desk_known_range(d, i), *r = marks ? marks : d->bounded[i] == c ? &d->bound[i] : NULL;
    tui_hit(ui, x, y, width, 1, TUI_AREA_CONTROLS, i, false);
    if (c->kind == HWL_CONTROL_CHOICE || c->kind == HWL_CONTROL_FLAG) {
        if (c->kind == HWL_CONTROL_CHOICE)
            choices(ui, c, value, x + label, y, width - label);
        else
            (void)tui_textf(g, x + label, y, width - label, TUI_TEXT, "[%s]", text);
        return;
    }
    const int value_width = 10, bar = width - label - value_width - 3;
    if (bar >= 6 && c->kind == HWL_CONTROL_NUMBER) {
        tui_put(g, x + label, y, TUI_DIM, '[');
        tui_put(g, x + label + 1 + bar, y, TUI_DIM, ']');
        if (r) {
            slider(g, c, r, marks != NULL, strtoull(value, NULL, 10), x + label + 1, y, bar);
            tui_hit(ui, x + label + 1, y, bar, 1, TUI_AREA_CONTROLS, i, true);
        } else {
            tui_fill(g, x + label + 1, y, bar, 1, TUI_DIM, 0x2500);
        }
    }
    (void)tui_textf(g, x + width - value_width, y, value_width, focus ? TUI_STRONG : TUI_TEXT, "%10s", text);
}

/* "r 117,504  L 131,072": the marks alone, where the sentence is too long. */
static void marks(const hwl_range *r, char *buf, size_t size)
{
    char a[40] = "none", b[40] = "none";
    if (!r)
        return;
    if (r->recommended != HWL_UNKNOWN)
        (void)hwl_count_text(r->recommended, a, sizeof a);
    if (r->limit != HWL_UNKNOWN)
        (void)hwl_count_text(r->limit, b, sizeof b);
    (void)snprintf(buf, size, "r %s  L %s", a, b);
}

void tui_draw_controls(struct tui_ui *ui, int x, int y, int width, int height)
{
    struct tui_desk *d = &ui->desk;
    char text[200], title[48];
    const uint32_t at = ui->at[TUI_AREA_CONTROLS], rows = height > 3 ? (uint32_t)height - 3 : 1;
    if (at < ui->top)
        ui->top = at;
    if (at >= ui->top + rows)
        ui->top = at - rows + 1;
    if (ui->top + rows > d->n_controls)
        ui->top = d->n_controls > rows ? d->n_controls - rows : 0;
    if (d->n_controls > rows)
        (void)snprintf(title, sizeof title, "Controls %u-%u of %u", ui->top + 1, ui->top + rows, d->n_controls);
    else
        (void)snprintf(title, sizeof title, "Controls");
    tui_box(&ui->grid, x, y, width, height, title, ui->area == TUI_AREA_CONTROLS);
    for (uint32_t i = 0; i < rows && ui->top + i < d->n_controls; i++)
        line(ui, ui->top + i, x + 1, y + 1 + (int)i, width - 2);
    /* what the selected one means, in words */
    if (at < d->n_controls && height > 3) {
        (void)hwl_view_control_sentence(d->control[at], d->plan, tui_desk_known_range(d, at), text, sizeof text);
        if (tui_width(text) > width - 4)
            marks(tui_desk_known_range(d, at), text, sizeof text);
        (void)tui_text(&ui->grid, x + 2, y + height - 2, width - 4, TUI_DIM, text);
    }
}
