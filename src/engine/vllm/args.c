/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `vllm serve`: EngineArgs and the server's own arguments (vllm/engine/arg_utils.py,
 * vllm/entrypoints/openai/cli_args.py), the union of 0.6.6, 0.11.2, 0.19.0, 0.29.0 and 0.33.0. */
#include "engine/vllm/vllm.h"

#include "base/json.h"
#include "base/status.h"
#include "base/str.h"
#include "engine/shared/args.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hwl_status max_model_len(struct hwl_settings *s, const char *value, hwl_error *error)
{
    const bool fit = value && (strcmp(value, "-1") == 0 || hwl_text_eq_nocase(value, "auto"));
    HWL_TRY(hwl_settings_set(s, "ctx-auto", fit ? "true" : "false", error));
    return fit ? hwl_settings_clear(s, "ctx", error) : hwl_args_set_int(s, "vllm", "ctx", "max-model-len", value, error);
}

static hwl_status max_batched(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return hwl_args_set_int(s, "vllm", "max-batched-tokens", "max-num-batched-tokens", value, error);
}

static hwl_status kv_bytes(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return hwl_args_set_int(s, "vllm", "kv-cache-memory", "kv-cache-memory-bytes", value, error);
}

/* As JSON, or as a log prints it: {'method': 'mtp'}. */
static hwl_status open_json(const char *flag, const char *value, yyjson_doc **doc, hwl_error *error)
{
    char json[4096];
    if (!value || !hwl_json_of_python(value, json, sizeof json) || hwl_json_parse(json, strlen(json), 0, "", doc, NULL) != HWL_OK)
        return hwl_fail(error, HWL_E_USAGE, "vllm: --%s wants a JSON object", flag);
    if (!yyjson_is_obj(yyjson_doc_get_root(*doc))) {
        yyjson_doc_free(*doc);
        return hwl_fail(error, HWL_E_USAGE, "vllm: --%s wants a JSON object", flag);
    }
    return HWL_OK;
}

/* Sets option from a member of the object, where it is there. */
static hwl_status set_member(struct hwl_settings *s, const char *option, yyjson_val *obj, const char *key,
                             hwl_error *error)
{
    yyjson_val *v = hwl_json_get(obj, key);
    if (!v || yyjson_is_null(v))
        return HWL_OK;
    char text[64];
    if (yyjson_is_uint(v))
        snprintf(text, sizeof text, "%llu", (unsigned long long)yyjson_get_uint(v));
    else if (!yyjson_is_str(v))
        return hwl_fail(error, HWL_E_USAGE, "vllm: \"%s\" has a value of the wrong type", key);
    return hwl_settings_set(s, option, yyjson_is_str(v) ? yyjson_get_str(v) : text, error);
}

static hwl_status speculative(struct hwl_settings *s, const char *value, hwl_error *error)
{
    yyjson_doc *doc;
    HWL_TRY(open_json("speculative-config", value, &doc, error));
    yyjson_val *root = yyjson_doc_get_root(doc);
    hwl_status st = set_member(s, "spec-method", root, "method", error);
    if (st == HWL_OK)
        st = set_member(s, "draft", root, "model", error);
    if (st == HWL_OK)
        st = set_member(s, "draft-max", root, "num_speculative_tokens", error);
    yyjson_doc_free(doc);
    return st;
}

static hwl_status compilation(struct hwl_settings *s, const char *value, hwl_error *error)
{
    if (value && value[0] && strspn(value, "0123456789") == strlen(value)) /* the level alone */
        return hwl_settings_set(s, "optimization-level", value, error);
    yyjson_doc *doc;
    HWL_TRY(open_json("compilation-config", value, &doc, error));
    yyjson_val *root = yyjson_doc_get_root(doc);
    hwl_status st = set_member(s, "cudagraph-mode", root, "cudagraph_mode", error);
    if (st == HWL_OK)
        st = set_member(s, "max-cudagraph-size", root, "max_cudagraph_capture_size", error);
    yyjson_val *sizes = hwl_json_get(root, "cudagraph_capture_sizes");
    if (st == HWL_OK && yyjson_is_arr(sizes)) {
        char list[1024] = "";
        size_t n = 0, i, max;
        yyjson_val *v;
        yyjson_arr_foreach(sizes, i, max, v)
        {
            if (!yyjson_is_uint(v) || n + 24 > sizeof list) {
                st = hwl_fail(error, HWL_E_USAGE, "vllm: cudagraph_capture_sizes wants a list of numbers");
                break;
            }
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%llu", n ? "," : "",
                                  (unsigned long long)yyjson_get_uint(v));
        }
        if (st == HWL_OK)
            st = hwl_settings_set(s, "cudagraph-sizes", list, error);
    }
    yyjson_doc_free(doc);
    return st;
}

