/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_ENCODER_H
#define HWL_LLAMACPP_ENCODER_H

#include "engine/llamacpp/graph/build.h"

/* Builds an encoder without cache; false: not one of those known here. */
bool hwl_b_encoder(struct hwl_build *b);

#endif
