/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_ROLE_H
#define HWL_ARCH_ROLE_H

#include <stdint.h>

/* What a tensor does. Sharding (vLLM), placement and quantisation (llama.cpp) and the default component follow
 * from the role by table. Shapes are [out, in] as in PyTorch. One list: X(ID, "name", COMPONENT suffix). */
#define HWL_ROLES(X)                                                                                                             \
    X(OTHER, "other", OTHER)                                                                                                     \
    X(TOK_EMBD, "token_embd", EMBEDDING)              /* [vocab, hidden] */                                                      \
    X(POS_EMBD, "pos_embd", EMBEDDING)                                                                                           \
    X(TYPE_EMBD, "type_embd", EMBEDDING)                                                                                         \
    X(PER_LAYER_EMBD, "per_layer_embd", EMBEDDING)    /* Gemma 3n/4 per-layer table */                                           \
    X(EMBD_NORM, "embd_norm", NORM)                                                                                              \
    X(EMBD_PROJ, "embd_proj", EMBEDDING)              /* between embedding and stack */                                          \
    X(OUTPUT_NORM, "output_norm", NORM)                                                                                          \
    X(OUTPUT, "output", OUTPUT)                       /* [vocab, hidden] */                                                      \
    X(CLASSIFIER, "classifier", OUTPUT)               /* pooler, score and classification heads */                               \
    X(ATTN_NORM, "attn_norm", NORM)                                                                                              \
    X(ATTN_POST_NORM, "attn_post_norm", NORM)                                                                                    \
    X(ATTN_SUB_NORM, "attn_sub_norm", NORM)                                                                                      \
    X(ATTN_Q, "attn_q", ATTENTION)                    /* [n_heads * head_dim_k, hidden] */                                       \
    X(ATTN_K, "attn_k", ATTENTION)                    /* [n_kv_heads * head_dim_k, hidden] */                                    \
    X(ATTN_V, "attn_v", ATTENTION)                                                                                               \
    X(ATTN_QKV, "attn_qkv", ATTENTION)                /* fused, q then k then v */                                               \
    X(ATTN_OUT, "attn_output", ATTENTION)             /* [hidden, n_heads * head_dim_v] */                                       \
    X(ATTN_GATE, "attn_gate", ATTENTION)                                                                                         \
    X(ATTN_Q_NORM, "attn_q_norm", NORM)                                                                                          \
    X(ATTN_K_NORM, "attn_k_norm", NORM)                                                                                          \
    X(ATTN_SINKS, "attn_sinks", ATTENTION)                                                                                       \
    X(ATTN_REL_BIAS, "attn_rel_bias", ATTENTION)                                                                                 \
    X(ATTN_Q_A, "attn_q_a", ATTENTION)                /* MLA [q_lora_rank, hidden] */                                            \
    X(ATTN_Q_A_NORM, "attn_q_a_norm", NORM)                                                                                      \
    X(ATTN_Q_B, "attn_q_b", ATTENTION)                /* [n_heads * (nope + rope), q_lora_rank] */                               \
    X(ATTN_KV_A, "attn_kv_a", ATTENTION)              /* [kv_lora_rank + rope, hidden] */                                        \
    X(ATTN_KV_A_NORM, "attn_kv_a_norm", NORM)                                                                                    \
    X(ATTN_KV_B, "attn_kv_b", ATTENTION)              /* [n_heads * (nope + v), kv_lora_rank] */                                 \
    X(ATTN_K_B, "attn_k_b", ATTENTION)                                                                                           \
    X(ATTN_V_B, "attn_v_b", ATTENTION)                                                                                           \
    X(INDEXER, "indexer", ATTENTION)                  /* any matrix or norm of a sparse indexer / compressor */                  \
    X(CROSS_NORM, "cross_norm", NORM)                                                                                            \
    X(CROSS_Q, "cross_q", ATTENTION)                                                                                             \
    X(CROSS_K, "cross_k", ATTENTION)                                                                                             \
    X(CROSS_V, "cross_v", ATTENTION)                                                                                             \
    X(CROSS_OUT, "cross_output", ATTENTION)                                                                                      \
    X(CROSS_OTHER, "cross_other", ATTENTION)                                                                                     \
    X(FFN_NORM, "ffn_norm", NORM)                                                                                                \
    X(FFN_POST_NORM, "ffn_post_norm", NORM)                                                                                      \
    X(FFN_SUB_NORM, "ffn_sub_norm", NORM)                                                                                        \
    X(FFN_GATE, "ffn_gate", FFN)                      /* [d_ff, hidden] */                                                       \
    X(FFN_UP, "ffn_up", FFN)                                                                                                     \
    X(FFN_DOWN, "ffn_down", FFN)                      /* [hidden, d_ff] */                                                       \
    X(FFN_GATE_UP, "ffn_gate_up", FFN)                /* fused [2 * d_ff, hidden] */                                             \
    X(ROUTER, "router", ROUTER)                       /* [n_experts, hidden] */                                                  \
    X(ROUTER_BIAS, "router_bias", ROUTER)             /* correction bias of the scores */                                        \
    X(EXP_GATE, "exp_gate", EXPERTS)                  /* one expert [d_expert, hidden], or all [n_experts, ...] */               \
    X(EXP_UP, "exp_up", EXPERTS)                                                                                                 \
    X(EXP_DOWN, "exp_down", EXPERTS)                                                                                             \
    X(EXP_GATE_UP, "exp_gate_up", EXPERTS)                                                                                       \
    X(SHEXP_GATE, "shexp_gate", SHARED_EXPERT)                                                                                   \
    X(SHEXP_UP, "shexp_up", SHARED_EXPERT)                                                                                       \
    X(SHEXP_DOWN, "shexp_down", SHARED_EXPERT)                                                                                   \
    X(SHEXP_GATE_UP, "shexp_gate_up", SHARED_EXPERT)                                                                             \
    X(SHEXP_ROUTER, "shexp_router", SHARED_EXPERT)                                                                               \
    X(SSM_NORM, "ssm_norm", NORM)                     /* inner (gated) norm of the mixer */                                      \
    X(SSM_IN, "ssm_in", RECURRENT)                    /* fused input projection */                                               \
    X(SSM_CONV, "ssm_conv", RECURRENT)                                                                                           \
    X(SSM_X, "ssm_x", RECURRENT)                                                                                                 \
    X(SSM_DT, "ssm_dt", RECURRENT)                                                                                               \
    X(SSM_A, "ssm_a", RECURRENT)                                                                                                 \
    X(SSM_D, "ssm_d", RECURRENT)                                                                                                 \
    X(SSM_B_NORM, "ssm_b_norm", NORM)                                                                                            \
    X(SSM_C_NORM, "ssm_c_norm", NORM)                                                                                            \
    X(SSM_DT_NORM, "ssm_dt_norm", NORM)                                                                                          \
    X(SSM_BETA, "ssm_beta", RECURRENT)                                                                                           \
    X(SSM_GATE, "ssm_gate", RECURRENT)                                                                                           \
    X(SSM_OUT, "ssm_out", RECURRENT)                                                                                             \
    X(TIME_MIX, "time_mix", RECURRENT)                /* RWKV attention side, any tensor */                                      \
    X(CHANNEL_MIX, "channel_mix", FFN)                /* RWKV feed-forward side */                                               \
    X(SHORT_CONV, "short_conv", RECURRENT)            /* LFM2 in/conv/out */                                                     \
    X(RESIDUAL, "residual", OTHER)                    /* learned residual scalars, AltUp, Laurel, hyper-connections */           \
    X(ROPE_FREQS, "rope_freqs", OTHER)                                                                                           \
    X(LAYER_SCALE, "layer_scale", NORM)                                                                                          \
    X(MTP_PROJ, "mtp_proj", OTHER)                    /* joins embedding and hidden state of a multi-token predictor */          \
    X(MTP_LINEAR, "mtp_linear", OTHER)                /* the same where quantisers take it */                                    \
    X(MTP_FC, "mtp_fc", OTHER)                        /* the same where servers split it over ranks */                           \
    X(MTP_NORM, "mtp_norm", NORM)                                                                                                \
    X(MTP_EMBD, "mtp_embd", EMBEDDING)                /* copies that a predictor brings of the embedding */                      \
    X(MTP_OUTPUT, "mtp_output", OUTPUT)               /* and of the output matrix */                                             \
    X(MTP_HEAD, "mtp_head", OUTPUT)                   /* an output matrix of its own, trained apart */                           \
    X(VISION, "vision", VISION)                                                                                                  \
    X(AUDIO, "audio", AUDIO)                                                                                                     \
    X(PROJECTOR, "projector", PROJECTOR)

#define HWL_ROLE_ENUM(id, name, component) HWL_ROLE_##id,
enum hwl_role { HWL_ROLES(HWL_ROLE_ENUM) HWL_ROLE_COUNT };

enum hwl_part {
    HWL_PART_WEIGHT,
    HWL_PART_BIAS,
    HWL_PART_SCALE, /* of a quantised weight: block, channel or tensor scales */
    HWL_PART_ZERO,  /* zero points */
    HWL_PART_INDEX, /* g_idx and other permutations */
    HWL_PART_META,  /* what else a packed format stores (shapes, quant states, code books) */
};

const char *hwl_role_name(enum hwl_role role);
uint8_t hwl_role_component(enum hwl_role role); /* hwl_component */

#endif
