/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_DEVICE_H
#define HWLEDGER_DEVICE_H

#include <hwledger/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hwl_device_kind { HWL_DEVICE_GPU, HWL_DEVICE_CPU, HWL_DEVICE_UNIFIED, HWL_DEVICE_DISK } hwl_device_kind;

/* Which driver stack an engine would use on the device. */
typedef enum hwl_backend {
    HWL_BACKEND_CPU,
    HWL_BACKEND_CUDA,
    HWL_BACKEND_ROCM,
    HWL_BACKEND_METAL,
    HWL_BACKEND_VULKAN,
    HWL_BACKEND_SYCL,
    HWL_BACKEND_OTHER, /* TPU, NPU: known to the catalogue only */
} hwl_backend;

#define HWL_UNKNOWN UINT64_MAX /* a figure that nobody gave; never 0 */

/* One device, pure description: nothing here touches the machine. */
typedef struct hwl_device {
    char id[16];           /* "gpu0", "cpu": the name used in plans */
    char name[96];         /* what the driver or the catalogue calls it */
    hwl_device_kind kind;
    hwl_backend backend;
    uint64_t memory_bytes; /* what the driver reports as total (cudaMemGetInfo), not the marketing figure */
    uint64_t free_bytes;   /* what is free before the engine starts; == memory_bytes where nothing else runs */
    uint64_t bandwidth;    /* bytes per second of device memory, HWL_UNKNOWN */
    uint32_t compute_major, compute_minor; /* CUDA compute capability, 0.0 when unknown or not CUDA */
    uint32_t n_sm;         /* streaming multiprocessors / compute units, 0 unknown */
    bool detected;         /* from the machine, not from the catalogue */
} hwl_device;

/* An ordered set: GPUs first, gpu0 .. gpuN-1, then the host ("cpu"), which is always there. */
typedef struct hwl_devices hwl_devices;

HWL_API hwl_status hwl_devices_new(hwl_devices **out);
HWL_API hwl_status hwl_devices_copy(const hwl_devices *devices, hwl_devices **out);
HWL_API void hwl_devices_free(hwl_devices *devices);
HWL_API uint32_t hwl_devices_count(const hwl_devices *devices);       /* host included */
HWL_API uint32_t hwl_devices_gpus(const hwl_devices *devices);
HWL_API const hwl_device *hwl_devices_get(const hwl_devices *devices, uint32_t index);

/* Adds n copies of a catalogue accelerator. spec is "NAME[xN]", matched without case, spaces, hyphens
 * and vendor words. HWL_E_NOT_FOUND names the nearest known. */
HWL_API hwl_status hwl_devices_add_gpu(hwl_devices *devices, const char *spec, hwl_error *error);
/* Adds unnamed CUDA devices: "TOTAL[/FREE][xN]". */
HWL_API hwl_status hwl_devices_add_gpu_memory(hwl_devices *devices, const char *spec, hwl_error *error);
/* Adds a device as described; id is assigned. */
HWL_API hwl_status hwl_devices_add(hwl_devices *devices, const hwl_device *device, hwl_error *error);
/* Host memory in bytes; total and free alike. */
HWL_API void hwl_devices_set_ram(hwl_devices *devices, uint64_t total_bytes, uint64_t free_bytes);

/* The catalogue of accelerators: rows in a fixed order; NULL past the end. */
typedef struct hwl_accelerator {
    const char *name;
    const char *vendor;
    uint64_t marketing_bytes; /* the figure on the box */
    uint64_t driver_bytes;    /* what the driver gives a program; HWL_UNKNOWN: see estimated_bytes */
    uint64_t usable_bytes;    /* driver_bytes, or an estimate from the marketing figure where none was seen */
    uint64_t bandwidth;       /* bytes/s or HWL_UNKNOWN */
    uint32_t fp16_gflops;     /* dense, 0 unknown */
    uint32_t compute_major, compute_minor;
    uint32_t n_sm;            /* streaming multiprocessors, 0 unknown */
    uint32_t year;            /* 0 unknown */
    hwl_backend backend;
    hwl_device_kind kind;
} hwl_accelerator;

HWL_API const hwl_accelerator *hwl_accelerator_at(uint32_t index);
HWL_API const hwl_accelerator *hwl_accelerator_find(const char *name, hwl_error *error);

#ifdef __cplusplus
}
#endif
#endif
