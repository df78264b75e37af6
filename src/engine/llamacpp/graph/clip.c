/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs of image projectors (tools/mtmd/clip.cpp build_vit, build_attn, build_inp and tools/mtmd/models, 0c1e57098): one image of
 * the size that the loader warms up with. */
#include "engine/llamacpp/graph/clip.h"

#include "engine/llamacpp/graph/sched.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_LAYERS = 512, MOST_NODES = 1 << 18 };

enum kind { TOWER, QWEN2, QWEN25, QWEN3, GEMMA3, GEMMA4, IDEFICS3, INTERNVL, PIXTRAL };

/* side: of the warm-up image in merged patches, 0: the trained size. */
static const struct row {
    const char *type;
    enum kind kind;
    uint32_t side, merge;
    const char *merge_key;
} rows[] = {
    {"gemma3", GEMMA3, 0, 4, "projector.scale_factor"},      {"gemma4v", GEMMA4, 16, 3, "projector.scale_factor"},
    {"idefics3", IDEFICS3, 0, 1, "projector.scale_factor"},  {"internvl", INTERNVL, 0, 1, "projector.scale_factor"},
    {"pixtral", PIXTRAL, 16, 1, "spatial_merge_size"},       {"qwen2vl_merger", QWEN2, 46, 2, "spatial_merge_size"},
    {"qwen2.5vl_merger", QWEN25, 46, 2, "spatial_merge_size"}, {"qwen3vl_merger", QWEN3, 46, 2, "spatial_merge_size"},
};

struct clip {
    struct hwl_graph g;
    const struct hwl_gguf *file;
    struct hwl_gsys sys;
    hwl_gt *weights; /* [n_tensors] */
    const struct row *row; /* NULL: the tower alone */
    uint64_t embd, heads, layers, patch, merge, side, nx, n; /* nx patches a side, n of them in all */
    bool flash, rms;
};

static uint64_t number(const struct clip *c, const char *key, uint64_t other)
{
    char full[96];
    uint64_t v;
    (void)snprintf(full, sizeof full, "clip.vision.%s", key);
    return hwl_gguf_u64(c->file, full, &v) ? v : other;
}

/* A tensor of the file; NULL where it has none. */
static hwl_gt named(struct clip *c, const char *name)
{
    const struct hwl_gguf_tensor *t = hwl_gguf_find(c->file, name);
    if (!t)
        return NULL;
    const uint64_t i = (uint64_t)(t - c->file->tensors);
    if (!c->weights[i]) {
        hwl_gt n = hwl_g_new(&c->g, (uint8_t)t->dtype, t->dims[0], t->dims[1], t->dims[2], t->dims[3]);
        if (!n)
            return NULL;
        n->buft = 0; /* all lie in one buffer: of the device, or of the host that is number 0 without one */
        n->weight = true;
        n->name = "projector weight";
        c->weights[i] = n;
    }
    return c->weights[i];
}

static hwl_gt of_layer(struct clip *c, uint64_t il, const char *base)
{
    char name[96];
    (void)snprintf(name, sizeof name, "v.blk.%llu.%s", (unsigned long long)il, base);
    return named(c, name);
}

static hwl_gt norm_with(struct clip *c, hwl_gt x, hwl_gt w, hwl_gt b, bool rms)
{
    x = rms ? hwl_g_rms(&c->g, x) : hwl_g_like(&c->g, HWL_OP_NORM, x, NULL, NULL);
    x = w ? hwl_g_mul(&c->g, x, w) : x;
    return b ? hwl_g_add(&c->g, x, b) : x;
}

static hwl_gt norm(struct clip *c, hwl_gt x, hwl_gt w, hwl_gt b)
{
    return norm_with(c, x, w, b, c->rms);
}

static hwl_gt product(struct clip *c, hwl_gt w, hwl_gt x, hwl_gt b)
{
    x = hwl_g_mm(&c->g, w, x);
    return b ? hwl_g_add(&c->g, x, b) : x;
}

static hwl_gt ffn(struct clip *c, hwl_gt x, hwl_gt up, hwl_gt up_b, hwl_gt gate, hwl_gt gate_b, hwl_gt down, hwl_gt down_b)
{
    hwl_gt wide = up ? product(c, up, x, up_b) : x;
    x = gate ? hwl_g_glu(&c->g, product(c, gate, x, gate_b), wide) : hwl_g_unary(&c->g, wide);
    return down ? product(c, down, x, down_b) : x;
}

