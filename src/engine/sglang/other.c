/* SPDX-License-Identifier: Apache-2.0 */
/* What a rank holds beside weights and pools. It lies in the part that the static fraction leaves free and is measured
 * by no dummy run; the few coefficients are from start-up logs (tests/data/sglang/logs.txt). */
#include "engine/sglang/sglang.h"

#include "base/bytes.h"
#include "base/status.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)
/* Latent and gated-delta-net kernels set up workspaces in their first call, which is the capture: 1.26, 1.38, 1.66 and
 * 0.58 GiB seen, the sizes taken off. */
#define FIRST_CALL (1149 * MIB)
#define PREFILL_GRAPH (8 * MIB) /* the engine's own figure, memory_hook.py reserve_for_graph_mb */

hwl_status hwl_sglang_measure_other(const struct hwl_model *model, const struct hwl_sglang_setup *setup,
                                    const struct hwl_shard_run *shards, const struct hwl_sglang_pools *pools,
                                    struct hwl_sglang_other *out, hwl_error *error)
{
    struct hwl_ck ck = {0};
    hwl_shard_runtime(shards, &out->context, &out->distributed);
    /* ReqToTokenPool: int32 for each place of each request, one row of padding */
    const uint64_t places = hwl_ck_add(&ck, setup->context, 4 + (uint64_t)setup->draft_tokens);
    out->requests = hwl_ck_mul3(&ck, pools->requests + 1, places, 4);
    bool first_call = setup->mla;
    for (uint32_t i = 0; i < model->n_layers; i++)
        first_call = first_call || model->layers[i].mixer == HWL_MIXER_GATED_DELTA_NET ||
                     model->layers[i].mixer == HWL_MIXER_KDA;
    if (setup->n_decode_graphs)
        out->decode_graphs =
            hwl_ck_add(&ck, hwl_shard_graphs(setup->n_decode_graphs, &ck), first_call ? FIRST_CALL : 0);
    out->prefill_graphs = hwl_ck_mul(&ck, setup->n_prefill_graphs, PREFILL_GRAPH);
    const uint64_t step = setup->chunk ? setup->chunk : hwl_max(setup->max_prefill, setup->context);
    const uint64_t forward =
        hwl_ck_mul3(&ck, step, hwl_shard_forward_elements(model, shards, &ck), setup->dtype_bytes);
    /* logits of the last token of each request, in the model's type and in fp32 */
    const uint64_t rows = setup->encoder_only ? 0 : hwl_min(setup->max_bs ? setup->max_bs : 1, pools->requests);
    const uint64_t logits = hwl_ck_mul3(&ck, rows, model->vocab, setup->dtype_bytes + 4);
    out->activation = hwl_max(forward, logits);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "sglang: the activations are beyond 64 bits") : HWL_OK;
}
