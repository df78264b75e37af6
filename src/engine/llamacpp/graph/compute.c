/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/compute.h"

#include "engine/llamacpp/graph/encoder.h"
#include "engine/llamacpp/graph/recurrent.h"

#include "base/str.h"

#include <hwledger/device.h>

#include <string.h>

enum { MAX_NODES = 1 << 20 };

struct sizes {
    uint64_t n_tokens, n_seqs, n_outputs;
};

struct outcome {
    const char *refusal;
    bool measured, single;
    uint32_t left_out;
};

/* What all graphs of one plan share. */
struct ask {
    const struct lc_model *m;
    const struct lc_params *p;
    const struct lc_placement *place;
    struct hwl_gsys sys;
    struct hwl_arena *arena;
    struct hwl_repeat *repeat; /* NULL: all layers are built */
};

static bool prepare(struct hwl_build *b, const struct ask *a, struct sizes s, bool fa, bool whole)
{
    *b = (struct hwl_build){ .m = a->m, .p = a->p, .place = a->place, .sys = &a->sys, .modulus = 1, .fa = fa };
    b->g.arena = a->arena;
    b->g.max_made = MAX_NODES;
    b->g.layer = -1;
    b->n_tokens = s.n_tokens;
    b->n_seqs = s.n_seqs;
    b->n_outputs = s.n_outputs;
    b->v_trans = !hwl_lc_flash_asked(b->m, b->p);
    b->force_norms = s.n_tokens < 32 || b->p->ngl > (int64_t)b->m->n_layer_all;
    b->k = HWL_NEW_ARRAY(a->arena, hwl_gt, 2 * (uint64_t)b->m->n_layer_all + 1);
    b->v = HWL_NEW_ARRAY(a->arena, hwl_gt, 2 * (uint64_t)b->m->n_layer_all + 1);
    b->attn = HWL_NEW_ARRAY(a->arena, hwl_gt, b->m->n_layer_all + 1);
    b->weights = HWL_NEW_ARRAY(a->arena, hwl_gt, b->m->n_tensors + 1);
    if (a->repeat && !whole) {
        b->mark = HWL_NEW_ARRAY(a->arena, struct hwl_repeat_mark, HWL_REPEAT_RUNS * HWL_REPEAT_MARKS);
        b->repeat = b->mark ? a->repeat : NULL;
    }
    return b->k && b->v && b->attn && b->weights;
}

static bool build(struct hwl_build *b)
{
    if (b->p->mtp)
        return hwl_b_mtp(b);
    const bool known = b->m->memory == LC_MEM_RECURRENT || b->m->memory == LC_MEM_HYBRID ? hwl_b_recurrent(b)
                       : b->m->memory == LC_MEM_NONE                                       ? hwl_b_encoder(b)
                       : b->m->memory == LC_MEM_DSA                                        ? hwl_b_dsa(b)
                                                                                           : hwl_b_arch(b);
    if (b->p->n_rs_seq && strncmp(b->m->arch, "qwen35", 6) != 0)
        b->unmeasured = true; /* states to roll back to are built for Qwen3.5 only */
    if (known && b->p->embeddings)
        hwl_b_pooling(b);
    return known;
}

/* resolve_fused_ops: flash attention stays on when every layer's operation lands on the layer's own device. */
static bool probe_fa(struct hwl_build *b)
{
    for (uint32_t il = 0; il < b->m->n_layer_all; il++) {
        const uint16_t at = b->place->layer[il];
        if (b->attn[il] && b->attn[il]->be != (int8_t)(at == LC_HOST ? b->sys->n_devices : at))
            return false;
    }
    return true;
}

/* Splits and allocates a graph whose nodes have their back ends. *repeats false: not with the layers left out. */
static bool measure(const struct ask *a, struct hwl_build *b, uint64_t *top, bool *repeats)
{
    struct hwl_gsplit split;
    struct hwl_gloop loop[HWL_REPEAT_RUNS];
    const uint32_t n_loops = b->repeat ? b->repeat->n_runs : 0;
    if (b->g.failed || !hwl_sched_split(&a->sys, &b->g, &split))
        return false;
    *repeats = !n_loops || hwl_repeat_loops(&a->sys, &b->g, &split, b->repeat, b->mark, loop);
    if (!*repeats || hwl_galloc(&a->sys, a->arena, &split, loop, n_loops, top))
        return true;
    *repeats = false;
    return n_loops > 0;
}

