/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt in one forward pass holds at its widest point beside weights and cache. The tensors that live together
 * were read off passes of transformers 5.24 over the meta device, every storage counted (tests/data/transformers). */
#include "engine/transformers/transformers.h"

#include "base/str.h"

#include <string.h>

/* Router weights that stay in fp32, so that what they weigh is fp32 too. */
static const char fp32_router[] = "deepseek_v2 deepseek_v3 deepseek_v32 glm_moe_dsa glm4_moe kimi_k2 minimax_m2";
/* Feed-forward parts of two matrices: widths and rows beside the four that are common. */
static const struct {
    const char *archs;
    uint8_t widths, rows;
} plain_ffn[] = {{"gpt2 bloom", 4, 2}, {"gpt_bigcode", 2, 2}}; /* the GELU of the first is several operations */

/* Attention written out: bytes of a score in the model's type of 16 bits, and in fp32. Most keep the scores, their fp32
 * copy and its softmax; some have the softmax in the model's type. */
static const struct {
    const char *archs;
    uint8_t half, single;
} scores[] = {{"gpt2 bert roberta xlm-roberta distilbert", 4, 8}, {"gpt_oss", 6, 12}, {"bloom", 14, 16}};
#define SCORE_HALF 10
#define SCORE_SINGLE 8

static uint64_t score_bytes(const struct hwl_model *m, uint64_t dtype_bytes)
{
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++)
        if (hwl_words_have(scores[i].archs, m->arch))
            return dtype_bytes == 4 ? scores[i].single : scores[i].half;
    return dtype_bytes == 4 ? SCORE_SINGLE : SCORE_HALF;
}

static bool fused_gate_up(const struct hwl_model *m)
{
    for (uint64_t i = 0; i < m->n_tensors; i++)
        if (m->tensors[i].role == HWL_ROLE_FFN_GATE_UP && m->tensors[i].layer >= 0)
            return true;
    return false;
}

/* Elements a token. Residual, input, normed copy and one more row of hidden width live beside the feed-forward part. */
static uint64_t ffn_elements(const struct hwl_model *m, const struct hwl_layer *l, bool fused, struct hwl_ck *ck)
{
    const struct hwl_ffn *f = &l->ffn;
    const uint64_t rows = hwl_ck_mul(ck, m->hidden, 4);
    uint64_t n = hwl_ck_mul(ck, f->d_ff, f->gated ? (fused ? 4 : 3) : 2);
    for (size_t i = 0; i < sizeof plain_ffn / sizeof *plain_ffn; i++)
        if (!f->gated && hwl_words_have(plain_ffn[i].archs, m->arch))
            n = hwl_ck_add(ck, hwl_ck_mul(ck, f->d_ff, plain_ffn[i].widths), hwl_ck_mul(ck, m->hidden, plain_ffn[i].rows));
    if (f->n_experts) {
        const uint64_t used = f->n_experts_used;
        const uint64_t inside = hwl_ck_add(ck, hwl_ck_mul3(ck, used, f->d_expert, 4), hwl_ck_mul(ck, used, m->hidden));
        /* selected, computed, weighted, put back in order: one row each for every expert of a token */
        const uint64_t after = hwl_ck_mul3(ck, used, m->hidden, hwl_words_have(fp32_router, m->arch) ? 6 : 4);
        n = hwl_max(n, hwl_ck_add(ck, hwl_max(inside, after), f->n_shared ? m->hidden : 0));
    }
    return hwl_ck_add(ck, rows, n);
}

static uint64_t attention_elements(const struct hwl_model *m, const struct hwl_layer *l, struct hwl_ck *ck)
{
    const struct hwl_attention *a = &l->attn;
    const uint64_t q = (uint64_t)a->n_heads * a->head_dim_k;
    return hwl_ck_add(ck, hwl_ck_mul(ck, m->hidden, 3), hwl_ck_mul(ck, q, 3));
}

uint64_t hwl_tf_activation(const struct hwl_model *model, uint64_t length, uint64_t sequences, uint64_t dtype_bytes,
                           bool eager, struct hwl_ck *ck)
{
    const uint64_t tokens = hwl_ck_mul(ck, length, sequences);
    const bool fused = fused_gate_up(model);
    uint64_t peak = 0, rotary = 0;
    bool full = false, window = false;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        const struct hwl_layer *l = &model->layers[i];
        const struct hwl_attention *a = &l->attn;
        /* the decoder layer holds the attention's weights to its end */
        const uint64_t kept = eager ? hwl_ck_mul4(ck, tokens, length, a->n_heads, dtype_bytes) : 0;
        peak = hwl_max(peak, hwl_ck_add(ck, kept, hwl_ck_mul3(ck, tokens, ffn_elements(model, l, fused, ck), dtype_bytes)));
        if (!a->n_heads)
            continue;
        full = full || !a->window;
        window = window || a->window;
        rotary = hwl_max(rotary, a->qk_rope_dim ? a->qk_rope_dim : a->head_dim_k);
        uint64_t bytes = hwl_ck_mul3(ck, tokens, attention_elements(model, l, ck), dtype_bytes);
        if (eager) /* scores, their fp32 copy and its softmax */
            bytes = hwl_ck_add(ck, bytes,
                               hwl_ck_mul4(ck, tokens, length, a->n_heads, score_bytes(model, dtype_bytes)));
        peak = hwl_max(peak, bytes);
    }
    const double part = model->hints.rotary_part;
    if (part > 0.0 && part < 1.0)
        rotary = (uint64_t)((double)rotary * part);
    const uint64_t cells = hwl_ck_mul(ck, tokens, length);
    /* masks: in the model's type for eager attention, bits in bytes for windows of SDPA */
    const uint64_t masks = eager ? hwl_ck_mul3(ck, cells, (uint64_t)full + window, dtype_bytes) : window ? cells : 0;
    const uint64_t angles = hwl_ck_mul(ck, length, hwl_ck_add(ck, 2 * hwl_ck_mul(ck, rotary, dtype_bytes), 8));
    return hwl_ck_add(ck, peak, hwl_ck_add(ck, masks, angles));
}
