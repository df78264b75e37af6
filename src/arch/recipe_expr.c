/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions of recipes: whole numbers over configuration keys.
 *
 *   c ? a ! b | or | and | == != < > <= >= | + - | * / % | number $name i j k (e) not e key key[e] key:e
 *   key is WORD | key[e] is WORD | key holds e | key follows e (of a list of lists: 1 + the first of the list in which e stands behind others) | has key | object key | #key (length of an array)
 *
 * A key holds alternatives with | and reads the root, or the object whose short name stands before it (v.hidden_size). Its
 * value is that of the file, else the default of the object's class (data/config_defaults.csv), else what stands behind the colon; a null in
 * the file gives the latter. Truth values are 0 and 1. Division rounds down. */
#include "arch/family.h"
#include "arch/hf.h"
#include "arch/recipe.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct key {
    char name[160];
    const struct hwl_config *c;
    const char *type;
};

static void blanks(const char **p)
{
    while (**p == ' ')
        ++*p;
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '|';
}

static bool take(const char **p, const char *s)
{
    blanks(p);
    const size_t n = strlen(s);
    if (strncmp(*p, s, n) != 0 || (isalpha((unsigned char)s[0]) && word_char((*p)[n])))
        return false;
    *p += n;
    return true;
}

static uint64_t any_of(struct hwl_recipe *r, const char **p);
static uint64_t atom(struct hwl_recipe *r, const char **p);

static bool read_key(struct hwl_recipe *r, const char **p, struct key *k)
{
    blanks(p);
    size_t n = 0;
    while (word_char((*p)[n]))
        n++;
    if (n == 0 || n >= sizeof k->name) {
        hwl_recipe_bad(r, "no key", *p);
        return false;
    }
    memcpy(k->name, *p, n);
    k->name[n] = 0;
    *p += n;
    const char *const dot = strchr(k->name, '.');
    const size_t before = dot ? (size_t)(dot - k->name) : 0;
    size_t skip = 0;
    const struct hwl_recipe_object *o = &r->objects[0];
    for (uint32_t i = 1; i < r->n_objects && dot; i++)
        if (strlen(r->objects[i].name) == before && memcmp(r->objects[i].name, k->name, before) == 0) {
            o = &r->objects[i];
            skip = before + 1;
        }
    k->c = &o->cfg;
    k->type = o->type;
    memmove(k->name, k->name + skip, n - skip + 1);
    return true;
}

static bool is_null(const struct key *k)
{
    return k->c->obj && yyjson_is_null(hwl_json_get(k->c->obj, k->name));
}

/* key, key[e], key:e */
static uint64_t value_of(struct hwl_recipe *r, const struct key *k, const char **p)
{
    uint64_t at = UINT64_MAX, v = 0, def = 0;
    if (take(p, "[")) {
        at = any_of(r, p);
        if (!take(p, "]"))
            hwl_recipe_bad(r, "no ]", *p);
    }
    const bool own = take(p, ":");
    if (own)
        def = atom(r, p);
    const bool known = !is_null(k) && hwl_class_default(k->type, k->name, &v);
    if (!known)
        v = def;
    if (at != UINT64_MAX) {
        if (!own && !known && hwl_cfg_n(k->c, k->name) <= at)
            (void)hwl_cfg_need(k->c, k->name);
        const bool has = hwl_cfg_has(k->c, k->name);
        yyjson_val *const e = has ? yyjson_arr_get(hwl_json_get(k->c->obj, k->name), (size_t)at) : NULL;
        return yyjson_is_bool(e) ? yyjson_get_bool(e) : hwl_cfg_at_u64(k->c, k->name, at, v);
    }
    if (!hwl_cfg_has(k->c, k->name) && !own && !known)
        return hwl_cfg_need(k->c, k->name);
    if (hwl_cfg_is_bool(k->c, k->name))
        return hwl_cfg_bool(k->c, k->name, false);
    return hwl_cfg_u64_or(k->c, k->name, v);
}

static bool known_word(struct hwl_recipe *r, const struct key *k, uint64_t *v)
{
    static const char *const index[] = {"i", "j", "k"};
    for (uint32_t d = 0; d < r->depth; d++)
        if (strcmp(k->name, index[d]) == 0) {
            *v = r->index[d];
            return true;
        }
    return false;
}

static uint64_t variable(struct hwl_recipe *r, const char **p)
{
    size_t n = 0;
    while (isalnum((unsigned char)(*p)[n]) || (*p)[n] == '_')
        n++;
    const char *const name = *p;
    *p += n;
    for (uint32_t i = r->n_vars; i-- > 0;)
        if (r->vars[i].n == n && memcmp(r->vars[i].name, name, n) == 0)
            return r->vars[i].value;
    if (n == 6 && memcmp(name, "hidden", n) == 0)
        return r->b->m->hidden;
    if (n == 5 && memcmp(name, "vocab", n) == 0)
        return r->b->m->vocab;
    if (n == 6 && memcmp(name, "labels", n) == 0)
        return hwl_hf_labels(&r->objects[0].cfg);
    hwl_recipe_bad(r, "unknown variable", name);
    return 0;
}

/* Of a list of lists: 1 + the first of the one in which n stands, but not at its head; 0 in none. */
static uint64_t follows(const struct key *k, uint64_t n)
{
    yyjson_val *const lists = k->c->obj ? hwl_json_get(k->c->obj, k->name) : NULL, *list, *v;
    size_t i, j, max, len;
    yyjson_arr_foreach(lists, i, max, list)
        yyjson_arr_foreach(list, j, len, v)
            if (j && yyjson_is_uint(v) && yyjson_get_uint(v) == n)
                return yyjson_is_uint(yyjson_arr_get_first(list)) ? hwl_min(yyjson_get_uint(yyjson_arr_get_first(list)), HWL_CFG_MAX) + 1 : 0;
    return 0;
}

