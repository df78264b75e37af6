/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines that SGLang's, TensorRT-LLM's, MLX's and LM Studio's plans write lead, read back, to the same plan. */
#include <hwledger/hwledger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *engine, *model, *gpu, *args, *has; /* has: what the written line holds, "" nothing more */
} runs[] = {
    {"sglang", "llama-3.1-8b", "H100-80GB", "", "--context-length 131072"},
    {"sglang", "qwen3-30b-a3b", "H100-80GBx2", "--tp 2 --ep-size 2 --kv-cache-dtype fp8_e4m3", "--ep-size 2"},
    {"sglang", "glm-4.5-air", "H100-80GBx4", "--tp 4 --dp 2 --enable-dp-attention --max-running-requests 64", "--enable-dp-attention"},
    {"sglang", "gpt-oss-20b", "H100-80GB", "--disable-cuda-graph --chunked-prefill-size -1", "--chunked-prefill-size -1"},
    {"sglang", "qwen3-next-80b-a3b", "H100-80GBx4", "--tp 4 --mamba-full-memory-ratio 0.5", "--mamba-full-memory-ratio 0.5"},
    {"sglang", "llama-3.1-8b", "A100-80GB", "--cuda-graph-bs 1 2 4 8 --cpu-offload-gb 4 --page-size 16 --context-length 8k", "--page-size 16"},
    {"sglang", "llama-3.1-8b", "H100-80GBx2", "--pp-size 2 --mem-fraction-static 0.7 --disable-radix-cache", "--mem-fraction-static 0.700"},
    {"sglang", "kimi-k2.5", "H200x8", "--tp 8", "--mem-fraction-static 0."},
    {"sglang", "gpt-oss-120b", "H200", "--swa-full-tokens-ratio 0.5 --speculative-algorithm NGRAM", "--swa-full-tokens-ratio 0.5"},
    {"sglang", "qwen3-32b", "H100-80GBx2",
     "--tp 2 --speculative-algorithm STANDALONE --speculative-draft-model-path qwen3-0.6b --enable-hierarchical-cache --hicache-size 64",
     "--hicache-size 64"},
    {"sglang", "deepseek-v4-pro-nvfp4", "B300x8", "--tp 8 --enable-dp-attention --dp 8", "--enable-dp-attention"},
    {"sglang", "nemotron-3-nano-30b-a3b", "H100-80GB", "--disable-radix-cache --max-running-requests 32", "--max-total-tokens"},
    {"tensorrt-llm", "llama-3.1-8b", "H100-80GB", "", "--max_batch_size"},
    {"tensorrt-llm", "qwen3-30b-a3b", "H100-80GBx2", "--tp_size 2 --ep_size 2", "--ep_size 2"},
    {"tensorrt-llm", "llama-3.3-70b", "H100-80GBx4", "--tp_size 2 --pp_size 2 --kv_cache_dtype fp8 --max_num_tokens 4096", "--kv_cache_dtype fp8"},
    {"tgi", "llama-3.1-8b", "H100-80GB", "", "--max-batch-prefill-tokens"},
    {"tgi", "qwen2.5-7b", "A100-80GBx2", "--num-shard 2 --max-total-tokens 16384 --max-input-tokens 8192 --cuda-graphs 1,8", "--num-shard 2"},
    {"tgi", "gemma-3-27b", "H100-80GB", "--kv-cache-dtype fp8_e4m3fn --cuda-memory-fraction 0.9", "--cuda-memory-fraction 0.9"},
    {"mlx", "qwen3-14b-mlx-4bit", "Apple M2 Max 32GB", "--kv-bits 8 --kv-group-size 32 --quantized-kv-start 0 --prefill-step-size 512", "--kv-bits 8"},
    {"mlx", "qwen3-14b-mlx-4bit", "Apple M2 Max 32GB", "--decode-concurrency 4", "--decode-concurrency 4"},
    {"lm-studio", "llama-3.1-8b", "RTX 4090", "", "--context-length 4096 --parallel 4 --gpu max"},
    {"lm-studio", "llama-3.1-8b", "RTX 4090", "--context-length 32768 --parallel 2", "--context-length 32768 --parallel 2"},
    {"lm-studio", "llama-3.1-8b", "RTX 4090", "--gpu off", "--gpu off"},
};

/* Two plans of one model: p as asked for, q from the line that p wrote. */
static hwl_plan *plan(const hwl_model *model, const char *engine, const char *gpu, const char *args)
{
    hwl_error e = {0};
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner = NULL;
    hwl_plan *p = NULL;
    char line[4096];
    const char *argv[128];
    int argc = 0;
    snprintf(line, sizeof line, "%s", args);
    for (char *w = strtok(line, " '"); w && argc < 128; w = strtok(NULL, " '"))
        argv[argc++] = w;
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, gpu, &e), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine", engine, &e), HWL_OK);
    if (hwl_settings_engine_args(settings, engine, argc, argv, &e) != HWL_OK ||
        hwl_planner_new(model, devices, settings, &planner, &e) != HWL_OK)
        fail_msg("%s %s: %s", engine, args, e.message);
    if (hwl_planner_plan(planner, devices, settings, &p, &e) != HWL_OK)
        fail_msg("%s %s: %s", engine, args, e.message);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    return p;
}

static void read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        hwl_error e = {0};
        hwl_model *model;
        char *command, *again;
        if (hwl_model_open(runs[i].model, NULL, &model, &e) != HWL_OK)
            fail_msg("%s", e.message);
        hwl_plan *p = plan(model, runs[i].engine, runs[i].gpu, runs[i].args);
        assert_int_equal(hwl_plan_command(p, &command, &e), HWL_OK);
        const char *options = strstr(command, " --");
        assert_non_null(options);
        if (strncmp(options, " --model", 8) == 0)
            options = strstr(options + 8, " --");
        assert_non_null(options);
        if (!strstr(options, runs[i].has))
            fail_msg("%s: no %s", command, runs[i].has);
        hwl_plan *q = plan(model, runs[i].engine, runs[i].gpu, options);
        assert_int_equal(hwl_plan_command(q, &again, &e), HWL_OK);
        if (hwl_plan_kv_tokens(p) != hwl_plan_kv_tokens(q))
            fail_msg("%s: %llu tokens, not %llu", command, (unsigned long long)hwl_plan_kv_tokens(q),
                     (unsigned long long)hwl_plan_kv_tokens(p));
        assert_int_equal(hwl_plan_n_entries(p), hwl_plan_n_entries(q));
        for (uint32_t k = 0; k < hwl_plan_n_entries(p); k++)
            if (hwl_plan_entry(p, k)->bytes != hwl_plan_entry(q, k)->bytes)
                fail_msg("%s: entry %u is %llu B, not %llu", command, k, (unsigned long long)hwl_plan_entry(q, k)->bytes,
                         (unsigned long long)hwl_plan_entry(p, k)->bytes);
        hwl_text_free(command);
        hwl_text_free(again);
        hwl_plan_free(p);
        hwl_plan_free(q);
        hwl_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(read_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
