/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as its engine's command line: the resolved settings, written by the engine's own table of options. */
#include "base/status.h"
#include "base/str.h"
#include "plan/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How a server is started, and what of a plan's settings its command line has no place for. */
static const struct server {
    const char *engine, *start, *leave_out;
} servers[] = {
    {"vllm", "vllm serve ", "ctx-auto kv-cache-memory max-context concurrency"},
};

struct text {
    char *p;
    size_t n, cap;
    bool failed;
};

static void put(struct text *t, const char *s)
{
    const size_t n = strlen(s);
    if (!t->failed && t->n + n + 1 > t->cap) {
        const size_t cap = (t->n + n + 1) * 2;
        char *p = realloc(t->p, cap);
        t->failed = p == NULL;
        t->p = p ? p : t->p;
        t->cap = p ? cap : t->cap;
    }
    if (t->failed)
        return;
    memcpy(t->p + t->n, s, n + 1);
    t->n += n;
}

/* As a shell reads it back: plain words as they are, anything else between single quotes. */
static void put_word(struct text *t, const char *s)
{
    char one[2] = "";
    if (*s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@")] == 0) {
        put(t, s);
        return;
    }
    put(t, "'");
    for (; *s; s++) {
        one[0] = *s;
        put(t, *s == '\'' ? "'\\''" : one);
    }
    put(t, "'");
}

static void put_value(struct text *t, const struct hwl_setting_item *s, enum hwl_arg_how how)
{
    char number[40];
    if (s->type == HWL_VIEW_TEXT) {
        put_word(t, s->text);
        return;
    }
    if (s->type == HWL_VIEW_REAL)
        (void)snprintf(number, sizeof number, "%.10g", s->real);
    else if (how == HWL_ARG_GIB)
        (void)snprintf(number, sizeof number, "%.6f", (double)s->u64 / (1024.0 * 1024.0 * 1024.0));
    else
        (void)snprintf(number, sizeof number, "%llu", (unsigned long long)(how == HWL_ARG_MIB ? s->u64 >> 20 : s->u64));
    put(t, number);
}

/* Has the planned release the row's option? */
static bool is_there(const struct hwl_engine *e, const struct hwl_engine_arg *a, const char *version)
{
    char name[80];
    const size_t n = strcspn(a->names, " ");
    if (n >= sizeof name)
        return true;
    memcpy(name, a->names, n);
    name[n] = 0;
    return (!e->has_arg || e->has_arg(name, version)) && (!e->writes_arg || e->writes_arg(name, version));
}

static bool same_option(const char *option, const char *name)
{
    for (; *name && (*option == *name || (*option == '_' && *name == '-')); option++, name++)
        ;
    return !*option && !*name;
}

/* The row by which the engine's command line sets an option. */
static const struct hwl_engine_arg *row_of(const struct hwl_engine *e, const char *version, const char *option, bool cleared)
{
    for (uint32_t i = 0; i < e->n_args; i++) {
        const struct hwl_engine_arg *a = &e->args[i];
        const bool flag = a->how == HWL_ARG_TRUE || a->how == HWL_ARG_FALSE;
        if (a->how != HWL_ARG_VALUE && a->how != HWL_ARG_VALUES && a->how != HWL_ARG_CUSTOM && a->how != HWL_ARG_MIB && a->how != HWL_ARG_GIB && !flag)
            continue;
        if ((a->how == HWL_ARG_CUSTOM && a->no_value) || (flag && (a->how == HWL_ARG_FALSE) != cleared))
            continue;
        if (same_option(option, hwl_option_at((uint32_t)a->option)->name) && is_there(e, a, version))
            return a;
    }
    return NULL;
}

/* pin: an option that stands at the end of the line. */
static void put_setting(struct text *t, const struct hwl_engine *e, const char *version, const char *pin, const struct hwl_setting_item *s)
{
    const bool flag = s->type == HWL_VIEW_BOOL;
    const struct hwl_engine_arg *a = row_of(e, version, s->name, flag && !s->u64);
    if (!a || s->type == HWL_VIEW_JSON || (flag && a->how != HWL_ARG_TRUE && a->how != HWL_ARG_FALSE))
        return;
    char name[80];
    const size_t n = strcspn(a->names, " ");
    memcpy(name, a->names, n < sizeof name ? n : sizeof name - 1);
    name[n < sizeof name ? n : sizeof name - 1] = 0;
    if (pin && strcmp(name, pin) == 0)
        return;
    put(t, " --");
    put(t, name);
    if (flag)
        return;
    put(t, " ");
    put_value(t, s, a->how);
}

