/* SPDX-License-Identifier: Apache-2.0 */
/* Text to read: why a figure is what it is, help, comparison of plans, charts. */
#include "tui/ui.h"
#include "view/charts.h"
#include "view/explain.h"
#include "view/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(struct tui_ui *ui, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct tui_ui *ui, const char *format, ...)
{
    char text[700];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    tui_popup_add(ui, text, "");
}

/* A long text over as many lines as it needs, all but the first further in. Cut at blanks where there are any. */
static void wrap(struct tui_ui *ui, const char *indent, const char *text)
{
    const size_t room = (size_t)tui_popup_width(ui) - 4 - strlen(indent);
    const char *more = "";
    while (*text) {
        size_t n = strlen(text);
        if (n > room - strlen(more)) {
            n = room - strlen(more);
            size_t blank = n;
            while (blank > n / 2 && text[blank] != ' ')
                blank--;
            n = text[blank] == ' ' ? blank : n;
            while (n && ((unsigned char)text[n] & 0xc0) == 0x80) /* not within a character */
                n--;
        }
        add(ui, "%s%s%.*s", indent, more, (int)n, text);
        text += n ? n : 1;
        text += strspn(text, " ");
        more = "  ";
    }
}

static bool explained(void *user, const struct hwl_view_line *line)
{
    struct tui_ui *ui = user;
    char bytes[32];
    add(ui, "%-5s %-40s %11s  %s", line->device, line->what, hwl_view_bytes(line->bytes, bytes, sizeof bytes), line->basis);
    char formula[480];
    if (line->n > 1)
        (void)snprintf(formula, sizeof formula, "%s, %u times", line->formula, line->n);
    else
        (void)snprintf(formula, sizeof formula, "%s", line->formula);
    wrap(ui, "      ", formula);
    if (line->entry->source)
        wrap(ui, "      ", line->entry->source);
    return ui->n_items < 4000;
}

void tui_popup_explain(struct tui_ui *ui)
{
    struct hwl_view_filter f = HWL_VIEW_ALL;
    const struct hwl_view_model *v = &ui->desk.view;
    char title[96] = "Every entry", count[40];
    if (!ui->desk.plan)
        return;
    if (ui->area == TUI_AREA_MEMORY) {
        uint32_t left = ui->at[TUI_AREA_MEMORY];
        for (int k = 0; k < HWL_KIND_COUNT && f.kind < 0; k++)
            if (hwl_plan_total(v->plan, (hwl_kind)k) && !left--)
                f.kind = k;
        if (f.kind >= 0)
            (void)snprintf(title, sizeof title, "%s: %s bytes", hwl_view_segment_label((uint32_t)f.kind),
                           hwl_count_text(hwl_plan_total(v->plan, (hwl_kind)f.kind), count, sizeof count));
    } else if (ui->area == TUI_AREA_LAYERS && ui->at[TUI_AREA_LAYERS] < v->n_columns) {
        const struct hwl_heat_column *c = &v->column[ui->at[TUI_AREA_LAYERS]];
        f.row = (int32_t)ui->heat_row;
        f.first_layer = (int32_t)c->first;
        f.last_layer = (int32_t)c->last;
        (void)hwl_view_cell_sentence(v, ui->at[TUI_AREA_LAYERS], (enum hwl_heat_row)ui->heat_row, title, sizeof title);
    }
    tui_popup_open(ui, TUI_LINES, title);
    (void)hwl_view_explain(v->plan, &f, explained, ui);
    const char *note;
    for (uint32_t i = 0; f.kind < 0 && f.row < 0 && (note = hwl_plan_note(v->plan, i)); i++)
        wrap(ui, "note: ", note);
}

void tui_popup_help(struct tui_ui *ui)
{
    static const char *const rows[] = {
        "m, d, e              model, device, engine",
        "Up, Down             to the next line;  Tab, Shift-Tab to the next box",
        "Left, Right          change a control;  PgUp, PgDn by a mark",
        "                     in Memory and Layers: to further devices and layers",
        "Home, End            to the least, to the most",
        "r, l                 to the recommended value, to the limit",
        "Enter, or digits     type a value, take a choice",
        "x, F2                why a figure is what it is; Enter on it",
        "1 to 5, Alt-1 to 5   use an advice (1 to 5 outside numbers)",
        "u                    undo",
        "p, c                 pin a plan, compare what is pinned",
        "v, M                 charts; monitor of this machine",
        "w, y                 export; copy the command line",
        "t                    theme: dark, light, contrast, none",
        "Esc                  leaves what lies on top; stops reading a model",
        "?, F1, q             this text; leave",
        "",
        "Bars     W weights  K KV cache  S state  C compute  O output  V overhead",
        "Verdict  ok to 80 %   ! to 95 %   !! to 100 %   x does not fit",
        "Sliders  r recommended   L limit   hatched: does not fit",
    };
    tui_popup_open(ui, TUI_LINES, "Help");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tui_popup_add(ui, rows[i], "");
}

