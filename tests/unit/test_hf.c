/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of encoders, towers and hybrids from a config.json alone. Truth: the class built by transformers 5.24.0 on the
 * meta device, tied matrices once. */
#include "arch/family.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *json;
    uint64_t parameters;
};
static const struct row rows[] = {
#include "../data/hf_parameters.inc"
#include "../data/hf_recipes.inc"
};

static void test_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_error error = {0};
        yyjson_doc *doc = NULL;
        assert_int_equal(hwl_json_parse(rows[i].json, strlen(rows[i].json), 0, "config.json", &doc, &error), HWL_OK);
        struct hwl_model model;
        memset(&model, 0, sizeof model);
        const struct hwl_config root = hwl_config_root(yyjson_doc_get_root(doc), "config.json", &model.arena);
        const hwl_status status = hwl_arch_from_config(&root, &model, &error);
        struct hwl_model_sums sums = {0};
        if (status == HWL_OK)
            assert_int_equal(hwl_model_sum(&model, &sums, &error), HWL_OK);
        if (status != HWL_OK || sums.parameters != rows[i].parameters)
            fail_msg("%.120s: %llu parameters, %llu wanted; %s", rows[i].json, (unsigned long long)sums.parameters,
                     (unsigned long long)rows[i].parameters, error.message);
        hwl_arena_free(&model.arena);
        yyjson_doc_free(doc);
    }
}

/* What a layer keeps for a sequence, counted by hand from the modelling code named beside the recipe. */
static const struct {
    const char *json;
    uint32_t layer;
    uint8_t mixer;
    uint64_t window, kv, conv, matrix;
    int32_t shared_with;
} kept[] = {
#define HYMBA                                                                                                                    \
    "{\"model_type\":\"hymba\",\"hidden_size\":1600,\"num_hidden_layers\":6,\"num_attention_heads\":25,\"num_key_value_heads\":5,"         \
    "\"intermediate_size\":5504,\"vocab_size\":32001,\"mamba_dt_rank\":100,\"global_attn_idx\":[0,5],\"sliding_window\":1024,"             \
    "\"kv_reuse_group\":[[1,2],[3,4]]}"
    {HYMBA, 0, HWL_MIXER_FULL, 0, 5 * (64 + 128), 3 * 3200, 3200 * 16, -1},
    {HYMBA, 1, HWL_MIXER_SLIDING, 1024, 5 * (64 + 128), 3 * 3200, 3200 * 16, -1},
    {HYMBA, 2, HWL_MIXER_SLIDING, 1024, 0, 3 * 3200, 3200 * 16, 1},
#define SAMBA                                                                                                                    \
    "{\"model_type\":\"phi4flash\",\"hidden_size\":2560,\"num_hidden_layers\":8,\"num_attention_heads\":40,\"num_key_value_heads\":20,"    \
    "\"intermediate_size\":10240,\"vocab_size\":200064,\"sliding_window\":[null,512,null,512,null,null,null,null]}"
    {SAMBA, 0, HWL_MIXER_MAMBA, 0, 0, 3 * 5120, 5120 * 16, -1},
    {SAMBA, 1, HWL_MIXER_SLIDING, 512, 2 * 20 * 64, 0, 0, -1},
    {SAMBA, 5, HWL_MIXER_FULL, 0, 2 * 20 * 64, 0, 0, -1},
    {SAMBA, 6, HWL_MIXER_NONE, 0, 0, 0, 0, -1}, /* reads the memory of layer 4 */
    {SAMBA, 7, HWL_MIXER_FULL, 0, 0, 0, 0, 5},
#define GOOSE                                                                                                                    \
    "{\"model_type\":\"rwkv7\",\"hidden_size\":2048,\"num_hidden_layers\":2,\"head_dim\":64,\"intermediate_size\":8192,"                 \
    "\"decay_low_rank_dim\":96,\"a_low_rank_dim\":96,\"v_low_rank_dim\":64,\"gate_low_rank_dim\":256,\"vocab_size\":65536}"
    {GOOSE, 1, HWL_MIXER_RWKV, 0, 0, 2 * 2048, 2048 * 64, -1},
#define LFM3 "{\"model_type\":\"lfm3\",\"num_hidden_layers\":4,\"hidden_size\":2048,\"conv_L_cache\":3}"
    {LFM3, 1, HWL_MIXER_SHORT_CONV, 0, 0, 2 * 2048, 0, -1},
#define NAS                                                                                                                      \
    "{\"model_type\":\"nemotron-nas\",\"hidden_size\":8192,\"num_attention_heads\":64,\"num_hidden_layers\":3,\"vocab_size\":128256,"    \
    "\"num_key_value_heads\":null,\"intermediate_size\":null,\"block_configs\":[{\"attention\":{\"n_heads_in_group\":8},\"ffn\":"          \
    "{\"ffn_mult\":5.25}},{\"attention\":{\"n_heads_in_group\":null,\"no_op\":true},\"ffn\":{\"ffn_mult\":2.625}},{\"attention\":"         \
    "{\"replace_with_linear\":true},\"ffn\":{\"no_op\":true}}]}"
    {NAS, 0, HWL_MIXER_FULL, 0, 2 * 8 * 128, 0, 0, -1},
    {NAS, 1, HWL_MIXER_NONE, 0, 0, 0, 0, -1},
    {NAS, 2, HWL_MIXER_NONE, 0, 0, 0, 0, -1},
};

static void test_layers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        hwl_error error = {0};
        yyjson_doc *doc = NULL;
        assert_int_equal(hwl_json_parse(kept[i].json, strlen(kept[i].json), 0, "config.json", &doc, &error), HWL_OK);
        struct hwl_model model = {0};
        const struct hwl_config root = hwl_config_root(yyjson_doc_get_root(doc), "config.json", &model.arena);
        if (hwl_arch_from_config(&root, &model, &error) != HWL_OK)
            fail_msg("%.60s: %s", kept[i].json, error.message);
        const struct hwl_layer *l = &model.layers[kept[i].layer];
        if (l->mixer != kept[i].mixer || l->attn.window != kept[i].window || hwl_layer_kv_elements(l) != kept[i].kv ||
            hwl_layer_conv_elements(l) != kept[i].conv || hwl_layer_ssm_elements(l) != kept[i].matrix ||
            (kept[i].shared_with >= 0 && l->attn.kv_shared_with != kept[i].shared_with))
            fail_msg("%.40s layer %u: mixer %u window %llu keys and values %llu convolution %llu matrix %llu shared %d", kept[i].json,
                     kept[i].layer, l->mixer, (unsigned long long)l->attn.window, (unsigned long long)hwl_layer_kv_elements(l),
                     (unsigned long long)hwl_layer_conv_elements(l), (unsigned long long)hwl_layer_ssm_elements(l), l->attn.kv_shared_with);
        hwl_arena_free(&model.arena);
        yyjson_doc_free(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parameters), cmocka_unit_test(test_layers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
