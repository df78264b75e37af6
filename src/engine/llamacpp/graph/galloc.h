/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_GALLOC_H
#define HWL_LLAMACPP_GALLOC_H

#include "engine/llamacpp/graph/graph.h"

/* Back ends in the scheduler's order: the devices, then the CPU. The same numbers name their compute buffers; external
 * tensors may also lie in HOST_REPACK memory (number n_devices + 1), which only the CPU back end reads. */
enum { HWL_GSYS_MAX = 64 };
enum hwl_order { HWL_ORDER_NONE, HWL_ORDER_VULKAN_2025, HWL_ORDER_VULKAN }; /* Vulkan's from November 2025 to August 2026, from September */

struct hwl_gsys {
    uint32_t n_devices;
    uint32_t align[HWL_GSYS_MAX + 1];  /* of each back end's compute buffer */
    uint32_t rowpad[HWL_GSYS_MAX + 1]; /* elements that a quantised row is padded to; 0 none */
    bool fa_copies[HWL_GSYS_MAX + 1];  /* FLASH_ATTN_EXT carries f16 copies of quantised K and V (CUDA) */
    uint8_t reorders[HWL_GSYS_MAX + 1]; /* enum hwl_order: runs its nodes in an order of its own */
    bool strict[HWL_GSYS_MAX + 1];     /* knows the limits of CUDA's operations, see supports.c */
    uint32_t n_copies;                 /* of split inputs: 1, or 4 with pipeline parallelism */
    bool op_offload;                   /* devices take operations on host weights for large batches */
    bool small_weights;                /* sinks do not decide where an attention runs */
    uint32_t split_inputs;             /* most tensors that one split brings from elsewhere; 0 any number */
    bool forgets;                      /* a load without allocation resets the scheduler, back ends that the graph forced with it */
    bool all_inputs_copied;            /* pipeline: copies of graph inputs that no split reads too (0c1e57098; not v0.5.0) */
};

/* Sequence of one reserved graph as it is allocated: leafs first, then nodes with the scheduler's helpers between. */
struct hwl_gsplit {
    hwl_gt *nodes, *leafs;
    uint64_t n_nodes, n_leafs, n_splits, cap_nodes, cap_leafs;
};

/* Part [from, to) of a split's nodes that is walked `times` times more; [before, from) are the same nodes one period earlier. */
struct hwl_gloop {
    uint64_t before, from, to;
    uint32_t times;
    struct hwl_guses { /* private */
        int32_t kids, views;
    } *uses;
};

uint64_t hwl_galloc_size(const struct hwl_gsys *sys, uint32_t buft, const struct hwl_node *t);
/* Size that each compute buffer needs: top[0 .. n_devices]. False: out of memory or a graph that ggml could not hold.
 * Loops stand in order and do not overlap; with them each node's seq is its number in the split + 1. */
bool hwl_galloc(const struct hwl_gsys *sys, struct hwl_arena *scratch, const struct hwl_gsplit *split, struct hwl_gloop *loop, uint32_t n_loops,
                uint64_t *top);
/* What is alive in compute buffer s when it first reaches want bytes: leafs, then nodes in order. found false stops. False: it
 * never does. */
bool hwl_galloc_peak(const struct hwl_gsys *sys, const struct hwl_gsplit *split, uint32_t s, uint64_t want,
                     bool (*found)(void *user, const struct hwl_node *t, uint64_t bytes), void *user);

#endif
