/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_QUANT_CONFIG_H
#define HWL_ARCH_QUANT_CONFIG_H

#include "arch/model.h"
#include "source/config.h"

/* Reads quantization_config (or MLX's quantization) of a config.json, else hf_quant_config.json in folder (may be NULL).
 * out->method is "" where the weights are plain. */
hwl_status hwl_quant_read(const struct hwl_config *root, const char *folder, struct hwl_arena *arena, struct hwl_quant *out,
                          hwl_error *error);
/* Is the module of this tensor ("model.layers.0.mlp.gate.weight") left as it is? Patterns of all tool kits: module names and their
 * trailing or inner parts, * and ? wildcards, "re:" regular expressions. */
bool hwl_quant_skips(const struct hwl_quant *quant, const char *tensor);

/* Which entry of quantized_layers stands for this tensor; NULL: none, it is plain. */
const struct hwl_quant_layer *hwl_quant_layer_of(const struct hwl_quant *quant, const char *tensor);

#endif
