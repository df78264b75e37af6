/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks that mix attention with recurrence. Shapes: transformers 5.24.0, models/{jamba,bamba,falcon_h1,granitemoehybrid,
 * nemotron_h,minimax,kimi_linear,lfm2,lfm2_moe}. */
#include "arch/hf_mamba.h"

#include <string.h>

struct base {
    struct hwl_attn_shape attn;
    uint64_t n, vocab, d_ff;
};

static bool start_mtp(struct hwl_hb *b, const struct hwl_config *c, struct base *s, const char *embed, uint64_t n_mtp)
{
    static const struct hwl_text_kind none = {0};
    s->attn = hwl_hf_attn_shape(c, &none);
    /* the newer form of Nemotron-H counts its layers by the list of their kinds */
    const uint64_t listed = hwl_cfg_n(c, "layers_block_type");
    s->n = listed ? hwl_cfg_u64(c, "num_hidden_layers", listed) : hwl_cfg_need(c, "num_hidden_layers");
    s->vocab = hwl_cfg_need(c, "vocab_size");
    s->d_ff = hwl_cfg_u64(c, "intermediate_size", 0);
    if (!hwl_hb_layers(b, s->n, n_mtp, 0))
        return false;
    b->m->hidden = s->attn.hidden;
    b->m->vocab = s->vocab;
    b->m->context_train = hwl_cfg_u64(c, "max_position_embeddings", 0);
    hwl_hb_mat(b, embed, HWL_ROLE_TOK_EMBD, s->vocab, s->attn.hidden);
    return true;
}

static bool start(struct hwl_hb *b, const struct hwl_config *c, struct base *s, const char *embed)
{
    return start_mtp(b, c, s, embed, 0);
}

static void finish(struct hwl_hb *b, const struct hwl_config *c, const struct base *s, const char *norm, bool tied)
{
    b->layer = -1;
    hwl_hb_norm(b, norm, HWL_ROLE_OUTPUT_NORM, s->attn.hidden, false);
    hwl_hf_head(b, "lm_head.weight", s->vocab, s->attn.hidden, hwl_cfg_bool(c, "tie_word_embeddings", tied));
}

static void attention(struct hwl_hb *b, const struct base *s, uint64_t layer, const char *name, bool bias)
{
    const struct hwl_attn_shape *const a = &s->attn;
    const uint64_t q = hwl_hb_mul(b, a->heads, a->head_dim), kv = hwl_hb_mul(b, a->kv_heads, a->head_dim);
    const size_t mark = hwl_hb_push(b, "%s", name);
    hwl_hb_linear(b, "q_proj", HWL_ROLE_ATTN_Q, q, a->hidden, bias);
    hwl_hb_linear(b, "k_proj", HWL_ROLE_ATTN_K, kv, a->hidden, bias);
    hwl_hb_linear(b, "v_proj", HWL_ROLE_ATTN_V, kv, a->hidden, bias);
    hwl_hb_linear(b, "o_proj", HWL_ROLE_ATTN_OUT, a->hidden, q, bias);
    hwl_hb_pop(b, mark);
    hwl_hf_attn_fill(b, layer, *a, 0);
}

static void dense(struct hwl_hb *b, const struct base *s, uint64_t layer, const char *name, bool bias)
{
    hwl_hf_mlp(b, name, s->attn.hidden, s->d_ff, bias);
    b->m->layers[layer].feed_forward = HWL_FFN_DENSE;
    b->m->layers[layer].ffn = (struct hwl_ffn){.d_ff = s->d_ff, .gated = true};
}

static bool layer_is(const struct hwl_config *c, const char *key, uint64_t i, const char *word)
{
    return strcmp(hwl_cfg_at_str(c, key, i, ""), word) == 0;
}

