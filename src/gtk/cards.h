/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_CARDS_H
#define HWL_GTK_CARDS_H

#include "gtk/desk.h"

#include <gtk/gtk.h>

/* The cards of the result page; each follows the desk by itself. */
GtkWidget *hwl_verdict_card_new(HwlDesk *desk);
GtkWidget *hwl_memory_card_new(HwlDesk *desk);  /* a bar a device, and the legend */
GtkWidget *hwl_layers_card_new(HwlDesk *desk);  /* the heatmap */
GtkWidget *hwl_advice_card_new(HwlDesk *desk);
GtkWidget *hwl_notes_card_new(HwlDesk *desk);

/* Pages of charts, comparison and monitor. */
GtkWidget *hwl_charts_page_new(HwlDesk *desk);
GtkWidget *hwl_compare_page_new(HwlDesk *desk);
GtkWidget *hwl_monitor_page_new(HwlDesk *desk);
void hwl_compare_page_refresh(GtkWidget *page);

#endif
