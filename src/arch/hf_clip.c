/* SPDX-License-Identifier: Apache-2.0 */
/* CLIP and SigLIP vision towers and the models that put one before a text stack. Shapes: transformers 5.24.0,
 * models/{clip,siglip,siglip2,llava,llava_next,gemma3,paligemma}. */
#include "arch/family.h"
#include "arch/hf.h"

#include <string.h>

static void tower_layer(struct hwl_hb *b, uint64_t h, uint64_t ff)
{
    static const char *const proj[] = {"self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj", "self_attn.out_proj"};
    hwl_hb_norm(b, "layer_norm1", HWL_ROLE_VISION, h, true);
    for (size_t i = 0; i < sizeof proj / sizeof *proj; i++)
        hwl_hb_linear(b, proj[i], HWL_ROLE_VISION, h, h, true);
    hwl_hb_norm(b, "layer_norm2", HWL_ROLE_VISION, h, true);
    hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, ff, h, true);
    hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, h, ff, true);
}

/* Attention pooling of SigLIP: one probe over all patches. */
static void pooling_head(struct hwl_hb *b, uint64_t h, uint64_t ff)
{
    const size_t mark = hwl_hb_push(b, "head.");
    hwl_hb_dims3(b, "probe", HWL_ROLE_VISION, 1, 1, h);
    hwl_hb_mat(b, "attention.in_proj_weight", HWL_ROLE_VISION, hwl_hb_mul(b, h, 3), h);
    hwl_hb_vec(b, "attention.in_proj_bias", HWL_ROLE_VISION, hwl_hb_mul(b, h, 3));
    hwl_hb_linear(b, "attention.out_proj", HWL_ROLE_VISION, h, h, true);
    hwl_hb_norm(b, "layernorm", HWL_ROLE_VISION, h, true);
    hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, ff, h, true);
    hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, h, ff, true);
    hwl_hb_pop(b, mark);
}

uint64_t hwl_hf_clip_tower(struct hwl_hb *b, const struct hwl_config *c, struct hwl_tower how)
{
    const uint64_t h = hwl_cfg_u64(c, "hidden_size", 768), ff = hwl_cfg_u64(c, "intermediate_size", 3072);
    const uint64_t n = hwl_cfg_u64(c, "num_hidden_layers", 12), heads = hwl_cfg_u64(c, "num_attention_heads", 12);
    const uint64_t patch = hwl_cfg_u64(c, "patch_size", how.cls ? 32 : 16), image = hwl_cfg_u64(c, "image_size", 224);
    const uint64_t channels = hwl_cfg_u64(c, "num_channels", 3), side = patch ? image / patch : 0;
    const uint64_t patches = how.positions ? how.positions : hwl_hb_mul(b, side, side);
    b->component = HWL_COMP_VISION;
    b->layer = -1;
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, heads, h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return h;
    e->patch = patch;
    e->image_size = image;
    e->max_tokens = patches + how.cls;
    /* x * sigmoid(1.702 x) makes two copies */
    e->act_rows = strcmp(hwl_cfg_str(c, "hidden_act", how.cls ? "quick_gelu" : "gelu"), "quick_gelu") == 0 ? 3 : 2;
    hwl_hf_clip_layers(b, how, n, h, ff, patch, channels, patches);
    b->component = -1;
    return h;
}

void hwl_hf_clip_layers(struct hwl_hb *b, struct hwl_tower how, uint64_t n, uint64_t h, uint64_t ff, uint64_t patch, uint64_t channels,
                        uint64_t patches)
{
    if (how.cls)
        hwl_hb_vec(b, "embeddings.class_embedding", HWL_ROLE_VISION, h);
    if (how.linear)
        hwl_hb_linear(b, "embeddings.patch_embedding", HWL_ROLE_VISION, h, hwl_hb_mul(b, channels, hwl_hb_mul(b, patch, patch)), true);
    else
        hwl_hb_conv2d(b, "embeddings.patch_embedding", HWL_ROLE_VISION, h, channels, patch, !how.cls);
    hwl_hb_mat(b, "embeddings.position_embedding.weight", HWL_ROLE_VISION, patches + how.cls, h);
    if (how.cls)
        hwl_hb_norm(b, "pre_layrnorm", HWL_ROLE_VISION, h, true);
    for (uint64_t i = 0; i < n; i++) {
        const size_t mark = hwl_hb_push(b, "encoder.layers.%llu.", (unsigned long long)i);
        tower_layer(b, h, ff);
        hwl_hb_pop(b, mark);
    }
    if (!how.no_post)
        hwl_hb_norm(b, "post_layernorm", HWL_ROLE_VISION, h, true);
    if (how.head)
        pooling_head(b, h, ff);
}

