/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF headers made in memory, for models that would become one. */
#include "source/gguf_private.h"

#include "base/status.h"

struct hwl_gguf *hwl_gguf_new(struct hwl_arena *arena)
{
    struct hwl_gguf *gguf = HWL_NEW(arena, struct hwl_gguf);
    if (gguf) {
        gguf->version = 3;
        gguf->alignment = HWL_GGUF_ALIGNMENT;
        gguf->n_splits = 1;
        gguf->path = "";
    }
    return gguf;
}

/* The entry of the key, emptied if it was there. */
static struct hwl_gguf_kv *entry(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key)
{
    const struct hwl_str text = hwl_str_of(key);
    const uint32_t old = hwl_gguf_index_find(&gguf->keys, gguf->kv, sizeof *gguf->kv, text);
    if (old != UINT32_MAX) {
        gguf->kv[old] = (struct hwl_gguf_kv){.key = gguf->kv[old].key};
        return &gguf->kv[old];
    }
    struct hwl_gguf_kv *grown = hwl_arena_grow(arena, gguf->kv, &gguf->cap_kv, gguf->n_kv + 1, sizeof *grown);
    const char *copy = hwl_arena_strn(arena, text.p, text.n);
    if (!grown || !copy)
        return NULL;
    gguf->kv = grown;
    grown[gguf->n_kv] = (struct hwl_gguf_kv){.key = {copy, text.n}};
    if (hwl_gguf_index_add(&gguf->keys, arena, grown, sizeof *grown, (uint32_t)gguf->n_kv) != HWL_GGUF_INSERTED)
        return NULL;
    return &grown[gguf->n_kv++];
}

hwl_status hwl_gguf_put_u64(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, uint64_t value)
{
    struct hwl_gguf_kv *kv = entry(gguf, arena, key);
    if (!kv)
        return HWL_E_NOMEM;
    kv->type = value <= UINT32_MAX ? HWL_GGUF_U32 : HWL_GGUF_U64;
    kv->value.u64 = value;
    return HWL_OK;
}

hwl_status hwl_gguf_put_f64(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, double value)
{
    struct hwl_gguf_kv *kv = entry(gguf, arena, key);
    if (!kv)
        return HWL_E_NOMEM;
    kv->type = HWL_GGUF_F32;
    kv->value.f64 = (double)(float)value; /* what a reader of the file would see */
    return HWL_OK;
}

hwl_status hwl_gguf_put_bool(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, bool value)
{
    struct hwl_gguf_kv *kv = entry(gguf, arena, key);
    if (!kv)
        return HWL_E_NOMEM;
    kv->type = HWL_GGUF_BOOL;
    kv->value.u64 = value;
    return HWL_OK;
}

hwl_status hwl_gguf_put_str(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, const char *value)
{
    const char *copy = hwl_arena_str(arena, value);
    struct hwl_gguf_kv *kv = copy ? entry(gguf, arena, key) : NULL;
    if (!kv)
        return HWL_E_NOMEM;
    kv->type = HWL_GGUF_STRING;
    kv->value.str = hwl_str_of(copy);
    return HWL_OK;
}

hwl_status hwl_gguf_put_array_u64(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *key, const uint64_t *values, uint64_t n)
{
    uint64_t largest = 0, bytes;
    for (uint64_t i = 0; i < n; i++)
        largest = hwl_max(largest, values[i]);
    const unsigned each = largest <= INT32_MAX ? 4 : 8;
    if (!hwl_mul(&bytes, n, each))
        return HWL_E_OVERFLOW;
    unsigned char *raw = hwl_arena_alloc(arena, bytes);
    struct hwl_gguf_kv *kv = raw ? entry(gguf, arena, key) : NULL;
    if (!kv)
        return HWL_E_NOMEM;
    for (uint64_t i = 0; i < n; i++)
        for (unsigned b = 0; b < each; b++)
            raw[i * each + b] = (unsigned char)(values[i] >> (8 * b));
    kv->type = HWL_GGUF_ARRAY;
    kv->element_type = each == 4 ? HWL_GGUF_I32 : HWL_GGUF_U64;
    kv->n = n;
    kv->array = raw;
    kv->array_bytes = bytes;
    return HWL_OK;
}

