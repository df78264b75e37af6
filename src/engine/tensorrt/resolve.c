/* SPDX-License-Identifier: Apache-2.0 */
/* What TensorRT-LLM's PyTorch back end makes of its arguments, and the tokens of its paged cache. After
 * tensorrt_llm/llmapi/llm_args.py, _torch/pyexecutor/_util.py (KvCacheCreator) and resource_manager.py, 1.2. */
#include "engine/tensorrt/tensorrt.h"

#include "base/status.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    uint8_t bits, group;
} kv_types[] = {{"auto", 0, 0}, {"bf16", 16, 0}, {"bfloat16", 16, 0}, {"fp16", 16, 0}, {"float16", 16, 0},
                {"f16", 16, 0}, {"fp8", 8, 0},   {"int8", 8, 0},      {"nvfp4", 4, 16}};

#define INDEX_GROUP 128 /* keys of the indexer that share one fp32 scale */

static hwl_status resolve_types(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_trt_setup *u,
                                hwl_error *error)
{
    const char *name = hwl_opt_text(s, HWL_OPT_DTYPE, "auto");
    if (!hwl_words_have("auto bfloat16 float16 half float32 float", name))
        return hwl_fail(error, HWL_E_USAGE, "tensorrt-llm: unknown dtype '%s'", name);
    u->dtype_bytes = hwl_words_have("float32 float", name) ? 4 : 2;
    u->dtype = u->dtype_bytes == 4                                                                 ? "float32"
               : hwl_words_have("float16 half", name) || (strcmp(name, "auto") == 0 && m->dtype == HWL_DTYPE_F16) ? "float16"
                                                                                                   : "bfloat16";
    /* kv_cache_config.mamba_ssm_cache_dtype; auto: the checkpoint's, else the model's type */
    const char *state = hwl_opt_text(s, HWL_OPT_MAMBA_SSM_CACHE_DTYPE, "auto");
    if (!hwl_words_have("auto float16 bfloat16 float32", state))
        return hwl_fail(error, HWL_E_USAGE, "tensorrt-llm: unknown state type '%s'", state);
    u->state_bytes = strcmp(state, "float32") == 0 ? 4
                     : strcmp(state, "auto") == 0  ? (m->hints.state_dtype == HWL_DTYPE_F32 ? 4 : u->dtype_bytes)
                                                   : 2;
    u->kv_type = hwl_opt_text(s, HWL_OPT_KV_TYPE, "auto");
    if (strcmp(u->kv_type, "auto") == 0 && m->quant.kv_dtype == HWL_DTYPE_F8_E4M3)
        u->kv_type = "fp8";
    for (size_t i = 0; i < sizeof kv_types / sizeof *kv_types; i++)
        if (hwl_text_eq_nocase(kv_types[i].name, u->kv_type)) {
            u->kv_bits = kv_types[i].bits;
            u->kv_group = kv_types[i].group;
            return HWL_OK;
        }
    return hwl_fail(error, HWL_E_USAGE, "tensorrt-llm: unknown cache type '%s'", u->kv_type);
}

static hwl_status check(const struct hwl_model *m, const struct hwl_devices *d, const struct hwl_trt_setup *u,
                        hwl_error *error)
{
    struct hwl_ck ck = {0};
    const uint64_t need = (uint64_t)u->tp * u->pp;
    if (need > d->n_gpus)
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: %llu GPUs are asked for, %u are there",
                        (unsigned long long)need, d->n_gpus);
    if (m->n_layers + m->n_mtp > 4096)
        return hwl_fail(error, HWL_E_LIMIT, "tensorrt-llm: more than 4096 layers");
    if (u->pp > HWL_TRT_MAX_STAGES || u->pp > (m->n_layers ? m->n_layers : 1))
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: %u pipeline stages for %u layers", u->pp, m->n_layers);
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *l = &m->layers[i];
        if (l->attn.n_heads && l->attn.n_heads % u->attention_tp)
            return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: %u attention heads do not divide over %u ranks",
                            l->attn.n_heads, u->attention_tp);
        if ((hwl_layer_conv_elements(l) || hwl_layer_ssm_elements(l)) && !hwl_trt_states(l, u, &ck))
            return hwl_fail(error, HWL_E_REFUSED,
                            "tensorrt-llm refuses: its cache managers hold Mamba 2 and gated delta rule states, not those of %s",
                            m->arch);
        if (l->state.n_heads % u->attention_tp || l->state.conv_dim % u->attention_tp)
            return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: %u recurrent heads do not divide over %u ranks",
                            l->state.n_heads, u->attention_tp);
        if (l->attn.compress_ratio > 1)
            return hwl_fail(error, HWL_E_UNSUPPORTED, "tensorrt-llm: the cache of compressed attention is not modelled");
    }
    return HWL_OK;
}

