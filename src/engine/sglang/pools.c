/* SPDX-License-Identifier: Apache-2.0 */
/* The pools that share what the static fraction leaves behind the weights: token pools, window pools, recurrent states.
 * After mem_cache/kv_cache_configurator.py and model_executor/pool_configurator.py of 0.5.23. */
#include "engine/sglang/sglang.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#define EVICTION_INTERVAL 128 /* SGLANG_SWA_EVICTION_INTERVAL */
#define OLD_STATES 512        /* slots before there was a ratio */

static uint64_t side_bytes(uint64_t elements, const struct hwl_sglang_setup *u, struct hwl_ck *ck)
{
    if (!u->kv->bits)
        return hwl_ck_mul(ck, elements, u->dtype_bytes);
    const uint64_t data = hwl_ck_mul(ck, elements, u->kv->bits) / 8;
    return hwl_ck_add(ck, data, u->kv->group ? elements / u->kv->group : 0);
}

const struct hwl_layer *hwl_sglang_cached_as(const struct hwl_model *m, const struct hwl_sglang_setup *u, uint32_t layer)
{
    if (u->uniform)
        for (uint32_t i = 0; i < m->n_layers; i++)
            if (m->layers[i].attn.n_heads && !m->layers[i].attn.window)
                return &m->layers[i];
    return &m->layers[layer];
}

struct hwl_sglang_row hwl_sglang_row_of(const struct hwl_layer *layer, const struct hwl_sglang_setup *setup, struct hwl_ck *ck)
{
    const struct hwl_attention *a = &layer->attn;
    struct hwl_sglang_row r = {0};
    if (!a->n_heads)
        return r;
    if (a->kv_lora_rank) {
        const bool scaled = setup->sparse && setup->kv->bits == 8 && !setup->raw_rows; /* calculate_mla_kv_cache_dim */
        r.kv = scaled ? hwl_ck_add(ck, (uint64_t)a->kv_lora_rank + a->kv_lora_rank / 128 * 4, 2 * (uint64_t)a->qk_rope_dim)
                      : side_bytes((uint64_t)a->kv_lora_rank + a->qk_rope_dim, setup, ck);
        if (a->index_heads) {
            const uint64_t dim = a->index_head_dim ? a->index_head_dim : 128;
            r.index = dim + dim / 128 * 4;
        }
        return r;
    }
    const uint64_t heads = hwl_shard_kv_heads(layer, setup->attention_tp / setup->dcp, false);
    r.kv = side_bytes(hwl_ck_mul(ck, heads, (uint64_t)a->head_dim_k + (a->head_dim_v ? a->head_dim_v : a->head_dim_k)), setup, ck);
    return r;
}

hwl_status hwl_sglang_state_bytes(const struct hwl_layer *layer, const struct hwl_sglang_setup *setup, uint64_t *bytes, hwl_error *error)
{
    const struct hwl_state *s = &layer->state;
    const uint64_t tp = setup->attention_tp;
    struct hwl_ck ck = {0};
    uint64_t channels = s->conv_dim;
    if (layer->mixer == HWL_MIXER_MAMBA2 || (layer->attn.n_heads && s->n_groups)) {
        const uint64_t groups = s->n_groups ? s->n_groups : 1; /* extra_groups_for_head_shards */
        channels = hwl_ck_add(&ck, s->d_inner, hwl_ck_mul3(&ck, 2, groups % tp ? tp : groups, s->d_state));
    }
    const uint64_t heads = s->n_heads ? s->n_heads : s->d_inner;
    if (channels % tp || (s->ssm_elems && heads && heads % tp))
        return hwl_fail(error, HWL_E_REFUSED, "sglang refuses: recurrent heads do not divide over %llu ranks", (unsigned long long)tp);
    *bytes = hwl_ck_add(&ck, hwl_ck_mul3(&ck, s->d_conv ? s->d_conv - 1 : 0, channels / tp, setup->conv_bytes),
                        hwl_ck_mul(&ck, s->ssm_elems / tp, setup->ssm_bytes));
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "sglang: a recurrent state is beyond 64 bits") : HWL_OK;
}

/* Bytes of one token on a stage, in the full and the window pool, and of one state. */
struct stage {
    uint64_t full, window, state;
    uint64_t window_size;
    uint32_t full_layers, window_layers;
};