static hwl_status limit_mm(struct hwl_settings *s, const char *value, hwl_error *error)
{
    yyjson_doc *doc;
    HWL_TRY(open_json("limit-mm-per-prompt", value, &doc, error));
    yyjson_doc_free(doc);
    return hwl_settings_set(s, "limit-mm", value, error);
}

static hwl_status eplb(struct hwl_settings *s, const char *value, hwl_error *error)
{
    yyjson_doc *doc;
    HWL_TRY(open_json("eplb-config", value, &doc, error));
    const hwl_status st = set_member(s, "redundant-experts", yyjson_doc_get_root(doc), "num_redundant_experts", error);
    yyjson_doc_free(doc);
    return st;
}

/* config/attention.py: the backend is an option of its own too; the other members choose among its kernels. */
static hwl_status attention(struct hwl_settings *s, const char *value, hwl_error *error)
{
    yyjson_doc *doc;
    HWL_TRY(open_json("attention-config", value, &doc, error));
    yyjson_val *root = yyjson_doc_get_root(doc);
    const hwl_status st = set_member(s, "attention-backend", root, "backend", error);
    if (st == HWL_OK && yyjson_obj_size(root) > (hwl_json_get(root, "backend") ? 1u : 0u))
        hwl_settings_unmodelled(s, "--attention-config");
    yyjson_doc_free(doc);
    return st;
}

/* Members of config.json that move no byte but the longest context; of the whole model or of its text part. */
static hwl_status check_overrides(yyjson_val *root, bool nested, hwl_error *error)
{
    static const char known[] = "rope_scaling rope_parameters rope_theta max_position_embeddings model_max_length "
                                "original_max_position_embeddings partial_rotary_factor";
    yyjson_obj_iter it;
    yyjson_obj_iter_init(root, &it);
    for (yyjson_val *k; (k = yyjson_obj_iter_next(&it));) {
        const char *key = yyjson_get_str(k);
        yyjson_val *v = yyjson_obj_iter_get_val(k);
        if (!nested && strcmp(key, "text_config") == 0 && yyjson_is_obj(v))
            HWL_TRY(check_overrides(v, true, error));
        else if (!hwl_words_have(known, key))
            return hwl_fail(error, HWL_E_UNSUPPORTED, "vllm: --hf-overrides of %.40s is not modelled; change the model's config.json instead", key);
    }
    return HWL_OK;
}

static hwl_status hf_overrides(struct hwl_settings *s, const char *value, hwl_error *error)
{
    yyjson_doc *doc;
    HWL_TRY(open_json("hf-overrides", value, &doc, error));
    hwl_status st = check_overrides(yyjson_doc_get_root(doc), false, error);
    char *text = st == HWL_OK ? yyjson_write(doc, 0, NULL) : NULL;
    if (st == HWL_OK)
        st = text ? hwl_settings_set(s, "hf-overrides", text, error) : HWL_E_NOMEM;
    free(text);
    yyjson_doc_free(doc);
    return st;
}

/* Until 0.11 an option of its own. */
static hwl_status rope_scaling(struct hwl_settings *s, const char *value, hwl_error *error)
{
    char text[1024];
    if (!value || (size_t)snprintf(text, sizeof text, "{\"rope_scaling\": %s}", value) >= sizeof text)
        return hwl_fail(error, HWL_E_USAGE, "vllm: --rope-scaling wants a JSON object");
    return hf_overrides(s, text, error);
}

static hwl_status not_modelled_path(struct hwl_settings *s, const char *value, hwl_error *error)
{
    (void)s;
    (void)value;
    return hwl_fail(error, HWL_E_UNSUPPORTED,
                    "vllm: --hf-config-path is not modelled; give the folder of that config.json as MODEL");
}

/* 0.11: one number is the largest size, several are the sizes. */
static hwl_status graph_sizes(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return hwl_settings_set(s, value && !strchr(value, ',') ? "max-cudagraph-size" : "cudagraph-sizes", value ? value : "", error);
}