void hwl_hf_jamba(struct hwl_hb *b, const struct hwl_config *c)
{
    struct base s;
    if (!start(b, c, &s, "model.embed_tokens.weight"))
        return;
    struct hwl_mamba1 m = {.hidden = s.attn.hidden, .norms = true};
    m.inner = hwl_hb_mul(b, m.hidden, hwl_cfg_u64(c, "mamba_expand", 2));
    m.state = hwl_cfg_u64(c, "mamba_d_state", 16);
    m.conv = hwl_cfg_u64(c, "mamba_d_conv", 4);
    m.rank = hwl_hf_rank(c, "mamba_dt_rank", m.hidden);
    m.bias = hwl_cfg_bool(c, "mamba_proj_bias", false);
    m.conv_bias = hwl_cfg_bool(c, "mamba_conv_bias", true);
    const uint64_t period = hwl_cfg_u64(c, "attn_layer_period", 8), offset = hwl_cfg_u64(c, "attn_layer_offset", 4);
    const uint64_t e_period = hwl_cfg_u64(c, "expert_layer_period", 2), e_offset = hwl_cfg_u64(c, "expert_layer_offset", 1);
    const uint64_t n_experts = hwl_cfg_u64(c, "num_experts", 16), used = hwl_cfg_u64(c, "num_experts_per_tok", 2), h = s.attn.hidden;
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t mark = hwl_hb_push(b, "model.layers.%llu.", (unsigned long long)i);
        struct hwl_layer *const l = &b->m->layers[i];
        b->layer = (int32_t)i;
        if (period && i % period == offset) {
            attention(b, &s, i, "self_attn.", false);
        } else {
            const size_t inner = hwl_hb_push(b, "mamba.");
            hwl_hf_mamba1_mixer(b, l, &m);
            hwl_hb_pop(b, inner);
        }
        if (n_experts > 1 && e_period && i % e_period == e_offset) {
            hwl_hb_linear(b, "feed_forward.router", HWL_ROLE_ROUTER, n_experts, h, false);
            hwl_hb_experts(b, "feed_forward.experts.*.gate_proj", HWL_ROLE_EXP_GATE, n_experts, s.d_ff, h, false);
            hwl_hb_experts(b, "feed_forward.experts.*.up_proj", HWL_ROLE_EXP_UP, n_experts, s.d_ff, h, false);
            hwl_hb_experts(b, "feed_forward.experts.*.down_proj", HWL_ROLE_EXP_DOWN, n_experts, h, s.d_ff, false);
            l->feed_forward = HWL_FFN_MOE;
            l->ffn = (struct hwl_ffn){.n_experts = (uint32_t)n_experts, .n_experts_used = (uint32_t)used, .d_expert = s.d_ff, .gated = true};
        } else {
            dense(b, &s, i, "feed_forward.", false);
        }
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, h, false);
        hwl_hb_norm(b, "pre_ff_layernorm", HWL_ROLE_FFN_NORM, h, false);
        hwl_hb_pop(b, mark);
    }
    finish(b, c, &s, "model.final_layernorm", false);
}

void hwl_hf_bamba(struct hwl_hb *b, const struct hwl_config *c)
{
    struct base s;
    if (!start(b, c, &s, "model.embed_tokens.weight"))
        return;
    const struct hwl_mamba2 m = hwl_hf_mamba2_keys(b, c, s.attn.hidden);
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t mark = hwl_hb_push(b, "model.layers.%llu.", (unsigned long long)i);
        b->layer = (int32_t)i;
        if (hwl_cfg_in(c, "attn_layer_indices", i)) {
            attention(b, &s, i, "self_attn.", hwl_cfg_bool(c, "attention_bias", false));
        } else {
            const size_t inner = hwl_hb_push(b, "mamba.");
            hwl_hf_mamba2_mixer(b, &b->m->layers[i], &m);
            hwl_hb_pop(b, inner);
        }
        dense(b, &s, i, "feed_forward.", hwl_cfg_bool(c, "mlp_bias", false));
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, s.attn.hidden, false);
        hwl_hb_norm(b, "pre_ff_layernorm", HWL_ROLE_FFN_NORM, s.attn.hidden, false);
        hwl_hb_pop(b, mark);
    }
    finish(b, c, &s, "model.final_layernorm", false);
}

