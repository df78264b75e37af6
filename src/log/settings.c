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

/* "'key': value, ..." (separator :) or "key=value, ...". Was the list's end there? */
static bool pairs(struct hwl_log *log, const char *p, char separator, enum hwl_log_rank rank,
                  void (*take)(struct hwl_log *, struct hwl_str key, struct hwl_str value, enum hwl_log_rank rank))
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
            return *end == '}' || *end == ')';
        end++;
        end += strspn(end, " ");
        p = value_at(end, &value);
        take(log, key, value, rank);
        if (*p != ',')
            return *p == '}' || *p == ')';
    }
    return false;
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

static void take_option(struct hwl_log *log, struct hwl_str key, struct hwl_str value, enum hwl_log_rank rank)
{
    /* short forms of the degrees, by which devices are counted */
    static const char *const shorts[][2] = {{"tp", "tensor-parallel-size"}, {"pp", "pipeline-parallel-size"}, {"dp", "data-parallel-size"}};
    for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
        if (hwl_str_eq(key, shorts[i][0]))
            key = hwl_str_of(shorts[i][1]);
    if (is_word("model model_path model_tag", key)) {
        hwl_log_set_model(log, value, rank);
        return;
    }
    if (is_word("served_model_name", key) && !*log->served) { /* a name or a list of them */
        while (value.n && strchr("['\"", *value.p))
            value.p++, value.n--;
        uint64_t n = 0;
        while (n < value.n && !strchr("'\",]", value.p[n]))
            n++;
        log->served = hwl_log_copy(log, value.p, n);
    }
    if (hwl_str_eq(value, "None") || hwl_str_eq(value, "null") || is_word(dull, key))
        return;
    hwl_log_set_ranked(log, key, value, rank);
}

/* vLLM's summary of the resolved configuration, and the option that each field came from. */
static void take_summary(struct hwl_log *log, struct hwl_str key, struct hwl_str value, enum hwl_log_rank rank)
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
    if (hwl_str_eq(key, "model") || hwl_str_eq(key, "served_model_name"))
        take_option(log, key, value, HWL_LOG_SAID);
    if (hwl_str_starts(value, "torch.")) {
        value.p += 6;
        value.n -= 6;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (hwl_str_eq(key, names[i][0]) && !hwl_str_eq(value, "None"))
            hwl_log_set_ranked(log, hwl_str_of(names[i][1]), value, rank);
}

static void take_server_arg(struct hwl_log *log, struct hwl_str key, struct hwl_str value, enum hwl_log_rank rank)
{
    if (hwl_log_is_sglang_field(key))
        take_option(log, key, value, rank);
}

/* Options that move memory; of lists that hold all of them or other programs' too nothing else is read. */
static bool is_wanted(struct hwl_str key)
{
    static const char wanted[] = "model tensor_parallel_size tp pipeline_parallel_size pp data_parallel_size dp max_model_len gpu_memory_utilization "
                                 "max_num_seqs max_num_batched_tokens quantization kv_cache_dtype dtype enforce_eager enable_expert_parallel "
                                 "speculative_config speculative_model num_speculative_tokens block_size kv_cache_memory_bytes kv_cache_memory "
                                 "cpu_offload_gb limit_mm_per_prompt language_model_only num_gpu_blocks_override enable_prefix_caching "
                                 "no_enable_prefix_caching enable_chunked_prefill compilation_config decode_context_parallel_size enable_lora max_loras "
                                 "max_lora_rank mamba_ssm_cache_dtype mamba_cache_dtype max_seq_len_to_capture served_model_name model_tag load_format";
    return is_word(wanted, key);
}

static void take_wanted(struct hwl_log *log, struct hwl_str key, struct hwl_str value, enum hwl_log_rank rank)
{
    if (is_wanted(key))
        take_option(log, key, value, rank);
}

enum words { WORDS_MODEL, WORDS_OPTIONS, WORDS_LIST }; /* a model and its options; options; those of a file, a line each */

