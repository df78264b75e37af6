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
