/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of mlx_lm.server 0.32 (mlx_lm/server.py). */
#include "engine/mlx/mlx.h"

#include "base/status.h"
#include "base/str.h"

#include <stdio.h>

static hwl_status kv_bits(struct hwl_settings *s, const char *value, hwl_error *error)
{
    char text[24];
    uint64_t n;
    if (!value || !hwl_text_u64(value, &n) || n > 8)
        return hwl_fail(error, HWL_E_USAGE, "mlx: --kv-bits wants a number of bits, not '%s'", value ? value : "");
    (void)snprintf(text, sizeof text, "%ubit", (unsigned)n);
    return hwl_settings_set(s, "kv-type", text, error);
}

const struct hwl_engine_arg hwl_mlx_args[HWL_MLX_N_ARGS] = {
    {"adapter-path", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"allowed-origins", HWL_ARG_IGNORE_ANY, HWL_OPT_ENGINE, NULL, false},
    {"chat-template", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"chat-template-args", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"decode-concurrency", HWL_ARG_VALUE, HWL_OPT_CONCURRENCY, NULL, false},
    {"draft-model", HWL_ARG_VALUE, HWL_OPT_DRAFT, NULL, false},
    {"host", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"kv-bits", HWL_ARG_CUSTOM, HWL_OPT_KV_TYPE, kv_bits, false},
    {"kv-group-size", HWL_ARG_VALUE, HWL_OPT_KV_GROUP_SIZE, NULL, false},
    {"log-level", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"max-tokens", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"min-p", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"model", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"num-draft-tokens", HWL_ARG_VALUE, HWL_OPT_DRAFT_MAX, NULL, false},
    {"pipeline", HWL_ARG_UNMODELLED, HWL_OPT_ENGINE, NULL, false},
    {"port", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"prefill-step-size", HWL_ARG_VALUE, HWL_OPT_BATCH, NULL, false},
    {"prompt-cache-bytes", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"prompt-cache-size", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"prompt-concurrency", HWL_ARG_UNMODELLED1, HWL_OPT_ENGINE, NULL, false},
    {"quantized-kv-start", HWL_ARG_VALUE, HWL_OPT_QUANTIZED_KV_START, NULL, false},
    {"temp", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"top-k", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"top-p", HWL_ARG_IGNORE1, HWL_OPT_ENGINE, NULL, false},
    {"trust-remote-code", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
    {"use-default-chat-template", HWL_ARG_IGNORE, HWL_OPT_ENGINE, NULL, false},
};
