/* SPDX-License-Identifier: Apache-2.0 */
/* What the caches of a layer hold: DynamicCache and StaticCache of cache_utils.py and the cache layers of model classes
 * (transformers 5.24), proved equal to their own tensors by tests/data/transformers/caches.txt. */
#include "engine/transformers/transformers.h"

#include "base/bytes.h"

#define COUNTER 8 /* tokens seen: one 64-bit integer on the device */
#define F32 4

static uint64_t row_elements(const struct hwl_attention *a, bool expanded)
{
    if (!a->n_heads || a->kv_shared_with >= 0)
        return 0;
    if (a->kv_lora_rank && expanded)
        return (uint64_t)a->n_heads * ((uint64_t)a->qk_nope_dim + a->qk_rope_dim + a->head_dim_v);
    if (a->kv_lora_rank)
        return (uint64_t)a->kv_lora_rank + a->qk_rope_dim;
    return (uint64_t)(a->n_kv_heads ? a->n_kv_heads : a->n_heads) * ((uint64_t)a->head_dim_k + a->head_dim_v);
}

/* Compressed rows, what is left of the last block (keys and gates), and with an indexer two series and the overlap of the
 * last block, whose gates are fp32. Bytes of a sequence beyond the window. */
static uint64_t compressed(const struct hwl_attention *a, uint64_t ctx, uint64_t dtype, struct hwl_ck *ck)
{
    const uint64_t ratio = a->compress_ratio, blocks = ctx / ratio, left = ctx % ratio;
    const uint64_t width = (uint64_t)a->head_dim_k + (a->index_heads ? a->index_head_dim : 0);
    const uint64_t series = a->index_heads ? 2 : 1;
    const uint64_t rows = hwl_ck_mul3(ck, hwl_ck_add(ck, blocks, left * 2 * series), width, dtype);
    const uint64_t overlap = a->index_heads && blocks ? hwl_ck_mul3(ck, ratio, width, dtype + F32) : 0;
    return hwl_ck_add(ck, rows, overlap);
}

uint64_t hwl_tf_encoder_tokens(const struct hwl_model *model, uint64_t ctx)
{
    uint64_t positions = 0;
    for (uint64_t i = 0; i < model->n_tensors && model->n_encoder; i++)
        if (model->tensors[i].role == HWL_ROLE_POS_EMBD && model->tensors[i].layer < 0)
            positions = hwl_max(positions, model->tensors[i].dims[0]);
    return model->n_encoder ? (positions ? positions : ctx) : 0;
}

struct hwl_tf_cached hwl_tf_cache(const struct hwl_layer *layer, const struct hwl_tf_cache_kind *kind, struct hwl_ck *ck)
{
    const struct hwl_attention *a = &layer->attn;
    struct hwl_tf_cached c = {0};
    uint64_t elements = row_elements(a, kind->expanded_mla);
    if (layer->mixer == HWL_MIXER_LINEAR || layer->mixer == HWL_MIXER_GATED_DELTA_NET || layer->mixer == HWL_MIXER_KDA)
        elements = 0;
    if (!elements || a->cross) /* of an image, which a prompt of text has not */
        return c;
    const bool slides = a->window && (kind->fixed ? a->window < kind->ctx : true);
    const uint64_t window = !a->window || a->window > kind->ctx ? kind->ctx : kind->fixed ? a->window : a->window - 1;
    c.tokens = hwl_ck_mul(ck, window, kind->sequences);
    c.row = hwl_ck_mul(ck, hwl_ck_add(ck, elements, a->compress_ratio ? 0 : kind->expanded_mla ? 0 : a->index_head_dim), kind->dtype);
    c.extra = hwl_ck_mul3(ck, kind->encoder, kind->sequences, hwl_ck_mul(ck, elements, kind->dtype));
    c.grows = !a->window || a->window > kind->ctx;
    if (a->compress_ratio > 1)
        c.extra = hwl_ck_mul(ck, compressed(a, kind->ctx, kind->dtype, ck), kind->sequences);
    const uint64_t counters = kind->fixed ? (a->index_heads ? 2 : 1) : slides ? 1 : 0;
    c.extra = hwl_ck_add(ck, c.extra, counters * COUNTER);
    return c;
}

uint64_t hwl_tf_states(const struct hwl_layer *layer, const struct hwl_tf_cache_kind *kind, struct hwl_ck *ck)
{
    const struct hwl_state *s = &layer->state;
    const bool single = layer->mixer != HWL_MIXER_LINEAR; /* fp32 as the scan leaves it */
    const uint64_t conv = hwl_ck_mul3(ck, s->d_conv, s->conv_dim, kind->dtype);
    const uint64_t matrix = hwl_ck_mul(ck, s->ssm_elems, single ? F32 : kind->dtype);
    return hwl_ck_mul(ck, hwl_ck_add(ck, conv, matrix), kind->sequences);
}
