/* SPDX-License-Identifier: Apache-2.0 */
/* text-generation-inference against its own start-up lines (tests/data/tgi/logs.txt), and the arithmetic of its warm-up. */
#include "engine/tgi/tgi.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct run {
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    struct hwl_arena arena;
    struct hwl_ledger ledger;
    void *prepared;
};

static hwl_status start(struct run *r, const char *model, const char *version, const char *gpu, unsigned count,
                        const char *const (*set)[2], hwl_error *e)
{
    char number[16], spec[80];
    *r = (struct run){0};
    r->ledger.arena = &r->arena;
    if (hwl_model_open(model, NULL, &r->model, e) != HWL_OK)
        fail_msg("%s", e->message);
    assert_int_equal(hwl_devices_new(&r->devices), HWL_OK);
    snprintf(spec, sizeof spec, "%sx%u", gpu, count);
    if (hwl_devices_add_gpu(r->devices, spec, e) != HWL_OK)
        fail_msg("%s", e->message);
    assert_int_equal(hwl_settings_new(&r->settings), HWL_OK);
    snprintf(number, sizeof number, "%u", count);
    assert_int_equal(hwl_settings_set(r->settings, "tp", number, e), HWL_OK);
    for (; set && (*set)[0]; set++)
        assert_int_equal(hwl_settings_set(r->settings, (*set)[0], (*set)[1], e), HWL_OK);
    const hwl_status st = hwl_engine_tgi.prepare(r->model, version, r->settings, &r->arena, &r->prepared, e);
    return st == HWL_OK ? hwl_engine_tgi.plan(r->model, r->prepared, version, r->devices, r->settings, &r->ledger, e) : st;
}

static void stop(struct run *r)
{
    hwl_arena_free(&r->arena);
    hwl_settings_free(r->settings);
    hwl_devices_free(r->devices);
    hwl_model_free(r->model);
}

static uint64_t view(const struct run *r, const char *name)
{
    for (uint64_t i = 0; i < r->ledger.n_views; i++)
        if (strcmp(r->ledger.views[i].name, name) == 0)
            return r->ledger.views[i].u64;
    return UINT64_MAX;
}

/* The shapes of a "config NAME JSON" line in a folder of their own. */
static void write_config(char *folder, size_t size, const char *name)
{
    char line[1024], path[128], head[80];
    FILE *f = fopen(HWL_TEST_DATA "/tgi/logs.txt", "r");
    assert_non_null(f);
    snprintf(head, sizeof head, "config %s ", name);
    bool found = false;
    while (!found && fgets(line, sizeof line, f))
        found = strncmp(line, head, strlen(head)) == 0;
    fclose(f);
    assert_true(found);
    snprintf(folder, size, "/tmp/hwl_tgi_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/config.json", folder);
    assert_non_null(f = fopen(path, "w"));
    assert_true(fputs(line + strlen(head), f) >= 0);
    fclose(f);
}

static void remove_config(const char *folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/config.json", folder);
    remove(path);
    remove(folder);
}

static void logs(void **state)
{
    (void)state;
    FILE *f = fopen(HWL_TEST_DATA "/tgi/logs.txt", "r");
    assert_non_null(f);
    char line[512], kind[16], name[64], model[64], version[16], gpu[32], folder[64];
    unsigned count, prefill, block, n = 0;
    unsigned long long tokens;
    double worst = 0;
    while (fgets(line, sizeof line, f)) {
        const int got = sscanf(line, "%15s %63s %63s %15s %31[^,],%u %u %u %llu", kind, name, model, version, gpu, &count, &prefill,
                               &block, &tokens);
        const int kind_of = strcmp(kind, "log") == 0 ? 9 : strcmp(kind, "prefill") == 0 ? 7 : 0;
        if (*line == '#' || !kind_of)
            continue;
        assert_int_equal(got, kind_of);
        const char *set[8][2] = {{NULL}};
        int words = 0, given = 0;
        for (char *w = strtok(line, " \n"); w; w = strtok(NULL, " \n"))
            if (++words > 8 && given < 7) {
                char *equals = strchr(w, '=');
                assert_non_null(equals);
                *equals = 0;
                set[given][0] = w;
                set[given++][1] = equals + 1;
            }
        struct run r;
        hwl_error e = {0};
        if (*model == '@')
            write_config(folder, sizeof folder, model + 1);
        if (start(&r, *model == '@' ? folder : model, version, gpu, count, (const char *const (*)[2])set, &e) != HWL_OK)
            fail_msg("%s: %s", name, e.message);
        assert_int_equal(view(&r, "max_batch_prefill_tokens"), prefill);
        if (got == 9) {
            const double off = (double)view(&r, "max_batch_total_tokens") / (double)tokens - 1;
            print_message("%-20s %llu tokens, logged %llu: %+.1f %%\n", name, (unsigned long long)view(&r, "max_batch_total_tokens"),
                          tokens, 100 * off);
            assert_int_equal(view(&r, "block_size"), block);
            assert_true(fabs(off) < 0.15); /* the bound that the plan states */
            worst += fabs(off);
            n++;
        }
        stop(&r);
        if (*model == '@')
            remove_config(folder);
    }
    fclose(f);
    assert_int_equal(n, 8);
    assert_true(worst / n < 0.05);
}

