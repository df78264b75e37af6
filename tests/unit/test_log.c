/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up logs of all eras: figures, options and failure found, hostile text borne, the plan laid beside. */
#include <hwledger/hwledger.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GIB 1073741824.0
#define MIB 1048576.0

static hwl_log *open_log(const char *name)
{
    char path[512];
    hwl_log *log = NULL;
    hwl_error e = {0};
    snprintf(path, sizeof path, "%s/logs/%s", HWL_TEST_DATA, name);
    if (hwl_log_open(path, &log, &e) != HWL_OK)
        fail_msg("%s: %s", name, e.message);
    return log;
}

static void found(const hwl_log *log, const char *name, const char *device, double value)
{
    hwl_log_figure f;
    for (uint32_t i = 0; hwl_log_get_figure(log, i, &f); i++)
        if (strcmp(f.name, name) == 0 && strcmp(f.device, device) == 0 && fabs(f.value - value) <= 1e-6 * fabs(value))
            return;
    fail_msg("%s %s is not %f", name, device, value);
}

static const char *option(const hwl_log *log, const char *want)
{
    const char *name, *value;
    for (uint32_t i = 0; hwl_log_get_setting(log, i, &name, &value); i++)
        if (strcmp(name, want) == 0)
            return value;
    return "";
}

static void vllm_eras(void **state)
{
    (void)state;
    hwl_log *log = open_log("vllm-0.6.log");
    assert_string_equal(hwl_log_engine(log), "vllm");
    assert_string_equal(hwl_log_version(log), "0.6.3.post1");
    assert_string_equal(hwl_log_model(log), "meta-llama/Llama-3.1-8B-Instruct");
    assert_string_equal(option(log, "max-model-len"), "29000");
    assert_non_null(strstr(hwl_log_failure(log), "max seq len (29000)"));
    found(log, "weights_bytes", "", 14.9888 * GIB);
    found(log, "total_bytes", "", 23.58 * GIB);
    found(log, "peak_torch_bytes", "", 17.98 * GIB);
    found(log, "non_torch_bytes", "", 0.35 * GIB);
    found(log, "available_kv_bytes", "", 2.89 * GIB);
    found(log, "gpu_memory_utilization", "", 0.9);
    found(log, "num_gpu_blocks", "", 1478);
    found(log, "max_concurrency", "", 0.82);
    hwl_log_free(log);

    log = open_log("vllm-0.8.log");
    assert_string_equal(hwl_log_version(log), "0.8.5");
    assert_string_equal(option(log, "quantization"), "bitsandbytes");
    assert_string_equal(hwl_log_failure(log), "");
    found(log, "peak_activation_bytes", "", 1.16 * GIB);
    found(log, "available_kv_bytes", "", 45.21 * GIB);
    found(log, "num_gpu_blocks", "", 14815);
    found(log, "graph_bytes", "", 1.12 * GIB);
    hwl_log_free(log);

    log = open_log("vllm-0.29.log");
    assert_string_equal(hwl_log_version(log), "0.29.0");
    assert_string_equal(hwl_log_model(log), "Qwen/Qwen3-8B");
    assert_string_equal(option(log, "gpu-memory-utilization"), "0.92");
    assert_string_equal(option(log, "enforce-eager"), "True");
    assert_string_equal(option(log, "served-model-name"), "");
    found(log, "kv_cache_tokens", "", 149424);
    found(log, "max_concurrency", "", 4.56);
    found(log, "consumed_bytes", "", 15.5 * GIB);
    found(log, "activation_and_graph_bytes", "", 0.31 * GIB);
    found(log, "total_bytes", "", 39.49 * GIB);
    hwl_log_free(log);

    log = open_log("vllm-refused.log");
    found(log, "available_kv_bytes", "", -2.14 * GIB);
    assert_non_null(strstr(hwl_log_failure(log), "No available memory"));
    hwl_log_free(log);
}

