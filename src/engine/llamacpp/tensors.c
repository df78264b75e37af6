/* SPDX-License-Identifier: Apache-2.0 */
/* Where llama.cpp would put each tensor of a file: src/llama-arch.cpp LLM_TENSOR_INFOS (input, repeating, output) and
 * the TENSOR_SKIP of multi-token-prediction blocks, which are not loaded by default (include/llama.h load_mtp). */
#include "engine/llamacpp/hparams.h"

#include "arch/gguf_model.h"
#include "base/status.h"
#include "base/str.h"
#include "engine/llamacpp/arch_row.h"

#include <string.h>

/* Tensors without a layer number. Those of `first` belong to the first layer; all others to the output. */
static const char *const input[] = {"token_embd", "position_embd", "token_types", "per_layer_token_embd",
                                    "hrm"}; /* hrm.z_l_init */
static const char *const first[] = {"token_embd_norm", "per_layer_model_proj", "per_layer_proj_norm", "conv1d",
                                    "nextn.pre_projection"};
static const char *const unused[] = {"masked_embd_centroids", "masked_embd_ordering"};
static const char *const every[] = {"rope_freqs", "rope_factors_long", "rope_factors_short"};

static bool among(struct hwl_str s, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (hwl_str_eq(s, list[i]))
            return true;
    return false;
}
#define AMONG(s, list) among(s, list, sizeof(list) / sizeof *(list))

/* Tensors of a draft layer that the loader makes although it skips the rest: those whose flags lack TENSOR_SKIP (src/models). */
#define DRAFT_FFN                                                                                                                      \
    "ffn_gate ffn_down ffn_up ffn_gate_inp exp_probs_b ffn_gate_exps ffn_down_exps ffn_up_exps ffn_gate_up_exps ffn_gate_shexp "        \
    "ffn_up_shexp ffn_down_shexp "
#define DRAFT_NEXTN "nextn.embed_tokens nextn.shared_head_head nextn.shared_head_norm"
static const struct {
    const char *arch, *names;
} draft_loaded[] = {
    {"cohere2moe", DRAFT_NEXTN},
    {"deepseek32", "exp_probs_b"},
    {"glm-dsa", "exp_probs_b"},
    {"hy_v3", DRAFT_FFN DRAFT_NEXTN},
    {"step35", "attn_q_norm attn_k_norm attn_gate " DRAFT_FFN DRAFT_NEXTN},
};

static bool loaded_all_the_same(const struct lc_model *m, struct hwl_str base)
{
    char word[64];
    if (base.n >= sizeof word)
        return false;
    memcpy(word, base.p, (size_t)base.n);
    word[base.n] = 0;
    for (size_t i = 0; i < sizeof draft_loaded / sizeof *draft_loaded; i++)
        if (strcmp(draft_loaded[i].arch, m->row->name) == 0)
            return hwl_words_have(draft_loaded[i].names, word);
    return false;
}

/* A weight whose operation CUDA lacks lies on the host whatever its layer (llama-model-loader.cpp weight_buft_supported;
 * ggml-cuda.cu: SSM_SCAN and SSM_CONV). */
static bool no_kernel(const struct lc_model *m, const struct lc_tensor *t, struct hwl_str base)
{
    const uint64_t *d = t->t->dims;
    if (hwl_str_eq(base, "ssm_conv1d"))
        return t->t->n_dims > 1 && d[1] % 128 != 0;
    if (!(m->row->flags & LC_SCAN) || !hwl_str_eq(base, "ssm_a") || !d[1])
        return false;
    const uint64_t head = m->ssm_d_inner / d[1];
    return d[0] == 1 ? (m->ssm_d_state != 96 && m->ssm_d_state != 128 && m->ssm_d_state != 256) || head % 16 != 0
                     : d[0] != 16 || head != 1 || d[1] % 128 != 0 || m->ssm_n_group > 1;
}

static void classify(const struct lc_model *m, struct lc_tensor *t, struct hwl_str base, int64_t layer)
{
    t->layer = layer >= 0 && layer < m->n_layer_all ? (int32_t)layer : -1;
    t->component = hwl_gguf_component(base);
    if (layer >= 0) {
        const bool draft = (uint32_t)layer >= m->n_layer && m->router_layer < 0 && !loaded_all_the_same(m, base);
        t->where = t->layer < 0 || draft ? LC_WHERE_SKIP : no_kernel(m, t, base) ? LC_WHERE_INPUT : LC_WHERE_LAYER;
    } else if (AMONG(base, input)) {
        t->where = LC_WHERE_INPUT;
    } else if (AMONG(base, unused)) {
        t->where = LC_WHERE_SKIP;
    } else if (AMONG(base, every)) {
        t->where = LC_WHERE_LAYER;
        t->per_device = true;
        t->layer = 0;
    } else if (AMONG(base, first) && !(m->shortconv_l_cache && hwl_str_eq(base, "token_embd_norm"))) {
        t->where = LC_WHERE_LAYER;
        t->layer = 0;
    } else {
        t->where = LC_WHERE_OUTPUT;
    }
}

