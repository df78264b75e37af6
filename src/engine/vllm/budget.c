/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a rank beside weights and cache: activations of the profile run, what lies outside torch, CUDA graphs.
 * The terms follow from the shapes that gpu_model_runner.profile_run and capture_model go through; the constants named
 * below were fitted to 25 start-ups of vLLM 0.19.0 on H100 and are refitted without each model by
 * tools/leave_one_out.py (docs/accuracy.md). */
#include "engine/vllm/budget.h"

#include "engine/vllm/profile.h"

#include "base/bytes.h"
#include "base/status.h"
#include "base/str.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)

/* Fitted. */
#define GRAPH_BASE (78 * MIB)
#define LAYER_GRAPH 171491 /* bytes that the driver keeps of one dense layer in one graph */
#define ONE_GPU (252 * MIB) /* Hopper; elsewhere by release */
#define STAGED (70 * MIB)
#define LINKED (2110 * MIB) /* NVLink and 9.0 up: NCCL channels, symmetric memory, all-reduce workspaces at TP 2 */
#define LINKED_MORE (30 * MIB)
#define PEER (256 * MIB)
#define FIRST_STAGE_QUARTERS 11 /* quarters of a row of hidden width */

/* FlashAttention 3 splits decoding over that many blocks where a graph fixes the number
 * (attention_config.flash_attn_max_num_splits_for_cuda_graph), with fp32 partial outputs. */
#define SPLITS 32

/* Multiprocessors of the largest chip of a compute capability, for cards whose number is not known. */
static uint64_t multiprocessors(const struct hwl_vllm_setup *u)
{
    static const struct {
        uint16_t cc, sm;
    } chips[] = {{75, 72}, {80, 108}, {86, 84}, {89, 128}, {90, 132}, {100, 148}, {103, 160}, {120, 188}, {121, 48}};
    if (u->card->n_sm)
        return u->card->n_sm;
    for (size_t i = 0; i < sizeof chips / sizeof *chips; i++)
        if (chips[i].cc == u->cc)
            return chips[i].sm;
    return 108;
}

/* PyTorch's cuBLAS workspace (aten/src/ATen/cuda/CublasHandlePool.cpp): stays once the first matrix was multiplied. */
static uint64_t blas_workspace(const struct hwl_vllm_setup *u)
{
    return u->cc == 90 ? 32 * MIB : 8 * MIB + 128 * 1024;
}

/* What kernels of MXFP4 experts pad the model's width and an expert's to, first match (fused_moe/oracle/mxfp4.py:
 * select_mxfp4_moe_backend, mxfp4_round_up_hidden_size_and_intermediate_size; quantization/mxfp4.py before 0.19).
 * Triton's layout for Hopper pads the inner side of each product to 256 values; adapters run on Marlin. */
static const struct mxfp4_kernel {
    uint16_t cc_first, cc_last;
    bool triton;
    uint16_t hidden, width, inner; /* width 0: by release */
} mxfp4_kernels[] = {
    {100, 103, false, 256, 0, 0}, /* TRT-LLM's, through FlashInfer */
    {90, 90, true, 0, 64, 256},   /* Triton */
    {0, 999, false, 256, 128, 0}, /* Marlin */
};

static const struct mxfp4_kernel *mxfp4_kernel(const struct hwl_vllm_setup *u)
{
    const struct mxfp4_kernel *k = mxfp4_kernels;
    while (u->cc < k->cc_first || u->cc > k->cc_last || (k->triton && (!u->rules->triton_experts || u->max_loras)))
        k++;
    return k;
}

