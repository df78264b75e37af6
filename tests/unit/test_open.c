/* SPDX-License-Identifier: Apache-2.0 */
/* Opening models: the catalogue, configurations with their provenance, safetensors with and without packed weights. */
#include "arch/model.h"
#include "arch/quantise.h"
#include "base/status.h"
#include "source/config.h"
#include "source/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char tiny[] = "{\"model_type\":\"llama\",\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":64,\"intermediate_size\":128,"
                           "\"num_hidden_layers\":1,\"num_attention_heads\":4,\"num_key_value_heads\":2,\"vocab_size\":100,"
                           "\"max_position_embeddings\":512,\"torch_dtype\":\"bfloat16\",\"tie_word_embeddings\":false";

/* ---- a writer of safetensors files: header and a hole of the true size ---- */
struct st_writer {
    char text[65536];
    uint64_t n, at;
};

static void put(struct st_writer *w, const char *name, const char *dtype, const char *shape, uint64_t bytes)
{
    w->n += (uint64_t)snprintf(w->text + w->n, sizeof w->text - w->n, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}",
                               w->n ? "," : "{", name, dtype, shape, (unsigned long long)w->at, (unsigned long long)(w->at + bytes));
    w->at += bytes;
}

static uint64_t image(const char *json, unsigned char *out)
{
    uint64_t n = strlen(json);
    for (unsigned i = 0; i < 8; i++)
        out[i] = (unsigned char)(n >> 8 * i);
    memcpy(out + 8, json, (size_t)n);
    return 8 + n;
}

static void save(const char *folder, const char *name, const void *data, uint64_t n, uint64_t size)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, (size_t)n, f), n);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(truncate(path, (off_t)size), 0);
}