/* ggml/src/ggml-cuda/ggml-cuda.cu get_alloc_size: a quantised row that is no multiple of 512 gets the rest of one row. */
uint64_t hwl_lc_row_pad(uint16_t dtype, uint64_t ne0)
{
    uint64_t bytes = 0;
    if (!hwl_dtype((enum hwl_dtype)dtype)->quantised || ne0 % 512 == 0 || !hwl_dtype_row((enum hwl_dtype)dtype, 512 - ne0 % 512, &bytes))
        return 0;
    return bytes;
}

/* FNV-1a of the name, then of the layer's number. */
static uint64_t hash(uint32_t row, const char *key)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *c = key; *c; c++)
        h = (h ^ (unsigned char)*c) * 0x100000001b3u;
    h = (h ^ row) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint32_t row_at(const struct lc_model *m, uint64_t i)
{
    return i < m->first_global ? (uint32_t)m->by_layer[i]->layer : m->n_layer_all;
}

/* Where (row, key) stands or would stand; there is always an empty slot. */
static uint32_t *slot_of(const struct lc_model *m, uint32_t row, const char *key)
{
    uint64_t i = hash(row, key) & (m->n_slots - 1);
    while (m->slots[i] && (row_at(m, m->slots[i] - 1) != row || strcmp(m->by_layer[m->slots[i] - 1]->key, key) != 0))
        i = (i + 1) & (m->n_slots - 1);
    return &m->slots[i];
}

static bool index_names(struct hwl_arena *arena, struct lc_model *m)
{
    m->n_slots = 16;
    while (m->n_slots < 2 * m->n_tensors + 2)
        m->n_slots *= 2;
    m->slots = HWL_NEW_ARRAY(arena, uint32_t, m->n_slots);
    if (!m->slots)
        return false;
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        uint32_t *slot = slot_of(m, row_at(m, i), m->by_layer[i]->key);
        if (!*slot)
            *slot = (uint32_t)i + 1;
    }
    return true;
}

static bool same_type(uint16_t a, uint16_t b, bool typed)
{
    return a == b || (!typed && hwl_dtype((enum hwl_dtype)a)->block > 1 && hwl_dtype((enum hwl_dtype)b)->block > 1);
}

static bool same_layer(const struct lc_model *m, uint32_t x, uint32_t y, bool typed)
{
    const struct lc_layer *a = &m->layers[x], *b = &m->layers[y];
    if (a->n_head != b->n_head || a->n_head_kv != b->n_head_kv || a->n_ff != b->n_ff || a->n_ff_exp != b->n_ff_exp ||
        a->n_expert_used != b->n_expert_used || a->compress_ratio != b->compress_ratio || a->swa != b->swa || a->recr != b->recr ||
        a->indexer_full != b->indexer_full || a->clamp_exp != b->clamp_exp || a->clamp_shexp != b->clamp_shexp || a->n_tensors != b->n_tensors ||
        hwl_lc_has_kv(m, x) != hwl_lc_has_kv(m, y) || hwl_lc_has_state(m, x) != hwl_lc_has_state(m, y) ||
        (x < m->n_deepstack) != (y < m->n_deepstack) || (int32_t)x == m->ple_layer || (int32_t)y == m->ple_layer ||
        (int32_t)x == m->router_layer || (int32_t)y == m->router_layer)
        return false;
    for (uint32_t i = 0; i < a->n_tensors; i++) {
        const struct lc_tensor *s = m->by_layer[a->first + i], *t = m->by_layer[b->first + i];
        if (!same_type(s->t->dtype, t->t->dtype, typed) || memcmp(s->t->dims, t->t->dims, sizeof s->t->dims) != 0 || s->where != t->where ||
            strcmp(s->key, t->key) != 0)
            return false;
    }
    return true;
}

