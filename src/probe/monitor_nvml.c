/* SPDX-License-Identifier: Apache-2.0 */
/* NVIDIA GPUs as they are now. A GPU in MIG mode is its instances: programs get no more than one of them. */
#include "probe/monitor_internal.h"

#include <stdio.h>
#include <string.h>

/* Compute first; of a process with both contexts NVML tells the same memory twice. */
static void processes(struct hwl_monitor *m, void *handle, uint32_t at)
{
    const struct hwl_nvml *nvml = &m->nvml;
    unsigned n = HWL_MONITOR_LIST;
    int status = nvml->processes ? nvml->processes(handle, &n, m->list) : -1;
    if (status == 0) {
        for (unsigned i = 0; i < n && i < HWL_MONITOR_LIST; i++)
            hwl_monitor_add_process(m, m->list[i].pid, at, m->list[i].used); /* all ones: not told */
    } else if (nvml->processes_v1 && status != HWL_NVML_NO_PERMISSION && status != HWL_NVML_INSUFFICIENT_SIZE) {
        n = HWL_MONITOR_LIST;
        status = nvml->processes_v1(handle, &n, m->old);
        for (unsigned i = 0; status == 0 && i < n && i < HWL_MONITOR_LIST; i++)
            hwl_monitor_add_process(m, m->old[i].pid, at, m->old[i].used);
    }
    if (status == HWL_NVML_NO_PERMISSION)
        hwl_monitor_say(m, "%s: the driver does not tell this user its processes", m->device[at].id);
    else if (status == HWL_NVML_INSUFFICIENT_SIZE)
        hwl_monitor_say(m, "%s: more than %d processes, none is listed", m->device[at].id, HWL_MONITOR_LIST);
    n = HWL_MONITOR_LIST;
    if (nvml->graphics && nvml->graphics(handle, &n, m->list) == 0)
        for (unsigned i = 0; i < n && i < HWL_MONITOR_LIST; i++)
            if (!hwl_monitor_find_process(m, m->list[i].pid, at))
                hwl_monitor_add_process(m, m->list[i].pid, at, m->list[i].used);
}

/* whole: the GPU itself, which alone has a temperature; power and load are not told of its parts. */
static void device(struct hwl_monitor *m, uint32_t index, void *handle, void *whole)
{
    const struct hwl_nvml *nvml = &m->nvml;
    struct hwl_nvml_memory memory;
    struct hwl_nvml_busy busy = {0};
    unsigned value = 0;
    uint32_t at;
    const int status = hwl_nvml_memory(nvml, handle, &memory);
    if (status != 0) { /* hwl_probe_devices leaves it out as well */
        if (status == HWL_NVML_NO_PERMISSION)
            hwl_monitor_say(m, "NVIDIA GPU %u: its driver tells this user nothing of its memory", index & 0xffff);
        return;
    }
    hwl_monitor_device *d = hwl_monitor_gpu(m, HWL_SOURCE_NVML, index, HWL_DEVICE_GPU, &at);
    if (!d)
        return;
    if (!nvml->name || nvml->name(handle, d->name, sizeof d->name) != 0)
        (void)snprintf(d->name, sizeof d->name, "NVIDIA GPU");
    d->name[sizeof d->name - 1] = 0;
    d->total_bytes = memory.total;
    d->reserved_bytes = memory.reserved;
    d->used_bytes = memory.used;
    d->free_bytes = memory.free;
    if (nvml->temperature && nvml->temperature(whole, 0, &value) == 0)
        d->temperature_mc = (uint64_t)value * 1000;
    if (nvml->power && nvml->power(handle, &value) == 0)
        d->power_mw = value;
    if (nvml->power_limit && nvml->power_limit(handle, &value) == 0)
        d->power_limit_mw = value;
    if (nvml->busy && nvml->busy(handle, &busy) == 0)
        d->busy_percent = busy.gpu;
    processes(m, handle, at);
}

static void instances(struct hwl_monitor *m, uint32_t index, void *whole, unsigned slots)
{
    for (unsigned k = 0; k < slots; k++) {
        void *mig = NULL;
        if (m->nvml.mig_handle(whole, k, &mig) == 0)
            device(m, index | (k + 1) << 16, mig, whole);
    }
}

void hwl_monitor_nvml(struct hwl_monitor *m)
{
    const struct hwl_nvml *nvml = &m->nvml;
    unsigned n = 0, now = 0, after = 0;
    if (nvml->count(&n) != 0) { /* the driver was restarted: its library wants to begin anew */
        if (nvml->shutdown)
            (void)nvml->shutdown();
        if (nvml->init() != 0 || nvml->count(&n) != 0)
            return;
    }
    for (unsigned i = 0; i < n && i < 0xffff; i++) {
        void *handle = NULL;
        const int status = nvml->handle(i, &handle);
        if (status == HWL_NVML_GPU_IS_LOST)
            hwl_monitor_say(m, "NVIDIA GPU %u has fallen off the bus", i);
        else if (status == HWL_NVML_NO_PERMISSION)
            hwl_monitor_say(m, "NVIDIA GPU %u may not be asked by this user", i);
        if (status != 0)
            continue;
        const unsigned slots = hwl_nvml_mig_slots(nvml, handle);
        if (slots)
            instances(m, i, handle, slots);
        else if (!(nvml->mig_mode && nvml->mig_mode(handle, &now, &after) == 0 && now == 1))
            device(m, i, handle, handle);
    }
}
