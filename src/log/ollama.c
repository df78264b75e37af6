/* SPDX-License-Identifier: Apache-2.0 */
/* Ollama's own lines, key=value: the request with which it loads, what its engine allocates, which file that was. What its
 * llama.cpp prints beside is read as llama.cpp's; then Ollama's sizes are what it reckoned before, and stay out. */
#include "base/str.h"
#include "log/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value behind key=, without quotes; n 0 where the line has none. */
static struct hwl_str field(const char *line, const char *key)
{
    const char *p = strstr(line, key);
    if (!p || (p > line && p[-1] != ' '))
        return (struct hwl_str){"", 0};
    p += strlen(key);
    if (*p == '"')
        return (struct hwl_str){p + 1, strcspn(p + 1, "\"")};
    return (struct hwl_str){p, strcspn(p, " ")};
}

/* "18.5 GiB", "190.5 MiB", "0 B" */
static bool size_of(struct hwl_str text, double *bytes, double *rounding)
{
    static const char units[] = "KMGT";
    double v, r, unit = 1;
    const uint64_t n = text.n ? hwl_log_number(text.p, &v, &r) : 0;
    if (!n || n + 2 > text.n || text.p[n] != ' ')
        return false;
    const char *at = text.p[n + 1] == 'B' ? NULL : strchr(units, text.p[n + 1]);
    if (text.p[n + 1] != 'B' && (!at || text.n < n + 4 || strncmp(text.p + n + 2, "iB", 2) != 0))
        return false;
    for (const char *u = units; at && u <= at; u++)
        unit *= 1024;
    *bytes = v * unit;
    *rounding = (r > 0 ? r : 0.5) * unit;
    return v >= 0 && *bytes < 1e18;
}

static void word_of(struct hwl_log *log, const char *line, const char *key, const char *option)
{
    const char *p = strstr(line, key);
    struct hwl_str value = {p ? p + strlen(key) : "", 0};
    value.n = strcspn(value.p, " }\"");
    if (!value.n)
        return;
    if (strcmp(option, "flash-attn") == 0)
        value = hwl_str_of(hwl_str_starts(value, "Auto") ? "auto" : *value.p == 't' || *value.p == 'E' ? "on" : "off");
    hwl_log_set(log, hwl_str_of(option), value, false);
}

/* msg=load request="{Operation:commit LoraPath:[] Parallel:1 BatchSize:512 FlashAttention:Auto KvSize:4096 KvCacheType: ...}":
 * rows of a graph, and as many for each sequence in a batch. */
static void request(struct hwl_log *log, const char *line)
{
    const char *p = strstr(line, "{Operation:commit ");
    char text[24];
    if (!p)
        return;
    log->votes[HWL_LOG_LLAMACPP]++;
    word_of(log, p, " Parallel:", "parallel");
    word_of(log, p, " KvSize:", "ctx-size");
    word_of(log, p, " FlashAttention:", "flash-attn");
    word_of(log, p, " KvCacheType:", "cache-type-k");
    word_of(log, p, " KvCacheType:", "cache-type-v");
    word_of(log, p, " BatchSize:", "ubatch-size");
    const char *rows = strstr(p, " BatchSize:"), *slots = strstr(p, " Parallel:");
    const unsigned long n = rows ? strtoul(rows + 11, NULL, 10) : 0, m = slots ? strtoul(slots + 10, NULL, 10) : 0;
    if (n && m && n <= 1u << 20 && m <= 1u << 10) {
        (void)snprintf(text, sizeof text, "%lu", n * m);
        hwl_log_set(log, hwl_str_of("batch-size"), hwl_str_of(text), false);
    }
}

/* msg="model weights" device=CUDA0 size="18.5 GiB": a list is printed for each try; the last stays. */
static void allocated(struct hwl_log *log, const char *line, uint64_t number)
{
    static const struct {
        const char *msg, *name;
    } kinds[] = {{"msg=\"model weights\"", "weights_bytes"}, {"msg=\"kv cache\"", "context_bytes"}, {"msg=\"compute graph\"", "compute_bytes"}};
    static const char *const devices[] = {"device=", "buffer_type=", "buffer="};
    struct hwl_str device = {"", 0};
    double bytes, rounding;
    for (size_t i = 0; i < sizeof devices / sizeof *devices && !device.n; i++)
        device = field(line, devices[i]);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!strstr(line, kinds[i].msg) || !device.n || device.n > 40 || !size_of(field(line, "size="), &bytes, &rounding))
            continue;
        log->votes[HWL_LOG_LLAMACPP]++;
        if (i == 0 && log->n_allocated && strcmp(log->allocated[log->n_allocated - 1].name, kinds[0].name) != 0)
            log->n_allocated = 0;
        if (log->n_allocated < sizeof log->allocated / sizeof *log->allocated)
            log->allocated[log->n_allocated++] = (hwl_log_figure){
                .name = kinds[i].name, .device = hwl_log_copy(log, device.p, device.n), .value = bytes, .rounding = rounding, .line = number};
    }
}

