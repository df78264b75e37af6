/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/build.h"

#include <string.h>

/* Sparse latent attention (src/models/deepseek32.cpp, glm-dsa.cpp, build_attn of llama-graph.cpp, 0c1e57098): an indexer with a
 * cache of its own chooses the cells that a token may see, and the mask of the others is minus infinity. */

struct index {
    hwl_gt idxs, mask, rot;
};

static hwl_gt w(struct hwl_build *b, uint32_t il, const char *base)
{
    return hwl_b_w(b, (int32_t)il, base);
}

static hwl_gt rms(struct hwl_build *b, hwl_gt x, uint32_t il, const char *weight)
{
    return hwl_b_norm(b, x, w(b, il, weight), NULL, false, (int32_t)il);
}

static struct index inp_index(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    const uint64_t streams = b->p->kv_unified ? 1 : b->n_seqs, cells = b->p->kv_cells, hd = b->m->indexer_head_size;
    uint64_t n = 64;
    while (hd % (2 * n) == 0 && 2 * n <= hd)
        n *= 2;
    return (struct index){
        .idxs = hwl_g_input(g, HWL_DTYPE_I64, b->n_tokens, 1, 1, 1, "attn_inp_k_idxs"),
        .mask = hwl_g_input(g, HWL_DTYPE_F16, cells, b->n_tokens / streams, 1, streams, "attn_inp_kq_mask"),
        .rot = hwl_g_input(g, HWL_DTYPE_F32, n, n, 1, 1, "attn_inp_k_rot"),
    };
}

static hwl_gt chosen_cells(struct hwl_build *b, const struct index *in, hwl_gt x, hwl_gt qr, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t hd = b->m->indexer_head_size, heads = b->m->indexer_n_head, n = b->n_tokens, cells = b->p->kv_cells;
    hwl_gt q = hwl_g_reshape(g, hwl_g_mm(g, w(b, il, "indexer.attn_q_b.weight"), qr), hd, heads, n, 1);
    q = hwl_g_rope(g, q, b->pos, NULL);
    hwl_gt k = hwl_g_mm(g, w(b, il, "indexer.attn_k.weight"), x);
    k = hwl_b_norm(b, k, w(b, il, "indexer.k_norm.weight"), w(b, il, "indexer.k_norm.bias"), true, (int32_t)il);
    k = hwl_g_rope(g, hwl_g_reshape(g, k, hd, 1, n, 1), b->pos, NULL);
    q = hwl_g_mm(g, in->rot, q);
    k = hwl_g_mm(g, in->rot, k);
    hwl_gt kc = hwl_b_cache(b, &b->k[b->m->n_layer_all + il], il, b->p->type_k, hd, cells);
    if (!kc || !q || !k)
        return NULL;
    hwl_b_store_rows(b, kc, k, in->idxs);
    hwl_gt weights = hwl_g_mm(g, w(b, il, "indexer.proj.weight"), x);
    const uint64_t streams = kc->ne[2], each = n / streams;
    k = hwl_g_view(g, kc, hd, 1, cells, streams, hwl_g_row(g, kc->type, hd), kc->nb[1], kc->nb[2], 0);
    q = hwl_g_view(g, q, hd, heads, each, streams, q->nb[1], q->nb[2], q->nb[2] * each, 0);
    if (!weights)
        return NULL;
    weights = hwl_g_view(g, weights, heads, each, 1, streams, weights->nb[1], weights->nb[1] * each, weights->nb[1] * each, 0);
    weights = hwl_g_scale(g, weights);
    hwl_gt score = hwl_g_make(g, HWL_OP_LIGHTNING_INDEXER, HWL_DTYPE_F32, cells, each, 1, streams, (const hwl_gt[]){ q, k, weights, in->mask }, 4);
    return hwl_g_cont(g, hwl_g_top_k(g, score, hwl_min(cells, b->m->indexer_top_k)));
}

/* The cache's mask with only the chosen cells open. */
static hwl_gt sparse_mask(struct hwl_build *b, hwl_gt mask, hwl_gt top)
{
    struct hwl_graph *g = &b->g;
    if (!mask || !top)
        return NULL;
    hwl_gt all = hwl_g_like(g, HWL_OP_FILL, mask, NULL, NULL);
    if (!all)
        return NULL;
    all = hwl_g_view(g, all, 1, all->ne[0], all->ne[1], all->ne[3], all->nb[0], all->nb[1], all->nb[2], 0);
    hwl_gt rows = hwl_g_view(g, top, top->ne[0], top->ne[1], top->ne[3], 1, top->nb[1], top->nb[2], top->ne[3] * top->nb[3], 0);
    if (!rows)
        return NULL;
    hwl_gt zeros = hwl_g_new(g, HWL_DTYPE_F32, 1, rows->ne[0], rows->ne[1], rows->ne[2]);
    hwl_gt open = hwl_g_set_rows(g, all, hwl_g_like(g, HWL_OP_FILL, zeros, NULL, NULL), rows);
    if (!open)
        return NULL;
    open = hwl_g_view(g, open, open->ne[1], open->ne[2], 1, open->ne[3], open->nb[2], open->nb[3], open->nb[3], 0);
    return hwl_g_add(g, open, mask);
}

