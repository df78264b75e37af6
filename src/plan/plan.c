/* SPDX-License-Identifier: Apache-2.0 */
/* A finished plan: sums, verdicts and the accessors. */
#include "base/bytes.h"
#include "base/status.h"
#include "plan/internal.h"

#include <stdio.h>
#include <string.h>

static bool add_to(uint64_t *sum, uint64_t bytes)
{
    return hwl_add(sum, *sum, bytes);
}

/* Sums the entries and drops those of 0 bytes, which say nothing. */
static bool sum_entries(struct hwl_plan *plan)
{
    struct hwl_ledger *l = &plan->ledger;
    uint64_t n = 0;
    for (uint64_t i = 0; i < l->n_entries; i++) {
        const hwl_entry *e = &l->entries[i];
        if (!e->bytes)
            continue;
        if (e->device >= plan->n_devices || !add_to(&plan->totals[e->kind], e->bytes) ||
            !add_to(&plan->plan_devices[e->device].used_bytes, e->bytes))
            return false;
        if (n != i)
            l->entries[n] = *e;
        n++;
    }
    l->n_entries = n;
    return true;
}

/* "tight" begins above 80 % of what may be used (contract, section 3). */
static hwl_verdict judge(uint64_t used, uint64_t usable)
{
    if (usable == HWL_UNKNOWN)
        return HWL_VERDICT_FITS;
    if (used > usable)
        return HWL_VERDICT_EXCEEDS;
    return used > usable - usable / 5 ? HWL_VERDICT_TIGHT : HWL_VERDICT_FITS;
}

hwl_status hwl_plan_finish(struct hwl_plan *plan, hwl_error *error)
{
    if (plan->ledger.failed)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (!sum_entries(plan))
        return hwl_fail(error, HWL_E_OVERFLOW, "the sum of the entries does not fit 64 bits");
    for (uint32_t i = 0; i < plan->n_devices; i++) {
        hwl_plan_device *d = &plan->plan_devices[i];
        const hwl_device *device = &plan->devices[i];
        d->device = device;
        uint64_t free_bytes = device->free_bytes != HWL_UNKNOWN ? device->free_bytes : device->memory_bytes;
        d->usable_bytes = free_bytes == HWL_UNKNOWN ? HWL_UNKNOWN : free_bytes > plan->reserve ? free_bytes - plan->reserve : 0;
        d->verdict = judge(d->used_bytes, d->usable_bytes);
        if (d->usable_bytes == HWL_UNKNOWN)
            d->free_bytes = HWL_UNKNOWN;
        else
            d->free_bytes = d->usable_bytes > d->used_bytes ? d->usable_bytes - d->used_bytes : 0;
        if (d->used_bytes && d->verdict > plan->verdict)
            plan->verdict = d->verdict;
    }
    if (plan->ledger.exceeds)
        plan->verdict = HWL_VERDICT_EXCEEDS;
    return HWL_OK;
}

uint32_t hwl_plan_n_entries(const hwl_plan *plan)
{
    return (uint32_t)plan->ledger.n_entries;
}

const hwl_entry *hwl_plan_entry(const hwl_plan *plan, uint32_t index)
{
    return index < plan->ledger.n_entries ? &plan->ledger.entries[index] : NULL;
}

uint32_t hwl_plan_n_devices(const hwl_plan *plan)
{
    return plan->n_devices;
}

const hwl_plan_device *hwl_plan_get_device(const hwl_plan *plan, uint32_t index)
{
    return index < plan->n_devices ? &plan->plan_devices[index] : NULL;
}

uint32_t hwl_plan_n_placements(const hwl_plan *plan)
{
    return (uint32_t)plan->ledger.n_placements;
}

const hwl_placement *hwl_plan_get_placement(const hwl_plan *plan, uint32_t index)
{
    return index < plan->ledger.n_placements ? &plan->ledger.placements[index] : NULL;
}

uint64_t hwl_plan_total(const hwl_plan *plan, hwl_kind kind)
{
    return plan->totals[kind];
}

hwl_verdict hwl_plan_verdict(const hwl_plan *plan)
{
    return plan->verdict;
}

uint32_t hwl_plan_speaker(const hwl_plan *plan)
{
    uint32_t best = 0;
    double share = -1;
    for (uint32_t i = 0; i < plan->n_devices; i++) {
        const hwl_plan_device *d = &plan->plan_devices[i];
        if (!d->used_bytes || d->usable_bytes == HWL_UNKNOWN)
            continue;
        if (d->device->kind == HWL_DEVICE_CPU && d->verdict != HWL_VERDICT_EXCEEDS && share >= 0)
            continue;
        const double s = (double)d->used_bytes / ((double)d->usable_bytes + 1);
        if (s > share) {
            share = s;
            best = i;
        }
    }
    return best;
}

uint64_t hwl_plan_kv_bytes_per_token(const hwl_plan *plan)
{
    return plan->ledger.kv_bytes_per_token;
}

uint64_t hwl_plan_kv_tokens(const hwl_plan *plan)
{
    return plan->ledger.kv_tokens;
}

const char *hwl_plan_engine(const hwl_plan *plan)
{
    return plan->engine->id;
}

const char *hwl_plan_engine_version(const hwl_plan *plan)
{
    return plan->version;
}

bool hwl_plan_setting(const hwl_plan *plan, const char *option, char *buf, uint64_t size)
{
    const struct hwl_setting_item *s = hwl_ledger_find_setting(&plan->ledger, option);
    *buf = 0;
    if (!s)
        return false;
    switch (s->type) {
    case HWL_VIEW_U64: (void)snprintf(buf, (size_t)size, "%llu", (unsigned long long)s->u64); break;
    case HWL_VIEW_REAL: (void)snprintf(buf, (size_t)size, "%.10g", s->real); break;
    case HWL_VIEW_BOOL: (void)snprintf(buf, (size_t)size, "%s", s->u64 ? "true" : "false"); break;
    case HWL_VIEW_TEXT:
    case HWL_VIEW_JSON: (void)snprintf(buf, (size_t)size, "%s", s->text); break;
    }
    return true;
}

const hwl_model *hwl_plan_model(const hwl_plan *plan)
{
    return plan->model;
}

const char *hwl_plan_note(const hwl_plan *plan, uint32_t index)
{
    return index < plan->ledger.n_notes ? plan->ledger.notes[index] : NULL;
}

uint64_t hwl_plan_context(const hwl_plan *plan, uint64_t *concurrency)
{
    if (concurrency)
        *concurrency = plan->ledger.concurrency;
    return plan->ledger.context;
}
