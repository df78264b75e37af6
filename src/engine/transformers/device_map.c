/* SPDX-License-Identifier: Apache-2.0 */
/* device_map="auto": layers over devices in order. After integrations/accelerate.py of transformers 5.24
 * (get_balanced_memory, infer_auto_device_map), which follows utils/modeling.py of accelerate. */
#include "engine/transformers/transformers.h"

#include "base/bytes.h"
#include "base/status.h"

void hwl_tf_balance(const struct hwl_tf_modules *modules, uint64_t *limit, uint32_t n_gpus)
{
    uint64_t total = 0, largest = 0;
    for (uint32_t i = 0; i < modules->n; i++) {
        total += modules->bytes[i];
        largest = hwl_max(largest, modules->bytes[i]);
    }
    if (n_gpus == 0)
        return;
    const uint64_t share = total / n_gpus + largest + largest / 4;
    for (uint32_t i = 0; i + 1 < n_gpus; i++) /* the last one keeps all it has */
        limit[i] = hwl_min(limit[i], share);
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
    uint32_t at = 0;
    uint64_t used = 0;
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
        /* the first GPU and the host keep room for the largest module that is still to come */
        const uint64_t kept = at == 0 || at == n_gpus ? largest[it.first + it.count] : 0;
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
