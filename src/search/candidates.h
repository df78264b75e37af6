/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SEARCH_CANDIDATES_H
#define HWL_SEARCH_CANDIDATES_H

#include "search/trial.h"

/* One search for advice. */
struct hwl_search {
    struct hwl_trial trial;
    const char *engine;
    const hwl_settings *settings;
    struct hwl_measure now; /* without any change */
    bool planned;           /* now is there: the engine takes the settings as they are */
};

/* A change that may help: find sets the changes and the cost, and the measure with them; false where there is none. */
struct hwl_candidate {
    const char *engines; /* words; "" all */
    uint8_t loss;        /* what it costs: 0 a little time, 1 quality or time a little, 2 what is asked for, 3 money or much time, 4 quality
                          * much, 5 another program */
    bool (*find)(struct hwl_search *s, hwl_advice *advice, struct hwl_measure *m);
    bool far; /* how much it gains on top of another change is no matter of what it gains alone */
};
extern const struct hwl_candidate hwl_candidates[];
extern const uint32_t hwl_n_candidates;

/* Better than the plan as it is by more than a rounding. */
bool hwl_search_helps(const struct hwl_search *s, const struct hwl_measure *m);

#endif
