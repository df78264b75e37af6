/* SPDX-License-Identifier: Apache-2.0 */
/* Which releases have which option of `vllm serve`: what five of them declare (tests/data/vllm/flags.txt). */
#include "engine/vllm/vllm.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { R6 = 1, R11 = 2, R19 = 4, R29 = 8, R33 = 16 };

/* Options that some of them lack; every other one of the table is in all, or ours: so is kv-cache-memory-bytes, by which a
 * plan of any release pins its cache. */
static const struct {
    uint8_t releases;
    const char *names;
} some[] = {
    {R6,
     "device disable-async-output-proc disable-logprobs-during-spec-decoding enable-lora-bias "
     "enable-prompt-adapter guided-decoding-backend long-lora-scaling-factors max-prompt-adapter-token "
     "max-prompt-adapters max-seq-len-to-capture multi-step-stream-outputs ngram-prompt-lookup-max "
     "ngram-prompt-lookup-min num-scheduler-steps num-speculative-tokens override-neuron-config "
     "preemption-mode prompt-adapters qlora-adapter-name-or-path quantization-param-path rope-scaling "
     "rope-theta scheduler-delay-factor spec-decoding-acceptance-method "
     "speculative-disable-by-batch-size speculative-disable-mqa-scorer "
     "speculative-draft-tensor-parallel-size speculative-max-model-len speculative-model "
     "speculative-model-quantization tokenizer-pool-extra-config tokenizer-pool-size "
     "tokenizer-pool-type typical-acceptance-sampler-posterior-alpha "
     "typical-acceptance-sampler-posterior-threshold use-v2-block-manager worker-use-ray"},
    {R11,
     "cuda-graph-sizes enable-multimodal-encoder-data-parallel eplb-log-balancedness eplb-step-interval "
     "eplb-window-size num-redundant-experts"},
    {R6 | R11,
     "disable-frontend-multiprocessing disable-log-requests disable-mm-preprocessor-cache "
     "logits-processor-pattern lora-extra-vocab-size num-lookahead-slots override-pooler-config "
     "swap-space task"},
    {R11 | R19,
     "calculate-kv-scales max-long-partial-prefills max-num-partial-prefills override-attention-dtype"},
    {R29,
     "enable-bf16x3-router-gemm"},
    {R33,
     "anthropic-disabled-thinking-effort aux-output-config custom-histogram-buckets dp-sync-interval "
     "elastic-ep-max-dp-size enable-hc-sp enable-mamba-shared-prefix-checkpoint "
     "enable-nccl-comm-suspend enable-scale-out enable-shm-tensor-arena engram-config grpc-port "
     "kda-decode-backend log-level logging-config long-prefill-token-threshold-adaptive "
     "max-lora-cls-labels max-num-active-seqs monokernel reasoning-effort-map sleep-mode-backend "
     "sleep-mode-offload-cudagraph sleep-preserve-parameter-names sparse-indexer-topk-backend "
     "swa-bounded-replay tool-strict-level trust-request-mm-kwargs watchdog-config watermark-config"},
    {R29 | R33,
     "cohere-format cohere-is-reasoning-model cpu-distributed-timeout-seconds "
     "data-parallel-multi-port-external-lb data-parallel-supervisor-port dcp-q-replicate device-ids "
     "diffusion-config dp-supervisor-probe-failure-threshold dp-supervisor-probe-interval-s "
     "dp-supervisor-probe-timeout-s ec-manager-config enable-batch-sharded-sampling "
     "enable-cumem-allocator enable-fault-tolerance enable-flash-late-interaction "
     "enable-mamba-cache-stochastic-rounding enable-mixed-moe-lora-format enable-moe-shared-loras "
     "enable-per-request-metrics enable-trace-replay fault-tolerance-config fingerprint-mode "
     "fingerprint-value ir-op-priority jit-monitor-mode jit-monitor-verbose kda-prefill-backend "
     "linear-backend mamba-backend mamba-cache-philox-rounds mamba-ssu-algorithm max-num-queued-reqs "
     "max-num-queued-tokens max-num-scheduled-tokens mm-device-do-normalize mm-encoder-attn-dtype "
     "mm-encoder-fp8-scale-path mm-encoder-fp8-scale-save-margin mm-encoder-fp8-scale-save-path "
     "mm-hasher-algorithm mm-ipc-gpu-memory-gb mm-processor-device model-class-overrides numa-bind "
     "numa-bind-cpus numa-bind-nodes per-request-spec-decode-metrics prefill-schedule-interval "
     "prefix-cache-retention-interval prefix-match-unit quantization-config replayssm-buffer-len "
     "return-sampling-mask safetensors-prefetch-block-size safetensors-prefetch-num-threads spec-method "
     "spec-model spec-tokens sse-keep-alive-interval use-fp64-gumbel use-replayssm video-pruning-method "
     "watermark"},
    {R19 | R29 | R33,
     "allow-deprecated-quantization attention-backend attention-config cp-kv-cache-interleave-size "
     "cpu-offload-params cudagraph-metrics dcp-comm-backend default-chat-template-kwargs "
     "disable-access-log-for-endpoints distributed-timeout-seconds enable-elastic-ep "
     "enable-ep-weight-filter enable-flashinfer-autotune enable-layerwise-nvtx-tracing "
     "enable-log-deltas enable-logging-iteration-details enable-mfu-metrics enable-offline-docs "
     "enable-return-routed-experts enable-tower-connector-lora fail-on-environ-validation "
     "gdn-prefill-backend grpc kernel-config kv-cache-dtype-skip-layers kv-cache-metrics "
     "kv-cache-metrics-sample language-model-only lora-target-modules mamba-cache-mode mm-encoder-only "
     "mm-tensor-ipc moe-backend offload-backend offload-group-size offload-num-in-group offload-params "
     "offload-prefetch-step optimization-level performance-mode prefill-context-parallel-size "
     "profiler-config reasoning-config renderer-num-workers scheduler-reserve-full-isl shutdown-timeout "
     "specialize-active-lora ssl-ciphers ubatch-size weight-transfer-config"},
    {R11 | R19 | R29 | R33,
     "additional-config aggregate-engine-logging all2all-backend allowed-media-domains api-server-count "
     "async-scheduling config convert cudagraph-capture-sizes data-parallel-address "
     "data-parallel-backend data-parallel-external-lb data-parallel-hybrid-lb data-parallel-rank "
     "data-parallel-rpc-port data-parallel-size data-parallel-size-local data-parallel-start-rank "
     "dbo-decode-token-threshold dbo-prefill-token-threshold dcp-kv-cache-interleave-size "
     "decode-context-parallel-size default-mm-loras disable-cascade-attn disable-chunked-mm-input "
     "disable-hybrid-kv-cache-manager disable-nccl-for-dp-synchronization disable-uvicorn-access-log "
     "ec-transfer-config enable-dbo enable-eplb enable-expert-parallel enable-force-include-usage "
     "enable-log-outputs enable-log-requests enable-mm-embeds enable-prompt-embeds "
     "enable-server-load-tracking enable-sleep-mode enable-ssl-refresh enable-tokenizer-info-endpoint "
     "eplb-config exclude-tools-when-tool-choice-none expert-placement-strategy h11-max-header-count "
     "h11-max-incomplete-event-size headless hf-config-path hf-token interleave-mm-strings "
     "io-processor-plugin kv-events-config kv-offloading-backend "
     "kv-offloading-size kv-sharing-fast-prefill log-config-file log-error-stack logits-processors "
     "logprobs-mode long-prefill-token-threshold mamba-block-size mamba-cache-dtype "
     "mamba-ssm-cache-dtype master-addr master-port max-cudagraph-capture-size media-io-kwargs "
     "mm-encoder-attn-backend mm-encoder-tp-mode mm-processor-cache-gb mm-processor-cache-type "
     "mm-shm-cache-max-object-size-mb model-impl nnodes node-rank override-generation-config "
     "pooler-config prefix-caching-hash-algo pt-load-map-location reasoning-parser "
     "reasoning-parser-plugin runner safetensors-load-strategy scheduler-cls "
     "show-hidden-metrics-for-version skip-mm-profiling speculative-config stream-interval "
     "structured-outputs-config tokens-only tool-server trust-request-chat-template uds "
     "use-tqdm-on-load video-pruning-rate worker-extension-cls"},
};

