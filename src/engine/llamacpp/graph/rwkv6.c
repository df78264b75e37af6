/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/recurrent.h"

#include <string.h>

/* RWKV-6 and Qwen with RWKV-6 in place of attention (src/models/rwkv6-base.cpp, rwkv6.cpp, rwkv6qwen2.cpp of llama.cpp
 * 0c1e57098). */

static hwl_gt w(struct hwl_build *b, uint32_t il, const char *base)
{
    return hwl_b_w(b, (int32_t)il, base);
}

/* The five mixtures of a token and the one before it. */
static void mixtures(struct hwl_build *b, hwl_gt sx, hwl_gt cur, uint32_t il, hwl_gt out[5])
{
    struct hwl_graph *g = &b->g;
    const uint64_t width = b->m->n_embd, n = b->n_tokens;
    static const char *const lerp[5] = { "time_mix_lerp_w.weight", "time_mix_lerp_k.weight", "time_mix_lerp_v.weight", "time_mix_lerp_r.weight",
                                         "time_mix_lerp_g.weight" };
    hwl_gt w1 = w(b, il, "time_mix_w1.weight"), w2 = w(b, il, "time_mix_w2.weight"), fused = w(b, il, "time_mix_lerp_fused.weight");
    hwl_gt xxx = hwl_g_add(g, hwl_g_mul(g, sx, w(b, il, "time_mix_lerp_x.weight")), cur);
    xxx = hwl_g_reshape(g, hwl_g_unary(g, hwl_g_mm(g, w1, xxx)), w1 ? w1->ne[1] / 5 : 0, 1, 5, n);
    xxx = hwl_g_cont(g, hwl_g_permute(g, xxx, 0, 1, 3, 2));
    xxx = hwl_g_mm(g, hwl_g_reshape(g, w2, w2 ? w2->ne[0] : 0, w2 ? w2->ne[1] : 0, 1, 5), xxx);
    if (fused) {
        sx = hwl_g_reshape(g, sx, width, 1, n, 1);
        cur = hwl_g_reshape(g, cur, width, 1, n, 1);
        xxx = hwl_g_add(g, hwl_g_mul(g, hwl_g_add(g, xxx, fused), sx), cur);
    }
    for (uint64_t i = 0; i < 5; i++)
        out[i] = xxx ? hwl_g_view2(g, xxx, width, n, xxx->nb[1], i * width * n * 4) : NULL;
    for (uint64_t i = 0; i < 5 && !fused; i++)
        out[i] = hwl_g_add(g, hwl_g_mul(g, hwl_g_add(g, out[i], w(b, il, lerp[i])), sx), cur);
}

static hwl_gt biased(struct hwl_build *b, hwl_gt x, uint32_t il, const char *bias)
{
    hwl_gt v = w(b, il, bias);
    return v ? hwl_g_add(&b->g, x, v) : x;
}

