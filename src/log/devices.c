/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of a logged start: what each engine calls them, and the set that the plan is made for. */
#include "base/bytes.h"
#include "base/status.h"
#include "device/devices.h"
#include "log/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* How llama.cpp's back ends name their devices, by the start of the name. What begins with none of them lies in host memory:
 * CPU, CPU_Mapped, CPU_REPACK, CUDA_Host, AMX, BLAS, Host. */
static const struct {
    const char *prefix;
    hwl_backend backend;
} backends[] = {{"CUDA", HWL_BACKEND_CUDA},     {"ROCm", HWL_BACKEND_ROCM},   {"HIP", HWL_BACKEND_ROCM},   {"MUSA", HWL_BACKEND_CUDA},
                {"Vulkan", HWL_BACKEND_VULKAN}, {"SYCL", HWL_BACKEND_SYCL},   {"Metal", HWL_BACKEND_METAL}, {"MTL", HWL_BACKEND_METAL},
                {"CANN", HWL_BACKEND_OTHER},    {"HTP", HWL_BACKEND_OTHER},   {"GPUOpenCL", HWL_BACKEND_OTHER}, {"OpenCL", HWL_BACKEND_OTHER},
                {"WebGPU", HWL_BACKEND_OTHER},  {"OPENVINO", HWL_BACKEND_OTHER}, {"RPC", HWL_BACKEND_OTHER}, {"ZDNN", HWL_BACKEND_OTHER}};

/* A buffer's name without what it says beside the device: "MTL0_Mapped", "CUDA0_Split"; n 0 for host memory. */
static struct hwl_str device_of(const char *name, hwl_backend *backend)
{
    struct hwl_str s = {name, strlen(name)};
    static const char *const endings[] = {"_Mapped", "_Private", "_Split", "_Repack", "_REPACK"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (hwl_str_ends(s, endings[i]))
            s.n -= strlen(endings[i]);
    if (!hwl_str_ends(s, "_Host"))
        for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
            if (hwl_str_starts(s, backends[i].prefix)) {
                *backend = backends[i].backend;
                return s;
            }
    return (struct hwl_str){name, 0};
}

static bool is_remote(const struct hwl_log_gpu *g)
{
    return strncmp(g->id, "RPC", 3) == 0;
}

static void swap_gpus(struct hwl_log *log, uint32_t k)
{
    const struct hwl_log_gpu swap = log->gpu[k];
    log->gpu[k] = log->gpu[k - 1];
    log->gpu[k - 1] = swap;
}

/* llama.cpp puts remote devices in front (src/llama.cpp, "add RPC servers at the front of the list").
 * Devices of which only buffers are shown join the list in the order of their names' numbers. */
void hwl_log_settle(struct hwl_log *log)
{
    hwl_backend backend;
    if (log->engine == HWL_LOG_LLAMACPP)
        hwl_log_settle_ollama(log);
    for (uint64_t i = 0; i < log->n_figures && log->engine == HWL_LOG_LLAMACPP; i++) {
        const struct hwl_str id = device_of(log->figures[i].device, &backend);
        log->mapped = log->mapped || hwl_str_ends(hwl_str_of(log->figures[i].device), "_Mapped");
        if (id.n && id.p[id.n - 1] != ')')
            hwl_log_add_gpu(log, id, hwl_str_of(""), 0, 0);
    }
    for (uint32_t i = 1; i < log->n_gpus && log->engine == HWL_LOG_LLAMACPP; i++)
        for (uint32_t k = i; k && is_remote(&log->gpu[k]) && !is_remote(&log->gpu[k - 1]); k--)
            swap_gpus(log, k);
    for (uint32_t i = 1; i < log->n_gpus && log->engine == HWL_LOG_LLAMACPP; i++)
        for (uint32_t k = i; k && is_remote(&log->gpu[k]) == is_remote(&log->gpu[k - 1]) && !*log->gpu[k].name && !*log->gpu[k - 1].name && strcmp(log->gpu[k].id, log->gpu[k - 1].id) < 0; k--)
            swap_gpus(log, k);
}

uint32_t hwl_log_device_index(const struct hwl_log *log, const char *name, uint32_t n_gpus)
{
    hwl_backend backend;
    const struct hwl_str id = device_of(name, &backend);
    for (uint32_t i = 0; id.n && i < log->n_gpus && i < n_gpus; i++)
        if (hwl_str_eq(id, log->gpu[i].id))
            return i;
    return id.n && n_gpus ? id.n == strlen("Metal") ? 0 : UINT32_MAX : n_gpus;
}

uint64_t hwl_log_ranks(const struct hwl_log *log)
{
    static const char *const sizes[][2] = {
        {"tensor-parallel-size", "tp-size"}, {"pipeline-parallel-size", "pp-size"}, {"data-parallel-size", "dp-size"}};
    uint64_t n = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t v;
        const char *text = hwl_log_setting_of(log, sizes[i][0]);
        text = text ? text : hwl_log_setting_of(log, sizes[i][1]);
        if (text && hwl_text_u64(text, &v) && v > 0 && v <= 64)
            n *= v;
    }
    return hwl_min(n, 64);
}

