/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_MODEL_H
#define HWL_VIEW_MODEL_H

#include <hwledger/hwledger.h>

/* The view model: a plan as a gauge, bars, a heatmap and sentences, the same for command line, terminal, desktop and report.
 * Every figure is a sum of entries; nothing here knows a formula. */

/* The gauge. Green to 80 % of what is usable, yellow to 95 %, red above; over is no fourth step of red but another state. */
enum hwl_level { HWL_LEVEL_GREEN, HWL_LEVEL_YELLOW, HWL_LEVEL_RED, HWL_LEVEL_OVER, HWL_LEVEL_UNKNOWN, HWL_LEVEL_COUNT };
enum hwl_level hwl_view_level(uint64_t used, uint64_t usable); /* exact, in integers */
const char *hwl_view_level_word(enum hwl_level level);         /* "fits" "tight" "very tight" "does not fit" "unknown" */
const char *hwl_view_level_mark(enum hwl_level level);         /* "ok" "!" "!!" "x" "?" */

#define HWL_VIEW_FREE HWL_KIND_COUNT        /* the segment behind the kinds */
#define HWL_VIEW_SEGMENTS (HWL_KIND_COUNT + 1)

/* One class on one device. Segments stand in the order of hwl_kind, free last; at and width are filled by hwl_view_layout. */
struct hwl_view_segment {
    uint64_t bytes;
    uint32_t at, width; /* cells or pixels */
};

/* A device, or a run of devices alike in everything. */
struct hwl_view_device {
    const hwl_plan_device *device; /* the first of the run; lives as long as the plan */
    uint32_t first, end;           /* indices of the plan's devices [first, end) */
    char id[40];                   /* "gpu0", "gpu0-7" */
    char name[96];                 /* without control characters */
    bool host, idle;               /* idle: nothing of the plan is there */
    enum hwl_level level;
    unsigned percent;              /* rounded up */
    uint64_t used, usable;         /* of one device; usable may be HWL_UNKNOWN */
    uint64_t missing;              /* used - usable where over, else 0 */
    struct hwl_view_segment segment[HWL_VIEW_SEGMENTS];
};

enum hwl_heat_row { HWL_HEAT_ATTENTION, HWL_HEAT_FFN, HWL_HEAT_KV, HWL_HEAT_STATE, HWL_HEAT_ROWS };
#define HWL_HEAT_NOWHERE 0xffffu /* an empty cell */
#define HWL_HEAT_SPREAD 0xfffeu  /* on more than one device */

struct hwl_heat_cell {
    uint64_t bytes;
    uint16_t device; /* index of the plan's devices */
    bool host;       /* some of it lies in host memory though there are GPUs */
    uint8_t shade;   /* 0 empty, 1 .. 8 of the largest cell of the whole map */
};

struct hwl_heat_column {
    uint32_t first, last; /* layers */
    char letter;          /* E experts, S window, M latent, R recurrent, '.' plain; '*' a group that differs */
    struct hwl_heat_cell cell[HWL_HEAT_ROWS];
};

/* What is not of one layer: embedding, output, projector, buffers. */
struct hwl_view_rest {
    uint64_t weights, other;
};

struct hwl_view_model {
    const hwl_plan *plan;
    enum hwl_level level; /* of the verdict */
    uint32_t speaker;     /* index of device[]: the verdict hangs on it */
    struct hwl_view_device *device;
    uint32_t n_devices;
    struct hwl_heat_column *column;
    uint32_t n_columns, per_column; /* layers in a column: 1, more where there are too many */
    bool heat_row[HWL_HEAT_ROWS];   /* rows that hold anything */
    uint64_t heat_max;
    struct hwl_view_rest rest;
    char headline[160];
    /* private */
    uint32_t cap_devices, cap_columns;
    uint64_t *sums;
    uint32_t cap_sums;
};

/* Fills view from plan, reusing what view holds; zero it before the first call. merge: runs of devices alike become one.
 * max_columns: columns of the heatmap at most (0: 128). False when out of memory: view is then empty. The plan must outlive the view. */
bool hwl_view_update(struct hwl_view_model *view, const hwl_plan *plan, bool merge, uint32_t max_columns);
void hwl_view_clear(struct hwl_view_model *view);

/* Shares whole cells (or pixels) among the segments: widths add up to width, exactly. A segment that is not empty gets least at
 * least, as far as width reaches. Over the limit the bar stands for used: *limit is where usable ends (else width). */
void hwl_view_layout(struct hwl_view_device *device, uint32_t width, uint32_t least, uint32_t *limit);

/* Sentences for screen readers and tooltips; all return buf. */
/* "FITS ok   21.40 of 24.00 GiB on gpu0, 2.60 GiB left (89 %)": the fullest device speaks. */
const char *hwl_view_headline(const struct hwl_view_model *view, char *buf, uint64_t size);
const char *hwl_view_brief(const struct hwl_view_model *view, char *buf, uint64_t size); /* "FITS ok 24 %, 18.09 GiB left" */
const char *hwl_view_device_sentence(const struct hwl_view_device *device, char *buf, uint64_t size);
const char *hwl_view_segment_sentence(const struct hwl_view_device *device, uint32_t segment, char *buf, uint64_t size);
const char *hwl_view_cell_sentence(const struct hwl_view_model *view, uint32_t column, enum hwl_heat_row row, char *buf, uint64_t size);
const char *hwl_view_heat_row(enum hwl_heat_row row);                 /* "attention" ... */
const char *hwl_view_segment_label(uint32_t segment);                 /* "weights" ... "free" */
char hwl_view_segment_letter(uint32_t segment);                       /* W K S C O V . */
const char *hwl_view_column_sentence(const struct hwl_view_model *view, char *buf, uint64_t size); /* "48 layers", "200 layers, 2 a column" */
enum hwl_heat_row hwl_view_entry_row(const hwl_entry *entry);         /* HWL_HEAT_ROWS: of no layer, or none of the map's */

#endif
