/* SPDX-License-Identifier: Apache-2.0 */
/* MLX by mlx_lm.server: one device whose memory is the machine's, up to what Metal recommends
 * (recommendedMaxWorkingSetSize: the total of the catalogue's Apple rows). Weights as stored or as mlx_lm.convert
 * quantises them, caches that grow with the request. Rules read in mlx-lm 0.32.2 (utils.py, generate.py, server.py,
 * models). */
#include "engine/mlx/mlx.h"

#include "arch/quantise.h"
#include "base/status.h"
#include "base/str.h"
#include "engine/shared/args.h"
#include "engine/transformers/transformers.h"

#include <stdio.h>
#include <string.h>

#define STEP 2048                          /* --prefill-step-size */
#define KV_START 5000                      /* DEFAULT_QUANTIZED_KV_START of generate.py */
#define CUDA_CONTEXT ((uint64_t)450 << 20) /* as other engines' processes */

static const char *const versions[] = {"0.32", NULL};

static const char *version_of(const char *text)
{
    unsigned major, minor;
    if (sscanf(*text == 'v' ? text + 1 : text, "%u.%u", &major, &minor) != 2)
        return NULL;
    return major == 0 && minor == 32 ? versions[0] : NULL;
}

struct prepared {
    const struct hwl_model *model; /* with its weights in the asked type */
};

/* Classes that turn FP8 blocks into bf16 when they read the weights (sanitize). */
static const char unpacks_fp8[] =
    "deepseek_v3 deepseek_v32 glm_moe_dsa kimi_k2 minimax_m2 ministral3 mistral3 mimo_v2_flash";

/* What convert.py's cast_predicate leaves in fp32, as the checkpoints have it. */
static const struct {
    uint16_t role;
    const char *archs;
} kept_fp32[] = {
    {HWL_ROLE_ROUTER_BIAS,
     "afmoe deepseek_v3 deepseek_v32 glm4_moe glm_moe_dsa kimi_k2 kimi_linear minimax_m2 nemotron_h"},
    {HWL_ROLE_SSM_A, "nemotron_h kimi_linear"},
    {HWL_ROLE_ROUTER, "minimax_m2"}, /* with the scales of its quantised form */
};

static uint64_t bytes_of(const struct hwl_model *m, const struct hwl_tensor *t, struct hwl_ck *ck)
{
    const bool half = t->dtype == HWL_DTYPE_BF16 || t->dtype == HWL_DTYPE_F16;
    for (size_t i = 0; half && i < sizeof kept_fp32 / sizeof *kept_fp32; i++)
        if (kept_fp32[i].role == t->role && t->offset == HWL_UNKNOWN && hwl_words_have(kept_fp32[i].archs, m->arch))
            return hwl_ck_mul(ck, t->bytes, 2);
    return t->bytes;
}

/* The same model with the inventory that its packed weights stand for. */
static hwl_status unpack(const struct hwl_model *model, struct hwl_arena *arena, const struct hwl_model **out,
                         hwl_error *error)
{
    struct hwl_model *copy = HWL_NEW(arena, struct hwl_model);
    if (!copy)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    *copy = *model;
    copy->arena = (struct hwl_arena){0};
    copy->owned = NULL;
    copy->release = NULL;
    copy->tensors = model->logical;
    copy->n_tensors = copy->cap_tensors = model->n_logical;
    copy->quant = (struct hwl_quant){.method = "", .format = "", .experts = ""};
    *out = copy;
    return HWL_OK;
}

static hwl_status prepare(const struct hwl_model *model, const char *version, const struct hwl_settings *settings,
                          struct hwl_arena *arena, void **out, hwl_error *error)
{
    (void)version;
    struct prepared *p = HWL_NEW(arena, struct prepared);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    p->model = model;
    if (model->is_gguf)
        return hwl_fail(error, HWL_E_REFUSED, "mlx: mlx_lm.server reads safetensors, not GGUF");
    if (model->encoder_only)
        return hwl_fail(error, HWL_E_REFUSED, "mlx: mlx-lm runs text generators, not encoders");
    const char *method = model->quant.method ? model->quant.method : "";
    const bool fp8 = strcmp(method, "fp8") == 0 && model->logical && hwl_words_have(unpacks_fp8, model->arch);
    const bool as_stored =
        strcmp(method, "mlx") == 0 || (strcmp(method, "mxfp4") == 0 && strcmp(model->arch, "gpt_oss") == 0);
    if (*method && !as_stored && !fp8)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "mlx: how mlx-lm loads weights of %s is not modelled", method);
    const char *quant = hwl_opt_text(settings, HWL_OPT_QUANT, "");
    if (fp8)
        HWL_TRY(unpack(model, arena, &p->model, error));
    if (*quant) {
        struct hwl_model *packed;
        if (as_stored)
            return hwl_fail(error, HWL_E_REFUSED, "mlx: the weights are stored as %s already", method);
        HWL_TRY(hwl_quantise(p->model, quant, arena, &packed, error));
        if (strcmp(packed->quant.method, "mlx") != 0)
            return hwl_fail(error, HWL_E_UNSUPPORTED,
                            "mlx: no weights of type %s; 2bit, 3bit, 4bit, 5bit, 6bit and 8bit", quant);
        p->model = packed;
    }
    *out = p;
    return HWL_OK;
}

