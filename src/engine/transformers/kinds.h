/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_TRANSFORMERS_KINDS_H
#define HWL_ENGINE_TRANSFORMERS_KINDS_H

#include "engine/transformers/transformers.h"

/* cache_implementation and what goes with it. */
struct hwl_tf_choice {
    const char *name;
    bool fixed, offloads, quantized;
    bool grouped; /* quantised in groups of one scale and zero point, and not all at once as FP8 */
    uint8_t bits;
};
hwl_status hwl_tf_choose(const struct hwl_model *model, const struct hwl_settings *settings, struct hwl_tf_choice *out, hwl_error *error);
/* Bytes of a layer's keys and values where they are quantised. */
uint64_t hwl_tf_quantized(const struct hwl_tf_choice *choice, const struct hwl_tf_cached *cached, uint64_t sequences, uint64_t dtype,
                          struct hwl_ck *ck);
/* What a layer holds while it takes them back in a step behind the prompt. */
uint64_t hwl_tf_unquantized(const struct hwl_tf_choice *choice, const struct hwl_tf_cached *cached, uint64_t dtype, struct hwl_ck *ck);
/* Is it on the host while other layers run? */
bool hwl_tf_offloaded(const struct hwl_tf_choice *choice, const struct hwl_layer *layer);

#endif
