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
    if (now->vain && !m->vain && m->missing < now->missing)
        return true;
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

/* The same where the engine itself says whether it starts. */
static bool engine_holds(void *user, uint64_t n)
{
    struct number *x = user;
    return hwl_trial_number(&x->s->trial, x->option, n * x->unit, &x->m) && hwl_trial_gpus_hold(x->s->trial.plan, false) &&
           !x->s->trial.plan->ledger.exceeds;
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

static bool one_of(struct hwl_search *s, const char *option, const char *value, hwl_advice *a, struct hwl_measure *m)
{
    *a = (hwl_advice){.n_changes = 0};
    change(a, option, value);
    return run(s, a, m);
}

/* The first of a list that makes it fit, else the last that helps. The list begins with what takes most. */
static bool first_that_fits(struct hwl_search *s, const char *option, const char *const *values, hwl_advice *a, struct hwl_measure *m)
{
    uint32_t n = 0, low = 0;
    while (values[n])
        n++;
    if (!s->planned || fits(&s->now)) { /* nothing to be reached: the first that is better */
        for (uint32_t i = 0; i < n; i++)
            if (one_of(s, option, values[i], a, m) && hwl_search_helps(s, m) && (s->planned || fits(m)))
                return true;
        for (uint32_t i = 0; i < n && !s->planned; i++)
            if (one_of(s, option, values[i], a, m))
                return true;
        return false;
    }
    while (n && !one_of(s, option, values[n - 1], a, m)) /* the engine refuses it */
        n--;
    if (!n || !fits(m))
        return n && hwl_search_helps(s, m);
    for (uint32_t high = n - 1; low < high;) { /* the last fits */
        const uint32_t mid = low + (high - low) / 2;
        if (one_of(s, option, values[mid], a, m) && fits(m))
            high = mid;
        else
            low = mid + 1;
    }
    return one_of(s, option, values[low], a, m) && fits(m) && hwl_search_helps(s, m);
}

/* The share of a GPU that the engine takes: more where nobody else is there, less where somebody is. */
static bool utilisation(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    char text[24], value[8][8];
    const char *values[9];
    uint32_t n = 0;
    double now = 0, there = 1;
    if (s->planned && run(s, NULL, m) && hwl_plan_setting(s->trial.plan, "gpu-memory-utilization", text, sizeof text))
        now = strtod(text, NULL);
    for (uint32_t i = 0; now > 0 && i + 1 < s->trial.plan->n_devices; i++) {
        const hwl_plan_device *d = &s->trial.plan->plan_devices[i];
        if (d->used_bytes && d->usable_bytes != HWL_UNKNOWN && d->device->memory_bytes && d->device->memory_bytes != HWL_UNKNOWN) {
            const double share = (double)d->usable_bytes / (double)d->device->memory_bytes;
            there = share < there ? share : there;
        }
    }
    if (now <= 0)
        return false;
    const bool less = there < now; /* others hold too much: from what is free downwards, its own context is in it */
    for (int step = 0; step < 8; step++) {
        const int percent = less ? (int)(there * 100) - step : step == 0 ? 95 : 97;
        if (percent < 5 || (!less && (step > 1 || percent / 100.0 <= now + 0.005 || percent / 100.0 > there)))
            continue;
        (void)snprintf(value[n], sizeof value[n], "0.%02d", percent > 99 ? 99 : percent);
        values[n] = value[n];
        n++;
    }
    values[n] = NULL;
    if (!n || !first_that_fits(s, "gpu-memory-utilization", values, a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, less ? "nothing: it is what others leave free" : "less room for other programs on the GPU");
    return true;
}

/* More ranks on GPUs that are there and idle; where the engine refuses the number, one that it takes. */
static bool ranks(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    const uint64_t n = s->trial.n_own, tp = hwl_opt_u64(s->settings, HWL_OPT_TP, 1), pp = hwl_opt_u64(s->settings, HWL_OPT_PP, 1);
    char value[16][24];
    const char *values[17];
    uint32_t k = 0;
    if (!tp || !pp || tp > n || pp > n)
        return false;
    if (s->planned)
        for (uint64_t t = tp * 2; t * pp <= n && k < 16; t *= 2, k++)
            (void)snprintf(value[k], sizeof value[k], "%llu", (unsigned long long)t);
    else
        for (uint64_t t = tp - 1; t && k < 16; t--, k++)
            (void)snprintf(value[k], sizeof value[k], "%llu", (unsigned long long)t);
    for (uint32_t i = 0; i < k; i++)
        values[i] = value[i];
    values[k] = NULL;
    if (!first_that_fits(s, "tp", values, a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "the model is split over %llu of the %llu GPUs that are there", (unsigned long long)(strtoull(a->change[0].value, NULL, 10) * pp),
                   (unsigned long long)n);
    return true;
}

static bool step_sequences(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    static const char *const all[] = {"128", "64", "32", "16", "8", NULL};
    char text[24];
    const char *values[8];
    uint32_t n = 0;
    if (!s->planned || !run(s, NULL, m) || !hwl_plan_setting(s->trial.plan, "max-seqs", text, sizeof text))
        return false;
    for (uint32_t i = 0; all[i]; i++)
        if (strtoull(all[i], NULL, 10) < strtoull(text, NULL, 10) && strtoull(all[i], NULL, 10) >= s->now.concurrency)
            values[n++] = all[i];
    values[n] = NULL;
    if (!n || !first_that_fits(s, "max-seqs", values, a, m))
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "at most %s sequences in a step: less throughput, the same answers", a->change[0].value);
    return true;
}

/* As little as makes it fit, in whole GiB as the engine's own option counts. */
static bool weights_to_host(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    struct number x = {.s = s, .option = "cpu-offload", .unit = (uint64_t)1 << 30};
    const uint64_t now = hwl_opt_u64(s->settings, HWL_OPT_CPU_OFFLOAD, 0) / x.unit;
    if (!s->planned || fits(&s->now) || !s->trial.n_own || !run(s, NULL, m))
        return false;
    const uint64_t most = hwl_div_ceil(s->trial.plan->totals[HWL_KIND_WEIGHTS], x.unit);
    if (most <= now)
        return false;
    const uint64_t least = hwl_search_farthest(now + 1, most, true, engine_holds, &x);
    if (!take_number(&x, least == HWL_UNKNOWN ? most : least, a, m)) /* all of them, for what else may be changed */
        return false;
    (void)snprintf(a->cost, sizeof a->cost, "%llu GiB of weights per GPU lie in host memory and are copied in every step: much slower, the same answers",
                   (unsigned long long)(strtoull(a->change[0].value, NULL, 10) / x.unit));
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

/* As many more of the last GPU as make it fit, up to eight times what there is. Servers run as many ranks as heads divide by. */
static bool more_devices(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    const uint32_t n = s->trial.n_own;
    const uint64_t tp = hwl_opt_u64(s->settings, HWL_OPT_TP, 1), pp = hwl_opt_u64(s->settings, HWL_OPT_PP, 1);
    const bool server = hwl_words_have("vllm sglang tensorrt-llm tgi", s->engine);
    char value[96];
    struct hwl_measure first_m = {.verdict = HWL_VERDICT_EXCEEDS};
    hwl_advice first = {.n_changes = 0};
    if (!n || (s->planned && fits(&s->now)) || !tp || !pp || tp > HWL_MAX_GPUS || pp > HWL_MAX_GPUS || s->trial.devices->gpu[n - 1].kind != HWL_DEVICE_GPU)
        return false;
    const hwl_device *d = &s->trial.devices->gpu[n - 1];
    const bool named = hwl_accelerator_find(d->name, NULL) != NULL && d->free_bytes == d->memory_bytes;
    uint64_t split = tp;
    while (server && split * pp <= n)
        split *= 2;
    if (split / 2 > tp && hwl_trial_number(&s->trial, "tp", split / 2, m) && fits(m)) /* those that are there are enough */
        return false;
    for (uint64_t add = server ? split * pp - n : 1; add <= 7ull * n && add + n <= HWL_MAX_GPUS; add = server ? (split *= 2) * pp - n : add + 1) {
        hwl_advice t = {.n_changes = 0};
        if (named)
            (void)snprintf(value, sizeof value, add > 1 ? "%.80sx%llu" : "%.80s", d->name, (unsigned long long)add);
        else
            (void)snprintf(value, sizeof value, "%llu/%llux%llu", (unsigned long long)d->memory_bytes,
                           (unsigned long long)hwl_min(d->free_bytes, d->memory_bytes), (unsigned long long)add); /* free may be unknown */
        change(&t, named ? "gpu" : "gpu-memory", value);
        if (server)
            change_number(&t, "tp", split);
        (void)snprintf(t.cost, sizeof t.cost, "%llu more %.80s%s", (unsigned long long)add, named ? d->name : "GPU", named || add == 1 ? "" : "s");
        if (!run(s, &t, m) || !hwl_search_helps(s, m))
            continue;
        if (fits(m)) {
            *a = t;
            return true;
        }
        if (!first.n_changes) {
            first = t;
            first_m = *m;
        }
        const uint64_t each = m->missing < s->now.missing ? (s->now.missing - m->missing) / add : 0;
        if (!server && (!each || m->missing / (8ull * n) > each)) /* nor will many more do */
            break;
        if (!server) /* most of the way there at once */
            add += m->missing / each * 3 / 4;
    }
    *a = first;
    *m = first_m;
    return first.n_changes > 0;
}

/* Where nothing else would do: an engine that leaves on the host what the GPUs cannot hold. */
static bool other_engine(struct hwl_search *s, hwl_advice *a, struct hwl_measure *m)
{
    static const char *const own[] = {"engine-version", "quant", "kv-type"}; /* values are an engine's own */
    char text[64];
    if (s->planned && fits(&s->now))
        return false;
    change(a, "engine", "llama.cpp");
    if (hwl_opt_has(s->settings, HWL_OPT_ENGINE_VERSION))
        change(a, "engine-version", "");
    if (!run(s, a, m)) {
        a->n_changes = 0;
        change(a, "engine", "llama.cpp");
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            if (hwl_settings_get(s->settings, own[i], text, sizeof text))
                change(a, own[i], "");
        if (!run(s, a, m))
            return false;
    }
    (void)snprintf(a->cost, sizeof a->cost, "another engine, for fewer users at once: what the GPUs cannot hold runs on the CPU");
    return fits(m) || !s->planned;
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
    {"llama.cpp ollama lm-studio", 0, flash_attention, false},
    {"vllm sglang tensorrt-llm tgi transformers", 0, ranks, false},
    {"llama.cpp", 0, experts_to_host, false},
    {"vllm sglang tensorrt-llm tgi", 0, utilisation, false},
    {"llama.cpp ollama lm-studio", 0, batches, false},
    {"vllm sglang tensorrt-llm tgi", 0, eager, false},
    {"vllm sglang tensorrt-llm tgi", 0, step_tokens, false},
    {"vllm sglang tensorrt-llm tgi", 0, step_sequences, false},
    {"llama.cpp ollama lm-studio", 1, layers_to_host, false},
    {"", 1, kv_type, false},
    {"", 2, context, false},
    {"", 2, sequences, false},
    {"vllm sglang", 3, weights_to_host, false},
    {"", 3, more_devices, true},
    {"", 4, quantisation, false},
    {"ollama vllm sglang tensorrt-llm tgi transformers", 5, other_engine, true},
};
const uint32_t hwl_n_candidates = sizeof hwl_candidates / sizeof *hwl_candidates;
