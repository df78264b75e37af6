/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up logs of vLLM as people paste them: wrapped by a terminal, with colours that lost their escape character, out of a
 * notebook, a page or a file of options, several starts in one file, variants of models that the catalogue has. */
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

static hwl_log *read_text(const char *text)
{
    hwl_log *log = NULL;
    hwl_error e = {0};
    if (hwl_log_from_text(text, strlen(text), "t", &log, &e) != HWL_OK)
        fail_msg("%s", e.message);
    return log;
}

static double figure(const hwl_log *log, const char *name)
{
    hwl_log_figure f;
    for (uint32_t i = 0; hwl_log_get_figure(log, i, &f); i++)
        if (strcmp(f.name, name) == 0)
            return f.value;
    return -1;
}

static const char *option(const hwl_log *log, const char *want)
{
    const char *name, *value;
    for (uint32_t i = 0; hwl_log_get_setting(log, i, &name, &value); i++)
        if (strcmp(name, want) == 0)
            return value;
    return "";
}

static void near(double a, double b)
{
    if (fabs(a - b) > 1e-6 * fabs(b))
        fail_msg("%f is not %f", a, b);
}

/* Opens the model, plans, and wants the term within its limits. */
static void planned(hwl_log *log, const char *model_name, const char *term)
{
    hwl_model *model = NULL;
    hwl_devices *devices = NULL;
    hwl_model_info info;
    hwl_log_term t;
    hwl_error e = {0};
    if (hwl_log_open_model(log, NULL, &model, &e) != HWL_OK)
        fail_msg("%s", e.message);
    hwl_model_get_info(model, &info);
    assert_string_equal(info.name, model_name);
    (void)hwl_log_devices(log, &devices, &e);
    assert_int_equal(hwl_log_plan(log, model, devices, &e), HWL_OK);
    bool found = false;
    for (uint32_t i = 0; hwl_log_get_term(log, i, &t); i++)
        if (strcmp(t.name, term) == 0) {
            found = true;
            if (!t.within)
                fail_msg("%s: %f, logged %f", term, t.planned, t.logged);
        }
    assert_true(found);
    hwl_devices_free(devices);
    hwl_model_free(model);
}

/* Figures of a public log of Qwen2-7B on two A100, in words of 0.10.1. */
static void wrapped(void **state)
{
    (void)state;
    hwl_log *log = read_text(
        "(APIServer pid=1) INFO 09-03 02:11:14 [api_server.py:1805] vLLM API server version 0.10.1.1\n"
        "(APIServer pid=1) INFO 09-03 02:11:14 [utils.py:326] non-default args: {'model_tag': 'Qwe\n"
        "n2-7B-Instruct', 'port': 8081, 'model': 'Qwen2-7B-Instruct', 'max_model_len': 16384, 'tensor_parallel_si\n"
        "ze': 2, 'gpu_memory_utilization': 0.5}\n"
        "(EngineCore_0 pid=2) INFO 09-03 02:11:44 [core.py:74] Initializing a V1 LLM engine (v0.10.1.1) with config: model='Qwen2-7B-Instruct'\n"
        ", speculative_config=None, dtype=torch.bfloat16, max_seq_len=16384, tensor_paral\n"
        "lel_size=2, pipeline_parallel_size=1, quantization=None, kv_cache_dtype=auto, compilation_config={\"level\":3,\n"
        "\"max_capture_size\":512}\n"
        "(VllmWorker TP1 pid=4) INFO 09-03 02:12:20 [gpu_model_runner.py:2007] Model loading took 7.1216 GiB and 5.1 seconds\n"
        "(VllmWorker TP0 pid=3) INFO 09-03 02:12:40 [gpu_worker.py:276] Available KV cache memory: 31.83 GiB\n"
        "(EngineCore_0 pid=2) INFO 09-03 02:12:41 [kv_cache_utils.py:849] GPU KV cache size: 1,192,160 tokens\n"
        "(EngineCore_0 pid=2) INFO 09-03 02:12:41 [kv_cache_utils.py:853] Maximum concurrency for 16,384 tokens per request: 72.76x\n");
    assert_string_equal(hwl_log_model(log), "Qwen2-7B-Instruct");
    assert_string_equal(option(log, "tensor-parallel-size"), "2");
    assert_string_equal(option(log, "gpu-memory-utilization"), "0.5");
    planned(log, "qwen2-7b", "kv_cache_tokens_exact");
    hwl_log_free(log);
}

