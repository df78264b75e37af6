/* SPDX-License-Identifier: Apache-2.0 */
/* The machine as a set of devices: each vendor in turn, then the host's memory. */
#include "probe/probe.h"

#include "base/status.h"

#include <stddef.h>

hwl_status hwl_probe_devices(const hwl_probe_options *options, hwl_devices **out, hwl_error *error)
{
    const char *root = options && options->root ? options->root : "";
    const char *nvml = options && options->nvml ? options->nvml : *root ? "" : "libnvidia-ml.so.1";
    hwl_devices *d = NULL;
    uint64_t total = 0, available = 0;
    if (hwl_devices_new(&d) != HWL_OK)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    hwl_status status = *nvml ? hwl_probe_nvml_load(nvml, d, error) : HWL_OK;
    if (status == HWL_OK)
        status = hwl_probe_drm(root, d, error);
    if (status == HWL_OK)
        status = hwl_probe_ram(options, &total, &available, error);
    if (status != HWL_OK) {
        hwl_devices_free(d);
        return status;
    }
    hwl_devices_set_ram(d, total, available);
    *out = d;
    return HWL_OK;
}
