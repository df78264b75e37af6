/* SPDX-License-Identifier: Apache-2.0 */
/* Ollama: llama.cpp with defaults and a placement of its own. What is its own here: the context by video memory and by the
 * model's parameters in the store (docs/context-length.mdx), one sequence, batches of 512, no --fit before its llama-server
 * runner, the choice of one GPU where the model fits on one, 457 MiB left on each (its start-up logs: gpu memory minimum). */
#include "engine/engine.h"

#include "base/json.h"
#include "base/status.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

struct rules {
    const char *version, *llamacpp;
    bool fit;      /* runs llama-server, which fits itself */
    bool by_vram;  /* the default context grows with video memory */
    const char *note;
};

static const char *const versions[] = {"0.30", "0.15", "0.13", NULL};

static const struct rules rules[] = {
    {"0.30", "v0.5.0", true, true, NULL},
    {"0.15", "b7200", false, true, "models that run on Ollama's own engine have a compute graph of its own; llama.cpp's is shown"},
    {"0.13", "b7200", false, false, "models that run on Ollama's own engine have a compute graph of its own; llama.cpp's is shown"},
};

static const struct rules *rules_of(const char *version)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].version, version) == 0)
            return &rules[i];
    return &rules[0];
}

/* "0.15.2", "v0.30.1": the newest row that is not newer. */
static const char *version_of(const char *text)
{
    const char *p = text + (text[0] == 'v');
    char *end;
    if (strncmp(p, "0.", 2) != 0 || p[2] < '0' || p[2] > '9')
        return NULL;
    const unsigned long minor = strtoul(p + 2, &end, 10);
    if (*end && *end != '.' && *end != '-')
        return NULL;
    return minor >= 30 ? versions[0] : minor >= 15 ? versions[1] : minor >= 12 ? versions[2] : NULL;
}

/* Of the model's own parameters; HWL_UNKNOWN where it says nothing. */
struct prepared {
    void *llamacpp;
    uint64_t num_ctx, num_batch;
    int64_t num_gpu;
    bool has_gpu;
};

static void read_params(const struct hwl_model *model, struct prepared *p)
{
    const char *text = NULL;
    for (uint64_t i = 0; i < model->n_facts; i++)
        if (strcmp(model->facts[i].key, "params") == 0)
            text = model->facts[i].value;
    yyjson_doc *doc = NULL;
    if (!text || hwl_json_parse(text, strlen(text), 0, "params", &doc, NULL) != HWL_OK)
        return;
    yyjson_val *root = yyjson_doc_get_root(doc), *v;
    if ((v = hwl_json_get(root, "num_ctx")) && yyjson_is_uint(v))
        p->num_ctx = yyjson_get_uint(v);
    if ((v = hwl_json_get(root, "num_batch")) && yyjson_is_uint(v))
        p->num_batch = yyjson_get_uint(v);
    if ((v = hwl_json_get(root, "num_gpu")) && yyjson_is_int(v)) {
        p->num_gpu = yyjson_get_sint(v);
        p->has_gpu = p->num_gpu >= 0;
    }
    yyjson_doc_free(doc);
}

static hwl_status prepare(const struct hwl_model *model, const char *version, const struct hwl_settings *settings, struct hwl_arena *arena,
                          void **out, hwl_error *error)
{
    struct prepared *p = HWL_NEW(arena, struct prepared);
    if (!p)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    p->num_ctx = p->num_batch = HWL_UNKNOWN;
    read_params(model, p);
    HWL_TRY(hwl_engine_llamacpp.prepare(model, rules_of(version)->llamacpp, settings, arena, &p->llamacpp, error));
    *out = p;
    return HWL_OK;
}

static void release(void *prepared)
{
    hwl_engine_llamacpp.release(((struct prepared *)prepared)->llamacpp);
}

static void set_count(struct hwl_settings *s, enum hwl_opt id, uint64_t v)
{
    if (!s->value[id].set)
        s->value[id] = (struct hwl_setting_value){.set = true, .v.u64 = v};
}

