/* SPDX-License-Identifier: Apache-2.0 */
/* Views of a config.json: typed reads with provenance. Everything that was read, and from where, is kept as a fact,
 * so that a plan can say which line of which file a number came from, and which numbers are defaults. */
#include "source/config.h"

#include "base/status.h"
#include "base/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KEY_BYTES 160u
#define VALUE_BYTES 200u
#define MISSING_BYTES 240u
#define INDEX_SLOTS 1024u /* of the "seen before" filter; a clash only means a scan */

struct config_fact {
    const char *key, *value, *origin;
    uint64_t tag; /* what was read: address of the value, or hash of the keys of a default */
};

struct hwl_config_log {
    struct hwl_arena *arena;
    const char *file;
    const char *type; /* model_type of the root, "" */
    hwl_config_default_fn *defaults; /* of a model_type, NULL none */
    struct config_fact *facts;
    uint64_t n, cap;
    uint64_t seen[INDEX_SLOTS];
    char missing[MISSING_BYTES];
    char bad[320];
    char bad_key[KEY_BYTES];
    bool has_bad, nomem, more_missing;
};

static uint64_t hash(const char *s, uint64_t h)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    return h | 1;
}

static bool seen(struct hwl_config_log *log, uint64_t tag)
{
    uint64_t *slot = &log->seen[(tag ^ tag >> 10 ^ tag >> 20) % INDEX_SLOTS];
    if (*slot == tag)
        return true;
    if (*slot)
        for (uint64_t i = log->n; i-- > 0;)
            if (log->facts[i].tag == tag)
                return true;
    *slot = tag;
    return false;
}

static void add_fact(struct hwl_config_log *log, uint64_t tag, const char *key, const char *value, const char *origin)
{
    struct config_fact *facts = hwl_arena_grow(log->arena, log->facts, &log->cap, log->n + 1, sizeof *facts);
    if (!facts) {
        log->nomem = true;
        return;
    }
    log->facts = facts;
    const char *k = hwl_arena_str(log->arena, key), *v = hwl_arena_str(log->arena, value);
    if (!k || !v) {
        log->nomem = true;
        return;
    }
    facts[log->n++] = (struct config_fact){k, v, origin, tag};
}

/* "a.b" of a view at "a" and the key "b"; keys end at '|'. */
static void full_key(const struct hwl_config *c, const char *keys, char out[KEY_BYTES])
{
    int n = (int)strcspn(keys, "|");
    const char *path = c->path ? c->path : "";
    if (snprintf(out, KEY_BYTES, "%s%s%.*s", path, *path ? "." : "", n, keys) < 0)
        out[0] = 0;
}

static void append(char *out, uint64_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *out, uint64_t size, const char *format, ...)
{
    uint64_t used = strlen(out);
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(out + used, size - used, format, ap);
    va_end(ap);
}

static void value_text(yyjson_val *v, char *out, uint64_t size)
{
    if (yyjson_is_str(v)) {
        append(out, size, "%s", yyjson_get_str(v));
    } else if (yyjson_is_bool(v)) {
        append(out, size, "%s", yyjson_get_bool(v) ? "true" : "false");
    } else if (yyjson_is_uint(v)) {
        append(out, size, "%llu", (unsigned long long)yyjson_get_uint(v));
    } else if (yyjson_is_sint(v)) {
        append(out, size, "%lld", (long long)yyjson_get_sint(v));
    } else if (yyjson_is_real(v)) {
        append(out, size, "%.15g", yyjson_get_real(v));
    } else if (yyjson_is_arr(v)) {
        yyjson_arr_iter it;
        yyjson_arr_iter_init(v, &it);
        append(out, size, "[");
        yyjson_val *e;
        for (uint64_t i = 0; (e = yyjson_arr_iter_next(&it)) && strlen(out) + 32 < size; i++) {
            append(out, size, "%s", i ? ", " : "");
            if (yyjson_is_ctn(e))
                append(out, size, "...");
            else
                value_text(e, out, size);
        }
        append(out, size, e ? ", ...]" : "]");
    } else {
        append(out, size, "%s", yyjson_is_obj(v) ? "{...}" : "null");
    }
}

