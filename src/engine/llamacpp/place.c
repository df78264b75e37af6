/* SPDX-License-Identifier: Apache-2.0 */
/* Layers on devices (llama_model_base::load_tensors) and tensors under -ot, --cpu-moe, --n-cpu-moe (common/arg.cpp,
 * common/common.h LLM_FFN_EXPS_REGEX; first match wins). */
#include "engine/llamacpp/params.h"
#include "engine/llamacpp/regex.h"

#include "base/status.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

hwl_status hwl_lc_devices(const struct lc_plan *p, const char *names, uint16_t list[16], uint32_t *n, hwl_error *error)
{
    *n = 0;
    while (*names && strcmp(names, "none") != 0) {
        char word[32], *digits = word;
        const size_t len = strcspn(names, ",");
        uint64_t i;
        memcpy(word, names, hwl_min(len, sizeof word - 1));
        word[hwl_min(len, sizeof word - 1)] = 0;
        digits += strcspn(word, "0123456789");
        if (!hwl_text_u64(digits, &i) || i >= p->devices->n_gpus || *n >= 16)
            return hwl_fail(error, HWL_E_REFUSED, "invalid device: %s", word);
        list[(*n)++] = (uint16_t)i;
        names += len + (names[len] == ',');
    }
    return HWL_OK;
}

static hwl_status choose_gpus(struct lc_plan *p)
{
    struct lc_placement *q = &p->place;
    const char *names = hwl_opt_text(p->settings, HWL_OPT_DEVICE, "");
    uint32_t n = p->devices->n_gpus;
    q->n_gpus = 0;
    if (*names) {
        HWL_TRY(hwl_lc_devices(p, names, q->gpu, &n, p->error));
        if (p->params.split_mode == 0 && n > 0) {
            if (p->params.main_gpu >= n)
                return hwl_fail(p->error, HWL_E_REFUSED, "invalid value for main_gpu: %u (available devices: %u)", p->params.main_gpu, n);
            q->gpu[0] = q->gpu[p->params.main_gpu];
            n = 1;
        }
        q->n_gpus = n;
        return HWL_OK;
    }
    if (p->params.split_mode == 0 && n > 0) {
        if (p->params.main_gpu >= n)
            return hwl_fail(p->error, HWL_E_REFUSED, "invalid value for main_gpu: %u (available devices: %u)", p->params.main_gpu, n);
        q->gpu[0] = (uint16_t)p->params.main_gpu;
        q->n_gpus = 1;
        return HWL_OK;
    }
    if (n > 16)
        return hwl_fail(p->error, HWL_E_LIMIT, "llama.cpp takes up to 16 devices");
    for (uint32_t i = 0; i < n; i++)
        q->gpu[q->n_gpus++] = (uint16_t)i;
    return HWL_OK;
}

static void name_backends(struct lc_plan *p)
{
    for (uint32_t i = 0; i < p->place.n_gpus; i++)
        p->place.backend[i] = (uint8_t)p->devices->gpu[p->place.gpu[i]].backend;
}

/* Pipelines want asynchronous copies and events of every device: CUDA, ROCm, SYCL and Metal have them, Vulkan later ones; of the
 * others (RPC, OpenCL, CANN, WebGPU) Hexagon and the RPC of late 2026 alone, which are not told apart here. */
static bool asynchronous(const struct lc_plan *p)
{
    for (uint32_t i = 0; i < p->place.n_gpus; i++) {
        const uint8_t b = p->place.backend[i];
        if (b == HWL_BACKEND_OTHER || (b == HWL_BACKEND_VULKAN && !p->params.rules->vulkan_async))
            return false;
    }
    return true;
}

/* Split points as float, as the engine adds and divides them. */
static hwl_status split_points(struct lc_plan *p, float *splits)
{
    const struct lc_placement *q = &p->place;
    const char *text = hwl_opt_text(p->settings, HWL_OPT_TENSOR_SPLIT, "");
    bool all_zero = true;
    for (uint32_t i = 0; i < q->n_gpus; i++) {
        char *end;
        splits[i] = p->fit.moved && q->n_gpus > 1 ? (float)p->fit.gpu[i].n_layer : 0;
        all_zero &= splits[i] == 0.0f;
        if (p->fit.moved || !*text)
            continue;
        splits[i] = strtof(text, &end);
        if (end == text || !(splits[i] >= 0) || (*end && *end != ',' && *end != '/'))
            return hwl_fail(p->error, HWL_E_USAGE, "tensor-split wants numbers with commas, such as 3,1");
        all_zero &= splits[i] == 0.0f;
        text = *end ? end + 1 : end;
    }
    float sum = 0;
    for (uint32_t i = 0; i < q->n_gpus; i++) {
        const hwl_device *d = &p->devices->gpu[q->gpu[i]];
        if (all_zero)
            splits[i] = (float)(d->free_bytes != HWL_UNKNOWN ? d->free_bytes : d->memory_bytes);
        sum += splits[i];
        splits[i] = sum;
    }
    for (uint32_t i = 0; i < q->n_gpus; i++)
        splits[i] /= sum;
    return HWL_OK;
}

