/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_ERROR_H
#define HWLEDGER_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HWL_API __attribute__((visibility("default")))
#else
#define HWL_API
#endif

/* Every function that can fail returns one of these; results are written only on HWL_OK.
 * Values are stable and grouped in tens. "Does not fit" is a result (see plan.h), not an error. */
typedef enum hwl_status {
    HWL_OK = 0,
    HWL_E_USAGE = 10,       /* a setting or argument that cannot be meant */
    HWL_E_FORMAT = 20,      /* a file that breaks its own format */
    HWL_E_OVERFLOW = 21,    /* a size beyond 64 bits */
    HWL_E_LIMIT = 22,       /* a count or length above what is accepted */
    HWL_E_UNSUPPORTED = 30, /* well formed, but not known here: said, never guessed */
    HWL_E_NOT_FOUND = 31,   /* no such model, device, engine, version or option */
    HWL_E_REFUSED = 40,     /* the engine itself refuses these settings */
    HWL_E_SYSTEM = 50,      /* the operating system said no */
    HWL_E_CANCELLED = 51,   /* the caller wants it no more */
    HWL_E_NOMEM = 60,       /* out of memory */
} hwl_status;

#define HWL_NO_OFFSET UINT64_MAX

/* Filled by the callee where the caller passes one (it may be NULL). No heap, no thread-local state. */
typedef struct hwl_error {
    hwl_status status;
    char message[320]; /* one line, no newline, valid UTF-8; says what and what to do */
    char file[512];    /* path, or "" */
    char key[160];     /* key path in the file ("text_config.hidden_size"), or "" */
    uint64_t offset;   /* byte offset in the file, or HWL_NO_OFFSET */
} hwl_error;

/* Writes "FILE: message, at KEY (byte N)" into buf (always NUL-terminated) and returns buf. */
HWL_API const char *hwl_error_text(const hwl_error *error, char *buf, uint64_t size);

#ifdef __cplusplus
}
#endif
#endif