static void temporary(char folder[64])
{
    (void)snprintf(folder, 64, "/tmp/hwl_open_XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void remove_all(const char *folder, const char *const *names, unsigned n)
{
    char path[600];
    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

/* ---- configurations ---- */
static void config_reads(void **state)
{
    (void)state;
    const char text[] = "{\"model_type\":\"x\",\"a\":5,\"null\":null,\"old\":7,\"f\":1e3,\"neg\":-1,\"big\":1e18,\"s\":\"w\",\"l\":[1,2,3],"
                        "\"b\":true,\"in\":{\"a\":9},\"a\":6}";
    yyjson_doc *doc;
    hwl_error error;
    struct hwl_arena arena = {0};
    assert_int_equal(hwl_json_parse(text, sizeof text - 1, HWL_JSON_ALLOW_NAN, "c", &doc, &error), HWL_OK);
    struct hwl_config c = hwl_config_root(yyjson_doc_get_root(doc), "config.json", &arena);
    assert_int_equal(hwl_cfg_u64(&c, "a", 0), 6); /* the last of two wins, as in Python */
    assert_int_equal(hwl_cfg_u64(&c, "null|old", 0), 7);
    assert_int_equal(hwl_cfg_u64(&c, "f", 0), 1000);
    assert_int_equal(hwl_cfg_u64(&c, "in.a", 0), 9);
    assert_int_equal(hwl_cfg_u64(&c, "none", 11), 11);
    assert_int_equal(hwl_cfg_n(&c, "l"), 3);
    assert_int_equal(hwl_cfg_at_u64(&c, "l", 1, 0), 2);
    assert_int_equal(hwl_cfg_at_u64(&c, "l", 3, 42), 42);
    assert_int_equal(hwl_cfg_at_u64(&c, "a", 17, 0), 6);
    assert_true(hwl_cfg_in(&c, "l", 3) && !hwl_cfg_in(&c, "l", 4));
    struct hwl_config in = hwl_cfg_obj(&c, "in");
    assert_int_equal(hwl_cfg_u64(&in, "a", 0), 9);
    assert_int_equal(hwl_config_status(&c, &error), HWL_OK);
    const char *key, *value, *origin;
    bool nested = false, def = false;
    for (uint64_t i = 0; hwl_config_fact(&c, i, &key, &value, &origin); i++) {
        nested = nested || (strcmp(key, "in.a") == 0 && strcmp(value, "9") == 0 && strcmp(origin, "config.json") == 0);
        def = def || (strcmp(key, "none") == 0 && strcmp(value, "11") == 0 && strcmp(origin, "default of model_type x") == 0);
    }
    assert_true(nested && def);
    (void)hwl_cfg_u64(&c, "neg", 0);
    (void)hwl_cfg_u64(&c, "big", 0);
    assert_int_equal(hwl_config_status(&c, &error), HWL_E_FORMAT);
    assert_string_equal(error.key, "neg");
    (void)hwl_cfg_need(&c, "lack");
    (void)hwl_cfg_need(&in, "lack2");
    assert_int_equal(hwl_config_status(&in, &error), HWL_E_FORMAT);
    assert_non_null(strstr(error.message, "lack, in.lack2"));
    yyjson_doc_free(doc);
    hwl_arena_free(&arena);
}

/* ---- the catalogue ---- */
static void catalogue_opens(void **state)
{
    (void)state;
    uint32_t n = 0, read = 0, known = 0, exact = 0;
    for (const hwl_catalogue_model *m; (m = hwl_catalogue_at(n)); n++) {
        hwl_model *model;
        hwl_error error;
        const hwl_status status = hwl_model_open(m->name, NULL, &model, &error);
        if (status != HWL_OK) {
            if (status != HWL_E_UNSUPPORTED)
                print_message("%s: %s\n", m->name, error.message);
            assert_int_equal(status, HWL_E_UNSUPPORTED); /* a family that is not read: said, never guessed */
            continue;
        }
        read++;
        hwl_model_info info;
        hwl_model_get_info(model, &info);
        assert_string_equal(info.name, m->name);
        if (m->parameters) {
            known++;
            exact += info.parameters == m->parameters;
            if (info.parameters != m->parameters)
                print_message("%s: %llu, not %llu\n", m->name, (unsigned long long)info.parameters, (unsigned long long)m->parameters);
        }
        hwl_model_free(model);
    }
    print_message("%u models, %u read, %u of %u counts exact\n", n, read, exact, known);
    assert_true(n >= 150);
    assert_true(read >= 60);
    assert_true(exact * 100 >= known * 97);
}

static void catalogue_names(void **state)
{
    (void)state;
    static const char *const names[] = {"llama-3.1-8b", "Llama 3.1 8B", "LLAMA3.1_8b", "deepseek-v3", "deepseek-r1", "qwen3-30b-a3b",
                                        "mixtral-8x7b", "meta-llama/Llama-3.1-405B", "gpt-oss-120b", "gemma-2-9b"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        hwl_model *model;
        hwl_error error;
        hwl_status status = hwl_model_open(names[i], NULL, &model, &error);
        if (status != HWL_E_UNSUPPORTED)
            assert_int_equal(status, HWL_OK);
        if (status == HWL_OK)
            hwl_model_free(model);
    }
    hwl_model *model;
    hwl_error error;
    assert_int_equal(hwl_model_open("lama-3.1-8b", NULL, &model, &error), HWL_E_NOT_FOUND);
    assert_non_null(strstr(error.message, "llama-3.1-8b"));
    assert_int_equal(hwl_model_open("/nonexistent.gguf", NULL, &model, &error), HWL_E_NOT_FOUND);
    assert_int_equal(hwl_model_open("", NULL, &model, &error), HWL_E_USAGE);
}

/* ---- safetensors ---- */
static hwl_status parse(const char *json, uint64_t data, hwl_error *error, uint64_t *n)
{
    static unsigned char buf[4096];
    struct hwl_arena arena = {0};
    struct hwl_safetensors *st = NULL;
    uint64_t size = image(json, buf);
    hwl_status status = hwl_safetensors_parse(buf, size, size + data, "t.safetensors", &arena, &st, error);
    *n = status == HWL_OK ? st->n_tensors : 0;
    hwl_safetensors_close(st);
    hwl_arena_free(&arena);
    return status;
}

static void safetensors_rules(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        uint64_t data;
        hwl_status want;
    } rows[] = {
        {"{}", 0, HWL_OK},
        {"{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}   ", 16, HWL_OK},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]},\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 8, HWL_OK},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[0,0]}}", 0, HWL_OK},
        {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3, HWL_OK},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,15]}}", 15, HWL_E_FORMAT},     /* size */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 15, HWL_E_FORMAT},     /* cut off */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 17, HWL_E_FORMAT},     /* rest */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, HWL_E_FORMAT},         /* hole */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}", 6, HWL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, HWL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, HWL_E_UNSUPPORTED},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}", 4, HWL_E_OVERFLOW},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, HWL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, HWL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, HWL_E_FORMAT},
        {"[1]", 0, HWL_E_FORMAT},
        {"{\"a\":", 0, HWL_E_FORMAT},
    };
    hwl_error error;
    uint64_t n;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_status got = parse(rows[i].json, rows[i].data, &error, &n);
        if (got != rows[i].want)
            print_message("%s: %d\n", rows[i].json, got);
        assert_int_equal(got, rows[i].want);
    }
    unsigned char cap[16] = {0, 0, 0, 0, 0, 0, 0, 0x7f};
    struct hwl_arena arena = {0};
    struct hwl_safetensors *st;
    assert_int_equal(hwl_safetensors_parse(cap, sizeof cap, sizeof cap, "t", &arena, &st, &error), HWL_E_LIMIT);
    assert_int_equal(hwl_safetensors_parse(cap, 3, 3, "t", &arena, &st, &error), HWL_E_FORMAT);
    hwl_arena_free(&arena);
}

