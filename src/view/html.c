/* SPDX-License-Identifier: Apache-2.0 */
/* The report: verdict, picture, tables, advice, every entry with its formula. One file, no script, nothing loaded. */
#include "view/advice.h"
#include "view/explain.h"
#include "view/palette.h"
#include "view/report.h"
#include "view/view.h"

#include <string.h>

static void put(FILE *out, const char *before, const char *text, const char *after)
{
    (void)fputs(before, out);
    hwl_view_escape(out, text);
    (void)fputs(after, out);
}

static void scheme(FILE *out, const struct hwl_palette *p)
{
    (void)fprintf(out, "body{background:#%06x;color:#%06x}caption,.dim{color:#%06x}th,td{border-color:#%06x}", p->ground, p->text, p->dim, p->line);
    for (uint32_t i = 0; i < HWL_LEVEL_COUNT; i++)
        (void)fprintf(out, ".l%u{color:#%06x}", i, p->level[i]);
}

static void head(FILE *out, const char *name)
{
    (void)fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n", out);
    put(out, "<title>Memory plan of ", name, "</title>\n<style>\n");
    (void)fputs("body{font:16px/1.45 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1rem;font-variant-numeric:tabular-nums}\n"
                "h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:1.6rem 0 .4rem}svg{width:100%;min-width:40rem;height:auto;display:block}\n"
                ".wide{overflow-x:auto}table{border-collapse:collapse;min-width:30rem}caption{text-align:left;padding:.2rem 0}\n"
                "th,td{border-bottom:1px solid;padding:.25rem .6rem;text-align:left;vertical-align:top}td.n,th.n{text-align:right}\n"
                "code{font-size:.85em;overflow-wrap:anywhere}details{margin-top:1.6rem}.verdict{font-size:1.25rem;font-weight:700}\n", out);
    scheme(out, hwl_view_palette(HWL_SCHEME_LIGHT));
    (void)fputs("\n@media(prefers-color-scheme:dark){", out);
    scheme(out, hwl_view_palette(HWL_SCHEME_DARK));
    (void)fputs("}\n@media print{details>*{display:block}}\n</style>\n</head>\n", out);
}

static void fact(FILE *out, const char *what, const char *value)
{
    put(out, "<tr><th scope=\"row\">", what, "</th><td>");
    put(out, "", value, "</td></tr>\n");
}

static void facts(FILE *out, const struct hwl_view_report *r)
{
    const hwl_plan *plan = r->view->plan;
    char text[200], a[40], b[40];
    uint64_t concurrency = 0, context = hwl_plan_context(plan, &concurrency);
    hwl_model_info m;
    hwl_model_get_info(hwl_plan_model(plan), &m);
    (void)fputs("<h2>What is planned</h2>\n<table>\n", out);
    (void)snprintf(text, sizeof text, "%s, %s parameters, %s stored", m.architecture ? m.architecture : "unknown",
                   hwl_view_params(m.parameters, a, sizeof a), hwl_view_bytes(m.weights_bytes, b, sizeof b));
    fact(out, "Model", text);
    (void)snprintf(text, sizeof text, "%s %s", hwl_plan_engine(plan), hwl_plan_engine_version(plan));
    fact(out, "Engine", text);
    (void)snprintf(text, sizeof text, "%s tokens x %s", hwl_count_text(context, a, sizeof a), hwl_count_text(concurrency, b, sizeof b));
    fact(out, "Context x sequences", text);
    (void)snprintf(text, sizeof text, "%s B", hwl_count_text(hwl_plan_kv_bytes_per_token(plan), a, sizeof a));
    fact(out, "Cache for one more token", text);
    if (r->limits && r->limits->max_context) {
        (void)snprintf(text, sizeof text, "%s tokens, or %s sequence%s", hwl_count_text(r->limits->max_context, a, sizeof a),
                       hwl_count_text(r->limits->max_concurrency, b, sizeof b), r->limits->max_concurrency == 1 ? "" : "s");
        fact(out, "Largest that fits", text);
    } else if (r->limits) {
        fact(out, "Largest that fits", "no context fits with all else equal");
    }
    const hwl_option_info *o;
    for (uint32_t i = 0; r->settings && (o = hwl_option_at(i)); i++)
        if (hwl_settings_get(r->settings, o->name, text, sizeof text) && strcmp(o->name, "engine") != 0 && strcmp(o->name, "engine-version") != 0)
            fact(out, o->name, text);
    (void)fputs("</table>\n", out);
}

static void devices(FILE *out, const struct hwl_view_model *v)
{
    char text[40];
    (void)fputs("<h2>Devices</h2>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">device</th><th scope=\"col\">name</th>"
                "<th scope=\"col\" class=\"n\">used, GiB</th><th scope=\"col\" class=\"n\">usable, GiB</th><th scope=\"col\" class=\"n\">left, GiB</th>"
                "<th scope=\"col\" class=\"n\">used, bytes</th><th scope=\"col\">verdict</th></tr></thead>\n<tbody>\n", out);
    for (uint32_t i = 0; i < v->n_devices; i++) {
        const struct hwl_view_device *d = &v->device[i];
        put(out, "<tr><th scope=\"row\">", d->id, "</th>");
        put(out, "<td>", d->name, d->end - d->first > 1 ? ", each</td>" : "</td>");
        put(out, "<td class=\"n\">", hwl_view_gib(d->used, text, sizeof text), "</td>");
        put(out, "<td class=\"n\">", hwl_view_gib(d->usable, text, sizeof text), "</td>");
        put(out, "<td class=\"n\">", hwl_view_gib(d->device->free_bytes, text, sizeof text), "</td>");
        put(out, "<td class=\"n\">", hwl_count_text(d->used, text, sizeof text), "</td>");
        (void)fprintf(out, "<td class=\"l%d\">%u %% %s %s</td></tr>\n", (int)d->level, d->percent, hwl_view_level_mark(d->level),
                      hwl_view_level_word(d->level));
    }
    (void)fputs("</tbody></table></div>\n", out);
}

