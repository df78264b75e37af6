/* SPDX-License-Identifier: Apache-2.0 */
/* vLLM: resolves the run, splits weights over ranks, sizes the paged cache with what is left, and writes the ledger. */
#include "engine/vllm/vllm.h"

#include "base/bytes.h"
#include "base/status.h"
#include "engine/shared/put.h"
#include "engine/vllm/budget.h"

#include <stdio.h>
#include <string.h>

struct planned {
    struct hwl_vllm_setup setup;
    struct hwl_vllm_run run;
    struct hwl_vllm_cache cache;
    struct hwl_shard_run shards;
    struct hwl_shard_weights weights[HWL_VLLM_MAX_STAGES]; /* on the card */
    uint64_t (*by_kind)[HWL_COMP_COUNT];                   /* of one layer of each kind */
    struct hwl_vllm_other other[HWL_VLLM_MAX_STAGES];
    uint64_t budget[HWL_VLLM_MAX_STAGES];
    uint64_t per_token;                      /* bytes of one token's growing cache over all devices */
    uint64_t offloaded[HWL_VLLM_MAX_STAGES]; /* weights of a rank in host memory */
    uint32_t host;                           /* index of the host among the devices */
    bool starts;                             /* the weights leave room at all */
};

static struct hwl_vllm_run run_of(const struct hwl_vllm_setup *u)
{
    uint64_t batches = 1;
    if (u->rules->in_flight_batches) /* config/vllm.py max_concurrent_batches */
        batches = u->async ? (u->pp > 1 && u->v2 ? u->pp + 1u : u->pp > 1 ? u->pp : 2u) : u->pp;
    struct hwl_vllm_run r = {.max_len = u->max_len,
                             .auto_len = u->auto_len,
                             .encoder_tokens = u->mbt,
                             .override_blocks = u->override_blocks,
                             .dcp = u->dcp,
                             .stages = u->pp,
                             .state_mode = u->state_mode,
                             .one_type = u->one_type,
                             .null_block = u->rules->null_block,
                             .group_percent = u->rules->group_percent,
                             .override_checked = u->rules->override_checked,
                             .tokens_by_group = u->rules->tokens_by_group,
                             .pads_pages = u->rules->pads_pages,
                             .merges_buckets = u->rules->merges_buckets,
                             .promotes = u->rules->promotes,
                             .plain_length = u->rules->plain_length,
                             .token_block = u->rules->config_block ? u->block : 0,
                             .states_alone = u->rules->states_alone,
                             .check = u->rules->check};
    if (!hwl_mul(&r.in_flight, batches, u->mbt))
        r.in_flight = UINT64_MAX;
    r.block_outermost = u->compressed;
    return r;
}

/* What the cache may take on a rank: the asked share of the card less everything else (worker
 * determine_available_memory). */
static uint64_t budget_of(const struct hwl_vllm_setup *u, const struct hwl_shard_weights *w, const struct hwl_vllm_other *o, bool *starts)
{
    if (u->kv_budget != HWL_UNKNOWN)
        return u->kv_budget;
    const double share = (double)u->card->memory_bytes * u->utilization;
    uint64_t left = (uint64_t)share;
    const uint64_t parts[] = {w->total, o->activation.bytes, o->non_torch, (u->v2 ? u->rules->v2_estimate : u->rules->v1_estimate) ? o->graphs.bytes : 0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (left < parts[i])
            *starts = false;
        left = left > parts[i] ? left - parts[i] : 0;
    }
    return left;
}

/* What prepare makes: the target, and the draft model where one is named and can be opened. */
struct ready {
    struct hwl_shard_prepared *target, *draft;
    struct hwl_model *owned;
};

/* A draft of its own runs whole on the ranks of the last stage, split as the target is. An EAGLE head shares the token
 * embedding and adds the matrix that joins it with the target's hidden states. */
