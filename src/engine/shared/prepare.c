/* SPDX-License-Identifier: Apache-2.0 */
/* A model made ready for a server: weights in the asked type, and layers that are alike found once. */
#include "arch/quantise.h"
#include "base/status.h"
#include "base/str.h"
#include "engine/shared/shard.h"

#include <string.h>

static bool same_tensor(const struct hwl_tensor *a, const struct hwl_tensor *b)
{
    return a->role == b->role && a->part == b->part && a->component == b->component && a->dtype == b->dtype &&
           a->n_dims == b->n_dims && a->count == b->count && a->bytes == b->bytes && a->elements == b->elements &&
           a->tied == b->tied && a->buffer == b->buffer && memcmp(a->dims, b->dims, sizeof a->dims) == 0;
}

/* The shapes that decide how a layer's weights are split. */
static bool same_shapes(const struct hwl_layer *a, const struct hwl_layer *b)
{
    const struct hwl_attention *x = &a->attn, *y = &b->attn;
    return a->mtp == b->mtp && a->encoder == b->encoder && x->n_heads == y->n_heads && x->n_kv_heads == y->n_kv_heads &&
           x->head_dim_k == y->head_dim_k && x->head_dim_v == y->head_dim_v && x->kv_lora_rank == y->kv_lora_rank &&
           x->qk_nope_dim == y->qk_nope_dim && x->output_gate == y->output_gate &&
           (x->kv_shared_with >= 0) == (y->kv_shared_with >= 0) &&
           a->ffn.n_experts == b->ffn.n_experts && a->ffn.d_expert == b->ffn.d_expert;
}

struct lists {
    uint64_t *first, *tensor; /* tensors of each layer, then those of none */
    uint32_t n_layers;
};

static hwl_status sort_tensors(const struct hwl_model *m, struct hwl_arena *arena, struct lists *l, hwl_error *error)
{
    const uint32_t n = m->n_layers + m->n_mtp + m->n_encoder;
    l->n_layers = n;
    l->first = HWL_NEW_ARRAY(arena, uint64_t, (uint64_t)n + 2);
    l->tensor = HWL_NEW_ARRAY(arena, uint64_t, m->n_tensors + 1);
    if (!l->first || !l->tensor)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    memset(l->first, 0, ((uint64_t)n + 2) * sizeof *l->first);
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const int32_t at = m->tensors[i].layer;
        l->first[(at >= 0 && (uint32_t)at < n ? (uint32_t)at : n) + 1]++;
    }
    for (uint32_t i = 0; i <= n; i++)
        l->first[i + 1] += l->first[i];
    for (uint64_t i = m->n_tensors; i-- > 0;) { /* from behind, so that first[] ends where it stood */
        const int32_t at = m->tensors[i].layer;
        l->tensor[--l->first[(at >= 0 && (uint32_t)at < n ? (uint32_t)at : n) + 1]] = i;
    }
    memmove(l->first, l->first + 1, ((uint64_t)n + 1) * sizeof *l->first);
    l->first[n + 1] = m->n_tensors;
    return HWL_OK;
}

static bool same_layer(const struct hwl_model *m, const struct lists *l, uint32_t a, uint32_t b)
{
    const uint64_t n = l->first[a + 1] - l->first[a];
    if (n != l->first[b + 1] - l->first[b] || !same_shapes(&m->layers[a], &m->layers[b]))
        return false;
    for (uint64_t i = 0; i < n; i++)
        if (!same_tensor(&m->tensors[l->tensor[l->first[a] + i]], &m->tensors[l->tensor[l->first[b] + i]]))
            return false;
    return true;
}

