/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of TensorRT-LLM: of the PyTorch back end (1.0 on: _torch/pyexecutor/_util.py, the printed LlmArgs) and of the one
 * that runs built engines (0.5 on: kvCacheManager.cpp, trtGptModel). */
#include "base/bytes.h"
#include "base/status.h"
#include "engine/tensorrt/tensorrt.h"
#include "log/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define KIB 1024.0
#define MIB (1024.0 * 1024.0)
#define GIB (1024.0 * 1024.0 * 1024.0)

static void put(struct hwl_log *log, const char *name, const char *at, double unit, uint64_t line)
{
    double v, r;
    if (!hwl_log_number(at, &v, &r) || !(v * unit < 1e18))
        return;
    log->votes[HWL_LOG_TENSORRT]++;
    const hwl_log_figure f = {.name = name, .device = "", .value = v * unit, .rounding = r * unit, .line = line};
    hwl_log_add_figure(log, &f);
}

/* The number behind `before`, on a line with `phrase` in front of it. */
static const struct row {
    const char *phrase, *before, *name;
    double unit;
} figures[] = {
    {"Memory used after loading model weights (inside torch)", ": ", "weights_bytes", GIB},
    {"Memory used for model weights (inside torch)", ": ", "weights_bytes", GIB},
    {"Memory used after loading model weights (outside torch)", ": ", "outside_after_load_bytes", GIB},
    {"Memory dynamically allocated during inference (inside torch)", ": ", "peak_activation_bytes", GIB},
    {"Memory used outside torch (e.g., NCCL and CUDA graphs)", ": ", "outside_torch_bytes", GIB},
    {"Peak memory during memory usage profiling", ": ", "peak_bytes", GIB},
    {"Peak memory during memory usage profiling", "when calculating max tokens: ", "available_kv_bytes", GIB},
    {"Peak memory during memory usage profiling", "fraction is set ", "gpu_memory_utilization", 1},
    {"Peak memory during memory usage profiling", "kv size is ", "kv_size_per_token", 1},
    {"Peak memory during memory usage profiling", "kv size per token is ", "kv_size_per_token", 1},
    {"Peak memory during memory usage profiling", "device total memory ", "total_bytes", GIB},
    {"Peak memory during memory usage profiling", "tmp kv_mem ", "temporary_kv_bytes", GIB},
    {"Peak memory during memory usage profiling", "temporary kv cache memory during profiling ", "temporary_kv_bytes", GIB},
    {"Estimated max memory in KV cache", ": ", "kv_limit_bytes", GIB},
    {"[MemUsageChange] Allocated", "for max tokens in paged KV cache (", "max_tokens", 1},
    {"tokens in paged KV cache", "Using ", "max_tokens", 1},
    {"bytes for k/v cache", "Allocate ", "kv_pool_bytes", 1},
    {"Max KV cache blocks per sequence", "primary blocks=", "primary_blocks", 1},
    {"Max KV cache blocks per sequence", "secondary blocks=", "secondary_blocks", 1},
    {"Max KV cache blocks per sequence", "tokens per block=", "tokens_per_block", 1},
    {"Max KV cache blocks per sequence", "max sequence length=", "max_seq_len", 1},
    {"Number of blocks in KV cache primary pool", ": ", "primary_blocks", 1},
    {"Number of blocks in KV cache secondary pool", ": ", "secondary_blocks", 1},
    {"Number of tokens per block", ": ", "tokens_per_block", 1},
    {"max_num_requests=", "max_seq_len=", "max_seq_len", 1},
    {"max_num_requests=", "max_num_requests=", "max_batch_size", 1},
    {"max_num_requests=", "max_num_tokens=", "max_batched_tokens", 1},
    {"calculating max tokens in paged kv cache: ", "total: ", "total_bytes", GIB},
    {"calculating max tokens in paged kv cache: ", "available: ", "free_kv_bytes", GIB},
    {"Loaded engine size", ": ", "weights_bytes", MIB},
    {"Total GPU memory (GiB)", ": ", "total_bytes", GIB},
    {"Free GPU memory before component creation attempt (GiB)", ": ", "free_before_failure_bytes", GIB},
    {"TRTGptModel maxBatchSize", ": ", "max_batch_size", 1},
    {"TRTGptModel maxNumTokens", ": ", "max_batched_tokens", 1},
    {"TRTGptModel maxSequenceLen", ": ", "max_seq_len", 1},
};

