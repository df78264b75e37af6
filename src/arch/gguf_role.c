/* SPDX-License-Identifier: Apache-2.0 */
/* Roles of tensors by their GGUF names (llama.cpp src/llama-arch.cpp, LLM_TENSOR_NAMES). */
#include "arch/gguf_model.h"

#include <hwledger/plan.h>

#include <string.h>

/* Exact names first; a name that ends in * stands for all that begin so. First match wins. */
static const struct {
    const char *name;
    uint16_t role;
} names[] = {
    {"token_embd", HWL_ROLE_TOK_EMBD},
    {"token_embd_norm", HWL_ROLE_EMBD_NORM},
    {"token_types", HWL_ROLE_TYPE_EMBD},
    {"position_embd", HWL_ROLE_POS_EMBD},
    {"per_layer_token_embd", HWL_ROLE_PER_LAYER_EMBD},
    {"per_layer_model_proj", HWL_ROLE_EMBD_PROJ},
    {"per_layer_proj_norm", HWL_ROLE_EMBD_NORM},
    {"output", HWL_ROLE_OUTPUT},
    {"output_norm", HWL_ROLE_OUTPUT_NORM},
    {"enc.output_norm", HWL_ROLE_OUTPUT_NORM},
    {"dec.output_norm", HWL_ROLE_OUTPUT_NORM},
    {"cls*", HWL_ROLE_CLASSIFIER},
    {"dense_*", HWL_ROLE_CLASSIFIER},
    {"rope_*", HWL_ROLE_ROPE_FREQS},
    {"attn_norm*", HWL_ROLE_ATTN_NORM},
    {"attn_q", HWL_ROLE_ATTN_Q},
    {"attn_k", HWL_ROLE_ATTN_K},
    {"attn_v", HWL_ROLE_ATTN_V},
    {"attn_qkv", HWL_ROLE_ATTN_QKV},
    {"attn_output", HWL_ROLE_ATTN_OUT},
    {"attn_output_norm", HWL_ROLE_ATTN_POST_NORM},
    {"attn_output_*", HWL_ROLE_ATTN_OUT},
    {"attn_gate", HWL_ROLE_ATTN_GATE},
    {"attn_q_norm", HWL_ROLE_ATTN_Q_NORM},
    {"attn_k_norm", HWL_ROLE_ATTN_K_NORM},
    {"attn_sinks", HWL_ROLE_ATTN_SINKS},
    {"attn_rel_b", HWL_ROLE_ATTN_REL_BIAS},
    {"attn_q_a", HWL_ROLE_ATTN_Q_A},
    {"attn_q_a_norm", HWL_ROLE_ATTN_Q_A_NORM},
    {"attn_q_b", HWL_ROLE_ATTN_Q_B},
    {"attn_kv_a_mqa", HWL_ROLE_ATTN_KV_A},
    {"attn_kv_a_norm", HWL_ROLE_ATTN_KV_A_NORM},
    {"attn_kv_b", HWL_ROLE_ATTN_KV_B},
    {"attn_k_b", HWL_ROLE_ATTN_K_B},
    {"attn_v_b", HWL_ROLE_ATTN_V_B},
    {"attn_sub_norm", HWL_ROLE_ATTN_SUB_NORM},
    {"attn_post_norm", HWL_ROLE_ATTN_POST_NORM},
    {"post_attention_norm", HWL_ROLE_ATTN_POST_NORM},
    {"attn_*", HWL_ROLE_ATTN_OUT},
    {"o", HWL_ROLE_ATTN_OUT},
    {"cross_attn_norm", HWL_ROLE_CROSS_NORM},
    {"cross_attn_q", HWL_ROLE_CROSS_Q},
    {"cross_attn_k", HWL_ROLE_CROSS_K},
    {"cross_attn_v", HWL_ROLE_CROSS_V},
    {"cross_attn_o", HWL_ROLE_CROSS_OUT},
    {"cross_*", HWL_ROLE_CROSS_OTHER},
    {"indexer*", HWL_ROLE_INDEXER},
    {"ffn_norm*", HWL_ROLE_FFN_NORM},
    {"post_ffw_norm*", HWL_ROLE_FFN_POST_NORM},
    {"post_norm", HWL_ROLE_FFN_POST_NORM},
    {"pre_ffw_norm*", HWL_ROLE_FFN_NORM},
    {"layer_output_norm", HWL_ROLE_FFN_POST_NORM},
    {"ffn_sub_norm", HWL_ROLE_FFN_SUB_NORM},
    {"ffn_gate_inp_shexp", HWL_ROLE_SHEXP_ROUTER},
    {"ffn_gate_inp", HWL_ROLE_ROUTER},
    {"ffn_gate_tid2eid", HWL_ROLE_ROUTER},
    {"exp_probs_b*", HWL_ROLE_ROUTER_BIAS},
    {"ffn_gate_up_exps", HWL_ROLE_EXP_GATE_UP},
    {"ffn_gate_exps", HWL_ROLE_EXP_GATE},
    {"ffn_up_exps", HWL_ROLE_EXP_UP},
    {"ffn_down_exps", HWL_ROLE_EXP_DOWN},
    {"ffn_gate_chexps", HWL_ROLE_EXP_GATE},
    {"ffn_up_chexps", HWL_ROLE_EXP_UP},
    {"ffn_down_chexps", HWL_ROLE_EXP_DOWN},
    {"ffn_gate_up_shexp", HWL_ROLE_SHEXP_GATE_UP},
    {"ffn_gate_shexp", HWL_ROLE_SHEXP_GATE},
    {"ffn_up_shexp", HWL_ROLE_SHEXP_UP},
    {"ffn_down_shexp", HWL_ROLE_SHEXP_DOWN},
    {"ffn_gate", HWL_ROLE_FFN_GATE},
    {"ffn_up", HWL_ROLE_FFN_UP},
    {"ffn_down", HWL_ROLE_FFN_DOWN},
    {"ffn_gate.*", HWL_ROLE_EXP_GATE}, /* one expert a tensor, old files */
    {"ffn_up.*", HWL_ROLE_EXP_UP},
    {"ffn_down.*", HWL_ROLE_EXP_DOWN},
    {"ffn_*", HWL_ROLE_FFN_UP},
    {"ssm_in", HWL_ROLE_SSM_IN},
    {"ssm_conv1d*", HWL_ROLE_SSM_CONV},
    {"ssm_x", HWL_ROLE_SSM_X},
    {"ssm_dt", HWL_ROLE_SSM_DT},
    {"ssm_dt_norm", HWL_ROLE_SSM_DT_NORM},
    {"ssm_a", HWL_ROLE_SSM_A},
    {"ssm_d", HWL_ROLE_SSM_D},
    {"ssm_b_norm", HWL_ROLE_SSM_B_NORM},
    {"ssm_c_norm", HWL_ROLE_SSM_C_NORM},
    {"ssm_norm", HWL_ROLE_SSM_NORM},
    {"ssm_out", HWL_ROLE_SSM_OUT},
    {"ssm_b*", HWL_ROLE_SSM_BETA},
    {"ssm_*", HWL_ROLE_SSM_GATE},
    {"time_mix_*", HWL_ROLE_TIME_MIX},
    {"channel_mix_*", HWL_ROLE_CHANNEL_MIX},
    {"shortconv.*", HWL_ROLE_SHORT_CONV},
    {"altup_*", HWL_ROLE_RESIDUAL},
    {"laurel_*", HWL_ROLE_RESIDUAL},
    {"inp_gate", HWL_ROLE_RESIDUAL},
    {"proj", HWL_ROLE_RESIDUAL},
    {"hc_*", HWL_ROLE_RESIDUAL},
    {"output_hc_*", HWL_ROLE_RESIDUAL},
    {"layer_output_scale", HWL_ROLE_LAYER_SCALE},
    {"nextn.*norm", HWL_ROLE_MTP_NORM},
    {"nextn.embed_tokens", HWL_ROLE_MTP_EMBD},
    {"nextn.shared_head_head", HWL_ROLE_MTP_OUTPUT},
    {"nextn.*", HWL_ROLE_MTP_PROJ},
};

