/* SPDX-License-Identifier: Apache-2.0 */
/* The mlx engine: weights of real repositories, caches as models/cache.py of mlx-lm 0.32 grows them; LM Studio's
 * defaults. */
#include "engine/mlx/mlx.h"

#include <hwledger/hwledger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static hwl_model *open_model(const char *name)
{
    hwl_error e = {0};
    hwl_model *m;
    if (hwl_model_open(name, NULL, &m, &e) != HWL_OK)
        fail_msg("%s: %s", name, e.message);
    return m;
}

/* ledger: its arena is the caller's. */
static hwl_status plan(const hwl_model *m, const char *const (*set)[2], struct hwl_arena *arena, struct hwl_ledger *l,
                       hwl_error *e)
{
    hwl_settings *s;
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    for (; (*set)[0]; set++)
        assert_int_equal(hwl_settings_set(s, (*set)[0], (*set)[1], e), HWL_OK);
    hwl_devices *d;
    assert_int_equal(hwl_devices_new(&d), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(d, "Apple M2 Max 32GB", e), HWL_OK);
    void *prepared = NULL;
    *l = (struct hwl_ledger){.arena = arena};
    hwl_status status = hwl_engine_mlx.prepare(m, "0.32", s, arena, &prepared, e);
    if (status == HWL_OK)
        status = hwl_engine_mlx.plan(m, prepared, "0.32", d, s, l, e);
    hwl_settings_free(s);
    hwl_devices_free(d);
    return status;
}

static uint64_t sum(const struct hwl_ledger *l, hwl_kind kind)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < l->n_entries; i++)
        n += l->entries[i].kind == kind ? l->entries[i].bytes : 0;
    return n;
}

static void repositories(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/mlx/repositories.txt", "r");
    assert_non_null(f);
    char line[512], name[80], quant[16];
    unsigned n = 0;
    unsigned long long bytes, ppm;
    while (fgets(line, sizeof line, f)) {
        if (*line == '#')
            continue;
        assert_int_equal(sscanf(line, "%79s %15s %llu %llu", name, quant, &bytes, &ppm), 4);
        hwl_model *m = open_model(name);
        struct hwl_arena arena = {0};
        struct hwl_ledger l;
        hwl_error e = {0};
        const bool plain = strcmp(quant, "-") == 0;
        const char *const set[][2] = {{plain ? "ctx" : "quant", plain ? "4096" : quant}, {NULL, NULL}};
        if (plan(m, set, &arena, &l, &e) != HWL_OK)
            fail_msg("%s: %s", name, e.message);
        const uint64_t ours = sum(&l, HWL_KIND_WEIGHTS), off = ours > bytes ? ours - bytes : bytes - ours;
        print_message("repository %s %s: %llu, %llu B\n", name, plain ? "bf16" : quant, (unsigned long long)ours,
                      bytes);
        if (off * 1000000 > bytes * ppm)
            fail_msg("%s %s: %llu, not %llu", name, quant, (unsigned long long)ours, bytes);
        hwl_arena_free(&arena);
        hwl_model_free(m);
        n++;
    }
    (void)fclose(f);
    assert_int_equal(n, 15);
}

/* What the catalogue holds as stored and what the plain model becomes are the same bytes. */
static void stored(void **state)
{
    (void)state;
    static const char *const none[][2] = {{NULL, NULL}}, *const four[][2] = {{"quant", "4bit"}, {NULL, NULL}};
    hwl_model *packed = open_model("qwen3-14b-mlx-4bit"), *plain = open_model("qwen3-14b");
    struct hwl_arena a = {0}, b = {0};
    struct hwl_ledger l, k;
    hwl_error e = {0};
    assert_int_equal(plan(packed, none, &a, &l, &e), HWL_OK);
    assert_int_equal(plan(plain, four, &b, &k, &e), HWL_OK);
    /* 14,767,882,240 elements of matrices at 4.5 bits, 424,960 of norms in bf16 */
    assert_int_equal(sum(&l, HWL_KIND_WEIGHTS), 14767882240 / 16 * 9 + 2 * 424960);
    assert_int_equal(sum(&k, HWL_KIND_WEIGHTS), sum(&l, HWL_KIND_WEIGHTS));
    assert_int_not_equal(plan(packed, four, &a, &l, &e), HWL_OK);
    hwl_arena_free(&a);
    hwl_arena_free(&b);
    hwl_model_free(packed);
    hwl_model_free(plain);
}

