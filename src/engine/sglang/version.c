/* SPDX-License-Identifier: Apache-2.0 */
/* Releases of SGLang whose code was read (their wheels), and the ranges of others that they stand for. */
#include "engine/sglang/sglang.h"

#include <stdio.h>
#include <string.h>

const char *const hwl_sglang_versions[] = {"0.5.23", "0.5.22", "0.5.21", "0.5.20", "0.5.18", "0.5.17", "0.5.15", "0.5.14", "0.5.13",
                                           "0.5.12", "0.5.11", "0.5.10", "0.5.9",  "0.5.8",  "0.5.7",  "0.5.6",  "0.5.5",  "0.5.4",
                                           "0.5.3",  "0.5.1",  "0.4.10", "0.4.9",  "0.4.7",  "0.4.6",  "0.4.4",  "0.4.2",  NULL};

/* arg_groups/memory_hook.py from 0.5.20, server_args.py before (_handle_gpu_memory_settings). */
static const struct hwl_sglang_class by_20[] = {{20 * 1024, 2048, 8, 8},      {35 * 1024, 4096, 48, 160},    {60 * 1024, 4096, 32, 160},
                                                {160 * 1024, 8192, 256, 512}, {UINT32_MAX, 16384, 512, 512}, {0, 4096, 160, 160}};
static const struct hwl_sglang_class by_09[] = {{20 * 1024, 2048, 8, 8},      {35 * 1024, 2048, 24, 80},     {60 * 1024, 4096, 32, 160},
                                                {160 * 1024, 8192, 256, 512}, {UINT32_MAX, 16384, 512, 512}, {0, 4096, 160, 160}};
static const struct hwl_sglang_class by_03[] = {{20 * 1024, 2048, 8, 8},      {35 * 1024, 2048, 16, 80},     {60 * 1024, 4096, 32, 160},
                                                {160 * 1024, 8192, 256, 512}, {UINT32_MAX, 16384, 512, 512}, {0, 4096, 160, 160}};
static const struct hwl_sglang_class by_49[] = {{35 * 1024, 2048, 8, 80},
                                                {90 * 1024, 8192, 160, 160},
                                                {160 * 1024, 8192, 256, 256},
                                                {UINT32_MAX, 16384, 512, 512},
                                                {0, 4096, 160, 160}};
static const struct hwl_sglang_class by_47[] = {
    {25000, 2048, 8, 80}, {96 * 1024 + 1, 8192, 160, 160}, {180000, 8192, 256, 256}, {UINT32_MAX, 16384, 512, 512}, {0, 16384, 160, 160}};
static const struct hwl_sglang_class by_46[] = {
    {25000, 2048, 8, 80}, {80 * 1024 + 1, 8192, 160, 160}, {UINT32_MAX, 8192, 256, 256}, {0, 8192, 160, 160}};
static const struct hwl_sglang_class by_42[] = {{25000, 2048, 8, 80}, {UINT32_MAX, 8192, 160, 160}, {0, 8192, 160, 160}};

/* configs/model_config.py is_hybrid_swa_model */
static const char windows_23[] =
    "BeamForCausalLM Llama4ForConditionalGeneration GptOssForCausalLM GraniteSWAForCausalLM GraniteMoeSWAForCausalLM "
    "IQuestQ1ForCausalLM MiMoV2ForCausalLM MiMoV2FlashForCausalLM Step3p5ForCausalLM Step3p7ForConditionalGeneration "
    "Gemma4ForCausalLM Gemma4ForConditionalGeneration Gemma4UnifiedForConditionalGeneration LagunaForCausalLM "
    "MellumForCausalLM MuseGlimmerForCausalLM MuseGlimmerForConditionalGeneration InklingForConditionalGeneration";
static const char windows_18[] =
    "Llama4ForConditionalGeneration GptOssForCausalLM MiMoV2ForCausalLM MiMoV2FlashForCausalLM Step3p5ForCausalLM "
    "Step3p7ForConditionalGeneration Gemma4ForCausalLM Gemma4ForConditionalGeneration "
    "Gemma4UnifiedForConditionalGeneration LagunaForCausalLM MellumForCausalLM MuseGlimmerForCausalLM "
    "MuseGlimmerForConditionalGeneration InklingForConditionalGeneration";
static const char windows_13[] =
    "Llama4ForConditionalGeneration GptOssForCausalLM MiMoV2ForCausalLM MiMoV2FlashForCausalLM Step3p5ForCausalLM "
    "Step3p7ForConditionalGeneration Gemma4ForCausalLM Gemma4ForConditionalGeneration "
    "Gemma4UnifiedForConditionalGeneration LagunaForCausalLM";
static const char windows_11[] =
    "Llama4ForConditionalGeneration GptOssForCausalLM MiMoV2ForCausalLM MiMoV2FlashForCausalLM Step3p5ForCausalLM "
    "Gemma4ForCausalLM Gemma4ForConditionalGeneration";
