/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's own command line, read by that engine's table of options. */
#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"
#include "settings/dotted.h"
#include "settings/settings.h"

#include <stdio.h>
#include <string.h>

#define MAX_FILES 8

/* Is `name` (n characters, - and _ alike) one of the words? */
static bool word_matches(const char *words, const char *name, size_t n)
{
    for (const char *p = words; *p;) {
        size_t len = strcspn(p, " ");
        if (len == n) {
            size_t i = 0;
            while (i < n && (p[i] == name[i] || (p[i] == '-' && name[i] == '_')))
                i++;
            if (i == n)
                return true;
        }
        p += len;
        p += *p == ' ';
    }
    return false;
}

static bool is_there(const struct hwl_engine_args *a, uint32_t i)
{
    char first[96];
    const size_t n = strcspn(a->table[i].names, " ");
    if (!a->has || n >= sizeof first)
        return true;
    memcpy(first, a->table[i].names, n);
    first[n] = 0;
    return a->has(first, a->version);
}

static const struct hwl_engine_arg *find(const struct hwl_engine_args *a, const char *name, size_t length)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (word_matches(a->table[i].names, name, length) && is_there(a, i))
            return &a->table[i];
    return NULL;
}

static hwl_status unknown(const struct hwl_engine_args *a, const char *arg, hwl_error *error)
{
    const char *name = arg + strspn(arg, "-");
    char word[96], nearest[96] = "";
    uint32_t best = 4;
    for (uint32_t i = 0; i < a->n; i++)
        for (const char *p = a->table[i].names; *p;) {
            size_t len = strcspn(p, " ");
            if (len > 1 && len < sizeof word) {
                memcpy(word, p, len);
                word[len] = 0;
                uint32_t d = hwl_text_distance(word, name, 3);
                if (d < best && is_there(a, i)) {
                    best = d;
                    memcpy(nearest, word, len + 1);
                }
            }
            p += len;
            p += *p == ' ';
        }
    return hwl_fail(error, HWL_E_USAGE, "%s%s%s has no option %s%s%s%s", a->engine, a->version && a->has ? " " : "",
                    a->version && a->has ? a->version : "", arg, *nearest ? "; did you mean --" : "", nearest, *nearest ? "?" : "");
}

/* Counts on an engine's command line are plain integers: "32k" is ours, not theirs; -1 stays with INT options. */
static hwl_status set(struct hwl_settings *s, const struct hwl_engine_arg *row, const char *arg, const char *value, hwl_error *error)
{
    const hwl_option_info *o = hwl_option_at((uint32_t)row->option);
    uint64_t u;
    char text[40];
    switch (row->how) {
    case HWL_ARG_TRUE: return hwl_settings_set(s, o->name, "true", error);
    case HWL_ARG_FALSE: return hwl_settings_set(s, o->name, "false", error);
    case HWL_ARG_MIB:
        if (!hwl_text_u64(value, &u) || !hwl_mul(&u, u, 1u << 20))
            return hwl_fail(error, HWL_E_USAGE, "%s: '%s' is no number of MiB", arg, value);
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)u);
        return hwl_settings_set(s, o->name, text, error);
    case HWL_ARG_GIB:
        (void)snprintf(text, sizeof text, "%.30sGiB", value);
        return hwl_settings_set(s, o->name, text, error);
    case HWL_ARG_CUSTOM: return row->custom(s, value, error);
    case HWL_ARG_VALUE:
    case HWL_ARG_VALUES: return hwl_settings_set(s, o->name, value, error);
    case HWL_ARG_UNMODELLED:
    case HWL_ARG_UNMODELLED_ANY:
    case HWL_ARG_UNMODELLED1: hwl_settings_unmodelled(s, arg); return HWL_OK;
    default: hwl_settings_ignore(s, arg); return HWL_OK;
    }
}

/* "--name" or "-n"; "-1" is a value. */
bool hwl_arg_is_option(const char *arg)
{
    return arg[0] == '-' && (arg[1] == '-' || (arg[1] >= 'A' && arg[1] <= 'Z') || (arg[1] >= 'a' && arg[1] <= 'z'));
}

