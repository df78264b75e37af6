/* SPDX-License-Identifier: Apache-2.0 */
/* The neutral description of a GGUF: metadata keys as llama.cpp names them (gguf-py/gguf/constants.py). What an
 * architecture says by its code alone (window periods, recurrent layers) is told by its tensors where they tell it. */
#include "arch/gguf_model.h"

#include "base/status.h"

#include <hwledger/plan.h>

#include <stdio.h>
#include <string.h>

struct reader {
    const struct hwl_gguf *g;
    struct hwl_model *m;
    char arch[64], key[160];
};

static const char *key(struct reader *r, const char *suffix)
{
    (void)snprintf(r->key, sizeof r->key, "%s.%s", r->arch, suffix);
    return r->key;
}

static uint64_t get(struct reader *r, const char *suffix, uint64_t def)
{
    uint64_t v;
    return hwl_gguf_u64(r->g, key(r, suffix), &v) ? v : def;
}

static uint64_t at(struct reader *r, const char *suffix, uint64_t i, uint64_t def)
{
    uint64_t v;
    return hwl_gguf_array_u64(r->g, key(r, suffix), i, &v) ? v : def;
}

static void fact(struct reader *r, const char *suffix)
{
    char text[32];
    uint64_t v;
    if (!hwl_gguf_u64(r->g, key(r, suffix), &v))
        return;
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    hwl_model_add_fact(r->m, hwl_arena_str(&r->m->arena, r->key), hwl_arena_str(&r->m->arena, text), "gguf metadata");
}

static bool is_buffer(enum hwl_role role)
{
    return role == HWL_ROLE_ROPE_FREQS;
}

static hwl_status read_tensors(struct reader *r, uint64_t total_layers, hwl_error *error)
{
    for (uint64_t i = 0; i < r->g->n_tensors; i++) {
        const struct hwl_gguf_tensor *s = &r->g->tensors[i];
        struct hwl_tensor *t = hwl_model_add_tensor(r->m);
        struct hwl_str base, suffix;
        int64_t layer;
        if (!t)
            return hwl_fail(error, HWL_E_NOMEM, "out of memory");
        hwl_gguf_split_name(s->name, &layer, &base, &suffix);
        t->name = hwl_arena_strn(&r->m->arena, s->name.p, s->name.n);
        if (!t->name)
            return hwl_fail(error, HWL_E_NOMEM, "out of memory");
        t->role = (uint16_t)hwl_gguf_role(base);
        t->component = hwl_gguf_component(base);
        t->part = hwl_str_eq(suffix, "bias") ? HWL_PART_BIAS
                  : hwl_str_eq(suffix, "scale") || hwl_str_eq(suffix, "input_scale") ? HWL_PART_SCALE
                                                                                      : HWL_PART_WEIGHT;
        t->layer = layer >= 0 && (uint64_t)layer < total_layers ? (int32_t)layer : -1;
        t->dtype = s->dtype;
        t->n_dims = s->n_dims;
        t->count = 1;
        for (unsigned d = 0; d < 4; d++)
            t->dims[d] = s->dims[d];
        t->bytes = s->bytes;
        t->offset = s->offset;
        uint64_t n = 1;
        for (unsigned d = 0; d < s->n_dims; d++)
            if (!hwl_mul(&n, n, s->dims[d]))
                return hwl_fail(error, HWL_E_OVERFLOW, "tensor %.80s has too many elements", t->name);
        t->buffer = is_buffer((enum hwl_role)t->role);
        t->elements = t->part == HWL_PART_SCALE || t->buffer ? 0 : n;
        t->routed = t->role == HWL_ROLE_EXP_GATE || t->role == HWL_ROLE_EXP_UP || t->role == HWL_ROLE_EXP_DOWN || t->role == HWL_ROLE_EXP_GATE_UP;
        if (t->role == HWL_ROLE_OUTPUT)
            r->m->tied = false;
    }
    return HWL_OK;
}

/* What the tensors of each layer tell. */
struct seen {
    bool attention, mla, ssm, dt, ssm_x, a_log, wkv, shortconv, indexer, experts, dense, beta, kda, gated;
};

static void look(const struct hwl_model *m, struct seen *seen, uint64_t n)
{
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct hwl_tensor *t = &m->tensors[i];
        if (t->layer < 0 || (uint64_t)t->layer >= n)
            continue;
        struct seen *s = &seen[t->layer];
        switch ((enum hwl_role)t->role) {
        case HWL_ROLE_ATTN_K: case HWL_ROLE_ATTN_QKV: case HWL_ROLE_ATTN_Q: s->attention = true; break;
        case HWL_ROLE_ATTN_KV_A: s->mla = true; break;
        case HWL_ROLE_SSM_IN: s->ssm = true; break;
        case HWL_ROLE_SSM_X: s->ssm_x = true; break;
        case HWL_ROLE_SSM_A: s->a_log = true; break;
        case HWL_ROLE_SSM_BETA: s->beta = true; break;
        case HWL_ROLE_SSM_CONV: s->kda |= strstr(t->name, "conv1d_q") != NULL; break;
        case HWL_ROLE_TIME_MIX: s->wkv = true; break;
        case HWL_ROLE_SHORT_CONV: s->shortconv = true; break;
        case HWL_ROLE_INDEXER: s->indexer = true; break;
        case HWL_ROLE_EXP_UP: case HWL_ROLE_EXP_GATE_UP: s->experts = true; break;
        case HWL_ROLE_FFN_UP: case HWL_ROLE_FFN_GATE_UP: case HWL_ROLE_CHANNEL_MIX: s->dense = true; break;
        case HWL_ROLE_FFN_GATE: s->gated = true; break;
        case HWL_ROLE_EXP_GATE: s->gated = true; break;
        default: break;
        }
    }
}

