/* SPDX-License-Identifier: Apache-2.0 */
/* InternVL 1.5 to 3.5 (internvl_chat): InternViT, pixel shuffle with two linear maps, any decoder. Shapes: the
 * published modeling_intern_vit.py and modeling_internvl_chat.py. */
#include "arch/family.h"
#include "arch/hf.h"

#include <string.h>

static uint64_t intern_vit(struct hwl_hb *b, const struct hwl_config *root, const struct hwl_config *c)
{
    const uint64_t h = hwl_cfg_u64(c, "hidden_size", 3200), n = hwl_cfg_u64(c, "num_hidden_layers", 48);
    const uint64_t ff = hwl_cfg_u64(c, "intermediate_size", 12800), heads = hwl_cfg_u64(c, "num_attention_heads", 25);
    const uint64_t patch = hwl_cfg_u64(c, "patch_size", 14), image = hwl_cfg_u64(c, "image_size", 224);
    const uint64_t side = patch ? image / patch : 0;
    const uint64_t places = hwl_hb_add(b, hwl_hb_mul(b, side, side), 1);
    const bool qkv_bias = hwl_cfg_bool(c, "qkv_bias", false), qk_norm = hwl_cfg_bool(c, "qk_normalization", true);
    const bool shift = strcmp(hwl_cfg_str(c, "norm_type", "rms_norm"), "layer_norm") == 0;
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, heads, h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return h;
    e->patch = patch;
    e->image_size = hwl_cfg_u64(root, "force_image_size", image);
    e->max_tokens = places;
    const size_t mark = hwl_hb_push(b, "vision_model.");
    hwl_hb_dims3(b, "embeddings.class_embedding", HWL_ROLE_VISION, 1, 1, h);
    hwl_hb_conv2d(b, "embeddings.patch_embedding", HWL_ROLE_VISION, h, 3, patch, true);
    hwl_hb_dims3(b, "embeddings.position_embedding", HWL_ROLE_VISION, 1, places, h);
    for (uint64_t i = 0; i < n; i++) {
        const size_t inner = hwl_hb_push(b, "encoder.layers.%llu.", (unsigned long long)i);
        hwl_hb_linear(b, "attn.qkv", HWL_ROLE_VISION, hwl_hb_mul(b, h, 3), h, qkv_bias);
        hwl_hb_linear(b, "attn.proj", HWL_ROLE_VISION, h, h, true);
        if (qk_norm) {
            hwl_hb_norm(b, "attn.q_norm", HWL_ROLE_VISION, h, false);
            hwl_hb_norm(b, "attn.k_norm", HWL_ROLE_VISION, h, false);
        }
        hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, ff, h, true);
        hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, h, ff, true);
        hwl_hb_norm(b, "norm1", HWL_ROLE_VISION, h, shift);
        hwl_hb_norm(b, "norm2", HWL_ROLE_VISION, h, shift);
        hwl_hb_vec(b, "ls1", HWL_ROLE_VISION, h);
        hwl_hb_vec(b, "ls2", HWL_ROLE_VISION, h);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_pop(b, mark);
    return h;
}

void hwl_hf_internvl_chat(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config vision = hwl_cfg_obj(root, "vision_config");
    const struct hwl_config text = hwl_cfg_obj(root, "llm_config|text_config");
    if (!vision.obj || !text.obj) {
        hwl_cfg_bad(root, "llm_config", "vision_config and llm_config are needed");
        return;
    }
    if (hwl_cfg_real(root, "downsample_ratio", 0.5) != 0.5) {
        hwl_cfg_bad(root, "downsample_ratio", "no reader for another ratio than 0.5");
        return;
    }
    hwl_build_text(b->build, &text, "llama", "language_model.");
    b->layer = -1;
    const uint64_t wide = hwl_hb_mul(b, intern_vit(b, root, &vision), 4), h = b->m->hidden;
    hwl_hb_norm(b, "mlp1.0", HWL_ROLE_PROJECTOR, wide, true);
    hwl_hb_linear(b, "mlp1.1", HWL_ROLE_PROJECTOR, h, wide, true);
    hwl_hb_linear(b, "mlp1.3", HWL_ROLE_PROJECTOR, h, h, true);
}
