/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_THREADS_H
#define HWL_GTK_THREADS_H

#include <gio/gio.h>
#include <stdbool.h>

/* Runs task in a thread, as g_task_run_in_thread does, and is counted until it ends. */
void hwl_threads_run(GTask *task, GTaskThreadFunc run);
/* Waits until all that run have ended, for as long as ms. False: one still runs (in the kernel, say). */
bool hwl_threads_wait(unsigned ms);

#endif
