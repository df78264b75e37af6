/* SPDX-License-Identifier: Apache-2.0 */
/* What tells model classes of transformers apart when memory is counted: from their tensors where these show it, from a
 * table of classes where only the code does (models/NAME/modeling_NAME.py, 5.24). */
#include "engine/transformers/forms.h"

#include "base/str.h"

/* Attention written out keeps the scores, their fp32 copy and its softmax: 10 bytes. */
#define SCORE_HALF 10
#define SCORE_SINGLE 8

static const struct hwl_tf_form common = {.half = SCORE_HALF, .single = SCORE_SINGLE};
static const struct hwl_tf_form forms[] = {
    /* the attention's output stays in a variable */
    {.archs = "gpt2", .rows = 1, .half = 4, .single = 8, .fused_query = true},
    {.archs = "falcon", .half = 8, .single = 16},
    {.archs = "gpt_bigcode", .rows = 1, .half = SCORE_HALF, .single = SCORE_SINGLE, .fused_query = true},
    /* a GELU of several operations of its own; scores of the position biases and of the mask beside the softmax */
    {.archs = "bloom", .halves = 8, .rows = 2, .half = 14, .single = 16},
    /* the softmax is in the model's type: two copies */
    {.archs = "bert roberta xlm-roberta distilbert electra whisper camembert data2vec-text xglm "
              "xlm-roberta-xl roformer roberta-prelayernorm", .half = 4, .single = 8},
    {.archs = "biogpt", .rows = -1, .half = 4, .single = 8},
    {.archs = "opt", .rows = -1, .half = SCORE_HALF, .single = SCORE_SINGLE},
    {.archs = "ctrl", .rows = 3, .half = 4, .single = 8},
    {.archs = "doge", .half = SCORE_HALF, .single = SCORE_SINGLE, .head_mask = true, .error = 12},
    {.archs = "aria_text", .half = SCORE_HALF, .single = SCORE_SINGLE, .shared_last = true},
    {.archs = "nomic_bert", .rows = 1, .half = 4, .single = 8, .keeps_weights = true},
    /* scores, with a column for the sink, less their largest; and a gate of five operations */
    {.archs = "gpt_oss", .gate_widths = 3, .half = 6, .single = 12},
    /* sinks in fp32 make two fp32 copies beside the scores and the weights */
    {.archs = "deepseek_v4", .half = 12, .single = 16, .fp32_router = true,
     .keeps_scores = true},
    /* the attention's output and the normed input stay in variables */
    {.archs = "stablelm", .rows = 2, .splits = true, .half = SCORE_HALF, .single = SCORE_SINGLE},
    {.archs = "phi persimmon fuyu gptj codegen", .half = SCORE_HALF, .single = SCORE_SINGLE, .splits = true},
    {.archs = "minimax", .half = SCORE_HALF, .single = SCORE_SINGLE, .residual_normed = true},
    {.archs = "granite granitemoe granitemoeshared", .half = SCORE_HALF, .single = SCORE_SINGLE, .scaled = true},
    {.archs = "deepseek_v2 deepseek_v3 deepseek_v32 glm_moe_dsa glm4_moe glm4_moe_lite kimi_k2 minimax_m2 "
              "minimax_m3_vl_text hy_v3 afmoe exaone_moe axk1 kolibri1",
     .half = SCORE_HALF, .single = SCORE_SINGLE, .fp32_router = true},
    {.archs = "hy_v4", .half = 12, .single = 16, .fp32_router = true, .spread_index = true, .error = 8},
    {.archs = "axk2", .half = SCORE_HALF, .single = SCORE_SINGLE, .fp32_router = true, .spread_index = true},
    {.archs = "mimo_v2_flash", .half = 6, .single = 12, .fp32_router = true},
    {.archs = "diffllama flint", .half = 12, .single = 16},
    {.archs = "inkling_text", .half = SCORE_HALF, .single = SCORE_SINGLE, .narrow_router = true, .error = 25}, /* biases by position */
    {.archs = "gpt_neo mpt zaya", .half = SCORE_HALF, .single = SCORE_SINGLE, .error = 25},
    {.archs = "recurrent_gemma dory", .half = SCORE_HALF, .single = SCORE_SINGLE, .error = 130},
    {.archs = "laguna lfm2_moe", .half = SCORE_HALF, .single = SCORE_SINGLE, .narrow_router = true},
    {.archs = "ernie4_5 ernie4_5_moe", .half = SCORE_HALF, .single = SCORE_SINGLE, .turns = HWL_TF_TURNS_PRODUCTS, .narrow_router = true},
    {.archs = "modernbert-decoder", .half = SCORE_HALF, .single = SCORE_SINGLE, .turns = HWL_TF_TURNS_HALVES},
    {.archs = "cohere", .half = SCORE_HALF, .single = SCORE_SINGLE, .turns = HWL_TF_TURNS_WHOLE},
    {.archs = "cohere2 cohere2_moe", .half = SCORE_HALF, .single = SCORE_SINGLE, .turns = HWL_TF_TURNS_WINDOWS},
    {.archs = "zamba2", .half = SCORE_HALF, .single = SCORE_SINGLE, .attends_first = true},
    /* the norm behind the product: it and two fp32 copies */
    {.archs = "bitnet", .halves = 10, .half = SCORE_HALF, .single = SCORE_SINGLE},
    {.archs = "llama4_text", .half = SCORE_HALF, .single = SCORE_SINGLE, .all_experts = true},
};

