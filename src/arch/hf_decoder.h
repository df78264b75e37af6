/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_HF_DECODER_H
#define HWL_ARCH_HF_DECODER_H

#include "arch/hf_build.h"
#include "arch/hf_mtp.h"

/* Text stacks that stand inside other models (vision-language, hybrids), from one set of traits. */
enum hwl_trait {
    HWL_T_QKV_BIAS = 1,      /* q, k, v have biases whatever the configuration says (Qwen2) */
    HWL_T_QK_NORM = 2,       /* RMS norm of each query and key head */
    HWL_T_SANDWICH = 4,      /* norms behind attention and feed-forward too (Gemma 2, 3) */
    HWL_T_GATE_Q = 8,        /* query projection of twice the width (Qwen3-Next) */
    HWL_T_MLA = 16,          /* DeepSeek-V2/V3 latent attention where kv_lora_rank is set */
    HWL_T_DEEPSEEK_MOE = 32, /* first_k_dense_replace, shared experts as one wide MLP */
    HWL_T_SCORE_BIAS = 64,   /* e_score_correction_bias beside the router: a parameter only where stated so */
    HWL_T_QWEN_MOE = 128,    /* decoder_sparse_step, mlp_only_layers */
    HWL_T_SHARED_GATE = 256, /* a shared expert behind a sigmoid gate */
    HWL_T_GDN = 512,         /* linear_attention layers are Gated DeltaNet, fused qkvz and ba (Qwen3-Next) */
    HWL_T_GDN_SPLIT = 1024,  /* the same with qkv, z, b, a apart (Qwen3.5) */
    HWL_T_TIED = 2048,       /* tie_word_embeddings defaults to true */
    HWL_T_SLIDE_6 = 4096,    /* every sixth layer is full where layer_types is absent (Gemma 3) */
    HWL_T_NO_O_BIAS = 8192,  /* attention_bias concerns q, k, v only */
    HWL_T_FUSED = 16384,     /* query, key and value are one matrix, gate and up another (Phi-3) */
};

struct hwl_text_kind {
    const char *type;    /* model_type of the text part */
    uint32_t traits;
    /* what the configuration class assumes where the file is silent; 0: the key must stand there */
    uint64_t vocab, hidden, heads, kv_heads, head_dim, n_layers, d_ff;
    const struct hwl_mtp_form *mtp;
};

const struct hwl_text_kind *hwl_text_kind_find(const char *type);

/* Reads the stack of cfg under b's prefix ("model." or "model.language_model."). Sets hidden, vocab, layers, tied. The output
 * matrix is named head ("lm_head"), NULL: none. tie_default is used where neither root nor cfg says. */
void hwl_hf_decoder(struct hwl_hb *b, const struct hwl_config *root, const struct hwl_config *cfg, const struct hwl_text_kind *kind,
                    const char *head);

/* Bricks of it, for stacks of their own. */
struct hwl_attn_shape {
    uint64_t hidden, heads, kv_heads, head_dim;
};
struct hwl_attn_shape hwl_hf_attn_shape(const struct hwl_config *cfg, const struct hwl_text_kind *kind);
/* key, or the kind's default; 0 as default: the key must stand there */
uint64_t hwl_hf_or(const struct hwl_config *cfg, const char *keys, uint64_t def);
void hwl_hf_attn_fill(struct hwl_hb *b, uint64_t layer, struct hwl_attn_shape s, uint64_t window);
void hwl_hf_latent(struct hwl_hb *b, const struct hwl_config *c, struct hwl_layer *l, uint64_t hidden);
struct hwl_moe {
    uint64_t n, used, d_expert, shared, d_shared;
    bool gate, score_bias; /* gate: one shared expert behind a sigmoid */
};
/* mlp.gate, mlp.experts.*, mlp.shared_experts */
void hwl_hf_experts(struct hwl_hb *b, struct hwl_layer *l, const struct hwl_moe *m, uint64_t hidden);
void hwl_hf_mlp(struct hwl_hb *b, const char *name, uint64_t hidden, uint64_t d_ff, bool bias);
void hwl_hf_head(struct hwl_hb *b, const char *name, uint64_t vocab, uint64_t hidden, bool tied);
bool hwl_hf_tied(const struct hwl_config *root, const struct hwl_config *cfg, bool def);

#endif
