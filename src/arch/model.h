/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_MODEL_H
#define HWL_ARCH_MODEL_H

#include "arch/role.h"
#include "base/arena.h"
#include "source/dtype.h"

#include <hwledger/model.h>

/* The neutral model: what a network is made of, whichever file told us.
 *
 * Two views of the same thing stand side by side:
 *  - layers: shapes of the mixer, feed-forward and state of each layer. Caches, state and activations follow from them.
 *  - tensors: every weight with its role, shape, stored type and exact bytes. Weights on devices follow from them.
 * An engine reads only this. What the engine's own form needs beyond it (GGUF metadata of llama.cpp) hangs at `gguf`. */

/* Attention of one layer. A layer may hold attention and recurrence at once (Falcon-H1, Hymba): then both are set. */
struct hwl_attention {
    uint32_t n_heads;       /* query heads; 0: the layer has no attention */
    uint32_t n_kv_heads;    /* key/value heads; for MLA 1 latent */
    uint32_t head_dim_k;    /* of a key (and query) head; MLA as stored per head: qk_nope + qk_rope */
    uint32_t head_dim_v;
    uint64_t window;        /* tokens: sliding window or chunk; 0: whole context */
    int32_t kv_shared_with; /* layer whose cache this layer reads; -1: its own (Gemma 3n, Gemma 4) */
    uint32_t q_lora_rank;   /* MLA: 0 = full query projection */
    uint32_t kv_lora_rank;  /* MLA: > 0 makes the cache one row of kv_lora_rank + qk_rope_dim a token */
    uint32_t qk_rope_dim;
    uint32_t qk_nope_dim;
    uint32_t index_heads;   /* indexer of sparse attention (DSA): 0 = none */
    uint32_t index_head_dim;
    uint32_t index_topk;
    uint32_t compress_ratio; /* tokens per cached state (DeepSeek-V4 style); 0 or 1: every token */
    bool causal;
    bool cross;             /* cross-attention: the cache holds encoder states, not generated tokens */
    bool sinks;
    bool output_gate;       /* query projection carries a gate of the same width (Qwen3-Next) */
};

/* Recurrent state of one layer (Mamba, Mamba2, GDN, KDA, RWKV, short conv, linear). Elements, not bytes: engines differ in type. */
struct hwl_state {
    uint32_t d_conv;     /* convolution kernel; the state keeps d_conv - 1 columns */
    uint64_t conv_dim;   /* channels of the convolution state: elements = (d_conv - 1) * conv_dim */
    uint64_t d_inner;
    uint64_t d_state;
    uint32_t n_groups;
    uint32_t n_heads;    /* value heads (Mamba2, GDN, KDA, RWKV) */
    uint32_t n_k_heads;  /* key heads of GDN; = n_heads elsewhere */
    uint32_t head_dim;   /* value head size */
    uint32_t head_dim_k; /* key head size (GDN, KDA) */
    uint32_t dt_rank;
    uint64_t shift_dim;  /* RWKV token shift: elements kept = shift_dim (n_shift * hidden) */
    uint64_t ssm_elems;  /* elements of the matrix state of one sequence */
};

struct hwl_ffn {
    uint64_t d_ff;           /* dense width; also of the dense part that stands beside experts (Arctic) */
    uint32_t n_experts;      /* routed, resident; 0 = dense */
    uint32_t n_experts_used; /* per token */
    uint64_t d_expert;       /* width of one routed expert */
    uint32_t n_shared;       /* shared experts, always active */
    uint64_t d_shared;       /* width of all shared experts together */
    bool gated;              /* three matrices (gate, up, down) instead of two */
};

struct hwl_layer {
    uint8_t mixer;        /* hwl_mixer: what the layer is called; see above for both */
    uint8_t feed_forward; /* hwl_feed_forward */
    bool mtp;             /* a multi-token-prediction layer, behind the n_layers of the stack */
    bool encoder;         /* a layer of the text encoder of an encoder-decoder */
    struct hwl_attention attn;
    struct hwl_state state;
    struct hwl_ffn ffn;
};