static void put_llama(struct st_writer *w, bool gptq)
{
    put(w, "model.embed_tokens.weight", "BF16", "100,64", 12800);
    put(w, "lm_head.weight", "BF16", "100,64", 12800);
    put(w, "model.norm.weight", "BF16", "64", 128);
    put(w, "model.layers.0.input_layernorm.weight", "BF16", "64", 128);
    put(w, "model.layers.0.post_attention_layernorm.weight", "BF16", "64", 128);
    static const struct {
        const char *name;
        unsigned out, in;
    } linear[] = {{"self_attn.q_proj", 64, 64}, {"self_attn.k_proj", 32, 64}, {"self_attn.v_proj", 32, 64}, {"self_attn.o_proj", 64, 64},
                  {"mlp.gate_proj", 128, 64}, {"mlp.up_proj", 128, 64}, {"mlp.down_proj", 64, 128}};
    for (unsigned i = 0; i < 7; i++) {
        char name[100], shape[40];
        unsigned out = linear[i].out, in = linear[i].in;
        static const char *const ends[] = {"qweight", "qzeros", "scales", "g_idx"};
        const unsigned dims[4][2] = {{in / 8, out}, {in / 32, out / 8}, {in / 32, out}, {in, 1}}, size[] = {4, 4, 2, 4};
        for (unsigned k = 0; k < (gptq ? 4u : 1u); k++) {
            (void)snprintf(name, sizeof name, "model.layers.0.%s.%s", linear[i].name, gptq ? ends[k] : "weight");
            (void)snprintf(shape, sizeof shape, "%u", dims[k][0]);
            if (k < 3)
                (void)snprintf(shape, sizeof shape, "%u,%u", gptq ? dims[k][0] : out, gptq ? dims[k][1] : in);
            put(w, name, gptq ? (k == 2 ? "F16" : "I32") : "BF16", shape, gptq ? (uint64_t)dims[k][0] * dims[k][1] * size[k] : (uint64_t)out * in * 2);
        }
    }
}

/* Stored weights: counts and bytes from the headers, the same whether worked out from the configuration or read. */
static void folder(void **state)
{
    (void)state;
    static const char *const quant[] = {"", ",\"quantization_config\":{\"quant_method\":\"gptq\",\"bits\":4,\"group_size\":32,\"desc_act\":false}"};
    static const char *const names[] = {"config.json", "model.safetensors", "model.safetensors.index.json", "x.safetensors"};
    for (unsigned q = 0; q < 2; q++) {
        char dir[64], config[2048];
        temporary(dir);
        int n = snprintf(config, sizeof config, "%s%s}", tiny, quant[q]);
        save(dir, "config.json", config, (uint64_t)n, (uint64_t)n);
        hwl_model *plain, *stored;
        hwl_error error = {0};
        hwl_status status = hwl_model_open(dir, NULL, &plain, &error);
        if (status != HWL_OK)
            print_message("%s\n", error.message);
        assert_int_equal(status, HWL_OK);
        struct st_writer *w = calloc(1, sizeof *w);
        unsigned char *buf = malloc(80000);
        assert_true(w && buf);
        put_llama(w, q);
        w->text[w->n++] = '}';
        uint64_t size = image(w->text, buf);
        save(dir, "model.safetensors", buf, size, size + w->at);
        assert_int_equal(hwl_model_open(dir, NULL, &stored, &error), HWL_OK);
        hwl_model_info a, b;
        hwl_model_get_info(plain, &a);
        hwl_model_get_info(stored, &b);
        assert_string_equal(a.form, "config");
        assert_string_equal(b.form, "safetensors");
        assert_int_equal(a.parameters, 2 * 6400 + 64 * 3 + 64 * 64 * 2 + 32 * 64 * 2 + 128 * 64 * 3);
        assert_int_equal(b.parameters, a.parameters);
        assert_int_equal(b.weights_bytes, w->at);
        assert_int_equal(a.weights_bytes, w->at);
        hwl_layer_info layer;
        assert_true(hwl_model_get_layer(stored, 0, &layer));
        assert_int_equal(layer.kv_bytes_per_token, 2 * 2 * 16 * 2);
        assert_int_equal(layer.parameters, a.parameters - 2 * 6400 - 64);
        hwl_model_free(stored);
        /* a file that is cut is one error */
        save(dir, "model.safetensors", buf, size, size + w->at - 1);
        assert_int_equal(hwl_model_open(dir, NULL, &stored, &error), HWL_E_FORMAT);
        hwl_model_free(plain);
        free(w);
        free(buf);
        remove_all(dir, names, 4);
    }
}

