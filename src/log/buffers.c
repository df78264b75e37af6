/* SPDX-License-Identifier: Apache-2.0 */
/* llama.cpp's buffers of a logged start beside those of the plan. */
#include "log/internal.h"
#include "source/dtype.h"

#include <math.h>
#include <string.h>

#define MIB 1048576.0

/* Bytes of all lines of one load (weights) or one context (everything else). */
static double part_sum(const struct hwl_log *log, bool weights, uint16_t part)
{
    double sum = 0;
    for (uint64_t i = 0; i < log->n_figures; i++)
        if (log->parts[i] == part && *log->figures[i].device && (strcmp(log->figures[i].name, "weights_bytes") == 0) == weights)
            sum += log->figures[i].value;
    return sum;
}

/* The load or context that is planned: the largest, of equal ones the last. A draft's is smaller, a trial of --fit comes first. */
static uint16_t planned_part(const struct hwl_log *log, bool weights)
{
    const uint16_t n = weights ? log->n_models : log->n_contexts;
    uint16_t best = 0;
    double most = -1;
    for (uint16_t i = 0; i <= n && i < 64; i++) {
        const double sum = part_sum(log, weights, i);
        if (sum > 0 && sum >= most * 0.98) {
            best = i;
            most = sum > most ? sum : most;
        }
    }
    return best;
}

static bool has_lines(const struct hwl_log *log)
{
    for (uint64_t i = 0; i < log->n_figures; i++)
        if (*log->figures[i].device && log->parts[i] != HWL_LOG_TABLE)
            return true;
    return false;
}

const hwl_log_figure *hwl_log_buffer(const struct hwl_log *log, const char *name, uint64_t *at)
{
    const uint16_t part = has_lines(log) ? planned_part(log, strcmp(name, "weights_bytes") == 0) : HWL_LOG_TABLE;
    while (*at < log->n_figures) {
        const uint64_t i = (*at)++;
        if (*log->figures[i].device && log->parts[i] == part && strcmp(log->figures[i].name, name) == 0)
            return &log->figures[i];
    }
    return NULL;
}

static const struct kind {
    const char *name;
    unsigned kinds; /* of the plan's entries */
    double allowed;
} kinds[] = {{"weights_bytes", 1u << HWL_KIND_WEIGHTS, 0},
             {"kv_cache_bytes", 1u << HWL_KIND_KV_CACHE, 0},
             {"recurrent_state_bytes", 1u << HWL_KIND_RECURRENT_STATE, 0},
             {"context_bytes", 1u << HWL_KIND_KV_CACHE | 1u << HWL_KIND_RECURRENT_STATE, 0},
             {"compute_bytes", 1u << HWL_KIND_COMPUTE, 0.03},
             {"output_bytes", 1u << HWL_KIND_OUTPUT, 0}};

/* More lies in buffers than the file holds: they are ranges of the mapped file. */
static bool is_mapped(const struct hwl_log *log)
{
    const hwl_log_figure *file = hwl_log_figure_of(log, "file_bytes", true), *f;
    double sum = 0;
    uint64_t at = 0;
    while ((f = hwl_log_buffer(log, "weights_bytes", &at)))
        sum += f->value;
    return log->mapped || (file && sum > file->value * 1.05);
}

static bool is_pinned(const hwl_log_figure *f)
{
    const size_t n = strlen(f->device);
    return n > 5 && strcmp(f->device + n - 5, "_Host") == 0;
}

/* Graphs lie in a GPU's pinned host memory; one in plain memory beside is that of another back end of the host, of BLAS. */
static double blas_bytes(const struct hwl_log *log)
{
    const hwl_log_figure *f;
    uint64_t at = 0;
    double plain = 0;
    bool pinned = false;
    while ((f = hwl_log_buffer(log, "compute_bytes", &at))) {
        pinned = pinned || is_pinned(f);
        plain += strcmp(f->device, "CPU") == 0 ? f->value : 0;
    }
    return pinned ? plain : 0;
}

