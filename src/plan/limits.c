/* SPDX-License-Identifier: Apache-2.0 */
/* How far context and concurrency can go: by asking for plans, since no formula knows every engine's rounding. */
#include "base/bytes.h"
#include "base/status.h"
#include "plan/internal.h"

#include <stdlib.h>

#define MOST_TOKENS ((uint64_t)1 << 31)
#define MOST_SEQUENCES ((uint64_t)1 << 16)

struct probe {
    const hwl_planner *planner;
    const hwl_devices *devices;
    hwl_settings *settings;
    hwl_plan *plan;
};

static bool fits(struct probe *p, const char *option, uint64_t value)
{
    return hwl_settings_set_count(p->settings, option, value, NULL) == HWL_OK &&
           hwl_planner_replan(p->planner, p->devices, p->settings, p->plan, NULL) == HWL_OK && p->plan->verdict != HWL_VERDICT_EXCEEDS;
}

/* Largest value in [1, most] that fits, 0 where none does: doubling from start, then bisection. */
static uint64_t largest(struct probe *p, const char *option, uint64_t start, uint64_t most)
{
    if (fits(p, option, most))
        return most;
    uint64_t low = 0, high = most;
    uint64_t v = hwl_max(1, hwl_min(start, most));
    if (fits(p, option, v)) {
        low = v;
        while (low < most / 2 && fits(p, option, low * 2))
            low *= 2;
        high = hwl_min(most, low * 2);
    } else {
        high = v;
    }
    while (high - low > 1) {
        uint64_t mid = low + (high - low) / 2;
        if (fits(p, option, mid))
            low = mid;
        else
            high = mid;
    }
    return low;
}

hwl_status hwl_planner_limits(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, hwl_limits *out,
                              hwl_error *error)
{
    if (planner->engine->limits)
        return planner->engine->limits(planner->model, planner->prepared, planner->version, devices, settings, out, error);
    struct probe p = {planner, devices, NULL, NULL};
    hwl_status status = hwl_settings_copy(settings, &p.settings);
    if (status == HWL_OK && !(p.plan = calloc(1, sizeof *p.plan)))
        status = HWL_E_NOMEM;
    if (status == HWL_OK)
        status = hwl_planner_replan(planner, devices, settings, p.plan, error);
    if (status == HWL_OK) {
        uint64_t context = p.plan->ledger.context, concurrency = p.plan->ledger.concurrency;
        uint64_t train = planner->model->context_train ? planner->model->context_train : MOST_TOKENS;
        hwl_limits r = {0, 0};
        /* A total of all sequences would hide the context that is varied. */
        if (hwl_opt_has(p.settings, HWL_OPT_CTX_TOTAL) && context) {
            (void)hwl_settings_clear(p.settings, "ctx-total", NULL);
            (void)hwl_settings_set_count(p.settings, "ctx", context, NULL);
        }
        if (context)
            r.max_context = largest(&p, "ctx", context, hwl_max(train, context));
        /* Back to the asked context before the other one moves. */
        (void)hwl_settings_set_count(p.settings, "ctx", context, NULL);
        if (context && concurrency)
            r.max_concurrency = largest(&p, "concurrency", concurrency, MOST_SEQUENCES);
        *out = r;
    }
    hwl_plan_free(p.plan);
    hwl_settings_free(p.settings);
    if (status == HWL_E_NOMEM)
        return hwl_fail(error, status, "out of memory");
    return status;
}
