/* SPDX-License-Identifier: Apache-2.0 */
/* Every tensor of what a catalogue model becomes gets the type that llama.cpp's own quantiser chooses, by name. */
#include "engine/llamacpp/convert.h"
#include "engine/llamacpp/quant_rules.h"
#include "unit/tap.h"

#include <hwledger/hwledger.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chosen {
    struct hwl_str name;
    uint16_t dtype;
};

static int by_name(const void *x, const void *y)
{
    const struct chosen *a = x, *b = y;
    const size_t n = (size_t)(a->name.n < b->name.n ? a->name.n : b->name.n);
    const int c = memcmp(a->name.p, b->name.p, n);
    return c ? c : (a->name.n > b->name.n) - (a->name.n < b->name.n);
}

static uint64_t fnv(uint64_t h, const char *p, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
    return h;
}

/* The hash of the names and types of all matrices that may be quantised. */
static uint64_t hash_of(const char *name, const char *mixture, uint64_t *count)
{
    hwl_error e;
    hwl_model *model;
    struct hwl_arena arena = {0};
    struct hwl_gguf *g = NULL;
    char text[1200];
    if (hwl_model_open(name, NULL, &model, &e) != HWL_OK || hwl_lc_convert(model, &arena, &g, &e) != HWL_OK ||
        hwl_lc_quantise(g, hwl_lc_ftype("F16"), &arena, &e) != HWL_OK)
        fail_msg("%s: %s", name, hwl_error_text(&e, text, sizeof text));
    struct chosen *all = calloc(g->n_tensors, sizeof *all);
    assert_non_null(all);
    *count = 0;
    for (uint64_t i = 0; i < g->n_tensors; i++)
        if (hwl_lc_may_quantise(&g->tensors[i]))
            all[(*count)++] = (struct chosen){g->tensors[i].name, (uint16_t)i};
    if (hwl_lc_quantise(g, hwl_lc_ftype(mixture), &arena, &e) != HWL_OK)
        fail_msg("%s %s: %s", name, mixture, hwl_error_text(&e, text, sizeof text));
    for (uint64_t i = 0; i < *count; i++)
        all[i].dtype = g->tensors[all[i].dtype].dtype;
    qsort(all, (size_t)*count, sizeof *all, by_name);
    uint64_t h = 0xcbf29ce484222325u;
    for (uint64_t i = 0; i < *count; i++) {
        const char *type = hwl_dtype((enum hwl_dtype)all[i].dtype)->name;
        h = fnv(fnv(h, all[i].name.p, all[i].name.n), " ", 1);
        for (const char *c = type; *c; c++)
            h = fnv(h, &(char){(char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c)}, 1);
        h = fnv(h, "\n", 1);
    }
    free(all);
    hwl_arena_free(&arena);
    hwl_model_free(model);
    return h;
}

static void types_are_the_librarys(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/llamacpp/quantised.csv", "r");
    char line[256], name[64], mixture[32];
    unsigned n = 0, wrong = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        uint64_t tensors, hash, count;
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%63[^,],%31[^,],%" SCNu64 ",%" SCNx64, name, mixture, &tensors, &hash), 4);
        if (hash_of(name, mixture, &count) != hash || count != tensors) {
            print_error("%s %s: types differ (%llu tensors, theirs %llu)\n", name, mixture, (unsigned long long)count, (unsigned long long)tensors);
            wrong++;
        }
        n++;
    }
    (void)fclose(f);
    assert_int_equal(wrong, 0);
    assert_in_range(n, 500, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(types_are_the_librarys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
