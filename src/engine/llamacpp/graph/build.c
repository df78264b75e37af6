/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/build.h"

#include <string.h>

/* Appends text at `to`, NUL-terminated and cut off before `end`; returns the new end. */
static char *join(char *to, const char *end, const char *text)
{
    while (*text && to + 1 < end)
        *to++ = *text++;
    *to = 0;
    return to;
}

uint32_t hwl_b_next(struct hwl_build *b, uint32_t il)
{
    struct hwl_repeat *r = b->repeat;
    if (!r)
        return il + 1;
    if (!r->ready)
        hwl_repeat_find(b->m, b->p, b->place, b->sys, b->modulus, r);
    if (r->end[il])
        b->mark[r->end[il] - 1] = (struct hwl_repeat_mark){ b->g.n_nodes, b->g.n_inputs };
    return r->next[il];
}

hwl_gt hwl_b_w(struct hwl_build *b, int32_t il, const char *base)
{
    b->g.layer = (int16_t)il;
    char key[96];
    if (b->stack && il >= 0) {
        (void)join(join(key, key + sizeof key, b->stack), key + sizeof key, base);
        base = key;
    }
    if (b->n_stored && il >= 0)
        il %= (int32_t)b->n_stored;
    const struct lc_tensor *t = hwl_lc_find(b->m, il, base);
    if (!t)
        return NULL;
    const uint64_t i = (uint64_t)(t - b->m->tensors);
    if (!b->weights[i]) {
        const uint64_t *d = t->t->dims;
        hwl_gt n = hwl_g_new(&b->g, (uint8_t)t->t->dtype, d[0], d[1], d[2], d[3]);
        if (!n)
            return NULL;
        const uint16_t at = hwl_lc_where(b->m, b->place, t);
        const bool repacked = at == LC_HOST && b->place->repacked && b->place->repacked[i];
        n->buft = (int8_t)(at == LC_HOST ? b->sys->n_devices + repacked : at);
        n->weight = true;
        n->name = t->name;
        b->weights[i] = n;
    }
    return b->weights[i];
}

double hwl_b_num(const struct hwl_build *b, const char *key, double other)
{
    char name[160];
    (void)join(join(join(name, name + sizeof name, b->m->arch), name + sizeof name, "."), name + sizeof name, key);
    double x;
    return hwl_gguf_f64(b->m->gguf, name, &x) ? x : other;
}

hwl_gt hwl_b_norm(struct hwl_build *b, hwl_gt x, hwl_gt w, hwl_gt bias, bool layer_norm, int32_t il)
{
    x = hwl_g_like(&b->g, layer_norm ? HWL_OP_NORM : HWL_OP_RMS_NORM, x, NULL, NULL);
    if ((w || bias) && il >= 0 && b->force_norms && x) {
        const uint16_t at = b->place->layer[il];
        x->fixed = (int8_t)(at == LC_HOST ? b->sys->n_devices : at);
    }
    if (w)
        x = hwl_g_mul(&b->g, x, w);
    return bias ? hwl_g_add(&b->g, x, bias) : x;
}

hwl_gt hwl_b_mm_bias(struct hwl_build *b, hwl_gt w, hwl_gt x, hwl_gt bias)
{
    x = hwl_g_mm(&b->g, w, x);
    return bias ? hwl_g_add(&b->g, x, bias) : x;
}

hwl_gt hwl_b_inp_embd(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    const uint64_t n_embd = b->m->n_embd, n_inp = n_embd * (1 + (uint64_t)b->m->n_deepstack);
    hwl_gt tokens = hwl_g_input(g, HWL_DTYPE_I32, b->n_tokens, 1, 1, 1, "inp_tokens");
    hwl_gt raw = !b->p->rules->both_inputs ? NULL : hwl_g_input(g, HWL_DTYPE_F32, n_inp, b->n_tokens, 1, 1, "inp_embd");
    hwl_gt x = hwl_g_get_rows(g, hwl_b_w(b, -1, "token_embd.weight"), tokens);
    if (n_inp != n_embd)
        x = hwl_g_pad(g, x, n_inp - n_embd, 0, 0, 0);
    hwl_g_expand(g, x); /* both ways in are part of the graph, the second as an unused leaf */
    if (raw)
        hwl_g_expand(g, raw);
    if (n_inp != n_embd && x)
        x = hwl_g_view2(g, x, n_embd, b->n_tokens, x->nb[1], 0);
    if (hwl_b_num(b, "embedding_scale", b->scales) != 0)
        x = hwl_g_scale(g, x);
    hwl_g_expand(g, x);
    return x;
}

