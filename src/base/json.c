/* SPDX-License-Identifier: Apache-2.0 */
/* JSON input: yyjson parses, and this file adds what a reader of hostile files needs on top: a depth cap, a policy for
 * duplicate keys, and errors that name file and byte. */
#include "base/json.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Objects up to this size are compared pair by pair; larger ones are hashed, and sorted where the hash is crowded. */
#define FEW_KEYS 8
#define MAX_PROBES 256u

/* Where nesting first exceeds the cap. The text is valid JSON by now, so strings end. */
static uint64_t depth_position(const char *data, uint64_t n)
{
    unsigned depth = 0;
    for (uint64_t i = 0; i < n; i++) {
        const char c = data[i];
        if (c == '"') {
            for (i++; i < n && data[i] != '"'; i++)
                i += data[i] == '\\';
        } else if (c == '[' || c == '{') {
            if (++depth > HWL_JSON_DEPTH)
                return i;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return HWL_NO_OFFSET;
}

static int compare_keys(const void *a, const void *b)
{
    yyjson_val *const x = *(yyjson_val *const *)a, *const y = *(yyjson_val *const *)b;
    const size_t nx = yyjson_get_len(x), ny = yyjson_get_len(y);
    if (nx != ny)
        return nx < ny ? -1 : 1;
    return memcmp(yyjson_get_str(x), yyjson_get_str(y), nx);
}

struct key_buffer {
    yyjson_val **keys;
    struct slot {
        uint32_t hash, number; /* of a key, counted from 1; 0: empty */
    } *slots;
    size_t capacity; /* keys that there is room for in both */
};

/* Slots of the hash of n keys: a power of two, at most half full. */
static size_t slots_for(size_t n)
{
    size_t slots = 4 * FEW_KEYS;
    while (slots < 2 * n)
        slots *= 2;
    return slots;
}

static bool room_for(struct key_buffer *buffer, size_t n)
{
    if (n <= buffer->capacity)
        return true;
    free(buffer->keys);
    free(buffer->slots);
    buffer->keys = malloc(n * sizeof *buffer->keys);
    buffer->slots = malloc(slots_for(n) * sizeof *buffer->slots);
    buffer->capacity = buffer->keys && buffer->slots ? n : 0;
    return buffer->capacity != 0;
}

static uint64_t hash_key(yyjson_val *key)
{
    const uint64_t k = 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio */
    const char *p = yyjson_get_str(key);
    size_t n = yyjson_get_len(key);
    uint64_t h = n * k, w;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = (h ^ w) * k;
        h ^= h >> 29;
    }
    w = 0;
    memcpy(&w, p, n);
    h = (h ^ w) * k;
    h ^= h >> 32;
    h *= k;
    return h ^ h >> 29;
}

enum hashed { HASHED_UNIQUE, HASHED_DUPLICATE, HASHED_CROWDED };

/* Tells by a hash, or that the keys crowd it: made to collide, which must not cost n^2. */
static enum hashed by_hash(const struct key_buffer *buffer, size_t n, yyjson_val **twice)
{
    const size_t mask = slots_for(n) - 1;
    if (n >= UINT32_MAX)
        return HASHED_CROWDED;
    memset(buffer->slots, 0, (mask + 1) * sizeof *buffer->slots);
    for (size_t i = 0; i < n; i++) {
        const uint64_t h = hash_key(buffer->keys[i]);
        size_t at = (size_t)h & mask;
        unsigned probes = 0;
        for (; buffer->slots[at].number; at = (at + 1) & mask) {
            /* The slot's half of the hash is not the half that chose the slot: seldom equal, and then mostly the key is. */
            if (buffer->slots[at].hash == (uint32_t)(h >> 32) &&
                compare_keys(&buffer->keys[buffer->slots[at].number - 1], &buffer->keys[i]) == 0) {
                *twice = buffer->keys[i];
                return HASHED_DUPLICATE;
            }
            if (++probes == MAX_PROBES)
                return HASHED_CROWDED;
        }
        buffer->slots[at] = (struct slot){(uint32_t)(h >> 32), (uint32_t)i + 1};
    }
    return HASHED_UNIQUE;
}

static yyjson_val *by_sorting(yyjson_val **keys, size_t n)
{
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 1; i < n; i++)
        if (compare_keys(&keys[i - 1], &keys[i]) == 0)
            return keys[i];
    return NULL;
}

