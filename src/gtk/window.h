/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_WINDOW_H
#define HWL_GTK_WINDOW_H

#include "gtk/desk.h"

#include <adwaita.h>

#define HWL_TYPE_WINDOW (hwl_window_get_type())
G_DECLARE_FINAL_TYPE(HwlWindow, hwl_window, HWL, WINDOW, AdwApplicationWindow)

HwlWindow *hwl_window_new(AdwApplication *app);
HwlDesk *hwl_window_desk(HwlWindow *window);
void hwl_window_turn(HwlWindow *window); /* the other side, where there is room for one */
void hwl_window_show_page(HwlWindow *window, const char *name); /* "plan" "charts" "compare" "monitor" */
void hwl_window_toast(HwlWindow *window, const char *text, const char *button, const char *action);

#endif
