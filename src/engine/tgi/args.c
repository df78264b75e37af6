/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of text-generation-launcher (launcher/src/main.rs Args, 3.3). */
#include "engine/tgi/tgi.h"

#include "base/status.h"
#include "base/str.h"

#include <string.h>

/* --quantize: methods that quantise as they load, and those whose weights are packed in the checkpoint. */
static hwl_status quantize(struct hwl_settings *s, const char *value, hwl_error *error)
{
    static const struct {
        const char *method, *type;
    } methods[] = {{"bitsandbytes", "int8"}, {"bitsandbytes-nf4", "nf4"}, {"bitsandbytes-fp4", "nf4"}, {"eetq", "int8"}, {"fp8", "fp8"},
                   {"awq", ""},              {"gptq", ""},                {"marlin", ""},              {"compressed-tensors", ""}};
    for (size_t i = 0; value && i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].method, value) == 0)
            return *methods[i].type ? hwl_settings_set(s, "quant", methods[i].type, error) : HWL_OK;
    return value && strcmp(value, "exl2") == 0 ? hwl_fail(error, HWL_E_UNSUPPORTED, "tgi: weights of exl2 are not modelled")
                                               : hwl_fail(error, HWL_E_USAGE, "tgi: unknown quantisation '%s'", value ? value : "");
}

const struct hwl_engine_arg hwl_tgi_args[HWL_TGI_N_ARGS] = {
    {"api-key", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"cors-allow-origin", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"cuda-graphs", HWL_ARG_VALUE, HWL_OPT_CUDAGRAPH_SIZES, NULL, false},
    {"cuda-memory-fraction", HWL_ARG_VALUE, HWL_OPT_GPU_MEMORY_UTILIZATION, NULL, false},
    {"disable-custom-kernels", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"disable-grammar-support", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"dtype", HWL_ARG_VALUE, HWL_OPT_DTYPE, NULL, false},
    {"enable-prefill-logprobs", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"env e", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"graceful-termination-timeout g", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"hostname", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"huggingface-hub-cache", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"json-output", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"kv-cache-dtype", HWL_ARG_VALUE, HWL_OPT_KV_TYPE, NULL, false},
    {"lora-adapters", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"master-addr", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"master-port", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-batch-prefill-tokens", HWL_ARG_VALUE, HWL_OPT_MAX_BATCHED_TOKENS, NULL, false},
    {"max-batch-size", HWL_ARG_VALUE, HWL_OPT_MAX_SEQS, NULL, false},
    {"max-batch-total-tokens", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false}, /* paged models take what fits */
    {"max-best-of", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-client-batch-size", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-concurrent-requests", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-input-tokens max-input-length", HWL_ARG_VALUE, HWL_OPT_MAX_PREFILL_TOKENS, NULL, false},
    {"max-stop-sequences", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-top-n-tokens", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-total-tokens", HWL_ARG_VALUE, HWL_OPT_CTX, NULL, false},
    {"max-waiting-tokens", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"model-id", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ngrok", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"ngrok-authtoken", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"ngrok-edge", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"num-shard", HWL_ARG_VALUE, HWL_OPT_TP, NULL, false},
    {"otlp-endpoint", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"otlp-service-name", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"payload-limit", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"port p", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"prometheus-port", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"quantize", HWL_ARG_CUSTOM, HWL_OPT_QUANT, quantize, false},
    {"revision", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"rope-factor", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"rope-scaling", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"shard-uds-path", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"sharded", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"speculate", HWL_ARG_VALUE, HWL_OPT_DRAFT_MAX, NULL, false},
    {"tokenizer-config-path", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"trust-remote-code", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"usage-stats", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"validation-workers", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"waiting-served-ratio", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"watermark-delta", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"watermark-gamma", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"weights-cache-override", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
};
