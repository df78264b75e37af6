/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_PLAN_INTERNAL_H
#define HWL_PLAN_INTERNAL_H

#include "engine/engine.h"
#include "ledger/ledger.h"

struct hwl_planner {
    struct hwl_arena arena;
    const struct hwl_model *model;
    const struct hwl_engine *engine;
    const char *version;
    void *prepared;
};

struct hwl_plan {
    struct hwl_arena arena;
    struct hwl_arena scratch; /* the engine's while it plans */
    struct hwl_ledger ledger;
    const struct hwl_model *model;
    const struct hwl_engine *engine;
    const char *version;
    uint64_t reserve;
    uint64_t totals[HWL_KIND_COUNT];
    hwl_verdict verdict;
    uint32_t n_devices;
    hwl_device *devices;           /* [n_devices], copies: GPUs first, the host last */
    hwl_plan_device *plan_devices; /* [n_devices] */
    struct hwl_piece_list {
        hwl_piece *part;
        uint64_t n, cap;
    } *parts; /* [n_entries]; NULL: not asked for */
};

/* Totals and verdicts from the entries: the only place where they are summed. */
hwl_status hwl_plan_finish(struct hwl_plan *plan, hwl_error *error);

#endif
