/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/recurrent.h"

#include <string.h>

/* Mamba or attention in each layer and a feed-forward behind it (src/models/jamba.cpp, granite-hybrid.cpp, plamo2.cpp of
 * llama.cpp 0c1e57098). */

enum kind { JAMBA, GRANITE, PLAMO2 };

static hwl_gt norm(struct hwl_build *b, hwl_gt x, int32_t il, const char *weight)
{
    return hwl_b_norm(b, x, hwl_b_w(b, il, weight), NULL, false, il);
}

/* Heads of Mamba 2, dt, B and C of a second matrix as in Mamba 1, and norms on them. */
static hwl_gt plamo2_mamba(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const uint64_t inner = b->m->ssm_d_inner, ds = b->m->ssm_d_state, heads = b->m->ssm_dt_rank, seqs = b->n_seqs, n = b->n_tokens / seqs;
    if (!heads || !b->m->ssm_d_conv)
        return NULL;
    const uint64_t hd = inner / heads, dt_dim = hwl_max(64, b->m->n_embd / 16);
    hwl_gt zx = hwl_g_mm(g, hwl_b_w(b, l, "ssm_in.weight"), hwl_g_reshape(g, x, b->m->n_embd, n, seqs, 1));
    zx = hwl_g_cont4(g, hwl_g_permute(g, zx, 0, 2, 1, 3), hd * 2, heads, n, seqs);
    if (!zx)
        return NULL;
    x = hwl_g_view(g, zx, hd, heads, n, seqs, zx->nb[1], zx->nb[2], zx->nb[3], hd * 4);
    x = hwl_g_cont4(g, x, inner, n, seqs, 1);
    hwl_gt z = hwl_g_view(g, zx, hd, heads, n, seqs, zx->nb[1], zx->nb[2], zx->nb[3], 0);
    x = hwl_g_unary(g, hwl_b_state_conv(b, s, il, x, inner, b->m->ssm_d_conv - 1, "ssm_conv1d.weight", true));
    hwl_gt bcdt = hwl_g_mm(g, hwl_b_w(b, l, "ssm_x.weight"), x);
    if (!bcdt || !x)
        return NULL;
    hwl_gt bb = hwl_g_view3(g, bcdt, ds, n, seqs, bcdt->nb[1], bcdt->nb[2], 0);
    hwl_gt cc = hwl_g_view3(g, bcdt, ds, n, seqs, bcdt->nb[1], bcdt->nb[2], ds * 4);
    hwl_gt dt = hwl_g_view3(g, bcdt, dt_dim, n, seqs, bcdt->nb[1], bcdt->nb[2], 2 * ds * 4);
    bb = norm(b, bb, l, "ssm_b_norm");
    cc = norm(b, cc, l, "ssm_c_norm");
    dt = norm(b, dt, l, "ssm_dt_norm");
    dt = hwl_g_add(g, hwl_g_mm(g, hwl_b_w(b, l, "ssm_dt.weight"), dt), hwl_b_w(b, l, "ssm_dt.bias"));
    hwl_gt a = hwl_g_reshape(g, hwl_b_w(b, l, "ssm_a"), 1, heads, 1, 1), all = hwl_b_state(b, &b->v[il + b->m->n_layer_all], il, ds * inner);
    x = hwl_g_view(g, x, hd, heads, n, seqs, hd * 4, inner * 4, inner * n * 4, 0);
    if (!all || !bb || !cc || !x)
        return NULL;
    bb = hwl_g_view(g, bb, ds, 1, n, seqs, ds * 4, bb->nb[1], bb->nb[2], 0);
    cc = hwl_g_view(g, cc, ds, 1, n, seqs, ds * 4, cc->nb[1], cc->nb[2], 0);
    hwl_gt states = hwl_b_state_cleared(b, all);
    hwl_gt scan = hwl_g_ssm_scan(g, hwl_g_reshape(g, states, ds, hd, heads, all->ne[1]), x, dt, a, bb, cc, s->main, 1);
    hwl_b_state_moved(b, s, all, states, scan);
    hwl_g_expand(g, hwl_g_cpy(g, hwl_g_view1(g, scan, inner * ds * seqs, inner * n * seqs * 4), hwl_g_view1(g, all, inner * ds * seqs, 0)));
    hwl_gt y = hwl_g_view(g, scan, hd, heads, n, seqs, hd * 4, inner * 4, inner * n * 4, 0);
    y = hwl_g_add(g, y, hwl_g_mul(g, x, hwl_g_reshape(g, hwl_b_w(b, l, "ssm_d"), 1, heads, 1, 1)));
    y = hwl_b_glu(b, hwl_g_cont(g, z), y);
    y = hwl_g_view3(g, y, inner, n, seqs, y ? y->nb[2] : 0, y ? y->nb[3] : 0, 0);
    return hwl_g_reshape(g, hwl_g_mm(g, hwl_b_w(b, l, "ssm_out.weight"), y), b->m->n_embd, b->n_tokens, 1, 1);
}

