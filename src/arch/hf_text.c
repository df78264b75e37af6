/* SPDX-License-Identifier: Apache-2.0 */
/* The text decoder in columns: resolves a row with a configuration, then writes layers and tensors.
 * Names and shapes are those of Hugging Face checkpoints; key spellings of all families stand in one list each. */
#include "arch/hf_text.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

#define HEADS "num_attention_heads|n_head|num_heads|n_heads|decoder_attention_heads"
#define KV_HEADS "num_key_value_heads|num_kv_heads|n_head_kv|multi_query_group_num|n_kv_heads|attn_config.kv_n_heads"

static void set(const char **field, const char *def)
{
    if (!*field)
        *field = def;
}

static void default_names(struct hwl_text_row *r)
{
    set(&r->stack, "model.layers");
    set(&r->embed, "model.embed_tokens");
    set(&r->final_norm, "model.norm");
    set(&r->head, "lm_head");
    set(&r->q, "self_attn.q_proj");
    set(&r->k, "self_attn.k_proj");
    set(&r->v, "self_attn.v_proj");
    set(&r->o, "self_attn.o_proj");
    set(&r->q_norm, "self_attn.q_norm");
    set(&r->k_norm, "self_attn.k_norm");
    set(&r->gate, "mlp.gate_proj");
    set(&r->up, "mlp.up_proj");
    set(&r->down, "mlp.down_proj");
    set(&r->n1, "input_layernorm");
    set(&r->n2, r->place == HWL_SANDWICH ? "pre_feedforward_layernorm" : "post_attention_layernorm");
    set(&r->n3, "post_attention_layernorm");
    set(&r->n4, "post_feedforward_layernorm");
    set(&r->experts, "mlp.experts");
    set(&r->router, "mlp.gate");
    set(&r->shared, "mlp.shared_experts");
    set(&r->e_gate, "gate_proj");
    set(&r->e_up, "up_proj");
    set(&r->e_down, "down_proj");
    set(&r->dense_width, "intermediate_size|ffn_hidden_size|n_inner|ffn_dim|d_ff|ffn_size");
}

/* Which layers hold experts, over the spellings of all families. */
bool hwl_text_layer_is_moe(const struct hwl_text *t, uint64_t i)
{
    const struct hwl_build *b = t->b;
    const struct hwl_config *c = &b->cfg;
    if (!t->r.has_moe || !t->n_experts)
        return false;
    if (t->is_moe)
        return t->is_moe(t, i);
    if (hwl_cfg_n(c, "mlp_layer_types"))
        return strcmp(hwl_cfg_at_str(c, "mlp_layer_types", i, "dense"), "sparse") == 0;
    if (hwl_cfg_n(c, "mlp_only_layers") && hwl_cfg_in(c, "mlp_only_layers", i))
        return false;
    if (hwl_cfg_n(c, "moe_layers")) /* Llama 4 */
        return hwl_cfg_in(c, "moe_layers", i);
    if (hwl_cfg_n(c, "moe_layer_freq") > 1)
        return hwl_cfg_at_u64(c, "moe_layer_freq", i, 0) != 0;
    if (i < hwl_b_u64(b, "first_k_dense_replace|num_dense_layers|moe_layer_start_index|n_dense_layers", t->r.dense_first))
        return false;
    if (i > hwl_b_u64(b, "moe_layer_end_index", UINT32_MAX))
        return false;
    const uint64_t step = hwl_b_u64(b, "decoder_sparse_step", 0);
    if (step)
        return (i + 1) % step == 0;
    const uint64_t every = hwl_b_u64(b, "interleave_moe_layer_step|moe_layer_interval", 0);
    if (every)
        return (i + 1) % every == 0;
    const uint64_t freq = hwl_b_u64(b, "moe_layer_freq", 1);
    return !freq || i % freq == 0;
}

