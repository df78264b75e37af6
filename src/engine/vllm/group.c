/* SPDX-License-Identifier: Apache-2.0 */
/* Layers to groups: which layers share a block table and what one block of the shared pool takes.
 * After get_kv_cache_groups and its helpers, vllm/v1/core/kv_cache_planning.py 0.33.0 (kv_cache_utils.py before). */
#include "engine/vllm/cache.h"

#include "base/bytes.h"
#include "base/status.h"

#include <string.h>

#define MAX_BUCKETS 32
#define MAX_SIZES 16

static bool is_full(const struct hwl_vllm_spec *s)
{
    return s->kind == HWL_VLLM_FULL || s->kind == HWL_VLLM_MLA;
}

static bool is_sliding(const struct hwl_vllm_spec *s)
{
    return s->kind == HWL_VLLM_SLIDING || s->kind == HWL_VLLM_SLIDING_MLA;
}

/* Equal but for the recorded window. */
static bool same_pages(const struct hwl_vllm_spec *a, const struct hwl_vllm_spec *b)
{
    return a->kind == b->kind && a->block == b->block && a->page == b->page && a->align == b->align &&
           a->identity == b->identity && a->replicated == b->replicated && a->spec_blocks == b->spec_blocks &&
           a->checkpoint_blocks == b->checkpoint_blocks;
}

static bool same(const struct hwl_vllm_spec *a, const struct hwl_vllm_spec *b)
{
    return same_pages(a, b) && a->window == b->window;
}

/* A full spec may record a window next to full specs that record none. */
static bool merges(const struct hwl_vllm_spec *a, const struct hwl_vllm_spec *b, uint64_t *window)
{
    if (!same_pages(a, b))
        return false;
    if (a->kind != HWL_VLLM_FULL)
        return a->window == b->window;
    if (b->window == 0 || b->window == *window)
        return true;
    if (*window != 0)
        return false;
    *window = b->window;
    return true;
}

/* Do both always need the same number of token slots? */
static bool uniform_with(const struct hwl_vllm_spec *first, const struct hwl_vllm_spec *s)
{
    if (first->block != s->block || first->replicated != s->replicated)
        return false;
    switch (first->kind) {
    case HWL_VLLM_FULL:
    case HWL_VLLM_MLA:
        return is_full(s);
    case HWL_VLLM_SLIDING:
        return is_sliding(s) && s->window == first->window;
    case HWL_VLLM_MAMBA:
        return s->kind == HWL_VLLM_MAMBA && s->spec_blocks == first->spec_blocks &&
               s->checkpoint_blocks == first->checkpoint_blocks && s->page == first->page;
    default:
        return s->kind == first->kind && s->window == first->window;
    }
}

static bool all_merge(const struct hwl_vllm_spec *s, uint32_t n)
{
    uint64_t window = s[0].kind == HWL_VLLM_FULL ? s[0].window : 0;
    for (uint32_t i = 1; i < n; i++)
        if (!merges(&s[0], &s[i], &window))
            return false;
    return true;
}

static bool all_uniform(const struct hwl_vllm_spec *s, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (!uniform_with(&s[0], &s[i]))
            return false;
    return true;
}

static hwl_status new_group(struct hwl_vllm_cache *c, uint32_t first, bool uniform, hwl_error *error)
{
    if (c->n_groups == HWL_VLLM_MAX_GROUPS)
        return hwl_fail(error, HWL_E_LIMIT, "vllm: more than %d cache groups", HWL_VLLM_MAX_GROUPS);
    c->groups[c->n_groups++] = (struct hwl_vllm_group){.kind = c->specs[first].kind,
                                                       .uniform = uniform,
                                                       .block = c->specs[first].block,
                                                       .page = c->specs[first].page,
                                                       .first = first};
    return HWL_OK;
}

static hwl_status one_group(struct hwl_vllm_cache *c, bool uniform, hwl_error *error)
{
    HWL_TRY(new_group(c, 0, uniform, error));
    for (uint32_t i = 0; i < c->n_specs; i++)
        c->group_of[i] = 0;
    return HWL_OK;
}

