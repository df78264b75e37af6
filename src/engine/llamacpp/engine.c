/* SPDX-License-Identifier: Apache-2.0 */
/* llama.cpp: a GGUF on given devices. */
#include "engine/engine.h"

#include "base/status.h"
#include "base/str.h"
#include "engine/llamacpp/args.h"
#include "engine/llamacpp/convert.h"
#include "engine/llamacpp/extras.h"
#include "engine/llamacpp/graph/compute.h"
#include "engine/llamacpp/hparams.h"
#include "engine/llamacpp/params.h"
#include "engine/llamacpp/quant_rules.h"

#include <stdio.h>
#include <string.h>

struct prepared {
    struct lc_model m;
    struct lc_digest digest;
    struct lc_extras extras;
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
        g->file_bytes = 0; /* not made yet */
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

hwl_status hwl_lc_load(const struct hwl_model *model, const struct hwl_settings *settings, struct hwl_arena *arena, struct lc_model *m,
                       struct lc_digest *digest, hwl_error *error)
{
    const struct hwl_gguf *gguf;
    HWL_TRY(file_of(model, settings, arena, &gguf, error));
    HWL_TRY(hwl_lc_read(gguf, arena, m, error));
    HWL_TRY(hwl_lc_read_tensors(arena, m, error));
    return hwl_lc_digest(m, arena, digest, error);
}

void hwl_lc_summarise(const void *prepared, struct lc_summary *out)
{
    const struct prepared *p = prepared;
    const struct lc_model *m = &p->m;
    char key[128];
    *out = (struct lc_summary){.n_layer = m->n_layer_all, .n_head_kv_min = UINT32_MAX, .n_embd = m->n_embd, .n_ctx_train = m->n_ctx_train,
                               .mtp = m->n_layer_nextn > 0, .draft = p->extras.draft != NULL, .arch = m->arch};
    struct hwl_ck ck = {0};
    for (uint64_t i = 0; i < m->gguf->n_tensors; i++)
        out->file_bytes = hwl_ck_add(&ck, out->file_bytes, m->gguf->tensors[i].bytes);
    out->file_bytes = hwl_max(out->file_bytes, m->gguf->file_bytes);
    for (uint64_t i = 0; p->extras.mmproj && i < p->extras.mmproj->n_tensors; i++)
        out->mmproj_bytes = hwl_ck_add(&ck, out->mmproj_bytes, p->extras.mmproj->tensors[i].bytes);
    if (ck.overflow)
        out->file_bytes = UINT64_MAX;
    for (uint32_t i = 0; i < m->n_layer_all; i++) {
        const struct lc_layer *a = &m->layers[i];
        out->n_head_max = a->n_head > out->n_head_max ? a->n_head : out->n_head_max;
        out->n_head_kv_min = a->n_head_kv < out->n_head_kv_min ? a->n_head_kv : out->n_head_kv_min;
    }
    (void)snprintf(key, sizeof key, "%.96s.pooling_type", m->arch);
    out->embeds = hwl_gguf_get(m->gguf, key) != NULL;
}

static hwl_status prepare(const struct hwl_model *model, const char *version, const struct hwl_settings *settings, struct hwl_arena *arena,
                          void **out, hwl_error *error)
{
    (void)version;
    struct prepared *p = HWL_NEW(arena, struct prepared);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_lc_load(model, settings, arena, &p->m, &p->digest, error));
    HWL_TRY(hwl_lc_extras_open(settings, arena, &p->extras, error));
    *out = p;
    return HWL_OK;
}

static void release(void *prepared)
{
    hwl_lc_extras_close(&((struct prepared *)prepared)->extras);
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
    uint64_t on_gpus = 0;
    for (uint32_t il = 0; il <= p->m->n_layer_all; il++)
        on_gpus += p->place.layer[il] != LC_HOST;
    hwl_ledger_setting_u64(l, "ngl", on_gpus);
    char kv[48]; /* K, and V where it differs, as the option is written */
    (void)snprintf(kv, sizeof kv, c->type_k == c->type_v ? "%s" : "%s,%s", hwl_dtype((enum hwl_dtype)c->type_k)->name,
                   hwl_dtype((enum hwl_dtype)c->type_v)->name);
    for (char *s = kv; *s; s++)
        *s = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
    hwl_ledger_setting_text(l, "kv-type", kv);
}

