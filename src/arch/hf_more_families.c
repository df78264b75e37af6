/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of further text decoders. Facts from the modelling code of transformers 5.24 (DBRX, JetMoE, Doge, DiffLlama, CTRL),
 * from the code that comes with the checkpoints and the name tables of llama.cpp's converter for the others. */
#include "arch/hf_text.h"

#include "base/bytes.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#define ATTN_BIAS .q_bias = "attention_bias=0", .o_bias = "attention_bias=0"
#define ALL_BIAS .q_bias = "1", .o_bias = "1", .mlp_bias = "1"

/* The defaults of the nested configurations are those of DbrxAttentionConfig and DbrxFFNConfig. */
static void dbrx_nested(struct hwl_text *t)
{
    const struct hwl_config *c = &t->b->cfg;
    static const char *const nested[] = {"attn_config", "ffn_config"};
    for (int i = 0; i < 2; i++)
        if (hwl_cfg_has(c, nested[i]) && !yyjson_is_obj(hwl_json_get(c->obj, nested[i])))
            hwl_cfg_bad(c, nested[i], "no object");
    t->kv_heads = hwl_cfg_u64(c, "attn_config.kv_n_heads", 1);
    t->d_ff = t->d_expert = hwl_cfg_u64(c, "ffn_config.ffn_hidden_size", 3584);
    t->n_experts = hwl_cfg_u64(c, "ffn_config.moe_num_experts", 4);
    t->n_used = hwl_cfg_u64(c, "ffn_config.moe_top_k", 1);
}
static const struct hwl_text_row dbrx = {
    .stack = "transformer.blocks", .embed = "transformer.wte", .final_norm = "transformer.norm_f", .n1 = "norm_attn_norm.norm_1",
    .n2 = "norm_attn_norm.norm_2", .qkv = "norm_attn_norm.attn.Wqkv", .o = "norm_attn_norm.attn.out_proj", .norm = HWL_LN_NO_BIAS,
    .has_moe = true, .moe = HWL_MOE_FLAT, .router = "ffn.router.layer", .experts = "ffn.experts.mlp", .e_gate = "w1", .e_up = "v1",
    .e_down = "w2", .adjust = dbrx_nested};

/* Grok-1 as converted for transformers. */
static const struct hwl_text_row grok1 = {
    .place = HWL_SANDWICH, .n1 = "pre_attn_norm", .n3 = "post_attn_norm", .n2 = "pre_moe_norm", .n4 = "post_moe_norm", .q = "attn.q_proj",
    .k = "attn.k_proj", .v = "attn.v_proj", .o = "attn.o_proj", .has_moe = true, .router = "moe_block.gate", .experts = "moe_block.experts",
    .e_gate = "linear", .e_up = "linear_v", .e_down = "linear_1"};

/* Arctic: experts beside a dense residual network as wide as the hidden state. */
static bool arctic_is_moe(const struct hwl_text *t, uint64_t i)
{
    const uint64_t every = hwl_b_u64(t->b, "moe_layer_frequency", 2);
    return every && (i + 1) % every == 0;
}
static bool arctic_has_residual(const struct hwl_text *t, uint64_t i)
{
    return arctic_is_moe(t, i) && hwl_b_bool(t->b, "parallel_attn_mlp_res", false);
}
static void arctic_adjust(struct hwl_text *t)
{
    t->is_moe = arctic_is_moe;
}
static void arctic_describe(const struct hwl_text *t, struct hwl_layer *layer, uint64_t i)
{
    if (arctic_has_residual(t, i))
        layer->ffn.d_ff = t->hidden;
}
static void arctic_residual(struct hwl_text *t, int32_t l)
{
    if (!arctic_has_residual(t, (uint64_t)l))
        return;
    hwl_text_norm(t, HWL_ROLE_FFN_NORM, l, t->hidden, "residual_layernorm");
    hwl_emit_linear(t->b, HWL_ROLE_FFN_GATE, l, t->hidden, t->hidden, false, "%s.%d.residual_mlp.w1", t->r.stack, hwl_text_number(t, l));
    hwl_emit_linear(t->b, HWL_ROLE_FFN_UP, l, t->hidden, t->hidden, false, "%s.%d.residual_mlp.w3", t->r.stack, hwl_text_number(t, l));
    hwl_emit_linear(t->b, HWL_ROLE_FFN_DOWN, l, t->hidden, t->hidden, false, "%s.%d.residual_mlp.w2", t->r.stack, hwl_text_number(t, l));
}
static const struct hwl_text_row arctic = {
    ATTN_BIAS, .has_moe = true, .experts = "block_sparse_moe.experts", .router = "block_sparse_moe.gate", .e_gate = "w1", .e_down = "w2",
    .e_up = "w3", .gate = "block_sparse_moe.mlp.w1", .up = "block_sparse_moe.mlp.w3", .down = "block_sparse_moe.mlp.w2",
    .adjust = arctic_adjust, .describe = arctic_describe, .layer_extra = arctic_residual};

