/* SPDX-License-Identifier: Apache-2.0 */
/* What llama.cpp loads beside the model: a draft, a projector, adapters (0c1e57098: common/speculative.cpp
 * common_base_params_to_speculative, tools/mtmd/clip.cpp, src/llama-adapter.cpp). */
#include "engine/llamacpp/extras.h"

#include "base/status.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/llamacpp/arch_row.h"
#include "engine/llamacpp/hparams.h"

#include <stdio.h>
#include <string.h>

enum { ALIGN_CPU = 32, ALIGN_CUDA = 128 };

/* Items of --lora that name a file: adapters as they are. */
static hwl_status open_adapters(const struct hwl_settings *settings, struct hwl_arena *arena, struct lc_extras *out, hwl_error *error)
{
    const uint32_t n = hwl_opt_list_n(settings, HWL_OPT_LORA);
    out->adapters = HWL_NEW_ARRAY(arena, struct hwl_gguf *, (uint64_t)n + 1);
    if (!out->adapters)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    for (; out->n_adapters < n; out->n_adapters++) {
        const char *item = hwl_opt_list_at(settings, HWL_OPT_LORA, out->n_adapters);
        const size_t length = strlen(item);
        if (length > 5 && strcmp(item + length - 5, ".gguf") == 0)
            HWL_TRY(hwl_gguf_open(item, arena, &out->adapters[out->n_adapters], error));
    }
    return HWL_OK;
}

hwl_status hwl_lc_extras_open(const struct hwl_settings *settings, struct hwl_arena *arena, struct lc_extras *out, hwl_error *error)
{
    static const struct hwl_settings plain; /* --quant is the target's */
    const char *draft = hwl_opt_text(settings, HWL_OPT_DRAFT, ""), *mmproj = hwl_opt_text(settings, HWL_OPT_MMPROJ, "");
    hwl_status status = HWL_OK;
    if (*draft) {
        status = hwl_engine_open_named(settings, draft, &out->draft, error);
        if (status == HWL_OK)
            status = hwl_lc_load(out->draft, &plain, arena, &out->draft_m, &out->draft_digest, error);
    }
    if (status == HWL_OK && *mmproj)
        status = hwl_gguf_open(mmproj, arena, &out->mmproj, error);
    for (int gpu = 0; gpu < 2 && status == HWL_OK && *mmproj; gpu++) {
        struct hwl_arena scratch = {0};
        (void)hwl_lc_clip(out->mmproj, gpu, &scratch, &out->clip[gpu]);
        hwl_arena_free(&scratch);
    }
    if (status == HWL_OK)
        status = open_adapters(settings, arena, out, error);
    struct hwl_str arch;
    if (status == HWL_OK && out->mmproj && !(hwl_gguf_str(out->mmproj, "general.architecture", &arch) && hwl_str_eq(arch, "clip")))
        status = hwl_fail(error, HWL_E_REFUSED, "%s is no projector: its architecture is not clip", mmproj);
    if (status != HWL_OK)
        hwl_lc_extras_close(out);
    return status;
}

void hwl_lc_extras_close(struct lc_extras *x)
{
    hwl_model_free(x->draft);
    if (x->mmproj)
        hwl_gguf_close(x->mmproj);
    for (uint32_t i = 0; i < x->n_adapters; i++)
        if (x->adapters[i])
            hwl_gguf_close(x->adapters[i]);
    x->n_adapters = 0;
    x->draft = NULL;
    x->mmproj = NULL;
}

bool hwl_lc_borrows(const struct lc_model *m)
{
    return m->row->flags & LC_NEEDS_OTHER || strcmp(m->arch, "gemma4-assistant") == 0 ||
           (m->row->flags & LC_DRAFT && (!m->tok_embd || !m->output));
}

static void set_count(struct hwl_settings *s, enum hwl_opt id, uint64_t value)
{
    s->value[id] = (struct hwl_setting_value){.set = true, .v.u64 = value};
}

