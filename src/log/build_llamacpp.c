/* SPDX-License-Identifier: Apache-2.0 */
/* Which build of llama.cpp wrote a log that does not say it: the one whose rules give the logged figures. */
#include "log/internal.h"

#include <math.h>
#include <string.h>

/* Of a log of llama.cpp without a build: the rules that its words allow, newest and oldest. */
static const struct era {
    const char *row, *newest, *oldest;
} eras[] = {{"v0.5.0", "v0.5.0", "b9479"}, {"63d93d173", "v0.5.0", "b7200"}, {"b7200", "b7200", "b7200"}, {"4227c9be4", "b7200", "b4500"}, {"b4500", "b4500", "b2295"}, {"b2295", "b2295", "b2295"}, {"", "v0.5.0", "b2295"}};

static double nearness(const struct hwl_log *log)
{
    double sum = 0;
    for (uint64_t i = 0; i < log->n_terms; i++) {
        const hwl_log_term *t = &log->terms[i];
        const double off = fabs(t->planned - t->logged) - t->rounding;
        sum += t->logged > 0 && off > 0.001 * t->logged ? 1 + fmin(off / t->logged, 10) : 0;
    }
    return sum;
}

/* The rules by which most figures come out, into the settings. */
void hwl_log_build_by_figures(struct hwl_log *log, const struct hwl_engine *engine, const hwl_model *model, const hwl_devices *devices, hwl_settings *s)
{
    const char *best = NULL;
    double least = INFINITY, most = -INFINITY;
    bool on = false;
    uint32_t tried = 0;
    const uint64_t notes = log->n_notes;
    const struct era *era = eras;
    while (*era->row && strcmp(era->row, log->era) != 0)
        era++;
    for (const char *const *v = engine->versions; *v; v++) {
        hwl_settings *copy = NULL;
        hwl_planner *planner = NULL;
        hwl_plan *plan = NULL;
        on = on || strcmp(*v, era->newest) == 0;
        log->n_terms = 0;
        if (on && hwl_settings_copy(s, &copy) == HWL_OK && hwl_log_set_build(log, *v, copy) == HWL_OK &&
            hwl_planner_new(model, devices, copy, &planner, NULL) == HWL_OK && hwl_planner_plan(planner, devices, copy, &plan, NULL) == HWL_OK) {
            hwl_log_buffer_terms(log, plan);
            const double off = log->n_terms ? nearness(log) : INFINITY;
            best = off < least ? *v : best;
            least = off < least ? off : least;
            tried++;
            most = off > most ? off : most;
        }
        hwl_plan_free(plan);
        hwl_planner_free(planner);
        hwl_settings_free(copy);
        log->n_notes = notes;
        on = on && strcmp(*v, era->oldest) != 0;
    }
    log->n_terms = 0;
    if (!best || hwl_log_set_build(log, best, s) != HWL_OK || (tried > 1 && least >= most)) /* by all rules alike: then the log does not tell */
        return;
    hwl_log_add_note(log, least > 0 ? "the log prints no build: of the known rules those of %s come nearest to its figures"
                                    : "the log prints no build: its figures are those of %s", best);
}
