/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_DTYPE_H
#define HWL_SOURCE_DTYPE_H

#include "base/bytes.h"
#include "base/str.h"

/* Every element type of GGUF and safetensors in one table, generated from data/dtypes.csv:
 * id, block elements, block bytes, ggml number (-1 none), safetensors name ("" none), quantised, aliases, source. */
#include "dtypes_gen.h" /* enum hwl_dtype { HWL_DTYPE_NONE = 0, HWL_DTYPE_F32, ..., HWL_DTYPE_COUNT } */

struct hwl_dtype_info {
    const char *name;        /* as printed: "Q4_K", "BF16", "F8_E4M3" */
    uint32_t block;          /* elements of a block */
    uint32_t bytes;          /* bytes of a block; sub-byte types are blocks too: F4 is 2 elements in 1 byte */
    int32_t ggml;            /* ggml type number or -1 */
    const char *safetensors; /* name in safetensors headers or "" */
    const char *aliases;     /* names of torch and engines, space-separated */
    bool quantised;
};

const struct hwl_dtype_info *hwl_dtype(enum hwl_dtype dtype);
/* By ggml number, safetensors name, any printed or torch name ("q4_k", "bfloat16", "float8_e4m3fn"): HWL_DTYPE_NONE when unknown. */
enum hwl_dtype hwl_dtype_of_ggml(uint64_t number);
/* Name of a ggml type that llama.cpp no longer reads (Q4_2, Q4_0_4_4 ...), else NULL. */
const char *hwl_dtype_removed(uint64_t number);
enum hwl_dtype hwl_dtype_of_safetensors(struct hwl_str name);
enum hwl_dtype hwl_dtype_of_name(const char *name);

/* Bytes of a row of n elements; false when n is no multiple of the block, or on overflow. */
HWL_MUST_USE bool hwl_dtype_row(enum hwl_dtype dtype, uint64_t n, uint64_t *bytes);
/* Bytes of n elements that need not be whole blocks (rounded up): cache widths and estimates. */
uint64_t hwl_dtype_bytes(enum hwl_dtype dtype, uint64_t n, struct hwl_ck *ck);

#endif
