/* SPDX-License-Identifier: Apache-2.0 */
/* Advice: every candidate is tried, the best five are kept. Where no single change makes the plan fit, every candidate is searched
 * again on top of those that come nearest, and once more on top of two. */
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "plan/internal.h"
#include "search/candidates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 3, BASES = 4, ROWS = 12 };

struct found {
    hwl_advice advice;
    struct hwl_measure m;
    uint8_t loss;
    hwl_advice part[PARTS]; /* what it was joined from */
    uint8_t loss_of[PARTS];
    uint32_t n_parts;
};

struct list {
    struct found row[ROWS]; /* more than are given out: what the next search begins with */
    uint32_t n;
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
    a->missing_bytes = m->verdict == HWL_VERDICT_EXCEEDS ? m->missing : 0;
    if (s->planned && m->own < s->now.own)
        a->saves_bytes = s->now.own - m->own;
    else if (s->planned && m->all < s->now.all)
        a->saves_bytes = s->now.all - m->all;
}

static bool ok(const struct found *f)
{
    return f->m.verdict != HWL_VERDICT_EXCEEDS;
}

/* What fits first; then what costs less; then what frees more. */
static bool before(const struct found *a, const struct found *b)
{
    if (ok(a) != ok(b))
        return ok(a);
    if (ok(a) && a->loss != b->loss)
        return a->loss < b->loss;
    if (!ok(a) && a->m.missing != b->m.missing)
        return a->m.missing < b->m.missing;
    return a->advice.saves_bytes > b->advice.saves_bytes;
}

static bool same_changes(const hwl_advice *a, const hwl_advice *b)
{
    uint32_t equal = 0;
    for (uint32_t i = 0; i < a->n_changes; i++)
        for (uint32_t k = 0; k < b->n_changes; k++)
            equal += strcmp(a->change[i].option, b->change[k].option) == 0 && strcmp(a->change[i].value, b->change[k].value) == 0;
    return a->n_changes == b->n_changes && equal == a->n_changes;
}

static void insert(struct list *l, const struct found *f)
{
    uint32_t at = l->n;
    for (uint32_t i = 0; i < l->n; i++)
        if (same_changes(&l->row[i].advice, &f->advice)) /* found in the other order */
            return;
    while (at && before(f, &l->row[at - 1]))
        at--;
    if (at == ROWS)
        return;
    if (l->n < ROWS)
        l->n++;
    memmove(&l->row[at + 1], &l->row[at], (l->n - at - 1) * sizeof *l->row);
    l->row[at] = *f;
}

static bool applies(const struct hwl_candidate *c, const char *engine)
{
    return !*c->engines || hwl_words_have(c->engines, engine);
}

static void singles(struct hwl_search *s, struct list *l)
{
    for (uint32_t i = 0; i < hwl_n_candidates; i++) {
        struct found f = {.loss = hwl_candidates[i].loss, .n_parts = 1};
        if (!applies(&hwl_candidates[i], s->engine) || !hwl_candidates[i].find(s, &f.advice, &f.m) || !hwl_search_helps(s, &f.m))
            continue;
        f.part[0] = f.advice;
        f.loss_of[0] = f.loss;
        finish(s, &f.m, &f.advice);
        insert(l, &f);
    }
}

/* All parts as one. False where two touch the same option or they are too many changes. */
static bool join(struct found *f)
{
    size_t n = 0;
    f->advice = (hwl_advice){.n_changes = 0};
    f->loss = 0;
    for (uint32_t p = 0; p < f->n_parts; p++) {
        const hwl_advice *part = &f->part[p];
        f->loss = (uint8_t)(f->loss + f->loss_of[p]);
        for (uint32_t i = 0; i < part->n_changes; i++) {
            for (uint32_t k = 0; k < f->advice.n_changes; k++)
                if (strcmp(f->advice.change[k].option, part->change[i].option) == 0)
                    return false;
            if (f->advice.n_changes == HWL_ADVICE_CHANGES)
                return false;
            f->advice.change[f->advice.n_changes++] = part->change[i];
        }
        if (n < sizeof f->advice.cost)
            n += (size_t)snprintf(f->advice.cost + n, sizeof f->advice.cost - n, "%s%s", n ? "; " : "", part->cost);
    }
    return true;
}

/* Proves the joined parts as a whole against the plan as it is; a part that is not needed goes. */
static bool prove(struct hwl_search *s, struct found *f)
{
    if (!join(f) || hwl_trial_run(&s->trial, &f->advice, &f->m, NULL) != HWL_OK)
        return false;
    for (uint32_t i = 0; ok(f) && f->n_parts > 1 && i < f->n_parts;) {
        struct found less = *f;
        less.n_parts--;
        memmove(&less.part[i], &less.part[i + 1], (less.n_parts - i) * sizeof *less.part);
        memmove(&less.loss_of[i], &less.loss_of[i + 1], (less.n_parts - i) * sizeof *less.loss_of);
        if (join(&less) && hwl_trial_run(&s->trial, &less.advice, &less.m, NULL) == HWL_OK && ok(&less)) {
            *f = less;
            i = 0;
        } else {
            i++;
        }
    }
    finish(s, &f->m, &f->advice);
    return true;
}