static bool is_siglip(const struct hwl_config *vision)
{
    return strstr(hwl_cfg_str(vision, "model_type", "clip_vision_model"), "siglip") != NULL;
}

static uint64_t vision_tower(struct hwl_hb *b, const struct hwl_config *vision, const char *prefix)
{
    const size_t mark = hwl_hb_push(b, "%s", prefix);
    struct hwl_tower how = {0};
    if (is_siglip(vision))
        how.head = hwl_cfg_bool(vision, "vision_use_head", true);
    else
        how.cls = true;
    const uint64_t h = hwl_hf_clip_tower(b, vision, how);
    hwl_hb_pop(b, mark);
    return h;
}

/* The text part of a vision-language model under its prefix; the width of the stack, 0 where the kind is unknown. */
static uint64_t text_part(struct hwl_hb *b, const struct hwl_config *root, const struct hwl_config *text, const char *prefix, const char *def)
{
    const char *const type = hwl_cfg_str(text, "model_type", def);
    const struct hwl_text_kind *const kind = hwl_text_kind_find(type);
    if (!kind) {
        hwl_build_text(b->build, text, def, prefix);
        return b->m->hidden;
    }
    const size_t mark = hwl_hb_push(b, "%s", prefix);
    hwl_hf_decoder(b, root, text, kind, "lm_head.weight");
    hwl_hb_pop(b, mark);
    return b->m->hidden;
}

void hwl_hf_llava(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config vision = hwl_cfg_obj(root, "vision_config"), text = hwl_cfg_obj(root, "text_config");
    const uint64_t v = vision_tower(b, &vision, "model.vision_tower.");
    const uint64_t h = text_part(b, root, &text, "model.language_model.", "llama");
    const uint64_t picked = hwl_cfg_n(root, "vision_feature_layer");
    const bool bias = hwl_cfg_bool(root, "multimodal_projector_bias", true);
    const size_t mark = hwl_hb_push(b, "model.multi_modal_projector.");
    hwl_hb_linear(b, "linear_1", HWL_ROLE_PROJECTOR, h, hwl_hb_mul(b, v, picked > 1 ? picked : 1), bias);
    hwl_hb_linear(b, "linear_2", HWL_ROLE_PROJECTOR, h, h, bias);
    hwl_hb_pop(b, mark);
    if (strcmp(hwl_cfg_str(root, "model_type", ""), "llava") != 0)
        hwl_hb_vec(b, "model.image_newline", HWL_ROLE_PROJECTOR, h);
}

void hwl_hf_gemma3(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config vision = hwl_cfg_obj(root, "vision_config"), text = hwl_cfg_obj(root, "text_config");
    const uint64_t v = vision_tower(b, &vision, "model.vision_tower.");
    const bool pali = strcmp(hwl_cfg_str(root, "model_type", ""), "paligemma") == 0;
    const uint64_t h = text_part(b, root, &text, "model.language_model.", pali ? "gemma" : "gemma3_text");
    const size_t mark = hwl_hb_push(b, "model.multi_modal_projector.");
    if (pali) {
        /* the class sets the tower's from the root's; older files say it in the tower only */
        const bool inner = !hwl_cfg_has(root, "projection_dim") && hwl_cfg_has(&vision, "projection_dim");
        hwl_hb_linear(b, "linear", HWL_ROLE_PROJECTOR, hwl_cfg_u64(inner ? &vision : root, "projection_dim", h), v, true);
    } else {
        if (b->m->n_encoders) /* patches are pooled to a fixed number of tokens */
            b->m->encoders[b->m->n_encoders - 1].embeddings = hwl_cfg_u64(root, "mm_tokens_per_image", 256);
        hwl_hb_mat(b, "mm_input_projection_weight", HWL_ROLE_PROJECTOR, v, h);
        hwl_hb_norm(b, "mm_soft_emb_norm", HWL_ROLE_PROJECTOR, v, false);
    }
    hwl_hb_pop(b, mark);
}

/* VILA 1.5 and NVILA: a tower, a projector that joins neighbouring patches, a decoder. Each part has a folder and an
 * object of its own. Shapes: the published code (multimodal_projector/base_projector.py). */
