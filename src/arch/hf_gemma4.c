/* SPDX-License-Identifier: Apache-2.0 */
/* Gemma 4: text stack with two kinds of attention, shared caches and per-layer embeddings, vision and audio towers.
 * Shapes and defaults: transformers 5.24.0, models/gemma4 (configuration_gemma4.py, modeling_gemma4.py). */
#include "arch/family.h"
#include "arch/hf.h"

#include <string.h>

struct text {
    const struct hwl_config *c;
    struct hwl_config per_layer;
    uint64_t n, hidden, heads, d_ff, first_shared, window, per_layer_input;
    bool k_eq_v, moe, wide, bias, causal;
};

static bool is_full(const struct text *t, uint64_t i)
{
    if (i + 1 == t->n) /* the class forces it */
        return true;
    const char *const def = (i + 1) % 6 ? "sliding_attention" : "full_attention";
    return strcmp(hwl_cfg_at_str(t->c, "layer_types", i, def), "full_attention") == 0;
}

/* A value of layer i: from per_layer_config where the file has one, else the global key for full layers. */
static uint64_t of_layer(struct hwl_hb *b, const struct text *t, uint64_t i, const char *key, uint64_t local,
                         uint64_t global)
{
    if (!t->per_layer.obj)
        return is_full(t, i) ? global : local;
    int digits = 1; /* as many as the last layer's number has */
    for (uint64_t n = t->n - 1; n > 9; n /= 10)
        digits++;
    const char *const path = hwl_arena_printf(&b->m->arena, "%llu.%s|%0*llu.%s", (unsigned long long)i, key, digits,
                                              (unsigned long long)i, key);
    b->no_memory = b->no_memory || !path;
    return path ? hwl_cfg_u64(&t->per_layer, path, local) : local;
}

static struct hwl_attn_shape shape_of(struct hwl_hb *b, const struct text *t, uint64_t i)
{
    const uint64_t dim = hwl_cfg_u64(t->c, "head_dim", 256), kv = hwl_cfg_u64(t->c, "num_key_value_heads", 4);
    const uint64_t global_kv = t->k_eq_v ? hwl_cfg_u64(t->c, "num_global_key_value_heads", kv) : kv;
    return (struct hwl_attn_shape){
        .hidden = t->hidden,
        .heads = t->heads,
        .kv_heads = of_layer(b, t, i, "num_key_value_heads", kv, global_kv),
        .head_dim = of_layer(b, t, i, "head_dim", dim, hwl_cfg_u64(t->c, "global_head_dim", 512)),
    };
}

/* The last layer of the same kind that keeps a cache of its own. */
static int32_t shared_with(const struct text *t, uint64_t i)
{
    for (uint64_t k = t->first_shared; k-- > 0;)
        if (is_full(t, k) == is_full(t, i))
            return (int32_t)k;
    hwl_cfg_bad(t->c, "num_kv_shared_layers", "layer %llu has no earlier layer of its kind to share a cache with",
                (unsigned long long)i);
    return -1;
}

static void attention(struct hwl_hb *b, const struct text *t, uint64_t i)
{
    const struct hwl_attn_shape s = shape_of(b, t, i);
    const bool full = is_full(t, i), own = i < t->first_shared;
    const uint64_t q = hwl_hb_mul(b, s.heads, s.head_dim), kv = hwl_hb_mul(b, s.kv_heads, s.head_dim);
    const size_t mark = hwl_hb_push(b, "self_attn.");
    hwl_hb_linear(b, "q_proj", HWL_ROLE_ATTN_Q, q, s.hidden, t->bias);
    hwl_hb_norm(b, "q_norm", HWL_ROLE_ATTN_Q_NORM, s.head_dim, false);
    /* Layers that read another's cache use no K and V of their own; the checkpoints store them all the same (the class drops
     * them while loading), and so do GGUF files. */
    hwl_hb_norm(b, "k_norm", HWL_ROLE_ATTN_K_NORM, s.head_dim, false);
    hwl_hb_linear(b, "k_proj", HWL_ROLE_ATTN_K, kv, s.hidden, t->bias);
    if (!full || !t->k_eq_v)
        hwl_hb_linear(b, "v_proj", HWL_ROLE_ATTN_V, kv, s.hidden, t->bias);
    hwl_hb_linear(b, "o_proj", HWL_ROLE_ATTN_OUT, s.hidden, q, t->bias);
    hwl_hb_pop(b, mark);
    hwl_hf_attn_fill(b, i, s, full ? 0 : t->window);
    b->m->layers[i].attn.causal = t->causal;
    if (!own)
        b->m->layers[i].attn.kv_shared_with = shared_with(t, i);
}