/* flash_causal_lm.py warmup, worked by hand. */
static void blocks(void **state)
{
    (void)state;
    struct hwl_ck ck = {0};
    struct hwl_tgi_setup u = {.rules = hwl_tgi_rules_of("3.3.7"), .block = 1, .prefill = 4096, .fraction = 1.0};
    const uint64_t gib = 1ull << 30;
    assert_int_equal(hwl_tgi_warm_blocks(&u), 4096); /* one request of 4,096 and one new token */
    /* 30 of 80 GiB free, a tenth of the card kept: 22 GiB in rows of 128 KiB */
    assert_int_equal(hwl_tgi_blocks(&u, 80 * gib, 30 * gib, 131072, &ck), 22 * 8192 + 4096);
    u.rules = hwl_tgi_rules_of("2.4.1"); /* a tenth of what is free */
    assert_int_equal(hwl_tgi_blocks(&u, 80 * gib, 30 * gib, 131072, &ck), 27 * 8192 + 4096);
    u.rules = hwl_tgi_rules_of("2.2.0");
    u.block = 16;
    u.prefill = 4145;
    u.max_input = 4095;
    u.max_total = 4096; /* two requests, each up to 4,096 tokens less the last one's */
    assert_int_equal(hwl_tgi_warm_blocks(&u), 512);
    u.rules = hwl_tgi_rules_of("1.1.0"); /* two new tokens each: 4,096 and 51 */
    assert_int_equal(hwl_tgi_warm_blocks(&u), 256 + 4);
    u.rules = hwl_tgi_rules_of("2.2.0");
    u.fraction = 0.5; /* nothing is left of half a card */
    assert_int_equal(hwl_tgi_blocks(&u, 80 * gib, 30 * gib, 131072, &ck), 512);
}