static const char windows_09[] = "Llama4ForConditionalGeneration GptOssForCausalLM MiMoV2FlashForCausalLM Step3p5ForCausalLM";

/* What a release and all later ones do, each beside what the one before did. */
#define SINCE_4 .states_ratio = true
#define SINCE_8 SINCE_4, .sm100 = 3, .narrow_drafts = "*"
#define SINCE_10 SINCE_8, .prefill_graph = true, .mla_prefill_reserve = true, .captures_largest = true, .gathers = true
#define SINCE_12 SINCE_10, .compressed = true
#define SINCE_14                                                                                                                           \
    SINCE_12, .half_requests = true, .draft_counted = true, .states_extra_buffer = true, .window_by_requests = true, .aligned_slots = true
#define SINCE_17 SINCE_14, .state_padding = true, .roles = true
#define SINCE_18 SINCE_17, .media_graphs = true, .media_reserve = true, .prefill_per_rank = true
#define SINCE_20 SINCE_18, .media_tuned = true, .window_checked = true
#define SINCE_21 SINCE_20, .compressed_pages = true, .window_by_stage = true
#define SINCE_22 SINCE_21, .batch_by_requests = true, .prefill_drops_drafts = true
/* What stood for a while. */
#define UNTIL_15                                                                                                                           \
    .mla_prefill_flat = true, .extra_states =                                                                                              \
                                  "Qwen3_5ForConditionalGeneration Qwen3_5MoeForConditionalGeneration Qwen3NextForCausalLM "               \
                                  "InternS2PreviewForConditionalGeneration MiniCPMV4_6ForConditionalGeneration BailingMoeV2_5ForCausalLM " \
                                  "FalconH1ForCausalLM GraniteMoeHybridForCausalLM NemotronHForCausalLM NemotronHPuzzleForCausalLM"
#define FROM_3 .fraction = HWL_SGLANG_BY_USE, .classes = by_03, .sizes = HWL_SGLANG_SIZES_SPARSE
#define FROM_5 .fraction = HWL_SGLANG_BY_USE, .classes = by_09, .mla_prefill_max = 2048
#define FROM_20                                                                                                                            \
    .fraction = HWL_SGLANG_BY_USE, .classes = by_20, .prefill_off = HWL_SGLANG_OFF_UNTRIED | HWL_SGLANG_OFF_KDA | HWL_SGLANG_OFF_EAGER
#define PIECES                                                                                                                             \
    .prefill_off = HWL_SGLANG_OFF_DP | HWL_SGLANG_OFF_A2A | HWL_SGLANG_OFF_LORA | HWL_SGLANG_OFF_OFFLOAD | HWL_SGLANG_OFF_ROLES |          \
                   HWL_SGLANG_OFF_LISTED
#define BY_CLASS                                                                                                                           \
    .longer_context = true, .fraction = HWL_SGLANG_BY_CLASS, .classes = by_49, .draft_reserve_mib = 2048, .standalone_reserve_mib = 2048,  \
    .sizes = HWL_SGLANG_SIZES_GAP, .sizes_256_mib = 90 * 1024, .sizes_512_mib = 160 * 1000, .steps_of_16 = true
#define LATER_PREFIX .prefixless = "KimiLinearForCausalLM BailingMoeV2_5ForCausalLM"
#define FROM_7_TO_13 LATER_PREFIX, .drafts_first = true, .nemotron_flashinfer = true
#define UNTIL_13                                                                                                                           \
    FROM_7_TO_13, UNTIL_15, .graphs_always = true, PIECES, .states_whole = true, .sparse_raw = true, .draft_reserve_mib = 4096,            \
                            .standalone_reserve_mib = 6144, .estimate_caps = true, .half_unasked = true
#define UNTIL_9 .requests_first = true, .windows_after = true, .states_whole = true
#define FROM_7_TO_9 UNTIL_9, FROM_7_TO_13, .requests_whole = true
#define UNTIL_6 UNTIL_9, .draft_headroom = true, .half_unasked = true
#define FROM_4_TO_6                                                                                                                        \
    .hybrid_whole = true, .states_times_drafts = true,                                                                                     \
    .prefixless = "NemotronHForCausalLM FalconH1ForCausalLM NemotronH_Nano_VL_V2 KimiLinearForCausalLM"
#define SMALL_DRAFTS                                                                                                                       \
    .narrow_drafts = "DeepseekV32ForCausalLM DeepseekV3ForCausalLM DeepseekV2ForCausalLM GptOssForCausalLM "                               \
                     "BailingMoeForCausalLM BailingMoeV2ForCausalLM"
#define FROM_3_TO_9 .graphs_always = true, .draft_reserve_mib = 2048, .standalone_reserve_mib = 6144

