/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_LAYERS_H
#define HWL_VIEW_LAYERS_H

#include <hwledger/hwledger.h>

/* Equal in all that is shown. */
bool hwl_view_same_layer(const hwl_layer_info *a, const hwl_layer_info *b);
/* How many of the n layers form the group that starts the array: the longest stretch which repeats its first *period layers at
 * least once (period 1: equal layers), else a single layer. Of patterns that reach equally far the shortest. */
uint32_t hwl_view_layer_group(const hwl_layer_info *layers, uint32_t n, uint32_t *period);
/* How many of a group's n layers are like layer i; 0 where an earlier one stands for them. */
uint32_t hwl_view_layer_count(const hwl_layer_info *layers, uint32_t n, uint32_t i);
/* "5 x sliding, 1 x full": the layers of one repetition. Returns buf. */
const char *hwl_view_layer_pattern(const hwl_layer_info *layers, uint32_t period, char *buf, uint64_t size);

#endif
