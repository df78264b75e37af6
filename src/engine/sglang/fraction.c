/* SPDX-License-Identifier: Apache-2.0 */
/* --mem-fraction-static where it is not given. After arg_groups/memory_hook.py of 0.5.23, server_args.py before. */
#include "engine/sglang/sglang.h"

#include "base/bytes.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

/* What the engine finds of a tower where it is not what the tower is: it looks for num_hidden_layers and hidden_size in the
 * tower's configuration and takes 24 and 1,024, those of ViT-L/14, where there are none. Qwen2-VL calls the text's width so. */
static const struct {
    const char *arch;
    uint32_t layers, hidden; /* 0: as it is */
    bool text_width;
} towers[] = {{"qwen2_vl", 24, 0, true},  {"qwen2_5_vl", 24, 0, false}, {"qwen3_vl", 24, 0, false},
              {"qwen3_5", 24, 0, false},  {"glm4v", 24, 0, false},      {"ernie4_5_moe_vl", 24, 0, false},
              {"mllama", 32, 0, false},   {"deepseek_vl_v2", 24, 1024, false}};

/* adjust_mem_fraction_for_vlm: 5 % off, and more or less by the tower's size against ViT-L/14. */
static double media_factor(const struct hwl_model *m, const struct hwl_sglang_rules *rules)
{
    if (rules->media_tenth || rules->media_given)
        return rules->media_tenth ? 0.90 : 0.95;
    for (uint32_t i = 0; i < m->n_encoders; i++) {
        const struct hwl_encoder *e = &m->encoders[i];
        if (e->component != HWL_COMP_VISION)
            continue;
        double layers = e->n_layers, hidden = (double)e->hidden;
        for (size_t k = 0; k < sizeof towers / sizeof *towers; k++)
            if (strncmp(m->arch, towers[k].arch, strlen(towers[k].arch)) == 0) {
                layers = towers[k].layers ? towers[k].layers : layers;
                hidden = towers[k].text_width ? (double)m->hidden : towers[k].hidden ? towers[k].hidden : hidden;
            }
        const double ratio = layers * hidden * hidden / (24.0 * 1024 * 1024);
        return 0.95 * fmax(0.8, fmin(1.05, 1.0 - 0.1 * (ratio - 1.0)));
    }
    return 1.0;
}

/* The engine asks nvidia-smi, which counts what the driver keeps for itself: 469 MiB above CUDA's total on H100, 357 on
 * RTX 4090, 581 on L40S, 601 on H200. */
#define DRIVER_KEEPS 480
/* MiB for DeepEP's buffers: captured prefill, captured decoding */
#define DEEPEP_PREFILL 1024
#define DEEPEP_DECODE 2048

uint64_t hwl_sglang_memory_mib(const struct hwl_sglang_setup *setup)
{
    const bool cuda = setup->cc > 0 && setup->card->kind != HWL_DEVICE_UNIFIED;
    return setup->card->memory_bytes / MIB + (cuda ? DRIVER_KEEPS : 0);
}

static double reserve_by_use(const struct hwl_sglang_setup *u, double memory, bool decode_graph, bool prefill_graph,
                             const char *algorithm)
{
    const double bs = (double)u->max_bs;
    const uint64_t running = u->max_requests ? u->max_requests : u->max_bs ? u->max_bs : 1;
    const uint64_t step = u->rules->roles && u->decodes ? running * (u->draft_tokens ? u->draft_tokens : 1)
                          : u->chunk                    ? u->chunk
                                                        : u->max_prefill;
    double reserve = 512 + 1.5 * (double)hwl_max(step, 2048);
    reserve += (double)u->tp * u->pp * 128;
    if (decode_graph || u->rules->graphs_always)
        reserve += 2 * bs;
    if (u->attention_dp > 1 && !(u->rules->roles && u->prefills))
        reserve += bs * u->attention_dp * (bs > 300 ? 4.5 : 3);
    if (prefill_graph)
        reserve += u->mla && u->rules->mla_prefill_reserve ? 1536 : 8 * (double)u->n_prefill_graphs;
    const bool deepep = u->rules->roles && u->deepep;
    reserve += deepep && prefill_graph ? DEEPEP_PREFILL : 0;
    if (memory > 60 * 1024)
        reserve = fmax(reserve, 10 * 1024);
    reserve += deepep && decode_graph ? DEEPEP_DECODE : 0;
    if (hwl_text_eq_nocase(algorithm, "STANDALONE"))
        reserve += u->rules->standalone_reserve_mib;
    else if (*algorithm && !hwl_text_eq_nocase(algorithm, "NGRAM"))
        reserve += u->rules->draft_reserve_mib;
    return reserve;
}

