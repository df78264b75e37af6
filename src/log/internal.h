/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LOG_INTERNAL_H
#define HWL_LOG_INTERNAL_H

#include "log/log.h"
#include "plan/internal.h"

/* A logged option's value; NULL where it is not there. */
const char *hwl_log_setting_of(const struct hwl_log *log, const char *name);
/* The logged figure: of several ranks the least or the most. */
const hwl_log_figure *hwl_log_figure_of(const struct hwl_log *log, const char *name, bool most);

/* The index of the device that llama.cpp calls so: n_gpus for host memory, UINT32_MAX for a GPU that is not in the list. */
uint32_t hwl_log_device_index(const struct hwl_log *log, const char *name, uint32_t n_gpus);
/* Completes the list of devices once all lines are read. */
void hwl_log_settle(struct hwl_log *log);
void hwl_log_settle_ollama(struct hwl_log *log);

/* The model that llama.cpp's printed metadata describe. HWL_E_NOT_FOUND: they do not suffice. */
hwl_status hwl_log_model_of_metadata(struct hwl_log *log, const hwl_open_options *options, hwl_model **out, hwl_error *error);
/* Does the model have the shapes that the metadata print, as far as they print any? */
bool hwl_log_fits_metadata(const struct hwl_log *log, const hwl_model *model);

/* One logged figure of the start that is planned (the last of several equal loads and contexts, not a draft's); where no line
 * of that device and name is there, what the memory table says. NULL past the last. */
const hwl_log_figure *hwl_log_buffer(const struct hwl_log *log, const char *name, uint64_t *at);

void hwl_log_add_term(struct hwl_log *log, const char *name, const char *device, double planned, const hwl_log_figure *figure,
                      double allowed, const char *more, const char *less);
void hwl_log_buffer_terms(struct hwl_log *log, const hwl_plan *plan);
/* llama.cpp's own command line and what else its lines say into settings. */
void hwl_log_apply_llamacpp(struct hwl_log *log, const hwl_model *model, const hwl_devices *devices, hwl_settings *s);
/* That row of llama.cpp's versions, and what it implies. */
hwl_status hwl_log_set_build(const struct hwl_log *log, const char *version, hwl_settings *s);
/* Where no line names the build: the row by which most figures come out, into the settings. */
void hwl_log_build_by_figures(struct hwl_log *log, const struct hwl_engine *engine, const hwl_model *model, const hwl_devices *devices, hwl_settings *s);
/* What only the buffers tell: before a planner is made, and with one. */
void hwl_log_context_by_cache(struct hwl_log *log, const hwl_model *model, hwl_settings *s);
void hwl_log_split_by_caches(struct hwl_log *log, const hwl_model *model, uint32_t n_gpus, hwl_settings *s);
void hwl_log_infer_llamacpp(struct hwl_log *log, const hwl_model *model, const hwl_planner *planner, const hwl_devices *devices, hwl_settings *s);
/* Are the plan's caches the logged ones on each device? False where none are logged. */
bool hwl_log_caches_equal(const struct hwl_log *log, const hwl_plan *plan);
/* Caches from the printed metadata alone, where no model is known. */
void hwl_log_metadata_terms(struct hwl_log *log);

/* SGLang. */
const char *hwl_log_sglang_release(const struct hwl_log *log); /* current on the log's date; NULL without one */
hwl_status hwl_log_sglang_devices(const struct hwl_log *log, uint64_t ranks, hwl_devices *devices, hwl_error *error);
hwl_devices *hwl_log_sglang_free(const struct hwl_log *log, const hwl_planner *planner, const hwl_devices *devices,
                                 const hwl_settings *s);
void hwl_log_sglang_given(struct hwl_log *log, const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *s);

/* TensorRT-LLM. room: cards that never run short. */
void hwl_log_apply_tensorrt(struct hwl_log *log, hwl_settings *s);
void hwl_log_tensorrt_terms(struct hwl_log *log, const hwl_planner *planner, const hwl_devices *room, const hwl_settings *s,
                            const hwl_plan *plan, bool card);

/* A number of the plan's engine view; false where it has none of that name. */
bool hwl_log_view(const hwl_plan *plan, const char *name, double *value);

#endif
