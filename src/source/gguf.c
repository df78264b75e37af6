/* SPDX-License-Identifier: Apache-2.0 */
/* The header of one GGUF file: versions 1 to 3 in either byte order. Nothing is copied; nothing is allocated for a count
 * that the file has not the bytes for. The layout is that of docs/gguf.md and ggml/src/gguf.cpp of ggml. */
#include "source/gguf_private.h"

#include "base/progress.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

struct reader {
    const unsigned char *data;
    uint64_t size, pos;
    uint64_t file_size;
    const char *file;
    unsigned count_bytes; /* of lengths, counts and dimensions: 4 in version 1 */
    bool swap;            /* the file's byte order is big-endian */
    uint32_t version;
    char what[128]; /* key or tensor that is being read, printable */
    hwl_error *error;
};

#define FAIL(r, status, at, ...) hwl_fail_at((r)->error, status, (r)->file, at, (r)->what, __VA_ARGS__)

/* Makes a name printable for messages. */
static void name_it(struct reader *r, struct hwl_str s)
{
    size_t n = 0;
    for (; n < s.n && n + 1 < sizeof r->what; n++)
        r->what[n] = (char)(s.p[n] > 0x20 && s.p[n] < 0x7f ? s.p[n] : '?');
    r->what[n] = '\0';
}

static uint64_t left(const struct reader *r)
{
    return r->size - r->pos;
}

static hwl_status ends_early(struct reader *r)
{
    return FAIL(r, HWL_E_FORMAT, r->size, "GGUF header ends early: the file is truncated");
}

static hwl_status number(struct reader *r, unsigned bytes, uint64_t *out)
{
    if (left(r) < bytes)
        return ends_early(r);
    *out = hwl_gguf_load(r->data + r->pos, bytes, r->swap);
    r->pos += bytes;
    return HWL_OK;
}

static hwl_status string(struct reader *r, struct hwl_str *out)
{
    const uint64_t at = r->pos;
    uint64_t n;
    HWL_TRY(number(r, r->count_bytes, &n));
    if (n > left(r))
        return FAIL(r, HWL_E_FORMAT, at, "string of %llu bytes where the file has %llu left", (unsigned long long)n,
                    (unsigned long long)left(r));
    *out = (struct hwl_str){(const char *)r->data + r->pos, n};
    r->pos += n;
    return HWL_OK;
}

/* Steps over n strings: a vocabulary costs one look at each length. */
static hwl_status skip_strings(struct reader *r, uint64_t n)
{
    if (r->count_bytes == 8 && !r->swap) { /* the common form, kept in registers */
        const unsigned char *const data = r->data;
        const uint64_t size = r->size;
        uint64_t pos = r->pos, i = 0;
        for (; i < n && size - pos >= 8; i++) {
            const uint64_t length = hwl_gguf_load(data + pos, 8, false);
            if (length > size - pos - 8)
                break;
            pos += 8 + length;
        }
        r->pos = pos;
        n -= i; /* what is left over fails below */
    }
    struct hwl_str s;
    for (; n; n--)
        HWL_TRY(string(r, &s));
    return HWL_OK;
}

static hwl_status array(struct reader *r, unsigned depth, struct hwl_gguf_kv *out)
{
    const uint64_t at = r->pos;
    uint64_t type, n;
    HWL_TRY(number(r, 4, &type));
    HWL_TRY(number(r, r->count_bytes, &n));
    if (type > HWL_GGUF_F64)
        return FAIL(r, HWL_E_UNSUPPORTED, at, "unsupported type %llu of array elements", (unsigned long long)type);
    const uint64_t fixed = hwl_gguf_scalar_bytes((unsigned)type);
    const uint64_t least = fixed ? fixed : type == HWL_GGUF_STRING ? r->count_bytes : 4 + r->count_bytes;
    if (n > left(r) / least)
        return FAIL(r, HWL_E_FORMAT, at, "array of %llu elements where the file has %llu bytes left", (unsigned long long)n,
                    (unsigned long long)left(r));
    const uint64_t start = r->pos;
    if (fixed) {
        r->pos += n * fixed;
    } else if (type == HWL_GGUF_STRING) {
        HWL_TRY(skip_strings(r, n));
    } else {
        if (depth >= HWL_GGUF_MAX_DEPTH)
            return FAIL(r, HWL_E_LIMIT, at, "arrays nested deeper than %u levels", HWL_GGUF_MAX_DEPTH);
        struct hwl_gguf_kv inner;
        for (uint64_t i = 0; i < n; i++)
            HWL_TRY(array(r, depth + 1, &inner));
    }
    out->type = HWL_GGUF_ARRAY;
    out->element_type = (uint8_t)type;
    out->big_endian = r->swap;
    out->n = n;
    out->array = r->data + start;
    out->array_bytes = r->pos - start;
    return HWL_OK;
}

