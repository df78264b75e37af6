/* SPDX-License-Identifier: Apache-2.0 */
/* What SGLang makes of its arguments for a model on a card. After the resolution passes of 0.5.23 (srt/arg_groups) and
 * server_args.py of the releases before. */
#include "engine/sglang/sglang.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define DEFAULT_CONTEXT 2048 /* hf_transformers_utils.py get_context_length */
#define DRAFT_BLOCK 16       /* tokens, where the draft does not say how many it was trained for */
#define LLAMA2_PREFILL 4096
#define COMPRESSED_REQUESTS 256 /* deepseek_v4_hook.py */
#define MANY_REQUESTS 32        /* of a decode server, which keeps room for no more */
#define SPEC_REQUESTS 48        /* max_running_requests with speculation */

static const struct hwl_sglang_kv_type kv_types[] = {
    {.names = "auto"},
    {.names = "bfloat16 bf16 float16 f16 half", .bits = 16},
    {.names = "fp8_e4m3 fp8_e5m2 fp8", .bits = 8},
    {.names = "mxfp8", .bits = 8, .group = 32},
    {.names = "nvfp4 fp4_e2m1 fp4_mx_block16 fp4", .bits = 4, .group = 16},
};

static const struct hwl_sglang_kv_type *kv_type(const char *name)
{
    for (size_t i = 0; i < sizeof kv_types / sizeof *kv_types; i++)
        if (hwl_words_have(kv_types[i].names, name))
            return &kv_types[i];
    return NULL;
}

static hwl_status resolve_types(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_sglang_setup *u, hwl_error *error)
{
    const char *name = hwl_opt_text(s, HWL_OPT_DTYPE, "auto");
    if (!hwl_shard_dtype(name, &u->dtype, &u->dtype_bytes))
        return hwl_fail(error, HWL_E_USAGE, "sglang: unknown dtype '%s'", name);
    if (hwl_text_eq_nocase(name, "auto") && (m->dtype == HWL_DTYPE_F16 || m->dtype == HWL_DTYPE_F32))
        u->dtype = "float16"; /* float32 checkpoints are cast down */
    const char *kv = hwl_opt_text(s, HWL_OPT_KV_TYPE, "auto");
    if (hwl_text_eq_nocase(kv, "auto")) {
        if (u->sparse) /* _dsa_kv_cache_dtype_default */
            kv = u->cc >= 100 ? "fp8_e4m3" : "bfloat16";
        else if (m->quant.kv_dtype == HWL_DTYPE_F8_E4M3 && m->quant.method && strncmp(m->quant.method, "modelopt", 8) == 0)
            kv = "fp8_e4m3"; /* of other methods the engine does not read it */
    }
    u->kv = kv_type(kv);
    if (!u->kv)
        return hwl_fail(error, HWL_E_USAGE, "sglang: unknown cache type '%s'", kv);
    /* BaseLinearStateParams: convolution in bf16, matrices in float32 unless the configuration says otherwise */
    const char *ssm = hwl_opt_text(s, HWL_OPT_MAMBA_SSM_CACHE_DTYPE, "");
    u->conv_bytes = 2;
    u->ssm_bytes = *ssm                                     ? (hwl_words_have("float32 float", ssm) ? 4 : 2)
                   : m->hints.state_dtype != HWL_DTYPE_NONE ? (m->hints.state_dtype == HWL_DTYPE_F32 ? 4 : 2)
                                                            : 4;
    return HWL_OK;
}

/* get_pp_indices: what does not divide goes one each to the last stages. */
static void split_stages(uint32_t layers, struct hwl_sglang_setup *u)
{
    const uint32_t rest = layers % u->pp;
    u->stage_first[0] = 0;
    for (uint32_t i = 0; i < u->pp; i++)
        u->stage_first[i + 1] = (uint16_t)(u->stage_first[i] + layers / u->pp + (i >= u->pp - rest));
}

