/* SPDX-License-Identifier: Apache-2.0 */
/* The sizes that graphs are captured for. After arg_groups/cuda_graph_hook.py and runner/base_cuda_graph_runner.py of 0.5.23,
 * server_args.py and cuda_graph_runner.py before. */
#include "engine/sglang/sglang.h"

#include "base/bytes.h"

#define MOST 65536 /* nobody captures more requests at once */

struct run {
    uint64_t last, step; /* sizes up to last in steps of step; step 0 ends the list */
};

static const struct run eights[] = {{2, 1}, {4, 2}, {8, 4}, {160, 8}, {0, 0}};
static const struct run ones[] = {{32, 1}, {0, 0}};
static const struct run sixteens[] = {{8, 1}, {32, 2}, {40, 8}, {152, 16}, {0, 0}};
static const struct run gap[] = {{8, 1}, {32, 2}, {56, 8}, {80, 24}, {160, 16}, {0, 0}};
static const struct run plain[] = {{2, 1}, {4, 2}, {16, 4}, {256, 8}, {512, 16}, {MOST, 32}, {0, 0}};
static const struct run sparse[] = {{8, 1}, {32, 2}, {40, 8}, {60, 4}, {72, 12}, {256, 8}, {MOST, 16}, {0, 0}};
static const struct run drafts[] = {{8, 1}, {32, 2}, {40, 8}, {64, 4}, {256, 8}, {MOST, 16}, {0, 0}};

/* What is captured without and with speculation. */
static const struct {
    const struct run *plain, *drafts;
} lists[] = {[HWL_SGLANG_SIZES_EIGHTS] = {eights, eights},     [HWL_SGLANG_SIZES_ONES] = {eights, ones},
             [HWL_SGLANG_SIZES_SIXTEENS] = {eights, sixteens}, [HWL_SGLANG_SIZES_GAP] = {eights, gap},
             [HWL_SGLANG_SIZES_SPARSE] = {plain, sparse},      [HWL_SGLANG_SIZES_PLAIN] = {plain, drafts}};

struct set {
    uint32_t n, size[MOST / 16 + 64]; /* ascending but for those that are added behind the list */
};

static void add(struct set *s, uint64_t size)
{
    for (uint32_t i = s->n; i-- > 0 && s->size[i] >= size;)
        if (s->size[i] == size)
            return;
    if (s->n < sizeof s->size / sizeof *s->size)
        s->size[s->n++] = (uint32_t)size;
}

static uint64_t largest(const struct set *s)
{
    uint64_t max = 0;
    for (uint32_t i = 0; i < s->n; i++)
        max = hwl_max(max, s->size[i]);
    return max;
}

static void keep(struct set *s, uint64_t most, uint64_t base)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->size[i] <= most && s->size[i] % base == 0)
            s->size[n++] = s->size[i];
    s->n = n;
}

static void put_runs(struct set *s, const struct run *runs, uint64_t max)
{
    uint64_t at = 0;
    for (; runs->step && at < max; runs++)
        for (; at < hwl_min(runs->last, max) && at + runs->step <= max; at += runs->step)
            add(s, at + runs->step);
}

/* The list of a release for this card, as far as it is asked for. */
static void put_list(struct set *s, const struct hwl_sglang_setup *u, uint64_t max)
{
    const uint64_t end = u->rules->sizes_256_mib || u->rules->steps_of_16 ? u->sizes_end : 0;
    put_runs(s, *u->spec_method ? lists[u->rules->sizes].drafts : lists[u->rules->sizes].plain, max);
    for (uint64_t v = 160; end >= 256 && v <= hwl_min(max, 256); v += 8)
        add(s, v);
    for (uint64_t v = 272; end >= 512 && v <= hwl_min(max, 512); v += 16)
        add(s, v);
}

uint64_t hwl_sglang_decode_graphs(const struct hwl_sglang_setup *u)
{
    struct set s;
    s.n = 0;
    const uint64_t max = hwl_min(u->max_bs, MOST);
    put_list(&s, u, max);
    return s.n + (u->rules->captures_largest && max && largest(&s) != max);
}

uint64_t hwl_sglang_captured(const struct hwl_sglang_setup *u, uint64_t requests)
{
    const struct hwl_sglang_rules *r = u->rules;
    if (!u->n_decode_graphs || u->sizes_given)
        return u->n_decode_graphs;
    struct set s;
    s.n = 0;
    const uint64_t max = hwl_min(u->max_bs, MOST), base = u->attention_dp > 1 && r->gathers ? u->attention_tp : 1;
    const uint64_t slots = r->aligned_slots ? hwl_div_ceil(requests, base) * base : requests;
    put_list(&s, u, r->steps_of_16 ? u->sizes_end : max);
    if (r->captures_largest && max)
        add(&s, max);
    if (largest(&s) > slots) { /* the rows of the table are a size of their own */
        if (r->request_row && slots > 1)
            add(&s, slots - 1);
        add(&s, slots);
    }
    keep(&s, max, base);
    if (r->steps_of_16) /* from the list's end on */
        for (uint64_t v = largest(&s) + 16; v > 16 && v <= max; v += 16)
            add(&s, v);
    keep(&s, slots, 1);
    return s.n;
}

uint64_t hwl_sglang_prefill_graphs(uint64_t max)
{
    static const struct run runs[] = {{32, 4}, {256, 16}, {512, 32}, {1024, 64}, {4096, 256}, {UINT64_MAX, 512}};
    uint64_t sizes = 0, at = 0;
    for (size_t i = 0; i < sizeof runs / sizeof *runs && at < max; i++) {
        const uint64_t last = hwl_min(runs[i].last, max);
        sizes += last > at ? (last - at) / runs[i].step : 0;
        at = runs[i].last;
    }
    return sizes;
}
