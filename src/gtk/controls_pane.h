/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_CONTROLS_PANE_H
#define HWL_GTK_CONTROLS_PANE_H

#include "gtk/desk.h"

#include <gtk/gtk.h>

/* The left pane: model, devices, engine and version, then the controls of that engine. */
GtkWidget *hwl_controls_pane_new(HwlDesk *desk);

#endif
