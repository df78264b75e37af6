/* SPDX-License-Identifier: Apache-2.0 */
/* The public interface of libllama and ggml as this harness needs it, loaded with dlopen and without their headers: struct layouts of
 * llama.cpp 0.5.0 / ggml 0.25 (and of 63d93d173, early 2026), checked by "oracle LIBDIR probe". */
#ifndef HWL_TESTS_ORACLE_ABI_H
#define HWL_TESTS_ORACLE_ABI_H

#include <dirent.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DIE(...)                                                                                                                           \
    do {                                                                                                                                   \
        fprintf(stderr, __VA_ARGS__);                                                                                                      \
        fputc('\n', stderr);                                                                                                               \
        exit(2);                                                                                                                           \
    } while (0)


struct tensor {
    int32_t type;
    int32_t pad0;
    struct buffer *buffer;
    int64_t ne[4];
    size_t nb[4];
    int32_t op;
    int32_t op_params[16];
    int32_t flags;
    struct tensor *src[10];
    struct tensor *view_src;
    size_t view_offs;
    void *data;
    char name[64];
    void *extra;
    char padding[8];
};
typedef struct buffer_type buffer_type;
typedef struct device device;
typedef struct reg reg;
typedef struct buffer buffer;
typedef struct backend backend;
typedef struct event event;
struct buffer_type_i {
    const char *(*get_name)(buffer_type *);
    buffer *(*alloc_buffer)(buffer_type *, size_t);
    size_t (*get_alignment)(buffer_type *);
    size_t (*get_max_size)(buffer_type *);
    size_t (*get_alloc_size)(buffer_type *, const struct tensor *);
    bool (*is_host)(buffer_type *);
};
struct buffer_type {
    struct buffer_type_i iface;
    device *device;
    void *context;
};
struct buffer_i {
    void (*free_buffer)(buffer *);
    void *(*get_base)(buffer *);
    int (*init_tensor)(buffer *, struct tensor *);
    void (*memset_tensor)(buffer *, struct tensor *, uint8_t, size_t, size_t);
    void (*set_tensor)(buffer *, struct tensor *, const void *, size_t, size_t);
    void (*get_tensor)(buffer *, const struct tensor *, void *, size_t, size_t);
    void (*set_tensor_2d)(void);
    void (*get_tensor_2d)(void);
    bool (*cpy_tensor)(buffer *, const struct tensor *, struct tensor *);
    void (*clear)(buffer *, uint8_t);
    void (*reset)(buffer *);
};
struct buffer {
    struct buffer_i iface;
    buffer_type *buft;
    void *context;
    size_t size;
    int usage;
};
struct backend_i {
    const char *(*get_name)(backend *);
    void (*free)(backend *);
    void (*set_tensor_async)(backend *, struct tensor *, const void *, size_t, size_t);
    void (*get_tensor_async)(backend *, const struct tensor *, void *, size_t, size_t);
    void (*set2d)(void);
    void (*get2d)(void);
    bool (*cpy_tensor_async)(backend *, backend *, const struct tensor *, struct tensor *);
    void (*synchronize)(backend *);
    void *plan[4];
    int (*graph_compute)(backend *, void *);
    void (*event_record)(backend *, event *);
    void (*event_wait)(backend *, event *);
    void (*graph_optimize)(backend *, void *, void *);
};
struct backend {
    void *guid;
    struct backend_i iface;
    device *device;
    void *context;
};
struct event {
    device *device;
    void *context;
};
struct caps {
    bool async, host_buffer, buffer_from_host_ptr, events, mmap_support;
};
struct props {
    const char *name, *description;
    size_t memory_free, memory_total;
    int type;
    const char *device_id;
    struct caps caps;
};
struct device_i {
    const char *(*get_name)(device *);
    const char *(*get_description)(device *);
    void (*get_memory)(device *, size_t *, size_t *);
    int (*get_type)(device *);
    void (*get_props)(device *, struct props *);
    backend *(*init_backend)(device *, const char *);
    buffer_type *(*get_buffer_type)(device *);
    buffer_type *(*get_host_buffer_type)(device *);
    buffer *(*buffer_from_host_ptr)(device *, void *, size_t, size_t);
    bool (*supports_op)(device *, const struct tensor *);
    bool (*supports_buft)(device *, buffer_type *);
    bool (*offload_op)(device *, const struct tensor *);
    event *(*event_new)(device *);
    void (*event_free)(device *, event *);
    void (*event_synchronize)(device *, event *);
};
struct device {
    struct device_i iface;
    reg *reg;
    void *context;
};
struct reg_i {
    const char *(*get_name)(reg *);
    size_t (*get_device_count)(reg *);
    device *(*get_device)(reg *, size_t);
    void *(*get_proc_address)(reg *, const char *);
};
struct reg {
    int api_version;
    struct reg_i iface;
    void *context;
};

