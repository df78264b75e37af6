/* SPDX-License-Identifier: Apache-2.0 */
/* The options that a user can set: one table, values with a set mark. */
#include "settings/settings.h"

#include "base/status.h"
#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(id, name, type, argument, engines, help) {name, HWL_TYPE_##type, argument, engines, help},
static const hwl_option_info options[HWL_OPT_COUNT] = {
#include "settings/options.def"
};
#undef X

const hwl_option_info *hwl_option_at(uint32_t index)
{
    return index < HWL_OPT_COUNT ? &options[index] : NULL;
}

hwl_status hwl_settings_new(hwl_settings **out)
{
    hwl_settings *s = calloc(1, sizeof *s);
    if (!s)
        return HWL_E_NOMEM;
    *out = s;
    return HWL_OK;
}

static void clear_value(struct hwl_setting_value *v)
{
    free(v->text);
    for (uint32_t i = 0; i < v->n_list; i++)
        free(v->list[i]);
    free(v->list);
    memset(v, 0, sizeof *v);
}

void hwl_settings_free(hwl_settings *settings)
{
    if (!settings)
        return;
    for (int i = 0; i < HWL_OPT_COUNT; i++)
        clear_value(&settings->value[i]);
    for (uint32_t i = 0; i < settings->n_ignored; i++)
        free(settings->ignored[i]);
    free(settings->ignored);
    for (uint32_t i = 0; i < settings->n_unmodelled; i++)
        free(settings->unmodelled[i]);
    free(settings->unmodelled);
    free(settings->home);
    free(settings->hf_cache);
    free(settings);
}

static bool append(char ***list, uint32_t *n, const char *text)
{
    char **grown = realloc(*list, (*n + 1) * sizeof **list);
    if (!grown)
        return false;
    *list = grown;
    grown[*n] = strdup(text);
    if (!grown[*n])
        return false;
    ++*n;
    return true;
}

hwl_status hwl_settings_copy(const hwl_settings *settings, hwl_settings **out)
{
    hwl_settings *s;
    HWL_TRY(hwl_settings_new(&s));
    bool ok = true;
    for (int i = 0; i < HWL_OPT_COUNT && ok; i++) {
        const struct hwl_setting_value *from = &settings->value[i];
        struct hwl_setting_value *to = &s->value[i];
        *to = (struct hwl_setting_value){.set = from->set, .v = from->v};
        if (from->text)
            ok = (to->text = strdup(from->text)) != NULL;
        for (uint32_t k = 0; k < from->n_list && ok; k++)
            ok = append(&to->list, &to->n_list, from->list[k]);
    }
    for (uint32_t k = 0; k < settings->n_ignored && ok; k++)
        ok = append(&s->ignored, &s->n_ignored, settings->ignored[k]);
    for (uint32_t k = 0; k < settings->n_unmodelled && ok; k++)
        ok = append(&s->unmodelled, &s->n_unmodelled, settings->unmodelled[k]);
    ok = ok && hwl_settings_set_stores(s, settings->home, settings->hf_cache) == HWL_OK;
    if (!ok) {
        hwl_settings_free(s);
        return HWL_E_NOMEM;
    }
    *out = s;
    return HWL_OK;
}

hwl_status hwl_settings_set_stores(hwl_settings *settings, const char *home, const char *hf_cache)
{
    char *a = home ? strdup(home) : NULL, *b = hf_cache ? strdup(hf_cache) : NULL;
    if ((home && !a) || (hf_cache && !b)) {
        free(a);
        free(b);
        return HWL_E_NOMEM;
    }
    free(settings->home);
    free(settings->hf_cache);
    settings->home = a;
    settings->hf_cache = b;
    return HWL_OK;
}

static hwl_status unknown(const char *name, hwl_error *error)
{
    uint32_t best = 4;
    int nearest = -1;
    for (int i = 0; i < HWL_OPT_COUNT; i++) {
        const uint32_t d = hwl_text_distance(options[i].name, name, 3);
        if (d < best) {
            best = d;
            nearest = i;
        }
    }
    if (nearest >= 0)
        return hwl_fail(error, HWL_E_USAGE, "unknown option --%s; did you mean --%s?", name, options[nearest].name);
    return hwl_fail(error, HWL_E_USAGE, "unknown option --%s", name);
}

