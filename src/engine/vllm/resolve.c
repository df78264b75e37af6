/* SPDX-License-Identifier: Apache-2.0 */
/* What vLLM makes of its arguments for a model on a card: defaults, lengths, batch sizes, modes, pipeline stages.
 * After vllm/engine/arg_utils.py (get_batch_defaults), vllm/config/model.py (_get_and_verify_max_len),
 * vllm/model_executor/models/config.py (MambaModelConfig) and vllm/distributed/utils.py (get_pp_indices). */
#include "engine/vllm/vllm.h"

#include "base/bytes.h"
#include "base/json.h"
#include "base/status.h"
#include "base/str.h"
#include "engine/shared/shard.h"

#include <stdio.h>
#include <string.h>

#define GIB ((uint64_t)1 << 30)

static const struct hwl_vllm_kv_type kv_types[] = {
    {.name = "auto"},
    {.name = "float16", .bits = 16},
    {.name = "bfloat16", .bits = 16},
    {.name = "half", .bits = 16},
    {.name = "f16", .bits = 16},
    {.name = "bf16", .bits = 16},
    {.name = "fp8", .bits = 8, .quantised = true},
    {.name = "fp8_e4m3", .bits = 8, .quantised = true},
    {.name = "fp8_e5m2", .bits = 8, .quantised = true},
    {.name = "fp8_inc", .bits = 8, .quantised = true},
    {.name = "fp8_ds_mla", .bits = 8, .quantised = true},
    {.name = "int8_per_token_head", .bits = 8, .scale_bytes = 4, .quantised = true},
    {.name = "fp8_per_token_head", .bits = 8, .scale_bytes = 4, .quantised = true},
    {.name = "int4_per_token_head", .bits = 4, .scale_bytes = 4, .quantised = true},
    {.name = "nvfp4", .bits = 4, .quantised = true, .block_scales = true},
};

static const struct hwl_vllm_kv_type *kv_type(const char *name)
{
    for (size_t i = 0; i < sizeof kv_types / sizeof *kv_types; i++)
        if (hwl_text_eq_nocase(kv_types[i].name, name))
            return &kv_types[i];
    return NULL;
}

static bool recurrent(const struct hwl_layer *l)
{
    return l->state.ssm_elems > 0 || l->state.conv_dim > 0;
}

static hwl_status resolve_types(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_vllm_setup *u,
                                hwl_error *error)
{
    const char *name = hwl_opt_text(s, HWL_OPT_DTYPE, "auto");
    if (!hwl_shard_dtype(name, &u->dtype, &u->dtype_bytes))
        return hwl_fail(error, HWL_E_USAGE, "vllm: unknown dtype '%s'", name);
    if (hwl_text_eq_nocase(name, "auto") && (m->dtype == HWL_DTYPE_F16 || (m->encoder_only && m->dtype == HWL_DTYPE_F32)))
        u->dtype = "float16"; /* float32 checkpoints are cast to a 16-bit type too */
    const char *kv = hwl_opt_text(s, HWL_OPT_KV_TYPE, "auto");
    if (hwl_text_eq_nocase(kv, "auto")) {
        if (m->quant.kv_dtype == HWL_DTYPE_F8_E4M3)
            kv = "fp8";
        else if (u->cc / 10 == 10 && u->sparse && m->hints.class_name &&
                 strcmp(m->hints.class_name, "GlmMoeDsaForCausalLM") == 0)
            kv = "fp8_e4m3"; /* models/config.py GlmMoeDsaForCausalLM */
    }
    u->kv = kv_type(u->traits & HWL_VLLM_OWN_TYPE ? "auto" : kv);
    if (!u->kv)
        return hwl_fail(error,
                        strncmp(kv, "turboquant_", 11) == 0 || strncmp(kv, "octave_", 7) == 0 ? HWL_E_UNSUPPORTED
                                                                                              : HWL_E_USAGE,
                        "vllm: cache type '%s' is not modelled", kv);
    u->kept = u->kv->quantised ? hwl_opt_text(s, HWL_OPT_KV_SKIP_LAYERS, "") : "";
    const char *const wide = u->kv->bits == 16 ? (strchr(u->kv->name, 'b') == u->kv->name ? "bfloat16" : "float16") : u->dtype;
    if (u->rules->same_types && strcmp(wide, u->dtype) != 0)
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: a cache of %s is incompatible with the model's %s", wide, u->dtype);
    return HWL_OK;
}

