/* SPDX-License-Identifier: Apache-2.0 */
/* What a rank holds beside weights and pools. It lies in the part that the static fraction leaves free and is measured
 * by no dummy run; the few coefficients are from start-up logs (tests/data/sglang/logs.txt). */
#include "engine/sglang/sglang.h"

#include "base/bytes.h"
#include "base/status.h"

#include <string.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
/* Captured decoding, fitted (test_sglang.c): what a stream's libraries set up once, the executable graph of each layer and size,
 * what communicators set up in their first captured call, workspaces of the first call of latent kernels, and, where free
 * memory is the host's too, what the host spends while it captures. The logits of the largest batch, in the model's type
 * and in float32, stay in the graphs' pool. */
#define GRAPH_BASE (69 * MIB)
#define GRAPH_LAYER (50 * KIB)
#define GRAPH_COMMUNICATION (523 * MIB)
#define FIRST_LATENT (871 * MIB)
#define FIRST_SHARED (1308 * MIB)

/* Cards whose free memory is the host's (psutil's available): Xavier, Orin, Thor, GB10. */
static bool shares_memory(unsigned cc)
{
    return cc == 72 || cc == 87 || cc == 110 || cc == 121;
}

static uint64_t decode_graphs(const struct hwl_model *model, const struct hwl_sglang_setup *u, uint64_t slots, struct hwl_ck *ck)
{
    uint64_t bytes =
        GRAPH_BASE + (u->tp > 1 ? GRAPH_COMMUNICATION : 0) + (u->mla ? FIRST_LATENT : 0) + (shares_memory(u->cc) ? FIRST_SHARED : 0);
    const uint64_t layers = hwl_div_ceil(model->n_layers, u->pp);
    bytes = hwl_ck_add(ck, bytes, hwl_ck_mul3(ck, hwl_sglang_captured(u, slots), layers, GRAPH_LAYER));
    const uint64_t rows = hwl_ck_mul(ck, hwl_min(u->max_bs, slots), *u->spec_method ? u->draft_tokens : 1);
    return hwl_ck_add(ck, bytes, hwl_ck_mul3(ck, rows, model->vocab, u->dtype_bytes + 4));
}

hwl_status hwl_sglang_measure_other(const struct hwl_model *model, const struct hwl_sglang_setup *setup, const struct hwl_shard_run *shards,
                                    const struct hwl_sglang_pools *pools, struct hwl_sglang_other *out, hwl_error *error)
{
    struct hwl_ck ck = {0};
    hwl_shard_runtime(shards, &out->context, &out->distributed);
    /* ReqToTokenPool: int32 for each place of each request, one row of padding */
    const uint64_t places = hwl_ck_add(&ck, setup->context, 4 + (uint64_t)setup->draft_tokens);
    out->requests = hwl_ck_mul3(&ck, pools->slots + 1, places, 4);
    if (setup->n_decode_graphs)
        out->decode_graphs = decode_graphs(model, setup, pools->slots, &ck);
    const uint64_t layers = hwl_div_ceil(model->n_layers, setup->pp);
    out->prefill_graphs = hwl_ck_mul(&ck, hwl_ck_mul3(&ck, setup->n_prefill_graphs, layers, model->hidden), HWL_SGLANG_PIECE);
    const uint64_t step = setup->chunk ? setup->chunk : hwl_max(setup->max_prefill, setup->context);
    const uint64_t forward = hwl_ck_mul3(&ck, step, hwl_shard_forward_elements(model, shards, &ck), setup->dtype_bytes);
    /* logits of the last token of each request, in the model's type and in fp32 */
    const uint64_t rows = setup->encoder_only ? 0 : hwl_min(setup->max_bs ? setup->max_bs : 1, pools->requests);
    const uint64_t logits = hwl_ck_mul3(&ck, rows, model->vocab, setup->dtype_bytes + 4);
    out->activation = hwl_max(forward, logits);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "sglang: the activations are beyond 64 bits") : HWL_OK;
}
