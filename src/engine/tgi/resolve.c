/* SPDX-License-Identifier: Apache-2.0 */
/* What the launcher and the shards make of their arguments: launcher/src/main.rs (resolve_attention),
 * server/text_generation_server/models/__init__.py (get_model), layers/attention/kv_cache.py. */
#include "engine/tgi/tgi.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* Classes without a paged cache: models/causal_lm.py, seq2seq_lm.py, mamba.py. */
static const char unpaged[] = "bloom mpt opt t5 mamba idefics mllama";

static hwl_status check(const struct hwl_model *m, const struct hwl_devices *d, const struct hwl_tgi_setup *u, hwl_error *error)
{
    if (u->tp > d->n_gpus)
        return hwl_fail(error, HWL_E_REFUSED, "tgi refuses: %u shards for %u GPUs", u->tp, d->n_gpus);
    if (hwl_words_have(unpaged, m->arch) || m->n_encoder || m->encoder_only)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "tgi: %s runs without a paged cache, which is not modelled", m->arch);
    if (m->n_layers + m->n_mtp > 4096)
        return hwl_fail(error, HWL_E_LIMIT, "tgi: more than 4096 layers");
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_attention *a = &m->layers[i].attn;
        if (m->layers[i].state.ssm_elems || m->layers[i].state.conv_dim || a->compress_ratio > 1 || a->index_heads)
            return hwl_fail(error, HWL_E_REFUSED, "tgi refuses: it has no cache for the layers of %s", m->arch);
        if (a->n_heads && a->n_heads % u->tp)
            return hwl_fail(error, HWL_E_REFUSED, "tgi refuses: %u attention heads do not divide over %u shards", a->n_heads, u->tp);
        if (a->n_heads && !a->kv_lora_rank && a->n_kv_heads > 1 && a->n_kv_heads < u->tp)
            return hwl_fail(error, HWL_E_REFUSED, "tgi refuses: %u key-value heads are fewer than %u shards", a->n_kv_heads, u->tp);
    }
    return HWL_OK;
}

/* flashinfer where it knows the head's size; else flash decoding, or paged attention before Ampere. */
static const char *attention_of(const struct hwl_model *m, const struct hwl_tgi_setup *u)
{
    const uint32_t cc = u->card->compute_major;
    if (u->card->backend == HWL_BACKEND_ROCM)
        return "paged";
    if (!u->rules->flashinfer)
        return strcmp(m->arch, "gemma2") == 0 ? "flashdecoding" : "paged";
    const uint32_t head = m->n_layers ? m->layers[0].attn.head_dim_k : 0;
    const bool known = (head == 64 || head == 128 || head == 256) && !hwl_words_have("falcon deepseek_v2", m->arch);
    return known ? "flashinfer" : cc == 0 || cc >= 8 ? "flashdecoding" : "paged";
}

static hwl_status resolve_types(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_tgi_setup *u, hwl_error *error)
{
    const char *dtype = hwl_opt_text(s, HWL_OPT_DTYPE, "auto");
    if (!hwl_words_have("auto float16 bfloat16", dtype))
        return hwl_fail(error, HWL_E_USAGE, "tgi: unknown dtype '%s'; float16 and bfloat16", dtype);
    (void)m;
    u->dtype = dtype;
    u->dtype_bytes = 2;
    u->kv_type = hwl_opt_text(s, HWL_OPT_KV_TYPE, "auto");
    if (!hwl_words_have("auto fp8_e4m3fn fp8_e5m2 fp8", u->kv_type))
        return hwl_fail(error, HWL_E_USAGE, "tgi: unknown cache type '%s'; fp8_e4m3fn and fp8_e5m2", u->kv_type);
    if (strcmp(u->kv_type, "fp8") == 0)
        u->kv_type = "fp8_e4m3fn";
    u->kv_bytes = strcmp(u->kv_type, "auto") == 0 ? 2 : 1;
    if (u->kv_bytes == 1 && strcmp(u->attention, "flashdecoding") == 0)
        return hwl_fail(error, HWL_E_REFUSED, "tgi refuses: a cache of fp8 with flashdecoding");
    return HWL_OK;
}

