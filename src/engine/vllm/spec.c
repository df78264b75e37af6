/* SPDX-License-Identifier: Apache-2.0 */
/* What each layer caches on a rank: heads, latent rows, indexer keys, recurrent states.
 * After Attention.get_kv_cache_spec, MLAAttention, MambaBase.get_kv_cache_spec and mamba/mamba_utils.py of vLLM. */
#include "engine/vllm/vllm.h"

#include "base/bytes.h"
#include "base/status.h"
#include "engine/shared/shard.h"

#include <string.h>

#define INDEXER_ROW 132 /* 128 fp8 keys and one fp32 scale, whatever the cache's type */
#define DS_MLA_ROW 656  /* 512 fp8 + 4 fp32 scales + 64 16-bit rope */

static uint64_t side_bytes(uint64_t dim, const struct hwl_vllm_setup *u, struct hwl_ck *ck)
{
    if (!u->kv->bits)
        return hwl_ck_mul(ck, dim, u->dtype_bytes);
    const uint64_t data = hwl_ck_mul(ck, dim, u->kv->bits) / 8;
    return hwl_ck_add(ck, data, u->kv->scale_bytes + (u->kv->block_scales ? dim / 16 : 0));
}

uint64_t hwl_vllm_token_bytes(const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, struct hwl_ck *ck)
{
    const struct hwl_attention *a = &layer->attn;
    if (a->kv_lora_rank && !setup->expanded) {
        const bool ds = setup->sparse && setup->kv->quantised && setup->cc / 10 != 10;
        if (ds || strcmp(setup->kv->name, "fp8_ds_mla") == 0)
            return DS_MLA_ROW;
        /* V0 rounds the row to what 16-bit elements need, whatever the cache's type (worker/cache_engine.py) */
        uint64_t row = (uint64_t)a->kv_lora_rank + a->qk_rope_dim;
        if (setup->rules->latent_bytes)
            row = hwl_ck_align(ck, row, setup->rules->latent_bytes / setup->dtype_bytes);
        return hwl_ck_mul(ck, row, setup->kv->bits ? setup->kv->bits / 8 : setup->dtype_bytes);
    }
    const uint64_t head = a->kv_lora_rank && setup->rules->latent_head ? setup->rules->latent_head : a->head_dim_k;
    /* a value narrower than an expanded key is padded to it */
    const uint64_t value = a->head_dim_v && !setup->expanded ? a->head_dim_v : head;
    const uint64_t both = hwl_ck_add(ck, side_bytes(head, setup, ck), side_bytes(value, setup, ck));
    return hwl_ck_mul(ck, hwl_shard_kv_heads(layer, setup->tp, setup->expanded), both);
}

hwl_status hwl_vllm_state_bytes(const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, uint64_t *bytes,
                                hwl_error *error)
{
    const struct hwl_state *s = &layer->state;
    const uint64_t tp = setup->tp;
    struct hwl_ck ck = {0};
    uint64_t channels = s->conv_dim, ssm = s->ssm_elems, rows = s->d_conv ? s->d_conv - 1 : 0;
    if (layer->mixer == HWL_MIXER_MAMBA2 || (layer->attn.n_heads && s->n_groups)) {
        uint64_t groups = s->n_groups ? s->n_groups : 1;
        if (groups % tp) {
            if (groups != 1)
                return hwl_fail(
                    error, HWL_E_REFUSED,
                    "vllm refuses: %llu groups of the state-space layers do not divide over tensor parallel size %llu",
                    (unsigned long long)groups, (unsigned long long)tp);
            groups = tp; /* one group is copied to every rank */
        }
        channels = hwl_ck_add(&ck, s->d_inner, hwl_ck_mul3(&ck, 2, groups, s->d_state));
    }
    if (layer->mixer != HWL_MIXER_MAMBA)
        rows += setup->spec_tokens; /* drafted tokens shift through the convolution */
    const uint64_t heads = s->n_heads ? s->n_heads : s->d_inner;
    if (channels % tp || (ssm && heads && heads % tp))
        return hwl_fail(error, HWL_E_REFUSED,
                        "vllm refuses: recurrent heads do not divide over tensor parallel size %llu",
                        (unsigned long long)tp);
    const uint64_t conv = hwl_ck_mul3(&ck, rows, channels / tp, setup->conv_bytes);
    *bytes = hwl_ck_add(&ck, conv, hwl_ck_mul(&ck, ssm / tp, setup->ssm_bytes));
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "vllm: a recurrent state is beyond 64 bits") : HWL_OK;
}

