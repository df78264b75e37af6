/* SPDX-License-Identifier: Apache-2.0 */
/* A libnvidia-ml.so for tests: an H100 as its driver reports it and a card without the v2 memory call. */
#include <stdio.h>

struct memory_v2 {
    unsigned version;
    unsigned long long total, reserved, free, used;
};
struct memory_v1 {
    unsigned long long total, free, used;
};

struct busy {
    unsigned gpu, memory;
};
struct process {
    unsigned pid;
    unsigned long long used;
    unsigned gpu_instance, compute_instance;
};

#define FAKE __attribute__((visibility("default")))
FAKE int nvmlInit_v2(void);
FAKE int nvmlShutdown(void);
FAKE int nvmlDeviceGetCount_v2(unsigned *n);
FAKE int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device);
FAKE int nvmlDeviceGetName(void *device, char *name, unsigned size);
FAKE int nvmlDeviceGetMemoryInfo_v2(void *device, struct memory_v2 *m);
FAKE int nvmlDeviceGetMemoryInfo(void *device, struct memory_v1 *m);
FAKE int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor);
FAKE int nvmlDeviceGetTemperature(void *device, unsigned sensor, unsigned *celsius);
FAKE int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts);
FAKE int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *milliwatts);
FAKE int nvmlDeviceGetUtilizationRates(void *device, struct busy *b);
FAKE int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *n, struct process *list);

static char cards[3];

int nvmlInit_v2(void)
{
    return 0;
}

int nvmlShutdown(void)
{
    return 0;
}

int nvmlDeviceGetCount_v2(unsigned *n)
{
    *n = 3;
    return 0;
}

/* The third card has fallen off the bus. */
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device)
{
    *device = &cards[i];
    return i < 2 ? 0 : 15;
}

int nvmlDeviceGetName(void *device, char *name, unsigned size)
{
    return snprintf(name, size, "%s", device == &cards[0] ? "NVIDIA H100 80GB HBM3" : "Old card") < 0;
}

int nvmlDeviceGetMemoryInfo_v2(void *device, struct memory_v2 *m)
{
    if (device != &cards[0] || m->version != (sizeof *m | 2u << 24))
        return 3;
    m->total = 81559ull << 20;
    m->reserved = (81559ull << 20) - 85029158912ull;
    m->used = 1ull << 30;
    m->free = 85029158912ull - m->used;
    return 0;
}

int nvmlDeviceGetMemoryInfo(void *device, struct memory_v1 *m)
{
    (void)device;
    m->total = 8ull << 30;
    m->free = 7ull << 30;
    m->used = 1ull << 30;
    return 0;
}

int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor)
{
    if (device != &cards[0])
        return 3;
    *major = 9;
    *minor = 0;
    return 0;
}

int nvmlDeviceGetTemperature(void *device, unsigned sensor, unsigned *celsius)
{
    *celsius = 41;
    return device == &cards[0] && sensor == 0 ? 0 : 3;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts)
{
    *milliwatts = 123456;
    return device == &cards[0] ? 0 : 3;
}

int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *milliwatts)
{
    *milliwatts = 700000;
    return device == &cards[0] ? 0 : 3;
}

int nvmlDeviceGetUtilizationRates(void *device, struct busy *b)
{
    b->gpu = 87;
    b->memory = 12;
    return device == &cards[0] ? 0 : 3;
}

/* One that tells its memory, one whose driver does not. */
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *n, struct process *list)
{
    if (device != &cards[0])
        return 3;
    if (*n < 2)
        return 7;
    *n = 2;
    list[0] = (struct process){4711, 1ull << 29, ~0u, ~0u};
    list[1] = (struct process){4712, ~0ull, ~0u, ~0u};
    return 0;
}