static uint8_t mixer_of(const struct seen *s, bool sliding)
{
    if (s->wkv)
        return HWL_MIXER_RWKV;
    if (s->shortconv)
        return HWL_MIXER_SHORT_CONV;
    if (s->kda)
        return HWL_MIXER_KDA;
    if (s->a_log && s->beta)
        return HWL_MIXER_GATED_DELTA_NET;
    if (s->ssm)
        return s->ssm_x ? HWL_MIXER_MAMBA : HWL_MIXER_MAMBA2;
    if (s->indexer)
        return HWL_MIXER_SPARSE;
    if (s->mla)
        return HWL_MIXER_MLA;
    if (s->attention)
        return sliding ? HWL_MIXER_SLIDING : HWL_MIXER_FULL;
    return HWL_MIXER_NONE;
}

static void read_attention(struct reader *r, struct hwl_layer *l, uint64_t i)
{
    struct hwl_attention *a = &l->attn;
    a->kv_shared_with = -1;
    a->n_heads = (uint32_t)at(r, "attention.head_count", i, 0);
    a->n_kv_heads = (uint32_t)at(r, "attention.head_count_kv", i, a->n_heads);
    const uint64_t head = a->n_heads ? r->m->hidden / a->n_heads : 0;
    const bool swa = at(r, "attention.sliding_window_pattern", i, 0) && hwl_gguf_array_n(r->g, key(r, "attention.sliding_window_pattern"));
    a->window = swa ? get(r, "attention.sliding_window", 0) : 0;
    a->head_dim_k = (uint32_t)get(r, swa ? "attention.key_length_swa" : "attention.key_length", get(r, "attention.key_length", head));
    a->head_dim_v = (uint32_t)get(r, swa ? "attention.value_length_swa" : "attention.value_length", get(r, "attention.value_length", head));
    a->q_lora_rank = (uint32_t)get(r, "attention.q_lora_rank", 0);
    a->causal = at(r, "attention.causal", 0, 1);
    if (get(r, "attention.key_length_mla", 0)) {
        a->kv_lora_rank = (uint32_t)get(r, "attention.kv_lora_rank", 0);
        a->qk_rope_dim = (uint32_t)get(r, "rope.dimension_count", 0);
        a->head_dim_k = (uint32_t)get(r, "attention.key_length_mla", 0);
        a->head_dim_v = (uint32_t)get(r, "attention.value_length_mla", 0);
        a->qk_nope_dim = a->head_dim_k > a->qk_rope_dim ? a->head_dim_k - a->qk_rope_dim : 0;
        a->n_kv_heads = a->n_kv_heads ? 1 : 0;
    }
    a->index_heads = (uint32_t)get(r, "attention.indexer.head_count", 0);
    a->index_head_dim = (uint32_t)get(r, "attention.indexer.key_length", 0);
    a->index_topk = (uint32_t)get(r, "attention.indexer.top_k", 0);
}

static void read_state(struct reader *r, struct hwl_layer *l)
{
    struct hwl_state *s = &l->state;
    const uint64_t heads = l->attn.n_heads;
    s->d_conv = (uint32_t)get(r, "ssm.conv_kernel", 0);
    s->d_inner = get(r, "ssm.inner_size", 0);
    s->d_state = get(r, "ssm.state_size", 0);
    s->n_groups = (uint32_t)get(r, "ssm.group_count", 0);
    s->dt_rank = (uint32_t)get(r, "ssm.time_step_rank", 0);
    s->conv_dim = s->d_inner + (l->mixer == HWL_MIXER_MAMBA ? 0 : 2ull * s->n_groups * s->d_state);
    s->ssm_elems = s->d_inner * s->d_state;
    s->n_heads = s->dt_rank;
    if (l->mixer == HWL_MIXER_RWKV) {
        s->head_dim = (uint32_t)get(r, "wkv.head_size", 0);
        s->shift_dim = get(r, "token_shift_count", 2) * r->m->hidden;
        s->ssm_elems = r->m->hidden * s->head_dim;
        s->conv_dim = 0;
    } else if (l->mixer == HWL_MIXER_SHORT_CONV) {
        s->d_conv = (uint32_t)get(r, "shortconv.l_cache", 0);
        s->conv_dim = r->m->hidden;
        s->ssm_elems = 0;
    } else if (l->mixer == HWL_MIXER_KDA) {
        s->head_dim = s->head_dim_k = (uint32_t)get(r, "kda.head_dim", 0);
        s->n_heads = s->n_k_heads = (uint32_t)heads;
        s->conv_dim = 3 * heads * s->head_dim;
        s->ssm_elems = heads * s->head_dim * s->head_dim;
    }
}