/* "[MemUsageChange] Allocated 928.77 MiB for execution context memory.": its "GB" are 2^30 too (memoryCounters.cpp). */
static void allocated(struct hwl_log *log, const char *line, uint64_t number)
{
    static const struct {
        const char *what, *name;
    } kinds[] = {{"for execution context memory", "execution_context_bytes"},
                 {"GPU memory for runtime buffers", "runtime_buffer_bytes"},
                 {"GPU memory for decoder", "decoder_bytes"},
                 {"for max tokens in paged KV cache", "kv_pool_bytes"}};
    const char *at = strstr(line, "[MemUsageChange] Allocated ");
    double v, r;
    if (!at)
        return;
    at += 27;
    const char *unit = at + hwl_log_number(at, &v, &r);
    unit += *unit == ' ';
    const double factor = *unit == 'K' ? KIB : *unit == 'M' ? MIB : *unit == 'G' ? GIB : 1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strstr(unit, kinds[i].what))
            put(log, kinds[i].name, at, factor, number);
}

/* "Model: 139.55 / 110.70", free GiB around the weights and what comes with them (communicators, workspaces), of a start that failed (py_executor_creator.py). */
static void parts(struct hwl_log *log, const char *line, uint64_t number)
{
    double before, after, r;
    const char *at = strncmp(line, "Model: ", 7) == 0 ? line + 7 : NULL;
    const uint64_t n = at ? hwl_log_number(at, &before, &r) : 0;
    if (!n || strncmp(at + n, " / ", 3) != 0 || !hwl_log_number(at + n + 3, &after, &r) || before < after || !(before < 1e6))
        return;
    log->votes[HWL_LOG_TENSORRT]++;
    const hwl_log_figure f = {.name = "model_bytes", .device = "", .value = (before - after) * GIB, .rounding = 2 * r * GIB, .line = number};
    hwl_log_add_figure(log, &f);
}

/* What the printed arguments say stands in for the command line, which a YAML file may have changed. */
static void set(struct hwl_log *log, const char *section, struct hwl_str key, struct hwl_str value)
{
    char name[96], text[96];
    static const char known[] = "tensor_parallel_size pipeline_parallel_size moe_expert_parallel_size enable_attention_dp max_batch_size "
                                "max_num_tokens max_seq_len dtype cuda_graph_config lora_config "
                                "kv_cache_config.free_gpu_memory_fraction kv_cache_config.max_tokens kv_cache_config.max_gpu_total_bytes "
                                "kv_cache_config.dtype kv_cache_config.tokens_per_block kv_cache_config.mamba_ssm_cache_dtype "
                                "kv_cache_config.host_cache_size kv_cache_config.max_attention_window "
                                "speculative_config.decoding_type speculative_config.max_draft_len "
                                "speculative_config.num_nextn_predict_layers cuda_graph_config.max_batch_size lora_config.max_lora_rank "
                                "lora_config.max_loras";
    const int n = snprintf(name, sizeof name, "%s%s%.*s", section, *section ? "." : "", (int)hwl_min(key.n, 64), key.p);
    const bool none = hwl_str_eq(value, "None");
    if (n < 0 || (size_t)n >= sizeof name || value.n >= sizeof text || !hwl_words_have(known, name) ||
        (none && strcmp(name, "cuda_graph_config") != 0))
        return;
    (void)snprintf(text, sizeof text, "%.*s", (int)value.n, value.p);
    if (none || hwl_str_eq(value, "True") || hwl_str_eq(value, "False"))
        (void)snprintf(text, sizeof text, "%s", none ? "null" : hwl_str_eq(value, "True") ? "true" : "false");
    for (char *c = name; *c; c++)
        *c = *c == '_' ? '-' : *c;
    for (uint64_t i = 0; i < log->n_settings; i++)
        if (strcmp(log->settings[i].name, name) == 0) {
            log->settings[i].value = hwl_log_copy(log, text, strlen(text));
            log->settings[i].resolved = true;
            return;
        }
    hwl_log_set(log, hwl_str_of(name), hwl_str_of(text), true);
}

