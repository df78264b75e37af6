/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_HPARAMS_H
#define HWL_LLAMACPP_HPARAMS_H

#include "engine/llamacpp/lc.h"

/* Fills *m (all but the tensors) from the metadata. Allocates in arena; g must live as long. */
hwl_status hwl_lc_read(const struct hwl_gguf *g, struct hwl_arena *arena, struct lc_model *m, hwl_error *error);
/* Bytes that a CUDA buffer adds to a tensor whose rows are ne0 wide. */
uint64_t hwl_lc_row_pad(uint16_t dtype, uint64_t ne0);
/* Lists the tensors of g in *m: layer, place, component, padding. */
hwl_status hwl_lc_read_tensors(struct hwl_arena *arena, struct lc_model *m, hwl_error *error);

/* The model as builds read it that cache K and V of all heads of a latent attention: m itself, or a copy of its shapes. NULL: out of
 * memory. */
const struct lc_model *hwl_lc_expanded(const struct lc_model *m, struct hwl_arena *arena);

#endif
