/* SPDX-License-Identifier: Apache-2.0 */
/* The planner's state: every change plans at once; what cannot be planned leaves the last plan and says why. */
#include "tui/desk.h"

#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_step(struct tui_step *s)
{
    hwl_settings_free(s->settings);
    hwl_devices_free(s->devices);
    *s = (struct tui_step){NULL, NULL};
}

static void retire(struct tui_desk *d, hwl_planner *planner, hwl_model *model)
{
    if (d->retire) {
        d->retire(d->retire_user, planner, model);
        return;
    }
    hwl_planner_free(planner);
    hwl_model_free(model);
}

void tui_desk_free(struct tui_desk *d)
{
    while (d->n_undo)
        free_step(&d->undo[--d->n_undo]);
    hwl_view_clear(&d->view);
    hwl_plan_free(d->plan);
    hwl_planner_free(d->planner);
    hwl_settings_free(d->settings);
    hwl_devices_free(d->devices);
    hwl_model_free(d->model);
    *d = (struct tui_desk){.model = NULL};
}

static void list_controls(struct tui_desk *d)
{
    const struct hwl_control *c;
    d->n_controls = 0;
    for (uint32_t i = 0; d->n_controls < TUI_CONTROLS && (c = hwl_view_control(hwl_plan_engine(d->plan), i)); i++)
        if (hwl_view_control_applies(c, d->plan))
            d->control[d->n_controls++] = c;
}

static void say(struct tui_desk *d, const hwl_error *error)
{
    char text[1200];
    (void)hwl_view_clean(hwl_error_text(error, text, sizeof text), d->trouble, sizeof d->trouble);
    if (!*d->trouble)
        (void)snprintf(d->trouble, sizeof d->trouble, "out of memory");
}

bool tui_desk_plan(struct tui_desk *d, bool fresh)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    hwl_planner *planner = NULL;
    hwl_plan *plan = NULL;
    memset(d->ranged, 0, sizeof d->ranged);
    memset(d->unranged, 0, sizeof d->unranged);
    if (fresh)
        memset(d->bounded, 0, sizeof d->bounded);
    d->advised = false;
    d->charts = (struct tui_charts){.n_quant = 0};
    d->generation++;
    *d->trouble = 0;
    d->refused = false;
    if (!d->model || !d->devices)
        return false;
    hwl_status status = fresh || !d->planner ? hwl_planner_new(d->model, d->devices, d->settings, &planner, &error) : HWL_OK;
    if (status == HWL_OK)
        status = hwl_planner_plan(planner ? planner : d->planner, d->devices, d->settings, &plan, &error);
    struct hwl_view_model view = {.plan = NULL};
    if (status != HWL_OK || !hwl_view_update(&view, plan, true, d->columns)) {
        say(d, &error);
        d->refused = !planner && d->planner && status == HWL_E_REFUSED;
        hwl_plan_free(plan);
        hwl_planner_free(planner);
        return false;
    }
    hwl_view_clear(&d->view);
    hwl_plan_free(d->plan);
    if (planner) {
        retire(d, d->planner, NULL);
        d->planner = planner;
    }
    d->plan = plan;
    d->view = view;
    list_controls(d);
    return true;
}

bool tui_desk_take_model(struct tui_desk *d, hwl_model *model, const char *name)
{
    hwl_model *before = d->model;
    d->model = model;
    if (tui_desk_plan(d, true)) {
        retire(d, NULL, before);
        (void)snprintf(d->opened, sizeof d->opened, "%s", name);
        return true;
    }
    if (!before) { /* nothing else to show */
        (void)snprintf(d->opened, sizeof d->opened, "%s", name);
        return false;
    }
    char trouble[sizeof d->trouble];
    memcpy(trouble, d->trouble, sizeof trouble);
    d->model = before;
    hwl_model_free(model);
    (void)tui_desk_plan(d, true);
    (void)snprintf(d->notice, sizeof d->notice, "not taken: %.180s", trouble);
    return false;
}

/* Room for a step: the oldest goes. */
static bool remember(struct tui_desk *d)
{
    struct tui_step s = {NULL, NULL};
    if (hwl_settings_copy(d->settings, &s.settings) != HWL_OK || hwl_devices_copy(d->devices, &s.devices) != HWL_OK) {
        free_step(&s);
        return false;
    }
    if (d->n_undo == TUI_UNDO) {
        free_step(&d->undo[0]);
        memmove(d->undo, d->undo + 1, (TUI_UNDO - 1) * sizeof *d->undo);
        d->n_undo--;
    }
    d->undo[d->n_undo++] = s;
    return true;
}

