/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/recurrent.h"

#include <string.h>

/* Models with recurrent state (src/models/mamba-base.cpp, lfm2.cpp, nemotron-h.cpp, falcon-h1.cpp; build_rs of
 * llama-graph.cpp, 0c1e57098). When graphs are reserved all cells of the state are in use and the first is cleared. */

hwl_gt hwl_b_state(struct hwl_build *b, hwl_gt *slot, uint32_t il, uint64_t width)
{
    if (!*slot) {
        *slot = hwl_g_new(&b->g, HWL_DTYPE_F32, width, b->p->n_seq_max, 1, 1);
        if (*slot) {
            const uint16_t at = b->p->offload_kqv ? b->place->layer[il] : LC_HOST;
            (*slot)->buft = (int8_t)(at == LC_HOST ? b->sys->n_devices : at);
            (*slot)->name = "state";
        }
    }
    return *slot;
}

struct hwl_state hwl_b_inp_state(struct hwl_build *b)
{
    struct hwl_state s = { NULL, NULL };
    const uint64_t cells = b->p->n_seq_max;
    hwl_gt copy = hwl_g_input(&b->g, HWL_DTYPE_I32, cells, 1, 1, 1, "rs_s_copy");
    s.main = hwl_g_view1(&b->g, copy, b->n_seqs, 0);
    s.extra = hwl_g_view1(&b->g, copy, cells - b->n_seqs, b->n_seqs * 4);
    return s;
}

hwl_gt hwl_b_state_cleared(struct hwl_build *b, hwl_gt all)
{
    struct hwl_graph *g = &b->g;
    hwl_gt states = hwl_g_reshape(g, all, all->ne[0], all->ne[1], 1, 1);
    hwl_g_expand(g, hwl_g_inplace(g, HWL_OP_SCALE, hwl_g_view1(g, states, all->ne[0], 0)));
    return states;
}

hwl_gt hwl_b_state_moved(struct hwl_build *b, const struct hwl_state *s, hwl_gt all, hwl_gt states, hwl_gt rows)
{
    struct hwl_graph *g = &b->g;
    const uint64_t others = b->p->n_seq_max - b->n_seqs;
    hwl_g_expand(g, rows);
    hwl_g_expand(g, hwl_g_cpy(g, hwl_g_get_rows(g, states, s->extra), hwl_g_view2(g, all, all->ne[0], others, all->nb[1], b->n_seqs * all->nb[1])));
    return rows;
}

hwl_gt hwl_b_state_load(struct hwl_build *b, const struct hwl_state *s, hwl_gt all)
{
    hwl_gt states = hwl_b_state_cleared(b, all);
    return hwl_b_state_moved(b, s, all, states, hwl_g_get_rows(&b->g, states, s->main));
}

/* Convolution over the kept columns and x [n_tokens of a sequence][channels]; keeps the last columns. */
hwl_gt hwl_b_state_conv(struct hwl_build *b, const struct hwl_state *s, uint32_t il, hwl_gt x, uint64_t channels, uint64_t kept,
                        const char *kernel, bool flat)
{
    struct hwl_graph *g = &b->g;
    hwl_gt all = hwl_b_state(b, &b->k[il + b->m->n_layer_all], il, channels * kept);
    if (!all || !x)
        return NULL;
    hwl_gt conv = hwl_g_reshape(g, hwl_b_state_load(b, s, all), kept, channels, b->n_seqs, 1);
    hwl_gt both = hwl_g_concat(g, conv, hwl_g_transpose(g, x), 0);
    if (!both)
        return NULL;
    const uint64_t k = b->p->n_rs_seq + 1ull; /* columns behind each of the last tokens, to roll back to */
    for (uint64_t t = 1; t <= k; t++) {
        const uint64_t end = both->ne[0] + t >= kept + k ? both->ne[0] + t - kept - k : 0;
        hwl_gt last = hwl_g_view3(g, both, kept, channels, b->n_seqs, both->nb[1], both->nb[2], end * 4);
        hwl_gt to = flat ? hwl_g_view1(g, all, channels * kept * b->n_seqs, 0) : hwl_g_view2(g, all, channels * kept, b->n_seqs, all->nb[1], 0);
        hwl_g_expand(g, hwl_g_cpy(g, last, to));
    }
    return hwl_g_ssm_conv(g, both, hwl_b_w(b, (int32_t)il, kernel));
}

