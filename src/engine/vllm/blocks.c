/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks for a budget: bytes of a block on every stage, the start check, auto-fit, tokens and concurrency.
 * After get_kv_cache_configs, vllm/v1/core/kv_cache_planning.py 0.33.0 (kv_cache_utils.py before), and the specs'
 * max_memory_usage_bytes, vllm/v1/kv_cache_interface.py. */
#include "engine/vllm/cache.h"

#include "base/bytes.h"
#include "base/status.h"

uint64_t hwl_vllm_group_blocks(const struct hwl_vllm_cache *cache, const struct hwl_vllm_run *run,
                               const struct hwl_vllm_group *group, uint64_t len)
{
    const struct hwl_vllm_spec *s = &cache->specs[group->first];
    const uint64_t block = group->block;
    uint64_t tokens = 0;
    switch (s->kind) {
    case HWL_VLLM_FULL:
    case HWL_VLLM_MLA:
        return hwl_div_ceil(s->replicated ? len : hwl_div_ceil(len, run->dcp ? run->dcp : 1), block);
    case HWL_VLLM_SLIDING:
    case HWL_VLLM_SLIDING_MLA:
        if (!hwl_add(&tokens, s->window ? s->window - 1 : 0, run->in_flight))
            tokens = len;
        return hwl_div_ceil(hwl_min(tokens, len), block) + 1; /* a window may begin inside a block */
    case HWL_VLLM_CHUNKED:
        if (!hwl_add(&tokens, s->window, run->in_flight))
            tokens = len;
        return hwl_div_ceil(hwl_min(tokens, len), block);
    case HWL_VLLM_CROSS:
        return hwl_div_ceil(run->encoder_tokens, block);
    default:
        if (run->state_mode == HWL_VLLM_STATE_ALL)
            return hwl_div_ceil(len, block);
        return (run->state_mode == HWL_VLLM_STATE_ALIGN ? 2 + s->checkpoint_blocks : 1) + s->spec_blocks;
    }
}

uint64_t hwl_vllm_request_blocks(const struct hwl_vllm_cache *cache, const struct hwl_vllm_run *run, uint64_t len)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < cache->n_groups; i++)
        sum += hwl_vllm_group_blocks(cache, run, &cache->groups[i], len);
    return sum;
}

/* The pool holds blocks as wide as the widest group on the stage. */
static hwl_status measure_stages(struct hwl_vllm_cache *c, uint32_t stages, hwl_error *error)
{
    struct hwl_ck ck = {0};
    for (uint32_t p = 0; p < stages; p++) {
        uint64_t sums[HWL_VLLM_MAX_GROUPS] = {0};
        for (uint32_t i = 0; i < c->n_specs; i++) {
            const struct hwl_vllm_spec *s = &c->specs[i];
            if (s->stage == p)
                sums[c->group_of[i]] = hwl_ck_add(&ck, sums[c->group_of[i]],
                                                  s->align > 1 ? hwl_ck_align(&ck, s->page, s->align) : s->page);
        }
        c->block_bytes[p] = 0;
        for (uint32_t i = 0; i < c->n_groups; i++)
            c->block_bytes[p] = hwl_max(c->block_bytes[p], sums[i]);
    }
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "vllm: a cache block is beyond 64 bits") : HWL_OK;
}

static bool len_fits(const struct hwl_vllm_cache *c, const struct hwl_vllm_run *run, uint64_t len, uint64_t bytes,
                     uint64_t block_bytes)
{
    uint64_t need;
    return hwl_mul(&need, hwl_vllm_request_blocks(c, run, len), block_bytes) && need <= bytes;
}

/* The largest length from 1 to limit that fits; 0: none. */
static uint64_t largest_len(const struct hwl_vllm_cache *c, const struct hwl_vllm_run *run, uint64_t limit,
                            uint64_t bytes, uint64_t block_bytes)
{
    if (!len_fits(c, run, 1, bytes, block_bytes))
        return 0;
    uint64_t low = 1, high = limit, best = 1;
    while (low <= high) {
        const uint64_t mid = low + (high - low) / 2;
        if (len_fits(c, run, mid, bytes, block_bytes)) {
            best = mid;
            low = mid + 1;
        } else {
            high = mid - 1;
        }
    }
    return best;
}

hwl_status hwl_vllm_cache_size(struct hwl_vllm_cache *cache, const struct hwl_vllm_run *run, const uint64_t *budget,
                               hwl_error *error)
{
    cache->max_len = run->max_len;
    cache->fits = true;
    if (cache->n_groups == 0) { /* nothing is cached; the pool still has its null block */
        cache->num_blocks = 1;
        return HWL_OK;
    }
    HWL_TRY(measure_stages(cache, run->stages, error));
    uint64_t check[HWL_VLLM_MAX_STAGES], blocks = UINT64_MAX;
    for (uint32_t p = 0; p < run->stages; p++) {
        const uint64_t width = cache->block_bytes[p];
        if (width == 0) {
            check[p] = UINT64_MAX;
            continue;
        }
        uint64_t bytes = budget[p], forced;
        if (!hwl_mul(&forced, run->override_blocks, width))
            return hwl_fail(error, HWL_E_OVERFLOW, "vllm: the cache is beyond 64 bits");
        blocks = hwl_min(blocks, run->override_blocks ? run->override_blocks : bytes / width);
        if (run->override_blocks && run->override_checked)
            bytes = forced;
        check[p] = run->null_block ? (bytes > width ? bytes - width : 0) : bytes;
    }
    cache->num_blocks = blocks;
    if (run->auto_len)
        for (uint32_t p = 0; p < run->stages; p++)
            if (cache->block_bytes[p])
                cache->max_len =
                    hwl_min(cache->max_len, largest_len(cache, run, run->max_len, check[p], cache->block_bytes[p]));
    uint64_t fitting = cache->max_len;
    for (uint32_t p = 0; p < run->stages; p++) {
        if (cache->block_bytes[p] == 0)
            continue;
        if (check[p] == 0 || cache->max_len == 0 ||
            !len_fits(cache, run, cache->max_len, check[p], cache->block_bytes[p])) {
            cache->fits = false;
            fitting = hwl_min(fitting, largest_len(cache, run, cache->max_len, check[p], cache->block_bytes[p]));
        }
    }
    if (!cache->fits)
        cache->fitting_len = fitting;
    uint64_t block_min = UINT64_MAX;
    for (uint32_t i = 0; i < cache->n_groups; i++) {
        struct hwl_vllm_group *g = &cache->groups[i];
        g->per_request = hwl_vllm_group_blocks(cache, run, g, cache->max_len);
        block_min = hwl_min(block_min, g->block);
    }
    cache->request_blocks = hwl_vllm_request_blocks(cache, run, cache->max_len);
    if (cache->request_blocks)
        cache->concurrency = (double)cache->num_blocks / (double)cache->request_blocks;
    struct hwl_ck ck = {0};
    if (run->tokens_by_group) /* vLLM multiplies in floating point and cuts off */
        cache->tokens = (uint64_t)(cache->concurrency * (double)cache->max_len);
    else
        cache->tokens = hwl_ck_mul3(&ck, cache->num_blocks / cache->n_groups, block_min, run->dcp ? run->dcp : 1);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "vllm: the cache is beyond 64 bits") : HWL_OK;
}
