/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_BASE_JSON_H
#define HWL_BASE_JSON_H

#include <hwledger/error.h>

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

/* A thin strict reader over yyjson: length-bounded input, UTF-8 checked, depth capped, exact u64/i64, an explicit
 * policy for duplicate keys, NaN and Infinity only on request, the byte position in every syntax error. */

#define HWL_JSON_DEPTH 64

enum hwl_json_flags {
    HWL_JSON_DUPLICATES_REFUSED = 1, /* safetensors, indexes: an error; otherwise the last one wins, as Python reads */
    HWL_JSON_ALLOW_NAN = 2,          /* configurations written by Python may hold them */
};

/* The caller frees *out with yyjson_doc_free. Strings live in the document. Memory used is proportional to n. */
hwl_status hwl_json_parse(const char *data, uint64_t n, unsigned flags, const char *file, yyjson_doc **out, hwl_error *error);

/* The JSON of a Python literal as dict and list print themselves: quotes ', True, False and None. JSON stays as it is.
 * false: more than size bytes. */
bool hwl_json_of_python(const char *text, char *out, uint64_t size);

/* Member of an object, the last one where it is repeated; NULL when absent or obj is no object. */
yyjson_val *hwl_json_get(yyjson_val *obj, const char *key);

#endif
