/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_MONITOR_H
#define HWLEDGER_MONITOR_H

#include <hwledger/probe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The machine as it is now, again and again. Figures that a driver does not give are HWL_UNKNOWN. */
typedef struct hwl_monitor hwl_monitor;

typedef struct hwl_monitor_device {
    char id[16]; /* gpu0 ..., cpu last: the order of hwl_probe_devices, which lists but the first of several MIG instances. A GPU
                  * that stops to answer keeps its place, its figures are unknown */
    char name[96];
    hwl_device_kind kind;
    uint64_t total_bytes;    /* used + reserved + free */
    uint64_t reserved_bytes; /* kept by the driver */
    uint64_t used_bytes, free_bytes;
    uint64_t temperature_mc; /* thousandths of a degree Celsius */
    uint64_t power_mw, power_limit_mw;
    uint64_t busy_percent;
} hwl_monitor_device;

typedef struct hwl_monitor_process {
    uint64_t pid;
    uint32_t device;     /* index of the devices */
    uint64_t bytes;      /* on that device; on the host resident memory without what is mapped from files */
    const char *engine;  /* name of a known engine, or NULL */
    uint64_t root;       /* the process of the same engine that started it (a server's workers hold the memory), or pid itself */
    char name[64];
    const char *command; /* its words, each with a NUL behind it; an empty one ends them. Lives until the next sample */
} hwl_monitor_process;

HWL_API hwl_status hwl_monitor_open(const hwl_probe_options *options, hwl_monitor **out, hwl_error *error);
HWL_API void hwl_monitor_close(hwl_monitor *monitor);
/* Looks at the machine. What a sample gives lives until the next one. */
HWL_API hwl_status hwl_monitor_sample(hwl_monitor *monitor, hwl_error *error);
HWL_API uint32_t hwl_monitor_n_devices(const hwl_monitor *monitor);
HWL_API const hwl_monitor_device *hwl_monitor_get_device(const hwl_monitor *monitor, uint32_t index);
/* On GPUs all that the driver names; on the host those of known engines. */
HWL_API uint32_t hwl_monitor_n_processes(const hwl_monitor *monitor);
HWL_API const hwl_monitor_process *hwl_monitor_get_process(const hwl_monitor *monitor, uint32_t index);
/* What could not be seen, and why: a sentence each; NULL past the last. */
HWL_API const char *hwl_monitor_note(const hwl_monitor *monitor, uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
