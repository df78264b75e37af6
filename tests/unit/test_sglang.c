/* SPDX-License-Identifier: Apache-2.0 */
/* SGLang's pools, fraction and weights against its own start-up logs: tests/data/sglang/logs.txt. */
#include "base/str.h"
#include "engine/sglang/sglang.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GIB 1073741824.0
#define ROUND 0.0101 /* two figures of two decimals each */

struct line {
    char name[64], model[64], version[16], fraction[16];
    unsigned cc, n_gpus;
    double total, before, after;
    double slack, tokens, window, states, requests, kv, window_kv, state, weights, pool_end, graphs, work; /* < 0: not said */
    int argc;
    char *argv[32];
};

static const struct {
    const char *key;
    size_t at;
} keys[] = {{"slack", offsetof(struct line, slack)},     {"tokens", offsetof(struct line, tokens)},       {"window", offsetof(struct line, window)},
            {"states", offsetof(struct line, states)},       {"requests", offsetof(struct line, requests)},
            {"kv", offsetof(struct line, kv)},               {"window_kv", offsetof(struct line, window_kv)},
            {"state", offsetof(struct line, state)},         {"weights", offsetof(struct line, weights)},
            {"pool_end", offsetof(struct line, pool_end)},   {"graphs", offsetof(struct line, graphs)},
            {"work", offsetof(struct line, work)}};

static double *field(struct line *l, size_t i)
{
    return (double *)(void *)((char *)l + keys[i].at);
}

static bool parse(char *text, struct line *l)
{
    int n = 0;
    memset(l, 0, sizeof *l);
    if (sscanf(text, "log %63s %63s %15s %u %u %lf %lf %lf %15s%n", l->name, l->model, l->version, &l->cc, &l->n_gpus,
               &l->total, &l->before, &l->after, l->fraction, &n) != 9)
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        *field(l, i) = -1;
    bool args = false;
    for (char *w = strtok(text + n, " \n"); w; w = strtok(NULL, " \n")) {
        if (args) {
            l->argv[l->argc++] = w;
            continue;
        }
        args = strcmp(w, "--") == 0;
        char *eq = strchr(w, '=');
        if (args || !eq)
            continue;
        *eq = 0;
        bool known = false;
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strcmp(keys[i].key, w) == 0) {
                *field(l, i) = atof(eq + 1);
                known = true;
            }
        assert_true(known);
    }
    return true;
}

static hwl_model *open_model(const struct line *l)
{
    char path[512];
    hwl_model *m = NULL;
    hwl_error e = {0};
    if (hwl_model_open(l->model, NULL, &m, &e) != HWL_OK) {
        snprintf(path, sizeof path, HWL_TEST_DATA "/sglang/%s", l->model);
        if (hwl_model_open(path, NULL, &m, &e) != HWL_OK)
            fail_msg("%s: %s", l->model, e.message);
    }
    return m;
}

static struct hwl_devices *devices_of(const struct line *l, double total)
{
    struct hwl_devices *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->n_gpus = l->n_gpus;
    for (unsigned i = 0; i < l->n_gpus; i++) {
        d->gpu[i] = (hwl_device){.memory_bytes = (uint64_t)(total * GIB), .free_bytes = (uint64_t)(total * GIB)};
        d->gpu[i].compute_major = l->cc / 10;
        d->gpu[i].compute_minor = l->cc % 10;
    }
    return d;
}

struct run {
    hwl_model *model;
    struct hwl_devices *devices;
    hwl_settings *settings;
    struct hwl_sglang_setup setup;
};

