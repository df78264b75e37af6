/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_MLX_MLX_H
#define HWL_ENGINE_MLX_MLX_H

#include "base/bytes.h"
#include "engine/engine.h"

enum { HWL_MLX_N_ARGS = 26 };
extern const struct hwl_engine_arg hwl_mlx_args[HWL_MLX_N_ARGS];

/* What a request holds of one layer. */
struct hwl_mlx_cache {
    uint64_t dtype_bytes;
    uint64_t bits, group; /* of a quantised cache; bits 0: in the model's type */
    uint64_t tokens;      /* of a sequence */
    uint64_t step;        /* tokens of a prefill step */
    uint64_t sequences;
    bool mixed; /* some layers attend to the whole context, some to a window */
};
/* Bytes a token of a sequence; 0: the layer has no growing cache. */
uint64_t hwl_mlx_row(const struct hwl_model *model, const struct hwl_layer *layer, const struct hwl_mlx_cache *cache,
                     struct hwl_ck *ck);
/* Tokens that the cache of a layer holds at its fullest. */
uint64_t hwl_mlx_cells(const struct hwl_model *model, const struct hwl_layer *layer, const struct hwl_mlx_cache *cache,
                       bool *rotating);

#endif
