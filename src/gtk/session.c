/* SPDX-License-Identifier: Apache-2.0 */
/* The state behind a window. */
#include "gtk/session.h"

#include <string.h>

#define UNDO_MAX 100u

static void free_model_box(void *p)
{
    hwl_model_free(((struct hwl_model_box *)p)->model);
}

struct hwl_model_box *hwl_model_box_new(hwl_model *model)
{
    struct hwl_model_box *box = g_atomic_rc_box_new0(struct hwl_model_box);
    box->model = model;
    return box;
}

void hwl_model_box_unref(struct hwl_model_box *box)
{
    if (box)
        g_atomic_rc_box_release_full(box, free_model_box);
}

/* Engine and devices decide the default engine, so the key holds the engine in force. */
static char *key_of(const hwl_model *model, const hwl_devices *devices, const hwl_settings *settings)
{
    char engine[64], version[64], quant[64];
    if (!hwl_settings_get(settings, "engine", engine, sizeof engine))
        g_strlcpy(engine, hwl_engine_default(model, devices), sizeof engine);
    (void)hwl_settings_get(settings, "engine-version", version, sizeof version);
    (void)hwl_settings_get(settings, "quant", quant, sizeof quant);
    return g_strdup_printf("%s %s %s", engine, version, quant);
}

struct hwl_planner_box *hwl_planner_box_new(struct hwl_model_box *model, const hwl_devices *devices, const hwl_settings *settings,
                                            hwl_error *error)
{
    hwl_planner *planner = NULL;
    if (hwl_planner_new(model->model, devices, settings, &planner, error) != HWL_OK)
        return NULL;
    struct hwl_planner_box *box = g_atomic_rc_box_new0(struct hwl_planner_box);
    box->model = g_atomic_rc_box_acquire(model);
    box->planner = planner;
    box->key = key_of(model->model, devices, settings);
    return box;
}

static void free_planner_box(void *p)
{
    struct hwl_planner_box *box = p;
    hwl_planner_free(box->planner);
    hwl_model_box_unref(box->model);
    g_free(box->key);
}

void hwl_planner_box_unref(struct hwl_planner_box *box)
{
    if (box)
        g_atomic_rc_box_release_full(box, free_planner_box);
}

static void free_ask(void *ask)
{
    hwl_ask_free(ask);
}

static void rebuild_devices(struct hwl_session *s)
{
    hwl_devices *d = NULL;
    hwl_error error = {.offset = HWL_NO_OFFSET};
    if (hwl_ask_devices(s->ask, s->machine, &d, &error) != HWL_OK) {
        hwl_session_fail(s, &error);
        return;
    }
    hwl_devices_free(s->devices);
    s->devices = d;
}

void hwl_session_probe(struct hwl_session *s)
{
    hwl_devices *d = NULL;
    if (hwl_probe_devices(NULL, &d, NULL) != HWL_OK && hwl_devices_new(&d) != HWL_OK)
        g_error("out of memory");
    hwl_devices_free(s->machine);
    s->machine = d;
    s->generation++;
    rebuild_devices(s);
}

struct hwl_session *hwl_session_new(void)
{
    struct hwl_session *s = g_new0(struct hwl_session, 1);
    s->ask = hwl_ask_new();
    s->undo = g_ptr_array_new_with_free_func(free_ask);
    hwl_session_probe(s);
    return s;
}

static void clear_pin(struct hwl_pin *pin)
{
    hwl_plan_free(pin->plan);
    hwl_planner_box_unref(pin->planner);
    hwl_ask_free(pin->ask);
    *pin = (struct hwl_pin){0};
}

void hwl_session_free(struct hwl_session *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n_pins; i++)
        clear_pin(&s->pin[i]);
    hwl_view_clear(&s->view);
    hwl_plan_free(s->plan);
    hwl_planner_box_unref(s->planner);
    hwl_devices_free(s->devices);
    hwl_devices_free(s->machine);
    g_ptr_array_unref(s->undo);
    hwl_ask_free(s->ask);
    g_free(s);
}

/* Swaps the question; the old one goes on the stack unless the change belongs to the last step. */
static void swap(struct hwl_session *s, struct hwl_ask *next, const char *group)
{
    if (*group && strcmp(group, s->group) == 0) {
        hwl_ask_free(s->ask);
    } else {
        g_ptr_array_add(s->undo, s->ask);
        if (s->undo->len > UNDO_MAX)
            g_ptr_array_remove_index(s->undo, 0);
    }
    g_strlcpy(s->group, group, sizeof s->group);
    s->ask = next;
    s->generation++;
}

hwl_status hwl_session_set(struct hwl_session *s, const char *option, const char *value, hwl_error *error)
{
    char now[256];
    const bool set = hwl_settings_get(s->ask->settings, option, now, sizeof now);
    if (value ? set && strcmp(now, value) == 0 : !set)
        return HWL_OK;
    struct hwl_ask *next = hwl_ask_copy(s->ask);
    hwl_status status = value ? hwl_settings_set(next->settings, option, value, error) : hwl_settings_clear(next->settings, option, error);
    if (status == HWL_OK)
        swap(s, next, option);
    else
        hwl_ask_free(next);
    return status;
}