static hwl_status find(const char *name, enum hwl_opt *out, hwl_error *error)
{
    for (int i = 0; i < HWL_OPT_COUNT; i++)
        if (strcmp(options[i].name, name) == 0) {
            *out = (enum hwl_opt)i;
            return HWL_OK;
        }
    return unknown(name, error); /* the nearest is looked for only now: names are looked up by the hundred */
}

static bool parse_flag(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "on", "yes", "1"}, *const no[] = {"false", "off", "no", "0"};
    for (int i = 0; i < 4; i++) {
        if (hwl_text_eq_nocase(text, yes[i])) {
            *out = true;
            return true;
        }
        if (hwl_text_eq_nocase(text, no[i])) {
            *out = false;
            return true;
        }
    }
    return false;
}

static bool parse_int(const char *text, int64_t *out)
{
    uint64_t u;
    bool negative = *text == '-';
    if (!hwl_text_u64(text + negative, &u) || u > INT64_MAX)
        return false;
    *out = negative ? -(int64_t)u : (int64_t)u;
    return true;
}

static bool parse_real(const char *text, double *out)
{
    char *end;
    if (!*text || strspn(text, "0123456789.eE+-") != strlen(text))
        return false;
    errno = 0;
    double d = strtod(text, &end);
    if (*end || errno || !isfinite(d))
        return false;
    *out = d;
    return true;
}

static bool parse(hwl_option_type type, const char *text, struct hwl_setting_value *v)
{
    switch (type) {
    case HWL_TYPE_FLAG: return parse_flag(text, &v->v.flag);
    case HWL_TYPE_COUNT: return hwl_text_count(text, &v->v.u64);
    case HWL_TYPE_INT: return parse_int(text, &v->v.i64);
    case HWL_TYPE_BYTES: return hwl_text_bytes(text, &v->v.u64);
    case HWL_TYPE_REAL: return parse_real(text, &v->v.real);
    case HWL_TYPE_TEXT:
    case HWL_TYPE_LIST: return true;
    }
    return false;
}

hwl_status hwl_settings_set(hwl_settings *settings, const char *name, const char *value, hwl_error *error)
{
    enum hwl_opt id;
    HWL_TRY(find(name, &id, error));
    const hwl_option_info *o = &options[id];
    if (!value)
        value = o->type == HWL_TYPE_FLAG ? "true" : "";
    struct hwl_setting_value v = {.set = true};
    if (!parse(o->type, value, &v) || (o->type != HWL_TYPE_FLAG && o->type != HWL_TYPE_TEXT && !*value))
        return hwl_fail(error, HWL_E_USAGE, "--%s: '%s' is no %s", o->name, value, o->type == HWL_TYPE_FLAG ? "on or off" : o->argument);
    struct hwl_setting_value *slot = &settings->value[id];
    if (o->type == HWL_TYPE_LIST) {
        if (!append(&slot->list, &slot->n_list, value))
            return hwl_fail(error, HWL_E_NOMEM, "out of memory");
        slot->set = true;
        return HWL_OK;
    }
    v.text = strdup(value);
    if (!v.text)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    clear_value(slot);
    *slot = v;
    return HWL_OK;
}

hwl_status hwl_settings_set_count(hwl_settings *settings, const char *name, uint64_t value, hwl_error *error)
{
    enum hwl_opt id;
    HWL_TRY(find(name, &id, error));
    struct hwl_setting_value *slot = &settings->value[id];
    /* The path of sliders: no text, no allocation. */
    if (options[id].type == HWL_TYPE_COUNT || options[id].type == HWL_TYPE_BYTES) {
        clear_value(slot);
        slot->v.u64 = value;
    } else if (options[id].type == HWL_TYPE_INT && value <= INT64_MAX) {
        clear_value(slot);
        slot->v.i64 = (int64_t)value;
    } else {
        return hwl_fail(error, HWL_E_USAGE, "--%s takes no number", name);
    }
    slot->set = true;
    return HWL_OK;
}

hwl_status hwl_settings_clear(hwl_settings *settings, const char *name, hwl_error *error)
{
    enum hwl_opt id;
    HWL_TRY(find(name, &id, error));
    clear_value(&settings->value[id]);
    return HWL_OK;
}

