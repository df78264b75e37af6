/* SPDX-License-Identifier: Apache-2.0 */
/* The view model: levels, bars that add up, the heatmap's sums, contrast of the palette. */
#include "view/explain.h"
#include "view/model.h"
#include "view/palette.h"
#include "view/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/tap.h"

static hwl_model *model;
static hwl_devices *devices;
static hwl_settings *settings;
static hwl_planner *planner;
static hwl_plan *plan;

static void make(const char *name, const char *gpu, const char *engine, const char *const *options)
{
    hwl_error e = {.offset = HWL_NO_OFFSET};
    assert_int_equal(hwl_model_open(name, NULL, &model, &e), HWL_OK);
    assert_int_equal(hwl_devices_new(&devices), HWL_OK);
    assert_int_equal(hwl_devices_add_gpu(devices, gpu, &e), HWL_OK);
    hwl_devices_set_ram(devices, (uint64_t)64 << 30, (uint64_t)64 << 30);
    assert_int_equal(hwl_settings_new(&settings), HWL_OK);
    assert_int_equal(hwl_settings_set(settings, "engine", engine, &e), HWL_OK);
    for (; *options; options += 2)
        assert_int_equal(hwl_settings_set(settings, options[0], options[1], &e), HWL_OK);
    assert_int_equal(hwl_planner_new(model, devices, settings, &planner, &e), HWL_OK);
    assert_int_equal(hwl_planner_plan(planner, devices, settings, &plan, &e), HWL_OK);
}

static void unmake(void)
{
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
}

static void levels(void **state)
{
    (void)state;
    assert_int_equal(hwl_view_level(0, 0), HWL_LEVEL_GREEN);
    assert_int_equal(hwl_view_level(1, 0), HWL_LEVEL_OVER);
    assert_int_equal(hwl_view_level(80, 100), HWL_LEVEL_GREEN);
    assert_int_equal(hwl_view_level(81, 100), HWL_LEVEL_YELLOW);
    assert_int_equal(hwl_view_level(95, 100), HWL_LEVEL_YELLOW);
    assert_int_equal(hwl_view_level(96, 100), HWL_LEVEL_RED);
    assert_int_equal(hwl_view_level(100, 100), HWL_LEVEL_RED);
    assert_int_equal(hwl_view_level(101, 100), HWL_LEVEL_OVER);
    assert_int_equal(hwl_view_level(5, HWL_UNKNOWN), HWL_LEVEL_UNKNOWN);
    assert_int_equal(hwl_view_level(UINT64_MAX - 2, UINT64_MAX - 1), HWL_LEVEL_RED);
}

/* Widths add up, nothing that is there is left out, nothing that is not there is drawn. */
static void check_layout(struct hwl_view_device *d, uint32_t width, uint32_t least)
{
    uint32_t limit = 0, at = 0;
    hwl_view_layout(d, width, least, &limit);
    for (uint32_t i = 0; i < HWL_VIEW_SEGMENTS; i++) {
        assert_int_equal(d->segment[i].at, at);
        at += d->segment[i].width;
        if (i < HWL_KIND_COUNT && !d->segment[i].bytes)
            assert_int_equal(d->segment[i].width, 0);
        if (i < HWL_KIND_COUNT && d->segment[i].bytes && width >= HWL_KIND_COUNT)
            if (d->segment[i].width < (least < width / HWL_KIND_COUNT ? least : width / HWL_KIND_COUNT))
                fail_msg("width %u, least %u: segment %u is %u wide", width, least, i, d->segment[i].width);
    }
    assert_int_equal(at, width);
    assert_true(limit <= width);
}

static void layout(void **state)
{
    (void)state;
    static const uint64_t cases[][HWL_KIND_COUNT + 1] = { /* kinds, usable */
        {10, 20, 30, 0, 0, 5, 100},
        {1, 1, 1, 1, 1, 1, (uint64_t)1 << 50},
        {(uint64_t)1 << 60, 1, 0, 1, 0, 1, (uint64_t)1 << 61},
        {(uint64_t)90 << 30, 3, 0, 1, 0, 1, (uint64_t)24 << 30},
        {0, 0, 0, 0, 0, 0, 0},
        {0, 0, 0, 0, 0, 0, (uint64_t)1 << 34},
        {7, 0, 0, 0, 0, 0, 7},
        {1, (uint64_t)1 << 40, 1, 1, 1, 1, HWL_UNKNOWN},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct hwl_view_device d = {.usable = cases[c][HWL_KIND_COUNT]};
        for (uint32_t k = 0; k < HWL_KIND_COUNT; k++)
            d.used += d.segment[k].bytes = cases[c][k];
        d.level = hwl_view_level(d.used, d.usable);
        for (uint32_t width = 0; width < 300; width++)
            check_layout(&d, width, width % 4);
    }
    struct hwl_view_device d = {.usable = 50, .used = 100, .level = HWL_LEVEL_OVER, .segment = {{.bytes = 100}}};
    uint32_t limit = 0;
    hwl_view_layout(&d, 40, 1, &limit);
    assert_int_equal(limit, 20);
    assert_int_equal(d.segment[HWL_VIEW_FREE].width, 0);
}

