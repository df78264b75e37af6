/* SPDX-License-Identifier: Apache-2.0 */
/* A small hash of names for lists of a hundred thousand tensors. */
#include "source/name_map.h"

#include <string.h>

#define PROBES 512u /* at half load and a fair hash the longest run is far below this */

static uint32_t hash(struct hwl_str s)
{
    uint64_t h = s.n * UINT64_C(0x9e3779b97f4a7c15), w;
    const char *p = s.p;
    uint64_t n = s.n;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = (h ^ w) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    w = 0;
    if (n)
        memcpy(&w, p, (size_t)n);
    h = (h ^ w) * UINT64_C(0xc4ceb9fe1a85ec53);
    h ^= h >> 29;
    return (uint32_t)(h ^ h >> 32);
}

bool hwl_name_map_init(struct hwl_name_map *map, struct hwl_arena *arena, uint64_t capacity)
{
    uint64_t n = 16;
    while (n < capacity * 2 && n < (uint64_t)1 << 31)
        n *= 2;
    map->slots = HWL_NEW_ARRAY(arena, struct hwl_name_slot, n);
    map->mask = n - 1;
    map->n = 0;
    map->capacity = capacity;
    return map->slots;
}

static struct hwl_name_slot *probe(const struct hwl_name_map *map, struct hwl_str name, uint32_t h)
{
    for (uint64_t i = 0; i < PROBES; i++) {
        struct hwl_name_slot *s = &map->slots[(h + i) & map->mask];
        if (!s->name.p || (s->hash == h && s->name.n == name.n && memcmp(s->name.p, name.p, (size_t)name.n) == 0))
            return s;
        if (i > map->mask)
            break;
    }
    return NULL;
}

uint32_t hwl_name_map_put(struct hwl_name_map *map, struct hwl_str name, uint32_t value, bool *added)
{
    uint32_t h = hash(name);
    struct hwl_name_slot *s = probe(map, name, h);
    *added = false;
    if (!s)
        return HWL_NAME_NONE;
    if (!s->name.p) {
        if (map->n >= map->capacity)
            return HWL_NAME_NONE;
        *s = (struct hwl_name_slot){name, h, value};
        map->n++;
        *added = true;
    }
    return s->value;
}

uint32_t hwl_name_map_get(const struct hwl_name_map *map, struct hwl_str name)
{
    if (!map->slots)
        return HWL_NAME_NONE;
    const struct hwl_name_slot *s = probe(map, name, hash(name));
    return s && s->name.p ? s->value : HWL_NAME_NONE;
}
