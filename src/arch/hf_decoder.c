/* SPDX-License-Identifier: Apache-2.0 */
/* Decoder stacks of the Llama kind as they stand inside vision-language models and hybrids. Shapes: transformers 5.24.0,
 * models/{llama,qwen2,qwen3,qwen3_moe,qwen3_next,qwen3_5,gemma3,deepseek_v3}. */
#include "arch/hf_decoder.h"

#include "arch/family.h"

#include <stdio.h>
#include <string.h>

static const struct hwl_text_kind kinds[] = {
    {"deepseek_v2", HWL_T_MLA | HWL_T_DEEPSEEK_MOE, 0, 0, 0, 0, 0, 0, 0, NULL},
    {"deepseek_v3", HWL_T_MLA | HWL_T_DEEPSEEK_MOE | HWL_T_SCORE_BIAS, 129280, 7168, 128, 128, 0, 61, 18432, NULL},
    {"gemma", HWL_T_TIED, 256000, 3072, 16, 16, 256, 28, 24576, NULL},
    {"gemma2", HWL_T_TIED | HWL_T_SANDWICH, 256000, 2304, 8, 4, 256, 26, 9216, NULL},
    {"gemma3_text", HWL_T_TIED | HWL_T_SANDWICH | HWL_T_QK_NORM | HWL_T_SLIDE_6, 262208, 2304, 8, 4, 256, 26, 9216, NULL},
    {"kimi_k2", HWL_T_MLA | HWL_T_DEEPSEEK_MOE | HWL_T_SCORE_BIAS, 0, 0, 0, 0, 0, 0, 0, NULL},
    {"llama", 0, 32000, 4096, 32, 0, 0, 32, 11008, NULL},
    {"minicpm", 0, 0, 0, 0, 0, 0, 0, 0, NULL},
    {"ministral", 0, 0, 0, 0, 0, 0, 0, 0, NULL},
    {"ministral3", 0, 0, 0, 0, 0, 0, 0, 0, NULL},
    {"mistral", 0, 32000, 4096, 32, 8, 0, 32, 14336, NULL},
    {"phi3", HWL_T_FUSED, 32064, 3072, 32, 0, 0, 32, 8192, NULL},
    {"qwen2", HWL_T_QKV_BIAS, 151936, 4096, 32, 32, 0, 32, 22016, NULL},
    {"qwen2_5_omni_text", HWL_T_QKV_BIAS, 0, 0, 0, 0, 0, 0, 0, NULL},
    {"qwen2_5_vl_text", HWL_T_QKV_BIAS, 152064, 8192, 64, 8, 0, 80, 29568, NULL},
    {"qwen2_vl_text", HWL_T_QKV_BIAS, 152064, 8192, 64, 8, 0, 80, 29568, NULL},
    {"qwen3", HWL_T_QK_NORM, 151936, 4096, 32, 32, 128, 32, 22016, NULL},
    {"qwen3_5_moe_text", HWL_T_QK_NORM | HWL_T_GATE_Q | HWL_T_QWEN_MOE | HWL_T_SHARED_GATE | HWL_T_GDN_SPLIT, 248320, 2048, 16, 2, 256, 40, 0, &hwl_mtp_fc},
    {"qwen3_5_text", HWL_T_QK_NORM | HWL_T_GATE_Q | HWL_T_GDN_SPLIT, 248320, 4096, 16, 4, 256, 32, 12288, &hwl_mtp_fc},
    {"qwen3_moe", HWL_T_QK_NORM | HWL_T_QWEN_MOE, 151936, 2048, 32, 4, 0, 24, 6144, NULL},
    {"qwen3_next", HWL_T_QK_NORM | HWL_T_GATE_Q | HWL_T_QWEN_MOE | HWL_T_SHARED_GATE | HWL_T_GDN, 151936, 2048, 16, 2, 256, 48, 5632, &hwl_mtp_qwen3_next},
    {"qwen3_vl_moe_text", HWL_T_QK_NORM | HWL_T_QWEN_MOE, 151936, 2048, 16, 16, 0, 24, 5632, NULL},
    {"qwen3_vl_text", HWL_T_QK_NORM, 151936, 4096, 32, 32, 128, 32, 22016, NULL},
};

const struct hwl_text_kind *hwl_text_kind_find(const char *type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return &kinds[i];
    return NULL;
}

