/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata of a converted file: what llama.cpp's loader asks for, from the neutral model. */
#include "engine/llamacpp/convert/job.h"

#include <hwledger/plan.h>

#include <stdio.h>
#include <string.h>

static hwl_status put_key(struct lc_job *j, const char *key, uint64_t value)
{
    char full[128];
    (void)snprintf(full, sizeof full, "%s.%s", j->family->arch, key);
    return hwl_gguf_put_u64(j->gguf, j->arena, full, value);
}

/* One number where all layers agree, else an array: as the converter does. */
static hwl_status put_per_layer(struct lc_job *j, const char *key, const uint64_t *values, uint64_t n)
{
    char full[128];
    bool same = true;
    for (uint64_t i = 1; i < n; i++)
        same = same && values[i] == values[0];
    if (same)
        return n ? put_key(j, key, values[0]) : HWL_OK;
    (void)snprintf(full, sizeof full, "%s.%s", j->family->arch, key);
    return hwl_gguf_put_array_u64(j->gguf, j->arena, full, values, n);
}

static hwl_status put_windows(struct lc_job *j)
{
    const struct hwl_model *m = j->model;
    const uint64_t n = hwl_lc_layers(j->family, m);
    uint64_t window = 0, *pattern = HWL_NEW_ARRAY(j->arena, uint64_t, n);
    if (!pattern)
        return HWL_E_NOMEM;
    for (uint64_t i = 0; i < n; i++) {
        pattern[i] = m->layers[i].attn.window != 0;
        if (pattern[i])
            window = m->layers[i].attn.window;
    }
    if (window)
        HWL_TRY(put_key(j, "attention.sliding_window", window));
    char full[128];
    (void)snprintf(full, sizeof full, "%s.attention.sliding_window_pattern", j->family->arch);
    return j->family->keys & LC_PATTERN ? hwl_gguf_put_array_u64(j->gguf, j->arena, full, pattern, n) : HWL_OK;
}

/* Gemma 4: keys of windowed layers, caches that layers share, embeddings of each layer. */
static hwl_status put_window_dims(struct lc_job *j)
{
    const struct hwl_model *m = j->model;
    const struct hwl_attention *windowed = NULL;
    uint64_t shared = 0, per_layer = 0;
    for (uint64_t i = 0; i < m->n_layers; i++) {
        if (!windowed && m->layers[i].attn.window)
            windowed = &m->layers[i].attn;
        shared += m->layers[i].attn.kv_shared_with >= 0;
    }
    for (uint64_t i = 0; i < m->n_tensors; i++)
        if (m->tensors[i].role == HWL_ROLE_PER_LAYER_EMBD && m->n_layers)
            per_layer = m->tensors[i].dims[1] / m->n_layers;
    HWL_TRY(put_key(j, "embedding_length_per_layer_input", per_layer));
    HWL_TRY(put_key(j, "attention.shared_kv_layers", shared));
    if (!windowed)
        return HWL_OK;
    HWL_TRY(put_key(j, "attention.key_length_swa", windowed->head_dim_k));
    HWL_TRY(put_key(j, "attention.value_length_swa", windowed->head_dim_v));
    return put_key(j, "rope.dimension_count_swa", windowed->head_dim_k);
}

static hwl_status put_latent(struct lc_job *j, const struct hwl_attention *a)
{
    if (a->q_lora_rank)
        HWL_TRY(put_key(j, "attention.q_lora_rank", a->q_lora_rank));
    HWL_TRY(put_key(j, "attention.kv_lora_rank", a->kv_lora_rank));
    HWL_TRY(put_key(j, "rope.dimension_count", a->qk_rope_dim));
    if (!(j->family->keys & LC_LEADING_DENSE)) { /* not absorbed: heads of their own (MiniCPM3) */
        HWL_TRY(put_key(j, "attention.key_length", (uint64_t)a->qk_nope_dim + a->qk_rope_dim));
        return put_key(j, "attention.value_length", a->head_dim_v);
    }
    HWL_TRY(put_key(j, "attention.key_length", (uint64_t)a->kv_lora_rank + a->qk_rope_dim));
    HWL_TRY(put_key(j, "attention.value_length", a->kv_lora_rank));
    HWL_TRY(put_key(j, "attention.key_length_mla", (uint64_t)a->qk_nope_dim + a->qk_rope_dim));
    return put_key(j, "attention.value_length_mla", a->head_dim_v);
}

