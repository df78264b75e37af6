/* SPDX-License-Identifier: Apache-2.0 */
/* A model in the publisher's form as the GGUF that it would become. Which tensors, under which names and shapes, follows
 * from roles by table; a family is a row that says its name in llama.cpp and where it departs from the common names.
 * Facts from llama.cpp 0c1e57098: conversion/ (classes, modify_tensors), gguf-py constants, src/models (load_arch_tensors). */
#include "engine/llamacpp/convert.h"

#include "base/status.h"

#include <hwledger/plan.h>

#include <stdio.h>
#include <string.h>

/* How a tensor's shape changes on the way. */
enum change {
    KEEP,    /* dimensions in reverse order, ones squeezed; `count` equal ones become one with a further dimension */
    KV_B,    /* MLA: [heads * (nope + v), rank] becomes k_b [nope, rank, heads] and v_b [rank, v, heads] */
    HALVES,  /* fused gate and up become two */
    COLUMN,  /* a vector of n becomes [1, n] (Mamba2 A and D) */
    GROUPS,  /* a vector of n becomes [n / groups, groups] (Mamba2's gated norm) */
    DROP     /* the converter leaves it out */
};

struct name_row {
    enum hwl_role role;
    const char *name; /* behind "blk.N." where the tensor is of a layer; without ".weight" */
    enum change change;
};

static const struct name_row common[] = {
    {HWL_ROLE_TOK_EMBD, "token_embd", KEEP},
    {HWL_ROLE_POS_EMBD, "position_embd", KEEP},
    {HWL_ROLE_TYPE_EMBD, "token_types", KEEP},
    {HWL_ROLE_EMBD_NORM, "token_embd_norm", KEEP},
    {HWL_ROLE_OUTPUT_NORM, "output_norm", KEEP},
    {HWL_ROLE_OUTPUT, "output", KEEP},
    {HWL_ROLE_ATTN_NORM, "attn_norm", KEEP},
    {HWL_ROLE_ATTN_POST_NORM, "post_attention_norm", KEEP},
    {HWL_ROLE_ATTN_SUB_NORM, "attn_sub_norm", KEEP},
    {HWL_ROLE_ATTN_Q, "attn_q", KEEP},
    {HWL_ROLE_ATTN_K, "attn_k", KEEP},
    {HWL_ROLE_ATTN_V, "attn_v", KEEP},
    {HWL_ROLE_ATTN_QKV, "attn_qkv", KEEP},
    {HWL_ROLE_ATTN_OUT, "attn_output", KEEP},
    {HWL_ROLE_ATTN_GATE, "attn_gate", KEEP},
    {HWL_ROLE_ATTN_Q_NORM, "attn_q_norm", KEEP},
    {HWL_ROLE_ATTN_K_NORM, "attn_k_norm", KEEP},
    {HWL_ROLE_ATTN_SINKS, "attn_sinks", KEEP},
    {HWL_ROLE_ATTN_Q_A, "attn_q_a", KEEP},
    {HWL_ROLE_ATTN_Q_A_NORM, "attn_q_a_norm", KEEP},
    {HWL_ROLE_ATTN_Q_B, "attn_q_b", KEEP},
    {HWL_ROLE_ATTN_KV_A, "attn_kv_a_mqa", KEEP},
    {HWL_ROLE_ATTN_KV_A_NORM, "attn_kv_a_norm", KEEP},
    {HWL_ROLE_ATTN_KV_B, "attn_kv_b", KV_B},
    {HWL_ROLE_FFN_NORM, "ffn_norm", KEEP},
    {HWL_ROLE_FFN_POST_NORM, "post_ffw_norm", KEEP},
    {HWL_ROLE_FFN_SUB_NORM, "ffn_sub_norm", KEEP},
    {HWL_ROLE_FFN_GATE, "ffn_gate", KEEP},
    {HWL_ROLE_FFN_UP, "ffn_up", KEEP},
    {HWL_ROLE_FFN_DOWN, "ffn_down", KEEP},
    {HWL_ROLE_FFN_GATE_UP, "ffn_up", KEEP},
    {HWL_ROLE_ROUTER, "ffn_gate_inp", KEEP},
    {HWL_ROLE_ROUTER_BIAS, "exp_probs_b.bias", KEEP},
    {HWL_ROLE_EXP_GATE, "ffn_gate_exps", KEEP},
    {HWL_ROLE_EXP_UP, "ffn_up_exps", KEEP},
    {HWL_ROLE_EXP_DOWN, "ffn_down_exps", KEEP},
    {HWL_ROLE_EXP_GATE_UP, "ffn_gate_exps ffn_up_exps", HALVES},
    {HWL_ROLE_SHEXP_GATE, "ffn_gate_shexp", KEEP},
    {HWL_ROLE_SHEXP_UP, "ffn_up_shexp", KEEP},
    {HWL_ROLE_SHEXP_DOWN, "ffn_down_shexp", KEEP},
    {HWL_ROLE_SHEXP_GATE_UP, "ffn_gate_shexp ffn_up_shexp", HALVES},
    {HWL_ROLE_SHEXP_ROUTER, "ffn_gate_inp_shexp", KEEP},
    {HWL_ROLE_SSM_NORM, "ssm_norm", KEEP},
    {HWL_ROLE_SSM_IN, "ssm_in", KEEP},
    {HWL_ROLE_SSM_CONV, "ssm_conv1d", KEEP},
    {HWL_ROLE_SSM_X, "ssm_x", KEEP},
    {HWL_ROLE_SSM_DT, "ssm_dt", KEEP},
    {HWL_ROLE_SSM_A, "ssm_a", KEEP},
    {HWL_ROLE_SSM_D, "ssm_d", KEEP},
    {HWL_ROLE_SSM_OUT, "ssm_out", KEEP},
    {HWL_ROLE_ROPE_FREQS, "", DROP},
};

