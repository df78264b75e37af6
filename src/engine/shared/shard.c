/* SPDX-License-Identifier: Apache-2.0 */
/* Weights over ranks: how each role is split by tensor parallelism, where pipeline stages put it, and in which type it
 * lies in memory. After vllm/model_executor/layers/linear.py, vocab_parallel_embedding.py, fused_moe and the model
 * classes. */
#include "engine/shared/shard.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <string.h>

#define VOCAB_PAD 64 /* DEFAULT_VOCAB_PADDING_SIZE */

enum shard {
    WHOLE,   /* every rank holds it all */
    COLUMN,  /* split by output rows: bias too */
    ROW,     /* split by input columns: bias whole */
    KV,      /* column over key/value heads, copied where there are fewer heads than ranks */
    QKV,     /* fused: query part column, key and value parts KV */
    VOCAB,   /* rows of the vocabulary, padded */
    EXPERTS, /* over experts with expert parallelism, else over the width of each */
    TOWER,   /* vision and audio: matrices split, the rest whole */
};

/* Roles that are not here are whole on every rank: norms, routers, low-rank down projections, indexers, scalars. */
static const uint8_t shards[HWL_ROLE_COUNT] = {
    [HWL_ROLE_TOK_EMBD] = VOCAB,    [HWL_ROLE_OUTPUT] = VOCAB,        [HWL_ROLE_PER_LAYER_EMBD] = VOCAB,
    [HWL_ROLE_ATTN_Q] = COLUMN,     [HWL_ROLE_ATTN_K] = KV,           [HWL_ROLE_ATTN_V] = KV,
    [HWL_ROLE_ATTN_QKV] = QKV,      [HWL_ROLE_ATTN_OUT] = ROW,        [HWL_ROLE_ATTN_GATE] = COLUMN,
    [HWL_ROLE_ATTN_SINKS] = COLUMN, [HWL_ROLE_ATTN_Q_B] = COLUMN,     [HWL_ROLE_ATTN_KV_B] = COLUMN,
    [HWL_ROLE_ATTN_K_B] = COLUMN,   [HWL_ROLE_ATTN_V_B] = COLUMN,     [HWL_ROLE_CROSS_Q] = COLUMN,
    [HWL_ROLE_CROSS_K] = KV,        [HWL_ROLE_CROSS_V] = KV,          [HWL_ROLE_CROSS_OUT] = ROW,
    [HWL_ROLE_FFN_GATE] = COLUMN,   [HWL_ROLE_FFN_UP] = COLUMN,       [HWL_ROLE_FFN_GATE_UP] = COLUMN,
    [HWL_ROLE_FFN_DOWN] = ROW,      [HWL_ROLE_EXP_GATE] = EXPERTS,    [HWL_ROLE_EXP_UP] = EXPERTS,
    [HWL_ROLE_EXP_DOWN] = EXPERTS,  [HWL_ROLE_EXP_GATE_UP] = EXPERTS, [HWL_ROLE_SHEXP_GATE] = COLUMN,
    [HWL_ROLE_SHEXP_UP] = COLUMN,   [HWL_ROLE_SHEXP_DOWN] = ROW,      [HWL_ROLE_SHEXP_GATE_UP] = COLUMN,
    [HWL_ROLE_SSM_IN] = COLUMN,     [HWL_ROLE_SSM_CONV] = COLUMN,     [HWL_ROLE_SSM_X] = ROW,
    [HWL_ROLE_SSM_DT] = COLUMN,     [HWL_ROLE_SSM_A] = COLUMN,        [HWL_ROLE_SSM_D] = COLUMN,
    [HWL_ROLE_SSM_BETA] = COLUMN,   [HWL_ROLE_SSM_GATE] = COLUMN,     [HWL_ROLE_SSM_OUT] = ROW,
    [HWL_ROLE_SHORT_CONV] = COLUMN, [HWL_ROLE_VISION] = TOWER,        [HWL_ROLE_AUDIO] = TOWER,
    [HWL_ROLE_PROJECTOR] = TOWER,   [HWL_ROLE_MTP_FC] = COLUMN,       [HWL_ROLE_MTP_EMBD] = VOCAB,
    [HWL_ROLE_MTP_OUTPUT] = VOCAB,  [HWL_ROLE_MTP_HEAD] = VOCAB,
};