void hwl_b_inp_pos(struct hwl_build *b, uint64_t per_token)
{
    b->pos = hwl_g_input(&b->g, HWL_DTYPE_I32, b->n_tokens * per_token, 1, 1, 1, "inp_pos");
}

void hwl_b_inp_out_ids(struct hwl_build *b)
{
    b->out_ids = hwl_g_input(&b->g, HWL_DTYPE_I32, b->n_outputs, 1, 1, 1, "out_ids");
}

static bool quantised(uint16_t type)
{
    return hwl_dtype((enum hwl_dtype)type)->block > 1;
}

hwl_gt hwl_b_mask(struct hwl_build *b, uint64_t cells, uint64_t tokens, uint64_t streams, const char *name)
{
    const bool f16 = b->fa && b->p->rules->mask_f16;
    hwl_gt mask = hwl_g_input(&b->g, f16 ? HWL_DTYPE_F16 : HWL_DTYPE_F32, cells, tokens, 1, streams, name);
    return b->fa && !f16 ? hwl_g_cast(&b->g, mask, HWL_DTYPE_F16) : mask;
}

static struct hwl_cache_in cache_in(struct hwl_build *b, uint64_t cells, uint64_t head_k, uint64_t head_v)
{
    struct hwl_graph *g = &b->g;
    const uint64_t streams = b->p->kv_unified ? 1 : b->n_seqs;
    struct hwl_cache_in c = { .cells = cells };
    if (b->p->rules->by_index)
        c.k_idxs = hwl_g_input(g, HWL_DTYPE_I64, b->n_tokens, 1, 1, 1, "attn_inp_k_idxs");
    if (b->p->rules->by_index)
        c.v_idxs = hwl_g_input(g, HWL_DTYPE_I64, b->n_tokens * (b->v_trans ? hwl_lc_v_gqa_max(b->m) : 1), 1, 1, 1, "attn_inp_v_idxs");
    c.mask = hwl_b_mask(b, cells, b->n_tokens / streams, streams, "attn_inp_kq_mask");
    if (b->p->rules->rotates && quantised(b->p->type_k) && head_k % 64 == 0) {
        uint64_t n = 64; /* the largest power of two that divides the head */
        while (head_k % (2 * n) == 0)
            n *= 2;
        c.k_rot = hwl_g_input(g, HWL_DTYPE_F32, n, n, 1, 1, "attn_inp_k_rot");
    }
    if (b->p->rules->rotates && quantised(b->p->type_v) && head_v % 64 == 0)
        c.v_rot = hwl_g_input(g, HWL_DTYPE_F32, 64, 64, 1, 1, "attn_inp_v_rot");
    return c;
}

void hwl_b_inp_attn(struct hwl_build *b)
{
    b->full = cache_in(b, b->p->kv_cells, b->m->head_k, b->m->head_v);
    if (b->m->swa_type != LC_SWA_NONE)
        b->swa = cache_in(b, b->p->kv_cells_swa, b->m->head_k_swa, b->m->head_v_swa);
}

/* The factors lie beside each layer that uses them: one copy a device. */
hwl_gt hwl_b_rope_factors(struct hwl_build *b, uint32_t il)
{
    const double orig = hwl_b_num(b, "rope.scaling.original_context_length", b->m->n_ctx_train);
    const struct lc_tensor *t = hwl_lc_find(b->m, -1, "rope_freqs.weight");
    if (!t)
        t = hwl_lc_find(b->m, -1, (double)b->p->n_ctx_seq > orig ? "rope_factors_long.weight" : "rope_factors_short.weight");
    if (!t)
        return NULL;
    const uint16_t at = b->place->layer[il];
    hwl_gt *slot = &b->factors[at == LC_HOST ? 16 : at];
    if (!*slot) {
        *slot = hwl_g_new(&b->g, (uint8_t)t->t->dtype, t->t->dims[0], 1, 1, 1);
        if (*slot) {
            (*slot)->buft = (int8_t)(at == LC_HOST ? b->sys->n_devices : at);
            (*slot)->weight = true;
            (*slot)->name = t->name;
        }
    }
    return *slot;
}

hwl_gt hwl_b_glu(struct hwl_build *b, hwl_gt gate, hwl_gt up)
{
    struct hwl_graph *g = &b->g;
    if (!b->p->rules->no_glu || !gate)
        return hwl_g_glu(g, gate, up);
    if (!up) {
        const uint64_t half = gate->ne[0] / 2;
        hwl_gt both = gate;
        gate = hwl_g_cont(g, hwl_g_view2(g, both, half, both->ne[1], both->nb[1], 0));
        up = hwl_g_cont(g, hwl_g_view2(g, both, half, both->ne[1], both->nb[1], half * 4));
    }
    return hwl_g_mul(g, hwl_g_unary(g, gate), up);
}