/* By transformers/activations.py: what is written out in several operations holds their results. */
static const struct {
    const char *names;
    uint8_t halves;
} activations[] = {
    {"gelu_new gelu_fast gelu_accurate gelu_python_tanh", 8},
    {"quick_gelu relu2", 6},
    {"xielu", 11},
};

uint64_t hwl_tf_ffn_halves(const struct hwl_model *model, const struct hwl_tf_form *form, bool gated)
{
    const char *name = model->hints.activation ? model->hints.activation : "";
    uint64_t halves = form->halves;
    for (size_t i = 0; !halves && i < sizeof activations / sizeof *activations; i++)
        halves = hwl_words_have(activations[i].names, name) ? activations[i].halves : 0;
    return hwl_max(halves, gated ? 6 : 4);
}

static const char *type_of(const struct hwl_model *model)
{
    const char *type = model->hints.text_type;
    return type && *type ? type : model->text_arch ? model->text_arch : model->arch;
}

bool hwl_tf_only_eager(const struct hwl_model *model)
{
    return hwl_words_have("bloom deepseek_v4 flint gemma2 gpt_neo gpt_neox_japanese gpt_oss granite_swa granitemoe_swa hy_v4 mimo_v2_flash "
                          "mpt openai-gpt rembert roformer trocr vaultgemma xglm xlm xlnet",
                          type_of(model));
}

const struct hwl_tf_form *hwl_tf_form_of(const struct hwl_model *model)
{
    const char *arch = type_of(model);
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
        t.attention_gate = t.attention_gate || w->role == HWL_ROLE_ATTN_GATE;
        t.router_bias = t.router_bias || w->role == HWL_ROLE_ROUTER_BIAS;
        if (w->role == HWL_ROLE_EXP_DOWN && w->part == HWL_PART_WEIGHT && w->n_dims == 2)
            t.routed_in = w->dims[0];
        if (w->role == HWL_ROLE_SSM_IN && w->n_dims == 2)
            t.state_in = hwl_max(t.state_in, w->dims[0]);
        t.expert_bias = t.expert_bias || (w->part == HWL_PART_BIAS && w->routed);
    }
    t.attention_norm = before || !after;
    t.parallel = before && !t.ffn_norm && !after;
    t.ffn_norm = t.ffn_norm || t.parallel || !after;
    return t;
}