static hwl_gt attention(struct hwl_build *b, hwl_gt x, enum kind kind, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    struct hwl_qkv c = hwl_b_qkv(b, x, il, b->m->head_k, b->m->head_v, true);
    if (kind == PLAMO2) {
        c.q = norm(b, c.q, l, "attn_q_norm.weight");
        c.k = norm(b, c.k, l, "attn_k_norm.weight");
    }
    if (kind == PLAMO2 || (kind == GRANITE && hwl_b_num(b, "rope.scaling.finetuned", 1) != 0)) {
        hwl_gt factors = kind == GRANITE ? hwl_b_rope_factors(b, il) : NULL;
        c.q = hwl_g_rope(g, c.q, b->pos, factors);
        c.k = hwl_g_rope(g, c.k, b->pos, factors);
    }
    return hwl_b_attn(b, c, NULL, hwl_b_w(b, l, "attn_output.weight"), kind == GRANITE ? hwl_b_w(b, l, "attn_output.bias") : NULL, il);
}

static hwl_gt feed_forward(struct hwl_build *b, hwl_gt x, enum kind kind, int32_t l)
{
    if (!hwl_b_w(b, l, "ffn_gate_inp.weight"))
        return hwl_b_ffn(b, x, l, "", kind == PLAMO2 ? HWL_ACT_PACKED : HWL_ACT_SILU, kind == GRANITE);
    const struct hwl_moe o = { .act = HWL_ACT_SILU, .gating = 1, .norm_w = kind == GRANITE, .scale = hwl_b_num(b, "expert_weights_scale", 0) };
    hwl_gt y = hwl_b_moe(b, x, l, &o);
    return hwl_b_w(b, l, "ffn_up_shexp.weight") ? hwl_g_add(&b->g, y, hwl_b_ffn(b, x, l, "_shexp", HWL_ACT_SILU, false)) : y;
}

static hwl_gt layer(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, enum kind kind, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const bool scaled = kind == GRANITE && hwl_b_num(b, "residual_scale", 0) != 0;
    hwl_gt residual = x, cur = norm(b, x, l, "attn_norm.weight");
    if (!b->m->layers[il].recr)
        cur = attention(b, cur, kind, il);
    else
        cur = kind == JAMBA ? hwl_b_mamba(b, s, cur, il) : kind == GRANITE ? hwl_b_mamba2(b, s, cur, il) : plamo2_mamba(b, s, cur, il);
    if (il + 1 == b->m->n_layer) {
        cur = hwl_g_get_rows(g, cur, b->out_ids);
        residual = hwl_g_get_rows(g, residual, b->out_ids);
    }
    if (kind == PLAMO2)
        cur = norm(b, cur, l, "post_attention_norm");
    if (scaled)
        cur = hwl_g_scale(g, cur);
    hwl_gt in = kind == JAMBA ? hwl_g_add(g, residual, cur) : hwl_g_add(g, cur, residual);
    cur = feed_forward(b, norm(b, in, l, "ffn_norm.weight"), kind, l);
    if (kind == PLAMO2)
        cur = norm(b, cur, l, "post_ffw_norm");
    if (scaled)
        cur = hwl_g_scale(g, cur);
    return kind == JAMBA ? hwl_g_add(g, in, cur) : hwl_g_add(g, cur, in);
}

static const struct {
    const char *arch;
    enum kind kind;
} rows[] = { { "granitehybrid", GRANITE }, { "jamba", JAMBA }, { "plamo2", PLAMO2 } };

bool hwl_b_hybrid(struct hwl_build *b)
{
    for (uint64_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].arch, b->m->arch) != 0)
            continue;
        hwl_gt x = hwl_b_inp_embd(b);
        hwl_b_inp_pos(b, 1);
        const struct hwl_state s = hwl_b_inp_state(b);
        hwl_b_inp_attn(b);
        hwl_b_inp_out_ids(b);
        for (uint32_t il = 0; il < b->m->n_layer && !b->g.failed; il = hwl_b_next(b, il))
            x = layer(b, &s, x, rows[i].kind, il);
        hwl_b_output(b, x, false);
        if (rows[i].kind == GRANITE && hwl_b_num(b, "logit_scale", 0) != 0)
            b->logits = hwl_g_scale(&b->g, b->logits);
        if (b->logits)
            b->logits->flags |= HWL_GFLAG_OUTPUT;
        hwl_g_expand(&b->g, b->logits);
        return true;
    }
    return false;
}
