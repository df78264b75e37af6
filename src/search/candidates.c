/* SPDX-License-Identifier: Apache-2.0 */
/* The changes that advice is chosen from, each tried by planning. Of one kind only the one that costs least is offered. */
#include "search/candidates.h"

#include "arch/model.h"
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "device/devices.h"
#include "plan/internal.h"
#include "settings/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void change(hwl_advice *a, const char *option, const char *value)
{
    hwl_change *c = &a->change[a->n_changes++];
    (void)snprintf(c->option, sizeof c->option, "%s", option);
    (void)snprintf(c->value, sizeof c->value, "%s", value);
}

static void change_number(hwl_advice *a, const char *option, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    change(a, option, text);
}

static bool run(struct hwl_search *s, const hwl_advice *a, struct hwl_measure *m)
{
    return hwl_trial_run(&s->trial, a, m, NULL) == HWL_OK;
}

bool hwl_search_helps(const struct hwl_search *s, const struct hwl_measure *m)
{
    const struct hwl_measure *now = &s->now;
    if (!s->planned)
        return true; /* the engine refuses now */
    if (m->verdict != now->verdict)
        return m->verdict < now->verdict;
    if (m->missing != now->missing)
        return m->missing < now->missing && now->missing - m->missing > now->missing / 100;
    if (m->host_layers != now->host_layers)
        return m->host_layers < now->host_layers;
    if (m->kv_tokens != HWL_UNKNOWN && now->kv_tokens != HWL_UNKNOWN && m->kv_tokens != now->kv_tokens)
        return m->kv_tokens > now->kv_tokens && m->kv_tokens - now->kv_tokens > now->kv_tokens / 50;
    const uint64_t part = now->verdict == HWL_VERDICT_FITS ? 20 : 100; /* where there is room a little more is no news */
    return m->own < now->own ? now->own - m->own > now->own / part : m->own == now->own && m->all < now->all && now->all - m->all > now->all / part;
}

static bool fits(const struct hwl_measure *m)
{
    return m->verdict != HWL_VERDICT_EXCEEDS;
}

/* Numbers of one option. */
struct number {
    struct hwl_search *s;
    const char *option;
    struct hwl_measure m;
    uint64_t unit;
};

static bool number_fits(void *user, uint64_t n)
{
    struct number *x = user;
    return hwl_trial_number(&x->s->trial, x->option, n * x->unit, &x->m) && fits(&x->m);
}

/* What leaves the GPUs lies on the host, which is judged with the plan that is found. */
static bool gpus_hold(void *user, uint64_t n)
{
    struct number *x = user;
    return hwl_trial_number(&x->s->trial, x->option, n, &x->m) && hwl_trial_gpus_hold(x->s->trial.plan, false);
}

static bool take_number(struct number *x, uint64_t n, hwl_advice *a, struct hwl_measure *m)
{
    if (n == HWL_UNKNOWN)
        return false;
    change_number(a, x->option, n * x->unit);
    return run(x->s, a, m);
}

/* ---- time: layers and experts to the host ---- */

/* Layers with routed experts are those that hold them in the plan. */
static uint32_t expert_layers(const struct hwl_plan *plan)
{
    int32_t last = -1;
    for (uint64_t i = 0; i < plan->ledger.n_entries; i++)
        if (plan->ledger.entries[i].component == HWL_COMP_EXPERTS && plan->ledger.entries[i].layer > last)
            last = plan->ledger.entries[i].layer;
    return (uint32_t)(last + 1);
}

