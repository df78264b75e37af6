/* SPDX-License-Identifier: Apache-2.0 */
/* llama.cpp: a GGUF on given devices. */
#include "engine/engine.h"

#include "base/status.h"
#include "base/str.h"
#include "engine/llamacpp/args.h"
#include "engine/llamacpp/convert.h"
#include "engine/llamacpp/graph/compute.h"
#include "engine/llamacpp/hparams.h"
#include "engine/llamacpp/params.h"
#include "engine/llamacpp/quant_rules.h"

#include <stdio.h>
#include <string.h>

/* Versions whose rules were measured. */
static const char *const versions[] = {"v0.5.0", "63d93d173", NULL};

/* 0.5.x and builds from the change of the server's limits on are v0.5.0; earlier builds and the commits between are not told
 * apart from 63d93d173 by anything but their number. */
static const char *version_of(const char *text)
{
    unsigned build;
    if (strncmp(text, "0.5", 3) == 0 || strncmp(text, "v0.5", 4) == 0 || strncmp(text, "0c1e57098", strlen(text)) == 0)
        return versions[0];
    if (strlen(text) >= 7 && strncmp("63d93d173", text, strlen(text)) == 0)
        return versions[1];
    if (text[0] == 'b' && sscanf(text + 1, "%u", &build) == 1)
        return build >= 9000 ? versions[0] : build >= 8000 ? versions[1] : NULL;
    return NULL;
}

struct prepared {
    struct lc_model m;
    struct lc_digest digest;
};

/* The file that llama.cpp would load: the model's own, or what it would become converted and quantised. */
static hwl_status file_of(const struct hwl_model *model, const struct hwl_settings *settings, struct hwl_arena *arena,
                          const struct hwl_gguf **out, hwl_error *error)
{
    const char *quant = hwl_opt_text(settings, HWL_OPT_QUANT, "");
    struct hwl_gguf *g = NULL;
    if (model->gguf && !*quant) {
        *out = model->gguf;
        return HWL_OK;
    }
    if (model->gguf) {
        g = HWL_NEW(arena, struct hwl_gguf);
        struct hwl_gguf_tensor *t = HWL_NEW_ARRAY(arena, struct hwl_gguf_tensor, model->gguf->n_tensors + 1);
        if (!g || !t)
            return hwl_fail(error, HWL_E_NOMEM, "out of memory");
        *g = *model->gguf;
        memcpy(t, g->tensors, g->n_tensors * sizeof *t);
        g->tensors = t;
    } else {
        HWL_TRY(hwl_lc_convert(model, arena, &g, error));
    }
    if (*quant) {
        const int ftype = hwl_lc_ftype(quant);
        if (ftype < 0)
            return hwl_fail(error, HWL_E_USAGE, "quant '%.40s' is not one of llama.cpp's: %s", quant, hwl_lc_ftype_list());
        HWL_TRY(hwl_lc_quantise(g, ftype, arena, error));
    }
    *out = g;
    return HWL_OK;
}

static hwl_status prepare(const struct hwl_model *model, const char *version, const struct hwl_settings *settings, struct hwl_arena *arena,
                          void **out, hwl_error *error)
{
    (void)version;
    const struct hwl_gguf *gguf;
    HWL_TRY(file_of(model, settings, arena, &gguf, error));
    struct prepared *p = HWL_NEW(arena, struct prepared);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_lc_read(gguf, arena, &p->m, error));
    HWL_TRY(hwl_lc_read_tensors(arena, &p->m, error));
    HWL_TRY(hwl_lc_digest(&p->m, arena, &p->digest, error));
    *out = p;
    return HWL_OK;
}