static void kinds(FILE *out, const struct hwl_view_model *v)
{
    char text[64];
    (void)fputs("<h2>By kind</h2>\n<div class=\"wide\"><table>\n<caption>Bytes</caption>\n<thead><tr><th scope=\"col\">kind</th>", out);
    for (uint32_t i = 0; i < v->n_devices; i++)
        put(out, "<th scope=\"col\" class=\"n\">", v->device[i].id, "</th>");
    (void)fputs("<th scope=\"col\" class=\"n\">total</th><th scope=\"col\">basis</th></tr></thead>\n<tbody>\n", out);
    for (uint32_t k = 0; k < HWL_KIND_COUNT; k++) {
        hwl_basis basis;
        double error;
        if (!hwl_view_basis(v->plan, (hwl_kind)k, &basis, &error))
            continue;
        (void)fprintf(out, "<tr><th scope=\"row\">%c %s</th>", hwl_view_segment_letter(k), hwl_view_segment_label(k));
        for (uint32_t i = 0; i < v->n_devices; i++)
            put(out, "<td class=\"n\">", hwl_count_text(v->device[i].segment[k].bytes, text, sizeof text), "</td>");
        put(out, "<td class=\"n\">", hwl_count_text(hwl_plan_total(v->plan, (hwl_kind)k), text, sizeof text), "</td>");
        (void)fprintf(out, "<td>%s", hwl_basis_name(basis));
        (void)fprintf(out, error > 0 ? ", within %.3g %%</td></tr>\n" : "</td></tr>\n", error * 100);
    }
    (void)fputs("</tbody></table></div>\n", out);
}

static void advise(FILE *out, const struct hwl_view_report *r)
{
    if (!r->n_advice)
        return;
    (void)fputs("<h2>Advice</h2>\n<ol>\n", out);
    for (uint32_t i = 0; i < r->n_advice; i++) {
        struct hwl_view_advice row;
        hwl_view_advice(&r->advice[i], r->settings, &row);
        put(out, "<li><strong>", row.title, "</strong>: ");
        put(out, "", row.gain, ", ");
        put(out, "", row.result, ". <span class=\"dim\">Costs: ");
        put(out, "", row.cost, "</span></li>\n");
    }
    (void)fputs("</ol>\n", out);
}

static bool explained(void *user, const struct hwl_view_line *line)
{
    FILE *out = user;
    char text[40];
    put(out, "<tr><td>", line->device, "</td>");
    put(out, "<td>", line->what, "</td>");
    put(out, "<td class=\"n\">", hwl_count_text(line->bytes, text, sizeof text), "</td>");
    put(out, "<td><code>", line->formula, "</code>");
    if (line->n > 1)
        (void)fprintf(out, " &times; %u", line->n);
    put(out, "</td><td>", line->basis, "</td>");
    put(out, "<td>", line->entry->source ? line->entry->source : "", "</td></tr>\n");
    return !ferror(out);
}

static void entries(FILE *out, const struct hwl_view_model *v)
{
    const struct hwl_view_filter all = HWL_VIEW_ALL;
    (void)fputs("<details><summary><h2 style=\"display:inline\">Every entry</h2></summary>\n<div class=\"wide\"><table>\n<thead><tr>"
                "<th scope=\"col\">device</th><th scope=\"col\">what</th><th scope=\"col\" class=\"n\">bytes</th><th scope=\"col\">formula</th>"
                "<th scope=\"col\">basis</th><th scope=\"col\">source</th></tr></thead>\n<tbody>\n", out);
    (void)hwl_view_explain(v->plan, &all, explained, out);
    (void)fputs("</tbody></table></div></details>\n", out);
}

void hwl_view_html(FILE *out, const struct hwl_view_report *report)
{
    struct hwl_view_model *v = report->view;
    hwl_model_info m;
    const char *note;
    hwl_model_get_info(hwl_plan_model(v->plan), &m);
    const char *name = m.name ? m.name : "a model";
    head(out, name);
    put(out, "<body>\n<main>\n<h1>Memory plan of ", name, "</h1>\n");
    (void)fprintf(out, "<p class=\"verdict l%d\">", (int)v->level);
    put(out, "", v->headline, "</p>\n");
    (void)fputs("<div class=\"wide\">\n", out);
    hwl_view_picture(out, v, false);
    (void)fputs("</div>\n", out);
    advise(out, report);
    devices(out, v);
    kinds(out, v);
    facts(out, report);
    for (uint32_t i = 0; (note = hwl_plan_note(v->plan, i)); i++)
        put(out, i ? "<p>" : "<h2>Notes</h2>\n<p>", note, "</p>\n");
    entries(out, v);
    (void)fputs("</main>\n<footer class=\"dim\"><p>hwLedger " HWLEDGER_VERSION "</p></footer>\n</body>\n</html>\n", out);
}
