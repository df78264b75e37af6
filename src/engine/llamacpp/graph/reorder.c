/* SPDX-License-Identifier: Apache-2.0 */
/* Vulkan runs nodes that do not depend on one another side by side, and puts them side by side first: what lives how long, and so
 * the compute buffer, follows from that order (ggml-vulkan.cpp ggml_vk_graph_optimize: of prompts from #17475 on, of 6b4875fe8 and
 * of 0c1e57098; between them came views' dependencies, #27812, and more kernels, #28024). A window of 20 nodes is looked over from
 * the first that is left; sequences that one kernel runs (patterns below) stay together. */
#include "engine/llamacpp/graph/reorder.h"

#include <string.h>

enum { WINDOW = 20, AHEAD = 15, AHEAD_OLD = 10, MOST = 64, PATTERN = 13 };

/* What one kernel runs, ended by HWL_OP_NONE; older builds know the first OLD_PATTERNS. */
enum { OLD_PATTERNS = 4 };
static const uint8_t patterns[][PATTERN] = {
    {HWL_OP_SOFT_MAX, HWL_OP_RESHAPE, HWL_OP_ARGSORT, HWL_OP_VIEW, HWL_OP_GET_ROWS, HWL_OP_RESHAPE, HWL_OP_SUM_ROWS, HWL_OP_CLAMP, HWL_OP_DIV, HWL_OP_RESHAPE},
    {HWL_OP_UNARY, HWL_OP_RESHAPE, HWL_OP_ADD, HWL_OP_ARGSORT, HWL_OP_VIEW, HWL_OP_GET_ROWS, HWL_OP_RESHAPE, HWL_OP_SUM_ROWS, HWL_OP_CLAMP, HWL_OP_DIV, HWL_OP_RESHAPE},
    {HWL_OP_SOFT_MAX, HWL_OP_RESHAPE, HWL_OP_ARGSORT, HWL_OP_VIEW, HWL_OP_GET_ROWS},
    {HWL_OP_ARGSORT, HWL_OP_VIEW, HWL_OP_GET_ROWS, HWL_OP_RESHAPE, HWL_OP_SOFT_MAX, HWL_OP_RESHAPE},
    {HWL_OP_UNARY, HWL_OP_SQRT, HWL_OP_RESHAPE, HWL_OP_ADD, HWL_OP_ARGSORT, HWL_OP_VIEW, HWL_OP_GET_ROWS, HWL_OP_RESHAPE, HWL_OP_SUM_ROWS, HWL_OP_CLAMP, HWL_OP_DIV,
     HWL_OP_RESHAPE},
    {HWL_OP_MUL, HWL_OP_SIN, HWL_OP_SQR, HWL_OP_MUL, HWL_OP_ADD},
    {HWL_OP_RMS_NORM, HWL_OP_MUL, HWL_OP_ADD, HWL_OP_MUL},
    {HWL_OP_RMS_NORM, HWL_OP_MUL, HWL_OP_ADD},
    {HWL_OP_RMS_NORM, HWL_OP_MUL, HWL_OP_ROPE, HWL_OP_VIEW, HWL_OP_SET_ROWS},
    {HWL_OP_RMS_NORM, HWL_OP_VIEW, HWL_OP_SET_ROWS},
    {HWL_OP_ROPE, HWL_OP_VIEW, HWL_OP_SET_ROWS},
};

/* Pairs of which the second follows the first at once though it reads it: {first, second, nothing but done nodes between}; older
 * builds know the first OLD_PAIRS, side by side. */
enum { OLD_PAIRS = 5 };
static const uint8_t pairs[][3] = {
    {HWL_OP_RMS_NORM, HWL_OP_MUL, 1}, {HWL_OP_MUL_MAT, HWL_OP_ADD, 0}, {HWL_OP_MUL_MAT_ID, HWL_OP_ADD_ID, 0}, {HWL_OP_MUL_MAT_ID, HWL_OP_MUL, 0},
    {HWL_OP_ADD, HWL_OP_ADD, 0},      {HWL_OP_UNARY, HWL_OP_MUL, 1},   {HWL_OP_SSM_CONV, HWL_OP_ADD, 0},      {HWL_OP_SSM_CONV, HWL_OP_UNARY, 0},
};

struct order {
    bool old;
    hwl_gt *nodes, *out;
    bool *used;
    uint16_t *uses; /* [n] how many sources a node is, of all nodes of the split */
    uint64_t n, first, n_out;
    uint64_t set[MOST]; /* that go next */
    uint32_t n_set;
};

static bool is_empty(const struct hwl_node *t)
{
    return t->op == HWL_OP_NONE || hwl_g_is_view_op(t->op);
}

static const struct hwl_node *base(const struct hwl_node *t)
{
    return t->view ? t->view : t;
}

