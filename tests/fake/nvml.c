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

#define FAKE __attribute__((visibility("default")))
FAKE int nvmlInit_v2(void);
FAKE int nvmlShutdown(void);
FAKE int nvmlDeviceGetCount_v2(unsigned *n);
FAKE int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device);
FAKE int nvmlDeviceGetName(void *device, char *name, unsigned size);
FAKE int nvmlDeviceGetMemoryInfo_v2(void *device, struct memory_v2 *m);
FAKE int nvmlDeviceGetMemoryInfo(void *device, struct memory_v1 *m);
FAKE int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor);

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