struct work {
    const struct hwl_model *model;
    struct hwl_ck ck;
    struct hwl_mlx_cache cache;
    uint64_t ctx, start;
    bool batched;
};

static hwl_status settle_cache(struct work *w, const struct hwl_settings *s, hwl_error *error)
{
    const char *type = hwl_opt_text(s, HWL_OPT_KV_TYPE, "auto");
    unsigned bits = 0;
    char tail = 0;
    const bool plain = hwl_words_have("auto f16 bf16", type);
    if (!plain && (sscanf(type, "%ubi%c", &bits, &tail) != 2 || tail != 't' || !(bits == 2 || bits == 4 || bits == 8)))
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "mlx: no cache of type '%s'; auto (the model's type), 2bit, 4bit and 8bit", type);
    w->cache.group = hwl_opt_u64(s, HWL_OPT_KV_GROUP_SIZE, 64);
    if (w->cache.group != 32 && w->cache.group != 64 && w->cache.group != 128)
        return hwl_fail(error, HWL_E_USAGE, "mlx: groups are of 32, 64 or 128 elements");
    w->start = hwl_opt_u64(s, HWL_OPT_QUANTIZED_KV_START, KV_START);
    if (!bits)
        return HWL_OK;
    if (w->cache.sequences > 1)
        return hwl_fail(error, HWL_E_REFUSED, "mlx: with a quantised cache requests run one after another (server.py)");
    if (w->ctx > w->start) /* until then the cache is plain */
        w->cache.bits = bits;
    for (uint32_t i = 0; w->cache.bits && i < w->model->n_layers; i++) {
        const struct hwl_attention *a = &w->model->layers[i].attn;
        bool rotating;
        (void)hwl_mlx_cells(w->model, &w->model->layers[i], &w->cache, &rotating);
        if (rotating || a->kv_lora_rank)
            return hwl_fail(error, HWL_E_REFUSED, "mlx: caches of windows and of latent attention cannot be quantised");
        if (a->n_heads && (a->head_dim_k % w->cache.group || a->head_dim_v % w->cache.group))
            return hwl_fail(error, HWL_E_REFUSED, "mlx: a head of %u does not divide into groups of %u", a->head_dim_k,
                            (unsigned)w->cache.group);
    }
    return HWL_OK;
}

static hwl_status settle(struct work *w, const struct hwl_settings *s, const struct hwl_devices *d, hwl_error *error)
{
    const struct hwl_model *m = w->model;
    w->ctx = hwl_opt_u64(s, HWL_OPT_CTX, m->context_train ? hwl_min(m->context_train, 4096) : 4096);
    w->cache = (struct hwl_mlx_cache){.dtype_bytes = m->dtype == HWL_DTYPE_F32 ? 4 : 2,
                                      .tokens = w->ctx,
                                      .step = hwl_opt_u64(s, HWL_OPT_BATCH, STEP),
                                      .sequences = hwl_opt_u64(s, HWL_OPT_CONCURRENCY, 1)};
    bool full = false, window = false;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        full = full || (m->layers[i].attn.n_heads && !m->layers[i].attn.window);
        window = window || m->layers[i].attn.window;
    }
    w->cache.mixed = full && window;
    if (!w->ctx || !w->cache.step || !w->cache.sequences)
        return hwl_fail(error, HWL_E_USAGE, "mlx: context, prefill step and concurrency are at least 1");
    if (hwl_opt_has(s, HWL_OPT_DRAFT))
        return hwl_fail(error, HWL_E_UNSUPPORTED, "mlx: a draft model is not modelled");
    for (uint32_t i = 0; i < d->n_gpus; i++)
        if (d->gpu[i].backend != HWL_BACKEND_METAL && d->gpu[i].backend != HWL_BACKEND_CUDA)
            return hwl_fail(error, HWL_E_REFUSED, "mlx: %s: MLX runs on Metal, CUDA or the CPU", d->gpu[i].name);
    return settle_cache(w, s, error);
}