/* Captured batch sizes, the default 1, 2, 4 ... 32; none where weights are quantised by bitsandbytes in 8 bits. */
static hwl_status resolve_graphs(const struct hwl_settings *s, struct hwl_tgi_setup *u, hwl_error *error)
{
    const char *text = hwl_opt_text(s, HWL_OPT_CUDAGRAPH_SIZES, u->rules->plain_lengths ? "" : "1,2,4,8,16,32");
    if (hwl_opt_flag(s, HWL_OPT_ENFORCE_EAGER, false))
        return HWL_OK;
    for (const char *p = text; *p;) {
        char *end;
        const unsigned long long n = strtoull(p, &end, 10);
        if (end == p || (*end && *end != ',') || n > 65536 || u->n_graphs == 32)
            return hwl_fail(error, HWL_E_USAGE, "tgi: '%s' is no list of captured sizes", text);
        if (n)
            u->graphs[u->n_graphs++] = n;
        p = *end ? end + 1 : end;
    }
    return HWL_OK;
}

hwl_status hwl_tgi_resolve(const struct hwl_model *model, const char *version, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, struct hwl_tgi_setup *out, hwl_error *error)
{
    struct hwl_tgi_setup u = {.rules = hwl_tgi_rules_of(version)};
    if (devices->n_gpus == 0)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "tgi: only GPUs are modelled; give one with --gpu");
    u.card = &devices->gpu[0];
    u.tp = hwl_shard_degree(settings, HWL_OPT_TP);
    u.multimodal = model->n_encoders > 0;
    HWL_TRY(check(model, devices, &u, error));
    u.attention = hwl_opt_text(settings, HWL_OPT_ATTENTION_BACKEND, attention_of(model, &u));
    if (!hwl_words_have("flashinfer flashdecoding paged", u.attention))
        return hwl_fail(error, HWL_E_USAGE, "tgi: unknown attention '%s'; flashinfer, flashdecoding and paged", u.attention);
    u.block = strcmp(u.attention, "flashinfer") == 0 ? 1 : strcmp(u.attention, "flashdecoding") == 0 ? 256 : 16;
    HWL_TRY(resolve_types(model, settings, &u, error));
    HWL_TRY(resolve_graphs(settings, &u, error));
    u.fraction = hwl_opt_real(settings, HWL_OPT_GPU_MEMORY_UTILIZATION, 1.0);
    if (!(u.fraction > 0.0 && u.fraction <= 1.0))
        return hwl_fail(error, HWL_E_REFUSED, "tgi refuses: cuda_memory_fraction must be above 0 and at most 1");
    u.speculate = hwl_opt_u64(settings, HWL_OPT_DRAFT_MAX, 0);
    if (hwl_opt_has(settings, HWL_OPT_DRAFT) || !hwl_words_have("ngram", hwl_opt_text(settings, HWL_OPT_SPEC_METHOD, "ngram")))
        return hwl_fail(error, HWL_E_UNSUPPORTED, "tgi: drafts of Medusa heads and speculators are not modelled; n-grams are");
    u.max_batch = hwl_opt_u64(settings, HWL_OPT_MAX_SEQS, 0);
    u.max_total = hwl_opt_u64(settings, HWL_OPT_CTX, 0);
    u.max_input = hwl_opt_u64(settings, HWL_OPT_MAX_PREFILL_TOKENS, 0);
    if (u.rules->plain_lengths) {
        u.max_total = u.max_total ? u.max_total : 2048;
        u.max_input = u.max_input ? u.max_input : 1024;
    }
    if (u.rules->fixed_total) {
        const uint64_t context = hwl_min(model->context_train ? model->context_train : 4096, 4096);
        u.max_total = u.max_total ? u.max_total : context;
        u.max_input = u.max_input ? u.max_input : u.max_total - 1;
    }
    if (u.max_input && u.max_total && u.max_input >= u.max_total)
        return hwl_fail(error, HWL_E_REFUSED, "tgi refuses: max_input_tokens must be below max_total_tokens");
    const uint64_t usual = u.rules->fixed_total && u.max_batch ? hwl_min(u.max_batch, UINT32_MAX) * hwl_min(u.max_input, UINT32_MAX)
                           : u.rules->fixed_total ? u.max_input + 50 : hwl_tgi_default_prefill(model, &u);
    u.prefill = hwl_max(hwl_opt_u64(settings, HWL_OPT_MAX_BATCHED_TOKENS, usual), 1);
    if (u.prefill > (uint64_t)1 << 32)
        return hwl_fail(error, HWL_E_USAGE, "tgi: max_batch_prefill_tokens is a number of 32 bits");
    HWL_TRY(hwl_shard_adapters(settings, 1, &u.max_loras, &u.max_lora_rank, error));
    *out = u;
    return HWL_OK;
}