static hwl_gt time_mix(struct hwl_build *b, const struct hwl_state *s, hwl_gt cur, hwl_gt prev, hwl_gt *first, uint32_t il)
{
    (void)first;
    struct hwl_graph *g = &b->g;
    const uint64_t width = b->m->n_embd, size = b->m->wkv_head_size, n = b->n_tokens, kv = b->m->layers[il].n_head_kv, seqs = b->n_seqs;
    if (!size)
        return NULL;
    const uint64_t heads = width / size;
    const bool qwen = !w(b, il, "time_mix_first.weight");
    hwl_gt sx = hwl_g_reshape(g, hwl_g_sub(g, prev, cur), width, n, 1, 1), x[5];
    cur = hwl_g_reshape(g, cur, width, n, 1, 1);
    mixtures(b, sx, cur, il, x); /* w k v r g */
    hwl_gt r = biased(b, hwl_g_mm(g, w(b, il, "time_mix_receptance.weight"), x[3]), il, "time_mix_receptance.bias");
    hwl_gt k = biased(b, hwl_g_mm(g, w(b, il, "time_mix_key.weight"), x[1]), il, "time_mix_key.bias");
    hwl_gt v = biased(b, hwl_g_mm(g, w(b, il, "time_mix_value.weight"), x[2]), il, "time_mix_value.bias");
    hwl_gt gate = hwl_g_unary(g, hwl_g_mm(g, w(b, il, "time_mix_gate.weight"), x[4]));
    if (kv && kv != heads) {
        k = hwl_g_repeat(g, hwl_g_reshape(g, k, size, 1, kv, n), size, heads / kv, kv, n);
        v = hwl_g_repeat(g, hwl_g_reshape(g, v, size, 1, kv, n), size, heads / kv, kv, n);
    }
    k = hwl_g_reshape(g, k, size, heads, n, 1);
    v = hwl_g_reshape(g, v, size, heads, n, 1);
    r = hwl_g_reshape(g, r, size, heads, n, 1);
    hwl_gt decay = hwl_g_unary(g, hwl_g_mm(g, w(b, il, "time_mix_decay_w1.weight"), x[0]));
    decay = hwl_g_add(g, hwl_g_mm(g, w(b, il, "time_mix_decay_w2.weight"), decay), w(b, il, "time_mix_decay.weight"));
    decay = hwl_g_unary(g, hwl_g_unary(g, hwl_g_unary(g, decay))); /* exp(-exp(w)) */
    decay = hwl_g_reshape(g, decay, size, heads, n, 1);
    if (qwen)
        k = hwl_g_sub(g, k, hwl_g_mul(g, k, decay));
    hwl_gt slot = hwl_b_state(b, &b->v[il + b->m->n_layer_all], il, hwl_lc_embd_s(b->m));
    if (!slot)
        return NULL;
    hwl_gt state = hwl_b_state_load(b, s, slot);
    hwl_gt out = qwen ? hwl_g_wkv(g, HWL_OP_GATED_LINEAR_ATTN, k, state, (const hwl_gt[]){ k, v, r, decay, state }, 5)
                      : hwl_g_wkv(g, HWL_OP_RWKV_WKV6, k, state, (const hwl_gt[]){ k, v, r, w(b, il, "time_mix_first.weight"), decay, state }, 6);
    const uint64_t kept = width * size * seqs;
    cur = hwl_g_view1(g, out, width * n, 0);
    hwl_g_expand(g, hwl_g_cpy(g, hwl_g_view1(g, out, kept, width * n * 4), hwl_g_view1(g, slot, kept, 0)));
    if (qwen)
        cur = hwl_g_reshape(g, cur, width, n, 1, 1);
    else {
        cur = hwl_g_like(g, HWL_OP_NORM, hwl_g_reshape(g, cur, size, heads, n, 1), NULL, NULL);
        cur = hwl_g_reshape(g, cur, width, n, 1, 1);
        cur = hwl_g_add(g, hwl_g_mul(g, cur, w(b, il, "time_mix_ln.weight")), w(b, il, "time_mix_ln.bias"));
    }
    cur = hwl_g_mm(g, w(b, il, "time_mix_output.weight"), hwl_g_mul(g, cur, gate));
    return hwl_g_reshape(g, cur, width, n / seqs, seqs, 1);
}

static hwl_gt channel_mix(struct hwl_build *b, hwl_gt cur, hwl_gt prev, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    hwl_gt sx = hwl_g_sub(g, prev, cur);
    hwl_gt xk = hwl_g_add(g, hwl_g_mul(g, sx, w(b, il, "channel_mix_lerp_k.weight")), cur);
    hwl_gt xr = hwl_g_add(g, hwl_g_mul(g, sx, w(b, il, "channel_mix_lerp_r.weight")), cur);
    hwl_gt r = hwl_g_unary(g, hwl_g_mm(g, w(b, il, "channel_mix_receptance.weight"), xr));
    hwl_gt k = hwl_g_like(g, HWL_OP_SQR, hwl_g_unary(g, hwl_g_mm(g, w(b, il, "channel_mix_key.weight"), xk)), NULL, NULL);
    return hwl_g_mul(g, r, hwl_g_mm(g, w(b, il, "channel_mix_value.weight"), k));
}

