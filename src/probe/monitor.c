/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of the machine: each vendor in turn, the host, then who the processes are. */
#include "probe/monitor_internal.h"

#include "base/status.h"

#include <dlfcn.h>
#include <stdarg.h>
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
        const bool whole = m->nvml.init && m->nvml.count && m->nvml.handle;
        m->nvml_status = whole ? m->nvml.init() : 0;
        if (!whole || m->nvml_status) {
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

static void forget(hwl_monitor_device *d)
{
    d->total_bytes = d->reserved_bytes = d->used_bytes = d->free_bytes = HWL_UNKNOWN;
    d->temperature_mc = d->power_mw = d->power_limit_mw = d->busy_percent = HWL_UNKNOWN;
}

hwl_status hwl_monitor_sample(hwl_monitor *monitor, hwl_error *error)
{
    struct hwl_monitor *m = monitor;
    m->n_processes = m->n_notes = m->n_clients = m->hidden = 0;
    for (uint32_t i = 0; i < m->n_gpus; i++) {
        forget(&m->device[i]);
        m->place[i].seen = false;
    }
    if (m->library)
        hwl_monitor_nvml(m);
    if (m->nvml_status == HWL_NVML_NO_PERMISSION)
        hwl_monitor_say(m, "NVIDIA's driver may not be asked by this user");
    else if (m->nvml_status == HWL_NVML_VERSION_MISMATCH)
        hwl_monitor_say(m, "NVIDIA's driver and its library are of different versions: restart the machine");
    hwl_monitor_drm(m);
    m->n_devices = m->n_gpus;
    HWL_TRY(hwl_monitor_host(m, error));
    hwl_monitor_fdinfo(m);
    hwl_monitor_kfd(m);
    hwl_monitor_name_processes(m);
    for (uint32_t i = 0; i < m->n_gpus; i++)
        if (!m->place[i].seen)
            hwl_monitor_say(m, "%s (%.60s) does not answer any more", m->device[i].id, m->device[i].name);
    if (m->hidden)
        hwl_monitor_say(m, "%u process%s of other users may not be looked into: what %s on the GPU is not listed", m->hidden,
                        m->hidden == 1 ? "" : "es", m->hidden == 1 ? "it holds" : "they hold");
    return HWL_OK;
}

void hwl_monitor_say(struct hwl_monitor *m, const char *format, ...)
{
    va_list args;
    if (m->n_notes == HWL_MONITOR_NOTES)
        return;
    va_start(args, format);
    (void)vsnprintf(m->note[m->n_notes++], sizeof m->note[0], format, args);
    va_end(args);
}

hwl_monitor_device *hwl_monitor_gpu(struct hwl_monitor *m, enum hwl_monitor_source source, uint32_t index, hwl_device_kind kind, uint32_t *at)
{
    uint32_t i = 0;
    while (i < m->n_gpus && (m->place[i].source != source || m->place[i].index != index))
        i++;
    if (i == HWL_MONITOR_DEVICES - 1) /* the last place is the host's */
        return NULL;
    if (i == m->n_gpus) {
        m->n_gpus++;
        m->place[i] = (struct hwl_monitor_place){.source = source, .index = index, .regions = ""};
        m->device[i] = (hwl_monitor_device){.kind = kind};
        (void)snprintf(m->device[i].id, sizeof m->device[i].id, "gpu%u", i);
        forget(&m->device[i]);
    }
    m->place[i].seen = true;
    *at = i;
    return &m->device[i];
}

hwl_monitor_process *hwl_monitor_find_process(struct hwl_monitor *m, uint64_t pid, uint32_t device)
{
    for (uint32_t i = 0; i < m->n_processes; i++)
        if (m->process[i].pid == pid && m->process[i].device == device)
            return &m->process[i];
    return NULL;
}

void hwl_monitor_add_process(struct hwl_monitor *m, uint64_t pid, uint32_t device, uint64_t bytes)
{
    hwl_monitor_process *p = hwl_monitor_find_process(m, pid, device);
    if (p && (p->bytes == HWL_UNKNOWN || bytes == HWL_UNKNOWN || p->bytes > UINT64_MAX - 1 - bytes))
        p->bytes = HWL_UNKNOWN;
    else if (p)
        p->bytes += bytes;
    else if (m->n_processes < HWL_MONITOR_PROCESSES)
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

const char *hwl_monitor_note(const hwl_monitor *monitor, uint32_t index)
{
    return index < monitor->n_notes ? monitor->note[index] : NULL;
}