static uint64_t layer_window(const struct hwl_text *t, uint64_t i, uint8_t *mixer)
{
    const struct hwl_config *c = &t->b->cfg;
    *mixer = HWL_MIXER_FULL;
    if (hwl_cfg_n(c, "layer_types")) {
        const char *kind = hwl_cfg_at_str(c, "layer_types", i, "full_attention");
        if (strcmp(kind, "chunked_attention") == 0) {
            *mixer = HWL_MIXER_CHUNKED;
            return hwl_b_u64(t->b, "attention_chunk_size", 0);
        }
        if (strcmp(kind, "sliding_attention") != 0 || !t->window)
            return 0;
        *mixer = HWL_MIXER_SLIDING;
        return t->window;
    }
    if (!t->window || t->r.slide == HWL_SLIDE_NO)
        return 0;
    bool slides = true;
    if (t->r.slide == HWL_SLIDE_QWEN)
        slides = hwl_b_bool(t->b, "use_sliding_window", false) && i >= hwl_b_u64(t->b, "max_window_layers", 0);
    else if (t->r.slide == HWL_SLIDE_EVEN)
        slides = i % 2 == 0;
    else if (t->r.slide == HWL_SLIDE_PATTERN) {
        uint64_t n = t->r.pattern;
        const char *letters = hwl_cfg_has(c, "sliding_window_pattern") ? NULL : "";
        if (!letters) {
            yyjson_val *v = hwl_json_get(c->obj, "sliding_window_pattern");
            n = yyjson_is_str(v) ? strlen(yyjson_get_str(v)) : hwl_cfg_u64(c, "sliding_window_pattern", n);
        }
        slides = !n || (i + 1) % n != 0;
    }
    if (!slides)
        return 0;
    *mixer = HWL_MIXER_SLIDING;
    return t->window;
}

static void resolve_attention(struct hwl_text *t)
{
    struct hwl_build *b = t->b;
    t->heads = hwl_b_need(b, HEADS);
    if (!t->heads)
        hwl_cfg_bad(&b->cfg, "num_attention_heads", "no attention heads");
    t->kv_heads = hwl_b_u64(b, KV_HEADS, t->heads);
    const bool divides = t->heads && t->hidden % t->heads == 0;
    t->head_dim = hwl_b_u64(b, "head_dim|kv_channels|attention_head_dim|head_size", 0);
    if (!t->head_dim && t->heads) {
        if (!divides && !t->r.mla && !t->r.head_floor)
            hwl_cfg_bad(&b->cfg, "num_attention_heads", "hidden_size %llu is no multiple of %llu heads", (unsigned long long)t->hidden,
                        (unsigned long long)t->heads);
        t->head_dim = t->hidden / t->heads;
    }
    t->head_dim_v = hwl_b_u64(b, "v_head_dim", t->head_dim);
    t->mla = hwl_b_flag(b, t->r.mla);
    if (t->mla) {
        t->q_rank = hwl_b_u64(b, "q_lora_rank", 0);
        t->kv_rank = hwl_b_need(b, "kv_lora_rank");
        t->nope = hwl_b_need(b, "qk_nope_head_dim");
        t->rope = hwl_b_need(b, "qk_rope_head_dim");
        t->head_dim = t->nope + t->rope;
        t->head_dim_v = hwl_b_u64(b, "v_head_dim", t->nope);
    }
    t->window = hwl_b_u64(b, "sliding_window|sliding_window_size|window_size", 0);
}

/* A number, or the first of a list with one for each layer (Hunyuan). */
static uint64_t first_u64(const struct hwl_build *b, const char *keys, uint64_t def)
{
    return hwl_cfg_n(&b->cfg, keys) ? hwl_cfg_at_u64(&b->cfg, keys, 0, def) : hwl_b_u64(b, keys, def);
}

