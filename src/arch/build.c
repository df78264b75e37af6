/* SPDX-License-Identifier: Apache-2.0 */
/* What readers of families are written with: values with the class's defaults, layers, and emission of tensors. */
#include "arch/family.h"

#include "base/bytes.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_defaults_gen.h"

#define MAX_LAYERS 4096u
#define MAX_COUNT 65536u

/* First of the alternatives that is in the file, even as null: 1 value, 0 absent, -1 null only. */
static int presence(const struct hwl_config *c, const char *keys)
{
    if (hwl_cfg_has(c, keys))
        return 1;
    for (const char *k = keys; *k && c->obj;) {
        const size_t n = strcspn(k, "|");
        char key[160];
        if (n < sizeof key) {
            memcpy(key, k, n);
            key[n] = 0;
            if (yyjson_is_null(hwl_json_get(c->obj, key)))
                return -1;
        }
        k += n + (k[n] == '|');
    }
    return 0;
}

/* Where the name of n letters stands in a sorted table of names; count where it is in none. */
static uint32_t name_at(const char *text, const uint16_t *at, uint32_t count, const char *name, size_t n)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;
        const char *const s = text + at[mid];
        int order = strncmp(name, s, n);
        if (order == 0)
            order = s[n] ? -1 : 0;
        if (order == 0)
            return mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return count;
}

