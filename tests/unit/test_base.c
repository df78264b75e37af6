/* SPDX-License-Identifier: Apache-2.0 */
/* Checked arithmetic, sizes as text, arena, errors. */
#include "unit/tap.h"

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <string.h>

static void arithmetic_is_checked(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_true(hwl_add(&v, UINT64_MAX - 1, 1));
    assert_true(v == UINT64_MAX);
    v = 7;
    assert_false(hwl_add(&v, UINT64_MAX, 1));
    assert_int_equal(v, 7); /* left alone */
    assert_false(hwl_mul(&v, (uint64_t)1 << 32, (uint64_t)1 << 32));
    assert_true(hwl_mul(&v, UINT64_MAX, 1));
    assert_true(v == UINT64_MAX);
    assert_int_equal(hwl_div_ceil(0, 5), 0);
    assert_int_equal(hwl_div_ceil(11, 5), 3);
    assert_true(hwl_div_ceil(UINT64_MAX, 2) == (uint64_t)1 << 63);
    assert_true(hwl_align_up(&v, 129, 128));
    assert_int_equal(v, 256);
    assert_false(hwl_align_up(&v, UINT64_MAX, 128));
}

static void sticky_overflow_stays(void **state)
{
    (void)state;
    struct hwl_ck ck = {false};
    assert_int_equal(hwl_ck_mul4(&ck, 2, 3, 5, 7), 210);
    assert_int_equal(hwl_ck_align(&ck, 210, 32), 224);
    assert_false(ck.overflow);
    (void)hwl_ck_sub(&ck, 1, 2);
    assert_true(ck.overflow);
    assert_true(hwl_ck_add(&ck, 1, 1) == UINT64_MAX);
    assert_true(hwl_ck_mul(&ck, 0, 1) == UINT64_MAX); /* even times 0 */
}

static void sizes_from_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint64_t bytes;
    } rows[] = {
        {"0", true, 0},
        {"85029158912", true, 85029158912u},
        {"24GiB", true, (uint64_t)24 << 30},
        {"24Gi", true, (uint64_t)24 << 30},
        {"80G", true, 80000000000u},
        {"80gb", true, 80000000000u},
        {"1.5KiB", true, 1536},
        {"0.1K", true, 100},
        {"23.5 GiB", true, (uint64_t)47 << 29},
        {"4TiB", true, (uint64_t)4 << 40},
        {"512B", true, 512},
        {"", false, 0},
        {"GiB", false, 0},
        {"-1", false, 0},
        {"1.", false, 0},
        {"1Q", false, 0},
        {"1GiBx", false, 0},
        {"99999999999999999999", false, 0},
        {"17179869184GiB", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t v = 1;
        bool ok = hwl_text_bytes(rows[i].text, &v);
        if (ok != rows[i].ok || (ok && v != rows[i].bytes))
            fail_msg("'%s': %d %llu", rows[i].text, ok, (unsigned long long)v);
    }
}

static void counts_are_binary(void **state)
{
    (void)state;
    uint64_t v;
    assert_true(hwl_text_count("32k", &v));
    assert_int_equal(v, 32768);
    assert_true(hwl_text_count("1M", &v));
    assert_int_equal(v, 1048576);
    assert_false(hwl_text_count("32kB", &v));
    assert_false(hwl_text_count("-1", &v));
    assert_false(hwl_text_count("18446744073709551615k", &v));
}

static void sizes_to_text(void **state)
{
    (void)state;
    char buf[32];
    assert_string_equal(hwl_bytes_text(1023, buf, sizeof buf), "1023 B");
    assert_string_equal(hwl_bytes_text(1536, buf, sizeof buf), "1.50 KiB");
    assert_string_equal(hwl_bytes_text(85029158912u, buf, sizeof buf), "79.19 GiB");
    assert_string_equal(hwl_bytes_text(1048575, buf, sizeof buf), "1.00 MiB"); /* never 1024.00 KiB */
    assert_string_equal(hwl_count_text(0, buf, sizeof buf), "0");
    assert_string_equal(hwl_count_text(1234567, buf, sizeof buf), "1,234,567");
    assert_string_equal(hwl_count_text(UINT64_MAX, buf, sizeof buf), "18,446,744,073,709,551,615");
}

static void nearest_names(void **state)
{
    (void)state;
    assert_int_equal(hwl_text_distance("kv-typ", "kv-type", 3), 1);
    assert_int_equal(hwl_text_distance("ABC", "abc", 3), 0);
    assert_int_equal(hwl_text_distance("abcdefgh", "zzzzzzzz", 3), 4);
    assert_true(hwl_words_have("llama mistral qwen2", "mistral"));
    assert_false(hwl_words_have("llama mistral qwen2", "qwen"));
    assert_false(hwl_words_have("llama", ""));
}

static void arena_limits_and_reset(void **state)
{
    (void)state;
    struct hwl_arena a = {0};
    a.limit = 1000;
    char *s = hwl_arena_str(&a, "weights");
    assert_string_equal(s, "weights");
    assert_null(hwl_arena_alloc(&a, 4096));
    assert_null(hwl_arena_array(&a, UINT64_MAX / 2, 16));
    assert_string_equal(hwl_arena_printf(&a, "%d of %s", 3, "x"), "3 of x");
    uint64_t cap = 0;
    uint32_t *list = hwl_arena_grow(&a, NULL, &cap, 5, sizeof *list);
    assert_non_null(list);
    assert_true(cap >= 5);
    list[4] = 9;
    list = hwl_arena_grow(&a, list, &cap, cap + 1, sizeof *list);
    assert_int_equal(list[4], 9);
    hwl_arena_reset(&a);
    assert_int_equal(a.total, 0);
    unsigned char *zero = hwl_arena_alloc(&a, 64);
    for (int i = 0; i < 64; i++)
        assert_int_equal(zero[i], 0); /* reused memory is clean */
    hwl_arena_free(&a);
}

static void errors_are_one_clean_line(void **state)
{
    (void)state;
    hwl_error e;
    char buf[1200];
    assert_int_equal(hwl_fail_at(&e, HWL_E_FORMAT, "a\nb", 12, "k\x1b[31m", "bad\r\nvalue %d", 5), HWL_E_FORMAT);
    const char *text = hwl_error_text(&e, buf, sizeof buf);
    assert_null(strpbrk(text, "\r\n\x1b"));
    assert_string_equal(text, "a?b: bad??value 5, at k?[31m (byte 12)");
    assert_int_equal(hwl_fail(NULL, HWL_E_NOMEM, "no record asked for"), HWL_E_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_is_checked), cmocka_unit_test(sticky_overflow_stays),      cmocka_unit_test(sizes_from_text),
        cmocka_unit_test(counts_are_binary),     cmocka_unit_test(sizes_to_text),              cmocka_unit_test(nearest_names),
        cmocka_unit_test(arena_limits_and_reset), cmocka_unit_test(errors_are_one_clean_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
