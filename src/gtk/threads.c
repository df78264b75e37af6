/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that the program must not end before: they use what its end takes down. */
#include "gtk/threads.h"

struct runner {
    GTaskThreadFunc run;
};

static GMutex lock;
static GCond ended;
static unsigned running;

static GQuark quark(void)
{
    return g_quark_from_static_string("hwl-runner");
}

static void thread(GTask *task, void *source, void *data, GCancellable *cancellable)
{
    const struct runner *r = g_object_get_qdata(G_OBJECT(task), quark());
    r->run(task, source, data, cancellable);
    g_mutex_lock(&lock);
    running--;
    g_cond_broadcast(&ended);
    g_mutex_unlock(&lock);
}

void hwl_threads_run(GTask *task, GTaskThreadFunc run)
{
    struct runner *r = g_new(struct runner, 1);
    r->run = run;
    g_object_set_qdata_full(G_OBJECT(task), quark(), r, g_free);
    g_mutex_lock(&lock);
    running++;
    g_mutex_unlock(&lock);
    g_task_run_in_thread(task, thread);
}

bool hwl_threads_wait(unsigned ms)
{
    const gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
    g_mutex_lock(&lock);
    while (running && g_cond_wait_until(&ended, &lock, end))
        continue;
    const bool all = !running;
    g_mutex_unlock(&lock);
    return all;
}
