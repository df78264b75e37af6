/* SPDX-License-Identifier: Apache-2.0 */
/* A model from the metadata that llama.cpp prints of it, where neither the file nor the catalogue has it: the configuration
 * that the converter would have read these figures from, which then goes the road of every configuration. */
#include "base/status.h"
#include "log/internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 4096 };

/* llama.cpp's architectures, and whose configuration has the same figures. More: keys that the family needs beside the common
 * ones. Facts from llama.cpp 0c1e57098: conversion/. */
static const struct family {
    const char *arch, *type, *more;
} families[] = {
    {"command-r", "cohere", ""},
    {"gemma", "gemma", ""},
    {"gemma2", "gemma2", ""},
    {"gemma3", "gemma3_text", ""},
    {"glm4", "glm4", ""},
    {"glm4moe", "glm4_moe", ""},
    {"gpt-oss", "gpt_oss", ""},
    {"granite", "granite", ""},
    {"granitemoe", "granitemoe", ""},
    {"llama", "llama", ""},
    {"minimax-m2", "minimax_m2", ""},
    {"mistral3", "ministral3", ""},
    {"nemotron", "nemotron", ""},
    {"olmo2", "olmo2", ""},
    {"phi3", "phi3", ""},
    {"qwen2", "qwen2", ""},
    {"qwen2moe", "qwen2_moe", ""},
    {"qwen2vl", "qwen2", ""},
    {"qwen3", "qwen3", ""},
    {"qwen35", "qwen3_5_text", "\"full_attention_interval\":4,"},
    {"qwen35moe", "qwen3_5_moe_text", "\"full_attention_interval\":4,"},
    {"qwen3moe", "qwen3_moe", "\"decoder_sparse_step\":1,\"mlp_only_layers\":[],"},
    {"qwen3next", "qwen3_next", "\"full_attention_interval\":4,\"decoder_sparse_step\":1,\"mlp_only_layers\":[],"},
    {"qwen3vl", "qwen3", ""},
    {"qwen3vlmoe", "qwen3_moe", "\"decoder_sparse_step\":1,\"mlp_only_layers\":[],"},
    {"seed_oss", "seed_oss", ""},
    {"smollm3", "smollm3", ""},
    {"starcoder2", "starcoder2", ""},
    {"deepseek2", "deepseek_v3", ""},
};

static bool number(const char *text, uint64_t *out)
{
    char *end;
    if (!text || *text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return (*end == 0 || *end == ' ') && *out < (uint64_t)1 << 40;
}

/* A figure under the name that print_info has or under the file's key; 0 where neither is there. */
static uint64_t figure(const struct hwl_log *log, const char *printed, const char *key)
{
    uint64_t v = 0;
    if (number(hwl_log_meta(log, key), &v) || number(hwl_log_meta(log, printed), &v))
        return v;
    return 0;
}

static const char *arch_of(const struct hwl_log *log)
{
    const char *arch = hwl_log_meta(log, "arch");
    arch = arch ? arch : hwl_log_meta(log, "general.architecture");
    return arch ? arch : "";
}

bool hwl_log_fits_metadata(const struct hwl_log *log, const hwl_model *model)
{
    hwl_model_info m;
    hwl_model_get_info(model, &m);
    const uint64_t layers = figure(log, "n_layer", "block_count"), hidden = figure(log, "n_embd", "embedding_length");
    const uint64_t vocab = figure(log, "n_vocab", "vocab_size"), ff = figure(log, "n_ff", "feed_forward_length");
    const uint64_t kv = figure(log, "n_head_kv", "attention.head_count_kv"), experts = figure(log, "n_expert", "expert_count");
    bool fits = (!layers || layers == m.n_layers || layers == (uint64_t)m.n_layers + m.n_mtp_layers) && (!hidden || hidden == m.hidden) && (!vocab || vocab == m.vocabulary);
    const struct hwl_layer *last = model->n_layers ? &model->layers[model->n_layers - 1] : NULL;
    if (last && last->feed_forward == HWL_FFN_DENSE && ff && last->ffn.d_ff)
        fits = fits && ff == last->ffn.d_ff;
    if (last && experts)
        fits = fits && experts == last->ffn.n_experts;
    return fits && (!kv || !last || !last->attn.n_kv_heads || last->attn.kv_lora_rank || kv == last->attn.n_kv_heads || last->attn.window);
}

struct text {
    char p[4096];
    size_t n;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->p + t->n, sizeof t->p - t->n, format, args);
    va_end(args);
    t->n = n < 0 || (size_t)n >= sizeof t->p - t->n ? sizeof t->p - 1 : t->n + (size_t)n;
}

