/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_DESK_H
#define HWL_GTK_DESK_H

#include "gtk/session.h"
#include "view/advice.h"
#include "view/charts.h"
#include "view/controls.h"

#include <glib-object.h>

/* What takes many plans to know: made by a thread after the answer stands, part by part. */
#define HWL_RANGES 24
struct hwl_extras {
    uint64_t generation; /* of the question it belongs to */
    bool has_limits, has_advice, has_context, has_quant;
    hwl_limits limits;
    uint32_t n_ranges;
    struct {
        char option[32];
        hwl_range range;
    } range[HWL_RANGES];
    hwl_advice advice[HWL_ADVICE_MAX];
    uint32_t n_advice;
    struct hwl_chart context, quant;
};

/* The session with threads around it.
 * "answer": plan, view or error are new. "extras": extras are new. "question": another question by other means than a control
 * (undo, advice, file). "busy": reading started, moved on or ended. "trouble" (text): a message for the person. */
#define HWL_TYPE_DESK (hwl_desk_get_type())
G_DECLARE_FINAL_TYPE(HwlDesk, hwl_desk, HWL, DESK, GObject)

HwlDesk *hwl_desk_new(void);
struct hwl_session *hwl_desk_session(HwlDesk *desk);
const struct hwl_extras *hwl_desk_extras(HwlDesk *desk); /* of an older question where a newer one is still at work */
bool hwl_desk_extras_fresh(HwlDesk *desk);
const hwl_range *hwl_desk_range(HwlDesk *desk, const char *option); /* NULL: not known */
void hwl_desk_want_charts(HwlDesk *desk, bool want);                /* a page shows them */

/* Opens a model and asks the question with it; the old plan stays until the new one is there. */
void hwl_desk_open(HwlDesk *desk, const char *model);
void hwl_desk_open_ask(HwlDesk *desk, struct hwl_ask *ask); /* a plan file: takes ask */
void hwl_desk_open_file(HwlDesk *desk, const char *path);   /* a model or a plan file */
void hwl_desk_cancel(HwlDesk *desk);
void hwl_desk_stop(HwlDesk *desk); /* all threads: nothing is wanted any more */
/* What is being read, NULL nothing; *fraction 0 .. 1, negative unknown. */
const char *hwl_desk_reading(HwlDesk *desk, double *fraction);

void hwl_desk_set(HwlDesk *desk, const char *option, const char *value); /* value NULL: the engine's default */
void hwl_desk_set_engine(HwlDesk *desk, const char *engine);
bool hwl_desk_set_devices(HwlDesk *desk, bool detected, const char *const *gpus, const char *ram, hwl_error *error);
void hwl_desk_use(HwlDesk *desk, const hwl_advice *advice);
bool hwl_desk_undo(HwlDesk *desk);
void hwl_desk_reprobe(HwlDesk *desk);

#endif
