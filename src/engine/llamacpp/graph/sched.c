/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/sched.h"

#include "engine/llamacpp/graph/reorder.h"

#include <string.h>

/* ggml-backend.cpp ggml_backend_sched_split_graph (ggml 0.25): five passes that give every tensor a back end, then the cut
 * into splits with copies of what a split reads from elsewhere. */

static bool reads(const struct hwl_gsys *sys, uint32_t be, int buft)
{
    return be == sys->n_devices ? buft >= (int)sys->n_devices : buft == (int)be;
}

static int from_buffer(const struct hwl_gsys *sys, const struct hwl_node *t, const struct hwl_node *op)
{
    const int buft = t->view ? t->view->buft : t->buft;
    if (buft < 0)
        return -1;
    const uint32_t be = buft < (int)sys->n_devices ? (uint32_t)buft : sys->n_devices;
    return hwl_gsupports(sys, be, op) ? (int)be : -1;
}

/* Rows that a device wants to have before it takes an operation on host weights: 32 (CUDA's offload_op). */
static bool wants(const struct hwl_node *t)
{
    uint64_t rows;
    switch (t->op) {
    case HWL_OP_GET_ROWS:
        rows = 0;
        break;
    case HWL_OP_MUL_MAT:
        rows = t->ne[1];
        break;
    case HWL_OP_MUL_MAT_ID: case HWL_OP_ROPE:
        rows = t->ne[2];
        break;
    default:
        rows = t->ne[1] * t->ne[2] * t->ne[3];
    }
    return rows >= 32;
}

static int from_location(const struct hwl_gsys *sys, const struct hwl_node *t)
{
    int be = from_buffer(sys, t, t);
    if (be >= 0)
        return be;
    if (t->flags & HWL_GFLAG_INPUT)
        return (int)sys->n_devices;
    if (t->op == HWL_OP_ROPE || (t->op == HWL_OP_FLASH_ATTN_EXT && sys->small_weights)) /* their weights (factors, sinks) are too small to decide */
        return -1;
    for (uint32_t i = 0; i < t->n_src; i++) {
        const struct hwl_node *s = t->src[i];
        if (!s->weight || s->buft < 0)
            continue;
        be = from_buffer(sys, s, t);
        if (sys->op_offload && be == (int)sys->n_devices && s->buft == be && wants(t))
            for (uint32_t b = 0; b < sys->n_devices; b++)
                if (hwl_gsupports(sys, b, t))
                    return (int)b;
        return be;
    }
    return -1;
}

/* Spreads assignments to unassigned neighbours; with `devices` the CPU's are not spread. */
static void spread(const struct hwl_gsys *sys, struct hwl_graph *g, bool up, bool devices)
{
    int cur = -1;
    for (uint64_t k = 0; k < g->n_nodes; k++) {
        hwl_gt t = g->nodes[up ? g->n_nodes - 1 - k : k];
        if (hwl_g_is_view_op(t->op))
            continue;
        if (t->be >= 0)
            cur = devices && t->be == (int8_t)sys->n_devices ? -1 : t->be;
        else if (cur >= 0 && hwl_gsupports(sys, (uint32_t)cur, t))
            t->be = (int8_t)cur;
    }
}

static bool readable(const struct hwl_gsys *sys, const struct hwl_node *t, uint32_t be)
{
    int buft = t->view ? t->view->buft : t->buft;
    if (buft < 0)
        buft = t->be >= 0 ? t->be : t->view ? t->view->be : -1;
    return buft >= 0 && reads(sys, be, buft);
}

static void choose_best(const struct hwl_gsys *sys, hwl_gt t)
{
    int best = -1;
    for (uint32_t b = 0; b <= sys->n_devices; b++) {
        if (!hwl_gsupports(sys, b, t))
            continue;
        int n = 0;
        for (uint32_t j = 0; j < t->n_src; j++) {
            const struct hwl_node *s = t->src[j];
            n += (s->be >= 0 || (s->view && s->view->be >= 0)) && readable(sys, s, b);
        }
        if (n > best) {
            best = n;
            t->be = (int8_t)b;
        }
    }
}