static uint32_t u32(uint64_t v)
{
    return (uint32_t)hwl_min(v, UINT32_MAX);
}

bool hwl_hf_tied(const struct hwl_config *root, const struct hwl_config *cfg, bool def)
{
    if (hwl_cfg_has(root, "tie_word_embeddings"))
        return hwl_cfg_bool(root, "tie_word_embeddings", def);
    if (hwl_cfg_has(cfg, "tie_word_embeddings"))
        return hwl_cfg_bool(cfg, "tie_word_embeddings", def);
    return hwl_cfg_bool(root, "tie_word_embeddings", def); /* the outer class's default */
}

uint64_t hwl_hf_or(const struct hwl_config *cfg, const char *keys, uint64_t def)
{
    return def ? hwl_cfg_u64(cfg, keys, def) : hwl_cfg_need(cfg, keys);
}

struct hwl_attn_shape hwl_hf_attn_shape(const struct hwl_config *cfg, const struct hwl_text_kind *kind)
{
    struct hwl_attn_shape s = {0};
    s.hidden = hwl_hf_or(cfg, "hidden_size", kind->hidden);
    s.heads = hwl_hf_or(cfg, "num_attention_heads", kind->heads);
    s.kv_heads = hwl_cfg_u64(cfg, "num_key_value_heads", kind->kv_heads ? kind->kv_heads : s.heads);
    s.head_dim = hwl_cfg_u64(cfg, "head_dim", kind->head_dim);
    if (s.head_dim == 0)
        s.head_dim = s.heads ? s.hidden / s.heads : 0;
    return s;
}

void hwl_hf_attn_fill(struct hwl_hb *b, uint64_t layer, struct hwl_attn_shape s, uint64_t window)
{
    struct hwl_layer *const l = &b->m->layers[layer];
    l->mixer = window ? HWL_MIXER_SLIDING : HWL_MIXER_FULL;
    l->attn.n_heads = u32(s.heads);
    l->attn.n_kv_heads = u32(s.kv_heads);
    l->attn.head_dim_k = l->attn.head_dim_v = u32(s.head_dim);
    l->attn.window = window;
    l->attn.causal = true;
}

void hwl_hf_mlp(struct hwl_hb *b, const char *name, uint64_t hidden, uint64_t d_ff, bool bias)
{
    const size_t mark = hwl_hb_push(b, "%s", name);
    hwl_hb_linear(b, "gate_proj", HWL_ROLE_FFN_GATE, d_ff, hidden, bias);
    hwl_hb_linear(b, "up_proj", HWL_ROLE_FFN_UP, d_ff, hidden, bias);
    hwl_hb_linear(b, "down_proj", HWL_ROLE_FFN_DOWN, hidden, d_ff, bias);
    hwl_hb_pop(b, mark);
}

static void fused_mlp(struct hwl_hb *b, uint64_t hidden, uint64_t d_ff)
{
    const size_t mark = hwl_hb_push(b, "mlp.");
    hwl_hb_linear(b, "gate_up_proj", HWL_ROLE_FFN_GATE_UP, hwl_hb_mul(b, d_ff, 2), hidden, false);
    hwl_hb_linear(b, "down_proj", HWL_ROLE_FFN_DOWN, hidden, d_ff, false);
    hwl_hb_pop(b, mark);
}

void hwl_hf_head(struct hwl_hb *b, const char *name, uint64_t vocab, uint64_t hidden, bool tied)
{
    b->layer = -1;
    if (b->build && b->build->tie) /* the model around it decides */
        tied = b->build->tie == 2;
    b->m->tied = tied;
    if (tied)
        hwl_hb_tied(b, name, HWL_ROLE_OUTPUT, vocab, hidden);
    else
        hwl_hb_mat(b, name, HWL_ROLE_OUTPUT, vocab, hidden);
}

