/* SPDX-License-Identifier: Apache-2.0 */
/* TensorRT-LLM, PyTorch back end: weights over ranks, a profile run of max_num_tokens, and a paged cache in a fraction
 * of what that leaves free. */
#include "engine/tensorrt/tensorrt.h"

#include "base/bytes.h"
#include "base/status.h"
#include "engine/shared/args.h"
#include "engine/shared/put.h"

#include <stdio.h>
#include <string.h>

/* What changed between releases. */
static const struct hwl_trt_rules rules[] = {
    {.version = "1.2.1"},
    /* speculative/utils.py get_num_extra_kv_tokens, llm_args.py update_llm_args_with_extra_dict */
    {.version = "1.0.0", .mtp_ahead = true, .yaml_replaces = true, .four_loras = true},
};
static const char *const versions[] = {"1.2.1", "1.0.0", NULL};

static const char *version_of(const char *text)
{
    unsigned major, minor;
    if (sscanf(*text == 'v' ? text + 1 : text, "%u.%u", &major, &minor) != 2)
        return NULL;
    return major == 1 && minor <= 3 ? versions[minor == 0] : NULL;
}

const struct hwl_trt_rules *hwl_trt_rules_of(const char *version)
{
    return &rules[strcmp(version, rules[1].version) == 0];
}

/* What prepare makes: the target, and the draft model where one is named. */
struct ready {
    struct hwl_shard_prepared *target, *draft;
    struct hwl_model *owned;
};

struct planned {
    struct hwl_trt_setup setup;
    struct hwl_shard_run shards;
    struct hwl_shard_weights weights[HWL_TRT_MAX_STAGES];
    uint64_t (*by_kind)[HWL_COMP_COUNT];
    uint64_t available[HWL_TRT_MAX_STAGES]; /* before the fraction */
    uint64_t activation, graphs, context, communicators;
    struct hwl_trt_pools pools;
    uint64_t adapters[HWL_TRT_MAX_STAGES];
    uint64_t kv_size; /* what the estimate takes a token for, the widest stage */
    uint64_t tokens, pool; /* tokens: of the largest window; pool: bytes on the first rank */
    uint32_t host; /* index of the host among the devices */
    bool starts;
};

/* A draft with an engine of its own: its weights on the last stage, split as the target's. An EAGLE-3 head has no
 * embedding of its own. */
static hwl_status add_draft(const struct hwl_shard_prepared *draft, struct planned *p, hwl_error *error)
{
    const struct hwl_trt_setup *u = &p->setup;
    struct hwl_shard_weights w;
    HWL_TRY(hwl_shard_alone(draft, &p->shards, &w, error));
    struct hwl_ck ck = {0};
    const uint64_t bytes = strcmp(u->spec_method, "eagle3") == 0 ? w.total - w.component[HWL_COMP_EMBEDDING] : w.total;
    struct hwl_shard_weights *last = &p->weights[u->pp - 1];
    last->component[HWL_COMP_DRAFT] = hwl_ck_add(&ck, last->component[HWL_COMP_DRAFT], bytes);
    last->total = hwl_ck_add(&ck, last->total, bytes);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "tensorrt-llm: a size is beyond 64 bits") : HWL_OK;
}

/* The draft's cache in the same tokens: layers of the target's manager, or those of a model of its own. */
static uint64_t draft_row(const struct hwl_model *m, const struct hwl_trt_setup *u, struct hwl_ck *ck)
{
    const struct hwl_layer *like = u->draft_layers ? hwl_trt_draft_layer(m) : NULL;
    uint64_t row = like ? hwl_ck_mul(ck, u->draft_layers, hwl_trt_row(like, u, ck)) : 0;
    for (uint32_t i = 0; u->draft && i < u->draft->n_layers; i++)
        row = hwl_ck_add(ck, row, hwl_trt_row(&u->draft->layers[i], u, ck));
    return row;
}

static uint64_t tokens_of(const struct planned *p, uint32_t stage, uint32_t layer)
{
    return p->pools.tokens[hwl_trt_pool_of(&p->setup, &p->pools, stage, layer)];
}

