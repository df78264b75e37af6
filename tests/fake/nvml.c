/* SPDX-License-Identifier: Apache-2.0 */
/* A libnvidia-ml.so for tests: an H100 as its driver reports it and a card without the v2 memory call. FAKE_NVML_MODE may hold words:
 * lost (the second card has fallen off the bus), gone (the driver was unloaded), mig (the H100 is two instances), denied (it tells
 * neither processes nor memory of the whole), held (used holds the reserve), many (more processes than anyone has room for),
 * graphics (two more with a graphics context, one of them known already). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

FAKE int nvmlDeviceGetComputeRunningProcesses_v2(void *device, unsigned *n, struct process *list);
FAKE int nvmlDeviceGetGraphicsRunningProcesses_v2(void *device, unsigned *n, struct process *list);
FAKE int nvmlDeviceGetMigMode(void *device, unsigned *now, unsigned *after);
FAKE int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned *n);
FAKE int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned i, void **mig);

static char cards[3], parts[2];

static int mode(const char *word)
{
    const char *words = getenv("FAKE_NVML_MODE");
    return words && strstr(words, word);
}

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
    return mode("gone") ? 9 : 0;
}

/* The third card has fallen off the bus. */
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device)
{
    *device = &cards[i];
    return i < 2 && !(i == 1 && mode("lost")) ? 0 : 15;
}

int nvmlDeviceGetName(void *device, char *name, unsigned size)
{
    const int part = device == &parts[0] || device == &parts[1];
    return snprintf(name, size, "%s", part ? "NVIDIA H100 80GB HBM3 MIG 3g.40gb" : device == &cards[0] ? "NVIDIA H100 80GB HBM3" : "Old card") < 0;
}

int nvmlDeviceGetMemoryInfo_v2(void *device, struct memory_v2 *m)
{
    if ((device == &parts[0] || device == &parts[1]) && m->version == (sizeof *m | 2u << 24)) {
        m->total = 40448ull << 20;
        m->reserved = 0;
        m->used = device == &parts[0] ? 2ull << 30 : 12ull << 20;
        m->free = m->total - m->used;
        return 0;
    }
    if (device != &cards[0] || m->version != (sizeof *m | 2u << 24))
        return 3;
    if (mode("denied"))
        return 4;
    m->total = 81559ull << 20;
    m->reserved = (81559ull << 20) - 85029158912ull;
    m->used = 1ull << 30;
    m->free = 85029158912ull - m->used;
    if (mode("held"))
        m->used += m->reserved;
    return 0;
}

int nvmlDeviceGetMemoryInfo(void *device, struct memory_v1 *m)
{
    if (device == &cards[0])
        return mode("denied") ? 4 : 3;
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

/* Rows of _v3 as some drivers had them, longer than those of _v2: whoever asks for these reads nonsense. */
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *n, struct process *list)
{
    struct longer {
        struct process row;
        unsigned long long more;
    };
    (void)device;
    if (*n < 2)
        return 7;
    *n = 2;
    memset(list, 0x5a, 2 * sizeof(struct longer));
    return 0;
}

/* One that tells its memory, one whose driver does not. */
int nvmlDeviceGetComputeRunningProcesses_v2(void *device, unsigned *n, struct process *list)
{
    if (mode("denied"))
        return 4;
    if (device == &parts[0]) {
        *n = 1;
        list[0] = (struct process){4711, 3ull << 29, 1, 0};
        return 0;
    }
    if (device != &cards[0])
        return 3;
    if (*n < 2 || mode("many")) {
        *n = 5000;
        return 7;
    }
    *n = 2;
    list[0] = (struct process){4711, 1ull << 29, ~0u, ~0u};
    list[1] = (struct process){4712, ~0ull, ~0u, ~0u};
    return 0;
}

int nvmlDeviceGetGraphicsRunningProcesses_v2(void *device, unsigned *n, struct process *list)
{
    if (device != &cards[0] || !mode("graphics") || *n < 2)
        return 3;
    *n = 2;
    list[0] = (struct process){4711, 1ull << 29, ~0u, ~0u};
    list[1] = (struct process){4720, 5ull << 20, ~0u, ~0u};
    return 0;
}

int nvmlDeviceGetMigMode(void *device, unsigned *now, unsigned *after)
{
    *now = *after = device == &cards[0] && mode("mig");
    return device == &cards[0] ? 0 : 3;
}

int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned *n)
{
    *n = 7;
    return device == &cards[0] ? 0 : 3;
}

/* Places 0 and 3 of 7 are taken. */
int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned i, void **mig)
{
    if (device != &cards[0] || (i != 0 && i != 3))
        return 6;
    *mig = &parts[i == 3];
    return 0;
}
