/* SPDX-License-Identifier: Apache-2.0 */
/* Caches of mlx-lm 0.32: mlx_lm/models/cache.py, and what the classes of mlx_lm/models put into them. */
#include "engine/mlx/mlx.h"

#include "base/str.h"

#include <string.h>

#define STEP 256 /* KVCache.step: tokens by which a cache grows */

/* Latent attention whose class caches keys and values of every head: deepseek_v2.py, minicpm3.py, youtu_llm.py. */
static const char expanded_mla[] = "deepseek_v2 minicpm3 youtu_llm";

/* Architectures whose make_cache gives window layers a RotatingKVCache, and those with a ChunkedKVCache. Every other
 * class keeps the whole context in window layers too. */
static const char rotating_archs[] =
    "afmoe baichuan_m1 cohere2 exaone4 exaone_moe gemma3 gemma3_text gemma3n gemma3n_text gemma4 gemma4_text "
    "gemma4_unified "
    "gpt_oss llama mistral mistral3 ministral3 mimo_v2_flash olmo3 plamo2 plamo3 recurrent_gemma step3p5 laguna mellum";
/* Of these, llama.py and ministral3.py go by layer_types, which only mixed stacks have: Mistral 7B with a window in
 * every layer keeps it all. */
static const char mixed_archs[] = "llama mistral mistral3 ministral3";
static const char chunked_archs[] = "llama4 llama4_text";

static bool has_arch(const struct hwl_model *m, const char *words)
{
    return hwl_words_have(words, m->arch) || (m->text_arch && hwl_words_have(words, m->text_arch));
}

static uint64_t vector(const struct hwl_mlx_cache *c, uint64_t heads, uint64_t width, struct hwl_ck *ck)
{
    if (!c->bits)
        return hwl_ck_mul3(ck, heads, width, c->dtype_bytes);
    /* QuantizedKVCache: words of 32 bits, a scale and a bias a group */
    const uint64_t per_word = 32 / c->bits;
    return hwl_ck_mul(ck, heads, hwl_ck_add(ck, 4 * (width / per_word), 2 * (width / c->group) * c->dtype_bytes));
}

uint64_t hwl_mlx_row(const struct hwl_model *m, const struct hwl_layer *l, const struct hwl_mlx_cache *c,
                     struct hwl_ck *ck)
{
    const struct hwl_attention *a = &l->attn;
    if (!a->n_heads || a->kv_shared_with >= 0 || a->cross)
        return 0;
    if (a->kv_lora_rank && !has_arch(m, expanded_mla)) {
        uint64_t row = hwl_ck_add(ck, vector(c, 1, a->kv_lora_rank, ck), vector(c, 1, a->qk_rope_dim, ck));
        /* the indexer's cache takes its keys as values too; those are made one zero (deepseek_v32.py) */
        return a->index_heads ? hwl_ck_add(ck, row, vector(c, 1, a->index_head_dim, ck)) : row;
    }
    const uint64_t heads = a->kv_lora_rank || !a->n_kv_heads ? a->n_heads : a->n_kv_heads;
    return hwl_ck_add(ck, vector(c, heads, a->head_dim_k, ck), vector(c, heads, a->head_dim_v, ck));
}

static uint64_t grown(uint64_t tokens)
{
    return hwl_div_ceil(tokens, STEP) * STEP;
}

uint64_t hwl_mlx_cells(const struct hwl_model *m, const struct hwl_layer *l, const struct hwl_mlx_cache *c,
                       bool *rotating)
{
    const uint64_t w = l->attn.window;
    *rotating = w && has_arch(m, rotating_archs) && (c->mixed || !has_arch(m, mixed_archs));
    if (*rotating) { /* a step of the prompt is put behind all but one of the window, and lies there until the next
                        token */
        const uint64_t step = hwl_min(c->step, c->tokens);
        return hwl_min(c->tokens, hwl_min(w - 1, c->tokens - step) + step);
    }
    if (w && has_arch(m, chunked_archs)) {
        *rotating = true;
        return hwl_min(grown(c->tokens), w + grown(hwl_min(c->step, c->tokens)));
    }
    return grown(c->tokens);
}
