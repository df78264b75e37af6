/* SPDX-License-Identifier: Apache-2.0 */
/* String views, sizes as text and back, nearest names. */
#include "base/str.h"

#include "base/bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct hwl_str hwl_str_of(const char *s)
{
    return (struct hwl_str){s, strlen(s)};
}

bool hwl_str_eq(struct hwl_str a, const char *b)
{
    uint64_t n = strlen(b);
    return a.n == n && (!n || memcmp(a.p, b, (size_t)n) == 0);
}

bool hwl_str_starts(struct hwl_str a, const char *prefix)
{
    uint64_t n = strlen(prefix);
    return a.n >= n && memcmp(a.p, prefix, (size_t)n) == 0;
}

bool hwl_str_ends(struct hwl_str a, const char *suffix)
{
    uint64_t n = strlen(suffix);
    return a.n >= n && memcmp(a.p + (a.n - n), suffix, (size_t)n) == 0;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool hwl_text_eq_nocase(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (lower((unsigned char)*a) != lower((unsigned char)*b))
            return false;
    return *a == *b;
}

bool hwl_text_holds(const char *text, const char *part)
{
    const size_t n = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && tolower((unsigned char)text[i]) == part[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

bool hwl_words_have(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; n && (p = strstr(p, word)); p++)
        if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return true;
    return false;
}

uint32_t hwl_text_distance(const char *a, const char *b, uint32_t limit)
{
    enum { MAX = 96 };
    size_t na = strlen(a), nb = strlen(b);
    if (na >= MAX || nb >= MAX)
        return limit + 1;
    uint32_t row[MAX + 1];
    for (size_t j = 0; j <= nb; j++)
        row[j] = (uint32_t)j;
    for (size_t i = 1; i <= na; i++) {
        uint32_t diagonal = row[0];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= nb; j++) {
            uint32_t up = row[j];
            uint32_t best = diagonal + (lower((unsigned char)a[i - 1]) != lower((unsigned char)b[j - 1]));
            best = best < up + 1 ? best : up + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            row[j] = best;
            diagonal = up;
        }
    }
    return row[nb] > limit ? limit + 1 : row[nb];
}

/* Reads digits at *s, moves *s behind them. */
static bool digits(const char **s, uint64_t *out)
{
    const char *p = *s;
    uint64_t v = 0;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++)
        if (!hwl_mul(&v, v, 10) || !hwl_add(&v, v, (uint64_t)(*p - '0')))
            return false;
    *s = p;
    *out = v;
    return true;
}

bool hwl_text_u64(const char *s, uint64_t *out)
{
    uint64_t v;
    if (!digits(&s, &v) || *s)
        return false;
    *out = v;
    return true;
}

bool hwl_text_count(const char *s, uint64_t *out)
{
    uint64_t v, unit = 1;
    if (!digits(&s, &v))
        return false;
    switch (lower((unsigned char)*s)) {
    case 'k': unit = 1u << 10, s++; break;
    case 'm': unit = 1u << 20, s++; break;
    case 'g': unit = 1u << 30, s++; break;
    default: break;
    }
    if (*s || !hwl_mul(&v, v, unit))
        return false;
    *out = v;
    return true;
}

bool hwl_text_bytes(const char *s, uint64_t *out)
{
    uint64_t whole = 0, fraction = 0, scale = 1, unit = 1;
    if (!digits(&s, &whole))
        return false;
    if (*s == '.') {
        s++;
        if (*s < '0' || *s > '9')
            return false;
        for (; *s >= '0' && *s <= '9'; s++)
            if (scale < 1000000000u) { /* nine digits are more than any size needs */
                fraction = fraction * 10 + (uint64_t)(*s - '0');
                scale *= 10;
            }
    }
    while (*s == ' ')
        s++;
    static const char units[] = "kmgtp";
    const char *u = *s ? strchr(units, lower((unsigned char)*s)) : NULL;
    if (u) {
        uint64_t base = lower((unsigned char)s[1]) == 'i' ? 1024 : 1000;
        for (const char *p = units; p <= u; p++)
            unit *= base;
        s += base == 1024 ? 2 : 1;
    }
    if (*s == 'B' || *s == 'b')
        s++;
    uint64_t v, part;
    if (*s || !hwl_mul(&v, whole, unit))
        return false;
    /* fraction < 10^9 and unit <= 2^50: split to stay in 64 bits */
    uint64_t q = unit / scale, r = unit % scale;
    part = fraction * q + (fraction * r + scale / 2) / scale;
    if (!hwl_add(&v, v, part))
        return false;
    *out = v;
    return true;
}

const char *hwl_bytes_text(uint64_t bytes, char *buf, uint64_t size)
{
    static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        (void)snprintf(buf, (size_t)size, "%llu B", (unsigned long long)bytes);
        return buf;
    }
    int i = 0;
    double v = (double)bytes / 1024.0;
    while (v >= 1023.995 && i < 5) {
        v /= 1024.0;
        i++;
    }
    (void)snprintf(buf, (size_t)size, "%.2f %s", v, unit[i]);
    return buf;
}

const char *hwl_count_text(uint64_t n, char *buf, uint64_t size)
{
    char digit[24];
    int len = snprintf(digit, sizeof digit, "%llu", (unsigned long long)n);
    uint64_t o = 0;
    for (int i = 0; i < len && o + 2 < size; i++) {
        if (i && (len - i) % 3 == 0)
            buf[o++] = ',';
        buf[o++] = digit[i];
    }
    if (size)
        buf[o] = 0;
    return buf;
}
