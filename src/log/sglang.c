/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of SGLang: free memory around the load, graphs, options, and the release that was current on their date. */
#include "base/bytes.h"
#include "base/status.h"
#include "device/devices.h"
#include "log/internal.h"

#include <stdio.h>
#include <string.h>

#define GIB (1024.0 * 1024.0 * 1024.0)
#define UNSEEN ((uint64_t)1 << 30) /* what a card holds before the first line that tells its free memory, about */

/* Fields of ServerArgs that reach a plan. Of those that the start-up fills in itself, the printed value is the filled-in one. */
static const char fields[] =
    "model_path tp_size pp_size dp_size ep_size attn_dp_size dcp_size mem_fraction_static max_running_requests max_total_tokens "
    "chunked_prefill_size max_prefill_tokens context_length kv_cache_dtype dtype quantization page_size cuda_graph_max_bs "
    "cuda_graph_bs disable_cuda_graph disable_radix_cache disable_overlap_schedule disable_hybrid_swa_memory "
    "disable_piecewise_cuda_graph enable_dp_attention enable_ep_moe swa_full_tokens_ratio mamba_full_memory_ratio "
    "max_mamba_cache_size mamba_ssm_dtype mamba_scheduler_strategy mamba_radix_cache_strategy attention_backend "
    "speculative_algorithm speculative_draft_model_path speculative_num_steps speculative_num_draft_tokens "
    "speculative_eagle_topk enable_hierarchical_cache hicache_ratio hicache_size enable_multimodal language_model_only "
    "enable_lora max_loras_per_batch max_lora_rank cpu_offload_gb disaggregation_mode moe_a2a_backend";

bool hwl_log_is_sglang_field(struct hwl_str key)
{
    char text[64];
    if (key.n >= sizeof text)
        return false;
    memcpy(text, key.p, key.n);
    text[key.n] = 0;
    return hwl_words_have(fields, text);
}

static void put(struct hwl_log *log, const char *name, const char *at, double unit, uint64_t line)
{
    double v, r;
    if (!hwl_log_number(at, &v, &r))
        return;
    log->votes[HWL_LOG_SGLANG]++;
    const hwl_log_figure f = {.name = name, .device = "", .value = v * unit, .rounding = r * unit, .line = line};
    hwl_log_add_figure(log, &f);
}

/* "Capture cuda graph end. Time elapsed: 18.90 s. mem usage=0.58 GB."; from 0.5.20 "Capture target decode CUDA graph end.". */
static void graphs(struct hwl_log *log, const char *line, uint64_t number)
{
    const char *capture = strstr(line, "Capture ");
    const char *end = capture ? strstr(capture, "graph end.") : NULL, *usage = end ? strstr(end, "mem usage=") : NULL;
    if (!usage)
        return;
    const struct hwl_str what = {capture, (uint64_t)(end - capture)};
    char text[80];
    (void)snprintf(text, sizeof text, "%.*s", (int)hwl_min(what.n, sizeof text - 1), what.p);
    const char *name = strstr(text, "draft")                                    ? "draft_graph_bytes"
                       : strstr(text, "prefill") || strstr(text, "piecewise") ? "prefill_graph_bytes"
                                                                              : "graph_bytes";
    put(log, name, usage + 10, GIB, number);
}

/* "[2026-02-01 10:00:09 TP0] ..." */
static void date(struct hwl_log *log, const char *line)
{
    unsigned y, m, d;
    if (*line == '[' && !log->date && sscanf(line, "[%4u-%2u-%2u ", &y, &m, &d) == 3 && y > 2022 && y < 2100 && m < 13 && d < 32)
        log->date = y * 10000 + m * 100 + d;
}

