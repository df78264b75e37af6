/* SPDX-License-Identifier: Apache-2.0 */
/* Advice and ranges are proved: what they say is what a plan of its own says. */
#include "view/advice.h"
#include "view/charts.h"
#include "view/controls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit/tap.h"

struct set {
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner;
};

static void make(struct set *s, const char *model, const char *gpu, uint64_t ram_gib, const char *const *options)
{
    hwl_error e = {.offset = HWL_NO_OFFSET};
    assert_int_equal(hwl_model_open(model, NULL, &s->model, &e), HWL_OK);
    assert_int_equal(hwl_devices_new(&s->devices), HWL_OK);
    if (gpu && strchr("0123456789", *gpu))
        assert_int_equal(hwl_devices_add_gpu_memory(s->devices, gpu, &e), HWL_OK);
    else if (gpu)
        assert_int_equal(hwl_devices_add_gpu(s->devices, gpu, &e), HWL_OK);
    hwl_devices_set_ram(s->devices, ram_gib << 30, ram_gib << 30);
    assert_int_equal(hwl_settings_new(&s->settings), HWL_OK);
    for (; *options; options += 2)
        assert_int_equal(hwl_settings_set(s->settings, options[0], options[1], &e), HWL_OK);
    assert_int_equal(hwl_planner_new(s->model, s->devices, s->settings, &s->planner, &e), HWL_OK);
}

static void unmake(struct set *s)
{
    hwl_planner_free(s->planner);
    hwl_settings_free(s->settings);
    hwl_devices_free(s->devices);
    hwl_model_free(s->model);
}

static uint64_t gpus_use(const hwl_plan *plan, uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += hwl_plan_get_device(plan, i)->used_bytes;
    return sum;
}

static uint64_t all_use(const hwl_plan *plan)
{
    return gpus_use(plan, hwl_plan_n_devices(plan));
}

/* Same settings, option by option. */
static void same_settings(const hwl_settings *a, const hwl_settings *b)
{
    const hwl_option_info *o;
    char x[128], y[128];
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++) {
        assert_int_equal(hwl_settings_get(a, o->name, x, sizeof x), hwl_settings_get(b, o->name, y, sizeof y));
        assert_string_equal(x, y);
    }
}

