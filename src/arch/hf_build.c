/* SPDX-License-Identifier: Apache-2.0 */
/* The bricks of config.json readers: named tensors with shapes, and layers. */
#include "arch/hf_build.h"

#include "arch/family.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void hwl_hb_init(struct hwl_hb *b, struct hwl_model *model, const struct hwl_config *cfg)
{
    *b = (struct hwl_hb){.m = model, .cfg = cfg, .layer = -1, .component = -1};
}

hwl_status hwl_hb_status(const struct hwl_hb *b, const char *file, hwl_error *error)
{
    if (b->no_memory)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_config_status(b->cfg, error));
    if (b->ck.overflow)
        return hwl_fail_at(error, HWL_E_OVERFLOW, file, 0, "config.json", "the shapes overflow 64 bits");
    if (b->too_long)
        return hwl_fail_at(error, HWL_E_LIMIT, file, 0, "config.json", "a tensor name is too long");
    return HWL_OK;
}

size_t hwl_hb_push(struct hwl_hb *b, const char *format, ...)
{
    const size_t mark = strlen(b->prefix);
    va_list ap;
    va_start(ap, format);
    const int n = vsnprintf(b->prefix + mark, sizeof b->prefix - mark, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof b->prefix - mark)
        b->too_long = true;
    return mark;
}

void hwl_hb_pop(struct hwl_hb *b, size_t mark)
{
    if (mark < sizeof b->prefix)
        b->prefix[mark] = 0;
}

static bool failed(const struct hwl_hb *b)
{
    return b->no_memory || b->too_long || b->ck.overflow;
}

struct hwl_tensor *hwl_hb_tensor(struct hwl_hb *b, const char *name, enum hwl_role role, uint32_t count, const uint64_t *dims,
                                 uint8_t n_dims)
{
    uint64_t n = count;
    for (uint8_t i = 0; i < n_dims; i++)
        n = hwl_ck_mul(&b->ck, n, dims[i]);
    const uint64_t bytes = hwl_dtype_bytes((enum hwl_dtype)b->m->dtype, n, &b->ck);
    if (failed(b))
        return NULL;
    struct hwl_tensor *t = hwl_model_add_tensor(b->m);
    char before[sizeof b->prefix + 128];
    if ((size_t)snprintf(before, sizeof before, "%s%s", b->prefix, name) >= sizeof before)
        b->too_long = true;
    const char *full = t ? hwl_full_name(&b->m->arena, "", b->body, before, "") : NULL;
    if (!full) {
        b->no_memory = true;
        return NULL;
    }
    t->name = full;
    t->role = (uint16_t)role;
    const size_t len = strlen(full);
    t->part = len > 5 && strcmp(full + len - 5, ".bias") == 0 ? HWL_PART_BIAS : HWL_PART_WEIGHT;
    t->component = b->component >= 0 ? (uint8_t)b->component : hwl_role_component(role);
    t->layer = b->layer;
    t->dtype = b->m->dtype;
    t->n_dims = n_dims;
    t->count = count;
    for (uint8_t i = 0; i < n_dims; i++)
        t->dims[i] = dims[i];
    t->bytes = bytes;
    t->elements = n;
    t->offset = HWL_UNKNOWN;
    t->routed = role == HWL_ROLE_EXP_GATE || role == HWL_ROLE_EXP_UP || role == HWL_ROLE_EXP_DOWN || role == HWL_ROLE_EXP_GATE_UP;
    return t;
}

void hwl_hb_vec(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t n)
{
    (void)hwl_hb_tensor(b, name, role, 1, &n, 1);
}

void hwl_hb_mat(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t rows, uint64_t cols)
{
    (void)hwl_hb_tensor(b, name, role, 1, (const uint64_t[]){rows, cols}, 2);
}

void hwl_hb_dims3(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t d0, uint64_t d1, uint64_t d2)
{
    (void)hwl_hb_tensor(b, name, role, 1, (const uint64_t[]){d0, d1, d2}, 3);
}

static void part(struct hwl_hb *b, const char *name, const char *suffix, enum hwl_role role, uint64_t count, const uint64_t *dims, uint8_t n_dims)
{
    const size_t mark = hwl_hb_push(b, "%s", name);
    if (count > UINT32_MAX)
        b->ck.overflow = true;
    else if (count)
        (void)hwl_hb_tensor(b, suffix, role, (uint32_t)count, dims, n_dims);
    hwl_hb_pop(b, mark);
}

void hwl_hb_linear(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t out, uint64_t in, bool bias)
{
    part(b, name, ".weight", role, 1, (const uint64_t[]){out, in}, 2);
    if (bias)
        part(b, name, ".bias", role, 1, &out, 1);
}

