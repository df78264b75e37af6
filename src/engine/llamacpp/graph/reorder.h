/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_REORDER_H
#define HWL_LLAMACPP_REORDER_H

#include "engine/llamacpp/graph/galloc.h"

/* The order in which a back end runs the nodes of one of its splits; the allocator sees that order. False: out of memory. */
bool hwl_reorder(const struct hwl_gsys *sys, struct hwl_graph *g, uint32_t be, hwl_gt *nodes, uint64_t n);

#endif
