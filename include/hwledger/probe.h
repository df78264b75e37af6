/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_PROBE_H
#define HWLEDGER_PROBE_H

#include <hwledger/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What stands in for the machine; NULL members: the machine itself. */
typedef struct hwl_probe_options {
    const char *root; /* folder that holds proc and sys */
    const char *nvml; /* path of libnvidia-ml.so.1; "": do not look for one */
} hwl_probe_options;

/* GPUs of this machine and its memory. options may be NULL. A vendor library that is not there is no error. */
HWL_API hwl_status hwl_probe_devices(const hwl_probe_options *options, hwl_devices **out, hwl_error *error);
/* Host memory alone, within the limits of the control group: total, and what programs can still take. */
HWL_API hwl_status hwl_probe_ram(const hwl_probe_options *options, uint64_t *total, uint64_t *available, hwl_error *error);

#ifdef __cplusplus
}
#endif
#endif
