/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/recurrent.h"

#include <string.h>

/* Linear attention (src/models/rwkv7-base.cpp, rwkv7.cpp, minimax-01.cpp, qwen35.cpp, delta-net-base.cpp of llama.cpp
 * 0c1e57098). */

static hwl_gt w(struct hwl_build *b, uint32_t il, const char *base)
{
    return hwl_b_w(b, (int32_t)il, base);
}

static hwl_gt rms(struct hwl_build *b, hwl_gt x, uint32_t il, const char *weight)
{
    return hwl_b_norm(b, x, w(b, il, weight), NULL, false, (int32_t)il);
}

static hwl_gt conv_slot(struct hwl_build *b, uint32_t il)
{
    return hwl_b_state(b, &b->k[il + b->m->n_layer_all], il, hwl_lc_embd_r(b->m));
}

static hwl_gt matrix_slot(struct hwl_build *b, uint32_t il)
{
    return hwl_b_state(b, &b->v[il + b->m->n_layer_all], il, hwl_lc_embd_s(b->m));
}

/* y = w2 act(w1 x) */
static hwl_gt lora(struct hwl_build *b, uint32_t il, const char *down, const char *up, hwl_gt x, bool act)
{
    x = hwl_g_mm(&b->g, w(b, il, down), x);
    return hwl_g_mm(&b->g, w(b, il, up), act ? hwl_g_unary(&b->g, x) : x);
}

/* RWKV-7: token shift of two rows, then the matrix state. */
static hwl_gt time_mix(struct hwl_build *b, const struct hwl_state *s, hwl_gt cur, hwl_gt prev, hwl_gt *first, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t n = b->n_tokens, seqs = b->n_seqs, width = b->m->n_embd, size = b->m->wkv_head_size;
    if (!size || !cur)
        return NULL;
    const uint64_t heads = width / size;
    const bool gated = w(b, il, "time_mix_g1.weight") && w(b, il, "time_mix_g2.weight");
    hwl_gt sx = hwl_g_repeat(g, hwl_g_sub(g, prev, cur), width, n / seqs, seqs, gated ? 6 : 5);
    hwl_gt all = hwl_g_add(g, hwl_g_mul(g, sx, w(b, il, "time_mix_lerp_fused.weight")), cur), x[6];
    if (!all)
        return NULL;
    for (uint64_t i = 0; i < (gated ? 6 : 5); i++) /* r w k v a g */
        x[i] = hwl_g_view2(g, all, width, n, all->nb[1], i * width * n * 4);
    hwl_gt r = hwl_g_mm(g, w(b, il, "time_mix_receptance.weight"), x[0]);
    hwl_gt decay = hwl_g_add(g, lora(b, il, "time_mix_w1.weight", "time_mix_w2.weight", x[1], true), w(b, il, "time_mix_w0.weight"));
    decay = hwl_g_unary(g, hwl_g_scale(g, hwl_g_unary(g, decay)));
    hwl_gt k = hwl_g_mm(g, w(b, il, "time_mix_key.weight"), x[2]), v = hwl_g_mm(g, w(b, il, "time_mix_value.weight"), x[3]);
    if (!*first)
        *first = v;
    else { /* mixed with the first layer's */
        hwl_gt part = hwl_g_add(g, lora(b, il, "time_mix_v1.weight", "time_mix_v2.weight", x[3], false), w(b, il, "time_mix_v0.weight"));
        v = hwl_g_add(g, v, hwl_g_mul(g, hwl_g_sub(g, *first, v), hwl_g_unary(g, part)));
    }
    hwl_gt gate = gated ? lora(b, il, "time_mix_g1.weight", "time_mix_g2.weight", x[5], true) : NULL;
    hwl_gt a = hwl_g_add(g, lora(b, il, "time_mix_a1.weight", "time_mix_a2.weight", x[4], false), w(b, il, "time_mix_a0.weight"));
    a = hwl_g_unary(g, a);
    hwl_gt kk = hwl_g_reshape(g, hwl_g_mul(g, k, w(b, il, "time_mix_k_k.weight")), size, heads, n, 1);
    kk = hwl_g_like(g, HWL_OP_L2_NORM, kk, NULL, NULL);
    hwl_gt ka = hwl_g_mul(g, k, w(b, il, "time_mix_k_a.weight"));
    k = hwl_g_add(g, k, hwl_g_sub(g, hwl_g_mul(g, a, ka), ka));
    r = hwl_g_reshape(g, r, size, heads, n, 1);
    decay = hwl_g_reshape(g, decay, size, heads, n, 1);
    k = hwl_g_reshape(g, k, size, heads, n, 1);
    v = hwl_g_reshape(g, v, size, heads, n, 1);
    a = hwl_g_reshape(g, a, size, heads, n, 1);
    hwl_gt slot = matrix_slot(b, il);
    if (!slot)
        return NULL;
    hwl_gt state = hwl_b_state_load(b, s, slot);
    hwl_gt out = hwl_g_wkv(g, HWL_OP_RWKV_WKV7, k, state, (const hwl_gt[]){ r, decay, k, v, hwl_g_unary(g, kk), hwl_g_mul(g, kk, a), state }, 7);
    cur = hwl_g_view1(g, out, width * n, 0);
    const uint64_t kept = width * size * seqs;
    hwl_g_expand(g, hwl_g_cpy(g, hwl_g_view1(g, out, kept, width * n * 4), hwl_g_view1(g, slot, kept, 0)));
    hwl_gt ln = w(b, il, "time_mix_ln.weight"), ln_b = w(b, il, "time_mix_ln.bias");
    if (ln && ln_b) {
        cur = hwl_g_like(g, HWL_OP_NORM, hwl_g_reshape(g, cur, size, heads, n, 1), NULL, NULL);
        cur = hwl_g_add(g, hwl_g_mul(g, hwl_g_reshape(g, cur, width, n, 1, 1), ln), ln_b);
    } else
        cur = hwl_g_reshape(g, cur, width, n, 1, 1);
    hwl_gt rk = hwl_g_mul(g, hwl_g_mul(g, k, r), hwl_g_reshape(g, w(b, il, "time_mix_r_k.weight"), size, heads, 1, 1));
    cur = hwl_g_add(g, cur, hwl_g_reshape(g, hwl_g_mul(g, v, hwl_g_sum_rows(g, rk)), width, n, 1, 1));
    if (gate)
        cur = hwl_g_mul(g, cur, gate);
    return hwl_g_reshape(g, hwl_g_mm(g, w(b, il, "time_mix_output.weight"), cur), width, n / seqs, seqs, 1);
}

