/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_CATALOGUE_H
#define HWL_SOURCE_CATALOGUE_H

#include <hwledger/model.h>

/* The embedded model catalogue: configurations as text, read by the same reader as a file. */
struct hwl_catalogue_row {
    hwl_catalogue_model model;
    uint32_t n;
    const char *config; /* n bytes of JSON */
};

extern const struct hwl_catalogue_row hwl_catalogue_table[];
extern const uint32_t hwl_catalogue_n;

/* By name, alias or id, without case and separators; NULL when there is none. */
const struct hwl_catalogue_row *hwl_catalogue_find(const char *name);
/* The name nearest to a mistyped one, or NULL when none is near. */
const char *hwl_catalogue_nearest(const char *name);

#endif