static uint64_t layer_hash(const struct lc_model *m, uint32_t il, bool typed)
{
    const struct lc_layer *l = &m->layers[il];
    uint64_t h = l->n_tensors + 31ull * l->n_head + 961ull * l->n_head_kv + 29791ull * l->n_ff + l->swa + 2ull * l->recr;
    for (uint32_t i = 0; i < l->n_tensors; i++) {
        const struct lc_tensor *t = m->by_layer[l->first + i];
        h = (h ^ hash(typed ? t->t->dtype : 0, t->key) ^ t->t->dims[0] ^ t->t->dims[1] << 20) * 0x9e3779b97f4a7c15u;
    }
    return h;
}

/* A layer's kind is the first layer that is like it. Of layers of one hash only the first is looked at. */
static bool number_kinds(struct hwl_arena *arena, struct lc_model *m)
{
    uint64_t *h = HWL_NEW_ARRAY(arena, uint64_t, m->n_layer_all);
    if (!h)
        return false;
    for (int typed = 0; typed < 2; typed++)
        for (uint32_t il = 0; il < m->n_layer_all; il++) {
            uint32_t k = 0;
            h[il] = layer_hash(m, il, typed);
            while (h[k] != h[il])
                k++;
            if (k < il && !same_layer(m, k, il, typed))
                k = il;
            if (typed)
                m->layers[il].kind_typed = k;
            else
                m->layers[il].kind = k;
        }
    return true;
}

hwl_status hwl_lc_read_tensors(struct hwl_arena *arena, struct lc_model *m, hwl_error *error)
{
    const struct hwl_gguf *g = m->gguf;
    m->n_tensors = g->n_tensors;
    m->tensors = HWL_NEW_ARRAY(arena, struct lc_tensor, g->n_tensors + 1);
    m->by_layer = HWL_NEW_ARRAY(arena, const struct lc_tensor *, g->n_tensors + 1);
    uint64_t *count = HWL_NEW_ARRAY(arena, uint64_t, (uint64_t)m->n_layer_all + 2);
    if (!m->tensors || !m->by_layer || !count)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    for (uint64_t i = 0; i < g->n_tensors; i++) {
        struct lc_tensor *t = &m->tensors[i];
        struct hwl_str base, suffix;
        int64_t layer;
        t->t = &g->tensors[i];
        t->name = hwl_arena_strn(arena, t->t->name.p, t->t->name.n);
        if (!t->name)
            return hwl_fail(error, HWL_E_NOMEM, "out of memory");
        hwl_gguf_split_name((struct hwl_str){t->name, t->t->name.n}, &layer, &base, &suffix);
        classify(m, t, base, layer);
        t->base = layer >= 0 ? base.p : t->name;
        const char *blk = strstr(t->name, "blk.");
        t->key = layer >= 0 && blk > t->name && blk < t->base ? hwl_arena_printf(arena, "%.*s%s", (int)(blk - t->name), t->name, t->base) : t->base;
        if (!t->key)
            return hwl_fail(error, HWL_E_NOMEM, "out of memory");
        t->pad = hwl_lc_row_pad(t->t->dtype, t->t->dims[0]);
        count[layer >= 0 && t->layer >= 0 ? (uint32_t)t->layer + 1 : m->n_layer_all + 1]++;
        if (strcmp(t->name, "token_embd.weight") == 0)
            m->tok_embd = t;
        if (strcmp(t->name, "output.weight") == 0)
            m->output = t;
    }
    /* counting sort by layer; those of no layer last */
    uint64_t at = 0;
    for (uint32_t il = 0; il < m->n_layer_all; il++) {
        m->layers[il].first = (uint32_t)at;
        m->layers[il].n_tensors = (uint32_t)count[il + 1];
        count[il] = at;
        at += m->layers[il].n_tensors;
    }
    m->first_global = at;
    uint64_t global = at;
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct lc_tensor *t = &m->tensors[i];
        m->by_layer[t->layer >= 0 && t->base != t->name ? count[t->layer]++ : global++] = t;
    }
    if (!index_names(arena, m) || !number_kinds(arena, m))
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (!m->n_vocab && m->tok_embd)
        m->n_vocab = (uint32_t)hwl_min(m->tok_embd->t->dims[1], UINT32_MAX);
    return HWL_OK;
}

const struct lc_tensor *hwl_lc_find(const struct lc_model *m, int32_t layer, const char *key)
{
    const uint32_t row = layer >= 0 && (uint32_t)layer < m->n_layer_all ? (uint32_t)layer : m->n_layer_all;
    const uint32_t slot = *slot_of(m, row, key);
    return slot ? m->by_layer[slot - 1] : NULL;
}