static hwl_status measure_stage(const struct hwl_model *m, const struct hwl_sglang_setup *u, uint32_t p, struct stage *out,
                                struct hwl_ck *ck, hwl_error *error)
{
    const bool whole = (u->window_pool && !u->rules->window_by_stage) || (u->recurrent && u->rules->hybrid_whole);
    for (uint32_t i = whole ? 0 : u->stage_first[p]; i < (whole ? m->n_layers : u->stage_first[p + 1]); i++) {
        const struct hwl_layer *l = &m->layers[i];
        const struct hwl_sglang_row r = hwl_sglang_row_of(hwl_sglang_cached_as(m, u, i), u, ck);
        const bool raw = u->sparse && u->rules->sparse_raw; /* counted so, and allocated with scales */
        const uint64_t kv = raw ? side_bytes((uint64_t)l->attn.kv_lora_rank + l->attn.qk_rope_dim, u, ck) : r.kv;
        const uint64_t row = hwl_ck_add(ck, kv, u->rules->sparse_unindexed ? 0 : r.index);
        if (u->window_pool && l->attn.window) {
            out->window = hwl_ck_add(ck, out->window, row);
            out->window_size = hwl_max(out->window_size, l->attn.window - hwl_sglang_has(m, HWL_SGLANG_WINDOW_WITHOUT_ITSELF));
            out->window_layers++;
        } else if (row) {
            out->full = hwl_ck_add(ck, out->full, row);
            out->full_layers++;
        }
    }
    const bool states = u->rules->states_whole;
    for (uint32_t i = states ? 0 : u->stage_first[p]; i < (states ? m->n_layers : u->stage_first[p + 1]); i++) {
        const struct hwl_layer *l = &m->layers[i];
        if (hwl_layer_conv_elements(l) || hwl_layer_ssm_elements(l)) {
            uint64_t state;
            HWL_TRY(hwl_sglang_state_bytes(l, u, &state, error));
            out->state = hwl_ck_add(ck, out->state, state);
        }
    }
    if (!u->draft_layers || !u->rules->draft_counted || (!u->draft_named && hwl_sglang_has(m, HWL_SGLANG_MTP_UNCOUNTED)))
        return HWL_OK;
    if (u->draft && hwl_words_have("dflash dspark", u->spec_method)) { /* counted by its own shapes, on every rank whole */
        out->full = hwl_ck_add(ck, out->full, hwl_ck_mul(ck, hwl_sglang_draft_row(u, ck), u->dcp));
        return HWL_OK;
    }
    /* the draft's layers are taken to cache what a full layer of the target does */
    uint32_t layers = out->full_layers ? out->full_layers : out->window_layers;
    if (u->window_pool && u->draft && out->full_layers && out->window_layers) { /* each kind beside the target's */
        uint32_t narrow = 0;
        for (uint32_t i = 0; i < u->draft->n_layers && hwl_sglang_has_window_pool(u->draft, u); i++)
            narrow += u->draft->layers[i].attn.window > 0;
        out->full = hwl_ck_add(ck, out->full, hwl_ck_mul(ck, out->full / layers, u->draft_layers - narrow));
        out->window = hwl_ck_add(ck, out->window, hwl_ck_mul(ck, out->window / out->window_layers, narrow));
        layers = 0;
    }
    if (layers)
        out->full = hwl_ck_add(ck, out->full, hwl_ck_mul(ck, out->full_layers ? out->full : out->window, u->draft_layers) / layers);
    return HWL_OK;
}

static void take(uint64_t *rest, uint64_t bytes, bool *short_of)
{
    *short_of = *short_of || *rest < bytes;
    *rest -= hwl_min(*rest, bytes);
}

