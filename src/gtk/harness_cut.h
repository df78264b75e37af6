/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_HARNESS_CUT_H
#define HWL_GTK_HARNESS_CUT_H

#include <gtk/gtk.h>

#define HWL_NARROW 360 /* nothing is cut at this width */

/* Prints what is cut in the window as it is, and how many that are. */
unsigned hwl_harness_cut(GtkWidget *window);

#endif
