/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger inspect: what a model is made of. */
#include "cli/cli.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

static bool alike(const hwl_layer_info *a, const hwl_layer_info *b)
{
    return a->mixer == b->mixer && a->feed_forward == b->feed_forward && a->parameters == b->parameters && a->bytes == b->bytes &&
           a->kv_bytes_per_token == b->kv_bytes_per_token && a->window == b->window && a->state_bytes == b->state_bytes;
}

/* The next layer of the stack from *i on; those of multi-token prediction stand behind it and are passed over. */
static bool next_layer(const hwl_model *model, const hwl_model_info *m, uint32_t *i, hwl_layer_info *l)
{
    if (*i >= m->n_layers && *i < m->n_layers + m->n_mtp_layers)
        *i = m->n_layers + m->n_mtp_layers;
    return hwl_model_get_layer(model, *i, l);
}

static void group(uint32_t first, uint32_t last, const hwl_layer_info *l)
{
    char range[32], params[32] = "0", bytes[32], kv[32], extra[96] = "", size[32];
    if (first == last)
        (void)snprintf(range, sizeof range, "%u", first);
    else
        (void)snprintf(range, sizeof range, "%u-%u", first, last);
    if (l->window)
        (void)snprintf(extra, sizeof extra, "window %s", hwl_view_count(l->window, size, sizeof size));
    if (l->state_bytes) {
        size_t n = strlen(extra);
        (void)snprintf(extra + n, sizeof extra - n, "%sstate %s", n ? ", " : "", hwl_view_bytes(l->state_bytes, size, sizeof size));
    }
    if (l->parameters)
        (void)hwl_view_params(l->parameters, params, sizeof params);
    (void)printf("  %-9s %-16s %-6s %11s %12s %9s B%s%s\n", range, hwl_mixer_name(l->mixer), hwl_feed_forward_name(l->feed_forward),
                 params, hwl_view_bytes(l->bytes, bytes, sizeof bytes),
                 hwl_view_count(l->kv_bytes_per_token, kv, sizeof kv), *extra ? "  " : "", extra);
}

static void layers(const hwl_model *model)
{
    hwl_layer_info run, l;
    hwl_model_info m;
    hwl_model_get_info(model, &m);
    uint32_t first = 0, last = 0, i = 0;
    if (!next_layer(model, &m, &i, &run))
        return;
    first = last = i;
    (void)printf("\n  %-9s %-16s %-6s %11s %12s %11s\n", "layers", "mixer", "ffn", "parameters", "bytes", "KV a token");
    for (i++; next_layer(model, &m, &i, &l); i++) {
        if (!alike(&run, &l) || i != last + 1) {
            group(first, last, &run);
            first = i;
            run = l;
        }
        last = i;
    }
    group(first, last, &run);
}

static void people(const hwl_model *model)
{
    hwl_model_info m;
    char a[160], b[64], c[64];
    hwl_model_get_info(model, &m);
    (void)printf("%s", hwl_view_clean(m.name, a, sizeof a));
    (void)printf("  %s, from %s\n", hwl_view_clean(m.architecture, b, sizeof b), hwl_view_clean(m.source, a, sizeof a));
    (void)printf("  parameters   %s", hwl_view_count(m.parameters, b, sizeof b));
    if (m.active_parameters != m.parameters)
        (void)printf(", active %s", hwl_view_count(m.active_parameters, c, sizeof c));
    (void)printf("\n  weights      %s in %s tensors", hwl_view_bytes(m.weights_bytes, b, sizeof b), hwl_view_count(m.n_tensors, c, sizeof c));
    if (m.parameters)
        (void)printf(", %.2f bits a parameter", (double)m.weights_bytes * 8 / (double)m.parameters);
    (void)printf("\n  types       ");
    const char *type;
    uint64_t bytes;
    for (uint32_t i = 0; hwl_model_get_type(model, i, &type, &bytes); i++)
        (void)printf("%s %s %s", i ? "," : "", type, hwl_view_bytes(bytes, b, sizeof b));
    (void)printf("\n  shape        %u layers", m.n_layers);
    if (m.n_mtp_layers)
        (void)printf(" and %u for multi-token prediction", m.n_mtp_layers);
    (void)printf(", hidden %s", hwl_view_count(m.hidden, b, sizeof b));
    (void)printf(", vocabulary %s", hwl_view_count(m.vocabulary, b, sizeof b));
    if (m.context_train)
        (void)printf(", trained context %s", hwl_view_count(m.context_train, b, sizeof b));
    (void)printf("%s\n", m.generic ? "\n  read by the generic fallback: every figure is modelled" : "");
    layers(model);
}

int cli_inspect(struct cli_args *args)
{
    if (args->n_words != 1)
        return cli_usage("inspect wants one MODEL");
    hwl_model *model = NULL;
    int rc = cli_open(args, args->words[0], &model);
    if (rc)
        return rc;
    if (args->flag[CLI_JSON]) {
        hwl_error error = {.offset = HWL_NO_OFFSET};
        char *text = NULL;
        uint64_t n = 0;
        if (hwl_model_json(model, &text, &n, &error) == HWL_OK)
            (void)fwrite(text, 1, (size_t)n, stdout);
        else
            rc = cli_fail(&error);
        hwl_text_free(text);
    } else {
        people(model);
    }
    hwl_model_free(model);
    return rc;
}
