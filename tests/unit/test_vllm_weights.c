/* SPDX-License-Identifier: Apache-2.0 */
/* Weights on a rank against those of vLLM's own classes, for every catalogue model that was asked. */
#include <hwledger/hwledger.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define WITHIN 1000 /* a thousandth: what the classes round beside the rule */

static uint64_t planned(const char *name, unsigned tp)
{
    hwl_error e = {0};
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner;
    hwl_plan *plan;
    char gpus[32], degree[16];
    snprintf(gpus, sizeof gpus, "H100-80GBx%u", tp);
    snprintf(degree, sizeof degree, "%u", tp);
    if (hwl_model_open(name, NULL, &model, &e) != HWL_OK)
        fail_msg("%s", e.message);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, gpus, &e), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine", "vllm", &e), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine-version", "0.33.0", &e), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "tp", degree, &e), HWL_OK);
    assert_int_equal(hwl_planner_new(model, devices, settings, &planner, &e), HWL_OK);
    if (hwl_planner_plan(planner, devices, settings, &plan, &e) != HWL_OK)
        fail_msg("%s: %s", name, e.message);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < hwl_plan_n_entries(plan); i++) {
        const hwl_entry *entry = hwl_plan_entry(plan, i);
        sum += entry->device == 0 && entry->kind == HWL_KIND_WEIGHTS ? entry->bytes : 0;
    }
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
    return sum;
}

static void as_the_classes(void **state)
{
    (void)state;
    char line[512], name[256];
    FILE *f = fopen(HWL_TEST_DATA "/vllm/weights.txt", "r");
    assert_non_null(f);
    unsigned rows = 0, off = 0, tp;
    uint64_t held, copies;
    while (fgets(line, sizeof line, f)) {
        if (*line == '#')
            continue;
        assert_int_equal(sscanf(line, "%255s %u %" SCNu64 " %" SCNu64, name, &tp, &held, &copies), 4);
        const uint64_t want = held + copies, got = planned(name, tp), apart = got > want ? got - want : want - got;
        if (apart > want / WITHIN) {
            print_error("%s on %u: %" PRIu64 ", not %" PRIu64 "\n", name, tp, got, want);
            off++;
        }
        rows++;
    }
    (void)fclose(f);
    assert_int_equal(off, 0);
    assert_true(rows > 140);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_the_classes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