bool hwl_settings_get(const hwl_settings *settings, const char *name, char *buf, uint64_t size)
{
    enum hwl_opt id;
    if (!size)
        return false;
    *buf = 0;
    if (find(name, &id, NULL) != HWL_OK || !settings->value[id].set)
        return false;
    const struct hwl_setting_value *v = &settings->value[id];
    switch (options[id].type) {
    case HWL_TYPE_FLAG: (void)snprintf(buf, size, "%s", v->v.flag ? "true" : "false"); break;
    case HWL_TYPE_COUNT:
    case HWL_TYPE_BYTES: (void)snprintf(buf, size, "%llu", (unsigned long long)v->v.u64); break;
    case HWL_TYPE_INT: (void)snprintf(buf, size, "%lld", (long long)v->v.i64); break;
    case HWL_TYPE_REAL: (void)snprintf(buf, size, "%.17g", v->v.real); break;
    case HWL_TYPE_TEXT: (void)snprintf(buf, size, "%s", v->text); break;
    case HWL_TYPE_LIST:
        for (uint32_t i = 0; i < v->n_list; i++) {
            size_t n = strlen(buf);
            (void)snprintf(buf + n, size - n, "%s%s", i ? "," : "", v->list[i]);
        }
        break;
    }
    return true;
}

bool hwl_settings_item(const hwl_settings *settings, const char *name, uint32_t index, char *buf, uint64_t size)
{
    enum hwl_opt id;
    if (!size)
        return false;
    *buf = 0;
    if (find(name, &id, NULL) != HWL_OK || index >= settings->value[id].n_list)
        return false;
    (void)snprintf(buf, size, "%s", settings->value[id].list[index]);
    return true;
}

bool hwl_opt_has(const struct hwl_settings *s, enum hwl_opt id)
{
    return s->value[id].set;
}

bool hwl_opt_flag(const struct hwl_settings *s, enum hwl_opt id, bool def)
{
    return s->value[id].set ? s->value[id].v.flag : def;
}

uint64_t hwl_opt_u64(const struct hwl_settings *s, enum hwl_opt id, uint64_t def)
{
    return s->value[id].set ? s->value[id].v.u64 : def;
}

int64_t hwl_opt_i64(const struct hwl_settings *s, enum hwl_opt id, int64_t def)
{
    return s->value[id].set ? s->value[id].v.i64 : def;
}

double hwl_opt_real(const struct hwl_settings *s, enum hwl_opt id, double def)
{
    return s->value[id].set ? s->value[id].v.real : def;
}

const char *hwl_opt_text(const struct hwl_settings *s, enum hwl_opt id, const char *def)
{
    return s->value[id].set ? s->value[id].text : def;
}

uint32_t hwl_opt_list_n(const struct hwl_settings *s, enum hwl_opt id)
{
    return s->value[id].n_list;
}

const char *hwl_opt_list_at(const struct hwl_settings *s, enum hwl_opt id, uint32_t i)
{
    return s->value[id].list[i];
}

hwl_status hwl_opt_adapter(const struct hwl_settings *s, uint32_t i, uint32_t *rank, uint32_t *n, hwl_error *error)
{
    const char *text = hwl_opt_list_at(s, HWL_OPT_LORA, i);
    const size_t digits = strspn(text, "0123456789");
    char first[16];
    uint64_t r = 0, count = 1;
    (void)snprintf(first, sizeof first, "%.*s", (int)(digits < sizeof first ? digits : 0), text);
    if (!hwl_text_u64(first, &r) || (text[digits] && (text[digits] != 'x' || !hwl_text_u64(text + digits + 1, &count))) || r == 0 ||
        r > 65536 || count == 0 || count > 65536)
        return hwl_fail(error, HWL_E_USAGE, "--lora wants RANK[xN], not '%.60s'", text);
    *rank = (uint32_t)r;
    *n = (uint32_t)count;
    return HWL_OK;
}

void hwl_settings_ignore(struct hwl_settings *s, const char *name)
{
    (void)append(&s->ignored, &s->n_ignored, name); /* a lost remark is no lost plan */
}

void hwl_settings_unmodelled(struct hwl_settings *s, const char *name)
{
    (void)append(&s->unmodelled, &s->n_unmodelled, name);
}