/* Attention and Mamba-2 side by side in every layer. */
void hwl_hf_falcon_h1(struct hwl_hb *b, const struct hwl_config *c)
{
    struct base s;
    if (!start(b, c, &s, "model.embed_tokens.weight"))
        return;
    struct hwl_mamba2 m = hwl_hf_mamba2_keys(b, c, s.attn.hidden);
    m.out_bias = hwl_cfg_bool(c, "projectors_bias", false);
    m.inner = hwl_cfg_u64(c, "mamba_d_ssm", hwl_cfg_has(c, "mamba_expand") ? m.inner : 1024);
    m.norm = hwl_cfg_bool(c, "mamba_rms_norm", false);
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t mark = hwl_hb_push(b, "model.layers.%llu.", (unsigned long long)i);
        b->layer = (int32_t)i;
        attention(b, &s, i, "self_attn.", hwl_cfg_bool(c, "attention_bias", false));
        const size_t inner = hwl_hb_push(b, "mamba.");
        hwl_hf_mamba2_mixer(b, &b->m->layers[i], &m);
        hwl_hb_pop(b, inner);
        dense(b, &s, i, "feed_forward.", hwl_cfg_bool(c, "mlp_bias", false));
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, s.attn.hidden, false);
        hwl_hb_norm(b, "pre_ff_layernorm", HWL_ROLE_FFN_NORM, s.attn.hidden, false);
        hwl_hb_pop(b, mark);
    }
    finish(b, c, &s, "model.final_layernorm", false);
}

void hwl_hf_granite_hybrid(struct hwl_hb *b, const struct hwl_config *c)
{
    struct base s;
    if (!start(b, c, &s, "model.embed_tokens.weight"))
        return;
    const struct hwl_mamba2 m = hwl_hf_mamba2_keys(b, c, s.attn.hidden);
    const uint64_t experts = hwl_cfg_u64(c, "num_local_experts", 8), shared = hwl_cfg_u64(c, "shared_intermediate_size", 1024);
    const uint64_t h = s.attn.hidden;
    const char *const key = hwl_cfg_has(c, "layer_types") ? "layer_types" : "layers_block_type";
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t mark = hwl_hb_push(b, "model.layers.%llu.", (unsigned long long)i);
        struct hwl_layer *const l = &b->m->layers[i];
        b->layer = (int32_t)i;
        if (layer_is(c, key, i, "attention") || layer_is(c, key, i, "full_attention")) {
            attention(b, &s, i, "self_attn.", hwl_cfg_bool(c, "attention_bias", false));
        } else {
            const size_t inner = hwl_hb_push(b, "mamba.");
            hwl_hf_mamba2_mixer(b, l, &m);
            hwl_hb_pop(b, inner);
        }
        l->feed_forward = HWL_FFN_DENSE;
        l->ffn = (struct hwl_ffn){.d_ff = shared, .gated = true};
        if (experts) {
            hwl_hb_linear(b, "block_sparse_moe.router.layer", HWL_ROLE_ROUTER, experts, h, false);
            hwl_hb_dims3(b, "block_sparse_moe.input_linear.weight", HWL_ROLE_EXP_GATE_UP, experts, hwl_hb_mul(b, s.d_ff, 2), h);
            hwl_hb_dims3(b, "block_sparse_moe.output_linear.weight", HWL_ROLE_EXP_DOWN, experts, h, s.d_ff);
            l->feed_forward = HWL_FFN_MOE;
            l->ffn = (struct hwl_ffn){.n_experts = (uint32_t)experts, .n_experts_used = (uint32_t)hwl_cfg_u64(c, "num_experts_per_tok", 2),
                                      .d_expert = s.d_ff, .n_shared = 1, .d_shared = shared, .gated = true};
        }
        hwl_hb_linear(b, "shared_mlp.input_linear", experts ? HWL_ROLE_SHEXP_GATE_UP : HWL_ROLE_FFN_GATE_UP, hwl_hb_mul(b, shared, 2), h, false);
        hwl_hb_linear(b, "shared_mlp.output_linear", experts ? HWL_ROLE_SHEXP_DOWN : HWL_ROLE_FFN_DOWN, h, shared, false);
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, h, false);
        hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_FFN_NORM, h, false);
        hwl_hb_pop(b, mark);
    }
    finish(b, c, &s, "model.norm", false);
}

