/* SPDX-License-Identifier: Apache-2.0 */
/* ggml's allocator and scheduler on graphs small enough to follow by hand (rules of ggml-alloc.c and ggml-backend.cpp). */
#include "unit/tap.h"

#include "engine/llamacpp/graph/sched.h"

#include <string.h>

static struct hwl_graph graph(struct hwl_arena *a)
{
    return (struct hwl_graph){.arena = a, .max_made = 1000, .layer = -1};
}

static struct hwl_gsys host(void)
{
    return (struct hwl_gsys){.n_devices = 0, .n_copies = 1, .align = {32}};
}

static uint64_t top_of(struct hwl_graph *g, const struct hwl_gsys *sys, uint32_t buffer, uint64_t *n_splits)
{
    struct hwl_gsplit split;
    uint64_t top[HWL_GSYS_MAX + 1];
    hwl_sched_assign(sys, g);
    assert_true(hwl_sched_split(sys, g, &split));
    assert_true(hwl_galloc(sys, g->arena, &split, NULL, 0, top));
    if (n_splits)
        *n_splits = split.n_splits;
    return top[buffer];
}

/* Two places of 1,024 B in turn: a source is free behind its last reader. */
static void places_are_used_again(void **state)
{
    struct hwl_arena a = {0};
    struct hwl_graph g = graph(&a);
    const struct hwl_gsys sys = host();
    (void)state;
    hwl_gt x = hwl_g_input(&g, HWL_DTYPE_F32, 256, 1, 1, 1, "x");
    for (int i = 0; i < 5; i++)
        x = hwl_g_cont(&g, x);
    hwl_g_expand(&g, x);
    assert_int_equal(top_of(&g, &sys, 0, NULL), 2048);
    hwl_arena_free(&a);
}

/* x and CONT, then UNARY where CONT was; a second reader of CONT keeps its place from being taken over. */
static void a_result_takes_the_place_of_its_only_source(void **state)
{
    (void)state;
    for (int two = 0; two < 2; two++) {
        struct hwl_arena a = {0};
        struct hwl_graph g = graph(&a);
        const struct hwl_gsys sys = host();
        hwl_gt y = hwl_g_cont(&g, hwl_g_input(&g, HWL_DTYPE_F32, 256, 4, 1, 1, "x")), z = hwl_g_unary(&g, y);
        hwl_g_expand(&g, z); /* 4,096 B each; x is free by then, so that a new place costs nothing but for the reader below */
        hwl_gt sum = two ? hwl_g_add(&g, hwl_g_cont(&g, y), z) : z;
        hwl_g_expand(&g, sum);
        assert_int_equal(top_of(&g, &sys, 0, NULL), two ? 3 * 4096 : 2 * 4096);
        hwl_arena_free(&a);
    }
}

/* The base of a view stays until the view is read; an output stays for good. */
static void views_and_outputs_stay(void **state)
{
    struct hwl_arena a = {0};
    struct hwl_graph g = graph(&a);
    const struct hwl_gsys sys = host();
    (void)state;
    hwl_gt x = hwl_g_input(&g, HWL_DTYPE_F32, 64, 1, 1, 1, "x"), y = hwl_g_cont(&g, x); /* 256 B each */
    y->flags = HWL_GFLAG_OUTPUT;
    hwl_gt v = hwl_g_view1(&g, y, 8, 0), z = hwl_g_cont(&g, v); /* 32 B, where x was */
    hwl_gt w = hwl_g_cont4(&g, hwl_g_cont(&g, z), 8, 1, 1, 1);
    hwl_g_expand(&g, w);
    assert_int_equal(top_of(&g, &sys, 0, NULL), 512);
    hwl_arena_free(&a);
}

/* A copy of a quantised matrix in a CUDA buffer: 64 rows of 256 in Q8_0 are 272 B each; the last is padded to 512 columns. */
static void cuda_pads_the_last_row(void **state)
{
    struct hwl_arena a = {0};
    struct hwl_graph g = graph(&a);
    struct hwl_gsys sys = {.n_devices = 1, .n_copies = 1, .align = {128, 32}, .rowpad = {512}};
    (void)state;
    hwl_gt w = hwl_g_new(&g, HWL_DTYPE_Q8_0, 256, 64, 1, 1);
    assert_int_equal(hwl_galloc_size(&sys, 0, w), 65 * 272);
    assert_int_equal(hwl_galloc_size(&sys, 1, w), 64 * 272);
    hwl_arena_free(&a);
}

/* Three matrices: device, host, device. One token goes to the host and back; 64 tokens are worth bringing the host's matrix, which
 * begins a split of its own. */
static void host_weights_come_for_large_batches(void **state)
{
    (void)state;
    for (int large = 0; large < 2; large++) {
        struct hwl_arena a = {0};
        struct hwl_graph g = graph(&a);
        struct hwl_gsys sys = {.n_devices = 1, .n_copies = 1, .align = {128, 32}, .rowpad = {512}, .strict = {true}, .op_offload = true};
        hwl_gt x = hwl_g_input(&g, HWL_DTYPE_F32, 256, large ? 64 : 1, 1, 1, "x");
        for (int8_t i = 0; i < 3; i++) {
            hwl_gt w = hwl_g_new(&g, HWL_DTYPE_F16, 256, 256, 1, 1);
            w->weight = true;
            w->buft = i == 1;
            x = hwl_g_mm(&g, w, x);
        }
        hwl_g_expand(&g, x);
        uint64_t n = 0;
        const uint64_t top = top_of(&g, &sys, 0, &n);
        assert_int_equal(n, large ? 2 : 3);
        if (large) /* the matrix (128 KiB) beside what it reads and what comes out (64 KiB each) */
            assert_int_equal(top, (128 + 64 + 64) * 1024);
        hwl_arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_used_again), cmocka_unit_test(a_result_takes_the_place_of_its_only_source), cmocka_unit_test(views_and_outputs_stay),
        cmocka_unit_test(cuda_pads_the_last_row), cmocka_unit_test(host_weights_come_for_large_batches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
