/* SPDX-License-Identifier: Apache-2.0 */
/* Image and text towers standing alone: CLIP, SigLIP, SigLIP 2, ViT, DINOv2. Shapes: transformers 5.24.0,
 * models/{clip,siglip,siglip2,vit,dinov2,dinov2_with_registers}. */
#include "arch/family.h"
#include "arch/hf.h"

#include <string.h>

static void text_layer(struct hwl_hb *b, uint64_t i, struct hwl_attn_shape s, uint64_t ff)
{
    const size_t mark = hwl_hb_push(b, "encoder.layers.%llu.", (unsigned long long)i);
    const uint64_t h = s.hidden;
    b->layer = (int32_t)i;
    hwl_hb_norm(b, "layer_norm1", HWL_ROLE_ATTN_NORM, h, true);
    hwl_hb_linear(b, "self_attn.k_proj", HWL_ROLE_ATTN_K, h, h, true);
    hwl_hb_linear(b, "self_attn.v_proj", HWL_ROLE_ATTN_V, h, h, true);
    hwl_hb_linear(b, "self_attn.q_proj", HWL_ROLE_ATTN_Q, h, h, true);
    hwl_hb_linear(b, "self_attn.out_proj", HWL_ROLE_ATTN_OUT, h, h, true);
    hwl_hb_norm(b, "layer_norm2", HWL_ROLE_FFN_NORM, h, true);
    hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_FFN_UP, ff, h, true);
    hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_FFN_DOWN, h, ff, true);
    hwl_hf_attn_fill(b, i, s, 0);
    b->m->layers[i].feed_forward = HWL_FFN_DENSE;
    b->m->layers[i].ffn = (struct hwl_ffn){.d_ff = ff};
    b->layer = -1;
    hwl_hb_pop(b, mark);
}

/* Returns its width. SigLIP has a head [projection_size] behind the last token. */
static uint64_t text_tower(struct hwl_hb *b, const struct hwl_config *c, bool siglip)
{
    const uint64_t h = hwl_cfg_u64(c, "hidden_size", siglip ? 768 : 512), n = hwl_cfg_u64(c, "num_hidden_layers", 12);
    const uint64_t ff = hwl_cfg_u64(c, "intermediate_size", siglip ? 3072 : 2048), vocab = hwl_cfg_u64(c, "vocab_size", siglip ? 32000 : 49408);
    const uint64_t heads = hwl_cfg_u64(c, "num_attention_heads", siglip ? 12 : 8);
    const uint64_t positions = hwl_cfg_u64(c, "max_position_embeddings", siglip ? 64 : 77);
    const struct hwl_attn_shape s = {h, heads, heads, hwl_hb_div(b, "num_attention_heads", h, heads)};
    if (!hwl_hb_layers(b, 0, 0, n))
        return h;
    b->m->hidden = h;
    b->m->vocab = vocab;
    b->m->context_train = positions;
    b->layer = -1;
    hwl_hb_mat(b, "embeddings.token_embedding.weight", HWL_ROLE_TOK_EMBD, vocab, h);
    hwl_hb_mat(b, "embeddings.position_embedding.weight", HWL_ROLE_TOK_EMBD, positions, h);
    for (uint64_t i = 0; i < n; i++)
        text_layer(b, i, s, ff);
    hwl_hb_norm(b, "final_layer_norm", HWL_ROLE_OUTPUT_NORM, h, true);
    if (siglip)
        hwl_hb_linear(b, "head", HWL_ROLE_PROJECTOR, hwl_cfg_u64(c, "projection_size", h), h, true);
    return h;
}

static uint64_t vision_tower(struct hwl_hb *b, const struct hwl_config *c, const char *type)
{
    struct hwl_tower how = {.cls = !strncmp(type, "clip", 4)};
    how.head = !how.cls && hwl_cfg_bool(c, "vision_use_head", true);
    how.linear = !strncmp(type, "siglip2", 7);
    how.positions = how.linear ? hwl_cfg_u64(c, "num_patches", 256) : 0;
    return hwl_hf_clip_tower(b, c, how);
}

void hwl_hf_clip(struct hwl_hb *b, const struct hwl_config *root)
{
    const char *const type = hwl_cfg_str(root, "model_type", "clip"), *const cls = hwl_cfg_at_str(root, "architectures", 0, "");
    const bool siglip = strncmp(type, "siglip", 6) == 0, image = strstr(cls, "ForImageClassification") != NULL;
    const bool projected = strstr(cls, "WithProjection") != NULL;
    const bool text_only = strstr(type, "text_model") != NULL || strstr(cls, "TextModel") != NULL;
    const bool vision_only = !text_only && (image || strstr(type, "vision_model") != NULL || strstr(cls, "VisionModel") != NULL);
    const bool both = !text_only && !vision_only;
    const struct hwl_config v = hwl_cfg_has(root, "vision_config") || both ? hwl_cfg_obj(root, "vision_config") : *root;
    const struct hwl_config t = hwl_cfg_has(root, "text_config") || both ? hwl_cfg_obj(root, "text_config") : *root;
    const uint64_t projection = hwl_cfg_u64(root, "projection_dim", 512);
    const bool bare = !both && !projected && !image; /* the tower's own class: no name before it */
    uint64_t wt = 0, wv = 0;
    if (!vision_only) {
        const size_t mark = hwl_hb_push(b, "%s", bare ? "" : "text_model.");
        wt = text_tower(b, &t, siglip);
        hwl_hb_pop(b, mark);
    } else if (!hwl_hb_layers(b, 0, 0, 0)) {
        return;
    }
    if (!text_only) {
        const size_t mark = hwl_hb_push(b, "%s", bare ? "" : "vision_model.");
        wv = vision_tower(b, &v, type);
        hwl_hb_pop(b, mark);
        if (vision_only)
            b->m->hidden = wv;
    }
    b->layer = -1;
    if (!siglip && wv && (both || projected))
        hwl_hb_mat(b, "visual_projection.weight", HWL_ROLE_PROJECTOR, projection, wv);
    if (!siglip && wt && (both || projected))
        hwl_hb_mat(b, "text_projection.weight", HWL_ROLE_PROJECTOR, projection, wt);
    if (both)
        hwl_hb_vec(b, "logit_scale", HWL_ROLE_PROJECTOR, 1);
    if (both && siglip)
        hwl_hb_vec(b, "logit_bias", HWL_ROLE_PROJECTOR, 1);
    if (image)
        hwl_hb_linear(b, "classifier", HWL_ROLE_PROJECTOR, hwl_hf_labels(root), wv, true);
}
