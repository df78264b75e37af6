/* SPDX-License-Identifier: Apache-2.0 */
/* Releases of vLLM whose rules were read or asked, and the ranges of others that they stand for.
 * tests/data/vllm/releases.jsonl holds what the code of 0.6.6 to 0.22.0 itself answered.
 * What changed when was read in the source distributions of 0.6.6, 0.7.3, 0.8.5, 0.9.2, 0.10.0 to 0.10.2, 0.11.2, 0.12.0,
 * 0.14.1, 0.16.0 to 0.33.0: config/cache.py, config/vllm.py, engine/arg_utils.py, v1/core/kv_cache_utils.py,
 * v1/worker, v1/sample. */
#include "engine/vllm/vllm.h"

#include <stdio.h>
#include <string.h>

const char *const hwl_vllm_versions[] = {"0.33.0", "0.32.0", "0.30.0", "0.29.0", "0.28.0", "0.27.0", "0.26.0", "0.25.0", "0.24.0", "0.23.0",
                                         "0.22.0", "0.20.2", "0.20.0", "0.19.0", "0.18.0", "0.17.0", "0.16.0", "0.14.1", "0.13.0", "0.12.0",
                                         "0.11.2", "0.11.0", "0.10.2", "0.10.0", "0.9.2",  "0.9.0",  "0.8.5",  "0.8.4",  "0.8.3",  "0.8.2",
                                         "0.7.3",  "0.6.6",  "0.6.4",  NULL};

/* What a release and all later ones do, each beside what the one before did. */
#define SINCE_8 .piece_graphs = true
#define SINCE_11 SINCE_8, .full_graphs = true, .graph_step = 16
#define SINCE_14 SINCE_11, .triton_experts = true, .workspaces = true
#define SINCE_18 SINCE_14, .group_percent = 150, .sampler_bytes = 12, .triton_sampler = true
#define SINCE_20 SINCE_18, .utilization = 0.92, .v1_estimate = true, .backend_alignment = true, .other_mib = 160
#define SINCE_20_2 SINCE_20, .tokens_by_group = true, .override_checked = true
#define SINCE_26 SINCE_20_2, .in_flight_batches = true, .pads_pages = true
#define SINCE_27 SINCE_26, .merges_buckets = true
#define SINCE_28 SINCE_27, .hybrid_prefix = true, .largest_cards = true, .wide_graphs = true, .trtllm_width = 128
#define FALLBACK_29 "FlexOlmoForCausalLM GPTBigCodeForCausalLM HunYuanDenseV1ForCausalLM HunYuanMoEV1ForCausalLM OlmoForCausalLM "   \
                    "Olmo2ForCausalLM Olmo3ForCausalLM SmolLM3ForCausalLM Starcoder2ForCausalLM VaultGemmaForCausalLM "                \
                    "Emu3ForConditionalGeneration HunYuanVLForConditionalGeneration VibeVoiceAsrForConditionalGeneration"
#define SINCE_29                                                                                                       \
    SINCE_28, .kept_layers = true, .null_block = true, .v2_classes = "*", .v2_estimate = true, .no_minimax = true, .wide_states = true
#define SINCE_32 SINCE_29, .mamba2_checkpoints = true, .kernel_blocks = true
/* What later ones no longer do. */
#define UNTIL_31 .mode_all = true
#define UNTIL_29 UNTIL_31, .yarn_scales = true
#define UNTIL_27 UNTIL_29, .mode_all_default = true
#define UNTIL_16 UNTIL_27, .one_state_type = true
#define UNTIL_14 UNTIL_16, .no_align = true, .states_alone = true
#define UNTIL_13 UNTIL_14, .check = HWL_VLLM_CHECK_LAYERS, .no_auto_len = true, .chunks_promote = true
#define UNTIL_11_2 UNTIL_13, .draft_copies = true, .group_percent = 100
#define UNTIL_11_0 UNTIL_11_2, .long_rope = true
#define UNTIL_10 UNTIL_11_0, .graph_step = 8, .always_chunks = true, .no_state_prefix = true, .config_block = true
#define UNTIL_9 UNTIL_10, .no_chunks = true
#define UNTIL_9_0 UNTIL_9, .promotes = true, .plain_length = true
#define UNTIL_8 UNTIL_9_0, .a100_large = true, .forced_blocks = 1
/* Top-k and top-p by a sort of the logits: beside them their fp32 copy (4 bytes), the sorted values and places (4 and 8),
 * as much again of the segmented radix sort, and the places it starts from (8); ATen/native/cuda/Sort.cu. */
