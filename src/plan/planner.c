/* SPDX-License-Identifier: Apache-2.0 */
/* Binds a model to an engine and asks it for plans. */
#include "base/status.h"
#include "base/str.h"
#include "plan/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A GGUF is llama.cpp's; anything else goes to vLLM where a GPU could run it. */
const char *hwl_engine_default(const hwl_model *model, const hwl_devices *devices)
{
    if (model->is_gguf)
        return "llama.cpp";
    for (uint32_t i = 0; i < devices->n_gpus; i++)
        if (devices->gpu[i].backend == HWL_BACKEND_CUDA || devices->gpu[i].backend == HWL_BACKEND_ROCM)
            return "vllm";
    return "llama.cpp";
}

static hwl_status resolve_version(const struct hwl_engine *engine, const char *text, const char **out, hwl_error *error)
{
    if (!*text) {
        *out = engine->versions[0];
        return HWL_OK;
    }
    for (const char *const *v = engine->versions; *v; v++)
        if (strcmp(*v, text) == 0) {
            *out = *v;
            return HWL_OK;
        }
    const char *v = engine->version ? engine->version(text) : NULL;
    if (v) {
        *out = v;
        return HWL_OK;
    }
    char list[200] = "";
    for (const char *const *k = engine->versions; *k; k++) {
        size_t n = strlen(list);
        (void)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", *k);
    }
    return hwl_fail(error, HWL_E_USAGE, "%s version '%s' is not known; known: %s", engine->id, text, list);
}

/* The contract's wording for what an engine itself would refuse. */
static hwl_status refusal(const struct hwl_engine *engine, hwl_status status, hwl_error *error)
{
    char prefix[48], message[sizeof error->message];
    if (status != HWL_E_REFUSED || !error)
        return status;
    int n = snprintf(prefix, sizeof prefix, "%s refuses: ", engine->id);
    if (strncmp(error->message, prefix, (size_t)n) == 0)
        return status;
    memcpy(message, error->message, sizeof message);
    (void)snprintf(error->message, sizeof error->message, "%s%.*s", prefix, (int)sizeof message - n - 1, message);
    return status;
}

hwl_status hwl_planner_new(const hwl_model *model, const hwl_devices *devices, const hwl_settings *settings, hwl_planner **out,
                           hwl_error *error)
{
    const char *id = hwl_opt_text(settings, HWL_OPT_ENGINE, "");
    const struct hwl_engine *engine = hwl_engine_find(*id ? id : hwl_engine_default(model, devices), error);
    const char *version = NULL;
    if (!engine)
        return HWL_E_NOT_FOUND;
    HWL_TRY(resolve_version(engine, hwl_opt_text(settings, HWL_OPT_ENGINE_VERSION, ""), &version, error));
    hwl_planner *p = calloc(1, sizeof *p);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    p->model = model;
    p->engine = engine;
    p->version = version;
    hwl_status status = engine->prepare ? engine->prepare(model, version, settings, &p->arena, &p->prepared, error) : HWL_OK;
    if (status != HWL_OK) {
        hwl_planner_free(p);
        return refusal(engine, status, error);
    }
    *out = p;
    return HWL_OK;
}

void hwl_planner_free(hwl_planner *planner)
{
    if (!planner)
        return;
    if (planner->engine->release && planner->prepared)
        planner->engine->release(planner->prepared);
    hwl_arena_free(&planner->arena);
    free(planner);
}

/* What the user set stands in the document even where the engine does not look at it. */
static void note_settings(struct hwl_ledger *l, const struct hwl_settings *s)
{
    for (uint32_t i = 0; i < HWL_OPT_COUNT; i++) {
        const struct hwl_setting_value *v = &s->value[i];
        if (!v->set)
            continue;
        const hwl_option_info *o = hwl_option_at(i);
        switch (o->type) {
        case HWL_TYPE_FLAG: hwl_ledger_setting_bool(l, o->name, v->v.flag); break;
        case HWL_TYPE_COUNT:
        case HWL_TYPE_BYTES: hwl_ledger_setting_u64(l, o->name, v->v.u64); break;
        case HWL_TYPE_INT: hwl_ledger_setting_i64(l, o->name, v->v.i64); break;
        case HWL_TYPE_REAL: hwl_ledger_setting_real(l, o->name, v->v.real); break;
        case HWL_TYPE_TEXT: hwl_ledger_setting_text(l, o->name, v->text); break;
        case HWL_TYPE_LIST: hwl_ledger_setting_list(l, o->name, v->list, v->n_list); break;
        }
    }
    if (s->n_ignored)
        hwl_ledger_setting_list(l, "ignored", s->ignored, s->n_ignored);
    if (s->n_unmodelled)
        hwl_ledger_setting_list(l, "unmodelled", s->unmodelled, s->n_unmodelled);
    for (uint32_t i = 0; i < s->n_unmodelled; i++)
        hwl_ledger_note(l, "%s moves memory and is not modelled", s->unmodelled[i]);
}

static hwl_status copy_devices(struct hwl_plan *plan, const struct hwl_devices *devices, hwl_error *error)
{
    uint32_t n = devices->n_gpus + 1;
    plan->n_devices = n;
    plan->devices = HWL_NEW_ARRAY(&plan->arena, hwl_device, n);
    plan->plan_devices = HWL_NEW_ARRAY(&plan->arena, hwl_plan_device, n);
    if (!plan->devices || !plan->plan_devices)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    memcpy(plan->devices, devices->gpu, devices->n_gpus * sizeof *plan->devices);
    plan->devices[devices->n_gpus] = devices->host;
    return HWL_OK;
}

hwl_status hwl_planner_replan(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, hwl_plan *plan,
                              hwl_error *error)
{
    hwl_arena_reset(&plan->arena);
    struct hwl_arena arena = plan->arena, scratch = plan->scratch;
    memset(plan, 0, sizeof *plan);
    plan->arena = arena;
    plan->scratch = scratch;
    plan->model = planner->model;
    plan->engine = planner->engine;
    plan->version = planner->version;
    plan->reserve = hwl_opt_u64(settings, HWL_OPT_RESERVE, 0);
    plan->ledger.arena = &plan->arena;
    plan->ledger.work = &plan->scratch;
    plan->ledger.kv_tokens = HWL_UNKNOWN;
    HWL_TRY(copy_devices(plan, devices, error));
    note_settings(&plan->ledger, settings);
    hwl_ledger_setting_text(&plan->ledger, "engine", planner->engine->id);
    hwl_ledger_setting_text(&plan->ledger, "engine-version", planner->version);
    hwl_ledger_setting_u64(&plan->ledger, "reserve", plan->reserve);
    hwl_status status = planner->engine->plan(planner->model, planner->prepared, planner->version, devices, settings, &plan->ledger, error);
    if (status != HWL_OK)
        return refusal(planner->engine, status, error);
    return hwl_plan_finish(plan, error);
}

hwl_status hwl_planner_plan(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, hwl_plan **out,
                            hwl_error *error)
{
    hwl_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    hwl_status status = hwl_planner_replan(planner, devices, settings, plan, error);
    hwl_arena_free(&plan->scratch); /* most plans are made once */
    if (status != HWL_OK) {
        hwl_plan_free(plan);
        return status;
    }
    *out = plan;
    return HWL_OK;
}

void hwl_plan_free(hwl_plan *plan)
{
    if (!plan)
        return;
    hwl_arena_free(&plan->scratch);
    hwl_arena_free(&plan->arena);
    free(plan);
}
