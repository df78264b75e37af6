/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_ENDS_H
#define HWL_GTK_ENDS_H

#include <gtk/gtk.h>

/* One child at the left end of a line, one at the right; the second below the first where the line is too short for both. */
#define HWL_TYPE_ENDS (hwl_ends_get_type())
G_DECLARE_FINAL_TYPE(HwlEnds, hwl_ends, HWL, ENDS, GtkWidget)

GtkWidget *hwl_ends_new(GtkWidget *first, GtkWidget *second);

#endif