/* Applies each in objects of its own and plans from the start, then takes it back. Returns how many fit. */
static uint32_t prove(const struct set *s, uint32_t *n)
{
    hwl_error e = {.offset = HWL_NO_OFFSET};
    hwl_advice advice[HWL_ADVICE_MAX];
    hwl_plan *now = NULL;
    uint32_t fit = 0;
    const uint32_t n_own = hwl_devices_gpus(s->devices);
    const hwl_status status = hwl_planner_plan(s->planner, s->devices, s->settings, &now, &e);
    assert_true(status == HWL_OK || status == HWL_E_REFUSED || status == HWL_E_UNSUPPORTED);
    assert_int_equal(hwl_advise(s->planner, s->devices, s->settings, advice, n, &e), HWL_OK);
    assert_true(*n <= HWL_ADVICE_MAX);
    for (uint32_t i = 0; i < *n; i++) {
        hwl_settings *settings = NULL;
        hwl_devices *devices = NULL;
        hwl_planner *planner = NULL;
        hwl_plan *plan = NULL;
        hwl_advice undo;
        struct hwl_view_advice row;
        assert_int_equal(hwl_settings_copy(s->settings, &settings), HWL_OK);
        assert_int_equal(hwl_devices_copy(s->devices, &devices), HWL_OK);
        assert_int_equal(hwl_advice_apply(&advice[i], settings, devices, &undo, &e), HWL_OK);
        assert_int_equal(hwl_planner_new(s->model, devices, settings, &planner, &e), HWL_OK);
        assert_int_equal(hwl_planner_plan(planner, devices, settings, &plan, &e), HWL_OK);
        assert_int_equal(hwl_plan_verdict(plan), advice[i].verdict);
        const hwl_plan_device *d = hwl_plan_get_device(plan, hwl_plan_speaker(plan));
        uint64_t sum = 0;
        for (int k = 0; k < HWL_KIND_COUNT; k++)
            sum += hwl_plan_total(plan, (hwl_kind)k);
        assert_int_equal(all_use(plan), sum);
        assert_int_equal(d->used_bytes, advice[i].used_bytes);
        assert_int_equal(d->usable_bytes, advice[i].usable_bytes);
        assert_int_equal(hwl_plan_context(plan, NULL), advice[i].context);
        assert_int_equal(hwl_plan_kv_tokens(plan), advice[i].kv_tokens);
        assert_int_equal(advice[i].verdict != HWL_VERDICT_EXCEEDS, advice[i].missing_bytes == 0);
        assert_true(!now || advice[i].verdict <= hwl_plan_verdict(now)); /* never worse */
        assert_true(!i || (advice[i - 1].verdict == HWL_VERDICT_EXCEEDS) <= (advice[i].verdict == HWL_VERDICT_EXCEEDS)); /* what fits first */
        uint64_t over = 0;
        for (uint32_t k = 0; k < hwl_plan_n_devices(plan); k++) {
            const hwl_plan_device *p = hwl_plan_get_device(plan, k);
            over += p->used_bytes > p->usable_bytes ? p->used_bytes - p->usable_bytes : 0;
        }
        assert_true(advice[i].missing_bytes >= over);
        if (i && advice[i].verdict == HWL_VERDICT_EXCEEDS && advice[i - 1].verdict == HWL_VERDICT_EXCEEDS)
            assert_true(advice[i - 1].missing_bytes <= advice[i].missing_bytes); /* the nearest first */
        const uint64_t before = now ? gpus_use(now, n_own) : 0, after = gpus_use(plan, n_own);
        const uint64_t all = now && all_use(now) > all_use(plan) ? all_use(now) - all_use(plan) : 0;
        assert_int_equal(advice[i].saves_bytes, after < before ? before - after : all);
        assert_true(*advice[i].cost && advice[i].n_changes);
        fit += advice[i].verdict != HWL_VERDICT_EXCEEDS;
        for (uint32_t k = 0; k < i; k++) /* no two alike */
            assert_int_not_equal(memcmp(advice[k].change, advice[i].change, sizeof advice[i].change), 0);
        hwl_view_advice(&advice[i], settings, &row);
        assert_true(*row.title && *row.gain && *row.result && *row.cost);
        assert_int_equal(hwl_advice_apply(&undo, settings, devices, NULL, &e), HWL_OK);
        same_settings(settings, s->settings);
        assert_int_equal(hwl_devices_gpus(devices), n_own);
        hwl_plan_free(plan);
        hwl_planner_free(planner);
        hwl_devices_free(devices);
        hwl_settings_free(settings);
    }
    hwl_plan_free(now);
    return fit;
}

static void advice(void **state)
{
    (void)state;
    static const char *const library[] = {"engine", "llama.cpp", "quant", "Q4_K_M", "ctx", "8k", "program", "library", NULL};
    static const char *const server[] = {"engine", "llama.cpp", "quant", "Q8_0", "ctx", "32k", NULL};
    static const char *const vllm[] = {"engine", "vllm", NULL};
    static const char *const tp[] = {"engine", "vllm", "tp", "2", NULL};
    static const char *const host[] = {"engine", "llama.cpp", "ctx", "8k", NULL};
    static const char *const slots[] = {"engine", "llama.cpp", "quant", "Q4_K_M", "ctx-total", "512k", "concurrency", "4", "program", "library", NULL};
    struct set s;
    uint32_t n;
    make(&s, "mixtral-8x7b", "RTX4090", 64, library);
    assert_true(prove(&s, &n) >= 3); /* experts, layers, quantisation */
    unmake(&s);
    make(&s, "llama-3.1-8b", "12GiB/11GiB", 64, server);
    (void)prove(&s, &n);
    unmake(&s);
    make(&s, "llama-3.1-8b", "24GiB", 64, vllm);
    assert_true(prove(&s, &n) >= 1); /* its context of 131,072 does not fit */
    unmake(&s);
    make(&s, "llama-3.1-70b", "H100x2", 64, tp);
    assert_true(prove(&s, &n) >= 1);
    unmake(&s);
    make(&s, "llama-3.1-8b", NULL, 6, host);
    assert_true(prove(&s, &n) >= 1);
    unmake(&s);
    make(&s, "llama-3.1-8b", "RTX4090", 64, slots);
    assert_true(prove(&s, &n) >= 1);
    unmake(&s);
    make(&s, "deepseek-v3", "RTX4090", 64, vllm); /* nothing is enough, but it says how far it is */
    assert_int_equal(prove(&s, &n), 0);
    assert_true(n > 0);
    unmake(&s);
}

