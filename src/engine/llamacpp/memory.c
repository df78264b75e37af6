/* SPDX-License-Identifier: Apache-2.0 */
/* Caches and recurrent state: src/llama-kv-cache.cpp, -iswa, -dsa, -msa, -dsv4, llama-memory-recurrent.cpp and the choice
 * between them in llama_model::create_memory. */
#include "engine/llamacpp/hparams.h"
#include "engine/llamacpp/params.h"

uint64_t hwl_lc_alloc(struct lc_plan *p, uint16_t where, uint16_t dtype, uint64_t ne0, uint64_t rows)
{
    uint64_t row = 0;
    if (ne0 == 0)
        return 0;
    if (!hwl_dtype_row((enum hwl_dtype)dtype, ne0, &row)) {
        p->ck.overflow = true;
        return 0;
    }
    uint64_t bytes = hwl_ck_mul(&p->ck, row, rows);
    if (where == LC_HOST)
        return hwl_ck_align(&p->ck, bytes, 32);
    return hwl_ck_align(&p->ck, hwl_ck_add(&p->ck, bytes, hwl_lc_row_pad(dtype, ne0)), 128);
}

static uint64_t row_bytes(uint16_t dtype, uint64_t ne0)
{
    uint64_t row = 0;
    return ne0 && hwl_dtype_row((enum hwl_dtype)dtype, ne0, &row) ? row : 0;
}

static uint16_t place_of(const struct lc_plan *p, uint32_t il)
{
    return p->params.offload_kqv ? p->place.layer[il] : LC_HOST;
}

static void put(struct lc_plan *p, struct hwl_ledger *l, uint32_t il, hwl_kind kind, hwl_component component, uint64_t bytes, const char *source,
                const char *formula, const uint64_t args[HWL_ENTRY_ARGS])
{
    const uint16_t where = place_of(p, il);
    if (!bytes)
        return;
    hwl_entry *e = hwl_ledger_put(l, hwl_lc_device(p, where), (int32_t)il, kind, component, bytes, HWL_BASIS_EXACT, source);
    e->memory = where == LC_HOST ? HWL_MEMORY_PAGEABLE : HWL_MEMORY_DEVICE;
    e->formula = formula;
    for (int i = 0; i < HWL_ENTRY_ARGS; i++)
        e->args[i] = args[i];
}

/* K of width k and V of width v (0: none) over cells of all streams. grows: the cache is as long as the context. */
static void put_cache(struct lc_plan *p, struct hwl_ledger *l, uint32_t il, uint64_t k, uint64_t v, uint64_t cells, uint64_t streams, bool grows)
{
    const struct lc_params *c = &p->params;
    const uint16_t where = place_of(p, il);
    const uint64_t rows = hwl_ck_mul(&p->ck, cells, streams);
    const uint64_t bytes = hwl_ck_add(&p->ck, hwl_lc_alloc(p, where, c->type_k, k, rows), hwl_lc_alloc(p, where, c->type_v, v, rows));
    const uint64_t rk = row_bytes(c->type_k, k), rv = row_bytes(c->type_v, v);
    put(p, l, il, HWL_KIND_KV_CACHE, HWL_COMP_ATTENTION, bytes, "llama.cpp src/llama-kv-cache.cpp",
        "({0} B of K + {1} B of V) a cell x {2} cells x {3} streams, each tensor padded", (const uint64_t[HWL_ENTRY_ARGS]){rk, rv, cells, streams});
    if (grows)
        l->kv_bytes_per_token = hwl_ck_add(&p->ck, l->kv_bytes_per_token, rk + rv);
}

static void put_state(struct lc_plan *p, struct hwl_ledger *l, uint32_t il)
{
    const struct lc_model *m = p->m;
    const uint16_t where = place_of(p, il);
    const uint64_t r = hwl_lc_embd_r(m), s = hwl_lc_embd_s(m), n = hwl_ck_mul(&p->ck, p->params.n_seq_max, 1 + (uint64_t)p->params.n_rs_seq);
    const uint64_t ple = (int32_t)il == m->ple_layer ? m->ple_conv_state : 0;
    uint64_t bytes = hwl_ck_add(&p->ck, hwl_lc_alloc(p, where, HWL_DTYPE_F32, r, n), hwl_lc_alloc(p, where, HWL_DTYPE_F32, s, n));
    bytes = hwl_ck_add(&p->ck, bytes, hwl_lc_alloc(p, where, HWL_DTYPE_F32, ple, n));
    put(p, l, il, HWL_KIND_RECURRENT_STATE, HWL_COMP_RECURRENT, bytes, "llama.cpp src/llama-memory-recurrent.cpp",
        "({0} + {1} elements) x 4 B x {2} sequences and states to roll back to", (const uint64_t[HWL_ENTRY_ARGS]){r + ple, s, n});
}

/* Two tensors (kv, score) of a compressor: width x rows for each sequence, f32. */
static uint64_t compressor(struct lc_plan *p, uint32_t il, uint64_t width, uint64_t rows)
{
    const uint64_t one = hwl_lc_alloc(p, place_of(p, il), HWL_DTYPE_F32, width, hwl_ck_mul(&p->ck, rows, p->params.n_seq_max));
    return hwl_ck_mul(&p->ck, one, 2);
}

