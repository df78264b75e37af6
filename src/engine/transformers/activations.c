/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt in one forward pass holds at its widest point beside weights and cache. The tensors that live together
 * were read off passes of transformers 5.24 over the meta device, every storage counted (tools/transformers_truth.py,
 * tests/data/transformers). Each phase of a layer has its own sum; the largest is the peak. */
#include "engine/transformers/forms.h"
#include "engine/transformers/transformers.h"

struct pass {
    const struct hwl_model *m;
    const struct hwl_tf_form *form;
    struct hwl_tf_traits has;
    uint64_t length, sequences, tokens, dtype;
    bool eager, encodes; /* a layer of the encoder: nothing is cached */
    struct hwl_ck *ck;
};

static uint64_t of_tokens(const struct pass *p, uint64_t elements)
{
    return hwl_ck_mul3(p->ck, p->tokens, elements, p->dtype);
}

/* Learned positions are looked up once for all sequences, and stay. */
static uint64_t positions(const struct pass *p)
{
    return p->has.positions && !p->m->encoder_only && !p->encodes ? hwl_ck_mul3(p->ck, p->length, p->m->hidden, p->dtype) : 0;
}

/* Rows of hidden width in every phase: embeddings and the layer's input, with streams of the residual if it has them. */
static uint64_t outer_rows(const struct pass *p)
{
    const uint64_t scaled = p->form->scaled && p->m->n_encoders ? 1 : 0;
    return 1 + scaled + (p->has.streams ? p->has.streams + 1 : 1);
}

static uint64_t expert_elements(const struct pass *p, const struct hwl_ffn *f)
{
    struct hwl_ck *ck = p->ck;
    const uint64_t used = p->form->all_experts ? f->n_experts : f->n_experts_used;
    const uint64_t widths = 4 + (uint64_t)p->form->gate_widths + (p->has.expert_bias ? 2 : 0);
    const uint64_t row = p->has.routed_in ? p->has.routed_in : p->m->hidden;
    const bool single = p->form->fp32_router || (p->has.router_bias && !p->form->narrow_router);
    const uint64_t inside = hwl_ck_add(ck, hwl_ck_mul3(ck, used, f->d_expert, widths), hwl_ck_mul(ck, used, row));
    /* selected, computed, weighted, put back in order: one row each for every expert of a token */
    const uint64_t after = hwl_ck_mul3(ck, used, row, single ? 6 : 4);
    return hwl_ck_add(ck, hwl_max(inside, after), f->n_shared && !p->form->shared_last ? p->m->hidden : 0);
}

static uint64_t ffn_bytes(const struct pass *p, const struct hwl_layer *l)
{
    const struct hwl_ffn *f = &l->ffn;
    struct hwl_ck *ck = p->ck;
    /* the sum behind attention, and the normed copy */
    const uint64_t rows = outer_rows(p) + (p->form->residual_normed ? 0 : 1) + (p->has.ffn_norm ? 1 : 0) + (uint64_t)p->form->rows;
    const uint64_t halves = hwl_tf_ffn_halves(p->m, p->form, f->gated) + (f->gated && p->has.fused_gate_up ? 2 : 0);
    uint64_t n = hwl_ck_mul(ck, f->d_ff, halves) / 2;
    if (f->n_experts)
        n = hwl_max(n, expert_elements(p, f));
    return hwl_ck_add(ck, of_tokens(p, hwl_ck_add(ck, hwl_ck_mul(ck, p->m->hidden, rows), n)), positions(p));
}

/* Latent attention: keys and values expanded to heads, the query before and behind rotation, in elements of a token. */
static uint64_t latent_elements(const struct pass *p, const struct hwl_attention *a)
{
    struct hwl_ck *ck = p->ck;
    const uint64_t key = (uint64_t)a->qk_nope_dim + a->qk_rope_dim;
    const uint64_t head = 3 * key + a->qk_nope_dim + a->head_dim_v + a->qk_rope_dim + (p->has.attention_gate ? a->head_dim_v : 0);
    return hwl_ck_add(ck, hwl_ck_mul(ck, a->n_heads, head),
                      (uint64_t)a->kv_lora_rank + a->qk_rope_dim + (a->index_heads ? a->q_lora_rank : 0));
}

