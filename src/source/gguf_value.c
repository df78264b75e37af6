/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF metadata by key: the hash index and typed access. */
#include "source/gguf_private.h"

/* A chain this long never happens by chance at half load: the names were made to collide. */
#define MAX_PROBES 1024u

static uint64_t hash(struct hwl_str s)
{
    const uint64_t k = 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio */
    uint64_t h = s.n * k, w;
    const char *p = s.p;
    uint64_t n = s.n;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = (h ^ w) * k;
        h ^= h >> 29;
    }
    w = 0;
    if (n)
        memcpy(&w, p, (size_t)n);
    h = (h ^ w) * k;
    h ^= h >> 32;
    h *= k;
    return h ^ h >> 29;
}

static struct hwl_str text_of(const void *entries, uint64_t stride, uint32_t n)
{
    return *(const struct hwl_str *)(const void *)((const char *)entries + (uint64_t)n * stride);
}

static bool same(struct hwl_str a, struct hwl_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, (size_t)a.n) == 0);
}

/* The slot that holds text, or the empty one where it belongs; NULL after too many probes. */
static uint32_t *slot_of(const struct hwl_gguf_index *index, const void *entries, uint64_t stride, struct hwl_str text)
{
    uint64_t at = hash(text);
    for (unsigned i = 0; i < MAX_PROBES && i < index->n_slots; i++, at++) {
        uint32_t *slot = &index->slots[at & (index->n_slots - 1)];
        if (*slot == 0 || same(text_of(entries, stride, *slot - 1), text))
            return slot;
    }
    return NULL;
}

static enum hwl_gguf_insert enlarge(struct hwl_gguf_index *index, struct hwl_arena *arena, const void *entries, uint64_t stride)
{
    struct hwl_gguf_index bigger = {.n_slots = index->n_slots ? index->n_slots * 2 : 64, .used = index->used};
    bigger.slots = HWL_NEW_ARRAY(arena, uint32_t, bigger.n_slots);
    if (!bigger.slots)
        return HWL_GGUF_INSERT_NOMEM;
    for (uint64_t i = 0; i < index->n_slots; i++) {
        if (!index->slots[i])
            continue;
        uint32_t *slot = slot_of(&bigger, entries, stride, text_of(entries, stride, index->slots[i] - 1));
        if (!slot)
            return HWL_GGUF_CROWDED;
        *slot = index->slots[i];
    }
    *index = bigger;
    return HWL_GGUF_INSERTED;
}

enum hwl_gguf_insert hwl_gguf_index_add(struct hwl_gguf_index *index, struct hwl_arena *arena, const void *entries, uint64_t stride,
                                        uint32_t n)
{
    if (index->used * 2 >= index->n_slots) {
        const enum hwl_gguf_insert grown = enlarge(index, arena, entries, stride);
        if (grown != HWL_GGUF_INSERTED)
            return grown;
    }
    uint32_t *slot = slot_of(index, entries, stride, text_of(entries, stride, n));
    if (!slot)
        return HWL_GGUF_CROWDED;
    if (*slot)
        return HWL_GGUF_PRESENT;
    *slot = n + 1;
    index->used++;
    return HWL_GGUF_INSERTED;
}

uint32_t hwl_gguf_index_find(const struct hwl_gguf_index *index, const void *entries, uint64_t stride, struct hwl_str text)
{
    const uint32_t *slot = index->n_slots ? slot_of(index, entries, stride, text) : NULL;
    return slot && *slot ? *slot - 1 : UINT32_MAX;
}

const struct hwl_gguf_kv *hwl_gguf_get(const struct hwl_gguf *gguf, const char *key)
{
    const uint32_t i = hwl_gguf_index_find(&gguf->keys, gguf->kv, sizeof *gguf->kv, hwl_str_of(key));
    return i == UINT32_MAX ? NULL : &gguf->kv[i];
}

const struct hwl_gguf_tensor *hwl_gguf_find(const struct hwl_gguf *gguf, const char *name)
{
    const uint32_t i = hwl_gguf_index_find(&gguf->names, gguf->tensors, sizeof *gguf->tensors, hwl_str_of(name));
    return i == UINT32_MAX ? NULL : &gguf->tensors[i];
}

