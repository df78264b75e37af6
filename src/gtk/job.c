/* SPDX-License-Identifier: Apache-2.0 */
/* What threads do: opening a model, a plan that takes long, and what takes many plans. */
#include "gtk/job.h"

#include "view/stores.h"

#include <string.h>

struct hwl_job *hwl_job_new(const struct hwl_session *s, const struct hwl_ask *ask, bool reopen)
{
    struct hwl_job *j = g_atomic_rc_box_new0(struct hwl_job);
    j->ask = hwl_ask_copy(ask);
    if (hwl_devices_copy(s->machine, &j->machine) != HWL_OK)
        g_error("out of memory");
    j->generation = s->generation;
    j->permille = -1;
    if (s->planner && !reopen) {
        j->model = g_atomic_rc_box_acquire(s->planner->model);
        if (hwl_session_ready(s))
            j->planner = g_atomic_rc_box_acquire(s->planner);
    }
    return j;
}

struct hwl_job *hwl_job_ref(struct hwl_job *job)
{
    return g_atomic_rc_box_acquire(job);
}

static void clear(void *p)
{
    struct hwl_job *j = p;
    hwl_plan_free(j->plan);
    hwl_planner_box_unref(j->planner);
    hwl_model_box_unref(j->model);
    hwl_devices_free(j->devices);
    hwl_devices_free(j->machine);
    hwl_ask_free(j->ask);
}

void hwl_job_unref(void *job)
{
    if (job)
        g_atomic_rc_box_release_full(job, clear);
}

static void progress(void *user, uint64_t done, uint64_t total)
{
    struct hwl_job *j = user;
    g_atomic_int_set(&j->permille, total ? (int)((double)done / (double)total * 1000) : -1);
}

static unsigned rest_ms;

void hwl_job_set_rest(unsigned ms)
{
    rest_ms = ms;
}

static bool stop(void *user)
{
    struct hwl_job *j = user;
    if (rest_ms)
        g_usleep(rest_ms * 1000u);
    return g_atomic_int_get(&j->cancelled) != 0;
}

static hwl_status open_model(struct hwl_job *j)
{
    struct hwl_view_stores stores;
    hwl_model *model = NULL;
    hwl_view_stores(&stores);
    stores.options.generic = j->ask->generic;
    stores.options.progress = progress;
    stores.options.stop = stop;
    stores.options.user = j;
    hwl_status status = hwl_model_open(j->ask->model, &stores.options, &model, &j->error);
    if (status == HWL_OK) {
        j->model = hwl_model_box_new(model);
        j->fresh_model = true;
    }
    return status;
}

static hwl_status steps(struct hwl_job *j)
{
    hwl_status status = hwl_ask_devices(j->ask, j->machine, &j->devices, &j->error);
    if (status == HWL_OK && !j->model)
        status = open_model(j);
    if (status != HWL_OK || g_atomic_int_get(&j->cancelled))
        return status;
    if (!j->planner && !(j->planner = hwl_planner_box_new(j->model, j->devices, j->ask->settings, &j->error)))
        return j->error.status ? j->error.status : HWL_E_NOMEM;
    const gint64 start = g_get_monotonic_time();
    status = hwl_planner_plan(j->planner->planner, j->devices, j->ask->settings, &j->plan, &j->error);
    j->plan_us = g_get_monotonic_time() - start;
    return status;
}

void hwl_job_run(struct hwl_job *j)
{
    j->error = (hwl_error){.offset = HWL_NO_OFFSET};
    j->status = steps(j);
}

/* Choices and flags have no range; bytes and shares have their own. */
static void ranges(struct hwl_job *j, struct hwl_extras *x, const char *engine)
{
    const struct hwl_control *c;
    for (uint32_t i = 0; (c = hwl_view_control(engine, i)) && x->n_ranges < HWL_RANGES; i++) {
        if (g_atomic_int_get(&j->cancelled))
            return;
        if (c->kind == HWL_CONTROL_NUMBER && hwl_planner_range(j->planner->planner, j->devices, j->ask->settings, c->option,
                                                               &x->range[x->n_ranges].range, NULL) == HWL_OK)
            g_strlcpy(x->range[x->n_ranges++].option, c->option, sizeof x->range[0].option);
    }
}

static void quant_chart(struct hwl_job *j, struct hwl_extras *x)
{
    struct hwl_chart *c = &x->quant;
    for (uint32_t i = 0; c->n < HWL_CHART_POINTS && !g_atomic_int_get(&j->cancelled); i++) {
        struct hwl_chart_point *p = &c->point[c->n];
        *p = (struct hwl_chart_point){0};
        if (!hwl_view_quant_point(j->model->model, j->devices, j->ask->settings, i, true, p))
            break;
        if (!p->refused && p->used > c->top)
            c->top = p->used;
        if (!p->refused && p->usable != HWL_UNKNOWN && p->usable > c->top)
            c->top = p->usable;
        c->n++;
    }
    c->limit = HWL_UNKNOWN;
    x->has_quant = true;
}

void hwl_extras_run(struct hwl_job *j, struct hwl_extras *x, void (*part)(void *, const struct hwl_extras *), void *user)
{
    char engine[64];
    x->generation = j->generation;
    if (!hwl_settings_get(j->ask->settings, "engine", engine, sizeof engine))
        g_strlcpy(engine, hwl_engine_default(j->model->model, j->devices), sizeof engine);
    x->has_limits = hwl_planner_limits(j->planner->planner, j->devices, j->ask->settings, &x->limits, NULL) == HWL_OK;
    if (g_atomic_int_get(&j->cancelled))
        return;
    part(user, x);
    ranges(j, x, engine);
    if (g_atomic_int_get(&j->cancelled))
        return;
    part(user, x);
    x->has_advice = hwl_advise(j->planner->planner, j->devices, j->ask->settings, x->advice, &x->n_advice, NULL) == HWL_OK;
    if (g_atomic_int_get(&j->cancelled))
        return;
    part(user, x);
    if (!j->charts)
        return;
    x->has_context = hwl_view_context_chart(j->planner->planner, j->devices, j->ask->settings, &x->context, NULL) == HWL_OK;
    if (g_atomic_int_get(&j->cancelled))
        return;
    part(user, x);
    quant_chart(j, x);
    if (!g_atomic_int_get(&j->cancelled))
        part(user, x);
}
