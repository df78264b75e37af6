/* SPDX-License-Identifier: Apache-2.0 */
/* Mistral 3 and Ministral 3 with their Pixtral tower (transformers 5.24, mistral3 and pixtral). */
#include "arch/hf_text.h"

static void pixtral(struct hwl_build *b)
{
    const uint64_t h = hwl_b_u64(b, "hidden_size", 1024), ff = hwl_b_u64(b, "intermediate_size", 4096);
    const uint64_t layers = hwl_b_u64(b, "num_hidden_layers", 24), patch = hwl_b_u64(b, "patch_size", 16);
    const uint64_t dims[4] = {h, hwl_b_u64(b, "num_channels", 3), patch, patch};
    if (layers > 4096) {
        hwl_cfg_bad(&b->cfg, "num_hidden_layers", "more than 4096 layers");
        return;
    }
    struct hwl_encoder *e = HWL_NEW(&b->model->arena, struct hwl_encoder);
    if (!e) {
        b->nomem = true;
        return;
    }
    const uint64_t image = hwl_b_u64(b, "image_size", 1024), side = patch ? image / patch : 0;
    *e = (struct hwl_encoder){.component = HWL_COMP_VISION, .n_layers = (uint32_t)layers,
                              .n_heads = hwl_b_u32(b, "num_attention_heads", 16), .hidden = h, .d_ff = ff, .patch = patch,
                              .image_size = image, .max_tokens = side < UINT32_MAX ? side * side : 0,
                              .act_rows = 4, .rotary = true}; /* gate and up, the gate acted on, the product */
    b->model->encoders = e;
    b->model->n_encoders = 1;
    (void)hwl_emit_dims(b, HWL_ROLE_VISION, -1, dims, 4, "patch_conv.weight");
    hwl_emit_linear(b, HWL_ROLE_VISION, -1, h, 0, false, "ln_pre");
    static const char *const square[] = {"q_proj", "k_proj", "v_proj", "o_proj"};
    for (uint64_t i = 0; i < layers; i++) {
        const int n = (int)i;
        hwl_emit_linear(b, HWL_ROLE_VISION, -1, h, 0, false, "transformer.layers.%d.attention_norm", n);
        for (int k = 0; k < 4; k++)
            hwl_emit_linear(b, HWL_ROLE_VISION, -1, h, h, false, "transformer.layers.%d.attention.%s", n, square[k]);
        hwl_emit_linear(b, HWL_ROLE_VISION, -1, h, 0, false, "transformer.layers.%d.ffn_norm", n);
        hwl_emit_linear(b, HWL_ROLE_VISION, -1, ff, h, false, "transformer.layers.%d.feed_forward.gate_proj", n);
        hwl_emit_linear(b, HWL_ROLE_VISION, -1, ff, h, false, "transformer.layers.%d.feed_forward.up_proj", n);
        hwl_emit_linear(b, HWL_ROLE_VISION, -1, h, ff, false, "transformer.layers.%d.feed_forward.down_proj", n);
    }
}

void hwl_mistral3_read(struct hwl_build *b, const struct hwl_text_row *row)
{
    (void)row;
    const struct hwl_config root = b->cfg, text = hwl_cfg_obj(&root, "text_config"), vision = hwl_cfg_obj(&root, "vision_config");
    if (!text.obj || !vision.obj) {
        (void)hwl_cfg_need(&root, text.obj ? "vision_config" : "text_config");
        return;
    }
    hwl_build_text(b, &text, "mistral", "language_model.");
    struct hwl_build v = *b;
    v.cfg = vision;
    v.type = "pixtral";
    v.prefix = "vision_tower.";
    pixtral(&v);
    const uint64_t h = hwl_b_u64(&v, "hidden_size", 1024), out = b->model->hidden, s = hwl_b_u64(b, "spatial_merge_size", 2);
    const uint64_t features = hwl_cfg_n(&root, "vision_feature_layer");
    const bool bias = hwl_b_bool(b, "multimodal_projector_bias", false);
    struct hwl_ck ck = {false};
    if (b->model->n_encoders && s)
        b->model->encoders[0].embeddings = b->model->encoders[0].max_tokens / s / s;
    v.prefix = "multi_modal_projector.";
    hwl_emit_linear(&v, HWL_ROLE_PROJECTOR, -1, h, 0, false, "norm");
    hwl_emit_linear(&v, HWL_ROLE_PROJECTOR, -1, h, hwl_ck_mul3(&ck, h, s, s), false, "patch_merger.merging_layer");
    hwl_emit_linear(&v, HWL_ROLE_PROJECTOR, -1, out, hwl_ck_mul(&ck, h, features ? features : 1), bias, "linear_1");
    hwl_emit_linear(&v, HWL_ROLE_PROJECTOR, -1, out, out, bias, "linear_2");
    b->nomem = b->nomem || v.nomem;
    b->overflow = b->overflow || v.overflow || ck.overflow;
}
