/* SPDX-License-Identifier: Apache-2.0 */
/* A file that shows several starts: a server that was started anew after it had failed, runs one after the other in one
 * notebook, two processes. The last one that got to its figures is read. */
#include "log/log.h"

#include <string.h>

static bool begun(const struct hwl_log *log)
{
    return log->figures_seen || *log->failure;
}

void hwl_log_new_start(struct hwl_log *log, uint64_t line)
{
    if (!begun(log)) {
        log->start_line = log->start_line ? log->start_line : line;
        return;
    }
    struct hwl_log_setting *room = log->last.settings; /* of the start before the last, which is not needed any more */
    const uint64_t cap = log->last.cap_settings;
    log->last = (struct hwl_log_start){.version = log->version, .model = log->model, .served = log->served, .failure = log->failure, .architecture = log->architecture,
                                       .settings = log->settings, .n_settings = log->n_settings, .cap_settings = log->cap_settings,
                                       .first_figure = log->first_figure, .line = log->start_line, .minor_first = log->minor_first,
                                       .minor_last = log->minor_last, .model_rank = log->model_rank, .whole = log->whole, .ready = log->ready,
                                       .flashinfer_sampler = log->flashinfer_sampler};
    memcpy(log->last.place, log->place, sizeof log->place);
    memset(log->place, 0, sizeof log->place);
    log->has_last = true;
    log->n_starts++;
    log->version = log->model = log->served = log->failure = log->architecture = "";
    log->settings = room;
    log->cap_settings = cap;
    log->n_settings = 0;
    log->first_figure = log->n_figures;
    log->start_line = line;
    log->minor_first = log->model_rank = 0;
    log->minor_last = 99;
    log->whole = log->figures_seen = log->ready = log->flashinfer_sampler = false;
    *log->pending = 0;
}

/* The last start only began: the one before stays, with what a command behind it tells, where it does not tell that itself. */
static void go_back(struct hwl_log *log)
{
    const struct hwl_log_start *x = &log->last;
    struct hwl_log_setting *typed = log->settings;
    const uint64_t n = log->n_settings;
    log->version = x->version;
    log->served = *x->served ? x->served : log->served;
    log->failure = x->failure;
    log->architecture = x->architecture;
    log->settings = x->settings;
    log->n_settings = x->n_settings;
    log->cap_settings = x->cap_settings;
    log->first_figure = x->first_figure;
    log->start_line = x->line;
    log->minor_first = x->minor_first;
    log->minor_last = x->minor_last;
    log->whole = x->whole;
    memcpy(log->place, x->place, sizeof log->place);
    log->ready = x->ready;
    log->flashinfer_sampler = x->flashinfer_sampler;
    log->n_starts--;
    if (*x->model) {
        log->model = x->model;
        log->model_rank = x->model_rank;
    }
    for (uint64_t i = 0; i < n && !log->whole; i++)
        if (typed[i].rank == HWL_LOG_TYPED)
            hwl_log_set_ranked(log, hwl_str_of(typed[i].name), hwl_str_of(typed[i].value), HWL_LOG_TYPED);
}

void hwl_log_end_starts(struct hwl_log *log)
{
    if (log->has_last && !begun(log))
        go_back(log);
    else if (log->has_last) {
        log->version = *log->version ? log->version : log->last.version;
        if (!*log->model)
            log->model = log->last.model;
    }
    if (log->first_figure) {
        log->n_figures -= log->first_figure;
        memmove(log->figures, log->figures + log->first_figure, log->n_figures * sizeof *log->figures);
        memmove(log->parts, log->parts + log->first_figure, log->n_figures * sizeof *log->parts);
        log->first_figure = 0;
    }
    if (!*log->version)
        log->version = log->said_version;
    /* what the engine parsed is all that it was given */
    uint64_t kept = 0;
    for (uint64_t i = 0; i < log->n_settings; i++)
        if (!log->whole || log->settings[i].rank != HWL_LOG_TYPED)
            log->settings[kept++] = log->settings[i];
    log->n_settings = kept;
}

void hwl_log_set_model(struct hwl_log *log, struct hwl_str name, enum hwl_log_rank rank)
{
    while (name.n > 1 && (name.p[name.n - 1] == '/' || name.p[name.n - 1] == ' '))
        name.n--;
    if (!name.n || (*log->model && log->model_rank >= rank))
        return;
    log->model = hwl_log_copy(log, name.p, name.n);
    log->model_rank = (uint8_t)rank;
}
