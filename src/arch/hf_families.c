/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of text decoders. Facts from the modelling code of transformers 5.24 and the checkpoints' own config files. */
#include "arch/hf_text.h"

#include "base/bytes.h"

#include <string.h>

#define ATTN_BIAS .q_bias = "attention_bias=0", .o_bias = "attention_bias=0"
#define ALL_BIAS .q_bias = "1", .o_bias = "1", .mlp_bias = "1"
#define H4 "mlp.dense_h_to_4h"
#define H1 "mlp.dense_4h_to_h"

static void four_times(struct hwl_text *t)
{
    if (!t->d_ff)
        t->d_ff = 4 * t->hidden;
}

static void one_key(struct hwl_text *t)
{
    if (hwl_b_bool(t->b, "multi_query", true))
        t->kv_heads = 1;
    four_times(t);
}

static const struct hwl_text_row llama = {ATTN_BIAS, .mlp_bias = "mlp_bias=0"};
static const struct hwl_text_row plain = {.slide = HWL_SLIDE_ALL};
static const struct hwl_text_row helium = {.q_bias = "attention_bias=0", .mlp_bias = "mlp_bias=0", .o_square = true};
static const struct hwl_text_row internlm = {.q_bias = "bias=1", .o_bias = "bias=1"};
static const struct hwl_text_row internlm3 = {.q_bias = "qkv_bias=0", .o_bias = "bias=0", .mlp_bias = "bias=0"};
static const struct hwl_text_row ernie = {.q_bias = "use_bias=0", .o_bias = "use_bias=0", .mlp_bias = "use_bias=0"};
static const struct hwl_text_row qwen2 = {.q_bias = "1", .slide = HWL_SLIDE_QWEN};
static const struct hwl_text_row mimo = {.q_bias = "1", .slide = HWL_SLIDE_QWEN, .mtp = &hwl_mtp_mimo};
static const struct hwl_text_row qwen3 = {ATTN_BIAS, .qk = HWL_QK_HEAD, .slide = HWL_SLIDE_QWEN};
static const struct hwl_text_row seed_oss = {.q_bias = "attention_bias=1", .o_bias = "attention_out_bias=0", .mlp_bias = "mlp_bias=0"};
static const struct hwl_text_row phi3 = {.qkv = "self_attn.qkv_proj", .gate_up = "mlp.gate_up_proj", .slide = HWL_SLIDE_ALL};
static const struct hwl_text_row gemma = {ATTN_BIAS, .tied = "tie_word_embeddings=1"};
static const struct hwl_text_row gemma2 = {ATTN_BIAS, .place = HWL_SANDWICH, .slide = HWL_SLIDE_EVEN, .tied = "tie_word_embeddings=1"};
static const struct hwl_text_row gemma3 = {
    ATTN_BIAS, .place = HWL_SANDWICH, .qk = HWL_QK_HEAD, .slide = HWL_SLIDE_PATTERN, .pattern = 6, .tied = "tie_word_embeddings=1"};
static const struct hwl_text_row vaultgemma = {
    ATTN_BIAS, .n2 = "pre_feedforward_layernorm", .slide = HWL_SLIDE_EVEN, .tied = "tie_word_embeddings=1"};
static const struct hwl_text_row cohere = {ATTN_BIAS, .norm = HWL_LN_NO_BIAS, .place = HWL_PARALLEL, .qk = HWL_QK_HEADS,
                                           .qk_flag = "use_qk_norm=0", .tied = "tie_word_embeddings=1"};
static const struct hwl_text_row cohere2 = {ATTN_BIAS, .norm = HWL_LN_NO_BIAS, .place = HWL_PARALLEL, .slide = HWL_SLIDE_PATTERN,
                                            .pattern = 4, .tied = "tie_word_embeddings=1"};
