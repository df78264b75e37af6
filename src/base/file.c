/* SPDX-License-Identifier: Apache-2.0 */
/* Regular files, mapped or read; nothing here waits on a FIFO or follows a folder. */
#include "base/file.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens path for reading when it is a regular file. O_NONBLOCK: a FIFO without a writer would block the open itself. */
static hwl_status open_regular(const char *path, int *out, uint64_t *size, hwl_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0)
        return hwl_fail_at(error, errno == ENOENT ? HWL_E_NOT_FOUND : HWL_E_SYSTEM, path, HWL_NO_OFFSET, NULL, "cannot open: %s", strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0) {
        close(fd);
        return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, NULL, "not a regular file");
    }
    *out = fd;
    *size = (uint64_t)st.st_size;
    return HWL_OK;
}

hwl_status hwl_file_open(struct hwl_file *file, const char *path, hwl_error *error)
{
    int fd;
    uint64_t size;
    HWL_TRY(open_regular(path, &fd, &size, error));
    void *map = NULL;
    if (size > SIZE_MAX / 2) {
        close(fd);
        return hwl_fail_at(error, HWL_E_LIMIT, path, HWL_NO_OFFSET, NULL, "too large to map");
    }
    if (size) {
        map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            int e = errno;
            close(fd);
            return hwl_fail_at(error, HWL_E_SYSTEM, path, HWL_NO_OFFSET, NULL, "cannot map: %s", strerror(e));
        }
    }
    close(fd);
    *file = (struct hwl_file){map, size, map};
    return HWL_OK;
}

void hwl_file_close(struct hwl_file *file)
{
    if (file->map)
        (void)munmap(file->map, (size_t)file->size);
    memset(file, 0, sizeof *file);
}

hwl_status hwl_file_read(const char *path, uint64_t limit, char **data, uint64_t *n, hwl_error *error)
{
    int fd;
    uint64_t size;
    HWL_TRY(open_regular(path, &fd, &size, error));
    if (size > limit || size >= SIZE_MAX) {
        close(fd);
        return hwl_fail_at(error, HWL_E_LIMIT, path, HWL_NO_OFFSET, NULL, "%llu bytes are more than the %llu accepted here", (unsigned long long)size,
                           (unsigned long long)limit);
    }
    char *text = malloc((size_t)size + 1);
    uint64_t got = 0;
    while (text && got < size) {
        ssize_t r = read(fd, text + got, (size_t)(size - got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        got += (uint64_t)r;
    }
    close(fd);
    if (!text)
        return hwl_fail_at(error, HWL_E_NOMEM, path, HWL_NO_OFFSET, NULL, "out of memory");
    if (got != size) {
        free(text);
        return hwl_fail_at(error, HWL_E_SYSTEM, path, got, NULL, "cannot read to its end");
    }
    text[size] = 0;
    *data = text;
    *n = size;
    return HWL_OK;
}

bool hwl_file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool hwl_file_is_regular(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}