static void other_engines(void **state)
{
    (void)state;
    hwl_log *log = open_log("sglang.log");
    assert_string_equal(hwl_log_engine(log), "sglang");
    assert_string_equal(hwl_log_model(log), "Qwen/Qwen2.5-32B-Instruct");
    assert_string_equal(option(log, "tp-size"), "4");
    assert_string_equal(option(log, "mem-fraction-static"), "0.9");
    assert_string_equal(option(log, "max-running-requests"), "");
    found(log, "weights_bytes", "", 15.54 * GIB);
    found(log, "graph_bytes", "", 0.58 * GIB);
    found(log, "kv_cache_tokens", "", 46611);
    found(log, "k_bytes", "", 1.42 * GIB);
    found(log, "ssm_state_bytes", "", 6.46 * GIB);
    hwl_log_free(log);
    log = open_log("sglang-window.log");
    found(log, "kv_cache_tokens", "", 997846);
    found(log, "window_tokens", "", 798276);
    hwl_log_free(log);
    log = open_log("sglang-2026.log");
    found(log, "kv_cache_tokens", "", 992896);
    found(log, "max_running_requests", "", 4096);
    found(log, "prefill_graph_bytes", "", 2.32 * GIB);
    hwl_log_free(log);

    log = open_log("llamacpp.log");
    assert_string_equal(hwl_log_engine(log), "llama.cpp");
    assert_string_equal(hwl_log_version(log), "5192");
    assert_string_equal(hwl_log_model(log), "/models/Qwen3-235B-A22B-Q8_0.gguf");
    assert_string_equal(option(log, "ctx-size"), "32768");
    assert_string_equal(option(log, "n-gpu-layers"), "999");
    assert_string_equal(option(log, "cache-type-k"), "f16");
    assert_string_equal(option(log, "flash-attn"), "on");
    found(log, "weights_bytes", "CUDA0", 39273.87 * MIB);
    found(log, "weights_bytes", "CPU_Mapped", 198451.27 * MIB);
    found(log, "kv_cache_bytes", "CUDA0", 6016 * MIB);
    found(log, "output_bytes", "CUDA_Host", 0.58 * MIB);
    found(log, "compute_bytes", "CUDA_Host", 72.01 * MIB);
    hwl_log_free(log);

    log = open_log("llamacpp-2024.log");
    assert_string_equal(hwl_log_engine(log), "llama.cpp");
    found(log, "weights_bytes", "CUDA0", 4403.49 * MIB);
    found(log, "weights_bytes", "CPU", 281.81 * MIB);
    found(log, "kv_cache_bytes", "CUDA0", 1024 * MIB);
    found(log, "compute_bytes", "CUDA0", 560 * MIB);
    hwl_log_free(log);
}

static const hwl_log_term *term(const hwl_log *log, const char *name, hwl_log_term *t)
{
    for (uint32_t i = 0; hwl_log_get_term(log, i, t); i++)
        if (strcmp(t->name, name) == 0)
            return t;
    fail_msg("no term %s", name);
    return t;
}

static const hwl_log_term *term_on(const hwl_log *log, const char *name, const char *device, hwl_log_term *t)
{
    for (uint32_t i = 0; hwl_log_get_term(log, i, t); i++)
        if (strcmp(t->name, name) == 0 && strcmp(t->device, device) == 0)
            return t;
    fail_msg("no term %s %s", name, device);
    return t;
}

/* A file that nobody has: its model follows from the printed metadata, the experts' width from the parameter count, the split
 * between GPUs from the caches; a projector's buffers and a draft's context stay out. Figures of a public log (4 x A6000). */
