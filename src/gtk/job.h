/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_JOB_H
#define HWL_GTK_JOB_H

#include "gtk/desk.h"

/* Work for a thread: a question with all that it needs, its own copies. Whoever holds the last reference frees it. */
struct hwl_job {
    struct hwl_ask *ask;
    hwl_devices *machine, *devices; /* devices NULL: from ask and machine */
    struct hwl_model_box *model;    /* NULL: to be opened */
    struct hwl_planner_box *planner; /* NULL: to be made */
    uint64_t generation;
    bool fresh_model;               /* the model was opened by this job */
    bool remember;                  /* the question before it is a step back */
    bool charts;                    /* extras with charts */
    /* the answer */
    hwl_plan *plan;
    hwl_status status;
    hwl_error error;
    gint64 plan_us;
    /* shared while it runs */
    int cancelled;                  /* atomic */
    int permille;                   /* atomic: read so far, -1 unknown */
};

struct hwl_job *hwl_job_new(const struct hwl_session *session, const struct hwl_ask *ask, bool reopen);
struct hwl_job *hwl_job_ref(struct hwl_job *job);
void hwl_job_unref(void *job);
/* A reader that takes its time, for tests: it rests as long between two parts of a file. */
void hwl_job_set_rest(unsigned ms);
void hwl_job_run(struct hwl_job *job); /* opens, prepares and plans as far as needed */

/* Fills extras part by part, calling part after each; stops where the job is cancelled. */
void hwl_extras_run(struct hwl_job *job, struct hwl_extras *extras, void (*part)(void *user, const struct hwl_extras *extras), void *user);

#endif
