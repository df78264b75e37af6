/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that a PyTorch server takes whatever the model: fitted to start-up logs (tests/data/sglang/logs.txt). */
#include "engine/shared/shard.h"

#define MIB ((uint64_t)1 << 20)
/* Total less free at "Load weight begin" on one GPU: 0.76 (80 GB), 0.72 (RTX A6000), 0.51 GiB (H200, communicators
 * aside). */
#define CONTEXT (680 * MIB)
/* "Init torch distributed ends. mem usage": 2.01 GiB with NVLink and the custom all-reduce (8 x H200), 0.39 without
 * (4 x SM120), 0.16 between stages. */
#define LINKED (2058 * MIB)
#define UNLINKED (400 * MIB)
#define STAGES (164 * MIB)
/* "Capture cuda graph end. mem usage": 0.07, 0.09 and 0.60 GiB for 3, 4 and 52 sizes. */
#define GRAPHS (40 * MIB)
#define GRAPH (11 * MIB)

void hwl_shard_runtime(const struct hwl_shard_run *run, uint64_t *context, uint64_t *communicators)
{
    *context = CONTEXT;
    const bool linked = run->cc == 80 || run->cc == 90 || run->cc / 10 == 10 || run->cc == 0; /* data-centre cards */
    *communicators = run->tp > 1 ? (linked ? LINKED : UNLINKED) : run->pp > 1 ? STAGES : 0;
}

uint64_t hwl_shard_graphs(uint64_t sizes, struct hwl_ck *ck)
{
    return sizes ? hwl_ck_add(ck, GRAPHS, hwl_ck_mul(ck, sizes, GRAPH)) : 0;
}
