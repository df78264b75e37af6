/* SPDX-License-Identifier: Apache-2.0 */
/* The pools of compressed attention (DeepSeek-V4): a window for all layers, one state for 4 or 128 tokens, indexer keys of
 * the former, and rings of tokens not yet compressed. After model_executor/pool_configurator.py DSV4PoolConfigurator and
 * mem_cache/deepseek_v4_memory_pool.py of 0.5.23. */
#include "engine/sglang/sglang.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <string.h>

#define ROW_ALIGN 576 /* pages of FlashMLA's layout are whole rows of so many bytes */
#define STATE_BYTES 4 /* SGLANG_DSV4_COMPRESS_STATE_DTYPE float32 */
#define WINDOW_SHARE 0.1

static uint64_t row_bytes(const struct hwl_attention *a, bool uniform)
{
    const uint64_t rope = a->qk_rope_dim, nope = a->head_dim_k - rope;
    return uniform ? nope + rope : nope + 2 * rope + 8; /* values in FP8, positions in bf16, scales */
}

static double page_row(const struct hwl_attention *a, bool uniform, uint64_t page)
{
    const uint64_t row = row_bytes(a, uniform);
    if (uniform)
        return (double)row;
    return (double)(hwl_div_ceil(page * row, ROW_ALIGN) * ROW_ALIGN) / (double)page;
}

/* One stage as the engine counts it: all in doubles, in its order, so that the tokens are the same. */
struct counts {
    uint64_t layers, fours, longs; /* layers; those with a state for 4 and for 128 tokens */
    const struct hwl_attention *attn;
};

static struct counts count(const struct hwl_model *m, const struct hwl_sglang_setup *u, uint32_t stage)
{
    struct counts c = {0};
    for (uint32_t i = u->stage_first[stage]; i < u->stage_first[stage + 1]; i++) {
        const struct hwl_attention *a = &m->layers[i].attn;
        c.layers++;
        c.fours += a->compress_ratio == 4;
        c.longs += a->compress_ratio == 128;
        c.attn = a;
    }
    c.layers += u->rules->drafts_windowed ? m->n_mtp : 0;
    return c;
}

static uint64_t ring(const struct hwl_sglang_setup *u, uint32_t ratio)
{
    const bool drafts = *u->spec_method != 0;
    return ratio == 4 ? (drafts ? 16 : 8) : drafts ? 256 : 128;
}

/* Tokens of the window pool that share a ring. */
static uint64_t ring_tokens(const struct hwl_sglang_setup *u, const struct hwl_attention *a)
{
    return u->rules->compressed_pages || !a->window ? u->page : a->window;
}

static uint64_t index_row(const struct hwl_model *m)
{
    for (uint32_t i = 0; i < m->n_layers; i++)
        if (m->layers[i].attn.index_head_dim)
            return m->layers[i].attn.index_head_dim;
    return 128;
}

/* Rows of the rings for 128 tokens: whole requests, one ring and one row of padding, in whole states. */
static uint64_t long_rows(const struct hwl_sglang_setup *u, uint64_t requests)
{
    const uint64_t r = ring(u, 128);
    return hwl_div_ceil((requests + 1) * r + r + 1, 128) * 128;
}

