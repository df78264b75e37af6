/* SPDX-License-Identifier: Apache-2.0 */
/* The plan document, schema hwledger.plan/1. */
#include "base/status.h"
#include "base/str.h"
#include "export/json_text.h"
#include "plan/internal.h"

#include <hwledger/search.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add_model(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_plan *plan)
{
    hwl_model_info m;
    hwl_model_get_info(plan->model, &m);
    yyjson_mut_val *o = yyjson_mut_obj(doc);
    return o && hwl_json_add(doc, o, "name", hwl_json_str(doc, m.name)) &&
           hwl_json_add(doc, o, "architecture", hwl_json_str(doc, m.architecture)) &&
           hwl_json_add(doc, o, "parameters", hwl_json_u64(doc, m.parameters)) &&
           hwl_json_add(doc, o, "active_parameters", hwl_json_u64(doc, m.active_parameters)) &&
           hwl_json_add(doc, o, "layers", yyjson_mut_uint(doc, m.n_layers)) &&
           hwl_json_add(doc, o, "context_train", hwl_json_u64(doc, m.context_train ? m.context_train : HWL_UNKNOWN)) &&
           hwl_json_add(doc, o, "source", hwl_json_str(doc, m.source)) &&
           hwl_json_add(doc, o, "weights_bytes", hwl_json_u64(doc, m.weights_bytes)) &&
           hwl_json_add(doc, o, "bits_per_weight",
                        m.parameters ? yyjson_mut_real(doc, (double)m.weights_bytes * 8 / (double)m.parameters) : yyjson_mut_null(doc)) &&
           hwl_json_add(doc, root, "model", o);
}

static yyjson_mut_val *value_of(yyjson_mut_doc *doc, enum hwl_view_type type, uint64_t u64, double real, const char *text)
{
    switch (type) {
    case HWL_VIEW_U64: return hwl_json_u64(doc, u64);
    case HWL_VIEW_REAL: return yyjson_mut_real(doc, real);
    case HWL_VIEW_BOOL: return yyjson_mut_bool(doc, u64 != 0);
    case HWL_VIEW_TEXT: return hwl_json_str(doc, text);
    case HWL_VIEW_JSON: return yyjson_mut_rawcpy(doc, text);
    }
    return NULL;
}

static bool add_settings(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct hwl_ledger *l)
{
    yyjson_mut_val *o = yyjson_mut_obj(doc);
    bool ok = o != NULL;
    for (uint64_t i = 0; ok && i < l->n_settings; i++) {
        const struct hwl_setting_item *s = &l->settings[i];
        char key[64];
        (void)snprintf(key, sizeof key, "%s", s->name);
        for (char *p = key; *p; p++)
            if (*p == '-')
                *p = '_';
        ok = yyjson_mut_obj_put(o, yyjson_mut_strcpy(doc, key), value_of(doc, s->type, s->u64, s->real, s->text));
    }
    return ok && hwl_json_add(doc, root, "settings", o);
}

static bool add_command(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_plan *plan)
{
    char *command = NULL;
    bool ok = true;
    if (hwl_plan_command(plan, &command, NULL) == HWL_OK)
        ok = hwl_json_add(doc, root, "command", hwl_json_str(doc, command));
    hwl_text_free(command);
    return ok;
}

static bool add_views(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct hwl_ledger *l)
{
    yyjson_mut_val *o = yyjson_mut_obj(doc);
    bool ok = o != NULL;
    for (uint64_t i = 0; ok && i < l->n_views; i++) {
        const struct hwl_view_item *v = &l->views[i];
        ok = yyjson_mut_obj_put(o, yyjson_mut_strcpy(doc, v->name), value_of(doc, v->type, v->u64, v->real, v->text));
    }
    return ok && hwl_json_add(doc, root, "engine_view", o);
}

static const char *kind_of_device(hwl_device_kind kind)
{
    switch (kind) {
    case HWL_DEVICE_GPU: return "gpu";
    case HWL_DEVICE_CPU: return "cpu";
    case HWL_DEVICE_UNIFIED: return "unified";
    case HWL_DEVICE_DISK: return "disk";
    }
    return "gpu";
}