static struct run start(struct line *l)
{
    struct run r = {.model = open_model(l), .devices = devices_of(l, l->total > 0 ? l->total : l->before + 1)};
    hwl_error e = {0};
    assert_int_equal(hwl_settings_new(&r.settings), HWL_OK);
    const char *f = l->fraction;
    if (*f == '=' || (*f >= '0' && *f <= '9'))
        assert_int_equal(hwl_settings_set(r.settings, "gpu-memory-utilization", f + (*f == '='), &e), HWL_OK);
    if (hwl_settings_engine_args(r.settings, "sglang", l->argc, (const char *const *)l->argv, &e) != HWL_OK ||
        hwl_sglang_resolve(r.model, NULL, l->version, r.devices, r.settings, &r.setup, &e) != HWL_OK)
        fail_msg("%s: %s", l->name, e.message);
    return r;
}

static void stop(struct run *r)
{
    hwl_settings_free(r->settings);
    hwl_model_free(r->model);
    free(r->devices);
}

static struct hwl_sglang_pools pools_of(const struct run *r, double rest)
{
    uint64_t bytes[HWL_SGLANG_MAX_STAGES] = {(uint64_t)(rest > 0 ? rest * GIB : 0)};
    struct hwl_sglang_pools p;
    hwl_error e = {0};
    if (hwl_sglang_size_pools(r->model, &r->setup, bytes, &p, &e) != HWL_OK)
        fail_msg("%s", e.message);
    return p;
}

/* GiB of the layers of one pool with that many tokens. */
static double pool_gib(const struct run *r, bool window, double tokens)
{
    struct hwl_ck ck = {0};
    double bytes = 0;
    for (uint32_t i = 0; i < r->model->n_layers; i++) {
        const struct hwl_layer *l = &r->model->layers[i];
        const struct hwl_sglang_row row = hwl_sglang_row_of(l, &r->setup, &ck);
        if ((r->setup.window_pool && l->attn.window) == window)
            bytes += (double)(row.kv + row.index);
    }
    return bytes * (tokens + (double)r->setup.page) / GIB;
}

static double states_gib(const struct run *r, double states)
{
    double bytes = 0;
    for (uint32_t i = 0; i < r->model->n_layers; i++) {
        uint64_t b;
        assert_int_equal(hwl_sglang_state_bytes(&r->model->layers[i], &r->setup, &b, NULL), HWL_OK);
        bytes += (double)b;
    }
    return bytes * (states + 1) / GIB;
}

static int wrong;

static void expect(const struct line *l, const char *what, double low, double high, double logged)
{
    if (logged < 0)
        return;
    const bool hit = logged >= low && logged <= high;
    print_message("%-24s %-9s %.2f..%.2f, logged %.2f%s\n", l->name, what, low, high, logged, hit ? "" : "  WRONG");
    wrong += !hit;
}

