/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_VLLM_VLLM_H
#define HWL_ENGINE_VLLM_VLLM_H

#include "engine/engine.h"
#include "engine/vllm/cache.h"

/* One release whose rules are known; others are mapped to one of these by range (version.c). */
struct hwl_vllm_rules {
    const char *version;
    /* arguments */
    double utilization;     /* default of --gpu-memory-utilization */
    uint16_t whole_prompts; /* no chunked prefill up to 32k tokens, 256 sequences on all cards; beyond, that many tokens a step */
    bool a100_large;        /* an A100 of 80 GB has the large cards' batch */
    bool named_large;       /* only an H100 and an H200 have it, by their names */
    bool many_seqs;         /* every card takes 1024 sequences */
    bool always_chunks;     /* prompts are split whatever --enable-chunked-prefill says */
    bool long_rope;         /* LongRoPE models are served with their long context */
    bool no_auto_len;       /* --max-model-len -1 is refused */
    uint8_t v0_for;         /* what still runs on the V0 engine: enum hwl_vllm_v0 */
    const char *v1_methods; /* of speculation that do not */
    bool largest_cards;     /* cards of 160 GiB and more have a batch of their own */
    bool gb10_small;        /* GB10 has not the large cards' batch */
    bool hybrid_prefix;     /* prefix caching is on by default for models with recurrent layers */
    bool mode_all;          /* mamba_cache_mode all exists */
    bool kept_layers;       /* pages of quantised and kept layers are made to match */
    bool yarn_scales;       /* the longest context is YaRN's original one times its factor */
    bool mode_all_default;  /* and is the default for Mamba with prefix caching */
    bool no_state_prefix;   /* no prefix caching over recurrent states */
    bool no_align;          /* but for mode all: there is no mode align */
    bool state_prefix;      /* and it is on by default for models of nothing but Mamba */
    bool one_state_type;    /* mamba_ssm_cache_dtype does not reach gated delta nets */
    bool no_minimax;        /* MiniMax-Text-01 has lost its class: the generic one caches every layer in full */
    bool wide_states;       /* recurrent states are kept in 32 bits where a family says nothing */
    /* cache */
    bool null_block, tokens_by_group, override_checked, pads_pages, merges_buckets; /* cache.h */
    bool promotes, plain_length, states_alone;
    bool config_block;       /* the token line of one group counts blocks of --block-size */
    uint8_t check;           /* hwl_vllm_check */
    bool no_windows;         /* every layer asks for a full cache */
    bool no_chunks;          /* so do chunked ones */
    bool chunks_promote;     /* chunked layers switch the hybrid manager off */
    bool no_states;          /* recurrent states lie outside the pool, one for every sequence */
    bool whole_latent;       /* whole_prompts: those of latent attention are never split */
    bool last_stage_rest;    /* layers that do not divide over the stages all go to the last one */
    uint16_t latent_bytes;   /* what a latent row is rounded up to */
    uint16_t latent_head;    /* latent attention is cached as heads of that width; 0: latent rows */
    uint8_t forced_blocks;   /* of latent attention: block_size.c, 0 those of the backend */
    bool wide_units;         /* SM10x reads heads of 256 in blocks of 32 beside states */
    bool in_flight_batches;  /* windows keep what concurrent batches hold, not one batch */
    bool mamba2_checkpoints; /* prefill exports a checkpoint block */
    bool gdn_checkpoints;
    bool backend_alignment;  /* hybrid block size starts from the chosen block size and backend */
    bool small_windows;      /* windows take the smallest kernel block, whatever --block-size says */
    bool kernel_blocks;      /* the backend of a user's block size is chosen by what its kernels read */
    uint8_t group_percent;   /* layers of the largest kind, in percent of the smallest's, up to which groups take the larger */
    /* budget */
    const char *v2_classes;  /* model classes that the V2 runner runs; "dense": those without experts and states; "*": all */
    const char *fallback;    /* registered classes that Transformers' own code runs */
    bool v2_plain;           /* but not where they are quantised */
    const char *v2_methods;  /* of speculation that it can; NULL: mtp, eagle, and eagle3 on one stage */
    bool v1_estimate, v2_estimate; /* the runner profiles the graphs, and they are taken from the budget */
    uint8_t sampler_bytes;   /* that the V1 sampler's dummy run holds for a logit beside the model's own */
    bool v2_warms_up;        /* the V2 sampler's does so with top-k and top-p: fp32 logits, probabilities and noise */
    bool workspaces;         /* buffers of the expert kernels are one workspace that stays */
    bool triton_sampler;     /* the V1 runner's top-k and top-p by the Triton kernel */
    uint8_t row_quarters, row_quarters_tp; /* rows of hidden width beside the widest point, in quarters, on one rank and on several; 0: as
                                              compiled models have */
    uint16_t other_mib;      /* outside torch on one card that is not Hopper */
    /* drafts */
    bool attends_only;       /* Transformers' own code must attend in every layer */
    bool no_act_order;       /* GPTQ with ordered groups is gone */
    bool composite;          /* SM100 routes causal attention beside images to FlashInfer */
    bool same_types;         /* a cache of 16 bits has the model's type */
    bool no_medusa;          /* Medusa's and the MLP speculator's methods are gone */
    bool draft_copies;       /* MTP layers keep the copy of the output matrix that they bring */
    bool draft_heads;        /* and those with a matrix of their own use it (models/step3p5_mtp.py has_own_lm_head) */
    bool short_mrope;        /* the table of Qwen3-VL and Qwen3.5 has one row a position, not four */
    /* graphs */
    bool wide_graphs;        /* twice the tokens of all decoding sequences, up to 1024 on SM100 */
    uint8_t graph_step;      /* of sizes from 256 on */
    bool full_graphs, piece_graphs; /* what is captured by default */
    /* MXFP4 experts */
    bool triton_experts;     /* Hopper runs them by Triton's kernels, not by Marlin */
    uint8_t trtllm_width;    /* what TRT-LLM's kernels (SM100) round an expert's width to; 0: 256 */
};
/* Reasons why releases from 0.8 to 0.10 start their V0 engine (engine/arg_utils.py _is_v1_supported_oracle). */
enum hwl_vllm_v0 {
    HWL_VLLM_V0_FP8 = 1,      /* a quantised cache; with _FP8_FA3 not on Hopper */
    HWL_VLLM_V0_FP8_FA3 = 2,
    HWL_VLLM_V0_STAGES = 4,   /* pipeline stages */
    HWL_VLLM_V0_STATES = 8,   /* recurrent states */
    HWL_VLLM_V0_ENCODERS = 16, /* encoder-decoders, cross attention */
    HWL_VLLM_V0_POOLING = 32,  /* encoders without decoder */
};
const struct hwl_vllm_rules *hwl_vllm_rules_of(const char *version);
extern const char *const hwl_vllm_versions[];
const char *hwl_vllm_version(const char *text);
/* What the class of a model does with its weights that the rule does not say: enum hwl_shard_class. */
unsigned hwl_vllm_classes(const struct hwl_model *model, const struct hwl_vllm_rules *rules);
/* HWL_E_REFUSED for a class that the release has no more. */
hwl_status hwl_vllm_known(const struct hwl_model *model, const struct hwl_vllm_rules *rules, hwl_error *error);
/* What its class can do. */
enum hwl_vllm_trait {
    HWL_VLLM_ONE_STAGE = 1,      /* it does not split over pipeline stages */
    HWL_VLLM_ATTENTION_FREE = 2, /* it never has attention: no prefix caching unless asked */
    HWL_VLLM_OWN_TYPE = 8,       /* its cache is of the model's type, whatever is asked */
    HWL_VLLM_NO_CHECKPOINTS = 4, /* its recurrence keeps no states of a prefill's way */
};
unsigned hwl_vllm_traits(const struct hwl_model *model);
uint8_t hwl_vllm_mrope_positions(const struct hwl_model *model, const struct hwl_vllm_rules *rules);