static hwl_gt ln(struct hwl_build *b, hwl_gt x, uint32_t il, const char *weight, const char *bias)
{
    return hwl_b_norm(b, x, w(b, il, weight), w(b, il, bias), true, (int32_t)il);
}

hwl_gt hwl_b_shifted(struct hwl_build *b, hwl_gt kept, hwl_gt x)
{
    if (!x)
        return NULL;
    const uint64_t n = b->n_tokens / b->n_seqs;
    return hwl_g_concat(&b->g, kept, hwl_g_view3(&b->g, x, x->ne[0], n - 1, b->n_seqs, x->nb[1], x->nb[2], 0), 1);
}

hwl_gt hwl_b_last_row(struct hwl_build *b, hwl_gt x)
{
    const uint64_t n = b->n_tokens / b->n_seqs;
    return x ? hwl_g_view3(&b->g, x, x->ne[0], 1, b->n_seqs, x->nb[1], x->nb[2], (n - 1) * x->ne[0] * 4) : NULL;
}

static hwl_gt rwkv7_layer(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, hwl_gt *first, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t width = b->m->n_embd, seqs = b->n_seqs, n = b->n_tokens / seqs;
    hwl_gt slot = conv_slot(b, il);
    if (!slot)
        return NULL;
    x = hwl_g_reshape(g, x, width, n, seqs, 1);
    hwl_gt shift = hwl_g_reshape(g, hwl_b_state_load(b, s, slot), width, 2, seqs, 1);
    if (!shift)
        return NULL;
    hwl_gt attn = hwl_g_view3(g, shift, width, 1, seqs, shift->nb[1], shift->nb[2], 0);
    hwl_gt ffn = hwl_g_view3(g, shift, width, 1, seqs, shift->nb[1], shift->nb[2], width * 4);
    hwl_gt normed = ln(b, x, il, "attn_norm.weight", "attn_norm.bias");
    hwl_gt in = hwl_g_add(g, time_mix(b, s, normed, hwl_b_shifted(b, attn, normed), first, il), x);
    hwl_gt cur = ln(b, in, il, "attn_norm_2.weight", "attn_norm_2.bias"), prev = hwl_b_shifted(b, ffn, cur);
    shift = hwl_g_concat(g, hwl_b_last_row(b, normed), hwl_b_last_row(b, cur), 1);
    hwl_g_expand(g, hwl_g_cpy(g, hwl_g_view1(g, shift, width * seqs * 2, 0), hwl_g_view1(g, slot, slot->ne[0] * seqs, 0)));
    in = hwl_g_reshape(g, in, width, b->n_tokens, 1, 1);
    cur = hwl_g_reshape(g, cur, width, b->n_tokens, 1, 1);
    prev = hwl_g_reshape(g, prev, width, b->n_tokens, 1, 1);
    if (il + 1 == b->m->n_layer) {
        in = hwl_g_get_rows(g, in, b->out_ids);
        cur = hwl_g_get_rows(g, cur, b->out_ids);
        prev = hwl_g_get_rows(g, prev, b->out_ids);
    }
    hwl_gt k = hwl_g_add(g, hwl_g_mul(g, hwl_g_sub(g, prev, cur), w(b, il, "channel_mix_lerp_k.weight")), cur);
    k = hwl_g_unary(g, hwl_g_mm(g, w(b, il, "channel_mix_key.weight"), k));
    k = hwl_g_like(g, HWL_OP_SQR, k, NULL, NULL);
    return hwl_g_add(g, hwl_g_mm(g, w(b, il, "channel_mix_value.weight"), k), in);
}

