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
        hwl_engine_tensorrt.release(prepared);
        hwl_arena_free(&arena);
        hwl_settings_free(s);
        hwl_model_free(m);
        free(d);
    }
    fclose(f);
    assert_true(n >= 9);
}

/* A plan of a catalogue model on one card of 1 TiB; *l has its entries. */
static hwl_status planned(const char *id, const char *const (*set)[2], struct hwl_arena *arena, struct hwl_ledger *l, hwl_error *e)
{
    hwl_model *m;
    hwl_settings *s;
    void *prepared = NULL;
    struct hwl_devices *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->n_gpus = 4;
    for (int i = 0; i < 4; i++)
        d->gpu[i] = (hwl_device){.memory_bytes = (uint64_t)1 << 41, .free_bytes = (uint64_t)1 << 41,
                                 .backend = HWL_BACKEND_CUDA, .compute_major = 9};
    *l = (struct hwl_ledger){.arena = arena};
    assert_int_equal(hwl_model_open(id, NULL, &m, e), HWL_OK);
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    for (; set && (*set)[0]; set++)
        assert_int_equal(hwl_settings_set(s, (*set)[0], (*set)[1], e), HWL_OK);
    hwl_status st = hwl_engine_tensorrt.prepare(m, "1.2.1", s, arena, &prepared, e);
    if (st == HWL_OK) {
        st = hwl_engine_tensorrt.plan(m, prepared, "1.2.1", d, s, l, e);
        hwl_engine_tensorrt.release(prepared);
    }
    hwl_settings_free(s);
    hwl_model_free(m);
    free(d);
    return st;
}

static uint64_t sum(const struct hwl_ledger *l, hwl_kind kind, int component)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < l->n_entries; i++)
        if (l->entries[i].device == 0 && l->entries[i].kind == kind && (component < 0 || l->entries[i].component == component))
            bytes += l->entries[i].bytes;
    return bytes;
}

#define SET (const char *const[][2])
#define END {NULL, NULL}

/* mamba_cache_manager.py: torch.empty of (layers, max_batch_size, channels, d_conv - 1) and (..., heads, head, state). */
static void recurrent(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_ledger l;
    hwl_error e = {0};
    /* Qwen3-Next: 36 layers of 32 value heads, 128 x 128, and 8,192 channels of 3 columns; bf16 */
    const uint64_t qwen = 36ull * 64 * (32 * 128 * 128 + 8192 * 3) * 2;
    assert_int_equal(planned("qwen3-next-80b-a3b", SET{{"max-seqs", "64"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_RECURRENT_STATE, -1), qwen);
    assert_int_equal(planned("qwen3-next-80b-a3b", SET{{"max-seqs", "64"}, {"tp", "4"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_RECURRENT_STATE, -1), qwen / 4);
    /* fp32 states; two drafted tokens keep three more copies */
    assert_int_equal(planned("qwen3-next-80b-a3b", SET{{"max-seqs", "64"}, {"mamba-ssm-cache-dtype", "float32"}, {"spec-method", "ngram"},
                             {"draft-max", "2"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_RECURRENT_STATE, -1), 36ull * 64 * 4 * (32 * 128 * 128 * 4 + 8192 * 3 * 2));
    /* Falcon-Mamba's kind of state has no manager */
    assert_int_equal(planned("jamba", SET{END}, &arena, &l, &e), HWL_E_REFUSED);
    hwl_arena_free(&arena);
}

/* dsa.py DSACacheManager: FP8 keys of 128 with an fp32 scale beside latent rows of 576. */
static void sparse(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_ledger l;
    hwl_error e = {0};
    assert_int_equal(planned("deepseek-v3.2", SET{{"kv-tokens", "64000"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION), 61ull * 64000 * (576 * 2 + 132));
    assert_int_equal((int)view(&l, "tokens_per_block"), 64);
    assert_int_equal(planned("deepseek-v3.2", SET{{"block-size", "32"}, END}, &arena, &l, &e), HWL_E_REFUSED);
    hwl_arena_free(&arena);
}

static void speculation(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_ledger plain, l;
    hwl_error e = {0};
    assert_int_equal(planned("deepseek-v3", SET{{"tp", "4"}, {"kv-tokens", "32000"}, END}, &arena, &plain, &e), HWL_OK);
    assert_int_equal(planned("deepseek-v3", SET{{"tp", "4"}, {"kv-tokens", "32000"}, {"spec-method", "mtp"}, {"draft-max", "3"}, END},
                             &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT), 3ull * 32000 * 576 * 2);
    assert_true(sum(&l, HWL_KIND_WEIGHTS, -1) > sum(&plain, HWL_KIND_WEIGHTS, -1));
    assert_int_equal(planned("llama-3.1-8b", SET{{"kv-tokens", "32000"}, {"draft", "llama-3.2-1b"}, {"draft-max", "4"}, END}, &arena, &l, &e),
                     HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT), 16ull * 32000 * 2 * 8 * 64 * 2);
    const double draft = (double)sum(&l, HWL_KIND_WEIGHTS, HWL_COMP_DRAFT), real = 1235814400.0 * 2 + 131072.0 * 64 * 4;
    assert_true(fabs(draft / real - 1) < 0.002); /* its weights and angles, the allocator's rests beside them */
    assert_int_equal(planned("llama-3.1-8b", SET{{"kv-tokens", "32000"}, {"spec-method", "eagle3"}, {"draft-max", "3"}, END}, &arena, &l, &e),
                     HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT), 32000ull * 2 * 8 * 128 * 2);
    assert_int_equal(planned("llama-3.1-8b", SET{{"spec-method", "mtp"}, END}, &arena, &l, &e), HWL_E_REFUSED);
    assert_int_equal(planned("llama-3.1-8b", SET{{"spec-method", "eagle3"}, END}, &arena, &l, &e), HWL_E_REFUSED);
    assert_int_equal(planned("llama-3.1-8b", SET{{"enable-lora", "true"}, {"max-lora-rank", "16"}, END}, &arena, &l, &e), HWL_OK);
    assert_true(sum(&l, HWL_KIND_WEIGHTS, HWL_COMP_LORA) > 0);
    hwl_arena_free(&arena);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(logs), cmocka_unit_test(options), cmocka_unit_test(recurrent),
                                       cmocka_unit_test(sparse), cmocka_unit_test(speculation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
