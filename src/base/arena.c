/* SPDX-License-Identifier: Apache-2.0 */
/* One arena per model and per plan: allocation is a bump, release is one call. */
#include "base/arena.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 65536u
#define ALIGNMENT 16u

struct hwl_arena_block {
    struct hwl_arena_block *next;
    uint64_t size, used;
    _Alignas(ALIGNMENT) unsigned char data[];
};

static struct hwl_arena_block *new_block(uint64_t size)
{
    uint64_t total;
    if (!hwl_add(&total, size, sizeof(struct hwl_arena_block)) || total > SIZE_MAX)
        return NULL;
    struct hwl_arena_block *b = malloc((size_t)total);
    if (!b)
        return NULL;
    b->next = NULL;
    b->size = size;
    b->used = 0;
    return b;
}

static void *take(struct hwl_arena *arena, uint64_t size, bool zeroed)
{
    uint64_t n, total;
    if (!hwl_align_up(&n, size ? size : 1, ALIGNMENT) || !hwl_add(&total, arena->total, n))
        return NULL;
    if (arena->limit && total > arena->limit)
        return NULL;
    struct hwl_arena_block *b = arena->head;
#ifdef HWL_ARENA_DEBUG
    (void)zeroed;
    b = new_block(size ? size : 1);
    if (!b)
        return NULL;
    b->next = arena->head;
    arena->head = b;
    arena->total = total;
    b->used = b->size;
    memset(b->data, 0, (size_t)b->size);
    return b->data;
#else
    if (!b || b->size - b->used < n) {
        const uint64_t least = arena->want > BLOCK_BYTES ? arena->want : BLOCK_BYTES;
        arena->want = 0;
        b = new_block(n > least ? n : least);
        if (!b)
            return NULL;
        b->next = arena->head;
        arena->head = b;
    }
    void *p = b->data + b->used;
    b->used += n;
    arena->total = total;
    if (zeroed)
        memset(p, 0, (size_t)n);
    return p;
#endif
}

void *hwl_arena_alloc(struct hwl_arena *arena, uint64_t size)
{
    return take(arena, size, true);
}

void *hwl_arena_array(struct hwl_arena *arena, uint64_t n, uint64_t size)
{
    uint64_t bytes;
    return hwl_mul(&bytes, n, size) ? hwl_arena_alloc(arena, bytes) : NULL;
}

char *hwl_arena_strn(struct hwl_arena *arena, const char *s, uint64_t n)
{
    uint64_t size;
    char *p = hwl_add(&size, n, 1) ? hwl_arena_alloc(arena, size) : NULL;
    if (p && n)
        memcpy(p, s, (size_t)n);
    return p;
}

char *hwl_arena_str(struct hwl_arena *arena, const char *s)
{
    return hwl_arena_strn(arena, s, strlen(s));
}

char *hwl_arena_printf(struct hwl_arena *arena, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : hwl_arena_alloc(arena, (uint64_t)n + 1);
    if (p)
        (void)vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

static void *grow(struct hwl_arena *arena, void *old, uint64_t *capacity, uint64_t need, uint64_t size, bool zeroed)
{
    if (need <= *capacity && old)
        return old;
    uint64_t n = *capacity ? *capacity : 16;
    while (n < need)
        if (!hwl_mul(&n, n, 2))
            return NULL;
    uint64_t bytes;
    void *p = hwl_mul(&bytes, n, size) ? take(arena, bytes, zeroed) : NULL;
    if (!p)
        return NULL;
    if (old && *capacity)
        memcpy(p, old, (size_t)(*capacity * size));
    *capacity = n;
    return p;
}

void *hwl_arena_grow(struct hwl_arena *arena, void *old, uint64_t *capacity, uint64_t need, uint64_t size)
{
    return grow(arena, old, capacity, need, size, true);
}

void *hwl_arena_grow_bare(struct hwl_arena *arena, void *old, uint64_t *capacity, uint64_t need, uint64_t size)
{
    return grow(arena, old, capacity, need, size, false);
}

void hwl_arena_reset(struct hwl_arena *arena)
{
    struct hwl_arena_block *b = arena->head;
    arena->total = 0;
#ifndef HWL_ARENA_DEBUG
    if (b && !b->next) {
        b->used = 0;
        return;
    }
#endif
    uint64_t size = 0;
    for (struct hwl_arena_block *next; b; b = next) {
        next = b->next;
        size += b->size;
        free(b);
    }
    arena->head = NULL;
    arena->want = size;
}

void hwl_arena_free(struct hwl_arena *arena)
{
    for (struct hwl_arena_block *b = arena->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    arena->head = NULL;
    arena->total = arena->want = 0;
}
