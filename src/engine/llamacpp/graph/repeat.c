/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/repeat.h"

#include <string.h>

enum { MAX_PERIOD = 16 };

/* Types of weights count where the scheduler may have to copy them, or where the host's kernels look at them. */
static bool same_kind(const struct lc_model *m, const struct lc_placement *place, const struct hwl_gsys *sys, uint32_t x, uint32_t y)
{
    const struct lc_layer *a = &m->layers[x], *b = &m->layers[y];
    if (a->kind != b->kind || place->layer[x] != place->layer[y])
        return false;
    if (!sys->n_devices)
        return true;
    if (!place->tensor && place->layer[x] != LC_HOST)
        return true;
    if (a->kind_typed != b->kind_typed)
        return false;
    for (uint32_t i = 0; i < a->n_tensors; i++) {
        const uint64_t s = (uint64_t)(m->by_layer[a->first + i] - m->tensors), t = (uint64_t)(m->by_layer[b->first + i] - m->tensors);
        if ((place->tensor && place->tensor[s] != place->tensor[t]) || (place->repacked && place->repacked[s] != place->repacked[t]))
            return false;
    }
    return true;
}

/* Do layers take turns between devices? The copies that a split needs stand in front of its first node: those of the first and
 * of the last layer then show up in the period behind and before. */
static bool takes_turns(const struct lc_params *p, const struct lc_placement *place, const struct hwl_gsys *sys, uint32_t il)
{
    return sys->n_devices && (place->tensor || place->layer[il] == LC_HOST || !p->offload_kqv);
}

/* Periods in front of the two that are compared. Of the first some nodes come late, and what it reads was made by another kind
 * of layer; with one layer a period that reaches into the second. */
static uint32_t lead_of(uint32_t period, bool turns)
{
    return period == 1 || turns ? 2 : 1;
}

/* The period by which most layers can be left out from `first` on. */
static bool run_at(const uint16_t *id, uint32_t n, uint32_t first, uint32_t modulus, bool turns, struct hwl_repeat_run *out)
{
    out->left_out = 0;
    for (uint32_t p = modulus; p <= MAX_PERIOD && first + p < n; p += modulus) {
        uint32_t end = first + p;
        while (end < n && id[end] == id[end - p])
            end++;
        const uint32_t periods = (end - first) / p, kept = lead_of(p, turns) + 2 + (turns ? 2 : 1);
        if (periods > kept && (periods - kept) * p > out->left_out * out->period)
            *out = (struct hwl_repeat_run){ first, p, periods - kept };
        if (end == n && out->left_out)
            break;
    }
    return out->left_out > 0;
}

void hwl_repeat_find(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, const struct hwl_gsys *sys, uint32_t modulus,
                     struct hwl_repeat *out)
{
    uint16_t id[LC_MAX_LAYERS];
    const uint32_t n = m->n_layer;
    memset(out, 0, sizeof *out);
    out->ready = true;
    for (uint32_t il = 0; il < n; il++) {
        out->next[il] = il + 1;
        id[il] = (uint16_t)il;
        for (uint32_t back = 1; back <= MAX_PERIOD && back <= il; back++)
            if (same_kind(m, place, sys, il - back, il)) {
                id[il] = id[il - back];
                break;
            }
    }
    for (uint32_t il = 0; il < n && out->n_runs < HWL_REPEAT_RUNS;) {
        const bool turns = takes_turns(p, place, sys, il);
        struct hwl_repeat_run *r = &out->run[out->n_runs];
        if (!modulus || !run_at(id, n, il, modulus, turns, r)) {
            il++;
            continue;
        }
        uint32_t last = 0;
        for (uint32_t k = 0; k < HWL_REPEAT_MARKS; k++) {
            last = r->first + (lead_of(r->period, turns) + k) * r->period - 1;
            out->end[last] = (uint8_t)(out->n_runs * HWL_REPEAT_MARKS + k + 1);
        }
        il = last + 1 + r->left_out * r->period;
        out->next[last] = il;
        out->n_runs++;
    }
}

/* x of a period that begins with node `begin`, and y of the next stand for each other: both the same tensor of
 * before, both external, or y one period (`shift` nodes) on. Sources may lie one period back. */
static bool twins(const struct hwl_node *x, const struct hwl_node *y, uint64_t shift, uint64_t begin)
{
    if (x == y)
        return !x || x->seq <= begin;
    if (!x || !y)
        return false;
    if (x->buft >= 0 || y->buft >= 0)
        return x->buft == y->buft;
    return x->seq && x->seq + shift > begin && x->seq + shift == y->seq;
}

static bool same_node(const struct hwl_node *x, const struct hwl_node *y, uint64_t shift, uint64_t begin)
{
    if (x->op != y->op || x->type != y->type || x->flags != y->flags || x->be != y->be || x->n_src != y->n_src || x->buft != y->buft ||
        x->bytes != y->bytes || memcmp(x->ne, y->ne, sizeof x->ne) != 0 || memcmp(x->nb, y->nb, sizeof x->nb) != 0 ||
        !twins(x->view, y->view, shift, begin))
        return false;
    for (uint32_t i = 0; i < x->n_src; i++)
        if (!twins(x->src[i], y->src[i], shift, begin))
            return false;
    return true;
}

/* The period [a, b) and the next, [b, c). */
static bool same_periods(const struct hwl_gsys *sys, const struct hwl_gsplit *split, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t shift = b - a;
    if (a >= b || b > c || c - b != shift)
        return false;
    for (uint64_t i = a; i < b; i++) {
        const struct hwl_node *t = split->nodes[i];
        /* each new copied input adds to the buffer for good where there are several copies */
        if ((sys->n_copies > 1 && t->op == HWL_OP_NONE) || !same_node(t, split->nodes[i + shift], shift, a))
            return false;
    }
    return true;
}

bool hwl_repeat_loops(const struct hwl_gsys *sys, const struct hwl_graph *g, const struct hwl_gsplit *split, const struct hwl_repeat *r,
                      const struct hwl_repeat_mark *mark, struct hwl_gloop *loop)
{
    uint64_t i = 0;
    for (uint64_t k = 0; k < g->n_leafs; k++)
        g->leafs[k]->seq = 0;
    for (uint64_t k = 0; k < split->n_nodes; k++)
        split->nodes[k]->seq = (uint32_t)k + 1;
    for (uint32_t k = 0; k < r->n_runs; k++, mark += HWL_REPEAT_MARKS) {
        uint64_t at[HWL_REPEAT_MARKS];
        for (uint32_t j = 0; j < HWL_REPEAT_MARKS; j++) {
            if (mark[j].node >= g->n_nodes || mark[j].n_inputs != mark[0].n_inputs)
                return false;
            at[j] = g->nodes[mark[j].node]->seq - 1;
        }
        if (at[0] < i || !same_periods(sys, split, at[0], at[1], at[2]))
            return false;
        loop[k] = (struct hwl_gloop){ at[0], at[1], at[2], r->run[k].left_out, NULL };
        i = at[2];
    }
    return true;
}
