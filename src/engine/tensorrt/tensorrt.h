/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_TENSORRT_TENSORRT_H
#define HWL_ENGINE_TENSORRT_TENSORRT_H

#include "engine/engine.h"
#include "engine/shared/shard.h"

#define HWL_TRT_MAX_STAGES 64
#define HWL_TRT_N_ARGS 34
extern const struct hwl_engine_arg hwl_trt_args[HWL_TRT_N_ARGS];

struct hwl_trt_rules {
    const char *version;
    bool mtp_ahead; /* MTP writes its drafted tokens ahead in the cache, as EAGLE-3 does */
};

/* A run of the PyTorch back end resolved (tensorrt_llm/llmapi/llm_args.py TorchLlmArgs). */
struct hwl_trt_setup {
    const struct hwl_trt_rules *rules;
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
    const char *spec_method; /* "", mtp, eagle3, draft_model, ngram */
    uint32_t draft_layers;   /* of the draft that live in the target's cache manager, on the last stage */
    const struct hwl_model *draft; /* with a cache manager of its own; NULL none */
    uint64_t draft_tokens, extra_tokens; /* a step; beyond max_seq_len in each request's cache */
    uint64_t state_bytes;    /* of an element of the recurrent state */
    bool recurrent, sparse;
    uint64_t max_loras, max_lora_rank;
    uint16_t stage_first[HWL_TRT_MAX_STAGES + 1];
};
hwl_status hwl_trt_resolve(const struct hwl_model *model, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, struct hwl_trt_setup *out, hwl_error *error);
/* --config FILE: what its fields say becomes settings. */
hwl_status hwl_trt_yaml(struct hwl_settings *s, const char *value, hwl_error *error);
/* One field of LlmArgs, by its path in the file: "kv_cache_config.dtype". */
hwl_status hwl_trt_field(struct hwl_settings *s, const char *name, const char *value, hwl_error *error);
/* How a draft is run: method, tokens, layers. draft: the opened draft model, or NULL. */
hwl_status hwl_trt_speculation(const struct hwl_model *model, const struct hwl_model *draft,
                               const struct hwl_settings *settings, struct hwl_trt_setup *setup, hwl_error *error);
/* Convolution windows and matrix states of a recurrent layer on a rank: one of each for every request of a batch, and
 * with speculation one for every drafted token more. */
uint64_t hwl_trt_states(const struct hwl_layer *layer, const struct hwl_trt_setup *setup, struct hwl_ck *ck);
/* A layer like which the draft's layers are cached: the model's first MTP layer, or its last one with attention. */
const struct hwl_layer *hwl_trt_draft_layer(const struct hwl_model *model);
/* Bytes of one token of a layer's cache on a rank; planned: as the manager counts it before it allocates. */
uint64_t hwl_trt_planned_row(const struct hwl_layer *layer, const struct hwl_trt_setup *setup, struct hwl_ck *ck);
uint64_t hwl_trt_row(const struct hwl_layer *layer, const struct hwl_trt_setup *setup, struct hwl_ck *ck);
/* Tokens of a pool for the bytes that are left on the fullest rank of each stage: whole blocks. available is what is
 * free beside weights and the peak of the profile run. */
uint64_t hwl_trt_tokens(const struct hwl_model *model, const struct hwl_trt_setup *setup, const uint64_t *available,
                        struct hwl_ck *ck);

#endif
