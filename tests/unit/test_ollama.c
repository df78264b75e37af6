/* SPDX-License-Identifier: Apache-2.0 */
/* What Ollama starts llama-server with, from 0.30 on: batches, the one GPU, the projector's room, the size of `ollama ps`. */
#include <hwledger/hwledger.h>

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hwl_plan *plan(const char *model_name, const char *gpus, const char *version, const char *options)
{
    hwl_error e = {0};
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner = NULL;
    hwl_plan *p = NULL;
    char line[256];
    assert_int_equal((*model_name == '{' ? hwl_model_from_config(model_name, strlen(model_name), "test", NULL, &model, &e)
                                         : hwl_model_open(model_name, NULL, &model, &e)), HWL_OK);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    if (*gpus && hwl_devices_add_gpu(devices, gpus, &e) != HWL_OK)
        assert_int_equal(hwl_devices_add_gpu_memory(devices, gpus, &e), HWL_OK);
    hwl_devices_set_ram(devices, (uint64_t)64 << 30, (uint64_t)64 << 30);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine", "ollama", &e), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine-version", version, &e), HWL_OK);
    (void)snprintf(line, sizeof line, "%s", options);
    for (char *w = strtok(line, " "); w; w = strtok(NULL, " ")) {
        char *value = strchr(w, '=');
        assert_non_null(value);
        *value++ = '\0';
        if (hwl_settings_set(settings, w, value, &e) != HWL_OK)
            fail_msg("%s", e.message);
    }
    if (hwl_planner_new(model, devices, settings, &planner, &e) != HWL_OK || hwl_planner_plan(planner, devices, settings, &p, &e) != HWL_OK)
        fail_msg("%s %s: %s", model_name, options, e.message);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    return p;
}

static void free_plan(hwl_plan *p)
{
    hwl_model *model = (hwl_model *)(uintptr_t)hwl_plan_model(p);
    hwl_plan_free(p);
    hwl_model_free(model);
}

static uint64_t of(const hwl_plan *p, uint32_t device, hwl_kind kind)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < hwl_plan_n_entries(p); i++)
        sum += hwl_plan_entry(p, i)->device == device && hwl_plan_entry(p, i)->kind == kind ? hwl_plan_entry(p, i)->bytes : 0;
    return sum;
}

static double view(const hwl_plan *p, const char *name)
{
    char *json = NULL, key[64];
    hwl_error e = {0};
    assert_int_equal(hwl_plan_json(p, NULL, &json, NULL, &e), HWL_OK);
    (void)snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(json, key);
    assert_non_null(at);
    const double v = strtod(at + strlen(key), NULL);
    free(json);
    return v;
}

/* The start-up that the pull request of the runner quotes (ollama/ollama #16031): Qwen3 4B of 262144 tokens over two GPUs. */
static void test_quoted(void **state)
{
    (void)state;
    static const char config[] =
        "{\"architectures\":[\"Qwen3ForCausalLM\"],\"head_dim\":128,\"hidden_size\":2560,\"intermediate_size\":9728,"
        "\"max_position_embeddings\":262144,\"model_type\":\"qwen3\",\"num_attention_heads\":32,\"num_hidden_layers\":36,"
        "\"num_key_value_heads\":8,\"tie_word_embeddings\":true,\"torch_dtype\":\"bfloat16\",\"vocab_size\":151936}";
    hwl_plan *p = plan(config, "RTX 3090x2", "0.30.0", "quant=Q4_K_M");
    char text[32];
    static const double mib[] = {974.88, 1401.03, 304.28};
    for (uint32_t d = 0; d < 3; d++)
        assert_true((double)of(p, d, HWL_KIND_WEIGHTS) / 1048576 > mib[d] - 0.006 && (double)of(p, d, HWL_KIND_WEIGHTS) / 1048576 < mib[d] + 0.006);
    assert_true(hwl_plan_setting(p, "batch", text, sizeof text));
    assert_string_equal(text, "2048");
    assert_true(hwl_plan_setting(p, "ctx", text, sizeof text));
    assert_string_equal(text, "262144");
    free_plan(p);
}

