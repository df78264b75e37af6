/* SPDX-License-Identifier: Apache-2.0 */
/* DeepSeek-OCR and DeepSeek-OCR-2: SAM ViT-B, then CLIP-L or a Qwen2 stack that reads pictures, a linear map and a
 * DeepSeek-V2 decoder. Shapes: the published modeling code (deepencoder.py, deepencoderv2.py); the totals of both
 * checkpoints agree. */
#include "arch/family.h"
#include "arch/hf.h"

#include <string.h>

enum {
    SAM_MLP = 4,       /* fixed in code; mlp_ratio of the file is CLIP's */
    SAM_WINDOW = 14,   /* tokens on a side of a layer that is not global */
    SAM_NECK = 256,
    SAM_PATCH = 16,
    SAM_MIDDLE = 512,  /* channels between the two halving convolutions */
    CLIP_MLP = 4,
    CLIP_POSITIONS = 256, /* 224 / 14 squared; other sizes are interpolated */
    QWEN_LAYERS = 24, QWEN_KV_WIDTH = 128, QWEN_FF = 4864, QWEN_HEADS = 14,
    QUERY_1024 = 256, QUERY_768 = 144, /* learned queries: one for each 4 x 4 patches of a view of that size */
};

static void sam_block(struct hwl_hb *b, uint64_t h, uint64_t head_dim, uint64_t side)
{
    const uint64_t ff = hwl_hb_mul(b, h, SAM_MLP), rel = side ? hwl_hb_mul(b, side, 2) - 1 : 0;
    hwl_hb_norm(b, "norm1", HWL_ROLE_VISION, h, true);
    hwl_hb_linear(b, "attn.qkv", HWL_ROLE_VISION, hwl_hb_mul(b, h, 3), h, true);
    hwl_hb_linear(b, "attn.proj", HWL_ROLE_VISION, h, h, true);
    hwl_hb_mat(b, "attn.rel_pos_h", HWL_ROLE_VISION, rel, head_dim);
    hwl_hb_mat(b, "attn.rel_pos_w", HWL_ROLE_VISION, rel, head_dim);
    hwl_hb_norm(b, "norm2", HWL_ROLE_VISION, h, true);
    hwl_hb_linear(b, "mlp.lin1", HWL_ROLE_VISION, ff, h, true);
    hwl_hb_linear(b, "mlp.lin2", HWL_ROLE_VISION, h, ff, true);
}

/* out: channels that the next encoder takes. Its width stands there in code, whatever downsample_channels says. */
static void sam(struct hwl_hb *b, const struct hwl_config *c, uint64_t image, uint64_t out)
{
    const uint64_t h = hwl_cfg_u64(c, "width", 768), n = hwl_cfg_u64(c, "layers", 12);
    const uint64_t heads = hwl_cfg_u64(c, "heads", 12);
    const uint64_t side = image / SAM_PATCH, head_dim = hwl_hb_div(b, "heads", h, heads);
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, heads, h, hwl_hb_mul(b, h, SAM_MLP));
    if (!e || n > HWL_HB_MAX_LAYERS)
        return;
    e->patch = SAM_PATCH;
    e->image_size = image;
    e->max_tokens = hwl_hb_mul(b, side, side);
    const size_t mark = hwl_hb_push(b, "model.sam_model.");
    hwl_hb_conv2d(b, "patch_embed.proj", HWL_ROLE_VISION, h, 3, SAM_PATCH, true);
    hwl_hb_tensor(b, "pos_embed", HWL_ROLE_VISION, 1, (const uint64_t[]){1, side, side, h}, 4);
    for (uint64_t i = 0; i < n; i++) {
        const size_t inner = hwl_hb_push(b, "blocks.%llu.", (unsigned long long)i);
        sam_block(b, h, head_dim, hwl_cfg_in(c, "global_attn_indexes", i) ? side : SAM_WINDOW);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_conv2d(b, "neck.0", HWL_ROLE_VISION, SAM_NECK, h, 1, false);
    hwl_hb_norm(b, "neck.1", HWL_ROLE_VISION, SAM_NECK, true);
    hwl_hb_conv2d(b, "neck.2", HWL_ROLE_VISION, SAM_NECK, SAM_NECK, 3, false);
    hwl_hb_norm(b, "neck.3", HWL_ROLE_VISION, SAM_NECK, true);
    hwl_hb_conv2d(b, "net_2", HWL_ROLE_VISION, SAM_MIDDLE, SAM_NECK, 3, false);
    hwl_hb_conv2d(b, "net_3", HWL_ROLE_VISION, out, SAM_MIDDLE, 3, false);
    hwl_hb_pop(b, mark);
}