static hwl_status check_parallel(const struct hwl_model *m, const struct hwl_devices *d, struct hwl_sglang_setup *u, hwl_error *error)
{
    const uint64_t need = (uint64_t)u->tp * u->pp * (u->attention_dp > 1 ? 1 : u->dp);
    if (need > d->n_gpus)
        return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: %llu GPUs are asked for, %u are there", (unsigned long long)need, d->n_gpus);
    if (m->n_layers + m->n_mtp > 4096)
        return hwl_fail(error, HWL_E_LIMIT, "sglang: more than 4096 layers");
    if (u->pp > HWL_SGLANG_MAX_STAGES || u->pp > (m->n_layers ? m->n_layers : 1))
        return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: %u pipeline stages for %u layers", u->pp, m->n_layers);
    if (u->tp % u->attention_dp || u->attention_tp % u->dcp)
        return hwl_fail(error, HWL_E_REFUSED,
                        "sglang refuses: tensor parallel size %u does not divide over %u data-parallel attention ranks "
                        "and %u context-parallel ones",
                        u->tp, u->attention_dp, u->dcp);
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_attention *a = &m->layers[i].attn;
        if (a->n_heads && a->n_heads % u->attention_tp)
            return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: %u attention heads do not divide over %u ranks", a->n_heads,
                            u->attention_tp);
        if (a->compress_ratio > 1 && !u->rules->compressed)
            return hwl_fail(error, HWL_E_UNSUPPORTED, "sglang: the pools of compressed attention are there from 0.5.12 on, not for %s",
                            u->rules->version);
        if (a->compress_ratio > 1 && a->compress_ratio != 4 && a->compress_ratio != 128)
            return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: a compression ratio of %u", a->compress_ratio);
    }
    return HWL_OK;
}

static hwl_status resolve_speculation(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_sglang_setup *u, hwl_error *error)
{
    const char *algorithm = hwl_opt_text(s, HWL_OPT_SPEC_METHOD, "");
    const bool own = hwl_opt_has(s, HWL_OPT_DRAFT);
    u->spec_method = "";
    if (!*algorithm)
        return HWL_OK;
    if (hwl_words_have("NGRAM ngram", algorithm)) {
        u->spec_method = "ngram";
        u->draft_tokens = (uint32_t)hwl_min(hwl_opt_u64(s, HWL_OPT_DRAFT_MAX, 12), 1024);
        return HWL_OK;
    }
    static const char *const methods[][2] = {{"EAGLE eagle NEXTN nextn mtp", "eagle"},
                                             {"EAGLE3 eagle3", "eagle3"},
                                             {"STANDALONE standalone", "standalone"},
                                             {"DFLASH dflash", "dflash"},
                                             {"DSPARK dspark", "dspark"}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (hwl_words_have(methods[i][0], algorithm))
            u->spec_method = methods[i][1];
    if (!*u->spec_method)
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "sglang: speculative algorithm '%s' is not modelled; EAGLE, EAGLE3, NEXTN, STANDALONE, DFLASH, DSPARK and "
                        "NGRAM are",
                        algorithm);
    u->draft_named = own;
    if (strcmp(u->spec_method, "eagle") == 0 && m->n_mtp && !own)
        u->spec_method = "mtp";
    if (hwl_words_have("dflash dspark", u->spec_method)) { /* a block of tokens at once */
        u->draft_layers = u->draft ? u->draft->n_layers : 0;
        u->draft_tokens = (uint32_t)hwl_min(hwl_opt_u64(s, HWL_OPT_DRAFT_MAX, DRAFT_BLOCK), 1024);
        return HWL_OK;
    }
    /* _auto_choose_speculative_params */
    const char *class_name = m->hints.class_name ? m->hints.class_name : "", *narrow = u->rules->narrow_drafts;
    const bool wide =
        strcmp(u->spec_method, "standalone") != 0 && (hwl_words_have("LlamaForCausalLM Grok1ForCausalLM Grok1VForCausalLM", class_name) ||
                                                      (strcmp(narrow, "*") != 0 && !hwl_words_have(narrow, class_name)));
    const uint64_t steps = hwl_opt_u64(s, HWL_OPT_SPEC_STEPS, wide ? 5 : 3);
    const uint64_t topk = hwl_opt_u64(s, HWL_OPT_SPEC_TOPK, wide ? 4 : 1);
    /* a model of its own for each step where there are several (multi_layer_eagle_worker.py) */
    u->draft_layers = strcmp(u->spec_method, "mtp") == 0 ? (uint32_t)hwl_min(hwl_max(steps, 1), m->n_mtp)
                      : u->draft                         ? u->draft->n_layers
                                                         : 1;
    u->draft_places = hwl_min(steps, 1024) * hwl_min(topk, 1024);
    u->draft_tokens = (uint32_t)hwl_min(topk == 1 ? steps + 1 : hwl_opt_u64(s, HWL_OPT_DRAFT_MAX, wide ? 8 : 4), 1024);
    return HWL_OK;
}

