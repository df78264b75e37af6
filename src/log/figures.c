/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in the lines of start-up logs. The wording of vLLM is that of 0.6 to 0.33 (worker.py, gpu_worker.py,
 * gpu_model_runner.py, kv_cache_utils.py), of SGLang that of 2025 and 2026 (model_runner.py, memory_pool.py), of llama.cpp
 * that of builds from 2024 on (llama-model.cpp, llama-context.cpp, llama-kv-cache.cpp). */
#include "log/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024.0
#define MIB (1024.0 * 1024.0)
#define GIB (1024.0 * 1024.0 * 1024.0)

/* A number that follows `before`, or stands in front of `after`. "GB" of these engines is 2^30. */
static const struct pattern {
    uint8_t engine;
    const char *name, *before, *after;
    double unit;
} patterns[] = {
    {HWL_LOG_VLLM, "weights_bytes", "Model loading took ", NULL, GIB},
    {HWL_LOG_VLLM, "weights_bytes", "Loading model weights took ", NULL, GIB},
    {HWL_LOG_VLLM, "weights_bytes", "model weights take ", NULL, GIB},
    {HWL_LOG_VLLM, "weights_bytes", "weights memory: ", NULL, GIB},
    {HWL_LOG_VLLM, "weights_bytes", NULL, " GiB for weight", GIB},
    {HWL_LOG_VLLM, "peak_activation_bytes", "activation peak memory takes ", NULL, GIB},
    {HWL_LOG_VLLM, "peak_activation_bytes", "torch peak memory increase: ", NULL, GIB},
    {HWL_LOG_VLLM, "peak_activation_bytes", NULL, " GiB for peak activation, ", GIB},
    /* from 0.21 on the printed peak holds the graphs' estimate that the budget was charged with */
    {HWL_LOG_VLLM, "activation_and_graph_bytes", NULL, " GiB for peak activation, and ", GIB},
    {HWL_LOG_VLLM, "non_torch_bytes", "non_torch_memory takes ", NULL, GIB},
    {HWL_LOG_VLLM, "non_torch_bytes", "non-torch forward increase memory: ", NULL, GIB},
    {HWL_LOG_VLLM, "non_torch_bytes", NULL, " GiB for non-torch memory", GIB},
    {HWL_LOG_VLLM, "peak_torch_bytes", "peak_torch_memory=", NULL, GIB},
    {HWL_LOG_VLLM, "non_torch_bytes", " non_torch_memory=", "GiB kv_cache_size", GIB},
    {HWL_LOG_VLLM, "consumed_bytes", NULL, " GiB for consumed memory", GIB},
    {HWL_LOG_VLLM, "consumed_bytes", "total consumed (from mem_get_info): ", NULL, GIB},
    {HWL_LOG_VLLM, "graph_bytes", NULL, " GiB for CUDAGraph memory", GIB},
    {HWL_LOG_VLLM, "graph_bytes", "CUDA graph pool memory: ", NULL, GIB},
    {HWL_LOG_VLLM, "graph_bytes", " secs, took ", NULL, GIB},
    {HWL_LOG_VLLM, "graph_estimate_bytes", "Estimated CUDA graph memory: ", NULL, GIB},
    {HWL_LOG_VLLM, "available_kv_bytes", "Available KV cache memory: ", NULL, GIB},
    {HWL_LOG_VLLM, "available_kv_bytes", "memory reserved for KV Cache is ", NULL, GIB},
    {HWL_LOG_VLLM, "available_kv_bytes", "kv_cache_size=", NULL, GIB},
    {HWL_LOG_VLLM, "available_kv_bytes", "larger than the available KV cache memory (", NULL, GIB},
    {HWL_LOG_VLLM, "kv_needed_bytes", NULL, " GiB KV cache is needed", GIB},
    {HWL_LOG_VLLM, "kv_cache_tokens", "KV cache size: ", " tokens", 1},
    {HWL_LOG_VLLM, "kv_cache_tokens", "can be stored in KV cache (", NULL, 1},
    {HWL_LOG_VLLM, "estimated_max_model_len", "estimated maximum model length is ", NULL, 1},
    {HWL_LOG_VLLM, "num_gpu_blocks", "# GPU blocks: ", NULL, 1},
    {HWL_LOG_VLLM, "num_gpu_blocks", "# cuda blocks: ", NULL, 1},
    {HWL_LOG_VLLM, "num_gpu_blocks", "# CUDA blocks: ", NULL, 1},
    {HWL_LOG_VLLM, "max_concurrency", " tokens per request: ", NULL, 1},
    {HWL_LOG_VLLM, "concurrency_len", "Maximum concurrency for ", NULL, 1},
    {HWL_LOG_VLLM, "block_size", "Setting attention block size to ", NULL, 1},
    {HWL_LOG_VLLM, "gpu_memory_utilization", "Desired GPU memory utilization is (", NULL, 1},
    {HWL_LOG_VLLM, "gpu_memory_utilization", "desired GPU memory utilization (", NULL, 1},
    {HWL_LOG_VLLM, "gpu_memory_utilization", "gpu_memory_utilization (", NULL, 1},
    {HWL_LOG_VLLM, "gpu_memory_utilization", " gpu_memory_utilization=", NULL, 1},
    {HWL_LOG_VLLM, "gpu_memory_utilization", "The current --gpu-memory-utilization=", NULL, 1},
    {HWL_LOG_VLLM, "available_kv_bytes", "Current kv cache memory in use is ", NULL, GIB},
    {HWL_LOG_VLLM, "total_bytes", "total_gpu_memory (", NULL, GIB},
    {HWL_LOG_VLLM, "total_bytes", "total_gpu_memory=", NULL, GIB},
    {HWL_LOG_VLLM, "available_kv_bytes", "GiB, reserved ", "GiB memory for KV Cache as specified", GIB},
    {HWL_LOG_VLLM, "total_bytes", "has a total capacity of ", "GiB", GIB}, /* torch, where it runs out of memory */
    {HWL_LOG_VLLM, "total_bytes", "has a total capacty of ", "GiB", GIB},
    {HWL_LOG_VLLM, "total_bytes", NULL, " GiB total capacity; ", GIB},
    {HWL_LOG_VLLM, "max_model_len", " max seq len (", "KV cache", 1}, /* of a refusal */
    {HWL_LOG_VLLM, "requested_bytes", ") = ", "GiB", GIB}, /* of V0: total x utilization = this */
    {HWL_LOG_VLLM, "max_batched_tokens", "enabled with max_num_batched_tokens=", NULL, 1},
    {HWL_LOG_SGLANG, "kv_cache_tokens", "KV Cache is allocated. #tokens: ", NULL, 1},
    {HWL_LOG_SGLANG, "kv_cache_tokens", ", #tokens: ", " size: ", 1}, /* with the type in front */
    {HWL_LOG_SGLANG, "kv_cache_tokens", ", full size: ", NULL, 1},    /* SWAKVPool mem usage: ... */
    {HWL_LOG_SGLANG, "window_tokens", "GB, swa size: ", NULL, 1},
    {HWL_LOG_SGLANG, "kv_cache_tokens", "max_total_num_tokens=", NULL, 1},
    {HWL_LOG_SGLANG, "k_bytes", "K size: ", NULL, GIB},
    {HWL_LOG_SGLANG, "v_bytes", "V size: ", NULL, GIB},
    {HWL_LOG_SGLANG, "kv_bytes", ", KV size: ", NULL, GIB},
    {HWL_LOG_SGLANG, "mamba_slots", "max_mamba_cache_size: ", NULL, 1},
    {HWL_LOG_SGLANG, "conv_state_bytes", "conv_state size: ", NULL, GIB},
    {HWL_LOG_SGLANG, "ssm_state_bytes", "ssm_state size: ", NULL, GIB},
    {HWL_LOG_SGLANG, "available_gpu_bytes", "available_gpu_mem=", NULL, GIB},
    {HWL_LOG_SGLANG, "max_running_requests", "max_running_requests=", "context_len=", 1},
    {HWL_LOG_SGLANG, "free_before_bytes", "Load weight begin. avail mem=", NULL, GIB},
    {HWL_LOG_SGLANG, "full_tokens", "full_layer_tokens=", NULL, 1},
    {HWL_LOG_SGLANG, "window_tokens", "swa_layer_tokens=", NULL, 1},
    {HWL_LOG_SGLANG, "max_batched_tokens", ", chunked_prefill_size=", "context_len=", 1},
    {HWL_LOG_SGLANG, "max_prefill_tokens", ", max_prefill_tokens=", "context_len=", 1},
    {HWL_LOG_SGLANG, "context_len", ", context_len=", NULL, 1},
    {HWL_LOG_LLAMACPP, "n_ctx", "llama_context: n_ctx         = ", NULL, 1},
    {HWL_LOG_LLAMACPP, "pipeline_copies", "pipeline parallelism enabled (n_copies=", NULL, 1},
};

