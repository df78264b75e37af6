/* SPDX-License-Identifier: Apache-2.0 */
/* The list that engines write: entries, placement, figures, notes. */
#include "ledger/ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Makes room for one more element and returns its place, or NULL with the ledger marked failed. */
static void *push(struct hwl_ledger *l, void **array, uint64_t *n, uint64_t *capacity, uint64_t size)
{
    void *p = hwl_arena_grow(l->arena, *array, capacity, *n + 1, size);
    if (!p) {
        l->failed = true;
        return NULL;
    }
    *array = p;
    return (char *)p + (*n)++ * size;
}

hwl_entry *hwl_ledger_add(struct hwl_ledger *ledger)
{
    hwl_ledger_reserve(ledger, ledger->n_entries + 1);
    hwl_entry *e = ledger->failed ? &ledger->scratch : &ledger->entries[ledger->n_entries++];
    memset(e, 0, sizeof *e);
    e->layer = -1;
    return e;
}

hwl_entry *hwl_ledger_put(struct hwl_ledger *ledger, uint16_t device, int32_t layer, hwl_kind kind, hwl_component component, uint64_t bytes,
                          hwl_basis basis, const char *source)
{
    hwl_entry *e = hwl_ledger_add(ledger);
    e->device = device;
    e->layer = layer;
    e->kind = (uint8_t)kind;
    e->component = (uint8_t)component;
    e->bytes = bytes;
    e->basis = (uint8_t)basis;
    e->source = source;
    return e;
}

void hwl_ledger_reserve(struct hwl_ledger *ledger, uint64_t entries)
{
    hwl_entry *list = hwl_arena_grow_bare(ledger->arena, ledger->entries, &ledger->cap_entries, entries, sizeof *list);
    if (list)
        ledger->entries = list;
    else
        ledger->failed = true;
}

void hwl_ledger_trim(struct hwl_ledger *ledger, uint64_t from)
{
    uint64_t n = from;
    for (uint64_t i = from; i < ledger->n_entries; i++) {
        if (!ledger->entries[i].bytes)
            continue;
        if (n != i)
            ledger->entries[n] = ledger->entries[i];
        n++;
    }
    ledger->n_entries = n < ledger->n_entries ? n : ledger->n_entries;
}

void hwl_ledger_repeat(struct hwl_ledger *ledger, uint64_t first, uint64_t n, uint16_t from, uint16_t to)
{
    hwl_ledger_reserve(ledger, ledger->n_entries + n);
    if (ledger->failed)
        return;
    hwl_entry *copy = ledger->entries + ledger->n_entries;
    memcpy(copy, ledger->entries + first, n * sizeof *copy);
    for (uint64_t i = 0; i < n; i++)
        if (copy[i].device == from)
            copy[i].device = to;
    ledger->n_entries += n;
}

void hwl_ledger_place(struct hwl_ledger *ledger, uint16_t device, uint32_t layer)
{
    if (ledger->n_placements) {
        hwl_placement *last = &ledger->placements[ledger->n_placements - 1];
        if (last->device == device && last->last + 1 == layer) {
            last->last = layer;
            return;
        }
    }
    void *array = ledger->placements;
    hwl_placement *p = push(ledger, &array, &ledger->n_placements, &ledger->cap_placements, sizeof *p);
    ledger->placements = array;
    if (p)
        *p = (hwl_placement){device, layer, layer};
}

void hwl_ledger_note(struct hwl_ledger *ledger, const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    void *array = ledger->notes;
    const char **note = push(ledger, &array, &ledger->n_notes, &ledger->cap_notes, sizeof *note);
    ledger->notes = array;
    if (note && !(*note = hwl_arena_str(ledger->arena, text))) {
        *note = "";
        ledger->failed = true;
    }
}

static struct hwl_view_item *view(struct hwl_ledger *l, const char *name, enum hwl_view_type type)
{
    static const struct hwl_view_item empty;
    void *array = l->views;
    struct hwl_view_item *v = push(l, &array, &l->n_views, &l->cap_views, sizeof *v);
    l->views = array;
    if (!v)
        return NULL;
    *v = empty;
    v->name = name;
    v->type = type;
    return v;
}

void hwl_ledger_view_u64(struct hwl_ledger *ledger, const char *name, uint64_t value)
{
    struct hwl_view_item *v = view(ledger, name, HWL_VIEW_U64);
    if (v)
        v->u64 = value;
}

void hwl_ledger_view_real(struct hwl_ledger *ledger, const char *name, double value)
{
    struct hwl_view_item *v = view(ledger, name, HWL_VIEW_REAL);
    if (v)
        v->real = value;
}

void hwl_ledger_view_bool(struct hwl_ledger *ledger, const char *name, bool value)
{
    struct hwl_view_item *v = view(ledger, name, HWL_VIEW_BOOL);
    if (v)
        v->u64 = value;
}