static hwl_gt mlp(struct clip *c, hwl_gt x, const char *first, const char *second)
{
    char name[4][96];
    (void)snprintf(name[0], sizeof name[0], "%s.weight", first);
    (void)snprintf(name[1], sizeof name[1], "%s.bias", first);
    (void)snprintf(name[2], sizeof name[2], "%s.weight", second);
    (void)snprintf(name[3], sizeof name[3], "%s.bias", second);
    return ffn(c, x, named(c, name[0]), named(c, name[1]), NULL, NULL, named(c, name[2]), named(c, name[3]));
}

/* Patches as a convolution: im2col in f16 (f32 for bf16 kernels), a product, the result turned. */
static hwl_gt convolution(struct clip *c, hwl_gt kernel, hwl_gt image)
{
    struct hwl_graph *g = &c->g;
    if (!kernel || !image)
        return NULL;
    const uint64_t depth = kernel->ne[0] * kernel->ne[1] * kernel->ne[2], out = kernel->ne[3];
    hwl_gt columns = hwl_g_make(g, HWL_OP_IM2COL, kernel->type == HWL_DTYPE_BF16 ? HWL_DTYPE_F32 : HWL_DTYPE_F16, depth, c->nx, c->nx, 1,
                                (const hwl_gt[]){kernel, image}, 2);
    hwl_gt x = hwl_g_mm(g, hwl_g_reshape(g, columns, depth, c->n, 1, 1), hwl_g_reshape(g, kernel, depth, out, 1, 1));
    x = hwl_g_reshape(g, x, c->nx, c->nx, 1, out);
    return hwl_g_cont(g, hwl_g_permute(g, x, 0, 1, 3, 2));
}

static hwl_gt image(struct clip *c)
{
    return hwl_g_input(&c->g, HWL_DTYPE_F32, c->side, c->side, 3, 1, "inp_raw");
}

static hwl_gt patches(struct clip *c, hwl_gt raw)
{
    struct hwl_graph *g = &c->g;
    hwl_gt x = hwl_g_reshape(g, convolution(c, named(c, "v.patch_embd.weight"), raw), c->n, c->embd, 1, 1);
    x = hwl_g_cont(g, hwl_g_transpose(g, x));
    hwl_gt bias = named(c, "v.patch_embd.bias");
    return bias ? hwl_g_add(g, x, bias) : x;
}

static hwl_gt attention(struct clip *c, hwl_gt q, hwl_gt k, hwl_gt v, hwl_gt mask, uint64_t il)
{
    struct hwl_graph *g = &c->g;
    hwl_gt x;
    hwl_g_expand(g, q);
    hwl_g_expand(g, k);
    hwl_g_expand(g, v);
    q = hwl_g_permute(g, q, 0, 2, 1, 3);
    k = hwl_g_permute(g, k, 0, 2, 1, 3);
    if (c->flash) {
        v = hwl_g_permute(g, v, 0, 2, 1, 3);
        k = hwl_g_cast(g, k, HWL_DTYPE_F16);
        v = hwl_g_cast(g, v, HWL_DTYPE_F16);
        mask = mask ? hwl_g_cast(g, mask, HWL_DTYPE_F16) : NULL;
        x = hwl_g_flash_attn(g, q, k, v, mask, NULL, false);
        x = x ? hwl_g_reshape(g, x, x->ne[0] * x->ne[1], x->ne[2] * x->ne[3], 1, 1) : NULL;
    } else {
        v = hwl_g_cont(g, hwl_g_permute(g, v, 1, 2, 0, 3));
        x = hwl_g_mm(g, v, hwl_g_soft_max(g, hwl_g_mm(g, k, q), mask, NULL));
        x = hwl_g_permute(g, x, 0, 2, 1, 3);
        x = x ? hwl_g_cont4(g, x, x->ne[0] * x->ne[1], x->ne[2] * x->ne[3], 1, 1) : NULL;
    }
    return product(c, of_layer(c, il, "attn_out.weight"), x, of_layer(c, il, "attn_out.bias"));
}

struct positions {
    hwl_gt a, b; /* b NULL: one rotation over both axes */
};