struct delta {
    hwl_gt mixed, z, beta, gate; /* columns of Q, K and V, output gate, write strength, decay */
};

/* Qwen3.5: one matrix each. */
static struct delta delta_inputs(struct hwl_build *b, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t vh = b->m->ssm_dt_rank, channels = b->m->ssm_d_inner + 2ull * b->m->ssm_n_group * b->m->ssm_d_state;
    const uint64_t seqs = b->n_seqs, n = b->n_tokens / seqs;
    struct delta d;
    d.mixed = hwl_g_reshape(g, hwl_g_mm(g, w(b, il, "attn_qkv.weight"), x), channels, n, seqs, 1);
    d.z = hwl_g_mm(g, w(b, il, "attn_gate.weight"), x);
    d.beta = hwl_g_unary(g, hwl_g_reshape(g, hwl_g_mm(g, w(b, il, "ssm_beta.weight"), x), 1, vh, n, seqs));
    hwl_gt alpha = hwl_g_reshape(g, hwl_g_mm(g, w(b, il, "ssm_alpha.weight"), x), vh, n, seqs, 1);
    alpha = hwl_g_unary(g, hwl_g_add(g, alpha, w(b, il, "ssm_dt.bias")));
    d.gate = hwl_g_reshape(g, hwl_g_mul(g, alpha, w(b, il, "ssm_a")), 1, vh, n, seqs);
    return d;
}

static hwl_gt part_of(struct hwl_graph *g, hwl_gt x, uint64_t width, uint64_t from)
{
    return x ? hwl_g_view(g, x, width, x->ne[1], x->ne[2], x->ne[3], x->nb[1], x->nb[2], x->nb[3], 4 * from) : NULL;
}

