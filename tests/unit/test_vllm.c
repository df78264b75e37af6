/* SPDX-License-Identifier: Apache-2.0 */
/* The vLLM engine on models made by hand: figures that vLLM's own code gives (asked without a GPU). */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define H100 ((uint64_t)85029158912)

static struct hwl_devices *cards(uint32_t n)
{
    struct hwl_devices *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->n_gpus = n;
    for (uint32_t i = 0; i < n; i++)
        d->gpu[i] = (hwl_device){.name = "NVIDIA H100 80GB HBM3",
                                 .backend = HWL_BACKEND_CUDA,
                                 .memory_bytes = H100,
                                 .free_bytes = H100,
                                 .compute_major = 9};
    return d;
}

static struct hwl_layer dense(uint32_t heads, uint32_t kv, uint32_t dim)
{
    return (struct hwl_layer){.mixer = HWL_MIXER_FULL,
                              .attn = {.n_heads = heads,
                                       .n_kv_heads = kv,
                                       .head_dim_k = dim,
                                       .head_dim_v = dim,
                                       .kv_shared_with = -1,
                                       .causal = true}};
}

static void fill(struct hwl_model *m, struct hwl_layer layer, uint32_t n, uint64_t context)
{
    memset(m, 0, sizeof *m);
    m->name = m->arch = m->source = m->form = "test";
    m->hints.class_name = m->hints.rope_type = "";
    m->quant.method = m->quant.format = "";
    m->dtype = HWL_DTYPE_BF16;
    m->n_layers = n;
    m->hidden = 4096;
    m->vocab = 128256;
    m->context_train = context;
    m->layers = calloc(n, sizeof layer);
    for (uint32_t i = 0; i < n; i++)
        m->layers[i] = layer;
}

static hwl_status plan(const struct hwl_model *m, uint32_t n_cards, const char *version, const char *const *argv,
                       struct hwl_ledger *l, hwl_error *e)
{
    hwl_settings *s;
    assert_int_equal(hwl_settings_new(&s), HWL_OK);
    int argc = 0;
    while (argv[argc])
        argc++;
    void *ready = NULL;
    hwl_status st = hwl_engine_args_parse(s, &(const struct hwl_engine_args){.engine = "vllm", .table = hwl_engine_vllm.args, .n = hwl_engine_vllm.n_args}, argc, argv, e);
    struct hwl_devices *d = cards(n_cards);
    if (st == HWL_OK)
        st = hwl_engine_vllm.prepare(m, version, s, l->arena, &ready, e);
    if (st == HWL_OK)
        st = hwl_engine_vllm.plan(m, ready, version, d, s, l, e);
    free(d);
    hwl_settings_free(s);
    return st;
}

static const struct hwl_view_item *view(const struct hwl_ledger *l, const char *name)
{
    for (uint64_t i = 0; i < l->n_views; i++)
        if (strcmp(l->views[i].name, name) == 0)
            return &l->views[i];
    fail_msg("no figure %s", name);
    return NULL;
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void llama_8b(void **state)
{
    (void)state;
    struct hwl_model m;
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena};
    hwl_error e = {0};
    fill(&m, dense(32, 8, 128), 32, 131072);
    assert_int_equal(
        plan(&m, 1, "0.33.0",
             ARGS("--max-model-len", "8192", "--no-enable-prefix-caching", "--kv-cache-memory-bytes=25412590321"), &l,
             &e),
        HWL_OK);
    assert_int_equal(view(&l, "num_gpu_blocks")->u64, 12117);
    assert_int_equal(view(&l, "kv_cache_tokens")->u64, 193872);
    assert_int_equal(l.kv_bytes_per_token, 131072);
    assert_true(view(&l, "kv_fits_one_request")->u64 || !l.exceeds);
    struct hwl_ledger r = {.arena = &arena};
    assert_int_equal(plan(&m, 3, "0.33.0", ARGS("-tp", "3"), &r, &e), HWL_E_REFUSED);
    assert_non_null(strstr(e.message, "vllm refuses: 32 attention heads"));
    assert_int_equal(plan(&m, 1, "0.33.0", ARGS("--max-model-len", "200000"), &r, &e), HWL_E_REFUSED);
    assert_int_equal(plan(&m, 1, "0.33.0", ARGS("--tensor-parallel", "2"), &r, &e), HWL_E_USAGE);
    assert_int_equal(plan(&m, 1, "0.33.0",
                          ARGS("--max_num_batched_tokens", "8K", "--speculative-config",
                               "{\"method\": \"eagle3\", \"num_speculative_tokens\": 3}", "--kv-cache-memory-bytes",
                               "5154585971", "--max-model-len", "8192"),
                          &r, &e),
                     HWL_OK);
    assert_int_equal(view(&r, "num_gpu_blocks")->u64, 5154585971 / 2162688);
    hwl_arena_free(&arena);
    free(m.layers);
}

