/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_BASE_FILE_H
#define HWL_BASE_FILE_H

#include <hwledger/error.h>

#include <stdbool.h>
#include <stdint.h>

/* A regular file mapped read-only. Opening refuses what is not a regular file (FIFOs, devices, folders) without
 * blocking on it. Only the pages that are looked at are read. */
struct hwl_file {
    const unsigned char *data;
    uint64_t size;
    void *map; /* private */
};

hwl_status hwl_file_open(struct hwl_file *file, const char *path, hwl_error *error);
void hwl_file_close(struct hwl_file *file);
/* A whole small file, at most limit bytes (HWL_E_LIMIT beyond). Caller frees *data. NUL-terminated. */
hwl_status hwl_file_read(const char *path, uint64_t limit, char **data, uint64_t *n, hwl_error *error);
bool hwl_file_is_dir(const char *path);
bool hwl_file_is_regular(const char *path);

#endif
