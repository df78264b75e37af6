/* SPDX-License-Identifier: Apache-2.0 */
/* What lives at once in the forward pass of the profile run. The model is compiled in pieces cut at its mixers: what goes into a
 * piece is held until it returns, and inside only what matrices read and write has memory of its own (v1/worker/gpu_model_runner.py,
 * compilation/backends.py). Buffers of expert kernels are one workspace that stays (v1/worker/workspace.py). The points below are
 * those of vLLM 0.33.0's own classes, run on tensors without data: tests/data/vllm/activations.txt. */
#include "engine/vllm/profile.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)

/* Before a kernel is timed for the first time the second-level cache is flushed by writing a buffer of its size
 * (torch/_inductor/runtime/benchmarking.py): what the driver says of the common chip of a capability. */
static uint64_t timing_buffer(const struct hwl_vllm_setup *u)
{
    static const struct {
        uint16_t cc, mib;
    } chips[] = {{75, 4}, {80, 40}, {86, 6}, {89, 72}, {90, 50}, {100, 126}, {103, 126}, {120, 96}, {121, 24}};
    for (size_t i = 0; i < sizeof chips / sizeof *chips && !u->eager; i++)
        if (chips[i].cc == u->cc)
            return chips[i].mib * MIB;
    return 0;
}

/* A mixer on a rank, elements a token. */
struct mixer {
    uint64_t made;   /* the projection that the piece before it makes */
    uint64_t before; /* what its kernels read and write, made by the piece before */
    uint64_t inside; /* beside them while it runs */
    uint64_t after;  /* what the piece behind it reads */
    uint64_t bytes;  /* beside them while it runs, whatever the batch */
};

/* One up-projection of as much cached context as a prefill may take at once (attention/mla_attention.py). */
static uint64_t latent_context(const struct hwl_attention *a, const struct hwl_vllm_setup *u, struct hwl_ck *ck)
{
    if (!u->mla || u->sparse || !a->kv_lora_rank)
        return 0;
    uint64_t tokens = hwl_max(hwl_ck_mul(ck, 8, u->max_len), hwl_ck_mul3(ck, 4, u->max_seqs, u->block));
    tokens = hwl_max(hwl_min(tokens, 65536), hwl_ck_mul(ck, u->max_seqs, u->block));
    return hwl_ck_mul4(ck, tokens, a->n_heads / u->tp, (uint64_t)a->qk_nope_dim + a->head_dim_v, u->dtype_bytes);
}

static struct mixer attention(const struct hwl_layer *l, const struct hwl_vllm_setup *u, struct hwl_ck *ck)
{
    const struct hwl_attention *a = &l->attn;
    const uint64_t heads = a->n_heads > u->tp ? a->n_heads / u->tp : 1;
    const uint64_t out = heads * a->head_dim_v;
    if (u->mla && a->kv_lora_rank) /* queries, the normed latent row, its rotated key */
        return (struct mixer){.made = heads * ((uint64_t)a->qk_nope_dim + a->qk_rope_dim),
                              .before = heads * ((uint64_t)a->qk_nope_dim + a->qk_rope_dim) + a->kv_lora_rank + a->qk_rope_dim + out,
                              .after = out,
                              .bytes = latent_context(a, u, ck)};
    const uint64_t kv = hwl_shard_kv_heads(l, u->tp, u->expanded), queries = heads * a->head_dim_k;
    const uint64_t row = queries * (a->output_gate ? 2 : 1) + kv * ((uint64_t)a->head_dim_k + a->head_dim_v);
    /* the projection, of which the values are read where they lie; rotated queries and keys; the output */
    return (struct mixer){.made = row, .before = row + queries + kv * a->head_dim_k + out, .after = out};
}

/* Recurrent mixers: the gate is read out of the projection once the states are through. Mamba's makes its projections itself. */
static struct mixer recurrent(const struct hwl_layer *l, uint64_t hidden, const struct hwl_vllm_setup *u)
{
    const struct hwl_state *s = &l->state;
    const uint64_t inner = hwl_max(s->d_inner, (uint64_t)s->n_heads * s->head_dim) / u->tp;
    if (l->mixer == HWL_MIXER_MAMBA) /* both halves of the projection, the convolved one, the scanned one, their product */
        return (struct mixer){.before = 2 * hidden, .inside = 5 * inner, .after = hidden};
    const uint64_t groups = 2 * hwl_max(s->n_groups, 1) * s->d_state / (s->n_groups > 1 ? u->tp : 1);
    const uint64_t row = 2 * inner + groups + s->n_heads / u->tp;
    /* one by one, a norm over several groups is worked out in 32 bits, twice */
    const uint64_t inside = u->eager && s->n_groups > 1 && l->mixer == HWL_MIXER_MAMBA2 ? 4 * inner : inner;
    return (struct mixer){.made = row, .before = row + inner, .inside = inside, .after = row + inner};
}

