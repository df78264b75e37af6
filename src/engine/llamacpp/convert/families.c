/* SPDX-License-Identifier: Apache-2.0 */
/* Families that llama.cpp's converter knows: their name there and where they depart from the common names and metadata.
 * Facts from llama.cpp 0c1e57098: conversion/ (classes, modify_tensors, set_gguf_parameters), src/models (load_arch_tensors). */
#include "engine/llamacpp/convert/family.h"

#define HD LC_HEAD_DIM
#define LN LC_LAYER_NORM
#define EX LC_EXPERTS_KEYS
#define NX LC_NEXTN
#define MLA_EX (LC_MLA | EX | LC_LEADING_DENSE)
#define POST_NORM "ffn_norm=post_attention_norm"
#define MAMBA2 "ssm_a=ssm_a:column ssm_d=ssm_d:column ssm_dt=ssm_dt.bias ssm_norm=ssm_norm:groups"
#define BERT_NAMES                                                                                                                     \
    "attn_post_norm=attn_output_norm ffn_post_norm=layer_output_norm .classifier.out_proj=cls.output .classifier.dense=cls classifier=cls:drop"
#define BERT_EXTRA "attention.causal=b0"
#define LATENT_MOE "ffn_norm=attn_norm .fc1_latent_proj=ffn_latent_down .fc2_latent_proj=ffn_latent_up "
#define SHORT_CONV ".conv.conv=shortconv.conv .conv.in_proj=shortconv.in_proj .conv.out_proj=shortconv.out_proj embd_norm=token_embd_norm output_norm=token_embd_norm"
#define DELTA "ffn_norm=post_attention_norm .in_proj_qkv=attn_qkv .in_proj_z=attn_gate .in_proj_b=ssm_beta .in_proj_a=ssm_alpha ssm_dt=ssm_dt.bias"
#define INDEXER_NAMES ".indexer.wq_b=indexer.attn_q_b .indexer.wk=indexer.attn_k .indexer.weights_proj=indexer.proj .indexer.k_norm=indexer.k_norm"

