/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of text decoders with experts or latent attention. Facts from the modelling code of transformers 5.24 and the
 * checkpoints' own config files. */
#include "arch/hf_text.h"

#include <string.h>

#define ATTN_BIAS .q_bias = "attention_bias=0", .o_bias = "attention_bias=0"
#define MIXTRAL_NAMES                                                                                                            \
    .has_moe = true, .experts = "block_sparse_moe.experts", .router = "block_sparse_moe.gate", .e_gate = "w1", .e_down = "w2", .e_up = "w3"

static const struct hwl_text_row mixtral = {MIXTRAL_NAMES, .slide = HWL_SLIDE_ALL};
static const struct hwl_text_row minimax_m2 = {MIXTRAL_NAMES, .qk = HWL_QK_FULL, .qk_flag = "use_qk_norm=1",
                                               .correction = "use_routing_bias=1"};
static const struct hwl_text_row phimoe = {MIXTRAL_NAMES, ATTN_BIAS, .norm = HWL_LN, .head_bias = "lm_head_bias=0", .slide = HWL_SLIDE_ALL};

static void qwen2_shared(struct hwl_text *t)
{
    t->n_shared = 1;
    t->d_shared = hwl_b_u64(t->b, "shared_expert_intermediate_size", 0);
}
static const struct hwl_text_row qwen2_moe = {.q_bias = "qkv_bias=1", .has_moe = true, .shared = "mlp.shared_expert", .shared_gate = "1",
                                              .slide = HWL_SLIDE_QWEN, .adjust = qwen2_shared};
static const struct hwl_text_row qwen3_moe = {ATTN_BIAS, .head_floor = true, .qk = HWL_QK_HEAD, .has_moe = true, .slide = HWL_SLIDE_QWEN};
static const struct hwl_text_row olmoe = {ATTN_BIAS, .qk = HWL_QK_FULL, .has_moe = true};
static const struct hwl_text_row flex_olmo = {ATTN_BIAS, .place = HWL_POST, .qk = HWL_QK_FULL, .has_moe = true};
static const struct hwl_text_row gpt_oss = {.q_bias = "attention_bias=1", .o_bias = "attention_bias=1", .has_moe = true,
                                            .moe = HWL_MOE_GPT_OSS, .router = "mlp.router", .router_bias = "1", .sinks = true,
                                            .slide = HWL_SLIDE_EVEN};
static const struct hwl_text_row deepseek = {ATTN_BIAS, .has_moe = true};
static const struct hwl_text_row deepseek_v2 = {ATTN_BIAS, .mlp_bias = "mlp_bias=0", .mla = "1", .has_moe = true};
static const struct hwl_text_row deepseek_v3 = {ATTN_BIAS, .mla = "1", .has_moe = true, .correction = "1", .mtp = &hwl_mtp_deepseek};
static const struct hwl_text_row deepseek_v32 = {ATTN_BIAS, .mla = "1", .has_moe = true, .correction = "1", .indexer = true, .mtp = &hwl_mtp_deepseek};
static const struct hwl_text_row glm_moe_dsa = {ATTN_BIAS, .mla = "1", .has_moe = true, .correction = "1", .indexer = true, .mtp = &hwl_mtp_shared};
static const struct hwl_text_row glm4_moe = {.head_floor = true, .q_bias = "attention_bias=0", .qk = HWL_QK_HEAD, .qk_flag = "use_qk_norm=0", .has_moe = true,
                                             .correction = "1", .mtp = &hwl_mtp_deepseek};
static const struct hwl_text_row glm4_lite = {ATTN_BIAS, .mla = "1", .has_moe = true, .correction = "1", .dense_first = 1, .mtp = &hwl_mtp_deepseek};
static const struct hwl_text_row dots1 = {ATTN_BIAS, .qk = HWL_QK_HEAD, .has_moe = true, .correction = "1"};

