/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/galloc.h"

#include <string.h>

/* The rules of ggml-alloc.c (ggml 0.25): a tensor gets its place when the first node that needs it comes up and loses it
 * after the last; a node may take over the place of a source. All sizes follow from the order of nodes. */

enum { MAX_FREE = 256 }; /* ggml's own limit of free blocks (MAX_FREE_BLOCKS) */

struct block {
    uint64_t at, size;
};

/* Free blocks by offset; the last one is endless. */
struct space {
    struct block free[MAX_FREE];
    uint32_t n;
    uint32_t align;
    uint64_t top;
};

struct run {
    const struct hwl_gsys *sys;
    struct space space[HWL_GSYS_MAX + 1];
    bool failed;
};

static uint64_t pad(uint64_t n, uint64_t align)
{
    return (n + align - 1) / align * align;
}

/* CUDA: f16 copies of a quantised K and V of the layer, for batches that do not take the vector kernel
 * (0c1e57098 ggml-cuda/fattn.cu ggml_cuda_flash_attn_ext_get_alloc_size). */
static uint64_t fa_size(const struct hwl_node *t)
{
    const struct hwl_node *q = t->src[0], *k = t->src[1], *v = t->src[2];
    uint64_t n = t->bytes;
    if (q->ne[1] <= 2 && q->ne[0] <= 256 && q->ne[0] % 64 == 0 && q->ne[0] != 192)
        return n;
    const bool v_in_k = v->view && (v->view == k || (v->view == k->view && v->offs == k->offs));
    if (k->type != HWL_DTYPE_F16)
        n = pad(n, 128) + hwl_g_nelements(k) * 2;
    if (v->type != HWL_DTYPE_F16 && !v_in_k)
        n = pad(n, 128) + hwl_g_nelements(v) * 2;
    return n;
}

uint64_t hwl_galloc_size(const struct hwl_gsys *sys, uint32_t buft, const struct hwl_node *t)
{
    uint64_t n = t->op == HWL_OP_FLASH_ATTN_EXT && sys->fa_copies[buft] ? fa_size(t) : t->bytes;
    const uint32_t rowpad = sys->rowpad[buft];
    if (rowpad) {
        const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)t->type);
        if (d->block > 1 && t->ne[0] % rowpad)
            n += (rowpad - t->ne[0] % rowpad) / d->block * d->bytes;
    }
    return n;
}

static uint64_t take(struct run *r, uint32_t s, uint64_t n)
{
    struct space *p = &r->space[s];
    n = pad(n, p->align);
    uint32_t best = p->n - 1;
    for (uint32_t i = 0; i + 1 < p->n; i++)
        if (p->free[i].size >= n && p->free[i].size <= p->free[best].size)
            best = i;
    struct block *b = &p->free[best];
    const uint64_t at = b->at;
    b->at += n;
    b->size -= n;
    if (!b->size) {
        p->n--;
        memmove(b, b + 1, (p->n - best) * sizeof *b);
    }
    if (at + n > p->top)
        p->top = at + n;
    return at;
}

static void give_back(struct run *r, uint32_t s, uint64_t at, uint64_t n)
{
    struct space *p = &r->space[s];
    n = pad(n, p->align);
    uint32_t i = 0;
    for (; i < p->n && p->free[i].at < at; i++)
        ;
    /* block i - 1 lies before, block i behind */
    if (i > 0 && p->free[i - 1].at + p->free[i - 1].size == at) {
        struct block *b = &p->free[i - 1];
        b->size += n;
        if (i < p->n && b->at + b->size == p->free[i].at) {
            b->size += p->free[i].size;
            p->n--;
            memmove(&p->free[i], &p->free[i + 1], (p->n - i) * sizeof *b);
        }
        return;
    }
    if (i < p->n && at + n == p->free[i].at) {
        p->free[i].at = at;
        p->free[i].size += n;
        return;
    }
    if (p->n == MAX_FREE) {
        r->failed = true;
        return;
    }
    memmove(&p->free[i + 1], &p->free[i], (p->n - i) * sizeof p->free[0]);
    p->free[i] = (struct block){ at, n };
    p->n++;
}

static bool same_layout(const struct hwl_node *a, const struct hwl_node *b)
{
    return a->type == b->type && memcmp(a->ne, b->ne, sizeof a->ne) == 0 && memcmp(a->nb, b->nb, sizeof a->nb) == 0;
}

static void give(struct run *r, hwl_gt t, uint32_t s)
{
    if (t->buft >= 0 || t->own || t->view)
        return;
    t->own = true;
    if (hwl_g_is_inplace(t->op))
        for (uint32_t i = 0; i < t->n_src; i++) {
            hwl_gt p = t->src[i];
            if (!p->own || p->flags & HWL_GFLAG_OUTPUT || p->kids != 1 || p->views || !same_layout(t, p))
                continue;
            const uint32_t ps = (uint32_t)p->at_buft;
            t->at_buft = p->at_buft;
            t->at = p->at;
            p->own = false;
            const uint64_t n = pad(hwl_galloc_size(r->sys, ps, p), r->space[ps].align), m = pad(hwl_galloc_size(r->sys, ps, t), r->space[ps].align);
            if (n > m)
                give_back(r, ps, p->at + m, n - m);
            return;
        }
    t->at_buft = (int8_t)s;
    t->at = take(r, s, hwl_galloc_size(r->sys, s, t));
}

static void drop(struct run *r, hwl_gt t)
{
    if (t->flags & HWL_GFLAG_OUTPUT)
        return;
    give_back(r, (uint32_t)t->at_buft, t->at, hwl_galloc_size(r->sys, (uint32_t)t->at_buft, t));
    t->own = false;
}

bool hwl_galloc(const struct hwl_gsys *sys, const struct hwl_gsplit *split, uint64_t *top)
{
    struct run r; /* only the used part is set up */
    r.sys = sys;
    r.failed = false;
    for (uint32_t s = 0; s <= sys->n_devices; s++) {
        struct space *p = &r.space[s];
        p->n = 1;
        p->free[0] = (struct block){ 0, UINT64_MAX / 2 };
        p->align = sys->align[s];
        p->top = 0;
    }
    for (uint64_t i = 0; i < split->n_leafs; i++)
        give(&r, split->leafs[i], (uint32_t)split->leafs[i]->be);
    for (uint64_t i = 0; i < split->n_nodes; i++) {
        hwl_gt t = split->nodes[i];
        if (t->view && t->op != HWL_OP_NONE)
            t->view->views++;
        if (t->flags & HWL_GFLAG_INPUT)
            give(&r, t, (uint32_t)t->be);
        for (uint32_t j = 0; j < t->n_src; j++) {
            t->src[j]->kids++;
            if (t->src[j]->flags & HWL_GFLAG_INPUT)
                give(&r, t->src[j], (uint32_t)t->be);
        }
    }
    for (uint64_t i = 0; i < split->n_nodes; i++) {
        hwl_gt t = split->nodes[i];
        for (uint32_t j = 0; j < t->n_src; j++)
            give(&r, t->src[j], (uint32_t)t->be);
        give(&r, t, (uint32_t)t->be);
        for (uint32_t j = 0; j < t->n_src; j++) {
            hwl_gt p = t->src[j];
            if (--p->kids || p->views)
                continue;
            if (p->view) {
                if (--p->view->views == 0 && p->view->kids == 0 && p->view->own)
                    drop(&r, p->view);
            } else if (p->own)
                drop(&r, p);
        }
    }
    for (uint32_t s = 0; s <= sys->n_devices; s++)
        top[s] = r.space[s].top;
    return !r.failed;
}
