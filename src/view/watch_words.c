/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor sees, in words. */
#include "view/view.h"
#include "view/watch.h"

#include <hwledger/text.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static void add(char *buf, uint64_t size, const char *format, ...)
{
    const size_t n = strlen(buf);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(buf + n, (size_t)size - n, format, args);
    va_end(args);
}

/* "1,024 bytes", "unknown". */
static const char *exact(uint64_t bytes, char *buf, uint64_t size)
{
    char count[40];
    if (bytes == HWL_UNKNOWN)
        (void)snprintf(buf, (size_t)size, "unknown");
    else
        (void)snprintf(buf, (size_t)size, "%s bytes", hwl_count_text(bytes, count, sizeof count));
    return buf;
}

const char *hwl_watch_figures(const hwl_monitor_device *d, char *buf, uint64_t size)
{
    *buf = 0;
    if (d->busy_percent != HWL_UNKNOWN)
        add(buf, size, "  busy %llu %%", (unsigned long long)d->busy_percent);
    if (d->temperature_mc != HWL_UNKNOWN)
        add(buf, size, "  %llu C", (unsigned long long)(d->temperature_mc / 1000));
    if (d->power_mw != HWL_UNKNOWN)
        add(buf, size, "  %llu", (unsigned long long)(d->power_mw / 1000));
    if (d->power_mw != HWL_UNKNOWN && d->power_limit_mw != HWL_UNKNOWN)
        add(buf, size, " of %llu", (unsigned long long)(d->power_limit_mw / 1000));
    if (d->power_mw != HWL_UNKNOWN)
        add(buf, size, " W");
    const size_t blank = strspn(buf, " ");
    memmove(buf, buf + blank, strlen(buf + blank) + 1);
    return buf;
}

static const char *memory(const hwl_monitor_device *d, const char *(*text)(uint64_t, char *, uint64_t), char *buf, uint64_t size)
{
    char a[48];
    add(buf, size, "%s used", text(d->used_bytes, a, sizeof a));
    if (d->reserved_bytes && d->reserved_bytes != HWL_UNKNOWN)
        add(buf, size, ", %s reserved by the driver", text(d->reserved_bytes, a, sizeof a));
    add(buf, size, ", %s free", text(d->free_bytes, a, sizeof a));
    add(buf, size, " of %s", text(d->total_bytes, a, sizeof a));
    if (d->used_bytes != HWL_UNKNOWN && d->total_bytes != HWL_UNKNOWN && d->total_bytes)
        add(buf, size, " (%u %%)", hwl_view_percent(d->used_bytes, d->total_bytes));
    return buf;
}

const char *hwl_watch_memory(const hwl_monitor_device *d, char *buf, uint64_t size)
{
    *buf = 0;
    return memory(d, hwl_view_bytes, buf, size);
}

const char *hwl_watch_sentence(const hwl_monitor_device *d, char *buf, uint64_t size)
{
    char figures[80];
    (void)snprintf(buf, (size_t)size, "%s: ", d->id);
    (void)memory(d, exact, buf, size);
    if (*hwl_watch_figures(d, figures, sizeof figures))
        add(buf, size, "  %s", figures);
    return buf;
}

const char *hwl_watch_room(const hwl_monitor_device *d, uint64_t planned, char *buf, uint64_t size)
{
    char a[32], b[32];
    if (planned == HWL_UNKNOWN)
        (void)snprintf(buf, (size_t)size, "The plan is for other devices.");
    else if (d->free_bytes == HWL_UNKNOWN)
        (void)snprintf(buf, (size_t)size, "The plan takes %s here.", hwl_view_bytes(planned, a, sizeof a));
    else if (planned <= d->free_bytes)
        (void)snprintf(buf, (size_t)size, "The plan takes %s here; %s would be left.", hwl_view_bytes(planned, a, sizeof a),
                       hwl_view_bytes(d->free_bytes - planned, b, sizeof b));
    else
        (void)snprintf(buf, (size_t)size, "The plan takes %s here; %s more than is free now.", hwl_view_bytes(planned, a, sizeof a),
                       hwl_view_bytes(planned - d->free_bytes, b, sizeof b));
    return buf;
}