/* A key with dots that is no key itself is a path: "rope_parameters.rope_theta". */
static yyjson_val *lookup(yyjson_val *obj, const char *key, uint64_t n)
{
    char name[KEY_BYTES];
    if (n >= sizeof name)
        return NULL;
    memcpy(name, key, (size_t)n);
    name[n] = 0;
    yyjson_val *v = hwl_json_get(obj, name);
    if (v)
        return v;
    char *dot = strchr(name, '.');
    if (!dot)
        return NULL;
    *dot = 0;
    yyjson_val *inner = hwl_json_get(obj, name);
    return yyjson_is_obj(inner) ? lookup(inner, dot + 1, strlen(dot + 1)) : NULL;
}

/* First alternative that is present and not null; *key becomes its full path. */
static yyjson_val *find(const struct hwl_config *c, const char *keys, char key[KEY_BYTES])
{
    if (c->obj)
        for (const char *k = keys; *k;) {
            uint64_t n = strcspn(k, "|");
            yyjson_val *v = lookup(c->obj, k, n);
            if (v && !yyjson_is_null(v)) {
                full_key(c, k, key);
                return v;
            }
            k += n + (k[n] == '|');
        }
    full_key(c, keys, key);
    return NULL;
}

static void note_value(const struct hwl_config *c, yyjson_val *v, const char *key)
{
    struct hwl_config_log *log = c->log;
    uint64_t tag = (uint64_t)(uintptr_t)v << 1; /* even: no clash with hashes, which are odd */
    if (seen(log, tag))
        return;
    char text[VALUE_BYTES] = "";
    value_text(v, text, sizeof text);
    add_fact(log, tag, key, text, log->file);
}

static void note_default(const struct hwl_config *c, const char *key, const char *text)
{
    struct hwl_config_log *log = c->log;
    uint64_t tag = hash(text, hash(key, UINT64_C(0xcbf29ce484222325)));
    if (seen(log, tag))
        return;
    const char *origin = *log->type ? hwl_arena_printf(log->arena, "default of model_type %s", log->type) : "default";
    if (!origin)
        log->nomem = true;
    add_fact(log, tag, key, text, origin ? origin : "default");
}

/* What the class of the object's model_type assumes where none of the keys stands there, not even as null. */
static uint64_t default_of(const struct hwl_config *c, const char *keys, uint64_t def)
{
    if (!c->log->defaults || !c->obj)
        return def;
    for (const char *k = keys; *k;) {
        const uint64_t n = strcspn(k, "|");
        if (lookup(c->obj, k, n))
            return def;
        k += n + (k[n] == '|');
    }
    yyjson_val *const type = hwl_json_get(c->obj, "model_type");
    uint64_t v;
    return yyjson_is_str(type) && c->log->defaults(yyjson_get_str(type), keys, &v) ? v : def;
}

void hwl_config_set_defaults(const struct hwl_config *root, hwl_config_default_fn *defaults)
{
    if (root->log)
        root->log->defaults = defaults;
}