static hwl_gt rotated(struct clip *c, hwl_gt x, const struct positions *p)
{
    if (!p || !p->a)
        return x;
    x = hwl_g_rope(&c->g, x, p->a, NULL);
    return p->b ? hwl_g_rope(&c->g, x, p->b, NULL) : x;
}

static hwl_gt third(struct clip *c, hwl_gt x, uint64_t n, uint64_t part)
{
    const uint64_t head = c->embd / c->heads;
    return x ? hwl_g_view(&c->g, x, head, c->heads, n, 1, head * 4, x->nb[1], x->nb[1] * n, part * c->embd * 4) : NULL;
}

/* Attention of one layer over n rows. */
static hwl_gt attend(struct clip *c, hwl_gt x, uint64_t n, const struct positions *p, hwl_gt mask, uint64_t il)
{
    struct hwl_graph *g = &c->g;
    const uint64_t head = c->embd / c->heads;
    hwl_gt fused = of_layer(c, il, "attn_qkv.weight"), qn = of_layer(c, il, "attn_q_norm.weight"), kn = of_layer(c, il, "attn_k_norm.weight"), part[3];
    if (fused) {
        x = product(c, fused, x, of_layer(c, il, "attn_qkv.bias"));
        for (uint64_t i = 0; i < 3; i++)
            part[i] = third(c, x, n, i);
        part[0] = qn ? norm(c, part[0], qn, NULL) : part[0];
        part[1] = kn ? norm(c, part[1], kn, NULL) : part[1];
    } else {
        static const char *const names[3][2] = {{"attn_q.weight", "attn_q.bias"}, {"attn_k.weight", "attn_k.bias"}, {"attn_v.weight", "attn_v.bias"}};
        const bool each = qn && qn->ne[0] == head;
        for (int i = 0; i < 3; i++)
            part[i] = product(c, of_layer(c, il, names[i][0]), x, of_layer(c, il, names[i][1]));
        if (!each) {
            part[0] = qn ? norm(c, part[0], qn, NULL) : part[0];
            part[1] = kn ? norm(c, part[1], kn, NULL) : part[1];
        }
        for (int i = 0; i < 3; i++)
            part[i] = hwl_g_reshape(g, part[i], head, c->heads, n, 1);
        if (each) {
            part[0] = norm(c, part[0], qn, NULL);
            part[1] = kn ? norm(c, part[1], kn, NULL) : part[1];
        }
    }
    part[0] = rotated(c, part[0], p);
    part[1] = rotated(c, part[1], p);
    if (c->row && c->row->kind == GEMMA4)
        part[2] = hwl_g_rms(g, part[2]);
    return attention(c, part[0], part[1], part[2], mask, il);
}

static hwl_gt scaled(struct clip *c, hwl_gt x, hwl_gt w)
{
    return w ? hwl_g_mul(&c->g, x, w) : x;
}

static hwl_gt layer(struct clip *c, hwl_gt x, uint64_t n, const struct positions *p, hwl_gt mask, uint64_t il)
{
    hwl_gt cur = norm(c, x, of_layer(c, il, "ln1.weight"), of_layer(c, il, "ln1.bias")), post;
    cur = scaled(c, attend(c, cur, n, p, mask, il), of_layer(c, il, "ls1.weight"));
    if ((post = of_layer(c, il, "attn_post_norm.weight")))
        cur = norm(c, cur, post, NULL);
    x = hwl_g_add(&c->g, cur, x);
    cur = norm(c, x, of_layer(c, il, "ln2.weight"), of_layer(c, il, "ln2.bias"));
    cur = ffn(c, cur, of_layer(c, il, "ffn_up.weight"), of_layer(c, il, "ffn_up.bias"), of_layer(c, il, "ffn_gate.weight"),
              of_layer(c, il, "ffn_gate.bias"), of_layer(c, il, "ffn_down.weight"), of_layer(c, il, "ffn_down.bias"));
    if ((post = of_layer(c, il, "ffn_post_norm.weight")))
        cur = norm(c, cur, post, NULL);
    cur = scaled(c, cur, of_layer(c, il, "ls2.weight"));
    return scaled(c, hwl_g_add(&c->g, x, cur), of_layer(c, il, "out_scale.weight"));
}