/* The end of a value: a blank, a comma or the bracket of what it stands in. */
static const char *value_end(const char *p)
{
    int depth = 0;
    char quote = 0;
    for (; *p; p++) {
        if (quote) {
            if (*p == '\\' && p[1])
                p++;
            else if (*p == quote)
                quote = 0;
        } else if (*p == '\'' || *p == '"')
            quote = *p;
        else if (strchr("([{<", *p))
            depth++;
        else if (strchr(")]}>", *p)) {
            if (depth-- == 0)
                break;
        } else if (depth == 0 && (*p == ' ' || *p == ','))
            break;
    }
    return p;
}

/* "model='X' tensor_parallel_size=2 kv_cache_config=KvCacheConfig(max_tokens=None, ...) ...", as pydantic prints it. */
static void arguments(struct hwl_log *log, const char *p, const char *section, int depth)
{
    for (int i = 0; *p && i < 1024; i++) {
        struct hwl_str key, value, bare;
        p += strspn(p, " ,");
        key.p = p;
        while ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_')
            p++;
        key.n = (uint64_t)(p - key.p);
        if (*p != '=') {
            if (*p == ')' || !*p)
                return;
            p = value_end(p + 1);
            continue;
        }
        value.p = ++p;
        p = value_end(p);
        value.n = (uint64_t)(p - value.p);
        const char *open = memchr(value.p, '(', value.n);
        bare = value;
        if (open && hwl_str_starts(value, "PosixPath(")) {
            bare.p = open + 1;
            bare.n = value.n - (uint64_t)(open + 1 - value.p);
            bare.n -= bare.n && bare.p[bare.n - 1] == ')';
        }
        if (bare.n >= 2 && (*bare.p == '\'' || *bare.p == '"')) {
            bare.p++;
            bare.n -= 2;
        }
        if (!*section && hwl_str_eq(key, "model") && !*log->model && bare.n)
            log->model = hwl_log_copy(log, bare.p, bare.n);
        if (open && depth == 0 && key.n < 40 && *value.p >= 'A' && *value.p <= 'Z' && !hwl_str_starts(value, "PosixPath(")) {
            char inner[48];
            (void)snprintf(inner, sizeof inner, "%.*s", (int)key.n, key.p);
            const char *decoding = strstr(value.p, "DecodingConfig(");
            if (decoding && decoding < open && hwl_str_eq(key, "speculative_config"))
                set(log, inner, hwl_str_of("decoding_type"), (struct hwl_str){value.p, (uint64_t)(decoding - value.p)});
            if (hwl_str_eq(key, "lora_config"))
                set(log, "", key, hwl_str_of("true"));
            arguments(log, open + 1, inner, depth + 1);
        } else {
            set(log, section, key, bare);
        }
    }
}

void hwl_log_read_tensorrt(struct hwl_log *log, const char *line, uint64_t number)
{
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        const char *at = strstr(line, figures[i].phrase);
        /* these two stand in front of what tells them from other lines */
        const bool front = hwl_words_have("Using Allocate max_seq_len=", figures[i].before) || strncmp(figures[i].before, "Using ", 6) == 0 ||
                           strncmp(figures[i].before, "Allocate ", 9) == 0;
        at = at ? strstr(front ? line : at, figures[i].before) : NULL;
        if (at)
            put(log, figures[i].name, at + strlen(figures[i].before), figures[i].unit, number);
    }
    allocated(log, line, number);
    parts(log, line, number);
    const char *at;
    if (log->llm_args || (at = strstr(line, "LLM Args:"))) { /* on that line, or on the one behind it */
        at = log->llm_args ? line : at + 9;
        log->llm_args = !log->llm_args && at[strspn(at, " ")] == 0;
        if (strstr(at, "model="))
            log->votes[HWL_LOG_TENSORRT]++;
        arguments(log, at, "", 0);
    }
}

