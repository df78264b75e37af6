/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and words as people read them. */
#include "view/view.h"

#include <stdio.h>
#include <string.h>

const char *hwl_view_gib(uint64_t bytes, char *buf, uint64_t size)
{
    if (bytes == HWL_UNKNOWN)
        (void)snprintf(buf, (size_t)size, "unknown");
    else if (bytes && bytes < 5368709) /* half of 0.01 GiB: something is not nothing */
        (void)snprintf(buf, (size_t)size, "<0.01");
    else
        (void)snprintf(buf, (size_t)size, "%.2f", (double)bytes / (double)(1u << 30));
    return buf;
}

const char *hwl_view_bytes(uint64_t bytes, char *buf, uint64_t size)
{
    if (bytes != HWL_UNKNOWN)
        return hwl_bytes_text(bytes, buf, size);
    (void)snprintf(buf, (size_t)size, "unknown");
    return buf;
}

const char *hwl_view_params(uint64_t n, char *buf, uint64_t size)
{
    if (n == HWL_UNKNOWN || !n)
        (void)snprintf(buf, (size_t)size, "unknown");
    else if (n >= 999500000)
        (void)snprintf(buf, (size_t)size, "%.2f B", (double)n / 1e9);
    else if (n >= 999950)
        (void)snprintf(buf, (size_t)size, "%.1f M", (double)n / 1e6);
    else if (n >= 1000)
        (void)snprintf(buf, (size_t)size, "%.1f K", (double)n / 1e3);
    else
        (void)snprintf(buf, (size_t)size, "%llu", (unsigned long long)n);
    return buf;
}

const char *hwl_view_clean(const char *s, char *buf, uint64_t size)
{
    uint64_t o = 0;
    for (; s && *s && o + 1 < size; s++)
        buf[o++] = (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s;
    buf[o] = 0;
    return buf;
}

const struct hwl_view_kind *hwl_view_kind(hwl_kind kind)
{
    static const struct hwl_view_kind rows[HWL_KIND_COUNT] = {
        [HWL_KIND_WEIGHTS] = {'W', "weights", 33},      [HWL_KIND_KV_CACHE] = {'K', "KV cache", 37},
        [HWL_KIND_RECURRENT_STATE] = {'S', "state", 141}, [HWL_KIND_COMPUTE] = {'C', "compute", 214},
        [HWL_KIND_OUTPUT] = {'O', "output", 180},       [HWL_KIND_OVERHEAD] = {'V', "overhead", 245},
    };
    return &rows[kind];
}

const char *hwl_view_verdict(hwl_verdict verdict)
{
    return verdict == HWL_VERDICT_FITS ? "FITS" : verdict == HWL_VERDICT_TIGHT ? "FITS, TIGHT" : "DOES NOT FIT";
}

const char *hwl_view_mark(hwl_verdict verdict)
{
    return verdict == HWL_VERDICT_FITS ? "ok" : verdict == HWL_VERDICT_TIGHT ? "!" : "x";
}

int hwl_view_verdict_colour(hwl_verdict verdict)
{
    return verdict == HWL_VERDICT_FITS ? 35 : verdict == HWL_VERDICT_TIGHT ? 214 : 196;
}

unsigned hwl_view_percent(uint64_t used, uint64_t usable)
{
    if (!usable || usable == HWL_UNKNOWN || !used)
        return 0;
    double p = (double)used * 100 / (double)usable;
    return p > 99999 ? 99999 : (unsigned)p + (p > (double)(unsigned)p);
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