static void read_ffn(struct reader *r, struct hwl_layer *l, const struct seen *s, uint64_t i)
{
    struct hwl_ffn *f = &l->ffn;
    l->feed_forward = s->experts ? HWL_FFN_MOE : s->dense ? HWL_FFN_DENSE : HWL_FFN_NONE;
    f->d_ff = s->dense ? at(r, "feed_forward_length", i, 0) : 0;
    f->gated = s->gated;
    if (!s->experts)
        return;
    f->n_experts = (uint32_t)get(r, "expert_count", 0);
    f->n_experts_used = (uint32_t)at(r, "expert_used_count", i, 0);
    f->d_expert = at(r, "expert_feed_forward_length", i, at(r, "feed_forward_length", i, 0));
    f->n_shared = (uint32_t)get(r, "expert_shared_count", 0);
    f->d_shared = get(r, "expert_shared_feed_forward_length", f->d_expert * f->n_shared);
}

static bool recurrent(uint8_t mixer)
{
    return mixer >= HWL_MIXER_MAMBA && mixer <= HWL_MIXER_LINEAR;
}

static hwl_status read_layers(struct reader *r, uint64_t n, hwl_error *error)
{
    struct hwl_model *m = r->m;
    struct seen *seen = HWL_NEW_ARRAY(&m->arena, struct seen, n + 1);
    m->layers = HWL_NEW_ARRAY(&m->arena, struct hwl_layer, n + 1);
    if (!seen || !m->layers)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    look(m, seen, n);
    for (uint64_t i = 0; i < n; i++) {
        struct hwl_layer *l = &m->layers[i];
        read_attention(r, l, i);
        l->mixer = mixer_of(&seen[i], l->attn.window > 0);
        l->mtp = i >= m->n_layers;
        read_ffn(r, l, &seen[i], i);
        if (recurrent(l->mixer)) {
            read_state(r, l);
            if (!seen[i].attention || l->mixer != HWL_MIXER_MAMBA2 || !l->attn.n_kv_heads)
                l->attn = (struct hwl_attention){.kv_shared_with = -1};
        } else if (l->mixer == HWL_MIXER_NONE) {
            l->attn = (struct hwl_attention){.kv_shared_with = -1};
        }
    }
    return HWL_OK;
}

hwl_status hwl_arch_from_gguf(const struct hwl_gguf *gguf, struct hwl_model *model, hwl_error *error)
{
    struct reader r = {.g = gguf, .m = model};
    struct hwl_str s;
    if (!hwl_gguf_str(gguf, "general.architecture", &s) || s.n == 0 || s.n >= sizeof r.arch)
        return hwl_fail_at(error, HWL_E_FORMAT, gguf->path, HWL_NO_OFFSET, "general.architecture", "the key is missing or no short string");
    memcpy(r.arch, s.p, s.n);
    model->gguf = gguf;
    model->is_gguf = true;
    model->tied = true;
    model->form = "gguf";
    model->arch = hwl_arena_strn(&model->arena, s.p, s.n);
    if (!model->source)
        model->source = gguf->path;
    if (hwl_gguf_str(gguf, "general.name", &s) && s.n)
        model->name = hwl_arena_strn(&model->arena, s.p, s.n);
    if (!model->name)
        model->name = model->arch;
    const uint64_t n = get(&r, "block_count", 0), mtp = get(&r, "nextn_predict_layers", 0);
    if (n == 0 || n > 512 || mtp > n)
        return hwl_fail_at(error, HWL_E_FORMAT, gguf->path, HWL_NO_OFFSET, key(&r, "block_count"), "the number of layers is missing or out of range");
    model->n_mtp = (uint32_t)(mtp < n ? mtp : 0);
    model->n_layers = (uint32_t)n - model->n_mtp;
    model->hidden = get(&r, "embedding_length", 0);
    model->context_train = get(&r, "context_length", 0);
    if (model->hidden == 0 || model->hidden > (1u << 24))
        return hwl_fail_at(error, HWL_E_FORMAT, gguf->path, HWL_NO_OFFSET, key(&r, "embedding_length"), "the width is missing or out of range");
    model->vocab = hwl_gguf_array_n(gguf, "tokenizer.ggml.tokens");
    if (!model->vocab)
        model->vocab = get(&r, "vocab_size", 0);
    HWL_TRY(read_tensors(&r, n, error));
    for (uint64_t i = 0; i < model->n_tensors && !model->vocab; i++)
        if (model->tensors[i].role == HWL_ROLE_TOK_EMBD)
            model->vocab = model->tensors[i].dims[1];
    HWL_TRY(read_layers(&r, n, error));
    static const char *const facts[] = {"block_count", "context_length", "embedding_length", "attention.head_count", "attention.head_count_kv",
                                        "attention.key_length", "attention.value_length", "attention.sliding_window", "expert_count"};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        fact(&r, facts[i]);
    model->encoder_only = !at(&r, "attention.causal", 0, 1);
    return HWL_OK;
}