bool hwl_lc_wants_mtp(const struct lc_plan *p)
{
    return !p->is_draft && p->m->n_layer_nextn > 0 && p->m->router_layer < 0 && !hwl_opt_has(p->settings, HWL_OPT_DRAFT) &&
           strcmp(hwl_opt_text(p->settings, HWL_OPT_SPEC_METHOD, ""), "mtp") == 0;
}

static bool places_weights(enum hwl_opt id)
{
    return id == HWL_OPT_NGL || id == HWL_OPT_CPU_MOE || id == HWL_OPT_N_CPU_MOE || id == HWL_OPT_OVERRIDE_TENSOR;
}

/* The target's context, slots, batches and devices; layers, overrides and cache types of its own, which are the defaults;
 * one row of logits a slot. */
bool hwl_lc_draft(const struct lc_plan *target, struct hwl_settings *s, struct lc_plan *out)
{
    static const enum hwl_opt own[] = {HWL_OPT_CTX,    HWL_OPT_NGL,       HWL_OPT_CPU_MOE, HWL_OPT_N_CPU_MOE, HWL_OPT_OVERRIDE_TENSOR,
                                       HWL_OPT_KV_TYPE, HWL_OPT_EMBEDDING, HWL_OPT_DRAFT,   HWL_OPT_DRAFT_MAX, HWL_OPT_SPEC_METHOD};
    static const enum hwl_opt given[][2] = {{HWL_OPT_DRAFT_NGL, HWL_OPT_NGL}, {HWL_OPT_DRAFT_CPU_MOE, HWL_OPT_CPU_MOE}, {HWL_OPT_DRAFT_N_CPU_MOE, HWL_OPT_N_CPU_MOE},
                                            {HWL_OPT_DRAFT_OVERRIDE_TENSOR, HWL_OPT_OVERRIDE_TENSOR}, {HWL_OPT_DRAFT_KV_TYPE, HWL_OPT_KV_TYPE}};
    const struct lc_extras *x = target->extras;
    const bool mtp = hwl_lc_wants_mtp(target);
    if (!mtp && (!x || !x->draft || !hwl_opt_has(target->settings, HWL_OPT_DRAFT)))
        return false;
    *s = *target->settings;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) /* an MTP context runs on the weights as the model has them */
        if (!mtp || !places_weights(own[i]))
            s->value[own[i]] = (struct hwl_setting_value){0};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (target->settings->value[given[i][0]].set && (!mtp || given[i][1] == HWL_OPT_KV_TYPE))
            s->value[given[i][1]] = target->settings->value[given[i][0]];
    const char *device = hwl_opt_text(target->settings, HWL_OPT_DRAFT_DEVICE, "");
    if (*device && !mtp)
        s->value[HWL_OPT_DEVICE] = target->settings->value[HWL_OPT_DRAFT_DEVICE];
    if (*device && !mtp && !strchr(device, ',')) /* one device needs no split */
        s->value[HWL_OPT_SPLIT_MODE] = (struct hwl_setting_value){0};
    set_count(s, HWL_OPT_CTX_TOTAL, target->params.n_ctx);
    set_count(s, HWL_OPT_CONCURRENCY, target->params.n_seq_max);
    s->value[HWL_OPT_KV_UNIFIED] = (struct hwl_setting_value){.set = true, .v.flag = target->params.kv_unified};
    *out = (struct lc_plan){.m = mtp ? target->m : &x->draft_m, .digest = mtp ? target->digest : &x->draft_digest, .devices = target->devices, .settings = s, .rules = target->rules,
                            .arena = target->arena, .scratch = target->scratch, .error = target->error, .is_draft = true, .is_mtp = mtp, .fit = mtp ? target->fit : (struct lc_fit){0}};
    return true;
}

