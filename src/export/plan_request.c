/* SPDX-License-Identifier: Apache-2.0 */
/* The question that a plan document answers, read back. */
#include "base/json.h"
#include "base/status.h"

#include <hwledger/search.h>

#include <string.h>

#define WORDS_MAX 1024u

/* A text with a zero inside is no argument. */
static bool is_word(yyjson_val *value)
{
    return yyjson_is_str(value) && strlen(yyjson_get_str(value)) == yyjson_get_len(value);
}

static hwl_status hand_out(yyjson_val *root, bool (*word)(void *user, const char *word), void *user, hwl_error *error)
{
    const char *schema = yyjson_get_str(hwl_json_get(root, "schema"));
    yyjson_val *list = hwl_json_get(root, "request"), *value;
    yyjson_arr_iter it;
    if (!schema || strcmp(schema, "hwledger.plan/1") != 0)
        return hwl_fail_at(error, HWL_E_NOT_FOUND, "", HWL_NO_OFFSET, "schema", "this is no plan document");
    if (!list)
        return hwl_fail_at(error, HWL_E_UNSUPPORTED, "", HWL_NO_OFFSET, "request", "the document does not hold what was asked; a plan file (.hwplan) does");
    if (!yyjson_arr_iter_init(list, &it) || yyjson_arr_size(list) > WORDS_MAX)
        return hwl_fail_at(error, HWL_E_FORMAT, "", HWL_NO_OFFSET, "request", "no list of at most %u words", WORDS_MAX);
    while ((value = yyjson_arr_iter_next(&it))) {
        if (!is_word(value))
            return hwl_fail_at(error, HWL_E_FORMAT, "", HWL_NO_OFFSET, "request", "an item that is no text");
        if (!word(user, yyjson_get_str(value)))
            break;
    }
    return HWL_OK;
}

hwl_status hwl_plan_request(const char *json, uint64_t length, bool (*word)(void *user, const char *word), void *user, hwl_error *error)
{
    yyjson_doc *doc;
    if (hwl_json_parse(json, length, 0, "", &doc, NULL) != HWL_OK)
        return hwl_fail_at(error, HWL_E_NOT_FOUND, "", HWL_NO_OFFSET, "", "this is no plan document");
    const hwl_status status = hand_out(yyjson_doc_get_root(doc), word, user, error);
    yyjson_doc_free(doc);
    return status;
}