hwl_status hwl_session_change(struct hwl_session *s, const hwl_change *change, uint32_t n, hwl_error *error)
{
    struct hwl_ask *next = hwl_ask_copy(s->ask);
    hwl_devices *d = NULL;
    hwl_status status = HWL_OK;
    for (uint32_t i = 0; status == HWL_OK && i < n; i++)
        status = hwl_ask_change(next, &change[i], error);
    if (status == HWL_OK)
        status = hwl_ask_devices(next, s->machine, &d, error);
    if (status != HWL_OK) {
        hwl_ask_free(next);
        return status;
    }
    hwl_devices_free(s->devices);
    s->devices = d;
    swap(s, next, "");
    return HWL_OK;
}

void hwl_session_set_engine(struct hwl_session *s, const char *engine)
{
    struct hwl_ask *next = hwl_ask_copy(s->ask);
    const char *in_force = engine ? engine : s->planner ? hwl_engine_default(s->planner->model->model, s->devices) : "llama.cpp";
    hwl_ask_set_engine(next, engine, in_force);
    swap(s, next, "");
}

hwl_status hwl_session_set_devices(struct hwl_session *s, bool detected, const char *const *gpus, const char *ram, hwl_error *error)
{
    struct hwl_ask *next = hwl_ask_copy(s->ask);
    hwl_devices *d = NULL;
    next->detected = detected;
    g_ptr_array_set_size(next->gpus, 0);
    for (; gpus && *gpus; gpus++)
        g_ptr_array_add(next->gpus, g_strdup(*gpus));
    g_free(next->ram);
    next->ram = g_strdup(ram);
    hwl_status status = hwl_ask_devices(next, s->machine, &d, error);
    if (status != HWL_OK) {
        hwl_ask_free(next);
        return status;
    }
    hwl_devices_free(s->devices);
    s->devices = d;
    swap(s, next, "");
    return HWL_OK;
}

void hwl_session_take_ask(struct hwl_session *s, struct hwl_ask *ask, bool remember)
{
    if (remember) {
        swap(s, ask, "");
    } else {
        hwl_ask_free(s->ask);
        s->ask = ask;
        s->generation++;
    }
    rebuild_devices(s);
}

bool hwl_session_undo(struct hwl_session *s)
{
    if (!s->undo->len)
        return false;
    hwl_ask_free(s->ask);
    s->ask = g_ptr_array_steal_index(s->undo, s->undo->len - 1);
    s->group[0] = 0;
    s->generation++;
    rebuild_devices(s);
    return true;
}

void hwl_session_settle(struct hwl_session *s)
{
    s->group[0] = 0;
}

bool hwl_session_ready(const struct hwl_session *s)
{
    if (!s->planner)
        return false;
    char *key = key_of(s->planner->model->model, s->devices, s->ask->settings);
    const bool same = strcmp(key, s->planner->key) == 0;
    g_free(key);
    return same;
}

static void answered(struct hwl_session *s)
{
    s->failed = false;
    if (!hwl_view_update(&s->view, s->plan, true, 0))
        g_error("out of memory");
}

void hwl_session_fail(struct hwl_session *s, const hwl_error *error)
{
    s->failed = true;
    s->error = *error;
}

bool hwl_session_replan(struct hwl_session *s)
{
    hwl_plan *plan = NULL;
    hwl_error error = {.offset = HWL_NO_OFFSET};
    /* into a plan of its own: one that fails halfway must not spoil what is shown */
    hwl_status status = hwl_planner_plan(s->planner->planner, s->devices, s->ask->settings, &plan, &error);
    if (status != HWL_OK) {
        hwl_session_fail(s, &error);
        return false;
    }
    hwl_plan_free(s->plan);
    s->plan = plan;
    answered(s);
    return true;
}

void hwl_session_take(struct hwl_session *s, struct hwl_planner_box *planner, hwl_plan *plan)
{
    struct hwl_planner_box *old = s->planner;
    hwl_plan_free(s->plan);
    s->plan = plan;
    s->planner = g_atomic_rc_box_acquire(planner);
    hwl_planner_box_unref(old);
    answered(s);
}

bool hwl_session_pin(struct hwl_session *s)
{
    if (!s->plan || s->failed)
        return false;
    hwl_plan *plan = NULL;
    if (hwl_planner_plan(s->planner->planner, s->devices, s->ask->settings, &plan, NULL) != HWL_OK)
        return false;
    if (s->n_pins == HWL_PINS)
        hwl_session_unpin(s, 1);
    s->pin[s->n_pins++] = (struct hwl_pin){hwl_ask_copy(s->ask), g_atomic_rc_box_acquire(s->planner), plan};
    return true;
}

void hwl_session_unpin(struct hwl_session *s, uint32_t index)
{
    if (index >= s->n_pins)
        return;
    clear_pin(&s->pin[index]);
    memmove(&s->pin[index], &s->pin[index + 1], (s->n_pins - index - 1) * sizeof *s->pin);
    s->pin[--s->n_pins] = (struct hwl_pin){0};
}

const char *hwl_session_engine(const struct hwl_session *s, char *buf, uint64_t size)
{
    if (!hwl_settings_get(s->ask->settings, "engine", buf, size))
        g_strlcpy(buf, s->planner ? hwl_engine_default(s->planner->model->model, s->devices) : "", (gsize)size);
    return buf;
}
