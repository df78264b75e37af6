/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the view model: sums the plan's entries once by device and kind, once by layer and row. */
#include "view/model.h"

#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_COLUMNS = 128, SHADES = 8 };

enum hwl_level hwl_view_level(uint64_t used, uint64_t usable)
{
    if (usable == HWL_UNKNOWN)
        return HWL_LEVEL_UNKNOWN;
    if (used > usable)
        return HWL_LEVEL_OVER;
    if (used > usable - usable / 20)
        return HWL_LEVEL_RED;
    return used > usable - usable / 5 ? HWL_LEVEL_YELLOW : HWL_LEVEL_GREEN;
}

/* Grows an array to at least n elements of size bytes; contents are not kept. */
static bool reserve(void **array, uint32_t *cap, uint32_t n, size_t size)
{
    if (n <= *cap)
        return true;
    void *fresh = calloc(n, size);
    if (!fresh)
        return false;
    free(*array);
    *array = fresh;
    *cap = n;
    return true;
}

static bool alike(const struct hwl_view_model *v, uint32_t i, uint32_t j)
{
    const hwl_plan_device *a = hwl_plan_get_device(v->plan, i), *b = hwl_plan_get_device(v->plan, j);
    return a->usable_bytes == b->usable_bytes && a->used_bytes == b->used_bytes && a->device->kind == b->device->kind &&
           strcmp(a->device->name, b->device->name) == 0 &&
           memcmp(v->sums + (size_t)i * HWL_KIND_COUNT, v->sums + (size_t)j * HWL_KIND_COUNT, HWL_KIND_COUNT * sizeof *v->sums) == 0;
}

static void fill_device(struct hwl_view_model *v, struct hwl_view_device *d, uint32_t first, uint32_t end)
{
    const hwl_plan_device *p = hwl_plan_get_device(v->plan, first);
    *d = (struct hwl_view_device){.device = p, .first = first, .end = end, .used = p->used_bytes, .usable = p->usable_bytes};
    if (end - first == 1)
        (void)snprintf(d->id, sizeof d->id, "%s", p->device->id);
    else
        (void)snprintf(d->id, sizeof d->id, "%s-%u", p->device->id, end - 1);
    (void)hwl_view_clean(p->device->name, d->name, sizeof d->name);
    d->host = p->device->kind == HWL_DEVICE_CPU;
    d->idle = !p->used_bytes;
    d->level = hwl_view_level(d->used, d->usable);
    d->percent = hwl_view_percent(d->used, d->usable);
    d->missing = d->level == HWL_LEVEL_OVER ? d->used - d->usable : 0;
    for (uint32_t k = 0; k < HWL_KIND_COUNT; k++)
        d->segment[k].bytes = v->sums[(size_t)first * HWL_KIND_COUNT + k];
    d->segment[HWL_VIEW_FREE].bytes = p->free_bytes == HWL_UNKNOWN ? 0 : p->free_bytes;
}

static bool fill_devices(struct hwl_view_model *v, bool merge)
{
    const uint32_t n = hwl_plan_n_devices(v->plan);
    void *sums = v->sums, *devices = v->device;
    const bool ok = reserve(&sums, &v->cap_sums, n * HWL_KIND_COUNT, sizeof *v->sums) &&
                    reserve(&devices, &v->cap_devices, n, sizeof *v->device);
    v->sums = sums;
    v->device = devices;
    if (!ok)
        return false;
    memset(v->sums, 0, (size_t)n * HWL_KIND_COUNT * sizeof *v->sums);
    for (uint32_t i = 0; i < hwl_plan_n_entries(v->plan); i++) {
        const hwl_entry *e = hwl_plan_entry(v->plan, i);
        v->sums[(size_t)e->device * HWL_KIND_COUNT + e->kind] += e->bytes; /* the plan has checked the larger sum */
    }
    v->n_devices = 0;
    for (uint32_t i = 0, end; i < n; i = end) {
        end = i + 1;
        while (merge && end < n && alike(v, i, end))
            end++;
        fill_device(v, &v->device[v->n_devices++], i, end);
    }
    return true;
}

/* Which of the view's devices holds the plan's. */
static uint32_t run_of(const struct hwl_view_model *v, uint32_t device)
{
    uint32_t i = 0;
    while (i + 1 < v->n_devices && v->device[i].end <= device)
        i++;
    return i;
}

enum hwl_heat_row hwl_view_entry_row(const hwl_entry *entry)
{
    if (entry->layer < 0)
        return HWL_HEAT_ROWS;
    if (entry->kind == HWL_KIND_KV_CACHE)
        return HWL_HEAT_KV;
    if (entry->kind == HWL_KIND_RECURRENT_STATE)
        return HWL_HEAT_STATE;
    if (entry->kind != HWL_KIND_WEIGHTS)
        return HWL_HEAT_ROWS;
    switch ((hwl_component)entry->component) {
    case HWL_COMP_FFN:
    case HWL_COMP_EXPERTS:
    case HWL_COMP_SHARED_EXPERT:
    case HWL_COMP_ROUTER: return HWL_HEAT_FFN;
    case HWL_COMP_ATTENTION:
    case HWL_COMP_RECURRENT:
    case HWL_COMP_NORM: return HWL_HEAT_ATTENTION;
    default: return HWL_HEAT_ROWS; /* towers count their own layers */
    }
}