hwl_gt hwl_b_mamba(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const uint64_t inner = b->m->ssm_d_inner, ds = b->m->ssm_d_state, rank = b->m->ssm_dt_rank, seqs = b->n_seqs, n = b->n_tokens / seqs;
    hwl_gt xz = hwl_g_mm(g, hwl_b_w(b, l, "ssm_in.weight"), hwl_g_reshape(g, x, b->m->n_embd, n, seqs, 1));
    if (!xz)
        return NULL;
    hwl_gt z = hwl_g_view3(g, xz, inner, n, seqs, xz->nb[1], xz->nb[2], inner * 4);
    x = hwl_b_state_conv(b, s, il, hwl_g_view3(g, xz, inner, n, seqs, xz->nb[1], xz->nb[2], 0), inner, b->m->ssm_d_conv - 1, "ssm_conv1d.weight", true);
    x = hwl_g_unary(g, hwl_g_add(g, x, hwl_b_w(b, l, "ssm_conv1d.bias")));
    hwl_gt db = hwl_g_mm(g, hwl_b_w(b, l, "ssm_x.weight"), x);
    if (!db)
        return NULL;
    hwl_gt dt = hwl_g_view3(g, db, rank, n, seqs, db->nb[1], db->nb[2], 0);
    hwl_gt bb = hwl_g_view(g, db, ds, 1, n, seqs, ds * 4, db->nb[1], db->nb[2], rank * 4);
    hwl_gt cc = hwl_g_view(g, db, ds, 1, n, seqs, ds * 4, db->nb[1], db->nb[2], (rank + ds) * 4);
    hwl_gt normed = hwl_b_w(b, l, "ssm_dt_norm.weight"); /* Jamba */
    if (normed) {
        dt = hwl_b_norm(b, dt, normed, NULL, false, l);
        bb = hwl_b_norm(b, bb, hwl_b_w(b, l, "ssm_b_norm.weight"), NULL, false, l);
        cc = hwl_b_norm(b, cc, hwl_b_w(b, l, "ssm_c_norm.weight"), NULL, false, l);
    } else
        dt = hwl_g_cont(g, dt);
    dt = hwl_g_add(g, hwl_g_mm(g, hwl_b_w(b, l, "ssm_dt.weight"), dt), hwl_b_w(b, l, "ssm_dt.bias"));
    hwl_gt x4 = hwl_g_reshape(g, x, 1, inner, n, seqs), all = hwl_b_state(b, &b->v[il + b->m->n_layer_all], il, ds * inner);
    if (!all || !x4)
        return NULL;
    hwl_gt states = hwl_b_state_cleared(b, all);
    hwl_gt scan = hwl_g_ssm_scan(g, hwl_g_reshape(g, states, ds, 1, inner, all->ne[1]), x4, dt, hwl_b_w(b, l, "ssm_a"), bb, cc, s->main, 1);
    hwl_b_state_moved(b, s, all, states, scan);
    hwl_g_expand(g, hwl_g_cpy(g, hwl_g_view1(g, scan, ds * inner * seqs, x4->nb[3] * seqs), hwl_g_view1(g, all, ds * inner * seqs, 0)));
    hwl_gt y = hwl_g_view3(g, scan, inner, n, seqs, x4->nb[2], x4->nb[3], 0);
    y = hwl_g_add(g, y, hwl_g_mul(g, x, hwl_b_w(b, l, "ssm_d")));
    y = hwl_g_mm(g, hwl_b_w(b, l, "ssm_out.weight"), hwl_b_glu(b, hwl_g_cont(g, z), y));
    return hwl_g_reshape(g, y, b->m->n_embd, b->n_tokens, 1, 1);
}

