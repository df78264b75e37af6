/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_PROBE_PROBE_H
#define HWL_PROBE_PROBE_H

#include <hwledger/probe.h>

/* The part of NVML that is asked, declared here so that no vendor header is needed. Each call returns 0 on success;
 * NULL: the library has no such function. A fake can be handed in. */
struct hwl_nvml_memory_v2 {
    unsigned version;
    unsigned long long total, reserved, free, used;
};
struct hwl_nvml_memory_v1 {
    unsigned long long total, free, used;
};
struct hwl_nvml_busy {
    unsigned gpu, memory;
};
struct hwl_nvml_process { /* of the calls _v2 and _v3 */
    unsigned pid;
    unsigned long long used;
    unsigned gpu_instance, compute_instance;
};
struct hwl_nvml_process_v1 {
    unsigned pid;
    unsigned long long used;
};
struct hwl_nvml {
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *n);
    int (*handle)(unsigned index, void **device);
    int (*name)(void *device, char *name, unsigned size);
    int (*memory_v2)(void *device, struct hwl_nvml_memory_v2 *memory);
    int (*memory_v1)(void *device, struct hwl_nvml_memory_v1 *memory);
    int (*compute)(void *device, int *major, int *minor);
    int (*temperature)(void *device, unsigned sensor, unsigned *celsius);
    int (*power)(void *device, unsigned *milliwatts);
    int (*power_limit)(void *device, unsigned *milliwatts);
    int (*busy)(void *device, struct hwl_nvml_busy *percent);
    int (*processes)(void *device, unsigned *n, struct hwl_nvml_process *list);
    int (*processes_v1)(void *device, unsigned *n, struct hwl_nvml_process_v1 *list);
    int (*graphics)(void *device, unsigned *n, struct hwl_nvml_process *list); /* Vulkan counts as graphics */
    int (*mig_mode)(void *device, unsigned *current, unsigned *pending);
    int (*mig_most)(void *device, unsigned *n);
    int (*mig_handle)(void *device, unsigned index, void **mig);
};

/* Values of nvmlReturn_t that are told apart. */
enum { HWL_NVML_NO_PERMISSION = 4, HWL_NVML_INSUFFICIENT_SIZE = 7, HWL_NVML_GPU_IS_LOST = 15, HWL_NVML_VERSION_MISMATCH = 18 };

/* The memory of a device: used is what programs hold, without what the driver reserves. */
struct hwl_nvml_memory {
    uint64_t total, reserved, used, free; /* reserved HWL_UNKNOWN: the driver does not tell it apart */
};
/* 0, or the value that NVML returned. */
int hwl_nvml_memory(const struct hwl_nvml *nvml, void *device, struct hwl_nvml_memory *out);
/* Slots for MIG instances of a device in MIG mode; 0: it is not. */
unsigned hwl_nvml_mig_slots(const struct hwl_nvml *nvml, void *device);

hwl_status hwl_probe_nvml(const struct hwl_nvml *nvml, hwl_devices *devices, hwl_error *error);
/* Loads the library at path and asks it; HWL_OK without devices where there is none. */
hwl_status hwl_probe_nvml_load(const char *path, hwl_devices *devices, hwl_error *error);
/* The functions of a library that is loaded. */
void hwl_probe_nvml_find(void *library, struct hwl_nvml *nvml);
enum { HWL_DRM_CARDS = 64 }; /* that are looked for below /sys/class/drm */

/* Card index of the amdgpu driver, where there is one. */
hwl_status hwl_probe_amdgpu_card(const char *root, unsigned index, hwl_devices *devices, hwl_error *error);
/* The same for Intel's drivers xe and i915: cards with memory of their own whose size is told. */
hwl_status hwl_probe_intel_card(const char *root, unsigned index, hwl_devices *devices, hwl_error *error);
/* Both, all cards of amdgpu first. root "" is the machine. */
hwl_status hwl_probe_drm(const char *root, hwl_devices *devices, hwl_error *error);
/* What a card's uevent says under key (DRIVER, PCI_SLOT_NAME); false where it says nothing. */
bool hwl_probe_uevent(const char *root, unsigned card, const char *key, char *buf, uint64_t size);
/* Up to size - 1 bytes of a file below root, NUL-terminated. */
bool hwl_probe_slurp(const char *root, const char *path, char *buf, uint64_t size);
/* A small text file below root as one line without its newline; false when it cannot be read. */
bool hwl_probe_line(const char *root, const char *path, char *buf, uint64_t size);
bool hwl_probe_u64(const char *root, const char *path, uint64_t *out);

#endif