static void resolve(struct hwl_text *t, struct hwl_build *b, const struct hwl_text_row *row)
{
    *t = (struct hwl_text){.b = b, .r = *row};
    default_names(&t->r);
    t->hidden = hwl_b_need(b, "hidden_size|n_embd|n_embed|d_model|dim|model_dim|hidden_dim");
    t->n_layers = hwl_b_need(b, "num_hidden_layers|n_layer|num_layers|n_layers|decoder_layers");
    t->vocab = hwl_b_need(b, "vocab_size|padded_vocab_size|n_vocab");
    t->context = hwl_b_u64(b, "max_position_embeddings|n_positions|max_seq_len|seq_length|max_sequence_length|n_ctx", 0);
    resolve_attention(t);
    t->d_ff = hwl_b_u64(b, t->r.dense_width, 0);
    t->q_bias = hwl_b_flag(b, row->q_bias);
    t->kv_bias = row->kv_bias ? hwl_b_flag(b, row->kv_bias) : t->q_bias;
    t->o_bias = hwl_b_flag(b, row->o_bias);
    t->mlp_bias = hwl_b_flag(b, row->mlp_bias);
    t->ungated = hwl_b_flag(b, row->ungated);
    t->qk_norm = row->qk && (!row->qk_flag || hwl_b_flag(b, row->qk_flag));
    t->tied = b->tie ? b->tie == 2 : row->tied ? hwl_b_flag(b, row->tied) : hwl_b_bool(b, "tie_word_embeddings", false);
    if (row->has_moe) {
        t->n_experts =
            hwl_b_u64(b, "num_local_experts|n_routed_experts|num_experts|moe_num_experts|moe_num_primary_experts|num_moe_experts", 0);
        t->n_used = first_u64(b, "num_experts_per_tok|num_experts_per_token|moe_k|moe_topk|moe_top_k|moe_num_active_primary_experts", 1);
        t->d_expert = first_u64(b, "moe_intermediate_size|moe_ffn_hidden_size|expert_ffn_hidden_size|moe_ffn_hidden_dim", t->d_ff);
        t->n_shared = first_u64(b, "n_shared_experts|num_shared_experts|num_shared_expert|moe_num_shared_experts", 0);
        t->d_shared = t->n_shared * t->d_expert;
        t->router_bias = hwl_b_flag(b, row->router_bias);
        t->correction = hwl_b_flag(b, row->correction);
        t->shared_gate = hwl_b_flag(b, row->shared_gate);
    }
    t->n_mtp = hwl_mtp_count(&b->cfg, b->root, row->mtp);
    t->position_rows = row->pos ? t->context + row->pos_extra : 0;
    t->embed_width = t->hidden;
    if (t->r.adjust)
        t->r.adjust(t);
}

int hwl_text_number(const struct hwl_text *t, int32_t l)
{
    return (int)(l - (int32_t)t->number_from);
}

void hwl_text_norm(struct hwl_text *t, enum hwl_role role, int32_t layer, uint64_t n, const char *name)
{
    if (t->r.norm == HWL_NO_NORM)
        return;
    if (layer < 0)
        hwl_emit_linear(t->b, role, layer, n, 0, t->r.norm == HWL_LN, "%s", name);
    else
        hwl_emit_linear(t->b, role, layer, n, 0, t->r.norm == HWL_LN, "%s.%d.%s", t->r.stack, hwl_text_number(t, layer), name);
}

static void linear(struct hwl_text *t, enum hwl_role role, int32_t l, uint64_t out, uint64_t in, bool bias, const char *name)
{
    if (!t->r.conv1d) {
        hwl_emit_linear(t->b, role, l, out, in, bias, "%s.%d.%s", t->r.stack, hwl_text_number(t, l), name);
        return;
    }
    (void)hwl_emit(t->b, role, l, in, out, "%s.%d.%s.weight", t->r.stack, hwl_text_number(t, l), name);
    if (bias)
        (void)hwl_emit(t->b, role, l, out, 0, "%s.%d.%s.bias", t->r.stack, hwl_text_number(t, l), name);
}

