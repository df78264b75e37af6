/* SPDX-License-Identifier: Apache-2.0 */
/* Safetensors headers: eight bytes of length, a JSON object of tensors, data. Read strictly: a header that lies is one error. */
#include "source/safetensors.h"

#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/status.h"
#include "source/dtype.h"
#include "source/name_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 8192u
#define NAME_MAX_BYTES 1024u

/* What the checks of one file need. */
struct header {
    const char *file;
    uint64_t data_size;
    hwl_error *error;
    struct hwl_str last_name; /* of the type read before: most tensors have the same */
    enum hwl_dtype last;
};

static hwl_status bad(const struct header *h, yyjson_val *key, const char *what)
{
    return hwl_fail_at(h->error, HWL_E_FORMAT, h->file, HWL_NO_OFFSET, yyjson_get_str(key), "%s", what);
}

static bool key_is(yyjson_val *key, const char *name, size_t n)
{
    return yyjson_get_len(key) == n && memcmp(yyjson_get_str(key), name, n) == 0;
}

static hwl_status read_shape(const struct header *h, yyjson_val *key, yyjson_val *shape, struct hwl_st_tensor *t)
{
    if (!yyjson_is_arr(shape))
        return bad(h, key, "shape is no array");
    if (yyjson_arr_size(shape) > HWL_ST_DIMS)
        return hwl_fail_at(h->error, HWL_E_LIMIT, h->file, HWL_NO_OFFSET, yyjson_get_str(key), "more than %d dimensions", HWL_ST_DIMS);
    yyjson_arr_iter it;
    yyjson_arr_iter_init(shape, &it);
    uint64_t elements = 1;
    for (yyjson_val *d; (d = yyjson_arr_iter_next(&it));) {
        if (!yyjson_is_uint(d))
            return bad(h, key, "a dimension is no whole number");
        t->dims[t->n_dims++] = yyjson_get_uint(d);
        if (!hwl_mul(&elements, elements, yyjson_get_uint(d)))
            return hwl_fail_at(h->error, HWL_E_OVERFLOW, h->file, HWL_NO_OFFSET, yyjson_get_str(key), "the shape overflows 64 bits");
    }
    t->elements = elements;
    return HWL_OK;
}

static hwl_status read_tensor(struct header *h, yyjson_val *key, struct hwl_st_tensor *t)
{
    yyjson_val *obj = yyjson_obj_iter_get_val(key), *dtype = NULL, *shape = NULL, *offsets = NULL;
    if (!yyjson_is_obj(obj))
        return bad(h, key, "no object");
    size_t i, n;
    yyjson_val *k, *v;
    yyjson_obj_foreach(obj, i, n, k, v)
    {
        yyjson_val **slot = key_is(k, "dtype", 5) ? &dtype
                            : key_is(k, "shape", 5) ? &shape
                            : key_is(k, "data_offsets", 12) ? &offsets
                                                            : NULL;
        if (slot && *slot)
            return bad(h, key, "dtype, shape or data_offsets stands there twice");
        if (slot)
            *slot = v;
    }
    if (!dtype || !shape || !offsets)
        return bad(h, key, "dtype, shape or data_offsets is missing");
    t->name = (struct hwl_str){yyjson_get_str(key), yyjson_get_len(key)};
    if (t->name.n > NAME_MAX_BYTES)
        return hwl_fail_at(h->error, HWL_E_LIMIT, h->file, HWL_NO_OFFSET, t->name.p, "a tensor name of %llu bytes",
                           (unsigned long long)t->name.n);
    if (memchr(t->name.p, 0, (size_t)t->name.n))
        return bad(h, key, "a tensor name with a NUL byte in it");
    if (!yyjson_is_str(dtype))
        return bad(h, key, "dtype is no string");
    const struct hwl_str type = {yyjson_get_str(dtype), yyjson_get_len(dtype)};
    if (type.n != h->last_name.n || memcmp(type.p, h->last_name.p, (size_t)type.n) != 0) {
        h->last = hwl_dtype_of_safetensors(type);
        h->last_name = type;
    }
    t->dtype = (uint16_t)h->last;
    if (t->dtype == HWL_DTYPE_NONE)
        return hwl_fail_at(h->error, HWL_E_UNSUPPORTED, h->file, HWL_NO_OFFSET, yyjson_get_str(key), "unknown type \"%.40s\"",
                           yyjson_get_str(dtype));
    HWL_TRY(read_shape(h, key, shape, t));
    if (!yyjson_is_arr(offsets) || yyjson_arr_size(offsets) != 2)
        return bad(h, key, "data_offsets is no pair");
    yyjson_val *first = yyjson_arr_get_first(offsets), *second = yyjson_arr_get_last(offsets);
    if (!yyjson_is_uint(first) || !yyjson_is_uint(second))
        return bad(h, key, "an offset is no whole number");
    uint64_t begin = yyjson_get_uint(first), end = yyjson_get_uint(second), want;
    if (begin > end)
        return bad(h, key, "the data ends before it begins");
    if (end > h->data_size)
        return hwl_fail_at(h->error, HWL_E_FORMAT, h->file, HWL_NO_OFFSET, yyjson_get_str(key),
                           "the data ends at byte %llu, the file holds %llu bytes of data: cut off?", (unsigned long long)end,
                           (unsigned long long)h->data_size);
    if (!hwl_dtype_row((enum hwl_dtype)t->dtype, t->elements, &want))
        return bad(h, key, "the shape is no whole number of bytes");
    if (want != end - begin)
        return hwl_fail_at(h->error, HWL_E_FORMAT, h->file, HWL_NO_OFFSET, yyjson_get_str(key),
                           "%llu bytes of data, shape and type need %llu", (unsigned long long)(end - begin), (unsigned long long)want);
    t->offset = begin;
    t->bytes = want;
    return HWL_OK;
}

