/* SPDX-License-Identifier: Apache-2.0 */
/* Making the changes of an advice, and the changes that take it back. */
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "device/devices.h"

#include <hwledger/search.h>

#include <stdio.h>
#include <string.h>

static bool is_device(const char *option)
{
    return strcmp(option, "gpu") == 0 || strcmp(option, "gpu-memory") == 0;
}

bool hwl_advice_needs_planner(const hwl_advice *advice)
{
    for (uint32_t i = 0; i < advice->n_changes && i < HWL_ADVICE_CHANGES; i++) {
        const char *o = advice->change[i].option;
        if (strcmp(o, "quant") == 0 || strcmp(o, "engine") == 0 || strcmp(o, "engine-version") == 0)
            return true;
    }
    return false;
}

/* back takes it back. */
static hwl_status change_devices(const hwl_change *c, hwl_devices *devices, hwl_change *back, hwl_error *error)
{
    const uint32_t before = devices->n_gpus;
    uint64_t n;
    if (*c->value != '-') {
        HWL_TRY(strcmp(c->option, "gpu") == 0 ? hwl_devices_add_gpu(devices, c->value, error)
                                              : hwl_devices_add_gpu_memory(devices, c->value, error));
        (void)snprintf(back->value, sizeof back->value, "-%u", devices->n_gpus - before);
        return HWL_OK;
    }
    if (!hwl_text_u64(c->value + 1, &n) || !n || n > before)
        return hwl_fail(error, HWL_E_USAGE, "there are not as many GPUs to take away");
    devices->n_gpus -= (uint32_t)n;
    const hwl_device *d = &devices->gpu[devices->n_gpus];
    if (strcmp(c->option, "gpu") == 0)
        (void)snprintf(back->value, sizeof back->value, "%.60sx%u", d->name, (uint32_t)n);
    else
        (void)snprintf(back->value, sizeof back->value, "%llu/%llux%u", (unsigned long long)d->memory_bytes,
                       (unsigned long long)hwl_min(d->free_bytes, d->memory_bytes), (uint32_t)n);
    return HWL_OK;
}

hwl_status hwl_advice_apply(const hwl_advice *advice, hwl_settings *settings, hwl_devices *devices, hwl_advice *undo, hwl_error *error)
{
    hwl_advice back = {.n_changes = 0};
    if (advice->n_changes > HWL_ADVICE_CHANGES)
        return hwl_fail(error, HWL_E_USAGE, "more changes than an advice holds");
    back.n_changes = advice->n_changes;
    for (uint32_t i = 0; i < advice->n_changes; i++) {
        const hwl_change *c = &advice->change[i];
        hwl_change *b = &back.change[advice->n_changes - 1 - i]; /* the last is taken back first */
        *b = (hwl_change){.option = ""};
        (void)snprintf(b->option, sizeof b->option, "%s", c->option);
        if (is_device(c->option)) {
            HWL_TRY(change_devices(c, devices, b, error));
            continue;
        }
        (void)hwl_settings_get(settings, c->option, b->value, sizeof b->value);
        HWL_TRY(*c->value ? hwl_settings_set(settings, c->option, c->value, error) : hwl_settings_clear(settings, c->option, error));
    }
    if (undo)
        *undo = back;
    return HWL_OK;
}