/* ---- would anything fit? ---- */

/* A way to make a plan smaller: an option and values for it, the first is as asked. */
struct way {
    const char *engines, *option;
    const char *values[8];
};
static const struct way ways[] = {
    {"", "quant", {"*"}}, /* the smallest that the engine has */
    {"", "kv-type", {"*"}},
    {"", "ctx", {"2048"}},
    {"vllm sglang tensorrt-llm", "tp", {"2", "4", "8"}},
    {"llama.cpp ollama lm-studio", "ngl", {"0"}},
    {"vllm sglang", "cpu-offload", {"2GiB", "8GiB", "24GiB"}},
    {"vllm", "enforce-eager", {"true"}},
    {"vllm", "gpu-memory-utilization", {"0.85"}},
    {"vllm sglang", "max-seqs", {"8"}},
};
enum { WAYS = sizeof ways / sizeof *ways };

static bool works(const struct set *s, const hwl_settings *settings, bool fresh)
{
    hwl_planner *planner = NULL;
    hwl_plan *plan = NULL;
    bool fits = !fresh || hwl_planner_new(s->model, s->devices, settings, &planner, NULL) == HWL_OK;
    fits = fits && hwl_planner_plan(planner ? planner : s->planner, s->devices, settings, &plan, NULL) == HWL_OK &&
           hwl_plan_verdict(plan) != HWL_VERDICT_EXCEEDS;
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    return fits;
}

/* Any at most three ways together, on the devices that there are. */
static bool something_fits(const struct set *s, const char *engine, uint32_t from, uint32_t left, const hwl_settings *settings, bool fresh, char *how)
{
    if (works(s, settings, fresh))
        return true;
    for (uint32_t w = from; left && w < WAYS; w++) {
        if (*ways[w].engines && !strstr(ways[w].engines, engine))
            continue;
        for (uint32_t i = 0; ways[w].values[i]; i++) {
            const char *value = ways[w].values[i], *v;
            for (uint32_t k = 0; *value == '*' && (v = hwl_option_choice(engine, ways[w].option, k)); k++)
                if (!hwl_option_choice(engine, ways[w].option, k + 1))
                    value = v;
            hwl_settings *t = NULL;
            assert_int_equal(hwl_settings_copy(settings, &t), HWL_OK);
            const bool fits = *value != '*' && hwl_settings_set(t, ways[w].option, value, NULL) == HWL_OK &&
                              something_fits(s, engine, w + 1, left - 1, t, fresh || strcmp(ways[w].option, "quant") == 0, how);
            hwl_settings_free(t);
            if (fits) {
                (void)sprintf(how + strlen(how), " %s=%s", ways[w].option, value);
                return true;
            }
        }
    }
    return false;
}

