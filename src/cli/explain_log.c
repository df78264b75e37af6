/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger explain-log: what a start-up log says, planned the same, term by term. */
#include "cli/cli.h"

#include "view/stores.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

static const char *amount(const char *name, double value, char *buf, uint64_t size)
{
    size_t n = strlen(name);
    n -= n > 4 && strcmp(name + n - 4, "_sum") == 0 ? 4 : 0;
    if (n > 6 && strncmp(name + n - 6, "_bytes", 6) == 0)
        (void)snprintf(buf, (size_t)size, "%.3f GiB", value / (1024.0 * 1024.0 * 1024.0));
    else if (value >= 1e15 || value <= -1e15 || value - (double)(int64_t)value > 1e-9)
        (void)snprintf(buf, (size_t)size, "%.2f", value);
    else if (value >= 0)
        (void)hwl_count_text((uint64_t)value, buf, size);
    else
        (void)snprintf(buf, (size_t)size, "%.0f", value);
    return buf;
}

static void figures(const hwl_log *log)
{
    hwl_log_figure f;
    char text[64], device[48];
    (void)printf("\n%-6s %-26s %-10s %s\n", "line", "figure", "device", "logged");
    for (uint32_t i = 0; hwl_log_get_figure(log, i, &f) && i < 64; i++)
        (void)printf("%-6llu %-26s %-10s %s\n", (unsigned long long)f.line, f.name, hwl_view_clean(f.device, device, sizeof device),
                     amount(f.name, f.value, text, sizeof text));
}

static void terms(const hwl_log *log)
{
    hwl_log_term t;
    char planned[64], logged[64], name[64];
    if (hwl_log_get_term(log, 0, &t))
        (void)printf("\n%-34s %16s %16s %9s  %s\n", "term", "planned", "logged", "off", "what it means");
    for (uint32_t i = 0; hwl_log_get_term(log, i, &t); i++) {
        (void)snprintf(name, sizeof name, "%s%s%s", t.name, *t.device ? " " : "", t.device);
        (void)printf("%-34s %16s %16s ", name, amount(t.name, t.planned, planned, sizeof planned),
                     amount(t.name, t.logged, logged, sizeof logged));
        if (t.logged < 0 || t.logged > 0)
            (void)printf("%+8.1f %%  ", 100 * (t.planned / t.logged - 1));
        else
            (void)printf("%9s  ", "");
        (void)printf("%s\n", t.meaning);
    }
}

static void show(const hwl_log *log, const hwl_model *model, const hwl_devices *devices)
{
    char text[400], name[200];
    const char *s, *value;
    (void)printf("engine   %s %s\n", hwl_log_engine(log), hwl_view_clean(hwl_log_version(log), name, sizeof name));
    (void)printf("model    %s", hwl_view_clean(hwl_log_model(log), text, sizeof text));
    if (model) {
        hwl_model_info m;
        hwl_model_get_info(model, &m);
        (void)printf(" (planned as %s)", hwl_view_clean(m.name, name, sizeof name));
    }
    (void)printf("\n");
    if (devices && hwl_devices_gpus(devices))
        (void)printf("devices  %u x %s\n", hwl_devices_gpus(devices), hwl_devices_get(devices, 0)->name);
    (void)printf("options ");
    for (uint32_t i = 0; hwl_log_get_setting(log, i, &s, &value) && i < 64; i++) {
        (void)printf(" --%s", hwl_view_clean(s, name, sizeof name));
        (void)(*value ? printf(" %s", hwl_view_clean(value, text, sizeof text)) : 0);
    }
    (void)printf("\n");
    if (*hwl_log_failure(log))
        (void)printf("failed   %s\n", hwl_view_clean(hwl_log_failure(log), text, sizeof text));
    figures(log);
    terms(log);
    for (uint32_t i = 0; (s = hwl_log_note(log, i)); i++)
        (void)printf("%snote     %s\n", i ? "" : "\n", hwl_view_clean(s, text, sizeof text));
}

static int print(struct cli_args *args, const hwl_log *log, const hwl_model *model, const hwl_devices *devices)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    char *text = NULL;
    uint64_t n = 0;
    if (!args->flag[CLI_JSON]) {
        show(log, model, devices);
        return EXIT_OK;
    }
    if (hwl_log_json(log, &text, &n, &error) != HWL_OK)
        return cli_fail(&error);
    (void)fwrite(text, 1, (size_t)n, stdout);
    hwl_text_free(text);
    return EXIT_OK;
}

int cli_explain_log(struct cli_args *args)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    hwl_log *log = NULL;
    hwl_model *model = NULL;
    hwl_devices *devices = NULL;
    struct hwl_view_stores stores;
    if (args->n_words < 1 || args->n_words > 2)
        return cli_usage("explain-log wants FILE [MODEL]");
    if (hwl_log_open(args->words[0], &log, &error) != HWL_OK)
        return cli_fail(&error);
    hwl_view_stores(&stores);
    stores.options.generic = args->flag[CLI_GENERIC];
    int rc = 0;
    if (args->n_words == 2)
        rc = cli_open(args, args->words[1], &model);
    else if (hwl_log_open_model(log, &stores.options, &model, &error) != HWL_OK)
        model = NULL; /* the figures are shown all the same */
    if (!rc && args->n_gpus)
        rc = cli_devices(args, &devices);
    else if (!rc && model && hwl_log_devices(log, &devices, &error) != HWL_OK)
        devices = NULL;
    /* much of these can be planned without a card */
    const char *engine = hwl_log_engine(log);
    const bool planned = model && (devices || strcmp(engine, "vllm") == 0 || strcmp(engine, "tensorrt-llm") == 0);
    if (!rc && (planned || !model)) {
        hwl_error failed = {.offset = HWL_NO_OFFSET};
        const hwl_status status = hwl_log_plan(log, model, devices, &failed); /* without a model: what the log alone tells */
        rc = status == HWL_OK ? 0 : cli_fail(&failed);
    }
    if (!rc)
        rc = print(args, log, model, devices);
    if (!rc && !planned) { /* one line says why nothing was planned */
        char text[1200], clean[1200];
        (void)fprintf(stderr, "hwledger: not planned: %s\n",
                      hwl_view_clean(hwl_error_text(&error, text, sizeof text), clean, sizeof clean));
    }
    hwl_devices_free(devices);
    hwl_model_free(model);
    hwl_log_free(log);
    return rc;
}
