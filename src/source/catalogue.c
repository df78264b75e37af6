/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a model of the embedded catalogue by what people call it. */
#include "source/catalogue.h"

#include "base/str.h"

#include <stddef.h>
#include <string.h>

#define NAME_BYTES 128u

/* Lower case letters and digits only, up to n bytes of s. */
static void plain(const char *s, uint64_t n, char out[NAME_BYTES])
{
    uint64_t k = 0;
    for (uint64_t i = 0; i < n && k + 1 < NAME_BYTES; i++) {
        char c = s[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[k++] = c;
    }
    out[k] = 0;
}

/* Calls one name after the other: short name, id, aliases. Returns false past the end. */
static bool name_at(const hwl_catalogue_model *m, uint32_t i, char out[NAME_BYTES])
{
    if (i == 0)
        plain(m->name, strlen(m->name), out);
    else if (i == 1)
        plain(m->id, strlen(m->id), out);
    if (i < 2)
        return true;
    const char *p = m->aliases;
    for (i -= 2; i && *p; i--) {
        p += strcspn(p, ",");
        p += *p == ',';
    }
    if (!*p)
        return false;
    plain(p, strcspn(p, ","), out);
    return true;
}

const struct hwl_catalogue_row *hwl_catalogue_find(const char *name)
{
    char want[NAME_BYTES], have[NAME_BYTES];
    plain(name, strlen(name), want);
    if (!want[0])
        return NULL;
    for (uint32_t i = 0; i < hwl_catalogue_n; i++)
        for (uint32_t k = 0; name_at(&hwl_catalogue_table[i].model, k, have); k++)
            if (strcmp(want, have) == 0)
                return &hwl_catalogue_table[i];
    return NULL;
}

const char *hwl_catalogue_nearest(const char *name)
{
    char want[NAME_BYTES], have[NAME_BYTES];
    plain(name, strlen(name), want);
    uint32_t best = (uint32_t)(strlen(want) / 3) + 1;
    const char *found = NULL;
    for (uint32_t i = 0; i < hwl_catalogue_n; i++)
        for (uint32_t k = 0; name_at(&hwl_catalogue_table[i].model, k, have); k++) {
            uint32_t d = hwl_text_distance(want, have, best);
            if (d < best) {
                best = d;
                found = hwl_catalogue_table[i].model.name;
            }
        }
    return found;
}

const hwl_catalogue_model *hwl_catalogue_at(uint32_t index)
{
    return index < hwl_catalogue_n ? &hwl_catalogue_table[index].model : NULL;
}
