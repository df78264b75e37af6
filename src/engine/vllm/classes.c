/* SPDX-License-Identifier: Apache-2.0 */
/* What vLLM's class of a model does with its weights beyond the common rule, as rows: read in model_executor/models, and the same in
 * 0.19, 0.29 and 0.33 where the class is there. Names are model types of the whole model or of its text part. */
#include "engine/vllm/vllm.h"

#include "base/status.h"
#include "base/str.h"
#include "engine/shared/shard.h"

#include <string.h>

static const struct row {
    unsigned classes;
    const char *types;
} rows[] = {
    /* params_dtype or dtype of the gate is float32 */
    {HWL_SHARD_ROUTER_F32, "afmoe glm4_moe glm4v_moe glm4v_moe_text ernie4_5_moe ernie4_5_vl_moe ernie4_5_moe_vl hy_v3 minimax_m2 "
                           "step3p5 longcat_flash mimo_v2_flash mimo_v2 param2moe bailing_moe_v2 bailing_moe_v3"},
    /* towers of transformers' own classes, or built with replicated layers */
    {HWL_SHARD_TOWER_WHOLE | HWL_SHARD_PROJECTOR_WHOLE | HWL_SHARD_BORROWERS | HWL_SHARD_KEYS_TWICE, "gemma4 gemma4_text"},
    {HWL_SHARD_TOWER_WHOLE, "gemma3n audioflamingo3 qwen2_audio"},
    {HWL_SHARD_PROJECTOR_WHOLE, "gemma3 kimi_k25 kimi_vl internvl internvl_chat mistral3 pixtral idefics3 smolvlm llava_onevision "
                                "llava_next_video minicpmv4_6 minicpmv4_7 paddleocr_vl"},
    {HWL_SHARD_ROPE_F32, "gpt_oss deepseek_v4"},
    {HWL_SHARD_EMBEDDING_WHOLE, "whisper"},
    {HWL_SHARD_POSITIONS, "bert roberta xlm-roberta camembert"},
    /* the output matrix is made without asking for the stage */
    {HWL_SHARD_HEADS, "bloom dbrx falcon falcon_mamba flint gpt2 gptj gemma gemma3_text gemma4_text gpt_oss granitemoe granitemoehybrid "
                      "granitemoe_swa granitemoeshared hy_v3 internlm2 jamba k2_horizon mamba minicpm mixtral molmo molmo2 muse_glimmer "
                      "nemotron_h olmo_hybrid olmoe opt orion phimoe plamo3 qwen2_moe qwen3_moe qwen3_next stablelm"},
};

/* Classes that releases have lost (model_executor/models/registry.py _PREVIOUSLY_SUPPORTED_MODELS), with the last minor version that had
 * them. Transformers' own code runs those that it has a class for. */
static const struct lost {
    unsigned last;
    bool runs;
    const char *names;
} lost[] = {
    {9, false, "Phi3SmallForCausalLM"},
    {10, false, "MotifForCausalLM Phi4FlashForCausalLM DonutForConditionalGeneration"},
    {10, true, "MllamaForConditionalGeneration"},
    {12, true, "Phi4MultimodalForCausalLM"},
    {22, false, "JAISLMHeadModel"},
    {23, true, "ErnieModel ErnieForSequenceClassification ErnieForTokenClassification Dots1ForCausalLM BambaForCausalLM MiniMaxForCausalLM"},
    {23, false, "InternLM2VEForCausalLM QWenLMHeadModel QwenVLForConditionalGeneration InternLMForCausalLM XverseForCausalLM "
                "MiniMaxText01ForCausalLM MiniMaxM1ForCausalLM MiniMaxVL01ForConditionalGeneration BaiChuanForCausalLM BaichuanForCausalLM "
                "Tarsier2ForConditionalGeneration"},
    {24, false, "AquilaModel AquilaForCausalLM Grok1ModelForCausalLM Grok1ForCausalLM TarsierForConditionalGeneration "
                "MantisForConditionalGeneration"},
    {24, true, "MusicFlamingoForConditionalGeneration AyaVisionForConditionalGeneration"},
    {25, false, "TeleChatForCausalLM"},
    {25, true, "PersimmonForCausalLM FuyuForCausalLM"},
    {26, false, "Plamo2ForCausalLM OuroForCausalLM"},
    {28, true, "ChameleonForConditionalGeneration"},
    {28, false, "ArcticForCausalLM Cheers CheersForConditionalGeneration Fairseq2LlamaForCausalLM FireRedLIDForConditionalGeneration GritLM "
                "HCXVisionForCausalLM MPTForCausalLM MptForCausalLM RWForCausalLM StableLMEpochForCausalLM PrithviGeoSpatialMAE"},
};

static unsigned minor_of(const struct hwl_vllm_rules *rules)
{
    unsigned minor = 0; /* "0.33.0"; by hand, since a plan asks often */
    for (const char *p = rules->version + 2; *p >= '0' && *p <= '9'; p++)
        minor = minor * 10 + (unsigned)(*p - '0');
    return minor;
}

static const struct lost *lost_class(const char *name, const struct hwl_vllm_rules *rules)
{
    const unsigned minor = minor_of(rules);
    for (unsigned i = 0; name && *name && i < sizeof lost / sizeof *lost; i++)
        if (minor > lost[i].last && hwl_words_have(lost[i].names, name))
            return &lost[i];
    return NULL;
}

