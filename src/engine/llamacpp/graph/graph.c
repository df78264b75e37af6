/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/graph.h"

#include <stdio.h>

enum { INPLACE = HWL_GOP_INPLACE, VIEW = HWL_GOP_VIEW, POOL = 64 };
#define OP(name, flags) flags,
const uint8_t hwl_gop_flags[HWL_OP_COUNT] = {
#include "engine/llamacpp/graph/ops.def"
};
#undef OP
#define OP(name, flags) #name,
static const char *const op_names[HWL_OP_COUNT] = {
#include "engine/llamacpp/graph/ops.def"
};
#undef OP

static const struct hwl_node dummy = { .type = HWL_DTYPE_F32 }; /* stands for a missing operand */

const char *hwl_g_describe(const struct hwl_node *t, char *buf, uint64_t size)
{
    const char *weight = NULL;
    for (uint32_t i = 0; i < t->n_src && !weight; i++)
        if (t->src[i]->weight)
            weight = t->src[i]->name;
    if (t->name)
        (void)snprintf(buf, (size_t)size, t->op == HWL_OP_NONE && t->flags == 0 ? "copy of %s" : "%s", t->name);
    else if (weight)
        (void)snprintf(buf, (size_t)size, "%s with %s", op_names[t->op], weight);
    else if (t->layer >= 0)
        (void)snprintf(buf, (size_t)size, "%s of layer %d", t->op == HWL_OP_NONE ? "copy" : op_names[t->op], t->layer);
    else
        (void)snprintf(buf, (size_t)size, "%s", t->op == HWL_OP_NONE ? "copy" : op_names[t->op]);
    return buf;
}

const char *hwl_g_op_name(uint8_t op)
{
    return op_names[op];
}

static uint64_t mul(struct hwl_graph *g, uint64_t a, uint64_t b)
{
    uint64_t r;
    if (!hwl_mul(&r, a, b) || r > UINT64_MAX / 8) {
        g->failed = true;
        return 0;
    }
    return r;
}

uint64_t hwl_g_row(struct hwl_graph *g, uint8_t type, uint64_t n)
{
    const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)type);
    return mul(g, n / d->block, d->bytes);
}

uint64_t hwl_g_nelements(const struct hwl_node *t)
{
    return t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
}

static hwl_gt node(struct hwl_graph *g)
{
    if (!g->n_pool) {
        g->pool = HWL_NEW_ARRAY(g->arena, struct hwl_node, POOL);
        g->n_pool = POOL;
    }
    if (!g->pool || ++g->n_made > g->max_made) {
        g->failed = true;
        if (!g->pool)
            g->n_pool = 0;
    }
    if (!g->pool)
        return NULL;
    g->n_pool--;
    hwl_gt t = g->pool++;
    t->buft = -1;
    t->fixed = -1;
    t->be = -1;
    t->layer = g->layer;
    return t;
}

/* ggml_nbytes: of possibly strided data */
static void measure(struct hwl_graph *g, hwl_gt t)
{
    const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)t->type);
    for (int i = 0; i < 4; i++)
        if (!t->ne[i]) {
            t->bytes = 0;
            return;
        }
    uint64_t n = d->block == 1 ? mul(g, t->ne[0] - 1, t->nb[0]) + d->bytes : mul(g, t->ne[0], t->nb[0]) / d->block;
    for (int i = 1; i < 4; i++)
        n += mul(g, t->ne[i] - 1, t->nb[i]);
    t->bytes = n;
}

hwl_gt hwl_g_new(struct hwl_graph *g, uint8_t type, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3)
{
    hwl_gt t = node(g);
    if (!t)
        return NULL;
    const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)type);
    t->type = type;
    t->ne[0] = n0;
    t->ne[1] = n1;
    t->ne[2] = n2;
    t->ne[3] = n3;
    t->nb[0] = d->bytes;
    t->nb[1] = hwl_g_row(g, type, n0);
    t->nb[2] = mul(g, t->nb[1], n1);
    t->nb[3] = mul(g, t->nb[2], n2);
    t->bytes = mul(g, t->nb[3], n3);
    return t;
}

hwl_gt hwl_g_input(struct hwl_graph *g, uint8_t type, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3, const char *name)
{
    hwl_gt t = hwl_g_new(g, type, n0, n1, n2, n3);
    if (t) {
        g->n_inputs++;
        t->flags = HWL_GFLAG_INPUT;
        t->name = name;
    }
    return t;
}