struct hwl_qkv hwl_b_qkv(struct hwl_build *b, hwl_gt x, uint32_t il, uint64_t head_k, uint64_t head_v, bool reshape)
{
    struct hwl_graph *g = &b->g;
    const int32_t l = (int32_t)il;
    const uint64_t h = b->m->layers[il].n_head, kv = b->m->layers[il].n_head_kv, n = b->n_tokens;
    const bool clamp = reshape && hwl_b_num(b, "attention.clamp_kqv", 0) > 0;
    hwl_gt packed = hwl_b_w(b, l, "attn_qkv.weight");
    struct hwl_qkv c;
    if (packed) {
        hwl_gt y = hwl_b_mm_bias(b, packed, x, hwl_b_w(b, l, "attn_qkv.bias"));
        if (clamp)
            y = hwl_g_like(g, HWL_OP_CLAMP, y, NULL, NULL);
        if (!y)
            return (struct hwl_qkv){ NULL, NULL, NULL };
        const uint64_t e = y->nb[0];
        if (reshape) {
            c.q = hwl_g_view3(g, y, head_k, h, n, e * head_k, y->nb[1], 0);
            c.k = hwl_g_view3(g, y, head_k, kv, n, e * head_k, y->nb[1], e * head_k * h);
            c.v = hwl_g_view3(g, y, head_v, kv, n, e * head_v, y->nb[1], e * head_k * (h + kv));
        } else {
            c.q = hwl_g_cont(g, hwl_g_view2(g, y, head_k * h, n, y->nb[1], 0));
            c.k = hwl_g_cont(g, hwl_g_view2(g, y, head_k * kv, n, y->nb[1], e * head_k * h));
            c.v = hwl_g_cont(g, hwl_g_view2(g, y, head_v * kv, n, y->nb[1], e * head_k * (h + kv)));
        }
        return c;
    }
    c.q = hwl_b_mm_bias(b, hwl_b_w(b, l, "attn_q.weight"), x, hwl_b_w(b, l, "attn_q.bias"));
    c.k = hwl_b_mm_bias(b, hwl_b_w(b, l, "attn_k.weight"), x, hwl_b_w(b, l, "attn_k.bias"));
    c.v = hwl_b_mm_bias(b, hwl_b_w(b, l, "attn_v.weight"), x, hwl_b_w(b, l, "attn_v.bias"));
    if (clamp) {
        c.q = hwl_g_like(g, HWL_OP_CLAMP, c.q, NULL, NULL);
        c.k = hwl_g_like(g, HWL_OP_CLAMP, c.k, NULL, NULL);
        c.v = hwl_g_like(g, HWL_OP_CLAMP, c.v, NULL, NULL);
    }
    if (reshape) {
        c.q = hwl_g_reshape(g, c.q, head_k, h, n, 1);
        c.k = hwl_g_reshape(g, c.k, head_k, kv, n, 1);
        c.v = hwl_g_reshape(g, c.v, head_v, kv, n, 1);
    }
    return c;
}

static hwl_gt hadamard(struct hwl_build *b, hwl_gt x, hwl_gt rot)
{
    struct hwl_graph *g = &b->g;
    if (!x || !rot)
        return x;
    const uint64_t n = rot->ne[0], rows = hwl_g_nelements(x) / n;
    if (!b->p->rules->any_rows && !hwl_g_contiguous(x))
        b->refusal = "GGML_ASSERT(ggml_is_contiguous(a)): a quantised cache of rows cut from one QKV matrix";
    hwl_gt y = hwl_g_contiguous(x) ? hwl_g_reshape(g, x, n, rows, 1, 1) : hwl_g_cont4(g, x, n, rows, 1, 1);
    return hwl_g_reshape(g, hwl_g_mm(g, rot, y), x->ne[0], x->ne[1], x->ne[2], x->ne[3]);
}

hwl_gt hwl_b_cache(struct hwl_build *b, hwl_gt *slot, uint32_t il, uint16_t type, uint64_t width, uint64_t cells)
{
    if (!*slot) {
        *slot = hwl_g_new(&b->g, (uint8_t)type, width, cells, b->p->kv_unified ? 1 : b->p->n_seq_max, 1);
        if (*slot) {
            const uint16_t at = b->p->offload_kqv ? b->place->layer[il] : LC_HOST;
            (*slot)->buft = (int8_t)(at == LC_HOST ? b->sys->n_devices : at);
            (*slot)->name = "cache";
        }
    }
    return *slot;
}