uint64_t hwl_log_number(const char *p, double *value, double *rounding)
{
    uint64_t i = 0;
    double v = 0, step = 1;
    bool digits = false, point = false;
    const bool minus = p[0] == '-';
    i += minus;
    for (; i < 40; i++) {
        if (p[i] >= '0' && p[i] <= '9') {
            digits = true;
            v = v * 10 + (p[i] - '0');
            step = point ? step / 10 : 1;
        } else if (p[i] == '.' && !point && p[i + 1] >= '0' && p[i + 1] <= '9') {
            point = true;
        } else if (p[i] != ',' || !digits || point || !(p[i + 1] >= '0' && p[i + 1] <= '9')) {
            break;
        }
    }
    if (!digits)
        return 0;
    *value = (minus ? -v : v) * (point ? step : 1);
    *rounding = point ? step / 2 : 0;
    return i;
}

static void put(struct hwl_log *log, enum hwl_log_engine engine, const char *name, const char *device, double value, double rounding,
                double unit, uint64_t line)
{
    log->votes[engine]++;
    if (!(fabs(value * unit) < 1e18)) /* no figure of any machine */
        return;
    const hwl_log_figure f = {.name = name, .device = device, .value = value * unit, .rounding = rounding * unit, .line = line};
    hwl_log_add_figure(log, &f);
}

