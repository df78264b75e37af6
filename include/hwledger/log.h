/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_LOG_H
#define HWLEDGER_LOG_H

#include <hwledger/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A start-up log of vLLM, SGLang, TensorRT-LLM or llama.cpp: what the engine said of itself, read from its text. */
typedef struct hwl_log hwl_log;

/* HWL_E_LIMIT above 64 MiB; HWL_E_UNSUPPORTED where no line is one of a known engine. name stands in errors only. */
HWL_API hwl_status hwl_log_open(const char *path, hwl_log **out, hwl_error *error);
HWL_API hwl_status hwl_log_from_text(const char *text, uint64_t length, const char *name, hwl_log **out, hwl_error *error);
HWL_API void hwl_log_free(hwl_log *log);

HWL_API const char *hwl_log_engine(const hwl_log *log);  /* "vllm" */
HWL_API const char *hwl_log_version(const hwl_log *log); /* as logged, "" where it is not said */
HWL_API const char *hwl_log_model(const hwl_log *log);   /* as logged, "" where it is not said */
HWL_API const char *hwl_log_failure(const hwl_log *log); /* the line on which the start failed, "" where it did not */

/* A number that a line states. Named as in a plan's engine_view where the plan has the figure. */
typedef struct hwl_log_figure {
    const char *name;   /* "weights_bytes", "kv_cache_tokens" */
    const char *device; /* what the engine calls it ("CUDA0"), "" where the line names none */
    double value;       /* bytes, tokens, a fraction */
    double rounding;    /* half of the last digit that was printed */
    uint64_t line;      /* from 1 */
} hwl_log_figure;
HWL_API bool hwl_log_get_figure(const hwl_log *log, uint32_t index, hwl_log_figure *out);

/* An option of the engine as the log shows it; value "" for a flag. False past the end. */
HWL_API bool hwl_log_get_setting(const hwl_log *log, uint32_t index, const char **name, const char **value);

/* The logged model: its path, its id in the local cache, or the catalogue's name that it goes by. A quantised variant that
 * is not known itself stands for the plain model with its weights in that type; hwl_log_plan then plans so. */
HWL_API hwl_status hwl_log_open_model(hwl_log *log, const hwl_open_options *options, hwl_model **out, hwl_error *error);
/* The logged devices: by their name, else by their memory. */
HWL_API hwl_status hwl_log_devices(const hwl_log *log, hwl_devices **out, hwl_error *error);

/* Planned against logged. */
typedef struct hwl_log_term {
    const char *name;
    const char *device;
    double planned, logged;
    double rounding;     /* of the logged figure */
    double allowed;      /* fraction that the plan itself allows for; 0: must be equal within the rounding */
    bool within;         /* the difference is no larger than rounding and allowed */
    const char *meaning; /* one sentence */
} hwl_log_term;
/* Plans the model as the log says it was run. A start that the engine refuses is no error: see the notes. model NULL: only what
 * the log's own lines determine (llama.cpp: the cache, where its cells, layers and widths are printed; vLLM: the sums that it
 * states itself). devices NULL: the log names no card; of vLLM and TensorRT-LLM what does not depend on it is planned. */
HWL_API hwl_status hwl_log_plan(hwl_log *log, const hwl_model *model, const hwl_devices *devices, hwl_error *error);
HWL_API bool hwl_log_get_term(const hwl_log *log, uint32_t index, hwl_log_term *out);
HWL_API const char *hwl_log_note(const hwl_log *log, uint32_t index); /* NULL past the end */

/* The document of schema hwledger.log/1. Free with hwl_text_free. */
HWL_API hwl_status hwl_log_json(const hwl_log *log, char **out, uint64_t *length, hwl_error *error);

#ifdef __cplusplus
}
#endif
#endif
