/* SPDX-License-Identifier: Apache-2.0 */
/* Layers for multi-token prediction from a config.json alone: their tensors make up the published checkpoint, and are no parameters. The same
 * models on disk, as safetensors and as what llama.cpp makes of them. */
#include "arch/family.h"
#include "arch/gguf_model.h"
#include "base/str.h"
#include "engine/llamacpp/convert.h"

#include <hwledger/hwledger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static hwl_model *model_of(const char *json)
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
        hwl_model *model = model_of(rows[i].json);
        hwl_model_info m;
        hwl_model_get_info(model, &m);
        if (m.stored_elements != rows[i].stored || m.n_mtp_layers != rows[i].layers || m.mtp_parameters != rows[i].parameters)
            fail_msg("%.120s: stored %llu, %llu wanted; %u layers with %llu", rows[i].json, (unsigned long long)m.stored_elements,
                     (unsigned long long)rows[i].stored, m.n_mtp_layers, (unsigned long long)m.mtp_parameters);
        assert_true(m.stored_bytes >= m.weights_bytes + m.mtp_bytes);
        hwl_model_free(model);
    }
}

struct stored {
    const char *json;
    uint64_t numbers;
};
static const struct stored plain[] = {
#include "../data/stored.inc"
};

/* Further published checkpoints, of all kinds of families. */
static void test_stored(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        hwl_model *model = model_of(plain[i].json);
        hwl_model_info m;
        hwl_model_get_info(model, &m);
        if (m.stored_elements != plain[i].numbers)
            fail_msg("%.120s: stored %llu, %llu wanted", plain[i].json, (unsigned long long)m.stored_elements,
                     (unsigned long long)plain[i].numbers);
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
    static const struct {
        const char *json, *name;
    } others[] = {
        {"{\"model_type\":\"exaone4\",\"hidden_size\":64,\"intermediate_size\":128,\"num_hidden_layers\":2,\"num_attention_heads\":4,"
         "\"num_key_value_heads\":2,\"vocab_size\":100,\"num_nextn_predict_layers\":1}",
         "mtp.layers.0.post_feedforward_layernorm.weight"},
        {"{\"model_type\":\"exaone_moe\",\"hidden_size\":64,\"intermediate_size\":128,\"num_hidden_layers\":2,\"num_attention_heads\":4,"
         "\"num_key_value_heads\":2,\"vocab_size\":100,\"num_experts\":4,\"num_experts_per_tok\":2,\"moe_intermediate_size\":32,"
         "\"num_nextn_predict_layers\":1}",
         "mtp.layers.0.mlp.down_proj.weight"},
        {"{\"model_type\":\"mimo_v2_flash\",\"hidden_size\":64,\"intermediate_size\":128,\"num_hidden_layers\":2,"
         "\"num_attention_heads\":4,\"num_key_value_heads\":2,\"head_dim\":16,\"vocab_size\":100,\"n_routed_experts\":4,"
         "\"num_experts_per_tok\":2,\"moe_intermediate_size\":32,\"sliding_window\":16,\"hybrid_layer_pattern\":[0,1]}",
         "model.mtp.layers.2.pre_mlp_layernorm.weight"},
        {"{\"model_type\":\"hy_v4\",\"hidden_size\":64,\"intermediate_size\":128,\"num_hidden_layers\":2,\"num_attention_heads\":4,"
         "\"qk_nope_head_dim\":16,\"qk_rope_head_dim\":8,\"v_head_dim\":16,\"q_lora_rank\":32,\"kv_lora_rank\":32,\"index_n_heads\":2,"
         "\"index_head_dim\":16,\"indexer_types\":[\"full\",\"full\"],\"mlp_layer_types\":[\"dense\",\"sparse\"],\"moe_intermediate_size\":32,"
         "\"n_routed_experts\":4,\"n_shared_experts\":1,\"num_experts_per_tok\":2,\"vocab_size\":100,\"hc_mult\":4,"
         "\"num_nextn_predict_layers\":1}",
         "model.layers.2.final_layernorm.weight"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        hwl_model *model = model_of(others[i].json);
        bool found = false;
        for (uint64_t t = 0; t < model->n_tensors; t++)
            found = found || (strcmp(model->tensors[t].name, others[i].name) == 0 && hwl_tensor_is_mtp(model, &model->tensors[t]));
        if (!found)
            fail_msg("%s: no tensor %s", model->arch, others[i].name);
        hwl_model_free(model);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool found = false, any = false;
        for (size_t r = 0; r < sizeof rows / sizeof *rows && !found; r++) {
            if (!strstr(rows[r].json, names[i].type))
                continue;
            any = true;
            hwl_model *model = model_of(rows[r].json);
            for (uint64_t t = 0; t < model->n_tensors && !found; t++)
                found = strcmp(model->tensors[t].name, names[i].name) == 0 && hwl_tensor_is_mtp(model, &model->tensors[t]);
            hwl_model_free(model);
        }
        if (!any || !found)
            fail_msg("%s: no tensor %s", names[i].type, names[i].name);
    }
}

/* ---- the same read from disk ---- */

/* name with the running number in place of its star. */
static void one_name(const char *name, uint32_t i, uint32_t count, char out[400])
{
    const char *star = count > 1 ? strrchr(name, '*') : NULL;
    if (star)
        (void)snprintf(out, 400, "%.*s%u%s", (int)(star - name), name, i, star + 1);
    else
        (void)snprintf(out, 400, "%s", name);
}

/* Writes model's tensors as a safetensors file of that header and a hole of the true size. mtp: those of multi-token prediction too. */
static void write_safetensors(const char *path, const struct hwl_model *model, bool mtp)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite("\0\0\0\0\0\0\0\0{", 1, 9, f), 9);
    uint64_t at = 0;
    for (uint64_t i = 0; i < model->n_tensors; i++) {
        const struct hwl_tensor *t = &model->tensors[i];
        if (t->tied || (!mtp && hwl_tensor_is_mtp(model, t)))
            continue;
        for (uint32_t k = 0; k < t->count; k++) {
            char name[400];
            one_name(t->name, k, t->count, name);
            (void)fprintf(f, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", at ? "," : "", name, hwl_dtype((enum hwl_dtype)t->dtype)->name);
            for (unsigned d = 0; d < t->n_dims; d++)
                (void)fprintf(f, "%s%llu", d ? "," : "", (unsigned long long)t->dims[d]);
            (void)fprintf(f, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)at, (unsigned long long)(at + t->bytes / t->count));
            at += t->bytes / t->count;
        }
    }
    (void)fputc('}', f);
    const long end = ftell(f);
    (void)fseek(f, 0, SEEK_SET);
    for (int i = 0; i < 8; i++)
        (void)fputc((int)((uint64_t)(end - 8) >> 8 * i & 255), f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(truncate(path, (off_t)((uint64_t)end + at)), 0);
}