hwl_status hwl_gguf_put_tensor(struct hwl_gguf *gguf, struct hwl_arena *arena, const char *name, enum hwl_dtype dtype, unsigned n_dims,
                               const uint64_t *dims, hwl_error *error)
{
    const struct hwl_dtype_info *info = hwl_dtype(dtype);
    if (n_dims < 1 || n_dims > 4)
        return hwl_fail_at(error, HWL_E_USAGE, NULL, HWL_NO_OFFSET, name, "tensor of %u dimensions, 1 to 4 are possible", n_dims);
    if (info->ggml < 0)
        return hwl_fail_at(error, HWL_E_USAGE, NULL, HWL_NO_OFFSET, name, "%s is no type of GGUF", info->name);
    struct hwl_gguf_tensor t = {.dtype = (uint16_t)dtype, .n_dims = (uint8_t)n_dims, .dims = {1, 1, 1, 1}};
    for (unsigned i = 0; i < n_dims; i++)
        t.dims[i] = dims[i];
    if (t.dims[0] % info->block != 0)
        return hwl_fail_at(error, HWL_E_USAGE, NULL, HWL_NO_OFFSET, name, "rows of %llu elements are no multiple of the %u of a block of %s",
                           (unsigned long long)t.dims[0], info->block, info->name);
    struct hwl_ck ck = {false};
    uint64_t row = 0;
    if (!hwl_dtype_row(dtype, t.dims[0], &row))
        ck.overflow = true;
    t.bytes = hwl_ck_mul4(&ck, row, t.dims[1], t.dims[2], t.dims[3]);
    if (gguf->n_tensors) {
        const struct hwl_gguf_tensor *last = &gguf->tensors[gguf->n_tensors - 1];
        t.offset = hwl_ck_align(&ck, hwl_ck_add(&ck, last->offset, last->bytes), gguf->alignment);
    }
    (void)hwl_ck_add(&ck, t.offset, t.bytes);
    if (ck.overflow)
        return hwl_fail_at(error, HWL_E_OVERFLOW, NULL, HWL_NO_OFFSET, name, "tensor larger than 64 bits can count");
    if (gguf->n_tensors >= HWL_GGUF_MAX_TENSORS)
        return hwl_fail_at(error, HWL_E_LIMIT, NULL, HWL_NO_OFFSET, name, "too many tensors");
    struct hwl_gguf_tensor *grown = hwl_arena_grow(arena, gguf->tensors, &gguf->cap_tensors, gguf->n_tensors + 1, sizeof *grown);
    const char *copy = hwl_arena_str(arena, name);
    if (!grown || !copy)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    gguf->tensors = grown;
    t.name = hwl_str_of(copy);
    grown[gguf->n_tensors] = t;
    switch (hwl_gguf_index_add(&gguf->names, arena, grown, sizeof *grown, (uint32_t)gguf->n_tensors)) {
    case HWL_GGUF_INSERTED:
        gguf->n_tensors++;
        return HWL_OK;
    case HWL_GGUF_PRESENT:
        return hwl_fail_at(error, HWL_E_USAGE, NULL, HWL_NO_OFFSET, name, "duplicate tensor name");
    case HWL_GGUF_CROWDED:
    case HWL_GGUF_INSERT_NOMEM:
    default:
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    }
}

/* Version 3: magic, version, two counts; each entry: length, key, type, value; each tensor: length, name, number of
 * dimensions, dimensions, type, offset; padding; data, each tensor padded, the last too (gguf_writer.py). */
hwl_status hwl_gguf_file_size(const struct hwl_gguf *gguf, uint64_t *out)
{
    struct hwl_ck ck = {false};
    uint64_t size = 4 + 4 + 8 + 8;
    for (uint64_t i = 0; i < gguf->n_kv; i++) {
        const struct hwl_gguf_kv *kv = &gguf->kv[i];
        const uint64_t value = kv->type == HWL_GGUF_STRING  ? hwl_ck_add(&ck, 8, kv->value.str.n)
                               : kv->type == HWL_GGUF_ARRAY ? hwl_ck_add(&ck, 4 + 8, kv->array_bytes)
                                                            : hwl_gguf_scalar_bytes(kv->type);
        size = hwl_ck_add(&ck, size, hwl_ck_add(&ck, 8 + 4 + kv->key.n, value));
    }
    for (uint64_t i = 0; i < gguf->n_tensors; i++)
        size = hwl_ck_add(&ck, size, 8 + gguf->tensors[i].name.n + 4 + 8u * gguf->tensors[i].n_dims + 4 + 8);
    if (gguf->n_tensors) {
        const struct hwl_gguf_tensor *last = &gguf->tensors[gguf->n_tensors - 1];
        size = hwl_ck_align(&ck, size, gguf->alignment);
        size = hwl_ck_add(&ck, size, hwl_ck_align(&ck, hwl_ck_add(&ck, last->offset, last->bytes), gguf->alignment));
    }
    if (ck.overflow)
        return HWL_E_OVERFLOW;
    *out = size;
    return HWL_OK;
}