struct hwl_shard_run hwl_vllm_shard_run(const struct hwl_vllm_setup *setup, const struct hwl_settings *settings)
{
    const struct mxfp4_kernel *experts = mxfp4_kernel(setup);
    return (struct hwl_shard_run){
        .engine = "vllm",
        .stage_first = setup->stage_first,
        .tp = setup->tp,
        .pp = setup->pp,
        .attention_tp = setup->tp,
        .embedding_tp = setup->tp,
        .expert_ranks = setup->tp * setup->dp, /* without expert parallelism data-parallel ranks split the width too */
        .ep = setup->ep,
        .redundant_experts = (uint32_t)hwl_min(hwl_opt_u64(settings, HWL_OPT_REDUNDANT_EXPERTS, 0), 65536),
        .cc = setup->cc,
        .pad_hidden = experts->hidden,
        .pad_width = experts->width ? experts->width : setup->rules->trtllm_width ? setup->rules->trtllm_width : 256,
        .pad_inner = experts->inner,
        .dtype_bytes = setup->dtype_bytes,
        .rope_bytes = setup->dtype_bytes,
        .mrope_positions = setup->mrope_positions,
        .scales_f32 = true,
        .marlin_fp8 = setup->cc && setup->cc < 89 && setup->card->backend == HWL_BACKEND_CUDA,
        .classes = setup->classes,
        .spec_method = setup->spec_method,
        .draft_layers = setup->draft ? 0 : setup->draft_layers,
        .draft_copies = setup->rules->draft_copies,
        .draft_heads = setup->rules->draft_heads,
        .max_loras = setup->max_loras,
        .max_lora_rank = setup->max_lora_rank,
        .multimodal = setup->multimodal,
        .encoder_only = setup->encoder_only,
        .mla = setup->mla,
        .expanded = setup->expanded,
    };
}

/* The forward pass as releases with the first runner made it: without pieces and workspaces (shared/forward.c). */
static struct hwl_vllm_forward written_out(const struct hwl_model *m, const struct hwl_vllm_setup *u, const struct hwl_shard_run *shards,
                                           uint32_t stage, struct hwl_ck *ck)
{
    const uint64_t quarters = u->tp > 1 ? u->rules->row_quarters_tp : u->rules->row_quarters;
    const uint64_t elements = hwl_ck_add(ck, hwl_shard_widest(m, shards, stage, ck), hwl_ck_mul(ck, m->hidden, quarters) / 4);
    struct hwl_vllm_forward f = {.row_bytes = hwl_ck_mul(ck, elements, u->dtype_bytes)};
    f.bytes = hwl_ck_mul(ck, u->mbt, f.row_bytes);
    return f;
}

/* What pipeline stages hold beside a pass: hidden states and residual received into buffers of their own, and on the first,
 * which makes them, as much as the one start-up with stages shows. */
static uint64_t handed(const struct hwl_model *m, const struct hwl_vllm_setup *u, uint32_t stage, struct hwl_ck *ck)
{
    const uint64_t quarters = u->pp == 1 ? 0 : stage ? 8 : FIRST_STAGE_QUARTERS;
    return hwl_ck_mul3(ck, u->mbt, hwl_ck_mul(ck, m->hidden, quarters) / 4, u->dtype_bytes);
}

/* The sampler's dummy run: logits, and by release their fp32 copy, probabilities and noise; a row of the vocabulary for each
 * program of the Triton top-k kernel; the hidden states of the batch and two copies of the sampled rows. */
static uint64_t sampler(const struct hwl_model *m, const struct hwl_vllm_setup *u, struct hwl_vllm_term *out, struct hwl_ck *ck)
{
    const uint64_t rows = hwl_min(u->max_seqs, u->mbt);
    /* the V1 runner's rejection sampler: two rows of logits a request, one of them in fp32 (_dummy_sampler_run) */
    const uint64_t rejection = u->spec_tokens && !u->v2 ? 4 : 0;
    const uint64_t copies = !u->v2 ? u->sampler_bytes : u->rules->v2_warms_up ? 12 : 4;
    const uint64_t each = copies + u->dtype_bytes + rejection;
    const uint64_t logits = hwl_ck_mul(ck, rows, m->vocab);
    const uint64_t programs = u->rules->triton_sampler && !u->v2 ? multiprocessors(u) : 0;
    const uint64_t buffer = hwl_ck_mul3(ck, programs, m->vocab, 4);
    const uint64_t hidden = hwl_ck_mul3(ck, u->mbt + 2 * rows, m->hidden, u->dtype_bytes);
    *out = (struct hwl_vllm_term){.formula = "{0} logits x {1} B + {2} hidden rows + {3} top-k buffers + {4} workspace of the experts + "
                                             "{5} from other stages + {6} cuBLAS workspace + {7} encoder",
                                  .args = {logits, each, hidden, buffer}};
    return hwl_ck_add(ck, hwl_ck_mul(ck, logits, each), hwl_ck_add(ck, buffer, hidden));
}

/* That run where it is the widest: beside it, {from other stages, cuBLAS workspace, encoder}. */
static void sampling(const struct hwl_model *m, const struct hwl_vllm_setup *u, const struct hwl_vllm_forward *f, const uint64_t beside[3],
                     struct hwl_vllm_term *out, struct hwl_ck *ck)
{
    struct hwl_vllm_term last;
    last.bytes = hwl_ck_add(ck, sampler(m, u, &last, ck), f->workspace);
    last.args[4] = f->workspace;
    for (int i = 0; i < 3; i++) {
        last.args[5 + i] = beside[i];
        last.bytes = hwl_ck_add(ck, last.bytes, beside[i]);
    }
    if (last.bytes > out->bytes)
        *out = last;
}