/* Windows and chunks are allocated like full attention where full attention is there too. */
static void promote(struct hwl_vllm_spec *s, uint32_t n)
{
    uint64_t block = 0;
    bool full = false, one_block = true, local = false;
    for (uint32_t i = 0; i < n; i++) {
        if (is_full(&s[i])) {
            one_block = one_block && (!full || block == s[i].block);
            block = s[i].block;
            full = true;
        }
        local = local || is_sliding(&s[i]) || s[i].kind == HWL_VLLM_CHUNKED;
    }
    if (!full || !local)
        return;
    for (uint32_t i = 0; i < n; i++) {
        if (s[i].kind == HWL_VLLM_SLIDING_MLA)
            s[i].kind = HWL_VLLM_MLA;
        else if (s[i].kind == HWL_VLLM_SLIDING || s[i].kind == HWL_VLLM_CHUNKED)
            s[i].kind = HWL_VLLM_FULL;
        else
            continue;
        if (one_block && s[i].block != block && s[i].block > 0 && s[i].page % s[i].block == 0 &&
            s[i].page / s[i].block <= UINT32_MAX && block <= UINT32_MAX) {
            s[i].page = s[i].page / s[i].block * block;
            s[i].block = block;
        }
    }
}

/* One page size for all: larger blocks where the page divides, padding elsewhere. */
static bool unify_pages(struct hwl_vllm_spec *s, uint32_t n, bool pads)
{
    uint64_t max = 0;
    for (uint32_t i = 0; i < n; i++)
        max = hwl_max(max, s[i].page);
    for (uint32_t i = 0; i < n; i++)
        if (s[i].page != max &&
            (s[i].kind == HWL_VLLM_MAMBA ? !pads : max % s[i].page != 0 && (!pads || s[i].kind == HWL_VLLM_MLA)))
            return false;
    for (uint32_t i = 0; i < n; i++) {
        if (s[i].page == max)
            continue;
        if (s[i].kind != HWL_VLLM_MAMBA && max % s[i].page == 0)
            s[i].block *= max / s[i].page;
        s[i].page = max;
    }
    return true;
}

/* Groups of equal specs with about the same number of layers; layers of a kind are dealt in turn. */
static hwl_status group_by_kind(struct hwl_vllm_cache *c, const struct hwl_vllm_run *run, hwl_error *error)
{
    uint32_t first[MAX_BUCKETS], count[MAX_BUCKETS], n = 0;
    uint64_t window[MAX_BUCKETS];
    for (uint32_t i = 0; i < c->n_specs; i++) {
        uint32_t b = 0;
        for (; b < n; b++)
            if (same(&c->specs[first[b]], &c->specs[i]) ||
                (run->merges_buckets && merges(&c->specs[first[b]], &c->specs[i], &window[b])))
                break;
        if (b == MAX_BUCKETS)
            return hwl_fail(error, HWL_E_LIMIT, "vllm: more than %d kinds of cached layers", MAX_BUCKETS);
        if (b == n) {
            first[n] = i;
            count[n] = 0;
            window[n++] = c->specs[i].window;
        }
        c->group_of[i] = (uint16_t)b;
        count[b]++;
    }
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t b = 0; b < n; b++) {
        least = count[b] < least ? count[b] : least;
        most = count[b] > most ? count[b] : most;
    }
    /* a draft's extra layers should not halve the group size */
    const uint32_t size = 100 * (uint64_t)most < run->group_percent * (uint64_t)least ? most : least;
    uint16_t base[MAX_BUCKETS], parts[MAX_BUCKETS], next[MAX_BUCKETS];
    for (uint32_t b = 0; b < n; b++) {
        base[b] = (uint16_t)c->n_groups;
        parts[b] = (uint16_t)hwl_div_ceil(count[b], size);
        next[b] = 0;
        for (uint32_t i = 0; i < parts[b]; i++)
            HWL_TRY(new_group(c, first[b], false, error));
    }
    for (uint32_t i = 0; i < c->n_specs; i++) {
        const uint16_t b = c->group_of[i];
        c->group_of[i] = (uint16_t)(base[b] + next[b]++ % parts[b]);
    }
    return HWL_OK;
}