static void metadata(void **state)
{
    (void)state;
    hwl_log *log = open_log("llamacpp-metadata.log");
    hwl_model *model;
    hwl_devices *devices;
    hwl_error e = {0};
    hwl_log_term t;
    hwl_model_info m;
    static const char *const same[][2] = {{"weights_bytes", "gpu2"}, {"weights_bytes", "gpu3"},         {"weights_bytes", "cpu"},
                                          {"kv_cache_bytes", "gpu2"}, {"kv_cache_bytes", "gpu3"},       {"recurrent_state_bytes", "gpu2"},
                                          {"recurrent_state_bytes", "gpu3"}, {"output_bytes", "cpu"}};
    assert_string_equal(hwl_log_model(log), "/models/My Model-Q8_0.gguf");
    assert_string_equal(option(log, "flash-attn-resolved"), "on");
    found(log, "projector_compute_bytes", "CUDA0", 248.10 * MIB);
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
    hwl_model_get_info(model, &m);
    assert_true(fabs((double)m.parameters - 34.66e9) < 0.006e9);
    assert_int_equal(hwl_log_devices(log, &devices, &e), HWL_OK);
    assert_int_equal(hwl_devices_gpus(devices), 4);
    assert_int_equal(hwl_devices_get(devices, 1)->free_bytes, 43309ull << 20);
    assert_int_equal(hwl_log_plan(log, model, devices, &e), HWL_OK);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        term_on(log, same[i][0], same[i][1], &t);
        assert_true(t.within && t.allowed <= 0);
    }
    assert_true(fabs(term_on(log, "compute_bytes", "gpu2", &t)->planned - 372.06 * MIB) < 0.02 * MIB);
    assert_true(term_on(log, "compute_bytes", "gpu3", &t)->within);
    hwl_devices_free(devices);
    hwl_model_free(model);
    hwl_log_free(log);

    log = open_log("llamacpp-table.log"); /* too little for a model, enough for its cache */
    found(log, "weights_bytes", "MTL0", 900.5 * MIB);
    found(log, "context_bytes", "MTL0", 576.5 * MIB);
    found(log, "compute_bytes", "Host", 172.5 * MIB);
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_E_NOT_FOUND);
    assert_int_equal(hwl_log_plan(log, NULL, NULL, &e), HWL_OK);
    assert_true(term_on(log, "kv_cache_bytes", "", &t)->within);
    assert_true(fabs(t.planned - 576 * MIB) < 1);
    hwl_log_free(log);
}

static void planned(void **state)
{
    (void)state;
    hwl_log *log = open_log("vllm-0.19.log");
    hwl_model *model;
    hwl_devices *devices;
    hwl_error e = {0};
    hwl_log_term t;
    assert_string_equal(option(log, "quantization"), "compressed-tensors");
    assert_string_equal(option(log, "enable-prefix-caching"), "False");
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_log_devices(log, &devices, &e), HWL_OK);
    assert_int_equal(hwl_devices_gpus(devices), 2);
    assert_string_equal(hwl_devices_get(devices, 0)->name, "NVIDIA H100 80GB HBM3");
    assert_int_equal(hwl_log_plan(log, model, devices, &e), HWL_OK);
    assert_true(term(log, "weights_bytes", &t)->within);
    assert_true(fabs(t.planned / t.logged - 1) < 0.005);
    assert_true(term(log, "kv_cache_tokens", &t)->within);
    assert_true(term(log, "kv_cache_tokens_exact", &t)->within);
    assert_true(fabs(term(log, "graph_bytes", &t)->planned / t.logged - 1) < 0.1);
    assert_true(fabs(term(log, "peak_activation_bytes", &t)->planned / t.logged - 1) < 0.01);
    char *text;
    uint64_t n;
    assert_int_equal(hwl_log_json(log, &text, &n, &e), HWL_OK);
    assert_non_null(strstr(text, "hwledger.log/1"));
    hwl_text_free(text);
    hwl_devices_free(devices);
    hwl_model_free(model);
    hwl_log_free(log);

    /* a start that failed, for the reason that the plan gives: 38 bytes a logit of a 201,088 vocabulary, 1024 times */
    log = open_log("vllm-refused.log");
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_log_devices(log, &devices, &e), HWL_E_NOT_FOUND);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, "H100-80GB", &e), HWL_OK);
    assert_int_equal(hwl_log_plan(log, model, devices, &e), HWL_OK);
    bool said = false;
    const char *note;
    for (uint32_t i = 0; (note = hwl_log_note(log, i)); i++)
        said = said || strstr(note, "did not start, as the plan says");
    assert_true(said);
    hwl_devices_free(devices);
    hwl_model_free(model);
    hwl_log_free(log);
}

/* Four stages, whose workers log in any order: the last one's peak, with the sampler, beside the largest of the plan (the second and
 * third have 1.05 GiB, the first 1.10). */
