/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_SGLANG_SGLANG_H
#define HWL_ENGINE_SGLANG_SGLANG_H

#include "engine/engine.h"
#include "engine/shared/shard.h"

#define HWL_SGLANG_MAX_STAGES 64

/* What the engine chooses by the memory of a card, MiB as nvidia-smi says them; below: exclusive, 0 ends the list. */
struct hwl_sglang_class {
    uint32_t below_mib;
    uint32_t chunk, max_bs, max_bs_wide; /* wide: tensor parallel size of 4 or more */
};

/* How --mem-fraction-static is chosen where it is not given. */
enum hwl_sglang_fraction {
    HWL_SGLANG_BY_RANKS, /* a constant for each tensor parallel size */
    HWL_SGLANG_BY_RANKS_OR_SIZE, /* the same, on cards above 80 GiB all but 13 GiB */
    HWL_SGLANG_BY_RANKS_OR_USE,  /* the same by all ranks, on cards above 96 GiB less, with speculation less */
    HWL_SGLANG_BY_CLASS, /* a reserve for each class of card */
    HWL_SGLANG_BY_USE,   /* a reserve summed from what the run asks for */
};

/* Which batch sizes are captured (graphs.c). */
enum hwl_sglang_sizes {
    HWL_SGLANG_SIZES_PLAIN,
    HWL_SGLANG_SIZES_SPARSE,
    HWL_SGLANG_SIZES_GAP,
    HWL_SGLANG_SIZES_SIXTEENS,
    HWL_SGLANG_SIZES_ONES,
    HWL_SGLANG_SIZES_EIGHTS,
};

/* What ends the capture of prefill where it is not asked for. */
enum hwl_sglang_off {
    HWL_SGLANG_OFF_DP = 1,        /* data-parallel attention */
    HWL_SGLANG_OFF_A2A = 2,       /* experts reached by any kernels of their own, or by such as were not tried */
    HWL_SGLANG_OFF_UNTRIED = 4,
    HWL_SGLANG_OFF_LORA = 8,
    HWL_SGLANG_OFF_OFFLOAD = 16,
    HWL_SGLANG_OFF_ROLES = 32,    /* a server for one half of the work */
    HWL_SGLANG_OFF_MLA = 64,      /* latent attention, or such as is not sparse */
    HWL_SGLANG_OFF_DENSE_MLA = 128,
    HWL_SGLANG_OFF_KDA = 256,
    HWL_SGLANG_OFF_NEMOTRON = 512,
    HWL_SGLANG_OFF_LISTED = 1024, /* classes of a list */
    HWL_SGLANG_OFF_DRAFTS = 2048,
    HWL_SGLANG_OFF_EAGER = 4096,  /* decoding that is not captured */
};

