/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of a rank as entries, layer by layer, with what is kept in host memory. */
#include "engine/shared/put.h"

/* --cpu-offload-gb of vLLM and SGLang takes the parameters of the layers from the first on (vLLM
 * model_executor/models/utils.py maybe_offload_to_cpu). take: what may still go; returns what of bytes goes. */
static uint64_t offload(uint64_t *take, uint64_t bytes)
{
    const uint64_t part = hwl_min(*take, bytes);
    *take -= part;
    return part;
}

uint64_t hwl_shard_offloaded(const struct hwl_shard_prepared *prepared, const struct hwl_shard_run *run,
                             uint64_t (*by_kind)[HWL_COMP_COUNT], uint32_t stage, uint64_t bytes)
{
    uint64_t take = bytes;
    for (uint32_t i = run->stage_first[stage]; i < run->stage_first[stage + 1] && take; i++)
        for (int c = 0; c < HWL_COMP_COUNT; c++)
            (void)offload(&take, by_kind[prepared->kind[i]][c]);
    return bytes - take;
}

void hwl_shard_put_weights(struct hwl_ledger *ledger, const struct hwl_shard_prepared *prepared,
                           const struct hwl_shard_run *run, const struct hwl_shard_weights *weights,
                           uint64_t (*by_kind)[HWL_COMP_COUNT], uint32_t stage, uint16_t device,
                           const struct hwl_shard_put *how)
{
    const struct hwl_model *m = prepared->model;
    const uint32_t all = m->n_layers + m->n_mtp + m->n_encoder;
    struct hwl_shard_weights rest = *weights;
    uint64_t take = how->offload;
    for (uint32_t i = 0; i < all; i++) {
        if (hwl_shard_stage(m, run, i) != stage || !hwl_shard_has(m, run, i))
            continue;
        const uint64_t *bytes = by_kind[prepared->kind[i]];
        for (int c = 0; c < HWL_COMP_COUNT; c++) {
            if (!bytes[c])
                continue;
            rest.component[c] -= bytes[c];
            const uint64_t host = i < m->n_layers ? offload(&take, bytes[c]) : 0;
            if (host) {
                hwl_entry *e = hwl_ledger_put(ledger, how->host, (int32_t)i, HWL_KIND_WEIGHTS, (hwl_component)c, host,
                                              HWL_BASIS_MODELLED, how->offload_source);
                e->memory = HWL_MEMORY_PINNED;
                e->error = how->error;
            }
            hwl_ledger_put(ledger, device, (int32_t)i, HWL_KIND_WEIGHTS, (hwl_component)c, bytes[c] - host,
                           HWL_BASIS_MODELLED, how->source)
                ->error = how->error;
        }
    }
    for (int c = 0; c < HWL_COMP_COUNT; c++)
        if (rest.component[c])
            hwl_ledger_put(ledger, device, -1, HWL_KIND_WEIGHTS, (hwl_component)c, rest.component[c],
                           HWL_BASIS_MODELLED, how->source)
                ->error = how->error;
}
