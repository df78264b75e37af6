/* SPDX-License-Identifier: Apache-2.0 */
/* The transformers engine: cache rows, windows and the placement of accelerate. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct hwl_layer layers[4];
static struct hwl_tensor tensors[6];
static struct hwl_model model;

static void make(void)
{
    memset(&model, 0, sizeof model);
    memset(tensors, 0, sizeof tensors);
    model.arch = "test";
    model.n_layers = 4;
    model.layers = layers;
    model.tensors = tensors;
    model.n_tensors = 6;
    model.hidden = 1024;
    model.vocab = 32000;
    model.context_train = 8192;
    model.dtype = HWL_DTYPE_BF16;
    for (int i = 0; i < 4; i++)
        layers[i] = (struct hwl_layer){.mixer = i % 2 ? HWL_MIXER_SLIDING : HWL_MIXER_FULL,
                                       .attn = {.n_heads = 8,
                                                .n_kv_heads = 2,
                                                .head_dim_k = 128,
                                                .head_dim_v = 128,
                                                .kv_shared_with = -1,
                                                .window = i % 2 ? 512 : 0},
                                       .ffn = {.d_ff = 4096}};
    for (int i = 0; i < 6; i++)
        tensors[i] = (struct hwl_tensor){.name = "w",
                                         .role = i == 4   ? HWL_ROLE_TOK_EMBD
                                                 : i == 5 ? HWL_ROLE_OUTPUT
                                                          : HWL_ROLE_FFN_UP,
                                         .layer = i < 4 ? i : -1,
                                         .dtype = HWL_DTYPE_BF16,
                                         .n_dims = 2,
                                         .count = 1,
                                         .dims = {1000, 1000},
                                         .bytes = 2000000,
                                         .elements = 1000000};
}

static uint64_t sum(const struct hwl_ledger *l, hwl_kind kind, int device)
{
    uint64_t s = 0;
    for (uint64_t i = 0; i < l->n_entries; i++)
        if (l->entries[i].kind == kind && (device < 0 || l->entries[i].device == device))
            s += l->entries[i].bytes;
    return s;
}

static void cache_and_types(void **state)
{
    (void)state;
    make();
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena}, q = {.arena = &arena};
    struct hwl_devices *d = calloc(1, sizeof *d);
    d->n_gpus = 1;
    d->gpu[0] = (hwl_device){.memory_bytes = 1 << 30, .free_bytes = 1 << 30};
    hwl_settings *s;
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_set(s, "ctx", "2048", NULL), HWL_OK);
    assert_int_equal(hwl_settings_set(s, "concurrency", "3", NULL), HWL_OK);
    hwl_error e = {0};
    assert_int_equal(hwl_engine_transformers.plan(&model, NULL, "5.24.0", d, s, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, 0),
                     3 * 1024 * (2 * 2048 + 2 * 511)); /* a window of 512 keeps 511 tokens */
    assert_int_equal(l.kv_bytes_per_token, 2 * 1024);
    assert_int_equal(sum(&l, HWL_KIND_WEIGHTS, 0), 6 * 2000000);
    assert_int_equal(hwl_settings_set(s, "quant", "nf4", NULL), HWL_OK);
    assert_int_equal(hwl_engine_transformers.plan(&model, NULL, "5.24.0", d, s, &q, &e), HWL_OK);
    assert_int_equal(sum(&q, HWL_KIND_WEIGHTS, 0),
                     2 * 2000000 + 4 * (500000 + 15625 * 4)); /* embedding and head stay */
    hwl_settings_free(s);
    free(d);
    hwl_arena_free(&arena);
}

static void two_gpus(void **state)
{
    (void)state;
    make();
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena};
    struct hwl_devices *d = calloc(1, sizeof *d);
    d->n_gpus = 2;
    for (int i = 0; i < 2; i++)
        d->gpu[i] = (hwl_device){.memory_bytes = 1 << 30, .free_bytes = 1 << 30};
    hwl_settings *s;
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_engine_transformers.plan(&model, NULL, "5.24.0", d, s, &l, NULL), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_WEIGHTS, 0) + sum(&l, HWL_KIND_WEIGHTS, 1), 6 * 2000000);
    assert_true(sum(&l, HWL_KIND_WEIGHTS, 1) >= 2000000);
    assert_int_equal(sum(&l, HWL_KIND_WEIGHTS, 2), 0);
    hwl_settings_free(s);
    free(d);
    hwl_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cache_and_types), cmocka_unit_test(two_gpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
