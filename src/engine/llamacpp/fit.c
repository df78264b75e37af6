/* SPDX-License-Identifier: Apache-2.0 */
/* --fit of llama.cpp v0.5.0 (common_params_fit_impl in common/fit.cpp): context first, then layers from the back by false
 * position, then experts from the front. Only the order of trials decides the result, so it is kept step by step. */
#include "engine/llamacpp/fit.h"

#include <string.h>

struct state {
    const struct lc_fit_in *in;
    int64_t target[LC_FIT_GPUS];
    bool failed;
};

struct trial {
    struct lc_fit fit;
    int64_t mem[LC_FIT_GPUS];
    int64_t weights; /* of all GPUs, within mem */
    uint32_t dense; /* first device with dense-only layers */
};

static bool starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_experts(const char *base)
{
    static const char *const parts[] = {"ffn_up_", "ffn_down_", "ffn_gate_up_", "ffn_gate_"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (starts(base, parts[i]) && (starts(base + strlen(parts[i]), "exps") || starts(base + strlen(parts[i]), "chexps")))
            return true;
    return false;
}

/* get_overflow_pattern */
static bool overflows(enum lc_fraction fraction, const char *base)
{
    switch (fraction) {
    case LC_FRACTION_ATTN: return starts(base, "ffn_gate") || starts(base, "ffn_up") || starts(base, "ffn_down");
    case LC_FRACTION_UP: return starts(base, "ffn_gate") || starts(base, "ffn_down");
    case LC_FRACTION_GATE: return starts(base, "ffn_down");
    case LC_FRACTION_MOE: break;
    }
    return is_experts(base);
}

uint32_t hwl_lc_fit_ngl(const struct lc_fit *fit)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < fit->n_gpus; i++)
        n += fit->gpu[i].n_layer;
    return n;
}

bool hwl_lc_fit_where(const struct lc_fit *fit, int32_t layer, const char *base, uint16_t *where)
{
    if (layer < 0)
        return false;
    if (fit->all_experts) {
        *where = LC_FIT_HOST;
        return is_experts(base);
    }
    const uint32_t il = (uint32_t)layer;
    uint32_t first = fit->n_layer + 1 - hwl_lc_fit_ngl(fit);
    for (uint32_t i = 0; i < fit->n_gpus; i++) {
        const struct lc_fit_gpu *g = &fit->gpu[i];
        first += g->n_layer - g->n_part;
        if (il >= first && il < first + g->n_part) {
            *where = il == first ? g->overflow : LC_FIT_HOST;
            return overflows(il == first ? (enum lc_fraction)g->fraction : LC_FRACTION_MOE, base);
        }
        first += g->n_part;
    }
    return false;
}

static void simulate(struct state *s, struct trial *t)
{
    t->fit.parts = t->fit.all_experts;
    for (uint32_t i = 0; i < t->fit.n_gpus; i++)
        t->fit.parts |= t->fit.gpu[i].n_part > 0;
    if (!s->failed && !s->in->simulate(s->in->user, &t->fit, t->mem, &t->weights))
        s->failed = true;
}

/* How far to go from low towards high, of delta layers. */
static uint32_t step_of(const struct state *s, const struct trial *low, const struct trial *high, uint32_t i, uint32_t delta)
{
    const int64_t span = high->mem[i] - low->mem[i];
    const int64_t n = span ? (int64_t)(__extension__(__int128)delta * (s->target[i] - low->mem[i]) / span) : 0;
    const uint32_t step = (uint32_t)n; /* the engine converts likewise, a negative figure becomes large */
    return step < 1 ? 1 : step < delta - 1 ? step : delta - 1;
}

