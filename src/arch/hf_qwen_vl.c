/* SPDX-License-Identifier: Apache-2.0 */
/* Qwen2-VL, Qwen2.5-VL, Qwen3-VL and Qwen3.5 with their vision towers. Shapes: transformers 5.24.0,
 * models/{qwen2_vl,qwen2_5_vl,qwen3_vl,qwen3_vl_moe,qwen3_5,qwen3_5_moe}. */
#include "arch/hf.h"

#include <string.h>

#define MOST_PATCHES 65536

struct visual {
    uint64_t width, ff, out, merge, depth, patch, temporal, channels;
    unsigned version; /* 2: Qwen2-VL, 25: Qwen2.5-VL, 3: Qwen3-VL */
};

static void block(struct hwl_hb *b, const struct visual *v)
{
    const bool bias = v->version != 25; /* of norms: Qwen2.5-VL has RMS norms */
    hwl_hb_norm(b, "norm1", HWL_ROLE_VISION, v->width, bias);
    hwl_hb_norm(b, "norm2", HWL_ROLE_VISION, v->width, bias);
    hwl_hb_linear(b, "attn.qkv", HWL_ROLE_VISION, hwl_hb_mul(b, v->width, 3), v->width, true);
    hwl_hb_linear(b, "attn.proj", HWL_ROLE_VISION, v->width, v->width, true);
    if (v->version == 25) {
        hwl_hb_linear(b, "mlp.gate_proj", HWL_ROLE_VISION, v->ff, v->width, true);
        hwl_hb_linear(b, "mlp.up_proj", HWL_ROLE_VISION, v->ff, v->width, true);
        hwl_hb_linear(b, "mlp.down_proj", HWL_ROLE_VISION, v->width, v->ff, true);
        return;
    }
    hwl_hb_linear(b, v->version == 3 ? "mlp.linear_fc1" : "mlp.fc1", HWL_ROLE_VISION, v->ff, v->width, true);
    hwl_hb_linear(b, v->version == 3 ? "mlp.linear_fc2" : "mlp.fc2", HWL_ROLE_VISION, v->width, v->ff, true);
}

static void merger(struct hwl_hb *b, const struct visual *v, const char *name, bool post)
{
    const uint64_t wide = hwl_hb_mul(b, v->width, hwl_hb_mul(b, v->merge, v->merge));
    const size_t mark = hwl_hb_push(b, "%s", name);
    b->component = HWL_COMP_PROJECTOR;
    if (v->version == 3) {
        hwl_hb_norm(b, "norm", HWL_ROLE_PROJECTOR, post ? wide : v->width, true);
        hwl_hb_linear(b, "linear_fc1", HWL_ROLE_PROJECTOR, wide, wide, true);
        hwl_hb_linear(b, "linear_fc2", HWL_ROLE_PROJECTOR, v->out, wide, true);
    } else {
        hwl_hb_norm(b, "ln_q", HWL_ROLE_PROJECTOR, v->width, v->version == 2);
        hwl_hb_linear(b, "mlp.0", HWL_ROLE_PROJECTOR, wide, wide, true);
        hwl_hb_linear(b, "mlp.2", HWL_ROLE_PROJECTOR, v->out, wide, true);
    }
    hwl_hb_pop(b, mark);
}

static struct visual read_visual(struct hwl_hb *b, const struct hwl_config *c, unsigned version, uint64_t hidden)
{
    struct visual v = {.version = version};
    v.depth = hwl_cfg_u64(c, "depth", version == 3 ? 27 : 32);
    v.patch = hwl_cfg_u64(c, "patch_size|spatial_patch_size", version == 3 ? 16 : 14);
    v.temporal = hwl_cfg_u64(c, "temporal_patch_size", 2);
    v.merge = hwl_cfg_u64(c, "spatial_merge_size", 2);
    v.channels = hwl_cfg_u64(c, "in_channels|in_chans", 3);
    if (version == 2) {
        v.width = hwl_cfg_u64(c, "embed_dim", 1280);
        v.ff = hwl_hb_mul(b, v.width, hwl_cfg_u64(c, "mlp_ratio", 4));
        v.out = hwl_cfg_u64(c, "hidden_size", hidden);
    } else {
        v.width = hwl_cfg_u64(c, "hidden_size", version == 3 ? 1152 : 3584);
        v.ff = hwl_cfg_u64(c, "intermediate_size", version == 3 ? 4304 : 3420);
        v.out = hwl_cfg_u64(c, "out_hidden_size", hidden);
    }
    return v;
}

