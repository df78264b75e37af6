/* SPDX-License-Identifier: Apache-2.0 */
/* Ten minutes of history, and what the command line of an engine asks for. */
#include "view/live.h"
#include "view/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/tap.h"

static void history(void **state)
{
    (void)state;
    const hwl_probe_options options = {.nvml = FAKE_NVML};
    hwl_monitor *m = NULL;
    hwl_error error;
    struct hwl_live *live = calloc(1, sizeof *live);
    assert_non_null(live);
    assert_int_equal(hwl_monitor_open(&options, &m, &error), HWL_OK);
    assert_int_equal(hwl_monitor_sample(m, &error), HWL_OK);
    assert_true(hwl_live_at(live, 0, 0) == HWL_UNKNOWN);
    hwl_live_add(live, m, 1000);
    hwl_live_add(live, m, 1003);
    assert_true(hwl_live_at(live, 0, 0) == 1ull << 30 && hwl_live_at(live, 0, 3) == 1ull << 30);
    assert_true(hwl_live_at(live, 0, 1) == HWL_UNKNOWN && hwl_live_at(live, 0, 2) == HWL_UNKNOWN && hwl_live_at(live, 0, 4) == HWL_UNKNOWN);
    assert_true(hwl_live_most(live, 0, 0, 10) == 1ull << 30 && hwl_live_most(live, 0, 4, 50) == HWL_UNKNOWN);
    hwl_live_add(live, m, 1003 + 599); /* the ring comes round: the old points are gone but for the oldest */
    assert_true(hwl_live_at(live, 0, 599) == 1ull << 30 && hwl_live_at(live, 0, 598) == HWL_UNKNOWN && hwl_live_at(live, 0, 600) == HWL_UNKNOWN);
    hwl_live_add(live, m, 9000);
    assert_true(hwl_live_at(live, 0, 0) == 1ull << 30 && hwl_live_most(live, 0, 1, 599) == HWL_UNKNOWN);
    hwl_live_add(live, m, 5); /* a clock that went back starts anew */
    assert_true(hwl_live_at(live, 0, 0) == 1ull << 30 && hwl_live_most(live, 0, 1, 599) == HWL_UNKNOWN);
    hwl_monitor_close(m);
    free(live);
}

#define COMMAND(...) __VA_ARGS__ "\0"