/* SmallThinker: both layouts hold 0 or 1 a layer. */
static bool smallthinker_is_moe(const struct hwl_text *t, uint64_t i)
{
    return hwl_cfg_at_u64(&t->b->cfg, "moe_layer_layout", i, 1) != 0;
}
static void smallthinker_adjust(struct hwl_text *t)
{
    t->is_moe = smallthinker_is_moe;
}
static void smallthinker_window(const struct hwl_text *t, struct hwl_layer *layer, uint64_t i)
{
    const bool slides = t->window && hwl_cfg_at_u64(&t->b->cfg, "sliding_window_layout", i, 0) != 0;
    layer->mixer = slides ? HWL_MIXER_SLIDING : HWL_MIXER_FULL;
    layer->attn.window = slides ? t->window : 0;
}
static const struct hwl_text_row smallthinker = {
    .has_moe = true, .experts = "block_sparse_moe.experts", .router = "block_sparse_moe.primary_router", .e_gate = "gate", .e_up = "up",
    .e_down = "down", .gate = "block_sparse_moe.gate", .up = "block_sparse_moe.up", .down = "block_sparse_moe.down",
    .adjust = smallthinker_adjust, .describe = smallthinker_window};

/* Jais: GPT-2 with a second input matrix for SwiGLU and, with ALiBi, no table of positions. */
static void jais_adjust(struct hwl_text *t)
{
    const struct hwl_config *c = &t->b->cfg;
    t->ungated = strcmp(hwl_cfg_str(c, "activation_function", "gelu"), "swiglu") != 0;
    if (strcmp(hwl_cfg_str(c, "position_embedding_type", "learned"), "learned") != 0)
        t->position_rows = 0;
    if (!t->d_ff)
        t->d_ff = 4 * t->hidden;
}
static const struct hwl_text_row jais = {
    .stack = "transformer.h", .embed = "transformer.wte", .pos = "transformer.wpe", .final_norm = "transformer.ln_f", .n1 = "ln_1",
    .n2 = "ln_2", .qkv = "attn.c_attn", .o = "attn.c_proj", .up = "mlp.c_fc", .gate = "mlp.c_fc2", .down = "mlp.c_proj", ALL_BIAS,
    .norm = HWL_LN, .tied = "tie_word_embeddings=1", .conv1d = true, .adjust = jais_adjust};

/* JetMoE: the query and output projections are experts too, as many a token as in the feed-forward. */
static void jetmoe_heads(struct hwl_text *t)
{
    t->heads = hwl_min(t->kv_heads, UINT32_MAX) * hwl_min(t->n_used, UINT32_MAX);
}
static void routed(struct hwl_text *t, enum hwl_role role, int32_t l, uint64_t out, uint64_t in, const char *name)
{
    const uint64_t dims[3] = {t->n_experts, out, in};
    struct hwl_tensor *e = hwl_emit_dims(t->b, role, l, dims, 3, "%s.%d.self_attention.%s.weight", t->r.stack, hwl_text_number(t, l), name);
    if (e)
        e->routed = true;
}
static void jetmoe_attention(struct hwl_text *t, int32_t l)
{
    const uint64_t kv = t->kv_heads * t->head_dim;
    routed(t, HWL_ROLE_ATTN_Q, l, kv, t->hidden, "experts.input_linear");
    routed(t, HWL_ROLE_ATTN_OUT, l, t->hidden, kv, "experts.output_linear");
    (void)hwl_emit(t->b, HWL_ROLE_ATTN_OUT, l, t->hidden, 0, "%s.%d.self_attention.experts.bias", t->r.stack, hwl_text_number(t, l));
    (void)hwl_emit(t->b, HWL_ROLE_ROUTER, l, t->n_experts, t->hidden, "%s.%d.self_attention.experts.router.layer.weight", t->r.stack,
                   (int)l);
    (void)hwl_emit(t->b, HWL_ROLE_ATTN_QKV, l, 2 * kv, t->hidden, "%s.%d.self_attention.kv_proj.weight", t->r.stack, hwl_text_number(t, l));
}
static void jetmoe_bias(struct hwl_text *t, int32_t l)
{
    (void)hwl_emit(t->b, HWL_ROLE_FFN_DOWN, l, t->hidden, 0, "%s.%d.mlp.bias", t->r.stack, hwl_text_number(t, l));
}
static const struct hwl_text_row jetmoe = {.has_moe = true, .moe = HWL_MOE_GRANITE, .experts = "mlp", .router = "mlp.router.layer",
                                           .tied = "tie_word_embeddings=1", .adjust = jetmoe_heads, .attention = jetmoe_attention,
                                           .layer_extra = jetmoe_bias};

