/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_WINDOW_ACTIONS_H
#define HWL_GTK_WINDOW_ACTIONS_H

#include "gtk/window.h"

/* Actions of a window, their keys, the menu and the page of keys: one table. */
void hwl_window_add_actions(HwlWindow *window);
void hwl_app_add_keys(GtkApplication *app);
GMenu *hwl_window_menu(void); /* the caller unrefs */

#endif
