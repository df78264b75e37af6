/* SPDX-License-Identifier: Apache-2.0 */
/* The transformers engine: cache rows, windows and the placement of accelerate. */
#include "engine/transformers/forms.h"
#include "engine/transformers/kinds.h"
#include "engine/transformers/transformers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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
                     3 * 1024 * (2 * 2048 + 2 * 511) + 2 * 8); /* a window of 512 keeps 511 tokens, and counts them */
    assert_int_equal(l.kv_bytes_per_token, 2 * 1024);
    assert_int_equal(sum(&l, HWL_KIND_WEIGHTS, 0), 6 * 2000000);
    assert_int_equal(hwl_settings_set(s, "quant", "nf4", NULL), HWL_OK);
    assert_int_equal(hwl_engine_transformers.plan(&model, NULL, "5.24.0", d, s, &q, &e), HWL_OK);
    assert_int_equal(sum(&q, HWL_KIND_WEIGHTS, 0),
                     2 * 2000000 + 4 * (500000 + 15625 * 4 + 64)); /* embedding and head stay */
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

/* A class by its defaults: the line of classes.jsonl with that name, as a configuration in a folder of its own. */
static hwl_model *open_class(const char *name)
{
    char line[1024], head[96], folder[] = "/tmp/hwl_tf_XXXXXX", path[64];
    FILE *f = fopen(HWL_TEST_DATA "/transformers/classes.jsonl", "r");
    assert_non_null(f);
    const int n = snprintf(head, sizeof head, "{\"name\":\"%s\",\"config\":", name);
    bool found = false;
    while (!found && fgets(line, sizeof line, f))
        found = strncmp(line, head, (size_t)n) == 0;
    fclose(f);
    if (!found)
        fail_msg("%s is not among the classes", name);
    *strrchr(line, '}') = 0;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/config.json", folder);
    assert_non_null(f = fopen(path, "w"));
    assert_true(fputs(line + n, f) >= 0);
    fclose(f);
    hwl_model *m = NULL;
    hwl_error e = {0};
    const hwl_status status = hwl_model_open(folder, NULL, &m, &e);
    remove(path);
    remove(folder);
    if (status != HWL_OK)
        fail_msg("%s: %s", name, e.message);
    return m;
}

static hwl_model *open_row(const char *name)
{
    if (*name == '@')
        return open_class(name);
    hwl_model *m = NULL;
    hwl_error e = {0};
    if (hwl_model_open(name, NULL, &m, &e) != HWL_OK)
        fail_msg("%s: %s", name, e.message);
    return m;
}

/* Three layers of 2 x 512 tokens by the libraries themselves: hqq 442,368 B in 4 bits, 835,584 in 8; FP8 786,456. */
static void quantised(void **state)
{
    (void)state;
    const struct hwl_tf_cached c = {.tokens = 1024, .row = 512};
    struct hwl_ck ck = {0};
    const uint64_t rest = 2 * 127 * 512;
    assert_int_equal(3 * (hwl_tf_quantized(&(struct hwl_tf_choice){.grouped = true, .bits = 4}, &c, 2, 2, &ck) - rest), 442368);
    assert_int_equal(3 * (hwl_tf_quantized(&(struct hwl_tf_choice){.grouped = true, .bits = 8}, &c, 2, 2, &ck) - rest), 835584);
    assert_int_equal(3 * hwl_tf_quantized(&(struct hwl_tf_choice){.bits = 0}, &c, 2, 2, &ck), 786456);
}

static hwl_status planned(hwl_settings *s, struct hwl_ledger *l, uint32_t n_gpus, const char *const (*set)[2], int n)
{
    struct hwl_devices *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->n_gpus = n_gpus;
    for (uint32_t i = 0; i < n_gpus; i++)
        d->gpu[i] = (hwl_device){.memory_bytes = 1 << 30, .free_bytes = 1 << 30};
    d->host = (hwl_device){.memory_bytes = (uint64_t)1 << 36, .free_bytes = (uint64_t)1 << 36};
    for (int i = 0; i < n; i++)
        assert_int_equal(hwl_settings_set(s, set[i][0], set[i][1], NULL), HWL_OK);
    hwl_error e = {0};
    const hwl_status st = hwl_engine_transformers.plan(&model, NULL, "5.24.0", d, s, l, &e);
    free(d);
    return st;
}

