/* SPDX-License-Identifier: Apache-2.0 */
/* The questions that vLLM is asked most, from catalogue names: verdict, tokens and weights with figures worked out by hand
 * or logged, every byte explained, and a command line that reproduces the plan. */
#include <hwledger/hwledger.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define GIB 1073741824.0

static const struct scenario {
    const char *model, *gpu, *args, *version;
    bool starts;
    uint64_t per_token; /* bytes of the cache on one rank */
    uint32_t ranks;
    double weights_gib;   /* on a rank, within 0.5 % */
    double tokens, slack; /* fraction; 0 tokens: not checked */
} scenarios[] = {
    /* 61 latent rows of 576 x 2 B, on each rank whole. 671.03e9 weights, 1 B each but for 1.9e9 of embedding, head and
     * norms at 2 B; experts, attention and vocabulary over 8 ranks; W_UK and W_UV once more in 16 bits. */
    {"deepseek-v3", "H200x8", "-tp 8", "0.33.0", true, 61 * 576 * 2, 8, 79.55, 0, 0},
    /* logged: 41.60 GiB -> 635,648 tokens in blocks of 64 */
    {"deepseek-v3", "H200x8", "-tp 8 --block-size 64 --kv-cache-memory-bytes 44670000000", "0.33.0", true, 61 * 576 * 2, 8, 79.55, 635648,
     0},
    /* (405,853,388,800 - 4,202,692,608 - 4,145,152) / 8 weights of 1 B, 4,202,692,608 / 8 of 2 B, one scale a row, and
     * 32 MiB of cosines: 47.77 GiB; 1 of 8 heads on each rank: 126 x 128 x 2 x 2 B */
    {"llama-3.1-405b", "H100-80GBx8", "-tp 8 -q fp8", "0.33.0", true, 126 * 128 * 2 * 2, 8, 47.77, 0, 0},
    /* as Meta published it, attention in 16 bits. Logged in July 2024 (vllm-project/vllm issue 6746): 57.752 GiB a rank, with the
     * 16 heads of that day's configuration: 126 x 2 x 16,384 x 1,024 x 2 B / 8 more than with 8 */
    {"llama-3.1-405b-fp8", "H100-80GBx8", "-tp 8 --max-model-len 32768", "0.33.0", true, 126 * 128 * 2 * 2, 8, 56.767, 0, 0},
    /* 4 heads over 4 ranks: 94 x 128 x 2 x 2 B; 235.09e9 weights, 1.24e9 of them of 2 B: 55.1 GiB a rank */
    {"qwen3-235b-a22b-fp8", "H100-80GBx4", "-tp 4", "0.33.0", true, 94 * 128 * 2 * 2, 4, 55.1, 0, 0},
    /* logged by 0.10.1: 65.97 GiB loaded, nothing left (-2.14 GiB): refused */
    {"gpt-oss-120b", "H100-80GB", "", "0.11.2", false, 36 * 8 * 64 * 2 * 2 / 2, 1, 65.97, 0, 0},
    /* logged by 0.11: 1.71 GiB are left at 0.95 with 1024 tokens a step; 131,072 tokens need more: refused */
    {"gpt-oss-120b", "H100-80GB", "--gpu-memory-utilization 0.95 --max-num-batched-tokens 1024", "0.11.2", false, 36 * 8 * 64 * 2 * 2 / 2,
     1, 65.97, 0, 0},
    /* 106.9e9 weights of 2 B are 99.6 GiB on each of two cards of 79.2 GiB */
    {"glm-4.5-air", "H100-80GBx2", "-tp 2", "0.33.0", false, 46 * 4 * 128 * 2 * 2, 2, 99.6, 0, 0},
    /* 46 x 109.05e6 of attention, 45 x 129 x 17.3e6 of experts, one dense layer of 134.5e6: 105.59e9 x 1 B over 2; 151,552
     * words twice over 2; routers whole: 54.08e9 B */
    {"glm-4.5-air", "H100-80GBx2", "-tp 2 -q fp8", "0.33.0", true, 46 * 4 * 128 * 2 * 2, 2, 50.37, 0, 0},
    /* 70,553,706,496 x 2 B over 2, and 32 MiB of cosines: 65.74 GiB; of 72.9 GiB too little is left for 131,072 tokens */
    {"llama-3.3-70b", "A100-80GBx2", "-tp 2", "0.33.0", false, 80 * 4 * 128 * 2 * 2, 2, 65.74, 0, 0},
    /* a draft of 16 layers with 8 heads of 64: 1,235,814,400 x 2 B over 4, its own 16 MiB of cosines; 80 and 16 layers in
     * one group whose pages differ: 80 x 2 x 128 x 4 and 16 x 2 x 64 x 4 B */
    {"llama-3.3-70b", "H100-80GBx4", "-tp 4 --spec-model llama-3.2-1b", "0.33.0", true, 90112, 4,
     (70553706496. / 2 + 33554432 + 1235814400. / 2 + 16777216) / GIB, 0, 0},
    /* V0, whose options have no form with no- */
    {"llama-3.1-8b", "RTX4090", "--max-model-len 8192", "0.7.3", true, 32 * 8 * 128 * 2 * 2, 1, 14.99, 0, 0},
    /* a release before --kv-cache-memory-bytes, whose line pins blocks: 8,030,261,248 x 2 B and 2 x 16 MiB of cosines */
    {"llama-3.1-8b", "RTX4090", "--max-model-len 8192", "0.8.5", true, 32 * 8 * 128 * 2 * 2, 1, 14.99, 0, 0},
    /* 5.5 GiB / 163,840 B a token */
    {"llama-3.3-70b", "A100-80GBx2", "-tp 2 --max-model-len 16384", "0.33.0", true, 80 * 4 * 128 * 2 * 2, 2, 65.74, 35900, 0.03},
};