static void put_compute(struct lc_plan *p, struct hwl_ledger *l, const struct lc_compute *c)
{
    const uint32_t n = p->place.n_gpus;
    const bool exact = c->exact && !hwl_lc_by_rows(p);
    for (uint32_t i = 0; i <= n; i++) {
        if (!c->bytes[i])
            continue;
        const uint16_t device = (uint16_t)(i < n ? p->place.gpu[i] : p->devices->n_gpus);
        hwl_entry *e = hwl_ledger_put(l, device, -1, HWL_KIND_COMPUTE, HWL_COMP_GRAPH, c->bytes[i],
                                      exact ? HWL_BASIS_EXACT : HWL_BASIS_MODELLED, "llama.cpp src/llama-graph.cpp");
        if (!exact)
            e->error = 0.3f;
        e->memory = i < n ? HWL_MEMORY_DEVICE : n ? HWL_MEMORY_PINNED : HWL_MEMORY_PAGEABLE;
    }
}

/* Adds what a load without allocation counts on each GPU, then on the host; of that the model's share on GPUs. */
static bool measure(struct lc_plan *p, uint64_t sum[LC_FIT_GPUS + 1], uint64_t *model)
{
    struct hwl_ledger l = {.arena = p->arena};
    struct lc_compute simulated;
    if (hwl_lc_params(p) != HWL_OK || hwl_lc_check(p) != HWL_OK || hwl_lc_place(p) != HWL_OK)
        return false;
    const uint32_t n = p->place.n_gpus;
    const bool built = hwl_lc_compute(p->m, &p->params, &p->place, p->scratch, NULL, &simulated);
    p->params.fa = built ? simulated.fa : p->params.fa_asked == LC_FA_ON || (p->params.fa_asked == LC_FA_AUTO && hwl_lc_fa_fits(p));
    if (!built) {
        memset(&simulated, 0, sizeof simulated);
        hwl_lc_compute_floor(p, &l);
    }
    hwl_lc_weights(p, &l);
    hwl_lc_memory(p, &l);
    for (uint32_t i = 0; i <= n; i++)
        sum[i] = hwl_ck_add(&p->ck, sum[i], simulated.bytes[i]);
    for (uint64_t i = 0; i < l.n_entries; i++) {
        const hwl_entry *e = &l.entries[i];
        uint32_t g = 0;
        while (g < n && p->place.gpu[g] != e->device)
            g++;
        sum[g] = hwl_ck_add(&p->ck, sum[g], e->bytes);
        if (g < n && e->kind == HWL_KIND_WEIGHTS)
            *model = hwl_ck_add(&p->ck, *model, e->bytes);
    }
    return !p->ck.overflow && !l.failed && !simulated.refusal;
}

/* Bytes on each GPU (host where there is none) with a choice of --fit, as the engine's load without allocation counts them:
 * of the model, and of a draft that runs alone with the same context (common/fit.cpp add_extra_memory). */
static bool simulate(void *user, const struct lc_fit *fit, int64_t bytes[LC_FIT_GPUS], int64_t *weights)
{
    const struct lc_plan *like = user;
    struct hwl_arena arena = {0};
    struct hwl_settings settings;
    struct lc_plan p = *like, draft;
    uint64_t sum[LC_FIT_GPUS + 1] = {0}, model = 0;
    p.arena = &arena;
    p.error = NULL;
    p.fit = *fit;
    bool ok = measure(&p, sum, &model);
    if (ok && hwl_lc_draft(&p, &settings, &draft) && (draft.is_mtp || !hwl_lc_borrows(draft.m))) {
        uint64_t with[LC_FIT_GPUS + 1], all = model;
        memcpy(with, sum, sizeof with);
        if (measure(&draft, with, &all)) { /* else the engine goes on without it */
            memcpy(sum, with, sizeof with);
            model = all;
        }
    }
    const uint32_t n = ok ? p.place.n_gpus : 0;
    uint64_t all = 0;
    for (uint32_t i = 0; i <= n; i++)
        all = hwl_ck_add(&p.ck, all, sum[i]);
    ok = ok && !p.ck.overflow && all <= INT64_MAX;
    *weights = (int64_t)model;
    for (uint32_t i = 0; ok && i < (n ? n : 1); i++)
        bytes[i] = (int64_t)sum[i];
    hwl_arena_free(&arena);
    return ok;
}

