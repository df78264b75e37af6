/* SPDX-License-Identifier: Apache-2.0 */
/* GPUs of the kernel's DRM class as they are now: their files in sysfs with their hwmon folder. */
#include "base/bytes.h"
#include "base/str.h"
#include "probe/monitor_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* hwmon numbers change from boot to boot: the card's folder holds one or none. */
static void hwmon(struct hwl_monitor *m, unsigned card, hwl_monitor_device *d)
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
        if (hwl_probe_u64(m->root, AT("power1_cap"), &value) || hwl_probe_u64(m->root, AT("power1_max"), &value)) /* amdgpu; xe and i915 */
            d->power_limit_mw = value / 1000;
#undef AT
    }
    if (dir)
        (void)closedir(dir);
}

typedef hwl_status probe_card(const char *root, unsigned index, hwl_devices *devices, hwl_error *error);

/* A card that the probe of its vendor knows, as it is now. */
static void card(struct hwl_monitor *m, unsigned index, enum hwl_monitor_source source, probe_card *probe)
{
    hwl_devices *one = NULL;
    char path[96];
    uint64_t value;
    if (hwl_devices_new(&one) != HWL_OK)
        return;
    if (probe(m->root, index, one, NULL) != HWL_OK || !hwl_devices_gpus(one)) {
        hwl_devices_free(one);
        return;
    }
    const hwl_device *v = hwl_devices_get(one, 0);
    uint32_t at;
    hwl_monitor_device *d = hwl_monitor_gpu(m, source, index, v->kind, &at);
    if (d) {
        (void)snprintf(d->name, sizeof d->name, "%s", v->name);
        d->total_bytes = v->memory_bytes;
        d->free_bytes = v->free_bytes;
        d->used_bytes = v->free_bytes == HWL_UNKNOWN ? HWL_UNKNOWN : v->memory_bytes - v->free_bytes;
        struct hwl_monitor_place *p = &m->place[at];
        p->regions = source == HWL_SOURCE_INTEL ? "vram local stolen-local" : v->kind == HWL_DEVICE_UNIFIED ? "gtt" : "vram";
        if (!hwl_probe_uevent(m->root, index, "PCI_SLOT_NAME", p->pdev, sizeof p->pdev))
            *p->pdev = 0;
        hwmon(m, index, d);
        (void)snprintf(path, sizeof path, "/sys/class/drm/card%u/device/gpu_busy_percent", index);
        if (hwl_probe_u64(m->root, path, &value))
            d->busy_percent = value;
    }
    hwl_devices_free(one);
}

void hwl_monitor_drm(struct hwl_monitor *m)
{
    for (unsigned i = 0; i < HWL_DRM_CARDS; i++)
        card(m, i, HWL_SOURCE_AMDGPU, hwl_probe_amdgpu_card);
    for (unsigned i = 0; i < HWL_DRM_CARDS; i++)
        card(m, i, HWL_SOURCE_INTEL, hwl_probe_intel_card);
}