/* What the longest context follows from. */
struct length {
    uint64_t trained, original, stated; /* 0: not there; stated: model_max_length, which stands above the others */
    double factor;
    char type[32];
};

/* Takes what --hf-overrides gives anew. Such an object is written by our own reader of options. */
static void override_length(struct length *l, const char *json)
{
    yyjson_doc *doc;
    if (hwl_json_parse(json, strlen(json), 0, "", &doc, NULL) != HWL_OK)
        return;
    yyjson_val *root = yyjson_doc_get_root(doc), *text = hwl_json_get(root, "text_config");
    for (int i = 0; i < 2; i++) {
        yyjson_val *obj = i ? text : root, *v;
        if (yyjson_is_uint(v = hwl_json_get(obj, "max_position_embeddings")))
            l->trained = yyjson_get_uint(v);
        if (yyjson_is_uint(v = hwl_json_get(obj, "model_max_length")))
            l->stated = yyjson_get_uint(v);
        yyjson_val *rope = hwl_json_get(obj, "rope_parameters");
        rope = rope ? rope : hwl_json_get(obj, "rope_scaling");
        if (!yyjson_is_obj(rope))
            continue;
        v = hwl_json_get(rope, "rope_type");
        v = v ? v : hwl_json_get(rope, "type");
        (void)snprintf(l->type, sizeof l->type, "%s", yyjson_is_str(v) ? yyjson_get_str(v) : "default");
        v = hwl_json_get(rope, "factor");
        l->factor = yyjson_is_num(v) ? yyjson_get_num(v) : 0.0;
        v = hwl_json_get(rope, "original_max_position_embeddings");
        l->original = yyjson_is_uint(v) ? yyjson_get_uint(v) : 0;
    }
    yyjson_doc_free(doc);
}

static struct length length_of(const struct hwl_model *m, const struct hwl_settings *s)
{
    const struct hwl_hints *h = &m->hints;
    struct length l = {.trained = m->context_train, .original = h->context_original, .stated = h->context_stated, .factor = h->rope_factor};
    (void)snprintf(l.type, sizeof l.type, "%s", h->rope_type ? h->rope_type : "default");
    const char *json = hwl_opt_text(s, HWL_OPT_HF_OVERRIDES, "");
    if (*json)
        override_length(&l, json);
    if (h->context_least && (l.trained == 0 || h->context_least < l.trained))
        l.trained = h->context_least;
    if (l.stated)
        l.trained = l.stated;
    return l;
}

/* max_model_len that the configuration leads to; 0: it says nothing. */
static uint64_t derived_len(const struct hwl_model *m, const struct length *l, const struct hwl_vllm_setup *u)
{
    static const char unscaled[] = "default su longrope llama3 deepseek_yarn deepseek_llama_scaling mrope proportional";
    const bool yarn = strcmp(l->type, "yarn") == 0;
    if (l->factor <= 1.0 || l->factor > 65536.0 || hwl_words_have(unscaled, l->type) || hwl_text_holds(m->arch, "gemma3") ||
        (yarn && !u->rules->yarn_scales))
        return l->trained;
    return (uint64_t)((double)(yarn && l->original ? l->original : l->trained) * l->factor);
}

