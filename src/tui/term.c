/* SPDX-License-Identifier: Apache-2.0 */
/* ncursesw: colours, keys, the mouse. Cells go to its screen, which sends what has changed. */
#define NCURSES_WIDECHAR 1
#include "tui/term.h"

#include "view/palette.h"

#include <curses.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static SCREEN *screen; /* one terminal a process: ncurses itself keeps it so */
static bool coloured;

/* Nearest of the 256 colours that terminals agree on: the cube of 6 and the greys. */
static short nearest(uint32_t rgb)
{
    static const int steps[] = {0, 95, 135, 175, 215, 255};
    long best = -1;
    short found = 16;
    for (int i = 16; i < 256; i++) {
        const int grey = 8 + (i - 232) * 10, k = i - 16;
        const int r = i < 232 ? steps[k / 36] : grey, g = i < 232 ? steps[k / 6 % 6] : grey, b = i < 232 ? steps[k % 6] : grey;
        const long dr = (long)(rgb >> 16 & 255) - r, dg = (long)(rgb >> 8 & 255) - g, db = (long)(rgb & 255) - b;
        const long far = dr * dr * 3 + dg * dg * 6 + db * db;
        if (best < 0 || far < best) {
            best = far;
            found = (short)i;
        }
    }
    return found;
}

static uint32_t heat_text(const struct hwl_palette *p, uint8_t shade)
{
    const uint32_t ground = hwl_view_heat_colour(p, shade);
    return hwl_view_contrast(ground, 0xffffff) > hwl_view_contrast(ground, 0x000000) ? 0xffffff : 0x000000;
}

static void many_colours(const struct hwl_palette *p)
{
    const short ground = nearest(p->ground);
    for (int s = 0; s < TUI_STYLES; s++) {
        uint32_t text = p->text, back = p->ground;
        if (s == TUI_DIM)
            text = p->dim;
        else if (s == TUI_LINE)
            text = p->line;
        else if (s == TUI_KEY || s == TUI_MARK)
            text = p->level[HWL_LEVEL_YELLOW];
        else if (s >= TUI_SEGMENT && s < TUI_LEVEL) {
            text = p->on_segment[s - TUI_SEGMENT];
            back = p->segment[s - TUI_SEGMENT];
        } else if (s >= TUI_LEVEL && s < TUI_HEAT) {
            text = p->level[s - TUI_LEVEL];
        } else if (s >= TUI_HEAT) {
            back = hwl_view_heat_colour(p, (uint8_t)(s - TUI_HEAT));
            text = heat_text(p, (uint8_t)(s - TUI_HEAT));
        }
        (void)init_pair((short)(s + 1), nearest(text), back == p->ground ? ground : nearest(back));
    }
}

/* Eight colours: the terminal's own text and ground, and what tells the classes apart. */
static void few_colours(void)
{
    static const short segment[][2] = {{COLOR_WHITE, COLOR_BLUE},   {COLOR_BLACK, COLOR_CYAN},  {COLOR_WHITE, COLOR_MAGENTA}, {COLOR_BLACK, COLOR_YELLOW},
                                       {COLOR_BLACK, COLOR_GREEN}, {COLOR_BLACK, COLOR_WHITE}, {-1, -1}};
    static const short level[] = {COLOR_GREEN, COLOR_YELLOW, COLOR_RED, COLOR_RED, -1};
    for (int s = 0; s < TUI_STYLES; s++) {
        short text = -1, back = -1;
        if (s >= TUI_SEGMENT && s < TUI_LEVEL) {
            text = segment[s - TUI_SEGMENT][0];
            back = segment[s - TUI_SEGMENT][1];
        } else if (s >= TUI_LEVEL && s < TUI_HEAT) {
            text = level[s - TUI_LEVEL];
        }
        (void)init_pair((short)(s + 1), text, back);
    }
}

void tui_term_theme(enum tui_theme theme)
{
    static const enum hwl_scheme schemes[] = {HWL_SCHEME_DARK, HWL_SCHEME_LIGHT, HWL_SCHEME_CONTRAST_DARK};
    coloured = theme < TUI_THEME_NONE && has_colors() && COLOR_PAIRS > TUI_STYLES;
    if (coloured && COLORS >= 256)
        many_colours(hwl_view_palette(schemes[theme]));
    else if (coloured)
        few_colours();
    (void)bkgd(coloured ? (chtype)(' ' | COLOR_PAIR(TUI_TEXT + 1)) : ' ');
    (void)clearok(stdscr, TRUE);
}

bool tui_term_open(enum tui_theme theme)
{
    (void)setlocale(LC_CTYPE, "");
    screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return false;
    (void)set_term(screen);
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)curs_set(0);
    (void)keypad(stdscr, TRUE);
    (void)set_escdelay(25);
    (void)mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    (void)mouseinterval(0);
    if (has_colors()) {
        (void)start_color();
        (void)use_default_colors();
    }
    tui_term_theme(theme);
    return true;
}

void tui_term_close(void)
{
    if (!screen)
        return;
    (void)endwin();
    delscreen(screen);
    screen = NULL;
}

void tui_term_size(int *width, int *height)
{
    getmaxyx(stdscr, *height, *width);
}