/* automaticGenerationBatch, selectLlamaServerPlacement: by hand from server/sched.go. used: the GPUs that weights lie on. */
static const struct {
    const char *model, *gpus, *version, *options, *batch;
    unsigned used;
} starts[] = {
    {"llama-3.1-8b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=4096", "512", 1},
    {"llama-3.1-8b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=8192", "1024", 1},
    /* 4.6 GiB and 8 GiB of 23.6: within 60 % and, with 2 GiB more, within 80 %; 0.33 counts 1.4 GiB less */
    {"llama-3.1-8b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=65536", "2048", 1},
    {"llama-3.1-8b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=81920", "1024", 1},
    {"llama-3.1-8b", "RTX 4090", "0.33", "quant=Q4_K_M ctx=76000", "1024", 1},
    {"llama-3.1-8b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=76000", "2048", 1},
    {"llama-3.1-8b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=131072", "512", 1},
    {"llama-3.1-8b", "8GiBx1", "0.32", "quant=Q4_K_M ctx=16384 flash-attn=off", "256", 1},
    {"llama-3.1-8b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=16384 flash-attn=off", "512", 1},
    {"llama-3.1-8b", "", "0.32", "quant=Q4_K_M ctx=16384", "1024", 4},
    /* two GPUs: one where the prediction fits there */
    {"llama-3.1-8b", "RTX 4090x2", "0.32", "quant=Q4_K_M ctx=131072", "512", 1},
    {"llama-3.1-8b", "RTX 4090x2", "0.32", "quant=Q4_K_M ctx=131072 split-mode=layer", "2048", 3},
    {"llama-3.1-8b", "12GiBx2", "0.32", "quant=Q4_K_M ctx=57344", "512", 1},
    {"llama-3.1-8b", "12GiBx2", "0.33", "quant=Q4_K_M ctx=57344", "2048", 3},
    {"qwen2.5-32b", "RTX 4090x2", "0.33", "quant=Q4_K_M", "1024", 3},
};

static void test_starts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        hwl_plan *p = plan(starts[i].model, starts[i].gpus, starts[i].version, starts[i].options);
        const unsigned n = hwl_plan_n_devices(p) - 1;
        char batch[32];
        unsigned used = 0;
        (void)hwl_plan_setting(p, "batch", batch, sizeof batch);
        for (unsigned d = 0; d < n; d++)
            used |= of(p, d, HWL_KIND_KV_CACHE) ? 1u << d : 0;
        used = n ? used : 4;
        if (strcmp(batch, starts[i].batch) != 0 || used != starts[i].used)
            fail_msg("%s on %s, %s: batch %s on GPUs %x; %s on %x wanted", starts[i].options, starts[i].gpus, starts[i].version, batch, used,
                     starts[i].batch, starts[i].used);
        free_plan(p);
    }
}

/* MemorySize: with all layers on GPUs the host's buffers are left out, else everything counts but the context. */
static void test_ps(void **state)
{
    (void)state;
    hwl_plan *p = plan("llama-3.1-8b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=8192");
    const uint64_t gpu = of(p, 0, HWL_KIND_WEIGHTS) + of(p, 0, HWL_KIND_KV_CACHE) + of(p, 0, HWL_KIND_COMPUTE);
    assert_true(view(p, "ps_size_bytes") == (double)gpu);
    assert_true(view(p, "ps_gpu_percent") == 100);
    free_plan(p);
    p = plan("llama-3.1-8b", "6GiBx1", "0.32", "quant=Q4_K_M ctx=16384");
    assert_true(view(p, "ps_gpu_percent") < 100 && view(p, "ps_gpu_percent") > 40);
    assert_true(view(p, "ps_size_bytes") > (double)(of(p, 0, HWL_KIND_WEIGHTS) + of(p, 1, HWL_KIND_WEIGHTS) + of(p, 0, HWL_KIND_KV_CACHE)));
    free_plan(p);
}

/* No context above the trained one, one sequence where Ollama serves no more. */
static void test_bounds(void **state)
{
    (void)state;
    hwl_plan *p = plan("llama-3.1-8b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=1000000");
    uint64_t sequences;
    assert_int_equal(hwl_plan_context(p, &sequences), 131072);
    assert_string_equal(hwl_plan_note(p, 0), "the model is trained for a context of 131072: Ollama gives no more");
    free_plan(p);
    p = plan("qwen3.5-9b", "RTX 4090", "0.32", "quant=Q4_K_M ctx=4096 concurrency=4");
    (void)hwl_plan_context(p, &sequences);
    assert_int_equal(sequences, 1);
    free_plan(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoted),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_ps),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