static void stages(void **state)
{
    (void)state;
    static const char text[] =
        "(APIServer pid=7) INFO [utils.py:233] non-default args: {'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_model_len': 8192, "
        "'pipeline_parallel_size': 4, 'gpu_memory_utilization': 0.95, 'enable_prefix_caching': False}\n"
        "INFO [core.py:105] Initializing a V1 LLM engine (v0.19.0) with config: model='meta-llama/Llama-3.1-8B-Instruct', "
        "dtype=torch.bfloat16, max_seq_len=8192, tensor_parallel_size=1, pipeline_parallel_size=4, enforce_eager=False\n"
        "DEBUG [gpu_worker.py:432] Memory profiling takes 3.1 seconds. torch peak memory increase: 1.05GiB; weights memory: 4.26GiB.\n"
        "DEBUG [gpu_worker.py:432] Memory profiling takes 3.1 seconds. torch peak memory increase: 1.1GiB; weights memory: 4.26GiB.\n"
        "DEBUG [gpu_worker.py:432] Memory profiling takes 3.1 seconds. torch peak memory increase: 1.05GiB; weights memory: 4.26GiB.\n"
        "DEBUG [gpu_worker.py:432] Memory profiling takes 3.1 seconds. torch peak memory increase: 2.01GiB; weights memory: 4.26GiB.\n"
        "INFO [kv_cache_utils.py:1319] GPU KV cache size: 2,257,264 tokens\n";
    hwl_log *log;
    hwl_model *model;
    hwl_devices *devices;
    hwl_error e = {0};
    hwl_log_term t;
    assert_int_equal(hwl_log_from_text(text, sizeof text - 1, "t", &log, &e), HWL_OK);
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, "H100 80GB HBM3x4", &e), HWL_OK);
    assert_int_equal(hwl_log_plan(log, model, devices, &e), HWL_OK);
    assert_true(fabs(term(log, "peak_activation_bytes", &t)->planned / t.logged - 1) < 0.005);
    assert_true(fabs(t.logged / GIB - 2.01) < 1e-6);
    hwl_devices_free(devices);
    hwl_model_free(model);
    hwl_log_free(log);
}