static void coloured(void **state)
{
    (void)state;
    /* the escape character is lost, or written out; a page's names for quotes */
    static const char *const texts[] = {
        "[1;36m(EngineCore_DP0 pid=5)[0;0m INFO 06-16 14:13:55 [gpu_worker.py:298] Available KV cache memory: 8.68 GiB\n",
        "\033[1;36m(EngineCore_DP0 pid=5)\033[0;0m INFO 06-16 14:13:55 [gpu_worker.py:298] Available \033[0mKV cache memory: 8.68 GiB\n",
        "\\u001b[1;36m(EngineCore_DP0 pid=5)\\u001b[0m INFO 06-16 14:13:55 [gpu_worker.py:298] Available KV cache memory: 8.68 GiB\n",
        "\xef\xbf\xbd[1;36mINFO\xef\xbf\xbd[0m 06-16 14:13:55 [gpu_worker.py:298] Available KV cache memory:\xef\xbf\xbd[0m 8.68 GiB\n",
        ("<span class=\"l\">INFO</span> 06-16 14:13:55 [gpu_worker.py:298] Available KV <b>cache</b> memory: 8.68 GiB<br>"
         "INFO 06-16 14:13:55 [kv_cache_utils.py:864] GPU KV cache size: 94,784 tokens\n"),
        "Loading: 0%\rLoading: 99%\rINFO 06-16 14:13:55 [gpu_worker.py:298] Available KV cache memory: 8.68 GiB\r\n",
        "2025-06-16T14:13:55.1Z vllm-0 | INFO 06-16 14:13:55 [gpu_worker.py:298] Available KV cache memory: 8.68 GiB\n",
        "> INFO 06-16 14:13:55 [gpu_worker.py:298] Available KV cache memory: 8.68 GiB\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        hwl_log *log = read_text(texts[i]);
        near(figure(log, "available_kv_bytes"), 8.68 * GIB);
        if (strstr(texts[i], "<br>"))
            near(figure(log, "kv_cache_tokens"), 94784);
        hwl_log_free(log);
    }
    hwl_log *log = read_text("INFO 06-16 [utils.py:1] non-default args: {&#x27;model&#x27;: &#39;Qwen/Qwen3-8B&#39;, &quot;max_model_len&quot;: 4096}\n");
    assert_string_equal(hwl_log_model(log), "Qwen/Qwen3-8B");
    assert_string_equal(option(log, "max-model-len"), "4096");
    hwl_log_free(log);
}

/* One cell of a notebook: its lines are in one string. */
static void notebook(void **state)
{
    (void)state;
    hwl_log *log = read_text("{\"outputs\":[{\"text\":\"INFO 06-07 08:11:37 [utils.py:278] non-default args: {'dtype': 'float16', 'max_model_len': 8192, "
                             "'tensor_parallel_size': 2, 'model': '/input/models/qwen-3/8b/1'}\\nINFO 06-07 08:11:53 [model.py:617] Resolved architecture: "
                             "Qwen3ForCausalLM\\n(Worker_TP0 pid=1) INFO 06-07 08:12:53 [model_runner.py:1] Model loading took 7.65 GiB memory and 3.1 "
                             "seconds\\n(EngineCore pid=2) INFO 06-07 08:12:59 [gpu_worker.py:563] Available KV cache memory: 1.03 GiB\\n(EngineCore pid=2) "
                             "INFO 06-07 08:12:59 [kv_cache_utils.py:2235] GPU KV cache size: 14,960 tokens\\n\"}]}");
    assert_string_equal(option(log, "tensor-parallel-size"), "2");
    near(figure(log, "weights_bytes"), 7.65 * GIB);
    near(figure(log, "kv_cache_tokens"), 14960);
    planned(log, "qwen3-8b", "weights_bytes"); /* the name tells nothing: by class and weights */
    hwl_log_free(log);
}