/* A block is one mixer: M Mamba-2, * attention, - dense, E experts. */
static char kind_of(const struct hwl_config *c, const char *key, uint64_t i)
{
    if (layer_is(c, key, i, "mamba") || layer_is(c, key, i, "linear_attention"))
        return 'M';
    if (layer_is(c, key, i, "attention") || layer_is(c, key, i, "full_attention"))
        return '*';
    if (layer_is(c, key, i, "moe"))
        return 'E';
    return layer_is(c, key, i, "mlp") ? '-' : 0;
}

static char block_kind(const struct hwl_config *c, const char *pattern, uint64_t i)
{
    if (*pattern)
        return i < strlen(pattern) ? pattern[i] : 0;
    return kind_of(c, "layers_block_type", i);
}

static void nemotron_moe(struct hwl_hb *b, const struct hwl_config *c, struct hwl_layer *l, uint64_t h)
{
    const uint64_t n = hwl_cfg_u64(c, "n_routed_experts", 8), d = hwl_cfg_u64(c, "moe_intermediate_size", 7688);
    const uint64_t latent = hwl_cfg_u64(c, "moe_latent_size", 0), in = latent ? latent : h;
    const uint64_t d_shared = hwl_cfg_u64(c, "moe_shared_expert_intermediate_size", 7688);
    const bool bias = hwl_cfg_bool(c, "mlp_bias", false);
    hwl_hb_linear(b, "gate", HWL_ROLE_ROUTER, n, h, false);
    hwl_hb_buffer(b, "gate.e_score_correction_bias", HWL_ROLE_ROUTER_BIAS, n);
    hwl_hb_experts(b, "experts.*.up_proj", HWL_ROLE_EXP_UP, n, d, in, false);
    hwl_hb_experts(b, "experts.*.down_proj", HWL_ROLE_EXP_DOWN, n, in, d, false);
    hwl_hb_linear(b, "shared_experts.up_proj", HWL_ROLE_SHEXP_UP, d_shared, h, bias);
    hwl_hb_linear(b, "shared_experts.down_proj", HWL_ROLE_SHEXP_DOWN, h, d_shared, bias);
    if (latent) {
        hwl_hb_linear(b, "fc1_latent_proj", HWL_ROLE_OTHER, latent, h, bias);
        hwl_hb_linear(b, "fc2_latent_proj", HWL_ROLE_OTHER, h, latent, bias);
    }
    l->feed_forward = HWL_FFN_MOE;
    l->ffn = (struct hwl_ffn){.n_experts = (uint32_t)n, .n_experts_used = (uint32_t)hwl_cfg_u64(c, "num_experts_per_tok", 2), .d_expert = d,
                              .n_shared = 1, .d_shared = d_shared};
}

/* A predictor is a run of blocks, one layer here: "*E" is attention, then experts. Its joint stands in the first block, the last
 * norm in the last one. */
static void nemotron_mtp(struct hwl_hb *b, const struct hwl_config *c, const struct base *s)
{
    const char *const pattern = hwl_cfg_str(c, "mtp_hybrid_override_pattern", "");
    const uint64_t n = *pattern ? strlen(pattern) : hwl_cfg_n(c, "mtp_layers_block_type"), h = s->attn.hidden;
    const bool bias = hwl_cfg_bool(c, "mlp_bias", false);
    for (uint64_t k = 0; k < b->m->n_mtp * n; k++) {
        const uint64_t j = k % n, i = b->m->n_layers + k / n;
        const char kind = *pattern ? pattern[j] : kind_of(c, "mtp_layers_block_type", j);
        const size_t mark = hwl_hb_push(b, "mtp.layers.%llu.", (unsigned long long)k);
        struct hwl_layer *const l = &b->m->layers[i];
        b->layer = (int32_t)i;
        if (j == 0) {
            hwl_hb_norm(b, "enorm", HWL_ROLE_MTP_NORM, h, false);
            hwl_hb_norm(b, "hnorm", HWL_ROLE_MTP_NORM, h, false);
            hwl_hb_linear(b, "eh_proj", HWL_ROLE_MTP_FC, h, 2 * h, false);
        }
        hwl_hb_norm(b, "norm", kind == '*' ? HWL_ROLE_ATTN_NORM : HWL_ROLE_FFN_NORM, h, false);
        if (j + 1 == n)
            hwl_hb_norm(b, "final_layernorm", HWL_ROLE_MTP_NORM, h, false);
        (void)hwl_hb_push(b, "mixer.");
        if (kind == '*') {
            attention(b, s, i, "", hwl_cfg_bool(c, "attention_bias", false));
        } else if (kind == 'E') {
            nemotron_moe(b, c, l, h);
        } else if (kind == '-') {
            hwl_hb_linear(b, "up_proj", HWL_ROLE_FFN_UP, s->d_ff, h, bias);
            hwl_hb_linear(b, "down_proj", HWL_ROLE_FFN_DOWN, h, s->d_ff, bias);
            l->feed_forward = HWL_FFN_DENSE;
            l->ffn = (struct hwl_ffn){.d_ff = s->d_ff};
        } else {
            hwl_cfg_bad(c, "mtp_hybrid_override_pattern", "no kind for block %llu", (unsigned long long)j);
            return;
        }
        hwl_hb_pop(b, mark);
    }
    b->layer = -1;
}