/* Qwen3-Next: beta and alpha lie together by key head; older files have Q, K, V and the gate so, too. */
static struct delta next_inputs(struct hwl_build *b, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t vh = b->m->ssm_dt_rank, kh = b->m->ssm_n_group, hk = b->m->ssm_d_state, seqs = b->n_seqs, n = b->n_tokens / seqs;
    struct delta d = { NULL, NULL, NULL, NULL };
    if (!kh)
        return d;
    const uint64_t per = vh / kh, hv = b->m->ssm_d_inner / vh, value = hv * per;
    if (w(b, il, "attn_qkv.weight")) {
        d.mixed = hwl_g_mm(g, w(b, il, "attn_qkv.weight"), x);
        d.mixed = hwl_g_reshape(g, d.mixed, d.mixed ? d.mixed->ne[0] : 0, n, seqs, 1);
        d.z = hwl_g_mm(g, w(b, il, "attn_gate.weight"), x);
    } else {
        hwl_gt all = hwl_g_reshape(g, hwl_g_mm(g, w(b, il, "ssm_in.weight"), x), 2 * hk + 2 * value, kh, n, seqs);
        d.z = hwl_g_cont(g, part_of(g, all, value, 2 * hk + value));
        hwl_gt q = hwl_g_cont4(g, part_of(g, all, hk, 0), hk * kh, n, seqs, 1), k = hwl_g_cont4(g, part_of(g, all, hk, hk), hk * kh, n, seqs, 1);
        d.mixed = hwl_g_concat(g, q, k, 0);
        d.mixed = hwl_g_concat(g, d.mixed, hwl_g_cont4(g, part_of(g, all, value, 2 * hk), hv * vh, n, seqs, 1), 0);
    }
    hwl_gt both = hwl_g_reshape(g, hwl_g_mm(g, w(b, il, "ssm_ba.weight"), x), 2 * per, kh, n, seqs);
    d.beta = hwl_g_unary(g, hwl_g_cont(g, part_of(g, both, per, 0)));
    hwl_gt alpha = hwl_g_cont4(g, part_of(g, both, per, per), vh, n, seqs, 1);
    alpha = hwl_g_mul(g, hwl_g_unary(g, hwl_g_add(g, alpha, w(b, il, "ssm_dt.bias"))), w(b, il, "ssm_a"));
    d.beta = hwl_g_reshape(g, d.beta, 1, vh, n, seqs);
    d.gate = hwl_g_reshape(g, alpha, 1, vh, n, seqs);
    return d;
}

/* One key head for several value heads, copied. */
static hwl_gt repeated(struct hwl_build *b, hwl_gt x)
{
    struct hwl_graph *g = &b->g;
    const uint64_t hk = b->m->ssm_d_state, kh = b->m->ssm_n_group, vh = b->m->ssm_dt_rank, seqs = b->n_seqs;
    if (kh == vh)
        return x;
    x = hwl_g_repeat(g, hwl_g_reshape(g, x, hk, 1, kh, b->n_tokens), hk, vh / kh, kh, b->n_tokens);
    return hwl_g_reshape(g, x, hk, vh, b->n_tokens / seqs, seqs);
}