static hwl_gt tower(struct clip *c, hwl_gt x, uint64_t n, hwl_gt learned, const struct positions *p)
{
    hwl_gt pre = named(c, "v.pre_ln.weight"), post = named(c, "v.post_ln.weight");
    x = learned ? hwl_g_add(&c->g, x, learned) : x;
    x = hwl_g_reshape(&c->g, x, c->embd, n, 1, 1);
    x = pre ? norm(c, x, pre, named(c, "v.pre_ln.bias")) : x;
    for (uint64_t il = 0; il < c->layers && !c->g.failed; il++)
        x = layer(c, x, n, p, NULL, il);
    x = post ? norm(c, x, post, named(c, "v.post_ln.bias")) : x;
    return hwl_g_reshape(&c->g, x, c->embd, n, 1, 1);
}

/* Neighbouring patches of two rows become one row after another. */
static hwl_gt folded(struct clip *c, hwl_gt x)
{
    struct hwl_graph *g = &c->g;
    x = hwl_g_cont4(g, x, c->embd * 2, c->nx / 2, c->nx, 1);
    x = hwl_g_reshape(g, x, c->embd * 2, c->nx / 2, 2, c->nx / 2);
    return hwl_g_cont4(g, hwl_g_permute(g, x, 0, 2, 1, 3), c->embd, c->n, 1, 1);
}

/* The learned positions, drawn to this image's size where that is another. */
static hwl_gt resized(struct clip *c)
{
    struct hwl_graph *g = &c->g;
    hwl_gt w = named(c, "v.position_embd.weight");
    const uint64_t trained = w ? (uint64_t)sqrt((double)w->ne[1]) : 0;
    if (!w || trained == c->nx)
        return w;
    w = hwl_g_permute(g, hwl_g_reshape(g, w, c->embd, trained, trained, 1), 2, 0, 1, 3);
    w = hwl_g_make(g, HWL_OP_UPSCALE, HWL_DTYPE_F32, c->nx, c->nx, c->embd, 1, &w, 1);
    return hwl_g_cont4(g, hwl_g_permute(g, w, 1, 2, 0, 3), c->embd, c->n, 1, 1);
}

static hwl_gt deepstack(struct clip *c, hwl_gt x, uint64_t il)
{
    char name[3][64];
    static const char *const parts[3] = {"norm", "fc1", "fc2"};
    hwl_gt w[3], b[3];
    for (int i = 0; i < 3; i++) {
        (void)snprintf(name[i], sizeof name[i], "v.deepstack.%llu.%s.weight", (unsigned long long)il, parts[i]);
        w[i] = named(c, name[i]);
        (void)snprintf(name[i], sizeof name[i], "v.deepstack.%llu.%s.bias", (unsigned long long)il, parts[i]);
        b[i] = named(c, name[i]);
    }
    if (!w[1])
        return NULL;
    x = hwl_g_reshape(&c->g, x, c->embd * c->merge * c->merge, c->n / (c->merge * c->merge), 1, 1);
    return ffn(c, norm(c, x, w[0], b[0]), w[1], b[1], NULL, NULL, w[2], b[2]);
}

