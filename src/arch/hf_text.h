/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_HF_TEXT_H
#define HWL_ARCH_HF_TEXT_H

#include "arch/family.h"
#include "arch/hf_mtp.h"

enum hwl_norm_kind { HWL_RMS, HWL_LN, HWL_LN_NO_BIAS, HWL_NO_NORM };
enum hwl_norm_place { HWL_PRE, HWL_PARALLEL, HWL_PARALLEL_TWO, HWL_POST, HWL_SANDWICH };
enum hwl_qk_norm { HWL_QK_NONE, HWL_QK_HEAD, HWL_QK_FULL, HWL_QK_HEADS, HWL_QK_Q_ONLY };
enum hwl_slide { HWL_SLIDE_NO, HWL_SLIDE_ALL, HWL_SLIDE_QWEN, HWL_SLIDE_EVEN, HWL_SLIDE_PATTERN };
enum hwl_moe_form { HWL_MOE_EACH, HWL_MOE_FUSED, HWL_MOE_GPT_OSS, HWL_MOE_GRANITE, HWL_MOE_FLAT, HWL_MOE_STACKED };

struct hwl_text;

/* A decoder in columns. NULL names are Llama's. Flags: "1", "0" or "key=default" (hwl_b_flag), NULL is false. */
struct hwl_text_row {
    const char *stack, *embed, *final_norm, *head, *pos;      /* "model.layers", "model.embed_tokens", "model.norm", "lm_head" */
    const char *q, *k, *v, *qkv, *o, *q_norm, *k_norm;        /* qkv set: fused */
    const char *gate, *up, *down, *gate_up;                   /* gate_up set: fused */
    const char *n1, *n2, *n3, *n4;                            /* before attention, before ffn; sandwich: after attention n3, after ffn n4 */
    const char *experts, *router, *shared, *e_gate, *e_up, *e_down;
    const char *q_bias, *kv_bias, *o_bias, *mlp_bias, *head_bias, *embed_norm;
    const char *ungated, *tied, *qk_flag;
    const char *dense_width;                                  /* key of the dense feed-forward width */
    const char *mla;                                          /* flag: latent attention */
    uint32_t pos_extra, pattern, dense_first;
    uint8_t norm, place, qk, slide, moe;
    bool head_floor, conv1d, has_moe, sinks, no_final_norm, indexer;
    bool o_square;                                            /* output projection [hidden, hidden] whatever the heads (Helium) */
    const char *router_bias, *correction, *shared_gate, *bias_all; /* flags */
    const struct hwl_mtp_form *mtp;                           /* how its checkpoints hold multi-token prediction; NULL: not at all */
    void (*adjust)(struct hwl_text *t);                       /* changes what was resolved, before anything is emitted */
    void (*per_layer)(struct hwl_text *t, uint64_t layer);    /* sizes that differ between layers, before each */
    void (*attention)(struct hwl_text *t, int32_t layer);     /* instead of the common one */
    void (*describe)(const struct hwl_text *t, struct hwl_layer *out, uint64_t layer);
    void (*layer_extra)(struct hwl_text *t, int32_t layer);
    void (*extra)(struct hwl_text *t);
};

/* A row resolved with the numbers of one configuration. */
struct hwl_text {
    struct hwl_build *b;
    struct hwl_text_row r;
    uint64_t hidden, vocab, heads, kv_heads, head_dim, head_dim_v, d_ff, context, window;
    uint64_t n_layers, n_experts, n_used, d_expert, n_shared, d_shared;
    uint64_t q_rank, kv_rank, nope, rope, n_mtp, position_rows, embed_width;
    bool q_bias, kv_bias, o_bias, mlp_bias, ungated, tied, qk_norm, mla, router_bias, correction, shared_gate;
    /* of the layer that is written: whose place in the configuration's lists it takes, what its name counts from, its experts */
    uint64_t like, number_from;
    bool moe;
    bool (*is_moe)(const struct hwl_text *t, uint64_t layer); /* NULL: by the keys */
    uint64_t (*ffn_width)(const struct hwl_text *t, uint64_t layer);
};

void hwl_text_read(struct hwl_build *b, const struct hwl_text_row *row);
/* The number of layer l in its tensors' names. */
int hwl_text_number(const struct hwl_text *t, int32_t l);
bool hwl_text_layer_is_moe(const struct hwl_text *t, uint64_t layer);
void hwl_text_norm(struct hwl_text *t, enum hwl_role role, int32_t layer, uint64_t n, const char *name);

extern const struct hwl_family hwl_family_generic;
extern const struct hwl_text_row hwl_row_deepseek_v4;
void hwl_mistral3_read(struct hwl_build *b, const struct hwl_text_row *row);

#endif
