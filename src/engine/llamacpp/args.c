/* SPDX-License-Identifier: Apache-2.0 */
/* llama-server's own options: names, short forms and arity of common/arg.cpp (0c1e57098). What moves no memory is accepted
 * and listed as ignored. */
#include "engine/llamacpp/args.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static hwl_status set_type(struct hwl_settings *s, const char *k, const char *v, hwl_error *error)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.24s,%.24s", k, v);
    return hwl_settings_set(s, "kv-type", text, error);
}

/* K and V are set apart; what the other one is stays. */
static void types_now(const struct hwl_settings *s, char k[32], char v[32])
{
    const char *text = hwl_opt_text(s, HWL_OPT_KV_TYPE, "f16,f16");
    const char *comma = strchr(text, ',');
    (void)snprintf(k, 32, "%.*s", comma ? (int)hwl_min((uint64_t)(comma - text), 31) : 31, text);
    (void)snprintf(v, 32, "%.31s", comma ? comma + 1 : text);
}

static hwl_status type_k(struct hwl_settings *s, const char *value, hwl_error *error)
{
    char k[32], v[32];
    types_now(s, k, v);
    return set_type(s, value, v, error);
}

static hwl_status type_v(struct hwl_settings *s, const char *value, hwl_error *error)
{
    char k[32], v[32];
    types_now(s, k, v);
    return set_type(s, k, value, error);
}

/* -np -1: as many slots as the server chooses. */
static hwl_status parallel(struct hwl_settings *s, const char *value, hwl_error *error)
{
    if (strcmp(value, "-1") == 0)
        return hwl_settings_clear(s, "concurrency", error);
    /* slots of its own unless --kv-unified follows: the server unifies only automatic slots */
    if (!hwl_opt_has(s, HWL_OPT_KV_UNIFIED))
        HWL_TRY(hwl_settings_set(s, "kv-unified", "false", error));
    return hwl_settings_set(s, "concurrency", value, error);
}

static hwl_status gpu_layers(struct hwl_settings *s, const char *value, hwl_error *error)
{
    if (strcmp(value, "auto") == 0)
        return hwl_settings_clear(s, "ngl", error);
    return hwl_settings_set(s, "ngl", strcmp(value, "all") == 0 ? "-2" : value, error);
}

static hwl_status load_mode(struct hwl_settings *s, const char *value, hwl_error *error)
{
    if (!hwl_words_have("auto none mmap mlock mmap+mlock dio", value))
        return hwl_fail(error, HWL_E_USAGE, "load-mode '%.30s' is not one of none, mmap, mlock, mmap+mlock, dio", value);
    return hwl_settings_set(s, "mmap", hwl_words_have("none mlock dio", value) ? "false" : "true", error);
}

/* Kinds of drafts with commas between them: MTP takes a second context, others a state to roll back to, n-grams more rows of
 * logits; a plain draft is what --model-draft says. */
static hwl_status spec_type(struct hwl_settings *s, const char *value, hwl_error *error)
{
    static const char *const kinds[][2] = {{"draft-mtp", "mtp"}, {"draft-eagle3", "eagle3"}, {"draft-dflash", "dflash"}, {"draft-dspark", "dspark"}};
    if (strstr(value, "ngram"))
        hwl_settings_unmodelled(s, "--spec-type");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strstr(value, kinds[i][0]))
            return hwl_settings_set(s, "spec-method", kinds[i][1], error);
    hwl_settings_ignore(s, "--spec-type");
    return hwl_settings_clear(s, "spec-method", error);
}

/* --n-cpu-ffn: common/common.h LLM_FFN_DENSE_REGEX for each of the first N layers. */
static hwl_status cpu_ffn(struct hwl_settings *s, const char *value, hwl_error *error)
{
    char text[4096] = "blk\\.(";
    uint64_t n;
    size_t k = strlen(text);
    if (!hwl_text_u64(value, &n) || n > 700)
        return hwl_fail(error, HWL_E_USAGE, "n-cpu-ffn '%.30s' is no number of layers", value);
    if (!n)
        return HWL_OK;
    for (uint64_t i = 0; i < n; i++)
        k += (size_t)snprintf(text + k, sizeof text - k, "%s%llu", i ? "|" : "", (unsigned long long)i);
    (void)snprintf(text + k, sizeof text - k, ")\\.ffn_(up|down|gate)\\.=CPU");
    return hwl_settings_set(s, "override-tensor", text, error);
}