#define HWL_VLLM_N_ARGS 485
extern const struct hwl_engine_arg hwl_vllm_args[HWL_VLLM_N_ARGS];
/* Has the release that option (its first name in the table)? version NULL: the newest. */
/* --kv-cache-memory-bytes came with 0.10.2; before it a number of blocks. */
const char *hwl_vllm_pin(const char *version, const char **view);
/* Until 0.8.4 only --enable-prefix-caching had a form with no-; the others that are off are so by default. */
bool hwl_vllm_writes_arg(const char *name, const char *version);
bool hwl_vllm_has_arg(const char *name, const char *version);

/* Element types of the cache that vLLM names, with what they take. */
struct hwl_vllm_kv_type {
    const char *name;
    uint8_t bits;        /* of an element; 0: the model's type */
    uint8_t scale_bytes; /* per head and token, each of K and V */
    bool quantised;
    bool block_scales; /* one byte for 16 elements (nvfp4) */
};

/* A run resolved: what vLLM makes of the settings for a model on a card. */
struct hwl_vllm_setup {
    const struct hwl_vllm_rules *rules;
    const struct hwl_vllm_kv_type *kv;
    const hwl_device *card;
    uint32_t tp, pp, dp, dcp, pcp;
    bool ep;
    uint32_t cc;          /* compute capability, 90 for 9.0 */
    uint64_t dtype_bytes; /* of the model's type */
    const char *dtype;
    uint64_t max_len;
    bool auto_len;
    uint64_t mbt, max_seqs;
    uint64_t block; /* as asked for or chosen; 0 before */
    bool block_given;
    bool prefix, async, one_type, eager;
    uint8_t state_mode;
    uint64_t conv_bytes, ssm_bytes; /* elements of recurrent states */
    double utilization;
    uint64_t kv_budget; /* given bytes; HWL_UNKNOWN: from the utilization */
    uint64_t override_blocks;
    uint64_t max_loras, max_lora_rank; /* 0: no adapters */
    uint64_t cpu_offload;              /* weights of a rank that stay in host memory */
    const char *kept;                  /* "3,sliding_window": layers whose cache is not quantised; "" none */
    const char *v0_reason;             /* why the V0 engine starts; NULL: it does not */
    const char *backend;               /* --attention-backend, "" by the card */
    const char *spec_method;           /* "" none */
    uint32_t spec_tokens;
    const struct hwl_model *draft; /* the draft model, where it could be opened */
    uint64_t window;               /* of every attention layer, where the class itself knows of none */
    uint32_t draft_layers;         /* attention layers of the draft, MTP layers or of a draft model */
    bool v2;               /* the V2 model runner */
    unsigned classes;      /* enum hwl_shard_class */
    unsigned traits;       /* enum hwl_vllm_trait */
    uint8_t mrope_positions;
    uint8_t sampler_bytes;   /* of the rules, or of FlashInfer's: fp32 logits, probabilities and their copy */
    bool expanded;         /* latent rows are cached expanded to heads (MiniCPM3: not among vLLM's MLA models) */
    bool hybrid, mla, sparse, compressed, recurrent, plain, /* plain: every layer is attended in full */ encoder_only,
        multimodal;
    uint16_t stage_first[HWL_VLLM_MAX_STAGES + 1]; /* first layer of each stage, then n_layers */
};
/* HWL_E_REFUSED where vLLM refuses the settings. */
hwl_status hwl_vllm_resolve(const struct hwl_model *model, const char *version, const struct hwl_devices *devices,
                            const struct hwl_settings *settings, struct hwl_vllm_setup *out, hwl_error *error);