/* The banner of 0.25 and later, a model of the local cache by its path, a refusal of V0 and one of V1. */
static void words_of_releases(void **state)
{
    (void)state;
    static const char banner[] = "INFO [api_utils.py:1]  \xe2\x96\x84\xe2\x96\x84 \xe2\x96\x84\xe2\x96\x88 \xe2\x96\x88     \xe2\x96\x88  version 0.25.0\n"
                                 "INFO [api_utils.py:1]   \xe2\x96\x88\xe2\x96\x88 \xe2\x96\x88     \xe2\x96\x88  model   /c/hub/models--Qwen--Qwen3-8B/snapshots/ab12\n"
                                 "INFO [kv_cache_utils.py:1] GPU KV cache size: 188,880 tokens\n";
    hwl_log *log;
    hwl_model *model;
    hwl_error e = {0};
    hwl_model_info info;
    assert_int_equal(hwl_log_from_text(banner, sizeof banner - 1, "t", &log, &e), HWL_OK);
    assert_string_equal(hwl_log_version(log), "0.25.0");
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
    hwl_model_get_info(model, &info);
    assert_string_equal(info.name, "qwen3-8b");
    hwl_model_free(model);
    hwl_log_free(log);

    static const char *const names[][2] = {{"someone/Qwen3-8B-autoround-int4", "qwen3-8b"}, {"/m/DeepSeek-V4-Flash-0731", "deepseek-v4-flash"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[256];
        const int n = snprintf(text, sizeof text, "non-default args: {'model': '%s'}\n# GPU blocks: 100\n", names[i][0]);
        assert_int_equal(hwl_log_from_text(text, (uint64_t)n, "t", &log, &e), HWL_OK);
        assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
        hwl_model_get_info(model, &info);
        assert_string_equal(info.name, names[i][1]);
        hwl_model_free(model);
        hwl_log_free(log);
    }

    static const char shell[] = "$ vllm serve Qwen/Qwen3-8B -tp 2 -pp=2 -q fp8 -O3 --max-model-len 4096\n# GPU blocks: 100\n";
    assert_int_equal(hwl_log_from_text(shell, sizeof shell - 1, "t", &log, &e), HWL_OK);
    assert_string_equal(option(log, "tensor-parallel-size"), "2");
    assert_string_equal(option(log, "pipeline-parallel-size"), "2");
    assert_string_equal(option(log, "q"), "fp8");
    assert_string_equal(option(log, "max-model-len"), "4096");
    assert_string_equal(hwl_log_model(log), "Qwen/Qwen3-8B");
    hwl_log_free(log);

    static const char old[] = "ValueError: The model's max seq len (16000) is larger than the maximum number of tokens that can be stored in KV cache "
                              "(2368). Try increasing `gpu_memory_utilization`.\n";
    assert_int_equal(hwl_log_from_text(old, sizeof old - 1, "t", &log, &e), HWL_OK);
    found(log, "kv_cache_tokens", "", 2368);
    assert_true(*hwl_log_failure(log) != 0);
    hwl_log_free(log);
    static const char now[] = "ValueError: To serve at least one request with the model's max seq len (131072), (16.0 GiB KV cache is needed, which is "
                              "larger than the available KV cache memory (7.48 GiB). Based on the available memory, the estimated maximum model "
                              "length is 61248.\n";
    assert_int_equal(hwl_log_from_text(now, sizeof now - 1, "t", &log, &e), HWL_OK);
    found(log, "kv_needed_bytes", "", 16 * GIB);
    found(log, "available_kv_bytes", "", 7.48 * GIB);
    found(log, "estimated_max_model_len", "", 61248);
    hwl_log_free(log);
}

static bool noted(const hwl_log *log, const char *text)
{
    const char *note;
    for (uint32_t i = 0; (note = hwl_log_note(log, i)); i++)
        if (strstr(note, text))
            return true;
    return false;
}

/* What a log states twice, without model or card; the release by its words; figures that no card moves. */
static void own_sums(void **state)
{
    (void)state;
    static const char text[] = "INFO [gpu_model_runner.py:1] Model loading took 15.27 GiB memory and 3.1 seconds\n"
                               "INFO [gpu_worker.py:1] Available KV cache memory: 25.94 GiB\n"
                               "INFO [kv_cache_utils.py:1] GPU KV cache size: 188,880 tokens\n"
                               "INFO [kv_cache_utils.py:2] Maximum concurrency for 40,960 tokens per request: 4.61x\n"
                               "INFO [gpu_worker.py:2] Free memory on device (47.03/47.37 GiB) on startup. Desired GPU memory utilization is "
                               "(0.9, 42.63 GiB). Actual usage is 15.27 GiB for weight, 1.4 GiB for peak activation, 0.03 GiB for non-torch "
                               "memory, and 0.54 GiB for CUDAGraph memory.\n";
    hwl_log *log;
    hwl_model *model;
    hwl_error e = {0};
    hwl_log_term t;
    assert_int_equal(hwl_log_from_text(text, sizeof text - 1, "t", &log, &e), HWL_OK);
    found(log, "requested_bytes", "", 42.63 * GIB);
    assert_int_equal(hwl_log_plan(log, NULL, NULL, &e), HWL_OK);
    assert_true(term(log, "requested_bytes_sum", &t)->within);
    assert_true(term(log, "available_kv_bytes_sum", &t)->within);
    assert_true(term(log, "max_concurrency_sum", &t)->within);
    assert_true(noted(log, "bytes a token on a rank"));
    assert_int_equal(hwl_model_open("qwen3-8b", NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_log_plan(log, model, NULL, &e), HWL_OK); /* no card */
    assert_true(noted(log, "words are of 0.11 to 0.26"));
    assert_true(term(log, "weights_bytes", &t)->within);
    assert_true(term(log, "kv_cache_tokens_exact", &t)->within);
    for (uint32_t i = 0; hwl_log_get_term(log, i, &t); i++)
        assert_string_not_equal(t.name, "peak_activation_bytes"); /* which the card moves */
    hwl_model_free(model);
    hwl_log_free(log);

    /* a sum that does not hold is told apart from one that does */
    static const char wrong[] = "Free memory on device (47.03/47.37 GiB) on startup. Desired GPU memory utilization is (0.5, 42.63 GiB).\n";
    assert_int_equal(hwl_log_from_text(wrong, sizeof wrong - 1, "t", &log, &e), HWL_OK);
    assert_int_equal(hwl_log_plan(log, NULL, NULL, &e), HWL_OK);
    assert_false(term(log, "requested_bytes_sum", &t)->within);
    hwl_log_free(log);
}

/* TensorRT-LLM: the PyTorch back end of 1.x, built engines of 0.x, the printed arguments. */
static void tensorrt(void **state)
{
    (void)state;
    hwl_log *log = open_log("tensorrt-1.1.log");
    hwl_model *model;
    hwl_devices *devices;
    hwl_error e = {0};
    hwl_log_term t;
    assert_string_equal(hwl_log_engine(log), "tensorrt-llm");
    assert_string_equal(hwl_log_version(log), "1.1.0rc3");
    found(log, "weights_bytes", "", 63.52 * GIB);
    found(log, "peak_activation_bytes", "", 0.85 * GIB);
    found(log, "total_bytes", "", 119.70 * GIB);
    found(log, "kv_size_per_token", "", 73728);
    found(log, "max_tokens", "", 86720);
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_log_devices(log, &devices, &e), HWL_OK);
    assert_int_equal(hwl_log_plan(log, model, devices, &e), HWL_OK);
    assert_true(term(log, "weights_bytes", &t)->within);
    assert_true(term(log, "peak_activation_bytes", &t)->within);
    assert_true(fabs(t.planned / t.logged - 1) < 0.05); /* by max_num_tokens of the log */
    assert_true(term(log, "exact_kv_pool_bytes", &t)->within);
    assert_true(term(log, "max_tokens_exact", &t)->within);
    assert_true(term(log, "sum_available_kv_bytes", &t)->within);
    assert_true(term(log, "kv_size_per_token", &t)->within);
    assert_true(noted(log, "49.78 GiB lie outside torch"));
    hwl_devices_free(devices);
    hwl_model_free(model);
    hwl_log_free(log);

    log = open_log("tensorrt-0.14.log");
    assert_string_equal(hwl_log_version(log), "0.14.0");
    found(log, "execution_context_bytes", "", 1134.01 * MIB);
    found(log, "runtime_buffer_bytes", "", 43.29 * MIB);
    found(log, "decoder_bytes", "", 180.30 * MIB);
    found(log, "free_kv_bytes", "", 70.48 * GIB);
    found(log, "primary_blocks", "", 4060);
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_E_NOT_FOUND); /* it names none */
    assert_int_equal(hwl_model_open("llama-2-7b", NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_log_devices(log, &devices, &e), HWL_OK);
    assert_int_equal(hwl_log_plan(log, model, devices, &e), HWL_OK);
    assert_false(term(log, "exact_kv_pool_bytes", &t)->within); /* the cache is of FP8, which no line says */
    assert_true(fabs(t.planned / t.logged - 2) < 0.001);
    hwl_devices_free(devices);
    hwl_model_free(model);
    hwl_log_free(log);

    /* a start that failed, in the words of NVIDIA/TensorRT-LLM issue 5872 */
    static const char failed[] = "$ trtllm-serve Qwen/Qwen3-235B-A22B-FP8 --tp_size 8 --ep_size 8\n"
                                 "[TRT-LLM] [RANK 1] [E] Failed to initialize executor on rank 1: Executor creation failed due to insufficient GPU memory.\n"
                                 "The following component could not be created: KV cache\nTotal GPU memory (GiB): 140.06\n"
                                 "Free GPU memory before component creation attempt (GiB): 108.86\nModel: 139.55 / 110.70\n";
    assert_int_equal(hwl_log_from_text(failed, sizeof failed - 1, "t", &log, &e), HWL_OK);
    assert_true(*hwl_log_failure(log) != 0);
    found(log, "model_bytes", "", 28.85 * GIB);
    found(log, "total_bytes", "", 140.06 * GIB);
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_log_devices(log, &devices, &e), HWL_OK);
    assert_int_equal(hwl_devices_gpus(devices), 8);
    hwl_devices_free(devices);
    hwl_model_free(model);
    hwl_log_free(log);

    log = open_log("tensorrt-1.2.log"); /* no card, two ranks, what the arguments say over the command line */
    assert_string_equal(hwl_log_model(log), "meta-llama/Llama-3.1-8B-Instruct");
    assert_string_equal(option(log, "max-batch-size"), "96");
    assert_string_equal(option(log, "kv-cache-config.dtype"), "fp8");
    assert_string_equal(option(log, "speculative-config.decoding-type"), "Eagle3");
    assert_int_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_log_plan(log, model, NULL, &e), HWL_OK);
    assert_true(term(log, "exact_kv_pool_bytes", &t)->within); /* 33 layers of 4 heads of 128 on a rank, FP8 */
    assert_true(fabs(t.planned - 64000.0 * 33 * 2 * 4 * 128) < 1);
    for (uint32_t i = 0; hwl_log_get_term(log, i, &t); i++)
        assert_string_not_equal(t.name, "available_kv_bytes"); /* which the card moves */
    hwl_model_free(model);
    hwl_log_free(log);
}