/* Whether n is among the numbers of a list, or of a text with commas between ("4,5,6"). */
static bool listed(const struct key *k, uint64_t n)
{
    yyjson_val *const v = k->c->obj ? hwl_json_get(k->c->obj, k->name) : NULL;
    if (!yyjson_is_str(v))
        return hwl_cfg_in(k->c, k->name, n);
    for (const char *s = yyjson_get_str(v); *s;) {
        char *end;
        const uint64_t e = isdigit((unsigned char)*s) ? strtoull(s, &end, 10) : (end = (char *)(uintptr_t)s, UINT64_MAX);
        if (end != s && e == n)
            return true;
        s = end + strcspn(end, ",");
        s += *s == ',';
    }
    return false;
}

/* key is WORD, key[e] is WORD, key holds e */
static uint64_t key_test(struct hwl_recipe *r, const struct key *k, const char **p, bool *done)
{
    const char *const start = *p;
    uint64_t at = 0;
    *done = true;
    if (take(p, "holds"))
        return listed(k, atom(r, p));
    if (take(p, "follows"))
        return follows(k, atom(r, p));
    if (take(p, "[")) {
        at = any_of(r, p);
        (void)take(p, "]");
    }
    if (take(p, "is")) {
        blanks(p);
        const size_t n = strcspn(*p, " ,)");
        yyjson_val *const raw = k->c->obj ? hwl_json_get(k->c->obj, k->name) : NULL;
        const bool number = yyjson_is_num(raw) || yyjson_is_bool(raw);
        const char *const v = number ? "" : hwl_cfg_at_str(k->c, k->name, at, "");
        const bool same = strlen(v) == n && memcmp(v, *p, n) == 0;
        *p += n;
        return same;
    }
    *p = start;
    *done = false;
    return 0;
}

static uint64_t atom(struct hwl_recipe *r, const char **p)
{
    struct key k;
    blanks(p);
    if (isdigit((unsigned char)**p)) {
        uint64_t v = 0;
        while (isdigit((unsigned char)**p))
            v = v * 10 + (uint64_t)(*(*p)++ - '0');
        return v;
    }
    if (take(p, "(")) {
        const uint64_t v = any_of(r, p);
        if (!take(p, ")"))
            hwl_recipe_bad(r, "no )", *p);
        return v;
    }
    if (take(p, "$"))
        return variable(r, p);
    if (take(p, "not"))
        return !atom(r, p);
    if (take(p, "has"))
        return read_key(r, p, &k) && hwl_cfg_has(k.c, k.name);
    if (take(p, "object")) /* an object, which has() of a number or word is not */
        return read_key(r, p, &k) && hwl_cfg_obj(k.c, k.name).obj != NULL;
    if (take(p, "#"))
        return read_key(r, p, &k) ? hwl_cfg_n(k.c, k.name) : 0;
    uint64_t v = 0;
    if (!read_key(r, p, &k) || known_word(r, &k, &v))
        return v;
    bool done;
    v = key_test(r, &k, p, &done);
    return done ? v : value_of(r, &k, p);
}

static uint64_t product(struct hwl_recipe *r, const char **p)
{
    uint64_t v = atom(r, p);
    for (;;) {
        if (take(p, "*")) {
            v = hwl_ck_mul(&r->b->ck, v, atom(r, p));
        } else if (take(p, "/") || take(p, "%")) {
            const bool rest = (*p)[-1] == '%';
            const uint64_t by = atom(r, p);
            if (!by)
                hwl_cfg_bad(&r->objects[0].cfg, "config.json", "a size is divided by zero");
            v = !by ? 0 : rest ? v % by : v / by;
        } else {
            return v;
        }
    }
}

static uint64_t sum(struct hwl_recipe *r, const char **p)
{
    uint64_t v = product(r, p);
    for (;;) {
        if (take(p, "+")) {
            v = hwl_ck_add(&r->b->ck, v, product(r, p));
        } else if (take(p, "-")) {
            const uint64_t less = product(r, p);
            if (less > v)
                hwl_cfg_bad(&r->objects[0].cfg, "config.json", "a size is below zero");
            v -= less > v ? v : less;
        } else {
            return v;
        }
    }
}

static uint64_t compared(struct hwl_recipe *r, const char **p)
{
    const uint64_t v = sum(r, p);
    if (take(p, "=="))
        return v == sum(r, p);
    if (take(p, "!="))
        return v != sum(r, p);
    if (take(p, "<="))
        return v <= sum(r, p);
    if (take(p, ">="))
        return v >= sum(r, p);
    if (take(p, "<"))
        return v < sum(r, p);
    if (take(p, ">"))
        return v > sum(r, p);
    return v;
}

static uint64_t all_of(struct hwl_recipe *r, const char **p)
{
    uint64_t v = compared(r, p);
    while (take(p, "and")) {
        const uint64_t w = compared(r, p);
        v = v && w;
    }
    return v;
}

static uint64_t any_of(struct hwl_recipe *r, const char **p)
{
    uint64_t v = all_of(r, p);
    while (take(p, "or")) {
        const uint64_t w = all_of(r, p);
        v = v || w;
    }
    if (take(p, "?")) { /* both sides are read: a key of either must stand or have a default */
        const uint64_t yes = any_of(r, p);
        if (!take(p, "!"))
            hwl_recipe_bad(r, "no !", *p);
        const uint64_t no = any_of(r, p);
        v = v ? yes : no;
    }
    return v;
}

uint64_t hwl_recipe_eval(struct hwl_recipe *r, const char **p)
{
    const uint64_t v = any_of(r, p);
    blanks(p);
    return v;
}