static uint16_t target_of(const struct lc_plan *p, const char *name)
{
    static const char *const prefixes[] = {"CUDA", "GPU", "ROCm", "Vulkan", "MTL", "SYCL"};
    if (hwl_text_eq_nocase(name, "CPU") || hwl_text_eq_nocase(name, "CUDA_Host"))
        return LC_HOST;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        uint64_t n;
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0 && hwl_text_u64(name + strlen(prefixes[i]), &n))
            for (uint32_t g = 0; g < p->place.n_gpus; g++)
                if (p->place.gpu[g] == n)
                    return (uint16_t)g;
    }
    return LC_HOST - 1;
}

/* Splits "REGEX=BUFFER,REGEX=BUFFER" of all -ot into out. */
static hwl_status read_overrides(struct lc_plan *p, struct lc_override **out, uint32_t *n)
{
    const uint32_t lists = hwl_opt_list_n(p->settings, HWL_OPT_OVERRIDE_TENSOR);
    uint64_t cap = 0;
    *n = 0;
    for (uint32_t i = 0; i < lists; i++) {
        char *text = hwl_arena_str(p->arena, hwl_opt_list_at(p->settings, HWL_OPT_OVERRIDE_TENSOR, i));
        while (text && *text) {
            char *comma = strchr(text, ',');
            if (comma)
                *comma = 0;
            char *eq = strchr(text, '=');
            if (!eq)
                return hwl_fail(p->error, HWL_E_USAGE, "override-tensor '%.100s' has no =BUFFER", text);
            *eq = 0;
            struct lc_override o = {.pattern = text, .device = target_of(p, eq + 1)};
            if (o.device == LC_HOST - 1)
                return hwl_fail(p->error, HWL_E_USAGE, "unknown buffer type '%.40s' of override-tensor: CPU, CUDA0 ... of the devices in use", eq + 1);
            bool dummy;
            HWL_TRY(hwl_lc_regex(text, "", &dummy, p->error));
            *out = hwl_arena_grow(p->arena, *out, &cap, (uint64_t)*n + 1, sizeof **out);
            if (!*out)
                return hwl_fail(p->error, HWL_E_NOMEM, "out of memory");
            (*out)[(*n)++] = o;
            text = comma ? comma + 1 : NULL;
        }
    }
    return HWL_OK;
}

static bool is_experts(const char *name)
{
    static const char *const parts[] = {".ffn_up_", ".ffn_down_", ".ffn_gate_", ".ffn_gate_up_"};
    for (size_t i = 0; i < 4; i++) {
        const char *at = strstr(name, parts[i]);
        if (at && (strncmp(at + strlen(parts[i]), "exps", 4) == 0 || strncmp(at + strlen(parts[i]), "chexps", 6) == 0))
            return true;
    }
    return false;
}

static hwl_status place_tensors(struct lc_plan *p)
{
    struct lc_placement *q = &p->place;
    struct lc_override *o = NULL;
    uint32_t n = 0;
    uint64_t moe = hwl_opt_u64(p->settings, HWL_OPT_N_CPU_MOE, 0);
    if (hwl_opt_flag(p->settings, HWL_OPT_CPU_MOE, false))
        moe = UINT64_MAX;
    HWL_TRY(read_overrides(p, &o, &n));
    q->overrides = n > 0 || moe > 0 || p->fit.parts;
    if (!q->overrides)
        return HWL_OK;
    uint16_t *where = HWL_NEW_ARRAY(p->arena, uint16_t, p->m->n_tensors + 1);
    if (!where)
        return hwl_fail(p->error, HWL_E_NOMEM, "out of memory");
    for (uint64_t i = 0; i < p->m->n_tensors; i++) {
        const struct lc_tensor *t = &p->m->tensors[i];
        bool hit = false;
        where[i] = hwl_lc_where(p->m, q, t);
        for (uint32_t k = 0; k < n && !hit; k++) {
            HWL_TRY(hwl_lc_regex(o[k].pattern, t->name, &hit, p->error));
            if (hit)
                where[i] = o[k].device;
        }
        if (!hit && moe && t->layer >= 0 && (uint64_t)t->layer < moe && is_experts(t->name))
            where[i] = LC_HOST;
        uint16_t fitted;
        if (p->fit.parts && hwl_lc_fit_where(&p->fit, t->layer, t->base, &fitted))
            where[i] = fitted == LC_FIT_HOST ? (uint16_t)LC_HOST : fitted;
        q->tok_overridden |= hit && t == p->m->tok_embd;
    }
    q->tensor = where;
    return HWL_OK;
}

