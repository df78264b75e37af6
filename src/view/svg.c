/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of a plan: a bar for each device, the legend, the heatmap. Colours stand in the style sheet by class, for light and
 * dark; a title in every part says it in words. */
#include "view/palette.h"
#include "view/report.h"
#include "view/view.h"

#include <string.h>

enum { WIDTH = 960, LEFT = 120, BAR = 640, ROW = 48, THICK = 24, MARGIN = 16, CELL = 24, LEGEND = 24 };

/* Bytes of the UTF-8 sequence at s that XML takes; 0 where there is none. */
static size_t sequence(const unsigned char *s)
{
    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7f;
    const size_t n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    const bool wrong = (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
                       (s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
    return wrong ? 0 : n;
}

void hwl_view_escape(FILE *out, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        const char *entity = *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '&' ? "&amp;" : *s == '"' ? "&quot;" : *s == '\'' ? "&#39;" : NULL;
        const size_t n = sequence(s);
        if (entity)
            (void)fputs(entity, out);
        else if (!n)
            (void)fputc('?', out);
        else
            (void)fwrite(s, 1, n, out);
        s += n ? n : 1;
    }
}

static void scheme(FILE *out, const struct hwl_palette *p)
{
    (void)fprintf(out, ".g{fill:#%06x}.t{fill:#%06x}.d{fill:#%06x}.l{stroke:#%06x}.m{stroke:#%06x}", p->ground, p->text, p->dim, p->line, p->mark);
    for (uint32_t i = 0; i < HWL_VIEW_SEGMENTS; i++)
        (void)fprintf(out, ".s%u{fill:#%06x}.o%u{fill:#%06x}", i, p->segment[i], i, p->on_segment[i]);
    for (uint32_t i = 0; i < HWL_LEVEL_COUNT; i++)
        (void)fprintf(out, ".v%u{fill:#%06x}", i, p->level[i]);
    for (uint8_t i = 0; i <= 8; i++)
        (void)fprintf(out, ".h%u{fill:#%06x}", i, hwl_view_heat_colour(p, i));
}

static void style(FILE *out)
{
    (void)fputs("<style>text{font:13px system-ui,sans-serif;font-variant-numeric:tabular-nums}.b{font-weight:700;font-size:18px}"
                ".q{font-size:11px}.c{font-weight:700;text-anchor:middle}.e{text-anchor:end}.l,.m{fill:none}.m{stroke-width:2}", out);
    scheme(out, hwl_view_palette(HWL_SCHEME_LIGHT));
    (void)fputs("@media(prefers-color-scheme:dark){", out);
    scheme(out, hwl_view_palette(HWL_SCHEME_DARK));
    (void)fputs("}</style>\n", out);
}

static void title(FILE *out, const char *text)
{
    (void)fputs("<title>", out);
    hwl_view_escape(out, text);
    (void)fputs("</title>", out);
}

static void text_at(FILE *out, const char *class, uint32_t x, uint32_t y, const char *text)
{
    (void)fprintf(out, "<text class=\"%s\" x=\"%u\" y=\"%u\">", class, x, y);
    hwl_view_escape(out, text);
    (void)fputs("</text>\n", out);
}

static void bar(FILE *out, struct hwl_view_device *d, uint32_t y)
{
    char text[300], class[16];
    uint32_t limit;
    hwl_view_layout(d, BAR, 3, &limit);
    (void)fputs("<g role=\"img\">", out);
    title(out, hwl_view_device_sentence(d, text, sizeof text));
    text_at(out, "t e", LEFT - 8, y + 17, d->id);
    for (uint32_t i = 0; i < HWL_VIEW_SEGMENTS; i++) {
        const struct hwl_view_segment *s = &d->segment[i];
        if (!s->width)
            continue;
        (void)fprintf(out, "<g><rect class=\"s%u\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\"/>", i, LEFT + s->at, y, s->width, THICK);
        title(out, hwl_view_segment_sentence(d, i, text, sizeof text));
        (void)snprintf(class, sizeof class, "c o%u", i);
        if (s->width >= 14 && i != HWL_VIEW_FREE)
            text_at(out, class, LEFT + s->at + s->width / 2, y + 17, (char[]){hwl_view_segment_letter(i), 0});
        (void)fputs("</g>\n", out);
    }
    (void)fprintf(out, "<rect class=\"l\" x=\"%d\" y=\"%u\" width=\"%d\" height=\"%d\"/>\n", LEFT, y, BAR, THICK);
    if (d->level == HWL_LEVEL_OVER)
        (void)fprintf(out, "<path class=\"m\" d=\"M%u %uv%d\"/>\n", LEFT + limit, y - 4, THICK + 8);
    char used[32], usable[32];
    (void)snprintf(text, sizeof text, "%s of %s GiB, %u %% %s", hwl_view_gib(d->used, used, sizeof used), hwl_view_gib(d->usable, usable, sizeof usable),
                   d->percent, hwl_view_level_mark(d->level));
    (void)snprintf(class, sizeof class, "v%d", (int)d->level);
    text_at(out, class, LEFT + BAR + 8, y + 17, text);
    (void)snprintf(text, sizeof text, "%.90s%s", d->name, d->end - d->first > 1 ? ", each" : "");
    text_at(out, "d q", LEFT, y + THICK + 13, text);
    (void)fputs("</g>\n", out);
}

/* Rows of the legend, drawn where out is given: as many swatches in each as have room. */
static uint32_t legend(FILE *out, const struct hwl_view_model *view, uint32_t y)
{
    uint32_t x = LEFT, rows = 1;
    for (uint32_t i = 0; i < HWL_VIEW_SEGMENTS; i++) {
        char text[64], bytes[32], class[16];
        if (i < HWL_KIND_COUNT && !hwl_plan_total(view->plan, (hwl_kind)i))
            continue;
        if (i < HWL_KIND_COUNT)
            (void)snprintf(text, sizeof text, "%s %s", hwl_view_segment_label(i),
                           hwl_view_bytes(hwl_plan_total(view->plan, (hwl_kind)i), bytes, sizeof bytes));
        else
            (void)snprintf(text, sizeof text, "%s", hwl_view_segment_label(i));
        const uint32_t width = 44 + 7 * (uint32_t)strlen(text);
        if (x + width > WIDTH - MARGIN && x > LEFT) {
            x = LEFT;
            y += LEGEND;
            rows++;
        }
        if (out) {
            (void)fprintf(out, "<rect class=\"s%u\" x=\"%u\" y=\"%u\" width=\"18\" height=\"18\"/>", i, x, y);
            (void)snprintf(class, sizeof class, "c o%u", i);
            text_at(out, class, x + 9, y + 14, (char[]){hwl_view_segment_letter(i), 0});
            text_at(out, "t", x + 24, y + 14, text);
        }
        x += width;
    }
    return rows;
}

static uint32_t heat_rows(const struct hwl_view_model *view)
{
    uint32_t n = 0;
    for (int r = 0; r < HWL_HEAT_ROWS; r++)
        n += view->heat_row[r];
    return n;
}

/* Numbers of layers over the columns, as far apart as they are wide. */
static void axis(FILE *out, const struct hwl_view_model *view, uint32_t cell, uint32_t y)
{
    const uint32_t every = cell >= 12 ? 4 : cell >= 6 ? 8 : 16;
    for (uint32_t i = 0; i < view->n_columns; i += every) {
        char text[16];
        (void)snprintf(text, sizeof text, "%u", view->column[i].first);
        text_at(out, "d", LEFT + i * cell, y, text);
    }
}

static bool any_host(const struct hwl_view_model *view)
{
    for (uint32_t i = 0; i < view->n_columns; i++)
        for (int r = 0; r < HWL_HEAT_ROWS; r++)
            if (view->heat_row[r] && view->column[i].cell[r].host)
                return true;
    return false;
}

static void heatmap(FILE *out, const struct hwl_view_model *view, uint32_t y)
{
    char text[300], layers[64], most[32];
    const uint32_t room = WIDTH - LEFT - MARGIN, cell = !view->n_columns || room / view->n_columns > CELL ? CELL : room / view->n_columns;
    (void)snprintf(text, sizeof text, "%s; the darkest cell is %s", hwl_view_column_sentence(view, layers, sizeof layers),
                   hwl_view_bytes(view->heat_max, most, sizeof most));
    text_at(out, "t", LEFT, y + 12, text);
    axis(out, view, cell, y + 30);
    y += 36;
    for (int r = 0; r < HWL_HEAT_ROWS; r++) {
        if (!view->heat_row[r])
            continue;
        text_at(out, "d e", LEFT - 8, y + 13, hwl_view_heat_row((enum hwl_heat_row)r));
        for (uint32_t i = 0; i < view->n_columns; i++) {
            const struct hwl_heat_cell *c = &view->column[i].cell[r];
            (void)fprintf(out, "<g><rect class=\"h%u\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"16\"/>", c->shade, LEFT + i * cell, y, cell - (cell > 3));
            if (c->host) /* on the host: a line under it */
                (void)fprintf(out, "<path class=\"m\" d=\"M%u %uh%u\"/>", LEFT + i * cell, y + 17, cell - (cell > 3));
            title(out, hwl_view_cell_sentence(view, i, (enum hwl_heat_row)r, text, sizeof text));
            (void)fputs("</g>\n", out);
        }
        y += 20;
    }
    if (any_host(view))
        text_at(out, "d", LEFT, y + 14, "Underlined cells lie in host memory.");
}

void hwl_view_picture(FILE *out, struct hwl_view_model *view, bool headed)
{
    char text[300], name[160], class[16];
    const uint32_t top = headed ? 64 : MARGIN;
    uint32_t n = 0, y = top;
    hwl_model_info m;
    hwl_model_get_info(hwl_plan_model(view->plan), &m);
    for (uint32_t i = 0; i < view->n_devices; i++)
        n += !(view->device[i].idle && view->device[i].host);
    const uint32_t rows = heat_rows(view), swatches = legend(NULL, view, 0) * LEGEND;
    const uint32_t height = top + n * ROW + swatches + 10 + (rows ? 36 + rows * 20 + (any_host(view) ? 20 : 0) : 0) + MARGIN / 2;
    (void)fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" role=\"img\" aria-labelledby=\"hwl-t hwl-d\">\n<title id=\"hwl-t\">",
                  WIDTH, height);
    (void)snprintf(text, sizeof text, "%s on %s %s", m.name ? m.name : "", hwl_plan_engine(view->plan), hwl_plan_engine_version(view->plan));
    hwl_view_escape(out, text);
    (void)fputs("</title>\n<desc id=\"hwl-d\">", out);
    hwl_view_escape(out, view->headline);
    (void)fputs("</desc>\n", out);
    style(out);
    (void)fprintf(out, "<rect class=\"g\" width=\"%d\" height=\"%u\"/>\n", WIDTH, height);
    (void)snprintf(class, sizeof class, "b v%d", (int)view->level);
    if (headed)
        text_at(out, class, MARGIN, MARGIN + 20, view->headline);
    (void)snprintf(text, sizeof text, "%s, %s %s", hwl_view_clean(m.name, name, sizeof name), hwl_plan_engine(view->plan),
                   hwl_plan_engine_version(view->plan));
    if (headed)
        text_at(out, "d", MARGIN, MARGIN + 40, text);
    y += 4;
    for (uint32_t i = 0; i < view->n_devices; i++)
        if (!(view->device[i].idle && view->device[i].host)) {
            bar(out, &view->device[i], y);
            y += ROW;
        }
    (void)legend(out, view, y);
    if (rows)
        heatmap(out, view, y + swatches + 10);
    (void)fputs("</svg>\n", out);
}

void hwl_view_svg(FILE *out, struct hwl_view_model *view)
{
    hwl_view_picture(out, view, true);
}
