/* SPDX-License-Identifier: Apache-2.0 */
/* plan_bench MODEL ENGINE [NAME=VALUE ...]: microseconds of one plan through the public library, median of 31 rounds.
 * Devices: one unnamed GPU of 80 GiB unless gpu=SPEC is given. */
#include <hwledger/hwledger.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int fail(const hwl_error *e)
{
    char text[1200];
    fprintf(stderr, "plan_bench: %s\n", hwl_error_text(e, text, sizeof text));
    return 1;
}

int main(int argc, char **argv)
{
    enum { ROUNDS = 31 };
    double us[ROUNDS];
    hwl_error e;
    hwl_model *model;
    hwl_devices *devices;
    hwl_settings *settings;
    hwl_planner *planner;
    hwl_plan *plan;
    const char *gpu = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: plan_bench MODEL ENGINE [NAME=VALUE ...]\n");
        return 2;
    }
    double t0 = now();
    if (hwl_model_open(argv[1], NULL, &model, &e) != HWL_OK)
        return fail(&e);
    double opened = now() - t0;
    if (hwl_devices_new(&devices) != HWL_OK || hwl_settings_new(&settings) != HWL_OK)
        return 1;
    if (hwl_settings_set(settings, "engine", argv[2], &e) != HWL_OK)
        return fail(&e);
    for (int i = 3; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        if (!eq)
            continue;
        *eq = 0;
        if (strcmp(argv[i], "gpu") == 0)
            gpu = eq + 1;
        else if (hwl_settings_set(settings, argv[i], eq + 1, &e) != HWL_OK)
            return fail(&e);
    }
    if ((gpu ? hwl_devices_add_gpu(devices, gpu, &e) : hwl_devices_add_gpu_memory(devices, "80GiB", &e)) != HWL_OK)
        return fail(&e);
    t0 = now();
    if (hwl_planner_new(model, devices, settings, &planner, &e) != HWL_OK)
        return fail(&e);
    double prepared = now() - t0;
    if (hwl_planner_plan(planner, devices, settings, &plan, &e) != HWL_OK)
        return fail(&e);
    for (int r = 0; r < ROUNDS; r++) {
        int n = 200;
        t0 = now();
        for (int i = 0; i < n; i++)
            if (hwl_planner_replan(planner, devices, settings, plan, &e) != HWL_OK)
                return fail(&e);
        us[r] = (now() - t0) / n;
    }
    qsort(us, ROUNDS, sizeof *us, by_value);
    printf("%s %s: open %.0f us, prepare %.0f us, plan %.2f us (min %.2f, max %.2f), %u entries\n", argv[1], argv[2], opened, prepared,
           us[ROUNDS / 2], us[0], us[ROUNDS - 1], hwl_plan_n_entries(plan));
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    hwl_model_free(model);
    return 0;
}
