/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_PANES_H
#define HWL_GTK_PANES_H

#include <gtk/gtk.h>

/* Two panes side by side; folded to one of them where there is no room for both. "folded": folding, or the pane in sight, changed
 * (emitted while sizes are given out). AdwLeaflet does the like, but restyles itself each time that it is given a size, which costs
 * every step of a slider a second picture. */
#define HWL_TYPE_PANES (hwl_panes_get_type())
G_DECLARE_FINAL_TYPE(HwlPanes, hwl_panes, HWL, PANES, GtkWidget)

GtkWidget *hwl_panes_new(GtkWidget *left, GtkWidget *right);
bool hwl_panes_folded(HwlPanes *panes);
void hwl_panes_turn(HwlPanes *panes, bool right); /* which one is in sight while folded */
bool hwl_panes_right(HwlPanes *panes);
void hwl_panes_show_left(HwlPanes *panes, bool show); /* false: the right pane is alone */

#endif