void hwl_b_store_rows(struct hwl_build *b, hwl_gt c, hwl_gt x, hwl_gt idxs)
{
    struct hwl_graph *g = &b->g;
    if (!c || !x)
        return;
    x = hwl_g_view2(g, x, x->ne[0] * x->ne[1], x->ne[2], x->nb[2], 0);
    if (c->ne[2] > 1)
        c = hwl_g_reshape(g, c, c->ne[0], c->ne[1] * c->ne[2], 1, 1);
    hwl_gt cells = idxs || !x ? NULL : hwl_g_view2(g, c, x->ne[0], x->ne[1], c->nb[1], 0);
    hwl_g_expand(g, idxs ? hwl_g_set_rows(g, c, x, idxs) : cells ? hwl_g_cpy(g, x, cells) : NULL);
}

/* Without flash attention V lies transposed: one cell is one row of each of its elements. */
static void store_transposed(struct hwl_build *b, hwl_gt c, hwl_gt x, hwl_gt idxs)
{
    struct hwl_graph *g = &b->g;
    if (!c || !x)
        return;
    const uint64_t width = x->ne[0] * x->ne[1], n = x->ne[2];
    x = hwl_g_row(g, x->type, width) == x->nb[2] ? hwl_g_reshape(g, x, width, n, 1, 1) : hwl_g_cont4(g, x, width, n, 1, 1);
    if (width < c->ne[0])
        x = hwl_g_pad(g, x, c->ne[0] - width, 0, 0, 0);
    if (!idxs) { /* cells are columns */
        hwl_gt cells = x ? hwl_g_view2(g, c, n, x->ne[0], c->nb[1], 0) : NULL;
        hwl_g_expand(g, cells ? hwl_g_cpy(g, hwl_g_transpose(g, x), cells) : NULL);
        return;
    }
    hwl_gt rows = hwl_g_reshape(g, c, 1, hwl_g_nelements(c), 1, 1);
    if (x)
        hwl_g_expand(g, hwl_g_set_rows(g, rows, hwl_g_reshape(g, x, 1, hwl_g_nelements(x), 1, 1), idxs));
}

hwl_gt hwl_b_mha(struct hwl_build *b, hwl_gt q, hwl_gt k, hwl_gt v, hwl_gt mask, hwl_gt sinks, hwl_gt v_up, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    if (!q || !k || !v)
        return NULL;
    const bool transposed = v->nb[1] > v->nb[2];
    const uint64_t streams = k->ne[3], n = q->ne[2] / streams;
    q = hwl_g_view(g, q, q->ne[0], q->ne[1], n, streams, q->nb[1], q->nb[2], q->nb[2] * n, 0);
    q = hwl_g_permute(g, q, 0, 2, 1, 3);
    k = hwl_g_permute(g, k, 0, 2, 1, 3);
    v = hwl_g_permute(g, v, 0, 2, 1, 3);
    hwl_gt x;
    if (b->fa && !b->score_bias) {
        if (transposed)
            v = hwl_g_transpose(g, v);
        if (k && k->type == HWL_DTYPE_F32)
            k = hwl_g_cast(g, k, HWL_DTYPE_F16);
        if (v && v->type == HWL_DTYPE_F32)
            v = hwl_g_cast(g, v, HWL_DTYPE_F16);
        x = hwl_g_flash_attn(g, q, k, v, mask, sinks, b->m->max_alibi_bias > 0);
        b->attn[il] = x;
        if (v_up)
            x = hwl_g_cont(g, hwl_g_permute(g, hwl_g_mm(g, v_up, hwl_g_permute(g, x, 0, 2, 1, 3)), 0, 2, 1, 3));
        if (!x)
            return NULL;
        x = hwl_g_reshape(g, x, x->ne[0] * x->ne[1], x->ne[2] * x->ne[3], 1, 1);
    } else {
        hwl_gt kq = hwl_g_mm(g, k, q);
        if (b->cap_tanh)
            kq = hwl_g_scale(g, hwl_g_unary(g, hwl_g_scale(g, kq)));
        else if (hwl_b_num(b, "attn_logit_softcapping", 0) > 0)
            kq = hwl_g_scale(g, hwl_g_unary(g, hwl_g_scale(g, kq)));
        if (b->score_bias)
            kq = hwl_g_add(g, kq, b->score_bias);
        kq = hwl_g_soft_max(g, kq, mask, sinks);
        if (!transposed)
            v = hwl_g_cont(g, hwl_g_transpose(g, v));
        x = hwl_g_mm(g, v, kq);
        if (v_up)
            x = hwl_g_mm(g, v_up, x);
        x = hwl_g_permute(g, x, 0, 2, 1, 3);
        if (!x)
            return NULL;
        x = hwl_g_cont4(g, x, x->ne[0] * x->ne[1], x->ne[2] * x->ne[3], 1, 1);
        if (!b->p->offload_kqv && x)
            x->fixed = (int8_t)b->sys->n_devices;
    }
    hwl_g_expand(g, x);
    return x;
}

