/* SPDX-License-Identifier: Apache-2.0 */
/* AMD GPUs from the amdgpu driver's files in sysfs; no library is needed. */
#include "base/status.h"
#include "probe/probe.h"

#include <stdio.h>
#include <string.h>

/* An APU's VRAM is a carve-out of at most this; its programs live in GTT. */
static const uint64_t carve_out_limit = (uint64_t)4 << 30;

hwl_status hwl_probe_amdgpu_card(const char *root, unsigned index, hwl_devices *devices, hwl_error *error)
{
    char path[96], text[96];
    uint64_t vram = 0, used = 0, gtt = 0, gtt_used = 0;
#define AT(file) (snprintf(path, sizeof path, "/sys/class/drm/card%u/device/%s", index, file), path)
    if (!hwl_probe_line(root, AT("vendor"), text, sizeof text) || strcmp(text, "0x1002") != 0 ||
        !hwl_probe_u64(root, AT("mem_info_vram_total"), &vram))
        return HWL_OK;
    if (!hwl_probe_u64(root, AT("mem_info_vram_used"), &used))
        used = 0;
    hwl_device d = {.kind = HWL_DEVICE_GPU, .backend = HWL_BACKEND_ROCM, .bandwidth = HWL_UNKNOWN, .detected = true, .memory_bytes = vram};
    if (vram < carve_out_limit && hwl_probe_u64(root, AT("mem_info_gtt_total"), &gtt) && gtt > vram) {
        d.kind = HWL_DEVICE_UNIFIED;
        d.memory_bytes = gtt;
        used = hwl_probe_u64(root, AT("mem_info_gtt_used"), &gtt_used) ? gtt_used : 0;
    }
    d.free_bytes = used < d.memory_bytes ? d.memory_bytes - used : 0;
    if (hwl_probe_line(root, AT("product_name"), text, sizeof text) && text[0])
        (void)snprintf(d.name, sizeof d.name, "%s", text);
    else if (hwl_probe_line(root, AT("device"), text, sizeof text))
        (void)snprintf(d.name, sizeof d.name, "AMD GPU %.40s", text);
    else
        (void)snprintf(d.name, sizeof d.name, "AMD GPU");
#undef AT
    return hwl_devices_add(devices, &d, error);
}
