/* SPDX-License-Identifier: Apache-2.0 */
/* The grid: text with its real width, boxes, rules, and the dump that tests compare. */
#include "tui/cells.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tui_grid_size(struct tui_grid *g, int width, int height)
{
    if (width < 1 || height < 1 || width > 4096 || height > 4096)
        return false;
    struct tui_cell *cell = calloc((size_t)width * (size_t)height, sizeof *cell);
    if (!cell)
        return false;
    free(g->cell);
    g->cell = cell;
    g->width = width;
    g->height = height;
    tui_grid_blank(g);
    return true;
}

void tui_grid_free(struct tui_grid *g)
{
    free(g->cell);
    *g = (struct tui_grid){.cell = NULL};
}

void tui_grid_blank(struct tui_grid *g)
{
    for (int i = 0; i < g->width * g->height; i++)
        g->cell[i] = (struct tui_cell){.ch = ' ', .style = TUI_TEXT};
}

/* One code point; what is no UTF-8 is U+FFFD of one byte. */
static uint32_t decode(const unsigned char **text)
{
    const unsigned char *s = *text;
    const int n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
    uint32_t ch = n == 1 ? s[0] : n ? s[0] & (0x7fu >> n) : 0xfffd;
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *text = s + 1;
            return 0xfffd;
        }
        ch = ch << 6 | (s[i] & 0x3f);
    }
    *text = s + (n ? n : 1);
    return ch;
}

/* Cells of a code point (Unicode East Asian Width W and F, combining marks): no locale decides over a layout. */
static int cells_of(uint32_t ch)
{
    static const struct {
        uint32_t first, last;
        int width;
    } rows[] = {
        {0x300, 0x36f, 0},     {0x483, 0x489, 0},     {0x591, 0x5bd, 0},     {0x610, 0x61a, 0},     {0x64b, 0x65f, 0},     {0x93c, 0x93c, 0},
        {0x94d, 0x94d, 0},     {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},   {0x202a, 0x202e, 0},   {0x2060, 0x206f, 0},   {0x20d0, 0x20f0, 0},
        {0x2e80, 0x303e, 2},   {0x3041, 0x33ff, 2},   {0x3400, 0x4dbf, 2},   {0x4e00, 0x9fff, 2},   {0xa000, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},
        {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},
        {0x1f300, 0x1f64f, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2}, {0xe0000, 0xe01ef, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ch >= rows[i].first && ch <= rows[i].last)
            return rows[i].width;
    return 1;
}

/* Characters that screens use, and what stands for them in ASCII. */
static uint32_t plain(uint32_t ch)
{
    static const struct {
        uint32_t from;
        char to;
    } rows[] = {{0x2500, '-'}, {0x2501, '='}, {0x2502, '|'}, {0x250c, '+'}, {0x2510, '+'}, {0x2514, '+'}, {0x2518, '+'}, {0x2026, '~'},
                {0x2571, '/'}, {0x2588, '#'}, {0x2591, '.'}, {0x2592, ':'}, {0x2593, '*'}, {0x25cf, '|'}, {0x2192, '>'}, {0x00d7, 'x'},
                {0x2581, '_'}, {0x2582, '_'}, {0x2583, '.'}, {0x2584, '.'}, {0x2585, ':'}, {0x2586, ':'}, {0x2587, '|'}};
    if (ch < 0x7f)
        return ch;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].from == ch)
            return (uint32_t)rows[i].to;
    return '?';
}

void tui_put(struct tui_grid *g, int x, int y, enum tui_style style, uint32_t ch)
{
    if (x < 0 || y < 0 || x >= g->width || y >= g->height)
        return;
    struct tui_cell *c = &g->cell[y * g->width + x];
    c->ch = g->ascii ? plain(ch) : ch;
    c->style = (uint8_t)style;
    c->underline = false;
}