/* The values from argv[*i + 1] on up to the next option, with commas between them. */
static hwl_status gather(const char *engine, const char *arg, int argc, const char *const *argv, int *i, char *text, size_t size,
                         hwl_error *error)
{
    size_t n = 0;
    text[0] = 0;
    while (*i + 1 < argc && !hwl_arg_is_option(argv[*i + 1])) {
        const char *v = argv[++*i];
        const size_t length = strlen(v);
        if (n + length + 2 > size)
            return hwl_fail(error, HWL_E_USAGE, "%s: %s has too many values", engine, arg);
        if (n)
            text[n++] = ',';
        memcpy(text + n, v, length + 1);
        n += length;
    }
    return HWL_OK;
}

/* A list as Python or JSON prints it, ["0", "5"], as the command line has it: 0,5. */
static const char *plain_list(const char *value, char *text, size_t size)
{
    size_t n = 0;
    if (*value != '[')
        return value;
    for (const char *p = value; *p && n + 1 < size; p++)
        if (!strchr("[]\"' ", *p))
            text[n++] = *p;
    text[n] = 0;
    return text;
}

static hwl_status parse(struct hwl_settings *s, const struct hwl_engine_args *args, int argc, const char *const *argv, hwl_error *error)
{
    const char *engine = args->engine, *files[MAX_FILES];
    const struct hwl_engine_arg *readers[MAX_FILES];
    uint32_t n_files = 0;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (arg[0] != '-' || !arg[1])
            return hwl_fail(error, HWL_E_USAGE, "%s: '%s' is no option", engine, arg);
        const char *name = arg + (arg[1] == '-' ? 2 : 1);
        const char *value = strchr(name, '=');
        size_t length = value ? (size_t)(value - name) : strlen(name);
        const struct hwl_engine_arg *row = find(args, name, length);
        if (!row)
            return unknown(args, arg, error);
        char values[2048];
        bool takes = row->how == HWL_ARG_VALUE || row->how == HWL_ARG_VALUES || row->how == HWL_ARG_UNMODELLED1 || row->how == HWL_ARG_MIB || row->how == HWL_ARG_GIB || row->how == HWL_ARG_IGNORE1 ||
                     (row->how == HWL_ARG_CUSTOM && !row->no_value) || row->how == HWL_ARG_FILE;
        if (!value && (row->how == HWL_ARG_VALUES || row->how == HWL_ARG_IGNORE_ANY || row->how == HWL_ARG_UNMODELLED_ANY)) {
            HWL_TRY(gather(engine, arg, argc, argv, &i, values, sizeof values, error));
            value = values;
            if (takes && !*values)
                return hwl_fail(error, HWL_E_USAGE, "%s: %s needs a value", engine, arg);
        } else if (value) {
            value++;
            if (!takes && row->how != HWL_ARG_IGNORE_ANY && row->how != HWL_ARG_UNMODELLED_ANY && row->how != HWL_ARG_IGNORE_OPT)
                return hwl_fail(error, HWL_E_USAGE, "%s: %s takes no value", engine, arg);
        } else if (takes) {
            if (i + 1 >= argc)
                return hwl_fail(error, HWL_E_USAGE, "%s: %s needs a value", engine, arg);
            value = argv[++i];
        } else if (row->how == HWL_ARG_IGNORE_OPT && i + 1 < argc && !hwl_arg_is_option(argv[i + 1])) {
            value = argv[++i];
        }
        if (args->python && value && takes && strcmp(value, "None") == 0)
            continue;
        char list[2048];
        if (args->python && value && row->how == HWL_ARG_VALUES && strlen(value) < sizeof list)
            value = plain_list(value, list, sizeof list);
        if (row->how != HWL_ARG_FILE) {
            HWL_TRY(set(s, row, arg, value, error));
            continue;
        }
        if (n_files == MAX_FILES)
            return hwl_fail(error, HWL_E_USAGE, "%s: more than %d files of options", engine, MAX_FILES);
        files[n_files] = value;
        readers[n_files++] = row;
    }
    for (uint32_t i = 0; i < n_files; i++)
        HWL_TRY(readers[i]->custom(s, files[i], error));
    return HWL_OK;
}

hwl_status hwl_engine_args_parse(struct hwl_settings *s, const struct hwl_engine_args *args, int argc, const char *const *argv,
                                 hwl_error *error)
{
    if (!args->python)
        return parse(s, args, argc, argv, error);
    struct hwl_dotted joined;
    HWL_TRY(hwl_dotted_join(argc, argv, &joined, error));
    const hwl_status st = parse(s, args, joined.argc, joined.argv, error);
    hwl_dotted_free(&joined);
    return st;
}