void hwl_gguf_scalar(struct hwl_gguf_kv *out, unsigned type, const unsigned char *p, bool big_endian)
{
    const unsigned n = hwl_gguf_scalar_bytes(type);
    const uint64_t v = hwl_gguf_load(p, n, big_endian);
    out->type = (uint8_t)type;
    switch (type) {
    case HWL_GGUF_I8:
        out->value.i64 = (int8_t)v;
        break;
    case HWL_GGUF_I16:
        out->value.i64 = (int16_t)v;
        break;
    case HWL_GGUF_I32:
        out->value.i64 = (int32_t)v;
        break;
    case HWL_GGUF_I64:
        out->value.i64 = (int64_t)v;
        break;
    case HWL_GGUF_F32: {
        const uint32_t bits = (uint32_t)v;
        float f;
        memcpy(&f, &bits, sizeof f);
        out->value.f64 = (double)f;
        break;
    }
    case HWL_GGUF_F64:
        memcpy(&out->value.f64, &v, sizeof v);
        break;
    case HWL_GGUF_BOOL:
        out->value.u64 = v != 0;
        break;
    default:
        out->value.u64 = v;
    }
}

static bool is_signed(unsigned type)
{
    return type == HWL_GGUF_I8 || type == HWL_GGUF_I16 || type == HWL_GGUF_I32 || type == HWL_GGUF_I64;
}

static bool is_float(unsigned type)
{
    return type == HWL_GGUF_F32 || type == HWL_GGUF_F64;
}

static bool as_u64(const struct hwl_gguf_kv *kv, uint64_t *out)
{
    if (!hwl_gguf_scalar_bytes(kv->type) || is_float(kv->type) || (is_signed(kv->type) && kv->value.i64 < 0))
        return false;
    *out = is_signed(kv->type) ? (uint64_t)kv->value.i64 : kv->value.u64;
    return true;
}

static bool as_f64(const struct hwl_gguf_kv *kv, double *out)
{
    if (!hwl_gguf_scalar_bytes(kv->type))
        return false;
    *out = is_float(kv->type) ? kv->value.f64 : is_signed(kv->type) ? (double)kv->value.i64 : (double)kv->value.u64;
    return true;
}

bool hwl_gguf_u64(const struct hwl_gguf *gguf, const char *key, uint64_t *out)
{
    const struct hwl_gguf_kv *kv = hwl_gguf_get(gguf, key);
    return kv && as_u64(kv, out);
}

bool hwl_gguf_f64(const struct hwl_gguf *gguf, const char *key, double *out)
{
    const struct hwl_gguf_kv *kv = hwl_gguf_get(gguf, key);
    return kv && as_f64(kv, out);
}

bool hwl_gguf_str(const struct hwl_gguf *gguf, const char *key, struct hwl_str *out)
{
    const struct hwl_gguf_kv *kv = hwl_gguf_get(gguf, key);
    if (!kv || kv->type != HWL_GGUF_STRING)
        return false;
    *out = kv->value.str;
    return true;
}

/* The scalar at key, or element i of the array there. */
static bool element(const struct hwl_gguf *gguf, const char *key, uint64_t i, struct hwl_gguf_kv *out)
{
    const struct hwl_gguf_kv *kv = hwl_gguf_get(gguf, key);
    if (!kv)
        return false;
    if (kv->type != HWL_GGUF_ARRAY) {
        *out = *kv;
        return true;
    }
    const unsigned bytes = hwl_gguf_scalar_bytes(kv->element_type);
    if (!bytes || i >= kv->n)
        return false;
    hwl_gguf_scalar(out, kv->element_type, kv->array + i * bytes, kv->big_endian);
    return true;
}

bool hwl_gguf_array_u64(const struct hwl_gguf *gguf, const char *key, uint64_t i, uint64_t *out)
{
    struct hwl_gguf_kv kv;
    return element(gguf, key, i, &kv) && as_u64(&kv, out);
}

bool hwl_gguf_array_f64(const struct hwl_gguf *gguf, const char *key, uint64_t i, double *out)
{
    struct hwl_gguf_kv kv;
    return element(gguf, key, i, &kv) && as_f64(&kv, out);
}

uint64_t hwl_gguf_array_n(const struct hwl_gguf *gguf, const char *key)
{
    const struct hwl_gguf_kv *kv = hwl_gguf_get(gguf, key);
    return kv && kv->type == HWL_GGUF_ARRAY ? kv->n : 0;
}
