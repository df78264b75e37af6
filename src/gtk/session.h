/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_SESSION_H
#define HWL_GTK_SESSION_H

#include "gtk/ask.h"
#include "view/model.h"

/* Shared between the session and threads that read it; freed with the last holder. */
struct hwl_model_box {
    hwl_model *model;
};
struct hwl_planner_box {
    struct hwl_model_box *model; /* holds it */
    hwl_planner *planner;
    char *key;                   /* engine, version, quantisation: what a planner is made for */
};
struct hwl_model_box *hwl_model_box_new(hwl_model *model); /* takes it */
void hwl_model_box_unref(struct hwl_model_box *box);
struct hwl_planner_box *hwl_planner_box_new(struct hwl_model_box *model, const hwl_devices *devices, const hwl_settings *settings,
                                            hwl_error *error); /* NULL: error */
void hwl_planner_box_unref(struct hwl_planner_box *box);

#define HWL_PINS 4

/* A plan put aside for comparison. */
struct hwl_pin {
    struct hwl_ask *ask;
    struct hwl_planner_box *planner;
    hwl_plan *plan;
};

/* What a window shows: the question, its answer, and the ways back. No widget, no thread: everything happens in the call. */
struct hwl_session {
    struct hwl_ask *ask;
    hwl_devices *machine; /* this machine's, read by hwl_session_new */
    hwl_devices *devices; /* those asked for */
    struct hwl_planner_box *planner; /* NULL: no model yet */
    hwl_plan *plan;                  /* of the last question that had an answer; NULL none */
    struct hwl_view_model view;      /* of plan */
    bool failed;                     /* the question as it stands has no answer: why is in error */
    hwl_error error;
    GPtrArray *undo;                 /* struct hwl_ask, oldest first */
    char group[32];                  /* option of the last change: changes in a row are one step back */
    struct hwl_pin pin[HWL_PINS];
    uint32_t n_pins;
    uint64_t generation;             /* grows with every change of the question */
};

struct hwl_session *hwl_session_new(void);
void hwl_session_free(struct hwl_session *session);
void hwl_session_probe(struct hwl_session *session); /* reads the machine again */

/* Changes the question, remembering the way back; no plan is made. option NULL: whatever edit does. */
hwl_status hwl_session_set(struct hwl_session *session, const char *option, const char *value, hwl_error *error); /* value NULL clears */
hwl_status hwl_session_change(struct hwl_session *session, const hwl_change *change, uint32_t n, hwl_error *error);
void hwl_session_set_engine(struct hwl_session *session, const char *engine); /* NULL: the default */
hwl_status hwl_session_set_devices(struct hwl_session *session, bool detected, const char *const *gpus, const char *ram, hwl_error *error);
void hwl_session_take_ask(struct hwl_session *session, struct hwl_ask *ask, bool remember); /* takes ask */
bool hwl_session_undo(struct hwl_session *session);
void hwl_session_settle(struct hwl_session *session); /* the next change is a step of its own */

/* Whether the planner at hand answers the question as it stands. */
bool hwl_session_ready(const struct hwl_session *session);
/* Plans with the planner at hand; the answer is in plan and view, or in error. */
bool hwl_session_replan(struct hwl_session *session);
/* Takes a plan that was made elsewhere, and its planner. */
void hwl_session_take(struct hwl_session *session, struct hwl_planner_box *planner, hwl_plan *plan);
void hwl_session_fail(struct hwl_session *session, const hwl_error *error);

/* Puts the plan aside; the oldest but the first makes room for a fifth. False: there is no plan. */
bool hwl_session_pin(struct hwl_session *session);
void hwl_session_unpin(struct hwl_session *session, uint32_t index);

/* The engine that answers: asked for, or the default of the model. */
const char *hwl_session_engine(const struct hwl_session *session, char *buf, uint64_t size);

#endif