static hwl_status add_draft(const struct hwl_shard_prepared *draft, struct planned *p, hwl_error *error)
{
    const struct hwl_vllm_setup *u = &p->setup;
    const uint32_t joined = strcmp(u->spec_method, "eagle3") == 0 ? 3 : strcmp(u->spec_method, "eagle") == 0 ? 2 : 0;
    struct hwl_ck ck = {0};
    uint64_t bytes;
    HWL_TRY(hwl_shard_draft_weights(draft, &p->shards, joined, &bytes, error));
    if (hwl_words_have("dflash dspark", u->spec_method)) /* keys' and values' rows of all layers once more, in one matrix (qwen3_dflash.py) */
        for (uint32_t i = 0; i < u->draft->n_layers; i++) {
            const struct hwl_attention *a = &u->draft->layers[i].attn;
            bytes = hwl_ck_add(&ck, bytes,
                               hwl_ck_mul4(&ck, hwl_shard_kv_heads(&u->draft->layers[i], u->tp, false),
                                           (uint64_t)a->head_dim_k + a->head_dim_v, u->draft->hidden, u->dtype_bytes));
        }
    struct hwl_shard_weights *last = &p->weights[u->pp - 1];
    last->component[HWL_COMP_DRAFT] = hwl_ck_add(&ck, last->component[HWL_COMP_DRAFT], bytes);
    last->total = hwl_ck_add(&ck, last->total, bytes);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "vllm: the weights are beyond 64 bits") : HWL_OK;
}

static hwl_status take_draft(const struct ready *ready, struct hwl_vllm_setup *u, hwl_error *error)
{
    if (!ready->draft) {
        if (strcmp(u->spec_method, "draft_model") == 0)
            return hwl_fail(error, HWL_E_NOT_FOUND, "vllm: the method draft_model wants a draft model");
        if (strcmp(u->spec_method, "dflash") == 0)
            return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: the method dflash wants a draft model");
        if (strcmp(u->spec_method, "dspark") == 0)
            return hwl_fail(error, HWL_E_UNSUPPORTED, "vllm: DSpark stages inside the target's own checkpoint are not modelled; a draft model is");
        return HWL_OK;
    }
    u->draft = ready->draft->model;
    u->draft_layers = u->draft->n_layers;
    for (uint32_t i = 0; i < u->draft->n_layers; i++)
        if (u->draft->layers[i].attn.n_heads % u->tp)
            return hwl_fail(error, HWL_E_REFUSED,
                            "vllm refuses: %u attention heads of the draft must be divisible by tensor parallel size %u",
                            u->draft->layers[i].attn.n_heads, u->tp);
    return HWL_OK;
}

/* Fills *p, which is all zero. */
static hwl_status work_out(const struct ready *ready, const char *version, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, struct hwl_arena *arena, bool longest, struct planned *p, hwl_error *error)
{
    const struct hwl_shard_prepared *prepared = ready->target;
    const struct hwl_model *model = prepared->model;
    p->starts = true;
    p->host = devices->n_gpus;
    struct hwl_vllm_setup *u = &p->setup;
    HWL_TRY(hwl_vllm_resolve(model, version, devices, settings, u, error));
    HWL_TRY(take_draft(ready, u, error));
    p->run = run_of(u);
    if (longest) {
        p->run.auto_len = true;
        p->run.max_len = hwl_max(p->run.max_len, model->context_train);
    }
    struct hwl_vllm_spec *specs;
    uint32_t n;
    HWL_TRY(hwl_vllm_specs(model, u, arena, &specs, &n, error));
    struct hwl_ck ck = {0};
    for (uint32_t i = 0; i < n; i++)
        if (specs[i].kind == HWL_VLLM_FULL || specs[i].kind == HWL_VLLM_MLA)
            p->per_token = hwl_ck_add(&ck, p->per_token, hwl_ck_mul3(&ck, specs[i].page / specs[i].block, u->tp / u->dcp, u->dp));
    if (ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "vllm: the cache is beyond 64 bits");
    HWL_TRY(hwl_vllm_cache_group(&p->cache, specs, n, &p->run, arena, error));
    p->shards = hwl_vllm_shard_run(u, settings);
    p->by_kind = hwl_arena_array(arena, (uint64_t)prepared->n_kinds + 1, sizeof *p->by_kind);
    if (!p->by_kind)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_shard_weights(prepared, &p->shards, p->weights, p->by_kind, error));
    if (u->draft)
        HWL_TRY(add_draft(ready->draft, p, error));
    for (uint32_t i = 0; i < u->pp; i++) {
        p->offloaded[i] = hwl_shard_offloaded(prepared, &p->shards, p->by_kind, i, u->cpu_offload);
        p->weights[i].total -= p->offloaded[i];
        HWL_TRY(hwl_vllm_measure_other(model, u, &p->shards, settings, i, &p->other[i], error));
        p->budget[i] = budget_of(u, &p->weights[i], &p->other[i], &p->starts);
    }
    return hwl_vllm_cache_size(&p->cache, &p->run, p->budget, error);
}

