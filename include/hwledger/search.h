/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_SEARCH_H
#define HWLEDGER_SEARCH_H

#include <hwledger/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What to change, found by planning again: nothing here is estimated. All of it only reads planner, devices and settings. */

/* Values of an option that are worth offering to a person, largest memory first: "kv-type", "quant", "flash-attn", "split-mode" ...
 * as the engine has them. NULL past the end, and for options whose values are numbers. */
HWL_API const char *hwl_option_choice(const char *engine, const char *option, uint32_t index);

/* How far a number can go with all else equal. */
typedef struct hwl_range {
    uint64_t least, most; /* what the option may be for this model and these devices */
    uint64_t current;     /* in force, defaults resolved; HWL_UNKNOWN where the engine says nothing */
    uint64_t recommended; /* farthest that the plan stays "fits" (at most 80 % used), or, where the engine itself moves layers until
                           * it fits, that no layer leaves the GPUs; HWL_UNKNOWN: none */
    uint64_t limit;       /* farthest that does not exceed; HWL_UNKNOWN: none */
    bool falling;         /* more of it takes less of the GPUs (n-cpu-moe): recommended >= limit */
} hwl_range;
/* option: ctx, concurrency, batch, ubatch, ngl, n-cpu-moe, max-seqs, max-batched-tokens, tp, pp. Some thirty plans each.
 * HWL_E_NOT_FOUND: the engine has no such number. */
HWL_API hwl_status hwl_planner_range(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, const char *option,
                                     hwl_range *out, hwl_error *error);

/* The same at the cost of one plan: without recommended and limit, which are HWL_UNKNOWN. */
HWL_API hwl_status hwl_planner_bounds(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, const char *option,
                                      hwl_range *out, hwl_error *error);

#define HWL_ADVICE_MAX 5
#define HWL_ADVICE_CHANGES 4

/* One option and the value it gets; "" clears it. The options "gpu" and "gpu-memory" add what the command line's option adds to the
 * devices that there are; with "-N" they take the last N GPUs away. */
typedef struct hwl_change {
    char option[32];
    char value[96];
} hwl_change;

/* One thing to do, proved by a plan with it. */
typedef struct hwl_advice {
    hwl_change change[HWL_ADVICE_CHANGES];
    uint32_t n_changes;
    hwl_verdict verdict;    /* of the plan with it */
    uint64_t saves_bytes;   /* less on the GPUs that there are now; where they stay as full, less on all devices together */
    uint32_t host_layers;   /* that lie on the host with it though there are GPUs, */
    uint32_t was_host_layers; /* and without it */
    uint64_t used_bytes;    /* by the fullest device, with it */
    uint64_t usable_bytes;  /* of that device */
    uint64_t missing_bytes; /* what it leaves missing over all devices, the cache of one request among it; 0 where it fits */
    uint64_t context;       /* tokens per sequence with it */
    uint64_t kv_tokens;     /* room of the cache with it; HWL_UNKNOWN where it is sized by the request */
    char cost[240];         /* what it costs, one sentence */
} hwl_advice;

/* Fills at most HWL_ADVICE_MAX rows, best first: those that make the plan fit before those that only help, less loss of quality
 * before more; where no single change is enough, two or three together are searched, and where these are not either, the first row
 * is what comes nearest. A plan that fits gets what would give it more room. Returns HWL_OK with *n 0 where nothing helps. */
HWL_API hwl_status hwl_advise(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings,
                              hwl_advice advice[HWL_ADVICE_MAX], uint32_t *n, hwl_error *error);
/* Makes the changes in settings and devices. undo, where given, gets the changes that take it back: apply it in turn. */
HWL_API hwl_status hwl_advice_apply(const hwl_advice *advice, hwl_settings *settings, hwl_devices *devices, hwl_advice *undo, hwl_error *error);
/* The plan document of schema hwledger.plan/1 with advice; limits may be NULL (then null). Free with hwl_text_free. */
HWL_API hwl_status hwl_plan_json_advised(const hwl_plan *plan, const hwl_limits *limits, const hwl_advice *advice, uint32_t n_advice,
                                         char **out, uint64_t *length, hwl_error *error);
/* The same with the question: the arguments of `hwledger plan`, each one word ("llama-3.1-8b", "--ctx=8192"), as "request". */
HWL_API hwl_status hwl_plan_json_asked(const hwl_plan *plan, const hwl_limits *limits, const hwl_advice *advice, uint32_t n_advice,
                                       const char *const *request, uint32_t n_request, char **out, uint64_t *length, hwl_error *error);
/* Hands the words of a plan document's request to word, in order; false from it stops. HWL_E_NOT_FOUND: the text is no plan document;
 * HWL_E_UNSUPPORTED: it is one without a request. */
HWL_API hwl_status hwl_plan_request(const char *json, uint64_t length, bool (*word)(void *user, const char *word), void *user,
                                    hwl_error *error);
/* Whether a planner must be made anew after the changes: engine, version or quantisation. */
HWL_API bool hwl_advice_needs_planner(const hwl_advice *advice);

#ifdef __cplusplus
}
#endif
#endif
