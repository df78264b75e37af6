/* SPDX-License-Identifier: Apache-2.0 */
/* One thread at a time works for one state of the desk, over copies of its settings and devices. Planner and model are the desk's:
 * while a thread runs, what the desk has done with is kept until it ends. */
#include "tui/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { GRAVES = 32 };

struct job {
    const hwl_model *model;
    const hwl_planner *planner;
    hwl_devices *devices;
    hwl_settings *settings;
    uint64_t generation;
    const struct hwl_control *control[TUI_CONTROLS];
    uint32_t n_controls, focus;
    bool charts;
};

struct tui_worker {
    struct tui_ui *ui;
    pthread_t thread;
    bool running; /* the thread is to be joined */
    struct job job;
    struct {
        hwl_planner *planner;
        hwl_model *model;
    } grave[GRAVES];
    uint32_t n_graves;
    /* shared with the thread */
    pthread_mutex_t lock;
    bool stop, done, fresh; /* fresh: an answer came since the last look */
    hwl_range range[TUI_CONTROLS];
    bool ranged[TUI_CONTROLS], unranged[TUI_CONTROLS], advised;
    hwl_advice advice[HWL_ADVICE_MAX];
    uint32_t n_advice;
    struct tui_charts charts;
};

static bool stopped(struct tui_worker *w)
{
    (void)pthread_mutex_lock(&w->lock);
    const bool stop = w->stop;
    (void)pthread_mutex_unlock(&w->lock);
    return stop;
}

static void find_range(struct tui_worker *w, uint32_t i)
{
    const struct job *j = &w->job;
    hwl_range r;
    if (j->control[i]->kind != HWL_CONTROL_NUMBER || w->ranged[i] || w->unranged[i]) /* written by this thread alone */
        return;
    const bool ok = hwl_planner_range(j->planner, j->devices, j->settings, j->control[i]->option, &r, NULL) == HWL_OK;
    (void)pthread_mutex_lock(&w->lock);
    if (ok)
        w->range[i] = r;
    w->ranged[i] = ok;
    w->unranged[i] = !ok;
    w->fresh = true;
    (void)pthread_mutex_unlock(&w->lock);
}

static void find_advice(struct tui_worker *w)
{
    const struct job *j = &w->job;
    hwl_advice advice[HWL_ADVICE_MAX];
    uint32_t n = 0;
    if (hwl_advise(j->planner, j->devices, j->settings, advice, &n, NULL) != HWL_OK)
        n = 0;
    (void)pthread_mutex_lock(&w->lock);
    memcpy(w->advice, advice, n * sizeof *advice);
    w->n_advice = n;
    w->advised = w->fresh = true;
    (void)pthread_mutex_unlock(&w->lock);
}

static void draw_charts(struct tui_worker *w)
{
    const struct job *j = &w->job;
    struct hwl_chart chart = {.n = 0};
    struct hwl_chart_point p;
    if (hwl_view_context_chart(j->planner, j->devices, j->settings, &chart, NULL) != HWL_OK)
        chart.n = 0;
    (void)pthread_mutex_lock(&w->lock);
    w->charts.context = chart;
    w->fresh = true;
    (void)pthread_mutex_unlock(&w->lock);
    for (uint32_t i = 0; i < HWL_CHART_POINTS && !stopped(w) && hwl_view_quant_point(j->model, j->devices, j->settings, i, true, &p); i++) {
        (void)pthread_mutex_lock(&w->lock);
        w->charts.quant[w->charts.n_quant++] = p;
        w->fresh = true;
        (void)pthread_mutex_unlock(&w->lock);
    }
    (void)pthread_mutex_lock(&w->lock);
    w->charts.whole = w->fresh = true;
    (void)pthread_mutex_unlock(&w->lock);
}