/* --fit-target: one figure in MiB for all devices, or one for each (common/arg.cpp). */
static hwl_status margins(const struct lc_plan *p, int64_t out[LC_FIT_GPUS])
{
    const char *text = hwl_opt_text(p->settings, HWL_OPT_FIT_TARGET, "");
    uint32_t n = 0;
    for (uint32_t i = 0; i < LC_FIT_GPUS; i++)
        out[i] = (int64_t)1024 << 20;
    while (*text && n < LC_FIT_GPUS) {
        const size_t len = strcspn(text, ",/");
        char word[24];
        uint64_t mib;
        (void)snprintf(word, sizeof word, "%.*s", (int)hwl_min(len, sizeof word - 1), text);
        if (!hwl_text_u64(word, &mib) || mib > UINT32_MAX)
            return hwl_fail(p->error, HWL_E_USAGE, "fit-target wants MiB with commas, such as 1024,512");
        out[n++] = (int64_t)(mib << 20);
        text += len;
        text += strspn(text, ",/");
    }
    for (uint32_t i = 1; n == 1 && i < LC_FIT_GPUS; i++)
        out[i] = out[0];
    return HWL_OK;
}

static hwl_status fit_to(struct lc_plan *p, enum lc_fit_result *result)
{
    const struct hwl_settings *s = p->settings;
    struct lc_plan q = *p;
    HWL_TRY(hwl_lc_params(&q));
    HWL_TRY(hwl_lc_check(&q));
    HWL_TRY(hwl_lc_place(&q));
    const uint32_t n = q.place.n_gpus, seqs = q.params.n_seq_max, streams = q.params.kv_unified ? 1 : seqs;
    struct lc_fit_in in = {.n_gpus = n, .n_layer = p->m->n_layer, .experts = p->m->n_expert > 0, .simulate = simulate, .user = p};
    in.ctx_auto = !hwl_opt_u64(s, HWL_OPT_CTX_TOTAL, 0) && !hwl_opt_u64(s, HWL_OPT_CTX, 0);
    in.ctx_max = (uint64_t)p->m->n_ctx_train * seqs;
    in.ctx_min = hwl_min(hwl_min(hwl_opt_u64(s, HWL_OPT_FIT_CTX, 4096), UINT32_MAX) * streams, UINT32_MAX);
    in.ctx_min = hwl_max(in.ctx_min, 1);
    in.ctx_align = (uint64_t)256 * streams;
    in.may_move = hwl_opt_i64(s, HWL_OPT_NGL, -1) == -1 && !q.place.overrides &&
                  (n < 2 || (!hwl_opt_has(s, HWL_OPT_TENSOR_SPLIT) && q.params.split_mode == 1));
    HWL_TRY(margins(p, in.margin));
    uint16_t at = LC_HOST;
    const uint64_t mmproj = n ? hwl_lc_mmproj_bytes(p, &at) : 0; /* llama-server adds it to the margin of its device */
    for (uint32_t i = 0; i < n && mmproj < (uint64_t)1 << 50; i++)
        in.margin[i] += q.place.gpu[i] == at ? (int64_t)mmproj : 0;
    for (uint32_t i = 0; i < (n ? n : 1); i++) {
        const hwl_device *d = n ? &p->devices->gpu[q.place.gpu[i]] : &p->devices->host;
        const uint64_t free = n && d->free_bytes != HWL_UNKNOWN ? d->free_bytes : d->memory_bytes;
        if (free > INT64_MAX / 32) {
            *result = LC_FIT_UNKNOWN;
            return HWL_OK;
        }
        in.free[i] = (int64_t)free;
    }
    struct lc_fit chosen = {0};
    *result = hwl_lc_fit(&in, &chosen);
    if (*result != LC_FIT_UNKNOWN)
        p->fit = chosen;
    return HWL_OK;
}