static attr_t attributes(const struct tui_cell *c)
{
    attr_t a = c->underline ? A_UNDERLINE : A_NORMAL;
    if (c->style == TUI_FOCUS)
        a |= A_REVERSE;
    if (c->style == TUI_STRONG || c->style == TUI_KEY || (c->style >= TUI_LEVEL && c->style < TUI_HEAT))
        a |= A_BOLD;
    if (!coloured && c->style == TUI_DIM)
        a |= A_DIM;
    if (!coloured && c->style == TUI_LEVEL + HWL_LEVEL_OVER)
        a |= A_REVERSE;
    return a;
}

void tui_term_show(const struct tui_grid *g)
{
    for (int y = 0; y < g->height; y++)
        for (int x = 0; x < g->width; x++) {
            const struct tui_cell *c = &g->cell[y * g->width + x];
            const wchar_t text[2] = {(wchar_t)c->ch, 0};
            cchar_t cell;
            if (!c->ch)
                continue;
            (void)setcchar(&cell, text, attributes(c), coloured ? (short)(c->style + 1) : 0, NULL);
            (void)mvadd_wch(y, x, &cell);
        }
    (void)refresh();
}

static uint32_t key_of(wint_t code)
{
    static const struct {
        wint_t code;
        uint32_t key;
    } rows[] = {{KEY_UP, TUI_KEY_UP},       {KEY_DOWN, TUI_KEY_DOWN},      {KEY_LEFT, TUI_KEY_LEFT},    {KEY_RIGHT, TUI_KEY_RIGHT},
                {KEY_PPAGE, TUI_KEY_PAGE_UP}, {KEY_NPAGE, TUI_KEY_PAGE_DOWN}, {KEY_HOME, TUI_KEY_HOME},   {KEY_END, TUI_KEY_END},
                {KEY_ENTER, TUI_KEY_ENTER}, {KEY_BTAB, TUI_KEY_BACKTAB},   {KEY_BACKSPACE, TUI_KEY_BACKSPACE}, {KEY_DC, TUI_KEY_DELETE},
                {KEY_F(1), TUI_KEY_F1},     {KEY_F(2), TUI_KEY_F2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == code)
            return rows[i].key;
    return TUI_KEY_NONE;
}

static struct tui_event mouse(void)
{
    MEVENT m;
    struct tui_event e = {.key = TUI_KEY_NONE};
    if (getmouse(&m) != OK)
        return e;
    e.x = m.x;
    e.y = m.y;
    e.key = m.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED) ? TUI_KEY_CLICK
            : m.bstate & BUTTON4_PRESSED                    ? TUI_KEY_WHEEL_UP
            : m.bstate & BUTTON5_PRESSED                    ? TUI_KEY_WHEEL_DOWN
                                                            : TUI_KEY_NONE;
    return e;
}

static uint32_t queued; /* a key that was read behind Esc, and is none of Alt's */

/* What stands behind a second Esc at once: a key that sends one itself (its application or normal form), or Esc once more. */
static uint32_t after_escape(void)
{
    static const struct {
        char end;
        uint32_t key;
    } rows[] = {{'A', TUI_KEY_UP}, {'B', TUI_KEY_DOWN}, {'C', TUI_KEY_RIGHT}, {'D', TUI_KEY_LEFT}, {'H', TUI_KEY_HOME}, {'F', TUI_KEY_END}};
    wint_t code;
    if (get_wch(&code) != OK || (code != '[' && code != 'O') || get_wch(&code) != OK)
        return TUI_KEY_ESCAPE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (code == (wint_t)rows[i].end)
            return rows[i].key;
    return TUI_KEY_ESCAPE;
}

/* Esc alone, or Alt and a character. */
static uint32_t escaped(void)
{
    wint_t code;
    timeout(0);
    const int rc = get_wch(&code);
    if (rc == OK && code != 27)
        return TUI_KEY_ALT + (uint32_t)code;
    queued = rc == OK ? after_escape() : rc == KEY_CODE_YES ? key_of(code) : (uint32_t)TUI_KEY_NONE;
    return TUI_KEY_ESCAPE;
}

struct tui_event tui_term_event(int milliseconds)
{
    wint_t code;
    if (queued) {
        const uint32_t key = queued;
        queued = TUI_KEY_NONE;
        return (struct tui_event){.key = key};
    }
    timeout(milliseconds);
    const int rc = get_wch(&code);
    if (rc == KEY_CODE_YES)
        return code == KEY_MOUSE ? mouse() : (struct tui_event){.key = key_of(code)};
    if (rc != OK)
        return (struct tui_event){.key = TUI_KEY_NONE};
    const uint32_t key = code == 27                   ? escaped()
                         : code == '\r' || code == '\n' ? (uint32_t)TUI_KEY_ENTER
                         : code == '\t'                 ? (uint32_t)TUI_KEY_TAB
                         : code == 127 || code == 8     ? (uint32_t)TUI_KEY_BACKSPACE
                                                        : (uint32_t)code;
    return (struct tui_event){.key = key};
}

void tui_term_copy(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *s = (const unsigned char *)text;
    const size_t n = strlen(text);
    (void)fputs("\033]52;c;", stdout);
    for (size_t i = 0; i < n; i += 3) {
        const uint32_t three = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0);
        (void)putchar(digits[three >> 18]);
        (void)putchar(digits[three >> 12 & 63]);
        (void)putchar(i + 1 < n ? digits[three >> 6 & 63] : '=');
        (void)putchar(i + 2 < n ? digits[three & 63] : '=');
    }
    (void)fputs("\a", stdout);
    (void)fflush(stdout);
}
