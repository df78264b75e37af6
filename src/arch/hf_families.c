/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of text decoders. Facts from the modelling code of transformers 5.24 and the checkpoints' own config files. */
#include "arch/hf_text.h"

static const struct hwl_text_row llama = {.q_bias = "attention_bias=0", .o_bias = "attention_bias=0", .mlp_bias = "mlp_bias=0"};
static const struct hwl_text_row plain = {.slide = HWL_SLIDE_ALL};
static const struct hwl_text_row qwen2 = {.q_bias = "1", .slide = HWL_SLIDE_QWEN};
static const struct hwl_text_row qwen3 = {
    .q_bias = "attention_bias=0", .o_bias = "attention_bias=0", .qk = HWL_QK_HEAD, .slide = HWL_SLIDE_QWEN};

#define TEXT(names, class_names, r) {names, class_names, hwl_text_read, &(r)}
const struct hwl_family hwl_family_generic = {"", NULL, hwl_text_read, &llama};

const struct hwl_family hwl_families_text[] = {
    TEXT("llama aquila xverse yi Yi", "LlamaForCausalLM LLaMAForCausalLM", llama),
    TEXT("mistral", "MistralForCausalLM", plain),
    TEXT("qwen2", "Qwen2ForCausalLM", qwen2),
    TEXT("qwen3", "Qwen3ForCausalLM", qwen3),
    {0},
};
