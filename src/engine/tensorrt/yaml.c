/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML file of trtllm-serve (--config): the fields of LlmArgs that move memory become settings. The subset of YAML
 * that such files use is read: `key: value` at the margin, and below a section at one deeper indentation; anything else
 * is listed as not modelled. */
#include "engine/tensorrt/tensorrt.h"

#include "base/file.h"
#include "base/status.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT ((uint64_t)1 << 20)

/* llmapi/llm_args.py: TorchLlmArgs, KvCacheConfig, *DecodingConfig, LoraConfig, CudaGraphConfig. */
static const struct {
    const char *field, *option; /* option "": moves no memory */
} fields[] = {
    {"tensor_parallel_size", "tp"},
    {"pipeline_parallel_size", "pp"},
    {"enable_attention_dp", "enable-dp-attention"},
    {"max_batch_size", "max-seqs"},
    {"max_num_tokens", "max-batched-tokens"},
    {"max_seq_len", "ctx"},
    {"dtype", "dtype"},
    {"kv_cache_config.free_gpu_memory_fraction", "gpu-memory-utilization"},
    {"kv_cache_config.max_tokens", "kv-tokens"},
    {"kv_cache_config.max_gpu_total_bytes", "kv-cache-memory"},
    {"kv_cache_config.dtype", "kv-type"},
    {"kv_cache_config.tokens_per_block", "block-size"},
    {"kv_cache_config.mamba_ssm_cache_dtype", "mamba-ssm-cache-dtype"},
    {"speculative_config.max_draft_len", "draft-max"},
    {"speculative_config.num_nextn_predict_layers", "draft-max"},
    {"speculative_config.speculative_model", "draft"},
    {"speculative_config.speculative_model_dir", "draft"},
    {"lora_config.max_loras", "max-loras"},
    {"lora_config.max_lora_rank", "max-lora-rank"},
    {"cuda_graph_config.max_batch_size", "max-cudagraph-size"},
    {"kv_cache_config.enable_block_reuse", ""},
    {"kv_cache_config.enable_partial_reuse", ""},
    {"kv_cache_config.copy_on_partial_reuse", ""},
    {"kv_cache_config.event_buffer_max_size", ""},
    {"speculative_config.max_ngram_size", ""},
    {"speculative_config.max_matching_ngram_size", ""},
    {"lora_config.lora_dir", ""},
    {"lora_config.lora_target_modules", ""},
    {"lora_config.max_cpu_loras", ""},
    {"cuda_graph_config.enable_padding", ""},
    {"backend", ""},
    {"disable_overlap_scheduler", ""},
    {"enable_chunked_prefill", ""},
    {"enable_iter_perf_stats", ""},
    {"guided_decoding_backend", ""},
    {"print_iter_log", ""},
    {"stream_interval", ""},
    {"trust_remote_code", ""},
};
static const struct {
    const char *type, *method;
} methods[] = {{"MTP", "mtp"}, {"Eagle", "eagle3"}, {"Eagle3", "eagle3"}, {"DraftTarget", "draft_model"}, {"Draft_Target", "draft_model"}, {"NGram", "ngram"}};

static bool nothing(const char *value)
{
    return !*value || hwl_words_have("null ~ None", value);
}

hwl_status hwl_trt_field(struct hwl_settings *s, const char *name, const char *value, hwl_error *error)
{
    if (strcmp(name, "speculative_config.decoding_type") == 0) {
        for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
            if (hwl_text_eq_nocase(methods[i].type, value))
                return hwl_settings_set(s, "spec-method", methods[i].method, error);
        return hwl_fail(error, HWL_E_UNSUPPORTED, "tensorrt-llm: decoding_type '%s' is not modelled", value);
    }
    if (strcmp(name, "moe_expert_parallel_size") == 0)
        return hwl_settings_set(s, "ep", strcmp(value, "1") == 0 || nothing(value) ? "false" : "true", error);
    if (strcmp(name, "cuda_graph_config") == 0 && !strcmp(value, "null"))
        return hwl_settings_set(s, "enforce-eager", "true", error);
    if (strcmp(name, "lora_config") == 0)
        return hwl_settings_set(s, "enable-lora", "true", error);
    if (!*value) /* a section begins */
        return HWL_OK;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].field, name) == 0) {
            if (!*fields[i].option)
                hwl_settings_ignore(s, name);
            return *fields[i].option && !nothing(value) ? hwl_settings_set(s, fields[i].option, value, error) : HWL_OK;
        }
    hwl_settings_unmodelled(s, name);
    return HWL_OK;
}

/* Cuts the line at a comment and at blanks behind it; quotes around the value go. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    char *hash = *text == '#' ? text : strstr(text, " #");
    if (hash)
        *hash = 0;
    size_t n = strlen(text);
    while (n && strchr(" \t\r", text[n - 1]))
        text[--n] = 0;
    if (n >= 2 && (*text == '"' || *text == '\'') && text[n - 1] == *text) {
        text[n - 1] = 0;
        text++;
    }
    return text;
}

static hwl_status read_lines(struct hwl_settings *s, char *text, hwl_error *error)
{
    char section[64] = "", name[160], *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const size_t indent = strspn(line, " ");
        char *key = trimmed(line);
        if (!*key || strcmp(key, "---") == 0)
            continue;
        char *colon = strchr(key, ':');
        if (!colon || *key == '-' || *key == '{' || strlen(key) >= 512) {
            hwl_settings_unmodelled(s, *section ? section : "config");
            continue;
        }
        *colon = 0;
        char *value = trimmed(colon + 1);
        if (!indent)
            (void)snprintf(section, sizeof section, "%s", *value ? "" : key);
        const int n = indent && *section ? snprintf(name, sizeof name, "%s.%s", section, key) : snprintf(name, sizeof name, "%s", key);
        if (n < 0 || (size_t)n >= sizeof name)
            return hwl_fail(error, HWL_E_FORMAT, "tensorrt-llm: a key of the configuration is too long");
        HWL_TRY(hwl_trt_field(s, name, value, error));
    }
    return HWL_OK;
}

hwl_status hwl_trt_yaml(struct hwl_settings *s, const char *value, hwl_error *error)
{
    char *text = NULL;
    uint64_t n = 0;
    if (!value || !hwl_file_is_regular(value)) {
        hwl_settings_unmodelled(s, "config");
        return HWL_OK;
    }
    HWL_TRY(hwl_file_read(value, LIMIT, &text, &n, error));
    const hwl_status st = memchr(text, 0, (size_t)n) ? hwl_fail(error, HWL_E_FORMAT, "tensorrt-llm: %s is no text", value) : read_lines(s, text, error);
    free(text);
    return st;
}