static void restore(struct tui_desk *d)
{
    struct tui_step *s = &d->undo[--d->n_undo];
    hwl_settings_free(d->settings);
    hwl_devices_free(d->devices);
    d->settings = s->settings;
    d->devices = s->devices;
    *s = (struct tui_step){NULL, NULL};
}

bool tui_desk_undo(struct tui_desk *d)
{
    if (!d->n_undo) {
        (void)snprintf(d->notice, sizeof d->notice, "nothing to undo");
        return false;
    }
    restore(d);
    (void)snprintf(d->notice, sizeof d->notice, "undone");
    return tui_desk_plan(d, true);
}

static bool needs_planner(const char *option)
{
    return strcmp(option, "quant") == 0 || strcmp(option, "engine") == 0 || strcmp(option, "engine-version") == 0;
}

bool tui_desk_set(struct tui_desk *d, const char *option, const char *value)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    *d->notice = 0;
    if (!remember(d))
        return false;
    if (strcmp(option, "ctx") == 0) /* a total would win over it */
        (void)hwl_settings_clear(d->settings, "ctx-total", NULL);
    const hwl_status status = *value ? hwl_settings_set(d->settings, option, value, &error) : hwl_settings_clear(d->settings, option, &error);
    if (status != HWL_OK) {
        restore(d);
        say(d, &error);
        (void)snprintf(d->notice, sizeof d->notice, "%.190s", d->trouble);
        *d->trouble = 0;
        return false;
    }
    return tui_desk_plan(d, needs_planner(option));
}

bool tui_desk_take_devices(struct tui_desk *d, hwl_devices *devices)
{
    if (d->devices && !remember(d)) {
        hwl_devices_free(devices);
        return false;
    }
    hwl_devices_free(d->devices);
    d->devices = devices;
    return tui_desk_plan(d, true);
}

bool tui_desk_use_advice(struct tui_desk *d, uint32_t index)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    if (!d->advised || index >= d->n_advice || !remember(d))
        return false;
    const hwl_advice a = d->advice[index];
    if (hwl_advice_apply(&a, d->settings, d->devices, NULL, &error) != HWL_OK) {
        restore(d);
        say(d, &error);
        return false;
    }
    (void)snprintf(d->notice, sizeof d->notice, "advice %u used; u takes it back", index + 1);
    return tui_desk_plan(d, hwl_advice_needs_planner(&a));
}

void tui_desk_pin(struct tui_desk *d)
{
    if (!d->plan)
        return;
    if (d->n_pins == TUI_PINS) {
        memmove(d->pin, d->pin + 1, (TUI_PINS - 1) * sizeof *d->pin);
        d->n_pins--;
    }
    struct tui_pin *p = &d->pin[d->n_pins++];
    hwl_model_info m;
    char quant[32] = "";
    hwl_model_get_info(d->model, &m);
    (void)hwl_plan_setting(d->plan, "quant", quant, sizeof quant);
    (void)snprintf(p->name, sizeof p->name, "%.60s %.20s", m.name ? m.name : "", quant);
    for (int k = 0; k < HWL_KIND_COUNT; k++)
        p->total[k] = hwl_plan_total(d->plan, (hwl_kind)k);
    (void)snprintf(p->headline, sizeof p->headline, "%s", d->view.headline);
    p->context = hwl_plan_context(d->plan, NULL);
    (void)snprintf(d->notice, sizeof d->notice, "plan %u pinned; c compares", d->n_pins);
}

void tui_desk_columns(struct tui_desk *d, uint32_t columns)
{
    if (d->columns == columns)
        return;
    d->columns = columns;
    if (d->plan && !hwl_view_update(&d->view, d->plan, true, columns)) { /* out of memory: the view is empty, and so is the desk */
        hwl_plan_free(d->plan);
        d->plan = NULL;
        (void)snprintf(d->trouble, sizeof d->trouble, "out of memory");
    }
}

const hwl_range *tui_desk_known_range(const struct tui_desk *d, uint32_t control)
{
    return control < d->n_controls && d->ranged[control] ? &d->range[control] : NULL;
}

const hwl_range *tui_desk_bounds(struct tui_desk *d, uint32_t control)
{
    if (control >= d->n_controls || d->control[control]->kind != HWL_CONTROL_NUMBER || !d->planner)
        return NULL;
    if (d->ranged[control])
        return &d->range[control];
    if (d->bounded[control] != d->control[control] &&
        hwl_planner_bounds(d->planner, d->devices, d->settings, d->control[control]->option, &d->bound[control], NULL) == HWL_OK)
        d->bounded[control] = d->control[control];
    return d->bounded[control] == d->control[control] ? &d->bound[control] : NULL;
}

