/* SPDX-License-Identifier: Apache-2.0 */
/* JSON under each policy, then a configuration's typed reads. */
#include "fuzz.h"

#include "source/config.h"

#include <stdlib.h>

static void read_config(yyjson_doc *doc)
{
    struct hwl_arena arena = {0};
    const struct hwl_config c = hwl_config_root(yyjson_doc_get_root(doc), "fuzz", &arena);
    const char *key, *value, *origin;
    hwl_error error;
    (void)hwl_cfg_need(&c, "hidden_size|n_embd|text_config.hidden_size");
    (void)hwl_cfg_real(&c, "rope_theta|rope_parameters.rope_theta", 1e4);
    (void)hwl_cfg_bool(&c, "tie_word_embeddings", true);
    (void)hwl_cfg_str(&c, "model_type", "");
    const struct hwl_config text = hwl_cfg_obj(&c, "text_config|language_config");
    for (uint64_t i = 0, n = hwl_cfg_n(&text, "layer_types"); i < n && i < 100; i++)
        (void)hwl_cfg_at_str(&text, "layer_types", i, "");
    for (uint64_t i = 0, n = hwl_cfg_n(&c, "num_key_value_heads"); i < n && i < 100; i++)
        (void)hwl_cfg_at_u64(&c, "num_key_value_heads", i, 1);
    if (hwl_config_status(&c, &error) != HWL_OK && !error.message[0])
        abort();
    for (uint64_t i = 0; hwl_config_fact(&c, i, &key, &value, &origin); i++)
        if (!key || !value || !origin)
            abort();
    hwl_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned flags = 0; flags < 4; flags++) {
        yyjson_doc *doc;
        hwl_error error;
        const hwl_status status = hwl_json_parse((const char *)data, size, flags, "fuzz", &doc, &error);
        if (status == HWL_OK) {
            read_config(doc);
            yyjson_doc_free(doc);
        } else if (!error.message[0]) {
            abort();
        }
    }
    return 0;
}
