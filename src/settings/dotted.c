/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a JSON option given one by one: "--compilation-config.cudagraph_mode NONE", "-cc.mode=3", "--x.list+ a,b".
 * After FlexibleArgumentParser.parse_args of vLLM (utils/argparse_utils.py). */
#include "settings/dotted.h"

#include "base/json.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OPTIONS 16
#define LONGEST_NAME 64

struct joined {
    char name[LONGEST_NAME]; /* with its dashes */
    yyjson_mut_val *object;
};

/* Is it "--name.member"? *dot and *end are where the name and the whole path end. */
static bool is_dotted(const char *arg, size_t *dot, size_t *end)
{
    *end = strcspn(arg, "=");
    const char *p = memchr(arg, '.', *end);
    *dot = p ? (size_t)(p - arg) : 0;
    return p && hwl_arg_is_option(arg) && *dot < LONGEST_NAME;
}

/* As JSON where it is some, else a text. list: its parts between commas. */
static yyjson_mut_val *value_of(yyjson_mut_doc *doc, const char *text, bool list)
{
    if (list) {
        yyjson_mut_val *array = yyjson_mut_arr(doc);
        for (const char *p = text;; p++) {
            const size_t n = strcspn(p, ",");
            (void)yyjson_mut_arr_add_strncpy(doc, array, p, n);
            p += n;
            if (!*p)
                return array;
        }
    }
    yyjson_doc *own;
    if (hwl_json_parse(text, strlen(text), 0, "", &own, NULL) != HWL_OK)
        return yyjson_mut_strcpy(doc, text);
    yyjson_mut_val *v = yyjson_val_mut_copy(doc, yyjson_doc_get_root(own));
    yyjson_doc_free(own);
    return v;
}

/* Sets object.a.b = value for the path "a.b"; what is no object on the way gives way; a list is lengthened. */
static bool put(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *path, size_t n, yyjson_mut_val *value)
{
    unsigned depth = 0;
    for (;;) {
        const char *p = memchr(path, '.', n);
        const size_t length = p ? (size_t)(p - path) : n;
        yyjson_mut_val *key = yyjson_mut_strncpy(doc, path, length), *old = yyjson_mut_obj_getn(object, path, length);
        if (!key || ++depth > HWL_JSON_DEPTH / 2)
            return false;
        if (!p && yyjson_mut_is_arr(old) && yyjson_mut_is_arr(value)) {
            yyjson_mut_val *v;
            while ((v = yyjson_mut_arr_remove_first(value)) != NULL)
                (void)yyjson_mut_arr_append(old, v);
            return true;
        }
        if (!p)
            return yyjson_mut_obj_put(object, key, value);
        if (!yyjson_mut_is_obj(old)) {
            old = yyjson_mut_obj(doc);
            if (!old || !yyjson_mut_obj_put(object, key, old))
                return false;
        }
        object = old;
        path = p + 1;
        n -= length + 1;
    }
}

static struct joined *joined_of(struct joined *list, uint32_t *n, const char *name, size_t length, yyjson_mut_doc *doc)
{
    for (uint32_t i = 0; i < *n; i++)
        if (strlen(list[i].name) == length && memcmp(list[i].name, name, length) == 0)
            return &list[i];
    if (*n == MOST_OPTIONS)
        return NULL;
    struct joined *j = &list[(*n)++];
    memcpy(j->name, name, length);
    j->name[length] = 0;
    j->object = yyjson_mut_obj(doc);
    return j->object ? j : NULL;
}

hwl_status hwl_dotted_join(int argc, const char *const *argv, struct hwl_dotted *out, hwl_error *error)
{
    size_t dot, end;
    bool any = false;
    *out = (struct hwl_dotted){.argc = argc, .argv = argv};
    for (int i = 0; i < argc; i++)
        any = any || is_dotted(argv[i], &dot, &end);
    if (!any)
        return HWL_OK;
    struct joined list[MOST_OPTIONS];
    uint32_t n = 0;
    hwl_status st = HWL_OK;
    int count = 0;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    out->own = calloc((size_t)argc + 2 * (size_t)MOST_OPTIONS, sizeof *out->own);
    if (!doc || !out->own)
        st = hwl_fail(error, HWL_E_NOMEM, "out of memory");
    for (int i = 0; st == HWL_OK && i < argc; i++) {
        if (!is_dotted(argv[i], &dot, &end)) {
            out->own[count++] = argv[i];
            continue;
        }
        const char *arg = argv[i], *text = arg[end] ? arg + end + 1 : i + 1 < argc ? argv[++i] : NULL;
        const bool more = arg[end - 1] == '+';
        struct joined *j = text ? joined_of(list, &n, arg, dot, doc) : NULL;
        if (!text)
            st = hwl_fail(error, HWL_E_USAGE, "%.80s needs a value", arg);
        else if (!j || !put(doc, j->object, arg + dot + 1, end - dot - 1 - (more ? 1 : 0), value_of(doc, text, more)))
            st = hwl_fail(error, HWL_E_USAGE, "%.80s cannot be read", arg);
    }
    for (uint32_t i = 0; st == HWL_OK && i < n; i++) {
        char *json = yyjson_mut_val_write(list[i].object, 0, NULL);
        char *name = json ? strdup(list[i].name) : NULL;
        if (!name)
            st = hwl_fail(error, HWL_E_NOMEM, "out of memory");
        out->made[out->n_made++] = json;
        out->made[out->n_made++] = name;
        out->own[count++] = name;
        out->own[count++] = json;
    }
    yyjson_mut_doc_free(doc);
    if (st != HWL_OK) {
        hwl_dotted_free(out);
        return st;
    }
    out->argc = count;
    out->argv = out->own;
    return HWL_OK;
}

void hwl_dotted_free(struct hwl_dotted *d)
{
    for (uint32_t i = 0; i < d->n_made; i++)
        free(d->made[i]);
    free(d->own);
    *d = (struct hwl_dotted){0};
}