struct bucket {
    uint32_t first, layers, n_sizes, count[MAX_SIZES], seen[MAX_SIZES];
    uint64_t page[MAX_SIZES];
};

static bool balanced(const struct bucket *b)
{
    for (uint32_t i = 1; i < b->n_sizes; i++)
        if (b->count[i] != b->count[0])
            return false;
    return true;
}

static uint32_t most_layers(const struct bucket *b)
{
    uint32_t m = 0;
    for (uint32_t i = 0; i < b->n_sizes; i++)
        m = b->count[i] > m ? b->count[i] : m;
    return m;
}

/* The chunk size from `least` up that pads the balanced buckets least; the larger one of equals. */
static uint32_t chunk(const struct bucket *b, uint32_t n, uint32_t least)
{
    uint32_t max = 0, best = least;
    for (uint32_t i = 0; i < n; i++)
        if (balanced(&b[i]))
            max = most_layers(&b[i]) > max ? most_layers(&b[i]) : max;
    uint64_t best_pad = UINT64_MAX;
    for (uint32_t d = least; d <= max; d++) {
        uint64_t pad = 0;
        for (uint32_t i = 0; i < n; i++)
            if (balanced(&b[i]))
                pad += (d - most_layers(&b[i]) % d) % d;
        if (pad <= best_pad) {
            best_pad = pad;
            best = d;
        }
    }
    return best;
}

static uint64_t widest(const struct bucket *b, uint64_t parts)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < b->n_sizes; i++)
        sum += hwl_div_ceil(b->count[i], parts) * b->page[i];
    return sum;
}

/* Blocks that hold pages of several sizes side by side. False in *packed: all pages are equal, or layers lie outermost.
 */
static hwl_status group_packed(struct hwl_vllm_cache *c, const struct hwl_vllm_run *run, struct hwl_arena *arena,
                               bool *packed, hwl_error *error)
{
    bool mixed = false;
    for (uint32_t i = 1; i < c->n_specs; i++)
        mixed = mixed || c->specs[i].page != c->specs[0].page;
    *packed = run->block_outermost && mixed;
    if (!*packed)
        return HWL_OK;
    struct bucket *b = HWL_NEW_ARRAY(arena, struct bucket, MAX_BUCKETS);
    if (!b)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    uint32_t n = 0;
    uint8_t *size_of = HWL_NEW_ARRAY(arena, uint8_t, c->n_specs);
    if (!size_of)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    for (uint32_t i = 0; i < c->n_specs; i++) {
        uint32_t k = 0;
        while (k < n && !uniform_with(&c->specs[b[k].first], &c->specs[i]))
            k++;
        if (k == MAX_BUCKETS)
            return hwl_fail(error, HWL_E_LIMIT, "vllm: more than %d kinds of cached layers", MAX_BUCKETS);
        if (k == n)
            b[n++].first = i;
        uint32_t z = 0;
        while (z < b[k].n_sizes && b[k].page[z] != c->specs[i].page)
            z++;
        if (z == MAX_SIZES)
            return hwl_fail(error, HWL_E_LIMIT, "vllm: more than %d page sizes", MAX_SIZES);
        if (z == b[k].n_sizes)
            b[k].page[b[k].n_sizes++] = c->specs[i].page;
        b[k].count[z]++;
        b[k].layers++;
        size_of[i] = (uint8_t)z;
        c->group_of[i] = (uint16_t)k;
    }
    uint32_t least = 0;
    for (uint32_t k = 0; k < n; k++)
        if (balanced(&b[k]) && b[k].n_sizes > 1 && most_layers(&b[k]) > least)
            least = most_layers(&b[k]);
    const uint32_t repeats = least ? chunk(b, n, least) : 0;
    uint64_t parts[MAX_BUCKETS], anchor = 0;
    bool state[MAX_BUCKETS];
    for (uint32_t k = 0; k < n; k++) {
        const struct hwl_vllm_spec *s = &c->specs[b[k].first];
        parts[k] = repeats && balanced(&b[k]) ? hwl_div_ceil(most_layers(&b[k]), repeats) : 1;
        state[k] = s->kind == HWL_VLLM_MAMBA || (!repeats && is_sliding(s));
        anchor = hwl_max(anchor, widest(&b[k], state[k] ? b[k].layers : parts[k]));
    }
    uint32_t base[MAX_BUCKETS];
    for (uint32_t k = 0; k < n; k++) {
        const uint64_t page = c->specs[b[k].first].page;
        if (state[k] && anchor && page)
            parts[k] = hwl_max(parts[k], hwl_div_ceil(b[k].layers, hwl_max(anchor / page, 1)));
        base[k] = c->n_groups;
        for (uint64_t i = 0; i < parts[k]; i++)
            HWL_TRY(new_group(c, b[k].first, true, error));
    }
    for (uint32_t i = 0; i < c->n_specs; i++) {
        const uint32_t k = c->group_of[i];
        c->group_of[i] = (uint16_t)(base[k] + b[k].seen[size_of[i]]++ % parts[k]);
    }
    return HWL_OK;
}