static void quantised(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        uint64_t per_64x64; /* bytes of a [64, 64] matrix */
    } rows[] = {
        {"fp8", 4096 + 4}, {"fp8-block", 4096 + 4}, {"int8", 4096 + 128}, {"awq", 2048 + 32 + 128}, {"gptq", 2048 + 32 + 128 + 256},
        {"nvfp4", 2048 + 256 + 8}, {"mxfp4", 2048 + 128}, {"nf4", 2048 + 256 + 64}, {"mlx4", 2048 + 256},
    };
    char config[2048];
    hwl_error error;
    hwl_model *model;
    int n = snprintf(config, sizeof config, "%s}", tiny);
    assert_int_equal(hwl_model_from_config(config, (uint64_t)n, "tiny", NULL, &model, &error), HWL_OK);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hwl_arena arena = {0};
        struct hwl_model *out;
        assert_int_equal(hwl_quantise(model, rows[i].type, &arena, &out, &error), HWL_OK);
        uint64_t bytes = 0;
        for (uint64_t k = 0; k < out->n_tensors; k++)
            if (out->tensors[k].role == HWL_ROLE_ATTN_OUT)
                bytes += out->tensors[k].bytes;
        if (bytes != rows[i].per_64x64)
            print_message("%s: %llu\n", rows[i].type, (unsigned long long)bytes);
        assert_int_equal(bytes, rows[i].per_64x64);
        struct hwl_model_sums a, b;
        assert_int_equal(hwl_model_sum(model, &a, &error), HWL_OK);
        assert_int_equal(hwl_model_sum(out, &b, &error), HWL_OK);
        assert_int_equal(a.parameters, b.parameters);
        hwl_arena_free(&arena);
    }
    struct hwl_arena arena = {0};
    struct hwl_model *out;
    assert_int_equal(hwl_quantise(model, "no-such", &arena, &out, &error), HWL_E_USAGE);
    hwl_model_free(model);
}

/* Things that are no files where files are looked for. */
static void hostile_paths(void **state)
{
    (void)state;
    char dir[64], path[128];
    temporary(dir);
    hwl_model *model;
    hwl_error error;
    (void)snprintf(path, sizeof path, "%s/pipe.gguf", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_not_equal(hwl_model_open(path, NULL, &model, &error), HWL_OK);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/config.json", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_not_equal(hwl_model_open(dir, NULL, &model, &error), HWL_OK);
    (void)unlink(path);
    assert_int_equal(symlink("config.json", path), 0); /* a link to itself */
    assert_int_not_equal(hwl_model_open(dir, NULL, &model, &error), HWL_OK);
    (void)unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(hwl_model_open(dir, NULL, &model, &error), HWL_OK);
    (void)rmdir(path);
    (void)rmdir(dir);
}

static void ollama_store(void **state)
{
    (void)state;
    hwl_model *model;
    hwl_error error;
    char dir[64];
    temporary(dir);
    hwl_open_options options = {.ollama = dir};
    assert_int_equal(hwl_model_open("ollama:none", &options, &model, &error), HWL_E_NOT_FOUND);
    assert_int_equal(hwl_model_open("ollama:../../x", &options, &model, &error), HWL_E_USAGE);
    assert_int_equal(hwl_model_open("ollama:none", NULL, &model, &error), HWL_E_NOT_FOUND);
    (void)rmdir(dir);
}

static void make(const char *root, const char *path)
{
    char full[600];
    (void)snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *p = full + strlen(root) + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            (void)mkdir(full, 0700);
            *p = '/';
        }
    (void)mkdir(full, 0700);
}

