/* SPDX-License-Identifier: Apache-2.0 */
/* Whole plans against vLLM's own code: tests/data/vllm/plans.txt holds shapes, command lines and outcomes. */
#include "engine/engine.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_LAYERS 512

static struct hwl_layer layers[MAX_LAYERS];
static struct hwl_model model;
static char name[160], arch[64], class_name[96], rope[32];

static void read_model(const char *line)
{
    unsigned dtype, state, mtp, encoder, towers, only;
    unsigned long long ctx, original, chunk, hidden, vocab;
    double factor;
    memset(&model, 0, sizeof model);
    assert_int_equal(sscanf(line, "model %159s %63s %95s %u %llu %llu %31s %lf %u %llu %u %u %u %u %llu %llu", name,
                            arch, class_name, &dtype, &ctx, &original, rope, &factor, &state, &chunk, &mtp, &encoder,
                            &towers, &only, &hidden, &vocab),
                     16);
    model.name = name;
    model.arch = arch;
    model.layers = layers;
    model.dtype = dtype == 1 ? HWL_DTYPE_BF16 : dtype == 2 ? HWL_DTYPE_F16 : HWL_DTYPE_F32;
    model.context_train = ctx;
    model.n_mtp = mtp;
    model.n_encoder = encoder;
    model.n_encoders = towers;
    model.encoder_only = only;
    model.hidden = hidden;
    model.vocab = vocab;
    model.quant.method = model.quant.format = "";
    model.hints = (struct hwl_hints){.class_name = class_name,
                                     .rope_type = rope,
                                     .rope_factor = factor,
                                     .context_original = original,
                                     .state_chunk = chunk,
                                     .state_dtype = state ? HWL_DTYPE_F32 : HWL_DTYPE_NONE};
}

static uint32_t read_layers(const char *line, uint32_t n)
{
    unsigned c, x[13];
    int shared;
    unsigned long long s[10];
    assert_int_equal(
        sscanf(line,
               "layer %u %u %u %u %u %u %u %d %u %u %u %u %u %u %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", &c,
               &x[0], &x[1], &x[2], &x[3], &x[4], &x[5], &shared, &x[6], &x[7], &x[8], &x[9], &x[10], &x[11], &s[0],
               &s[1], &s[2], &s[3], &s[4], &s[5], &s[6], &s[7], &s[8], &s[9]),
        24);
    for (unsigned i = 0; i < c && n < MAX_LAYERS; i++)
        layers[n++] = (struct hwl_layer){.mixer = (uint8_t)x[0],
                                         .attn = {.n_heads = x[1],
                                                  .n_kv_heads = x[2],
                                                  .head_dim_k = x[3],
                                                  .head_dim_v = x[4],
                                                  .window = x[5],
                                                  .kv_shared_with = shared,
                                                  .kv_lora_rank = x[6],
                                                  .qk_rope_dim = x[7],
                                                  .qk_nope_dim = x[8],
                                                  .index_heads = x[9],
                                                  .compress_ratio = x[10],
                                                  .sinks = x[11]},
                                         .state = {.d_conv = (uint32_t)s[0],
                                                   .conv_dim = s[1],
                                                   .d_inner = s[2],
                                                   .d_state = s[3],
                                                   .n_groups = (uint32_t)s[4],
                                                   .n_heads = (uint32_t)s[5],
                                                   .n_k_heads = (uint32_t)s[6],
                                                   .head_dim = (uint32_t)s[7],
                                                   .head_dim_k = (uint32_t)s[8],
                                                   .ssm_elems = s[9]}};
    return n;
}

static double view(const struct hwl_ledger *l, const char *key)
{
    for (uint64_t i = 0; i < l->n_views; i++)
        if (strcmp(l->views[i].name, key) == 0)
            return l->views[i].type == HWL_VIEW_REAL ? l->views[i].real : (double)l->views[i].u64;
    return -1;
}

