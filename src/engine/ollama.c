/* SPDX-License-Identifier: Apache-2.0 */
/* Ollama: llama.cpp with defaults and a placement of its own. Up to 0.29 it places layers itself: the choice of one GPU where the
 * model fits on one, 457 MiB left on each (its start-up logs: gpu memory minimum), batches of 512. From 0.30 on it starts
 * llama-server, whose --fit places; its own are a prediction from the file's size and an f16 cache, the one GPU by that, the batch
 * by context and room, the projector's place (llm/llama_server.go, server/sched.go of v0.30.0, v0.32.15 and August 2026). The
 * context by video memory and by the model's parameters in the store (docs/context-length.mdx), one sequence, are in all. */
#include "engine/engine.h"

#include "base/json.h"
#include "base/status.h"
#include "base/str.h"
#include "engine/llamacpp/extras.h"

#include <stdlib.h>
#include <string.h>

struct rules {
    const char *version, *llamacpp;
    bool fit;      /* runs llama-server, which fits itself */
    bool by_vram;  /* the default context grows with video memory */
    bool pads;     /* --fit leaves the projector's bytes and 1 GiB where it goes to a GPU */
    bool reserves; /* what is free is counted less the minimum and the fit target */
    const char *note;
};

static const char *const versions[] = {"0.33", "0.32", "0.30", "0.15", "0.13", NULL};

static const struct rules rules[] = {
    /* their llama.cpp: b9452 (0.30.0), b9781 (0.30.11), b9840 (0.31.0), b9888 (0.31.2), b10488 (0.32.15) */
    {"0.33", "v0.5.0", true, true, true, true, NULL},
    {"0.32", "b9495", true, true, true, false, NULL},
    {"0.30", "b9495", true, true, false, false, NULL},
    {"0.15", "b7200", false, true, false, false, "models that run on Ollama's own engine have a compute graph of its own; llama.cpp's is shown"},
    {"0.13", "b7200", false, false, false, false, "models that run on Ollama's own engine have a compute graph of its own; llama.cpp's is shown"},
};

static const struct rules *rules_of(const char *version)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].version, version) == 0)
            return &rules[i];
    return &rules[0];
}

/* "0.15.2", "v0.30.1": the newest row that is not newer; 0.32's rules came with 0.31.2. */
static const char *version_of(const char *text)
{
    const char *p = text + (text[0] == 'v');
    char *end;
    if (strncmp(p, "0.", 2) != 0 || p[2] < '0' || p[2] > '9')
        return NULL;
    const unsigned long minor = strtoul(p + 2, &end, 10);
    if (*end && *end != '.' && *end != '-')
        return NULL;
    if (minor == 31 && strncmp(end, ".0", 2) != 0 && strncmp(end, ".1", 2) != 0 && *end == '.')
        return versions[1];
    return minor >= 33 ? versions[0] : minor == 32 ? versions[1] : minor >= 30 ? versions[2] : minor >= 15 ? versions[3] : minor >= 12 ? versions[4] : NULL;
}