static void rules(void **state)
{
    (void)state;
    struct run r;
    hwl_error e = {0};
    /* launcher: 900e12 / (32 layers x (2 x 4096 x (3 x 4096 + 2 x 1024) + 6 x 4096 x 14336)) */
    assert_int_equal(start(&r, "llama-3.1-8b", "3.3.7", "H100-80GB", 1, NULL, &e), HWL_OK);
    assert_int_equal(view(&r, "max_batch_prefill_tokens"), 900000000000000ull / (32ull * (8192ull * 14336 + 24576ull * 14336)));
    assert_int_equal(view(&r, "block_size"), 1);
    assert_int_equal(r.ledger.kv_bytes_per_token, 131072);
    stop(&r);
    /* a card that it does not know */
    assert_int_equal(start(&r, "llama-3.1-8b", "3.3.7", "RTX-4090", 1, NULL, &e), HWL_OK);
    assert_int_equal(view(&r, "max_batch_prefill_tokens"), 4096);
    stop(&r);
    /* latent rows are expanded: 128 heads of 192, keys and values */
    assert_int_equal(start(&r, "deepseek-v3", "3.3.7", "H200", 8, NULL, &e), HWL_OK);
    assert_int_equal(r.ledger.kv_bytes_per_token, 61ull * 128 * 192 * 2 * 2);
    stop(&r);
    /* tied matrices are two: Qwen2.5-0.5B, 151,936 rows of 896, and the row of zeros */
    uint64_t embedding = 0;
    assert_int_equal(start(&r, "qwen2.5-0.5b", "3.3.7", "H100-80GB", 1, NULL, &e), HWL_OK);
    for (uint64_t i = 0; i < r.ledger.n_entries; i++)
        if (r.ledger.entries[i].kind == HWL_KIND_WEIGHTS && r.ledger.entries[i].layer < 0)
            embedding += r.ledger.entries[i].bytes;
    assert_true(embedding >= (2 * 151936ull + 1) * 896 * 2 && embedding < (2 * 151936ull + 1) * 896 * 2 + (4 << 20));
    stop(&r);
    assert_int_equal(start(&r, "llama-3.1-8b", "3.3.7", "H100-80GB", 1, (const char *const[][2]){{"kv-type", "fp8_e4m3fn"}, {NULL, NULL}}, &e),
                     HWL_OK);
    assert_int_equal(r.ledger.kv_bytes_per_token, 65536);
    stop(&r);
    assert_int_equal(start(&r, "bloom", "3.3.7", "H200", 8, NULL, &e), HWL_E_UNSUPPORTED);
    stop(&r);
    assert_int_equal(start(&r, "jamba", "3.3.7", "H200", 1, NULL, &e), HWL_E_REFUSED);
    stop(&r);
    assert_int_equal(start(&r, "qwen2.5-7b", "3.3.7", "H100-80GB", 3, NULL, &e), HWL_E_REFUSED);
    stop(&r);
    assert_ptr_equal(hwl_engine_find("text-generation-inference", &e), &hwl_engine_tgi);
    assert_string_equal(hwl_tgi_version("v3.1.0"), "3.1.0");
    assert_null(hwl_tgi_version("4.0"));
    static const char *const known[][2] = {{"0.9.4", "1.1.0"}, {"1.0", "1.1.0"}, {"1.1.1", "1.4.1"}, {"1.4.0", "1.4.1"}, {"1.4.2", "1.4.5"},
                                           {"2.0.3", "2.0.4"}, {"2.1.1", "2.2.0"}, {"2.4.0", "2.4.0"}, {"2.4", "2.4.1"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(hwl_tgi_version(known[i][0]), known[i][1]);
    assert_null(hwl_tgi_version("0.8.2"));
    /* launcher/src/main.rs at their tags: plain lengths before 2.0; from then to 2.4.0 max_batch_size inputs */
    assert_int_equal(start(&r, "llama-3.1-8b", "1.4.5", "H100-80GB", 1, NULL, &e), HWL_OK);
    assert_int_equal(view(&r, "max_total_tokens"), 2048);
    assert_int_equal(view(&r, "max_input_tokens"), 1024);
    assert_int_equal(view(&r, "max_batch_prefill_tokens"), 4096);
    stop(&r);
    assert_int_equal(start(&r, "llama-3.1-8b", "2.4.0", "H100-80GB", 1, (const char *const[][2]){{"max-seqs", "4"}, {NULL, NULL}}, &e), HWL_OK);
    assert_int_equal(view(&r, "max_batch_prefill_tokens"), 4 * 4095);
    assert_int_equal(view(&r, "block_size"), 1);
    stop(&r);
    assert_int_equal(start(&r, "llama-3.1-8b", "2.4.1", "H100-80GB", 1, (const char *const[][2]){{"max-seqs", "4"}, {NULL, NULL}}, &e), HWL_OK);
    assert_int_equal(view(&r, "max_batch_prefill_tokens"), 4096);
    stop(&r);
}

/* launcher/src/main.rs Args: every option is known, and says what becomes of it. */
static void options(void **state)
{
    (void)state;
    static const char all[] = "model-id revision validation-workers sharded num-shard quantize speculate dtype kv-cache-dtype "
                              "trust-remote-code max-concurrent-requests max-best-of max-stop-sequences max-top-n-tokens max-input-tokens "
                              "max-input-length max-total-tokens waiting-served-ratio max-batch-prefill-tokens max-batch-total-tokens "
                              "max-waiting-tokens max-batch-size cuda-graphs hostname port prometheus-port shard-uds-path master-addr "
                              "master-port huggingface-hub-cache weights-cache-override disable-custom-kernels cuda-memory-fraction "
                              "rope-scaling rope-factor json-output otlp-endpoint otlp-service-name cors-allow-origin api-key "
                              "watermark-gamma watermark-delta ngrok ngrok-authtoken ngrok-edge tokenizer-config-path "
                              "disable-grammar-support env max-client-batch-size lora-adapters usage-stats payload-limit "
                              "enable-prefill-logprobs graceful-termination-timeout";
    char copy[sizeof all];
    int n = 0;
    memcpy(copy, all, sizeof all);
    for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "), n++) {
        bool known = false;
        for (uint32_t i = 0; i < HWL_TGI_N_ARGS && !known; i++) {
            const char *at = strstr(hwl_tgi_args[i].names, w);
            known = at && (at == hwl_tgi_args[i].names || at[-1] == ' ') && (at[strlen(w)] == 0 || at[strlen(w)] == ' ');
        }
        if (!known)
            fail_msg("--%s is not in the table", w);
    }
    assert_int_equal(n, 54);
    static const char *const argv[] = {"--model-id", "x", "--num-shard=2", "--quantize", "bitsandbytes-nf4", "--cuda-memory-fraction", "0.8",
                                       "--lora-adapters", "a"};
    static const char *const unknown[] = {"--tensor-parallel-size", "2"}, *const exl2[] = {"--quantize", "exl2"};
    hwl_settings *s;
    hwl_error e = {0};
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    assert_int_equal(hwl_settings_engine_args(s, "tgi", sizeof argv / sizeof *argv, argv, &e), HWL_OK);
    assert_int_equal(hwl_opt_u64(s, HWL_OPT_TP, 1), 2);
    assert_string_equal(hwl_opt_text(s, HWL_OPT_QUANT, ""), "nf4");
    assert_int_equal(s->n_unmodelled, 1);
    assert_int_equal(hwl_settings_engine_args(s, "tgi", 2, unknown, &e), HWL_E_USAGE);
    assert_int_equal(hwl_settings_engine_args(s, "tgi", 2, exl2, &e), HWL_E_UNSUPPORTED);
    hwl_settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(logs), cmocka_unit_test(blocks), cmocka_unit_test(rules), cmocka_unit_test(options)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