/* The figure as it was printed last: the first ones are of the profile run's own small cache. */
static const hwl_log_figure *last(const struct hwl_log *log, const char *name)
{
    const hwl_log_figure *f = NULL;
    for (uint64_t i = 0; i < log->n_figures; i++)
        if (strcmp(log->figures[i].name, name) == 0)
            f = &log->figures[i];
    return f;
}

void hwl_log_apply_tensorrt(struct hwl_log *log, hwl_settings *s)
{
    static const char *const lines[][2] = {{"max_batch_size", "max-seqs"}, {"tokens_per_block", "block-size"}};
    for (int round = 0; round < 2; round++) /* the resolved ones are what ran */
        for (uint64_t i = 0; i < log->n_settings; i++) {
            const struct hwl_log_setting *x = &log->settings[i];
            char name[104];
            hwl_error e = {.offset = HWL_NO_OFFSET};
            if (x->resolved != (round == 1) || hwl_words_have("extra-llm-api-options config general.name", x->name))
                continue; /* no file that a log names is read */
            const bool flag = strcmp(x->value, "True") == 0;
            (void)snprintf(name, sizeof name, "--%s", x->name);
            const char *const argv[2] = {name, x->value};
            hwl_status st;
            if (round == 0) {
                st = hwl_settings_engine_args(s, "tensorrt-llm", flag ? 1 : 2, argv, &e);
            } else {
                for (char *c = name; *c; c++)
                    *c = *c == '-' ? '_' : *c;
                st = hwl_trt_field(s, name + 2, x->value, &e);
            }
            if (st != HWL_OK)
                hwl_log_add_note(log, "%s is left out: %s", x->name, e.message);
        }
    if (hwl_log_setting_of(log, "extra-llm-api-options") || hwl_log_setting_of(log, "config"))
        hwl_log_add_note(log, "the YAML file that the command line names is not read: its fields count where the log prints LLM Args");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const hwl_log_figure *f = last(log, lines[i][0]);
        char text[32];
        if (!f || hwl_settings_get(s, lines[i][1], text, sizeof text))
            continue;
        (void)snprintf(text, sizeof text, "%.0f", f->value);
        (void)hwl_settings_set(s, lines[i][1], text, NULL);
    }
}

/* max_tokens or the pool's bytes, of the same plan with one setting more, on cards that never run short. */
static bool given(const hwl_planner *planner, const hwl_devices *room, const hwl_settings *s, const char *option, double value,
                  const char *what, double *out)
{
    hwl_settings *copy = NULL;
    hwl_plan *plan = NULL;
    char text[32];
    (void)snprintf(text, sizeof text, "%.0f", value > 0 ? value : 0);
    const bool ok = hwl_settings_copy(s, &copy) == HWL_OK && hwl_settings_set(copy, option, text, NULL) == HWL_OK &&
                    hwl_planner_plan(planner, room, copy, &plan, NULL) == HWL_OK && hwl_log_view(plan, what, out);
    hwl_plan_free(plan);
    hwl_settings_free(copy);
    return ok;
}

/* What the log says twice: all that was free at the peak, with the profile run's own cache, times the fraction. */
static void own_sum(struct hwl_log *log)
{
    const hwl_log_figure *total = last(log, "total_bytes"), *peak = last(log, "peak_bytes"), *small = last(log, "temporary_kv_bytes");
    const hwl_log_figure *share = last(log, "gpu_memory_utilization"), *f = last(log, "available_kv_bytes"), *outside = last(log, "outside_after_load_bytes");
    if (f && total && peak && small && share) {
        hwl_log_figure sum = *f;
        sum.rounding += share->value * (total->rounding + peak->rounding + small->rounding);
        hwl_log_add_term(log, "sum_available_kv_bytes", "", share->value * (total->value - peak->value + small->value), &sum, 0,
                         "more was left than the log's own terms leave: max_gpu_total_bytes was not reached",
                         "less was left than the log's own terms leave: max_gpu_total_bytes, or the draft's share");
    }
    if (outside && outside->value > 4 * GIB)
        hwl_log_add_note(log, "%.2f GiB lie outside torch once the weights are loaded, more than one context: another program, or a card "
                              "that shares its memory with the host", outside->value / GIB);
}

