/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF headers: every version, byte order and type; split files; hostile files. */
#include "unit/tap.h"

#include "source/gguf.h"
#include "unit/gguf_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct writer w;

/* Parses an exact copy, so that sanitizers see each overread. */
static hwl_status parse(const unsigned char *data, uint64_t n, struct hwl_arena *arena, struct hwl_gguf **out, unsigned char **copy, hwl_error *e)
{
    *copy = malloc(n ? n : 1);
    memcpy(*copy, data, n);
    return hwl_gguf_parse(*copy, n, n, "x.gguf", arena, out, e);
}

static void refused(hwl_status status, const char *part)
{
    struct hwl_arena arena = {.limit = 1 << 20};
    struct hwl_gguf *g = NULL;
    unsigned char *copy;
    hwl_error e;
    char text[1024];
    const hwl_status got = parse(w.data, w.n, &arena, &g, &copy, &e);
    if (got == HWL_OK)
        fail_msg("accepted, expected: %s", part);
    hwl_error_text(&e, text, sizeof text);
    if (got != status || !strstr(text, part))
        fail_msg("%d %s; expected %d %s", (int)got, text, (int)status, part);
    assert_null(g);
    hwl_arena_free(&arena);
    free(copy);
}

static void sample(unsigned version, bool big_endian)
{
    w_sample(&w, version, big_endian);
    struct hwl_arena arena = {0};
    struct hwl_gguf *g;
    unsigned char *copy;
    hwl_error e;
    if (parse(w.data, w.n, &arena, &g, &copy, &e) != HWL_OK)
        fail_msg("v%u: %s at byte %llu", version, e.message, (unsigned long long)e.offset);
    assert_int_equal(g->version, version);
    assert_int_equal(g->big_endian, big_endian);
    assert_int_equal(g->alignment, 64);
    assert_int_equal(g->n_kv, 17);
    assert_int_equal(g->n_splits, 1);
    assert_int_equal(g->data_offset % 64, 0);
    uint64_t u;
    double f;
    struct hwl_str s;
    assert_true(hwl_gguf_str(g, "general.architecture", &s) && hwl_str_eq(s, "llama"));
    assert_true(hwl_gguf_u64(g, "t.u8", &u) && u == 200);
    assert_true(hwl_gguf_u64(g, "t.u16", &u) && u == 60000);
    assert_true(hwl_gguf_u64(g, "t.u32", &u) && u == 4000000000u);
    assert_true(hwl_gguf_u64(g, "t.u64", &u) && u == UINT64_MAX);
    assert_true(hwl_gguf_u64(g, "t.bool", &u) && u == 1);
    assert_false(hwl_gguf_u64(g, "t.i8", &u));
    assert_false(hwl_gguf_u64(g, "t.f32", &u));
    assert_false(hwl_gguf_u64(g, "t.tokens", &u));
    assert_false(hwl_gguf_u64(g, "absent", &u));
    assert_int_equal(hwl_gguf_get(g, "t.i8")->value.i64, -100);
    assert_int_equal(hwl_gguf_get(g, "t.i16")->value.i64, -30000);
    assert_int_equal(hwl_gguf_get(g, "t.i32")->value.i64, -2000000000);
    assert_true(hwl_gguf_get(g, "t.i64")->value.i64 == INT64_MIN);
    assert_true(hwl_gguf_f64(g, "t.f32", &f) && f == 1.5);
    assert_true(hwl_gguf_f64(g, "t.f64", &f) && f == -2.5);
    assert_int_equal(hwl_gguf_array_n(g, "t.tokens"), 3);
    assert_int_equal(hwl_gguf_get(g, "t.tokens")->array_bytes, 3 * (version == 1 ? 4 : 8) + 4);
    assert_true(hwl_gguf_array_u64(g, "t.heads", 2, &u) && u == 32);
    assert_false(hwl_gguf_array_u64(g, "t.heads", 1, &u));
    assert_false(hwl_gguf_array_u64(g, "t.heads", 3, &u));
    assert_true(hwl_gguf_array_u64(g, "t.u8", 77, &u) && u == 200);
    assert_true(hwl_gguf_array_f64(g, "t.reals", 0, &f) && f == 1.5);
    assert_int_equal(hwl_gguf_array_n(g, "t.nested"), 2);
    assert_int_equal(hwl_gguf_array_n(g, "t.u8"), 0);
    assert_int_equal(g->n_tensors, 3);
    const struct hwl_gguf_tensor *t = hwl_gguf_find(g, "token_embd.weight");
    assert_ptr_equal(t, &g->tensors[0]);
    assert_int_equal(t->dtype, HWL_DTYPE_Q4_K);
    assert_int_equal(t->bytes, 432);
    assert_int_equal(t->dims[1], 3);
    assert_int_equal(t->dims[3], 1);
    assert_int_equal(hwl_gguf_find(g, "norm")->bytes, 20);
    assert_int_equal(hwl_gguf_find(g, "last")->bytes, 136);
    assert_null(hwl_gguf_find(g, "nor"));
    hwl_gguf_close(g);
    hwl_arena_free(&arena);
    free(copy);
}

