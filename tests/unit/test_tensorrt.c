/* SPDX-License-Identifier: Apache-2.0 */
/* TensorRT-LLM's paged cache against its own start-up lines: tests/data/tensorrt/logs.txt. */
#include "engine/tensorrt/tensorrt.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GIB 1073741824.0

static double key(const char *text, const char *name)
{
    const char *p = strstr(text, name);
    return p ? atof(p + strlen(name)) : -1;
}

static double view(const struct hwl_ledger *ledger, const char *name)
{
    for (uint64_t i = 0; i < ledger->n_views; i++)
        if (strcmp(ledger->views[i].name, name) == 0)
            return (double)ledger->views[i].u64;
    return -1;
}

static void logs(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/tensorrt/logs.txt", "r");
    assert_non_null(f);
    char line[512], name[64], id[64], kv[16], number[16];
    unsigned block, tokens;
    double fraction, left, pool;
    int n = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "log %63s %63s %u %15s %lf %lf %u %lf", name, id, &block, kv, &fraction, &left, &tokens, &pool) != 8)
            continue;
        n++;
        hwl_model *m;
        hwl_settings *s;
        hwl_error e = {0};
        struct hwl_trt_setup u;
        struct hwl_ck ck = {0};
        struct hwl_devices *d = calloc(1, sizeof *d);
        assert_non_null(d);
        d->n_gpus = 1;
        d->gpu[0] = (hwl_device){.memory_bytes = (uint64_t)1 << 40, .free_bytes = (uint64_t)1 << 40,
                                 .backend = HWL_BACKEND_CUDA, .compute_major = 9};
        assert_int_equal(hwl_model_open(id, NULL, &m, &e), HWL_OK);
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        snprintf(number, sizeof number, "%u", block);
        assert_int_equal(hwl_settings_set(s, "block-size", number, &e), HWL_OK);
        assert_int_equal(hwl_settings_set(s, "kv-type", kv, &e), HWL_OK);
        snprintf(number, sizeof number, "%.3f", fraction);
        assert_int_equal(hwl_settings_set(s, "gpu-memory-utilization", number, &e), HWL_OK);
        if (hwl_trt_resolve(m, d, s, "1.2.1", &u, &e) != HWL_OK)
            fail_msg("%s: %s", name, e.message);
        assert_int_equal(tokens % block, 0);
        uint64_t row = 0;
        for (uint32_t i = 0; i < m->n_layers; i++)
            row += hwl_trt_row(&m->layers[i], &u, &ck);
        print_message("%-20s pool %.3f GiB of %u tokens, logged %.2f\n", name, (double)row * tokens / GIB, tokens, pool);
        assert_true(fabs((double)row * tokens / GIB - pool) < 0.0051);
        if (left > 0) {
            const uint64_t low = (uint64_t)((left - 0.015) * GIB), high = (uint64_t)((left + 0.015) * GIB);
            struct hwl_trt_pools least, most;
            assert_int_equal(hwl_trt_pools(m, &u, &low, &least, &ck, &e), HWL_OK);
            assert_int_equal(hwl_trt_pools(m, &u, &high, &most, &ck, &e), HWL_OK);
            assert_true(least.tokens[0] <= tokens && tokens <= most.tokens[0]);
        }
        struct hwl_arena arena = {0};
        struct hwl_ledger ledger = {.arena = &arena};
        void *prepared = NULL;
        assert_int_equal(hwl_engine_tensorrt.prepare(m, "1.2.1", s, &arena, &prepared, &e), HWL_OK);
        assert_int_equal(hwl_engine_tensorrt.plan(m, prepared, "1.2.1", d, s, &ledger, &e), HWL_OK);
        const double weights = key(line, "weights="), activation = key(line, "activation=");
        if (weights > 0) {
            print_message("%-20s weights %.2f, logged %.2f; activation %.2f, logged %.2f\n", name,
                          view(&ledger, "weights_bytes") / GIB, weights, view(&ledger, "peak_activation_bytes") / GIB, activation);
            assert_true(fabs(view(&ledger, "weights_bytes") / GIB / weights - 1) < 0.03);
            assert_true(fabs(view(&ledger, "peak_activation_bytes") / GIB / activation - 1) < 0.1);
        }
        hwl_engine_tensorrt.release(prepared);
        hwl_arena_free(&arena);
        hwl_settings_free(s);
        hwl_model_free(m);
        free(d);
    }
    fclose(f);
    assert_true(n >= 9);
}

