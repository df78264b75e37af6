/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON and the table of element types. */
#include "unit/tap.h"

#include "base/json.h"
#include "source/dtype.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hwl_status parse(const char *text, uint64_t n, unsigned flags, hwl_error *e)
{
    char *copy = malloc(n ? n : 1);
    memcpy(copy, text, n);
    yyjson_doc *doc = NULL;
    const hwl_status status = hwl_json_parse(copy, n, flags, "f.json", &doc, e);
    assert_true((status == HWL_OK) == (doc != NULL));
    yyjson_doc_free(doc);
    free(copy);
    return status;
}

static void syntax(void **state)
{
    (void)state;
    hwl_error e;
    assert_int_equal(parse("{\"a\": 1}", 8, 0, &e), HWL_OK);
    assert_int_equal(parse("", 0, 0, &e), HWL_E_FORMAT);
    assert_int_equal(parse("{\"a\": 1", 7, 0, &e), HWL_E_FORMAT);
    assert_int_equal(e.offset, 7);
    assert_int_equal(parse("{\"a\": x}", 8, 0, &e), HWL_E_FORMAT);
    assert_int_equal(e.offset, 6);
    assert_string_equal(e.file, "f.json");
    assert_int_equal(parse("{} {}", 5, 0, &e), HWL_E_FORMAT);
    assert_int_equal(parse("\"\xff\"", 3, 0, &e), HWL_E_FORMAT);
    assert_int_equal(parse("\"\0\"", 3, 0, &e), HWL_E_FORMAT);
    assert_int_equal(parse("NaN", 3, 0, &e), HWL_E_FORMAT);
    assert_int_equal(parse("[NaN, -Infinity]", 16, HWL_JSON_ALLOW_NAN, &e), HWL_OK);
}

static void depth(void **state)
{
    (void)state;
    static char text[2000];
    hwl_error e;
    for (unsigned n = 1; n < 1000; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        assert_int_equal(parse(text, 2 * n, HWL_JSON_DUPLICATES_REFUSED, &e), n <= HWL_JSON_DEPTH ? HWL_OK : HWL_E_LIMIT);
        if (n > HWL_JSON_DEPTH)
            assert_int_equal(e.offset, HWL_JSON_DEPTH);
    }
}

/* As Python prints a dict; and JSON is left as it is. */
static void python(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{'a': True, 'b': None, 'c': [1, False]}", "{\"a\": true, \"b\": null, \"c\": [1, false]}"},
        {"{'True': 'it is None'}", "{\"True\": \"it is None\"}"},
        {"{\"it's\": '\"x\"'}", "{\"it's\": \"\\\"x\\\"\"}"},
        {"'it\\'s \\n'", "\"it's \\n\""},
        {"{\"a\": \"b\\\"c\"}", "{\"a\": \"b\\\"c\"}"},
        {"'\\", "\"\\"},
    };
    char out[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(hwl_json_of_python(rows[i][0], out, sizeof out));
        assert_string_equal(out, rows[i][1]);
    }
    assert_false(hwl_json_of_python("0123456789", out, 10));
    assert_true(hwl_json_of_python("012345678", out, 10));
}

static void duplicates(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"a\":1,\"a\":2}", "[1,{\"a\":1,\"b\":2,\"a\":2}]", "{\"x\":{\"\\u0061\":1,\"a\":2}}"};
    hwl_error e;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(parse(bad[i], strlen(bad[i]), 0, &e), HWL_OK);
        assert_int_equal(parse(bad[i], strlen(bad[i]), HWL_JSON_DUPLICATES_REFUSED, &e), HWL_E_FORMAT);
        assert_string_equal(e.key, "a");
    }
    char text[4096] = "{", part[32];
    for (int i = 0; i < 100; i++) {
        snprintf(part, sizeof part, "\"k%d\":0,", i);
        strcat(text, part);
    }
    const size_t n = strlen(text);
    strcpy(text + n, "\"k100\":0}");
    assert_int_equal(parse(text, strlen(text), HWL_JSON_DUPLICATES_REFUSED, &e), HWL_OK);
    strcpy(text + n, "\"k37\":0}");
    assert_int_equal(parse(text, strlen(text), HWL_JSON_DUPLICATES_REFUSED, &e), HWL_E_FORMAT);
    assert_string_equal(e.key, "k37");
    yyjson_doc *doc;
    assert_int_equal(hwl_json_parse("{\"a\":1,\"a\":2}", 13, 0, "f", &doc, &e), HWL_OK);
    assert_int_equal(yyjson_get_uint(hwl_json_get(yyjson_doc_get_root(doc), "a")), 2);
    assert_null(hwl_json_get(yyjson_doc_get_root(doc), "b"));
    yyjson_doc_free(doc);
}

static void dtypes(void **state)
{
    (void)state;
    for (unsigned i = 1; i < HWL_DTYPE_COUNT; i++) {
        const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)i);
        uint64_t bytes;
        assert_int_equal(hwl_dtype_of_name(d->name), i);
        assert_true(d->ggml < 0 || hwl_dtype_of_ggml((uint64_t)d->ggml) == i);
        assert_true(!d->safetensors[0] || hwl_dtype_of_safetensors(hwl_str_of(d->safetensors)) == i);
        assert_true(d->ggml >= 0 || d->safetensors[0]);
        assert_true(hwl_dtype_row((enum hwl_dtype)i, 3 * d->block, &bytes) && bytes == 3 * d->bytes);
        assert_true(d->block == 1 || !hwl_dtype_row((enum hwl_dtype)i, d->block + 1, &bytes));
        assert_false(hwl_dtype_row((enum hwl_dtype)i, UINT64_MAX - UINT64_MAX % d->block, &bytes) && d->bytes > d->block);
    }
    assert_int_equal(hwl_dtype_of_name("torch.bfloat16"), HWL_DTYPE_BF16);
    assert_int_equal(hwl_dtype_of_name("float8_e4m3fn"), HWL_DTYPE_F8_E4M3);
    assert_int_equal(hwl_dtype_of_name("q4_k"), HWL_DTYPE_Q4_K);
    assert_int_equal(hwl_dtype_of_name(""), HWL_DTYPE_NONE);
    assert_int_equal(hwl_dtype_of_name("q4"), HWL_DTYPE_NONE);
    assert_int_equal(hwl_dtype_of_ggml(UINT64_MAX), HWL_DTYPE_NONE);
    assert_int_equal(hwl_dtype_of_ggml(4), HWL_DTYPE_NONE);
    assert_string_equal(hwl_dtype_removed(31), "Q4_0_4_4");
    assert_null(hwl_dtype_removed(2));
    struct hwl_ck ck = {false};
    assert_int_equal(hwl_dtype_bytes(HWL_DTYPE_Q8_0, 33, &ck), 68);
    assert_int_equal(hwl_dtype_bytes(HWL_DTYPE_F4, 3, &ck), 2);
    assert_false(ck.overflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(syntax), cmocka_unit_test(depth), cmocka_unit_test(python), cmocka_unit_test(duplicates), cmocka_unit_test(dtypes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
