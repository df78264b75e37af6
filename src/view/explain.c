/* SPDX-License-Identifier: Apache-2.0 */
/* The entries behind a figure. A layer's entries are near each other in the ledger but runs over layers are not: each entry is
 * looked for among the runs that are open, which are few. */
#include "view/explain.h"

#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN = 64 };

static bool wanted(const struct hwl_view_filter *f, const hwl_entry *e)
{
    return (!f->end_device || (e->device >= f->first_device && e->device < f->end_device)) && (f->kind < 0 || e->kind == f->kind) &&
           (f->row < 0 || (int32_t)hwl_view_entry_row(e) == f->row) &&
           (f->last_layer < 0 || (e->layer >= f->first_layer && e->layer <= f->last_layer));
}

/* Entries that one line can stand for, layer after layer. */
static bool alike(const hwl_entry *a, const hwl_entry *b)
{
    return a->layer >= 0 && b->layer >= 0 && a->bytes == b->bytes && a->device == b->device && a->kind == b->kind &&
           a->component == b->component && a->basis == b->basis && a->memory == b->memory && a->source == b->source &&
           (a->formula == b->formula || (a->formula && b->formula && strcmp(a->formula, b->formula) == 0)) &&
           memcmp(a->args, b->args, sizeof a->args) == 0;
}

static void finish(const hwl_plan *plan, struct hwl_view_line *l)
{
    const hwl_entry *e = l->entry;
    char layers[48] = "";
    if (l->first_layer >= 0 && l->first_layer == l->last_layer)
        (void)snprintf(layers, sizeof layers, ", layer %d", l->first_layer);
    else if (l->first_layer >= 0)
        (void)snprintf(layers, sizeof layers, ", layers %d-%d", l->first_layer, l->last_layer);
    l->device = hwl_plan_get_device(plan, e->device)->device->id;
    (void)snprintf(l->what, sizeof l->what, "%s, %s%s", hwl_view_kind((hwl_kind)e->kind)->label, hwl_component_name((hwl_component)e->component),
                   layers);
    (void)hwl_entry_explain(e, l->formula, sizeof l->formula);
    if (e->error > 0)
        (void)snprintf(l->basis, sizeof l->basis, "%s, within %.3g %%", hwl_basis_name((hwl_basis)e->basis), (double)e->error * 100);
    else
        (void)snprintf(l->basis, sizeof l->basis, "%s", hwl_basis_name((hwl_basis)e->basis));
}

/* Several entries of one layer alike (up and gate) stand in one run as well: its layer does not grow then. */
static bool takes(const struct hwl_view_line *l, const hwl_entry *e)
{
    return alike(l->entry, e) && (e->layer == l->last_layer || e->layer == l->last_layer + 1);
}

uint64_t hwl_view_explain(const hwl_plan *plan, const struct hwl_view_filter *filter,
                          bool (*line)(void *user, const struct hwl_view_line *line), void *user)
{
    struct hwl_view_line *open = calloc(OPEN, sizeof *open);
    uint32_t n = 0;
    uint64_t sum = 0;
    bool go = true;
    for (uint32_t i = 0; open && i < hwl_plan_n_entries(plan); i++) {
        const hwl_entry *e = hwl_plan_entry(plan, i);
        uint32_t k = 0;
        if (!wanted(filter, e))
            continue;
        sum += e->bytes;
        while (k < n && !takes(&open[k], e))
            k++;
        if (k == n) {
            if (n == OPEN) { /* the oldest closes */
                finish(plan, &open[0]);
                go = go && line && line(user, &open[0]);
                memmove(open, open + 1, (OPEN - 1) * sizeof *open);
                k = --n;
            }
            open[n++] = (struct hwl_view_line){.entry = e, .first_layer = e->layer};
        }
        open[k].last_layer = e->layer;
        open[k].bytes += e->bytes;
        open[k].n++;
    }
    for (uint32_t k = 0; open && k < n && go; k++) {
        finish(plan, &open[k]);
        go = line && line(user, &open[k]);
    }
    free(open);
    return sum;
}
