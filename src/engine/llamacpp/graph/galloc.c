/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/galloc.h"

#include <string.h>

/* The rules of ggml-alloc.c (ggml 0.25): a tensor gets its place when the first node that needs it comes up and loses it
 * after the last; a node may take over the place of a source. All sizes follow from the order of nodes. */

enum { MAX_FREE = 256 }; /* ggml's own limit of free blocks (MAX_FREE_BLOCKS) */

struct block {
    uint64_t at, size;
};

/* Free blocks by offset. One is endless; behind it there may be empty ones. */
struct space {
    struct block free[MAX_FREE];
    uint32_t n;
    uint32_t align;
    uint64_t top;
};

struct run {
    const struct hwl_gsys *sys;
    struct space space[HWL_GSYS_MAX + 1];
    uint32_t watched; /* space that is to reach `want`, */
    uint64_t want;    /* UINT64_MAX: none */
    bool reached;     /* it has */
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

static void remove_block(struct space *p, uint32_t i)
{
    p->n--;
    memmove(&p->free[i], &p->free[i + 1], (p->n - i) * sizeof *p->free);
}

static uint64_t take(struct run *r, uint32_t s, uint64_t n)
{
    struct space *p = &r->space[s];
    n = pad(n, p->align);
    uint32_t best = p->n - 1;
    uint64_t least = UINT64_MAX; /* the last block counts only when no other fits; it may be one of size 0 */
    for (uint32_t i = 0; i + 1 < p->n; i++)
        if (p->free[i].size >= n && p->free[i].size <= least) {
            best = i;
            least = p->free[i].size;
        }
    struct block *b = &p->free[best];
    const uint64_t at = b->at;
    b->at += n;
    b->size -= n;
    if (!b->size)
        remove_block(p, best);
    if (at + n > p->top) {
        p->top = at + n;
        r->reached = r->reached || (s == r->watched && p->top >= r->want);
    }
    return at;
}

/* The first block that the freed space touches takes it, in ggml's order: an empty tensor (no recurrent states to copy) leaves
 * blocks of size 0 inside other free space, so the neighbours by offset are not always the ones that merge. */
static void give_back(struct run *r, uint32_t s, uint64_t at, uint64_t n)
{
    struct space *p = &r->space[s];
    n = pad(n, p->align);
    for (uint32_t i = 0; i < p->n; i++) {
        struct block *b = &p->free[i];
        if (b->at + b->size == at) {
            b->size += n;
            if (i + 1 < p->n && b->at + b->size == b[1].at) {
                b->size += b[1].size;
                remove_block(p, i + 1);
            }
            return;
        }
        if (at + n == b->at) {
            b->at = at;
            b->size += n;
            if (i > 0 && b[-1].at + b[-1].size == at) {
                b[-1].size += b->size;
                remove_block(p, i);
            }
            return;
        }
    }
    if (p->n == MAX_FREE) {
        r->failed = true;
        return;
    }
    uint32_t i = 0;
    while (i < p->n && p->free[i].at < at)
        i++;
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

static void visit(struct run *r, hwl_gt t)
{
    for (uint32_t j = 0; j < t->n_src; j++)
        give(r, t->src[j], (uint32_t)t->be);
    give(r, t, (uint32_t)t->be);
    if (r->reached)
        return;
    for (uint32_t j = 0; j < t->n_src; j++) {
        hwl_gt p = t->src[j];
        if (--p->kids || p->views)
            continue;
        if (p->view) {
            if (--p->view->views == 0 && p->view->kids == 0 && p->view->own)
                drop(r, p->view);
        } else if (p->own)
            drop(r, p);
    }
}

static struct hwl_guses *uses_of(struct hwl_arena *scratch, const struct hwl_gsplit *split, uint64_t from, uint64_t n)
{
    struct hwl_guses *u = HWL_NEW_ARRAY(scratch, struct hwl_guses, n);
    for (uint64_t i = 0; u && i < n; i++)
        u[i] = (struct hwl_guses){ split->nodes[from + i]->kids, split->nodes[from + i]->views };
    return u;
}

static void set_uses(const struct hwl_gsplit *split, uint64_t from, uint64_t n, const struct hwl_guses *u)
{
    for (uint64_t i = 0; i < n; i++) {
        split->nodes[from + i]->kids = u[i].kids;
        split->nodes[from + i]->views = u[i].views;
    }
}

/* Uses of what lies before both periods by one more of them. */
static void use_outside(const struct hwl_gsplit *split, const struct hwl_gloop *l)
{
    for (uint64_t i = l->from; i < l->to; i++) {
        const struct hwl_node *t = split->nodes[i];
        if (t->view && t->op != HWL_OP_NONE && (t->view->seq <= l->before))
            t->view->views++;
        for (uint32_t j = 0; j < t->n_src; j++)
            if (t->src[j]->seq <= l->before)
                t->src[j]->kids++;
    }
}

/* What the walk of a period depends on: the free blocks, and the places of what the period before left behind. */
struct state {
    uint32_t walk; /* after this one; no other field is set before the first is kept */
    struct place {
        uint64_t at;
        int8_t buft; /* -1: free again, or never had a place */
    } *place;
    struct block *free;
    uint64_t cap_free;
    uint32_t n_free[HWL_GSYS_MAX + 1];
};

static bool keep_state(struct run *r, struct hwl_arena *scratch, const struct hwl_gsplit *split, const struct hwl_gloop *l, uint32_t walk, struct state *st)
{
    const uint64_t n = l->from - l->before;
    uint64_t n_free = 0;
    st->walk = walk;
    for (uint32_t s = 0; s <= r->sys->n_devices; s++)
        n_free += st->n_free[s] = r->space[s].n;
    if (!st->place)
        st->place = HWL_NEW_ARRAY(scratch, struct place, n);
    if (n_free > st->cap_free) {
        st->cap_free = n_free;
        st->free = HWL_NEW_ARRAY(scratch, struct block, n_free);
    }
    if (!st->place || !st->free)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        const struct hwl_node *t = split->nodes[l->before + i];
        st->place[i] = (struct place){ t->at, t->own ? t->at_buft : -1 };
    }
    for (uint64_t s = 0, at = 0; s <= r->sys->n_devices; at += r->space[s].n, s++)
        memcpy(st->free + at, r->space[s].free, r->space[s].n * sizeof *st->free);
    return true;
}

static bool is_state(const struct run *r, const struct hwl_gsplit *split, const struct hwl_gloop *l, const struct state *st)
{
    if (!st->place)
        return false;
    for (uint64_t s = 0, at = 0; s <= r->sys->n_devices; at += r->space[s].n, s++)
        if (st->n_free[s] != r->space[s].n || memcmp(st->free + at, r->space[s].free, r->space[s].n * sizeof *st->free) != 0)
            return false;
    for (uint64_t i = 0; i < l->from - l->before; i++) {
        const struct hwl_node *t = split->nodes[l->before + i];
        if (st->place[i].buft != (t->own ? t->at_buft : -1) || (t->own && st->place[i].at != t->at))
            return false;
    }
    return true;
}

/* The nodes of the period become those of the period before. Of that one nothing may be read any more (false); what nobody
 * reads at all stays for good, as in ggml. */
static bool step(const struct hwl_gsplit *split, const struct hwl_gloop *l)
{
    for (uint64_t i = 0; i < l->to - l->from; i++) {
        hwl_gt a = split->nodes[l->before + i], b = split->nodes[l->from + i];
        if (a->own && (a->kids || a->views) && !(a->flags & HWL_GFLAG_OUTPUT))
            return false;
        a->own = b->own;
        a->at_buft = b->at_buft;
        a->at = b->at;
        a->kids = b->kids;
        a->views = b->views;
        b->own = false;
    }
    return true;
}

/* Walks the period [from, to) 1 + times times. Once a walk begins as an earlier one did, those between come back in turn and
 * need not be done again; the last is always done, since what follows reads its nodes. */
static bool walk_loop(struct run *r, struct hwl_arena *scratch, const struct hwl_gsplit *split, const struct hwl_gloop *l)
{
    const uint64_t n = l->to - l->from;
    const struct hwl_guses *u = uses_of(scratch, split, l->from, n);
    struct state st = { .place = NULL };
    if (!u)
        return false;
    set_uses(split, l->from, n, l->uses);
    for (uint32_t k = 0;; k++) {
        for (uint64_t i = l->from; i < l->to; i++)
            visit(r, split->nodes[i]);
        if (k == l->times)
            return true;
        if (!step(split, l))
            return false;
        if (is_state(r, split, l, &st))
            k = l->times - 1 - (l->times - 1 - k) % (k - st.walk);
        else if ((k & (k + 1)) == 0 && !keep_state(r, scratch, split, l, k, &st)) /* Brent: in front of walks 1, 2, 4, 8 ... */
            return false;
        use_outside(split, l);
        set_uses(split, l->from, n, k + 1 == l->times ? u : l->uses);
    }
}

/* Sets up the spaces, counts uses and places what has its place before the first node. */
static void start(struct run *r, const struct hwl_gsys *sys, const struct hwl_gsplit *split)
{
    r->sys = sys; /* only the used part is set up */
    r->watched = 0;
    r->want = UINT64_MAX;
    r->reached = r->failed = false;
    for (uint32_t s = 0; s <= sys->n_devices; s++) {
        struct space *p = &r->space[s];
        p->n = 1;
        p->free[0] = (struct block){ 0, UINT64_MAX / 2 };
        p->align = sys->align[s];
        p->top = 0;
    }
    for (uint64_t i = 0; i < split->n_leafs; i++)
        give(r, split->leafs[i], (uint32_t)split->leafs[i]->be);
    for (uint64_t i = 0; i < split->n_nodes; i++) {
        hwl_gt t = split->nodes[i];
        if (t->view && t->op != HWL_OP_NONE)
            t->view->views++;
        if (t->flags & HWL_GFLAG_INPUT)
            give(r, t, (uint32_t)t->be);
        for (uint32_t j = 0; j < t->n_src; j++) {
            t->src[j]->kids++;
            if (t->src[j]->flags & HWL_GFLAG_INPUT)
                give(r, t->src[j], (uint32_t)t->be);
        }
    }
}

bool hwl_galloc(const struct hwl_gsys *sys, struct hwl_arena *scratch, const struct hwl_gsplit *split, struct hwl_gloop *loop, uint32_t n_loops,
                uint64_t *top)
{
    struct run r;
    start(&r, sys, split);
    for (uint32_t k = 0; k < n_loops; k++) {
        loop[k].uses = uses_of(scratch, split, loop[k].before, loop[k].from - loop[k].before);
        if (!loop[k].uses)
            return false;
    }
    uint64_t i = 0;
    for (uint32_t k = 0; k <= n_loops; k++) {
        for (const uint64_t end = k < n_loops ? loop[k].from : split->n_nodes; i < end; i++)
            visit(&r, split->nodes[i]);
        if (k < n_loops && !walk_loop(&r, scratch, split, &loop[k]))
            return false;
        if (k < n_loops)
            i = loop[k].to;
    }
    for (uint32_t s = 0; s <= sys->n_devices; s++)
        top[s] = r.space[s].top;
    return !r.failed;
}

bool hwl_galloc_peak(const struct hwl_gsys *sys, const struct hwl_gsplit *split, uint32_t s, uint64_t want,
                     bool (*found)(void *user, const struct hwl_node *t, uint64_t bytes), void *user)
{
    struct run r;
    start(&r, sys, split);
    r.watched = s;
    r.want = want;
    r.reached = r.space[s].top >= want;
    for (uint64_t i = 0; i < split->n_nodes && !r.reached; i++)
        visit(&r, split->nodes[i]);
    bool go = r.reached;
    for (uint64_t k = 0; go && k < 2; k++) {
        const uint64_t n = k ? split->n_nodes : split->n_leafs;
        for (uint64_t i = 0; i < n && go; i++) {
            hwl_gt t = k ? split->nodes[i] : split->leafs[i];
            if (!t->own || (uint32_t)t->at_buft != s)
                continue;
            t->own = false; /* a copied input stands among leafs and nodes */
            go = found(user, t, hwl_galloc_size(sys, s, t));
        }
    }
    return r.reached;
}