void hwl_hf_nemotron_h(struct hwl_hb *b, const struct hwl_config *c)
{
    struct base s;
    const bool told = hwl_cfg_n(c, "mtp_layers_block_type") || *hwl_cfg_str(c, "mtp_hybrid_override_pattern", "");
    if (!start_mtp(b, c, &s, "model.embeddings.weight", told ? hwl_mtp_count(c, NULL, &hwl_mtp_nemotron) : 0))
        return;
    s.attn.head_dim = hwl_cfg_u64(c, "head_dim|attention_head_dim", 128);
    const uint64_t h = s.attn.hidden;
    struct hwl_mamba2 m = {.hidden = h, .norm = true};
    m.heads = hwl_cfg_u64(c, "mamba_num_heads", 128);
    m.head_dim = hwl_cfg_u64(c, "mamba_head_dim", 64);
    m.inner = hwl_hb_mul(b, m.heads, m.head_dim);
    m.state = hwl_cfg_u64(c, "ssm_state_size", 128);
    m.groups = hwl_cfg_u64(c, "n_groups", 8);
    m.conv = hwl_cfg_u64(c, "conv_kernel", 4);
    m.bias = m.out_bias = hwl_cfg_bool(c, "use_bias", false);
    m.conv_bias = hwl_cfg_bool(c, "use_conv_bias", true);
    const bool mlp_bias = hwl_cfg_bool(c, "mlp_bias", false);
    const char *const pattern = hwl_cfg_str(c, "hybrid_override_pattern", "");
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t mark = hwl_hb_push(b, "model.layers.%llu.", (unsigned long long)i);
        struct hwl_layer *const l = &b->m->layers[i];
        const char kind = block_kind(c, pattern, i);
        b->layer = (int32_t)i;
        hwl_hb_norm(b, "norm", HWL_ROLE_ATTN_NORM, h, false);
        (void)hwl_hb_push(b, "mixer.");
        if (kind == 'M') {
            hwl_hf_mamba2_mixer(b, l, &m);
        } else if (kind == '*') {
            attention(b, &s, i, "", hwl_cfg_bool(c, "attention_bias", false));
        } else if (kind == 'E') {
            nemotron_moe(b, c, l, h);
        } else if (kind == '-') {
            hwl_hb_linear(b, "up_proj", HWL_ROLE_FFN_UP, s.d_ff, h, mlp_bias);
            hwl_hb_linear(b, "down_proj", HWL_ROLE_FFN_DOWN, h, s.d_ff, mlp_bias);
            l->feed_forward = HWL_FFN_DENSE;
            l->ffn = (struct hwl_ffn){.d_ff = s.d_ff};
        } else {
            hwl_cfg_bad(c, "hybrid_override_pattern", "no kind for layer %llu", (unsigned long long)i);
            return;
        }
        hwl_hb_pop(b, mark);
    }
    finish(b, c, &s, "model.norm_f", false);
    if (b->m->n_mtp)
        nemotron_mtp(b, c, &s);
}