hwl_gt hwl_b_mamba2(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const uint64_t inner = b->m->ssm_d_inner, ds = b->m->ssm_d_state, heads = b->m->ssm_dt_rank, groups = b->m->ssm_n_group;
    const uint64_t seqs = b->n_seqs, n = b->n_tokens / seqs;
    if (!heads || !groups)
        return NULL;
    const uint64_t hd = inner / heads, channels = inner + 2 * groups * ds;
    hwl_gt in = hwl_g_mm(g, hwl_b_w(b, l, "ssm_in.weight"), x);
    in = hwl_g_reshape(g, in, in ? in->ne[0] : 0, n, seqs, 1);
    if (!in)
        return NULL;
    hwl_gt z = hwl_g_view(g, in, hd, heads, n, seqs, hd * 4, in->nb[1], in->nb[2], 0);
    hwl_gt xbc = hwl_g_view3(g, in, channels, n, seqs, in->nb[1], in->nb[2], inner * 4);
    hwl_gt dt = hwl_g_view3(g, in, heads, n, seqs, in->nb[1], in->nb[2], (2 * inner + 2 * groups * ds) * 4);
    xbc = hwl_b_state_conv(b, s, il, xbc, channels, b->m->ssm_d_conv - 1, "ssm_conv1d.weight", false);
    xbc = hwl_g_unary(g, hwl_g_add(g, xbc, hwl_b_w(b, l, "ssm_conv1d.bias")));
    if (!xbc)
        return NULL;
    x = hwl_g_view(g, xbc, hd, heads, n, seqs, hd * 4, xbc->nb[1], xbc->nb[2], 0);
    hwl_gt bb = hwl_g_view(g, xbc, ds, groups, n, seqs, ds * 4, xbc->nb[1], xbc->nb[2], inner * 4);
    hwl_gt cc = hwl_g_view(g, xbc, ds, groups, n, seqs, ds * 4, xbc->nb[1], xbc->nb[2], (inner + groups * ds) * 4);
    dt = hwl_g_add(g, hwl_g_cont(g, dt), hwl_b_w(b, l, "ssm_dt.bias"));
    hwl_gt all = hwl_b_state(b, &b->v[il + b->m->n_layer_all], il, ds * inner);
    if (!all || !x)
        return NULL;
    hwl_gt states = hwl_b_state_cleared(b, all);
    hwl_gt scan = hwl_g_ssm_scan(g, hwl_g_reshape(g, states, ds, hd, heads, all->ne[1]), x, dt, hwl_b_w(b, l, "ssm_a"), bb, cc, s->main, 1);
    hwl_b_state_moved(b, s, all, states, scan);
    const uint64_t row = 4 * ds * inner;
    hwl_g_expand(g, hwl_g_cpy(g, hwl_g_view3(g, scan, ds * inner, seqs, 1, row, row * seqs, 4 * hwl_g_nelements(x)),
                              hwl_g_view3(g, all, ds * inner, seqs, 1, all->nb[1], row * b->p->n_seq_max, 0)));
    hwl_gt y = hwl_g_view(g, scan, hd, heads, n, seqs, x->nb[1], heads * x->nb[1], n * heads * x->nb[1], 0);
    y = hwl_g_add(g, y, hwl_g_mul(g, x, hwl_b_w(b, l, "ssm_d")));
    y = hwl_b_glu(b, hwl_g_cont(g, z), y);
    hwl_gt norm = hwl_b_w(b, l, "ssm_norm.weight");
    if (norm)
        y = hwl_b_norm(b, hwl_g_reshape(g, y, inner / groups, groups, n, seqs), norm, NULL, false, l);
    return hwl_g_mm(g, hwl_b_w(b, l, "ssm_out.weight"), hwl_g_reshape(g, y, inner, b->n_tokens, 1, 1));
}