static void put(struct hwl_graph *g, hwl_gt **list, uint64_t *n, uint64_t *cap, hwl_gt t)
{
    if (*n == *cap) {
        hwl_gt *grown = hwl_arena_grow(g->arena, *list, cap, *n + 1 > 1024 ? *n + 1 : 1024, sizeof **list);
        if (!grown) {
            g->failed = true;
            return;
        }
        *list = grown;
    }
    (*list)[(*n)++] = t;
}

void hwl_g_expand(struct hwl_graph *g, hwl_gt t)
{
    if (!t || t->visited)
        return;
    t->visited = true;
    for (uint32_t i = 0; i < t->n_src; i++)
        hwl_g_expand(g, t->src[i]);
    if (t->op == HWL_OP_NONE)
        put(g, &g->leafs, &g->n_leafs, &g->cap_leafs, t);
    else
        put(g, &g->nodes, &g->n_nodes, &g->cap_nodes, t);
}

bool hwl_g_contiguous(const struct hwl_node *t)
{
    const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)t->type);
    if (t->ne[0] != d->block && t->nb[0] != d->bytes)
        return false;
    uint64_t nb = t->ne[0] / d->block * d->bytes;
    for (int i = 1; i < 4; i++)
        if (t->ne[i] != 1) {
            if (t->nb[i] != nb)
                return false;
            nb *= t->ne[i];
        }
    return true;
}

static void source(hwl_gt t, hwl_gt s)
{
    if (s)
        t->src[t->n_src++] = s;
}

hwl_gt hwl_g_make(struct hwl_graph *g, uint8_t op, uint8_t type, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3, const hwl_gt *src, uint32_t n_src)
{
    hwl_gt t = hwl_g_new(g, type, n0, n1, n2, n3);
    if (!t)
        return NULL;
    t->op = op;
    for (uint32_t i = 0; i < n_src && i < HWL_GNODE_SRC; i++)
        source(t, src[i]);
    return t;
}

/* A missing operand (a tensor that the model lacks) spoils the graph instead of crashing. */
static const struct hwl_node *have(struct hwl_graph *g, hwl_gt t)
{
    if (t)
        return t;
    g->failed = true;
    return &dummy;
}

hwl_gt hwl_g_like(struct hwl_graph *g, uint8_t op, hwl_gt a, hwl_gt b, hwl_gt c)
{
    const struct hwl_node *x = have(g, a);
    const hwl_gt src[] = { a, b, c };
    return hwl_g_make(g, op, x->type, x->ne[0], x->ne[1], x->ne[2], x->ne[3], src, 3);
}

hwl_gt hwl_g_add(struct hwl_graph *g, hwl_gt a, hwl_gt b)
{
    have(g, b);
    return hwl_g_like(g, HWL_OP_ADD, a, b, NULL);
}

hwl_gt hwl_g_sub(struct hwl_graph *g, hwl_gt a, hwl_gt b)
{
    have(g, b);
    return hwl_g_like(g, HWL_OP_SUB, a, b, NULL);
}

hwl_gt hwl_g_mul(struct hwl_graph *g, hwl_gt a, hwl_gt b)
{
    have(g, b);
    return hwl_g_like(g, HWL_OP_MUL, a, b, NULL);
}

hwl_gt hwl_g_div(struct hwl_graph *g, hwl_gt a, hwl_gt b)
{
    have(g, b);
    return hwl_g_like(g, HWL_OP_DIV, a, b, NULL);
}

hwl_gt hwl_g_scale(struct hwl_graph *g, hwl_gt a)
{
    return hwl_g_like(g, HWL_OP_SCALE, a, NULL, NULL);
}

hwl_gt hwl_g_unary(struct hwl_graph *g, hwl_gt a)
{
    return hwl_g_like(g, HWL_OP_UNARY, a, NULL, NULL);
}

hwl_gt hwl_g_rms(struct hwl_graph *g, hwl_gt a)
{
    return hwl_g_like(g, HWL_OP_RMS_NORM, a, NULL, NULL);
}

