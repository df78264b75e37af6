/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_SHARED_SHARD_H
#define HWL_ENGINE_SHARED_SHARD_H

#include "arch/model.h"
#include "base/bytes.h"
#include "settings/settings.h"

#include <hwledger/plan.h>

/* Where an engine's class of a model differs from the rule. */
enum hwl_shard_class {
    HWL_SHARD_ROUTER_F32 = 1,      /* routers are held in 32 bits */
    HWL_SHARD_TOWER_WHOLE = 2,     /* every rank holds whole towers */
    HWL_SHARD_PROJECTOR_WHOLE = 4, /* and whole projectors */
    HWL_SHARD_BORROWERS = 8,       /* layers that read another's cache have no key and value matrices */
    HWL_SHARD_KEYS_TWICE = 16,     /* keys that serve as values too are loaded twice */
    HWL_SHARD_ROPE_F32 = 32,       /* the table of cosines and sines is in 32 bits */
    HWL_SHARD_EMBEDDING_WHOLE = 64, /* every rank holds the whole token embedding */
    HWL_SHARD_NO_ROPE = 128,      /* cosines and sines are computed anew: there is no table */
    HWL_SHARD_FFN_WHOLE = 256,    /* feed-forward matrices are not split */
    HWL_SHARD_MASK = 512,         /* a causal mask of context x context bytes stays */
    HWL_SHARD_NO_POOLER = 2048,   /* the pooling head of an encoder is not loaded */
    HWL_SHARD_NO_OUTPUT = 16384,  /* the output matrix is not loaded */
    HWL_SHARD_HEAD_F32 = 4096,    /* a classifying head is held in 32 bits */
    HWL_SHARD_POSITIONS = 8192,   /* learned positions and token types are split as the vocabulary is */
    HWL_SHARD_HEADS = 1024,       /* every pipeline stage has the output matrix */
};

/* Weights of a server whose ranks split layers as Megatron does: vLLM, SGLang and TensorRT-LLM share the layout
 * (column and row parallel linear layers, padded vocabularies, experts by number or by width). */
struct hwl_shard_run {
    const char *engine;           /* for messages */
    const uint16_t *stage_first;  /* [pp + 1]: first layer of each stage, then n_layers */
    uint32_t tp, pp;              /* ranks of dense layers and of the output matrix; stages */
    uint32_t attention_tp;        /* ranks over which heads are split: fewer with data-parallel attention */
    uint32_t embedding_tp;        /* ranks over which the token embedding is split */
    uint32_t expert_ranks;        /* ranks over which experts are split */
    bool ep;                      /* by number instead of by width */
    uint32_t redundant_experts;   /* copies beyond one each */
    uint32_t cc;                  /* compute capability, 90 for 9.0 */
    uint32_t pad_hidden, pad_width; /* what kernels of MXFP4 experts pad both sides to; 0: nothing */
    uint32_t pad_inner;           /* and the side over which a product runs */
    uint64_t dtype_bytes;         /* of the model's type */
    uint64_t rope_bytes;          /* of an element of the table of cosines and sines */
    uint32_t mrope_positions;     /* rows of the table for one position of a model with several a token; 0: one */
    bool scales_f32;              /* one scale a row is widened to 32 bits (layers/quantization/compressed_tensors) */
    bool marlin_fp8;              /* the card multiplies no fp8: Marlin's kernels read it */
    unsigned classes;             /* enum hwl_shard_class: what the engine's class of this model does differently */
    const char *spec_method;      /* "" none, "mtp", "eagle", "eagle3" ... */
    uint32_t draft_layers;        /* of a draft that is a layer like the target's last one; of "mtp": loaded, from the first on */
    bool draft_copies;            /* copies of the output matrix that MTP layers bring stay beside the target's */
    bool draft_heads;             /* output matrices of their own of MTP layers are kept; else the target's serves */
    bool draft_embeds;            /* and such a layer loads the token embedding once more */
    uint64_t max_loras, max_lora_rank;
    bool multimodal, encoder_only;
    bool mla;                     /* latent attention is run in its absorbed form */
    bool expanded;                /* latent rows are cached expanded to heads */
};

/* Weights of one rank of a stage, by component; the rank that holds most where experts do not divide. */
struct hwl_shard_weights {
    uint64_t component[HWL_COMP_COUNT];
    uint64_t total;
};
/* What a server would load, made ready once: the model with its weights in the asked type, and the kinds of its layers.
 * Layers whose weights are alike are one kind, so that a plan splits each kind once. */