static void view_string(struct hwl_ledger *l, const char *name, enum hwl_view_type type, const char *value)
{
    struct hwl_view_item *v = view(l, name, type);
    if (v && !(v->text = hwl_arena_str(l->arena, value))) {
        v->text = type == HWL_VIEW_JSON ? "null" : "";
        l->failed = true;
    }
}

void hwl_ledger_view_text(struct hwl_ledger *ledger, const char *name, const char *value)
{
    view_string(ledger, name, HWL_VIEW_TEXT, value);
}

void hwl_ledger_view_json(struct hwl_ledger *ledger, const char *name, const char *json)
{
    view_string(ledger, name, HWL_VIEW_JSON, json);
}

/* Options are written with - by people and with _ by the document: one name. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && (*a == *b || ((*a == '-' || *a == '_') && (*b == '-' || *b == '_'))); a++, b++)
        ;
    return *a == *b;
}

static struct hwl_setting_item *known_setting(const struct hwl_ledger *l, const char *name)
{
    for (uint64_t i = 0; i < l->n_settings; i++)
        if (same_name(l->settings[i].name, name))
            return &l->settings[i];
    return NULL;
}

const struct hwl_setting_item *hwl_ledger_find_setting(const struct hwl_ledger *ledger, const char *name)
{
    return known_setting(ledger, name);
}

static struct hwl_setting_item *setting(struct hwl_ledger *l, const char *name, enum hwl_view_type type)
{
    /* A later value wins: engines resolve defaults after the user's own values were noted. */
    struct hwl_setting_item *s = known_setting(l, name);
    if (s) {
        s->type = type;
        return s;
    }
    void *array = l->settings;
    s = push(l, &array, &l->n_settings, &l->cap_settings, sizeof *s);
    l->settings = array;
    if (s) {
        memset(s, 0, sizeof *s);
        s->name = name;
        s->type = type;
    }
    return s;
}

void hwl_ledger_setting_u64(struct hwl_ledger *ledger, const char *name, uint64_t value)
{
    struct hwl_setting_item *s = setting(ledger, name, HWL_VIEW_U64);
    if (s)
        s->u64 = value;
}

void hwl_ledger_setting_i64(struct hwl_ledger *ledger, const char *name, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    struct hwl_setting_item *s = setting(ledger, name, HWL_VIEW_JSON);
    if (s && !(s->text = hwl_arena_str(ledger->arena, text)))
        ledger->failed = true;
}

void hwl_ledger_setting_bool(struct hwl_ledger *ledger, const char *name, bool value)
{
    struct hwl_setting_item *s = setting(ledger, name, HWL_VIEW_BOOL);
    if (s)
        s->u64 = value;
}

void hwl_ledger_setting_real(struct hwl_ledger *ledger, const char *name, double value)
{
    struct hwl_setting_item *s = setting(ledger, name, HWL_VIEW_REAL);
    if (s)
        s->real = value;
}

void hwl_ledger_setting_text(struct hwl_ledger *ledger, const char *name, const char *value)
{
    struct hwl_setting_item *s = setting(ledger, name, HWL_VIEW_TEXT);
    if (s && !(s->text = hwl_arena_str(ledger->arena, value))) {
        s->text = "";
        ledger->failed = true;
    }
}

void hwl_ledger_setting_json(struct hwl_ledger *ledger, const char *name, const char *json)
{
    struct hwl_setting_item *s = setting(ledger, name, HWL_VIEW_JSON);
    if (s && !(s->text = hwl_arena_str(ledger->arena, json))) {
        s->text = "null";
        ledger->failed = true;
    }
}

void hwl_ledger_setting_list(struct hwl_ledger *ledger, const char *name, char *const *texts, uint32_t n)
{
    uint64_t size = 3;
    for (uint32_t i = 0; i < n; i++)
        size += strlen(texts[i]) * 6 + 4; /* every character may become \u00xx */
    char *json = hwl_arena_alloc(ledger->arena, size);
    if (!json) {
        ledger->failed = true;
        return;
    }
    char *o = json;
    *o++ = '[';
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            *o++ = ',';
        *o++ = '"';
        for (const char *s = texts[i]; *s; s++) {
            if (*s == '"' || *s == '\\')
                *o++ = '\\';
            if ((unsigned char)*s < 0x20)
                o += sprintf(o, "\\u%04x", (unsigned)(unsigned char)*s);
            else
                *o++ = *s;
        }
        *o++ = '"';
    }
    *o++ = ']';
    *o = 0;
    struct hwl_setting_item *s = setting(ledger, name, HWL_VIEW_JSON);
    if (s)
        s->text = json;
}