/* mlx-lm keeps the text model: its classes drop towers when they read the weights (sanitize). */
static bool loaded(const struct hwl_model *m, const struct hwl_tensor *t)
{
    return t->component != HWL_COMP_VISION && t->component != HWL_COMP_AUDIO && t->component != HWL_COMP_PROJECTOR &&
           hwl_tf_loaded(m, t);
}

/* Arrays as a file stores them are what MLX holds. What --quant would make of them is proved for five families
 * (tests/data/mlx: 13 of 15 repositories to the byte); the exceptions of others are not all known here. */
static uint64_t put_weights(struct work *w, struct hwl_ledger *l, bool quantised)
{
    const struct hwl_model *m = w->model;
    uint64_t total = 0, towers = 0;
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct hwl_tensor *t = &m->tensors[i];
        if (!loaded(m, t)) {
            towers += t->component == HWL_COMP_VISION || t->component == HWL_COMP_AUDIO;
            continue;
        }
        if (t->tied)
            continue;
        const uint64_t bytes = bytes_of(m, t, &w->ck);
        hwl_entry *e = hwl_ledger_put(l, 0, t->layer, HWL_KIND_WEIGHTS, (hwl_component)t->component, bytes,
                                      quantised ? HWL_BASIS_MODELLED : HWL_BASIS_EXACT, "mlx: arrays as stored; utils.py quantize_model");
        e->error = quantised ? 0.02f : 0.0f;
        total = hwl_ck_add(&w->ck, total, bytes);
    }
    if (towers)
        hwl_ledger_note(l, "mlx-lm loads the text model only; images need mlx-vlm, which is not modelled");
    return total;
}

static void put_cache(struct work *w, struct hwl_ledger *l)
{
    const struct hwl_model *m = w->model;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *layer = &m->layers[i];
        hwl_ledger_place(l, 0, i);
        const uint64_t row = hwl_mlx_row(m, layer, &w->cache, &w->ck);
        if (row) {
            bool rotating;
            const uint64_t cells =
                hwl_ck_mul(&w->ck, hwl_mlx_cells(m, layer, &w->cache, &rotating), w->cache.sequences);
            hwl_entry *e =
                hwl_ledger_put(l, 0, (int32_t)i, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION, hwl_ck_mul(&w->ck, cells, row),
                               HWL_BASIS_MODELLED, /* by the classes' source; no allocation was measured */
                               rotating        ? "mlx: models/cache.py RotatingKVCache"
                               : w->cache.bits ? "mlx: models/cache.py QuantizedKVCache"
                                               : "mlx: models/cache.py KVCache");
            e->error = rotating || w->cache.sequences > 1 ? 0.1f : 0.02f;
            e->args[0] = cells;
            e->args[1] = row;
            e->formula = "{0} tokens x {1} B";
            if (!rotating)
                l->kv_bytes_per_token = hwl_ck_add(&w->ck, l->kv_bytes_per_token, row);
        }
        /* ArraysCache: convolution in the model's type, delta rules in fp32 (gated_delta.py); others as their inputs */
        const uint64_t conv = hwl_layer_conv_elements(layer), ssm = hwl_layer_ssm_elements(layer);
        const bool fp32 = layer->mixer == HWL_MIXER_GATED_DELTA_NET || layer->mixer == HWL_MIXER_KDA;
        const uint64_t bytes = hwl_ck_add(&w->ck, hwl_ck_mul(&w->ck, conv, w->cache.dtype_bytes),
                                          hwl_ck_mul(&w->ck, ssm, fp32 ? 4 : w->cache.dtype_bytes));
        if (bytes)
            hwl_ledger_put(l, 0, (int32_t)i, HWL_KIND_RECURRENT_STATE, HWL_COMP_RECURRENT,
                           hwl_ck_mul(&w->ck, bytes, w->cache.sequences), HWL_BASIS_MODELLED,
                           "mlx: models/cache.py ArraysCache")
                ->error = fp32 ? 0.05f : 1.0f;
    }
}

/* One step of a prompt, all of its sequences at once, and the logits of one token each: in the model's type, then the
 * fp32 log-probabilities of generate.py. */
