/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TUI_MONITOR_H
#define HWL_TUI_MONITOR_H

#include <hwledger/hwledger.h>

struct tui_monitor {
    int unused;
};

#endif
