/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_TENSORRT_TENSORRT_H
#define HWL_ENGINE_TENSORRT_TENSORRT_H

#include "engine/engine.h"
#include "engine/shared/shard.h"

#define HWL_TRT_MAX_STAGES 64
#define HWL_TRT_N_ARGS 34
extern const struct hwl_engine_arg hwl_trt_args[HWL_TRT_N_ARGS];

/* A run of the PyTorch back end resolved (tensorrt_llm/llmapi/llm_args.py TorchLlmArgs). */
struct hwl_trt_setup {
    const hwl_device *card;
    uint32_t cc, tp, pp, attention_tp;
    bool ep, attention_dp, mla, encoder_only, multimodal;
    const char *dtype, *kv_type;
    uint64_t dtype_bytes;
    uint8_t kv_bits, kv_group; /* 0: the model's type; elements that share a scale of one byte */
    uint64_t context;          /* max_seq_len */
    uint64_t max_batch, max_tokens, block;
    uint64_t n_graphs;
    double fraction;
    uint64_t kv_tokens; /* kv_cache_config.max_tokens; 0: none */
    uint64_t kv_bytes;  /* kv_cache_config.max_gpu_total_bytes; 0: none */
    const char *spec_method;
    uint32_t draft_layers;
    uint64_t max_loras, max_lora_rank;
    uint16_t stage_first[HWL_TRT_MAX_STAGES + 1];
};
hwl_status hwl_trt_resolve(const struct hwl_model *model, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, struct hwl_trt_setup *out, hwl_error *error);
/* Bytes of one token of a layer's cache on a rank. */
uint64_t hwl_trt_row(const struct hwl_layer *layer, const struct hwl_trt_setup *setup, struct hwl_ck *ck);
/* Tokens of a pool for the bytes that are left on the fullest rank of each stage: whole blocks. available is what is
 * free beside weights and the peak of the profile run. */
uint64_t hwl_trt_tokens(const struct hwl_model *model, const struct hwl_trt_setup *setup, const uint64_t *available,
                        struct hwl_ck *ck);

#endif
