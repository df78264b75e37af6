/* SPDX-License-Identifier: Apache-2.0 */
/* DeciLM (Nemotron Super 49B, Ultra 253B, Nano 51B): Llama whose layers a search has changed one by one. block_configs says of each how many
 * query heads share a key, how wide the feed-forward is, or that either is left out or a single matrix.
 * Shapes as in vLLM 0.33's nemotron_nas.py and llama.cpp's conversion/deci.py; the names of the matrices are those of mlx-lm's nemotron-nas. */
#include "arch/hf.h"

struct deci {
    struct hwl_attn_shape attn;
    bool qkv_bias, o_bias, mlp_bias;
    uint64_t d_ff;
};

/* 2/3 of the share of the hidden width, rounded up to whole 256. */
static uint64_t width(struct hwl_hb *b, const struct hwl_config *ffn, uint64_t hidden, uint64_t otherwise)
{
    if (!hwl_cfg_has(ffn, "ffn_mult"))
        return hwl_cfg_u64(ffn, "intermediate_size", otherwise);
    const double share = hwl_cfg_real(ffn, "ffn_mult", 0);
    if (!(share >= 0 && share < 1024) || hidden > HWL_CFG_MAX) {
        hwl_cfg_bad(ffn, "ffn_mult", "no share of the hidden width");
        return 0;
    }
    const uint64_t n = (uint64_t)(2 * share * (double)hidden / 3);
    return hwl_hb_mul(b, (n + 255) / 256, 256);
}

static void attention(struct hwl_hb *b, const struct deci *d, const struct hwl_config *c, uint64_t i)
{
    struct hwl_attn_shape s = d->attn;
    if (hwl_cfg_bool(c, "no_op", false))
        return;
    if (hwl_cfg_bool(c, "replace_with_linear", false)) {
        hwl_hb_linear(b, "self_attn.linear_attn", HWL_ROLE_ATTN_OUT, s.hidden, s.hidden, d->o_bias);
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, s.hidden, false);
        return;
    }
    const uint64_t group = hwl_cfg_u64(c, "n_heads_in_group", 0);
    s.kv_heads = group ? hwl_hb_div(b, "n_heads_in_group", s.heads, group) : s.kv_heads;
    const uint64_t q = hwl_hb_mul(b, s.heads, s.head_dim), kv = hwl_hb_mul(b, s.kv_heads, s.head_dim);
    hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, s.hidden, false);
    hwl_hb_linear(b, "self_attn.q_proj", HWL_ROLE_ATTN_Q, q, s.hidden, d->qkv_bias);
    hwl_hb_linear(b, "self_attn.k_proj", HWL_ROLE_ATTN_K, kv, s.hidden, d->qkv_bias);
    hwl_hb_linear(b, "self_attn.v_proj", HWL_ROLE_ATTN_V, kv, s.hidden, d->qkv_bias);
    hwl_hb_linear(b, "self_attn.o_proj", HWL_ROLE_ATTN_OUT, s.hidden, q, d->o_bias);
    hwl_hf_attn_fill(b, i, s, hwl_cfg_u64(c, "window_length", 0));
}

static void feed_forward(struct hwl_hb *b, const struct deci *d, const struct hwl_config *c, uint64_t i)
{
    const uint64_t h = d->attn.hidden;
    if (hwl_cfg_bool(c, "no_op", false))
        return;
    hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_FFN_NORM, h, false);
    if (hwl_cfg_bool(c, "replace_with_linear", false)) {
        hwl_hb_linear(b, "mlp.linear_mlp", HWL_ROLE_FFN_UP, h, h, d->mlp_bias);
        return;
    }
    const uint64_t ff = width(b, c, h, d->d_ff);
    hwl_hf_mlp(b, "mlp.", h, ff, d->mlp_bias);
    b->m->layers[i].feed_forward = HWL_FFN_DENSE;
    b->m->layers[i].ffn = (struct hwl_ffn){.d_ff = ff, .gated = true};
}

static void layer(struct hwl_hb *b, const struct hwl_config *c, const struct deci *d, uint64_t i)
{
    yyjson_val *const blocks = hwl_json_get(c->obj, "block_configs");
    yyjson_val *const block = yyjson_arr_get(blocks, (size_t)i);
    struct hwl_config attn = {NULL, "block_configs[].attention", c->log}, ffn = {NULL, "block_configs[].ffn", c->log};
    if (blocks && !yyjson_is_obj(block)) {
        hwl_cfg_bad(c, "block_configs", "no object for layer %llu", (unsigned long long)i);
        return;
    }
    if (block) {
        yyjson_val *const a = yyjson_obj_get(block, "attention"), *const f = yyjson_obj_get(block, "ffn");
        attn.obj = yyjson_is_obj(a) ? a : NULL;
        ffn.obj = yyjson_is_obj(f) ? f : NULL;
    }
    struct deci own = *d;
    if (hwl_cfg_n(c, "num_key_value_heads_per_layer")) /* DeciLM-7B */
        own.attn.kv_heads = hwl_cfg_at_u64(c, "num_key_value_heads_per_layer", i, d->attn.kv_heads);
    b->layer = (int32_t)i;
    const size_t mark = hwl_hb_push(b, "layers.%llu.", (unsigned long long)i);
    attention(b, &own, &attn, i);
    feed_forward(b, &own, &ffn, i);
    hwl_hb_pop(b, mark);
    b->layer = -1;
}

void hwl_hf_deci(struct hwl_hb *b, const struct hwl_config *c)
{
    struct deci d = {.attn = {.hidden = hwl_cfg_need(c, "hidden_size"), .heads = hwl_cfg_need(c, "num_attention_heads")}};
    const uint64_t vocab = hwl_cfg_need(c, "vocab_size"), n = hwl_cfg_need(c, "num_hidden_layers");
    d.attn.kv_heads = hwl_cfg_u64(c, "num_key_value_heads", d.attn.heads);
    d.attn.head_dim = hwl_cfg_u64(c, "head_dim", 0);
    if (!d.attn.head_dim)
        d.attn.head_dim = hwl_hb_div(b, "num_attention_heads", d.attn.hidden, d.attn.heads);
    d.qkv_bias = d.o_bias = hwl_cfg_bool(c, "attention_bias", false) || hwl_cfg_bool(c, "bias", false);
    d.mlp_bias = hwl_cfg_bool(c, "mlp_bias", false);
    d.d_ff = hwl_cfg_u64(c, "intermediate_size", 0);
    if (!hwl_cfg_has(c, "block_configs") && !d.d_ff)
        (void)hwl_cfg_need(c, "block_configs");
    if (!hwl_hb_layers(b, n, 0, 0))
        return;
    b->m->hidden = d.attn.hidden;
    b->m->vocab = vocab;
    b->m->context_train = hwl_cfg_u64(c, "max_position_embeddings", 0);
    const size_t mark = hwl_hb_push(b, "model.");
    hwl_hb_mat(b, "embed_tokens.weight", HWL_ROLE_TOK_EMBD, vocab, d.attn.hidden);
    for (uint64_t i = 0; i < n; i++)
        layer(b, c, &d, i);
    hwl_hb_norm(b, "norm", HWL_ROLE_OUTPUT_NORM, d.attn.hidden, false);
    hwl_hb_pop(b, mark);
    hwl_hf_head(b, "lm_head.weight", vocab, d.attn.hidden, hwl_cfg_bool(c, "tie_word_embeddings", false));
}
