/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_LLAMACPP_CONVERT_H
#define HWL_ENGINE_LLAMACPP_CONVERT_H

#include "arch/model.h"
#include "source/gguf.h"

/* The GGUF that a configuration, safetensors or catalogue model would become: metadata and tensors as llama.cpp's converter
 * writes them, unquantised (vectors, norms and routers in f32, matrices in the model's own type). Lives in arena.
 * HWL_E_UNSUPPORTED: a family whose converted form is not known here. */
hwl_status hwl_lc_convert(const struct hwl_model *model, struct hwl_arena *arena, struct hwl_gguf **out, hwl_error *error);

#endif