static int by_offset(const void *a, const void *b)
{
    const struct hwl_st_tensor *x = *(const struct hwl_st_tensor *const *)a, *y = *(const struct hwl_st_tensor *const *)b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->bytes != y->bytes ? (x->bytes < y->bytes ? -1 : 1) : 0;
}

static bool in_order(const struct hwl_st_tensor *t, uint64_t n)
{
    uint64_t at = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (t[i].offset != at)
            return false;
        at += t[i].bytes;
    }
    return true;
}

/* The tensors must fill the data from 0 on, one behind the other, in whatever order they are listed. */
static hwl_status check_cover(const struct header *h, const struct hwl_st_tensor *t, uint64_t n)
{
    uint64_t at = 0;
    if (in_order(t, n)) {
        at = n ? t[n - 1].offset + t[n - 1].bytes : 0;
    } else {
        const struct hwl_st_tensor **order = malloc((size_t)n * sizeof *order);
        if (!order)
            return hwl_fail_at(h->error, HWL_E_NOMEM, h->file, HWL_NO_OFFSET, "", "out of memory");
        for (uint64_t i = 0; i < n; i++)
            order[i] = &t[i];
        qsort(order, (size_t)n, sizeof *order, by_offset);
        const struct hwl_st_tensor *wrong = NULL;
        for (uint64_t i = 0; i < n && !wrong; i++) {
            if (order[i]->offset != at)
                wrong = order[i];
            else
                at += order[i]->bytes;
        }
        free((void *)order);
        if (wrong)
            return hwl_fail_at(h->error, HWL_E_FORMAT, h->file, HWL_NO_OFFSET, wrong->name.p,
                               "the data begins at byte %llu, the tensor before it ends at %llu: %s", (unsigned long long)wrong->offset,
                               (unsigned long long)at, wrong->offset < at ? "they overlap" : "there is a hole");
    }
    if (at != h->data_size)
        return hwl_fail_at(h->error, HWL_E_FORMAT, h->file, HWL_NO_OFFSET, "", "the tensors end at byte %llu of %llu bytes of data",
                           (unsigned long long)at, (unsigned long long)h->data_size);
    return HWL_OK;
}

static hwl_status nomem(const char *file, hwl_error *error)
{
    return hwl_fail_at(error, HWL_E_NOMEM, file, HWL_NO_OFFSET, "", "out of memory");
}

static hwl_status add_doc(struct hwl_safetensors *st, struct hwl_arena *arena, yyjson_doc *doc, const char *file, hwl_error *error)
{
    void **docs = hwl_arena_grow(arena, (void *)st->docs, &st->cap_docs, st->n_docs + 1, sizeof *docs);
    if (!docs) {
        yyjson_doc_free(doc);
        return nomem(file, error);
    }
    st->docs = docs;
    st->docs[st->n_docs++] = doc;
    return HWL_OK;
}

