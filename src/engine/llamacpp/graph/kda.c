/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/recurrent.h"

#include <string.h>

/* Kimi Linear (src/models/kimi-linear.cpp, delta-net-base.cpp of llama.cpp 0c1e57098): delta attention with a decay for each
 * channel, and latent attention without positions. */

static hwl_gt w(struct hwl_build *b, uint32_t il, const char *base)
{
    return hwl_b_w(b, (int32_t)il, base);
}

static hwl_gt rms(struct hwl_build *b, hwl_gt x, uint32_t il, const char *weight)
{
    return hwl_b_norm(b, x, w(b, il, weight), NULL, false, (int32_t)il);
}

/* Convolution of Q, K or V (number `which`) over its part of the kept columns. */
static hwl_gt convolved(struct hwl_build *b, hwl_gt slot, hwl_gt kept, uint64_t which, hwl_gt x, const char *kernel, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t hd = b->m->head_kda, heads = b->m->layers[0].n_head, width = hd * heads, seqs = b->n_seqs, n = b->n_tokens / seqs;
    const uint64_t columns = b->m->ssm_d_conv - 1, part = columns * width, row = 3 * part * 4;
    hwl_gt old = hwl_g_view3(g, kept, columns, width, seqs, columns * 4, row, which * part * 4);
    hwl_gt both = hwl_g_concat(g, old, hwl_g_transpose(g, hwl_g_reshape(g, x, width, n, seqs, 1)), 0);
    if (!both)
        return NULL;
    hwl_gt last = hwl_g_view3(g, both, columns, width, seqs, both->nb[1], both->nb[2], n * both->nb[0]);
    hwl_g_expand(g, hwl_g_cpy(g, last, hwl_g_view3(g, slot, columns, width, seqs, columns * 4, row, which * part * 4)));
    hwl_gt y = hwl_g_ssm_conv(g, both, hwl_g_reshape(g, w(b, il, kernel), b->m->ssm_d_conv, width, 1, 1));
    y = hwl_g_unary(g, hwl_g_reshape(g, y, width, b->n_tokens, 1, 1));
    return hwl_g_reshape(g, y, hd, heads, n, seqs);
}

static hwl_gt unit(struct hwl_graph *g, hwl_gt x)
{
    return hwl_g_scale(g, hwl_g_rms(g, x));
}

static hwl_gt delta_attention(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t hd = b->m->head_kda, heads = b->m->layers[0].n_head, width = hd * heads, seqs = b->n_seqs, n = b->n_tokens / seqs;
    const uint64_t all = b->n_tokens;
    hwl_gt conv = hwl_b_state(b, &b->k[il + b->m->n_layer_all], il, hwl_lc_embd_r(b->m));
    if (!conv || !hd || !b->m->ssm_d_conv)
        return NULL;
    hwl_gt kept = hwl_b_state_load(b, s, conv), packed = w(b, il, "attn_qkv.weight"), in[3];
    if (packed) {
        hwl_gt y = hwl_g_mm(g, packed, x);
        for (uint64_t i = 0; i < 3; i++)
            in[i] = y ? hwl_g_cont(g, hwl_g_view2(g, y, width, all, y->nb[1], i * width * 4)) : NULL;
    } else {
        in[0] = hwl_g_mm(g, w(b, il, "attn_q.weight"), x);
        in[1] = hwl_g_mm(g, w(b, il, "attn_k.weight"), x);
        in[2] = hwl_g_mm(g, w(b, il, "attn_v.weight"), x);
    }
    hwl_gt q = convolved(b, conv, kept, 0, in[0], "ssm_conv1d_q.weight", il), k = convolved(b, conv, kept, 1, in[1], "ssm_conv1d_k.weight", il);
    hwl_gt v = convolved(b, conv, kept, 2, in[2], "ssm_conv1d_v.weight", il);
    hwl_gt decay = hwl_g_mm(g, w(b, il, "ssm_f_b.weight"), hwl_g_mm(g, w(b, il, "ssm_f_a.weight"), x));
    decay = hwl_g_reshape(g, hwl_g_unary(g, hwl_g_add(g, decay, w(b, il, "ssm_dt.bias"))), hd, heads, all, 1);
    decay = hwl_g_mul(g, decay, hwl_g_reshape(g, w(b, il, "ssm_a"), 1, heads, 1, 1));
    decay = hwl_g_reshape(g, decay, hd, heads, n, seqs);
    hwl_gt beta = hwl_g_unary(g, hwl_g_reshape(g, hwl_g_mm(g, w(b, il, "ssm_beta.weight"), x), 1, heads, n, seqs));
    x = hwl_g_reshape(g, x, b->m->n_embd, n, seqs, 1);
    hwl_gt slot = hwl_b_state(b, &b->v[il + b->m->n_layer_all], il, hwl_lc_embd_s(b->m));
    if (!slot)
        return NULL;
    hwl_gt state = hwl_g_reshape(g, hwl_b_state_load(b, s, slot), hd, hd, heads, seqs);
    hwl_gt y = hwl_g_gated_delta_net(g, unit(g, q), unit(g, k), v, decay, beta, state, 1);
    hwl_gt out = hwl_g_view(g, y, hd, heads, n, seqs, hd * 4, width * 4, width * n * 4, 0);
    hwl_gt next = hwl_g_view(g, y, hd, hd, heads, seqs, hd * 4, hd * hd * 4, hd * width * 4, width * all * 4);
    out = hwl_g_cont(g, out);
    hwl_g_expand(g, hwl_g_cpy(g, next, hwl_g_view1(g, slot, slot->ne[0] * seqs, 0)));
    hwl_gt gate = hwl_g_mm(g, w(b, il, "ssm_g_b.weight"), hwl_g_mm(g, w(b, il, "ssm_g_a.weight"), hwl_g_reshape(g, x, b->m->n_embd, all, 1, 1)));
    gate = hwl_g_reshape(g, gate, hd, heads, all, 1);
    out = rms(b, hwl_g_reshape(g, out, hd, heads, all, 1), il, "ssm_norm.weight");
    out = hwl_g_cont4(g, hwl_g_mul(g, out, hwl_g_unary(g, gate)), width, all, 1, 1);
    return hwl_g_mm(g, w(b, il, "attn_output.weight"), out);
}