static hwl_gt qwen(struct clip *c)
{
    struct hwl_graph *g = &c->g;
    const enum kind kind = c->row->kind;
    hwl_gt raw = image(c), bias = named(c, "v.patch_embd.bias"), pre = named(c, "v.pre_ln.weight"), post = named(c, "v.post_ln.weight");
    hwl_gt x = hwl_g_add(g, convolution(c, named(c, "v.patch_embd.weight"), raw), convolution(c, named(c, "v.patch_embd.weight.1"), raw)), deep = NULL;
    x = folded(c, hwl_g_permute(g, x, 1, 2, 0, 3));
    if (kind == QWEN3) {
        x = bias ? hwl_g_add(g, x, bias) : x;
        x = hwl_g_add(g, x, folded(c, resized(c)));
    }
    const struct positions p = {.a = hwl_g_input(g, HWL_DTYPE_I32, c->n * 4, 1, 1, 1, "positions")};
    const uint64_t pattern = kind == QWEN25 ? number(c, "n_wa_pattern", 0) : 0;
    hwl_gt mask = NULL;
    x = pre ? norm(c, x, pre, named(c, "v.pre_ln.bias")) : x;
    if (pattern) {
        hwl_gt order = hwl_g_input(g, HWL_DTYPE_I32, c->n / 4, 1, 1, 1, "inv_window_idx");
        mask = hwl_g_input(g, HWL_DTYPE_F32, c->n, c->n, 1, 1, "window_mask");
        mask = c->flash ? hwl_g_cast(g, mask, HWL_DTYPE_F16) : mask;
        x = hwl_g_get_rows(g, hwl_g_reshape(g, x, c->embd * 4, c->n / 4, 1, 1), order);
        x = hwl_g_reshape(g, x, c->embd, c->n, 1, 1);
    }
    for (uint64_t il = 0; il < c->layers && !g->failed; il++) {
        x = layer(c, x, c->n, &p, pattern && (il + 1) % pattern ? mask : NULL, il);
        hwl_gt more = kind == QWEN3 ? deepstack(c, x, il) : NULL;
        if (more)
            deep = deep ? hwl_g_concat(g, deep, more, 0) : more;
    }
    x = post ? norm(c, x, post, named(c, "v.post_ln.bias")) : x;
    x = mlp(c, hwl_g_reshape(g, x, c->embd * 4, c->n / 4, 1, 1), "mm.0", "mm.2");
    if (pattern)
        x = hwl_g_get_rows(g, x, hwl_g_input(g, HWL_DTYPE_I32, c->n / 4, 1, 1, 1, "window_idx"));
    return deep ? hwl_g_concat(g, x, deep, 0) : x;
}

/* The mean over squares of `size` patches. */
static hwl_gt pooled(struct clip *c, hwl_gt x, uint64_t size)
{
    struct hwl_graph *g = &c->g;
    const uint64_t out = size ? c->nx / size : 0;
    x = hwl_g_cont4(g, hwl_g_transpose(g, x), c->nx, c->nx, c->embd, 1);
    x = hwl_g_make(g, HWL_OP_POOL_2D, HWL_DTYPE_F32, out, out, c->embd, 1, &x, 1);
    x = hwl_g_reshape(g, x, out * out, c->embd, 1, 1);
    return hwl_g_cont(g, hwl_g_transpose(g, x));
}

static hwl_gt gemma3(struct clip *c)
{
    struct hwl_graph *g = &c->g;
    hwl_gt x = tower(c, patches(c, image(c)), c->n, named(c, "v.position_embd.weight"), NULL);
    x = hwl_g_mul(g, hwl_g_rms(g, pooled(c, x, c->merge)), named(c, "mm.soft_emb_norm.weight"));
    return hwl_g_mm(g, hwl_g_cont(g, hwl_g_transpose(g, named(c, "mm.input_projection.weight"))), x);
}

static hwl_gt gemma4(struct clip *c)
{
    struct hwl_graph *g = &c->g;
    hwl_gt raw = hwl_g_scale(g, image(c)), table = named(c, "v.position_embd.weight");
    hwl_gt x = hwl_g_reshape(g, convolution(c, named(c, "v.patch_embd.weight"), raw), c->n, c->embd, 1, 1);
    x = hwl_g_cont(g, hwl_g_transpose(g, x));
    const struct positions p = {hwl_g_input(g, HWL_DTYPE_I32, c->n, 1, 1, 1, "pos_x"), hwl_g_input(g, HWL_DTYPE_I32, c->n, 1, 1, 1, "pos_y")};
    if (!table)
        return NULL;
    x = hwl_g_add(g, x, hwl_g_get_rows(g, hwl_g_view2(g, table, c->embd, table->ne[1], table->nb[1], 0), p.a));
    x = hwl_g_add(g, x, hwl_g_get_rows(g, hwl_g_view2(g, table, c->embd, table->ne[1], table->nb[1], table->ne[1] * table->nb[1]), p.b));
    x = hwl_g_scale(g, pooled(c, tower(c, x, c->n, NULL, &p), c->merge));
    hwl_gt shift = named(c, "v.std_bias"), scale = named(c, "v.std_scale");
    if (shift && scale)
        x = hwl_g_mul(g, hwl_g_sub(g, x, shift), scale);
    return hwl_g_mm(g, named(c, "mm.input_projection.weight"), hwl_g_rms(g, x));
}

