/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of trtllm-serve (tensorrt_llm/commands/serve.py). */
#include "engine/tensorrt/tensorrt.h"

#include "base/status.h"
#include "base/str.h"

#include <string.h>

static hwl_status backend(struct hwl_settings *s, const char *value, hwl_error *error)
{
    (void)s;
    if (value && strcmp(value, "pytorch") == 0)
        return HWL_OK;
    return hwl_fail(error, HWL_E_UNSUPPORTED, "tensorrt-llm: only the pytorch back end is modelled, not '%s'",
                    value ? value : "");
}

static hwl_status ep_size(struct hwl_settings *s, const char *value, hwl_error *error)
{
    uint64_t n;
    if (!value || !hwl_text_u64(value, &n))
        return hwl_fail(error, HWL_E_USAGE, "tensorrt-llm: --ep_size wants a number, not '%s'", value ? value : "");
    return hwl_settings_set(s, "ep", n > 1 ? "true" : "false", error);
}

const struct hwl_engine_arg hwl_trt_args[HWL_TRT_N_ARGS] = {
    {"backend", HWL_ARG_CUSTOM, HWL_OPT_ENGINE, backend, false},
    {"chat-template", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"context-parallel-size cp-size", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"custom-module-dirs", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"custom-tokenizer", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"disagg-cluster-uri", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"enable-attention-dp", HWL_ARG_TRUE, HWL_OPT_DP_ATTENTION, NULL, false},
    {"enable-chunked-prefill", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"extra-llm-api-options config", HWL_ARG_FILE, HWL_OPT_ENGINE, hwl_trt_yaml, false},
    {"fail-fast-on-attention-window-too-large", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"gpus-per-node", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"host", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"kv-cache-dtype", HWL_ARG_VALUE, HWL_OPT_KV_TYPE, NULL, false},
    {"kv-cache-free-gpu-memory-fraction free-gpu-memory-fraction", HWL_ARG_VALUE, HWL_OPT_GPU_MEMORY_UTILIZATION, NULL,
     false},
    {"log-level", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-batch-size", HWL_ARG_VALUE, HWL_OPT_MAX_SEQS, NULL, false},
    {"max-beam-width", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"max-num-tokens", HWL_ARG_VALUE, HWL_OPT_MAX_BATCHED_TOKENS, NULL, false},
    {"max-seq-len", HWL_ARG_VALUE, HWL_OPT_CTX, NULL, false},
    {"media-io-kwargs", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"metadata-server-config-file", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"moe-cluster-parallel-size cluster-size", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"moe-expert-parallel-size ep-size", HWL_ARG_CUSTOM, HWL_OPT_EP, ep_size, false},
    {"num-postprocess-workers", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"otlp-traces-endpoint", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"pipeline-parallel-size pp-size", HWL_ARG_VALUE, HWL_OPT_PP, NULL, false},
    {"port", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"reasoning-parser", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"revision", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"server-role", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tensor-parallel-size tp-size", HWL_ARG_VALUE, HWL_OPT_TP, NULL, false},
    {"tokenizer", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"tool-parser", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"trust-remote-code", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
};
