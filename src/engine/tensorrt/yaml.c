/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML file of trtllm-serve (--config): the fields of LlmArgs that move memory become settings, over what the command line
 * says, wherever it stands there (llm_args.py update_llm_args_with_extra_dict); in 1.0 its kv_cache_config replaces the command
 * line's fraction even where it says nothing of it. The subset of YAML that such files use is read: `key: value` at the margin,
 * and below a section at one deeper indentation, lists, and a section between braces; anything else is listed as not modelled. */
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
    const char *field, *option; /* option "": moves no memory; a field that ends in .*: all of the section */
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
    {"kv_cache_config.max_attention_window", "max-attention-window"},
    {"kv_cache_config.host_cache_size", "host-cache"},
    {"speculative_config.max_draft_len", "draft-max"},
    {"speculative_config.num_nextn_predict_layers", "draft-max"},
    {"speculative_config.speculative_model", "draft"},
    {"speculative_config.speculative_model_dir", "draft"},
    {"lora_config.max_loras", "max-loras"},
    {"lora_config.max_lora_rank", "max-lora-rank"},
    {"cuda_graph_config.batch_sizes", "cudagraph-sizes"},
    {"cuda_graph_config.enable_padding", "cudagraph-padding"},
    {"cuda_graph_config.max_batch_size", "max-cudagraph-size"},
    {"attention_dp_config.*", ""},
    {"backend", ""},
    {"custom_tokenizer", ""},
    {"disable_overlap_scheduler", ""},
    {"enable_chunked_prefill", ""},
    {"enable_iter_perf_stats", ""},
    {"enable_iter_req_stats", ""},
    {"fail_fast_on_attention_window_too_large", ""},
    {"gpus_per_node", ""},
    {"guided_decoding_backend", ""},
    {"iter_stats_max_iterations", ""},
    {"kv_cache_config.attention_dp_events_gather_period_ms", ""},
    {"kv_cache_config.copy_on_partial_reuse", ""},
    {"kv_cache_config.enable_block_reuse", ""},
    {"kv_cache_config.enable_partial_reuse", ""},
    {"kv_cache_config.event_buffer_max_size", ""},
    {"kv_cache_config.onboard_blocks", ""},
    {"kv_cache_config.secondary_offload_min_priority", ""},
    {"lora_config.lora_ckpt_source", ""},
    {"lora_config.lora_dir", ""},
    {"lora_config.lora_target_modules", ""},
    {"lora_config.max_cpu_loras", ""},
    {"max_input_len", ""},
    {"model", ""},
    {"num_postprocess_workers", ""},
    {"otlp_traces_endpoint", ""},
    {"perf_metrics_max_requests", ""},
    {"postprocess_tokenizer_dir", ""},
    {"print_iter_log", ""},
    {"reasoning_parser", ""},
    {"request_stats_max_iterations", ""},
    {"return_perf_metrics", ""},
    {"revision", ""},
    {"scheduler_config.*", ""},
    {"skip_tokenizer_init", ""},
    {"speculative_config.eagle3_one_model", ""},
    {"speculative_config.is_keep_all", ""},
    {"speculative_config.is_public_pool", ""},
    {"speculative_config.is_use_oldest", ""},
    {"speculative_config.max_matching_ngram_size", ""},
    {"speculative_config.max_ngram_size", ""},
    {"speculative_config.relaxed_delta", ""},
    {"speculative_config.relaxed_topk", ""},
    {"speculative_config.use_relaxed_acceptance_for_thinking", ""},
    {"stream_interval", ""},
    {"tokenizer", ""},
    {"tokenizer_mode", ""},
    {"tokenizer_revision", ""},
    {"trust_remote_code", ""},
};
static const struct {
    const char *type, *method;
} methods[] = {{"MTP", "mtp"},
               {"Eagle", "eagle3"},
               {"Eagle3", "eagle3"},
               {"DraftTarget", "draft_model"},
               {"Draft_Target", "draft_model"},
               {"NGram", "ngram"}};

static bool nothing(const char *value)
{
    return !*value || hwl_words_have("null ~ None", value);
}

static bool is_field(const char *field, const char *name)
{
    const size_t n = strlen(field);
    return n > 2 && field[n - 1] == '*' ? strncmp(field, name, n - 1) == 0 : strcmp(field, name) == 0;
}

