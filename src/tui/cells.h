/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TUI_CELLS_H
#define HWL_TUI_CELLS_H

#include <stdbool.h>
#include <stdint.h>

/* The screen as a grid of cells. Everything is drawn here first: a terminal shows it, a test reads it. */

enum tui_style {
    TUI_TEXT,
    TUI_DIM,
    TUI_STRONG,
    TUI_LINE,
    TUI_FOCUS, /* the selected line */
    TUI_KEY,   /* a key in a hint */
    TUI_MARK,  /* recommended and limit */
    TUI_SEGMENT,                 /* + segment of the view, 7 */
    TUI_LEVEL = TUI_SEGMENT + 7, /* + level, 5 */
    TUI_HEAT = TUI_LEVEL + 5,    /* + shade, 9 */
    TUI_STYLES = TUI_HEAT + 9
};

struct tui_cell {
    uint32_t ch;    /* code point; 0: the right half of a wide one */
    uint8_t style;
    bool underline; /* in host memory */
};

struct tui_grid {
    struct tui_cell *cell; /* [height][width] */
    int width, height;
    bool ascii;            /* no character beyond ASCII is drawn */
};

bool tui_grid_size(struct tui_grid *g, int width, int height); /* blank; false when out of memory */
void tui_grid_free(struct tui_grid *g);
void tui_grid_blank(struct tui_grid *g);
/* Draws within [x, x + width) of the row, cut with an ellipsis; returns the cells taken. Anything outside the grid is left out. */
int tui_text(struct tui_grid *g, int x, int y, int width, enum tui_style style, const char *text);
int tui_textf(struct tui_grid *g, int x, int y, int width, enum tui_style style, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void tui_put(struct tui_grid *g, int x, int y, enum tui_style style, uint32_t ch);
void tui_fill(struct tui_grid *g, int x, int y, int width, int height, enum tui_style style, uint32_t ch);
void tui_restyle(struct tui_grid *g, int x, int y, int width, enum tui_style style); /* keeps the characters */
void tui_underline(struct tui_grid *g, int x, int y);
void tui_rule(struct tui_grid *g, int x, int y, int width);
void tui_box(struct tui_grid *g, int x, int y, int width, int height, const char *title, bool focused);
/* Cells that text takes. */
int tui_width(const char *text);
/* Rows as UTF-8 lines without blanks at their ends; the caller frees. NULL when out of memory. */
char *tui_dump(const struct tui_grid *g);

#endif
