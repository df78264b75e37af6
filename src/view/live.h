/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_LIVE_H
#define HWL_VIEW_LIVE_H

#include <hwledger/hwledger.h>

/* The last ten minutes of a machine, a point a second, the same for every monitor. */
#define HWL_LIVE_POINTS 600
#define HWL_LIVE_DEVICES 65

struct hwl_live {
    uint64_t used[HWL_LIVE_DEVICES][HWL_LIVE_POINTS]; /* ring; HWL_UNKNOWN: nothing was seen in that second */
    uint64_t last_second;                             /* of the newest point; 0: none yet */
    uint32_t n_devices;
};
/* Takes a sample at second (any clock that runs on). Seconds in between without a sample are unknown. */
void hwl_live_add(struct hwl_live *live, const hwl_monitor *monitor, uint64_t second);
/* Used bytes age seconds ago (0: the newest). */
uint64_t hwl_live_at(const struct hwl_live *live, uint32_t device, uint32_t age);
/* The largest of [age, age + n). HWL_UNKNOWN: nothing seen. */
uint64_t hwl_live_most(const struct hwl_live *live, uint32_t device, uint32_t age, uint32_t n);

/* What the command line of a process of a known engine asks for: its model and settings. False where it is not told there.
 * settings are made by the caller; model gets the name to open. */
bool hwl_live_request(const hwl_monitor_process *process, hwl_settings *settings, char *model, uint64_t size);
/* Bytes of a process and of those that it started on a device of the monitor; HWL_UNKNOWN where one does not tell. */
uint64_t hwl_live_measured(const hwl_monitor *monitor, uint64_t pid, uint32_t device);
/* "+1.2 %", "-0.3 %": measured against planned. Returns buf. */
const char *hwl_live_difference(uint64_t planned, uint64_t measured, char *buf, uint64_t size);

#endif