/* The longest context, by the rules of vllm/config/model.py: until 0.29 YaRN's original length times its factor, since 0.30 what
 * is trained; model_max_length above all others; what --hf-overrides and, until 0.11, --rope-scaling give anew. */
static void lengths(void **state)
{
    (void)state;
    static const struct {
        const char *version, *rope, *length, *option, *value;
        uint64_t trained, stated;
        hwl_status status;
    } rows[] = {
        {"0.29.0", "yarn", "131072", NULL, NULL, 32768, 0, HWL_OK},
        {"0.29.0", "yarn", "131073", NULL, NULL, 32768, 0, HWL_E_REFUSED},
        {"0.30.0", "yarn", "32769", NULL, NULL, 32768, 0, HWL_E_REFUSED},
        {"0.33.0", "linear", "131072", NULL, NULL, 32768, 0, HWL_OK},
        {"0.33.0", "llama3", "32769", NULL, NULL, 32768, 0, HWL_E_REFUSED},
        {"0.33.0", "llama3", "40000", NULL, NULL, 32768, 40000, HWL_OK},
        {"0.33.0", "llama3", "40001", NULL, NULL, 32768, 40000, HWL_E_REFUSED},
        {"0.33.0", NULL, "65536", "--hf-overrides", "{'max_position_embeddings': 65536}", 32768, 0, HWL_OK},
        {"0.33.0", NULL, "65536", "--hf-overrides", "{\"text_config\": {\"max_position_embeddings\": 65536}}", 32768, 0, HWL_OK},
        {"0.33.0", NULL, "65537", "--hf-overrides", "{\"max_position_embeddings\": 65536}", 32768, 0, HWL_E_REFUSED},
        {"0.19.0", NULL, "131072", "--hf-overrides", "{\"rope_parameters\": {\"rope_type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32768}}",
         32768, 0, HWL_OK},
        {"0.8.5", NULL, "131072", "--rope-scaling", "{\"rope_type\":\"yarn\",\"factor\":4.0,\"original_max_position_embeddings\":32768}", 32768, 0, HWL_OK},
        {"0.8.5", NULL, "131073", "--rope-scaling", "{\"rope_type\":\"yarn\",\"factor\":4.0,\"original_max_position_embeddings\":32768}", 32768, 0, HWL_E_REFUSED},
        {"0.33.0", NULL, "32768", "--hf-overrides", "{\"num_hidden_layers\": 2}", 32768, 0, HWL_E_UNSUPPORTED},
        {"0.33.0", NULL, "32768", "--hf-overrides", "32768", 32768, 0, HWL_E_USAGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hwl_model m;
        struct hwl_arena arena = {0};
        struct hwl_ledger l = {.arena = &arena};
        hwl_error e = {0};
        fill(&m, dense(32, 8, 128), 32, rows[i].trained);
        m.hints.context_stated = rows[i].stated;
        if (rows[i].rope) {
            m.hints.rope_type = rows[i].rope;
            m.hints.rope_factor = 4.0;
            m.hints.context_original = 32768;
        }
        const char *argv[] = {"--max-model-len", rows[i].length, rows[i].option, rows[i].value, NULL};
        const hwl_status st = plan(&m, 1, rows[i].version, argv, &l, &e);
        if (st != rows[i].status)
            fail_msg("row %zu: %d, %s", i, st, e.message);
        hwl_arena_free(&arena);
        free(m.layers);
    }
}

static void deepseek_v3(void **state)
{
    (void)state;
    struct hwl_model m;
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena};
    hwl_error e = {0};
    struct hwl_layer layer = {.mixer = HWL_MIXER_MLA,
                              .attn = {.n_heads = 128,
                                       .n_kv_heads = 1,
                                       .head_dim_k = 192,
                                       .head_dim_v = 128,
                                       .kv_shared_with = -1,
                                       .q_lora_rank = 1536,
                                       .kv_lora_rank = 512,
                                       .qk_rope_dim = 64,
                                       .qk_nope_dim = 128}};
    fill(&m, layer, 61, 163840);
    assert_int_equal(
        plan(&m, 8, "0.33.0", ARGS("--tensor-parallel-size", "8", "--kv-cache-memory-bytes", "80000000000"), &l, &e),
        HWL_OK);
    assert_int_equal(l.kv_bytes_per_token, 8 * 70272); /* every rank holds the latent */
    assert_int_equal(view(&l, "block_size")->u64, 16);
    struct hwl_ledger f = {.arena = &arena};
    assert_int_equal(
        plan(&m, 8, "0.33.0",
             ARGS("--tensor-parallel-size", "8", "--kv-cache-dtype", "fp8", "--kv-cache-memory-bytes", "80000000000"),
             &f, &e),
        HWL_OK);
    assert_int_equal(view(&f, "block_size")->u64, 64); /* FLASHMLA */
    hwl_arena_free(&arena);
    free(m.layers);
}

