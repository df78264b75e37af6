/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_EXPORT_JSON_TEXT_H
#define HWL_EXPORT_JSON_TEXT_H

#include <hwledger/error.h>

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

/* A string as valid UTF-8: a name from a hostile file may be anything; bytes that are no UTF-8 become '?'. NULL gives null. */
yyjson_mut_val *hwl_json_str(yyjson_mut_doc *doc, const char *s);
/* A figure, or null where it is HWL_UNKNOWN. */
yyjson_mut_val *hwl_json_u64(yyjson_mut_doc *doc, uint64_t n);
/* Member with a static key. False when out of memory; a NULL value too. */
bool hwl_json_add(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, yyjson_mut_val *value);
/* Writes the document and frees it. ok false: out of memory on the way. The text is freed with hwl_text_free. */
hwl_status hwl_json_finish(yyjson_mut_doc *doc, bool ok, char **out, uint64_t *length, hwl_error *error);

#endif