/* Routed experts beside the dense part, each with norms of its own. */
static void experts(struct hwl_hb *b, const struct text *t, struct hwl_layer *l)
{
    const uint64_t n = hwl_cfg_need(t->c, "num_experts"), used = hwl_cfg_need(t->c, "top_k_experts");
    const uint64_t d = hwl_cfg_need(t->c, "moe_intermediate_size|expert_intermediate_size"), h = t->hidden;
    hwl_hb_linear(b, "router.proj", HWL_ROLE_ROUTER, n, h, false);
    hwl_hb_vec(b, "router.scale", HWL_ROLE_ROUTER, h);
    hwl_hb_vec(b, "router.per_expert_scale", HWL_ROLE_ROUTER, n);
    hwl_hb_dims3(b, "experts.gate_up_proj", HWL_ROLE_EXP_GATE_UP, n, hwl_hb_mul(b, d, 2), h);
    hwl_hb_dims3(b, "experts.down_proj", HWL_ROLE_EXP_DOWN, n, h, d);
    hwl_hb_norm(b, "post_feedforward_layernorm_1", HWL_ROLE_FFN_POST_NORM, h, false);
    hwl_hb_norm(b, "post_feedforward_layernorm_2", HWL_ROLE_FFN_POST_NORM, h, false);
    hwl_hb_norm(b, "pre_feedforward_layernorm_2", HWL_ROLE_FFN_NORM, h, false);
    if (n > UINT32_MAX || used > n) {
        hwl_cfg_bad(t->c, "top_k_experts", "%llu of %llu experts", (unsigned long long)used, (unsigned long long)n);
        return;
    }
    l->feed_forward = HWL_FFN_MOE;
    l->ffn.n_experts = (uint32_t)n;
    l->ffn.n_experts_used = (uint32_t)used;
    l->ffn.d_expert = d;
}

static void layer(struct hwl_hb *b, const struct text *t, uint64_t i)
{
    struct hwl_layer *const l = &b->m->layers[i];
    const uint64_t h = t->hidden, d_ff = t->wide && i >= t->first_shared ? hwl_hb_mul(b, t->d_ff, 2) : t->d_ff;
    const size_t mark = hwl_hb_push(b, "layers.%llu.", (unsigned long long)i);
    b->layer = (int32_t)i;
    attention(b, t, i);
    hwl_hf_mlp(b, "mlp.", h, d_ff, false);
    l->feed_forward = HWL_FFN_DENSE;
    l->ffn = (struct hwl_ffn){.d_ff = d_ff, .gated = true};
    hwl_hb_norm(b, "input_layernorm", HWL_ROLE_ATTN_NORM, h, false);
    hwl_hb_norm(b, "post_attention_layernorm", HWL_ROLE_ATTN_POST_NORM, h, false);
    hwl_hb_norm(b, "pre_feedforward_layernorm", HWL_ROLE_FFN_NORM, h, false);
    hwl_hb_norm(b, "post_feedforward_layernorm", HWL_ROLE_FFN_POST_NORM, h, false);
    hwl_hb_vec(b, "layer_scalar", HWL_ROLE_LAYER_SCALE, 1); /* learned, though the class holds it as a buffer */
    if (t->per_layer_input) {
        hwl_hb_linear(b, "per_layer_input_gate", HWL_ROLE_RESIDUAL, t->per_layer_input, h, false);
        hwl_hb_linear(b, "per_layer_projection", HWL_ROLE_RESIDUAL, h, t->per_layer_input, false);
        hwl_hb_norm(b, "post_per_layer_input_norm", HWL_ROLE_FFN_POST_NORM, h, false);
    }
    if (t->moe)
        experts(b, t, l);
    hwl_hb_pop(b, mark);
}

