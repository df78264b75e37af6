/* SPDX-License-Identifier: Apache-2.0 */
/* The dummy run of a vision tower, which comes before the forward pass: as many of the largest items as the encoder's budget
 * holds (multimodal/encoder_budget.py, gpu_model_runner.profile_run). Towers are not compiled: each operation of a block has
 * its output in memory. The points are those of vLLM 0.33.0's classes, run on tensors without data: the towers of
 * tests/data/vllm/activations.txt. */
#include "engine/vllm/profile.h"

#define HELD_ROWS 4      /* residual in and out, the normed input, the product's output: where the tower does not say */
#define ROTATED_ROWS 8   /* queries, keys and values in one, a copy of queries and keys, both turned, the attention's output */
#define ATTENTION_ROWS 4 /* the same without turning */

static const struct hwl_encoder *vision(const struct hwl_model *m)
{
    for (uint32_t i = 0; m->encoders && i < m->n_encoders; i++)
        if (m->encoders[i].component == HWL_COMP_VISION)
            return &m->encoders[i];
    return NULL;
}

struct hwl_vllm_tower hwl_vllm_tower(const struct hwl_model *m, const struct hwl_vllm_setup *u, struct hwl_ck *ck)
{
    const struct hwl_encoder *e = vision(m);
    /* an encoder of which no item is known: the embeddings of one budget of tokens */
    struct hwl_vllm_tower t = {.kept = hwl_ck_mul3(ck, u->mbt, m->hidden, u->dtype_bytes)};
    if (!e || !e->max_tokens || (!e->item_elements && (!e->image_size || e->image_size >= 65536)))
        return t;
    const uint64_t embeddings = e->embeddings ? e->embeddings : e->max_tokens;
    /* a video of as many pairs of frames as the longest request holds */
    const uint64_t pairs = hwl_max(hwl_min(u->max_len / embeddings, e->max_frames / 2), 1);
    const uint64_t items = hwl_ck_mul(ck, hwl_max(u->mbt / hwl_ck_mul(ck, embeddings, pairs), 1), pairs);
    const uint64_t pixels = e->item_elements ? e->item_elements : 3 * e->image_size * e->image_size;
    const uint64_t width = e->embedding_width ? e->embedding_width : m->hidden;
    const uint64_t arrived = hwl_ck_mul3(ck, items, pixels, u->dtype_bytes);
    const uint64_t ranks = u->classes & HWL_SHARD_TOWER_WHOLE ? 1 : u->tp;
    const uint64_t inner = hwl_ck_mul(ck, e->act_rows ? e->act_rows : 2, e->d_ff) / ranks;
    const uint64_t turned = hwl_ck_mul(ck, e->rotary ? ROTATED_ROWS : ATTENTION_ROWS, e->hidden) / ranks;
    uint64_t held = e->held_rows ? e->held_rows : HELD_ROWS;
    held += ranks > 1; /* the reduced copy */
    const uint64_t turns = e->rotary && e->n_heads ? 2 * (e->hidden / e->n_heads) : 0; /* cosines and sines, in two orders */
    const uint64_t row = hwl_ck_add(ck, hwl_ck_mul(ck, held, e->hidden), hwl_ck_add(ck, turns, hwl_max(inner, turned)));
    /* what the layers hand to the text model beside the last one's output is there before the end */
    const uint64_t early = width > m->hidden ? hwl_ck_mul4(ck, items, embeddings, width - m->hidden, u->dtype_bytes) : 0;
    t.kept = hwl_ck_add(ck, hwl_ck_mul4(ck, items, embeddings, width, u->dtype_bytes), arrived);
    t.peak = hwl_ck_add(ck, hwl_ck_add(ck, hwl_ck_mul4(ck, items, e->max_tokens, row, u->dtype_bytes), arrived), early);
    t.tokens = hwl_ck_mul(ck, items, e->max_tokens);
    t.row = row;
    return t;
}