/* The figures of a line, given what was free around the load: equal within what two decimals leave open. */
static void given(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/sglang/logs.txt", "r");
    assert_non_null(f);
    char text[1024];
    struct line l;
    int n = 0;
    wrong = 0;
    while (fgets(text, sizeof text, f)) {
        if (!parse(text, &l))
            continue;
        n++;
        struct run r = start(&l);
        expect(&l, "kv", pool_gib(&r, false, l.tokens) - ROUND, pool_gib(&r, false, l.tokens) + ROUND, l.kv);
        expect(&l, "window_kv", pool_gib(&r, true, l.window) - ROUND, pool_gib(&r, true, l.window) + ROUND, l.window_kv);
        expect(&l, "state", states_gib(&r, l.states) - ROUND, states_gib(&r, l.states) + ROUND, l.state);
        expect(&l, "workspace", (double)r.setup.workspace / GIB, (double)r.setup.workspace / GIB + 0.11, l.work);
        if (l.window > 0)
            expect(&l, "window", floor(l.tokens * r.setup.window_ratio), floor(l.tokens * r.setup.window_ratio), l.window);
        if (l.before > 0) {
            const double media = (double)r.setup.media_bytes / GIB;
            const double rest = l.after - l.before * (1 - r.setup.fraction) - media;
            /* an implied fraction has three or four digits of its own */
            const double slack = (*l.fraction == '=' ? ROUND + 0.0005 * l.before : ROUND) + (l.n_gpus > 1 ? 0.02 : 0) +
                                 (l.slack > 0 ? l.slack : 0);
            double low[3] = {1e18, 1e18, 1e18}, high[3] = {0};
            for (int i = -20; i <= 20; i++) { /* whole states come and go inside: more room may mean fewer tokens */
                const struct hwl_sglang_pools p = pools_of(&r, rest + slack * i / 20);
                const double got[] = {(double)p.tokens, (double)p.states, (double)p.requests};
                for (int k = 0; k < 3; k++) {
                    low[k] = fmin(low[k], got[k]);
                    high[k] = fmax(high[k], got[k]);
                }
            }
            expect(&l, "tokens", low[0], high[0], l.tokens);
            expect(&l, "states", low[1], high[1], l.states);
            expect(&l, "requests", low[2], high[2], l.requests);
            if (l.pool_end > 0) { /* beside the pools only the table of requests is allocated */
                struct hwl_sglang_other o = {0};
                const struct hwl_shard_run shards = {.tp = 1, .pp = 1, .attention_tp = 1, .expert_ranks = 1,
                                                     .stage_first = r.setup.stage_first};
                const struct hwl_sglang_pools p = pools_of(&r, rest);
                assert_int_equal(hwl_sglang_measure_other(r.model, &r.setup, &shards, &p, &o, NULL), HWL_OK);
                const double left = l.after - pool_gib(&r, false, (double)p.tokens) -
                                    (r.setup.recurrent ? states_gib(&r, (double)p.states) : 0) - (double)o.requests / GIB;
                expect(&l, "pool end", left - 0.15, left + 0.05, l.pool_end);
            }
        }
        stop(&r);
    }
    fclose(f);
    assert_true(n >= 15);
    assert_int_equal(wrong, 0);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double *errors, int n, double median, double worst)
{
    assert_true(n > 0);
    qsort(errors, (size_t)n, sizeof *errors, by_size);
    print_message("%s: median %.2f %%, worst %.2f %% of %d\n", what, 100 * errors[n / 2], 100 * errors[n - 1], n);
    assert_true(errors[n / 2] <= median);
    assert_true(errors[n - 1] <= worst);
}

static double view(const struct hwl_ledger *ledger, const char *name)
{
    for (uint64_t i = 0; i < ledger->n_views; i++)
        if (strcmp(ledger->views[i].name, name) == 0)
            return (double)ledger->views[i].u64;
    return -1;
}