static void versions(void **state)
{
    (void)state;
    for (unsigned v = 1; v <= 3; v++) {
        sample(v, false);
        sample(v, true);
    }
}

static void truncated(void **state)
{
    (void)state;
    for (unsigned v = 1; v <= 3; v += 2) {
        w_sample(&w, v, v == 3);
        const uint64_t full = w.n;
        for (uint64_t n = 0; n < full; n++) {
            w.n = n;
            refused(HWL_E_FORMAT, n < 4 ? "not a GGUF file" : n < 24 ? "" : "x.gguf: ");
        }
    }
}

static void head_only(void **state)
{
    (void)state;
    w_sample(&w, 3, false);
    struct hwl_arena arena = {0};
    struct hwl_gguf *g;
    hwl_error e;
    assert_int_equal(hwl_gguf_parse(w.data, w.n - 648, w.n, "x", &arena, &g, &e), HWL_OK);
    assert_int_equal(g->file_bytes, w.n);
    assert_int_equal(hwl_gguf_parse(w.data, w.n - 648, w.n - 1, "x", &arena, &g, &e), HWL_E_FORMAT);
    hwl_arena_free(&arena);
}

static void bad_heads(void **state)
{
    (void)state;
    w_head(&w, 3, false, 0, 0);
    memcpy(w.data, "GGUZ", 4);
    refused(HWL_E_FORMAT, "not a GGUF file");
    memcpy(w.data, "tjgg", 4);
    refused(HWL_E_UNSUPPORTED, "before GGUF");
    w_head(&w, 4, false, 0, 0);
    refused(HWL_E_UNSUPPORTED, "unsupported GGUF version 4");
    w_head(&w, 0, false, 0, 0);
    refused(HWL_E_UNSUPPORTED, "unsupported GGUF version 0");
    for (int bits = 20; bits < 64; bits++) {
        w_head(&w, 3, bits % 2, (uint64_t)1 << bits, 0);
        refused(HWL_E_FORMAT, "tensors in a header");
        w_head(&w, 2, bits % 2, 0, (uint64_t)1 << bits);
        refused(HWL_E_FORMAT, "metadata entries in a header");
    }
}

static void bad_metadata(void **state)
{
    (void)state;
    w_head(&w, 3, false, 0, 1);
    w_int(&w, "a", 13, 0, 8);
    refused(HWL_E_UNSUPPORTED, "unsupported metadata type 13");
    w_head(&w, 3, false, 0, 1);
    w_num(&w, UINT64_MAX, 8);
    w_zeros(&w, 64);
    refused(HWL_E_FORMAT, "string of 18446744073709551615 bytes");
    w_head(&w, 3, false, 0, 1);
    w_str(&w, "");
    w_zeros(&w, 64);
    refused(HWL_E_FORMAT, "key of 0 bytes");
    w_head(&w, 3, false, 0, 2);
    w_int(&w, "twice", 4, 1, 4);
    w_int(&w, "twice", 4, 2, 4);
    refused(HWL_E_FORMAT, "duplicate key, at twice");
    static const uint64_t counts[] = {UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 61, 1000};
    for (unsigned type = 0; type <= 12; type++)
        for (unsigned i = 0; i < 4; i++) {
            w_head(&w, 3, false, 0, 1);
            w_kv(&w, "k", 9);
            w_array(&w, type, counts[i]);
            w_zeros(&w, 300);
            refused(HWL_E_FORMAT, type == 0 || i < 3 ? "array of" : "");
        }
    w_head(&w, 3, false, 0, 1);
    w_kv(&w, "k", 9);
    w_array(&w, 99, 1);
    refused(HWL_E_UNSUPPORTED, "unsupported type 99 of array elements");
    w_head(&w, 3, false, 0, 1);
    w_kv(&w, "deep", 9);
    for (int i = 0; i < 4000; i++)
        w_array(&w, 9, 1);
    refused(HWL_E_LIMIT, "arrays nested deeper than 8 levels, at deep");
    for (unsigned a = 0; a < 100; a += 3) {
        w_head(&w, 3, false, 0, 1);
        w_int(&w, "general.alignment", 4, a & (a - 1) ? a : 0, 4);
        refused(HWL_E_FORMAT, "is no power of two");
    }
    w_head(&w, 3, false, 0, 1);
    w_int(&w, "general.alignment", 6, 0x3fc00000, 4);
    refused(HWL_E_FORMAT, "not an unsigned integer");
    w_head(&w, 3, false, 0, 1);
    w_int(&w, "a\n\x1b[31m", 99, 0, 8);
    refused(HWL_E_UNSUPPORTED, "at a??[31m");
}

