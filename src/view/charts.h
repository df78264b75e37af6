/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_CHARTS_H
#define HWL_VIEW_CHARTS_H

#include "view/model.h"

/* Points of charts, each a plan of its own. */
struct hwl_chart_point {
    uint64_t x;                  /* tokens; quantisation: 0 */
    char label[24];              /* "64k", "Q4_K_M" */
    bool refused;                /* the engine refuses: no figures */
    enum hwl_level level;
    uint64_t used, usable;       /* of the device the verdict hangs on */
    uint64_t total;              /* all devices */
    uint64_t weights;            /* all devices */
    uint64_t max_context;        /* quantisation chart, HWL_UNKNOWN elsewhere */
    bool current;                /* the plan as it is */
};

#define HWL_CHART_POINTS 24
struct hwl_chart {
    struct hwl_chart_point point[HWL_CHART_POINTS];
    uint32_t n;
    uint64_t top;        /* largest of used and usable: the axis */
    uint64_t limit;      /* largest x that fits, HWL_UNKNOWN */
};

/* Memory against context: powers of two up to what the model was trained for, the context in force and the limit among them. */
hwl_status hwl_view_context_chart(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings,
                                  struct hwl_chart *chart, hwl_error *error);
/* One point of the quantisation chart: the type at index; false past the end. Makes a planner: some milliseconds for a large
 * model, so call it from a worker or once an idle turn. */
bool hwl_view_quant_point(const hwl_model *model, const hwl_devices *devices, const hwl_settings *settings, uint32_t index, bool with_limit,
                          struct hwl_chart_point *point);

#endif