/* With tokens or bytes as logged, what is left is the cache's arithmetic. */
static void exact(struct hwl_log *log, const hwl_planner *planner, const hwl_devices *room, const hwl_settings *s, const hwl_plan *plan)
{
    const hwl_log_figure *tokens = last(log, "max_tokens"), *pool = last(log, "kv_pool_bytes");
    const hwl_log_figure *bytes = last(log, "available_kv_bytes"), *free_bytes = last(log, "free_kv_bytes");
    double planned, end[2], size;
    if (tokens && pool && given(planner, room, s, "kv-tokens", tokens->value, "kv_pool_bytes", &planned))
        hwl_log_add_term(log, "exact_kv_pool_bytes", "", planned, pool, 0,
                         "a token takes more than planned: another cache type, a draft's layers, or fewer ranks",
                         "a token takes less than planned: another cache type, windows with pools of their own, or more ranks");
    hwl_log_figure left = {0};
    if (bytes) {
        left = *bytes;
    } else if (free_bytes) {
        const double share = hwl_opt_real(s, HWL_OPT_GPU_MEMORY_UTILIZATION, 0.9);
        left = (hwl_log_figure){.value = free_bytes->value * share, .rounding = free_bytes->rounding * share};
    }
    if (!tokens || left.value <= 0 || !hwl_log_view(plan, "kv_size_per_token", &size) || size <= 0)
        return;
    for (int i = 0; i < 2; i++)
        if (!given(planner, room, s, "kv-tokens", floor((left.value + (i ? 1.02 : -1.02) * left.rounding) / size), "max_tokens", &end[i]))
            return;
    const hwl_log_figure f = {.value = tokens->value, .rounding = (end[1] - end[0]) / 2};
    hwl_log_add_term(log, "max_tokens_exact", "", (end[0] + end[1]) / 2, &f, 0,
                     "the cache holds more tokens than its bytes give by the plan: an option or release that the log does not show",
                     "the cache holds fewer tokens than its bytes give by the plan: max_tokens, or an option that the log does not show");
}

void hwl_log_tensorrt_terms(struct hwl_log *log, const hwl_planner *planner, const hwl_devices *room, const hwl_settings *s,
                            const hwl_plan *plan, bool card)
{
    static const struct {
        const char *name;
        double allowed; /* as the entries of a plan say */
        bool any_card;
        const char *more, *less;
    } rows[] = {
        {"weights_bytes", 0.03, true, "more is loaded than the shapes give: a draft, an adapter or a tower, or weights kept in another type",
         "less is loaded than planned: the checkpoint is packed more tightly, or split over more ranks"},
        {"peak_activation_bytes", 0.3, false, "the profile run needed more: more tokens, or workspaces of kernels",
         "the profile run needed less: fewer tokens than max_num_tokens"},
        {"available_kv_bytes", 0.1, false, "more was left for the cache: the sum of the terms above",
         "less was left for the cache: the sum of the terms above, or another program on the card"},
        {"max_tokens", 0.1, false, "more tokens, for the same reason as the bytes", "fewer tokens, for the same reason as the bytes"},
        {"tokens_per_block", 0, true, "larger blocks", "smaller blocks"},
        {"kv_size_per_token", 0, true, "a token takes more than planned: another cache type, a draft's layers, or fewer ranks",
         "a token takes less than planned: another cache type, or more ranks"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double planned;
        if ((card || rows[i].any_card) && hwl_log_view(plan, rows[i].name, &planned))
            hwl_log_add_term(log, rows[i].name, "", planned, last(log, rows[i].name), rows[i].allowed, rows[i].more, rows[i].less);
    }
    own_sum(log);
    exact(log, planner, room, s, plan);
}