static enum shard shard_of(uint16_t role)
{
    return role < HWL_ROLE_COUNT ? (enum shard)shards[role] : WHOLE;
}

static bool is_linear(const struct hwl_tensor *t, enum shard s)
{
    return t->part == HWL_PART_WEIGHT && s != VOCAB && t->n_dims >= 2 && t->component != HWL_COMP_ROUTER &&
           t->component != HWL_COMP_VISION && t->component != HWL_COMP_AUDIO && t->component != HWL_COMP_PROJECTOR &&
           t->component != HWL_COMP_NORM && t->role != HWL_ROLE_SSM_CONV && t->role != HWL_ROLE_SSM_A &&
           t->role != HWL_ROLE_SSM_D && t->role != HWL_ROLE_POS_EMBD;
}

/* One scale for each row of the output, which splitting the input leaves alone. */
static bool of_rows(const struct hwl_tensor *t)
{
    return t->part == HWL_PART_SCALE && t->n_dims == 2 && t->dims[1] == 1;
}

/* Bytes in memory before the split: 16- and 32-bit floats are cast to the model's type, packed weights stay as stored.
 */
static uint64_t resident(const struct hwl_model *m, const struct hwl_tensor *t, const struct hwl_shard_run *u,
                         struct hwl_ck *ck)
{
    if (u->classes & HWL_SHARD_ROUTER_F32 && t->role == HWL_ROLE_ROUTER && t->n_dims == 2)
        return hwl_ck_mul(ck, t->elements, 4);
    if (u->classes & HWL_SHARD_HEAD_F32 && t->role == HWL_ROLE_CLASSIFIER)
        return hwl_ck_mul(ck, t->elements, 4);
    const bool plain = t->dtype == HWL_DTYPE_F32 || t->dtype == HWL_DTYPE_F16 || t->dtype == HWL_DTYPE_BF16 ||
                       t->dtype == HWL_DTYPE_F64;
    /* Marlin has no blocks: their scales become one a row and group of columns, in the model's type
     * (quantization/utils/marlin_utils_fp8.py) */
    const uint64_t rows = m->quant.block[0];
    if (u->marlin_fp8 && t->part == HWL_PART_SCALE && rows > 1 && t->n_dims >= 2 && (t->dtype == HWL_DTYPE_F32 || t->dtype == HWL_DTYPE_BF16))
        return hwl_ck_mul(ck, t->bytes / (t->dtype == HWL_DTYPE_F32 ? 4 : 2), hwl_ck_mul(ck, hwl_min(rows, 4096), u->dtype_bytes));
    if (u->scales_f32 && of_rows(t) && (t->dtype == HWL_DTYPE_BF16 || t->dtype == HWL_DTYPE_F16))
        return hwl_ck_mul(ck, t->bytes, 2); /* scales of whole rows */
    if (t->buffer || !plain || !t->elements)
        return t->bytes;
    if (t->role == HWL_ROLE_SSM_A)
        return hwl_ck_mul(ck, t->elements, 4); /* decay rates: mamba_mixer.py, mamba_mixer2.py */
    if (t->part == HWL_PART_SCALE || (t->dtype == HWL_DTYPE_F32 && m->dtype != HWL_DTYPE_F32))
        return t->bytes; /* kept in 32 bits on purpose: scales, correction biases, decay rates */
    return hwl_ck_mul(ck, t->elements, u->dtype_bytes);
}

static uint64_t part_of(uint64_t bytes, uint64_t n, uint64_t of, struct hwl_ck *ck)
{
    if (of == 0 || n == of)
        return bytes;
    const uint64_t whole = bytes / of, rest = bytes % of;
    return hwl_ck_add(ck, hwl_ck_mul(ck, whole, n), hwl_div_ceil(hwl_ck_mul(ck, rest, n), of));
}

static uint64_t kv_part(uint64_t bytes, const struct hwl_attention *a, uint64_t tp, struct hwl_ck *ck)
{
    const uint64_t heads = a->n_kv_heads ? a->n_kv_heads : a->n_heads;
    return heads ? part_of(bytes, heads > tp ? heads / tp : 1, heads, ck) : part_of(bytes, 1, tp, ck); /* none: a recurrence's */
}

/* Rows in the source's order: a configuration lists the output dimension first, GGUF last. */
static uint64_t rows_of(const struct hwl_model *m, const struct hwl_tensor *t)
{
    return t->n_dims == 0 ? 1 : m->is_gguf ? t->dims[t->n_dims - 1] : t->dims[0];
}

