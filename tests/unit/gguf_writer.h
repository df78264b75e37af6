/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TESTS_GGUF_WRITER_H
#define HWL_TESTS_GGUF_WRITER_H

/* Writes GGUF bytes of any version and byte order, right or wrong. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct writer {
    unsigned char data[1 << 16];
    uint64_t n;
    unsigned version;
    bool big_endian;
};

static inline void w_num(struct writer *w, uint64_t v, unsigned bytes)
{
    assert(w->n + bytes <= sizeof w->data);
    for (unsigned i = 0; i < bytes; i++)
        w->data[w->n++] = (unsigned char)(v >> 8 * (w->big_endian ? bytes - 1 - i : i));
}

static inline void w_count(struct writer *w, uint64_t v)
{
    w_num(w, v, w->version == 1 ? 4 : 8);
}

static inline void w_str(struct writer *w, const char *s)
{
    const size_t n = strlen(s);
    w_count(w, n);
    assert(w->n + n <= sizeof w->data);
    memcpy(w->data + w->n, s, n);
    w->n += n;
}

static inline void w_head(struct writer *w, unsigned version, bool big_endian, uint64_t n_tensors, uint64_t n_kv)
{
    w->n = 4;
    memcpy(w->data, "GGUF", 4);
    w->version = version;
    w->big_endian = big_endian;
    w_num(w, version, 4);
    w_count(w, n_tensors);
    w_count(w, n_kv);
}

static inline void w_kv(struct writer *w, const char *key, unsigned type)
{
    w_str(w, key);
    w_num(w, type, 4);
}

static inline void w_int(struct writer *w, const char *key, unsigned type, uint64_t v, unsigned bytes)
{
    w_kv(w, key, type);
    w_num(w, v, bytes);
}

static inline void w_array(struct writer *w, unsigned type, uint64_t n)
{
    w_num(w, type, 4);
    w_count(w, n);
}

static inline void w_tensor(struct writer *w, const char *name, uint64_t ne0, uint64_t ne1, unsigned type, uint64_t offset)
{
    w_str(w, name);
    w_num(w, 2, 4);
    w_count(w, ne0);
    w_count(w, ne1);
    w_num(w, type, 4);
    w_num(w, offset, 8);
}

static inline void w_zeros(struct writer *w, uint64_t n)
{
    assert(w->n + n <= sizeof w->data);
    memset(w->data + w->n, 0, n);
    w->n += n;
}

static inline void w_pad(struct writer *w, uint64_t to)
{
    w_zeros(w, (to - w->n % to) % to);
}

/* Entries of every type, a nested array, three tensors with their data. */
static inline void w_sample(struct writer *w, unsigned version, bool big_endian)
{
    w_head(w, version, big_endian, 3, 17);
    w_kv(w, "general.architecture", 8);
    w_str(w, "llama");
    w_int(w, "t.u8", 0, 200, 1);
    w_int(w, "t.i8", 1, (uint64_t)-100, 1);
    w_int(w, "t.u16", 2, 60000, 2);
    w_int(w, "t.i16", 3, (uint64_t)-30000, 2);
    w_int(w, "t.u32", 4, 4000000000u, 4);
    w_int(w, "t.i32", 5, (uint64_t)-2000000000, 4);
    w_int(w, "t.f32", 6, 0x3fc00000u, 4); /* 1.5 */
    w_int(w, "t.bool", 7, 1, 1);
    w_int(w, "t.u64", 10, UINT64_MAX, 8);
    w_int(w, "t.i64", 11, (uint64_t)INT64_MIN, 8);
    w_int(w, "t.f64", 12, 0xc004000000000000u, 8); /* -2.5 */
    w_kv(w, "t.tokens", 9);
    w_array(w, 8, 3);
    w_str(w, "a");
    w_str(w, "");
    w_str(w, "ccc");
    w_kv(w, "t.heads", 9);
    w_array(w, 5, 3);
    w_num(w, 8, 4);
    w_num(w, (uint64_t)-1, 4);
    w_num(w, 32, 4);
    w_kv(w, "t.reals", 9);
    w_array(w, 6, 1);
    w_num(w, 0x3fc00000u, 4);
    w_kv(w, "t.nested", 9);
    w_array(w, 9, 2);
    w_array(w, 0, 3);
    w_zeros(w, 3);
    w_array(w, 8, 1);
    w_str(w, "x");
    w_int(w, "general.alignment", 4, 64, 4);
    w_tensor(w, "token_embd.weight", 256, 3, 12, 0); /* Q4_K: 3 x 144 */
    w_tensor(w, "norm", 5, 1, 0, 448);               /* F32: 20 */
    w_tensor(w, "last", 64, 2, 8, 512);              /* Q8_0: 2 x 68 */
    w_pad(w, 64);
    w_zeros(w, 512 + 136);
}

#endif
