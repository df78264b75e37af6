/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_SAFETENSORS_H
#define HWL_SOURCE_SAFETENSORS_H

#include "base/arena.h"
#include "base/str.h"

#include <hwledger/error.h>

/* The tensor list of a safetensors file, or of all files that an index names. Only headers are read.
 * A file is held to the rules of the format's reference reader: the tensors fill the data without overlap, hole or rest,
 * each as large as its shape and type say. */

#define HWL_ST_HEADER_MAX ((uint64_t)100000000) /* the reference reader's own cap */
#define HWL_ST_DIMS 8

struct hwl_st_tensor {
    struct hwl_str name;
    uint16_t dtype; /* enum hwl_dtype */
    uint16_t file;  /* index into files */
    uint8_t n_dims;
    uint64_t dims[HWL_ST_DIMS]; /* outermost first */
    uint64_t elements;
    uint64_t bytes;
    uint64_t offset; /* in the file's data */
};

struct hwl_st_file {
    const char *path;
    uint64_t size;        /* of the file */
    uint64_t data_offset; /* behind the header */
};

struct hwl_safetensors {
    struct hwl_st_tensor *tensors;
    uint64_t n_tensors, cap_tensors;
    struct hwl_st_file *files;
    uint64_t n_files, cap_files;
    uint64_t bytes; /* of all tensors */
    void **docs;    /* private: names point into them */
    uint64_t n_docs, cap_docs;
    const struct hwl_progress *progress; /* while it is opened */
};

/* path: a .safetensors file or a .safetensors.index.json. Lists live in arena; names until hwl_safetensors_close. */
hwl_status hwl_safetensors_open(const char *path, const struct hwl_progress *progress, struct hwl_arena *arena, struct hwl_safetensors **out,
                                hwl_error *error);
/* All the given files as one set; a name in two of them is refused. */
hwl_status hwl_safetensors_open_files(const char *const *paths, uint64_t n, const struct hwl_progress *progress, struct hwl_arena *arena,
                                      struct hwl_safetensors **out, hwl_error *error);
/* The same over bytes in memory; file_size is the true size the file would have (>= size, for header-only data). */
hwl_status hwl_safetensors_parse(const unsigned char *data, uint64_t size, uint64_t file_size, const char *name,
                                 struct hwl_arena *arena, struct hwl_safetensors **out, hwl_error *error);
void hwl_safetensors_close(struct hwl_safetensors *st);

/* The distinct file names of an index, in order of first mention; total_size of its metadata, 0 where absent. For a folder
 * whose shards may not be there. */
hwl_status hwl_safetensors_index_files(const char *path, struct hwl_arena *arena, const char *const **names, uint64_t *n,
                                       uint64_t *total_size, hwl_error *error);

#endif