struct seen {
    char text[1024];
};

static bool note(void *user, const hwl_local_model *m)
{
    struct seen *s = user;
    uint64_t n = strlen(s->text);
    (void)snprintf(s->text + n, sizeof s->text - n, "%s %s %s %llu\n", m->store, m->store[0] == 'l' ? "-" : m->name, m->format,
                   (unsigned long long)m->bytes);
    return true;
}

/* A home with every store in it; names that are listed open. */
static void local_stores(void **state)
{
    (void)state;
    char home[64], text[2048], link[200], command[128];
    temporary(home);
    int n = snprintf(text, sizeof text, "%s}", tiny);
    make(home, ".cache/huggingface/hub/models--org--tiny/refs");
    make(home, ".cache/huggingface/hub/models--org--tiny/blobs");
    make(home, ".cache/huggingface/hub/models--org--tiny/snapshots/abc");
    save(home, ".cache/huggingface/hub/models--org--tiny/refs/main", "abc\n", 4, 4);
    save(home, ".cache/huggingface/hub/models--org--tiny/blobs/0123", text, (uint64_t)n, (uint64_t)n);
    (void)snprintf(link, sizeof link, "%s/.cache/huggingface/hub/models--org--tiny/snapshots/abc/config.json", home);
    assert_int_equal(symlink("../../blobs/0123", link), 0);
    make(home, ".lmstudio/models/pub/repo");
    save(home, ".lmstudio/models/pub/repo/m-00001-of-00002.gguf", "GGUF", 4, 100);
    save(home, ".lmstudio/models/pub/repo/m-00002-of-00002.gguf", "GGUF", 4, 50);
    save(home, ".lmstudio/models/pub/repo/mmproj-m.gguf", "GGUF", 4, 50);
    (void)snprintf(link, sizeof link, "%s/.lmstudio/models/pub/loop", home);
    assert_int_equal(symlink("..", link), 0);
    make(home, ".ollama/models/manifests/registry.local/library/tiny");
    make(home, ".ollama/models/blobs");
    n = snprintf(text, sizeof text, "{\"layers\":[{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":\"sha256:%064d\"},"
                 "{\"mediaType\":\"application/vnd.ollama.image.projector\",\"digest\":\"sha256:%064d\"}]}", 1, 2);
    save(home, ".ollama/models/manifests/registry.local/library/tiny/latest", text, (uint64_t)n, (uint64_t)n);
    (void)snprintf(text, sizeof text, ".ollama/models/blobs/sha256-%064d", 1);
    save(home, text, "GGUF", 4, 70);
    (void)snprintf(text, sizeof text, ".ollama/models/blobs/sha256-%064d", 2);
    save(home, text, "GGUF", 4, 7);
    make(home, ".cache/llama.cpp");
    save(home, ".cache/llama.cpp/a.gguf", "GGUF", 4, 5);
    hwl_open_options options = {.home = home};
    struct seen s = {""};
    hwl_error error;
    assert_int_equal(hwl_local_list(&options, note, &s, &error), HWL_OK);
    assert_string_equal(s.text, "ollama ollama:tiny:latest gguf 77\nhuggingface org/tiny config 0\nlmstudio - gguf 150\nllama.cpp - gguf 5\n");
    hwl_model *model;
    assert_int_equal(hwl_model_open("org/tiny", &options, &model, &error), HWL_OK);
    hwl_model_info info;
    hwl_model_get_info(model, &info);
    assert_string_equal(info.name, "org/tiny");
    hwl_model_free(model);
    assert_int_not_equal(hwl_model_open("ollama:tiny", &options, &model, &error), HWL_OK); /* 70 bytes are no GGUF */
    assert_non_null(strstr(error.file, "sha256-"));
    (void)snprintf(command, sizeof command, "rm -rf %s", home);
    assert_int_equal(system(command), 0);
}