static bool logged(const struct hwl_log *log, const struct kind *k, uint32_t device, uint32_t n_gpus, hwl_log_figure *sum)
{
    const hwl_log_figure *f;
    uint64_t at = 0;
    bool any = false;
    const bool blas = k->kinds == 1u << HWL_KIND_COMPUTE && device == n_gpus && blas_bytes(log) > 0;
    *sum = (hwl_log_figure){.value = 0};
    while ((f = hwl_log_buffer(log, k->name, &at))) {
        if (hwl_log_device_index(log, f->device, n_gpus) != device || (blas && !is_pinned(f)))
            continue;
        sum->value += f->value;
        sum->rounding += f->rounding;
        if (strncmp(f->device, "M", 1) == 0 && strcmp(k->name, "weights_bytes") == 0) /* Metal: whole pages of 16 KiB */
            sum->rounding += 16384;
        any = true;
    }
    return any;
}

static uint64_t planned(const hwl_plan *plan, unsigned kinds_wanted, uint32_t device)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < plan->ledger.n_entries; i++) {
        const hwl_entry *e = &plan->ledger.entries[i];
        if (e->device == device && e->component != HWL_COMP_DRAFT && kinds_wanted >> e->kind & 1)
            sum += e->bytes;
    }
    return sum;
}

bool hwl_log_caches_equal(const struct hwl_log *log, const hwl_plan *plan)
{
    bool any = false;
    for (uint32_t d = 0; d < plan->n_devices; d++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            hwl_log_figure sum;
            if (!(kinds[k].kinds & 1u << HWL_KIND_KV_CACHE) || !logged(log, &kinds[k], d, plan->n_devices - 1, &sum))
                continue;
            if (fabs(sum.value - (double)planned(plan, kinds[k].kinds, d)) > sum.rounding * 1.001)
                return false;
            any = true;
        }
    return any;
}

/* Does the file hold another mixture of types than llama.cpp's own of that name? Its printed size tells. */
static bool other_mixture(struct hwl_log *log, const hwl_plan *plan, double *file, double *rounding)
{
    const hwl_log_figure *f = hwl_log_figure_of(log, "file_bytes", true);
    uint64_t sum = 0;
    for (uint32_t d = 0; d < plan->n_devices; d++)
        sum += planned(plan, 1u << HWL_KIND_WEIGHTS, d);
    *file = f ? f->value : 0;
    *rounding = f ? f->rounding : 0;
    /* beyond rounding and the padding of buffers; a second copy of a tied matrix is no part of the file */
    return f && fabs((double)sum - f->value) > f->rounding * 1.01 + 2 * MIB;
}

/* What all terms of one log share. */
struct beside {
    struct hwl_log *log;
    const hwl_plan *plan;
    uint32_t n_gpus;
    bool caches_off;  /* they differ already */
    bool moved;       /* the GPUs' weights differ, their sum does not */
    bool mapped;
};

static const char *reason(const struct beside *b, const struct kind *k, bool host, bool more)
{
    const bool weights = k->kinds == 1u << HWL_KIND_WEIGHTS;
    if (weights && host && b->mapped)
        return "the file is mapped: a host buffer is its range from the first to the last host tensor, and holds what lies between";
    if (weights && !host && b->moved)
        return "all GPUs together hold what is planned: which layers of the mixture have the larger types followed the order of tensors in the file that was "
               "quantised, which the log does not show";
    if (weights)
        return more ? "more lies here: tensors put elsewhere by options that the log does not show, or another mixture of types than llama.cpp's own"
                    : "less lies here: tensors put elsewhere by options that the log does not show, or another mixture of types than llama.cpp's own";
    if (k->kinds == 1u << HWL_KIND_COMPUTE && b->caches_off)
        return "the caches differ already: the graph is not the one that ran";
    if (k->kinds == 1u << HWL_KIND_COMPUTE && blas_bytes(b->log) > 0)
        return "a BLAS back end of the host took part, and what it takes of a graph is not planned";
    if (k->kinds == 1u << HWL_KIND_COMPUTE)
        return more ? "the graph took more: a build whose rules are not known here, another back end's kernels, or options that the log does not show"
                    : "the graph took less: a build whose rules are not known here, another back end's kernels, or options that the log does not show";
    if (b->log->own_engine && k->kinds & 1u << HWL_KIND_KV_CACHE)
        return "Ollama's own engine lays out windows and recurrent states in a way of its own";
    if (b->log->own_latent && k->kinds & 1u << HWL_KIND_KV_CACHE)
        return "a line of the caches names c^KV: a fork that keeps latent rows beside keys and values, or without them";
    return more ? "more cells, layers or sequences than the log's options give" : "fewer cells, layers or sequences than the log's options give";
}

