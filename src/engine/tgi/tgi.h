/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_TGI_TGI_H
#define HWL_ENGINE_TGI_TGI_H

#include "engine/engine.h"
#include "engine/shared/shard.h"

#define HWL_TGI_N_ARGS 53
extern const struct hwl_engine_arg hwl_tgi_args[HWL_TGI_N_ARGS];

/* What changed between releases. */
struct hwl_tgi_rules {
    const char *version;
    double wiggle;        /* TGI_WIGGLE_ROOM */
    bool wiggle_of_free;  /* a share of what is free (before 3.0), not of the card's memory */
    bool flashinfer;      /* the default attention, blocks of one token (2.3) */
    bool all_logits;      /* the warm-up asks for log-probabilities of the whole prompt (before 3.0) */
    bool log_copy;        /* beside the logits themselves (before 2.4) */
    bool optimal_prefill; /* max_batch_prefill_tokens from the card's compute and memory (3.0) */
    bool fixed_total;     /* max_total_tokens is 4,096 at most, prefill that and 49 more, or max_batch_size inputs (before 2.4.1) */
    bool plain_lengths;   /* inputs of 1,024, totals of 2,048, prefill of 4,096, no captured graphs (before 2.0) */
    bool two_new;         /* the warm-up asks for two new tokens, not for all that a request may have (before 1.1.1) */
    uint16_t context_mib;
    bool vl_prefill;      /* towers have defaults of their own (3.1.1) */
};
extern const char *const hwl_tgi_versions[];
const char *hwl_tgi_version(const char *text);
const struct hwl_tgi_rules *hwl_tgi_rules_of(const char *version);

/* A launch resolved (launcher/src/main.rs). */
struct hwl_tgi_setup {
    const struct hwl_tgi_rules *rules;
    const hwl_device *card;
    uint32_t tp;
    uint64_t block;        /* BLOCK_SIZE */
    const char *attention, *dtype, *kv_type;
    uint64_t dtype_bytes, kv_bytes;
    uint64_t prefill;      /* max_batch_prefill_tokens */
    uint64_t max_total;    /* max_total_tokens; 0: what the cache holds */
    uint64_t max_input;    /* max_input_tokens; 0: not given */
    uint64_t max_batch;    /* max_batch_size; 0: none */
    uint64_t speculate;
    uint64_t graphs[32];
    uint32_t n_graphs;
    double fraction;       /* cuda_memory_fraction */
    bool multimodal;
    uint64_t max_loras, max_lora_rank;
};
hwl_status hwl_tgi_resolve(const struct hwl_model *model, const char *version, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, struct hwl_tgi_setup *out, hwl_error *error);
/* The launcher's max_batch_prefill_tokens where none is given. */
uint64_t hwl_tgi_default_prefill(const struct hwl_model *model, const struct hwl_tgi_setup *setup);

/* Keys and values of one token of all layers on a rank: every layer alike, windows too. */
uint64_t hwl_tgi_row(const struct hwl_model *model, const struct hwl_tgi_setup *setup, struct hwl_ck *ck);
/* Blocks that the warm-up batch takes. */
uint64_t hwl_tgi_warm_blocks(const struct hwl_tgi_setup *setup);
/* KV-cache blocks of a rank of which so much is free behind the warm-up, with its blocks still there. */
uint64_t hwl_tgi_blocks(const struct hwl_tgi_setup *setup, uint64_t total, uint64_t free_bytes, uint64_t row, struct hwl_ck *ck);

#endif