static const struct hwl_text_row olmo = {ATTN_BIAS, .norm = HWL_NO_NORM};
static const struct hwl_text_row olmo2 = {ATTN_BIAS, .place = HWL_POST, .qk = HWL_QK_FULL, .slide = HWL_SLIDE_PATTERN, .pattern = 4};
static const struct hwl_text_row exaone4 = {.place = HWL_POST, .qk = HWL_QK_HEAD, .slide = HWL_SLIDE_PATTERN, .pattern = 4, .mtp = &hwl_mtp_fc};
static const struct hwl_text_row exaone = {.stack = "transformer.h", .embed = "transformer.wte", .final_norm = "transformer.ln_f",
                                           .n1 = "ln_1", .n2 = "ln_2", .q = "attn.attention.q_proj", .k = "attn.attention.k_proj",
                                           .v = "attn.attention.v_proj", .o = "attn.attention.out_proj", .gate = "mlp.c_fc_0",
                                           .up = "mlp.c_fc_1", .down = "mlp.c_proj"};
static const struct hwl_text_row nemotron = {ATTN_BIAS, .mlp_bias = "mlp_bias=0", .norm = HWL_LN, .ungated = "1"};
static const struct hwl_text_row arcee = {ATTN_BIAS, .mlp_bias = "mlp_bias=0", .ungated = "1"};
static void xielu(struct hwl_text *t, int32_t l)
{
    (void)hwl_emit(t->b, HWL_ROLE_OTHER, l, 1, 0, "model.layers.%d.mlp.act_fn.alpha_p", (int)l);
    (void)hwl_emit(t->b, HWL_ROLE_OTHER, l, 1, 0, "model.layers.%d.mlp.act_fn.alpha_n", (int)l);
}
static const struct hwl_text_row apertus = {ATTN_BIAS, .layer_extra = xielu, .n1 = "attention_layernorm", .n2 = "feedforward_layernorm", .qk = HWL_QK_HEAD,
                                            .ungated = "1"};
static const struct hwl_text_row glm = {.q_bias = "attention_bias=0", .gate_up = "mlp.gate_up_proj"};
static const struct hwl_text_row glm4 = {.q_bias = "attention_bias=0", .gate_up = "mlp.gate_up_proj", .place = HWL_SANDWICH,
                                         .n2 = "post_attention_layernorm", .n3 = "post_self_attn_layernorm", .n4 = "post_mlp_layernorm", .mtp = &hwl_mtp_deepseek};
static const struct hwl_text_row glm4v = {.q_bias = "1", .gate_up = "mlp.gate_up_proj", .place = HWL_SANDWICH,
                                          .n2 = "post_attention_layernorm", .n3 = "post_self_attn_layernorm", .n4 = "post_mlp_layernorm"};
static const struct hwl_text_row baichuan = {.qkv = "self_attn.W_pack"};
static const struct hwl_text_row internlm2 = {.embed = "model.tok_embeddings", .head = "output", .qkv = "attention.wqkv", .o = "attention.wo",
                                              .gate = "feed_forward.w1", .up = "feed_forward.w3", .down = "feed_forward.w2",
                                              .n1 = "attention_norm", .n2 = "ffn_norm", .q_bias = "bias=0", .o_bias = "bias=0"};
static const struct hwl_text_row hunyuan = {ATTN_BIAS, .qk = HWL_QK_HEAD, .qk_flag = "use_qk_norm=1", .q_norm = "self_attn.query_layernorm",
                                            .k_norm = "self_attn.key_layernorm"};

static void qwen1_width(struct hwl_text *t)
{
    t->d_ff /= 2; /* the key holds both halves of the gated feed-forward */
}
static const struct hwl_text_row qwen1 = {.stack = "transformer.h", .embed = "transformer.wte", .final_norm = "transformer.ln_f",
                                          .qkv = "attn.c_attn", .o = "attn.c_proj", .gate = "mlp.w1", .up = "mlp.w2", .down = "mlp.c_proj",
                                          .n1 = "ln_1", .n2 = "ln_2", .q_bias = "1", .adjust = qwen1_width};

