/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TUI_TERM_H
#define HWL_TUI_TERM_H

#include "tui/ui.h"

/* The terminal, by ncursesw. Only term.c knows it. */

enum tui_theme { TUI_THEME_DARK, TUI_THEME_LIGHT, TUI_THEME_CONTRAST, TUI_THEME_NONE, TUI_THEMES };

bool tui_term_open(enum tui_theme theme); /* false: no terminal that it could draw on */
void tui_term_close(void);
void tui_term_theme(enum tui_theme theme);
void tui_term_size(int *width, int *height);
void tui_term_show(const struct tui_grid *grid);
/* The next event, waiting milliseconds at most (-1: for ever); key TUI_KEY_NONE: none came. */
struct tui_event tui_term_event(int milliseconds);
void tui_term_copy(const char *text); /* into the terminal's clipboard (OSC 52) */

#endif