/* Servers that only prefill or only decode (pd_disaggregation_hook.py), and how tokens reach experts of other ranks. */
static hwl_status resolve_roles(const struct hwl_settings *s, struct hwl_sglang_setup *u, hwl_error *error)
{
    static const char spanning[] = "megamoe deepep deepep_v2 mooncake nixl ascend_fuseep flashinfer mori flashinfer_megamoe pplx";
    const char *role = hwl_opt_text(s, HWL_OPT_DISAGGREGATION, "null"), *a2a = hwl_opt_text(s, HWL_OPT_A2A_BACKEND, "none");
    if (!hwl_words_have("null prefill decode", role))
        return hwl_fail(error, HWL_E_USAGE, "sglang: --disaggregation-mode is null, prefill or decode, not '%s'", role);
    if (!hwl_words_have("none", a2a) && !hwl_words_have(spanning, a2a))
        return hwl_fail(error, HWL_E_USAGE, "sglang: unknown --moe-a2a-backend '%s'", a2a);
    u->prefills = strcmp(role, "prefill") == 0;
    u->decodes = strcmp(role, "decode") == 0;
    u->deepep = strcmp(a2a, "deepep") == 0;
    u->ep = hwl_opt_flag(s, HWL_OPT_EP, false) || hwl_words_have(spanning, a2a);
    u->prefix = hwl_opt_flag(s, HWL_OPT_PREFIX_CACHING, true) && !u->encoder_only && !u->decodes;
    const uint64_t requests = hwl_opt_u64(s, HWL_OPT_MAX_SEQS, 0);
    const uint64_t each = requests ? hwl_max(requests / (u->attention_dp > 1 ? u->attention_dp : u->dp), 1) : 0;
    u->extra_requests = u->decodes && each <= MANY_REQUESTS ? 2 * each : 0;
    return HWL_OK;
}

/* _mamba_radix_cache_resolution and _calculate_mamba_ratio: slots that one running request holds. */
static hwl_status resolve_states(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_sglang_setup *u, hwl_error *error)
{
    const char *strategy = hwl_opt_text(s, HWL_OPT_MAMBA_STRATEGY, "auto"), *class_name = m->hints.class_name;
    if (u->recurrent && ((u->rules->prefixless && class_name && hwl_words_have(u->rules->prefixless, class_name)) ||
                         (u->rules->drafts_end_prefix && *u->spec_method && hwl_words_have("auto no_buffer", strategy))))
        u->prefix = false;
    bool extra = false, lazy = false;
    const bool paged = hwl_opt_u64(s, HWL_OPT_BLOCK_SIZE, 1) > 1;
    if (strcmp(strategy, "auto") == 0)
        extra = u->rules->states_extra_buffer && (u->overlap || paged) &&
                (u->rules->extra_states ? class_name && hwl_words_have(u->rules->extra_states, class_name)
                                        : hwl_sglang_has(m, HWL_SGLANG_EXTRA_STATES));
    else if (strcmp(strategy, "extra_buffer") == 0)
        extra = true;
    else if (strcmp(strategy, "extra_buffer_lazy") == 0)
        extra = lazy = true;
    else if (strcmp(strategy, "no_buffer") != 0)
        return hwl_fail(error, HWL_E_USAGE, "sglang: unknown strategy '%s' for recurrent states", strategy);
    if (u->pp > 1 || (u->recurrent && u->prefix && !extra))
        u->overlap = false; /* no_buffer switches it off, pipeline stages do so too */
    u->states_per_request = !u->prefix || !u->rules->states_ratio ? 1
                            : u->rules->five_states               ? (extra && *u->spec_method ? 4 : 5)
                                                                  : 3u + (extra ? (lazy || !u->overlap ? 1 : 2) : 0);
    u->state_ratio = hwl_opt_real(s, HWL_OPT_MAMBA_RATIO, 0.9);
    if (!(u->state_ratio > 0.0 && u->state_ratio < 1e6))
        return hwl_fail(error, HWL_E_USAGE, "sglang: a ratio of recurrent states must be above 0");
    u->state_slots = hwl_opt_u64(s, HWL_OPT_MAMBA_SLOTS, 0) / u->attention_dp;
    return HWL_OK;
}