static void save_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
}

static void test_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/hwl_mtp_XXXXXX", config[64], weights[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(config, sizeof config, "%s/config.json", folder);
    (void)snprintf(weights, sizeof weights, "%s/model.safetensors", folder);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].layers)
            continue;
        hwl_error error;
        hwl_model *model = model_of(rows[i].json), *stored;
        hwl_model_info a, b;
        hwl_model_get_info(model, &a);
        save_text(config, rows[i].json);
        write_safetensors(weights, model, true);
        if (hwl_model_open(folder, NULL, &stored, &error) != HWL_OK)
            fail_msg("%.120s: %s", rows[i].json, error.message);
        hwl_model_get_info(stored, &b);
        assert_string_equal(b.form, "safetensors");
        if (b.parameters != a.parameters || b.mtp_parameters != a.mtp_parameters || b.stored_bytes != a.stored_bytes ||
            b.stored_elements != a.stored_elements || b.n_mtp_layers != a.n_mtp_layers)
            fail_msg("%.120s: on disk %llu and %llu, not %llu and %llu", rows[i].json, (unsigned long long)b.parameters,
                     (unsigned long long)b.mtp_parameters, (unsigned long long)a.parameters, (unsigned long long)a.mtp_parameters);
        hwl_model_free(stored);
        char *const text = strdup(rows[i].json), *const count = strstr(text, "\"num_nextn_predict_layers\":");
        if (count && strcmp(model->arch, "longcat_flash") != 0) { /* a configuration that does not count what is stored */
            count[strlen("\"num_nextn_predict_layers\":")] = '0';
            save_text(config, text);
            assert_int_equal(hwl_model_open(folder, NULL, &stored, &error), HWL_OK);
            hwl_model_get_info(stored, &b);
            if (b.parameters != a.parameters || b.n_mtp_layers || b.stored_bytes != a.stored_bytes)
                fail_msg("%.120s: %llu parameters, not %llu", text, (unsigned long long)b.parameters, (unsigned long long)a.parameters);
            hwl_model_free(stored);
            save_text(config, rows[i].json);
        }
        free(text);
        write_safetensors(weights, model, false); /* a checkpoint without them has no such layers */
        assert_int_equal(hwl_model_open(folder, NULL, &stored, &error), HWL_OK);
        hwl_model_get_info(stored, &b);
        assert_int_equal(b.n_mtp_layers, 0);
        assert_int_equal(b.mtp_bytes, 0);
        assert_int_equal(b.parameters, a.parameters);
        assert_int_equal(b.stored_bytes, a.weights_bytes);
        hwl_model_free(stored);
        hwl_model_free(model);
    }
    (void)unlink(config);
    (void)unlink(weights);
    (void)rmdir(folder);
}

