/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_CONTROLS_H
#define HWL_VIEW_CONTROLS_H

#include "view/model.h"

/* The controls of a planner, in order, for an engine: the same in terminal and desktop. */
enum hwl_control_kind { HWL_CONTROL_NUMBER, HWL_CONTROL_BYTES, HWL_CONTROL_SHARE, HWL_CONTROL_CHOICE, HWL_CONTROL_FLAG };

struct hwl_control {
    const char *option;  /* of hwl_option_at */
    const char *label;   /* "Context" */
    const char *brief;   /* "ctx": for narrow screens */
    const char *unit;    /* "tokens", "" */
    const char *engines; /* words; "" all */
    enum hwl_control_kind kind;
    bool more;           /* behind "More" */
};
const struct hwl_control *hwl_view_control(const char *engine, uint32_t index); /* NULL past the end */

/* False where the plan has nothing that it could move (experts of a dense model). */
bool hwl_view_control_applies(const struct hwl_control *control, const hwl_plan *plan);

/* The value in force as text: what was set, else what the plan resolved, else "". Returns buf. */
const char *hwl_view_control_value(const struct hwl_control *control, const hwl_plan *plan, const hwl_settings *settings, char *buf,
                                   uint64_t size);
/* The next value of a slider from n on: powers of two and their halves for tokens, one for counts. up or down, page: a mark. */
uint64_t hwl_view_control_step(const struct hwl_control *control, const hwl_range *range, uint64_t n, bool up, bool page);
/* What the value means: "44 of 49: blocks 5-47 and output on GPU", "65,536 tokens, limit 98,304". Returns buf. */
const char *hwl_view_control_sentence(const struct hwl_control *control, const hwl_plan *plan, const hwl_range *range, char *buf,
                                      uint64_t size);

#endif