static bool make(const struct ask *a, struct sizes s, bool fa, bool whole, struct hwl_build *b)
{
    hwl_arena_reset(a->arena);
    if (!prepare(b, a, s, fa, whole) || !build(b) || b->g.failed)
        return false;
    for (uint64_t i = 0; a->p->rules->inputs_apart && i < b->g.n_leafs; i++)
        if (b->g.leafs[i]->flags & HWL_GFLAG_INPUT)
            b->g.leafs[i]->buft = (int8_t)a->sys.n_devices;
    hwl_sched_assign(&a->sys, &b->g);
    return true;
}

static bool reserve(const struct ask *a, struct sizes s, bool fa, uint64_t *top, struct outcome *o)
{
    struct hwl_build b;
    bool repeats = true;
    if (!make(a, s, fa, false, &b) || !measure(a, &b, top, &repeats))
        return false;
    *o = (struct outcome){ .measured = !b.unmeasured, .single = b.single_too, .refusal = b.refusal };
    if (!o->refusal && b.g.full)
        o->refusal = "GGML_ASSERT(n_inputs < GGML_SCHED_MAX_SPLIT_INPUTS): one split reads too many tensors of other devices";
    for (uint32_t k = 0; repeats && b.repeat && k < b.repeat->n_runs; k++)
        o->left_out += b.repeat->run[k].left_out * b.repeat->run[k].period;
    return repeats || (make(a, s, fa, true, &b) && measure(a, &b, top, &repeats));
}

static bool begin(struct ask *a, const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                  struct hwl_repeat *repeat)
{
    *a = (struct ask){ .m = m, .p = p, .place = place, .arena = scratch, .repeat = repeat };
    if (place->n_gpus > 16 || !p->n_seq_max || m->memory > LC_MEM_DSA)
        return false;
    struct hwl_gsys *sys = &a->sys;
    sys->n_devices = place->n_gpus;
    sys->n_copies = p->pipeline ? 4 : 1;
    sys->op_offload = p->op_offload && !p->rules->no_op_offload;
    sys->small_weights = p->rules->small_weights;
    sys->split_inputs = p->rules->split_inputs;
    for (uint32_t i = 0; i < place->n_gpus; i++) {
        const bool vulkan = place->backend[i] == HWL_BACKEND_VULKAN;
        sys->align[i] = 128;
        sys->rowpad[i] = vulkan ? 0 : 512;
        sys->fa_copies[i] = p->rules->fa_copies && !vulkan;
        sys->reorders[i] = vulkan ? p->rules->vulkan_order : HWL_ORDER_NONE;
        sys->strict[i] = true;
        if (sys->reorders[i])
            a->repeat = NULL; /* the window reaches over the ends of layers */
    }
    sys->align[place->n_gpus] = 32;
    return true;
}

static struct sizes sizes_of(const struct lc_params *p, enum hwl_lc_graph which)
{
    const uint64_t seqs = p->n_seq_max, most = p->n_ctx < p->n_ubatch ? p->n_ctx : p->n_ubatch;
    const uint64_t outputs = p->n_outputs_max && p->n_outputs_max < most ? p->n_outputs_max : most;
    switch (which) {
    case HWL_LC_GRAPH_TOKEN:
        return (struct sizes){ seqs, seqs, seqs };
    case HWL_LC_GRAPH_SINGLE:
        return (struct sizes){ most, 1, outputs };
    default:
        return (struct sizes){ hwl_div_ceil(most, seqs) * seqs, seqs, outputs };
    }
}

