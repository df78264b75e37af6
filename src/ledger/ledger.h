/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LEDGER_LEDGER_H
#define HWL_LEDGER_LEDGER_H

#include "base/arena.h"

#include <hwledger/plan.h>

/* What an engine writes and every view reads: a flat list of entries, with the placement of the layers, notes,
 * resolved settings and the engine's own figures beside it. Totals are sums of entries and made elsewhere (plan). */

enum hwl_view_type { HWL_VIEW_U64, HWL_VIEW_REAL, HWL_VIEW_BOOL, HWL_VIEW_TEXT, HWL_VIEW_JSON };

/* One of the figures that the engine itself reports, under its own name ("n_ctx", "num_gpu_blocks"). */
struct hwl_view_item {
    const char *name;
    enum hwl_view_type type;
    uint64_t u64;
    double real;
    const char *text; /* HWL_VIEW_TEXT; HWL_VIEW_JSON: a JSON fragment that is put in as it is */
};

/* An option in force, default resolved; name is the option's, static, with - (the document writes _). */
struct hwl_setting_item {
    const char *name;
    enum hwl_view_type type;
    uint64_t u64;
    double real;
    const char *text; /* HWL_VIEW_TEXT; HWL_VIEW_JSON: a fragment */
};

struct hwl_ledger {
    struct hwl_arena *arena;   /* the plan's */
    struct hwl_arena *work;    /* for what need not outlive the call; may be reset at any time, stays warm between plans */
    hwl_entry *entries;
    uint64_t n_entries, cap_entries;
    hwl_placement *placements;
    uint64_t n_placements, cap_placements;
    struct hwl_view_item *views;
    uint64_t n_views, cap_views;
    struct hwl_setting_item *settings;
    uint64_t n_settings, cap_settings;
    const char **notes;
    uint64_t n_notes, cap_notes;
    uint64_t kv_bytes_per_token; /* over all devices, one more token of one sequence, growing part only */
    uint64_t kv_tokens;          /* HWL_UNKNOWN: sized by the request */
    uint64_t context;            /* tokens per sequence that this plan serves */
    uint64_t concurrency;
    bool exceeds;                /* the engine itself says that the request does not fit, whatever the devices' sums */
    bool failed;                 /* out of memory while adding: reported once by the plan */
    hwl_entry scratch;           /* private: takes the entry that found no memory */
};

/* A zeroed entry at the end of the list, to be filled by the caller; entries of 0 bytes are dropped by the plan.
 * Never NULL: after a failed allocation a scratch entry is returned and ledger->failed is set. */
hwl_entry *hwl_ledger_add(struct hwl_ledger *ledger);
/* The common shape: everything but formula and args. */
hwl_entry *hwl_ledger_put(struct hwl_ledger *ledger, uint16_t device, int32_t layer, hwl_kind kind, hwl_component component, uint64_t bytes,
                          hwl_basis basis, const char *source);
/* Room for that many entries in all, so that writing them moves nothing. */
void hwl_ledger_reserve(struct hwl_ledger *ledger, uint64_t entries);
/* Takes out entries of 0 bytes from that one on, before ranks repeat the others: a plan without any is not moved. */
void hwl_ledger_trim(struct hwl_ledger *ledger, uint64_t from);
/* The n entries from index first on once more, those on device `from` on device `to`: ranks that are alike. */
void hwl_ledger_repeat(struct hwl_ledger *ledger, uint64_t first, uint64_t n, uint16_t from, uint16_t to);
/* Adds layer index to the runs of layers on devices (merges with the last run). */
void hwl_ledger_place(struct hwl_ledger *ledger, uint16_t device, uint32_t layer);
void hwl_ledger_note(struct hwl_ledger *ledger, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hwl_ledger_view_u64(struct hwl_ledger *ledger, const char *name, uint64_t value);
void hwl_ledger_view_real(struct hwl_ledger *ledger, const char *name, double value);
void hwl_ledger_view_bool(struct hwl_ledger *ledger, const char *name, bool value);
void hwl_ledger_view_text(struct hwl_ledger *ledger, const char *name, const char *value);
void hwl_ledger_view_json(struct hwl_ledger *ledger, const char *name, const char *json);
/* A resolved setting for the document; a later call for the same name wins. */
void hwl_ledger_setting_u64(struct hwl_ledger *ledger, const char *name, uint64_t value);
void hwl_ledger_setting_i64(struct hwl_ledger *ledger, const char *name, int64_t value);
void hwl_ledger_setting_json(struct hwl_ledger *ledger, const char *name, const char *json);
void hwl_ledger_setting_bool(struct hwl_ledger *ledger, const char *name, bool value);
void hwl_ledger_setting_real(struct hwl_ledger *ledger, const char *name, double value);
void hwl_ledger_setting_text(struct hwl_ledger *ledger, const char *name, const char *value);
/* The setting of that name, written with - or _; NULL where there is none. */
const struct hwl_setting_item *hwl_ledger_find_setting(const struct hwl_ledger *ledger, const char *name);
/* A list of texts, written as a JSON array. */
void hwl_ledger_setting_list(struct hwl_ledger *ledger, const char *name, char *const *texts, uint32_t n);

#endif
