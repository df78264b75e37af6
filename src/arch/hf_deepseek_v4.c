/* SPDX-License-Identifier: Apache-2.0 */
/* DeepSeek-V4: one shared key-value head, compressors of two strengths, hyper-connections (transformers 5.24, deepseek_v4). */
#include "arch/hf_text.h"

#include <stdio.h>
#include <string.h>

enum kind { SLIDING, CSA, HCA };

/* compress_ratios gives the tokens of a compressed entry of each layer: 0, 4, 128; layer_types names the same. */
static enum kind kind_of(const struct hwl_text *t, uint64_t i)
{
    const struct hwl_config *c = &t->b->cfg;
    if (hwl_cfg_n(c, "layer_types")) {
        const char *name = hwl_cfg_at_str(c, "layer_types", i, "sliding_attention");
        return strcmp(name, "sliding_attention") == 0 ? SLIDING : strcmp(name, "compressed_sparse_attention") == 0 ? CSA : HCA;
    }
    if (hwl_cfg_n(c, "compress_ratios")) {
        const uint64_t ratio = hwl_cfg_at_u64(c, "compress_ratios", i, 0);
        return ratio == 0 ? SLIDING : ratio <= 8 ? CSA : HCA;
    }
    return i >= 2 && i % 2 ? CSA : HCA; /* the class's own pattern */
}

static uint64_t rate(const struct hwl_text *t, uint64_t i)
{
    const enum kind k = kind_of(t, i);
    if (k == SLIDING)
        return 0;
    const uint64_t given = hwl_cfg_at_u64(&t->b->cfg, "compress_ratios", i, 0);
    if (given)
        return given;
    return k == CSA ? hwl_cfg_u64(&t->b->cfg, "compress_rates.compressed_sparse_attention", 4)
                    : hwl_cfg_u64(&t->b->cfg, "compress_rates.heavily_compressed_attention", 128);
}

static bool every_layer(const struct hwl_text *t, uint64_t layer)
{
    (void)t;
    (void)layer;
    return true;
}

static void resolve(struct hwl_text *t)
{
    if (hwl_b_u64(t->b, "hc_mult", 4) > 1024 || hwl_b_u64(t->b, "o_lora_rank", 0) > UINT32_MAX || hwl_b_u64(t->b, "o_groups", 1) > 65536 ||
        hwl_b_u64(t->b, "index_n_heads", 0) > 65536 || hwl_b_u64(t->b, "index_head_dim", 0) > 65536)
        hwl_cfg_bad(&t->b->cfg, "hc_mult", "absurd sizes of hyper-connections, groups or indexer");
    t->is_moe = every_layer;
    t->kv_heads = 1;
    t->head_dim_v = 0; /* the key is read as the value too */
    t->q_rank = hwl_b_need(t->b, "q_lora_rank");
    t->d_shared = t->d_expert; /* one shared expert, whatever n_shared_experts says */
    t->n_shared = 1;
}

static void describe(const struct hwl_text *t, struct hwl_layer *layer, uint64_t i)
{
    struct hwl_attention *a = &layer->attn;
    const enum kind k = kind_of(t, i);
    a->window = t->window; /* compressed layers keep a window of plain rows too */
    layer->mixer = k == SLIDING ? HWL_MIXER_SLIDING : HWL_MIXER_SPARSE;
    a->compress_ratio = (uint32_t)rate(t, i);
    a->q_lora_rank = (uint32_t)t->q_rank;
    a->qk_rope_dim = hwl_b_u32(t->b, "qk_rope_head_dim", 64);
    a->sinks = true;
    if (k == CSA) {
        a->index_heads = hwl_b_u32(t->b, "index_n_heads", 0);
        a->index_head_dim = hwl_b_u32(t->b, "index_head_dim", 0);
        a->index_topk = hwl_b_u32(t->b, "index_topk", 0);
    }
}

static void compressor(struct hwl_text *t, int32_t l, const char *name, uint64_t dim, uint64_t width, uint64_t tokens)
{
    hwl_emit_linear(t->b, HWL_ROLE_INDEXER, l, width, t->hidden, false, "%s.%d.self_attn.%s.kv_proj", t->r.stack, hwl_text_number(t, l), name);
    hwl_emit_linear(t->b, HWL_ROLE_INDEXER, l, width, t->hidden, false, "%s.%d.self_attn.%s.gate_proj", t->r.stack, hwl_text_number(t, l), name);
    (void)hwl_emit(t->b, HWL_ROLE_INDEXER, l, tokens, width, "%s.%d.self_attn.%s.position_bias", t->r.stack, hwl_text_number(t, l), name);
    hwl_emit_linear(t->b, HWL_ROLE_INDEXER, l, dim, 0, false, "%s.%d.self_attn.%s.kv_norm", t->r.stack, hwl_text_number(t, l), name);
}

