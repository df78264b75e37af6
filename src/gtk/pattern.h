/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_PATTERN_H
#define HWL_GTK_PATTERN_H

#include <gtk/gtk.h>

/* Hatches rect in colour: "dots" "cross" "diagonal" "horizontal" "vertical"; anything else draws nothing. */
void hwl_pattern_draw(GtkSnapshot *snapshot, const graphene_rect_t *rect, const char *pattern, const GdkRGBA *colour);

#endif
