/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_BUILD_H
#define HWL_LLAMACPP_BUILD_H

#include "engine/llamacpp/graph/repeat.h"
#include "engine/llamacpp/graph/sched.h"
#include "engine/llamacpp/lc.h"
#include "engine/llamacpp/version.h"

/* Blocks that llama.cpp's model files put together (src/llama-graph.cpp, 0c1e57098). */

struct hwl_cache_in { /* what attention reads of one cache: index rows, mask, rotations of quantised caches */
    hwl_gt k_idxs, v_idxs, mask, k_rot, v_rot;
    uint64_t cells;
};

struct hwl_build {
    struct hwl_graph g;
    const struct lc_model *m;
    const struct lc_params *p;
    const struct lc_placement *place;
    const struct hwl_gsys *sys;
    uint64_t n_tokens, n_seqs, n_outputs;
    bool fa;
    bool v_trans; /* V lies transposed: flash attention was off when the cache was made; "auto" counts as on */
    bool force_norms; /* norms of a layer stay on the layer's device: few tokens or everything offloaded */
    hwl_gt *k, *v;    /* [2 * n_layer_all] cache tensors, then convolution (k) and matrix (v) states */
    hwl_gt *weights;  /* [n_tensors] */
    hwl_gt *attn;     /* [n_layer_all] the layer's FLASH_ATTN_EXT, for the probe */
    hwl_gt factors[17]; /* rope factors: one tensor on each device, the last for the host */
    struct hwl_cache_in full, swa;
    hwl_gt pos, out_ids, tied, embd, logits;
    const char *stack; /* "dec." or "enc.": names of a layer's weights begin with it; NULL: one stack */
    hwl_gt score_bias; /* added to the scores, which rules out flash attention; NULL none */
    hwl_gt attn_scale; /* temperature of long contexts, NULL none */
    uint32_t n_stored; /* layers of the file where they run several times, 0: each is its own */
    bool no_cache;    /* attention is over the batch, whatever memory the model has */
    bool plain_names; /* a norm's name may lack ".weight" */
    bool weights_in_compute; /* BitNet: no second copy of a tied matrix, the scheduler brings it */
    bool ids_behind_norm; /* output rows are chosen behind the last norm */
    bool scale_output; /* scales what the output matrix reads */
    bool unmeasured;   /* the builder of this architecture has not been compared with the engine: its sum is an estimate */
    bool single_too;   /* the prompt graph is reserved a second time for one sequence (MiniMax-01) */
    const char *refusal; /* what the engine aborts on in this graph, NULL nothing */
    bool cap_tanh;     /* Grok: scores pass a tanh between two scalings */
    struct hwl_repeat *repeat; /* NULL: every layer is built */
    struct hwl_repeat_mark *mark; /* [n_runs][HWL_REPEAT_MARKS] */
    uint32_t modulus;  /* set by a builder that looks at a layer's number: layers are alike only at a multiple of it; 0: never */
    bool scales;       /* scaled embeddings even where the file does not say so (MiniCPM) */
};

enum hwl_act { HWL_ACT_SILU, HWL_ACT_GELU, HWL_ACT_RELU, HWL_ACT_RELU_SQR, HWL_ACT_PACKED, HWL_ACT_OAI };

/* The layer to build after layer il: `for (il = 0; il < n_layer; il = hwl_b_next(b, il))` leaves out layers that repeat those
 * before them. Conditions on il itself want b->modulus. */
uint32_t hwl_b_next(struct hwl_build *b, uint32_t il);
/* Weight of a layer (il < 0: of none); NULL when the file has none. */
hwl_gt hwl_b_w(struct hwl_build *b, int32_t il, const char *base);
hwl_gt hwl_b_norm(struct hwl_build *b, hwl_gt x, hwl_gt w, hwl_gt bias, bool layer_norm, int32_t il);
hwl_gt hwl_b_mm_bias(struct hwl_build *b, hwl_gt w, hwl_gt x, hwl_gt bias);
/* Number of the metadata key ARCH.KEY, or `other`. */
double hwl_b_num(const struct hwl_build *b, const char *key, double other);
/* What attention adds to its scores: f16 where flash attention reads it, older versions copy it to that. */
hwl_gt hwl_b_mask(struct hwl_build *b, uint64_t cells, uint64_t tokens, uint64_t streams, const char *name);
hwl_gt hwl_b_inp_embd(struct hwl_build *b);
void hwl_b_inp_pos(struct hwl_build *b, uint64_t per_token);
void hwl_b_inp_attn(struct hwl_build *b); /* both caches where there is a window */
void hwl_b_inp_out_ids(struct hwl_build *b);
hwl_gt hwl_b_rope_factors(struct hwl_build *b, uint32_t il);