/* The same from the flags and the card alone. */
static void predicted(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/sglang/logs.txt", "r");
    assert_non_null(f);
    char text[1024];
    struct line l;
    double weights[96], tokens[96], graphs[96], beside[96];
    int nw = 0, nt = 0, ng = 0;
    while (fgets(text, sizeof text, f)) {
        if (!parse(text, &l))
            continue;
        struct run r = start(&l);
        struct hwl_arena arena = {0};
        struct hwl_ledger ledger = {.arena = &arena};
        void *prepared = NULL;
        hwl_error e = {0};
        const double total = l.total > 0 ? l.total : 1000;
        free(r.devices);
        r.devices = devices_of(&l, total);
        assert_int_equal(hwl_engine_sglang.prepare(r.model, l.version, r.settings, &arena, &prepared, &e), HWL_OK);
        if (hwl_engine_sglang.plan(r.model, prepared, l.version, r.devices, r.settings, &ledger, &e) != HWL_OK)
            fail_msg("%s: %s", l.name, e.message);
        const double w = view(&ledger, "weights_bytes") / GIB, t = view(&ledger, "max_total_num_tokens");
        const double g = view(&ledger, "graph_bytes") / GIB;
        if (l.weights > 0) {
            beside[nw] = l.weights - w + (double)HWL_SGLANG_LOADING / GIB;
            weights[nw++] = fabs(w / l.weights - 1);
            print_message("%-24s weights %.2f, logged %.2f: %+.2f %%\n", l.name, w, l.weights, 100 * (w / l.weights - 1));
        }
        if (l.total > 0 && l.tokens > 0) {
            tokens[nt++] = fabs(t / l.tokens - 1);
            print_message("%-24s tokens %.0f, logged %.0f: %+.2f %%\n", l.name, t, l.tokens, 100 * (t / l.tokens - 1));
        }
        if (l.graphs > 0 && (l.total > 0 || l.argc)) {
            graphs[ng++] = fabs(g / l.graphs - 1);
            print_message("%-24s graphs %.2f, logged %.2f\n", l.name, g, l.graphs);
        }
        hwl_arena_free(&arena);
        stop(&r);
    }
    fclose(f);
    qsort(beside, (size_t)nw, sizeof *beside, by_size);
    const double median = (beside[(nw - 1) / 2] + beside[nw / 2]) / 2;
    print_message("coefficient beside the weights: %.3f GiB of %d logs, quartiles %.2f to %.2f GiB\n", median, nw, beside[nw / 4],
                  beside[nw - 1 - nw / 4]);
    assert_true(fabs(median - (double)HWL_SGLANG_LOADING / GIB) < 0.01);
    report("weights", weights, nw, 0.01, 0.04);
    report("tokens", tokens, nt, 0.01, 0.14);
    report("graphs", graphs, ng, 0.30, 0.40);
}

struct fit {
    double x[32], y[32];
    int n;
};

/* Mean, or line where x differs, of all points but one; -1: of all. */
static void solve(const struct fit *f, int without, bool line, double *base, double *slope)
{
    double n = 0, sx = 0, sy = 0, xx = 0, xy = 0;
    for (int i = 0; i < f->n; i++) {
        if (i == without)
            continue;
        n++;
        sx += f->x[i];
        sy += f->y[i];
        xx += f->x[i] * f->x[i];
        xy += f->x[i] * f->y[i];
    }
    *slope = line ? (n * xy - sx * sy) / (n * xx - sx * sx) : 0;
    *base = (sy - *slope * sx) / n;
}

/* Says how far off each point is when the others alone are fitted; more: what the logged figure holds beside the fitted part. */
static void leave_one_out(const char *what, const struct fit *f, const double *more, bool line)
{
    double base, slope, worst = 0, gib = 0;
    for (int i = 0; i < f->n && f->n > 1; i++) {
        solve(f, i, line, &base, &slope);
        const double rest = more ? more[i] : 0, off = fabs(base + slope * f->x[i] - f->y[i]);
        worst = fmax(worst, off / (f->y[i] + rest));
        gib = fmax(gib, off);
    }
    solve(f, -1, line, &base, &slope);
    char each[48] = "";
    if (line)
        snprintf(each, sizeof each, " and %.1f KiB a layer and size", slope * GIB / 1024);
    print_message("coefficient %s: %.3f GiB%s of %d logs, leave-one-out worst %.0f %% and %.2f GiB\n", what, base, each, f->n,
                  100 * worst, gib);
}

struct capture {
    char what[16], name[64];
    double sizes, layers, rows, vocab, gib;
};

static int captures(struct capture *out, int cap)
{
    FILE *f = fopen(HWL_TEST_DATA "/sglang/logs.txt", "r");
    char text[1024];
    int n = 0;
    assert_non_null(f);
    while (n < cap && fgets(text, sizeof text, f)) {
        struct capture *c = &out[n];
        n += sscanf(text, "capture %15s %63s %lf %lf %lf %lf %lf", c->what, c->name, &c->sizes, &c->layers, &c->rows, &c->vocab,
                    &c->gib) == 7;
    }
    fclose(f);
    return n;
}