static struct mixer mixer_of(const struct hwl_layer *l, uint64_t hidden, const struct hwl_vllm_setup *u, struct hwl_ck *ck)
{
    struct mixer m = {0};
    if (l->attn.n_heads)
        m = attention(l, u, ck);
    if (l->state.conv_dim || l->state.d_inner) { /* beside attention in some: both are there */
        const struct mixer r = recurrent(l, hidden, u);
        m.made = hwl_max(m.made, r.made);
        m.before = hwl_max(m.before, r.before);
        m.inside = r.inside;
        m.after += r.after;
    }
    return m;
}

/* The kernels of MXFP4 that run an expert layer in one call keep nothing between calls. */
static bool own_buffers(const struct hwl_model *m, const struct hwl_shard_run *run)
{
    return strcmp(m->quant.method, "mxfp4") == 0 && (run->pad_inner || run->cc / 10 == 10);
}

/* Two buffers over the tokens' experts, for what goes into each product and comes out of it (workspace_shapes of the kernels). */
static uint64_t workspace(const struct hwl_model *m, const struct hwl_ffn *f, const struct hwl_vllm_setup *u,
                          const struct hwl_shard_run *run, struct hwl_ck *ck)
{
    const uint64_t width = run->ep ? f->d_expert : f->d_expert / run->expert_ranks;
    const uint64_t up = f->gated ? 2 * width : width;
    const uint64_t second = own_buffers(m, run) || !u->rules->workspaces ? width : hwl_max(width, m->hidden);
    const uint64_t first = own_buffers(m, run) ? m->hidden : hwl_max(up, m->hidden);
    /* data-parallel ranks gather the tokens of all of them (prepare_finalize/naive_dp_ep.py) */
    const uint64_t tokens = hwl_ck_mul(ck, u->mbt, u->dp);
    return hwl_ck_mul4(ck, tokens, f->n_experts_used, hwl_ck_add(ck, first, second), u->dtype_bytes);
}

/* Rows of an expert layer beside what is held and the workspace, elements. */
static uint64_t expert_rows(const struct hwl_model *m, const struct hwl_ffn *f, const struct hwl_vllm_setup *u,
                            const struct hwl_shard_run *run, struct hwl_ck *ck)
{
    const uint64_t width = run->ep ? f->d_expert : f->d_expert / run->expert_ranks;
    const uint64_t shared = f->d_shared / u->tp * (f->gated ? 3 : 2);
    /* routing: scores of all, and weights, places and order of the chosen */
    const uint64_t routing = f->n_experts + 12 * (uint64_t)f->n_experts_used / u->dtype_bytes;
    /* eight-bit products read copies of both inputs */
    const bool eight = strcmp(m->quant.method, "fp8") == 0 || m->quant.bits == 8;
    const uint64_t copies = eight ? (m->hidden + f->n_experts_used * width) / u->dtype_bytes : 0;
    const uint64_t gathered = u->dp > 1 ? hwl_ck_mul(ck, u->dp, m->hidden) : 0;
    const uint64_t routed = hwl_ck_add(ck, m->hidden * (f->d_shared ? 2 : 1), hwl_ck_add(ck, gathered, routing + copies));
    /* the normed input is read to the end: by the router, the experts and the shared ones */
    return hwl_ck_add(ck, m->hidden, hwl_max(routed, f->d_shared ? shared + m->hidden : 0));
}

/* A dense feed-forward beside what is held: while its matrices run, and in the kernel between them. */
static uint64_t dense_products(const struct hwl_model *m, const struct hwl_ffn *f, const struct hwl_vllm_setup *u)
{
    const uint64_t width = f->d_ff / u->tp, up = f->gated ? 2 * width : width;
    const uint64_t reduced = u->tp > 1 ? (u->eager ? width : 0) + 2 * m->hidden : 0;
    return hwl_max(up + (u->eager ? 0 : m->hidden), hwl_max(width + m->hidden, reduced));
}

static uint64_t dense_acted(const struct hwl_ffn *f, const struct hwl_vllm_setup *u)
{
    return f->d_ff / u->tp * (f->gated ? 3 : u->eager ? 2 : 1); /* compiled without a gate: written over its input */
}