hwl_status hwl_vllm_known(const struct hwl_model *model, const struct hwl_vllm_rules *rules, hwl_error *error)
{
    const struct lost *l = lost_class(model->hints.class_name, rules);
    if (rules->no_act_order && model->quant.desc_act && model->quant.group_size && strcmp(model->quant.method, "gptq") == 0)
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: GPTQ with desc_act and groups is no longer supported");
    for (uint32_t i = 0; l && l->runs && rules->attends_only && i < model->n_layers; i++)
        if (!model->layers[i].attn.n_heads) /* models/transformers/base.py */
            return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: layer %u of %s does not attend, and Transformers' own code runs it", i,
                            model->hints.class_name);
    if (!l || l->runs)
        return HWL_OK;
    return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: it has %s no more, the last release that had it is 0.%u", model->hints.class_name, l->last);
}

/* Traits of a class: by its name in `architectures`, or by model type where a file names none. */
static const struct trait {
    unsigned traits;
    const char *names;
} traits[] = {
    /* no SupportsPP */
    {HWL_VLLM_ONE_STAGE,
     "AliceAIForCausalLM AriaForConditionalGeneration BertForMaskedLM BertForSequenceClassification BertForTokenClassification BertModel "
     "BertSpladeSparseEmbeddingModel BgeM3EmbeddingModel CLIPModel CohereAsrForConditionalGeneration ColBERTJinaRobertaModel "
     "ColBERTLfm2Model ColBERTModernBertModel ColModernVBertForRetrieval ColUltraVBertForRetrieval DiffusionGemmaForBlockDiffusion "
     "DomynEdgeForCausalLM DoryForCausalLM EmbeddingGemma2Model FireRedASR2ForConditionalGeneration FunASRForConditionalGeneration "
     "GPT2ForSequenceClassification Gemma3TextModel Gemma3nForCausalLM Gemma3nForConditionalGeneration GteModel "
     "GteNewForSequenceClassification GteNewModel HF_ColBERT HrmTextForCausalLM IQuestLoopCoderForCausalLM "
     "Idefics3ForConditionalGeneration JinaForRanking Lfm2BidirectionalModel Mamba2ForCausalLM MiniMaxForCausalLM MiniMaxM1ForCausalLM "
     "MiniMaxText01ForCausalLM ModernBertForSequenceClassification ModernBertForTokenClassification ModernBertModel ModernVBertModel "
     "NemotronH_Nano_Omni_Reasoning_V3 NemotronH_Nano_VL_V2 NemotronH_Omni_Reasoning_V3 NemotronH_Super_Omni_Reasoning_V3 "
     "NemotronParseForConditionalGeneration NomicBertModel OpenAIPrivacyFilterForTokenClassification OuroForCausalLM "
     "PaddleOCRVLForConditionalGeneration Phi4MMForCausalLM RadioMBartPrefixForCausalLM RobertaForMaskedLM "
     "RobertaForSequenceClassification RobertaForTokenClassification RobertaModel SiglipModel SmolVLMForConditionalGeneration "
     "VoyageQwen3BidirectionalEmbedModel WhisperForConditionalGeneration XLMRobertaForSequenceClassification "
     "XLMRobertaForTokenClassification XLMRobertaModel Zamba2ForCausalLM mamba2 whisper zamba2"},
    /* IsAttentionFree */
    {HWL_VLLM_ATTENTION_FREE, "FalconMambaForCausalLM Mamba2ForCausalLM MambaForCausalLM falcon_mamba mamba mamba2"},
    /* its prefill keeps no states on the way: mamba/gdn/olmo_gdn_linear_attn.py */
    {HWL_VLLM_NO_CHECKPOINTS, "OlmoHybridForCausalLM olmo_hybrid"},
    /* falcon.py makes its Attention without the cache's configuration */
    {HWL_VLLM_OWN_TYPE, "FalconForCausalLM RWForCausalLM falcon"},
};

unsigned hwl_vllm_traits(const struct hwl_model *model)
{
    const char *name = model->hints.class_name && *model->hints.class_name ? model->hints.class_name : model->arch;
    unsigned all = 0;
    for (unsigned i = 0; i < sizeof traits / sizeof *traits; i++)
        all |= hwl_words_have(traits[i].names, name) ? traits[i].traits : 0;
    return all;
}

unsigned hwl_vllm_classes(const struct hwl_model *model, const struct hwl_vllm_rules *rules)
{
    unsigned classes = 0;
    const char *name = model->hints.class_name;
    if ((rules->fallback && *name && hwl_words_have(rules->fallback, name)) || lost_class(name, rules)) {
        classes |= HWL_SHARD_NO_ROPE;
        if (strcmp(model->arch, "gpt_bigcode") == 0) /* no plan says how its feed-forward is split */
            classes |= HWL_SHARD_FFN_WHOLE | HWL_SHARD_MASK;
    }
    const size_t n = strlen(name);
    if (model->encoder_only && ((n > 5 && strcmp(name + n - 5, "Model") == 0) || strcmp(name, "RobertaForMaskedLM") == 0)) /* bert.py: BertEmbeddingModel pools by itself */
        classes |= HWL_SHARD_NO_POOLER;
    if (strstr(name, "RewardModel") || (!model->encoder_only && strstr(name, "ForSequenceClassification"))) /* qwen2_rm.py, adapters.py */
        classes |= HWL_SHARD_NO_OUTPUT;
    if (model->encoder_only && strstr(name, "ForSequenceClassification")) /* ModelConfig.head_dtype of pooling models */
        classes |= HWL_SHARD_HEAD_F32;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if (hwl_words_have(rows[i].types, model->arch) || (model->text_arch && hwl_words_have(rows[i].types, model->text_arch)))
            classes |= rows[i].classes;
    return classes;
}

uint8_t hwl_vllm_mrope_positions(const struct hwl_model *model, const struct hwl_vllm_rules *rules)
{
    static const char one[] = "qwen3_vl qwen3_vl_moe qwen3_5 qwen3_5_moe qwen3_5_text qwen3_5_moe_text";
    return rules->short_mrope && hwl_words_have(one, model->arch) ? 1 : 4;
}