static const struct hwl_sglang_rules rules[] = {
    {.version = "0.5.23", SINCE_22, FROM_20, .mla_prefill_max = 8192, .window_classes = windows_23},
    {.version = "0.5.22", SINCE_22, FROM_20, .mla_prefill_max = 2048, .window_classes = windows_23},
    {.version = "0.5.21", SINCE_21, FROM_20, .mla_prefill_max = 2048, .window_classes = windows_23},
    {.version = "0.5.20", SINCE_20, FROM_20, .mla_prefill_max = 2048, .window_classes = windows_23},
    {.version = "0.5.18",
     SINCE_18,
     FROM_5,
     .mla_prefill_flat = true,
     .prefill_off = HWL_SGLANG_OFF_UNTRIED | HWL_SGLANG_OFF_EAGER,
     .window_classes = windows_18},
    {.version = "0.5.17",
     SINCE_17,
     FROM_5,
     .mla_prefill_flat = true,
     .prefill_off = HWL_SGLANG_OFF_UNTRIED | HWL_SGLANG_OFF_DENSE_MLA | HWL_SGLANG_OFF_NEMOTRON | HWL_SGLANG_OFF_EAGER,
     .window_classes = windows_13},
    {.version = "0.5.15",
     SINCE_14,
     FROM_5,
     UNTIL_15,
     .roles = true,
     .prefill_by_context = true,
     .sparse_raw = true,
     .prefill_off = HWL_SGLANG_OFF_MLA | HWL_SGLANG_OFF_LORA | HWL_SGLANG_OFF_A2A | HWL_SGLANG_OFF_DP | HWL_SGLANG_OFF_EAGER,
     .window_classes = windows_13},
    {.version = "0.5.14",
     SINCE_14,
     .graphs_always = true,
     .long_by_window = true,
     .window_in_tokens = true,
     FROM_5,
     UNTIL_15,
     PIECES,
     .prefill_by_context = true,
     .sparse_raw = true,
     .window_classes = windows_13},
    {.version = "0.5.13",
     SINCE_12,
     .long_by_window = true,
     FROM_5,
     UNTIL_13,
     .prefill_by_context = true,
     .page_of_one = true,
     .window_classes = windows_13},
    {.version = "0.5.12",
     SINCE_12,
     .long_by_window = true,
     .drafts_windowed = true,
     FROM_5,
     UNTIL_13,
     .page_of_one = true,
     .window_classes = windows_13},
    {.version = "0.5.11", SINCE_10, FROM_5, UNTIL_13, .page_of_one = true, .window_classes = windows_11},
    {.version = "0.5.10", SINCE_10, FROM_5, UNTIL_13, .windows_after = true, .window_classes = windows_09},
    {.version = "0.5.9",
     SINCE_8,
     .drafts_end_prefix = true,
     .sm100_one_pool = true,
     .sparse_raw = true,
     FROM_5,
     FROM_3_TO_9,
     FROM_7_TO_9,
     .gathers = true,
     .window_classes = windows_09},
    {.version = "0.5.8",
     SINCE_8,
     .drafts_end_prefix = true,
     .sm100_one_pool = true,
     .states_or_512 = true,
     .sparse_raw = true,
     FROM_5,
     FROM_3_TO_9,
     FROM_7_TO_9,
     .gathers = true,
     .window_classes = windows_09},
    {.version = "0.5.7",
     SINCE_4,
     .sm100 = 3,
     .narrow_drafts = "DeepseekV32ForCausalLM DeepseekV3ForCausalLM DeepseekV2ForCausalLM GptOssForCausalLM Glm4MoeForCausalLM "
                      "BailingMoeForCausalLM BailingMoeV2ForCausalLM MistralLarge3ForCausalLM PixtralForConditionalGeneration "
                      "MiMoV2FlashForCausalLM",
     .sm100_one_pool = true,
     .states_or_512 = true,
     .five_states = true,
     .hybrid_whole = true,
     .sparse_raw = true,
     FROM_5,
     FROM_3_TO_9,
     FROM_7_TO_9,
     .gathers = true,
     .window_classes = "MiMoV2FlashForCausalLM"},
    {.version = "0.5.6",
     SINCE_4,
     SMALL_DRAFTS,
     .sm100 = 2,
     .sparse_raw = true,
     FROM_4_TO_6,
     FROM_5,
     FROM_3_TO_9,
     UNTIL_6,
     .gathers = true,
     .window_classes = ""},
    {.version = "0.5.5",
     SINCE_4,
     SMALL_DRAFTS,
     .sm100 = 2,
     .sparse_dp = true,
     .sparse_raw = true,
     FROM_4_TO_6,
     FROM_5,
     FROM_3_TO_9,
     UNTIL_6,
     .gathers = true,
     .window_classes = ""},
    {.version = "0.5.4",
     SINCE_4,
     SMALL_DRAFTS,
     .sm100 = 2,
     .sparse_dp = true,
     .sparse_raw = true,
     FROM_4_TO_6,
     FROM_3,
     FROM_3_TO_9,
     UNTIL_6,
     .gathers = true,
     .mla_prefill_max = 2048,
     .window_classes = ""},
    {.version = "0.5.3",
     FROM_3,
     SMALL_DRAFTS,
     .sm100 = 1,
     .sparse_dp = true,
     .sparse_fraction = true,
     .sparse_raw = true,
     .sparse_unindexed = true,
     FROM_3_TO_9,
     UNTIL_6,
     .gathers = true,
     .window_classes = ""},
    {.version = "0.5.1", BY_CLASS, SMALL_DRAFTS, .sm100 = 1, UNTIL_6, .gathers = true, .window_classes = ""},
    {.version = "0.4.10",
     BY_CLASS,
     SMALL_DRAFTS,
     UNTIL_6,
     .gathers = true,
     .window_classes = "Gemma2ForCausalLM Gemma3ForCausalLM Gemma3ForConditionalGeneration Gemma3nForCausalLM "
                       "Gemma3nForConditionalGeneration"},
    {.version = "0.4.9", BY_CLASS, SMALL_DRAFTS, UNTIL_6, .gathers = true, .media_tenth = true, .window_classes = ""},
    {.version = "0.4.7",
     UNTIL_6,
     SMALL_DRAFTS,
     .longer_context = true,
     .fraction = HWL_SGLANG_BY_RANKS_OR_USE,
     .classes = by_47,
     .sizes = HWL_SGLANG_SIZES_GAP,
     .sizes_256_mib = 96 * 1024,
     .sizes_512_mib = 180 * 1000,
     .steps_of_16 = true,
     .media_given = true,
     .media_tenth = true,
     .window_classes = ""},
    {.version = "0.4.6",
     UNTIL_6,
     .narrow_drafts = "",
     .longer_context = true,
     .fraction = HWL_SGLANG_BY_RANKS_OR_SIZE,
     .classes = by_46,
     .sizes = HWL_SGLANG_SIZES_SIXTEENS,
     .sizes_256_mib = 80 * 1024,
     .request_row = true,
     .media_given = true,
     .media_tenth = true,
     .media_whole = true,
     .window_classes = ""},
    {.version = "0.4.4",
     UNTIL_6,
     .narrow_drafts = "",
     .fraction = HWL_SGLANG_BY_RANKS,
     .classes = by_42,
     .sizes = HWL_SGLANG_SIZES_ONES,
     .request_row = true,
     .media_given = true,
     .window_classes = ""},
    {.version = "0.4.2",
     UNTIL_6,
     .narrow_drafts = "",
     .fraction = HWL_SGLANG_BY_RANKS,
     .classes = by_42,
     .sizes = HWL_SGLANG_SIZES_EIGHTS,
     .request_row = true,
     .media_given = true,
     .window_classes = ""},
};