static void activation(const struct hwl_model *m, const struct hwl_vllm_setup *u, const struct hwl_shard_run *shards,
                       const struct hwl_settings *s, uint32_t stage, struct hwl_vllm_term *out, struct hwl_ck *ck)
{
    const uint64_t blas = blas_workspace(u);
    const bool encodes = u->multimodal && stage == 0 && !hwl_opt_flag(s, HWL_OPT_SKIP_MM_PROFILING, false);
    const struct hwl_vllm_tower tower = encodes ? hwl_vllm_tower(m, u, ck) : (struct hwl_vllm_tower){0};
    const uint64_t kept = tower.kept, between = handed(m, u, stage, ck);
    const struct hwl_vllm_forward f =
        u->rules->row_quarters ? written_out(m, u, shards, stage, ck) : hwl_vllm_forward(m, u, shards, stage, ck);
    const uint64_t beside = hwl_ck_add(ck, hwl_ck_add(ck, between, blas), kept);
    *out = (struct hwl_vllm_term){.formula = "{0} tokens x {1} B + {2} buffers of kernels + {3} from other stages + {4} cuBLAS workspace + "
                                             "{5} encoder",
                                  .args = {u->mbt, f.row_bytes, f.fixed, between, blas, kept},
                                  .bytes = hwl_ck_add(ck, f.bytes, beside)};
    if (stage + 1 == u->pp && !u->encoder_only)
        sampling(m, u, &f, (const uint64_t[]){between, blas, kept}, out, ck);
    const uint64_t encoder = hwl_ck_add(ck, tower.peak, blas);
    if (encoder > out->bytes)
        *out = (struct hwl_vllm_term){.formula = "{0} tokens of the tower x {1} elements x {2} B + pixels and what it hands over, {3}, + {4} cuBLAS "
                                                 "workspace",
                                      .args = {tower.tokens, tower.row, u->dtype_bytes,
                                               tower.peak - tower.tokens * tower.row * u->dtype_bytes, blas},
                                      .bytes = encoder};
}

struct sizes {
    uint64_t n, largest, full; /* captured batch sizes, tokens of the largest, sizes captured as a whole as well */
};

/* Batch sizes that are captured: 1, 2, 4, then steps of 8 to 256 and of 16 beyond (config/compilation.py). */
static struct sizes captured(const struct hwl_model *m, const struct hwl_vllm_setup *u, const struct hwl_settings *s)
{
    struct sizes c = {0};
    const char *mode = hwl_opt_text(s, HWL_OPT_CUDAGRAPH_MODE, "");
    const char *list = hwl_opt_text(s, HWL_OPT_CUDAGRAPH_SIZES, "");
    const uint64_t decode = hwl_ck_mul(&(struct hwl_ck){0}, u->max_seqs, 1 + u->spec_tokens);
    if (*list) {
        uint64_t value = 0;
        for (;; list++) {
            if (*list >= '0' && *list <= '9' && value < 1u << 20)
                value = value * 10 + (uint64_t)(*list - '0');
            else if (value) {
                c.n++;
                c.largest = hwl_max(c.largest, value);
                c.full += value <= decode;
                value = 0;
            }
            if (!*list)
                break;
        }
    } else {
        /* gpt-oss asks for more (models/config.py GptOssForCausalLMConfig) */
        const struct hwl_vllm_rules *r = u->rules;
        const bool more = strcmp(m->arch, "gpt_oss") == 0 || (r->wide_graphs && u->cc / 10 == 10);
        const uint64_t twice = hwl_ck_mul(&(struct hwl_ck){0}, 2, r->wide_graphs ? decode : u->max_seqs);
        /* V0 captures what one decoding step may hold */
        const uint64_t most = r->whole_prompts ? u->max_seqs : hwl_min(twice, more ? 1024 : 512);
        c.largest = hwl_min(hwl_opt_u64(s, HWL_OPT_MAX_CUDAGRAPH_SIZE, most), hwl_min(u->mbt, 1 << 20));
        for (uint64_t size = 1; size <= c.largest; size += size < 4 ? size : size == 4 ? 4 : size < 256 ? 8 : r->graph_step) {
            c.n++;
            c.full += size <= decode;
        }
    }
    if (*mode ? hwl_text_eq_nocase(mode, "piecewise") : !u->rules->full_graphs)
        c.full = 0;
    else if (*mode ? hwl_text_eq_nocase(mode, "full") || hwl_text_eq_nocase(mode, "full_decode_only") : !u->rules->piece_graphs)
        c.n = 0;
    return c;
}

