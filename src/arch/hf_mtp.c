/* SPDX-License-Identifier: Apache-2.0 */
/* Layers for multi-token prediction as checkpoints hold them. Names and shapes: the readers of vLLM 0.33.0
 * (the files _mtp.py of model_executor/models, models/deepseek_v4/nvidia/mtp.py) and index files of the checkpoints. */
#include "arch/hf_mtp.h"

#include <stdio.h>

#define END {NULL, NULL, HWL_ROLE_COUNT, 0, false}

static const struct hwl_mtp_part deepseek[] = {{NULL, "embed_tokens", HWL_ROLE_MTP_EMBD, HWL_MTP_VOCAB, false},
                                               {NULL, "enorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                               {NULL, "hnorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                               {NULL, "eh_proj", HWL_ROLE_MTP_PROJ, HWL_MTP_JOIN, false},
                                               {NULL, "shared_head.norm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                               {NULL, "shared_head.head", HWL_ROLE_MTP_OUTPUT, HWL_MTP_VOCAB, false},
                                               END};
const struct hwl_mtp_form hwl_mtp_deepseek = {.parts = deepseek};
/* The same without copies of embedding and output matrix (GLM-5). */
static const struct hwl_mtp_part shared[] = {{NULL, "enorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                             {NULL, "hnorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                             {NULL, "eh_proj", HWL_ROLE_MTP_PROJ, HWL_MTP_JOIN, false},
                                             {NULL, "shared_head.norm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                             END};
const struct hwl_mtp_form hwl_mtp_shared = {.parts = shared};

static const struct hwl_mtp_part mimo[] = {{NULL, "token_layernorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                           {NULL, "hidden_layernorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                           {NULL, "input_proj", HWL_ROLE_MTP_PROJ, HWL_MTP_JOIN, false},
                                           {NULL, "final_layernorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                           END};
const struct hwl_mtp_form hwl_mtp_mimo = {.stack = "model.mtp_layers", .parts = mimo};

static const struct hwl_mtp_part joined[] = {{NULL, "enorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                             {NULL, "hnorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                             {NULL, "eh_proj", HWL_ROLE_MTP_PROJ, HWL_MTP_JOIN, false},
                                             {NULL, "final_layernorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                             END};
const struct hwl_mtp_form hwl_mtp_mimo_v2 = {
    .stack = "model.mtp.layers", .inside = "pre_mlp_layernorm", .like = HWL_MTP_WINDOW, .dense = true, .silent = 3, .served = 1, .parts = joined};
const struct hwl_mtp_form hwl_mtp_nemotron = {.stack = "mtp.layers", .parts = joined};
const struct hwl_mtp_form hwl_mtp_hunyuan = {.parts = joined};

static const struct hwl_mtp_part ernie[] = {{"model.mtp_emb_norm", NULL, HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                            {"model.mtp_hidden_norm", NULL, HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                            {"model.mtp_linear_proj", NULL, HWL_ROLE_MTP_PROJ, HWL_MTP_JOIN, false},
                                            END};
const struct hwl_mtp_form hwl_mtp_ernie = {.stack = "model.mtp_block", .dense = true, .parts = ernie};

static const struct hwl_mtp_part fc[] = {{"mtp.fc", NULL, HWL_ROLE_MTP_FC, HWL_MTP_JOIN, true},
                                         {"mtp.pre_fc_norm_embedding", NULL, HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, true},
                                         {"mtp.pre_fc_norm_hidden", NULL, HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, true},
                                         {"mtp.norm", NULL, HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, true},
                                         END};
const struct hwl_mtp_form hwl_mtp_fc = {.stack = "mtp.layers", .parts = fc};
const struct hwl_mtp_form hwl_mtp_fc_dense = {.stack = "mtp.layers", .dense = true, .parts = fc};
const struct hwl_mtp_form hwl_mtp_qwen3_next = {.stack = "mtp.layers", .silent = 1, .parts = fc};

static const struct hwl_mtp_part step[] = {{NULL, "enorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                           {NULL, "hnorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                           {NULL, "eh_proj", HWL_ROLE_MTP_PROJ, HWL_MTP_JOIN, false},
                                           {NULL, "transformer.shared_head.norm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                           {NULL, "transformer.shared_head.output", HWL_ROLE_MTP_HEAD, HWL_MTP_VOCAB, false},
                                           END};
const struct hwl_mtp_form hwl_mtp_step = {.like = HWL_MTP_OWN, .parts = step};

static const struct hwl_mtp_part v4[] = {{NULL, "e_proj", HWL_ROLE_MTP_LINEAR, HWL_MTP_SQUARE, false},
                                         {NULL, "h_proj", HWL_ROLE_MTP_LINEAR, HWL_MTP_SQUARE, false},
                                         {NULL, "enorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                         {NULL, "hnorm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                         {NULL, "norm", HWL_ROLE_MTP_NORM, HWL_MTP_HIDDEN, false},
                                         END};
const struct hwl_mtp_form hwl_mtp_deepseek_v4 = {.stack = "mtp", .like = HWL_MTP_OWN, .parts = v4};

#define COUNT "num_nextn_predict_layers|num_mtp_layers|mtp_num_hidden_layers"

uint64_t hwl_mtp_count(const struct hwl_config *cfg, const struct hwl_config *root, const struct hwl_mtp_form *form)
{
    if (!form)
        return 0;
    return hwl_cfg_u64(!hwl_cfg_has(cfg, COUNT) && root && hwl_cfg_has(root, COUNT) ? root : cfg, COUNT, form->silent);
}

void hwl_mtp_parts(struct hwl_build *b, const struct hwl_mtp_form *form, int32_t layer, uint64_t i, const char *stack, uint64_t hidden, uint64_t vocab)
{
    for (const struct hwl_mtp_part *p = form->parts; p->role != HWL_ROLE_COUNT; p++) {
        char name[160], number[24] = "";
        if (p->once && i)
            continue;
        if (!p->once)
            (void)snprintf(number, sizeof number, ".%d", form->stack ? (int)i : (int)layer);
        (void)snprintf(name, sizeof name, "%s%s%s%s", p->stem ? p->stem : stack, number, p->name ? "." : "", p->name ? p->name : "");
        const uint64_t in = p->shape == HWL_MTP_HIDDEN ? 0 : p->shape == HWL_MTP_JOIN ? 2 * hidden : hidden;
        hwl_emit_linear(b, (enum hwl_role)p->role, layer, p->shape == HWL_MTP_VOCAB ? vocab : hidden, in, false, "%s", name);
    }
}
