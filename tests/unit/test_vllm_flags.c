/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `vllm serve`, all of five releases (tests/data/vllm/flags.txt): each is known to the releases that have it
 * and refused with a name nearby by those that have not; those that move memory move the plan, or a note names them. */
#include <hwledger/hwledger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const releases[] = {"0.6.6", "0.11.2", "0.19.0", "0.29.0", "0.33.0"};

/* Is the option known? Its value is tried in several forms; what is wrong with a value is no matter here. */
static bool known(const char *release, const char *name, char *message, size_t size)
{
    static const char *const values[] = {NULL, "1", "{}", "auto", "a,b"};
    char flag[128];
    snprintf(flag, sizeof flag, "--%s", name);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        hwl_settings *s;
        hwl_error e = {0};
        const char *argv[] = {flag, values[i]};
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        assert_int_equal(hwl_settings_set(s, "engine-version", release, &e), HWL_OK);
        const hwl_status st = hwl_settings_engine_args(s, "vllm", values[i] ? 2 : 1, argv, &e);
        hwl_settings_free(s);
        snprintf(message, size, "%s", e.message);
        if (st != HWL_OK && strstr(e.message, "has no option"))
            return false;
        if (st == HWL_OK)
            return true;
    }
    return true;
}

static void every_option(void **state)
{
    (void)state;
    char path[512], line[512], message[512];
    unsigned n = 0, wrong = 0;
    snprintf(path, sizeof path, "%s/vllm/flags.txt", HWL_TEST_DATA);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\n")] = 0;
        for (char *name = strtok(line + 6, " "); name; name = strtok(NULL, " "))
            for (int r = 0; r < 5; r++) {
                const bool has = line[r] == 'x', is = known(releases[r], name, message, sizeof message);
                n++;
                /* other names of an option may be younger than it */
                if (has ? !is : is && name == line + 6 && strcmp(name, "kv-cache-memory-bytes") != 0) { /* which pins a plan */
                    wrong++;
                    print_error("%s %s --%s: %s\n", releases[r], has ? "has" : "has not", name, message);
                }
            }
    }
    fclose(f);
    assert_true(n > 1500);
    assert_int_equal(wrong, 0);
    assert_false(known("0.33.0", "tensor-paralel-size", message, sizeof message));
    assert_non_null(strstr(message, "did you mean --tensor-parallel-size?"));
    /* declared by engine/arg_utils.py of the one release and not of the other */
    static const char *const spans[][3] = {{"disable-hybrid-kv-cache-manager", "0.9.1", "0.9.0"},
                                           {"cudagraph-capture-sizes", "0.11.1", "0.11.0"},
                                           {"mamba-cache-mode", "0.16.0", "0.14.1"},
                                           {"language-model-only", "0.17.0", "0.16.0"},
                                           {"speculative-config", "0.8.3", "0.8.2"},
                                           {"kv-cache-dtype-skip-layers", "0.19.0", "0.18.0"},
                                           {"swap-space", "0.17.0", "0.18.0"},
                                           {"rope-scaling", "0.11.0", "0.11.1"},
                                           {"num-redundant-experts", "0.10.0", "0.12.0"}};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        assert_true(known(spans[i][1], spans[i][0], message, sizeof message));
        assert_false(known(spans[i][2], spans[i][0], message, sizeof message));
    }
    assert_false(known("0.33.0", "swap-space", message, sizeof message));
    assert_non_null(strstr(message, "vllm 0.33.0 has no option --swap-space"));
}

/* What a plan says, as one number to compare: bytes on all devices, tokens, requests; and whether a note holds text. */
struct answer {
    uint64_t bytes, tokens;
    double requests, views;
    bool noted;
};

static struct answer ask(const char *model_name, const char *gpu, const char *base, const char *args, const char *note)
{
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner = NULL;
    hwl_plan *plan = NULL;
    hwl_error e = {0};
    char line[1024];
    const char *argv[64];
    int argc = 0;
    struct answer a = {0};
    snprintf(line, sizeof line, "%s %s", base, args);
    for (char *w = strtok(line, " "); w && argc < 64; w = strtok(NULL, " "))
        argv[argc++] = w;
    assert_int_equal(hwl_model_open(model_name, NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, gpu, &e), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine", "vllm", &e), HWL_OK);
    hwl_status st = hwl_settings_engine_args(settings, "vllm", argc, argv, &e);
    if (st == HWL_OK)
        st = hwl_planner_new(model, devices, settings, &planner, &e);
    if (st == HWL_OK)
        st = hwl_planner_plan(planner, devices, settings, &plan, &e);
    if (st != HWL_OK) { /* refused by name is an answer too */
        if (!note || !strstr(e.message, note))
            fail_msg("%s %s: %s", model_name, args, e.message);
        a.noted = true;
    } else {
        char *text;
        uint64_t n;
        assert_int_equal(hwl_plan_json(plan, NULL, &text, &n, &e), HWL_OK);
        const char *view = strstr(text, "\"engine_view\"");
        assert_non_null(view);
        for (const char *p = strstr(text, "\"used_bytes\": "); p; p = strstr(p + 1, "\"used_bytes\": "))
            a.bytes += strtoull(p + 14, NULL, 10);
        const char *const figures[] = {"kv_cache_tokens", "num_gpu_blocks", "peak_activation_bytes", "graph_bytes", "weights_bytes"};
        for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
            char key[48];
            snprintf(key, sizeof key, "\"%s\": ", figures[i]);
            const char *p = strstr(view, key);
            a.views = a.views * 3 + (p ? strtod(p + strlen(key), NULL) : 0);
        }
        const char *p = strstr(view, "\"max_concurrency\": ");
        a.requests = p ? strtod(p + 19, NULL) : 0;
        a.noted = note && strstr(text, note);
        hwl_text_free(text);
    }
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
    return a;
}