static void chatglm_heads(struct hwl_text *t)
{
    if (!hwl_b_bool(t->b, "multi_query_attention", false))
        t->kv_heads = t->heads;
}
static const struct hwl_text_row chatglm = {
    .stack = "transformer.encoder.layers", .embed = "transformer.embedding.word_embeddings",
    .final_norm = "transformer.encoder.final_layernorm", .head = "transformer.output_layer", .qkv = "self_attention.query_key_value",
    .o = "self_attention.dense", .gate_up = H4, .down = H1, .q_bias = "add_qkv_bias|add_bias_linear=0", .o_bias = "add_bias_linear=0",
    .mlp_bias = "add_bias_linear=0", .adjust = chatglm_heads};

#define GPT2_NAMES                                                                                                               \
    .stack = "transformer.h", .embed = "transformer.wte", .pos = "transformer.wpe", .final_norm = "transformer.ln_f", .n1 = "ln_1", \
    .n2 = "ln_2", .up = "mlp.c_fc", .down = "mlp.c_proj", .ungated = "1", .norm = HWL_LN, .tied = "tie_word_embeddings=1"
static const struct hwl_text_row gpt2 = {GPT2_NAMES, ALL_BIAS, .qkv = "attn.c_attn", .o = "attn.c_proj", .conv1d = true,
                                         .adjust = four_times};
static const struct hwl_text_row gpt_bigcode = {GPT2_NAMES, ALL_BIAS, .qkv = "attn.c_attn", .o = "attn.c_proj", .adjust = one_key};
static const struct hwl_text_row gpt_neo = {GPT2_NAMES, .q = "attn.attention.q_proj", .k = "attn.attention.k_proj",
                                            .v = "attn.attention.v_proj", .o = "attn.attention.out_proj", .o_bias = "1", .mlp_bias = "1",
                                            .dense_width = "intermediate_size", .adjust = four_times};
#define GPTJ_NAMES                                                                                                               \
    .stack = "transformer.h", .embed = "transformer.wte", .final_norm = "transformer.ln_f", .n1 = "ln_1", .o = "attn.out_proj",   \
    .up = "mlp.fc_in", .down = "mlp.fc_out", .mlp_bias = "1", .ungated = "1", .norm = HWL_LN, .place = HWL_PARALLEL,              \
    .head_bias = "1", .adjust = four_times
static const struct hwl_text_row gptj = {GPTJ_NAMES, .q = "attn.q_proj", .k = "attn.k_proj", .v = "attn.v_proj"};
static const struct hwl_text_row codegen = {GPTJ_NAMES, .qkv = "attn.qkv_proj"};
static const struct hwl_text_row gpt_neox = {
    .stack = "gpt_neox.layers", .embed = "gpt_neox.embed_in", .final_norm = "gpt_neox.final_layer_norm", .head = "embed_out",
    .qkv = "attention.query_key_value", .o = "attention.dense", .up = H4, .down = H1, .q_bias = "attention_bias=1",
    .o_bias = "attention_bias=1", .mlp_bias = "1", .ungated = "1", .norm = HWL_LN};
static const struct hwl_text_row bloom = {
    .stack = "transformer.h", .embed = "transformer.word_embeddings", .embed_norm = "transformer.word_embeddings_layernorm",
    .final_norm = "transformer.ln_f", .qkv = "self_attention.query_key_value", .o = "self_attention.dense", .up = H4, .down = H1, ALL_BIAS,
    .ungated = "1", .norm = HWL_LN, .tied = "tie_word_embeddings=1", .adjust = four_times};

static void falcon_heads(struct hwl_text *t)
{
    const struct hwl_build *b = t->b;
    const bool is_new = hwl_b_bool(b, "new_decoder_architecture", false) || (!hwl_cfg_has(&b->cfg, "new_decoder_architecture") && hwl_cfg_has(&b->cfg, "n_head_kv"));
    if (!is_new)
        t->kv_heads = hwl_b_bool(b, "multi_query", true) ? 1 : t->heads;
    const bool parallel = hwl_b_bool(b, "parallel_attn", true);
    const bool two = is_new && hwl_b_u64(b, "num_ln_in_parallel_attn", 2) == 2;
    t->r.place = !parallel ? HWL_PRE : two ? HWL_PARALLEL_TWO : HWL_PARALLEL;
    if (two && parallel) {
        t->r.n1 = "ln_attn";
        t->r.n2 = "ln_mlp";
    }
    four_times(t);
}
#define FALCON                                                                                                                   \
    .stack = "transformer.h", .embed = "transformer.word_embeddings", .final_norm = "transformer.ln_f",                           \
    .qkv = "self_attention.query_key_value", .o = "self_attention.dense", .up = H4, .down = H1, .q_bias = "bias=0",               \
    .o_bias = "bias=0", .mlp_bias = "bias=0", .ungated = "1", .norm = HWL_LN, .adjust = falcon_heads