/* Of the model's own parameters; HWL_UNKNOWN where it says nothing. */
struct prepared {
    void *llamacpp;
    uint64_t num_ctx, num_batch;
    int64_t num_gpu, main_gpu;
    bool has_gpu, has_main;
    uint64_t drafted; /* draft_num_predict */
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
    if ((v = hwl_json_get(root, "main_gpu")) && yyjson_is_uint(v)) {
        p->main_gpu = (int64_t)hwl_min(yyjson_get_uint(v), 1 << 20);
        p->has_main = true;
    }
    if ((v = hwl_json_get(root, "draft_num_predict")) && yyjson_is_uint(v))
        p->drafted = yyjson_get_uint(v);
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
    if (v && !s->value[id].set)
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

/* What llama-server's scheduler takes a model for (PredictServerVRAM): its file and an f16 cache of the fewest heads. */
static uint64_t predicted(const struct lc_summary *m, uint64_t tokens)
{
    struct hwl_ck ck = {0};
    const uint64_t head = m->n_head_max ? m->n_embd / m->n_head_max : 0, row = 4 * (uint64_t)m->n_layer * head;
    const uint64_t cache = hwl_ck_mul(&ck, hwl_ck_mul(&ck, row, m->n_head_kv_min ? m->n_head_kv_min : 1), tokens);
    const uint64_t sum = hwl_ck_add(&ck, m->file_bytes, cache);
    return ck.overflow ? UINT64_MAX : sum;
}

static uint64_t available_on(const struct rules *r, const hwl_device *d, const struct hwl_settings *s)
{
    const uint64_t free = free_of(d), target = (uint64_t)1024 << 20, minimum = (uint64_t)(d->backend == HWL_BACKEND_METAL ? 512 : 457) << 20;
    uint64_t kept = hwl_max(hwl_opt_u64(s, HWL_OPT_RESERVE, 0), target);
    kept = !r->reserves ? 0 : kept > UINT64_MAX - minimum ? UINT64_MAX : kept + minimum;
    return free == HWL_UNKNOWN || kept >= free ? 0 : free - kept;
}

/* On the GPU with most room where the prediction fits on one (bestSingleGPUFit); returns the room of the GPUs that are used. */
static uint64_t choose_gpus(const struct rules *r, const struct prepared *p, const struct hwl_devices *devices, uint64_t need, struct hwl_settings *s)
{
    static char none[] = "none";
    uint64_t sum = 0, most = 0;
    uint32_t best = 0;
    const bool free_hand = !s->value[HWL_OPT_SPLIT_MODE].set && !s->value[HWL_OPT_TENSOR_SPLIT].set && !s->value[HWL_OPT_DEVICE].set;
    for (uint32_t g = 0; g < devices->n_gpus; g++) {
        const uint64_t room = available_on(r, &devices->gpu[g], s);
        sum = room > UINT64_MAX - sum ? UINT64_MAX : sum + room;
        if (room > most) {
            most = room;
            best = g;
        }
    }
    if (devices->n_gpus < 2 || hwl_opt_i64(s, HWL_OPT_NGL, -1) == 0 || !free_hand)
        return sum;
    const bool named = p->has_main || s->value[HWL_OPT_MAIN_GPU].set;
    const uint64_t main_gpu = hwl_opt_u64(s, HWL_OPT_MAIN_GPU, (uint64_t)p->main_gpu);
    if (named ? main_gpu >= devices->n_gpus : need > most)
        return sum;
    best = named ? (uint32_t)main_gpu : best;
    set_text(s, HWL_OPT_SPLIT_MODE, none);
    s->value[HWL_OPT_MAIN_GPU] = (struct hwl_setting_value){.set = true, .v.u64 = best};
    return available_on(r, &devices->gpu[best], s);
}

static bool has_old_cuda(const struct hwl_devices *devices)
{
    for (uint32_t g = 0; g < devices->n_gpus; g++) {
        const hwl_device *d = &devices->gpu[g];
        if (d->backend == HWL_BACKEND_CUDA && d->compute_major && (d->compute_major < 6 || (d->compute_major == 7 && d->compute_minor == 2)))
            return true;
    }
    return false;
}

/* automaticGenerationBatch */
static uint64_t batch_by_room(const struct hwl_devices *devices, bool flash, uint64_t tokens, uint64_t need, uint64_t room)
{
    static const struct {
        uint64_t batch, above, percent, takes;
    } sizes[] = {{2048, 32768, 60, (uint64_t)2 << 30}, {1024, 4096, 75, (uint64_t)768 << 20}};
    bool cuda = false, small = false;
    for (uint32_t g = 0; g < devices->n_gpus; g++) {
        const bool here = devices->gpu[g].backend == HWL_BACKEND_CUDA;
        cuda |= here;
        small |= here && free_of(&devices->gpu[g]) <= (uint64_t)8 << 30;
    }
    if (!flash && cuda)
        return small && tokens > 4096 ? 256 : 512;
    const uint64_t most = room / 100 * 80 + room % 100 * 80 / 100;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const uint64_t share = room / 100 * sizes[i].percent + room % 100 * sizes[i].percent / 100;
        if (tokens > sizes[i].above && (!need || !room || (need <= most && need <= share && sizes[i].takes <= most - need)))
            return sizes[i].batch;
    }
    return 512;
}

/* A projector stays off the GPUs with few layers there, or where one has no room for it and 1 GiB (shouldDisableMMProjOffload);
 * what --fit leaves. */