hwl_gt hwl_b_attn(struct hwl_build *b, struct hwl_qkv c, hwl_gt sinks, hwl_gt wo, hwl_gt wo_b, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const bool window = b->m->swa_type != LC_SWA_NONE;
    const struct hwl_cache_in *in = window && b->m->layers[il].swa ? &b->swa : &b->full;
    c.q = hadamard(b, c.q, in->k_rot);
    c.k = hadamard(b, c.k, in->k_rot);
    c.v = hadamard(b, c.v, in->v_rot);
    hwl_g_expand(g, c.q); /* one cache: K last, so that it can be fused with its store; two caches: as named */
    hwl_g_expand(g, window ? c.k : c.v);
    hwl_g_expand(g, window ? c.v : c.k);
    const struct lc_layer *layer = &b->m->layers[il];
    const bool own = hwl_lc_has_kv(b->m, il) || (b->p->mtp && il >= b->m->n_layer);
    const uint32_t from = own ? il : (uint32_t)b->m->n_layer_kv_from_start - (layer->swa ? 2 : 1);
    if (!c.q || own != (c.k && c.v) || from >= b->m->n_layer_all)
        return NULL;
    const uint64_t width_k = hwl_lc_k_gqa(b->m, from), width_v = b->v_trans ? hwl_lc_v_gqa_max(b->m) : hwl_lc_v_gqa(b->m, from);
    hwl_gt kc = hwl_b_cache(b, &b->k[from], from, b->p->type_k, width_k, in->cells), vc = hwl_b_cache(b, &b->v[from], from, b->p->type_v, width_v, in->cells);
    if (!kc || !vc)
        return NULL;
    if (own) {
        hwl_b_store_rows(b, kc, c.k, in->k_idxs);
        if (!b->v_trans)
            hwl_b_store_rows(b, vc, c.v, in->v_idxs);
        else
            store_transposed(b, vc, c.v, in->v_idxs);
    }
    const uint64_t hk = own ? c.k->ne[0] : c.q->ne[0], hv = own ? c.v->ne[0] : layer->swa ? b->m->head_v_swa : b->m->head_v;
    const uint64_t heads = own ? c.k->ne[1] : layer->n_head_kv, cells = in->cells, streams = kc->ne[2];
    hwl_gt k = hwl_g_view(g, kc, hk, heads, cells, streams, hwl_g_row(g, kc->type, hk), kc->nb[1], kc->nb[2], 0), v;
    if (!b->v_trans)
        v = hwl_g_view(g, vc, hv, heads, cells, streams, hwl_g_row(g, vc->type, hv), vc->nb[1], vc->nb[2], 0);
    else
        v = hwl_g_view(g, vc, cells, heads, hv, streams, hwl_g_row(g, vc->type, cells * hv), hwl_g_row(g, vc->type, cells),
                       hwl_g_row(g, vc->type, cells * width_v), 0);
    hwl_gt x = hadamard(b, hwl_b_mha(b, c.q, k, v, in->mask, sinks, NULL, il), in->v_rot);
    return wo ? hwl_b_mm_bias(b, wo, x, wo_b) : x;
}

hwl_gt hwl_b_attn_free(struct hwl_build *b, struct hwl_qkv c, hwl_gt mask, hwl_gt wo, hwl_gt wo_b, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    hwl_g_expand(g, c.q);
    hwl_g_expand(g, c.k);
    hwl_g_expand(g, c.v);
    hwl_gt x = hwl_b_mha(b, c.q, c.k, c.v, mask, NULL, NULL, il);
    return wo ? hwl_b_mm_bias(b, wo, x, wo_b) : x;
}

hwl_gt hwl_b_attn_latent(struct hwl_build *b, struct hwl_qkv c, hwl_gt v_up, hwl_gt wo, uint32_t il)
{
    struct hwl_graph *g = &b->g;
    const struct hwl_cache_in *in = &b->full;
    hwl_g_expand(g, c.q);
    hwl_g_expand(g, c.v);
    hwl_g_expand(g, c.k);
    hwl_gt kc = hwl_b_cache(b, &b->k[il], il, b->p->type_k, hwl_lc_k_gqa(b->m, il), in->cells);
    if (!kc || !c.k || !c.v)
        return NULL;
    hwl_b_store_rows(b, kc, c.k, in->k_idxs);
    const uint64_t hk = c.k->ne[0];
    hwl_gt k = hwl_g_view(g, kc, hk, c.k->ne[1], in->cells, kc->ne[2], hwl_g_row(g, kc->type, hk), kc->nb[1], kc->nb[2], 0);
    if (!k)
        return NULL;
    hwl_gt v = hwl_g_view(g, k, c.v->ne[0], k->ne[1], k->ne[2], k->ne[3], k->nb[1], k->nb[2], k->nb[3], 0);
    return hwl_g_mm(g, wo, hwl_b_mha(b, c.q, k, v, in->mask, NULL, v_up, il));
}

