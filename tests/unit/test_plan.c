/* SPDX-License-Identifier: Apache-2.0 */
/* Plans over an engine made for the test: sums, verdicts, limits, settings, explanation. */
#include "unit/tap.h"

#include "base/status.h"
#include "plan/internal.h"

#include <string.h>

#define WEIGHTS ((uint64_t)6 << 30)
#define PER_TOKEN ((uint64_t)1 << 17)

/* 6 GiB of weights, 128 KiB a token; refuses more than 1,000,000 tokens. */
static hwl_status toy_plan(const struct hwl_model *model, const void *prepared, const char *version, const struct hwl_devices *devices,
                           const struct hwl_settings *settings, struct hwl_ledger *ledger, hwl_error *error)
{
    (void)model, (void)prepared, (void)version, (void)devices;
    uint64_t ctx = hwl_opt_u64(settings, HWL_OPT_CTX, 4096), n = hwl_opt_u64(settings, HWL_OPT_CONCURRENCY, 1);
    if (ctx > 1000000)
        return hwl_fail(error, HWL_E_REFUSED, "too long");
    ledger->context = ctx;
    ledger->concurrency = n;
    ledger->kv_bytes_per_token = PER_TOKEN;
    hwl_entry *w = hwl_ledger_put(ledger, 0, 3, HWL_KIND_WEIGHTS, HWL_COMP_FFN, WEIGHTS, HWL_BASIS_EXACT, "toy");
    w->formula = "{0} x {1} B";
    w->args[0] = 6u << 10;
    w->args[1] = 1u << 20;
    (void)hwl_ledger_put(ledger, 0, -1, HWL_KIND_COMPUTE, HWL_COMP_GRAPH, 0, HWL_BASIS_EXACT, "nothing");
    (void)hwl_ledger_put(ledger, 0, -1, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION, ctx * n * PER_TOKEN, HWL_BASIS_EXACT, "toy");
    hwl_ledger_place(ledger, 0, 0);
    hwl_ledger_place(ledger, 0, 1);
    hwl_ledger_place(ledger, 1, 2);
    hwl_ledger_setting_u64(ledger, "ctx", ctx);
    return HWL_OK;
}

static const char *const versions[] = {"1", NULL};
static const struct hwl_engine toy = {.id = "toy", .versions = versions, .plan = toy_plan};

struct setup {
    struct hwl_model model;
    struct hwl_planner planner;
    struct hwl_devices devices;
    hwl_settings *settings;
};

static void make(struct setup *s, uint64_t gpu_bytes)
{
    memset(s, 0, sizeof *s);
    s->model.context_train = 1u << 17;
    s->planner.model = &s->model;
    s->planner.engine = &toy;
    s->planner.version = versions[0];
    s->devices.n_gpus = 1;
    s->devices.gpu[0].memory_bytes = s->devices.gpu[0].free_bytes = gpu_bytes;
    s->devices.host.memory_bytes = s->devices.host.free_bytes = HWL_UNKNOWN;
    assert_int_equal(hwl_settings_new(&s->settings), HWL_OK);
}

static void sums_come_from_entries(void **state)
{
    (void)state;
    struct setup s;
    make(&s, (uint64_t)24 << 30);
    hwl_plan *p = NULL;
    hwl_error e;
    char buf[128];
    assert_int_equal(hwl_settings_set(s.settings, "ctx", "8k", &e), HWL_OK);
    assert_int_equal(hwl_planner_plan(&s.planner, &s.devices, s.settings, &p, &e), HWL_OK);
    assert_int_equal(hwl_plan_n_entries(p), 2); /* the empty one is gone */
    assert_int_equal(hwl_plan_total(p, HWL_KIND_KV_CACHE), 8192 * PER_TOKEN);
    assert_int_equal(hwl_plan_get_device(p, 0)->used_bytes, WEIGHTS + 8192 * PER_TOKEN);
    assert_int_equal(hwl_plan_get_device(p, 0)->free_bytes, ((uint64_t)24 << 30) - WEIGHTS - 8192 * PER_TOKEN);
    assert_int_equal(hwl_plan_verdict(p), HWL_VERDICT_FITS);
    assert_string_equal(hwl_entry_explain(hwl_plan_entry(p, 0), buf, sizeof buf), "6,144 x 1,048,576 B = 6,442,450,944 B");
    assert_int_equal(hwl_plan_n_placements(p), 2);
    assert_int_equal(hwl_plan_get_placement(p, 0)->last, 1);
    hwl_plan_free(p);
    hwl_settings_free(s.settings);
}

