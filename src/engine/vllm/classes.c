/* SPDX-License-Identifier: Apache-2.0 */
/* What vLLM's class of a model does with its weights beyond the common rule, as rows: read in model_executor/models, and the same in
 * 0.19, 0.29 and 0.33 where the class is there. Names are model types of the whole model or of its text part. */
#include "engine/vllm/vllm.h"

#include "base/str.h"
#include "engine/shared/shard.h"

static const struct row {
    unsigned classes;
    const char *types;
} rows[] = {
    /* params_dtype or dtype of the gate is float32 */
    {HWL_SHARD_ROUTER_F32, "afmoe glm4_moe glm4v_moe glm4v_moe_text ernie4_5_moe ernie4_5_vl_moe ernie4_5_moe_vl hy_v3 minimax_m2 "
                           "step3p5 longcat_flash mimo_v2_flash mimo_v2 param2moe bailing_moe_v3"},
    /* towers of transformers' own classes, or built with replicated layers */
    {HWL_SHARD_TOWER_WHOLE | HWL_SHARD_PROJECTOR_WHOLE | HWL_SHARD_BORROWERS | HWL_SHARD_KEYS_TWICE, "gemma4 gemma4_text"},
    {HWL_SHARD_PROJECTOR_WHOLE, "gemma3 kimi_k25 kimi_vl internvl internvl_chat mistral3 pixtral"},
    {HWL_SHARD_ROPE_F32, "gpt_oss deepseek_v4"},
    {HWL_SHARD_EMBEDDING_WHOLE, "whisper"},
};

unsigned hwl_vllm_classes(const struct hwl_model *model)
{
    unsigned classes = 0;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if (hwl_words_have(rows[i].types, model->arch) || (model->text_arch && hwl_words_have(rows[i].types, model->text_arch)))
            classes |= rows[i].classes;
    return classes;
}

uint8_t hwl_vllm_mrope_positions(const struct hwl_model *model, const struct hwl_vllm_rules *rules)
{
    static const char one[] = "qwen3_vl qwen3_vl_moe qwen3_5 qwen3_5_moe";
    return rules->short_mrope && hwl_words_have(one, model->arch) ? 1 : 4;
}