/* A tower beside the text stack. Its tensors carry HWL_COMP_VISION or _AUDIO, its projector HWL_COMP_PROJECTOR. */
struct hwl_encoder {
    uint8_t component; /* HWL_COMP_VISION / HWL_COMP_AUDIO (hwledger/plan.h) */
    uint32_t n_layers, n_heads;
    uint64_t hidden, d_ff, patch, image_size, max_tokens; /* max_tokens: of the largest item in the tower; 0 unknown */
    uint64_t embeddings; /* that such an item becomes in the text model; 0: as many as max_tokens */
    uint64_t embedding_width; /* elements of each; 0: the text model's width */
    uint64_t item_elements;   /* numbers that such an item comes as; 0: three channels of image_size squared */
    uint32_t max_frames;      /* of a video, of which two are such an item; 0: no video is larger */
    uint8_t held_rows;        /* rows of hidden width beside them; 0: 4 */
    uint8_t act_rows;         /* rows of d_ff that the feed-forward holds at once where operations run one by one; 0: 2 */
    bool rotary;              /* queries and keys are turned */
};

/* One stored weight, or `count` equal ones (experts of one layer: 128 gate_proj of the same shape and type). */
struct hwl_tensor {
    const char *name;   /* of the source; with count > 1 the first one's name with the running number as * */
    uint16_t role;      /* enum hwl_role */
    uint8_t part;       /* enum hwl_part: weight, bias, scale, zero point ... */
    uint8_t component;  /* hwl_component */
    int32_t layer;      /* index into layers; -1: of no layer */
    uint16_t dtype;     /* enum hwl_dtype: as stored */
    uint8_t n_dims;
    uint32_t count;
    uint64_t dims[5];   /* in the order of the source: GGUF innermost first, safetensors/config outermost first */
    uint64_t bytes;     /* of all `count`, as stored, without padding */
    uint64_t elements;  /* weight elements of all `count`: what a parameter count counts; 0 for scales, zero points, indexes */
    uint64_t offset;    /* in the file's data; HWL_UNKNOWN where there is no file */
    bool routed;        /* part of routed experts: active share n_experts_used / n_experts */
    bool tied;          /* names the same storage as another tensor: counts 0 elements and 0 bytes here */
    bool draft;         /* of multi-token prediction that the configuration does not count: of no layer, loaded by nobody here */
    bool buffer;        /* not a parameter (position ids, rope factors, batch-norm counters): bytes count, elements are 0 */
};

/* How packed or low-precision weights are to be read (quantization_config, hf_quant_config.json). */
/* A module of a checkpoint whose modules are quantised each in its own way (ModelOpt's quantized_layers). */
struct hwl_quant_layer {
    const char *module, *format;
    uint32_t bits, group_size;
};

struct hwl_quant {
    const char *method;     /* "", "gptq", "awq", "fp8", "compressed-tensors", "bitsandbytes", "mxfp4", "modelopt", ... */
    const char *format;     /* "nvfp4", "float-quantized", "pack-quantized" ..., or "" */
    uint32_t bits;          /* of a weight element, 0 unknown */
    uint32_t group_size;    /* 0: per channel or tensor */
    uint32_t block[2];      /* fp8 block [out, in], 0 none */
    bool desc_act, zero_point;
    bool per_channel;       /* one scale a row of the weight */
    bool nested;            /* bitsandbytes: the scales are quantised too */
    const char *experts;    /* how routed experts are stored where the rest is as method says (DeepSeek-V4): "fp4", "nvfp4", or "" */
    const struct hwl_quant_layer *layers; /* format "mixed": sorted by module; others are plain */
    uint32_t n_layers;
    const char *const *skip; /* module name patterns left unquantised */
    uint32_t n_skip;
    uint16_t kv_dtype;      /* enum hwl_dtype of a cache that the checkpoint asks for; HWL_DTYPE_NONE */
};

/* What engines ask of a configuration beside the shapes. 0, "" or NONE where it says nothing. Filled by hwl_hints_read. */
struct hwl_hints {
    const char *class_name;     /* architectures[0]: "LlamaForCausalLM" */
    const char *rope_type;      /* of rope scaling: "yarn", "longrope", "linear" ...; "default" where there is none */
    double rope_factor;
    double rotary_part;         /* share of a head that is rotated; 0: it says nothing, all of it */
    uint32_t rotary_dim;        /* or its width, given as such; 0: it is not */
    bool unrotated;             /* attention knows positions by other means (ALiBi, recurrence) or not at all */
    uint64_t window;            /* tokens of a window that is stated for all layers: no list of their kinds says otherwise; 0: none */
    bool image_prefix;          /* the tokens of an image attend to each other */
    bool alibi;                 /* attention by linear biases */
    bool local_rope;            /* layers with a window turn by a base of their own */
    bool mrope;                 /* several positions a token (mrope_section) */
    const char *text_type;      /* model_type of the language model's object; "" where it names none */
    const char *activation;     /* of the feed-forward parts, as the configuration names it; "" where it does not */
    uint64_t context_original;  /* original_max_position_embeddings */
    uint64_t context_stated;    /* model_max_length */
    uint64_t context_least;     /* least of the other names that lengths go by, max_position_embeddings not among them */
    uint64_t state_chunk;       /* tokens of a chunk of the state-space kernel */
    uint16_t state_dtype;       /* enum hwl_dtype that the recurrent state shall have */
};