static uint64_t pad_mxfp4(const struct hwl_tensor *t, uint64_t bytes, uint64_t hidden, uint64_t width,
                          const struct hwl_shard_run *u, struct hwl_ck *ck)
{
    if (!hidden || !width)
        return bytes;
    if (u->pad_inner && t->part == HWL_PART_WEIGHT) {
        const uint64_t inner = t->role == HWL_ROLE_EXP_DOWN ? width : hidden;
        bytes = part_of(bytes, hwl_ck_align(ck, inner, u->pad_inner), inner, ck);
    }
    const uint64_t rows = u->pad_hidden ? part_of(bytes, hwl_ck_align(ck, hidden, u->pad_hidden), hidden, ck) : bytes;
    return u->pad_width ? part_of(rows, hwl_ck_align(ck, width, u->pad_width), width, ck) : rows;
}

/* Where Mamba2's one group of B and C stands on all ranks (mamba/mamba_utils.py, extra_groups_for_head_shards): the rows of
 * its input projection or convolution on a rank, of *all. 0: the groups divide, and so does everything. */
static uint64_t copied_rows(const struct hwl_state *s, uint16_t role, uint64_t tp, uint64_t *all, struct hwl_ck *ck)
{
    if ((role != HWL_ROLE_SSM_IN && role != HWL_ROLE_SSM_CONV) || s->n_groups != 1 || tp == 1 || !s->n_heads)
        return 0;
    const uint64_t shared = hwl_ck_mul(ck, 2, s->d_state);
    const uint64_t split = role == HWL_ROLE_SSM_IN ? hwl_ck_add(ck, hwl_ck_mul(ck, 2, s->d_inner), s->n_heads) : s->d_inner;
    *all = hwl_ck_add(ck, split, shared);
    return hwl_ck_add(ck, hwl_div_ceil(split, tp), shared);
}

/* Groups of packed experts that a rank's width does not hold whole are halved until it does
 * (quantization/moe_wna16.py, group_size_div_factor): so many times the scales and zero points. */
static uint64_t more_groups(const struct hwl_model *m, const struct hwl_tensor *t, uint64_t width)
{
    const bool grouped = strcmp(m->quant.method, "awq") == 0 || strcmp(m->quant.method, "gptq") == 0;
    uint64_t times = 1, group = m->quant.group_size;
    if (!grouped || (t->part != HWL_PART_SCALE && t->part != HWL_PART_ZERO))
        return 1;
    while (group > 1 && group % 2 == 0 && (width % group || m->hidden % group)) {
        group /= 2;
        times *= 2;
    }
    return times;
}

/* A matrix inside one of a tower's numbered blocks; what stands before and behind them is not split. */
static bool in_block(const char *name)
{
    for (const char *dot = name; (dot = strchr(dot, '.')); dot++)
        if ((dot[1] >= '0' && dot[1] <= '9') || dot[1] == '*')
            return true;
    return false;
}

static bool tower_splits(const struct hwl_tensor *t, const struct hwl_shard_run *u)
{
    if (t->n_dims != 2 || t->part != HWL_PART_WEIGHT)
        return false;
    return t->component == HWL_COMP_PROJECTOR ? !(u->classes & HWL_SHARD_PROJECTOR_WHOLE)
                                              : !(u->classes & HWL_SHARD_TOWER_WHOLE) && in_block(t->name);
}