/* Sorted by llama.cpp's name. */
static const struct lc_family families[] = {
    {"afmoe", "afmoe", HD | EX | LC_WINDOW | LC_LEADING_DENSE, NULL, NULL},
    {"apertus", "apertus", HD, ".act_fn.alpha_p=alpha:drop .act_fn.alpha_n=alpha:drop .act_fn.beta=beta:drop .act_fn.eps=eps:drop", ":xielu.alpha_n=f1 :xielu.alpha_p=f1 :xielu.beta=f1 :xielu.eps=f1"},
    {"arcee", "arcee", HD, NULL, NULL},
    {"baichuan", "baichuan", 0, NULL, NULL},
    {"bailing_moe", "bailingmoe", HD | EX | LC_LEADING_DENSE, "attn_qkv=attn_q,attn_k,attn_v:qkv", NULL},
    {"bailing_moe_v2 BailingMoeV2ForCausalLM", "bailingmoe2", HD | EX | LC_LEADING_DENSE | LC_SHARED_WIDTH | NX, ".final_layernorm=layer_output_norm", "expert_gating_func=u2"},
    {"bert camembert distilbert", "bert", LN | LC_BERT, BERT_NAMES, BERT_EXTRA},
    {"roberta xlm-roberta", "bert", LN | LC_BERT, "pos_embd=position_embd:chop " BERT_NAMES, BERT_EXTRA},
    {"bitnet", "bitnet", 0, NULL, NULL},
    {"bloom", "bloom", LN, NULL, NULL},
    {"chatglm glm", "chatglm", LC_GATED, "ffn_gate_up=ffn_up", NULL},
    {"cohere2", "cohere2", LN | LC_WINDOW, NULL, "logit_scale=f1"},
    {"cohere2_moe", "cohere2moe", HD | LN | EX | LC_WINDOW | LC_LEADING_DENSE | NX, NULL, "logit_scale=f1 expert_gating_func=u2"},
    {"command-r cohere", "command-r", LN, NULL, NULL},
    {"dbrx", "dbrx", LN | EX, "attn_post_norm=attn_output_norm ffn_norm=attn_output_norm exp_gate=ffn_gate_exps:experts exp_up=ffn_up_exps:experts exp_down=ffn_down_exps:experts_t", "attention.clamp_kqv=f8"},
    {"deepseek", "deepseek", EX | LC_LEADING_DENSE, NULL, NULL},
    {"deepseek_v2 deepseek_v3 kimi_k2 kimi_k25 youtu", "deepseek2", MLA_EX, NULL, NULL},
    {"glm4_moe_lite", "deepseek2", MLA_EX | NX, NULL, NULL},
    {"DeepseekOCR deepseek_vl_v2", "deepseek2-ocr", EX | LC_LEADING_DENSE, NULL, NULL},
    {"deepseek_v32", "deepseek32", MLA_EX | LC_INDEXER | NX, INDEXER_NAMES, "expert_gating_func=u2"},
    {"dots1", "dots1", EX | HD | LC_LEADING_DENSE, NULL, NULL},
    {"ernie4_5", "ernie4_5", HD, NULL, NULL},
    {"ernie4_5_moe", "ernie4_5-moe", HD | EX | LC_LEADING_DENSE | LC_SHARED_WIDTH, NULL, "interleave_moe_layer_step=u1"},
    {"exaone_moe", "exaone-moe", HD | EX | LC_PATTERN | LC_LEADING_DENSE | LC_SHARED_WIDTH | NX, NULL, "expert_gating_func=u2"},
    {"exaone4", "exaone4", HD | LC_WINDOW, NULL, NULL},
    {"falcon RefinedWeb RefinedWebModel", "falcon", LN, "ffn_norm=attn_norm_2", NULL},
    {"falcon_h1", "falcon-h1", HD | LC_SSM, "ffn_norm=ffn_norm:bare " MAMBA2, NULL},
    {"gemma", "gemma", HD, NULL, NULL},
    {"gemma2", "gemma2", HD | LC_WINDOW, NULL, NULL},
    {"gemma3 gemma3_text", "gemma3", HD | LC_WINDOW, NULL, NULL},
    {"gemma4 gemma4_text", "gemma4", HD | LC_PATTERN | EX | LC_WINDOW_DIMS, "layer_scale=layer_output_scale .per_layer_input_gate=inp_gate .per_layer_projection=proj .post_per_layer_input_norm=post_norm .embed_tokens_per_layer=per_layer_token_embd .per_layer_model_projection=per_layer_model_proj .per_layer_projection_norm=per_layer_proj_norm .router.scale=ffn_gate_inp.scale:bare .router.per_expert_scale=ffn_down_exps.scale:bare exp_gate_up=ffn_gate_up_exps .post_feedforward_layernorm_1=post_ffw_norm_1 .post_feedforward_layernorm_2=post_ffw_norm_2 .pre_feedforward_layernorm_2=pre_ffw_norm_2", NULL},
    {"glm_moe_dsa", "glm-dsa", MLA_EX | LC_INDEXER | NX, INDEXER_NAMES, "expert_gating_func=u2"},
    {"glm4 glm_ocr_text", "glm4", NX, NULL, NULL},
    {"glm4_moe solar_open", "glm4moe", HD | EX | LC_LEADING_DENSE | NX, POST_NORM, "expert_gating_func=u2"},
    {"gpt_oss", "gpt-oss", HD | LC_WINDOW | EX, POST_NORM, NULL},
    {"gpt2", "gpt2", LN, "attn_qkv=attn_qkv:transpose attn_output=attn_output:transpose ffn_up=ffn_up:transpose ffn_down=ffn_down:transpose", NULL},
    {"gpt_neox", "gptneox", LN, NULL, "use_parallel_residual=b1"},
    {"granite", "granite", 0, NULL, "logit_scale=f1"},
    {"granite_swa", "granite_swa", HD | EX | LC_PATTERN, NULL, "logit_scale=f1"},
    {"bamba granitemoehybrid", "granitehybrid", HD | EX | LC_SSM | LC_HYBRID | LC_SHARED_WIDTH, MAMBA2, "logit_scale=f1"},
    {"granitemoe granitemoeshared", "granitemoe", EX | LC_SHARED_WIDTH, NULL, "logit_scale=f1"},
    {"hunyuan_v1_dense", "hunyuan-dense", HD, NULL, NULL},
    {"hunyuan_v1_moe", "hunyuan-moe", HD | EX, NULL, NULL},
    {"hy_v3", "hy_v3", HD | EX | LC_LEADING_DENSE | LC_SHARED_WIDTH | NX, "router_bias=exp_probs_b:bare", "expert_gating_func=u2"},
    {"internlm2", "internlm2", 0, "attn_qkv=attn_q,attn_k,attn_v:qkv", NULL},
    {"jais2", "jais2", HD | LN, NULL, NULL},
    {"jamba", "jamba", EX | LC_SSM | LC_HYBRID, NULL, NULL},
    {"kimi_linear", "kimi-linear", MLA_EX | LC_HYBRID | LC_KDA, ".self_attn.conv1d=ssm_conv1d_q,ssm_conv1d_k,ssm_conv1d_v:thirds .f_a_proj=ssm_f_a .f_b_proj=ssm_f_b .g_a_proj=ssm_g_a .g_b_proj=ssm_g_b ssm_beta=ssm_beta ssm_dt=ssm_dt.bias ssm_a=ssm_a:column ssm_out=attn_output", "expert_gating_func=u2"},
    {"lfm2", "lfm2", LC_HYBRID | LC_SHORT_CONV, SHORT_CONV, NULL},
    {"lfm2_moe", "lfm2moe", LC_HYBRID | LC_SHORT_CONV | EX | LC_LEADING_DENSE, SHORT_CONV, "expert_gating_func=u2"},
    {"aquila internlm3 llama mistral mixtral vicuna xverse yi", "llama", EX | HD, NULL, NULL},
    {"llama4 llama4_text", "llama4", HD | EX, NULL, "interleave_moe_layer_step=u1"},
    {"mamba falcon_mamba", "mamba", LC_SSM, NULL, NULL},
    {"mamba2", "mamba2", LC_SSM, MAMBA2, NULL},
    {"mellum", "mellum", HD | EX | LC_PATTERN, NULL, NULL},
    {"mimo_v2_flash", "mimo2", HD | EX | LC_PATTERN | NX, NULL, NULL},
    {"minicpm", "minicpm", EX, NULL, NULL},
    {"minicpm3", "minicpm3", LC_MLA, "attn_kv_b=attn_kv_b", NULL},
    {"minimax minimax_text_01", "minimax-01", HD | EX | LC_DELTA, "ssm_norm=attn_norm_2 ssm_in=attn_qkv ssm_gate=attn_gate ssm_out=attn_output", "residual_scale=f1"},
    {"minimax_m2", "minimax-m2", HD | EX, NULL, "expert_gating_func=u2"},
    {"ministral3", "mistral3", HD, NULL, NULL},
    {"mpt", "mpt", LN, NULL, NULL},
    {"nemotron", "nemotron", LN, NULL, NULL},
    {"nemotron_h", "nemotron_h", HD | LC_SSM | LC_HYBRID, LATENT_MOE MAMBA2, "attention.layer_norm_epsilon=f1"},
    {"nemotron_h", "nemotron_h_moe", HD | LC_SSM | LC_HYBRID | EX | LC_SHARED_WIDTH | NX, ".mtp.layers.1.norm=post_attention_norm " LATENT_MOE MAMBA2, "attention.layer_norm_epsilon=f1"},
    {"olmo", "olmo", LN, NULL, NULL},
    {"olmo2", "olmo2", 0, NULL, NULL},
    {"olmo3", "olmo2", LC_WINDOW, NULL, NULL},
    {"olmoe", "olmoe", EX, NULL, NULL},
    {"phi phi-msft", "phi2", LN, NULL, NULL},
    {"phi3 phi3_v", "phi3", LC_WINDOW, NULL, NULL},
    {"phimoe", "phimoe", EX, NULL, NULL},
    {"qwen", "qwen", LC_DOUBLE_FF, NULL, NULL},
    {"qwen2", "qwen2", 0, NULL, NULL},
    {"qwen2_moe", "qwen2moe", EX | LC_SHARED_WIDTH, NULL, NULL},
    {"qwen2_5_vl qwen2_vl", "qwen2vl", 0, NULL, "rope.dimension_sections=a16,24,24,0"},
    {"qwen3", "qwen3", HD, NULL, NULL},
    {"qwen3_5 qwen3_5_text", "qwen35", HD | LC_DELTA | NX, DELTA, "rope.dimension_sections=a11,11,10,0"},
    {"qwen3_5_moe qwen3_5_moe_text", "qwen35moe", HD | EX | LC_DELTA | LC_SHARED_WIDTH | NX, DELTA, "rope.dimension_sections=a11,11,10,0"},
    {"qwen3_moe", "qwen3moe", HD | EX, NULL, NULL},
    {"qwen3_next", "qwen3next", HD | EX | LC_DELTA | LC_SHARED_WIDTH | NX, "ffn_norm=post_attention_norm ssm_in=attn_qkv,attn_gate:qkvz ssm_beta=ssm_ba ssm_dt=ssm_dt.bias", NULL},
    {"qwen3_vl", "qwen3vl", HD, NULL, "rope.dimension_sections=a24,20,20,0 n_deepstack_layers=u3"},
    {"qwen3_vl_moe", "qwen3vlmoe", HD | EX, NULL, "rope.dimension_sections=a24,20,20,0 n_deepstack_layers=u3"},
    {"seed_oss", "seed_oss", HD, POST_NORM, NULL},
    {"smollm3", "smollm3", 0, NULL, NULL},
    {"mt5 t5 umt5", "t5", HD | LC_ENC_DEC, "attn_output=attn_o attn_rel_bias=attn_rel_b cross_norm=cross_attn_norm cross_q=cross_attn_q cross_k=cross_attn_k cross_v=cross_attn_v cross_output=cross_attn_o", "attention.relative_buckets_count=u32"},
    {"stablelm", "stablelm", LN, NULL, NULL},
    {"gpt_bigcode", "starcoder", LN, NULL, NULL},
    {"starcoder2", "starcoder2", LN, NULL, NULL},
    {"step3p5", "step35", HD | EX | LC_PATTERN | LC_LEADING_DENSE | LC_SHARED_WIDTH | NX, NULL, NULL},
};

const struct lc_family *hwl_lc_family(const char *model_type, bool moe)
{
    const struct lc_family *found = NULL;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (hwl_words_have(families[i].model_types, model_type) && (!found || ((families[i].keys & EX) != 0) == moe))
            found = &families[i];
    return found;
}

uint32_t hwl_lc_layers(const struct lc_family *family, const struct hwl_model *model)
{
    return model->n_layers + (family->keys & LC_NEXTN ? model->n_mtp : 0);
}

/* conversion/__init__.py TEXT_MODEL_MAP has no class of theirs. */
static const char *const without =
    "albert bart biogpt clip codegen ctrl deberta-v2 diffllama doge electra falcon_ocr falcon_perception flex_olmo gptj helium hymba jetmoe m2m_100 "
    "marian mbart mllama mpnet nanochat openai-gpt opt pegasus persimmon recurrent_gemma rwkv5 siglip siglip2 vaultgemma whisper xglm zamba zamba2";

bool hwl_lc_no_family(const char *model_type)
{
    return hwl_words_have(without, model_type);
}
