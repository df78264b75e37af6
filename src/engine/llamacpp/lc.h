/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_LC_H
#define HWL_LLAMACPP_LC_H

#include "base/arena.h"
#include "device/devices.h"
#include "source/gguf.h"

/* llama.cpp's own view of a model, its resolved parameters and the placement of its weights: what weights, caches and
 * the computation graph are built from. Facts of llama.cpp v0.5.0 and 0c1e57098 (src/llama-model.cpp, llama-hparams.cpp,
 * llama-context.cpp, the load_arch_hparams of models). */

enum { LC_MAX_LAYERS = 512, LC_NAME = 128 };

enum lc_swa { LC_SWA_NONE, LC_SWA_STANDARD, LC_SWA_CHUNKED, LC_SWA_SYMMETRIC };

/* Which memory the architecture creates (llama_model::create_memory). */
enum lc_memory {
    LC_MEM_KV,        /* one cache, or two with a window */
    LC_MEM_NONE,      /* encoders and diffusion models */
    LC_MEM_RECURRENT, /* state only */
    LC_MEM_HYBRID,    /* state of the recurrent layers beside the cache of the others */
    LC_MEM_DSA,       /* cache and a second one of indexer keys */
    LC_MEM_MSA,       /* likewise, of the layers behind the leading dense ones (MiniMax-M3) */
    LC_MEM_DSV4,      /* DeepSeek-V4: raw window cache, two compressed ones, indexer keys, compressor states */
};

enum lc_where { LC_WHERE_INPUT, LC_WHERE_LAYER, LC_WHERE_OUTPUT, LC_WHERE_SKIP };

struct lc_tensor {
    const struct hwl_gguf_tensor *t;
    const char *name; /* NUL-terminated, whole name */
    const char *base; /* behind "blk.N.", or name */
    const char *key;  /* base, with what stands in front of "blk." ("enc.attn_q.weight"): what hwl_lc_find wants */
    int32_t layer;    /* N, -1 none */
    uint8_t where;    /* enum lc_where */
    bool per_device;  /* rope factors: one copy on each device that has layers */
    uint64_t pad;     /* bytes that a CUDA buffer adds to a quantised row (MATRIX_ROW_PADDING 512) */
    uint8_t component; /* hwl_component */
};

struct lc_layer {
    uint32_t n_head, n_head_kv, n_ff, n_ff_exp, n_expert_used;
    uint32_t compress_ratio;
    bool swa, recr, indexer_full;
    bool clamp_exp, clamp_shexp; /* bounds the gated activation of experts, of shared experts (Step 3.5) */
    uint32_t first, n_tensors; /* of lc_model.by_layer */
    uint32_t kind_typed; /* layers of one number have the same hyperparameters and tensors (base names, types, shapes) */
    uint32_t kind;       /* likewise, quantised types not told apart */
};

struct lc_arch;

struct lc_model {
    const struct hwl_gguf *gguf;
    const char *arch; /* general.architecture */
    const struct lc_arch *row;
    uint8_t memory;   /* enum lc_memory */
    uint32_t n_layer_all, n_layer_nextn, n_layer; /* n_layer = all - nextn */
    uint32_t n_embd, n_embd_out, n_embd_per_layer, n_vocab, n_ctx_train;
    uint32_t head_k, head_v, head_k_swa, head_v_swa, n_rot, n_rot_swa;
    uint32_t head_k_mla, head_v_mla; /* both > 0: MLA, the cache holds K only */
    uint32_t n_lora_q, n_lora_kv, n_lora_kv_swa, head_k_mla_swa, head_v_mla_swa;
    uint32_t n_expert, n_expert_used, n_expert_shared, n_ff_shexp, n_layer_dense_lead, n_expert_groups, n_group_used;
    uint32_t moe_layer_step, gating_func;
    uint32_t n_swa;
    uint8_t swa_type; /* enum lc_swa */
    int32_t n_layer_kv_from_start; /* -1: all layers own a cache */
    uint32_t ssm_d_conv, ssm_d_inner, ssm_d_state, ssm_dt_rank, ssm_n_group;
    uint32_t wkv_head_size, token_shift_count, shortconv_l_cache, head_kda, head_la;
    uint32_t indexer_n_head, indexer_head_size, indexer_top_k, hc_mult;
    uint32_t n_deepstack, rope_sections[4], n_cls_out, ple_conv_state;
    uint32_t pooling; /* 0 none, 1 mean, 2 cls, 3 last, 4 rank */
    int32_t ple_layer, router_layer; /* -1 none */
    bool causal, has_encoder, rope_finetuned;
    double max_alibi_bias;
    struct lc_layer *layers; /* [n_layer_all] */
    struct lc_tensor *tensors; /* all of the file, in its order */
    uint64_t n_tensors;
    const struct lc_tensor **by_layer; /* tensors of layer 0, 1 ...; then those of no layer (first_global ..) */
    uint64_t first_global;
    uint32_t *slots; /* hash of layer and base name: index into by_layer + 1, 0 empty; open addressing */
    uint64_t n_slots;
    const struct lc_tensor *tok_embd, *output; /* output NULL: tied */
};

