/* SPDX-License-Identifier: Apache-2.0 */
/* Cards below /sys/class/drm, whoever made them. */
#include "base/status.h"
#include "probe/probe.h"

#include <stdio.h>
#include <string.h>

hwl_status hwl_probe_drm(const char *root, hwl_devices *devices, hwl_error *error)
{
    for (unsigned i = 0; i < HWL_DRM_CARDS; i++)
        HWL_TRY(hwl_probe_amdgpu_card(root, i, devices, error));
    for (unsigned i = 0; i < HWL_DRM_CARDS; i++)
        HWL_TRY(hwl_probe_intel_card(root, i, devices, error));
    return HWL_OK;
}

bool hwl_probe_uevent(const char *root, unsigned card, const char *key, char *buf, uint64_t size)
{
    char path[64], text[2048];
    const size_t n = strlen(key);
    (void)snprintf(path, sizeof path, "/sys/class/drm/card%u/device/uevent", card);
    if (!hwl_probe_slurp(root, path, text, sizeof text))
        return false;
    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, key, n) == 0 && line[n] == '=') {
            (void)snprintf(buf, (size_t)size, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
            return true;
        }
    return false;
}