/* Back ends whose graphs and buffers are not known: Hexagon, OpenCL, CANN. A remote device runs one that is. */
static bool is_foreign(const struct beside *b, uint32_t d)
{
    return d < b->n_gpus && b->plan->devices[d].backend == HWL_BACKEND_OTHER && !(d < b->log->n_gpus && strncmp(b->log->gpu[d].id, "RPC", 3) == 0);
}

/* The host computes what a device does not: with an unknown one no graph is known. */
static bool any_foreign(const struct beside *b)
{
    for (uint32_t d = 0; d < b->n_gpus; d++)
        if (is_foreign(b, d))
            return true;
    return false;
}

/* Is there nothing in the plan that this figure can be laid beside? */
static bool not_known(const struct beside *b, const struct kind *k)
{
    const bool compute = k->kinds == 1u << HWL_KIND_COMPUTE;
    return (b->log->no_context && (compute || k->kinds & 1u << HWL_KIND_KV_CACHE)) || (compute && (any_foreign(b) || b->log->own_engine));
}

static void note_unknown(const struct beside *b)
{
    if (b->log->no_context)
        hwl_log_add_note(b->log, b->log->bench ? "llama-bench makes a context for each of its tests and no line states them: caches and compute buffers are not laid beside the log"
                                               : "no line states the context: caches and compute buffers are not laid beside the log");
    if (b->log->own_engine)
        hwl_log_add_note(b->log, "Ollama's own engine ran the model: its graphs are not known and not laid beside the log");
    if (blas_bytes(b->log) > 0)
        hwl_log_add_note(b->log, "a graph's buffer in plain host memory (%.2f MiB) is that of a BLAS back end, which the plan does not know", blas_bytes(b->log) / MIB);
    for (uint32_t d = 0; d < b->n_gpus; d++)
        if (is_foreign(b, d)) {
            hwl_log_add_note(b->log, "%s is of a back end whose graphs are not known: compute buffers are not laid beside the log", b->plan->devices[d].name);
            return;
        }
}

/* Weights of all GPUs, and with the host's, logged against planned. */
static void sum_weights(const struct beside *b, bool with_host, double *off, double *rounding, bool *any)
{
    hwl_log_figure sum;
    *off = *rounding = 0;
    *any = false;
    for (uint32_t d = 0; d < b->plan->n_devices - !with_host; d++)
        if (logged(b->log, &kinds[0], d, b->n_gpus, &sum)) {
            *off += sum.value - (double)planned(b->plan, kinds[0].kinds, d);
            *rounding += sum.rounding;
            *any = true;
        }
}

/* Without a line of the file's size: do the buffers together hold something else than planned? Ranges of a mapped file do; where
 * the host has just what is planned, the GPUs tell. */
static bool other_sum(const struct beside *b)
{
    hwl_log_figure host;
    double off, rounding;
    bool any;
    const bool same_host = b->mapped && b->n_gpus && logged(b->log, &kinds[0], b->n_gpus, b->n_gpus, &host) &&
                           fabs(host.value - (double)planned(b->plan, kinds[0].kinds, b->n_gpus)) <= host.rounding * 1.001;
    sum_weights(b, !same_host, &off, &rounding, &any);
    return any && (!b->mapped || same_host) && !hwl_log_figure_of(b->log, "file_bytes", true) && fabs(off) > rounding * 1.001 + 2 * MIB;
}

static void one_sum(const struct beside *b, double file, double rounding)
{
    hwl_log_figure all = {.rounding = rounding}, sum;
    bool any = false;
    for (uint32_t d = 0; d < b->plan->n_devices; d++)
        if (logged(b->log, &kinds[0], d, b->n_gpus, &sum)) {
            all.value += sum.value;
            all.rounding += sum.rounding;
            any = true;
        }
    if (any && (!b->mapped || fabs(all.value - file) <= all.rounding * 1.001 + 0.001 * file))
        hwl_log_add_term(b->log, "weights_bytes", "", file, &all, 0.001, "more than the file: a matrix that stands twice", "less than the file: tensors that are not loaded");
    hwl_log_add_note(b->log, "the file is no mixture of llama.cpp's own (%.2f GiB are printed): which tensor has which type the log does not say, so its weights are laid beside the printed size as one sum", file / (1024 * MIB));
}