const hwl_range *tui_desk_range(struct tui_desk *d, uint32_t control)
{
    if (control >= d->n_controls || d->control[control]->kind != HWL_CONTROL_NUMBER || d->unranged[control] || !d->planner)
        return NULL;
    if (!d->ranged[control] && d->async)
        return NULL;
    if (!d->ranged[control])
        d->ranged[control] = hwl_planner_range(d->planner, d->devices, d->settings, d->control[control]->option, &d->range[control], NULL) == HWL_OK;
    d->unranged[control] = !d->ranged[control];
    if (d->ranged[control]) {
        d->bound[control] = d->range[control];
        d->bounded[control] = d->control[control];
    }
    return d->ranged[control] ? &d->range[control] : NULL;
}

bool tui_desk_advisable(const struct tui_desk *d)
{
    return d->plan && (!*d->trouble || d->refused);
}

void tui_desk_advise(struct tui_desk *d)
{
    if (d->advised || !d->planner)
        return;
    if (hwl_advise(d->planner, d->devices, d->settings, d->advice, &d->n_advice, NULL) != HWL_OK)
        d->n_advice = 0;
    d->advised = true;
}

void tui_desk_chart(struct tui_desk *d)
{
    struct tui_charts *c = &d->charts;
    if (c->whole || !d->planner)
        return;
    if (hwl_view_context_chart(d->planner, d->devices, d->settings, &c->context, NULL) != HWL_OK)
        c->context.n = 0;
    for (c->n_quant = 0; c->n_quant < HWL_CHART_POINTS; c->n_quant++)
        if (!hwl_view_quant_point(d->model, d->devices, d->settings, c->n_quant, true, &c->quant[c->n_quant]))
            break;
    c->whole = true;
}

/* Words with anything but the plainest characters go into single quotes. */
static void word(char *buf, uint64_t size, const char *before, const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=+@%";
    size_t n = strlen(buf);
    const bool bare = *text && strspn(text, safe) == strlen(text);
    if (n >= size)
        return;
    n += (size_t)snprintf(buf + n, (size_t)size - n, "%s%s", before, bare ? "" : "'");
    for (; *text && n + 6 < size; text++) {
        if (*text == '\'') {
            memcpy(buf + n, "'\\''", 5);
            n += 4;
        } else {
            buf[n++] = *text;
            buf[n] = 0;
        }
    }
    if (!bare && n + 1 < size)
        memcpy(buf + n, "'", 2);
}

const char *tui_desk_command(const struct tui_desk *d, char *buf, uint64_t size)
{
    const hwl_option_info *o;
    char text[256];
    *buf = 0;
    if (!d->model)
        return buf;
    word(buf, size, "hwledger plan ", d->opened);
    for (uint32_t i = 0, end; i < hwl_devices_gpus(d->devices); i = end) {
        const hwl_device *v = hwl_devices_get(d->devices, i);
        for (end = i + 1; end < hwl_devices_gpus(d->devices); end++) {
            const hwl_device *w = hwl_devices_get(d->devices, end);
            if (strcmp(v->name, w->name) != 0 || v->memory_bytes != w->memory_bytes || v->free_bytes != w->free_bytes)
                break;
        }
        const uint64_t rest = v->free_bytes < v->memory_bytes ? v->free_bytes : v->memory_bytes; /* unknown: all of it */
        const bool named = hwl_accelerator_find(v->name, NULL) != NULL && rest == v->memory_bytes;
        if (named && end - i == 1)
            (void)snprintf(text, sizeof text, "%s", v->name);
        else if (named)
            (void)snprintf(text, sizeof text, "%.90sx%u", v->name, end - i);
        else
            (void)snprintf(text, sizeof text, "%llu/%llux%u", (unsigned long long)v->memory_bytes, (unsigned long long)rest, end - i);
        word(buf, size, named ? " --gpu " : " --gpu-memory ", text);
    }
    if (!hwl_devices_gpus(d->devices))
        word(buf, size, " --gpu ", "none");
    const hwl_device *host = hwl_devices_get(d->devices, hwl_devices_gpus(d->devices));
    (void)snprintf(text, sizeof text, "%llu/%llu", (unsigned long long)host->memory_bytes, (unsigned long long)host->free_bytes);
    word(buf, size, " --ram ", text);
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++)
        if (o->type != HWL_TYPE_LIST && hwl_settings_get(d->settings, o->name, text, sizeof text)) {
            char option[64];
            (void)snprintf(option, sizeof option, " --%s%s", o->type == HWL_TYPE_FLAG && strcmp(text, "false") == 0 ? "no-" : "", o->name);
            if (o->type == HWL_TYPE_FLAG && strlen(buf) + strlen(option) < size)
                (void)strcat(buf, option);
            else if (o->type != HWL_TYPE_FLAG) {
                (void)snprintf(option, sizeof option, " --%s ", o->name);
                word(buf, size, option, text);
            }
        }
    return buf;
}