static void keep_room(const struct rules *r, const struct lc_summary *m, const struct hwl_devices *devices, struct hwl_settings *s, struct hwl_ledger *l)
{
    const int64_t ngl = hwl_opt_i64(s, HWL_OPT_NGL, -1);
    const uint64_t wanted = hwl_min(m->mmproj_bytes, (uint64_t)1 << 50) + ((uint64_t)1 << 30);
    bool off = ngl == 0 || (ngl > 0 && (uint64_t)ngl < (uint64_t)m->n_layer + 1);
    const uint32_t only = (uint32_t)hwl_opt_u64(s, HWL_OPT_MAIN_GPU, UINT32_MAX);
    for (uint32_t g = 0; g < devices->n_gpus; g++)
        off |= (only >= devices->n_gpus || g == only) && free_of(&devices->gpu[g]) < wanted;
    if (m->mmproj_bytes && !s->value[HWL_OPT_MMPROJ_OFFLOAD].set)
        s->value[HWL_OPT_MMPROJ_OFFLOAD] = (struct hwl_setting_value){.set = true, .v.flag = !off};
    const uint64_t reserve = hwl_opt_u64(s, HWL_OPT_RESERVE, 0);
    uint64_t target = r->pads && m->mmproj_bytes && hwl_opt_flag(s, HWL_OPT_MMPROJ_OFFLOAD, true) ? wanted : 0;
    target += r->reserves && reserve > (uint64_t)1 << 30 ? hwl_min(reserve, (uint64_t)1 << 50) : 0;
    if (target)
        set_text(s, HWL_OPT_FIT_TARGET, hwl_arena_printf(l->arena, "%llu", (unsigned long long)((target + (1 << 20) - 1) >> 20)));
}

