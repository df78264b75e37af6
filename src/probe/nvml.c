/* SPDX-License-Identifier: Apache-2.0 */
/* NVIDIA GPUs through the driver's own library, loaded by name. What CUDA gives a program is NVML's total less what the
 * driver reserves (the v2 call tells them apart; v1 counts the reserve as used). */
#include "base/status.h"
#include "probe/probe.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static bool memory_of(const struct hwl_nvml *nvml, void *handle, uint64_t *total, uint64_t *free_bytes)
{
    struct hwl_nvml_memory_v2 v2 = {.version = (unsigned)sizeof v2 | 2u << 24};
    struct hwl_nvml_memory_v1 v1 = {0};
    if (nvml->memory_v2 && nvml->memory_v2(handle, &v2) == 0 && v2.reserved <= v2.total) {
        *total = v2.total - v2.reserved;
        *free_bytes = v2.free < *total ? v2.free : *total;
        return true;
    }
    if (!nvml->memory_v1 || nvml->memory_v1(handle, &v1) != 0)
        return false;
    *total = v1.total;
    *free_bytes = v1.free < v1.total ? v1.free : v1.total;
    return true;
}

hwl_status hwl_probe_nvml(const struct hwl_nvml *nvml, hwl_devices *devices, hwl_error *error)
{
    unsigned n = 0;
    if (!nvml->init || !nvml->count || !nvml->handle || nvml->init() != 0)
        return HWL_OK;
    hwl_status status = HWL_OK;
    if (nvml->count(&n) != 0)
        n = 0;
    for (unsigned i = 0; i < n && status == HWL_OK; i++) {
        void *handle = NULL;
        hwl_device d = {.kind = HWL_DEVICE_GPU, .backend = HWL_BACKEND_CUDA, .bandwidth = HWL_UNKNOWN, .detected = true};
        if (nvml->handle(i, &handle) != 0 || !memory_of(nvml, handle, &d.memory_bytes, &d.free_bytes))
            continue;
        if (!nvml->name || nvml->name(handle, d.name, sizeof d.name) != 0)
            (void)snprintf(d.name, sizeof d.name, "NVIDIA GPU");
        d.name[sizeof d.name - 1] = 0;
        int major = 0, minor = 0;
        if (nvml->compute && nvml->compute(handle, &major, &minor) == 0 && major > 0 && minor >= 0) {
            d.compute_major = (uint32_t)major;
            d.compute_minor = (uint32_t)minor;
        }
        const hwl_accelerator *a = hwl_accelerator_find(d.name, NULL);
        if (a)
            d.bandwidth = a->bandwidth;
        status = hwl_devices_add(devices, &d, error);
    }
    if (nvml->shutdown)
        (void)nvml->shutdown();
    return status;
}

/* ISO C knows no way from an object pointer to a function pointer; POSIX does, by representation. */
static void find(void *library, const char *name, void *slot)
{
    void *symbol = dlsym(library, name);
    if (symbol)
        memcpy(slot, &symbol, sizeof symbol);
}

void hwl_probe_nvml_find(void *library, struct hwl_nvml *nvml)
{
    find(library, "nvmlInit_v2", &nvml->init);
    find(library, "nvmlShutdown", &nvml->shutdown);
    find(library, "nvmlDeviceGetCount_v2", &nvml->count);
    find(library, "nvmlDeviceGetHandleByIndex_v2", &nvml->handle);
    find(library, "nvmlDeviceGetName", &nvml->name);
    find(library, "nvmlDeviceGetMemoryInfo_v2", &nvml->memory_v2);
    find(library, "nvmlDeviceGetMemoryInfo", &nvml->memory_v1);
    find(library, "nvmlDeviceGetCudaComputeCapability", &nvml->compute);
    find(library, "nvmlDeviceGetTemperature", &nvml->temperature);
    find(library, "nvmlDeviceGetPowerUsage", &nvml->power);
    find(library, "nvmlDeviceGetEnforcedPowerLimit", &nvml->power_limit);
    find(library, "nvmlDeviceGetUtilizationRates", &nvml->busy);
    find(library, "nvmlDeviceGetComputeRunningProcesses_v2", &nvml->processes);
    find(library, "nvmlDeviceGetComputeRunningProcesses_v3", &nvml->processes);
    find(library, "nvmlDeviceGetComputeRunningProcesses", &nvml->processes_v1);
}

hwl_status hwl_probe_nvml_load(const char *path, hwl_devices *devices, hwl_error *error)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        return HWL_OK;
    struct hwl_nvml nvml = {0};
    hwl_probe_nvml_find(library, &nvml);
    hwl_status status = hwl_probe_nvml(&nvml, devices, error);
    (void)dlclose(library);
    return status;
}
