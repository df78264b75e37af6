/* SPDX-License-Identifier: Apache-2.0 */
/* SGLang: resolves the run, splits weights over ranks, sizes the pools with what the static fraction leaves, and writes
 * the ledger. */
#include "engine/sglang/sglang.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "engine/shared/args.h"
#include "engine/shared/put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct planned {
    struct hwl_sglang_setup setup;
    struct hwl_shard_run shards;
    struct hwl_shard_weights weights[HWL_SGLANG_MAX_STAGES];
    uint64_t (*by_kind)[HWL_COMP_COUNT];
    struct hwl_sglang_pools pools;
    struct hwl_sglang_other other;
    uint64_t before, after[HWL_SGLANG_MAX_STAGES], rest[HWL_SGLANG_MAX_STAGES]; /* free around the load, left to the pools */
    uint64_t loaded[HWL_SGLANG_MAX_STAGES];                                     /* weights on the card */
};

static struct hwl_shard_run shard_run_of(const struct hwl_model *m, const struct hwl_sglang_setup *u)
{
    /* models that copy the embedding to every rank of data-parallel attention: the DeepSeek-V2 family */
    const bool copies = u->attention_dp > 1 && u->mla;
    const bool mtp = strcmp(u->spec_method, "mtp") == 0;
    const bool draft = mtp || (!u->draft && hwl_words_have("eagle eagle3", u->spec_method));
    (void)m;
    return (struct hwl_shard_run){
        .engine = "sglang",
        .stage_first = u->stage_first,
        .tp = u->tp,
        .pp = u->pp,
        .attention_tp = u->attention_tp,
        .embedding_tp = copies ? 1 : u->attention_tp,
        .expert_ranks = u->tp,
        .ep = u->ep,
        .redundant_experts = u->redundant_experts,
        .cc = u->cc,
        /* layers/quantization/mxfp4.py: FlashInfer pads to 128 x 128 (SM100, SM120), Triton's kernels the width to 64 */
        .pad_hidden = u->cc >= 100 ? 128 : 0,
        .pad_width = u->cc >= 100 ? 128 : 64,
        .dtype_bytes = u->dtype_bytes,
        .rope_bytes = 4, /* layers/rotary_embedding.py keeps the table in fp32 on CUDA */
        .spec_method = draft ? u->spec_method : "",
        .draft_layers = draft ? u->draft_layers : 0,
        .draft_heads = true, /* models/step3p5_mtp.py shares neither embedding nor head */
        .draft_embeds = true,
        .max_loras = u->max_loras,
        .max_lora_rank = u->max_lora_rank,
        .multimodal = u->multimodal,
        .encoder_only = u->encoder_only,
        .mla = u->mla,
    };
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* _profile_available_bytes: what is free after the load, less the part of what was free before that shall stay so. */
static void budget(struct planned *p, uint32_t stage)
{
    const struct hwl_sglang_setup *u = &p->setup;
    uint64_t loaded = p->weights[stage].total;
    if (!u->rules->draft_counted) /* the target's pool is sized before a draft is loaded */
        loaded -= p->weights[stage].component[HWL_COMP_DRAFT];
    p->loaded[stage] = loaded;
    p->after[stage] = less(p->before, loaded + HWL_SGLANG_LOADING);
    const uint64_t slack = (uint64_t)((double)p->before * (1.0 - u->fraction));
    p->rest[stage] = less(p->after[stage], slack + u->media_bytes);
}

static hwl_status add_draft(const struct hwl_shard_prepared *draft, struct planned *p, hwl_error *error)
{
    const struct hwl_sglang_setup *u = &p->setup;
    const uint32_t joined = strcmp(u->spec_method, "eagle3") == 0 ? 3 : strcmp(u->spec_method, "eagle") == 0 ? 2 : 0;
    struct hwl_shard_weights *last = &p->weights[u->pp - 1];
    struct hwl_ck ck = {0};
    uint64_t bytes;
    HWL_TRY(hwl_shard_draft_weights(draft, &p->shards, joined, &bytes, error));
    last->component[HWL_COMP_DRAFT] = hwl_ck_add(&ck, last->component[HWL_COMP_DRAFT], bytes);
    last->total = hwl_ck_add(&ck, last->total, bytes);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "sglang: the weights are beyond 64 bits") : HWL_OK;
}

