/* SPDX-License-Identifier: Apache-2.0 */
/* Vision-language models with towers of their own. Shapes: Kimi-K2.5 and Llama 3.2 Vision from transformers 5.24.0
 * (models/{kimi_k25,mllama}); Phi-3-Vision, MiniCPM-V and LocateAnything from their published modeling code and totals. */
#include "arch/family.h"
#include "arch/hf.h"

#include <string.h>

static const struct hwl_text_kind *text(struct hwl_hb *b, const struct hwl_config *root, const struct hwl_config *c, const char *type, const char *prefix,
                                      const char *head)
{
    const struct hwl_text_kind *const kind = hwl_text_kind_find(type);
    if (!kind) {
        hwl_cfg_bad(c, "model_type", "no reader for a text part of kind %s", type);
        return NULL;
    }
    const size_t mark = hwl_hb_push(b, "%s", prefix);
    hwl_hf_decoder(b, root, c, kind, head);
    hwl_hb_pop(b, mark);
    return kind;
}

/* MoonViT; returns its width. */
static uint64_t moon_vit(struct hwl_hb *b, const struct hwl_config *c)
{
    const uint64_t h = hwl_cfg_u64(c, "vt_hidden_size|hidden_size", 1152), ff = hwl_cfg_u64(c, "vt_intermediate_size|intermediate_size", 4304);
    const uint64_t n = hwl_cfg_u64(c, "vt_num_hidden_layers|num_hidden_layers", 27), patch = hwl_cfg_u64(c, "patch_size", 14);
    static const char *const proj[] = {"attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.proj"};
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, hwl_cfg_u64(c, "vt_num_attention_heads|num_attention_heads", 16), h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return h;
    e->patch = patch;
    b->component = HWL_COMP_VISION;
    b->layer = -1;
    const size_t mark = hwl_hb_push(b, "model.vision_tower.");
    hwl_hb_conv2d(b, "patch_embed.proj", HWL_ROLE_VISION, h, 3, patch, true);
    hwl_hb_dims3(b, "patch_embed.pos_emb.position_embeddings", HWL_ROLE_VISION, hwl_cfg_u64(c, "init_pos_emb_height", 64),
                 hwl_cfg_u64(c, "init_pos_emb_width", 64), h);
    for (uint64_t i = 0; i < n; i++) {
        const size_t inner = hwl_hb_push(b, "layers.%llu.", (unsigned long long)i);
        hwl_hb_norm(b, "norm1", HWL_ROLE_VISION, h, true);
        hwl_hb_norm(b, "norm2", HWL_ROLE_VISION, h, true);
        for (size_t k = 0; k < 4; k++)
            hwl_hb_linear(b, proj[k], HWL_ROLE_VISION, h, h, true);
        hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, ff, h, true);
        hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, h, ff, true);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_norm(b, "final_layernorm", HWL_ROLE_VISION, h, true);
    hwl_hb_pop(b, mark);
    b->component = -1;
    return h;
}

static uint64_t merged(struct hwl_hb *b, const struct hwl_config *c, uint64_t width)
{
    return hwl_hb_mul(b, width, hwl_hb_mul(b, hwl_cfg_at_u64(c, "merge_kernel_size", 0, 2), hwl_cfg_at_u64(c, "merge_kernel_size", 1, 2)));
}

void hwl_hf_kimi_k25(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config t = hwl_cfg_obj(root, "text_config"), v = hwl_cfg_obj(root, "vision_config");
    if (!text(b, root, &t, hwl_cfg_str(&t, "model_type", "deepseek_v3"), "model.language_model.", "lm_head.weight"))
        return;
    const uint64_t w = moon_vit(b, &v), wide = merged(b, &v, w);
    const size_t mark = hwl_hb_push(b, "model.mm_projector.");
    hwl_hb_norm(b, "pre_norm", HWL_ROLE_PROJECTOR, w, true);
    hwl_hb_linear(b, "in_proj", HWL_ROLE_PROJECTOR, wide, wide, true);
    hwl_hb_linear(b, "out_proj", HWL_ROLE_PROJECTOR, hwl_cfg_u64(&v, "text_hidden_size", b->m->hidden), wide, true);
    hwl_hb_pop(b, mark);
}

