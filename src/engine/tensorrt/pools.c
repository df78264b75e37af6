/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of blocks: one for all layers, or with kv_cache_config.max_attention_window one for each size of window. After
 * _torch/pyexecutor/_util.py (configure_kv_cache_capacity), resource_manager.py (calculate_max_num_blocks,
 * adjust_window_sizes_for_vswa) and batch_manager/kvCacheManager.cpp (calculateMaxNumBlocks, calculateWindowSizeToShare), 1.2. */
#include "engine/tensorrt/tensorrt.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

hwl_status hwl_trt_windows(const struct hwl_settings *settings, struct hwl_trt_setup *u, hwl_error *error)
{
    const char *text = hwl_opt_text(settings, HWL_OPT_MAX_ATTENTION_WINDOW, "");
    for (const char *p = text; *p;) {
        p += strspn(p, " ,[]");
        if (!*p)
            break;
        char *end;
        const unsigned long long n = strtoull(p, &end, 10);
        if (end == p || n == 0 || *p == '-' || !strchr(" ,]", *end))
            return hwl_fail(error, HWL_E_USAGE, "tensorrt-llm: max_attention_window wants numbers, not '%.40s'", text);
        if (u->n_windows == HWL_TRT_MAX_WINDOWS)
            return hwl_fail(error, HWL_E_LIMIT, "tensorrt-llm: max_attention_window has more than %d numbers", HWL_TRT_MAX_WINDOWS);
        u->windows[u->n_windows++] = n;
        p = end;
    }
    return HWL_OK;
}

static uint64_t window_of(const struct hwl_trt_setup *u, uint32_t local)
{
    return u->n_windows ? hwl_min(u->windows[local % u->n_windows], u->length) : u->length;
}

static bool is_variable(const struct hwl_trt_setup *u)
{
    for (uint32_t i = 1; i < u->n_windows; i++)
        if (window_of(u, i) != window_of(u, 0))
            return true;
    return false;
}

bool hwl_trt_variable(const struct hwl_trt_setup *setup)
{
    return is_variable(setup);
}

/* Bytes of a token of the layers of a stage by window, ascending; the number of windows. */
static uint32_t by_window(const struct hwl_model *m, const struct hwl_trt_setup *u, uint32_t stage, uint64_t *window, uint64_t *row,
                          struct hwl_ck *ck)
{
    uint32_t n = 0;
    const uint32_t first = u->stage_first[stage];
    for (uint32_t i = first; i < u->stage_first[stage + 1]; i++) {
        const uint64_t w = window_of(u, i - first);
        uint32_t k = 0;
        while (k < n && window[k] < w)
            k++;
        if (k == n || window[k] != w) {
            memmove(&window[k + 1], &window[k], (n - k) * sizeof *window);
            memmove(&row[k + 1], &row[k], (n - k) * sizeof *row);
            window[k] = w;
            row[k] = 0;
            n++;
        }
        row[k] = hwl_ck_add(ck, row[k], hwl_trt_row(&m->layers[i], u, ck));
    }
    return n;
}

/* Where not even one request fits, windows shrink, the smallest last. */
static uint32_t adjust(uint64_t *window, uint64_t *row, uint64_t *was, uint32_t n, uint64_t bytes, uint64_t most, struct hwl_ck *ck)
{
    uint64_t need = 0, rest = bytes, tokens = 0, before = 0, left = 0;
    for (uint32_t i = 0; i < n; i++) {
        was[i] = window[i];
        need = hwl_ck_add(ck, need, hwl_ck_mul(ck, window[i], row[i]));
        left = hwl_ck_add(ck, left, row[i]);
    }
    if (need < bytes)
        return n;
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t own = row[i];
        if (rest && left) {
            const uint64_t more = hwl_min(rest / left, was[i] - before);
            rest -= more * left;
            tokens += more;
            if (tokens < was[i])
                rest = 0;
            if (tokens >= most) {
                tokens = most;
                rest = 0;
            }
        }
        before = was[i];
        left -= own;
        window[i] = tokens;
    }
    return n;
}