/* A vLLM or SGLang plan on eight H200. */
static hwl_plan *plan_of(const char *json, const char *const *options)
{
    hwl_error error;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner;
    hwl_plan *plan = NULL;
    hwl_model *model = model_of(json);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, "H200x8", &error), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    for (; *options; options += 2)
        if (hwl_settings_set(settings, options[0], options[1], &error) != HWL_OK)
            fail_msg("%s", error.message);
    if (hwl_planner_new(model, devices, settings, &planner, &error) != HWL_OK ||
        hwl_planner_plan(planner, devices, settings, &plan, &error) != HWL_OK)
        fail_msg("%.120s: %s", json, error.message);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
    return plan;
}

/* Bytes of weights of component draft. */
static uint64_t draft_bytes(const char *json, const char *const *options, uint64_t *all)
{
    hwl_plan *const plan = plan_of(json, options);
    const hwl_entry *e;
    uint64_t n = 0;
    for (uint32_t i = 0; (e = hwl_plan_entry(plan, i)); i++)
        if (e->kind == HWL_KIND_WEIGHTS && e->component == HWL_COMP_DRAFT)
            n += e->bytes;
    *all = hwl_plan_total(plan, HWL_KIND_WEIGHTS);
    hwl_plan_free(plan);
    return n;
}

/* MiniMax-M3 keeps, beside keys and values, one key of its indexer in all layers but the first three; a rank has one head of each. */
static void test_block_sparse(void **state)
{
    (void)state;
    static const char *const vllm[] = {"engine", "vllm", "tp", "8", "ctx", "8k", NULL};
    const char *json = NULL;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strstr(plain[i].json, "minimax_m3_vl"))
            json = plain[i].json;
    assert_non_null(json);
    hwl_plan *const plan = plan_of(json, vllm);
    assert_int_equal(hwl_plan_kv_bytes_per_token(plan), 8 * (60 * 2 * 128 * 2 + 57 * 128 * 2));
    hwl_plan_free(plan);
}

static const char *row_of(const char *type)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strstr(rows[i].json, type))
            return rows[i].json;
    fail_msg("no row of %s", type);
    return NULL;
}

