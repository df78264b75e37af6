/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in buffers: src/llama-model-loader.cpp create_tensor, ggml-alloc's padding of each tensor to the buffer's
 * alignment (CPU 32, CUDA 128), CPU_REPACK by ggml/src/ggml-cpu/repack.cpp (x86 with AVX2). */
#include "engine/llamacpp/params.h"

#include "arch/gguf_model.h"
#include "base/status.h"
#include "engine/llamacpp/arch_row.h"

#include <string.h>

enum { ALIGN_CPU = 32, ALIGN_CUDA = 128 };

/* ggml_repack_get_optimal_repack_type; the buffer takes matrices of MUL_MAT (2 dims) and MUL_MAT_ID (3). */
bool hwl_lc_repackable(const struct hwl_gguf_tensor *t, bool experts)
{
    const bool type = t->dtype == HWL_DTYPE_Q4_0 || t->dtype == HWL_DTYPE_Q4_K || t->dtype == HWL_DTYPE_IQ4_NL || t->dtype == HWL_DTYPE_MXFP4;
    const unsigned dims = t->dims[3] > 1 ? 4 : t->dims[2] > 1 ? 3 : t->dims[1] > 1 ? 2 : 1;
    return type && t->dims[1] % 8 == 0 && dims == (experts ? 3 : 2);
}

static bool repacks(const struct lc_tensor *t)
{
    return t->where != LC_WHERE_INPUT && hwl_lc_repackable(t->t, t->component == HWL_COMP_EXPERTS);
}

static uint64_t host_bytes(struct hwl_ck *ck, const struct hwl_gguf_tensor *t)
{
    return hwl_ck_align(ck, t->bytes, ALIGN_CPU);
}

static uint64_t gpu_bytes(struct hwl_ck *ck, const struct lc_tensor *t)
{
    return hwl_ck_align(ck, hwl_ck_add(ck, t->t->bytes, t->pad), ALIGN_CUDA);
}

/* Layers, then input, then output. */
static uint32_t row_of(const struct lc_model *m, const struct lc_tensor *t)
{
    if (t->where == LC_WHERE_LAYER)
        return (uint32_t)t->layer;
    return t->where == LC_WHERE_INPUT ? m->n_layer_all : m->n_layer_all + 1;
}

hwl_status hwl_lc_digest(const struct lc_model *m, struct hwl_arena *arena, struct lc_digest *out, hwl_error *error)
{
    struct hwl_ck ck = {0};
    /* [layer + 1][component]: number of the sum + 1; input, output and rope factors have rows of their own behind the layers */
    const uint64_t n_rows = 2 * (uint64_t)m->n_layer_all + 3; /* those of layers loaded for an MTP context come last */
    uint32_t *at = HWL_NEW_ARRAY(arena, uint32_t, n_rows * HWL_COMP_COUNT);
    out->sums = HWL_NEW_ARRAY(arena, struct lc_sum, n_rows * HWL_COMP_COUNT);
    if (!at || !out->sums)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct lc_tensor *t = &m->tensors[i];
        const bool mtp = t->where == LC_WHERE_SKIP && t->layer >= (int32_t)m->n_layer && m->n_layer_nextn;
        if (t->where == LC_WHERE_SKIP && !mtp)
            continue;
        const uint32_t row = mtp ? m->n_layer_all + 3 + (uint32_t)t->layer : t->per_device ? m->n_layer_all + 2 : row_of(m, t);
        uint32_t *slot = &at[row * HWL_COMP_COUNT + t->component];
        if (!*slot) {
            *slot = ++out->n_sums;
            out->sums[*slot - 1] =
                (struct lc_sum){.layer = mtp || t->where == LC_WHERE_LAYER ? t->layer : -1, .where = mtp ? LC_WHERE_LAYER : t->where,
                                .component = t->component, .per_device = t->per_device, .mtp = mtp};
        }
        struct lc_sum *s = &out->sums[*slot - 1];
        s->host = hwl_ck_add(&ck, s->host, host_bytes(&ck, t->t));
        s->gpu = hwl_ck_add(&ck, s->gpu, gpu_bytes(&ck, t));
        if (repacks(t))
            s->repack = hwl_ck_add(&ck, s->repack, host_bytes(&ck, t->t));
    }
    if (!m->output && m->tok_embd && !(m->row->flags & LC_NO_TIED_COPY)) {
        out->tied_gpu = gpu_bytes(&ck, m->tok_embd);
        out->tied_host = host_bytes(&ck, m->tok_embd->t);
        out->tied_repack = hwl_lc_repackable(m->tok_embd->t, false) ? host_bytes(&ck, m->tok_embd->t) : 0;
    }
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "the weights' size is above 64 bits") : HWL_OK;
}

