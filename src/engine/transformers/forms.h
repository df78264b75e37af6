/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_TRANSFORMERS_FORMS_H
#define HWL_ENGINE_TRANSFORMERS_FORMS_H

#include "arch/model.h"

enum hwl_tf_turns {
    HWL_TF_TURNS_NARROW,   /* in the model's type */
    HWL_TF_TURNS_PRODUCTS, /* x.float() * cos + rotate_half(x).float() * sin */
    HWL_TF_TURNS_HALVES,   /* x.float() * cos + rotate_half(x.float()) * sin */
    HWL_TF_TURNS_WHOLE,    /* q = q.float(), k = k.float() */
    HWL_TF_TURNS_WINDOWS,  /* the same, in layers with a window: the others do not turn */
};

/* How the code of a model class differs from the common decoder, where shapes do not say so. */
struct hwl_tf_form {
    const char *archs;
    uint8_t halves;       /* half widths of a feed-forward part that its activation makes beside silu's; 0: by its name */
    int8_t rows;          /* rows of hidden width beside those that norms make; below 0: fewer */
    uint8_t gate_widths;  /* widths of an expert that its gate makes beyond silu and product */
    uint8_t half, single; /* bytes of a score of attention written out, where the model's type has 16 bits, and in fp32 */
    uint8_t turns;        /* how fp32 is used where queries and keys are turned: enum hwl_tf_turns */
    uint8_t error;        /* percent that measured passes are off at most, where it is more than of the others */
    bool fp32_router;     /* what the experts' rows are weighted with is fp32, and so is the product */
    bool narrow_router;   /* it is not, although scores are corrected */
    bool splits;          /* the parts of queries and keys that are turned and that are not stay in variables */
    bool attends_first;   /* attention runs in front of the layer's recurrent part, and its output stays */
    bool residual_normed; /* the residual is the normed copy */
    bool scaled;          /* the decoder multiplies the embeddings that it is given */
    bool keeps_scores;    /* to the end of attention */
    bool keeps_weights;   /* a layer of an encoder, to its end; layers of decoders all do */
    bool fused_query;     /* the query is a view of the fused projection: nothing turns it */
    bool shared_last;     /* shared experts run behind the others */
    bool head_mask;       /* a mask of its own for each head */
    bool spread_index;    /* several sequences: the indexer's product copies the keys for every token */
    bool all_experts;     /* every expert runs on every token */
};
const struct hwl_tf_form *hwl_tf_form_of(const struct hwl_model *model);

/* Classes without SDPA, which a default leaves with attention written out. */
bool hwl_tf_only_eager(const struct hwl_model *model);

/* Half widths of a feed-forward part that live at once: its matrices' outputs and what the activation makes of them. */
uint64_t hwl_tf_ffn_halves(const struct hwl_model *model, const struct hwl_tf_form *form, bool gated);

/* What the tensors of a model say about a pass. */
struct hwl_tf_traits {
    bool attention_norm, ffn_norm; /* a normed copy in front of attention, of the feed-forward part */
    bool parallel;                 /* one norm for both */
    bool fused_qkv, fused_gate_up, query_norm, positions, expert_bias, router_bias, attention_gate;
    uint64_t streams;              /* of the residual: hyper-connections */
    uint64_t routed_in;            /* width that routed experts take and give */
    uint64_t state_in;             /* width of the projection that a recurrent layer starts with; 0: it has several */
};
struct hwl_tf_traits hwl_tf_traits_of(const struct hwl_model *model);

#endif
