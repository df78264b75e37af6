/* SPDX-License-Identifier: Apache-2.0 */
/* What llama.cpp loads beside the model: a draft, a projector, adapters. */
#include "unit/gguf_writer.h"
#include "unit/tap.h"

#include <hwledger/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct made {
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner;
    hwl_plan *plan;
};

/* options: name, value, ..., NULL */
static void make(struct made *m, const char *model, const char *gpus, const char *const *options)
{
    hwl_error e = {0};
    memset(m, 0, sizeof *m);
    assert_int_equal(hwl_model_open(model, NULL, &m->model, &e), HWL_OK);
    assert_int_equal(hwl_devices_new(&m->devices), HWL_OK);
    if (gpus)
        assert_int_equal(hwl_devices_add_gpu(m->devices, gpus, &e), HWL_OK);
    hwl_devices_set_ram(m->devices, (uint64_t)1 << 38, (uint64_t)1 << 38);
    assert_int_equal(hwl_settings_new(&m->settings), HWL_OK);
    assert_int_equal(hwl_settings_set(m->settings, "engine", "llama.cpp", &e), HWL_OK);
    for (; *options; options += 2)
        assert_int_equal(hwl_settings_set(m->settings, options[0], options[1], &e), HWL_OK);
    assert_int_equal(hwl_planner_new(m->model, m->devices, m->settings, &m->planner, &e), HWL_OK);
    assert_int_equal(hwl_planner_plan(m->planner, m->devices, m->settings, &m->plan, &e), HWL_OK);
}

static void unmake(struct made *m)
{
    hwl_plan_free(m->plan);
    hwl_planner_free(m->planner);
    hwl_settings_free(m->settings);
    hwl_devices_free(m->devices);
    hwl_model_free(m->model);
}

/* Bytes of that kind on a device; component HWL_COMP_COUNT: of all. */
static uint64_t bytes(const hwl_plan *plan, uint32_t device, hwl_kind kind, hwl_component component)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < hwl_plan_n_entries(plan); i++) {
        const hwl_entry *e = hwl_plan_entry(plan, i);
        if (e->device == device && e->kind == kind && (component == HWL_COMP_COUNT || e->component == component))
            sum += e->bytes;
    }
    return sum;
}

/* A draft takes what it would take alone with the context and slots of its target, but not its cache type and layers. */
static void a_draft_is_a_model(void **state)
{
    static const hwl_kind kinds[] = {HWL_KIND_WEIGHTS, HWL_KIND_KV_CACHE, HWL_KIND_COMPUTE, HWL_KIND_OUTPUT};
    struct made both, target, alone;
    (void)state;
    make(&both, "llama-3.1-8b", "RTX4090x2",
         (const char *const[]){"ctx", "8192", "concurrency", "3", "kv-type", "q8_0", "ngl", "20", "draft", "llama-3.2-1b", NULL});
    make(&target, "llama-3.1-8b", "RTX4090x2",
         (const char *const[]){"ctx", "8192", "concurrency", "3", "kv-type", "q8_0", "ngl", "20", "draft-max", "3", NULL});
    make(&alone, "llama-3.2-1b", "RTX4090x2", (const char *const[]){"ctx", "8192", "concurrency", "3", NULL});
    for (uint32_t d = 0; d < 3; d++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            const uint64_t draft = bytes(both.plan, d, kinds[k], HWL_COMP_DRAFT), want = bytes(alone.plan, d, kinds[k], HWL_COMP_COUNT);
            assert_int_equal(draft, want);
            assert_int_equal(bytes(both.plan, d, kinds[k], HWL_COMP_COUNT), want + bytes(target.plan, d, kinds[k], HWL_COMP_COUNT));
        }
    assert_true(bytes(both.plan, 1, HWL_KIND_WEIGHTS, HWL_COMP_DRAFT) > 0);
    unmake(&both);
    unmake(&target);
    unmake(&alone);
}