/* What the plan has for a capture of these shapes. */
static double captured(const struct capture *c, hwl_mixer mixer, bool mla, uint32_t tp, unsigned cc)
{
    struct hwl_layer layers[128] = {{.mixer = (uint8_t)mixer, .attn.n_heads = 1}};
    const struct hwl_model m = {.layers = layers, .n_layers = (uint32_t)c->layers, .vocab = (uint64_t)c->vocab, .hidden = 1};
    const struct hwl_sglang_setup u = {.rules = hwl_sglang_rules_of("0.5.23"), .sizes_given = true, .tp = tp, .pp = 1, .attention_tp = 1, .cc = cc, .mla = mla, .dtype_bytes = 2, .spec_method = "",
                                       .n_decode_graphs = (uint64_t)c->sizes, .max_bs = (uint64_t)c->rows};
    const uint16_t stages[] = {0, (uint16_t)c->layers};
    const struct hwl_shard_run shards = {.tp = 1, .pp = 1, .attention_tp = 1, .expert_ranks = 1, .stage_first = stages, .spec_method = ""};
    const struct hwl_sglang_pools pools = {.requests = 1, .slots = UINT16_MAX};
    struct hwl_sglang_other o = {0};
    assert_int_equal(hwl_sglang_measure_other(&m, &u, &shards, &pools, &o, NULL), HWL_OK);
    return (double)o.decode_graphs / GIB;
}

/* The coefficients are the fit of their points, and nothing else. */
static void coefficients(void **state)
{
    (void)state;
    struct capture all[48];
    struct fit plain = {0}, link = {0}, shared = {0}, latent = {0}, context = {0};
    double rest[4][32], base, slope, linked;
    const int n = captures(all, 48);
    assert_true(n >= 10);
    for (int i = 0; i < n; i++)
        if (strcmp(all[i].what, "plain") == 0) {
            const double logits = all[i].rows * all[i].vocab * 6 / GIB;
            rest[0][plain.n] = logits;
            plain.x[plain.n] = all[i].sizes * all[i].layers;
            plain.y[plain.n++] = all[i].gib - logits;
        }
    leave_one_out("graphs", &plain, rest[0], true);
    solve(&plain, -1, true, &base, &slope);
    for (int pass = 0; pass < 2; pass++) {
        linked = 0;
        if (pass)
            solve(&link, -1, false, &linked, &(double){0});
        for (int i = 0; i < n; i++) {
            const struct capture *c = &all[i];
            struct fit *f = strcmp(c->what, "link") == 0 ? &link : strcmp(c->what, "shared") == 0 ? &shared : &latent;
            const int k = f == &link ? 1 : f == &shared ? 2 : 3;
            const double other = base + slope * c->sizes * c->layers + c->rows * c->vocab * 6 / GIB +
                                 (strcmp(c->what, "latent-link") == 0 ? linked : 0);
            if (strcmp(c->what, "plain") == 0 || (pass == 0) != (k == 1))
                continue;
            rest[k][f->n] = other;
            f->y[f->n++] = c->gib - other;
        }
    }
    leave_one_out("communication in graphs", &link, rest[1], false);
    leave_one_out("first call, memory shared with the host", &shared, rest[2], false);
    leave_one_out("first call, latent rows", &latent, rest[3], false);
    const struct capture one = {.sizes = 10, .layers = 10, .rows = 1, .vocab = 1}, two = {.sizes = 20, .layers = 10, .rows = 1, .vocab = 1};
    const double first = captured(&one, HWL_MIXER_FULL, false, 1, 90);
    assert_true(fabs(first - (base + 100 * slope)) < 0.002);
    assert_true(fabs(captured(&two, HWL_MIXER_FULL, false, 1, 90) - first - 100 * slope) < 0.001);
    assert_true(fabs(captured(&one, HWL_MIXER_FULL, false, 2, 90) - first - linked) < 0.01);
    solve(&shared, -1, false, &base, &slope);
    assert_true(fabs(captured(&one, HWL_MIXER_FULL, false, 1, 121) - first - base) < 0.01);
    solve(&latent, -1, false, &base, &slope);
    assert_true(fabs(captured(&one, HWL_MIXER_MLA, true, 1, 90) - first - base) < 0.02);
    FILE *f = fopen(HWL_TEST_DATA "/sglang/logs.txt", "r");
    char text[1024];
    struct fit pieces = {0};
    double sizes, layers, hidden;
    assert_non_null(f);
    while (fgets(text, sizeof text, f))
        if (sscanf(text, "pieces %*s %lf %lf %lf %lf", &sizes, &layers, &hidden, &pieces.y[pieces.n]) == 4)
            pieces.y[pieces.n++] *= GIB / (sizes * layers * hidden * 1000);
        else
            context.n += sscanf(text, "fit context %*s %lf", &context.y[context.n]) == 1;
    fclose(f);
    assert_true(context.n >= 3);
    double worst = 0;
    solve(&pieces, -1, false, &linked, &slope);
    for (int i = 0; i < pieces.n; i++) {
        solve(&pieces, i, false, &base, &slope);
        worst = fmax(worst, fabs(base / pieces.y[i] - 1));
    }
    print_message("coefficient pieces of prefill: %.0f bytes a size, layer and element of %d logs, leave-one-out worst %.0f %%\n",
                  1000 * linked, pieces.n, 100 * worst);
    assert_true(fabs(1000 * linked - HWL_SGLANG_PIECE) < 1);
    leave_one_out("context", &context, NULL, false);
    solve(&context, -1, false, &base, &slope);
    struct hwl_sglang_other o = {0};
    const uint16_t stages[] = {0, 1};
    const struct hwl_shard_run shards = {.tp = 1, .pp = 1, .attention_tp = 1, .expert_ranks = 1, .stage_first = stages};
    hwl_shard_runtime(&shards, &o.context, &o.distributed);
    assert_true(fabs((double)o.context / GIB - base) < 0.01);
}