void hwl_hb_norm(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t n, bool bias)
{
    part(b, name, ".weight", role, 1, &n, 1);
    if (bias)
        part(b, name, ".bias", role, 1, &n, 1);
}

void hwl_hb_conv(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t out, uint64_t in, const uint64_t *k, uint8_t n_k, bool bias)
{
    uint64_t dims[5] = {out, in};
    for (uint8_t i = 0; i < n_k && i < 3; i++)
        dims[2 + i] = k[i];
    part(b, name, ".weight", role, 1, dims, (uint8_t)(2 + (n_k < 3 ? n_k : 3)));
    if (bias)
        part(b, name, ".bias", role, 1, &out, 1);
}

void hwl_hb_conv2d(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t out, uint64_t in, uint64_t k, bool bias)
{
    hwl_hb_conv(b, name, role, out, in, (const uint64_t[]){k, k}, 2, bias);
}

void hwl_hb_conv1d(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t out, uint64_t in, uint64_t k, bool bias)
{
    hwl_hb_conv(b, name, role, out, in, &k, 1, bias);
}

void hwl_hb_experts(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t n, uint64_t out, uint64_t in, bool bias)
{
    part(b, name, ".weight", role, n, (const uint64_t[]){out, in}, 2);
    if (bias)
        part(b, name, ".bias", role, n, &out, 1);
}

void hwl_hb_tied(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t rows, uint64_t cols)
{
    struct hwl_tensor *t = hwl_hb_tensor(b, name, role, 1, (const uint64_t[]){rows, cols}, cols ? 2 : 1);
    if (!t)
        return;
    t->tied = true;
    t->elements = t->bytes = 0;
}

void hwl_hb_buffer(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t n)
{
    struct hwl_tensor *t = hwl_hb_tensor(b, name, role, 1, &n, 1);
    if (!t)
        return;
    t->buffer = true;
    t->elements = 0;
}

bool hwl_hb_layers(struct hwl_hb *b, uint64_t n, uint64_t n_mtp, uint64_t n_encoder)
{
    if (n > HWL_HB_MAX_LAYERS || n_mtp > HWL_HB_MAX_LAYERS || n_encoder > HWL_HB_MAX_LAYERS) {
        hwl_cfg_bad(b->cfg, "num_hidden_layers", "more than %d layers", HWL_HB_MAX_LAYERS);
        return false;
    }
    b->m->layers = HWL_NEW_ARRAY(&b->m->arena, struct hwl_layer, n + n_mtp + n_encoder + 1);
    if (!b->m->layers) {
        b->no_memory = true;
        return false;
    }
    for (uint64_t i = 0; i < n + n_mtp + n_encoder; i++) {
        b->m->layers[i].attn.kv_shared_with = -1;
        b->m->layers[i].mtp = i >= n && i < n + n_mtp;
        b->m->layers[i].encoder = i >= n + n_mtp;
    }
    b->m->n_layers = (uint32_t)n;
    b->m->n_mtp = (uint32_t)n_mtp;
    b->m->n_encoder = (uint32_t)n_encoder;
    return true;
}

struct hwl_encoder *hwl_hb_encoder(struct hwl_hb *b, uint8_t component, uint64_t n_layers, uint64_t n_heads, uint64_t hidden, uint64_t d_ff)
{
    struct hwl_model *m = b->m;
    struct hwl_encoder *const list = HWL_NEW_ARRAY(&m->arena, struct hwl_encoder, (uint64_t)m->n_encoders + 1);
    if (!list) {
        b->no_memory = true;
        return NULL;
    }
    if (m->n_encoders)
        memcpy(list, m->encoders, m->n_encoders * sizeof *list);
    m->encoders = list;
    struct hwl_encoder *const e = &list[m->n_encoders++];
    *e = (struct hwl_encoder){.component = component, .hidden = hidden, .d_ff = d_ff};
    e->n_layers = (uint32_t)hwl_min(n_layers, HWL_HB_MAX_LAYERS);
    e->n_heads = (uint32_t)hwl_min(n_heads, UINT32_MAX);
    if (n_layers > HWL_HB_MAX_LAYERS)
        hwl_cfg_bad(b->cfg, "num_hidden_layers", "more than %d layers", HWL_HB_MAX_LAYERS);
    return e;
}

uint64_t hwl_hb_div(struct hwl_hb *b, const char *key, uint64_t x, uint64_t y)
{
    if (y == 0 || x % y) {
        hwl_cfg_bad(b->cfg, key, "%llu does not divide %llu", (unsigned long long)y, (unsigned long long)x);
        return 0;
    }
    return x / y;
}
