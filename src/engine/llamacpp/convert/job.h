/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_LLAMACPP_CONVERT_JOB_H
#define HWL_ENGINE_LLAMACPP_CONVERT_JOB_H

#include "base/status.h"
#include "engine/llamacpp/convert/family.h"
#include "source/gguf.h"

/* One conversion under way. */
struct lc_job {
    const struct hwl_model *model;
    const struct lc_family *family;
    struct hwl_gguf *gguf;
    struct hwl_arena *arena;
    hwl_error *error;
};

/* Everything that the family's loader asks for. */
hwl_status hwl_lc_put_metadata(struct lc_job *job);

#endif
