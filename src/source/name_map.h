/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_NAME_MAP_H
#define HWL_SOURCE_NAME_MAP_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>

/* Names to numbers, open addressing. The names are not copied. Made for a known number of names.
 * A file made so that its names collide gets a refusal, not hours of probing. */
#define HWL_NAME_NONE UINT32_MAX

struct hwl_name_slot {
    struct hwl_str name;
    uint32_t hash, value;
};
struct hwl_name_map {
    struct hwl_name_slot *slots;
    uint64_t mask, n, capacity;
};

/* False when out of memory. */
bool hwl_name_map_init(struct hwl_name_map *map, struct hwl_arena *arena, uint64_t capacity);
/* The number of name: the given one where name is new (*added true), else the one it has. HWL_NAME_NONE when the map is
 * full or the names collide. */
uint32_t hwl_name_map_put(struct hwl_name_map *map, struct hwl_str name, uint32_t value, bool *added);
uint32_t hwl_name_map_get(const struct hwl_name_map *map, struct hwl_str name);

#endif