static void attention(struct hwl_hb *b, const struct hwl_config *c, uint32_t traits, struct hwl_attn_shape s)
{
    const size_t mark = hwl_hb_push(b, "self_attn.");
    const bool bias = hwl_cfg_bool(c, "attention_bias", false);
    const bool qkv_bias = bias || traits & HWL_T_QKV_BIAS;
    const uint64_t q = hwl_hb_mul(b, s.heads, s.head_dim), kv = hwl_hb_mul(b, s.kv_heads, s.head_dim);
    if (traits & HWL_T_FUSED) {
        hwl_hb_linear(b, "qkv_proj", HWL_ROLE_ATTN_QKV, hwl_hb_add(b, q, hwl_hb_mul(b, kv, 2)), s.hidden, qkv_bias);
    } else {
        hwl_hb_linear(b, "q_proj", HWL_ROLE_ATTN_Q, traits & HWL_T_GATE_Q ? hwl_hb_mul(b, q, 2) : q, s.hidden, qkv_bias);
        hwl_hb_linear(b, "k_proj", HWL_ROLE_ATTN_K, kv, s.hidden, qkv_bias);
        hwl_hb_linear(b, "v_proj", HWL_ROLE_ATTN_V, kv, s.hidden, qkv_bias);
    }
    hwl_hb_linear(b, "o_proj", HWL_ROLE_ATTN_OUT, s.hidden, q, bias && !(traits & (HWL_T_NO_O_BIAS | HWL_T_QKV_BIAS)));
    if (traits & HWL_T_QK_NORM) {
        hwl_hb_norm(b, "q_norm", HWL_ROLE_ATTN_Q_NORM, s.head_dim, false);
        hwl_hb_norm(b, "k_norm", HWL_ROLE_ATTN_K_NORM, s.head_dim, false);
    }
    hwl_hb_pop(b, mark);
}

void hwl_hf_latent(struct hwl_hb *b, const struct hwl_config *c, struct hwl_layer *l, uint64_t hidden)
{
    const size_t mark = hwl_hb_push(b, "self_attn.");
    struct hwl_attention *const a = &l->attn;
    const uint64_t heads = hwl_cfg_need(c, "num_attention_heads"), rank = hwl_cfg_need(c, "kv_lora_rank");
    const uint64_t q_rank = hwl_cfg_u64(c, "q_lora_rank", 0), rope = hwl_cfg_need(c, "qk_rope_head_dim");
    const uint64_t nope = hwl_cfg_need(c, "qk_nope_head_dim"), v = hwl_cfg_need(c, "v_head_dim");
    const bool bias = hwl_cfg_bool(c, "attention_bias", false);
    const uint64_t q = hwl_hb_mul(b, heads, nope + rope);
    if (q_rank) {
        hwl_hb_linear(b, "q_a_proj", HWL_ROLE_ATTN_Q_A, q_rank, hidden, bias);
        hwl_hb_norm(b, "q_a_layernorm", HWL_ROLE_ATTN_Q_A_NORM, q_rank, false);
        hwl_hb_linear(b, "q_b_proj", HWL_ROLE_ATTN_Q_B, q, q_rank, false);
    } else {
        hwl_hb_linear(b, "q_proj", HWL_ROLE_ATTN_Q, q, hidden, false);
    }
    hwl_hb_linear(b, "kv_a_proj_with_mqa", HWL_ROLE_ATTN_KV_A, rank + rope, hidden, bias);
    hwl_hb_norm(b, "kv_a_layernorm", HWL_ROLE_ATTN_KV_A_NORM, rank, false);
    hwl_hb_linear(b, "kv_b_proj", HWL_ROLE_ATTN_KV_B, hwl_hb_mul(b, heads, nope + v), rank, false);
    hwl_hb_linear(b, "o_proj", HWL_ROLE_ATTN_OUT, hidden, hwl_hb_mul(b, heads, v), bias);
    hwl_hb_pop(b, mark);
    l->mixer = HWL_MIXER_MLA;
    a->n_heads = u32(heads);
    a->n_kv_heads = 1;
    a->head_dim_k = u32(nope + rope);
    a->head_dim_v = u32(v);
    a->q_lora_rank = u32(q_rank);
    a->kv_lora_rank = u32(rank);
    a->qk_rope_dim = u32(rope);
    a->qk_nope_dim = u32(nope);
    a->causal = true;
}

