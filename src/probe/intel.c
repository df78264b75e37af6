/* SPDX-License-Identifier: Apache-2.0 */
/* Intel GPUs with memory of their own, from the files of xe and i915 in sysfs. xe gives the memory of each tile
 * (tileN/physical_vram_size_bytes; what its firmware keeps is in it); i915 gives lmem_total_bytes where Intel's own builds of
 * it run, and nothing in the kernel's. None gives what is used: a query that needs the device itself does. */
#include "base/bytes.h"
#include "base/status.h"
#include "probe/probe.h"

#include <stdio.h>
#include <string.h>

enum { TILES = 8 };

static bool own_memory(const char *root, unsigned index, uint64_t *out)
{
    char path[96];
    uint64_t sum = 0, tile;
    for (unsigned t = 0; t < TILES; t++) {
        (void)snprintf(path, sizeof path, "/sys/class/drm/card%u/device/tile%u/physical_vram_size_bytes", index, t);
        if (hwl_probe_u64(root, path, &tile) && !hwl_add(&sum, sum, tile))
            return false;
    }
    (void)snprintf(path, sizeof path, "/sys/class/drm/card%u/lmem_total_bytes", index);
    if (!sum && !hwl_probe_u64(root, path, &sum))
        return false;
    *out = sum;
    return sum > 0;
}

hwl_status hwl_probe_intel_card(const char *root, unsigned index, hwl_devices *devices, hwl_error *error)
{
    char path[96], text[96];
    hwl_device d = {.kind = HWL_DEVICE_GPU, .backend = HWL_BACKEND_SYCL, .bandwidth = HWL_UNKNOWN, .free_bytes = HWL_UNKNOWN, .detected = true};
#define AT(file) (snprintf(path, sizeof path, "/sys/class/drm/card%u/device/%s", index, file), path)
    if (!hwl_probe_line(root, AT("vendor"), text, sizeof text) || strcmp(text, "0x8086") != 0 || !own_memory(root, index, &d.memory_bytes))
        return HWL_OK;
    if (hwl_probe_line(root, AT("device"), text, sizeof text))
        (void)snprintf(d.name, sizeof d.name, "Intel GPU %.40s", text);
    else
        (void)snprintf(d.name, sizeof d.name, "Intel GPU");
#undef AT
    return hwl_devices_add(devices, &d, error);
}
