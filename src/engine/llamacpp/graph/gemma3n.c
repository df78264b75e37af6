/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/build.h"

/* Gemma 3n (src/models/gemma3n.cpp, 0c1e57098): four parallel streams of which one is computed and the others corrected, a
 * narrow bypass of attention, sparse feed-forwards in the first layers, and late layers that read an earlier layer's cache. */

enum { STREAMS = 4, ACTIVE = 0, SPARSE_LAYERS = 10 }; /* llama_hparams n_altup, i_altup_act; gemma3n.h n_layer_sparsity */

static hwl_gt norm(struct hwl_build *b, hwl_gt x, int32_t il, const char *weight, int32_t at)
{
    return hwl_b_norm(b, x, hwl_b_w(b, il, weight), NULL, false, at);
}

static hwl_gt slice(struct hwl_graph *g, hwl_gt x, uint64_t i)
{
    return x ? hwl_g_view2(g, x, x->ne[0], x->ne[1], x->ne[0] * 4, i * x->ne[0] * x->ne[1] * 4) : NULL;
}

static hwl_gt rest(struct hwl_graph *g, hwl_gt x)
{
    const uint64_t row = x ? x->ne[0] * 4 : 0, plane = x ? row * x->ne[1] : 0;
    return x ? hwl_g_view3(g, x, x->ne[0], x->ne[1], STREAMS - 1, row, plane, plane) : NULL;
}

static hwl_gt op(struct hwl_graph *g, uint8_t o, hwl_gt x)
{
    return hwl_g_like(g, o, x, NULL, NULL);
}

static hwl_gt magnitude(struct hwl_graph *g, hwl_gt x)
{
    return op(g, HWL_OP_SQRT, hwl_g_sum_rows(g, op(g, HWL_OP_SQR, x)));
}

static hwl_gt modalities(struct hwl_build *b, hwl_gt x, int32_t l)
{
    struct hwl_graph *g = &b->g;
    x = hwl_g_scale(g, norm(b, x, l, "altup_router_norm.weight", l));
    return hwl_g_unary(g, hwl_g_mm(g, hwl_b_w(b, l, "altup_router.weight"), x));
}

static hwl_gt predict(struct hwl_build *b, hwl_gt x, int32_t l)
{
    struct hwl_graph *g = &b->g;
    hwl_gt m = modalities(b, slice(g, x, ACTIVE), l);
    hwl_gt coefs = hwl_g_reshape(g, hwl_g_mm(g, hwl_b_w(b, l, "altup_predict_coef.weight"), m), STREAMS, STREAMS, b->n_tokens, 1);
    hwl_gt y = hwl_g_mm(g, hwl_g_cont(g, hwl_g_permute(g, x, 1, 2, 0, 3)), coefs);
    return hwl_g_add(g, hwl_g_cont(g, hwl_g_permute(g, y, 0, 2, 1, 3)), x);
}

static hwl_gt correct(struct hwl_build *b, hwl_gt predictions, hwl_gt activated, int32_t l)
{
    struct hwl_graph *g = &b->g;
    const uint64_t n = b->n_tokens;
    hwl_gt m = modalities(b, activated, l), new = hwl_g_sub(g, activated, slice(g, predictions, ACTIVE));
    hwl_gt coefs = hwl_g_scale(g, hwl_g_mm(g, hwl_b_w(b, l, "altup_correct_coef.weight"), m));
    coefs = hwl_g_cont4(g, hwl_g_transpose(g, coefs), 1, n, STREAMS, 1);
    new = hwl_g_repeat(g, new, b->m->n_embd, n, STREAMS, 1);
    return hwl_g_add(g, hwl_g_mul(g, new, coefs), predictions);
}

static hwl_gt attention(struct hwl_build *b, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const uint64_t hd = b->m->head_k, heads = b->m->layers[il].n_head, n = b->n_tokens;
    struct hwl_qkv c = { NULL, NULL, NULL };
    if (hwl_lc_has_kv(b->m, il)) {
        c = hwl_b_qkv(b, x, il, hd, hd, true);
        c.k = hwl_g_rope(g, norm(b, c.k, l, "attn_k_norm.weight", l), b->pos, NULL);
        c.v = hwl_g_rms(g, c.v);
    } else if (hwl_b_w(b, l, "attn_qkv.weight")) {
        hwl_gt all = hwl_g_mm(g, hwl_b_w(b, l, "attn_qkv.weight"), x);
        c.q = all ? hwl_g_cont(g, hwl_g_view2(g, all, hd * heads, n, all->nb[1], 0)) : NULL;
    } else
        c.q = hwl_g_mm(g, hwl_b_w(b, l, "attn_q.weight"), x);
    if (!c.k)
        c.q = hwl_g_reshape(g, c.q, hd, heads, n, 1);
    c.q = hwl_g_rope(g, norm(b, c.q, l, "attn_q_norm.weight", l), b->pos, NULL);
    return hwl_b_attn(b, c, NULL, hwl_b_w(b, l, "attn_output.weight"), NULL, il);
}

