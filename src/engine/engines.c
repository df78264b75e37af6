/* SPDX-License-Identifier: Apache-2.0 */
/* The engines that there are. */
#include "base/status.h"
#include "base/str.h"
#include "engine/engine.h"

#include <string.h>

const struct hwl_engine *const hwl_engines[] = {
    &hwl_engine_llamacpp,
    &hwl_engine_ollama,
    &hwl_engine_vllm,
    &hwl_engine_sglang,
    &hwl_engine_tensorrt,
    &hwl_engine_tgi,
    &hwl_engine_transformers,
    &hwl_engine_mlx,
    &hwl_engine_lmstudio,
    NULL,
};

const struct hwl_engine *hwl_engine_find(const char *id, hwl_error *error)
{
    static const struct {
        const char *alias, *id;
    } aliases[] = {{"llamacpp", "llama.cpp"}, {"llama-server", "llama.cpp"}, {"hf", "transformers"}, {"trtllm", "tensorrt-llm"}, {"trt-llm", "tensorrt-llm"}, {"text-generation-inference", "tgi"}, {"text-generation-launcher", "tgi"}, {"mlx-lm", "mlx"}, {"lmstudio", "lm-studio"}, {"lms", "lm-studio"}};
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (hwl_text_eq_nocase(aliases[i].alias, id))
            id = aliases[i].id;
    const char *nearest = NULL;
    uint32_t best = 4;
    for (const struct hwl_engine *const *e = hwl_engines; *e; e++) {
        if (hwl_text_eq_nocase((*e)->id, id))
            return *e;
        uint32_t d = hwl_text_distance((*e)->id, id, 3);
        if (d < best) {
            best = d;
            nearest = (*e)->id;
        }
    }
    (void)hwl_fail(error, HWL_E_NOT_FOUND, "unknown engine '%s'%s%s%s", id, nearest ? "; did you mean " : "", nearest ? nearest : "",
                   nearest ? "?" : "");
    return NULL;
}

const char *hwl_engine_at(uint32_t index, const char *const **versions)
{
    uint32_t n = 0;
    while (hwl_engines[n])
        n++;
    if (index >= n)
        return NULL;
    if (versions)
        *versions = hwl_engines[index]->versions;
    return hwl_engines[index]->id;
}

hwl_status hwl_engine_open_named(const struct hwl_settings *settings, const char *name, struct hwl_model **out, hwl_error *error)
{
    const hwl_open_options options = {.home = settings->home, .hf_cache = settings->hf_cache};
    return hwl_model_open(name, &options, out, error);
}

hwl_status hwl_settings_engine_args(hwl_settings *settings, const char *engine, int argc, const char *const *argv, hwl_error *error)
{
    const struct hwl_engine *e = hwl_engine_find(engine, error);
    if (!e)
        return HWL_E_NOT_FOUND;
    const struct hwl_engine_args args = {
        .engine = e->id, .table = e->args, .n = e->n_args, .has = e->has_arg, .version = hwl_opt_text(settings, HWL_OPT_ENGINE_VERSION, NULL),
        .python = e->python_args};
    return hwl_engine_args_parse(settings, &args, argc, argv, error);
}
