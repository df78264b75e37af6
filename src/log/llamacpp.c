/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of llama.cpp's start-up: command line, metadata, devices, context, caches. The words are those of builds from 2024 on
 * (llm_load_print_meta and print_info of llama-model.cpp, llama_model_loader.cpp, llama-context.cpp, llama-kv-cache*.cpp,
 * llama-memory-recurrent.cpp). */
#include "log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

/* "build: 5192 (e59a5f1e) with cc", "main: build = 2833 (d46dbc76)", "build_info: b9010-d05fe1d7d", "version: 6431 (0a1b2c3d)".
 * A shallow clone counts from 1: then only the commit says what it is. */
static void build(struct hwl_log *log, const char *line)
{
    static const char *const words[] = {"build: ", "main: build = ", "build_info: ", "build info: ", "version: ", NULL};
    const char *p = NULL;
    if (*log->version)
        return;
    for (const char *const *w = words; *w && !p; w++) {
        p = strstr(line, *w);
        p = p ? p + strlen(*w) : NULL;
        p = p ? p + (*p == 'b') : NULL;
        const size_t n = p ? strspn(p, "0123456789") : 0;
        if (!n || n > 5 || (p[n] != '-' && strncmp(p + n, " (", 2) != 0 && strncmp(p + n, " with", 5) != 0)) {
            p = NULL;
            continue;
        }
        const char *commit = p + n + (p[n] == '-' ? 1 : 2);
        const size_t hex = strspn(commit, "0123456789abcdef");
        if (n > 3)
            log->version = hwl_log_copy(log, p, n);
        else if (hex >= 7 && hex <= 40)
            log->version = hwl_log_copy(log, commit, hex);
    }
}

/* The value of "KEY   = value" at p. */
static bool assigned(const char *p, const char *key, struct hwl_str *value)
{
    const size_t n = strlen(key);
    if (strncmp(p, key, n) != 0)
        return false;
    p += n;
    p += strspn(p, " ");
    if (*p != '=')
        return false;
    p++;
    p += strspn(p, " ");
    value->p = p;
    value->n = strlen(p);
    return value->n > 0;
}

/* What a line says behind one of these words, or NULL. */
static const char *behind(const char *line, const char *const *words)
{
    for (; *words; words++) {
        const char *at = strstr(line, *words);
        if (at)
            return at + strlen(*words);
    }
    return NULL;
}

void hwl_log_set_meta(struct hwl_log *log, struct hwl_str key, struct hwl_str value)
{
    char name[80];
    while (key.n && key.p[key.n - 1] == ' ')
        key.n--;
    if (!key.n || key.n >= sizeof name || log->n_meta >= HWL_LOG_MAX_META)
        return;
    memcpy(name, key.p, key.n);
    name[key.n] = 0;
    for (uint64_t i = 0; i < log->n_meta; i++)
        if (strcmp(log->meta[i].name, name) == 0)
            return; /* the first model is the target */
    struct hwl_log_setting *list = hwl_arena_grow(&log->arena, log->meta, &log->cap_meta, log->n_meta + 1, sizeof *list);
    if (!list) {
        log->nomem = true;
        return;
    }
    log->meta = list;
    list[log->n_meta++] = (struct hwl_log_setting){.name = hwl_log_copy(log, name, key.n), .value = hwl_log_copy(log, value.p, value.n), .resolved = true};
}

const char *hwl_log_meta(const struct hwl_log *log, const char *key)
{
    for (uint64_t i = 0; i < log->n_meta; i++)
        if (strcmp(log->meta[i].name, key) == 0)
            return log->meta[i].value;
    return NULL;
}

/* "print_info: n_embd = 4096", "llm_load_print_meta: n_embd = 4096". */
static void print_info(struct hwl_log *log, const char *line)
{
    static const char *const words[] = {"print_info: ", "llm_load_print_meta: ", NULL};
    struct hwl_str value;
    const char *p = behind(line, words), *equals = p ? strchr(p, '=') : NULL;
    if (!p || !equals || equals == p)
        return;
    log->votes[HWL_LOG_LLAMACPP]++;
    value.p = equals + 1 + strspn(equals + 1, " ");
    value.n = strlen(value.p);
    hwl_log_set_meta(log, (struct hwl_str){p, (uint64_t)(equals - p)}, value);
    if (assigned(p, "general.name", &value))
        hwl_log_set(log, hwl_str_of("general.name"), value, true);
    if ((assigned(p, "file type", &value) || assigned(p, "model ftype", &value)) && !*log->file_type)
        log->file_type = hwl_log_copy(log, value.p, value.n);
}