/* Values below a multiple of the deviation are cut off. */
static hwl_gt sparse(struct hwl_graph *g, hwl_gt x)
{
    if (!x)
        return NULL;
    hwl_gt mean = hwl_g_make(g, HWL_OP_MEAN, HWL_DTYPE_F32, 1, x->ne[1], x->ne[2], x->ne[3], (const hwl_gt[]){ x }, 1);
    hwl_gt std = hwl_g_sum_rows(g, op(g, HWL_OP_SQR, hwl_g_sub(g, x, mean)));
    std = op(g, HWL_OP_SQRT, hwl_g_scale(g, std));
    return hwl_g_unary(g, hwl_g_sub(g, x, hwl_g_add(g, mean, hwl_g_scale(g, std))));
}

static hwl_gt layer(struct hwl_build *b, hwl_gt x, hwl_gt inputs, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    hwl_gt predictions = predict(b, x, l), active = slice(g, predictions, ACTIVE);
    hwl_gt cur = norm(b, active, l, "attn_norm.weight", l);
    hwl_gt bypass = hwl_g_mm(g, hwl_b_w(b, l, "laurel_r.weight"), hwl_g_mm(g, hwl_b_w(b, l, "laurel_l.weight"), cur));
    bypass = hwl_g_add(g, norm(b, bypass, l, "laurel_post_norm.weight", l), cur);
    cur = hwl_g_add(g, norm(b, attention(b, cur, il), l, "post_attention_norm.weight", l), active);
    hwl_gt in = hwl_g_scale(g, hwl_g_add(g, cur, bypass));
    cur = norm(b, in, l, "ffn_norm.weight", l);
    hwl_gt up = hwl_g_mm(g, hwl_b_w(b, l, "ffn_up.weight"), cur), gate = hwl_g_mm(g, hwl_b_w(b, l, "ffn_gate.weight"), cur);
    if (il < SPARSE_LAYERS)
        gate = sparse(g, gate);
    cur = hwl_g_mm(g, hwl_b_w(b, l, "ffn_down.weight"), hwl_g_mul(g, up, hwl_g_unary(g, gate)));
    hwl_gt all = correct(b, predictions, hwl_g_add(g, norm(b, cur, l, "post_ffw_norm.weight", -1), in), l);
    hwl_gt first = hwl_g_mul(g, slice(g, all, ACTIVE), hwl_b_w(b, l, "altup_correct_scale.weight"));
    first = hwl_g_unary(g, hwl_g_mm(g, hwl_b_w(b, l, "inp_gate.weight"), first));
    first = hwl_g_mm(g, hwl_b_w(b, l, "proj.weight"), hwl_g_mul(g, first, slice(g, inputs, il)));
    first = norm(b, first, l, "post_norm.weight", l);
    return hwl_g_concat(g, slice(g, all, 0), hwl_g_add(g, rest(g, all), first), 2);
}

void hwl_b_gemma3n(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    const uint64_t n = b->n_tokens;
    hwl_gt x = hwl_g_scale(g, hwl_b_inp_embd(b));
    hwl_b_inp_pos(b, 1);
    hwl_b_inp_attn(b);
    hwl_gt inputs = hwl_b_layer_inputs(b, x), target = magnitude(g, x);
    hwl_gt more = hwl_g_mm(g, hwl_b_w(b, -1, "altup_proj.weight"), hwl_g_repeat(g, x, b->m->n_embd, n, STREAMS - 1, 1));
    hwl_gt length = magnitude(g, more);
    x = hwl_g_concat(g, x, hwl_g_div(g, hwl_g_mul(g, more, target), length), 2);
    for (uint32_t il = 0; il < b->m->n_layer && !g->failed; il++)
        x = layer(b, x, inputs, il);
    target = magnitude(g, slice(g, x, ACTIVE));
    more = hwl_g_mm(g, hwl_b_w(b, -1, "altup_unembd_proj.weight"), rest(g, x));
    length = magnitude(g, more);
    more = hwl_g_div(g, hwl_g_mul(g, more, target), length);
    x = slice(g, x, 0);
    for (uint64_t i = 0; i + 1 < STREAMS; i++)
        x = hwl_g_add(g, x, slice(g, more, i));
    hwl_b_inp_out_ids(b);
    x = hwl_g_get_rows(g, hwl_g_scale(g, x), b->out_ids);
    hwl_b_output(b, x, false);
    b->logits = hwl_g_scale(g, hwl_g_unary(g, hwl_g_scale(g, b->logits)));
    if (b->logits)
        b->logits->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(g, b->logits);
}
