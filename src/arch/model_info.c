/* SPDX-License-Identifier: Apache-2.0 */
/* What the public interface tells about an opened model. */
#include "arch/model.h"

#include <stdlib.h>
#include <string.h>

void hwl_model_free(hwl_model *model)
{
    if (!model)
        return;
    if (model->release)
        model->release(model->owned);
    struct hwl_arena arena = model->arena;
    hwl_arena_free(&arena);
    free(model);
}

static const char *text(const char *s)
{
    return s ? s : "";
}

void hwl_model_get_info(const hwl_model *model, hwl_model_info *out)
{
    struct hwl_model_sums sums = {0};
    memset(out, 0, sizeof *out);
    if (hwl_model_sum(model, &sums, NULL) != HWL_OK) /* opening has refused such a model */
        memset(&sums, 0, sizeof sums);
    out->name = text(model->name);
    out->architecture = text(model->arch);
    out->source = text(model->source);
    out->form = text(model->form);
    out->parameters = sums.parameters;
    out->active_parameters = sums.active;
    out->weights_bytes = sums.bytes;
    out->n_tensors = sums.n_tensors;
    out->mtp_parameters = sums.mtp_parameters;
    out->mtp_bytes = sums.mtp_bytes;
    out->stored_elements = sums.stored_elements;
    out->stored_bytes = sums.stored_bytes;
    out->context_train = model->context_train;
    out->hidden = model->hidden;
    out->vocabulary = model->vocab;
    out->n_layers = model->n_layers;
    out->n_mtp_layers = model->n_mtp;
    out->generic = model->generic;
}

bool hwl_model_get_layer(const hwl_model *model, uint32_t index, hwl_layer_info *out)
{
    if (index >= (uint64_t)model->n_layers + model->n_mtp + model->n_encoder)
        return false;
    const struct hwl_layer *layer = &model->layers[index];
    memset(out, 0, sizeof *out);
    out->mixer = (hwl_mixer)layer->mixer;
    out->feed_forward = (hwl_feed_forward)layer->feed_forward;
    out->window = layer->attn.window;
    struct hwl_ck ck = {false};
    out->kv_bytes_per_token = hwl_ck_mul(&ck, hwl_layer_kv_elements(layer), 2);
    out->state_bytes = hwl_ck_add(&ck, hwl_ck_mul(&ck, hwl_layer_conv_elements(layer), 2),
                                  hwl_ck_mul(&ck, hwl_layer_ssm_elements(layer), 4));
    for (uint64_t i = 0; i < model->n_tensors; i++)
        if (model->tensors[i].layer == (int32_t)index && !model->tensors[i].tied) {
            out->parameters = hwl_ck_add(&ck, out->parameters, model->tensors[i].elements);
            out->bytes = hwl_ck_add(&ck, out->bytes, model->tensors[i].bytes);
        }
    return true;
}

const char *hwl_mixer_name(hwl_mixer mixer)
{
    static const char *const names[HWL_MIXER_COUNT] = {
        [HWL_MIXER_NONE] = "none",
        [HWL_MIXER_FULL] = "full",
        [HWL_MIXER_SLIDING] = "sliding",
        [HWL_MIXER_CHUNKED] = "chunked",
        [HWL_MIXER_MLA] = "mla",
        [HWL_MIXER_SPARSE] = "sparse",
        [HWL_MIXER_MAMBA] = "mamba",
        [HWL_MIXER_MAMBA2] = "mamba2",
        [HWL_MIXER_GATED_DELTA_NET] = "gated_delta_net",
        [HWL_MIXER_KDA] = "kda",
        [HWL_MIXER_RWKV] = "rwkv",
        [HWL_MIXER_SHORT_CONV] = "short_conv",
        [HWL_MIXER_LINEAR] = "linear",
    };
    return (unsigned)mixer < HWL_MIXER_COUNT ? names[mixer] : "";
}

const char *hwl_feed_forward_name(hwl_feed_forward feed_forward)
{
    static const char *const names[HWL_FFN_COUNT] = {
        [HWL_FFN_NONE] = "none",
        [HWL_FFN_DENSE] = "dense",
        [HWL_FFN_MOE] = "moe",
    };
    return (unsigned)feed_forward < HWL_FFN_COUNT ? names[feed_forward] : "";
}

bool hwl_model_get_type(const hwl_model *model, uint32_t index, const char **type, uint64_t *bytes)
{
    uint64_t sum[HWL_DTYPE_COUNT] = {0};
    for (uint64_t i = 0; i < model->n_tensors; i++)
        if (!model->tensors[i].tied && model->tensors[i].dtype < HWL_DTYPE_COUNT)
            sum[model->tensors[i].dtype] += model->tensors[i].bytes; /* the whole sum was checked at opening */
    for (unsigned d = 0; d < HWL_DTYPE_COUNT; d++)
        if (sum[d] && index-- == 0) {
            *type = hwl_dtype((enum hwl_dtype)d)->name;
            *bytes = sum[d];
            return true;
        }
    return false;
}

bool hwl_model_get_fact(const hwl_model *model, uint32_t index, hwl_fact *out)
{
    if (index >= model->n_facts)
        return false;
    *out = model->facts[index];
    return true;
}