/* "llama_model_loader: - kv   5:  qwen3.block_count u32 = 36": of an architecture's keys the part behind its name. */
static void key_value(struct hwl_log *log, const char *line)
{
    const char *p = strstr(line, "llama_model_loader: - kv ");
    const char *colon = p ? strchr(p + 25, ':') : NULL, *equals = colon ? strstr(colon, " = ") : NULL;
    if (!equals)
        return;
    p = colon + 1 + strspn(colon + 1, " ");
    log->votes[HWL_LOG_LLAMACPP]++;
    struct hwl_str key = {p, strcspn(p, " ")}, value = {equals + 3 + strspn(equals + 3, " "), 0};
    value.n = strlen(value.p);
    if (key.p + key.n > equals)
        return;
    const char *dot = memchr(key.p, '.', key.n);
    if (dot && !hwl_str_starts(key, "general.") && !hwl_str_starts(key, "tokenizer.") && !hwl_str_starts(key, "quantize.")) {
        key.n -= (uint64_t)(dot + 1 - key.p);
        key.p = dot + 1;
    }
    hwl_log_set_meta(log, key, value);
}

/* "llama_model_loader: - type q4_K:  193 tensors" */
static void type_count(struct hwl_log *log, const char *line)
{
    const char *p = strstr(line, "llama_model_loader: - type ");
    char key[40];
    if (!p)
        return;
    p += 27;
    p += strspn(p, " ");
    const size_t n = strcspn(p, ":");
    if (!n || n > 16 || p[n] != ':')
        return;
    (void)snprintf(key, sizeof key, "type %.*s", (int)n, p);
    p += n + 1;
    p += strspn(p, " ");
    hwl_log_set_meta(log, hwl_str_of(key), (struct hwl_str){p, strspn(p, "0123456789")});
}

/* "loaded meta data with 43 key-value pairs and 1131 tensors from PATH (version GGUF V3 (latest))" */
static void loader(struct hwl_log *log, const char *line)
{
    const char *p = strstr(line, "loaded meta data with "), *end = p ? strstr(p, " (version") : NULL;
    const char *from = end ? strstr(p, " from ") : NULL;
    if (!from || from > end)
        return;
    log->votes[HWL_LOG_LLAMACPP]++;
    log->n_models++;
    const char *tensors = strstr(p, " and ");
    if (tensors && tensors < from)
        hwl_log_set_meta(log, hwl_str_of("n_tensors"), (struct hwl_str){tensors + 5, strspn(tensors + 5, "0123456789")});
    if (!*log->model)
        log->model = hwl_log_copy(log, from + 6, (uint64_t)(end - (from + 6)));
}

/* "llama_context: n_ctx         = 4096" and what the option is called. */
static void context_line(struct hwl_log *log, const char *line)
{
    static const char *const words[] = {"llama_context: ", "llama_new_context_with_model: ", "llama_init_from_model: ", NULL};
    static const char *const names[][2] = {{"n_ctx", "ctx-size"},   {"n_batch", "batch-size"},        {"n_ubatch", "ubatch-size"},
                                           {"n_seq_max", "parallel"}, {"flash_attn", "flash-attn"},   {"kv_unified", "kv-unified"},
                                           {"n_rs_seq", "n-rs-seq"},  {"n_outputs_max", "n-outputs-max"}};
    const char *p = behind(line, words);
    struct hwl_str value;
    if (!p)
        return;
    if (strstr(p, " input buffer size "))
        log->era = "b2295";
    if (!*log->era || strncmp(p, "n_outputs_max ", 14) == 0 || strncmp(p, "n_ctx_seq ", 10) == 0)
        log->era = strncmp(p, "n_outputs_max ", 14) == 0   ? "v0.5.0"
                   : strcmp(log->era, "v0.5.0") == 0       ? log->era
                   : strncmp(p, "n_ctx_seq ", 10) == 0     ? "63d93d173"
                   : strncmp(p, "n_ctx_per_seq ", 14) == 0 ? "4227c9be4"
                   : strstr(line, "llama_new_context")     ? "b4500"
                                                           : "";
    if (strncmp(p, "constructing ", 13) == 0 || (strncmp(p, "n_seq_max ", 10) == 0 && !log->fresh_context))
        log->n_contexts++;
    log->fresh_context = strncmp(p, "constructing ", 13) == 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!assigned(p, names[i][0], &value))
            continue;
        log->votes[HWL_LOG_LLAMACPP]++;
        const char c = *value.p;
        if (i == 4) /* 0 and 1 of older builds, words of newer */
            value = hwl_str_of(c == '1' || hwl_str_starts(value, "enabled") || hwl_str_eq(value, "on") ? "on" : c == '0' || c == 'd' || hwl_str_eq(value, "off") ? "off" : "auto");
        if (i == 5)
            value = hwl_str_of(c == 't' || c == '1' ? "True" : "False");
        hwl_log_set(log, hwl_str_of(names[i][1]), value, true);
        return;
    }
}