void hwl_log_read_sglang(struct hwl_log *log, const char *line, uint64_t number)
{
    static const struct {
        const char *phrase, *before, *name;
    } rows[] = {{"Load weight end.", "avail mem=", "free_after_bytes"},
                {"Load weight end.", "mem usage=", "weights_bytes"},
                {"Memory pool end.", "avail mem=", "pool_end_avail_bytes"}};
    const uint32_t votes = log->votes[HWL_LOG_SGLANG];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *at = strstr(line, rows[i].phrase);
        at = at ? strstr(at, rows[i].before) : NULL;
        if (at)
            put(log, rows[i].name, at + strlen(rows[i].before), GIB, number);
    }
    const char *pools = strstr(line, "pool sizes: full="), *window = pools ? strstr(pools, ", swa=") : NULL; /* DeepSeek-V4 */
    if (window) {
        put(log, "kv_cache_tokens", pools + 17, 1, number);
        put(log, "window_tokens", window + 6, 1, number);
    }
    graphs(log, line, number);
    if (log->votes[HWL_LOG_SGLANG] > votes || strstr(line, "Load weight begin."))
        date(log, line);
}

const char *hwl_log_sglang_release(const struct hwl_log *log)
{
    /* the days on which the releases came out that changed a rule */
    static const struct {
        uint32_t day;
        const char *release;
    } days[] = {{20261030, "0.5.23"}, {20261016, "0.5.22"}, {20261001, "0.5.21"}, {20260918, "0.5.20"}, {20260821, "0.5.18"},
                {20260808, "0.5.17"}, {20260710, "0.5.15"}, {20260626, "0.5.14"}, {20260611, "0.5.13"}, {20260516, "0.5.12"},
                {20260507, "0.5.11"}, {20260405, "0.5.10"}, {20260223, "0.5.9"},  {20260123, "0.5.8"},  {20260101, "0.5.7"},
                {20251203, "0.5.6"},  {20251106, "0.5.5"},  {20251024, "0.5.4"},
                {20251006, "0.5.3"},  {20250814, "0.5.1"},  {20250731, "0.4.10"}, {20250624, "0.4.9"},  {20250610, "0.4.7"},
                {20250427, "0.4.6"},  {20250313, "0.4.4"},  {0, "0.4.2"}};
    for (size_t i = 0; log->date && i < sizeof days / sizeof *days; i++)
        if (log->date >= days[i].day)
            return days[i].release;
    return NULL;
}

/* Free memory in front of the load: as printed, or from what was free behind it and what it took. */
static bool free_before(const struct hwl_log *log, hwl_log_figure *out)
{
    const hwl_log_figure *before = hwl_log_figure_of(log, "free_before_bytes", false);
    const hwl_log_figure *after = hwl_log_figure_of(log, "free_after_bytes", false), *took = hwl_log_figure_of(log, "weights_bytes", true);
    if (before) {
        *out = *before;
        return before->value > 0;
    }
    if (!after || !took)
        return false;
    *out = (hwl_log_figure){.value = after->value + took->value, .rounding = after->rounding + took->rounding};
    return out->value > 0;
}

/* SGLang never prints a card's name or size. A size of its class is enough, as the free memory is told. */
hwl_status hwl_log_sglang_devices(const struct hwl_log *log, uint64_t ranks, hwl_devices *d, hwl_error *error)
{
    hwl_log_figure before;
    char spec[96];
    if (!free_before(log, &before))
        return hwl_fail(error, HWL_E_NOT_FOUND, "the log names no device and tells no free memory; name a device with --gpu");
    const double need = before.value + (double)UNSEEN / 2;
    double size = before.value + (double)UNSEEN;
    for (uint32_t i = 0; hwl_accelerator_at(i); i++) { /* the smallest that can have had so much free */
        const hwl_accelerator *a = hwl_accelerator_at(i);
        if (a->driver_bytes != HWL_UNKNOWN && (double)a->driver_bytes >= need && (double)a->driver_bytes < need + 2.5 * GIB &&
            ((double)a->driver_bytes < size || size <= need))
            size = (double)a->driver_bytes;
    }
    (void)snprintf(spec, sizeof spec, "%.0fx%llu", size, (unsigned long long)ranks);
    return hwl_devices_add_gpu_memory(d, spec, error);
}

static bool plan_of(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *s, hwl_plan **plan)
{
    *plan = NULL;
    return hwl_planner_plan(planner, devices, s, plan, NULL) == HWL_OK;
}