static void put_modelled(struct hwl_ledger *ledger, uint16_t device, hwl_kind kind, hwl_component component, uint64_t bytes, float bound,
                         const char *source)
{
    hwl_ledger_put(ledger, device, -1, kind, component, bytes, HWL_BASIS_MODELLED, source)->error = bound;
}

static void put_term(struct hwl_ledger *ledger, uint16_t device, hwl_kind kind, hwl_component component, const struct hwl_vllm_term *term,
                     float bound, const char *source)
{
    hwl_entry *e = hwl_ledger_put(ledger, device, -1, kind, component, term->bytes, HWL_BASIS_MODELLED, source);
    e->error = bound;
    e->formula = term->formula;
    memcpy(e->args, term->args, sizeof e->args);
}

static void put_weights(struct hwl_ledger *ledger, const struct hwl_shard_prepared *prepared, const struct planned *p, uint32_t stage,
                        uint16_t device)
{
    const struct hwl_shard_put how = {.source = "vllm: layers/linear.py, vocab_parallel_embedding.py",
                                      .offload_source = "vllm: --cpu-offload-gb",
                                      .offload = p->setup.cpu_offload,
                                      .host = (uint16_t)p->host,
                                      .error = 0.01f};
    hwl_shard_put_weights(ledger, prepared, &p->shards, &p->weights[stage], p->by_kind, stage, device, &how);
}

/* Blocks of the pool go to whoever asks: of several groups each is billed the part that it has in a request of full
 * length, so that the layers' entries add up to the pool. */
static void put_cache(struct hwl_ledger *ledger, const struct planned *p, uint32_t stage, uint16_t device)
{
    const struct hwl_vllm_cache *c = &p->cache;
    const uint64_t width = c->block_bytes[stage];
    uint64_t wanted = 0, given = 0;
    uint64_t share[HWL_VLLM_MAX_GROUPS], used[HWL_VLLM_MAX_GROUPS] = {0};
    for (uint32_t i = 0; i < c->n_groups; i++)
        wanted += c->groups[i].per_request;
    if (!width || !c->num_blocks || !wanted)
        return;
    for (uint32_t i = 0; i < c->n_groups; i++) {
        const uint64_t part = (uint64_t)((double)c->num_blocks * (double)c->groups[i].per_request / (double)wanted);
        share[i] = i + 1 == c->n_groups ? c->num_blocks - given : hwl_min(part, c->num_blocks - given);
        given += share[i];
    }
    const bool given_bytes = p->setup.kv_budget != HWL_UNKNOWN || p->setup.override_blocks;
    const hwl_basis basis = given_bytes ? HWL_BASIS_EXACT : HWL_BASIS_MODELLED;
    const float bound = given_bytes ? 0.0f : 0.03f;
    const char *const source = "vllm: v1/core/kv_cache_planning.py";
    const char *const formula = c->n_groups > 1 ? "{0} of {2} blocks x {1} B" : "{0} blocks x {1} B";
    for (uint32_t i = 0; i < c->n_specs; i++) {
        const struct hwl_vllm_spec *s = &c->specs[i];
        if (s->stage != stage)
            continue;
        const uint32_t g = c->group_of[i];
        const bool state = s->kind == HWL_VLLM_MAMBA;
        const uint64_t page = hwl_min(s->page, width - used[g]);
        used[g] += page;
        hwl_entry *e = hwl_ledger_put(ledger, device, s->layer, state ? HWL_KIND_RECURRENT_STATE : HWL_KIND_KV_CACHE,
                                      s->draft ? HWL_COMP_DRAFT
                                      : state  ? HWL_COMP_RECURRENT
                                               : HWL_COMP_ATTENTION,
                                      share[g] * page, basis, source);
        e->error = bound;
        e->formula = formula;
        e->args[0] = share[g];
        e->args[1] = page;
        e->args[2] = c->num_blocks;
    }
    for (uint32_t g = 0; g < c->n_groups; g++) {
        if (used[g] == width || !share[g])
            continue;
        hwl_entry *e = hwl_ledger_put(ledger, device, -1, HWL_KIND_KV_CACHE, HWL_COMP_OTHER, share[g] * (width - used[g]), basis, source);
        e->error = bound;
        e->formula = "{0} blocks x {1} B that a group with fewer layers leaves empty";
        e->args[0] = share[g];
        e->args[1] = width - used[g];
    }
}