/* What a person looks at first: charts that were opened, the slider in hand, advice. */
static void *work(void *user)
{
    struct tui_worker *w = user;
    const struct job *j = &w->job;
    if (j->charts)
        draw_charts(w);
    if (j->focus < j->n_controls && !stopped(w))
        find_range(w, j->focus);
    if (!stopped(w))
        find_advice(w);
    for (uint32_t i = 0; i < j->n_controls && !stopped(w); i++)
        find_range(w, i);
    (void)pthread_mutex_lock(&w->lock);
    w->done = true;
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void retire(void *user, hwl_planner *planner, hwl_model *model)
{
    struct tui_worker *w = user;
    if (w->running && w->n_graves < GRAVES) {
        w->grave[w->n_graves].planner = planner;
        w->grave[w->n_graves++].model = model;
        return;
    }
    if (w->running) { /* a person is not that fast */
        (void)pthread_join(w->thread, NULL);
        w->running = false;
    }
    hwl_planner_free(planner);
    hwl_model_free(model);
}

static void finish(struct tui_worker *w)
{
    if (w->running)
        (void)pthread_join(w->thread, NULL);
    w->running = false;
    hwl_settings_free(w->job.settings);
    hwl_devices_free(w->job.devices);
    w->job = (struct job){.model = NULL};
    for (uint32_t i = 0; i < w->n_graves; i++) { /* a planner goes before the model that it reads */
        hwl_planner_free(w->grave[i].planner);
        hwl_model_free(w->grave[i].model);
    }
    w->n_graves = 0;
}

struct tui_worker *tui_worker_new(struct tui_ui *ui)
{
    struct tui_worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->ui = ui;
    (void)pthread_mutex_init(&w->lock, NULL);
    ui->desk.async = true;
    ui->desk.retire = retire;
    ui->desk.retire_user = w;
    return w;
}

void tui_worker_free(struct tui_worker *w)
{
    if (!w)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->stop = true;
    (void)pthread_mutex_unlock(&w->lock);
    finish(w);
    w->ui->desk.async = false;
    w->ui->desk.retire = NULL;
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

bool tui_worker_busy(const struct tui_worker *w)
{
    return w->running;
}

static bool missing(const struct tui_ui *ui)
{
    const struct tui_desk *d = &ui->desk;
    if (!tui_desk_advisable(d))
        return false;
    if (d->refused)
        return !d->advised;
    bool any = !d->advised || (d->want_charts && !d->charts.whole);
    for (uint32_t i = 0; i < d->n_controls; i++)
        any = any || (d->control[i]->kind == HWL_CONTROL_NUMBER && !d->ranged[i] && !d->unranged[i]);
    return any;
}

static void begin(struct tui_worker *w)
{
    struct tui_desk *d = &w->ui->desk;
    struct job *j = &w->job;
    finish(w);
    if (hwl_settings_copy(d->settings, &j->settings) != HWL_OK || hwl_devices_copy(d->devices, &j->devices) != HWL_OK)
        return;
    j->model = d->model;
    j->planner = d->planner;
    j->generation = d->generation;
    j->n_controls = d->refused ? 0 : d->n_controls; /* what is refused has no marks */
    memcpy(j->control, d->control, sizeof j->control);
    j->focus = w->ui->at[TUI_AREA_CONTROLS];
    j->charts = d->want_charts && !d->charts.whole && !d->refused;
    memcpy(w->ranged, d->ranged, sizeof w->ranged);
    memcpy(w->unranged, d->unranged, sizeof w->unranged);
    memcpy(w->range, d->range, sizeof w->range);
    w->charts = (struct tui_charts){.n_quant = 0};
    w->stop = w->done = w->fresh = w->advised = false;
    w->running = pthread_create(&w->thread, NULL, work, w) == 0;
    if (!w->running)
        d->async = false; /* then the desk works for itself */
}

bool tui_worker_follow(struct tui_worker *w)
{
    struct tui_desk *d = &w->ui->desk;
    bool came = false;
    (void)pthread_mutex_lock(&w->lock);
    const bool mine = w->running && w->job.generation == d->generation;
    if (mine && w->fresh) {
        memcpy(d->range, w->range, sizeof d->range);
        memcpy(d->ranged, w->ranged, sizeof d->ranged);
        memcpy(d->unranged, w->unranged, sizeof d->unranged);
        for (uint32_t i = 0; i < d->n_controls; i++)
            if (d->ranged[i]) {
                d->bound[i] = d->range[i];
                d->bounded[i] = d->control[i];
            }
        if (w->advised && !d->advised) {
            memcpy(d->advice, w->advice, sizeof d->advice);
            d->n_advice = w->n_advice;
            d->advised = true;
        }
        if (w->job.charts)
            d->charts = w->charts;
        w->fresh = false;
        came = true;
    }
    const bool wanted = mine && (!d->want_charts || d->charts.whole || w->job.charts);
    if (w->running && !wanted)
        w->stop = true;
    const bool done = w->done;
    (void)pthread_mutex_unlock(&w->lock);
    if (w->running && done)
        finish(w);
    if (!w->running && missing(w->ui))
        begin(w);
    if (came)
        tui_ui_came(w->ui);
    return came || w->running;
}