static hwl_status resolve_len(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_vllm_setup *u,
                              hwl_error *error)
{
    const struct length length = length_of(m, s);
    uint64_t derived = derived_len(m, &length, u);
    const uint64_t stated = derived;
    u->auto_len = hwl_opt_flag(s, HWL_OPT_CTX_AUTO, false);
    if (u->auto_len && u->rules->no_auto_len)
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: max_model_len -1 is known from 0.14 on");
    if (hwl_opt_flag(s, HWL_OPT_DISABLE_SLIDING_WINDOW, false))
        for (uint32_t i = 0; i < m->n_layers; i++)
            if (m->layers[i].attn.window && derived)
                derived = hwl_min(derived, m->layers[i].attn.window);
    const uint64_t asked = hwl_opt_u64(s, HWL_OPT_CTX, 0);
    if (asked) {
        u->max_len = asked;
        if (derived && asked > hwl_max(derived, length.stated))
            return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: max_model_len %llu is above the model's %llu",
                            (unsigned long long)asked, (unsigned long long)derived);
        return HWL_OK;
    }
    if (!stated && u->auto_len)
        return hwl_fail(error, HWL_E_REFUSED,
                        "vllm refuses: the model states no length that max_model_len -1 could start from");
    u->max_len = derived ? derived : 2048;
    if (strcmp(length.type, "longrope") == 0 && length.original && !u->rules->long_rope)
        u->max_len = length.original; /* the short context of LongRoPE unless asked otherwise */
    return HWL_OK;
}

static hwl_status resolve_batch(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_vllm_setup *u, hwl_error *error)
{
    /* the largest item of a model that may not split it: seen in Gemma 4's resolved configuration */
    const uint64_t whole_item = strncmp(m->arch, "gemma4", 6) == 0 ? 2496 : 0;
    /* the API server's defaults by card */
    const struct hwl_vllm_rules *r = u->rules;
    const uint64_t memory = u->card->memory_bytes;
    const bool named = hwl_text_holds(u->card->name, "h100") || hwl_text_holds(u->card->name, "h200");
    const bool large = memory != HWL_UNKNOWN && memory >= 70 * GIB && (r->a100_large || !hwl_text_holds(u->card->name, "a100")) &&
                       !(r->gb10_small && u->cc == 121) && (named || !r->named_large);
    const bool largest = memory != HWL_UNKNOWN && memory >= 160 * GIB && r->largest_cards;
    u->mbt = largest ? 16384 : large ? 8192 : 2048;
    u->max_seqs = large || largest || r->many_seqs ? 1024 : 256;
    if (u->rules->whole_prompts) {
        /* a longer one is split, but for windows, latent rows, images, drafts and adapters (arg_utils.py _set_default_args_v0) */
        bool splits = u->max_len > 32768 && !u->window && !(u->mla && r->whole_latent) && m->n_encoders == 0 && !*u->spec_method && !u->max_loras;
        for (uint32_t i = 0; i < m->n_layers; i++)
            splits = splits && !m->layers[i].attn.window;
        splits = hwl_opt_flag(s, HWL_OPT_CHUNKED_PREFILL, splits);
        u->mbt = splits ? u->rules->whole_prompts : hwl_max(u->max_len, 2048);
        u->max_seqs = 256;
        if (u->encoder_only)
            u->mbt = hwl_max(u->mbt, 32768); /* _POOLING_MODEL_MAX_NUM_BATCHED_TOKENS */
        if (m->n_encoders > 0 || m->n_encoder > 0)
            u->mbt = hwl_max(u->mbt, 5120); /* _MULTIMODAL_MODEL_MAX_NUM_BATCHED_TOKENS */
    }
    const bool whole = u->encoder_only || (!r->always_chunks && !hwl_opt_flag(s, HWL_OPT_CHUNKED_PREFILL, true));
    if (whole)
        u->mbt = hwl_max(u->mbt, u->max_len); /* a prompt cannot be split */
    if (u->multimodal && whole_item > u->mbt)
        u->mbt = whole_item;
    uint64_t all; /* no more than all sequences together can hold */
    if (!u->rules->whole_prompts && hwl_mul(&all, hwl_opt_u64(s, HWL_OPT_MAX_SEQS, u->max_seqs), u->max_len) && all)
        u->mbt = hwl_min(u->mbt, all);
    u->mbt = hwl_opt_u64(s, HWL_OPT_MAX_BATCHED_TOKENS, u->mbt);
    u->max_seqs = hwl_opt_u64(s, HWL_OPT_MAX_SEQS, hwl_min(u->max_seqs, u->mbt));
    if (whole && u->mbt < u->max_len && hwl_opt_has(s, HWL_OPT_MAX_BATCHED_TOKENS))
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: max_num_batched_tokens %llu is smaller than max_model_len %llu, and prompts are not split",
                        (unsigned long long)u->mbt, (unsigned long long)u->max_len);
    return HWL_OK;
}

