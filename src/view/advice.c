/* SPDX-License-Identifier: Apache-2.0 */
/* Advice in words. */
#include "view/advice.h"

#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options as people call them; others go by their own name. */
static const char *label(const char *option)
{
    static const struct {
        const char *option, *label;
    } rows[] = {
        {"kv-type", "KV type"},          {"ctx", "context"},           {"ctx-total", "total context"}, {"ngl", "layers on GPU"},
        {"n-cpu-moe", "expert layers on host"}, {"quant", "quantisation"}, {"gpu", "one more GPU"},    {"gpu-memory", "one more GPU"},
        {"ubatch", "physical batch"},    {"concurrency", "sequences"}, {"gpu-memory-utilization", "utilisation"},
        {"max-batched-tokens", "tokens a step"}, {"enforce-eager", "eager mode"}, {"flash-attn", "flash attention"},
        {"tp", "tensor parallel"},       {"cpu-offload", "weights on host"}, {"max-seqs", "step sequences"}, {"engine-version", "version"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].option, option) == 0)
            return rows[i].label;
    return option;
}

static void title(const hwl_advice *a, const hwl_settings *settings, char *buf, size_t size)
{
    size_t n = 0;
    *buf = 0;
    for (uint32_t i = 0; i < a->n_changes && n < size; i++) {
        const hwl_change *c = &a->change[i];
        char before[64] = "", value[96], count[40];
        (void)hwl_view_clean(c->value, value, sizeof value);
        if (settings)
            (void)hwl_settings_get(settings, c->option, before, sizeof before);
        const char *times = strrchr(c->value, 'x');
        if ((strcmp(c->option, "gpu") == 0 || strcmp(c->option, "gpu-memory") == 0) && times && strtoull(times + 1, NULL, 10) > 1)
            n += (size_t)snprintf(buf + n, size - n, "%s%llu more GPUs", i ? ", " : "", strtoull(times + 1, NULL, 10));
        else if (strcmp(c->option, "gpu") == 0 || strcmp(c->option, "gpu-memory") == 0)
            n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "", label(c->option));
        else if (*c->value && strcmp(c->option, "cpu-offload") == 0)
            n += (size_t)snprintf(buf + n, size - n, "%s%s %s", i ? ", " : "", label(c->option),
                                  hwl_view_bytes(strtoull(c->value, NULL, 10), count, sizeof count));
        else if (!*c->value)
            n += (size_t)snprintf(buf + n, size - n, "%sno %s", i ? ", " : "", label(c->option));
        else
            n += (size_t)snprintf(buf + n, size - n, "%s%s %s", i ? ", " : "", label(c->option),
                                  strcmp(value, "true") == 0 ? "on" : strspn(value, "0123456789") == strlen(value) && strlen(value) < 19
                                                                          ? hwl_count_text(strtoull(value, NULL, 10), count, sizeof count)
                                                                          : value);
    }
}

void hwl_view_advice(const hwl_advice *advice, const hwl_settings *settings, struct hwl_view_advice *row)
{
    char text[40];
    title(advice, settings, row->title, sizeof row->title);
    if (advice->host_layers < advice->was_host_layers)
        (void)snprintf(row->gain, sizeof row->gain, "%u more layer%s on GPU", advice->was_host_layers - advice->host_layers,
                       advice->was_host_layers - advice->host_layers == 1 ? "" : "s");
    else if (advice->kv_tokens != HWL_UNKNOWN && advice->verdict != HWL_VERDICT_EXCEEDS)
        (void)snprintf(row->gain, sizeof row->gain, "%s tokens", hwl_count_text(advice->kv_tokens, text, sizeof text));
    else if (advice->saves_bytes)
        (void)snprintf(row->gain, sizeof row->gain, "frees %s", hwl_view_bytes(advice->saves_bytes, text, sizeof text));
    else
        (void)snprintf(row->gain, sizeof row->gain, "more room");
    if (advice->usable_bytes == HWL_UNKNOWN)
        (void)snprintf(row->result, sizeof row->result, "%s", advice->verdict == HWL_VERDICT_EXCEEDS ? "does not fit yet" : "fits");
    else if (advice->verdict == HWL_VERDICT_EXCEEDS && advice->missing_bytes <= 1)
        (void)snprintf(row->result, sizeof row->result, "the engine still would not start");
    else if (advice->verdict == HWL_VERDICT_EXCEEDS)
        (void)snprintf(row->result, sizeof row->result, "still %s short", hwl_view_bytes(advice->missing_bytes, text, sizeof text));
    else
        (void)snprintf(row->result, sizeof row->result, "fits, %u %%, context %s", hwl_view_percent(advice->used_bytes, advice->usable_bytes),
                       hwl_count_text(advice->context, text, sizeof text));
    if (advice->usable_bytes == HWL_UNKNOWN)
        (void)snprintf(row->brief, sizeof row->brief, "%s", advice->verdict == HWL_VERDICT_EXCEEDS ? "not enough" : "fits");
    else if (advice->verdict == HWL_VERDICT_EXCEEDS && advice->missing_bytes <= 1)
        (void)snprintf(row->brief, sizeof row->brief, "not enough");
    else if (advice->verdict == HWL_VERDICT_EXCEEDS)
        (void)snprintf(row->brief, sizeof row->brief, "%s short", hwl_view_bytes(advice->missing_bytes, text, sizeof text));
    else
        (void)snprintf(row->brief, sizeof row->brief, "fits %u %%", hwl_view_percent(advice->used_bytes, advice->usable_bytes));
    (void)hwl_view_clean(advice->cost, row->cost, sizeof row->cost);
    (void)snprintf(row->sentence, sizeof row->sentence, "%s: %s, %s. Costs: %s", row->title, row->gain, row->result, row->cost);
}
