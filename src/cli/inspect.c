/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger inspect: what a model is made of. */
#include "cli/cli.h"
#include "view/layers.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line of figures: those of each layer of the kind. */
static void row(const char *label, const hwl_layer_info *l)
{
    char params[32] = "0", bytes[32], kv[32], extra[96] = "", size[32];
    if (l->window)
        (void)snprintf(extra, sizeof extra, "window %s", hwl_count_text(l->window, size, sizeof size));
    if (l->state_bytes) {
        size_t n = strlen(extra);
        (void)snprintf(extra + n, sizeof extra - n, "%sstate %s", n ? ", " : "", hwl_view_bytes(l->state_bytes, size, sizeof size));
    }
    if (l->parameters)
        (void)hwl_view_params(l->parameters, params, sizeof params);
    (void)printf("  %-9s %-16s %-6s %11s %12s %9s B%s%s\n", label, hwl_mixer_name(l->mixer), hwl_feed_forward_name(l->feed_forward),
                 params, hwl_view_bytes(l->bytes, bytes, sizeof bytes),
                 hwl_count_text(l->kv_bytes_per_token, kv, sizeof kv), *extra ? "  " : "", extra);
}

/* Layers first .. first + n - 1: a line for equal ones; a pattern's line and below it one for each kind of layer in it. */
static void group(const hwl_layer_info *l, uint32_t first, uint32_t n, uint32_t period)
{
    char range[32], pattern[1024];
    (void)snprintf(range, sizeof range, n > 1 ? "%u-%u" : "%u", first, first + n - 1);
    if (period == 1) {
        row(range, l);
        return;
    }
    (void)printf("  %-9s %s\n", range, hwl_view_layer_pattern(l, period, pattern, sizeof pattern));
    for (uint32_t i = 0; i < period; i++) {
        const uint32_t count = hwl_view_layer_count(l, n, i);
        (void)snprintf(range, sizeof range, "  %u x", count);
        if (count)
            row(range, &l[i]);
    }
}

/* The layers from first on, up to a count or the model's last. False: out of memory. */
static bool stretch(const hwl_model *model, uint32_t first, uint32_t most)
{
    uint32_t n = 0, period;
    hwl_layer_info one;
    while (n < most && hwl_model_get_layer(model, first + n, &one))
        n++;
    hwl_layer_info *l = n ? calloc(n, sizeof *l) : NULL;
    if (!l)
        return !n;
    for (uint32_t i = 0; i < n; i++)
        (void)hwl_model_get_layer(model, first + i, &l[i]);
    for (uint32_t i = 0, size; i < n; i += size) {
        size = hwl_view_layer_group(l + i, n - i, &period);
        group(l + i, first + i, size, period);
    }
    free(l);
    return true;
}

/* Those of multi-token prediction stand behind the stack and are passed over. */
static bool layers(const hwl_model *model)
{
    hwl_layer_info l;
    hwl_model_info m;
    hwl_model_get_info(model, &m);
    if (!hwl_model_get_layer(model, 0, &l))
        return true;
    (void)printf("\n  %-9s %-16s %-6s %11s %12s %11s\n", "layers", "mixer", "ffn", "parameters", "bytes", "KV a token");
    return stretch(model, 0, m.n_layers) && stretch(model, m.n_layers + m.n_mtp_layers, UINT32_MAX);
}

static bool people(const hwl_model *model)
{
    hwl_model_info m;
    char a[160], b[64], c[64];
    hwl_model_get_info(model, &m);
    (void)printf("%s", hwl_view_clean(m.name, a, sizeof a));
    (void)printf("  %s, from %s\n", hwl_view_clean(m.architecture, b, sizeof b), hwl_view_clean(m.source, a, sizeof a));
    (void)printf("  parameters   %s", hwl_count_text(m.parameters, b, sizeof b));
    if (m.active_parameters != m.parameters)
        (void)printf(", active %s", hwl_count_text(m.active_parameters, c, sizeof c));
    (void)printf("\n  weights      %s in %s tensors", hwl_view_bytes(m.weights_bytes, b, sizeof b), hwl_count_text(m.n_tensors, c, sizeof c));
    if (m.parameters)
        (void)printf(", %.2f bits a parameter", (double)m.weights_bytes * 8 / (double)m.parameters);
    if (m.mtp_bytes) { /* the types below are of all that is stored */
        (void)printf("\n  prediction   multi-token prediction: %u layer%s, ", m.n_mtp_layers, m.n_mtp_layers == 1 ? "" : "s");
        (void)printf("%s parameters, %s; stored in the checkpoint", hwl_count_text(m.mtp_parameters, a, sizeof a),
                     hwl_view_bytes(m.mtp_bytes, b, sizeof b));
        (void)printf(" of %s", hwl_view_bytes(m.stored_bytes, b, sizeof b));
    }
    (void)printf("\n  types       ");
    const char *type;
    uint64_t bytes;
    for (uint32_t i = 0; hwl_model_get_type(model, i, &type, &bytes); i++)
        (void)printf("%s %s %s", i ? "," : "", type, hwl_view_bytes(bytes, b, sizeof b));
    (void)printf("\n  shape        %u layers", m.n_layers);
    if (m.n_mtp_layers)
        (void)printf(" and %u for multi-token prediction", m.n_mtp_layers);
    (void)printf(", hidden %s", hwl_count_text(m.hidden, b, sizeof b));
    (void)printf(", vocabulary %s", hwl_count_text(m.vocabulary, b, sizeof b));
    if (m.context_train)
        (void)printf(", trained context %s", hwl_count_text(m.context_train, b, sizeof b));
    (void)printf("%s\n", m.generic ? "\n  read by the generic fallback: every figure is modelled" : "");
    return layers(model);
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
    } else if (!people(model)) {
        rc = cli_fail(&(hwl_error){.status = HWL_E_NOMEM, .message = "out of memory", .offset = HWL_NO_OFFSET});
    }
    hwl_model_free(model);
    return rc;
}
