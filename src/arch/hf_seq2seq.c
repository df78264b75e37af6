/* SPDX-License-Identifier: Apache-2.0 */
/* Encoder-decoders: T5 and its kin, BART and its kin, Whisper. The decoder's layers come first, then the encoder's. Shapes:
 * transformers 5.24.0, models/{t5,mt5,umt5,bart,mbart,pegasus,marian,m2m_100,whisper}. */
#include "arch/hf.h"

#include <string.h>

struct side {
    uint64_t n, heads, ff;
};

static void fill(struct hwl_hb *b, uint64_t from, const struct side *s, uint64_t hidden, uint64_t head_dim, bool causal, bool gated)
{
    for (uint64_t i = from; i < from + s->n; i++) {
        hwl_hf_attn_fill(b, i, (struct hwl_attn_shape){hidden, s->heads, s->heads, head_dim}, 0);
        b->m->layers[i].attn.causal = causal;
        b->m->layers[i].feed_forward = HWL_FFN_DENSE;
        b->m->layers[i].ffn = (struct hwl_ffn){.d_ff = s->ff, .gated = gated};
    }
}

struct t5 {
    uint64_t hidden, inner, heads, ff, buckets;
    bool gated, all_bias; /* all_bias: each layer has its own position bias (UMT5) */
};

static void t5_attention(struct hwl_hb *b, const struct t5 *t, uint64_t i, unsigned at, bool cross)
{
    const size_t mark = hwl_hb_push(b, "block.%llu.layer.%u.", (unsigned long long)i, at);
    const size_t inner = hwl_hb_push(b, "%s", cross ? "EncDecAttention." : "SelfAttention.");
    hwl_hb_linear(b, "q", cross ? HWL_ROLE_CROSS_Q : HWL_ROLE_ATTN_Q, t->inner, t->hidden, false);
    hwl_hb_linear(b, "k", cross ? HWL_ROLE_CROSS_K : HWL_ROLE_ATTN_K, t->inner, t->hidden, false);
    hwl_hb_linear(b, "v", cross ? HWL_ROLE_CROSS_V : HWL_ROLE_ATTN_V, t->inner, t->hidden, false);
    hwl_hb_linear(b, "o", cross ? HWL_ROLE_CROSS_OUT : HWL_ROLE_ATTN_OUT, t->hidden, t->inner, false);
    if (!cross && (i == 0 || t->all_bias))
        hwl_hb_mat(b, "relative_attention_bias.weight", HWL_ROLE_ATTN_REL_BIAS, t->buckets, t->heads);
    hwl_hb_pop(b, inner);
    hwl_hb_norm(b, "layer_norm", cross ? HWL_ROLE_CROSS_NORM : HWL_ROLE_ATTN_NORM, t->hidden, false);
    hwl_hb_pop(b, mark);
}

static void t5_side(struct hwl_hb *b, const struct t5 *t, const char *name, uint64_t n, uint64_t first, bool decoder)
{
    const size_t mark = hwl_hb_push(b, "%s", name);
    for (uint64_t i = 0; i < n; i++) {
        b->layer = (int32_t)(first + i);
        t5_attention(b, t, i, 0, false);
        if (decoder)
            t5_attention(b, t, i, 1, true);
        const size_t inner = hwl_hb_push(b, "block.%llu.layer.%u.", (unsigned long long)i, decoder ? 2U : 1U);
        if (t->gated) {
            hwl_hb_linear(b, "DenseReluDense.wi_0", HWL_ROLE_FFN_GATE, t->ff, t->hidden, false);
            hwl_hb_linear(b, "DenseReluDense.wi_1", HWL_ROLE_FFN_UP, t->ff, t->hidden, false);
        } else {
            hwl_hb_linear(b, "DenseReluDense.wi", HWL_ROLE_FFN_UP, t->ff, t->hidden, false);
        }
        hwl_hb_linear(b, "DenseReluDense.wo", HWL_ROLE_FFN_DOWN, t->hidden, t->ff, false);
        hwl_hb_norm(b, "layer_norm", HWL_ROLE_FFN_NORM, t->hidden, false);
        hwl_hb_pop(b, inner);
    }
    b->layer = -1;
    hwl_hb_norm(b, "final_layer_norm", HWL_ROLE_OUTPUT_NORM, t->hidden, false);
    hwl_hb_pop(b, mark);
}