static void caches(void **state)
{
    (void)state;
    static const struct {
        const char *model, *ctx, *type, *seqs;
        uint64_t bytes;
    } rows[] = {
        {"qwen3-14b", "1000", "auto", "1", (uint64_t)40 * 1024 * 8 * 256 * 2}, /* steps of 256 tokens */
        {"qwen3-14b", "1000", "auto", "3", (uint64_t)3 * 40 * 1024 * 8 * 256 * 2},
        {"qwen3-14b", "5000", "8bit", "1", (uint64_t)40 * 5120 * 8 * 256 * 2},       /* not before 5000 tokens */
        {"qwen3-14b", "8192", "8bit", "1", (uint64_t)40 * 8192 * 8 * 2 * (128 + 8)}, /* a scale and a bias for 64 */
        {"qwen3-14b", "8192", "4bit", "1", (uint64_t)40 * 8192 * 8 * 2 * (64 + 8)},
        {"mistral-7b", "8192", "auto", "1",
         (uint64_t)32 * 8192 * 8 * 256 * 2}, /* llama.py without layer_types: no window */
        {"deepseek-v3", "1024", "auto", "1", (uint64_t)61 * 1024 * (512 + 64) * 2}, /* latent rows */
        {"deepseek-v2-lite", "1024", "auto", "1",
         (uint64_t)27 * 1024 * 16 * (192 + 128) * 2}, /* deepseek_v2.py: of each head */
        /* 4 of 26 layers are full; the others hold 511 tokens of the window and a step of 2048 */
        {"gemma-3-1b", "8192", "auto", "1", (uint64_t)(4 * 8192 + 22 * (511 + 2048)) * 2 * 256 * 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_model *m = open_model(rows[i].model);
        struct hwl_arena arena = {0};
        struct hwl_ledger l;
        hwl_error e = {0};
        const char *const set[][2] = {
            {"ctx", rows[i].ctx}, {"kv-type", rows[i].type}, {"concurrency", rows[i].seqs}, {NULL, NULL}};
        if (plan(m, set, &arena, &l, &e) != HWL_OK)
            fail_msg("%s: %s", rows[i].model, e.message);
        if (sum(&l, HWL_KIND_KV_CACHE) != rows[i].bytes)
            fail_msg("row %zu, %s: %llu, not %llu", i, rows[i].model, (unsigned long long)sum(&l, HWL_KIND_KV_CACHE),
                     (unsigned long long)rows[i].bytes);
        hwl_arena_free(&arena);
        hwl_model_free(m);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *model, *option, *value, *ctx, *seqs, *says;
    } rows[] = {
        {"qwen3-14b", "kv-type", "8bit", "8192", "2", "one after another"},
        {"gemma-3-1b", "kv-type", "8bit", "8192", "1", "windows"},
        {"qwen3-14b", "kv-type", "fp8", "8192", "1", "no cache of type"},
        {"qwen3-14b", "quant", "fp8", "8192", "1", "no weights of type"},
        {"qwen3-32b-fp8", "ctx", "8192", "8192", "1", "fp8"},
        {"bert-base-cased", "ctx", "512", "512", "1", "encoders"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_model *m = open_model(rows[i].model);
        struct hwl_arena arena = {0};
        struct hwl_ledger l;
        hwl_error e = {0};
        const char *const set[][2] = {
            {"ctx", rows[i].ctx}, {"concurrency", rows[i].seqs}, {rows[i].option, rows[i].value}, {NULL, NULL}};
        assert_int_not_equal(plan(m, set, &arena, &l, &e), HWL_OK);
        if (!strstr(e.message, rows[i].says))
            fail_msg("row %zu: %s", i, e.message);
        hwl_arena_free(&arena);
        hwl_model_free(m);
    }
}

/* LM Studio: the cache of 4,096 tokens that four slots share, and that of each of two. */
static void lmstudio(void **state)
{
    (void)state;
    static const struct {
        const char *ctx, *seqs;
        uint64_t tokens, context;
    } rows[] = {
        {NULL, NULL, 4096, 4096}, {"8192", NULL, 8192, 8192}, {"8192", "2", 16384, 8192}, {NULL, "2", 4096, 2048}};
    hwl_model *m = open_model("llama-3.1-8b");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_settings *s;
        hwl_devices *d;
        struct hwl_arena arena = {0}, work = {0};
        struct hwl_ledger l = {.arena = &arena, .work = &work};
        hwl_error e = {0};
        void *prepared = NULL;
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        assert_int_equal(hwl_devices_new(&d), HWL_OK);
        assert_int_equal(hwl_devices_add_gpu(d, "RTX 4090", &e), HWL_OK);
        assert_int_equal(hwl_settings_set(s, "quant", "Q4_K_M", &e), HWL_OK);
        if (rows[i].ctx)
            assert_int_equal(hwl_settings_set(s, "ctx", rows[i].ctx, &e), HWL_OK);
        if (rows[i].seqs)
            assert_int_equal(hwl_settings_set(s, "concurrency", rows[i].seqs, &e), HWL_OK);
        assert_int_equal(hwl_engine_lmstudio.prepare(m, "0.4", s, &arena, &prepared, &e), HWL_OK);
        if (hwl_engine_lmstudio.plan(m, prepared, "0.4", d, s, &l, &e) != HWL_OK)
            fail_msg("row %zu: %s", i, e.message);
        assert_int_equal(sum(&l, HWL_KIND_KV_CACHE), rows[i].tokens * 32 * 2 * 1024 * 2);
        assert_int_equal(l.context, rows[i].context);
        hwl_settings_free(s);
        hwl_devices_free(d);
        hwl_arena_free(&work);
        hwl_arena_free(&arena);
    }
    hwl_model_free(m);
    m = open_model("qwen3-14b-mlx-4bit");
    struct hwl_arena arena = {0};
    hwl_error e = {0};
    void *prepared = NULL;
    hwl_settings *s;
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_engine_lmstudio.prepare(m, "0.4", s, &arena, &prepared, &e), HWL_E_UNSUPPORTED);
    assert_non_null(strstr(e.message, "mlx-engine"));
    hwl_settings_free(s);
    hwl_arena_free(&arena);
    hwl_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(repositories), cmocka_unit_test(stored),
                                       cmocka_unit_test(caches), cmocka_unit_test(refusals),
                                       cmocka_unit_test(lmstudio)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