static void text_stack(struct hwl_hb *b, const struct hwl_config *root, const struct hwl_config *c, const char *prefix)
{
    struct text t = {.c = c, .per_layer = hwl_cfg_obj(c, "per_layer_config")};
    t.n = hwl_cfg_u64(c, "num_hidden_layers", 30);
    t.hidden = hwl_cfg_u64(c, "hidden_size", 2304);
    t.heads = hwl_cfg_u64(c, "num_attention_heads", 8);
    t.d_ff = hwl_cfg_u64(c, "intermediate_size", 9216);
    t.window = hwl_cfg_u64(c, "sliding_window", 512);
    t.per_layer_input = hwl_cfg_u64(c, "hidden_size_per_layer_input", 256);
    t.k_eq_v = hwl_cfg_bool(c, "attention_k_eq_v", false);
    t.moe = hwl_cfg_bool(c, "enable_moe_block", false);
    t.wide = hwl_cfg_bool(c, "use_double_wide_mlp", false);
    t.bias = hwl_cfg_bool(c, "attention_bias", false);
    t.causal = strcmp(hwl_cfg_str(c, "use_bidirectional_attention", ""), "all") != 0;
    if (!t.causal) /* the class halves it: as many tokens on either side */
        t.window = t.window / 2 + 1;
    const uint64_t shared = hwl_cfg_u64(c, "num_kv_shared_layers", 0), vocab = hwl_cfg_u64(c, "vocab_size", 262144);
    if (shared > t.n)
        hwl_cfg_bad(c, "num_kv_shared_layers", "more than the %llu layers", (unsigned long long)t.n);
    t.first_shared = shared > t.n ? 0 : t.n - shared;
    if (!hwl_hb_layers(b, t.n, 0, 0))
        return;
    b->m->hidden = t.hidden;
    b->m->vocab = vocab;
    b->m->context_train = hwl_cfg_u64(c, "max_position_embeddings", 131072);
    const size_t mark = hwl_hb_push(b, "%s", prefix);
    hwl_hb_mat(b, "embed_tokens.weight", HWL_ROLE_TOK_EMBD, vocab, t.hidden);
    for (uint64_t i = 0; i < t.n; i++)
        layer(b, &t, i);
    b->layer = -1;
    hwl_hb_norm(b, "norm", HWL_ROLE_OUTPUT_NORM, t.hidden, false);
    if (t.per_layer_input) {
        const uint64_t all = hwl_hb_mul(b, t.n, t.per_layer_input);
        hwl_hb_mat(b, "embed_tokens_per_layer.weight", HWL_ROLE_PER_LAYER_EMBD,
                   hwl_cfg_u64(c, "vocab_size_per_layer_input", 262144), all);
        hwl_hb_linear(b, "per_layer_model_projection", HWL_ROLE_EMBD_PROJ, all, t.hidden, false);
        hwl_hb_norm(b, "per_layer_projection_norm", HWL_ROLE_EMBD_NORM, t.per_layer_input, false);
    }
    hwl_hb_pop(b, mark);
    hwl_hf_head(b, "lm_head.weight", vocab, t.hidden, hwl_hf_tied(root, c, true));
}

/* A linear map of a tower; clipped ones store the bounds of their inputs and outputs. */
static void clippable(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t out, uint64_t in, bool clipped)
{
    static const char *const bound[] = {"input_min", "input_max", "output_min", "output_max"};
    const size_t mark = hwl_hb_push(b, "%s.", name);
    hwl_hb_linear(b, "linear", role, out, in, false);
    for (size_t i = 0; clipped && i < 4; i++)
        hwl_hb_buffer(b, bound[i], role, 1);
    hwl_hb_pop(b, mark);
}