static void widest(struct hwl_vllm_forward *f, uint64_t row_bytes, uint64_t fixed, const struct hwl_vllm_setup *u, struct hwl_ck *ck)
{
    const uint64_t total = hwl_ck_add(ck, hwl_ck_mul(ck, u->mbt, row_bytes), fixed);
    if (total <= f->bytes)
        return;
    f->bytes = total;
    f->row_bytes = row_bytes;
    f->fixed = fixed;
}

/* What the tensors tell beyond the layers' shapes. */
struct traits {
    uint64_t looked_up; /* embeddings of every layer, from the start to the end (Gemma 3n, Gemma 4) */
    bool query_norms;
};
static struct traits traits_of(const struct hwl_model *m)
{
    struct traits t = {0};
    for (uint64_t i = 0; i < m->n_tensors; i++) {
        const struct hwl_tensor *x = &m->tensors[i];
        if (x->role == HWL_ROLE_PER_LAYER_EMBD && x->n_dims == 2)
            t.looked_up = hwl_min(x->dims[0], x->dims[1]);
        t.query_norms = t.query_norms || x->role == HWL_ROLE_ATTN_Q_NORM;
    }
    return t;
}

/* One operation at a time (enforce_eager): the rows of hidden width are what the frames of the calls hold. */
static void as_written(struct hwl_vllm_forward *f, const struct hwl_layer *l, const struct mixer *m, const struct hwl_model *model,
                       const struct traits *t, const struct hwl_vllm_setup *u, const struct hwl_shard_run *run, struct hwl_ck *ck)
{
    const uint64_t b = u->dtype_bytes, h = model->hidden, rest = t->looked_up + 3 * h, kept = f->workspace;
    const uint64_t reduced = u->tp > 1 ? h : 0;
    if (l->attn.n_heads) {
        const uint64_t kv = hwl_shard_kv_heads(l, u->tp, u->expanded);
        const bool normed = t->query_norms && !l->attn.kv_lora_rank;
        const uint64_t copies = normed ? ((uint64_t)l->attn.n_heads / u->tp + kv) * l->attn.head_dim_k : 0;
        widest(f, b * (rest + reduced + m->before + copies), kept, u, ck);
        widest(f, b * (rest - h + reduced + m->before), kept + m->bytes, u, ck);
    } else if (m->before) {
        widest(f, b * (rest - h + m->before + m->inside), kept, u, ck);
        widest(f, b * (rest + h + m->before), kept, u, ck); /* the product behind it, with the gated copy */
    }
    if (l->ffn.n_experts)
        widest(f, b * (rest - h + reduced + expert_rows(model, &l->ffn, u, run, ck)), hwl_max(kept, workspace(model, &l->ffn, u, run, ck)), u, ck);
    if (l->ffn.d_ff) {
        widest(f, b * (rest + dense_products(model, &l->ffn, u)), kept, u, ck);
        widest(f, b * (rest + dense_acted(&l->ffn, u)), kept, u, ck);
    }
}

struct hwl_vllm_forward hwl_vllm_forward(const struct hwl_model *model, const struct hwl_vllm_setup *u, const struct hwl_shard_run *run,
                                         uint32_t stage, struct hwl_ck *ck)
{
    struct hwl_vllm_forward f = {.timing = timing_buffer(u)};
    const struct traits t = traits_of(model);
    const uint64_t b = u->dtype_bytes, h = model->hidden, held = 2 * h; /* the residual as it came and as it is now */
    uint64_t after = t.looked_up;
    for (uint32_t i = u->stage_first[stage]; i < u->stage_first[stage + 1]; i++) {
        const struct hwl_layer *l = &model->layers[i];
        const struct mixer m = mixer_of(l, h, u, ck);
        const uint64_t kept = f.workspace;
        if (u->eager)
            as_written(&f, l, &m, model, &t, u, run, ck);
        else if (m.before) {
            widest(&f, b * (after + held + h + m.made), kept, u, ck);
            widest(&f, b * (after + held + m.before), kept + f.timing, u, ck);
            widest(&f, b * (t.looked_up + h + m.before + m.inside), kept + m.bytes, u, ck);
            after = t.looked_up + m.after;
        }
        if (l->ffn.n_experts) {
            const uint64_t space = workspace(model, &l->ffn, u, run, ck);
            if (!u->eager)
                widest(&f, b * (after + held + expert_rows(model, &l->ffn, u, run, ck)), hwl_max(kept, space), u, ck);
            if (u->rules->workspaces && !own_buffers(model, run))
                f.workspace = hwl_max(kept, space);
        }
        if (l->ffn.d_ff && !u->eager) {
            widest(&f, b * (after + held + dense_products(model, &l->ffn, u)), kept, u, ck);
            widest(&f, b * (after + held + dense_acted(&l->ffn, u)), kept + f.timing, u, ck);
        }
    }
    return f;
}
