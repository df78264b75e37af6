/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of sglang.launch_server (srt/arg_groups/fields, srt/server_args.py). */
#include "engine/shared/args.h"
#include "engine/sglang/sglang.h"

#include "base/status.h"
#include "base/str.h"

#include <string.h>

/* Its human_readable_int: k, M, G, T are decimal, Ki, Mi, Gi, Ti binary. The shared reader says it by case. */
static hwl_status set_int(struct hwl_settings *s, const char *option, const char *flag, const char *value, hwl_error *error)
{
    char text[48];
    const size_t n = value ? strlen(value) : 0;
    if (n < 2 || n >= sizeof text || strspn(value, "0123456789") == n)
        return hwl_args_set_int(s, "sglang", option, flag, value, error);
    memcpy(text, value, n + 1);
    const bool binary = text[n - 1] == 'i';
    char *suffix = &text[binary ? n - 2 : n - 1];
    suffix[1] = 0;
    if (!strchr(binary ? "KMGT" : "kMGT", *suffix))
        return hwl_fail(error, HWL_E_USAGE, "sglang: --%s wants a number, not '%s'", flag, value);
    if (!binary)
        *suffix = (char)(*suffix | 0x20);
    return hwl_args_set_int(s, "sglang", option, flag, text, error);
}

static hwl_status max_total(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return set_int(s, "kv-tokens", "max-total-tokens", value, error);
}

static hwl_status context_length(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return set_int(s, "ctx", "context-length", value, error);
}

static hwl_status max_prefill(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return set_int(s, "max-prefill-tokens", "max-prefill-tokens", value, error);
}

/* -1: prompts are not split */
static hwl_status chunked_prefill(struct hwl_settings *s, const char *value, hwl_error *error)
{
    const bool off = value && strcmp(value, "-1") == 0;
    HWL_TRY(hwl_settings_set(s, "enable-chunked-prefill", off ? "false" : "true", error));
    return off ? HWL_OK : hwl_args_set_int(s, "sglang", "max-batched-tokens", "chunked-prefill-size", value, error);
}

static hwl_status graph_backend(struct hwl_settings *s, const char *option, const char *value, bool off_is, hwl_error *error)
{
    if (!value || !hwl_words_have("full breakable tc_piecewise disabled", value))
        return hwl_fail(error, HWL_E_USAGE, "sglang: '%s' is no CUDA graph backend", value ? value : "");
    return hwl_settings_set(s, option, (strcmp(value, "disabled") == 0) == off_is ? "true" : "false", error);
}

static hwl_status prefill_backend(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return graph_backend(s, "prefill-graph", value, false, error);
}

static hwl_status decode_backend(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return graph_backend(s, "enforce-eager", value, true, error);
}

static hwl_status attn_dp(struct hwl_settings *s, const char *value, hwl_error *error)
{
    HWL_TRY(hwl_args_set_int(s, "sglang", "dp", "attn-dp-size", value, error));
    return hwl_settings_set(s, "enable-dp-attention", strcmp(value, "1") == 0 ? "false" : "true", error);
}

static hwl_status ep_size(struct hwl_settings *s, const char *value, hwl_error *error)
{
    uint64_t n;
    if (!value || !hwl_args_human_int(value, &n))
        return hwl_fail(error, HWL_E_USAGE, "sglang: --ep-size wants a number, not '%s'", value ? value : "");
    return hwl_settings_set(s, "ep", n > 1 ? "true" : "false", error);
}

#define ROW(names, how, option, function, no_value) {names, HWL_ARG_##how, HWL_OPT_##option, function, no_value},
const struct hwl_engine_arg hwl_sglang_args[HWL_SGLANG_N_ARGS] = {
#include "engine/sglang/args.def"
};