static hwl_status resolve_modes(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_vllm_setup *u,
                                hwl_error *error)
{
    const bool attention_free = u->traits & HWL_VLLM_ATTENTION_FREE;
    const struct hwl_vllm_rules *r = u->rules;
    const bool on = !u->encoder_only && m->n_encoder == 0 && !r->whole_prompts &&
                    (attention_free ? r->state_prefix : !u->recurrent || r->hybrid_prefix);
    u->prefix = hwl_opt_flag(s, HWL_OPT_PREFIX_CACHING, on) && !u->encoder_only && m->n_encoder == 0 && !(u->recurrent && r->no_state_prefix);
    u->async = hwl_opt_flag(s, HWL_OPT_ASYNC_SCHEDULING, true);
    u->one_type = !hwl_opt_flag(s, HWL_OPT_HYBRID_CACHE, true);
    const bool head = hwl_words_have("eagle eagle3", u->spec_method);
    for (uint32_t i = 0; i < m->n_layers; i++) /* config/vllm.py: chunks beside an EAGLE head, and alone until 0.13 */
        u->one_type = u->one_type || (m->layers[i].mixer == HWL_MIXER_CHUNKED && (r->chunks_promote || head));
    u->eager = hwl_opt_flag(s, HWL_OPT_ENFORCE_EAGER, false) ||
               strcmp(hwl_opt_text(s, HWL_OPT_OPTIMIZATION_LEVEL, ""), "0") == 0 ||
               hwl_text_eq_nocase(hwl_opt_text(s, HWL_OPT_CUDAGRAPH_MODE, ""), "none");
    u->state_mode = HWL_VLLM_STATE_NONE;
    if (!u->recurrent || !u->prefix)
        return HWL_OK;
    bool whole = u->rules->mode_all; /* SupportsMambaPrefixCaching: the Mamba 1 and 2 models */
    for (uint32_t i = 0; i < m->n_layers; i++)
        if (recurrent(&m->layers[i]) && m->layers[i].mixer != HWL_MIXER_MAMBA &&
            m->layers[i].mixer != HWL_MIXER_MAMBA2 && m->layers[i].attn.n_heads == 0)
            whole = false;
    if (!whole && r->no_align) {
        u->prefix = false;
        return HWL_OK;
    }
    const char *mode =
        hwl_opt_text(s, HWL_OPT_MAMBA_CACHE_MODE, whole && u->rules->mode_all_default ? "all" : "align");
    if (strcmp(mode, "all") == 0 && !u->rules->mode_all)
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: mamba_cache_mode all is gone from this version");
    u->state_mode = strcmp(mode, "all") == 0 && whole ? HWL_VLLM_STATE_ALL : HWL_VLLM_STATE_ALIGN;
    return HWL_OK;
}

/* --mamba-block-size: beside attention it gives way to the block of the cache; config/vllm.py, validate_mamba_block_size. */
static hwl_status check_state_block(const struct hwl_model *m, const struct hwl_settings *s, const struct hwl_vllm_setup *u, hwl_error *error)
{
    const uint64_t asked = hwl_opt_u64(s, HWL_OPT_MAMBA_BLOCK_SIZE, 0);
    bool attention = false;
    for (uint32_t i = 0; i < m->n_layers; i++)
        attention = attention || m->layers[i].attn.n_heads;
    if (!asked || asked == u->max_len)
        return HWL_OK;
    if (!u->prefix)
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: --mamba-block-size can only be set with --enable-prefix-caching");
    if (u->recurrent && (!attention || u->state_mode == HWL_VLLM_STATE_ALL))
        return hwl_fail(error, HWL_E_UNSUPPORTED, "vllm: --mamba-block-size is not modelled where the block of the cache does not follow from attention");
    return HWL_OK;
}

