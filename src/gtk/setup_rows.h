/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_SETUP_ROWS_H
#define HWL_GTK_SETUP_ROWS_H

#include "gtk/desk.h"

#include <gtk/gtk.h>

/* Model, devices, engine and version: four rows at the head of the left pane. */
void hwl_setup_rows_add(GtkWidget *list, HwlDesk *desk);
/* "2 x RTX 4090, 24 GiB each", "CPU alone": devices in a few words. Returns buf. */
const char *hwl_devices_words(const hwl_devices *devices, char *buf, gsize size);

#endif
