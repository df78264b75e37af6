/* SPDX-License-Identifier: Apache-2.0 */
/* Tensor inventories of text decoders against what transformers builds from the same configuration. */
#include "arch/family.h"
#include "base/file.h"
#include "base/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static bool has_tensor(const struct hwl_model *m, const char *line)
{
    char text[512];
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct hwl_tensor *t = &m->tensors[i];
        int n = snprintf(text, sizeof text, "%s", t->name);
        for (uint32_t k = 0; k < t->n_dims; k++)
            n += snprintf(text + n, sizeof text - (size_t)n, " %llu", (unsigned long long)t->dims[k]);
        if (strcmp(text, line) == 0)
            return true;
    }
    return false;
}

static hwl_status read_model(yyjson_val *config, bool generic, struct hwl_arena *arena, struct hwl_model *m, hwl_error *e)
{
    const struct hwl_config c = hwl_config_root(config, "config.json", arena);
    *m = (struct hwl_model){.generic = generic};
    return hwl_arch_from_config(&c, m, e);
}

static void compares_with_transformers(void **state)
{
    (void)state;
    char *data;
    uint64_t n;
    hwl_error e = {0};
    yyjson_doc *doc;
    assert_int_equal(hwl_file_read(HWL_TEST_DATA "/inventory/text.json", 1u << 24, &data, &n, &e), HWL_OK);
    assert_int_equal(hwl_json_parse(data, n, 0, "text.json", &doc, &e), HWL_OK);
    yyjson_val *row, *name;
    size_t i, max, j, names, failures = 0;
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "cases"), i, max, row)
    {
        struct hwl_arena arena = {0};
        struct hwl_model m;
        struct hwl_model_sums sums = {0};
        yyjson_val *config = yyjson_obj_get(row, "config");
        const char *type = yyjson_get_str(yyjson_obj_get(config, "model_type"));
        hwl_status s = read_model(config, false, &arena, &m, &e);
        if (s == HWL_OK)
            s = hwl_model_sum(&m, &sums, &e);
        const uint64_t want = yyjson_get_uint(yyjson_obj_get(row, "total"));
        if (s != HWL_OK || sums.parameters != want) {
            print_error("case %zu %s: %s: %llu, transformers %llu\n", i, type, e.message, (unsigned long long)sums.parameters,
                        (unsigned long long)want);
            failures++;
        }
        yyjson_arr_foreach(yyjson_obj_get(row, "tensors"), j, names, name)
        {
            if (!has_tensor(&m, yyjson_get_str(name))) {
                print_error("case %zu %s: no %s\n", i, type, yyjson_get_str(name));
                failures++;
            }
        }
        hwl_arena_free(&arena);
        hwl_arena_free(&m.arena);
    }
    assert_true(max > 100);
    assert_int_equal(failures, 0);
    yyjson_doc_free(doc);
    free(data);
}

static uint64_t total_of(const char *json, bool generic, hwl_status *status, hwl_error *e, struct hwl_model_sums *sums)
{
    yyjson_doc *doc;
    assert_int_equal(hwl_json_parse(json, strlen(json), 0, "config.json", &doc, e), HWL_OK);
    struct hwl_arena arena = {0};
    struct hwl_model m;
    *status = read_model(yyjson_doc_get_root(doc), generic, &arena, &m, e);
    *sums = (struct hwl_model_sums){0};
    if (*status == HWL_OK) {
        assert_int_equal(hwl_model_sum(&m, sums, e), HWL_OK);
        assert_true(m.generic == generic);
    }
    hwl_arena_free(&arena);
    hwl_arena_free(&m.arena);
    yyjson_doc_free(doc);
    return sums->parameters;
}

/* Figures of the published models (design/contract, section 5). */
static void known_totals(void **state)
{
    (void)state;
    hwl_error e = {0};
    hwl_status s;
    struct hwl_model_sums sums;
    assert_int_equal(total_of("{\"model_type\":\"llama\",\"hidden_size\":4096,\"intermediate_size\":14336,\"num_attention_heads\":32,"
                              "\"num_hidden_layers\":32,\"num_key_value_heads\":8,\"vocab_size\":128256,\"tie_word_embeddings\":false}",
                              false, &s, &e, &sums),
                     UINT64_C(8030261248));
    assert_int_equal(total_of("{\"model_type\":\"mixtral\",\"vocab_size\":32000}", false, &s, &e, &sums), UINT64_C(46702792704));
    assert_int_equal(sums.active, UINT64_C(12879925248));
}

static void unknown_families(void **state)
{
    (void)state;
    hwl_error e = {0};
    hwl_status s;
    struct hwl_model_sums sums;
    (void)total_of("{\"model_type\":\"lama\",\"hidden_size\":64}", false, &s, &e, &sums);
    assert_int_equal(s, HWL_E_UNSUPPORTED);
    assert_non_null(strstr(e.message, "llama"));
    (void)total_of("{\"model_type\":\"fable\"}", true, &s, &e, &sums);
    assert_int_equal(s, HWL_E_FORMAT);
    assert_non_null(strstr(e.message, "hidden_size"));
    assert_non_null(strstr(e.message, "num_hidden_layers"));
    assert_non_null(strstr(e.message, "num_attention_heads"));
    /* 2 layers: 4 x 64 x 64 attention, 3 x 64 x 128 feed-forward, two norms; embedding, output and last norm */
    assert_int_equal(total_of("{\"model_type\":\"fable\",\"hidden_size\":64,\"num_hidden_layers\":2,\"num_attention_heads\":4,"
                              "\"vocab_size\":100,\"intermediate_size\":128}",
                              true, &s, &e, &sums),
                     2 * (4 * 64 * 64 + 3 * 64 * 128 + 2 * 64) + 2 * 100 * 64 + 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_with_transformers),
        cmocka_unit_test(known_totals),
        cmocka_unit_test(unknown_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
