/* SPDX-License-Identifier: Apache-2.0 */
/* Llama 3.2 Vision: a text stack in which some layers attend to the image only. Shapes: transformers 5.24.0, models/mllama. */
#include "arch/hf.h"

static void vision_layers(struct hwl_hb *b, const char *name, uint64_t n, uint64_t h, uint64_t ff, bool gated)
{
    static const char *const proj[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"};
    for (uint64_t i = 0; i < n; i++) {
        const size_t mark = hwl_hb_push(b, "%s.layers.%llu.", name, (unsigned long long)i);
        if (gated) {
            hwl_hb_vec(b, "gate_attn", HWL_ROLE_VISION, 1);
            hwl_hb_vec(b, "gate_ffn", HWL_ROLE_VISION, 1);
        }
        for (size_t k = 0; k < 4; k++)
            hwl_hb_linear(b, proj[k], HWL_ROLE_VISION, h, h, false);
        hwl_hb_linear(b, "mlp.fc1", HWL_ROLE_VISION, ff, h, true);
        hwl_hb_linear(b, "mlp.fc2", HWL_ROLE_VISION, h, ff, true);
        hwl_hb_norm(b, "input_layernorm", HWL_ROLE_VISION, h, true);
        hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_VISION, h, true);
        hwl_hb_pop(b, mark);
    }
}

static void vision(struct hwl_hb *b, const struct hwl_config *c)
{
    const uint64_t h = hwl_cfg_u64(c, "hidden_size", 1280), ff = hwl_cfg_u64(c, "intermediate_size", 5120);
    const uint64_t n = hwl_cfg_u64(c, "num_hidden_layers", 32), n_global = hwl_cfg_u64(c, "num_global_layers", 8);
    const uint64_t patch = hwl_cfg_u64(c, "patch_size", 14), image = hwl_cfg_u64(c, "image_size", 448);
    const uint64_t tiles = hwl_cfg_u64(c, "max_num_tiles", 4), side = patch ? image / patch : 0;
    /* aspect ratios: those listed and one for none; 8 fit four tiles */
    const uint64_t ratios = (hwl_cfg_has(c, "supported_aspect_ratios") ? hwl_cfg_n(c, "supported_aspect_ratios") : 8) + 1;
    const uint64_t places = hwl_hb_add(b, hwl_hb_mul(b, side, side), 1), wide = hwl_hb_mul(b, tiles, h);
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n + n_global, hwl_cfg_u64(c, "attention_heads|num_attention_heads", 16), h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS || n_global > HWL_HB_MAX_LAYERS)
        return;
    e->patch = patch;
    e->image_size = image;
    e->max_tokens = hwl_hb_mul(b, places, tiles);
    b->component = HWL_COMP_VISION;
    b->layer = -1;
    const size_t mark = hwl_hb_push(b, "model.vision_model.");
    hwl_hb_vec(b, "class_embedding", HWL_ROLE_VISION, h);
    hwl_hb_conv2d(b, "patch_embedding", HWL_ROLE_VISION, h, hwl_cfg_u64(c, "num_channels", 3), patch, false);
    hwl_hb_vec(b, "gated_positional_embedding.gate", HWL_ROLE_VISION, 1);
    hwl_hb_mat(b, "gated_positional_embedding.embedding", HWL_ROLE_VISION, places, h);
    hwl_hb_mat(b, "gated_positional_embedding.tile_embedding.weight", HWL_ROLE_VISION, ratios, hwl_hb_mul(b, wide, places));
    hwl_hb_vec(b, "pre_tile_positional_embedding.gate", HWL_ROLE_VISION, 1);
    hwl_hb_mat(b, "pre_tile_positional_embedding.embedding.weight", HWL_ROLE_VISION, ratios, wide);
    hwl_hb_vec(b, "post_tile_positional_embedding.gate", HWL_ROLE_VISION, 1);
    hwl_hb_mat(b, "post_tile_positional_embedding.embedding.weight", HWL_ROLE_VISION, ratios, wide);
    hwl_hb_norm(b, "layernorm_pre", HWL_ROLE_VISION, h, true);
    hwl_hb_norm(b, "layernorm_post", HWL_ROLE_VISION, h, true);
    vision_layers(b, "transformer", n, h, ff, false);
    vision_layers(b, "global_transformer", n_global, h, ff, true);
    hwl_hb_pop(b, mark);
    b->component = -1;
}

