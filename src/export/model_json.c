/* SPDX-License-Identifier: Apache-2.0 */
/* The inspect document, schema hwledger.model/1. */
#include "base/status.h"
#include "export/json_text.h"

#include <hwledger/device.h>
#include <hwledger/model.h>

/* The layers that a token passes; those of multi-token prediction, behind the stack, are a count of their own. */
static bool add_layers(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_model *model, const hwl_model_info *m)
{
    yyjson_mut_val *layers = yyjson_mut_arr(doc);
    hwl_layer_info l;
    bool ok = layers != NULL;
    for (uint32_t i = 0; ok && hwl_model_get_layer(model, i, &l); i++) {
        if (i >= m->n_layers && i < m->n_layers + m->n_mtp_layers)
            continue;
        yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, layers);
        ok = o && hwl_json_add(doc, o, "index", yyjson_mut_uint(doc, i)) &&
             hwl_json_add(doc, o, "mixer", hwl_json_str(doc, hwl_mixer_name(l.mixer))) &&
             hwl_json_add(doc, o, "feed_forward", hwl_json_str(doc, hwl_feed_forward_name(l.feed_forward))) &&
             hwl_json_add(doc, o, "parameters", hwl_json_u64(doc, l.parameters)) && hwl_json_add(doc, o, "bytes", hwl_json_u64(doc, l.bytes)) &&
             hwl_json_add(doc, o, "kv_bytes_per_token", hwl_json_u64(doc, l.kv_bytes_per_token)) &&
             hwl_json_add(doc, o, "window", hwl_json_u64(doc, l.window)) && hwl_json_add(doc, o, "state_bytes", hwl_json_u64(doc, l.state_bytes));
    }
    return ok && hwl_json_add(doc, root, "layers", layers);
}

static bool add_types(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_model *model)
{
    yyjson_mut_val *types = yyjson_mut_obj(doc);
    const char *name;
    uint64_t bytes;
    bool ok = types != NULL;
    for (uint32_t i = 0; ok && hwl_model_get_type(model, i, &name, &bytes); i++)
        ok = yyjson_mut_obj_add(types, hwl_json_str(doc, name), hwl_json_u64(doc, bytes));
    return ok && hwl_json_add(doc, root, "types", types);
}

static bool add_facts(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_model *model)
{
    yyjson_mut_val *facts = yyjson_mut_arr(doc);
    hwl_fact f;
    bool ok = facts != NULL;
    for (uint32_t i = 0; ok && hwl_model_get_fact(model, i, &f); i++) {
        yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, facts);
        ok = o && hwl_json_add(doc, o, "key", hwl_json_str(doc, f.key)) && hwl_json_add(doc, o, "value", hwl_json_str(doc, f.value)) &&
             hwl_json_add(doc, o, "origin", hwl_json_str(doc, f.origin));
    }
    return ok && hwl_json_add(doc, root, "facts", facts);
}

/* What the checkpoint holds beyond the parameters of the class. */
static bool add_stored(yyjson_mut_doc *doc, yyjson_mut_val *root, const hwl_model_info *m)
{
    yyjson_mut_val *mtp = yyjson_mut_obj(doc), *all = yyjson_mut_obj(doc);
    return mtp && all && hwl_json_add(doc, mtp, "layers", yyjson_mut_uint(doc, m->n_mtp_layers)) &&
           hwl_json_add(doc, mtp, "parameters", hwl_json_u64(doc, m->mtp_parameters)) &&
           hwl_json_add(doc, mtp, "bytes", hwl_json_u64(doc, m->mtp_bytes)) && hwl_json_add(doc, root, "mtp", mtp) &&
           hwl_json_add(doc, all, "elements", hwl_json_u64(doc, m->stored_elements)) &&
           hwl_json_add(doc, all, "bytes", hwl_json_u64(doc, m->stored_bytes)) && hwl_json_add(doc, root, "stored", all);
}

hwl_status hwl_model_json(const hwl_model *model, char **out, uint64_t *length, hwl_error *error)
{
    hwl_model_info m;
    hwl_model_get_info(model, &m);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = doc ? yyjson_mut_obj(doc) : NULL;
    if (!root) {
        yyjson_mut_doc_free(doc);
        return hwl_fail(error, HWL_E_NOMEM, "out of memory while writing JSON");
    }
    yyjson_mut_doc_set_root(doc, root);
    bool ok = hwl_json_add(doc, root, "schema", yyjson_mut_str(doc, "hwledger.model/1")) &&
              hwl_json_add(doc, root, "name", hwl_json_str(doc, m.name)) &&
              hwl_json_add(doc, root, "architecture", hwl_json_str(doc, m.architecture)) &&
              hwl_json_add(doc, root, "source", hwl_json_str(doc, m.source)) && hwl_json_add(doc, root, "form", hwl_json_str(doc, m.form)) &&
              hwl_json_add(doc, root, "parameters", hwl_json_u64(doc, m.parameters)) &&
              hwl_json_add(doc, root, "active_parameters", hwl_json_u64(doc, m.active_parameters)) &&
              hwl_json_add(doc, root, "weights_bytes", hwl_json_u64(doc, m.weights_bytes)) &&
              hwl_json_add(doc, root, "tensors", hwl_json_u64(doc, m.n_tensors)) && hwl_json_add(doc, root, "hidden", hwl_json_u64(doc, m.hidden)) &&
              hwl_json_add(doc, root, "vocabulary", hwl_json_u64(doc, m.vocabulary)) &&
              hwl_json_add(doc, root, "context_train", hwl_json_u64(doc, m.context_train ? m.context_train : HWL_UNKNOWN)) &&
              hwl_json_add(doc, root, "mtp_layers", yyjson_mut_uint(doc, m.n_mtp_layers)) &&
              add_stored(doc, root, &m) && hwl_json_add(doc, root, "generic", yyjson_mut_bool(doc, m.generic)) && add_types(doc, root, model) && add_layers(doc, root, model, &m) &&
              add_facts(doc, root, model);
    return hwl_json_finish(doc, ok, out, length, error);
}
