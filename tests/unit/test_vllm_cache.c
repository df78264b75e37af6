/* SPDX-License-Identifier: Apache-2.0 */
/* The cache planner against plans of vLLM's own code: tests/data/vllm/cache.txt. */
#include "engine/vllm/cache.h"

#include "base/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_SPECS 4096

static void plans_of_vllm(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/vllm/cache.txt", "r");
    assert_non_null(f);
    static struct hwl_vllm_spec specs[MAX_SPECS];
    static struct hwl_vllm_cache cache;
    struct hwl_arena arena = {0};
    struct hwl_vllm_run run = {0};
    char line[512], version[16] = "", name[128] = "";
    uint64_t budget = 0;
    uint32_t n = 0, cases = 0, bad = 0;
    while (fgets(line, sizeof line, f)) {
        unsigned long long a[10];
        unsigned mode = 0, one = 0, outer = 0, dcp = 0;
        if (sscanf(line, "case %15s %llu %llu %llu %llu %u %u %u %u %llu %127s", version, &a[0], &a[1], &a[2], &a[3],
                   &dcp, &mode, &one, &outer, &a[4], name) == 11) {
            const bool old = strcmp(version, "0.19.0") == 0;
            run = (struct hwl_vllm_run){.max_len = a[0],
                                        .in_flight = a[1],
                                        .encoder_tokens = a[2],
                                        .override_blocks = a[3],
                                        .dcp = dcp,
                                        .stages = 1,
                                        .state_mode = (uint8_t)mode,
                                        .one_type = one,
                                        .block_outermost = outer,
                                        .null_block = !old,
                                        .override_checked = !old,
                                        .tokens_by_group = !old,
                                        .pads_pages = !old,
                                        .group_percent = 150,
                                        .merges_buckets = !old};
            budget = a[4];
            n = 0;
        } else if (sscanf(line, "spec %llu %llu %llu %llu %llu %llu %llu %llu", &a[0], &a[1], &a[2], &a[3], &a[4],
                          &a[5], &a[6], &a[7]) == 8) {
            for (unsigned long long i = 0; i < a[0] && n < MAX_SPECS; i++)
                specs[n++] = (struct hwl_vllm_spec){.kind = (uint8_t)a[1],
                                                    .block = a[2],
                                                    .page = a[3],
                                                    .window = a[4],
                                                    .identity = a[5],
                                                    .spec_blocks = (uint32_t)a[6],
                                                    .checkpoint_blocks = (uint32_t)a[7],
                                                    .layer = (int32_t)i};
        } else if (sscanf(line, "want %llu %llu %llu %llu %llu %llu %llu %llu", &a[0], &a[1], &a[2], &a[3], &a[4],
                          &a[5], &a[6], &a[7]) == 8) {
            hwl_error e = {0};
            assert_int_equal(hwl_vllm_cache_group(&cache, specs, n, &run, &arena, &e), HWL_OK);
            assert_int_equal(hwl_vllm_cache_size(&cache, &run, &budget, &e), HWL_OK);
            bool same = cache.fits == (a[0] == 1) && cache.block_bytes[0] == a[4] && cache.n_groups == a[5] &&
                        cache.request_blocks == a[6];
            if (a[0] == 1)
                same = same && cache.num_blocks == a[1] && cache.tokens == a[2] &&
                       fabs(cache.concurrency * 1e6 - (double)a[3]) < 2.0;
            else if (a[7])
                same = same && cache.fitting_len == a[7];
            if (!same)
                print_message(
                    "%s %s: fits %d blocks %llu tokens %llu bytes %llu groups %u request %llu fitting %llu, want %s",
                    version, name, cache.fits, (unsigned long long)cache.num_blocks, (unsigned long long)cache.tokens,
                    (unsigned long long)cache.block_bytes[0], cache.n_groups, (unsigned long long)cache.request_blocks,
                    (unsigned long long)cache.fitting_len, line);
            bad += !same;
            cases++;
            hwl_arena_reset(&arena);
        }
    }
    fclose(f);
    hwl_arena_free(&arena);
    assert_true(cases > 250);
    assert_int_equal(bad, 0);
}

static void pages_that_do_not_divide(void **state)
{
    (void)state;
    static struct hwl_vllm_cache cache;
    struct hwl_arena arena = {0};
    const struct hwl_vllm_run run = {.max_len = 4096, .dcp = 1, .stages = 1};
    const struct hwl_vllm_spec specs[] = {{.kind = HWL_VLLM_MLA, .block = 16, .page = 3000},
                                          {.kind = HWL_VLLM_MAMBA, .block = 16, .page = 4000}};
    hwl_error e = {0};
    assert_int_equal(hwl_vllm_cache_group(&cache, specs, 2, &run, &arena, &e), HWL_E_REFUSED);
    assert_non_null(strstr(e.message, "vllm refuses"));
    hwl_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_of_vllm), cmocka_unit_test(pages_that_do_not_divide)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
