/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: what the documents share. */
#include "export/json_text.h"

#include "base/status.h"

#include <hwledger/device.h>
#include <hwledger/model.h>

#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 sequence at s, 0 where there is none (RFC 3629: no overlong forms, no surrogates). */
static size_t sequence(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

yyjson_mut_val *hwl_json_str(yyjson_mut_doc *doc, const char *s)
{
    if (!s)
        return yyjson_mut_null(doc);
    bool clean = true;
    for (const unsigned char *p = (const unsigned char *)s; *p && clean;) {
        size_t n = sequence(p);
        clean = n > 0;
        p += n;
    }
    if (clean)
        return yyjson_mut_strcpy(doc, s);
    char *copy = strdup(s);
    if (!copy)
        return NULL;
    for (unsigned char *p = (unsigned char *)copy; *p;) {
        size_t n = sequence(p);
        if (!n) {
            *p = '?';
            n = 1;
        }
        p += n;
    }
    yyjson_mut_val *v = yyjson_mut_strcpy(doc, copy);
    free(copy);
    return v;
}

yyjson_mut_val *hwl_json_u64(yyjson_mut_doc *doc, uint64_t n)
{
    return n == HWL_UNKNOWN ? yyjson_mut_null(doc) : yyjson_mut_uint(doc, n);
}

bool hwl_json_add(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, yyjson_mut_val *value)
{
    return value && yyjson_mut_obj_add_val(doc, object, key, value);
}

hwl_status hwl_json_finish(yyjson_mut_doc *doc, bool ok, char **out, uint64_t *length, hwl_error *error)
{
    size_t n = 0;
    char *text = ok ? yyjson_mut_write(doc, YYJSON_WRITE_PRETTY_TWO_SPACES | YYJSON_WRITE_NEWLINE_AT_END, &n) : NULL;
    yyjson_mut_doc_free(doc);
    if (!text)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory while writing JSON");
    *out = text;
    if (length)
        *length = n;
    return HWL_OK;
}

void hwl_text_free(char *text)
{
    free(text);
}
