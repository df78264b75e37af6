/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_WEIGHTS_H
#define HWL_ARCH_WEIGHTS_H

#include "arch/model.h"
#include "source/safetensors.h"

/* Replaces the model's inventory (worked out from its configuration) by the tensors that are stored: types and bytes from the headers,
 * role, layer and component from the inventory's entry of the same name, equal experts as one entry with a count. What the inventory
 * does not know keeps its place with a role by its name. model->logical keeps the inventory. */
hwl_status hwl_weights_apply(struct hwl_model *model, const struct hwl_safetensors *st, hwl_error *error);

/* A tensor or module name without the leading words that only say which class saved it ("model.language_model."). */
struct hwl_str hwl_name_bare(struct hwl_str name);

#endif
