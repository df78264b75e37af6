/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_BASE_STATUS_H
#define HWL_BASE_STATUS_H

#include <hwledger/error.h>

/* Fills *error (may be NULL) and returns status. The place (file, key, offset) stays as the caller set it. */
hwl_status hwl_fail(hwl_error *error, hwl_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
hwl_status hwl_fail_at(hwl_error *error, hwl_status status, const char *file, uint64_t offset, const char *key, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void hwl_error_clear(hwl_error *error);

/* Forwards a failure. */
#define HWL_TRY(expression)                                                                                                      \
    do {                                                                                                                         \
        hwl_status hwl_try_status_ = (expression);                                                                               \
        if (hwl_try_status_ != HWL_OK)                                                                                           \
            return hwl_try_status_;                                                                                              \
    } while (0)

#endif