static uint64_t on_rank(const struct hwl_model *m, const struct hwl_tensor *t, enum shard s, uint64_t bytes,
                        const struct hwl_shard_run *u, struct hwl_ck *ck)
{
    static const struct hwl_layer none;
    const struct hwl_layer *l = t->layer >= 0 ? &m->layers[t->layer] : &none;
    const uint64_t tp = t->component == HWL_COMP_ATTENTION || t->component == HWL_COMP_RECURRENT ? u->attention_tp
                        : t->component == HWL_COMP_EMBEDDING                                     ? u->embedding_tp
                                                                                                 : u->tp;
    switch (s) {
    case COLUMN: {
        uint64_t all = tp;
        const uint64_t rows = copied_rows(&l->state, t->role, tp, &all, ck);
        return part_of(bytes, rows ? rows : 1, all, ck);
    }
    case ROW:
        return t->part == HWL_PART_BIAS || of_rows(t) ? bytes : part_of(bytes, 1, tp, ck);
    case KV:
        return kv_part(bytes, &l->attn, tp, ck);
    case QKV: {
        const struct hwl_attention *a = &l->attn;
        const uint64_t q = (uint64_t)a->n_heads * a->head_dim_k * (a->output_gate ? 2 : 1);
        const uint64_t kv = (uint64_t)(a->n_kv_heads ? a->n_kv_heads : a->n_heads) * (a->head_dim_k + a->head_dim_v);
        if (q + kv == 0)
            return part_of(bytes, 1, tp, ck);
        const uint64_t q_bytes = part_of(bytes, q, q + kv, ck);
        return hwl_ck_add(ck, part_of(q_bytes, 1, tp, ck), kv_part(hwl_ck_sub(ck, bytes, q_bytes), a, tp, ck));
    }
    case VOCAB: {
        const uint64_t rows = rows_of(m, t);
        if (rows == 0 || t->n_dims < 1 || u->classes & HWL_SHARD_EMBEDDING_WHOLE)
            return bytes;
        const uint64_t padded = hwl_ck_align(ck, hwl_ck_align(ck, rows, VOCAB_PAD), tp);
        return part_of(hwl_ck_mul(ck, bytes / rows, padded), 1, tp, ck);
    }
    case EXPERTS: {
        const uint64_t experts = l->ffn.n_experts ? l->ffn.n_experts : 1;
        const uint64_t ranks = u->expert_ranks;
        const uint64_t width = u->ep ? l->ffn.d_expert : l->ffn.d_expert / ranks;
        if (t->part == HWL_PART_ZERO && strcmp(m->quant.method, "gptq") == 0)
            return 0; /* the kernels of experts take symmetric weights */
        if (!u->ep && t->role == HWL_ROLE_EXP_DOWN && of_rows(t))
            return bytes;
        const uint64_t local = u->ep ? part_of(bytes, hwl_div_ceil(experts + u->redundant_experts, ranks), experts, ck)
                                     : part_of(bytes, 1, ranks, ck);
        return strcmp(m->quant.method, "mxfp4") == 0 ? pad_mxfp4(t, local, m->hidden, width, u, ck)
                                                     : hwl_ck_mul(ck, local, more_groups(m, t, width));
    }
    case TOWER:
        return tower_splits(t, u) ? part_of(bytes, 1, tp, ck) : bytes;
    default:
        return bytes;
    }
}

/* Room for adapters: A [rank, in] and B [out, rank] of every slot; the side that the layer splits is split here too
 * (vllm/lora/layers). */
static uint64_t adapter_bytes(const struct hwl_tensor *t, enum shard s, uint64_t slots_rank,
                              const struct hwl_shard_run *u, struct hwl_ck *ck)
{
    const uint64_t a = t->dims[0], b = t->dims[t->n_dims - 1];
    const uint64_t split = s == ROW ? b : a, whole = s == ROW ? a : b;
    const uint64_t width = hwl_ck_add(ck, s == WHOLE ? split : hwl_div_ceil(split, u->tp), whole);
    return hwl_ck_mul4(ck, t->count ? t->count : 1, slots_rank, width, u->dtype_bytes);
}

bool hwl_shard_has(const struct hwl_model *model, const struct hwl_shard_run *run, uint32_t layer)
{
    const bool mtp = layer >= model->n_layers && layer - model->n_layers < model->n_mtp;
    return !mtp || (strcmp(run->spec_method, "mtp") == 0 && layer - model->n_layers < run->draft_layers);
}

uint32_t hwl_shard_stage(const struct hwl_model *model, const struct hwl_shard_run *run, uint32_t layer)
{
    if (layer >= model->n_layers) /* MTP layers stand behind the stack; encoders in front of it */
        return layer < model->n_layers + model->n_mtp ? run->pp - 1 : 0;
    uint32_t p = 0;
    while (p + 1 < run->pp && layer >= run->stage_first[p + 1])
        p++;
    return p;
}

static bool is_kv(uint16_t role)
{
    return role == HWL_ROLE_ATTN_K || role == HWL_ROLE_ATTN_V || role == HWL_ROLE_ATTN_K_NORM;
}