int tui_width(const char *text)
{
    int n = 0;
    for (const unsigned char *s = (const unsigned char *)text; *s;)
        n += cells_of(decode(&s));
    return n;
}

int tui_text(struct tui_grid *g, int x, int y, int width, enum tui_style style, const char *text)
{
    const bool cut = tui_width(text) > width;
    int at = 0;
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        const uint32_t ch = decode(&s);
        const int w = cells_of(ch);
        if (!w)
            continue;
        if (at + w > width - cut)
            break;
        tui_put(g, x + at, y, style, ch < 0x20 || (ch >= 0x7f && ch < 0xa0) ? '?' : ch);
        if (w == 2 && g->ascii)
            tui_put(g, x + at + 1, y, style, ' ');
        else if (w == 2)
            tui_put(g, x + at + 1, y, style, 0);
        at += w;
    }
    if (cut && at < width)
        tui_put(g, x + at++, y, style, 0x2026);
    return at;
}

int tui_textf(struct tui_grid *g, int x, int y, int width, enum tui_style style, const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return tui_text(g, x, y, width, style, text);
}

void tui_fill(struct tui_grid *g, int x, int y, int width, int height, enum tui_style style, uint32_t ch)
{
    for (int j = 0; j < height; j++)
        for (int i = 0; i < width; i++)
            tui_put(g, x + i, y + j, style, ch);
}

void tui_restyle(struct tui_grid *g, int x, int y, int width, enum tui_style style)
{
    for (int i = x < 0 ? 0 : x; i < x + width && i < g->width && y >= 0 && y < g->height; i++)
        g->cell[y * g->width + i].style = (uint8_t)style;
}

void tui_underline(struct tui_grid *g, int x, int y)
{
    if (x >= 0 && y >= 0 && x < g->width && y < g->height)
        g->cell[y * g->width + x].underline = true;
}

void tui_rule(struct tui_grid *g, int x, int y, int width)
{
    tui_fill(g, x, y, width, 1, TUI_LINE, 0x2500);
}

void tui_box(struct tui_grid *g, int x, int y, int width, int height, const char *title, bool focused)
{
    if (width < 2 || height < 2)
        return;
    tui_rule(g, x + 1, y, width - 2);
    tui_rule(g, x + 1, y + height - 1, width - 2);
    for (int j = 1; j < height - 1; j++) {
        tui_put(g, x, y + j, TUI_LINE, 0x2502);
        tui_put(g, x + width - 1, y + j, TUI_LINE, 0x2502);
    }
    tui_put(g, x, y, TUI_LINE, 0x250c);
    tui_put(g, x + width - 1, y, TUI_LINE, 0x2510);
    tui_put(g, x, y + height - 1, TUI_LINE, 0x2514);
    tui_put(g, x + width - 1, y + height - 1, TUI_LINE, 0x2518);
    (void)tui_textf(g, x + 2, y, width - 4, focused ? TUI_STRONG : TUI_DIM, focused ? "[%s]" : " %s ", title);
}

static size_t encode(uint32_t ch, char *out)
{
    if (ch < 0x80) {
        out[0] = (char)ch;
        return 1;
    }
    const size_t n = ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i; i--) {
        out[i] = (char)(0x80 | (ch & 0x3f));
        ch >>= 6;
    }
    out[0] = (char)(lead[n] | ch);
    return n;
}

char *tui_dump(const struct tui_grid *g)
{
    char *text = malloc((size_t)g->height * ((size_t)g->width * 4 + 1) + 1), *o = text;
    if (!text)
        return NULL;
    for (int y = 0; y < g->height; y++) {
        char *line = o, *end = o;
        for (int x = 0; x < g->width; x++) {
            const struct tui_cell *c = &g->cell[y * g->width + x];
            if (!c->ch)
                continue;
            o += encode(c->ch, o);
            if (c->ch != ' ')
                end = o;
        }
        o = end > line ? end : line;
        *o++ = '\n';
    }
    *o = 0;
    return text;
}