/* One release whose rules were read; others are mapped to one of these by range (version.c). */
struct hwl_sglang_rules {
    const char *version;
    enum hwl_sglang_fraction fraction;
    const struct hwl_sglang_class *classes;
    uint32_t draft_reserve_mib, standalone_reserve_mib; /* of the reserve, for speculation */
    uint32_t mla_prefill_max;                           /* tokens of the largest captured prefill, 0: none is captured */
    bool prefill_graph;        /* prefill is captured unless switched off */
    bool mla_prefill_reserve;  /* 1.5 GiB for captured prefill of latent attention */
    bool batch_by_requests;    /* captured batches stop at --max-running-requests */
    bool draft_counted;        /* draft weights and cache are inside the static share */
    bool state_padding;        /* the padding slot of recurrent states is budgeted */
    bool half_requests;        /* requests are at most half the tokens */
    bool media_graphs;         /* some models with towers capture prefill */
    bool prefill_per_rank;     /* prefill is captured for the chunk of a rank of data-parallel attention */
    bool compressed;           /* pools of compressed attention as compressed.c has them */
    bool long_by_window;       /* rings of 128 tokens go with the window; later: with the requests */
    bool drafts_windowed;      /* the budget counts a window for each layer that drafts */
    bool compressed_pages;     /* their budget counts whole pages, and rings per page; before: rows, and rings per window */
    bool window_checked;       /* a window pool that cannot hold one request is refused */
    bool window_by_stage;      /* window and full layers are those of the stage; before: of the model */
    bool media_reserve;        /* 100 MiB of the budget wait for the cache of image embeddings */
    bool media_tuned;          /* settings of its own for Qwen3-VL on large Hopper cards */
    bool window_by_requests;   /* without prefix caching the window pool is sized by the requests */
    bool states_extra_buffer;  /* the automatic strategy keeps extra states */
    bool states_times_drafts;  /* a state more for each drafted token, of all slots */
    bool drafts_first;         /* states of drafted tokens come off the budget before it is divided */
    bool drafts_end_prefix;    /* speculation switches prefix caching off where there are recurrent states */
    const char *prefixless;    /* classes with recurrent states that have no prefix caching */
    bool states_ratio;         /* recurrent states take a ratio of the budget; before: a number of slots */
    bool roles;                /* the reserve is for what a prefill or decode server does, and for DeepEP */
    bool prefill_drops_drafts; /* prefill servers keep no states of drafted tokens */
    enum hwl_sglang_sizes sizes;
    uint32_t sizes_256_mib, sizes_512_mib; /* cards above capture up to 256 and 512, without a largest asked for; 0: none do */
    bool captures_largest;  /* the largest size asked for, be it in the list or not */
    bool steps_of_16;       /* behind the list's end up to the largest asked for */
    bool gathers;           /* data-parallel attention captures multiples of an attention group's ranks */
    bool aligned_slots;     /* and the table of requests is taken as such a multiple */
    bool request_row;       /* the table of requests has one more row, which is used */
    bool draft_headroom;    /* drafted tokens come on top of the pool */
    bool requests_first;    /* requests are counted before tokens are limited or divided over windows */
    bool window_in_tokens;  /* windows sized by the requests are at most as long as the tokens asked for */
    bool graphs_always;     /* the reserve counts decoding's graphs though they are off */
    const char *extra_states; /* classes whose prefix caching keeps extra states, NULL: as in classes.c */
    bool longer_context;    /* more than the configuration says is taken */
    bool windows_after;     /* tokens are divided over windows after they are counted and limited */
    bool requests_whole;    /* requests asked for are each attention rank's */
    bool half_unasked;      /* at most half the tokens where no number of requests is asked for */
    bool estimate_caps;     /* no more requests than the estimate, be it more that are asked for */
    bool media_tenth;       /* towers take a tenth of the share; before: a twentieth, later by their size */
    bool media_given;       /* of a share that was given too */
    bool sparse_dp;         /* sparse attention is data-parallel over all ranks */
    bool sparse_fraction;   /* and has a static share of its own */
    bool sparse_raw;        /* and its budget counts FP8 rows without scales */
    bool sparse_unindexed;  /* and no keys of its indexer */
    uint32_t prefill_off;   /* enum hwl_sglang_off */
    bool mla_prefill_flat;  /* latent attention captures so many tokens however long a step is */
    bool prefill_by_context; /* and no more than a context that was asked for */
    bool states_whole;      /* the budget counts the states of all stages on each */
    bool hybrid_whole;      /* and the attention beside them */
    bool states_or_512;     /* a number of states without prefix caching though no requests are asked for */
    bool sm100_one_pool;    /* kernels of TensorRT-LLM have no pool of their own for windows */
    bool five_states; /* a request holds two states more without a buffer of their own, too */
    bool nemotron_flashinfer; /* NemotronH takes flashinfer on SM100 */
    bool page_of_one;       /* prefix caching of recurrent states wants pages of one token */
    uint8_t sm100;          /* kernels of TensorRT-LLM by default: 0 none, 1 gpt-oss, 2 and DeepSeek-V3, 3 all */
    const char *narrow_drafts; /* classes that draft 4 tokens in a row where others draft trees of 8; "*": all but two */
    bool media_whole;       /* and prompts are not split */
    const char *window_classes; /* model classes with a pool of their own for window layers */
};
const struct hwl_sglang_rules *hwl_sglang_rules_of(const char *version);
extern const char *const hwl_sglang_versions[];
const char *hwl_sglang_version(const char *text);