static void one_tensor(uint64_t ne0, uint64_t ne1, unsigned type, uint64_t offset)
{
    w_head(&w, 3, false, 1, 0);
    w_tensor(&w, "t", ne0, ne1, type, offset);
    w_pad(&w, 32);
    w_zeros(&w, 1024);
}

static void bad_tensors(void **state)
{
    (void)state;
    one_tensor(32, 1, 43, 0);
    refused(HWL_E_UNSUPPORTED, "unsupported tensor type 43");
    one_tensor(32, 1, UINT32_MAX, 0);
    refused(HWL_E_UNSUPPORTED, "unsupported tensor type 4294967295, at t");
    static const unsigned removed[] = {4, 5, 31, 32, 33, 36, 37, 38};
    for (unsigned i = 0; i < 8; i++) {
        one_tensor(32, 1, removed[i], 0);
        refused(HWL_E_UNSUPPORTED, "which llama.cpp has removed");
    }
    one_tensor(33, 1, 2, 0);
    refused(HWL_E_FORMAT, "rows of 33 elements are no multiple of the 32 of a block of Q4_0");
    one_tensor((uint64_t)1 << 62, 4, 0, 0);
    refused(HWL_E_OVERFLOW, "larger than 64 bits");
    one_tensor((uint64_t)1 << 32, (uint64_t)1 << 32, 24, 0);
    refused(HWL_E_OVERFLOW, "larger than 64 bits");
    one_tensor((uint64_t)1 << 63, 1, 0, 0);
    refused(HWL_E_FORMAT, "dimension 0 is negative");
    one_tensor(32, 1, 0, 16);
    refused(HWL_E_FORMAT, "no multiple of the alignment 32");
    one_tensor(32, 1, 0, (uint64_t)0 - 32);
    refused(HWL_E_OVERFLOW, "overflows");
    one_tensor(32, 1, 0, (uint64_t)1 << 40);
    refused(HWL_E_FORMAT, "the file is truncated");
    one_tensor(32, 9, 0, 0);
    refused(HWL_E_FORMAT, "the file is truncated, at t");
    w_head(&w, 3, false, 1, 0);
    w_str(&w, "five");
    w_num(&w, 5, 4);
    w_zeros(&w, 100);
    refused(HWL_E_FORMAT, "tensor of 5 dimensions");
    w_head(&w, 3, false, 2, 0);
    w_tensor(&w, "same", 8, 1, 0, 0);
    w_tensor(&w, "same", 8, 1, 0, 32);
    w_zeros(&w, 300);
    refused(HWL_E_FORMAT, "duplicate tensor name, at same");
    w_head(&w, 3, false, 3, 0);
    w_tensor(&w, "a", 16, 1, 0, 64);
    w_tensor(&w, "b", 8, 1, 0, 0);
    w_tensor(&w, "c", 16, 1, 0, 32);
    w_zeros(&w, 300);
    refused(HWL_E_FORMAT, "data of tensor c overlaps the tensor's, at a");
    w_head(&w, 3, false, 1, 0);
    w_num(&w, 2000, 8);
    w_zeros(&w, 3000);
    refused(HWL_E_FORMAT, "tensor name of 2000 bytes");
}

static char folder[64];

static const char *path(const char *name)
{
    static char p[4][256];
    static unsigned i;
    char *out = p[i++ % 4];
    snprintf(out, sizeof p[0], "%s/%s", folder, name);
    return out;
}