/* A plan of a catalogue model on one card of 1 TiB; *l has its entries. */
static hwl_status planned(const char *id, const char *const (*set)[2], struct hwl_arena *arena, struct hwl_ledger *l, hwl_error *e)
{
    hwl_model *m;
    hwl_settings *s;
    void *prepared = NULL;
    struct hwl_devices *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->n_gpus = 4;
    for (int i = 0; i < 4; i++)
        d->gpu[i] = (hwl_device){.memory_bytes = (uint64_t)1 << 41, .free_bytes = (uint64_t)1 << 41,
                                 .backend = HWL_BACKEND_CUDA, .compute_major = 9};
    *l = (struct hwl_ledger){.arena = arena};
    assert_int_equal(hwl_model_open(id, NULL, &m, e), HWL_OK);
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    for (; set && (*set)[0]; set++)
        assert_int_equal(hwl_settings_set(s, (*set)[0], (*set)[1], e), HWL_OK);
    hwl_status st = hwl_engine_tensorrt.prepare(m, "1.2.1", s, arena, &prepared, e);
    if (st == HWL_OK) {
        st = hwl_engine_tensorrt.plan(m, prepared, "1.2.1", d, s, l, e);
        hwl_engine_tensorrt.release(prepared);
    }
    hwl_settings_free(s);
    hwl_model_free(m);
    free(d);
    return st;
}

static uint64_t sum(const struct hwl_ledger *l, hwl_kind kind, int component)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < l->n_entries; i++)
        if (l->entries[i].device == 0 && l->entries[i].kind == kind && (component < 0 || l->entries[i].component == component))
            bytes += l->entries[i].bytes;
    return bytes;
}

#define SET (const char *const[][2])
#define END {NULL, NULL}