static hwl_status put_attention(struct lc_job *j)
{
    const struct hwl_model *m = j->model;
    const unsigned keys = j->family->keys;
    const uint64_t n = hwl_lc_layers(j->family, m);
    uint64_t *heads = HWL_NEW_ARRAY(j->arena, uint64_t, n), *kv = HWL_NEW_ARRAY(j->arena, uint64_t, n), *ff = HWL_NEW_ARRAY(j->arena, uint64_t, n);
    const struct hwl_attention *a = NULL;
    if (!heads || !kv || !ff)
        return HWL_E_NOMEM;
    for (uint64_t i = 0; i < m->n_layers; i++) /* where windowed layers differ, the plain keys are those of the full ones */
        if (m->layers[i].attn.n_heads && (!a || (keys & LC_WINDOW_DIMS && a->window && !m->layers[i].attn.window)))
            a = &m->layers[i].attn;
    for (uint64_t i = 0; i < n; i++) {
        const struct hwl_layer *l = &m->layers[i];
        const struct hwl_attention *own = l->attn.n_heads || !a ? &l->attn : a;
        heads[i] = own->n_heads;
        kv[i] = keys & LC_HYBRID ? l->attn.n_kv_heads : own->n_kv_heads;
        if (keys & LC_MLA && !(keys & LC_LEADING_DENSE)) /* not absorbed: a key for each head */
            kv[i] = own->n_heads;
        ff[i] = l->ffn.d_ff ? l->ffn.d_ff : l->ffn.d_expert;
        if (keys & LC_DOUBLE_FF)
            ff[i] *= 2;
    }
    HWL_TRY(put_per_layer(j, "feed_forward_length", ff, n));
    if (!a)
        return HWL_OK;
    HWL_TRY(put_per_layer(j, "attention.head_count", heads, n));
    HWL_TRY(put_per_layer(j, "attention.head_count_kv", kv, n));
    if (keys & LC_MLA && a->kv_lora_rank) {
        HWL_TRY(put_latent(j, a));
    } else {
        if (keys & LC_HEAD_DIM) {
            HWL_TRY(put_key(j, "attention.key_length", a->head_dim_k));
            HWL_TRY(put_key(j, "attention.value_length", a->head_dim_v));
        }
        HWL_TRY(put_key(j, "rope.dimension_count", a->head_dim_k));
    }
    if (keys & LC_INDEXER) {
        HWL_TRY(put_key(j, "attention.indexer.head_count", a->index_heads));
        HWL_TRY(put_key(j, "attention.indexer.key_length", a->index_head_dim));
        HWL_TRY(put_key(j, "attention.indexer.top_k", a->index_topk));
    }
    if (keys & LC_WINDOW_DIMS)
        HWL_TRY(put_window_dims(j));
    return keys & (LC_WINDOW | LC_PATTERN) ? put_windows(j) : HWL_OK;
}

static hwl_status put_experts(struct lc_job *j)
{
    const struct hwl_model *m = j->model;
    uint64_t dense = 0;
    while (dense < m->n_layers && m->layers[dense].feed_forward != HWL_FFN_MOE)
        dense++;
    if (dense == m->n_layers && j->family->keys & LC_LEADING_DENSE)
        HWL_TRY(put_key(j, "expert_shared_count", 0));
    if (dense == m->n_layers) { /* a family of experts without any: all layers lead */
        HWL_TRY(j->family->keys & LC_LEADING_DENSE ? put_key(j, "expert_feed_forward_length", 0) : HWL_OK);
        return j->family->keys & LC_LEADING_DENSE ? put_key(j, "leading_dense_block_count", dense) : HWL_OK;
    }
    const struct hwl_ffn *f = &m->layers[dense].ffn;
    HWL_TRY(put_key(j, "expert_count", f->n_experts));
    HWL_TRY(put_key(j, "expert_used_count", f->n_experts_used));
    HWL_TRY(put_key(j, "expert_feed_forward_length", f->d_expert));
    if (f->n_shared)
        HWL_TRY(put_key(j, "expert_shared_count", f->n_shared));
    if (j->family->keys & LC_SHARED_WIDTH && f->d_shared)
        HWL_TRY(put_key(j, "expert_shared_feed_forward_length", f->d_shared));
    return j->family->keys & LC_LEADING_DENSE ? put_key(j, "leading_dense_block_count", dense) : HWL_OK;
}

/* Rows of the segment table: the loader compares them with the tokenizer's count. */
static hwl_status put_segments(struct lc_job *j)
{
    const struct hwl_model *m = j->model;
    for (uint64_t i = 0; i < m->n_tensors; i++)
        if (m->tensors[i].role == HWL_ROLE_TYPE_EMBD)
            return hwl_gguf_put_u64(j->gguf, j->arena, "tokenizer.ggml.token_type_count", m->tensors[i].dims[0]);
    return HWL_OK;
}

static const struct hwl_state *state_of(const struct hwl_model *m)
{
    for (uint64_t i = 0; i < m->n_layers; i++)
        if (m->layers[i].state.d_conv || m->layers[i].state.ssm_elems)
            return &m->layers[i].state;
    return NULL;
}