/* A number of the document: the first member of that name. */
static double number(const char *json, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(json, key);
    return at ? strtod(at + strlen(key), NULL) : NAN;
}

static bool holds(const char *json, const char *text)
{
    return strstr(json, text) != NULL;
}

/* Splits a command line as a shell does, in place: words and single quotes. */
static int split(char *line, const char **argv, int most)
{
    int n = 0;
    for (char *p = line; *p && n < most;) {
        while (*p == ' ')
            p++;
        if (!*p)
            break;
        char *out = p;
        argv[n++] = out;
        bool quoted = false;
        for (; *p && (quoted || *p != ' '); p++) {
            if (*p == '\'')
                quoted = !quoted;
            else
                *out++ = *p;
        }
        p += *p == ' ';
        *out = 0;
    }
    return n;
}

static hwl_model *opened[64]; /* plans point into them */
static uint32_t n_opened;

static hwl_plan *plan(const struct scenario *s, const char *args)
{
    hwl_error e = {0};
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner;
    hwl_plan *p;
    char line[4096];
    const char *argv[128];
    snprintf(line, sizeof line, "%s", args);
    const int argc = split(line, argv, 128);
    if (hwl_model_open(s->model, NULL, &model, &e) != HWL_OK)
        fail_msg("%s", e.message);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, s->gpu, &e), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine", "vllm", &e), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine-version", s->version, &e), HWL_OK);
    if (hwl_settings_engine_args(settings, "vllm", argc, argv, &e) != HWL_OK)
        fail_msg("%s: %s", args, e.message);
    assert_int_equal(hwl_planner_new(model, devices, settings, &planner, &e), HWL_OK);
    if (hwl_planner_plan(planner, devices, settings, &p, &e) != HWL_OK)
        fail_msg("%s %s: %s", s->model, args, e.message);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    assert_true(n_opened < 64);
    opened[n_opened++] = model;
    return p;
}

static void explained(const hwl_plan *p)
{
    char text[512];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < hwl_plan_n_entries(p); i++) {
        const hwl_entry *e = hwl_plan_entry(p, i);
        assert_non_null(e->source);
        hwl_entry_explain(e, text, sizeof text);
        assert_non_null(strstr(text, " B"));
        assert_null(strchr(text, '{')); /* every factor is filled in */
        sum += e->device == 0 ? e->bytes : 0;
    }
    assert_int_equal(sum, hwl_plan_get_device(p, 0)->used_bytes);
}

