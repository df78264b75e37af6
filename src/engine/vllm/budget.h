/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_VLLM_BUDGET_H
#define HWL_ENGINE_VLLM_BUDGET_H

#include "engine/shared/shard.h"
#include "engine/vllm/vllm.h"

struct hwl_shard_run hwl_vllm_shard_run(const struct hwl_vllm_setup *setup, const struct hwl_settings *settings);

/* A figure with the numbers that it was made of (hwl_entry: formula and args). */
struct hwl_vllm_term {
    uint64_t bytes;
    const char *formula;
    uint64_t args[HWL_ENTRY_ARGS];
};

/* What a rank holds beside weights and cache. Modelled. */
struct hwl_vllm_other {
    struct hwl_vllm_term activation; /* torch's peak in the profile run above what stays */
    uint64_t non_torch;              /* context growth, NCCL, workspaces outside torch */
    struct hwl_vllm_term graphs;     /* CUDA graphs, after capture */
    uint64_t context;                /* in use on the card before the engine's first snapshot */
};
hwl_status hwl_vllm_measure_other(const struct hwl_model *model, const struct hwl_vllm_setup *setup,
                                  const struct hwl_shard_run *shards, const struct hwl_settings *settings,
                                  uint32_t stage, struct hwl_vllm_other *out, hwl_error *error);

#endif