static bool add_devices(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_plan *plan)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    bool ok = list != NULL;
    for (uint32_t i = 0; ok && i < plan->n_devices; i++) {
        const hwl_plan_device *d = &plan->plan_devices[i];
        yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, list);
        ok = o && hwl_json_add(doc, o, "id", hwl_json_str(doc, d->device->id)) &&
             hwl_json_add(doc, o, "name", hwl_json_str(doc, d->device->name)) &&
             hwl_json_add(doc, o, "kind", yyjson_mut_str(doc, kind_of_device(d->device->kind))) &&
             hwl_json_add(doc, o, "memory_bytes", hwl_json_u64(doc, d->device->memory_bytes)) &&
             hwl_json_add(doc, o, "usable_bytes", hwl_json_u64(doc, d->usable_bytes)) &&
             hwl_json_add(doc, o, "used_bytes", hwl_json_u64(doc, d->used_bytes)) &&
             hwl_json_add(doc, o, "free_bytes", hwl_json_u64(doc, d->free_bytes)) &&
             hwl_json_add(doc, o, "verdict", yyjson_mut_str(doc, hwl_verdict_name(d->verdict)));
    }
    return ok && hwl_json_add(doc, root, "devices", list);
}

static bool add_parts(yyjson_mut_doc *doc, yyjson_mut_val *o, const hwl_plan *plan, uint32_t entry)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    bool ok = list != NULL;
    const hwl_piece *piece;
    for (uint32_t i = 0; ok && (piece = hwl_plan_piece(plan, entry, i)); i++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, list);
        ok = row && hwl_json_add(doc, row, "name", hwl_json_str(doc, piece->name)) &&
             hwl_json_add(doc, row, "bytes", yyjson_mut_uint(doc, piece->bytes));
    }
    return ok && hwl_json_add(doc, o, "parts", list);
}

static bool add_entry(yyjson_mut_doc *doc, yyjson_mut_val *list, const hwl_plan *plan, uint32_t index)
{
    char text[512];
    const hwl_entry *e = &plan->ledger.entries[index];
    yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, list);
    bool ok = o && hwl_json_add(doc, o, "device", hwl_json_str(doc, plan->devices[e->device].id)) &&
              hwl_json_add(doc, o, "layer", e->layer < 0 ? yyjson_mut_null(doc) : yyjson_mut_uint(doc, (uint64_t)e->layer)) &&
              hwl_json_add(doc, o, "component", yyjson_mut_str(doc, hwl_component_name((hwl_component)e->component))) &&
              hwl_json_add(doc, o, "kind", yyjson_mut_str(doc, hwl_kind_name((hwl_kind)e->kind))) &&
              hwl_json_add(doc, o, "bytes", yyjson_mut_uint(doc, e->bytes)) &&
              hwl_json_add(doc, o, "basis", yyjson_mut_str(doc, hwl_basis_name((hwl_basis)e->basis)));
    if (ok && e->error > 0)
        ok = hwl_json_add(doc, o, "error", yyjson_mut_real(doc, (double)(long)((double)e->error * 1e6 + 0.5) / 1e6));
    if (ok && e->memory != HWL_MEMORY_DEVICE)
        ok = hwl_json_add(doc, o, "memory", yyjson_mut_str(doc, hwl_memory_name((hwl_memory)e->memory)));
    if (ok && e->formula)
        ok = hwl_json_add(doc, o, "formula", hwl_json_str(doc, hwl_entry_explain(e, text, sizeof text)));
    if (ok && hwl_plan_piece(plan, index, 0))
        ok = add_parts(doc, o, plan, index);
    return ok && hwl_json_add(doc, o, "source", hwl_json_str(doc, e->source));
}