static void put_rank(struct hwl_ledger *ledger, const struct hwl_shard_prepared *prepared, const struct planned *p, uint32_t stage,
                     uint16_t device)
{
    put_weights(ledger, prepared, p, stage, device);
    put_cache(ledger, p, stage, device);
    const struct hwl_vllm_other *o = &p->other[stage];
    put_term(ledger, device, HWL_KIND_COMPUTE, HWL_COMP_OTHER, &o->activation, p->setup.eager ? 0.2f : 0.1f, "vllm: peak of the profile run, gpu_model_runner.py");
    put_term(ledger, device, HWL_KIND_OVERHEAD, HWL_COMP_GRAPH, &o->graphs, 0.2f, "vllm: CUDA graphs, capture_model");
    put_modelled(ledger, device, HWL_KIND_OVERHEAD, HWL_COMP_CONTEXT, o->non_torch + o->context, 0.2f,
                 "vllm: CUDA context, NCCL, workspaces");
}

static void put_groups(struct hwl_ledger *ledger, const struct hwl_vllm_cache *c)
{
    char *text = hwl_arena_alloc(ledger->arena, 96 * (uint64_t)c->n_groups + 3);
    if (!text) {
        ledger->failed = true;
        return;
    }
    size_t n = 0;
    text[n++] = '[';
    for (uint32_t i = 0; i < c->n_groups; i++)
        n += (size_t)sprintf(text + n, "%s{\"layers\": %u, \"block_size\": %llu, \"bytes_per_block\": %llu}", i ? ", " : "",
                             c->groups[i].layers, (unsigned long long)c->groups[i].block, (unsigned long long)c->groups[i].bytes);
    text[n++] = ']';
    text[n] = 0;
    hwl_ledger_view_json(ledger, "kv_groups", text);
}

static const char *const state_modes[] = {"none", "align", "all"};

static void put_views(struct hwl_ledger *l, const struct planned *p)
{
    const struct hwl_vllm_setup *u = &p->setup;
    const struct hwl_vllm_cache *c = &p->cache;
    uint64_t available = UINT64_MAX, weights = 0, activation = 0, non_torch = 0, graphs = 0;
    for (uint32_t i = 0; i < u->pp; i++) {
        available = hwl_min(available, p->budget[i]);
        weights = hwl_max(weights, p->weights[i].total);
    }
    activation = p->other[0].activation.bytes;
    non_torch = p->other[0].non_torch;
    graphs = p->other[0].graphs.bytes;
    hwl_ledger_view_u64(l, "num_gpu_blocks", c->num_blocks);
    hwl_ledger_view_u64(l, "block_size", u->block);
    put_groups(l, c);
    hwl_ledger_view_u64(l, "kv_cache_tokens", c->tokens);
    hwl_ledger_view_real(l, "max_concurrency", c->concurrency);
    hwl_ledger_view_u64(l, "max_model_len", c->max_len);
    hwl_ledger_view_bool(l, "kv_fits_one_request", c->fits && p->starts);
    if (!c->fits && c->fitting_len)
        hwl_ledger_view_u64(l, "estimated_max_model_len", c->fitting_len);
    hwl_ledger_view_u64(l, "available_kv_bytes", available);
    uint64_t widest = 0; /* bytes that every rank must be given for as many blocks */
    for (uint32_t i = 0; i < u->pp; i++)
        widest = hwl_max(widest, c->block_bytes[i]);
    hwl_ledger_view_u64(l, "kv_cache_memory_bytes", c->num_blocks * widest);
    struct hwl_ck ck = {0};
    const uint64_t request = hwl_ck_mul(&ck, c->request_blocks, widest);
    if (u->pp == 1 && !ck.overflow)
        hwl_ledger_view_u64(l, "request_kv_bytes", request); /* of one request of max_model_len */
    hwl_ledger_view_u64(l, "weights_bytes", u->pp > 1 ? p->weights[0].total : weights);
    hwl_ledger_view_u64(l, "non_torch_bytes", non_torch);
    hwl_ledger_view_u64(l, "peak_activation_bytes", activation);
    hwl_ledger_view_u64(l, "graph_bytes", graphs);
    if (u->pp > 1) { /* the figures above are the first stage's */
        uint64_t most = 0, most_graphs = 0;
        for (uint32_t i = 0; i < u->pp; i++) {
            most = hwl_max(most, p->other[i].activation.bytes);
            most_graphs = hwl_max(most_graphs, p->other[i].graphs.bytes);
        }
        hwl_ledger_view_u64(l, "largest_peak_activation_bytes", most);
        hwl_ledger_view_u64(l, "largest_graph_bytes", most_graphs);
    }
    hwl_ledger_setting_u64(l, "tp", u->tp);
    hwl_ledger_setting_u64(l, "pp", u->pp);
    hwl_ledger_setting_u64(l, "dp", u->dp);
    hwl_ledger_setting_bool(l, "ep", u->ep);
    hwl_ledger_setting_u64(l, "ctx", c->max_len);
    hwl_ledger_setting_u64(l, "max_batched_tokens", u->mbt);
    hwl_ledger_setting_u64(l, "max_seqs", u->max_seqs);
    hwl_ledger_setting_real(l, "gpu_memory_utilization", u->utilization);
    hwl_ledger_setting_text(l, "kv_type", u->kv->name);
    hwl_ledger_setting_text(l, "dtype", u->dtype);
    hwl_ledger_setting_u64(l, "block_size", u->block);
    hwl_ledger_setting_bool(l, "enable_prefix_caching", u->prefix);
    hwl_ledger_setting_bool(l, "enforce_eager", u->eager);
    hwl_ledger_setting_bool(l, "async_scheduling", u->async);
    hwl_ledger_setting_bool(l, "hybrid_kv_cache", !u->one_type);
    if (u->recurrent)
        hwl_ledger_setting_text(l, "mamba_cache_mode", state_modes[u->state_mode]);
}

