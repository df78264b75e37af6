/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TUI_WORKER_H
#define HWL_TUI_WORKER_H

#include "tui/ui.h"

/* What takes many plans (marks of sliders, advice, charts), worked out beside the keys in a thread of its own. */
struct tui_worker;

struct tui_worker *tui_worker_new(struct tui_ui *ui); /* NULL: out of memory, then the desk works for itself */
/* Takes over what is ready and sees to it that what is missing is worked on. True: something came, or will. */
bool tui_worker_follow(struct tui_worker *worker);
bool tui_worker_busy(const struct tui_worker *worker); /* a thread is at work */
/* Waits for the thread. */
void tui_worker_free(struct tui_worker *worker);

#endif
