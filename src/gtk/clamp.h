/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_CLAMP_H
#define HWL_GTK_CLAMP_H

#include <gtk/gtk.h>

/* One child, in the middle, no wider than most. AdwClamp sets style classes each time that it is given a size: a whole restyling and
 * a second picture for every step of a slider. */
#define HWL_TYPE_CLAMP (hwl_clamp_get_type())
G_DECLARE_FINAL_TYPE(HwlClamp, hwl_clamp, HWL, CLAMP, GtkWidget)

GtkWidget *hwl_clamp_new(GtkWidget *child, int most);

#endif
