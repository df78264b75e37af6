/* SPDX-License-Identifier: Apache-2.0 */
/* What programs take from the environment and the command line, the same for all of them. */
#include "view/stores.h"

#include <stdio.h>
#include <stdlib.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* PREFIX/NAME, or NULL where there is no prefix. */
static const char *below(const char *prefix, const char *name, char *buf, size_t size)
{
    return prefix && (uint64_t)snprintf(buf, size, "%s/%s", prefix, name) < size ? buf : NULL;
}

void hwl_view_stores(struct hwl_view_stores *s)
{
    const char *hub = variable("HF_HUB_CACHE"), *hf = variable("HF_HOME"), *xdg = variable("XDG_CACHE_HOME");
    const char *llama = variable("LLAMA_CACHE");
    *s = (struct hwl_view_stores){.options = {.home = variable("HOME"), .ollama = variable("OLLAMA_MODELS")}};
    s->options.hf_cache = hub  ? hub
                          : hf ? below(hf, "hub", s->hf, sizeof s->hf)
                               : below(xdg, "huggingface/hub", s->hf, sizeof s->hf);
    s->options.llama_cache = llama ? llama : below(xdg, "llama.cpp", s->llama, sizeof s->llama);
}

hwl_status hwl_view_set_ram(hwl_devices *devices, const char *ram, hwl_error *error)
{
    hwl_devices *one = NULL;
    if (hwl_devices_new(&one) != HWL_OK)
        return HWL_E_NOMEM;
    hwl_status status = hwl_devices_add_gpu_memory(one, ram, error);
    if (status == HWL_OK) {
        const hwl_device *d = hwl_devices_get(one, 0);
        hwl_devices_set_ram(devices, d->memory_bytes, d->free_bytes);
    }
    hwl_devices_free(one);
    return status;
}

hwl_status hwl_view_use_stores(hwl_settings *settings)
{
    struct hwl_view_stores stores;
    hwl_view_stores(&stores);
    return hwl_settings_set_stores(settings, stores.options.home, stores.options.hf_cache);
}