/* What "auto" became: "Flash Attention was auto, set to enabled". */
static void flash_attention(struct hwl_log *log, const char *line)
{
    const char *p = strstr(line, "Flash Attention was auto, set to ");
    if (p)
        hwl_log_set(log, hwl_str_of("flash-attn-resolved"), hwl_str_of(strncmp(p + 33, "enabled", 7) == 0 ? "on" : "off"), true);
}

/* "size = 1536.00 MiB ( 16384 cells,  48 layers,  1 seqs)" of a cache of keys and values. */
static void cells(struct hwl_log *log, const char *line, uint64_t number)
{
    const char *at = strstr(line, " cells,"), *layers = at ? strstr(at, " layers,") : NULL;
    if (!layers || strstr(line, "recurrent") || !strstr(line, "kv_cache"))
        return;
    static const char *const names[] = {"kv_cells", "kv_layers"};
    const char *ends[2] = {at, layers};
    for (int i = 0; i < 2; i++) {
        const char *p = ends[i];
        double v, r;
        while (p > line && p[-1] >= '0' && p[-1] <= '9')
            p--;
        if (!hwl_log_number(p, &v, &r))
            continue;
        const hwl_log_figure f = {.name = names[i], .device = "", .value = v, .line = number};
        hwl_log_add_figure(log, &f);
    }
}

/* The types of K and V: "K (f16): 256.00 MiB, V (f16): 256.00 MiB", of older builds "type_k = 'f16', type_v = 'f16'"; and
 * "4/1 seqs": sequences over streams. */
static void cache_line(struct hwl_log *log, const char *line, uint64_t number)
{
    const char *k = strstr(line, "K ("), *v = k ? strstr(k, ", V (") : NULL, *seqs;
    if (v && strstr(line, "MiB")) {
        hwl_log_set(log, hwl_str_of("cache-type-k"), (struct hwl_str){k + 3, strcspn(k + 3, ")")}, true);
        hwl_log_set(log, hwl_str_of("cache-type-v"), (struct hwl_str){v + 5, strcspn(v + 5, ")")}, true);
    }
    k = strstr(line, "type_k = '");
    v = k ? strstr(k, "type_v = '") : NULL;
    if (v) {
        hwl_log_set(log, hwl_str_of("cache-type-k"), (struct hwl_str){k + 10, strcspn(k + 10, "'")}, true);
        hwl_log_set(log, hwl_str_of("cache-type-v"), (struct hwl_str){v + 10, strcspn(v + 10, "'")}, true);
    }
    if (strstr(line, "using full-size SWA cache"))
        hwl_log_set(log, hwl_str_of("swa-full"), hwl_str_of("true"), true);
    log->own_latent = log->own_latent || strstr(line, "c^KV");
    cells(log, line, number);
    if (strstr(line, " cells,") && (seqs = strstr(line, " seqs)"))) {
        const char *p = seqs;
        while (p > line && ((p[-1] >= '0' && p[-1] <= '9') || p[-1] == '/'))
            p--;
        char *end;
        const unsigned long n = strtoul(p, &end, 10), streams = *end == '/' ? strtoul(end + 1, NULL, 10) : 0;
        if (n > 1 && streams)
            hwl_log_set(log, hwl_str_of("kv-unified"), hwl_str_of(streams == 1 ? "True" : "False"), true);
    }
}

