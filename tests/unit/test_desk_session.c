/* SPDX-License-Identifier: Apache-2.0 */
/* The state behind the desktop's window, without a window: undo, plan files, the command line, and no growth over many slider steps. */
#include "gtk/session.h"

#include <hwledger/search.h>

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* There with AddressSanitizer only. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t in_use(void)
{
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : mallinfo2().uordblks;
}

static const char file[] = "[Plan]\nVersion=1\nModel=llama-3.1-8b\n[Devices]\nDetected=false\nGPUs=gpu=RTX4090;gpu-memory=24G/20G;\n"
                           "RAM=64G\n[Settings]\nengine=vllm\nctx=8192\n";

static struct hwl_session *opened(const char *text)
{
    hwl_error error;
    struct hwl_session *s = hwl_session_new();
    struct hwl_ask *ask = hwl_ask_parse(text, strlen(text), &error);
    hwl_model *model = NULL;
    hwl_plan *plan = NULL;
    assert_non_null(ask);
    hwl_session_take_ask(s, ask, false);
    assert_false(s->failed);
    assert_int_equal(hwl_model_open(s->ask->model, NULL, &model, &error), HWL_OK);
    struct hwl_model_box *box = hwl_model_box_new(model);
    struct hwl_planner_box *planner = hwl_planner_box_new(box, s->devices, s->ask->settings, &error);
    assert_non_null(planner);
    assert_int_equal(hwl_planner_plan(planner->planner, s->devices, s->ask->settings, &plan, &error), HWL_OK);
    hwl_session_take(s, planner, plan);
    hwl_planner_box_unref(planner);
    hwl_model_box_unref(box);
    return s;
}

static uint64_t total(const struct hwl_session *s)
{
    uint64_t sum = 0;
    for (int k = 0; k < HWL_KIND_COUNT; k++)
        sum += hwl_plan_total(s->plan, (hwl_kind)k);
    return sum;
}

static void plan_file_and_back(void **state)
{
    hwl_error error;
    (void)state;
    struct hwl_ask *ask = hwl_ask_parse(file, strlen(file), &error);
    char *text = hwl_ask_text(ask);
    struct hwl_ask *again = hwl_ask_parse(text, strlen(text), &error);
    char *twice = hwl_ask_text(again), *command = hwl_ask_command(again, "--json");
    assert_string_equal(text, twice);
    assert_string_equal(command, "hwledger plan llama-3.1-8b --gpu RTX4090 --gpu-memory 24G/20G --ram 64G --engine vllm --ctx 8192 --json");
    g_free(command);
    g_free(twice);
    g_free(text);
    hwl_ask_free(again);
    hwl_ask_free(ask);
}

static const char *value_for(const hwl_option_info *o)
{
    switch (o->type) {
    case HWL_TYPE_FLAG: return "false";
    case HWL_TYPE_COUNT: return "12345";
    case HWL_TYPE_INT: return "-3";
    case HWL_TYPE_BYTES: return "1234567";
    case HWL_TYPE_REAL: return "0.8125";
    case HWL_TYPE_TEXT: return "a;b,c = \"d\" \\ \xc3\xa9 #";
    case HWL_TYPE_LIST: break;
    }
    return "x;y, blk\\.1\\..*=CPU";
}

static void assert_same(const struct hwl_ask *a, const struct hwl_ask *b)
{
    const hwl_option_info *o;
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++) {
        char *x = hwl_view_setting(a->settings, o->name), *y = hwl_view_setting(b->settings, o->name);
        if (!x || !y || strcmp(x, y) != 0)
            fail_msg("--%s: '%s' became '%s'", o->name, x ? x : "(none)", y ? y : "(none)");
        free(x);
        free(y);
        for (uint32_t k = 0; o->type == HWL_TYPE_LIST && k < 4; k++) {
            x = hwl_view_setting_item(a->settings, o->name, k);
            y = hwl_view_setting_item(b->settings, o->name, k);
            assert_true(!x == !y && (!x || strcmp(x, y) == 0));
            assert_true((x != NULL) == (k < 3));
            free(x);
            free(y);
        }
    }
}

