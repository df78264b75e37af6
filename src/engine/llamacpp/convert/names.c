/* SPDX-License-Identifier: Apache-2.0 */
/* Which name a tensor gets in a GGUF file, by its role; gguf-py/gguf/constants.py TENSOR_NAMES (llama.cpp 0c1e57098). */
#include "engine/llamacpp/convert/family.h"

#include <string.h>

static const struct {
    enum hwl_role role;
    const char *name;
    enum lc_change change;
} common[] = {
    {HWL_ROLE_TOK_EMBD, "token_embd", LC_KEEP},
    {HWL_ROLE_POS_EMBD, "position_embd", LC_KEEP},
    {HWL_ROLE_TYPE_EMBD, "token_types", LC_KEEP},
    {HWL_ROLE_EMBD_NORM, "token_embd_norm", LC_KEEP},
    {HWL_ROLE_OUTPUT_NORM, "output_norm", LC_KEEP},
    {HWL_ROLE_OUTPUT, "output", LC_KEEP},
    {HWL_ROLE_ATTN_NORM, "attn_norm", LC_KEEP},
    {HWL_ROLE_ATTN_POST_NORM, "post_attention_norm", LC_KEEP},
    {HWL_ROLE_ATTN_SUB_NORM, "attn_sub_norm", LC_KEEP},
    {HWL_ROLE_ATTN_Q, "attn_q", LC_KEEP},
    {HWL_ROLE_ATTN_K, "attn_k", LC_KEEP},
    {HWL_ROLE_ATTN_V, "attn_v", LC_KEEP},
    {HWL_ROLE_ATTN_QKV, "attn_qkv", LC_KEEP},
    {HWL_ROLE_ATTN_OUT, "attn_output", LC_KEEP},
    {HWL_ROLE_ATTN_GATE, "attn_gate", LC_KEEP},
    {HWL_ROLE_ATTN_Q_NORM, "attn_q_norm", LC_KEEP},
    {HWL_ROLE_ATTN_K_NORM, "attn_k_norm", LC_KEEP},
    {HWL_ROLE_ATTN_SINKS, "attn_sinks", LC_KEEP},
    {HWL_ROLE_ATTN_Q_A, "attn_q_a", LC_KEEP},
    {HWL_ROLE_ATTN_Q_A_NORM, "attn_q_a_norm", LC_KEEP},
    {HWL_ROLE_ATTN_Q_B, "attn_q_b", LC_KEEP},
    {HWL_ROLE_ATTN_KV_A, "attn_kv_a_mqa", LC_KEEP},
    {HWL_ROLE_ATTN_KV_A_NORM, "attn_kv_a_norm", LC_KEEP},
    {HWL_ROLE_ATTN_KV_B, "attn_kv_b", LC_KV_B},
    {HWL_ROLE_FFN_NORM, "ffn_norm", LC_KEEP},
    {HWL_ROLE_FFN_POST_NORM, "post_ffw_norm", LC_KEEP},
    {HWL_ROLE_FFN_SUB_NORM, "ffn_sub_norm", LC_KEEP},
    {HWL_ROLE_FFN_GATE, "ffn_gate", LC_KEEP},
    {HWL_ROLE_FFN_UP, "ffn_up", LC_KEEP},
    {HWL_ROLE_FFN_DOWN, "ffn_down", LC_KEEP},
    {HWL_ROLE_FFN_GATE_UP, "ffn_up", LC_KEEP},
    {HWL_ROLE_ROUTER, "ffn_gate_inp", LC_KEEP},
    {HWL_ROLE_ROUTER_BIAS, "exp_probs_b.bias", LC_KEEP},
    {HWL_ROLE_EXP_GATE, "ffn_gate_exps", LC_KEEP},
    {HWL_ROLE_EXP_UP, "ffn_up_exps", LC_KEEP},
    {HWL_ROLE_EXP_DOWN, "ffn_down_exps", LC_DOWN},
    {HWL_ROLE_EXP_GATE_UP, "ffn_gate_exps ffn_up_exps", LC_HALVES},
    {HWL_ROLE_SHEXP_GATE, "ffn_gate_shexp", LC_KEEP},
    {HWL_ROLE_SHEXP_UP, "ffn_up_shexp", LC_KEEP},
    {HWL_ROLE_SHEXP_DOWN, "ffn_down_shexp", LC_KEEP},
    {HWL_ROLE_SHEXP_GATE_UP, "ffn_gate_shexp ffn_up_shexp", LC_HALVES},
    {HWL_ROLE_SHEXP_ROUTER, "ffn_gate_inp_shexp", LC_KEEP},
    {HWL_ROLE_SSM_NORM, "ssm_norm", LC_KEEP},
    {HWL_ROLE_SSM_IN, "ssm_in", LC_KEEP},
    {HWL_ROLE_SSM_CONV, "ssm_conv1d", LC_KEEP},
    {HWL_ROLE_SSM_X, "ssm_x", LC_KEEP},
    {HWL_ROLE_SSM_DT, "ssm_dt", LC_KEEP},
    {HWL_ROLE_SSM_A, "ssm_a", LC_KEEP},
    {HWL_ROLE_SSM_D, "ssm_d", LC_KEEP},
    {HWL_ROLE_SSM_B_NORM, "ssm_b_norm", LC_KEEP},
    {HWL_ROLE_SSM_C_NORM, "ssm_c_norm", LC_KEEP},
    {HWL_ROLE_SSM_DT_NORM, "ssm_dt_norm", LC_KEEP},
    {HWL_ROLE_SSM_OUT, "ssm_out", LC_KEEP},
    {HWL_ROLE_ROPE_FREQS, "", LC_DROP},
    {HWL_ROLE_MTP_PROJ, "nextn.eh_proj", LC_KEEP},
    {HWL_ROLE_MTP_LINEAR, "nextn.eh_proj", LC_KEEP},
    {HWL_ROLE_MTP_FC, "nextn.eh_proj", LC_KEEP},
    {HWL_ROLE_MTP_EMBD, "nextn.embed_tokens", LC_KEEP},
    {HWL_ROLE_MTP_OUTPUT, "nextn.shared_head_head", LC_KEEP},
    {HWL_ROLE_MTP_HEAD, "nextn.shared_head_head", LC_KEEP},
};

