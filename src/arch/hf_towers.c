/* SPDX-License-Identifier: Apache-2.0 */
/* Image and text towers standing alone: CLIP, SigLIP, SigLIP 2; and the
 * vision-language models InternVL and Llama 4. Shapes: transformers 5.24.0, models/{clip,siglip,siglip2,internvl,llama4}. */
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

/* The first of a number or a pair, as patch and image sizes stand in files. */
static uint64_t first_of(const struct hwl_config *c, const char *key, uint64_t def)
{
    return hwl_cfg_at_u64(c, key, 0, def);
}

static void language(struct hwl_hb *b, const struct hwl_config *root, const struct hwl_config *text, const char *def)
{
    const struct hwl_text_kind *const kind = hwl_text_kind_find(hwl_cfg_str(text, "model_type", def));
    if (!kind) {
        hwl_build_text(b->build, text, def, "model.language_model.");
        return;
    }
    const size_t mark = hwl_hb_push(b, "model.language_model.");
    struct hwl_text_kind tied = *kind;
    tied.traits |= HWL_T_TIED; /* the class default of InternVLConfig, whatever the text part's is */
    hwl_hf_decoder(b, root, text, &tied, "lm_head.weight");
    hwl_hb_pop(b, mark);
}

/* InternViT as transformers names it (models/internvl). */
static void intern_vit(struct hwl_hb *b, const struct hwl_config *c, uint64_t h)
{
    const uint64_t n = hwl_cfg_u64(c, "num_hidden_layers", 24), ff = hwl_cfg_u64(c, "intermediate_size", 4096);
    const uint64_t patch = first_of(c, "patch_size", 14), image = first_of(c, "image_size", 448), side = patch ? image / patch : 0;
    const uint64_t tokens = hwl_hb_add(b, hwl_hb_mul(b, side, side), 1);
    const bool bias = hwl_cfg_bool(c, "attention_bias", false), qk = hwl_cfg_bool(c, "use_qk_norm", false);
    const bool ln = strcmp(hwl_cfg_str(c, "norm_type", "layer_norm"), "rms_norm") != 0;
    static const char *const proj[] = {"attention.q_proj", "attention.k_proj", "attention.v_proj"};
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, hwl_cfg_u64(c, "num_attention_heads", 16), h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return;
    e->patch = patch;
    e->image_size = image;
    e->max_tokens = tokens;
    hwl_hb_dims3(b, "embeddings.cls_token", HWL_ROLE_VISION, 1, 1, h);
    if (hwl_cfg_bool(c, "use_mask_token", false))
        hwl_hb_dims3(b, "embeddings.mask_token", HWL_ROLE_VISION, 1, 1, h);
    if (hwl_cfg_bool(c, "use_absolute_position_embeddings", true))
        hwl_hb_dims3(b, "embeddings.position_embeddings", HWL_ROLE_VISION, 1, tokens, h);
    hwl_hb_conv2d(b, "embeddings.patch_embeddings.projection", HWL_ROLE_VISION, h, hwl_cfg_u64(c, "num_channels", 3), patch, true);
    for (uint64_t i = 0; i < n; i++) {
        const size_t mark = hwl_hb_push(b, "encoder.layer.%llu.", (unsigned long long)i);
        hwl_hb_vec(b, "lambda_1", HWL_ROLE_VISION, h);
        hwl_hb_vec(b, "lambda_2", HWL_ROLE_VISION, h);
        for (size_t p = 0; p < sizeof proj / sizeof *proj; p++)
            hwl_hb_linear(b, proj[p], HWL_ROLE_VISION, h, h, bias);
        hwl_hb_linear(b, "attention.projection_layer", HWL_ROLE_VISION, h, h, true);
        if (qk) {
            hwl_hb_norm(b, "attention.q_norm", HWL_ROLE_VISION, h, false);
            hwl_hb_norm(b, "attention.k_norm", HWL_ROLE_VISION, h, false);
        }
        hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, ff, h, true);
        hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, h, ff, true);
        hwl_hb_norm(b, "layernorm_before", HWL_ROLE_VISION, h, ln);
        hwl_hb_norm(b, "layernorm_after", HWL_ROLE_VISION, h, ln);
        hwl_hb_pop(b, mark);
    }
    if (!hwl_cfg_bool(c, "use_mean_pooling", true))
        hwl_hb_norm(b, "layernorm", HWL_ROLE_VISION, h, true);
}