/* The shell's line: "MODEL --name value --flag"; of a file of options the words may be quoted, with commas between them. */
static void command_line(struct hwl_log *log, const char *p, enum words kind)
{
    void (*const take)(struct hwl_log *, struct hwl_str, struct hwl_str, enum hwl_log_rank) = kind == WORDS_LIST ? take_wanted : take_option;
    bool names_model = kind == WORDS_MODEL;
    struct hwl_str word[2] = {{0}, {0}};
    for (int i = 0; i < 512; i++) {
        p += strspn(p, " \t\\,[]");
        const bool quoted = *p == '\'' || *p == '"';
        const char quote = *p;
        struct hwl_str next = {quoted ? p + 1 : p, 0};
        while (next.p[next.n] && (quoted ? next.p[next.n] != quote : !strchr(" \t", next.p[next.n])))
            next.n++;
        p = next.p + next.n + (quoted && next.p[next.n]);
        const bool ends = !next.n || (!quoted && (strchr("|&;>`#", *next.p) || (next.n < 3 && strchr(")}", *next.p))));
        const uint64_t dashes = next.n > 1 && next.p[0] == '-' ? 1 + (next.p[1] == '-') : 0;
        const bool option = dashes && next.n > dashes && ((next.p[dashes] | 32) >= 'a' && (next.p[dashes] | 32) <= 'z');
        if (word[0].n && (option || ends || word[1].n)) {
            const char *equals = memchr(word[0].p, '=', word[0].n);
            if (equals) {
                word[1] = (struct hwl_str){equals + 1, word[0].n - (uint64_t)(equals + 1 - word[0].p)};
                word[0].n = (uint64_t)(equals - word[0].p);
                while (word[1].n > 1 && strchr("'\"", *word[1].p) && word[1].p[word[1].n - 1] == *word[1].p) {
                    word[1].p++;
                    word[1].n -= 2;
                }
            }
            static const char flags[] = "enforce-eager enable-expert-parallel language-model-only enable-prefix-caching no-enable-prefix-caching enable-lora";
            if (ends && !word[1].n && kind == WORDS_LIST && word[0].n < sizeof log->pending && !is_word(flags, word[0])) { /* its value may stand on a line of its own */
                memcpy(log->pending, word[0].p, (size_t)word[0].n);
                log->pending[word[0].n] = 0;
            }
            take(log, word[0], word[1].n ? word[1] : hwl_str_of("True"), HWL_LOG_TYPED);
            word[0].n = word[1].n = 0;
        }
        if (ends)
            return;
        if (option)
            word[0] = (struct hwl_str){next.p + dashes, next.n - dashes};
        else if (word[0].n && !word[1].n)
            word[1] = next;
        else if (names_model) {
            hwl_log_set_model(log, next, HWL_LOG_TYPED);
            names_model = false;
        }
    }
}

