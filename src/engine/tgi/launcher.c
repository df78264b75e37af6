/* SPDX-License-Identifier: Apache-2.0 */
/* The launcher's default of max_batch_prefill_tokens: what the card computes in the time that one step of the weights
 * takes, no more than the model's context and than the card's memory holds (launcher/src/main.rs). It reads the keys of
 * config.json's root, so a model of several parts mostly has the plain default. */
#include "engine/tgi/tgi.h"

#include "base/bytes.h"
#include "base/str.h"

#include <string.h>

#define PLAIN 4096
#define ROOM 0.95f /* TGI_WIGGLE_ROOM of the launcher, an f32 */

/* 16-bit operations a second of the cards that it knows, tera, by the driver's names; it knows no others, the RTX 4090
 * and the T4 among them, whose names it spells differently. */
static const struct {
    const char *name;
    uint16_t tera;
} cards[] = {
    {"NVIDIA H200", 989},          {"NVIDIA H100 80GB HBM3", 900}, {"NVIDIA H100 NVL", 900},       {"NVIDIA H100", 900},
    {"NVIDIA A100-SXM4-80GB", 312}, {"NVIDIA A100-SXM4-40GB", 312}, {"NVIDIA A100 80GB PCIe", 312}, {"NVIDIA L40S", 363},
    {"NVIDIA L40", 181},           {"NVIDIA A40", 149},            {"NVIDIA A10G", 125},           {"NVIDIA L4", 121},
};

static uint64_t flops(const hwl_device *card)
{
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++)
        if (hwl_text_eq_nocase(card->name, cards[i].name))
            return cards[i].tera * (uint64_t)1000000000000;
    return 0;
}

struct shape {
    uint64_t heads, kv_heads, head, hidden, width, layers, experts, used, shared, vocab;
    bool known;
};

/* The keys of a plain configuration, under the names that it has for them. */
static struct shape shape_of(const struct hwl_model *m)
{
    struct shape s = {0};
    const struct hwl_layer *l = m->n_layers ? &m->layers[0] : NULL;
    for (uint32_t i = 0; i < m->n_layers; i++)
        if (m->layers[i].feed_forward == HWL_FFN_MOE)
            l = &m->layers[i];
    if (!l || !l->attn.n_heads || m->n_encoders || m->is_gguf)
        return s;
    /* num_local_experts is Mixtral's word; elsewhere it sees one expert of intermediate_size */
    const bool local = l->ffn.n_experts && hwl_words_have("mixtral phimoe gpt_oss", m->arch);
    s = (struct shape){l->attn.n_heads, l->attn.n_kv_heads, m->layers[0].attn.head_dim_k, m->hidden,
                       local ? l->ffn.d_expert : m->layers[0].ffn.d_ff, m->n_layers,
                       local ? l->ffn.n_experts : 1, l->ffn.n_experts ? l->ffn.n_experts_used : 1, l->ffn.n_shared, m->vocab, true};
    s.known = s.heads && s.kv_heads && s.head && s.hidden && s.width && !l->attn.kv_lora_rank;
    return s;
}

uint64_t hwl_tgi_default_prefill(const struct hwl_model *model, const struct hwl_tgi_setup *setup)
{
    const struct hwl_tgi_rules *r = setup->rules;
    const uint64_t context = model->context_train ? model->context_train : PLAIN;
    if (r->plain_lengths)
        return PLAIN;
    if (r->fixed_total) /* and some room for blocks that are not full */
        return hwl_min(context, PLAIN) - 1 + 50;
    if (!r->optimal_prefill)
        return hwl_min(context, PLAIN);
    struct hwl_ck ck = {0};
    const struct shape s = shape_of(model);
    uint64_t tokens = PLAIN;
    if (r->vl_prefill && hwl_words_have("qwen2_vl qwen2_5_vl", model->arch))
        tokens = 10000;
    if (r->vl_prefill && strcmp(model->arch, "gemma3") == 0)
        tokens = 8000;
    const uint64_t card = flops(setup->card);
    if (s.known && card) {
        const uint64_t q = hwl_ck_mul4(&ck, 2 * s.heads, s.head, s.hidden, 3), kv = hwl_ck_mul4(&ck, 2 * s.kv_heads, s.head, s.hidden, 2);
        const uint64_t mlp = hwl_ck_mul4(&ck, 6, s.hidden, s.width, s.used + s.shared);
        const uint64_t each = hwl_ck_mul(&ck, hwl_ck_add(&ck, hwl_ck_add(&ck, q, kv), mlp), s.layers);
        const uint64_t best = each && !ck.overflow ? card * setup->tp / each : 0;
        tokens = best > 100 ? best : tokens;
    }
    tokens = hwl_min(tokens, context);
    if (s.known && !*model->quant.method) { /* its own count of weights, cache and the experts' buffers */
        const uint64_t total = setup->card->memory_bytes;
        const float room = (float)(total / (1 << 20) * (1 << 20) * setup->tp) * (float)setup->fraction * ROOM;
        const uint64_t attention = (s.heads + 2 * s.kv_heads) * s.head + hwl_ck_mul3(&ck, s.heads, s.head, s.hidden);
        const uint64_t layer = hwl_ck_add(&ck, attention, hwl_ck_mul4(&ck, 3, s.width, s.experts, s.hidden));
        const uint64_t weights = 2 * hwl_ck_add(&ck, hwl_ck_mul(&ck, layer, s.layers), hwl_ck_mul3(&ck, 2, s.hidden, s.vocab));
        const uint64_t token = hwl_ck_add(&ck, hwl_ck_mul4(&ck, s.kv_heads * 2, s.head, 2, s.layers),
                                          hwl_ck_mul3(&ck, s.width + s.width / 2, s.experts, 6));
        if (total != HWL_UNKNOWN && !ck.overflow && token && (uint64_t)room >= weights)
            tokens = hwl_min(tokens, ((uint64_t)room - weights) / token);
    }
    return hwl_max(tokens, 1);
}
