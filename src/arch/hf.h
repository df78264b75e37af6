/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_HF_H
#define HWL_ARCH_HF_H

#include "arch/hf_decoder.h"

/* A reader of one or more model_types beyond the plain decoders: encoders, encoder-decoders, towers, hybrids. It writes
 * layers and tensors of b->m from root; problems go to the configuration's log. */
typedef void hwl_hf_read_fn(struct hwl_hb *b, const struct hwl_config *root);

hwl_hf_read_fn hwl_hf_albert, hwl_hf_bert, hwl_hf_distilbert, hwl_hf_modernbert;
hwl_hf_read_fn hwl_hf_bart, hwl_hf_t5;
hwl_hf_read_fn hwl_hf_mistral3;
hwl_hf_read_fn hwl_hf_gemma3, hwl_hf_gemma4, hwl_hf_kimi_k25, hwl_hf_llava, hwl_hf_locate, hwl_hf_phi3_v,
    hwl_hf_minicpmv, hwl_hf_mllama, hwl_hf_qwen_vl;
hwl_hf_read_fn hwl_hf_aya_vision;
hwl_hf_read_fn hwl_hf_bamba, hwl_hf_falcon_h1, hwl_hf_granite_hybrid, hwl_hf_jamba, hwl_hf_kimi_linear, hwl_hf_lfm2, hwl_hf_mamba,
    hwl_hf_mamba2, hwl_hf_minimax, hwl_hf_nemotron_h, hwl_hf_qwen_hybrid, hwl_hf_rwkv5;
hwl_hf_read_fn hwl_hf_deepseek_ocr, hwl_hf_falcon_perception, hwl_hf_internvl_chat, hwl_hf_logics, hwl_hf_onevision, hwl_hf_vila;
hwl_hf_read_fn hwl_hf_clip, hwl_hf_deci, hwl_hf_internvl, hwl_hf_llama4;

/* Classes of a classification head: num_labels, or the length of id2label, or 2. */
uint64_t hwl_hf_labels(const struct hwl_config *root);

/* Towers; the prefix stands already. */
struct hwl_tower {
    bool cls;        /* class embedding, and a norm before the layers (CLIP) */
    bool head;       /* attention pooling head (SigLIP) */
    bool linear;     /* patches by a linear map instead of a convolution (SigLIP 2 naflex) */
    bool no_positions_cls;
    bool no_post;    /* no norm behind the layers */
    uint64_t positions; /* 0: by image and patch size */
};
/* A CLIP or SigLIP vision tower of cfg; returns its width. */
uint64_t hwl_hf_clip_tower(struct hwl_hb *b, const struct hwl_config *cfg, struct hwl_tower how);
/* Its weights alone, for towers whose shape stands in code. */
void hwl_hf_clip_layers(struct hwl_hb *b, struct hwl_tower how, uint64_t n, uint64_t h, uint64_t ff, uint64_t patch, uint64_t channels,
                        uint64_t patches);

#endif
