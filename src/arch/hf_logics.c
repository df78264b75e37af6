/* SPDX-License-Identifier: Apache-2.0 */
/* Logics-Thinking: ConvNeXt-XXL and SigLIP 2 side by side before a Qwen3 decoder. Shapes: the published code
 * (convnext_encoder.py, siglip_encoder.py, modeling_logics.py); the size in model.safetensors.index.json agrees. */
#include "arch/hf.h"

#include <string.h>

enum { STAGES = 4, KERNEL = 7, MLP = 4, STEM = 4, CLASSES = 1024, CONVNEXT_WIDTH = 3072 };

static void stage(struct hwl_hb *b, int i, uint64_t in, uint64_t out, uint64_t depth)
{
    const size_t mark = hwl_hb_push(b, "stages.%d.", i);
    if (i) {
        hwl_hb_norm(b, "downsample.0", HWL_ROLE_VISION, in, true);
        hwl_hb_conv2d(b, "downsample.1", HWL_ROLE_VISION, out, in, 2, true);
    }
    for (uint64_t k = 0; k < depth; k++) {
        const size_t inner = hwl_hb_push(b, "blocks.%llu.", (unsigned long long)k);
        hwl_hb_vec(b, "weight", HWL_ROLE_VISION, out); /* layer scale */
        hwl_hb_conv2d(b, "conv_dw", HWL_ROLE_VISION, out, 1, KERNEL, true);
        hwl_hb_norm(b, "norm", HWL_ROLE_VISION, out, true);
        hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, hwl_hb_mul(b, out, MLP), out, true);
        hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, out, hwl_hb_mul(b, out, MLP), true);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_pop(b, mark);
}

/* The one size that the code knows, with the classifier that its checkpoint keeps. */
static void convnext(struct hwl_hb *b)
{
    static const uint64_t depths[STAGES] = {3, 4, 30, 3}, dims[STAGES] = {384, 768, 1536, CONVNEXT_WIDTH};
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, 40, 0, CONVNEXT_WIDTH, CONVNEXT_WIDTH * MLP);
    if (!e)
        return;
    const size_t mark = hwl_hb_push(b, "model.vision_tower.vision_towers.0.vision_tower.");
    hwl_hb_conv2d(b, "stem.0", HWL_ROLE_VISION, dims[0], 3, STEM, true);
    hwl_hb_norm(b, "stem.1", HWL_ROLE_VISION, dims[0], true);
    for (int i = 0; i < STAGES; i++)
        stage(b, i, dims[i ? i - 1 : 0], dims[i], depths[i]);
    hwl_hb_norm(b, "head.norm", HWL_ROLE_VISION, CONVNEXT_WIDTH, true);
    hwl_hb_linear(b, "head.fc", HWL_ROLE_VISION, CLASSES, CONVNEXT_WIDTH, true);
    hwl_hb_pop(b, mark);
}

/* The last layer is dropped, as is the pooling head. */
static uint64_t siglip(struct hwl_hb *b, const struct hwl_config *c)
{
    const uint64_t h = hwl_cfg_u64(c, "hidden_size", 1152), n = hwl_cfg_u64(c, "num_hidden_layers", 27);
    const uint64_t ff = hwl_cfg_u64(c, "intermediate_size", 4304), image = hwl_cfg_u64(c, "image_size", 384);
    const uint64_t patch = hwl_cfg_u64(c, "patch_size", 16), side = patch ? image / patch : 0;
    const uint64_t kept = n ? n - 1 : 0, heads = hwl_cfg_u64(c, "num_attention_heads", 16);
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, kept, heads, h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return h;
    e->patch = patch;
    e->image_size = image;
    e->max_tokens = hwl_hb_mul(b, side, side);
    const size_t mark = hwl_hb_push(b, "model.vision_tower.vision_towers.1.vision_tower.vision_model.");
    hwl_hf_clip_layers(b, (struct hwl_tower){.cls = false}, kept, h, ff, patch, hwl_cfg_u64(c, "num_channels", 3), e->max_tokens);
    hwl_hb_pop(b, mark);
    return h;
}

void hwl_hf_logics(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config vision = hwl_cfg_obj(root, "siglip_config");
    const char *const towers = hwl_cfg_str(root, "mm_vision_tower", "");
    if (!strstr(towers, "convnext") || !strstr(towers, "siglip")) {
        hwl_cfg_bad(root, "mm_vision_tower", "no reader for these towers (known: convnext with siglip)");
        return;
    }
    if (strcmp(hwl_cfg_str(root, "mm_projector_type", "mlp2x_gelu"), "mlp2x_gelu") != 0) {
        hwl_cfg_bad(root, "mm_projector_type", "no reader for this projector (known: mlp2x_gelu)");
        return;
    }
    const size_t mark = hwl_hb_push(b, "model.");
    hwl_hf_decoder(b, root, root, hwl_text_kind_find("qwen3"), "lm_head.weight");
    hwl_hb_pop(b, mark);
    b->layer = -1;
    convnext(b);
    const uint64_t h = b->m->hidden, width = hwl_hb_add(b, CONVNEXT_WIDTH, siglip(b, &vision));
    hwl_hb_linear(b, "model.mm_projector.0", HWL_ROLE_PROJECTOR, h, hwl_cfg_u64(root, "mm_hidden_size", width), true);
    hwl_hb_linear(b, "model.mm_projector.2", HWL_ROLE_PROJECTOR, h, h, true);
    hwl_hb_vec(b, "model.image_newline", HWL_ROLE_PROJECTOR, h);
}
