/* SPDX-License-Identifier: Apache-2.0 */
/* An entry in words and numbers: its formula with the factors filled in, and the parts that it consists of. */
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "plan/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out {
    char *buf;
    uint64_t size, n;
};

static void put(struct out *o, const char *s, size_t n)
{
    for (size_t i = 0; i < n && o->n + 1 < o->size; i++)
        o->buf[o->n++] = s[i];
    if (o->size)
        o->buf[o->n] = 0;
}

const char *hwl_entry_explain(const hwl_entry *entry, char *buf, uint64_t size)
{
    struct out o = {buf, size, 0};
    char number[40];
    if (!size)
        return buf;
    *buf = 0;
    for (const char *f = entry->formula ? entry->formula : ""; *f;) {
        if (f[0] == '{' && f[1] >= '0' && f[1] < '0' + HWL_ENTRY_ARGS && f[2] == '}') {
            (void)hwl_count_text(entry->args[f[1] - '0'], number, sizeof number);
            put(&o, number, strlen(number));
            f += 3;
        } else {
            put(&o, f++, 1);
        }
    }
    if (o.n)
        put(&o, " = ", 3);
    (void)hwl_count_text(entry->bytes, number, sizeof number);
    put(&o, number, strlen(number));
    put(&o, " B", 2);
    return buf;
}

struct collector {
    struct hwl_arena *arena;
    struct hwl_piece_list *list;
    bool failed;
};

static bool add_part(void *user, const char *name, uint64_t bytes)
{
    struct collector *c = user;
    struct hwl_piece_list *l = c->list;
    hwl_piece *grown = hwl_arena_grow(c->arena, l->part, &l->cap, l->n + 1, sizeof *l->part);
    const char *copy = hwl_arena_str(c->arena, name);
    c->failed = c->failed || !grown || !copy;
    if (c->failed)
        return false;
    l->part = grown;
    l->part[l->n++] = (hwl_piece){copy, bytes};
    return true;
}

static int larger_first(const void *a, const void *b)
{
    const hwl_piece *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Sorted, then what no part holds; parts that are more than their entry say nothing. */
static bool close_list(struct collector *c, const hwl_entry *e)
{
    struct hwl_piece_list *l = c->list;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < l->n; i++)
        if (!hwl_add(&sum, sum, l->part[i].bytes))
            sum = UINT64_MAX;
    if (sum > e->bytes)
        l->n = 0;
    if (!l->n)
        return true;
    qsort(l->part, (size_t)l->n, sizeof *l->part, larger_first);
    return sum == e->bytes || add_part(c, "free between them", e->bytes - sum);
}

hwl_status hwl_planner_explain(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings, hwl_plan *plan,
                               hwl_error *error)
{
    const struct hwl_engine *engine = planner->engine;
    if (!engine->parts || plan->parts)
        return HWL_OK;
    const uint64_t n = plan->ledger.n_entries;
    plan->parts = HWL_NEW_ARRAY(&plan->arena, struct hwl_piece_list, n + 1);
    struct collector c = {.arena = &plan->arena};
    hwl_status status = plan->parts ? HWL_OK : HWL_E_NOMEM;
    for (uint64_t i = 0; i < n && status == HWL_OK; i++) {
        const hwl_entry *e = &plan->ledger.entries[i];
        c.list = &plan->parts[i];
        status = engine->parts(planner->model, planner->prepared, planner->version, devices, settings, e, &plan->scratch, add_part, &c, error);
        if (status == HWL_OK && (c.failed || !close_list(&c, e)))
            status = HWL_E_NOMEM;
    }
    hwl_arena_free(&plan->scratch);
    if (status != HWL_OK)
        plan->parts = NULL;
    return status == HWL_E_NOMEM ? hwl_fail(error, HWL_E_NOMEM, "out of memory") : status;
}

const hwl_piece *hwl_plan_piece(const hwl_plan *plan, uint32_t entry, uint32_t index)
{
    if (!plan->parts || entry >= plan->ledger.n_entries || index >= plan->parts[entry].n)
        return NULL;
    return &plan->parts[entry].part[index];
}