static void delta_net(struct hwl_hb *b, const struct hwl_config *c, struct hwl_layer *l, uint64_t hidden, bool split)
{
    const size_t mark = hwl_hb_push(b, "linear_attn.");
    const uint64_t k_heads = hwl_cfg_u64(c, "linear_num_key_heads", 16), v_heads = hwl_cfg_u64(c, "linear_num_value_heads", 32);
    const uint64_t dk = hwl_cfg_u64(c, "linear_key_head_dim", 128), dv = hwl_cfg_u64(c, "linear_value_head_dim", 128);
    const uint64_t d_conv = hwl_cfg_u64(c, "linear_conv_kernel_dim", 4);
    const uint64_t key = hwl_hb_mul(b, k_heads, dk), value = hwl_hb_mul(b, v_heads, dv);
    const uint64_t conv = hwl_hb_add(b, hwl_hb_mul(b, key, 2), value);
    hwl_hb_vec(b, "dt_bias", HWL_ROLE_SSM_DT, v_heads);
    hwl_hb_vec(b, "A_log", HWL_ROLE_SSM_A, v_heads);
    hwl_hb_conv1d(b, "conv1d", HWL_ROLE_SSM_CONV, conv, 1, d_conv, false);
    if (split) {
        hwl_hb_linear(b, "in_proj_qkv", HWL_ROLE_SSM_IN, conv, hidden, false);
        hwl_hb_linear(b, "in_proj_z", HWL_ROLE_SSM_GATE, value, hidden, false);
        hwl_hb_linear(b, "in_proj_b", HWL_ROLE_SSM_BETA, v_heads, hidden, false);
        hwl_hb_linear(b, "in_proj_a", HWL_ROLE_SSM_DT, v_heads, hidden, false);
    } else {
        hwl_hb_linear(b, "in_proj_qkvz", HWL_ROLE_SSM_IN, hwl_hb_add(b, conv, value), hidden, false);
        hwl_hb_linear(b, "in_proj_ba", HWL_ROLE_SSM_BETA, hwl_hb_mul(b, v_heads, 2), hidden, false);
    }
    hwl_hb_norm(b, "norm", HWL_ROLE_SSM_NORM, dv, false);
    hwl_hb_linear(b, "out_proj", HWL_ROLE_SSM_OUT, hidden, value, false);
    hwl_hb_pop(b, mark);
    l->mixer = HWL_MIXER_GATED_DELTA_NET;
    l->state = (struct hwl_state){.d_conv = u32(d_conv), .conv_dim = conv, .d_inner = value, .d_state = dk, .n_groups = u32(k_heads),
                                  .n_heads = u32(v_heads), .n_k_heads = u32(k_heads), .head_dim = u32(dv), .head_dim_k = u32(dk)};
    l->state.ssm_elems = hwl_hb_mul(b, value, dk);
}

void hwl_hf_experts(struct hwl_hb *b, struct hwl_layer *l, const struct hwl_moe *m, uint64_t hidden)
{
    const size_t mark = hwl_hb_push(b, "mlp.");
    hwl_hb_linear(b, "gate", HWL_ROLE_ROUTER, m->n, hidden, false);
    if (m->score_bias)
        hwl_hb_buffer(b, "gate.e_score_correction_bias", HWL_ROLE_ROUTER_BIAS, m->n);
    hwl_hb_experts(b, "experts.*.gate_proj", HWL_ROLE_EXP_GATE, m->n, m->d_expert, hidden, false);
    hwl_hb_experts(b, "experts.*.up_proj", HWL_ROLE_EXP_UP, m->n, m->d_expert, hidden, false);
    hwl_hb_experts(b, "experts.*.down_proj", HWL_ROLE_EXP_DOWN, m->n, hidden, m->d_expert, false);
    if (m->d_shared) {
        const size_t inner = hwl_hb_push(b, m->gate ? "shared_expert." : "shared_experts.");
        hwl_hb_linear(b, "gate_proj", HWL_ROLE_SHEXP_GATE, m->d_shared, hidden, false);
        hwl_hb_linear(b, "up_proj", HWL_ROLE_SHEXP_UP, m->d_shared, hidden, false);
        hwl_hb_linear(b, "down_proj", HWL_ROLE_SHEXP_DOWN, hidden, m->d_shared, false);
        hwl_hb_pop(b, inner);
        if (m->gate)
            hwl_hb_linear(b, "shared_expert_gate", HWL_ROLE_SHEXP_ROUTER, 1, hidden, false);
    }
    hwl_hb_pop(b, mark);
    l->feed_forward = HWL_FFN_MOE;
    l->ffn = (struct hwl_ffn){.n_experts = u32(m->n), .n_experts_used = u32(m->used), .d_expert = m->d_expert,
                              .n_shared = u32(m->shared), .d_shared = m->d_shared, .gated = true};
}