void hwl_log_add_gpu(struct hwl_log *log, struct hwl_str id, struct hwl_str name, uint64_t total, uint64_t free_bytes)
{
    if (!id.n || id.n > 40 || name.n > 90)
        return;
    for (uint32_t i = 0; i < log->n_gpus; i++) {
        struct hwl_log_gpu *g = &log->gpu[i];
        if (!hwl_str_eq(id, g->id))
            continue;
        g->total = g->total ? g->total : total;
        g->free = g->free ? g->free : free_bytes;
        if (!*g->name && name.n)
            g->name = hwl_log_copy(log, name.p, name.n);
        return;
    }
    if (log->n_gpus < sizeof log->gpu / sizeof *log->gpu)
        log->gpu[log->n_gpus++] = (struct hwl_log_gpu){hwl_log_copy(log, id.p, id.n), hwl_log_copy(log, name.p, name.n), total, free_bytes};
}

/* "using device CUDA0 (NVIDIA RTX A6000) (0000:01:00.0) - 48267 MiB free" */
static void device_line(struct hwl_log *log, const char *line)
{
    const char *p = strstr(line, "using device "), *paren = p ? strchr(p, '(') : NULL;
    const char *dash = paren ? strstr(paren, " - ") : NULL;
    double mib = 0, r;
    if (!dash || !strstr(dash, " MiB free") || !hwl_log_number(dash + 3, &mib, &r) || !(mib >= 0 && mib < 1e9))
        return;
    log->votes[HWL_LOG_LLAMACPP]++;
    hwl_log_add_gpu(log, (struct hwl_str){p + 13, strcspn(p + 13, " (")}, (struct hwl_str){paren + 1, strcspn(paren + 1, ")")}, 0, (uint64_t)mib * MIB);
}

/* The memory table, MiB: "|   - CUDA0 (RTX 4090)   | 24080 = 9436 + (14193 = 13187 +     169 +     837) +         451 |",
 * of the host "|   - Host   |   376 =   204 +       0 +     172 |". Its figures are cut, not rounded. */
static void table_line(struct hwl_log *log, const char *line, uint64_t number)
{
    static const char *const names[] = {"weights_bytes", "context_bytes", "compute_bytes"};
    const char *p = strstr(line, "| "), *bar = p ? strchr(p + 1, '|') : NULL, *name = p ? p + 2 + strspn(p + 2, " ") : NULL;
    if (!bar || !strstr(line, "memory_breakdown") || !name || name[0] != '-' || name[1] != ' ')
        return;
    name += 2;
    const size_t n = strcspn(name, " |");
    const char *own = strchr(bar, '('), *cells = strchr(own ? own : bar, '=');
    double v[3], total = 0, r;
    if (!n || n > 40 || !cells)
        return;
    cells++;
    for (int i = 0; i < 3; i++) {
        cells += strspn(cells, " +");
        const uint64_t used = hwl_log_number(cells, &v[i], &r);
        if (!used || !(v[i] >= 0 && v[i] < 1e9))
            return;
        cells += used;
    }
    const char *device = hwl_log_copy(log, name, n);
    for (int i = 0; i < 3; i++) {
        log->votes[HWL_LOG_LLAMACPP]++;
        const hwl_log_figure f = {.name = names[i], .device = device, .value = (v[i] + (v[i] > 0 ? 0.5 : 0)) * (double)MIB,
                                  .rounding = 0.5 * (double)MIB, .line = number};
        hwl_log_add_table_figure(log, &f);
    }
    if (own && hwl_log_number(bar + 1 + strspn(bar + 1, " "), &total, &r) && total > 0 && total < 1e9) {
        const char *paren = strchr(name, '(');
        struct hwl_str what = paren && paren < bar ? (struct hwl_str){paren + 1, strcspn(paren + 1, ")|")} : (struct hwl_str){"", 0};
        hwl_log_add_gpu(log, (struct hwl_str){name, n}, what, (uint64_t)total * MIB, 0);
    }
}