static void set_text(struct hwl_settings *s, enum hwl_opt id, char *v)
{
    if (!s->value[id].set)
        s->value[id] = (struct hwl_setting_value){.set = true, .text = v};
}

/* docs/context-length.mdx: 4k below 24 GiB of video memory, 32k below 48 GiB, else 256k; never above the trained one. */
static uint64_t default_context(const struct rules *r, const struct prepared *p, const struct hwl_model *model, const struct hwl_devices *devices)
{
    uint64_t vram = 0, ctx = 4096;
    for (uint32_t i = 0; i < devices->n_gpus; i++)
        vram += devices->gpu[i].memory_bytes != HWL_UNKNOWN ? devices->gpu[i].memory_bytes : 0;
    /* cards of nominally 24 and 48 GB report a little less than that in GiB; Ollama compares with 23 and 47 */
    if (r->by_vram)
        ctx = vram >= (uint64_t)47 << 30 ? 262144 : vram >= (uint64_t)23 << 30 ? 32768 : 4096;
    if (p->num_ctx != HWL_UNKNOWN && p->num_ctx)
        ctx = p->num_ctx;
    return model->context_train ? hwl_min(ctx, model->context_train) : ctx;
}

static uint64_t free_of(const hwl_device *d)
{
    return d->free_bytes != HWL_UNKNOWN ? d->free_bytes : d->memory_bytes;
}

/* What Ollama before 0.30 reckons for the graph, whatever llama.cpp will take (fs/ggml/ggml.go GraphSize, its llama and qwen2
 * cases; other architectures: GQA x cache / 6). Right without flash attention, far too much with it. */
static uint64_t graph_size(const struct hwl_model *model, const struct hwl_settings *s, bool full, uint64_t kv)
{
    const struct hwl_layer *a = model->n_layers ? &model->layers[0] : NULL;
    const uint64_t batch = hwl_opt_u64(s, HWL_OPT_BATCH, 512), embd = model->hidden, vocab = model->vocab;
    const uint64_t ctx = hwl_opt_u64(s, HWL_OPT_CTX, 4096) * hwl_opt_u64(s, HWL_OPT_CONCURRENCY, 1);
    const uint64_t heads = a && a->attn.n_heads ? a->attn.n_heads : 1, kv_heads = a && a->attn.n_kv_heads ? a->attn.n_kv_heads : heads;
    if (strcmp(model->arch, "llama") == 0) {
        if (full)
            return hwl_max(4 * batch * (1 + 4 * embd + ctx * (1 + heads)), 4 * batch * (embd + vocab));
        return 4 * batch * embd + hwl_max(4 * batch * (1 + embd + hwl_max(ctx, embd)) + embd * embd * 9 / 16 + 4 * ctx * (batch * heads + embd / heads * kv_heads),
                                          4 * batch * (embd + vocab) + embd * vocab * 105 / 128);
    }
    if (strcmp(model->arch, "qwen2") == 0) {
        if (full)
            return hwl_max(4 * batch * (embd + vocab), 4 * batch * (1 + 2 * embd + ctx + ctx * heads));
        return hwl_max(4 * batch * (embd + vocab) + embd * vocab * 105 / 128, 4 * (batch * (1 + 2 * embd + ctx * (1 + heads)) + embd * (1 + ctx)));
    }
    return heads / kv_heads * (kv / 6);
}