static hwl_status work_out(const struct hwl_sglang_ready *ready, const char *version,
                           const struct hwl_devices *devices, const struct hwl_settings *settings,
                           struct hwl_arena *arena, struct planned *p, hwl_error *error)
{
    const struct hwl_shard_prepared *prepared = ready->target;
    const struct hwl_model *model = prepared->model;
    struct hwl_sglang_setup *u = &p->setup;
    memset(p, 0, sizeof *p);
    HWL_TRY(hwl_sglang_resolve(model, hwl_sglang_draft(ready), version, devices, settings, u, error));
    p->shards = shard_run_of(model, u);
    p->by_kind = hwl_arena_array(arena, (uint64_t)prepared->n_kinds + 1, sizeof *p->by_kind);
    if (!p->by_kind)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_shard_weights(prepared, &p->shards, p->weights, p->by_kind, error));
    if (ready->draft)
        HWL_TRY(add_draft(ready->draft, p, error));
    hwl_shard_runtime(&p->shards, &p->other.context, &p->other.distributed);
    uint64_t free_bytes = UINT64_MAX; /* the smallest of all ranks counts */
    for (uint32_t i = 0; i < u->tp * u->pp; i++)
        free_bytes = hwl_min(free_bytes, devices->gpu[i].free_bytes != HWL_UNKNOWN ? devices->gpu[i].free_bytes
                                                                                    : devices->gpu[i].memory_bytes);
    if (free_bytes == HWL_UNKNOWN)
        return hwl_fail(error, HWL_E_USAGE, "sglang: the memory of the GPU is not known; give it with --gpu-memory");
    p->before = less(free_bytes, p->other.context + p->other.distributed);
    for (uint32_t i = 0; i < u->pp; i++) {
        p->weights[i].total -= hwl_shard_offloaded(prepared, &p->shards, p->by_kind, i, u->cpu_offload);
        budget(p, i);
        if (hwl_opt_has(settings, HWL_OPT_KV_CACHE_MEMORY)) /* told, as the engine's own log says it */
            p->rest[i] = hwl_opt_u64(settings, HWL_OPT_KV_CACHE_MEMORY, 0);
    }
    HWL_TRY(hwl_sglang_size_pools(model, u, p->rest, &p->pools, error));
    return hwl_sglang_measure_other(model, u, &p->shards, &p->pools, &p->other, error);
}

static void put_modelled(struct hwl_ledger *ledger, uint16_t device, hwl_kind kind, hwl_component component,
                         uint64_t bytes, float bound, const char *source)
{
    hwl_ledger_put(ledger, device, -1, kind, component, bytes, HWL_BASIS_MODELLED, source)->error = bound;
}

static void put_pool(struct hwl_ledger *l, uint16_t device, int32_t layer, hwl_component component, uint64_t tokens,
                     uint64_t row, bool pinned, struct hwl_ck *ck)
{
    hwl_entry *e = hwl_ledger_put(l, device, layer, HWL_KIND_KV_CACHE, component, hwl_ck_mul(ck, tokens, row),
                                  pinned ? HWL_BASIS_EXACT : HWL_BASIS_MODELLED, "sglang: pool_configurator.py");
    e->error = pinned ? 0.0f : 0.05f;
    e->formula = "{0} tokens with a page of padding x {1} B";
    e->args[0] = tokens;
    e->args[1] = row;
}

