/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TUI_DESK_H
#define HWL_TUI_DESK_H

#include "view/charts.h"
#include "view/controls.h"
#include "view/model.h"

/* What the terminal planner holds: one plan and everything it was made of. Nothing here draws. */

#define TUI_CONTROLS 24
#define TUI_UNDO 64
#define TUI_PINS 4

struct tui_step { /* what a step of undo brings back */
    hwl_settings *settings;
    hwl_devices *devices;
};

struct tui_pin {
    char name[96];
    uint64_t total[HWL_KIND_COUNT];
    char headline[160];
    uint64_t context;
};

struct tui_charts {
    struct hwl_chart context; /* n 0: none */
    struct hwl_chart_point quant[HWL_CHART_POINTS];
    uint32_t n_quant;
    bool whole; /* nothing is missing */
};

struct tui_desk {
    hwl_model *model;
    char opened[512]; /* the name that it was opened by */
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner;
    hwl_plan *plan; /* the last that could be made */
    struct hwl_view_model view;
    uint32_t columns; /* of the heatmap at most; 0: as many as the view thinks good */
    char trouble[400]; /* why the settings as they are have no plan, "" where they have */
    char notice[200];  /* what was just done */
    const struct hwl_control *control[TUI_CONTROLS];
    uint32_t n_controls;
    hwl_range range[TUI_CONTROLS];
    bool ranged[TUI_CONTROLS], unranged[TUI_CONTROLS]; /* known; known to have none */
    /* where a slider ends, known before its marks and kept from plan to plan */
    hwl_range bound[TUI_CONTROLS];
    const struct hwl_control *bounded[TUI_CONTROLS]; /* NULL: not known */
    hwl_advice advice[HWL_ADVICE_MAX];
    uint32_t n_advice;
    bool advised;
    struct tui_charts charts;
    bool want_charts;
    bool refused; /* the engine refuses the settings, but the planner is theirs: advice may say what it would take */
    uint64_t generation; /* of the plan */
    /* Somebody else works out ranges, advice and charts: planner and model are handed over when done with, one may be NULL. */
    bool async;
    void (*retire)(void *user, hwl_planner *planner, hwl_model *model);
    void *retire_user;
    struct tui_step undo[TUI_UNDO];
    uint32_t n_undo;
    struct tui_pin pin[TUI_PINS];
    uint32_t n_pins;
};

void tui_desk_free(struct tui_desk *d);
/* Takes the model (owned from here on, also on failure) and plans; the plan before stays on failure. */
bool tui_desk_take_model(struct tui_desk *d, hwl_model *model, const char *name);
bool tui_desk_take_devices(struct tui_desk *d, hwl_devices *devices); /* owned from here on */
/* Sets an option from text ("" clears) and plans; what was is kept for undo. */
bool tui_desk_set(struct tui_desk *d, const char *option, const char *value);
bool tui_desk_use_advice(struct tui_desk *d, uint32_t index);
bool tui_desk_undo(struct tui_desk *d);
void tui_desk_pin(struct tui_desk *d);
void tui_desk_columns(struct tui_desk *d, uint32_t columns);
/* Plans again. fresh: the planner too. */
bool tui_desk_plan(struct tui_desk *d, bool fresh);
/* Can advice be had? */
bool tui_desk_advisable(const struct tui_desk *d);
/* Where the slider of a control may go; worked out on first asking. NULL: not a number, or nothing known. */
const hwl_range *tui_desk_range(struct tui_desk *d, uint32_t control);
/* The same without its marks, at the cost of a plan. */
const hwl_range *tui_desk_bounds(struct tui_desk *d, uint32_t control);
const hwl_range *tui_desk_known_range(const struct tui_desk *d, uint32_t control); /* without working anything out */
void tui_desk_advise(struct tui_desk *d);
void tui_desk_chart(struct tui_desk *d);
/* The whole as a command line of hwledger. Returns buf. */
const char *tui_desk_command(const struct tui_desk *d, char *buf, uint64_t size);

#endif
