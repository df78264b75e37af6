/* SPDX-License-Identifier: Apache-2.0 */
/* device_map="auto" and others: layers over devices in order. After integrations/accelerate.py of transformers 5.24
 * (get_balanced_memory, infer_auto_device_map), which follows utils/modeling.py of accelerate. */
#include "engine/transformers/transformers.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

void hwl_tf_balance(const struct hwl_tf_modules *modules, uint64_t *limit, uint32_t n_gpus, bool low_first)
{
    uint64_t total = 0, largest = 0, others = 0;
    uint32_t n = 0, last = 0;
    for (uint32_t i = 0; i < modules->n; i++) {
        total += modules->bytes[i];
        largest = hwl_max(largest, modules->bytes[i]);
    }
    for (uint32_t i = 0; i < n_gpus; i++)
        if (limit[i]) {
            n++;
            last = i;
        }
    if (n == 0)
        return;
    low_first = low_first && n > 1;
    const uint64_t share = total / (low_first ? n - 1 : n) + largest + largest / 4;
    for (uint32_t i = low_first ? 1 : 0; i < last; i++) /* the last one keeps all it has */
        limit[i] = hwl_min(limit[i], share);
    for (uint32_t i = 1; i < n; i++)
        others += limit[i];
    if (low_first)
        limit[0] = hwl_min(limit[0], total > others ? total - others : 1); /* 1: it is named, though it takes nothing */
}

/* A run of modules that is treated as one: the model in front of its head, the list of layers, or a single one. */
struct item {
    uint32_t first, count;
};

struct list {
    struct item *item;
    uint32_t n;
};

static void split(struct list *l, uint32_t at, const struct hwl_tf_modules *m)
{
    const struct item whole = l->item[at];
    struct item child[8];
    uint32_t n = 0;
    const bool model = m->n_layers && whole.first < m->first_layer;
    if (!model) { /* the list of layers: one each */
        for (uint32_t i = l->n; i-- > at + 1;)
            l->item[i + whole.count - 1] = l->item[i];
        for (uint32_t i = 0; i < whole.count; i++)
            l->item[at + i] = (struct item){whole.first + i, 1};
        l->n += whole.count - 1;
        return;
    }
    for (uint32_t i = whole.first; i < whole.first + whole.count && n < 8;) {
        const uint32_t count = i == m->first_layer ? m->n_layers : 1;
        child[n++] = (struct item){i, count};
        i += count;
    }
    for (uint32_t i = l->n; i-- > at + 1;)
        l->item[i + n - 1] = l->item[i];
    for (uint32_t i = 0; i < n; i++)
        l->item[at + i] = child[i];
    l->n += n - 1;
}

hwl_status hwl_tf_map(const struct hwl_tf_modules *modules, const uint64_t *limit, uint32_t n_gpus, uint16_t *device,
                      struct hwl_arena *arena, hwl_error *error)
{
    const uint32_t n = modules->n;
    struct list l = {.item = HWL_NEW_ARRAY(arena, struct item, (uint64_t)n + 2)};
    uint64_t *largest = HWL_NEW_ARRAY(arena, uint64_t, (uint64_t)n + 2); /* from a module on */
    if (!l.item || !largest)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (n < 2 || modules->first_layer + modules->n_layers >= n || modules->first_layer + 8 < modules->first_layer ||
        n - 1 - modules->n_layers > 7)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "transformers: a model of other modules than a stack with a head");
    largest[n] = 0;
    for (uint32_t i = n; i-- > 0;)
        largest[i] = hwl_max(largest[i + 1], i + 1 == n && modules->tied ? 0 : modules->bytes[i]);
    l.item[0] = (struct item){0, n - 1};
    l.item[1] = (struct item){n - 1, 1};
    l.n = 2;
    uint32_t at = 0, first = 0;
    uint64_t used = 0;
    while (first < n_gpus && !limit[first])
        first++;
    for (uint32_t k = 0; k < l.n;) {
        const struct item it = l.item[k];
        if (it.first + 1 == n && modules->tied) { /* went with the embedding */
            device[it.first] = device[0];
            k++;
            continue;
        }
        uint64_t bytes = 0;
        for (uint32_t i = it.first; i < it.first + it.count; i++)
            bytes += modules->bytes[i];
        /* the first GPU that takes anything and the host keep room for the largest module that is still to come */
        const uint64_t kept = at == first || at == n_gpus ? largest[it.first + it.count] : 0;
        const bool fits = at > n_gpus || (limit[at] >= kept && used <= limit[at] - kept && bytes <= limit[at] - kept - used);
        if (fits) {
            for (uint32_t i = it.first; i < it.first + it.count; i++)
                device[i] = (uint16_t)at;
            used += bytes;
            k++;
        } else if (it.count > 1) {
            split(&l, k, modules);
        } else {
            at++;
            used = 0;
        }
    }
    return HWL_OK;
}


