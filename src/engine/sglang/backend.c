/* SPDX-License-Identifier: Apache-2.0 */
/* Attention kernels, the page of tokens that they take, and the form in which sparse attention keeps its rows. After
 * arg_groups/model_override_base.py, model_overrides and overrides.py of 0.5.23. */
#include "engine/sglang/sglang.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* What a class takes on SM100 where its own rule differs from the common one. */
static const struct {
    const char *classes, *backend;
} sm100[] = {{"GraniteMoeHybridForCausalLM Lfm2ForCausalLM Lfm2MoeForCausalLM", "flashinfer"},
             {"FalconH1ForCausalLM JetNemotronForCausalLM JetVLMForConditionalGeneration", "triton"},
             {"DeepseekV3ForCausalLM KimiK25ForConditionalGeneration KimiK3ForConditionalGeneration MistralLarge3ForCausalLM "
              "PixtralForConditionalGeneration LongcatFlashForCausalLM HYV4ForCausalLM",
              "trtllm_mla"},
             {"GptOssForCausalLM Gemma4ForConditionalGeneration Gemma4ForCausalLM Gemma4UnifiedForConditionalGeneration "
              "Llama4ForConditionalGeneration Llama4ForCausalLM NemotronHForCausalLM NemotronHPuzzleForCausalLM "
              "NemotronH_Omni_Reasoning_V3",
              "trtllm_mha"}};
/* Their recurrent layers share pages with the attention only where states have a buffer of their own. */
static const char paged_hybrids[] =
    "Qwen3NextForCausalLM Qwen3_5MoeForConditionalGeneration Qwen3_5ForConditionalGeneration "
    "InternS2PreviewForConditionalGeneration InternS2MobiusForConditionalGeneration";

/* get_default_attn_backend and the rules of classes, on other cards. None of these wants a page of its own. */
static const char *common_backend(const struct hwl_model *model, const struct hwl_sglang_setup *u)
{
    bool sinks = false;
    for (uint32_t i = 0; i < model->n_layers; i++)
        sinks = sinks || model->layers[i].attn.sinks;
    if (u->cc == 0) /* ROCm, or not told */
        return "";
    if (hwl_sglang_has(model, HWL_SGLANG_TRITON))
        return "triton";
    return u->cc / 10 == 9 ? "fa3" : u->mla || sinks ? "triton" : "flashinfer";
}

const char *hwl_sglang_backend(const struct hwl_model *model, const struct hwl_settings *settings,
                               const struct hwl_sglang_setup *u)
{
    const char *asked = hwl_opt_text(settings, HWL_OPT_ATTENTION_BACKEND, "");
    const char *class_name = model->hints.class_name ? model->hints.class_name : "";
    if (u->compressed)
        return "dsv4";
    if (u->sparse)
        return "dsa"; /* whatever is asked */
    if (*asked)
        return asked;
    if (u->cc / 10 != 10 || !u->rules->sm100)
        return common_backend(model, u);
    if (u->rules->sm100 < 3)
        return strcmp(class_name, "GptOssForCausalLM") == 0                                 ? "trtllm_mha"
               : u->rules->sm100 == 2 && strcmp(class_name, "DeepseekV3ForCausalLM") == 0 ? "trtllm_mla"
                                                                                           : common_backend(model, u);
    if (u->rules->nemotron_flashinfer && strncmp(class_name, "NemotronH", 9) == 0)
        return "flashinfer";
    for (size_t i = 0; i < sizeof sm100 / sizeof *sm100; i++)
        if (hwl_words_have(sm100[i].classes, class_name) &&
            (u->recurrent || strcmp(class_name, "GraniteMoeHybridForCausalLM") != 0))
            return sm100[i].backend;
    if (u->mla)
        return "flashinfer";
    const bool drafts = *u->spec_method != 0;
    if (drafts && !hwl_opt_has(settings, HWL_OPT_SPEC_TOPK))
        return hwl_words_have(paged_hybrids, class_name) ? "triton" : "flashinfer";
    if (hwl_words_have(paged_hybrids, class_name) && u->prefix && !drafts &&
        !hwl_words_have("extra_buffer extra_buffer_lazy", hwl_opt_text(settings, HWL_OPT_MAMBA_STRATEGY, "auto")))
        return "triton";
    return "trtllm_mha";
}

uint64_t hwl_sglang_page(const char *backend, uint64_t asked, const struct hwl_sglang_setup *u)
{
    static const struct {
        const char *names;
        uint64_t page;
        const char *also; /* other pages that the kernels take */
    } kernels[] = {{"flashmla", 64, ""},
                   {"cutlass_mla", 128, ""},
                   {"trtllm_mla cutedsl_mla", 64, "32 64"},
                   {"trtllm_mha", 64, "16 32 64 128"},
                   {"hpc_ops", 64, ""},
                   {"dsa nsa", 64, ""},
                   {"dsv4", 256, ""}};
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)asked);
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        if (hwl_words_have(kernels[i].names, backend))
            return hwl_words_have(kernels[i].also, text) ? asked : kernels[i].page;
    if (strcmp(backend, "fa4") == 0 && !u->mla && u->cc / 10 == 10)
        return 128;
    return asked ? asked : 1;
}

/* _dsa_split_backend_resolution: kernels of TensorRT-LLM, and TileLang for both halves, take rows without scales. */
bool hwl_sglang_raw_rows(const struct hwl_model *model, const struct hwl_settings *settings,
                         const struct hwl_sglang_setup *u)
{
    const bool glm = model->hints.class_name && strcmp(model->hints.class_name, "GlmMoeDsaForCausalLM") == 0;
    const bool fp8 = u->kv->bits == 8;
    const char *both = glm && u->cc / 10 == 12 && fp8 ? "flashinfer_sparse_mla" : NULL;
    const char *prefill = hwl_opt_text(settings, HWL_OPT_DSA_PREFILL, both ? both
                                                                     : !fp8 ? "flashmla_sparse"
                                                                     : u->cc >= 100 ? "trtllm" : "flashmla_kv");
    const char *decode = hwl_opt_text(settings, HWL_OPT_DSA_DECODE, both ? both
                                                                   : u->cc >= 100 ? "trtllm"
                                                                   : fp8 ? "flashmla_kv" : "fa3");
    return hwl_words_have("trtllm", prefill) || hwl_words_have("trtllm", decode) ||
           (strcmp(prefill, "tilelang") == 0 && strcmp(decode, "tilelang") == 0);
}

uint64_t hwl_sglang_workspace(const char *backend, const struct hwl_model *model, const struct hwl_sglang_setup *u)
{
    const uint64_t flashinfer = hwl_sglang_has(model, HWL_SGLANG_WIDE_WORKSPACE) ? 512 : 384;
    const uint64_t mib = strcmp(backend, "flashinfer") == 0                ? flashinfer
                         : strcmp(backend, "trtllm_mha") == 0              ? 512
                         : hwl_words_have("trtllm_mla cutedsl_mla", backend) ? 150
                         : strcmp(backend, "dsa") == 0 && u->cc >= 100     ? 384
                                                                           : 0;
    return mib << 20;
}