/* Compressed attention: a window, states of 4 or 128 tokens with their indexer keys, and rings of tokens in between. */
static void put_compressed(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p, uint32_t layer,
                           uint16_t device, bool pinned, struct hwl_ck *ck)
{
    const struct hwl_sglang_layer_pools b = hwl_sglang_compressed_layer(m, &p->setup, &p->pools, layer, ck);
    hwl_entry *e = hwl_ledger_put(l, device, (int32_t)layer, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION,
                                  hwl_ck_add(ck, hwl_ck_add(ck, b.window, b.compressed), b.index),
                                  pinned ? HWL_BASIS_EXACT : HWL_BASIS_MODELLED, "sglang: deepseek_v4_memory_pool.py");
    e->error = pinned ? 0.0f : 0.05f;
    e->formula = "{0} B of the window + {1} B of compressed states + {2} B of indexer keys";
    e->args[0] = b.window;
    e->args[1] = b.compressed;
    e->args[2] = b.index;
    if (!b.state)
        return;
    e = hwl_ledger_put(l, device, (int32_t)layer, HWL_KIND_RECURRENT_STATE, HWL_COMP_RECURRENT, b.state,
                       HWL_BASIS_MODELLED, "sglang: CompressStatePool, float32");
    e->error = 0.05f;
}

static hwl_status put_cache(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p, uint32_t stage,
                            uint16_t device, struct hwl_ck *ck, hwl_error *error)
{
    const struct hwl_sglang_setup *u = &p->setup;
    const bool pinned = u->max_tokens && p->pools.tokens == u->max_tokens / u->page * u->page;
    uint64_t last_row = 0;
    for (uint32_t i = u->stage_first[stage]; i < u->stage_first[stage + 1]; i++) {
        const struct hwl_layer *layer = &m->layers[i];
        if (u->compressed) {
            put_compressed(l, m, p, i, device, pinned, ck);
            continue;
        }
        const struct hwl_sglang_row r = hwl_sglang_row_of(hwl_sglang_cached_as(m, u, i), u, ck);
        const bool window = u->window_pool && layer->attn.window;
        const uint64_t tokens = (window ? p->pools.window_tokens : p->pools.full_tokens) + u->page;
        if (r.kv + r.index)
            put_pool(l, device, (int32_t)i, HWL_COMP_ATTENTION, tokens, r.kv + r.index, pinned, ck);
        last_row = r.kv + r.index ? r.kv + r.index : last_row;
        if (!hwl_layer_conv_elements(layer) && !hwl_layer_ssm_elements(layer))
            continue;
        uint64_t state;
        HWL_TRY(hwl_sglang_state_bytes(layer, u, &state, error));
        const uint64_t drafts = p->pools.draft_states ? hwl_ck_mul(ck, p->pools.draft_states + 1, u->draft_tokens) : 0;
        hwl_entry *e = hwl_ledger_put(l, device, (int32_t)i, HWL_KIND_RECURRENT_STATE, HWL_COMP_RECURRENT, 0,
                                      HWL_BASIS_MODELLED, "sglang: MambaPool, one slot of padding");
        e->args[0] = hwl_ck_add(ck, p->pools.states + 1, drafts);
        e->args[1] = state;
        e->bytes = hwl_ck_mul(ck, e->args[0], state);
        e->formula = "{0} states x {1} B";
        e->error = 0.03f;
    }
    if (stage + 1 == u->pp && u->draft_layers)
        put_pool(l, device, -1, HWL_COMP_DRAFT, p->pools.full_tokens + u->page,
                 u->draft ? hwl_sglang_draft_row(u, ck) : hwl_ck_mul(ck, last_row, u->draft_layers), false, ck);
    return HWL_OK;
}

/* --enable-hierarchical-cache: pinned copies of a rank's pools in host memory (mem_cache/pool_host/base.py). A ratio counts the
 * device's tokens, a size is that of the copy in decimal gigabytes; one page is added. */