static hwl_gt named(struct hwl_build *b, int32_t il, const char *what, const char *suffix, const char *part)
{
    char name[64];
    char *p = join(name, name + sizeof name, "ffn_");
    p = join(p, name + sizeof name, what);
    p = join(p, name + sizeof name, suffix);
    p = join(p, name + sizeof name, ".");
    (void)join(p, name + sizeof name, part);
    return hwl_b_w(b, il, name);
}

static hwl_gt clamped_glu(struct hwl_build *b, hwl_gt gate, hwl_gt up)
{
    struct hwl_graph *g = &b->g;
    up = hwl_g_like(g, HWL_OP_CLAMP, up, NULL, NULL);
    return hwl_g_mul(g, hwl_g_like(g, HWL_OP_CLAMP, hwl_g_unary(g, gate), NULL, NULL), up);
}

hwl_gt hwl_b_ffn(struct hwl_build *b, hwl_gt x, int32_t il, const char *suffix, enum hwl_act act, bool biases)
{
    struct hwl_graph *g = &b->g;
    hwl_gt gate = named(b, il, "gate", suffix, "weight");
    hwl_gt up = hwl_b_mm_bias(b, named(b, il, "up", suffix, "weight"), x, biases ? named(b, il, "up", suffix, "bias") : NULL);
    if (gate && act != HWL_ACT_PACKED) {
        hwl_gt y = hwl_b_mm_bias(b, gate, x, biases ? named(b, il, "gate", suffix, "bias") : NULL);
        x = act == HWL_ACT_SILU && b->m->layers[il].clamp_shexp ? clamped_glu(b, y, up) : hwl_b_glu(b, y, up);
    } else if (act == HWL_ACT_PACKED)
        x = hwl_b_glu(b, up, NULL);
    else {
        x = hwl_g_unary(g, up);
        if (act == HWL_ACT_RELU_SQR)
            x = hwl_g_like(g, HWL_OP_SQR, x, NULL, NULL);
    }
    return hwl_b_mm_bias(b, named(b, il, "down", suffix, "weight"), x, biases ? named(b, il, "down", suffix, "bias") : NULL);
}

static hwl_gt choose_groups(struct hwl_build *b, hwl_gt probs)
{
    struct hwl_graph *g = &b->g;
    const uint64_t groups = b->m->n_expert_groups, n = b->n_tokens;
    if (!probs)
        return NULL;
    const uint64_t experts = probs->ne[0], rows = probs->ne[1];
    hwl_gt in = hwl_g_reshape(g, probs, experts / groups, groups, rows, 1);
    hwl_gt best = hwl_g_argsort_top_k(g, in, 2);
    hwl_gt score = hwl_g_get_rows(g, hwl_g_reshape(g, in, 1, experts / groups, groups, rows), best);
    score = hwl_g_sum_rows(g, hwl_g_reshape(g, score, 2, groups, rows, 1));
    hwl_gt chosen = hwl_g_argsort_top_k(g, hwl_g_reshape(g, score, groups, rows, 1, 1), b->m->n_group_used);
    hwl_gt kept = hwl_g_get_rows(g, in, chosen);
    (void)n;
    return hwl_g_reshape(g, hwl_g_set_rows(g, hwl_g_like(g, HWL_OP_FILL, in, NULL, NULL), kept, chosen), experts, rows, 1, 1);
}