static hwl_gt latent_attention(struct hwl_build *b, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t rope = b->m->n_rot, lora = b->m->n_lora_kv, hk = b->m->head_k_mla, hv = b->m->head_v_mla, heads = b->m->layers[0].n_head;
    const uint64_t n = b->n_tokens, nope = hk > rope ? hk - rope : 0, row = 4 * (lora + rope);
    hwl_gt q = hwl_g_mm(g, w(b, il, "attn_q.weight"), x), both = hwl_g_mm(g, w(b, il, "attn_kv_a_mqa.weight"), x);
    hwl_gt latent = hwl_g_view2(g, both, lora, n, row, 0), k_pe = hwl_g_view3(g, both, rope, 1, n, row, row, 4 * lora);
    latent = rms(b, latent, il, "attn_kv_a_norm.weight");
    hwl_gt wo = w(b, il, "attn_output.weight");
    struct hwl_qkv c;
    if (w(b, il, "attn_k_b.weight") && w(b, il, "attn_v_b.weight")) {
        hwl_gt q_nope = hwl_g_view3(g, q, nope, heads, n, hk * 4, hk * heads * 4, 0), q_pe = hwl_g_view3(g, q, rope, heads, n, hk * 4, hk * heads * 4, nope * 4);
        q_nope = hwl_g_mm(g, w(b, il, "attn_k_b.weight"), hwl_g_permute(g, q_nope, 0, 2, 1, 3));
        c.q = hwl_g_concat(g, hwl_g_permute(g, q_nope, 0, 2, 1, 3), q_pe, 0);
        c.v = hwl_g_reshape(g, latent, lora, 1, n, 1);
        c.k = hwl_g_concat(g, c.v, k_pe, 0);
        return hwl_b_attn_latent(b, c, w(b, il, "attn_v_b.weight"), wo, il);
    }
    hwl_gt kv = hwl_g_mm(g, w(b, il, "attn_kv_b.weight"), latent);
    const uint64_t each = 4 * (nope + hv);
    c.q = hwl_g_reshape(g, q, hk, heads, n, 1);
    hwl_gt k_nope = hwl_g_view3(g, kv, nope, heads, n, each, each * heads, 0);
    c.v = hwl_g_cont(g, hwl_g_view3(g, kv, hv, heads, n, each, each * heads, 4 * nope));
    c.k = hwl_g_concat(g, hwl_g_repeat(g, k_pe, rope, heads, n, 1), k_nope, 0);
    return hwl_b_attn(b, c, NULL, wo, NULL, il);
}

static hwl_gt feed_forward(struct hwl_build *b, hwl_gt x, uint32_t il)
{
    const struct hwl_moe o = { .act = HWL_ACT_SILU, .gating = b->m->gating_func, .norm_w = true, .scale = hwl_b_num(b, "expert_weights_scale", 0) };
    const int32_t l = (int32_t)il;
    if (il < b->m->n_layer_dense_lead)
        return hwl_b_ffn(b, x, l, "", HWL_ACT_SILU, false);
    hwl_gt y = hwl_b_moe(b, x, l, &o);
    return hwl_g_add(&b->g, y, hwl_b_ffn(b, x, l, "_shexp", HWL_ACT_SILU, false));
}

bool hwl_b_kda(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    if (strcmp(b->m->arch, "kimi-linear") != 0)
        return false;
    hwl_gt x = hwl_b_inp_embd(b);
    const struct hwl_state s = hwl_b_inp_state(b);
    hwl_b_inp_attn(b);
    hwl_b_inp_out_ids(b);
    b->single_too = true;
    for (uint32_t il = 0; il < b->m->n_layer && !g->failed; il = hwl_b_next(b, il)) {
        hwl_gt residual = x, cur = rms(b, x, il, "attn_norm.weight");
        hwl_g_expand(g, cur);
        cur = b->m->layers[il].recr ? delta_attention(b, &s, cur, il) : latent_attention(b, cur, il);
        if (il + 1 == b->m->n_layer) {
            cur = hwl_g_get_rows(g, cur, b->out_ids);
            residual = hwl_g_get_rows(g, residual, b->out_ids);
        }
        hwl_gt in = hwl_g_add(g, cur, residual);
        x = hwl_g_add(g, feed_forward(b, rms(b, in, il, "ffn_norm.weight"), il), in);
    }
    hwl_b_output(b, x, false);
    if (b->logits)
        b->logits->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(g, b->logits);
    return true;
}
