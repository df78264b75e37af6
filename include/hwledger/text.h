/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_TEXT_H
#define HWLEDGER_TEXT_H

#include <hwledger/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers as the library's own messages and explanations print them; each returns buf, always NUL-terminated. */
HWL_API const char *hwl_bytes_text(uint64_t bytes, char *buf, uint64_t size); /* "12.34 GiB", "512 B" */
HWL_API const char *hwl_count_text(uint64_t n, char *buf, uint64_t size);     /* "1,234,567" */

#ifdef __cplusplus
}
#endif
#endif