/* The same devices with so much free that the plan has in front of the load what the log tells; NULL where it tells nothing. */
hwl_devices *hwl_log_sglang_free(const struct hwl_log *log, const hwl_planner *planner, const hwl_devices *devices,
                                 const hwl_settings *s)
{
    hwl_log_figure before;
    hwl_plan *plan;
    double planned;
    hwl_devices *copy = NULL;
    if (!free_before(log, &before) || !plan_of(planner, devices, s, &plan))
        return NULL;
    if (hwl_log_view(plan, "weight_load_begin_avail_bytes", &planned) && hwl_devices_new(&copy) == HWL_OK) {
        *copy = *devices;
        for (uint32_t i = 0; i < copy->n_gpus; i++) {
            hwl_device *g = &copy->gpu[i];
            const double have = (double)(g->free_bytes != HWL_UNKNOWN ? g->free_bytes : g->memory_bytes);
            const double want = have + before.value - planned;
            g->free_bytes = want > 0 ? (uint64_t)want : 0;
            g->memory_bytes = hwl_max(g->memory_bytes, g->free_bytes);
        }
    }
    hwl_plan_free(plan);
    return copy;
}

/* With the memory around the load as logged, what is left is the pools' arithmetic: tokens and states must lie between both ends
 * of the rounding. Of several ranks the least counts, and the log shows some. */
void hwl_log_sglang_given(struct hwl_log *log, const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *s)
{
    static const char *const names[][2] = {{"kv_cache_tokens", "kv_cache_tokens_exact"}, {"mamba_slots", "mamba_slots_exact"}};
    const hwl_log_figure *after = hwl_log_figure_of(log, "free_after_bytes", false);
    hwl_log_figure before;
    hwl_plan *plan;
    double fraction, begin, end, rest, low[2] = {1e300, 1e300}, high[2] = {0, 0};
    if (!after || !free_before(log, &before) || !plan_of(planner, devices, s, &plan))
        return;
    bool ok = hwl_log_view(plan, "mem_fraction_static", &fraction) && hwl_log_view(plan, "weight_load_begin_avail_bytes", &begin) &&
              hwl_log_view(plan, "weight_load_end_avail_bytes", &end) && hwl_log_view(plan, "rest_bytes", &rest);
    hwl_plan_free(plan);
    if (!ok || rest <= 0)
        return;
    const double other = end - begin * (1 - fraction) - rest; /* of the budget, that waits for images */
    const double budget = after->value - before.value * (1 - fraction) - other;
    const double slack = after->rounding + before.rounding * (1 - fraction) + (devices->n_gpus > 1 ? 0.02 * GIB : 0);
    for (int i = -8; i <= 8; i++) { /* whole states come and go inside: more room may mean fewer tokens */
        hwl_settings *copy = NULL;
        char text[32];
        (void)snprintf(text, sizeof text, "%.0f", budget + slack * 1.02 * i / 8 > 0 ? budget + slack * 1.02 * i / 8 : 0.0);
        ok = hwl_settings_copy(s, &copy) == HWL_OK && hwl_settings_set(copy, "kv-cache-memory", text, NULL) == HWL_OK &&
             plan_of(planner, devices, copy, &plan);
        for (int k = 0; ok && k < 2; k++) {
            double v;
            if (hwl_log_view(plan, names[k][0], &v)) {
                low[k] = v < low[k] ? v : low[k];
                high[k] = v > high[k] ? v : high[k];
            }
        }
        hwl_plan_free(ok ? plan : NULL);
        hwl_settings_free(copy);
        if (!ok)
            return;
    }
    for (int k = 0; k < 2; k++) {
        const hwl_log_figure *logged = hwl_log_figure_of(log, names[k][0], true);
        if (!logged || low[k] > high[k])
            continue;
        const hwl_log_figure f = {.value = logged->value, .rounding = (high[k] - low[k]) / 2};
        hwl_log_add_term(log, names[k][1], "", (low[k] + high[k]) / 2, &f, 0,
                         "the pools are laid out for more than planned: an option or release that the log does not show",
                         "the pools are laid out for less than planned: an option or release that the log does not show");
    }
}