/* In the default buffer of --mmproj-device or of the first device that is a GPU, whatever main-gpu says; LC_HOST without one. */
static uint16_t projector_device(const struct lc_plan *p)
{
    const char *name = hwl_opt_text(p->settings, HWL_OPT_MMPROJ_DEVICE, "");
    uint16_t list[16];
    uint32_t n = 0;
    if (!p->devices->n_gpus || !hwl_opt_flag(p->settings, HWL_OPT_MMPROJ_OFFLOAD, true))
        return LC_HOST;
    if (*name && hwl_lc_devices(p, name, list, &n, NULL) == HWL_OK)
        return n ? list[0] : (uint16_t)LC_HOST;
    return 0;
}

static uint64_t projector_tensor(struct lc_plan *p, const struct hwl_gguf_tensor *t)
{
    if (projector_device(p) == LC_HOST)
        return hwl_ck_align(&p->ck, t->bytes, ALIGN_CPU);
    return hwl_ck_align(&p->ck, hwl_ck_add(&p->ck, t->bytes, hwl_lc_row_pad(t->dtype, t->dims[0])), ALIGN_CUDA);
}

uint64_t hwl_lc_mmproj_bytes(struct lc_plan *p, uint16_t *device)
{
    const struct hwl_gguf *g = p->extras && hwl_opt_has(p->settings, HWL_OPT_MMPROJ) ? p->extras->mmproj : NULL;
    uint64_t sum = 0;
    for (uint64_t i = 0; g && i < g->n_tensors; i++)
        sum = hwl_ck_add(&p->ck, sum, g->tensors[i].bytes); /* as the engine counts, without padding */
    *device = projector_device(p);
    if (g && *device != LC_HOST && p->rules->server_outputs) /* mtmd_get_memory_usage */
        sum = hwl_ck_add(&p->ck, sum, p->extras->clip[1].device);
    return sum;
}

static hwl_component tower_of(struct hwl_str name)
{
    static const struct {
        const char *prefix;
        hwl_component component;
    } parts[] = {{"v.", HWL_COMP_VISION}, {"a.", HWL_COMP_AUDIO}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (hwl_str_starts(name, parts[i].prefix))
            return parts[i].component;
    return HWL_COMP_PROJECTOR;
}

static void put_clip(struct lc_plan *p, struct hwl_ledger *l, uint16_t device, uint64_t bytes, const struct lc_clip *c)
{
    const bool host = device == p->devices->n_gpus;
    if (!bytes)
        return;
    hwl_entry *e = hwl_ledger_put(l, device, -1, HWL_KIND_COMPUTE, HWL_COMP_VISION, bytes, c->known && p->rules->server_outputs ? HWL_BASIS_EXACT : HWL_BASIS_MODELLED,
                                  "llama.cpp tools/mtmd/clip.cpp");
    if (e->basis == HWL_BASIS_MODELLED)
        e->error = c->known ? 0.05f : 0.5f;
    e->memory = host ? HWL_MEMORY_PAGEABLE : HWL_MEMORY_DEVICE;
    e->formula = "the projector's graph for an image of {0} x {0} pixels";
    e->args[0] = c->side;
}

/* What is reserved when it is loaded; a larger image takes more then. */
static void put_mmproj_compute(struct lc_plan *p, struct hwl_ledger *l, uint16_t device)
{
    const struct lc_clip *c = &p->extras->clip[device != LC_HOST];
    bool audio = false;
    for (uint64_t i = 0; i < p->extras->mmproj->n_tensors && !audio; i++)
        audio = hwl_str_starts(p->extras->mmproj->tensors[i].name, "a.");
    if (c->side) {
        put_clip(p, l, device, c->device, c);
        put_clip(p, l, (uint16_t)p->devices->n_gpus, c->host, c);
        hwl_ledger_note(l, "the projector's compute buffer is for its warm-up image of %u x %u pixels: a larger image makes it grow%s", c->side, c->side,
                        c->known ? "" : "; its last part is not built for this kind of projector");
    } else {
        hwl_ledger_note(l, "the projector's compute buffer moves memory and is not modelled: it grows with the size of an image");
    }
    if (audio)
        hwl_ledger_note(l, "the audio encoder's compute buffer moves memory and is not modelled");
}

/* Tensors that the loader leaves out are counted: hence the error. */
static void put_mmproj(struct lc_plan *p, struct hwl_ledger *l)
{
    const struct hwl_gguf *g = p->extras->mmproj;
    const uint16_t device = projector_device(p);
    const bool gpu = device != LC_HOST;
    uint64_t sum[HWL_COMP_COUNT] = {0};
    for (uint64_t i = 0; i < g->n_tensors; i++) {
        uint64_t *s = &sum[tower_of(g->tensors[i].name)];
        *s = hwl_ck_add(&p->ck, *s, projector_tensor(p, &g->tensors[i]));
    }
    for (int c = 0; c < HWL_COMP_COUNT; c++) {
        if (!sum[c])
            continue;
        hwl_entry *e = hwl_ledger_put(l, (uint16_t)(gpu ? device : p->devices->n_gpus), -1, HWL_KIND_WEIGHTS, (hwl_component)c, sum[c],
                                      HWL_BASIS_MODELLED, "llama.cpp tools/mtmd/clip.cpp load_tensors");
        e->error = 0.01f;
        e->memory = gpu ? HWL_MEMORY_DEVICE : HWL_MEMORY_PAGEABLE;
        e->formula = gpu ? "tensors, each padded to 128 B, quantised rows to 512 columns" : "tensors, each padded to 32 B";
    }
    put_mmproj_compute(p, l, device);
}

/* Is it a matrix that build_lora_mm multiplies with and that adapters "on all linear layers" train? */
static bool is_target(const struct lc_tensor *t)
{
    static const char *const others[] = {"norm", "conv", "attn_rel_b", "time_mix_first", "lerp", "tid2eid"};
    const bool linear = t->component == HWL_COMP_ATTENTION || t->component == HWL_COMP_FFN || t->component == HWL_COMP_EXPERTS ||
                        t->component == HWL_COMP_SHARED_EXPERT || t->component == HWL_COMP_RECURRENT;
    const char *end = strrchr(t->base, '.');
    if (t->where != LC_WHERE_LAYER || t->layer < 0 || t->per_device || !linear || t->t->dims[1] < 2 || !end || strcmp(end, ".weight") != 0)
        return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strstr(t->base, others[i]))
            return false;
    return true;
}

