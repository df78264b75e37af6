/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a real llama.cpp library what it would allocate.
 *   oracle LIBDIR probe                         the struct layouts that it has
 *   oracle LIBDIR enum META.gguf [exp=..]       every tensor that the architecture would create for this metadata
 *   oracle LIBDIR qtypes MODEL.gguf FTYPE       the types that its quantiser would choose
 *   oracle LIBDIR run MODEL.gguf key=value...   loads, makes a context, prints its buffers as one JSON object
 *   oracle LIBDIR run MODEL.gguf graph=FILE ..  and writes every reserved graph
 *   oracle LIBDIR fit MODEL.gguf key=value...   the same after the library's own --fit
 * devs=FREE_MIB[/TOTAL_MIB],... makes GPUs. LIBDIR holds libllama, libggml-base, libggml and the CPU back ends (tools/fetch_llamacpp.sh). */
#include "abi.h"
#include "libc.h"

#include "graph_dump.h"
#include "mock_devices.h"

static char *logbuf;
static size_t log_n, log_cap;
static void log_cb(int level, const char *text, void *ud)
{
    (void)level;
    (void)ud;
    size_t n = strlen(text);
    if (log_n + n + 1 > log_cap) {
        log_cap = (log_n + n + 1) * 2;
        logbuf = realloc(logbuf, log_cap);
    }
    memcpy(logbuf + log_n, text, n + 1);
    log_n += n;
}
static void jstr(const char *s, size_t n)
{
    putchar('"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 32 || c > 126)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}
static const char *keep[] = {"buffer size", "cells",    "size = ",  "creating ", "graph", "splits",      "offload",
                             "assigned to", "pipeline", "n_ctx",    "flash",     "Flash", "not support", "fused",
                             "enabled",     "disabled", "error",    "fail",      "wrong", "missing",     "unused",
                             "requires",    "copies",   "n_ubatch", "n_batch",   "lazy",  "Indexer",     NULL};
static void print_log(bool all)
{
    bool first = true;
    char *p = logbuf;
    putchar('[');
    while (p && *p) {
        char *e = strchr(p, '\n');
        size_t n = e ? (size_t)(e - p) : strlen(p);
        bool k = all;
        for (int i = 0; !k && keep[i]; i++)
            k = memmem(p, n, keep[i], strlen(keep[i])) != NULL;
        if (!all && (memmem(p, n, "input tensor '", 14) || memmem(p, n, "graph_reserve: ", 15) || memmem(p, n, "loading tensor", 14)))
            k = false;
        if (k && n < 2000) {
            if (!first)
                putchar(',');
            first = false;
            jstr(p, n);
        }
        p = e ? e + 1 : p + n;
    }
    putchar(']');
}
// std::map<buffer type, {model, context, compute}> as libstdc++ lays it out
static void print_breakdown(const void *ctx)
{
    struct node {
        int color;
        struct node *parent, *left, *right;
        buffer_type *k;
        size_t model, context, compute;
    };
    struct {
        void *cmp;
        int color;
        struct node *root, *left, *right;
        size_t n;
    } m;
    memset(&m, 0, sizeof m);
    get_breakdown(&m, ctx);
    struct node *st[64];
    int sp = 0;
    struct node *x = m.root;
    bool first = true;
    putchar('[');
    while (sp || x) {
        while (x) {
            st[sp++] = x;
            x = x->left;
        }
        x = st[--sp];
        printf("%s{\"backend\":\"%s\",\"host\":%s,\"model\":%zu,\"context\":%zu,\"compute\":%zu}", first ? "" : ",", buft_name(x->k),
               buft_is_host(x->k) ? "true" : "false", x->model, x->context, x->compute);
        first = false;
        x = x->right;
    }
    putchar(']');
}

static const char *arg(int c, char **v, const char *k, const char *def)
{
    size_t n = strlen(k);
    for (int i = 0; i < c; i++)
        if (!strncmp(v[i], k, n) && v[i][n] == '=')
            return v[i] + n + 1;
    return def;
}
static int type_id(const char *s)
{
    for (int i = 0; i < 64; i++) {
        const char *n = ggml_type_name(i);
        if (n && !strcmp(n, s))
            return i;
    }
    DIE("type %s", s);
}
static bool first_t = true;
static void enum_cb(struct tensor *t, void *ud)
{
    (void)ud;
    int nd = 4;
    while (nd > 1 && t->ne[nd - 1] == 1)
        nd--;
    printf("%s[\"%s\",\"%s\"", first_t ? "" : ",\n", t->name, ggml_type_name(t->type));
    first_t = false;
    for (int i = 0; i < nd; i++)
        printf(",%" PRId64, t->ne[i]);
    putchar(']');
}
struct gguf_params {
    bool no_alloc;
    void **ctx;
};
static void init_backends(const char *dir, const char *cpu)
{
    llama_log_set(log_cb, NULL);
    llama_backend_init();
    if (ggml_backend_dev_count() == 0) {
        char p[4200];
        snprintf(p, sizeof p, "%s/libggml-cpu-%s.so", dir, cpu);
        if (!ggml_backend_load(p))
            DIE("cannot load %s", p);
    }
}
int main(int argc, char **argv)
{
    if (argc < 3)
        DIE("usage: oracle LIBDIR probe|enum|qtypes|run ...");
    const char *dir = argv[1], *cmd = argv[2];
    load(dir);
    detect_layout();
    int c = argc - 4;
    char **v = argv + 4;
    const char *cpu = arg(c > 0 ? c : 0, v, "cpu", "haswell");
    if (!strcmp(cmd, "probe")) {
        struct mparams m = llama_model_default_params();
        struct cparams x = llama_context_default_params();
        const char *(*ver)(void) = (const char *(*)(void))sym("llama_version", false);
        bool ok = old_layout
                      ? x.n_ctx == 512 && x.n_ubatch == 512
                      : m.ngl == -1 && m.split_mode == 1 && m.use_extra_bufts && !m.no_alloc && x.n_ctx == 512 && x.n_batch == 2048 &&
                            x.fa == -1 && x.type_k == 1 && x.type_v == 1 && x.offload_kqv && x.swa_full && !x.kv_unified;
        printf("{\"version\":\"%s\",\"layout_ok\":%s,\"old_layout\":%s}\n", ver ? ver() : "?", ok ? "true" : "false",
               old_layout ? "true" : "false");
        return !ok;
    }
    if (argc < 4)
        DIE("need a file");
    if (!strcmp(cmd, "enum")) {
        init_backends(dir, cpu);
        mock_strict = false;
        mock_events = false;
        mock_register("1000000000");
        void *(*gi)(const char *, struct gguf_params) = (void *(*)(const char *, struct gguf_params))sym("gguf_init_from_file", true);
        void *g = gi(argv[3], (struct gguf_params){true, NULL});
        if (!g)
            DIE("gguf");
        struct mparams m = llama_model_default_params();
        m.load_mode = 0;
        m.load_mtp = atoi(arg(c, v, "mtp", "1"));
        m.use_extra_bufts = false;
        putchar('[');
        void *mod = llama_model_init_from_user(g, (void *)enum_cb, NULL, m);
        puts("]");
        if (!mod) {
            fprintf(stderr, "%s\n", logbuf ? logbuf : "");
            return 1;
        }
        return 0;
    }
    if (!strcmp(cmd, "qtypes")) {
        init_backends(dir, cpu);
        // tensors come from the file itself; the model supplies hparams
        void *(*gi)(const char *, struct gguf_params) = (void *(*)(const char *, struct gguf_params))sym("gguf_init_from_file", true);
        struct tensor *(*first)(void *) = (struct tensor * (*)(void *)) sym("ggml_get_first_tensor", true);
        struct tensor *(*next)(void *, struct tensor *) = (struct tensor * (*)(void *, struct tensor *)) sym("ggml_get_next_tensor", true);
        void *(*qi)(void *, void *) =
            (void *(*)(void *, void *))sym("_Z16llama_quant_initPK11llama_modelPK27llama_model_quantize_params", true);
        bool (*qa)(void *, struct tensor *) = (bool (*)(void *, struct tensor *))sym(
            "_Z38llama_quant_tensor_allows_quantizationPK19quantize_state_implPK11ggml_tensor", true);
        void (*qc)(void *, int, struct tensor **, int *, size_t) = (void (*)(void *, int, struct tensor **, int *, size_t))sym(
            "_Z25llama_quant_compute_typesP19quantize_state_impl11llama_ftypePP11ggml_tensorP9ggml_typem", true);
        void *ctx = NULL;
        void *g = gi(argv[3], (struct gguf_params){true, &ctx});
        if (!g)
            DIE("gguf");
        struct mparams m = llama_model_default_params();
        m.no_alloc = true;
        m.load_mode = 0;
        m.use_extra_bufts = false;
        m.load_mtp = true;
        void *mod = llama_model_load_from_file(argv[3], out_m(m));
        if (!mod) {
            fprintf(stderr, "%s\n", logbuf);
            return 1;
        }
        struct qparams q = llama_model_quantize_default_params();
        q.ftype = atoi(argv[4]);
        void *qs = qi(mod, &q);
        struct tensor **ts = calloc(200000, sizeof *ts);
        size_t n = 0;
        for (struct tensor *t = first(ctx); t; t = next(ctx, t))
            if (qa(qs, t))
                ts[n++] = t;
        // llama-quantize walks tensors in file order sorted by name within layers as the loader lists them
        int *ty = calloc(n + 1, sizeof *ty);
        qc(qs, q.ftype, ts, ty, n);
        putchar('{');
        for (size_t i = 0; i < n; i++)
            printf("%s\"%s\":\"%s\"", i ? ",\n" : "", ts[i]->name, ggml_type_name(ty[i]));
        puts("}");
        return 0;
    }
    bool fit = !strcmp(cmd, "fit");
    if (!fit && strcmp(cmd, "run"))
        DIE("command");
    const char *o;
    mock_events = atoi(arg(c, v, "events", "1"));
    mock_host = atoi(arg(c, v, "host_buffer", "1"));
    mock_cuda_fa = atoi(arg(c, v, "fa_f16_copy", "1"));
    mock_align = (size_t)atoi(arg(c, v, "align", "128"));
    mock_rowpad = atoi(arg(c, v, "rowpad", "512"));
    mock_strict = atoi(arg(c, v, "strict", "1"));
    init_backends(dir, cpu);
    if ((o = arg(c, v, "devs", NULL)))
        mock_register(o);
    struct mparams m = llama_model_default_params();
    struct cparams x = llama_context_default_params();
    if (old_layout) {
        memset(&m, 0, sizeof m);
        memset(&x, 0, sizeof x);
        x.no_perf = true;
    }
    m.no_alloc = atoi(arg(c, v, "no_alloc", "1"));
    if (m.no_alloc)
        m.load_mode = 0;
    if ((o = arg(c, v, "load_mode", NULL)))
        m.load_mode = atoi(o);
    m.use_extra_bufts = atoi(arg(c, v, "extra_bufts", "1"));
    m.load_mtp = atoi(arg(c, v, "load_mtp", "0"));
    m.ngl = atoi(arg(c, v, "ngl", "-1"));
    m.split_mode = atoi(arg(c, v, "split_mode", "1"));
    m.main_gpu = atoi(arg(c, v, "main_gpu", "0"));
    static float ts[128];
    if ((o = arg(c, v, "ts", NULL))) {
        char *s = strdup(o);
        int i = 0;
        for (char *p = strtok(s, "/"); p; p = strtok(NULL, "/"))
            ts[i++] = strtof(p, NULL);
        m.ts = ts;
    }
    static struct buft_override ov[512];
    int no = 0;
    if ((o = arg(c, v, "ot", NULL))) { // regex@BUFT;regex@BUFT
        char *s = strdup(o);
        for (char *p = strtok(s, ";"); p; p = strtok(NULL, ";")) {
            char *a = strrchr(p, '@');
            if (!a)
                DIE("ot");
            *a++ = 0;
            ov[no].pattern = p;
            buffer_type *bt = !strcmp(a, "CPU") ? cpu_buft() : NULL;
            for (int i = 0; i < n_mock; i++)
                if (!strcmp(a, mock_name[i]))
                    bt = &mock_buft[i];
            if (!bt)
                DIE("ot buffer %s", a);
            ov[no++].buft = bt;
        }
    }
    for (int i = 0, n = atoi(arg(c, v, "ncmoe", "0")); i < n; i++) {
        char *s = malloc(80);
        snprintf(s, 80, "blk\\.%d\\.ffn_(up|down|gate|gate_up)_(ch|)exps", i);
        ov[no].pattern = s;
        ov[no++].buft = cpu_buft();
    }
    if (no)
        m.ovr = ov;
    x.n_ctx = (uint32_t)atoi(arg(c, v, "n_ctx", "512"));
    x.n_batch = (uint32_t)atoi(arg(c, v, "n_batch", "2048"));
    x.n_ubatch = (uint32_t)atoi(arg(c, v, "n_ubatch", "512"));
    x.n_seq_max = (uint32_t)atoi(arg(c, v, "n_seq_max", "1"));
    x.n_rs_seq = (uint32_t)atoi(arg(c, v, "n_rs_seq", "0"));
    x.n_outputs_max = (uint32_t)atoi(arg(c, v, "n_outputs_max", "0"));
    if ((o = arg(c, v, "n_outputs_max_per_seq", NULL)))
        x.n_outputs_max_per_seq = (uint32_t)atoi(o);
    o = arg(c, v, "fa", "auto");
    x.fa = !strcmp(o, "auto") ? -1 : !strcmp(o, "on") ? 1 : 0;
    x.type_k = type_id(arg(c, v, "type_k", "f16"));
    x.type_v = type_id(arg(c, v, "type_v", "f16"));
    x.embeddings = atoi(arg(c, v, "embeddings", "0"));
    x.offload_kqv = atoi(arg(c, v, "offload_kqv", "1"));
    x.op_offload = atoi(arg(c, v, "op_offload", "1"));
    x.swa_full = atoi(arg(c, v, "swa_full", "0"));
    x.kv_unified = atoi(arg(c, v, "kv_unified", "0"));
    x.n_threads = x.n_threads_batch = 1;
    if ((o = arg(c, v, "ctx_type", NULL)))
        x.ctx_type = atoi(o);
    if ((o = arg(c, v, "rpc", NULL))) { // HOST:PORT,... of rpc servers on loopback
        void *h = dlopen(find_lib(dir, "libggml-rpc"), RTLD_NOW | RTLD_GLOBAL);
        if (!h)
            DIE("%s", dlerror());
        reg *(*add)(const char *) = (reg * (*)(const char *)) dlsym(h, "ggml_backend_rpc_add_server");
        char *s = strdup(o);
        for (char *p = strtok(s, ","); p; p = strtok(NULL, ","))
            ggml_backend_register(add(p));
    }
    if ((o = arg(c, v, "graph", NULL))) {
        graph_out = fopen(o, "w");
        if (!graph_out)
            DIE("cannot write %s", o);
        *(void **)&dump_alloc_size = sym("ggml_backend_buft_get_alloc_size", true);
    }
    int status = -1;
    if (fit) {
        void *h = dlopen(find_lib(dir, "libllama-common"), RTLD_NOW | RTLD_GLOBAL);
        if (!h)
            DIE("%s", dlerror());
        int (*fp)(const char *, struct mparams *, struct cparams *, float *, struct buft_override *, size_t *, uint32_t, const void *,
                  int) =
            (int (*)(const char *, struct mparams *, struct cparams *, float *, struct buft_override *, size_t *, uint32_t, const void *,
                     int))dlsym(h, "_Z17common_fit_paramsPKcP18llama_model_paramsP20llama_context_paramsPfP32llama_model_tensor_buft_"
                                   "overridePmjPK22common_fit_extra_model14ggml_log_level");
        if (!fp)
            DIE("no common_fit_params");
        static float fts[128];
        static struct buft_override fov[8192];
        static size_t margin[128];
        for (int i = 0; i < 128; i++)
            margin[i] = (size_t)atoi(arg(c, v, "margin", "1024")) << 20;
        struct mparams keepm = m;
        m.no_alloc = false;
        status = fp(argv[3], &m, &x, fts, fov, margin, (uint32_t)atoi(arg(c, v, "n_ctx_min", "4096")), NULL, 4);
        log_n = 0;
        if (logbuf)
            logbuf[0] = 0;
        m.no_alloc = keepm.no_alloc;
        m.load_mode = keepm.load_mode;
        printf("{\"fit\":{\"status\":%d,\"n_ctx\":%u,\"ngl\":%d,\"tensor_split\":[", status, x.n_ctx, m.ngl);
        for (int i = 0; i < n_mock; i++)
            printf("%s%g", i ? "," : "", (double)(m.ts ? m.ts[i] : 0));
        printf("],\"overrides\":[");
        for (int i = 0; m.ovr && m.ovr[i].pattern; i++) {
            printf(i ? ",[" : "[");
            jstr(m.ovr[i].pattern, strlen(m.ovr[i].pattern));
            printf(",\"%s\"]", buft_name(m.ovr[i].buft));
        }
        printf("]}}\n");
        fflush(stdout);
    }
    void *mod = llama_model_load_from_file(argv[3], out_m(m));
    void *ctx = mod ? llama_init_from_model(mod, out_x(x)) : NULL;
    const char *(*ver)(void) = (const char *(*)(void))sym("llama_version", false);
    printf("{\"ok\":%s,\"version\":\"%s\"", ctx ? "true" : "false", ver ? ver() : "?");
    if (mod)
        printf(",\"model_bytes\":%" PRIu64 ",\"n_params\":%" PRIu64 ",\"n_layer\":%d", llama_model_size(mod), llama_model_n_params(mod),
               llama_model_n_layer(mod));
    if (ctx) {
        printf(",\"n_ctx\":%u,\"n_ctx_seq\":%u,\"breakdown\":", llama_n_ctx(ctx), llama_n_ctx_seq(ctx));
        print_breakdown(ctx);
    }
    printf(",\"log\":");
    print_log(atoi(arg(c, v, "verbose", "0")));
    puts("}");
    fflush(stdout);
    if (graph_out)
        fclose(graph_out);
    _Exit(ctx ? 0 : 1);
}