static const struct name_row mamba2_names[] = {{HWL_ROLE_SSM_A, "ssm_a", COLUMN}, {HWL_ROLE_SSM_D, "ssm_d", COLUMN}, {HWL_ROLE_SSM_DT, "ssm_dt.bias", KEEP}, {HWL_ROLE_SSM_NORM, "ssm_norm", GROUPS}};
static const struct name_row falcon_names[] = {{HWL_ROLE_FFN_NORM, "attn_norm_2", KEEP}};
static const struct name_row gpt_oss_names[] = {{HWL_ROLE_FFN_NORM, "post_attention_norm", KEEP}};

/* Which metadata beside the common ones a family's reader in llama.cpp needs. */
enum keys { HEAD_DIM = 1, WINDOW = 2, EXPERTS = 4, MLA = 8, SSM = 16, LAYER_NORM = 32, ALIBI = 64, ROPE_PART = 128, EXPERT_SHARED_WIDTH = 256 };

static const struct family {
    const char *model_types;
    const char *arch;
    unsigned keys;
    const struct name_row *names;
    unsigned n_names;
    const char *extra; /* keys that the loader asks for and whose value moves no byte: "name=f1.5 name=u2 name=b1 name=a1,2,3" */
} families[] = {
    {"llama mistral mixtral internlm3 yi xverse vicuna aquila", "llama", EXPERTS | HEAD_DIM, NULL, 0, NULL},
    {"qwen2", "qwen2", 0, NULL, 0, NULL},
    {"qwen2_moe", "qwen2moe", EXPERTS | EXPERT_SHARED_WIDTH, NULL, 0, NULL},
    {"qwen3", "qwen3", HEAD_DIM, NULL, 0, NULL},
    {"qwen3_moe", "qwen3moe", HEAD_DIM | EXPERTS, NULL, 0, NULL},
    {"gemma", "gemma", HEAD_DIM, NULL, 0, NULL},
    {"gemma2", "gemma2", HEAD_DIM | WINDOW, NULL, 0, NULL},
    {"gemma3 gemma3_text", "gemma3", HEAD_DIM | WINDOW, NULL, 0, NULL},
    {"phi3", "phi3", WINDOW, NULL, 0, NULL},
    {"olmo2", "olmo2", 0, NULL, 0, NULL},
    {"olmoe", "olmoe", EXPERTS, NULL, 0, NULL},
    {"granite", "granite", 0, NULL, 0, "logit_scale=f1"},
    {"stablelm", "stablelm", LAYER_NORM | ROPE_PART, NULL, 0, NULL},
    {"starcoder2", "starcoder2", LAYER_NORM, NULL, 0, NULL},
    {"command-r cohere", "command-r", LAYER_NORM, NULL, 0, NULL},
    {"smollm3", "smollm3", 0, NULL, 0, NULL},
    {"seed_oss", "seed_oss", HEAD_DIM, gpt_oss_names, 1, NULL},
    {"deepseek_v2 deepseek_v3 kimi_k2", "deepseek2", EXPERTS | MLA, NULL, 0, NULL},
    {"gpt_oss", "gpt-oss", HEAD_DIM | WINDOW | EXPERTS, gpt_oss_names, 1, NULL},
    {"mamba", "mamba", SSM, NULL, 0, NULL},
    {"mamba2", "mamba2", SSM, mamba2_names, 4, NULL},
    {"qwen2_vl qwen2_5_vl", "qwen2vl", 0, NULL, 0, "rope.dimension_sections=a16,24,24,0"},
    {"qwen3_vl", "qwen3vl", HEAD_DIM, NULL, 0, "rope.dimension_sections=a24,20,20,0 n_deepstack_layers=u3"},
    {"qwen3_vl_moe", "qwen3vlmoe", HEAD_DIM | EXPERTS, NULL, 0, "rope.dimension_sections=a24,20,20,0 n_deepstack_layers=u3"},
    {"minimax_m2", "minimax-m2", HEAD_DIM | EXPERTS, NULL, 0, "expert_gating_func=u2"},
    {"phi", "phi2", LAYER_NORM, NULL, 0, NULL},
    {"gpt_neox", "gptneox", LAYER_NORM, NULL, 0, "use_parallel_residual=b1"},
    {"gpt_bigcode", "starcoder", LAYER_NORM, NULL, 0, NULL},
    {"chatglm", "chatglm", 0, NULL, 0, NULL},
    {"kimi_k25", "deepseek2", EXPERTS | MLA, NULL, 0, NULL},
    {"cohere2", "cohere2", LAYER_NORM | WINDOW, NULL, 0, "logit_scale=f1"},
    {"ministral3", "mistral3", HEAD_DIM, NULL, 0, NULL},
    {"minicpm", "minicpm", EXPERTS, NULL, 0, NULL},
    {"baichuan", "baichuan", 0, NULL, 0, NULL},
    {"granitemoe", "granitemoe", EXPERTS, NULL, 0, "logit_scale=f1"},
    {"nemotron", "nemotron", LAYER_NORM, NULL, 0, NULL},
    {"arcee", "arcee", HEAD_DIM, NULL, 0, NULL},
    {"glm4", "glm4", 0, NULL, 0, NULL},
    {"exaone4", "exaone4", HEAD_DIM | WINDOW, NULL, 0, NULL},
    {"internlm2", "internlm2", 0, NULL, 0, NULL},
    {"mpt", "mpt", LAYER_NORM, NULL, 0, NULL},
    {"bloom", "bloom", LAYER_NORM, NULL, 0, NULL},
    {"falcon RefinedWeb RefinedWebModel", "falcon", LAYER_NORM, falcon_names, 1, NULL},
    {"olmo", "olmo", LAYER_NORM, NULL, 0, NULL},
    {"olmo3", "olmo2", WINDOW, NULL, 0, NULL},
    {"hunyuan_v1_dense", "hunyuan-dense", HEAD_DIM, NULL, 0, NULL},
    {"hunyuan_v1_moe", "hunyuan-moe", HEAD_DIM | EXPERTS, NULL, 0, NULL},
    {"ernie4_5", "ernie4_5", HEAD_DIM, NULL, 0, NULL},
    {"deepseek", "deepseek", EXPERTS, NULL, 0, NULL},
    {"phimoe", "phimoe", EXPERTS, NULL, 0, NULL},
    {"dots1", "dots1", EXPERTS | HEAD_DIM, NULL, 0, NULL},
};

