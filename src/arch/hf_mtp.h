/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_HF_MTP_H
#define HWL_ARCH_HF_MTP_H

#include "arch/family.h"

/* How a family's checkpoints hold their layers for multi-token prediction: where those layers stand, what they depart in from
 * the layers of the stack, and what stands around them. They are layers behind the stack in the model (hwl_layer.mtp) and no
 * parameters of the class. */
enum hwl_mtp_like {
    HWL_MTP_LAST,    /* shaped like the last layer of the stack */
    HWL_MTP_OWN,     /* lists of the configuration go on behind the stack; like the last one where they do not */
    HWL_MTP_WINDOW,  /* like the first layer with a window */
};

struct hwl_mtp_part {
    const char *stem; /* NULL: a name inside the layer */
    const char *name; /* behind the number; NULL: the number ends the name */
    uint16_t role;
    uint8_t shape;    /* enum hwl_mtp_shape */
    bool once;        /* one for all layers, without a number */
};
enum hwl_mtp_shape { HWL_MTP_HIDDEN, HWL_MTP_JOIN, HWL_MTP_VOCAB, HWL_MTP_SQUARE };

struct hwl_mtp_form {
    const char *stack;  /* before the numbers of its layers; NULL: they are numbered on behind those of the stack */
    const char *inside; /* NULL: the stack's name of the norm before the feed-forward holds */
    uint8_t like;
    bool dense;         /* without experts, whatever the stack has */
    uint8_t served;     /* of them vLLM makes no more than so many; 0: all */
    uint8_t silent;     /* layers where the configuration does not count them */
    const struct hwl_mtp_part *parts; /* up to a row of role HWL_ROLE_COUNT */
};

extern const struct hwl_mtp_form hwl_mtp_deepseek, hwl_mtp_shared, hwl_mtp_mimo, hwl_mtp_mimo_v2, hwl_mtp_ernie, hwl_mtp_fc, hwl_mtp_fc_dense, hwl_mtp_hunyuan,
    hwl_mtp_step, hwl_mtp_deepseek_v4, hwl_mtp_nemotron, hwl_mtp_qwen3_next;

/* Layers of the form that the configuration counts, or the one around it. */
uint64_t hwl_mtp_count(const struct hwl_config *cfg, const struct hwl_config *root, const struct hwl_mtp_form *form);
/* What stands around layer (its index in the model), the i-th of the form; stack as in its names. */
void hwl_mtp_parts(struct hwl_build *b, const struct hwl_mtp_form *form, int32_t layer, uint64_t i, const char *stack, uint64_t hidden, uint64_t vocab);

#endif
