/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_PLAN_H
#define HWLEDGER_PLAN_H

#include <hwledger/device.h>
#include <hwledger/model.h>
#include <hwledger/settings.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hwl_kind {
    HWL_KIND_WEIGHTS,
    HWL_KIND_KV_CACHE,
    HWL_KIND_RECURRENT_STATE,
    HWL_KIND_COMPUTE,
    HWL_KIND_OUTPUT,
    HWL_KIND_OVERHEAD,
    HWL_KIND_COUNT
} hwl_kind;

typedef enum hwl_component {
    HWL_COMP_ATTENTION,
    HWL_COMP_FFN,
    HWL_COMP_EXPERTS,
    HWL_COMP_SHARED_EXPERT,
    HWL_COMP_ROUTER,
    HWL_COMP_NORM,
    HWL_COMP_EMBEDDING,
    HWL_COMP_OUTPUT,
    HWL_COMP_RECURRENT,
    HWL_COMP_VISION,
    HWL_COMP_AUDIO,
    HWL_COMP_PROJECTOR,
    HWL_COMP_DRAFT,
    HWL_COMP_LORA,
    HWL_COMP_GRAPH,
    HWL_COMP_CONTEXT,
    HWL_COMP_OTHER,
    HWL_COMP_COUNT
} hwl_component;

typedef enum hwl_basis { HWL_BASIS_EXACT, HWL_BASIS_MODELLED, HWL_BASIS_MEASURED } hwl_basis;
typedef enum hwl_memory { HWL_MEMORY_DEVICE, HWL_MEMORY_PINNED, HWL_MEMORY_PAGEABLE, HWL_MEMORY_REPACKED, HWL_MEMORY_MAPPED } hwl_memory;
typedef enum hwl_verdict { HWL_VERDICT_FITS, HWL_VERDICT_TIGHT, HWL_VERDICT_EXCEEDS } hwl_verdict;

#define HWL_ENTRY_ARGS 8

/* One line of the ledger. */
typedef struct hwl_entry {
    uint64_t bytes;
    int32_t layer;        /* -1: not of one layer */
    uint16_t device;      /* index into the plan's devices */
    uint8_t kind;         /* hwl_kind */
    uint8_t component;    /* hwl_component */
    uint8_t basis;        /* hwl_basis */
    uint8_t memory;       /* hwl_memory */
    float error;          /* fraction, for modelled entries; 0 otherwise */
    const char *source;   /* where the rule comes from; static */
    const char *formula;  /* template: "{0} cells x {1} B"; {n} is args[n]; static or of the plan. NULL: none */
    uint64_t args[HWL_ENTRY_ARGS];
} hwl_entry;

typedef struct hwl_plan_device {
    const hwl_device *device;
    uint64_t usable_bytes; /* free before start, less the reserve */
    uint64_t used_bytes;   /* sum of the device's entries */
    uint64_t free_bytes;   /* usable - used, 0 where exceeded */
    hwl_verdict verdict;
} hwl_plan_device;

typedef struct hwl_placement {
    uint16_t device;
    uint32_t first, last; /* layers; the output layer is index n_layers */
} hwl_placement;

typedef struct hwl_limits {
    uint64_t max_context;     /* tokens per sequence that still fit with all else equal; 0: none */
    uint64_t max_concurrency; /* sequences that still fit */
} hwl_limits;

/* A plan: immutable, a pure function of model, devices and settings. */
typedef struct hwl_plan hwl_plan;

/* A model made ready for one engine (converted, quantised, digested), so that plans of it cost microseconds.
 * Holds no files. The model must outlive it. */
typedef struct hwl_planner hwl_planner;

/* engine and engine-version are read from settings ("" = default for the model and devices); quant too.
 * A planner must be made again when one of these three changes; other settings may differ per plan. */
HWL_API hwl_status hwl_planner_new(const hwl_model *model, const hwl_devices *devices, const hwl_settings *settings, hwl_planner **out,
                                   hwl_error *error);
HWL_API void hwl_planner_free(hwl_planner *planner);
/* The devices are copied into the plan. HWL_E_REFUSED: the engine itself would refuse. */
HWL_API hwl_status hwl_planner_plan(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, hwl_plan **out,
                                    hwl_error *error);
/* Re-plans into an existing plan object, reusing its memory. */
HWL_API hwl_status hwl_planner_replan(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, hwl_plan *plan,
                                      hwl_error *error);
HWL_API void hwl_plan_free(hwl_plan *plan);

