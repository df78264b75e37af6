/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_VLLM_PROFILE_H
#define HWL_ENGINE_VLLM_PROFILE_H

#include "engine/shared/shard.h"
#include "engine/vllm/vllm.h"

/* The forward pass at its widest: bytes = tokens x row_bytes + fixed. */
struct hwl_vllm_forward {
    uint64_t bytes, row_bytes, fixed;
    uint64_t workspace; /* part of it that outlives the pass */
    uint64_t timing;    /* the buffer that flushes the cache before a kernel is timed; part of fixed where it counts */
};
struct hwl_vllm_forward hwl_vllm_forward(const struct hwl_model *model, const struct hwl_vllm_setup *setup,
                                         const struct hwl_shard_run *run, uint32_t stage, struct hwl_ck *ck);

/* A vision tower's run: its peak, and what it leaves to the end of the profile run, the embeddings and the pixels that the frame
 * of profile_run holds. */
struct hwl_vllm_tower {
    uint64_t kept, peak;
    uint64_t tokens, row; /* of the tower; elements that live of each */
};
struct hwl_vllm_tower hwl_vllm_tower(const struct hwl_model *model, const struct hwl_vllm_setup *setup, struct hwl_ck *ck);

#endif
