/* SPDX-License-Identifier: Apache-2.0 */
/* What a rank holds beside weights and cache, against start-ups on real cards: tests/data/vllm/h100.txt. */
#include "engine/vllm/budget.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_LOGS 64

static struct hwl_layer layers[128];

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double *errors, int n, double median, double p90)
{
    qsort(errors, (size_t)n, sizeof *errors, by_size);
    print_message("%s: median %.1f %%, p90 %.1f %%, worst %.1f %% of %d\n", what, 100 * errors[n / 2],
                  100 * errors[n * 9 / 10], 100 * errors[n - 1], n);
    assert_true(errors[n / 2] <= median);
    assert_true(errors[n * 9 / 10] <= p90);
}

static void h100(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/vllm/h100.txt", "r");
    assert_non_null(f);
    char line[512], name[96], dtype[16];
    double activation[MAX_LOGS], non_torch[MAX_LOGS], graphs[MAX_LOGS];
    int n = 0, n_graphs = 0;
    struct hwl_devices *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->n_gpus = 8;
    for (int i = 0; i < 8; i++) {
        d->gpu[i] = (hwl_device){.memory_bytes = 85029158912, .free_bytes = 85029158912, .compute_major = 9};
        strcpy(d->gpu[i].name, "H100 80GB HBM3");
    }
    while (fgets(line, sizeof line, f) && n < MAX_LOGS) {
        unsigned tp, pp, count, hidden, ff, heads, kv, dim, vocab, gated, towers, experts, used, width, act, other,
            graph;
        if (sscanf(line, "log %95s %u %u %15s %u %u %u %u %u %u %u %u %u %u %u %u %u %u %u", name, &tp, &pp, dtype,
                   &count, &hidden, &ff, &heads, &kv, &dim, &vocab, &gated, &towers, &experts, &used, &width, &act,
                   &other, &graph) != 19)
            continue;
        struct hwl_model m = {.arch = strstr(name, "gpt-oss") ? "gpt_oss" : "",
                              .layers = layers,
                              .n_layers = count,
                              .hidden = hidden,
                              .vocab = vocab,
                              .n_encoders = towers,
                              .context_train = 131072,
                              .dtype = HWL_DTYPE_BF16};
        m.hints.class_name = m.hints.rope_type = m.quant.method = "";
        for (unsigned i = 0; i < count; i++)
            layers[i] = (struct hwl_layer){
                .mixer = HWL_MIXER_FULL,
                .attn =
                    {.n_heads = heads, .n_kv_heads = kv, .head_dim_k = dim, .head_dim_v = dim, .kv_shared_with = -1},
                .ffn = {.d_ff = ff, .gated = gated, .n_experts = experts, .n_experts_used = used, .d_expert = width}};
        hwl_settings *s;
        hwl_error e = {0};
        char number[16];
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        snprintf(number, sizeof number, "%u", tp);
        hwl_settings_set(s, "tp", number, NULL);
        snprintf(number, sizeof number, "%u", pp);
        hwl_settings_set(s, "pp", number, NULL);
        hwl_settings_set(s, "dtype", dtype, NULL);
        struct hwl_vllm_setup u;
        struct hwl_vllm_other o;
        assert_int_equal(hwl_vllm_resolve(&m, "0.19.0", d, s, &u, &e), HWL_OK);
        const struct hwl_shard_run shards = hwl_vllm_shard_run(&u, s);
        assert_int_equal(hwl_vllm_measure_other(&m, &u, &shards, s, 0, &o, &e), HWL_OK);
        const double mib = 1024 * 1024;
        activation[n] = fabs((double)o.activation.bytes / mib / act - 1);
        non_torch[n] = fabs((double)o.non_torch / mib / other - 1);
        if (graph)
            graphs[n_graphs++] = fabs((double)o.graphs.bytes / mib / graph - 1);
        if (activation[n] > 0.1 || (graph && graphs[n_graphs - 1] > 0.3))
            print_message("%s tp %u pp %u: activation %.0f of %u, graphs %.0f of %u MiB\n", name, tp, pp,
                          (double)o.activation.bytes / mib, act, (double)o.graphs.bytes / mib, graph);
        n++;
        hwl_settings_free(s);
    }
    fclose(f);
    free(d);
    assert_true(n > 20);
    report("activation", activation, n, 0.01, 0.05);
    report("non-torch", non_torch, n, 0.08, 0.20);
    report("graphs", graphs, n_graphs, 0.08, 0.20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(h100)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