/* Appends the tensors of one header to st. */
static hwl_status add_header(struct hwl_safetensors *st, const unsigned char *data, uint64_t size, uint64_t file_size, const char *name,
                             struct hwl_arena *arena, hwl_error *error)
{
    if (size < 8)
        return hwl_fail_at(error, HWL_E_FORMAT, name, 0, "", "%llu bytes are no safetensors file", (unsigned long long)size);
    uint64_t length = 0;
    for (unsigned i = 0; i < 8; i++)
        length |= (uint64_t)data[i] << 8 * i;
    if (length > HWL_ST_HEADER_MAX)
        return hwl_fail_at(error, HWL_E_LIMIT, name, 0, "", "a header of %llu bytes (the format allows %llu): no safetensors file?",
                           (unsigned long long)length, (unsigned long long)HWL_ST_HEADER_MAX);
    if (length > size - 8)
        return hwl_fail_at(error, HWL_E_FORMAT, name, 0, "", "a header of %llu bytes in a file of %llu: cut off?",
                           (unsigned long long)length, (unsigned long long)file_size);
    if (length < 2 || data[8] != '{')
        return hwl_fail_at(error, HWL_E_FORMAT, name, 8, "", "the header is no JSON object");
    yyjson_doc *doc;
    hwl_status status = hwl_json_parse((const char *)data + 8, length, 0, name, &doc, error); /* names are checked below, by hash */
    if (status != HWL_OK) {
        if (error && error->offset != HWL_NO_OFFSET)
            error->offset += 8;
        return status;
    }
    HWL_TRY(add_doc(st, arena, doc, name, error));
    yyjson_val *root = yyjson_doc_get_root(doc);
    uint64_t n = yyjson_obj_size(root), first = st->n_tensors;
    struct hwl_st_tensor *t = hwl_arena_grow(arena, st->tensors, &st->cap_tensors, first + n, sizeof *t);
    struct hwl_st_file *files = hwl_arena_grow(arena, st->files, &st->cap_files, st->n_files + 1, sizeof *files);
    if (!t || !files)
        return nomem(name, error);
    st->tensors = t;
    st->files = files;
    struct header h = {name, file_size - 8 - length, error, {"", 0}, HWL_DTYPE_NONE};
    struct hwl_name_map names;
    if (!hwl_name_map_init(&names, arena, n))
        return nomem(name, error);
    bool added;
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(root, i, max, key, val)
    {
        (void)val;
        if (key_is(key, "__metadata__", 12))
            continue;
        struct hwl_st_tensor *e = &st->tensors[st->n_tensors];
        memset(e, 0, sizeof *e);
        HWL_TRY(read_tensor(&h, key, e));
        if (hwl_name_map_put(&names, e->name, 0, &added) == HWL_NAME_NONE)
            return hwl_fail_at(error, HWL_E_LIMIT, name, HWL_NO_OFFSET, e->name.p, "the tensor names collide");
        if (!added)
            return bad(&h, key, "the tensor stands there twice");
        e->file = (uint16_t)st->n_files;
        st->n_tensors++;
        st->bytes += e->bytes;
    }
    const char *path = hwl_arena_str(arena, name);
    if (!path)
        return nomem(name, error);
    st->files[st->n_files++] = (struct hwl_st_file){path, file_size, 8 + length};
    return check_cover(&h, st->tensors + first, st->n_tensors - first);
}

static hwl_status add_file(struct hwl_safetensors *st, const char *path, struct hwl_arena *arena, hwl_error *error)
{
    struct hwl_file file;
    HWL_TRY(hwl_file_open(&file, path, error));
    hwl_status status = add_header(st, file.data, file.size, file.size, path, arena, error);
    hwl_file_close(&file);
    return status;
}