/* The tensor "blk.LAYER.KEY" (layer >= 0; "dec.KEY" for "dec.blk.LAYER.KEY") or "KEY" in constant time; NULL when the file has
 * none. */
const struct lc_tensor *hwl_lc_find(const struct lc_model *m, int32_t layer, const char *key);

/* Widths of a cache row in elements (llama_hparams::n_embd_k_gqa, n_embd_v_gqa), and of the state. */
uint64_t hwl_lc_k_gqa(const struct lc_model *m, uint32_t il);
uint64_t hwl_lc_v_gqa(const struct lc_model *m, uint32_t il);
uint64_t hwl_lc_v_gqa_max(const struct lc_model *m);
uint64_t hwl_lc_embd_r(const struct lc_model *m);
uint64_t hwl_lc_embd_s(const struct lc_model *m);
bool hwl_lc_is_mla(const struct lc_model *m);
/* Does the layer own rows of the attention cache; has it recurrent state? */
bool hwl_lc_has_kv(const struct lc_model *m, uint32_t il);
bool hwl_lc_has_state(const struct lc_model *m, uint32_t il);

enum lc_fa { LC_FA_OFF, LC_FA_ON, LC_FA_AUTO };

struct lc_rules;

struct lc_params {
    const struct lc_rules *rules; /* of the version, never NULL */
    uint32_t n_ctx, n_ctx_seq, n_batch, n_ubatch, n_seq_max, n_outputs_max;
    uint32_t kv_cells, kv_cells_swa; /* cells of one stream */
    uint16_t type_k, type_v; /* enum hwl_dtype */
    uint8_t fa_asked;        /* enum lc_fa */
    bool fa;                 /* resolved */
    bool kv_unified, swa_full, offload_kqv, op_offload, extra_bufts, embeddings, mmap, no_host;
    bool pipeline;           /* scheduler copies 4 */
    bool load_mtp, mtp;      /* the MTP layers are loaded; this context runs on them */
    uint32_t n_rs_seq;       /* states kept to roll back to, of each sequence */
    uint8_t split_mode;      /* 0 none, 1 layer, 2 row */
    uint32_t main_gpu;
    int64_t ngl;             /* resolved: -1 has become n_layer_all + 1 */
};

/* Is flash attention on when the caches are made? llama_init_from_model turns it off for Grok; "auto" is on until the probe. */
bool hwl_lc_flash_asked(const struct lc_model *m, const struct lc_params *p);

enum { LC_HOST = 0xffff }; /* device number of host memory */

/* An override of -ot: name test and target. */
struct lc_override {
    const char *pattern; /* regular expression */
    uint16_t device;     /* GPU index or LC_HOST */
};

struct lc_placement {
    uint32_t n_gpus;     /* devices in use (split mode none: 1) */
    uint16_t gpu[16];    /* their indexes into hwl_devices */
    uint8_t backend[16]; /* hwl_backend of each */
    uint16_t *layer;     /* [n_layer_all + 1]: index into gpu[] or LC_HOST; the last is the output layer */
    uint16_t *tensor;    /* [n_tensors]: where each weight lies (index into gpu[] or LC_HOST); NULL: by layer and where */
    bool *repacked;      /* [n_tensors]: host weight in CPU_REPACK; NULL: none */
    bool tok_overridden; /* an override names token_embd.weight, its second copy too */
    bool tied_copy;      /* token_embd lies a second time, on the output layer's GPU */
    bool overrides;      /* any -ot or --n-cpu-moe */
};

/* Where a weight lies: index into placement.gpu or LC_HOST. */
static inline uint16_t hwl_lc_where(const struct lc_model *m, const struct lc_placement *p, const struct lc_tensor *t)
{
    if (p->tensor)
        return p->tensor[t - m->tensors];
    if (t->where == LC_WHERE_SKIP && t->layer >= (int32_t)m->n_layer) /* an MTP layer: loaded on demand */
        return p->layer[t->layer];
    if (t->where == LC_WHERE_INPUT || t->where == LC_WHERE_SKIP)
        return LC_HOST;
    return t->where == LC_WHERE_LAYER ? p->layer[t->layer] : p->layer[m->n_layer_all];
}

/* Compute buffers. device[0 .. n_gpus) are GPUs, device[n_gpus] the host. exact: the graph of this architecture is built and
 * has been compared with the engine's own. */
struct lc_compute {
    uint64_t bytes[17];
    const char *refusal; /* what the engine gives up on while it reserves; NULL: nothing */
    bool exact, fa;
    uint32_t left_out; /* layers that repeat others and were not built */
};

#endif