static void text_layer(struct hwl_hb *b, uint64_t i, struct hwl_attn_shape s, uint64_t ff, bool cross)
{
    const size_t mark = hwl_hb_push(b, "layers.%llu.", (unsigned long long)i);
    const uint64_t q = hwl_hb_mul(b, s.heads, s.head_dim), kv = hwl_hb_mul(b, s.kv_heads, s.head_dim);
    b->layer = (int32_t)i;
    const size_t inner = hwl_hb_push(b, "%s", cross ? "cross_attn." : "self_attn.");
    hwl_hb_linear(b, "q_proj", cross ? HWL_ROLE_CROSS_Q : HWL_ROLE_ATTN_Q, q, s.hidden, false);
    hwl_hb_linear(b, "k_proj", cross ? HWL_ROLE_CROSS_K : HWL_ROLE_ATTN_K, kv, s.hidden, false);
    hwl_hb_linear(b, "v_proj", cross ? HWL_ROLE_CROSS_V : HWL_ROLE_ATTN_V, kv, s.hidden, false);
    hwl_hb_linear(b, "o_proj", cross ? HWL_ROLE_CROSS_OUT : HWL_ROLE_ATTN_OUT, s.hidden, q, false);
    if (cross) {
        hwl_hb_norm(b, "q_norm", HWL_ROLE_ATTN_Q_NORM, s.head_dim, false);
        hwl_hb_norm(b, "k_norm", HWL_ROLE_ATTN_K_NORM, s.head_dim, false);
    }
    hwl_hb_pop(b, inner);
    if (cross) {
        hwl_hb_vec(b, "cross_attn_attn_gate", HWL_ROLE_CROSS_OTHER, 1);
        hwl_hb_vec(b, "cross_attn_mlp_gate", HWL_ROLE_CROSS_OTHER, 1);
    }
    hwl_hf_mlp(b, "mlp.", s.hidden, ff, false);
    hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, s.hidden, false);
    hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_FFN_NORM, s.hidden, false);
    hwl_hf_attn_fill(b, i, s, 0);
    b->m->layers[i].attn.cross = cross;
    b->m->layers[i].attn.causal = !cross;
    b->m->layers[i].feed_forward = HWL_FFN_DENSE;
    b->m->layers[i].ffn = (struct hwl_ffn){.d_ff = ff, .gated = true};
    hwl_hb_pop(b, mark);
}

void hwl_hf_mllama(struct hwl_hb *b, const struct hwl_config *root)
{
    static const struct hwl_text_kind kind = {"mllama_text_model", 0, 128256, 4096, 32, 8, 0, 40, 14336, NULL};
    const struct hwl_config t = hwl_cfg_obj(root, "text_config"), v = hwl_cfg_obj(root, "vision_config");
    const struct hwl_attn_shape s = hwl_hf_attn_shape(&t, &kind);
    const uint64_t n = hwl_hf_or(&t, "num_hidden_layers", kind.n_layers), vocab = hwl_hf_or(&t, "vocab_size", kind.vocab);
    const uint64_t ff = hwl_hf_or(&t, "intermediate_size", kind.d_ff);
    const bool listed = hwl_cfg_has(&t, "cross_attention_layers");
    if (!hwl_hb_layers(b, n, 0, 0))
        return;
    b->m->hidden = s.hidden;
    b->m->vocab = vocab;
    b->m->context_train = hwl_cfg_u64(&t, "max_position_embeddings", 131072);
    vision(b, &v);
    const size_t mark = hwl_hb_push(b, "model.language_model.");
    hwl_hb_mat(b, "embed_tokens.weight", HWL_ROLE_TOK_EMBD, hwl_hb_add(b, vocab, 8), s.hidden); /* eight rows for image tokens */
    for (uint64_t i = 0; i < n; i++)
        text_layer(b, i, s, ff, listed ? hwl_cfg_in(&t, "cross_attention_layers", i) : i % 5 == 3);
    b->layer = -1;
    hwl_hb_norm(b, "norm", HWL_ROLE_OUTPUT_NORM, s.hidden, false);
    hwl_hb_pop(b, mark);
    hwl_hb_linear(b, "model.multi_modal_projector", HWL_ROLE_PROJECTOR, s.hidden, hwl_cfg_u64(&v, "vision_output_dim", 7680), true);
    hwl_hf_head(b, "lm_head.weight", vocab, s.hidden, false);
}
