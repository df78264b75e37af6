/* SPDX-License-Identifier: Apache-2.0 */
/* From settings to llama_model_params and llama_context_params (constructor of llama_context, llama_init_from_model in
 * src/llama-context.cpp; llama-server's own defaults in tools/server/server-context.cpp and common/common.h). */
#include "engine/llamacpp/params.h"

#include "engine/llamacpp/arch_row.h"

#include "base/status.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* kv_cache_types of common/arg.cpp */
static bool cache_type(const char *name, uint16_t *out)
{
    static const char words[] = "f32 f16 bf16 q8_0 q4_0 q4_1 iq4_nl q5_0 q5_1";
    char low[16];
    size_t n = strlen(name);
    if (n == 0 || n >= sizeof low)
        return false;
    for (size_t i = 0; i <= n; i++)
        low[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
    if (!hwl_words_have(words, low))
        return false;
    *out = (uint16_t)hwl_dtype_of_name(low);
    return *out != HWL_DTYPE_NONE;
}

static hwl_status cache_types(struct lc_plan *p)
{
    char k[32];
    const char *text = hwl_opt_text(p->settings, HWL_OPT_KV_TYPE, "f16");
    const char *comma = strchr(text, ',');
    const size_t n = comma ? (size_t)(comma - text) : strlen(text);
    (void)snprintf(k, sizeof k, "%.*s", (int)hwl_min(n, sizeof k - 1), text);
    const char *v = comma && comma[1] ? comma + 1 : k;
    if (!*k)
        (void)snprintf(k, sizeof k, "f16");
    if (!cache_type(k, &p->params.type_k) || !cache_type(v, &p->params.type_v))
        return hwl_fail(p->error, HWL_E_USAGE, "cache type '%.60s' is not one of f32, f16, bf16, q8_0, q4_0, q4_1, iq4_nl, q5_0, q5_1", text);
    return HWL_OK;
}

static hwl_status count(struct lc_plan *p, enum hwl_opt id, const char *what, uint64_t def, uint32_t *out)
{
    const uint64_t v = hwl_opt_u64(p->settings, id, def);
    if (v > 0x7fffffff)
        return hwl_fail(p->error, HWL_E_USAGE, "%s %llu is above what llama.cpp takes", what, (unsigned long long)v);
    *out = (uint32_t)v;
    return HWL_OK;
}

static const char rolls_back[] = "kimi-k3 qwen35 qwen35moe qwen4exp deepseek4 glm5-next nemotron_h nemotron_h_moe lfm2 lfm2moe bailingmoe3";

static hwl_status sizes(struct lc_plan *p, bool server)
{
    struct lc_params *c = &p->params;
    const struct hwl_settings *s = p->settings;
    const struct lc_model *m = p->m;
    /* Slots are automatic where llama-server is asked for by name: 4 on one pool. */
    const bool auto_slots = server && c->rules->auto_slots && hwl_opt_has(s, HWL_OPT_PROGRAM) && !hwl_opt_has(s, HWL_OPT_CONCURRENCY);
    HWL_TRY(count(p, HWL_OPT_CONCURRENCY, "concurrency", auto_slots ? 4 : 1, &c->n_seq_max));
    c->n_seq_max = c->n_seq_max ? c->n_seq_max : 1;
    if (c->n_seq_max > 256)
        return hwl_fail(p->error, HWL_E_REFUSED, "n_seq_max must be <= 256 (LLAMA_MAX_SEQ)");
    uint32_t n_batch, n_ubatch;
    HWL_TRY(count(p, HWL_OPT_BATCH, "batch", 2048, &n_batch));
    HWL_TRY(count(p, HWL_OPT_UBATCH, "ubatch", 512, &n_ubatch));
    if (n_batch == 0 && n_ubatch == 0)
        return hwl_fail(p->error, HWL_E_REFUSED, "n_batch and n_ubatch cannot both be zero");
    /* one pool unless the engine's own options say otherwise */
    c->kv_unified = hwl_opt_flag(s, HWL_OPT_KV_UNIFIED, server && (auto_slots || c->n_seq_max > 1));
    uint64_t n_ctx = 0;
    if (hwl_opt_has(s, HWL_OPT_CTX_TOTAL))
        n_ctx = hwl_opt_u64(s, HWL_OPT_CTX_TOTAL, 0);
    else if (hwl_opt_has(s, HWL_OPT_CTX))
        n_ctx = hwl_ck_mul(&p->ck, hwl_opt_u64(s, HWL_OPT_CTX, 0), c->n_seq_max);
    if (n_ctx == 0)
        n_ctx = p->fit.n_ctx ? p->fit.n_ctx : server && c->rules->n_ctx && !hwl_opt_has(s, HWL_OPT_CTX_TOTAL) ? c->rules->n_ctx : m->n_ctx_train;
    if (n_ctx == 0)
        return hwl_fail(p->error, HWL_E_REFUSED, "n_ctx and the model's context_length cannot both be zero");
    if (p->ck.overflow || n_ctx > 0x7fffffffull)
        return hwl_fail(p->error, HWL_E_USAGE, "a context of %llu tokens is above what llama.cpp takes", (unsigned long long)n_ctx);
    c->n_batch = m->causal ? (uint32_t)hwl_min(n_ctx, n_batch) : n_batch;
    c->n_ubatch = (uint32_t)hwl_min(c->n_batch, n_ubatch ? n_ubatch : n_batch);
    /* llama-server sets one row of logits for each slot and draft token (server_output_limits) */
    const char *method = hwl_opt_text(s, HWL_OPT_SPEC_METHOD, "");
    const uint64_t drafted = hwl_opt_u64(s, HWL_OPT_DRAFT_MAX, hwl_opt_has(s, HWL_OPT_DRAFT) || *method ? 3 : 0); /* common/common.h n_max */
    c->mtp = p->is_mtp;
    c->load_mtp = strcmp(method, "mtp") == 0 && m->n_layer_nextn > 0;
    /* common_params_speculative::need_n_rs_seq, and the architectures that can roll back (llm_arch_supports_rs_rollback) */
    c->n_rs_seq = !hwl_words_have("mtp eagle3 dflash dspark", method) || !*method ? 0 : !hwl_words_have(rolls_back, m->arch) ? 0 : (uint32_t)hwl_min(drafted, 1024);
    const uint64_t rows = server && c->rules->server_outputs ? c->n_seq_max * (1 + hwl_min(drafted, 65536)) : 0;
    c->n_outputs_max = rows == 0 || m->has_encoder ? c->n_batch : (uint32_t)rows;
    /* flash attention "auto" counts as on, as in the constructor of llama_context */
    const uint64_t pad = c->fa_asked == LC_FA_OFF ? c->rules->pad : c->rules->pad_fa;
    n_ctx = hwl_div_ceil(n_ctx, pad) * pad;
    uint64_t n_seq_ctx = n_ctx;
    if (!c->kv_unified) {
        n_seq_ctx = hwl_div_ceil(n_ctx / c->n_seq_max, pad) * pad;
        if (n_seq_ctx == 0)
            return hwl_fail(p->error, HWL_E_REFUSED, "n_ctx_seq == 0");
        n_ctx = n_seq_ctx * c->n_seq_max;
    }
    if (n_ctx > UINT32_MAX)
        return hwl_fail(p->error, HWL_E_USAGE, "a context of %llu tokens is above what llama.cpp takes", (unsigned long long)n_ctx);
    c->n_ctx = (uint32_t)n_ctx;
    c->n_ctx_seq = (uint32_t)n_seq_ctx;
    c->kv_cells = c->n_ctx_seq;
    if (m->swa_type != LC_SWA_NONE) {
        /* llama_kv_cache_iswa; DeepSeek-V4 keeps a stream for each sequence */
        const bool one = c->kv_unified && m->memory != LC_MEM_DSV4;
        const uint64_t want = (uint64_t)m->n_swa * (one ? c->n_seq_max : 1) + c->n_ubatch;
        c->kv_cells_swa = c->swa_full ? c->n_ctx_seq : (uint32_t)(hwl_div_ceil(hwl_min(c->n_ctx_seq, want), pad) * pad);
    }
    return HWL_OK;
}

hwl_status hwl_lc_params(struct lc_plan *p)
{
    struct lc_params *c = &p->params;
    const struct hwl_settings *s = p->settings;
    const struct lc_model *m = p->m;
    c->rules = p->rules ? p->rules : hwl_lc_rules(hwl_lc_versions[0]);
    const char *program = hwl_opt_text(s, HWL_OPT_PROGRAM, "llama-server");
    const bool server = strcmp(program, "library") != 0;
    if (server && strcmp(program, "llama-server") != 0)
        return hwl_fail(p->error, HWL_E_USAGE, "program '%.40s' is not one of llama-server, library", program);
    if (!p->is_draft && m->row && m->memory == LC_MEM_KV && strcmp(m->arch, "gemma4-assistant") == 0)
        return hwl_fail(p->error, HWL_E_REFUSED, "%s is a draft that needs the context of its target model", m->arch);
    if (hwl_words_have(c->rules->later, m->arch))
        return hwl_fail(p->error, HWL_E_REFUSED, "unknown model architecture: '%.60s' (%s)", m->arch, c->rules->version);
    HWL_TRY(cache_types(p));
    c->swa_full = hwl_opt_flag(s, HWL_OPT_SWA_FULL, false);
    c->offload_kqv = hwl_opt_flag(s, HWL_OPT_KV_OFFLOAD, true);
    c->op_offload = hwl_opt_flag(s, HWL_OPT_OP_OFFLOAD, true);
    c->extra_bufts = hwl_opt_flag(s, HWL_OPT_REPACK, true);
    c->embeddings = hwl_opt_flag(s, HWL_OPT_EMBEDDING, false);
    c->mmap = hwl_opt_flag(s, HWL_OPT_MMAP, true);
    c->no_host = hwl_opt_flag(s, HWL_OPT_NO_HOST, false);
    const char *fa = hwl_opt_text(s, HWL_OPT_FLASH_ATTN, c->rules->fa_auto ? "auto" : "off");
    if (!hwl_words_have("on off auto 1 0 true false enabled disabled -1", fa) || !*fa)
        return hwl_fail(p->error, HWL_E_USAGE, "flash-attn '%.20s' is not one of on, off, auto", fa);
    c->fa_asked = hwl_words_have("on 1 true enabled", fa) ? LC_FA_ON : hwl_words_have("auto -1", fa) ? LC_FA_AUTO : LC_FA_OFF;
    if (strcmp(m->arch, "grok") == 0) /* llama_init_from_model forces it off */
        c->fa_asked = LC_FA_OFF;
    HWL_TRY(sizes(p, server));
    const char *split = hwl_opt_text(s, HWL_OPT_SPLIT_MODE, "layer");
    if (!hwl_words_have("none layer row", split) || !*split)
        return hwl_fail(p->error, HWL_E_USAGE, "split-mode '%.20s' is not one of layer, row, none", split);
    c->split_mode = split[0] == 'n' ? 0 : split[0] == 'l' ? 1 : 2;
    HWL_TRY(count(p, HWL_OPT_MAIN_GPU, "main-gpu", 0, &c->main_gpu));
    c->ngl = hwl_opt_i64(s, HWL_OPT_NGL, -1);
    if (c->ngl < 0)
        c->ngl = (int64_t)m->n_layer_all + 1;
    if (p->fit.moved)
        c->ngl = hwl_lc_fit_ngl(&p->fit);
    return HWL_OK;
}

static hwl_status refuse_width(struct lc_plan *p, char which, uint16_t dtype, bool each_head)
{
    const struct hwl_dtype_info *d = hwl_dtype((enum hwl_dtype)dtype);
    if (!d->quantised)
        return HWL_OK;
    for (uint32_t il = 0; il < p->m->n_layer; il++) {
        const struct lc_layer *l = &p->m->layers[il];
        const uint64_t head = which == 'K' ? (l->swa ? p->m->head_k_swa : p->m->head_k) : (l->swa ? p->m->head_v_swa : p->m->head_v);
        const uint64_t row = which == 'K' ? hwl_lc_k_gqa(p->m, il) : hwl_lc_v_gqa(p->m, il);
        if ((each_head ? head : row) % d->block)
            return hwl_fail(p->error, HWL_E_REFUSED, "%c cache type %s with block size %u does not divide n_embd_head_%c=%llu", which, d->name,
                            d->block, which == 'K' ? 'k' : 'v', (unsigned long long)head);
    }
    return HWL_OK;
}

/* Called with fa_asked before the resolution and again with the result. */
hwl_status hwl_lc_check(struct lc_plan *p)
{
    struct lc_params *c = &p->params;
    const bool v_quantised = hwl_dtype((enum hwl_dtype)c->type_v)->quantised;
    if (c->rules->same_types && (hwl_lc_is_mla(p->m) || p->m->memory == LC_MEM_DSV4) && c->type_k != c->type_v)
        return hwl_fail(p->error, HWL_E_REFUSED, "the model does not support different K (%s) and V (%s) cache types",
                        hwl_dtype((enum hwl_dtype)c->type_k)->name, hwl_dtype((enum hwl_dtype)c->type_v)->name);
    /* llama-context.cpp: a draft that borrows the embeddings or caches of the model it drafts for */
    const uint32_t flags = p->m->row->flags;
    if (flags & LC_NEEDS_OTHER || (flags & LC_DRAFT && (!p->m->tok_embd || !p->m->output)))
        return hwl_fail(p->error, HWL_E_REFUSED, "%s is a draft: it requires ctx_other to be set", p->m->arch);
    if (v_quantised && c->fa_asked == LC_FA_AUTO && c->rules->quant_v_insists)
        c->fa_asked = LC_FA_ON;
    if (v_quantised && (c->fa_asked == LC_FA_OFF))
        return hwl_fail(p->error, HWL_E_REFUSED, "quantized V cache requires flash attention");
    const bool heads = c->fa_asked != LC_FA_OFF;
    HWL_TRY(refuse_width(p, 'K', c->type_k, heads));
    return refuse_width(p, 'V', c->type_v, heads);
}

bool hwl_lc_flash_asked(const struct lc_model *m, const struct lc_params *p)
{
    return p->fa_asked != LC_FA_OFF && strcmp(m->arch, "grok") != 0;
}
