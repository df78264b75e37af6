/* SPDX-License-Identifier: Apache-2.0 */
/* Hugging Face's text-generation-inference: weights over shards, a warm-up batch of max_batch_prefill_tokens, and as many
 * cache blocks as that leaves room for. */
#include "engine/tgi/tgi.h"

#include "base/bytes.h"
#include "base/status.h"
#include "engine/shared/args.h"
#include "engine/shared/put.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define FLASHINFER_WORKSPACE (128 * MIB) /* layers/attention/flashinfer.py */

/* What the allocator keeps of a forward pass, in tenths of its widest point: a start-up with 32,768 tokens (Mistral-7B) says 21, and
 * six others agree with it within 15 % of their tokens (tests/data/tgi/logs.txt). */
#define KEPT_TENTHS 21
#define COMMUNICATORS (400 * MIB) /* NCCL alone; there is no all-reduce of its own */

struct planned {
    struct hwl_tgi_setup setup;
    struct hwl_shard_run shards;
    struct hwl_shard_weights weights;
    uint64_t (*by_kind)[HWL_COMP_COUNT];
    uint64_t head, null_row; /* a tied matrix once more; the row that other shards' tokens read */
    uint64_t activation, graphs, context, communicators, workspace;
    uint64_t row, blocks, tokens;
    bool starts;
};

/* One request's logits of the last token in fp32 several times over; before 3.0 log-probabilities of every token. */
static uint64_t logits(const struct hwl_model *m, const struct hwl_tgi_setup *u, struct hwl_ck *ck)
{
    if (!u->rules->all_logits)
        return hwl_ck_mul(ck, m->vocab, 24);
    const uint64_t all = hwl_ck_mul3(ck, u->prefill, m->vocab, u->dtype_bytes); /* and a shard's own, before they are gathered */
    return hwl_ck_add(ck, hwl_ck_mul(ck, all, u->rules->log_copy ? 2 : 1), u->tp > 1 ? all / u->tp : 0);
}

static hwl_status add_embeddings(const struct hwl_model *m, struct planned *p, struct hwl_ck *ck)
{
    const uint64_t row = hwl_ck_mul(ck, m->hidden, p->setup.dtype_bytes);
    const uint64_t rows = m->vocab % p->setup.tp ? m->vocab : m->vocab / p->setup.tp; /* whole where it does not divide */
    p->head = m->tied ? hwl_ck_mul(ck, rows, row) : 0;
    p->null_row = row;
    struct hwl_shard_weights *w = &p->weights;
    w->component[HWL_COMP_OUTPUT] = hwl_ck_add(ck, w->component[HWL_COMP_OUTPUT], p->head);
    w->component[HWL_COMP_EMBEDDING] = hwl_ck_add(ck, w->component[HWL_COMP_EMBEDDING], p->null_row);
    w->total = hwl_ck_add(ck, w->total, hwl_ck_add(ck, p->head, p->null_row));
    return HWL_OK;
}