/* _handle_max_mamba_cache. Every rank keeps as many states as the stage with most recurrent layers can. */
static void size_states(const struct hwl_sglang_setup *u, const struct stage *st, bool delta_net, uint64_t *rest,
                        struct hwl_sglang_pools *out, struct hwl_ck *ck)
{
    uint64_t per = 0, budget = UINT64_MAX;
    for (uint32_t p = 0; p < u->pp; p++) {
        per = hwl_max(per, st[p].state);
        budget = hwl_min(budget, rest[p]);
    }
    const bool verifies = *u->spec_method && !(u->prefills && u->rules->prefill_drops_drafts);
    const uint64_t drafts = verifies ? u->draft_tokens : 0, ratio = u->states_per_request;
    const uint64_t pad = u->rules->state_padding ? 1 : 0;
    bool short_of = false;
    if (u->rules->drafts_first && drafts) {
        out->draft_states = u->max_requests;
        for (uint32_t p = 0; p < u->pp; p++)
            take(&rest[p], hwl_ck_mul3(ck, out->draft_states, drafts, per), &short_of);
        budget = rest[0];
        for (uint32_t p = 1; p < u->pp; p++)
            budget = hwl_min(budget, rest[p]);
    }
    const uint64_t times = u->rules->states_times_drafts ? 1 + drafts : 1;
    if (u->state_slots)
        out->states = u->state_slots;
    else if (!u->rules->states_ratio || ((u->rules->states_times_drafts || u->rules->states_or_512) && !u->prefix))
        out->states = (u->asked_requests ? u->asked_requests : OLD_STATES) / (delta_net ? u->attention_dp : 1);
    else if (!u->prefix && u->max_requests)
        out->states = u->max_requests;
    else if (u->rules->states_times_drafts || u->rules->drafts_first) {
        const double slots = (double)budget * u->state_ratio / (1 + u->state_ratio) / (double)per;
        out->states = (uint64_t)slots / times / (u->rules->states_times_drafts && delta_net ? u->attention_dp : 1);
    } else {
        const double share = (double)budget * u->state_ratio / (1 + u->state_ratio) - (double)per * (double)(pad * (1 + drafts));
        const double slots = share / ((double)per * (1 + (double)drafts / (double)ratio));
        out->states = slots > 0 ? (uint64_t)slots : 0;
    }
    if (drafts && !u->rules->drafts_first && !u->rules->states_times_drafts)
        out->draft_states = u->max_requests ? hwl_min(u->max_requests, out->states / ratio) : out->states / ratio;
    short_of = short_of || out->states == 0;
    for (uint32_t p = 0; p < u->pp; p++) {
        take(&rest[p], hwl_ck_mul3(ck, out->states + pad, times, per), &short_of);
        if (drafts && out->draft_states && !u->rules->drafts_first)
            take(&rest[p], hwl_ck_mul3(ck, out->draft_states + pad, drafts, per), &short_of);
    }
    if (u->rules->states_times_drafts && drafts)
        out->draft_states = out->states;
    if (short_of) {
        out->starts = false;
        out->why = "the recurrent states do not fit";
    }
}

/* compute_swa_request_cap */
static uint64_t window_cap(const struct hwl_sglang_setup *u, uint64_t window)
{
    const uint64_t drafts = *u->spec_method ? u->draft_tokens : 1;
    const uint64_t decode = *u->spec_method ? (u->overlap ? 2 : 1) * drafts : u->page;
    const uint64_t per = window + EVICTION_INTERVAL * drafts + u->page + decode;
    if (u->decodes)
        return per * u->max_requests + (window + u->page) * u->extra_requests;
    return per * u->max_requests + (u->overlap ? 2 : 1) * u->chunk + u->page;
}

static uint64_t estimate(const struct hwl_sglang_setup *u, uint64_t tokens)
{
    const double n = u->context ? (double)tokens / (double)u->context * 512 : 4096;
    return n < 2048 ? 2048 : n > 4096 ? 4096 : (uint64_t)n;
}

/* Until 0.5.9 the table of requests was sized by the tokens that all layers could hold, before these were limited, given room
 * for drafts or divided over windows. */
static uint64_t count_first(const struct hwl_sglang_setup *u, const struct stage *st, const uint64_t *rest, uint64_t tokens,
                            struct hwl_sglang_pools *out)
{
    const uint64_t row = st[0].full + st[0].window, first = row ? rest[0] / row : UINT64_MAX;
    out->slots = u->asked_requests ? u->asked_requests : estimate(u, first);
    if (u->recurrent)
        out->slots = hwl_min(out->slots, out->states / u->states_per_request);
    if (u->rules->draft_headroom && u->draft_places)
        tokens += out->slots * (u->draft_places + u->draft_tokens) + 100;
    return tokens;
}

/* The same bytes, divided anew: st[0], since the releases that do so count the whole model. */
static uint64_t divide_after(const struct hwl_sglang_setup *u, const struct stage *st, const uint64_t *rest)
{
    uint64_t all = UINT64_MAX;
    for (uint32_t p = 0; p < u->pp; p++) {
        const uint64_t row = st[p].full + st[p].window;
        all = row ? hwl_min(all, rest[p] / row) : all;
    }
    if (u->max_tokens)
        all = hwl_min(all, u->max_tokens);
    all = all / u->page * u->page;
    return (uint64_t)((double)(all * (st[0].full + st[0].window)) / ((double)st[0].full + u->window_ratio * (double)st[0].window));
}