static struct hwl_moe read_moe(struct hwl_hb *b, const struct hwl_config *c, uint32_t traits)
{
    struct hwl_moe m = {0};
    if (!(traits & (HWL_T_QWEN_MOE | HWL_T_DEEPSEEK_MOE)))
        return m;
    m.n = hwl_cfg_u64(c, "num_experts|n_routed_experts|num_local_experts", 0);
    if (m.n == 0)
        return m;
    m.used = hwl_cfg_need(c, "num_experts_per_tok");
    m.d_expert = hwl_cfg_need(c, "moe_intermediate_size");
    if (traits & HWL_T_SHARED_GATE) {
        m.shared = m.gate = true;
        m.d_shared = hwl_cfg_need(c, "shared_expert_intermediate_size");
    } else if (traits & HWL_T_DEEPSEEK_MOE) {
        m.shared = hwl_cfg_u64(c, "n_shared_experts", 0);
        m.d_shared = hwl_hb_mul(b, m.shared, m.d_expert);
        m.score_bias = traits & HWL_T_SCORE_BIAS || strcmp(hwl_cfg_str(c, "topk_method", ""), "noaux_tc") == 0;
    }
    return m;
}

static bool is_moe(const struct hwl_config *c, uint32_t traits, const struct hwl_moe *m, uint64_t layer)
{
    if (m->n == 0)
        return false;
    if (traits & HWL_T_DEEPSEEK_MOE) {
        const uint64_t freq = hwl_cfg_u64(c, "moe_layer_freq", 1);
        return layer >= hwl_cfg_u64(c, "first_k_dense_replace", 0) && (freq <= 1 || layer % freq == 0);
    }
    const uint64_t step = hwl_cfg_u64(c, "decoder_sparse_step", 1);
    return !hwl_cfg_in(c, "mlp_only_layers", layer) && step && (layer + 1) % step == 0;
}

static bool is_linear(const struct hwl_config *c, uint32_t traits, uint64_t layer)
{
    if (!(traits & (HWL_T_GDN | HWL_T_GDN_SPLIT)))
        return false;
    if (hwl_cfg_n(c, "layer_types"))
        return strcmp(hwl_cfg_at_str(c, "layer_types", layer, ""), "linear_attention") == 0;
    const uint64_t every = hwl_cfg_u64(c, "full_attention_interval", 4);
    return every && (layer + 1) % every != 0;
}

static uint64_t window_of(const struct hwl_config *c, uint32_t traits, uint64_t layer)
{
    const uint64_t window = hwl_cfg_u64(c, "sliding_window", traits & HWL_T_SLIDE_6 ? 4096 : 0);
    if (window == 0)
        return 0;
    if (hwl_cfg_n(c, "layer_types"))
        return strcmp(hwl_cfg_at_str(c, "layer_types", layer, ""), "sliding_attention") == 0 ? window : 0;
    if (traits & HWL_T_SLIDE_6) {
        const uint64_t every = hwl_cfg_u64(c, "sliding_window_pattern", 6);
        return every && (layer + 1) % every == 0 ? 0 : window;
    }
    if (hwl_cfg_has(c, "use_sliding_window"))
        return hwl_cfg_bool(c, "use_sliding_window", false) && layer >= hwl_cfg_u64(c, "max_window_layers", 0) ? window : 0;
    return traits & (HWL_T_QKV_BIAS | HWL_T_QK_NORM) ? 0 : window;
}

