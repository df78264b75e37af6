/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_DTYPE_TABLE_H
#define HWL_SOURCE_DTYPE_TABLE_H

#include "source/dtype.h"

/* The generated table; dtype.c is its only reader. */
struct hwl_dtype_row {
    struct hwl_dtype_info info;
    const char *others; /* further names, separated by spaces */
};
extern const struct hwl_dtype_row hwl_dtype_rows[HWL_DTYPE_COUNT];

#endif