/* A line of a file of options, as Kubernetes and Compose have them: "- --tensor-parallel-size=2", "--model X". */
static void option_line(struct hwl_log *log, const char *line)
{
    const char *p = line + strspn(line, " \t"), *prefix = *p == '(' ? strstr(p, "pid=") : NULL;
    if (prefix && prefix - p < 40 && strchr(prefix, ')')) { /* "(vLLMHttpServer pid=361)  '--max_model_len'," */
        p = strchr(prefix, ')') + 1;
        p += strspn(p, " ");
    }
    const bool item = (p[0] == '-' && p[1] == ' ') || *p == '\'' || *p == '"';
    p += *p == '-' && item ? 2 + strspn(p + 2, " ") : 0;
    const char *bare = p + strspn(p, "'\"[");
    if (strncmp(bare, "--", 2) != 0 || !is_key(bare[2])) {
        struct hwl_str value = {bare, strcspn(bare, "'\"]")};
        if (*log->pending && item && value.n)
            take_option(log, hwl_str_of(log->pending), value, HWL_LOG_SAID);
        *log->pending = 0;
        return;
    }
    *log->pending = 0;
    struct hwl_str key = {bare + 2, 0};
    while (is_key(key.p[key.n]))
        key.n++;
    if (is_wanted(key))
        command_line(log, p, WORDS_LIST);
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

/* A call of a program's own: "LLM(model="X", tensor_parallel_size=2,", on one line or on many. */
static void python_call(struct hwl_log *log, const char *line)
{
    static const char *const calls[] = {"LLM(", "EngineArgs("};
    const char *p = line + strspn(line, " \t>");
    for (size_t i = 0; i < sizeof calls / sizeof *calls && !log->in_call; i++) {
        const char *at = strstr(line, calls[i]);
        if (!at || strstr(line, "import ") || strstr(line, ".py"))
            continue;
        p = at + strlen(calls[i]);
        log->in_call = true;
    }
    if (!log->in_call)
        return;
    log->in_call = *p != ')' && !pairs(log, p + strspn(p, " "), '=', HWL_LOG_TYPED, take_wanted);
}

/* What follows the program's name in a command; NULL where prose names it. */
static const char *command_behind(const char *line, const char *program)
{
    const char *at = strstr(line, program);
    if (!at || strstr(line, "RuntimeError"))
        return NULL;
    at += strlen(program);
    at += strspn(at, " ");
    const size_t word = strcspn(at, " `");
    bool named = *at == '-' || memchr(at, '/', word) || strstr(at, " --");
    for (size_t i = 0; i < word && !named; i++)
        named = at[i] >= '0' && at[i] <= '9';
    return named && word ? at : NULL;
}

static void commands(struct hwl_log *log, const char *line, uint64_t number)
{
    static const struct {
        const char *program;
        bool names_model;
    } programs[] = {{"vllm serve ", true}, {"vllm.entrypoints.openai.api_server ", false}, {"vllm.entrypoints.api_server ", false}};
    const char *at;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if ((at = command_behind(line, programs[i].program))) {
            log->votes[HWL_LOG_VLLM]++;
            hwl_log_new_start(log, number);
            command_line(log, at, programs[i].names_model && *at != '-' ? WORDS_MODEL : WORDS_OPTIONS);
            return;
        }
    static const char *const images[] = {"vllm/vllm-openai:", "rocm/vllm:", "vllm-openai-rocm:"};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        if ((at = strstr(line, images[i])) && strstr(at, " -") && strstr(line, "run")) {
            log->votes[HWL_LOG_VLLM]++;
            hwl_log_new_start(log, number);
            command_line(log, at + strcspn(at, " "), WORDS_LIST);
            return;
        }
    option_line(log, line);
    python_call(log, line);
}

/* A release that is told by something else than the engine that ran. */
static void said_version(struct hwl_log *log, const char *line)
{
    static const char *const phrases[] = {"vLLM Version", "vllm/vllm-openai:", "vllm==", "vllm version", "vLLM version", "vllm-openai-rocm:"};
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases && !*log->said_version; i++) {
        const char *at = strstr(line, phrases[i]);
        if (!at)
            continue;
        at += strlen(phrases[i]);
        at += strspn(at, " :=");
        at += *at == 'v';
        uint64_t n = 0;
        while (n < 60 && (is_key(at[n]) || at[n] == '.' || at[n] == '+'))
            n++;
        if (n > 2 && at[0] >= '0' && at[0] <= '9' && at[1] == '.')
            log->said_version = hwl_log_copy(log, at, n);
    }
}

/* What an engine says of its own choice beside the list of its arguments. */
static void choices(struct hwl_log *log, const char *line)
{
    const char *at = strstr(line, "Resolved architecture: ");
    if (at && !*log->architecture)
        log->architecture = hwl_log_copy(log, at + 23, strcspn(at + 23, " ,"));
    if (strstr(line, "FlashInfer resolved query dtypes") && strstr(line, "kv_cache_dtype=torch.float8_e4m3fn")) /* the checkpoint may ask for it */
        hwl_log_set_ranked(log, hwl_str_of("kv-cache-dtype"), hwl_str_of("fp8"), HWL_LOG_SAID);
    log->flashinfer_sampler = log->flashinfer_sampler || strstr(line, "Using FlashInfer for top-p & top-k sampling");
    at = strstr(line, " data type to store kv cache");
    if (at) { /* "Using fp8 data type to store kv cache." */
        const char *p = at;
        while (p > line && (is_key(p[-1])))
            p--;
        if (p < at && strncmp(p, "auto", 4) != 0 && (p < line + 6 || strncmp(p - 6, "Using ", 6) == 0))
            hwl_log_set_ranked(log, hwl_str_of("kv-cache-dtype"), (struct hwl_str){p, (uint64_t)(at - p)}, HWL_LOG_SAID);
    }
}