static hwl_status find_kinds(struct hwl_shard_prepared *p, struct hwl_arena *arena, hwl_error *error)
{
    struct lists l;
    HWL_TRY(sort_tensors(p->model, arena, &l, error));
    p->kind = HWL_NEW_ARRAY(arena, uint16_t, (uint64_t)l.n_layers + 1);
    p->layer = HWL_NEW_ARRAY(arena, uint32_t, (uint64_t)l.n_layers + 1);
    p->first = HWL_NEW_ARRAY(arena, uint64_t, (uint64_t)l.n_layers + 2);
    p->tensor = HWL_NEW_ARRAY(arena, uint64_t, p->model->n_tensors + 1);
    if (!p->kind || !p->layer || !p->first || !p->tensor)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (l.n_layers > 8192)
        return hwl_fail(error, HWL_E_LIMIT, "more than 8192 layers");
    uint64_t n = 0;
    for (uint32_t i = 0; i <= l.n_layers; i++) {
        uint32_t k = i < l.n_layers ? 0 : p->n_kinds;
        while (k < p->n_kinds && !same_layer(p->model, &l, i, p->layer[k]))
            k++;
        if (i < l.n_layers)
            p->kind[i] = (uint16_t)k;
        if (k < p->n_kinds)
            continue;
        p->first[k] = n;
        for (uint64_t t = l.first[i]; t < l.first[i + 1]; t++)
            p->tensor[n++] = l.tensor[t];
        p->first[k + 1] = n;
        if (i < l.n_layers)
            p->layer[p->n_kinds++] = i;
    }
    return HWL_OK;
}

hwl_status hwl_shard_prepare(const struct hwl_model *model, const struct hwl_settings *settings, struct hwl_arena *arena,
                             struct hwl_shard_prepared **out, hwl_error *error)
{
    struct hwl_shard_prepared *p = HWL_NEW(arena, struct hwl_shard_prepared);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    p->model = model;
    const char *quant = hwl_opt_text(settings, HWL_OPT_QUANT, "");
    if (*quant && !model->is_gguf && !(model->quant.method && *model->quant.method)) {
        struct hwl_model *packed;
        HWL_TRY(hwl_quantise(model, quant, arena, &packed, error));
        p->model = packed;
    }
    HWL_TRY(find_kinds(p, arena, error));
    *out = p;
    return HWL_OK;
}

hwl_status hwl_shard_prepare_only(const struct hwl_model *model, const char *version, const struct hwl_settings *settings,
                                  struct hwl_arena *arena, void **prepared, hwl_error *error)
{
    struct hwl_shard_prepared *p;
    (void)version;
    HWL_TRY(hwl_shard_prepare(model, settings, arena, &p, error));
    *prepared = p;
    return HWL_OK;
}

uint32_t hwl_shard_degree(const struct hwl_settings *settings, enum hwl_opt option)
{
    return (uint32_t)hwl_max(hwl_min(hwl_opt_u64(settings, option, 1), 4096), 1);
}

bool hwl_shard_dtype(const char *name, const char **full, uint64_t *bytes)
{
    static const struct {
        const char *name, *full;
        uint8_t bytes;
    } dtypes[] = {{"auto", "bfloat16", 2},     {"half", "float16", 2},  {"float16", "float16", 2},
                  {"bfloat16", "bfloat16", 2}, {"float", "float32", 4}, {"float32", "float32", 4}};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (hwl_text_eq_nocase(dtypes[i].name, name)) {
            *full = dtypes[i].full;
            *bytes = dtypes[i].bytes;
            return true;
        }
    return false;
}

hwl_status hwl_shard_adapters(const struct hwl_settings *settings, uint64_t default_count, uint64_t *count, uint64_t *rank,
                              hwl_error *error)
{
    if (hwl_opt_flag(settings, HWL_OPT_ENABLE_LORA, false)) {
        *count = hwl_opt_u64(settings, HWL_OPT_MAX_LORAS, default_count);
        *rank = hwl_opt_u64(settings, HWL_OPT_MAX_LORA_RANK, 16);
    }
    for (uint32_t i = 0; i < hwl_opt_list_n(settings, HWL_OPT_LORA); i++) {
        uint32_t r, n;
        HWL_TRY(hwl_opt_adapter(settings, i, &r, &n, error));
        *count += n;
        *rank = hwl_max(*rank, r);
    }
    return HWL_OK;
}