static uint64_t pool_of(const struct hwl_model *m, const struct planned *p, struct hwl_ck *ck)
{
    const struct hwl_trt_setup *u = &p->setup;
    uint64_t bytes = u->pp == 1 ? hwl_ck_mul(ck, draft_row(m, u, ck), p->tokens) : 0;
    for (uint32_t i = u->stage_first[0]; i < u->stage_first[1]; i++)
        bytes = hwl_ck_add(ck, bytes, hwl_ck_mul(ck, hwl_trt_row(&m->layers[i], u, ck), tokens_of(p, 0, i)));
    return bytes;
}

static uint64_t states_of(const struct hwl_model *m, const struct hwl_trt_setup *u, uint32_t stage, struct hwl_ck *ck)
{
    uint64_t bytes = 0;
    for (uint32_t i = u->stage_first[stage]; i < u->stage_first[stage + 1]; i++)
        bytes = hwl_ck_add(ck, bytes, hwl_trt_states(&m->layers[i], u, ck));
    return bytes;
}

static hwl_status work_out(const struct ready *ready, const char *version, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, struct hwl_arena *arena, struct planned *p,
                           hwl_error *error)
{
    struct hwl_trt_setup *u = &p->setup;
    const struct hwl_shard_prepared *prepared = ready->target;
    const struct hwl_model *m = prepared->model;
    struct hwl_ck ck = {0};
    memset(p, 0, sizeof *p);
    HWL_TRY(hwl_trt_resolve(m, devices, settings, version, u, error));
    HWL_TRY(hwl_trt_speculation(m, ready->draft ? ready->draft->model : NULL, settings, u, error));
    u->n_graphs = hwl_trt_graphs(settings, u);
    u->length = hwl_ck_add(&ck, u->context, 1 + u->draft_tokens + u->extra_tokens); /* one for the overlapped step */
    p->shards = (struct hwl_shard_run){
        .engine = "tensorrt-llm",
        .stage_first = u->stage_first,
        .tp = u->tp,
        .pp = u->pp,
        .attention_tp = u->attention_tp,
        .embedding_tp = u->attention_tp,
        .expert_ranks = u->tp,
        .ep = u->ep,
        .cc = u->cc,
        .pad_hidden = 128, /* as a start-up of gpt-oss on GB10 shows */
        .pad_width = 128,
        .dtype_bytes = u->dtype_bytes,
        .rope_bytes = 4, /* RopeParams.create_rope_const_params, fp32 */
        .spec_method = u->spec_method,
        .draft_layers = u->draft ? 0 : u->draft_layers,
        .multimodal = u->multimodal,
        .encoder_only = u->encoder_only,
        .mla = u->mla,
    };
    p->by_kind = hwl_arena_array(arena, (uint64_t)prepared->n_kinds + 1, sizeof *p->by_kind);
    if (!p->by_kind)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_shard_weights(prepared, &p->shards, p->weights, p->by_kind, error));
    if (u->draft)
        HWL_TRY(add_draft(ready->draft, p, error));
    hwl_shard_runtime(&p->shards, &p->context, &p->communicators);
    p->graphs = hwl_shard_graphs(u->n_graphs, &ck);
    /* _create_dummy_context_requests fills max_num_tokens */
    p->activation =
        hwl_ck_mul3(&ck, u->max_tokens, hwl_shard_forward_elements(m, &p->shards, &ck), u->dtype_bytes);
    uint64_t free_bytes = UINT64_MAX;
    for (uint32_t i = 0; i < u->tp * u->pp; i++)
        free_bytes = hwl_min(free_bytes, devices->gpu[i].free_bytes != HWL_UNKNOWN ? devices->gpu[i].free_bytes
                                                                                    : devices->gpu[i].memory_bytes);
    if (free_bytes == HWL_UNKNOWN)
        return hwl_fail(error, HWL_E_USAGE, "tensorrt-llm: the memory of the GPU is not known; give it with --gpu-memory");
    p->starts = true;
    for (uint32_t i = 0; i < u->pp; i++) {
        uint64_t used = hwl_ck_add(&ck, p->weights[i].total, p->activation);
        used = hwl_ck_add(&ck, used, p->graphs + p->context + p->communicators);
        used = hwl_ck_add(&ck, used, states_of(m, u, i, &ck)); /* there before the profile run */
        p->adapters[i] = hwl_trt_adapter_bytes(m, u, i, used < free_bytes ? free_bytes - used : 0, &ck);
        used = hwl_ck_add(&ck, used, p->adapters[i]);
        p->starts = p->starts && used < free_bytes;
        p->available[i] = used < free_bytes ? free_bytes - used : 0;
    }
    HWL_TRY(hwl_trt_pools(m, u, p->available, &p->pools, &ck, error));
    p->tokens = p->pools.tokens[p->pools.n - 1];
    p->host = devices->n_gpus;
    for (uint32_t i = 0; i < u->pp; i++)
        p->kv_size = hwl_max(p->kv_size, hwl_trt_stage_row(m, u, i, true, &ck));
    p->pool = pool_of(m, p, &ck);
    p->starts = p->starts && (p->tokens || u->encoder_only);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "tensorrt-llm: a size is beyond 64 bits") : HWL_OK;
}