/* Layers that use the choice of an earlier one have neither indexer nor its keys: by a list of words, a pattern of F and S,
 * or every index_topk_freq-th from index_skip_topk_offset on (transformers glm_moe_dsa, vLLM deepseek_v2.py). A layer of
 * MTP always has its own. */
static bool has_indexer(const struct hwl_text *t, uint64_t layer)
{
    const struct hwl_config *c = &t->b->cfg;
    if (!t->r.indexer || layer >= t->n_layers)
        return t->r.indexer;
    if (hwl_cfg_n(c, "indexer_types"))
        return strcmp(hwl_cfg_at_str(c, "indexer_types", layer, "full"), "shared") != 0;
    const char *pattern = hwl_cfg_str(c, "index_topk_pattern", "");
    if (*pattern)
        return layer >= strlen(pattern) || pattern[layer] != 'S';
    const uint64_t freq = hwl_cfg_u64(c, "index_topk_freq", 1), offset = hwl_cfg_u64(c, "index_skip_topk_offset", 2);
    return freq < 2 || layer + 1 < offset || (layer + 1 - offset) % freq == 0;
}

static void emit_mla(struct hwl_text *t, int32_t l)
{
    const uint64_t qk = t->nope + t->rope;
    if (t->q_rank) {
        linear(t, HWL_ROLE_ATTN_Q_A, l, t->q_rank, t->hidden, t->q_bias, "self_attn.q_a_proj");
        hwl_text_norm(t, HWL_ROLE_ATTN_Q_A_NORM, l, t->q_rank, "self_attn.q_a_layernorm");
        linear(t, HWL_ROLE_ATTN_Q_B, l, t->heads * qk, t->q_rank, false, "self_attn.q_b_proj");
    } else {
        linear(t, HWL_ROLE_ATTN_Q, l, t->heads * qk, t->hidden, false, "self_attn.q_proj");
    }
    linear(t, HWL_ROLE_ATTN_KV_A, l, t->kv_rank + t->rope, t->hidden, t->q_bias, "self_attn.kv_a_proj_with_mqa");
    hwl_text_norm(t, HWL_ROLE_ATTN_KV_A_NORM, l, t->kv_rank, "self_attn.kv_a_layernorm");
    linear(t, HWL_ROLE_ATTN_KV_B, l, t->heads * (t->nope + t->head_dim_v), t->kv_rank, false, "self_attn.kv_b_proj");
    linear(t, HWL_ROLE_ATTN_OUT, l, t->hidden, t->heads * t->head_dim_v, t->o_bias, t->r.o);
    const uint64_t ih = has_indexer(t, (uint32_t)l) ? hwl_b_u64(t->b, "index_n_heads", 0) : 0, id = hwl_b_u64(t->b, "index_head_dim", 0);
    if (!ih)
        return;
    linear(t, HWL_ROLE_INDEXER, l, ih * id, t->q_rank, false, "self_attn.indexer.wq_b");
    linear(t, HWL_ROLE_INDEXER, l, id, t->hidden, false, "self_attn.indexer.wk");
    linear(t, HWL_ROLE_INDEXER, l, id, 0, true, "self_attn.indexer.k_norm");
    linear(t, HWL_ROLE_INDEXER, l, ih, t->hidden, false, "self_attn.indexer.weights_proj");
}