static hwl_gt idefics3(struct clip *c)
{
    struct hwl_graph *g = &c->g;
    const uint64_t s = c->merge, k = s ? c->nx / s : 0;
    hwl_gt x = tower(c, patches(c, image(c)), c->n, named(c, "v.position_embd.weight"), NULL);
    x = hwl_g_reshape(g, hwl_g_reshape(g, x, c->embd, c->nx, c->nx, 1), c->embd * s, k, c->nx, 1);
    x = hwl_g_cont4(g, hwl_g_permute(g, x, 0, 2, 1, 3), c->embd * s * s, k, k, 1);
    x = hwl_g_cont4(g, hwl_g_permute(g, x, 0, 2, 1, 3), c->embd * s * s, k * k, 1, 1);
    return hwl_g_mm(g, named(c, "mm.model.fc.weight"), x);
}

static hwl_gt internvl(struct clip *c)
{
    struct hwl_graph *g = &c->g;
    const uint64_t s = c->merge, k = s ? c->nx / s : 0;
    hwl_gt cls = named(c, "v.class_embd");
    hwl_gt x = patches(c, image(c));
    if (!cls || !x)
        return NULL;
    c->rms = c->embd == 3200 && c->layers == 45; /* the 6B tower */
    x = hwl_g_concat(g, x, hwl_g_repeat(g, cls, cls->ne[0], 1, 1, 1), 1);
    x = tower(c, x, c->n + 1, named(c, "v.position_embd.weight"), NULL);
    x = x ? hwl_g_cont(g, hwl_g_view3(g, x, c->embd, c->n, 1, x->nb[1], x->nb[2], 0)) : NULL;
    x = hwl_g_permute(g, hwl_g_reshape(g, x, c->embd * s, k, c->nx, 1), 0, 2, 1, 3);
    x = hwl_g_permute(g, hwl_g_cont4(g, x, c->embd * s * s, k, k, 1), 0, 2, 1, 3);
    x = hwl_g_cont4(g, x, c->embd * s * s, k * k, 1, 1);
    x = norm_with(c, x, named(c, "mm.model.mlp.0.weight"), named(c, "mm.model.mlp.0.bias"), false);
    return mlp(c, x, "mm.model.mlp.1", "mm.model.mlp.3");
}

static hwl_gt pixtral(struct clip *c)
{
    struct hwl_graph *g = &c->g;
    const uint64_t k = c->merge ? c->nx / c->merge : 0;
    const struct positions p = {hwl_g_input(g, HWL_DTYPE_I32, c->n, 1, 1, 1, "pos_h"), hwl_g_input(g, HWL_DTYPE_I32, c->n, 1, 1, 1, "pos_w")};
    hwl_gt x = tower(c, patches(c, image(c)), c->n, NULL, &p), merger = named(c, "mm.patch_merger.weight"), end = named(c, "v.token_embd.img_break");
    if (merger) {
        x = hwl_g_mul(g, hwl_g_rms(g, x), named(c, "mm.input_norm.weight"));
        x = hwl_g_cont(g, hwl_g_permute(g, hwl_g_reshape(g, x, c->embd, c->nx, c->nx, 1), 2, 0, 1, 3));
        hwl_gt kernel = x ? hwl_g_view3(g, x, c->merge, c->merge, x->ne[2], 0, 0, 0) : NULL;
        x = hwl_g_make(g, HWL_OP_IM2COL, HWL_DTYPE_F32, c->merge * c->merge * c->embd, k, k, 1, (const hwl_gt[]){kernel, x}, 2);
        x = hwl_g_mm(g, merger, hwl_g_reshape(g, x, c->merge * c->merge * c->embd, k * k, 1, 1));
    }
    x = mlp(c, x, "mm.1", "mm.2");
    if (!end || !x)
        return x;
    const uint64_t text = x->ne[0];
    hwl_gt row = hwl_g_scale(g, hwl_g_new(g, HWL_DTYPE_F32, text, 1, k, 1));
    x = hwl_g_concat(g, hwl_g_reshape(g, x, text, k, k, 1), hwl_g_add(g, row, end), 1);
    return hwl_g_view2(g, x, text, k * k + k - 1, text * 4, 0);
}