struct hwl_gguf;

struct hwl_model {
    struct hwl_arena arena;
    const char *name, *arch, *source, *form;
    const char *text_arch; /* model_type of the language model inside towers ("qwen2" in LLaVA); NULL: arch itself */
    bool is_gguf;       /* tensors have GGUF names and dims order; gguf is set */
    bool generic;
    bool tied;          /* output matrix is the token embedding */
    bool encoder_only;  /* no cache */
    uint16_t dtype;     /* torch_dtype of a configuration, or the commonest type */
    uint32_t n_layers;  /* decoder (or only) stack, without MTP */
    uint32_t n_mtp;     /* layers[n_layers .. n_layers + n_mtp) are MTP layers */
    uint32_t n_mtp_served; /* of them that vLLM loads at most; 0: all */
    uint32_t n_encoder; /* then n_encoder encoder layers of an encoder-decoder (T5, Whisper) */
    uint64_t hidden, vocab, context_train;
    struct hwl_layer *layers; /* [n_layers + n_mtp + n_encoder] */
    struct hwl_tensor *tensors;
    uint64_t n_tensors, cap_tensors;
    struct hwl_tensor *logical; /* the plain inventory, where tensors is a packed or stored one; NULL else */
    uint64_t n_logical;
    struct hwl_encoder *encoders;
    uint32_t n_encoders;
    struct hwl_quant quant;
    struct hwl_hints hints;
    const struct hwl_gguf *gguf; /* NULL unless is_gguf */
    hwl_fact *facts;
    uint64_t n_facts, cap_facts;
    void *owned;                  /* file mapping or document that strings point into */
    void (*release)(void *owned); /* called by hwl_model_free; NULL none */
    const struct hwl_progress *progress; /* while it is opened; NULL: nobody waits */
};

/* Appends a zeroed tensor; NULL when out of memory. */
struct hwl_tensor *hwl_model_add_tensor(struct hwl_model *model);
void hwl_model_add_fact(struct hwl_model *model, const char *key, const char *value, const char *origin);

struct hwl_config;
/* root: the whole config.json; text: the object of the language model (root itself where there is none of its own). */
void hwl_hints_read(struct hwl_model *model, const struct hwl_config *root, const struct hwl_config *text);

/* Of a layer for multi-token prediction: stored, but no part of the class that a configuration names. */
static inline bool hwl_tensor_is_mtp(const struct hwl_model *model, const struct hwl_tensor *t)
{
    return t->draft || (t->layer >= 0 && (uint32_t)t->layer >= model->n_layers && (uint32_t)t->layer - model->n_layers < model->n_mtp);
}

struct hwl_model_sums {
    uint64_t parameters, active, bytes, n_tensors; /* without multi-token prediction */
    uint64_t mtp_parameters, mtp_bytes;
    uint64_t stored_elements, stored_bytes; /* all that the checkpoint holds, scales and copies too */
};
/* Sums over the tensors; HWL_E_OVERFLOW. active rounds nothing: routed elements are count x shape, so the share is whole. */
hwl_status hwl_model_sum(const struct hwl_model *model, struct hwl_model_sums *out, hwl_error *error);

/* Elements of one token's growing cache in one layer (K and V, or the latent row; 0 for shared, recurrent, cross). Indexer keys apart. */
uint64_t hwl_layer_kv_elements(const struct hwl_layer *layer);
/* Elements of the recurrent state of one sequence in one layer: convolution / shift part and matrix part. */
uint64_t hwl_layer_conv_elements(const struct hwl_layer *layer);
uint64_t hwl_layer_ssm_elements(const struct hwl_layer *layer);

#endif
