/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger plan: the document, the table for people, or every entry explained. */
#include "cli/cli.h"
#include "view/advice.h"
#include "view/model.h"
#include "view/report.h"
#include "view/request.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 40 };

static void bar(struct hwl_view_device *d)
{
    char colour[24];
    hwl_view_layout(d, BAR, 1, NULL);
    (void)putchar('[');
    for (uint32_t s = 0; s < HWL_VIEW_SEGMENTS; s++) {
        if (!d->segment[s].width)
            continue;
        (void)printf("%s%s", cli_plain(), s == HWL_VIEW_FREE ? "" : cli_colour(hwl_view_kind((hwl_kind)s)->colour, colour, sizeof colour));
        for (uint32_t i = 0; i < d->segment[s].width; i++)
            (void)putchar(hwl_view_segment_letter(s));
    }
    (void)printf("%s]", cli_plain());
}

static void head(const struct hwl_view_model *view)
{
    const hwl_plan *plan = view->plan;
    char name[160], arch[64], params[32], bytes[32], count[32], colour[24];
    uint64_t concurrency = 0, context = hwl_plan_context(plan, &concurrency);
    hwl_model_info m;
    hwl_model_get_info(hwl_plan_model(plan), &m);
    (void)printf("%s%s%s\n\n", cli_colour(hwl_view_verdict_colour(hwl_plan_verdict(plan)), colour, sizeof colour), view->headline, cli_plain());
    (void)printf("model    %s, %s, %s parameters, %s stored\n", hwl_view_clean(m.name, name, sizeof name),
                 hwl_view_clean(m.architecture, arch, sizeof arch), hwl_view_params(m.parameters, params, sizeof params),
                 hwl_view_bytes(m.weights_bytes, bytes, sizeof bytes));
    (void)printf("engine   %s %s, context %s", hwl_plan_engine(plan), hwl_plan_engine_version(plan), hwl_count_text(context, count, sizeof count));
    (void)printf(" x %s", hwl_count_text(concurrency, count, sizeof count));
    (void)printf("%s\n\n", concurrency == 1 ? " sequence" : " sequences");
}

static void device_rows(struct hwl_view_model *view)
{
    for (uint32_t i = 0; i < view->n_devices; i++) {
        struct hwl_view_device *d = &view->device[i];
        char used[32], usable[32], colour[24];
        const hwl_verdict verdict = d->device->verdict;
        if (d->idle && d->host)
            continue;
        (void)printf("%-8s ", d->id);
        bar(d);
        (void)printf(" %8s of %8s GiB %4u %% %s%-2s%s %s%s\n", hwl_view_gib(d->used, used, sizeof used),
                     hwl_view_gib(d->usable, usable, sizeof usable), d->percent,
                     cli_colour(hwl_view_verdict_colour(verdict), colour, sizeof colour), hwl_view_mark(verdict), cli_plain(), d->name,
                     d->end - d->first > 1 ? ", each" : "");
    }
}

/* One line of the table: a cell for each run of devices alike. */
static void cells(const struct hwl_view_model *view, uint32_t segment)
{
    char text[40];
    for (uint32_t i = 0; i < view->n_devices; i++) {
        const struct hwl_view_device *d = &view->device[i];
        const uint64_t bytes = segment == HWL_VIEW_FREE ? d->device->free_bytes : d->segment[segment].bytes;
        (void)printf(" %10s", hwl_view_gib(bytes, text, sizeof text));
    }
}

static void kind_rows(const struct hwl_view_model *view)
{
    char text[40];
    (void)printf("\n%-13s", "GiB");
    for (uint32_t i = 0; i < view->n_devices; i++)
        (void)printf(" %10s", view->device[i].id);
    (void)printf(" %10s  %s\n", "total", "basis");
    for (uint32_t k = 0; k < HWL_KIND_COUNT; k++) {
        hwl_basis basis;
        double error;
        if (!hwl_view_basis(view->plan, (hwl_kind)k, &basis, &error))
            continue;
        (void)printf("%c %-11s", hwl_view_segment_letter(k), hwl_view_segment_label(k));
        cells(view, k);
        (void)printf(" %10s  %s", hwl_view_gib(hwl_plan_total(view->plan, (hwl_kind)k), text, sizeof text), hwl_basis_name(basis));
        (void)(error > 0 ? printf(", within %.3g %%\n", error * 100) : printf("\n"));
    }
    (void)printf("%-13s", ". left");
    cells(view, HWL_VIEW_FREE);
    (void)printf("\n");
}