static hwl_status value(struct reader *r, struct hwl_gguf_kv *out)
{
    const uint64_t at = r->pos;
    uint64_t type;
    HWL_TRY(number(r, 4, &type));
    if (type == HWL_GGUF_STRING) {
        out->type = HWL_GGUF_STRING;
        return string(r, &out->value.str);
    }
    if (type == HWL_GGUF_ARRAY)
        return array(r, 1, out);
    const unsigned bytes = type <= HWL_GGUF_F64 ? hwl_gguf_scalar_bytes((unsigned)type) : 0;
    if (!bytes)
        return FAIL(r, HWL_E_UNSUPPORTED, at, "unsupported metadata type %llu", (unsigned long long)type);
    if (left(r) < bytes)
        return ends_early(r);
    hwl_gguf_scalar(out, (unsigned)type, r->data + r->pos, r->swap);
    r->pos += bytes;
    return HWL_OK;
}

static hwl_status no_memory(struct reader *r)
{
    return FAIL(r, HWL_E_NOMEM, HWL_NO_OFFSET, "out of memory");
}

/* Turns an insertion into the index into a status. */
static hwl_status inserted(struct reader *r, enum hwl_gguf_insert how, uint64_t at, const char *what)
{
    switch (how) {
    case HWL_GGUF_INSERTED:
        return HWL_OK;
    case HWL_GGUF_PRESENT:
        return FAIL(r, HWL_E_FORMAT, at, "duplicate %s", what);
    case HWL_GGUF_CROWDED:
        return FAIL(r, HWL_E_LIMIT, at, "too many %ss that hash alike", what);
    case HWL_GGUF_INSERT_NOMEM:
    default:
        return no_memory(r);
    }
}

/* Metadata is the first half of a file, tensors the second; of a split set each file is as long. A vocabulary is one entry, stepped
 * over in some milliseconds. */
static hwl_status tell(struct reader *r, const struct hwl_gguf *gguf, uint16_t split, uint64_t i, uint64_t n, bool tensors)
{
    enum { HALF = 1000 };
    return hwl_progress_step(gguf->progress, ((uint64_t)split * 2 + tensors) * HALF + (n ? i * HALF / n : 0), (uint64_t)gguf->n_splits * 2 * HALF,
                             r->error);
}

static hwl_status read_kv(struct reader *r, struct hwl_gguf *gguf, uint64_t n, uint16_t split, struct hwl_arena *arena)
{
    for (uint64_t i = 0; i < n; i++) {
        HWL_TRY(tell(r, gguf, split, i, n, false));
        struct hwl_gguf_kv *grown = hwl_arena_grow(arena, gguf->kv, &gguf->cap_kv, i + 1, sizeof *grown);
        if (!grown)
            return no_memory(r);
        gguf->kv = grown;
        struct hwl_gguf_kv *kv = &grown[i];
        *kv = (struct hwl_gguf_kv){.offset = r->pos};
        (void)snprintf(r->what, sizeof r->what, "metadata entry %llu", (unsigned long long)i);
        HWL_TRY(string(r, &kv->key));
        if (kv->key.n == 0 || kv->key.n > HWL_GGUF_MAX_KEY)
            return FAIL(r, HWL_E_FORMAT, kv->offset, "key of %llu bytes", (unsigned long long)kv->key.n);
        name_it(r, kv->key);
        HWL_TRY(value(r, kv));
        HWL_TRY(inserted(r, hwl_gguf_index_add(&gguf->keys, arena, grown, sizeof *grown, (uint32_t)i), kv->offset, "key"));
        gguf->n_kv = i + 1;
    }
    r->what[0] = '\0';
    return HWL_OK;
}