static void vllm(struct hwl_log *log, const char *line, uint64_t number)
{
    const char *at;
    const bool begins = strstr(line, "API server version ") || strstr(line, "non-default args: {") || strstr(line, " args: Namespace(");
    if (begins || (strstr(line, "LLM engine (v") && strstr(line, "nitializing ")))
        hwl_log_new_start(log, number);
    version_behind(log, line, "API server version ");
    version_behind(log, line, "LLM engine (");
    version_behind(log, line, "vLLM server version ");
    said_version(log, line);
    choices(log, line);
    if ((at = strstr(line, "\xe2\x96\x88  "))) { /* the banner, drawn in blocks: its lines end in "version V" and "model M" */
        version_behind(log, at, "version ");
        const char *name = strstr(at, "  model   ");
        if (name)
            hwl_log_set_model(log, hwl_str_of(name + 10), HWL_LOG_SAID);
    }
    if ((at = strstr(line, "non-default args: {"))) {
        log->votes[HWL_LOG_VLLM]++;
        log->whole = pairs(log, at + 19, ':', HWL_LOG_CHANGED, take_option) || log->whole;
    }
    if ((at = strstr(line, " args: Namespace("))) { /* before 0.8, defaults too */
        log->votes[HWL_LOG_VLLM]++;
        log->whole = pairs(log, at + 17, '=', HWL_LOG_ARGS, take_wanted) || log->whole;
    }
    if ((at = strstr(line, "LLM engine (")) && (at = strstr(at, "with config: "))) {
        log->votes[HWL_LOG_VLLM]++;
        (void)pairs(log, at + 13, '=', HWL_LOG_RESOLVED, take_summary);
    }
    commands(log, line, number);
}

static void sglang(struct hwl_log *log, const char *line)
{
    const char *at;
    if ((at = strstr(line, "server_args=ServerArgs("))) {
        log->votes[HWL_LOG_SGLANG]++;
        (void)pairs(log, at + 23, '=', HWL_LOG_RESOLVED, take_server_arg);
    }
    static const char *const programs[] = {"sglang.launch_server ", "sglang serve "};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if ((at = strstr(line, programs[i]))) {
            log->votes[HWL_LOG_SGLANG]++;
            command_line(log, at + strlen(programs[i]), WORDS_MODEL);
        }
    version_behind(log, line, "sglang version: ");
}

static void tensorrt(struct hwl_log *log, const char *line)
{
    static const char *const versions[] = {"TensorRT-LLM version: ", "TensorRT LLM version: ", "TensorRT-LLM Version:   ", "Engine version "};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        version_behind(log, line, versions[i]);
    const char *at = strstr(line, "trtllm-serve ");
    at = at ? at + (strncmp(at + 13, "serve ", 6) == 0 ? 19 : 13) : NULL;
    if (at && (strstr(at, " --") || memchr(at, '/', strcspn(at, " ")))) { /* prose names the program too */
        log->votes[HWL_LOG_TENSORRT]++;
        command_line(log, at, WORDS_MODEL);
    }
    at = strstr(line, "/models--"); /* the server prints where its model lies, on a line of its own */
    if (*line == '/' && at && strstr(at, "/snapshots/") && !strchr(line, ' ') && !*log->model)
        hwl_log_set_model(log, hwl_str_of(line), HWL_LOG_RESOLVED);
}

void hwl_log_read_settings(struct hwl_log *log, const char *line, uint64_t number)
{
    vllm(log, line, number);
    sglang(log, line);
    tensorrt(log, line);
    hwl_log_read_tensorrt(log, line, number);
    hwl_log_read_sglang(log, line, number);
    hwl_log_read_llamacpp(log, line, number);
    hwl_log_read_ollama(log, line, number);
}