/* Gated delta net of Qwen3.5 and Qwen3-Next; the fused operation is what both reserved graphs use where devices have it. */
static hwl_gt delta_net(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, bool next, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t inner = b->m->ssm_d_inner, hk = b->m->ssm_d_state, kh = b->m->ssm_n_group, vh = b->m->ssm_dt_rank;
    const uint64_t seqs = b->n_seqs, n = b->n_tokens / seqs;
    if (!vh || !b->m->ssm_d_conv)
        return NULL;
    const uint64_t hv = inner / vh, channels = inner + 2 * kh * hk;
    const struct delta d = next ? next_inputs(b, x, il) : delta_inputs(b, x, il);
    hwl_gt conv = hwl_b_state_conv(b, s, il, d.mixed, channels, b->m->ssm_d_conv - 1, "ssm_conv1d.weight", false), slot = matrix_slot(b, il);
    if (!conv || !slot)
        return NULL;
    hwl_gt state = hwl_g_reshape(g, hwl_b_state_load(b, s, slot), hv, hv, vh, seqs);
    conv = hwl_g_unary(g, conv);
    const uint64_t row = 4 * channels;
    hwl_gt q = hwl_g_view(g, conv, hk, kh, n, seqs, hk * 4, row, row * n, 0);
    hwl_gt k = hwl_g_view(g, conv, hk, kh, n, seqs, hk * 4, row, row * n, hk * kh * 4);
    hwl_gt v = hwl_g_view(g, conv, hv, vh, n, seqs, hv * 4, row, row * n, 2 * hk * kh * 4);
    q = hwl_g_scale(g, hwl_g_rms(g, q));
    k = hwl_g_scale(g, hwl_g_rms(g, k));
    if (next) {
        q = repeated(b, q);
        k = repeated(b, k);
    }
    const uint64_t snapshots = b->p->n_rs_seq + 1ull, written = n < snapshots ? n : snapshots;
    hwl_gt y = hwl_g_gated_delta_net(g, q, k, v, d.gate, d.beta, state, snapshots);
    hwl_gt out = hwl_g_view(g, y, hv, vh, n, seqs, hv * 4, hv * vh * 4, hv * vh * n * 4, 0);
    const uint64_t all = hv * hv * vh;
    if (b->p->n_rs_seq) {
        hwl_gt kept = hwl_g_view3(g, y, all, seqs, written, all * 4, all * seqs * 4, hv * vh * n * seqs * 4);
        hwl_g_expand(g, hwl_g_cpy(g, kept, hwl_g_view3(g, slot, all, seqs, written, slot->nb[1], slot->nb[1] * b->p->n_seq_max, 0)));
    } else {
        hwl_gt kept = hwl_g_view(g, y, hv, hv, vh, seqs, hv * 4, hv * hv * 4, hv * hv * vh * 4, hv * vh * n * seqs * 4);
        hwl_g_expand(g, hwl_g_cpy(g, kept, hwl_g_view2(g, slot, slot->ne[0], seqs, slot->nb[1], 0)));
    }
    hwl_gt z = hwl_g_reshape(g, d.z, hv, vh, n, seqs);
    out = hwl_g_mul(g, rms(b, out, il, "ssm_norm.weight"), hwl_g_unary(g, z));
    out = hwl_g_mm(g, w(b, il, "ssm_out.weight"), hwl_g_reshape(g, out, hv * vh, n, seqs, 1));
    return hwl_g_reshape(g, out, b->m->n_embd, b->n_tokens, 1, 1);
}

/* One matrix gives queries and their gates. */
static hwl_gt gated_attention(struct hwl_build *b, hwl_gt x, bool next, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t hd = b->m->head_k, h = b->m->layers[il].n_head, kv = b->m->layers[il].n_head_kv, n = b->n_tokens;
    struct hwl_qkv c = hwl_b_qkv(b, x, il, hd, hd, false);
    hwl_gt both = next ? hwl_g_reshape(g, c.q, 2 * hd, h, n, 1) : c.q;
    c.q = next ? part_of(g, both, hd, 0) : hwl_g_view3(g, both, hd, h, n, hd * 8, hd * 8 * h, 0);
    c.q = rms(b, c.q, il, "attn_q_norm.weight");
    c.k = rms(b, hwl_g_reshape(g, c.k, hd, kv, n, 1), il, "attn_k_norm.weight");
    hwl_gt gate = next ? part_of(g, both, hd, hd) : hwl_g_cont4(g, hwl_g_view3(g, both, hd, h, n, hd * 8, hd * 8 * h, hd * 4), hd * h, n, 1, 1);
    c.v = hwl_g_reshape(g, c.v, hd, kv, n, 1);
    c.q = hwl_g_rope(g, c.q, b->pos, NULL);
    c.k = hwl_g_rope(g, c.k, b->pos, NULL);
    hwl_gt y = hwl_b_attn(b, c, NULL, NULL, NULL, il);
    if (next)
        gate = hwl_g_cont4(g, gate, hd * h, n, 1, 1);
    return hwl_g_mm(g, w(b, il, "attn_output.weight"), hwl_g_mul(g, y, hwl_g_unary(g, gate)));
}