/* Every option set to something that is not plain; lists with three items, one of them long. */
static struct hwl_ask *everything(void)
{
    hwl_error error;
    const hwl_option_info *o;
    char *text = g_strnfill(3000, 'z');
    struct hwl_ask *ask = hwl_ask_parse(file, strlen(file), &error);
    ask->generic = true;
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++) {
        assert_int_equal(hwl_settings_set(ask->settings, o->name, value_for(o), &error), HWL_OK);
        if (o->type == HWL_TYPE_LIST) {
            assert_int_equal(hwl_settings_set(ask->settings, o->name, text, &error), HWL_OK);
            assert_int_equal(hwl_settings_set(ask->settings, o->name, ";", &error), HWL_OK);
        }
    }
    assert_int_equal(hwl_settings_set(ask->settings, "cudagraph-sizes", text, &error), HWL_OK);
    g_free(text);
    return ask;
}

static void every_option_is_kept(void **state)
{
    hwl_error error;
    (void)state;
    struct hwl_ask *ask = everything();
    char *text = hwl_ask_text(ask);
    struct hwl_ask *again = hwl_ask_parse(text, strlen(text), &error);
    assert_non_null(again);
    assert_same(ask, again);
    assert_true(again->generic && !again->detected && again->gpus->len == 2);
    char *command = hwl_ask_command(ask, "");
    assert_non_null(strstr(command, " --generic "));
    assert_non_null(strstr(command, " --lora 'x;y, blk"));
    assert_non_null(strstr(command, " --lora ';'"));
    g_free(command);
    g_free(text);
    hwl_ask_free(again);
    hwl_ask_free(ask);
}

/* A plan document as its writer makes it, with these words as the request. */
static char *document_of(char *const *words, uint32_t n)
{
    char *json = NULL, *copy;
    uint64_t length = 0;
    hwl_error error;
    struct hwl_session *s = opened(file);
    assert_int_equal(hwl_plan_json_asked(s->plan, NULL, NULL, 0, (const char *const *)words, n, &json, &length, &error), HWL_OK);
    copy = g_strndup(json, length);
    hwl_text_free(json);
    hwl_session_free(s);
    return copy;
}

static void documents_open(void **state)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    (void)state;
    struct hwl_ask *ask = everything();
    struct hwl_view_request r = {.word = NULL};
    hwl_ask_request(ask, &r);
    assert_false(r.failed);
    char *json = document_of(r.word, r.n);
    struct hwl_ask *again = hwl_ask_from_document(json, strlen(json), &error);
    assert_non_null(again);
    assert_same(ask, again);
    char *x = hwl_ask_text(ask), *y = hwl_ask_text(again);
    assert_string_equal(x, y);
    g_free(x);
    g_free(y);
    g_free(json);
    hwl_view_request_free(&r);
    hwl_ask_free(ask);
    hwl_ask_free(again);
    /* the engine's own options behind --, and the CPU alone */
    char *words[] = {"llama-3.1-8b", "--gpu=none", "--engine=llama.cpp", "--", "-c", "4096"};
    char value[32];
    json = document_of(words, 6);
    again = hwl_ask_from_document(json, strlen(json), &error);
    assert_non_null(again);
    assert_true(!again->detected && !again->gpus->len && hwl_settings_get(again->settings, "ctx-total", value, sizeof value));
    assert_string_equal(value, "4096");
    hwl_ask_free(again);
    g_free(json);
}

