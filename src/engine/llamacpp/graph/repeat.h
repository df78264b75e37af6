/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_REPEAT_H
#define HWL_LLAMACPP_REPEAT_H

#include "engine/llamacpp/graph/galloc.h"
#include "engine/llamacpp/lc.h"

/* Runs of like layers. Of each run the first three or four periods and the last one or two are built; the allocator walks
 * the last of the former as often as there are periods between. That is the walk of the whole graph when this period and the
 * one before it are the same nodes with the same sources on the same back ends: hwl_repeat_loops looks at exactly that.
 * Where it does not hold the whole graph is built. */

enum { HWL_REPEAT_RUNS = 16, HWL_REPEAT_MARKS = 3 }; /* marks: in front of, between and behind those two periods */

struct hwl_repeat_mark {
    uint64_t node; /* first node of the graph behind the mark */
    uint32_t n_inputs;
};

struct hwl_repeat {
    bool ready;
    uint32_t n_runs;
    struct hwl_repeat_run {
        uint32_t first, period; /* layers */
        uint32_t left_out;      /* periods */
    } run[HWL_REPEAT_RUNS];
    uint32_t next[LC_MAX_LAYERS]; /* layer that is built after this one */
    uint8_t end[LC_MAX_LAYERS];   /* number of the mark behind the layer, from 1; 0 none */
};

/* Finds the runs; periods are multiples of `modulus`, 0: there are none. */
void hwl_repeat_find(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, const struct hwl_gsys *sys, uint32_t modulus,
                     struct hwl_repeat *out);
/* The loops of a graph built with *r and cut into *split; mark has HWL_REPEAT_MARKS elements a run. False: a run does not repeat. */
bool hwl_repeat_loops(const struct hwl_gsys *sys, const struct hwl_graph *g, const struct hwl_gsplit *split, const struct hwl_repeat *r,
                      const struct hwl_repeat_mark *mark, struct hwl_gloop *loop);

#endif