hwl_status hwl_lc_place(struct lc_plan *p)
{
    struct lc_placement *q = &p->place;
    const uint32_t n = p->m->n_layer_all;
    float splits[16];
    HWL_TRY(choose_gpus(p));
    name_backends(p);
    if (p->params.split_mode == 2 && q->n_gpus && !hwl_lc_can_split_rows(p))
        return hwl_fail(p->error, HWL_E_REFUSED, "device %s does not support split buffers (split-mode row)", p->devices->gpu[q->gpu[0]].name);
    HWL_TRY(split_points(p, splits));
    q->layer = HWL_NEW_ARRAY(p->arena, uint16_t, (uint64_t)n + 1);
    if (!q->layer)
        return hwl_fail(p->error, HWL_E_NOMEM, "out of memory");
    const int64_t ngl = p->params.ngl;
    const int64_t all = p->params.rules->output_last ? (int64_t)n : (int64_t)n + 1;
    const int64_t start = all > ngl ? all - ngl : 0;
    const int64_t active = q->n_gpus ? (ngl < (int64_t)n + 1 ? ngl : (int64_t)n + 1) : 0;
    for (int64_t il = 0; il <= (int64_t)n; il++) {
        q->layer[il] = LC_HOST;
        if (il < start || il - start >= active)
            continue;
        const float x = (float)(il - start) / (float)active;
        uint16_t g = 0;
        while (g < q->n_gpus && !(x < splits[g])) /* std::upper_bound */
            g++;
        if (g >= q->n_gpus)
            g = (uint16_t)(q->n_gpus - 1);
        q->layer[il] = g;
    }
    HWL_TRY(place_tensors(p));
    q->tied_copy = p->digest->tied_gpu && q->layer[n] != LC_HOST && !q->tok_overridden;
    p->params.pipeline = q->n_gpus > 1 && !p->params.rules->no_op_offload && ngl > (int64_t)n && p->params.split_mode == 1 && p->params.offload_kqv &&
                         !q->overrides && asynchronous(p);
    return HWL_OK;
}

/* Head sizes of CUDA's kernels (ggml/src/ggml-cuda/fattn.cu, ggml_cuda_get_best_fattn_kernel). */
static bool cuda_fa(uint64_t k, uint64_t v, uint64_t gqa, uint64_t cells)
{
    switch (k) {
    case 40: case 64: case 72: case 80: case 96: case 112: case 128: case 256: return v == k;
    case 192: return v == 128 && gqa % 8 == 0;
    case 320: return v == 256 && gqa % 32 == 0;
    case 512: return v == 512 && gqa >= 2 && cells % 256 == 0;
    case 576: return v == 512 && gqa >= 2 && cells % 256 == 0;
    }
    return false;
}

bool hwl_lc_fa_fits(const struct lc_plan *p)
{
    const struct lc_model *m = p->m;
    for (uint32_t il = 0; il < m->n_layer; il++) {
        const struct lc_layer *l = &m->layers[il];
        const bool attends = hwl_lc_has_kv(m, il) || m->memory == LC_MEM_NONE;
        if (!attends || p->place.layer[il] == LC_HOST || !l->n_head_kv)
            continue;
        const uint64_t k = l->swa ? m->head_k_swa : m->head_k, v = l->swa ? m->head_v_swa : m->head_v;
        if (!cuda_fa(k, hwl_lc_is_mla(m) ? m->n_lora_kv : v, l->n_head / l->n_head_kv, l->swa ? p->params.kv_cells_swa : p->params.kv_cells))
            return false;
    }
    return true;
}
