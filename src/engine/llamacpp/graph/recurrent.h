/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_RECURRENT_H
#define HWL_LLAMACPP_RECURRENT_H

#include "engine/llamacpp/graph/build.h"

struct hwl_state {
    hwl_gt main, extra; /* rows of the sequences of the batch, and of the other cells */
};

/* State tensor of a layer, kept in *slot (b->k or b->v behind the caches). */
hwl_gt hwl_b_state(struct hwl_build *b, hwl_gt *slot, uint32_t il, uint64_t width);
struct hwl_state hwl_b_inp_state(struct hwl_build *b);
/* Rows of the batch's sequences; clears one cell and moves the others. */
hwl_gt hwl_b_state_load(struct hwl_build *b, const struct hwl_state *s, hwl_gt all);
/* Convolution over the kept columns and x [n_tokens of a sequence][channels]; keeps the last columns. */
hwl_gt hwl_b_state_conv(struct hwl_build *b, const struct hwl_state *s, uint32_t il, hwl_gt x, uint64_t channels, uint64_t kept,
                        const char *kernel, bool flat);

/* Builds a model with recurrent state; false: not one of those known here. */
bool hwl_b_recurrent(struct hwl_build *b);
bool hwl_b_linear(struct hwl_build *b); /* those of them with linear attention */

#endif
