/* SPDX-License-Identifier: Apache-2.0 */
/* Speculative decoding and recurrent states. After tensorrt_llm/_torch/speculative/utils.py (get_num_spec_layers,
 * get_num_extra_kv_tokens) and pyexecutor/mamba_cache_manager.py, 1.2. */
#include "engine/tensorrt/tensorrt.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <string.h>

const struct hwl_layer *hwl_trt_draft_layer(const struct hwl_model *model)
{
    if (model->n_mtp)
        return &model->layers[model->n_layers];
    for (uint32_t i = model->n_layers; i-- > 0;)
        if (model->layers[i].attn.n_heads)
            return &model->layers[i];
    return NULL;
}

hwl_status hwl_trt_speculation(const struct hwl_model *model, const struct hwl_model *draft,
                               const struct hwl_settings *settings, struct hwl_trt_setup *setup, hwl_error *error)
{
    const char *name = hwl_opt_text(settings, HWL_OPT_DRAFT, "");
    const char *method = hwl_opt_text(settings, HWL_OPT_SPEC_METHOD, *name ? (hwl_text_holds(name, "eagle3") ? "eagle3" : "draft_model") : "");
    if (strcmp(method, "draft_target") == 0)
        method = "draft_model";
    if (!*method)
        return HWL_OK;
    if (!hwl_words_have("mtp eagle3 draft_model ngram", method))
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "tensorrt-llm: speculation '%s' is not modelled; mtp, eagle3, draft_model and ngram are", method);
    const bool mtp = strcmp(method, "mtp") == 0, eagle = strcmp(method, "eagle3") == 0;
    if (mtp && !model->n_mtp)
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: %s has no layers for multi-token prediction", model->arch);
    if (strcmp(method, "draft_model") == 0 && !draft)
        return hwl_fail(error, HWL_E_NOT_FOUND, "tensorrt-llm: draft_model wants a draft model (--draft)");
    if (!mtp && !hwl_opt_has(settings, HWL_OPT_DRAFT_MAX))
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: max_draft_len is not given (--draft-max)");
    setup->spec_method = method;
    setup->draft_tokens = hwl_min(hwl_opt_u64(settings, HWL_OPT_DRAFT_MAX, 1), 1024);
    if (setup->draft_tokens == 0)
        return hwl_fail(error, HWL_E_REFUSED, "tensorrt-llm refuses: a draft of no tokens");
    setup->draft = mtp || strcmp(method, "ngram") == 0 ? NULL : draft;
    /* one model: num_nextn_predict_layers, or the head of EAGLE-3; its cache lies in the target's manager */
    setup->draft_layers = mtp ? (uint32_t)setup->draft_tokens : eagle && !draft ? 1 : 0;
    /* a drafted token each, and what the head writes ahead of the target */
    setup->extra_tokens = setup->draft_tokens + ((mtp && setup->rules->mtp_ahead) || eagle ? setup->draft_tokens - 1 : 0);
    return HWL_OK;
}

uint64_t hwl_trt_states(const struct hwl_layer *layer, const struct hwl_trt_setup *setup, struct hwl_ck *ck)
{
    const struct hwl_state *s = &layer->state;
    if (!s->ssm_elems || !s->n_heads || !s->d_conv || (layer->mixer != HWL_MIXER_MAMBA2 && layer->mixer != HWL_MIXER_GATED_DELTA_NET))
        return 0;
    const uint64_t window = hwl_ck_mul3(ck, s->conv_dim / setup->attention_tp, s->d_conv - 1, setup->dtype_bytes);
    const uint64_t matrix = hwl_ck_mul(ck, s->ssm_elems / setup->attention_tp, setup->state_bytes);
    const uint64_t each = hwl_ck_add(ck, window, matrix);
    /* intermediate states of the drafted tokens and the one behind them */
    const uint64_t copies = 1 + (*setup->spec_method ? setup->draft_tokens + 1 : 0);
    return hwl_ck_mul3(ck, each, copies, setup->max_batch);
}
