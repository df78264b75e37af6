/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_READERS_H
#define HWL_ARCH_READERS_H

#include "arch/model.h"
#include "source/config.h"

/* The two ways to a model: each fills layers and tensors of an empty one. */
hwl_status hwl_arch_from_config(const struct hwl_config *root, struct hwl_model *model, hwl_error *error);
hwl_status hwl_arch_from_gguf(const struct hwl_gguf *gguf, struct hwl_model *model, hwl_error *error);

#endif