HWL_API uint32_t hwl_plan_n_entries(const hwl_plan *plan);
HWL_API const hwl_entry *hwl_plan_entry(const hwl_plan *plan, uint32_t index);
/* The entry's formula with its numbers, "= N bytes" at the end; returns buf. */
HWL_API const char *hwl_entry_explain(const hwl_entry *entry, char *buf, uint64_t size);
/* What an entry consists of, where its engine can say so: llama.cpp's compute buffers, of the tensors that are alive when they are
 * fullest, largest first, then what lies free between them. The sum is the entry's. */
typedef struct hwl_piece {
    const char *name; /* "MUL_MAT with blk.3.ffn_up.weight"; of the plan */
    uint64_t bytes;
} hwl_piece;
/* Adds the parts to a plan that was made with the same arguments; costs about as much as the plan. */
HWL_API hwl_status hwl_planner_explain(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, hwl_plan *plan,
                                       hwl_error *error);
/* NULL past the end, and where nothing was added. */
HWL_API const hwl_piece *hwl_plan_piece(const hwl_plan *plan, uint32_t entry, uint32_t index);
HWL_API uint32_t hwl_plan_n_devices(const hwl_plan *plan);
HWL_API const hwl_plan_device *hwl_plan_get_device(const hwl_plan *plan, uint32_t index);
HWL_API uint32_t hwl_plan_n_placements(const hwl_plan *plan);
HWL_API const hwl_placement *hwl_plan_get_placement(const hwl_plan *plan, uint32_t index);
HWL_API uint64_t hwl_plan_total(const hwl_plan *plan, hwl_kind kind);
HWL_API hwl_verdict hwl_plan_verdict(const hwl_plan *plan);
/* The device that the verdict hangs on: what exceeds first, then the fullest GPU; the host where there is nothing else. */
HWL_API uint32_t hwl_plan_speaker(const hwl_plan *plan);
HWL_API uint64_t hwl_plan_kv_bytes_per_token(const hwl_plan *plan);
HWL_API uint64_t hwl_plan_kv_tokens(const hwl_plan *plan); /* HWL_UNKNOWN where the cache is sized by the request */
HWL_API const char *hwl_plan_engine(const hwl_plan *plan);
HWL_API const char *hwl_plan_engine_version(const hwl_plan *plan);
/* An option in force, defaults resolved, as text ("ctx", "ngl", "kv-type"); false, "" where the engine says nothing of it. */
HWL_API bool hwl_plan_setting(const hwl_plan *plan, const char *option, char *buf, uint64_t size);
/* Notes in order (what mmap maps beyond the bill, what is not modelled): NULL past the end. */
HWL_API const char *hwl_plan_note(const hwl_plan *plan, uint32_t index);
/* The plan's model, and what it serves: context per sequence in tokens, sequences. */
HWL_API const hwl_model *hwl_plan_model(const hwl_plan *plan);
HWL_API uint64_t hwl_plan_context(const hwl_plan *plan, uint64_t *concurrency);

/* Largest context and concurrency that still fit: re-plans by bisection, hence not part of a plan. */
HWL_API hwl_status hwl_planner_limits(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, hwl_limits *out,
                                      hwl_error *error);

/* The plan document of schema hwledger.plan/1; limits may be NULL (then null). Free with hwl_text_free. */
HWL_API hwl_status hwl_plan_json(const hwl_plan *plan, const hwl_limits *limits, char **out, uint64_t *length, hwl_error *error);
/* The document where the engine itself refuses the settings (HWL_E_REFUSED): verdict "refused", why as its "refusal", no entries. */
HWL_API hwl_status hwl_refusal_json(const char *why, char **out, uint64_t *length, hwl_error *error);

/* The engine's command line that this plan reproduces, every setting that it assumed given; the bytes of the cache are
 * pinned, so that a profile run does not move them. HWL_E_UNSUPPORTED where the engine has no command line here. Free with
 * hwl_text_free. */
HWL_API hwl_status hwl_plan_command(const hwl_plan *plan, char **out, hwl_error *error);

HWL_API const char *hwl_kind_name(hwl_kind kind);
HWL_API const char *hwl_component_name(hwl_component component);
HWL_API const char *hwl_basis_name(hwl_basis basis);
HWL_API const char *hwl_memory_name(hwl_memory memory);
HWL_API const char *hwl_verdict_name(hwl_verdict verdict);

/* Engines in a fixed order: NULL past the end. versions: newest first, NULL-terminated; may be NULL. */
HWL_API const char *hwl_engine_at(uint32_t index, const char *const **versions);
/* The engine of a plan whose settings name none. */
HWL_API const char *hwl_engine_default(const hwl_model *model, const hwl_devices *devices);

#ifdef __cplusplus
}
#endif
#endif