struct list {
    struct hwl_vllm_spec *spec;
    uint32_t n, cap;
};

static struct hwl_vllm_spec *add(struct list *l, uint8_t kind, uint16_t stage, int32_t layer)
{
    struct hwl_vllm_spec *s = &l->spec[l->n++];
    *s = (struct hwl_vllm_spec){.kind = kind, .stage = stage, .layer = layer};
    return s;
}

/* DeepSeek-V4: a window of latent rows in every layer; compressed layers add rows of whole token groups, the states of
 * their compressor, and with a group of 4 an indexer with a compressor of its own. Pages are multiples of 576 bytes.
 * models/deepseek_v4 and v1/attention/backends/mla of 0.33.0. */
#define V4_ROW 584 /* 448 fp8 + 64 16-bit rope + scales */
#define V4_ALIGN 576

static void add_compressed(struct list *l, const struct hwl_layer *layer, const struct hwl_vllm_setup *u,
                           uint16_t stage, int32_t index, bool draft, struct hwl_ck *ck)
{
    const struct hwl_attention *a = &layer->attn;
    const uint64_t ratio = a->compress_ratio;
    const uint64_t head = a->head_dim_k ? a->head_dim_k : 512;
    const bool overlap = ratio == 4;
    struct {
        uint8_t kind;
        bool there;
        uint64_t block, bytes, window;
    } caches[] = {
        {HWL_VLLM_SLIDING_MLA, true, 64, 64 * V4_ROW, a->window ? a->window : 128},
        {HWL_VLLM_MLA, ratio > 1, u->block, ratio ? hwl_ck_mul(ck, u->block / ratio, V4_ROW) : 0, 0},
        {HWL_VLLM_SLIDING_MLA, ratio > 1, overlap ? 4 : 8, (overlap ? 4 * 4 : 8 * 2) * head * 4,
         ratio * (overlap ? 2 : 1)},
        {HWL_VLLM_MLA, overlap && a->index_heads, u->block, ratio ? hwl_ck_mul(ck, u->block / ratio, INDEXER_ROW) : 0,
         0},
        {HWL_VLLM_SLIDING_MLA, overlap && a->index_heads, 4,
         4 * 4 * (uint64_t)(a->index_head_dim ? a->index_head_dim : 128) * 4, ratio * 2},
    };
    for (uint32_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        if (!caches[i].there)
            continue;
        struct hwl_vllm_spec *s = add(l, caches[i].kind, stage, index);
        s->block = caches[i].block;
        s->page = hwl_ck_align(ck, caches[i].bytes, V4_ALIGN);
        s->window = caches[i].kind == HWL_VLLM_SLIDING_MLA ? caches[i].window : 0;
        s->identity = (uint64_t)(i + 1) << 56 | ratio;
        s->draft = draft;
    }
}