static void add_u64(struct text *t, const char *key, uint64_t value)
{
    if (value)
        add(t, "\"%s\":%llu,", key, (unsigned long long)value);
}

/* What the log does not tell and the parameter count may decide. */
struct guess {
    bool tied;
    uint64_t d_expert;
};

static void experts(const struct hwl_log *log, struct text *t, struct guess g)
{
    const uint64_t n = figure(log, "n_expert", "expert_count");
    if (!n)
        return;
    add_u64(t, "num_experts", n);
    add_u64(t, "num_local_experts", n);
    add_u64(t, "n_routed_experts", n);
    add_u64(t, "num_experts_per_tok", figure(log, "n_expert_used", "expert_used_count"));
    add_u64(t, "moe_intermediate_size", g.d_expert);
    const uint64_t shared = figure(log, "n_ff_shexp", "expert_shared_feed_forward_length");
    add_u64(t, "shared_expert_intermediate_size", shared ? shared : g.d_expert);
    add_u64(t, "n_shared_experts", figure(log, "n_expert_shared", "expert_shared_count"));
    add_u64(t, "first_k_dense_replace", figure(log, "n_layer_dense_lead", "leading_dense_block_count"));
}

/* Gated delta nets: the figures of a state space that llama.cpp keeps them under. */
static void states(const struct hwl_log *log, struct text *t)
{
    const uint64_t heads = figure(log, "ssm_dt_rank", "ssm.time_step_rank"), inner = figure(log, "ssm_d_inner", "ssm.inner_size");
    const uint64_t groups = figure(log, "ssm_n_group", "ssm.group_count");
    if (!heads || !inner)
        return;
    add_u64(t, "linear_num_value_heads", heads);
    add_u64(t, "linear_num_key_heads", groups ? groups : 16);
    add_u64(t, "linear_key_head_dim", figure(log, "ssm_d_state", "ssm.state_size"));
    add_u64(t, "linear_value_head_dim", inner / heads);
    add_u64(t, "linear_conv_kernel_dim", figure(log, "ssm_d_conv", "ssm.conv_kernel"));
}

static void latent(const struct hwl_log *log, struct text *t)
{
    const uint64_t rank = figure(log, "n_lora_kv", "attention.kv_lora_rank"), rot = figure(log, "n_rot", "rope.dimension_count");
    const uint64_t mla = figure(log, "n_embd_head_k_mla", "attention.key_length_mla"), plain = figure(log, "n_embd_head_k", "attention.key_length");
    const uint64_t v_mla = figure(log, "n_embd_head_v_mla", "attention.value_length_mla"), v = figure(log, "n_embd_head_v", "attention.value_length");
    const uint64_t k = mla ? mla : plain;
    if (!rank || k <= rot)
        return;
    add_u64(t, "kv_lora_rank", rank);
    add_u64(t, "q_lora_rank", figure(log, "n_lora_q", "attention.q_lora_rank"));
    add_u64(t, "qk_rope_head_dim", rot);
    add_u64(t, "qk_nope_head_dim", k - rot);
    add_u64(t, "v_head_dim", mla ? v_mla : v);
}

static hwl_status open_guess(const struct hwl_log *log, const struct family *f, struct guess g, const hwl_open_options *options, hwl_model **out,
                             hwl_error *error)
{
    struct text t = {.n = 0};
    const bool moe = figure(log, "n_expert", "expert_count") > 0;
    const uint64_t swa = figure(log, "n_swa", "attention.sliding_window");
    add(&t, "{\"model_type\":\"%s\",%s", moe && strcmp(f->type, "llama") == 0 ? "mixtral" : f->type, f->more);
    add_u64(&t, "num_hidden_layers", figure(log, "n_layer", "block_count"));
    add_u64(&t, "hidden_size", figure(log, "n_embd", "embedding_length"));
    add_u64(&t, "num_attention_heads", figure(log, "n_head", "attention.head_count"));
    add_u64(&t, "num_key_value_heads", figure(log, "n_head_kv", "attention.head_count_kv"));
    if (strcmp(f->type, "deepseek_v3") != 0)
        add_u64(&t, "head_dim", figure(log, "n_embd_head_k", "attention.key_length"));
    add_u64(&t, "intermediate_size", figure(log, "n_ff", "feed_forward_length"));
    add_u64(&t, "vocab_size", figure(log, "n_vocab", "vocab_size"));
    add_u64(&t, "max_position_embeddings", figure(log, "n_ctx_train", "context_length"));
    if (swa && strcmp(f->type, "qwen2") != 0)
        add_u64(&t, "sliding_window", swa);
    experts(log, &t, g);
    states(log, &t);
    latent(log, &t);
    add(&t, "\"torch_dtype\":\"bfloat16\",\"tie_word_embeddings\":%s}", g.tied ? "true" : "false");
    const char *name = hwl_log_meta(log, "general.name");
    return hwl_model_from_config(t.p, t.n, name ? name : "the log's metadata", options, out, error);
}

