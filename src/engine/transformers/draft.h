/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_TRANSFORMERS_DRAFT_H
#define HWL_ENGINE_TRANSFORMERS_DRAFT_H

#include "engine/transformers/transformers.h"

/* Opens the assistant that --draft names; *prepared is its model, or NULL. */
hwl_status hwl_tf_prepare(const struct hwl_model *model, const char *version, const hwl_settings *settings, struct hwl_arena *arena,
                          void **prepared, hwl_error *error);
void hwl_tf_release(void *prepared);

struct hwl_tf_draft {
    const struct hwl_tf_types *types; /* of the model itself */
    uint64_t ctx, sequences;
    bool fixed;
    uint16_t device, head; /* where the assistant stands; where the model's head does */
};
hwl_status hwl_tf_put_draft(const struct hwl_model *draft, const struct hwl_model *model, const struct hwl_settings *settings,
                            const struct hwl_tf_draft *at, struct hwl_ledger *ledger, struct hwl_ck *ck, hwl_error *error);

#endif