/* Norms of a predictor: one role, told apart by what they are called. */
static const char mtp_norms[] = ".enorm=nextn.enorm .hnorm=nextn.hnorm .pre_fc_norm_embedding=nextn.enorm .pre_fc_norm_hidden=nextn.hnorm "
                                ".shared_head.norm=nextn.shared_head_norm .mtp.norm=nextn.shared_head_norm "
                                ".final_layernorm=nextn.shared_head_norm";

static const struct {
    const char *name;
    enum lc_change change;
} changes[] = {
    {"bare", LC_BARE}, {"chop", LC_CHOP}, {"column", LC_COLUMN}, {"drop", LC_DROP}, {"experts", LC_EXPERTS}, {"experts_t", LC_EXPERTS_T}, {"groups", LC_GROUPS},
    {"halves", LC_HALVES}, {"kv_b", LC_KV_B}, {"qkv", LC_QKV}, {"qkvz", LC_QKVZ}, {"thirds", LC_THIRDS}, {"transpose", LC_TRANSPOSE},
};

static enum lc_change change_of(struct hwl_str word)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (hwl_str_eq(word, changes[i].name))
            return changes[i].change;
    return LC_KEEP;
}

/* The tensor's name without ".weight" or ".bias". */
static struct hwl_str module_of(const char *name)
{
    struct hwl_str s = hwl_str_of(name ? name : "");
    if (s.n > 7 && memcmp(s.p + s.n - 7, ".weight", 7) == 0)
        s.n -= 7;
    else if (s.n > 5 && memcmp(s.p + s.n - 5, ".bias", 5) == 0)
        s.n -= 5;
    return s;
}

static bool left_side(struct hwl_str want, const struct hwl_tensor *t, struct hwl_str module)
{
    if (want.n && want.p[0] == '.')
        return module.n >= want.n - 1 && memcmp(module.p + module.n - (want.n - 1), want.p + 1, want.n - 1) == 0 &&
               (module.n == want.n - 1 || module.p[module.n - want.n] == '.');
    return hwl_str_eq(want, hwl_role_name((enum hwl_role)t->role));
}

/* "left=name:change left=name ...": the first that matches. */
static bool departs(const char *names, const struct hwl_tensor *t, struct lc_name *out)
{
    const struct hwl_str module = module_of(t->name);
    for (const char *p = names ? names : ""; *p;) {
        const size_t word = strcspn(p, " "), left = strcspn(p, "=");
        if (left_side((struct hwl_str){p, left}, t, module)) {
            const char *const right = p + left + 1;
            const size_t n = (size_t)(p + word - right), stem = strcspn(right, ": ");
            out->name = (struct hwl_str){right, stem};
            out->change = stem < n ? change_of((struct hwl_str){right + stem + 1, n - stem - 1}) : LC_KEEP;
            return true;
        }
        p += word;
        p += strspn(p, " ");
    }
    return false;
}

bool hwl_lc_name(const struct lc_family *family, const struct hwl_tensor *tensor, struct lc_name *out)
{
    if (departs(family->names, tensor, out) || (tensor->role == HWL_ROLE_MTP_NORM && departs(mtp_norms, tensor, out)))
        return true;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (common[i].role == tensor->role) {
            *out = (struct lc_name){hwl_str_of(common[i].name), common[i].change};
            return true;
        }
    return false;
}
