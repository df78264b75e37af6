/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors headers. The last byte says how much data is pretended behind the header. */
#include "fuzz.h"

#include "source/safetensors.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hwl_arena arena = {0};
    struct hwl_safetensors *st;
    hwl_error error;
    const uint64_t more = size ? (uint64_t)1 << (data[size - 1] % 40) : 0;
    /* As it is, and as long as its own first tensor may want. */
    for (int i = 0; i < 2; i++) {
        const uint64_t file_size = size + (i ? more : 0);
        if (hwl_safetensors_parse(data, size, file_size, "fuzz", &arena, &st, &error) == HWL_OK) {
            if (st->bytes > file_size)
                abort(); /* the tensors fill the data without overlap */
            hwl_safetensors_close(st);
        } else if (!error.message[0]) {
            abort();
        }
    }
    hwl_arena_free(&arena);
    return 0;
}
