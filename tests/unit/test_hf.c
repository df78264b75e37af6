/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of encoders, towers and hybrids from a config.json alone. Truth: the class built by transformers 5.24.0 on the
 * meta device, tied matrices once. */
#include "arch/family.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *json;
    uint64_t parameters;
};
static const struct row rows[] = {
#include "../data/hf_parameters.inc"
#include "../data/hf_recipes.inc"
};

static void test_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_error error = {0};
        yyjson_doc *doc = NULL;
        assert_int_equal(hwl_json_parse(rows[i].json, strlen(rows[i].json), 0, "config.json", &doc, &error), HWL_OK);
        struct hwl_model model;
        memset(&model, 0, sizeof model);
        const struct hwl_config root = hwl_config_root(yyjson_doc_get_root(doc), "config.json", &model.arena);
        const hwl_status status = hwl_arch_from_config(&root, &model, &error);
        struct hwl_model_sums sums = {0};
        if (status == HWL_OK)
            assert_int_equal(hwl_model_sum(&model, &sums, &error), HWL_OK);
        if (status != HWL_OK || sums.parameters != rows[i].parameters)
            fail_msg("%.120s: %llu parameters, %llu wanted; %s", rows[i].json, (unsigned long long)sums.parameters,
                     (unsigned long long)rows[i].parameters, error.message);
        hwl_arena_free(&model.arena);
        yyjson_doc_free(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parameters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