static hwl_status state_type(const char *name, uint64_t model_bytes, uint64_t *out, hwl_error *error)
{
    if (hwl_text_eq_nocase(name, "auto"))
        *out = model_bytes;
    else if (hwl_words_have("float32 float", name))
        *out = 4;
    else if (hwl_words_have("float16 bfloat16 half", name))
        *out = 2;
    else
        return hwl_fail(error, HWL_E_USAGE, "vllm: unknown state type '%s'", name);
    return HWL_OK;
}

static hwl_status resolve_states(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_vllm_setup *u,
                                 hwl_error *error)
{
    HWL_TRY(state_type(hwl_opt_text(s, HWL_OPT_MAMBA_CACHE_DTYPE, "auto"), u->dtype_bytes, &u->conv_bytes, error));
    /* Which families read a type of their configuration or have one of their own: models/config.py, KDA in
     * mamba_utils.py. */
    static const struct {
        const char *arch, *old, *now;
        bool reads;
    } own[] = {{"nemotron_h", "float16", "float32", true},
               {"qwen3_5", "auto", "auto", true},
               {"kimi_linear", "float32", "float32", false}};
    const char *type = hwl_opt_text(s, HWL_OPT_MAMBA_SSM_CACHE_DTYPE, "auto");
    if (hwl_text_eq_nocase(type, "auto"))
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            if (strncmp(m->arch, own[i].arch, strlen(own[i].arch)) == 0) {
                type = u->rules->wide_states ? own[i].now : own[i].old;
                if (own[i].reads && m->hints.state_dtype != HWL_DTYPE_NONE)
                    type = m->hints.state_dtype == HWL_DTYPE_F32 ? "float32" : "bfloat16";
            }
    HWL_TRY(state_type(type, u->conv_bytes, &u->ssm_bytes, error));
    for (uint32_t i = 0; i < m->n_layers && u->rules->one_state_type; i++)
        if (m->layers[i].mixer == HWL_MIXER_GATED_DELTA_NET)
            u->ssm_bytes = u->conv_bytes;
    return HWL_OK;
}

/* Releases that start the V0 engine where V1 cannot: its rules then hold. */
static const char *falls_back(const struct hwl_model *m, const struct hwl_vllm_setup *u)
{
    const uint8_t on = u->rules->v0_for;
    if (u->kv->quantised && (on & HWL_VLLM_V0_FP8) && !((on & HWL_VLLM_V0_FP8_FA3) && u->cc == 90))
        return "a quantised cache";
    if ((on & HWL_VLLM_V0_STAGES) && u->pp > 1)
        return "pipeline stages";
    if ((on & HWL_VLLM_V0_STATES) && u->recurrent)
        return "recurrent states";
    if ((on & HWL_VLLM_V0_POOLING) && u->encoder_only)
        return "encoders alone";
    bool cross = m->n_encoder > 0;
    for (uint32_t i = 0; i < m->n_layers; i++)
        cross = cross || m->layers[i].attn.cross;
    if ((on & HWL_VLLM_V0_ENCODERS) && cross)
        return "encoders";
    if (on && u->cc && u->cc < 80)
        return "a card before compute capability 8.0";
    if (on && u->dtype_bytes > 2)
        return "32-bit weights";
    if (u->rules->v1_methods && *u->spec_method && !hwl_words_have(u->rules->v1_methods, u->spec_method))
        return "this method of speculation";
    return NULL;
}

