/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_ADVICE_H
#define HWL_VIEW_ADVICE_H

#include "view/model.h"

/* Advice as a row: "KV type q8_0" | "frees 1.50 GiB" | "fits, 84 %, context up to 98,304" | "a cache of 8.5 bits an element". */
struct hwl_view_advice {
    char title[160], gain[64], result[96], brief[32], cost[240]; /* brief: the result in 16 cells */
    char sentence[640]; /* all of it */
};
void hwl_view_advice(const hwl_advice *advice, const hwl_settings *settings, struct hwl_view_advice *row);

#endif