static hwl_status index_names(yyjson_val *map, const char *path, struct hwl_arena *arena, struct hwl_name_map *files, const char ***names,
                              uint64_t *n, hwl_error *error)
{
    if (!yyjson_is_obj(map))
        return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "weight_map", "no object of names and files");
    if (!hwl_name_map_init(files, arena, FILES_MAX))
        return nomem(path, error);
    uint64_t cap = 0;
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(map, i, max, key, val)
    {
        const char *s = yyjson_get_str(val);
        if (!s || !*s || strlen(s) != yyjson_get_len(val) || strchr(s, '/') || strchr(s, '\\') || s[0] == '.')
            return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, yyjson_get_str(key), "no plain file name");
        bool added;
        uint32_t at = hwl_name_map_put(files, (struct hwl_str){s, yyjson_get_len(val)}, (uint32_t)*n, &added);
        if (at == HWL_NAME_NONE)
            return hwl_fail_at(error, HWL_E_LIMIT, path, HWL_NO_OFFSET, "weight_map", "more than %u files", FILES_MAX);
        if (!added)
            continue;
        const char **grown = hwl_arena_grow(arena, (void *)*names, &cap, *n + 1, sizeof *grown);
        const char *copy = hwl_arena_str(arena, s);
        if (!grown || !copy)
            return nomem(path, error);
        *names = grown;
        grown[(*n)++] = copy;
    }
    if (!*n)
        return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "weight_map", "no tensor in it");
    return HWL_OK;
}

static hwl_status parse_index(const char *path, yyjson_doc **doc, hwl_error *error)
{
    char *text;
    uint64_t n;
    HWL_TRY(hwl_file_read(path, HWL_ST_HEADER_MAX, &text, &n, error));
    hwl_status status = hwl_json_parse(text, n, HWL_JSON_DUPLICATES_REFUSED, path, doc, error);
    free(text);
    return status;
}

hwl_status hwl_safetensors_index_files(const char *path, struct hwl_arena *arena, const char *const **names, uint64_t *n,
                                       uint64_t *total_size, hwl_error *error)
{
    yyjson_doc *doc;
    HWL_TRY(parse_index(path, &doc, error));
    struct hwl_name_map files;
    const char **list = NULL;
    uint64_t count = 0;
    yyjson_val *root = yyjson_doc_get_root(doc);
    hwl_status status = index_names(hwl_json_get(root, "weight_map"), path, arena, &files, &list, &count, error);
    if (status == HWL_OK) {
        *total_size = yyjson_get_uint(hwl_json_get(hwl_json_get(root, "metadata"), "total_size"));
        *names = (const char *const *)list;
        *n = count;
    }
    yyjson_doc_free(doc);
    return status;
}

/* Keeps the tensors that the map gives to the file they stand in, or does not name at all; each named one must be there. */
static hwl_status apply_map(struct hwl_safetensors *st, yyjson_val *map, const struct hwl_name_map *files, const char *path,
                            struct hwl_arena *arena, hwl_error *error)
{
    struct hwl_name_map where; /* tensor name to file number */
    if (!hwl_name_map_init(&where, arena, yyjson_obj_size(map)))
        return nomem(path, error);
    size_t i, max;
    yyjson_val *key, *val;
    bool added;
    yyjson_obj_foreach(map, i, max, key, val)
    {
        uint32_t file = hwl_name_map_get(files, (struct hwl_str){yyjson_get_str(val), yyjson_get_len(val)});
        if (hwl_name_map_put(&where, (struct hwl_str){yyjson_get_str(key), yyjson_get_len(key)}, file, &added) == HWL_NAME_NONE)
            return hwl_fail_at(error, HWL_E_LIMIT, path, HWL_NO_OFFSET, "weight_map", "the tensor names collide");
    }
    struct hwl_name_map found;
    if (!hwl_name_map_init(&found, arena, st->n_tensors))
        return nomem(path, error);
    uint64_t kept = 0, named = 0;
    st->bytes = 0;
    for (uint64_t k = 0; k < st->n_tensors; k++) {
        uint32_t file = hwl_name_map_get(&where, st->tensors[k].name);
        if (file != HWL_NAME_NONE && file != st->tensors[k].file)
            continue;
        if (hwl_name_map_put(&found, st->tensors[k].name, 0, &added) == HWL_NAME_NONE || !added)
            return hwl_fail_at(error, HWL_E_FORMAT, st->files[st->tensors[k].file].path, HWL_NO_OFFSET, st->tensors[k].name.p,
                               "the tensor stands in two files");
        named += file != HWL_NAME_NONE;
        st->tensors[kept] = st->tensors[k];
        st->bytes += st->tensors[kept++].bytes;
    }
    st->n_tensors = kept;
    if (named == yyjson_obj_size(map))
        return HWL_OK;
    yyjson_obj_foreach(map, i, max, key, val)
    {
        if (hwl_name_map_get(&found, (struct hwl_str){yyjson_get_str(key), yyjson_get_len(key)}) == HWL_NAME_NONE)
            return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, yyjson_get_str(key), "not in %s, where the index says it is",
                               yyjson_get_str(val));
    }
    return HWL_OK;
}