/* Mixers that keep no cache growing with the context are R. */
static char layer_letter(const hwl_model *model, uint32_t layer)
{
    hwl_layer_info l;
    if (!hwl_model_get_layer(model, layer, &l))
        return '.';
    if (l.feed_forward == HWL_FFN_MOE)
        return 'E';
    switch (l.mixer) {
    case HWL_MIXER_SLIDING:
    case HWL_MIXER_CHUNKED: return 'S';
    case HWL_MIXER_MLA:
    case HWL_MIXER_SPARSE: return 'M';
    case HWL_MIXER_NONE:
    case HWL_MIXER_FULL:
    case HWL_MIXER_COUNT: return '.';
    default: return 'R';
    }
}

static void add_cell(struct hwl_heat_cell *c, const hwl_entry *e, uint32_t host)
{
    if (!e->bytes)
        return;
    c->device = !c->bytes || c->device == e->device ? e->device : (uint16_t)HWL_HEAT_SPREAD;
    c->bytes += e->bytes;
    c->host = c->host || (host && e->device == host);
}

/* Layers of the plan: the model's, and further ones that entries name (multi-token prediction). */
static uint32_t count_layers(const hwl_plan *plan)
{
    hwl_model_info info;
    hwl_model_get_info(hwl_plan_model(plan), &info);
    uint32_t n = info.n_layers;
    for (uint32_t i = 0; i < hwl_plan_n_entries(plan); i++) {
        const hwl_entry *e = hwl_plan_entry(plan, i);
        if (hwl_view_entry_row(e) != HWL_HEAT_ROWS && (uint32_t)e->layer >= n)
            n = (uint32_t)e->layer + 1;
    }
    return n;
}

static void shade(struct hwl_view_model *v)
{
    for (uint32_t i = 0; i < v->n_columns; i++)
        for (int r = 0; r < HWL_HEAT_ROWS; r++) {
            struct hwl_heat_cell *c = &v->column[i].cell[r];
            v->heat_row[r] = v->heat_row[r] || c->bytes;
            v->heat_max = c->bytes > v->heat_max ? c->bytes : v->heat_max;
        }
    for (uint32_t i = 0; i < v->n_columns; i++)
        for (int r = 0; r < HWL_HEAT_ROWS; r++) {
            struct hwl_heat_cell *c = &v->column[i].cell[r];
            const double share = v->heat_max ? (double)c->bytes / (double)v->heat_max * SHADES : 0;
            c->shade = !c->bytes ? 0 : share <= 1 ? 1 : (uint8_t)(share + 0.5);
        }
}

static bool fill_heat(struct hwl_view_model *v, uint32_t max_columns)
{
    const uint32_t n = count_layers(v->plan), most = max_columns ? max_columns : DEFAULT_COLUMNS;
    void *columns = v->column;
    v->per_column = n > most ? (n + most - 1) / most : 1;
    v->n_columns = (n + v->per_column - 1) / v->per_column;
    const bool ok = reserve(&columns, &v->cap_columns, v->n_columns ? v->n_columns : 1, sizeof *v->column);
    v->column = columns;
    if (!ok)
        return false;
    for (uint32_t i = 0; i < v->n_columns; i++) {
        struct hwl_heat_column *c = &v->column[i];
        *c = (struct hwl_heat_column){.first = i * v->per_column, .last = (i + 1) * v->per_column - 1};
        c->last = c->last < n ? c->last : n - 1;
        c->letter = layer_letter(hwl_plan_model(v->plan), c->first);
        for (uint32_t l = c->first + 1; l <= c->last; l++)
            if (layer_letter(hwl_plan_model(v->plan), l) != c->letter)
                c->letter = '*';
        for (int r = 0; r < HWL_HEAT_ROWS; r++)
            c->cell[r].device = HWL_HEAT_NOWHERE;
    }
    v->rest = (struct hwl_view_rest){0, 0};
    v->heat_max = 0;
    memset(v->heat_row, 0, sizeof v->heat_row);
    for (uint32_t i = 0; i < hwl_plan_n_entries(v->plan); i++) {
        const hwl_entry *e = hwl_plan_entry(v->plan, i);
        const enum hwl_heat_row r = hwl_view_entry_row(e);
        if (r != HWL_HEAT_ROWS)
            add_cell(&v->column[(uint32_t)e->layer / v->per_column].cell[r], e, hwl_plan_n_devices(v->plan) - 1);
        else if (e->kind == HWL_KIND_WEIGHTS)
            v->rest.weights += e->bytes;
        else
            v->rest.other += e->bytes;
    }
    shade(v);
    return true;
}

static enum hwl_level overall(const struct hwl_view_model *v)
{
    const hwl_verdict verdict = hwl_plan_verdict(v->plan);
    if (verdict == HWL_VERDICT_EXCEEDS)
        return HWL_LEVEL_OVER;
    enum hwl_level worst = HWL_LEVEL_GREEN;
    for (uint32_t i = 0; i < v->n_devices; i++)
        if (!v->device[i].idle && v->device[i].level < HWL_LEVEL_UNKNOWN && v->device[i].level > worst)
            worst = v->device[i].level;
    return worst;
}

bool hwl_view_update(struct hwl_view_model *view, const hwl_plan *plan, bool merge, uint32_t max_columns)
{
    view->plan = plan;
    if (!fill_devices(view, merge) || !fill_heat(view, max_columns)) {
        hwl_view_clear(view);
        return false;
    }
    view->speaker = run_of(view, hwl_plan_speaker(plan));
    view->level = overall(view);
    (void)hwl_view_headline(view, view->headline, sizeof view->headline);
    return true;
}

void hwl_view_clear(struct hwl_view_model *view)
{
    free(view->device);
    free(view->column);
    free(view->sums);
    *view = (struct hwl_view_model){.plan = NULL};
}
