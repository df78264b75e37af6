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

enum { INDENT = 9 };

static void bar(struct hwl_view_device *d, uint32_t width)
{
    char colour[24];
    hwl_view_layout(d, width, 1, NULL);
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
    char name[160], arch[64], params[32], bytes[32], count[32], colour[24], text[400];
    uint64_t concurrency = 0, context = hwl_plan_context(plan, &concurrency);
    hwl_model_info m;
    hwl_model_get_info(hwl_plan_model(plan), &m);
    (void)printf("%s", cli_colour(hwl_view_verdict_colour(hwl_plan_verdict(plan)), colour, sizeof colour));
    cli_paragraph("", view->headline, 0);
    (void)printf("%s\n", cli_plain());
    (void)snprintf(text, sizeof text, "%s, %s, %s parameters, %s stored", hwl_view_clean(m.name, name, sizeof name),
                   hwl_view_clean(m.architecture, arch, sizeof arch), hwl_view_params(m.parameters, params, sizeof params),
                   hwl_view_bytes(m.weights_bytes, bytes, sizeof bytes));
    cli_paragraph("model", text, INDENT);
    const char *what = context ? "context " : "no room for any context";
    (void)(context ? hwl_count_text(context, count, sizeof count) : strcpy(count, ""));
    (void)snprintf(text, sizeof text, "%s %s, %s%s x %s sequence%s", hwl_plan_engine(plan), hwl_plan_engine_version(plan), what, count,
                   hwl_count_text(concurrency, bytes, sizeof bytes), concurrency == 1 ? "" : "s");
    cli_paragraph("engine", text, INDENT);
    (void)printf("\n");
}

/* The name goes where there is room for it, else below all bars once. */
static void device_rows(struct hwl_view_model *view)
{
    enum { FIGURES = 38, MARK = 2 }; /* " 12345.67 of 12345.67 GiB 1000 % ok" */
    const uint32_t width = cli_width(), most = width > 120 ? 40 : width >= 100 ? 32 : width > INDENT + FIGURES + 12 ? width - INDENT - FIGURES - 2 : 10;
    const bool named = width >= 100;
    char used[32], usable[32], colour[24];
    for (uint32_t i = 0; i < view->n_devices; i++) {
        struct hwl_view_device *d = &view->device[i];
        const hwl_verdict verdict = d->device->verdict;
        if (d->idle && d->host)
            continue;
        (void)printf("%-8s ", d->id);
        bar(d, most > 40 ? 40 : most);
        (void)printf(" %8s of %8s GiB %4u %% %s%-*s%s", hwl_view_gib(d->used, used, sizeof used), hwl_view_gib(d->usable, usable, sizeof usable), d->percent,
                     cli_colour(hwl_view_verdict_colour(verdict), colour, sizeof colour), named ? MARK : 0, hwl_view_mark(verdict), cli_plain());
        if (named)
            (void)printf(" %s%s", d->name, d->end - d->first > 1 ? ", each" : "");
        (void)printf("\n");
    }
    for (uint32_t i = 0; !named && i < view->n_devices; i++) {
        const struct hwl_view_device *d = &view->device[i];
        char text[160];
        if (d->idle && d->host)
            continue;
        (void)snprintf(text, sizeof text, "%s%s", d->name, d->end - d->first > 1 ? ", each" : "");
        cli_paragraph(d->id, text, INDENT);
    }
}

/* One line of the table: a cell for each run of devices alike, from first on. */
static void cells(const struct hwl_view_model *view, uint32_t segment, uint32_t first, uint32_t end)
{
    char text[40];
    for (uint32_t i = first; i < end; i++) {
        const struct hwl_view_device *d = &view->device[i];
        const uint64_t bytes = segment == HWL_VIEW_FREE ? d->device->free_bytes : d->segment[segment].bytes;
        (void)printf(" %10s", hwl_view_gib(bytes, text, sizeof text));
    }
}

/* The kinds on devices first to end; the last part of the table has the total and the basis too. */
static void kind_part(const struct hwl_view_model *view, uint32_t first, uint32_t end, bool total, bool basis_too)
{
    char text[40];
    (void)printf("\n%-13s", "GiB");
    for (uint32_t i = first; i < end; i++)
        (void)printf(" %10s", view->device[i].id);
    (void)printf(total ? " %10s%s\n" : "\n", "total", basis_too ? "  basis" : "");
    for (uint32_t k = 0; k < HWL_KIND_COUNT; k++) {
        hwl_basis basis;
        double error;
        if (!hwl_view_basis(view->plan, (hwl_kind)k, &basis, &error))
            continue;
        (void)printf("%c %-11s", hwl_view_segment_letter(k), hwl_view_segment_label(k));
        cells(view, k, first, end);
        if (total)
            (void)printf(" %10s", hwl_view_gib(hwl_plan_total(view->plan, (hwl_kind)k), text, sizeof text));
        if (basis_too)
            (void)printf("  %s", hwl_basis_name(basis));
        if (basis_too && error > 0)
            (void)printf(", within %.3g %%", error * 100);
        (void)printf("\n");
    }
    if (first == end)
        return;
    (void)printf("%-13s", ". left");
    cells(view, HWL_VIEW_FREE, first, end);
    (void)printf("\n");
}