/* A plan's figures without --fit: *built says whether *compute holds the compute buffers. */
static hwl_status resolve_alone(struct lc_plan *p, bool *built, struct lc_compute *compute)
{
    HWL_TRY(hwl_lc_params(p));
    HWL_TRY(hwl_lc_check(p));
    HWL_TRY(hwl_lc_place(p));
    *built = hwl_lc_compute(p->m, &p->params, &p->place, p->scratch, compute, NULL);
    p->params.fa = *built ? compute->fa : p->params.fa_asked == LC_FA_ON || (p->params.fa_asked == LC_FA_AUTO && hwl_lc_fa_fits(p));
    return *built && compute->refusal ? hwl_fail(p->error, HWL_E_REFUSED, "%s", compute->refusal) : HWL_OK;
}

/* Everything that a plan's figures follow from. */
static hwl_status resolve(struct lc_plan *p, bool *unfitted, bool *built, struct lc_compute *compute)
{
    const bool server = strcmp(hwl_opt_text(p->settings, HWL_OPT_PROGRAM, "llama-server"), "library") != 0;
    const bool fit = p->rules->fit && strcmp(hwl_opt_text(p->settings, HWL_OPT_FIT, server ? "on" : "off"), "off") != 0;
    enum lc_fit_result fitted = LC_FIT_UNKNOWN;
    if (fit)
        HWL_TRY(fit_to(p, &fitted));
    *unfitted = fit && fitted == LC_FIT_UNKNOWN;
    return resolve_alone(p, built, compute);
}

/* A second model in a context of its own. */
static hwl_status put_draft(const struct lc_plan *target, struct hwl_ledger *l)
{
    struct hwl_settings settings;
    struct lc_plan p;
    struct lc_compute compute;
    if (!hwl_lc_draft(target, &settings, &p))
        return HWL_OK;
    struct hwl_ledger of = {.arena = l->arena, .work = l->work};
    const bool alone = p.is_mtp || !hwl_lc_borrows(p.m);
    bool built = false;
    if (alone) {
        HWL_TRY(resolve_alone(&p, &built, &compute));
        hwl_lc_memory(&p, &of);
        hwl_lc_output(&p, &of);
        if (built)
            put_compute(&p, &of, &compute);
        else
            hwl_lc_compute_floor(&p, &of);
    } else {
        HWL_TRY(hwl_lc_params(&p));
        HWL_TRY(hwl_lc_place(&p));
        hwl_ledger_note(l, "the draft's architecture '%s' borrows from the model: its cache and compute buffers move memory and are not modelled",
                        p.m->arch);
    }
    if (!p.is_mtp)
        hwl_lc_weights(&p, &of);
    else if (!built || !compute.exact)
        hwl_ledger_note(l, "the MTP context's graph is not built for '%s': its compute buffer is modelled", p.m->arch);
    for (uint64_t i = 0; i < of.n_entries; i++) {
        hwl_entry *e = hwl_ledger_add(l);
        *e = of.entries[i];
        e->layer = -1;
        e->component = HWL_COMP_DRAFT;
        if (!p.rules->server_outputs && e->basis == HWL_BASIS_EXACT && e->kind != HWL_KIND_WEIGHTS) {
            e->basis = HWL_BASIS_MODELLED; /* contexts of drafts were not looked at in older versions */
            e->error = 0.3f;
        }
    }
    l->kv_bytes_per_token = hwl_ck_add(&p.ck, l->kv_bytes_per_token, of.kv_bytes_per_token);
    l->failed |= of.failed;
    return p.ck.overflow ? hwl_fail(p.error, HWL_E_OVERFLOW, "a size is above 64 bits") : HWL_OK;
}

