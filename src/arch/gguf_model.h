/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_GGUF_MODEL_H
#define HWL_ARCH_GGUF_MODEL_H

#include "arch/model.h"
#include "source/gguf.h"

/* Role of a GGUF tensor by its name without "blk.N." and without the last part (".weight", ".bias"). */
enum hwl_role hwl_gguf_role(struct hwl_str base);
/* Component of that role, a hwl_component. */
uint8_t hwl_gguf_component(struct hwl_str base);
/* Splits "blk.12.attn_q.weight" into layer 12, base "attn_q", suffix "weight"; layer -1 where the name has no number part. */
void hwl_gguf_split_name(struct hwl_str name, int64_t *layer, struct hwl_str *base, struct hwl_str *suffix);

/* Describes a GGUF neutrally. model->arena is used and may hold the gguf already; model->gguf is set. */
hwl_status hwl_arch_from_gguf(const struct hwl_gguf *gguf, struct hwl_model *model, hwl_error *error);

#endif