static void foot(const hwl_plan *plan, const hwl_limits *limits)
{
    char text[40], note[400], line[2048];
    (void)printf("\ncache    %s B for one more token of a sequence", hwl_count_text(hwl_plan_kv_bytes_per_token(plan), text, sizeof text));
    if (hwl_plan_kv_tokens(plan) != HWL_UNKNOWN)
        (void)printf(", room for %s tokens", hwl_count_text(hwl_plan_kv_tokens(plan), text, sizeof text));
    (void)printf("\n");
    if (limits && limits->max_context) {
        (void)printf("limits   context up to %s", hwl_count_text(limits->max_context, text, sizeof text));
        (void)printf(", or up to %s sequences, with all else equal\n", hwl_count_text(limits->max_concurrency, text, sizeof text));
    } else if (limits) {
        (void)printf("limits   no context fits with all else equal\n");
    }
    char *command = NULL;
    if (hwl_plan_command(plan, &command, NULL) == HWL_OK)
        (void)printf("command  %s\n", hwl_view_clean(command, line, sizeof line));
    hwl_text_free(command);
    const char *s;
    for (uint32_t i = 0; (s = hwl_plan_note(plan, i)); i++)
        (void)printf("note     %s\n", hwl_view_clean(s, note, sizeof note));
}

static void explain(const hwl_plan *plan)
{
    char text[512], layer[16], name[200];
    (void)printf("\n%-6s %-6s %-16s %-14s %-9s %s\n", "device", "layer", "kind", "component", "basis", "bytes");
    for (uint32_t i = 0; i < hwl_plan_n_entries(plan); i++) {
        const hwl_entry *e = hwl_plan_entry(plan, i);
        (void)snprintf(layer, sizeof layer, e->layer < 0 ? "-" : "%d", e->layer);
        (void)printf("%-6s %-6s %-16s %-14s %-9s %s  [%s]\n", hwl_plan_get_device(plan, e->device)->device->id, layer,
                     hwl_kind_name((hwl_kind)e->kind), hwl_component_name((hwl_component)e->component), hwl_basis_name((hwl_basis)e->basis),
                     hwl_entry_explain(e, text, sizeof text), e->source ? e->source : "");
        const hwl_piece *part;
        for (uint32_t k = 0; (part = hwl_plan_piece(plan, i, k)); k++)
            (void)printf("%-55s %16s B  %s\n", "", hwl_count_text(part->bytes, text, sizeof text), hwl_view_clean(part->name, name, sizeof name));
    }
}

static void advise(const struct cli_args *args, const hwl_advice *advice, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct hwl_view_advice row;
        hwl_view_advice(&advice[i], args->settings, &row);
        (void)printf("%s%u %-34s %-18s %s\n           %s\n", i ? "         " : "\nadvice   ", i + 1, row.title, row.gain, row.result, row.cost);
    }
}

/* Writes a report by a file of its own; a file that is half written is worse than none. */
static int report(const char *path, const struct hwl_view_report *r, bool svg)
{
    FILE *out = fopen(path, "w");
    bool ok = out != NULL;
    if (ok && svg)
        hwl_view_svg(out, r->view);
    else if (ok)
        hwl_view_html(out, r);
    ok = ok && !ferror(out);
    if (out && (fclose(out) != 0 || !ok)) {
        ok = false;
        (void)remove(path);
    }
    hwl_error error = {.status = HWL_E_SYSTEM, .offset = HWL_NO_OFFSET};
    (void)snprintf(error.file, sizeof error.file, "%s", path);
    (void)snprintf(error.message, sizeof error.message, "cannot be written");
    return ok ? EXIT_OK : cli_fail(&error);
}

static int reports(const struct cli_args *args, struct hwl_view_model *view, const hwl_limits *limits, const hwl_advice *advice, uint32_t n_advice)
{
    const struct hwl_view_report r = {view, limits, advice, n_advice, args->settings};
    int rc = args->html ? report(args->html, &r, false) : EXIT_OK;
    return rc == EXIT_OK && args->svg ? report(args->svg, &r, true) : rc;
}

/* What was asked, before the engine's own options were read into the settings. */
static void ask(struct hwl_view_request *r, const struct cli_args *args, const hwl_model *model, const hwl_devices *devices)
{
    char engine[64];
    hwl_view_request_model(r, args->words[0]);
    for (uint32_t i = 0; i < args->n_gpus; i++)
        hwl_view_request_add(r, args->gpu[i].id == CLI_GPU ? "gpu" : "gpu-memory", args->gpu[i].value);
    if (args->ram)
        hwl_view_request_add(r, "ram", args->ram);
    if (args->flag[CLI_GENERIC])
        hwl_view_request_add(r, NULL, "--generic");
    hwl_view_request_settings(r, args->settings);
    if (!args->n_engine_args)
        return;
    if (!hwl_settings_get(args->settings, "engine", engine, sizeof engine)) /* whose options they are */
        hwl_view_request_add(r, "engine", hwl_engine_default(model, devices));
    hwl_view_request_add(r, NULL, "--");
    for (int i = 0; i < args->n_engine_args; i++)
        hwl_view_request_add(r, NULL, args->engine_args[i]);
}

