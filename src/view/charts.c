/* SPDX-License-Identifier: Apache-2.0 */
/* Charts: one plan a point. */
#include "view/charts.h"

#include <stdio.h>
#include <string.h>

/* "64k" where it is whole, else the number. */
static void tokens_label(uint64_t n, char *buf, size_t size)
{
    if (n >= 1024 && n % 1024 == 0)
        (void)snprintf(buf, size, "%lluk", (unsigned long long)(n / 1024));
    else
        (void)snprintf(buf, size, "%llu", (unsigned long long)n);
}

static void read_point(const hwl_plan *plan, struct hwl_chart_point *p)
{
    const hwl_plan_device *d = hwl_plan_get_device(plan, hwl_plan_speaker(plan));
    p->used = d->used_bytes;
    p->usable = d->usable_bytes;
    p->level = hwl_plan_verdict(plan) == HWL_VERDICT_EXCEEDS ? HWL_LEVEL_OVER : hwl_view_level(d->used_bytes, d->usable_bytes);
    p->weights = hwl_plan_total(plan, HWL_KIND_WEIGHTS);
    for (int k = 0; k < HWL_KIND_COUNT; k++)
        p->total += hwl_plan_total(plan, (hwl_kind)k);
}

/* Sorted and without repetition. */
static void add_x(struct hwl_chart *c, uint64_t x)
{
    uint32_t at = 0;
    while (at < c->n && c->point[at].x < x)
        at++;
    if (!x || c->n == HWL_CHART_POINTS || (at < c->n && c->point[at].x == x))
        return;
    memmove(&c->point[at + 1], &c->point[at], (c->n - at) * sizeof c->point[0]);
    c->point[at] = (struct hwl_chart_point){.x = x, .max_context = HWL_UNKNOWN};
    c->n++;
}

static void take_axis(struct hwl_chart *c)
{
    for (uint32_t i = 0; i < c->n; i++) {
        const struct hwl_chart_point *p = &c->point[i];
        if (p->refused)
            continue;
        c->top = p->used > c->top ? p->used : c->top;
        c->top = p->usable != HWL_UNKNOWN && p->usable > c->top ? p->usable : c->top;
    }
}

hwl_status hwl_view_context_chart(const hwl_planner *planner, const hwl_devices *devices, const hwl_settings *settings,
                                  struct hwl_chart *chart, hwl_error *error)
{
    hwl_range range;
    hwl_settings *s = NULL;
    hwl_plan *plan = NULL;
    struct hwl_chart c = {.limit = HWL_UNKNOWN};
    hwl_status status = hwl_planner_range(planner, devices, settings, "ctx", &range, error);
    if (status == HWL_OK)
        status = hwl_settings_copy(settings, &s);
    if (status != HWL_OK)
        return status;
    (void)hwl_settings_clear(s, "ctx-total", NULL);
    for (uint64_t x = 1024; x < range.most; x *= 2)
        if (range.most / x <= 4096)
            add_x(&c, x);
    add_x(&c, range.most);
    if (range.current != HWL_UNKNOWN)
        add_x(&c, range.current);
    if (range.limit != HWL_UNKNOWN)
        add_x(&c, range.limit);
    c.limit = range.limit;
    for (uint32_t i = 0; i < c.n; i++) {
        struct hwl_chart_point *p = &c.point[i];
        tokens_label(p->x, p->label, sizeof p->label);
        p->current = p->x == range.current;
        status = hwl_settings_set_count(s, "ctx", p->x, NULL);
        if (status == HWL_OK)
            status = plan ? hwl_planner_replan(planner, devices, s, plan, NULL) : hwl_planner_plan(planner, devices, s, &plan, NULL);
        p->refused = status != HWL_OK;
        if (!p->refused)
            read_point(plan, p);
    }
    take_axis(&c);
    hwl_plan_free(plan);
    hwl_settings_free(s);
    *chart = c;
    return HWL_OK;
}

bool hwl_view_quant_point(const hwl_model *model, const hwl_devices *devices, const hwl_settings *settings, uint32_t index, bool with_limit,
                          struct hwl_chart_point *point)
{
    char engine[64], now[40];
    hwl_settings *s = NULL;
    hwl_planner *planner = NULL;
    hwl_plan *plan = NULL;
    if (!hwl_settings_get(settings, "engine", engine, sizeof engine) || !*engine)
        (void)snprintf(engine, sizeof engine, "%s", hwl_engine_default(model, devices));
    /* The first is the model as it is stored. */
    const char *type = index ? hwl_option_choice(engine, "quant", index - 1) : "";
    if (!type || hwl_settings_copy(settings, &s) != HWL_OK)
        return false;
    *point = (struct hwl_chart_point){.refused = true, .max_context = HWL_UNKNOWN};
    (void)snprintf(point->label, sizeof point->label, "%s", index ? type : "as stored");
    (void)hwl_settings_get(settings, "quant", now, sizeof now);
    point->current = strcmp(now, type) == 0;
    if ((index ? hwl_settings_set(s, "quant", type, NULL) : hwl_settings_clear(s, "quant", NULL)) == HWL_OK &&
        hwl_planner_new(model, devices, s, &planner, NULL) == HWL_OK && hwl_planner_plan(planner, devices, s, &plan, NULL) == HWL_OK) {
        hwl_range range;
        point->refused = false;
        read_point(plan, point);
        if (with_limit && hwl_planner_range(planner, devices, s, "ctx", &range, NULL) == HWL_OK && range.limit != HWL_UNKNOWN)
            point->max_context = range.limit;
        else if (with_limit)
            point->max_context = 0;
    }
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(s);
    return true;
}
