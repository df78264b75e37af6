/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of cosines and sines that attention layers of a rank share: one row of the rotated width a position
 * (layers/rotary_embedding). */
#include "engine/shared/shard.h"

#include "base/bytes.h"
#include "base/str.h"

#include <string.h>

/* The widest row of the layers with a window, or of those without; 0: there are none, or they rotate nothing. */
static uint64_t widest(const struct hwl_model *m, bool windows, bool all)
{
    uint64_t width = 0;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_attention *a = &m->layers[i].attn;
        if (a->n_heads && (all || (a->window != 0) == windows))
            width = hwl_max(width, a->qk_rope_dim ? a->qk_rope_dim : a->head_dim_k);
    }
    return width;
}

static uint64_t rotated(const struct hwl_model *m, uint64_t width)
{
    const struct hwl_hints *h = &m->hints;
    if (h->rotary_dim)
        return hwl_min(width, h->rotary_dim);
    /* proportional rotation keeps the whole width and turns part of it by nothing */
    const bool part = h->rotary_part > 0.0 && h->rotary_part < 1.0 &&
                      !(h->rope_type && strcmp(h->rope_type, "proportional") == 0);
    return part ? (uint64_t)((double)width * h->rotary_part) : width;
}

/* 2 where layers that compress their cache stand beside others that do not (models/deepseek_v4), 1 everywhere else. */
static uint64_t compressed(const struct hwl_model *m)
{
    bool with = false, without = false;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        with = with || m->layers[i].attn.compress_ratio > 1;
        without = without || m->layers[i].attn.compress_ratio <= 1;
    }
    return with && without ? 2 : 1;
}

uint64_t hwl_shard_rope(const struct hwl_model *model, const struct hwl_shard_run *run, struct hwl_ck *ck)
{
    const struct hwl_hints *h = &model->hints;
    if (h->unrotated || run->classes & HWL_SHARD_NO_ROPE)
        return 0;
    for (uint64_t i = 0; i < model->n_tensors; i++)
        if (model->tensors[i].role == HWL_ROLE_POS_EMBD && model->tensors[i].layer < 0)
            return 0; /* learned positions */
    const uint64_t element = run->classes & HWL_SHARD_ROPE_F32 ? 4 : run->rope_bytes;
    const uint64_t positions = h->mrope && run->mrope_positions ? run->mrope_positions : 1;
    const uint64_t row = hwl_ck_mul3(ck, model->context_train, element, positions);
    const uint64_t full = hwl_ck_mul(ck, row, rotated(model, widest(model, false, !h->local_rope)));
    const uint64_t bases = compressed(model); /* compressed layers turn by a base of their own */
    const uint64_t local = h->local_rope ? hwl_ck_mul(ck, row, rotated(model, widest(model, true, false))) : 0;
    /* linear and dynamic scaling stretch the table of full attention */
    const bool stretched = h->rope_factor > 1.0 && h->rope_factor < 4096.0 && h->rope_type &&
                           hwl_words_have("linear dynamic", h->rope_type);
    return hwl_ck_add(ck, hwl_ck_mul(ck, stretched ? hwl_ck_mul(ck, full, (uint64_t)h->rope_factor) : full, bases), local);
}