/* An index with two files; a file that lacks what the index promises; none of them there. */
static void sharded(void **state)
{
    (void)state;
    static const char *const names[] = {"config.json", "a.safetensors", "b.safetensors", "model.safetensors.index.json"};
    static const char index[] = "{\"metadata\":{\"total_size\":8},\"weight_map\":{\"lm_head.weight\":\"a.safetensors\","
                                "\"model.extra\":\"b.safetensors\"}}";
    char dir[64], config[2048];
    temporary(dir);
    int n = snprintf(config, sizeof config, "%s}", tiny);
    save(dir, "config.json", config, (uint64_t)n, (uint64_t)n);
    save(dir, "model.safetensors.index.json", index, sizeof index - 1, sizeof index - 1);
    hwl_model *model;
    hwl_error error;
    hwl_model_info info;
    assert_int_equal(hwl_model_open(dir, NULL, &model, &error), HWL_OK);
    hwl_model_get_info(model, &info);
    assert_string_equal(info.form, "config");
    hwl_model_free(model);
    unsigned char buf[512];
    uint64_t size = image("{\"lm_head.weight\":{\"dtype\":\"BF16\",\"shape\":[100,64],\"data_offsets\":[0,12800]}}", buf);
    save(dir, "a.safetensors", buf, size, size + 12800);
    assert_int_not_equal(hwl_model_open(dir, NULL, &model, &error), HWL_OK); /* b is missing */
    size = image("{\"model.other\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", buf);
    save(dir, "b.safetensors", buf, size, size + 8);
    assert_int_equal(hwl_model_open(dir, NULL, &model, &error), HWL_E_FORMAT);
    assert_string_equal(error.key, "model.extra");
    size = image("{\"model.extra\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", buf);
    save(dir, "b.safetensors", buf, size, size + 8);
    assert_int_equal(hwl_model_open(dir, NULL, &model, &error), HWL_OK);
    hwl_model_get_info(model, &info);
    assert_int_equal(info.n_tensors, 2);
    assert_int_equal(info.parameters, 6402);
    assert_int_equal(info.weights_bytes, 12808);
    hwl_model_free(model);
    remove_all(dir, names, 4);
}

/* ModelOpt's MIXED_PRECISION: each module in its own way, what is not named plain; a module stands for those below it. */
static void mixed(void **state)
{
    (void)state;
    static const char *const names[] = {"config.json", "hf_quant_config.json"};
    static const struct {
        const char *layers;
        uint64_t bytes; /* 0: not read */
    } rows[] = {
        /* embedding and output 25,600, norms 384, K and V 8,192, O 8,192; Q 4,096 and a scale; three of 4,096 + 512 + 4 + 4 */
        {"\"model.layers.0.self_attn.q_proj\":{\"quant_algo\":\"FP8\"},\"model.layers.0.mlp\":{\"quant_algo\":\"NVFP4\",\"group_size\":16}",
         25600 + 384 + 8192 + 8192 + 4100 + 3 * 4616},
        {"\"model.layers.0.mlp.up_proj\":{\"quant_algo\":\"FP8\"}", 25600 + 384 + 24576 + 2 * 16384 + 8196},
        {"\"model.layers.0.mlp.up_proj\":{\"quant_algo\":\"FP3\"}", 0},
        {"\"model.layers.0.mlp.up_proj\":7", 0},
        {"", 0},
        {"\"model.layers.9.mlp.up_proj\":{\"quant_algo\":\"FP8\"}", 25600 + 384 + 24576 + 3 * 16384},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char dir[64], text[1024];
        hwl_error error = {0};
        hwl_model *model;
        temporary(dir);
        int n = snprintf(text, sizeof text, "%s}", tiny);
        save(dir, names[0], text, (uint64_t)n, (uint64_t)n);
        n = snprintf(text, sizeof text, "{\"quantization\":{\"quant_algo\":\"MIXED_PRECISION\",\"quantized_layers\":{%s}}}", rows[i].layers);
        save(dir, names[1], text, (uint64_t)n, (uint64_t)n);
        const hwl_status status = hwl_model_open(dir, NULL, &model, &error);
        assert_int_equal(status, rows[i].bytes ? HWL_OK : HWL_E_UNSUPPORTED);
        if (status == HWL_OK) {
            hwl_model_info info;
            hwl_model_get_info(model, &info);
            assert_int_equal(info.weights_bytes, rows[i].bytes);
            assert_int_equal(info.parameters, 12800 + 192 + 12288 + 24576);
            hwl_model_free(model);
        }
        remove_all(dir, names, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_reads), cmocka_unit_test(catalogue_opens), cmocka_unit_test(catalogue_names),
        cmocka_unit_test(safetensors_rules), cmocka_unit_test(folder), cmocka_unit_test(quantised),
        cmocka_unit_test(hostile_paths), cmocka_unit_test(ollama_store), cmocka_unit_test(local_stores),
        cmocka_unit_test(sharded),       cmocka_unit_test(mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