#define SORTED .sampler_bytes = 36, .utilization = 0.90, .v2_classes = "", .other_mib = 50

/* One cache for all layers that attend, in full; recurrent states beside it. */
#define V0                                                                                                             \
    UNTIL_27, .utilization = 0.90, .v2_classes = "", .group_percent = 100, .graph_step = 8, .full_graphs = true,       \
        .row_quarters = 12, .row_quarters_tp = 20, .no_windows = true, .no_chunks = true, .no_states = true,           \
        .plain_length = true, .long_rope = true, .no_auto_len = true, .no_state_prefix = true, .one_state_type = true, .override_checked = true

static const struct hwl_vllm_rules rules[] = {
    {.version = "0.33.0",
     SINCE_32,
     .short_mrope = true,
     .draft_heads = true,
     .gdn_checkpoints = true,
     .gb10_small = true,
     .v2_warms_up = true,
     .fallback = FALLBACK_29 " ArceeForCausalLM CwmForCausalLM GlmForCausalLM GPTNeoXForCausalLM Jais2ForCausalLM Kolibri1ForCausalLM "
                             "MellumForCausalLM NanbeigeForCausalLM PhiForCausalLM SeedOssForCausalLM",
     .no_medusa = true,
     .same_types = true,
     .attends_only = true,
     .no_act_order = true,
     .composite = true,
     .v2_methods = "mtp eagle eagle3 dflash dspark draft_model ngram ngram_gpu"},
    {.version = "0.32.0", .fallback = FALLBACK_29, SINCE_32, .v2_methods = "mtp eagle eagle3 draft_model ngram ngram_gpu"},
    {.version = "0.30.0", .fallback = FALLBACK_29, SINCE_29, UNTIL_31, .small_windows = true},
    {.version = "0.29.0", .fallback = FALLBACK_29, SINCE_29, UNTIL_29, .small_windows = true},
    {.version = "0.28.0",
     SINCE_28,
     UNTIL_29,
     .small_windows = true,
     .v2_classes = "dense DeepseekV2ForCausalLM DeepseekV4ForCausalLM GraniteMoeForCausalLM Qwen2MoeForCausalLM"},
    {.version = "0.27.0",
     SINCE_27,
     UNTIL_27,
     .small_windows = true,
     .v2_classes = "dense DeepseekV2ForCausalLM GraniteMoeForCausalLM Qwen2MoeForCausalLM"},
    {.version = "0.26.0",
     SINCE_26,
     UNTIL_27,
     .v2_classes = "dense DeepseekV2ForCausalLM GraniteMoeForCausalLM Qwen2MoeForCausalLM"},
    {.version = "0.25.0",
     SINCE_20_2,
     UNTIL_27,
     .v2_classes = "dense DeepseekV2ForCausalLM GraniteMoeForCausalLM Qwen2MoeForCausalLM"},
    {.version = "0.24.0",
     SINCE_20_2,
     UNTIL_27,
     .v2_classes = "Qwen3ForCausalLM LlamaForCausalLM MistralForCausalLM DeepseekV2ForCausalLM GraniteMoeForCausalLM "
                   "Qwen2MoeForCausalLM"},
    {.version = "0.23.0", SINCE_20_2, UNTIL_27, .v2_plain = true, .v2_classes = "Qwen3ForCausalLM LlamaForCausalLM MistralForCausalLM"},
    {.version = "0.22.0", SINCE_20_2, UNTIL_27, .v2_plain = true, .v2_classes = "Qwen3ForCausalLM"},
    {.version = "0.20.2", SINCE_20_2, UNTIL_27, .v2_classes = ""},
    {.version = "0.20.0", SINCE_20, UNTIL_27, .v2_classes = ""},
    {.version = "0.19.0", .fallback = "SmolLM3ForCausalLM Emu3ForConditionalGeneration", SINCE_18, UNTIL_27, .utilization = 0.90, .other_mib = 100, .v2_classes = ""},
    {.version = "0.18.0", .fallback = "SmolLM3ForCausalLM Emu3ForConditionalGeneration", SINCE_18, UNTIL_27, .utilization = 0.90, .other_mib = 100, .v2_classes = "", .check = HWL_VLLM_CHECK_FIRST},
    {.version = "0.17.0",
     SINCE_14,
     UNTIL_27,
     .utilization = 0.90,
     .group_percent = 125,
     .triton_sampler = true,
     .sampler_bytes = 12,
     .other_mib = 50,
     .v2_classes = "",
     .check = HWL_VLLM_CHECK_FIRST,
     .forced_blocks = 5,
     .wide_units = true},
    {.version = "0.16.0", SINCE_14, UNTIL_16, SORTED, .group_percent = 125, .check = HWL_VLLM_CHECK_FIRST_WHOLE, .forced_blocks = 5, .wide_units = true},
    {.version = "0.14.1", SINCE_14, UNTIL_14, SORTED, .group_percent = 125, .check = HWL_VLLM_CHECK_FIRST_WHOLE, .forced_blocks = 4, .wide_units = true},
    {.version = "0.13.0", SINCE_11, UNTIL_13, SORTED, .group_percent = 125, .forced_blocks = 4, .wide_units = true},
    {.version = "0.12.0", SINCE_11, UNTIL_13, SORTED, .group_percent = 125, .forced_blocks = 3, .wide_units = true},
    {.version = "0.11.2", SINCE_11, UNTIL_11_2, SORTED, .forced_blocks = 3, .wide_units = true, .state_prefix = true},
    {.version = "0.11.0", SINCE_11, UNTIL_11_0, SORTED, .forced_blocks = 2, .no_state_prefix = true},
    {.version = "0.10.2", SINCE_8, UNTIL_10, SORTED, .forced_blocks = 2, .v0_for = HWL_VLLM_V0_FP8 | HWL_VLLM_V0_FP8_FA3},
    {.version = "0.10.0", SINCE_8, UNTIL_10, SORTED, .forced_blocks = 1, .v0_for = HWL_VLLM_V0_FP8 | HWL_VLLM_V0_FP8_FA3 | HWL_VLLM_V0_STATES | HWL_VLLM_V0_ENCODERS},
    {.version = "0.9.2",
     SINCE_8,
     UNTIL_9,
     SORTED,
     .forced_blocks = 1,
     .v0_for = HWL_VLLM_V0_FP8 | HWL_VLLM_V0_FP8_FA3 | HWL_VLLM_V0_STATES | HWL_VLLM_V0_ENCODERS | HWL_VLLM_V0_POOLING,
     .v1_methods = "ngram medusa eagle eagle3 mtp"},
    {.version = "0.9.0",
     SINCE_8,
     UNTIL_9_0,
     SORTED,
     .forced_blocks = 1,
     .v0_for = HWL_VLLM_V0_FP8 | HWL_VLLM_V0_FP8_FA3 | HWL_VLLM_V0_STATES | HWL_VLLM_V0_ENCODERS | HWL_VLLM_V0_POOLING,
     .v1_methods = "ngram medusa eagle eagle3 mtp"},
#define V0_FOR_8 HWL_VLLM_V0_FP8 | HWL_VLLM_V0_STATES | HWL_VLLM_V0_ENCODERS | HWL_VLLM_V0_POOLING | HWL_VLLM_V0_STAGES
    {.version = "0.8.5", SINCE_8, UNTIL_8, SORTED, .v0_for = V0_FOR_8 | HWL_VLLM_V0_FP8_FA3, .v1_methods = ""},
    {.version = "0.8.4", SINCE_8, UNTIL_8, SORTED, .named_large = true, .v0_for = V0_FOR_8 | HWL_VLLM_V0_FP8_FA3, .v1_methods = ""},
    {.version = "0.8.3",
     SINCE_8,
     UNTIL_8,
     SORTED,
     .named_large = true,
     .many_seqs = true,
     .v0_for = V0_FOR_8 | HWL_VLLM_V0_FP8_FA3,
     .v1_methods = ""},
    {.version = "0.8.2",
     SINCE_8,
     UNTIL_8,
     SORTED,
     .named_large = true,
     .many_seqs = true,
     .no_windows = true,
     .v0_for = V0_FOR_8,
     .v1_methods = ""},
    {.version = "0.8.5 V0", V0, .whole_latent = true, .sampler_bytes = 36, .whole_prompts = 2048, .other_mib = 40, .forced_blocks = 1},
    /* V0: a prompt is one batch up to 32k tokens (config.py); models run as they are written, which start-ups of Llama 8B
     * (RTX 3090), Qwen 14B and 32B on two ranks (RTX 4090, L40S) show as 3 rows of hidden width, 5 on several ranks. Until
     * 0.6.4 what lies outside torch counts from before the device is set up, and the profile run samples nothing. */
    {.version = "0.7.3", V0, .last_stage_rest = true, .latent_bytes = 256, .sampler_bytes = 36, .whole_prompts = 2048, .other_mib = 40, .forced_blocks = 10},
    {.version = "0.6.6", V0, .last_stage_rest = true, .sampler_bytes = 36, .whole_prompts = 2048, .other_mib = 40, .latent_head = 256},
    {.version = "0.6.4", V0, .last_stage_rest = true, .whole_prompts = 512, .other_mib = 340, .latent_head = 256},
};