static void save(const char *name)
{
    FILE *f = fopen(path(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(w.data, 1, w.n, f), w.n);
    fclose(f);
}

static void part(const char *name, unsigned no, unsigned count, unsigned tensors, const char *tensor)
{
    w_head(&w, 3, false, 1, 3);
    w_int(&w, "split.no", 2, no, 2);
    w_int(&w, "split.count", 2, count, 2);
    w_int(&w, "split.tensors.count", 5, tensors, 4);
    w_tensor(&w, tensor, 8, no + 1, 0, 0);
    w_pad(&w, 32);
    w_zeros(&w, 32 * (no + 1));
    save(name);
}

static void open_refused(const char *name, hwl_status status, const char *what)
{
    struct hwl_arena arena = {0};
    struct hwl_gguf *g = NULL;
    hwl_error e;
    char text[1024];
    const hwl_status got = hwl_gguf_open(path(name), &arena, &g, &e);
    if (got == HWL_OK)
        fail_msg("%s accepted, expected: %s", name, what);
    hwl_error_text(&e, text, sizeof text);
    if (got != status || !strstr(text, what))
        fail_msg("%d %s; expected %d %s", (int)got, text, (int)status, what);
    hwl_arena_free(&arena);
}

static void splits(void **state)
{
    (void)state;
    part("m-00001-of-00003.gguf", 0, 3, 3, "a");
    part("m-00002-of-00003.gguf", 1, 3, 3, "b");
    open_refused("m-00001-of-00003.gguf", HWL_E_NOT_FOUND, "m-00003-of-00003.gguf: part 3 of 3 of a split model is missing");
    part("m-00003-of-00003.gguf", 2, 3, 3, "c");
    struct hwl_arena arena = {0};
    struct hwl_gguf *g;
    hwl_error e;
    assert_int_equal(hwl_gguf_open(path("m-00001-of-00003.gguf"), &arena, &g, &e), HWL_OK);
    assert_int_equal(g->n_splits, 3);
    assert_int_equal(g->n_tensors, 3);
    assert_int_equal(g->n_kv, 3);
    assert_int_equal(hwl_gguf_find(g, "c")->split, 2);
    assert_int_equal(hwl_gguf_find(g, "c")->bytes, 96);
    assert_int_equal(g->file_bytes, g->files[0].size + g->files[1].size + g->files[2].size);
    hwl_gguf_close(g);
    hwl_arena_free(&arena);
    open_refused("m-00002-of-00003.gguf", HWL_E_USAGE, "give the first");
    part("m-00003-of-00003.gguf", 2, 3, 3, "a");
    open_refused("m-00001-of-00003.gguf", HWL_E_FORMAT, "duplicate tensor name");
    part("m-00003-of-00003.gguf", 1, 3, 3, "c");
    open_refused("m-00001-of-00003.gguf", HWL_E_FORMAT, "part 2 of 3 where part 3 of 3 is expected");
    part("m-00003-of-00003.gguf", 2, 3, 3, "c");
    part("m-00001-of-00003.gguf", 0, 3, 4, "a");
    open_refused("m-00001-of-00003.gguf", HWL_E_FORMAT, "4 tensors expected, but the 3 files hold 3");
    part("renamed.gguf", 0, 3, 3, "a");
    open_refused("renamed.gguf", HWL_E_FORMAT, "the other parts cannot be found");
    part("m-00001-of-00002.gguf", 0, 3, 3, "a");
    open_refused("m-00001-of-00002.gguf", HWL_E_FORMAT, "3 files, but 2 by the file's name");
}

static void not_files(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path("fifo.gguf"), 0600), 0);
    open_refused("fifo.gguf", HWL_E_FORMAT, "not a regular file but a FIFO");
    open_refused(".", HWL_E_FORMAT, "not a regular file but a folder");
    assert_int_equal(symlink("loop2.gguf", path("loop1.gguf")), 0);
    assert_int_equal(symlink("loop1.gguf", path("loop2.gguf")), 0);
    open_refused("loop1.gguf", HWL_E_SYSTEM, "cannot open");
    open_refused("absent.gguf", HWL_E_NOT_FOUND, "cannot open");
    w.n = 0;
    save("empty.gguf");
    open_refused("empty.gguf", HWL_E_FORMAT, "not a GGUF file");
}

/* Every byte set to each of some values: parsed or refused, nothing else. */
static void flipped(void **state)
{
    (void)state;
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
    w_sample(&w, 3, false);
    const uint64_t n = w.n - 648;
    for (uint64_t i = 0; i < n; i++) {
        const unsigned char old = w.data[i];
        for (unsigned v = 0; v < sizeof values; v++) {
            w.data[i] = values[v];
            struct hwl_arena arena = {.limit = 1 << 20};
            struct hwl_gguf *g = NULL;
            unsigned char *copy;
            hwl_error e;
            const hwl_status got = parse(w.data, w.n, &arena, &g, &copy, &e);
            assert_true(got == HWL_OK ? g != NULL : g == NULL && e.message[0]);
            assert_int_not_equal(got, HWL_E_NOMEM);
            hwl_arena_free(&arena);
            free(copy);
        }
        w.data[i] = old;
    }
}

