/* SPDX-License-Identifier: Apache-2.0 */
/* What SGLang's own code makes of models, cards and command lines: tests/data/sglang/pools.txt. All figures must be
 * equal. HWL_SGLANG_ROWS=FILE replays another file and prints every miss; HWL_SGLANG_SKIP passes over known ones. */
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
#define DRIVER_KEEPS 480 /* as fraction.c adds it: rows hold what nvidia-smi says */
#define MAX_ARGS 48

struct row {
    char model[128], version[16];
    unsigned cc, n_gpus;
    double total_mib, before, after;
    char *figures, *args;
};

static bool parse(char *text, struct row *r)
{
    int n = 0;
    if (sscanf(text, "row %127s %15s %u %u %lf %lf %lf %n", r->model, r->version, &r->cc, &r->n_gpus, &r->total_mib,
               &r->before, &r->after, &n) != 7)
        return false;
    text[strcspn(text, "\n")] = 0;
    r->figures = text + n;
    char *dashes = strstr(r->figures, "-- ");
    r->args = dashes ? dashes + 3 : NULL;
    if (dashes)
        *dashes = 0;
    return true;
}

static struct hwl_devices *devices_of(const struct row *r)
{
    struct hwl_devices *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->n_gpus = r->n_gpus;
    for (unsigned i = 0; i < r->n_gpus; i++) {
        d->gpu[i].memory_bytes = d->gpu[i].free_bytes = (uint64_t)(r->total_mib - DRIVER_KEEPS) << 20;
        d->gpu[i].compute_major = (uint16_t)(r->cc / 10);
        d->gpu[i].compute_minor = (uint16_t)(r->cc % 10);
    }
    return d;
}

static hwl_model *model;
static char model_name[128];

static hwl_model *open_named(const char *name)
{
    char path[512];
    hwl_error e = {0};
    hwl_model *m = NULL;
    snprintf(path, sizeof path, HWL_TEST_DATA "/sglang/%s", name); /* the configuration that was asked, before the catalogue's */
    if (hwl_model_open(path, NULL, &m, &e) == HWL_OK)
        return m;
    if (hwl_model_open(name, NULL, &m, &e) != HWL_OK)
        fail_msg("%s: %s", name, e.message);
    return m;
}

/* Rows of one model follow one another: it is opened once. */
static void open_model(const char *name)
{
    if (model && strcmp(name, model_name) == 0)
        return;
    hwl_model_free(model);
    snprintf(model_name, sizeof model_name, "%s", name);
    model = open_named(name);
}

struct outcome {
    struct hwl_sglang_setup setup;
    struct hwl_sglang_pools pools;
    hwl_status status;
    hwl_error error;
};

static void run(struct row *r, struct outcome *o)
{
    char *argv[MAX_ARGS];
    int argc = 0;
    hwl_settings *s;
    memset(o, 0, sizeof *o);
    char *copy = r->args ? strdup(r->args) : NULL;
    for (char *w = copy ? strtok(copy, " ") : NULL; w && argc < MAX_ARGS; w = strtok(NULL, " "))
        argv[argc++] = w;
    struct hwl_devices *d = devices_of(r);
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    o->status = hwl_settings_engine_args(s, "sglang", argc, (const char *const *)argv, &o->error);
    hwl_model *draft = NULL;
    if (o->status == HWL_OK && hwl_opt_has(s, HWL_OPT_DRAFT))
        draft = open_named(hwl_opt_text(s, HWL_OPT_DRAFT, ""));
    const char *rules = hwl_sglang_version(r->version);
    assert_non_null(rules);
    if (o->status == HWL_OK)
        o->status = hwl_sglang_resolve(model, draft, rules, d, s, &o->setup, &o->error);
    if (o->status == HWL_OK) {
        const struct hwl_sglang_setup *u = &o->setup;
        const double media = (double)u->media_bytes / GIB;
        const double rest = r->after - r->before * (1 - u->fraction) - media;
        uint64_t bytes[HWL_SGLANG_MAX_STAGES];
        for (uint32_t i = 0; i < u->pp; i++)
            bytes[i] = (uint64_t)(rest > 0 ? rest * GIB : 0);
        o->status = hwl_sglang_size_pools(model, u, bytes, &o->pools, &o->error);
    }
    hwl_model_free(draft);
    hwl_settings_free(s);
    free(copy);
    free(d);
}

static bool figure(const struct outcome *o, const char *name, double *value)
{
    const struct {
        const char *name;
        double value;
    } got[] = {{"fraction", o->setup.fraction},
               {"chunk", (double)o->setup.chunk},
               {"page", (double)o->setup.page},
               {"max_bs", (double)o->setup.max_bs},
               {"n_decode", (double)o->setup.n_decode_graphs},
               {"captured", (double)hwl_sglang_captured(&o->setup, o->pools.slots)},
               {"n_prefill", (double)o->setup.n_prefill_graphs},
               {"states", (double)o->pools.states},
               {"tokens", (double)o->pools.tokens},
               {"window", (double)o->pools.window_tokens},
               {"requests", (double)o->pools.requests},
               {"c4_state", (double)o->pools.four_rows},
               {"c128_state", (double)o->pools.long_rows}};
    for (size_t i = 0; i < sizeof got / sizeof *got; i++)
        if (strcmp(got[i].name, name) == 0) {
            *value = got[i].value;
            return true;
        }
    return false;
}

static bool check(const struct row *r, const struct outcome *o)
{
    bool right = true;
    char *figures = strdup(r->figures);
    for (char *w = strtok(figures, " "); w; w = strtok(NULL, " ")) {
        char *eq = strchr(w, '=');
        double want, got;
        assert_non_null(eq);
        *eq = 0;
        want = atof(eq + 1);
        if (strcmp(w, "refused") == 0) {
            if (o->status != HWL_OK || !o->pools.starts)
                continue;
            print_message("%s %s %s: SGLang refuses, the plan does not\n", r->model, r->version, r->args ? r->args : "");
            right = false;
        } else if (o->status != HWL_OK || !o->pools.starts) {
            print_message("%s %s %s: %s\n", r->model, r->version, r->args ? r->args : "",
                          o->status != HWL_OK ? o->error.message : o->pools.why);
            right = false;
            break;
        } else if (!figure(o, w, &got)) {
            fail_msg("no figure %s", w);
        } else if (fabs(got - want) > 1e-9 * fabs(want)) {
            print_message("%s %s cc%u %.0f %s: %s %.9g, SGLang %.9g\n", r->model, r->version, r->cc, r->total_mib,
                          r->args ? r->args : "", w, got, want);
            right = false;
        }
    }
    free(figures);
    return right;
}

static void rows(void **state)
{
    (void)state;
    const char *path = getenv("HWL_SGLANG_ROWS");
    FILE *f = fopen(path ? path : HWL_TEST_DATA "/sglang/pools.txt", "r");
    assert_non_null(f);
    char text[2048];
    int n = 0, right = 0;
    while (fgets(text, sizeof text, f)) {
        struct row r;
        struct outcome o;
        if (!parse(text, &r))
            continue;
        open_model(r.model);
        run(&r, &o);
        n++;
        right += check(&r, &o);
    }
    fclose(f);
    hwl_model_free(model);
    model = NULL;
    print_message("SGLang's own pools: %d of %d rows equal\n", right, n);
    assert_true(n > 0);
    assert_int_equal(right, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