void hwl_sched_assign(const struct hwl_gsys *sys, struct hwl_graph *g)
{
    for (uint64_t i = 0; i < g->n_leafs; i++)
        if (g->leafs[i]->be < 0)
            g->leafs[i]->be = g->leafs[i]->fixed >= 0 && !sys->forgets ? g->leafs[i]->fixed : (int8_t)from_location(sys, g->leafs[i]);
    for (uint64_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->be < 0)
            g->nodes[i]->be = g->nodes[i]->fixed >= 0 && !sys->forgets ? g->nodes[i]->fixed : (int8_t)from_location(sys, g->nodes[i]);
    spread(sys, g, false, true);
    spread(sys, g, true, true);
    spread(sys, g, false, false);
    spread(sys, g, true, false);
    for (uint64_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->be < 0 && !hwl_g_is_view_op(g->nodes[i]->op))
            choose_best(sys, g->nodes[i]);
    for (uint64_t i = 0; i < g->n_nodes; i++) {
        hwl_gt t = g->nodes[i];
        if (t->view && t->be < 0)
            t->be = t->view->be;
        for (uint32_t j = 0; j < t->n_src; j++) {
            hwl_gt s = t->src[j];
            if (s->be < 0)
                s->be = s->view ? s->view->be : t->be;
        }
        for (uint32_t b = 0; b <= sys->n_devices && t->be < 0; b++)
            if (hwl_gsupports(sys, b, t))
                t->be = (int8_t)b;
        if (t->be < 0)
            g->failed = true;
    }
}

static void put(struct hwl_graph *g, hwl_gt **list, uint64_t *n, uint64_t *cap, hwl_gt t)
{
    if (*n == *cap) {
        const uint64_t first = g->n_nodes + g->n_leafs + 256;
        hwl_gt *grown = hwl_arena_grow(g->arena, *list, cap, *n ? *n + 1 : first, sizeof **list);
        if (!grown) {
            g->failed = true;
            return;
        }
        *list = grown;
    }
    (*list)[(*n)++] = t;
}

static hwl_gt duplicate(struct hwl_graph *g, const struct hwl_node *t, uint32_t be)
{
    hwl_gt d = hwl_g_new(g, t->type, t->ne[0], t->ne[1], t->ne[2], t->ne[3]);
    if (!d)
        return NULL;
    memcpy(d->nb, t->nb, sizeof d->nb);
    d->bytes = t->bytes;
    d->name = t->name;
    d->be = (int8_t)be;
    return d;
}

/* n_copies copies of t for back end be; the first may be t itself (a graph input at its own place). */
static bool copy(const struct hwl_gsys *sys, struct hwl_graph *g, hwl_gt t, uint32_t be, bool self)
{
    if (!t->copies)
        t->copies = HWL_NEW_ARRAY(g->arena, hwl_gt, (uint64_t)(sys->n_devices + 1) * sys->n_copies);
    if (!t->copies)
        return false;
    hwl_gt *c = t->copies + (uint64_t)be * sys->n_copies;
    for (uint32_t i = 0; i < sys->n_copies; i++) {
        c[i] = self && i == 0 ? t : duplicate(g, t, be);
        if (!c[i])
            return false;
        if (sys->n_copies > 1)
            c[i]->flags |= HWL_GFLAG_INPUT | HWL_GFLAG_OUTPUT;
    }
    return true;
}

static bool has_copy(const struct hwl_gsys *sys, const struct hwl_node *t, uint32_t be)
{
    return t->copies && t->copies[(uint64_t)be * sys->n_copies];
}

/* A weight that must be brought here starts a new split, so that the space of earlier ones is free again. */
static bool brings_weight(const struct hwl_gsys *sys, const struct hwl_node *t, uint32_t be)
{
    for (uint32_t j = 0; j < t->n_src; j++)
        if (t->src[j]->weight && t->src[j]->be != (int8_t)be && !readable(sys, t->src[j], be))
            return true;
    return false;
}

/* Is there a source to bring for which the split, full already, has no room? */
static bool overflows(const struct hwl_gsys *sys, const struct hwl_node *t, uint32_t be)
{
    for (uint32_t j = 0; j < t->n_src; j++)
        if (t->src[j]->be != (int8_t)be && !has_copy(sys, t->src[j], be) && !readable(sys, t->src[j], be))
            return true;
    return false;
}