static void bad_full(const struct hwl_config *c, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void bad_full(const struct hwl_config *c, const char *key, const char *format, ...)
{
    struct hwl_config_log *log = c->log;
    if (log->has_bad)
        return;
    log->has_bad = true;
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(log->bad, sizeof log->bad, format, ap);
    va_end(ap);
    (void)snprintf(log->bad_key, sizeof log->bad_key, "%s", key);
}

static void bad_type(const struct hwl_config *c, const char *key, yyjson_val *v, const char *want)
{
    char text[64] = "";
    value_text(v, text, sizeof text);
    const char *quote = yyjson_is_str(v) ? "\"" : "";
    bad_full(c, key, "the value %s%s%s is no %s", quote, text, quote, want);
}

static bool as_u64(const struct hwl_config *c, const char *key, yyjson_val *v, uint64_t *out)
{
    uint64_t n;
    if (yyjson_is_uint(v)) {
        n = yyjson_get_uint(v);
    } else if (yyjson_is_sint(v) && yyjson_get_sint(v) >= 0) {
        n = (uint64_t)yyjson_get_sint(v);
    } else if (yyjson_is_real(v)) { /* 1e6, 4096.0 */
        double d = yyjson_get_real(v);
        if (!(d >= 0.0) || d != floor(d)) {
            bad_type(c, key, v, "whole number from 0");
            return false;
        }
        n = d <= (double)HWL_CFG_MAX ? (uint64_t)d : HWL_CFG_MAX + 1;
    } else {
        bad_type(c, key, v, "whole number from 0");
        return false;
    }
    if (n > HWL_CFG_MAX) {
        char text[64] = "";
        value_text(v, text, sizeof text);
        bad_full(c, key, "the value %s is absurd (above %llu)", text, (unsigned long long)HWL_CFG_MAX);
        return false;
    }
    *out = n;
    return true;
}

static bool as_bool(const struct hwl_config *c, const char *key, yyjson_val *v, bool *out)
{
    if (yyjson_is_bool(v)) {
        *out = yyjson_get_bool(v);
        return true;
    }
    if (yyjson_is_uint(v) && yyjson_get_uint(v) <= 1) {
        *out = yyjson_get_uint(v) == 1;
        return true;
    }
    bad_type(c, key, v, "truth value");
    return false;
}

static const char *as_str(const struct hwl_config *c, const char *key, yyjson_val *v)
{
    if (!yyjson_is_str(v)) {
        bad_type(c, key, v, "string");
        return NULL;
    }
    const char *s = yyjson_get_str(v);
    if (strlen(s) != yyjson_get_len(v)) {
        bad_full(c, key, "a string with a NUL byte in it");
        return NULL;
    }
    const char *copy = hwl_arena_strn(c->log->arena, s, yyjson_get_len(v));
    if (!copy)
        c->log->nomem = true;
    return copy;
}

struct hwl_config hwl_config_root(yyjson_val *root, const char *file, struct hwl_arena *arena)
{
    /* Without memory for the log the view is empty and its status says so. */
    struct hwl_config_log *log = HWL_NEW(arena, struct hwl_config_log);
    struct hwl_config c = {NULL, "", log};
    if (!log)
        return c;
    log->arena = arena;
    log->type = "";
    log->file = hwl_arena_str(arena, file ? file : "config.json");
    if (!log->file) {
        log->file = "config.json";
        log->nomem = true;
    }
    if (!yyjson_is_obj(root)) {
        bad_full(&c, "", "no JSON object");
        return c;
    }
    c.obj = root;
    yyjson_val *type = hwl_json_get(root, "model_type");
    if (yyjson_is_str(type)) {
        const char *copy = hwl_arena_str(arena, yyjson_get_str(type));
        if (copy)
            log->type = copy;
        else
            log->nomem = true;
    }
    return c;
}

uint64_t hwl_cfg_u64(const struct hwl_config *c, const char *keys, uint64_t def)
{
    return c->log ? hwl_cfg_u64_or(c, keys, default_of(c, keys, def)) : def;
}

uint64_t hwl_cfg_u64_or(const struct hwl_config *c, const char *keys, uint64_t def)
{
    if (!c->log)
        return def;
    char key[KEY_BYTES];
    yyjson_val *v = find(c, keys, key);
    if (!v) {
        char text[24];
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)def);
        note_default(c, key, text);
        return def;
    }
    uint64_t out = def;
    if (as_u64(c, key, v, &out))
        note_value(c, v, key);
    return out;
}

