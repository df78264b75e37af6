/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_VLLM_CACHE_H
#define HWL_ENGINE_VLLM_CACHE_H

#include "base/arena.h"

#include <hwledger/error.h>

#include <stdbool.h>

/* vLLM's paged cache: every layer states what one block of it takes, layers are sorted into groups that share a block
 * table, blocks of all groups come from one pool. After vllm/v1/core/kv_cache_planning.py and
 * vllm/v1/kv_cache_interface.py of 0.33.0, vllm/v1/core/kv_cache_utils.py of 0.19.0 and 0.29.0. */

#define HWL_VLLM_MAX_STAGES 64
#define HWL_VLLM_MAX_GROUPS 256

enum hwl_vllm_kind {
    HWL_VLLM_FULL,
    HWL_VLLM_MLA,
    HWL_VLLM_SLIDING,
    HWL_VLLM_SLIDING_MLA,
    HWL_VLLM_CHUNKED,
    HWL_VLLM_MAMBA,
    HWL_VLLM_CROSS,
};

/* What one layer (or one of several caches of a layer) asks for on one rank. */
struct hwl_vllm_spec {
    uint8_t kind;               /* hwl_vllm_kind */
    bool draft;                 /* of a draft model; never splits groups */
    bool replicated;            /* every context-parallel rank holds all tokens */
    uint16_t stage;             /* pipeline stage */
    int32_t layer;              /* of the model; -1 for a draft model's own */
    uint64_t block;             /* tokens of a block */
    uint64_t page;              /* bytes of a block, padding included */
    uint64_t align;             /* the stride between blocks is a multiple of this; 0 = 1 */
    uint64_t window;            /* tokens: sliding window or chunk; of a full spec: the window that is only recorded */
    uint64_t identity;          /* heads, head sizes and type in one number: specs that differ here never merge */
    uint32_t spec_blocks;       /* recurrent: one more state per drafted token */
    uint32_t checkpoint_blocks; /* recurrent: states that a prefill exports on its way */
};

/* What the start check counts for one request of full length. */
enum hwl_vllm_check {
    HWL_VLLM_CHECK_GROUPS,      /* blocks of every group, on each stage */
    HWL_VLLM_CHECK_FIRST,       /* blocks of the first group alone, on each stage */
    HWL_VLLM_CHECK_FIRST_WHOLE, /* so, all stages as if they were one, against the least budget */
    HWL_VLLM_CHECK_LAYERS,      /* every layer by itself as it was asked for, before windows are promoted */
};

enum hwl_vllm_state_mode { HWL_VLLM_STATE_NONE, HWL_VLLM_STATE_ALIGN, HWL_VLLM_STATE_ALL };

/* What the cache planner must know of the run. */
struct hwl_vllm_run {
    uint64_t max_len;         /* tokens of a request */
    bool auto_len;            /* shorten max_len to what fits */
    uint64_t in_flight;       /* tokens scheduled but not settled */
    uint64_t encoder_tokens;  /* of cross attention */
    uint64_t override_blocks; /* 0: none */
    uint32_t dcp;
    uint32_t stages;
    uint8_t state_mode;
    bool one_type;        /* --disable-hybrid-kv-cache-manager */
    bool block_outermost; /* all layers of a block side by side (DeepSeek-V4) */
    /* rules that changed between releases */
    bool null_block;       /* one block is held back by the pool */
    bool override_checked; /* the start check counts the blocks of an override, not the budget */
    bool tokens_by_group;  /* token line = concurrency x length; before: blocks / groups x block */
    bool pads_pages;       /* pages that do not divide are padded; before: refused */
    bool merges_buckets;
    uint64_t token_block;  /* of the token line of a single group; 0: the group's own */
    bool promotes;         /* windows and chunks are allocated in full, one_type or not */
    bool plain_length;     /* concurrency = tokens / length, not blocks / blocks of a request */
    bool states_alone;     /* a request's demand leaves states for drafted tokens out */
    uint8_t check;         /* hwl_vllm_check */
    uint8_t group_percent; /* kinds of up to so many percent of the least one's layers share its larger size */
};

struct hwl_vllm_group {
    uint8_t kind;
    bool uniform; /* members differ in page bytes */
    uint32_t layers;
    uint64_t block;
    uint64_t page;        /* of one member; the sum for a uniform group */
    uint64_t bytes;       /* of one block over all members of the whole model */
    uint64_t per_request; /* blocks of one request of max_len */
    uint32_t first;       /* index of a member */
};

struct hwl_vllm_cache {
    const struct hwl_vllm_spec *asked; /* as given */
    struct hwl_vllm_spec *specs;       /* as unified */
    uint32_t n_specs;
    uint16_t *group_of; /* [n_specs] */
    struct hwl_vllm_group groups[HWL_VLLM_MAX_GROUPS];
    uint32_t n_groups;
    uint64_t block_bytes[HWL_VLLM_MAX_STAGES]; /* of one block of the pool on a rank of the stage */
    uint64_t request_blocks;                   /* of one request of max_len, all groups */
    uint64_t num_blocks;
    uint64_t max_len;     /* after auto-fit */
    uint64_t fitting_len; /* the largest that would fit; only where fits is false */
    uint64_t tokens;
    double concurrency;
    bool fits; /* one request of max_len */
};

/* Sorts specs (copied) into groups. HWL_E_REFUSED where vLLM cannot bring their pages together. */
hwl_status hwl_vllm_cache_group(struct hwl_vllm_cache *cache, const struct hwl_vllm_spec *specs, uint32_t n,
                                const struct hwl_vllm_run *run, struct hwl_arena *arena, hwl_error *error);
/* Blocks for budget bytes per rank of each stage: [run->stages]. */
hwl_status hwl_vllm_cache_size(struct hwl_vllm_cache *cache, const struct hwl_vllm_run *run, const uint64_t *budget,
                               hwl_error *error);
/* Blocks that one request of len tokens takes, all groups. */
uint64_t hwl_vllm_request_blocks(const struct hwl_vllm_cache *cache, const struct hwl_vllm_run *run, uint64_t len);
uint64_t hwl_vllm_group_blocks(const struct hwl_vllm_cache *cache, const struct hwl_vllm_run *run,
                               const struct hwl_vllm_group *group, uint64_t len);

#endif
