/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/encoder.h"

#include <string.h>

/* Encoders of the BERT family (src/models/bert.cpp, 0c1e57098): no cache, norms behind the residuals, a pooled result. */

enum { POSITIONS = 1, ROPE = 2, GELU = 4, GEGLU = 8, BIASES = 16, UNMEASURED = 32 };

static const struct {
    const char *arch;
    uint32_t flags;
} rows[] = {
    { "bert", POSITIONS | GELU | BIASES },
    { "jina-bert-v2", GEGLU | BIASES },
    { "jina-bert-v3", ROPE | GELU | BIASES },
    { "nomic-bert", ROPE },
    { "nomic-bert-moe", ROPE | GELU | BIASES },
};

static hwl_gt norm(struct hwl_build *b, hwl_gt x, int32_t il, const char *weight, const char *bias, int32_t at)
{
    return hwl_b_norm(b, x, hwl_b_w(b, il, weight), hwl_b_w(b, il, bias), true, at);
}

static hwl_gt flat_norm(struct hwl_build *b, hwl_gt x, int32_t il, const char *weight, const char *bias)
{
    struct hwl_graph *g = &b->g;
    if (!x || !hwl_b_w(b, il, weight))
        return x;
    const uint64_t hd = x->ne[0], heads = x->ne[1], n = x->ne[2];
    x = norm(b, hwl_g_reshape(g, x, hd * heads, n, 1, 1), il, weight, bias, il);
    return hwl_g_reshape(g, x, hd, heads, n, 1);
}

static void encoder(struct hwl_build *b, uint32_t flags)
{
    struct hwl_graph *g = &b->g;
    const uint64_t n = b->n_tokens, hd = b->m->head_v;
    b->unmeasured = flags & UNMEASURED;
    hwl_b_inp_pos(b, 1);
    hwl_gt x = hwl_b_inp_embd(b), types = hwl_b_w(b, -1, "token_types.weight");
    if (types)
        x = hwl_g_add(g, x, hwl_g_view1(g, types, b->m->n_embd, 0));
    if (flags & POSITIONS)
        x = hwl_g_add(g, hwl_g_get_rows(g, hwl_b_w(b, -1, "position_embd.weight"), b->pos), x);
    x = norm(b, x, -1, "token_embd_norm.weight", "token_embd_norm.bias", 0);
    hwl_gt mask = hwl_b_mask(b, n, n, 1, "self_kq_mask");
    hwl_b_inp_out_ids(b);
    for (uint32_t il = 0; il < b->m->n_layer; il = hwl_b_next(b, il)) {
        const int32_t l = (int32_t)il;
        struct hwl_qkv c = hwl_b_qkv(b, x, il, hd, hd, true);
        c.q = flat_norm(b, c.q, l, "attn_q_norm.weight", "attn_q_norm.bias");
        c.k = flat_norm(b, c.k, l, "attn_k_norm.weight", "attn_k_norm.bias");
        if (flags & ROPE) {
            c.q = hwl_g_rope(g, c.q, b->pos, NULL);
            c.k = hwl_g_rope(g, c.k, b->pos, NULL);
        }
        hwl_gt cur = hwl_b_attn_free(b, c, mask, hwl_b_w(b, l, "attn_output.weight"), hwl_b_w(b, l, "attn_output.bias"), il);
        if (il + 1 == b->m->n_layer) {
            cur = hwl_g_get_rows(g, cur, b->out_ids);
            x = hwl_g_get_rows(g, x, b->out_ids);
        }
        cur = norm(b, hwl_g_add(g, cur, x), l, "attn_output_norm.weight", "attn_output_norm.bias", l);
        if (hwl_b_w(b, l, "attn_norm_2.weight"))
            cur = norm(b, hwl_g_add(g, cur, x), l, "attn_norm_2.weight", "attn_norm_2.bias", l);
        hwl_gt in = cur, up = hwl_b_w(b, l, "ffn_up.weight");
        if (hwl_b_w(b, l, "ffn_gate_inp.weight")) {
            const struct hwl_moe o = { .act = HWL_ACT_GELU, .gating = 1, .scale = hwl_b_num(b, "expert_weights_scale", 0) };
            cur = hwl_b_moe(b, cur, l, &o);
        } else {
            const bool packed = flags & GEGLU && up && !hwl_b_w(b, l, "ffn_gate.weight") && up->ne[1] != b->m->layers[il].n_ff;
            cur = hwl_b_ffn(b, cur, l, "", packed ? HWL_ACT_PACKED : flags & (GELU | GEGLU) ? HWL_ACT_GELU : HWL_ACT_SILU, flags & BIASES);
        }
        x = norm(b, hwl_g_add(g, cur, in), l, "layer_output_norm.weight", "layer_output_norm.bias", l);
        if (g->failed || !x)
            return;
    }
    x->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(g, x);
    b->embd = x;
}

bool hwl_b_encoder(struct hwl_build *b)
{
    for (uint64_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].arch, b->m->arch)) {
            encoder(b, rows[i].flags);
            return true;
        }
    return hwl_b_arch(b); /* decoders without a cache */
}
