/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as rows, bars and one sentence. */
#include "view/view.h"

#include <stdio.h>
#include <string.h>

unsigned hwl_view_percent(uint64_t used, uint64_t usable)
{
    if (!usable || usable == HWL_UNKNOWN || !used)
        return 0;
    double p = (double)used * 100 / (double)usable;
    return p > 99999 ? 99999 : (unsigned)p + (p > (double)(unsigned)p);
}

uint64_t hwl_view_sum(const hwl_plan *plan, uint32_t device, hwl_kind kind)
{
    uint64_t sum = 0; /* cannot overflow: the plan has summed the same entries */
    for (uint32_t i = 0; i < hwl_plan_n_entries(plan); i++) {
        const hwl_entry *e = hwl_plan_entry(plan, i);
        if (e->device == device && e->kind == kind)
            sum += e->bytes;
    }
    return sum;
}

static bool same(const hwl_plan *plan, uint32_t i, uint32_t j)
{
    const hwl_plan_device *a = hwl_plan_get_device(plan, i), *b = hwl_plan_get_device(plan, j);
    if (a->usable_bytes != b->usable_bytes || a->used_bytes != b->used_bytes || a->device->kind != b->device->kind ||
        strcmp(a->device->name, b->device->name) != 0)
        return false;
    for (int k = 0; k < HWL_KIND_COUNT; k++)
        if (hwl_view_sum(plan, i, (hwl_kind)k) != hwl_view_sum(plan, j, (hwl_kind)k))
            return false;
    return true;
}

uint32_t hwl_view_alike(const hwl_plan *plan, uint32_t first)
{
    uint32_t i = first + 1;
    while (i < hwl_plan_n_devices(plan) && same(plan, first, i))
        i++;
    return i;
}

bool hwl_view_basis(const hwl_plan *plan, hwl_kind kind, hwl_basis *basis, double *error)
{
    bool any = false;
    *basis = HWL_BASIS_EXACT;
    *error = 0;
    for (uint32_t i = 0; i < hwl_plan_n_entries(plan); i++) {
        const hwl_entry *e = hwl_plan_entry(plan, i);
        if (e->kind != kind)
            continue;
        any = true;
        if (e->basis == HWL_BASIS_MODELLED || (e->basis == HWL_BASIS_MEASURED && *basis == HWL_BASIS_EXACT))
            *basis = (hwl_basis)e->basis;
        if ((double)e->error > *error)
            *error = (double)e->error;
    }
    return any;
}

void hwl_view_bar(const hwl_plan *plan, uint32_t device, uint8_t *cells, uint32_t width)
{
    const hwl_plan_device *d = hwl_plan_get_device(plan, device);
    uint64_t whole = d->usable_bytes == HWL_UNKNOWN || d->usable_bytes < d->used_bytes ? d->used_bytes : d->usable_bytes;
    uint32_t at = 0;
    double sum = 0;
    memset(cells, 0, width);
    if (!whole)
        return;
    for (int k = 0; k < HWL_KIND_COUNT; k++) {
        uint64_t bytes = hwl_view_sum(plan, device, (hwl_kind)k);
        sum += (double)bytes;
        uint32_t end = (uint32_t)(sum / (double)whole * width + 0.5);
        if (bytes && end <= at)
            end = at + 1;
        for (; at < end && at < width; at++)
            cells[at] = (uint8_t)(k + 1);
    }
}

/* The device that the verdict hangs on: exceeded first, then fullest. */
static uint32_t speaker(const hwl_plan *plan)
{
    uint32_t best = 0;
    double share = -1;
    for (uint32_t i = 0; i < hwl_plan_n_devices(plan); i++) {
        const hwl_plan_device *d = hwl_plan_get_device(plan, i);
        if (!d->used_bytes || d->usable_bytes == HWL_UNKNOWN)
            continue;
        double s = (double)d->used_bytes / ((double)d->usable_bytes + 1);
        /* the host stands behind GPUs unless it is what breaks */
        if (d->device->kind == HWL_DEVICE_CPU && d->verdict != HWL_VERDICT_EXCEEDS && share >= 0)
            continue;
        if (s > share) {
            share = s;
            best = i;
        }
    }
    return best;
}

const char *hwl_view_headline(const hwl_plan *plan, char *buf, uint64_t size)
{
    char used[32], usable[32], rest[32];
    hwl_verdict v = hwl_plan_verdict(plan);
    const hwl_plan_device *d = hwl_plan_get_device(plan, speaker(plan));
    bool over = d->usable_bytes != HWL_UNKNOWN && d->used_bytes > d->usable_bytes;
    (void)hwl_view_gib(d->used_bytes, used, sizeof used);
    (void)hwl_view_bytes(d->usable_bytes, usable, sizeof usable);
    if (d->usable_bytes != HWL_UNKNOWN && d->usable_bytes >= 1u << 30 && d->usable_bytes >> 40 == 0)
        (void)snprintf(usable, sizeof usable, "%.2f GiB", (double)d->usable_bytes / (double)(1u << 30));
    else
        (void)hwl_view_bytes(d->used_bytes, used, sizeof used);
    (void)hwl_view_bytes(over ? d->used_bytes - d->usable_bytes : d->free_bytes, rest, sizeof rest);
    (void)snprintf(buf, (size_t)size, "%s %s  %s of %s on %s, %s %s (%u %%)", hwl_view_verdict(v), hwl_view_mark(v), used, usable, d->device->id,
                   rest, over ? "missing" : "left", hwl_view_percent(d->used_bytes, d->usable_bytes));
    return buf;
}