/* Servers load the layers for speculation only, and share embedding and output matrix with the target: the copies of DeepSeek never,
 * the matrices of Step 3.5, trained apart, since vLLM 0.33. */
static void test_servers(void **state)
{
    (void)state;
    uint64_t with, without;
    static const char *const bare[] = {"engine", "vllm", "tp", "1", "ctx", "4k", NULL};
    static const char *const spec[] = {"engine", "vllm", "tp", "1", "ctx", "4k", "spec-method", "mtp", NULL};
    static const char *const older[] = {"engine", "vllm", "engine-version", "0.29.0", "tp", "1", "ctx", "4k", "spec-method", "mtp", NULL};
    static const char *const eldest[] = {"engine", "vllm", "engine-version", "0.11.2", "tp", "1", "ctx", "4k", "spec-method", "mtp", NULL};
    static const char *const sglang[] = {"engine", "sglang", "tp", "1", "ctx", "4k", "spec-method", "NEXTN", NULL};
    const char *json = row_of("\"qwen3_next\"");
    assert_int_equal(draft_bytes(json, bare, &without), 0);
    const uint64_t next = draft_bytes(json, spec, &with);
    assert_in_range(next, 2 * 1650471424ull, 2 * 1650471424ull + ((uint64_t)32 << 20)); /* ends of the allocator's segments */
    assert_int_equal(with - without, next);
    const uint64_t other = draft_bytes(json, sglang, &with);
    assert_in_range(other, 2 * 1650471424ull, 2 * 1650471424ull + ((uint64_t)32 << 20));
    json = row_of("\"step3p5\"");
    const uint64_t own = draft_bytes(json, spec, &with), shared = draft_bytes(json, older, &without);
    const uint64_t head = 3ull * 128896 * 4096 * 2;
    assert_in_range(own - shared, head, head + ((uint64_t)6 << 20));
    json = row_of("\"glm4_moe_lite\"");
    const uint64_t copies = draft_bytes(json, eldest, &with) - draft_bytes(json, spec, &without);
    assert_in_range(copies, 154880ull * 2048 * 2, 154880ull * 2048 * 2 + ((uint64_t)2 << 20)); /* the output matrix, not the embedding */
}

/* As the file that llama.cpp's converter writes: the layers behind the stack are no parameters there either. */
static void test_gguf(void **state)
{
    (void)state;
    unsigned n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_error error;
        struct hwl_arena arena = {0};
        struct hwl_gguf *gguf;
        hwl_model *model = model_of(rows[i].json);
        if (hwl_lc_convert(model, &arena, &gguf, &error) == HWL_OK) {
            struct hwl_model file = {0};
            struct hwl_model_sums a, b;
            assert_int_equal(hwl_arch_from_gguf(gguf, &file, &error), HWL_OK);
            assert_int_equal(hwl_model_sum(model, &a, &error), HWL_OK);
            assert_int_equal(hwl_model_sum(&file, &b, &error), HWL_OK);
            assert_int_equal(file.n_layers, model->n_layers);
            if (file.n_mtp) {
                assert_int_equal(file.n_mtp, rows[i].layers);
                assert_in_range(b.mtp_parameters, a.mtp_parameters, a.mtp_parameters + 4096); /* with the score biases */
                n++;
            } else {
                assert_int_equal(b.mtp_parameters, 0);
            }
            if (!strstr(rows[i].json, "vision_config")) /* a tower is a file of its own */
                assert_in_range(b.parameters, a.parameters, a.parameters + a.parameters / 1000000);
            hwl_arena_free(&file.arena);
        }
        hwl_arena_free(&arena);
        hwl_model_free(model);
    }
    assert_in_range(n, 8, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_totals), cmocka_unit_test(test_names), cmocka_unit_test(test_stored), cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_gguf), cmocka_unit_test(test_servers),
                                       cmocka_unit_test(test_block_sparse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