static void kinds_of_cache(void **state)
{
    (void)state;
    make();
    for (int i = 0; i < 4; i++)
        layers[i].attn.window = 0;
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena}, b = {.arena = &arena}, f = {.arena = &arena};
    hwl_settings *s;
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(planned(s, &l, 1, (const char *const[][2]){{"ctx", "2048"}, {"cache", "offloaded"}}, 2), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, 0), 2 * 1024 * 2048); /* of four layers, and all of them on the host */
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, 1), 4 * 1024 * 2048);
    assert_int_equal(planned(s, &b, 1, (const char *const[][2]){{"cache", "dynamic"}, {"beams", "3"}}, 2), HWL_OK);
    assert_int_equal(sum(&b, HWL_KIND_KV_CACHE, 0), 3 * 4 * 1024 * 2048);
    layers[0].attn.window = 512;
    assert_int_equal(planned(s, &f, 1, (const char *const[][2]){{"cache", "quantized"}}, 1), HWL_E_REFUSED);
    hwl_settings_free(s);
    hwl_arena_free(&arena);
}

static void maps_asked_for(void **state)
{
    (void)state;
    make();
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena}, g = {.arena = &arena}, f = {.arena = &arena};
    hwl_settings *s;
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(planned(s, &l, 2, (const char *const[][2]){{"device-map", "sequential"}}, 1), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_WEIGHTS, 0), 6 * 2000000);
    assert_int_equal(planned(s, &g, 2, (const char *const[][2]){{"max-memory", "1=1GiB"}}, 1), HWL_OK);
    assert_int_equal(sum(&g, HWL_KIND_WEIGHTS, 1), 6 * 2000000);
    assert_int_equal(planned(s, &f, 2, (const char *const[][2]){{"max-memory", "4=1GiB"}}, 1), HWL_E_USAGE);
    hwl_settings_free(s);
    hwl_arena_free(&arena);
}

/* device_map="auto" of transformers itself: tests/data/transformers/device_map.txt. */
static void device_maps(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/transformers/device_map.txt", "r");
    assert_non_null(f);
    char line[1024], name[64], gpus[64], layers_at[512], how[32], head, first;
    double cpu;
    unsigned long long total;
    int n = 0, equal = 0;
    while (fgets(line, sizeof line, f)) {
        strcpy(how, "auto");
        if (sscanf(line, "map %63s %63s %lf %llu %c %511s %c %31s", name, gpus, &cpu, &total, &first, layers_at, &head, how) < 7)
            continue;
        n++;
        hwl_model *m = open_row(name);
        struct hwl_arena arena = {0};
        struct hwl_ck ck = {0};
        struct hwl_tf_modules modules;
        const struct hwl_tf_types types = {.dtype_bytes = 2, .cast = true};
        hwl_error e = {0};
        assert_int_equal(hwl_tf_modules_of(m, &types, &arena, &modules, &ck, &e), HWL_OK);
        uint64_t limit[16], sum = 0;
        uint32_t n_gpus = 0;
        for (char *p = strtok(gpus, ","); p; p = strtok(NULL, ","))
            limit[n_gpus++] = (uint64_t)(atof(p) * 1073741824.0);
        limit[n_gpus] = (uint64_t)(cpu * 1073741824.0);
        uint16_t *device = HWL_NEW_ARRAY(&arena, uint16_t, modules.n);
        if (strcmp(how, "sequential") != 0)
            hwl_tf_balance(&modules, limit, n_gpus, strcmp(how, "balanced_low_0") == 0);
        assert_int_equal(hwl_tf_map(&modules, limit, n_gpus, device, &arena, &e), HWL_OK);
        for (uint32_t i = 0; i < modules.n; i++)
            sum += modules.bytes[i];
        char got[512] = "";
        for (uint32_t i = 0; i < m->n_layers && i < 511; i++) {
            const uint16_t d = device[1 + i];
            got[i] = (char)(d < n_gpus ? '0' + d : d == n_gpus ? 'c' : 'd');
            got[i + 1] = 0;
        }
        const bool same = strcmp(got, layers_at) == 0;
        equal += same;
        if (!same)
            print_message("%s on %s: %s, not %s (%lld bytes more)\n", name, line, got, layers_at, (long long)(sum - total));
        hwl_arena_free(&arena);
        hwl_model_free(m);
    }
    fclose(f);
    print_message("device maps: %d of %d equal\n", equal, n);
    assert_true(n >= 170);
    assert_int_equal(equal, n);
}