/* The default of a key of n letters for type number t. */
static bool default_of(uint32_t t, const char *key, size_t n, uint64_t *out)
{
    const uint32_t number = name_at(hwl_default_key, hwl_default_key_at, hwl_n_default_keys, key, n);
    uint32_t low = hwl_default_first[t], high = hwl_default_first[t + 1];
    while (low < high && number < hwl_n_default_keys) {
        const uint32_t mid = low + (high - low) / 2;
        if (hwl_default_number[mid] == number) {
            *out = hwl_default_value[mid];
            return true;
        }
        if (hwl_default_number[mid] > number)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}

static uint32_t type_number(const char *type)
{
    return name_at(hwl_default_type, hwl_default_type_at, hwl_n_default_types, type, strlen(type));
}

bool hwl_class_default(const char *type, const char *keys, uint64_t *out)
{
    const char *const next = type ? strchr(type, '>') : NULL;
    if (next) { /* what the class around it assumes, then its own */
        char outer[96];
        const size_t n = (size_t)(next - type);
        if (n >= sizeof outer)
            return false;
        memcpy(outer, type, n);
        outer[n] = 0;
        return hwl_class_default(outer, keys, out) || hwl_class_default(next + 1, keys, out);
    }
    const uint32_t t = type ? type_number(type) : hwl_n_default_types;
    for (const char *k = keys; t < hwl_n_default_types && *k;) {
        const size_t n = strcspn(k, "|");
        if (default_of(t, k, n, out))
            return true;
        k += n + (k[n] == '|');
    }
    return false;
}

bool hwl_class_known(const char *type)
{
    return type_number(type) < hwl_n_default_types;
}

uint64_t hwl_b_u64(const struct hwl_build *b, const char *keys, uint64_t def)
{
    uint64_t v = def;
    if (presence(&b->cfg, keys) == 0 && hwl_class_default(b->type, keys, &v))
        return hwl_cfg_u64_or(&b->cfg, keys, v);
    return hwl_cfg_u64(&b->cfg, keys, def);
}

uint64_t hwl_b_need(const struct hwl_build *b, const char *keys)
{
    uint64_t v = 0;
    if (presence(&b->cfg, keys) == 0 && hwl_class_default(b->type, keys, &v))
        return hwl_cfg_u64_or(&b->cfg, keys, v);
    return hwl_cfg_need(&b->cfg, keys);
}

uint32_t hwl_b_u32(const struct hwl_build *b, const char *keys, uint32_t def)
{
    const uint64_t v = hwl_b_u64(b, keys, def);
    if (v > UINT32_MAX) {
        hwl_cfg_bad(&b->cfg, keys, "the value %llu is absurd", (unsigned long long)v);
        return def;
    }
    return (uint32_t)v;
}

bool hwl_b_bool(const struct hwl_build *b, const char *keys, bool def)
{
    uint64_t v = def;
    if (presence(&b->cfg, keys) == 0)
        (void)hwl_class_default(b->type, keys, &v);
    return hwl_cfg_bool(&b->cfg, keys, v != 0);
}

bool hwl_b_flag(const struct hwl_build *b, const char *spec)
{
    if (!spec || !spec[1])
        return spec && *spec == '1';
    const size_t n = strcspn(spec, "=");
    char keys[160];
    if (n >= sizeof keys)
        return false;
    memcpy(keys, spec, n);
    keys[n] = 0;
    return hwl_b_bool(b, keys, spec[n] && spec[n + 1] == '1');
}

struct hwl_layer *hwl_b_layers(struct hwl_build *b, uint64_t n_layers, uint64_t n_mtp, uint64_t n_encoder)
{
    struct hwl_model *m = b->model;
    m->n_layers = m->n_mtp = m->n_encoder = 0;
    m->layers = NULL;
    if (n_layers > MAX_LAYERS || n_mtp > MAX_LAYERS || n_encoder > MAX_LAYERS) {
        hwl_cfg_bad(&b->cfg, "num_hidden_layers", "more than %u layers", MAX_LAYERS);
        return NULL;
    }
    const uint64_t n = n_layers + n_mtp + n_encoder;
    m->layers = HWL_NEW_ARRAY(&m->arena, struct hwl_layer, n ? n : 1);
    if (!m->layers) {
        b->nomem = true;
        return NULL;
    }
    for (uint64_t i = 0; i < n; i++) {
        m->layers[i].attn.kv_shared_with = -1;
        m->layers[i].attn.causal = i < n_layers + n_mtp;
        m->layers[i].mtp = i >= n_layers && i < n_layers + n_mtp;
        m->layers[i].encoder = i >= n_layers + n_mtp;
    }
    m->n_layers = (uint32_t)n_layers;
    m->n_mtp = (uint32_t)n_mtp;
    m->n_encoder = (uint32_t)n_encoder;
    return m->layers;
}

const char *hwl_full_name(struct hwl_arena *arena, const char *prefix, const char *body, const char *name, const char *tail)
{
    if (body && strncmp(name, "model.", 6) == 0)
        return hwl_arena_printf(arena, "%s%s%s", body, name + 6, tail);
    return hwl_arena_printf(arena, "%s%s%s", prefix, name, tail);
}

static bool is_expert(enum hwl_role role)
{
    return role == HWL_ROLE_EXP_GATE || role == HWL_ROLE_EXP_UP || role == HWL_ROLE_EXP_DOWN || role == HWL_ROLE_EXP_GATE_UP;
}

static struct hwl_tensor *emit(struct hwl_build *b, enum hwl_role role, int32_t layer, uint64_t count, const uint64_t *dims, uint32_t n,
                               const char *tail, const char *format, va_list ap) __attribute__((format(printf, 8, 0)));
static struct hwl_tensor *emit(struct hwl_build *b, enum hwl_role role, int32_t layer, uint64_t count, const uint64_t *dims, uint32_t n,
                               const char *tail, const char *format, va_list ap)
{
    char name[320];
    (void)vsnprintf(name, sizeof name, format, ap);
    struct hwl_model *m = b->model;
    if (!count || count > MAX_COUNT || n > 5) {
        hwl_cfg_bad(&b->cfg, "num_experts", "%llu tensors of one kind", (unsigned long long)count);
        return NULL;
    }
    struct hwl_tensor *t = hwl_model_add_tensor(m);
    const char *full = hwl_full_name(&m->arena, b->prefix, b->body, name, tail);
    if (!t || !full) {
        b->nomem = true;
        return NULL;
    }
    struct hwl_ck ck = {false};
    *t = (struct hwl_tensor){.name = full,
                             .role = (uint16_t)role,
                             .component = b->component != HWL_COMP_COUNT ? b->component : hwl_role_component(role),
                             .layer = layer,
                             .dtype = m->dtype,
                             .n_dims = (uint8_t)n,
                             .count = (uint32_t)count,
                             .offset = HWL_UNKNOWN,
                             .routed = is_expert(role)};
    t->part = hwl_str_ends(hwl_str_of(full), "bias") ? HWL_PART_BIAS : HWL_PART_WEIGHT;
    t->elements = count;
    for (uint32_t i = 0; i < n; i++) {
        t->dims[i] = dims[i];
        t->elements = hwl_ck_mul(&ck, t->elements, dims[i]);
    }
    t->bytes = hwl_dtype_bytes(m->dtype, t->elements, &ck);
    b->overflow = b->overflow || ck.overflow;
    return t;
}

struct hwl_tensor *hwl_emit(struct hwl_build *b, enum hwl_role role, int32_t layer, uint64_t out, uint64_t in, const char *format, ...)
{
    const uint64_t dims[2] = {out, in};
    va_list ap;
    va_start(ap, format);
    struct hwl_tensor *t = emit(b, role, layer, 1, dims, in ? 2 : 1, "", format, ap);
    va_end(ap);
    return t;
}

struct hwl_tensor *hwl_emit_n(struct hwl_build *b, enum hwl_role role, int32_t layer, uint64_t count, uint64_t out, uint64_t in,
                              const char *format, ...)
{
    const uint64_t dims[2] = {out, in};
    va_list ap;
    va_start(ap, format);
    struct hwl_tensor *t = emit(b, role, layer, count, dims, in ? 2 : 1, "", format, ap);
    va_end(ap);
    return t;
}

struct hwl_tensor *hwl_emit_dims(struct hwl_build *b, enum hwl_role role, int32_t layer, const uint64_t *dims, uint32_t n, const char *format,
                                 ...)
{
    va_list ap;
    va_start(ap, format);
    struct hwl_tensor *t = emit(b, role, layer, 1, dims, n, "", format, ap);
    va_end(ap);
    return t;
}

void hwl_emit_linear(struct hwl_build *b, enum hwl_role role, int32_t layer, uint64_t out, uint64_t in, bool bias, const char *format, ...)
{
    const uint64_t dims[2] = {out, in};
    va_list ap;
    va_start(ap, format);
    (void)emit(b, role, layer, 1, dims, in ? 2 : 1, ".weight", format, ap);
    va_end(ap);
    if (!bias)
        return;
    va_start(ap, format);
    (void)emit(b, role, layer, 1, dims, 1, ".bias", format, ap);
    va_end(ap);
}