static hwl_gt shortconv(struct hwl_build *b, const struct hwl_state *s, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const uint64_t n_embd = b->m->n_embd, seqs = b->n_seqs, n = b->n_tokens / seqs;
    hwl_gt in = hwl_g_mm(g, hwl_b_w(b, l, "shortconv.in_proj.weight"), hwl_g_reshape(g, x, n_embd, n, seqs, 1));
    if (!in || !b->m->shortconv_l_cache)
        return NULL;
    const uint64_t part = in->ne[0] / 3;
    hwl_gt p[3];
    for (uint64_t i = 0; i < 3; i++)
        p[i] = hwl_g_view3(g, in, part, n, seqs, in->nb[1], in->nb[2], i * part * 4);
    x = hwl_b_state_conv(b, s, il, hwl_g_mul(g, p[0], p[2]), n_embd, b->m->shortconv_l_cache - 1, "shortconv.conv.weight", false);
    x = hwl_g_mm(g, hwl_b_w(b, l, "shortconv.out_proj.weight"), hwl_g_mul(g, p[1], x));
    return hwl_g_reshape(g, x, n_embd, b->n_tokens, 1, 1);
}

static hwl_gt attention(struct hwl_build *b, hwl_gt x, uint32_t il, bool rope)
{
    const int32_t l = (int32_t)il;
    struct hwl_qkv c = hwl_b_qkv(b, x, il, b->m->head_k, b->m->head_v, true);
    hwl_gt qn = hwl_b_w(b, l, "attn_q_norm.weight"), kn = hwl_b_w(b, l, "attn_k_norm.weight");
    if (qn)
        c.q = hwl_b_norm(b, c.q, qn, NULL, false, l);
    if (kn)
        c.k = hwl_b_norm(b, c.k, kn, NULL, false, l);
    if (rope) {
        c.q = hwl_g_rope(&b->g, c.q, b->pos, NULL);
        c.k = hwl_g_rope(&b->g, c.k, b->pos, NULL);
    }
    return hwl_b_attn(b, c, NULL, hwl_b_w(b, l, "attn_output.weight"), hwl_b_w(b, l, "attn_output.bias"), il);
}

static hwl_gt norm(struct hwl_build *b, hwl_gt x, int32_t il, const char *weight)
{
    return hwl_b_norm(b, x, hwl_b_w(b, il, weight), NULL, false, il);
}

static hwl_gt nemotron_ffn(struct hwl_build *b, hwl_gt x, int32_t l)
{
    struct hwl_graph *g = &b->g;
    hwl_gt router = hwl_b_w(b, l, "ffn_gate_inp.weight"), down = hwl_b_w(b, l, "ffn_latent_down.weight"), up = hwl_b_w(b, l, "ffn_latent_up.weight");
    if (!router)
        return hwl_b_ffn(b, x, l, "", HWL_ACT_RELU_SQR, true);
    struct hwl_moe o = { .act = HWL_ACT_RELU_SQR, .gating = 2, .norm_w = hwl_b_num(b, "expert_weights_norm", 0) != 0,
                         .scale = hwl_b_num(b, "expert_weights_scale", 0), .logits = hwl_g_mm(g, router, x) };
    hwl_gt y = hwl_b_moe(b, down ? hwl_g_mm(g, down, x) : x, l, &o);
    if (up)
        y = hwl_g_mm(g, up, y);
    return hwl_g_add(g, y, hwl_b_ffn(b, x, l, "_shexp", HWL_ACT_RELU_SQR, false));
}