static const uint8_t components[] = {
#define X(id, name, component) HWL_COMP_##component,
    HWL_ROLES(X)
#undef X
};

enum hwl_role hwl_gguf_role(struct hwl_str base)
{
    if (hwl_str_starts(base, "nextn.") && hwl_str_ends(base, "norm"))
        return HWL_ROLE_MTP_NORM;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *n = names[i].name;
        size_t len = strlen(n);
        if (n[len - 1] == '*' ? base.n >= len - 1 && memcmp(base.p, n, len - 1) == 0 : hwl_str_eq(base, n))
            return (enum hwl_role)names[i].role;
    }
    return HWL_ROLE_OTHER;
}

uint8_t hwl_gguf_component(struct hwl_str base)
{
    return components[hwl_gguf_role(base)];
}

void hwl_gguf_split_name(struct hwl_str name, int64_t *layer, struct hwl_str *base, struct hwl_str *suffix)
{
    *layer = -1;
    *base = name;
    *suffix = (struct hwl_str){name.p + name.n, 0};
    for (uint64_t i = 0; i < name.n; i++) {
        /* a part of digits only, with something behind it */
        if ((i > 0 && name.p[i - 1] != '.') || name.p[i] < '0' || name.p[i] > '9')
            continue;
        uint64_t j = i;
        int64_t v = 0;
        while (j < name.n && name.p[j] >= '0' && name.p[j] <= '9' && v < 1000000)
            v = v * 10 + (name.p[j++] - '0');
        if (j < name.n && name.p[j] == '.' && i > 0) {
            *layer = v;
            *base = (struct hwl_str){name.p + j + 1, name.n - j - 1};
            break;
        }
    }
    for (uint64_t i = base->n; i-- > 1;)
        if (base->p[i] == '.') {
            *suffix = (struct hwl_str){base->p + i + 1, base->n - i - 1};
            base->n = i;
            break;
        }
}
