/* SPDX-License-Identifier: Apache-2.0 */
/* The families beyond the plain decoders, and the bridge from the family table to their readers. */
#include "arch/hf.h"

#include "arch/family.h"

static void run(struct hwl_build *b, hwl_hf_read_fn *read)
{
    struct hwl_hb hb;
    hwl_hb_init(&hb, b->model, &b->cfg);
    hb.build = b;
    hb.body = b->body;
    (void)hwl_hb_push(&hb, "%s", b->prefix);
    read(&hb, &b->cfg);
    b->nomem = b->nomem || hb.no_memory;
    b->overflow = b->overflow || hb.ck.overflow;
    if (hb.too_long)
        hwl_cfg_bad(&b->cfg, "model_type", "a tensor name is too long");
}

#define READER(name)                                                             \
    static void name(struct hwl_build *b, const struct hwl_text_row *row)        \
    {                                                                            \
        (void)row;                                                               \
        run(b, hwl_hf_##name);                                                   \
    }
READER(albert)
READER(aya_vision)
READER(bamba)
READER(bart)
READER(bert)
READER(clip)
READER(internvl)
READER(llama4)
READER(deci)
READER(deepseek_ocr)
READER(distilbert)
READER(falcon_h1)
READER(falcon_perception)
READER(gemma3)
READER(gemma4)
READER(granite_hybrid)
READER(internvl_chat)
READER(jamba)
READER(kimi_k25)
READER(kimi_linear)
READER(lfm2)
READER(llava)
READER(locate)
READER(logics)
READER(mamba)
READER(mamba2)
READER(minicpmv)
READER(minimax)
READER(onevision)
READER(phi3_v)
READER(mistral3)
READER(mllama)
READER(modernbert)
READER(nemotron_h)
READER(qwen_hybrid)
READER(qwen_vl)
READER(rwkv5)
READER(t5)
READER(vila)

const struct hwl_family hwl_families_more[] = {
    {"albert", NULL, albert, NULL, NULL},
    {"aya_vision cohere2_vision", NULL, aya_vision, NULL, NULL},
    {"bamba", NULL, bamba, NULL, NULL},
    {"bart m2m_100 marian mbart pegasus whisper", NULL, bart, NULL, NULL},
    {"bert camembert data2vec-text deberta-v2 electra mpnet roberta xlm-roberta", NULL, bert, NULL, NULL},
    {"internvl interns1", "InternS1ForConditionalGeneration", internvl, NULL, NULL},
    {"llama4", NULL, llama4, NULL, NULL},
    {"clip clip_text_model clip_vision_model siglip siglip2 siglip2_text_model siglip2_vision_model siglip_text_model siglip_vision_model", NULL, clip, NULL, NULL},
    {"nemotron-nas deci", "DeciLMForCausalLM", deci, NULL, NULL},
    {"DeepseekOCR deepseek_vl_v2", "DeepseekOCRForCausalLM DeepseekOCR2ForCausalLM", deepseek_ocr, NULL, NULL},
    {"distilbert", NULL, distilbert, NULL, NULL},
    {"falcon_h1", NULL, falcon_h1, NULL, NULL},
    {"falcon_mamba mamba", NULL, mamba, NULL, NULL},
    {"falcon_ocr falcon_perception", NULL, falcon_perception, NULL, NULL},
    {"gemma3 paligemma", NULL, gemma3, NULL, NULL},
    {"gemma4 gemma4_text", NULL, gemma4, NULL, NULL},
    {"granitemoehybrid", NULL, granite_hybrid, NULL, NULL},
    {"internvl_chat", NULL, internvl_chat, NULL, NULL},
    {"jamba", NULL, jamba, NULL, NULL},
    {"kimi_k25", NULL, kimi_k25, NULL, NULL},
    {"kimi_linear", NULL, kimi_linear, NULL, NULL},
    {"lfm2 lfm2_moe", NULL, lfm2, NULL, NULL},
    {"llava llava_next", NULL, llava, NULL, NULL},
    {"llavaonevision1_5", "LLaVAOneVision1_5_ForConditionalGeneration", onevision, NULL, NULL},
    {"locateanything", NULL, locate, NULL, NULL},
    {"llava_llama", "LlavaLlamaModel", vila, NULL, NULL},
    {"logics", NULL, logics, NULL, NULL},
    {"mamba2", NULL, mamba2, NULL, NULL},
    {"minicpmv", NULL, minicpmv, NULL, NULL},
    {"minimax MiniMaxText01 minimax_m1 minimax_text_01", "MiniMaxM1ForCausalLM MiniMaxText01ForCausalLM", minimax, NULL, NULL},
    {"mistral3", NULL, mistral3, NULL, NULL},
    {"mllama", NULL, mllama, NULL, NULL},
    {"modernbert", NULL, modernbert, NULL, NULL},
    {"nemotron_h", NULL, nemotron_h, NULL, NULL},
    {"phi3_v", NULL, phi3_v, NULL, NULL},
    {"qwen2_5_vl qwen2_vl qwen3_5 qwen3_5_moe qwen3_vl qwen3_vl_moe", NULL, qwen_vl, NULL, NULL},
    {"qwen3_5_moe_text qwen3_5_text qwen3_next", NULL, qwen_hybrid, NULL, NULL},
    {"rwkv5", NULL, rwkv5, NULL, NULL},
    {"t5 mt5 umt5", NULL, t5, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