static void put_modelled(struct hwl_ledger *ledger, uint16_t device, hwl_kind kind, hwl_component component,
                         uint64_t bytes, float bound, const char *source)
{
    hwl_ledger_put(ledger, device, -1, kind, component, bytes, HWL_BASIS_MODELLED, source)->error = bound;
}

static void put_draft_cache(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p, uint16_t device,
                            struct hwl_ck *ck)
{
    const struct hwl_trt_setup *u = &p->setup;
    const uint64_t row = draft_row(m, u, ck);
    if (!row)
        return;
    hwl_entry *e = hwl_ledger_put(l, device, -1, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT, hwl_ck_mul(ck, p->tokens, row),
                                  HWL_BASIS_MODELLED, "tensorrt-llm: KvCacheCreator, get_num_spec_layers");
    e->error = 0.1f;
    e->formula = "{0} tokens x {1} B";
    e->args[0] = p->tokens;
    e->args[1] = row;
}

/* Blocks that wait in host memory, of one rank: pinned from the start. */
static void put_host_cache(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p, uint32_t stage, struct hwl_ck *ck)
{
    const struct hwl_trt_setup *u = &p->setup;
    uint64_t bytes = 0;
    for (uint32_t i = u->stage_first[stage]; i < u->stage_first[stage + 1]; i++)
        bytes = hwl_ck_add(ck, bytes, hwl_ck_mul(ck, hwl_trt_row(&m->layers[i], u, ck),
                                                 p->pools.host_tokens[hwl_trt_pool_of(u, &p->pools, stage, i)]));
    if (!bytes)
        return;
    hwl_entry *e = hwl_ledger_put(l, (uint16_t)p->host, -1, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION, bytes, HWL_BASIS_EXACT,
                                  "tensorrt-llm: secondary blocks, resource_manager.py");
    e->memory = HWL_MEMORY_PINNED;
}