/* The start of the number that ends right before `end`. */
static const char *number_before(const char *line, const char *end)
{
    const char *p = end;
    while (p > line && ((p[-1] >= '0' && p[-1] <= '9') || p[-1] == '.' || p[-1] == ',' || p[-1] == '-'))
        p--;
    while (p < end && (*p == '.' || *p == ','))
        p++;
    return p;
}

static void by_pattern(struct hwl_log *log, const char *line, uint64_t number)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const struct pattern *p = &patterns[i];
        const char *at = strstr(line, p->before ? p->before : p->after);
        double v, r;
        if (!at)
            continue;
        if (p->after && strcmp(p->after, " GiB for peak activation, ") == 0 && strncmp(at + strlen(p->after), "and ", 4) == 0)
            continue;
        at = p->before ? at + strlen(p->before) : number_before(line, at);
        const uint64_t n = hwl_log_number(at, &v, &r);
        if (!n || (p->before && p->after && !strstr(at + n, p->after)))
            continue;
        put(log, (enum hwl_log_engine)p->engine, p->name, "", v, r, p->unit, number);
    }
}

/* "Free memory on device cuda:0 (78.68/79.19 GiB) on startup." */
static void free_of_total(struct hwl_log *log, const char *line, uint64_t number)
{
    const char *at = strstr(line, "Free memory on device");
    double have, all, r;
    if (!at || !(at = strchr(at, '(')))
        return;
    const uint64_t n = hwl_log_number(at + 1, &have, &r);
    if (!n || at[1 + n] != '/' || !hwl_log_number(at + 2 + n, &all, &r))
        return;
    put(log, HWL_LOG_VLLM, "free_before_bytes", "", have, r, GIB, number);
    put(log, HWL_LOG_VLLM, "total_bytes", "", all, r, GIB, number);
    /* "Desired GPU memory utilization is (0.92, 36.33 GiB)" */
    at = strstr(line, "esired GPU memory utilization is (");
    double share, asked;
    if (!at)
        return;
    const uint64_t k = hwl_log_number(at + 34, &share, &r);
    if (k && strncmp(at + 34 + k, ", ", 2) == 0 && hwl_log_number(at + 36 + k, &asked, &r))
        put(log, HWL_LOG_VLLM, "requested_bytes", "", asked, r, GIB, number);
}

