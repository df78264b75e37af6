/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns of -ot: each row is what std::regex_search with the ECMAScript grammar answers. */
#include "engine/llamacpp/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void answers(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        {"ffn_(up|down).*", "blk.3.ffn_up.weight", true},
        {"ffn_(up|down).*", "blk.3.ffn_gate.weight", false},
        {"blk\\.[02468]\\.ffn_.*", "blk.12.ffn_up.weight", false},
        {"blk\\.[02468]\\.ffn_.*", "blk.2.ffn_up.weight", true},
        {"blk\\.(1[0-9]|2\\d)\\.", "blk.17.attn_q.weight", true},
        {"blk\\.(1[0-9]|2\\d)\\.", "blk.7.attn_q.weight", false},
        {"^output\\.weight$", "output.weight", true},
        {"^output\\.weight$", "attn_output.weight", false},
        {"a{2,3}b", "xaab", true},
        {"a{2,3}b", "xab", false},
        {"(?:ab)+?c", "ababc", true},
        {"foo(?!bar)", "foobar", false},
        {"foo(?=bar)", "foobar", true},
        {"(.)\\1", "abba", true},
        {"\\bexps\\b", "ffn_up_exps.weight", false},
        {"[^.]+exps", "blk.1.ffn_up_exps.weight", true},
        {"", "x", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool m = !rows[i].matches;
        assert_int_equal(hwl_lc_regex(rows[i].pattern, rows[i].text, &m, NULL), HWL_OK);
        assert_int_equal(m, rows[i].matches);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const char *const bad[] = {"(", "[a", "*a", "a)", "a{x}", "\\"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool m;
        assert_int_equal(hwl_lc_regex(bad[i], "abc", &m, NULL), HWL_E_USAGE);
    }
    bool m;
    assert_int_equal(hwl_lc_regex("(a+)+(a+)+(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", &m, NULL), HWL_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
