/* SPDX-License-Identifier: Apache-2.0 */
/* What SGLang decides by the name of a model's class, where its own code holds a list of names. */
#include "engine/sglang/sglang.h"

#include "base/str.h"

/* configs/model_config.py multimodal_model_archs */
static const char media[] =
    "BailingMM2NativeForConditionalGeneration BailingMMNativeForConditionalGeneration "
    "BailingMoeV3VLForConditionalGeneration CLIPModel Cohere2VisionForConditionalGeneration "
    "Cosmos3EdgeForConditionalGeneration DeepseekOCRForCausalLM DeepseekVL2ForCausalLM "
    "DiffusionGemmaForBlockDiffusion Dots3NoteForCausalLM DotsOCRForCausalLM DotsVLMForCausalLM "
    "EmbeddingGemma2Model Ernie4_5_VLMoeForConditionalGeneration Gemma3ForConditionalGeneration "
    "Gemma3nForConditionalGeneration Gemma4ForConditionalGeneration Gemma4UnifiedForConditionalGeneration "
    "Glm4vForConditionalGeneration Glm4vMoeForConditionalGeneration Glm5NextForConditionalGeneration "
    "GlmAsrForConditionalGeneration GlmImageForConditionalGeneration GlmOcrForConditionalGeneration "
    "Grok1AForCausalLM Grok1VForCausalLM InternS1ForConditionalGeneration InternS1ProForConditionalGeneration "
    "InternS2MobiusForConditionalGeneration InternS2PreviewForConditionalGeneration InternVLChatModel "
    "JetVLMForConditionalGeneration KimiK25ForConditionalGeneration KimiVLForConditionalGeneration "
    "Lfm2VlForConditionalGeneration LightOnOCRForConditionalGeneration Llama4ForConditionalGeneration "
    "LlavaForConditionalGeneration LlavaLlamaForCausalLM LlavaMistralForCausalLM LlavaQwenForCausalLM "
    "LlavaVidForCausalLM LocateAnythingForConditionalGeneration MiDashengLMModel MiMoV2ASRForCausalLM MiniCPMO "
    "MiniCPMV MiniMaxM3SparseForConditionalGeneration Mistral3ForConditionalGeneration "
    "MllamaForConditionalGeneration MossVLForConditionalGeneration MultiModalityCausalLM "
    "MuseGlimmerForConditionalGeneration MuseSparkForConditionalGeneration NVILAForConditionalGeneration "
    "NVILALiteForConditionalGeneration NemotronH_Nano_Omni_Reasoning_V3 NemotronH_Nano_VL_V2 "
    "NemotronH_Omni_Reasoning_V3 POINTSV15ChatModel PaddleOCRVLForConditionalGeneration Phi4MMForCausalLM "
    "PixtralForConditionalGeneration Qwen2AudioForConditionalGeneration Qwen2VLForConditionalGeneration "
    "Qwen2_5_VLForConditionalGeneration Qwen3ASRForConditionalGeneration Qwen3OmniMoeForConditionalGeneration "
    "Qwen3VLForConditionalGeneration Qwen3VLMoeForConditionalGeneration Qwen3_5ForConditionalGeneration "
    "Qwen3_5MoeForConditionalGeneration Qwen4ExpForConditionalGeneration Sarashina2VisionForCausalLM "
    "Step3VLForConditionalGeneration Step3p7ForConditionalGeneration StepVLForConditionalGeneration "
    "UnlimitedOCRForCausalLM VoxtralForConditionalGeneration WhisperForConditionalGeneration";

/* multimodal_breakable_cuda_graph_supported_model_archs: towers that leave prefill captured */
static const char media_graphs[] =
    "Cohere2VisionForConditionalGeneration Glm5NextForConditionalGeneration "
    "InternS2MobiusForConditionalGeneration KimiK25ForConditionalGeneration KimiK3ForConditionalGeneration "
    "MiniMaxM3SparseForCausalLM MiniMaxM3SparseForConditionalGeneration MuseGlimmerForConditionalGeneration "
    "MuseSparkForConditionalGeneration PaddleOCRVLForConditionalGeneration Qwen3_5ForConditionalGeneration "
    "Qwen3_5MoeForConditionalGeneration Qwen4ExpForConditionalGeneration";

