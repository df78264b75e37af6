/* SPDX-License-Identifier: Apache-2.0 */
/* --kv-cache-dtype-skip-layers: layers whose cache stays in the model's type beside a quantised one.
 * After Attention.__init__ and get_kv_cache_spec (model_executor/layers/attention/attention.py, mla_attention.py) and
 * platforms/interface.py (_align_heterogeneous_kv_block_size) of 0.29 to 0.33. */
#include "engine/vllm/vllm.h"

#include "base/bytes.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>

static const struct hwl_vllm_kv_type plain = {.name = "auto"};

/* Is it a word of the list "3,5,sliding_window"? */
static bool listed(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; *p; p += *p == ',') {
        const size_t length = strcspn(p, ", ");
        if (length == n && memcmp(p, word, n) == 0)
            return true;
        p += length;
        p += strspn(p, " ");
    }
    return false;
}

static bool keeps(const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, uint32_t index)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%u", index);
    return listed(setup->kept, number) || (layer->attn.window && !layer->attn.kv_lora_rank && listed(setup->kept, "sliding_window"));
}

const struct hwl_vllm_kv_type *hwl_vllm_layer_kv(const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, int32_t index)
{
    return *setup->kept && index >= 0 && keeps(layer, setup, (uint32_t)index) ? &plain : setup->kv;
}

uint64_t hwl_vllm_kept_block(const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, struct hwl_ck *ck)
{
    struct hwl_vllm_setup own = *setup;
    own.kv = &plain;
    const uint64_t wide = hwl_vllm_token_bytes(layer, &own, ck), narrow = hwl_vllm_token_bytes(layer, setup, ck);
    return wide ? hwl_max(hwl_ck_mul(ck, setup->block, narrow) / wide / 16 * 16, 16) : setup->block;
}

hwl_status hwl_vllm_keep_layers(const struct hwl_model *model, struct hwl_vllm_setup *setup, uint64_t kernel, hwl_error *error)
{
    const struct hwl_layer *first = NULL;
    struct hwl_ck ck = {0};
    uint32_t windows = 0, others = 0; /* of the latter the kept ones */
    if (!*setup->kept)
        return HWL_OK;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        const struct hwl_layer *l = &model->layers[i];
        if (!l->attn.n_heads)
            continue;
        first = first ? first : l;
        windows += l->attn.window > 0;
        others += l->attn.window == 0 && keeps(l, setup, i);
    }
    /* Whole layers of two widths beside windows: 0.33 fails an assertion where it makes their pages one. */
    if ((windows && others) || setup->compressed || !setup->rules->kept_layers)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "vllm: --kv-cache-dtype-skip-layers %.60s is not modelled for this model and release", setup->kept);
    if (!first)
        return HWL_OK;
    struct hwl_vllm_setup own = *setup;
    own.kv = &plain;
    const uint64_t wide = hwl_vllm_token_bytes(first, &own, &ck), narrow = hwl_vllm_token_bytes(first, setup, &ck);
    if (wide > narrow && narrow) {
        const uint64_t unit = hwl_max(kernel, setup->block);
        setup->block = hwl_ck_mul(&ck, unit, hwl_div_ceil(hwl_ck_mul(&ck, wide, kernel), hwl_ck_mul(&ck, unit, narrow)));
    }
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "vllm: a cache block is beyond 64 bits") : HWL_OK;
}
