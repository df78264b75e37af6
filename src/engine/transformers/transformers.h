/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_TRANSFORMERS_TRANSFORMERS_H
#define HWL_ENGINE_TRANSFORMERS_TRANSFORMERS_H

#include "base/bytes.h"
#include "engine/engine.h"

#define HWL_TF_CONTEXT ((uint64_t)450 << 20) /* CUDA context and kernels: nvidia-smi against torch's own sum */

/* The modules of a causal language model in their order, as device_map="auto" sees them: what stands in front of the
 * stack, its layers (never split), what stands behind, the head. */
struct hwl_tf_modules {
    const uint64_t *bytes; /* [n] */
    uint32_t n;
    uint32_t first_layer, n_layers;
    bool tied; /* the head, the last module, goes where the first one goes */
};

struct hwl_tf_types {
    uint64_t dtype_bytes; /* of activations and cache */
    bool cast;            /* weights are cast to dtype_bytes */
    uint8_t bits;         /* bitsandbytes: 4 or 8; 0 none */
    bool fused_experts;   /* experts of a layer are one parameter, which bitsandbytes leaves alone */
};
uint64_t hwl_tf_tensor_bytes(const struct hwl_tensor *tensor, const struct hwl_tf_types *types, struct hwl_ck *ck);
/* Weights in MXFP4 or blocks of FP8 become bf16 on cards without kernels for them (quantizers/quantizer_mxfp4.py,
 * quantizer_finegrained_fp8.py, 5.24). */
bool hwl_tf_unpacks(const struct hwl_model *model, const struct hwl_devices *devices);
bool hwl_tf_loaded(const struct hwl_model *model, const struct hwl_tensor *tensor);
/* Index of the module that holds the tensor: 0 in front of the stack, then the layers, what stands behind, the head. */
uint32_t hwl_tf_module_of(const struct hwl_model *model, const struct hwl_tensor *tensor);
hwl_status hwl_tf_modules_of(const struct hwl_model *model, const struct hwl_tf_types *types, struct hwl_arena *arena,
                             struct hwl_tf_modules *out, struct hwl_ck *ck, hwl_error *error);

/* limit: [n_gpus + 1], the host last: bytes that each may take, changed to the balanced ones. low_first: as little as
 * goes on the first GPU. */
void hwl_tf_balance(const struct hwl_tf_modules *modules, uint64_t *limit, uint32_t n_gpus, bool low_first);
/* device: [modules->n]: GPUs from 0, n_gpus the host, n_gpus + 1 the disk. */
hwl_status hwl_tf_map(const struct hwl_tf_modules *modules, const uint64_t *limit, uint32_t n_gpus, uint16_t *device,
                      struct hwl_arena *arena, hwl_error *error);

/* The same by --device-map and --max-memory on real devices. quantised: with room for what quantising needs. */
hwl_status hwl_tf_lay_out(const struct hwl_tf_modules *modules, bool quantised, const struct hwl_devices *devices,
                          const struct hwl_settings *settings, uint16_t *device, struct hwl_arena *arena, hwl_error *error);

struct hwl_tf_cache_kind {
    uint64_t ctx, sequences, dtype;
    bool fixed;        /* a StaticCache of ctx tokens */
    uint64_t encoder;  /* tokens of the encoder that every decoder layer keeps too; 0 none */
    bool expanded_mla; /* keys and values of each head are cached (before 5) */
};
/* Keys and values of a layer: tokens x row, and extra bytes that are no rows. grows: one more token is one more row. */
struct hwl_tf_cached {
    uint64_t tokens, row, extra;
    bool grows;
};
/* Tokens that the encoder of an encoder-decoder gives for a prompt: its learned positions, or the prompt's. 0: none. */
uint64_t hwl_tf_encoder_tokens(const struct hwl_model *model, uint64_t ctx);
struct hwl_tf_cached hwl_tf_cache(const struct hwl_layer *layer, const struct hwl_tf_cache_kind *kind, struct hwl_ck *ck);
/* Recurrent state of all sequences in a layer. */
uint64_t hwl_tf_states(const struct hwl_layer *layer, const struct hwl_tf_cache_kind *kind, struct hwl_ck *ck);

/* Bytes that a prompt of so many tokens a sequence holds in one pass, beside weights and what its cache holds in
 * the end. */
uint64_t hwl_tf_activation(const struct hwl_model *model, uint64_t length, uint64_t sequences, uint64_t dtype_bytes,
                           bool eager, struct hwl_ck *ck);
/* What a vision tower holds over so many images. */
uint64_t hwl_tf_tower(const struct hwl_model *model, const struct hwl_encoder *tower, uint64_t images, uint64_t dtype_bytes,
                      bool eager, struct hwl_ck *ck);
/* The same for a recurrent layer that runs its reference pass; 0 for others. */
struct hwl_tf_traits;
uint64_t hwl_tf_recurrent(const struct hwl_layer *layer, const struct hwl_model *model, const struct hwl_tf_traits *has, uint64_t length,
                          uint64_t sequences, uint64_t dtype_bytes, struct hwl_ck *ck);

#endif