hwl_gt hwl_g_mm(struct hwl_graph *g, hwl_gt a, hwl_gt b)
{
    const struct hwl_node *x = have(g, a), *y = have(g, b);
    if (x->ne[0] != y->ne[0])
        g->failed = true;
    return hwl_g_make(g, HWL_OP_MUL_MAT, HWL_DTYPE_F32, x->ne[1], y->ne[1], y->ne[2], y->ne[3], (const hwl_gt[]){ a, b }, 2);
}

hwl_gt hwl_g_mm_id(struct hwl_graph *g, hwl_gt as, hwl_gt b, hwl_gt ids)
{
    const struct hwl_node *x = have(g, as), *y = have(g, b), *z = have(g, ids);
    if (x->ne[0] != y->ne[0])
        g->failed = true;
    return hwl_g_make(g, HWL_OP_MUL_MAT_ID, HWL_DTYPE_F32, x->ne[1], z->ne[0], y->ne[2], 1, (const hwl_gt[]){ as, b, ids }, 3);
}

hwl_gt hwl_g_glu(struct hwl_graph *g, hwl_gt a, hwl_gt b)
{
    const struct hwl_node *x = have(g, a);
    return hwl_g_make(g, HWL_OP_GLU, x->type, b ? x->ne[0] : x->ne[0] / 2, x->ne[1], x->ne[2], x->ne[3], (const hwl_gt[]){ a, b }, 2);
}

hwl_gt hwl_g_get_rows(struct hwl_graph *g, hwl_gt a, hwl_gt rows)
{
    const struct hwl_node *x = have(g, a), *y = have(g, rows);
    const uint8_t type = x->type == HWL_DTYPE_I32 ? HWL_DTYPE_I32 : HWL_DTYPE_F32;
    return hwl_g_make(g, HWL_OP_GET_ROWS, type, x->ne[0], y->ne[0], y->ne[1], y->ne[2], (const hwl_gt[]){ a, rows }, 2);
}

/* A view of a: storage, offset and shape of it. */
static hwl_gt view_of(struct hwl_graph *g, hwl_gt a)
{
    const struct hwl_node *x = have(g, a);
    hwl_gt t = node(g);
    if (!t)
        return NULL;
    t->type = x->type;
    for (int i = 0; i < 4; i++) {
        t->ne[i] = x->ne[i];
        t->nb[i] = x->nb[i];
    }
    t->bytes = x->bytes;
    t->view = a && a->view ? a->view : a;
    t->offs = x->offs;
    return t;
}

hwl_gt hwl_g_set_rows(struct hwl_graph *g, hwl_gt a, hwl_gt b, hwl_gt rows)
{
    hwl_gt t = view_of(g, a);
    if (!t)
        return NULL;
    t->op = HWL_OP_SET_ROWS;
    source(t, b);
    source(t, rows);
    source(t, a);
    return t;
}

hwl_gt hwl_g_cpy(struct hwl_graph *g, hwl_gt a, hwl_gt b)
{
    hwl_gt t = view_of(g, b);
    if (!t)
        return NULL;
    t->op = HWL_OP_CPY;
    source(t, a);
    source(t, b);
    return t;
}

hwl_gt hwl_g_cast(struct hwl_graph *g, hwl_gt a, uint8_t type)
{
    const struct hwl_node *x = have(g, a);
    hwl_gt t = hwl_g_make(g, HWL_OP_CPY, type, x->ne[0], x->ne[1], x->ne[2], x->ne[3], &a, 1);
    if (t)
        source(t, t); /* ggml_cast names itself as its destination */
    return t;
}

hwl_gt hwl_g_cont(struct hwl_graph *g, hwl_gt a)
{
    return hwl_g_like(g, HWL_OP_CONT, a, NULL, NULL);
}

hwl_gt hwl_g_cont4(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3)
{
    return hwl_g_make(g, HWL_OP_CONT, have(g, a)->type, n0, n1, n2, n3, &a, 1);
}

hwl_gt hwl_g_view(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3, uint64_t nb1, uint64_t nb2, uint64_t nb3,
                  uint64_t offs)
{
    hwl_gt t = view_of(g, a);
    if (!t)
        return NULL;
    t->op = HWL_OP_VIEW;
    source(t, a);
    t->ne[0] = n0;
    t->ne[1] = n1;
    t->ne[2] = n2;
    t->ne[3] = n3;
    t->nb[0] = hwl_dtype((enum hwl_dtype)t->type)->bytes;
    t->nb[1] = nb1;
    t->nb[2] = nb2;
    t->nb[3] = nb3;
    t->offs += offs;
    measure(g, t);
    return t;
}