static void emit_attention(struct hwl_text *t, int32_t l)
{
    const uint64_t q = t->heads * t->head_dim, k = t->kv_heads * t->head_dim, v = t->kv_heads * t->head_dim_v;
    if (t->mla) {
        emit_mla(t, l);
        return;
    }
    if (t->r.qkv) {
        linear(t, HWL_ROLE_ATTN_QKV, l, q + k + v, t->hidden, t->q_bias, t->r.qkv);
    } else {
        linear(t, HWL_ROLE_ATTN_Q, l, q, t->hidden, t->q_bias, t->r.q);
        linear(t, HWL_ROLE_ATTN_K, l, k, t->hidden, t->kv_bias, t->r.k);
        linear(t, HWL_ROLE_ATTN_V, l, v, t->hidden, t->kv_bias, t->r.v);
    }
    linear(t, HWL_ROLE_ATTN_OUT, l, t->hidden, t->r.o_square ? t->hidden : t->heads * t->head_dim_v, t->o_bias, t->r.o);
    if (t->qk_norm) {
        const bool full = t->r.qk == HWL_QK_FULL;
        if (t->r.qk == HWL_QK_HEADS) { /* a norm of its own for each head */
            (void)hwl_emit(t->b, HWL_ROLE_ATTN_Q_NORM, l, t->heads, t->head_dim, "%s.%d.%s.weight", t->r.stack, hwl_text_number(t, l), t->r.q_norm);
            (void)hwl_emit(t->b, HWL_ROLE_ATTN_K_NORM, l, t->kv_heads, t->head_dim, "%s.%d.%s.weight", t->r.stack, hwl_text_number(t, l), t->r.k_norm);
        } else {
            hwl_text_norm(t, HWL_ROLE_ATTN_Q_NORM, l, full ? q : t->head_dim, t->r.q_norm);
            hwl_text_norm(t, HWL_ROLE_ATTN_K_NORM, l, full ? k : t->head_dim, t->r.k_norm);
        }
    }
    if (t->r.sinks)
        (void)hwl_emit(t->b, HWL_ROLE_ATTN_SINKS, l, t->heads, 0, "%s.%d.self_attn.sinks", t->r.stack, hwl_text_number(t, l));
}

static void emit_dense(struct hwl_text *t, int32_t l, uint64_t d_ff)
{
    if (t->r.gate_up && !t->ungated) {
        linear(t, HWL_ROLE_FFN_GATE_UP, l, 2 * d_ff, t->hidden, t->mlp_bias, t->r.gate_up);
    } else {
        if (!t->ungated)
            linear(t, HWL_ROLE_FFN_GATE, l, d_ff, t->hidden, t->mlp_bias, t->r.gate);
        linear(t, HWL_ROLE_FFN_UP, l, d_ff, t->hidden, t->mlp_bias, t->r.up);
    }
    linear(t, HWL_ROLE_FFN_DOWN, l, t->hidden, d_ff, t->mlp_bias, t->r.down);
}

static void emit_expert_each(struct hwl_text *t, int32_t l, enum hwl_role role, uint64_t out, uint64_t in, const char *name)
{
    (void)hwl_emit_n(t->b, role, l, t->n_experts, out, in, "%s.%d.%s.*.%s.weight", t->r.stack, hwl_text_number(t, l), t->r.experts, name);
}

static void emit_expert_all(struct hwl_text *t, int32_t l, enum hwl_role role, uint64_t out, uint64_t in, const char *name)
{
    const uint64_t dims[3] = {t->n_experts, out, in};
    struct hwl_tensor *e = hwl_emit_dims(t->b, role, l, dims, in ? 3 : 2, "%s.%d.%s.%s", t->r.stack, hwl_text_number(t, l), t->r.experts, name);
    if (e)
        e->routed = true;
}

static void emit_expert_flat(struct hwl_text *t, int32_t l, enum hwl_role role, const char *name)
{
    const uint64_t dims[2] = {t->n_experts * t->d_expert, t->hidden};
    struct hwl_tensor *e = hwl_emit_dims(t->b, role, l, dims, 2, "%s.%d.%s.%s", t->r.stack, hwl_text_number(t, l), t->r.experts, name);
    if (e)
        e->routed = true;
}

