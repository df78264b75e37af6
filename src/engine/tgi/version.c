/* SPDX-License-Identifier: Apache-2.0 */
/* Releases of text-generation-inference, read at their tags: server/text_generation_server/models/globals.py,
 * flash_causal_lm.py (warmup) and launcher/src/main.rs. */
#include "engine/tgi/tgi.h"

#include <stdio.h>
#include <string.h>

#define SINCE_3 .flashinfer = true, .optimal_prefill = true

static const struct hwl_tgi_rules rules[] = {
    {.version = "3.3.7", .wiggle = 0.90, SINCE_3, .vl_prefill = true},
    {.version = "3.2.3", .wiggle = 0.93, SINCE_3, .vl_prefill = true},
    {.version = "3.1.1", .wiggle = 0.93, SINCE_3, .vl_prefill = true},
    {.version = "3.1.0", .wiggle = 0.93, SINCE_3},
    {.version = "3.0.2", .wiggle = 0.95, SINCE_3},
    {.version = "2.4.1", .wiggle = 0.90, .wiggle_of_free = true, .flashinfer = true, .all_logits = true},
    {.version = "2.3.1", .wiggle = 0.95, .wiggle_of_free = true, .flashinfer = true, .all_logits = true, .fixed_total = true},
    {.version = "2.2.0", .wiggle = 0.95, .wiggle_of_free = true, .all_logits = true, .fixed_total = true},
};

const char *const hwl_tgi_versions[] = {"3.3.7", "3.2.3", "3.1.1", "3.1.0", "3.0.2", "2.4.1", "2.3.1", "2.2.0", NULL};

const char *hwl_tgi_version(const char *text)
{
    unsigned major, minor, patch = 99;
    if (sscanf(*text == 'v' ? text + 1 : text, "%u.%u.%u", &major, &minor, &patch) < 2)
        return NULL;
    if (major == 3)
        return minor == 3 ? "3.3.7" : minor == 2 ? "3.2.3" : minor == 1 ? (patch == 0 ? "3.1.0" : "3.1.1") : minor == 0 ? "3.0.2" : NULL;
    if (major == 2)
        return minor == 4 ? "2.4.1" : minor == 3 ? "2.3.1" : minor <= 2 ? "2.2.0" : NULL;
    return NULL;
}

const struct hwl_tgi_rules *hwl_tgi_rules_of(const char *version)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].version, version) == 0)
            return &rules[i];
    return &rules[0];
}