hwl_gt hwl_b_moe(struct hwl_build *b, hwl_gt x, int32_t il, const struct hwl_moe *o)
{
    struct hwl_graph *g = &b->g;
    if (!x || il < 0)
        return NULL;
    const uint64_t n_embd = x->ne[0], n = x->ne[1], experts = b->m->n_expert;
    const uint64_t used = o->chunks ? hwl_min(b->m->layers[il].n_expert_used, experts / o->chunks) : b->m->layers[il].n_expert_used;
    hwl_gt logits = o->logits;
    if (!logits)
        logits = hwl_b_mm_bias(b, hwl_b_w(b, il, "ffn_gate_inp.weight"), x, o->biases ? hwl_b_w(b, il, "ffn_gate_inp.bias") : NULL);
    hwl_gt probs = o->gating == 1 || o->gating == 4 ? hwl_g_soft_max(g, logits, NULL, NULL) : o->gating == 2 ? hwl_g_unary(g, logits) : logits;
    hwl_gt bias = hwl_b_w(b, il, "exp_probs_b.bias");
    if (!bias)
        bias = hwl_b_w(b, il, "exp_probs_b"); /* its name in Hunyuan V3 */
    hwl_gt choice = bias ? hwl_g_add(g, probs, bias) : probs;
    if (o->first_w)
        choice = logits;
    if (o->gating == 4)
        choice = hwl_g_unary(g, logits);
    if (b->m->n_expert_groups > 1)
        choice = choose_groups(b, choice);
    hwl_gt ids = hwl_g_argsort_top_k(g, choice, used);
    if (o->chunks)
        ids = hwl_g_cast(g, hwl_g_scale(g, hwl_g_cast(g, ids, HWL_DTYPE_F32)), HWL_DTYPE_I32);
    hwl_gt w = hwl_g_get_rows(g, hwl_g_reshape(g, probs, 1, experts, n, 1), ids);
    if (o->gating == 3)
        w = hwl_g_reshape(g, hwl_g_soft_max(g, hwl_g_reshape(g, w, used, n, 1, 1), NULL, NULL), 1, used, n, 1);
    if (o->norm_w) {
        w = hwl_g_reshape(g, w, used, n, 1, 1);
        w = hwl_g_div(g, w, hwl_g_like(g, HWL_OP_CLAMP, hwl_g_sum_rows(g, w), NULL, NULL));
        w = hwl_g_reshape(g, w, 1, used, n, 1);
    }
    if (o->scale != 0 && o->scale != 1)
        w = hwl_g_scale(g, w);
    hwl_g_expand(g, w);
    x = hwl_g_reshape(g, x, n_embd, 1, n, 1);
    if (o->first_w)
        x = hwl_g_mul(g, hwl_g_repeat(g, x, n_embd, used, n, 1), w);
    hwl_gt both = hwl_b_w(b, il, "ffn_gate_up_exps.weight"), gate = NULL, up, y;
    if (both) {
        y = hwl_g_mm_id(g, both, x, ids);
        if (!y)
            return NULL;
        const uint64_t ff = y->ne[0] / 2;
        gate = hwl_g_view3(g, y, ff, y->ne[1], y->ne[2], y->nb[1], y->nb[2], 0);
        up = hwl_g_view3(g, y, ff, y->ne[1], y->ne[2], y->nb[1], y->nb[2], ff * y->nb[0]);
    } else {
        hwl_gt gate_w = hwl_b_w(b, il, o->chunks ? "ffn_gate_chexps.weight" : "ffn_gate_exps.weight"), bu = hwl_b_w(b, il, "ffn_up_exps.bias"), bg = hwl_b_w(b, il, "ffn_gate_exps.bias");
        up = hwl_g_mm_id(g, hwl_b_w(b, il, o->chunks ? "ffn_up_chexps.weight" : "ffn_up_exps.weight"), x, ids);
        if (o->biases && bu)
            up = hwl_g_like(g, HWL_OP_ADD_ID, up, bu, ids);
        if (gate_w)
            gate = hwl_g_mm_id(g, gate_w, x, ids);
        if (gate && o->biases && bg)
            gate = hwl_g_like(g, HWL_OP_ADD_ID, gate, bg, ids);
    }
    if (gate && !both && o->act == HWL_ACT_SILU && b->m->layers[il].clamp_exp && !o->one_clamp)
        y = clamped_glu(b, gate, up);
    else if (gate)
        y = hwl_b_glu(b, gate, up);
    else {
        y = hwl_g_unary(g, up);
        if (o->act == HWL_ACT_RELU_SQR)
            y = hwl_g_like(g, HWL_OP_SQR, y, NULL, NULL);
    }
    y = hwl_g_mm_id(g, hwl_b_w(b, il, o->chunks ? "ffn_down_chexps.weight" : "ffn_down_exps.weight"), y, ids);
    hwl_gt scale = o->chunks ? NULL : hwl_b_w(b, il, "ffn_down_exps.scale"); /* build_lora_mm_id */
    if (scale) {
        scale = hwl_g_repeat(g, hwl_g_reshape(g, scale, 1, scale->ne[0], 1, 1), 1, scale->ne[0], n, 1);
        y = hwl_g_mul(g, y, hwl_g_get_rows(g, scale, ids));
    }
    hwl_gt bd = hwl_b_w(b, il, "ffn_down_exps.bias");
    if (o->biases && bd)
        y = hwl_g_like(g, HWL_OP_ADD_ID, y, bd, ids);
    if (!o->first_w)
        y = hwl_g_mul(g, y, w);
    hwl_g_expand(g, y);
    if (!y || used > 1024 || !used)
        return NULL;
    hwl_gt part[1024], sum;
    for (uint64_t i = 0; i < used; i++) {
        part[i] = hwl_g_view2(g, y, n_embd, n, y->nb[2], i * y->nb[1]);
        hwl_g_expand(g, part[i]);
    }
    sum = part[0];
    for (uint64_t i = 1; i < used; i++) {
        sum = hwl_g_add(g, sum, part[i]);
        hwl_g_expand(g, sum);
    }
    return used == 1 ? hwl_g_cont(g, sum) : sum;
}