void hwl_hf_minimax(struct hwl_hb *b, const struct hwl_config *c)
{
    struct base s;
    if (!start(b, c, &s, "model.embed_tokens.weight"))
        return;
    const uint64_t h = s.attn.hidden, q = hwl_hb_mul(b, s.attn.heads, s.attn.head_dim);
    const struct hwl_moe moe = {.n = hwl_cfg_u64(c, "num_local_experts", 8), .used = hwl_cfg_u64(c, "num_experts_per_tok", 2), .d_expert = s.d_ff};
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t mark = hwl_hb_push(b, "model.layers.%llu.", (unsigned long long)i);
        struct hwl_layer *const l = &b->m->layers[i];
        b->layer = (int32_t)i;
        bool linear = i % 2 == 1;
        if (hwl_cfg_n(c, "layer_types"))
            linear = layer_is(c, "layer_types", i, "linear_attention");
        else if (hwl_cfg_n(c, "attn_type_list"))
            linear = hwl_cfg_at_u64(c, "attn_type_list", i, 1) == 0;
        if (linear) {
            hwl_hb_norm(b, "self_attn.norm", HWL_ROLE_SSM_NORM, q, false);
            hwl_hb_linear(b, "self_attn.qkv_proj", HWL_ROLE_SSM_IN, hwl_hb_mul(b, q, 3), h, false);
            hwl_hb_linear(b, "self_attn.out_proj", HWL_ROLE_SSM_OUT, h, q, false);
            hwl_hb_linear(b, "self_attn.output_gate", HWL_ROLE_SSM_GATE, q, h, false);
            l->mixer = HWL_MIXER_LINEAR;
            l->state = (struct hwl_state){.d_inner = q, .d_state = s.attn.head_dim, .n_heads = (uint32_t)s.attn.heads,
                                          .n_k_heads = (uint32_t)s.attn.heads, .head_dim = (uint32_t)s.attn.head_dim,
                                          .head_dim_k = (uint32_t)s.attn.head_dim};
            l->state.ssm_elems = hwl_hb_mul(b, q, s.attn.head_dim);
        } else {
            attention(b, &s, i, "self_attn.", false);
        }
        hwl_hf_experts(b, l, &moe, h);
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, h, false);
        hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_FFN_NORM, h, false);
        hwl_hb_pop(b, mark);
    }
    finish(b, c, &s, "model.norm", false);
}

static void kda(struct hwl_hb *b, const struct hwl_config *c, struct hwl_layer *l, uint64_t h)
{
    const struct hwl_config lin = hwl_cfg_obj(c, "linear_attn_config");
    const uint64_t heads = hwl_cfg_u64(&lin, "num_heads", hwl_cfg_u64(c, "linear_num_heads", 32));
    const uint64_t d = hwl_cfg_u64(&lin, "head_dim", hwl_cfg_u64(c, "linear_head_dim", 128));
    const uint64_t conv = hwl_cfg_u64(&lin, "short_conv_kernel_size", hwl_cfg_u64(c, "linear_conv_kernel_dim", 4)), p = hwl_hb_mul(b, heads, d);
    const size_t mark = hwl_hb_push(b, "self_attn.");
    hwl_hb_linear(b, "q_proj", HWL_ROLE_ATTN_Q, p, h, false);
    hwl_hb_linear(b, "k_proj", HWL_ROLE_ATTN_K, p, h, false);
    hwl_hb_linear(b, "v_proj", HWL_ROLE_ATTN_V, p, h, false);
    hwl_hb_conv1d(b, "conv1d", HWL_ROLE_SSM_CONV, hwl_hb_mul(b, p, 3), 1, conv, false);
    hwl_hb_vec(b, "forget_gate.dt_bias", HWL_ROLE_SSM_DT, p);
    hwl_hb_vec(b, "forget_gate.A_log", HWL_ROLE_SSM_A, heads);
    hwl_hb_linear(b, "forget_gate.f_a_proj", HWL_ROLE_SSM_X, d, h, false);
    hwl_hb_linear(b, "forget_gate.f_b_proj", HWL_ROLE_SSM_X, p, d, false);
    hwl_hb_linear(b, "b_proj", HWL_ROLE_SSM_BETA, heads, h, false);
    hwl_hb_linear(b, "g_a_proj", HWL_ROLE_SSM_GATE, d, h, false);
    hwl_hb_linear(b, "g_b_proj", HWL_ROLE_SSM_GATE, p, d, false);
    hwl_hb_norm(b, "o_norm", HWL_ROLE_SSM_NORM, d, false);
    hwl_hb_linear(b, "o_proj", HWL_ROLE_SSM_OUT, h, p, false);
    hwl_hb_pop(b, mark);
    l->mixer = HWL_MIXER_KDA;
    l->state = (struct hwl_state){.d_conv = (uint32_t)conv, .conv_dim = hwl_hb_mul(b, p, 3), .d_inner = p, .d_state = d, .n_heads = (uint32_t)heads,
                                  .n_k_heads = (uint32_t)heads, .head_dim = (uint32_t)d, .head_dim_k = (uint32_t)d};
    l->state.ssm_elems = hwl_hb_mul(b, p, d);
}