static void contrast(void **state)
{
    (void)state;
    assert_int_equal(hwl_view_contrast(0, 0xffffff), 2100);
    assert_int_equal(hwl_view_contrast(0x767676, 0xffffff), 454); /* the grey that WCAG's own material names */
    for (int s = 0; s < HWL_SCHEME_COUNT; s++) {
        const struct hwl_palette *p = hwl_view_palette((enum hwl_scheme)s);
        const unsigned least = s >= HWL_SCHEME_CONTRAST_LIGHT ? 700 : 450;
        assert_true(hwl_view_contrast(p->text, p->ground) >= 700);
        assert_true(hwl_view_contrast(p->dim, p->ground) >= least);
        assert_true(hwl_view_contrast(p->text, p->page) >= 700);
        assert_true(hwl_view_contrast(p->dim, p->page) >= least);
        assert_true(hwl_view_contrast(p->mark, p->ground) >= least);
        for (int i = 0; i < HWL_VIEW_SEGMENTS; i++)
            if (hwl_view_contrast(p->segment[i], p->on_segment[i]) < least)
                fail_msg("scheme %d segment %d: %u", s, i, hwl_view_contrast(p->segment[i], p->on_segment[i]));
        for (int i = 0; i < HWL_LEVEL_COUNT; i++)
            if (hwl_view_contrast(p->level[i], p->ground) < least || hwl_view_contrast(p->level[i], p->page) < least)
                fail_msg("scheme %d level %d: %u", s, i, hwl_view_contrast(p->level[i], p->ground));
        /* Neighbours in the bar differ without colour; state, which may stand between, stands against both. */
        static const int pairs[][2] = {{0, 1}, {1, 2}, {1, 3}, {2, 3}, {3, 4}, {0, 3}, {3, 5}};
        for (size_t i = 0; s < HWL_SCHEME_CONTRAST_LIGHT && i < sizeof pairs / sizeof *pairs; i++)
            if (hwl_view_contrast(p->segment[pairs[i][0]], p->segment[pairs[i][1]]) < 150)
                fail_msg("scheme %d segments %d and %d look alike in grey", s, pairs[i][0], pairs[i][1]);
    }
}

static bool add_bytes(void *user, const struct hwl_view_line *line)
{
    uint64_t *sum = user;
    assert_true(line->bytes && line->n && *line->what && *line->formula && *line->basis);
    assert_true(line->bytes == line->entry->bytes * line->n);
    *sum += line->bytes;
    return true;
}

static void explained(const struct hwl_view_filter *filter, uint64_t bytes)
{
    uint64_t sum = 0;
    assert_int_equal(hwl_view_explain(plan, filter, add_bytes, &sum), bytes);
    assert_int_equal(sum, bytes);
}

/* Every figure of the view is the plan's. */
static void check_plan(bool merge, uint32_t columns)
{
    struct hwl_view_model v = {.plan = NULL};
    uint64_t kinds[HWL_KIND_COUNT] = {0}, map = 0, all = 0;
    char text[300];
    assert_true(hwl_view_update(&v, plan, merge, columns));
    assert_true(v.n_columns <= (columns ? columns : 128));
    for (uint32_t i = 0; i < v.n_devices; i++) {
        const struct hwl_view_device *d = &v.device[i];
        uint64_t used = 0;
        for (uint32_t k = 0; k < HWL_KIND_COUNT; k++) {
            used += d->segment[k].bytes;
            kinds[k] += d->segment[k].bytes * (d->end - d->first);
            struct hwl_view_filter f = HWL_VIEW_ALL;
            f.first_device = (int32_t)d->first;
            f.end_device = (int32_t)d->first + 1;
            f.kind = (int32_t)k;
            explained(&f, d->segment[k].bytes);
        }
        assert_int_equal(used, d->device->used_bytes);
        assert_true(strlen(hwl_view_device_sentence(d, text, sizeof text)) > 10);
    }
    for (uint32_t k = 0; k < HWL_KIND_COUNT; k++) {
        assert_int_equal(kinds[k], hwl_plan_total(plan, (hwl_kind)k));
        all += kinds[k];
    }
    for (uint32_t c = 0; c < v.n_columns; c++)
        for (int r = 0; r < HWL_HEAT_ROWS; r++) {
            const struct hwl_heat_cell *cell = &v.column[c].cell[r];
            struct hwl_view_filter f = {0, 0, -1, r, (int32_t)v.column[c].first, (int32_t)v.column[c].last};
            explained(&f, cell->bytes);
            assert_true(!cell->bytes == !cell->shade && cell->shade <= 8);
            map += cell->bytes;
        }
    assert_int_equal(map + v.rest.weights + v.rest.other, all);
    hwl_view_clear(&v);
}

static void plans(void **state)
{
    (void)state;
    static const char *const none[] = {NULL};
    static const char *const small[] = {"quant", "Q4_K_M", "ctx", "8k", "ngl", "20", "program", "library", NULL};
    static const char *const tp[] = {"tp", "8", NULL};
    make("llama-3.1-8b", "RTX4090x2", "llama.cpp", small);
    check_plan(true, 0);
    check_plan(false, 10);
    unmake();
    make("llama-3.1-8b", "H100x8", "vllm", tp);
    check_plan(true, 0);
    check_plan(false, 0);
    unmake();
    make("mixtral-8x7b", "RTX4090", "vllm", none);
    check_plan(true, 7);
    struct hwl_view_model v = {.plan = NULL};
    assert_true(hwl_view_update(&v, plan, true, 0));
    assert_int_equal(v.level, HWL_LEVEL_OVER);
    assert_non_null(strstr(v.headline, "DOES NOT FIT x"));
    assert_int_equal(v.column[0].letter, 'E');
    hwl_view_clear(&v);
    unmake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(levels), cmocka_unit_test(layout), cmocka_unit_test(contrast), cmocka_unit_test(plans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