/* "1,2,4": how many there are, and the largest. */
static void read_sizes(const char *list, uint64_t *n, uint64_t *max)
{
    *n = *max = 0;
    for (const char *p = list; *p;) {
        uint64_t v = 0;
        while (*p >= '0' && *p <= '9')
            v = hwl_min(v * 10 + (uint64_t)(*p++ - '0'), 1 << 20);
        *max = hwl_max(*max, v);
        (*n)++;
        p += strcspn(p, "0123456789");
    }
}

/* Most tokens that prefill is captured for. */
static uint64_t prefill_limit(const struct hwl_model *m, const struct hwl_settings *s, const struct hwl_sglang_setup *u)
{
    uint64_t max = u->mla && u->rules->mla_prefill_max ? hwl_min(u->chunk, u->rules->mla_prefill_max) : u->chunk;
    if (u->mla && u->rules->mla_prefill_flat)
        max = u->rules->mla_prefill_max;
    if (hwl_opt_has(s, HWL_OPT_PREFILL_GRAPH_MAX))
        return hwl_opt_u64(s, HWL_OPT_PREFILL_GRAPH_MAX, 0);
    if (u->max_tokens)
        max = hwl_min(max, u->max_tokens);
    if (u->rules->prefill_by_context && hwl_opt_has(s, HWL_OPT_CTX))
        max = hwl_min(max, u->context);
    return m->source && hwl_text_holds(m->source, "llama-2") ? hwl_min(max, LLAMA2_PREFILL) : max;
}

static void resolve_batch(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_sglang_setup *u)
{
    const uint64_t memory = u->card->memory_bytes == HWL_UNKNOWN ? HWL_UNKNOWN : hwl_sglang_memory_mib(u);
    const struct hwl_sglang_class *c = u->rules->classes;
    while (c->below_mib && (memory == HWL_UNKNOWN || memory >= c->below_mib))
        c++;
    u->max_prefill = hwl_opt_u64(s, HWL_OPT_MAX_PREFILL_TOKENS, 16384);
    u->chunk = hwl_opt_flag(s, HWL_OPT_CHUNKED_PREFILL, true) ? hwl_opt_u64(s, HWL_OPT_MAX_BATCHED_TOKENS, c->chunk) : 0;
    u->max_requests = hwl_opt_u64(s, HWL_OPT_MAX_SEQS, 0);
    u->max_bs = u->tp >= 4 ? c->max_bs_wide : c->max_bs;
    if (u->rules->batch_by_requests && u->max_requests)
        u->max_bs = hwl_min(u->max_bs, u->max_requests);
    u->max_bs = hwl_opt_u64(s, HWL_OPT_MAX_CUDAGRAPH_SIZE, u->max_bs);
    u->sizes_end = memory == HWL_UNKNOWN || !u->rules->sizes_256_mib || memory <= u->rules->sizes_256_mib ? 160
                   : !u->rules->sizes_512_mib || memory <= u->rules->sizes_512_mib                        ? 256
                                                                                                          : 512;
    u->n_decode_graphs = hwl_sglang_decode_graphs(u);
    const char *list = hwl_opt_text(s, HWL_OPT_CUDAGRAPH_SIZES, "");
    u->sizes_given = *list != 0;
    if (*list)
        read_sizes(list, &u->n_decode_graphs, &u->max_bs);
    u->max_prefill_graph = prefill_limit(m, s, u);
    u->n_prefill_graphs = hwl_sglang_prefill_graphs(hwl_min(u->max_prefill_graph, 1 << 20));
    const char *tokens = hwl_opt_text(s, HWL_OPT_PREFILL_GRAPH_SIZES, "");
    if (*tokens)
        read_sizes(tokens, &u->n_prefill_graphs, &u->max_prefill_graph);
}

/* _apply_deepep_adjustments: sizes in eights, before the largest is known. */
static void deepep_graphs(const struct hwl_settings *s, struct hwl_sglang_setup *u)
{
    u->max_prefill_graph = hwl_min(hwl_opt_u64(s, HWL_OPT_PREFILL_GRAPH_MAX, 2048), 1 << 20);
    u->n_prefill_graphs = hwl_sglang_prefill_graphs(u->max_prefill_graph) - hwl_min(u->max_prefill_graph, 32) / 8;
}