/* A refused start, then one that succeeds: only that one is read. */
static void restarted(void **state)
{
    (void)state;
    static const char refused[] =
        "INFO 09-30 18:28:03 [api_server.py:1896] vLLM API server version 0.10.2\n"
        "INFO 09-30 18:28:03 [utils.py:328] non-default args: {'model': 'Qwen/Qwen3-32B', 'gpu_memory_utilization': 0.85}\n"
        "ERROR 09-30 18:29:03 [core.py:718] ValueError: Free memory on device (13.58/15.99 GiB) on startup is less than desired GPU memory utilization "
        "(0.85, 13.59 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.\n";
    static const char started[] =
        "INFO 09-30 18:30:03 [api_server.py:1896] vLLM API server version 0.10.2\n"
        "INFO 09-30 18:30:03 [utils.py:328] non-default args: {'model': 'Qwen/Qwen2.5-3B', 'gpu_memory_utilization': 0.9, 'max_model_len': 4096}\n"
        "INFO 09-30 18:31:03 [gpu_worker.py:298] Available KV cache memory: 8.99 GiB\n"
        "INFO 09-30 18:31:03 [kv_cache_utils.py:864] GPU KV cache size: 18,400 tokens\n"
        "INFO:     Application startup complete.\n"
        "ERROR 09-30 18:41:03 [core.py:718] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n"; /* a request's */
    char text[4096];
    snprintf(text, sizeof text, "%s%s", refused, started);
    hwl_log *log = read_text(text);
    assert_string_equal(hwl_log_model(log), "Qwen/Qwen2.5-3B");
    assert_string_equal(hwl_log_failure(log), "");
    assert_string_equal(option(log, "gpu-memory-utilization"), "0.9");
    near(figure(log, "kv_cache_tokens"), 18400);
    near(figure(log, "total_bytes"), -1);
    hwl_log_free(log);
    /* the one behind only began: the one before is read, and the command below belongs to neither */
    snprintf(text, sizeof text, "%s%s%s", started, "INFO 09-30 18:50:03 [api_server.py:1896] vLLM API server version 0.10.2\n",
             "I run it with `vllm serve Qwen/Qwen3-8B --max-model-len 1000`\n");
    log = read_text(text);
    assert_string_equal(hwl_log_model(log), "Qwen/Qwen2.5-3B");
    assert_string_equal(option(log, "max-model-len"), "4096");
    near(figure(log, "kv_cache_tokens"), 18400);
    hwl_log_free(log);
}