void hwl_log_buffer_terms(struct hwl_log *log, const hwl_plan *plan)
{
    double file, rounding, off;
    struct beside b = {.log = log, .plan = plan, .n_gpus = plan->n_devices - 1, .mapped = is_mapped(log)};
    uint64_t at = 0, at2 = 0;
    const bool mixture = other_mixture(log, plan, &file, &rounding), other = other_sum(&b);
    double r;
    sum_weights(&b, false, &off, &r, &b.moved);
    b.moved = b.moved && b.n_gpus > 1 && fabs(off) <= r * 1.001;
    b.caches_off = (hwl_log_buffer(log, "kv_cache_bytes", &at) || hwl_log_buffer(log, "context_bytes", &at2)) && !hwl_log_caches_equal(log, plan);
    for (uint32_t d = 0; d < plan->n_devices; d++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            hwl_log_figure sum;
            const bool weights = kinds[k].kinds == 1u << HWL_KIND_WEIGHTS, host = d == b.n_gpus;
            if (!logged(log, &kinds[k], d, b.n_gpus, &sum) || (weights && (mixture || other || log->no_type)) || (host && sum.value <= 0) || not_known(&b, &kinds[k]))
                continue;
            hwl_log_add_term(log, kinds[k].name, hwl_log_copy(log, plan->devices[d].id, strlen(plan->devices[d].id)), (double)planned(plan, kinds[k].kinds, d),
                             &sum, kinds[k].allowed, reason(&b, &kinds[k], host, true), reason(&b, &kinds[k], host, false));
        }
    const hwl_log_figure *reckoned = hwl_log_figure_of(log, "reckoned_kv_bytes", true);
    if (reckoned && !log->n_terms && !log->no_context) {
        double sum = 0;
        for (uint32_t d = 0; d < plan->n_devices; d++)
            sum += (double)planned(plan, kinds[3].kinds, d);
        hwl_log_add_term(log, "kv_cache_bytes", "", sum, reckoned, 0, "Ollama reckons more cells than the log's options give, or states and windows in full",
                         "Ollama reckons fewer cells than the log's options give");
        hwl_log_add_note(log, "the log holds what Ollama reckoned before the start, no buffers: its cache alone is laid beside the plan");
    }
    note_unknown(&b);
    if (mixture && !log->no_type)
        one_sum(&b, file, rounding);
    else if (other && !log->no_type)
        hwl_log_add_note(log, "the file is another mixture of types than llama.cpp's own of that name, and its size is not printed: its weights are not laid beside the plan");
}

static uint64_t row_bytes(const char *type, uint64_t n)
{
    uint64_t bytes;
    const enum hwl_dtype t = hwl_dtype_of_name(type);
    return t != HWL_DTYPE_NONE && hwl_dtype_row(t, n, &bytes) ? bytes : 0;
}

/* Cells x layers x (a row of K + a row of V), as the lines of the cache and of the metadata print them. */
void hwl_log_metadata_terms(struct hwl_log *log)
{
    const char *kt = hwl_log_setting_of(log, "cache-type-k"), *vt = hwl_log_setting_of(log, "cache-type-v");
    const char *kw = hwl_log_meta(log, "n_embd_k_gqa"), *vw = hwl_log_meta(log, "n_embd_v_gqa");
    const hwl_log_figure *cells = hwl_log_figure_of(log, "kv_cells", true), *layers = hwl_log_figure_of(log, "kv_layers", true), *f;
    hwl_log_figure all = {.value = 0};
    uint64_t k, v, at = 0;
    if (!cells || !layers || cells->value > 1e9 || layers->value > 4096 || !kw || !vw || !hwl_text_u64(kw, &k) || !hwl_text_u64(vw, &v) || k > 1u << 24 || v > 1u << 24)
        return;
    const uint64_t row = row_bytes(kt ? kt : "f16", k) + row_bytes(vt ? vt : "f16", v);
    while ((f = hwl_log_buffer(log, "kv_cache_bytes", &at))) {
        all.value += f->value;
        all.rounding += f->rounding;
    }
    if (row && all.value > 0) {
        hwl_log_add_term(log, "kv_cache_bytes", "", cells->value * layers->value * (double)row, &all, 0, "more than cells x layers x the printed widths: several sequences, each with cells of its own",
                         "less than cells x layers x the printed widths: layers that share a cache or have a window");
        hwl_log_add_note(log, "no model is known: the cache alone is laid beside the log, from its own cells, layers and widths");
    }
}