/* Step 3: whole layers, or dense-only ones of a MoE model, the last device first. */
static void fill(struct state *s, struct trial *low)
{
    const uint32_t nd = s->in->n_gpus;
    simulate(s, low);
    uint32_t left = s->in->n_layer + 1;
    for (uint32_t i = nd; i-- > 0 && !s->failed; left -= low->fit.gpu[i].n_layer) {
        const uint32_t whole = i == nd - 1; /* the output layer is never partial */
        struct trial high = *low;
        if (left == 0)
            break;
        high.fit.gpu[i].n_layer = left;
        if (s->in->experts)
            high.fit.gpu[i].n_part = left - whole;
        simulate(s, &high);
        if (high.mem[i] <= s->target[i]) {
            *low = high;
            continue;
        }
        for (uint32_t delta = left; delta > 1 && !s->failed; delta = high.fit.gpu[i].n_layer - low->fit.gpu[i].n_layer) {
            const uint32_t step = step_of(s, low, &high, i, delta);
            struct trial test = *low;
            struct lc_fit_gpu *g = &test.fit.gpu[i];
            g->n_layer += step;
            if (s->in->experts)
                g->n_part += whole && g->n_part == 0 ? step - 1 : step;
            simulate(s, &test);
            *(test.mem[i] <= s->target[i] ? low : &high) = test;
        }
    }
}

static uint32_t n_full(const struct trial *t, uint32_t i)
{
    return t->fit.gpu[i].n_layer - t->fit.gpu[i].n_part;
}

/* All dense-only layers as full ones on device i. */
static struct trial all_full(const struct trial *low, uint32_t i)
{
    struct trial t = *low;
    const uint32_t nd = low->fit.n_gpus;
    for (uint32_t j = low->dense; j < nd; j++) {
        const uint32_t keep = j == nd - 1, n = t.fit.gpu[j].n_layer - keep;
        t.fit.gpu[i].n_layer += n;
        t.fit.gpu[j].n_layer -= n;
        t.fit.gpu[j].n_part = 0;
    }
    t.dense = nd - 1;
    return t;
}

static struct trial convert(const struct trial *low, uint32_t i, uint32_t step)
{
    struct trial t = *low;
    for (; t.dense < t.fit.n_gpus; t.dense++) {
        struct lc_fit_gpu *g = &t.fit.gpu[t.dense];
        const uint32_t n = step < g->n_part ? step : g->n_part;
        g->n_layer -= n;
        g->n_part -= n;
        t.fit.gpu[i].n_layer += n;
        step -= n;
        if (g->n_part > 0)
            break;
    }
    return t;
}

static bool part_fits(struct state *s, struct trial *t, uint32_t i, enum lc_fraction fraction)
{
    t->fit.gpu[i].fraction = (uint8_t)fraction;
    simulate(s, t);
    return !s->failed && t->mem[i] < s->target[i] && (i + 1 == s->in->n_gpus || t->mem[i + 1] < s->target[i + 1]);
}

/* Part of one more layer, its rest on the next device or in host memory. */
static void try_part(struct state *s, struct trial *low, uint32_t i)
{
    const uint32_t nd = s->in->n_gpus;
    if (low->dense >= nd || low->fit.gpu[low->dense].n_layer <= (i < nd - 1 ? 0u : 1u))
        return;
    struct trial test = *low;
    struct lc_fit_gpu *from = &test.fit.gpu[test.dense];
    from->n_layer--;
    from->n_part--;
    test.fit.gpu[i].n_layer++;
    test.fit.gpu[i].n_part++;
    if (from->n_part == 0)
        test.dense++;
    const uint16_t before = test.fit.gpu[i].overflow;
    if (i < nd - 1)
        test.fit.gpu[i].overflow = (uint16_t)(i + 1);
    if (part_fits(s, &test, i, LC_FRACTION_UP)) {
        *low = test;
        if (part_fits(s, &test, i, LC_FRACTION_GATE))
            *low = test;
    } else if (part_fits(s, &test, i, LC_FRACTION_ATTN)) {
        *low = test;
    } else {
        low->fit.gpu[i].overflow = before;
    }
}