const struct hwl_sglang_rules *hwl_sglang_rules_of(const char *version)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].version, version) == 0)
            return &rules[i];
    return &rules[0];
}

/* First release of each set of rules, 100 x minor + patch of 0.minor.patch; before the first and from the last on nothing is claimed.
 * Read in the sources of 0.4.2 to 0.4.10 and all of 0.5; from 0.4.6 on asked as tests/data/sglang/pools.txt shows. */
static const struct {
    unsigned first;
    const char *version;
} ranges[] = {{400, "0.4.2"},  {404, "0.4.4"},  {406, "0.4.6"},  {407, "0.4.7"},  {408, "0.4.9"},  {410, "0.4.10"}, {500, "0.5.1"},
              {503, "0.5.3"},  {504, "0.5.4"},  {505, "0.5.5"},  {506, "0.5.6"},  {507, "0.5.7"},  {508, "0.5.8"},  {509, "0.5.9"},
              {510, "0.5.10"}, {511, "0.5.11"}, {512, "0.5.12"}, {513, "0.5.13"}, {514, "0.5.14"}, {515, "0.5.15"}, {517, "0.5.17"},
              {518, "0.5.18"}, {520, "0.5.20"}, {521, "0.5.21"}, {522, "0.5.22"}, {523, "0.5.23"}, {526, NULL}};

const char *hwl_sglang_version(const char *text)
{
    unsigned major, minor, patch;
    if (sscanf(*text == 'v' ? text + 1 : text, "%u.%u.%u", &major, &minor, &patch) != 3 || major != 0)
        return NULL;
    if (minor > 99 || patch > 99 || (minor == 4 && patch > 10))
        return NULL;
    const char *found = NULL;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (100 * minor + patch >= ranges[i].first)
            found = ranges[i].version;
    return found;
}