static void put_rank(struct hwl_ledger *l, const struct hwl_shard_prepared *prepared, const struct planned *p,
                     uint32_t stage, uint16_t device, struct hwl_ck *ck)
{
    const struct hwl_trt_setup *u = &p->setup;
    const struct hwl_shard_put how = {.source = "tensorrt-llm: _torch/modules/linear.py, embedding.py", .error = 0.03f};
    hwl_shard_put_weights(l, prepared, &p->shards, &p->weights[stage], p->by_kind, stage, device, &how);
    const bool pinned = u->kv_tokens && p->tokens == hwl_ck_align(ck, u->kv_tokens, u->block);
    for (uint32_t i = u->stage_first[stage]; i < u->stage_first[stage + 1]; i++) {
        const uint64_t row = hwl_trt_row(&prepared->model->layers[i], u, ck);
        if (!row || u->encoder_only)
            continue;
        hwl_entry *e = hwl_ledger_put(l, device, (int32_t)i, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION,
                                      hwl_ck_mul(ck, tokens_of(p, stage, i), row), pinned ? HWL_BASIS_EXACT : HWL_BASIS_MODELLED,
                                      "tensorrt-llm: KvCacheCreator, kvCacheManager.cpp");
        e->error = pinned ? 0.0f : 0.1f;
        e->formula = "{0} tokens x {1} B";
        e->args[0] = tokens_of(p, stage, i);
        e->args[1] = row;
    }
    if (stage + 1 == u->pp)
        put_draft_cache(l, prepared->model, p, device, ck);
    put_host_cache(l, prepared->model, p, stage, ck);
    if (p->adapters[stage])
        put_modelled(l, device, HWL_KIND_WEIGHTS, HWL_COMP_LORA, p->adapters[stage], 0.3f,
                     "tensorrt-llm: batch_manager/peftCacheManager.cpp, modules taken to be attention's and the feed-forward's");
    for (uint32_t i = u->stage_first[stage]; i < u->stage_first[stage + 1]; i++) {
        const uint64_t bytes = hwl_trt_states(&prepared->model->layers[i], u, ck);
        if (!bytes)
            continue;
        hwl_entry *e = hwl_ledger_put(l, device, (int32_t)i, HWL_KIND_RECURRENT_STATE, HWL_COMP_RECURRENT, bytes,
                                      HWL_BASIS_EXACT, "tensorrt-llm: mamba_cache_manager.py, 1.2");
        e->formula = "{0} requests x {1} B";
        e->args[0] = u->max_batch;
        e->args[1] = bytes / u->max_batch;
    }
    put_modelled(l, device, HWL_KIND_COMPUTE, HWL_COMP_OTHER, p->activation, 0.3f,
                 "tensorrt-llm: profile run of max_num_tokens");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_GRAPH, p->graphs, 1.0f, "tensorrt-llm: CUDA graphs");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_CONTEXT, p->context + p->communicators, 0.5f,
                 "tensorrt-llm: CUDA context, communicators");
}

static void put_views(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p,
                      const struct hwl_settings *settings)
{
    const struct hwl_trt_setup *u = &p->setup;
    uint64_t available = UINT64_MAX;
    for (uint32_t i = 0; i < u->pp; i++)
        available = hwl_min(available, p->available[i]);
    hwl_ledger_view_u64(l, "max_tokens", p->tokens);
    hwl_ledger_view_u64(l, "tokens_per_block", u->block);
    hwl_ledger_view_u64(l, "primary_blocks", p->tokens / u->block);
    hwl_ledger_view_u64(l, "secondary_blocks", p->pools.host_tokens[p->pools.n - 1] / u->block);
    hwl_ledger_view_u64(l, "kv_size_per_token", p->kv_size);
    hwl_ledger_view_u64(l, "kv_pool_bytes", p->pool);
    hwl_ledger_view_u64(l, "available_kv_bytes", (uint64_t)((double)available * u->fraction));
    hwl_ledger_view_u64(l, "max_seq_len", hwl_min(u->context, p->tokens));
    hwl_ledger_view_u64(l, "max_batch_size", u->max_batch);
    hwl_ledger_view_u64(l, "max_num_tokens", u->max_tokens);
    hwl_ledger_view_u64(l, "weights_bytes", p->weights[0].total);
    hwl_ledger_view_u64(l, "peak_activation_bytes", p->activation);
    hwl_ledger_view_u64(l, "graph_bytes", p->graphs);
    char experts[32] = "";
    if (u->ep)
        (void)snprintf(experts, sizeof experts, " --ep_size %u", u->tp);
    hwl_args_put_line(l, "trtllm-serve", m,
                      hwl_args_given(l->arena, settings, hwl_trt_args, HWL_TRT_N_ARGS,
                                     "max-seqs max-batched-tokens ctx gpu-memory-utilization kv-type", '_'),
                      hwl_arena_printf(l->arena, "%s --max_batch_size %llu --max_num_tokens %llu --max_seq_len %llu "
                                                 "--kv_cache_free_gpu_memory_fraction %.3f --kv_cache_dtype %s",
                                       experts, (unsigned long long)u->max_batch, (unsigned long long)u->max_tokens,
                                       (unsigned long long)u->context, u->fraction, u->kv_type));
    hwl_ledger_setting_u64(l, "tp", u->tp);
    hwl_ledger_setting_u64(l, "pp", u->pp);
    hwl_ledger_setting_bool(l, "ep", u->ep);
    hwl_ledger_setting_bool(l, "enable-dp-attention", u->attention_dp);
    hwl_ledger_setting_u64(l, "ctx", u->context);
    hwl_ledger_setting_u64(l, "max-seqs", u->max_batch);
    hwl_ledger_setting_u64(l, "max-batched-tokens", u->max_tokens);
    hwl_ledger_setting_u64(l, "block-size", u->block);
    hwl_ledger_setting_real(l, "gpu-memory-utilization", u->fraction);
    hwl_ledger_setting_text(l, "kv-type", u->kv_type);
    hwl_ledger_setting_text(l, "dtype", u->dtype);
}

