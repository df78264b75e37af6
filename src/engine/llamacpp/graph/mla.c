/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/build.h"

/* Multi-head latent attention (src/models/deepseek2.cpp, 0c1e57098): with the absorbed form the cache holds one row of the
 * latent and the roped part a token; files without the split matrices expand it to full K and V. */

struct parts {
    hwl_gt q, latent, k_pe;
    uint64_t rope, nope, lora, heads, n;
};

static struct parts project(struct hwl_build *b, hwl_gt x, uint32_t il, uint64_t head_k, hwl_gt factors)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    struct parts p = { .rope = b->m->n_rot, .lora = b->m->n_lora_kv, .heads = b->m->layers[il].n_head, .n = b->n_tokens };
    p.nope = head_k > p.rope ? head_k - p.rope : 0;
    hwl_gt full = hwl_b_w(b, l, "attn_q.weight");
    if (full)
        p.q = hwl_g_mm(g, full, x);
    else {
        p.q = hwl_b_norm(b, hwl_g_mm(g, hwl_b_w(b, l, "attn_q_a.weight"), x), hwl_b_w(b, l, "attn_q_a_norm.weight"), NULL, false, l);
        p.q = hwl_g_mm(g, hwl_b_w(b, l, "attn_q_b.weight"), p.q);
    }
    p.q = hwl_g_reshape(g, p.q, head_k, p.heads, p.n, 1);
    hwl_gt both = hwl_g_mm(g, hwl_b_w(b, l, "attn_kv_a_mqa.weight"), x);
    const uint64_t row = 4 * (p.lora + p.rope);
    p.latent = hwl_g_view2(g, both, p.lora, p.n, row, 0);
    p.k_pe = hwl_g_rope(g, hwl_g_view3(g, both, p.rope, 1, p.n, row, row, 4 * p.lora), b->pos, factors);
    p.latent = hwl_b_norm(b, p.latent, hwl_b_w(b, l, "attn_kv_a_norm.weight"), NULL, false, l);
    return p;
}

/* The matrix that builds kept whole before they split it into attn_k_b and attn_v_b. */
static hwl_gt whole(struct hwl_build *b, int32_t l, const struct parts *p, uint64_t head_v)
{
    hwl_gt kv = hwl_b_w(b, l, "attn_kv_b.weight"), half = kv ? NULL : hwl_b_w(b, l, "attn_k_b.weight");
    if (!half)
        return kv;
    kv = hwl_g_new(&b->g, half->type, p->lora, p->heads * (p->nope + head_v), 1, 1);
    if (kv) {
        kv->buft = half->buft;
        kv->weight = true;
        kv->name = "attn_kv_b.weight";
    }
    return kv;
}

hwl_gt hwl_b_mla(struct hwl_build *b, hwl_gt x, uint32_t il, hwl_gt factors)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const bool absorbed = hwl_lc_is_mla(b->m);
    const uint64_t head_k = absorbed ? b->m->head_k_mla : b->m->head_k, head_v = absorbed ? b->m->head_v_mla : b->m->head_v;
    struct parts p = project(b, x, il, head_k, factors);
    hwl_gt wo = hwl_b_w(b, l, "attn_output.weight");
    if (!p.q || !p.latent)
        return NULL;
    if (absorbed) {
        hwl_gt q_nope = hwl_g_view3(g, p.q, p.nope, p.heads, p.n, p.q->nb[1], p.q->nb[2], 0);
        hwl_gt q_pe = hwl_g_rope(g, hwl_g_view3(g, p.q, p.rope, p.heads, p.n, p.q->nb[1], p.q->nb[2], 4 * p.nope), b->pos, factors);
        q_nope = hwl_g_mm(g, hwl_b_w(b, l, "attn_k_b.weight"), hwl_g_permute(g, q_nope, 0, 2, 1, 3));
        struct hwl_qkv c;
        c.q = hwl_g_concat(g, hwl_g_permute(g, q_nope, 0, 2, 1, 3), q_pe, 0);
        c.v = hwl_g_reshape(g, p.latent, p.lora, 1, p.n, 1);
        c.k = hwl_g_concat(g, c.v, p.k_pe, 0);
        if (b->attn_scale)
            c.q = hwl_g_mul(g, c.q, b->attn_scale);
        return hwl_b_attn_latent(b, c, hwl_b_w(b, l, "attn_v_b.weight"), wo, il);
    }
    hwl_gt kv = hwl_g_mm(g, whole(b, l, &p, head_v), p.latent);
    const uint64_t row = 4 * (p.nope + head_v);
    hwl_gt k_nope = hwl_g_view3(g, kv, p.nope, p.heads, p.n, row, row * p.heads, 0);
    struct hwl_qkv c;
    c.v = hwl_g_cont(g, hwl_g_view3(g, kv, head_v, p.heads, p.n, row, row * p.heads, 4 * p.nope));
    c.q = hwl_g_rope(g, p.q, b->pos, factors); /* its trailing part only */
    c.k = hwl_g_concat(g, k_nope, hwl_g_repeat(g, p.k_pe, p.rope, p.heads, p.n, 1), 0);
    if (b->attn_scale)
        c.q = hwl_g_mul(g, c.q, b->attn_scale);
    return hwl_b_attn(b, c, NULL, wo, NULL, il);
}