/* mamba_cache_manager.py: torch.empty of (layers, max_batch_size, channels, d_conv - 1) and (..., heads, head, state). */
static void recurrent(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_ledger l;
    hwl_error e = {0};
    /* Qwen3-Next: 36 layers of 32 value heads, 128 x 128, and 8,192 channels of 3 columns; bf16 */
    const uint64_t qwen = 36ull * 64 * (32 * 128 * 128 + 8192 * 3) * 2;
    assert_int_equal(planned("qwen3-next-80b-a3b", SET{{"max-seqs", "64"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_RECURRENT_STATE, -1), qwen);
    assert_int_equal(planned("qwen3-next-80b-a3b", SET{{"max-seqs", "64"}, {"tp", "4"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_RECURRENT_STATE, -1), qwen / 4);
    /* fp32 states; two drafted tokens keep three more copies */
    assert_int_equal(planned("qwen3-next-80b-a3b", SET{{"max-seqs", "64"}, {"mamba-ssm-cache-dtype", "float32"}, {"spec-method", "ngram"},
                             {"draft-max", "2"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_RECURRENT_STATE, -1), 36ull * 64 * 4 * (32 * 128 * 128 * 4 + 8192 * 3 * 2));
    /* Falcon-Mamba's kind of state has no manager */
    assert_int_equal(planned("jamba", SET{END}, &arena, &l, &e), HWL_E_REFUSED);
    hwl_arena_free(&arena);
}

/* dsa.py DSACacheManager: FP8 keys of 128 with an fp32 scale beside latent rows of 576. */
static void sparse(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_ledger l;
    hwl_error e = {0};
    assert_int_equal(planned("deepseek-v3.2", SET{{"kv-tokens", "64000"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION), 61ull * 64000 * (576 * 2 + 132));
    assert_int_equal((int)view(&l, "tokens_per_block"), 64);
    assert_int_equal(planned("deepseek-v3.2", SET{{"block-size", "32"}, END}, &arena, &l, &e), HWL_E_REFUSED);
    hwl_arena_free(&arena);
}

static void speculation(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_ledger plain, l;
    hwl_error e = {0};
    assert_int_equal(planned("deepseek-v3", SET{{"tp", "4"}, {"kv-tokens", "32000"}, END}, &arena, &plain, &e), HWL_OK);
    assert_int_equal(planned("deepseek-v3", SET{{"tp", "4"}, {"kv-tokens", "32000"}, {"spec-method", "mtp"}, {"draft-max", "3"}, END},
                             &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT), 3ull * 32000 * 576 * 2);
    assert_true(sum(&l, HWL_KIND_WEIGHTS, -1) > sum(&plain, HWL_KIND_WEIGHTS, -1));
    assert_int_equal(planned("llama-3.1-8b", SET{{"kv-tokens", "32000"}, {"draft", "llama-3.2-1b"}, {"draft-max", "4"}, END}, &arena, &l, &e),
                     HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT), 16ull * 32000 * 2 * 8 * 64 * 2);
    const double draft = (double)sum(&l, HWL_KIND_WEIGHTS, HWL_COMP_DRAFT), real = 1235814400.0 * 2 + 131072.0 * 64 * 4;
    assert_true(fabs(draft / real - 1) < 0.002); /* its weights and angles, the allocator's rests beside them */
    assert_int_equal(planned("llama-3.1-8b", SET{{"kv-tokens", "32000"}, {"spec-method", "eagle3"}, {"draft-max", "3"}, END}, &arena, &l, &e),
                     HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT), 32000ull * 2 * 8 * 128 * 2);
    struct hwl_trt_setup u = {.rules = &(struct hwl_trt_rules){.version = "1.0.0", .mtp_ahead = true}};
    hwl_model *m;
    hwl_settings *s;
    assert_int_equal(hwl_model_open("deepseek-v3", NULL, &m, &e), HWL_OK);
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_set(s, "spec-method", "mtp", &e), HWL_OK);
    assert_int_equal(hwl_settings_set(s, "draft-max", "3", &e), HWL_OK);
    assert_int_equal(hwl_trt_speculation(m, NULL, s, &u, &e), HWL_OK);
    assert_int_equal(u.extra_tokens, 5);
    u.rules = &(struct hwl_trt_rules){.version = "1.2.1"};
    assert_int_equal(hwl_trt_speculation(m, NULL, s, &u, &e), HWL_OK);
    assert_int_equal(u.extra_tokens, 3);
    assert_string_equal(hwl_engine_tensorrt.version("1.0"), "1.0.0");
    assert_string_equal(hwl_engine_tensorrt.version("1.2"), "1.2.1");
    assert_null(hwl_engine_tensorrt.version("0.21"));
    hwl_settings_free(s);
    hwl_model_free(m);
    assert_int_equal(planned("llama-3.1-8b", SET{{"spec-method", "mtp"}, END}, &arena, &l, &e), HWL_E_REFUSED);
    assert_int_equal(planned("llama-3.1-8b", SET{{"spec-method", "eagle3"}, END}, &arena, &l, &e), HWL_E_REFUSED);
    assert_int_equal(planned("llama-3.1-8b", SET{{"enable-lora", "true"}, {"max-lora-rank", "16"}, END}, &arena, &l, &e), HWL_OK);
    assert_true(sum(&l, HWL_KIND_WEIGHTS, HWL_COMP_LORA) > 0);
    hwl_arena_free(&arena);
}

static void options(void **state)
{
    (void)state;
    static const char *const argv[] = {"--tp_size", "2", "--ep_size=2", "--kv_cache_free_gpu_memory_fraction", "0.8",
                                       "--extra_llm_api_options", "x.yaml", "--host", "::"};
    hwl_settings *s;
    hwl_error e = {0};
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_engine_args(s, "trtllm", sizeof argv / sizeof *argv, argv, &e), HWL_OK);
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_TP, 1), 2);
    assert_true(hwl_opt_flag(s, HWL_OPT_EP, false));
    assert_int_equal(s->n_unmodelled, 1);
    static const char *const engine[] = {"--backend", "tensorrt"};
    assert_int_equal(hwl_settings_engine_args(s, "tensorrt-llm", 2, engine, &e), HWL_E_UNSUPPORTED);
    hwl_settings_free(s);
}

/* Fields of the YAML file that move memory become settings; unknown ones are listed, those that move none too. */
static void yaml(void **state)
{
    (void)state;
    static const char text[] = "# a server\nkv_cache_config:\n  free_gpu_memory_fraction: 0.75  # less\n  dtype: 'fp8'\n"
                               "  enable_block_reuse: false\n  host_cache_size: 1000000\n  tokens_per_block: 64\n"
                               "speculative_config:\n  decoding_type: MTP\n  num_nextn_predict_layers: 3\n"
                               "cuda_graph_config: null\nenable_attention_dp: true\nmoe_expert_parallel_size: 4\n"
                               "lora_config:\n  max_lora_rank: 32\nnever_heard: 1\n";
    char path[] = "/tmp/hwl_trt_XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, sizeof text - 1, f), sizeof text - 1);
    fclose(f);
    const char *const argv[] = {"--config", path};
    hwl_settings *s;
    hwl_error e = {0};
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    if (hwl_settings_engine_args(s, "tensorrt-llm", 2, argv, &e) != HWL_OK)
        fail_msg("%s", e.message);
    assert_true(fabs(hwl_opt_real(s, HWL_OPT_GPU_MEMORY_UTILIZATION, 0) - 0.75) < 1e-9);
    assert_string_equal(hwl_opt_text(s, HWL_OPT_KV_TYPE, ""), "fp8");
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_BLOCK_SIZE, 0), 64);
    assert_string_equal(hwl_opt_text(s, HWL_OPT_SPEC_METHOD, ""), "mtp");
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_DRAFT_MAX, 0), 3);
    assert_true(hwl_opt_flag(s, HWL_OPT_ENFORCE_EAGER, false));
    assert_true(hwl_opt_flag(s, HWL_OPT_DP_ATTENTION, false));
    assert_true(hwl_opt_flag(s, HWL_OPT_EP, false));
    assert_true(hwl_opt_flag(s, HWL_OPT_ENABLE_LORA, false));
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_MAX_LORA_RANK, 0), 32);
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_HOST_CACHE, 0), 1000000);
    assert_int_equal(s->n_unmodelled, 1); /* never_heard */
    assert_int_equal(s->n_ignored, 1);
    hwl_settings_free(s);
    remove(path);
}

