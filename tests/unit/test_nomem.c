/* SPDX-License-Identifier: Apache-2.0 */
/* Memory runs out at the n-th request, for every n: an error or a whole answer, never a crash or a leak (the sanitizers watch).
 * Linked with --wrap, so that each request of the library and of yyjson comes by here. */
#include "unit/tap.h"

#include <hwledger/hwledger.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long left = -1; /* requests until the one that fails; below 0: none fails */
static bool failed;
static unsigned refusals; /* answers that ended for want of memory */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool fails(void)
{
    if (left < 0)
        return false;
    if (left-- > 0)
        return false;
    failed = true;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

static hwl_status answer(const char *name, const char *engine, const char *quant, hwl_error *e)
{
    hwl_model *model = NULL;
    hwl_devices *devices = NULL;
    hwl_settings *settings = NULL;
    hwl_planner *planner = NULL;
    hwl_plan *plan = NULL;
    char *text = NULL;
    uint64_t length;
    hwl_status s = hwl_model_open(name, NULL, &model, e);
    if (s == HWL_OK)
        s = hwl_devices_new(&devices);
    if (s == HWL_OK)
        s = hwl_devices_add_gpu(devices, "H100-80GBx2", e);
    if (s == HWL_OK)
        s = hwl_settings_new(&settings);
    if (s == HWL_OK)
        s = hwl_settings_set(settings, "engine", engine, e);
    if (s == HWL_OK && quant)
        s = hwl_settings_set(settings, "quant", quant, e);
    if (s == HWL_OK)
        s = hwl_settings_set(settings, "ctx", "4096", e);
    if (s == HWL_OK)
        s = hwl_planner_new(model, devices, settings, &planner, e);
    if (s == HWL_OK)
        s = hwl_planner_plan(planner, devices, settings, &plan, e);
    if (s == HWL_OK)
        s = hwl_plan_json(plan, NULL, &text, &length, e);
    hwl_text_free(text);
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
    return s;
}

static void exhaust(const char *name, const char *engine, const char *quant)
{
    hwl_error e;
    char text[1200];
    left = -1;
    if (answer(name, engine, quant, &e) != HWL_OK)
        fail_msg("%s %s: %s", name, engine, hwl_error_text(&e, text, sizeof text));
    for (long n = 0;; n += n < 64 ? 1 : n / 16) {
        left = n;
        failed = false;
        const hwl_status s = answer(name, engine, quant, &e);
        left = -1;
        if (s != HWL_OK && s != HWL_E_NOMEM)
            fail_msg("%s %s, request %ld: status %d, %s", name, engine, n, (int)s, hwl_error_text(&e, text, sizeof text));
        refusals += s == HWL_E_NOMEM;
        if (!failed) {
            assert_int_equal(s, HWL_OK);
            return;
        }
    }
}

static void every_engine(void **state)
{
    (void)state;
    static const char *const models[] = {"llama-3.1-8b", "deepseek-v3", "qwen3-next-80b-a3b", "gemma-4-e2b", "granite-4.0-h-small"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        exhaust(models[i], "llama.cpp", "Q4_K_M");
        exhaust(models[i], "vllm", NULL);
        exhaust(models[i], "transformers", NULL);
    }
    assert_in_range(refusals, 200, 1000000);
    print_message("%u answers ended for want of memory\n", refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_engine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