static void add_attention(struct list *l, const struct hwl_layer *layer, const struct hwl_vllm_setup *setup, uint16_t stage,
                          int32_t index, bool draft, struct hwl_ck *ck)
{
    const struct hwl_attention *a = &layer->attn;
    const struct hwl_vllm_setup *u = setup;
    struct hwl_vllm_setup own; /* of a layer whose cache has a type of its own */
    const struct hwl_vllm_kv_type *kv = hwl_vllm_layer_kv(layer, setup, draft ? -1 : index);
    if (kv != setup->kv) {
        own = *setup;
        own.kv = kv;
        u = &own;
    }
    const uint64_t width = a->window || draft ? a->window : u->window;
    const bool chunked = layer->mixer == HWL_MIXER_CHUNKED && !u->rules->no_chunks;
    const bool window = width && layer->mixer != HWL_MIXER_CHUNKED && !u->rules->no_windows;
    if (u->compressed) {
        add_compressed(l, layer, u, stage, index, draft, ck);
        return;
    }
    const bool latent = a->kv_lora_rank && !u->expanded;
    if (a->index_heads && latent) {
        struct hwl_vllm_spec *s = add(l, HWL_VLLM_MLA, stage, index);
        s->block = u->block;
        s->page = hwl_ck_mul(ck, INDEXER_ROW, u->block);
        s->identity = INDEXER_ROW;
        s->draft = draft;
    }
    if (a->index_heads && !a->kv_lora_rank) { /* keys of 16 bits: minimax_m3/common/indexer.py */
        struct hwl_vllm_spec *s = add(l, HWL_VLLM_MLA, stage, index);
        s->block = u->block;
        s->page = hwl_ck_mul3(ck, 2, a->index_head_dim, u->block);
        s->identity = (uint64_t)1 << 59 | a->index_head_dim;
        s->draft = draft;
    }
    const uint8_t kind = latent ? HWL_VLLM_MLA : chunked ? HWL_VLLM_CHUNKED : window ? HWL_VLLM_SLIDING : HWL_VLLM_FULL;
    struct hwl_vllm_spec *s = add(l, kind, stage, index);
    const uint64_t token = hwl_vllm_token_bytes(layer, u, ck);
    s->block = kind == HWL_VLLM_SLIDING && u->rules->small_windows       ? 16
               : kind == HWL_VLLM_SLIDING && u->kv != setup->kv          ? hwl_vllm_kept_block(layer, setup, ck)
                                                                         : u->block;
    s->page = hwl_ck_mul(ck, token, s->block);
    s->window = kind == HWL_VLLM_SLIDING || kind == HWL_VLLM_CHUNKED ? width : 0;
    s->identity = (uint64_t)hwl_shard_kv_heads(layer, u->tp, u->expanded) << 40 | (uint64_t)a->head_dim_k << 20 | a->head_dim_v;
    if (latent)
        s->identity = (uint64_t)1 << 60 | ((uint64_t)a->kv_lora_rank + a->qk_rope_dim);
    s->draft = draft;
}

static void add_state(struct list *l, const struct hwl_layer *layer, const struct hwl_vllm_setup *u, uint16_t stage,
                      int32_t index, uint64_t bytes, uint64_t padded)
{
    struct hwl_vllm_spec *s = add(l, HWL_VLLM_MAMBA, stage, index);
    /* before mode align a model without attention keeps one block for the whole length (models/config.py MambaModelConfig) */
    s->block = u->state_mode == HWL_VLLM_STATE_NONE || (u->rules->no_align && !u->hybrid) ? u->max_len : u->block;
    s->page = padded > bytes ? padded : bytes;
    s->identity = (uint64_t)layer->mixer << 56 | (bytes & 0xffffffffffffff);
    s->spec_blocks = u->spec_tokens;
    const bool mamba2 = layer->mixer == HWL_MIXER_MAMBA2 || layer->attn.n_heads;
    const bool gdn = layer->mixer == HWL_MIXER_GATED_DELTA_NET && hwl_vllm_gdn_checkpoints(u);
    s->checkpoint_blocks = u->state_mode == HWL_VLLM_STATE_ALIGN && ((mamba2 && u->rules->mamba2_checkpoints) || gdn);
}

/* A draft that reads the target's hidden states (EAGLE, MTP without layers of its own): layers like the target's last
 * attention layer. */
static const struct hwl_layer *last_attention(const struct hwl_model *m)
{
    for (uint32_t i = m->n_layers; i-- > 0;)
        if (m->layers[i].attn.n_heads && m->layers[i].attn.kv_shared_with < 0)
            return &m->layers[i];
    return NULL;
}

