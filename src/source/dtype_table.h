/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_DTYPE_TABLE_H
#define HWL_SOURCE_DTYPE_TABLE_H

/* The generated tables; for dtype.c only. */
#include "source/dtype.h"

extern const struct hwl_dtype_info hwl_dtype_table[HWL_DTYPE_COUNT];
extern const unsigned char hwl_dtype_by_ggml[HWL_DTYPE_GGML_COUNT];         /* HWL_DTYPE_NONE: no such type */
extern const char *const hwl_dtype_removed_by_ggml[HWL_DTYPE_GGML_COUNT]; /* NULL: was never removed */

#endif