static void bad_documents(void **state)
{
    static const struct {
        const char *text;
        hwl_status status;
    } bad[] = {
        {"", HWL_E_NOT_FOUND}, {"{", HWL_E_NOT_FOUND}, {"[]", HWL_E_NOT_FOUND}, {"{\"model_type\": \"llama\"}", HWL_E_NOT_FOUND},
        {"{\"schema\": \"hwledger.plan/1\"}", HWL_E_UNSUPPORTED}, {"{\"schema\": \"hwledger.plan/1\", \"request\": 3}", HWL_E_FORMAT},
        {"{\"schema\": \"hwledger.plan/1\", \"request\": [3]}", HWL_E_FORMAT}, {"{\"schema\": \"hwledger.plan/1\", \"request\": []}", HWL_E_FORMAT},
        {"{\"schema\": \"hwledger.plan/1\", \"request\": [\"m\", \"--ctx\"]}", HWL_E_FORMAT},
        {"{\"schema\": \"hwledger.plan/1\", \"request\": [\"m\", \"n\"]}", HWL_E_FORMAT},
        {"{\"schema\": \"hwledger.plan/1\", \"request\": [\"m\\u0000n\"]}", HWL_E_FORMAT},
        {"{\"schema\": \"hwledger.plan/1\", \"request\": [\"m\", \"--no-such=1\"]}", HWL_E_USAGE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        hwl_error error = {.offset = HWL_NO_OFFSET};
        assert_null(hwl_ask_from_document(bad[i].text, strlen(bad[i].text), &error));
        if (error.status != bad[i].status)
            fail_msg("%s: %d: %s", bad[i].text, error.status, error.message);
        assert_true(*error.message);
    }
}

static bool enough(void *user)
{
    int *left = user;
    return (*left)-- <= 0;
}

static void opening_ends_where_it_is_not_wanted(void **state)
{
    (void)state;
    for (int calls = 0; calls < 2; calls++) {
        int left = calls;
        hwl_error error = {.offset = HWL_NO_OFFSET};
        hwl_model *model = NULL;
        const hwl_open_options options = {.stop = enough, .user = &left};
        const hwl_status status = hwl_model_open("llama-3.1-8b", &options, &model, &error);
        assert_int_equal(status, calls ? HWL_OK : HWL_E_CANCELLED); /* a catalogue's model asks once, when it is whole */
        hwl_model_free(model);
    }
}

static void bad_plan_files(void **state)
{
    static const char *const bad[] = {"", "[", "GGUF\3\0\0\0", "[Plan]\n", "[Plan]\nVersion=2\n", "[Plan]\nVersion=1\n[Settings]\nctx=many\n",
                                      "[Plan]\nVersion=1\n[Settings]\nno-such-option=1\n", "[Plan]\nVersion=1\n[Devices]\nGPUs=rm -rf;\n"};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        hwl_error error = {.offset = HWL_NO_OFFSET};
        assert_null(hwl_ask_parse(bad[i], strlen(bad[i]), &error));
        assert_true(*error.message);
    }
}

static void odd_names_are_quoted(void **state)
{
    (void)state;
    struct hwl_ask *ask = hwl_ask_new();
    ask->model = g_strdup("/tmp/a b'; rm.gguf");
    char *command = hwl_ask_command(ask, "");
    assert_string_equal(command, "hwledger plan '/tmp/a b'\\''; rm.gguf'");
    g_free(command);
    hwl_ask_free(ask);
}

static void undo_goes_back_step_by_step(void **state)
{
    hwl_error error;
    char value[64];
    (void)state;
    struct hwl_session *s = opened(file);
    const uint64_t first = total(s);
    for (int i = 1; i <= 20; i++) { /* one drag */
        char text[16];
        g_snprintf(text, sizeof text, "%d", 8192 + 512 * i);
        assert_int_equal(hwl_session_set(s, "ctx", text, &error), HWL_OK);
        assert_true(hwl_session_replan(s));
    }
    assert_int_equal(hwl_session_set(s, "tp", "2", &error), HWL_OK);
    assert_int_equal(s->undo->len, 2);
    assert_true(hwl_session_undo(s));
    assert_true(hwl_settings_get(s->ask->settings, "ctx", value, sizeof value));
    assert_string_equal(value, "18432");
    assert_true(hwl_session_undo(s));
    assert_true(hwl_session_replan(s));
    assert_true(total(s) == first);
    assert_false(hwl_session_undo(s));
    hwl_session_free(s);
}