static void catalogue_scenarios(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        const struct scenario *s = &scenarios[i];
        hwl_error e = {0};
        char *json, *command, *again;
        uint64_t n;
        hwl_plan *p = plan(s, s->args);
        assert_int_equal(hwl_plan_json(p, NULL, &json, &n, &e), HWL_OK);
        if (holds(json, "\"kv_fits_one_request\": true") != s->starts || (hwl_plan_verdict(p) == HWL_VERDICT_EXCEEDS) == s->starts)
            fail_msg("%s on %s %s: starts is %d", s->model, s->gpu, s->args, !s->starts);
        const double view = number(strstr(json, "engine_view"), "weights_bytes") / GIB;
        if (fabs(view / s->weights_gib - 1) > 0.005)
            fail_msg("%s on %s: %.2f GiB a rank, not %.2f", s->model, s->gpu, view, s->weights_gib);
        assert_int_equal(hwl_plan_kv_bytes_per_token(p), s->per_token * s->ranks);
        const double tokens = number(json, "kv_cache_tokens");
        if (s->tokens > 0 && fabs(tokens / s->tokens - 1) > s->slack + 1e-9)
            fail_msg("%s on %s %s: %.0f tokens, not %.0f", s->model, s->gpu, s->args, tokens, s->tokens);
        explained(p);
        /* the command line alone leads to the same cache */
        assert_int_equal(hwl_plan_command(p, &command, &e), HWL_OK);
        assert_int_equal(strncmp(command, "vllm serve ", 11), 0);
        assert_int_equal(strstr(command, " --no-enforce-eager") != NULL, strcmp(s->version, "0.7.3") != 0);
        if (strcmp(s->version, "0.8.5") == 0) {
            assert_non_null(strstr(command, " --num-gpu-blocks-override "));
            assert_null(strstr(command, "kv-cache-memory"));
        }
        const char *options = strstr(command, " --");
        assert_non_null(options);
        if (s->starts) {
            hwl_plan *q = plan(s, options);
            assert_int_equal(hwl_plan_json(q, NULL, &again, &n, &e), HWL_OK);
            assert_true(holds(again, "\"basis\": \"exact\""));
            assert_true(fabs(number(again, "kv_cache_tokens") - tokens) < 0.5);
            assert_true(fabs(number(again, "num_gpu_blocks") - number(json, "num_gpu_blocks")) < 0.5);
            hwl_text_free(again);
            hwl_plan_free(q);
        }
        hwl_text_free(command);
        hwl_text_free(json);
        hwl_plan_free(p);
    }
    while (n_opened)
        hwl_model_free(opened[--n_opened]);
}

