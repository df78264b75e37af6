/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_LLAMACPP_QUANT_RULES_H
#define HWL_ENGINE_LLAMACPP_QUANT_RULES_H

#include "source/gguf.h"

/* Which type each tensor gets when llama-quantize makes a file of a given mixture, without an importance matrix. */

/* A mixture by its name ("Q4_K_M", "iq3_xxs", "MXFP4_MOE"; "Q4_K" and "MXFP4" are usual short forms); -1 unknown.
 * The number is llama.cpp's own (include/llama.h, llama_ftype). */
int hwl_lc_ftype(const char *name);
/* The type that most of the file's matrices get. */
enum hwl_dtype hwl_lc_ftype_default(int ftype);
/* All mixtures as words, for messages. */
const char *hwl_lc_ftype_list(void);

/* False: left as it is whatever the mixture; vectors, norms, routers and what is too small or too delicate. */
bool hwl_lc_may_quantise(const struct hwl_gguf_tensor *tensor);

/* Sets the types, sizes and offsets of gguf's tensors as llama-quantize would. gguf must be one that was made in memory or
 * copied (its tensor array is written). HWL_E_USAGE: a mixture that cannot be. */
hwl_status hwl_lc_quantise(struct hwl_gguf *gguf, int ftype, struct hwl_arena *arena, hwl_error *error);

#endif