static hwl_gt delta_ffn(struct hwl_build *b, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const struct hwl_moe o = { .act = HWL_ACT_SILU, .gating = 1, .norm_w = true, .scale = hwl_b_num(b, "expert_weights_scale", 0) };
    if (!w(b, il, "ffn_gate_inp.weight"))
        return hwl_b_ffn(b, x, (int32_t)il, "", HWL_ACT_SILU, false);
    hwl_gt y = hwl_b_moe(b, x, (int32_t)il, &o);
    if (!w(b, il, "ffn_up_shexp.weight"))
        return y;
    hwl_gt shared = hwl_b_ffn(b, x, (int32_t)il, "_shexp", HWL_ACT_SILU, false);
    shared = hwl_g_mul(g, shared, hwl_g_unary(g, hwl_g_mm(g, w(b, il, "ffn_gate_inp_shexp.weight"), x)));
    return hwl_g_add(g, y, shared);
}

static hwl_gt delta_layer(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, bool next, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    hwl_gt cur = rms(b, x, il, "attn_norm.weight");
    hwl_g_expand(g, cur);
    cur = b->m->layers[il].recr ? delta_net(b, s, cur, next, il) : gated_attention(b, cur, next, il);
    if (il + 1 == b->m->n_layer && b->p->rules->rows_inside) {
        cur = hwl_g_get_rows(g, cur, b->out_ids);
        x = hwl_g_get_rows(g, x, b->out_ids);
    }
    hwl_gt in = hwl_g_add(g, cur, x);
    return hwl_g_add(g, delta_ffn(b, rms(b, in, il, "post_attention_norm.weight"), il), in);
}

struct decay {
    hwl_gt slopes, q, k, diag;
};

static struct decay inp_decay(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    const uint64_t heads = b->m->layers[0].n_head, seqs = b->n_seqs, n = b->n_tokens / seqs;
    return (struct decay){
        .slopes = hwl_g_input(g, HWL_DTYPE_F32, heads, 1, 1, 1, "slopes"),
        .q = hwl_g_input(g, HWL_DTYPE_F32, 1, heads, n, seqs, "q_decay_exp"),
        .k = hwl_g_input(g, HWL_DTYPE_F32, 1, heads, n, seqs, "k_decay_exp"),
        .diag = hwl_g_input(g, HWL_DTYPE_F32, n, n, heads, seqs, "diag_decay_exp"),
    };
}