static void put_compute(struct work *w, struct hwl_ledger *l)
{
    const uint64_t step = hwl_min(w->cache.step, w->ctx);
    hwl_ledger_put(l, 0, -1, HWL_KIND_COMPUTE, HWL_COMP_OTHER,
                   hwl_tf_activation(w->model, step, w->cache.sequences, w->cache.dtype_bytes, false, &w->ck),
                   HWL_BASIS_MODELLED, "mlx: one prefill step; arrays of a pass, not measured on Metal")
        ->error = 1.0f;
    hwl_ledger_put(l, 0, -1, HWL_KIND_OUTPUT, HWL_COMP_OUTPUT,
                   hwl_ck_mul3(&w->ck, w->cache.sequences, w->model->vocab, w->cache.dtype_bytes + 4),
                   HWL_BASIS_MODELLED, "mlx: logits of the last token")
        ->error = 0.5f;
}

static char *command_line(const struct hwl_settings *s, const struct work *w, struct hwl_arena *arena)
{
    char *rest = hwl_args_given(arena, s, hwl_mlx_args, HWL_MLX_N_ARGS, "kv-type", '-');
    const char *model = w->model->source && *w->model->source ? w->model->source : w->model->name;
    model = model ? model : "";
    if (strncmp(model, "catalogue: ", 11) == 0)
        model += 11;
    const char *quote = strpbrk(model, " \"$&;()*?") ? "'" : "", *type = hwl_opt_text(s, HWL_OPT_KV_TYPE, "auto");
    const bool bits = strstr(type, "bit") != NULL;
    return rest ? hwl_arena_printf(arena, "mlx_lm.server --model %s%s%s%s%s%.1s", quote, model, quote, rest,
                                   bits ? " --kv-bits " : "", bits ? type : "")
                : NULL;
}

static hwl_status plan(const struct hwl_model *model, const void *prepared, const char *version,
                       const struct hwl_devices *devices, const struct hwl_settings *settings, struct hwl_ledger *l,
                       hwl_error *error)
{
    (void)version;
    const struct prepared *p = prepared;
    struct work w = {.model = p ? p->model : model};
    HWL_TRY(settle(&w, settings, devices, error));
    const uint64_t weights = put_weights(&w, l, p && p->model != model);
    put_cache(&w, l);
    put_compute(&w, l);
    const hwl_device *d = devices->n_gpus ? &devices->gpu[0] : &devices->host;
    if (devices->n_gpus && d->backend == HWL_BACKEND_CUDA)
        hwl_ledger_put(l, 0, -1, HWL_KIND_OVERHEAD, HWL_COMP_CONTEXT, CUDA_CONTEXT, HWL_BASIS_MODELLED, "CUDA context")
            ->error = 0.5f;
    if (devices->n_gpus > 1)
        hwl_ledger_note(l, "MLX runs on one device; the others stay empty");
    if (devices->n_gpus && d->backend == HWL_BACKEND_METAL) {
        hwl_ledger_note(
            l, "the limit is Metal's recommendedMaxWorkingSetSize; macOS and other programs live in the rest of "
               "the memory");
        if (d->memory_bytes != HWL_UNKNOWN && weights / 9 > d->memory_bytes / 10)
            hwl_ledger_note(
                l, "mlx-lm warns: the weights take more than 90 %% of that limit and may be slow (generate.py)");
    }
    if (w.model->context_train && w.ctx > w.model->context_train)
        hwl_ledger_note(l, "the context is beyond the %llu tokens that the model was trained on",
                        (unsigned long long)w.model->context_train);
    hwl_ledger_note(l, "mlx_lm.server also keeps the caches of up to 10 finished prompts (--prompt-cache-size, "
                       "--prompt-cache-bytes)");
    for (uint32_t i = 0; i < settings->n_unmodelled; i++)
        hwl_ledger_note(l, "--%s is not modelled", settings->unmodelled[i]);
    hwl_ledger_setting_u64(l, "ctx", w.ctx);
    hwl_ledger_setting_u64(l, "concurrency", w.cache.sequences);
    hwl_ledger_setting_u64(l, "batch", w.cache.step);
    hwl_ledger_setting_text(l, "kv-type", hwl_opt_text(settings, HWL_OPT_KV_TYPE, "auto"));
    hwl_ledger_view_u64(l, "weights_bytes", weights);
    const char *line = command_line(settings, &w, l->arena);
    if (!line)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    hwl_ledger_view_text(l, "command_line", line);
    l->context = w.ctx;
    l->concurrency = w.cache.sequences;
    return w.ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "mlx: a size is beyond 64 bits") : HWL_OK;
}

const struct hwl_engine hwl_engine_mlx = {
    .id = "mlx",
    .versions = versions,
    .version = version_of,
    .args = hwl_mlx_args,
    .n_args = HWL_MLX_N_ARGS,
    .prepare = prepare,
    .plan = plan,
};