static void vision(struct hwl_hb *b, const struct hwl_config *root, const struct hwl_config *c)
{
    static const char *const norm[] = {"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
                                       "post_feedforward_layernorm"};
    const enum hwl_role r = HWL_ROLE_VISION;
    const uint64_t h = hwl_cfg_u64(c, "hidden_size", 768), ff = hwl_cfg_u64(c, "intermediate_size", 3072);
    const uint64_t n = hwl_cfg_u64(c, "num_hidden_layers", 16), heads = hwl_cfg_u64(c, "num_attention_heads", 12);
    const uint64_t dim = hwl_cfg_u64(c, "head_dim", 64), patch = hwl_cfg_u64(c, "patch_size", 16);
    const uint64_t q = hwl_hb_mul(b, heads, dim), kv = hwl_hb_mul(b, hwl_cfg_u64(c, "num_key_value_heads", 12), dim);
    const bool clipped = hwl_cfg_bool(c, "use_clipped_linears", false);
    struct hwl_encoder *const e = hwl_hb_encoder(b, HWL_COMP_VISION, n, heads, h, ff);
    if (!e || n > HWL_HB_MAX_LAYERS)
        return;
    e->patch = patch;
    e->max_tokens = hwl_cfg_u64(root, "vision_soft_tokens_per_image", hwl_cfg_u64(c, "default_output_length", 0));
    b->component = HWL_COMP_VISION;
    const size_t mark = hwl_hb_push(b, "model.vision_tower.");
    hwl_hb_linear(b, "patch_embedder.input_proj", r, h, hwl_hb_mul(b, 3, hwl_hb_mul(b, patch, patch)), false);
    hwl_hb_dims3(b, "patch_embedder.position_embedding_table", r, 2,
                 hwl_cfg_u64(c, "position_embedding_size", 10240), h);
    for (uint64_t i = 0; i < n; i++) {
        const size_t inner = hwl_hb_push(b, "encoder.layers.%llu.", (unsigned long long)i);
        clippable(b, "self_attn.q_proj", r, q, h, clipped);
        clippable(b, "self_attn.k_proj", r, kv, h, clipped);
        clippable(b, "self_attn.v_proj", r, kv, h, clipped);
        clippable(b, "self_attn.o_proj", r, h, q, clipped);
        hwl_hb_norm(b, "self_attn.q_norm", r, dim, false);
        hwl_hb_norm(b, "self_attn.k_norm", r, dim, false);
        clippable(b, "mlp.gate_proj", r, ff, h, clipped);
        clippable(b, "mlp.up_proj", r, ff, h, clipped);
        clippable(b, "mlp.down_proj", r, h, ff, clipped);
        for (size_t k = 0; k < 4; k++)
            hwl_hb_norm(b, norm[k], r, h, false);
        hwl_hb_pop(b, inner);
    }
    if (hwl_cfg_bool(c, "standardize", false)) {
        hwl_hb_vec(b, "std_bias", r, h);
        hwl_hb_vec(b, "std_scale", r, h);
    }
    hwl_hb_pop(b, mark);
    b->component = -1;
    hwl_hb_linear(b, "model.embed_vision.embedding_projection", HWL_ROLE_PROJECTOR, b->m->hidden, h, false);
}