/* Every candidate (far: those alone that reach far) on top of base: what fits goes to all, the rest to next. */
static void on_top(struct hwl_search *s, const struct found *base, bool far, struct list *all, struct list *next, hwl_error *error)
{
    hwl_settings *settings = NULL;
    hwl_devices *devices = NULL;
    struct hwl_search t = {.settings = NULL};
    bool good = hwl_settings_copy(s->settings, &settings) == HWL_OK && hwl_devices_copy(s->trial.devices, &devices) == HWL_OK &&
                hwl_advice_apply(&base->advice, settings, devices, NULL, error) == HWL_OK;
    const hwl_planner *planner = s->trial.planner;
    if (good && hwl_advice_needs_planner(&base->advice))
        planner = hwl_trial_planner(&s->trial, settings, devices, NULL);
    good = good && planner && hwl_trial_open(&t.trial, planner, s->trial.planners, devices, settings, NULL) == HWL_OK;
    if (good) {
        t.engine = planner->engine->id;
        t.settings = settings;
        t.planned = hwl_trial_run(&t.trial, NULL, &t.now, NULL) == HWL_OK;
    }
    for (uint32_t i = 0; t.planned && i < hwl_n_candidates; i++) {
        const struct hwl_candidate *c = &hwl_candidates[i];
        struct found f = *base;
        hwl_advice more = {.n_changes = 0};
        if ((far && !c->far) || !applies(c, t.engine) || !c->find(&t, &more, &f.m) || !hwl_search_helps(&t, &f.m))
            continue;
        f.part[f.n_parts] = more;
        f.loss_of[f.n_parts++] = c->loss;
        if (prove(s, &f))
            insert(ok(&f) ? all : next, &f);
    }
    hwl_trial_close(&t.trial);
    hwl_devices_free(devices);
    hwl_settings_free(settings);
}

/* Can a plan that lacks so much be reached at all? What every change gained alone, twice over, and all that grows with the request. */
static bool hopeless(const struct hwl_search *s, const struct found *base, const struct list *alone, uint64_t request)
{
    uint64_t gain = request;
    for (uint32_t i = 0; i < alone->n; i++) {
        bool in = false;
        for (uint32_t p = 0; p < base->n_parts; p++)
            in = in || same_changes(&alone->row[i].part[0], &base->part[p]);
        if (!in && alone->row[i].m.missing < s->now.missing)
            gain += hwl_min((s->now.missing - alone->row[i].m.missing) * 2, UINT64_MAX / 16);
    }
    return s->planned && base->m.missing > gain;
}

static void several(struct hwl_search *s, struct list *all, hwl_error *error)
{
    const struct list alone = *all;
    struct hwl_measure m;
    uint64_t request = 0;
    if (s->planned && hwl_trial_run(&s->trial, NULL, &m, NULL) == HWL_OK) {
        uint64_t over = 0;
        for (uint32_t i = 0; i < s->trial.plan->n_devices; i++) {
            const hwl_plan_device *d = &s->trial.plan->plan_devices[i];
            over += d->used_bytes > d->usable_bytes ? d->used_bytes - d->usable_bytes : 0;
        }
        request = m.missing > over ? m.missing - over : 0;
        for (int k = HWL_KIND_KV_CACHE; k < HWL_KIND_COUNT; k++)
            request += hwl_min(s->trial.plan->totals[k], UINT64_MAX / 16);
    }
    struct list base = *all;
    for (uint32_t parts = 1; parts < PARTS && base.n && !(all->n && ok(&all->row[0])); parts++) {
        struct list next = {.n = 0};
        uint32_t taken = 0;
        for (uint32_t b = 0; b < base.n; b++) { /* without what the engine asks for in vain nothing else would do */
            const bool first = s->now.vain && !base.row[b].m.vain;
            if (taken < BASES - 1 || first)
                on_top(s, &base.row[b], hopeless(s, &base.row[b], &alone, request), all, &next, error);
            taken += !first;
        }
        base = next;
        if (next.n && !ok(&all->row[0])) /* how near it comes */
            insert(all, &next.row[0]);
    }
}

hwl_status hwl_advise(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings,
                      hwl_advice advice[HWL_ADVICE_MAX], uint32_t *n, hwl_error *error)
{
    struct list all = {.n = 0};
    struct hwl_planners *planners = calloc(1, sizeof *planners);
    struct hwl_search s = {.engine = planner->engine->id, .settings = settings};
    hwl_status status = planners ? hwl_trial_open(&s.trial, planner, planners, devices, settings, error)
                                 : hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (status == HWL_OK) {
        s.planned = hwl_trial_run(&s.trial, NULL, &s.now, NULL) == HWL_OK;
        singles(&s, &all);
        if ((!s.planned || s.now.verdict == HWL_VERDICT_EXCEEDS) && all.n && !ok(&all.row[0]))
            several(&s, &all, error);
        hwl_trial_close(&s.trial);
        *n = all.n < HWL_ADVICE_MAX ? all.n : HWL_ADVICE_MAX;
        for (uint32_t i = 0; i < *n; i++)
            advice[i] = all.row[i].advice;
    }
    if (planners)
        hwl_planners_free(planners);
    free(planners);
    return status;
}