static bool is_tower(uint8_t component)
{
    return component == HWL_COMP_VISION || component == HWL_COMP_AUDIO || component == HWL_COMP_PROJECTOR;
}

/* Matrices that the engine loads into one parameter. */
enum fused { ALONE, QKV_ROWS, LATENT_ROWS, GATE_UP_ROWS, EXPERT_ROWS, SHARED_ROWS, FUSED_COUNT };
static const uint8_t fused[HWL_ROLE_COUNT] = {
    [HWL_ROLE_ATTN_Q] = QKV_ROWS,         [HWL_ROLE_ATTN_K] = QKV_ROWS,        [HWL_ROLE_ATTN_V] = QKV_ROWS,
    [HWL_ROLE_ATTN_QKV] = QKV_ROWS,       [HWL_ROLE_ATTN_Q_A] = LATENT_ROWS,   [HWL_ROLE_ATTN_KV_A] = LATENT_ROWS,
    [HWL_ROLE_FFN_GATE] = GATE_UP_ROWS,   [HWL_ROLE_FFN_UP] = GATE_UP_ROWS,    [HWL_ROLE_FFN_GATE_UP] = GATE_UP_ROWS,
    [HWL_ROLE_EXP_GATE] = EXPERT_ROWS,    [HWL_ROLE_EXP_UP] = EXPERT_ROWS,     [HWL_ROLE_EXP_GATE_UP] = EXPERT_ROWS,
    [HWL_ROLE_SHEXP_GATE] = SHARED_ROWS,  [HWL_ROLE_SHEXP_UP] = SHARED_ROWS,   [HWL_ROLE_SHEXP_GATE_UP] = SHARED_ROWS,
};

/* PyTorch's allocator (c10/cuda/CUDACachingAllocator.cpp): from 10 MiB on a segment is a multiple of 2 MiB, and what is
 * left of it is split off only above 1 MiB; less counts as allocated. */
static uint64_t left_over(uint64_t bytes)
{
    const uint64_t mib = (uint64_t)1 << 20, over = bytes % (2 * mib);
    return bytes < 10 * mib || over == 0 || 2 * mib - over > mib ? 0 : 2 * mib - over;
}

struct sums {
    uint64_t component[HWL_COMP_COUNT]; /* of one layer of a kind, or of what lies in no layer */
    uint64_t row[FUSED_COUNT];
    uint8_t owner[FUSED_COUNT]; /* component of the fused parameter */
    struct hwl_ck ck;
};

static void add(struct sums *s, uint8_t component, uint64_t bytes)
{
    s->component[component] = hwl_ck_add(&s->ck, s->component[component], bytes);
}

static void add_stage(struct hwl_shard_weights *stage, uint8_t component, uint64_t bytes, struct hwl_ck *ck)
{
    stage->component[component] = hwl_ck_add(ck, stage->component[component], bytes);
}

static uint64_t tensor_bytes(const struct hwl_model *m, const struct hwl_tensor *t, const struct hwl_shard_run *u,
                             struct hwl_ck *ck)
{
    /* the joint of a head that is a checkpoint of its own is whole on every rank (llama_eagle3.py, qwen3_dflash.py) */
    const bool joint = t->role == HWL_ROLE_MTP_FC && t->layer < 0;
    const bool whole = joint || (u->classes & HWL_SHARD_FFN_WHOLE && t->component == HWL_COMP_FFN);
    const bool rows = u->classes & HWL_SHARD_POSITIONS && (t->role == HWL_ROLE_POS_EMBD || t->role == HWL_ROLE_TYPE_EMBD);
    return on_rank(m, t, whole ? WHOLE : rows ? VOCAB : shard_of(t->role), resident(m, t, u, ck), u, ck);
}

static void add_tensor(struct sums *s, const struct hwl_model *m, const struct hwl_tensor *t, uint64_t bytes,
                       const struct hwl_shard_run *u)
{
    const enum shard how = shard_of(t->role);
    const uint8_t joined = t->role < HWL_ROLE_COUNT ? fused[t->role] : (uint8_t)ALONE;
    add(s, t->component, bytes);
    if (t->part == HWL_PART_WEIGHT && joined == ALONE)
        add(s, t->component, left_over(bytes));
    else if (t->part == HWL_PART_WEIGHT) {
        s->row[joined] = hwl_ck_add(&s->ck, s->row[joined], bytes);
        s->owner[joined] = t->component;
    }
    const uint64_t adapters = hwl_ck_mul(&s->ck, u->max_loras, u->max_lora_rank);
    if (adapters && t->layer >= 0 && (uint32_t)t->layer < m->n_layers && is_linear(t, how) && how != EXPERTS)
        add(s, HWL_COMP_LORA, adapter_bytes(t, how, adapters, u, &s->ck));
}

