/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_GRAPH_H
#define HWL_LLAMACPP_GRAPH_H

#include "base/arena.h"
#include "source/dtype.h"

#include <stdbool.h>
#include <stdint.h>

/* The computation graph that llama.cpp reserves buffers for: shapes and dependencies only, no data.
 * The order of nodes is ggml's (ggml_build_forward_expand: depth first over sources, left to right), because the
 * allocator's result depends on it. Shapes follow ggml 0.25 (ggml/src/ggml.c). */

enum hwl_gop {
#define OP(name, flags) HWL_OP_##name,
#include "engine/llamacpp/graph/ops.def"
#undef OP
    HWL_OP_COUNT
};

enum { HWL_GOP_INPLACE = 1, HWL_GOP_VIEW = 2 }; /* flags of an operation, see ops.def */
extern const uint8_t hwl_gop_flags[HWL_OP_COUNT];

static inline bool hwl_g_is_view_op(uint8_t op)
{
    return hwl_gop_flags[op] & HWL_GOP_VIEW;
}

static inline bool hwl_g_is_inplace(uint8_t op)
{
    return hwl_gop_flags[op] & HWL_GOP_INPLACE;
}

enum { HWL_GFLAG_INPUT = 1, HWL_GFLAG_OUTPUT = 2 };
enum { HWL_GNODE_SRC = 10 };

struct hwl_node;
typedef struct hwl_node *hwl_gt; /* a tensor of the graph; NULL where an optional one is absent */
struct hwl_node {
    uint8_t op;      /* enum hwl_gop */
    uint8_t type;    /* enum hwl_dtype */
    uint8_t flags;
    uint8_t n_src;
    int8_t buft;     /* external (weight, cache): number of its buffer type in struct hwl_gsys; -1: the allocator places it */
    bool weight;     /* in a buffer of weights: pulls its operations to its device */
    bool alibi;      /* FLASH_ATTN_EXT with position bias */
    bool visited;
    int8_t fixed;    /* back end forced by the builder, -1 none */
    int8_t be;       /* back end chosen by the scheduler */
    int8_t at_buft;  /* allocator: arena of the place */
    bool own;        /* allocator: holds a place */
    int16_t layer;   /* whose weights were read last when it was made; -1 none */
    int32_t kids, views;
    uint32_t param;  /* SSM_SCAN: snapshots */
    uint32_t seq;    /* number in the split's nodes + 1, 0: a leaf */
    uint64_t ne[4], nb[4], offs;
    uint64_t bytes;  /* of the data as laid out */
    uint64_t at;
    hwl_gt src[HWL_GNODE_SRC];
    hwl_gt view;     /* tensor that owns the storage, never a view itself */
    hwl_gt *copies;  /* scheduler: [back end] copy of this tensor there */
    const char *name;
};

struct hwl_graph {
    struct hwl_arena *arena;
    hwl_gt pool; /* block of unused nodes */
    uint32_t n_pool;
    hwl_gt *nodes, *leafs;
    uint64_t n_nodes, cap_nodes, n_leafs, cap_leafs;
    uint32_t n_made, n_inputs;
    int16_t layer; /* for the nodes to come */
    uint32_t max_made; /* limit against absurd models */
    bool full;         /* a split brings more tensors than ggml's array holds */
    bool failed;       /* out of memory, overflow or a shape that cannot be: the result means nothing */
};

hwl_gt hwl_g_new(struct hwl_graph *g, uint8_t type, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3);
hwl_gt hwl_g_input(struct hwl_graph *g, uint8_t type, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3, const char *name);
void hwl_g_expand(struct hwl_graph *g, hwl_gt t);
uint64_t hwl_g_row(struct hwl_graph *g, uint8_t type, uint64_t n);
bool hwl_g_contiguous(const struct hwl_node *t);
const char *hwl_g_op_name(uint8_t op);
/* "blk.3.ffn_up.weight x", "ADD of layer 3", "inp_tokens": for who reads; returns buf. */
const char *hwl_g_describe(const struct hwl_node *t, char *buf, uint64_t size);
uint64_t hwl_g_nelements(const struct hwl_node *t);

