/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_QUANTISE_H
#define HWL_ARCH_QUANTISE_H

#include "arch/model.h"

/* Replaces the model's inventory by what the quantisation would store, byte for byte: packed weights, scales, zero points.
 * model->logical keeps the plain inventory. HWL_E_UNSUPPORTED where the method is not known. */
hwl_status hwl_quant_pack(struct hwl_model *model, const struct hwl_quant *quant, hwl_error *error);

/* A model with its weights as if quantised to type (fp8, fp8-block, int8, awq, gptq, nvfp4, mxfp4, nf4): a new model whose lists live
 * in arena and which shares everything else with the given one. Do not hwl_model_free it. */
hwl_status hwl_quantise(const struct hwl_model *model, const char *type, struct hwl_arena *arena, struct hwl_model **out,
                        hwl_error *error);

#endif