static const struct hwl_text_row falcon = {FALCON, .tied = "tie_word_embeddings=1"};
static const struct hwl_text_row refined_web = {FALCON}; /* the first Falcon files store the output matrix apart */

static void mpt_width(struct hwl_text *t)
{
    const uint64_t ratio = hwl_b_u64(t->b, "expansion_ratio", 4);
    if (ratio > 1024)
        hwl_cfg_bad(&t->b->cfg, "expansion_ratio", "absurd");
    t->d_ff = t->hidden * hwl_min(ratio, 1024);
}
static const struct hwl_text_row mpt = {.stack = "transformer.blocks", .embed = "transformer.wte", .final_norm = "transformer.norm_f",
                                        .n1 = "norm_1", .n2 = "norm_2", .qkv = "attn.Wqkv", .o = "attn.out_proj", .up = "ffn.up_proj",
                                        .down = "ffn.down_proj", .ungated = "1", .norm = HWL_LN_NO_BIAS, .tied = "tie_word_embeddings=1",
                                        .adjust = mpt_width};

static uint64_t opt_width(const struct hwl_text *t)
{
    return hwl_b_u64(t->b, "word_embed_proj_dim", t->hidden);
}
static void opt_norm(struct hwl_text *t)
{
    t->r.no_final_norm = !hwl_b_bool(t->b, "do_layer_norm_before", true);
    if (!hwl_b_bool(t->b, "layer_norm_elementwise_affine", true))
        t->r.norm = HWL_NO_NORM;
    t->embed_width = hwl_cfg_has(&t->b->cfg, "word_embed_proj_dim") ? opt_width(t) : t->hidden;
}
static void opt_extra(struct hwl_text *t)
{
    if (t->embed_width == t->hidden)
        return;
    (void)hwl_emit(t->b, HWL_ROLE_EMBD_PROJ, -1, t->embed_width, t->hidden, "model.decoder.project_out.weight");
    (void)hwl_emit(t->b, HWL_ROLE_EMBD_PROJ, -1, t->hidden, t->embed_width, "model.decoder.project_in.weight");
}
static const struct hwl_text_row opt = {
    .stack = "model.decoder.layers", .embed = "model.decoder.embed_tokens", .pos = "model.decoder.embed_positions", .pos_extra = 2,
    .final_norm = "model.decoder.final_layer_norm", .n1 = "self_attn_layer_norm", .n2 = "final_layer_norm", .o = "self_attn.out_proj",
    .up = "fc1", .down = "fc2", .q_bias = "enable_bias=1", .o_bias = "enable_bias=1", .mlp_bias = "enable_bias=1", .ungated = "1",
    .norm = HWL_LN, .tied = "tie_word_embeddings=1", .adjust = opt_norm, .extra = opt_extra};

#define PHI_LIKE ALL_BIAS, .ungated = "1", .norm = HWL_LN, .place = HWL_PARALLEL, .head_bias = "1", .adjust = four_times
static const struct hwl_text_row phi = {.o = "self_attn.dense", .up = "mlp.fc1", .down = "mlp.fc2", .final_norm = "model.final_layernorm",
                                        .qk = HWL_QK_HEAD, .qk_flag = "qk_layernorm=0", .q_norm = "self_attn.q_layernorm",
                                        .k_norm = "self_attn.k_layernorm", PHI_LIKE};
static const struct hwl_text_row phi_msft = {.stack = "transformer.h", .embed = "transformer.embd.wte", .final_norm = "lm_head.ln",
                                             .head = "lm_head.linear", .n1 = "ln", .qkv = "mixer.Wqkv", .o = "mixer.out_proj",
                                             .up = "mlp.fc1", .down = "mlp.fc2", PHI_LIKE};