/* Those whose towers stay off unless --enable-multimodal is given. */
static const char media_off[] = "Gemma3ForConditionalGeneration Llama4ForConditionalGeneration "
                                "Step3VLForConditionalGeneration InklingForConditionalGeneration";
/* is_multimodal_chunked_prefill_supported */
static const char whole_prompts[] = "Grok1VForCausalLM Grok1AForCausalLM LlavaLlamaForCausalLM "
                                    "MllamaForConditionalGeneration MossVLForConditionalGeneration CLIPModel";
/* overrides.py _MAMBA_EXTRA_BUFFER_ARCHS, and what configs/linear_attn_model_registry.py registers with it */
static const char extra_states[] =
    "KimiLinearForCausalLM Qwen3_5ForConditionalGeneration Qwen3_5MoeForConditionalGeneration Qwen3_5MoeForCausalLM "
    "Qwen3_5ForCausalLM Qwen3NextForCausalLM Qwen4ExpForConditionalGeneration InternS2PreviewForConditionalGeneration "
    "MiniCPMV4_6ForConditionalGeneration MiniCPMV4_7ForConditionalGeneration BailingMoeV2_5ForCausalLM "
    "BailingMoeV3ForCausalLM BailingMoeV3VLForConditionalGeneration FalconH1ForCausalLM GraniteMoeHybridForCausalLM "
    "Glm5NextForConditionalGeneration NemotronHForCausalLM NemotronHPuzzleForCausalLM NemotronH_Omni_Reasoning_V3";

static const struct {
    enum hwl_sglang_trait trait;
    const char *classes;
} lists[] = {{HWL_SGLANG_MEDIA, media},
             {HWL_SGLANG_MEDIA_OFF, media_off},
             {HWL_SGLANG_MEDIA_GRAPHS, media_graphs},
             {HWL_SGLANG_MEDIA_TUNED, "Qwen3VLForConditionalGeneration Qwen3VLMoeForConditionalGeneration"},
             {HWL_SGLANG_TRITON, "GptOssForCausalLM Gemma4ForConditionalGeneration Gemma4ForCausalLM "
                                 "Gemma4UnifiedForConditionalGeneration DiffusionGemmaForBlockDiffusion"},
             {HWL_SGLANG_WIDE_WORKSPACE, "Qwen2ForCausalLM Qwen3ForCausalLM MiMoForCausalLM Qwen3VLForConditionalGeneration "
                                         "Qwen3VLMoeForConditionalGeneration"},
             {HWL_SGLANG_MTP_UNCOUNTED, "Qwen3_5ForConditionalGeneration Qwen3_5MoeForConditionalGeneration "
                                        "Qwen3_5ForCausalLM Qwen3_5MoeForCausalLM Qwen3NextForCausalLM"},
             {HWL_SGLANG_WHOLE_PROMPTS, whole_prompts},
             {HWL_SGLANG_WINDOW_WITHOUT_ITSELF,
              "GptOssForCausalLM Gemma4ForCausalLM Gemma4ForConditionalGeneration Gemma4UnifiedForConditionalGeneration "
              "MellumForCausalLM MuseGlimmerForCausalLM MuseGlimmerForConditionalGeneration BeamForCausalLM "
              "InklingForConditionalGeneration"},
             {HWL_SGLANG_EXTRA_STATES, extra_states}};

bool hwl_sglang_has(const struct hwl_model *model, enum hwl_sglang_trait trait)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i].trait == trait)
            return model->hints.class_name && hwl_words_have(lists[i].classes, model->hints.class_name);
    return false;
}

bool hwl_sglang_has_window_pool(const struct hwl_model *model, const struct hwl_sglang_setup *setup)
{
    return model->hints.class_name && hwl_words_have(setup->rules->window_classes, model->hints.class_name);
}