static hwl_status plan(const struct hwl_model *model, const void *prepared, const char *version, const struct hwl_devices *devices,
                       const struct hwl_settings *settings, struct hwl_ledger *l, hwl_error *error)
{
    const struct prepared *pre = prepared;
    struct lc_plan p = {
        .m = &pre->m, .digest = &pre->digest, .devices = devices, .settings = settings,
        .rules = hwl_lc_rules(version), .extras = &pre->extras, .arena = l->arena, .scratch = l->work, .error = error};
    struct lc_compute compute;
    bool built, unfitted;
    p.m = p.rules && p.rules->mla == LC_MLA_EXPANDED ? hwl_lc_expanded(p.m, p.arena) : p.m;
    if (!p.m)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    if (strcmp(hwl_opt_text(settings, HWL_OPT_SPEC_METHOD, ""), "mtp") == 0 && !hwl_opt_has(settings, HWL_OPT_DRAFT) && !hwl_lc_wants_mtp(&p)) {
        if (model->gguf)
            return hwl_fail(error, HWL_E_REFUSED, "context type MTP requested but model doesn't contain MTP layers");
        hwl_ledger_note(l, "no MTP layers are known of this model: llama.cpp refuses --spec-type draft-mtp without them");
    }
    HWL_TRY(resolve(&p, &unfitted, &built, &compute));
    hwl_lc_weights(&p, l);
    hwl_lc_memory(&p, l);
    hwl_lc_output(&p, l);
    hwl_lc_overhead(&p, l);
    if (built)
        put_compute(&p, l, &compute);
    else
        hwl_lc_compute_floor(&p, l);
    if (!built || !compute.exact)
        hwl_ledger_note(l, "the graph of architecture '%s' is %s here: compute buffers are modelled, weights and caches are exact", p.m->arch,
                        built ? "not compared with llama.cpp's" : "not built");
    HWL_TRY(put_draft(&p, l));
    HWL_TRY(hwl_lc_extras_put(&p, l));
    for (uint32_t il = 0; il <= p.m->n_layer_all; il++)
        hwl_ledger_place(l, hwl_lc_device(&p, p.place.layer[il]), il);
    if (hwl_lc_version_guessed(p.rules, hwl_opt_text(settings, HWL_OPT_ENGINE_VERSION, "")))
        hwl_ledger_note(l, "this build's rules were not looked at; planned with those of the nearest row of the version table");
    if (unfitted)
        hwl_ledger_note(l, "--fit is not applied here: where this plan exceeds a device, llama.cpp moves layers that were not set");
    views(&p, l);
    l->kv_tokens = HWL_UNKNOWN;
    l->context = p.params.kv_unified ? p.params.n_ctx / p.params.n_seq_max : p.params.n_ctx_seq;
    l->concurrency = p.params.n_seq_max;
    return p.ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "a size is above 64 bits") : HWL_OK;
}

struct teller {
    bool (*put)(void *user, const char *name, uint64_t bytes);
    void *user;
};

static bool tell(void *user, const struct hwl_node *t, uint64_t bytes)
{
    const struct teller *o = user;
    char name[160];
    return o->put(o->user, hwl_g_describe(t, name, sizeof name), bytes);
}

static hwl_status parts(const struct hwl_model *model, const void *prepared, const char *version, const struct hwl_devices *devices,
                        const struct hwl_settings *settings, const hwl_entry *entry, struct hwl_arena *work,
                        bool (*put)(void *user, const char *name, uint64_t bytes), void *user, hwl_error *error)
{
    const struct prepared *pre = prepared;
    struct hwl_arena arena = {0};
    struct lc_plan p = {
        .m = &pre->m, .digest = &pre->digest, .devices = devices, .settings = settings,
        .rules = hwl_lc_rules(version), .extras = &pre->extras, .arena = &arena, .scratch = work, .error = error};
    struct lc_compute compute;
    struct teller o = {put, user};
    bool built = false, unfitted;
    (void)model;
    if (entry->kind != HWL_KIND_COMPUTE)
        return HWL_OK;
    p.m = p.rules && p.rules->mla == LC_MLA_EXPANDED ? hwl_lc_expanded(p.m, p.scratch) : p.m;
    if (!p.m)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    struct hwl_settings own;
    struct lc_plan draft;
    hwl_status status = resolve(&p, &unfitted, &built, &compute);
    if (status == HWL_OK && entry->component == HWL_COMP_DRAFT && hwl_lc_draft(&p, &own, &draft)) {
        status = resolve_alone(&draft, &built, &compute);
        p = draft;
    }
    for (uint32_t i = 0; status == HWL_OK && built && i <= p.place.n_gpus; i++)
        if (entry->device == (i < p.place.n_gpus ? p.place.gpu[i] : devices->n_gpus))
            (void)hwl_lc_peak(p.m, &p.params, &p.place, work, &compute, i, tell, &o);
    hwl_arena_free(&arena);
    return status;
}

const struct hwl_engine hwl_engine_llamacpp = {
    .id = "llama.cpp",
    .versions = hwl_lc_versions,
    .version = hwl_lc_version,
    .args = hwl_lc_args,
    .n_args = HWL_LC_N_ARGS,
    .prepare = prepare,
    .release = release,
    .plan = plan,
    .parts = parts,
};
