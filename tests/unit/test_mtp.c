/* SPDX-License-Identifier: Apache-2.0 */
/* Layers for multi-token prediction from a config.json alone: their tensors make up the published checkpoint, and are no parameters. */
#include "arch/family.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *json;
    uint64_t stored;
    uint32_t layers;
    uint64_t parameters;
};
static const struct row rows[] = {
#include "../data/mtp.inc"
};

static hwl_model *read(const char *json)
{
    hwl_error error = {0};
    hwl_model *model = NULL;
    if (hwl_model_from_config(json, strlen(json), "test", NULL, &model, &error) != HWL_OK)
        fail_msg("%.120s: %s", json, error.message);
    return model;
}

static void test_totals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_model *model = read(rows[i].json);
        hwl_model_info m;
        hwl_model_get_info(model, &m);
        if (m.stored_elements != rows[i].stored || m.n_mtp_layers != rows[i].layers || m.mtp_parameters != rows[i].parameters)
            fail_msg("%.120s: stored %llu, %llu wanted; %u layers with %llu", rows[i].json, (unsigned long long)m.stored_elements,
                     (unsigned long long)rows[i].stored, m.n_mtp_layers, (unsigned long long)m.mtp_parameters);
        assert_true(m.stored_bytes >= m.weights_bytes + m.mtp_bytes);
        hwl_model_free(model);
    }
}

/* Of every family that has them: the names stand behind the stack or in a place of their own. */
static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *type, *name;
    } names[] = {
        {"\"deepseek_v3\"", "model.layers.61.shared_head.head.weight"},
        {"\"deepseek_v3\"", "model.layers.61.mlp.experts.*.up_proj.weight"},
        {"\"glm_moe_dsa\"", "model.layers.78.self_attn.indexer.wk.weight"},
        {"\"glm4_moe_lite\"", "model.layers.47.eh_proj.weight"},
        {"\"mimo\"", "model.mtp_layers.0.input_proj.weight"},
        {"\"qwen3_next\"", "mtp.layers.0.self_attn.q_proj.weight"},
        {"\"qwen3_next\"", "mtp.pre_fc_norm_hidden.weight"},
        {"\"ernie4_5_moe\"", "model.mtp_block.0.mlp.gate_proj.weight"},
        {"\"longcat_flash\"", "model.mtp.layers.0.transformer_layer.mlp.up_proj.weight"},
        {"\"step3p5\"", "model.layers.47.transformer.shared_head.output.weight"},
        {"\"hy_v3\"", "model.layers.80.final_layernorm.weight"},
        {"\"nemotron_h\"", "mtp.layers.1.final_layernorm.weight"},
        {"\"deepseek_v4\"", "mtp.0.hc_head.hc_fn"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool found = false, any = false;
        for (size_t r = 0; r < sizeof rows / sizeof *rows && !found; r++) {
            if (!strstr(rows[r].json, names[i].type))
                continue;
            any = true;
            hwl_model *model = read(rows[r].json);
            for (uint64_t t = 0; t < model->n_tensors && !found; t++)
                found = strcmp(model->tensors[t].name, names[i].name) == 0 && hwl_tensor_is_mtp(model, &model->tensors[t]);
            hwl_model_free(model);
        }
        if (!any || !found)
            fail_msg("%s: no tensor %s", names[i].type, names[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_totals), cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
