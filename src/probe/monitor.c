/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of the machine: each vendor in turn, the host, then who the processes are. */
#include "probe/monitor_internal.h"

#include "base/status.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

hwl_status hwl_monitor_open(const hwl_probe_options *options, hwl_monitor **out, hwl_error *error)
{
    const char *root = options && options->root ? options->root : "";
    const char *nvml = options && options->nvml ? options->nvml : *root ? "" : "libnvidia-ml.so.1";
    hwl_monitor *m = calloc(1, sizeof *m);
    if (!m)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if ((size_t)snprintf(m->root, sizeof m->root, "%s", root) >= sizeof m->root) {
        free(m);
        return hwl_fail(error, HWL_E_USAGE, "the root of the probe is too long a path");
    }
    m->library = *nvml ? dlopen(nvml, RTLD_LAZY | RTLD_LOCAL) : NULL;
    if (m->library) {
        hwl_probe_nvml_find(m->library, &m->nvml);
        if (!m->nvml.init || !m->nvml.count || !m->nvml.handle || m->nvml.init() != 0) {
            (void)dlclose(m->library);
            m->library = NULL;
        }
    }
    *out = m;
    return HWL_OK;
}

void hwl_monitor_close(hwl_monitor *monitor)
{
    if (!monitor)
        return;
    if (monitor->library && monitor->nvml.shutdown)
        (void)monitor->nvml.shutdown();
    if (monitor->library)
        (void)dlclose(monitor->library);
    free(monitor);
}

hwl_status hwl_monitor_sample(hwl_monitor *monitor, hwl_error *error)
{
    monitor->n_devices = monitor->n_processes = 0;
    if (monitor->library)
        hwl_monitor_nvml(monitor);
    hwl_monitor_amdgpu(monitor);
    HWL_TRY(hwl_monitor_host(monitor, error));
    hwl_monitor_name_processes(monitor);
    return HWL_OK;
}

hwl_monitor_device *hwl_monitor_add_device(struct hwl_monitor *m, hwl_device_kind kind)
{
    if (m->n_devices == HWL_MONITOR_DEVICES - (kind != HWL_DEVICE_CPU)) /* a place is kept for the host */
        return NULL;
    hwl_monitor_device *d = &m->device[m->n_devices];
    *d = (hwl_monitor_device){.kind = kind, .total_bytes = HWL_UNKNOWN, .reserved_bytes = HWL_UNKNOWN, .used_bytes = HWL_UNKNOWN,
                              .free_bytes = HWL_UNKNOWN, .temperature_mc = HWL_UNKNOWN, .power_mw = HWL_UNKNOWN,
                              .power_limit_mw = HWL_UNKNOWN, .busy_percent = HWL_UNKNOWN};
    if (kind == HWL_DEVICE_CPU)
        (void)snprintf(d->id, sizeof d->id, "cpu");
    else
        (void)snprintf(d->id, sizeof d->id, "gpu%u", m->n_devices);
    m->n_devices++;
    return d;
}

void hwl_monitor_add_process(struct hwl_monitor *m, uint64_t pid, uint32_t device, uint64_t bytes)
{
    for (uint32_t i = 0; i < m->n_processes; i++) {
        hwl_monitor_process *p = &m->process[i];
        if (p->pid != pid || p->device != device)
            continue;
        if (p->bytes == HWL_UNKNOWN || bytes == HWL_UNKNOWN || p->bytes > UINT64_MAX - 1 - bytes)
            p->bytes = HWL_UNKNOWN;
        else
            p->bytes += bytes;
        return;
    }
    if (m->n_processes < HWL_MONITOR_PROCESSES)
        m->process[m->n_processes++] = (hwl_monitor_process){.pid = pid, .device = device, .bytes = bytes};
}

uint32_t hwl_monitor_n_devices(const hwl_monitor *monitor)
{
    return monitor->n_devices;
}

const hwl_monitor_device *hwl_monitor_get_device(const hwl_monitor *monitor, uint32_t index)
{
    return index < monitor->n_devices ? &monitor->device[index] : NULL;
}

uint32_t hwl_monitor_n_processes(const hwl_monitor *monitor)
{
    return monitor->n_processes;
}

const hwl_monitor_process *hwl_monitor_get_process(const hwl_monitor *monitor, uint32_t index)
{
    return index < monitor->n_processes ? &monitor->process[index] : NULL;
}