/* 1 as vLLM plans it, 0 otherwise. */
static int check_row(char *line, struct hwl_arena *arena)
{
    char version[16], card[32];
    unsigned cc, cards, fits;
    unsigned long long memory, budget, blocks, tokens, concurrency, len, bytes;
    char *args = strchr(line, '\t');
    assert_non_null(args);
    *args++ = 0;
    const bool refused = line[1] == 'e';
    budget = fits = 0;
    blocks = tokens = concurrency = len = bytes = 0;
    if (refused)
        assert_int_equal(sscanf(line, "refuse %15s %31s %u %llu %u", version, card, &cc, &memory, &cards), 5);
    else
        assert_int_equal(sscanf(line, "row %15s %31s %u %llu %u %llu %u %llu %llu %llu %llu %llu", version, card, &cc,
                                &memory, &cards, &budget, &fits, &blocks, &tokens, &concurrency, &len, &bytes),
                         12);
    const char *argv[64];
    int argc = 0;
    char given[32];
    for (char *p = strtok(args, "\t\n"); p && argc < 60; p = strtok(NULL, "\t\n"))
        argv[argc++] = p;
    snprintf(given, sizeof given, "%llu", budget);
    argv[argc++] = "--kv-cache-memory-bytes";
    argv[argc++] = given;
    hwl_settings *s;
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    hwl_error e = {0};
    struct hwl_devices *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->n_gpus = cards;
    for (unsigned i = 0; i < cards; i++) {
        d->gpu[i] = (hwl_device){.backend = HWL_BACKEND_CUDA,
                                 .memory_bytes = memory,
                                 .free_bytes = memory,
                                 .compute_major = cc / 10,
                                 .compute_minor = cc % 10};
        strcpy(d->gpu[i].name, card);
    }
    struct hwl_ledger l = {.arena = arena};
    void *ready = NULL;
    hwl_status st = hwl_engine_args_parse(s, &(const struct hwl_engine_args){.engine = "vllm", .table = hwl_engine_vllm.args, .n = hwl_engine_vllm.n_args}, argc, argv, &e);
    if (st == HWL_OK)
        st = hwl_engine_vllm.prepare(&model, version, s, arena, &ready, &e);
    if (st == HWL_OK)
        st = hwl_engine_vllm.plan(&model, ready, version, d, s, &l, &e);
    bool right = refused ? st == HWL_E_REFUSED && strncmp(e.message, "vllm refuses: ", 14) == 0
                         : st == HWL_OK && (view(&l, "kv_fits_one_request") > 0.5) == fits;
    uint64_t kv = 0;
    if (st == HWL_OK && fits && bytes) {
        for (uint64_t i = 0; i < l.n_entries; i++)
            if (l.entries[i].device == 0 &&
                (l.entries[i].kind == HWL_KIND_KV_CACHE || l.entries[i].kind == HWL_KIND_RECURRENT_STATE))
                kv += l.entries[i].bytes;
        right = right && (uint64_t)view(&l, "num_gpu_blocks") == blocks &&
                (uint64_t)view(&l, "kv_cache_tokens") == tokens && (uint64_t)view(&l, "max_model_len") == len &&
                fabs(view(&l, "max_concurrency") - (double)concurrency / 1e6) < 0.005 && kv == bytes;
    }
    if (!right) {
        print_message("%s %s %s:", name, version, card);
        for (int i = 0; i < argc - 2; i++)
            print_message(" %s", argv[i]);
        print_message(" (%llu): status %d %s fits %d/%u blocks %.0f/%llu tokens %.0f/%llu len %.0f/%llu concurrency "
                      "%.3f/%.3f bytes %llu/%llu\n",
                      budget, st, e.message, view(&l, "kv_fits_one_request") > 0.5, fits, view(&l, "num_gpu_blocks"),
                      blocks, view(&l, "kv_cache_tokens"), tokens, view(&l, "max_model_len"), len,
                      view(&l, "max_concurrency"), (double)concurrency / 1e6, (unsigned long long)kv, bytes);
    }
    free(d);
    hwl_settings_free(s);
    hwl_arena_reset(arena);
    return right;
}

static void plans_of_vllm(void **state)
{
    (void)state;
    const char *path = getenv("HWL_PLANS");
    FILE *f = fopen(path ? path : HWL_TEST_DATA "/vllm/plans.txt", "r");
    assert_non_null(f);
    static char line[2048];
    struct hwl_arena arena = {0};
    uint32_t n = 0;
    int rows = 0, right = 0;
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "model ", 6) == 0) {
            read_model(line);
            n = 0;
        } else if (strncmp(line, "layer ", 6) == 0) {
            n = read_layers(line, n);
            model.n_layers = n > model.n_mtp ? n - model.n_mtp : n;
        } else if (strncmp(line, "row ", 4) == 0 || strncmp(line, "refuse ", 7) == 0) {
            model.n_layers = n - model.n_mtp;
            right += check_row(line, &arena);
            rows++;
        }
    }
    fclose(f);
    hwl_arena_free(&arena);
    print_message("%d of %d plans equal vLLM's\n", right, rows);
    assert_true(rows > 200);
    assert_int_equal(right, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_of_vllm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
