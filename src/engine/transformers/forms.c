/* SPDX-License-Identifier: Apache-2.0 */
/* What tells model classes of transformers apart when memory is counted: from their tensors where these show it, from a
 * table of classes where only the code does (models/NAME/modeling_NAME.py, 5.24). */
#include "engine/transformers/forms.h"

#include "base/str.h"

/* Attention written out keeps the scores, their fp32 copy and its softmax: 10 bytes. */
#define SCORE_HALF 10
#define SCORE_SINGLE 8

static const struct hwl_tf_form common = {.plain_widths = 2, .half = SCORE_HALF, .single = SCORE_SINGLE};
static const struct hwl_tf_form forms[] = {
    /* a GELU of several operations; the attention's output stays in a variable */
    {.archs = "gpt2", .plain_widths = 4, .rows = 1, .half = 4, .single = 8, .fused_query = true},
    {.archs = "gpt_bigcode", .plain_widths = 2, .rows = 1, .half = SCORE_HALF, .single = SCORE_SINGLE, .fused_query = true},
    /* scores of the position biases and of the mask beside the softmax */
    {.archs = "bloom", .plain_widths = 4, .rows = 2, .half = 14, .single = 16},
    /* the softmax is in the model's type: two copies */
    {.archs = "bert roberta xlm-roberta distilbert electra whisper", .plain_widths = 2, .half = 4, .single = 8},
    /* scores, with a column for the sink, less their largest; and a gate of five operations */
    {.archs = "gpt_oss", .plain_widths = 2, .gate_widths = 3, .half = 6, .single = 12},
    /* sinks in fp32 make two fp32 copies beside the scores and the weights */
    {.archs = "deepseek_v4", .plain_widths = 2, .half = 12, .single = 16, .fp32_router = true,
     .keeps_scores = true},
    /* the attention's output and the normed input stay in variables */
    {.archs = "stablelm", .plain_widths = 2, .rows = 2, .half = SCORE_HALF, .single = SCORE_SINGLE},
    {.archs = "minimax", .plain_widths = 2, .half = SCORE_HALF, .single = SCORE_SINGLE, .residual_normed = true},
    {.archs = "granite granitemoe granitemoeshared", .plain_widths = 2, .half = SCORE_HALF, .single = SCORE_SINGLE, .scaled = true},
    {.archs = "deepseek_v2 deepseek_v3 deepseek_v32 glm_moe_dsa glm4_moe kimi_k2 minimax_m2", .plain_widths = 2,
     .half = SCORE_HALF, .single = SCORE_SINGLE, .fp32_router = true},
};

const struct hwl_tf_form *hwl_tf_form_of(const struct hwl_model *model)
{
    const char *arch = model->text_arch ? model->text_arch : model->arch;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (hwl_words_have(forms[i].archs, arch))
            return &forms[i];
    return &common;
}

struct hwl_tf_traits hwl_tf_traits_of(const struct hwl_model *model)
{
    struct hwl_tf_traits t = {0};
    bool before = false, after = false;
    for (uint64_t i = 0; i < model->n_tensors; i++) {
        const struct hwl_tensor *w = &model->tensors[i];
        if (w->layer < 0) {
            t.positions = t.positions || w->role == HWL_ROLE_POS_EMBD;
            continue;
        }
        if (w->role == HWL_ROLE_RESIDUAL && w->n_dims == 2 && model->hidden && w->dims[1] % model->hidden == 0)
            t.streams = w->dims[1] / model->hidden;
        before = before || w->role == HWL_ROLE_ATTN_NORM;
        after = after || w->role == HWL_ROLE_ATTN_POST_NORM;
        t.ffn_norm = t.ffn_norm || w->role == HWL_ROLE_FFN_NORM;
        t.fused_qkv = t.fused_qkv || w->role == HWL_ROLE_ATTN_QKV;
        t.fused_gate_up = t.fused_gate_up || w->role == HWL_ROLE_FFN_GATE_UP;
        t.query_norm = t.query_norm || w->role == HWL_ROLE_ATTN_Q_NORM;
        t.expert_bias = t.expert_bias || (w->part == HWL_PART_BIAS && w->routed);
    }
    t.attention_norm = before || !after;
    t.parallel = before && !t.ffn_norm && !after;
    t.ffn_norm = t.ffn_norm || t.parallel || !after;
    return t;
}
