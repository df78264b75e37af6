/* SPDX-License-Identifier: Apache-2.0 */
/* NVIDIA GPUs through the driver's own library, loaded by name. What CUDA gives a program is NVML's total less what the
 * driver reserves (the v2 call tells them apart; v1 counts the reserve as used). */
#include "base/status.h"
#include "probe/probe.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int hwl_nvml_memory(const struct hwl_nvml *nvml, void *handle, struct hwl_nvml_memory *out)
{
    struct hwl_nvml_memory_v2 v2 = {.version = (unsigned)sizeof v2 | 2u << 24};
    struct hwl_nvml_memory_v1 v1 = {0};
    if (nvml->memory_v2 && nvml->memory_v2(handle, &v2) == 0 && v2.reserved <= v2.total) {
        *out = (struct hwl_nvml_memory){v2.total, v2.reserved, v2.used, v2.free};
        /* whether used holds the reserve differs by driver; what is free does not */
        if (v2.free <= v2.total - v2.reserved)
            out->used = v2.total - v2.reserved - v2.free;
        return 0;
    }
    const int status = nvml->memory_v1 ? nvml->memory_v1(handle, &v1) : -1;
    if (status == 0)
        *out = (struct hwl_nvml_memory){v1.total, HWL_UNKNOWN, v1.used, v1.free};
    return status;
}

unsigned hwl_nvml_mig_slots(const struct hwl_nvml *nvml, void *handle)
{
    unsigned now = 0, after = 0, n = 0;
    if (!nvml->mig_mode || !nvml->mig_most || !nvml->mig_handle || nvml->mig_mode(handle, &now, &after) != 0 || now != 1 ||
        nvml->mig_most(handle, &n) != 0)
        return 0;
    return n;
}

/* One device, or a MIG instance; nothing where its memory is not told. compute is asked of the whole device. */
static hwl_status add(const struct hwl_nvml *nvml, void *handle, void *whole, hwl_devices *devices, hwl_error *error)
{
    hwl_device d = {.kind = HWL_DEVICE_GPU, .backend = HWL_BACKEND_CUDA, .bandwidth = HWL_UNKNOWN, .detected = true};
    struct hwl_nvml_memory memory;
    if (hwl_nvml_memory(nvml, handle, &memory) != 0)
        return HWL_OK;
    d.memory_bytes = memory.total - (memory.reserved == HWL_UNKNOWN ? 0 : memory.reserved);
    d.free_bytes = memory.free < d.memory_bytes ? memory.free : d.memory_bytes;
    if (!nvml->name || nvml->name(handle, d.name, sizeof d.name) != 0)
        (void)snprintf(d.name, sizeof d.name, "NVIDIA GPU");
    d.name[sizeof d.name - 1] = 0;
    int major = 0, minor = 0;
    if (nvml->compute && nvml->compute(whole, &major, &minor) == 0 && major > 0 && minor >= 0) {
        d.compute_major = (uint32_t)major;
        d.compute_minor = (uint32_t)minor;
    }
    const hwl_accelerator *a = handle == whole ? hwl_accelerator_find(d.name, NULL) : NULL;
    if (a)
        d.bandwidth = a->bandwidth;
    return hwl_devices_add(devices, &d, error);
}

hwl_status hwl_probe_nvml(const struct hwl_nvml *nvml, hwl_devices *devices, hwl_error *error)
{
    unsigned n = 0;
    bool instance = false;
    if (!nvml->init || !nvml->count || !nvml->handle || nvml->init() != 0)
        return HWL_OK;
    hwl_status status = HWL_OK;
    if (nvml->count(&n) != 0)
        n = 0;
    for (unsigned i = 0; i < n && status == HWL_OK; i++) {
        void *handle = NULL, *mig = NULL;
        unsigned mode = 0, after = 0;
        if (nvml->handle(i, &handle) != 0)
            continue;
        const unsigned slots = hwl_nvml_mig_slots(nvml, handle);
        for (unsigned k = 0; k < slots && !instance; k++) /* CUDA gives a program one instance */
            if (nvml->mig_handle(handle, k, &mig) == 0) {
                instance = true;
                status = add(nvml, mig, handle, devices, error);
            }
        if (!slots && !(nvml->mig_mode && nvml->mig_mode(handle, &mode, &after) == 0 && mode == 1))
            status = add(nvml, handle, handle, devices, error);
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
    /* _v2 and _v3 fill the same rows, but those of _v3 were longer in some drivers of the 535 branch: _v2 where there is one */
    find(library, "nvmlDeviceGetComputeRunningProcesses_v3", &nvml->processes);
    find(library, "nvmlDeviceGetComputeRunningProcesses_v2", &nvml->processes);
    find(library, "nvmlDeviceGetComputeRunningProcesses", &nvml->processes_v1);
    find(library, "nvmlDeviceGetGraphicsRunningProcesses_v3", &nvml->graphics);
    find(library, "nvmlDeviceGetGraphicsRunningProcesses_v2", &nvml->graphics);
    find(library, "nvmlDeviceGetMigMode", &nvml->mig_mode);
    find(library, "nvmlDeviceGetMaxMigDeviceCount", &nvml->mig_most);
    find(library, "nvmlDeviceGetMigDeviceHandleByIndex", &nvml->mig_handle);
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
