/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_BASE_ARENA_H
#define HWL_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Memory that is released all at once. Compiled with HWL_ARENA_DEBUG every object is a malloc of its own,
 * so that sanitizers see each overread. Memory is zeroed. Not for use from two threads at once. */
struct hwl_arena_block;
struct hwl_arena {
    struct hwl_arena_block *head;
    uint64_t total; /* bytes handed out */
    uint64_t limit; /* refuses beyond this, 0 = no limit */
    uint64_t want;  /* private: size of the next block after a reset of several */
};

/* NULL when out of memory, over the limit, or n * size overflows. */
void *hwl_arena_alloc(struct hwl_arena *arena, uint64_t size);
void *hwl_arena_array(struct hwl_arena *arena, uint64_t n, uint64_t size);
char *hwl_arena_strn(struct hwl_arena *arena, const char *s, uint64_t n); /* NUL-terminated copy */
char *hwl_arena_str(struct hwl_arena *arena, const char *s);
char *hwl_arena_printf(struct hwl_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Grows an array that holds *capacity elements to hold at least need; doubles. Returns the (moved) array or NULL. */
void *hwl_arena_grow(struct hwl_arena *arena, void *old, uint64_t *capacity, uint64_t need, uint64_t size);
/* The same where the caller fills every new element before it is read. */
void *hwl_arena_grow_bare(struct hwl_arena *arena, void *old, uint64_t *capacity, uint64_t need, uint64_t size);
/* Forgets everything but keeps the memory for reuse: one block, or the wish for one that would have been large enough. */
void hwl_arena_reset(struct hwl_arena *arena);
void hwl_arena_free(struct hwl_arena *arena);

#define HWL_NEW(arena, type) ((type *)hwl_arena_alloc(arena, sizeof(type)))
#define HWL_NEW_ARRAY(arena, type, n) ((type *)hwl_arena_array(arena, n, sizeof(type)))

#endif