static void attention(struct hwl_text *t, int32_t l)
{
    struct hwl_build *b = t->b;
    const int n = hwl_text_number(t, l);
    const char *const at = t->r.stack;
    const uint64_t groups = hwl_b_need(b, "o_groups"), rank = hwl_b_need(b, "o_lora_rank"), d = t->head_dim;
    if (!groups || (t->heads * d) % groups) {
        hwl_cfg_bad(&b->cfg, "o_groups", "does not divide the width of all heads");
        return;
    }
    hwl_emit_linear(b, HWL_ROLE_ATTN_Q_A, l, t->q_rank, t->hidden, false, "%s.%d.self_attn.q_a_proj", at, n);
    hwl_emit_linear(b, HWL_ROLE_ATTN_Q_A_NORM, l, t->q_rank, 0, false, "%s.%d.self_attn.q_a_norm", at, n);
    hwl_emit_linear(b, HWL_ROLE_ATTN_Q_B, l, t->heads * d, t->q_rank, false, "%s.%d.self_attn.q_b_proj", at, n);
    hwl_emit_linear(b, HWL_ROLE_ATTN_KV_A, l, d, t->hidden, false, "%s.%d.self_attn.kv_proj", at, n);
    hwl_emit_linear(b, HWL_ROLE_ATTN_KV_A_NORM, l, d, 0, false, "%s.%d.self_attn.kv_norm", at, n);
    hwl_emit_linear(b, HWL_ROLE_ATTN_OUT, l, groups * rank, t->heads * d / groups, false, "%s.%d.self_attn.o_a_proj", at, n);
    hwl_emit_linear(b, HWL_ROLE_ATTN_OUT, l, t->hidden, groups * rank, false, "%s.%d.self_attn.o_b_proj", at, n);
    (void)hwl_emit(b, HWL_ROLE_ATTN_SINKS, l, t->heads, 0, "%s.%d.self_attn.sinks", at, n);
    const enum kind k = kind_of(t, t->like);
    const uint64_t tokens = rate(t, t->like);
    if (k == SLIDING)
        return;
    compressor(t, l, "compressor", d, k == CSA ? 2 * d : d, tokens);
    if (k == HCA)
        return;
    const uint64_t ih = hwl_b_need(b, "index_n_heads"), id = hwl_b_need(b, "index_head_dim");
    compressor(t, l, "compressor.indexer", id, 2 * id, tokens);
    hwl_emit_linear(b, HWL_ROLE_INDEXER, l, ih * id, t->q_rank, false, "%s.%d.self_attn.compressor.indexer.q_b_proj", at, n);
    hwl_emit_linear(b, HWL_ROLE_INDEXER, l, ih, t->hidden, false, "%s.%d.self_attn.compressor.indexer.scorer.weights_proj", at, n);
}

/* The first layers with experts choose them by a table over the vocabulary, and have no correction bias. */
static bool hashed(const struct hwl_text *t, uint64_t i)
{
    const struct hwl_config *c = &t->b->cfg;
    if (hwl_cfg_n(c, "mlp_layer_types"))
        return strcmp(hwl_cfg_at_str(c, "mlp_layer_types", i, "moe"), "hash_moe") == 0;
    return i < hwl_cfg_u64(c, "num_hash_layers", 3);
}

static void before_layer(struct hwl_text *t, uint64_t i)
{
    t->correction = !hashed(t, i);
}

/* Hyper-connections are mixed, and stored, in 32 bits. */
static void in_f32(struct hwl_tensor *t)
{
    if (t && t->dtype != HWL_DTYPE_F32 && hwl_mul(&t->bytes, t->elements, 4))
        t->dtype = HWL_DTYPE_F32;
}

/* The streams of hyper-connections become one. */
static void head_of(struct hwl_text *t, int32_t l, const char *name)
{
    const uint64_t m = hwl_b_u64(t->b, "hc_mult", 4);
    in_f32(hwl_emit(t->b, HWL_ROLE_RESIDUAL, l, m, m * t->hidden, "%s.hc_fn", name));
    in_f32(hwl_emit(t->b, HWL_ROLE_RESIDUAL, l, m, 0, "%s.hc_base", name));
    in_f32(hwl_emit(t->b, HWL_ROLE_RESIDUAL, l, 1, 0, "%s.hc_scale", name));
}

/* Hyper-connections: hc_mult streams of the residual, mixed before attention and feed-forward. */
static void connections(struct hwl_text *t, int32_t l)
{
    const uint64_t m = hwl_b_u64(t->b, "hc_mult", 4), w = (2 + m) * m;
    static const char *const side[] = {"attn_hc", "ffn_hc"};
    struct hwl_tensor *table = t->correction ? NULL
                                             : hwl_emit(t->b, HWL_ROLE_ROUTER, l, t->vocab, t->n_used, "%s.%d.mlp.gate.tid2eid", t->r.stack,
                                                        hwl_text_number(t, l));
    if (table) {
        table->buffer = true;
        table->elements = 0;
        table->dtype = HWL_DTYPE_I64;
        table->bytes = 8 * t->vocab * t->n_used; /* both below 2^32 */
    }
    for (int i = 0; i < 2; i++) {
        in_f32(hwl_emit(t->b, HWL_ROLE_RESIDUAL, l, w, m * t->hidden, "%s.%d.%s.fn", t->r.stack, hwl_text_number(t, l), side[i]));
        in_f32(hwl_emit(t->b, HWL_ROLE_RESIDUAL, l, w, 0, "%s.%d.%s.base", t->r.stack, hwl_text_number(t, l), side[i]));
        in_f32(hwl_emit(t->b, HWL_ROLE_RESIDUAL, l, 3, 0, "%s.%d.%s.scale", t->r.stack, hwl_text_number(t, l), side[i]));
    }
    if (t->number_from) { /* a predictor ends in a head of its own */
        char name[64];
        (void)snprintf(name, sizeof name, "%s.%d.hc_head", t->r.stack, hwl_text_number(t, l));
        head_of(t, l, name);
    }
}

static void head(struct hwl_text *t)
{
    head_of(t, -1, "model.hc_head");
}

const struct hwl_text_row hwl_row_deepseek_v4 = {.mlp_bias = "mlp_bias=0", .has_moe = true, .correction = "1", .adjust = resolve, .attention = attention,
                                                 .describe = describe, .per_layer = before_layer, .layer_extra = connections, .extra = head,
                                                 .mtp = &hwl_mtp_deepseek_v4};