static void built(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_gguf *g = hwl_gguf_new(&arena);
    hwl_error e;
    char name[32];
    uint64_t u;
    double f;
    const uint64_t heads[] = {8, 0, 32}, dims[] = {256, 3};
    assert_int_equal(hwl_gguf_put_str(g, &arena, "general.architecture", "llama"), HWL_OK);
    assert_int_equal(hwl_gguf_put_u64(g, &arena, "n", 7), HWL_OK);
    assert_int_equal(hwl_gguf_put_u64(g, &arena, "n", 9), HWL_OK);
    assert_int_equal(hwl_gguf_put_f64(g, &arena, "eps", 1e-5), HWL_OK);
    assert_int_equal(hwl_gguf_put_bool(g, &arena, "b", true), HWL_OK);
    assert_int_equal(hwl_gguf_put_array_u64(g, &arena, "heads", heads, 3), HWL_OK);
    assert_int_equal(g->n_kv, 5);
    assert_true(hwl_gguf_u64(g, "n", &u) && u == 9);
    assert_true(hwl_gguf_f64(g, "eps", &f) && f == (double)1e-5f);
    assert_true(hwl_gguf_array_u64(g, "heads", 2, &u) && u == 32);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "blk.%d.weight", i);
        assert_int_equal(hwl_gguf_put_tensor(g, &arena, name, HWL_DTYPE_Q4_K, 2, dims, &e), HWL_OK);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "blk.%d.weight", i);
        assert_ptr_equal(hwl_gguf_find(g, name), &g->tensors[i]);
        assert_int_equal(g->tensors[i].offset, (uint64_t)i * 448);
    }
    assert_int_equal(hwl_gguf_put_tensor(g, &arena, "blk.7.weight", HWL_DTYPE_F32, 1, dims, &e), HWL_E_USAGE);
    const uint64_t odd[] = {255}, huge[] = {(uint64_t)1 << 63};
    assert_int_equal(hwl_gguf_put_tensor(g, &arena, "odd", HWL_DTYPE_Q4_K, 1, odd, &e), HWL_E_USAGE);
    assert_int_equal(hwl_gguf_put_tensor(g, &arena, "huge", HWL_DTYPE_F32, 1, huge, &e), HWL_E_OVERFLOW);
    assert_int_equal(hwl_gguf_put_tensor(g, &arena, "fp8", HWL_DTYPE_F8_E4M3, 1, odd, &e), HWL_E_USAGE);
    assert_int_equal(g->n_tensors, 1000);
    hwl_arena_free(&arena);
}

/* The builder's size is that of the same file written out. */
static void built_size(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_gguf *g = hwl_gguf_new(&arena);
    const uint64_t heads[] = {8, 0}, dims[] = {5, 1};
    uint64_t size;
    assert_int_equal(hwl_gguf_put_str(g, &arena, "general.architecture", "llama"), HWL_OK);
    assert_int_equal(hwl_gguf_put_u64(g, &arena, "n", 7), HWL_OK);
    assert_int_equal(hwl_gguf_put_array_u64(g, &arena, "heads", heads, 2), HWL_OK);
    assert_int_equal(hwl_gguf_put_tensor(g, &arena, "a", HWL_DTYPE_F32, 2, dims, NULL), HWL_OK);
    assert_int_equal(hwl_gguf_put_tensor(g, &arena, "b", HWL_DTYPE_F32, 2, dims, NULL), HWL_OK);
    assert_int_equal(hwl_gguf_file_size(g, &size), HWL_OK);
    w_head(&w, 3, false, 2, 3);
    w_kv(&w, "general.architecture", 8);
    w_str(&w, "llama");
    w_int(&w, "n", 4, 7, 4);
    w_kv(&w, "heads", 9);
    w_array(&w, 5, 2);
    w_zeros(&w, 8);
    w_tensor(&w, "a", 5, 1, 0, 0);
    w_tensor(&w, "b", 5, 1, 0, 32);
    w_pad(&w, 32);
    w_zeros(&w, 64);
    assert_int_equal(size, w.n);
    hwl_arena_free(&arena);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/hwl-gguf-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf", "m-00001-of-00002.gguf",
                                        "renamed.gguf",          "fifo.gguf",             "loop1.gguf",            "loop2.gguf",
                                        "empty.gguf"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unlink(path(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions),  cmocka_unit_test(truncated), cmocka_unit_test(head_only), cmocka_unit_test(bad_heads),
        cmocka_unit_test(bad_metadata), cmocka_unit_test(bad_tensors), cmocka_unit_test(splits), cmocka_unit_test(not_files),
        cmocka_unit_test(flipped),   cmocka_unit_test(built),     cmocka_unit_test(built_size),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