static void requests(void **state)
{
    (void)state;
    static const struct {
        const char *engine, *command;
        bool told;
        const char *model, *option, *value;
    } rows[] = {
        {"llama.cpp", COMMAND("llama-server\0-m\0/m/a.gguf\0-c\0" "8192\0-ngl\0" "20\0"), true, "/m/a.gguf", "ngl", "20"},
        {"llama.cpp", COMMAND("llama-server\0--model=/m/a.gguf\0-ctk\0q8_0\0"), true, "/m/a.gguf", "kv-type", "q8_0"},
        {"llama.cpp", COMMAND("llama-server\0-hf\0org/name\0"), false, "", "", ""},
        {"llama.cpp", COMMAND("llama-server\0"), false, "", "", ""},
        {"vllm", COMMAND("/usr/bin/python3\0/usr/bin/vllm\0serve\0org/name\0--tensor-parallel-size\0" "2\0"), true, "org/name", "tp", "2"},
        {"vllm", COMMAND("VLLM::EngineCore\0"), false, "", "", ""},
        {"tgi", COMMAND("text-generation-launcher\0--model-id\0org/name\0--num-shard\0" "2\0"), true, "org/name", "tp", "2"},
        {NULL, COMMAND("train\0-m\0x\0"), false, "", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const hwl_monitor_process p = {.engine = rows[i].engine, .command = rows[i].command};
        hwl_settings *s = NULL;
        char model[64], text[64];
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        if (hwl_live_request(&p, s, model, sizeof model) != rows[i].told)
            fail_msg("row %zu: told is %d, model '%s'", i, !rows[i].told, model);
        if (rows[i].told) {
            assert_string_equal(model, rows[i].model);
            assert_true(hwl_settings_get(s, rows[i].option, text, sizeof text));
            assert_int_equal(strncmp(text, rows[i].value, strlen(rows[i].value)), 0);
        }
        hwl_settings_free(s);
    }
}

static void differences(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(hwl_live_difference(100, 101, text, sizeof text), "+1.0 %");
    assert_string_equal(hwl_live_difference(1000, 990, text, sizeof text), "-1.0 %");
    assert_string_equal(hwl_live_difference(100, HWL_UNKNOWN, text, sizeof text), "unknown");
    assert_string_equal(hwl_live_difference(0, 5, text, sizeof text), "unknown");
}

static void words(void **state)
{
    (void)state;
    const hwl_probe_options options = {.nvml = FAKE_NVML};
    struct hwl_watch *w = calloc(1, sizeof *w);
    struct hwl_watch_row row;
    char text[320];
    assert_non_null(w);
    assert_false(hwl_watch_row(w, 0, &row));
    assert_string_equal(hwl_watch_plan(w, text, sizeof text), "");
    assert_int_equal(hwl_monitor_open(&options, &w->monitor, NULL), HWL_OK);
    assert_int_equal(hwl_monitor_sample(w->monitor, NULL), HWL_OK);
    const hwl_monitor_device *gpu = hwl_monitor_get_device(w->monitor, 0), *old = hwl_monitor_get_device(w->monitor, 1);
    assert_string_equal(hwl_watch_figures(gpu, text, sizeof text), "busy 87 %  41 C  123 of 700 W");
    assert_string_equal(hwl_watch_figures(old, text, sizeof text), "");
    assert_string_equal(hwl_watch_memory(old, text, sizeof text), "1.00 GiB used, 7.00 GiB free of 8.00 GiB (13 %)");
    assert_string_equal(hwl_watch_sentence(gpu, text, sizeof text),
                        "gpu0: 1,073,741,824 bytes used, 491,651,072 bytes reserved by the driver, 83,955,417,088 bytes free of 85,520,809,984 bytes "
                        "(2 %)  busy 87 %  41 C  123 of 700 W");
    assert_string_equal(hwl_watch_room(old, HWL_UNKNOWN, text, sizeof text), "The plan is for other devices.");
    assert_string_equal(hwl_watch_room(old, 6ull << 30, text, sizeof text), "The plan takes 6.00 GiB here; 1.00 GiB would be left.");
    assert_string_equal(hwl_watch_room(old, 8ull << 30, text, sizeof text), "The plan takes 8.00 GiB here; 1.00 GiB more than is free now.");
    /* a plan of the first process: 1 GiB on its card, and 2 GiB where the driver sees nothing of it */
    w->planned_pid = 4711;
    w->n_planned = 2;
    w->planned[0] = 1ull << 30;
    w->planned[1] = 2ull << 30;
    assert_true(hwl_watch_row(w, 0, &row));
    assert_string_equal(row.device, "gpu0");
    assert_string_equal(row.measured, "512.00 MiB");
    assert_string_equal(row.planned, "1.00 GiB");
    assert_string_equal(row.difference, "-50.0 %");
    assert_true(hwl_watch_row(w, 1, &row));
    assert_string_equal(row.process, "4712");
    assert_string_equal(row.measured, "unknown");
    assert_string_equal(row.planned, "");
    const uint32_t n = hwl_monitor_n_processes(w->monitor);
    assert_true(hwl_watch_row(w, n, &row));
    assert_string_equal(row.device, "gpu1");
    assert_string_equal(row.measured, "unknown");
    assert_string_equal(row.planned, "2.00 GiB");
    assert_false(hwl_watch_row(w, n + 1, &row));
    hwl_watch_free(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(history), cmocka_unit_test(requests), cmocka_unit_test(differences),
                                       cmocka_unit_test(words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