static hwl_status choose(struct hwl_vllm_cache *c, const struct hwl_vllm_run *run, struct hwl_arena *arena,
                         hwl_error *error)
{
    if (run->one_type || run->promotes) {
        promote(c->specs, c->n_specs);
        if (!all_uniform(c->specs, c->n_specs))
            return hwl_fail(
                error, HWL_E_REFUSED,
                "vllm refuses: the hybrid cache manager is disabled, but the layers' caches are not of one type");
    }
    if (all_merge(c->specs, c->n_specs))
        return one_group(c, false, error);
    if (all_uniform(c->specs, c->n_specs))
        return one_group(c, true, error);
    bool packed;
    HWL_TRY(group_packed(c, run, arena, &packed, error));
    if (packed)
        return HWL_OK;
    if (!unify_pages(c->specs, c->n_specs, run->pads_pages)) {
        /* latent attention beside windows of another page: windows are allocated in full */
        bool mla = false, window = false, other = false;
        for (uint32_t i = 0; i < c->n_specs; i++) {
            mla = mla || c->specs[i].kind == HWL_VLLM_MLA;
            window = window || c->specs[i].kind == HWL_VLLM_SLIDING;
            other = other || c->specs[i].kind == HWL_VLLM_SLIDING_MLA || c->specs[i].kind == HWL_VLLM_CHUNKED;
        }
        if (run->pads_pages && mla && window && !other) {
            promote(c->specs, c->n_specs);
            if (all_uniform(c->specs, c->n_specs))
                return one_group(c, true, error);
        }
        return hwl_fail(error, HWL_E_REFUSED,
                        "vllm refuses: the page sizes of the layers' caches cannot be made equal");
    }
    return group_by_kind(c, run, error);
}

hwl_status hwl_vllm_cache_group(struct hwl_vllm_cache *cache, const struct hwl_vllm_spec *specs, uint32_t n,
                                const struct hwl_vllm_run *run, struct hwl_arena *arena, hwl_error *error)
{
    memset(cache, 0, sizeof *cache);
    cache->n_specs = n;
    cache->asked = specs;
    if (n == 0)
        return HWL_OK;
    cache->specs = HWL_NEW_ARRAY(arena, struct hwl_vllm_spec, n);
    cache->group_of = HWL_NEW_ARRAY(arena, uint16_t, n);
    if (!cache->specs || !cache->group_of)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    memcpy(cache->specs, specs, n * sizeof *specs);
    for (uint32_t i = 0; i < n; i++)
        if (specs[i].block == 0 || specs[i].page == 0)
            return hwl_fail(error, HWL_E_UNSUPPORTED, "vllm: layer %d has a cache of no bytes", specs[i].layer);
    HWL_TRY(choose(cache, run, arena, error));
    struct hwl_ck ck = {0};
    for (uint32_t i = 0; i < n; i++) {
        struct hwl_vllm_group *g = &cache->groups[cache->group_of[i]];
        g->layers++;
        g->bytes = hwl_ck_add(&ck, g->bytes, cache->specs[i].page);
    }
    for (uint32_t i = 0; i < cache->n_groups; i++)
        if (cache->groups[i].uniform)
            cache->groups[i].page = cache->groups[i].bytes;
    if (ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "vllm: a cache block is beyond 64 bits");
    return HWL_OK;
}