static void hostile(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n\n\n",
        "GPU KV cache size: ",
        "GPU KV cache size: ,,,\n",
        "non-default args: {'a\n",
        "non-default args: {'model': {{{{[[[\n",
        "Initializing a V1 LLM engine (v\n",
        "LLM engine (v0.19.0) with config: model='\\",
        " buffer size = 1 MiB",
        "CUDA0 KV buffer size = 9e999 MiB\n",
        "Free memory on device (1/\n",
        "Free memory on device (99999999999999999999/99999999999999999999999 GiB)\nFree memory on device (1/2 GiB)\n",
        "using device ( -  MiB free\n",
        "offloaded /999999999999999999999999 layers to GPU\n",
        "\033[",
        "\033[31",
        "vllm serve",
        "vllm serve \\ --",
        "vllm serve '",
        "server_args=ServerArgs(=,=,,(",
        "tensors from  (version",
        "), K ( cells,",
        "LLM Args:",
        "LLM Args:\n",
        "LLM Args: model='",
        "LLM Args: a=B(c=D(e=F(g=H(",
        "LLM Args: )))) =,= model=PosixPath(",
        "LLM Args:\nkv_cache_config=KvCacheConfig(max_tokens=99999999999999999999999999,dtype='\\",
        "[MemUsageChange] Allocated ",
        "[MemUsageChange] Allocated 1e9 Q for max tokens in paged KV cache (",
        "Peak memory during memory usage profiling device total memory ",
        "trtllm-serve / --",
        " cells,), K (\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        hwl_log *log = NULL;
        hwl_error e = {0};
        const size_t n = strlen(texts[i]);
        char *exact = malloc(n + 1); /* no byte behind the end may be read */
        assert_non_null(exact);
        memcpy(exact, texts[i], n);
        if (hwl_log_from_text(exact, n, "t", &log, &e) == HWL_OK)
            hwl_log_free(log);
        else
            assert_true(e.message[0] != 0);
        free(exact);
    }
    char *big = malloc(1 << 20);
    assert_non_null(big);
    memset(big, 'x', 1 << 20);
    memcpy(big, "GPU KV cache size: 1,024 tokens ", 32);
    hwl_log *log = NULL;
    hwl_error e = {0};
    assert_int_equal(hwl_log_from_text(big, 1 << 20, "big", &log, &e), HWL_OK);
    found(log, "kv_cache_tokens", "", 1024);
    hwl_log_free(log);
    assert_int_equal(hwl_log_from_text(big, (uint64_t)65 << 20, "big", &log, &e), HWL_E_LIMIT);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vllm_eras), cmocka_unit_test(other_engines), cmocka_unit_test(metadata),
                                       cmocka_unit_test(planned), cmocka_unit_test(stages), cmocka_unit_test(own_sums), cmocka_unit_test(words_of_releases), cmocka_unit_test(tensorrt),
                                       cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
