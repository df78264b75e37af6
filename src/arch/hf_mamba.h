/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_HF_MAMBA_H
#define HWL_ARCH_HF_MAMBA_H

#include "arch/hf.h"

/* One Mamba-1 mixer under b's prefix. */
struct hwl_mamba1 {
    uint64_t hidden, inner, state, conv, rank;
    bool bias, conv_bias, norms; /* norms: of dt, B and C (Jamba) */
};
void hwl_hf_mamba1_mixer(struct hwl_hb *b, struct hwl_layer *l, const struct hwl_mamba1 *m);

/* Rank of the time step; absent or "auto": a sixteenth of the width. */
uint64_t hwl_hf_rank(const struct hwl_config *c, const char *key, uint64_t hidden);

/* One Mamba-2 mixer. */
struct hwl_mamba2 {
    uint64_t hidden, inner, heads, head_dim, state, groups, conv;
    bool bias, conv_bias, norm, out_bias; /* bias: of the projection in */
};
void hwl_hf_mamba2_mixer(struct hwl_hb *b, struct hwl_layer *l, const struct hwl_mamba2 *m);
/* mamba_n_heads, mamba_d_head ... of Bamba, Falcon-H1, Granite 4 */
struct hwl_mamba2 hwl_hf_mamba2_keys(struct hwl_hb *b, const struct hwl_config *c, uint64_t hidden);

#endif