void hwl_hf_kimi_linear(struct hwl_hb *b, const struct hwl_config *c)
{
    struct base s;
    if (!start(b, c, &s, "model.embed_tokens.weight"))
        return;
    const uint64_t h = s.attn.hidden, dense_n = hwl_cfg_u64(c, "first_k_dense_replace", 0);
    struct hwl_moe moe = {.n = hwl_cfg_u64(c, "num_experts|num_local_experts", 0), .score_bias = true};
    moe.used = hwl_cfg_u64(c, "num_experts_per_token|num_experts_per_tok", 8);
    moe.d_expert = hwl_cfg_u64(c, "moe_intermediate_size", 0);
    moe.shared = hwl_cfg_u64(c, "num_shared_experts|n_shared_experts", 1);
    moe.d_shared = hwl_hb_mul(b, moe.shared, moe.d_expert);
    const struct hwl_config lin = hwl_cfg_obj(c, "linear_attn_config");
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t mark = hwl_hb_push(b, "model.layers.%llu.", (unsigned long long)i);
        struct hwl_layer *const l = &b->m->layers[i];
        b->layer = (int32_t)i;
        const bool typed = hwl_cfg_n(c, "layer_types") > 0; /* as transformers writes it; else counted from one */
        if (typed ? layer_is(c, "layer_types", i, "linear_attention") : hwl_cfg_in(&lin, "kda_layers", i + 1))
            kda(b, c, l, h);
        else
            hwl_hf_latent(b, c, l, h);
        if (moe.n && (hwl_cfg_n(c, "mlp_layer_types") ? layer_is(c, "mlp_layer_types", i, "sparse") : i >= dense_n))
            hwl_hf_experts(b, l, &moe, h);
        else
            dense(b, &s, i, "mlp.", false);
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, h, false);
        hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_FFN_NORM, h, false);
        hwl_hb_pop(b, mark);
    }
    finish(b, c, &s, "model.norm", false);
}

/* The feed-forward width of LFM2: two thirds, scaled, rounded up to block_multiple_of. */
static uint64_t lfm2_width(const struct hwl_config *c, uint64_t d_ff)
{
    if (!hwl_cfg_bool(c, "block_auto_adjust_ff_dim", true))
        return d_ff;
    const double scaled = hwl_cfg_real(c, "block_ffn_dim_multiplier", 1.0) * (double)(2 * d_ff / 3);
    const uint64_t to = hwl_max(hwl_cfg_u64(c, "block_multiple_of", 256), 1);
    return hwl_div_ceil((uint64_t)scaled, to) * to;
}