static hwl_status resolve_speculation(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_vllm_setup *u,
                                      hwl_error *error)
{
    u->spec_method = hwl_opt_text(s, HWL_OPT_SPEC_METHOD, "");
    const char *draft = hwl_opt_text(s, HWL_OPT_DRAFT, "");
    if (!*u->spec_method && *draft)
        u->spec_method = hwl_text_holds(draft, "eagle3") ? "eagle3" : hwl_text_holds(draft, "eagle") ? "eagle" : "draft_model";
    const size_t n = strlen(u->spec_method);
    if (n > 4 && strcmp(u->spec_method + n - 4, "_mtp") == 0)
        u->spec_method = "mtp"; /* older names by family: deepseek_mtp ... */
    if (!*u->spec_method)
        return HWL_OK;
    if (!hwl_words_have("mtp eagle eagle3 dflash dspark draft_model ngram ngram_gpu suffix medusa mlp_speculator", u->spec_method))
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "vllm: speculative method '%s' is not modelled; mtp, eagle, eagle3, dflash, dspark, draft_model, ngram, suffix and "
                        "medusa are",
                        u->spec_method);
    if (hwl_words_have("medusa mlp_speculator", u->spec_method) && u->rules->no_medusa)
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: it has the speculative method %s no more, 0.29 was the last", u->spec_method);
    const bool mtp = strcmp(u->spec_method, "mtp") == 0;
    const uint32_t layers = m->n_mtp_served ? (uint32_t)hwl_min(m->n_mtp_served, m->n_mtp) : m->n_mtp;
    u->spec_tokens = (uint32_t)hwl_min(hwl_opt_u64(s, HWL_OPT_DRAFT_MAX, mtp && layers ? layers : 1), 1024);
    if (mtp)
        u->draft_layers = layers ? layers : 1;
    else if (hwl_words_have("eagle eagle3", u->spec_method))
        u->draft_layers = 1;
    return HWL_OK;
}

/* Which of the two model runners the release takes for the model's class (config/vllm.py use_v2_model_runner). */
static bool second_runner(const struct hwl_model *m, const struct hwl_vllm_setup *u)
{
    const char *classes = u->rules->v2_classes, *name = m->hints.class_name ? m->hints.class_name : "";
    const char *methods = u->rules->v2_methods;
    if (*u->spec_method && (methods ? !hwl_words_have(methods, u->spec_method)
                                    : !hwl_words_have("mtp eagle eagle3", u->spec_method) ||
                                          (u->pp > 1 && strcmp(u->spec_method, "eagle3") == 0)))
        return false;
    if (strcmp(classes, "*") == 0)
        return true;
    if (u->recurrent || u->encoder_only || (u->rules->v2_plain && *m->quant.method))
        return false;
    bool experts = false;
    for (uint32_t i = 0; i < m->n_layers && !experts; i++)
        experts = m->layers[i].ffn.n_experts > 0;
    return (!experts && hwl_words_have(classes, "dense")) || hwl_words_have(classes, name);
}

/* Contiguous runs of layers; what does not divide goes one each to the stages before the last, from behind. */
static void split_stages(uint32_t layers, struct hwl_vllm_setup *u)
{
    uint32_t count[HWL_VLLM_MAX_STAGES], rest = layers % u->pp;
    for (uint32_t i = 0; i < u->pp; i++)
        count[i] = layers / u->pp;
    for (uint32_t i = 2; i < rest + 2 && i <= u->pp && !u->rules->last_stage_rest; i++)
        count[u->pp - i]++;
    if (u->rules->last_stage_rest)
        count[u->pp - 1] += rest;
    u->stage_first[0] = 0;
    for (uint32_t i = 0; i < u->pp; i++)
        u->stage_first[i + 1] = (uint16_t)(u->stage_first[i] + count[i]);
}

