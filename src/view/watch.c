/* SPDX-License-Identifier: Apache-2.0 */
#include "view/watch.h"

#include "view/view.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void hwl_watch_free(struct hwl_watch *m)
{
    hwl_monitor_close(m->monitor);
    *m = (struct hwl_watch){.monitor = NULL};
}

uint32_t hwl_watch_device(const struct hwl_watch *m, uint32_t device, uint32_t n)
{
    return device + 1 == n ? hwl_monitor_n_devices(m->monitor) - 1 : device;
}

/* The machine without what the process itself holds: what it found when it started. */
static hwl_status devices_before(const struct hwl_watch *m, const hwl_probe_options *probe, uint64_t pid, hwl_devices **out)
{
    hwl_devices *now = NULL, *then = NULL;
    hwl_status status = hwl_probe_devices(probe, &now, NULL);
    if (status == HWL_OK)
        status = hwl_devices_new(&then);
    for (uint32_t i = 0; status == HWL_OK && i < hwl_devices_count(now); i++) {
        hwl_device d = *hwl_devices_get(now, i);
        const uint64_t own = hwl_live_measured(m->monitor, pid, hwl_watch_device(m, i, hwl_devices_count(now)));
        if (own != HWL_UNKNOWN && d.free_bytes != HWL_UNKNOWN)
            d.free_bytes = d.free_bytes + own < d.memory_bytes ? d.free_bytes + own : d.memory_bytes;
        status = hwl_devices_add(then, &d, NULL);
    }
    hwl_devices_free(now);
    if (status == HWL_OK)
        *out = then;
    else
        hwl_devices_free(then);
    return status;
}

/* The plan of the first process of an engine whose command line tells what it was asked for. */
static void plan_one(struct hwl_watch *m, const hwl_monitor_process *p, const hwl_probe_options *probe, const hwl_open_options *stores)
{
    char name[512], clean[100];
    hwl_settings *settings = NULL;
    hwl_model *model = NULL;
    hwl_devices *devices = NULL;
    hwl_planner *planner = NULL;
    hwl_plan *plan = NULL;
    hwl_error error = {.offset = HWL_NO_OFFSET};
    m->planned_pid = p->root;
    m->n_planned = 0;
    *m->planned_what = 0;
    if (hwl_settings_new(&settings) != HWL_OK)
        return;
    const bool told = hwl_live_request(p, settings, name, sizeof name);
    char beside[640]; /* a relative path is relative to where the process stands */
    (void)snprintf(beside, sizeof beside, "/proc/%llu/cwd/%s", (unsigned long long)p->pid, name);
    if (told && *name != '/' && !(probe && probe->root && *probe->root) && access(beside, R_OK) == 0 && strlen(beside) < sizeof name)
        memcpy(name, beside, strlen(beside) + 1);
    if (!told)
        (void)snprintf(m->planned_what, sizeof m->planned_what, "its command line does not tell what it runs");
    else if (hwl_model_open(name, stores, &model, &error) != HWL_OK || devices_before(m, probe, p->root, &devices) != HWL_OK ||
             hwl_planner_new(model, devices, settings, &planner, &error) != HWL_OK ||
             hwl_planner_plan(planner, devices, settings, &plan, &error) != HWL_OK)
        (void)snprintf(m->planned_what, sizeof m->planned_what, "no plan: %.140s", hwl_view_clean(error.message, clean, sizeof clean));
    else
        (void)snprintf(m->planned_what, sizeof m->planned_what, "%s", hwl_view_clean(name, clean, sizeof clean));
    for (uint32_t i = 0; plan && i < hwl_plan_n_devices(plan); i++) {
        const uint32_t at = hwl_watch_device(m, i, hwl_plan_n_devices(plan));
        if (at >= HWL_LIVE_DEVICES)
            continue;
        while (m->n_planned <= at)
            m->planned[m->n_planned++] = 0;
        m->planned[at] = hwl_plan_get_device(plan, i)->used_bytes;
    }
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_devices_free(devices);
    hwl_settings_free(settings);
    hwl_model_free(model);
}

void hwl_watch_look(struct hwl_watch *m, const hwl_probe_options *probe, const hwl_open_options *stores, uint64_t second)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    *m->trouble = 0;
    if (!m->monitor && hwl_monitor_open(probe, &m->monitor, &error) != HWL_OK) {
        (void)snprintf(m->trouble, sizeof m->trouble, "%.190s", error.message);
        return;
    }
    if (hwl_monitor_sample(m->monitor, &error) != HWL_OK) {
        (void)snprintf(m->trouble, sizeof m->trouble, "%.190s", error.message);
        return;
    }
    hwl_live_add(&m->live, m->monitor, second);
    const hwl_monitor_process *known = NULL;
    bool there = false;
    for (uint32_t i = 0; i < hwl_monitor_n_processes(m->monitor) && !there; i++) {
        const hwl_monitor_process *p = hwl_monitor_get_process(m->monitor, i);
        known = known || !p->engine ? known : p;
        there = p->root == m->planned_pid;
    }
    /* whoever started the one that holds the memory knows what was asked for */
    for (uint32_t i = 0; known && i < hwl_monitor_n_processes(m->monitor) && known->pid != known->root; i++)
        if (hwl_monitor_get_process(m->monitor, i)->pid == known->root)
            known = hwl_monitor_get_process(m->monitor, i);
    if (!known && !there)
        m->planned_pid = m->n_planned = 0;
    if (known && !there)
        plan_one(m, known, probe, stores);
}
