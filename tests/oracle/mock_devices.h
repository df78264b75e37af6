/* SPDX-License-Identifier: Apache-2.0 */
/* GPUs that behave towards loader, scheduler and allocator as the CUDA back end does (alignment 128, rows of quantised tensors padded to
 * 512, host buffer, events, op offload from 32 rows, flash-attention head sizes), but own no memory and compute nothing. */
#ifndef HWL_TESTS_ORACLE_MOCK_DEVICES_H
#define HWL_TESTS_ORACLE_MOCK_DEVICES_H

#define MAXDEV 16
static int n_mock;
static bool mock_cuda_fa = true, mock_events = true, mock_host = true, mock_strict = true;
static size_t mock_free[MAXDEV], mock_total[MAXDEV];
static device mock_dev[MAXDEV];
static buffer_type mock_buft[MAXDEV];
static char mock_name[MAXDEV][16];
static reg mock_reg;
static buffer_type host_buft;

static int dev_index(const device *d)
{
    return (int)(d - mock_dev);
}
static const char *bt_name(buffer_type *b)
{
    return mock_name[b - mock_buft];
}
static void nop_free(buffer *b)
{
    (void)b;
}
static void *fake_base(buffer *b)
{
    return b->context;
}
static void nop_memset(buffer *b, struct tensor *t, uint8_t v, size_t o, size_t s)
{
    (void)b;
    (void)t;
    (void)v;
    (void)o;
    (void)s;
}
static void nop_set(buffer *b, struct tensor *t, const void *p, size_t o, size_t s)
{
    (void)b;
    (void)t;
    (void)p;
    (void)o;
    (void)s;
}
static void nop_get(buffer *b, const struct tensor *t, void *p, size_t o, size_t s)
{
    (void)b;
    (void)t;
    (void)p;
    (void)o;
    (void)s;
}
static bool yes_cpy(buffer *b, const struct tensor *s, struct tensor *d)
{
    (void)b;
    (void)s;
    (void)d;
    return true;
}
static void nop_clear(buffer *b, uint8_t v)
{
    (void)b;
    (void)v;
}
static buffer *bt_alloc(buffer_type *bt, size_t size)
{
    static uintptr_t next = (uintptr_t)1 << 44;
    struct buffer_i i = {nop_free, fake_base, NULL, nop_memset, nop_set, nop_get, NULL, NULL, yes_cpy, nop_clear, NULL};
    void *base = (void *)next;
    next += ((size + 0xfffff) & ~(size_t)0xfffff) + 0x100000;
    return buffer_init(bt, i, base, size);
}
static size_t mock_align = 128;
static int64_t mock_rowpad = 512;
static size_t bt_align(buffer_type *b)
{
    (void)b;
    return mock_align;
}
static size_t pad_to(size_t x, size_t a)
{
    return (x + a - 1) / a * a;
}
static int64_t nelem(const struct tensor *t)
{
    return t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
}
static size_t fa_size(const struct tensor *t)
{
    size_t s = ggml_nbytes(t);
    const struct tensor *q = t->src[0], *k = t->src[1], *v = t->src[2];
    if (!q || !k || !v || !mock_cuda_fa)
        return s;
    bool vec = q->ne[1] <= 2 && q->ne[0] <= 256 && q->ne[0] % 64 == 0 && q->ne[0] != 192;
    if (vec)
        return s;
    bool kv_view = v->view_src && (v->view_src == k || (v->view_src == k->view_src && v->view_offs == k->view_offs));
    if (k->type != 1)
        s = pad_to(s, 128) + (size_t)nelem(k) * 2;
    if (v->type != 1 && !kv_view)
        s = pad_to(s, 128) + (size_t)nelem(v) * 2;
    return s;
}
static size_t bt_alloc_size(buffer_type *b, const struct tensor *t)
{
    (void)b;
    size_t s = !strcmp(ggml_op_name(t->op), "FLASH_ATTN_EXT") ? fa_size(t) : ggml_nbytes(t);
    if (mock_rowpad && ggml_is_quantized(t->type) && t->ne[0] % mock_rowpad)
        s += ggml_row_size(t->type, mock_rowpad - t->ne[0] % mock_rowpad);
    return s;
}
static const char *hb_name(buffer_type *b)
{
    (void)b;
    return "GPU_Host";
}
static buffer *hb_alloc(buffer_type *b, size_t s)
{
    buffer *x = buft_alloc(cpu_buft(), s);
    if (x)
        x->buft = b;
    return x;
}
static const char *d_name(device *d)
{
    return mock_name[dev_index(d)];
}
static const char *d_desc(device *d)
{
    (void)d;
    return "mock GPU";
}
static void d_mem(device *d, size_t *f, size_t *t)
{
    *f = mock_free[dev_index(d)];
    *t = mock_total[dev_index(d)];
}
static int d_type(device *d)
{
    (void)d;
    return 1;
}
static void d_props(device *d, struct props *p)
{
    memset(p, 0, sizeof *p);
    p->name = d_name(d);
    p->description = d_desc(d);
    d_mem(d, &p->memory_free, &p->memory_total);
    p->type = 1;
    p->device_id = NULL;
    p->caps = (struct caps){true, mock_host, false, mock_events, true};
}
static const char *b_name(backend *b)
{
    return d_name(b->device);
}
static void b_free(backend *b)
{
    free(b);
}
static void b_set(backend *b, struct tensor *t, const void *p, size_t o, size_t s)
{
    (void)b;
    (void)t;
    (void)p;
    (void)o;
    (void)s;
}
static void b_get(backend *b, const struct tensor *t, void *p, size_t o, size_t s)
{
    (void)b;
    (void)t;
    (void)p;
    (void)o;
    (void)s;
}
static bool b_cpy(backend *a, backend *b, const struct tensor *s, struct tensor *d)
{
    (void)a;
    (void)b;
    (void)s;
    (void)d;
    return true;
}
static void b_sync(backend *b)
{
    (void)b;
}
static int b_compute(backend *b, void *g)
{
    (void)b;
    (void)g;
    return 0;
}
static void b_ev(backend *b, event *e)
{
    (void)b;
    (void)e;
}
static unsigned char mock_guid[16] = "hwl-mock-device";
static backend *d_init(device *d, const char *p)
{
    (void)p;
    backend *b = calloc(1, sizeof *b);
    b->guid = mock_guid;
    b->device = d;
    b->iface.get_name = b_name;
    b->iface.free = b_free;
    b->iface.set_tensor_async = b_set;
    b->iface.get_tensor_async = b_get;
    b->iface.cpy_tensor_async = b_cpy;
    b->iface.synchronize = b_sync;
    b->iface.graph_compute = b_compute;
    if (mock_events) {
        b->iface.event_record = b_ev;
        b->iface.event_wait = b_ev;
    }
    return b;
}
static buffer_type *d_buft(device *d)
{
    return &mock_buft[dev_index(d)];
}
static buffer_type *d_hbuft(device *d)
{
    (void)d;
    return mock_host ? &host_buft : NULL;
}
static bool is_mock(const buffer_type *b)
{
    return b >= mock_buft && b < mock_buft + MAXDEV;
}
static bool contiguous(const struct tensor *t)
{
    size_t nb = t->nb[0];
    if (t->ne[0] != ggml_blck_size(t->type) && nb != ggml_row_size(t->type, ggml_blck_size(t->type)))
        return false;
    nb = ggml_row_size(t->type, t->ne[0]);
    for (int i = 1; i < 4; i++) {
        if (t->ne[i] != 1) {
            if (t->nb[i] != nb)
                return false;
            nb *= (size_t)t->ne[i];
        }
    }
    return true;
}
static bool d_supports_op(device *d, const struct tensor *op)
{
    for (int i = 0; i < 10; i++) {
        const struct tensor *s = op->src[i];
        if (s && s->buffer && is_mock(s->buffer->buft) && s->buffer->buft != d_buft(d))
            return false;
    }
    if (!mock_strict)
        return true;
    const char *n = ggml_op_name(op->op);
    const struct tensor *a = op->src[0], *b = op->src[1];
    if (!strcmp(n, "FLASH_ATTN_EXT")) {
        const struct tensor *q = a, *k = b, *v = op->src[2], *m = op->src[3];
        int64_t r = q->ne[2] / k->ne[2];
        float bias;
        memcpy(&bias, &op->op_params[1], 4);
        bool gqa = r >= 2 && m && bias == 0.0f && k->ne[1] % 256 == 0;
        if (m && m->ne[2] != 1)
            return false;
        switch (k->ne[0]) {
        case 40:
        case 64:
        case 72:
        case 80:
        case 96:
        case 128:
        case 112:
        case 256: return v->ne[0] == k->ne[0];
        case 192: return v->ne[0] == 128 && gqa && r % 8 == 0;
        case 320: return v->ne[0] == 256 && gqa && r % 32 == 0;
        case 512: return v->ne[0] == 512 && gqa;
        case 576: return v->ne[0] == 512 && gqa;
        default: return false;
        }
    }
    if (!strcmp(n, "SSM_SCAN")) {
        if (op->src[3]->ne[0] == 1)
            return (a->ne[0] == 96 || a->ne[0] == 128 || a->ne[0] == 256) && a->ne[1] % 16 == 0;
        return a->ne[0] == 16 && a->ne[1] == 1 && a->ne[2] % 128 == 0 && op->src[4]->ne[1] == 1;
    }
    if (!strcmp(n, "SSM_CONV"))
        return a->ne[1] % 128 == 0;
    if (!strcmp(n, "MUL_MAT") || !strcmp(n, "MUL_MAT_ID"))
        return !(b->type == 1 && a->type != 1);
    if (!strcmp(n, "REPEAT"))
        return a->type == 0 || a->type == 1;
    if (!strcmp(n, "UNARY"))
        return contiguous(a);
    if (!strncmp(n, "MAP_", 4) || !strcmp(n, "CUSTOM") || !strcmp(n, "WIN_PART") || !strcmp(n, "WIN_UNPART") || !strcmp(n, "GET_REL_POS") ||
        !strcmp(n, "ADD_REL_POS") || !strcmp(n, "DIAG_MASK_ZERO"))
        return false;
    if (!strcmp(n, "LIGHTNING_INDEXER"))
        return a->ne[0] == 128 && (a->ne[1] == 64 || a->ne[1] == 32);
    return true;
}
static bool d_supports_buft(device *d, buffer_type *b)
{
    return b == d_buft(d);
}
static bool d_offload(device *d, const struct tensor *op)
{
    (void)d;
    const char *n = ggml_op_name(op->op);
    int64_t bs;
    if (!strcmp(n, "GET_ROWS"))
        bs = 0;
    else if (!strcmp(n, "MUL_MAT"))
        bs = op->ne[1];
    else if (!strcmp(n, "MUL_MAT_ID") || !strcmp(n, "ROPE") || !strcmp(n, "ROPE_BACK"))
        bs = op->ne[2];
    else
        bs = op->ne[1] * op->ne[2] * op->ne[3];
    return bs >= 32;
}
static event *d_evnew(device *d)
{
    event *e = calloc(1, sizeof *e);
    e->device = d;
    return e;
}
static void d_evfree(device *d, event *e)
{
    (void)d;
    free(e);
}
static void d_evsync(device *d, event *e)
{
    (void)d;
    (void)e;
}
static const char *r_name(reg *r)
{
    (void)r;
    return "MOCK";
}
static size_t r_count(reg *r)
{
    (void)r;
    return (size_t)n_mock;
}
static device *r_get(reg *r, size_t i)
{
    (void)r;
    return &mock_dev[i];
}
static void *r_proc(reg *r, const char *n)
{
    (void)r;
    (void)n;
    return NULL;
}
static void mock_register(const char *spec)
{
    mock_reg = (reg){2, {r_name, r_count, r_get, r_proc}, NULL};
    char *s = strdup(spec);
    for (char *p = strtok(s, ","); p && n_mock < MAXDEV; p = strtok(NULL, ",")) {
        char *q;
        size_t f = strtoull(p, &q, 10), t = f;
        if (*q == '/')
            t = strtoull(q + 1, NULL, 10);
        int i = n_mock++;
        mock_free[i] = f << 20;
        mock_total[i] = t << 20;
        snprintf(mock_name[i], 16, "GPU%d", i);
        mock_dev[i] = (device){{d_name, d_desc, d_mem, d_type, d_props, d_init, d_buft, d_hbuft, NULL, d_supports_op, d_supports_buft,
                                d_offload, mock_events ? d_evnew : NULL, mock_events ? d_evfree : NULL, mock_events ? d_evsync : NULL},
                               &mock_reg,
                               NULL};
        mock_buft[i] = (buffer_type){{bt_name, bt_alloc, bt_align, NULL, bt_alloc_size, NULL}, &mock_dev[i], NULL};
    }
    free(s);
    buffer_type *c = cpu_buft();
    host_buft =
        (buffer_type){{hb_name, hb_alloc, c->iface.get_alignment, NULL, c->iface.get_alloc_size, c->iface.is_host}, &mock_dev[0], NULL};
    ggml_backend_register(&mock_reg);
}

#endif
