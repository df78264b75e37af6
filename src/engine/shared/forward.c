/* SPDX-License-Identifier: Apache-2.0 */
/* How wide a forward pass gets on a rank. */
#include "engine/shared/shard.h"

/* Fitted to start-ups of vLLM 0.19.0 (docs/accuracy.md). */
#define MOE_ROWS 4        /* input and output of the expert operator, its copy, the reduced copy */
#define HANDED_QUARTERS 8 /* hidden and residual from the stage before: received into buffers of their own */
#define FIRST_QUARTERS 11 /* on the stage that makes them */

uint32_t hwl_shard_kv_heads(const struct hwl_layer *layer, uint32_t tp, bool expanded)
{
    const bool own = expanded || !layer->attn.n_kv_heads;
    const uint32_t heads = own ? layer->attn.n_heads : layer->attn.n_kv_heads;
    return heads > tp ? heads / tp : 1;
}

static uint64_t expert_elements(const struct hwl_model *m, const struct hwl_ffn *f, const struct hwl_shard_run *run,
                                struct hwl_ck *ck)
{
    const uint64_t width = run->ep ? f->d_expert : f->d_expert / run->expert_ranks;
    const uint64_t up = f->gated ? 2 * width : width;
    /* vllm fused_moe.py workspace_shapes: two buffers over tokens x experts of a token; and the shared experts */
    const uint64_t routed =
        hwl_ck_mul(ck, f->n_experts_used, hwl_ck_add(ck, hwl_max(up, m->hidden), hwl_max(width, m->hidden)));
    return hwl_ck_add(ck, hwl_ck_add(ck, routed, f->d_shared / run->tp * 3), hwl_ck_mul(ck, MOE_ROWS, m->hidden));
}

uint64_t hwl_shard_widest(const struct hwl_model *model, const struct hwl_shard_run *run, uint32_t stage,
                          struct hwl_ck *ck)
{
    uint64_t widest = 0;
    for (uint32_t i = run->stage_first[stage]; i < run->stage_first[stage + 1]; i++) {
        const struct hwl_layer *l = &model->layers[i];
        uint64_t w = l->ffn.d_ff / run->tp * (l->ffn.gated ? 3 : 2); /* gate, up and their product */
        if (run->tp > 1) /* the reduced copy is a tensor of its own */
            w = hwl_max(w, hwl_ck_add(ck, l->ffn.d_ff / run->tp, model->hidden));
        if (l->ffn.n_experts)
            w = hwl_max(w, expert_elements(model, &l->ffn, run, ck));
        const struct hwl_attention *a = &l->attn;
        const uint64_t heads =
            ((uint64_t)a->n_heads / run->attention_tp + hwl_shard_kv_heads(l, run->attention_tp, run->expanded)) *
            ((uint64_t)a->head_dim_k + a->head_dim_v);
        w = hwl_max(w, a->n_heads ? heads : 0);
        if (l->state.conv_dim || l->state.d_inner)
            w = hwl_max(w, 3 * hwl_max(l->state.conv_dim, l->state.d_inner) / run->attention_tp);
        widest = hwl_max(widest, w);
    }
    return widest;
}

uint64_t hwl_shard_row_quarters(const struct hwl_shard_run *run, uint32_t stage)
{
    return HWL_SHARD_ROW_QUARTERS + (run->pp == 1 ? 0 : stage ? HANDED_QUARTERS : FIRST_QUARTERS);
}

uint64_t hwl_shard_forward_elements(const struct hwl_model *model, const struct hwl_shard_run *run, struct hwl_ck *ck)
{
    uint64_t widest = 0;
    for (uint32_t p = 0; p < run->pp; p++)
        widest = hwl_max(widest, hwl_ck_add(ck, hwl_shard_widest(model, run, p, ck),
                                            hwl_ck_mul(ck, model->hidden, hwl_shard_row_quarters(run, p)) / 4));
    return widest;
}
