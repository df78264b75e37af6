/* SPDX-License-Identifier: Apache-2.0 */
/* Which row of llama.cpp's version table a release, a build or a commit is. */
#include "engine/llamacpp/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names(void **state)
{
    static const struct {
        const char *text, *row;
        bool guessed;
    } cases[] = {
        {"v0.5.0", "v0.5.0", false}, {"0.5", "v0.5.0", false}, {"0c1e57098", "v0.5.0", false}, {"0c1e570", "v0.5.0", false},
        {"b11342", "v0.5.0", false}, {"b10832", "b9495", false}, {"9849", "b9495", false}, {"b12000", "v0.5.0", true},
        {"b9494", "b9495", true}, {"b9479", "b9479", false}, {"b9442", "b9442", false}, {"b9403", "b9442", true}, {"b9402", "63d93d173", false}, {"b7896", "63d93d173", false},
        {"63d93d173", "63d93d173", false}, {"b7000", "b7200", false}, {"b7800", "63d93d173", true}, {"b6200", "b7200", true}, {"b6110", "4227c9be4", false}, {"b5900", "4227c9be4", true}, {"8733e0cf6", "b5000", false},
        {"b5781", "b5781", false}, {"b5622", "b5000", false}, {"b4999", "b5000", true}, {"b4553", "b4500", false}, {"b2796", "b4500", true}, {"b2295", "b2295", false}, {"b2294", NULL, false}, {"v0.4.0", NULL, false}, {"63d93d1", "63d93d173", false}, {"63d93d", NULL, false}, {"deadbeef", NULL, false},
        {"", NULL, false}, {"b", NULL, false}, {"b-1", NULL, false}, {"b99999999", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *row = hwl_lc_version(cases[i].text);
        if (!cases[i].row) {
            assert_null(row);
            continue;
        }
        assert_non_null(row);
        assert_string_equal(row, cases[i].row);
        assert_int_equal(hwl_lc_version_guessed(hwl_lc_rules(row), cases[i].text), cases[i].guessed);
    }
}

/* Rows stand newest first, their builds do not overlap, each names itself. */
static void rows(void **state)
{
    (void)state;
    uint32_t below = UINT32_MAX;
    for (const char *const *v = hwl_lc_versions; *v; v++) {
        const struct lc_rules *r = hwl_lc_rules(*v);
        assert_string_equal(r->version, *v);
        assert_string_equal(hwl_lc_version(*v), *v);
        assert_true(r->first <= r->last && r->last < below);
        assert_true(r->pad && r->pad_fa && r->later && r->altered && *r->seen);
        below = r->first;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