static void verdicts_change_at_the_limits(void **state)
{
    (void)state;
    const uint64_t used = WEIGHTS + 4096 * PER_TOKEN;
    static const struct {
        int64_t more;
        uint64_t scale; /* usable = used * 5 / scale + more */
        hwl_verdict verdict;
    } rows[] = {{0, 5, HWL_VERDICT_TIGHT}, {-1, 5, HWL_VERDICT_EXCEEDS}, {0, 4, HWL_VERDICT_FITS}, {-5, 4, HWL_VERDICT_TIGHT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct setup s;
        make(&s, (uint64_t)((int64_t)(used * 5 / rows[i].scale) + rows[i].more));
        hwl_plan *p = NULL;
        assert_int_equal(hwl_planner_plan(&s.planner, &s.devices, s.settings, &p, NULL), HWL_OK);
        assert_int_equal(hwl_plan_verdict(p), rows[i].verdict);
        hwl_plan_free(p);
        hwl_settings_free(s.settings);
    }
}

static void limits_are_the_last_that_fit(void **state)
{
    (void)state;
    struct setup s;
    make(&s, WEIGHTS + 50000 * PER_TOKEN);
    hwl_limits l;
    assert_int_equal(hwl_planner_limits(&s.planner, &s.devices, s.settings, &l, NULL), HWL_OK);
    assert_int_equal(l.max_context, 50000);
    assert_int_equal(l.max_concurrency, 12); /* 12 x 4096 <= 50000 < 13 x 4096 */
    s.devices.gpu[0].free_bytes = WEIGHTS; /* not even one token */
    assert_int_equal(hwl_planner_limits(&s.planner, &s.devices, s.settings, &l, NULL), HWL_OK);
    assert_int_equal(l.max_context, 0);
    s.devices.gpu[0].free_bytes = (uint64_t)1 << 40; /* never beyond what the model was trained for */
    assert_int_equal(hwl_planner_limits(&s.planner, &s.devices, s.settings, &l, NULL), HWL_OK);
    assert_int_equal(l.max_context, 1u << 17);
    hwl_settings_free(s.settings);
}

static void reserve_and_refusal(void **state)
{
    (void)state;
    struct setup s;
    make(&s, (uint64_t)24 << 30);
    hwl_plan *p = NULL;
    hwl_error e;
    assert_int_equal(hwl_settings_set(s.settings, "reserve", "20GiB", &e), HWL_OK);
    assert_int_equal(hwl_planner_plan(&s.planner, &s.devices, s.settings, &p, &e), HWL_OK);
    assert_int_equal(hwl_plan_verdict(p), HWL_VERDICT_EXCEEDS);
    assert_int_equal(hwl_plan_get_device(p, 0)->free_bytes, 0);
    assert_int_equal(hwl_settings_set(s.settings, "ctx", "2000000", &e), HWL_OK);
    assert_int_equal(hwl_planner_replan(&s.planner, &s.devices, s.settings, p, &e), HWL_E_REFUSED);
    assert_string_equal(e.message, "toy refuses: too long");
    hwl_plan_free(p);
    hwl_settings_free(s.settings);
}

static void settings_are_typed(void **state)
{
    (void)state;
    hwl_settings *s, *copy;
    hwl_error e;
    char buf[64];
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_set(s, "ctx", "many", &e), HWL_E_USAGE);
    assert_int_equal(hwl_settings_set(s, "ctxx", "1", &e), HWL_E_USAGE);
    assert_non_null(strstr(e.message, "did you mean --ctx?"));
    assert_int_equal(hwl_settings_set(s, "gpu-memory-utilization", "0x1", &e), HWL_E_USAGE);
    assert_int_equal(hwl_settings_set(s, "gpu-memory-utilization", "0.9", &e), HWL_OK);
    assert_int_equal(hwl_settings_set(s, "override-tensor", "a=CPU", &e), HWL_OK);
    assert_int_equal(hwl_settings_set(s, "override-tensor", "b=CPU", &e), HWL_OK);
    assert_int_equal(hwl_settings_set(s, "ngl", "-1", &e), HWL_OK);
    assert_int_equal(hwl_settings_copy(s, &copy), HWL_OK);
    assert_int_equal(hwl_settings_clear(s, "ngl", &e), HWL_OK);
    assert_false(hwl_settings_get(s, "ngl", buf, sizeof buf));
    assert_true(hwl_settings_get(copy, "ngl", buf, sizeof buf));
    assert_string_equal(buf, "-1");
    assert_true(hwl_settings_get(copy, "override-tensor", buf, sizeof buf));
    assert_string_equal(buf, "a=CPU,b=CPU");
    hwl_settings_free(s);
    hwl_settings_free(copy);
}