/* "0=10GiB", "cpu=64GiB": devices that are not named take nothing. */
static hwl_status given_limits(const struct hwl_settings *s, uint64_t *limit, uint32_t n_gpus, hwl_error *error)
{
    memset(limit, 0, ((size_t)n_gpus + 1) * sizeof *limit);
    for (uint32_t i = 0; i < hwl_opt_list_n(s, HWL_OPT_MAX_MEMORY); i++) {
        const char *item = hwl_opt_list_at(s, HWL_OPT_MAX_MEMORY, i), *size = strchr(item, '=');
        char *end = NULL;
        const unsigned long at = strncmp(item, "cpu=", 4) == 0 ? n_gpus : strtoul(item, &end, 10);
        uint64_t bytes = 0;
        if (!size || !hwl_text_bytes(size + 1, &bytes) || (end && (end == item || *end != '=')))
            return hwl_fail(error, HWL_E_USAGE, "transformers: max memory '%s' is not DEVICE=SIZE", item);
        if (end && at >= n_gpus)
            return hwl_fail(error, HWL_E_USAGE, "transformers: max memory for GPU %lu, which is not there", at);
        limit[at] = bytes;
    }
    return HWL_OK;
}

/* What is free behind the CUDA context; of one GPU alone and of the host 90 %. */
static void free_limits(const struct hwl_devices *d, bool balanced, uint64_t *limit)
{
    for (uint32_t i = 0; i <= d->n_gpus; i++) {
        const hwl_device *v = i < d->n_gpus ? &d->gpu[i] : &d->host;
        const uint64_t memory = v->free_bytes != HWL_UNKNOWN ? v->free_bytes : v->memory_bytes;
        limit[i] = memory == HWL_UNKNOWN ? UINT64_MAX / 16 : memory;
        if (i < d->n_gpus)
            limit[i] -= hwl_min(limit[i], HWL_TF_CONTEXT);
        if (i == d->n_gpus || (d->n_gpus == 1 && balanced))
            limit[i] = limit[i] / 10 * 9;
    }
}

hwl_status hwl_tf_lay_out(const struct hwl_tf_modules *modules, bool quantised, const struct hwl_devices *d,
                          const struct hwl_settings *settings, uint16_t *device, struct hwl_arena *arena, hwl_error *error)
{
    const char *how = hwl_opt_text(settings, HWL_OPT_DEVICE_MAP, "auto");
    uint64_t *limit = HWL_NEW_ARRAY(arena, uint64_t, (uint64_t)d->n_gpus + 1);
    if (!limit)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (!hwl_words_have("auto balanced balanced_low_0 sequential", how))
        return hwl_fail(error, HWL_E_USAGE, "transformers: unknown device map '%s'; auto, balanced, balanced_low_0 and sequential", how);
    const bool balanced = strcmp(how, "sequential") != 0;
    if (hwl_opt_list_n(settings, HWL_OPT_MAX_MEMORY))
        HWL_TRY(given_limits(settings, limit, d->n_gpus, error));
    else
        free_limits(d, balanced, limit);
    if (balanced)
        hwl_tf_balance(modules, limit, d->n_gpus, strcmp(how, "balanced_low_0") == 0);
    for (uint32_t i = 0; quantised && i <= d->n_gpus; i++) /* quantizer_bnb_4bit.py adjust_max_memory, behind the balance */
        limit[i] = limit[i] / 10 * 9;
    if (d->n_gpus == 0) /* no device map: everything on the host */
        limit[0] = UINT64_MAX / 16;
    return hwl_tf_map(modules, limit, d->n_gpus, device, arena, error);
}