static hwl_status read_alignment(struct reader *r, struct hwl_gguf *gguf)
{
    gguf->alignment = HWL_GGUF_ALIGNMENT;
    const struct hwl_gguf_kv *kv = hwl_gguf_get(gguf, "general.alignment");
    if (!kv)
        return HWL_OK;
    uint64_t a;
    name_it(r, kv->key);
    if (!hwl_gguf_u64(gguf, "general.alignment", &a))
        return FAIL(r, HWL_E_FORMAT, kv->offset, "not an unsigned integer");
    if (a == 0 || (a & (a - 1)) != 0)
        return FAIL(r, HWL_E_FORMAT, kv->offset, "alignment %llu is no power of two", (unsigned long long)a);
    gguf->alignment = a;
    r->what[0] = '\0';
    return HWL_OK;
}

static hwl_status tensor_type(struct reader *r, uint64_t type, uint64_t at, uint16_t *out)
{
    const enum hwl_dtype dtype = hwl_dtype_of_ggml(type);
    const char *removed = hwl_dtype_removed(type);
    if (removed)
        return FAIL(r, HWL_E_UNSUPPORTED, at, "unsupported tensor type %llu (%s, which llama.cpp has removed: quantise anew)",
                    (unsigned long long)type, removed);
    if (dtype == HWL_DTYPE_NONE)
        return FAIL(r, HWL_E_UNSUPPORTED, at, "unsupported tensor type %llu", (unsigned long long)type);
    *out = (uint16_t)dtype;
    return HWL_OK;
}

static hwl_status tensor_bytes(struct reader *r, struct hwl_gguf_tensor *t, uint64_t at)
{
    const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)t->dtype);
    struct hwl_ck ck = {false};
    const uint64_t rows = hwl_ck_mul3(&ck, t->dims[1], t->dims[2], t->dims[3]);
    const uint64_t elements = hwl_ck_mul(&ck, rows, t->dims[0]);
    if (t->dims[0] % d->block != 0)
        return FAIL(r, HWL_E_FORMAT, at, "rows of %llu elements are no multiple of the %u of a block of %s",
                    (unsigned long long)t->dims[0], d->block, d->name);
    uint64_t row = 0;
    if (!hwl_dtype_row((enum hwl_dtype)t->dtype, t->dims[0], &row))
        ck.overflow = true;
    t->bytes = hwl_ck_mul(&ck, row, rows);
    if (ck.overflow || elements > INT64_MAX)
        return FAIL(r, HWL_E_OVERFLOW, at, "tensor larger than 64 bits can count");
    return HWL_OK;
}

static hwl_status read_tensor(struct reader *r, const struct hwl_gguf *gguf, struct hwl_gguf_tensor *t)
{
    const uint64_t at = r->pos;
    HWL_TRY(string(r, &t->name));
    if (t->name.n == 0 || t->name.n > HWL_GGUF_MAX_NAME)
        return FAIL(r, HWL_E_FORMAT, at, "tensor name of %llu bytes", (unsigned long long)t->name.n);
    name_it(r, t->name);
    uint64_t n, type;
    HWL_TRY(number(r, 4, &n));
    if (n > 4)
        return FAIL(r, HWL_E_FORMAT, r->pos - 4, "tensor of %llu dimensions, 4 at most", (unsigned long long)n);
    t->n_dims = (uint8_t)n;
    for (unsigned i = 0; i < 4; i++) {
        t->dims[i] = 1;
        if (i < n)
            HWL_TRY(number(r, r->count_bytes, &t->dims[i]));
        if (t->dims[i] > INT64_MAX)
            return FAIL(r, HWL_E_FORMAT, r->pos - r->count_bytes, "dimension %u is negative", i);
    }
    HWL_TRY(number(r, 4, &type));
    HWL_TRY(tensor_type(r, type, r->pos - 4, &t->dtype));
    HWL_TRY(tensor_bytes(r, t, at));
    HWL_TRY(number(r, 8, &t->offset));
    if (t->offset % gguf->alignment != 0)
        return FAIL(r, HWL_E_FORMAT, r->pos - 8, "tensor offset %llu is no multiple of the alignment %llu", (unsigned long long)t->offset,
                    (unsigned long long)gguf->alignment);
    return HWL_OK;
}

