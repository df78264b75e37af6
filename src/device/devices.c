/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of devices: built from the catalogue, from plain sizes or by hand. Nothing here looks at the machine. */
#include "device/devices.h"

#include "base/status.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

hwl_status hwl_devices_new(hwl_devices **out)
{
    hwl_devices *d = calloc(1, sizeof *d);
    if (!d)
        return HWL_E_NOMEM;
    d->host = (hwl_device){.id = "cpu", .name = "host memory", .kind = HWL_DEVICE_CPU, .backend = HWL_BACKEND_CPU, .bandwidth = HWL_UNKNOWN};
    *out = d;
    return HWL_OK;
}

hwl_status hwl_devices_copy(const hwl_devices *devices, hwl_devices **out)
{
    hwl_devices *d = malloc(sizeof *d);
    if (!d)
        return HWL_E_NOMEM;
    *d = *devices;
    *out = d;
    return HWL_OK;
}

void hwl_devices_free(hwl_devices *devices)
{
    free(devices);
}

uint32_t hwl_devices_count(const hwl_devices *devices)
{
    return devices->n_gpus + 1;
}

uint32_t hwl_devices_gpus(const hwl_devices *devices)
{
    return devices->n_gpus;
}

const hwl_device *hwl_devices_get(const hwl_devices *devices, uint32_t index)
{
    if (index < devices->n_gpus)
        return &devices->gpu[index];
    return index == devices->n_gpus ? &devices->host : NULL;
}

void hwl_devices_set_ram(hwl_devices *devices, uint64_t total_bytes, uint64_t free_bytes)
{
    devices->host.memory_bytes = total_bytes;
    devices->host.free_bytes = free_bytes < total_bytes ? free_bytes : total_bytes;
}

hwl_status hwl_devices_add(hwl_devices *devices, const hwl_device *device, hwl_error *error)
{
    if (device->kind == HWL_DEVICE_CPU) {
        devices->host = *device;
        (void)snprintf(devices->host.id, sizeof devices->host.id, "cpu");
        return HWL_OK;
    }
    if (devices->n_gpus == HWL_MAX_GPUS)
        return hwl_fail(error, HWL_E_LIMIT, "more than %d GPUs", HWL_MAX_GPUS);
    hwl_device *d = &devices->gpu[devices->n_gpus];
    *d = *device;
    d->name[sizeof d->name - 1] = 0;
    if (d->free_bytes != HWL_UNKNOWN && d->free_bytes > d->memory_bytes)
        d->free_bytes = d->memory_bytes;
    (void)snprintf(d->id, sizeof d->id, "gpu%u", devices->n_gpus);
    devices->n_gpus++;
    return HWL_OK;
}

/* Parts "NAMExN": the length of NAME and N; false where there is no such ending. */
static bool split_times(const char *spec, size_t *len, uint64_t *n)
{
    size_t i = strlen(spec);
    while (i && spec[i - 1] >= '0' && spec[i - 1] <= '9')
        i--;
    if (!spec[i] || i < 2 || (spec[i - 1] != 'x' && spec[i - 1] != 'X' && spec[i - 1] != '*') || !hwl_text_u64(spec + i, n))
        return false;
    i--;
    while (i && spec[i - 1] == ' ')
        i--;
    *len = i;
    return i > 0;
}

static hwl_status add_times(hwl_devices *devices, const hwl_device *device, uint64_t n, const char *spec, hwl_error *error)
{
    if (!n || n > HWL_MAX_GPUS)
        return hwl_fail(error, HWL_E_USAGE, "'%.80s': a number of devices from 1 to %d is wanted", spec, HWL_MAX_GPUS);
    for (uint64_t i = 0; i < n; i++)
        HWL_TRY(hwl_devices_add(devices, device, error));
    return HWL_OK;
}

hwl_status hwl_devices_add_gpu(hwl_devices *devices, const char *spec, hwl_error *error)
{
    /* The whole text first: "RTX 7900" ends like a count and is none. */
    uint64_t n = 1;
    size_t len;
    char name[160];
    const hwl_accelerator *a = hwl_accelerator_find(spec, error);
    if (!a && split_times(spec, &len, &n)) {
        (void)snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), spec);
        a = hwl_accelerator_find(name, error);
    }
    if (!a)
        return HWL_E_NOT_FOUND;
    if (a->usable_bytes == HWL_UNKNOWN)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "%s takes its memory from the machine's: give its size with --gpu-memory", a->name);
    hwl_device d = {.kind = a->kind,
                    .backend = a->backend,
                    .memory_bytes = a->usable_bytes,
                    .free_bytes = a->usable_bytes,
                    .bandwidth = a->bandwidth,
                    .compute_major = a->compute_major,
                    .compute_minor = a->compute_minor,
                    .n_sm = a->n_sm};
    (void)snprintf(d.name, sizeof d.name, "%s", a->name);
    return add_times(devices, &d, n, spec, error);
}

hwl_status hwl_devices_add_gpu_memory(hwl_devices *devices, const char *spec, hwl_error *error)
{
    char text[64];
    uint64_t n = 1;
    size_t len = strlen(spec);
    (void)split_times(spec, &len, &n);
    hwl_device d = {.name = "GPU", .kind = HWL_DEVICE_GPU, .backend = HWL_BACKEND_CUDA, .bandwidth = HWL_UNKNOWN};
    if (len >= sizeof text)
        return hwl_fail(error, HWL_E_USAGE, "'%.80s' is no size: TOTAL[/FREE][xN] is wanted, as 24GiB or 24GiB/20GiBx2", spec);
    memcpy(text, spec, len);
    text[len] = 0;
    char *slash = strchr(text, '/');
    if (slash)
        *slash++ = 0;
    if (!hwl_text_bytes(text, &d.memory_bytes) || (slash && !hwl_text_bytes(slash, &d.free_bytes)) || !d.memory_bytes)
        return hwl_fail(error, HWL_E_USAGE, "'%.80s' is no size: TOTAL[/FREE][xN] is wanted, as 24GiB or 24GiB/20GiBx2", spec);
    if (!slash)
        d.free_bytes = d.memory_bytes;
    if (d.free_bytes > d.memory_bytes)
        return hwl_fail(error, HWL_E_USAGE, "'%.80s': more free than there is", spec);
    return add_times(devices, &d, n, spec, error);
}