/* Lightning attention of MiniMax-01: a product within the batch and one with the kept matrix, both decaying. */
static hwl_gt lightning(struct hwl_build *b, const struct hwl_state *s, const struct decay *d, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const uint64_t hd = b->m->head_k, heads = b->m->layers[il].n_head, seqs = b->n_seqs, n = b->n_tokens / seqs;
    hwl_gt none = conv_slot(b, il), slot = matrix_slot(b, il); /* the first is empty here, its operations are there all the same */
    if (!none || !slot || !x)
        return NULL;
    hwl_g_expand(g, hwl_b_state_load(b, s, none));
    hwl_gt slope = hwl_g_scale(g, d->slopes);
    x = hwl_g_reshape(g, x, x->ne[0], n, 1, seqs);
    hwl_gt qkv = hwl_g_unary(g, hwl_g_mm(g, w(b, il, "attn_qkv.weight"), x)), p[3];
    qkv = hwl_g_reshape(g, qkv, hd * 3, heads, n, seqs);
    if (!qkv)
        return NULL;
    for (uint64_t i = 0; i < 3; i++)
        p[i] = hwl_g_view(g, qkv, hd, heads, n, seqs, qkv->nb[1], qkv->nb[2], qkv->nb[3], i * hd * 4);
    hwl_gt old = hwl_g_reshape(g, hwl_b_state_load(b, s, slot), hd, hd, heads, seqs);
    hwl_gt q_decay = hwl_g_unary(g, hwl_g_scale(g, d->q)), k_decay = hwl_g_unary(g, hwl_g_scale(g, d->k));
    hwl_gt diag = hwl_g_unary(g, hwl_g_scale(g, d->diag));
    hwl_gt outer = hwl_g_mm(g, old, hwl_g_permute(g, hwl_g_mul(g, p[0], q_decay), 0, 2, 1, 3));
    hwl_gt q = hwl_g_permute(g, p[0], 0, 2, 1, 3), k = hwl_g_permute(g, p[1], 0, 2, 1, 3);
    hwl_gt qk = hwl_g_mul(g, hwl_g_mm(g, k, q), diag);
    hwl_gt v = hwl_g_cont(g, hwl_g_permute(g, p[2], 1, 2, 0, 3));
    hwl_gt y = hwl_g_add(g, outer, hwl_g_mm(g, v, qk));
    hwl_g_expand(g, y);
    hwl_gt block = hwl_g_reshape(g, hwl_g_unary(g, hwl_g_scale(g, slope)), 1, 1, heads, 1);
    hwl_gt faded = hwl_g_mul(g, old, block);
    hwl_gt after = hwl_g_cont(g, hwl_g_permute(g, hwl_g_mul(g, p[1], k_decay), 1, 2, 0, 3));
    hwl_gt kept = hwl_g_add(g, faded, hwl_g_mm(g, after, v));
    hwl_g_expand(g, hwl_g_cpy(g, kept, hwl_g_view1(g, slot, slot->ne[0] * seqs, 0)));
    y = hwl_g_cont(g, hwl_g_permute(g, y, 0, 2, 1, 3));
    y = rms(b, hwl_g_reshape(g, y, hd * heads, n, 1, seqs), il, "attn_norm_2.weight");
    hwl_gt gate = hwl_g_unary(g, hwl_g_mm(g, w(b, il, "attn_gate.weight"), x));
    y = hwl_g_mm(g, w(b, il, "attn_output.weight"), hwl_g_mul(g, gate, y));
    return hwl_g_reshape(g, y, b->m->n_embd, b->n_tokens, 1, 1);
}

static hwl_gt minimax_layer(struct hwl_build *b, const struct hwl_state *s, const struct decay *d, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    hwl_gt residual = rms(b, x, il, "attn_norm.weight"), cur;
    if (b->m->layers[il].recr)
        cur = lightning(b, s, d, residual, il);
    else {
        struct hwl_qkv c = hwl_b_qkv(b, residual, il, b->m->head_k, b->m->head_v, true);
        c.q = hwl_g_rope(g, c.q, b->pos, NULL);
        c.k = hwl_g_rope(g, c.k, b->pos, NULL);
        cur = hwl_b_attn(b, c, NULL, w(b, il, "attn_output.weight"), NULL, il);
    }
    if (il + 1 == b->m->n_layer) {
        cur = hwl_g_get_rows(g, cur, b->out_ids);
        residual = hwl_g_get_rows(g, residual, b->out_ids);
    }
    cur = hwl_g_add(g, cur, hwl_g_scale(g, residual));
    residual = rms(b, cur, il, "ffn_norm.weight"); /* the norm's result is what stays, not its input */
    const struct hwl_moe o = { .act = HWL_ACT_SILU, .gating = 1, .norm_w = true, .scale = hwl_b_num(b, "expert_weights_scale", 0) };
    cur = hwl_b_moe(b, residual, (int32_t)il, &o);
    return hwl_g_add(g, cur, hwl_g_scale(g, residual));
}

enum kind { RWKV7, ARWKV7, QWEN35, QWEN3NEXT, MINIMAX };
static const struct {
    const char *arch;
    enum kind kind;
} rows[] = { { "minimax-01", MINIMAX }, { "qwen35", QWEN35 }, { "qwen35moe", QWEN35 }, { "qwen3next", QWEN3NEXT }, { "rwkv7", RWKV7 }, { "arwkv7", ARWKV7 } };