static void views(const struct lc_plan *p, struct hwl_ledger *l)
{
    const struct lc_params *c = &p->params;
    hwl_ledger_view_u64(l, "n_ctx", c->n_ctx);
    hwl_ledger_view_u64(l, "n_ctx_seq", c->n_ctx_seq);
    hwl_ledger_view_u64(l, "n_batch", c->n_batch);
    hwl_ledger_view_u64(l, "n_ubatch", c->n_ubatch);
    hwl_ledger_view_u64(l, "n_seq_max", c->n_seq_max);
    hwl_ledger_view_u64(l, "n_outputs_max", c->n_outputs_max);
    hwl_ledger_view_u64(l, "kv_cells", c->kv_cells);
    if (c->kv_cells_swa)
        hwl_ledger_view_u64(l, "kv_cells_swa", c->kv_cells_swa);
    hwl_ledger_view_u64(l, "pipeline_copies", c->pipeline ? 4 : 1);
    hwl_ledger_view_bool(l, "flash_attn", c->fa);
    hwl_ledger_view_bool(l, "kv_unified", c->kv_unified);
    hwl_ledger_setting_u64(l, "ctx", c->n_ctx_seq);
    hwl_ledger_setting_u64(l, "concurrency", c->n_seq_max);
    hwl_ledger_setting_u64(l, "batch", c->n_batch);
    hwl_ledger_setting_u64(l, "ubatch", c->n_ubatch);
    hwl_ledger_setting_bool(l, "kv-unified", c->kv_unified);
    hwl_ledger_setting_text(l, "flash-attn", c->fa ? "on" : "off");
}

static void put_compute(struct lc_plan *p, struct hwl_ledger *l, const struct lc_compute *c)
{
    const uint32_t n = p->place.n_gpus;
    for (uint32_t i = 0; i <= n; i++) {
        if (!c->bytes[i])
            continue;
        const uint16_t device = (uint16_t)(i < n ? p->place.gpu[i] : p->devices->n_gpus);
        hwl_entry *e = hwl_ledger_put(l, device, -1, HWL_KIND_COMPUTE, HWL_COMP_GRAPH, c->bytes[i],
                                      c->exact ? HWL_BASIS_EXACT : HWL_BASIS_MODELLED, "llama.cpp src/llama-graph.cpp");
        if (!c->exact)
            e->error = 0.3f;
        e->memory = i < n ? HWL_MEMORY_DEVICE : n ? HWL_MEMORY_PINNED : HWL_MEMORY_PAGEABLE;
    }
}

/* Bytes on the only GPU with a given context, as the engine's own simulation counts them; UINT64_MAX where it cannot be. */
static uint64_t used_with(const struct lc_plan *like, uint64_t n_ctx)
{
    struct hwl_arena arena = {0}, scratch = {0};
    struct hwl_ledger l = {.arena = &arena};
    struct lc_compute compute;
    struct lc_plan p = *like;
    uint64_t sum = UINT64_MAX;
    p.arena = &arena;
    p.error = NULL;
    p.n_ctx_fitted = n_ctx;
    if (hwl_lc_params(&p) == HWL_OK && hwl_lc_check(&p) == HWL_OK && hwl_lc_place(&p) == HWL_OK &&
        hwl_lc_compute(p.m, &p.params, &p.place, &scratch, &compute, NULL)) {
        p.params.fa = compute.fa;
        hwl_lc_weights(&p, &l);
        hwl_lc_memory(&p, &l);
        sum = compute.bytes[0];
        for (uint64_t i = 0; i < l.n_entries; i++)
            if (l.entries[i].device == 0)
                sum = hwl_ck_add(&p.ck, sum, l.entries[i].bytes);
        if (p.ck.overflow || l.failed)
            sum = UINT64_MAX;
    }
    hwl_arena_free(&scratch);
    hwl_arena_free(&arena);
    return sum;
}