static void emit_moe(struct hwl_text *t, int32_t l)
{
    const uint64_t h = t->hidden, d = t->d_expert;
    linear(t, HWL_ROLE_ROUTER, l, t->n_experts, h, t->router_bias, t->r.router);
    if (t->correction) { /* stored beside the router, a buffer and no parameter of the class */
        struct hwl_tensor *e =
            hwl_emit(t->b, HWL_ROLE_ROUTER_BIAS, l, t->n_experts, 0, "%s.%d.%s.e_score_correction_bias", t->r.stack, hwl_text_number(t, l), t->r.router);
        if (e) {
            e->buffer = true;
            e->elements = 0;
        }
    }
    switch (t->r.moe) {
    case HWL_MOE_GPT_OSS:
        emit_expert_all(t, l, HWL_ROLE_EXP_GATE_UP, h, 2 * d, "gate_up_proj");
        emit_expert_all(t, l, HWL_ROLE_EXP_GATE_UP, 2 * d, 0, "gate_up_proj_bias");
        emit_expert_all(t, l, HWL_ROLE_EXP_DOWN, d, h, "down_proj");
        emit_expert_all(t, l, HWL_ROLE_EXP_DOWN, h, 0, "down_proj_bias");
        break;
    case HWL_MOE_FUSED:
        emit_expert_all(t, l, HWL_ROLE_EXP_GATE_UP, h, 2 * d, "gate_up_proj");
        emit_expert_all(t, l, HWL_ROLE_EXP_DOWN, d, h, "down_proj");
        break;
    case HWL_MOE_GRANITE:
        emit_expert_all(t, l, HWL_ROLE_EXP_GATE_UP, 2 * d, h, "input_linear.weight");
        emit_expert_all(t, l, HWL_ROLE_EXP_DOWN, h, d, "output_linear.weight");
        break;
    case HWL_MOE_STACKED:
        emit_expert_all(t, l, HWL_ROLE_EXP_GATE, d, h, t->r.e_gate);
        emit_expert_all(t, l, HWL_ROLE_EXP_UP, d, h, t->r.e_up);
        emit_expert_all(t, l, HWL_ROLE_EXP_DOWN, h, d, t->r.e_down);
        break;
    case HWL_MOE_FLAT: /* all experts below one another */
        emit_expert_flat(t, l, HWL_ROLE_EXP_GATE, t->r.e_gate);
        emit_expert_flat(t, l, HWL_ROLE_EXP_UP, t->r.e_up);
        emit_expert_flat(t, l, HWL_ROLE_EXP_DOWN, t->r.e_down);
        break;
    default:
        if (!t->ungated)
            emit_expert_each(t, l, HWL_ROLE_EXP_GATE, d, h, t->r.e_gate);
        emit_expert_each(t, l, HWL_ROLE_EXP_UP, d, h, t->r.e_up);
        emit_expert_each(t, l, HWL_ROLE_EXP_DOWN, h, d, t->r.e_down);
        break;
    }
    if (!t->d_shared)
        return;
    char name[160];
    const struct {
        enum hwl_role role;
        const char *name;
    } part[3] = {{HWL_ROLE_SHEXP_GATE, "gate_proj"}, {HWL_ROLE_SHEXP_UP, "up_proj"}, {HWL_ROLE_SHEXP_DOWN, "down_proj"}};
    for (int i = t->ungated ? 1 : 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s.%s", t->r.shared, part[i].name);
        linear(t, part[i].role, l, i < 2 ? t->d_shared : h, i < 2 ? h : t->d_shared, t->mlp_bias, name);
    }
    if (t->shared_gate)
        linear(t, HWL_ROLE_SHEXP_ROUTER, l, 1, h, false, "mlp.shared_expert_gate");
}