/* Must src run before dst? */
static bool is_source(const struct order *o, const struct hwl_node *dst, const struct hwl_node *src)
{
    for (uint32_t s = 0; s < HWL_GNODE_SRC; s++) {
        if (s < dst->n_src && dst->src[s] == src)
            return true;
        if (o->old || is_empty(dst) || is_empty(src))
            continue;
        if ((s < dst->n_src && base(dst->src[s]) == base(src)) || (s < src->n_src && base(dst) == base(src->src[s])))
            return true;
    }
    return base(dst) == base(src);
}

static uint32_t matches(const struct order *o, const uint8_t *pattern, uint64_t at)
{
    uint32_t k = 0;
    for (; k < PATTERN && pattern[k]; k++)
        if (at + k >= o->n || o->nodes[at + k]->op != pattern[k] || o->used[at + k])
            return 0;
    return k;
}

static uint32_t any_pattern(const struct order *o, uint64_t at)
{
    for (size_t i = 0; i < (o->old ? OLD_PATTERNS : sizeof patterns / sizeof *patterns); i++) {
        const uint32_t k = matches(o, patterns[i], at);
        if (k)
            return k;
    }
    return 0;
}

static void emit(struct order *o, uint64_t i)
{
    o->out[o->n_out++] = o->nodes[i];
    o->nodes[i]->own = true; /* for the time being: has been put in order */
    o->used[i] = true;
}

static void go_on(struct order *o)
{
    while (o->first < o->n && o->used[o->first])
        o->first++;
}

static void pull(struct order *o, uint64_t i)
{
    if (o->n_set < MOST)
        o->set[o->n_set++] = i;
}

static bool ready(const struct hwl_node *t)
{
    return t->op == HWL_OP_NONE || t->own;
}

static bool all_done(const struct order *o, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        if (!o->used[i] && !is_empty(o->nodes[i]))
            return false;
    return true;
}

/* May node j stand right behind c, which it reads and which was pulled last? */
static bool is_pair(const struct order *o, uint64_t c, uint64_t j)
{
    if (c != o->set[o->n_set - 1])
        return false;
    for (size_t i = 0; i < (o->old ? OLD_PAIRS : sizeof pairs / sizeof *pairs); i++)
        if (o->nodes[c]->op == pairs[i][0] && o->nodes[j]->op == pairs[i][1] && (pairs[i][2] && !o->old ? all_done(o, c + 1, j) : j == c + 1))
            return true;
    return false;
}

static uint64_t limit(const struct order *o, uint64_t n)
{
    return n < o->n ? n : o->n;
}

/* A following node of that operation that reads node j first, its other operands being at hand; n for none. */
static uint64_t reader(const struct order *o, uint64_t j, uint8_t op, bool either)
{
    for (uint64_t k = j + 1; k < limit(o, j + AHEAD); k++) {
        const struct hwl_node *t = o->nodes[k];
        if (t->op != op || t->n_src < 1)
            continue;
        const bool first = t->src[0] == o->nodes[j], second = either && t->n_src > 1 && t->src[1] == o->nodes[j];
        if (!first && !second)
            continue;
        bool ok = true;
        for (uint32_t s = 0; s < t->n_src; s++)
            ok = ok && (t->src[s] == o->nodes[j] || (op == HWL_OP_ROPE ? t->src[s]->op == HWL_OP_NONE : ready(t->src[s])));
        if (ok)
            return k;
    }
    return o->n;
}

static void take(struct order *o, uint64_t k)
{
    if (k >= o->n)
        return;
    pull(o, k);
    o->used[k] = true;
}

/* Behind ROPE or RMS_NORM its rows go into the cache by a view. */
static void take_rows(struct order *o, uint64_t r)
{
    uint64_t view = o->n, rows = o->n;
    for (uint64_t k = r + 1; k < limit(o, r + (o->old ? AHEAD_OLD : AHEAD)); k++) {
        const struct hwl_node *t = o->nodes[k];
        if (o->used[k] && !o->old)
            continue;
        if (view == o->n && t->op == HWL_OP_VIEW && t->src[0] == o->nodes[r]) {
            view = k;
        } else if (view != o->n && t->op == HWL_OP_SET_ROWS && t->src[0] == o->nodes[view]) {
            rows = k;
            break;
        }
    }
    if (rows == o->n)
        return;
    if (o->old) {
        take(o, view);
        take(o, rows);
        return;
    }
    /* nobody else may read what the kernel then leaves out, nor may it lie in another tensor */
    if (o->uses[r] != 1 || o->uses[view] != 1 || (o->nodes[r]->flags | o->nodes[view]->flags) & HWL_GFLAG_OUTPUT || o->nodes[r]->view)
        return;
    for (uint64_t c = r + 1; c < rows; c++)
        if (!o->used[c] && c != view && !is_empty(o->nodes[c]) && is_source(o, o->nodes[rows], o->nodes[c]))
            return;
    take(o, view);
    take(o, rows);
}