static hwl_gt plain(struct clip *c)
{
    hwl_gt x = patches(c, image(c)), cls = named(c, "v.class_embd");
    if (cls && x)
        x = hwl_g_concat(&c->g, x, hwl_g_repeat(&c->g, cls, cls->ne[0], 1, 1, 1), 1);
    return tower(c, x, c->n + (cls ? 1 : 0), NULL, NULL);
}

static hwl_gt build(struct clip *c)
{
    switch (c->row ? c->row->kind : TOWER) {
    case QWEN2: case QWEN25: case QWEN3: return qwen(c);
    case GEMMA3: return gemma3(c);
    case GEMMA4: return gemma4(c);
    case IDEFICS3: return idefics3(c);
    case INTERNVL: return internvl(c);
    case PIXTRAL: return pixtral(c);
    default: return plain(c);
    }
}

static bool flash_runs(const struct clip *c, bool gpu)
{
    for (uint64_t i = 0; i < c->g.n_nodes; i++)
        if (c->g.nodes[i]->op == HWL_OP_FLASH_ATTN_EXT && gpu && !hwl_gsupports(&c->sys, 0, c->g.nodes[i]))
            return false;
    return true;
}

static bool measure(struct clip *c, bool gpu, struct hwl_arena *scratch, uint64_t top[HWL_GSYS_MAX + 1], bool *flash)
{
    struct hwl_gsplit split;
    hwl_arena_reset(scratch);
    c->g = (struct hwl_graph){.arena = scratch, .max_made = MOST_NODES, .layer = -1};
    c->weights = HWL_NEW_ARRAY(scratch, hwl_gt, c->file->n_tensors + 1);
    if (!c->weights)
        return false;
    hwl_gt out = build(c);
    hwl_g_expand(&c->g, out);
    if (!out || c->g.failed || !c->g.n_nodes)
        return false;
    *flash = flash_runs(c, gpu);
    hwl_sched_assign(&c->sys, &c->g);
    return !c->g.failed && hwl_sched_split(&c->sys, &c->g, &split) && hwl_galloc(&c->sys, scratch, &split, NULL, 0, top);
}

static bool shapes(struct clip *c)
{
    struct hwl_str type = {"", 0};
    if (!hwl_gguf_str(c->file, "clip.vision.projector_type", &type))
        (void)hwl_gguf_str(c->file, "clip.projector_type", &type);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (hwl_str_eq(type, rows[i].type))
            c->row = &rows[i];
    c->embd = number(c, "embedding_length", 0);
    c->heads = number(c, "attention.head_count", 0);
    c->layers = number(c, "block_count", 0);
    c->patch = number(c, "patch_size", 0);
    c->merge = c->row ? number(c, c->row->merge_key, c->row->merge) : 1;
    c->side = number(c, "image_size", 0);
    if (!c->embd || c->embd > 1 << 16 || !c->heads || c->embd % c->heads || !c->layers || c->layers > MOST_LAYERS || !c->patch || c->patch > 1024 || !c->merge ||
        c->merge > 64)
        return false;
    if (c->row && c->row->side)
        c->side = (uint64_t)c->row->side * c->patch * c->merge;
    c->nx = c->side / c->patch;
    c->n = c->nx * c->nx;
    c->rms = c->row && (c->row->kind == QWEN25 || c->row->kind == GEMMA4 || c->row->kind == PIXTRAL);
    return c->nx > 0 && c->side <= 1 << 14;
}

bool hwl_lc_clip(const struct hwl_gguf *file, bool gpu, struct hwl_arena *scratch, struct lc_clip *out)
{
    struct clip c = {.file = file, .flash = true};
    uint64_t top[HWL_GSYS_MAX + 1];
    bool flash;
    if (!shapes(&c))
        return false;
    c.sys.n_devices = gpu;
    c.sys.n_copies = 1;
    c.sys.op_offload = true;
    c.sys.align[0] = gpu ? 128 : 32;
    c.sys.rowpad[0] = gpu ? 512 : 0;
    c.sys.strict[0] = gpu;
    c.sys.align[1] = 32;
    if (!measure(&c, gpu, scratch, top, &flash))
        return false;
    if (!flash) {
        c.flash = false;
        if (!measure(&c, gpu, scratch, top, &flash))
            return false;
    }
    *out = (struct lc_clip){.device = gpu ? top[0] : 0, .host = top[gpu ? 1 : 0], .side = (uint32_t)c.side, .known = c.row != NULL};
    return true;
}