/* What a predictor shares with the target is there once: its copy of the embedding always, that of the output matrix and one
 * of its own as the engine does it (vllm/v1/spec_decode, sglang set_embed_and_head). */
static uint32_t times(const struct hwl_tensor *t, const struct hwl_shard_run *u)
{
    switch ((enum hwl_role)t->role) {
    case HWL_ROLE_MTP_EMBD: return 0;
    case HWL_ROLE_MTP_OUTPUT: return u->draft_copies;
    case HWL_ROLE_MTP_HEAD: return u->draft_heads ? 1u + u->draft_embeds : u->draft_copies;
    default: return 1;
    }
}

/* The weights of one layer of a kind. */
static void add_layer(struct sums *s, const struct hwl_shard_prepared *p, uint32_t kind, const struct hwl_shard_run *u)
{
    const struct hwl_model *m = p->model;
    const bool borrows = u->classes & HWL_SHARD_BORROWERS && m->layers[p->layer[kind]].attn.kv_shared_with >= 0 &&
                         m->layers[p->layer[kind]].attn.n_heads;
    uint64_t keys = 0;
    bool values = false;
    for (uint64_t i = p->first[kind]; i < p->first[kind + 1]; i++) {
        const struct hwl_tensor *t = &m->tensors[p->tensor[i]];
        if (t->tied || (is_tower(t->component) && !u->multimodal && !m->n_encoder) || (borrows && is_kv(t->role)))
            continue;
        const uint64_t bytes = tensor_bytes(m, t, u, &s->ck);
        for (uint32_t n = times(t, u); n > 0; n--)
            add_tensor(s, m, t, bytes, u);
        keys = hwl_ck_add(&s->ck, keys, t->role == HWL_ROLE_ATTN_K && t->part == HWL_PART_WEIGHT ? bytes : 0);
        values = values || t->role == HWL_ROLE_ATTN_V;
    }
    if (u->classes & HWL_SHARD_KEYS_TWICE && !values && keys) { /* the fused matrix has rows for values all the same */
        add(s, HWL_COMP_ATTENTION, keys);
        s->row[QKV_ROWS] = hwl_ck_add(&s->ck, s->row[QKV_ROWS], keys);
    }
    for (int f = ALONE + 1; f < FUSED_COUNT; f++)
        add(s, s->owner[f], left_over(s->row[f]));
    const struct hwl_attention *a = &m->layers[p->layer[kind]].attn;
    if (u->mla && a->kv_lora_rank)
        /* kv_b_proj is kept for prefill; decoding reads two 16-bit copies, W_UK and W_UV */
        add(s, HWL_COMP_ATTENTION,
            hwl_ck_mul4(&s->ck, a->n_heads / u->attention_tp, (uint64_t)a->qk_nope_dim + a->head_dim_v, a->kv_lora_rank,
                        u->dtype_bytes));
}

