/* SPDX-License-Identifier: Apache-2.0 */
/* llama.cpp's compute graphs: leaving out layers that repeat others changes nothing. */
#include "unit/tap.h"

#include "arch/model.h"
#include "engine/llamacpp/convert.h"
#include "engine/llamacpp/graph/compute.h"
#include "engine/llamacpp/hparams.h"
#include "engine/llamacpp/params.h"
#include "engine/llamacpp/quant_rules.h"

#include <hwledger/hwledger.h>

#include <string.h>

struct loaded {
    hwl_model *model;
    struct hwl_arena arena;
    struct lc_model m;
    struct lc_digest digest;
};

/* The file that the model would become; false: llama.cpp has no such architecture. */
static bool load(struct loaded *o, const char *name, const char *mixture)
{
    hwl_error e;
    struct hwl_gguf *g;
    memset(o, 0, sizeof *o);
    if (hwl_model_open(name, NULL, &o->model, &e) != HWL_OK)
        return false;
    return hwl_lc_convert(o->model, &o->arena, &g, &e) == HWL_OK &&
           (!*mixture || hwl_lc_quantise(g, hwl_lc_ftype(mixture), &o->arena, &e) == HWL_OK) && hwl_lc_read(g, &o->arena, &o->m, &e) == HWL_OK &&
           hwl_lc_read_tensors(&o->arena, &o->m, &e) == HWL_OK && hwl_lc_digest(&o->m, &o->arena, &o->digest, &e) == HWL_OK;
}

static void unload(struct loaded *o)
{
    hwl_arena_free(&o->arena);
    hwl_model_free(o->model);
}

struct setting {
    uint32_t gpus; /* of 400 GiB */
    const char *option[6][2];
};

/* Whether there is a graph, and the layers that were left out. */
static bool same_both_ways(struct loaded *o, const char *name, const struct setting *s, uint32_t *left_out)
{
    hwl_error e;
    hwl_devices *devices;
    hwl_settings *settings;
    struct hwl_arena arena = {0}, scratch = {0};
    struct lc_compute few, whole;
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    for (uint32_t i = 0; i < s->gpus; i++)
        assert_int_equal(hwl_devices_add_gpu_memory(devices, "400GiB", &e), HWL_OK);
    for (int i = 0; i < 6 && s->option[i][0]; i++)
        if (hwl_settings_set(settings, s->option[i][0], s->option[i][1], &e) != HWL_OK)
            fail_msg("%s %s", s->option[i][0], s->option[i][1]);
    struct lc_plan p = {.m = &o->m, .digest = &o->digest, .devices = devices, .settings = settings, .arena = &arena, .error = &e};
    bool built = hwl_lc_params(&p) == HWL_OK && hwl_lc_check(&p) == HWL_OK && hwl_lc_place(&p) == HWL_OK;
    if (built) {
        built = hwl_lc_compute(&o->m, &p.params, &p.place, &scratch, &few, NULL);
        assert_int_equal(hwl_lc_compute_whole(&o->m, &p.params, &p.place, &scratch, &whole, NULL), built);
        assert_int_equal(whole.left_out, 0);
        for (uint32_t i = 0; built && i <= p.place.n_gpus; i++)
            if (few.bytes[i] != whole.bytes[i])
                fail_msg("%s, setting %s ...: device %u wants %llu, %llu with the repeated layers left out", name, s->option[0][1], i,
                         (unsigned long long)whole.bytes[i], (unsigned long long)few.bytes[i]);
        assert_int_equal(few.fa, whole.fa);
        assert_int_equal(few.exact, whole.exact);
        *left_out = few.left_out;
        struct lc_compute a, b;
        assert_int_equal(hwl_lc_compute(&o->m, &p.params, &p.place, &scratch, NULL, &a),
                         hwl_lc_compute_whole(&o->m, &p.params, &p.place, &scratch, NULL, &b));
        assert_memory_equal(a.bytes, b.bytes, sizeof a.bytes);
    }
    hwl_arena_free(&scratch);
    hwl_arena_free(&arena);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    return built;
}