static const struct hwl_text_row starcoder2 = {.up = "mlp.c_fc", .down = "mlp.c_proj", .q_bias = "use_bias=1", .o_bias = "use_bias=1",
                                               .mlp_bias = "use_bias=1", .ungated = "1", .norm = HWL_LN, .slide = HWL_SLIDE_ALL,
                                               .tied = "tie_word_embeddings=1"};

static void stablelm_norms(struct hwl_text *t)
{
    if (hwl_b_bool(t->b, "use_parallel_residual", false))
        t->r.place = HWL_PARALLEL;
}
static void stablelm_heads(struct hwl_text *t, int32_t l)
{
    if (!hwl_b_bool(t->b, "qk_layernorm", false))
        return;
    (void)hwl_emit_n(t->b, HWL_ROLE_ATTN_Q_NORM, l, t->heads, t->head_dim, 0, "model.layers.%d.self_attn.q_layernorm.norms.*.weight", (int)l);
    (void)hwl_emit_n(t->b, HWL_ROLE_ATTN_K_NORM, l, t->kv_heads, t->head_dim, 0, "model.layers.%d.self_attn.k_layernorm.norms.*.weight",
                     (int)l);
}
static const struct hwl_text_row stablelm = {.q_bias = "use_qkv_bias=0", .norm = HWL_LN, .adjust = stablelm_norms,
                                             .layer_extra = stablelm_heads};
static const struct hwl_text_row persimmon = {.qkv = "self_attn.query_key_value", .o = "self_attn.dense", .up = H4, .down = H1, ALL_BIAS,
                                              .qk = HWL_QK_HEAD, .qk_flag = "qk_layernorm=1", .q_norm = "self_attn.q_layernorm",
                                              .k_norm = "self_attn.k_layernorm", .ungated = "1", .norm = HWL_LN,
                                              .final_norm = "model.final_layernorm"};
static void bitnet_norms(struct hwl_text *t, int32_t l)
{
    hwl_text_norm(t, HWL_ROLE_ATTN_SUB_NORM, l, t->heads * t->head_dim, "self_attn.attn_sub_norm");
    hwl_text_norm(t, HWL_ROLE_FFN_SUB_NORM, l, t->d_ff, "mlp.ffn_sub_norm");
}
static const struct hwl_text_row bitnet = {ATTN_BIAS, .layer_extra = bitnet_norms};

static void llada_width(struct hwl_text *t)
{
    t->d_ff = hwl_b_u64(t->b, "mlp_hidden_size", 4 * t->hidden);
    t->vocab = hwl_b_u64(t->b, "embedding_size|vocab_size", t->vocab);
    t->tied = hwl_b_bool(t->b, "weight_tying", false);
}
static const struct hwl_text_row llada = {.stack = "model.transformer.blocks", .embed = "model.transformer.wte",
                                          .final_norm = "model.transformer.ln_f", .head = "model.transformer.ff_out", .q = "q_proj",
                                          .k = "k_proj", .v = "v_proj", .o = "attn_out", .gate = "ff_proj", .up = "up_proj",
                                          .down = "ff_out", .n1 = "attn_norm", .n2 = "ff_norm",
                                          .q_bias = "include_qkv_bias|include_bias=0", .o_bias = "include_bias=0",
                                          .mlp_bias = "include_bias=0", .adjust = llada_width};
/* ERNIE 4.5 dense and others whose flags differ from Llama's only */
static const struct hwl_text_row minicpm3 = {.mla = "1", ATTN_BIAS, .mlp_bias = "mlp_bias=0",
                                             .tied = "tie_word_embeddings=1"};

static const struct hwl_text_row pangu = {.q_bias = "bias|attention_bias=0", .o_bias = "bias|attention_bias=0", .mlp_bias = "mlp_bias=0"};
static const struct hwl_text_row orion = {.norm = HWL_LN};
static const struct hwl_text_row granite_swa = {ATTN_BIAS, .mlp_bias = "mlp_bias=0", .sinks = true, .slide = HWL_SLIDE_EVEN};
static const struct hwl_text_row nanochat = {ATTN_BIAS, .norm = HWL_NO_NORM, .ungated = "1", .up = "mlp.fc1", .down = "mlp.fc2"};
static const struct hwl_text_row jais2 = {.q_bias = "attention_bias=1", .o_bias = "attention_bias=1", .mlp_bias = "mlp_bias=1",
                                          .ungated = "1", .norm = HWL_LN};
