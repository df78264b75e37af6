/* SPDX-License-Identifier: Apache-2.0 */
/* Releases of text-generation-inference, read at their tags: server/text_generation_server/models/globals.py,
 * flash_causal_lm.py (warmup) and launcher/src/main.rs. */
#include "engine/tgi/tgi.h"

#include <stdio.h>
#include <string.h>

/* What CUDA holds whatever the model, kernels among it: 0.3 GB in start-ups up to 2.0, 1.3 to 1.9 GB from 2.2 on
 * (tests/data/tgi/logs.txt, what is left beside weights, the warm-up batch's blocks and its activations). */
#define LEAN .context_mib = 290
#define SINCE_2_1 .context_mib = 1670
#define SINCE_3 .flashinfer = true, .optimal_prefill = true, SINCE_2_1

static const struct hwl_tgi_rules rules[] = {
    {.version = "3.3.7", .wiggle = 0.90, SINCE_3, .vl_prefill = true},
    {.version = "3.2.3", .wiggle = 0.93, SINCE_3, .vl_prefill = true},
    {.version = "3.1.1", .wiggle = 0.93, SINCE_3, .vl_prefill = true},
    {.version = "3.1.0", .wiggle = 0.93, SINCE_3},
    {.version = "3.0.2", .wiggle = 0.95, SINCE_3},
    {.version = "2.4.1", .wiggle = 0.90, .wiggle_of_free = true, .flashinfer = true, .all_logits = true, SINCE_2_1},
    {.version = "2.4.0", .wiggle = 0.90, .wiggle_of_free = true, .flashinfer = true, .all_logits = true, .fixed_total = true, SINCE_2_1},
    {.version = "2.3.1", .wiggle = 0.95, .wiggle_of_free = true, .flashinfer = true, .all_logits = true, .log_copy = true, .fixed_total = true, SINCE_2_1},
    {.version = "2.2.0", .wiggle = 0.95, .wiggle_of_free = true, .all_logits = true, .log_copy = true, .fixed_total = true, SINCE_2_1},
    {.version = "2.0.4", .wiggle = 0.95, .wiggle_of_free = true, .all_logits = true, .log_copy = true, .fixed_total = true, LEAN},
    {.version = "1.4.5", .wiggle = 0.95, .wiggle_of_free = true, .all_logits = true, .log_copy = true, .plain_lengths = true, LEAN},
    {.version = "1.4.1", .wiggle = 1.0, .wiggle_of_free = true, .all_logits = true, .log_copy = true, .plain_lengths = true, LEAN},
    {.version = "1.1.0", .wiggle = 1.0, .wiggle_of_free = true, .all_logits = true, .log_copy = true, .plain_lengths = true, .two_new = true, LEAN},
};

const char *const hwl_tgi_versions[] = {"3.3.7", "3.2.3", "3.1.1", "3.1.0", "3.0.2", "2.4.1", "2.4.0", "2.3.1", "2.2.0", "2.0.4", "1.4.5", "1.4.1", "1.1.0", NULL};

const char *hwl_tgi_version(const char *text)
{
    unsigned major, minor, patch = 99;
    if (sscanf(*text == 'v' ? text + 1 : text, "%u.%u.%u", &major, &minor, &patch) < 2)
        return NULL;
    if (major == 3)
        return minor == 3 ? "3.3.7" : minor == 2 ? "3.2.3" : minor == 1 ? (patch == 0 ? "3.1.0" : "3.1.1") : minor == 0 ? "3.0.2" : NULL;
    if (major == 1 && (minor == 0 || (minor == 1 && patch == 0)))
        return "1.1.0";
    if (major == 1)
        return minor < 4 || (minor == 4 && patch < 2) ? "1.4.1" : minor == 4 ? "1.4.5" : NULL;
    if (major == 0)
        return minor == 9 && patch > 2 ? "1.1.0" : NULL;
    if (major == 2)
        return minor == 4 ? (patch == 0 ? "2.4.0" : "2.4.1") : minor == 3 ? "2.3.1" : minor == 2 || minor == 1 ? "2.2.0" : minor == 0 ? "2.0.4" : NULL;
    return NULL;
}

const struct hwl_tgi_rules *hwl_tgi_rules_of(const char *version)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].version, version) == 0)
            return &rules[i];
    return &rules[0];
}
