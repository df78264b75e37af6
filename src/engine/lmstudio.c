/* SPDX-License-Identifier: Apache-2.0 */
/* LM Studio's llama.cpp runtime: llama.cpp under other defaults. Four slots are in its documentation of 0.4, every layer
 * asked onto the GPUs (n_gpu_layers 999999, so that llama.cpp's own fit stands down) in logs of its bug tracker; a context
 * of 4,096 tokens, one cache for all slots and batches of 512 are what its users report. Not known, and so not modelled: the
 * estimate by which its guardrail refuses a model, and how many layers it chooses where a GPU is too small. */
#include "engine/engine.h"

#include "base/status.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LLAMACPP "v0.5.0"

static const char *const versions[] = {"0.4", NULL};

static const char *version_of(const char *text)
{
    const char *p = text + (text[0] == 'v');
    return strncmp(p, "0.4", 3) == 0 && (!p[3] || p[3] == '.') ? versions[0] : NULL;
}

/* lms load --gpu max|off|0..1 */
static hwl_status gpu(struct hwl_settings *s, const char *value, hwl_error *error)
{
    if (value && strcmp(value, "off") == 0)
        return hwl_settings_set(s, "ngl", "0", error);
    if (value && (strcmp(value, "max") == 0 || strcmp(value, "1") == 0))
        return HWL_OK;
    return hwl_fail(error, HWL_E_UNSUPPORTED,
                    "lm-studio: --gpu is modelled as max or off, not '%s'; --ngl takes layers", value ? value : "");
}

static const struct hwl_engine_arg args[] = {
    {"context-length", HWL_ARG_VALUE, HWL_OPT_CTX_TOTAL, NULL, false},
    {"estimate-only", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"gpu", HWL_ARG_CUSTOM, HWL_OPT_NGL, gpu, false},
    {"identifier", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"parallel", HWL_ARG_VALUE, HWL_OPT_CONCURRENCY, NULL, false},
    {"ttl", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"y yes", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
};

static hwl_status prepare(const struct hwl_model *model, const char *version, const struct hwl_settings *settings,
                          struct hwl_arena *arena, void **out, hwl_error *error)
{
    (void)version;
    if (model->quant.method && strcmp(model->quant.method, "mlx") == 0)
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "lm-studio: its MLX runtime (mlx-engine) is not modelled; --engine mlx plans mlx-lm");
    return hwl_engine_llamacpp.prepare(model, LLAMACPP, settings, arena, out, error);
}

static void release(void *prepared)
{
    hwl_engine_llamacpp.release(prepared);
}

static void set_count(struct hwl_settings *s, enum hwl_opt id, uint64_t v)
{
    s->value[id] = (struct hwl_setting_value){.set = true, .v.u64 = v};
}

static hwl_status plan(const struct hwl_model *model, const void *prepared, const char *version,
                       const struct hwl_devices *devices, const struct hwl_settings *settings, struct hwl_ledger *l,
                       hwl_error *error)
{
    enum { CTX = 4096, SLOTS = 4, BATCH = 512 };
    static char off[] = "off", server[] = "llama-server";
    (void)version;
    struct hwl_settings s = *settings; /* texts and lists stay those of the caller */
    const uint64_t trained = model->context_train ? model->context_train : CTX;
    const uint64_t ctx = hwl_opt_u64(settings, HWL_OPT_CTX, hwl_min(trained, CTX));
    const uint64_t slots = hwl_opt_u64(settings, HWL_OPT_CONCURRENCY, SLOTS);
    const bool counted = hwl_opt_has(settings, HWL_OPT_CONCURRENCY);
    uint64_t total = ctx; /* shared by the slots, unless so much is asked for each of a number of them */
    if (!slots || !hwl_mul(&total, ctx, counted && hwl_opt_has(settings, HWL_OPT_CTX) ? slots : 1))
        return hwl_fail(error, HWL_E_OVERFLOW, "lm-studio: contexts beyond 64 bits, or no slots");
    s.value[HWL_OPT_ENGINE_VERSION].set = s.value[HWL_OPT_CTX].set = false;
    if (!hwl_opt_has(settings, HWL_OPT_CTX_TOTAL))
        set_count(&s, HWL_OPT_CTX_TOTAL, total);
    set_count(&s, HWL_OPT_CONCURRENCY, slots);
    if (!hwl_opt_has(settings, HWL_OPT_BATCH))
        set_count(&s, HWL_OPT_BATCH, BATCH);
    if (!hwl_opt_has(settings, HWL_OPT_UBATCH))
        set_count(&s, HWL_OPT_UBATCH, hwl_min(s.value[HWL_OPT_BATCH].v.u64, BATCH));
    if (!hwl_opt_has(settings, HWL_OPT_KV_UNIFIED))
        s.value[HWL_OPT_KV_UNIFIED] = (struct hwl_setting_value){.set = true, .v.flag = true};
    if (!hwl_opt_has(settings, HWL_OPT_NGL))
        s.value[HWL_OPT_NGL] =
            (struct hwl_setting_value){.set = true, .v.i64 = devices->n_gpus ? (int64_t)model->n_layers + 1 : 0};
    s.value[HWL_OPT_FIT] = (struct hwl_setting_value){.set = true, .text = off};
    s.value[HWL_OPT_PROGRAM] = (struct hwl_setting_value){.set = true, .text = server};
    HWL_TRY(hwl_engine_llamacpp.plan(model, prepared, LLAMACPP, devices, &s, l, error));
    for (uint64_t i = 0; i < l->n_entries; i++) /* its builds of llama.cpp were not compared with anything */
        if (l->entries[i].kind == HWL_KIND_COMPUTE && l->entries[i].basis == HWL_BASIS_EXACT) {
            l->entries[i].basis = HWL_BASIS_MODELLED;
            l->entries[i].error = l->entries[i].memory == HWL_MEMORY_DEVICE ? 0.05f : 0.2f;
        }
    hwl_ledger_note(l, "all layers are put on the GPUs: how many LM Studio chooses where they do not fit is not public "
                       "(--ngl sets them)");
    hwl_ledger_note(
        l, "LM Studio's guardrail refuses by an estimate of its own, which is not public, and may stop what fits");
    const char *source = model->source ? model->source : "";
    if (strncmp(source, "catalogue: ", 11) == 0)
        source += 11;
    const char *line = hwl_arena_printf(l->arena, "lms load %s --context-length %llu --parallel %llu --gpu %s", source,
                                        (unsigned long long)s.value[HWL_OPT_CTX_TOTAL].v.u64, (unsigned long long)slots,
                                        hwl_opt_i64(&s, HWL_OPT_NGL, 0) > 0 ? "max" : "off");
    if (!line)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    hwl_ledger_view_text(l, "command_line", line);
    if (!counted) { /* one sequence may take it all; the other slots share it */
        l->context = s.value[HWL_OPT_CTX_TOTAL].v.u64;
        l->concurrency = 1;
        hwl_ledger_setting_u64(l, "ctx", l->context);
    }
    return HWL_OK;
}

const struct hwl_engine hwl_engine_lmstudio = {
    .id = "lm-studio",
    .versions = versions,
    .version = version_of,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .prepare = prepare,
    .release = release,
    .plan = plan,
};
