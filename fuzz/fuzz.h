/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_FUZZ_H
#define HWL_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Called by libFuzzer, or by replay.c over the files of a corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