static uint64_t decode_sizes(const char *version, uint64_t max, const char *speculation)
{
    const struct hwl_sglang_setup u = {.rules = hwl_sglang_rules_of(version), .max_bs = max, .sizes_end = 160, .spec_method = speculation};
    return hwl_sglang_decode_graphs(&u);
}

static void graph_sizes(void **state)
{
    (void)state;
    /* captured lists that logs print */
    assert_int_equal(decode_sizes("0.5.23", 8, ""), 4);    /* 1, 2, 4, 8 */
    assert_int_equal(decode_sizes("0.5.23", 256, ""), 36);
    assert_int_equal(decode_sizes("0.5.23", 512, ""), 52);
    assert_int_equal(decode_sizes("0.5.23", 3, ""), 3);    /* 1, 2 and the largest */
    assert_int_equal(decode_sizes("0.5.9", 3, ""), 2);
    assert_int_equal(decode_sizes("0.4.9", 160, ""), 23);
    assert_int_equal(hwl_sglang_prefill_graphs(16384), 74);
    /* no more than the table has rows, which are a size of their own */
    struct hwl_sglang_setup u = {.rules = hwl_sglang_rules_of("0.5.23"), .max_bs = 256, .n_decode_graphs = 36, .spec_method = ""};
    assert_int_equal(hwl_sglang_captured(&u, 4096), 36);
    assert_int_equal(hwl_sglang_captured(&u, 20), 7); /* 1, 2, 4, 8, 12, 16, 20 */
    u.attention_dp = 2, u.attention_tp = 4; /* multiples of 4 */
    assert_int_equal(hwl_sglang_captured(&u, 18), 5);
    assert_int_equal(decode_sizes("0.5.23", 0, "mtp"), 0);
}