static void put_host_pools(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p, uint32_t stage, uint16_t host,
                           struct hwl_ck *ck)
{
    const struct hwl_sglang_setup *u = &p->setup;
    uint64_t full = 0, window = 0, state = 0;
    for (uint32_t i = u->stage_first[stage]; i < u->stage_first[stage + 1]; i++) {
        const struct hwl_layer *layer = &m->layers[i];
        const struct hwl_sglang_row r = hwl_sglang_row_of(hwl_sglang_cached_as(m, u, i), u, ck);
        uint64_t *sum = u->window_pool && layer->attn.window ? &window : &full;
        *sum = hwl_ck_add(ck, *sum, hwl_ck_add(ck, r.kv, r.index));
        uint64_t one;
        if ((hwl_layer_conv_elements(layer) || hwl_layer_ssm_elements(layer)) &&
            hwl_sglang_state_bytes(layer, u, &one, NULL) == HWL_OK)
            state = hwl_ck_add(ck, state, one);
    }
    const struct {
        uint64_t row, tokens, page;
        hwl_kind kind;
        hwl_component component;
    } pools[] = {{full, p->pools.full_tokens, u->page, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION},
                 {window, p->pools.window_tokens, u->page, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION},
                 {state, p->pools.states, 1, HWL_KIND_RECURRENT_STATE, HWL_COMP_RECURRENT}};
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        if (!pools[i].row || !pools[i].tokens)
            continue;
        const uint64_t tokens = u->host_bytes ? u->host_bytes / pools[i].row : (uint64_t)((double)pools[i].tokens * u->host_ratio);
        const uint64_t slots = hwl_ck_mul(ck, tokens / pools[i].page + 1, pools[i].page);
        hwl_entry *e = hwl_ledger_put(l, host, -1, pools[i].kind, pools[i].component, hwl_ck_mul(ck, slots, pools[i].row),
                                      HWL_BASIS_MODELLED, "sglang: mem_cache/pool_host, copies in host memory");
        e->error = 0.05f;
        e->memory = HWL_MEMORY_PINNED;
        e->formula = "{0} slots x {1} B";
        e->args[0] = slots;
        e->args[1] = pools[i].row;
    }
}

static hwl_status put_rank(struct hwl_ledger *l, const struct hwl_shard_prepared *prepared, const struct planned *p,
                           uint32_t stage, uint16_t device, uint16_t host, hwl_error *error)
{
    struct hwl_ck ck = {0};
    const struct hwl_shard_put how = {.source = "sglang: layers/linear.py, vocab_parallel_embedding.py",
                                      .offload_source = "sglang: --cpu-offload-gb",
                                      .offload = p->setup.cpu_offload,
                                      .host = host,
                                      .error = 0.03f};
    hwl_shard_put_weights(l, prepared, &p->shards, &p->weights[stage], p->by_kind, stage, device, &how);
    HWL_TRY(put_cache(l, prepared->model, p, stage, device, &ck, error));
    if (p->setup.host_ratio > 0 && !p->setup.compressed)
        put_host_pools(l, prepared->model, p, stage, host, &ck);
    const struct hwl_sglang_other *o = &p->other;
    put_modelled(l, device, HWL_KIND_COMPUTE, HWL_COMP_OTHER, o->activation, 0.5f, "sglang: largest step, not measured");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_GRAPH, o->decode_graphs, 1.0f, "sglang: CUDA graphs of decoding");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_GRAPH, o->prefill_graphs, 0.5f, "sglang: CUDA graphs of prefill");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_OTHER, o->requests, 0.01f, "sglang: ReqToTokenPool");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_ATTENTION, p->setup.workspace, 0.2f, "sglang: the attention kernels' workspace");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_CONTEXT, o->context + o->distributed, 0.3f,
                 "sglang: CUDA context, communicators");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_OTHER, HWL_SGLANG_LOADING, 1.0f, "sglang: what is loaded beside the weights");
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "sglang: a size is beyond 64 bits") : HWL_OK;
}