static void qwen3_next(void **state)
{
    (void)state;
    struct hwl_model m;
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena};
    hwl_error e = {0};
    fill(&m, dense(16, 2, 256), 48, 262144);
    for (uint32_t i = 0; i < 48; i++)
        if (i % 4 != 3)
            m.layers[i] = (struct hwl_layer){.mixer = HWL_MIXER_GATED_DELTA_NET,
                                             .attn = {.kv_shared_with = -1},
                                             .state = {.d_conv = 4,
                                                       .conv_dim = 8192,
                                                       .n_heads = 32,
                                                       .n_k_heads = 16,
                                                       .head_dim = 128,
                                                       .head_dim_k = 128,
                                                       .ssm_elems = 32 * 128 * 128}};
    assert_int_equal(
        plan(&m, 4, "0.33.0",
             ARGS("--tensor-parallel-size", "4", "--max-model-len", "32768", "--num-gpu-blocks-override", "2000"), &l,
             &e),
        HWL_OK);
    assert_int_equal(view(&l, "block_size")->u64, 320);
    struct hwl_ledger old = {.arena = &arena};
    assert_int_equal(plan(&m, 2, "0.29.0", ARGS("--tensor-parallel-size", "2", "--max-model-len", "32768"), &old, &e),
                     HWL_OK);
    assert_int_equal(view(&old, "block_size")->u64, 544);
    hwl_arena_free(&arena);
    free(m.layers);
}

static uint64_t block_of(const struct hwl_model *m, const char *version, const char *const *argv)
{
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena};
    hwl_error e = {0};
    assert_int_equal(plan(m, 8, version, argv, &l, &e), HWL_OK);
    const uint64_t block = view(&l, "block_size")->u64;
    hwl_arena_free(&arena);
    return block;
}

/* Block sizes that logs and vLLM's code give for the Qwen3.5 hybrids. */
static void qwen3_5(void **state)
{
    (void)state;
    struct hwl_model m;
    for (int big = 0; big < 2; big++) {
        fill(&m, dense(24, big ? 4 : 2, 256), 40, 262144);
        m.arch = "qwen3_5";
        m.hints.state_dtype = HWL_DTYPE_F32;
        const uint32_t heads = big ? 48 : 32;
        for (uint32_t i = 0; i < 40; i++)
            if (i % 4 != 3)
                m.layers[i] = (struct hwl_layer){.mixer = HWL_MIXER_GATED_DELTA_NET,
                                                 .attn = {.kv_shared_with = -1},
                                                 .state = {.d_conv = 4,
                                                           .conv_dim = 4096 + (uint64_t)heads * 128,
                                                           .n_heads = heads,
                                                           .n_k_heads = 16,
                                                           .head_dim = 128,
                                                           .head_dim_k = 128,
                                                           .ssm_elems = (uint64_t)heads * 128 * 128}};
        const char *const kv = "--kv-cache-memory-bytes=40000000000", *const len = "--max-model-len=8192",
                          *const off = "--no-enable-prefix-caching";
        assert_int_equal(block_of(&m, "0.33.0", ARGS(kv, len)), big ? 832 : 1088);
        assert_int_equal(block_of(&m, "0.33.0", ARGS(kv, len, off)), big ? 784 : 1056);
        assert_int_equal(block_of(&m, "0.29.0", ARGS(kv, len)), big ? 784 : 1056);
        assert_int_equal(block_of(&m, "0.33.0", ARGS(kv, len, off, "--kv-cache-dtype=fp8")), big ? 1568 : 2096);
        if (!big) {
            assert_int_equal(
                block_of(&m, "0.33.0", ARGS(kv, len, off, "-sc", "{\"method\":\"mtp\",\"num_speculative_tokens\":1}")),
                1056);
            assert_int_equal(
                block_of(&m, "0.33.0", ARGS(kv, len, off, "-sc", "{\"method\":\"mtp\",\"num_speculative_tokens\":2}")),
                1072);
        }
        free(m.layers);
    }
}

