/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_RECURRENT_H
#define HWL_LLAMACPP_RECURRENT_H

#include "engine/llamacpp/graph/build.h"

/* Builds a model with recurrent state; false: not one of those known here. */
bool hwl_b_recurrent(struct hwl_build *b);

#endif