hwl_status hwl_vllm_specs(const struct hwl_model *model, const struct hwl_vllm_setup *setup, struct hwl_arena *arena,
                          struct hwl_vllm_spec **out, uint32_t *n, hwl_error *error)
{
    const uint64_t cap = 6 * ((uint64_t)model->n_layers + model->n_mtp + setup->draft_layers) + 6;
    struct list l = {.spec = HWL_NEW_ARRAY(arena, struct hwl_vllm_spec, cap), .cap = (uint32_t)cap};
    if (!l.spec)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    struct hwl_ck ck = {0};
    uint64_t padded = 0;
    if (setup->hybrid)
        for (uint32_t i = 0; i < model->n_layers; i++)
            if (model->layers[i].attn.n_heads)
                padded =
                    hwl_max(padded, hwl_ck_mul(&ck, hwl_vllm_token_bytes(&model->layers[i], setup, &ck), setup->block));
    uint16_t stage = 0;
    for (uint32_t i = 0; i < model->n_layers && (!setup->encoder_only || setup->rules->no_states); i++) {
        while (stage + 1u < setup->pp && i >= setup->stage_first[stage + 1])
            stage++;
        const struct hwl_layer *layer = setup->plain ? last_attention(model) : &model->layers[i];
        if (!layer)
            continue;
        const int32_t shared = layer->attn.kv_shared_with;
        if (layer->attn.n_heads && shared >= 0) {
            if ((uint32_t)shared < setup->stage_first[stage])
                return hwl_fail(error, HWL_E_REFUSED,
                                "vllm refuses: layer %u reads the cache of layer %d on another pipeline stage", i,
                                shared);
        } else if (layer->attn.n_heads && layer->attn.cross && model->n_encoder == 0) {
            struct hwl_vllm_spec *s = add(&l, HWL_VLLM_CROSS, stage, (int32_t)i);
            s->block = setup->block;
            s->page = hwl_ck_mul(&ck, hwl_vllm_token_bytes(layer, setup, &ck), setup->block);
        } else if (layer->attn.n_heads) {
            add_attention(&l, layer, setup, stage, (int32_t)i, false, &ck);
            if (model->n_encoder && !setup->rules->no_states) { /* the decoder layer of an encoder-decoder attends to the encoder too */
                struct hwl_vllm_spec *s = add(&l, HWL_VLLM_CROSS, stage, (int32_t)i);
                s->block = setup->block;
                s->page = hwl_ck_mul(&ck, hwl_vllm_token_bytes(layer, setup, &ck), setup->block);
            }
        }
        if (!setup->plain && !setup->rules->no_states && (layer->state.ssm_elems || layer->state.conv_dim)) {
            uint64_t bytes;
            HWL_TRY(hwl_vllm_state_bytes(layer, setup, &bytes, error));
            add_state(&l, layer, setup, stage, (int32_t)i, bytes, padded);
        }
    }
    for (uint32_t i = 0; setup->draft && i < setup->draft->n_layers; i++)
        if (setup->draft->layers[i].attn.n_heads)
            add_attention(&l, &setup->draft->layers[i], setup, (uint16_t)(setup->pp - 1), -1, true, &ck);
    const struct hwl_layer *like = setup->draft_layers && !setup->draft ? last_attention(model) : NULL;
    for (uint32_t i = 0; !setup->draft && i < setup->draft_layers; i++) {
        const bool own = strcmp(setup->spec_method, "mtp") == 0 && i < model->n_mtp;
        const struct hwl_layer *layer = own ? &model->layers[model->n_layers + i] : like;
        if (layer && layer->attn.n_heads)
            add_attention(&l, layer, setup, (uint16_t)(setup->pp - 1), own ? (int32_t)(model->n_layers + i) : -1, true,
                          &ck);
    }
    if (ck.overflow)
        return hwl_fail(error, HWL_E_OVERFLOW, "vllm: a cache block is beyond 64 bits");
    *out = l.spec;
    *n = l.n;
    return HWL_OK;
}
