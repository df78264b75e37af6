/* SPDX-License-Identifier: Apache-2.0 */
/* What a log of vLLM says twice: its own sums, for which no model and no card need be known. */
#include "log/log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The figure, where the log has it once: of several ranks it is not known whose the others are. */
static const hwl_log_figure *only(const struct hwl_log *log, const char *name)
{
    const hwl_log_figure *f = NULL;
    for (uint64_t i = 0; i < log->n_figures; i++) {
        const hwl_log_figure *x = &log->figures[i];
        if (strcmp(x->name, name) != 0)
            continue;
        /* the same figure in a second line, with as many digits or fewer */
        if (f && fabs(f->value - x->value) > f->rounding + x->rounding)
            return NULL;
        f = !f || x->rounding < f->rounding ? x : f;
    }
    return f;
}

static void requested(struct hwl_log *log)
{
    const hwl_log_figure *total = only(log, "total_bytes"), *share = only(log, "gpu_memory_utilization");
    const hwl_log_figure *f = only(log, "requested_bytes");
    if (!total || !share || !f || !(share->value > 0 && share->value <= 1))
        return;
    hwl_log_figure sum = *f;
    /* V0 printed two digits of the share, later releases all of it */
    sum.rounding += total->rounding * share->value + (log->minor_last <= 10 ? total->value * share->rounding : 0);
    hwl_log_add_term(log, "requested_bytes_sum", "", total->value * share->value, &sum, 0,
                     "more was requested than the share of this card: another card, or another utilization",
                     "less was requested than the share of this card: another card, or another utilization");
}

/* requested - weights - outside torch - peak; from 0.21 on the peak holds the graphs' estimate, from 0.27 on one figure
 * stands for weights and what lies outside torch. */
static void left_for_cache(struct hwl_log *log)
{
    static const char *const parts[][3] = {{"consumed_bytes", "activation_and_graph_bytes", NULL},
                                           {"weights_bytes", "non_torch_bytes", "peak_activation_bytes"},
                                           {"weights_bytes", "non_torch_bytes", "activation_and_graph_bytes"}};
    const hwl_log_figure *f = only(log, "available_kv_bytes"), *asked = only(log, "requested_bytes");
    if (!f || !asked)
        return;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        hwl_log_figure sum = *f;
        double left = asked->value;
        sum.rounding += asked->rounding;
        size_t k = 0;
        for (; k < 3 && parts[i][k]; k++) {
            const hwl_log_figure *part = only(log, parts[i][k]);
            if (!part)
                break;
            left -= part->value;
            sum.rounding += part->rounding;
        }
        if (k < 3 && parts[i][k])
            continue;
        hwl_log_add_term(log, "available_kv_bytes_sum", "", left, &sum, 0,
                         "more was left for the cache than the log's own terms leave: memory that is counted apart (sleep mode), or was "
                         "freed in between",
                         "less was left for the cache than the log's own terms leave: a term that is taken off and not printed there, as "
                         "the graphs' estimate from 0.20 on");
        return;
    }
}

static void requests(struct hwl_log *log)
{
    const hwl_log_figure *tokens = only(log, "kv_cache_tokens"), *len = only(log, "concurrency_len");
    const hwl_log_figure *f = only(log, "max_concurrency"), *bytes = only(log, "available_kv_bytes");
    if (tokens && len && f && len->value >= 1) {
        hwl_log_figure sum = *f;
        sum.rounding += 16 / len->value * f->value; /* a request takes whole blocks */
        hwl_log_add_term(log, "max_concurrency_sum", "", tokens->value / len->value, &sum, 0,
                         "the tokens are those of one of several groups of layers (releases before 0.20): a request needs blocks of each, "
                         "and the concurrency is the figure to go by",
                         "fewer requests than tokens: groups of layers with windows or recurrent states hold blocks that no token fills");
    }
    if (tokens && bytes && tokens->value >= 1 && bytes->value > 0)
        hwl_log_add_note(log, "the cache takes %.0f to %.0f bytes a token on a rank", (bytes->value - bytes->rounding) / tokens->value,
                         (bytes->value + bytes->rounding) / tokens->value);
}

void hwl_log_check(hwl_log *log)
{
    if (log->engine != HWL_LOG_VLLM)
        return;
    requested(log);
    left_for_cache(log);
    requests(log);
}

/* Wordings that came and went, by minor number of 0.x: v1/worker/gpu_worker.py, gpu_model_runner.py, v1/core/kv_cache_utils.py,
 * worker/worker.py of the releases. */
static const struct wording {
    const char *text;
    uint8_t first, last;
} wordings[] = {
    {"# GPU blocks: ", 1, 7},
    {"Memory profiling results: total_gpu_memory", 1, 6}, /* until 0.6.4 */
    {"CUDA graph memory profiling is enabled", 20, 99},
    {"# cuda blocks: ", 7, 10},
    {"# CUDA blocks: ", 7, 7},
    {"Loading model weights took ", 1, 8},
    {" GiB and ", 8, 12}, /* of "Model loading took" */
    {" GiB memory and ", 11, 99},
    {"the rest of the memory reserved for KV Cache", 1, 10},
    {"Available KV cache memory: ", 8, 99},
    {"Free memory on device", 9, 99},
    {" GiB for weight, ", 10, 26},
    {"for consumed memory (weights + non-torch)", 27, 99},
    {"Estimated CUDA graph memory: ", 18, 99},
    {"CUDA graph pool memory: ", 18, 99},
};

