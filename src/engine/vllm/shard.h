/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_VLLM_SHARD_H
#define HWL_ENGINE_VLLM_SHARD_H

#include "engine/vllm/vllm.h"

/* Weights of one rank of a stage, by component; the rank that holds most where experts do not divide. */
struct hwl_vllm_weights {
    uint64_t component[HWL_COMP_COUNT];
    uint64_t total;
};
/* out: [setup->pp]. quant: a method that vLLM applies while loading ("fp8", "bitsandbytes"), "" as stored. */
hwl_status hwl_vllm_shard(const struct hwl_model *model, const struct hwl_vllm_setup *setup, const char *quant,
                          uint32_t redundant_experts, struct hwl_vllm_weights *out, hwl_error *error);

#endif