/* Classes that were not captured in pieces (configs/model_config.py of 0.5.12). */
static const char uncaptured[] = "DeepseekV32ForCausalLM DeepseekV4ForCausalLM Qwen3NextForCausalLM GlmMoeDsaForCausalLM "
                                 "BailingMoeV2_5ForCausalLM LLaDAModelLM";
static const char uncaptured_13[] = "DeepseekV4ForCausalLM Qwen3NextForCausalLM BailingMoeV2_5ForCausalLM LLaDAModelLM";

/* Where prefill is not captured by default: cuda_graph_hook.py disable_breakable_cudagraph_if_incompatible. */
static bool captures_prefill(const struct hwl_model *m, const struct hwl_settings *s, const struct hwl_sglang_setup *u, bool *later_off)
{
    bool kda = false;
    for (uint32_t i = 0; i < m->n_layers; i++)
        kda = kda || m->layers[i].mixer == HWL_MIXER_KDA;
    const bool towers = u->multimodal && !(u->rules->media_graphs && hwl_sglang_has(m, HWL_SGLANG_MEDIA_GRAPHS));
    const bool mla_kernels = u->cc / 10 == 10 && !u->sparse && m->hints.class_name &&
                             strcmp(m->hints.class_name, "DeepseekV3ForCausalLM") == 0 &&
                             hwl_words_have("trtllm_mla", hwl_opt_text(s, HWL_OPT_ATTENTION_BACKEND, "trtllm_mla"));
    const char *class_name = m->hints.class_name ? m->hints.class_name : "", *a2a = hwl_opt_text(s, HWL_OPT_A2A_BACKEND, "none");
    const struct {
        enum hwl_sglang_off what;
        bool holds;
    } ends[] = {{HWL_SGLANG_OFF_DP, u->attention_dp > 1},
                {HWL_SGLANG_OFF_A2A, strcmp(a2a, "none") != 0},
                {HWL_SGLANG_OFF_UNTRIED, !hwl_words_have("none deepep megamoe flashinfer", a2a)},
                {HWL_SGLANG_OFF_LORA, u->max_loras > 0},
                {HWL_SGLANG_OFF_OFFLOAD, u->cpu_offload > 0},
                {HWL_SGLANG_OFF_ROLES, u->prefills || u->decodes},
                {HWL_SGLANG_OFF_MLA, u->mla},
                {HWL_SGLANG_OFF_DENSE_MLA, u->mla && !u->sparse},
                {HWL_SGLANG_OFF_KDA, kda},
                {HWL_SGLANG_OFF_NEMOTRON, strncmp(class_name, "NemotronH", 9) == 0},
                {HWL_SGLANG_OFF_LISTED, hwl_words_have(u->rules->prefill_by_context ? uncaptured_13 : uncaptured, class_name)},
                {HWL_SGLANG_OFF_DRAFTS, *u->spec_method != 0},
                {HWL_SGLANG_OFF_EAGER, hwl_opt_flag(s, HWL_OPT_ENFORCE_EAGER, false)}};
    bool off = false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        off = off || (ends[i].holds && u->rules->prefill_off & ends[i].what);
    const bool on = u->rules->prefill_graph && !u->compressed && u->pp == 1 && u->dcp == 1 && !towers && !off;
    *later_off = mla_kernels && !hwl_opt_has(s, HWL_OPT_PREFILL_GRAPH);
    return hwl_opt_flag(s, HWL_OPT_PREFILL_GRAPH, on) && u->rules->mla_prefill_max;
}

/* _derive_context_length: a longer one wants an environment variable, which 0.4.7 to 0.5.2 took as set. */
static hwl_status resolve_context(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_sglang_setup *u, hwl_error *error)
{
    uint64_t derived = m->context_train ? m->context_train : DEFAULT_CONTEXT;
    if (m->hints.rope_factor > 1 && !m->hints.context_original && m->hints.rope_type && strcmp(m->hints.rope_type, "llama3") != 0 &&
        strcmp(m->hints.rope_type, "default") != 0 && derived < (1u << 30))
        derived = (uint64_t)(m->hints.rope_factor * (double)derived);
    u->context = hwl_opt_u64(s, HWL_OPT_CTX, derived);
    if (u->context > derived && !u->rules->longer_context)
        return hwl_fail(error, HWL_E_REFUSED,
                        "sglang refuses: a context of %llu tokens where the configuration says %llu; "
                        "SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1 would let it",
                        (unsigned long long)u->context, (unsigned long long)derived);
    return HWL_OK;
}

