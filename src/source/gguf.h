/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_GGUF_H
#define HWL_SOURCE_GGUF_H

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"
#include "source/dtype.h"

#include <hwledger/error.h>

/* A GGUF header: metadata and tensor list. Read from a file (all splits), or made in memory by the converter:
 * either way it is the same structure, so a model that would become a GGUF goes the same way as one that is. */

enum hwl_gguf_type { /* numbers of the format */
    HWL_GGUF_U8, HWL_GGUF_I8, HWL_GGUF_U16, HWL_GGUF_I16, HWL_GGUF_U32, HWL_GGUF_I32, HWL_GGUF_F32, HWL_GGUF_BOOL,
    HWL_GGUF_STRING, HWL_GGUF_ARRAY, HWL_GGUF_U64, HWL_GGUF_I64, HWL_GGUF_F64
};

struct hwl_gguf_kv {
    struct hwl_str key;
    uint8_t type;         /* enum hwl_gguf_type */
    uint8_t element_type; /* arrays */
    bool big_endian;      /* of the raw bytes at array */
    union {
        uint64_t u64;     /* unsigned, bool */
        int64_t i64;
        double f64;       /* F32 and F64 */
        struct hwl_str str;
    } value;
    uint64_t n;                 /* elements of an array */
    const unsigned char *array; /* first element's raw bytes, in the file's byte order; not aligned */
    uint64_t array_bytes;
    uint64_t offset;            /* of the key in the file */
};

struct hwl_gguf_tensor {
    struct hwl_str name;
    uint16_t dtype; /* enum hwl_dtype */
    uint8_t n_dims;
    uint16_t split; /* which file of a split set */
    uint64_t dims[4]; /* ne0 first; unused ones are 1 */
    uint64_t bytes;   /* exact, without padding */
    uint64_t offset;  /* from the start of that file's data section */
};

struct hwl_gguf {
    uint32_t version;
    uint64_t alignment;
    struct hwl_gguf_kv *kv; /* of the first file */
    uint64_t n_kv;
    struct hwl_gguf_tensor *tensors; /* of all files in order */
    uint64_t n_tensors;
    uint32_t n_splits;
    uint64_t data_offset; /* of the first file's data section */
    uint64_t file_bytes;  /* of all files together */
    const char *path;     /* "" when made in memory */
    bool big_endian;
    struct hwl_gguf_index { /* private: open-addressed hash, number + 1 of the entry, 0 empty */
        uint32_t *slots;
        uint64_t n_slots, used;
    } keys, names;
    uint64_t cap_kv, cap_tensors; /* private */
    struct hwl_file *files;       /* n_splits mappings, released by hwl_gguf_close; NULL when not from files */
    const struct hwl_progress *progress; /* while it is opened */
};

/* Opens path and, for "-00001-of-0000N.gguf", the other files beside it. Allocates in arena; strings point into the mapping. */
hwl_status hwl_gguf_open(const char *path, struct hwl_arena *arena, struct hwl_gguf **out, hwl_error *error);
hwl_status hwl_gguf_open_watched(const char *path, const struct hwl_progress *progress, struct hwl_arena *arena, struct hwl_gguf **out,
                                 hwl_error *error);
/* The same over bytes in memory (fuzzing, tests); size is what is there, data_size the true size the file would have
 * (>= size, for header-only data). */
hwl_status hwl_gguf_parse(const unsigned char *data, uint64_t size, uint64_t data_size, const char *name, struct hwl_arena *arena,
                          struct hwl_gguf **out, hwl_error *error);
void hwl_gguf_close(struct hwl_gguf *gguf);

/* What is accepted at most; real files hold some 100 keys and a few 1,000 tensors. */
#define HWL_GGUF_MAX_KV ((uint64_t)1 << 20)
#define HWL_GGUF_MAX_TENSORS ((uint64_t)1 << 22)
#define HWL_GGUF_MAX_KEY 65535u /* bytes, the format's own limit */
#define HWL_GGUF_MAX_NAME 1024u /* bytes of a tensor name; ggml itself takes 63 */
#define HWL_GGUF_MAX_DEPTH 8u   /* arrays of arrays */

/* By name, in constant time; NULL when absent. */
const struct hwl_gguf_tensor *hwl_gguf_find(const struct hwl_gguf *gguf, const char *name);
const struct hwl_gguf_kv *hwl_gguf_get(const struct hwl_gguf *gguf, const char *key);
/* Any integer type or bool as u64; false when absent, negative, or of another type. f64: of any number. */
bool hwl_gguf_u64(const struct hwl_gguf *gguf, const char *key, uint64_t *out);
bool hwl_gguf_f64(const struct hwl_gguf *gguf, const char *key, double *out);
bool hwl_gguf_str(const struct hwl_gguf *gguf, const char *key, struct hwl_str *out);
/* Element i of an array of integers / bools / floats; a scalar counts as an array of itself at any i. */
bool hwl_gguf_array_u64(const struct hwl_gguf *gguf, const char *key, uint64_t i, uint64_t *out);
bool hwl_gguf_array_f64(const struct hwl_gguf *gguf, const char *key, uint64_t i, double *out);
uint64_t hwl_gguf_array_n(const struct hwl_gguf *gguf, const char *key); /* 0 when absent or no array */

/* Building in memory (the converter). Keys and strings are copied into the arena; a key put again is replaced. Types are
 * those that the converter of llama.cpp writes: integers U32 (U64 beyond), reals F32, integer arrays I32 (U64 beyond). */
struct hwl_gguf *hwl_gguf_new(struct hwl_arena *arena);
hwl_status hwl_gguf_put_u64(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, uint64_t value);
hwl_status hwl_gguf_put_f64(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, double value);
hwl_status hwl_gguf_put_bool(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, bool value);
hwl_status hwl_gguf_put_str(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, const char *value);
hwl_status hwl_gguf_put_array_u64(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, const uint64_t *values, uint64_t n);
/* Appends a tensor at the next aligned offset; HWL_E_USAGE when the row does not divide. */
hwl_status hwl_gguf_put_tensor(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *name, enum hwl_dtype dtype, unsigned n_dims,
                               const uint64_t *dims, hwl_error *error);
/* Bytes of the file it would be: header, metadata, padding, data. */
hwl_status hwl_gguf_file_size(const struct hwl_gguf *gguf, uint64_t *out);

#endif
