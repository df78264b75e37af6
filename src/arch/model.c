/* SPDX-License-Identifier: Apache-2.0 */
/* The neutral model: its growing lists, its sums, and what one layer keeps per token and per sequence. */
#include "arch/model.h"

#include "base/bytes.h"
#include "base/status.h"

struct hwl_tensor *hwl_model_add_tensor(struct hwl_model *model)
{
    struct hwl_tensor *list = hwl_arena_grow(&model->arena, model->tensors, &model->cap_tensors, model->n_tensors + 1, sizeof *list);
    if (!list)
        return NULL;
    model->tensors = list;
    struct hwl_tensor *t = &list[model->n_tensors++];
    *t = (struct hwl_tensor){.name = "", .layer = -1, .count = 1};
    return t;
}

void hwl_model_add_fact(struct hwl_model *model, const char *key, const char *value, const char *origin)
{
    hwl_fact *list = hwl_arena_grow(&model->arena, model->facts, &model->cap_facts, model->n_facts + 1, sizeof *list);
    if (!list)
        return; /* a fact is a remark: a model without it is whole */
    model->facts = list;
    const char *k = hwl_arena_str(&model->arena, key), *v = hwl_arena_str(&model->arena, value);
    const char *o = hwl_arena_str(&model->arena, origin);
    if (k && v && o)
        list[model->n_facts++] = (hwl_fact){k, v, o};
}

/* Layer of a tensor whose experts are routed: how many of how many a token uses. */
static void share(const struct hwl_model *model, const struct hwl_tensor *t, uint64_t *used, uint64_t *of)
{
    const uint64_t n = (uint64_t)model->n_layers + model->n_mtp + model->n_encoder;
    *used = *of = 1;
    if (!t->routed || t->layer < 0 || (uint64_t)t->layer >= n || !model->layers)
        return;
    const struct hwl_ffn *f = &model->layers[t->layer].ffn;
    if (f->n_experts && f->n_experts_used <= f->n_experts) {
        *used = f->n_experts_used;
        *of = f->n_experts;
    }
}

hwl_status hwl_model_sum(const struct hwl_model *model, struct hwl_model_sums *out, hwl_error *error)
{
    struct hwl_model_sums s = {0};
    struct hwl_ck ck = {false};
    for (uint64_t i = 0; i < model->n_tensors; i++) {
        const struct hwl_tensor *t = &model->tensors[i];
        uint64_t used, of, shape = t->tied ? 0 : t->count;
        for (unsigned d = 0; d < t->n_dims; d++)
            shape = hwl_ck_mul(&ck, shape, t->dims[d]);
        s.stored_elements = hwl_ck_add(&ck, s.stored_elements, shape);
        s.stored_bytes = hwl_ck_add(&ck, s.stored_bytes, t->bytes);
        if (hwl_tensor_is_mtp(model, t)) {
            s.mtp_parameters = hwl_ck_add(&ck, s.mtp_parameters, t->elements);
            s.mtp_bytes = hwl_ck_add(&ck, s.mtp_bytes, t->bytes);
            continue;
        }
        share(model, t, &used, &of);
        s.parameters = hwl_ck_add(&ck, s.parameters, t->elements);
        s.active = hwl_ck_add(&ck, s.active, hwl_ck_mul(&ck, t->elements / of, used));
        s.bytes = hwl_ck_add(&ck, s.bytes, t->bytes);
        s.n_tensors = hwl_ck_add(&ck, s.n_tensors, t->tied ? 0 : t->count);
    }
    if (ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "the sum of all tensors exceeds 64 bits");
    *out = s;
    return HWL_OK;
}

uint64_t hwl_layer_kv_elements(const struct hwl_layer *layer)
{
    const struct hwl_attention *a = &layer->attn;
    if (!a->n_heads || a->kv_shared_with >= 0 || a->cross || !a->causal)
        return 0;
    if (a->kv_lora_rank) /* the latent row and the rotated key that all heads share */
        return (uint64_t)a->kv_lora_rank + a->qk_rope_dim;
    return (uint64_t)a->n_kv_heads * ((uint64_t)a->head_dim_k + a->head_dim_v);
}

uint64_t hwl_layer_conv_elements(const struct hwl_layer *layer)
{
    const struct hwl_state *s = &layer->state;
    struct hwl_ck ck = {false};
    return hwl_ck_add(&ck, hwl_ck_mul(&ck, s->d_conv ? s->d_conv - 1u : 0u, s->conv_dim), s->shift_dim);
}

uint64_t hwl_layer_ssm_elements(const struct hwl_layer *layer)
{
    return layer->state.ssm_elems;
}
