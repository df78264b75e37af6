/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of a block: what the attention backend of the card reads, and what recurrent states beside it force.
 * After vllm/platforms/cuda.py (_get_backend_priorities), vllm/v1/attention/backends and vllm/platforms/interface.py
 * (update_block_size_for_backend, _align_hybrid_block_size); 0.19.0: models/config.py HybridAttentionMambaModelConfig.
 */
#include "engine/vllm/vllm.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <string.h>

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

static uint64_t lcm(uint64_t a, uint64_t b)
{
    return a / gcd(a, b) * b;
}

/* A backend for a latent cache: in the order in which vLLM tries them. */
struct latent_backend {
    const char *name;
    uint8_t major;  /* compute capability; 0 any */
    bool quantised; /* reads an fp8 cache */
    bool sparse;
    uint16_t block; /* smallest kernel block */
    bool multiple;  /* of any multiple of block that is asked for; else block itself must divide */
};
static const struct latent_backend latent_backends[] = {
    {"FLASH_ATTN_MLA", 9, false, false, 16, true},       {"FLASHMLA", 9, true, false, 64, false},
    {"FLASHINFER_MLA", 10, true, false, 32, false},      {"FLASHINFER_MLA", 10, true, false, 64, false},
    {"CUTLASS_MLA", 10, true, false, 128, false},        {"TRITON_MLA", 0, true, false, 16, true},
    {"FLASH_ATTN_MLA_SPARSE", 9, false, true, 64, true}, {"FLASHMLA_SPARSE", 9, true, true, 64, true},
    {"FLASHINFER_MLA_SPARSE", 10, true, true, 64, true}, {"FLASHINFER_MLA_SPARSE_SM120", 12, true, true, 64, true},
};

/* Until 0.17 the platform sets the block size of latent attention before any backend is asked, --block-size or not
 * (platforms/cuda.py check_and_update_config). First match; no match: as asked for. */
static const struct forced_block {
    uint8_t since, until; /* hwl_vllm_rules.forced_blocks */
    uint16_t cc_first, cc_last;
    bool sparse, wide; /* wide: heads of 128 beside the rotated part, which FlashInfer reads */
    uint16_t block, also;
    bool multiple; /* any multiple will do */
} forced_blocks[] = {
    {1, 9, 0, 999, true, false, 64, 0, false},
    {1, 2, 90, 90, false, false, 64, 0, false},    /* FlashMLA */
    {3, 9, 90, 90, false, false, 64, 0, true},
    {2, 2, 100, 100, false, false, 128, 0, false}, /* CUTLASS MLA */
    {3, 3, 100, 100, false, false, 128, 0, true},
    {4, 4, 100, 109, false, false, 128, 0, true},
    {5, 9, 100, 109, false, true, 64, 32, true},   /* FlashInfer MLA */
    {5, 9, 100, 109, false, false, 128, 0, true},
};

static void force_block(const struct hwl_model *m, struct hwl_vllm_setup *u)
{
    bool wide = true;
    for (uint32_t i = 0; i < m->n_layers; i++)
        wide = wide && (!m->layers[i].attn.kv_lora_rank || m->layers[i].attn.qk_nope_dim == 128);
    for (size_t i = 0; i < sizeof forced_blocks / sizeof *forced_blocks; i++) {
        const struct forced_block *f = &forced_blocks[i];
        if (u->rules->forced_blocks < f->since || u->rules->forced_blocks > f->until || u->cc < f->cc_first || u->cc > f->cc_last ||
            f->sparse != u->sparse || (f->wide && !wide))
            continue;
        if (u->block != f->block && u->block != f->also && !(f->multiple && u->block % f->block == 0))
            u->block = f->block;
        return;
    }
}

