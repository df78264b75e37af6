/* SPDX-License-Identifier: Apache-2.0 */
/* Error records: who failed, where in which file, in one line. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Control characters of a hostile file must not reach a terminal, nor break the one-line promise. */
static void clean(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

static void fill(hwl_error *error, hwl_status status, const char *format, va_list ap)
{
    error->status = status;
    (void)vsnprintf(error->message, sizeof error->message, format, ap);
    clean(error->message);
}

void hwl_error_clear(hwl_error *error)
{
    if (!error)
        return;
    memset(error, 0, sizeof *error);
    error->offset = HWL_NO_OFFSET;
}

hwl_status hwl_fail(hwl_error *error, hwl_status status, const char *format, ...)
{
    if (error) {
        va_list ap;
        va_start(ap, format);
        hwl_error_clear(error);
        fill(error, status, format, ap);
        va_end(ap);
    }
    return status;
}

hwl_status hwl_fail_at(hwl_error *error, hwl_status status, const char *file, uint64_t offset, const char *key, const char *format, ...)
{
    if (error) {
        va_list ap;
        va_start(ap, format);
        hwl_error_clear(error);
        fill(error, status, format, ap);
        va_end(ap);
        if (file) {
            (void)snprintf(error->file, sizeof error->file, "%s", file);
            clean(error->file);
        }
        if (key) {
            (void)snprintf(error->key, sizeof error->key, "%s", key);
            clean(error->key);
        }
        error->offset = offset;
    }
    return status;
}

const char *hwl_error_text(const hwl_error *error, char *buf, uint64_t size)
{
    if (!size)
        return buf;
    char key[192] = "";
    char at[40] = "";
    if (error->key[0])
        (void)snprintf(key, sizeof key, ", at %s", error->key);
    if (error->offset != HWL_NO_OFFSET)
        (void)snprintf(at, sizeof at, " (byte %llu)", (unsigned long long)error->offset);
    (void)snprintf(buf, size, "%s%s%s%s%s", error->file, error->file[0] ? ": " : "", error->message, key, at);
    return buf;
}