/* Does the plan with these settings leave its minimum on every GPU? */
static bool fits(const struct hwl_model *model, const void *prepared, const struct rules *r, const struct hwl_devices *devices,
                 const struct hwl_settings *s, struct hwl_ledger *like)
{
    enum { MINIMUM_MIB = 457, METAL_MIB = 512 };
    struct hwl_arena arena = {0};
    struct hwl_ledger l = {.arena = &arena, .work = like->work};
    bool ok = hwl_engine_llamacpp.plan(model, prepared, r->llamacpp, devices, s, &l, NULL) == HWL_OK && !l.failed;
    uint64_t kv = 0;
    for (uint64_t i = 0; ok && i < l.n_entries; i++)
        kv += l.entries[i].kind == HWL_KIND_KV_CACHE ? l.entries[i].bytes : 0;
    const uint64_t graph = graph_size(model, s, hwl_opt_i64(s, HWL_OPT_NGL, 0) > (int64_t)model->n_layers && !s->value[HWL_OPT_OVERRIDE_TENSOR].set, kv);
    for (uint32_t g = 0; ok && g < devices->n_gpus; g++) {
        const uint64_t free = free_of(&devices->gpu[g]);
        uint64_t used = (uint64_t)(devices->gpu[g].backend == HWL_BACKEND_METAL ? METAL_MIB : MINIMUM_MIB) << 20;
        used += hwl_opt_u64(s, HWL_OPT_RESERVE, 0);
        bool any = false;
        for (uint64_t i = 0; i < l.n_entries; i++) {
            const hwl_entry *e = &l.entries[i];
            const bool counts = e->device == g && e->kind != HWL_KIND_OVERHEAD && e->kind != HWL_KIND_COMPUTE;
            used += counts ? e->bytes : 0;
            any |= counts;
        }
        ok = !any || (graph <= free && used <= free - graph);
    }
    hwl_arena_free(&arena);
    return ok;
}

static char no_output[] = "^(output|token_embd)=CPU";
static char *no_outputs[] = {no_output};

/* The last n repeating layers on GPUs, the output layer on the host: Ollama takes that one last (its logs: "Layers:49(15..63)"
 * of 65), llama.cpp first. */
static void set_partial(struct hwl_settings *s, int64_t n)
{
    s->value[HWL_OPT_NGL] = (struct hwl_setting_value){.set = true, .v.i64 = n > 0 ? n + 1 : 0};
    s->value[HWL_OPT_OVERRIDE_TENSOR] = (struct hwl_setting_value){.set = n > 0, .list = no_outputs, .n_list = n > 0};
}

/* On the GPU with most free memory where everything fits there, on all GPUs, or as many of the last layers as they hold.
 * True: the output layer stays on the host. */
static bool place(const struct hwl_model *model, const void *prepared, const struct rules *r, const struct hwl_devices *devices,
                  struct hwl_settings *s, struct hwl_ledger *l)
{
    static char none[] = "none";
    const int64_t layers = model->n_layers;
    s->value[HWL_OPT_NGL] = (struct hwl_setting_value){.set = true, .v.i64 = devices->n_gpus ? layers + 1 : 0};
    if (!devices->n_gpus)
        return false;
    if (devices->n_gpus > 1 && !s->value[HWL_OPT_SPLIT_MODE].set && !s->value[HWL_OPT_TENSOR_SPLIT].set) {
        uint32_t best = 0;
        uint64_t most = 0;
        for (uint32_t g = 0; g < devices->n_gpus; g++) {
            const uint64_t free = free_of(&devices->gpu[g]);
            if (free > most) {
                most = free;
                best = g;
            }
        }
        struct hwl_settings one = *s;
        set_text(&one, HWL_OPT_SPLIT_MODE, none);
        one.value[HWL_OPT_MAIN_GPU] = (struct hwl_setting_value){.set = true, .v.u64 = best};
        if (fits(model, prepared, r, devices, &one, l)) {
            *s = one;
            return false;
        }
    }
    if (fits(model, prepared, r, devices, s, l) || s->value[HWL_OPT_OVERRIDE_TENSOR].set)
        return false;
    int64_t low = 0, high = layers + 1;
    while (high - low > 1) {
        const int64_t n = low + (high - low) / 2;
        set_partial(s, n);
        *(fits(model, prepared, r, devices, s, l) ? &low : &high) = n;
    }
    set_partial(s, low);
    return low > 0;
}