/* Start of a server with these settings; the pool is pinned so that what else is on the card does not move it. */
static void put_command(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p,
                        const struct hwl_settings *s)
{
    const struct hwl_sglang_setup *u = &p->setup;
    const char *source = m->source ? m->source : m->name;
    if (strncmp(source, "catalogue: ", 11) == 0)
        source += 11;
    const char *given = hwl_args_given(l->arena, s, hwl_sglang_args, HWL_SGLANG_N_ARGS, "gpu-memory-utilization", '-');
    char ep[32] = "", chunk[48] = "", prefill[48] = "", cache[48] = "", fraction[40] = "";
    if (u->ep)
        (void)snprintf(ep, sizeof ep, " --ep-size %u", u->tp);
    if (!u->chunk)
        (void)snprintf(chunk, sizeof chunk, " --chunked-prefill-size -1");
    else if (hwl_opt_has(s, HWL_OPT_MAX_BATCHED_TOKENS))
        (void)snprintf(chunk, sizeof chunk, " --chunked-prefill-size %llu",
                       (unsigned long long)hwl_opt_u64(s, HWL_OPT_MAX_BATCHED_TOKENS, 0));
    if (hwl_opt_has(s, HWL_OPT_MAX_PREFILL_TOKENS))
        (void)snprintf(prefill, sizeof prefill, " --max-prefill-tokens %llu", (unsigned long long)u->max_prefill);
    if (p->pools.starts && p->pools.tokens)
        (void)snprintf(cache, sizeof cache, " --max-total-tokens %llu", (unsigned long long)p->pools.tokens);
    for (int digits = 3; digits < 18; digits++) { /* the shortest text that reads back the same */
        (void)snprintf(fraction, sizeof fraction, digits == 3 ? "%.*f" : "%.*g", digits, u->fraction);
        if (!(strtod(fraction, NULL) < u->fraction) && !(strtod(fraction, NULL) > u->fraction))
            break;
    }
    char *text = given ? hwl_arena_printf(l->arena, "python -m sglang.launch_server --model-path %s%s --context-length %llu "
                                                    "--mem-fraction-static %s%s%s%s%s",
                                          source, given, (unsigned long long)u->context, fraction, chunk, prefill, ep, cache)
                       : NULL;
    if (text)
        hwl_ledger_view_text(l, "command_line", text);
    else
        l->failed = true;
}