void hwl_hf_locate(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config t = hwl_cfg_obj(root, "text_config"), v = hwl_cfg_obj(root, "vision_config");
    if (!text(b, root, &t, hwl_cfg_str(&t, "model_type", "qwen2"), "language_model.model.", NULL))
        return;
    /* the checkpoint keeps its output matrix although the text part says tied */
    hwl_hf_head(b, "language_model.lm_head.weight", b->m->vocab, b->m->hidden, hwl_cfg_bool(root, "tie_word_embeddings", false));
    const uint64_t wide = merged(b, &v, moon_vit(b, &v)), h = b->m->hidden;
    hwl_hb_norm(b, "mlp1.0", HWL_ROLE_PROJECTOR, wide, true);
    hwl_hb_linear(b, "mlp1.1", HWL_ROLE_PROJECTOR, h, wide, true);
    if (hwl_cfg_u64(root, "mlp_connector_layers", 2) == 2)
        hwl_hb_linear(b, "mlp1.3", HWL_ROLE_PROJECTOR, h, h, true);
}

/* CLIP ViT-L/14 at 336 pixels, fixed by the code; two linear maps over 2 x 2 merged patches. */
void hwl_hf_phi3_v(struct hwl_hb *b, const struct hwl_config *root)
{
    if (!text(b, root, root, "phi3", "model.", "lm_head.weight"))
        return;
    const struct hwl_config img = hwl_cfg_obj(root, "img_processor");
    const uint64_t width = hwl_cfg_u64(&img, "image_dim_out", 1024), wide = hwl_hb_mul(b, width, 4), h = b->m->hidden;
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, 24, 16, 1024, 4096);
    if (!e)
        return;
    e->patch = 14;
    e->image_size = 336;
    e->max_tokens = 577;
    b->component = HWL_COMP_VISION;
    const size_t mark = hwl_hb_push(b, "model.vision_embed_tokens.img_processor.vision_model.");
    hwl_hf_clip_layers(b, (struct hwl_tower){.cls = true}, 24, 1024, 4096, 14, 3, 576);
    hwl_hb_pop(b, mark);
    const size_t inner = hwl_hb_push(b, "model.vision_embed_tokens.");
    hwl_hb_dims3(b, "glb_GN", HWL_ROLE_PROJECTOR, 1, 1, wide);
    hwl_hb_dims3(b, "sub_GN", HWL_ROLE_PROJECTOR, 1, 1, wide);
    hwl_hb_linear(b, "img_projection.0", HWL_ROLE_PROJECTOR, h, wide, true);
    hwl_hb_linear(b, "img_projection.2", HWL_ROLE_PROJECTOR, h, h, true);
    hwl_hb_pop(b, inner);
    b->component = -1;
}

/* The version names the language model (the published class picks it so). */
static const char *minicpm_text(const struct hwl_config *root)
{
    const double version = hwl_cfg_real(root, "version", 2.6);
    if (version > 4.2)
        return "qwen3";
    return version > 2.55 && version < 3.0 ? "qwen2" : "llama";
}

void hwl_hf_minicpmv(struct hwl_hb *b, const struct hwl_config *root)
{
    if (!text(b, root, root, minicpm_text(root), "llm.model.", "llm.lm_head.weight"))
        return;
    const struct hwl_config v = hwl_cfg_obj(root, "vision_config");
    const uint64_t h = b->m->hidden, n = hwl_cfg_u64(root, "query_num", 64);
    const size_t mark = hwl_hb_push(b, "vpm.");
    const uint64_t w = hwl_hf_clip_tower(b, &v, (struct hwl_tower){.head = false});
    hwl_hb_pop(b, mark);
    const size_t inner = hwl_hb_push(b, "resampler.");
    hwl_hb_mat(b, "query", HWL_ROLE_PROJECTOR, n, h);
    hwl_hb_mat(b, "proj", HWL_ROLE_PROJECTOR, h, h);
    if (w != h)
        hwl_hb_linear(b, "kv_proj", HWL_ROLE_PROJECTOR, h, w, false);
    hwl_hb_mat(b, "attn.in_proj_weight", HWL_ROLE_PROJECTOR, hwl_hb_mul(b, h, 3), h);
    hwl_hb_vec(b, "attn.in_proj_bias", HWL_ROLE_PROJECTOR, hwl_hb_mul(b, h, 3));
    hwl_hb_linear(b, "attn.out_proj", HWL_ROLE_PROJECTOR, h, h, true);
    hwl_hb_norm(b, "ln_q", HWL_ROLE_PROJECTOR, h, true);
    hwl_hb_norm(b, "ln_kv", HWL_ROLE_PROJECTOR, h, true);
    hwl_hb_norm(b, "ln_post", HWL_ROLE_PROJECTOR, h, true);
    hwl_hb_pop(b, inner);
}
