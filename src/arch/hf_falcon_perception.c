/* SPDX-License-Identifier: Apache-2.0 */
/* Falcon Perception and Falcon OCR: one decoder over patches and text, with heads for boxes and masks. Shapes: the published
 * code (tiiuae/Falcon-Perception: model.py, anyup.py). Norms of layers and of heads carry no weights. */
#include "arch/hf.h"

#include <string.h>

enum { UP = 128, UP_FIRST = 5, UP_BLOCKS = 2 }; /* AnyUp, fixed in code: width, first kernel, blocks of an encoder */

/* One encoder of AnyUp: a first convolution and two residual blocks. */
static void up_encoder(struct hwl_hb *b, const char *name, uint64_t in, uint64_t kernel)
{
    const size_t mark = hwl_hb_push(b, "itok_upsampler.%s.", name);
    if (in)
        hwl_hb_conv2d(b, "0", HWL_ROLE_VISION, UP, in, kernel, false);
    else
        hwl_hb_tensor(b, "0.basis", HWL_ROLE_VISION, 1, (const uint64_t[]){UP, 1, kernel, kernel}, 4);
    for (int i = 1; i <= UP_BLOCKS; i++) {
        const size_t inner = hwl_hb_push(b, "%d.block.", i);
        hwl_hb_norm(b, "0", HWL_ROLE_VISION, UP, true);
        hwl_hb_conv2d(b, "2", HWL_ROLE_VISION, UP, UP, 1, false);
        hwl_hb_norm(b, "3", HWL_ROLE_VISION, UP, true);
        hwl_hb_conv2d(b, "5", HWL_ROLE_VISION, UP, UP, 1, false);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_pop(b, mark);
}

static void upsampler(struct hwl_hb *b)
{
    up_encoder(b, "image_encoder", 3, 1);
    up_encoder(b, "key_encoder", UP, 1);
    up_encoder(b, "query_encoder", UP, 1);
    up_encoder(b, "key_features_encoder", 0, UP_FIRST);
    up_encoder(b, "aggregation", 2 * UP, 3);
    const size_t mark = hwl_hb_push(b, "itok_upsampler.");
    hwl_hb_norm(b, "cross_decode.cross_attn.norm_q", HWL_ROLE_VISION, UP, false);
    hwl_hb_norm(b, "cross_decode.cross_attn.norm_k", HWL_ROLE_VISION, UP, false);
    hwl_hb_mat(b, "cross_decode.cross_attn.attention.in_proj_weight", HWL_ROLE_VISION, 3 * UP, UP);
    hwl_hb_vec(b, "cross_decode.cross_attn.attention.in_proj_bias", HWL_ROLE_VISION, 3 * UP);
    hwl_hb_conv2d(b, "cross_decode.conv2d", HWL_ROLE_VISION, UP, UP, 3, false);
    hwl_hb_mat(b, "rope.freqs", HWL_ROLE_VISION, 2, UP);
    hwl_hb_pop(b, mark);
}

static void box_head(struct hwl_hb *b, const char *name, uint64_t dim, uint64_t enc, uint64_t dec, uint64_t out)
{
    const size_t mark = hwl_hb_push(b, "%s", name);
    hwl_hb_linear(b, "_encoder.embed", HWL_ROLE_PROJECTOR, enc / 2, 2, false);
    hwl_hb_linear(b, "_encoder.transform", HWL_ROLE_PROJECTOR, dim, enc, false);
    hwl_hb_linear(b, "_decoder.w1", HWL_ROLE_PROJECTOR, dec, dim, false);
    hwl_hb_linear(b, "_decoder.w2", HWL_ROLE_PROJECTOR, out, dec, false);
    hwl_hb_pop(b, mark);
}

static void heads(struct hwl_hb *b, const struct hwl_config *c, uint64_t dim)
{
    box_head(b, "coord", dim, hwl_cfg_u64(c, "coord_enc_dim", 512), hwl_cfg_u64(c, "coord_dec_dim", 8192),
             hwl_cfg_u64(c, "coord_out_dim", 2048));
    box_head(b, "size", dim, hwl_cfg_u64(c, "size_enc_dim", 512), hwl_cfg_u64(c, "size_dec_dim", 8192),
             hwl_cfg_u64(c, "size_out_dim", 2048));
    if (!hwl_cfg_bool(c, "do_segmentation", true))
        return;
    const uint64_t out = hwl_cfg_u64(c, "segm_out_dim", 256), n = hwl_cfg_u64(c, "num_segm_layers", 3);
    upsampler(b);
    if (n > HWL_HB_MAX_LAYERS) {
        hwl_cfg_bad(c, "num_segm_layers", "more than %d layers", HWL_HB_MAX_LAYERS);
        return;
    }
    for (uint64_t i = 0; i + 1 < n; i++) {
        const size_t mark = hwl_hb_push(b, "proj_segm.layers.%llu", (unsigned long long)i);
        hwl_hb_linear(b, "", HWL_ROLE_PROJECTOR, dim, dim, true);
        hwl_hb_pop(b, mark);
    }
    hwl_hb_linear(b, "proj_segm.pixel_layer", HWL_ROLE_PROJECTOR, out, dim, false);
    hwl_hb_conv2d(b, "conv_segm", HWL_ROLE_PROJECTOR, out, dim, 3, true);
}

void hwl_hf_falcon_perception(struct hwl_hb *b, const struct hwl_config *root)
{
    struct hwl_attn_shape s = {.hidden = hwl_cfg_u64(root, "dim", 1024), .heads = hwl_cfg_u64(root, "n_heads", 16)};
    const uint64_t n = hwl_cfg_u64(root, "n_layers", 28), vocab = hwl_cfg_u64(root, "vocab_size", 65536);
    const uint64_t ff = hwl_cfg_u64(root, "ffn_dim", 3072), patch = hwl_cfg_u64(root, "spatial_patch_size", 16);
    s.kv_heads = hwl_cfg_u64(root, "n_kv_heads", 8);
    s.head_dim = hwl_cfg_u64(root, "head_dim", 128);
    const uint64_t q = hwl_hb_mul(b, s.heads, s.head_dim), kv = hwl_hb_mul(b, s.kv_heads, s.head_dim);
    const uint64_t pixels = hwl_hb_mul(b, hwl_hb_mul(b, patch, patch), hwl_cfg_u64(root, "temporal_patch_size", 1));
    if (!hwl_hb_layers(b, n, 0, 0))
        return;
    b->m->hidden = s.hidden;
    b->m->vocab = vocab;
    b->m->context_train = hwl_cfg_u64(root, "max_seq_len", 8192);
    hwl_hb_mat(b, "tok_embeddings.weight", HWL_ROLE_TOK_EMBD, vocab, s.hidden);
    for (uint64_t i = 0; i < n; i++) {
        const size_t mark = hwl_hb_push(b, "layers.%llu.", (unsigned long long)i);
        b->layer = (int32_t)i;
        hwl_hb_linear(b, "attention.wqkv", HWL_ROLE_ATTN_QKV, hwl_hb_add(b, q, hwl_hb_mul(b, kv, 2)), s.hidden, false);
        hwl_hb_linear(b, "attention.wo", HWL_ROLE_ATTN_OUT, s.hidden, q, false);
        hwl_hb_vec(b, "attention.sinks", HWL_ROLE_ATTN_SINKS, s.heads);
        hwl_hb_linear(b, "feed_forward.w13", HWL_ROLE_FFN_GATE_UP, hwl_hb_mul(b, ff, 2), s.hidden, false);
        hwl_hb_linear(b, "feed_forward.w2", HWL_ROLE_FFN_DOWN, s.hidden, ff, false);
        hwl_hf_attn_fill(b, i, s, 0);
        b->m->layers[i].attn.sinks = true;
        b->m->layers[i].feed_forward = HWL_FFN_DENSE;
        b->m->layers[i].ffn = (struct hwl_ffn){.d_ff = ff, .gated = true};
        hwl_hb_pop(b, mark);
    }
    b->layer = -1;
    hwl_hb_norm(b, "norm", HWL_ROLE_OUTPUT_NORM, s.hidden, false);
    hwl_hf_head(b, "output.weight", vocab, s.hidden, false);
    hwl_hb_linear(b, "img_projector", HWL_ROLE_PROJECTOR, s.hidden, hwl_hb_mul(b, pixels, hwl_cfg_u64(root, "channel_size", 3)), false);
    hwl_hb_buffer(b, "freqs_cis_golden", HWL_ROLE_ROPE_FREQS, hwl_hb_mul(b, s.heads, s.head_dim / 4 * 2));
    const bool perception = strcmp(hwl_cfg_str(root, "model_type", "falcon_perception"), "falcon_ocr") != 0;
    if (hwl_cfg_bool(root, "perception_heads", perception))
        heads(b, root, s.hidden);
}
