/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_PROBE_MONITOR_INTERNAL_H
#define HWL_PROBE_MONITOR_INTERNAL_H

#include "probe/probe.h"

#include <hwledger/monitor.h>

enum { HWL_MONITOR_DEVICES = 65, HWL_MONITOR_PROCESSES = 256, HWL_MONITOR_COMMAND = 4096, HWL_MONITOR_NOTES = 8, HWL_MONITOR_CLIENTS = 1024,
       HWL_MONITOR_LIST = 512 };

enum hwl_monitor_source { HWL_SOURCE_NVML, HWL_SOURCE_AMDGPU, HWL_SOURCE_INTEL };

/* Where a GPU was found. It keeps its place among the devices from then on, also while it does not answer. */
struct hwl_monitor_place {
    enum hwl_monitor_source source;
    uint32_t index;      /* of the source: NVML's, that of the card; MIG instances have the slot + 1 << 16 on top */
    bool seen;           /* in this sample */
    char pdev[24];       /* address on the PCI bus as fdinfo spells it, "" unknown */
    const char *regions; /* of fdinfo that are this device's memory: words, a number may follow each */
};

struct hwl_monitor {
    char root[512];
    void *library; /* NVML, NULL: none */
    int nvml_status; /* what its nvmlInit_v2 returned, 0 also where there is no library */
    struct hwl_nvml nvml;
    struct hwl_monitor_place place[HWL_MONITOR_DEVICES];
    hwl_monitor_device device[HWL_MONITOR_DEVICES];
    uint32_t n_gpus, n_devices;
    hwl_monitor_process process[HWL_MONITOR_PROCESSES];
    uint32_t n_processes;
    char command[HWL_MONITOR_PROCESSES][HWL_MONITOR_COMMAND];
    struct hwl_nvml_process list[HWL_MONITOR_LIST];
    struct hwl_nvml_process_v1 old[HWL_MONITOR_LIST];
    struct { /* clients of DRM that are counted already: a descriptor may be there twice, in two processes also */
        uint64_t id;
        uint32_t device;
    } client[HWL_MONITOR_CLIENTS];
    uint32_t n_clients;
    uint32_t hidden; /* processes whose descriptors may not be read */
    char note[HWL_MONITOR_NOTES][160];
    uint32_t n_notes;
};

/* The device of a source: as it was placed before, or a new one behind those. NULL: no more room. */
hwl_monitor_device *hwl_monitor_gpu(struct hwl_monitor *m, enum hwl_monitor_source source, uint32_t index, hwl_device_kind kind, uint32_t *at);
void hwl_monitor_say(struct hwl_monitor *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds bytes of a process to a device; several parts of one process add up. */
void hwl_monitor_add_process(struct hwl_monitor *m, uint64_t pid, uint32_t device, uint64_t bytes);
/* The row of a process on a device, or NULL. */
hwl_monitor_process *hwl_monitor_find_process(struct hwl_monitor *m, uint64_t pid, uint32_t device);
void hwl_monitor_nvml(struct hwl_monitor *m);
/* Cards of amdgpu, xe and i915. */
void hwl_monitor_drm(struct hwl_monitor *m);
/* Their processes: from the descriptors that each holds (fdinfo), and from the compute driver of AMD. */
void hwl_monitor_fdinfo(struct hwl_monitor *m);
void hwl_monitor_kfd(struct hwl_monitor *m);
hwl_status hwl_monitor_host(struct hwl_monitor *m, hwl_error *error);
/* Names, command lines and engines of the processes, and the host's share of those of engines. */
void hwl_monitor_name_processes(struct hwl_monitor *m);
/* The engine that a command line (words, NUL behind each) starts, or NULL. */
const char *hwl_monitor_engine(const char *command);

#endif