uint16_t hwl_lc_device(const struct lc_plan *p, uint16_t where)
{
    return where == LC_HOST ? (uint16_t)p->devices->n_gpus : p->place.gpu[where];
}

static bool repack_on(const struct lc_plan *p)
{
    /* with a GPU its pinned buffer stands before CPU_REPACK in the list (make_cpu_buft_list) */
    return p->params.extra_bufts && (p->place.n_gpus == 0 || p->params.no_host);
}

static void put(struct lc_plan *p, struct hwl_ledger *l, uint16_t where, const struct lc_sum *s, uint64_t bytes, hwl_memory memory)
{
    if (!bytes)
        return;
    hwl_entry *e = hwl_ledger_put(l, hwl_lc_device(p, where), s->where == LC_WHERE_LAYER && !s->per_device ? s->layer : -1, HWL_KIND_WEIGHTS,
                                  (hwl_component)s->component, bytes, HWL_BASIS_EXACT, "llama.cpp src/llama-model-loader.cpp create_tensor");
    e->memory = (uint8_t)memory;
    if (where != LC_HOST && hwl_lc_by_rows(p)) { /* read in the source, never compared with an allocation */
        e->basis = HWL_BASIS_MODELLED;
        e->error = 0.01f;
    }
    e->formula = where == LC_HOST ? "tensors, each padded to 32 B" : "tensors, each padded to 128 B, quantised rows to 512 columns";
}

static void put_host(struct lc_plan *p, struct hwl_ledger *l, const struct lc_sum *s)
{
    const bool pinned = p->place.n_gpus > 0 && !p->params.no_host && !p->params.mmap;
    const uint64_t repacked = repack_on(p) ? s->repack : 0;
    put(p, l, LC_HOST, s, repacked, HWL_MEMORY_REPACKED);
    put(p, l, LC_HOST, s, s->host - repacked, p->params.mmap ? HWL_MEMORY_MAPPED : pinned ? HWL_MEMORY_PINNED : HWL_MEMORY_PAGEABLE);
}

/* One copy on each place that has layers. */
static void put_per_device(struct lc_plan *p, struct hwl_ledger *l, const struct lc_sum *s)
{
    bool host = false, gpu[16] = {false};
    for (uint32_t il = 0; il < p->m->n_layer; il++) {
        if (p->m->row->flags & LC_ROPE_FULL && p->m->layers[il].swa)
            continue;
        if (p->place.layer[il] == LC_HOST)
            host = true;
        else
            gpu[p->place.layer[il]] = true;
    }
    if (host)
        put_host(p, l, s);
    for (uint16_t g = 0; g < p->place.n_gpus; g++)
        if (gpu[g])
            put(p, l, g, s, s->gpu, HWL_MEMORY_DEVICE);
}

