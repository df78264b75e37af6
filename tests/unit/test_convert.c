/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration as the quantised GGUF that it would become: bytes equal to files of the real converter and quantiser. */
#include "unit/tap.h"

#include <hwledger/hwledger.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t planned(const char *name, const char *json, const char *mixture)
{
    hwl_error e;
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner;
    hwl_plan *plan;
    char text[1200];
    if ((json ? hwl_model_from_config(json, strlen(json), name, NULL, &model, &e) : hwl_model_open(name, NULL, &model, &e)) != HWL_OK)
        fail_msg("%s: %s", name, hwl_error_text(&e, text, sizeof text));
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine", "llama.cpp", &e), HWL_OK);
    if (*mixture)
        assert_int_equal(hwl_settings_set(settings, "quant", mixture, &e), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "ctx", "512", &e), HWL_OK);
    if (hwl_planner_new(model, devices, settings, &planner, &e) != HWL_OK)
        fail_msg("%s %s: %s", name, mixture, hwl_error_text(&e, text, sizeof text));
    assert_int_equal(hwl_planner_plan(planner, devices, settings, &plan, &e), HWL_OK);
    const uint64_t bytes = hwl_plan_total(plan, HWL_KIND_WEIGHTS);
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
    return bytes;
}

static void files_have_the_real_size(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/llamacpp/converted.csv", "r");
    char line[256];
    unsigned n = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#')
            continue;
        char *mixture = strchr(line, ','), *bytes = mixture ? strchr(mixture + 1, ',') : NULL;
        assert_non_null(bytes);
        *mixture++ = 0;
        *bytes++ = 0;
        const uint64_t want = strtoull(bytes, NULL, 10), got = planned(line, NULL, mixture);
        if (got != want)
            fail_msg("%s %s: %llu bytes, not %llu", line, mixture, (unsigned long long)got, (unsigned long long)want);
        n++;
    }
    (void)fclose(f);
    assert_in_range(n, 30, 1000);
}

struct row {
    const char *json;
    uint64_t bytes;
};
static const struct row predictors[] = {
#include "../data/llamacpp/mtp.inc"
};

/* Layers for multi-token prediction are in the file or not, and the loader skips them or part of them, by family. */
static void predictors_are_loaded_as_the_library_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof predictors / sizeof *predictors; i++) {
        const uint64_t got = planned("test", predictors[i].json, "Q4_K_M");
        if (got != predictors[i].bytes)
            fail_msg("%.160s: %llu bytes, not %llu", predictors[i].json, (unsigned long long)got, (unsigned long long)predictors[i].bytes);
    }
}

/* Experts that are stored as MXFP4 stay so in the file (conversion/gpt_oss.py): 17 bytes for 32 elements, the rest 16 bits and f32. */
static void stored_mxfp4_is_kept(void **state)
{
    (void)state;
    const uint64_t experts = 24ull * 3 * 32 * 2880 * 2880, rest = 20914757184 - experts, got = planned("gpt-oss-20b", NULL, "");
    assert_in_range(got, experts / 32 * 17 + rest * 2, experts / 32 * 17 + rest * 2 + rest / 50); /* norms, biases and routers are f32 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_have_the_real_size), cmocka_unit_test(predictors_are_loaded_as_the_library_does),
                                       cmocka_unit_test(stored_mxfp4_is_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
