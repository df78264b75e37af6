/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_TENSORRT_TENSORRT_H
#define HWL_ENGINE_TENSORRT_TENSORRT_H

#include "engine/engine.h"
#include "engine/shared/shard.h"

#define HWL_TRT_MAX_STAGES 64
#define HWL_TRT_MAX_WINDOWS 64
#define HWL_TRT_N_ARGS 34
extern const struct hwl_engine_arg hwl_trt_args[HWL_TRT_N_ARGS];

struct hwl_trt_rules {
    const char *version;
    bool yaml_replaces; /* kv_cache_config of the YAML file replaces what the command line says of the cache, all of it */
    bool four_loras;    /* LoraConfig.max_loras is 4, not unknown */
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
    uint64_t host_cache; /* kv_cache_config.host_cache_size of a rank */
    uint64_t length;     /* most tokens of a request in the cache: max_seq_len and what runs ahead */
    uint64_t windows[HWL_TRT_MAX_WINDOWS]; /* kv_cache_config.max_attention_window, repeats over a stage's layers */
    uint32_t n_windows;
    const char *spec_method; /* "", mtp, eagle3, draft_model, ngram */
    uint32_t draft_layers;   /* of the draft that live in the target's cache manager, on the last stage */
    const struct hwl_model *draft; /* with a cache manager of its own; NULL none */
    uint64_t draft_tokens, extra_tokens; /* a step; beyond max_seq_len in each request's cache */
    uint64_t state_bytes;    /* of an element of the recurrent state */
    bool recurrent, sparse;
    bool lora;
    uint64_t max_loras, max_lora_rank; /* max_loras 0: a share of what is free */
    uint16_t stage_first[HWL_TRT_MAX_STAGES + 1];
};
const struct hwl_trt_rules *hwl_trt_rules_of(const char *version);
hwl_status hwl_trt_resolve(const struct hwl_model *model, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, const char *version, struct hwl_trt_setup *out, hwl_error *error);
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
/* Of all layers of a stage; planned: with the draft's, as the estimate counts them. */
uint64_t hwl_trt_stage_row(const struct hwl_model *model, const struct hwl_trt_setup *setup, uint32_t stage, bool planned, struct hwl_ck *ck);

/* Pools of blocks, by window from the smallest on; tokens are whole blocks. */
struct hwl_trt_pools {
    uint32_t n;
    uint64_t window[HWL_TRT_MAX_WINDOWS + 1]; /* as it shrank to fit one request */
    uint64_t was[HWL_TRT_MAX_WINDOWS + 1];
    uint64_t tokens[HWL_TRT_MAX_WINDOWS + 1], host_tokens[HWL_TRT_MAX_WINDOWS + 1];
};
hwl_status hwl_trt_windows(const struct hwl_settings *settings, struct hwl_trt_setup *setup, hwl_error *error);
bool hwl_trt_variable(const struct hwl_trt_setup *setup); /* windows of several sizes */
/* For the bytes that are left on the fullest rank of each stage: available is what is free beside weights and the peak of the
 * profile run. */
hwl_status hwl_trt_pools(const struct hwl_model *model, const struct hwl_trt_setup *setup, const uint64_t *available,
                         struct hwl_trt_pools *out, struct hwl_ck *ck, hwl_error *error);
uint32_t hwl_trt_pool_of(const struct hwl_trt_setup *setup, const struct hwl_trt_pools *pools, uint32_t stage, uint32_t layer);
/* Requests of so many tokens that all pools hold. */
uint64_t hwl_trt_requests(const struct hwl_trt_setup *setup, const struct hwl_trt_pools *pools, uint64_t length);

/* Sizes of a batch that CUDA graphs are captured for. */
uint64_t hwl_trt_graphs(const struct hwl_settings *settings, const struct hwl_trt_setup *setup);

hwl_status hwl_trt_adapters(const struct hwl_settings *settings, struct hwl_trt_setup *setup, hwl_error *error);
/* The cache of adapters on a rank of a stage; free_bytes: what is left beside everything else. */
uint64_t hwl_trt_adapter_bytes(const struct hwl_model *model, const struct hwl_trt_setup *setup, uint32_t stage, uint64_t free_bytes,
                               struct hwl_ck *ck);

#endif
