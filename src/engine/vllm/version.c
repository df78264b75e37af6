/* SPDX-License-Identifier: Apache-2.0 */
/* Releases of vLLM whose rules were read or asked, and the ranges of others that they stand for. */
#include "engine/vllm/vllm.h"

#include <stdio.h>
#include <string.h>

const char *const hwl_vllm_versions[] = {"0.33.0", "0.32.0", "0.29.0", "0.19.0", "0.11.2", "0.7.3", NULL};

/* Read in the wheels of 0.19.0, 0.29.0 and 0.33.0; 0.32.0 differs from 0.33.0 by the GDN checkpoints only. */
static const struct hwl_vllm_rules rules[] = {
    {.version = "0.33.0",
     .utilization = 0.92,
     .null_block = true,
     .tokens_by_group = true,
     .override_checked = true,
     .pads_pages = true,
     .merges_buckets = true,
     .in_flight_batches = true,
     .sampler_bytes = 12,
     .hybrid_prefix = true,
     .mamba2_checkpoints = true,
     .gdn_checkpoints = true,
     .backend_alignment = true,
     .v2_runner = true,
     .graph_estimate = true,
     .no_minimax = true,
     .kernel_blocks = true},
    {.version = "0.32.0",
     .utilization = 0.92,
     .null_block = true,
     .tokens_by_group = true,
     .override_checked = true,
     .pads_pages = true,
     .merges_buckets = true,
     .in_flight_batches = true,
     .sampler_bytes = 12,
     .hybrid_prefix = true,
     .mamba2_checkpoints = true,
     .backend_alignment = true,
     .v2_runner = true,
     .graph_estimate = true,
     .no_minimax = true,
     .kernel_blocks = true},
    {.version = "0.29.0",
     .utilization = 0.92,
     .null_block = true,
     .tokens_by_group = true,
     .override_checked = true,
     .pads_pages = true,
     .merges_buckets = true,
     .in_flight_batches = true,
     .sampler_bytes = 4, /* the V2 runner's first form: an fp32 copy, no top-k */
     .hybrid_prefix = true,
     .mode_all = true,
     .backend_alignment = true,
     .v2_runner = true,
     .graph_estimate = true,
     .small_windows = true,
     .no_minimax = true},
    {.version = "0.19.0", .utilization = 0.90, .mode_all = true, .triton_sampler = true, .sampler_bytes = 12},
    /* not read; the sort of the logits (4 and 8 bytes, twice over, with softmax and copies) is what start-ups of 0.10 and
     * 0.11 on H100, L40S and RTX cards show: 38 bytes a 16-bit logit */
    {.version = "0.11.2", .utilization = 0.90, .mode_all = true, .sampler_bytes = 36},
    /* V0: a prompt is one batch up to 32k tokens (config/scheduler.py of 0.6) */
    {.version = "0.7.3", .utilization = 0.90, .mode_all = true, .sampler_bytes = 36, .whole_prompts = true},
};

const struct hwl_vllm_rules *hwl_vllm_rules_of(const char *version)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].version, version) == 0)
            return &rules[i];
    return &rules[0];
}

/* First minor release of each known set of rules; before the first and after `end` nothing is claimed. */
static const struct {
    unsigned first, end; /* minor numbers of 0.x */
    const char *version;
} ranges[] = {{6, 8, "0.7.3"}, {8, 17, "0.11.2"}, {17, 21, "0.19.0"}, {21, 32, "0.29.0"}, {32, 33, "0.32.0"}, {33, 36, "0.33.0"}};

const char *hwl_vllm_version(const char *text)
{
    unsigned major, minor, patch = 0;
    int n = 0;
    const char *t = *text == 'v' ? text + 1 : text;
    if (sscanf(t, "%u.%u%n", &major, &minor, &n) != 2 || n == 0)
        return NULL;
    if (t[n] && (sscanf(t + n, ".%u", &patch) != 1))
        return NULL;
    if (major != 0)
        return NULL;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (minor >= ranges[i].first && minor < ranges[i].end)
            return ranges[i].version;
    return NULL;
}