/* FlashAttention 3 reads the cache: Hopper, 16 bits, heads of at most 256, no two-way attention over images. */
static bool splits_decoding(const struct hwl_model *m, const struct hwl_vllm_setup *u)
{
    if (u->cc != 90 || u->mla || u->dtype_bytes != 2 || (*u->backend && !hwl_text_eq_nocase(u->backend, "FLASH_ATTN")))
        return false;
    return !u->multimodal || !hwl_words_have("gemma3 gemma4 paligemma", m->arch);
}

static void graphs(const struct hwl_model *m, const struct hwl_vllm_setup *u, const struct hwl_shard_run *shards,
                   const struct hwl_settings *s, uint32_t stage, struct hwl_vllm_term *out, struct hwl_ck *ck)
{
    if (u->eager)
        return;
    const struct sizes c = captured(m, u, s);
    uint64_t halves = 0, partial = 0; /* an expert layer launches half as many kernels again */
    for (uint32_t i = u->stage_first[stage]; i < u->stage_first[stage + 1]; i++) {
        const struct hwl_layer *l = &m->layers[i];
        halves += l->ffn.n_experts ? 3 : 2;
        if (l->attn.head_dim_v <= 256)
            partial = hwl_max(partial, (uint64_t)l->attn.n_heads / u->tp * l->attn.head_dim_v);
    }
    if (stage + 1 == u->pp) /* the draft's layers are captured too */
        halves += 2 * (uint64_t)u->draft_layers;
    const uint64_t launches = hwl_ck_mul(ck, halves, c.n + c.full) / 2;
    const uint64_t rows = hwl_ck_mul(ck, m->hidden, HWL_SHARD_ROW_QUARTERS) / 4;
    const uint64_t elements = hwl_ck_add(ck, hwl_shard_widest(m, shards, stage, ck), rows);
    const uint64_t pool = hwl_ck_mul3(ck, c.largest, elements, u->dtype_bytes);
    const uint64_t split = c.full && splits_decoding(m, u) ? hwl_ck_mul4(ck, SPLITS, partial, hwl_min(c.largest, u->max_seqs), 4) : 0;
    *out = (struct hwl_vllm_term){.formula = "{0} + {1} layers of graphs x {2} B + {3} activations of {4} tokens + {5} "
                                             "partial outputs of split decoding",
                                  .args = {GRAPH_BASE, launches, LAYER_GRAPH, pool, c.largest, split}};
    out->bytes = hwl_ck_add(ck, GRAPH_BASE + pool, hwl_ck_add(ck, hwl_ck_mul(ck, launches, LAYER_GRAPH), split));
}

hwl_status hwl_vllm_measure_other(const struct hwl_model *model, const struct hwl_vllm_setup *setup, const struct hwl_shard_run *shards,
                                  const struct hwl_settings *settings, uint32_t stage, struct hwl_vllm_other *out, hwl_error *error)
{
    struct hwl_ck ck = {0};
    memset(out, 0, sizeof *out);
    activation(model, setup, shards, settings, stage, &out->activation, &ck);
    /* one GPU: kernels and workspaces; tensor parallel: NCCL and the buffers of the custom all-reduce. Cards without
     * NVLink showed 0.20 to 0.25 GiB at TP 2 to 16 (RTX 4090, L40S). */
    const bool linked = setup->cc == 90 || setup->cc / 10 == 10;
    out->non_torch = setup->tp > 1 ? linked ? LINKED + LINKED_MORE * (setup->tp - 2) : PEER : setup->pp > 1 ? STAGED : setup->cc == 90 ? ONE_GPU : setup->rules->other_mib * MIB;
    /* in use before the first snapshot: the driver's context, and NCCL's where cards are linked (0.49 GiB on L40S at TP) */
    out->context = (setup->tp * setup->pp > 1 && linked ? 1560 : 520) * MIB;
    graphs(model, setup, shards, settings, stage, &out->graphs, &ck);
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "vllm: the activations are beyond 64 bits") : HWL_OK;
}
