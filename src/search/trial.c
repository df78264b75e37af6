/* SPDX-License-Identifier: Apache-2.0 */
/* One plan with some options changed, and what is read off it. */
#include "search/trial.h"

#include "base/bytes.h"
#include "base/status.h"
#include "device/devices.h"
#include "plan/internal.h"
#include "settings/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hwl_planners_free(struct hwl_planners *planners)
{
    for (uint32_t i = 0; i < planners->n; i++)
        hwl_planner_free(planners->row[i].planner);
    planners->n = 0;
}

hwl_status hwl_trial_open(struct hwl_trial *t, const hwl_planner *planner, struct hwl_planners *planners, const hwl_devices *devices,
                          const hwl_settings *settings, hwl_error *error)
{
    *t = (struct hwl_trial){.planner = planner, .planners = planners, .devices = devices, .base = settings, .n_own = devices->n_gpus};
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

const hwl_planner *hwl_trial_planner(struct hwl_trial *t, const hwl_settings *settings, const hwl_devices *devices, hwl_error *error)
{
    struct hwl_planners *all = t->planners;
    char key[sizeof all->row[0].key];
    if (!all)
        return NULL;
    (void)snprintf(key, sizeof key, "%.60s|%.60s|%.60s", hwl_opt_text(settings, HWL_OPT_ENGINE, t->planner->engine->id),
                   hwl_opt_text(settings, HWL_OPT_ENGINE_VERSION, ""), hwl_opt_text(settings, HWL_OPT_QUANT, ""));
    for (uint32_t i = 0; i < all->n; i++)
        if (strcmp(all->row[i].key, key) == 0) {
            if (!all->row[i].planner)
                (void)hwl_fail(error, HWL_E_REFUSED, "there is no such plan");
            return all->row[i].planner;
        }
    if (all->n == sizeof all->row / sizeof *all->row)
        return NULL;
    hwl_planner *own = NULL;
    if (hwl_planner_new(t->planner->model, devices, settings, &own, error) != HWL_OK)
        own = NULL;
    (void)snprintf(all->row[all->n].key, sizeof key, "%s", key);
    return all->row[all->n++].planner = own;
}

/* What vLLM wants of each GPU and does not find is missing too: its share is of the whole, whoever else is there. */
static uint64_t asked_in_vain(const struct hwl_plan *plan)
{
    const struct hwl_setting_item *share = hwl_ledger_find_setting(&plan->ledger, "gpu-memory-utilization");
    uint64_t sum = 0;
    if (!plan->ledger.exceeds || strcmp(plan->engine->id, "vllm") != 0 || !share || share->type != HWL_VIEW_REAL)
        return 0;
    for (uint32_t i = 0; i + 1 < plan->n_devices; i++) {
        const hwl_device *d = &plan->devices[i];
        const uint64_t asked = d->memory_bytes != HWL_UNKNOWN ? (uint64_t)((double)d->memory_bytes * share->real) : 0;
        if (plan->plan_devices[i].used_bytes && d->free_bytes != HWL_UNKNOWN && asked > d->free_bytes)
            sum += asked - d->free_bytes;
    }
    return sum;
}

/* Bytes of the tokens that the requests need and the cache does not hold. Some engines cut a context to what there is. */
static uint64_t cache_lacks(const struct hwl_trial *t, const struct hwl_measure *m)
{
    const uint64_t asked = hwl_opt_u64(t->settings, HWL_OPT_CTX, t->planner->model->context_train);
    uint64_t tokens, bytes;
    if (!hwl_mul(&tokens, hwl_max(m->context, asked), hwl_max(m->concurrency, 1)) || tokens <= m->kv_tokens)
        return 0;
    return hwl_mul(&bytes, tokens - m->kv_tokens, t->plan->ledger.kv_bytes_per_token) ? bytes : UINT64_MAX;
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
    m->missing = hwl_min(m->missing, UINT64_MAX / 8);
    if (plan->ledger.exceeds && m->kv_tokens != HWL_UNKNOWN)
        m->missing += hwl_min(cache_lacks(t, m), UINT64_MAX / 8);
    m->vain = asked_in_vain(plan);
    m->missing += m->vain;
    if (!m->missing && m->verdict == HWL_VERDICT_EXCEEDS) /* slots, or what the engine does not tell in bytes */
        m->missing = 1;
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
    const hwl_planner *planner = t->planner;
    HWL_TRY(again(t));
    if (advice)
        HWL_TRY(hwl_advice_apply(advice, t->settings, t->changed, NULL, error));
    if (advice && hwl_advice_needs_planner(advice) && !(planner = hwl_trial_planner(t, t->settings, t->changed, error)))
        return HWL_E_REFUSED;
    HWL_TRY(hwl_planner_replan(planner, t->changed, t->settings, t->plan, error));
    read_off(t, out);
    return HWL_OK;
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