void hwl_hf_t5(struct hwl_hb *b, const struct hwl_config *c)
{
    const char *const type = hwl_cfg_str(c, "model_type", "t5"), *const class_name = hwl_cfg_at_str(c, "architectures", 0, "");
    const bool plain = strcmp(type, "t5") == 0, encoder_only = strstr(class_name, "EncoderModel") != NULL;
    struct t5 t = {.all_bias = strcmp(type, "umt5") == 0};
    t.hidden = hwl_cfg_u64(c, "d_model", 512);
    t.heads = hwl_cfg_u64(c, "num_heads", plain ? 8 : 6);
    const uint64_t d_kv = hwl_cfg_u64(c, "d_kv", 64);
    t.inner = hwl_hb_mul(b, t.heads, d_kv);
    t.ff = hwl_cfg_u64(c, "d_ff", plain ? 2048 : 1024);
    t.buckets = hwl_cfg_u64(c, "relative_attention_num_buckets", 32);
    t.gated = strncmp(hwl_cfg_str(c, "feed_forward_proj", plain ? "relu" : "gated-gelu"), "gated", 5) == 0;
    const uint64_t n_enc = hwl_cfg_u64(c, "num_layers", plain ? 6 : 8), n_dec = encoder_only ? 0 : hwl_cfg_u64(c, "num_decoder_layers", n_enc);
    const uint64_t vocab = hwl_cfg_u64(c, "vocab_size", plain ? 32128 : 250112);
    if (!hwl_hb_layers(b, n_dec, 0, n_enc))
        return;
    b->m->hidden = t.hidden;
    b->m->vocab = vocab;
    b->m->encoder_only = encoder_only;
    fill(b, 0, &(struct side){n_dec, t.heads, t.ff}, t.hidden, d_kv, true, t.gated);
    fill(b, n_dec, &(struct side){n_enc, t.heads, t.ff}, t.hidden, d_kv, false, t.gated);
    hwl_hb_mat(b, "shared.weight", HWL_ROLE_TOK_EMBD, vocab, t.hidden);
    hwl_hb_tied(b, "encoder.embed_tokens.weight", HWL_ROLE_TOK_EMBD, vocab, t.hidden);
    t5_side(b, &t, "encoder.", n_enc, n_dec, false);
    if (encoder_only)
        return;
    hwl_hb_tied(b, "decoder.embed_tokens.weight", HWL_ROLE_TOK_EMBD, vocab, t.hidden);
    t5_side(b, &t, "decoder.", n_dec, 0, true);
    if (strstr(class_name, "ForConditionalGeneration"))
        hwl_hf_head(b, "lm_head.weight", vocab, t.hidden, true); /* the class ties them whatever the file says */
}

struct bart {
    const char *types;
    uint64_t extra;       /* rows of the position table beyond max_position_embeddings */
    bool embd_norm, last_norm, sine, buffer, k_bias;
    uint64_t layers, ff;
};
static const struct bart barts[] = {
    {"bart", 2, true, false, false, true, true, 12, 4096},   {"mbart", 2, true, true, false, true, true, 12, 4096},
    {"pegasus", 0, false, true, false, true, true, 12, 4096}, {"marian", 0, false, false, false, true, true, 12, 4096},
    {"m2m_100", 0, false, true, true, false, true, 12, 4096}, {"whisper", 0, false, true, false, false, false, 4, 1536},
};

static void bart_attention(struct hwl_hb *b, const char *name, uint64_t h, bool k_bias, bool cross)
{
    const size_t mark = hwl_hb_push(b, "%s", name);
    hwl_hb_linear(b, ".k_proj", cross ? HWL_ROLE_CROSS_K : HWL_ROLE_ATTN_K, h, h, k_bias);
    hwl_hb_linear(b, ".v_proj", cross ? HWL_ROLE_CROSS_V : HWL_ROLE_ATTN_V, h, h, true);
    hwl_hb_linear(b, ".q_proj", cross ? HWL_ROLE_CROSS_Q : HWL_ROLE_ATTN_Q, h, h, true);
    hwl_hb_linear(b, ".out_proj", cross ? HWL_ROLE_CROSS_OUT : HWL_ROLE_ATTN_OUT, h, h, true);
    hwl_hb_norm(b, "_layer_norm", cross ? HWL_ROLE_CROSS_NORM : HWL_ROLE_ATTN_NORM, h, true);
    hwl_hb_pop(b, mark);
}

