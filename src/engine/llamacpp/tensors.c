/* SPDX-License-Identifier: Apache-2.0 */
/* Where llama.cpp would put each tensor of a file: src/llama-arch.cpp LLM_TENSOR_INFOS (input, repeating, output) and
 * the TENSOR_SKIP of multi-token-prediction blocks, which are not loaded by default (include/llama.h load_mtp). */
#include "engine/llamacpp/hparams.h"

#include "arch/gguf_model.h"
#include "base/status.h"

#include <string.h>

/* Tensors without a layer number. Those of `first` belong to the first layer; all others to the output. */
static const char *const input[] = {"token_embd", "position_embd", "token_types", "per_layer_token_embd"};
static const char *const first[] = {"token_embd_norm", "per_layer_model_proj", "per_layer_proj_norm", "hrm.z_l_init", "conv1d",
                                    "nextn.pre_projection"};
static const char *const unused[] = {"masked_embd_centroids", "masked_embd_ordering"};
static const char *const every[] = {"rope_freqs", "rope_factors_long", "rope_factors_short"};

static bool among(struct hwl_str s, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (hwl_str_eq(s, list[i]))
            return true;
    return false;
}
#define AMONG(s, list) among(s, list, sizeof(list) / sizeof *(list))

static void classify(const struct lc_model *m, struct lc_tensor *t, struct hwl_str base, int64_t layer)
{
    t->layer = layer >= 0 && layer < m->n_layer_all ? (int32_t)layer : -1;
    t->component = hwl_gguf_component(base);
    if (layer >= 0) {
        t->where = t->layer < 0 || ((uint32_t)layer >= m->n_layer && m->router_layer < 0) ? LC_WHERE_SKIP : LC_WHERE_LAYER;
    } else if (AMONG(base, input)) {
        t->where = LC_WHERE_INPUT;
    } else if (AMONG(base, unused)) {
        t->where = LC_WHERE_SKIP;
    } else if (AMONG(base, every)) {
        t->where = LC_WHERE_LAYER;
        t->per_device = true;
        t->layer = 0;
    } else if (AMONG(base, first) && !(m->shortconv_l_cache && hwl_str_eq(base, "token_embd_norm"))) {
        t->where = LC_WHERE_LAYER;
        t->layer = 0;
    } else {
        t->where = LC_WHERE_OUTPUT;
    }
}

/* ggml/src/ggml-cuda/ggml-cuda.cu get_alloc_size: a quantised row that is no multiple of 512 gets the rest of one row. */
uint64_t hwl_lc_row_pad(uint16_t dtype, uint64_t ne0)
{
    uint64_t bytes = 0;
    if (!hwl_dtype((enum hwl_dtype)dtype)->quantised || ne0 % 512 == 0 || !hwl_dtype_row((enum hwl_dtype)dtype, 512 - ne0 % 512, &bytes))
        return 0;
    return bytes;
}

hwl_status hwl_lc_read_tensors(struct hwl_arena *arena, struct lc_model *m, hwl_error *error)
{
    const struct hwl_gguf *g = m->gguf;
    m->n_tensors = g->n_tensors;
    m->tensors = HWL_NEW_ARRAY(arena, struct lc_tensor, g->n_tensors + 1);
    m->by_layer = HWL_NEW_ARRAY(arena, const struct lc_tensor *, g->n_tensors + 1);
    uint64_t *count = HWL_NEW_ARRAY(arena, uint64_t, (uint64_t)m->n_layer_all + 2);
    if (!m->tensors || !m->by_layer || !count)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    for (uint64_t i = 0; i < g->n_tensors; i++) {
        struct lc_tensor *t = &m->tensors[i];
        struct hwl_str base, suffix;
        int64_t layer;
        t->t = &g->tensors[i];
        t->name = hwl_arena_strn(arena, t->t->name.p, t->t->name.n);
        if (!t->name)
            return hwl_fail(error, HWL_E_NOMEM, "out of memory");
        hwl_gguf_split_name((struct hwl_str){t->name, t->t->name.n}, &layer, &base, &suffix);
        classify(m, t, base, layer);
        t->base = layer >= 0 ? base.p : t->name;
        t->pad = hwl_lc_row_pad(t->t->dtype, t->t->dims[0]);
        count[layer >= 0 && t->layer >= 0 ? (uint32_t)t->layer + 1 : m->n_layer_all + 1]++;
        if (strcmp(t->name, "token_embd.weight") == 0)
            m->tok_embd = t;
        if (strcmp(t->name, "output.weight") == 0)
            m->output = t;
    }
    /* counting sort by layer; those of no layer last */
    uint64_t at = 0;
    for (uint32_t il = 0; il < m->n_layer_all; il++) {
        m->layers[il].first = (uint32_t)at;
        m->layers[il].n_tensors = (uint32_t)count[il + 1];
        count[il] = at;
        at += m->layers[il].n_tensors;
    }
    m->first_global = at;
    uint64_t global = at;
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct lc_tensor *t = &m->tensors[i];
        m->by_layer[t->layer >= 0 && t->base != t->name ? count[t->layer]++ : global++] = t;
    }
    if (!m->n_vocab && m->tok_embd)
        m->n_vocab = (uint32_t)hwl_min(m->tok_embd->t->dims[1], UINT32_MAX);
    return HWL_OK;
}

const struct lc_tensor *hwl_lc_find(const struct lc_model *m, int32_t layer, const char *base)
{
    uint64_t from = m->first_global, to = m->n_tensors;
    if (layer >= 0 && (uint32_t)layer < m->n_layer_all) {
        from = m->layers[layer].first;
        to = from + m->layers[layer].n_tensors;
    }
    for (uint64_t i = from; i < to; i++)
        if (strcmp(m->by_layer[i]->base, base) == 0)
            return m->by_layer[i];
    return NULL;
}
