/* SPDX-License-Identifier: Apache-2.0 */
/* convert_to_file MODEL MIXTURE OUT.gguf: writes the GGUF that a model would become, its data a hole of the true size,
 * so that the real llama.cpp can be asked whether it loads it. convert_to_file MODEL roles: the tensors of the neutral model with
 * their roles, for who writes a row of conversion (docs/adding-an-architecture.md). */
#include "engine/llamacpp/convert.h"
#include "engine/llamacpp/quant_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void u32(FILE *f, uint32_t v)
{
    (void)fwrite(&v, 4, 1, f);
}

static void u64(FILE *f, uint64_t v)
{
    (void)fwrite(&v, 8, 1, f);
}

static void text(FILE *f, struct hwl_str s)
{
    u64(f, s.n);
    (void)fwrite(s.p, 1, (size_t)s.n, f);
}

static void put_kv(FILE *f, const struct hwl_gguf_kv *kv)
{
    text(f, kv->key);
    switch (kv->type) {
    case HWL_GGUF_STRING:
        u32(f, HWL_GGUF_STRING);
        text(f, kv->value.str);
        break;
    case HWL_GGUF_BOOL:
        u32(f, HWL_GGUF_BOOL);
        (void)fputc(kv->value.u64 != 0, f);
        break;
    case HWL_GGUF_F32:
    case HWL_GGUF_F64: {
        const float v = (float)kv->value.f64;
        u32(f, HWL_GGUF_F32);
        (void)fwrite(&v, 4, 1, f);
        break;
    }
    case HWL_GGUF_ARRAY: /* the builder makes arrays of u64; the loader wants 32-bit numbers */
        u32(f, HWL_GGUF_ARRAY);
        u32(f, HWL_GGUF_U32);
        u64(f, kv->n);
        for (uint64_t i = 0; i < kv->n; i++) {
            uint64_t v = 0;
            const uint64_t width = kv->array_bytes / kv->n;
            memcpy(&v, kv->array + i * width, (size_t)(width < 8 ? width : 8));
            u32(f, (uint32_t)v);
        }
        break;
    default:
        u32(f, HWL_GGUF_U32);
        u32(f, (uint32_t)kv->value.u64);
        break;
    }
}

static void print_roles(const struct hwl_model *m)
{
    const struct hwl_tensor *tensors = m->n_logical ? m->logical : m->tensors;
    const uint64_t n = m->n_logical ? m->n_logical : m->n_tensors;
    for (uint64_t i = 0; i < n; i++) {
        const struct hwl_tensor *t = &tensors[i];
        printf("%3d %-14s %s x%u%s [", t->layer, hwl_role_name((enum hwl_role)t->role), t->name ? t->name : "?", t->count, t->tied ? " tied" : t->buffer ? " buffer" : "");
        for (unsigned d = 0; d < t->n_dims; d++)
            printf("%s%" PRIu64, d ? ", " : "", t->dims[d]);
        printf("]\n");
    }
}

int main(int argc, char **argv)
{
    hwl_error e;
    hwl_model *model;
    struct hwl_gguf *g;
    struct hwl_arena arena = {0};
    char line[1200];
    if (argc == 3 && strcmp(argv[2], "roles") == 0 && hwl_model_open(argv[1], NULL, &model, &e) == HWL_OK) {
        print_roles(model);
        hwl_model_free(model);
        return 0;
    }
    if (argc != 4)
        return 2;
    const int ftype = hwl_lc_ftype(argv[2]);
    if (hwl_model_open(argv[1], NULL, &model, &e) != HWL_OK || hwl_lc_convert(model, &arena, &g, &e) != HWL_OK ||
        (ftype >= 0 && hwl_lc_quantise(g, ftype, &arena, &e) != HWL_OK)) {
        fprintf(stderr, "%s\n", hwl_error_text(&e, line, sizeof line));
        return 1;
    }
    FILE *f = fopen(argv[3], "wb");
    if (!f)
        return 1;
    (void)fwrite("GGUF", 1, 4, f);
    u32(f, 3);
    u64(f, g->n_tensors);
    u64(f, g->n_kv);
    for (uint64_t i = 0; i < g->n_kv; i++)
        put_kv(f, &g->kv[i]);
    uint64_t end = 0;
    for (uint64_t i = 0; i < g->n_tensors; i++) {
        const struct hwl_gguf_tensor *t = &g->tensors[i];
        text(f, t->name);
        u32(f, t->n_dims);
        for (unsigned d = 0; d < t->n_dims; d++)
            u64(f, t->dims[d]);
        u32(f, (uint32_t)hwl_dtype((enum hwl_dtype)t->dtype)->ggml);
        u64(f, t->offset);
        end = t->offset + (t->bytes + g->alignment - 1) / g->alignment * g->alignment;
    }
    uint64_t start = ((uint64_t)ftell(f) + g->alignment - 1) / g->alignment * g->alignment;
    (void)fflush(f);
    const int failed = ftruncate(fileno(f), (off_t)(start + end));
    (void)fclose(f);
    printf("%" PRIu64 " tensors, %" PRIu64 " bytes\n", g->n_tensors, end);
    hwl_arena_free(&arena);
    hwl_model_free(model);
    return failed != 0;
}
