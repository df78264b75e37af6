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

/* Widest point of a forward pass, elements of the model's type a token: gate, up and their product, or an expert
 * layer's buffers, beside the residual and the normed copies. */
static uint64_t forward_elements(const struct hwl_model *m, const struct hwl_vllm_setup *u, struct hwl_ck *ck)
{
    uint64_t widest = 0;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *l = &m->layers[i];
        const uint64_t tp = u->tp;
        uint64_t w = l->ffn.d_ff / tp * (l->ffn.gated ? 3 : 2);
        if (l->ffn.n_experts) {
            const uint64_t width = u->ep ? l->ffn.d_expert : l->ffn.d_expert / (tp * u->dp);
            /* fused_moe: two workspaces over tokens x experts of a token, and the shared experts */
            const uint64_t routed = hwl_ck_mul(
                ck, l->ffn.n_experts_used, hwl_ck_add(ck, hwl_max(2 * width, m->hidden), hwl_max(width, m->hidden)));
            w = hwl_max(w, hwl_ck_add(ck, routed, l->ffn.d_shared / tp * 3));
        }
        const struct hwl_attention *a = &l->attn;
        const uint64_t heads = (uint64_t)a->n_heads / tp * ((uint64_t)a->head_dim_k + a->head_dim_v) +
                               (uint64_t)hwl_vllm_kv_heads(l, u) * ((uint64_t)a->head_dim_k + a->head_dim_v);
        w = hwl_max(w, a->n_heads ? heads : 0);
        if (l->state.conv_dim || l->state.d_inner)
            w = hwl_max(w, 3 * hwl_max(l->state.conv_dim, l->state.d_inner) / tp);
        widest = hwl_max(widest, w);
    }
    /* 4.25 hidden rows: residual, hidden, normed copy, output; two more where another stage sends or receives them */
    const uint64_t rows = hwl_ck_mul(ck, m->hidden, u->pp > 1 ? 25 : 17) / 4;
    return hwl_ck_add(ck, widest, rows);
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
                                  const struct hwl_settings *settings, uint32_t stage, struct hwl_vllm_other *out,
                                  hwl_error *error)
{
    struct hwl_ck ck = {0};
    const uint64_t hidden_rows = hwl_ck_mul3(&ck, setup->mbt, model->hidden, setup->dtype_bytes);
    uint64_t peak = hwl_ck_mul3(&ck, setup->mbt, forward_elements(model, setup, &ck), setup->dtype_bytes);
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