static void linear(struct hwl_build *b, enum kind kind)
{
    hwl_gt x = hwl_b_inp_embd(b), first = NULL;
    if (kind == RWKV7)
        x = hwl_b_norm(b, x, hwl_b_w(b, -1, "token_embd_norm.weight"), hwl_b_w(b, -1, "token_embd_norm.bias"), true, 0);
    const struct hwl_state s = hwl_b_inp_state(b);
    struct decay d = { NULL, NULL, NULL, NULL };
    if (kind != RWKV7 && kind != ARWKV7) {
        hwl_b_inp_attn(b);
        hwl_b_inp_pos(b, kind == QWEN35 ? 4 : 1);
    }
    if (kind == MINIMAX)
        d = inp_decay(b);
    b->ids_behind_norm = (kind == QWEN35 || kind == QWEN3NEXT) && !b->p->rules->rows_inside;
    b->single_too = kind == MINIMAX;
    hwl_b_inp_out_ids(b);
    for (uint32_t il = 0; il < b->m->n_layer && !b->g.failed; il = hwl_b_next(b, il))
        x = kind == RWKV7 ? rwkv7_layer(b, &s, x, &first, il)
            : kind == ARWKV7 ? hwl_b_qwen_layer(b, &s, x, time_mix, &first, il)
            : kind != MINIMAX ? delta_layer(b, &s, x, kind == QWEN3NEXT, il) : minimax_layer(b, &s, &d, x, il);
    hwl_b_output(b, x, kind == RWKV7);
    if (b->logits)
        b->logits->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(&b->g, b->logits);
}

/* The MTP block of Qwen3.5 in a context of its own (src/models/qwen35.cpp, qwen35moe.cpp graph_mtp): the model's last hidden
 * rows and the tokens' embeddings, both normed, are one input of a layer with full attention. */
static void delta_mtp(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    const uint32_t il = b->m->n_layer;
    hwl_gt tokens = hwl_g_input(g, HWL_DTYPE_I32, b->n_tokens, 1, 1, 1, "inp_tokens");
    hwl_gt table = w(b, il, "nextn.embed_tokens.weight");
    hwl_gt embd = hwl_g_get_rows(g, table ? table : hwl_b_w(b, -1, "token_embd.weight"), tokens);
    hwl_gt hidden = hwl_g_input(g, HWL_DTYPE_F32, b->m->n_embd, b->n_tokens, 1, 1, "mtp_h_input");
    hwl_b_inp_pos(b, 4);
    hwl_b_inp_out_ids(b);
    hwl_b_inp_attn(b);
    hidden = rms(b, hidden, il, "nextn.hnorm.weight");
    embd = rms(b, embd, il, "nextn.enorm.weight");
    hwl_gt x = hwl_g_mm(g, w(b, il, "nextn.eh_proj.weight"), hwl_g_concat(g, embd, hidden, 0));
    hwl_gt cur = gated_attention(b, rms(b, x, il, "attn_norm.weight"), false, il);
    hwl_gt in = hwl_g_add(g, cur, x);
    x = hwl_g_add(g, delta_ffn(b, rms(b, in, il, "post_attention_norm.weight"), il), in);
    hwl_gt norm = w(b, il, "nextn.shared_head_norm.weight"), head = w(b, il, "nextn.shared_head_head.weight");
    x = hwl_b_norm(b, x, norm ? norm : hwl_b_w(b, -1, "output_norm.weight"), NULL, false, -1);
    if (x)
        x->flags |= HWL_GFLAG_OUTPUT; /* the hidden rows of the next draft token */
    b->logits = hwl_g_mm(g, head ? head : hwl_b_output_matrix(b), hwl_g_get_rows(g, x, b->out_ids));
    if (b->logits)
        b->logits->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(g, b->logits);
}

bool hwl_b_mtp(struct hwl_build *b)
{
    if (strcmp(b->m->arch, "qwen35") != 0 && strcmp(b->m->arch, "qwen35moe") != 0)
        return false;
    delta_mtp(b);
    return true;
}

bool hwl_b_linear(struct hwl_build *b)
{
    for (uint64_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].arch, b->m->arch)) {
            linear(b, rows[i].kind);
            return true;
        }
    return false;
}
