/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what llama.cpp reads of a GGUF's metadata: llama_model_base::load_hparams of src/llama-model.cpp and the
 * load_arch_hparams of src/models, by a row for each architecture. */
#include "engine/llamacpp/hparams.h"

#include "base/status.h"
#include "base/str.h"
#include "engine/llamacpp/arch_row.h"

#include <stdio.h>
#include <string.h>

static const struct lc_arch rows[] = {
#define A(name, memory, window, period, n_swa, recurrent, flags)                                                                           \
    {name, LC_MEM_##memory, LC_WIN_##window, period, LC_REC_##recurrent, n_swa, (uint32_t)(flags)},
#include "engine/llamacpp/archs.def"
#undef A
};

struct keys {
    const struct hwl_gguf *g;
    const char *arch;
    char buf[LC_NAME];
    hwl_error *error;
    hwl_status status;
};

static const char *key(struct keys *k, const char *suffix)
{
    (void)snprintf(k->buf, sizeof k->buf, "%s.%s", k->arch, suffix);
    return k->buf;
}

static void bad(struct keys *k, const char *suffix, const char *what)
{
    if (k->status == HWL_OK)
        k->status = hwl_fail_at(k->error, HWL_E_FORMAT, k->g->path, HWL_NO_OFFSET, key(k, suffix), "%s", what);
}

static bool get(struct keys *k, const char *suffix, uint32_t *out)
{
    uint64_t v;
    if (!hwl_gguf_u64(k->g, key(k, suffix), &v))
        return false;
    if (v > UINT32_MAX) {
        bad(k, suffix, "the value is out of range");
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

static void need(struct keys *k, const char *suffix, uint32_t *out)
{
    if (!get(k, suffix, out))
        bad(k, suffix, "the key is missing or no whole number");
}

/* llama_model_loader::get_key_or_arr: a scalar for all n, or an array of at least n... of exactly n elements. */
static bool at(struct keys *k, const char *suffix, uint64_t i, uint64_t *out)
{
    return hwl_gguf_array_u64(k->g, key(k, suffix), i, out);
}

/* Sets layers from an array key of the file (shorter arrays leave the rest 0); false when there is no such array. */
static bool swa_array(struct keys *k, struct lc_model *m)
{
    const uint64_t n = hwl_gguf_array_n(k->g, key(k, "attention.sliding_window_pattern"));
    if (!n)
        return false;
    for (uint32_t i = 0; i < m->n_layer_all; i++) {
        uint64_t v = 0;
        m->layers[i].swa = i < n && at(k, "attention.sliding_window_pattern", i, &v) && v;
    }
    return true;
}

static void swa_pattern(struct keys *k, struct lc_model *m, uint32_t period, bool dense_first)
{
    if (swa_array(k, m))
        return;
    (void)get(k, "attention.sliding_window_pattern", &period);
    for (uint32_t i = 0; i < m->n_layer_all; i++)
        m->layers[i].swa = i < m->n_layer && (period == 0 || (dense_first ? i % period != 0 : i % period < period - 1));
}

static void read_window(struct keys *k, struct lc_model *m)
{
    const struct lc_arch *r = m->row;
    const bool found = get(k, "attention.sliding_window", &m->n_swa);
    const uint8_t type = r->flags & LC_SYMMETRIC ? LC_SWA_SYMMETRIC : LC_SWA_STANDARD;
    const bool dense_first = r->flags & LC_DENSE_FIRST;
    switch ((enum lc_window)r->window) {
    case LC_WIN_NONE:
        m->n_swa = 0;
        return;
    case LC_WIN_KEY:
        if (m->n_swa == 0)
            return;
        m->swa_type = type;
        if (r->flags & LC_FORCED)
            m->n_swa = r->n_swa;
        swa_pattern(k, m, r->period, dense_first);
        return;
    case LC_WIN_EXAONE4:
        if (m->n_layer != 64)
            return;
        m->swa_type = type;
        if (!found)
            m->n_swa = r->n_swa;
        swa_pattern(k, m, r->period, dense_first);
        return;
    case LC_WIN_ALWAYS:
        m->swa_type = type;
        if (!found)
            m->n_swa = r->n_swa;
        if (!m->n_swa)
            bad(k, "attention.sliding_window", "the key is missing");
        if (m->memory == LC_MEM_DSV4) {
            for (uint32_t i = 0; i < m->n_layer_all; i++)
                m->layers[i].swa = true;
            return;
        }
        swa_pattern(k, m, r->period, dense_first);
        return;
    case LC_WIN_ARRAY:
        m->swa_type = type;
        if (!found)
            bad(k, "attention.sliding_window", "the key is missing");
        if (!swa_array(k, m))
            bad(k, "attention.sliding_window_pattern", "the array is missing");
        return;
    case LC_WIN_KEY_ARRAY:
        if (m->n_swa == 0)
            return;
        m->swa_type = type;
        if (!swa_array(k, m))
            for (uint32_t i = 0; i < m->n_layer_all; i++)
                m->layers[i].swa = m->hc_mult > 0;
        return;
    case LC_WIN_LLAMA4:
        if (found && m->n_swa == 0)
            return;
        m->swa_type = LC_SWA_CHUNKED;
        m->n_swa = r->n_swa;
        swa_pattern(k, m, r->period, dense_first);
        return;
    case LC_WIN_LFM2:
        if (m->n_swa == 0)
            return;
        m->swa_type = type;
        for (uint32_t i = 0; i < m->n_layer; i++)
            m->layers[i].swa = !m->layers[i].recr;
        return;
    }
}

static void read_recurrent(struct keys *k, struct lc_model *m)
{
    uint32_t every = m->row->flags & LC_PERIOD;
    const bool array = m->row->recurrent == LC_REC_EVERY && hwl_gguf_get(k->g, key(k, "attention.recurrent_layers"));
    (void)get(k, "full_attention_interval", &every);
    if (m->row->recurrent == LC_REC_EVERY && every == 0) {
        bad(k, "full_attention_interval", "the interval is 0");
        return;
    }
    for (uint32_t i = 0; i < m->n_layer_all; i++) {
        struct lc_layer *l = &m->layers[i];
        uint64_t v = 0;
        switch ((enum lc_recurrent)m->row->recurrent) {
        case LC_REC_NONE: break;
        case LC_REC_ALL: l->recr = true; break;
        case LC_REC_KV0: l->recr = i < m->n_layer && l->n_head_kv == 0; break;
        case LC_REC_KV0_FF0: l->recr = i < m->n_layer && l->n_head_kv == 0 && l->n_ff == 0; break;
        case LC_REC_EVERY:
            l->recr = array ? at(k, "attention.recurrent_layers", i, &v) && v : i < m->n_layer && (i + 1) % every != 0;
            break;
        }
    }
}

static void read_heads(struct keys *k, struct lc_model *m)
{
    for (uint32_t i = 0; i < m->n_layer_all; i++) {
        struct lc_layer *l = &m->layers[i];
        uint64_t v = 0;
        if (at(k, "attention.head_count", i, &v))
            l->n_head = (uint32_t)v;
        l->n_head_kv = l->n_head;
        if (at(k, "attention.head_count_kv", i, &v))
            l->n_head_kv = (uint32_t)v;
        if (at(k, "feed_forward_length", i, &v))
            l->n_ff = (uint32_t)v;
        if (at(k, "expert_feed_forward_length", i, &v))
            l->n_ff_exp = (uint32_t)v;
        if (at(k, "expert_used_count", i, &v))
            l->n_expert_used = (uint32_t)v;
        if (at(k, "attention.compress_ratios", i, &v))
            l->compress_ratio = (uint32_t)v;
        double bound = 0;
        l->clamp_exp = hwl_gguf_array_f64(k->g, key(k, "swiglu_clamp_exp"), i, &bound) && bound > 1e-6;
        l->clamp_shexp = hwl_gguf_array_f64(k->g, key(k, "swiglu_clamp_shexp"), i, &bound) && bound > 1e-6;
        if (l->n_head_kv > (1u << 20) || l->n_head > (1u << 20))
            bad(k, "attention.head_count", "the number of heads is out of range");
        if (l->n_expert_used > m->n_expert_used)
            m->n_expert_used = l->n_expert_used;
    }
    const uint32_t n_head = m->layers[0].n_head;
    if (n_head > 0) {
        m->head_k = m->head_v = m->n_embd / n_head;
        (void)get(k, "attention.key_length", &m->head_k);
        (void)get(k, "attention.value_length", &m->head_v);
        m->n_rot = m->head_k;
        (void)get(k, "rope.dimension_count", &m->n_rot);
    }
    m->head_k_swa = m->head_k;
    m->head_v_swa = m->head_v;
    m->n_rot_swa = m->n_rot;
    (void)get(k, "attention.key_length_swa", &m->head_k_swa);
    (void)get(k, "attention.value_length_swa", &m->head_v_swa);
    (void)get(k, "rope.dimension_count_swa", &m->n_rot_swa);
}

/* Layers 0, 1, 2 own an indexer, then each fourth (GLM-5.2 where the file does not say). */
static bool glm_indexer(const struct lc_model *m, uint32_t i)
{
    return m->n_ctx_train < 1048576 || i < 2 || (i - 2) % 4 == 0;
}

static void read_indexer(struct keys *k, struct lc_model *m)
{
    (void)get(k, "attention.indexer.head_count", &m->indexer_n_head);
    (void)get(k, "attention.indexer.key_length", &m->indexer_head_size);
    (void)get(k, "attention.indexer.top_k", &m->indexer_top_k);
    for (uint32_t i = 0; i < m->n_layer; i++) {
        uint64_t v = 0;
        m->layers[i].indexer_full = m->row->flags & LC_INDEX_ALL ? true : m->row->flags & LC_INDEX_GLM ? glm_indexer(m, i) : false;
        if (at(k, "attention.indexer.types", i, &v))
            m->layers[i].indexer_full = v != 0;
    }
}

static const struct {
    const char *suffix;
    size_t offset;
} plain[] = {
    {"embedding_length_out", offsetof(struct lc_model, n_embd_out)},
    {"embedding_length_per_layer_input", offsetof(struct lc_model, n_embd_per_layer)},
    {"expert_count", offsetof(struct lc_model, n_expert)},
    {"expert_shared_count", offsetof(struct lc_model, n_expert_shared)},
    {"expert_shared_feed_forward_length", offsetof(struct lc_model, n_ff_shexp)},
    {"expert_group_count", offsetof(struct lc_model, n_expert_groups)},
    {"expert_group_used_count", offsetof(struct lc_model, n_group_used)},
    {"expert_gating_func", offsetof(struct lc_model, gating_func)},
    {"leading_dense_block_count", offsetof(struct lc_model, n_layer_dense_lead)},
    {"interleave_moe_layer_step", offsetof(struct lc_model, moe_layer_step)},
    {"attention.q_lora_rank", offsetof(struct lc_model, n_lora_q)},
    {"attention.kv_lora_rank", offsetof(struct lc_model, n_lora_kv)},
    {"attention.kv_lora_rank_swa", offsetof(struct lc_model, n_lora_kv_swa)},
    {"attention.key_length_mla_swa", offsetof(struct lc_model, head_k_mla_swa)},
    {"attention.value_length_mla_swa", offsetof(struct lc_model, head_v_mla_swa)},
    {"ssm.conv_kernel", offsetof(struct lc_model, ssm_d_conv)},
    {"ssm.inner_size", offsetof(struct lc_model, ssm_d_inner)},
    {"ssm.state_size", offsetof(struct lc_model, ssm_d_state)},
    {"ssm.time_step_rank", offsetof(struct lc_model, ssm_dt_rank)},
    {"ssm.group_count", offsetof(struct lc_model, ssm_n_group)},
    {"wkv.head_size", offsetof(struct lc_model, wkv_head_size)},
    {"token_shift_count", offsetof(struct lc_model, token_shift_count)},
    {"kda.head_dim", offsetof(struct lc_model, head_kda)},
    {"hyper_connection.count", offsetof(struct lc_model, hc_mult)},
    {"n_deepstack_layers", offsetof(struct lc_model, n_deepstack)},
    {"pooling_type", offsetof(struct lc_model, pooling)},
};

static void read_special(struct keys *k, struct lc_model *m)
{
    const uint32_t flags = m->row->flags;
    uint64_t b = 0;
    if (flags & LC_LFM2)
        need(k, "shortconv.l_cache", &m->shortconv_l_cache);
    if (flags & LC_MLA) {
        (void)get(k, "attention.key_length_mla", &m->head_k_mla);
        (void)get(k, "attention.value_length_mla", &m->head_v_mla);
        if ((m->head_k_mla == 0) != (m->head_v_mla == 0))
            bad(k, "attention.key_length_mla", "key_length_mla and value_length_mla go together");
    }
    if (flags & LC_V_LORA)
        m->head_v = m->head_v_swa = m->n_lora_kv;
    if (flags & LC_HEAD_LA)
        m->head_la = m->head_k;
    if (flags & LC_KV_FROM_20)
        m->n_layer_kv_from_start = 20;
    if (flags & LC_SHARED_KV) {
        uint32_t shared = 0;
        (void)get(k, "attention.shared_kv_layers", &shared);
        if (shared > m->n_layer_all)
            bad(k, "attention.shared_kv_layers", "more layers than there are");
        m->n_layer_kv_from_start = (int32_t)(m->n_layer_all - hwl_min(shared, m->n_layer_all));
    }
    if (hwl_gguf_u64(k->g, key(k, "attention.causal"), &b))
        m->causal = b != 0;
    if (flags & LC_DIFFUSION || strcmp(m->arch, "gemma-embedding") == 0)
        m->causal = false;
    m->has_encoder = flags & LC_ENCODER;
    (void)hwl_gguf_f64(k->g, key(k, "attention.max_alibi_bias"), &m->max_alibi_bias);
    if (hwl_gguf_u64(k->g, key(k, "rope.scaling.finetuned"), &b))
        m->rope_finetuned = b != 0;
    for (uint32_t i = 0; i < 4; i++)
        if (at(k, "rope.dimension_sections", i, &b))
            m->rope_sections[i] = (uint32_t)b;
    const uint64_t labels = hwl_gguf_array_n(k->g, key(k, "classifier.output_labels"));
    m->n_cls_out = labels ? (uint32_t)hwl_min(labels, UINT32_MAX) : 1;
    /* hunyuan reads a count of one expert as none (load_hparams) */
    if (m->n_expert <= 1 && strncmp(m->arch, "hunyuan", 7) == 0)
        m->n_expert = 0;
    if (m->hc_mult && m->memory == LC_MEM_DSV4)
        m->n_embd_out = m->hc_mult * m->n_embd;
    m->ple_layer = -1;
    uint64_t ple = 0;
    if (hwl_gguf_array_u64(k->g, key(k, "ple.layers"), 0, &ple) && ple < m->n_layer_all) {
        uint32_t kernel = 0, ngram = 0;
        (void)get(k, "ple.conv_kernel", &kernel);
        (void)get(k, "ple.ngram_size", &ngram);
        m->ple_layer = (int32_t)ple;
        m->ple_conv_state = kernel ? (kernel - 1) * ngram * m->hc_mult * m->n_embd : 0;
    }
}

/* Layers beyond those of the file: graniteswitch adds its router, nanbeige runs its layers several times. */
static void count_layers(struct keys *k, struct lc_model *m, uint32_t *stored)
{
    need(k, "block_count", &m->n_layer_all);
    (void)get(k, "nextn_predict_layers", &m->n_layer_nextn);
    *stored = m->n_layer_all;
    m->router_layer = -1;
    if (m->row->flags & LC_ROUTER) {
        m->router_layer = (int32_t)hwl_min(m->n_layer_all, LC_MAX_LAYERS);
        m->n_layer_all++;
        m->n_layer_nextn = 1;
    }
    if (m->row->flags & LC_LOOPS) {
        uint32_t loops = 1;
        (void)get(k, "num_loops", &loops);
        m->n_layer_all = loops && loops <= LC_MAX_LAYERS ? m->n_layer_all * loops : 0;
    }
    if (m->n_layer_all == 0 || m->n_layer_all > LC_MAX_LAYERS || m->n_layer_nextn > m->n_layer_all)
        bad(k, "block_count", "llama.cpp takes 1 to 512 layers");
    m->n_layer = m->n_layer_all - hwl_min(m->n_layer_nextn, m->n_layer_all) > 0 ? m->n_layer_all - m->n_layer_nextn : m->n_layer_all;
}

static void extend_layers(struct lc_model *m, uint32_t stored)
{
    for (uint32_t i = stored; i < m->n_layer_all; i++) {
        if (m->row->flags & LC_ROUTER) {
            m->layers[i] = (struct lc_layer){.n_head = 1, .n_head_kv = 1};
        } else if (stored) {
            m->layers[i] = m->layers[i % stored];
        }
    }
}

hwl_status hwl_lc_read(const struct hwl_gguf *g, struct hwl_arena *arena, struct lc_model *m, hwl_error *error)
{
    struct hwl_str arch;
    if (!hwl_gguf_str(g, "general.architecture", &arch))
        return hwl_fail_at(error, HWL_E_FORMAT, g->path, HWL_NO_OFFSET, "general.architecture", "the key is missing");
    memset(m, 0, sizeof *m);
    m->gguf = g;
    m->causal = true;
    m->n_layer_kv_from_start = -1;
    m->token_shift_count = 2;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (hwl_str_eq(arch, rows[i].name))
            m->row = &rows[i];
    if (!m->row)
        return hwl_fail_at(error, HWL_E_UNSUPPORTED, g->path, HWL_NO_OFFSET, "general.architecture",
                           "architecture '%.*s' is not known to this llama.cpp", (int)hwl_min(arch.n, 64), arch.p);
    m->arch = m->row->name;
    if (m->row->flags & LC_ONLY_A_NAME)
        return hwl_fail(error, HWL_E_REFUSED, "unsupported model architecture: '%s'", m->arch);
    m->memory = m->row->memory;
    struct keys k = {.g = g, .arch = m->arch, .error = error, .status = HWL_OK};
    uint32_t stored = 0;
    count_layers(&k, m, &stored);
    need(&k, "context_length", &m->n_ctx_train);
    need(&k, strcmp(m->arch, "wavtokenizer-dec") == 0 ? "features_length" : "embedding_length", &m->n_embd);
    if (k.status != HWL_OK)
        return k.status;
    m->layers = HWL_NEW_ARRAY(arena, struct lc_layer, m->n_layer_all);
    if (!m->layers)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        (void)get(&k, plain[i].suffix, (uint32_t *)(void *)((char *)m + plain[i].offset));
    read_heads(&k, m);
    read_special(&k, m);
    extend_layers(m, stored);
    read_recurrent(&k, m);
    read_window(&k, m);
    read_indexer(&k, m);
    if (m->memory == LC_MEM_DSA && strcmp(m->arch, "hy_v4") == 0 && m->indexer_top_k == 0)
        m->memory = LC_MEM_KV;
    uint64_t n = hwl_gguf_array_n(g, "tokenizer.ggml.tokens");
    if (!n)
        (void)hwl_gguf_u64(g, key(&k, "vocab_size"), &n);
    m->n_vocab = (uint32_t)hwl_min(n, UINT32_MAX);
    if (!m->n_embd_out)
        m->n_embd_out = m->n_embd;
    return k.status;
}

bool hwl_lc_is_mla(const struct lc_model *m)
{
    return m->head_k_mla && m->head_v_mla;
}

uint64_t hwl_lc_k_gqa(const struct lc_model *m, uint32_t il)
{
    return (uint64_t)(m->layers[il].swa ? m->head_k_swa : m->head_k) * m->layers[il].n_head_kv;
}

uint64_t hwl_lc_v_gqa(const struct lc_model *m, uint32_t il)
{
    return (uint64_t)(m->layers[il].swa ? m->head_v_swa : m->head_v) * m->layers[il].n_head_kv;
}

uint64_t hwl_lc_v_gqa_max(const struct lc_model *m)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < m->n_layer_all; i++)
        most = hwl_max(most, hwl_lc_v_gqa(m, i));
    return most;
}

/* llama_hparams::n_embd_r */
uint64_t hwl_lc_embd_r(const struct lc_model *m)
{
    if (m->wkv_head_size)
        return (uint64_t)m->token_shift_count * m->n_embd;
    if (m->shortconv_l_cache)
        return (uint64_t)m->n_embd * (m->shortconv_l_cache - 1);
    const uint64_t columns = m->ssm_d_conv > 0 ? m->ssm_d_conv - 1 : 0;
    if (m->head_kda)
        return 3 * (m->ssm_d_conv > 0 ? columns : 3) * ((uint64_t)m->layers[0].n_head * m->head_kda);
    return columns * (m->ssm_d_inner + 2ull * m->ssm_n_group * m->ssm_d_state);
}

/* llama_hparams::n_embd_s */
uint64_t hwl_lc_embd_s(const struct lc_model *m)
{
    if (m->wkv_head_size)
        return (uint64_t)m->n_embd * m->wkv_head_size;
    const uint64_t head = m->head_kda ? m->head_kda : m->head_la;
    if (head)
        return head * head * m->layers[0].n_head;
    return (uint64_t)m->ssm_d_state * m->ssm_d_inner;
}

bool hwl_lc_has_kv(const struct lc_model *m, uint32_t il)
{
    const struct lc_layer *l = &m->layers[il];
    if (m->memory == LC_MEM_NONE || m->memory == LC_MEM_RECURRENT)
        return false;
    if (m->n_layer_kv_from_start >= 0 && il >= (uint32_t)m->n_layer_kv_from_start)
        return false;
    if (m->n_layer_nextn > 0 && m->router_layer < 0 && m->n_layer > 0 && il >= m->n_layer)
        return false;
    if (m->memory != LC_MEM_HYBRID || m->row->flags & LC_BOTH)
        return true;
    return !l->recr && (m->row->recurrent != LC_REC_KV0_FF0 || l->n_ff == 0);
}

bool hwl_lc_has_state(const struct lc_model *m, uint32_t il)
{
    return (m->memory == LC_MEM_RECURRENT || m->memory == LC_MEM_HYBRID) && il < m->n_layer && m->layers[il].recr;
}

const struct lc_model *hwl_lc_expanded(const struct lc_model *m, struct hwl_arena *arena)
{
    if (!hwl_lc_is_mla(m))
        return m;
    struct lc_model *copy = HWL_NEW(arena, struct lc_model);
    struct lc_layer *layers = HWL_NEW_ARRAY(arena, struct lc_layer, m->n_layer_all);
    if (!copy || !layers)
        return NULL;
    *copy = *m;
    for (uint32_t i = 0; i < m->n_layer_all; i++) {
        layers[i] = m->layers[i];
        layers[i].n_head_kv = layers[i].n_head_kv ? layers[i].n_head : 0;
    }
    copy->layers = layers;
    copy->head_k = m->head_k_mla;
    copy->head_v = m->head_v_mla;
    copy->head_k_mla = copy->head_v_mla = 0;
    return copy;
}
