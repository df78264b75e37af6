/* SPDX-License-Identifier: Apache-2.0 */
/* History of a machine, and what a running engine was asked for. */
#include "view/live.h"

#include <stdio.h>
#include <string.h>

void hwl_live_add(struct hwl_live *live, const hwl_monitor *monitor, uint64_t second)
{
    const uint32_t n = hwl_monitor_n_devices(monitor);
    if (!live->last_second || second > live->last_second + HWL_LIVE_POINTS || second < live->last_second) {
        memset(live->used, 0xff, sizeof live->used); /* HWL_UNKNOWN */
        live->last_second = second;
    }
    for (; live->last_second < second; live->last_second++)
        for (uint32_t d = 0; d < HWL_LIVE_DEVICES; d++)
            live->used[d][(live->last_second + 1) % HWL_LIVE_POINTS] = HWL_UNKNOWN;
    const uint32_t devices = n < HWL_LIVE_DEVICES ? n : HWL_LIVE_DEVICES;
    if (devices != live->n_devices && live->n_devices) /* one was plugged in before the host, which is last */
        memset(live->used, 0xff, sizeof live->used);
    live->n_devices = devices;
    for (uint32_t d = 0; d < live->n_devices; d++)
        live->used[d][second % HWL_LIVE_POINTS] = hwl_monitor_get_device(monitor, d)->used_bytes;
}

uint64_t hwl_live_at(const struct hwl_live *live, uint32_t device, uint32_t age)
{
    if (!live->last_second || device >= HWL_LIVE_DEVICES || age >= HWL_LIVE_POINTS || age > live->last_second)
        return HWL_UNKNOWN;
    return live->used[device][(live->last_second - age) % HWL_LIVE_POINTS];
}

uint64_t hwl_live_most(const struct hwl_live *live, uint32_t device, uint32_t age, uint32_t n)
{
    uint64_t most = HWL_UNKNOWN;
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t v = hwl_live_at(live, device, age + i);
        if (v != HWL_UNKNOWN && (most == HWL_UNKNOWN || v > most))
            most = v;
    }
    return most;
}

enum { WORDS = 256 };

/* Where the engine's own options begin, and how its command line names the model. */
static const struct form {
    const char *engine;
    const char *before; /* the word behind which options stand ("serve"), or "" */
    const char *models; /* options that name the model, words; the first bare word where there are none */
} forms[] = {
    {"llama.cpp", "", "-m --model"},
    {"vllm", "serve", "--model"},
    {"sglang", "sglang.launch_server", "--model-path --model"},
    {"tgi", "", "--model-id"},
};

static bool is_one(const char *words, const char *word, size_t n)
{
    for (const char *p = words; *p; p += strspn(p, " ")) {
        const size_t len = strcspn(p, " ");
        if (len == n && strncmp(p, word, n) == 0)
            return true;
        p += len;
    }
    return false;
}

bool hwl_live_request(const hwl_monitor_process *process, hwl_settings *settings, char *model, uint64_t size)
{
    const char *word[WORDS];
    int n = 0, first = 1;
    const struct form *form = NULL;
    for (size_t i = 0; process->engine && i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].engine, process->engine) == 0)
            form = &forms[i];
    for (const char *w = form ? process->command : ""; *w && n < WORDS; w += strlen(w) + 1)
        word[n++] = w;
    *model = 0;
    for (int i = 0; form && *form->before && i < n; i++)
        if (strcmp(word[i], form->before) == 0)
            first = i + 1;
    if (!n)
        return false;
    for (int i = first; i < n; i++) {
        const char *equals = strchr(word[i], '=');
        const size_t len = equals ? (size_t)(equals - word[i]) : strlen(word[i]);
        if (!is_one(form->models, word[i], len))
            continue;
        if (equals)
            (void)snprintf(model, (size_t)size, "%s", equals + 1);
        else if (i + 1 < n)
            (void)snprintf(model, (size_t)size, "%s", word[i + 1]);
    }
    if (!*model && first < n && word[first][0] != '-') { /* vllm serve MODEL ... */
        (void)snprintf(model, (size_t)size, "%s", word[first]);
        first++;
    }
    return *model && hwl_settings_set(settings, "engine", form->engine, NULL) == HWL_OK &&
           hwl_settings_engine_args(settings, form->engine, n - first, word + first, NULL) == HWL_OK;
}

uint64_t hwl_live_measured(const hwl_monitor *monitor, uint64_t pid, uint32_t device)
{
    uint64_t sum = HWL_UNKNOWN;
    for (uint32_t i = 0; i < hwl_monitor_n_processes(monitor); i++) {
        const hwl_monitor_process *p = hwl_monitor_get_process(monitor, i);
        if (p->root != pid || p->device != device)
            continue;
        if (p->bytes == HWL_UNKNOWN)
            return HWL_UNKNOWN;
        sum = (sum == HWL_UNKNOWN ? 0 : sum) + p->bytes; /* of one device: far below 2^64 */
    }
    return sum;
}

const char *hwl_live_difference(uint64_t planned, uint64_t measured, char *buf, uint64_t size)
{
    if (planned == HWL_UNKNOWN || measured == HWL_UNKNOWN || !planned)
        (void)snprintf(buf, (size_t)size, "unknown");
    else
        (void)snprintf(buf, (size_t)size, "%+.1f %%", ((double)measured - (double)planned) / (double)planned * 100);
    return buf;
}
