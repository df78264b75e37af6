/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a log that was read and planned, schema hwledger.log/1. */
#include "base/status.h"
#include "export/json_text.h"
#include "log/log.h"

#include <string.h>

static bool add_figures(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_log *log)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    bool ok = list != NULL;
    for (uint64_t i = 0; ok && i < log->n_figures; i++) {
        const hwl_log_figure *f = &log->figures[i];
        yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, list);
        ok = o && hwl_json_add(doc, o, "name", hwl_json_str(doc, f->name)) &&
             (!*f->device || hwl_json_add(doc, o, "device", hwl_json_str(doc, f->device))) &&
             hwl_json_add(doc, o, "value", yyjson_mut_real(doc, f->value)) &&
             hwl_json_add(doc, o, "rounding", yyjson_mut_real(doc, f->rounding)) &&
             hwl_json_add(doc, o, "line", yyjson_mut_uint(doc, f->line));
    }
    return ok && hwl_json_add(doc, root, "figures", list);
}

static bool add_settings(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_log *log)
{
    yyjson_mut_val *o = yyjson_mut_obj(doc);
    bool ok = o != NULL;
    for (uint64_t i = 0; ok && i < log->n_settings; i++)
        ok = yyjson_mut_obj_add(o, hwl_json_str(doc, log->settings[i].name), hwl_json_str(doc, log->settings[i].value));
    return ok && hwl_json_add(doc, root, "settings", o);
}

static bool add_terms(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_log *log)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc), *notes = yyjson_mut_arr(doc);
    bool ok = list && notes;
    for (uint64_t i = 0; ok && i < log->n_terms; i++) {
        const hwl_log_term *t = &log->terms[i];
        yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, list);
        ok = o && hwl_json_add(doc, o, "name", hwl_json_str(doc, t->name)) &&
             (!*t->device || hwl_json_add(doc, o, "device", hwl_json_str(doc, t->device))) &&
             hwl_json_add(doc, o, "planned", yyjson_mut_real(doc, t->planned)) &&
             hwl_json_add(doc, o, "logged", yyjson_mut_real(doc, t->logged)) &&
             hwl_json_add(doc, o, "rounding", yyjson_mut_real(doc, t->rounding)) &&
             hwl_json_add(doc, o, "within", yyjson_mut_bool(doc, t->within)) &&
             hwl_json_add(doc, o, "meaning", hwl_json_str(doc, t->meaning));
    }
    for (uint64_t i = 0; ok && i < log->n_notes; i++)
        ok = yyjson_mut_arr_append(notes, hwl_json_str(doc, log->notes[i]));
    return ok && hwl_json_add(doc, root, "terms", list) && hwl_json_add(doc, root, "notes", notes);
}

hwl_status hwl_log_json(const hwl_log *log, char **out, uint64_t *length, hwl_error *error)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = doc ? yyjson_mut_obj(doc) : NULL;
    if (!root) {
        yyjson_mut_doc_free(doc);
        return hwl_fail(error, HWL_E_NOMEM, "out of memory while writing JSON");
    }
    yyjson_mut_doc_set_root(doc, root);
    const bool ok = hwl_json_add(doc, root, "schema", yyjson_mut_str(doc, "hwledger.log/1")) &&
                    hwl_json_add(doc, root, "engine", hwl_json_str(doc, hwl_log_engine(log))) &&
                    hwl_json_add(doc, root, "version", hwl_json_str(doc, *log->version ? log->version : NULL)) &&
                    hwl_json_add(doc, root, "model", hwl_json_str(doc, *log->model ? log->model : NULL)) &&
                    hwl_json_add(doc, root, "failure", hwl_json_str(doc, *log->failure ? log->failure : NULL)) &&
                    add_settings(doc, root, log) && add_figures(doc, root, log) && add_terms(doc, root, log);
    return hwl_json_finish(doc, ok, out, length, error);
}
