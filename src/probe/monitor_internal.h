/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_PROBE_MONITOR_INTERNAL_H
#define HWL_PROBE_MONITOR_INTERNAL_H

#include "probe/probe.h"

#include <hwledger/monitor.h>

enum { HWL_MONITOR_DEVICES = 65, HWL_MONITOR_PROCESSES = 256, HWL_MONITOR_COMMAND = 4096 };

struct hwl_monitor {
    char root[512];
    void *library; /* NVML, NULL: none */
    struct hwl_nvml nvml;
    hwl_monitor_device device[HWL_MONITOR_DEVICES];
    uint32_t n_devices;
    hwl_monitor_process process[HWL_MONITOR_PROCESSES];
    uint32_t n_processes;
    char command[HWL_MONITOR_PROCESSES][HWL_MONITOR_COMMAND];
};

hwl_monitor_device *hwl_monitor_add_device(struct hwl_monitor *m, hwl_device_kind kind);
/* Adds bytes of a process to a device; several parts of one process add up. */
void hwl_monitor_add_process(struct hwl_monitor *m, uint64_t pid, uint32_t device, uint64_t bytes);
void hwl_monitor_nvml(struct hwl_monitor *m);
void hwl_monitor_amdgpu(struct hwl_monitor *m);
hwl_status hwl_monitor_host(struct hwl_monitor *m, hwl_error *error);
/* Names, command lines and engines of the processes, and the host's share of those of engines. */
void hwl_monitor_name_processes(struct hwl_monitor *m);
/* The engine that a command line (words, NUL behind each) starts, or NULL. */
const char *hwl_monitor_engine(const char *command);

#endif