static hwl_gt lfm_ffn(struct hwl_build *b, hwl_gt x, int32_t l)
{
    const struct hwl_moe o = { .act = HWL_ACT_SILU, .gating = b->m->gating_func, .norm_w = true, .scale = hwl_b_num(b, "expert_weights_scale", 0) };
    return hwl_b_w(b, l, "ffn_gate_inp.weight") ? hwl_b_moe(b, x, l, &o) : hwl_b_ffn(b, x, l, "", HWL_ACT_SILU, false);
}

enum kind { MAMBA, MAMBA2, LFM, NEMOTRON, FALCON };
static const struct {
    const char *arch;
    enum kind kind;
} rows[] = {
    { "falcon-h1", FALCON }, { "lfm2", LFM }, { "lfm2moe", LFM }, { "mamba", MAMBA }, { "mamba2", MAMBA2 },
    { "nemotron_h", NEMOTRON }, { "nemotron_h_moe", NEMOTRON },
};

static hwl_gt layer(struct hwl_build *b, const struct hwl_state *s, enum kind kind, hwl_gt x, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const bool last = il + 1 == b->m->n_layer, recurrent = b->m->layers[il].recr;
    hwl_gt residual = x, cur = norm(b, x, l, "attn_norm.weight");
    if (kind == FALCON) {
        hwl_gt attn = attention(b, cur, il, true);
        cur = hwl_b_mamba2(b, s, norm(b, x, l, "attn_norm.weight"), il);
        hwl_gt sum = hwl_g_add(g, hwl_g_add(g, attn, cur), residual);
        if (last)
            sum = hwl_g_get_rows(g, sum, b->out_ids);
        /* the loader wants the name without ".weight" */
        const char *name = hwl_b_w(b, l, "ffn_norm.weight") ? "ffn_norm.weight" : "ffn_norm";
        return hwl_g_add(g, hwl_b_ffn(b, norm(b, sum, l, name), l, "", HWL_ACT_SILU, true), sum);
    }
    if (kind == LFM)
        cur = recurrent ? shortconv(b, s, cur, il) : attention(b, cur, il, true);
    else if (kind == NEMOTRON)
        cur = recurrent ? hwl_b_mamba2(b, s, cur, il) : b->m->layers[il].n_ff ? nemotron_ffn(b, cur, l) : attention(b, cur, il, false);
    else
        cur = kind == MAMBA ? hwl_b_mamba(b, s, cur, il) : hwl_b_mamba2(b, s, cur, il);
    if (last && (kind != NEMOTRON || b->p->rules->rows_inside)) {
        cur = hwl_g_get_rows(g, cur, b->out_ids);
        residual = hwl_g_get_rows(g, residual, b->out_ids);
    }
    if (kind != LFM)
        return hwl_g_add(g, cur, residual);
    cur = hwl_g_add(g, residual, cur);
    return hwl_g_add(g, cur, lfm_ffn(b, norm(b, cur, l, "ffn_norm.weight"), l));
}

bool hwl_b_recurrent(struct hwl_build *b)
{
    if (hwl_b_linear(b) || hwl_b_hybrid(b) || hwl_b_kda(b) || hwl_b_rwkv6(b))
        return true;
    for (uint64_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].arch, b->m->arch) != 0)
            continue;
        hwl_gt x = hwl_b_inp_embd(b);
        hwl_b_inp_pos(b, 1);
        const struct hwl_state s = hwl_b_inp_state(b);
        if (b->m->memory == LC_MEM_HYBRID)
            hwl_b_inp_attn(b);
        hwl_b_inp_out_ids(b);
        for (uint32_t il = 0; il < b->m->n_layer && !b->g.failed; il = hwl_b_next(b, il))
            x = layer(b, &s, rows[i].kind, x, il);
        b->ids_behind_norm = rows[i].kind == NEMOTRON && !b->p->rules->rows_inside;
        hwl_b_output(b, x, false);
        if (b->logits)
            b->logits->flags |= HWL_GFLAG_OUTPUT;
        hwl_g_expand(&b->g, b->logits);
        return true;
    }
    return false;
}
