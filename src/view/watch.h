/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_WATCH_H
#define HWL_VIEW_WATCH_H

#include "view/live.h"

/* The machine that is watched: its devices, their history, its processes, and the plan of an engine that runs. The same for
 * terminal and desktop; zero it before the first look. */
struct hwl_watch {
    hwl_monitor *monitor;
    struct hwl_live live;
    char trouble[200]; /* why the last look failed, "" */
    /* planned against measured of one process, made once for it */
    uint64_t planned_pid;
    uint32_t n_planned; /* devices; 0: there is no plan */
    uint64_t planned[HWL_LIVE_DEVICES];
    char planned_what[160];
};

void hwl_watch_free(struct hwl_watch *watch);
/* Looks at the machine; second is of a clock that runs on. May open a model: a window calls it from a thread. */
void hwl_watch_look(struct hwl_watch *watch, const hwl_probe_options *probe, const hwl_open_options *stores, uint64_t second);

/* The device of the monitor that is device of a plan, or of a probe, with n devices: the host is the last of each. */
uint32_t hwl_watch_device(const struct hwl_watch *watch, uint32_t device, uint32_t n);

/* A device in words; all return buf. */
/* "busy 87 %  41 C  123 of 700 W"; what a driver does not tell is left out, it is no zero. */
const char *hwl_watch_figures(const hwl_monitor_device *device, char *buf, uint64_t size);
/* "1.00 GiB used, 0.46 GiB reserved by the driver, 78.19 GiB free of 79.65 GiB (2 %)" */
const char *hwl_watch_memory(const hwl_monitor_device *device, char *buf, uint64_t size);
/* The same to the byte, with its figures: for screen readers. */
const char *hwl_watch_sentence(const hwl_monitor_device *device, char *buf, uint64_t size);
/* What a plan would take of what is free now; planned HWL_UNKNOWN: it is for other devices. */
const char *hwl_watch_room(const hwl_monitor_device *device, uint64_t planned, char *buf, uint64_t size);

/* A process on a device, or a device where its plan has bytes though nothing was measured there. */
struct hwl_watch_row {
    char process[24], device[16], measured[32], planned[32], difference[32]; /* planned, difference: "" where there is no plan */
    char engine[32], name[64];
    uint64_t pid, measured_bytes, planned_bytes; /* HWL_UNKNOWN */
    char sentence[320]; /* all of it, to the byte */
};
bool hwl_watch_row(const struct hwl_watch *watch, uint32_t index, struct hwl_watch_row *row); /* false past the end */
/* "Process 4711 against its plan: llama-3.1-8b"; "" where none of a known engine runs. */
const char *hwl_watch_plan(const struct hwl_watch *watch, char *buf, uint64_t size);

#endif
