/* SPDX-License-Identifier: Apache-2.0 */
/* Mistral 3 with its Pixtral tower. Shapes: transformers 5.24.0, models/{mistral3,pixtral}. */
#include "arch/hf.h"

static bool text(struct hwl_hb *b, const struct hwl_config *root, const struct hwl_config *c, const char *def, const char *prefix)
{
    const char *const type = hwl_cfg_str(c, "model_type", def);
    const struct hwl_text_kind *const kind = hwl_text_kind_find(type);
    if (!kind) {
        hwl_cfg_bad(c, "model_type", "no reader for a text part of kind %s", type);
        return false;
    }
    const size_t mark = hwl_hb_push(b, "%s", prefix);
    hwl_hf_decoder(b, root, c, kind, "lm_head.weight");
    hwl_hb_pop(b, mark);
    return true;
}

static uint64_t pixtral(struct hwl_hb *b, const struct hwl_config *c)
{
    const uint64_t h = hwl_cfg_u64(c, "hidden_size", 1024), ff = hwl_cfg_u64(c, "intermediate_size", 4096);
    const uint64_t n = hwl_cfg_u64(c, "num_hidden_layers", 24), patch = hwl_cfg_u64(c, "patch_size", 16);
    const uint64_t heads = hwl_cfg_u64(c, "num_attention_heads", 16), inner = hwl_hb_mul(b, heads, hwl_cfg_u64(c, "head_dim", heads ? h / heads : 0));
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, heads, h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return h;
    e->patch = patch;
    e->image_size = hwl_cfg_u64(c, "image_size", 1024);
    b->component = HWL_COMP_VISION;
    b->layer = -1;
    const size_t mark = hwl_hb_push(b, "model.vision_tower.");
    hwl_hb_conv2d(b, "patch_conv", HWL_ROLE_VISION, h, hwl_cfg_u64(c, "num_channels", 3), patch, false);
    hwl_hb_norm(b, "ln_pre", HWL_ROLE_VISION, h, false);
    for (uint64_t i = 0; i < n; i++) {
        const size_t in = hwl_hb_push(b, "transformer.layers.%llu.", (unsigned long long)i);
        hwl_hb_linear(b, "attention.q_proj", HWL_ROLE_VISION, inner, h, false);
        hwl_hb_linear(b, "attention.k_proj", HWL_ROLE_VISION, inner, h, false);
        hwl_hb_linear(b, "attention.v_proj", HWL_ROLE_VISION, inner, h, false);
        hwl_hb_linear(b, "attention.o_proj", HWL_ROLE_VISION, h, inner, false);
        hwl_hb_linear(b, "feed_forward.gate_proj", HWL_ROLE_VISION, ff, h, false);
        hwl_hb_linear(b, "feed_forward.up_proj", HWL_ROLE_VISION, ff, h, false);
        hwl_hb_linear(b, "feed_forward.down_proj", HWL_ROLE_VISION, h, ff, false);
        hwl_hb_norm(b, "attention_norm", HWL_ROLE_VISION, h, false);
        hwl_hb_norm(b, "ffn_norm", HWL_ROLE_VISION, h, false);
        hwl_hb_pop(b, in);
    }
    hwl_hb_pop(b, mark);
    b->component = -1;
    return h;
}

void hwl_hf_mistral3(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config t = hwl_cfg_obj(root, "text_config"), v = hwl_cfg_obj(root, "vision_config");
    if (!text(b, root, &t, "mistral", "model.language_model."))
        return;
    const uint64_t w = pixtral(b, &v), h = b->m->hidden, merge = hwl_cfg_u64(root, "spatial_merge_size", 2);
    const bool bias = hwl_cfg_bool(root, "multimodal_projector_bias", false);
    const size_t mark = hwl_hb_push(b, "model.multi_modal_projector.");
    hwl_hb_norm(b, "norm", HWL_ROLE_PROJECTOR, w, false);
    hwl_hb_linear(b, "patch_merger.merging_layer", HWL_ROLE_PROJECTOR, w, hwl_hb_mul(b, w, hwl_hb_mul(b, merge, merge)), false);
    hwl_hb_linear(b, "linear_1", HWL_ROLE_PROJECTOR, h, w, bias);
    hwl_hb_linear(b, "linear_2", HWL_ROLE_PROJECTOR, h, h, bias);
    hwl_hb_pop(b, mark);
}
