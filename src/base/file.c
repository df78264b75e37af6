/* SPDX-License-Identifier: Apache-2.0 */
/* Files as input: mapped read-only, or read whole up to a limit. What is not a regular file is refused before it is
 * opened and again after, so that a FIFO never blocks and a device is never touched. */
#include "base/file.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static hwl_status refuse(const char *path, mode_t mode, hwl_error *error)
{
    const char *what = S_ISDIR(mode)    ? "a folder"
                       : S_ISFIFO(mode) ? "a FIFO"
                       : S_ISSOCK(mode) ? "a socket"
                       : S_ISCHR(mode) || S_ISBLK(mode) ? "a device"
                                        : "of an unknown kind";
    return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, NULL, "not a regular file but %s", what);
}

static hwl_status system_error(const char *path, const char *doing, int code, hwl_error *error)
{
    const hwl_status status = code == ENOENT || code == ENOTDIR ? HWL_E_NOT_FOUND : code == ENOMEM ? HWL_E_NOMEM : HWL_E_SYSTEM;
    return hwl_fail_at(error, status, path, HWL_NO_OFFSET, NULL, "cannot %s: %s", doing, strerror(code));
}

/* An open descriptor of a regular file and its size. */
static hwl_status open_regular(const char *path, int *fd, uint64_t *size, hwl_error *error)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return system_error(path, "open", errno, error);
    if (!S_ISREG(st.st_mode))
        return refuse(path, st.st_mode, error);
    /* Non-blocking, in case it was swapped for a FIFO in between. */
    const int f = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (f < 0)
        return system_error(path, "open", errno, error);
    hwl_status status = HWL_OK;
    if (fstat(f, &st) != 0)
        status = system_error(path, "open", errno, error);
    else if (!S_ISREG(st.st_mode))
        status = refuse(path, st.st_mode, error);
    if (status != HWL_OK) {
        (void)close(f);
        return status;
    }
    *fd = f;
    *size = (uint64_t)st.st_size;
    return HWL_OK;
}

hwl_status hwl_file_open(struct hwl_file *file, const char *path, hwl_error *error)
{
    int fd;
    uint64_t size;
    HWL_TRY(open_regular(path, &fd, &size, error));
    void *map = NULL;
    if (size > SIZE_MAX) {
        (void)close(fd);
        return hwl_fail_at(error, HWL_E_LIMIT, path, HWL_NO_OFFSET, NULL, "larger than this machine can map");
    }
    if (size) {
        map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            const int code = errno;
            (void)close(fd);
            return system_error(path, "map", code, error);
        }
    }
    (void)close(fd);
    *file = (struct hwl_file){.data = map ? map : (const unsigned char *)"", .size = size, .map = map};
    return HWL_OK;
}

void hwl_file_close(struct hwl_file *file)
{
    if (file->map)
        (void)munmap(file->map, (size_t)file->size);
    *file = (struct hwl_file){0};
}

hwl_status hwl_file_read(const char *path, uint64_t limit, char **data, uint64_t *n, hwl_error *error)
{
    int fd;
    uint64_t size;
    HWL_TRY(open_regular(path, &fd, &size, error));
    char *text = NULL;
    hwl_status status = HWL_OK;
    if (size > limit || size >= SIZE_MAX) {
        status = hwl_fail_at(error, HWL_E_LIMIT, path, HWL_NO_OFFSET, NULL, "%llu bytes, more than the %llu that are accepted",
                             (unsigned long long)size, (unsigned long long)limit);
        goto out;
    }
    text = malloc((size_t)size + 1);
    if (!text) {
        status = hwl_fail_at(error, HWL_E_NOMEM, path, HWL_NO_OFFSET, NULL, "out of memory");
        goto out;
    }
    uint64_t done = 0;
    while (done < size) { /* what is appended meanwhile is left out */
        const ssize_t got = read(fd, text + done, (size_t)(size - done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = system_error(path, "read", errno, error);
            goto out;
        }
        if (got == 0)
            break;
        done += (uint64_t)got;
    }
    text[done] = '\0';
    *data = text;
    *n = done;
    text = NULL;
out:
    free(text);
    (void)close(fd);
    return status;
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