static bool experts_to_host(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    struct number x = {.s = s, .option = "n-cpu-moe", .unit = 1};
    if (!s->planned || fits(&s->now) || !s->trial.n_own || !run(s, NULL, m))
        return false;
    const uint32_t n = expert_layers(s->trial.plan);
    if (!n || !take_number(&x, hwl_search_farthest(1, n, true, gpus_hold, &x), a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "experts of %s layers run on the CPU: slower, the same answers", a->change[0].value);
    return true;
}

static bool layers_to_host(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    struct number x = {.s = s, .option = "ngl", .unit = 1};
    const uint64_t n = (uint64_t)s->trial.planner->model->n_layers + 1;
    if (!s->planned || fits(&s->now) || !s->trial.n_own || !take_number(&x, hwl_search_farthest(0, n, false, gpus_hold, &x), a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "%llu of %llu layers run on the CPU: slower, the same answers",
                   (unsigned long long)(n - strtoull(a->change[0].value, NULL, 10)), (unsigned long long)n);
    return true;
}

/* ---- room that the engine would not use or need ---- */

/* The first of a list that makes it fit, else the last that helps. */
static bool first_that_fits(struct hwl_search *s, const char *option, const char *const *values, hwl_advice *a, struct hwl_measure *m)
{
    hwl_advice best = {.n_changes = 0};
    struct hwl_measure best_m = {.verdict = HWL_VERDICT_EXCEEDS};
    for (; *values; values++) {
        hwl_advice t = {.n_changes = 0};
        change(&t, option, *values);
        if (!run(s, &t, m) || !hwl_search_helps(s, m))
            continue;
        best = t;
        best_m = *m;
        if (fits(m))
            break;
    }
    *a = best;
    *m = best_m;
    return best.n_changes > 0;
}

static bool utilisation(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    static const char *const values[] = {"0.95", "0.97", NULL};
    char text[24];
    const char *const *v = values;
    double now = 0;
    if (s->planned && run(s, NULL, m) && hwl_plan_setting(s->trial.plan, "gpu-memory-utilization", text, sizeof text))
        now = strtod(text, NULL);
    while (*v && strtod(*v, NULL) <= now + 0.005)
        v++;
    if (!*v || now <= 0 || !first_that_fits(s, "gpu-memory-utilization", v, a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "less room for other programs on the GPU");
    return true;
}

static bool eager(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    if (hwl_opt_flag(s->settings, HWL_OPT_ENFORCE_EAGER, false))
        return false;
    change(a, "enforce-eager", "true");
    (void)snprintf(a->cost, sizeof a->cost, "no CUDA graphs: slower decoding, the same answers");
    return run(s, a, m);
}

static bool flash_attention(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    char text[24];
    if (s->planned && (!run(s, NULL, m) || !hwl_plan_setting(s->trial.plan, "flash-attn", text, sizeof text) || strcmp(text, "off") != 0))
        return false;
    change(a, "flash-attn", "on");
    (void)snprintf(a->cost, sizeof a->cost, "nothing: attention needs no matrix of scores, the cache may be quantised");
    return run(s, a, m);
}

static bool batches(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    static const char *const values[] = {"256", "128", "64", NULL};
    char text[24];
    const char *const *v = values;
    if (!s->planned || !run(s, NULL, m) || !hwl_plan_setting(s->trial.plan, "ubatch", text, sizeof text))
        return false;
    while (*v && strtoull(*v, NULL, 10) >= strtoull(text, NULL, 10))
        v++;
    if (!*v || !first_that_fits(s, "ubatch", v, a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "prompts are read %s tokens at a time: slower, the same answers", a->change[0].value);
    return true;
}

static bool step_tokens(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    static const char *const values[] = {"4096", "2048", "1024", NULL};
    char text[24];
    const char *const *v = values;
    if (!s->planned || !run(s, NULL, m) || !hwl_plan_setting(s->trial.plan, "max-batched-tokens", text, sizeof text))
        return false;
    while (*v && strtoull(*v, NULL, 10) >= strtoull(text, NULL, 10))
        v++;
    if (!*v || !first_that_fits(s, "max-batched-tokens", v, a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "prompts are read %s tokens a step: slower, the same answers", a->change[0].value);
    return true;
}

/* ---- cache ---- */

static bool kv_type(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    const char *values[16], *v;
    uint32_t n = 0;
    for (uint32_t i = 1; n + 1 < sizeof values / sizeof *values && (v = hwl_option_choice(s->engine, "kv-type", i)); i++)
        values[n++] = v;
    values[n] = NULL;
    if (!first_that_fits(s, "kv-type", values, a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "the cache is kept in %s: a little less exact over long contexts", a->change[0].value);
    return true;
}

/* ---- what is asked for ---- */

static bool context(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    static const uint64_t units[] = {1024, 256, 1};
    uint64_t now = s->now.context;
    char count[40];
    if (!s->planned) /* refused, and be it for its context */
        now = hwl_opt_u64(s->settings, HWL_OPT_CTX, s->trial.planner->model->context_train);
    if (s->planned && fits(&s->now))
        return false;
    for (uint32_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct number x = {.s = s, .option = "ctx", .unit = units[i]};
        const uint64_t most = (now ? now - 1 : 0) / units[i], n = most ? hwl_search_farthest(1, most, false, number_fits, &x) : HWL_UNKNOWN;
        if (n == HWL_UNKNOWN)
            continue;
        if (hwl_opt_has(s->settings, HWL_OPT_CTX_TOTAL)) /* a total would win over it */
            change(a, "ctx-total", "");
        if (!take_number(&x, n, a, m))
            return false;
        (void)snprintf(a->cost, sizeof a->cost, "a context of %s tokens instead of ", hwl_count_text(n * units[i], count, sizeof count));
        const size_t at = strlen(a->cost);
        (void)snprintf(a->cost + at, sizeof a->cost - at, "%s", hwl_count_text(now, count, sizeof count));
        return true;
    }
    return false;
}

static bool sequences(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    struct number x = {.s = s, .option = "concurrency", .unit = 1};
    if (!s->planned || fits(&s->now) || s->now.concurrency < 2 ||
        !take_number(&x, hwl_search_farthest(1, s->now.concurrency - 1, false, number_fits, &x), a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "%s instead of %llu sequences at once", a->change[0].value, (unsigned long long)s->now.concurrency);
    return true;
}

/* ---- money and quality ---- */

static bool more_devices(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    const uint32_t n = s->trial.n_own;
    const uint64_t tp = hwl_opt_u64(s->settings, HWL_OPT_TP, 1), pp = hwl_opt_u64(s->settings, HWL_OPT_PP, 1);
    const bool server = hwl_words_have("vllm sglang tensorrt-llm", s->engine);
    const uint64_t add = server ? tp * pp : 1; /* twice as many ranks: heads divide */
    char value[96];
    if (!n || add > HWL_MAX_GPUS - n)
        return false;
    const hwl_device *d = &s->trial.devices->gpu[n - 1];
    const bool named = hwl_accelerator_find(d->name, NULL) != NULL;
    if (named)
        (void)snprintf(value, sizeof value, add > 1 ? "%.80sx%llu" : "%.80s", d->name, (unsigned long long)add);
    else
        (void)snprintf(value, sizeof value, "%llu/%llux%llu", (unsigned long long)d->memory_bytes,
                       (unsigned long long)hwl_min(d->free_bytes, d->memory_bytes), (unsigned long long)add); /* free may be unknown */
    change(a, named ? "gpu" : "gpu-memory", value);
    if (server)
        change_number(a, "tp", tp * 2);
    (void)snprintf(a->cost, sizeof a->cost, "%llu more %.80s", (unsigned long long)add, *d->name ? d->name : "GPU");
    return run(s, a, m);
}

static bool quantisation(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    const char *values[24], *v;
    uint32_t n = 0;
    for (uint32_t i = 0; n + 1 < sizeof values / sizeof *values && (v = hwl_option_choice(s->engine, "quant", i)); i++)
        values[n++] = v;
    values[n] = NULL;
    if (!first_that_fits(s, "quant", values, a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "weights are quantised to %s: less exact answers", a->change[0].value);
    return true;
}

const struct hwl_candidate hwl_candidates[] = {
    {"llama.cpp ollama", 0, flash_attention},
    {"llama.cpp", 0, experts_to_host},
    {"vllm sglang tensorrt-llm", 0, utilisation},
    {"llama.cpp ollama", 0, batches},
    {"vllm", 0, eager},
    {"vllm sglang", 0, step_tokens},
    {"llama.cpp ollama", 1, layers_to_host},
    {"", 1, kv_type},
    {"", 2, context},
    {"", 2, sequences},
    {"", 3, more_devices},
    {"", 4, quantisation},
};
const uint32_t hwl_n_candidates = sizeof hwl_candidates / sizeof *hwl_candidates;