static void arguments(void **state)
{
    (void)state;
    /* before 0.8 all arguments are printed, defaults too; the driver's names of cards; a version that only a table tells */
    hwl_log *log = read_text("vLLM Version: 0.6.6.post1\nGPU models and configuration:\nGPU 0: NVIDIA A100-SXM4-80GB\nGPU 1: NVIDIA A100-SXM4-80GB\n"
                             "INFO 12-03 [api_server.py:585] args: Namespace(host=None, port=8000, model='Qwen/Qwen2.5-7B-Instruct', dtype='auto', "
                             "max_model_len=8192, swap_space=4, tensor_parallel_size=1, block_size=16, enable_lora=False, quantization=None)\n"
                             "INFO 12-03 [model_runner.py:1099] Loading model weights took 14.2487 GB\n");
    assert_string_equal(hwl_log_version(log), "0.6.6.post1");
    assert_string_equal(option(log, "max-model-len"), "8192");
    assert_string_equal(option(log, "swap-space"), "");
    hwl_devices *devices = NULL;
    assert_int_equal(hwl_log_devices(log, &devices, NULL), HWL_OK);
    assert_int_equal(hwl_devices_gpus(devices), 1);
    assert_non_null(strstr(hwl_devices_get(devices, 0)->name, "A100"));
    hwl_devices_free(devices);
    planned(log, "qwen2.5-7b", "weights_bytes");
    hwl_log_free(log);
    /* a shell's lines, and a file of options with values on lines of their own */
    static const char *const texts[] = {
        "$ vllm serve Qwen/Qwen3-8B \\\n    --tensor-parallel-size 2 \\\n    --max-model-len=4096 # short\nINFO 1 [x.py:1] Model loading took 7.65 GiB and 1 s\n",
        "command:\n  - --model\n  - Qwen/Qwen3-8B\n  - --tensor-parallel-size=2\n  - \"--max-model-len\"\n  - \"4096\"\n  - --enforce-eager\n- name: x\n"
        "INFO 1 [x.py:1] Model loading took 7.65 GiB and 1 s\n",
        "docker run --gpus all -p 8000:8000 vllm/vllm-openai:v0.10.2 --model Qwen/Qwen3-8B -tp 2 --max-model-len 4096\n"
        "INFO 1 [x.py:1] Model loading took 7.65 GiB and 1 s\n",
        "llm = LLM(\n    model=\xe2\x80\x9dQwen/Qwen3-8B\xe2\x80\x9d,\n    tensor_parallel_size=2,\n    max_model_len=4096,\n)\n"
        "INFO 1 [x.py:1] Model loading took 7.65 GiB and 1 s\n",
        "(vLLMHttpServer pid=3)  '--model',\n(vLLMHttpServer pid=3)  'Qwen/Qwen3-8B',\n(vLLMHttpServer pid=3)  '--tensor_parallel_size',\n"
        "(vLLMHttpServer pid=3)  '2',\n(vLLMHttpServer pid=3)  '--max_model_len',\n(vLLMHttpServer pid=3)  '4096',\n"
        "INFO 1 [x.py:1] Model loading took 7.65 GiB and 1 s\n",
        "args: [\"--model\", \"Qwen/Qwen3-8B\", \"--tensor-parallel-size\", \"2\"]\n--max-model-len 4096\n--model Qwen/Qwen3-8B\n--tensor-parallel-size 2\n"
        "INFO 1 [x.py:1] Model loading took 7.65 GiB and 1 s\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        log = read_text(texts[i]);
        assert_string_equal(hwl_log_model(log), "Qwen/Qwen3-8B");
        assert_string_equal(option(log, "tensor-parallel-size"), "2");
        assert_string_equal(option(log, "max-model-len"), "4096");
        hwl_log_free(log);
    }
    /* prose that names the program is no command; what the engine parsed outdoes what a person typed */
    log = read_text("When I run vllm serve with a long context it fails, vllm serve Qwen/Qwen3-4B --max-model-len 9 works.\n"
                    "INFO 1 [utils.py:1] non-default args: {'model': 'Qwen/Qwen3-8B', 'kv_cache_dtype': 'fp8'}\n"
                    "INFO 1 [x.py:1] Model loading took 15.27 GiB and 1 s\n");
    assert_string_equal(hwl_log_model(log), "Qwen/Qwen3-8B");
    assert_string_equal(option(log, "max-model-len"), "");
    hwl_log_free(log);
}