/* Models on devices that are too small for them, under every engine: each advice is proved, and where anything would fit the first does. */
static void too_large(void **state)
{
    (void)state;
    static const char *const models[] = {"llama-3.1-8b", "mixtral-8x7b", "gemma-3-27b", "llama-3.1-70b", "gpt-oss-20b", "qwen3-30b-a3b"};
    static const struct {
        const char *gpu;
        uint32_t ram;
    } on[] = {{"RTX4090", 64}, {"RTX3060", 32}, {"8GiB/7GiB", 16}, {"RTX4090x4", 64}, {"A100-80GBx8", 512}, {NULL, 16}};
    uint32_t wrong = 0, tried = 0, fit = 0, refused = 0, slow = 0;
    clock_t all = 0, worst = 0;
    const char *engine;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++)
        for (size_t d = 0; d < sizeof on / sizeof *on; d++)
            for (uint32_t g = 0; (engine = hwl_engine_at(g, NULL)); g++) {
                const char *const options[] = {"engine", engine, (m + d) % 2 ? "ctx" : "concurrency", (m + d) % 2 ? "8k" : "2", NULL};
                struct set s;
                uint32_t n = 0;
                char how[300] = "";
                hwl_advice none[HWL_ADVICE_MAX];
                make(&s, models[m], on[d].gpu, on[d].ram, options);
                hwl_plan *plan = NULL;
                const hwl_status status = hwl_planner_plan(s.planner, s.devices, s.settings, &plan, NULL);
                const bool fits = status == HWL_OK && hwl_plan_verdict(plan) != HWL_VERDICT_EXCEEDS;
                hwl_plan_free(plan);
                if (!fits) {
                    const clock_t begin = clock();
                    assert_int_equal(hwl_advise(s.planner, s.devices, s.settings, none, &n, NULL), HWL_OK);
                    const clock_t took = clock() - begin;
                    all += took;
                    worst = took > worst ? took : worst;
                    slow += took > CLOCKS_PER_SEC / 10;
                    const uint32_t good = prove(&s, &n);
                    const bool could = !good && something_fits(&s, engine, 0, 3, s.settings, false, how);
                    tried++;
                    refused += status != HWL_OK;
                    fit += good > 0;
                    if (could && !good) {
                        print_error("%s on %s under %s: %u advices, none fits, but this would:%s\n", models[m], on[d].gpu ? on[d].gpu : "the CPU", engine, n, how);
                        wrong++;
                    }
                }
                unmake(&s);
            }
    print_message("%u plans that do not fit (%u refused): %u with advice that fits; %.1f ms each, %.1f at most, %u above 100\n", tried, refused, fit,
                  (double)all * 1000 / CLOCKS_PER_SEC / (tried ? tried : 1), (double)worst * 1000 / CLOCKS_PER_SEC, slow);
    assert_true(tried > 150);
    assert_int_equal(wrong, 0);
}

/* The two marks of a range against plans on both sides of them. */
static void check_range(const struct set *s, const char *option, bool expect_limit)
{
    hwl_error e = {.offset = HWL_NO_OFFSET};
    hwl_range r;
    assert_int_equal(hwl_planner_range(s->planner, s->devices, s->settings, option, &r, &e), HWL_OK);
    assert_true(r.least <= r.most);
    assert_int_equal(r.limit != HWL_UNKNOWN, expect_limit);
    if (r.limit == HWL_UNKNOWN)
        return;
    assert_true(r.limit >= r.least && r.limit <= r.most);
    for (int step = 0; step < 2; step++) {
        hwl_settings *settings = NULL;
        hwl_plan *plan = NULL;
        const uint64_t n = !step ? r.limit : r.falling ? r.limit - 1 : r.limit + 1;
        if (step && (r.falling ? r.limit == r.least : r.limit == r.most))
            break;
        assert_int_equal(hwl_settings_copy(s->settings, &settings), HWL_OK);
        assert_int_equal(hwl_settings_set_count(settings, option, n, &e), HWL_OK);
        const hwl_status status = hwl_planner_plan(s->planner, s->devices, settings, &plan, &e);
        assert_int_equal(status == HWL_OK && hwl_plan_verdict(plan) != HWL_VERDICT_EXCEEDS, !step);
        hwl_plan_free(plan);
        hwl_settings_free(settings);
    }
    if (r.recommended != HWL_UNKNOWN)
        assert_true(r.falling ? r.recommended >= r.limit : r.recommended <= r.limit);
}

static void ranges(void **state)
{
    (void)state;
    static const char *const library[] = {"engine", "llama.cpp", "quant", "Q4_K_M", "ctx", "8k", "program", "library", NULL};
    static const char *const vllm[] = {"engine", "vllm", NULL};
    struct set s;
    hwl_range r;
    make(&s, "mixtral-8x7b", "RTX4090", 64, library);
    check_range(&s, "ngl", true);
    check_range(&s, "n-cpu-moe", true);
    check_range(&s, "ctx", false); /* the weights alone are too much */
    assert_int_equal(hwl_planner_range(s.planner, s.devices, s.settings, "tp", &r, NULL), HWL_E_NOT_FOUND);
    unmake(&s);
    make(&s, "llama-3.1-8b", "RTX4090", 64, library);
    check_range(&s, "ctx", true);
    check_range(&s, "concurrency", true);
    check_range(&s, "ubatch", true);
    check_range(&s, "ngl", true);
    unmake(&s);
    make(&s, "llama-3.1-8b", "24GiB", 64, vllm);
    check_range(&s, "ctx", true);
    unmake(&s);
}

