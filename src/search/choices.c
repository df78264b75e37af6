/* SPDX-License-Identifier: Apache-2.0 */
/* What a person may want to choose from, engine by engine. Each list is a choice among what the engine takes, largest memory first. */
#include <hwledger/search.h>

#include <stddef.h>
#include <string.h>

#define LIST(...) (const char *const[]){__VA_ARGS__, NULL}

static const struct {
    const char *engine, *option;
    const char *const *values;
} rows[] = {
    /* kv_cache_types of common/arg.cpp; K-quants for weights of src/llama-quant.cpp, with the one i-quant per size that people use */
    {"llama.cpp", "kv-type", LIST("f16", "q8_0", "q5_1", "q4_0")},
    {"llama.cpp", "quant", LIST("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "IQ3_XXS", "Q2_K")},
    {"llama.cpp", "flash-attn", LIST("auto", "on", "off")},
    {"llama.cpp", "split-mode", LIST("layer", "row", "none")},
    {"llama.cpp", "fit", LIST("on", "off")},
    {"ollama", "kv-type", LIST("f16", "q8_0", "q4_0")}, /* OLLAMA_KV_CACHE_TYPE */
    {"ollama", "quant", LIST("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")},
    {"ollama", "flash-attn", LIST("auto", "on", "off")},
    {"vllm", "kv-type", LIST("auto", "fp8")},
    {"vllm", "quant", LIST("fp8", "awq", "nvfp4")},
    {"sglang", "kv-type", LIST("auto", "fp8_e4m3")},
    {"sglang", "quant", LIST("fp8", "awq", "nvfp4")},
    {"tensorrt-llm", "kv-type", LIST("auto", "fp8")},
    {"tgi", "kv-type", LIST("auto", "fp8_e4m3fn")},
    {"tgi", "quant", LIST("fp8", "int8", "nf4")},
    {"tensorrt-llm", "quant", LIST("fp8", "awq", "nvfp4")},
    {"transformers", "quant", LIST("int8", "nf4")},
    {"lm-studio", "kv-type", LIST("f16", "q8_0", "q4_0")},
    {"lm-studio", "quant", LIST("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")},
    {"mlx", "quant", LIST("8bit", "6bit", "4bit", "3bit")},
    {"mlx", "kv-type", LIST("auto", "8bit", "4bit")},
};

const char *hwl_option_choice(const char *engine, const char *option, uint32_t index)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].engine, engine) != 0 || strcmp(rows[i].option, option) != 0)
            continue;
        for (uint32_t k = 0; rows[i].values[k]; k++)
            if (k == index)
                return rows[i].values[k];
    }
    return NULL;
}
