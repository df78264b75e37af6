/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_GGUF_PRIVATE_H
#define HWL_SOURCE_GGUF_PRIVATE_H

/* Shared by the gguf*.c files only. */
#include "source/gguf.h"

#include <string.h>

#define HWL_GGUF_ALIGNMENT 32u /* where the file does not say; ggml/include/gguf.h */

/* Bytes of a scalar; 0 for strings, arrays and unknown numbers. */
static inline unsigned hwl_gguf_scalar_bytes(unsigned type)
{
    static const unsigned char bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < sizeof bytes ? bytes[type] : 0;
}

/* n <= 8 bytes as an unsigned number of the given byte order. Compilers make one load of the fixed sizes. */
static inline uint64_t hwl_gguf_load(const unsigned char *p, unsigned n, bool big_endian)
{
    uint64_t v = 0;
    if (big_endian)
        for (unsigned i = 0; i < n; i++)
            v = v << 8 | p[i];
    else
        for (unsigned i = n; i-- > 0;)
            v = v << 8 | p[i];
    return v;
}

/* A scalar of the type into kv->value. */
void hwl_gguf_scalar(struct hwl_gguf_kv *out, unsigned type, const unsigned char *p, bool big_endian);

enum hwl_gguf_insert { HWL_GGUF_INSERTED, HWL_GGUF_PRESENT, HWL_GGUF_CROWDED, HWL_GGUF_INSERT_NOMEM };
/* Adds entry number n, whose text is the first member, a struct hwl_str, of entries[n]. Entries before n are in. */
enum hwl_gguf_insert hwl_gguf_index_add(struct hwl_gguf_index *index, struct hwl_arena *arena, const void *entries, uint64_t stride,
                                        uint32_t n);
/* Number of the entry, or UINT32_MAX. */
uint32_t hwl_gguf_index_find(const struct hwl_gguf_index *index, const void *entries, uint64_t stride, struct hwl_str text);

/* Reads one file's header into gguf: keys into its kv, tensors appended (bounds and overlaps checked). */
hwl_status hwl_gguf_read(struct hwl_gguf *gguf, const unsigned char *data, uint64_t size, uint64_t file_size, const char *file,
                         uint16_t split, struct hwl_arena *arena, hwl_error *error);

#endif
