/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_VERSION_H
#define HWL_LLAMACPP_VERSION_H

#include <stdbool.h>
#include <stdint.h>

/* What a latent attention's cache holds: the latent row alone (#19067, January 2026), that and the latent once more as V (#12801,
 * April 2025), K and V of all heads. */
enum lc_mla { LC_MLA_LATENT, LC_MLA_AND_V, LC_MLA_EXPANDED };

/* What differs between builds of llama.cpp. */
struct lc_rules {
    const char *version; /* as the list of known ones names it */
    const char *commits; /* commits and releases that were read or measured, words */
    uint32_t first, last; /* builds (bNNNN) seen with these rules; outside of them the row is a guess that the plan notes */
    const char *seen;     /* what says so */
    bool fit;            /* --fit exists and is on */
    bool server_outputs; /* llama-server reserves logits of slots x (1 + draft tokens) only */
    bool mask_f16;       /* attention masks are f16 where flash attention reads them; else f32 and a copy */
    bool fa_copies;      /* CUDA: f16 copies of a quantised K and V lie in the compute buffer */
    bool small_weights;  /* an attention's sinks do not decide where it runs */
    uint8_t split_inputs; /* most tensors that one split may bring from elsewhere; 0: any number */
    bool auto_slots;     /* llama-server takes 4 slots over one pool unless -np says otherwise */
    bool fa_auto;        /* flash attention is probed; else off unless asked for */
    uint16_t pad, pad_fa; /* cache cells come in multiples of it, without and with flash attention */
    bool quant_v_insists; /* a quantised V turns "auto" into flash attention without a probe */
    bool same_types;      /* latent caches want one type for K and V */
    bool any_rows;        /* caches are rotated from rows that are not contiguous as well; else that aborts */
    uint32_t n_ctx;      /* context where none is given; 0: as trained */
    bool both_inputs;     /* the graph has an input of embeddings beside that of tokens */
    bool by_index;        /* cells are written by rows of indexes (#14285, on by default from August 2025); else copied into a view */
    bool rotates;         /* a quantised cache's rows are rotated (#21038, April 2026) */
    bool output_last;     /* the output layer goes to a GPU after all others, not first (#18148, December 2025) */
    bool rows_inside;     /* output rows are chosen in the last layer by all architectures; else by some behind it, for draft heads (May 2026) */
    uint8_t mla;          /* enum lc_mla */
    uint8_t vulkan_order; /* how Vulkan puts independent nodes side by side (enum hwl_order of graph/galloc.h) */
    bool vulkan_async;    /* Vulkan has asynchronous copies and events, and with them pipelines over several devices (#18047, December 2025) */
    bool inputs_apart;    /* the graph's inputs lie in a buffer of their own (until March 2024) */
    bool no_op_offload;   /* operations on host weights stay on the host (until #6083, March 2024) */
    bool all_rows;        /* logits of all rows are computed (until #6122, March 2024) */
    bool no_glu;          /* gated activations are two operations, their halves copies (until #14158, June 2025) */
    bool row_split;       /* CUDA has buffers of split rows; else split mode row is refused */
    const char *later;    /* architectures that came later, words: refused */
    const char *altered;  /* architectures whose graphs changed since, words: their compute buffers are estimates */
};

/* NULL-terminated names, newest first. */
extern const char *const hwl_lc_versions[];
/* The row of one of those names. */
const struct lc_rules *hwl_lc_rules(const char *version);
/* "v0.5.0", "0.5", "b9849", a commit (7 digits or more): one of hwl_lc_versions, or NULL. */
const char *hwl_lc_version(const char *text);
/* Is text a build whose rules were not seen but lie next to the row's? */
bool hwl_lc_version_guessed(const struct lc_rules *rules, const char *text);

#endif
