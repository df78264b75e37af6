/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF headers, then every accessor over what was read. The last byte says how much data is pretended behind the header. */
#include "fuzz.h"

#include "source/gguf.h"

#include <stdlib.h>

static void look(const struct hwl_gguf *g)
{
    uint64_t u, sum = 0;
    double f;
    for (uint64_t i = 0; i < g->n_kv; i++) {
        const struct hwl_gguf_kv *kv = &g->kv[i];
        if (kv->key.n >= 200 || memchr(kv->key.p, 0, kv->key.n))
            continue;
        char key[200] = "";
        memcpy(key, kv->key.p, kv->key.n);
        if (hwl_gguf_get(g, key) != kv)
            abort(); /* each key is found where it is */
        if (hwl_gguf_array_n(g, key) && hwl_gguf_array_u64(g, key, hwl_gguf_array_n(g, key) - 1, &u))
            sum += u;
        sum += hwl_gguf_u64(g, key, &u) ? u : 0;
        sum += hwl_gguf_f64(g, key, &f) && f > 0;
        for (uint64_t k = 0; k < kv->array_bytes; k += 97)
            sum += kv->array[k];
    }
    for (uint64_t i = 0; i < g->n_tensors; i++) {
        const struct hwl_gguf_tensor *t = &g->tensors[i];
        if (t->offset % g->alignment || t->bytes > g->file_bytes || t->offset > g->file_bytes - t->bytes)
            abort(); /* what was accepted lies in the file */
        sum += t->bytes;
    }
    volatile uint64_t used = sum;
    (void)used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hwl_arena arena = {.limit = 64 * (uint64_t)size + (1 << 16)}; /* memory stays in proportion */
    struct hwl_gguf *g;
    hwl_error error;
    const uint64_t more = size ? (uint64_t)1 << (data[size - 1] % 40) : 0;
    const hwl_status status = hwl_gguf_parse(data, size, size + more, "fuzz", &arena, &g, &error);
    if (status == HWL_OK)
        look(g);
    else if (status == HWL_E_NOMEM || !error.message[0])
        abort(); /* refused for want of memory: something was allocated for an unchecked count */
    hwl_arena_free(&arena);
    return 0;
}