/* The line that a plan prints leads to the same plan, whatever it was asked for. */
static void command_reproduces(void **state)
{
    (void)state;
    static const char *const versions[] = {"0.33.0", "0.29.0", "0.19.0", "0.11.2"};
    static const struct {
        const char *model, *gpu, *args;
    } grid[] = {
        {"llama-3.1-8b", "H100-80GB", ""},
        {"llama-3.1-8b", "RTX 4090", "--max-model-len 8192 --max-num-seqs 64 --max-num-batched-tokens 4096"},
        {"llama-3.1-8b", "H100-80GBx2", "-tp 2 --kv-cache-dtype fp8 --block-size 32 --gpu-memory-utilization 0.8"},
        {"llama-3.1-8b", "H100-80GBx2", "-pp 2 --max-model-len 16384"},
        {"llama-3.1-8b", "H100-80GBx2", "-dp 2 --max-model-len 16384"},
        {"llama-3.1-8b", "H100-80GB", "-q fp8 --enforce-eager --no-enable-prefix-caching"},
        {"llama-3.1-8b", "H100-80GB", "--enable-lora --max-loras 2 --max-lora-rank 32 --max-model-len 8192"},
        {"llama-3.1-8b", "H100-80GB", "--num-gpu-blocks-override 3000 --max-model-len 4096"},
        {"llama-3.1-8b", "H100-80GB", "--cpu-offload-gb 4 --max-cudagraph-capture-size 64"},
        {"llama-3.1-8b", "H100-80GB", "--dtype float16 --max-model-len 8192"},
        {"qwen3-30b-a3b", "H100-80GBx2", "-tp 2 --enable-expert-parallel --max-model-len 32768"},
        {"qwen3-30b-a3b", "H100-80GBx2", "-tp 2 -ep --eplb-config {\"num_redundant_experts\":16} --max-model-len 32768"},
        {"gemma-3-12b", "H100-80GB", "--max-model-len 32768"},
        {"gemma-3-12b", "H100-80GB", "--max-model-len 32768 --disable-hybrid-kv-cache-manager"},
        {"gemma-3-12b", "H100-80GB", "--max-model-len 32768 --language-model-only --no-async-scheduling"},
        {"qwen3-next-80b-a3b", "H200x2", "-tp 2 --max-model-len 65536"},
        {"qwen3-next-80b-a3b", "H200x2", "-tp 2 --max-model-len 65536 --enable-prefix-caching --mamba-ssm-cache-dtype float32"},
        {"deepseek-v2-lite", "H100-80GB", "--max-model-len 32768"},
        {"deepseek-v2-lite", "H100-80GBx2", "-tp 2 -dcp 2 --max-model-len 32768"},
        {"deepseek-v3", "H200x8", "-tp 8 --speculative-config {\"method\":\"mtp\",\"num_speculative_tokens\":1} --max-model-len 32768"},
        {"llama-3.1-8b", "H100-80GB", "--max-model-len -1"},
    };
    for (size_t v = 0; v < sizeof versions / sizeof *versions; v++)
        for (size_t i = 0; i < sizeof grid / sizeof *grid; i++) {
            const struct scenario s = {.model = grid[i].model, .gpu = grid[i].gpu, .version = versions[v]};
            if (v > 2 && (strstr(grid[i].args, "language-model-only") || strstr(grid[i].args, " -ep ") || strstr(grid[i].args, "len -1")))
                continue; /* an option of later releases */
            hwl_error e = {0};
            char *json[2], *command[2];
            uint64_t n;
            hwl_plan *p = plan(&s, grid[i].args);
            assert_int_equal(hwl_plan_command(p, &command[0], &e), HWL_OK);
            assert_int_equal(hwl_plan_json(p, NULL, &json[0], &n, &e), HWL_OK);
            hwl_plan *q = plan(&s, strstr(command[0], " --"));
            assert_int_equal(hwl_plan_command(q, &command[1], &e), HWL_OK);
            assert_int_equal(hwl_plan_json(q, NULL, &json[1], &n, &e), HWL_OK);
            static const char *const figures[] = {"num_gpu_blocks", "block_size", "kv_cache_tokens", "max_concurrency", "max_model_len",
                                                  "weights_bytes", "peak_activation_bytes", "graph_bytes", "max_seqs", "max_batched_tokens"};
            for (size_t k = 0; k < sizeof figures / sizeof *figures; k++)
                if (fabs(number(json[0], figures[k]) - number(json[1], figures[k])) > 1e-9)
                    fail_msg("%s %s %s: %s %f, by its line %f: %s", s.version, s.model, grid[i].args, figures[k], number(json[0], figures[k]),
                             number(json[1], figures[k]), command[0]);
            for (int k = 0; k < 2; k++) {
                hwl_text_free(command[k]);
                hwl_text_free(json[k]);
            }
            hwl_plan_free(p);
            hwl_plan_free(q);
            while (n_opened)
                hwl_model_free(opened[--n_opened]);
        }
}

/* A draft by the id of a repository in the local cache. */
static void draft_of_the_cache(void **state)
{
    (void)state;
    static const char config[] =
        "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"hidden_size\":2048,\"intermediate_size\":8192,"
        "\"num_hidden_layers\":4,\"num_attention_heads\":32,\"num_key_value_heads\":8,\"head_dim\":64,\"vocab_size\":128256,"
        "\"max_position_embeddings\":131072,\"tie_word_embeddings\":true,\"torch_dtype\":\"bfloat16\"}";
    char hub[] = "/tmp/hwl-hub-XXXXXX", path[256];
    assert_non_null(mkdtemp(hub));
    static const char *const folders[] = {"", "/models--someone--small-draft", "/models--someone--small-draft/refs",
                                          "/models--someone--small-draft/snapshots", "/models--someone--small-draft/snapshots/abc"};
    for (size_t i = 1; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s%s", hub, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    static const char *const files[][2] = {{"/models--someone--small-draft/refs/main", "abc"},
                                           {"/models--someone--small-draft/snapshots/abc/config.json", config}};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s%s", hub, files[i][0]);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(files[i][1], f);
        fclose(f);
    }
    hwl_error e = {0};
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings, *copy;
    hwl_planner *planner;
    hwl_plan *p;
    const char *argv[] = {"--speculative-config", "{\"method\":\"draft_model\",\"model\":\"someone/small-draft\",\"num_speculative_tokens\":3}",
                          "--max-model-len", "8192"};
    assert_int_equal(hwl_model_open("llama-3.1-8b", NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, "H100-80GB", &e), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine", "vllm", &e), HWL_OK);
    assert_int_equal(hwl_settings_engine_args(settings, "vllm", 4, argv, &e), HWL_OK);
    assert_int_not_equal(hwl_planner_new(model, devices, settings, &planner, &e), HWL_OK); /* nobody said where to look */
    assert_int_equal(hwl_settings_set_stores(settings, NULL, hub), HWL_OK);
    assert_int_equal(hwl_settings_copy(settings, &copy), HWL_OK);
    assert_int_equal(hwl_planner_new(model, devices, copy, &planner, &e), HWL_OK);
    assert_int_equal(hwl_planner_plan(planner, devices, copy, &p, &e), HWL_OK);
    uint64_t draft = 0;
    for (uint32_t i = 0; i < hwl_plan_n_entries(p); i++) {
        const hwl_entry *entry = hwl_plan_entry(p, i);
        draft += entry->kind == HWL_KIND_WEIGHTS && entry->component == HWL_COMP_DRAFT ? entry->bytes : 0;
    }
    /* embedding, four layers of attention (q, k, v, o) and feed-forward, norms; the cosines of 131,072 positions */
    const uint64_t layer = 2048ull * (2048 + 512 + 512 + 2048) + 3 * 2048ull * 8192 + 2 * 2048;
    const uint64_t want = 2 * (128256ull * 2048 + 4 * layer + 2048) + 131072ull * 64 * 2;
    assert_true(draft >= want && draft < want + want / 100);
    hwl_plan_free(p);
    hwl_planner_free(planner);
    hwl_settings_free(copy);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s%s", hub, files[i][0]);
        (void)unlink(path);
    }
    for (size_t i = sizeof folders / sizeof *folders; i-- > 0;) {
        snprintf(path, sizeof path, "%s%s", hub, folders[i]);
        (void)rmdir(path);
    }
}