/* Doge: a learned mask in attention, scaled residuals, and where is_moe experts of one row each beside the dense network. */
static uint64_t root(uint64_t n)
{
    uint64_t r = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((r + bit) * (r + bit) <= n)
            r += bit;
    return r;
}
static void doge_extra(struct hwl_text *t, int32_t l)
{
    struct hwl_build *b = t->b;
    const char *s = t->r.stack;
    (void)hwl_emit(b, HWL_ROLE_ATTN_GATE, l, t->kv_heads, 0, "%s.%d.self_attn.A", s, (int)l);
    hwl_emit_linear(b, HWL_ROLE_ATTN_GATE, l, t->kv_heads, t->kv_heads * t->head_dim, t->q_bias, "%s.%d.self_attn.dt_proj", s, (int)l);
    (void)hwl_emit(b, HWL_ROLE_RESIDUAL, l, t->hidden, 0, "%s.%d.input_residual", s, (int)l);
    (void)hwl_emit(b, HWL_ROLE_RESIDUAL, l, t->hidden, 0, "%s.%d.post_attention_residual", s, (int)l);
    const uint64_t n = hwl_b_u32(b, "num_experts", 0);
    if (!hwl_b_bool(b, "is_moe", false) || !n)
        return;
    (void)hwl_emit(b, HWL_ROLE_ROUTER, l, 2 * root(n), t->hidden, "%s.%d.mlp.router_gate.weight", s, (int)l);
    (void)hwl_emit(b, HWL_ROLE_EXP_DOWN, l, n, t->hidden, "%s.%d.mlp.down_embed.weight", s, (int)l);
    (void)hwl_emit(b, HWL_ROLE_EXP_UP, l, n, t->hidden, "%s.%d.mlp.up_embed.weight", s, (int)l);
}
static void doge_experts(const struct hwl_text *t, struct hwl_layer *layer, uint64_t i)
{
    (void)i;
    if (!hwl_b_bool(t->b, "is_moe", false))
        return;
    layer->ffn.n_experts = hwl_b_u32(t->b, "num_experts", 0);
    layer->ffn.n_experts_used = hwl_b_u32(t->b, "num_experts_per_tok", 0);
    layer->ffn.d_expert = 1;
}
static const struct hwl_text_row doge = {ATTN_BIAS, .mlp_bias = "mlp_bias=0", .qk = HWL_QK_HEAD, .describe = doge_experts,
                                         .layer_extra = doge_extra};

static void diffllama_lambdas(struct hwl_text *t, int32_t l)
{
    static const char *const names[] = {"lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"};
    for (int i = 0; i < 4; i++)
        (void)hwl_emit(t->b, HWL_ROLE_ATTN_GATE, l, t->head_dim, 0, "%s.%d.self_attn.%s", t->r.stack, hwl_text_number(t, l), names[i]);
}
static const struct hwl_text_row diffllama = {ATTN_BIAS, .layer_extra = diffllama_lambdas};

static const struct hwl_text_row ctrl = {
    .stack = "transformer.h", .embed = "transformer.w", .final_norm = "transformer.layernorm", .n1 = "layernorm1", .n2 = "layernorm2",
    .q = "multi_head_attention.Wq", .k = "multi_head_attention.Wk", .v = "multi_head_attention.Wv", .o = "multi_head_attention.dense",
    .up = "ffn.0", .down = "ffn.2", .dense_width = "dff", ALL_BIAS, .ungated = "1", .norm = HWL_LN, .head_bias = "1",
    .tied = "tie_word_embeddings=1"};

