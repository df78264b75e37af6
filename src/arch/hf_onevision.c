/* SPDX-License-Identifier: Apache-2.0 */
/* LLaVA-OneVision-1.5: the RICE vision transformer, its patch merger and a Qwen3 decoder. Shapes: the published modeling
 * code (modeling_llavaonevision1_5.py); the total of the 8B checkpoint agrees. */
#include "arch/hf.h"

static void rice(struct hwl_hb *b, const struct hwl_config *c, uint64_t text_hidden)
{
    const uint64_t h = hwl_cfg_u64(c, "hidden_size|embed_dim", 1024), n = hwl_cfg_u64(c, "depth", 24);
    const uint64_t heads = hwl_cfg_u64(c, "num_heads", 16);
    const uint64_t ff = hwl_cfg_u64(c, "intermediate_size", 4096), patch = hwl_cfg_u64(c, "patch_size", 14);
    const uint64_t merge = hwl_cfg_u64(c, "spatial_merge_size", 2);
    const uint64_t wide = hwl_hb_mul(b, h, hwl_hb_mul(b, merge, merge));
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, heads, h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return;
    e->patch = patch;
    b->layer = -1;
    const size_t mark = hwl_hb_push(b, "model.visual.");
    hwl_hb_conv2d(b, "patch_embed.proj", HWL_ROLE_VISION, h, hwl_cfg_u64(c, "in_channels", 3), patch, false);
    hwl_hb_vec(b, "class_embedding", HWL_ROLE_VISION, h);
    hwl_hb_mat(b, "class_pos_emb", HWL_ROLE_VISION, 1, hwl_hb_div(b, "num_heads", h, heads) / 2);
    hwl_hb_norm(b, "pre_layernorm", HWL_ROLE_VISION, h, true);
    for (uint64_t i = 0; i < n; i++) {
        const size_t inner = hwl_hb_push(b, "blocks.%llu.", (unsigned long long)i);
        hwl_hb_norm(b, "norm1", HWL_ROLE_VISION, h, true);
        hwl_hb_norm(b, "norm2", HWL_ROLE_VISION, h, true);
        hwl_hb_linear(b, "attn.qkv", HWL_ROLE_VISION, hwl_hb_mul(b, h, 3), h, true);
        hwl_hb_linear(b, "attn.proj", HWL_ROLE_VISION, h, h, true);
        hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, ff, h, true);
        hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, h, ff, true);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_norm(b, "merger.ln_q", HWL_ROLE_PROJECTOR, h, true);
    hwl_hb_linear(b, "merger.mlp.0", HWL_ROLE_PROJECTOR, wide, wide, true);
    hwl_hb_linear(b, "merger.mlp.2", HWL_ROLE_PROJECTOR, hwl_cfg_u64(c, "text_hidden_size", text_hidden), wide, true);
    hwl_hb_pop(b, mark);
}

void hwl_hf_onevision(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config text = hwl_cfg_obj(root, "text_config"), vision = hwl_cfg_obj(root, "vision_config");
    const size_t mark = hwl_hb_push(b, "model.language_model.");
    hwl_hf_decoder(b, root, &text, hwl_text_kind_find("qwen3"), "lm_head.weight");
    hwl_hb_pop(b, mark);
    rice(b, &vision, b->m->hidden);
}