static bool compute(const struct ask *ask, struct lc_compute *out, struct lc_compute *simulated)
{
    const struct lc_model *m = ask->m;
    const struct lc_params *p = ask->p;
    const uint32_t n = ask->place->n_gpus;
    const struct sizes prompt = sizes_of(p, HWL_LC_GRAPH_PROMPT), token = sizes_of(p, HWL_LC_GRAPH_TOKEN);
    bool fa = hwl_lc_flash_asked(m, p), reserved = false;
    struct outcome o = { NULL, false, false, 0 };
    uint64_t a[HWL_GSYS_MAX + 1], c[HWL_GSYS_MAX + 1];
    if (fa && p->fa_asked == LC_FA_AUTO && (!p->rules->quant_v_insists || hwl_dtype((enum hwl_dtype)p->type_v)->block == 1)) {
        struct hwl_build b;
        if (!make(ask, token, true, false, &b))
            return false;
        fa = probe_fa(&b);
        if (fa && !simulated && !measure(ask, &b, c, &reserved)) /* the same graph is reserved then */
            return false;
        if (!fa && hwl_dtype((enum hwl_dtype)p->type_v)->block > 1)
            o.refusal = "quantized V cache was requested, but this requires Flash Attention";
    }
    if (!o.refusal && simulated) { /* no other graph is measured, and ggml_backend_sched_reserve_size resets what the graph asked for */
        struct ask load = *ask;
        load.sys.forgets = true;
        if (!reserve(&load, prompt, fa, a, &o))
            return false;
        memcpy(simulated->bytes, a, (n + 1) * sizeof *a);
        simulated->fa = fa;
    } else if (!o.refusal && !reserve(ask, prompt, fa, a, &o)) {
        return false;
    }
    if (o.refusal || simulated) {
        (simulated ? simulated : out)->refusal = o.refusal;
        return true;
    }
    if (!reserved && !reserve(ask, token, fa, c, &o))
        return false;
    if (o.single && p->n_seq_max > 1) { /* llama-context.cpp, TAG_RESERVE_DIAG_DECAY: the last of the three graphs has one sequence */
        uint64_t d[HWL_GSYS_MAX + 1];
        if (!reserve(ask, sizes_of(p, HWL_LC_GRAPH_SINGLE), fa, d, &o))
            return false;
        for (uint32_t i = 0; i <= n; i++)
            c[i] = c[i] > d[i] ? c[i] : d[i];
    }
    for (uint32_t i = 0; i <= n; i++)
        out->bytes[i] = a[i] > c[i] ? a[i] : c[i];
    out->exact = o.measured && m->memory <= LC_MEM_HYBRID && strcmp(p->rules->altered, "*") != 0 && !hwl_words_have(p->rules->altered, m->arch);
    out->fa = fa;
    out->left_out = o.left_out;
    return true;
}

bool hwl_lc_compute(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                    struct lc_compute *out, struct lc_compute *simulated)
{
    struct hwl_repeat repeat;
    struct ask ask;
    repeat.ready = false;
    repeat.n_runs = 0;
    memset(simulated ? simulated : out, 0, sizeof *out);
    /* where a split can be full, what it brings depends on all layers before */
    return begin(&ask, m, p, place, scratch, p->rules->split_inputs ? NULL : &repeat) && compute(&ask, out, simulated);
}

bool hwl_lc_compute_whole(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                          struct lc_compute *out, struct lc_compute *simulated)
{
    struct ask ask;
    memset(simulated ? simulated : out, 0, sizeof *out);
    return begin(&ask, m, p, place, scratch, NULL) && compute(&ask, out, simulated);
}

bool hwl_lc_reserved(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                     enum hwl_lc_graph which, bool fa, struct hwl_gsys *sys, struct hwl_gsplit *split)
{
    struct ask ask;
    struct hwl_build b;
    if (!begin(&ask, m, p, place, scratch, NULL) || !make(&ask, sizes_of(p, which), fa, true, &b) || b.g.failed)
        return false;
    *sys = ask.sys;
    return hwl_sched_split(sys, &b.g, split);
}

bool hwl_lc_peak(const struct lc_model *m, const struct lc_params *p, const struct lc_placement *place, struct hwl_arena *scratch,
                 const struct lc_compute *c, uint32_t buffer, bool (*found)(void *user, const struct hwl_node *t, uint64_t bytes), void *user)
{
    struct hwl_gsys sys;
    struct hwl_gsplit split;
    for (int which = HWL_LC_GRAPH_PROMPT; which <= HWL_LC_GRAPH_SINGLE; which++)
        if (hwl_lc_reserved(m, p, place, scratch, (enum hwl_lc_graph)which, c->fa, &sys, &split) && buffer <= sys.n_devices &&
            hwl_galloc_peak(&sys, &split, buffer, c->bytes[buffer], found, user))
            return true;
    return false;
}