static void visual(struct hwl_hb *b, const struct hwl_config *c, unsigned version, uint64_t hidden)
{
    const struct visual v = read_visual(b, c, version, hidden);
    const size_t mark = hwl_hb_push(b, "model.visual.");
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, v.depth, hwl_cfg_u64(c, "num_heads", 16), v.width, v.ff);
    if (!e || v.depth > HWL_HB_MAX_LAYERS)
        return;
    e->patch = v.patch;
    /* the largest image of the published preprocessor_config.json: 12,845,056 pixels in patches of 14, 16,777,216 in patches of 16 */
    e->max_tokens = MOST_PATCHES;
    e->embeddings = MOST_PATCHES / (v.merge && v.merge < 64 ? v.merge * v.merge : 1);
    e->item_elements = hwl_hb_mul(b, hwl_hb_mul(b, MOST_PATCHES, v.channels), hwl_hb_mul(b, v.temporal, hwl_hb_mul(b, v.patch, v.patch)));
    e->embedding_width = hwl_hb_mul(b, v.out, hwl_cfg_n(c, "deepstack_visual_indexes") + 1);
    e->act_rows = version == 3 ? 2 : 3; /* two copies for the sigmoid of QuickGELU; gate and up beside their product */
    e->held_rows = version == 25 ? 5 : 4; /* its norms take the residual in: sum and input live on */
    e->rotary = true;
    e->max_frames = version == 3 ? 0 : 14; /* Qwen3-VL's videos share the pixels among their frames */
    b->component = HWL_COMP_VISION;
    b->layer = -1;
    hwl_hb_conv(b, "patch_embed.proj", HWL_ROLE_VISION, v.width, v.channels, (const uint64_t[]){v.temporal, v.patch, v.patch}, 3, version == 3);
    if (version == 3)
        hwl_hb_mat(b, "pos_embed.weight", HWL_ROLE_VISION, hwl_cfg_u64(c, "num_position_embeddings", 2304), v.width);
    for (uint64_t i = 0; i < v.depth; i++) {
        const size_t inner = hwl_hb_push(b, "blocks.%llu.", (unsigned long long)i);
        block(b, &v);
        hwl_hb_pop(b, inner);
    }
    merger(b, &v, "merger.", false);
    for (uint64_t i = 0; i < hwl_cfg_n(c, "deepstack_visual_indexes"); i++) {
        const size_t inner = hwl_hb_push(b, "deepstack_merger_list.%llu.", (unsigned long long)i);
        merger(b, &v, "", true);
        hwl_hb_pop(b, inner);
    }
    b->component = -1;
    hwl_hb_pop(b, mark);
}

struct row {
    const char *type, *text;
    unsigned version;
};
static const struct row rows[] = {
    {"qwen2_vl", "qwen2_vl_text", 2},
    {"qwen2_5_vl", "qwen2_5_vl_text", 25},
    {"qwen3_vl", "qwen3_vl_text", 3},
    {"qwen3_vl_moe", "qwen3_vl_moe_text", 3},
    {"qwen3_5", "qwen3_5_text", 3},
    {"qwen3_5_moe", "qwen3_5_moe_text", 3},
};

void hwl_hf_qwen_vl(struct hwl_hb *b, const struct hwl_config *root)
{
    const char *const type = hwl_cfg_str(root, "model_type", "");
    const struct row *r = &rows[0];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].type, type) == 0)
            r = &rows[i];
    const struct hwl_config nested = hwl_cfg_obj(root, "text_config"), vision = hwl_cfg_obj(root, "vision_config");
    const size_t mark = hwl_hb_push(b, "model.language_model.");
    hwl_hf_decoder(b, root, nested.obj ? &nested : root, hwl_text_kind_find(r->text), "lm_head.weight");
    hwl_hb_pop(b, mark);
    visual(b, &vision, r->version, b->m->hidden);
}

/* The text stacks alone: Qwen3-Next, Qwen3.5 text. */
void hwl_hf_qwen_hybrid(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_text_kind *const kind = hwl_text_kind_find(hwl_cfg_str(root, "model_type", ""));
    const size_t mark = hwl_hb_push(b, "model.");
    if (kind)
        hwl_hf_decoder(b, root, root, kind, "lm_head.weight");
    hwl_hb_pop(b, mark);
}