uint64_t hwl_cfg_need(const struct hwl_config *c, const char *keys)
{
    if (!c->log)
        return 0;
    char key[KEY_BYTES];
    yyjson_val *v = find(c, keys, key);
    if (v) {
        uint64_t out = 0;
        if (as_u64(c, key, v, &out))
            note_value(c, v, key);
        return out;
    }
    const uint64_t known = default_of(c, keys, UINT64_MAX);
    if (known != UINT64_MAX)
        return hwl_cfg_u64(c, keys, known);
    struct hwl_config_log *log = c->log;
    /* Whole names only, each once. */
    char *at = strstr(log->missing, key);
    uint64_t n = strlen(key);
    while (at && !((at == log->missing || at[-1] == ' ') && (at[n] == 0 || at[n] == ',')))
        at = strstr(at + 1, key);
    if (at)
        return 0;
    if (strlen(log->missing) + n + 8 < sizeof log->missing)
        append(log->missing, sizeof log->missing, "%s%s", log->missing[0] ? ", " : "", key);
    else
        log->more_missing = true;
    return 0;
}

double hwl_cfg_real(const struct hwl_config *c, const char *keys, double def)
{
    if (!c->log)
        return def;
    char key[KEY_BYTES];
    yyjson_val *v = find(c, keys, key);
    if (!v) {
        char text[40];
        (void)snprintf(text, sizeof text, "%.15g", def);
        note_default(c, key, text);
        return def;
    }
    if (!yyjson_is_num(v)) {
        bad_type(c, key, v, "number");
        return def;
    }
    note_value(c, v, key);
    return yyjson_get_num(v);
}

bool hwl_cfg_is_bool(const struct hwl_config *c, const char *keys)
{
    char key[KEY_BYTES];
    return yyjson_is_bool(find(c, keys, key));
}

bool hwl_cfg_bool(const struct hwl_config *c, const char *keys, bool def)
{
    if (!c->log)
        return def;
    char key[KEY_BYTES];
    yyjson_val *v = find(c, keys, key);
    if (!v) {
        def = default_of(c, keys, def) != 0;
        note_default(c, key, def ? "true" : "false");
        return def;
    }
    bool out = def;
    if (as_bool(c, key, v, &out))
        note_value(c, v, key);
    return out;
}

const char *hwl_cfg_str(const struct hwl_config *c, const char *keys, const char *def)
{
    if (!c->log)
        return def;
    char key[KEY_BYTES];
    yyjson_val *v = find(c, keys, key);
    if (!v) {
        if (def && *def)
            note_default(c, key, def);
        return def;
    }
    const char *s = as_str(c, key, v);
    if (s)
        note_value(c, v, key);
    return s ? s : def;
}

bool hwl_cfg_has(const struct hwl_config *c, const char *keys)
{
    char key[KEY_BYTES];
    return c->log && find(c, keys, key);
}

struct hwl_config hwl_cfg_obj(const struct hwl_config *c, const char *keys)
{
    struct hwl_config out = {NULL, "", c->log};
    if (!c->log)
        return out;
    char key[KEY_BYTES];
    yyjson_val *v = find(c, keys, key);
    if (v && !yyjson_is_obj(v)) {
        bad_type(c, key, v, "object");
        v = NULL;
    }
    out.obj = v;
    const char *path = hwl_arena_str(c->log->arena, key);
    if (path)
        out.path = path;
    else
        c->log->nomem = true;
    return out;
}

uint64_t hwl_cfg_n(const struct hwl_config *c, const char *keys)
{
    char key[KEY_BYTES];
    yyjson_val *v = c->log ? find(c, keys, key) : NULL;
    if (!v)
        return 0;
    if (yyjson_is_obj(v)) {
        bad_type(c, key, v, "array");
        return 0;
    }
    return yyjson_is_arr(v) ? yyjson_arr_size(v) : 1;
}

/* Element i; a scalar is its own element at every i. NULL past the end, for null, and when absent. */
static yyjson_val *element(const struct hwl_config *c, const char *keys, uint64_t i, char key[KEY_BYTES])
{
    yyjson_val *v = c->log ? find(c, keys, key) : NULL;
    if (!v)
        return NULL;
    note_value(c, v, key);
    if (yyjson_is_arr(v)) {
        v = i < yyjson_arr_size(v) ? yyjson_arr_get(v, (size_t)i) : NULL;
        append(key, KEY_BYTES, "[%llu]", (unsigned long long)i);
    }
    return v && !yyjson_is_null(v) ? v : NULL;
}