static int show(struct cli_args *args, const hwl_plan *plan, const struct hwl_view_request *request, const hwl_limits *limits,
                const hwl_advice *advice, uint32_t n_advice)
{
    struct hwl_view_model view = {.plan = NULL};
    int rc = EXIT_OK;
    if (!hwl_view_update(&view, plan, true, 0))
        return cli_fail(&(hwl_error){.message = "out of memory", .offset = HWL_NO_OFFSET});
    if (args->flag[CLI_JSON]) {
        hwl_error error = {.offset = HWL_NO_OFFSET};
        char *text = NULL;
        uint64_t n = 0;
        if (hwl_plan_json_asked(plan, limits, advice, n_advice, (const char *const *)request->word, request->failed ? 0 : request->n, &text, &n,
                                &error) == HWL_OK)
            (void)fwrite(text, 1, (size_t)n, stdout);
        else
            rc = cli_fail(&error);
        hwl_text_free(text);
    } else {
        head(&view);
        device_rows(&view);
        kind_rows(&view);
        foot(plan, limits);
        advise(args, advice, n_advice);
        if (args->flag[CLI_EXPLAIN])
            explain(plan);
    }
    if (rc == EXIT_OK)
        rc = reports(args, &view, limits, advice, n_advice);
    hwl_view_clear(&view);
    return rc != EXIT_OK ? rc : hwl_plan_verdict(plan) == HWL_VERDICT_EXCEEDS ? EXIT_EXCEEDS : EXIT_OK;
}

static hwl_status make(struct cli_args *args, const hwl_model *model, const hwl_devices *devices, hwl_planner **planner, hwl_plan **plan,
                       hwl_error *error)
{
    if (args->n_engine_args) {
        char engine[64];
        if (!hwl_settings_get(args->settings, "engine", engine, sizeof engine))
            (void)snprintf(engine, sizeof engine, "%s", hwl_engine_default(model, devices));
        hwl_status status = hwl_settings_engine_args(args->settings, engine, args->n_engine_args, args->engine_args, error);
        if (status != HWL_OK)
            return status;
    }
    hwl_status status = hwl_planner_new(model, devices, args->settings, planner, error);
    return status == HWL_OK ? hwl_planner_plan(*planner, devices, args->settings, plan, error) : status;
}

/* Who reads JSON gets the engine's refusal as a document as well. */
static void refused(const struct cli_args *args, const hwl_error *error)
{
    char *text = NULL;
    if (args->flag[CLI_JSON] && error->status == HWL_E_REFUSED && hwl_refusal_json(error->message, &text, NULL, NULL) == HWL_OK)
        (void)fputs(text, stdout);
    hwl_text_free(text);
}

int cli_plan(struct cli_args *args)
{
    if (args->n_words != 1)
        return cli_usage("plan wants one MODEL");
    hwl_error error = {.offset = HWL_NO_OFFSET};
    hwl_model *model = NULL;
    hwl_devices *devices = NULL;
    hwl_planner *planner = NULL;
    hwl_plan *plan = NULL;
    hwl_limits limits;
    hwl_advice advice[HWL_ADVICE_MAX];
    struct hwl_view_request request = {.word = NULL};
    uint32_t n_advice = 0;
    int rc = cli_devices(args, &devices);
    if (!rc)
        rc = cli_open(args, args->words[0], &model);
    if (!rc) {
        ask(&request, args, model, devices);
        hwl_status status = make(args, model, devices, &planner, &plan, &error);
        if (status == HWL_OK) {
            bool limited = hwl_planner_limits(planner, devices, args->settings, &limits, &error) == HWL_OK;
            if (args->flag[CLI_ADVICE] || hwl_plan_verdict(plan) == HWL_VERDICT_EXCEEDS)
                (void)hwl_advise(planner, devices, args->settings, advice, &n_advice, &error); /* a plan without advice is a plan */
            if (args->flag[CLI_EXPLAIN] && hwl_planner_explain(planner, devices, args->settings, plan, &error) != HWL_OK)
                rc = cli_fail(&error);
            else
                rc = show(args, plan, &request, limited ? &limits : NULL, advice, n_advice);
        } else {
            error.status = status == HWL_E_NOT_FOUND ? HWL_E_USAGE : status; /* an engine's name */
            refused(args, &error);
            rc = cli_fail(&error);
        }
    }
    hwl_view_request_free(&request);
    hwl_plan_free(plan);
    hwl_planner_free(planner);
    hwl_model_free(model);
    hwl_devices_free(devices);
    return rc;
}