/* common_params_fit_impl of common/fit.cpp, steps 1 and 2 on one GPU: the context between the smallest and the trained one. */
static void fit_context(struct lc_plan *p)
{
    const struct hwl_settings *s = p->settings;
    if (p->devices->n_gpus != 1 || hwl_opt_u64(s, HWL_OPT_CTX_TOTAL, 0) || hwl_opt_u64(s, HWL_OPT_CTX, 0))
        return;
    uint64_t margin = 1024;
    const hwl_device *d = &p->devices->gpu[0];
    const uint64_t memory = d->free_bytes != HWL_UNKNOWN ? d->free_bytes : d->memory_bytes;
    (void)hwl_text_u64(hwl_opt_text(s, HWL_OPT_FIT_TARGET, "1024"), &margin);
    struct lc_plan q = *p;
    if (margin >= memory >> 20 || hwl_lc_params(&q) != HWL_OK)
        return;
    const uint64_t target = memory - (margin << 20), streams = q.params.kv_unified ? 1 : q.params.n_seq_max;
    const uint64_t most = (uint64_t)p->m->n_ctx_train * q.params.n_seq_max, least = hwl_opt_u64(s, HWL_OPT_FIT_CTX, 4096) * streams;
    const uint64_t full = used_with(p, most);
    if (full == UINT64_MAX || most <= least || least == 0 || full <= target) {
        if (full <= target)
            p->n_ctx_fitted = most;
        return;
    }
    const uint64_t small = used_with(p, least);
    if (small >= target || full <= small) { /* layers would move next: not done here */
        p->n_ctx_fitted = least;
        p->fit_short = true;
        return;
    }
    uint64_t n = least + (uint64_t)(__extension__(unsigned __int128)(most - least) * (target - small) / (full - small));
    n -= n % (256 * streams);
    p->n_ctx_fitted = hwl_max(n, least);
}

static hwl_status plan(const struct hwl_model *model, const void *prepared, const char *version, const struct hwl_devices *devices,
                       const struct hwl_settings *settings, struct hwl_ledger *l, hwl_error *error)
{
    const struct prepared *pre = prepared;
    struct lc_plan p = {
        .m = &pre->m, .digest = &pre->digest, .devices = devices, .settings = settings, .arena = l->arena, .error = error};
    (void)model;
    const bool server = strcmp(hwl_opt_text(settings, HWL_OPT_PROGRAM, "llama-server"), "library") != 0;
    const bool fit = strcmp(hwl_opt_text(settings, HWL_OPT_FIT, server ? "on" : "off"), "off") != 0;
    if (fit && version == versions[0])
        fit_context(&p);
    HWL_TRY(hwl_lc_params(&p));
    HWL_TRY(hwl_lc_check(&p));
    HWL_TRY(hwl_lc_place(&p));
    struct hwl_arena scratch = {0};
    struct lc_compute compute;
    const bool built = version == versions[0] && hwl_lc_compute(p.m, &p.params, &p.place, &scratch, &compute, NULL);
    hwl_arena_free(&scratch);
    p.params.fa = built ? compute.fa : p.params.fa_asked == LC_FA_ON || (p.params.fa_asked == LC_FA_AUTO && hwl_lc_fa_fits(&p));
    hwl_lc_weights(&p, l);
    hwl_lc_memory(&p, l);
    hwl_lc_output(&p, l);
    if (built)
        put_compute(&p, l, &compute);
    else
        hwl_lc_compute_floor(&p, l);
    for (uint32_t il = 0; il <= p.m->n_layer_all; il++)
        hwl_ledger_place(l, hwl_lc_device(&p, p.place.layer[il]), il);
    if (fit && (!p.n_ctx_fitted || p.fit_short))
        hwl_ledger_note(l, "--fit of layers is not applied here: where this plan exceeds a device, llama.cpp moves layers that were not set");
    views(&p, l);
    l->kv_tokens = HWL_UNKNOWN;
    l->context = p.params.kv_unified ? p.params.n_ctx / p.params.n_seq_max : p.params.n_ctx_seq;
    l->concurrency = p.params.n_seq_max;
    return p.ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "a size is above 64 bits") : HWL_OK;
}

const struct hwl_engine hwl_engine_llamacpp = {
    .id = "llama.cpp",
    .versions = versions,
    .version = version_of,
    .args = hwl_lc_args,
    .n_args = HWL_LC_N_ARGS,
    .prepare = prepare,
    .plan = plan,
};