static void engine_command_lines(void **state)
{
    (void)state;
    static const struct hwl_engine_arg table[] = {
        {"c ctx-size", HWL_ARG_VALUE, HWL_OPT_CTX, NULL, false},
        {"ngl gpu-layers n-gpu-layers", HWL_ARG_VALUE, HWL_OPT_NGL, NULL, false},
        {"no-mmap", HWL_ARG_FALSE, HWL_OPT_MMAP, NULL, false},
        {"threads t", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, false},
        {"fit-mib", HWL_ARG_MIB, HWL_OPT_RESERVE, NULL, false},
    };
    const char *good[] = {"-c", "8192", "--n_gpu_layers=99", "--no-mmap", "-t", "8", "--fit-mib", "3"};
    hwl_settings *s;
    hwl_error e;
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_engine_args_parse(s, &(const struct hwl_engine_args){.engine = "toy", .table = table, .n = 5}, 8, good, &e), HWL_OK);
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_CTX, 0), 8192);
    assert_int_equal(hwl_opt_i64(s, HWL_OPT_NGL, 0), 99);
    assert_false(hwl_opt_flag(s, HWL_OPT_MMAP, true));
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_RESERVE, 0), 3 << 20);
    assert_int_equal(s->n_ignored, 1);
    const char *bad[] = {"--ctx-sise", "1"}, *missing[] = {"-c"}, *extra[] = {"--no-mmap=1"};
    assert_int_equal(hwl_engine_args_parse(s, &(const struct hwl_engine_args){.engine = "toy", .table = table, .n = 5}, 2, bad, &e), HWL_E_USAGE);
    assert_non_null(strstr(e.message, "did you mean --ctx-size?"));
    assert_int_equal(hwl_engine_args_parse(s, &(const struct hwl_engine_args){.engine = "toy", .table = table, .n = 5}, 1, missing, &e), HWL_E_USAGE);
    assert_int_equal(hwl_engine_args_parse(s, &(const struct hwl_engine_args){.engine = "toy", .table = table, .n = 5}, 1, extra, &e), HWL_E_USAGE);
    hwl_settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_come_from_entries), cmocka_unit_test(verdicts_change_at_the_limits), cmocka_unit_test(limits_are_the_last_that_fit),
        cmocka_unit_test(reserve_and_refusal),    cmocka_unit_test(settings_are_typed),            cmocka_unit_test(engine_command_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