void hwl_hf_lfm2(struct hwl_hb *b, const struct hwl_config *c)
{
    struct base s;
    if (!start(b, c, &s, "model.embed_tokens.weight"))
        return;
    const uint64_t h = s.attn.hidden, cache = hwl_cfg_u64(c, "conv_L_cache", 3);
    const uint64_t q = hwl_hb_mul(b, s.attn.heads, s.attn.head_dim), kv = hwl_hb_mul(b, s.attn.kv_heads, s.attn.head_dim);
    const bool bias = hwl_cfg_bool(c, "conv_bias", false), is_moe = hwl_cfg_has(c, "moe_intermediate_size");
    const uint64_t experts = hwl_cfg_u64(c, "num_experts", 0), d_expert = hwl_cfg_u64(c, "moe_intermediate_size", 0);
    const uint64_t d_ff = is_moe ? s.d_ff : lfm2_width(c, hwl_cfg_u64(c, "block_ff_dim", s.d_ff));
    const uint64_t dense_n = is_moe ? hwl_cfg_u64(c, "num_dense_layers", 2) : s.n;
    for (uint64_t i = 0; i < s.n; i++) {
        const size_t mark = hwl_hb_push(b, "model.layers.%llu.", (unsigned long long)i);
        struct hwl_layer *const l = &b->m->layers[i];
        b->layer = (int32_t)i;
        const bool full = hwl_cfg_n(c, "layer_types") ? layer_is(c, "layer_types", i, "full_attention")
                          : !hwl_cfg_has(c, "full_attn_idxs") || hwl_cfg_in(c, "full_attn_idxs", i);
        if (full) {
            hwl_hb_linear(b, "self_attn.q_proj", HWL_ROLE_ATTN_Q, q, h, false);
            hwl_hb_linear(b, "self_attn.k_proj", HWL_ROLE_ATTN_K, kv, h, false);
            hwl_hb_linear(b, "self_attn.v_proj", HWL_ROLE_ATTN_V, kv, h, false);
            hwl_hb_linear(b, "self_attn.out_proj", HWL_ROLE_ATTN_OUT, h, q, false);
            hwl_hb_norm(b, "self_attn.q_layernorm", HWL_ROLE_ATTN_Q_NORM, s.attn.head_dim, false);
            hwl_hb_norm(b, "self_attn.k_layernorm", HWL_ROLE_ATTN_K_NORM, s.attn.head_dim, false);
            hwl_hf_attn_fill(b, i, s.attn, 0);
        } else {
            hwl_hb_conv1d(b, "conv.conv", HWL_ROLE_SHORT_CONV, h, 1, cache, bias);
            hwl_hb_linear(b, "conv.in_proj", HWL_ROLE_SHORT_CONV, hwl_hb_mul(b, h, 3), h, bias);
            hwl_hb_linear(b, "conv.out_proj", HWL_ROLE_SHORT_CONV, h, h, bias);
            l->mixer = HWL_MIXER_SHORT_CONV;
            l->state = (struct hwl_state){.d_conv = (uint32_t)cache, .conv_dim = h};
        }
        if (i < dense_n) {
            hwl_hb_linear(b, "feed_forward.w1", HWL_ROLE_FFN_GATE, d_ff, h, false);
            hwl_hb_linear(b, "feed_forward.w3", HWL_ROLE_FFN_UP, d_ff, h, false);
            hwl_hb_linear(b, "feed_forward.w2", HWL_ROLE_FFN_DOWN, h, d_ff, false);
            l->feed_forward = HWL_FFN_DENSE;
            l->ffn = (struct hwl_ffn){.d_ff = d_ff, .gated = true};
        } else {
            hwl_hb_linear(b, "feed_forward.gate", HWL_ROLE_ROUTER, experts, h, false);
            if (hwl_cfg_bool(c, "use_expert_bias", true))
                hwl_hb_buffer(b, "feed_forward.expert_bias", HWL_ROLE_ROUTER_BIAS, experts);
            hwl_hb_experts(b, "feed_forward.experts.*.w1", HWL_ROLE_EXP_GATE, experts, d_expert, h, false);
            hwl_hb_experts(b, "feed_forward.experts.*.w3", HWL_ROLE_EXP_UP, experts, d_expert, h, false);
            hwl_hb_experts(b, "feed_forward.experts.*.w2", HWL_ROLE_EXP_DOWN, experts, h, d_expert, false);
            l->feed_forward = HWL_FFN_MOE;
            l->ffn = (struct hwl_ffn){.n_experts = (uint32_t)experts, .n_experts_used = (uint32_t)hwl_cfg_u64(c, "num_experts_per_tok", 4),
                                      .d_expert = d_expert, .gated = true};
        }
        hwl_hb_norm(b, "operator_norm", HWL_ROLE_ATTN_NORM, h, false);
        hwl_hb_norm(b, "ffn_norm", HWL_ROLE_FFN_NORM, h, false);
        hwl_hb_pop(b, mark);
    }
    finish(b, c, &s, "model.embedding_norm", true);
}