const struct hwl_vllm_rules *hwl_vllm_rules_of(const char *version)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].version, version) == 0)
            return &rules[i];
    return &rules[0];
}

/* First release of each known set of rules, 100 x minor + patch of 0.minor.patch; before the first and from the last on
 * nothing is claimed. */
static const struct {
    unsigned first;
    const char *version;
} ranges[] = {{600, "0.6.4"},   {605, "0.6.6"},   {700, "0.7.3"},   {800, "0.8.2"},   {803, "0.8.3"},   {804, "0.8.4"},   {805, "0.8.5"},
              {900, "0.9.0"},   {901, "0.9.2"},   {1000, "0.10.0"}, {1001, "0.10.2"}, {1100, "0.11.0"}, {1101, "0.11.2"}, {1200, "0.12.0"},
              {1300, "0.13.0"}, {1400, "0.14.1"}, {1600, "0.16.0"}, {1700, "0.17.0"}, {1800, "0.18.0"}, {1900, "0.19.0"}, {2000, "0.20.0"}, {2002, "0.20.2"}, {2200, "0.22.0"}, {2300, "0.23.0"}, {2400, "0.24.0"}, {2500, "0.25.0"},
              {2600, "0.26.0"}, {2700, "0.27.0"}, {2800, "0.28.0"}, {2900, "0.29.0"}, {3000, "0.30.0"}, {3200, "0.32.0"}, {3300, "0.33.0"}, {3600, NULL}};

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
    if (minor > 99 || patch > 99)
        return NULL;
    const char *found = NULL;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (100 * minor + patch >= ranges[i].first)
            found = ranges[i].version;
    return found;
}
