/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_SHARED_PUT_H
#define HWL_ENGINE_SHARED_PUT_H

#include "engine/shared/shard.h"
#include "ledger/ledger.h"

struct hwl_shard_put {
    const char *source, *offload_source;
    uint64_t offload; /* bytes of a rank that stay in host memory */
    uint16_t host;    /* index of the host among the devices */
    float error;
};
/* Bytes of a rank of the stage that really go to the host where so many are asked for. */
uint64_t hwl_shard_offloaded(const struct hwl_shard_prepared *prepared, const struct hwl_shard_run *run,
                             uint64_t (*by_kind)[HWL_COMP_COUNT], uint32_t stage, uint64_t bytes);
/* Entries of a rank of the stage: one for each component of each layer, and one for each of what lies in none.
 * weights and by_kind are what hwl_shard_weights said. */
void hwl_shard_put_weights(struct hwl_ledger *ledger, const struct hwl_shard_prepared *prepared,
                           const struct hwl_shard_run *run, const struct hwl_shard_weights *weights,
                           uint64_t (*by_kind)[HWL_COMP_COUNT], uint32_t stage, uint16_t device,
                           const struct hwl_shard_put *how);

#endif