static hwl_settings *with_file(const char *text, const char *version, int argc, const char *const *before)
{
    char path[] = "/tmp/hwl_trt_XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
    const char *argv[12] = {"--config", path};
    for (int i = 0; i < argc; i++)
        argv[2 + i] = before[i];
    hwl_settings *s;
    hwl_error e = {0};
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_set(s, "engine-version", version, &e), HWL_OK);
    if (hwl_settings_engine_args(s, "tensorrt-llm", 2 + argc, argv, &e) != HWL_OK)
        fail_msg("%s", e.message);
    remove(path);
    return s;
}

/* update_llm_args_with_extra_dict: the file wins over the command line, wherever it stands; in 1.0 its kv_cache_config replaces the
 * fraction too. Lists and sections of both forms. */
static void precedence(void **state)
{
    (void)state;
    static const char *const given[] = {"--max_batch_size", "16", "--free_gpu_memory_fraction", "0.5", "--max_num_tokens", "1000"};
    static const char text[] = "max_batch_size: 96\nkv_cache_config: {dtype: fp8, max_attention_window: [128, 4096]}\n"
                               "cuda_graph_config:\n  enable_padding: true\n  batch_sizes:\n  - 1\n  - 8 # a few\n  - 96\n"
                               "max_beam_width: 1\nmoe_config:\n  backend: CUTLASS\nlora_config: null\n";
    hwl_settings *s = with_file(text, "1.2.1", 6, given);
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_MAX_SEQS, 0), 96);
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_MAX_BATCHED_TOKENS, 0), 1000);
    assert_true(fabs(hwl_opt_real(s, HWL_OPT_GPU_MEMORY_UTILIZATION, 0) - 0.5) < 1e-9);
    assert_string_equal(hwl_opt_text(s, HWL_OPT_KV_TYPE, ""), "fp8");
    assert_string_equal(hwl_opt_text(s, HWL_OPT_MAX_ATTENTION_WINDOW, ""), "128, 4096");
    assert_string_equal(hwl_opt_text(s, HWL_OPT_CUDAGRAPH_SIZES, ""), "1,8,96");
    assert_true(hwl_opt_flag(s, HWL_OPT_CUDAGRAPH_PADDING, false));
    assert_false(hwl_opt_flag(s, HWL_OPT_ENABLE_LORA, false));
    assert_int_equal(s->n_unmodelled, 1); /* moe_config.backend */
    hwl_settings_free(s);
    s = with_file(text, "1.0.0", 6, given);
    assert_true(fabs(hwl_opt_real(s, HWL_OPT_GPU_MEMORY_UTILIZATION, 0) - 0.9) < 1e-9);
    hwl_settings_free(s);
    s = with_file("max_batch_size: 96\n", "1.0.0", 6, given);
    assert_true(fabs(hwl_opt_real(s, HWL_OPT_GPU_MEMORY_UTILIZATION, 0) - 0.5) < 1e-9);
    hwl_settings_free(s);
}