/* What is passed to llama-server, beyond what every version sets. */
static void launch(const struct rules *r, const struct prepared *p, const struct lc_summary *m, const struct hwl_devices *devices,
                   struct hwl_settings *s, struct hwl_ledger *l)
{
    static char off[] = "off", mtp[] = "mtp";
    struct hwl_ck ck = {0};
    const uint64_t tokens = s->value[HWL_OPT_CTX_TOTAL].set ? s->value[HWL_OPT_CTX_TOTAL].v.u64
                                                           : hwl_ck_mul(&ck, hwl_opt_u64(s, HWL_OPT_CTX, 4096), hwl_opt_u64(s, HWL_OPT_CONCURRENCY, 1));
    const uint64_t need = ck.overflow ? UINT64_MAX : predicted(m, tokens), room = choose_gpus(r, p, devices, need, s);
    if (has_old_cuda(devices))
        set_text(s, HWL_OPT_FLASH_ATTN, off);
    const bool flash = strcmp(hwl_opt_text(s, HWL_OPT_FLASH_ATTN, ""), "off") != 0, embeds = m->embeds || hwl_opt_flag(s, HWL_OPT_EMBEDDING, false);
    const bool given = p->num_batch != HWL_UNKNOWN && p->num_batch;
    set_count(s, HWL_OPT_BATCH, given ? p->num_batch : embeds ? hwl_min(2048, hwl_max(tokens, 1)) : batch_by_room(devices, flash, tokens, need, room));
    set_count(s, HWL_OPT_UBATCH, s->value[HWL_OPT_BATCH].v.u64);
    if (!devices->n_gpus || hwl_opt_i64(s, HWL_OPT_NGL, -1) == 0)
        if (!s->value[HWL_OPT_MMAP].set)
            s->value[HWL_OPT_MMAP] = (struct hwl_setting_value){.set = true, .v.flag = false};
    if (p->drafted && m->mtp && !m->draft) {
        set_text(s, HWL_OPT_SPEC_METHOD, mtp);
        set_count(s, HWL_OPT_DRAFT_MAX, p->drafted);
    }
    keep_room(r, m, devices, s, l);
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

/* Does its runner count the entry (bufferSizeRegex)? Its own estimate before 0.30 holds everything but the context. */
static bool counts(const struct rules *r, const hwl_entry *e)
{
    const bool beside = e->component == HWL_COMP_VISION || e->component == HWL_COMP_AUDIO || e->component == HWL_COMP_PROJECTOR;
    return e->kind != HWL_KIND_OVERHEAD && !(r->fit && (e->component == HWL_COMP_LORA || (beside && e->kind == HWL_KIND_WEIGHTS)));
}

/* What `ollama ps` prints: its size, and the share of it on GPUs in percent. With all layers on GPUs llama-server's host buffers
 * are left out (MemorySize). */
static void show_ps(const struct rules *r, struct hwl_ledger *l, const struct hwl_devices *devices)
{
    uint64_t size = 0, gpu = 0;
    bool all = r->fit && devices->n_gpus;
    for (uint64_t i = 0; i < l->n_entries; i++) {
        const hwl_entry *e = &l->entries[i];
        if (!counts(r, e))
            continue;
        size += e->bytes;
        gpu += e->device < devices->n_gpus ? e->bytes : 0;
        all &= e->device < devices->n_gpus || e->kind != HWL_KIND_WEIGHTS || e->layer < 0;
    }
    for (uint64_t i = 0; i < l->n_placements; i++)
        all &= l->placements[i].device < devices->n_gpus;
    size = all && gpu ? gpu : size;
    hwl_ledger_view_u64(l, "ps_size_bytes", size);
    hwl_ledger_view_u64(l, "ps_gpu_percent", size ? 100 - (100 * (size - gpu) + size / 2) / size : 0);
}

static hwl_status plan(const struct hwl_model *model, const void *prepared, const char *version, const struct hwl_devices *devices,
                       const struct hwl_settings *settings, struct hwl_ledger *l, hwl_error *error)
{
    static char on[] = "on", off[] = "off", server[] = "llama-server";
    static const char one_sequence[] = "mllama qwen3vl qwen3vlmoe qwen35 qwen35moe qwen3next lfm2 lfm2moe nemotron_h nemotron_h_moe nemotron_h_omni";
    const struct prepared *p = prepared;
    const struct rules *r = rules_of(version);
    struct hwl_settings s = *settings; /* texts and lists stay those of the caller */
    s.value[HWL_OPT_ENGINE_VERSION].set = false;
    set_text(&s, HWL_OPT_PROGRAM, server);
    if (!s.value[HWL_OPT_CTX_TOTAL].set)
        set_count(&s, HWL_OPT_CTX, default_context(r, p, model, devices));
    if (r->fit && model->context_train && hwl_opt_u64(&s, HWL_OPT_CTX, 0) > model->context_train) {
        hwl_ledger_note(l, "the model is trained for a context of %llu: Ollama gives no more", (unsigned long long)model->context_train);
        s.value[HWL_OPT_CTX].v.u64 = model->context_train;
    }
    set_count(&s, HWL_OPT_CONCURRENCY, 1); /* OLLAMA_NUM_PARALLEL */
    struct lc_summary about;
    hwl_lc_summarise(p->llamacpp, &about);
    if (r->fit && s.value[HWL_OPT_CONCURRENCY].v.u64 > 1 && hwl_words_have(one_sequence, about.arch)) {
        hwl_ledger_note(l, "Ollama serves one sequence at a time of '%s'", about.arch);
        s.value[HWL_OPT_CONCURRENCY].v.u64 = 1;
    }
    if (!s.value[HWL_OPT_KV_UNIFIED].set)
        s.value[HWL_OPT_KV_UNIFIED] = (struct hwl_setting_value){.set = true, .v.flag = false};
    if (!s.value[HWL_OPT_NGL].set && p->has_gpu)
        s.value[HWL_OPT_NGL] = (struct hwl_setting_value){.set = true, .v.i64 = p->num_gpu};
    if (r->fit)
        launch(r, p, &about, devices, &s, l);
    set_count(&s, HWL_OPT_BATCH, p->num_batch != HWL_UNKNOWN && p->num_batch ? p->num_batch : 512);
    set_count(&s, HWL_OPT_UBATCH, s.value[HWL_OPT_BATCH].v.u64);
    set_text(&s, HWL_OPT_FIT, r->fit ? on : off);
    const bool host_output = !r->fit && !s.value[HWL_OPT_NGL].set && place(model, p->llamacpp, r, devices, &s, l);
    HWL_TRY(hwl_engine_llamacpp.plan(model, p->llamacpp, r->llamacpp, devices, &s, l, error));
    if (host_output)
        move_output(l, devices);
    hwl_ledger_setting_i64(l, "ngl", hwl_opt_i64(&s, HWL_OPT_NGL, -1) - host_output);
    if (r->note)
        hwl_ledger_note(l, "%s", r->note);
    doubt_compute(l);
    show_ps(r, l, devices);
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
