/* SPDX-License-Identifier: Apache-2.0 */
/* An entry in words and numbers: its formula with the factors filled in. */
#include "base/str.h"

#include <hwledger/plan.h>

#include <stdio.h>
#include <string.h>

struct out {
    char *buf;
    uint64_t size, n;
};

static void put(struct out *o, const char *s, size_t n)
{
    for (size_t i = 0; i < n && o->n + 1 < o->size; i++)
        o->buf[o->n++] = s[i];
    if (o->size)
        o->buf[o->n] = 0;
}

const char *hwl_entry_explain(const hwl_entry *entry, char *buf, uint64_t size)
{
    struct out o = {buf, size, 0};
    char number[40];
    if (!size)
        return buf;
    *buf = 0;
    for (const char *f = entry->formula ? entry->formula : ""; *f;) {
        if (f[0] == '{' && f[1] >= '0' && f[1] < '0' + HWL_ENTRY_ARGS && f[2] == '}') {
            (void)hwl_count_text(entry->args[f[1] - '0'], number, sizeof number);
            put(&o, number, strlen(number));
            f += 3;
        } else {
            put(&o, f++, 1);
        }
    }
    if (o.n)
        put(&o, " = ", 3);
    (void)hwl_count_text(entry->bytes, number, sizeof number);
    put(&o, number, strlen(number));
    put(&o, " B", 2);
    return buf;
}