static void towers(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/transformers/towers.txt", "r");
    assert_non_null(f);
    char line[256], name[64], how[16];
    unsigned long long images, bytes;
    int n = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "tower %63s %15s %llu %llu", name, how, &images, &bytes) != 4)
            continue;
        hwl_model *m = open_row(name);
        struct hwl_ck ck = {0};
        assert_int_equal(m->n_encoders, 1);
        const double off = (double)hwl_tf_tower(m, &m->encoders[0], images, 2, strcmp(how, "eager") == 0, &ck) / (double)bytes - 1;
        if (off < -0.01 || off > 0.01)
            fail_msg("%s %s: %+.2f %%", name, how, 100 * off);
        n++;
        hwl_model_free(m);
    }
    fclose(f);
    assert_true(n >= 6);
}

/* quantizer_mxfp4.py wants compute 7.5, quantizer_finegrained_fp8.py 8.9; below that the weights are bf16. */
static void packed(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        unsigned major, minor;
        bool unpacks;
    } cards[] = {{"gpt-oss-20b", 7, 0, true},  {"gpt-oss-20b", 7, 5, false}, {"deepseek-v3", 8, 6, true}, {"deepseek-v3", 8, 9, false},
                 {"llama-3.1-8b", 7, 0, false}};
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        hwl_model *m = open_row(cards[i].model);
        struct hwl_arena arena = {0};
        struct hwl_ledger l = {.arena = &arena};
        struct hwl_devices *d = calloc(1, sizeof *d);
        hwl_settings *s;
        hwl_error e = {0};
        assert_non_null(d);
        d->n_gpus = 1;
        d->gpu[0] = (hwl_device){.memory_bytes = 1ull << 42, .free_bytes = 1ull << 42, .backend = HWL_BACKEND_CUDA,
                                 .compute_major = cards[i].major, .compute_minor = cards[i].minor};
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        assert_int_equal(hwl_tf_unpacks(m, d), cards[i].unpacks);
        assert_int_equal(hwl_engine_transformers.plan(m, NULL, "5.24.0", d, s, &l, &e), HWL_OK);
        uint64_t plain = 0, stored = 0, elements = 0;
        for (uint64_t k = 0; k < (m->logical ? m->n_logical : 0); k++)
            if (hwl_tf_loaded(m, &m->logical[k]))
                plain += m->logical[k].tied ? 0 : m->logical[k].bytes;
        for (uint64_t k = 0; k < m->n_tensors; k++)
            if (hwl_tf_loaded(m, &m->tensors[k]))
                stored += m->tensors[k].tied ? 0 : m->tensors[k].bytes;
        for (uint64_t k = 0; k < m->n_tensors; k++)
            elements += m->tensors[k].elements;
        assert_int_equal(sum(&l, HWL_KIND_WEIGHTS, -1), cards[i].unpacks ? plain : stored);
        if (cards[i].unpacks)
            assert_true(plain > 18 * (elements / 10)); /* two bytes an element, but for layers that are not loaded */
        hwl_settings_free(s);
        free(d);
        hwl_arena_free(&arena);
        hwl_model_free(m);
    }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Peaks of forward passes with every storage counted: tests/data/transformers/activations.txt. */