static uint64_t attention_elements(const struct pass *p, const struct hwl_attention *a, bool repeated)
{
    struct hwl_ck *ck = p->ck;
    const uint64_t q = (uint64_t)a->n_heads * a->head_dim_k;
    const uint64_t kv_heads = a->n_kv_heads ? a->n_kv_heads : a->n_heads;
    const uint64_t kv = kv_heads * ((uint64_t)a->head_dim_k + a->head_dim_v);
    if (a->kv_lora_rank && a->qk_nope_dim)
        return latent_elements(p, a);
    uint64_t n = p->form->fused_query ? 0 : q;
    if (p->has.fused_qkv || p->m->encoder_only || p->encodes) /* the projection stays; nothing is cached */
        n = hwl_ck_add(ck, n, p->has.fused_qkv ? q + kv : kv);
    if (a->output_gate)
        n = hwl_ck_add(ck, n, 2 * q);
    if (p->form->splits) { /* both projections and what is turned of them */
        const struct hwl_hints *h = &p->m->hints;
        const double given = h->rotary_dim && a->head_dim_k ? (double)h->rotary_dim / a->head_dim_k : h->rotary_part;
        const double turned = given > 0.0 && given < 1.0 ? given : 0.5;
        n = hwl_ck_add(ck, n, (uint64_t)((double)(q + kv_heads * a->head_dim_k) * (1.0 + turned)));
    }
    if (repeated && kv_heads < a->n_heads && kv_heads > 1)
        n = hwl_ck_add(ck, n, q + (uint64_t)a->n_heads * a->head_dim_v);
    return n;
}

/* Keys that a token may see: its own, and rows that stand for several of them. */
static uint64_t keys_of(const struct pass *p, const struct hwl_attention *a)
{
    return a->compress_ratio > 1 ? p->length + p->length / a->compress_ratio : p->length;
}

static uint64_t attention_weights(const struct pass *p, const struct hwl_attention *a)
{
    return hwl_ck_mul4(p->ck, p->tokens, keys_of(p, a), a->n_heads, p->dtype);
}

struct phases {
    uint64_t before, after; /* of the layer's own cache */
};

/* The scores stay until the output is there, and values are spread over the heads where one product takes several
 * sequences. */
static uint64_t output_bytes(const struct pass *p, const struct hwl_attention *a)
{
    struct hwl_ck *ck = p->ck;
    const uint64_t scores = hwl_ck_mul4(ck, p->tokens, keys_of(p, a), a->n_heads, p->form->half - (p->dtype == 4 ? 0 : p->dtype));
    const uint64_t head = hwl_ck_mul3(ck, a->n_heads, a->head_dim_v ? a->head_dim_v : a->head_dim_k, p->dtype);
    const uint64_t values = p->sequences > 1 ? hwl_ck_mul3(ck, p->sequences, keys_of(p, a), head) : 0;
    return hwl_ck_add(ck, scores, hwl_ck_add(ck, values, hwl_ck_mul(ck, p->tokens, head)));
}

/* Queries and keys turned in fp32, beside what was projected: bytes of an element of the one that is being turned and of
 * the other, first the query. */
static uint64_t turning_bytes(const struct pass *p, const struct hwl_attention *a)
{
    static const uint8_t widths[][4] = {
        [HWL_TF_TURNS_PRODUCTS] = {12, 0, 4, 12},
        [HWL_TF_TURNS_HALVES] = {14, 0, 4, 14},
        [HWL_TF_TURNS_WHOLE] = {16, 4, 8, 16},
        [HWL_TF_TURNS_WINDOWS] = {16, 4, 8, 16},
    };
    const uint64_t heads = a->n_kv_heads ? a->n_kv_heads : a->n_heads;
    const uint64_t q = (uint64_t)a->n_heads * a->head_dim_k, k = heads * a->head_dim_k;
    if (p->form->turns == HWL_TF_TURNS_NARROW || (p->form->turns == HWL_TF_TURNS_WINDOWS && !a->window))
        return 0;
    const uint8_t *w = widths[p->form->turns];
    const uint64_t single = hwl_max(w[0] * q + w[1] * k, w[2] * q + w[3] * k);
    return hwl_ck_mul(p->ck, p->tokens, single + p->dtype * (q + k + heads * a->head_dim_v));
}

