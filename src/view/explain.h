/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_EXPLAIN_H
#define HWL_VIEW_EXPLAIN_H

#include "view/model.h"

/* Why a figure is what it is: the entries behind it, runs of layers that are alike as one line. */
struct hwl_view_filter {
    int32_t first_device, end_device; /* [first, end); end 0: all */
    int32_t kind;                     /* hwl_kind, or -1 */
    int32_t row;                      /* hwl_heat_row, or -1 */
    int32_t first_layer, last_layer;  /* last -1: all */
};
#define HWL_VIEW_ALL ((struct hwl_view_filter){0, 0, -1, -1, 0, -1})

struct hwl_view_line {
    const hwl_entry *entry;     /* the first of the run */
    const char *device;         /* id */
    int32_t first_layer, last_layer; /* -1: not of a layer */
    uint32_t n;                 /* entries in the run */
    uint64_t bytes;             /* of all of them */
    char what[64];              /* "KV cache, attention, layers 0-31" */
    char formula[400];          /* of one entry, with numbers */
    char basis[64];             /* "exact", "modelled, within 2 %" */
};
/* Calls line for each; false from it stops. Returns the bytes of all. */
uint64_t hwl_view_explain(const hwl_plan *plan, const struct hwl_view_filter *filter,
                          bool (*line)(void *user, const struct hwl_view_line *line), void *user);

#endif
