/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of llama.cpp. A release has a number only since August 2026, a build has one always: the rows say which builds
 * were seen. In May and June 2026 the masks became f16 (#23764, 031ddb2e0), llama-server stopped reserving all logits (#23861,
 * de6f727aa) and the f16 copies of quantised caches moved into the compute buffer (#23907, f8f0a47a5): one after the other, after
 * b9402, b9442 and b9479 and not after b9442, b9479 and b9495, as a binding's list of the commits between those tags says. */
#include "engine/llamacpp/version.h"

#include "base/str.h"
#include "engine/llamacpp/graph/galloc.h"

#include <ctype.h>
#include <string.h>

enum { MAX_BUILD = 99999 };

const char *const hwl_lc_versions[] = {"v0.5.0", "b9495", "b9479", "b9442", "63d93d173", "b7200", "4227c9be4", "b5781", "b5000", "b4500", "b2295", NULL};

/* LLM_ARCH_NAMES of 0c1e57098 that 63d93d173 has not. */
static const char later_2026[] = "bailingmoe3 cohere2moe deepseek32 deepseek4 dflash dots3note eagle3 gemma4-assistant glm5-next granite_swa "
                                 "graniteswitch hrm_text hy_v3 hy_v4 kimi-k3 laguna maple mellum minimax-01 minimax-m3 muse-glimmer nanbeige "
                                 "pockettts qwen3tts qwen4exp spark2_5 talkie";

/* Architectures whose graphs changed between May and August 2026, for draft heads most of them: not known build by build. */
static const char may_2026[] = "gpt-oss gemma4 qwen35 qwen35moe qwen3next step35 nemotron_h nemotron_h_moe";

static const struct lc_rules rules[] = {
    {
        .version = "v0.5.0",
        .commits = "v0.5.0 0c1e57098",
        .first = 10833, .last = 11342,
        .seen = "allocations of release v0.5.0, start-up logs of b10970 to b11342",
        .fit = true, .vulkan_async = true, .vulkan_order = HWL_ORDER_VULKAN, .by_index = true, .rotates = true, .server_outputs = true, .mask_f16 = true, .fa_copies = true, .small_weights = true, .auto_slots = true, .fa_auto = true,
        .both_inputs = true, .quant_v_insists = true, .same_types = true, .any_rows = true, .pad = 256, .pad_fa = 256,
        .later = "", .altered = "",
    },
    {
        .version = "b9495",
        .commits = "166fe2949 799fcc04a",
        .first = 9495, .last = 10832,
        .seen = "the commits between the tags b9479 and b9495, start-up logs of b9849 to b10566",
        .fit = true, .vulkan_async = true, .vulkan_order = HWL_ORDER_VULKAN_2025, .by_index = true, .rotates = true, .server_outputs = true, .mask_f16 = true, .fa_copies = true, .small_weights = true, .auto_slots = true, .fa_auto = true,
        .both_inputs = true, .quant_v_insists = true, .same_types = true, .any_rows = true, .pad = 256, .pad_fa = 256,
        .later = "", .altered = "",
    },
    {
        .version = "b9479",
        .commits = "0b7154066",
        .first = 9479, .last = 9479,
        .seen = "the commits between the tags b9442 and b9479",
        .fit = true, .vulkan_async = true, .vulkan_order = HWL_ORDER_VULKAN_2025, .by_index = true, .rotates = true, .server_outputs = true, .mask_f16 = true, .both_inputs = true, .row_split = true, .split_inputs = 30, .auto_slots = true,
        .fa_auto = true, .pad = 256, .pad_fa = 256,
        .later = later_2026, .altered = may_2026,
    },
    {
        .version = "b9442",
        .commits = "d4c8e2c29",
        .first = 9442, .last = 9442,
        .seen = "the commits between the tags b9402 and b9442",
        .fit = true, .vulkan_async = true, .vulkan_order = HWL_ORDER_VULKAN_2025, .by_index = true, .rotates = true, .mask_f16 = true, .both_inputs = true, .row_split = true, .split_inputs = 30, .auto_slots = true, .fa_auto = true,
        .pad = 256, .pad_fa = 256,
        .later = later_2026, .altered = may_2026,
    },
    {
        .version = "63d93d173",
        .commits = "63d93d173",
        .first = 7896, .last = 9402,
        .seen = "allocations of 63d93d173 (May 2026), start-up logs of b7896 to b9272",
        .fit = true, .vulkan_async = true, .vulkan_order = HWL_ORDER_VULKAN_2025, .by_index = true, .rotates = true, .both_inputs = true, .row_split = true, .split_inputs = 30, .auto_slots = true, .fa_auto = true,
        .rows_inside = true, .pad = 256, .pad_fa = 256,
        .later = later_2026, .altered = "nemotron_h nemotron_h_moe",
    },
    {
        .version = "b7200",
        .commits = "",
        .first = 6400, .last = 7500,
        .seen = "start-up logs of Ollama 0.13.5 to 0.19.0, whose llama.cpp is of late 2025",
        .by_index = true, .output_last = true, .row_split = true, .split_inputs = 30, .fa_auto = true, .rows_inside = true, .mla = LC_MLA_AND_V, .pad = 256, .pad_fa = 256, .n_ctx = 4096,
        .later = later_2026, .altered = "*",
    },
    {
        /* src/llama-kv-cache-unified.cpp get_padding; common/common.h n_ctx 4096, flash_attn false, n_parallel 1 */
        .version = "4227c9be4",
        .commits = "4227c9be4",
        .first = 6060, .last = 6150,
        .seen = "source of 4227c9be4 (August 2025), start-up log of b6110",
        .by_index = true, .output_last = true, .row_split = true, .split_inputs = 30, .rows_inside = true, .mla = LC_MLA_AND_V, .pad = 32, .pad_fa = 256, .n_ctx = 4096,
        .later = later_2026, .altered = "*",
    },
    {
        .version = "b5781",
        .commits = "ba3ef86c5",
        .first = 5781, .last = 5781,
        .seen = "start-up log of b5781 (June 2025)",
        .output_last = true, .row_split = true, .split_inputs = 30, .rows_inside = true, .mla = LC_MLA_AND_V, .pad = 32, .pad_fa = 256, .n_ctx = 4096,
        .later = later_2026, .altered = "*",
    },
    {
        .version = "b5000",
        .commits = "8733e0cf6",
        .first = 5192, .last = 5622,
        .seen = "source of 8733e0cf6 (May 2025), start-up logs of b5192 to b5622",
        .output_last = true, .row_split = true, .split_inputs = 30, .rows_inside = true, .mla = LC_MLA_AND_V, .no_glu = true, .pad = 32, .pad_fa = 256, .n_ctx = 4096,
        .later = later_2026, .altered = "*",
    },
    {
        .version = "b4500",
        .commits = "",
        .first = 2797, .last = 4553,
        .seen = "start-up logs of b2797 to b4553",
        .output_last = true, .row_split = true, .split_inputs = 30, .rows_inside = true, .mla = LC_MLA_EXPANDED, .no_glu = true, .pad = 32, .pad_fa = 256, .n_ctx = 4096,
        .later = later_2026, .altered = "*",
    },
    {
        .version = "b2295",
        .commits = "87c91c07",
        .first = 2295, .last = 2295,
        .seen = "start-up logs of b2295 and, without a number, of February and March 2024",
        .output_last = true, .inputs_apart = true, .no_op_offload = true, .row_split = true, .split_inputs = 30, .rows_inside = true, .mla = LC_MLA_EXPANDED, .no_glu = true, .all_rows = true, .pad = 32, .pad_fa = 256, .n_ctx = 4096,
        .later = later_2026, .altered = "*",
    },
};

const struct lc_rules *hwl_lc_rules(const char *version)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].version, version) == 0)
            return &rules[i];
    return &rules[0];
}

