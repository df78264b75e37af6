/* SPDX-License-Identifier: Apache-2.0 */
/* The controls: one table for every front end, in the order in which people think of them. */
#include "view/controls.h"

#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hwl_control rows[] = {
    {"ctx", "Context", "ctx", "tokens", "", HWL_CONTROL_NUMBER, false},
    {"concurrency", "Sequences", "seqs", "at once", "", HWL_CONTROL_NUMBER, false},
    {"quant", "Quantisation", "quant", "", "", HWL_CONTROL_CHOICE, false},
    {"kv-type", "KV type", "kv", "", "llama.cpp ollama vllm sglang tensorrt-llm tgi mlx lm-studio", HWL_CONTROL_CHOICE, false},
    {"ngl", "Layers on GPU", "layers", "layers", "llama.cpp ollama lm-studio", HWL_CONTROL_NUMBER, false},
    {"n-cpu-moe", "Experts on host", "cpu moe", "layers", "llama.cpp", HWL_CONTROL_NUMBER, false},
    {"tp", "Tensor parallel", "tp", "GPUs", "vllm sglang tensorrt-llm tgi transformers", HWL_CONTROL_NUMBER, false},
    {"gpu-memory-utilization", "Utilisation", "util", "", "vllm sglang tensorrt-llm tgi", HWL_CONTROL_SHARE, false},
    {"ubatch", "Physical batch", "ubatch", "tokens", "llama.cpp ollama lm-studio", HWL_CONTROL_NUMBER, false},
    {"max-seqs", "Step sequences", "max seqs", "sequences", "vllm sglang tensorrt-llm", HWL_CONTROL_NUMBER, false},
    {"reserve", "Reserve", "reserve", "", "", HWL_CONTROL_BYTES, false},
    {"flash-attn", "Flash attention", "flash", "", "llama.cpp ollama lm-studio", HWL_CONTROL_CHOICE, true},
    {"batch", "Logical batch", "batch", "tokens", "llama.cpp ollama lm-studio", HWL_CONTROL_NUMBER, true},
    {"split-mode", "Split mode", "split", "", "llama.cpp", HWL_CONTROL_CHOICE, true},
    {"fit", "Engine fits", "fit", "", "llama.cpp", HWL_CONTROL_CHOICE, true},
    {"pp", "Pipeline", "pp", "GPUs", "vllm sglang tensorrt-llm", HWL_CONTROL_NUMBER, true},
    {"max-batched-tokens", "Step tokens", "step", "tokens", "vllm sglang", HWL_CONTROL_NUMBER, true},
    {"enforce-eager", "Eager mode", "eager", "", "vllm", HWL_CONTROL_FLAG, true},
    {"mmap", "Map the file", "mmap", "", "llama.cpp ollama lm-studio", HWL_CONTROL_FLAG, true},
};

/* Is word one of words? */
static bool has(const char *words, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = words; (p = strstr(p, word)); p += n)
        if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return true;
    return !*words;
}

const struct hwl_control *hwl_view_control(const char *engine, uint32_t index)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has(rows[i].engines, engine) && !index--)
            return &rows[i];
    return NULL;
}

bool hwl_view_control_applies(const struct hwl_control *control, const hwl_plan *plan)
{
    if (strcmp(control->option, "n-cpu-moe") != 0)
        return true;
    for (uint32_t i = 0; i < hwl_plan_n_entries(plan); i++)
        if (hwl_plan_entry(plan, i)->component == HWL_COMP_EXPERTS)
            return true;
    return false;
}

const char *hwl_view_control_value(const struct hwl_control *control, const hwl_plan *plan, const hwl_settings *settings, char *buf,
                                   uint64_t size)
{
    uint64_t concurrency = 0;
    *buf = 0;
    /* of one sequence: an engine's own setting of that name may count all of them */
    if (plan && strcmp(control->option, "ctx") == 0)
        (void)snprintf(buf, (size_t)size, "%llu", (unsigned long long)hwl_plan_context(plan, NULL));
    else if (plan && strcmp(control->option, "concurrency") == 0 && hwl_plan_context(plan, &concurrency))
        (void)snprintf(buf, (size_t)size, "%llu", (unsigned long long)concurrency);
    else if (!(plan && hwl_plan_setting(plan, control->option, buf, size) && *buf) && settings)
        (void)hwl_settings_get(settings, control->option, buf, size);
    return buf;
}

static bool is_tokens(const struct hwl_control *c)
{
    return strcmp(c->unit, "tokens") == 0;
}

uint64_t hwl_view_control_step(const struct hwl_control *control, const hwl_range *range, uint64_t n, bool up, bool page)
{
    uint64_t next = n;
    if (is_tokens(control)) {
        /* marks are powers of two; a step is an eighth of the power below */
        uint64_t power = 1;
        while (power <= n / 2)
            power *= 2;
        const uint64_t step = page ? power : power >= 8 ? power / 8 : 1;
        if (up)
            next = page ? power * 2 : n - n % step + step;
        else if (page)
            next = power < n ? power : power / 2;
        else
            next = n % step ? n - n % step : n == power && step > 1 ? n - step / 2 : n - (n >= step ? step : n);
    } else {
        const uint64_t step = page ? (range->most >= 64 ? 8 : 4) : 1;
        next = up ? n + step : n > step ? n - step : 0;
    }
    return next < range->least ? range->least : next > range->most ? range->most : next;
}

const char *hwl_view_control_sentence(const struct hwl_control *control, const hwl_plan *plan, const hwl_range *range, char *buf,
                                      uint64_t size)
{
    char text[64], a[40], b[40];
    (void)hwl_view_control_value(control, plan, NULL, text, sizeof text);
    const uint64_t n = strtoull(text, NULL, 10);
    const char *unit = *control->unit ? " " : "";
    size_t at;
    if (control->kind != HWL_CONTROL_NUMBER) {
        (void)snprintf(buf, (size_t)size, "%s", *text ? text : strcmp(control->option, "quant") == 0 ? "as stored" : "the engine's default");
        return buf;
    }
    if (strcmp(control->option, "ngl") == 0 && range)
        (void)snprintf(buf, (size_t)size, "%s of %s layers on GPU, the output layer counted", hwl_count_text(n, a, sizeof a),
                       hwl_count_text(range->most, b, sizeof b));
    else
        (void)snprintf(buf, (size_t)size, "%s%s%s", hwl_count_text(n, a, sizeof a), unit, control->unit);
    at = strlen(buf);
    if (range && range->recommended != HWL_UNKNOWN && at < size) {
        (void)snprintf(buf + at, (size_t)(size - at), ", recommended %s", hwl_count_text(range->recommended, a, sizeof a));
        at = strlen(buf);
    }
    if (range && range->limit != HWL_UNKNOWN && at < size)
        (void)snprintf(buf + at, (size_t)(size - at), ", %s %s", range->falling ? "at least" : "limit", hwl_count_text(range->limit, a, sizeof a));
    else if (range && at < size)
        (void)snprintf(buf + at, (size_t)(size - at), ", nothing fits");
    return buf;
}
