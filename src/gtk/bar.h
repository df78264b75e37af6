/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_BAR_H
#define HWL_GTK_BAR_H

#include "view/model.h"

#include <gtk/gtk.h>

/* The stacked bar of one device: weights | KV | state | compute | output | overhead | free, the limit marked where it is passed. */
#define HWL_TYPE_BAR (hwl_bar_get_type())
G_DECLARE_FINAL_TYPE(HwlBar, hwl_bar, HWL, BAR, GtkWidget)

GtkWidget *hwl_bar_new(void);
/* scale: bytes that the whole width stands for; 0: the device's own. */
void hwl_bar_set(HwlBar *bar, const struct hwl_view_device *device, uint64_t scale);
void hwl_bar_highlight(HwlBar *bar, int segment); /* -1: none */

/* Fills rect with a segment's colour, and its pattern in high contrast. */
void hwl_bar_draw_segment(GtkSnapshot *snapshot, const graphene_rect_t *rect, uint32_t segment, bool faint);

#endif