/* Before anything is loaded every rank must find the asked share free (worker/utils.py request_memory). */
static void check_free(const struct planned *p, const struct hwl_devices *devices, struct hwl_ledger *ledger)
{
    const struct hwl_vllm_setup *u = &p->setup;
    const uint32_t ranks = u->tp * u->pp * u->dp;
    for (uint32_t i = 0; i < ranks && i < devices->n_gpus && u->kv_budget == HWL_UNKNOWN; i++) {
        const hwl_device *d = &devices->gpu[i];
        if (d->memory_bytes == HWL_UNKNOWN || d->free_bytes == HWL_UNKNOWN || d->free_bytes >= d->memory_bytes)
            continue;
        const uint64_t asked = (uint64_t)((double)d->memory_bytes * u->utilization);
        const uint64_t context = p->other[0].context, found = d->free_bytes > context ? d->free_bytes - context : 0;
        if (found >= asked)
            continue;
        ledger->exceeds = true;
        hwl_ledger_note(ledger, "vLLM would not start: %s has %llu B free, and gpu_memory_utilization %.2f asks for %llu B", d->id,
                        (unsigned long long)found, u->utilization, (unsigned long long)asked);
        return;
    }
}

static void release(void *prepared)
{
    hwl_model_free(((struct ready *)prepared)->owned);
}

/* The draft is opened as any model: a folder, a file, a catalogue name, an id in the local cache. EAGLE heads that are not there are taken to be
 * like the target's last layer, as they are built. */
static hwl_status open_draft(const struct hwl_settings *settings, struct hwl_arena *arena, struct ready *r, hwl_error *error)
{
    const char *name = hwl_opt_text(settings, HWL_OPT_DRAFT, ""), *method = hwl_opt_text(settings, HWL_OPT_SPEC_METHOD, "");
    if (!*name || (*method && !hwl_words_have("eagle eagle3 dflash dspark draft_model", method)))
        return HWL_OK;
    hwl_error e = {.offset = HWL_NO_OFFSET};
    const hwl_status status = hwl_engine_open_named(settings, name, &r->owned, &e);
    if (status != HWL_OK) {
        const bool head = hwl_words_have("eagle eagle3", method) || (!*method && (strstr(name, "eagle") || strstr(name, "EAGLE")));
        if (!head && error)
            *error = e;
        return head ? HWL_OK : status;
    }
    static const hwl_settings plain; /* --quant is the target's */
    const hwl_status prepared = hwl_shard_prepare(r->owned, &plain, arena, &r->draft, error);
    if (prepared != HWL_OK)
        release(r);
    return prepared;
}

static hwl_status prepare(const struct hwl_model *model, const char *version, const struct hwl_settings *settings, struct hwl_arena *arena,
                          void **prepared, hwl_error *error)
{
    struct ready *r = HWL_NEW(arena, struct ready);
    (void)version;
    if (!r)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_shard_prepare(model, settings, arena, &r->target, error));
    HWL_TRY(open_draft(settings, arena, r, error));
    *prepared = r;
    return HWL_OK;
}

