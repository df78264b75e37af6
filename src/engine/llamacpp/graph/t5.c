/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/build.h"

#include <string.h>

/* T5 (src/models/t5.cpp, t5encoder.cpp, 0c1e57098): scores with a bias by relative position. What is reserved is the decoder
 * over a cache, its cross attention over as many encoded tokens as the model was trained for; or the encoder where it is alone. */

static hwl_gt norm(struct hwl_build *b, hwl_gt x, int32_t il, const char *weight)
{
    return hwl_b_norm(b, x, hwl_b_w(b, il, weight), NULL, false, il);
}

/* The first layer's table serves those that have none. */
static hwl_gt position_bias(struct hwl_build *b, hwl_gt bucket, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    hwl_gt table = hwl_b_w(b, (int32_t)il, "attn_rel_b.weight");
    if (!table)
        table = hwl_b_w(b, 0, "attn_rel_b.weight");
    if (!table || !bucket)
        return NULL;
    hwl_gt flat = hwl_g_reshape(g, bucket, hwl_g_nelements(bucket), 1, 1, 1);
    hwl_gt bias = hwl_g_reshape(g, hwl_g_get_rows(g, table, flat), table->ne[0], bucket->ne[0], bucket->ne[1], 1);
    return hwl_g_cont(g, hwl_g_permute(g, bias, 2, 0, 1, 3));
}

static hwl_gt cross_attention(struct hwl_build *b, hwl_gt x, hwl_gt encoded, hwl_gt mask, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const uint64_t hd = b->m->head_v, heads = b->m->layers[il].n_head, kv = b->m->layers[il].n_head_kv, n = encoded->ne[1];
    struct hwl_qkv c;
    c.q = hwl_g_mm(g, hwl_b_w(b, l, "cross_attn_q.weight"), x);
    c.k = hwl_g_mm(g, hwl_b_w(b, l, "cross_attn_k.weight"), encoded);
    c.v = hwl_g_mm(g, hwl_b_w(b, l, "cross_attn_v.weight"), encoded);
    c.q = hwl_g_reshape(g, c.q, hd, heads, b->n_tokens, 1);
    c.k = hwl_g_reshape(g, c.k, hd, kv, n, 1);
    c.v = hwl_g_reshape(g, c.v, hd, kv, n, 1);
    return hwl_b_attn_free(b, c, mask, hwl_b_w(b, l, "cross_attn_o.weight"), NULL, il);
}

static hwl_gt feed_forward(struct hwl_build *b, hwl_gt in, uint32_t il)
{
    hwl_gt x = hwl_b_ffn(b, norm(b, in, (int32_t)il, "ffn_norm.weight"), (int32_t)il, "", HWL_ACT_RELU, false);
    return hwl_g_add(&b->g, x, in);
}

static void decoder(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    const uint64_t hd = b->m->head_v, n_encoded = b->m->n_ctx_train;
    const double n_layer = hwl_b_num(b, "decoder_block_count", b->m->n_layer);
    hwl_gt x = hwl_b_inp_embd(b);
    hwl_gt encoded = hwl_g_input(g, HWL_DTYPE_F32, b->m->n_embd, n_encoded, 1, 1, "cross_embd");
    hwl_gt bucket = hwl_g_input(g, HWL_DTYPE_I32, b->p->kv_cells, b->n_tokens, 1, 1, "pos_bucket_dec");
    hwl_b_inp_attn(b);
    hwl_gt mask = hwl_g_input(g, b->fa ? HWL_DTYPE_F16 : HWL_DTYPE_F32, n_encoded, b->n_tokens, 1, 1, "cross_kq_mask");
    hwl_b_inp_out_ids(b);
    if (n_layer != b->m->n_layer) /* a decoder of another depth: caches and devices are the encoder's */
        g->failed = true;
    for (uint32_t il = 0; il < b->m->n_layer && !g->failed; il = hwl_b_next(b, il)) {
        const int32_t l = (int32_t)il;
        struct hwl_qkv c = hwl_b_qkv(b, norm(b, x, l, "attn_norm.weight"), il, hd, hd, true);
        b->score_bias = position_bias(b, bucket, il);
        hwl_gt in = hwl_g_add(g, hwl_b_attn(b, c, NULL, hwl_b_w(b, l, "attn_o.weight"), NULL, il), x);
        b->score_bias = NULL;
        hwl_gt cur = cross_attention(b, norm(b, in, l, "cross_attn_norm.weight"), encoded, mask, il);
        if (il + 1 == b->m->n_layer) {
            cur = hwl_g_get_rows(g, cur, b->out_ids);
            in = hwl_g_get_rows(g, in, b->out_ids);
        }
        x = feed_forward(b, hwl_g_add(g, cur, in), il);
    }
    hwl_b_output(b, x, false);
    if (b->logits)
        b->logits->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(g, b->logits);
}

static void encoder(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    const uint64_t hd = b->m->head_v, n = b->n_tokens;
    hwl_gt x = hwl_b_inp_embd(b), bucket = hwl_g_input(g, HWL_DTYPE_I32, n, n, 1, 1, "pos_bucket_enc");
    hwl_gt mask = hwl_g_input(g, b->fa ? HWL_DTYPE_F16 : HWL_DTYPE_F32, n, n, 1, 1, "self_kq_mask");
    hwl_b_inp_out_ids(b);
    for (uint32_t il = 0; il < b->m->n_layer && !g->failed; il = hwl_b_next(b, il)) {
        const int32_t l = (int32_t)il;
        struct hwl_qkv c = hwl_b_qkv(b, norm(b, x, l, "attn_norm.weight"), il, hd, hd, true);
        b->score_bias = position_bias(b, bucket, il);
        hwl_gt cur = hwl_b_attn_free(b, c, mask, hwl_b_w(b, l, "attn_o.weight"), NULL, il);
        if (il + 1 == b->m->n_layer) {
            cur = hwl_g_get_rows(g, cur, b->out_ids);
            x = hwl_g_get_rows(g, x, b->out_ids);
        }
        x = feed_forward(b, hwl_g_add(g, cur, x), il);
    }
    b->score_bias = NULL;
    x = norm(b, x, -1, "enc.output_norm.weight");
    if (x)
        x->flags |= HWL_GFLAG_OUTPUT;
    b->embd = x;
    hwl_g_expand(g, x);
}

void hwl_b_t5(struct hwl_build *b)
{
    const bool alone = !strcmp(b->m->arch, "t5encoder");
    b->stack = alone ? "enc." : "dec.";
    if (alone)
        encoder(b);
    else
        decoder(b);
}