static void offloaded(struct hwl_log *log, const char *line)
{
    const char *at = strstr(line, "offloaded ");
    if (!at || !strstr(at, " layers to GPU"))
        return;
    char *end, text[24];
    const unsigned long of = strtoul(at + 10, &end, 10), all = *end == '/' ? strtoul(end + 1, NULL, 10) : 0;
    (void)snprintf(text, sizeof text, "%lu", of >= all ? 999 : of);
    hwl_log_set(log, hwl_str_of("n-gpu-layers"), hwl_str_of(text), true);
    (void)snprintf(text, sizeof text, "%lu", all);
    hwl_log_set_meta(log, hwl_str_of("offloaded of"), hwl_str_of(text));
}

/* Is the word a program of llama.cpp, by the last part of its path? */
static bool is_program(struct hwl_str word)
{
    static const char programs[] = "llama-server llama-cli llama-completion llama-sweep-bench llama-bench llama-perplexity llama-run llama-mtmd-cli "
                                   "llama-fit-params llama-simple llama-batched-bench llama-parallel llama-speculative llama-imatrix";
    char name[40];
    uint64_t start = word.n;
    while (start && word.p[start - 1] != '/' && word.p[start - 1] != '\\')
        start--;
    uint64_t n = word.n - start;
    if (n > 4 && strncmp(word.p + word.n - 4, ".exe", 4) == 0)
        n -= 4;
    if (!n || n >= sizeof name)
        return false;
    memcpy(name, word.p + start, n);
    name[n] = 0;
    return hwl_words_have(programs, name);
}

/* One word of a shell's line at *p, quotes taken off. */
static bool shell_word(const char **p, char *out, size_t size)
{
    size_t n = 0;
    char quote = 0;
    *p += strspn(*p, " \t");
    if (!**p || (strchr("|&;>`", **p)))
        return false;
    for (; **p && (quote || !strchr(" \t", **p)); ++*p) {
        if (!quote && (**p == '\'' || **p == '"')) {
            quote = **p;
            continue;
        }
        if (quote && **p == quote) {
            quote = 0;
            continue;
        }
        if (n + 1 < size)
            out[n++] = **p;
    }
    out[n] = 0;
    return true;
}

static void add_arg(struct hwl_log *log, const char *word)
{
    if (log->n_args < sizeof log->args / sizeof *log->args)
        log->args[log->n_args++] = hwl_log_copy(log, word, strlen(word));
}

/* The shell's line that started it. -fa took no value before August 2025. */
static void command_line(struct hwl_log *log, const char *line)
{
    const char *p = line, *start = strstr(line, "llama-");
    char word[2048];
    if (!start || log->n_args)
        return;
    bool on = false;
    while (shell_word(&p, word, sizeof word)) {
        const struct hwl_str w = hwl_str_of(word);
        if (!on) {
            on = is_program(w);
            continue;
        }
        if (strcmp(word, "\\") == 0)
            continue;
        const char *last = log->n_args ? log->args[log->n_args - 1] : "";
        if ((strcmp(last, "-fa") == 0 || strcmp(last, "--flash-attn") == 0) && !hwl_words_have("on off auto 0 1 -1 true false enabled disabled", word))
            add_arg(log, "on");
        if ((strcmp(last, "-m") == 0 || strcmp(last, "--model") == 0) && !*log->model)
            log->model = hwl_log_copy(log, word, strlen(word));
        add_arg(log, word);
    }
    const char *last = log->n_args ? log->args[log->n_args - 1] : "";
    if (strcmp(last, "-fa") == 0 || strcmp(last, "--flash-attn") == 0)
        add_arg(log, "on");
    if (on && log->n_args) {
        log->votes[HWL_LOG_LLAMACPP]++;
        log->server = log->server || strstr(line, "llama-server") != NULL;
        log->bench = strstr(line, "llama-bench") != NULL;
    }
}

static void server(struct hwl_log *log, const char *line)
{
    static const char *const words[] = {"main: server is listening", "srv  ", "srv    load_model", "server is listening on http", NULL};
    if (behind(line, words))
        log->server = true;
}

void hwl_log_read_llamacpp(struct hwl_log *log, const char *line, uint64_t number)
{
    build(log, line);
    loader(log, line);
    print_info(log, line);
    key_value(log, line);
    type_count(log, line);
    context_line(log, line);
    flash_attention(log, line);
    cache_line(log, line, number);
    device_line(log, line);
    table_line(log, line, number);
    offloaded(log, line);
    command_line(log, line);
    server(log, line);
}