/* With overrides every tensor stands for itself: sums by place, layer and component. */
static void put_overridden(struct lc_plan *p, struct hwl_ledger *l)
{
    const struct lc_model *m = p->m;
    const uint64_t places = (uint64_t)p->place.n_gpus + 1, rows = (uint64_t)m->n_layer_all + 2;
    uint64_t *sum = HWL_NEW_ARRAY(p->arena, uint64_t, places * rows * HWL_COMP_COUNT);
    if (!sum) {
        l->failed = true;
        return;
    }
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct lc_tensor *t = &m->tensors[i];
        const bool mtp = t->where == LC_WHERE_SKIP && t->layer >= (int32_t)m->n_layer && m->n_layer_nextn;
        if ((mtp ? !p->params.load_mtp : t->where == LC_WHERE_SKIP) || t->per_device)
            continue;
        const uint16_t where = hwl_lc_where(m, &p->place, t);
        const uint32_t row = mtp ? (uint32_t)t->layer : row_of(m, t);
        uint64_t slice[16];
        if (hwl_lc_slices(p, t, slice)) {
            for (uint32_t g = 0; g < p->place.n_gpus; g++) {
                uint64_t *s = &sum[((uint64_t)g * rows + row) * HWL_COMP_COUNT + t->component];
                *s = hwl_ck_add(&p->ck, *s, slice[g]);
            }
            continue;
        }
        uint64_t *s = &sum[((where == LC_HOST ? p->place.n_gpus : where) * rows + row) * HWL_COMP_COUNT + t->component];
        *s = hwl_ck_add(&p->ck, *s, where == LC_HOST ? host_bytes(&p->ck, t->t) : gpu_bytes(&p->ck, t));
    }
    for (uint64_t d = 0; d < places; d++)
        for (uint64_t row = 0; row < rows; row++)
            for (uint8_t c = 0; c < HWL_COMP_COUNT; c++) {
                struct lc_sum s = {.layer = row < m->n_layer_all ? (int32_t)row : -1, .component = c,
                                   .where = row < m->n_layer_all ? LC_WHERE_LAYER : row == m->n_layer_all ? LC_WHERE_INPUT : LC_WHERE_OUTPUT};
                s.host = sum[(d * rows + row) * HWL_COMP_COUNT + c];
                if (d < p->place.n_gpus)
                    put(p, l, (uint16_t)d, &s, s.host, HWL_MEMORY_DEVICE);
                else
                    put_host(p, l, &s);
            }
}

void hwl_lc_weights(struct lc_plan *p, struct hwl_ledger *l)
{
    const struct lc_digest *d = p->digest;
    const bool each = p->place.tensor || hwl_lc_by_rows(p);
    if (each)
        put_overridden(p, l);
    for (uint32_t i = 0; i < d->n_sums; i++) {
        const struct lc_sum *s = &d->sums[i];
        if (s->mtp && !p->params.load_mtp)
            continue;
        if (s->per_device) {
            put_per_device(p, l, s);
        } else if (!each) {
            const uint16_t where = s->where == LC_WHERE_INPUT ? LC_HOST : p->place.layer[s->where == LC_WHERE_OUTPUT ? p->m->n_layer_all : (uint32_t)s->layer];
            if (where == LC_HOST)
                put_host(p, l, s);
            else
                put(p, l, where, s, s->gpu, HWL_MEMORY_DEVICE);
        }
    }
    if (!d->tied_gpu)
        return;
    /* the copy takes the token embedding's override, and lies where the original does when both are in one buffer type */
    const uint16_t where = p->place.layer[p->m->n_layer_all];
    if (p->place.tok_overridden)
        return;
    const struct lc_sum s = {.layer = -1, .where = LC_WHERE_OUTPUT, .component = HWL_COMP_OUTPUT, .host = d->tied_host, .repack = d->tied_repack};
    if (p->place.tied_copy) {
        put(p, l, where, &s, d->tied_gpu, HWL_MEMORY_DEVICE);
    } else if ((repack_on(p) && d->tied_repack) || p->m->row->flags & LC_TIED_FIRST) {
        put_host(p, l, &s);
    }
}