static void refused_keeps_the_plan(void **state)
{
    hwl_error error;
    (void)state;
    struct hwl_session *s = opened(file);
    const uint64_t first = total(s);
    assert_int_equal(hwl_session_set(s, "tp", "3", &error), HWL_OK); /* 32 heads are not divided by 3 */
    assert_false(hwl_session_replan(s));
    assert_true(s->failed);
    assert_true(*s->error.message);
    assert_true(total(s) == first);
    assert_true(hwl_session_undo(s));
    assert_true(hwl_session_replan(s));
    assert_false(s->failed);
    hwl_session_free(s);
}

static void another_engine_drops_what_it_lacks(void **state)
{
    hwl_error error;
    char value[64];
    (void)state;
    struct hwl_session *s = opened(file);
    assert_int_equal(hwl_session_set(s, "tp", "2", &error), HWL_OK);
    assert_int_equal(hwl_session_set(s, "kv-type", "fp8", &error), HWL_OK);
    hwl_session_set_engine(s, "llama.cpp");
    assert_false(hwl_settings_get(s->ask->settings, "tp", value, sizeof value));
    assert_false(hwl_settings_get(s->ask->settings, "kv-type", value, sizeof value));
    assert_true(hwl_settings_get(s->ask->settings, "ctx", value, sizeof value));
    assert_false(hwl_session_ready(s));
    assert_true(hwl_session_undo(s));
    assert_true(hwl_session_ready(s));
    hwl_session_free(s);
}

static void pins_stay_four(void **state)
{
    (void)state;
    struct hwl_session *s = opened(file);
    for (int i = 0; i < 7; i++)
        assert_true(hwl_session_pin(s));
    assert_int_equal(s->n_pins, HWL_PINS);
    hwl_session_unpin(s, 0);
    hwl_session_unpin(s, 9);
    assert_int_equal(s->n_pins, HWL_PINS - 1);
    hwl_session_free(s);
}

/* Every step is a change, an answer and a view; after the stack of undo is full nothing may grow. */
static void steps(struct hwl_session *s, unsigned n)
{
    hwl_error error;
    for (unsigned i = 0; i < n; i++) {
        char text[16];
        g_snprintf(text, sizeof text, "%u", 2048 + i % 97 * 64);
        assert_int_equal(hwl_session_set(s, "ctx", text, &error), HWL_OK);
        assert_true(hwl_session_replan(s));
        if (i % 3 == 0)
            hwl_session_settle(s);
    }
}

static void no_growth(struct hwl_session *s, unsigned n)
{
    steps(s, 970); /* 97 positions, and the stack full */
    const size_t before = in_use();
    steps(s, n);
    steps(s, (97 - n % 97) % 97); /* the same position as before */
    const size_t after = in_use();
    assert_true(after < before + 4096);
    hwl_session_free(s);
}

static void no_growth_over_100000_steps(void **state)
{
    (void)state;
    no_growth(opened(file), 100000);
}

static void no_growth_where_graphs_are_built(void **state)
{
    (void)state;
    struct hwl_session *s = opened("[Plan]\nVersion=1\nModel=llama-3.2-1b\n[Devices]\nDetected=false\nGPUs=gpu=RTX4090;\nRAM=64G\n"
                                   "[Settings]\nengine=llama.cpp\nquant=Q8_0\nfit=off\n");
    no_growth(s, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_file_and_back),          cmocka_unit_test(bad_plan_files),
        cmocka_unit_test(every_option_is_kept),        cmocka_unit_test(documents_open),
        cmocka_unit_test(bad_documents),               cmocka_unit_test(opening_ends_where_it_is_not_wanted),
        cmocka_unit_test(odd_names_are_quoted),        cmocka_unit_test(undo_goes_back_step_by_step),
        cmocka_unit_test(refused_keeps_the_plan),      cmocka_unit_test(another_engine_drops_what_it_lacks),
        cmocka_unit_test(pins_stay_four),              cmocka_unit_test(no_growth_over_100000_steps),
        cmocka_unit_test(no_growth_where_graphs_are_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