static void charts(void **state)
{
    (void)state;
    static const char *const library[] = {"engine", "llama.cpp", "quant", "Q4_K_M", "ctx", "8k", "program", "library", NULL};
    struct set s;
    struct hwl_chart c;
    struct hwl_chart_point p;
    hwl_error e = {.offset = HWL_NO_OFFSET};
    bool current = false;
    make(&s, "llama-3.1-8b", "RTX4090", 64, library);
    assert_int_equal(hwl_view_context_chart(s.planner, s.devices, s.settings, &c, &e), HWL_OK);
    assert_true(c.n >= 8 && c.n <= HWL_CHART_POINTS && c.limit != HWL_UNKNOWN);
    for (uint32_t i = 0; i < c.n; i++) {
        assert_true(!i || (c.point[i].x > c.point[i - 1].x && c.point[i].used >= c.point[i - 1].used));
        assert_int_equal(c.point[i].level == HWL_LEVEL_OVER, c.point[i].x > c.limit);
        assert_true(c.point[i].used <= c.top && c.point[i].usable <= c.top);
        current = current || (c.point[i].current && c.point[i].x == 8192);
    }
    assert_true(current);
    uint64_t weights = UINT64_MAX;
    uint32_t n = 0;
    for (uint32_t i = 0; hwl_view_quant_point(s.model, s.devices, s.settings, i, i == 5, &p); i++, n++) {
        assert_false(p.refused);
        assert_true(p.weights <= weights);
        weights = p.weights;
        assert_int_equal(p.current, strcmp(p.label, "Q4_K_M") == 0);
        assert_int_equal(p.max_context != HWL_UNKNOWN, i == 5);
    }
    assert_true(n >= 6);
    unmake(&s);
}

static void controls(void **state)
{
    (void)state;
    const char *const *versions, *engine;
    for (uint32_t e = 0; (engine = hwl_engine_at(e, &versions)); e++) {
        const struct hwl_control *c;
        for (uint32_t i = 0; (c = hwl_view_control(engine, i)); i++) {
            const hwl_option_info *o = NULL;
            for (uint32_t k = 0; (o = hwl_option_at(k)) && strcmp(o->name, c->option) != 0;)
                k++;
            assert_non_null(o); /* every control is an option */
            assert_true(*c->label && *c->brief);
        }
        for (uint32_t i = 0; i < 3; i++) { /* choices are taken by the option's own parser */
            static const char *const options[] = {"kv-type", "quant", "flash-attn"};
            hwl_settings *s = NULL;
            const char *v;
            assert_int_equal(hwl_settings_new(&s), HWL_OK);
            for (uint32_t k = 0; (v = hwl_option_choice(engine, options[i], k)); k++)
                assert_int_equal(hwl_settings_set(s, options[i], v, NULL), HWL_OK);
            hwl_settings_free(s);
        }
    }
    const hwl_range r = {.least = 1, .most = 131072};
    const struct hwl_control *ctx = hwl_view_control("llama.cpp", 0);
    assert_int_equal(hwl_view_control_step(ctx, &r, 8192, true, true), 16384);
    assert_int_equal(hwl_view_control_step(ctx, &r, 8192, false, true), 4096);
    assert_int_equal(hwl_view_control_step(ctx, &r, 9000, false, true), 8192);
    assert_int_equal(hwl_view_control_step(ctx, &r, 8192, true, false), 9216);
    assert_int_equal(hwl_view_control_step(ctx, &r, 131072, true, true), 131072);
    for (uint64_t n = 1; n < 131072;) { /* up and down meet */
        const uint64_t next = hwl_view_control_step(ctx, &r, n, true, false);
        assert_true(next > n);
        assert_int_equal(hwl_view_control_step(ctx, &r, next, false, false), n);
        n = next;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(advice), cmocka_unit_test(too_large), cmocka_unit_test(ranges), cmocka_unit_test(charts), cmocka_unit_test(controls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