hwl_gt hwl_g_view1(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t offs)
{
    const uint64_t row = hwl_g_row(g, have(g, a)->type, n0);
    return hwl_g_view(g, a, n0, 1, 1, 1, row, row, row, offs);
}

hwl_gt hwl_g_view2(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t nb1, uint64_t offs)
{
    return hwl_g_view(g, a, n0, n1, 1, 1, nb1, mul(g, nb1, n1), mul(g, nb1, n1), offs);
}

hwl_gt hwl_g_view3(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t nb1, uint64_t nb2, uint64_t offs)
{
    return hwl_g_view(g, a, n0, n1, n2, 1, nb1, nb2, mul(g, nb2, n2), offs);
}

hwl_gt hwl_g_reshape(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3)
{
    const uint8_t type = have(g, a)->type;
    if (a && mul(g, mul(g, n0, n1), mul(g, n2, n3)) != hwl_g_nelements(a))
        g->failed = true;
    const uint64_t nb1 = hwl_g_row(g, type, n0), nb2 = mul(g, nb1, n1);
    hwl_gt t = hwl_g_view(g, a, n0, n1, n2, n3, nb1, nb2, mul(g, nb2, n2), 0);
    if (t)
        t->op = HWL_OP_RESHAPE;
    return t;
}

hwl_gt hwl_g_permute(struct hwl_graph *g, hwl_gt a, uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3)
{
    const uint32_t axis[4] = { a0, a1, a2, a3 };
    hwl_gt t = view_of(g, a);
    if (!t || !a)
        return t;
    t->op = HWL_OP_PERMUTE;
    source(t, a);
    for (int i = 0; i < 4; i++) {
        t->ne[axis[i]] = a->ne[i];
        t->nb[axis[i]] = a->nb[i];
    }
    return t;
}

hwl_gt hwl_g_transpose(struct hwl_graph *g, hwl_gt a)
{
    hwl_gt t = hwl_g_permute(g, a, 1, 0, 2, 3);
    if (t)
        t->op = HWL_OP_TRANSPOSE;
    return t;
}

hwl_gt hwl_g_concat(struct hwl_graph *g, hwl_gt a, hwl_gt b, uint32_t dim)
{
    const struct hwl_node *x = have(g, a), *y = have(g, b);
    uint64_t ne[4];
    for (uint32_t i = 0; i < 4; i++)
        ne[i] = x->ne[i] + (i == dim ? y->ne[i] : 0);
    return hwl_g_make(g, HWL_OP_CONCAT, x->type, ne[0], ne[1], ne[2], ne[3], (const hwl_gt[]){ a, b }, 2);
}

hwl_gt hwl_g_pad(struct hwl_graph *g, hwl_gt a, uint64_t p0, uint64_t p1, uint64_t p2, uint64_t p3)
{
    const struct hwl_node *x = have(g, a);
    return hwl_g_make(g, HWL_OP_PAD, x->type, x->ne[0] + p0, x->ne[1] + p1, x->ne[2] + p2, x->ne[3] + p3, &a, 1);
}

hwl_gt hwl_g_repeat(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3)
{
    return hwl_g_make(g, HWL_OP_REPEAT, have(g, a)->type, n0, n1, n2, n3, &a, 1);
}

hwl_gt hwl_g_sum_rows(struct hwl_graph *g, hwl_gt a)
{
    const struct hwl_node *x = have(g, a);
    return hwl_g_make(g, HWL_OP_SUM_ROWS, x->type, 1, x->ne[1], x->ne[2], x->ne[3], &a, 1);
}

hwl_gt hwl_g_argsort(struct hwl_graph *g, hwl_gt a)
{
    const struct hwl_node *x = have(g, a);
    return hwl_g_make(g, HWL_OP_ARGSORT, HWL_DTYPE_I32, x->ne[0], x->ne[1], x->ne[2], x->ne[3], &a, 1);
}

hwl_gt hwl_g_argsort_top_k(struct hwl_graph *g, hwl_gt a, uint64_t k)
{
    hwl_gt t = hwl_g_argsort(g, a);
    return t ? hwl_g_view(g, t, k, t->ne[1], t->ne[2], t->ne[3], t->nb[1], t->nb[2], t->nb[3], 0) : NULL;
}

