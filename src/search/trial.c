/* SPDX-License-Identifier: Apache-2.0 */
/* One plan with some options changed, and what is read off it. */
#include "search/trial.h"

#include "base/status.h"
#include "device/devices.h"
#include "plan/internal.h"
#include "settings/settings.h"

#include <stdlib.h>
#include <string.h>

hwl_status hwl_trial_open(struct hwl_trial *t, const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings,
                          hwl_error *error)
{
    *t = (struct hwl_trial){.planner = planner, .devices = devices, .base = settings, .n_own = devices->n_gpus};
    if (!(t->changed = malloc(sizeof *t->changed)) || !(t->plan = calloc(1, sizeof *t->plan)) ||
        hwl_settings_copy(settings, &t->settings) != HWL_OK) {
        hwl_trial_close(t);
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    }
    return HWL_OK;
}

void hwl_trial_close(struct hwl_trial *t)
{
    free(t->changed);
    hwl_plan_free(t->plan);
    hwl_settings_free(t->settings);
    *t = (struct hwl_trial){0};
}

static void read_off(const struct hwl_trial *t, struct hwl_measure *m)
{
    const hwl_plan *plan = t->plan;
    const hwl_plan_device *speaker = &plan->plan_devices[hwl_plan_speaker(plan)];
    const uint32_t host = plan->n_devices - 1;
    *m = (struct hwl_measure){.verdict = plan->verdict, .used = speaker->used_bytes, .usable = speaker->usable_bytes,
                              .context = plan->ledger.context, .concurrency = plan->ledger.concurrency, .kv_tokens = plan->ledger.kv_tokens};
    for (uint32_t i = 0; i < plan->n_devices; i++) {
        const hwl_plan_device *d = &plan->plan_devices[i];
        m->all += d->used_bytes; /* below the checked sum of all kinds */
        m->own += i < t->n_own ? d->used_bytes : 0;
        m->missing += d->used_bytes > d->usable_bytes ? d->used_bytes - d->usable_bytes : 0;
    }
    for (uint64_t i = 0; host && i < plan->ledger.n_placements; i++)
        if (plan->ledger.placements[i].device == host)
            m->host_layers += plan->ledger.placements[i].last - plan->ledger.placements[i].first + 1;
}

static hwl_status again(struct hwl_trial *t)
{
    hwl_settings_free(t->settings);
    t->settings = NULL;
    *t->changed = *t->devices;
    return hwl_settings_copy(t->base, &t->settings);
}

hwl_status hwl_trial_run(struct hwl_trial *t, const hwl_advice *advice, struct hwl_measure *out, hwl_error *error)
{
    hwl_planner *own = NULL;
    HWL_TRY(again(t));
    if (advice)
        HWL_TRY(hwl_advice_apply(advice, t->settings, t->changed, NULL, error));
    if (advice && hwl_advice_needs_planner(advice))
        HWL_TRY(hwl_planner_new(t->planner->model, t->changed, t->settings, &own, error));
    hwl_status status = hwl_planner_replan(own ? own : t->planner, t->changed, t->settings, t->plan, error);
    if (status == HWL_OK)
        read_off(t, out);
    hwl_planner_free(own);
    return status;
}

bool hwl_trial_number(struct hwl_trial *t, const char *option, uint64_t value, struct hwl_measure *out)
{
    if (again(t) != HWL_OK || hwl_settings_set_count(t->settings, option, value, NULL) != HWL_OK ||
        hwl_planner_replan(t->planner, t->changed, t->settings, t->plan, NULL) != HWL_OK)
        return false;
    read_off(t, out);
    return true;
}

bool hwl_trial_gpus_hold(const hwl_plan *plan, bool green)
{
    for (uint32_t i = 0; i + 1 < plan->n_devices; i++) {
        const hwl_plan_device *d = &plan->plan_devices[i];
        if (d->used_bytes && d->verdict > (green ? HWL_VERDICT_FITS : HWL_VERDICT_TIGHT))
            return false;
    }
    return true;
}

uint64_t hwl_search_farthest(uint64_t low, uint64_t high, bool falling, bool (*holds)(void *user, uint64_t n), void *user)
{
    const uint64_t far = falling ? low : high, near = falling ? high : low;
    if (low > high)
        return HWL_UNKNOWN;
    if (holds(user, far))
        return far;
    if (far == near || !holds(user, near))
        return HWL_UNKNOWN;
    while (high - low > 1) { /* one end holds, the other does not */
        const uint64_t mid = low + (high - low) / 2;
        if (holds(user, mid) != falling)
            low = mid;
        else
            high = mid;
    }
    return falling ? high : low;
}

bool hwl_search_moves(const char *engine, const hwl_settings *settings)
{
    const char *fit = hwl_opt_text(settings, HWL_OPT_FIT, "");
    const bool server = strcmp(hwl_opt_text(settings, HWL_OPT_PROGRAM, "llama-server"), "library") != 0;
    return strcmp(engine, "llama.cpp") == 0 && (*fit ? strcmp(fit, "off") != 0 : server) && hwl_opt_i64(settings, HWL_OPT_NGL, -1) == -1 &&
           !hwl_opt_has(settings, HWL_OPT_N_CPU_MOE) && !hwl_opt_flag(settings, HWL_OPT_CPU_MOE, false) &&
           !hwl_opt_list_n(settings, HWL_OPT_OVERRIDE_TENSOR);
}