static const struct hwl_text_row openai_gpt = {.stack = "transformer.h", .embed = "transformer.tokens_embed",
                                               .pos = "transformer.positions_embed", .n1 = "ln_1", .n2 = "ln_2", .qkv = "attn.c_attn",
                                               .o = "attn.c_proj", .up = "mlp.c_fc", .down = "mlp.c_proj", ALL_BIAS, .ungated = "1",
                                               .norm = HWL_LN, .tied = "tie_word_embeddings=1", .conv1d = true, .no_final_norm = true,
                                               .adjust = four_times};
static const struct hwl_text_row biogpt = {.stack = "biogpt.layers", .embed = "biogpt.embed_tokens", .pos = "biogpt.embed_positions",
                                           .pos_extra = 2, .final_norm = "biogpt.layer_norm", .head = "output_projection",
                                           .n1 = "self_attn_layer_norm", .n2 = "final_layer_norm", .o = "self_attn.out_proj", .up = "fc1",
                                           .down = "fc2", ALL_BIAS, .ungated = "1", .norm = HWL_LN, .tied = "tie_word_embeddings=1"};
static const struct hwl_text_row xglm = {.final_norm = "model.layer_norm", .n1 = "self_attn_layer_norm", .n2 = "final_layer_norm",
                                         .o = "self_attn.out_proj", .up = "fc1", .down = "fc2", ALL_BIAS, .ungated = "1", .norm = HWL_LN,
                                         .tied = "tie_word_embeddings=1"};
static void hyperclovax_norms(struct hwl_text *t, int32_t l)
{
    if (!hwl_b_bool(t->b, "use_post_norm", true))
        return;
    hwl_text_norm(t, HWL_ROLE_ATTN_POST_NORM, l, t->hidden, "post_norm1");
    hwl_text_norm(t, HWL_ROLE_FFN_POST_NORM, l, t->hidden, "post_norm2");
}
static const struct hwl_text_row hyperclovax = {ATTN_BIAS, .mlp_bias = "mlp_bias=0", .layer_extra = hyperclovax_norms};

#define TEXT(names, class_names, r) {names, class_names, hwl_text_read, &(r), NULL}
const struct hwl_family hwl_family_generic = {"", NULL, hwl_text_read, &llama, NULL};