static hwl_status check_parallel(const struct hwl_model *m, const struct hwl_devices *d, struct hwl_vllm_setup *u,
                                 hwl_error *error)
{
    const uint64_t need = (uint64_t)u->tp * u->pp * u->dp * u->pcp;
    if (need > d->n_gpus)
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: %llu GPUs are asked for, %u are there",
                        (unsigned long long)need, d->n_gpus);
    if (m->n_layers + m->n_mtp > 4096)
        return hwl_fail(error, HWL_E_LIMIT, "vllm: more than 4096 layers");
    if (u->pp > HWL_VLLM_MAX_STAGES || u->pp > (m->n_layers ? m->n_layers : 1))
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: %u pipeline stages for %u layers", u->pp, m->n_layers);
    if (u->tp % u->dcp != 0)
        return hwl_fail(error, HWL_E_REFUSED,
                        "vllm refuses: tensor parallel size %u must be a multiple of decode context parallel size %u",
                        u->tp, u->dcp);
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_attention *a = &m->layers[i].attn;
        if (a->n_heads && a->n_heads % u->tp)
            return hwl_fail(error, HWL_E_REFUSED,
                            "vllm refuses: %u attention heads must be divisible by tensor parallel size %u", a->n_heads,
                            u->tp);
        if (a->n_heads && !a->kv_lora_rank && a->n_kv_heads && a->n_kv_heads % u->tp && u->tp % a->n_kv_heads)
            return hwl_fail(
                error, HWL_E_REFUSED,
                "vllm refuses: %u key/value heads neither divide nor are divided by tensor parallel size %u",
                a->n_kv_heads, u->tp);
    }
    uint32_t heads = 0; /* verify_with_parallel_config */
    for (uint32_t i = 0; i < m->n_layers; i++)
        heads = (uint32_t)hwl_max(heads, m->layers[i].attn.kv_lora_rank ? 0 : m->layers[i].attn.n_kv_heads);
    if (u->dcp > 1 && heads && !u->mla && u->dcp > u->tp / heads)
        return hwl_fail(error, HWL_E_REFUSED,
                        "vllm refuses: decode context parallel size %u is more than the %u ranks that share each of %u key/value heads", u->dcp,
                        u->tp / heads, heads);
    if (u->pp > 1 && !u->plain && (u->traits & HWL_VLLM_ONE_STAGE || m->n_encoder))
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: pipeline parallelism is not supported for this model");
    return HWL_OK;
}

/* Options that vLLM has, that move memory and that are not modelled: said, never passed over. */
static hwl_status refuse_unmodelled(const struct hwl_vllm_setup *u, hwl_error *error)
{
    if (u->pcp > 1)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "vllm: prefill context parallelism is not modelled");
    return HWL_OK;
}

/* --limit-mm-per-prompt with every limit 0: the towers are neither loaded nor profiled. */
static bool no_items(const char *json)
{
    return strchr(json, ':') && strchr(json, '0') && !strpbrk(json, "123456789");
}

