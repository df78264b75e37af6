/* SPDX-License-Identifier: Apache-2.0 */
/* What the vision tower holds over one image of the largest size: read off passes of CLIP and SigLIP over the meta device
 * (tests/data/transformers/towers.txt). The tower runs before the language model, so only what it holds beyond that counts. */
#include "engine/transformers/transformers.h"

#include "base/str.h"

#define SCORE 10 /* bytes of a score of attention written out: itself, its fp32 copy and the softmax */

uint64_t hwl_tf_tower(const struct hwl_model *model, const struct hwl_encoder *tower, uint64_t images, uint64_t dtype_bytes,
                      bool eager, struct hwl_ck *ck)
{
    const uint64_t tokens = hwl_ck_mul(ck, tower->max_tokens, images);
    /* input, residual, sum and normed copy; CLIP's quick GELU is two operations */
    const uint64_t widths = hwl_words_have("llava clip", model->arch) ? 3 : 2;
    const uint64_t ffn = hwl_ck_add(ck, hwl_ck_mul(ck, tower->hidden, 4), hwl_ck_mul(ck, tower->d_ff, widths));
    const uint64_t feed_forward = hwl_ck_mul3(ck, tokens, ffn, dtype_bytes);
    if (!eager)
        return feed_forward;
    const uint64_t scores = hwl_ck_mul4(ck, tokens, tower->max_tokens, tower->n_heads, SCORE);
    return hwl_max(feed_forward, hwl_ck_add(ck, scores, hwl_ck_mul4(ck, tokens, tower->hidden, 6, dtype_bytes)));
}