static bool add_entries(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_plan *plan)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc), *totals = yyjson_mut_obj(doc), *placement = yyjson_mut_arr(doc);
    const struct hwl_ledger *l = &plan->ledger;
    bool ok = list && totals && placement;
    for (uint64_t i = 0; ok && i < l->n_entries; i++)
        ok = add_entry(doc, list, plan, (uint32_t)i);
    for (int k = 0; ok && k < HWL_KIND_COUNT; k++)
        ok = hwl_json_add(doc, totals, hwl_kind_name((hwl_kind)k), yyjson_mut_uint(doc, plan->totals[k]));
    for (uint64_t i = 0; ok && i < l->n_placements; i++) {
        const hwl_placement *p = &l->placements[i];
        yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, placement);
        ok = o && hwl_json_add(doc, o, "device", hwl_json_str(doc, plan->devices[p->device].id)) &&
             hwl_json_add(doc, o, "first", yyjson_mut_uint(doc, p->first)) && hwl_json_add(doc, o, "last", yyjson_mut_uint(doc, p->last));
    }
    return ok && hwl_json_add(doc, root, "entries", list) && hwl_json_add(doc, root, "totals", totals) &&
           hwl_json_add(doc, root, "placement", placement);
}

static bool add_notes(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_plan *plan)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    bool ok = list != NULL;
    const char *note;
    for (uint32_t i = 0; ok && (note = hwl_plan_note(plan, i)); i++)
        ok = yyjson_mut_arr_append(list, hwl_json_str(doc, note));
    return ok && hwl_json_add(doc, root, "notes", list);
}

/* Values as the settings of the document have them: numbers where the option is one. */
static yyjson_mut_val *change_value(yyjson_mut_doc *doc, const hwl_change *c)
{
    const hwl_option_info *o = NULL;
    for (uint32_t i = 0; (o = hwl_option_at(i)) && strcmp(o->name, c->option) != 0;)
        i++;
    uint64_t n;
    if (!*c->value)
        return yyjson_mut_null(doc);
    if (o && o->type == HWL_TYPE_FLAG)
        return yyjson_mut_bool(doc, strcmp(c->value, "true") == 0);
    if (o && (o->type == HWL_TYPE_COUNT || o->type == HWL_TYPE_INT || o->type == HWL_TYPE_BYTES) && hwl_text_u64(c->value, &n))
        return yyjson_mut_uint(doc, n);
    if (o && o->type == HWL_TYPE_REAL)
        return yyjson_mut_real(doc, strtod(c->value, NULL));
    return hwl_json_str(doc, c->value);
}

static bool add_advice(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_advice *advice, uint32_t n)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    bool ok = list != NULL;
    for (uint32_t i = 0; ok && i < n; i++) {
        yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, list), *changes = yyjson_mut_obj(doc);
        ok = o && changes;
        for (uint32_t k = 0; ok && k < advice[i].n_changes; k++) {
            char key[40];
            (void)snprintf(key, sizeof key, "%s", advice[i].change[k].option);
            for (char *p = key; *p; p++)
                if (*p == '-')
                    *p = '_';
            yyjson_mut_val *value = change_value(doc, &advice[i].change[k]);
            ok = value && yyjson_mut_obj_put(changes, yyjson_mut_strcpy(doc, key), value);
        }
        ok = ok && hwl_json_add(doc, o, "change", changes) && hwl_json_add(doc, o, "saves_bytes", hwl_json_u64(doc, advice[i].saves_bytes)) &&
             hwl_json_add(doc, o, "fits", yyjson_mut_bool(doc, advice[i].verdict != HWL_VERDICT_EXCEEDS)) &&
             hwl_json_add(doc, o, "verdict", yyjson_mut_str(doc, hwl_verdict_name(advice[i].verdict))) &&
             hwl_json_add(doc, o, "used_bytes", hwl_json_u64(doc, advice[i].used_bytes)) &&
             hwl_json_add(doc, o, "usable_bytes", hwl_json_u64(doc, advice[i].usable_bytes)) &&
             hwl_json_add(doc, o, "missing_bytes", hwl_json_u64(doc, advice[i].missing_bytes)) &&
             hwl_json_add(doc, o, "context", hwl_json_u64(doc, advice[i].context)) &&
             hwl_json_add(doc, o, "cost", hwl_json_str(doc, advice[i].cost));
    }
    return ok && hwl_json_add(doc, root, "advice", list);
}