static const struct family *family_of(const char *model_type)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (hwl_words_have(families[i].model_types, model_type))
            return &families[i];
    return NULL;
}

static const struct name_row *row_of(const struct family *f, enum hwl_role role)
{
    for (unsigned i = 0; i < f->n_names; i++)
        if (f->names[i].role == role)
            return &f->names[i];
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (common[i].role == role)
            return &common[i];
    return NULL;
}

struct job {
    const struct hwl_model *model;
    const struct family *family;
    struct hwl_gguf *gguf;
    struct hwl_arena *arena;
    hwl_error *error;
};

static hwl_status put_key(struct job *j, const char *key, uint64_t value)
{
    char full[128];
    (void)snprintf(full, sizeof full, "%s.%s", j->family->arch, key);
    return hwl_gguf_put_u64(j->gguf, j->arena, full, value);
}

/* One number where all layers agree, else an array: as the converter does. */
static hwl_status put_per_layer(struct job *j, const char *key, const uint64_t *values, uint64_t n)
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

static hwl_status put_attention(struct job *j)
{
    const struct hwl_model *m = j->model;
    uint64_t n = m->n_layers;
    uint64_t *heads = HWL_NEW_ARRAY(j->arena, uint64_t, n), *kv = HWL_NEW_ARRAY(j->arena, uint64_t, n), *ff = HWL_NEW_ARRAY(j->arena, uint64_t, n);
    const struct hwl_attention *a = NULL, *windowed = NULL;
    if (!heads || !kv || !ff)
        return hwl_fail(j->error, HWL_E_NOMEM, "out of memory");
    for (uint64_t i = 0; i < n; i++) {
        const struct hwl_layer *l = &m->layers[i];
        heads[i] = l->attn.n_heads;
        kv[i] = l->attn.n_kv_heads;
        ff[i] = l->ffn.d_ff ? l->ffn.d_ff : l->ffn.d_expert;
        if (!a && l->attn.n_heads)
            a = &l->attn;
        if (!windowed && l->attn.window)
            windowed = &l->attn;
    }
    HWL_TRY(put_per_layer(j, "feed_forward_length", ff, n));
    if (!a)
        return HWL_OK;
    HWL_TRY(put_per_layer(j, "attention.head_count", heads, n));
    HWL_TRY(put_per_layer(j, "attention.head_count_kv", kv, n));
    unsigned keys = j->family->keys;
    if (keys & MLA && a->kv_lora_rank) {
        if (a->q_lora_rank)
            HWL_TRY(put_key(j, "attention.q_lora_rank", a->q_lora_rank));
        HWL_TRY(put_key(j, "attention.kv_lora_rank", a->kv_lora_rank));
        HWL_TRY(put_key(j, "attention.key_length", (uint64_t)a->kv_lora_rank + a->qk_rope_dim));
        HWL_TRY(put_key(j, "attention.value_length", a->kv_lora_rank));
        HWL_TRY(put_key(j, "attention.key_length_mla", (uint64_t)a->qk_nope_dim + a->qk_rope_dim));
        HWL_TRY(put_key(j, "attention.value_length_mla", a->head_dim_v));
        HWL_TRY(put_key(j, "rope.dimension_count", a->qk_rope_dim));
    } else {
        if (keys & HEAD_DIM) {
            HWL_TRY(put_key(j, "attention.key_length", a->head_dim_k));
            HWL_TRY(put_key(j, "attention.value_length", a->head_dim_v));
        }
        HWL_TRY(put_key(j, "rope.dimension_count", a->head_dim_k));
    }
    if (keys & WINDOW && windowed)
        HWL_TRY(put_key(j, "attention.sliding_window", windowed->window));
    return HWL_OK;
}

