/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF files on disk: one, or the parts of a split set, of which the first stands for all. Parts are named
 * PREFIX-00001-of-00003.gguf and say split.no, split.count and split.tensors.count (llama_split_path and
 * llama_model_loader of llama.cpp). */
#include "source/gguf_private.h"

#include "base/status.h"

#include <stdio.h>

#define SUFFIX_BYTES 20u /* -00001-of-00003.gguf */

struct split_name {
    uint64_t prefix; /* bytes of the path before the suffix */
    uint32_t no, count; /* 1-based; 0 of 0: the name is no part's */
};

static bool digits5(const char *s, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 5; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(s[i] - '0');
    }
    *out = v;
    return true;
}

static struct split_name split_name(const char *path)
{
    const size_t n = strlen(path);
    struct split_name out = {.prefix = n};
    if (n < SUFFIX_BYTES)
        return out;
    const char *s = path + n - SUFFIX_BYTES;
    uint32_t no, count;
    if (s[0] != '-' || !digits5(s + 1, &no) || memcmp(s + 6, "-of-", 4) != 0 || !digits5(s + 10, &count) ||
        memcmp(s + 15, ".gguf", 5) != 0)
        return out;
    if (no >= 1 && no <= count)
        out = (struct split_name){n - SUFFIX_BYTES, no, count};
    return out;
}

/* How many files the set has by the first one's metadata and name; refuses what is not the first. */
static hwl_status split_count(const struct hwl_gguf *gguf, const char *path, const struct split_name *name, uint32_t *out, hwl_error *error)
{
    uint64_t count = name->count ? name->count : 1, no = name->count ? name->no - 1 : 0;
    if (hwl_gguf_get(gguf, "split.count")) {
        if (!hwl_gguf_u64(gguf, "split.count", &count) || count > UINT16_MAX)
            return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "split.count", "not a count of files");
        if (count > 1 && !name->count)
            return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "split.count",
                               "a split model of %llu files whose name does not end in -00001-of-%05llu.gguf: the other parts cannot be found",
                               (unsigned long long)count, (unsigned long long)count);
        if (count > 1 && count != name->count)
            return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "split.count", "%llu files, but %u by the file's name",
                               (unsigned long long)count, name->count);
    }
    if (hwl_gguf_get(gguf, "split.no") && !hwl_gguf_u64(gguf, "split.no", &no))
        return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "split.no", "not the number of a file");
    if (count > UINT16_MAX)
        return hwl_fail_at(error, HWL_E_LIMIT, path, HWL_NO_OFFSET, NULL, "a model of %llu files", (unsigned long long)count);
    if (count > 1 && no != 0)
        return hwl_fail_at(error, HWL_E_USAGE, path, HWL_NO_OFFSET, NULL, "part %llu of %llu of a split model: give the first, %.*s-00001-of-%05u.gguf",
                           (unsigned long long)no + 1, (unsigned long long)count, (int)hwl_min(name->prefix, 200), path, name->count);
    *out = count > 1 ? (uint32_t)count : 1;
    return HWL_OK;
}

/* Reads part i (0-based) behind the others. */
static hwl_status add_part(struct hwl_gguf *gguf, const char *path, uint32_t i, struct hwl_arena *arena, hwl_error *error)
{
    hwl_status status = hwl_file_open(&gguf->files[i], path, error);
    if (status == HWL_E_NOT_FOUND)
        return hwl_fail_at(error, HWL_E_NOT_FOUND, path, HWL_NO_OFFSET, NULL, "part %u of %u of a split model is missing", i + 1, gguf->n_splits);
    HWL_TRY(status);
    struct hwl_gguf part = {.tensors = gguf->tensors, .n_tensors = gguf->n_tensors, .cap_tensors = gguf->cap_tensors, .names = gguf->names,
                            .n_splits = gguf->n_splits, .progress = gguf->progress};
    HWL_TRY(hwl_gguf_read(&part, gguf->files[i].data, gguf->files[i].size, gguf->files[i].size, path, (uint16_t)i, arena, error));
    uint64_t no = i, count = gguf->n_splits;
    (void)hwl_gguf_u64(&part, "split.no", &no);
    (void)hwl_gguf_u64(&part, "split.count", &count);
    if (no != i || count != gguf->n_splits)
        return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "split.no", "part %llu of %llu where part %u of %u is expected",
                           (unsigned long long)no + 1, (unsigned long long)count, i + 1, gguf->n_splits);
    gguf->tensors = part.tensors;
    gguf->n_tensors = part.n_tensors;
    gguf->cap_tensors = part.cap_tensors;
    gguf->names = part.names;
    if (!hwl_add(&gguf->file_bytes, gguf->file_bytes, gguf->files[i].size))
        return hwl_fail_at(error, HWL_E_OVERFLOW, path, HWL_NO_OFFSET, NULL, "files larger than 64 bits can count");
    return HWL_OK;
}

