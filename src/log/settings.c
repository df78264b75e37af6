/* SPDX-License-Identifier: Apache-2.0 */
/* What was started: version, model, options and cards, from the lines in which an engine shows its configuration. */
#include "log/log.h"

#include <string.h>

static bool is_key(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* The value at p: a quoted text without its quotes, or everything up to a comma or the end of the list, brackets
 * balanced. Returns what follows. */
static const char *value_at(const char *p, struct hwl_str *value)
{
    if (*p == '\'' || *p == '"') {
        const char quote = *p++;
        value->p = p;
        while (*p && *p != quote)
            p += *p == '\\' && p[1] ? 2 : 1;
        value->n = (uint64_t)(p - value->p);
        return *p ? p + 1 : p;
    }
    int depth = 0;
    char quote = 0;
    value->p = p;
    for (; *p; p++) {
        if (quote) {
            if (*p == '\\' && p[1])
                p++;
            else if (*p == quote)
                quote = 0;
            continue;
        }
        if (*p == '\'' || *p == '"')
            quote = *p;
        else if (*p == '(' || *p == '[' || *p == '{')
            depth++;
        else if (*p == ')' || *p == ']' || *p == '}') {
            if (depth-- == 0)
                break;
        } else if (*p == ',' && depth == 0)
            break;
    }
    value->n = (uint64_t)(p - value->p);
    while (value->n && value->p[value->n - 1] == ' ')
        value->n--;
    return p;
}

/* "'key': value, ..." (separator :) or "key=value, ...". */
static void pairs(struct hwl_log *log, const char *p, char separator, bool resolved,
                  void (*take)(struct hwl_log *, struct hwl_str key, struct hwl_str value, bool resolved))
{
    for (int i = 0; *p && i < 2048; i++) {
        struct hwl_str key, value;
        p += strspn(p, " ,");
        const bool quoted = *p == '\'' || *p == '"';
        key.p = quoted ? p + 1 : p;
        const char *end = key.p;
        while (is_key(*end))
            end++;
        key.n = (uint64_t)(end - key.p);
        end += quoted && (*end == '\'' || *end == '"');
        end += strspn(end, " ");
        if (!key.n || *end != separator)
            return;
        end++;
        end += strspn(end, " ");
        p = value_at(end, &value);
        take(log, key, value, resolved);
        if (*p != ',')
            return;
    }
}

/* Options that change no memory and that may hold secrets or paths are passed over at once. */
static const char dull[] = "host port api_key served_model_name root_path uvicorn_log_level log_level ssl_keyfile ssl_certfile "
                           "chat_template tool_call_parser reasoning_parser enable_auto_tool_choice download_dir "
                           "tokenizer tokenizer_path tokenizer_mode revision tokenizer_revision random_seed seed";

static bool is_word(const char *words, struct hwl_str s)
{
    char text[64];
    if (s.n >= sizeof text)
        return false;
    for (uint64_t i = 0; i < s.n; i++)
        text[i] = s.p[i] == '-' ? '_' : s.p[i];
    text[s.n] = 0;
    return hwl_words_have(words, text);
}

static void take_option(struct hwl_log *log, struct hwl_str key, struct hwl_str value, bool resolved)
{
    /* short forms of the degrees, by which devices are counted */
    static const char *const shorts[][2] = {{"tp", "tensor-parallel-size"}, {"pp", "pipeline-parallel-size"}, {"dp", "data-parallel-size"}};
    for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
        if (hwl_str_eq(key, shorts[i][0]))
            key = hwl_str_of(shorts[i][1]);
    if (is_word("model model_path model_tag", key)) {
        if (!*log->model && value.n)
            log->model = hwl_log_copy(log, value.p, value.n);
        return;
    }
    if (hwl_str_eq(value, "None") || hwl_str_eq(value, "null") || is_word(dull, key))
        return;
    hwl_log_set(log, key, value, resolved);
}

/* vLLM's summary of the resolved configuration, and the option that each field came from. */
static void take_summary(struct hwl_log *log, struct hwl_str key, struct hwl_str value, bool resolved)
{
    static const char *const names[][2] = {{"dtype", "dtype"},
                                           {"max_seq_len", "max_model_len"},
                                           {"tensor_parallel_size", "tensor_parallel_size"},
                                           {"pipeline_parallel_size", "pipeline_parallel_size"},
                                           {"data_parallel_size", "data_parallel_size"},
                                           {"decode_context_parallel_size", "decode_context_parallel_size"},
                                           {"quantization", "quantization"},
                                           {"enforce_eager", "enforce_eager"},
                                           {"kv_cache_dtype", "kv_cache_dtype"},
                                           {"enable_prefix_caching", "enable_prefix_caching"}};
    if (hwl_str_eq(key, "model"))
        take_option(log, key, value, resolved);
    if (hwl_str_starts(value, "torch.")) {
        value.p += 6;
        value.n -= 6;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (hwl_str_eq(key, names[i][0]) && !hwl_str_eq(value, "None"))
            hwl_log_set(log, hwl_str_of(names[i][1]), value, resolved);
}

static void take_server_arg(struct hwl_log *log, struct hwl_str key, struct hwl_str value, bool resolved)
{
    if (hwl_log_is_sglang_field(key))
        take_option(log, key, value, resolved);
}

/* The shell's line: "vllm serve MODEL --name value --flag". */
static void command_line(struct hwl_log *log, const char *p, enum hwl_log_engine engine)
{
    struct hwl_str word[2] = {{0}, {0}};
    log->votes[engine]++;
    for (int i = 0; i < 512; i++) {
        p += strspn(p, " \t\\");
        const bool quoted = *p == '\'' || *p == '"';
        const char quote = *p;
        struct hwl_str next = {quoted ? p + 1 : p, 0};
        while (next.p[next.n] && (quoted ? next.p[next.n] != quote : !strchr(" \t", next.p[next.n])))
            next.n++;
        const uint64_t dashes = next.n > 1 && next.p[0] == '-' ? 1 + (next.p[1] == '-') : 0;
        const bool option = !quoted && dashes && next.n > dashes && ((next.p[dashes] | 32) >= 'a' && (next.p[dashes] | 32) <= 'z');
        const bool ends = !*p || (!quoted && strchr("|&;>", *p));
        if (word[0].n && (option || ends || word[1].n)) {
            const char *equals = memchr(word[0].p, '=', word[0].n);
            if (equals) {
                word[1] = (struct hwl_str){equals + 1, word[0].n - (uint64_t)(equals + 1 - word[0].p)};
                word[0].n = (uint64_t)(equals - word[0].p);
            }
            take_option(log, word[0], word[1].n ? word[1] : hwl_str_of("True"), false);
            word[0].n = word[1].n = 0;
        }
        if (ends)
            return;
        if (option)
            word[0] = (struct hwl_str){next.p + dashes, next.n - dashes};
        else if (word[0].n && !word[1].n)
            word[1] = next;
        else if (!*log->model && next.n && *next.p != '-')
            log->model = hwl_log_copy(log, next.p, next.n);
        p = next.p + next.n + (quoted && next.p[next.n]);
    }
}

static void version_behind(struct hwl_log *log, const char *line, const char *phrase)
{
    const char *at = strstr(line, phrase);
    if (!at || *log->version)
        return;
    at += strlen(phrase);
    at += *at == 'v';
    uint64_t n = 0;
    while (n < 60 && (is_key(at[n]) || at[n] == '.' || at[n] == '+'))
        n++;
    if (n && at[0] >= '0' && at[0] <= '9')
        log->version = hwl_log_copy(log, at, n);
}

static void vllm(struct hwl_log *log, const char *line)
{
    const char *at;
    version_behind(log, line, "API server version ");
    version_behind(log, line, "LLM engine (");
    version_behind(log, line, "vLLM server version ");
    if ((at = strstr(line, "\xe2\x96\x88  "))) { /* the banner, drawn in blocks: its lines end in "version V" and "model M" */
        version_behind(log, at, "version ");
        const char *name = strstr(at, "  model   ");
        if (name && !*log->model)
            log->model = hwl_log_copy(log, name + 10, strlen(name + 10));
    }
    if ((at = strstr(line, "non-default args: {"))) {
        log->votes[HWL_LOG_VLLM]++;
        pairs(log, at + 19, ':', false, take_option);
    }
    if ((at = strstr(line, "LLM engine (")) && (at = strstr(at, "with config: "))) {
        log->votes[HWL_LOG_VLLM]++;
        pairs(log, at + 13, '=', true, take_summary);
    }
    if ((at = strstr(line, "vllm serve ")) && !strstr(line, "RuntimeError"))
        command_line(log, at + 11, HWL_LOG_VLLM);
    if ((at = strstr(line, "vllm.entrypoints.openai.api_server ")))
        command_line(log, at + 35, HWL_LOG_VLLM);
}

static void sglang(struct hwl_log *log, const char *line)
{
    const char *at;
    if ((at = strstr(line, "server_args=ServerArgs("))) {
        log->votes[HWL_LOG_SGLANG]++;
        pairs(log, at + 23, '=', true, take_server_arg);
    }
    if ((at = strstr(line, "sglang.launch_server ")))
        command_line(log, at + 21, HWL_LOG_SGLANG);
    if ((at = strstr(line, "sglang serve ")))
        command_line(log, at + 13, HWL_LOG_SGLANG);
    version_behind(log, line, "sglang version: ");
}

static void tensorrt(struct hwl_log *log, const char *line)
{
    static const char *const versions[] = {"TensorRT-LLM version: ", "TensorRT LLM version: ", "TensorRT-LLM Version:   ", "Engine version "};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        version_behind(log, line, versions[i]);
    const char *at = strstr(line, "trtllm-serve ");
    at = at ? at + (strncmp(at + 13, "serve ", 6) == 0 ? 19 : 13) : NULL;
    if (at && (strstr(at, " --") || memchr(at, '/', strcspn(at, " ")))) /* prose names the program too */
        command_line(log, at, HWL_LOG_TENSORRT);
    at = strstr(line, "/models--"); /* the server prints where its model lies, on a line of its own */
    if (*line == '/' && at && strstr(at, "/snapshots/") && !strchr(line, ' ') && !*log->model)
        log->model = hwl_log_copy(log, line, strlen(line));
}

void hwl_log_read_settings(struct hwl_log *log, const char *line, uint64_t number)
{
    vllm(log, line);
    sglang(log, line);
    tensorrt(log, line);
    hwl_log_read_tensorrt(log, line, number);
    hwl_log_read_sglang(log, line, number);
    hwl_log_read_llamacpp(log, line, number);
}
