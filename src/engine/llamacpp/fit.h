/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_FIT_H
#define HWL_LLAMACPP_FIT_H

#include <stdbool.h>
#include <stdint.h>

enum { LC_FIT_GPUS = 16, LC_FIT_HOST = 0xffff };

/* Which feed-forward weights of a device's first partial layer go elsewhere (LAYER_FRACTION_*). */
enum lc_fraction { LC_FRACTION_MOE, LC_FRACTION_ATTN, LC_FRACTION_UP, LC_FRACTION_GATE };

/* What --fit tries or chose. */
struct lc_fit {
    uint64_t n_ctx;   /* 0: as asked */
    bool moved;       /* layers below hold; otherwise all layers on GPUs, by free memory */
    bool all_experts; /* every layer's experts in host memory */
    bool parts;       /* some layer is partial: overrides exist */
    uint32_t n_gpus, n_layer; /* n_layer: without the output layer and those for multi-token prediction */
    struct lc_fit_gpu {
        uint32_t n_layer, n_part; /* partial layers are the last of n_layer */
        uint8_t fraction;         /* enum lc_fraction of the first partial layer; the others are LC_FRACTION_MOE */
        uint16_t overflow;        /* where that part goes: GPU or LC_FIT_HOST */
    } gpu[LC_FIT_GPUS];
};

/* The problem. free, margin: bytes of each GPU, or [0] of the host where there is none. */
struct lc_fit_in {
    uint32_t n_gpus, n_layer;
    bool experts, ctx_auto, may_move; /* may_move: number of layers, split and overrides were left to the engine */
    uint64_t ctx_max, ctx_min, ctx_align;
    int64_t free[LC_FIT_GPUS], margin[LC_FIT_GPUS];
    /* Bytes on each GPU (or [0] the host) with that choice, as a load without allocation counts them; weights: those of all GPUs. */
    bool (*simulate)(void *user, const struct lc_fit *fit, int64_t bytes[LC_FIT_GPUS], int64_t *weights);
    void *user;
};

enum lc_fit_result { LC_FIT_DONE, LC_FIT_SHORT, LC_FIT_UNKNOWN }; /* SHORT: targets not met; UNKNOWN: a simulation failed */

enum lc_fit_result hwl_lc_fit(const struct lc_fit_in *in, struct lc_fit *out);
uint32_t hwl_lc_fit_ngl(const struct lc_fit *fit);
/* Does the choice send the tensor "blk.LAYER.BASE" elsewhere? */
bool hwl_lc_fit_where(const struct lc_fit *fit, int32_t layer, const char *base, uint16_t *where);

#endif
