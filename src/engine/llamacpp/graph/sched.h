/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_SCHED_H
#define HWL_LLAMACPP_SCHED_H

#include "engine/llamacpp/graph/galloc.h"

/* Whether back end `be` can run t (sources' buffers included). */
bool hwl_gsupports(const struct hwl_gsys *sys, uint32_t be, const struct hwl_node *t);
/* Chooses a back end for every tensor. What probes of fused operations look at needs no more than this. */
void hwl_sched_assign(const struct hwl_gsys *sys, struct hwl_graph *g);
/* Cuts the assigned graph into splits and lists what the allocator sees, in order. */
bool hwl_sched_split(const struct hwl_gsys *sys, struct hwl_graph *g, struct hwl_gsplit *out);

#endif