/* Options: the engine's own words reach the plan, those that no model covers are said. */
static void options(void **state)
{
    (void)state;
    static const char *const argv[] = {"--tp", "2", "--cuda-graph-bs", "1", "2", "4", "--enable-symm-mem",
                                       "--max-total-tokens", "64k", "--lora-paths", "a", "b", "--host", "0.0.0.0"};
    hwl_settings *s;
    hwl_error e = {0};
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_engine_args(s, "sglang", sizeof argv / sizeof *argv, argv, &e), HWL_OK);
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_TP, 1), 2);
    assert_string_equal(hwl_opt_text(s, HWL_OPT_CUDAGRAPH_SIZES, ""), "1,2,4");
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_KV_TOKENS, 0), 64000);
    assert_int_equal(s->n_unmodelled, 2);
    assert_int_equal(s->n_ignored, 1);
    static const char *const wrong_one[] = {"--gpu-memory-utilization", "0.9"};
    assert_int_equal(hwl_settings_engine_args(s, "sglang", 2, wrong_one, &e), HWL_E_USAGE);
    hwl_settings_free(s);
}

/* Every flag of the engine is read with as many values as its parser takes; a mistyped one is refused with the nearest. */
static void flags(void **state)
{
    (void)state;
    static const char *const words[][2] = {{"cuda-graph-backend-decode", "full"}, {"cuda-graph-backend-prefill", "disabled"}};
    FILE *f = fopen(HWL_TEST_DATA "/sglang/flags.txt", "r");
    assert_non_null(f);
    char text[256], release[16], name[96], values[8];
    int n = 0, old = 0, unmodelled = 0;
    while (fgets(text, sizeof text, f)) {
        if (sscanf(text, "flag %15s %95s %7s", release, name, values) != 3)
            continue;
        const struct hwl_engine_arg *row = NULL;
        for (uint32_t i = 0; i < HWL_SGLANG_N_ARGS && !row; i++)
            if (hwl_words_have(hwl_sglang_args[i].names, name))
                row = &hwl_sglang_args[i];
        if (!row)
            fail_msg("--%s of %s is not known", name, release);
        old += strcmp(release, "0.5.23") != 0;
        if (*values == '.')
            continue;
        char flag[100];
        const char *value = "8", *argv[4] = {flag, NULL, "--host", "0.0.0.0"};
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            value = strcmp(words[i][0], name) == 0 ? words[i][1] : value;
        if (row->how == HWL_ARG_VALUE && hwl_option_at((uint32_t)row->option)->type == HWL_TYPE_REAL)
            value = "0.5";
        snprintf(flag, sizeof flag, "--%s", name);
        int argc = 1;
        if (*values != '0')
            argv[argc++] = value;
        argv[argc++] = "--host";
        argv[argc++] = "0.0.0.0";
        hwl_settings *s;
        hwl_error e = {0};
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        if (hwl_settings_engine_args(s, "sglang", argc, argv, &e) != HWL_OK)
            fail_msg("%s %s: %s", flag, values, e.message);
        unmodelled += s->n_unmodelled > 0;
        /* said, passed over, or set: never lost */
        uint32_t set = 0;
        for (uint32_t i = 0; i < HWL_OPT_COUNT; i++)
            set += hwl_opt_has(s, (enum hwl_opt)i);
        assert_true(s->n_unmodelled + (s->n_ignored - (strcmp(name, "host") != 0)) + set >= 1 || strcmp(name, "host") == 0);
        hwl_settings_free(s);
        n++;
    }
    fclose(f);
    assert_true(n > 500 && old > 300 && unmodelled > 50);
    static const char *const wrong_one[] = {"--mem-fraction-statc", "0.9"};
    hwl_settings *s;
    hwl_error e = {0};
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_engine_args(s, "sglang", 2, wrong_one, &e), HWL_E_USAGE);
    assert_non_null(strstr(e.message, "--mem-fraction-static"));
    hwl_settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(given), cmocka_unit_test(predicted), cmocka_unit_test(coefficients),
                                       cmocka_unit_test(graph_sizes),
                                       cmocka_unit_test(options), cmocka_unit_test(flags)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