struct buft_override {
    const char *pattern;
    buffer_type *buft;
};
struct mparams {
    device **devices;
    const struct buft_override *ovr;
    int32_t ngl, split_mode, load_mode, lazy_mode, main_gpu;
    const float *ts;
    void *pcb, *pcb_ud;
    const void *kvo;
    bool vocab_only, check_tensors, use_extra_bufts, no_host, no_alloc, load_mtp;
    char slack[64];
};
struct cparams {
    uint32_t n_ctx, n_batch, n_ubatch, n_seq_max, n_rs_seq, n_outputs_max, n_outputs_max_per_seq;
    int32_t n_threads, n_threads_batch, ctx_type, rope_scaling, pooling, attention, fa;
    float f[6];
    uint32_t yarn_orig_ctx;
    float defrag;
    void *cb_eval, *cb_ud;
    int32_t type_k, type_v;
    void *abort_cb, *abort_ud;
    bool embeddings, offload_kqv, no_perf, op_offload, swa_full, kv_unified;
    void *samplers;
    size_t n_samplers;
    void *ctx_other;
    char slack[64];
};
struct qparams {
    int32_t nthread, ftype, out_type, emb_type;
    bool allow_requantize, quantize_output, only_copy, pure, keep_split, dry_run;
    void *p[5];
    size_t max_buf;
    char slack[64];
};


static void *h_llama, *h_base, *h_ggml;
static void *sym(const char *n, bool must)
{
    void *p = dlsym(h_llama, n);
    if (!p)
        p = dlsym(h_ggml, n);
    if (!p)
        p = dlsym(h_base, n);
    if (!p && must)
        DIE("missing symbol %s", n);
    return p;
}
#define FN(ret, name, ...) static ret (*name)(__VA_ARGS__)
FN(struct mparams, llama_model_default_params, void);
FN(struct cparams, llama_context_default_params, void);
FN(struct qparams, llama_model_quantize_default_params, void);
FN(void *, llama_model_load_from_file, const char *, struct mparams);
FN(void *, llama_model_init_from_user, void *, void *, void *, struct mparams);
FN(void *, llama_init_from_model, void *, struct cparams);
FN(uint64_t, llama_model_size, const void *);
FN(uint64_t, llama_model_n_params, const void *);
FN(void, llama_log_set, void (*)(int, const char *, void *), void *);
FN(void, llama_backend_init, void);
FN(uint32_t, llama_n_ctx, const void *);
FN(uint32_t, llama_n_ctx_seq, const void *);
FN(int32_t, llama_model_n_layer, const void *);
FN(void, llama_free, void *);
FN(void, get_breakdown, void *, const void *);
FN(const char *, ggml_op_name, int);
FN(const char *, ggml_type_name, int);
FN(size_t, ggml_nbytes, const struct tensor *);
FN(size_t, ggml_row_size, int, int64_t);
FN(int64_t, ggml_blck_size, int);
FN(bool, ggml_is_quantized, int);
FN(const char *, buft_name, buffer_type *);
FN(bool, buft_is_host, buffer_type *);
FN(buffer *, buft_alloc, buffer_type *, size_t);
FN(buffer_type *, cpu_buft, void);
FN(buffer *, buffer_init, buffer_type *, struct buffer_i, void *, size_t);
FN(void, ggml_backend_register, reg *);
FN(void, ggml_backend_load_all_from_path, const char *);
FN(void *, ggml_backend_load, const char *);
FN(size_t, ggml_backend_dev_count, void);
FN(device *, ggml_backend_dev_get, size_t);

