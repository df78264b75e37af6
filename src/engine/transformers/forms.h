/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_TRANSFORMERS_FORMS_H
#define HWL_ENGINE_TRANSFORMERS_FORMS_H

#include "arch/model.h"

/* How the code of a model class differs from the common decoder, where shapes do not say so. */
struct hwl_tf_form {
    const char *archs;
    uint8_t plain_widths; /* widths of a feed-forward part of two matrices that live at once */
    uint8_t rows;         /* rows of hidden width beside those that norms make */
    uint8_t gate_widths;  /* widths of an expert that its gate makes beyond silu and product */
    uint8_t half, single; /* bytes of a score of attention written out, where the model's type has 16 bits, and in fp32 */
    bool fp32_router;     /* what the experts' rows are weighted with is fp32, and so is the product */
    bool residual_normed; /* the residual is the normed copy */
    bool scaled;          /* the decoder multiplies the embeddings that it is given */
    bool keeps_scores;    /* to the end of attention */
    bool fused_query;     /* the query is a view of the fused projection: nothing turns it */
};
const struct hwl_tf_form *hwl_tf_form_of(const struct hwl_model *model);

/* What the tensors of a model say about a pass. */
struct hwl_tf_traits {
    bool attention_norm, ffn_norm; /* a normed copy in front of attention, of the feed-forward part */
    bool parallel;                 /* one norm for both */
    bool fused_qkv, fused_gate_up, query_norm, positions, expert_bias;
    uint64_t streams;              /* of the residual: hyper-connections */
};
struct hwl_tf_traits hwl_tf_traits_of(const struct hwl_model *model);

#endif