static hwl_status read_tensors(struct reader *r, struct hwl_gguf *gguf, uint64_t n, uint16_t split, struct hwl_arena *arena)
{
    for (uint64_t i = 0; i < n; i++) {
        if (i % 64 == 0)
            HWL_TRY(tell(r, gguf, split, i, n, true));
        const uint64_t k = gguf->n_tensors;
        struct hwl_gguf_tensor *grown = hwl_arena_grow(arena, gguf->tensors, &gguf->cap_tensors, k + 1, sizeof *grown);
        if (!grown)
            return no_memory(r);
        gguf->tensors = grown;
        grown[k] = (struct hwl_gguf_tensor){.split = split};
        const uint64_t at = r->pos;
        (void)snprintf(r->what, sizeof r->what, "tensor %llu", (unsigned long long)i);
        HWL_TRY(read_tensor(r, gguf, &grown[k]));
        HWL_TRY(inserted(r, hwl_gguf_index_add(&gguf->names, arena, grown, sizeof *grown, (uint32_t)k), at, "tensor name"));
        gguf->n_tensors++;
    }
    r->what[0] = '\0';
    return HWL_OK;
}

static int by_offset(const void *x, const void *y)
{
    const struct hwl_gguf_tensor *const a = *(const struct hwl_gguf_tensor *const *)x;
    const struct hwl_gguf_tensor *const b = *(const struct hwl_gguf_tensor *const *)y;
    return a->offset != b->offset ? (a->offset < b->offset ? -1 : 1) : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static hwl_status overlap(struct reader *r, const struct hwl_gguf_tensor *a, const struct hwl_gguf_tensor *b)
{
    name_it(r, b->name);
    return FAIL(r, HWL_E_FORMAT, HWL_NO_OFFSET, "data of tensor %.*s overlaps the tensor's", (int)hwl_min(a->name.n, 100), a->name.p);
}

/* Each tensor of this file lies in the data section, none on another. Files are written in order; others are sorted. */
static hwl_status check_data(struct reader *r, struct hwl_gguf *gguf, uint64_t first, uint64_t data_offset)
{
    const struct hwl_gguf_tensor *const t = gguf->tensors;
    bool in_order = true;
    uint64_t end = 0;
    for (uint64_t i = first; i < gguf->n_tensors; i++) {
        uint64_t stop = 0, absolute = UINT64_MAX;
        const bool counts = hwl_add(&stop, t[i].offset, t[i].bytes) && hwl_add(&absolute, stop, data_offset);
        if (!counts || absolute > r->file_size)
            name_it(r, t[i].name);
        if (!counts)
            return FAIL(r, HWL_E_OVERFLOW, HWL_NO_OFFSET, "tensor offset %llu overflows", (unsigned long long)t[i].offset);
        if (absolute > r->file_size)
            return FAIL(r, HWL_E_FORMAT, HWL_NO_OFFSET, "tensor data ends at byte %llu of a file of %llu: the file is truncated",
                        (unsigned long long)absolute, (unsigned long long)r->file_size);
        in_order = in_order && t[i].offset >= end;
        end = hwl_max(end, stop);
    }
    if (in_order)
        return HWL_OK;
    const uint64_t n = gguf->n_tensors - first;
    const struct hwl_gguf_tensor **order = malloc((size_t)n * sizeof *order);
    if (!order)
        return no_memory(r);
    for (uint64_t i = 0; i < n; i++)
        order[i] = &t[first + i];
    qsort(order, (size_t)n, sizeof *order, by_offset);
    hwl_status status = HWL_OK;
    const struct hwl_gguf_tensor *last = NULL; /* with data */
    for (uint64_t i = 0; i < n && status == HWL_OK; i++) {
        if (!order[i]->bytes)
            continue;
        if (last && order[i]->offset < last->offset + last->bytes)
            status = overlap(r, last, order[i]);
        last = order[i];
    }
    free(order);
    return status;
}

static hwl_status read_magic(struct reader *r)
{
    static const char *const old[] = {"ggml", "ggmf", "ggjt", "ggla", "lmgg", "fmgg", "tjgg", "algg"};
    if (r->size >= 4)
        for (size_t i = 0; i < sizeof old / sizeof *old; i++)
            if (memcmp(r->data, old[i], 4) == 0)
                return FAIL(r, HWL_E_UNSUPPORTED, 0, "a GGML file of before GGUF (August 2023): convert it anew");
    if (r->size < 4 || memcmp(r->data, "GGUF", 4) != 0)
        return FAIL(r, HWL_E_FORMAT, 0, "not a GGUF file: it does not begin with GGUF");
    r->pos = 4;
    uint64_t version;
    HWL_TRY(number(r, 4, &version));
    if ((version & 0xffff) == 0) { /* as ggml tells a foreign byte order */
        r->swap = true;
        version = hwl_gguf_load(r->data + 4, 4, true);
    }
    if (version < 1 || version > 3)
        return FAIL(r, HWL_E_UNSUPPORTED, 4, "unsupported GGUF version %llu (1 to 3 are known)", (unsigned long long)version);
    r->version = (uint32_t)version;
    r->count_bytes = version == 1 ? 4 : 8;
    return HWL_OK;
}

static hwl_status count(struct reader *r, const char *what, uint64_t least, uint64_t limit, uint64_t *out)
{
    const uint64_t at = r->pos;
    HWL_TRY(number(r, r->count_bytes, out));
    if (*out > r->size / least)
        return FAIL(r, HWL_E_FORMAT, at, "%llu %s in a header of at most %llu bytes", (unsigned long long)*out, what,
                    (unsigned long long)r->size);
    if (*out > limit)
        return FAIL(r, HWL_E_LIMIT, at, "%llu %s, more than the %llu that are accepted", (unsigned long long)*out, what,
                    (unsigned long long)limit);
    return HWL_OK;
}

hwl_status hwl_gguf_read(struct hwl_gguf *gguf, const unsigned char *data, uint64_t size, uint64_t file_size, const char *file,
                         uint16_t split, struct hwl_arena *arena, hwl_error *error)
{
    struct reader reader = {.data = data, .size = size, .file_size = file_size, .file = file, .error = error};
    struct reader *const r = &reader;
    HWL_TRY(read_magic(r));
    /* The smallest tensor: name of a byte, no dimensions. The smallest entry: key of a byte, value of a byte. */
    uint64_t n_tensors, n_kv;
    HWL_TRY(count(r, "tensors", r->count_bytes + 1 + 4 + 4 + 8, HWL_GGUF_MAX_TENSORS - gguf->n_tensors, &n_tensors));
    HWL_TRY(count(r, "metadata entries", r->count_bytes + 1 + 4 + 1, HWL_GGUF_MAX_KV, &n_kv));
    HWL_TRY(read_kv(r, gguf, n_kv, split, arena));
    HWL_TRY(read_alignment(r, gguf));
    const uint64_t first = gguf->n_tensors;
    HWL_TRY(read_tensors(r, gguf, n_tensors, split, arena));
    uint64_t data_offset;
    if (!hwl_align_up(&data_offset, r->pos, gguf->alignment))
        return FAIL(r, HWL_E_OVERFLOW, HWL_NO_OFFSET, "alignment %llu overflows", (unsigned long long)gguf->alignment);
    HWL_TRY(check_data(r, gguf, first, data_offset));
    gguf->version = r->version;
    gguf->big_endian = r->swap;
    gguf->data_offset = data_offset;
    return HWL_OK;
}
