/* SPDX-License-Identifier: Apache-2.0 */
/* RWKV-5 (Eagle). Shapes: the published modeling code (modeling_rwkv5.py, RWKV/rwkv-5-world-*); the total of the
 * 1.5B checkpoint agrees. State of a sequence: the last token of both halves of a layer, and a head_size square for each head. */
#include "arch/hf.h"

static void time_mix(struct hwl_hb *b, uint64_t h, uint64_t wide, uint64_t heads, uint64_t size)
{
    static const char *const mixes[] = {"time_mix_key", "time_mix_value", "time_mix_receptance", "time_mix_gate"};
    static const char *const maps[] = {"key", "value", "receptance", "gate"};
    const size_t mark = hwl_hb_push(b, "attention.");
    hwl_hb_mat(b, "time_decay", HWL_ROLE_TIME_MIX, heads, size);
    hwl_hb_mat(b, "time_faaaa", HWL_ROLE_TIME_MIX, heads, size);
    for (size_t i = 0; i < 4; i++)
        hwl_hb_dims3(b, mixes[i], HWL_ROLE_TIME_MIX, 1, 1, h);
    for (size_t i = 0; i < 4; i++)
        hwl_hb_linear(b, maps[i], HWL_ROLE_TIME_MIX, wide, h, false);
    hwl_hb_linear(b, "output", HWL_ROLE_TIME_MIX, h, wide, false);
    hwl_hb_norm(b, "ln_x", HWL_ROLE_TIME_MIX, wide, true);
    hwl_hb_pop(b, mark);
}

static void channel_mix(struct hwl_hb *b, uint64_t h, uint64_t ff)
{
    const size_t mark = hwl_hb_push(b, "feed_forward.");
    hwl_hb_dims3(b, "time_mix_key", HWL_ROLE_CHANNEL_MIX, 1, 1, h);
    hwl_hb_dims3(b, "time_mix_receptance", HWL_ROLE_CHANNEL_MIX, 1, 1, h);
    hwl_hb_linear(b, "key", HWL_ROLE_CHANNEL_MIX, ff, h, false);
    hwl_hb_linear(b, "receptance", HWL_ROLE_CHANNEL_MIX, h, h, false);
    hwl_hb_linear(b, "value", HWL_ROLE_CHANNEL_MIX, h, ff, false);
    hwl_hb_pop(b, mark);
}

void hwl_hf_rwkv5(struct hwl_hb *b, const struct hwl_config *root)
{
    const uint64_t h = hwl_cfg_need(root, "hidden_size"), n = hwl_cfg_need(root, "num_hidden_layers");
    const uint64_t vocab = hwl_cfg_u64(root, "vocab_size", 65536);
    const uint64_t wide = hwl_cfg_u64(root, "attention_hidden_size", h);
    const uint64_t size = hwl_cfg_u64(root, "head_size|num_attention_heads", 64);
    /* 3.5 times the width, down to a multiple of 32 */
    const uint64_t ff = hwl_cfg_u64(root, "intermediate_size", hwl_hb_mul(b, h, 7) / 64 * 32);
    const uint64_t heads = hwl_hb_div(b, "head_size", wide, size);
    if (!hwl_hb_layers(b, n, 0, 0))
        return;
    b->m->hidden = h;
    b->m->vocab = vocab;
    b->m->context_train = hwl_cfg_u64(root, "context_length|max_position_embeddings", 4096);
    hwl_hb_mat(b, "rwkv.embeddings.weight", HWL_ROLE_TOK_EMBD, vocab, h);
    for (uint64_t i = 0; i < n; i++) {
        struct hwl_layer *const l = &b->m->layers[i];
        const size_t mark = hwl_hb_push(b, "rwkv.blocks.%llu.", (unsigned long long)i);
        b->layer = (int32_t)i;
        if (i == 0)
            hwl_hb_norm(b, "pre_ln", HWL_ROLE_EMBD_NORM, h, true);
        hwl_hb_norm(b, "ln1", HWL_ROLE_ATTN_NORM, h, true);
        hwl_hb_norm(b, "ln2", HWL_ROLE_FFN_NORM, h, true);
        time_mix(b, h, wide, heads, size);
        channel_mix(b, h, ff);
        hwl_hb_pop(b, mark);
        l->mixer = HWL_MIXER_RWKV;
        l->feed_forward = HWL_FFN_DENSE;
        l->ffn.d_ff = ff;
        l->state = (struct hwl_state){.d_inner = wide, .d_state = size, .n_heads = (uint32_t)hwl_min(heads, UINT32_MAX),
                                      .n_k_heads = (uint32_t)hwl_min(heads, UINT32_MAX), .head_dim = (uint32_t)hwl_min(size, UINT32_MAX)};
        l->state.shift_dim = hwl_hb_mul(b, h, 2);
        l->state.ssm_elems = hwl_hb_mul(b, wide, size);
    }
    b->layer = -1;
    hwl_hb_norm(b, "rwkv.ln_out", HWL_ROLE_OUTPUT_NORM, h, true);
    hwl_hf_head(b, "head.weight", vocab, h, hwl_cfg_bool(root, "tie_word_embeddings", false));
}