static struct phases attention_bytes(const struct pass *p, const struct hwl_attention *a)
{
    struct hwl_ck *ck = p->ck;
    const uint64_t rows = hwl_ck_mul(ck, p->m->hidden, outer_rows(p) + (p->has.streams ? 1 : 0) + (p->has.attention_norm ? 1 : 0));
    const uint64_t fixed = hwl_ck_add(ck, of_tokens(p, rows), positions(p));
    const uint64_t q = (uint64_t)a->n_heads * a->head_dim_k;
    const uint64_t cell = p->dtype == 4 ? p->form->single : p->form->half;
    const uint64_t held = of_tokens(p, attention_elements(p, a, p->eager || a->window));
    uint64_t inside = of_tokens(p, (uint64_t)a->n_heads * a->head_dim_v);
    if (p->eager)
        inside = hwl_ck_mul4(ck, p->tokens, keys_of(p, a), a->n_heads, cell);
    if (p->form->head_mask)
        inside = hwl_ck_add(ck, inside, attention_weights(p, a));
    if (p->eager && p->form->keeps_scores)
        inside = hwl_max(inside, output_bytes(p, a));
    uint64_t bytes = hwl_ck_add(ck, held, inside), query = 0;
    if (p->has.query_norm) /* the query, its fp32 copy and the product */
        query = hwl_ck_mul3(ck, p->tokens, q * (a->output_gate ? 2 : 1), p->dtype + 8);
    query = hwl_max(query, turning_bytes(p, a));
    if (a->index_heads) { /* fp32 scores of the indexer, twice; its query before and behind rotation */
        uint64_t index = hwl_ck_mul4(ck, p->tokens, p->length, a->index_heads, 8);
        if (p->form->spread_index && p->sequences > 1)
            index = hwl_ck_mul4(ck, p->tokens, p->length, (uint64_t)a->index_heads + a->index_head_dim, 4);
        const uint64_t turned = of_tokens(p, hwl_ck_mul(ck, a->index_heads, 2 * (uint64_t)a->index_head_dim + a->qk_rope_dim));
        const uint64_t chosen = hwl_ck_mul3(ck, p->tokens, hwl_min(p->length, a->index_topk), 4);
        bytes = hwl_ck_add(ck, bytes, p->eager ? hwl_ck_mul(ck, chosen, 2) : chosen);
        bytes = hwl_max(bytes, hwl_ck_add(ck, held, hwl_ck_add(ck, index, turned)));
    }
    return (struct phases){hwl_ck_add(ck, fixed, query), hwl_ck_add(ck, fixed, bytes)};
}

/* Keys and values of a layer as its cache holds them: all of the prompt's while it runs (a window layer keeps a view of
 * them), the window's when it is done. */
static uint64_t cached(const struct pass *p, const struct hwl_layer *l, bool done)
{
    const uint64_t window = l->attn.window;
    const uint64_t tokens = done && window && p->length >= window ? window - 1 : p->length;
    return p->m->encoder_only ? 0 : hwl_ck_mul4(p->ck, hwl_layer_kv_elements(l), tokens, p->sequences, p->dtype);
}

static uint64_t larger(uint64_t peak, uint64_t bytes, uint64_t less)
{
    return bytes > less ? hwl_max(peak, bytes - less) : peak;
}

/* The encoder of an encoder-decoder runs first, before any cache: its widest layer. Its output stays, and each layer of
 * the decoder makes keys and values of it beside those that it caches. */
