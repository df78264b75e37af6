/* SPDX-License-Identifier: Apache-2.0 */
/* Element types: names, blocks, bytes. */
#include "source/dtype.h"

#include "source/dtype_table.h"

#include <stdio.h>
#include <string.h>

const struct hwl_dtype_info *hwl_dtype(enum hwl_dtype dtype)
{
    return &hwl_dtype_rows[(unsigned)dtype < HWL_DTYPE_COUNT ? dtype : HWL_DTYPE_NONE].info;
}

enum hwl_dtype hwl_dtype_of_ggml(uint64_t number)
{
    for (int i = 1; i < HWL_DTYPE_COUNT; i++)
        if (hwl_dtype_rows[i].info.ggml >= 0 && (uint64_t)hwl_dtype_rows[i].info.ggml == number)
            return (enum hwl_dtype)i;
    return HWL_DTYPE_NONE;
}

enum hwl_dtype hwl_dtype_of_safetensors(struct hwl_str name)
{
    for (int i = 1; name.n && i < HWL_DTYPE_COUNT; i++)
        if (hwl_str_eq(name, hwl_dtype_rows[i].info.safetensors))
            return (enum hwl_dtype)i;
    return HWL_DTYPE_NONE;
}

enum hwl_dtype hwl_dtype_of_name(const char *name)
{
    char word[32];
    size_t n = 0;
    if (strncmp(name, "torch.", 6) == 0)
        name += 6;
    for (; name[n] && n + 1 < sizeof word; n++)
        word[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] + ('a' - 'A') : name[n]);
    word[n] = 0;
    if (name[n] || !n)
        return HWL_DTYPE_NONE;
    for (int i = 1; i < HWL_DTYPE_COUNT; i++)
        if (hwl_text_eq_nocase(hwl_dtype_rows[i].info.name, word) || hwl_words_have(hwl_dtype_rows[i].others, word))
            return (enum hwl_dtype)i;
    return HWL_DTYPE_NONE;
}

bool hwl_dtype_row(enum hwl_dtype dtype, uint64_t n, uint64_t *bytes)
{
    const struct hwl_dtype_info *t = hwl_dtype(dtype);
    return t->bytes && n % t->block == 0 && hwl_mul(bytes, n / t->block, t->bytes);
}

uint64_t hwl_dtype_bytes(enum hwl_dtype dtype, uint64_t n, struct hwl_ck *ck)
{
    const struct hwl_dtype_info *t = hwl_dtype(dtype);
    return hwl_ck_mul(ck, hwl_div_ceil(n, t->block), t->bytes);
}