/* What a fragment without its beginning tells: the line of the source that printed it, the sampler, the type of the cache. */
static void fragments(void **state)
{
    (void)state;
    static const struct {
        const char *text, *term;
    } rows[] = {
        /* a build without a number, of a model of windows and full layers: figures of a public log, the lines of 0.22 */
        {"INFO 1 [core.py:1] Initializing a V1 LLM engine (v0.1.dev1+gda1daf40b) with config: model='google/gemma-4-12B-it', dtype=torch.bfloat16, "
         "max_seq_len=8192, kv_cache_dtype=auto\nINFO 1 [utils.py:1] non-default args: {'model': 'google/gemma-4-12B-it', 'max_model_len': 8192, "
         "'max_num_batched_tokens': 4096}\nINFO 1 [gpu_worker.py:470] Available KV cache memory: 69.53 GiB\n"
         "INFO 1 [kv_cache_utils.py:1755] GPU KV cache size: 336,566 tokens\nINFO 1 [kv_cache_utils.py:1756] Maximum concurrency for 8,192 tokens per "
         "request: 41.08x\n", "kv_cache_tokens_exact"},
        /* the same of 0.10.1 on a quarter of an A100, with FlashInfer's sampler */
        {"GPU 0: NVIDIA A100-SXM4-80GB\nINFO 1 [utils.py:326] non-default args: {'model': 'Qwen2-7B-Instruct', 'max_model_len': 16384, "
         "'gpu_memory_utilization': 0.25}\nINFO 1 [topk_topp_sampler.py:50] Using FlashInfer for top-p & top-k sampling.\n"
         "INFO 1 [gpu_model_runner.py:2007] Model loading took 14.2488 GiB and 1.1 seconds\nINFO 1 [gpu_worker.py:276] Available KV cache memory: 5.01 GiB\n",
         "available_kv_bytes"},
        /* a refusal, as public threads quote it: what a request needs, and what fits in the bytes that are there */
        {"vllm serve ./Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8 --gpu-memory-utilization 0.9\n(EngineCore_DP0 pid=1094) ValueError: To serve at least one request "
         "with the models's max seq len (262144), (24.0 GiB KV cache is needed, which is larger than the available KV cache memory (3.18 GiB). Based on the "
         "available memory, the estimated maximum model length is 34736.\n", "kv_needed_bytes"},
        {"vllm serve Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8\nValueError: To serve at least one request with the models's max seq len (262144), (24.0 GiB KV "
         "cache is needed, which is larger than the available KV cache memory (3.18 GiB). Based on the available memory, the estimated maximum model length is "
         "34736.\n", "estimated_max_model_len_exact"},
        /* a checkpoint that asks for an fp8 cache */
        {"INFO 1 [utils.py:1] non-default args: {'model': 'Qwen/Qwen3-8B', 'max_model_len': 16384}\nINFO 1 [core.py:1] Initializing a V1 LLM engine (v0.25.1) "
         "with config: model='Qwen/Qwen3-8B', kv_cache_dtype=auto\nINFO 1 [flashinfer.py:780] FlashInfer resolved query dtypes: prefill=torch.bfloat16, "
         "kv_cache_dtype=torch.float8_e4m3fn, arch=sm121\nINFO 1 [gpu_worker.py:538] Available KV cache memory: 7.03125 GiB\n"
         "INFO 1 [kv_cache_utils.py:2146] GPU KV cache size: 102,400 tokens\n", "kv_cache_tokens_exact"},
    };
    static const char *const models[] = {"gemma-4-12b", "qwen2-7b", "qwen3-coder-30b-a3b", "qwen3-coder-30b-a3b", "qwen3-8b"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_log *log = read_text(rows[i].text);
        planned(log, models[i], rows[i].term);
        hwl_log_free(log);
    }
}

static void variants(void **state)
{
    (void)state;
    /* somebody's variant, and kernels' files that name the card; weights of a public log of 0.13.0 */
    hwl_log *log = read_text("INFO 1 [utils.py:1] non-default args: {'model': 'someone/Someone-gpt-oss-20b-mxfp4-variant-v2', 'max_model_len': 8192}\n"
                             "INFO 1 [core.py:93] Initializing a V1 LLM engine (v0.13.0+nv26.01) with config: model='x', dtype=torch.bfloat16\n"
                             "INFO 1 [model.py:514] Resolved architecture: GptOssForCausalLM\n"
                             "WARNING 1 [fused_moe.py:1] Using default MoE config at configs/E=32,N=2880,device_name=NVIDIA_H100_80GB_HBM3.json\n"
                             "INFO 1 [gpu_model_runner.py:3562] Model loading took 13.7164 GiB memory and 1 seconds\n");
    hwl_devices *devices = NULL;
    assert_int_equal(hwl_log_devices(log, &devices, NULL), HWL_OK);
    assert_non_null(strstr(hwl_devices_get(devices, 0)->name, "H100"));
    hwl_devices_free(devices);
    planned(log, "gpt-oss-20b", "weights_bytes");
    hwl_log_free(log);
    /* another model's name inside one: a distilled model is not its teacher */
    static const char *const others[] = {"someone/deepseek-r1-14b", "someone/Qwen3-8B-Embedding-x"};
    for (size_t i = 0; i < 2; i++) {
        char text[400];
        snprintf(text, sizeof text, "INFO 1 [utils.py:1] non-default args: {'model': '%s'}\nINFO 1 [x.py:1] Model loading took 15.27 GiB and 1 s\n", others[i]);
        log = read_text(text);
        hwl_model *model = NULL;
        hwl_error e = {0};
        assert_int_not_equal(hwl_log_open_model(log, NULL, &model, &e), HWL_OK);
        hwl_log_free(log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wrapped), cmocka_unit_test(coloured),  cmocka_unit_test(notebook),
                                       cmocka_unit_test(restarted), cmocka_unit_test(arguments), cmocka_unit_test(fragments),
                                       cmocka_unit_test(variants)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