/* A logged GPU of llama.cpp: from the catalogue where its name is there, with the memory that the log tells; where it tells
 * none, of unknown memory. */
static hwl_status add_logged(hwl_devices *d, const struct hwl_log_gpu *g, hwl_error *error)
{
    hwl_backend backend = HWL_BACKEND_CUDA;
    const uint32_t before = d->n_gpus;
    if (!*g->name || hwl_devices_add_gpu(d, g->name, NULL) != HWL_OK) {
        hwl_device x = {.kind = HWL_DEVICE_GPU, .memory_bytes = HWL_UNKNOWN, .free_bytes = HWL_UNKNOWN, .bandwidth = HWL_UNKNOWN};
        (void)snprintf(x.name, sizeof x.name, "%s", *g->name ? g->name : g->id);
        x.memory_bytes = g->total ? g->total : g->free ? g->free : HWL_UNKNOWN;
        x.free_bytes = x.memory_bytes;
        HWL_TRY(hwl_devices_add(d, &x, error));
    }
    hwl_device *x = &d->gpu[before];
    if (device_of(g->id, &backend).n)
        x->backend = backend;
    if (g->total)
        x->memory_bytes = g->total;
    if (g->free && x->memory_bytes != HWL_UNKNOWN)
        x->free_bytes = hwl_min(g->free, x->memory_bytes);
    return HWL_OK;
}

/* Devices of the server engines: by their name, else by their memory. */
static hwl_status server_devices(const struct hwl_log *log, hwl_devices *d, hwl_error *error)
{
    char spec[160];
    hwl_status status = HWL_OK;
    const hwl_log_figure *total = hwl_log_figure_of(log, "total_bytes", true);
    if (!total && log->engine == HWL_LOG_SGLANG)
        return hwl_log_sglang_devices(log, hwl_log_ranks(log), d, error);
    const hwl_accelerator *a, *hit = *log->card ? hwl_accelerator_find(log->card, error) : NULL;
    if (!total && (!hit || hit->usable_bytes == HWL_UNKNOWN))
        return hwl_fail(error, HWL_E_NOT_FOUND, "the log names no device; name one with --gpu");
    /* a part of the named card, or another one */
    if (hit && total && hit->driver_bytes != HWL_UNKNOWN && fabs((double)hit->driver_bytes - total->value) > 0.02 * total->value)
        hit = NULL;
    for (uint32_t i = 0; total && (a = hwl_accelerator_at(i)) && !hit; i++)
        if (a->driver_bytes != HWL_UNKNOWN && fabs((double)a->driver_bytes - total->value) <= total->rounding * 1.01)
            hit = a;
    if (hit && hit->usable_bytes != HWL_UNKNOWN) {
        (void)snprintf(spec, sizeof spec, "%sx%llu", hit->name, (unsigned long long)hwl_log_ranks(log));
        status = hwl_devices_add_gpu(d, spec, error);
    } else {
        (void)snprintf(spec, sizeof spec, "%.0fx%llu", total->value, (unsigned long long)hwl_log_ranks(log));
        status = hwl_devices_add_gpu_memory(d, spec, error);
    }
    /* drivers differ in what they keep; of a card that shares the machine's memory only the log tells it */
    for (uint32_t i = 0; status == HWL_OK && hit && total && i < d->n_gpus; i++)
        if (hit->usable_bytes == HWL_UNKNOWN || fabs((double)d->gpu[i].memory_bytes - total->value) > total->rounding * 1.01) {
            (void)snprintf(d->gpu[i].name, sizeof d->gpu[i].name, "%s", hit->name);
            d->gpu[i].memory_bytes = d->gpu[i].free_bytes = (uint64_t)total->value;
            d->gpu[i].bandwidth = hit->bandwidth;
            d->gpu[i].compute_major = hit->compute_major;
            d->gpu[i].compute_minor = hit->compute_minor;
            d->gpu[i].n_sm = hit->n_sm;
        }
    return status;
}

hwl_status hwl_log_devices(const hwl_log *log, hwl_devices **out, hwl_error *error)
{
    hwl_devices *d;
    HWL_TRY(hwl_devices_new(&d));
    hwl_status status = HWL_OK;
    for (uint32_t i = 0; i < log->n_gpus && status == HWL_OK; i++)
        status = add_logged(d, &log->gpu[i], error);
    if (status == HWL_OK && !log->n_gpus && log->engine != HWL_LOG_LLAMACPP)
        status = server_devices(log, d, error);
    if (status != HWL_OK) {
        hwl_devices_free(d);
        return status;
    }
    /* free as the worst rank saw it, which had made its context before it looked; another program's use is what is missing
     * from the best rank's */
    const hwl_log_figure *least = hwl_log_figure_of(log, "free_before_bytes", false), *most = hwl_log_figure_of(log, "free_before_bytes", true);
    if (least && most->value > least->value && least->value > 0 && log->engine == HWL_LOG_VLLM && d->n_gpus) {
        hwl_device *g = &d->gpu[d->n_gpus - 1];
        const uint64_t others = (uint64_t)(most->value - least->value);
        g->free_bytes = g->memory_bytes > others ? g->memory_bytes - others : 0;
    }
    *out = d;
    return HWL_OK;
}
