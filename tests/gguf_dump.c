/* SPDX-License-Identifier: Apache-2.0 */
/* gguf_dump FILE: what our reader sees, one line an entry, for tests that compare it with other readers. */
#include "source/gguf.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct hwl_arena arena = {0};
    struct hwl_gguf *g;
    hwl_error error;
    char text[1024];
    if (argc != 2)
        return 2;
    if (hwl_gguf_open(argv[1], &arena, &g, &error) != HWL_OK) {
        fprintf(stderr, "%s\n", hwl_error_text(&error, text, sizeof text));
        hwl_arena_free(&arena);
        return 1;
    }
    printf("version %" PRIu32 " alignment %" PRIu64 " data %" PRIu64 "\n", g->version, g->alignment, g->data_offset);
    for (uint64_t i = 0; i < g->n_kv; i++) {
        const struct hwl_gguf_kv *kv = &g->kv[i];
        printf("kv %.*s %u ", (int)kv->key.n, kv->key.p, kv->type);
        if (kv->type == HWL_GGUF_STRING)
            printf("%.*s\n", (int)kv->value.str.n, kv->value.str.p);
        else if (kv->type == HWL_GGUF_ARRAY)
            printf("%u %" PRIu64 "\n", kv->element_type, kv->n);
        else if (kv->type == HWL_GGUF_F32 || kv->type == HWL_GGUF_F64)
            printf("%.17g\n", kv->value.f64);
        else if (kv->type == HWL_GGUF_I8 || kv->type == HWL_GGUF_I16 || kv->type == HWL_GGUF_I32 || kv->type == HWL_GGUF_I64)
            printf("%" PRId64 "\n", kv->value.i64);
        else
            printf("%" PRIu64 "\n", kv->value.u64);
    }
    for (uint64_t i = 0; i < g->n_tensors; i++) {
        const struct hwl_gguf_tensor *t = &g->tensors[i];
        printf("tensor %.*s %s", (int)t->name.n, t->name.p, hwl_dtype((enum hwl_dtype)t->dtype)->name);
        for (unsigned d = 0; d < t->n_dims; d++)
            printf(" %" PRIu64, t->dims[d]);
        printf(" bytes %" PRIu64 " offset %" PRIu64 "\n", t->bytes, t->offset);
    }
    hwl_gguf_close(g);
    hwl_arena_free(&arena);
    return 0;
}
