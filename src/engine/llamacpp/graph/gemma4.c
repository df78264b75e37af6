/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/build.h"

/* Gemma 4 (src/models/gemma4.cpp, 0c1e57098): windows with heads of their own size, late layers that read the cache of an
 * earlier one, and a narrow second embedding that each layer adds. */

static hwl_gt norm(struct hwl_build *b, hwl_gt x, int32_t il, const char *weight, int32_t at)
{
    return hwl_b_norm(b, x, hwl_b_w(b, il, weight), NULL, false, at);
}

hwl_gt hwl_b_layer_inputs(struct hwl_build *b, hwl_gt x)
{
    struct hwl_graph *g = &b->g;
    const uint64_t width = b->m->n_embd_per_layer, n_layer = b->m->n_layer, n = b->n_tokens;
    hwl_gt tokens = hwl_g_input(g, HWL_DTYPE_I32, n, 1, 1, 1, "inp_tokens_per_layer");
    hwl_gt in = hwl_g_get_rows(g, hwl_b_w(b, -1, "per_layer_token_embd.weight"), tokens);
    in = hwl_g_scale(g, hwl_g_reshape(g, in, width, n_layer, n, 1));
    hwl_g_expand(g, in);
    hwl_gt proj = hwl_g_scale(g, hwl_g_mm(g, hwl_b_w(b, -1, "per_layer_model_proj.weight"), x));
    proj = norm(b, hwl_g_reshape(g, proj, width, n_layer, n, 1), -1, "per_layer_proj_norm.weight", -1);
    in = hwl_g_scale(g, hwl_g_add(g, proj, in));
    return hwl_g_cont(g, hwl_g_permute(g, in, 0, 2, 1, 3));
}

static hwl_gt attention(struct hwl_build *b, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const struct lc_layer *layer = &b->m->layers[il];
    const uint64_t hd = layer->swa ? b->m->head_k_swa : b->m->head_k, heads = layer->n_head, kv = layer->n_head_kv, n = b->n_tokens;
    hwl_gt factors = layer->swa ? NULL : hwl_b_rope_factors(b, il), packed = hwl_b_w(b, l, "attn_qkv.weight"), all = NULL;
    struct hwl_qkv c = { NULL, NULL, NULL };
    if (packed) {
        all = hwl_g_mm(g, packed, x);
        if (!all)
            return NULL;
        c.q = hwl_g_cont(g, hwl_g_view2(g, all, hd * heads, n, all->nb[1], 0));
    } else
        c.q = hwl_g_mm(g, hwl_b_w(b, l, "attn_q.weight"), x);
    c.q = norm(b, hwl_g_reshape(g, c.q, hd, heads, n, 1), l, "attn_q_norm.weight", l);
    c.q = hwl_g_rope(g, c.q, b->pos, factors);
    if (hwl_lc_has_kv(b->m, il)) {
        hwl_gt v = hwl_b_w(b, l, "attn_v.weight");
        if (all) {
            c.k = hwl_g_cont(g, hwl_g_view2(g, all, hd * kv, n, all->nb[1], hd * heads * 4));
            c.v = hwl_g_cont(g, hwl_g_view2(g, all, hd * kv, n, all->nb[1], hd * (heads + kv) * 4));
        } else {
            c.k = hwl_g_mm(g, hwl_b_w(b, l, "attn_k.weight"), x);
            c.v = v ? hwl_g_mm(g, v, x) : c.k;
        }
        c.k = hwl_g_reshape(g, c.k, hd, kv, n, 1);
        c.v = hwl_g_reshape(g, c.v, hd, kv, n, 1);
        c.k = norm(b, c.k, l, "attn_k_norm.weight", l);
        c.v = hwl_g_rms(g, c.v);
        c.k = hwl_g_rope(g, c.k, b->pos, factors);
    }
    return hwl_b_attn(b, c, NULL, hwl_b_w(b, l, "attn_output.weight"), NULL, il);
}

static hwl_gt feed_forward(struct hwl_build *b, hwl_gt x, int32_t l)
{
    struct hwl_graph *g = &b->g;
    hwl_gt y = hwl_b_ffn(b, norm(b, x, l, "ffn_norm.weight", l), l, "", HWL_ACT_GELU, false), router = hwl_b_w(b, l, "ffn_gate_inp.weight");
    if (!router)
        return y;
    y = norm(b, y, l, "post_ffw_norm_1.weight", l);
    hwl_gt in = norm(b, x, l, "pre_ffw_norm_2.weight", l);
    hwl_gt scaled = hwl_g_mul(g, hwl_g_scale(g, hwl_g_rms(g, x)), hwl_b_w(b, l, "ffn_gate_inp.scale"));
    const struct hwl_moe o = { .act = HWL_ACT_GELU, .gating = 1, .norm_w = true, .logits = hwl_g_mm(g, router, scaled) };
    return hwl_g_add(g, y, norm(b, hwl_b_moe(b, in, l, &o), l, "post_ffw_norm_2.weight", l));
}

void hwl_b_gemma4(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    hwl_gt x = hwl_g_scale(g, hwl_b_inp_embd(b)), inputs = NULL;
    hwl_b_inp_pos(b, 1);
    hwl_b_inp_attn(b);
    hwl_b_inp_out_ids(b);
    if (hwl_b_w(b, -1, "per_layer_token_embd.weight"))
        inputs = hwl_b_layer_inputs(b, x);
    for (uint32_t il = 0; il < b->m->n_layer && !g->failed; il = hwl_b_next(b, il)) {
        const int32_t l = (int32_t)il;
        b->unmeasured = b->unmeasured || hwl_b_w(b, l, "attn_qkv.weight"); /* packed projections have not been compared */
        const bool last = il + 1 == b->m->n_layer && b->p->rules->rows_inside;
        hwl_gt cur = attention(b, norm(b, x, l, "attn_norm.weight", l), il);
        if (last) {
            cur = hwl_g_get_rows(g, cur, b->out_ids);
            x = hwl_g_get_rows(g, x, b->out_ids);
        }
        hwl_gt in = hwl_g_add(g, norm(b, cur, l, "post_attention_norm.weight", l), x);
        x = hwl_g_add(g, norm(b, feed_forward(b, in, l), l, "post_ffw_norm.weight", -1), in);
        if (inputs) {
            cur = hwl_g_unary(g, hwl_g_mm(g, hwl_b_w(b, l, "inp_gate.weight"), x));
            const uint64_t row = inputs->ne[0] * 4;
            hwl_gt own = hwl_g_view2(g, inputs, inputs->ne[0], inputs->ne[1], row, il * row * inputs->ne[1]);
            cur = hwl_g_mul(g, cur, last ? hwl_g_get_rows(g, own, b->out_ids) : own);
            cur = norm(b, hwl_g_mm(g, hwl_b_w(b, l, "proj.weight"), cur), l, "post_norm.weight", l);
            x = hwl_g_add(g, x, cur);
        }
        hwl_gt scale = hwl_b_w(b, l, "layer_output_scale.weight");
        if (scale)
            x = hwl_g_mul(g, x, scale);
    }
    b->ids_behind_norm = !b->p->rules->rows_inside;
    hwl_b_output(b, x, false);
    if (hwl_b_num(b, "final_logit_softcapping", 0) != 0)
        b->logits = hwl_g_scale(g, hwl_g_unary(g, hwl_g_scale(g, b->logits)));
    if (b->logits)
        b->logits->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(g, b->logits);
}