static const struct setting cases[] = {
    {1, {{"ctx", "8192"}}},
    {0, {{"ctx", "4096"}}},
    {1, {{"ctx", "32768"}, {"concurrency", "4"}, {"kv-type", "q8_0"}, {"program", "library"}}},
    {1, {{"ctx", "2048"}, {"flash-attn", "off"}, {"ubatch", "64"}, {"concurrency", "3"}, {"kv-unified", "false"}}},
    {4, {{"ctx", "16384"}, {"tensor-split", "4,1,2,3"}}},
    {8, {{"ctx", "4096"}, {"flash-attn", "off"}}},
    {1, {{"ctx", "8192"}, {"ngl", "14"}}},
    {2, {{"ctx", "8192"}, {"ngl", "21"}, {"op-offload", "false"}}},
    {1, {{"ctx", "8192"}, {"kv-offload", "false"}}},
    {1, {{"ctx", "8192"}, {"ngl", "17"}, {"kv-offload", "false"}, {"concurrency", "4"}}},
    {1, {{"ctx", "8192"}, {"n-cpu-moe", "20"}}},
    {2, {{"ctx", "8192"}, {"override-tensor", "ffn_(up|down)=CPU"}}},
    {3, {{"ctx", "8192"}, {"override-tensor", "\\.1[0-9]\\..*=CPU"}, {"swa-full", "true"}}},
};

static void repeated_layers_may_be_left_out(void **state)
{
    enum { EACH = 4, N = sizeof cases / sizeof *cases };
    unsigned n = 0, left = 0, models = 0;
    (void)state;
    const hwl_catalogue_model *c;
    for (uint32_t i = 0; (c = hwl_catalogue_at(i)); i++) {
        struct loaded o;
        if (load(&o, c->name, i % 3 ? "Q4_K_M" : "")) {
            unsigned built = 0;
            for (uint32_t k = 0; k < EACH; k++) { /* all settings in turn over the models */
                uint32_t out = 0;
                built += same_both_ways(&o, c->name, &cases[(i * EACH + k) % N], &out);
                left += out > 0;
            }
            n += built;
            models += built > 0;
        }
        unload(&o);
    }
    assert_in_range(models, 60, 1000);
    assert_in_range(left, n * 2 / 3, n); /* most plans are short ones */
}

static void a_plain_model_is_built_once(void **state)
{
    static const struct setting plain = {1, {{"ctx", "8192"}}};
    struct loaded o;
    uint32_t out = 0;
    (void)state;
    assert_true(load(&o, "llama-3.1-8b", "Q4_K_M"));
    assert_true(same_both_ways(&o, "llama-3.1-8b", &plain, &out));
    assert_int_equal(out, 32 - 5); /* two before the two that are compared, and the last */
    unload(&o);
}

/* Weights at the peak are those of the figure: largest first, and together the buffer. */
static void a_buffer_is_told_by_its_tensors(void **state)
{
    hwl_error e;
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner;
    hwl_plan *plan;
    unsigned n = 0;
    (void)state;
    assert_int_equal(hwl_model_open("llama-3.1-8b", NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu_memory(devices, "24GiB", &e), HWL_OK);
    const char *const options[][2] = {{"engine", "llama.cpp"}, {"quant", "Q4_K_M"}, {"ctx", "8192"}, {"program", "library"}};
    for (int i = 0; i < 4; i++)
        assert_int_equal(hwl_settings_set(settings, options[i][0], options[i][1], &e), HWL_OK);
    assert_int_equal(hwl_planner_new(model, devices, settings, &planner, &e), HWL_OK);
    assert_int_equal(hwl_planner_plan(planner, devices, settings, &plan, &e), HWL_OK);
    assert_null(hwl_plan_piece(plan, 0, 0));
    assert_int_equal(hwl_planner_explain(planner, devices, settings, plan, &e), HWL_OK);
    for (uint32_t i = 0; i < hwl_plan_n_entries(plan); i++) {
        const hwl_entry *entry = hwl_plan_entry(plan, i);
        const hwl_piece *piece = hwl_plan_piece(plan, i, 0);
        if (entry->kind != HWL_KIND_COMPUTE) {
            assert_null(piece);
            continue;
        }
        uint64_t sum = 0, last = UINT64_MAX;
        assert_non_null(piece);
        if (entry->device == 0) /* 258.5 MiB: the logits of 512 rows of 128,256 words and what they are made of */
            assert_string_equal(piece->name, "MUL_MAT with output.weight");
        for (uint32_t k = 0; (piece = hwl_plan_piece(plan, i, k)); k++) {
            assert_true(piece->bytes <= last || !strcmp(piece->name, "free between them"));
            last = piece->bytes;
            sum += piece->bytes;
        }
        assert_int_equal(sum, entry->bytes);
        n++;
    }
    assert_int_equal(n, 2);
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_buffer_is_told_by_its_tensors), cmocka_unit_test(a_plain_model_is_built_once), cmocka_unit_test(repeated_layers_may_be_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