#define LEVEL(n)                                                                                   \
    static hwl_status level_##n(struct hwl_settings *s, const char *value, hwl_error *error)       \
    {                                                                                              \
        (void)value;                                                                               \
        return hwl_settings_set(s, "optimization-level", #n, error);                               \
    }
LEVEL(0)
LEVEL(1)
LEVEL(2)
LEVEL(3)

/* clang-format off */
const struct hwl_engine_arg hwl_vllm_args[HWL_VLLM_N_ARGS] = {
    {"O0", HWL_ARG_CUSTOM, HWL_OPT_OPTIMIZATION_LEVEL, level_0, true},
    {"O1", HWL_ARG_CUSTOM, HWL_OPT_OPTIMIZATION_LEVEL, level_1, true},
    {"O2", HWL_ARG_CUSTOM, HWL_OPT_OPTIMIZATION_LEVEL, level_2, true},
    {"O3", HWL_ARG_CUSTOM, HWL_OPT_OPTIMIZATION_LEVEL, level_3, true},
    {"additional-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"aggregate-engine-logging", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-aggregate-engine-logging", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"all2all-backend", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"allow-credentials", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-allow-credentials", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"allow-deprecated-quantization", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-allow-deprecated-quantization", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"allowed-headers", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"allowed-local-media-path", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"allowed-media-domains", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"allowed-methods", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"allowed-origins", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"anthropic-disabled-thinking-effort", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"api-key", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"api-server-count asc", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"async-scheduling", HWL_ARG_TRUE, HWL_OPT_ASYNC_SCHEDULING, NULL, false},
    {"no-async-scheduling", HWL_ARG_FALSE, HWL_OPT_ASYNC_SCHEDULING, NULL, false},
    {"attention-backend", HWL_ARG_VALUE, HWL_OPT_ATTENTION_BACKEND, NULL, false},
    {"attention-config ac", HWL_ARG_CUSTOM, HWL_OPT_ATTENTION_BACKEND, attention, false},
    {"aux-output-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"block-size", HWL_ARG_VALUE, HWL_OPT_BLOCK_SIZE, NULL, false},
    {"calculate-kv-scales", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-calculate-kv-scales", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"chat-template", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"chat-template-content-format", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"code-revision", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"cohere-format", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"cohere-is-reasoning-model", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-cohere-is-reasoning-model", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"collect-detailed-traces", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"compilation-config cc O", HWL_ARG_CUSTOM, HWL_OPT_CUDAGRAPH_MODE, compilation, false},
    {"config", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"config-format", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"convert", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"cp-kv-cache-interleave-size", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"cpu-distributed-timeout-seconds", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"cpu-offload-gb", HWL_ARG_GIB, HWL_OPT_CPU_OFFLOAD, NULL, false},
    {"cpu-offload-params", HWL_ARG_UNMODELLED_ANY, HWL_OPT_ENGINE, NULL, false},
    {"cuda-graph-sizes", HWL_ARG_CUSTOM, HWL_OPT_CUDAGRAPH_SIZES, graph_sizes, false},
    {"cudagraph-capture-sizes", HWL_ARG_VALUES, HWL_OPT_CUDAGRAPH_SIZES, NULL, false},
    {"cudagraph-metrics", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-cudagraph-metrics", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"custom-histogram-buckets", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-address dpa", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-backend dpb", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-external-lb dpe", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-data-parallel-external-lb", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-hybrid-lb dph", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-data-parallel-hybrid-lb", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-multi-port-external-lb dpm", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-data-parallel-multi-port-external-lb", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-rank dpn", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-rpc-port dpp", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-size dp", HWL_ARG_VALUE, HWL_OPT_DP, NULL, false},
    {"data-parallel-size-local dpl", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-start-rank dpr", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"data-parallel-supervisor-port", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dbo-decode-token-threshold", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dbo-prefill-token-threshold", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dcp-comm-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dcp-kv-cache-interleave-size", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dcp-q-replicate", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-dcp-q-replicate", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"decode-context-parallel-size dcp", HWL_ARG_VALUE, HWL_OPT_DCP, NULL, false},
    {"default-chat-template-kwargs", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"default-mm-loras", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"device", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"device-ids", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"diffusion-config dc", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"disable-access-log-for-endpoints", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"disable-async-output-proc", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-async-output-proc", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-cascade-attn", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-cascade-attn", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-chunked-mm-input", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-chunked-mm-input", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-custom-all-reduce", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-custom-all-reduce", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-fastapi-docs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-fastapi-docs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-frontend-multiprocessing", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-frontend-multiprocessing", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-hybrid-kv-cache-manager", HWL_ARG_FALSE, HWL_OPT_HYBRID_CACHE, NULL, false},
    {"no-disable-hybrid-kv-cache-manager", HWL_ARG_TRUE, HWL_OPT_HYBRID_CACHE, NULL, false},
    {"disable-log-requests", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-log-requests", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-log-stats", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-log-stats", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-logprobs-during-spec-decoding", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-logprobs-during-spec-decoding", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-mm-preprocessor-cache", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-mm-preprocessor-cache", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-nccl-for-dp-synchronization", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-nccl-for-dp-synchronization", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"disable-sliding-window", HWL_ARG_TRUE, HWL_OPT_DISABLE_SLIDING_WINDOW, NULL, false},
    {"no-disable-sliding-window", HWL_ARG_FALSE, HWL_OPT_DISABLE_SLIDING_WINDOW, NULL, false},
    {"disable-uvicorn-access-log", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-disable-uvicorn-access-log", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"distributed-executor-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"distributed-timeout-seconds", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"download-dir", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dp-supervisor-probe-failure-threshold", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dp-supervisor-probe-interval-s", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dp-supervisor-probe-timeout-s", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dp-sync-interval", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"dtype", HWL_ARG_VALUE, HWL_OPT_DTYPE, NULL, false},
    {"ec-manager-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ec-transfer-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"elastic-ep-max-dp-size", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"enable-auto-tool-choice", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-auto-tool-choice", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-batch-sharded-sampling", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-batch-sharded-sampling", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-bf16x3-router-gemm", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-bf16x3-router-gemm", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-chunked-prefill", HWL_ARG_TRUE, HWL_OPT_CHUNKED_PREFILL, NULL, false},
    {"no-enable-chunked-prefill", HWL_ARG_FALSE, HWL_OPT_CHUNKED_PREFILL, NULL, false},
    {"enable-cumem-allocator", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-cumem-allocator", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-dbo", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-dbo", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-elastic-ep", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-elastic-ep", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-ep-weight-filter", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-ep-weight-filter", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-eplb", HWL_ARG_TRUE, HWL_OPT_ENABLE_EPLB, NULL, false},
    {"no-enable-eplb", HWL_ARG_FALSE, HWL_OPT_ENABLE_EPLB, NULL, false},
    {"enable-expert-parallel ep", HWL_ARG_TRUE, HWL_OPT_EP, NULL, false},
    {"no-enable-expert-parallel", HWL_ARG_FALSE, HWL_OPT_EP, NULL, false},
    {"enable-fault-tolerance", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-fault-tolerance", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-flash-late-interaction", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-flash-late-interaction", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-flashinfer-autotune", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-flashinfer-autotune", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-force-include-usage", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-force-include-usage", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-hc-sp", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-hc-sp", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-layerwise-nvtx-tracing", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-layerwise-nvtx-tracing", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-log-deltas", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-log-deltas", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-log-outputs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-log-outputs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-log-requests", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-log-requests", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-logging-iteration-details", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-logging-iteration-details", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-lora", HWL_ARG_TRUE, HWL_OPT_ENABLE_LORA, NULL, false},
    {"no-enable-lora", HWL_ARG_FALSE, HWL_OPT_ENABLE_LORA, NULL, false},
    {"enable-lora-bias", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"enable-mamba-cache-stochastic-rounding", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"enable-mamba-shared-prefix-checkpoint", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-mamba-shared-prefix-checkpoint", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-mfu-metrics", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-mfu-metrics", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-mixed-moe-lora-format", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-mixed-moe-lora-format", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-mm-embeds", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-mm-embeds", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-moe-shared-loras", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-moe-shared-loras", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-multimodal-encoder-data-parallel", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"enable-nccl-comm-suspend", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-nccl-comm-suspend", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-offline-docs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-offline-docs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-per-request-metrics", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-per-request-metrics", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-prefix-caching", HWL_ARG_TRUE, HWL_OPT_PREFIX_CACHING, NULL, false},
    {"no-enable-prefix-caching", HWL_ARG_FALSE, HWL_OPT_PREFIX_CACHING, NULL, false},
    {"enable-prompt-adapter", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"enable-prompt-embeds", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-prompt-embeds", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-prompt-tokens-details", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-prompt-tokens-details", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-request-id-headers", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-request-id-headers", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-return-routed-experts", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-return-routed-experts", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-scale-out", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-scale-out", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-server-load-tracking", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-server-load-tracking", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-shm-tensor-arena", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-shm-tensor-arena", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-sleep-mode", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-sleep-mode", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-ssl-refresh", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-ssl-refresh", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-tokenizer-info-endpoint", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-tokenizer-info-endpoint", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-tower-connector-lora", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-tower-connector-lora", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enable-trace-replay", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-enable-trace-replay", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"enforce-eager", HWL_ARG_TRUE, HWL_OPT_ENFORCE_EAGER, NULL, false},
    {"no-enforce-eager", HWL_ARG_FALSE, HWL_OPT_ENFORCE_EAGER, NULL, false},
    {"engram-config", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"eplb-config", HWL_ARG_CUSTOM, HWL_OPT_REDUNDANT_EXPERTS, eplb, false},
    {"eplb-log-balancedness", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-eplb-log-balancedness", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"eplb-step-interval", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"eplb-window-size", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"exclude-tools-when-tool-choice-none", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-exclude-tools-when-tool-choice-none", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"expert-placement-strategy", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"fail-on-environ-validation", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-fail-on-environ-validation", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"fault-tolerance-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"fingerprint-mode", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"fingerprint-value", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"fully-sharded-loras", HWL_ARG_TRUE, HWL_OPT_FULLY_SHARDED_LORAS, NULL, false},
    {"no-fully-sharded-loras", HWL_ARG_FALSE, HWL_OPT_FULLY_SHARDED_LORAS, NULL, false},
    {"gdn-prefill-backend", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"generation-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"gpu-memory-utilization device-memory-utilization", HWL_ARG_VALUE, HWL_OPT_GPU_MEMORY_UTILIZATION, NULL, false},
    {"grpc", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-grpc", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"grpc-port", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"guided-decoding-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"h11-max-header-count", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"h11-max-incomplete-event-size", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"headless", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"hf-config-path", HWL_ARG_CUSTOM, HWL_OPT_ENGINE, not_modelled_path, false},
    {"hf-overrides", HWL_ARG_CUSTOM, HWL_OPT_HF_OVERRIDES, hf_overrides, false},
    {"hf-token", HWL_ARG_IGNORE_OPT, HWL_OPT_ENGINE, NULL, false},
    {"host", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ignore-patterns", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"interleave-mm-strings", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-interleave-mm-strings", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"io-processor-plugin", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ir-op-priority", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"jit-monitor-mode", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"jit-monitor-verbose", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-jit-monitor-verbose", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"kda-decode-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"kda-prefill-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"kernel-config", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"kv-cache-dtype", HWL_ARG_VALUE, HWL_OPT_KV_TYPE, NULL, false},
    {"kv-cache-dtype-skip-layers", HWL_ARG_VALUES, HWL_OPT_KV_SKIP_LAYERS, NULL, false},
    {"kv-cache-memory-bytes kv-cache-memory", HWL_ARG_CUSTOM, HWL_OPT_KV_CACHE_MEMORY, kv_bytes, false},
    {"kv-cache-metrics", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-kv-cache-metrics", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"kv-cache-metrics-sample", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"kv-events-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"kv-offloading-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"kv-offloading-size", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"kv-sharing-fast-prefill", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-kv-sharing-fast-prefill", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"kv-transfer-config", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"language-model-only", HWL_ARG_TRUE, HWL_OPT_LANGUAGE_MODEL_ONLY, NULL, false},
    {"no-language-model-only", HWL_ARG_FALSE, HWL_OPT_LANGUAGE_MODEL_ONLY, NULL, false},
    {"limit-mm-per-prompt", HWL_ARG_CUSTOM, HWL_OPT_LIMIT_MM, limit_mm, false},
    {"linear-backend", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"load-format", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"log-config-file", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"log-error-stack", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-log-error-stack", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"log-level", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"logging-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"logits-processor-pattern", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"logits-processors", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"logprobs-mode", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"long-lora-scaling-factors", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"long-prefill-token-threshold", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"long-prefill-token-threshold-adaptive", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-long-prefill-token-threshold-adaptive", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"lora-dtype", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"lora-extra-vocab-size", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"lora-modules", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"lora-target-modules", HWL_ARG_UNMODELLED_ANY, HWL_OPT_ENGINE, NULL, false},
    {"mamba-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mamba-block-size", HWL_ARG_VALUE, HWL_OPT_MAMBA_BLOCK_SIZE, NULL, false},
    {"mamba-cache-dtype", HWL_ARG_VALUE, HWL_OPT_MAMBA_CACHE_DTYPE, NULL, false},
    {"mamba-cache-mode", HWL_ARG_VALUE, HWL_OPT_MAMBA_CACHE_MODE, NULL, false},
    {"mamba-cache-philox-rounds", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mamba-ssm-cache-dtype", HWL_ARG_VALUE, HWL_OPT_MAMBA_SSM_CACHE_DTYPE, NULL, false},
    {"mamba-ssu-algorithm", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"master-addr", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"master-port", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-cpu-loras", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-cudagraph-capture-size", HWL_ARG_VALUE, HWL_OPT_MAX_CUDAGRAPH_SIZE, NULL, false},
    {"max-log-len", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-logprobs", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-long-partial-prefills", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-lora-cls-labels", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-lora-rank", HWL_ARG_VALUE, HWL_OPT_MAX_LORA_RANK, NULL, false},
    {"max-loras", HWL_ARG_VALUE, HWL_OPT_MAX_LORAS, NULL, false},
    {"max-model-len", HWL_ARG_CUSTOM, HWL_OPT_CTX, max_model_len, false},
    {"max-num-active-seqs", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-num-batched-tokens", HWL_ARG_CUSTOM, HWL_OPT_MAX_BATCHED_TOKENS, max_batched, false},
    {"max-num-partial-prefills", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-num-queued-reqs", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-num-queued-tokens", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-num-scheduled-tokens", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"max-num-seqs", HWL_ARG_VALUE, HWL_OPT_MAX_SEQS, NULL, false},
    {"max-parallel-loading-workers", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-prompt-adapter-token", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"max-prompt-adapters", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"max-seq-len-to-capture", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"media-io-kwargs", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"middleware", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-device-do-normalize", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-mm-device-do-normalize", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"mm-encoder-attn-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-encoder-attn-dtype", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-encoder-fp8-scale-path", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-encoder-fp8-scale-save-margin", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-encoder-fp8-scale-save-path", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-encoder-only", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-mm-encoder-only", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"mm-encoder-tp-mode", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"mm-hasher-algorithm", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-ipc-gpu-memory-gb", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"mm-processor-cache-gb", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-processor-cache-type", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-processor-device", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"mm-processor-kwargs", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"mm-shm-cache-max-object-size-mb", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"mm-tensor-ipc", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"model", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"model-class-overrides", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"model-impl", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"model-loader-extra-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"moe-backend", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"monokernel", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-monokernel", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"multi-step-stream-outputs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-multi-step-stream-outputs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"ngram-prompt-lookup-max", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ngram-prompt-lookup-min", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"nnodes n", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"node-rank r", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"num-gpu-blocks-override", HWL_ARG_VALUE, HWL_OPT_NUM_GPU_BLOCKS, NULL, false},
    {"num-lookahead-slots", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"num-redundant-experts", HWL_ARG_VALUE, HWL_OPT_REDUNDANT_EXPERTS, NULL, false},
    {"num-scheduler-steps", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"num-speculative-tokens", HWL_ARG_VALUE, HWL_OPT_DRAFT_MAX, NULL, false},
    {"numa-bind", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-numa-bind", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"numa-bind-cpus", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"numa-bind-nodes", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"offload-backend", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"offload-group-size", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"offload-num-in-group", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"offload-params", HWL_ARG_UNMODELLED_ANY, HWL_OPT_ENGINE, NULL, false},
    {"offload-prefetch-step", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"optimization-level", HWL_ARG_VALUE, HWL_OPT_OPTIMIZATION_LEVEL, NULL, false},
    {"otlp-traces-endpoint", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"override-attention-dtype", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"override-generation-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"override-neuron-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"override-pooler-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"per-request-spec-decode-metrics", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"performance-mode", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"pipeline-parallel-size pp", HWL_ARG_VALUE, HWL_OPT_PP, NULL, false},
    {"pooler-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"port", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"preemption-mode", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"prefill-context-parallel-size pcp", HWL_ARG_VALUE, HWL_OPT_PCP, NULL, false},
    {"prefill-schedule-interval", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"prefix-cache-retention-interval", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"prefix-caching-hash-algo", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"prefix-match-unit", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"profiler-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"prompt-adapters", HWL_ARG_UNMODELLED_ANY, HWL_OPT_ENGINE, NULL, false},
    {"pt-load-map-location", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"qlora-adapter-name-or-path", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"quantization q", HWL_ARG_VALUE, HWL_OPT_QUANT, NULL, false},
    {"quantization-config", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"quantization-param-path", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ray-workers-use-nsight", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-ray-workers-use-nsight", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"reasoning-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"reasoning-effort-map", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"reasoning-parser", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"reasoning-parser-plugin", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"renderer-num-workers", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"replayssm-buffer-len", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"response-role", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"return-sampling-mask", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-return-sampling-mask", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"return-tokens-as-token-ids", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-return-tokens-as-token-ids", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"revision", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"root-path", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"rope-scaling", HWL_ARG_CUSTOM, HWL_OPT_HF_OVERRIDES, rope_scaling, false},
    {"rope-theta", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"runner", HWL_ARG_VALUE, HWL_OPT_RUNNER, NULL, false},
    {"safetensors-load-strategy", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"safetensors-prefetch-block-size", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"safetensors-prefetch-num-threads", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"scheduler-cls", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"scheduler-delay-factor", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"scheduler-reserve-full-isl", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-scheduler-reserve-full-isl", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"scheduling-policy", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"seed", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"served-model-name", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"show-hidden-metrics-for-version", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"shutdown-timeout", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"skip-mm-profiling", HWL_ARG_TRUE, HWL_OPT_SKIP_MM_PROFILING, NULL, false},
    {"no-skip-mm-profiling", HWL_ARG_FALSE, HWL_OPT_SKIP_MM_PROFILING, NULL, false},
    {"skip-tokenizer-init", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-skip-tokenizer-init", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"sleep-mode-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"sleep-mode-offload-cudagraph", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-sleep-mode-offload-cudagraph", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"sleep-preserve-parameter-names", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"sparse-indexer-topk-backend", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"spec-decoding-acceptance-method", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"spec-method", HWL_ARG_VALUE, HWL_OPT_SPEC_METHOD, NULL, false},
    {"spec-model", HWL_ARG_VALUE, HWL_OPT_DRAFT, NULL, false},
    {"spec-tokens", HWL_ARG_VALUE, HWL_OPT_DRAFT_MAX, NULL, false},
    {"specialize-active-lora", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-specialize-active-lora", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"speculative-config sc", HWL_ARG_CUSTOM, HWL_OPT_DRAFT, speculative, false},
    {"speculative-disable-by-batch-size", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"speculative-disable-mqa-scorer", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-speculative-disable-mqa-scorer", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"speculative-draft-tensor-parallel-size spec-draft-tp", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"speculative-max-model-len", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"speculative-model", HWL_ARG_VALUE, HWL_OPT_DRAFT, NULL, false},
    {"speculative-model-quantization", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"sse-keep-alive-interval", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ssl-ca-certs", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ssl-cert-reqs", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ssl-certfile", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ssl-ciphers", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ssl-keyfile", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"stream-interval", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"structured-outputs-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"swa-bounded-replay", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-swa-bounded-replay", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"swap-space", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"task", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tensor-parallel-size tp", HWL_ARG_VALUE, HWL_OPT_TP, NULL, false},
    {"tokenizer", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tokenizer-mode", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tokenizer-pool-extra-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tokenizer-pool-size", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tokenizer-pool-type", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tokenizer-revision", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tokens-only", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-tokens-only", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"tool-call-parser", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tool-parser-plugin", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tool-server", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tool-strict-level", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"trust-remote-code", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-trust-remote-code", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"trust-request-chat-template", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-trust-request-chat-template", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"trust-request-mm-kwargs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-trust-request-mm-kwargs", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"typical-acceptance-sampler-posterior-alpha", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"typical-acceptance-sampler-posterior-threshold", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ubatch-size", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"uds", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"use-fp64-gumbel", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-use-fp64-gumbel", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"use-replayssm", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"no-use-replayssm", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"use-tqdm-on-load", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-use-tqdm-on-load", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"use-v2-block-manager", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-use-v2-block-manager", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"uvicorn-log-level", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"video-pruning-method", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"video-pruning-rate", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"watchdog-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"watermark", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"watermark-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"weight-transfer-config", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"worker-cls", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"worker-extension-cls", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"worker-use-ray", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"no-worker-use-ray", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
};
/* clang-format on */