static const struct hwl_setting_item *setting(const struct hwl_ledger *l, const char *name)
{
    for (uint64_t i = 0; i < l->n_settings; i++)
        if (strcmp(l->settings[i].name, name) == 0)
            return &l->settings[i];
    return NULL;
}

/* vLLM takes speculation and captured sizes as JSON. */
static void put_objects(struct text *t, const struct hwl_engine *e, const struct hwl_ledger *l)
{
    const struct hwl_setting_item *method = setting(l, "spec-method"), *draft = setting(l, "draft"), *n = setting(l, "draft-max");
    const struct hwl_setting_item *mode = setting(l, "cudagraph-mode"), *experts = setting(l, "redundant-experts");
    struct text o = {0};
    char number[40];
    if (method || draft) {
        put(&o, "{");
        if (method) {
            put(&o, "\"method\": \"");
            put(&o, method->text);
            put(&o, "\"");
        }
        if (draft) {
            put(&o, method ? ", \"model\": \"" : "\"model\": \"");
            put(&o, draft->text);
            put(&o, "\"");
        }
        if (n) {
            (void)snprintf(number, sizeof number, ", \"num_speculative_tokens\": %llu", (unsigned long long)n->u64);
            put(&o, number);
        }
        put(&o, "}");
        put(t, " --speculative-config ");
        put_word(t, o.p ? o.p : "{}");
    }
    if (mode) {
        o.n = 0;
        put(&o, "{\"cudagraph_mode\": \"");
        put(&o, mode->text);
        put(&o, "\"}");
        put(t, " --compilation-config ");
        put_word(t, o.p ? o.p : "{}");
    }
    if (experts && strcmp(e->id, "vllm") == 0) {
        (void)snprintf(number, sizeof number, "%llu", (unsigned long long)experts->u64);
        o.n = 0;
        put(&o, "{\"num_redundant_experts\": ");
        put(&o, number);
        put(&o, "}");
        put(t, " --eplb-config ");
        put_word(t, o.p ? o.p : "{}");
    }
    t->failed = t->failed || o.failed;
    free(o.p);
}

hwl_status hwl_plan_command(const hwl_plan *plan, char **out, hwl_error *error)
{
    static const char objects[] = "draft spec-method draft-max cudagraph-mode redundant-experts engine engine-version reserve";
    const struct hwl_ledger *l = &plan->ledger;
    const struct server *s = NULL;
    for (size_t i = 0; i < sizeof servers / sizeof *servers && !s; i++)
        s = strcmp(servers[i].engine, plan->engine->id) == 0 ? &servers[i] : NULL;
    for (uint64_t i = 0; !s && i < l->n_views; i++) /* engines that write their own */
        if (strcmp(l->views[i].name, "command_line") == 0) {
            *out = strdup(l->views[i].text);
            return *out ? HWL_OK : hwl_fail(error, HWL_E_NOMEM, "out of memory");
        }
    if (!s)
        return hwl_fail(error, HWL_E_UNSUPPORTED, "no command line of %s is written here", plan->engine->id);
    struct text t = {0};
    const char *pinned = "", *pin = plan->engine->pin ? plan->engine->pin(plan->version, &pinned) : NULL;
    const char *model = plan->model->source;
    const char *id = strncmp(model, "catalogue: ", 11) == 0 ? model + 11 : model;
    put(&t, s->start);
    put_word(&t, id);
    for (uint64_t i = 0; i < l->n_settings; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s", l->settings[i].name);
        for (char *p = name; *p; p++)
            *p = *p == '_' ? '-' : *p;
        if (!hwl_words_have(s->leave_out, name) && !hwl_words_have(objects, name))
            put_setting(&t, plan->engine, plan->version, pin, &l->settings[i]);
    }
    put_objects(&t, plan->engine, l);
    for (uint64_t i = 0; pin && i < l->n_views; i++)
        if (strcmp(l->views[i].name, pinned) == 0 && l->views[i].u64) {
            char text[96];
            (void)snprintf(text, sizeof text, " --%s %llu", pin, (unsigned long long)l->views[i].u64);
            put(&t, text);
        }
    if (t.failed) {
        free(t.p);
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    }
    *out = t.p;
    return HWL_OK;
}
