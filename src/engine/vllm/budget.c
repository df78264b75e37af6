/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a rank beside weights and cache: activations of the profile run, what lies outside torch, CUDA graphs. */
#include "engine/vllm/budget.h"

#include "base/bytes.h"
#include "base/status.h"

hwl_status hwl_vllm_measure_other(const struct hwl_model *model, const struct hwl_vllm_setup *setup, const struct hwl_settings *settings,
                                  uint32_t stage, struct hwl_vllm_other *out, hwl_error *error)
{
    (void)settings;
    struct hwl_ck ck = {0};
    const uint64_t vocab = stage + 1 == setup->pp ? model->vocab : 0;
    out->activation = hwl_ck_add(&ck, hwl_ck_mul4(&ck, setup->mbt, model->hidden, 4, setup->dtype_bytes),
                                 hwl_ck_mul3(&ck, hwl_min(setup->max_seqs, setup->mbt), vocab, 6));
    out->non_torch = (uint64_t)150 << 20;
    out->graphs = setup->eager ? 0 : (uint64_t)300 << 20;
    out->context = 0;
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "vllm: the activations are beyond 64 bits") : HWL_OK;
}