/* "load_tensors:        CUDA0 model buffer size =  4403.49 MiB", "llama_kv_cache: CUDA0 KV buffer size = ...". Before
 * 2025 the buffer of the weights had no word of its own. */
static void buffer(struct hwl_log *log, const char *line, uint64_t number)
{
    static const struct {
        const char *word, *name;
    } kinds[] = {{"model", "weights_bytes"},
                 {"KV", "kv_cache_bytes"},
                 {"RS", "recurrent_state_bytes"},
                 {"compute", "compute_bytes"},
                 {"output", "output_bytes"},
                 {"input", "input_bytes"}};
    const char *at = strstr(line, " buffer size = ");
    double v, r;
    if (!at)
        return;
    const char *p = at + 15;
    p += strspn(p, " ");
    const uint64_t n = hwl_log_number(p, &v, &r);
    if (!n || (strncmp(p + n, " MiB", 4) != 0 && strncmp(p + n, " KiB", 4) != 0))
        return;
    const char *word = at;
    while (word > line && word[-1] != ' ' && word[-1] != '\t')
        word--;
    struct hwl_str last = {word, (uint64_t)(at - word)};
    const char *name = "weights_bytes";
    bool named = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !named; i++)
        if (hwl_str_eq(last, kinds[i].word)) {
            name = i == 3 && strstr(line, "alloc_compute_meta") ? "projector_compute_bytes" : kinds[i].name;
            named = true;
        }
    if (named) { /* the word in front is the device */
        const char *end = word;
        while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        word = end;
        while (word > line && word[-1] != ' ' && word[-1] != '\t')
            word--;
        last = (struct hwl_str){word, (uint64_t)(end - word)};
    }
    if (!last.n || last.n > 40 || last.p[last.n - 1] == ':')
        return;
    put(log, HWL_LOG_LLAMACPP, name, hwl_log_copy(log, last.p, last.n), v, r, p[n + 1] == 'K' ? KIB : MIB, number);
}

/* "print_info: file size   = 20.60 GiB (5.11 BPW)", of older builds "model size       = ...". */
static void file_size(struct hwl_log *log, const char *line, uint64_t number)
{
    static const char *const words[] = {"print_info: file size", "print_meta: model size"};
    double v, r;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *at = strstr(line, words[i]), *p = at ? strchr(at, '=') : NULL;
        if (!p)
            continue;
        p += 1 + strspn(p + 1, " ");
        const uint64_t n = hwl_log_number(p, &v, &r);
        if (n && (strncmp(p + n, " GiB", 4) == 0 || strncmp(p + n, " MiB", 4) == 0))
            put(log, HWL_LOG_LLAMACPP, "file_bytes", "", v, r, p[n + 1] == 'G' ? GIB : MIB, number);
    }
}

/* Lines on which a start ends. */
static void failure(struct hwl_log *log, const char *line)
{
    static const char *const ends[] = {"No available memory for the cache blocks",
                                       "KV cache is needed, which is larger than",
                                       "is less than desired GPU memory utilization",
                                       "larger than the maximum number of tokens that can be stored in KV cache",
                                       "out of memory. Tried to allocate",
                                       "OutOfMemoryError: ",
                                       "Not enough memory. Please try to increase --mem-fraction-static",
                                       "Executor creation failed due to insufficient GPU memory",
                                       "::cudaMalloc(ptr, n): out of memory",
                                       "failed to allocate buffer",
                                       "unable to allocate CUDA"};
    static const char *const ready[] = {"Application startup complete", "Uvicorn running on", "The server is fired up and ready"};
    for (size_t i = 0; i < sizeof ready / sizeof *ready; i++)
        log->ready = log->ready || strstr(line, ready[i]);
    for (size_t i = 0; i < sizeof ends / sizeof *ends && !*log->failure && !log->ready; i++) { /* later failures are those of requests */
        const char *at = strstr(line, ends[i]);
        if (at)
            log->failure = hwl_log_copy(log, line, strlen(line) < 300 ? strlen(line) : 300);
    }
}

void hwl_log_read_figures(struct hwl_log *log, const char *line, uint64_t number)
{
    by_pattern(log, line, number);
    free_of_total(log, line, number);
    buffer(log, line, number);
    file_size(log, line, number);
    failure(log, line);
}
