/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers on the command lines of Python servers. */
#include "engine/shared/args.h"

#include "base/status.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool hwl_args_human_int(const char *s, uint64_t *out)
{
    static const struct {
        char suffix;
        uint64_t factor;
    } suffixes[] = {{'k', 1000},     {'m', 1000000},  {'g', 1000000000}, {'t', 1000000000000},
                    {'K', 1u << 10}, {'M', 1u << 20}, {'G', 1u << 30},   {'T', (uint64_t)1 << 40}};
    const size_t n = strlen(s);
    if (n == 0 || n > 40)
        return false;
    uint64_t factor = 1;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (s[n - 1] == suffixes[i].suffix)
            factor = suffixes[i].factor;
    char digits[48];
    memcpy(digits, s, n);
    digits[factor == 1 ? n : n - 1] = 0;
    if (factor == 1)
        return hwl_text_u64(digits, out);
    uint64_t whole;
    if (hwl_text_u64(digits, &whole))
        return __builtin_mul_overflow(whole, factor, out) == 0;
    if (strspn(digits, "0123456789.") != strlen(digits))
        return false;
    char *end;
    const double v = strtod(digits, &end) * (double)factor;
    if (end == digits || *end || v < 0 || v > 9e15)
        return false;
    *out = (uint64_t)v;
    return true;
}

hwl_status hwl_args_set_int(struct hwl_settings *s, const char *engine, const char *option, const char *flag,
                            const char *value, hwl_error *error)
{
    uint64_t n;
    if (!value || !hwl_args_human_int(value, &n))
        return hwl_fail(error, HWL_E_USAGE, "%s: --%s wants a number, not '%s'", engine, flag, value ? value : "");
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    return hwl_settings_set(s, option, text, error);
}

/* A value as a shell reads it: plain words as they are, anything else between quotes; values of a list side by side. */
static bool put_value(char *out, size_t size, const char *value, bool list)
{
    size_t n = 0;
    const bool plain = *value && value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,+@")] == 0;
    if (!plain && n + 1 < size)
        out[n++] = '\'';
    for (; *value && n + 6 < size; value++)
        if (*value == '\'') {
            memcpy(out + n, "'\\''", 4);
            n += 4;
        } else {
            out[n++] = list && *value == ',' ? ' ' : *value;
        }
    if (!plain)
        out[n++] = '\'';
    out[n] = 0;
    return *value == 0;
}

char *hwl_args_given(struct hwl_arena *arena, const struct hwl_settings *s, const struct hwl_engine_arg *args, uint32_t n,
                     const char *skip, char style)
{
    bool done[HWL_OPT_COUNT] = {0};
    char *all = hwl_arena_printf(arena, "%s", "");
    for (uint32_t i = 0; i < n && all; i++) {
        const struct hwl_engine_arg *a = &args[i];
        const bool flag = a->how == HWL_ARG_TRUE || a->how == HWL_ARG_FALSE, list = a->how == HWL_ARG_VALUES;
        if (!flag && !list && a->how != HWL_ARG_VALUE && a->how != HWL_ARG_MIB && a->how != HWL_ARG_GIB)
            continue;
        const enum hwl_opt id = a->option;
        const char *option = hwl_option_at((uint32_t)id)->name;
        char text[1024], value[1200] = "", name[80];
        if (done[id] || hwl_words_have(skip, option) || !hwl_opt_has(s, id) ||
            (flag && hwl_opt_flag(s, id, false) != (a->how == HWL_ARG_TRUE)))
            continue;
        if (!flag && !hwl_settings_get(s, option, text, sizeof text))
            continue;
        if (a->how == HWL_ARG_GIB || a->how == HWL_ARG_MIB)
            (void)snprintf(text, sizeof text, "%.6g", (double)hwl_opt_u64(s, id, 0) / (a->how == HWL_ARG_GIB ? 1u << 30 : 1u << 20));
        if (!flag && !put_value(value, sizeof value, text, list))
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(a->names, " "), a->names);
        for (char *p = name; *p; p++)
            *p = *p == '-' ? style : *p;
        all = hwl_arena_printf(arena, "%s --%s%s%s", all, name, flag ? "" : " ", value);
        done[id] = true;
    }
    return all;
}

void hwl_args_put_line(struct hwl_ledger *ledger, const char *program, const struct hwl_model *model, const char *given, const char *pinned)
{
    const char *source = model->source ? model->source : model->name;
    if (strncmp(source, "catalogue: ", 11) == 0)
        source += 11;
    char *text = given && pinned ? hwl_arena_printf(ledger->arena, "%s %s%s%s", program, source, given, pinned) : NULL;
    if (text)
        hwl_ledger_view_text(ledger, "command_line", text);
    else
        ledger->failed = true;
}