static hwl_status put_state(struct lc_job *j)
{
    const struct hwl_state *s = state_of(j->model);
    const unsigned keys = j->family->keys;
    if (!s)
        return HWL_OK;
    if (keys & LC_SHORT_CONV)
        return put_key(j, "shortconv.l_cache", s->d_conv);
    HWL_TRY(put_key(j, "ssm.conv_kernel", s->d_conv));
    if (keys & LC_KDA)
        return put_key(j, "kda.head_dim", s->head_dim);
    if (keys & LC_DELTA) {
        uint64_t interval = 0;
        while (interval < j->model->n_layers && !j->model->layers[interval].attn.n_heads)
            interval++;
        HWL_TRY(put_key(j, "ssm.state_size", s->head_dim_k));
        HWL_TRY(put_key(j, "ssm.group_count", s->n_k_heads));
        HWL_TRY(put_key(j, "ssm.time_step_rank", s->n_heads));
        HWL_TRY(put_key(j, "ssm.inner_size", (uint64_t)s->n_heads * s->head_dim));
        return put_key(j, "full_attention_interval", interval + 1);
    }
    HWL_TRY(put_key(j, "ssm.inner_size", s->d_inner));
    HWL_TRY(put_key(j, "ssm.state_size", s->d_state));
    HWL_TRY(put_key(j, "ssm.time_step_rank", s->n_heads ? s->n_heads : s->dt_rank));
    return s->n_heads ? put_key(j, "ssm.group_count", s->n_groups) : HWL_OK;
}

/* See struct lc_family: extra. */
static hwl_status put_extra(struct lc_job *j)
{
    for (const char *p = j->family->extra ? j->family->extra : ""; *p;) {
        const size_t n = strcspn(p, "="), word = strcspn(p, " ");
        char key[128];
        uint64_t list[8], v = 0;
        unsigned count = 0;
        const bool global = *p == ':';
        if (global)
            (void)snprintf(key, sizeof key, "%.*s", (int)n - 1, p + 1);
        else
            (void)snprintf(key, sizeof key, "%s.%.*s", j->family->arch, (int)n, p);
        for (const char *d = p + n + 2; d <= p + word && count < 8; d++) {
            if (*d >= '0' && *d <= '9') {
                v = v * 10 + (uint64_t)(*d - '0');
            } else {
                list[count++] = v;
                v = 0;
            }
        }
        switch (p[n + 1]) {
        case 'f': HWL_TRY(hwl_gguf_put_f64(j->gguf, j->arena, key, (double)list[0])); break;
        case 'b': HWL_TRY(hwl_gguf_put_bool(j->gguf, j->arena, key, list[0] != 0)); break;
        case 'a': HWL_TRY(hwl_gguf_put_array_u64(j->gguf, j->arena, key, list, count)); break;
        default: HWL_TRY(hwl_gguf_put_u64(j->gguf, j->arena, key, list[0])); break;
        }
        p += word;
        p += *p == ' ';
    }
    return HWL_OK;
}

/* Experts behind a narrower space (Nemotron 3 Super). */
static hwl_status put_latent_width(struct lc_job *j)
{
    const struct hwl_model *m = j->model;
    struct lc_name name;
    for (uint64_t i = 0; i < m->n_tensors; i++)
        if (m->tensors[i].part == HWL_PART_WEIGHT && hwl_lc_name(j->family, &m->tensors[i], &name) && hwl_str_eq(name.name, "ffn_latent_down"))
            return put_key(j, "moe_latent_size", m->tensors[i].dims[0]);
    return HWL_OK;
}

hwl_status hwl_lc_put_metadata(struct lc_job *j)
{
    const struct hwl_model *m = j->model;
    char key[128];
    HWL_TRY(hwl_gguf_put_str(j->gguf, j->arena, "general.architecture", j->family->arch));
    HWL_TRY(hwl_gguf_put_str(j->gguf, j->arena, "general.name", m->name ? m->name : ""));
    const uint32_t layers = hwl_lc_layers(j->family, m);
    HWL_TRY(put_key(j, "block_count", j->family->keys & LC_ENC_DEC ? m->n_encoder : layers));
    if (layers > m->n_layers)
        HWL_TRY(put_key(j, "nextn_predict_layers", layers - m->n_layers));
    HWL_TRY(put_key(j, "context_length", m->context_train));
    HWL_TRY(put_key(j, "embedding_length", m->hidden));
    HWL_TRY(put_key(j, "vocab_size", m->vocab));
    /* the value moves no byte; its presence does: the loader asks for it */
    (void)snprintf(key, sizeof key, "%s.attention.%s", j->family->arch, j->family->keys & LC_LAYER_NORM ? "layer_norm_epsilon" : "layer_norm_rms_epsilon");
    HWL_TRY(hwl_gguf_put_f64(j->gguf, j->arena, key, 1e-5));
    HWL_TRY(put_attention(j));
    if (j->family->keys & LC_EXPERTS_KEYS)
        HWL_TRY(put_experts(j));
    if (j->family->keys & (LC_SSM | LC_DELTA | LC_KDA | LC_SHORT_CONV))
        HWL_TRY(put_state(j));
    if (j->family->keys & LC_BERT)
        HWL_TRY(put_segments(j));
    if (j->family->keys & LC_ENC_DEC && m->n_encoder != m->n_layers)
        HWL_TRY(put_key(j, "decoder_block_count", m->n_layers));
    HWL_TRY(put_latent_width(j));
    HWL_TRY(put_extra(j));
    return hwl_gguf_put_str(j->gguf, j->arena, "tokenizer.ggml.model", "no_vocab");
}

