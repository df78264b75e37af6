/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger models: the catalogue, and with --local what stands in the stores of this machine. */
#include "cli/cli.h"
#include "view/json.h"
#include "view/stores.h"
#include "view/view.h"

#include <stdio.h>

struct listing {
    const struct cli_args *args;
    struct hwl_view_json json; /* begun with the first row */
    uint64_t n;
};

static struct hwl_view_json *json_of(struct listing *l)
{
    if (!l->json.out)
        hwl_view_json_begin(&l->json, stdout, CLI_MODELS_SCHEMA, "models");
    return &l->json;
}

static bool local_row(void *user, const hwl_local_model *m)
{
    struct listing *l = user;
    char name[4200], path[4200], bytes[40];
    if (!cli_matches(l->args, m->name, m->path, m->store) && !cli_matches(l->args, m->name, m->format, m->store))
        return true;
    l->n++;
    if (l->args->flag[CLI_JSON]) {
        struct hwl_view_json *j = json_of(l);
        hwl_view_json_row(j);
        hwl_view_json_text(j, "name", m->name);
        hwl_view_json_text(j, "store", m->store);
        hwl_view_json_text(j, "format", m->format);
        hwl_view_json_number(j, "bytes", m->bytes);
        hwl_view_json_text(j, "path", m->path);
        return true;
    }
    if (l->n == 1)
        (void)printf("%-44s %-11s %-11s %12s  %s\n", "model", "store", "format", "bytes", "path");
    (void)printf("%-44s %-11s %-11s %12s  %s\n", hwl_view_clean(m->name, name, sizeof name), m->store, m->format,
                 hwl_view_bytes(m->bytes, bytes, sizeof bytes), hwl_view_clean(m->path, path, sizeof path));
    return true;
}

static int local(const struct cli_args *args)
{
    struct listing l = {.args = args};
    struct hwl_view_stores stores;
    hwl_error error = {.offset = HWL_NO_OFFSET};
    hwl_view_stores(&stores);
    if (hwl_local_list(&stores.options, local_row, &l, &error) != HWL_OK)
        return cli_fail(&error);
    if (!l.n && args->n_words)
        return cli_nothing(args, "local model");
    if (args->flag[CLI_JSON])
        hwl_view_json_end(json_of(&l));
    else if (!l.n)
        (void)puts("no model in the stores of Ollama, Hugging Face, LM Studio and llama.cpp");
    return EXIT_OK;
}

static void catalogue_row(struct listing *l, const hwl_catalogue_model *m)
{
    char params[40];
    l->n++;
    if (l->args->flag[CLI_JSON]) {
        struct hwl_view_json *j = json_of(l);
        hwl_view_json_row(j);
        hwl_view_json_text(j, "name", m->name);
        hwl_view_json_text(j, "id", m->id);
        hwl_view_json_words(j, "aliases", m->aliases);
        hwl_view_json_text(j, "family", m->family);
        hwl_view_json_number(j, "parameters", m->parameters ? m->parameters : HWL_UNKNOWN);
        return;
    }
    if (l->n == 1)
        (void)printf("%-36s %12s  %s\n", "model", "parameters", "id");
    (void)printf("%-36s %12s  %s\n", m->name, hwl_view_params(m->parameters, params, sizeof params), m->id);
}

int cli_models(struct cli_args *args)
{
    if (args->flag[CLI_LOCAL])
        return local(args);
    const hwl_catalogue_model *m;
    struct listing l = {.args = args};
    for (uint32_t i = 0; (m = hwl_catalogue_at(i)); i++)
        if (cli_matches(args, m->name, m->id, m->aliases) || cli_matches(args, m->family, m->id, ""))
            catalogue_row(&l, m);
    if (!l.n)
        return cli_nothing(args, "model");
    if (args->flag[CLI_JSON])
        hwl_view_json_end(&l.json);
    return EXIT_OK;
}