static hwl_status look_at_layers(const struct hwl_model *m, struct hwl_sglang_setup *u, hwl_error *error)
{
    bool windows = false;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *l = &m->layers[i];
        if (l->mixer == HWL_MIXER_RWKV)
            return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: it has no model class for RWKV");
        u->recurrent = u->recurrent || hwl_layer_conv_elements(l) || hwl_layer_ssm_elements(l);
        u->mla = u->mla || l->attn.kv_lora_rank > 0;
        u->sparse = u->sparse || l->attn.index_heads > 0;
        u->compressed = u->compressed || l->attn.compress_ratio > 1;
        windows = windows || l->attn.window > 0;
    }
    u->window_pool = windows && hwl_sglang_has_window_pool(m, u);
    return HWL_OK;
}

hwl_status hwl_sglang_resolve(const struct hwl_model *model, const struct hwl_model *draft, const char *version,
                              const struct hwl_devices *devices, const struct hwl_settings *settings, struct hwl_sglang_setup *out,
                              hwl_error *error)
{
    struct hwl_sglang_setup u = {.rules = hwl_sglang_rules_of(version), .draft = draft};
    if (devices->n_gpus == 0)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "sglang: only GPUs are modelled; give one with --gpu");
    u.card = &devices->gpu[0];
    u.cc = u.card->compute_major * 10 + u.card->compute_minor;
    u.tp = hwl_shard_degree(settings, HWL_OPT_TP);
    u.pp = hwl_shard_degree(settings, HWL_OPT_PP);
    u.dp = hwl_shard_degree(settings, HWL_OPT_DP);
    u.dcp = hwl_shard_degree(settings, HWL_OPT_DCP);
    u.attention_dp = hwl_opt_flag(settings, HWL_OPT_DP_ATTENTION, false) ? u.dp : 1;
    u.attention_tp = u.tp / u.attention_dp ? u.tp / u.attention_dp : 1;
    u.redundant_experts = (uint32_t)hwl_min(hwl_opt_u64(settings, HWL_OPT_REDUNDANT_EXPERTS, 0), 65536);
    u.encoder_only = model->encoder_only;
    u.multimodal = (model->n_encoders > 0 || hwl_sglang_has(model, HWL_SGLANG_MEDIA)) &&
                   hwl_opt_flag(settings, HWL_OPT_MULTIMODAL, !hwl_sglang_has(model, HWL_SGLANG_MEDIA_OFF)) &&
                   !hwl_opt_flag(settings, HWL_OPT_LANGUAGE_MODEL_ONLY, false);
    HWL_TRY(look_at_layers(model, &u, error));
    HWL_TRY(check_parallel(model, devices, &u, error));
    HWL_TRY(resolve_types(model, settings, &u, error));
    HWL_TRY(resolve_roles(settings, &u, error));
    u.overlap = hwl_opt_flag(settings, HWL_OPT_ASYNC_SCHEDULING, true);
    u.uniform = u.window_pool && !hwl_opt_flag(settings, HWL_OPT_HYBRID_CACHE, true);
    u.window_pool = u.window_pool && !u.uniform;
    u.window_ratio = u.compressed ? hwl_sglang_compressed_share(settings) : hwl_opt_real(settings, HWL_OPT_SWA_RATIO, 0.8);
    if (!(u.window_ratio > 0.0 && u.window_ratio <= 1.0))
        return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: --swa-full-tokens-ratio must be above 0 and at most 1");
    HWL_TRY(resolve_context(model, settings, &u, error));
    u.max_tokens = hwl_opt_u64(settings, HWL_OPT_KV_TOKENS, 0);
    HWL_TRY(resolve_speculation(model, settings, &u, error));
    HWL_TRY(resolve_states(model, settings, &u, error));
    HWL_TRY(hwl_shard_adapters(settings, 8, &u.max_loras, &u.max_lora_rank, error));
    u.cpu_offload = hwl_opt_u64(settings, HWL_OPT_CPU_OFFLOAD, 0);
    resolve_batch(model, settings, &u);
    const bool decode = !hwl_opt_flag(settings, HWL_OPT_ENFORCE_EAGER, false) && !u.prefills;
    bool later_off; /* by the attention kernels, which are chosen after the fraction */
    const bool prefill = captures_prefill(model, settings, &u, &later_off) && !u.decodes;
    if (prefill && u.deepep && u.rules->roles && !hwl_opt_has(settings, HWL_OPT_PREFILL_GRAPH_SIZES))
        deepep_graphs(settings, &u);
    u.n_decode_graphs = decode ? u.n_decode_graphs : 0;
    u.n_prefill_graphs = prefill ? u.n_prefill_graphs : 0;
    if (hwl_opt_flag(settings, HWL_OPT_HICACHE, false)) {
        u.host_ratio = hwl_opt_real(settings, HWL_OPT_HICACHE_RATIO, 2.0);
        u.host_bytes = hwl_min(hwl_opt_u64(settings, HWL_OPT_HICACHE_SIZE, 0), 1u << 30) * 1000000000;
        if (!(u.host_ratio > 0.0 && u.host_ratio < 1e6))
            return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: --hicache-ratio must be above 0");
        if (!u.prefix)
            return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: --enable-hierarchical-cache with --disable-radix-cache");
    }
    u.media_bytes = hwl_sglang_media_bytes(model, settings, &u);
    u.fraction_given = hwl_opt_has(settings, HWL_OPT_GPU_MEMORY_UTILIZATION);
    u.fraction = u.fraction_given ? hwl_opt_real(settings, HWL_OPT_GPU_MEMORY_UTILIZATION, 0.88) * hwl_sglang_media_share(model, &u)
                                  : hwl_sglang_fraction(model, &u, decode, prefill, hwl_opt_text(settings, HWL_OPT_SPEC_METHOD, ""));
    if (u.sparse && u.rules->sparse_fraction)
        u.fraction = 0.8;
    if (!(u.fraction > 0.0 && u.fraction < 1.0))
        return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: a static memory fraction of %.3f", u.fraction);
    /* what follows is decided after the fraction */
    if (u.sparse && u.rules->sparse_dp) {
        u.dp = u.attention_dp = u.tp;
        u.attention_tp = 1;
    }
    if (later_off)
        u.n_prefill_graphs = 0;
    if (u.encoder_only) /* reserved for, not captured */
        u.n_decode_graphs = 0;
    if (!u.max_requests && (u.compressed || *u.spec_method))
        u.max_requests = u.compressed ? COMPRESSED_REQUESTS : SPEC_REQUESTS;
    if (hwl_sglang_has(model, HWL_SGLANG_WHOLE_PROMPTS) || (u.multimodal && u.rules->media_whole))
        u.chunk = 0;
    u.chunk = u.chunk ? hwl_max(u.chunk / u.attention_dp, 1) : 0;
    if (u.n_prefill_graphs && u.rules->prefill_per_rank && u.max_prefill_graph > u.chunk && u.chunk &&
        !hwl_opt_has(settings, HWL_OPT_PREFILL_GRAPH_MAX))
        u.n_prefill_graphs = hwl_sglang_prefill_graphs(hwl_min(u.chunk, 1 << 20));
    u.asked_requests = u.max_requests;
    u.max_requests = u.max_requests ? hwl_max(u.max_requests / u.attention_dp, 1) : 0;
    const char *backend = hwl_sglang_backend(model, settings, &u);
    const bool one = u.recurrent && u.prefix && u.rules->page_of_one &&
                     !hwl_words_have("extra_buffer", hwl_opt_text(settings, HWL_OPT_MAMBA_STRATEGY, ""));
    u.page = hwl_sglang_page(backend, one ? 0 : hwl_opt_u64(settings, HWL_OPT_BLOCK_SIZE, 0), &u);
    if (u.rules->sm100_one_pool && strcmp(backend, "trtllm_mha") == 0)
        u.window_pool = false;
    u.workspace = hwl_sglang_workspace(backend, model, &u);
    u.raw_rows = u.sparse && hwl_sglang_raw_rows(model, settings, &u);
    u.uniform_rows = u.compressed && strcmp(hwl_opt_text(settings, HWL_OPT_DSV4_BACKEND, "auto"), "trtllm") == 0;
    split_stages(model->n_layers, &u);
    *out = u;
    return HWL_OK;
}
