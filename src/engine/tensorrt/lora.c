/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of adapters on each rank: slots as wide as the narrowest module. After batch_manager/peftCacheManager.cpp
 * (getMaxNumSlots, getPageManagerConfig), lora_helper.py and create_py_executor_instance, 1.2. Which modules adapters have is not
 * known before one is loaded: attention's four matrices, and the three of a dense feed-forward. */
#include "engine/tensorrt/tensorrt.h"

#include "base/bytes.h"
#include "base/status.h"

#define RANK 64          /* LoraConfig.max_lora_rank */
#define OPTIMAL 8        /* PeftCacheConfig.optimal_adapter_size */
#define LARGEST 64       /* max_adapter_size */
#define DEVICE_SHARE 0.02 /* device_cache_percent, where max_loras is not given */

hwl_status hwl_trt_adapters(const struct hwl_settings *settings, struct hwl_trt_setup *setup, hwl_error *error)
{
    HWL_TRY(hwl_shard_adapters(settings, 0, &setup->max_loras, &setup->max_lora_rank, error));
    setup->lora = setup->max_lora_rank > 0;
    if (setup->lora && !hwl_opt_has(settings, HWL_OPT_MAX_LORA_RANK) && !hwl_opt_list_n(settings, HWL_OPT_LORA))
        setup->max_lora_rank = RANK;
    if (setup->lora && setup->rules->four_loras && !setup->max_loras)
        setup->max_loras = 4;
    return HWL_OK;
}

/* In and out of one rank's part of each module together. */
static uint32_t widths(const struct hwl_model *m, const struct hwl_trt_setup *u, uint64_t *side)
{
    const struct hwl_layer *l = NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->n_layers && !l; i++)
        l = m->layers[i].attn.n_heads ? &m->layers[i] : NULL;
    if (!l)
        return 0;
    const struct hwl_attention *a = &l->attn;
    const uint64_t q = (uint64_t)a->n_heads * a->head_dim_k / u->tp;
    const uint64_t kv = (uint64_t)hwl_shard_kv_heads(l, u->tp, false) * a->head_dim_k;
    side[n++] = m->hidden + q;
    side[n++] = m->hidden + kv;
    side[n++] = m->hidden + kv;
    side[n++] = q + m->hidden;
    for (int i = 0; i < (l->ffn.d_ff && !l->ffn.n_experts ? l->ffn.gated ? 3 : 2 : 0); i++)
        side[n++] = m->hidden + l->ffn.d_ff / u->tp;
    return n;
}

uint64_t hwl_trt_adapter_bytes(const struct hwl_model *model, const struct hwl_trt_setup *setup, uint32_t stage, uint64_t free_bytes,
                               struct hwl_ck *ck)
{
    uint64_t side[8], least = UINT64_MAX, most = 0, per_layer = 0;
    const uint32_t n = setup->lora ? widths(model, setup, side) : 0;
    if (!n)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        least = hwl_min(least, side[i]);
        most = hwl_max(most, side[i]);
    }
    if (!least)
        return 0;
    const uint64_t optimal = hwl_min(OPTIMAL, setup->max_lora_rank), largest = hwl_min(LARGEST, setup->max_lora_rank);
    for (uint32_t i = 0; i < n; i++)
        per_layer += optimal * hwl_div_ceil(side[i], least);
    const uint64_t layers = (uint64_t)(setup->stage_first[stage + 1] - setup->stage_first[stage]);
    const uint64_t page = hwl_max(hwl_ck_mul(ck, per_layer, layers), hwl_div_ceil(hwl_ck_mul(ck, largest, most), least));
    const uint64_t width = hwl_ck_mul(ck, least, setup->dtype_bytes);
    const uint64_t slots = setup->max_loras
                               ? hwl_ck_mul4(ck, hwl_ck_mul(ck, setup->max_lora_rank, model->n_layers), n, setup->max_loras,
                                             hwl_div_ceil(most, least))
                               : (uint64_t)(DEVICE_SHARE * (double)free_bytes / (double)width);
    return page ? hwl_ck_mul3(ck, hwl_div_ceil(slots, page), page, width) : 0;
}
