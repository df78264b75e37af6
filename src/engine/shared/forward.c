/* SPDX-License-Identifier: Apache-2.0 */
/* How wide a forward pass gets on a rank. */
#include "engine/shared/shard.h"

uint32_t hwl_shard_kv_heads(const struct hwl_layer *layer, uint32_t tp, bool expanded)
{
    const bool own = expanded || !layer->attn.n_kv_heads;
    const uint32_t heads = own ? layer->attn.n_heads : layer->attn.n_kv_heads;
    return heads > tp ? heads / tp : 1;
}

/* Gate, up and their product, or an expert layer's buffers, beside the residual and the normed copies. */
uint64_t hwl_shard_forward_elements(const struct hwl_model *model, const struct hwl_shard_run *run, struct hwl_ck *ck)
{
    uint64_t widest = 0;
    for (uint32_t i = 0; i < model->n_layers; i++) {
        const struct hwl_layer *l = &model->layers[i];
        const uint64_t tp = run->tp, heads_tp = run->attention_tp;
        uint64_t w = l->ffn.d_ff / tp * (l->ffn.gated ? 3 : 2);
        if (l->ffn.n_experts) {
            const uint64_t width = run->ep ? l->ffn.d_expert : l->ffn.d_expert / run->expert_ranks;
            /* fused_moe: two workspaces over tokens x experts of a token, and the shared experts */
            const uint64_t routed =
                hwl_ck_mul(ck, l->ffn.n_experts_used,
                           hwl_ck_add(ck, hwl_max(2 * width, model->hidden), hwl_max(width, model->hidden)));
            w = hwl_max(w, hwl_ck_add(ck, routed, l->ffn.d_shared / tp * 3));
        }
        const struct hwl_attention *a = &l->attn;
        const uint64_t heads = ((uint64_t)a->n_heads / heads_tp + hwl_shard_kv_heads(l, run->attention_tp, run->expanded)) *
                               ((uint64_t)a->head_dim_k + a->head_dim_v);
        w = hwl_max(w, a->n_heads ? heads : 0);
        if (l->state.conv_dim || l->state.d_inner)
            w = hwl_max(w, 3 * hwl_max(l->state.conv_dim, l->state.d_inner) / heads_tp);
        widest = hwl_max(widest, w);
    }
    /* 4.25 hidden rows: residual, hidden, normed copy, output; two more where another stage sends or receives them */
    const uint64_t rows = hwl_ck_mul(ck, model->hidden, run->pp > 1 ? 25 : 17) / 4;
    return hwl_ck_add(ck, widest, rows);
}