static uint64_t with_encoder(const struct pass *decoder, uint64_t decoding, uint64_t done)
{
    const struct hwl_model *m = decoder->m;
    struct pass p = *decoder;
    uint64_t peak = 0, kept = done, widest = 0;
    p.encodes = true;
    p.length = hwl_tf_encoder_tokens(m, decoder->length);
    p.tokens = hwl_ck_mul(p.ck, p.length, p.sequences);
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const uint64_t crossed = of_tokens(&p, hwl_layer_kv_elements(&m->layers[i]));
        kept = hwl_ck_add(p.ck, kept, crossed);
        widest = hwl_max(widest, crossed);
    }
    for (uint32_t i = 0; i < m->n_encoder; i++) {
        const struct hwl_layer *l = &m->layers[m->n_layers + m->n_mtp + i];
        const uint64_t weights = p.eager && p.form->keeps_weights ? attention_weights(&p, &l->attn) : 0;
        peak = larger(peak, attention_bytes(&p, &l->attn).after, kept);
        peak = larger(peak, hwl_ck_add(p.ck, weights, ffn_bytes(&p, l)), kept);
    }
    return hwl_max(peak, hwl_ck_add(p.ck, of_tokens(&p, m->hidden), hwl_max(decoding, widest)));
}

uint64_t hwl_tf_activation(const struct hwl_model *model, uint64_t length, uint64_t sequences, uint64_t dtype_bytes,
                           bool eager, struct hwl_ck *ck)
{
    const struct pass p = {.m = model,
                           .form = hwl_tf_form_of(model),
                           .has = hwl_tf_traits_of(model),
                           .length = length,
                           .sequences = sequences,
                           .tokens = hwl_ck_mul(ck, length, sequences),
                           .dtype = dtype_bytes,
                           .eager = eager,
                           .ck = ck};
    uint64_t peak = 0, rotary = 0, now = 0, done = 0;
    bool full = false, window = false;
    for (uint32_t i = 0; i < model->n_layers; i++)
        done = hwl_ck_add(ck, done, cached(&p, &model->layers[i], true));
    for (uint32_t i = 0; i < model->n_layers; i++) { /* what the caches will hold is counted apart */
        const struct hwl_layer *l = &model->layers[i];
        const struct hwl_attention *a = &l->attn;
        const bool attends = a->n_heads && l->mixer != HWL_MIXER_LINEAR;
        const uint64_t own = cached(&p, l, false);
        const uint64_t states = hwl_tf_recurrent(l, model, &p.has, length, sequences, dtype_bytes, ck);
        const uint64_t first = p.form->attends_first && attends ? hwl_ck_add(ck, own, of_tokens(&p, 2 * model->hidden)) : 0;
        peak = larger(peak, hwl_ck_add(ck, hwl_ck_add(ck, now, first), states), done);
        if (attends) {
            const struct phases phase = attention_bytes(&p, a);
            peak = larger(peak, hwl_ck_add(ck, now, phase.before), done);
            peak = larger(peak, hwl_ck_add(ck, hwl_ck_add(ck, now, own), phase.after), done);
            full = full || !a->window;
            window = window || (a->window && (eager || a->window < length));
            rotary = hwl_max(rotary, a->qk_rope_dim ? a->qk_rope_dim : a->head_dim_k);
        }
        now = hwl_ck_add(ck, now, own);
        /* the decoder layer holds the attention's weights to its end */
        const uint64_t kept = eager && attends ? attention_weights(&p, a) : 0;
        peak = larger(peak, hwl_ck_add(ck, now, hwl_ck_add(ck, kept, ffn_bytes(&p, l))), done);
    }
    if (model->n_encoder)
        peak = with_encoder(&p, peak, done);
    const double part = model->hints.rotary_part;
    if (part > 0.0 && part < 1.0)
        rotary = (uint64_t)((double)rotary * part);
    const uint64_t cells = hwl_ck_mul(ck, p.tokens, length);
    /* masks: in the model's type for eager attention, bits in bytes for windows of SDPA */
    const uint64_t masks = eager ? hwl_ck_mul3(ck, cells, (uint64_t)full + window, dtype_bytes) : window ? cells : 0;
    const uint64_t angles = hwl_ck_mul(ck, length, hwl_ck_add(ck, 2 * hwl_ck_mul(ck, rotary, dtype_bytes), 8));
    return hwl_ck_add(ck, peak, hwl_ck_add(ck, p.m->encoder_only ? 0 : masks, p.m->encoder_only || p.has.positions ? 0 : angles));
}