static void describe(struct hwl_text *t, struct hwl_layer *layer, uint64_t i, bool moe)
{
    uint8_t mixer;
    const uint64_t window = layer_window(t, i, &mixer);
    struct hwl_attention *a = &layer->attn;
    a->n_heads = (uint32_t)t->heads;
    a->n_kv_heads = t->mla ? 1 : (uint32_t)t->kv_heads;
    a->head_dim_k = (uint32_t)t->head_dim;
    a->head_dim_v = (uint32_t)t->head_dim_v;
    a->window = window;
    a->sinks = t->r.sinks;
    layer->mixer = mixer;
    if (t->mla) {
        layer->mixer = HWL_MIXER_MLA;
        a->q_lora_rank = (uint32_t)t->q_rank;
        a->kv_lora_rank = (uint32_t)t->kv_rank;
        a->qk_rope_dim = (uint32_t)t->rope;
        a->qk_nope_dim = (uint32_t)t->nope;
        if (t->r.indexer) {
            layer->mixer = HWL_MIXER_SPARSE;
            a->index_heads = has_indexer(t, i) ? hwl_b_u32(t->b, "index_n_heads", 0) : 0;
            a->index_head_dim = hwl_b_u32(t->b, "index_head_dim", 0);
            a->index_topk = hwl_b_u32(t->b, "index_topk", 0);
        }
    }
    if (t->r.describe)
        t->r.describe(t, layer, i);
    struct hwl_ffn *f = &layer->ffn;
    f->gated = !t->ungated;
    layer->feed_forward = moe ? HWL_FFN_MOE : HWL_FFN_DENSE;
    if (!moe) {
        f->d_ff = t->ffn_width ? t->ffn_width(t, i) : t->d_ff;
        return;
    }
    f->n_experts = (uint32_t)t->n_experts;
    f->n_experts_used = (uint32_t)t->n_used;
    f->d_expert = t->d_expert;
    f->n_shared = (uint32_t)t->n_shared;
    f->d_shared = t->d_shared;
}

static void emit_layer(struct hwl_text *t, int32_t l, const struct hwl_layer *layer)
{
    const struct hwl_text_row *r = &t->r;
    if (r->place != HWL_POST)
        hwl_text_norm(t, HWL_ROLE_ATTN_NORM, l, t->hidden, r->n1);
    if (r->attention)
        r->attention(t, l);
    else
        emit_attention(t, l);
    if (r->place == HWL_SANDWICH || r->place == HWL_POST)
        hwl_text_norm(t, HWL_ROLE_ATTN_POST_NORM, l, t->hidden, r->n3);
    if (r->place == HWL_PRE || r->place == HWL_PARALLEL_TWO || r->place == HWL_SANDWICH)
        hwl_text_norm(t, HWL_ROLE_FFN_NORM, l, t->hidden, r->n2);
    if (layer->feed_forward == HWL_FFN_MOE)
        emit_moe(t, l);
    else
        emit_dense(t, l, layer->ffn.d_ff);
    if (r->place == HWL_SANDWICH || r->place == HWL_POST)
        hwl_text_norm(t, HWL_ROLE_FFN_POST_NORM, l, t->hidden, r->n4);
    if (r->layer_extra)
        r->layer_extra(t, l);
}

/* Sizes that the 32-bit fields of a layer could not hold are no model. */
static bool sane(const struct hwl_text *t)
{
    const uint64_t top = UINT32_MAX / 64, wide = UINT32_MAX;
    if (t->hidden <= wide && t->d_ff <= wide && t->d_expert <= wide && t->vocab <= wide && t->context <= wide && t->embed_width <= wide &&
        t->heads <= top && t->kv_heads <= top && t->head_dim <= top && t->head_dim_v <= top && t->n_experts <= top && t->n_used <= top &&
        t->n_shared <= top && t->kv_rank <= top && t->q_rank <= top && t->rope <= top && t->nope <= top)
        return true;
    hwl_cfg_bad(&t->b->cfg, "num_attention_heads", "absurd sizes of attention, experts or widths");
    return false;
}

/* The layer of the stack, or of the lists behind it, that a layer for multi-token prediction is shaped like. */
static uint64_t mtp_like(const struct hwl_text *t, uint64_t i)
{
    if (t->r.mtp->like == HWL_MTP_OWN)
        return i;
    struct hwl_layer l = {0};
    for (uint64_t k = 0; t->r.mtp->like == HWL_MTP_WINDOW && t->r.describe && k < t->n_layers; k++) {
        t->r.describe(t, &l, k);
        if (l.attn.window)
            return k;
    }
    return t->n_layers - 1;
}