/* Planned bytes of a process on a device; HWL_UNKNOWN where there is no plan for it. Of several processes of one server on a
 * device the first stands for all. */
static uint64_t planned_of(const struct hwl_watch *w, const hwl_monitor_process *p)
{
    if (p->root != w->planned_pid || p->device >= w->n_planned)
        return HWL_UNKNOWN;
    for (uint32_t i = 0; i < hwl_monitor_n_processes(w->monitor); i++) {
        const hwl_monitor_process *q = hwl_monitor_get_process(w->monitor, i);
        if (q->root == p->root && q->device == p->device)
            return q->pid == p->pid ? w->planned[p->device] : HWL_UNKNOWN;
    }
    return w->planned[p->device];
}

static void fill(const struct hwl_watch *w, const hwl_monitor_process *p, struct hwl_watch_row *row)
{
    const hwl_monitor_device *d = hwl_monitor_get_device(w->monitor, p->device);
    const uint64_t planned = planned_of(w, p);
    char text[48];
    *row = (struct hwl_watch_row){.process = ""};
    (void)snprintf(row->process, sizeof row->process, "%llu", (unsigned long long)p->pid);
    (void)snprintf(row->device, sizeof row->device, "%s", d->id);
    (void)snprintf(row->engine, sizeof row->engine, "%s", p->engine ? p->engine : "");
    (void)hwl_view_clean(p->name, row->name, sizeof row->name);
    row->pid = p->pid;
    row->measured_bytes = p->bytes;
    row->planned_bytes = planned;
    (void)hwl_view_bytes(p->bytes, row->measured, sizeof row->measured);
    add(row->sentence, sizeof row->sentence, "process %s %s on %s: measured %s", row->process, row->name, row->device,
        exact(p->bytes, text, sizeof text));
    if (planned != HWL_UNKNOWN) {
        (void)hwl_view_bytes(planned, row->planned, sizeof row->planned);
        const uint64_t measured = hwl_live_measured(w->monitor, p->root, p->device);
        (void)hwl_live_difference(planned, measured, row->difference, sizeof row->difference);
        if (measured != p->bytes)
            add(row->sentence, sizeof row->sentence, ", with those that it started %s", exact(measured, text, sizeof text));
        add(row->sentence, sizeof row->sentence, ", planned %s, difference %s", exact(planned, text, sizeof text), row->difference);
    }
    if (p->engine)
        add(row->sentence, sizeof row->sentence, ", engine %s", p->engine);
}

static bool listed(const struct hwl_watch *w, uint64_t root, uint32_t device)
{
    for (uint32_t i = 0; i < hwl_monitor_n_processes(w->monitor); i++) {
        const hwl_monitor_process *p = hwl_monitor_get_process(w->monitor, i);
        if (p->root == root && p->device == device)
            return true;
    }
    return false;
}

bool hwl_watch_row(const struct hwl_watch *w, uint32_t index, struct hwl_watch_row *row)
{
    const uint32_t n = w->monitor ? hwl_monitor_n_processes(w->monitor) : 0;
    const hwl_monitor_process *of = NULL;
    if (index < n) {
        fill(w, hwl_monitor_get_process(w->monitor, index), row);
        return true;
    }
    for (uint32_t i = 0; i < n && !of; i++)
        if (hwl_monitor_get_process(w->monitor, i)->root == w->planned_pid)
            of = hwl_monitor_get_process(w->monitor, i);
    for (uint32_t d = 0, at = n; of && d < w->n_planned && d < hwl_monitor_n_devices(w->monitor); d++) {
        if (!w->planned[d] || listed(w, w->planned_pid, d) || at++ < index)
            continue;
        hwl_monitor_process p = *of;
        p.pid = w->planned_pid;
        p.device = d;
        p.bytes = HWL_UNKNOWN;
        fill(w, &p, row);
        return true;
    }
    return false;
}

const char *hwl_watch_plan(const struct hwl_watch *w, char *buf, uint64_t size)
{
    *buf = 0;
    if (w->planned_pid && *w->planned_what)
        (void)snprintf(buf, (size_t)size, "Process %llu against its plan: %s", (unsigned long long)w->planned_pid, w->planned_what);
    return buf;
}