static hwl_status work_out(const struct hwl_shard_prepared *prepared, const char *version, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, struct hwl_arena *arena, struct planned *p, hwl_error *error)
{
    struct hwl_tgi_setup *u = &p->setup;
    const struct hwl_model *m = prepared->model;
    struct hwl_ck ck = {0};
    memset(p, 0, sizeof *p);
    HWL_TRY(hwl_tgi_resolve(m, version, devices, settings, u, error));
    uint16_t *bounds = HWL_NEW_ARRAY(arena, uint16_t, 2);
    p->by_kind = hwl_arena_array(arena, (uint64_t)prepared->n_kinds + 1, sizeof *p->by_kind);
    if (!bounds || !p->by_kind)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    bounds[0] = 0;
    bounds[1] = (uint16_t)m->n_layers;
    p->shards = (struct hwl_shard_run){
        .engine = "tgi",
        .stage_first = bounds,
        .tp = u->tp,
        .pp = 1,
        .attention_tp = u->tp,
        .embedding_tp = u->tp,
        .expert_ranks = u->tp,
        .cc = u->card->compute_major * 10 + u->card->compute_minor,
        .dtype_bytes = u->dtype_bytes,
        .spec_method = "",
        .max_loras = u->max_loras,
        .max_lora_rank = u->max_lora_rank,
        .multimodal = u->multimodal,
    };
    HWL_TRY(hwl_shard_weights(prepared, &p->shards, &p->weights, p->by_kind, error));
    HWL_TRY(add_embeddings(m, p, &ck));
    p->context = u->rules->context_mib * MIB;
    p->communicators = u->tp > 1 ? COMMUNICATORS : 0;
    p->workspace = strcmp(u->attention, "flashinfer") == 0 ? FLASHINFER_WORKSPACE : 0;
    /* what the layers freed stays with the allocator, in pieces too small for the logits */
    const uint64_t pass = hwl_ck_mul3(&ck, u->prefill, hwl_shard_forward_elements(m, &p->shards, &ck), u->dtype_bytes);
    p->activation = hwl_ck_add(&ck, hwl_ck_mul(&ck, pass, KEPT_TENTHS) / 10, logits(m, u, &ck));
    p->row = hwl_tgi_row(m, u, &ck);
    uint64_t free_bytes = UINT64_MAX, total = UINT64_MAX;
    for (uint32_t i = 0; i < u->tp; i++) {
        const hwl_device *d = &devices->gpu[i];
        free_bytes = hwl_min(free_bytes, d->free_bytes != HWL_UNKNOWN ? d->free_bytes : d->memory_bytes);
        total = hwl_min(total, d->memory_bytes);
    }
    if (total == HWL_UNKNOWN)
        return hwl_fail(error, HWL_E_USAGE, "tgi: the memory of the GPU is not known; give it with --gpu-memory");
    const uint64_t warm = hwl_ck_mul3(&ck, hwl_tgi_warm_blocks(u), u->block, p->row);
    uint64_t used = hwl_ck_add(&ck, p->weights.total, hwl_ck_add(&ck, p->activation, warm));
    used = hwl_ck_add(&ck, used, p->context + p->communicators + p->workspace);
    p->starts = used < free_bytes;
    p->blocks = hwl_tgi_blocks(u, total, p->starts ? free_bytes - used : 0, p->row, &ck);
    p->tokens = hwl_ck_mul(&ck, p->blocks, u->block);
    if (!u->max_total) /* towers prefill in one piece: what the warm-up took */
        u->max_total = u->multimodal ? u->prefill : hwl_min(p->tokens, m->context_train ? m->context_train : p->tokens);
    p->starts = p->starts && u->max_total <= p->tokens;
    uint64_t largest = 0;
    for (uint32_t i = 0; i < u->n_graphs; i++)
        largest = hwl_max(largest, u->graphs[i]);
    p->graphs = hwl_ck_add(&ck, hwl_shard_graphs(u->n_graphs, &ck), hwl_ck_mul3(&ck, largest, u->max_total, 4)); /* block tables */
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "tgi: a size is beyond 64 bits") : HWL_OK;
}

static void put_modelled(struct hwl_ledger *l, uint16_t device, hwl_kind kind, hwl_component component, uint64_t bytes,
                         float bound, const char *source)
{
    hwl_ledger_put(l, device, -1, kind, component, bytes, HWL_BASIS_MODELLED, source)->error = bound;
}

static void put_rank(struct hwl_ledger *l, const struct hwl_shard_prepared *prepared, const struct planned *p, uint16_t device,
                     struct hwl_ck *ck)
{
    const struct hwl_model *m = prepared->model;
    const struct hwl_shard_put how = {.source = "tgi: layers/tensor_parallel.py", .error = 0.03f};
    hwl_shard_put_weights(l, prepared, &p->shards, &p->weights, p->by_kind, 0, device, &how);
    for (uint32_t i = 0; i < m->n_layers; i++) {
        hwl_entry *e = hwl_ledger_put(l, device, (int32_t)i, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION,
                                      hwl_ck_mul(ck, p->tokens, p->row / m->n_layers), HWL_BASIS_MODELLED,
                                      "tgi: models/flash_causal_lm.py warmup");
        e->error = 0.15f;
        e->formula = "{0} blocks x {1} tokens x {2} B";
        e->args[0] = p->blocks;
        e->args[1] = p->setup.block;
        e->args[2] = p->row / m->n_layers;
    }
    put_modelled(l, device, HWL_KIND_COMPUTE, HWL_COMP_OTHER, p->activation, 0.5f, "tgi: warm-up of max_batch_prefill_tokens");
    put_modelled(l, device, HWL_KIND_COMPUTE, HWL_COMP_OTHER, p->workspace, 0.0f, "tgi: layers/attention/flashinfer.py");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_GRAPH, p->graphs, 1.0f, "tgi: cuda_graph_warmup");
    put_modelled(l, device, HWL_KIND_OVERHEAD, HWL_COMP_CONTEXT, p->context + p->communicators, 0.5f,
                 "tgi: CUDA context, communicators");
}