/* Data-parallel attention gives every rank a cache of its own requests. */
static uint64_t caches(const struct hwl_trt_setup *u)
{
    return u->attention_dp ? u->tp : 1;
}

static void judge(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p)
{
    const struct hwl_trt_setup *u = &p->setup;
    const uint64_t each = hwl_div_ceil(l->concurrency, caches(u));
    const uint64_t length = l->context + u->extra_tokens;
    uint64_t need;
    if (!p->starts) {
        l->exceeds = true;
        hwl_ledger_note(l, "TensorRT-LLM would not start: weights and the profile run leave no room for a cache");
    } else if (!u->encoder_only &&
               (!hwl_mul(&need, length, each) || hwl_trt_requests(u, &p->pools, length) < each || each > u->max_batch)) {
        l->exceeds = true;
        hwl_ledger_note(l, "the cache holds %llu tokens and %llu requests, not %llu requests of %llu tokens",
                        (unsigned long long)p->tokens, (unsigned long long)u->max_batch,
                        (unsigned long long)l->concurrency, (unsigned long long)length);
    }
    for (uint32_t i = 0; i < m->n_layers && !u->n_windows; i++)
        if (m->layers[i].attn.window) {
            hwl_ledger_note(l, "window layers keep every token: pools of their own want kv_cache_config.max_attention_window "
                               "(--max-attention-window)");
            break;
        }
    for (uint32_t i = 0; i + 1 < p->pools.n; i++)
        hwl_ledger_note(l, "layers with a window of %llu tokens have a pool of %llu", (unsigned long long)p->pools.was[i],
                        (unsigned long long)p->pools.tokens[i]);
    if (u->kv_bytes && !hwl_trt_variable(u))
        hwl_ledger_note(l, "max_gpu_total_bytes moves nothing where all layers have one window: max_tokens (--kv-tokens) does");
    if (u->recurrent)
        hwl_ledger_note(l, "recurrent states of max_batch_size requests are there from the start; they want kv_cache_config."
                           "enable_block_reuse: false");
    if (u->sparse)
        hwl_ledger_note(l, "sparse attention wants kv_cache_config.enable_block_reuse: false and tokens_per_block: 64");
    if (*u->spec_method)
        hwl_ledger_note(l, "speculation stands in the YAML file, not on the command line: speculative_config, %llu tokens a step",
                        (unsigned long long)u->draft_tokens);
    if (u->max_loras)
        hwl_ledger_note(l, "adapters stand in the YAML file: lora_config with max_loras %llu, max_lora_rank %llu",
                        (unsigned long long)u->max_loras, (unsigned long long)u->max_lora_rank);
    else if (u->lora)
        hwl_ledger_note(l, "adapters stand in the YAML file: lora_config with max_lora_rank %llu; without max_loras their cache is 2 %% "
                           "of what is free",
                        (unsigned long long)u->max_lora_rank);
    if (u->n_windows || u->host_cache)
        hwl_ledger_note(l, "windows and the host's blocks stand in the YAML file: kv_cache_config.max_attention_window, host_cache_size");
    hwl_ledger_note(l, "free fraction: %.2f of what weights and the profile run leave; workspaces of kernels that grow "
                       "later live in the rest",
                    u->fraction);
}