static void put_views(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p,
                      const struct hwl_settings *s)
{
    const struct hwl_sglang_setup *u = &p->setup;
    uint64_t rest = UINT64_MAX, after = UINT64_MAX, kv = 0, states = 0, pools = 0, graphs;
    for (uint32_t i = 0; i < u->pp; i++) {
        rest = hwl_min(rest, p->rest[i]);
        after = hwl_min(after, p->after[i]);
    }
    for (uint64_t i = 0; i < l->n_entries; i++) {
        const hwl_entry *e = &l->entries[i];
        if (e->device != 0)
            continue;
        kv += e->kind == HWL_KIND_KV_CACHE && e->component != HWL_COMP_DRAFT ? e->bytes : 0;
        pools += e->kind == HWL_KIND_KV_CACHE || e->kind == HWL_KIND_RECURRENT_STATE ? e->bytes : 0;
        states += e->kind == HWL_KIND_RECURRENT_STATE ? e->bytes : 0;
    }
    hwl_ledger_view_u64(l, "max_total_num_tokens", p->pools.tokens);
    if (p->pools.window_tokens) {
        hwl_ledger_view_u64(l, "full_max_total_num_tokens", p->pools.full_tokens);
        hwl_ledger_view_u64(l, "swa_max_total_num_tokens", p->pools.window_tokens);
        hwl_ledger_view_u64(l, "window_tokens", p->pools.window_tokens);
    }
    if (u->recurrent) {
        hwl_ledger_view_u64(l, "max_mamba_cache_size", p->pools.states);
        hwl_ledger_view_u64(l, "mamba_slots", p->pools.states);
    }
    hwl_ledger_view_u64(l, "kv_cache_tokens", p->pools.tokens); /* under the name that logs of every server have */
    hwl_ledger_view_u64(l, "max_running_requests", p->pools.requests);
    hwl_ledger_view_real(l, "mem_fraction_static", u->fraction);
    hwl_ledger_view_u64(l, "chunked_prefill_size", u->chunk);
    hwl_ledger_view_u64(l, "cuda_graph_max_bs", u->n_decode_graphs ? u->max_bs : 0);
    hwl_ledger_view_u64(l, "weight_load_begin_avail_bytes", p->before);
    hwl_ledger_view_u64(l, "weights_bytes", p->loaded[0] + HWL_SGLANG_LOADING); /* as the engine measures them */
    hwl_ledger_view_u64(l, "weight_load_end_avail_bytes", after);
    hwl_ledger_view_u64(l, "rest_bytes", rest);
    hwl_ledger_view_u64(l, "kv_bytes", kv);
    if (states)
        hwl_ledger_view_u64(l, "state_bytes", states);
    const uint64_t pool_end = less(p->after[0], pools + p->other.requests);
    graphs = p->other.decode_graphs + p->other.prefill_graphs + u->workspace;
    hwl_ledger_view_u64(l, "pool_end_avail_bytes", pool_end);
    hwl_ledger_view_u64(l, "graph_bytes", p->other.decode_graphs);
    if (p->other.prefill_graphs)
        hwl_ledger_view_u64(l, "prefill_graph_bytes", p->other.prefill_graphs);
    hwl_ledger_view_u64(l, "available_gpu_mem_bytes", less(pool_end, graphs));
    put_command(l, m, p, s);
    hwl_ledger_setting_u64(l, "tp", u->tp);
    hwl_ledger_setting_u64(l, "pp", u->pp);
    hwl_ledger_setting_u64(l, "dp", u->dp);
    hwl_ledger_setting_bool(l, "enable-dp-attention", u->attention_dp > 1);
    hwl_ledger_setting_bool(l, "ep", u->ep);
    hwl_ledger_setting_u64(l, "ctx", u->context);
    hwl_ledger_setting_u64(l, "max-batched-tokens", u->chunk * u->attention_dp);
    hwl_ledger_setting_u64(l, "max-seqs", p->pools.requests * u->attention_dp);
    hwl_ledger_setting_real(l, "gpu-memory-utilization", u->fraction);
    hwl_ledger_setting_u64(l, "block-size", u->page);
    hwl_ledger_setting_u64(l, "max-cudagraph-size", u->max_bs);
    hwl_ledger_setting_text(l, "dtype", u->dtype);
    hwl_ledger_setting_bool(l, "enable-prefix-caching", u->prefix);
    hwl_ledger_setting_bool(l, "prefill-graph", u->n_prefill_graphs > 0);
    hwl_ledger_setting_bool(l, "hybrid-kv-cache", u->window_pool);
}

/* Tokens of requests that a replica holds, and replicas. */
static uint64_t replicas(const struct hwl_sglang_setup *u)
{
    return u->dp;
}

static void judge(struct hwl_ledger *l, const struct planned *p)
{
    const struct hwl_sglang_setup *u = &p->setup;
    uint64_t need;
    if (!p->pools.starts) {
        l->exceeds = true;
        double least = 0;
        for (uint32_t i = 0; i < u->pp; i++)
            least = p->before ? 1.0 - (double)p->after[i] / (double)p->before : 1.0;
        hwl_ledger_note(l, "SGLang would not start: %s; --mem-fraction-static must be above %.3f", p->pools.why, least);
    } else if (!hwl_mul(&need, l->context, hwl_div_ceil(l->concurrency, replicas(u))) ||
               need > p->pools.tokens * u->dcp || hwl_div_ceil(l->concurrency, replicas(u)) > p->pools.requests) {
        l->exceeds = true;
        hwl_ledger_note(l, "the pool holds %llu tokens and %llu requests, not %llu requests of %llu tokens",
                        (unsigned long long)p->pools.tokens, (unsigned long long)p->pools.requests,
                        (unsigned long long)l->concurrency, (unsigned long long)l->context);
    }
    if (u->host_ratio > 0 && u->compressed)
        hwl_ledger_note(l, "the host's copies of compressed attention's pools are not modelled");
    else if (u->host_ratio > 0 && !u->host_bytes)
        hwl_ledger_note(l, "the host's copy is planned at its full ratio; SGLang lowers it where the host has too little memory free");
    if (u->fraction_given)
        hwl_ledger_note(l, "activations and CUDA graphs live in the %.3f that the static fraction leaves; SGLang measures "
                           "neither before it serves",
                        1.0 - u->fraction);
}