/* The draft's own layers, cache type, devices and experts are those of a model that is given them alone. */
static void a_draft_has_options_of_its_own(void **state)
{
    static const hwl_kind kinds[] = {HWL_KIND_WEIGHTS, HWL_KIND_KV_CACHE, HWL_KIND_OUTPUT, HWL_KIND_COMPUTE};
    static const char *const with[] = {"ctx", "8192", "kv-type", "q8_0", "ngl", "20", "draft", "llama-3.2-1b", "draft-ngl", "9", "draft-kv-type", "q8_0,q4_0", "draft-device", "CUDA1", "draft-override-tensor", "ffn_up=CPU", NULL};
    struct made both, target, alone;
    (void)state;
    make(&both, "llama-3.1-8b", "RTX4090x2", with);
    make(&target, "llama-3.1-8b", "RTX4090x2", (const char *const[]){"ctx", "8192", "kv-type", "q8_0", "ngl", "20", "draft-max", "3", NULL});
    make(&alone, "llama-3.2-1b", "RTX4090x2", (const char *const[]){"ctx", "8192", "ngl", "9", "kv-type", "q8_0,q4_0", "device", "1", "override-tensor", "ffn_up=CPU", NULL});
    for (uint32_t d = 0; d < 3; d++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            const uint64_t want = bytes(alone.plan, d, kinds[k], HWL_COMP_COUNT);
            assert_int_equal(bytes(both.plan, d, kinds[k], HWL_COMP_DRAFT), want);
            assert_int_equal(bytes(both.plan, d, kinds[k], HWL_COMP_COUNT), want + bytes(target.plan, d, kinds[k], HWL_COMP_COUNT));
        }
    assert_int_equal(bytes(both.plan, 0, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT), 0);
    assert_true(bytes(both.plan, 1, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT) > 0);
    unmake(&both);
    unmake(&target);
    unmake(&alone);
}

/* --fit counts the draft: with it fewer layers of the model find room. */
static void fit_leaves_room_for_a_draft(void **state)
{
    char with[32], without[32];
    struct made m;
    (void)state;
    make(&m, "llama-3.1-8b", "RTX4090", (const char *const[]){"ctx", "65536", "program", "llama-server", "fit", "on", NULL});
    assert_true(hwl_plan_setting(m.plan, "ngl", without, sizeof without));
    unmake(&m);
    make(&m, "llama-3.1-8b", "RTX4090",
         (const char *const[]){"ctx", "65536", "program", "llama-server", "fit", "on", "draft", "llama-3.2-1b", NULL});
    assert_true(hwl_plan_setting(m.plan, "ngl", with, sizeof with));
    assert_true(atoi(with) < atoi(without));
    assert_true(hwl_plan_get_device(m.plan, 0)->verdict != HWL_VERDICT_EXCEEDS);
    unmake(&m);
}

/* Q8_0, 2 rows of 64: 136 B, on a GPU 476 B of row padding more; F32, 5 elements: 20 B. */
static void a_projector_lies_on_the_first_gpu(void **state)
{
    static struct writer w;
    char path[] = "/tmp/hwl-mmproj-XXXXXX";
    struct made m;
    (void)state;
    w_head(&w, 3, false, 2, 1);
    w_kv(&w, "general.architecture", 8);
    w_str(&w, "clip");
    w_tensor(&w, "v.blk.0.attn_q.weight", 64, 2, 8, 0);
    w_tensor(&w, "mm.0.bias", 5, 1, 0, 160);
    w_pad(&w, 32);
    w_zeros(&w, 160 + 32);
    const int f = mkstemp(path);
    assert_true(f >= 0);
    assert_int_equal(write(f, w.data, w.n), (ssize_t)w.n);
    assert_int_equal(close(f), 0);
    make(&m, "llama-3.2-1b", "RTX4090x2", (const char *const[]){"ctx", "4096", "main-gpu", "1", "mmproj", path, NULL});
    assert_int_equal(bytes(m.plan, 0, HWL_KIND_WEIGHTS, HWL_COMP_VISION), 640);
    assert_int_equal(bytes(m.plan, 0, HWL_KIND_WEIGHTS, HWL_COMP_PROJECTOR), 128);
    unmake(&m);
    make(&m, "llama-3.2-1b", "RTX4090x2", (const char *const[]){"ctx", "4096", "mmproj", path, "mmproj-device", "CUDA1", NULL});
    assert_int_equal(bytes(m.plan, 1, HWL_KIND_WEIGHTS, HWL_COMP_VISION), 640);
    assert_int_equal(bytes(m.plan, 0, HWL_KIND_WEIGHTS, HWL_COMP_VISION), 0);
    unmake(&m);
    make(&m, "llama-3.2-1b", "RTX4090x2", (const char *const[]){"ctx", "4096", "mmproj", path, "mmproj-offload", "false", NULL});
    assert_int_equal(bytes(m.plan, 2, HWL_KIND_WEIGHTS, HWL_COMP_VISION), 160);
    unmake(&m);
    make(&m, "llama-3.2-1b", NULL, (const char *const[]){"ctx", "4096", "mmproj", path, NULL});
    assert_int_equal(bytes(m.plan, 0, HWL_KIND_WEIGHTS, HWL_COMP_VISION), 160);
    assert_int_equal(bytes(m.plan, 0, HWL_KIND_WEIGHTS, HWL_COMP_PROJECTOR), 32);
    unmake(&m);
    assert_int_equal(unlink(path), 0);
}