/* Options that move memory, with the first release that declares them and the first that no longer does, 100 x minor + patch
 * (engine/arg_utils.py of the 35 releases from 0.6.6 to 0.32.0). */
static const struct {
    const char *name;
    uint16_t first, past;
} spans[] = {
    {"async-scheduling", 1000, 0},
    {"attention-backend", 1300, 0},
    {"cuda-graph-sizes", 900, 1300},
    {"cudagraph-capture-sizes", 1101, 0},
    {"data-parallel-size", 803, 0},
    {"decode-context-parallel-size", 1002, 0},
    {"disable-hybrid-kv-cache-manager", 901, 0},
    {"enable-eplb", 902, 0},
    {"enable-expert-parallel", 800, 0},
    {"eplb-config", 1002, 0},
    {"kv-cache-dtype-skip-layers", 1900, 0},
    {"kv-offloading-size", 1101, 0},
    {"kv-sharing-fast-prefill", 1001, 0},
    {"language-model-only", 1700, 0},
    {"lora-extra-vocab-size", 0, 1200},
    {"mamba-block-size", 1101, 0},
    {"mamba-cache-dtype", 1001, 0},
    {"mamba-cache-mode", 1600, 0},
    {"mamba-ssm-cache-dtype", 1001, 0},
    {"max-cudagraph-capture-size", 1101, 0},
    {"max-seq-len-to-capture", 0, 1100},
    {"mm-encoder-tp-mode", 1002, 0},
    {"num-lookahead-slots", 0, 1200},
    {"num-redundant-experts", 902, 1200},
    {"optimization-level", 1200, 0},
    {"override-attention-dtype", 902, 2800},
    {"prefill-context-parallel-size", 1200, 0},
    {"rope-scaling", 0, 1101},
    {"skip-mm-profiling", 1001, 0},
    {"spec-method", 2200, 0},
    {"speculative-config", 803, 0},
    {"speculative-model", 0, 803},
    {"swap-space", 0, 1800},
};