hwl_status hwl_vllm_resolve(const struct hwl_model *model, const char *version, const struct hwl_devices *devices,
                            const struct hwl_settings *settings, struct hwl_vllm_setup *out, hwl_error *error)
{
    struct hwl_vllm_setup u = {.rules = hwl_vllm_rules_of(version), .kept = ""};
    if (devices->n_gpus == 0)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "vllm: only GPUs are modelled; give one with --gpu");
    u.card = &devices->gpu[0];
    u.cc = u.card->compute_major * 10 + u.card->compute_minor;
    u.tp = hwl_shard_degree(settings, HWL_OPT_TP);
    u.pp = hwl_shard_degree(settings, HWL_OPT_PP);
    u.dp = hwl_shard_degree(settings, HWL_OPT_DP);
    u.dcp = hwl_shard_degree(settings, HWL_OPT_DCP);
    u.pcp = hwl_shard_degree(settings, HWL_OPT_PCP);
    HWL_TRY(refuse_unmodelled(&u, error));
    HWL_TRY(hwl_vllm_known(model, u.rules, error));
    u.backend = hwl_opt_text(settings, HWL_OPT_ATTENTION_BACKEND, "");
    u.ep = hwl_opt_flag(settings, HWL_OPT_EP, false);
    u.encoder_only = model->encoder_only;
    u.multimodal = model->n_encoders > 0 && !hwl_opt_flag(settings, HWL_OPT_LANGUAGE_MODEL_ONLY, false) &&
                   !no_items(hwl_opt_text(settings, HWL_OPT_LIMIT_MM, ""));
    u.expanded = hwl_words_have("minicpm3", model->arch);
    u.classes = hwl_vllm_classes(model, u.rules);
    u.traits = hwl_vllm_traits(model);
    u.mrope_positions = hwl_vllm_mrope_positions(model, u.rules);
    u.sampler_bytes = hwl_opt_flag(settings, HWL_OPT_FLASHINFER_SAMPLER, false) ? (uint8_t)hwl_min(12, u.rules->sampler_bytes) : u.rules->sampler_bytes;
    u.plain = u.rules->no_minimax && strcmp(model->arch, "minimax") == 0 &&
              strcmp(model->hints.class_name, "MiniMaxForCausalLM") == 0;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        const struct hwl_layer *l = &model->layers[i];
        if (l->mixer == HWL_MIXER_RWKV)
            return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: it has no model class for RWKV");
        u.recurrent = u.recurrent || (recurrent(l) && !u.plain);
        u.hybrid = u.hybrid || l->attn.n_heads > 0;
        u.mla = u.mla || (l->attn.kv_lora_rank > 0 && !u.expanded);
        u.sparse = u.sparse || l->attn.index_heads > 0;
        u.compressed = u.compressed || l->attn.compress_ratio > 1;
    }
    u.hybrid = u.hybrid && u.recurrent;
    /* a window that the file states is one of all layers (Attention of layers/attention, CacheConfig.sliding_window) */
    u.window = model->hints.window;
    for (uint32_t i = 0; i < model->n_layers; i++)
        if (model->layers[i].attn.window)
            u.window = 0;
    HWL_TRY(check_parallel(model, devices, &u, error));
    HWL_TRY(resolve_types(model, settings, &u, error));
    HWL_TRY(resolve_speculation(model, settings, &u, error));
    u.v0_reason = falls_back(model, &u);
    if (u.v0_reason)
        u.rules = hwl_vllm_rules_of("0.8.5 V0");
    if (u.rules->latent_head && u.mla) { /* latent attention as heads of their own */
        u.mla = u.sparse = false;
        u.expanded = true;
    }
    HWL_TRY(hwl_shard_adapters(settings, 1, &u.max_loras, &u.max_lora_rank, error));
    HWL_TRY(resolve_len(model, settings, &u, error));
    HWL_TRY(resolve_batch(model, settings, &u, error));
    HWL_TRY(resolve_modes(model, settings, &u, error));
    HWL_TRY(check_state_block(model, settings, &u, error));
    HWL_TRY(resolve_states(model, settings, &u, error));
    u.v2 = second_runner(model, &u);
    u.block_given = hwl_opt_has(settings, HWL_OPT_BLOCK_SIZE);
    u.block = hwl_opt_u64(settings, HWL_OPT_BLOCK_SIZE, 16);
    if (u.block == 0)
        return hwl_fail(error, HWL_E_USAGE, "vllm: a block size of 0");
    u.utilization = hwl_opt_real(settings, HWL_OPT_GPU_MEMORY_UTILIZATION, u.rules->utilization);
    if (!(u.utilization > 0.0 && u.utilization <= 1.0))
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: gpu_memory_utilization must be above 0 and at most 1");
    u.kv_budget = hwl_opt_u64(settings, HWL_OPT_KV_CACHE_MEMORY, HWL_UNKNOWN);
    u.override_blocks = hwl_opt_u64(settings, HWL_OPT_NUM_GPU_BLOCKS, 0);
    u.cpu_offload = hwl_opt_u64(settings, HWL_OPT_CPU_OFFLOAD, 0);
    split_stages(model->n_layers, &u);
    HWL_TRY(hwl_vllm_choose_block(model, &u, error));
    *out = u;
    return HWL_OK;
}
