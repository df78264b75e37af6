/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_HEATMAP_H
#define HWL_GTK_HEATMAP_H

#include "view/model.h"

#include <gtk/gtk.h>

/* Layers x (attention, feed-forward, KV cache, state). Pointer and arrow keys choose a cell; "cell" is emitted with its column and row,
 * "opened" when it is activated. */
#define HWL_TYPE_HEATMAP (hwl_heatmap_get_type())
G_DECLARE_FINAL_TYPE(HwlHeatmap, hwl_heatmap, HWL, HEATMAP, GtkWidget)

GtkWidget *hwl_heatmap_new(void);
/* The map draws from view, which must stay until the next call. */
void hwl_heatmap_set(HwlHeatmap *map, const struct hwl_view_model *view);
const char *hwl_heatmap_legend(const struct hwl_view_model *view, char *buf, gsize size);
bool hwl_heatmap_chosen(HwlHeatmap *map, uint32_t *column, enum hwl_heat_row *row);

#endif
