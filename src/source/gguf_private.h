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

/* n bytes, 1, 2, 4 or 8, as an unsigned number of the given byte order: one load each. (As loops over bytes, which gcc 12
 * leaves as loops, a vocabulary took three times as long.) */
static inline uint64_t hwl_gguf_load(const unsigned char *p, unsigned n, bool big_endian)
{
    const bool swap = big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;
    switch (n) {
    case 1:
        return *p;
    case 2:
        memcpy(&v16, p, 2);
        return swap ? __builtin_bswap16(v16) : v16;
    case 4:
        memcpy(&v32, p, 4);
        return swap ? __builtin_bswap32(v32) : v32;
    case 8:
        memcpy(&v64, p, 8);
        return swap ? __builtin_bswap64(v64) : v64;
    default:
        return 0;
    }
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