/* A list stands between brackets. */
static hwl_status set(struct hwl_settings *s, const char *option, const char *value, hwl_error *error)
{
    char text[1024];
    const size_t n = strlen(value);
    if (*value != '[' || n < 2 || value[n - 1] != ']' || n > sizeof text)
        return hwl_settings_set(s, option, value, error);
    (void)snprintf(text, sizeof text, "%.*s", (int)(n - 2), value + 1);
    return hwl_settings_set(s, option, text, error);
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
    if (strcmp(name, "lora_config") == 0 && *value && nothing(value))
        return HWL_OK;
    if (strcmp(name, "lora_config") == 0)
        return hwl_settings_set(s, "enable-lora", "true", error);
    if (!*value) /* a section begins */
        return HWL_OK;
    /* one of these is none */
    if (hwl_words_have("max_beam_width context_parallel_size moe_cluster_parallel_size", name) && (strcmp(value, "1") == 0 || nothing(value)))
        return HWL_OK;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (is_field(fields[i].field, name)) {
            if (!*fields[i].option)
                hwl_settings_ignore(s, name);
            return *fields[i].option && !nothing(value) ? set(s, fields[i].option, value, error) : HWL_OK;
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

/* A section as one value: "{dtype: fp8, max_tokens: 4096}", lists inside it whole. */
static hwl_status flow(struct hwl_settings *s, const char *section, char *p, hwl_error *error)
{
    for (p++; *p && *p != '}';) {
        int depth = 0;
        char *end = p;
        for (; *end && (depth || (*end != ',' && *end != '}')); end++)
            depth += (*end == '[') - (*end == ']');
        const char last = *end;
        *end = 0;
        char *colon = strchr(p, ':'), name[160];
        if (colon) {
            *colon = 0;
            const int n = snprintf(name, sizeof name, "%s.%s", section, trimmed(p));
            if (n < 0 || (size_t)n >= sizeof name)
                return hwl_fail(error, HWL_E_FORMAT, "tensorrt-llm: a key of the configuration is too long");
            HWL_TRY(hwl_trt_field(s, name, trimmed(colon + 1), error));
        } else if (*trimmed(p)) {
            hwl_settings_unmodelled(s, section);
        }
        p = last == ',' ? end + 1 : end;
        if (last != ',')
            break;
    }
    return HWL_OK;
}

struct reader {
    struct hwl_settings *s;
    char section[64];
    char list[160], items[1024]; /* a list whose items stand on lines of their own */
};

static hwl_status end_list(struct reader *r, hwl_error *error)
{
    const bool any = *r->list && *r->items;
    const hwl_status st = any ? hwl_trt_field(r->s, r->list, r->items, error) : HWL_OK;
    *r->list = *r->items = 0;
    return st;
}

static hwl_status entry(struct reader *r, char *key, size_t indent, hwl_error *error)
{
    char name[160];
    char *colon = strchr(key, ':');
    if (*key == '-' && *r->list && (key[1] == ' ' || key[1] == '\t')) {
        const size_t n = strlen(r->items);
        const char *item = trimmed(key + 1);
        if (n + strlen(item) + 2 > sizeof r->items)
            return hwl_fail(error, HWL_E_LIMIT, "tensorrt-llm: a list of the configuration is too long");
        (void)snprintf(r->items + n, sizeof r->items - n, "%s%s", n ? "," : "", item);
        return HWL_OK;
    }
    HWL_TRY(end_list(r, error));
    if (!colon || *key == '-' || *key == '{' || strlen(key) >= 1024) {
        hwl_settings_unmodelled(r->s, *r->section ? r->section : "config");
        return HWL_OK;
    }
    *colon = 0;
    char *value = trimmed(colon + 1);
    if (!indent)
        (void)snprintf(r->section, sizeof r->section, "%s", *value ? "" : key);
    const int n = indent && *r->section ? snprintf(name, sizeof name, "%s.%s", r->section, key) : snprintf(name, sizeof name, "%s", key);
    if (n < 0 || (size_t)n >= sizeof name)
        return hwl_fail(error, HWL_E_FORMAT, "tensorrt-llm: a key of the configuration is too long");
    if (*value == '{') {
        HWL_TRY(hwl_trt_field(r->s, name, "", error));
        return flow(r->s, name, value, error);
    }
    if (!*value && indent)
        (void)snprintf(r->list, sizeof r->list, "%s", name);
    return hwl_trt_field(r->s, name, value, error);
}

static hwl_status read_lines(struct hwl_settings *s, char *text, hwl_error *error)
{
    struct reader r = {.s = s};
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const size_t indent = strspn(line, " ");
        char *key = trimmed(line);
        if (*key && strcmp(key, "---") != 0)
            HWL_TRY(entry(&r, key, indent, error));
    }
    return end_list(&r, error);
}

static bool has_section(const char *text, const char *name)
{
    const size_t n = strlen(name);
    for (const char *p = text; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        if (strncmp(p, name, n) == 0 && p[n] == ':')
            return true;
    return false;
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
    hwl_status st = memchr(text, 0, (size_t)n) ? hwl_fail(error, HWL_E_FORMAT, "tensorrt-llm: %s is no text", value) : HWL_OK;
    const char *version = hwl_opt_text(s, HWL_OPT_ENGINE_VERSION, "");
    const char *known = *version ? hwl_engine_tensorrt.version(version) : NULL;
    if (st == HWL_OK && known && hwl_trt_rules_of(known)->yaml_replaces && has_section(text, "kv_cache_config"))
        st = hwl_settings_set(s, "gpu-memory-utilization", "0.9", error);
    if (st == HWL_OK)
        st = read_lines(s, text, error);
    free(text);
    return st;
}
