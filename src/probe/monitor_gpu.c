/* SPDX-License-Identifier: Apache-2.0 */
/* GPUs as they are now: NVML, and the files of amdgpu with their hwmon folder. */
#include "base/bytes.h"
#include "base/str.h"
#include "probe/monitor_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { CARDS = 64 };

static void nvml_memory(const struct hwl_nvml *nvml, void *handle, hwl_monitor_device *d)
{
    struct hwl_nvml_memory_v2 v2 = {.version = (unsigned)sizeof v2 | 2u << 24};
    struct hwl_nvml_memory_v1 v1 = {0};
    if (nvml->memory_v2 && nvml->memory_v2(handle, &v2) == 0) {
        d->total_bytes = v2.total;
        d->reserved_bytes = v2.reserved;
        d->used_bytes = v2.used;
        d->free_bytes = v2.free;
    } else if (nvml->memory_v1 && nvml->memory_v1(handle, &v1) == 0) { /* the reserve counts as used */
        d->total_bytes = v1.total;
        d->used_bytes = v1.used;
        d->free_bytes = v1.free;
    }
}

static void nvml_processes(struct hwl_monitor *m, void *handle, uint32_t device)
{
    struct hwl_nvml_process list[128];
    struct hwl_nvml_process_v1 old[128];
    unsigned n = sizeof list / sizeof *list;
    if (m->nvml.processes && m->nvml.processes(handle, &n, list) == 0) {
        for (unsigned i = 0; i < n && i < sizeof list / sizeof *list; i++)
            hwl_monitor_add_process(m, list[i].pid, device, list[i].used); /* all ones: not told */
        return;
    }
    n = sizeof old / sizeof *old;
    if (m->nvml.processes_v1 && m->nvml.processes_v1(handle, &n, old) == 0)
        for (unsigned i = 0; i < n && i < sizeof old / sizeof *old; i++)
            hwl_monitor_add_process(m, old[i].pid, device, old[i].used);
}

void hwl_monitor_nvml(struct hwl_monitor *m)
{
    const struct hwl_nvml *nvml = &m->nvml;
    unsigned n = 0, value = 0;
    if (nvml->count(&n) != 0)
        return;
    for (unsigned i = 0; i < n; i++) {
        void *handle = NULL;
        struct hwl_nvml_busy busy = {0};
        hwl_monitor_device *d;
        if (nvml->handle(i, &handle) != 0 || !(d = hwl_monitor_add_device(m, HWL_DEVICE_GPU)))
            continue;
        if (!nvml->name || nvml->name(handle, d->name, sizeof d->name) != 0)
            (void)snprintf(d->name, sizeof d->name, "NVIDIA GPU");
        d->name[sizeof d->name - 1] = 0;
        nvml_memory(nvml, handle, d);
        if (d->total_bytes == HWL_UNKNOWN) { /* hwl_probe_devices leaves it out as well */
            m->n_devices--;
            continue;
        }
        if (nvml->temperature && nvml->temperature(handle, 0, &value) == 0)
            d->temperature_mc = (uint64_t)value * 1000;
        if (nvml->power && nvml->power(handle, &value) == 0)
            d->power_mw = value;
        if (nvml->power_limit && nvml->power_limit(handle, &value) == 0)
            d->power_limit_mw = value;
        if (nvml->busy && nvml->busy(handle, &busy) == 0)
            d->busy_percent = busy.gpu;
        nvml_processes(m, handle, m->n_devices - 1);
    }
}

/* hwmon numbers change from boot to boot: the card's folder holds one or none. */
static void amdgpu_hwmon(struct hwl_monitor *m, unsigned card, hwl_monitor_device *d)
{
    char path[700];
    uint64_t value;
    (void)snprintf(path, sizeof path, "%s/sys/class/drm/card%u/device/hwmon", m->root, card);
    DIR *dir = opendir(path);
    const struct dirent *e = NULL;
    while (dir && (e = readdir(dir)) && strncmp(e->d_name, "hwmon", 5) != 0)
        ;
    if (e) {
        char own[64];
        (void)snprintf(own, sizeof own, "%.60s", e->d_name);
#define AT(file) (snprintf(path, sizeof path, "/sys/class/drm/card%u/device/hwmon/%s/%s", card, own, file), path)
        if (hwl_probe_u64(m->root, AT("temp1_input"), &value))
            d->temperature_mc = value;
        if (hwl_probe_u64(m->root, AT("power1_average"), &value) || hwl_probe_u64(m->root, AT("power1_input"), &value))
            d->power_mw = value / 1000; /* files are in microwatts */
        if (hwl_probe_u64(m->root, AT("power1_cap"), &value))
            d->power_limit_mw = value / 1000;
#undef AT
    }
    if (dir)
        (void)closedir(dir);
}

void hwl_monitor_amdgpu(struct hwl_monitor *m)
{
    for (unsigned i = 0; i < CARDS; i++) {
        hwl_devices *one = NULL;
        char path[96];
        uint64_t value;
        if (hwl_devices_new(&one) != HWL_OK)
            return;
        hwl_monitor_device *d = NULL;
        if (hwl_probe_amdgpu_card(m->root, i, one, NULL) == HWL_OK && hwl_devices_gpus(one)) {
            const hwl_device *v = hwl_devices_get(one, 0);
            if ((d = hwl_monitor_add_device(m, v->kind))) {
                (void)snprintf(d->name, sizeof d->name, "%s", v->name);
                d->total_bytes = v->memory_bytes;
                d->free_bytes = v->free_bytes;
                d->used_bytes = v->memory_bytes - v->free_bytes;
            }
        }
        hwl_devices_free(one);
        if (!d)
            continue;
        amdgpu_hwmon(m, i, d);
        (void)snprintf(path, sizeof path, "/sys/class/drm/card%u/device/gpu_busy_percent", i);
        if (hwl_probe_u64(m->root, path, &value))
            d->busy_percent = value;
    }
}
