/* SPDX-License-Identifier: Apache-2.0 */
/* Element types: look-up and row sizes over the generated table. */
#include "source/dtype.h"

#include "source/dtype_table.h"

#include <string.h>
#include <strings.h>

const struct hwl_dtype_info *hwl_dtype(enum hwl_dtype dtype)
{
    return &hwl_dtype_table[(unsigned)dtype < HWL_DTYPE_COUNT ? dtype : HWL_DTYPE_NONE];
}

enum hwl_dtype hwl_dtype_of_ggml(uint64_t number)
{
    return number < HWL_DTYPE_GGML_COUNT ? (enum hwl_dtype)hwl_dtype_by_ggml[number] : HWL_DTYPE_NONE;
}

const char *hwl_dtype_removed(uint64_t number)
{
    return number < HWL_DTYPE_GGML_COUNT ? hwl_dtype_removed_by_ggml[number] : NULL;
}

enum hwl_dtype hwl_dtype_of_safetensors(struct hwl_str name)
{
    for (unsigned i = 1; name.n && i < HWL_DTYPE_COUNT; i++) {
        const char *s = hwl_dtype_table[i].safetensors;
        if (s[0] == name.p[0] && hwl_str_eq(name, s)) /* most rows end at the first letter: called for each tensor */
            return (enum hwl_dtype)i;
    }
    return HWL_DTYPE_NONE;
}

/* Is name, without case, one of the space-separated words? */
static bool among(const char *words, const char *name, size_t n)
{
    while (*words) {
        const size_t w = strcspn(words, " ");
        if (w == n && strncasecmp(words, name, n) == 0)
            return true;
        words += w;
        words += *words == ' ';
    }
    return false;
}

enum hwl_dtype hwl_dtype_of_name(const char *name)
{
    if (strncmp(name, "torch.", 6) == 0)
        name += 6;
    const size_t n = strlen(name);
    for (unsigned i = 1; n && i < HWL_DTYPE_COUNT; i++)
        if (hwl_text_eq_nocase(hwl_dtype_table[i].name, name) || among(hwl_dtype_table[i].aliases, name, n))
            return (enum hwl_dtype)i;
    return HWL_DTYPE_NONE;
}

bool hwl_dtype_row(enum hwl_dtype dtype, uint64_t n, uint64_t *bytes)
{
    const struct hwl_dtype_info *d = hwl_dtype(dtype);
    return d->bytes && n % d->block == 0 && hwl_mul(bytes, n / d->block, d->bytes);
}

uint64_t hwl_dtype_bytes(enum hwl_dtype dtype, uint64_t n, struct hwl_ck *ck)
{
    const struct hwl_dtype_info *d = hwl_dtype(dtype);
    return hwl_ck_mul(ck, hwl_div_ceil(n, d->block), d->bytes);
}