static double parameters(const hwl_model *model)
{
    hwl_model_info m;
    hwl_model_get_info(model, &m);
    return (double)m.parameters;
}

/* "30.53 B", "494.03 M" */
static bool logged_parameters(const struct hwl_log *log, double *value, double *rounding)
{
    const char *text = hwl_log_meta(log, "model params");
    const uint64_t n = text ? hwl_log_number(text, value, rounding) : 0;
    const double unit = !n ? 0 : strncmp(text + n, " B", 2) == 0 ? 1e9 : strncmp(text + n, " M", 2) == 0 ? 1e6 : strncmp(text + n, " T", 2) == 0 ? 1e12 : 0;
    *value *= unit;
    *rounding *= unit;
    return unit > 0 && *value > 0;
}

/* The width of an expert where it is not printed: the parameters grow by the same for each column. */
static bool solve_width(const struct hwl_log *log, const struct family *f, struct guess *g, const hwl_open_options *options)
{
    double at[2], want, rounding;
    if (!logged_parameters(log, &want, &rounding))
        return false;
    for (int i = 0; i < 2; i++) {
        hwl_model *m;
        g->d_expert = i ? 512 : 256;
        if (open_guess(log, f, *g, options, &m, NULL) != HWL_OK)
            return false;
        at[i] = parameters(m);
        hwl_model_free(m);
    }
    const double width = 256 + (want - at[0]) / ((at[1] - at[0]) / 256);
    if (!(width >= 16 && width < 65536) || !(at[1] > at[0]))
        return false;
    g->d_expert = (uint64_t)(width / 32 + 0.5) * 32;
    return g->d_expert > 0 && fabs((double)g->d_expert - width) <= rounding / ((at[1] - at[0]) / 256) + 1;
}

hwl_status hwl_log_model_of_metadata(struct hwl_log *log, const hwl_open_options *options, hwl_model **out, hwl_error *error)
{
    const char *arch = arch_of(log);
    const struct family *f = NULL;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(families[i].arch, arch) == 0)
            f = &families[i];
    const uint64_t layers = figure(log, "n_layer", "block_count");
    if (!f)
        return hwl_fail(error, HWL_E_NOT_FOUND, *arch ? "no model can be made of the logged metadata of a %.40s" : "the log prints no metadata%s", arch);
    if (!layers || layers > MOST_LAYERS || !figure(log, "n_embd", "embedding_length") || !figure(log, "n_head", "attention.head_count"))
        return hwl_fail(error, HWL_E_NOT_FOUND, "the logged metadata lack layers, width or heads");
    if (!figure(log, "n_vocab", "vocab_size"))
        return hwl_fail(error, HWL_E_NOT_FOUND, "the logged metadata lack the vocabulary");
    struct guess g = {.d_expert = figure(log, "n_ff_exp", "expert_feed_forward_length")};
    const bool moe = figure(log, "n_expert", "expert_count") > 0;
    double want = 0, rounding = 0, near = INFINITY;
    if (moe && !g.d_expert && !solve_width(log, f, &g, options) && strstr("llama gpt-oss", arch) == NULL)
        return hwl_fail(error, HWL_E_NOT_FOUND, "the logged metadata lack the width of an expert");
    const bool counted = logged_parameters(log, &want, &rounding);
    hwl_model *best = NULL;
    hwl_error e = {.offset = HWL_NO_OFFSET};
    for (int i = 0; i < 2 && (counted || !i); i++) { /* is the output matrix one of its own? */
        hwl_model *m;
        g.tied = i > 0;
        if (open_guess(log, f, g, options, &m, &e) != HWL_OK)
            break;
        const double off = fabs(parameters(m) - want);
        if (best && off >= near) {
            hwl_model_free(m);
            continue;
        }
        hwl_model_free(best);
        best = m;
        near = off;
    }
    if (!best) {
        if (error)
            *error = e;
        return e.status ? e.status : HWL_E_NOT_FOUND;
    }
    if (counted && near > rounding * 1.01)
        hwl_log_add_note(log, "made of its metadata the model has %.2f B parameters, the log prints %.2f B: tensors that the metadata do not show", parameters(best) / 1e9, want / 1e9);
    *out = best;
    return HWL_OK;
}