static hwl_status draft_type(struct hwl_settings *s, const char *value, bool of_v, hwl_error *error)
{
    const char *text = hwl_opt_text(s, HWL_OPT_DRAFT_KV_TYPE, "f16,f16"), *comma = strchr(text, ',');
    const char *v = comma ? comma + 1 : text;
    char both[64];
    if (of_v)
        (void)snprintf(both, sizeof both, "%.*s,%.24s", comma ? (int)hwl_min((uint64_t)(comma - text), 24) : 24, text, value);
    else
        (void)snprintf(both, sizeof both, "%.24s,%.24s", value, v);
    return hwl_settings_set(s, "draft-kv-type", both, error);
}

static hwl_status draft_type_k(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return draft_type(s, value, false, error);
}

static hwl_status draft_type_v(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return draft_type(s, value, true, error);
}

static hwl_status draft_layers(struct hwl_settings *s, const char *value, hwl_error *error)
{
    if (strcmp(value, "auto") == 0)
        return hwl_settings_clear(s, "draft-ngl", error);
    return hwl_settings_set(s, "draft-ngl", strcmp(value, "all") == 0 ? "-2" : value, error);
}

/* Files with commas between them; of --lora-scaled each FILE:SCALE. */
static hwl_status adapter_files(struct hwl_settings *s, const char *value, bool scaled, hwl_error *error)
{
    while (*value) {
        const size_t n = strcspn(value, ",");
        char file[4096];
        if (n >= sizeof file)
            return hwl_fail(error, HWL_E_USAGE, "the path of an adapter is too long");
        (void)snprintf(file, sizeof file, "%.*s", (int)n, value);
        char *scale = scaled ? strrchr(file, ':') : NULL;
        if (scaled && !scale)
            return hwl_fail(error, HWL_E_USAGE, "lora-scaled wants FILE:SCALE, not '%.100s'", file);
        if (scale)
            *scale = 0;
        HWL_TRY(hwl_settings_set(s, "lora", file, error));
        value += n + (value[n] == ',');
    }
    return HWL_OK;
}

static hwl_status adapters(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return adapter_files(s, value, false, error);
}

static hwl_status adapters_scaled(struct hwl_settings *s, const char *value, hwl_error *error)
{
    return adapter_files(s, value, true, error);
}