uint64_t hwl_cfg_at_u64(const struct hwl_config *c, const char *keys, uint64_t i, uint64_t def)
{
    char key[KEY_BYTES];
    yyjson_val *v = element(c, keys, i, key);
    uint64_t out = def;
    return v && as_u64(c, key, v, &out) ? out : def;
}

const char *hwl_cfg_at_str(const struct hwl_config *c, const char *keys, uint64_t i, const char *def)
{
    char key[KEY_BYTES];
    yyjson_val *v = element(c, keys, i, key);
    const char *s = v ? as_str(c, key, v) : NULL;
    return s ? s : def;
}

bool hwl_cfg_at_bool(const struct hwl_config *c, const char *keys, uint64_t i, bool def)
{
    char key[KEY_BYTES];
    yyjson_val *v = element(c, keys, i, key);
    bool out = def;
    return v && as_bool(c, key, v, &out) ? out : def;
}

bool hwl_cfg_in(const struct hwl_config *c, const char *keys, uint64_t i)
{
    char key[KEY_BYTES];
    yyjson_val *v = c->log ? find(c, keys, key) : NULL;
    if (!v)
        return false;
    note_value(c, v, key);
    if (yyjson_is_uint(v))
        return yyjson_get_uint(v) == i;
    if (!yyjson_is_arr(v)) {
        bad_type(c, key, v, "array of whole numbers");
        return false;
    }
    bool in = false;
    size_t at, n;
    yyjson_val *e;
    yyjson_arr_foreach(v, at, n, e)
    {
        if (!yyjson_is_int(e)) {
            append(key, KEY_BYTES, "[%llu]", (unsigned long long)at);
            bad_type(c, key, e, "whole number");
            return false;
        }
        in = in || (yyjson_is_uint(e) && yyjson_get_uint(e) == i);
    }
    return in;
}

void hwl_cfg_derived(const struct hwl_config *c, const char *key, uint64_t value, const char *how)
{
    if (!c->log)
        return;
    char full[KEY_BYTES], text[24];
    full_key(c, key, full);
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    uint64_t tag = hash(how, hash(text, hash(full, UINT64_C(0x84222325cbf29ce4))));
    if (seen(c->log, tag))
        return;
    const char *origin = hwl_arena_printf(c->log->arena, "derived: %s", how);
    if (!origin)
        c->log->nomem = true;
    add_fact(c->log, tag, full, text, origin ? origin : "derived");
}

void hwl_cfg_bad(const struct hwl_config *c, const char *key, const char *format, ...)
{
    if (!c->log || c->log->has_bad)
        return;
    char full[KEY_BYTES], text[256];
    full_key(c, key, full);
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    bad_full(c, full, "%s", text);
}

hwl_status hwl_config_status(const struct hwl_config *c, hwl_error *error)
{
    const struct hwl_config_log *log = c->log;
    if (!log || log->nomem)
        return hwl_fail_at(error, HWL_E_NOMEM, log ? log->file : "", HWL_NO_OFFSET, "", "out of memory");
    /* What is missing first: the other problems often follow from it. */
    if (log->missing[0])
        return hwl_fail_at(error, HWL_E_FORMAT, log->file, HWL_NO_OFFSET, "", "missing: %s%s", log->missing,
                           log->more_missing ? " and more" : "");
    if (log->has_bad)
        return hwl_fail_at(error, HWL_E_FORMAT, log->file, HWL_NO_OFFSET, log->bad_key, "%s", log->bad);
    return HWL_OK;
}

bool hwl_config_fact(const struct hwl_config *c, uint64_t i, const char **key, const char **value, const char **origin)
{
    if (!c->log || i >= c->log->n)
        return false;
    *key = c->log->facts[i].key;
    *value = c->log->facts[i].value;
    *origin = c->log->facts[i].origin;
    return true;
}