hwl_status hwl_trt_resolve(const struct hwl_model *model, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, const char *version, struct hwl_trt_setup *out, hwl_error *error)
{
    struct hwl_trt_setup u = {.spec_method = "", .rules = hwl_trt_rules_of(version)};
    if (devices->n_gpus == 0)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "tensorrt-llm: only GPUs are modelled; give one with --gpu");
    u.card = &devices->gpu[0];
    if (u.card->backend != HWL_BACKEND_CUDA && u.card->backend != HWL_BACKEND_CPU)
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: %s is no CUDA device", u.card->name);
    u.cc = u.card->compute_major * 10 + u.card->compute_minor;
    u.tp = hwl_shard_degree(settings, HWL_OPT_TP);
    u.pp = hwl_shard_degree(settings, HWL_OPT_PP);
    u.ep = hwl_opt_flag(settings, HWL_OPT_EP, false);
    u.attention_dp = hwl_opt_flag(settings, HWL_OPT_DP_ATTENTION, false) && u.tp > 1;
    u.attention_tp = u.attention_dp ? 1 : u.tp;
    u.encoder_only = model->encoder_only;
    u.multimodal = model->n_encoders > 0;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        u.recurrent = u.recurrent || model->layers[i].state.ssm_elems;
        u.sparse = u.sparse || model->layers[i].attn.index_heads;
    }
    for (uint32_t i = 0; i < model->n_layers; i++)
        u.mla = u.mla || model->layers[i].attn.kv_lora_rank > 0;
    HWL_TRY(resolve_types(model, settings, &u, error));
    u.max_batch = hwl_max(hwl_opt_u64(settings, HWL_OPT_MAX_SEQS, 2048), 1);
    HWL_TRY(check(model, devices, &u, error));
    u.context = hwl_opt_u64(settings, HWL_OPT_CTX, model->context_train ? model->context_train : 2048);
    u.max_tokens = hwl_max(hwl_opt_u64(settings, HWL_OPT_MAX_BATCHED_TOKENS, 8192), 1);
    u.block = hwl_opt_u64(settings, HWL_OPT_BLOCK_SIZE, u.sparse ? 64 : 32);
    if (u.sparse && u.block != 64) /* DSACacheManager: the indexer's kernels */
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: sparse attention wants 64 tokens per block");
    if (u.block == 0 || (u.block & (u.block - 1)))
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: tokens per block must be a power of two");
    u.fraction = hwl_opt_real(settings, HWL_OPT_GPU_MEMORY_UTILIZATION, 0.9);
    if (!(u.fraction > 0.0 && u.fraction < 1.0)) /* calculate_max_num_blocks */
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: free_gpu_memory_fraction must be above 0 and below 1");
    u.kv_tokens = hwl_opt_u64(settings, HWL_OPT_KV_TOKENS, 0);
    u.kv_bytes = hwl_opt_u64(settings, HWL_OPT_KV_CACHE_MEMORY, 0);
    u.host_cache = hwl_opt_u64(settings, HWL_OPT_HOST_CACHE, 0);
    HWL_TRY(hwl_trt_windows(settings, &u, error));
    HWL_TRY(hwl_trt_adapters(settings, &u, error));
    /* Mapping.pp_layers: the first stages take what does not divide (torch.tensor_split) */
    const uint32_t rest = model->n_layers % u.pp;
    for (uint32_t i = 0; i < u.pp; i++)
        u.stage_first[i + 1] = (uint16_t)(u.stage_first[i] + model->n_layers / u.pp + (i < rest));
    *out = u;
    return HWL_OK;
}

static uint64_t side_bytes(uint64_t elements, const struct hwl_trt_setup *u, struct hwl_ck *ck)
{
    if (!u->kv_bits)
        return hwl_ck_mul(ck, elements, u->dtype_bytes);
    return hwl_ck_add(ck, hwl_ck_mul(ck, elements, u->kv_bits) / 8, u->kv_group ? elements / u->kv_group : 0);
}

static uint64_t elements_of(const struct hwl_layer *layer, const struct hwl_trt_setup *setup, bool planned, struct hwl_ck *ck)
{
    const struct hwl_attention *a = &layer->attn;
    if (!a->n_heads || a->cross || layer->mixer == HWL_MIXER_GATED_DELTA_NET || layer->mixer == HWL_MIXER_LINEAR)
        return 0;
    if (a->kv_lora_rank)
        return (uint64_t)a->kv_lora_rank + a->qk_rope_dim;
    const uint64_t dims = 2 * (uint64_t)a->head_dim_k; /* one head_dim for both, resource_manager.py */
    if (planned) /* get_cache_size_per_token divides heads and dimension together */
        return hwl_ck_mul(ck, a->n_kv_heads ? a->n_kv_heads : a->n_heads, dims) / setup->attention_tp;
    return hwl_ck_mul(ck, hwl_shard_kv_heads(layer, setup->attention_tp, false), dims);
}

/* FP8 keys of the indexer with their scales, a pool of its own. */
static uint64_t index_bytes(const struct hwl_attention *a)
{
    return a->index_heads ? (uint64_t)a->index_head_dim + a->index_head_dim / INDEX_GROUP * 4 : 0;
}

uint64_t hwl_trt_row(const struct hwl_layer *layer, const struct hwl_trt_setup *setup, struct hwl_ck *ck)
{
    const uint64_t elements = elements_of(layer, setup, false, ck);
    return elements ? hwl_ck_add(ck, side_bytes(elements, setup, ck), index_bytes(&layer->attn)) : 0;
}

/* DSACacheManager.get_cache_bytes_per_token counts the indexer's bytes as elements of the cache's type. */
uint64_t hwl_trt_planned_row(const struct hwl_layer *layer, const struct hwl_trt_setup *setup, struct hwl_ck *ck)
{
    const uint64_t elements = elements_of(layer, setup, true, ck);
    return elements ? side_bytes(hwl_ck_add(ck, elements, index_bytes(&layer->attn)), setup, ck) : 0;
}
