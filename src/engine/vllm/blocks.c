/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks for a budget: bytes of a block on every stage, the start check, auto-fit, tokens and concurrency.
 * After get_kv_cache_configs, vllm/v1/core/kv_cache_planning.py 0.33.0 (kv_cache_utils.py before), and the specs'
 * max_memory_usage_bytes, vllm/v1/kv_cache_interface.py. */
#include "engine/vllm/cache.h"

#include "base/bytes.h"
#include "base/status.h"

static uint64_t spec_blocks(const struct hwl_vllm_run *run, const struct hwl_vllm_spec *s, uint64_t block, uint64_t len)
{
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
        return (run->state_mode == HWL_VLLM_STATE_ALIGN ? 2 + s->checkpoint_blocks : 1) + (run->states_alone ? 0 : s->spec_blocks);
    }
}

uint64_t hwl_vllm_group_blocks(const struct hwl_vllm_cache *cache, const struct hwl_vllm_run *run,
                               const struct hwl_vllm_group *group, uint64_t len)
{
    return spec_blocks(run, &cache->specs[group->first], group->block, len);
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

/* Bytes that the release counts for one request on a stage (kv_cache_utils.py: max_memory_usage_bytes,
 * _max_memory_usage_bytes_from_groups). */
static bool len_fits(const struct hwl_vllm_cache *c, const struct hwl_vllm_run *run, uint32_t stage, uint64_t len, uint64_t bytes)
{
    struct hwl_ck ck = {0};
    uint64_t need = 0, width = c->block_bytes[stage];
    switch (run->check) {
    case HWL_VLLM_CHECK_LAYERS:
        for (uint32_t i = 0; i < c->n_specs; i++)
            if (c->asked[i].stage == stage)
                need = hwl_ck_add(&ck, need, hwl_ck_mul(&ck, spec_blocks(run, &c->asked[i], c->asked[i].block, len), c->asked[i].page));
        break;
    case HWL_VLLM_CHECK_FIRST_WHOLE:
        for (uint32_t i = 0; i < c->n_groups; i++)
            width = hwl_max(width, c->groups[i].bytes);
        need = hwl_ck_mul(&ck, hwl_vllm_group_blocks(c, run, &c->groups[0], len), width);
        break;
    case HWL_VLLM_CHECK_FIRST:
        need = hwl_ck_mul(&ck, hwl_vllm_group_blocks(c, run, &c->groups[0], len), width);
        break;
    default:
        need = hwl_ck_mul(&ck, hwl_vllm_request_blocks(c, run, len), width);
    }
    return !ck.overflow && need <= bytes;
}

/* The largest length from 1 to limit that fits; 0: none. */
static uint64_t largest_len(const struct hwl_vllm_cache *c, const struct hwl_vllm_run *run, uint32_t stage, uint64_t limit, uint64_t bytes)
{
    if (!len_fits(c, run, stage, 1, bytes))
        return 0;
    uint64_t low = 1, high = limit, best = 1;
    while (low <= high) {
        const uint64_t mid = low + (high - low) / 2;
        if (len_fits(c, run, stage, mid, bytes)) {
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
                    hwl_min(cache->max_len, largest_len(cache, run, p, run->max_len, check[p]));
    uint64_t fitting = cache->max_len;
    for (uint32_t p = 0; p < run->stages; p++) {
        if (cache->block_bytes[p] == 0)
            continue;
        if (check[p] == 0 || cache->max_len == 0 || !len_fits(cache, run, p, cache->max_len, check[p])) {
            cache->fits = false;
            fitting = hwl_min(fitting, largest_len(cache, run, p, cache->max_len, check[p]));
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
    if (cache->n_groups == 1 && run->token_block)
        block_min = run->token_block;
    struct hwl_ck ck = {0};
    if (run->tokens_by_group) /* vLLM multiplies in floating point and cuts off */
        cache->tokens = (uint64_t)(cache->concurrency * (double)cache->max_len);
    else
        cache->tokens = hwl_ck_mul3(&ck, cache->num_blocks / cache->n_groups, block_min, run->dcp ? run->dcp : 1);
    if (run->plain_length && cache->max_len)
        cache->concurrency = (double)cache->tokens / (double)cache->max_len;
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "vllm: the cache is beyond 64 bits") : HWL_OK;
}
