/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_JSON_H
#define HWL_VIEW_JSON_H

#include <hwledger/hwledger.h>

#include <stdio.h>

/* A document {"schema": ..., LIST: [rows], ...} written as it comes. Keys are plain ASCII; values may be any bytes. */
struct hwl_view_json {
    FILE *out;
    uint64_t n_rows, n_members;
};

void hwl_view_json_begin(struct hwl_view_json *j, FILE *out, const char *schema, const char *list);
void hwl_view_json_row(struct hwl_view_json *j); /* starts an object; the one before is closed */
void hwl_view_json_text(struct hwl_view_json *j, const char *name, const char *value);  /* NULL: null */
void hwl_view_json_number(struct hwl_view_json *j, const char *name, uint64_t value);   /* HWL_UNKNOWN: null */
void hwl_view_json_words(struct hwl_view_json *j, const char *name, const char *value); /* comma separated: an array */
void hwl_view_json_list(struct hwl_view_json *j, const char *list); /* ends the list before and begins another */
void hwl_view_json_end(struct hwl_view_json *j);

#endif
