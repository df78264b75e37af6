/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a rank beside weights and cache: activations of the profile run, what lies outside torch, CUDA graphs.
 * The shapes follow gpu_model_runner.profile_run; the few coefficients were fitted to 28 start-ups of vLLM 0.19.0 on
 * H100 (tests/data/vllm/h100.txt), so other releases and cards carry wider bounds. */
#include "engine/vllm/budget.h"

#include "base/bytes.h"
#include "base/status.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)

/* The sampler's dummy run: logits in the model's type, their fp32 copy, sort values and 64-bit indexes with
 * temporaries. 12.5 bytes a logit beside the copy in the model's type; given in halves to stay whole. */
#define LOGIT_HALF_BYTES 25
#define FLOOR (46 * MIB) /* what torch's peak shows beside both shapes */

struct hwl_shard_run hwl_vllm_shard_run(const struct hwl_vllm_setup *setup, const struct hwl_settings *settings)
{
    return (struct hwl_shard_run){
        .engine = "vllm",
        .stage_first = setup->stage_first,
        .tp = setup->tp,
        .pp = setup->pp,
        .attention_tp = setup->tp,
        .embedding_tp = setup->tp,
        .expert_ranks = setup->tp * setup->dp, /* without expert parallelism data-parallel ranks split the width too */
        .ep = setup->ep,
        .redundant_experts = (uint32_t)hwl_min(hwl_opt_u64(settings, HWL_OPT_REDUNDANT_EXPERTS, 0), 65536),
        .cc = setup->cc,
        .dtype_bytes = setup->dtype_bytes,
        .rope_bytes = setup->dtype_bytes,
        .quant = hwl_opt_text(settings, HWL_OPT_QUANT, ""),
        .spec_method = setup->spec_method,
        .draft_layers = setup->draft_layers,
        .max_loras = setup->max_loras,
        .max_lora_rank = setup->max_lora_rank,
        .multimodal = setup->multimodal,
        .encoder_only = setup->encoder_only,
        .mla = setup->mla,
        .expanded = setup->expanded,
    };
}

/* Batch sizes that are captured: 1, 2, 4, then steps of 8 to 256 and of 16 beyond (config/compilation.py). */
static uint64_t captured(const struct hwl_model *m, const struct hwl_vllm_setup *u, const struct hwl_settings *s)
{
    const char *list = hwl_opt_text(s, HWL_OPT_CUDAGRAPH_SIZES, "");
    if (*list) {
        uint64_t n = 1;
        for (; *list; list++)
            n += *list == ',';
        return n;
    }
    /* gpt-oss asks for more (models/config.py GptOssForCausalLMConfig) */
    const uint64_t most = strcmp(m->arch, "gpt_oss") == 0 ? 1024 : 512;
    const uint64_t max =
        hwl_min(hwl_opt_u64(s, HWL_OPT_MAX_CUDAGRAPH_SIZE, hwl_min(most, hwl_min(2 * u->max_seqs, most))), 1 << 20);
    return 3 + hwl_min(max, 256) / 8 + (max > 256 ? (max - 256) / 16 : 0);
}

hwl_status hwl_vllm_measure_other(const struct hwl_model *model, const struct hwl_vllm_setup *setup,
                                  const struct hwl_shard_run *shards, const struct hwl_settings *settings,
                                  uint32_t stage, struct hwl_vllm_other *out, hwl_error *error)
{
    struct hwl_ck ck = {0};
    const uint64_t hidden_rows = hwl_ck_mul3(&ck, setup->mbt, model->hidden, setup->dtype_bytes);
    uint64_t peak = hwl_ck_mul3(&ck, setup->mbt, hwl_shard_forward_elements(model, shards, &ck), setup->dtype_bytes);
    if (stage + 1 == setup->pp && !setup->encoder_only) {
        const uint64_t logits = hwl_ck_mul(&ck, hwl_min(setup->max_seqs, setup->mbt), model->vocab);
        const uint64_t sampler =
            hwl_ck_add(&ck, hwl_ck_mul(&ck, logits, LOGIT_HALF_BYTES + 2 * setup->dtype_bytes) / 2, hidden_rows);
        peak = hwl_max(peak, sampler);
    }
    out->activation = hwl_ck_add(&ck, peak, FLOOR);
    /* embeddings of the largest batch of images are kept until they are used */
    if (setup->multimodal && !hwl_opt_flag(settings, HWL_OPT_SKIP_MM_PROFILING, false))
        out->activation = hwl_ck_add(&ck, out->activation, hidden_rows);
    /* one GPU: kernels and workspaces; tensor parallel: NCCL channels and the buffers of the custom all-reduce */
    out->non_torch = setup->tp > 1   ? (2110 + 30 * ((uint64_t)setup->tp - 2)) * MIB
                     : setup->pp > 1 ? 70 * MIB
                                     : 252 * MIB;
    out->context = (setup->tp * setup->pp > 1 ? 1560 : 520) * MIB; /* in use before the first snapshot */
    const uint64_t layers = setup->stage_first[stage + 1] - setup->stage_first[stage];
    out->graphs = 0;
    if (!setup->eager) { /* pools and launch data, fitted to 51 sizes: fixed, by layer, and by width */
        const uint64_t all = hwl_ck_add(&ck, 492 * MIB + hwl_ck_mul(&ck, layers, 4 * MIB),
                                        hwl_ck_mul3(&ck, layers, model->hidden / setup->tp, 2362));
        out->graphs = hwl_ck_mul(&ck, all, captured(model, setup, settings)) / 51;
    }
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "vllm: the activations are beyond 64 bits") : HWL_OK;
}