/* 100 x minor + patch of "0.11.2" or "v0.11"; 0: it is no such version. */
static unsigned release_of(const char *version)
{
    unsigned minor, patch = 0;
    return sscanf(version + (*version == 'v'), "0.%u.%u", &minor, &patch) < 1 ? 0 : 100 * minor + patch;
}

bool hwl_vllm_has_arg(const char *name, const char *version)
{
    /* between two releases an option may be there that either of them has */
    static const struct {
        unsigned first;
        uint8_t releases;
    } ages[] = {{33, R33}, {30, R29 | R33}, {29, R29}, {20, R19 | R29}, {19, R19}, {12, R11 | R19}, {11, R11}, {7, R6 | R11}, {0, R6}};
    const unsigned release = release_of(version ? version : hwl_vllm_versions[0]);
    uint8_t age = 0;
    if (!release)
        return true;
    for (size_t i = 0; i < sizeof ages / sizeof *ages && !age; i++)
        if (release / 100 >= ages[i].first)
            age = ages[i].releases;
    name += strncmp(name, "no-", 3) == 0 ? 3 : 0;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        if (strcmp(spans[i].name, name) == 0)
            return release >= spans[i].first && (!spans[i].past || release < spans[i].past);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (hwl_words_have(some[i].names, name))
            return some[i].releases & age;
    return true;
}

bool hwl_vllm_writes_arg(const char *name, const char *version)
{
    return strncmp(name, "no-", 3) != 0 || release_of(version) >= 805 || strcmp(name, "no-enable-prefix-caching") == 0;
}

const char *hwl_vllm_pin(const char *version, const char **view)
{
    const bool bytes = release_of(version) >= 1002;
    *view = bytes ? "kv_cache_memory_bytes" : "num_gpu_blocks";
    return bytes ? "kv-cache-memory-bytes" : "num-gpu-blocks-override";
}
