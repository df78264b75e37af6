/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_COMPUTE_H
#define HWL_LLAMACPP_COMPUTE_H

#include "engine/llamacpp/graph/build.h"

/* Compute buffers by building, splitting and allocating the graphs that llama.cpp reserves (sched_reserve: a prompt, one
 * token a sequence, the prompt again).
 * scratch is used and left to the caller. Into simulated, where it is not NULL, instead of out: what a load without
 * allocation believes, which is what --fit decides on. False: this architecture or setting is not built here. out->exact
 * false: built, but not proven to the byte. fa says what flash attention "auto" becomes. */
bool hwl_lc_compute(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                    struct lc_compute *out, struct lc_compute *simulated);
/* The same with every layer built: what the above must be equal to. */
bool hwl_lc_compute_whole(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                          struct lc_compute *out, struct lc_compute *simulated);

enum hwl_lc_graph {
    HWL_LC_GRAPH_PROMPT,
    HWL_LC_GRAPH_TOKEN,  /* one token of each sequence */
    HWL_LC_GRAPH_SINGLE, /* the prompt as one sequence (some models only) */
};
/* A reserved graph with every layer, as the allocator sees it; fa is the resolved flash attention. It lives in scratch. */
bool hwl_lc_reserved(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                     enum hwl_lc_graph which, bool fa, struct hwl_gsys *sys, struct hwl_gsplit *split);
/* What is alive when buffer (of *c, computed with the same arguments) is fullest, in the order of the graph. False: not built. */
bool hwl_lc_peak(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                 const struct lc_compute *c, uint32_t buffer, bool (*found)(void *user, const struct hwl_node *t, uint64_t bytes), void *user);

#endif
