/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_UI_H
#define HWL_GTK_UI_H

#include <adwaita.h>

/* Small pieces that every page uses. */
GtkWidget *hwl_ui_label(const char *text, const char *classes); /* left, wrapping; classes: words */
GtkWidget *hwl_ui_short_label(const char *text, const char *classes); /* one line, cut with an ellipsis */
/* A card with a heading; what belongs in it is appended to *box. */
GtkWidget *hwl_ui_card(const char *heading, GtkWidget **box);
GtkWidget *hwl_ui_icon_button(const char *icon, const char *name, const char *action);
GtkWidget *hwl_ui_scrolled(GtkWidget *child, int clamp);
void hwl_ui_name(void *widget, const char *name);             /* accessible name */
void hwl_ui_describe(void *widget, const char *description);  /* accessible description */
/* Sets the text only where it differs: no relayout, no chatter to screen readers. */
/* The same text without breaks between a number and its unit. Returns buf. */
const char *hwl_ui_unbroken(const char *text, char *buf, gsize size);
void hwl_ui_set(void *label, const char *text);
void hwl_ui_clear(GtkWidget *box); /* removes all children of a box or list */
GtkWidget *hwl_ui_dialog(GtkWindow *parent, const char *title, int width, int height, GtkWidget **content, GtkWidget **header);

#endif
