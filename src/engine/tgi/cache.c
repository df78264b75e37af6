/* SPDX-License-Identifier: Apache-2.0 */
/* The paged cache: models/flash_causal_lm.py (init_kv_cache, warmup), layers/attention/kv_cache.py, and the batch that
 * the router warms up with (backends/v3/src/client/grpc_client.rs). */
#include "engine/tgi/tgi.h"

#include "base/bytes.h"

uint64_t hwl_tgi_row(const struct hwl_model *model, const struct hwl_tgi_setup *setup, struct hwl_ck *ck)
{
    const struct hwl_attention *a = NULL;
    for (uint32_t i = 0; i < model->n_layers && !a; i++)
        a = model->layers[i].attn.n_heads ? &model->layers[i].attn : NULL;
    if (!a)
        return 0;
    /* latent rows are cached expanded, as heads of the widest side; one size and one count of heads for all layers */
    uint64_t heads = a->kv_lora_rank ? a->n_heads : a->n_kv_heads ? a->n_kv_heads : a->n_heads;
    const uint64_t head = a->kv_lora_rank ? hwl_max((uint64_t)a->qk_nope_dim + a->qk_rope_dim, a->head_dim_v) : a->head_dim_k;
    heads = heads > 1 ? heads / setup->tp : heads;
    return hwl_ck_mul4(ck, model->n_layers, hwl_ck_mul(ck, heads, head), 2, setup->kv_bytes);
}

uint64_t hwl_tgi_warm_blocks(const struct hwl_tgi_setup *setup)
{
    uint64_t blocks = 0, requests = 0;
    for (uint64_t done = 0; done < setup->prefill;) {
        uint64_t truncate = setup->prefill - done;
        if (setup->max_input)
            truncate = hwl_min(truncate, setup->max_input);
        if (truncate == 0)
            break;
        const uint64_t fresh = setup->rules->two_new ? 2 : setup->max_total > truncate ? setup->max_total - truncate : 1;
        blocks += hwl_div_ceil(truncate + fresh - 1 + setup->speculate, setup->block);
        done += truncate;
        if (++requests == setup->max_batch || requests > 65536)
            break;
    }
    return blocks;
}

uint64_t hwl_tgi_blocks(const struct hwl_tgi_setup *setup, uint64_t total, uint64_t free_bytes, uint64_t row, struct hwl_ck *ck)
{
    const struct hwl_tgi_rules *r = setup->rules;
    const double share = r->wiggle_of_free ? setup->fraction : setup->fraction * r->wiggle;
    double left = (double)free_bytes - (1.0 - share) * (double)total; /* get_cuda_free_memory */
    left = left > 0 ? left : 0;
    if (r->wiggle_of_free)
        left *= r->wiggle;
    const uint64_t block = hwl_ck_mul(ck, row, setup->block);
    return block ? hwl_ck_add(ck, (uint64_t)left / block, hwl_tgi_warm_blocks(setup)) : 0;
}