#define ROW(names, how, option, function, no_value) +1
enum {
    HWL_SGLANG_N_ARGS = 0
#include "engine/sglang/args.def"
};
#undef ROW
extern const struct hwl_engine_arg hwl_sglang_args[HWL_SGLANG_N_ARGS];

struct hwl_sglang_kv_type {
    const char *names;
    uint8_t bits;   /* 0: the model's type */
    uint8_t group;  /* elements that share a scale of one byte; 0: none */
};

struct hwl_sglang_setup;
/* Lists of model classes in the engine's code. */
enum hwl_sglang_trait {
    HWL_SGLANG_MEDIA,         /* takes images, audio or video */
    HWL_SGLANG_MEDIA_OFF,     /* but only when asked to */
    HWL_SGLANG_MEDIA_GRAPHS,  /* and captures prefill all the same */
    HWL_SGLANG_MEDIA_TUNED,   /* and has settings of its own on large Hopper cards */
    HWL_SGLANG_WHOLE_PROMPTS, /* prompts are not split */
    HWL_SGLANG_TRITON,         /* takes Triton's attention where there is no rule for the card */
    HWL_SGLANG_WIDE_WORKSPACE, /* wants more of FlashInfer's workspace */
    HWL_SGLANG_MTP_UNCOUNTED, /* names its MTP layers so that the budget does not see them */
    HWL_SGLANG_WINDOW_WITHOUT_ITSELF, /* its class tells a window of one token less (get_attention_sliding_window_size) */
    HWL_SGLANG_EXTRA_STATES,  /* prefix caching keeps extra recurrent states */
};
bool hwl_sglang_has(const struct hwl_model *model, enum hwl_sglang_trait trait);
/* Has the model's class a pool of its own for window layers in this release? */
bool hwl_sglang_has_window_pool(const struct hwl_model *model, const struct hwl_sglang_setup *setup);