// older layout (checked with llama.cpp 63d93d173, early 2026: ggml 0.10.2); the values are carried over field by field
static bool old_layout;
static struct mparams out_m(struct mparams m)
{
    if (!old_layout)
        return m;
    struct mparams r;
    memset(&r, 0, sizeof r);
    char *b = (char *)&r;
    bool mm = m.load_mode == 1;
    memcpy(b, &m.devices, 8);
    memcpy(b + 8, &m.ovr, 8);
    memcpy(b + 16, &m.ngl, 4);
    memcpy(b + 20, &m.split_mode, 4);
    memcpy(b + 24, &m.main_gpu, 4);
    memcpy(b + 32, &m.ts, 8);
    b[65] = mm;
    b[69] = m.use_extra_bufts;
    b[70] = m.no_host;
    b[71] = m.no_alloc;
    return r;
}
static struct cparams out_x(struct cparams x)
{
    if (!old_layout)
        return x;
    struct cparams r;
    memset(&r, 0, sizeof r);
    char *b = (char *)&r;
    int32_t h[10] = {
        (int32_t)x.n_ctx, (int32_t)x.n_batch, (int32_t)x.n_ubatch, (int32_t)x.n_seq_max, x.n_threads, x.n_threads_batch, -1, -1, -1, x.fa};
    float f[6] = {0, 0, -1, -1, -1, -1};
    memcpy(b, h, 40);
    memcpy(b + 40, f, 24);
    f[0] = -1;
    memcpy(b + 68, f, 4);
    memcpy(b + 88, &x.type_k, 8);
    memcpy(b + 112, &x.embeddings, 6);
    return r;
}
static void detect_layout(void)
{
    old_layout = sym("llama_version", false) == NULL;
}

static char *find_lib(const char *dir, const char *stem)
{
    DIR *d = opendir(dir);
    if (!d)
        DIE("no dir %s", dir);
    static char out[8][4096];
    static int k;
    char *o = out[k++ & 7];
    o[0] = 0;
    struct dirent *e;
    while ((e = readdir(d))) {
        size_t n = strlen(stem);
        if (!strncmp(e->d_name, stem, n) && e->d_name[n] == '.' && strstr(e->d_name, ".so")) {
            snprintf(o, 4096, "%s/%s", dir, e->d_name);
            break;
        }
    }
    closedir(d);
    if (!o[0])
        DIE("no %s in %s", stem, dir);
    return o;
}
static void load(const char *dir)
{
    if (!(h_base = dlopen(find_lib(dir, "libggml-base"), RTLD_NOW | RTLD_GLOBAL)))
        DIE("%s", dlerror());
    if (!(h_ggml = dlopen(find_lib(dir, "libggml"), RTLD_NOW | RTLD_GLOBAL)))
        DIE("%s", dlerror());
    if (!(h_llama = dlopen(find_lib(dir, "libllama"), RTLD_NOW | RTLD_GLOBAL)))
        DIE("%s", dlerror());
#define S(v) *(void **)&v = sym(#v, true)
#define SN(v, n) *(void **)&v = sym(n, true)
    S(llama_model_default_params);
    S(llama_context_default_params);
    S(llama_model_quantize_default_params);
    S(llama_model_load_from_file);
    *(void **)&llama_model_init_from_user = sym("llama_model_init_from_user", false);
    S(llama_init_from_model);
    S(llama_model_size);
    S(llama_model_n_params);
    S(llama_log_set);
    S(llama_backend_init);
    S(llama_n_ctx);
    S(llama_n_ctx_seq);
    S(llama_model_n_layer);
    S(llama_free);
    S(ggml_op_name);
    S(ggml_type_name);
    S(ggml_nbytes);
    S(ggml_row_size);
    S(ggml_blck_size);
    S(ggml_is_quantized);
    S(ggml_backend_register);
    S(ggml_backend_load_all_from_path);
    S(ggml_backend_load);
    S(ggml_backend_dev_count);
    S(ggml_backend_dev_get);
    SN(buft_name, "ggml_backend_buft_name");
    SN(buft_is_host, "ggml_backend_buft_is_host");
    SN(buft_alloc, "ggml_backend_buft_alloc_buffer");
    SN(cpu_buft, "ggml_backend_cpu_buffer_type");
    SN(buffer_init, "ggml_backend_buffer_init");
    SN(get_breakdown, "_Z26llama_get_memory_breakdownPK13llama_context");
}

#endif