hwl_gt hwl_g_top_k(struct hwl_graph *g, hwl_gt a, uint64_t k)
{
    const struct hwl_node *x = have(g, a);
    return hwl_g_make(g, HWL_OP_TOP_K, HWL_DTYPE_I32, k, x->ne[1], x->ne[2], x->ne[3], &a, 1);
}

hwl_gt hwl_g_soft_max(struct hwl_graph *g, hwl_gt a, hwl_gt mask, hwl_gt sinks)
{
    return hwl_g_like(g, HWL_OP_SOFT_MAX, a, mask, sinks);
}

hwl_gt hwl_g_flash_attn(struct hwl_graph *g, hwl_gt q, hwl_gt k, hwl_gt v, hwl_gt mask, hwl_gt sinks, bool alibi)
{
    const struct hwl_node *x = have(g, q), *y = have(g, v);
    have(g, k);
    hwl_gt t = hwl_g_make(g, HWL_OP_FLASH_ATTN_EXT, HWL_DTYPE_F32, y->ne[0], x->ne[2], x->ne[1], x->ne[3], (const hwl_gt[]){ q, k, v, mask, sinks }, 5);
    if (t)
        t->alibi = alibi;
    return t;
}

hwl_gt hwl_g_rope(struct hwl_graph *g, hwl_gt a, hwl_gt pos, hwl_gt factors)
{
    return hwl_g_like(g, HWL_OP_ROPE, a, pos, factors);
}

hwl_gt hwl_g_inplace(struct hwl_graph *g, uint8_t op, hwl_gt a)
{
    hwl_gt t = view_of(g, a);
    if (t) {
        t->op = op;
        source(t, a);
    }
    return t;
}

hwl_gt hwl_g_ssm_conv(struct hwl_graph *g, hwl_gt sx, hwl_gt c)
{
    const struct hwl_node *x = have(g, sx), *y = have(g, c);
    if (x->ne[0] + 1 < y->ne[0])
        g->failed = true;
    return hwl_g_make(g, HWL_OP_SSM_CONV, HWL_DTYPE_F32, y->ne[1], x->ne[0] - y->ne[0] + 1, x->ne[2], 1, (const hwl_gt[]){ sx, c }, 2);
}

hwl_gt hwl_g_ssm_scan(struct hwl_graph *g, hwl_gt s, hwl_gt x, hwl_gt dt, hwl_gt a, hwl_gt b, hwl_gt c, hwl_gt ids, uint64_t k)
{
    const struct hwl_node *p = have(g, s), *q = have(g, x), *r = have(g, ids);
    const uint64_t states = mul(g, mul(g, k, p->ne[0]), mul(g, mul(g, p->ne[1], p->ne[2]), r->ne[0]));
    hwl_gt t = hwl_g_make(g, HWL_OP_SSM_SCAN, HWL_DTYPE_F32, hwl_g_nelements(q) + states, 1, 1, 1, (const hwl_gt[]){ s, x, dt, a, b, c, ids }, 7);
    if (t)
        t->param = (uint32_t)k;
    return t;
}

hwl_gt hwl_g_gated_delta_net(struct hwl_graph *g, hwl_gt q, hwl_gt k, hwl_gt v, hwl_gt gate, hwl_gt beta, hwl_gt state, uint64_t snapshots)
{
    const struct hwl_node *x = have(g, v);
    const uint64_t rows = mul(g, x->ne[2], x->ne[3]) + mul(g, mul(g, snapshots, x->ne[0]), x->ne[3]);
    return hwl_g_make(g, HWL_OP_GATED_DELTA_NET, HWL_DTYPE_F32, mul(g, x->ne[0], x->ne[1]), rows, 1, 1, (const hwl_gt[]){ q, k, v, gate, beta, state }, 6);
}

hwl_gt hwl_g_wkv(struct hwl_graph *g, uint8_t op, hwl_gt key, hwl_gt state, const hwl_gt *src, uint32_t n_src)
{
    const struct hwl_node *k = have(g, key), *s = have(g, state);
    return hwl_g_make(g, op, HWL_DTYPE_F32, mul(g, k->ne[0], k->ne[1]), k->ne[2] + mul(g, k->ne[0], s->ne[1]), 1, 1, src, n_src);
}