/* Step 3.5: window layers have heads of their own, every layer a gate on its heads; experts stand in one tensor a matrix.
 * Keys and names are those of the published checkpoints, defaults those of Step3p7TextConfig. */
static bool step_is_moe(const struct hwl_text *t, uint64_t i)
{
    const struct hwl_config *c = &t->b->cfg;
    if (hwl_cfg_n(c, "mlp_layer_types"))
        return strcmp(hwl_cfg_at_str(c, "mlp_layer_types", i, "dense"), "sparse") == 0;
    yyjson_val *v = hwl_json_get(c->obj, "moe_layers_enum");
    if (yyjson_is_arr(v))
        return hwl_cfg_in(c, "moe_layers_enum", i);
    if (!yyjson_is_str(v))
        return i >= 3;
    for (const char *p = yyjson_get_str(v); *p;) { /* "3,4,5" */
        char *end;
        const unsigned long long n = strtoull(p, &end, 10);
        if (end == p)
            break;
        if (n == i)
            return true;
        p = *end == ',' ? end + 1 : end;
    }
    return false;
}
static void step_adjust(struct hwl_text *t)
{
    t->is_moe = step_is_moe;
    t->n_shared = 1;
    t->d_shared = hwl_b_u64(t->b, "share_expert_dim", t->d_expert);
}
static bool step_slides(const struct hwl_text *t, uint64_t i)
{
    return strcmp(hwl_cfg_at_str(&t->b->cfg, "layer_types", i, "full_attention"), "sliding_attention") == 0;
}
static void step_layer(struct hwl_text *t, uint64_t i)
{
    t->heads = hwl_b_need(t->b, "num_attention_heads");
    t->kv_heads = hwl_b_u64(t->b, "num_attention_groups|num_key_value_heads", t->heads);
    if (!step_slides(t, i))
        return;
    t->heads = hwl_cfg_u64(&t->b->cfg, "num_sliding_attention_heads|attention_other_setting.num_attention_heads", t->heads);
    t->kv_heads = hwl_cfg_u64(&t->b->cfg, "attention_other_setting.num_attention_groups", t->kv_heads);
}
static void step_extra(struct hwl_text *t, int32_t l)
{
    if (hwl_b_bool(t->b, "use_head_wise_attn_gate", true))
        hwl_emit_linear(t->b, HWL_ROLE_ATTN_GATE, l, t->heads, t->hidden, false, "%s.%d.self_attn.g_proj", t->r.stack, hwl_text_number(t, l));
    if (!t->moe || !hwl_b_bool(t->b, "use_moe_router_bias", true))
        return;
    struct hwl_tensor *e = hwl_emit(t->b, HWL_ROLE_ROUTER_BIAS, l, t->n_experts, 0, "%s.%d.moe.router_bias", t->r.stack, hwl_text_number(t, l));
    if (e) { /* as with DeepSeek-V3: stored, and no parameter of the class */
        e->buffer = true;
        e->elements = 0;
    }
}
static const struct hwl_text_row step35 = {
    ATTN_BIAS, .mlp_bias = "mlp_bias=0", .qk = HWL_QK_HEAD, .has_moe = true, .moe = HWL_MOE_STACKED, .experts = "moe", .router = "moe.gate",
    .shared = "share_expert", .e_gate = "gate_proj.weight", .e_up = "up_proj.weight", .e_down = "down_proj.weight",
    .adjust = step_adjust, .per_layer = step_layer, .layer_extra = step_extra, .mtp = &hwl_mtp_step};

#define TEXT(names, class_names, r) {names, class_names, hwl_text_read, &(r), NULL}
const struct hwl_family hwl_families_further[] = {
    TEXT("dbrx", "DbrxForCausalLM", dbrx),
    TEXT("grok-1", "Grok1ModelForCausalLM", grok1),
    TEXT("arctic", "ArcticForCausalLM", arctic),
    TEXT("smallthinker", "SmallThinkerForCausalLM SmallthinkerForCausalLM", smallthinker),
    TEXT("jais", "JAISLMHeadModel", jais),
    TEXT("jetmoe", "JetMoeForCausalLM", jetmoe),
    TEXT("doge", "DogeForCausalLM", doge),
    TEXT("diffllama", "DiffLlamaForCausalLM", diffllama),
    TEXT("step3p5", "Step3p5ForCausalLM", step35),
    TEXT("ctrl", "CTRLLMHeadModel", ctrl),
    {NULL, NULL, NULL, NULL, NULL},
};