/* One conformer layer: two feed-forwards around attention and a short convolution. */
static void conformer(struct hwl_hb *b, uint64_t h, uint64_t head_dim, uint64_t kernel, bool clipped)
{
    static const char *const ff[] = {"feed_forward1.", "feed_forward2."};
    static const char *const proj[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.post"};
    static const char *const norm[] = {"lconv1d.pre_layer_norm", "lconv1d.conv_norm", "norm_pre_attn", "norm_post_attn",
                                       "norm_out"};
    const enum hwl_role r = HWL_ROLE_AUDIO;
    for (size_t k = 0; k < 2; k++) {
        const size_t mark = hwl_hb_push(b, "%s", ff[k]);
        clippable(b, "ffw_layer_1", r, hwl_hb_mul(b, h, 4), h, clipped);
        clippable(b, "ffw_layer_2", r, h, hwl_hb_mul(b, h, 4), clipped);
        hwl_hb_norm(b, "pre_layer_norm", r, h, false);
        hwl_hb_norm(b, "post_layer_norm", r, h, false);
        hwl_hb_pop(b, mark);
    }
    for (size_t k = 0; k < 4; k++)
        clippable(b, proj[k], r, h, h, clipped);
    hwl_hb_linear(b, "self_attn.relative_k_proj", r, h, h, false);
    hwl_hb_vec(b, "self_attn.per_dim_scale", r, head_dim);
    clippable(b, "lconv1d.linear_start", r, hwl_hb_mul(b, h, 2), h, clipped);
    clippable(b, "lconv1d.linear_end", r, h, h, clipped);
    hwl_hb_conv1d(b, "lconv1d.depthwise_conv1d", r, h, 1, kernel, false);
    for (size_t k = 0; k < 5; k++)
        hwl_hb_norm(b, norm[k], r, h, false);
}

static void audio(struct hwl_hb *b, const struct hwl_config *c)
{
    const enum hwl_role r = HWL_ROLE_AUDIO;
    const uint64_t h = hwl_cfg_u64(c, "hidden_size", 1024), n = hwl_cfg_u64(c, "num_hidden_layers", 12);
    const uint64_t heads = hwl_cfg_u64(c, "num_attention_heads", 8), out = hwl_cfg_u64(c, "output_proj_dims", 1536);
    const uint64_t c0 = hwl_cfg_at_u64(c, "subsampling_conv_channels", 0, 128);
    const uint64_t c1 = hwl_cfg_at_u64(c, "subsampling_conv_channels", 1, 32);
    const uint64_t kernel = hwl_cfg_u64(c, "conv_kernel_size", 5), dim = hwl_hb_div(b, "num_attention_heads", h, heads);
    const bool clipped = hwl_cfg_bool(c, "use_clipped_linears", true);
    if (!hwl_hb_encoder(b, HWL_COMP_AUDIO, n, heads, h, hwl_hb_mul(b, h, 4)) || n > HWL_HB_MAX_LAYERS)
        return;
    b->component = HWL_COMP_AUDIO;
    const size_t mark = hwl_hb_push(b, "model.audio_tower.");
    hwl_hb_conv2d(b, "subsample_conv_projection.layer0.conv", r, c0, 1, 3, false);
    hwl_hb_norm(b, "subsample_conv_projection.layer0.norm", r, c0, false);
    hwl_hb_conv2d(b, "subsample_conv_projection.layer1.conv", r, c1, c0, 3, false);
    hwl_hb_norm(b, "subsample_conv_projection.layer1.norm", r, c1, false);
    hwl_hb_linear(b, "subsample_conv_projection.input_proj_linear", r, h, hwl_hb_mul(b, c0 / 4, c1), false);
    for (uint64_t i = 0; i < n; i++) {
        const size_t inner = hwl_hb_push(b, "layers.%llu.", (unsigned long long)i);
        conformer(b, h, dim, kernel, clipped);
        hwl_hb_pop(b, inner);
    }
    hwl_hb_linear(b, "output_proj", r, out, h, true);
    hwl_hb_pop(b, mark);
    b->component = -1;
    hwl_hb_linear(b, "model.embed_audio.embedding_projection", HWL_ROLE_PROJECTOR, b->m->hidden, out, false);
}

void hwl_hf_gemma4(struct hwl_hb *b, const struct hwl_config *root)
{
    const struct hwl_config t = hwl_cfg_obj(root, "text_config"), v = hwl_cfg_obj(root, "vision_config");
    const struct hwl_config a = hwl_cfg_obj(root, "audio_config");
    if (!t.obj) {
        text_stack(b, root, root, "model.");
        return;
    }
    text_stack(b, root, &t, "model.language_model.");
    if (v.obj)
        vision(b, root, &v);
    if (a.obj)
        audio(b, &a);
}