static hwl_gt attention(struct hwl_build *b, const struct index *in, hwl_gt x, hwl_gt *top, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t rope = b->m->n_rot, lora = b->m->n_lora_kv, hk = b->m->head_k_mla, heads = b->m->layers[il].n_head, n = b->n_tokens;
    const uint64_t nope = hk > rope ? hk - rope : 0, row = 4 * (lora + rope);
    hwl_gt qr = rms(b, hwl_g_mm(g, w(b, il, "attn_q_a.weight"), x), il, "attn_q_a_norm.weight");
    if (b->m->layers[il].indexer_full)
        *top = chosen_cells(b, in, x, qr, il);
    hwl_gt q = hwl_g_mm(g, w(b, il, "attn_q_b.weight"), qr);
    hwl_gt q_nope = hwl_g_view3(g, q, nope, heads, n, hk * 4, hk * heads * 4, 0), q_pe = hwl_g_view3(g, q, rope, heads, n, hk * 4, hk * heads * 4, nope * 4);
    hwl_gt both = hwl_g_mm(g, w(b, il, "attn_kv_a_mqa.weight"), x);
    hwl_gt latent = hwl_g_view2(g, both, lora, n, row, 0), k_pe = hwl_g_view3(g, both, rope, 1, n, row, row, 4 * lora);
    q_pe = hwl_g_rope(g, q_pe, b->pos, NULL);
    k_pe = hwl_g_rope(g, k_pe, b->pos, NULL);
    latent = rms(b, latent, il, "attn_kv_a_norm.weight");
    q_nope = hwl_g_mm(g, w(b, il, "attn_k_b.weight"), hwl_g_permute(g, q_nope, 0, 2, 1, 3));
    q = hwl_g_concat(g, hwl_g_permute(g, q_nope, 0, 2, 1, 3), q_pe, 0);
    hwl_gt v = hwl_g_reshape(g, latent, lora, 1, n, 1), k = hwl_g_concat(g, v, k_pe, 0);
    hwl_g_expand(g, q);
    hwl_g_expand(g, v);
    hwl_g_expand(g, k);
    hwl_gt kc = hwl_b_cache(b, &b->k[il], il, b->p->type_k, hwl_lc_k_gqa(b->m, il), b->full.cells);
    if (!kc || !k)
        return NULL;
    hwl_b_store_rows(b, kc, k, b->full.k_idxs);
    hwl_gt mask = sparse_mask(b, b->full.mask, *top);
    hwl_gt kv = hwl_g_view(g, kc, k->ne[0], 1, b->full.cells, kc->ne[2], hwl_g_row(g, kc->type, k->ne[0]), kc->nb[1], kc->nb[2], 0);
    if (!kv)
        return NULL;
    hwl_gt vv = hwl_g_view(g, kv, lora, 1, kv->ne[2], kv->ne[3], kv->nb[1], kv->nb[2], kv->nb[3], 0);
    return hwl_g_mm(g, w(b, il, "attn_output.weight"), hwl_b_mha(b, q, kv, vv, mask, NULL, w(b, il, "attn_v_b.weight"), il));
}

static hwl_gt feed_forward(struct hwl_build *b, hwl_gt x, uint32_t il)
{
    const struct hwl_moe o = { .act = HWL_ACT_SILU, .gating = b->m->gating_func ? b->m->gating_func : 2,
                               .norm_w = hwl_b_num(b, "expert_weights_norm", 0) != 0, .scale = hwl_b_num(b, "expert_weights_scale", 0) };
    const int32_t l = (int32_t)il;
    if (il < b->m->n_layer_dense_lead)
        return hwl_b_ffn(b, x, l, "", HWL_ACT_SILU, false);
    hwl_gt y = hwl_b_moe(b, x, l, &o);
    return hwl_g_add(&b->g, y, hwl_b_ffn(b, x, l, "_shexp", HWL_ACT_SILU, false));
}

bool hwl_b_dsa(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    if ((strcmp(b->m->arch, "deepseek32") != 0 && strcmp(b->m->arch, "glm-dsa") != 0) || !hwl_lc_is_mla(b->m))
        return false;
    for (uint32_t il = 0; il < b->m->n_layer; il++)
        if (!b->m->layers[il].indexer_full)
            b->modulus = 0; /* a layer without an indexer reads what an earlier one chose */
    hwl_gt x = hwl_b_inp_embd(b), top = NULL;
    hwl_b_inp_pos(b, 1);
    hwl_b_inp_attn(b);
    const struct index in = inp_index(b);
    hwl_b_inp_out_ids(b);
    for (uint32_t il = 0; il < b->m->n_layer && !g->failed; il = hwl_b_next(b, il)) {
        hwl_gt residual = x, cur = attention(b, &in, rms(b, x, il, "attn_norm.weight"), &top, il);
        if (il + 1 == b->m->n_layer) {
            cur = hwl_g_get_rows(g, cur, b->out_ids);
            residual = hwl_g_get_rows(g, residual, b->out_ids);
        }
        hwl_gt sum = hwl_g_add(g, cur, residual);
        x = hwl_g_add(g, feed_forward(b, rms(b, sum, il, "ffn_norm.weight"), il), sum);
    }
    hwl_b_output(b, x, false);
    if (b->logits)
        b->logits->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(g, b->logits);
    return true;
}