/* llm_args.py CudaGraphConfig and model_engine.py, worked by hand. */
static void graphs(void **state)
{
    (void)state;
    static const struct {
        const char *largest, *sizes, *padding;
        uint64_t batch, tokens, draft, n;
    } rows[] = {{"", "", "false", 2048, 8192, 0, 34},  /* 1 to 32, 64, 128 */
                {"", "", "true", 2048, 8192, 0, 19},   /* 1, 2, 4, 8 to 128 */
                {"", "", "true", 64, 8192, 0, 11},     /* a start-up of 2025-12-20 says 11 */
                {"", "", "true", 60, 8192, 0, 11},     /* 1, 2, 4, 8 to 56, and the batch itself */
                {"", "", "false", 60, 8192, 0, 32},
                {"512", "", "false", 2048, 8192, 0, 36}, /* 256 and the largest */
                {"300", "", "false", 2048, 8192, 0, 36},
                {"", "", "false", 2048, 128, 3, 32},   /* four tokens of each */
                {"", "1,8,96", "true", 64, 8192, 0, 3},
                {"", "1,8,96", "false", 64, 8192, 0, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_settings *s;
        hwl_error e = {0};
        const struct hwl_trt_setup u = {.max_batch = rows[i].batch, .max_tokens = rows[i].tokens, .draft_tokens = rows[i].draft};
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        if (*rows[i].largest)
            assert_int_equal(hwl_settings_set(s, "max-cudagraph-size", rows[i].largest, &e), HWL_OK);
        if (*rows[i].sizes)
            assert_int_equal(hwl_settings_set(s, "cudagraph-sizes", rows[i].sizes, &e), HWL_OK);
        assert_int_equal(hwl_settings_set(s, "cudagraph-padding", rows[i].padding, &e), HWL_OK);
        assert_int_equal(hwl_trt_graphs(s, &u), rows[i].n);
        assert_int_equal(hwl_settings_set(s, "enforce-eager", "true", &e), HWL_OK);
        assert_int_equal(hwl_trt_graphs(s, &u), 0);
        hwl_settings_free(s);
    }
}

/* Windows of two sizes: kvCacheManager.cpp gives each a share by window and bytes, and max_tokens bounds both. Host blocks. */
static void windows(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_ledger plain, l;
    hwl_error e = {0};
    /* gpt-oss-120b: 36 layers of 2,048 B a token, every other one with a window of 128 */
    assert_int_equal(planned("gpt-oss-120b", SET{{"kv-tokens", "100000"}, {"ctx", "32767"}, END}, &arena, &plain, &e), HWL_OK);
    assert_int_equal(sum(&plain, HWL_KIND_KV_CACHE, -1), 36ull * 100000 * 2048);
    assert_int_equal(plain.kv_bytes_per_token, 36 * 2048);
    assert_int_equal(planned("gpt-oss-120b", SET{{"kv-tokens", "100000"}, {"ctx", "32767"}, {"max-attention-window", "128,32768"}, END}, &arena,
                             &l, &e), HWL_OK);
    /* the small windows' share is 128 / (128 + 32,768) of 100,000 x 36 x 2,048 B, in rows of 18 x 2,048 B: 778.2 tokens */
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, -1), 18ull * 2048 * (800 + 100000));
    assert_int_equal(l.kv_bytes_per_token, 18 * 2048);
    assert_int_equal((int)view(&l, "max_tokens"), 100000);
    /* six requests of 4,096 want 6 x 128 of the small pool, seven more than it has */
    assert_int_equal(planned("gpt-oss-120b", SET{{"kv-tokens", "100000"}, {"ctx", "4096"}, {"concurrency", "24"}, END}, &arena, &l, &e), HWL_OK);
    assert_false(l.exceeds);
    assert_int_equal(planned("gpt-oss-120b", SET{{"kv-tokens", "100000"}, {"ctx", "32767"}, {"concurrency", "3"}, {"max-attention-window", "128,32768"},
                             END}, &arena, &l, &e), HWL_OK);
    assert_false(l.exceeds);
    assert_int_equal(planned("gpt-oss-120b", SET{{"kv-tokens", "100000"}, {"ctx", "4096"}, {"concurrency", "24"}, {"max-attention-window", "128,4096"},
                             END}, &arena, &l, &e), HWL_OK); /* share 128 / 4,224: 6,060 tokens, 47 requests */
    assert_false(l.exceeds);
    assert_int_equal(planned("deepseek-v3", SET{{"max-attention-window", "128,4096"}, END}, &arena, &l, &e), HWL_E_REFUSED);
    assert_int_equal(planned("gpt-oss-120b", SET{{"max-attention-window", "128,x"}, END}, &arena, &l, &e), HWL_E_USAGE);
    /* one window: the pool stays what it is, a request takes less of it */
    assert_int_equal(planned("llama-3.1-8b", SET{{"kv-tokens", "32000"}, {"ctx", "16000"}, {"concurrency", "30"}, {"max-attention-window", "1024"}, END},
                             &arena, &l, &e), HWL_OK);
    assert_false(l.exceeds);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, -1), 32000ull * 131072);
    /* 10^9 B hold 7,629 tokens of 131,072 B: 238 blocks of 32 */
    assert_int_equal(planned("llama-3.1-8b", SET{{"kv-tokens", "32000"}, {"host-cache", "1000000000"}, END}, &arena, &l, &e), HWL_OK);
    uint64_t host = 0;
    for (uint64_t i = 0; i < l.n_entries; i++)
        host += l.entries[i].device == 4 && l.entries[i].memory == HWL_MEMORY_PINNED ? l.entries[i].bytes : 0;
    assert_int_equal(host, 238ull * 32 * 131072);
    assert_int_equal((int)view(&l, "secondary_blocks"), 238);
    /* max_gpu_total_bytes comes behind max_tokens: it bounds the pools of windows alone */
    assert_int_equal(planned("llama-3.1-8b", SET{{"kv-tokens", "32000"}, {"kv-cache-memory", "1GiB"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_KV_CACHE, -1), 32000ull * 131072);
    assert_int_equal(planned("gpt-oss-120b", SET{{"kv-cache-memory", "1GiB"}, {"ctx", "32767"}, {"max-attention-window", "128,32768"}, END}, &arena,
                             &l, &e), HWL_OK);
    assert_true(sum(&l, HWL_KIND_KV_CACHE, -1) < 1200000000);
    hwl_arena_free(&arena);
}

/* peftCacheManager.cpp: slots as wide as the narrowest module, as many as the widest one wants. */
static void adapters(void **state)
{
    (void)state;
    struct hwl_arena arena = {0};
    struct hwl_ledger l;
    hwl_error e = {0};
    /* Llama-3.1-8B: q and dense 8,192, k and v 5,120, feed-forward 18,432; four slots for the widest */
    const uint64_t slots = 16ull * 32 * 7 * 2 * 4, page = 32ull * 8 * (2 + 1 + 1 + 2 + 3 * 4);
    assert_int_equal(planned("llama-3.1-8b", SET{{"lora", "16x2"}, END}, &arena, &l, &e), HWL_OK);
    assert_int_equal(sum(&l, HWL_KIND_WEIGHTS, HWL_COMP_LORA), (slots + page - 1) / page * page * 5120 * 2);
    /* without max_loras two hundredths of what is free: nearly 2 TiB less the rest */
    assert_int_equal(planned("llama-3.1-8b", SET{{"enable-lora", "true"}, END}, &arena, &l, &e), HWL_OK);
    const double share = (double)sum(&l, HWL_KIND_WEIGHTS, HWL_COMP_LORA) / (double)((uint64_t)1 << 41);
    assert_true(share > 0.019 && share < 0.0201);
    hwl_arena_free(&arena);
}

/* Files that are no such YAML: every one is read to its end, or refused with a message. */
static void hostile(void **state)
{
    (void)state;
    static const char alphabet[] = "kv_cache_config:\n  - '\"#{}[]dtype: fp8\t\r\n:::max_draft_len: -1 ~";
    uint32_t seed = 1;
    for (int round = 0; round < 200; round++) {
        char path[] = "/tmp/hwl_trt_XXXXXX", text[700];
        const int fd = mkstemp(path);
        assert_true(fd >= 0);
        FILE *f = fdopen(fd, "w");
        assert_non_null(f);
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = round == 0 ? 'a' : round == 1 ? (char)(seed >> 24) : alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        assert_int_equal(fwrite(text, 1, sizeof text, f), sizeof text);
        fclose(f);
        const char *const argv[] = {"--config", path};
        hwl_settings *s;
        hwl_error e = {0};
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        const hwl_status st = hwl_settings_engine_args(s, "tensorrt-llm", 2, argv, &e);
        assert_true(st == HWL_OK || *e.message);
        hwl_settings_free(s);
        remove(path);
    }
}

/* commands/serve.py: every option is known. */
static void known(void **state)
{
    (void)state;
    static const char *const all[] = {
        "tokenizer", "custom_tokenizer", "host", "port", "log_level", "backend", "max_beam_width", "max_batch_size", "max_num_tokens",
        "max_seq_len", "tensor_parallel_size", "tp_size", "pipeline_parallel_size", "pp_size", "context_parallel_size", "cp_size",
        "moe_expert_parallel_size", "ep_size", "moe_cluster_parallel_size", "cluster_size", "gpus_per_node", "free_gpu_memory_fraction",
        "kv_cache_free_gpu_memory_fraction", "num_postprocess_workers", "revision", "config", "extra_llm_api_options", "reasoning_parser",
        "tool_parser", "metadata_server_config_file", "server_role", "otlp_traces_endpoint", "disagg_cluster_uri", "media_io_kwargs",
        "custom_module_dirs", "chat_template"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char name[80];
        snprintf(name, sizeof name, "--%s", all[i]);
        const char *const argv[] = {name, strcmp(all[i], "backend") == 0 ? "pytorch" : strstr(all[i], "fraction") ? "0.5" : "1"};
        hwl_settings *s;
        hwl_error e = {0};
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        if (hwl_settings_engine_args(s, "tensorrt-llm", 2, argv, &e) != HWL_OK)
            fail_msg("%s: %s", name, e.message);
        hwl_settings_free(s);
    }
    static const char *const flags[] = {"--trust_remote_code", "--enable_chunked_prefill", "--fail_fast_on_attention_window_too_large"};
    static const char *const wrong[] = {"--gpu_memory_utilization", "0.5"};
    hwl_settings *s;
    hwl_error e = {0};
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_engine_args(s, "tensorrt-llm", 3, flags, &e), HWL_OK);
    assert_int_equal(hwl_settings_engine_args(s, "tensorrt-llm", 2, wrong, &e), HWL_E_USAGE);
    hwl_settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(logs), cmocka_unit_test(options), cmocka_unit_test(recurrent),
                                       cmocka_unit_test(sparse), cmocka_unit_test(speculation), cmocka_unit_test(yaml), cmocka_unit_test(precedence), cmocka_unit_test(graphs), cmocka_unit_test(windows), cmocka_unit_test(adapters), cmocka_unit_test(hostile), cmocka_unit_test(known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