const struct hwl_engine_arg hwl_lc_args[] = {
    {"h help usage", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"version", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"cl cache-list", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"completion-bash", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"t threads", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"tb threads-batch", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"C cpu-mask", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"Cr cpu-range", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"cpu-strict", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"prio", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"poll", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"Cb cpu-mask-batch", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"Crb cpu-range-batch", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"cpu-strict-batch", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"prio-batch", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"poll-batch", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"lcs lookup-cache-static", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"lcd lookup-cache-dynamic", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"c ctx-size", HWL_ARG_VALUE, HWL_OPT_CTX_TOTAL, NULL, NULL},
    {"kv-unified-per-slot", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"n predict n-predict", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"b batch-size", HWL_ARG_VALUE, HWL_OPT_BATCH, NULL, NULL},
    {"ub ubatch-size", HWL_ARG_VALUE, HWL_OPT_UBATCH, NULL, NULL},
    {"keep", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"swa-full", HWL_ARG_TRUE, HWL_OPT_SWA_FULL, NULL, NULL},
    {"ctxcp ctx-checkpoints swa-checkpoints", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"cms checkpoint-min-step", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"cram cache-ram", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"kvu kv-unified", HWL_ARG_TRUE, HWL_OPT_KV_UNIFIED, NULL, NULL},
    {"no-kvu no-kv-unified", HWL_ARG_FALSE, HWL_OPT_KV_UNIFIED, NULL, NULL},
    {"cache-idle-slots", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-cache-idle-slots", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"context-shift", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-context-shift", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"fa flash-attn", HWL_ARG_VALUE, HWL_OPT_FLASH_ATTN, NULL, NULL},
    {"p prompt", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"perf", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-perf", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"f file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"bf binary-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"e escape", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-escape", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"r reverse-prompt", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"sp special", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"warmup", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-warmup", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"spm-infill", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"samplers", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"s seed", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"sampler-seq sampling-seq", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"ignore-eos", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"temp temperature", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"top-k", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"top-p", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"min-p", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"top-nsigma top-n-sigma", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"xtc-probability", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"xtc-threshold", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"typical typical-p", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"repeat-last-n", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"repeat-penalty", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"presence-penalty", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"frequency-penalty", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"dry-multiplier", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"dry-base", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"dry-allowed-length", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"dry-penalty-last-n", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"dry-sequence-breaker", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"adaptive-target", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"adaptive-decay", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"dynatemp-range", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"dynatemp-exp", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"mirostat", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"mirostat-lr", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"mirostat-ent", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"l logit-bias", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"grammar", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"grammar-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"j json-schema", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"jf json-schema-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"bs backend-sampling", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"pooling", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"rope-scaling", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"rope-scale", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"rope-freq-base", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"rope-freq-scale", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"yarn-orig-ctx", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"yarn-ext-factor", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"yarn-attn-factor", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"yarn-beta-slow", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"yarn-beta-fast", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"kvo kv-offload", HWL_ARG_TRUE, HWL_OPT_KV_OFFLOAD, NULL, NULL},
    {"nkvo no-kv-offload", HWL_ARG_FALSE, HWL_OPT_KV_OFFLOAD, NULL, NULL},
    {"repack", HWL_ARG_TRUE, HWL_OPT_REPACK, NULL, NULL},
    {"nr no-repack", HWL_ARG_FALSE, HWL_OPT_REPACK, NULL, NULL},
    {"no-host", HWL_ARG_TRUE, HWL_OPT_NO_HOST, NULL, NULL},
    {"ctk cache-type-k", HWL_ARG_CUSTOM, HWL_OPT_KV_TYPE, type_k, NULL},
    {"ctv cache-type-v", HWL_ARG_CUSTOM, HWL_OPT_KV_TYPE, type_v, NULL},
    {"dt defrag-thold", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"np parallel", HWL_ARG_CUSTOM, HWL_OPT_CONCURRENCY, parallel, NULL},
    {"cb cont-batching", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"nocb no-cont-batching", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"mm mmproj", HWL_ARG_VALUE, HWL_OPT_MMPROJ, NULL, NULL},
    {"mmu mmproj-url", HWL_ARG_UNMODELLED1, HWL_OPT_COUNT, NULL, NULL},
    {"mmproj-auto", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-mmproj no-mmproj-auto", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"mmproj-offload", HWL_ARG_TRUE, HWL_OPT_MMPROJ_OFFLOAD, NULL, NULL},
    {"no-mmproj-offload", HWL_ARG_FALSE, HWL_OPT_MMPROJ_OFFLOAD, NULL, NULL},
    {"mmdev mmproj-device", HWL_ARG_VALUE, HWL_OPT_MMPROJ_DEVICE, NULL, NULL},
    {"image-min-tokens", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"image-max-tokens", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"mtmd-batch-max-tokens", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"video-fps", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"video-timestamp-interval", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"video-ffmpeg-dir", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"rpc", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"lm load-mode", HWL_ARG_CUSTOM, HWL_OPT_MMAP, load_mode, NULL},
    {"lzm lazy-mode", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"numa", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"dev device", HWL_ARG_VALUE, HWL_OPT_DEVICE, NULL, NULL},
    {"list-devices", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"ot override-tensor", HWL_ARG_VALUE, HWL_OPT_OVERRIDE_TENSOR, NULL, NULL},
    {"cmoe cpu-moe", HWL_ARG_TRUE, HWL_OPT_CPU_MOE, NULL, NULL},
    {"ncmoe n-cpu-moe", HWL_ARG_VALUE, HWL_OPT_N_CPU_MOE, NULL, NULL},
    {"ncffn n-cpu-ffn", HWL_ARG_CUSTOM, HWL_OPT_OVERRIDE_TENSOR, cpu_ffn, NULL},
    {"ngl gpu-layers n-gpu-layers", HWL_ARG_CUSTOM, HWL_OPT_NGL, gpu_layers, NULL},
    {"sm split-mode", HWL_ARG_VALUE, HWL_OPT_SPLIT_MODE, NULL, NULL},
    {"ts tensor-split", HWL_ARG_VALUE, HWL_OPT_TENSOR_SPLIT, NULL, NULL},
    {"mg main-gpu", HWL_ARG_VALUE, HWL_OPT_MAIN_GPU, NULL, NULL},
    {"fit fit", HWL_ARG_VALUE, HWL_OPT_FIT, NULL, NULL},
    {"fitt fit-target", HWL_ARG_VALUE, HWL_OPT_FIT_TARGET, NULL, NULL},
    {"fitc fit-ctx", HWL_ARG_VALUE, HWL_OPT_FIT_CTX, NULL, NULL},
    {"check-tensors", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"override-kv", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"op-offload", HWL_ARG_TRUE, HWL_OPT_OP_OFFLOAD, NULL, NULL},
    {"no-op-offload", HWL_ARG_FALSE, HWL_OPT_OP_OFFLOAD, NULL, NULL},
    {"lora", HWL_ARG_CUSTOM, HWL_OPT_LORA, adapters, NULL},
    {"lora-scaled", HWL_ARG_CUSTOM, HWL_OPT_LORA, adapters_scaled, NULL},
    {"control-vector", HWL_ARG_UNMODELLED1, HWL_OPT_COUNT, NULL, NULL},
    {"control-vector-scaled", HWL_ARG_UNMODELLED1, HWL_OPT_COUNT, NULL, NULL},
    {"control-vector-layer-range", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"a alias", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"tags", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"m model", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"mu model-url", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"dr docker-repo", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"hf hfr hf-repo", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"hff hf-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"hft hf-token", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"embd-normalize", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"host", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"port", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"reuse-port", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"path", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"cors-origins", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"cors-methods", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"cors-headers", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"cors-credentials", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-cors-credentials", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"api-prefix", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"ui-config webui-config", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"ui-config-file webui-config-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"ui-mcp-proxy webui-mcp-proxy", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-ui-mcp-proxy no-webui-mcp-proxy", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"tools", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"tools-runtime", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"mcp-servers-config", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"mcp-servers-json", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"ag agent", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-ag no-agent", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"ui webui", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-ui no-webui", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"embedding embeddings", HWL_ARG_TRUE, HWL_OPT_EMBEDDING, NULL, NULL},
    {"rerank reranking", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"api-key", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"api-key-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"ssl-key-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"ssl-cert-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"chat-template-kwargs", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"to timeout", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"sse-ping-interval", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"threads-http", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"cache-prompt", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-cache-prompt", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"cache-reuse", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"metrics", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"props", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"slots", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-slots", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"slot-save-path", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"media-path", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"models-dir", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"models-preset", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"models-max", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"models-autoload", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-models-autoload", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"jinja", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-jinja", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"reasoning-format", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"rea reasoning", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"reasoning-effort", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"reasoning-budget", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"reasoning-budget-message", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"reasoning-preserve", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-reasoning-preserve", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"chat-template", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"chat-template-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"skip-chat-parsing", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-skip-chat-parsing", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"prefill-assistant", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-prefill-assistant", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"sps slot-prompt-similarity", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"lora-init-without-apply", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"sleep-idle-seconds", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"log-disable", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"log-file", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"log-jsonl", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-log-jsonl", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"log-prompts-dir", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"log-colors", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"v verbose log-verbose", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"offline", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"lv verbosity log-verbosity", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"log-prefix", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-log-prefix", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"log-timestamps", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-log-timestamps", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-hf hfd hfrd hf-repo-draft", HWL_ARG_UNMODELLED1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-threads td threads-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-threads-batch tbd threads-batch-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-cpu-mask Cd cpu-mask-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-cpu-range Crd cpu-range-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-cpu-strict cpu-strict-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-prio prio-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-poll poll-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-cpu-mask-batch Cbd cpu-mask-batch-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-cpu-strict-batch cpu-strict-batch-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-prio-batch prio-batch-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-poll-batch poll-batch-draft", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-type-k ctkd cache-type-k-draft", HWL_ARG_CUSTOM, HWL_OPT_DRAFT_KV_TYPE, draft_type_k, NULL},
    {"spec-draft-type-v ctvd cache-type-v-draft", HWL_ARG_CUSTOM, HWL_OPT_DRAFT_KV_TYPE, draft_type_v, NULL},
    {"spec-draft-override-tensor otd override-tensor-draft", HWL_ARG_VALUE, HWL_OPT_DRAFT_OVERRIDE_TENSOR, NULL, NULL},
    {"spec-draft-cpu-moe cmoed cpu-moe-draft", HWL_ARG_TRUE, HWL_OPT_DRAFT_CPU_MOE, NULL, NULL},
    {"spec-draft-n-cpu-moe spec-draft-ncmoe ncmoed n-cpu-moe-draft", HWL_ARG_VALUE, HWL_OPT_DRAFT_N_CPU_MOE, NULL, NULL},
    {"spec-draft-n-max", HWL_ARG_VALUE, HWL_OPT_DRAFT_MAX, NULL, NULL},
    {"spec-draft-n-min", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-synth-len", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-synth-rates", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-p-split draft-p-split", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-p-min draft-p-min", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-backend-sampling", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"no-spec-draft-backend-sampling", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"spec-draft-device devd device-draft", HWL_ARG_VALUE, HWL_OPT_DRAFT_DEVICE, NULL, NULL},
    {"spec-draft-ngl ngld gpu-layers-draft n-gpu-layers-draft", HWL_ARG_CUSTOM, HWL_OPT_DRAFT_NGL, draft_layers, NULL},
    {"spec-draft-model md model-draft", HWL_ARG_VALUE, HWL_OPT_DRAFT, NULL, NULL},
    {"spec-type", HWL_ARG_CUSTOM, HWL_OPT_SPEC_METHOD, spec_type, NULL},
    {"spec-ngram-mod-n-min", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-mod-n-max", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-mod-n-match", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-simple-size-n", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-simple-size-m", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-simple-min-hits", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-map-k-size-n", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-map-k-size-m", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-map-k-min-hits", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-map-k4v-size-n", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-map-k4v-size-m", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-map-k4v-min-hits", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"draft draft-n draft-max", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"draft-min draft-n-min", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-size-n", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-size-m", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"spec-ngram-min-hits", HWL_ARG_IGNORE1, HWL_OPT_COUNT, NULL, NULL},
    {"embd-gemma-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"fim-qwen-1.5b-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"fim-qwen-3b-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"fim-qwen-7b-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"fim-qwen-7b-spec", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"fim-qwen-14b-spec", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"fim-qwen-30b-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"gpt-oss-20b-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"gpt-oss-120b-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"vision-gemma-4b-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"vision-gemma-12b-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"spec-default", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"mmap", HWL_ARG_TRUE, HWL_OPT_MMAP, NULL, NULL},
    {"no-mmap", HWL_ARG_FALSE, HWL_OPT_MMAP, NULL, NULL},
    {"mlock", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
    {"direct-io dio", HWL_ARG_IGNORE, HWL_OPT_COUNT, NULL, NULL},
};

_Static_assert(sizeof hwl_lc_args / sizeof *hwl_lc_args == HWL_LC_N_ARGS, "the count in args.h");
