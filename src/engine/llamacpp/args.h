/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_ARGS_H
#define HWL_LLAMACPP_ARGS_H

#include "settings/settings.h"

enum { HWL_LC_N_ARGS = 289 };
extern const struct hwl_engine_arg hwl_lc_args[];

#endif