/* DeepSeek-V4: src/llama-kv-cache-dsv4.cpp. Streams are kept per sequence whatever kv_unified says. */
static void put_dsv4(struct lc_plan *p, struct hwl_ledger *l)
{
    const struct lc_model *m = p->m;
    const uint64_t streams = p->params.n_seq_max, cells = p->params.kv_cells;
    enum { CSA = 4, HCA = 128 };
    for (uint32_t il = 0; il < m->n_layer_all; il++) {
        const struct lc_layer *a = &m->layers[il];
        const uint64_t head = a->swa ? m->head_k_swa : m->head_k;
        put_cache(p, l, il, hwl_lc_k_gqa(m, il), 0, a->swa ? p->params.kv_cells_swa : cells, streams, !a->swa || p->params.swa_full);
        if (a->compress_ratio != CSA && a->compress_ratio != HCA)
            continue;
        const uint64_t ratio = a->compress_ratio;
        const uint64_t compressed = (hwl_max(1, hwl_div_ceil(cells, ratio)) + 255) / 256 * 256;
        put_cache(p, l, il, hwl_lc_k_gqa(m, il), 0, compressed, streams, false);
        if (ratio == CSA)
            put_cache(p, l, il, m->indexer_head_size, 0, compressed, streams, false);
        if (il >= m->n_layer)
            continue;
        uint64_t state = ratio == CSA ? compressor(p, il, 2 * head, 2 * CSA) : compressor(p, il, m->head_k, HCA);
        if (ratio == CSA)
            state = hwl_ck_add(&p->ck, state, compressor(p, il, 2ull * m->indexer_head_size, 2 * CSA));
        put(p, l, il, HWL_KIND_RECURRENT_STATE, HWL_COMP_ATTENTION, state, "llama.cpp src/llama-kv-cache-dsv4.cpp",
            "compressor states of ratio {0}, f32, {1} sequences", (const uint64_t[HWL_ENTRY_ARGS]){ratio, streams});
    }
}

static bool has_index(const struct lc_model *m, uint32_t il)
{
    if (il >= m->n_layer)
        return false;
    if (m->memory == LC_MEM_MSA)
        return il >= m->n_layer_dense_lead;
    return (m->memory == LC_MEM_DSA || (m->memory == LC_MEM_HYBRID && m->indexer_head_size)) && m->layers[il].indexer_full && hwl_lc_has_kv(m, il) &&
           !(m->memory == LC_MEM_DSA && m->layers[il].swa);
}

void hwl_lc_memory(struct lc_plan *p, struct hwl_ledger *l)
{
    const struct lc_model *m = p->m;
    const struct lc_params *c = &p->params;
    const uint64_t streams = c->kv_unified ? 1 : c->n_seq_max;
    const uint64_t widest = hwl_lc_v_gqa_max(m);
    if (c->mtp) { /* a plain cache of the MTP layers alone */
        for (uint32_t il = m->n_layer; il < m->n_layer_all; il++)
            put_cache(p, l, il, hwl_lc_k_gqa(m, il), hwl_lc_is_mla(m) ? 0 : hwl_lc_flash_asked(m, c) ? hwl_lc_v_gqa(m, il) : widest, c->kv_cells, streams, true);
        return;
    }
    if (m->memory == LC_MEM_DSV4) {
        put_dsv4(p, l);
        return;
    }
    for (uint32_t il = 0; il < m->n_layer_all; il++) {
        const struct lc_layer *a = &m->layers[il];
        const bool swa = a->swa && m->swa_type != LC_SWA_NONE;
        if (hwl_lc_has_kv(m, il)) {
            /* without flash attention V is transposed and as wide as the widest layer's [TAG_V_CACHE_VARIABLE] */
            const uint64_t v = hwl_lc_is_mla(m) ? c->rules->mla == LC_MLA_AND_V ? m->n_lora_kv : 0 : hwl_lc_flash_asked(m, c) ? hwl_lc_v_gqa(m, il) : widest;
            put_cache(p, l, il, hwl_lc_k_gqa(m, il), v, swa ? c->kv_cells_swa : c->kv_cells, streams, !swa || c->swa_full);
        }
        if (has_index(m, il)) {
            const uint64_t v = m->memory == LC_MEM_MSA ? m->head_v : 0;
            put_cache(p, l, il, m->indexer_head_size, v, c->kv_cells, streams, true);
        }
        if (hwl_lc_has_state(m, il))
            put_state(p, l, il);
    }
}

/* llama_context::output_reserve: logits and, where asked, embeddings of one row a sequence. */
void hwl_lc_output(struct lc_plan *p, struct hwl_ledger *l)
{
    const struct lc_model *m = p->m;
    const uint64_t rows = p->params.n_seq_max;
    const uint64_t embd = p->params.embeddings || m->has_encoder ? m->n_embd_out : 0;
    const uint64_t bytes = hwl_ck_mul3(&p->ck, rows, hwl_ck_add(&p->ck, m->n_vocab, embd), 4);
    hwl_entry *e = hwl_ledger_put(l, (uint16_t)p->devices->n_gpus, -1, HWL_KIND_OUTPUT, HWL_COMP_OUTPUT, bytes, HWL_BASIS_EXACT,
                                  "llama.cpp src/llama-context.cpp output_reserve");
    e->memory = p->place.n_gpus ? HWL_MEMORY_PINNED : HWL_MEMORY_PAGEABLE;
    e->formula = "{0} rows x ({1} logits + {2} embeddings) x 4 B";
    e->args[0] = rows;
    e->args[1] = m->n_vocab;
    e->args[2] = embd;
}