static hwl_status plan(const struct hwl_model *model, const void *ready, const char *version,
                       const struct hwl_devices *devices, const struct hwl_settings *settings,
                       struct hwl_ledger *ledger, hwl_error *error)
{
    (void)model;
    const struct hwl_sglang_ready *made = ready;
    const struct hwl_shard_prepared *prepared = made->target;
    const struct hwl_model *m = prepared->model;
    struct planned *p = HWL_NEW(ledger->arena, struct planned);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(work_out(made, version, devices, settings, ledger->arena, p, error));
    const struct hwl_sglang_setup *u = &p->setup;
    const uint32_t copies = u->attention_dp > 1 ? 1 : u->dp;
    uint64_t per_token = 0;
    struct hwl_ck ck = {0};
    for (uint32_t d = 0; d < copies; d++)
        for (uint32_t s = 0; s < u->pp; s++)
            for (uint32_t t = 0; t < u->tp; t++) {
                const uint16_t device = (uint16_t)((d * u->pp + s) * u->tp + t);
                HWL_TRY(put_rank(ledger, prepared, p, s, device, (uint16_t)devices->n_gpus, error));
                if (d == 0 && t == 0)
                    for (uint32_t i = u->stage_first[s]; i < u->stage_first[s + 1]; i++)
                        hwl_ledger_place(ledger, device, i);
            }
    hwl_ledger_place(ledger, (uint16_t)((u->pp - 1) * u->tp), m->n_layers);
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_sglang_row r = hwl_sglang_row_of(hwl_sglang_cached_as(m, u, i), u, &ck);
        if (!(u->window_pool && m->layers[i].attn.window))
            per_token = hwl_ck_add(&ck, per_token, hwl_ck_mul(&ck, r.kv + r.index, u->attention_tp / u->dcp));
    }
    if (ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "sglang: the cache is beyond 64 bits");
    ledger->kv_bytes_per_token = per_token;
    ledger->kv_tokens = hwl_ck_mul3(&ck, p->pools.tokens, u->dcp, u->dp);
    /* without a length of its own a request may be as long as the pool: the server starts and cuts it there */
    ledger->context = hwl_opt_has(settings, HWL_OPT_CTX) ? u->context : hwl_min(u->context, p->pools.tokens * u->dcp);
    ledger->concurrency = hwl_opt_u64(settings, HWL_OPT_CONCURRENCY, 1);
    put_views(ledger, m, p, settings);
    judge(ledger, p);
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
    if (st == HWL_OK) {
        const struct hwl_sglang_setup *u = &p->setup;
        const uint64_t tokens = p->pools.tokens * u->dcp;
        out->max_context = !p->pools.starts ? 0 : model->context_train ? hwl_min(tokens, model->context_train) : tokens;
        out->max_concurrency = p->pools.starts && u->context ? hwl_min(tokens / u->context, p->pools.requests) * u->dp : 0;
    }
    hwl_arena_free(&arena);
    return st;
}

const struct hwl_engine hwl_engine_sglang = {
    .id = "sglang",
    .versions = hwl_sglang_versions,
    .version = hwl_sglang_version,
    .args = hwl_sglang_args,
    .n_args = HWL_SGLANG_N_ARGS,
    .prepare = hwl_sglang_prepare,
    .release = hwl_sglang_release,
    .plan = plan,
    .limits = limits,
};
