/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_EXTRAS_H
#define HWL_LLAMACPP_EXTRAS_H

#include "arch/model.h"
#include "engine/llamacpp/graph/clip.h"
#include "engine/llamacpp/params.h"

/* What is loaded beside the model: read once by prepare, released with it. */
struct lc_extras {
    struct hwl_model *draft;  /* NULL: none */
    struct lc_model draft_m;
    struct lc_digest draft_digest;
    struct hwl_gguf *mmproj;  /* NULL: none */
    struct lc_clip clip[2];   /* its compute buffers without and with a GPU; side 0: not known */
    struct hwl_gguf **adapters; /* [n_adapters], in the order of --lora; NULL where the item is a rank */
    uint32_t n_adapters;
};

hwl_status hwl_lc_extras_open(const struct hwl_settings *settings, struct hwl_arena *arena, struct lc_extras *out, hwl_error *error);
void hwl_lc_extras_close(struct lc_extras *x);
/* The settings that the draft's context is made from, and its plan before anything is resolved: the target's is resolved.
 * False: there is no draft. */
bool hwl_lc_draft(const struct lc_plan *target, struct hwl_settings *settings, struct lc_plan *out);
/* Is the draft a context on the model's own MTP layers? */
bool hwl_lc_wants_mtp(const struct lc_plan *p);
/* Does that draft take embeddings or caches of its target, so that it is no model of its own? */
bool hwl_lc_borrows(const struct lc_model *m);
/* Bytes of the projector, weights and compute buffer, and where they lie (LC_HOST: in host memory). */
uint64_t hwl_lc_mmproj_bytes(struct lc_plan *p, uint16_t *device);
/* Everything but the draft. */
hwl_status hwl_lc_extras_put(struct lc_plan *p, struct hwl_ledger *l);

/* engine.c: the file that llama.cpp would load of that model, read. */
hwl_status hwl_lc_load(const struct hwl_model *model, const struct hwl_settings *settings, struct hwl_arena *arena, struct lc_model *m,
                       struct lc_digest *digest, hwl_error *error);
/* engine.c: what a program that starts llama-server goes by, of what prepare made. */
struct lc_summary {
    uint64_t file_bytes;      /* of the model's file; without its metadata where there is none */
    uint64_t mmproj_bytes;    /* of the projector's tensors; 0: no projector */
    uint32_t n_layer, n_head_max, n_head_kv_min, n_embd, n_ctx_train;
    bool mtp;                 /* has layers of multi-token prediction */
    bool draft;               /* --draft is read */
    bool embeds;              /* the file names a pooling */
    const char *arch;
};
void hwl_lc_summarise(const void *prepared, struct lc_summary *out);

#endif