/* msg="" architecture=gemma3 file_type=Q4_0 name="Gemma 3 4b It" description="" num_tensors=883 */
static void file(struct hwl_log *log, const char *line)
{
    const struct hwl_str arch = field(line, "architecture="), type = field(line, "file_type="), name = field(line, "name=");
    if (!arch.n || !type.n || !strstr(line, "num_tensors="))
        return;
    log->votes[HWL_LOG_LLAMACPP]++;
    if (name.n)
        hwl_log_set(log, hwl_str_of("general.name"), name, false);
    if (!*log->file_type)
        log->file_type = hwl_log_copy(log, type.p, type.n);
}

/* msg="Listening on 127.0.0.1:11434 (version 0.13.5)": up to 0.29 the llama.cpp of one row is in it. */
static void release(struct hwl_log *log, const char *line)
{
    const char *p = strstr(line, "msg=\"Listening on "), *v = p ? strstr(p, "(version 0.") : NULL;
    const unsigned long minor = v ? strtoul(v + 11, NULL, 10) : 0;
    if (minor >= 13 && minor < 30 && !*log->era)
        log->era = "b7200";
}

/* msg="offload to cuda" layers.model=33 layers.offload=33 memory.required.kv="1.0 GiB" ...: what Ollama reckoned before it
 * started llama.cpp's server. Its cache is what was asked for; weights and graphs are bounds. */
static void reckoned(struct hwl_log *log, const char *line, uint64_t number)
{
    static const char *const keys[][2] = {{"memory.required.kv=", "reckoned_kv_bytes"}, {"memory.weights.total=", "reckoned_weights_bytes"},
                                          {"memory.graph.full=", "reckoned_graph_bytes"}, {"memory.required.full=", "reckoned_bytes"}};
    const struct hwl_str of = field(line, "layers.offload="), all = field(line, "layers.model=");
    double bytes, rounding;
    char text[24];
    if (!of.n || !all.n || !strstr(line, keys[0][0]))
        return;
    log->votes[HWL_LOG_LLAMACPP]++;
    const unsigned long n = strtoul(of.p, NULL, 10), m = strtoul(all.p, NULL, 10);
    (void)snprintf(text, sizeof text, "%lu", n >= m ? 999 : n);
    hwl_log_set(log, hwl_str_of("n-gpu-layers"), hwl_str_of(text), false);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (size_of(field(line, keys[i][0]), &bytes, &rounding)) {
            const hwl_log_figure f = {.name = keys[i][1], .device = "", .value = bytes, .rounding = rounding, .line = number};
            hwl_log_add_figure(log, &f);
        }
}

/* msg="starting llama server" cmd="/tmp/ollama/ollama_llama_server --model ... --ctx-size 8192 --batch-size 512 --parallel 4" */
static void started(struct hwl_log *log, const char *line)
{
    const char *p = strstr(line, " cmd=");
    if (!p || !strstr(p, "ollama"))
        return;
    word_of(log, p, "--ctx-size ", "ctx-size");
    word_of(log, p, "--batch-size ", "batch-size");
    word_of(log, p, "--n-gpu-layers ", "n-gpu-layers");
    word_of(log, p, "--parallel ", "parallel");
    word_of(log, p, "--kv-cache-type ", "cache-type-k");
    word_of(log, p, "--kv-cache-type ", "cache-type-v");
}

void hwl_log_read_ollama(struct hwl_log *log, const char *line, uint64_t number)
{
    if (!strstr(line, "msg="))
        return;
    request(log, line);
    allocated(log, line, number);
    file(log, line);
    reckoned(log, line, number);
    started(log, line);
    release(log, line);
}

/* Once all lines are read: sizes of Ollama's engine become figures where no llama.cpp printed its own. */
void hwl_log_settle_ollama(struct hwl_log *log)
{
    for (uint64_t i = 0; i < log->n_figures; i++)
        if (*log->figures[i].device)
            return;
    log->own_engine = log->n_allocated > 0;
    for (uint32_t i = 0; i < log->n_allocated; i++)
        hwl_log_add_figure(log, &log->allocated[i]);
}