/* Layer n_layers of the last run lies on the host. */
static void move_output(struct hwl_ledger *l, const struct hwl_devices *devices)
{
    hwl_placement *last = l->n_placements ? &l->placements[l->n_placements - 1] : NULL;
    if (!last || last->device == devices->n_gpus || last->first == last->last)
        return;
    const uint32_t output = last->last--;
    hwl_ledger_place(l, (uint16_t)devices->n_gpus, output);
}

/* The compute buffers of Ollama's own build of llama.cpp were not compared with anything. */
static void doubt_compute(struct hwl_ledger *l)
{
    for (uint64_t i = 0; i < l->n_entries; i++)
        if (l->entries[i].kind == HWL_KIND_COMPUTE && l->entries[i].basis == HWL_BASIS_EXACT) {
            l->entries[i].basis = HWL_BASIS_MODELLED;
            l->entries[i].error = l->entries[i].memory == HWL_MEMORY_DEVICE ? 0.05f : 0.2f;
        }
}

/* What `ollama ps` prints: its size, and the share of it on GPUs in percent. */
static void show_ps(struct hwl_ledger *l, const struct hwl_devices *devices)
{
    uint64_t size = 0, gpu = 0;
    for (uint64_t i = 0; i < l->n_entries; i++) {
        if (l->entries[i].kind == HWL_KIND_OVERHEAD)
            continue;
        size += l->entries[i].bytes;
        gpu += l->entries[i].device < devices->n_gpus ? l->entries[i].bytes : 0;
    }
    hwl_ledger_view_u64(l, "ps_size_bytes", size);
    hwl_ledger_view_u64(l, "ps_gpu_percent", size ? 100 - (100 * (size - gpu) + size / 2) / size : 0);
}

static hwl_status plan(const struct hwl_model *model, const void *prepared, const char *version, const struct hwl_devices *devices,
                       const struct hwl_settings *settings, struct hwl_ledger *l, hwl_error *error)
{
    static char on[] = "on", off[] = "off", server[] = "llama-server";
    const struct prepared *p = prepared;
    const struct rules *r = rules_of(version);
    struct hwl_settings s = *settings; /* texts and lists stay those of the caller */
    s.value[HWL_OPT_ENGINE_VERSION].set = false;
    set_text(&s, HWL_OPT_PROGRAM, server);
    if (!s.value[HWL_OPT_CTX_TOTAL].set)
        set_count(&s, HWL_OPT_CTX, default_context(r, p, model, devices));
    set_count(&s, HWL_OPT_CONCURRENCY, 1); /* OLLAMA_NUM_PARALLEL */
    set_count(&s, HWL_OPT_BATCH, p->num_batch != HWL_UNKNOWN && p->num_batch ? p->num_batch : 512);
    set_count(&s, HWL_OPT_UBATCH, s.value[HWL_OPT_BATCH].v.u64);
    if (!s.value[HWL_OPT_KV_UNIFIED].set)
        s.value[HWL_OPT_KV_UNIFIED] = (struct hwl_setting_value){.set = true, .v.flag = false};
    if (!s.value[HWL_OPT_NGL].set && p->has_gpu)
        s.value[HWL_OPT_NGL] = (struct hwl_setting_value){.set = true, .v.i64 = p->num_gpu};
    set_text(&s, HWL_OPT_FIT, r->fit ? on : off);
    const bool host_output = !r->fit && !s.value[HWL_OPT_NGL].set && place(model, p->llamacpp, r, devices, &s, l);
    HWL_TRY(hwl_engine_llamacpp.plan(model, p->llamacpp, r->llamacpp, devices, &s, l, error));
    if (host_output)
        move_output(l, devices);
    hwl_ledger_setting_i64(l, "ngl", hwl_opt_i64(&s, HWL_OPT_NGL, -1) - host_output);
    if (r->note)
        hwl_ledger_note(l, "%s", r->note);
    doubt_compute(l);
    show_ps(l, devices);
    return HWL_OK;
}

const struct hwl_engine hwl_engine_ollama = {
    .id = "ollama",
    .versions = versions,
    .version = version_of,
    .prepare = prepare,
    .release = release,
    .plan = plan,
};