static hwl_status latent_block(const struct hwl_model *m, struct hwl_vllm_setup *u, uint64_t *kernel, hwl_error *error)
{
    if (u->rules->forced_blocks) {
        force_block(m, u);
        return HWL_OK;
    }
    for (size_t i = 0; i < sizeof latent_backends / sizeof *latent_backends; i++) {
        const struct latent_backend *b = &latent_backends[i];
        if (b->sparse != u->sparse || (b->major && b->major != u->cc / 10) || (u->kv->quantised && !b->quantised))
            continue;
        if (u->block_given && u->block % b->block)
            continue;
        if (*u->backend && !hwl_text_eq_nocase(u->backend, b->name))
            continue;
        if (u->kv->quantised && strcmp(b->name, "TRITON_MLA") == 0 && u->cc < 89)
            return hwl_fail(error, HWL_E_REFUSED,
                            "vllm refuses: an fp8 cache needs compute capability 8.9 with the Triton MLA backend");
        *kernel = b->block;
        if (!u->block_given)
            u->block = u->block % b->block == 0 ? u->block : b->block;
        return HWL_OK;
    }
    if (u->sparse)
        return hwl_fail(
            error, HWL_E_REFUSED,
            u->block_given && u->cc >= 90
                ? "vllm refuses: block size %llu is no multiple of 64, which sparse attention reads"
                : "vllm refuses: no attention backend for sparse latent attention on this card (block %llu)",
            (unsigned long long)u->block);
    return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: no attention backend reads blocks of %llu tokens",
                    (unsigned long long)u->block);
}

/* Attention over heads: every backend reads blocks of 16; what differs is who can read an fp8 cache. */
static hwl_status head_block(const struct hwl_model *m, struct hwl_vllm_setup *u, uint64_t *kernel, hwl_error *error)
{
    *kernel = 16;
    uint64_t largest = 0;
    bool flashinfer = true, sinks = false, wide = true;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_attention *a = &m->layers[i].attn;
        if (!a->n_heads)
            continue;
        largest = hwl_max(largest, a->head_dim_k);
        sinks = sinks || a->sinks;
        wide = wide && (a->head_dim_k == 256 || a->head_dim_k == 512);
        flashinfer =
            flashinfer && (a->head_dim_k == 64 || a->head_dim_k == 128 || a->head_dim_k == 256 || a->head_dim_k == 512);
    }
    if (u->block % 16)
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: no attention backend reads blocks of %llu tokens",
                        (unsigned long long)u->block);
    /* triton_flashinfer.py: heads of 256 and 512, in blocks of 64 tokens */
    if (u->rules->composite && u->cc / 10 == 10 && u->multimodal && m->hints.image_prefix && wide && !*u->backend &&
        (!u->block_given || u->block % 64 == 0)) {
        *kernel = 64;
        u->block = u->block_given ? u->block : 64;
    }
    if (!u->kv->quantised)
        return HWL_OK;
    if (m->hints.alibi && u->cc / 10 == 9)
        return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: FlashAttention reads no fp8 cache with linear biases");
    /* images that see each other (Gemma 3, 4) and sinks leave the Triton backend below SM90 */
    const bool prefix = m->n_encoders > 0 && (strncmp(m->arch, "gemma3", 6) == 0 || strncmp(m->arch, "gemma4", 6) == 0);
    if (u->cc < 89 && (sinks || prefix || !flashinfer))
        return hwl_fail(error, HWL_E_REFUSED,
                        "vllm refuses: an fp8 cache needs compute capability 8.9 with the Triton attention backend");
    /* SM90 reads an fp8 cache of 512-wide heads in tiles of 64 tokens (FlashAttention 4) */
    if (u->rules->kernel_blocks && u->cc / 10 == 9 && largest == 512 && u->kv->bits == 8 && !u->kv->scale_bytes &&
        (!u->block_given || u->block % 64 == 0)) {
        *kernel = 64;
        if (!u->block_given)
            u->block = 64;
    }
    return HWL_OK;
}