static hwl_status plan(const struct hwl_model *model, const void *ready, const char *version,
                       const struct hwl_devices *devices, const struct hwl_settings *settings,
                       struct hwl_ledger *ledger, hwl_error *error)
{
    (void)model;
    const struct hwl_shard_prepared *prepared = ((const struct ready *)ready)->target;
    const struct hwl_model *m = prepared->model;
    struct planned *p = HWL_NEW(ledger->arena, struct planned);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(work_out(ready, version, devices, settings, ledger->arena, p, error));
    const struct hwl_trt_setup *u = &p->setup;
    struct hwl_ck ck = {0};
    for (uint32_t s = 0; s < u->pp; s++)
        for (uint32_t t = 0; t < u->tp; t++) {
            const uint16_t device = (uint16_t)(s * u->tp + t);
            put_rank(ledger, prepared, p, s, device, &ck);
            if (t == 0)
                for (uint32_t i = u->stage_first[s]; i < u->stage_first[s + 1]; i++)
                    hwl_ledger_place(ledger, device, i);
        }
    hwl_ledger_place(ledger, (uint16_t)((u->pp - 1) * u->tp), m->n_layers);
    for (uint32_t s = 0; s < u->pp; s++)
        for (uint32_t i = u->stage_first[s]; i < u->stage_first[s + 1]; i++)
            if (p->pools.was[hwl_trt_pool_of(u, &p->pools, s, i)] >= hwl_min(u->context, p->pools.was[p->pools.n - 1]))
                ledger->kv_bytes_per_token = hwl_ck_add(
                    &ck, ledger->kv_bytes_per_token, hwl_ck_mul(&ck, hwl_trt_row(&m->layers[i], u, &ck), u->attention_tp));
    if (ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "tensorrt-llm: the cache is beyond 64 bits");
    ledger->kv_tokens = p->tokens * caches(u);
    /* without a length of its own the server shortens it to what the cache holds */
    ledger->context = hwl_opt_has(settings, HWL_OPT_CTX) ? u->context : hwl_min(u->context, p->tokens);
    ledger->concurrency = hwl_opt_u64(settings, HWL_OPT_CONCURRENCY, 1);
    put_views(ledger, m, p, settings);
    judge(ledger, m, p);
    return HWL_OK;
}

static hwl_status limits(const struct hwl_model *model, const void *ready, const char *version,
                         const struct hwl_devices *devices, const struct hwl_settings *settings, hwl_limits *out,
                         hwl_error *error)
{
    struct hwl_arena arena = {0};
    struct planned *p = HWL_NEW(&arena, struct planned);
    hwl_status st = p ? work_out(ready, version, devices, settings, &arena, p, error)
                      : hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (st == HWL_OK && p->starts) {
        const struct hwl_trt_setup *u = &p->setup;
        out->max_context = model->context_train ? hwl_min(p->tokens, model->context_train) : p->tokens;
        out->max_concurrency =
            u->context ? hwl_min(hwl_trt_requests(u, &p->pools, u->context + u->extra_tokens), u->max_batch) * caches(u) : 0;
    }
    hwl_arena_free(&arena);
    return st;
}

static hwl_status prepare(const struct hwl_model *model, const char *version, const struct hwl_settings *settings,
                          struct hwl_arena *arena, void **prepared, hwl_error *error)
{
    struct ready *r = HWL_NEW(arena, struct ready);
    (void)version;
    if (!r)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_shard_prepare(model, settings, arena, &r->target, error));
    if (hwl_opt_has(settings, HWL_OPT_DRAFT)) {
        HWL_TRY(hwl_model_open(hwl_opt_text(settings, HWL_OPT_DRAFT, ""), NULL, &r->owned, error));
        const hwl_status st = hwl_shard_prepare(r->owned, settings, arena, &r->draft, error);
        if (st != HWL_OK) {
            hwl_model_free(r->owned);
            return st;
        }
    }
    *prepared = r;
    return HWL_OK;
}

static void release(void *prepared)
{
    hwl_model_free(((struct ready *)prepared)->owned);
}

const struct hwl_engine hwl_engine_tensorrt = {
    .id = "tensorrt-llm",
    .versions = versions,
    .version = version_of,
    .args = hwl_trt_args,
    .n_args = HWL_TRT_N_ARGS,
    .prepare = prepare,
    .release = release,
    .plan = plan,
    .limits = limits,
};