static void size_tokens(const struct hwl_sglang_setup *u, const struct stage *st, const uint64_t *rest, struct hwl_sglang_pools *out,
                        struct hwl_ck *ck)
{
    uint64_t tokens = UINT64_MAX, window = 0, window_size = 0;
    bool hybrid = false;
    for (uint32_t p = 0; p < u->pp; p++) {
        hybrid = hybrid || st[p].window;
        window_size = hwl_max(window_size, st[p].window_size);
    }
    const bool capped = hybrid && u->rules->window_by_requests && !u->prefix && u->max_requests && (u->chunk || u->decodes);
    if (capped)
        window = window_cap(u, window_size) / u->page * u->page + (window_cap(u, window_size) % u->page ? u->page : 0);
    for (uint32_t p = 0; p < u->pp; p++) {
        uint64_t n = UINT64_MAX;
        if (capped) {
            const uint64_t fixed = hwl_ck_mul(ck, window, st[p].window);
            n = st[p].full ? (rest[p] > fixed ? rest[p] - fixed : 0) / st[p].full : UINT64_MAX;
        } else if (!st[p].full && st[p].window) {
            n = rest[p] / st[p].window;
        } else if (st[p].window) {
            n = (uint64_t)((double)rest[p] / ((double)st[p].full + u->window_ratio * (double)st[p].window));
        } else if (st[p].full) {
            n = rest[p] / st[p].full;
        }
        tokens = hwl_min(tokens, n);
    }
    if (tokens == UINT64_MAX) /* nothing is cached by the token */
        tokens = u->max_tokens ? u->max_tokens : u->context;
    if (u->rules->requests_first)
        tokens = count_first(u, st, rest, tokens, out);
    if (u->rules->windows_after && hybrid && st[0].full)
        tokens = divide_after(u, st, rest);
    tokens = tokens / u->page * u->page;
    if (u->max_tokens && !(u->rules->windows_after && hybrid))
        tokens = hwl_min(tokens, u->max_tokens / u->page * u->page);
    out->tokens = out->full_tokens = tokens;
    if (hybrid)
        out->window_tokens = capped ? (u->max_tokens && u->rules->window_in_tokens ? hwl_min(window, u->max_tokens) : window)
                                    : (uint64_t)((double)tokens * u->window_ratio) / u->page * u->page;
    if (tokens == 0) {
        out->starts = false;
        out->why = "the weights leave no room for tokens";
    } else if (hybrid && !capped && window_size + u->page >= out->window_tokens && u->rules->window_checked) {
        out->starts = false;
        out->why = "the pool of window layers cannot hold one request";
    }
}

static void size_requests(const struct hwl_sglang_setup *u, struct hwl_sglang_pools *out)
{
    const struct hwl_sglang_rules *r = u->rules;
    uint64_t n = u->max_requests ? u->max_requests : estimate(u, out->tokens);
    if (r->requests_first) {
        out->slots += r->request_row ? 1 : 0;
        n = r->half_unasked && !u->asked_requests ? out->tokens / 2 : r->requests_whole ? out->slots : u->max_requests;
        n = hwl_min(n, out->slots);
    } else {
        if (r->half_requests || (r->half_unasked && !u->max_requests))
            n = hwl_min(n, out->tokens / 2);
        if (r->estimate_caps)
            n = hwl_min(n, estimate(u, out->tokens));
        if (u->recurrent)
            n = hwl_min(n, out->states / u->states_per_request);
        out->slots = n + u->extra_requests;
    }
    out->requests = n;
    if (u->recurrent && n == 0 && out->starts) {
        out->starts = false;
        out->why = "the recurrent states are too few for one request";
    }
}

hwl_status hwl_sglang_size_pools(const struct hwl_model *model, const struct hwl_sglang_setup *setup, const uint64_t *rest,
                                 struct hwl_sglang_pools *out, hwl_error *error)
{
    struct stage st[HWL_SGLANG_MAX_STAGES] = {0};
    uint64_t left[HWL_SGLANG_MAX_STAGES];
    struct hwl_ck ck = {0};
    *out = (struct hwl_sglang_pools){.starts = true};
    for (uint32_t p = 0; p < setup->pp; p++) {
        HWL_TRY(measure_stage(model, setup, p, &st[p], &ck, error));
        left[p] = rest[p];
    }
    if (setup->recurrent)
        size_states(setup, st, model->layers[0].mixer == HWL_MIXER_GATED_DELTA_NET, left, out, &ck);
    if (setup->compressed)
        hwl_sglang_size_compressed(model, setup, rest, out);
    else
        size_tokens(setup, st, left, out, &ck);
    size_requests(setup, out);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "sglang: the pools are beyond 64 bits") : HWL_OK;
}