struct hwl_qkv {
    hwl_gt q, k, v;
};
/* The gated activation; NULL for the second: the first holds both halves. */
hwl_gt hwl_b_glu(struct hwl_build *b, hwl_gt gate, hwl_gt up);
struct hwl_qkv hwl_b_qkv(struct hwl_build *b, hwl_gt x, uint32_t il, uint64_t head_k, uint64_t head_v, bool reshape);
/* Without K and V the layer reads the cache of the last layer of its kind that owns one (Gemma 4). */
hwl_gt hwl_b_attn(struct hwl_build *b, struct hwl_qkv c, hwl_gt sinks, hwl_gt wo, hwl_gt wo_b, uint32_t il);
/* Its parts: the cache of K or V of a layer (rows, cells, streams), kept in *slot; writing rows of whole tokens; the attention. */
hwl_gt hwl_b_cache(struct hwl_build *b, hwl_gt *slot, uint32_t il, uint16_t type, uint64_t width, uint64_t cells);
void hwl_b_store_rows(struct hwl_build *b, hwl_gt c, hwl_gt x, hwl_gt idxs);
hwl_gt hwl_b_mha(struct hwl_build *b, hwl_gt q, hwl_gt k, hwl_gt v, hwl_gt mask, hwl_gt sinks, hwl_gt v_up, uint32_t il);
/* Attention of a batch over itself, without a cache. */
hwl_gt hwl_b_attn_free(struct hwl_build *b, struct hwl_qkv c, hwl_gt mask, hwl_gt wo, hwl_gt wo_b, uint32_t il);
/* One cache of latent rows that is K and, its first part, V; v_up expands the result again. */
hwl_gt hwl_b_attn_latent(struct hwl_build *b, struct hwl_qkv c, hwl_gt v_up, hwl_gt wo, uint32_t il);
hwl_gt hwl_b_mla(struct hwl_build *b, hwl_gt x, uint32_t il, hwl_gt factors);
hwl_gt hwl_b_ffn(struct hwl_build *b, hwl_gt x, int32_t il, const char *suffix, enum hwl_act act, bool biases);

struct hwl_moe {
    enum hwl_act act;
    uint32_t gating; /* 1 softmax, 2 sigmoid, 3 softmax of the chosen, 4 softmax, chosen by sigmoid (GroveMoE) */
    bool norm_w, biases;
    uint32_t chunks; /* > 0: small experts, one for so many of the large ones */
    bool one_clamp; /* a bounded gate is one operation */
    bool first_w; /* weights go on the input, and the choice is of the router's output (Llama 4) */
    double scale;
    hwl_gt logits; /* router's output where it reads something else than x; NULL: of x */
};
hwl_gt hwl_b_moe(struct hwl_build *b, hwl_gt x, int32_t il, const struct hwl_moe *o);
/* The output matrix, or the copy of the token embedding that stands for it. */
hwl_gt hwl_b_output_matrix(struct hwl_build *b);
void hwl_b_output(struct hwl_build *b, hwl_gt x, bool layer_norm);
void hwl_b_pooling(struct hwl_build *b); /* of b->embd */

/* Gemma's narrow embeddings of all layers: [width][n_tokens][n_layer]. */
hwl_gt hwl_b_layer_inputs(struct hwl_build *b, hwl_gt x);
bool hwl_b_dsa(struct hwl_build *b); /* sparse latent attention (DeepSeek-V3.2, GLM-5); false: not one of those */
void hwl_b_gemma3n(struct hwl_build *b);
void hwl_b_gemma4(struct hwl_build *b);
void hwl_b_t5(struct hwl_build *b);

/* Builds the graph of the model's architecture into b; false: not known here. */
bool hwl_b_arch(struct hwl_build *b);

#endif