/* "b9849" or "9849" */
static bool build_of(const char *text, uint64_t *out)
{
    return hwl_text_u64(text + (text[0] == 'b'), out) && *out <= MAX_BUILD;
}

const char *hwl_lc_version(const char *text)
{
    uint64_t build;
    const size_t n = strlen(text);
    if (strncmp(text, "v0.5", 4) == 0 || strncmp(text, "0.5", 3) == 0)
        return rules[0].version;
    bool hex = n >= 7 && n <= 40;
    for (size_t i = 0; i < n; i++)
        hex = hex && isxdigit((unsigned char)text[i]);
    for (size_t i = 0; hex && i < sizeof rules / sizeof *rules; i++) {
        for (const char *w = rules[i].commits; *w; w += strcspn(w, " "), w += *w == ' ') {
            const size_t len = strcspn(w, " "), least = n < len ? n : len;
            if (*w != 'v' && strncmp(w, text, least) == 0)
                return rules[i].version;
        }
    }
    if (n > 6 || !build_of(text, &build) || build < rules[sizeof rules / sizeof *rules - 1].first)
        return NULL;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) /* between two rows: the newer, since most changes came early */
        if (i + 1 == sizeof rules / sizeof *rules || build > rules[i + 1].last)
            return rules[i].version;
    return NULL;
}

bool hwl_lc_version_guessed(const struct lc_rules *r, const char *text)
{
    uint64_t build;
    return strlen(text) <= 6 && build_of(text, &build) && (build < r->first || build > r->last);
}