/* A run resolved. */
struct hwl_sglang_setup {
    const struct hwl_sglang_rules *rules;
    const struct hwl_sglang_kv_type *kv;
    const hwl_device *card;
    uint32_t cc; /* compute capability, 90 for 9.0 */
    uint32_t tp, pp, dp, attention_dp, attention_tp, dcp;
    bool ep;
    const char *dtype;
    uint64_t dtype_bytes;
    uint64_t context;
    uint64_t chunk;        /* tokens of a prefill step; 0: prompts are not split */
    uint64_t max_prefill;
    uint64_t max_requests; /* asked for, per attention rank; 0: by the capacity */
    uint64_t asked_requests; /* the same of all attention ranks */
    uint64_t max_tokens;   /* --max-total-tokens; 0: none */
    uint64_t page;
    bool sizes_given;      /* the list of sizes to capture */
    uint64_t sizes_end;    /* of the list for this card */
    uint64_t max_bs, n_decode_graphs, n_prefill_graphs, max_prefill_graph;
    double fraction;
    bool fraction_given;
    double window_ratio, state_ratio;
    uint64_t state_slots;  /* --max-mamba-cache-size per attention rank; 0: none */
    uint32_t states_per_request;
    uint64_t conv_bytes, ssm_bytes; /* elements of recurrent states */
    bool prefix, overlap, window_pool, mla, sparse, recurrent, encoder_only, multimodal;
    bool compressed;     /* DeepSeek-V4's attention */
    bool prefills, decodes; /* a server for one half of the work */
    bool deepep;         /* experts are reached by DeepEP */
    uint64_t extra_requests; /* rows of the request table for those on their way to a decode server */
    bool uniform;        /* window layers in the pool of the full ones, with rows as wide as theirs */
    bool raw_rows;       /* sparse attention keeps FP8 rows without scales */
    bool uniform_rows;   /* compressed attention keeps FP8 rows without scales */
    const char *spec_method; /* "" none, "mtp", "eagle", "eagle3", "ngram", "standalone", "dflash", "dspark" */
    uint32_t draft_layers, draft_tokens;
    uint64_t draft_places;   /* steps x branches, of the pool */
    bool draft_named; /* a draft model of its own, not the target's MTP layers */
    const struct hwl_model *draft; /* that model, where it is known */
    uint64_t max_loras, max_lora_rank, cpu_offload;
    uint16_t stage_first[HWL_SGLANG_MAX_STAGES + 1];
    uint32_t redundant_experts;
    uint64_t media_bytes;   /* of the budget, for images */
    uint64_t workspace;     /* of the attention kernels */
    double host_ratio;      /* tokens of the cache's copy in host memory for one on the device; 0: no copy */
    uint64_t host_bytes;    /* of that copy, 0: by the ratio */
};
/* HWL_E_REFUSED where SGLang refuses the settings. draft: the draft model of its own, NULL none or unknown. */
hwl_status hwl_sglang_resolve(const struct hwl_model *model, const struct hwl_model *draft, const char *version,
                              const struct hwl_devices *devices, const struct hwl_settings *settings,
                              struct hwl_sglang_setup *out, hwl_error *error);

/* What prepare makes. */
struct hwl_sglang_ready {
    struct hwl_shard_prepared *target, *draft; /* draft NULL: none that could be opened */
    struct hwl_model *owned;
};
hwl_status hwl_sglang_prepare(const struct hwl_model *model, const char *version, const struct hwl_settings *settings,
                              struct hwl_arena *arena, void **prepared, hwl_error *error);
void hwl_sglang_release(void *prepared);
const struct hwl_model *hwl_sglang_draft(const struct hwl_sglang_ready *ready);
/* Batch sizes that decoding is to be captured for, those that are, with a table of so many requests, and token counts that
 * prefill is captured for. */
uint64_t hwl_sglang_decode_graphs(const struct hwl_sglang_setup *setup);
uint64_t hwl_sglang_captured(const struct hwl_sglang_setup *setup, uint64_t requests);
uint64_t hwl_sglang_prefill_graphs(uint64_t max);
/* Memory of the card as the engine sees it. */
uint64_t hwl_sglang_memory_mib(const struct hwl_sglang_setup *setup);
/* The share for weights and pools, as the engine would choose it. */
double hwl_sglang_fraction(const struct hwl_model *model, const struct hwl_sglang_setup *setup, bool decode_graph,
                           bool prefill_graph, const char *algorithm);
double hwl_sglang_media_share(const struct hwl_model *model, const struct hwl_sglang_setup *setup);

/* Bytes of the budget that wait for images. */
uint64_t hwl_sglang_media_bytes(const struct hwl_model *model, const struct hwl_settings *settings,
                                const struct hwl_sglang_setup *setup);
/* The attention kernels' name, "" for those that take any page; the page of tokens for them. */
const char *hwl_sglang_backend(const struct hwl_model *model, const struct hwl_settings *settings,
                               const struct hwl_sglang_setup *setup);
uint64_t hwl_sglang_page(const char *backend, uint64_t asked, const struct hwl_sglang_setup *setup);
/* Bytes that the kernels allocate behind the pools: SGLANG_FLASHINFER_WORKSPACE_SIZE and what others have for it. */
uint64_t hwl_sglang_workspace(const char *backend, const struct hwl_model *model, const struct hwl_sglang_setup *setup);
bool hwl_sglang_raw_rows(const struct hwl_model *model, const struct hwl_settings *settings,
                         const struct hwl_sglang_setup *setup);

