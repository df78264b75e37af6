/* SPDX-License-Identifier: Apache-2.0 */
/* TensorRT-LLM's paged cache against its own start-up lines: tests/data/tensorrt/logs.txt. */
#include "engine/tensorrt/tensorrt.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GIB 1073741824.0

static double key(const char *text, const char *name)
{
    const char *p = strstr(text, name);
    return p ? atof(p + strlen(name)) : -1;
}

static double view(const struct hwl_ledger *ledger, const char *name)
{
    for (uint64_t i = 0; i < ledger->n_views; i++)
        if (strcmp(ledger->views[i].name, name) == 0)
            return (double)ledger->views[i].u64;
    return -1;
}

static void logs(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/tensorrt/logs.txt", "r");
    assert_non_null(f);
    char line[512], name[64], id[64], kv[16], number[16];
    unsigned block, tokens;
    double fraction, left, pool;
    int n = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "log %63s %63s %u %15s %lf %lf %u %lf", name, id, &block, kv, &fraction, &left, &tokens, &pool) != 8)
            continue;
        n++;
        hwl_model *m;
        hwl_settings *s;
        hwl_error e = {0};
        struct hwl_trt_setup u;
        struct hwl_ck ck = {0};
        struct hwl_devices *d = calloc(1, sizeof *d);
        assert_non_null(d);
        d->n_gpus = 1;
        d->gpu[0] = (hwl_device){.memory_bytes = (uint64_t)1 << 40, .free_bytes = (uint64_t)1 << 40,
                                 .backend = HWL_BACKEND_CUDA, .compute_major = 9};
        assert_int_equal(hwl_model_open(id, NULL, &m, &e), HWL_OK);
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        snprintf(number, sizeof number, "%u", block);
        assert_int_equal(hwl_settings_set(s, "block-size", number, &e), HWL_OK);
        assert_int_equal(hwl_settings_set(s, "kv-type", kv, &e), HWL_OK);
        snprintf(number, sizeof number, "%.3f", fraction);
        assert_int_equal(hwl_settings_set(s, "gpu-memory-utilization", number, &e), HWL_OK);
        if (hwl_trt_resolve(m, d, s, &u, &e) != HWL_OK)
            fail_msg("%s: %s", name, e.message);
        assert_int_equal(tokens % block, 0);
        uint64_t row = 0;
        for (uint32_t i = 0; i < m->n_layers; i++)
            row += hwl_trt_row(&m->layers[i], &u, &ck);
        print_message("%-20s pool %.3f GiB of %u tokens, logged %.2f\n", name, (double)row * tokens / GIB, tokens, pool);
        assert_true(fabs((double)row * tokens / GIB - pool) < 0.0051);
        if (left > 0) {
            const uint64_t low = (uint64_t)((left - 0.015) * GIB), high = (uint64_t)((left + 0.015) * GIB);
            assert_true(hwl_trt_tokens(m, &u, &low, &ck) <= tokens && tokens <= hwl_trt_tokens(m, &u, &high, &ck));
        }
        struct hwl_arena arena = {0};
        struct hwl_ledger ledger = {.arena = &arena};
        void *prepared = NULL;
        assert_int_equal(hwl_engine_tensorrt.prepare(m, "1.2.1", s, &arena, &prepared, &e), HWL_OK);
        assert_int_equal(hwl_engine_tensorrt.plan(m, prepared, "1.2.1", d, s, &ledger, &e), HWL_OK);
        const double weights = key(line, "weights="), activation = key(line, "activation=");
        if (weights > 0) {
            print_message("%-20s weights %.2f, logged %.2f; activation %.2f, logged %.2f\n", name,
                          view(&ledger, "weights_bytes") / GIB, weights, view(&ledger, "peak_activation_bytes") / GIB, activation);
            assert_true(fabs(view(&ledger, "weights_bytes") / GIB / weights - 1) < 0.03);
            assert_true(fabs(view(&ledger, "peak_activation_bytes") / GIB / activation - 1) < 0.1);
        }
        hwl_arena_free(&arena);
        hwl_settings_free(s);
        hwl_model_free(m);
        free(d);
    }
    fclose(f);
    assert_true(n >= 7);
}

static void options(void **state)
{
    (void)state;
    static const char *const argv[] = {"--tp_size", "2", "--ep_size=2", "--kv_cache_free_gpu_memory_fraction", "0.8",
                                       "--extra_llm_api_options", "x.yaml", "--host", "::"};
    hwl_settings *s;
    hwl_error e = {0};
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_engine_args(s, "trtllm", sizeof argv / sizeof *argv, argv, &e), HWL_OK);
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_TP, 1), 2);
    assert_true(hwl_opt_flag(s, HWL_OPT_EP, false));
    assert_int_equal(s->n_unmodelled, 1);
    static const char *const engine[] = {"--backend", "tensorrt"};
    assert_int_equal(hwl_settings_engine_args(s, "tensorrt-llm", 2, engine, &e), HWL_E_UNSUPPORTED);
    hwl_settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(logs), cmocka_unit_test(options)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