/* Layers for multi-token prediction: stored behind the stack, and no part of the class. */
static void mtp_layers(struct hwl_text *t, struct hwl_layer *layers)
{
    const struct hwl_mtp_form *form = t->r.mtp;
    t->b->model->n_mtp_served = form->served;
    if (form->stack) {
        t->r.stack = form->stack;
        t->number_from = t->n_layers;
    }
    if (form->inside)
        t->r.n2 = form->inside;
    for (uint64_t k = 0; k < t->n_mtp; k++) {
        const uint64_t i = t->n_layers + k;
        t->like = mtp_like(t, i);
        if (t->r.per_layer) {
            t->r.per_layer(t, t->like);
            if (!sane(t))
                return;
        }
        t->moe = !form->dense && hwl_text_layer_is_moe(t, t->like);
        describe(t, &layers[i], t->like, t->moe);
        if (t->mla && has_indexer(t, i)) /* its own, where the layer that it is like shares one */
            layers[i].attn.index_heads = hwl_b_u32(t->b, "index_n_heads", 0);
        emit_layer(t, (int32_t)i, &layers[i]);
        hwl_mtp_parts(t->b, form, (int32_t)i, k, t->r.stack, t->hidden, t->vocab);
    }
}

void hwl_text_read(struct hwl_build *b, const struct hwl_text_row *row)
{
    struct hwl_text text, *t = &text;
    resolve(t, b, row);
    if (!sane(t) || !t->hidden || !t->n_layers || !t->vocab || !t->heads)
        return; /* said in b's log, or nothing to say of: a stack of no layers */
    if (!t->d_ff && !t->d_expert && !t->ffn_width)
        (void)hwl_cfg_need(&b->cfg, t->r.dense_width);
    struct hwl_model *m = b->model;
    struct hwl_layer *layers = hwl_b_layers(b, t->n_layers, t->n_mtp, 0);
    if (!layers)
        return;
    m->hidden = t->hidden;
    m->vocab = t->vocab;
    m->context_train = t->context;
    m->tied = t->tied;
    (void)hwl_emit(b, HWL_ROLE_TOK_EMBD, -1, t->vocab, t->embed_width, "%s.weight", t->r.embed);
    if (t->position_rows)
        (void)hwl_emit(b, HWL_ROLE_POS_EMBD, -1, t->position_rows, t->hidden, "%s.weight", t->r.pos);
    if (t->r.embed_norm)
        hwl_text_norm(t, HWL_ROLE_EMBD_NORM, -1, t->hidden, t->r.embed_norm);
    for (uint64_t i = 0; i < t->n_layers; i++) {
        if (t->r.per_layer) {
            t->r.per_layer(t, i);
            if (!sane(t))
                return;
        }
        t->like = i;
        t->moe = hwl_text_layer_is_moe(t, i);
        describe(t, &layers[i], i, t->moe);
        emit_layer(t, (int32_t)i, &layers[i]);
    }
    if (!t->r.no_final_norm)
        hwl_text_norm(t, HWL_ROLE_OUTPUT_NORM, -1, t->hidden, t->r.final_norm);
    if (t->r.extra)
        t->r.extra(t);
    if (!b->headless && !t->tied)
        (void)hwl_emit(b, HWL_ROLE_OUTPUT, -1, t->vocab, t->embed_width, "%s.weight", t->r.head);
    if (!b->headless && hwl_b_flag(b, t->r.head_bias))
        (void)hwl_emit(b, HWL_ROLE_OUTPUT, -1, t->vocab, 0, "%s.bias", t->r.head);
    if (t->n_mtp)
        mtp_layers(t, layers);
}