/* Pinned plans and the one at hand as columns, the first is what the others are held against. */
void tui_popup_compare(struct tui_ui *ui)
{
    const struct tui_desk *d = &ui->desk;
    char line[500], text[40];
    if (!d->n_pins) {
        (void)snprintf(ui->desk.notice, sizeof ui->desk.notice, "p pins a plan to compare with");
        return;
    }
    tui_popup_open(ui, TUI_LINES, "Compare, GiB and the difference to plan 1");
    for (uint32_t i = 0; i < d->n_pins; i++)
        add(ui, "plan %u  %s, context %s: %s", i + 1, d->pin[i].name, hwl_count_text(d->pin[i].context, text, sizeof text), d->pin[i].headline);
    add(ui, "now     context %s: %s", hwl_count_text(hwl_plan_context(d->plan, NULL), text, sizeof text), d->view.headline);
    tui_popup_add(ui, "", "");
    size_t n = (size_t)snprintf(line, sizeof line, "%-12s", "");
    for (uint32_t i = 0; i <= d->n_pins; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, i < d->n_pins ? "   plan %u         " : "   now            ", i + 1);
    tui_popup_add(ui, line, "");
    for (int k = 0; k < HWL_KIND_COUNT; k++) {
        uint64_t any = hwl_plan_total(d->plan, (hwl_kind)k);
        for (uint32_t i = 0; i < d->n_pins; i++)
            any |= d->pin[i].total[k];
        if (!any)
            continue;
        n = (size_t)snprintf(line, sizeof line, "%c %-10s", hwl_view_segment_letter((uint32_t)k), hwl_view_segment_label((uint32_t)k));
        for (uint32_t i = 0; i <= d->n_pins; i++) {
            const uint64_t bytes = i < d->n_pins ? d->pin[i].total[k] : hwl_plan_total(d->plan, (hwl_kind)k), first = d->pin[0].total[k];
            n += (size_t)snprintf(line + n, sizeof line - n, "%8s", hwl_view_gib(bytes, text, sizeof text));
            n += (size_t)snprintf(line + n, sizeof line - n, !i || bytes == first ? "          " : bytes > first ? " +%-8s" : " -%-8s",
                                  hwl_view_gib(bytes > first ? bytes - first : first - bytes, text, sizeof text));
        }
        tui_popup_add(ui, line, "");
    }
}

/* Used against what is usable, the device that counts may be another at each point: shares, not bytes, are comparable. */
static void chart_line(struct tui_ui *ui, const struct hwl_chart_point *p, bool with_context)
{
    enum { MOST = 48, REST = 42 }; /* frame, label, figures, a context */
    char bar[MOST + 3] = "", used[32], context[48] = "";
    const int room = tui_popup_width(ui) - REST, width = room > MOST ? MOST : room, end = width * 2 / 3; /* of what is usable */
    if (p->refused) {
        add(ui, "%c %-10s refused by the engine", p->current ? '>' : ' ', p->label);
        return;
    }
    const double share = p->usable != HWL_UNKNOWN && p->usable ? (double)p->used / (double)p->usable : 0;
    if (width >= 6) {
        const int n = share * end > width ? width : (int)(share * end + 0.5);
        for (int i = 0; i < width; i++)
            bar[i + 1] = i < n ? '#' : ' ';
        if (p->usable != HWL_UNKNOWN)
            bar[end + (n >= end)] = '|';
        if (share * end > width)
            bar[width] = '>';
        bar[0] = '[';
        bar[width + 1] = ']';
        bar[width + 2] = 0;
    }
    if (with_context && p->max_context == 0)
        (void)snprintf(context, sizeof context, " no context");
    else if (with_context && p->max_context != HWL_UNKNOWN)
        (void)snprintf(context, sizeof context, " to %s", hwl_count_text(p->max_context, used, sizeof used));
    add(ui, width >= 6 ? "%c %-10s %s %8s %-2s%s" : "%c %-9s%s %8s %-2s%s", p->current ? '>' : ' ', p->label, bar, hwl_view_gib(p->used, used, sizeof used),
        hwl_view_level_mark(p->level), context);
}

void tui_popup_charts(struct tui_ui *ui)
{
    struct tui_desk *d = &ui->desk;
    const struct tui_charts *c = &d->charts;
    const uint32_t sel = ui->popup == TUI_LINES && d->want_charts ? ui->sel : 0;
    if (!d->plan || *d->trouble)
        return;
    if (!d->async)
        tui_desk_chart(d);
    tui_popup_open(ui, TUI_LINES, "Charts: GiB of the device that counts");
    d->want_charts = true;
    tui_popup_add(ui, "against the context in tokens; | ends what is usable", "");
    for (uint32_t i = 0; i < c->context.n; i++)
        chart_line(ui, &c->context.point[i], false);
    if (!c->context.n)
        tui_popup_add(ui, c->whole ? "  no context can be planned" : "  working it out ...", "");
    tui_popup_add(ui, "", "");
    tui_popup_add(ui, "against the quantisation of the weights, and the context that fits", "");
    for (uint32_t i = 0; i < c->n_quant; i++)
        chart_line(ui, &c->quant[i], true);
    if (!c->whole)
        tui_popup_add(ui, "  working it out ...", "");
    ui->sel = sel < ui->n_items ? sel : 0;
}