static hwl_status put_experts(struct job *j)
{
    const struct hwl_model *m = j->model;
    uint64_t dense = 0;
    while (dense < m->n_layers && m->layers[dense].feed_forward != HWL_FFN_MOE)
        dense++;
    if (dense == m->n_layers)
        return HWL_OK;
    const struct hwl_ffn *f = &m->layers[dense].ffn;
    HWL_TRY(put_key(j, "expert_count", f->n_experts));
    HWL_TRY(put_key(j, "expert_used_count", f->n_experts_used));
    HWL_TRY(put_key(j, "expert_feed_forward_length", f->d_expert));
    if (f->n_shared)
        HWL_TRY(put_key(j, "expert_shared_count", f->n_shared));
    if (j->family->keys & EXPERT_SHARED_WIDTH && f->d_shared)
        HWL_TRY(put_key(j, "expert_shared_feed_forward_length", f->d_shared));
    return j->family->keys & MLA ? put_key(j, "leading_dense_block_count", dense) : HWL_OK;
}

static hwl_status put_state(struct job *j)
{
    const struct hwl_state *s = &j->model->layers[0].state;
    HWL_TRY(put_key(j, "ssm.conv_kernel", s->d_conv));
    HWL_TRY(put_key(j, "ssm.inner_size", s->d_inner));
    HWL_TRY(put_key(j, "ssm.state_size", s->d_state));
    HWL_TRY(put_key(j, "ssm.time_step_rank", s->n_heads ? s->n_heads : s->dt_rank));
    return s->n_heads ? put_key(j, "ssm.group_count", s->n_groups) : HWL_OK;
}

