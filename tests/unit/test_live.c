/* SPDX-License-Identifier: Apache-2.0 */
/* Ten minutes of history, and what the command line of an engine asks for. */
#include "view/live.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(history), cmocka_unit_test(requests), cmocka_unit_test(differences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