/* What lies in no layer: embeddings, the head, towers. */
static void add_rest(const struct hwl_shard_prepared *prepared, const struct hwl_shard_run *u, struct hwl_shard_weights *out,
                     struct hwl_ck *ck)
{
    const struct hwl_model *m = prepared->model;
    for (uint64_t i = prepared->first[prepared->n_kinds]; i < prepared->first[prepared->n_kinds + 1]; i++) {
        const struct hwl_tensor *t = &m->tensors[prepared->tensor[i]];
        if ((u->classes & HWL_SHARD_NO_POOLER && t->role == HWL_ROLE_CLASSIFIER) ||
            (u->classes & HWL_SHARD_NO_OUTPUT && t->role == HWL_ROLE_OUTPUT))
            continue;
        if (t->tied || t->draft || (is_tower(t->component) && !u->multimodal && !m->n_encoder))
            continue;
        uint64_t bytes = tensor_bytes(m, t, u, ck);
        bytes = hwl_ck_add(ck, bytes, t->part == HWL_PART_WEIGHT ? left_over(bytes) : 0);
        const bool last = t->role == HWL_ROLE_OUTPUT || t->role == HWL_ROLE_OUTPUT_NORM || t->role == HWL_ROLE_CLASSIFIER;
        const bool everywhere = u->classes & HWL_SHARD_HEADS && t->role == HWL_ROLE_OUTPUT;
        for (uint32_t p = everywhere ? 0 : last ? u->pp - 1 : 0; p < (everywhere ? u->pp : last ? u->pp : 1); p++)
            add_stage(&out[p], t->component, bytes, ck);
        /* a tied embedding stands at both ends of the pipeline */
        if (t->role == HWL_ROLE_TOK_EMBD && m->tied && u->pp > 1)
            add_stage(&out[u->pp - 1], HWL_COMP_OUTPUT, bytes, ck);
        /* so does that of a predictor, whose target has its embedding on the first stage */
        if (t->role == HWL_ROLE_TOK_EMBD && u->pp > 1 && m->n_mtp && strcmp(u->spec_method, "mtp") == 0)
            add_stage(&out[u->pp - 1], HWL_COMP_DRAFT, bytes, ck);
    }
    const uint64_t mask = u->classes & HWL_SHARD_MASK ? hwl_ck_mul(ck, m->context_train, m->context_train) : 0;
    const uint64_t rope = hwl_ck_add(ck, hwl_shard_rope(m, u, ck), mask);
    for (uint32_t i = 0; i < u->pp; i++)
        add_stage(&out[i], HWL_COMP_OTHER, rope, ck);
}

hwl_status hwl_shard_weights(const struct hwl_shard_prepared *prepared, const struct hwl_shard_run *run,
                             struct hwl_shard_weights *out, uint64_t (*by_kind)[HWL_COMP_COUNT], hwl_error *error)
{
    const struct hwl_model *m = prepared->model;
    const uint32_t all = m->n_layers + m->n_mtp + m->n_encoder;
    struct hwl_ck ck = {0};
    memset(out, 0, run->pp * sizeof *out);
    const bool mtp = strcmp(run->spec_method, "mtp") == 0;
    for (uint32_t k = 0; k < prepared->n_kinds; k++) {
        struct sums s = {0};
        add_layer(&s, prepared, k, run);
        ck.overflow = ck.overflow || s.ck.overflow;
        const bool drafts = run->draft_layers && !mtp && m->n_layers && prepared->kind[m->n_layers - 1] == k;
        if (m->layers[prepared->layer[k]].mtp) { /* a draft: loaded for speculation only */
            uint64_t all_of_it = 0;
            for (uint32_t c = 0; c < HWL_COMP_COUNT && mtp; c++)
                all_of_it = hwl_ck_add(&ck, all_of_it, s.component[c]);
            memset(s.component, 0, sizeof s.component);
            s.component[HWL_COMP_DRAFT] = all_of_it;
        }
        if (by_kind)
            memcpy(by_kind[k], s.component, sizeof s.component);
        for (uint32_t c = 0; c < HWL_COMP_COUNT; c++) {
            if (!s.component[c])
                continue;
            for (uint32_t i = 0; i < all; i++)
                if (prepared->kind[i] == k && hwl_shard_has(m, run, i))
                    add_stage(&out[hwl_shard_stage(m, run, i)], (uint8_t)c, s.component[c], &ck);
            /* an EAGLE head is a layer like the target's last one, and shares embedding and head with it */
            if (drafts && c != HWL_COMP_LORA)
                add_stage(&out[run->pp - 1], HWL_COMP_DRAFT, s.component[c], &ck);
        }
    }
    if (run->draft_layers && !mtp) /* joins the token's embedding with two hidden states, or three of EAGLE-3 */
        add_stage(&out[run->pp - 1], HWL_COMP_DRAFT,
                  hwl_ck_mul4(&ck, strcmp(run->spec_method, "eagle3") == 0 ? 3 : 2, m->hidden, m->hidden, run->dtype_bytes),
                  &ck);
    add_rest(prepared, run, out, &ck);
    for (uint32_t i = 0; i < run->pp; i++)
        for (uint32_t c = 0; c < HWL_COMP_COUNT; c++)
            out[i].total = hwl_ck_add(&ck, out[i].total, out[i].component[c]);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "%s: the weights are beyond 64 bits", run->engine) : HWL_OK;
}