static void activations(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/transformers/activations.txt", "r");
    assert_non_null(f);
    char line[256], name[64], how[16];
    unsigned length, sequences, depth;
    unsigned long long bytes;
    double errors[4096];
    int n = 0;
    while (fgets(line, sizeof line, f) && n < 4096) {
        if (sscanf(line, "act %63s %15s %u %u %llu %u", name, how, &length, &sequences, &bytes, &depth) != 6)
            continue;
        hwl_model *m = open_row(name);
        m->n_layers = depth < m->n_layers ? depth : m->n_layers;
        struct hwl_ck ck = {0};
        const uint64_t got = hwl_tf_activation(m, length, sequences, 2, strcmp(how, "eager") == 0, &ck);
        errors[n] = (double)got / (double)bytes - 1;
        if (errors[n] < -0.05 || errors[n] > 0.05)
            print_message("%s %s %u x %u: %.1f, not %.1f MiB: %+.1f %%\n", name, how, length, sequences,
                          (double)got / 1048576, (double)bytes / 1048576, 100 * errors[n]);
        errors[n] = errors[n] < 0 ? -errors[n] : errors[n];
        const double bound = hwl_tf_form_of(m)->error / 100.0; /* classes whose plans state another */
        hwl_model_free(m);
        if (bound == 0.0)
            n++;
        else if (errors[n] >= bound)
            fail_msg("%s %s %u x %u: off by %.1f %%", name, how, length, sequences, 100 * errors[n]);
    }
    fclose(f);
    assert_true(n > 1350);
    qsort(errors, (size_t)n, sizeof *errors, by_size);
    print_message("activations: median %.2f %%, p90 %.1f %%, worst %.1f %% of %d\n", 100 * errors[n / 2],
                  100 * errors[n * 9 / 10], 100 * errors[n - 1], n);
    assert_true(errors[n / 2] < 0.001);
    assert_true(errors[n * 9 / 10] < 0.01);
    assert_true(errors[n - 1] < 0.06); /* the bound that the plan states */
}

/* What the caches of a whole model hold behind a pass: tests/data/transformers/caches.txt, to the byte. */
static void caches(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/transformers/caches.txt", "r");
    assert_non_null(f);
    char line[256], name[64], how[16];
    unsigned long long length, sequences, bytes;
    int n = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "cache %63s %15s %llu %llu %llu", name, how, &length, &sequences, &bytes) != 5)
            continue;
        hwl_model *m = open_row(name);
        struct hwl_ck ck = {0};
        const struct hwl_tf_cache_kind kind = {length, sequences, 2, strcmp(how, "static") == 0,
                                               hwl_tf_encoder_tokens(m, length), false};
        uint64_t got = 0;
        for (uint32_t i = 0; i < m->n_layers && !m->encoder_only; i++) {
            const struct hwl_tf_cached c = hwl_tf_cache(&m->layers[i], &kind, &ck);
            got += c.tokens * c.row + c.extra + hwl_tf_states(&m->layers[i], &kind, &ck);
        }
        if (got != bytes)
            fail_msg("%s %s: %llu, not %llu B", name, how, (unsigned long long)got, bytes);
        n++;
        hwl_model_free(m);
    }
    fclose(f);
    print_message("caches: %d of %d equal\n", n, n);
    assert_true(n >= 270);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cache_and_types), cmocka_unit_test(two_gpus), cmocka_unit_test(quantised), cmocka_unit_test(kinds_of_cache), cmocka_unit_test(maps_asked_for),
                                       cmocka_unit_test(device_maps), cmocka_unit_test(activations),
                                       cmocka_unit_test(caches), cmocka_unit_test(packed), cmocka_unit_test(towers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