static void granite_shared_mlp(struct hwl_text *t, int32_t l)
{
    const uint64_t d = hwl_b_u64(t->b, "shared_intermediate_size", 0);
    if (!d)
        return;
    (void)hwl_emit(t->b, HWL_ROLE_SHEXP_GATE_UP, l, 2 * d, t->hidden, "model.layers.%d.shared_mlp.input_linear.weight", (int)l);
    (void)hwl_emit(t->b, HWL_ROLE_SHEXP_DOWN, l, t->hidden, d, "model.layers.%d.shared_mlp.output_linear.weight", (int)l);
}
static const struct hwl_text_row granitemoe = {ATTN_BIAS, .has_moe = true, .moe = HWL_MOE_GRANITE, .experts = "block_sparse_moe",
                                               .router = "block_sparse_moe.router.layer",
                                               .layer_extra = granite_shared_mlp};
static const struct hwl_text_row bailing = {
    .embed = "model.word_embeddings", .qkv = "attention.query_key_value", .o = "attention.dense", .q_bias = "use_qkv_bias=0",
    .o_bias = "use_bias=0", .has_moe = true, .qk = HWL_QK_HEAD, .qk_flag = "use_qk_norm=0", .q_norm = "attention.query_layernorm",
    .k_norm = "attention.key_layernorm", .correction = "moe_router_enable_expert_bias=0", .mtp = &hwl_mtp_hunyuan};
static const struct hwl_text_row bailing_v2 = {
    .embed = "model.word_embeddings", .qkv = "attention.query_key_value", .o = "attention.dense", .q_bias = "use_qkv_bias=0",
    .o_bias = "use_bias=0", .has_moe = true, .qk = HWL_QK_HEAD, .qk_flag = "use_qk_norm=1", .q_norm = "attention.query_layernorm",
    .k_norm = "attention.key_layernorm", .correction = "moe_router_enable_expert_bias=1", .mtp = &hwl_mtp_hunyuan};

static void hunyuan_shared(struct hwl_text *t)
{
    t->n_shared = hwl_cfg_at_u64(&t->b->cfg, "num_shared_expert", 0, 1);
    t->d_expert = hwl_cfg_at_u64(&t->b->cfg, "moe_intermediate_size", 0, t->d_ff);
    t->d_shared = t->n_shared * t->d_ff;
}
static const struct hwl_text_row hunyuan_moe = {ATTN_BIAS, .qk = HWL_QK_HEAD, .qk_flag = "use_qk_norm=1",
                                                .q_norm = "self_attn.query_layernorm", .k_norm = "self_attn.key_layernorm", .has_moe = true,
                                                .router = "mlp.gate.wg", .shared = "mlp.shared_mlp", .adjust = hunyuan_shared};
static void ernie_statics(struct hwl_text *t, int32_t l)
{
    if (t->moe)
        (void)hwl_emit(t->b, HWL_ROLE_ROUTER_BIAS, l, 1, t->n_experts, "model.layers.%d.mlp.moe_statics.e_score_correction_bias", (int)l);
}
static const struct hwl_text_row ernie_moe = {.head_bias = "use_bias=0", .layer_extra = ernie_statics, .q_bias = "use_bias=0", .o_bias = "use_bias=0", .mlp_bias = "use_bias=0", .has_moe = true, .mtp = &hwl_mtp_ernie};

static const struct hwl_text_row minicpm = {ATTN_BIAS, .has_moe = true, .experts = "mlp.experts", .e_gate = "w1", .e_down = "w2",
                                            .e_up = "w3", .tied = "tie_word_embeddings=1"};

static void afmoe_extra(struct hwl_text *t, int32_t l)
{
    hwl_emit_linear(t->b, HWL_ROLE_ATTN_GATE, l, t->heads * t->head_dim, t->hidden, false, "model.layers.%d.self_attn.gate_proj", (int)l);
    if (hwl_text_layer_is_moe(t, (uint64_t)l))
        (void)hwl_emit(t->b, HWL_ROLE_ROUTER_BIAS, l, t->n_experts, 0, "model.layers.%d.mlp.expert_bias", (int)l);
}
static const struct hwl_text_row afmoe = {ATTN_BIAS, .place = HWL_SANDWICH, .n2 = "pre_mlp_layernorm", .n4 = "post_mlp_layernorm", .qk = HWL_QK_HEAD,
                                          .has_moe = true, .router = "mlp.router.gate", .slide = HWL_SLIDE_PATTERN, .pattern = 4,
                                          .layer_extra = afmoe_extra};
