/* SPDX-License-Identifier: Apache-2.0 */
/* How far a slider may go, where it is recommended to stand and where the plan stops to fit: by bisection over plans. */
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "device/devices.h"
#include "plan/internal.h"
#include "search/trial.h"

#include <stdlib.h>
#include <string.h>

enum bound { BOUND_CONTEXT, BOUND_SEQUENCES, BOUND_TOKENS, BOUND_LAYERS_OUT, BOUND_LAYERS, BOUND_GPUS };

#define MOST_SEQUENCES 4096u
#define MOST_TOKENS 131072u /* batches beyond this are not run */

static const struct row {
    const char *option, *engines;
    enum bound most;
    uint64_t least;
    bool falling;
    bool gpus_only; /* what leaves the GPUs lies on the host: the host is judged at the end */
} rows[] = {
    {"ctx", "", BOUND_CONTEXT, 1, false, false},
    {"concurrency", "", BOUND_SEQUENCES, 1, false, false},
    {"batch", "llama.cpp ollama lm-studio mlx", BOUND_TOKENS, 1, false, false},
    {"ubatch", "llama.cpp ollama lm-studio", BOUND_TOKENS, 1, false, false},
    {"ngl", "llama.cpp ollama lm-studio", BOUND_LAYERS_OUT, 0, false, true},
    {"n-cpu-moe", "llama.cpp", BOUND_LAYERS, 0, true, true},
    {"max-seqs", "vllm sglang tensorrt-llm", BOUND_SEQUENCES, 1, false, false},
    {"max-batched-tokens", "vllm sglang", BOUND_TOKENS, 1, false, false},
    {"tp", "vllm sglang tensorrt-llm tgi transformers", BOUND_GPUS, 1, true, false},
    {"pp", "vllm sglang tensorrt-llm", BOUND_GPUS, 1, true, false},
};

static uint64_t most(const struct row *row, const struct hwl_model *model, const hwl_devices *devices, uint64_t current)
{
    const uint64_t now = current == HWL_UNKNOWN ? 0 : current;
    switch (row->most) {
    case BOUND_CONTEXT: return hwl_max(model->context_train ? model->context_train : MOST_TOKENS, now);
    case BOUND_SEQUENCES: return hwl_max(MOST_SEQUENCES, now);
    case BOUND_TOKENS: return hwl_max(MOST_TOKENS, now);
    case BOUND_LAYERS_OUT: return (uint64_t)model->n_layers + 1;
    case BOUND_LAYERS: return model->n_layers;
    case BOUND_GPUS: return hwl_max(1, devices->n_gpus);
    }
    return now;
}

struct judge {
    struct hwl_trial *trial;
    const struct row *row;
    bool green, moves;
};

static bool holds(void *user, uint64_t n)
{
    struct judge *j = user;
    struct hwl_measure m;
    if (!hwl_trial_number(j->trial, j->row->option, n, &m))
        return false;
    if (j->row->gpus_only)
        return hwl_trial_gpus_hold(j->trial->plan, j->green);
    if (m.verdict == HWL_VERDICT_EXCEEDS)
        return false;
    return !j->green || m.verdict == HWL_VERDICT_FITS || (j->moves && !m.host_layers && j->trial->n_own);
}

/* The found value as a whole plan: the host may break it. */
static uint64_t confirmed(struct judge *j, uint64_t n)
{
    struct hwl_measure m;
    if (n == HWL_UNKNOWN || !hwl_trial_number(j->trial, j->row->option, n, &m) || m.verdict == HWL_VERDICT_EXCEEDS)
        return HWL_UNKNOWN;
    return n;
}

/* Where the engine refuses some numbers in between (heads over ranks) only a walk finds the first that holds. */
static uint64_t first(struct judge *j, const hwl_range *r)
{
    for (uint64_t n = r->least; n <= r->most; n++)
        if (holds(j, n))
            return n;
    return HWL_UNKNOWN;
}

static void search(struct judge *j, hwl_range *r)
{
    if (j->row->most == BOUND_GPUS) {
        r->limit = first(j, r);
        j->green = true;
        r->recommended = first(j, r);
        return;
    }
    r->limit = confirmed(j, hwl_search_farthest(r->least, r->most, r->falling, holds, j));
    j->green = true;
    r->recommended = r->limit == HWL_UNKNOWN ? HWL_UNKNOWN
                     : r->falling            ? hwl_search_farthest(r->limit, r->most, true, holds, j)
                                             : hwl_search_farthest(r->least, r->limit, false, holds, j);
    r->recommended = confirmed(j, r->recommended);
}

static uint64_t in_force(const hwl_plan *plan, const char *option)
{
    char text[40];
    uint64_t n;
    return hwl_plan_setting(plan, option, text, sizeof text) && hwl_text_u64(text, &n) ? n : HWL_UNKNOWN;
}

static hwl_status find(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, const char *option, bool marks,
                       hwl_range *out, hwl_error *error)
{
    const struct row *row = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !row; i++)
        if (strcmp(rows[i].option, option) == 0 && (!*rows[i].engines || hwl_words_have(rows[i].engines, planner->engine->id)))
            row = &rows[i];
    if (!row)
        return hwl_fail(error, HWL_E_NOT_FOUND, "%s has no number '%.40s'", planner->engine->id, option);
    struct hwl_trial trial;
    struct hwl_measure now;
    HWL_TRY(hwl_trial_open(&trial, planner, NULL, devices, settings, error));
    /* Where the plan as it is is refused there is no value in force, but the option may still go somewhere. */
    const bool planned = hwl_trial_run(&trial, NULL, &now, NULL) == HWL_OK;
    hwl_range r = {.least = row->least, .current = planned ? in_force(trial.plan, option) : HWL_UNKNOWN, .falling = row->falling,
                   .limit = HWL_UNKNOWN, .recommended = HWL_UNKNOWN};
    if (r.current == HWL_UNKNOWN && planned && row->most == BOUND_CONTEXT)
        r.current = now.context;
    if (r.current == HWL_UNKNOWN && planned && strcmp(option, "concurrency") == 0)
        r.current = now.concurrency;
    r.most = most(row, planner->model, devices, r.current);
    struct judge j = {&trial, row, false, hwl_search_moves(planner->engine->id, settings)};
    if (marks)
        search(&j, &r);
    hwl_trial_close(&trial);
    *out = r;
    return HWL_OK;
}

hwl_status hwl_planner_range(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, const char *option,
                             hwl_range *out, hwl_error *error)
{
    return find(planner, devices, settings, option, true, out, error);
}

hwl_status hwl_planner_bounds(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, const char *option,
                              hwl_range *out, hwl_error *error)
{
    return find(planner, devices, settings, option, false, out, error);
}