/* DeepSeek-V4-Flash: 43 layers, 21 with groups of 4, 20 with groups of 128. */
static void deepseek_v4_flash(void **state)
{
    (void)state;
    struct hwl_model m;
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena};
    hwl_error e = {0};
    fill(&m, dense(64, 1, 512), 43, 1048576);
    for (uint32_t i = 0; i < 43; i++) {
        m.layers[i].mixer = HWL_MIXER_SPARSE;
        m.layers[i].attn.window = 128;
        m.layers[i].attn.compress_ratio = i < 2 ? 0 : i % 2 ? 128 : 4;
        m.layers[i].attn.index_heads = i >= 2 && i % 2 == 0 ? 64 : 0;
        m.layers[i].attn.index_head_dim = 128;
    }
    assert_int_equal(plan(&m, 4, "0.33.0",
                          ARGS("-tp", "4", "--kv-cache-memory-bytes", "80000000000", "--max-model-len", "32768"), &l,
                          &e),
                     HWL_OK);
    assert_string_equal(view(&l, "kv_groups")->text,
                        "[{\"layers\": 22, \"block_size\": 64, \"bytes_per_block\": 823680}, "
                        "{\"layers\": 21, \"block_size\": 64, \"bytes_per_block\": 786240}, "
                        "{\"layers\": 62, \"block_size\": 256, \"bytes_per_block\": 1002240}, "
                        "{\"layers\": 42, \"block_size\": 4, \"bytes_per_block\": 870912}, "
                        "{\"layers\": 20, \"block_size\": 8, \"bytes_per_block\": 656640}]");
    assert_int_equal(view(&l, "num_gpu_blocks")->u64, 80000000000 / 1002240);
    hwl_arena_free(&arena);
    free(m.layers);
}

/* Llama 3.1 8B's matrices over ranks: what vLLM logs as weights, GiB. */
/* Weights and cache of every layer stand as entries of their own; alike layers take the same, and all add up. */
static void check_layers(const struct hwl_ledger *l, const struct hwl_model *m)
{
    uint64_t weights = 0, cache = 0, of_layer[2] = {0}, first[2] = {0};
    for (uint64_t i = 0; i < l->n_entries; i++) {
        const hwl_entry *e = &l->entries[i];
        if (e->device != 0)
            continue;
        weights += e->kind == HWL_KIND_WEIGHTS ? e->bytes : 0;
        cache += e->kind == HWL_KIND_KV_CACHE ? e->bytes : 0;
        if (e->layer < 0 || (e->kind != HWL_KIND_WEIGHTS && e->kind != HWL_KIND_KV_CACHE))
            continue;
        of_layer[e->kind == HWL_KIND_KV_CACHE] += e->bytes;
        if (e->layer == 0)
            first[e->kind == HWL_KIND_KV_CACHE] += e->bytes;
    }
    assert_int_equal(weights, view(l, "weights_bytes")->u64);
    assert_true(first[0] > 0 && first[1] > 0);
    assert_int_equal(of_layer[0], m->n_layers * first[0]);
    assert_int_equal(of_layer[1], m->n_layers * first[1]);
    assert_int_equal(cache, of_layer[1]);
}