static const struct hwl_text_row exaone_moe = {.qk = HWL_QK_HEAD, .has_moe = true, .correction = "1", .dense_first = 1,
                                               .slide = HWL_SLIDE_PATTERN, .pattern = 4, .mtp = &hwl_mtp_fc_dense};
static const struct hwl_text_row solar_open = {.q_bias = "attention_bias=0", .head_floor = true, .has_moe = true, .correction = "1"};
static const struct hwl_text_row cohere2_moe = {ATTN_BIAS, .norm = HWL_LN_NO_BIAS, .place = HWL_PARALLEL, .has_moe = true,
                                                .slide = HWL_SLIDE_PATTERN, .pattern = 4, .tied = "tie_word_embeddings=1"};
static const struct hwl_text_row sarvam_moe = {ATTN_BIAS, .mlp_bias = "mlp_bias=0", .qk = HWL_QK_HEAD, .qk_flag = "use_qk_norm=1",
                                               .has_moe = true, .correction = "1", .dense_first = 1};
static const struct hwl_text_row hy_v3 = {ATTN_BIAS, .mlp_bias = "mlp_bias=0", .qk = HWL_QK_HEAD, .has_moe = true, .correction = "1",
                                          .dense_first = 1, .mtp = &hwl_mtp_hunyuan};

/* Llama 4: the dense layers have a width of their own, the key intermediate_size is the experts'. */
static void llama4(struct hwl_text *t)
{
    t->d_expert = t->d_ff;
    t->n_shared = 1;
    t->d_shared = t->d_ff;
    t->d_ff = hwl_b_u64(t->b, "intermediate_size_mlp", t->d_ff);
}
static void llama4_window(const struct hwl_text *t, struct hwl_layer *layer, uint64_t i)
{
    /* three layers of four attend within chunks; no_rope_layers says which (1: rope and chunk) */
    const struct hwl_config *c = &t->b->cfg;
    const bool chunk = hwl_cfg_n(c, "layer_types")      ? layer->mixer == HWL_MIXER_CHUNKED
                       : hwl_cfg_n(c, "no_rope_layers") ? hwl_cfg_at_u64(c, "no_rope_layers", i, 1) != 0
                                                        : (i + 1) % hwl_b_u64(t->b, "no_rope_layer_interval", 4) != 0;
    layer->mixer = chunk ? HWL_MIXER_CHUNKED : HWL_MIXER_FULL;
    layer->attn.window = chunk ? hwl_b_u64(t->b, "attention_chunk_size", 8192) : 0;
}
static const struct hwl_text_row llama4_text = {
    ATTN_BIAS, .has_moe = true, .moe = HWL_MOE_FUSED, .experts = "feed_forward.experts", .router = "feed_forward.router",
    .shared = "feed_forward.shared_expert", .gate = "feed_forward.gate_proj", .up = "feed_forward.up_proj",
    .down = "feed_forward.down_proj", .adjust = llama4, .describe = llama4_window};

/* MiMo-V2: window layers have heads of their own and sinks. */
static bool mimo_slides(const struct hwl_text *t, uint64_t i)
{
    const struct hwl_config *c = &t->b->cfg;
    if (hwl_cfg_n(c, "layer_types"))
        return strcmp(hwl_cfg_at_str(c, "layer_types", i, ""), "sliding_attention") == 0;
    if (hwl_cfg_n(c, "hybrid_layer_pattern"))
        return hwl_cfg_at_u64(c, "hybrid_layer_pattern", i, 0) == 1;
    return i > 0 && (i + 1) % hwl_b_u64(t->b, "hybrid_block_size", 6) != 0;
}
static void mimo_layer(struct hwl_text *t, uint64_t i)
{
    const bool s = mimo_slides(t, i);
    t->heads = hwl_b_need(t->b, s ? "swa_num_attention_heads|num_attention_heads" : "num_attention_heads");
    const uint64_t kv = hwl_b_need(t->b, "num_key_value_heads");
    t->kv_heads = s ? hwl_b_u64(t->b, "swa_num_key_value_heads", 2 * kv) : kv; /* the class doubles them in window layers */
    t->head_dim = hwl_b_need(t->b, s ? "swa_head_dim|head_dim" : "head_dim");
    t->head_dim_v = hwl_b_u64(t->b, s ? "swa_v_head_dim|v_head_dim" : "v_head_dim", t->head_dim);
    t->r.sinks = hwl_b_bool(t->b, s ? "add_swa_attention_sink_bias" : "add_full_attention_sink_bias", s);
}
static void mimo_window(const struct hwl_text *t, struct hwl_layer *layer, uint64_t i)
{
    const bool s = mimo_slides(t, i);
    layer->mixer = s ? HWL_MIXER_SLIDING : HWL_MIXER_FULL;
    layer->attn.window = s ? t->window : 0;
}
static const struct hwl_text_row mimo_v2 = {.q_bias = "attention_bias=0", .has_moe = true, .correction = "1", .dense_first = 1,
                                            .per_layer = mimo_layer, .describe = mimo_window, .mtp = &hwl_mtp_mimo_v2};