struct hwl_shard_prepared {
    const struct hwl_model *model;
    uint32_t n_kinds;
    uint16_t *kind;   /* [layers of the model, MTP and encoder included] */
    uint32_t *layer;  /* [n_kinds]: a layer of the kind */
    uint64_t *first;  /* [n_kinds + 2]: bounds in tensor; behind the kinds the tensors of no layer */
    uint64_t *tensor; /* indexes into the model's tensors */
};
/* --quant is applied to plain checkpoints; packed ones stay as they are. */
hwl_status hwl_shard_prepare(const struct hwl_model *model, const struct hwl_settings *settings, struct hwl_arena *arena,
                             struct hwl_shard_prepared **out, hwl_error *error);
/* The same as an engine's prepare function, for servers that keep nothing else. */
hwl_status hwl_shard_prepare_only(const struct hwl_model *model, const char *version, const struct hwl_settings *settings,
                                  struct hwl_arena *arena, void **prepared, hwl_error *error);
/* A draft model of its own, which runs whole on the ranks of the last stage, split as the target is. joined: an EAGLE head, which
 * takes the target's token embedding and adds the matrix that joins so many hidden states; 0: a whole model. */
hwl_status hwl_shard_draft_weights(const struct hwl_shard_prepared *draft, const struct hwl_shard_run *target, uint32_t joined,
                                   uint64_t *bytes, hwl_error *error);
/* A degree of parallelism (--tp, --pp ...): 1 where none is given, at most 4,096. */
uint32_t hwl_shard_degree(const struct hwl_settings *settings, enum hwl_opt option);
/* --dtype as PyTorch's servers know it: the type's full name and bytes ("auto": bfloat16). False: no such type. */
bool hwl_shard_dtype(const char *name, const char **full, uint64_t *bytes);
/* --enable-lora with its sizes, and our --lora RANK[xN]: all adapters in one batch, of the largest rank. Adds to *count and *rank. */
hwl_status hwl_shard_adapters(const struct hwl_settings *settings, uint64_t default_count, uint64_t *count, uint64_t *rank,
                              hwl_error *error);

/* out: [run->pp]. by_kind: [n_kinds], or NULL: the bytes of one layer of each kind. */
hwl_status hwl_shard_weights(const struct hwl_shard_prepared *prepared, const struct hwl_shard_run *run,
                             struct hwl_shard_weights *out, uint64_t (*by_kind)[HWL_COMP_COUNT], hwl_error *error);
/* The tables of cosines and sines on a rank, bytes. */
uint64_t hwl_shard_rope(const struct hwl_model *model, const struct hwl_shard_run *run, struct hwl_ck *ck);
/* The weights of a draft with layers of its own, whole on one stage and split as the target's. */
hwl_status hwl_shard_alone(const struct hwl_shard_prepared *draft, const struct hwl_shard_run *target,
                           struct hwl_shard_weights *out, hwl_error *error);
/* A layer of the stack, or for multi-token prediction and this run loads it. */
bool hwl_shard_has(const struct hwl_model *model, const struct hwl_shard_run *run, uint32_t layer);
/* The stage on which a layer (its index in the model) lies. */
uint32_t hwl_shard_stage(const struct hwl_model *model, const struct hwl_shard_run *run, uint32_t layer);

/* Key and value heads of a layer on a rank: copied where there are fewer of them than ranks. */
uint32_t hwl_shard_kv_heads(const struct hwl_layer *layer, uint32_t tp, bool expanded);
/* Widest point of a forward pass on a rank of a stage, elements of the model's type a token: gate, up and their product,
 * or an expert layer's buffers; beside it live that many quarters of a row of hidden width. */
#define HWL_SHARD_ROW_QUARTERS 15 /* residual in and out, the attention's output, most of the normed copy */
uint64_t hwl_shard_widest(const struct hwl_model *model, const struct hwl_shard_run *run, uint32_t stage,
                          struct hwl_ck *ck);
uint64_t hwl_shard_row_quarters(const struct hwl_shard_run *run, uint32_t stage);
/* Both together, the widest stage. */
uint64_t hwl_shard_forward_elements(const struct hwl_model *model, const struct hwl_shard_run *run, struct hwl_ck *ck);

/* What a PyTorch server takes whatever the model: the CUDA context, communicators, CUDA graphs of so many sizes. */
void hwl_shard_runtime(const struct hwl_shard_run *run, uint64_t *context, uint64_t *communicators);
uint64_t hwl_shard_graphs(uint64_t sizes, struct hwl_ck *ck);

#endif
