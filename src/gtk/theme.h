/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_THEME_H
#define HWL_GTK_THEME_H

#include "view/palette.h"

#include <adwaita.h>

/* The shared palette as CSS and as colours for drawing; follows light, dark and high contrast. */
void hwl_theme_start(void); /* once, with a display */
const struct hwl_palette *hwl_theme_palette(void);
bool hwl_theme_contrast(void); /* patterns are drawn beside colours */
GdkRGBA hwl_theme_rgba(uint32_t rgb);
const char *hwl_theme_level_class(enum hwl_level level); /* CSS class of a verdict's text */
void hwl_theme_set_level(GtkWidget *widget, enum hwl_level level); /* that class and no other of them */
/* Redraws widget whenever the scheme changes. */
void hwl_theme_watch(GtkWidget *widget);

#endif