void hwl_hf_internvl(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config v = hwl_cfg_obj(root, "vision_config"), t = hwl_cfg_obj(root, "text_config");
    const uint64_t h = hwl_cfg_u64(&v, "hidden_size", 1024);
    const double ratio = hwl_cfg_real(root, "downsample_ratio", 0.5);
    const uint64_t side = ratio > 0.001 && ratio <= 1.0 ? (uint64_t)(1.0 / ratio) : 0; /* side x side patches become one */
    if (!side)
        hwl_cfg_bad(root, "downsample_ratio", "%g is no share from 0 to 1", ratio);
    const uint64_t wide = hwl_hb_mul(b, h, hwl_hb_mul(b, side, side)); /* int(1 / downsample_ratio) ** 2 in the class */
    language(b, root, &t, "qwen2");
    const uint64_t to = b->m->hidden;
    b->component = HWL_COMP_VISION;
    b->layer = -1;
    size_t mark = hwl_hb_push(b, "model.vision_tower.");
    intern_vit(b, &v, h);
    hwl_hb_pop(b, mark);
    b->component = -1;
    mark = hwl_hb_push(b, "model.multi_modal_projector.");
    hwl_hb_norm(b, "layer_norm", HWL_ROLE_PROJECTOR, wide, true);
    hwl_hb_linear(b, "linear_1", HWL_ROLE_PROJECTOR, to, wide, true);
    hwl_hb_linear(b, "linear_2", HWL_ROLE_PROJECTOR, to, to, true);
    hwl_hb_pop(b, mark);
}

/* Llama 4: models/llama4. The pixel shuffle leaves intermediate_size columns for the adapter. */
void hwl_hf_llama4(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config v = hwl_cfg_obj(root, "vision_config"), t = hwl_cfg_obj(root, "text_config");
    const uint64_t h = hwl_cfg_u64(&v, "hidden_size", 768), ff = hwl_cfg_u64(&v, "intermediate_size", 5632);
    const uint64_t n = hwl_cfg_u64(&v, "num_hidden_layers", 34), patch = hwl_cfg_u64(&v, "patch_size", 14);
    const uint64_t image = hwl_cfg_u64(&v, "image_size", 448), side = patch ? image / patch : 0;
    const uint64_t in = hwl_cfg_u64(&v, "projector_input_dim", 4096), tokens = hwl_hb_add(b, hwl_hb_mul(b, side, side), 1);
    static const char *const proj[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"};
    hwl_build_text(b->build, &t, "llama4_text", "language_model.");
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, hwl_cfg_u64(&v, "num_attention_heads", 16), h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return;
    e->patch = patch;
    e->image_size = image;
    e->max_tokens = tokens;
    b->component = HWL_COMP_VISION;
    b->layer = -1;
    const size_t mark = hwl_hb_push(b, "vision_model.");
    hwl_hb_vec(b, "class_embedding", HWL_ROLE_VISION, h);
    hwl_hb_mat(b, "positional_embedding_vlm", HWL_ROLE_VISION, tokens, h);
    hwl_hb_linear(b, "patch_embedding.linear", HWL_ROLE_VISION, h,
                  hwl_hb_mul(b, hwl_cfg_u64(&v, "num_channels", 3), hwl_hb_mul(b, patch, patch)), false);
    hwl_hb_norm(b, "layernorm_pre", HWL_ROLE_VISION, h, true);
    hwl_hb_norm(b, "layernorm_post", HWL_ROLE_VISION, h, true);
    for (uint64_t i = 0; i < n; i++) {
        const size_t inner = hwl_hb_push(b, "model.layers.%llu.", (unsigned long long)i);
        for (size_t p = 0; p < sizeof proj / sizeof *proj; p++)
            hwl_hb_linear(b, proj[p], HWL_ROLE_VISION, h, h, true);
        hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, ff, h, true);
        hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, h, ff, true);
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_VISION, h, true);
        hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_VISION, h, true);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_linear(b, "vision_adapter.mlp.fc1", HWL_ROLE_VISION, in, ff, false);
    hwl_hb_linear(b, "vision_adapter.mlp.fc2", HWL_ROLE_VISION, hwl_cfg_u64(&v, "projector_output_dim", 4096),
                  hwl_cfg_u64(&v, "projector_output_dim", 4096), false);
    hwl_hb_pop(b, mark);
    b->component = -1;
    hwl_hb_linear(b, "multi_modal_projector.linear_1", HWL_ROLE_PROJECTOR, b->m->hidden, hwl_cfg_u64(&v, "vision_output_dim", 7680), false);
}