static hwl_status open_all(struct hwl_gguf *gguf, const char *path, struct hwl_arena *arena, hwl_error *error)
{
    HWL_TRY(hwl_file_open(&gguf->files[0], path, error));
    HWL_TRY(hwl_gguf_read(gguf, gguf->files[0].data, gguf->files[0].size, gguf->files[0].size, path, 0, arena, error));
    gguf->file_bytes = gguf->files[0].size;
    const struct split_name name = split_name(path);
    uint32_t n;
    HWL_TRY(split_count(gguf, path, &name, &n, error));
    if (n > 1) {
        struct hwl_file *files = HWL_NEW_ARRAY(arena, struct hwl_file, n);
        if (!files)
            return hwl_fail_at(error, HWL_E_NOMEM, path, HWL_NO_OFFSET, NULL, "out of memory");
        files[0] = gguf->files[0];
        gguf->files = files;
        gguf->n_splits = n;
    }
    for (uint32_t i = 1; i < n; i++) {
        const char *part = hwl_arena_printf(arena, "%.*s-%05u-of-%05u.gguf", (int)name.prefix, path, i + 1, n);
        if (!part)
            return hwl_fail_at(error, HWL_E_NOMEM, path, HWL_NO_OFFSET, NULL, "out of memory");
        HWL_TRY(add_part(gguf, part, i, arena, error));
    }
    uint64_t expected;
    if (n > 1 && hwl_gguf_u64(gguf, "split.tensors.count", &expected) && expected != gguf->n_tensors)
        return hwl_fail_at(error, HWL_E_FORMAT, path, HWL_NO_OFFSET, "split.tensors.count", "%llu tensors expected, but the %u files hold %llu",
                           (unsigned long long)expected, n, (unsigned long long)gguf->n_tensors);
    return HWL_OK;
}

hwl_status hwl_gguf_open(const char *path, struct hwl_arena *arena, struct hwl_gguf **out, hwl_error *error)
{
    return hwl_gguf_open_watched(path, NULL, arena, out, error);
}

hwl_status hwl_gguf_open_watched(const char *path, const struct hwl_progress *progress, struct hwl_arena *arena, struct hwl_gguf **out,
                                 hwl_error *error)
{
    struct hwl_gguf *gguf = HWL_NEW(arena, struct hwl_gguf);
    if (gguf) {
        gguf->files = HWL_NEW(arena, struct hwl_file);
        gguf->path = hwl_arena_str(arena, path);
        gguf->n_splits = 1;
        gguf->progress = progress;
    }
    if (!gguf || !gguf->files || !gguf->path)
        return hwl_fail_at(error, HWL_E_NOMEM, path, HWL_NO_OFFSET, NULL, "out of memory");
    const hwl_status status = open_all(gguf, path, arena, error);
    gguf->progress = NULL;
    if (status == HWL_OK)
        *out = gguf;
    else
        hwl_gguf_close(gguf);
    return status;
}

hwl_status hwl_gguf_parse(const unsigned char *data, uint64_t size, uint64_t data_size, const char *name, struct hwl_arena *arena,
                          struct hwl_gguf **out, hwl_error *error)
{
    struct hwl_gguf *gguf = HWL_NEW(arena, struct hwl_gguf);
    if (!gguf || !(gguf->path = hwl_arena_str(arena, name)))
        return hwl_fail_at(error, HWL_E_NOMEM, name, HWL_NO_OFFSET, NULL, "out of memory");
    gguf->n_splits = 1;
    gguf->file_bytes = data_size;
    HWL_TRY(hwl_gguf_read(gguf, data, size, data_size, name, 0, arena, error));
    *out = gguf;
    return HWL_OK;
}

void hwl_gguf_close(struct hwl_gguf *gguf)
{
    if (!gguf || !gguf->files)
        return;
    for (uint32_t i = 0; i < gguf->n_splits; i++)
        hwl_file_close(&gguf->files[i]);
    gguf->files = NULL;
}