/* A key that obj holds twice, or NULL. *failed: out of memory. */
static yyjson_val *duplicate_key(yyjson_val *obj, struct key_buffer *buffer, bool *failed)
{
    const size_t n = yyjson_obj_size(obj);
    if (n < 2)
        return NULL;
    yyjson_val *few[FEW_KEYS], **keys = few;
    if (n > FEW_KEYS) {
        if (!room_for(buffer, n)) {
            *failed = true;
            return NULL;
        }
        keys = buffer->keys;
    }
    yyjson_obj_iter it;
    yyjson_obj_iter_init(obj, &it);
    yyjson_val *key;
    for (size_t i = 0; i < n && (key = yyjson_obj_iter_next(&it)); i++)
        keys[i] = key;
    if (n > FEW_KEYS) {
        yyjson_val *twice = NULL;
        return by_hash(buffer, n, &twice) == HASHED_CROWDED ? by_sorting(keys, n) : twice;
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (compare_keys(&keys[i], &keys[j]) == 0)
                return keys[i];
    return NULL;
}

struct level {
    bool object;
    union {
        yyjson_arr_iter arr;
        yyjson_obj_iter obj;
    } it;
};

enum found { FOUND_NOTHING, FOUND_DEPTH, FOUND_DUPLICATE, FOUND_NO_MEMORY };

/* Visits every container, without recursion: at most HWL_JSON_DEPTH levels are open. */
static enum found inspect(yyjson_val *root, bool duplicates, yyjson_val **key)
{
    struct level stack[HWL_JSON_DEPTH];
    struct key_buffer buffer = {0};
    enum found found = FOUND_NOTHING;
    unsigned depth = 0;
    yyjson_val *v = root;
    for (;;) {
        if (yyjson_is_ctn(v)) {
            if (depth == HWL_JSON_DEPTH) {
                found = FOUND_DEPTH;
                break;
            }
            struct level *level = &stack[depth++];
            level->object = yyjson_is_obj(v);
            if (level->object) {
                bool failed = false;
                yyjson_val *twice = duplicates ? duplicate_key(v, &buffer, &failed) : NULL;
                if (twice || failed) {
                    found = failed ? FOUND_NO_MEMORY : FOUND_DUPLICATE;
                    *key = twice;
                    break;
                }
                yyjson_obj_iter_init(v, &level->it.obj);
            } else {
                yyjson_arr_iter_init(v, &level->it.arr);
            }
        }
        v = NULL;
        while (depth && !v) { /* the next value of the innermost container that has one */
            struct level *level = &stack[depth - 1];
            if (level->object) {
                yyjson_val *k = yyjson_obj_iter_next(&level->it.obj);
                v = k ? yyjson_obj_iter_get_val(k) : NULL;
            } else {
                v = yyjson_arr_iter_next(&level->it.arr);
            }
            depth -= !v;
        }
        if (!v)
            break;
    }
    free(buffer.keys);
    free(buffer.slots);
    return found;
}

hwl_status hwl_json_parse(const char *data, uint64_t n, unsigned flags, const char *file, yyjson_doc **out, hwl_error *error)
{
    if (n == 0)
        return hwl_fail_at(error, HWL_E_FORMAT, file, 0, NULL, "empty where JSON is expected");
    if (n > SIZE_MAX / 64)
        return hwl_fail_at(error, HWL_E_LIMIT, file, HWL_NO_OFFSET, NULL, "too large for JSON: %llu bytes", (unsigned long long)n);
    yyjson_read_err err;
    /* Not read in place: the cast is for the signature only. */
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)data, (size_t)n,
                                       flags & HWL_JSON_ALLOW_NAN ? YYJSON_READ_ALLOW_INF_AND_NAN : YYJSON_READ_NOFLAG, NULL, &err);
    if (!doc) {
        if (err.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
            return hwl_fail_at(error, HWL_E_NOMEM, file, HWL_NO_OFFSET, NULL, "out of memory");
        return hwl_fail_at(error, HWL_E_FORMAT, file, err.pos, NULL, "not valid JSON: %s", err.msg);
    }
    yyjson_val *key = NULL;
    const enum found found = inspect(yyjson_doc_get_root(doc), flags & HWL_JSON_DUPLICATES_REFUSED, &key);
    hwl_status status = HWL_OK;
    if (found == FOUND_DEPTH)
        status = hwl_fail_at(error, HWL_E_LIMIT, file, depth_position(data, n), NULL, "JSON nested deeper than %d levels", HWL_JSON_DEPTH);
    else if (found == FOUND_DUPLICATE)
        status = hwl_fail_at(error, HWL_E_FORMAT, file, HWL_NO_OFFSET, yyjson_get_str(key), "duplicate key in JSON");
    else if (found == FOUND_NO_MEMORY)
        status = hwl_fail_at(error, HWL_E_NOMEM, file, HWL_NO_OFFSET, NULL, "out of memory");
    if (status != HWL_OK) {
        yyjson_doc_free(doc);
        return status;
    }
    *out = doc;
    return HWL_OK;
}

bool hwl_json_of_python(const char *text, char *out, uint64_t size)
{
    static const char *const words[][2] = {{"True", "true"}, {"False", "false"}, {"None", "null"}};
    uint64_t n = 0;
    char quote = 0; /* the one that closes the string */
    for (const char *p = text; *p;) {
        char piece[8] = {*p, 0};
        size_t step = 1;
        if (quote && *p == '\\' && p[1]) { /* JSON knows no \' */
            (void)snprintf(piece, sizeof piece, p[1] == '\'' ? "'" : "\\%c", p[1]);
            step = 2;
        } else if (quote ? *p == quote : *p == '\'' || *p == '"') {
            quote = quote ? 0 : *p;
            piece[0] = '"';
        } else if (quote && *p == '"') {
            (void)snprintf(piece, sizeof piece, "\\\"");
        } else if (!quote) {
            for (size_t i = 0; i < 3; i++)
                if (strncmp(p, words[i][0], strlen(words[i][0])) == 0) {
                    (void)snprintf(piece, sizeof piece, "%s", words[i][1]);
                    step = strlen(words[i][0]);
                }
        }
        const size_t more = strlen(piece);
        if (n + more >= size)
            return false;
        memcpy(out + n, piece, more);
        n += more;
        p += step;
    }
    out[n] = 0;
    return true;
}

yyjson_val *hwl_json_get(yyjson_val *obj, const char *key)
{
    if (!yyjson_is_obj(obj))
        return NULL;
    const size_t n = strlen(key);
    yyjson_val *found = NULL;
    yyjson_obj_iter it;
    yyjson_obj_iter_init(obj, &it);
    for (yyjson_val *k; (k = yyjson_obj_iter_next(&it));)
        if (yyjson_equals_strn(k, key, n))
            found = yyjson_obj_iter_get_val(k);
    return found;
}