/* Step 4: dense-only layers of the back become full ones of the front. */
static void convert_all(struct state *s, struct trial *low)
{
    const uint32_t nd = s->in->n_gpus;
    low->dense = nd;
    while (low->dense > 0 && low->fit.gpu[low->dense - 1].n_layer > 0)
        low->dense--;
    for (uint32_t i = 0; i <= low->dense && low->dense < nd && !s->failed; i++) {
        struct trial high = all_full(low, i);
        simulate(s, &high);
        if (high.mem[i] <= s->target[i]) {
            *low = high;
        } else {
            for (uint32_t delta = n_full(&high, i) - n_full(low, i); delta > 1 && !s->failed; delta = n_full(&high, i) - n_full(low, i)) {
                struct trial test = convert(low, i, step_of(s, low, &high, i, delta));
                simulate(s, &test);
                *(test.mem[i] <= s->target[i] ? low : &high) = test;
            }
        }
        try_part(s, low, i);
    }
}

static int64_t sum(const int64_t *x, uint32_t n)
{
    int64_t r = 0;
    for (uint32_t i = 0; i < n; i++)
        r += x[i];
    return r;
}

/* Step 2, from all layers with the largest context. True: done. */
static bool reduce_context(struct state *s, struct trial *t, int64_t used)
{
    const struct lc_fit_in *in = s->in;
    const uint32_t n = in->n_gpus ? in->n_gpus : 1;
    int64_t target = sum(s->target, n);
    if (used <= target || !in->ctx_auto || in->ctx_max <= in->ctx_min)
        return false;
    if (in->n_gpus > 1) {
        /* what whole layers (or tensors of experts, at most a third of one) are expected to leave unused */
        const int64_t per_layer = in->n_layer ? t->weights / (int64_t)in->n_layer : 0;
        target -= ((int64_t)n + 1) * per_layer / (in->experts ? 6 : 2);
    }
    t->fit.n_ctx = in->ctx_min;
    simulate(s, t);
    const int64_t small = sum(t->mem, n);
    if (s->failed || target <= small || used <= small)
        return false;
    const uint64_t more = (uint64_t)((__extension__(__int128)(in->ctx_max - in->ctx_min) * (target - small)) / (used - small));
    const uint64_t ctx = in->ctx_min + more, down = ctx - ctx % in->ctx_align;
    t->fit.n_ctx = down > in->ctx_min ? down : in->ctx_min;
    return in->n_gpus <= 1;
}

enum lc_fit_result hwl_lc_fit(const struct lc_fit_in *in, struct lc_fit *out)
{
    const uint32_t n = in->n_gpus ? in->n_gpus : 1;
    struct state s = {.in = in};
    struct trial t = {.fit = {.n_ctx = in->ctx_auto ? in->ctx_max : 0, .n_gpus = in->n_gpus, .n_layer = in->n_layer}};
    bool short_of = false;
    for (uint32_t i = 0; i < n; i++) {
        s.target[i] = in->free[i] - in->margin[i];
        t.fit.gpu[i].overflow = LC_FIT_HOST;
    }
    simulate(&s, &t);
    for (uint32_t i = 0; i < n; i++)
        short_of |= t.mem[i] > s.target[i];
    if (s.failed)
        return LC_FIT_UNKNOWN;
    if (!short_of || reduce_context(&s, &t, sum(t.mem, n))) {
        *out = t.fit;
        return LC_FIT_DONE;
    }
    *out = t.fit;
    if (s.failed)
        return LC_FIT_UNKNOWN;
    if (!in->n_gpus || !in->may_move)
        return LC_FIT_SHORT;
    int64_t surplus = 0;
    if (in->experts) {
        struct trial dense = t;
        dense.fit.all_experts = true;
        simulate(&s, &dense);
        surplus = sum(s.target, n) - sum(dense.mem, n);
    }
    t.fit.moved = true;
    fill(&s, &t);
    if (in->experts && surplus > 0 && !s.failed)
        convert_all(&s, &t);
    if (s.failed)
        return LC_FIT_UNKNOWN;
    *out = t.fit;
    return LC_FIT_DONE;
}
