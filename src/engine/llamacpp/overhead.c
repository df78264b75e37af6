/* SPDX-License-Identifier: Apache-2.0 */
/* Device memory that llama.cpp's process takes outside its buffers: the driver's context, libraries' workspaces, captured
 * graphs, pools. Modelled from measurements of public threads, none of them llama.cpp's own figure. */
#include "engine/llamacpp/params.h"

enum { MIB = 1 << 20, TYPICAL_SM = 128 };

struct row {
    hwl_backend backend;
    uint32_t base_kib, per_sm_kib; /* the context, and what each multiprocessor adds to it */
    float error;
    uint32_t run_mib; /* library handles, graphs, pool: grows with the first prompts */
    float run_error;
    const char *context, *run; /* sources */
};

/* CUDA: 107 MiB on 34 SM (RTX 4060 Ti), 391 on 128, 506 on 170 (RTX 5090), 555 on 188 (RTX PRO 6000) lie on one line; with
 * everything 451 to 456 on an RTX 4090, 705 to 712 on an RTX PRO 6000. ROCm: 146 (RX 6700 XT) to 486 (four GPUs), 0.4 to
 * 0.8 GiB on an RX 7900 XTX. Vulkan: 12 to 32 MiB after the load, 18 to 297 with the first long prompt. SYCL: 1.2 GiB at load
 * on an Arc B70. Metal counts only the process's own buffers. */
static const struct row rows[] = {
    {HWL_BACKEND_CUDA, 8 * 1024, 2979, 0.1f, 110, 0.7f, "measured CUDA primary contexts by multiprocessors", "cuBLAS handles, CUDA graphs and pool: measured"},
    {HWL_BACKEND_ROCM, 310 * 1024, 0, 0.6f, 150, 1.0f, "measured HIP contexts", "rocBLAS code objects and pool: measured"},
    {HWL_BACKEND_VULKAN, 24 * 1024, 0, 0.5f, 120, 1.0f, "measured Vulkan processes", "Vulkan pipelines and staging: measured"},
    {HWL_BACKEND_SYCL, 1228 * 1024, 0, 0.5f, 0, 0.0f, "measured SYCL process on one Arc B70", ""},
};

static void put(struct lc_plan *p, struct hwl_ledger *l, uint32_t gpu, hwl_component component, uint64_t bytes, float error, const char *source)
{
    if (!bytes)
        return;
    hwl_entry *e = hwl_ledger_put(l, p->place.gpu[gpu], -1, HWL_KIND_OVERHEAD, component, bytes, HWL_BASIS_MODELLED, source);
    e->error = error;
    e->memory = HWL_MEMORY_DEVICE;
}

void hwl_lc_overhead(struct lc_plan *p, struct hwl_ledger *l)
{
    for (uint32_t i = 0; i < p->place.n_gpus; i++) {
        const hwl_device *d = &p->devices->gpu[p->place.gpu[i]];
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            const struct row *r = &rows[k];
            if (r->backend != d->backend)
                continue;
            const uint64_t sm = d->n_sm ? d->n_sm : TYPICAL_SM;
            const float error = r->per_sm_kib && !d->n_sm ? 0.7f : r->error;
            put(p, l, i, HWL_COMP_CONTEXT, (r->base_kib + sm * r->per_sm_kib) * 1024, error, r->context);
            put(p, l, i, HWL_COMP_OTHER, (uint64_t)r->run_mib * MIB, r->run_error, r->run);
        }
    }
}