/* See struct family: extra. */
static hwl_status put_extra(struct job *j)
{
    for (const char *p = j->family->extra ? j->family->extra : ""; *p;) {
        const size_t n = strcspn(p, "="), word = strcspn(p, " ");
        char key[128];
        uint64_t list[8], v = 0;
        unsigned count = 0;
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

static hwl_status put_metadata(struct job *j)
{
    const struct hwl_model *m = j->model;
    char key[128];
    HWL_TRY(hwl_gguf_put_str(j->gguf, j->arena, "general.architecture", j->family->arch));
    HWL_TRY(hwl_gguf_put_str(j->gguf, j->arena, "general.name", m->name ? m->name : ""));
    HWL_TRY(put_key(j, "block_count", m->n_layers));
    HWL_TRY(put_key(j, "context_length", m->context_train));
    HWL_TRY(put_key(j, "embedding_length", m->hidden));
    HWL_TRY(put_key(j, "vocab_size", m->vocab));
    /* the value moves no byte; its presence does: the loader asks for it */
    (void)snprintf(key, sizeof key, "%s.attention.%s", j->family->arch, j->family->keys & LAYER_NORM ? "layer_norm_epsilon" : "layer_norm_rms_epsilon");
    HWL_TRY(hwl_gguf_put_f64(j->gguf, j->arena, key, 1e-5));
    HWL_TRY(put_attention(j));
    if (j->family->keys & EXPERTS)
        HWL_TRY(put_experts(j));
    if (j->family->keys & SSM)
        HWL_TRY(put_state(j));
    HWL_TRY(put_extra(j));
    return hwl_gguf_put_str(j->gguf, j->arena, "tokenizer.ggml.model", "no_vocab");
}

/* ---- tensors ---- */

/* Kept in f32 whatever the file's type. */
static bool always_f32(enum hwl_role role, enum hwl_part part, unsigned n_dims)
{
    return n_dims <= 1 || part == HWL_PART_BIAS || role == HWL_ROLE_ROUTER || role == HWL_ROLE_SHEXP_ROUTER || role == HWL_ROLE_POS_EMBD ||
           role == HWL_ROLE_TYPE_EMBD || role == HWL_ROLE_SSM_CONV || role == HWL_ROLE_SSM_A || hwl_role_component(role) == HWL_COMP_NORM;
}

static hwl_status put_tensor(struct job *j, const struct hwl_tensor *t, const char *stem, size_t stem_n, unsigned n_dims, const uint64_t *dims)
{
    char name[128];
    /* A and D of a state space stand without a suffix; names with a dot bring their own */
    const bool bare = t->role == HWL_ROLE_SSM_A || t->role == HWL_ROLE_SSM_D || memchr(stem, '.', stem_n);
    const char *suffix = bare ? "" : t->part == HWL_PART_BIAS ? ".bias" : ".weight";
    if (t->layer >= 0)
        (void)snprintf(name, sizeof name, "blk.%d.%.*s%s", t->layer, (int)stem_n, stem, suffix);
    else
        (void)snprintf(name, sizeof name, "%.*s%s", (int)stem_n, stem, suffix);
    enum hwl_dtype type = j->model->dtype == HWL_DTYPE_F32 || j->model->dtype == HWL_DTYPE_F16 ? (enum hwl_dtype)j->model->dtype : HWL_DTYPE_BF16;
    if (always_f32((enum hwl_role)t->role, (enum hwl_part)t->part, n_dims))
        type = HWL_DTYPE_F32;
    return hwl_gguf_put_tensor(j->gguf, j->arena, name, type, n_dims, dims, j->error);
}

static hwl_status put_kv_b(struct job *j, const struct hwl_tensor *t)
{
    const struct hwl_attention *a = &j->model->layers[t->layer].attn;
    const uint64_t k[3] = {a->qk_nope_dim, a->kv_lora_rank, a->n_heads}, v[3] = {a->kv_lora_rank, a->head_dim_v, a->n_heads};
    HWL_TRY(put_tensor(j, t, "attn_k_b", 8, 3, k));
    return put_tensor(j, t, "attn_v_b", 8, 3, v);
}

static hwl_status convert_tensor(struct job *j, const struct hwl_tensor *t)
{
    const bool buffer = t->buffer && t->role != HWL_ROLE_ROUTER_BIAS; /* the correction bias of the scores is stored */
    if (t->tied || buffer || t->component == HWL_COMP_VISION || t->component == HWL_COMP_AUDIO || t->component == HWL_COMP_PROJECTOR)
        return HWL_OK; /* towers become a file of their own (mmproj) */
    if (t->layer >= (int32_t)j->model->n_layers)
        return HWL_OK;
    const struct name_row *row = row_of(j->family, (enum hwl_role)t->role);
    if (!row)
        return hwl_fail(j->error, HWL_E_UNSUPPORTED, "%s: what llama.cpp's converter makes of tensor %s is not known here", j->model->arch,
                        t->name ? t->name : "?");
    if (row->change == DROP || t->part == HWL_PART_SCALE || t->part == HWL_PART_META)
        return HWL_OK; /* scales of what is read unpacked (fp8 checkpoints) */
    if (t->part != HWL_PART_WEIGHT && t->part != HWL_PART_BIAS)
        return hwl_fail(j->error, HWL_E_UNSUPPORTED, "%s: packed %s weights have no GGUF form; choose one with --quant", j->model->arch,
                        j->model->quant.method);
    if (row->change == KV_B && t->part == HWL_PART_WEIGHT && t->layer >= 0)
        return put_kv_b(j, t);
    uint64_t dims[8];
    unsigned n = 0;
    for (unsigned i = t->n_dims; i-- > 0;)
        if (t->dims[i] != 1 || (t->n_dims == 1))
            dims[n++] = t->dims[i];
    if (t->count > 1)
        dims[n++] = t->count;
    if (n > 4 || n == 0)
        return hwl_fail(j->error, HWL_E_UNSUPPORTED, "%s: tensor %s has too many dimensions", j->model->arch, t->name);
    if (row->change == COLUMN && n == 1) {
        dims[1] = dims[0];
        dims[0] = 1;
        n = 2;
    }
    const uint64_t groups = t->layer >= 0 ? j->model->layers[t->layer].state.n_groups : 0;
    if (row->change == GROUPS && n == 1 && groups && dims[0] % groups == 0) {
        dims[0] /= groups;
        dims[1] = groups;
        n = 2;
    }
    size_t first = strcspn(row->name, " ");
    if (row->change == HALVES) {
        unsigned d = t->part == HWL_PART_BIAS ? 0 : 1;
        /* all experts in one tensor are stored [experts, in, 2 x out] (gpt-oss, Llama 4): the fused side lies innermost */
        if (t->part != HWL_PART_BIAS && t->count <= 1 && n == 3 && dims[1] == j->model->hidden) {
            uint64_t in = dims[1];
            dims[1] = dims[0];
            dims[0] = in;
        }
        dims[d] /= 2;
        HWL_TRY(put_tensor(j, t, row->name, first, n, dims));
        return put_tensor(j, t, row->name + first + 1, strlen(row->name + first + 1), n, dims);
    }
    return put_tensor(j, t, row->name, first, n, dims);
}

/* Llama 3.1's frequencies are stored as a tensor of factors (conversion/llama.py, generate_extra_tensors). */
static hwl_status put_rope_factors(struct job *j)
{
    const char *type = j->model->hints.rope_type;
    const uint64_t n = j->model->n_layers ? j->model->layers[0].attn.head_dim_k / 2 : 0;
    if (!type || strcmp(type, "llama3") != 0 || !n)
        return HWL_OK;
    return hwl_gguf_put_tensor(j->gguf, j->arena, "rope_freqs.weight", HWL_DTYPE_F32, 1, &n, j->error);
}

hwl_status hwl_lc_convert(const struct hwl_model *model, struct hwl_arena *arena, struct hwl_gguf **out, hwl_error *error)
{
    struct job j = {model, family_of(model->arch), NULL, arena, error};
    if (!j.family)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "%s: what llama.cpp's converter makes of this family is not known here; give a .gguf file", model->arch);
    j.gguf = hwl_gguf_new(arena);
    if (!j.gguf)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    hwl_status status = put_metadata(&j);
    /* packed weights are read as what they stand for: the converter unpacks them */
    const struct hwl_tensor *tensors = model->n_logical ? model->logical : model->tensors;
    const uint64_t n = model->n_logical ? model->n_logical : model->n_tensors;
    if (status == HWL_OK)
        status = put_rope_factors(&j);
    for (uint64_t i = 0; i < n && status == HWL_OK; i++)
        status = convert_tensor(&j, &tensors[i]);
    if (status == HWL_E_NOMEM)
        return hwl_fail(error, status, "out of memory");
    if (status != HWL_OK)
        return status;
    *out = j.gguf;
    return HWL_OK;
}
