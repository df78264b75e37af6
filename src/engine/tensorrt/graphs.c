/* SPDX-License-Identifier: Apache-2.0 */
/* How many sizes of a batch are captured. After llmapi/llm_args.py (CudaGraphConfig) and _torch/pyexecutor/model_engine.py
 * (_filter_cuda_graph_batch_sizes), 1.2. */
#include "engine/tensorrt/tensorrt.h"

#include "base/bytes.h"

#include <stdlib.h>

#define LARGEST 128 /* where max_batch_size of the graphs is 0 */

/* With padding 1, 2, 4 and multiples of 8 to 128; without 1 to 32, 64 and 128; powers of two below the largest beyond. */
static bool is_listed(uint64_t size, bool padding)
{
    if (size > LARGEST)
        return (size & (size - 1)) == 0;
    return padding ? size == 1 || size == 2 || size == 4 || size % 8 == 0 : size <= 32 || size == 64 || size == 128;
}

/* Sizes above what a batch can have are left out; with padding the largest batch has one all the same. */
static uint64_t count(uint64_t largest, uint64_t most, bool padding)
{
    uint64_t n = 0, last = 0;
    for (uint64_t b = 1; b <= largest && b <= ((uint64_t)1 << 40); b = b < LARGEST ? b + 1 : b * 2)
        if ((is_listed(b, padding) || b == largest) && b <= most) {
            last = b;
            n++;
        }
    if (last != largest && largest <= most) {
        last = largest;
        n++;
    }
    return n + (padding && largest > most && last != most);
}

static uint64_t listed(const char *text, uint64_t most, bool padding)
{
    uint64_t n = 0, last = 0, above = 0;
    for (const char *p = text; *p;) {
        char *end;
        const unsigned long long b = strtoull(p, &end, 10);
        if (end != p && b && b <= most) {
            n++;
            last = hwl_max(last, b);
        } else if (end != p) {
            above = b;
        }
        p = end == p ? p + 1 : end;
    }
    return n + (padding && above && last != most);
}

uint64_t hwl_trt_graphs(const struct hwl_settings *settings, const struct hwl_trt_setup *setup)
{
    const uint64_t largest = hwl_opt_u64(settings, HWL_OPT_MAX_CUDAGRAPH_SIZE, 0);
    const uint64_t most = hwl_min(setup->max_batch, setup->max_tokens / (1 + setup->draft_tokens));
    const char *sizes = hwl_opt_text(settings, HWL_OPT_CUDAGRAPH_SIZES, "");
    const bool padding = hwl_opt_flag(settings, HWL_OPT_CUDAGRAPH_PADDING, false);
    if (hwl_opt_flag(settings, HWL_OPT_ENFORCE_EAGER, false))
        return 0;
    return *sizes ? listed(sizes, most, padding) : count(largest ? largest : LARGEST, most, padding);
}
