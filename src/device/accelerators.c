/* SPDX-License-Identifier: Apache-2.0 */
/* Accelerators by name. A name is a run of tokens: case, spaces, hyphens and vendor words do not count, letters and digits
 * part ("RTX4090" is rtx, 4090). A query names a row when its tokens stand in the row's in this order; the row with the fewest
 * further tokens wins, and rows that tie must agree on their memory, else the query is not clear. */
#include "device/catalogue.h"

#include "base/status.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { MAX_TOKENS = 24, MAX_TEXT = 128 };

struct tokens {
    char text[MAX_TEXT]; /* tokens, each NUL-terminated */
    const char *at[MAX_TOKENS];
    uint32_t n;
};

/* Words that say nothing about which card it is. */
static const char vendor_words[] = "nvidia geforce tesla quadro amd radeon instinct intel apple google huawei qualcomm graphics gpu "
                                   "generation edition corporation inc r tm";

static int class_of(int c)
{
    if (c >= '0' && c <= '9')
        return 1;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return 2;
    return c == '+' ? 3 : 0;
}

/* False when the text is longer than any name. */
static bool tokenize(struct tokens *t, const char *s, size_t len)
{
    size_t o = 0;
    t->n = 0;
    for (size_t i = 0; i < len;) {
        int class = class_of((unsigned char)s[i]);
        if (!class) {
            i++;
            continue;
        }
        size_t start = o;
        for (; i < len && class_of((unsigned char)s[i]) == class; i++) {
            if (o + 2 > MAX_TEXT)
                return false;
            t->text[o++] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + ('a' - 'A') : s[i]);
        }
        t->text[o] = 0;
        char *word = t->text + start;
        if (hwl_words_have(vendor_words, word)) {
            o = start;
            continue;
        }
        if (strcmp(word, "gib") == 0) { /* sizes on the box: 80GB, 80 GiB, 80G */
            word[2] = 0;
            word[1] = 'b';
        }
        if (t->n == MAX_TOKENS)
            return false;
        t->at[t->n++] = word;
        o++;
    }
    return t->n > 0;
}

/* Tokens of the row beyond the query's; -1 where the query is no subsequence. */
static int32_t surplus(const struct tokens *query, const struct tokens *row)
{
    uint32_t q = 0;
    for (uint32_t i = 0; i < row->n && q < query->n; i++)
        if (strcmp(query->at[q], row->at[i]) == 0)
            q++;
    return q == query->n ? (int32_t)(row->n - query->n) : -1;
}

/* Walks a row's name and then its aliases: false past the last. */
static bool next_name(const struct hwl_accelerator_row *row, uint32_t i, const char **name, size_t *len)
{
    if (i == 0) {
        *name = row->a.name;
        *len = strlen(row->a.name);
        return true;
    }
    const char *p = row->aliases;
    for (uint32_t k = 1; *p; k++) {
        size_t n = strcspn(p, "|");
        if (k == i) {
            *name = p;
            *len = n;
            return true;
        }
        p += n + (p[n] == '|');
    }
    return false;
}

static void squash(const struct tokens *t, char *out, size_t size)
{
    size_t o = 0;
    for (uint32_t i = 0; i < t->n; i++)
        for (const char *p = t->at[i]; *p && o + 1 < size; p++)
            out[o++] = *p;
    out[o] = 0;
}

const hwl_accelerator *hwl_accelerator_at(uint32_t index)
{
    return index < hwl_n_accelerator_rows ? &hwl_accelerator_rows[index].a : NULL;
}

const hwl_accelerator *hwl_accelerator_find(const char *name, hwl_error *error)
{
    struct tokens query, known;
    if (!tokenize(&query, name, strlen(name))) {
        (void)hwl_fail(error, HWL_E_NOT_FOUND, "no accelerator is called '%.80s'", name);
        return NULL;
    }
    char want[MAX_TEXT], have[MAX_TEXT];
    squash(&query, want, sizeof want);
    const struct hwl_accelerator_row *best = NULL, *rival = NULL, *near = NULL;
    int32_t best_surplus = INT32_MAX;
    uint32_t near_distance = UINT32_MAX;
    for (uint32_t r = 0; r < hwl_n_accelerator_rows; r++) {
        const struct hwl_accelerator_row *row = &hwl_accelerator_rows[r];
        const char *s;
        size_t len;
        for (uint32_t i = 0; next_name(row, i, &s, &len); i++) {
            if (!tokenize(&known, s, len))
                continue;
            int32_t more = surplus(&query, &known);
            if (more >= 0 && more < best_surplus) {
                best = row;
                rival = NULL;
                best_surplus = more;
            } else if (more >= 0 && more == best_surplus && row->a.usable_bytes != best->a.usable_bytes) {
                rival = row;
            }
            if (best) /* the nearest is asked for only where none fits */
                continue;
            squash(&known, have, sizeof have);
            uint32_t d = hwl_text_distance(want, have, 24);
            if (d < near_distance) {
                near_distance = d;
                near = row;
            }
        }
    }
    if (best && rival) {
        (void)hwl_fail(error, HWL_E_NOT_FOUND, "several accelerators are called '%.80s': %s, %s ...; give the whole name", name, best->a.name,
                       rival->a.name);
        return NULL;
    }
    if (!best) {
        (void)hwl_fail(error, HWL_E_NOT_FOUND, "no accelerator is called '%.80s'; the nearest is '%s'", name, near ? near->a.name : "");
        return NULL;
    }
    return &best->a;
}