static hwl_gt layer(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, uint64_t rescale, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t width = b->m->n_embd, seqs = b->n_seqs, n = b->n_tokens / seqs;
    const bool last = il + 1 == b->m->n_layer;
    x = hwl_g_reshape(g, x, width, n, seqs, 1);
    hwl_gt slot = hwl_b_state(b, &b->k[il + b->m->n_layer_all], il, hwl_lc_embd_r(b->m));
    if (!slot)
        return NULL;
    hwl_gt shift = hwl_g_reshape(g, hwl_b_state_load(b, s, slot), width, 2, seqs, 1);
    if (!shift)
        return NULL;
    hwl_gt attn = hwl_g_view3(g, shift, width, 1, seqs, shift->nb[1], shift->nb[2], 0);
    hwl_gt ffn = hwl_g_view3(g, shift, width, 1, seqs, shift->nb[1], shift->nb[2], width * 4);
    hwl_gt normed = hwl_b_norm(b, x, w(b, il, "attn_norm.weight"), w(b, il, "attn_norm.bias"), true, (int32_t)il);
    hwl_gt in = hwl_g_add(g, time_mix(b, s, normed, hwl_b_shifted(b, attn, normed), NULL, il), x);
    hwl_gt cur = hwl_b_norm(b, in, w(b, il, "attn_norm_2.weight"), w(b, il, "attn_norm_2.bias"), true, (int32_t)il), prev = hwl_b_shifted(b, ffn, cur);
    shift = hwl_g_concat(g, hwl_b_last_row(b, normed), hwl_b_last_row(b, cur), 1);
    hwl_g_expand(g, hwl_g_cpy(g, hwl_g_view1(g, shift, width * seqs * 2, 0), hwl_g_view1(g, slot, slot->ne[0] * seqs, 0)));
    in = hwl_g_reshape(g, in, width, b->n_tokens, 1, 1);
    cur = hwl_g_reshape(g, cur, width, b->n_tokens, 1, 1);
    prev = hwl_g_reshape(g, prev, width, b->n_tokens, 1, 1);
    if (last) {
        in = hwl_g_get_rows(g, in, b->out_ids);
        cur = hwl_g_get_rows(g, cur, b->out_ids);
        prev = hwl_g_get_rows(g, prev, b->out_ids);
    }
    cur = hwl_g_add(g, channel_mix(b, cur, prev, il), in);
    return rescale && (il + 1) % rescale == 0 ? hwl_g_scale(g, cur) : cur;
}

hwl_gt hwl_b_qwen_layer(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, hwl_time_mix mix, hwl_gt *first, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t width = b->m->n_embd, seqs = b->n_seqs, n = b->n_tokens / seqs;
    hwl_gt slot = hwl_b_state(b, &b->k[il + b->m->n_layer_all], il, hwl_lc_embd_r(b->m));
    if (!slot)
        return NULL;
    x = hwl_g_reshape(g, x, width, n, seqs, 1);
    hwl_gt shift = hwl_g_reshape(g, hwl_b_state_load(b, s, slot), width, b->m->token_shift_count, seqs, 1);
    hwl_gt normed = hwl_b_norm(b, x, w(b, il, "attn_norm.weight"), w(b, il, "attn_norm.bias"), false, (int32_t)il);
    hwl_gt cur = mix(b, s, normed, hwl_b_shifted(b, shift, normed), first, il);
    shift = hwl_b_last_row(b, normed);
    hwl_g_expand(g, hwl_g_cpy(g, hwl_g_view1(g, shift, width * seqs * b->m->token_shift_count, 0), hwl_g_view1(g, slot, slot->ne[0] * seqs, 0)));
    hwl_gt in = hwl_g_reshape(g, hwl_g_add(g, cur, x), width, b->n_tokens, 1, 1);
    if (il + 1 == b->m->n_layer)
        in = hwl_g_get_rows(g, in, b->out_ids);
    cur = hwl_b_norm(b, in, w(b, il, "ffn_norm.weight"), NULL, false, (int32_t)il);
    return hwl_g_add(g, hwl_b_ffn(b, cur, (int32_t)il, "", HWL_ACT_SILU, false), in);
}

bool hwl_b_rwkv6(struct hwl_build *b)
{
    const bool qwen = !strcmp(b->m->arch, "rwkv6qwen2");
    if (!qwen && strcmp(b->m->arch, "rwkv6") != 0)
        return false;
    hwl_gt x = hwl_b_inp_embd(b);
    if (!qwen)
        x = hwl_b_norm(b, x, hwl_b_w(b, -1, "token_embd_norm.weight"), hwl_b_w(b, -1, "token_embd_norm.bias"), true, 0);
    const struct hwl_state s = hwl_b_inp_state(b);
    const double every = hwl_b_num(b, "rescale_every_n_layers", 0);
    const uint64_t rescale = every >= 1 && every <= 512 ? (uint64_t)every : 0;
    hwl_b_inp_out_ids(b);
    if (rescale)
        b->modulus = (uint32_t)rescale;
    for (uint32_t il = 0; il < b->m->n_layer && !b->g.failed; il = hwl_b_next(b, il))
        x = qwen ? hwl_b_qwen_layer(b, &s, x, time_mix, NULL, il) : layer(b, &s, x, rescale, il);
    hwl_b_output(b, x, !qwen);
    if (b->logits)
        b->logits->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(&b->g, b->logits);
    return true;
}