/* same layout as a, sources a, b, c (NULL allowed behind a) */
hwl_gt hwl_g_like(struct hwl_graph *g, uint8_t op, hwl_gt a, hwl_gt b, hwl_gt c);
/* new shape, type f32 unless said */
hwl_gt hwl_g_make(struct hwl_graph *g, uint8_t op, uint8_t type, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3, const hwl_gt *src, uint32_t n_src);
hwl_gt hwl_g_add(struct hwl_graph *g, hwl_gt a, hwl_gt b);
hwl_gt hwl_g_sub(struct hwl_graph *g, hwl_gt a, hwl_gt b);
hwl_gt hwl_g_mul(struct hwl_graph *g, hwl_gt a, hwl_gt b);
hwl_gt hwl_g_div(struct hwl_graph *g, hwl_gt a, hwl_gt b);
hwl_gt hwl_g_scale(struct hwl_graph *g, hwl_gt a);
hwl_gt hwl_g_unary(struct hwl_graph *g, hwl_gt a); /* silu, gelu, tanh, sigmoid, relu, exp, softplus ... */
hwl_gt hwl_g_rms(struct hwl_graph *g, hwl_gt a);
hwl_gt hwl_g_mm(struct hwl_graph *g, hwl_gt a, hwl_gt b);
hwl_gt hwl_g_mm_id(struct hwl_graph *g, hwl_gt as, hwl_gt b, hwl_gt ids);
hwl_gt hwl_g_glu(struct hwl_graph *g, hwl_gt a, hwl_gt b); /* b NULL: a holds both halves */
hwl_gt hwl_g_get_rows(struct hwl_graph *g, hwl_gt a, hwl_gt rows);
hwl_gt hwl_g_set_rows(struct hwl_graph *g, hwl_gt a, hwl_gt b, hwl_gt rows);
hwl_gt hwl_g_cpy(struct hwl_graph *g, hwl_gt a, hwl_gt b);
hwl_gt hwl_g_cast(struct hwl_graph *g, hwl_gt a, uint8_t type);
hwl_gt hwl_g_cont(struct hwl_graph *g, hwl_gt a);
hwl_gt hwl_g_cont4(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3);
hwl_gt hwl_g_reshape(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3);
hwl_gt hwl_g_view(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3, uint64_t nb1, uint64_t nb2, uint64_t nb3,
                  uint64_t offs);
hwl_gt hwl_g_view1(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t offs);
hwl_gt hwl_g_view2(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t nb1, uint64_t offs);
hwl_gt hwl_g_view3(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t nb1, uint64_t nb2, uint64_t offs);
hwl_gt hwl_g_permute(struct hwl_graph *g, hwl_gt a, uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3);
hwl_gt hwl_g_transpose(struct hwl_graph *g, hwl_gt a);
hwl_gt hwl_g_concat(struct hwl_graph *g, hwl_gt a, hwl_gt b, uint32_t dim);
hwl_gt hwl_g_pad(struct hwl_graph *g, hwl_gt a, uint64_t p0, uint64_t p1, uint64_t p2, uint64_t p3);
hwl_gt hwl_g_repeat(struct hwl_graph *g, hwl_gt a, uint64_t n0, uint64_t n1, uint64_t n2, uint64_t n3);
hwl_gt hwl_g_sum_rows(struct hwl_graph *g, hwl_gt a);
hwl_gt hwl_g_argsort(struct hwl_graph *g, hwl_gt a);
hwl_gt hwl_g_argsort_top_k(struct hwl_graph *g, hwl_gt a, uint64_t k);
hwl_gt hwl_g_top_k(struct hwl_graph *g, hwl_gt a, uint64_t k);
hwl_gt hwl_g_soft_max(struct hwl_graph *g, hwl_gt a, hwl_gt mask, hwl_gt sinks);
hwl_gt hwl_g_flash_attn(struct hwl_graph *g, hwl_gt q, hwl_gt k, hwl_gt v, hwl_gt mask, hwl_gt sinks, bool alibi);
hwl_gt hwl_g_rope(struct hwl_graph *g, hwl_gt a, hwl_gt pos, hwl_gt factors);
hwl_gt hwl_g_inplace(struct hwl_graph *g, uint8_t op, hwl_gt a); /* the op writes into a's storage: a view of it */
hwl_gt hwl_g_ssm_conv(struct hwl_graph *g, hwl_gt sx, hwl_gt c);
hwl_gt hwl_g_ssm_scan(struct hwl_graph *g, hwl_gt s, hwl_gt x, hwl_gt dt, hwl_gt a, hwl_gt b, hwl_gt c, hwl_gt ids, uint64_t k);
hwl_gt hwl_g_gated_delta_net(struct hwl_graph *g, hwl_gt q, hwl_gt k, hwl_gt v, hwl_gt gate, hwl_gt beta, hwl_gt state, uint64_t snapshots);
/* RWKV_WKV6, RWKV_WKV7, GATED_LINEAR_ATTN: key first for the head shape */
hwl_gt hwl_g_wkv(struct hwl_graph *g, uint8_t op, hwl_gt key, hwl_gt state, const hwl_gt *src, uint32_t n_src);

#endif