hwl_gt hwl_b_output_matrix(struct hwl_build *b)
{
    hwl_gt w = hwl_b_w(b, -1, "output.weight");
    if (w)
        return w;
    w = hwl_b_w(b, -1, "token_embd.weight");
    const uint16_t at = b->place->layer[b->m->n_layer_all];
    if (!w || at == LC_HOST || b->weights_in_compute)
        return w;
    if (!b->tied) { /* a second copy lies with the output layer */
        b->tied = hwl_g_new(&b->g, w->type, w->ne[0], w->ne[1], w->ne[2], w->ne[3]);
        if (!b->tied)
            return NULL;
        b->tied->buft = (int8_t)at;
        b->tied->weight = true;
        b->tied->name = "output (tied)";
    }
    return b->tied;
}

void hwl_b_output(struct hwl_build *b, hwl_gt x, bool layer_norm)
{
    struct hwl_graph *g = &b->g;
    hwl_gt last = hwl_b_w(b, -1, b->stack ? "dec.output_norm.weight" : "output_norm.weight");
    if (!last && b->m->memory == LC_MEM_HYBRID)
        last = hwl_b_w(b, -1, "token_embd_norm.weight"); /* its name in LFM2 */
    x = hwl_b_norm(b, x, last, hwl_b_w(b, -1, "output_norm.bias"), layer_norm, -1);
    if (!x)
        return;
    x->flags |= HWL_GFLAG_OUTPUT; /* the embeddings that a caller may read */
    if (b->ids_behind_norm) {
        x = hwl_g_get_rows(g, x, b->out_ids);
        if (x)
            x->flags |= HWL_GFLAG_OUTPUT;
    }
    b->embd = x;
    if (b->scale_output)
        x = hwl_g_scale(g, x);
    b->logits = hwl_b_mm_bias(b, hwl_b_output_matrix(b), x, hwl_b_w(b, -1, "output.bias"));
}

/* The head of a reranking model, of what the file has of it. */
static hwl_gt rank(struct hwl_build *b, hwl_gt x)
{
    struct hwl_graph *g = &b->g;
    hwl_gt dense = hwl_b_w(b, -1, "cls.weight"), norm = hwl_b_w(b, -1, "cls.norm.weight"), out = hwl_b_w(b, -1, "cls.output.weight");
    if (dense) {
        x = hwl_g_unary(g, hwl_b_mm_bias(b, dense, x, hwl_b_w(b, -1, "cls.bias")));
        if (norm)
            x = hwl_b_norm(b, x, norm, NULL, true, -1);
    }
    if (out)
        x = hwl_b_mm_bias(b, out, x, hwl_b_w(b, -1, "cls.output.bias"));
    return !strcmp(b->m->arch, "qwen3") || !strcmp(b->m->arch, "qwen3vl") ? hwl_g_soft_max(g, x, NULL, NULL) : x;
}

/* llm_graph_context::build_pooling */
void hwl_b_pooling(struct hwl_build *b)
{
    struct hwl_graph *g = &b->g;
    hwl_gt x = b->embd;
    if (b->m->pooling == 1) {
        hwl_gt mean = hwl_g_input(g, HWL_DTYPE_F32, b->n_tokens, b->n_seqs, 1, 1, "mean");
        x = hwl_g_mm(g, hwl_g_cont(g, hwl_g_transpose(g, x)), mean);
    } else if (b->m->pooling)
        x = hwl_g_get_rows(g, x, hwl_g_input(g, HWL_DTYPE_I32, b->n_seqs, 1, 1, 1, "cls"));
    if (b->m->pooling == 4)
        x = rank(b, x);
    if (x)
        x->flags |= HWL_GFLAG_OUTPUT;
    hwl_g_expand(g, x);
}
