/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TUI_MONITOR_H
#define HWL_TUI_MONITOR_H

#include "view/live.h"

/* The monitor's page: the machine, its history, its processes, and the plan of an engine that runs. */
struct tui_monitor {
    hwl_monitor *monitor;
    struct hwl_live live;
    char trouble[200];
    uint32_t sel; /* process */
    /* planned against measured of one process, made once for it */
    uint64_t planned_pid;
    uint32_t n_planned; /* devices; 0: there is no plan */
    uint64_t planned[HWL_LIVE_DEVICES];
    char planned_what[160];
};

void tui_monitor_free(struct tui_monitor *m);
/* Looks at the machine; second is of a clock that runs on. */
void tui_monitor_look(struct tui_monitor *m, const hwl_probe_options *probe, const hwl_open_options *stores, uint64_t second);

#endif