/* As many parts as the width asks for. Where the basis finds no room it has lines of its own. */
static void kind_rows(const struct hwl_view_model *view)
{
    enum { FIRST = 13, COLUMN = 11, BASIS = 27 };
    const uint32_t width = cli_width(), room = (width - FIRST) / COLUMN, n = view->n_devices;
    bool basis_too = false;
    for (uint32_t first = 0; first <= n;) { /* the total is the column behind the devices */
        const bool last = n + 1 - first <= room;
        const uint32_t end = last ? n : first + room > n ? n : first + room;
        basis_too = last && FIRST + COLUMN * (n - first + 1) + BASIS <= width;
        kind_part(view, first, end, last, basis_too);
        first = last ? n + 1 : end;
    }
    char text[64], line[400] = "";
    size_t used = 0;
    for (uint32_t k = 0; !basis_too && k < HWL_KIND_COUNT; k++) {
        hwl_basis basis;
        double error;
        if (!hwl_view_basis(view->plan, (hwl_kind)k, &basis, &error))
            continue;
        *text = 0;
        if (error > 0)
            (void)snprintf(text, sizeof text, ", within %.3g %%", error * 100);
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%c %s%s", used ? "; " : "", hwl_view_segment_letter(k), hwl_basis_name(basis), text);
    }
    if (*line)
        cli_paragraph("basis", line, INDENT);
}

static void foot(const hwl_plan *plan, const hwl_limits *limits)
{
    char text[40], note[400], line[2048];
    (void)printf("\n");
    int n = snprintf(line, sizeof line, "%s B for one more token of a sequence", hwl_count_text(hwl_plan_kv_bytes_per_token(plan), text, sizeof text));
    if (hwl_plan_kv_tokens(plan) != HWL_UNKNOWN)
        (void)snprintf(line + n, sizeof line - (size_t)n, ", room for %s tokens", hwl_count_text(hwl_plan_kv_tokens(plan), text, sizeof text));
    cli_paragraph("cache", line, INDENT);
    if (limits && limits->max_context) {
        n = snprintf(line, sizeof line, "context up to %s", hwl_count_text(limits->max_context, text, sizeof text));
        (void)snprintf(line + n, sizeof line - (size_t)n, limits->max_concurrency ? ", or up to %s sequences, with all else equal" : ", with all else equal",
                       hwl_count_text(limits->max_concurrency, text, sizeof text));
        cli_paragraph("limits", line, INDENT);
    } else if (limits) {
        cli_paragraph("limits", "no context fits with all else equal", INDENT);
    }
    char *command = NULL;
    if (hwl_plan_command(plan, &command, NULL) == HWL_OK)
        cli_command_line("command", hwl_view_clean(command, line, sizeof line));
    hwl_text_free(command);
    const char *s;
    for (uint32_t i = 0; (s = hwl_plan_note(plan, i)); i++)
        cli_paragraph("note", hwl_view_clean(s, note, sizeof note), INDENT);
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

/* A line for what to do and what comes of it, where they have room beside each other; what it costs below. */
static void advise(const struct cli_args *args, const hwl_advice *advice, uint32_t n)
{
    struct hwl_view_advice row[HWL_ADVICE_MAX];
    size_t title = 0, gain = 0, result = 0;
    for (uint32_t i = 0; i < n; i++) {
        hwl_view_advice(&advice[i], args->settings, &row[i]);
        title = strlen(row[i].title) > title ? strlen(row[i].title) : title;
        gain = strlen(row[i].gain) > gain ? strlen(row[i].gain) : gain;
        result = strlen(row[i].result) > result ? strlen(row[i].result) : result;
    }
    const bool beside = title <= 60 && cli_width() >= INDENT + 2 + title + 2 + gain + 2 + result;
    for (uint32_t i = 0; i < n; i++) {
        char label[24], text[200];
        if (!i)
            (void)printf("\n");
        (void)snprintf(label, sizeof label, "%-*s%u ", INDENT, i ? "" : "advice", i + 1);
        if (beside) {
            (void)printf("%s%-*s  %-*s  %s\n", label, (int)title, row[i].title, (int)gain, row[i].gain, row[i].result);
        } else {
            (void)snprintf(text, sizeof text, "%s; %s", row[i].result, row[i].gain);
            cli_paragraph(label, row[i].title, INDENT + 2);
            cli_paragraph("", text, INDENT + 4);
        }
        cli_paragraph("", row[i].cost, INDENT + 4);
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