hwl_status hwl_refusal_json(const char *why, char **out, uint64_t *length, hwl_error *error)
{
    static const char *const lists[] = {"devices", "entries", "placement"};
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = doc ? yyjson_mut_obj(doc) : NULL;
    bool ok = root && hwl_json_add(doc, root, "schema", yyjson_mut_str(doc, "hwledger.plan/1")) &&
              hwl_json_add(doc, root, "verdict", yyjson_mut_str(doc, "refused")) && hwl_json_add(doc, root, "refusal", hwl_json_str(doc, why));
    for (size_t i = 0; ok && i < sizeof lists / sizeof *lists; i++)
        ok = hwl_json_add(doc, root, lists[i], yyjson_mut_arr(doc));
    if (doc)
        yyjson_mut_doc_set_root(doc, root);
    return hwl_json_finish(doc, ok, out, length, error);
}

hwl_status hwl_plan_json(const hwl_plan *plan, const hwl_limits *limits, char **out, uint64_t *length, hwl_error *error)
{
    return hwl_plan_json_advised(plan, limits, NULL, 0, out, length, error);
}

hwl_status hwl_plan_json_advised(const hwl_plan *plan, const hwl_limits *limits, const hwl_advice *advice, uint32_t n_advice, char **out,
                                 uint64_t *length, hwl_error *error)
{
    return hwl_plan_json_asked(plan, limits, advice, n_advice, NULL, 0, out, length, error);
}

static bool add_request(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *const *words, uint32_t n)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    bool ok = list != NULL;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = yyjson_mut_arr_append(list, hwl_json_str(doc, words[i]));
    return ok && hwl_json_add(doc, root, "request", list);
}

hwl_status hwl_plan_json_asked(const hwl_plan *plan, const hwl_limits *limits, const hwl_advice *advice, uint32_t n_advice,
                               const char *const *request, uint32_t n_request, char **out, uint64_t *length, hwl_error *error)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = doc ? yyjson_mut_obj(doc) : NULL, *engine = doc ? yyjson_mut_obj(doc) : NULL;
    if (!root || !engine) {
        yyjson_mut_doc_free(doc);
        return hwl_fail(error, HWL_E_NOMEM, "out of memory while writing JSON");
    }
    yyjson_mut_doc_set_root(doc, root);
    const hwl_limits none = {HWL_UNKNOWN, HWL_UNKNOWN};
    if (!limits)
        limits = &none;
    bool ok = hwl_json_add(doc, root, "schema", yyjson_mut_str(doc, "hwledger.plan/1")) &&
              hwl_json_add(doc, root, "verdict", yyjson_mut_str(doc, hwl_verdict_name(plan->verdict))) && add_model(doc, root, plan) &&
              hwl_json_add(doc, engine, "name", hwl_json_str(doc, plan->engine->id)) &&
              hwl_json_add(doc, engine, "version", hwl_json_str(doc, plan->version)) && hwl_json_add(doc, root, "engine", engine) &&
              add_settings(doc, root, &plan->ledger) && add_command(doc, root, plan) && add_devices(doc, root, plan) && add_entries(doc, root, plan) &&
              hwl_json_add(doc, root, "kv_bytes_per_token", yyjson_mut_uint(doc, plan->ledger.kv_bytes_per_token)) &&
              hwl_json_add(doc, root, "kv_tokens", hwl_json_u64(doc, plan->ledger.kv_tokens)) &&
              hwl_json_add(doc, root, "max_context", hwl_json_u64(doc, limits->max_context)) &&
              hwl_json_add(doc, root, "max_concurrency", hwl_json_u64(doc, limits->max_concurrency)) && add_views(doc, root, &plan->ledger) &&
              add_notes(doc, root, plan) && add_advice(doc, root, advice, n_advice) && (!n_request || add_request(doc, root, request, n_request));
    return hwl_json_finish(doc, ok, out, length, error);
}
