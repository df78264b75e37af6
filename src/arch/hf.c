/* SPDX-License-Identifier: Apache-2.0 */
/* The table of readers beyond the plain decoders. */
#include "arch/hf.h"

#include "base/status.h"
#include "base/str.h"

#include <string.h>

static const struct hwl_hf_family families[] = {
    {"albert", hwl_hf_albert},
    {"bert camembert data2vec-text deberta-v2 electra mpnet roberta xlm-roberta", hwl_hf_bert},
    {"distilbert", hwl_hf_distilbert},
    {"gemma3 paligemma", hwl_hf_gemma3},
    {"llava llava_next", hwl_hf_llava},
    {"qwen2_5_vl qwen2_vl qwen3_5 qwen3_5_moe qwen3_vl qwen3_vl_moe", hwl_hf_qwen_vl},
    {"qwen3_5_moe_text qwen3_5_text qwen3_next", hwl_hf_qwen_hybrid},
};

const struct hwl_hf_family *hwl_hf_find(const char *model_type, const char *class_name)
{
    (void)class_name;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (*model_type && hwl_words_have(families[i].types, model_type))
            return &families[i];
    return NULL;
}

hwl_status hwl_hf_read(const struct hwl_hf_family *family, struct hwl_model *model, const struct hwl_config *root, const char *file,
                       hwl_error *error)
{
    struct hwl_hb b;
    hwl_hb_init(&b, model, root);
    family->read(&b, root);
    return hwl_hb_status(&b, file, error);
}