void hwl_sglang_size_compressed(const struct hwl_model *m, const struct hwl_sglang_setup *u, const uint64_t *rest,
                                struct hwl_sglang_pools *out)
{
    uint64_t tokens = UINT64_MAX, together = u->page;
    const uint64_t requests = hwl_max(u->max_requests, 1), index = index_row(m);
    for (uint32_t p = 0; p < u->pp; p++) {
        const struct counts c = count(m, u, p);
        together = ring_tokens(u, c.attn);
        const double width = (double)c.attn->head_dim_k;
        const double state = 2 * 2 * width * STATE_BYTES, index_state = 2.0 * 2 * (double)index * STATE_BYTES;
        const double share = (double)ring(u, 4) / (double)ring_tokens(u, c.attn);
        double window = page_row(c.attn, u->uniform_rows, u->page) * (double)c.layers + share * (state + index_state) * (double)c.fours;
        double full = u->window_ratio * window;
        const double four = 1.0 / 4 * page_row(c.attn, u->uniform_rows, u->page / 4) + 1.0 / 4 * (double)(index + index / 128 * 4);
        const double longer = 1.0 / 128 * page_row(c.attn, u->uniform_rows, u->page / 128);
        full += four * (double)c.fours + longer * (double)c.longs;
        if (!u->rules->compressed_pages) {
            const double row = (double)row_bytes(c.attn, false), fours = (double)c.fours, keys = (double)(index + index / 128 * 4);
            full = u->window_ratio * row * (double)c.layers + 1.0 / 4 * row * fours + 1.0 / 128 * row * (double)c.longs;
            full += 1.0 / 4 * keys * fours;
            full += u->window_ratio * share * state * fours;
            if (u->rules->long_by_window)
                full +=
                    u->window_ratio * ((double)ring(u, 128) / (double)ring_tokens(u, c.attn)) * (2 * width * STATE_BYTES) * (double)c.longs;
            full += u->window_ratio * share * index_state * fours;
        }
        if (*u->spec_method)
            full *= (double)(c.layers + 1) / (double)c.layers;
        const uint64_t fixed = c.longs && !u->rules->long_by_window
                                   ? long_rows(u, requests + u->extra_requests) * 2 * c.attn->head_dim_k * STATE_BYTES * c.longs
                                   : 0;
        const double left = rest[p] > fixed ? (double)(rest[p] - fixed) : 0;
        tokens = hwl_min(tokens, (uint64_t)(left / full) / u->page * u->page);
    }
    if (u->max_tokens)
        tokens = hwl_min(tokens, u->max_tokens / u->page * u->page);
    out->tokens = out->full_tokens = tokens;
    out->window_tokens = (uint64_t)((double)tokens * u->window_ratio) / u->page * u->page;
    out->four_rows = out->window_tokens / together * ring(u, 4);
    out->long_rows =
        u->rules->long_by_window ? out->window_tokens / together * ring(u, 128) : (requests + u->extra_requests + 1) * ring(u, 128);
    uint64_t window = 0;
    for (uint32_t i = 0; i < m->n_layers; i++)
        window = hwl_max(window, m->layers[i].attn.window);
    if (tokens == 0) {
        out->starts = false;
        out->why = "the weights leave no room for tokens";
    } else if (u->rules->window_checked && window + u->page >= out->window_tokens) {
        out->starts = false;
        out->why = "the pool of window layers cannot hold one request";
    }
}

struct hwl_sglang_layer_pools hwl_sglang_compressed_layer(const struct hwl_model *m, const struct hwl_sglang_setup *u,
                                                          const struct hwl_sglang_pools *pools, uint32_t layer, struct hwl_ck *ck)
{
    const struct hwl_attention *a = &m->layers[layer].attn;
    const uint64_t page = u->page, index = index_row(m);
    struct hwl_sglang_layer_pools l = {0};
    l.window =
        hwl_ck_mul(ck, hwl_div_ceil(pools->window_tokens + page, page), (uint64_t)(page_row(a, u->uniform_rows, page) * (double)page));
    if (a->compress_ratio != 4 && a->compress_ratio != 128)
        return l;
    const uint64_t ratio = a->compress_ratio, small = page / ratio;
    const uint64_t states = pools->full_tokens / ratio;
    l.compressed = hwl_ck_mul(ck, hwl_div_ceil(states + page, small), (uint64_t)(page_row(a, u->uniform_rows, small) * (double)small));
    const uint64_t overlap = ratio == 4 ? 2 : 1;
    const uint64_t rows = ratio == 4                 ? hwl_div_ceil(pools->four_rows + ring(u, 4) + 1, 4) * 4
                          : u->rules->long_by_window ? hwl_div_ceil(pools->long_rows + ring(u, 128) + 1, 128) * 128
                                                     : long_rows(u, pools->requests + u->extra_requests);
    l.state = hwl_ck_mul4(ck, rows, 2 * overlap, a->head_dim_k, STATE_BYTES);
    if (ratio == 4) {
        l.index = hwl_ck_mul(ck, hwl_div_ceil(states + page, small) * small, index + index / 128 * 4);
        l.state = hwl_ck_add(ck, l.state, hwl_ck_mul4(ck, rows, 2 * overlap, index, STATE_BYTES));
    }
    return l;
}

double hwl_sglang_compressed_share(const struct hwl_settings *settings)
{
    return hwl_opt_real(settings, HWL_OPT_SWA_RATIO, WINDOW_SHARE);
}