/* Values as argparse takes them: several behind one option, "None" for what is not given. */
static void values(void **state)
{
    (void)state;
    static const char *const rows[][9] = {
        {"--served-model-name", "a", "b", "-tp", "2", "--max-model-len", "4096", NULL},
        {"--cudagraph-capture-sizes", "1", "2", "4", "-q", "None", "--kv-cache-memory-bytes", "None", NULL},
        {"--hf-token", "--trust-remote-code", "--num-gpu-blocks-override", "None", "--speculative-config", "None", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_settings *s;
        hwl_error e = {0};
        int n = 0;
        char text[64];
        while (rows[i][n])
            n++;
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        if (hwl_settings_engine_args(s, "vllm", n, rows[i], &e) != HWL_OK)
            fail_msg("%s: %s", rows[i][0], e.message);
        assert_int_equal(hwl_settings_get(s, "tp", text, sizeof text), i == 0);
        assert_int_equal(hwl_settings_get(s, "cudagraph-sizes", text, sizeof text), i == 1);
        assert_false(hwl_settings_get(s, "quant", text, sizeof text));
        assert_false(hwl_settings_get(s, "kv-cache-memory", text, sizeof text));
        assert_false(hwl_settings_get(s, "num-gpu-blocks", text, sizeof text));
        hwl_settings_free(s);
    }
}

/* Members of a JSON option one by one; values as JSON where they are some. */
static void dotted(void **state)
{
    (void)state;
    static const struct {
        const char *argv[8], *option, *value;
    } rows[] = {
        {{"-cc.cudagraph_mode=PIECEWISE", "-tp", "2"}, "cudagraph-mode", "PIECEWISE"},
        {{"--compilation-config.cudagraph_capture_sizes", "[1, 2]", "--compilation_config.pass_config.fuse", "true"}, "cudagraph-sizes", "1,2"},
        {{"-ac.backend", "TRITON_ATTN"}, "attention-backend", "TRITON_ATTN"},
        {{"--limit-mm-per-prompt.image", "0", "--limit-mm-per-prompt.video=0"}, "limit-mm", "{\"image\":0,\"video\":0}"},
        {{"--speculative-config.method", "ngram", "--speculative-config.num_speculative_tokens", "4"}, "draft-max", "4"},
        {{"--hf-overrides.rope_parameters.factor", "4.0", "--hf-overrides.rope_parameters.rope_type", "yarn"}, "hf-overrides",
         "{\"rope_parameters\":{\"factor\":4.0,\"rope_type\":\"yarn\"}}"},
        {{"--kv-transfer-config.a.b+", "x,y", "--kv-transfer-config.a.b+=z", "--max-num-seqs", "7"}, "max-seqs", "7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hwl_settings *s;
        hwl_error e = {0};
        int n = 0;
        char text[256] = "";
        while (rows[i].argv[n])
            n++;
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        if (hwl_settings_engine_args(s, "vllm", n, rows[i].argv, &e) != HWL_OK)
            fail_msg("%s: %s", rows[i].argv[0], e.message);
        assert_true(hwl_settings_get(s, rows[i].option, text, sizeof text));
        assert_string_equal(text, rows[i].value);
        hwl_settings_free(s);
    }
    static const char *const bad[][3] = {{"--limit-mm-per-prompt.image"}, {"--nothing.of.this", "1"}, {"--tensor-parallel-size.x", "1"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hwl_settings *s;
        hwl_error e = {0};
        assert_int_equal(hwl_settings_new(&s), HWL_OK);
        assert_int_not_equal(hwl_settings_engine_args(s, "vllm", bad[i][1] ? 2 : 1, bad[i], &e), HWL_OK);
        hwl_settings_free(s);
    }
}

static void those_that_move_memory(void **state)
{
    (void)state;
    static const struct {
        const char *model, *gpu, *base, *args, *note; /* note NULL: the plan must differ */
    } rows[] = {
        {"llama-3.1-8b", "H100-80GBx2", "", "--tensor-parallel-size 2", NULL},
        {"llama-3.1-8b", "H100-80GBx2", "", "--pipeline-parallel-size 2", NULL},
        {"llama-3.1-8b", "H100-80GBx2", "", "--data-parallel-size 2", NULL},
        {"qwen3-30b-a3b", "H100-80GBx2", "-tp 2", "--enable-expert-parallel --eplb-config {\"num_redundant_experts\":16} --enable-eplb", NULL},
        {"deepseek-v2-lite", "H100-80GBx2", "-tp 2", "--decode-context-parallel-size 2", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--max-model-len 4096", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--gpu-memory-utilization 0.5", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--kv-cache-memory-bytes 1000000000", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--num-gpu-blocks-override 5000", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--max-num-seqs 16", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--max-num-batched-tokens 65536", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--dtype float32", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--quantization fp8", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--kv-cache-dtype fp8", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--block-size 64", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--enforce-eager", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--optimization-level 0", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "-O0", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--compilation-config {\"cudagraph_mode\":\"PIECEWISE\"}", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--max-cudagraph-capture-size 16", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--cudagraph-capture-sizes 1 2 4", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--speculative-config {\"method\":\"eagle\",\"model\":\"x-eagle\",\"num_speculative_tokens\":3}", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--cpu-offload-gb 4", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--enable-lora --max-loras 2 --max-lora-rank 64", NULL},
        {"qwen3-next-80b-a3b", "H200x2", "-tp 2", "--no-enable-prefix-caching", NULL},
        {"qwen3-next-80b-a3b", "H200x2", "-tp 2", "--mamba-ssm-cache-dtype float32", NULL},
        {"qwen3-next-80b-a3b", "H200x2", "-tp 2", "--mamba-cache-dtype float32", NULL},
        {"gemma-3-12b", "H100-80GB", "", "--disable-hybrid-kv-cache-manager", NULL},
        {"gemma-3-12b", "H100-80GB", "", "--disable-sliding-window", NULL},
        {"gemma-3-12b", "H100-80GB", "", "--no-async-scheduling", NULL},
        {"gemma-3-12b", "H100-80GB", "", "--language-model-only", NULL},
        {"gemma-3-12b", "H100-80GB", "", "--skip-mm-profiling", NULL},
        {"gemma-3-12b", "H100-80GB", "", "--limit-mm-per-prompt {\"image\":0}", NULL},
        {"llama-3.1-8b", "H100-80GB", "", "--no-enable-chunked-prefill", NULL},
        {"qwen3-next-80b-a3b", "H200x2", "-tp 2 --no-enable-prefix-caching", "--mamba-block-size 1024", "mamba-block-size"},
        {"llama-3.1-8b", "H100-80GB", "", "--hf-overrides {\"a\":1}", "hf-overrides"},
        {"llama-3.1-8b", "H100-80GB", "--kv-cache-dtype fp8", "--kv-cache-dtype-skip-layers 0", NULL},
        {"gpt-oss-20b", "H100-80GB", "--kv-cache-dtype fp8", "--kv-cache-dtype-skip-layers 1", "kv-cache-dtype-skip-layers"},
        {"llama-3.1-8b", "H100-80GBx2", "", "--prefill-context-parallel-size 2", "prefill context parallelism"},
        {"llama-3.1-8b", "H100-80GB", "", "--enable-sleep-mode", "enable-sleep-mode"},
        {"llama-3.1-8b", "H100-80GB", "", "--kv-transfer-config {}", "kv-transfer-config"},
        {"llama-3.1-8b", "H100-80GB", "", "--kv-offloading-size 4", "kv-offloading-size"},
        {"llama-3.1-8b", "H100-80GB", "", "--moe-backend triton", "moe-backend"},
        {"llama-3.1-8b", "H100-80GB", "", "--attention-config {\"use_trtllm_attention\":1}", "attention-config"},
        {"llama-3.1-8b", "H100-80GB", "", "--disable-custom-all-reduce", "disable-custom-all-reduce"},
        {"llama-3.1-8b", "H100-80GB", "", "--enable-dbo", "enable-dbo"},
        {"llama-3.1-8b", "H100-80GB", "", "--offload-group-size 8", "offload-group-size"},
        {"llama-3.1-8b", "H100-80GB", "", "--cpu-offload-params a", "cpu-offload-params"},
        {"llama-3.1-8b", "H100-80GB", "", "--model-impl transformers", "model-impl"},
        {"llama-3.1-8b", "H100-80GB", "", "--performance-mode throughput", "performance-mode"},
        {"llama-3.1-8b", "H100-80GB", "", "--enable-prompt-embeds", "enable-prompt-embeds"},
        {"gemma-3-12b", "H100-80GB", "", "--mm-processor-kwargs {}", "mm-processor-kwargs"},
        {"qwen3-next-80b-a3b", "H200x2", "-tp 2", "--gdn-prefill-backend triton", "gdn-prefill-backend"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct answer with = ask(rows[i].model, rows[i].gpu, rows[i].base, rows[i].args, rows[i].note);
        if (rows[i].note) {
            if (!with.noted)
                fail_msg("no word of %s", rows[i].args);
            continue;
        }
        const struct answer without = ask(rows[i].model, rows[i].gpu, rows[i].base, "", NULL);
        if (with.bytes == without.bytes && !(with.views < without.views) && !(with.views > without.views) &&
            !(with.requests < without.requests) && !(with.requests > without.requests))
            fail_msg("%s does not move the plan", rows[i].args);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_option), cmocka_unit_test(values), cmocka_unit_test(dotted), cmocka_unit_test(those_that_move_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