static void weights_over_ranks(void **state)
{
    (void)state;
    struct hwl_model m;
    fill(&m, dense(32, 8, 128), 32, 131072);
    static const struct {
        uint16_t role;
        uint64_t rows, columns;
    } kinds[] = {{HWL_ROLE_ATTN_Q, 4096, 4096},    {HWL_ROLE_ATTN_K, 1024, 4096},     {HWL_ROLE_ATTN_V, 1024, 4096},
                 {HWL_ROLE_ATTN_OUT, 4096, 4096},  {HWL_ROLE_FFN_GATE, 14336, 4096},  {HWL_ROLE_FFN_UP, 14336, 4096},
                 {HWL_ROLE_FFN_DOWN, 4096, 14336}, {HWL_ROLE_TOK_EMBD, 128256, 4096}, {HWL_ROLE_OUTPUT, 128256, 4096}};
    m.tensors = calloc(32 * 7 + 2, sizeof *m.tensors);
    for (int k = 0; k < 9; k++)
        for (int i = 0; i < (k < 7 ? 32 : 1); i++) {
            const uint64_t n = kinds[k].rows * kinds[k].columns;
            m.tensors[m.n_tensors++] = (struct hwl_tensor){.name = "w",
                                                           .role = kinds[k].role,
                                                           .component = k < 4   ? HWL_COMP_ATTENTION
                                                                        : k < 7 ? HWL_COMP_FFN
                                                                                : HWL_COMP_EMBEDDING,
                                                           .layer = k < 7 ? i : -1,
                                                           .dtype = HWL_DTYPE_BF16,
                                                           .n_dims = 2,
                                                           .count = 1,
                                                           .dims = {kinds[k].rows, kinds[k].columns},
                                                           .bytes = 2 * n,
                                                           .elements = n};
        }
    static const struct {
        const char *tp, *pp, *quant, *dtype;
        double gib;
    } logs[] = {{"1", "1", "", "auto", 14.99},
                {"4", "1", "", "auto", 3.77},
                {"1", "1", "fp8", "auto", 8.49},
                {"1", "1", "", "float32", 29.98}};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        struct hwl_arena arena = {0};
        struct hwl_ledger l = {.arena = &arena};
        hwl_error e = {0};
        assert_int_equal(plan(&m, 4, "0.19.0",
                              *logs[i].quant ? ARGS("-tp", logs[i].tp, "-pp", logs[i].pp, "--dtype", logs[i].dtype,
                                                    "-q", logs[i].quant, "--max-model-len=8192")
                                             : ARGS("-tp", logs[i].tp, "-pp", logs[i].pp, "--dtype", logs[i].dtype,
                                                    "--max-model-len=8192"),
                              &l, &e),
                         HWL_OK);
        const double gib = (double)view(&l, "weights_bytes")->u64 / 1073741824.0;
        if (gib < logs[i].gib * 0.997 || gib > logs[i].gib * 1.003)
            fail_msg("tp %s pp %s %s: %.3f GiB, logged %.2f", logs[i].tp, logs[i].pp, logs[i].quant, gib, logs[i].gib);
        check_layers(&l, &m);
        hwl_arena_free(&arena);
    }
    free(m.tensors);
    free(m.layers);
}

static void versions(void **state)
{
    (void)state;
    assert_string_equal(hwl_engine_vllm.version("0.33.0"), "0.33.0");
    assert_string_equal(hwl_engine_vllm.version("v0.20.1"), "0.20.0");
    assert_string_equal(hwl_engine_vllm.version("0.18.1rc1.dev147+g290809456"), "0.18.0");
    assert_string_equal(hwl_engine_vllm.version("0.31"), "0.30.0");
    assert_string_equal(hwl_engine_vllm.version("0.10.1"), "0.10.2");
    assert_string_equal(hwl_engine_vllm.version("0.6.3"), "0.6.4");
    assert_string_equal(hwl_engine_vllm.version("0.6.6.post1"), "0.6.6");
    assert_null(hwl_engine_vllm.version("0.36.0"));
    assert_null(hwl_engine_vllm.version("0.5.4"));
    assert_null(hwl_engine_vllm.version("1.0.0"));
    assert_null(hwl_engine_vllm.version("latest"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(llama_8b),          cmocka_unit_test(lengths), cmocka_unit_test(deepseek_v3),
                                       cmocka_unit_test(qwen3_next),        cmocka_unit_test(qwen3_5),
                                       cmocka_unit_test(deepseek_v4_flash), cmocka_unit_test(weights_over_ranks),
                                       cmocka_unit_test(versions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