const struct hwl_family hwl_families_text[] = {
    TEXT("llama granite smollm3 xverse yi Yi aquila cwm skywork solar telechat3",
         "LlamaForCausalLM LLaMAForCausalLM AquilaForCausalLM GraniteForCausalLM SkyworkForCausalLM SmolLM3ForCausalLM SolarForCausalLM "
         "TeleChat3ForCausalLM XverseForCausalLM CwmForCausalLM",
         llama),
    TEXT("mistral ministral ministral3", "MistralForCausalLM Ministral3ForCausalLM", plain),
    {"mistral3", "Mistral3ForConditionalGeneration", hwl_mistral3_read, NULL, NULL},
    TEXT("PanguEmbedded pangu_embedded", "PanguEmbeddedForCausalLM", pangu),
    TEXT("helium", "HeliumForCausalLM", helium),
    TEXT("internlm", "InternLMForCausalLM", internlm),
    TEXT("internlm2", "InternLM2ForCausalLM", internlm2),
    TEXT("internlm3", "InternLM3ForCausalLM", internlm3),
    TEXT("ernie4_5 paddleocr_vl_text", "Ernie4_5ForCausalLM", ernie),
    TEXT("qwen", "QWenLMHeadModel", qwen1),
    TEXT("mimo", "MiMoForCausalLM", mimo),
    TEXT("qwen2 Dream dream qwen2_5_omni_text qwen2_5_vl_text qwen2_vl_text", "Qwen2ForCausalLM DreamModel", qwen2),
    TEXT("qwen3 qwen3_vl_text", "Qwen3ForCausalLM", qwen3),
    TEXT("seed_oss", "SeedOssForCausalLM", seed_oss),
    TEXT("phi", "", phi),
    TEXT("phi-msft", "", phi_msft),
    TEXT("phi3", "Phi3ForCausalLM", phi3),
    TEXT("gemma", "GemmaForCausalLM", gemma),
    TEXT("gemma2", "Gemma2ForCausalLM", gemma2),
    TEXT("gemma3_text", "Gemma3ForCausalLM", gemma3),
    TEXT("vaultgemma", "VaultGemmaForCausalLM", vaultgemma),
    TEXT("cohere", "CohereForCausalLM", cohere),
    TEXT("cohere2", "Cohere2ForCausalLM", cohere2),
    TEXT("olmo", "OlmoForCausalLM", olmo),
    TEXT("olmo2 olmo3", "Olmo2ForCausalLM Olmo3ForCausalLM", olmo2),
    TEXT("exaone", "ExaoneForCausalLM", exaone),
    TEXT("exaone4", "Exaone4ForCausalLM", exaone4),
    TEXT("nemotron", "NemotronForCausalLM", nemotron),
    TEXT("arcee", "ArceeForCausalLM", arcee),
    TEXT("apertus", "ApertusForCausalLM", apertus),
    TEXT("glm", "GlmForCausalLM", glm),
    TEXT("glm4 glm_ocr_text", "Glm4ForCausalLM", glm4),
    TEXT("glm4v_text", NULL, glm4v),
    TEXT("chatglm", "ChatGLMModel ChatGLMForConditionalGeneration", chatglm),
    TEXT("baichuan", "BaichuanForCausalLM BaiChuanForCausalLM", baichuan),
    TEXT("hunyuan_v1_dense", "HunYuanDenseV1ForCausalLM", hunyuan),
    TEXT("gpt2 gpt-sw3", "GPT2LMHeadModel", gpt2),
    TEXT("gpt_bigcode", "GPTBigCodeForCausalLM", gpt_bigcode),
    TEXT("gpt_neo", "GPTNeoForCausalLM", gpt_neo),
    TEXT("gptj", "GPTJForCausalLM", gptj),
    TEXT("codegen", "CodeGenForCausalLM", codegen),
    TEXT("gpt_neox", "GPTNeoXForCausalLM", gpt_neox),
    TEXT("bloom", "BloomForCausalLM", bloom),
    TEXT("falcon", "FalconForCausalLM", falcon),
    TEXT("RefinedWeb RefinedWebModel", "RWForCausalLM", refined_web),
    TEXT("mpt", "MPTForCausalLM MptForCausalLM", mpt),
    TEXT("opt", "OPTForCausalLM", opt),
    TEXT("starcoder2", "Starcoder2ForCausalLM", starcoder2),
    TEXT("stablelm stablelm_epoch", "StableLmForCausalLM StableLMEpochForCausalLM", stablelm),
    TEXT("persimmon", "PersimmonForCausalLM", persimmon),
    TEXT("bitnet", "BitNetForCausalLM", bitnet),
    TEXT("llada", "LLaDAModelLM", llada),
    TEXT("orion", "OrionForCausalLM", orion),
    TEXT("granite_swa", "GraniteSwaForCausalLM", granite_swa),
    TEXT("nanochat", "NanoChatForCausalLM", nanochat),
    TEXT("jais2", "Jais2ForCausalLM", jais2),
    TEXT("openai-gpt", "OpenAIGPTLMHeadModel", openai_gpt),
    TEXT("biogpt", "BioGptForCausalLM", biogpt),
    TEXT("xglm", "XGLMForCausalLM", xglm),
    TEXT("hyperclovax", "HyperCLOVAXForCausalLM", hyperclovax),
    TEXT("iquestcoder", "IQuestCoderForCausalLM", llama),
    TEXT("minicpm3", "MiniCPM3ForCausalLM", minicpm3),
    {NULL, NULL, NULL, NULL, NULL},
};