/* A of in x rank and B of rank x out beside the matrix, of each expert its own, in f32 as convert_lora_to_gguf.py writes them
 * unless told otherwise. */
static uint64_t adapter_bytes(struct lc_plan *p, const struct lc_tensor *t, uint64_t rank, bool host)
{
    struct hwl_ck *ck = &p->ck;
    const uint64_t experts = hwl_ck_mul(ck, t->t->dims[2], t->t->dims[3]), align = host ? ALIGN_CPU : ALIGN_CUDA;
    return hwl_ck_add(ck, hwl_ck_align(ck, hwl_ck_mul4(ck, t->t->dims[0], rank, experts, 4), align),
                      hwl_ck_align(ck, hwl_ck_mul4(ck, t->t->dims[1], rank, experts, 4), align));
}

/* Where bytes of an adapter are summed: by place and layer, behind the layers what belongs to none. */
static uint64_t *adapter_sum(const struct lc_plan *p, uint64_t *sum, const struct lc_tensor *t, bool *host)
{
    const uint16_t where = hwl_lc_where(p->m, &p->place, t);
    const uint64_t row = t->layer >= 0 ? (uint64_t)t->layer : p->m->n_layer_all;
    *host = where == LC_HOST;
    return &sum[(*host ? p->place.n_gpus : where) * ((uint64_t)p->m->n_layer_all + 1) + row];
}