/* Bytes of one token of a layer on a rank, K and V (or the latent row) and the indexer's keys. */
struct hwl_sglang_row {
    uint64_t kv, index;
};
const struct hwl_layer *hwl_sglang_cached_as(const struct hwl_model *model, const struct hwl_sglang_setup *setup,
                                             uint32_t layer); /* the layer whose row the pool has for it */
struct hwl_sglang_row hwl_sglang_row_of(const struct hwl_layer *layer, const struct hwl_sglang_setup *setup,
                                        struct hwl_ck *ck);
/* Bytes of one token of the draft's own cache on a rank. */
uint64_t hwl_sglang_draft_row(const struct hwl_sglang_setup *setup, struct hwl_ck *ck);
/* Bytes of one recurrent state of a layer on a rank. */
hwl_status hwl_sglang_state_bytes(const struct hwl_layer *layer, const struct hwl_sglang_setup *setup, uint64_t *bytes,
                                  hwl_error *error);

/* The pools of the smallest rank; layers' bytes follow from the tokens. */
struct hwl_sglang_pools {
    uint64_t full_tokens, window_tokens; /* window_tokens 0: one pool for all layers */
    uint64_t tokens;                     /* max_total_num_tokens */
    uint64_t states;                     /* slots of recurrent states, without the padding one */
    uint64_t draft_states;               /* slots of states that drafted tokens pass through */
    uint64_t requests;                   /* max_running_requests of an attention rank */
    uint64_t slots;                      /* rows of the table of requests */
    uint64_t four_rows, long_rows;       /* compressed attention: rows of tokens waiting for a state of 4 and of 128 */
    bool starts;
    const char *why;                     /* where it does not start */
};
/* rest: bytes left to the pools on each stage. */
hwl_status hwl_sglang_size_pools(const struct hwl_model *model, const struct hwl_sglang_setup *setup,
                                 const uint64_t *rest, struct hwl_sglang_pools *out, hwl_error *error);

/* Compressed attention (compressed.c): sizes its pools, of which a layer holds these bytes. */
struct hwl_sglang_layer_pools {
    uint64_t window, compressed, index, state;
};
void hwl_sglang_size_compressed(const struct hwl_model *model, const struct hwl_sglang_setup *setup, const uint64_t *rest,
                                struct hwl_sglang_pools *out);
struct hwl_sglang_layer_pools hwl_sglang_compressed_layer(const struct hwl_model *model,
                                                          const struct hwl_sglang_setup *setup,
                                                          const struct hwl_sglang_pools *pools, uint32_t layer,
                                                          struct hwl_ck *ck);
double hwl_sglang_compressed_share(const struct hwl_settings *settings); /* tokens of the window for one of the rest */

/* "Load weight end. mem usage" less the weights: kernels that the load brings in, remainders of the allocator. The median of the
 * logs (test_sglang.c). */
#define HWL_SGLANG_LOADING ((uint64_t)89 << 20)
#define HWL_SGLANG_PIECE 199 /* bytes of a captured piece of prefill for each layer and hidden element; fitted as the others of other.c */

/* What a rank holds beside weights and pools. Modelled. */
struct hwl_sglang_other {
    uint64_t context;      /* CUDA context before anything is measured */
    uint64_t distributed;  /* communicators, before the weights */
    uint64_t requests;     /* table of token places of each request, int32 */
    uint64_t decode_graphs, prefill_graphs;
    uint64_t activation;   /* largest step */
};
hwl_status hwl_sglang_measure_other(const struct hwl_model *model, const struct hwl_sglang_setup *setup,
                                    const struct hwl_shard_run *shards, const struct hwl_sglang_pools *pools,
                                    struct hwl_sglang_other *out, hwl_error *error);

#endif