/* With node j goes what one kernel runs together with it. */
static void take_company(struct order *o, uint64_t j)
{
    const uint8_t op = o->nodes[j]->op, before = o->nodes[j - 1]->op;
    uint64_t last = j;
    if (op == HWL_OP_MUL && before == HWL_OP_RMS_NORM) {
        const uint64_t k = reader(o, j, HWL_OP_ROPE, false);
        take(o, k);
        last = k < o->n ? k : j;
    }
    if (o->nodes[last]->op == HWL_OP_ROPE || (o->nodes[last]->op == HWL_OP_RMS_NORM && !o->old))
        take_rows(o, last);
    if (op == HWL_OP_ADD_ID && before == HWL_OP_MUL_MAT_ID)
        take(o, reader(o, j, HWL_OP_MUL, false));
    if (op == HWL_OP_ADD && before == HWL_OP_MUL_MAT)
        take(o, reader(o, j, HWL_OP_ADD, false));
    if (o->old)
        return;
    if (op == HWL_OP_ADD && before == HWL_OP_SSM_CONV)
        take(o, reader(o, j, HWL_OP_UNARY, false));
    if (op == HWL_OP_UNARY)
        take(o, reader(o, j, HWL_OP_MUL, true));
}

static bool in_set(const struct order *o, uint64_t i)
{
    for (uint32_t k = 0; k < o->n_set; k++)
        if (o->set[k] == i)
            return true;
    return false;
}

/* The nodes that go next, from the first that is left: real ones, then views of what has been done. */
static void next_set(struct order *o)
{
    o->n_set = 0;
    pull(o, o->first);
    const uint64_t end = limit(o, o->first + WINDOW);
    for (uint64_t j = o->first + 1; j < end; j++) {
        if (o->used[j] || is_empty(o->nodes[j]) || any_pattern(o, j))
            continue;
        bool ok = true;
        for (uint64_t c = o->first; ok && c < j; c++)
            ok = o->used[c] || !is_source(o, o->nodes[j], o->nodes[c]) || is_pair(o, c, j);
        if (!ok)
            continue;
        pull(o, j);
        take_company(o, j);
    }
    if (o->nodes[o->set[o->n_set - 1]]->op != HWL_OP_ADD)
        for (uint64_t j = o->first + 1; j < end; j++) {
            bool ok = !o->used[j] && is_empty(o->nodes[j]);
            for (uint64_t c = o->first; ok && c < j; c++)
                ok = o->used[c] || !is_source(o, o->nodes[j], o->nodes[c]) || in_set(o, c);
            if (ok)
                pull(o, j);
        }
    for (uint32_t k = 0; k < o->n_set; k++)
        emit(o, o->set[k]);
    go_on(o);
}

static void count_uses(struct order *o)
{
    for (uint64_t i = 0; i < o->n; i++)
        o->nodes[i]->seq = (uint32_t)i + 1;
    for (uint64_t i = 0; i < o->n; i++)
        for (uint32_t s = 0; s < o->nodes[i]->n_src; s++) {
            const uint32_t k = o->nodes[i]->src[s]->seq;
            if (k && k <= o->n && o->nodes[k - 1] == o->nodes[i]->src[s] && o->uses[k - 1] < UINT16_MAX)
                o->uses[k - 1]++;
        }
    for (uint64_t i = 0; i < o->n; i++)
        o->nodes[i]->seq = 0;
}

bool hwl_reorder(const struct hwl_gsys *sys, struct hwl_graph *g, uint32_t be, hwl_gt *nodes, uint64_t n)
{
    struct order o = { .nodes = nodes, .n = n, .old = be < sys->n_devices && sys->reorders[be] == HWL_ORDER_VULKAN_2025 };
    if (be >= sys->n_devices || !sys->reorders[be] || !n)
        return true;
    o.out = HWL_NEW_ARRAY(g->arena, hwl_gt, n);
    o.used = HWL_NEW_ARRAY(g->arena, bool, n);
    o.uses = HWL_NEW_ARRAY(g->arena, uint16_t, n);
    if (!o.out || !o.used || !o.uses)
        return false;
    count_uses(&o);
    while (o.first < n) {
        const uint32_t k = any_pattern(&o, o.first);
        const uint64_t from = o.first;
        for (uint32_t i = 0; i < k; i++)
            emit(&o, from + i);
        if (k)
            go_on(&o);
        else
            next_set(&o);
    }
    for (uint64_t i = 0; i < n; i++)
        o.out[i]->own = false;
    memcpy(nodes, o.out, (size_t)n * sizeof *nodes);
    return true;
}