static double reserve_by_class(const struct hwl_sglang_setup *u, double memory, const char *algorithm)
{
    const double ranks = (double)u->tp * u->pp;
    double reserve = memory < 35 * 1024    ? (2.8 + ranks / 10) * 1024
                     : memory < 90 * 1024  ? (9.5 + ranks / 2) * 1024
                     : memory < 160 * 1024 ? (12 + ranks / 2) * 1024
                                           : 32 * 1024;
    reserve += *algorithm ? u->rules->draft_reserve_mib : 0;
    return reserve + (u->attention_dp > 1 ? 4 * 1024 : 0);
}

static double by_ranks(const struct hwl_sglang_setup *u, double memory, bool drafts)
{
    const enum hwl_sglang_fraction how = u->rules->fraction;
    const uint32_t ranks = how == HWL_SGLANG_BY_RANKS_OR_USE ? u->tp * u->pp : u->tp;
    const double share = ranks >= 16 ? 0.79 : ranks >= 8 ? 0.81 : ranks >= 4 ? 0.85 : ranks >= 2 ? 0.87 : 0.88;
    if (how == HWL_SGLANG_BY_RANKS_OR_SIZE && memory > 80 * 1024)
        return (memory - 13 * 1024) / memory;
    if (how != HWL_SGLANG_BY_RANKS_OR_USE)
        return share;
    if (memory > 180000)
        return 0.79;
    const double some = memory > 80 * 1024 ? 0.88 : share;
    if (memory > 96 * 1024)
        return fmin(some + 48 * 1024 * (1 - some) / memory, (memory - 1024 * (drafts ? 20 : 18)) / memory);
    return some * (drafts ? 0.95 : 1.0);
}

/* What towers leave of a share that was given. */
double hwl_sglang_media_share(const struct hwl_model *model, const struct hwl_sglang_setup *setup)
{
    return setup->multimodal && setup->rules->media_given ? media_factor(model, setup->rules) : 1.0;
}

double hwl_sglang_fraction(const struct hwl_model *model, const struct hwl_sglang_setup *setup, bool decode_graph,
                           bool prefill_graph, const char *algorithm)
{
    const enum hwl_sglang_fraction how = setup->rules->fraction;
    const bool known = setup->card->memory_bytes != HWL_UNKNOWN;
    const double memory = known ? (double)hwl_sglang_memory_mib(setup) : 0;
    if (how <= HWL_SGLANG_BY_RANKS_OR_USE)
        return by_ranks(setup, memory, *algorithm != 0) * (setup->multimodal ? media_factor(model, setup->rules) : 1.0);
    if (!known)
        return 0.88;
    const double reserve = how == HWL_SGLANG_BY_CLASS
                               ? reserve_by_class(setup, memory, algorithm)
                               : reserve_by_use(setup, memory, decode_graph, prefill_graph, algorithm);
    char text[32]; /* Python's round: the nearest decimal of the exact value, ties to even */
    snprintf(text, sizeof text, "%.3f", (memory - reserve) / memory);
    const double fraction = strtod(text, NULL);
    return setup->multimodal && !(setup->rules->roles && setup->decodes) ? fraction * media_factor(model, setup->rules) : fraction;
}

/* mm_runtime_reservation_gb: what images take after the pools are sized. Large Hopper cards serve Qwen3-VL with a transport
 * pool on the card and without a cache of embeddings (model_overrides/qwen3_vl.py). */
uint64_t hwl_sglang_media_bytes(const struct hwl_model *model, const struct hwl_settings *settings,
                                const struct hwl_sglang_setup *setup)
{
    if (!setup->multimodal || !setup->rules->media_reserve)
        return 0;
    const bool tuned = setup->rules->media_tuned && setup->cc / 10 == 9 && hwl_sglang_memory_mib(setup) >= 60 * 1024 &&
                       hwl_sglang_has(model, HWL_SGLANG_MEDIA_TUNED);
    const char *transport = hwl_opt_text(settings, HWL_OPT_MEDIA_TRANSPORT, tuned ? "cuda_ipc" : "cpu");
    uint64_t mib = tuned ? 0 : 100;
    if (hwl_words_have("cuda_ipc cuda_vmm", transport))
        mib += tuned && hwl_opt_u64(settings, HWL_OPT_MAX_SEQS, 0) >= 400 ? 3072 : 1024;
    return mib * MIB;
}