static void put_views(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p, const struct hwl_settings *settings)
{
    const struct hwl_tgi_setup *u = &p->setup;
    hwl_ledger_view_u64(l, "kv_cache_blocks", p->blocks);
    hwl_ledger_view_u64(l, "block_size", u->block);
    hwl_ledger_view_u64(l, "max_batch_total_tokens", p->tokens);
    hwl_ledger_view_u64(l, "max_batch_prefill_tokens", u->prefill);
    hwl_ledger_view_u64(l, "max_total_tokens", u->max_total);
    hwl_ledger_view_u64(l, "max_input_tokens", u->max_input ? u->max_input : u->max_total ? u->max_total - 1 : 0);
    hwl_ledger_view_text(l, "attention", u->attention);
    hwl_ledger_view_u64(l, "weights_bytes", p->weights.total);
    hwl_ledger_view_u64(l, "peak_activation_bytes", p->activation);
    hwl_args_put_line(l, "text-generation-launcher --model-id", m,
                      hwl_args_given(l->arena, settings, hwl_tgi_args, HWL_TGI_N_ARGS, "max-batched-tokens", '-'),
                      hwl_arena_printf(l->arena, " --max-batch-prefill-tokens %llu", (unsigned long long)u->prefill));
    hwl_ledger_setting_u64(l, "tp", u->tp);
    hwl_ledger_setting_u64(l, "ctx", u->max_total);
    hwl_ledger_setting_u64(l, "max-batched-tokens", u->prefill);
    hwl_ledger_setting_real(l, "gpu-memory-utilization", u->fraction);
    hwl_ledger_setting_text(l, "kv-type", u->kv_type);
    hwl_ledger_setting_text(l, "dtype", u->dtype);
    hwl_ledger_setting_text(l, "attention-backend", u->attention);
}

static void judge(struct hwl_ledger *l, const struct hwl_model *m, const struct planned *p)
{
    uint64_t need;
    if (!p->starts) {
        l->exceeds = true;
        hwl_ledger_note(l, "text-generation-inference would not start: its cache would hold %llu tokens, less than one request of %llu",
                        (unsigned long long)p->tokens, (unsigned long long)p->setup.max_total);
    } else if (!hwl_mul(&need, l->context, l->concurrency) || need > p->tokens) {
        l->exceeds = true;
        hwl_ledger_note(l, "the cache holds %llu tokens, not %llu requests of %llu", (unsigned long long)p->tokens,
                        (unsigned long long)l->concurrency, (unsigned long long)l->context);
    }
    for (uint32_t i = 0; i < m->n_layers; i++)
        if (m->layers[i].attn.window) {
            hwl_ledger_note(l, "window layers keep every token: all layers share one table of blocks");
            break;
        }
    if (m->tied)
        hwl_ledger_note(l, "the tied output matrix is loaded a second time");
}

static hwl_status plan(const struct hwl_model *model, const void *ready, const char *version, const struct hwl_devices *devices,
                       const struct hwl_settings *settings, struct hwl_ledger *ledger, hwl_error *error)
{
    (void)model;
    const struct hwl_shard_prepared *prepared = ready;
    const struct hwl_model *m = prepared->model;
    struct planned *p = HWL_NEW(ledger->arena, struct planned);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(work_out(prepared, version, devices, settings, ledger->arena, p, error));
    struct hwl_ck ck = {0};
    for (uint32_t t = 0; t < p->setup.tp; t++)
        put_rank(ledger, prepared, p, (uint16_t)t, &ck);
    for (uint32_t i = 0; i <= m->n_layers; i++)
        hwl_ledger_place(ledger, 0, i);
    ledger->kv_bytes_per_token = hwl_ck_mul(&ck, p->row, p->setup.tp);
    ledger->kv_tokens = p->tokens;
    ledger->context = p->setup.max_total;
    ledger->concurrency = hwl_opt_u64(settings, HWL_OPT_CONCURRENCY, 1);
    if (ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "tgi: the cache is beyond 64 bits");
    put_views(ledger, m, p, settings);
    judge(ledger, m, p);
    return HWL_OK;
}

static hwl_status limits(const struct hwl_model *model, const void *ready, const char *version, const struct hwl_devices *devices,
                         const struct hwl_settings *settings, hwl_limits *out, hwl_error *error)
{
    struct hwl_arena arena = {0};
    struct planned *p = HWL_NEW(&arena, struct planned);
    hwl_status st = p ? work_out(ready, version, devices, settings, &arena, p, error) : hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (st == HWL_OK && p->starts) {
        out->max_context = model->context_train ? hwl_min(p->tokens, model->context_train) : p->tokens;
        out->max_concurrency = p->setup.max_total ? p->tokens / p->setup.max_total : 0;
    }
    hwl_arena_free(&arena);
    return st;
}

const struct hwl_engine hwl_engine_tgi = {
    .id = "tgi",
    .versions = hwl_tgi_versions,
    .version = hwl_tgi_version,
    .args = hwl_tgi_args,
    .n_args = HWL_TGI_N_ARGS,
    .prepare = hwl_shard_prepare_only,
    .plan = plan,
    .limits = limits,
};