static void one_layer(struct hwl_hb *b, const struct hwl_config *c, const struct hwl_text_kind *kind, uint64_t i, struct hwl_attn_shape s,
                      const struct hwl_moe *m)
{
    const uint32_t traits = kind->traits;
    struct hwl_layer *const l = &b->m->layers[i];
    const bool mtp = i >= b->m->n_layers;
    b->layer = (int32_t)i;
    const size_t mark = hwl_hb_push(b, "layers.%llu.", (unsigned long long)(mtp ? i - b->m->n_layers : i));
    if (!mtp && is_linear(c, traits, i)) {
        delta_net(b, c, l, s.hidden, traits & HWL_T_GDN_SPLIT);
    } else if (traits & HWL_T_MLA && hwl_cfg_u64(c, "kv_lora_rank", 0)) {
        hwl_hf_latent(b, c, l, s.hidden);
    } else {
        attention(b, c, traits, s);
        hwl_hf_attn_fill(b, i, s, mtp ? 0 : window_of(c, traits, i));
        l->attn.output_gate = traits & HWL_T_GATE_Q;
    }
    if (is_moe(c, traits, m, mtp ? b->m->n_layers - 1 : i)) {
        hwl_hf_experts(b, l, m, s.hidden);
    } else {
        const uint64_t d_ff = hwl_hf_or(c, "intermediate_size", kind->d_ff);
        if (traits & HWL_T_FUSED)
            fused_mlp(b, s.hidden, d_ff);
        else
            hwl_hf_mlp(b, "mlp.", s.hidden, d_ff, hwl_cfg_bool(c, "mlp_bias", false));
        l->feed_forward = HWL_FFN_DENSE;
        l->ffn = (struct hwl_ffn){.d_ff = d_ff, .gated = true};
    }
    hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, s.hidden, false);
    if (traits & HWL_T_SANDWICH) {
        hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_ATTN_POST_NORM, s.hidden, false);
        hwl_hb_norm(b, "pre_feedforward_layernorm", HWL_ROLE_FFN_NORM, s.hidden, false);
        hwl_hb_norm(b, "post_feedforward_layernorm", HWL_ROLE_FFN_POST_NORM, s.hidden, false);
    } else {
        hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_FFN_NORM, s.hidden, false);
    }
    hwl_hb_pop(b, mark);
}

/* Layers for multi-token prediction, with full attention whatever the stack alternates (Qwen3-Next, Qwen3.5). They stand beside the
 * language model, not within it. */
static void mtp_layers(struct hwl_hb *b, const struct hwl_config *c, const struct hwl_text_kind *kind, struct hwl_attn_shape s,
                       const struct hwl_moe *m, uint64_t vocab)
{
    char keep[sizeof b->prefix];
    memcpy(keep, b->prefix, sizeof keep);
    (void)snprintf(b->prefix, sizeof b->prefix, "%smtp.", b->build->prefix);
    for (uint64_t k = 0; k < b->m->n_mtp; k++) {
        one_layer(b, c, kind, b->m->n_layers + k, s, m);
        hwl_mtp_parts(b->build, kind->mtp, (int32_t)(b->m->n_layers + k), k, kind->mtp->stack, s.hidden, vocab);
    }
    b->layer = -1;
    memcpy(b->prefix, keep, sizeof keep);
}

void hwl_hf_decoder(struct hwl_hb *b, const struct hwl_config *root, const struct hwl_config *c, const struct hwl_text_kind *kind,
                    const char *head)
{
    const uint32_t traits = kind->traits;
    const struct hwl_attn_shape s = hwl_hf_attn_shape(c, kind);
    const uint64_t vocab = hwl_hf_or(c, "vocab_size", kind->vocab), n = hwl_hf_or(c, "num_hidden_layers", kind->n_layers);
    b->m->text_arch = kind->type;
    const struct hwl_moe m = read_moe(b, c, traits);
    const uint64_t n_mtp = n ? hwl_mtp_count(c, root, kind->mtp) : 0;
    if (!hwl_hb_layers(b, n, n_mtp, 0))
        return;
    b->m->hidden = s.hidden;
    b->m->vocab = vocab;
    uint64_t context = 0;
    (void)hwl_class_default(kind->type, "max_position_embeddings", &context);
    b->m->context_train = hwl_cfg_u64(c, "max_position_embeddings|model_max_length", context);
    b->layer = -1;
    hwl_hb_mat(b, "embed_tokens.weight", HWL_ROLE_TOK_EMBD, vocab, s.hidden);
    for (uint64_t i = 0; i < n; i++)
        one_layer(b, c, kind, i, s, &m);
    b->layer = -1;
    hwl_hb_norm(b, "norm", HWL_ROLE_OUTPUT_NORM, s.hidden, false);
    const bool tied = hwl_hf_tied(root, c, traits & HWL_T_TIED);
    b->m->tied = tied;
    if (head) {
        char keep[sizeof b->prefix];
        memcpy(keep, b->prefix, sizeof keep);
        b->prefix[0] = 0;
        hwl_hf_head(b, head, vocab, s.hidden, tied);
        memcpy(b->prefix, keep, sizeof keep);
    }
    if (n_mtp && b->build)
        mtp_layers(b, c, kind, s, &m, vocab);
}