#define TEXT(names, class_names, r) {names, class_names, hwl_text_read, &(r), NULL}
const struct hwl_family hwl_families_moe[] = {
    TEXT("mixtral", "MixtralForCausalLM", mixtral),
    TEXT("minimax_m2", "MiniMaxM2ForCausalLM", minimax_m2),
    TEXT("phimoe", "PhimoeForCausalLM PhiMoEForCausalLM", phimoe),
    TEXT("qwen2_moe", "Qwen2MoeForCausalLM", qwen2_moe),
    TEXT("qwen3_moe qwen3_omni_moe_text", "Qwen3MoeForCausalLM", qwen3_moe),
    TEXT("olmoe", "OlmoeForCausalLM", olmoe),
    TEXT("flex_olmo", "FlexOlmoForCausalLM", flex_olmo),
    TEXT("gpt_oss", "GptOssForCausalLM", gpt_oss),
    TEXT("deepseek", "DeepseekForCausalLM", deepseek),
    TEXT("deepseek_v2 mistral4", "DeepseekV2ForCausalLM", deepseek_v2),
    TEXT("deepseek_v3 kimi_k2 sarvam_mla", "DeepseekV3ForCausalLM", deepseek_v3),
    TEXT("deepseek_v32", "DeepseekV32ForCausalLM", deepseek_v32),
    TEXT("glm_moe_dsa", "GlmMoeDsaForCausalLM", glm_moe_dsa),
    TEXT("glm4_moe_lite", "Glm4MoeLiteForCausalLM", glm4_lite),
    TEXT("deepseek_v4", "DeepseekV4ForCausalLM", hwl_row_deepseek_v4),
    TEXT("youtu", "YoutuForCausalLM", deepseek_v3),
    TEXT("glm4_moe glm4v_moe_text", "Glm4MoeForCausalLM", glm4_moe),
    TEXT("dots1", "Dots1ForCausalLM", dots1),
    TEXT("granitemoe granitemoeshared", "GraniteMoeForCausalLM GraniteMoeSharedForCausalLM", granitemoe),
    TEXT("bailing_moe", "BailingMoeForCausalLM", bailing),
    TEXT("bailing_moe_v2", "BailingMoeV2ForCausalLM", bailing_v2),
    TEXT("hunyuan_v1_moe hunyuan", "HunYuanMoEV1ForCausalLM HunYuanForCausalLM", hunyuan_moe),
    TEXT("ernie4_5_moe", "Ernie4_5_MoeForCausalLM", ernie_moe),
    TEXT("afmoe", "AfmoeForCausalLM", afmoe),
    TEXT("exaone_moe", "ExaoneMoeForCausalLM", exaone_moe),
    TEXT("solar_open", "SolarOpenForCausalLM", solar_open),
    TEXT("cohere2_moe", "Cohere2MoeForCausalLM", cohere2_moe),
    TEXT("hy_v3", "HYV3ForCausalLM", hy_v3),
    TEXT("sarvam_moe", "SarvamMoeForCausalLM", sarvam_moe),
    TEXT("mellum", "MellumForCausalLM", qwen3_moe),
    TEXT("llama4_text", "Llama4ForCausalLM", llama4_text),
    TEXT("mimo_v2_flash", "MiMoV2FlashForCausalLM", mimo_v2),
    TEXT("minicpm", "MiniCPMForCausalLM", minicpm),
    {NULL, NULL, NULL, NULL, NULL},
};
