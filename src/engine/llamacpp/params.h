/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_PARAMS_H
#define HWL_LLAMACPP_PARAMS_H

#include "engine/llamacpp/fit.h"
#include "engine/llamacpp/lc.h"
#include "engine/llamacpp/version.h"
#include "ledger/ledger.h"
#include "settings/settings.h"

struct lc_extras;

/* One plan in the making. */
struct lc_plan {
    const struct lc_model *m;
    const struct lc_digest *digest;
    const struct hwl_devices *devices;
    const struct hwl_settings *settings;
    const struct lc_rules *rules; /* of the version; NULL: the newest */
    struct hwl_arena *arena, *scratch; /* scratch: the compute graphs' */
    struct lc_params params;
    struct lc_placement place;
    struct hwl_ck ck;
    hwl_error *error;
    const struct lc_extras *extras; /* NULL: nothing beside the model */
    bool is_mtp;       /* a context on the MTP layers of the model that is planned */
    bool is_draft;     /* the target's context is there to borrow from */
    struct lc_fit fit; /* what --fit chose; zero: nothing */
};

/* Sums of the weights of one layer (or of input and output) by component, so that a plan adds a few hundred figures. */
struct lc_sum {
    int32_t layer; /* of placement; -1 input or output */
    uint8_t where, component;
    bool per_device, mtp; /* mtp: of layers that are loaded for an MTP context only */
    uint64_t host, gpu;    /* with a host buffer's alignment, with CUDA's and its row padding */
    uint64_t repack;       /* the part of host that CPU_REPACK takes */
};
struct lc_digest {
    struct lc_sum *sums;
    uint32_t n_sums;
    uint64_t tied_gpu, tied_host, tied_repack; /* bytes of the second copy of token_embd; 0 none */
};

hwl_status hwl_lc_digest(const struct lc_model *m, struct hwl_arena *arena, struct lc_digest *out, hwl_error *error);
/* llama_context_params from what was asked. */
hwl_status hwl_lc_params(struct lc_plan *p);
/* "CUDA0,CUDA1", "0,1", "none": indexes of GPUs, in that order. */
hwl_status hwl_lc_devices(const struct lc_plan *p, const char *names, uint16_t list[16], uint32_t *n, hwl_error *error);
/* Layers and overridden tensors on devices. */
hwl_status hwl_lc_place(struct lc_plan *p);
/* Does CUDA's flash attention take every cached layer that lies on a GPU? */
bool hwl_lc_fa_fits(const struct lc_plan *p);
/* What llama.cpp refuses once flash attention is resolved. */
hwl_status hwl_lc_check(struct lc_plan *p);

/* Entries. device numbers of the ledger are those of hwl_devices, the host last. */
void hwl_lc_weights(struct lc_plan *p, struct hwl_ledger *l);
void hwl_lc_memory(struct lc_plan *p, struct hwl_ledger *l);
/* What the process takes on GPUs outside of llama.cpp's buffers. */
void hwl_lc_overhead(struct lc_plan *p, struct hwl_ledger *l);
void hwl_lc_output(struct lc_plan *p, struct hwl_ledger *l);
void hwl_lc_compute_floor(struct lc_plan *p, struct hwl_ledger *l);
uint16_t hwl_lc_device(const struct lc_plan *p, uint16_t where);
/* Bytes of a tensor of the cache in a buffer of that place: alignment and row padding. */
uint64_t hwl_lc_alloc(struct lc_plan *p, uint16_t where, uint16_t dtype, uint64_t ne0, uint64_t rows);
/* Split mode row: is it in force, and how a matrix lies in slices on the GPUs of placement. False: it lies whole. */
bool hwl_lc_can_split_rows(const struct lc_plan *p);
bool hwl_lc_by_rows(const struct lc_plan *p);
bool hwl_lc_slices(struct lc_plan *p, const struct lc_tensor *t, uint64_t out[16]);
bool hwl_lc_repackable(const struct hwl_gguf_tensor *t, bool experts);

#endif
