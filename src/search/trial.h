/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SEARCH_TRIAL_H
#define HWL_SEARCH_TRIAL_H

#include <hwledger/search.h>

/* What counts when plans are held against each other. */
struct hwl_measure {
    hwl_verdict verdict;
    uint64_t missing;   /* over all devices; what the cache lacks for one request, and what the engine asks for beyond what is free */
    uint64_t vain;      /* of it what the engine asks for though others hold it */
    uint64_t own, all;  /* used on the first n_own GPUs, on all devices */
    uint64_t used, usable; /* of the device that the verdict hangs on */
    uint64_t context, concurrency, kv_tokens;
    uint32_t host_layers; /* that lie on the host though there are GPUs */
};

/* Planners of other quantisations and engines, made when first asked for: they cost a thousand plans. */
struct hwl_planners {
    struct {
        char key[200];
        hwl_planner *planner; /* NULL: there is none */
    } row[40];
    uint32_t n;
};
void hwl_planners_free(struct hwl_planners *planners);

/* Plans with changes, in objects that are used again. */
struct hwl_trial {
    const hwl_planner *planner;
    const hwl_devices *devices;
    const hwl_settings *base;
    struct hwl_planners *planners;
    uint32_t n_own; /* GPUs that there are without any change */
    hwl_settings *settings;
    hwl_devices *changed;
    hwl_plan *plan;
};

/* planners may be NULL: then no change may need another. */
hwl_status hwl_trial_open(struct hwl_trial *t, const hwl_planner *planner, struct hwl_planners *planners, const hwl_devices *devices,
                          const hwl_settings *settings, hwl_error *error);
/* The planner for settings of a change that needs another; NULL: there is no such plan. */
const hwl_planner *hwl_trial_planner(struct hwl_trial *t, const hwl_settings *settings, const hwl_devices *devices, hwl_error *error);
void hwl_trial_close(struct hwl_trial *t);
/* Plans with the changes of advice (NULL: none): HWL_OK and *out, or why there is no such plan. */
hwl_status hwl_trial_run(struct hwl_trial *t, const hwl_advice *advice, struct hwl_measure *out, hwl_error *error);
/* With one option at a number. False where the engine refuses. */
bool hwl_trial_number(struct hwl_trial *t, const char *option, uint64_t value, struct hwl_measure *out);

/* The GPUs of a plan alone, for what moves bytes between them and the host: none exceeds (green: none is tight either). */
bool hwl_trial_gpus_hold(const hwl_plan *plan, bool green);
/* Farthest n in [low, high] that holds(n): holds must be true up to some n (falling: from some n on). HWL_UNKNOWN: nowhere. */
uint64_t hwl_search_farthest(uint64_t low, uint64_t high, bool falling, bool (*holds)(void *user, uint64_t n), void *user);
/* Does the engine itself move layers that were not placed until they fit (llama.cpp's --fit)? */
bool hwl_search_moves(const char *engine, const hwl_settings *settings);

#endif
