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

/* The parts of hwl_b_state_load: the rows as a matrix whose first is cleared; and, behind what reads them (`rows`, returned), the
 * move of the untouched cells. */
hwl_gt hwl_b_state_cleared(struct hwl_build *b, hwl_gt all);
hwl_gt hwl_b_state_moved(struct hwl_build *b, const struct hwl_state *s, hwl_gt all, hwl_gt states, hwl_gt rows);
hwl_gt hwl_b_mamba(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, uint32_t il);
hwl_gt hwl_b_mamba2(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, uint32_t il);

/* RWKV: the rows before each token's (the kept one, then the tokens but the last), and the last. */
hwl_gt hwl_b_shifted(struct hwl_build *b, hwl_gt kept, hwl_gt x);
hwl_gt hwl_b_last_row(struct hwl_build *b, hwl_gt x);
/* A Qwen layer with RWKV in attention's place; *first is the first layer's value (RWKV-7). */
typedef hwl_gt (*hwl_time_mix)(struct hwl_build *b, const struct hwl_state *s, hwl_gt cur, hwl_gt prev, hwl_gt *first, uint32_t il);
hwl_gt hwl_b_qwen_layer(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, hwl_time_mix mix, hwl_gt *first, uint32_t il);

/* Builds a model with recurrent state; false: not one of those known here. */
bool hwl_b_recurrent(struct hwl_build *b);
bool hwl_b_mtp(struct hwl_build *b); /* the graph of an MTP context; false: not known for this architecture */
bool hwl_b_linear(struct hwl_build *b); /* those of them with linear attention */
bool hwl_b_hybrid(struct hwl_build *b); /* Mamba beside attention, each with a feed-forward */
bool hwl_b_kda(struct hwl_build *b);    /* Kimi delta attention */
bool hwl_b_rwkv6(struct hwl_build *b);  /* RWKV-6, and the RWKV layers put into Qwen */

#endif