static double figure_of(const char *name, const char *gpu, const char *version, const char *quant, bool flashinfer, const char *figure)
{
    hwl_model *model = NULL;
    hwl_devices *devices = NULL;
    hwl_settings *settings = NULL;
    hwl_plan *plan = NULL;
    hwl_error e = {0};
    char *text = NULL;
    uint64_t n = 0;
    hwl_planner *planner = NULL;
    assert_int_equal(hwl_model_open(name, NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, gpu, &e), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine", "vllm", &e), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine-version", version, &e), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "ctx", "4096", &e), HWL_OK);
    if (*quant)
        assert_int_equal(hwl_settings_set(settings, "quant", quant, &e), HWL_OK);
    if (flashinfer)
        assert_int_equal(hwl_settings_set(settings, "flashinfer-sampler", "on", &e), HWL_OK);
    assert_int_equal(hwl_planner_new(model, devices, settings, &planner, &e), HWL_OK);
    assert_int_equal(hwl_planner_plan(planner, devices, settings, &plan, &e), HWL_OK);
    assert_int_equal(hwl_plan_json(plan, NULL, &text, &n, &e), HWL_OK);
    const char *view = strstr(text, "\"engine_view\"");
    assert_non_null(view);
    const double value = number(view, figure);
    hwl_text_free(text);
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
    return value;
}

/* What cards and installed packages change. */
static void kernels(void **state)
{
    (void)state;
    /* 36 layers of 2 x 4096^2 + 2 x 1024 x 4096 + 3 x 12,288 x 4096 weights in blocks of 128 x 128 with a scale of 4 B each; Marlin
     * wants one of 2 B for each row and 128 columns (an A100 multiplies no fp8) */
    const double linear = 36.0 * 4096 * (2.0 * 4096 + 2 * 1024 + 3 * 12288), more = linear / 128 * 2 - linear / 16384 * 4;
    const double old = figure_of("qwen3-8b", "A100-80GB", "0.11.2", "fp8-block", false, "weights_bytes");
    assert_float_equal((float)(old - figure_of("qwen3-8b", "H100-80GB", "0.11.2", "fp8-block", false, "weights_bytes")), (float)more, 64);
    /* 256 requests x 152,064 words: the sort of 36 B a logit, or FlashInfer's 12; logged at 0.10.1 on an A100: 5.01 GiB are left at
     * a quarter of the card with FlashInfer, and 24.83 at half of it */
    const double sorted = figure_of("qwen2-7b", "A100-80GB", "0.10.1", "", false, "peak_activation_bytes");
    assert_float_equal((float)(sorted - figure_of("qwen2-7b", "A100-80GB", "0.10.1", "", true, "peak_activation_bytes")), 256.F * 152064 * 24, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kernels), cmocka_unit_test(catalogue_scenarios), cmocka_unit_test(command_reproduces),
                                       cmocka_unit_test(draft_of_the_cache)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
