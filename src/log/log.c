/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a start-up log: hostile text, everything capped. */
#include "log/internal.h"
#include "log/lines.h"

#include "base/file.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const engine_names[HWL_LOG_ENGINES] = {"vllm", "sglang", "llama.cpp", "tensorrt-llm"};

const char *hwl_log_copy(struct hwl_log *log, const char *text, uint64_t n)
{
    const char *s = hwl_arena_strn(&log->arena, text, n < HWL_LOG_MAX_VALUE ? n : HWL_LOG_MAX_VALUE);
    if (!s)
        log->nomem = true;
    return s ? s : "";
}

static void add_figure(struct hwl_log *log, const hwl_log_figure *figure, uint16_t part)
{
    if (log->n_figures >= HWL_LOG_MAX_FIGURES)
        return;
    hwl_log_figure *list = hwl_arena_grow(&log->arena, log->figures, &log->cap_figures, log->n_figures + 1, sizeof *list);
    uint16_t *parts = hwl_arena_grow(&log->arena, log->parts, &log->cap_parts, log->n_figures + 1, sizeof *parts);
    log->figures = list ? list : log->figures;
    log->parts = parts ? parts : log->parts;
    if (!list || !parts) {
        log->nomem = true;
        return;
    }
    parts[log->n_figures] = part;
    list[log->n_figures++] = *figure;
}

void hwl_log_add_figure(struct hwl_log *log, const hwl_log_figure *figure)
{
    /* those that are told before anything is loaded do not show a start */
    log->figures_seen = log->figures_seen || !hwl_words_have("max_batched_tokens block_size gpu_memory_utilization", figure->name);
    add_figure(log, figure, strcmp(figure->name, "weights_bytes") == 0 ? log->n_models : log->n_contexts);
}

void hwl_log_add_table_figure(struct hwl_log *log, const hwl_log_figure *figure)
{
    for (uint64_t i = 0; i < log->n_figures; i++)
        if (log->parts[i] == HWL_LOG_TABLE && strcmp(log->figures[i].name, figure->name) == 0 && strcmp(log->figures[i].device, figure->device) == 0) {
            log->figures[i] = *figure;
            return;
        }
    add_figure(log, figure, HWL_LOG_TABLE);
}

/* What a person gave wins over the engine's own summary, and among equals the first. */
void hwl_log_set(struct hwl_log *log, struct hwl_str name, struct hwl_str value, bool resolved)
{
    hwl_log_set_ranked(log, name, value, resolved ? HWL_LOG_RESOLVED : HWL_LOG_TYPED);
}

void hwl_log_set_ranked(struct hwl_log *log, struct hwl_str name, struct hwl_str value, enum hwl_log_rank rank)
{
    const bool resolved = rank == HWL_LOG_RESOLVED || rank == HWL_LOG_ARGS;
    char key[64];
    if (!name.n || name.n >= sizeof key || log->n_settings >= HWL_LOG_MAX_SETTINGS)
        return;
    for (uint64_t i = 0; i < name.n; i++)
        key[i] = name.p[i] == '_' ? '-' : name.p[i];
    key[name.n] = 0;
    for (uint64_t i = 0; i < log->n_settings; i++)
        if (strcmp(log->settings[i].name, key) == 0) {
            if (log->settings[i].rank < rank) {
                log->settings[i].value = hwl_log_copy(log, value.p, value.n);
                log->settings[i].resolved = resolved;
                log->settings[i].rank = (uint8_t)rank;
            }
            return;
        }
    struct hwl_log_setting *list = hwl_arena_grow(&log->arena, log->settings, &log->cap_settings, log->n_settings + 1, sizeof *list);
    if (!list) {
        log->nomem = true;
        return;
    }
    log->settings = list;
    list[log->n_settings++] = (struct hwl_log_setting){hwl_log_copy(log, key, name.n), hwl_log_copy(log, value.p, value.n), resolved, (uint8_t)rank};
}