static hwl_status plan(const struct hwl_model *model, const void *made, const char *version, const struct hwl_devices *devices,
                       const struct hwl_settings *settings, struct hwl_ledger *ledger, hwl_error *error)
{
    const struct ready *ready = made;
    const struct hwl_shard_prepared *prepared = ready->target;
    model = prepared->model;
    struct planned *p = HWL_NEW(ledger->arena, struct planned);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(work_out(ready, version, devices, settings, ledger->arena, false, p, error));
    const struct hwl_vllm_setup *u = &p->setup;
    /* seven kinds of weights and caches a layer, on every rank */
    hwl_ledger_reserve(ledger, 7 * ((uint64_t)model->n_layers + model->n_mtp + 4) / u->pp * u->tp * u->pp * u->dp);
    /* ranks of a stage are alike: the first is written, the others repeat it */
    for (uint32_t s = 0; s < u->pp; s++) {
        const uint64_t from = ledger->n_entries;
        const uint16_t first = (uint16_t)(s * u->tp);
        put_rank(ledger, prepared, p, s, first);
        hwl_ledger_trim(ledger, from);
        const uint64_t n = ledger->n_entries - from;
        hwl_ledger_reserve(ledger, ledger->n_entries + n * ((uint64_t)u->dp * u->tp - 1));
        for (uint32_t r = 1; r < u->dp * u->tp; r++)
            hwl_ledger_repeat(ledger, from, n, first, (uint16_t)((r / u->tp * u->pp + s) * u->tp + r % u->tp));
        for (uint32_t i = u->stage_first[s]; i < u->stage_first[s + 1]; i++)
            hwl_ledger_place(ledger, first, i);
    }
    hwl_ledger_place(ledger, (uint16_t)((u->pp - 1) * u->tp), model->n_layers);
    put_views(ledger, p);
    ledger->kv_bytes_per_token = p->per_token;
    ledger->kv_tokens = p->cache.tokens;
    ledger->context = p->cache.max_len;
    ledger->concurrency = hwl_opt_u64(settings, HWL_OPT_CONCURRENCY, 1);
    check_free(p, devices, ledger);
    if (u->v0_reason)
        hwl_ledger_note(ledger, "vLLM %s starts its V0 engine here: V1 cannot %s", version, u->v0_reason);
    if (!p->starts || !p->cache.fits) {
        ledger->exceeds = true;
        hwl_ledger_note(ledger,
                        "vLLM would not start: one request of %llu tokens needs %llu blocks, %llu are there; the "
                        "longest that fits: %llu",
                        (unsigned long long)p->cache.max_len, (unsigned long long)p->cache.request_blocks,
                        (unsigned long long)p->cache.num_blocks, (unsigned long long)p->cache.fitting_len);
    } else if (p->cache.n_groups && p->cache.concurrency < (double)ledger->concurrency) {
        ledger->exceeds = true;
        hwl_ledger_note(ledger, "the cache holds %.2f requests of %llu tokens, not %llu", p->cache.concurrency,
                        (unsigned long long)p->cache.max_len, (unsigned long long)ledger->concurrency);
    }
    return HWL_OK;
}

static hwl_status limits(const struct hwl_model *model, const void *made, const char *version, const struct hwl_devices *devices,
                         const struct hwl_settings *settings, hwl_limits *out, hwl_error *error)
{
    const struct ready *ready = made;
    (void)model;
    struct hwl_arena arena = {0};
    struct planned *p = HWL_NEW(&arena, struct planned);
    hwl_status st =
        p ? work_out(ready, version, devices, settings, &arena, false, p, error) : hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (st == HWL_OK) {
        out->max_concurrency = p->starts && p->cache.fits ? (uint64_t)p->cache.concurrency : 0;
        memset(p, 0, sizeof *p);
        st = work_out(ready, version, devices, settings, &arena, true, p, error);
    }
    if (st == HWL_OK)
        out->max_context = p->starts && p->cache.fits ? p->cache.max_len : 0;
    hwl_arena_free(&arena);
    return st;
}

const struct hwl_engine hwl_engine_vllm = {
    .id = "vllm",
    .versions = hwl_vllm_versions,
    .version = hwl_vllm_version,
    .args = hwl_vllm_args,
    .n_args = HWL_VLLM_N_ARGS,
    .python_args = true,
    .writes_arg = hwl_vllm_writes_arg,
    .pin = hwl_vllm_pin,
    .has_arg = hwl_vllm_has_arg,
    .prepare = prepare,
    .release = release,
    .plan = plan,
    .limits = limits,
};