bool hwl_sched_split(const struct hwl_gsys *sys, struct hwl_graph *g, struct hwl_gsplit *out)
{
    struct list {
        hwl_gt *p;
        uint64_t n, cap;
    } inputs = { NULL, 0, 0 }, graph_inputs = { NULL, 0, 0 };
    struct cut {
        uint64_t start, first_input;
        uint32_t be;
    } *cuts = HWL_NEW_ARRAY(g->arena, struct cut, g->n_nodes + 2);
    if (!cuts)
        return false;
    memset(out, 0, sizeof *out);
    uint64_t i = 0, n_cuts = 1;
    while (i < g->n_nodes && hwl_g_is_view_op(g->nodes[i]->op))
        i++;
    if (i == g->n_nodes)
        return false;
    uint32_t cur = (uint32_t)g->nodes[i]->be;
    cuts[0] = (struct cut){ 0, 0, cur };
    for (; i < g->n_nodes; i++) {
        hwl_gt t = g->nodes[i];
        if (hwl_g_is_view_op(t->op))
            continue;
        const uint64_t brought = inputs.n - cuts[n_cuts - 1].first_input;
        const bool fresh = (uint32_t)t->be == cur && brought > 0 &&
                           (brings_weight(sys, t, cur) || (brought == sys->split_inputs && overflows(sys, t, cur)));
        if ((uint32_t)t->be != cur || fresh) {
            cur = (uint32_t)t->be;
            cuts[n_cuts++] = (struct cut){ i, inputs.n, cur };
        }
        for (uint32_t j = 0; j < t->n_src; j++) {
            hwl_gt s = t->src[j];
            if (s->be < 0)
                return false;
            if (s->flags & HWL_GFLAG_INPUT && sys->n_copies > 1 && !sys->all_inputs_copied && !has_copy(sys, s, (uint32_t)s->be)) {
                if (!copy(sys, g, s, (uint32_t)s->be, true))
                    return false;
                put(g, &graph_inputs.p, &graph_inputs.n, &graph_inputs.cap, s);
            }
            if ((uint32_t)s->be == cur || readable(sys, s, cur))
                continue;
            if (!has_copy(sys, s, cur)) {
                if (!copy(sys, g, s, cur, false))
                    return false;
                if (sys->split_inputs && inputs.n - cuts[n_cuts - 1].first_input >= sys->split_inputs)
                    g->full = true;
                put(g, &inputs.p, &inputs.n, &inputs.cap, s);
            }
            t->src[j] = s->copies[(uint64_t)cur * sys->n_copies];
        }
    }
    if (sys->n_copies > 1 && sys->all_inputs_copied)
        for (uint64_t k = 0; k < g->n_leafs; k++) {
            hwl_gt s = g->leafs[k];
            if (!(s->flags & HWL_GFLAG_INPUT))
                continue;
            if (!has_copy(sys, s, (uint32_t)s->be) && !copy(sys, g, s, (uint32_t)s->be, true))
                return false;
            put(g, &graph_inputs.p, &graph_inputs.n, &graph_inputs.cap, s);
        }
    out->n_splits = n_cuts;
    cuts[n_cuts] = (struct cut){ g->n_nodes, inputs.n, 0 };
    for (uint64_t c = 0; c < n_cuts; c++) {
        if (!hwl_reorder(sys, g, cuts[c].be, g->nodes + cuts[c].start, cuts[c + 1].start - cuts[c].start))
            return false;
        for (uint64_t k = cuts[c].first_input; k < cuts[c + 1].first_input; k++) {
            /* a node that keeps the source alive until its copy is made, and the copy */
            hwl_gt s = inputs.p[k], dep = duplicate(g, s, (uint32_t)s->be);
            if (!dep)
                return false;
            dep->view = s->view ? s->view : s;
            dep->src[dep->n_src++] = s;
            put(g, &out->nodes, &out->n_nodes, &out->cap_nodes, dep);
            put(g, &out->nodes, &out->n_nodes, &out->cap_nodes, s->copies[(uint64_t)cuts[c].be * sys->n_copies]);
        }
        for (uint64_t k = cuts[c].start; k < cuts[c + 1].start; k++)
            put(g, &out->nodes, &out->n_nodes, &out->cap_nodes, g->nodes[k]);
    }
    if (sys->n_copies > 1) {
        for (uint64_t k = 0; k < graph_inputs.n; k++)
            for (uint32_t c = 0; c < sys->n_copies; c++)
                put(g, &out->leafs, &out->n_leafs, &out->cap_leafs,
                    graph_inputs.p[k]->copies[(uint64_t)(uint32_t)graph_inputs.p[k]->be * sys->n_copies + c]);
        for (uint64_t c = 0; c < n_cuts; c++)
            for (uint64_t k = cuts[c].first_input; k < cuts[c + 1].first_input; k++)
                for (uint32_t m = 0; m < sys->n_copies; m++)
                    put(g, &out->leafs, &out->n_leafs, &out->cap_leafs, inputs.p[k]->copies[(uint64_t)cuts[c].be * sys->n_copies + m]);
    }
    for (uint64_t k = 0; k < g->n_leafs; k++) {
        if (g->leafs[k]->be < 0)
            g->leafs[k]->be = (int8_t)sys->n_devices;
        put(g, &out->leafs, &out->n_leafs, &out->cap_leafs, g->leafs[k]);
    }
    return !g->failed;
}