/* X.lora_a and X.lora_b lie where the model's X does. */
static hwl_status add_adapter(struct lc_plan *p, const struct hwl_gguf *g, uint64_t *sum)
{
    const struct lc_model *m = p->m;
    for (uint64_t i = 0; i < g->n_tensors; i++) {
        const struct hwl_gguf_tensor *t = &g->tensors[i];
        char name[HWL_GGUF_MAX_NAME + 1];
        (void)snprintf(name, sizeof name, "%.*s", (int)t->name.n, t->name.p);
        char *end = strrchr(name, '.');
        if (!end || !hwl_words_have(".lora_a .lora_b", end))
            continue; /* norms of some adapters are not loaded */
        *end = 0;
        const struct hwl_gguf_tensor *base = hwl_gguf_find(m->gguf, name);
        if (!base)
            return hwl_fail(p->error, HWL_E_REFUSED, "LoRA tensor '%.100s' does not exist in base model", name);
        bool host;
        uint64_t *s = adapter_sum(p, sum, &m->tensors[base - m->gguf->tensors], &host);
        const uint64_t pad = host ? 0 : hwl_lc_row_pad(t->dtype, t->dims[0]);
        *s = hwl_ck_add(&p->ck, *s, hwl_ck_align(&p->ck, hwl_ck_add(&p->ck, t->bytes, pad), host ? ALIGN_CPU : ALIGN_CUDA));
    }
    return HWL_OK;
}

static hwl_status put_adapters(struct lc_plan *p, struct hwl_ledger *l)
{
    const struct lc_model *m = p->m;
    const uint64_t places = (uint64_t)p->place.n_gpus + 1, layers = (uint64_t)m->n_layer_all + 1;
    bool ranks = false;
    uint64_t *sum = HWL_NEW_ARRAY(p->arena, uint64_t, places * layers);
    if (!sum)
        return hwl_fail(p->error, HWL_E_NOMEM, "out of memory");
    for (uint32_t a = 0; a < hwl_opt_list_n(p->settings, HWL_OPT_LORA); a++) {
        const struct hwl_gguf *file = p->extras && a < p->extras->n_adapters ? p->extras->adapters[a] : NULL;
        uint32_t rank, n;
        if (file) {
            HWL_TRY(add_adapter(p, file, sum));
            continue;
        }
        ranks = true;
        HWL_TRY(hwl_opt_adapter(p->settings, a, &rank, &n, p->error));
        for (uint64_t i = 0; i < m->n_tensors; i++) {
            const struct lc_tensor *t = &m->tensors[i];
            if (!is_target(t))
                continue;
            bool host;
            uint64_t *s = adapter_sum(p, sum, t, &host);
            *s = hwl_ck_add(&p->ck, *s, hwl_ck_mul(&p->ck, adapter_bytes(p, t, rank, host), n));
        }
    }
    for (uint64_t d = 0; d < places; d++)
        for (uint64_t il = 0; il < layers; il++) {
            const bool host = d == p->place.n_gpus;
            if (!sum[d * layers + il])
                continue;
            hwl_entry *e = hwl_ledger_put(l, hwl_lc_device(p, host ? LC_HOST : (uint16_t)d), il < m->n_layer_all ? (int32_t)il : -1, HWL_KIND_WEIGHTS, HWL_COMP_LORA,
                                          sum[d * layers + il], HWL_BASIS_MODELLED, "llama.cpp src/llama-adapter.cpp");
            e->error = ranks ? 0.05f : 0.01f;
            e->memory = !host ? HWL_MEMORY_DEVICE : p->place.n_gpus && !p->params.no_host && !p->params.mmap ? HWL_MEMORY_PINNED : HWL_MEMORY_PAGEABLE;
            e->formula = host ? "A and B of each matrix, each padded to 32 B" : "A and B of each matrix, each padded to 128 B";
        }
    if (ranks)
        hwl_ledger_note(l, "adapters are taken to be f32 and to cover every linear matrix of the layers; a file in f16 is half as large");
    return HWL_OK;
}

hwl_status hwl_lc_extras_put(struct lc_plan *p, struct hwl_ledger *l)
{
    if (p->extras && p->extras->mmproj && hwl_opt_has(p->settings, HWL_OPT_MMPROJ))
        put_mmproj(p, l);
    return hwl_opt_list_n(p->settings, HWL_OPT_LORA) ? put_adapters(p, l) : HWL_OK;
}
