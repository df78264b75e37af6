/* SPDX-License-Identifier: Apache-2.0 */
/* What yyjson leaves open: depth, duplicate keys, the wording and place of errors. */
#include "base/json.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* Nesting is checked on the text before anything is allocated: 10^6 brackets must cost nothing. */
static bool too_deep(const char *s, uint64_t n, uint64_t *offset)
{
    unsigned depth = 0;
    bool string = false;
    for (uint64_t i = 0; i < n; i++) {
        if (string) {
            const char *q = memchr(s + i, '"', (size_t)(n - i));
            if (!q)
                return false; /* the parser says where the string should have ended */
            uint64_t end = (uint64_t)(q - s), slashes = 0;
            while (end - slashes > i && s[end - slashes - 1] == '\\')
                slashes++;
            i = end;
            string = slashes % 2 != 0;
            if (string)
                continue;
        } else if (s[i] == '"') {
            string = true;
        } else if (s[i] == '{' || s[i] == '[') {
            if (++depth > HWL_JSON_DEPTH) {
                *offset = i;
                return true;
            }
        } else if (s[i] == '}' || s[i] == ']') {
            depth -= depth > 0;
        }
    }
    return false;
}

struct key {
    const char *p;
    size_t n;
};

static int by_text(const void *x, const void *y)
{
    const struct key *a = x, *b = y;
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return memcmp(a->p, b->p, a->n);
}

/* Sorts the keys of one object: n log n, whatever the file holds. */
static hwl_status object_keys(yyjson_val *obj, const char *file, hwl_error *error)
{
    size_t n = yyjson_obj_size(obj), i, max;
    if (n < 2)
        return HWL_OK;
    struct key *keys = malloc(n * sizeof *keys);
    if (!keys)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    yyjson_val *k, *v;
    yyjson_obj_foreach(obj, i, max, k, v)
    {
        (void)v;
        keys[i] = (struct key){yyjson_get_str(k), yyjson_get_len(k)};
    }
    qsort(keys, n, sizeof *keys, by_text);
    hwl_status status = HWL_OK;
    for (i = 1; i < n && status == HWL_OK; i++)
        if (by_text(&keys[i - 1], &keys[i]) == 0) {
            char text[100];
            size_t len = keys[i].n < sizeof text - 1 ? keys[i].n : sizeof text - 1;
            memcpy(text, keys[i].p, len);
            text[len] = 0;
            status = hwl_fail_at(error, HWL_E_FORMAT, file, HWL_NO_OFFSET, text, "duplicate key");
        }
    free(keys);
    return status;
}

/* Depth is at most HWL_JSON_DEPTH, so recursion is bounded. */
static hwl_status unique(yyjson_val *v, const char *file, hwl_error *error)
{
    size_t i, max;
    yyjson_val *k, *x;
    if (yyjson_is_obj(v)) {
        HWL_TRY(object_keys(v, file, error));
        yyjson_obj_foreach(v, i, max, k, x)
        {
            if (yyjson_is_ctn(x))
                HWL_TRY(unique(x, file, error));
        }
    } else if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, max, x)
        {
            if (!yyjson_is_ctn(x))
                break; /* arrays of numbers are long and flat */
            HWL_TRY(unique(x, file, error));
        }
    }
    return HWL_OK;
}

hwl_status hwl_json_parse(const char *data, uint64_t n, unsigned flags, const char *file, yyjson_doc **out, hwl_error *error)
{
    uint64_t at;
    if (n > SIZE_MAX / 16)
        return hwl_fail_at(error, HWL_E_LIMIT, file, HWL_NO_OFFSET, NULL, "too large a JSON text");
    if (too_deep(data, n, &at))
        return hwl_fail_at(error, HWL_E_LIMIT, file, at, NULL, "JSON nested deeper than %d levels", HWL_JSON_DEPTH);
    yyjson_read_err e;
    yyjson_read_flag f = flags & HWL_JSON_ALLOW_NAN ? YYJSON_READ_ALLOW_INF_AND_NAN : YYJSON_READ_NOFLAG;
    /* Without YYJSON_READ_INSITU the input is only read; the cast is the library's signature. */
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)data, (size_t)n, f, NULL, &e);
    if (!doc) {
        if (e.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
            return hwl_fail_at(error, HWL_E_NOMEM, file, HWL_NO_OFFSET, NULL, "out of memory");
        return hwl_fail_at(error, HWL_E_FORMAT, file, e.pos, NULL, "not valid JSON: %s", e.msg);
    }
    hwl_status status = flags & HWL_JSON_DUPLICATES_REFUSED ? unique(yyjson_doc_get_root(doc), file, error) : HWL_OK;
    if (status != HWL_OK) {
        yyjson_doc_free(doc);
        return status;
    }
    *out = doc;
    return HWL_OK;
}

yyjson_val *hwl_json_get(yyjson_val *obj, const char *key)
{
    size_t i, max, n = strlen(key);
    yyjson_val *k, *v, *found = NULL;
    if (!yyjson_is_obj(obj))
        return NULL;
    yyjson_obj_foreach(obj, i, max, k, v)
    {
        if (yyjson_get_len(k) == n && memcmp(yyjson_get_str(k), key, n) == 0)
            found = v;
    }
    return found;
}