/* The layer whose recurrent state and the one whose attention cache are compared. */
static hwl_status align_hybrid(const struct hwl_model *m, struct hwl_vllm_setup *u, uint64_t kernel, hwl_error *error)
{
    struct hwl_ck ck = {0};
    uint64_t state = 0, token = 0;
    bool gdn = true;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_layer *l = &m->layers[i];
        if (l->state.ssm_elems || l->state.conv_dim) {
            uint64_t bytes;
            HWL_TRY(hwl_vllm_state_bytes(l, u, &bytes, error));
            state = hwl_max(state, bytes);
            gdn = gdn && l->mixer == HWL_MIXER_GATED_DELTA_NET;
        }
        if (l->attn.n_heads)
            token = hwl_max(token, hwl_vllm_token_bytes(l, u, &ck));
    }
    if (state == 0 || token == 0 || ck.overflow)
        return HWL_OK;
    uint64_t unit = u->rules->backend_alignment ? hwl_max(kernel, u->block) : kernel;
    if (u->mla)
        unit = hwl_max(unit, u->rules->backend_alignment ? 128 : 64);
    uint64_t block;
    if (u->state_mode == HWL_VLLM_STATE_ALL) {
        unit = lcm(m->hints.state_chunk ? m->hints.state_chunk : 2048, unit);
        block = hwl_ck_mul(&ck, unit, hwl_div_ceil(hwl_div_ceil(state, token), unit));
    } else {
        if (u->state_mode == HWL_VLLM_STATE_ALIGN && gdn && hwl_vllm_gdn_checkpoints(u))
            unit = lcm(unit, 64); /* where a prefill exports its state: the chunk of FlashInfer's kernel */
        block = hwl_ck_mul(&ck, unit, hwl_div_ceil(state, hwl_ck_mul(&ck, unit, token)));
        if (u->rules->backend_alignment)
            block = hwl_ck_align(&ck, block, kernel);
    }
    if (ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "vllm: a recurrent state is beyond 64 bits");
    u->block = hwl_max(u->block, block);
    return HWL_OK;
}

hwl_status hwl_vllm_choose_block(const struct hwl_model *model, struct hwl_vllm_setup *setup, hwl_error *error)
{
    uint64_t kernel = 16;
    bool attention = false;
    for (uint32_t i = 0; i < model->n_layers; i++)
        attention = attention || model->layers[i].attn.n_heads > 0;
    if (setup->encoder_only || !attention)
        return HWL_OK;
    if (setup->compressed) { /* blocks hold whole groups of up to 128 tokens */
        if (setup->cc < 90)
            return hwl_fail(error, HWL_E_REFUSED,
                            "vllm refuses: no attention backend for compressed latent attention on this card");
        if (setup->block_given && setup->block < 128)
            return hwl_fail(error, HWL_E_REFUSED, "vllm refuses: compressed attention needs blocks of at least 128 tokens");
        if (setup->block_given && setup->block != 128 && setup->block != 256)
            return hwl_fail(error, HWL_E_UNSUPPORTED, "vllm: compressed attention is modelled in blocks of 128 and 256 tokens, not of %llu",
                            (unsigned long long)setup->block);
        setup->block = setup->block_given ? setup->block : 256;
        return HWL_OK;
    }
    if (setup->mla)
        HWL_TRY(latent_block(model, setup, &kernel, error));
    else
        HWL_TRY(head_block(model, setup, &kernel, error));
    if (setup->hybrid && !setup->rules->no_states) {
        const bool late = setup->rules->backend_alignment;
        if (!late && !setup->block_given)
            setup->block = 16; /* set before the backend is known */
        bool wide = setup->rules->wide_units && setup->cc / 10 == 10;
        for (uint32_t i = 0; i < model->n_layers; i++)
            wide = wide && (!model->layers[i].attn.n_heads || model->layers[i].attn.head_dim_k == 256);
        HWL_TRY(align_hybrid(model, setup, late ? kernel : wide ? 32 : 16, error));
    }
    if (*setup->kept) {
        uint64_t first = kernel;
        if (setup->mla && hwl_vllm_layer_kv(&model->layers[0], setup, 0) != setup->kv) { /* the backend of the first layer counts */
            struct hwl_vllm_setup own = *setup;
            own.kv = hwl_vllm_layer_kv(&model->layers[0], setup, 0);
            HWL_TRY(latent_block(model, &own, &first, error));
        }
        HWL_TRY(hwl_vllm_keep_layers(model, setup, first, error));
    }
    return HWL_OK;
}