static void bart_layers(struct hwl_hb *b, const struct bart *kind, const struct side *s, uint64_t h, uint64_t first, bool decoder)
{
    for (uint64_t i = 0; i < s->n; i++) {
        const size_t mark = hwl_hb_push(b, "layers.%llu.", (unsigned long long)i);
        b->layer = (int32_t)(first + i);
        bart_attention(b, "self_attn", h, kind->k_bias, false);
        if (decoder)
            bart_attention(b, "encoder_attn", h, kind->k_bias, true);
        hwl_hb_linear(b, "fc1", HWL_ROLE_FFN_UP, s->ff, h, true);
        hwl_hb_linear(b, "fc2", HWL_ROLE_FFN_DOWN, h, s->ff, true);
        hwl_hb_norm(b, "final_layer_norm", HWL_ROLE_FFN_NORM, h, true);
        hwl_hb_pop(b, mark);
    }
    b->layer = -1;
    if (kind->embd_norm)
        hwl_hb_norm(b, "layernorm_embedding", HWL_ROLE_EMBD_NORM, h, true);
    if (kind->last_norm)
        hwl_hb_norm(b, "layer_norm", HWL_ROLE_OUTPUT_NORM, h, true);
}

static void read_bart(struct hwl_hb *b, const struct hwl_config *c, const struct bart *kind)
{
    const bool whisper = strcmp(kind->types, "whisper") == 0;
    const uint64_t h = hwl_cfg_u64(c, "d_model", whisper ? 384 : 1024), vocab = hwl_cfg_need(c, "vocab_size");
    const struct side enc = {hwl_cfg_u64(c, "encoder_layers", kind->layers), hwl_cfg_u64(c, "encoder_attention_heads", whisper ? 6 : 16),
                             hwl_cfg_u64(c, "encoder_ffn_dim", kind->ff)};
    const struct side dec = {hwl_cfg_u64(c, "decoder_layers", kind->layers), hwl_cfg_u64(c, "decoder_attention_heads", whisper ? 6 : 16),
                             hwl_cfg_u64(c, "decoder_ffn_dim", kind->ff)};
    const uint64_t positions = hwl_cfg_u64(c, whisper ? "max_target_positions" : "max_position_embeddings", whisper ? 448 : 1024);
    if (!hwl_hb_layers(b, dec.n, 0, enc.n))
        return;
    b->m->hidden = h;
    b->m->vocab = vocab;
    b->m->context_train = positions;
    fill(b, 0, &dec, h, hwl_hb_div(b, "decoder_attention_heads", h, dec.heads), true, false);
    fill(b, dec.n, &enc, h, hwl_hb_div(b, "encoder_attention_heads", h, enc.heads), false, false);
    size_t mark = hwl_hb_push(b, "model.");
    if (!whisper)
        hwl_hb_mat(b, "shared.weight", HWL_ROLE_TOK_EMBD, vocab, h);
    const size_t inner = hwl_hb_push(b, "encoder.");
    if (whisper) {
        hwl_hb_conv1d(b, "conv1", HWL_ROLE_AUDIO, h, hwl_cfg_u64(c, "num_mel_bins", 80), 3, true);
        hwl_hb_conv1d(b, "conv2", HWL_ROLE_AUDIO, h, h, 3, true);
        hwl_hb_mat(b, "embed_positions.weight", HWL_ROLE_POS_EMBD, hwl_cfg_u64(c, "max_source_positions", 1500), h);
    } else {
        hwl_hb_tied(b, "embed_tokens.weight", HWL_ROLE_TOK_EMBD, vocab, h);
        if (!kind->sine)
            hwl_hb_mat(b, "embed_positions.weight", HWL_ROLE_POS_EMBD, hwl_hb_add(b, positions, kind->extra), h);
    }
    bart_layers(b, kind, &enc, h, dec.n, false);
    hwl_hb_pop(b, inner);
    (void)hwl_hb_push(b, "decoder.");
    if (whisper)
        hwl_hb_mat(b, "embed_tokens.weight", HWL_ROLE_TOK_EMBD, vocab, h);
    else
        hwl_hb_tied(b, "embed_tokens.weight", HWL_ROLE_TOK_EMBD, vocab, h);
    if (!kind->sine)
        hwl_hb_mat(b, "embed_positions.weight", HWL_ROLE_POS_EMBD, hwl_hb_add(b, positions, kind->extra), h);
    bart_layers(b, kind, &dec, h, 0, true);
    hwl_hb_pop(b, mark);
    hwl_hf_head(b, whisper ? "proj_out.weight" : "lm_head.weight", vocab, h, hwl_cfg_bool(c, "tie_word_embeddings", true));
    if (kind->buffer)
        hwl_hb_buffer(b, "final_logits_bias", HWL_ROLE_OUTPUT, vocab);
}

void hwl_hf_bart(struct hwl_hb *b, const struct hwl_config *c)
{
    const char *const type = hwl_cfg_str(c, "model_type", "bart");
    const struct bart *kind = &barts[0];
    for (size_t i = 0; i < sizeof barts / sizeof *barts; i++)
        if (strcmp(barts[i].types, type) == 0)
            kind = &barts[i];
    read_bart(b, c, kind);
}