/* The block size that backend, card and recurrent states lead to; sets setup->block. */
hwl_status hwl_vllm_choose_block(const struct hwl_model *model, struct hwl_vllm_setup *setup, hwl_error *error);
/* A prefill of gated delta layers exports states on its way: FlashInfer's kernel on SM90 and later. */
static inline bool hwl_vllm_gdn_checkpoints(const struct hwl_vllm_setup *u)
{
    return u->rules->gdn_checkpoints && u->cc >= 90 && !(u->traits & HWL_VLLM_NO_CHECKPOINTS);
}
/* Bytes of one recurrent state of a layer on a rank; refused where heads do not divide. */
hwl_status hwl_vllm_state_bytes(const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, uint64_t *bytes,
                                hwl_error *error);
/* Bytes of one token of a layer's attention cache on a rank (before any block padding). */
uint64_t hwl_vllm_token_bytes(const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, struct hwl_ck *ck);
/* The type of the cache of layer number index (below 0: a draft's). */
const struct hwl_vllm_kv_type *hwl_vllm_layer_kv(const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, int32_t index);
/* Tokens of a block of a kept layer with a window: as many as fit into a page of the others. */
uint64_t hwl_vllm_kept_block(const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, struct hwl_ck *ck);
/* Widens setup->block so that a page of it holds the smallest block (kernel tokens) of a kept layer. */
hwl_status hwl_vllm_keep_layers(const struct hwl_model *model, struct hwl_vllm_setup *setup, uint64_t kernel, hwl_error *error);
/* The caches of all layers, stage by stage. */
hwl_status hwl_vllm_specs(const struct hwl_model *model, const struct hwl_vllm_setup *setup, struct hwl_arena *arena,
                          struct hwl_vllm_spec **out, uint32_t *n, hwl_error *error);

#endif