static hwl_status open_index(struct hwl_safetensors *st, const char *path, struct hwl_arena *arena, hwl_error *error)
{
    yyjson_doc *doc;
    HWL_TRY(parse_index(path, &doc, error));
    HWL_TRY(add_doc(st, arena, doc, path, error));
    yyjson_val *map = hwl_json_get(yyjson_doc_get_root(doc), "weight_map");
    struct hwl_name_map files;
    const char **names = NULL;
    uint64_t n = 0;
    HWL_TRY(index_names(map, path, arena, &files, &names, &n, error));
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path + 1) : 0;
    for (uint64_t i = 0; i < n; i++) {
        const char *full = hwl_arena_printf(arena, "%.*s%s", folder, path, names[i]);
        if (!full)
            return nomem(path, error);
        HWL_TRY(hwl_progress_step(st->progress, i, n, error));
        HWL_TRY(add_file(st, full, arena, error));
    }
    return apply_map(st, map, &files, path, arena, error);
}

static hwl_status finish(struct hwl_safetensors *st, hwl_status status, struct hwl_safetensors **out)
{
    st->progress = NULL;
    if (status == HWL_OK)
        *out = st;
    else
        hwl_safetensors_close(st);
    return status;
}

hwl_status hwl_safetensors_open(const char *path, const struct hwl_progress *progress, struct hwl_arena *arena, struct hwl_safetensors **out,
                                hwl_error *error)
{
    if (!hwl_str_ends(hwl_str_of(path), ".json"))
        return hwl_safetensors_open_files(&path, 1, progress, arena, out, error);
    struct hwl_safetensors *st = HWL_NEW(arena, struct hwl_safetensors);
    if (st)
        st->progress = progress;
    return st ? finish(st, open_index(st, path, arena, error), out) : nomem(path, error);
}

hwl_status hwl_safetensors_open_files(const char *const *paths, uint64_t n, const struct hwl_progress *progress, struct hwl_arena *arena,
                                      struct hwl_safetensors **out, hwl_error *error)
{
    struct hwl_safetensors *st = HWL_NEW(arena, struct hwl_safetensors);
    if (!st)
        return nomem("", error);
    hwl_status status = n > FILES_MAX ? hwl_fail(error, HWL_E_LIMIT, "more than %u files", FILES_MAX) : HWL_OK;
    for (uint64_t i = 0; i < n && status == HWL_OK; i++) {
        status = hwl_progress_step(progress, i, n, error);
        if (status == HWL_OK)
            status = add_file(st, paths[i], arena, error);
    }
    if (status == HWL_OK && n > 1) {
        struct hwl_name_map found;
        bool added;
        if (!hwl_name_map_init(&found, arena, st->n_tensors))
            status = nomem(paths[0], error);
        for (uint64_t i = 0; i < st->n_tensors && status == HWL_OK; i++)
            if (hwl_name_map_put(&found, st->tensors[i].name, 0, &added) == HWL_NAME_NONE || !added)
                status = hwl_fail_at(error, HWL_E_FORMAT, st->files[st->tensors[i].file].path, HWL_NO_OFFSET, st->tensors[i].name.p,
                                     "the tensor stands in two files");
    }
    return finish(st, status, out);
}

hwl_status hwl_safetensors_parse(const unsigned char *data, uint64_t size, uint64_t file_size, const char *name,
                                 struct hwl_arena *arena, struct hwl_safetensors **out, hwl_error *error)
{
    struct hwl_safetensors *st = HWL_NEW(arena, struct hwl_safetensors);
    return st ? finish(st, add_header(st, data, size, file_size, name, arena, error), out) : nomem(name, error);
}

void hwl_safetensors_close(struct hwl_safetensors *st)
{
    if (!st)
        return;
    for (uint64_t i = 0; i < st->n_docs; i++)
        yyjson_doc_free(st->docs[i]);
    st->n_docs = 0;
    st->n_tensors = 0;
}