static void pools_of_stage(const struct hwl_model *m, const struct hwl_trt_setup *u, uint32_t stage, uint64_t bytes, uint64_t most,
                           struct hwl_trt_pools *out, struct hwl_ck *ck)
{
    uint64_t window[HWL_TRT_MAX_WINDOWS + 1], row[HWL_TRT_MAX_WINDOWS + 1], was[HWL_TRT_MAX_WINDOWS + 1];
    const uint32_t n = adjust(window, row, was, by_window(m, u, stage, window, row, ck), bytes, most, ck);
    float share[HWL_TRT_MAX_WINDOWS + 1], sum = 0;
    uint64_t total = 0;
    out->n = n;
    for (uint32_t i = 0; i < n; i++)
        total += row[i];
    for (uint32_t i = 0; i < n; i++) { /* in single precision, as it is worked out there */
        share[i] = (float)row[i] / (float)(total ? total : 1) * (float)window[i];
        sum += share[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        const float part = sum > 0 ? share[i] / sum : 0;
        const double tokens = row[i] ? (double)((float)bytes * part) / (double)row[i] : 0;
        const double host = row[i] ? (double)((float)u->host_cache * part) / (double)row[i] : 0;
        out->window[i] = window[i];
        out->was[i] = was[i];
        out->tokens[i] = hwl_ck_align(ck, hwl_min(tokens < 9e18 ? (uint64_t)tokens : UINT64_MAX / 2, most), u->block);
        out->host_tokens[i] = (host < 9e18 ? (uint64_t)host : 0) / u->block * u->block;
    }
}

static uint64_t draft_row(const struct hwl_model *model, const struct hwl_trt_setup *setup, struct hwl_ck *ck)
{
    const struct hwl_layer *like = setup->draft_layers ? hwl_trt_draft_layer(model) : NULL;
    uint64_t row = like ? hwl_ck_mul(ck, setup->draft_layers, hwl_trt_planned_row(like, setup, ck)) : 0;
    for (uint32_t i = 0; setup->draft && i < setup->draft->n_layers; i++)
        row = hwl_ck_add(ck, row, hwl_trt_planned_row(&setup->draft->layers[i], setup, ck));
    return row;
}

uint64_t hwl_trt_stage_row(const struct hwl_model *model, const struct hwl_trt_setup *setup, uint32_t stage, bool planned, struct hwl_ck *ck)
{
    uint64_t row = planned && stage + 1 == setup->pp ? draft_row(model, setup, ck) : 0;
    for (uint32_t i = setup->stage_first[stage]; i < setup->stage_first[stage + 1]; i++)
        row = hwl_ck_add(ck, row, (planned ? hwl_trt_planned_row : hwl_trt_row)(&model->layers[i], setup, ck));
    return row;
}

/* All layers alike: max_tokens is what the bytes give, no more than what is asked for. max_gpu_total_bytes comes behind that and
 * bounds nothing here. */
static void one_pool(const struct hwl_model *m, const struct hwl_trt_setup *u, const uint64_t *available, struct hwl_trt_pools *out,
                     struct hwl_ck *ck)
{
    uint64_t tokens = UINT64_MAX, host = UINT64_MAX;
    for (uint32_t p = 0; p < u->pp; p++) {
        const uint64_t planned = hwl_trt_stage_row(m, u, p, true, ck), row = hwl_trt_stage_row(m, u, p, false, ck);
        const uint64_t bytes = (uint64_t)((double)available[p] * u->fraction); /* _cal_max_memory */
        if (planned)
            tokens = hwl_min(tokens, bytes / planned);
        if (row) { /* calculate_max_num_blocks looks at the free memory once more */
            tokens = hwl_min(tokens, bytes / row);
            host = hwl_min(host, u->host_cache / row);
        }
    }
    tokens = tokens == UINT64_MAX ? 0 : tokens;
    if (u->kv_tokens)
        tokens = hwl_min(tokens, u->kv_tokens);
    out->n = 1;
    out->window[0] = out->was[0] = window_of(u, 0);
    out->tokens[0] = hwl_ck_align(ck, tokens, u->block); /* a block begun is a block */
    out->host_tokens[0] = (host == UINT64_MAX ? 0 : host) / u->block * u->block;
}

hwl_status hwl_trt_pools(const struct hwl_model *model, const struct hwl_trt_setup *setup, const uint64_t *available,
                         struct hwl_trt_pools *out, struct hwl_ck *ck, hwl_error *error)
{
    memset(out, 0, sizeof *out);
    if (!is_variable(setup)) {
        one_pool(model, setup, available, out, ck);
        return HWL_OK;
    }
    if (setup->mla)
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: latent attention has one window for all layers");
    for (uint32_t p = 0; p < setup->pp; p++) {
        const uint64_t planned = hwl_trt_stage_row(model, setup, p, true, ck);
        uint64_t bytes = (uint64_t)((double)available[p] * setup->fraction);
        if (setup->kv_tokens)
            bytes = hwl_min(bytes, hwl_ck_mul(ck, setup->kv_tokens, planned));
        const uint64_t most = planned ? bytes / planned : 0;
        if (setup->kv_bytes)
            bytes = hwl_min(bytes, setup->kv_bytes);
        struct hwl_trt_pools stage = {0};
        pools_of_stage(model, setup, p, bytes, most, &stage, ck);
        if (p == 0) {
            *out = stage;
            continue;
        }
        if (stage.n != out->n || memcmp(stage.was, out->was, stage.n * sizeof *stage.was) != 0)
            return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: the stages have windows of different sizes");
        for (uint32_t i = 0; i < out->n; i++) {
            out->tokens[i] = hwl_min(out->tokens[i], stage.tokens[i]);
            out->host_tokens[i] = hwl_min(out->host_tokens[i], stage.host_tokens[i]);
        }
    }
    return HWL_OK;
}

uint32_t hwl_trt_pool_of(const struct hwl_trt_setup *setup, const struct hwl_trt_pools *pools, uint32_t stage, uint32_t layer)
{
    const uint64_t w = window_of(setup, layer - setup->stage_first[stage]);
    for (uint32_t i = 0; i < pools->n; i++)
        if (pools->was[i] == w)
            return i;
    return 0;
}

uint64_t hwl_trt_requests(const struct hwl_trt_setup *setup, const struct hwl_trt_pools *pools, uint64_t length)
{
    uint64_t requests = UINT64_MAX;
    for (uint32_t i = 0; i < pools->n; i++) {
        const bool window = setup->n_windows && pools->was[i] < setup->length;
        const uint64_t each = window ? hwl_min(length, pools->window[i]) : length;
        if (each)
            requests = hwl_min(requests, pools->tokens[i] / each);
    }
    return requests == UINT64_MAX ? 0 : requests;
}