void hwl_hf_vila(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config vision = hwl_cfg_obj(root, "vision_tower_cfg"), text = hwl_cfg_obj(root, "llm_cfg");
    const struct hwl_config projector = hwl_cfg_obj(root, "mm_projector_cfg");
    const char *const type = hwl_cfg_str(&projector, "mm_projector_type", "mlp_downsample");
    const char *const tower = hwl_cfg_str(&vision, "model_type", "");
    const struct hwl_text_kind *const kind = hwl_text_kind_find(hwl_cfg_str(&text, "model_type", "llama"));
    if (!text.obj) {
        hwl_cfg_bad(root, "llm_cfg", "no llm_cfg; a llava_llama without one is not read");
        return;
    }
    if (!strstr(tower, "siglip") && !strstr(tower, "clip")) {
        hwl_cfg_bad(&vision, "model_type", "no reader for a tower of kind \"%s\"", tower);
        return;
    }
    if (!kind) {
        hwl_cfg_bad(&text, "model_type", "no reader for a text part of this kind");
        return;
    }
    size_t mark = hwl_hb_push(b, "llm.model.");
    hwl_hf_decoder(b, &text, &text, kind, "llm.lm_head.weight");
    hwl_hb_pop(b, mark);
    const uint64_t own = vision_tower(b, &vision, "vision_tower.vision_tower.vision_model."), h = b->m->hidden;
    const uint64_t w = hwl_cfg_u64(root, "mm_hidden_size", own), four = hwl_hb_mul(b, w, 4), nine = hwl_hb_mul(b, w, 9);
    mark = hwl_hb_push(b, "mm_projector.layers.");
    if (strcmp(type, "mlp_downsample") == 0 || strcmp(type, "mlp_downsample_2x2_fix") == 0) {
        hwl_hb_norm(b, "1", HWL_ROLE_PROJECTOR, four, true);
        hwl_hb_linear(b, "2", HWL_ROLE_PROJECTOR, h, four, true);
        hwl_hb_linear(b, "4", HWL_ROLE_PROJECTOR, h, h, true);
    } else if (strcmp(type, "mlp_downsample_3x3_fix") == 0) {
        const uint64_t three = hwl_hb_mul(b, w, 3);
        hwl_hb_norm(b, "1", HWL_ROLE_PROJECTOR, nine, true);
        hwl_hb_linear(b, "2", HWL_ROLE_PROJECTOR, three, nine, true);
        hwl_hb_norm(b, "4", HWL_ROLE_PROJECTOR, three, true);
        hwl_hb_linear(b, "5", HWL_ROLE_PROJECTOR, h, three, true);
        hwl_hb_linear(b, "7", HWL_ROLE_PROJECTOR, h, h, true);
    } else if (strcmp(type, "mlp2x_gelu") == 0) {
        hwl_hb_linear(b, "0", HWL_ROLE_PROJECTOR, h, w, true);
        hwl_hb_linear(b, "2", HWL_ROLE_PROJECTOR, h, h, true);
    } else if (strcmp(type, "linear") == 0) {
        hwl_hb_pop(b, mark);
        hwl_hb_linear(b, "mm_projector.layers", HWL_ROLE_PROJECTOR, h, w, true);
    } else {
        hwl_cfg_bad(&projector, "mm_projector_type", "no reader for this projector");
    }
    hwl_hb_pop(b, mark);
}

/* Aya Vision and Command A Vision: neighbouring patches joined, then a gated map (SwiGLU halves its width). Shapes:
 * transformers 5.24.0, models/{aya_vision,cohere2_vision}; names as the published checkpoints have them. */
void hwl_hf_aya_vision(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config vision = hwl_cfg_obj(root, "vision_config"), text = hwl_cfg_obj(root, "text_config");
    const bool aya = strcmp(hwl_cfg_str(root, "model_type", ""), "aya_vision") == 0;
    const uint64_t v = vision_tower(b, &vision, "vision_tower.vision_model.");
    const uint64_t h = text_part(b, root, &text, "language_model.", "cohere2");
    const uint64_t factor = hwl_cfg_u64(root, "downsample_factor", 2);
    const uint64_t wide = hwl_hb_mul(b, v, hwl_hb_mul(b, factor, factor));
    const uint64_t gated = hwl_cfg_u64(root, "alignment_intermediate_size", aya ? h : 36864);
    const size_t mark = hwl_hb_push(b, "multi_modal_projector.");
    if (aya)
        hwl_hb_norm(b, "layernorm", HWL_ROLE_PROJECTOR, wide, true);
    hwl_hb_linear(b, "linear_1", HWL_ROLE_PROJECTOR, gated, wide, true);
    hwl_hb_linear(b, "linear_2", HWL_ROLE_PROJECTOR, h, gated / 2, true);
    hwl_hb_pop(b, mark);
}