/* Llama 3.2 1B: q and o 2048 x 2048, k and v 2048 x 512, gate and up 2048 x 8192, down 8192 x 2048; two adapters of rank 16
 * and one of rank 8, f32: rank x (in + out) x 4 B of each matrix of 16 layers, all multiples of 128 B. */
static void adapters_lie_beside_their_matrices(void **state)
{
    const uint64_t sides = 2 * (2048 + 2048) + 2 * (2048 + 512) + 3 * (2048 + 8192), layer = (2 * 16 + 8) * sides * 4;
    struct made m;
    (void)state;
    make(&m, "llama-3.2-1b", "RTX4090x2", (const char *const[]){"ctx", "4096", "ngl", "13", "lora", "16x2", "lora", "8", NULL});
    assert_int_equal(bytes(m.plan, 2, HWL_KIND_WEIGHTS, HWL_COMP_LORA), 4 * layer); /* 12 layers and the output on GPUs */
    assert_int_equal(bytes(m.plan, 0, HWL_KIND_WEIGHTS, HWL_COMP_LORA) + bytes(m.plan, 1, HWL_KIND_WEIGHTS, HWL_COMP_LORA), 12 * layer);
    assert_true(bytes(m.plan, 1, HWL_KIND_WEIGHTS, HWL_COMP_LORA) >= 5 * layer);
    unmake(&m);
}

/* A of 2048 x 4 and B of 4 x 512 in f32: 32,768 and 8,192 B of layer 15, on the GPU that has it; another name is refused. */
static void adapters_of_files(void **state)
{
    static struct writer w;
    static unsigned char data[32768 + 8192];
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        char path[] = "/tmp/hwl-lora-XXXXXX.gguf";
        struct made m;
        hwl_error e = {0};
        hwl_plan *plan = NULL;
        w_head(&w, 3, false, 2, 1);
        w_kv(&w, "general.architecture", 8);
        w_str(&w, "llama");
        w_tensor(&w, "blk.15.attn_k.weight.lora_a", 2048, 4, 0, 0);
        w_tensor(&w, wrong ? "blk.15.attn_z.weight.lora_b" : "blk.15.attn_k.weight.lora_b", 4, 512, 0, 32768);
        w_pad(&w, 32);
        const int f = mkstemps(path, 5);
        assert_true(f >= 0);
        assert_int_equal(write(f, w.data, w.n), (ssize_t)w.n);
        assert_int_equal(write(f, data, sizeof data), (ssize_t)sizeof data);
        assert_int_equal(close(f), 0);
        make(&m, "llama-3.2-1b", "RTX4090x2", (const char *const[]){"ctx", "4096", NULL});
        assert_int_equal(hwl_settings_set(m.settings, "lora", path, &e), HWL_OK);
        hwl_planner_free(m.planner);
        assert_int_equal(hwl_planner_new(m.model, m.devices, m.settings, &m.planner, &e), HWL_OK);
        assert_int_equal(hwl_planner_plan(m.planner, m.devices, m.settings, &plan, &e), wrong ? HWL_E_REFUSED : HWL_OK);
        if (!wrong)
            assert_int_equal(bytes(plan, 1, HWL_KIND_WEIGHTS, HWL_COMP_LORA), 32768 + 8192);
        hwl_plan_free(plan);
        unmake(&m);
        assert_int_equal(unlink(path), 0);
    }
}

static void adapters_are_ranks(void **state)
{
    static const char *const bad[] = {"0", "x2", "16x", "16x0", "16y2", "-16", "65537", "99999999999999999999", "adapter.gguf"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct made m;
        hwl_error e = {0};
        make(&m, "llama-3.2-1b", NULL, (const char *const[]){"ctx", "4096", NULL});
        assert_int_equal(hwl_settings_set(m.settings, "lora", bad[i], &e), HWL_OK);
        assert_int_equal(hwl_planner_replan(m.planner, m.devices, m.settings, m.plan, &e), HWL_E_USAGE);
        unmake(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_is_a_model), cmocka_unit_test(a_draft_has_options_of_its_own),
        cmocka_unit_test(fit_leaves_room_for_a_draft),
        cmocka_unit_test(a_projector_lies_on_the_first_gpu),
        cmocka_unit_test(adapters_lie_beside_their_matrices),
        cmocka_unit_test(adapters_of_files),
        cmocka_unit_test(adapters_are_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