static uint64_t clip(struct hwl_hb *b, const struct hwl_config *c)
{
    const uint64_t h = hwl_cfg_u64(c, "width", 1024), n = hwl_cfg_u64(c, "layers", 24), ff = hwl_hb_mul(b, h, CLIP_MLP);
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, hwl_cfg_u64(c, "heads", 16), h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return h;
    e->max_tokens = CLIP_POSITIONS + 1;
    const size_t mark = hwl_hb_push(b, "model.vision_model.");
    hwl_hb_vec(b, "embeddings.class_embedding", HWL_ROLE_VISION, h);
    hwl_hb_conv2d(b, "embeddings.patch_embedding", HWL_ROLE_VISION, h, 3, hwl_cfg_u64(c, "patch_size", 14), false);
    hwl_hb_mat(b, "embeddings.position_embedding.weight", HWL_ROLE_VISION, CLIP_POSITIONS + 1, h);
    hwl_hb_norm(b, "pre_layrnorm", HWL_ROLE_VISION, h, true);
    for (uint64_t i = 0; i < n; i++) {
        const size_t inner = hwl_hb_push(b, "transformer.layers.%llu.", (unsigned long long)i);
        hwl_hb_norm(b, "layer_norm1", HWL_ROLE_VISION, h, true);
        hwl_hb_linear(b, "self_attn.qkv_proj", HWL_ROLE_VISION, hwl_hb_mul(b, h, 3), h, true);
        hwl_hb_linear(b, "self_attn.out_proj", HWL_ROLE_VISION, h, h, true);
        hwl_hb_norm(b, "layer_norm2", HWL_ROLE_VISION, h, true);
        hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, ff, h, true);
        hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, h, ff, true);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_pop(b, mark);
    return h;
}

static uint64_t qwen(struct hwl_hb *b, const struct hwl_config *c)
{
    const uint64_t h = hwl_cfg_u64(c, "dim", 896);
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, QWEN_LAYERS, QWEN_HEADS, h, QWEN_FF);
    if (!e)
        return h;
    e->max_tokens = 2 * QUERY_1024; /* as many patches as queries */
    const size_t mark = hwl_hb_push(b, "model.qwen2_model.");
    for (uint64_t i = 0; i < QWEN_LAYERS; i++) {
        const size_t inner = hwl_hb_push(b, "model.model.layers.%llu.", (unsigned long long)i);
        hwl_hb_linear(b, "self_attn.q_proj", HWL_ROLE_VISION, h, h, true);
        hwl_hb_linear(b, "self_attn.k_proj", HWL_ROLE_VISION, QWEN_KV_WIDTH, h, true);
        hwl_hb_linear(b, "self_attn.v_proj", HWL_ROLE_VISION, QWEN_KV_WIDTH, h, true);
        hwl_hb_linear(b, "self_attn.o_proj", HWL_ROLE_VISION, h, h, false);
        hwl_hb_linear(b, "mlp.gate_proj", HWL_ROLE_VISION, QWEN_FF, h, false);
        hwl_hb_linear(b, "mlp.up_proj", HWL_ROLE_VISION, QWEN_FF, h, false);
        hwl_hb_linear(b, "mlp.down_proj", HWL_ROLE_VISION, h, QWEN_FF, false);
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_VISION, h, false);
        hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_VISION, h, false);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_norm(b, "model.model.norm", HWL_ROLE_VISION, h, false);
    hwl_hb_mat(b, "query_1024.weight", HWL_ROLE_VISION, QUERY_1024, h);
    hwl_hb_mat(b, "query_768.weight", HWL_ROLE_VISION, QUERY_768, h);
    hwl_hb_pop(b, mark);
    return h;
}

void hwl_hf_deepseek_ocr(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config nested = hwl_cfg_obj(root, "language_config");
    const struct hwl_config *const text = nested.obj ? &nested : root;
    const struct hwl_config vision = hwl_cfg_obj(root, "vision_config"), width = hwl_cfg_obj(&vision, "width");
    const struct hwl_config projector = hwl_cfg_obj(root, "projector_config");
    const struct hwl_config sam_keys = hwl_cfg_obj(&width, "sam_vit_b");
    const struct hwl_config clip_keys = hwl_cfg_obj(&width, "clip-l-14-224");
    const struct hwl_config qwen_keys = hwl_cfg_obj(&width, "qwen2-0-5b");
    if (!sam_keys.obj || (!clip_keys.obj && !qwen_keys.obj)) {
        hwl_cfg_bad(root, "vision_config", "no reader for these towers (known: sam_vit_b with clip-l-14-224 or qwen2-0-5b)");
        return;
    }
    if (strcmp(hwl_cfg_str(&projector, "projector_type", "linear"), "linear") != 0) {
        hwl_cfg_bad(&projector, "projector_type", "no reader for this projector");
        return;
    }
    const size_t mark = hwl_hb_push(b, "model.");
    hwl_hf_decoder(b, root, text, hwl_text_kind_find("deepseek_v2"), "lm_head.weight");
    hwl_hb_pop(b, mark);
    b->layer = -1;
    const uint64_t h = b->m->hidden, w = clip_keys.obj ? clip(b, &clip_keys) : qwen(b, &qwen_keys);
    sam(b, &sam_keys, hwl_cfg_u64(&vision, "image_size", 1024), w);
    hwl_hb_linear(b, "model.projector.layers", HWL_ROLE_PROJECTOR, hwl_cfg_u64(&projector, "n_embed", h),
                  hwl_cfg_u64(&projector, "input_dim", clip_keys.obj ? hwl_hb_mul(b, w, 2) : w), true);
    if (clip_keys.obj)
        hwl_hb_vec(b, "model.image_newline", HWL_ROLE_PROJECTOR, h);
    hwl_hb_vec(b, "model.view_seperator", HWL_ROLE_PROJECTOR, h);
}