void hwl_log_add_note(struct hwl_log *log, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char **list = log->n_notes < 64 ? hwl_arena_grow(&log->arena, log->notes, &log->cap_notes, log->n_notes + 1, sizeof *list) : NULL;
    if (!list)
        return;
    log->notes = list;
    list[log->n_notes++] = hwl_log_copy(log, text, strlen(text));
}

static hwl_status read_lines(struct hwl_log *log, const char *text, uint64_t length, const char *name, hwl_error *error)
{
    char *room = malloc(2 * (HWL_LOG_MAX_LINE + 1));
    if (!room)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    struct hwl_log_lines lines = {.text = text, .length = length, .next = room + HWL_LOG_MAX_LINE + 1};
    for (uint64_t number; hwl_log_next_line(&lines, room, &number);) {
        hwl_log_read_settings(log, room, number);
        hwl_log_read_card(log, room);
        hwl_log_read_figures(log, room, number);
        hwl_log_read_wording(log, room);
        hwl_log_read_place(log, room);
    }
    free(room);
    hwl_log_end_starts(log);
    if (log->nomem)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    for (int i = 0; i < HWL_LOG_ENGINES; i++)
        if (log->votes[i] > log->votes[log->engine])
            log->engine = (enum hwl_log_engine)i;
    if (!log->votes[log->engine])
        return hwl_fail_at(error, HWL_E_UNSUPPORTED, name, HWL_NO_OFFSET, "", "no line of a start-up of vLLM, SGLang, TensorRT-LLM or llama.cpp in it");
    hwl_log_settle(log);
    return log->nomem ? hwl_fail(error, HWL_E_NOMEM, "out of memory") : HWL_OK;
}

hwl_status hwl_log_from_text(const char *text, uint64_t length, const char *name, hwl_log **out, hwl_error *error)
{
    if (length > HWL_LOG_MAX_BYTES)
        return hwl_fail_at(error, HWL_E_LIMIT, name, HWL_NO_OFFSET, "", "the log is above %llu MiB",
                           (unsigned long long)(HWL_LOG_MAX_BYTES >> 20));
    struct hwl_log *log = calloc(1, sizeof *log);
    if (!log)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    log->version = log->model = log->failure = log->file_type = log->era = log->served = log->said_version = log->card = log->architecture = "";
    log->minor_last = 99;
    const hwl_status status = read_lines(log, text, length, name, error);
    if (status != HWL_OK) {
        hwl_log_free(log);
        return status;
    }
    *out = log;
    return HWL_OK;
}

hwl_status hwl_log_open(const char *path, hwl_log **out, hwl_error *error)
{
    char *text = NULL;
    uint64_t n = 0;
    HWL_TRY(hwl_file_read(path, HWL_LOG_MAX_BYTES, &text, &n, error));
    const hwl_status status = hwl_log_from_text(text, n, path, out, error);
    free(text);
    return status;
}

void hwl_log_free(hwl_log *log)
{
    if (!log)
        return;
    hwl_arena_free(&log->arena);
    free(log);
}

const char *hwl_log_engine(const hwl_log *log)
{
    return engine_names[log->engine];
}

const char *hwl_log_version(const hwl_log *log)
{
    return log->version;
}

const char *hwl_log_model(const hwl_log *log)
{
    return log->model;
}

const char *hwl_log_failure(const hwl_log *log)
{
    return log->failure;
}

bool hwl_log_get_figure(const hwl_log *log, uint32_t index, hwl_log_figure *out)
{
    if (index >= log->n_figures)
        return false;
    *out = log->figures[index];
    return true;
}

bool hwl_log_get_setting(const hwl_log *log, uint32_t index, const char **name, const char **value)
{
    if (index >= log->n_settings)
        return false;
    *name = log->settings[index].name;
    *value = log->settings[index].value;
    return true;
}

bool hwl_log_get_term(const hwl_log *log, uint32_t index, hwl_log_term *out)
{
    if (index >= log->n_terms)
        return false;
    *out = log->terms[index];
    return true;
}

const char *hwl_log_note(const hwl_log *log, uint32_t index)
{
    return index < log->n_notes ? log->notes[index] : NULL;
}
