/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of weights in memory, and the modules that a device map deals with. */
#include "engine/transformers/transformers.h"

#include "base/status.h"

#include <string.h>

bool hwl_tf_unpacks(const struct hwl_model *model, const struct hwl_devices *devices)
{
    const char *method = model->quant.method ? model->quant.method : "";
    const bool mxfp4 = strcmp(method, "mxfp4") == 0, fp8 = strcmp(method, "fp8") == 0;
    if ((!mxfp4 && !fp8) || !model->logical)
        return false;
    if (devices->n_gpus == 0)
        return fp8; /* MXFP4 has kernels for the CPU too */
    for (uint32_t i = 0; i < devices->n_gpus; i++) {
        const hwl_device *d = &devices->gpu[i];
        const uint32_t cc = d->compute_major * 10 + d->compute_minor;
        if (d->backend == HWL_BACKEND_CUDA && cc && cc < (mxfp4 ? 75u : 89u))
            return true;
    }
    return false;
}

/* bitsandbytes replaces nn.Linear: not embeddings, not the head, not norms, convolutions or bare parameters. Experts are
 * bare parameters of one tensor since 5.0 (integrations/bitsandbytes.py replace_with_bnb_linear). */
static bool quantises(const struct hwl_tensor *t, const struct hwl_tf_types *w)
{
    return t->part == HWL_PART_WEIGHT && t->n_dims >= 2 && t->layer >= 0 && t->component != HWL_COMP_NORM &&
           t->component != HWL_COMP_EMBEDDING && t->component != HWL_COMP_OUTPUT && t->role != HWL_ROLE_SSM_CONV &&
           t->role != HWL_ROLE_SSM_A && t->role != HWL_ROLE_ATTN_REL_BIAS && !(w->fused_experts && t->routed) &&
           !(w->fused_experts && t->role == HWL_ROLE_ROUTER);
}

uint64_t hwl_tf_tensor_bytes(const struct hwl_tensor *t, const struct hwl_tf_types *types, struct hwl_ck *ck)
{
    if (t->tied)
        return 0;
    const bool plain = t->dtype == HWL_DTYPE_F32 || t->dtype == HWL_DTYPE_F16 || t->dtype == HWL_DTYPE_BF16;
    if (!plain || t->buffer || !t->elements)
        return t->bytes;
    if (types->bits && quantises(t, types)) {
        const uint64_t columns = t->dims[t->n_dims - 1] ? t->dims[t->n_dims - 1] : 1;
        if (types->bits == 8) /* int8 rows with one fp32 scale each */
            return hwl_ck_add(ck, t->elements, hwl_ck_mul(ck, t->elements / columns, 4));
        /* nf4: an fp32 absmax for 64 elements, 16 code words of fp32 a matrix */
        const uint64_t scales = hwl_ck_mul(ck, hwl_div_ceil(t->elements, 64), 4);
        return hwl_ck_add(ck, hwl_div_ceil(t->elements, 2), hwl_ck_add(ck, scales, 64 * (uint64_t)(t->count ? t->count : 1)));
    }
    return types->cast ? hwl_ck_mul(ck, t->elements, types->dtype_bytes) : t->bytes;
}

uint32_t hwl_tf_module_of(const struct hwl_model *model, const struct hwl_tensor *t)
{
    if (t->layer >= 0 && (uint32_t)t->layer < model->n_layers)
        return 1 + (uint32_t)t->layer;
    if (t->role == HWL_ROLE_OUTPUT_NORM)
        return model->n_layers + 1;
    if (t->role == HWL_ROLE_OUTPUT || t->role == HWL_ROLE_CLASSIFIER)
        return model->n_layers + 2;
    return 0;
}

bool hwl_tf_loaded(const struct hwl_model *model, const struct hwl_tensor *t)
{
    return !hwl_tensor_is_mtp(model, t);
}

hwl_status hwl_tf_modules_of(const struct hwl_model *model, const struct hwl_tf_types *types, struct hwl_arena *arena,
                             struct hwl_tf_modules *out, struct hwl_ck *ck, hwl_error *error)
{
    uint64_t *bytes = HWL_NEW_ARRAY(arena, uint64_t, (uint64_t)model->n_layers + 3);
    if (!bytes)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    *out = (struct hwl_tf_modules){.bytes = bytes,
                                   .n = model->n_layers + 3,
                                   .first_layer = 1,
                                   .n_layers = model->n_layers,
                                   .tied = model->tied};
    for (uint64_t i = 0; i < model->n_tensors; i++) {
        const struct hwl_tensor *t = &model->tensors[i];
        if (!hwl_tf_loaded(model, t))
            continue;
        uint64_t *b = &bytes[hwl_tf_module_of(model, t)];
        *b = hwl_ck_add(ck, *b, hwl_tf_tensor_bytes(t, types, ck));
    }
    /* inverse frequencies, twice, in fp32: a buffer beside the last norm */
    for (uint32_t i = 0; i < model->n_layers; i++)
        if (model->layers[i].attn.n_heads) {
            const struct hwl_attention *a = &model->layers[i].attn;
            bytes[model->n_layers + 1] += 4 * (uint64_t)(a->qk_rope_dim ? a->qk_rope_dim : a->head_dim_k);
            break;
        }
    return HWL_OK;
}
