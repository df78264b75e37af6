/* SPDX-License-Identifier: Apache-2.0 */
/* Advice: every candidate is tried, the best five are kept; where no single change makes the plan fit, two together are. */
#include "base/status.h"
#include "base/str.h"
#include "plan/internal.h"
#include "search/candidates.h"

#include <stdio.h>
#include <string.h>

struct found {
    hwl_advice advice;
    struct hwl_measure m;
    uint8_t loss;
};

static void finish(const struct hwl_search *s, const struct hwl_measure *m, hwl_advice *a)
{
    a->verdict = m->verdict;
    a->used_bytes = m->used;
    a->usable_bytes = m->usable;
    a->context = m->context;
    a->host_layers = m->host_layers;
    a->was_host_layers = s->planned ? s->now.host_layers : m->host_layers;
    a->kv_tokens = m->kv_tokens;
    if (s->planned && m->own < s->now.own)
        a->saves_bytes = s->now.own - m->own;
    else if (s->planned && m->all < s->now.all)
        a->saves_bytes = s->now.all - m->all;
}

/* What fits first; then what costs less; then what frees more. */
static bool before(const struct found *a, const struct found *b)
{
    const bool fa = a->m.verdict != HWL_VERDICT_EXCEEDS, fb = b->m.verdict != HWL_VERDICT_EXCEEDS;
    if (fa != fb)
        return fa;
    if (fa && a->loss != b->loss)
        return a->loss < b->loss;
    if (!fa && a->m.missing != b->m.missing)
        return a->m.missing < b->m.missing;
    return a->advice.saves_bytes > b->advice.saves_bytes;
}

static void insert(struct found *list, uint32_t *n, const struct found *f)
{
    uint32_t at = *n;
    while (at && before(f, &list[at - 1]))
        at--;
    if (at == HWL_ADVICE_MAX)
        return;
    if (*n < HWL_ADVICE_MAX)
        ++*n;
    memmove(&list[at + 1], &list[at], (*n - at - 1) * sizeof *list);
    list[at] = *f;
}

static bool applies(const struct hwl_candidate *c, const char *engine)
{
    return !*c->engines || hwl_words_have(c->engines, engine);
}

static void singles(struct hwl_search *s, struct found *list, uint32_t *n)
{
    for (uint32_t i = 0; i < hwl_n_candidates; i++) {
        struct found f = {.loss = hwl_candidates[i].loss};
        if (!applies(&hwl_candidates[i], s->engine) || !hwl_candidates[i].find(s, &f.advice, &f.m) || !hwl_search_helps(s, &f.m))
            continue;
        finish(s, &f.m, &f.advice);
        insert(list, n, &f);
    }
}

/* first and second as one. False where they touch the same option or are too many. */
static bool joined(const hwl_advice *first, const hwl_advice *second, hwl_advice *out)
{
    if (first->n_changes + second->n_changes > HWL_ADVICE_CHANGES)
        return false;
    *out = *first;
    for (uint32_t i = 0; i < second->n_changes; i++) {
        for (uint32_t k = 0; k < first->n_changes; k++)
            if (strcmp(first->change[k].option, second->change[i].option) == 0)
                return false;
        out->change[out->n_changes++] = second->change[i];
    }
    (void)snprintf(out->cost, sizeof out->cost, "%.76s; %.76s", first->cost, second->cost);
    return true;
}

/* On top of a change that helps but does not suffice, every candidate is searched again: three bases, the best first. */
static void pairs(struct hwl_search *s, const struct found *base, uint32_t n_base, struct found *list, uint32_t *n, hwl_error *error)
{
    for (uint32_t b = 0; b < n_base && b < 3; b++) {
        hwl_settings *settings = NULL;
        hwl_devices *devices = NULL;
        hwl_planner *own = NULL;
        struct hwl_search t = {.engine = s->engine};
        const hwl_advice *first = &base[b].advice;
        bool ok = hwl_settings_copy(s->settings, &settings) == HWL_OK && hwl_devices_copy(s->trial.devices, &devices) == HWL_OK &&
                  hwl_advice_apply(first, settings, devices, NULL, error) == HWL_OK;
        if (ok && hwl_advice_needs_planner(first))
            ok = hwl_planner_new(s->trial.planner->model, devices, settings, &own, NULL) == HWL_OK;
        ok = ok && hwl_trial_open(&t.trial, own ? own : s->trial.planner, devices, settings, NULL) == HWL_OK;
        t.settings = settings;
        t.moves = s->moves;
        t.planned = ok && hwl_trial_run(&t.trial, NULL, &t.now, NULL) == HWL_OK;
        for (uint32_t i = 0; t.planned && i < hwl_n_candidates; i++) {
            const struct hwl_candidate *c = &hwl_candidates[i];
            hwl_advice second = {.n_changes = 0};
            struct found f = {.loss = (uint8_t)(base[b].loss + c->loss)};
            if (!applies(c, s->engine) || !c->find(&t, &second, &f.m) || f.m.verdict == HWL_VERDICT_EXCEEDS || !joined(first, &second, &f.advice))
                continue;
            /* proved as a whole, against the plan as it is */
            if (hwl_trial_run(&s->trial, &f.advice, &f.m, NULL) != HWL_OK || f.m.verdict == HWL_VERDICT_EXCEEDS)
                continue;
            finish(s, &f.m, &f.advice);
            insert(list, n, &f);
        }
        hwl_trial_close(&t.trial);
        hwl_planner_free(own);
        hwl_devices_free(devices);
        hwl_settings_free(settings);
    }
}

hwl_status hwl_advise(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings,
                      hwl_advice advice[HWL_ADVICE_MAX], uint32_t *n, hwl_error *error)
{
    struct found list[HWL_ADVICE_MAX + 1], base[HWL_ADVICE_MAX + 1];
    uint32_t found = 0;
    struct hwl_search s = {.engine = planner->engine->id, .settings = settings, .moves = hwl_search_moves(planner->engine->id, settings)};
    HWL_TRY(hwl_trial_open(&s.trial, planner, devices, settings, error));
    s.planned = hwl_trial_run(&s.trial, NULL, &s.now, NULL) == HWL_OK;
    singles(&s, list, &found);
    if (found && list[0].m.verdict == HWL_VERDICT_EXCEEDS) {
        memcpy(base, list, sizeof base);
        pairs(&s, base, found, list, &found, error);
    }
    hwl_trial_close(&s.trial);
    for (uint32_t i = 0; i < found; i++)
        advice[i] = list[i].advice;
    *n = found;
    return HWL_OK;
}
