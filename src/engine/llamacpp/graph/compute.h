/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_COMPUTE_H
#define HWL_LLAMACPP_COMPUTE_H

#include "engine/llamacpp/graph/build.h"

/* Compute buffers by building, splitting and allocating the graphs that llama.cpp reserves (sched_reserve: a prompt, one
 * token a sequence, the prompt again). cuda[i] false: device i has no CUDA limits or padding (RPC, other back ends).
 * scratch is used and left to the caller. simulated (may be NULL): what a load without allocation believes, which is what
 * --fit decides on. out->exact false: this architecture or setting is not built here and no byte is valid.
 * *out->fa says what flash attention "auto" becomes. */
bool hwl_lc_compute(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                    struct lc_compute *out, struct lc_compute *simulated);

#endif