void hwl_log_read_wording(struct hwl_log *log, const char *line)
{
    const bool loading = strstr(line, "Model loading took ") != NULL;
    const char *size = strstr(line, "KV cache size: ");
    uint8_t first = 0, last = 99;
    if (size && strstr(size, "tokens")) /* since 0.28 the concurrency stands on the same line */
        strstr(size, "Maximum concurrency") ? (first = 28) : (last = 27);
    for (size_t i = 0; i < sizeof wordings / sizeof *wordings; i++) {
        const struct wording *w = &wordings[i];
        if (!strstr(line, w->text) || (strncmp(w->text, " GiB", 4) == 0 && strstr(w->text, " and ") && !loading))
            continue;
        first = w->first > first ? w->first : first;
        last = w->last < last ? w->last : last;
    }
    log->minor_first = first > log->minor_first ? first : log->minor_first;
    log->minor_last = last < log->minor_last ? last : log->minor_last;
}

/* Where in its source a release prints a line, which the line says: "[gpu_worker.py:436]". From the sources of 0.11.2, 0.19.0, 0.29.0
 * and 0.33.0 and from logs that name their release. */
static const struct place {
    uint8_t what, minor, patch;
    uint16_t line;
} places[] = {
    {0, 8, 3, 1273},   {0, 8, 5, 1347},   {0, 9, 1, 1624},   {0, 9, 2, 1801},   {0, 10, 0, 1892},  {0, 10, 1, 2007},  {0, 10, 2, 2392},
    {0, 11, 0, 2653},  {0, 11, 2, 3338},  {0, 12, 0, 3549},  {0, 13, 0, 3659},  {0, 14, 1, 3716},  {0, 15, 0, 4118},  {0, 17, 0, 4338},
    {0, 18, 1, 4566},  {0, 19, 0, 4820},  {0, 20, 0, 4879},  {0, 22, 0, 5132},  {0, 25, 1, 5306},  {0, 26, 0, 5347},  {0, 27, 1, 5405},
    {0, 29, 0, 5471},  {0, 33, 0, 5088},  {1, 8, 3, 578},    {1, 8, 5, 634},    {1, 9, 1, 715},    {1, 9, 2, 716},    {1, 10, 0, 833},
    {1, 10, 1, 849},   {1, 10, 2, 864},   {1, 10, 1, 1013},  {1, 11, 0, 1087},  {1, 11, 2, 1229},  {1, 12, 0, 1286},  {1, 13, 0, 1291},
    {1, 15, 0, 1307},  {1, 17, 0, 1314},  {1, 18, 1, 1316},  {1, 19, 0, 1319},  {1, 20, 0, 1711},  {1, 20, 1, 1766},  {1, 22, 0, 1733},
    {1, 25, 1, 2146},  {1, 27, 1, 2235},  {1, 29, 0, 2032},  {1, 33, 0, 1147},  {2, 9, 1, 227},    {2, 9, 2, 232},    {2, 10, 0, 255},
    {2, 10, 1, 276},   {2, 10, 2, 298},   {2, 11, 2, 359},   {2, 13, 0, 375},   {2, 15, 0, 356},   {2, 17, 0, 424},   {2, 18, 1, 456},
    {2, 19, 0, 436},   {2, 20, 0, 440},   {2, 22, 0, 466},   {2, 25, 1, 538},   {2, 27, 1, 563},   {2, 29, 0, 625},   {2, 33, 0, 772},
};

static const struct {
    const char *file, *text;
} printed[HWL_LOG_PLACES] = {
    {"gpu_model_runner.py:", "odel loading took "}, {"kv_cache_utils.py:", "KV cache size: "}, {"gpu_worker.py:", "Available KV cache memory: "}};

void hwl_log_read_place(struct hwl_log *log, const char *line)
{
    for (size_t i = 0; i < HWL_LOG_PLACES; i++) {
        const char *at = log->place[i] ? NULL : strstr(line, printed[i].file);
        if (!at || !strstr(at, printed[i].text))
            continue;
        uint32_t n = 0;
        for (at += strlen(printed[i].file); *at >= '0' && *at <= '9' && n < 60000; at++)
            n = n * 10 + (uint32_t)(*at - '0');
        log->place[i] = n < 60000 ? (uint16_t)n : 0;
    }
}

bool hwl_log_release_of_places(const struct hwl_log *log, char *out, size_t size)
{
    const struct place *best = NULL;
    bool exact = false;
    for (size_t i = 0; i < HWL_LOG_PLACES && !exact; i++) {
        const struct place *near = NULL;
        for (size_t k = 0; k < sizeof places / sizeof *places && log->place[i]; k++) {
            const struct place *p = &places[k];
            if (p->what == i && p->minor >= log->minor_first && p->minor <= log->minor_last && p->line <= log->place[i] && (!near || p->line > near->line))
                near = p;
        }
        exact = near && near->line == log->place[i];
        if (near && (exact || !best))
            best = near;
    }
    if (best)
        (void)snprintf(out, size, "0.%u.%u", best->minor, best->patch);
    return best != NULL;
}
