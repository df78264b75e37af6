/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_CLIP_H
#define HWL_LLAMACPP_CLIP_H

#include "base/arena.h"
#include "source/gguf.h"

/* Compute buffers that an image projector reserves when it is loaded, for its own warm-up image. */
struct lc_clip {
    uint64_t device, host; /* bytes; without a GPU all is in host */
    uint32_t side;         /* of that image in pixels */
    bool known;            /* this kind of projector is built as the engine builds it; else the tower alone, an estimate */
};

/* False: no image tower in it, or one whose graph cannot be built. */
bool hwl_lc_clip(const struct hwl_gguf *file, bool gpu, struct hwl_arena *scratch, struct lc_clip *out);

#endif
