/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_HF_BUILD_H
#define HWL_ARCH_HF_BUILD_H

#include "arch/model.h"
#include "source/config.h"

#include <hwledger/plan.h>

/* Writes the tensor inventory of a config.json reader. Sticky: after an overflow or a lack of memory every call does
 * nothing and hwl_hb_status tells. Names are prefix + name; shapes are [out, in] as in PyTorch. */
#define HWL_HB_DEPTH 8
#define HWL_HB_MAX_LAYERS 4096

struct hwl_build;

struct hwl_hb {
    struct hwl_model *m;
    struct hwl_build *build; /* of the family table, for text parts that its rows read */
    const struct hwl_config *cfg; /* of the part being read */
    struct hwl_ck ck;
    bool no_memory;
    bool too_long;      /* a name beyond the limit */
    int32_t layer;      /* of the next tensors; -1 none */
    int component;      /* hwl_component of a tower, or -1: as the role says */
    uint32_t layers_cap;
    char prefix[160];
    const char *body;   /* as in hwl_build */
};

void hwl_hb_init(struct hwl_hb *b, struct hwl_model *model, const struct hwl_config *cfg);
hwl_status hwl_hb_status(const struct hwl_hb *b, const char *file, hwl_error *error);

/* Appends to the prefix and returns its former length for hwl_hb_pop. */
size_t hwl_hb_push(struct hwl_hb *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hwl_hb_pop(struct hwl_hb *b, size_t mark);

/* One tensor, or count equal ones. NULL when failed. */
struct hwl_tensor *hwl_hb_tensor(struct hwl_hb *b, const char *name, enum hwl_role role, uint32_t count, const uint64_t *dims,
                                 uint8_t n_dims);
void hwl_hb_vec(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t n);
void hwl_hb_mat(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t rows, uint64_t cols);
void hwl_hb_dims3(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t d0, uint64_t d1, uint64_t d2);
/* name.weight [out, in] and, where bias, name.bias [out] */
void hwl_hb_linear(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t out, uint64_t in, bool bias);
/* name.weight [n] and, where bias, name.bias [n] */
void hwl_hb_norm(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t n, bool bias);
/* name.weight [out, in, k...] of a convolution of n_k kernel sizes, and its bias */
void hwl_hb_conv(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t out, uint64_t in, const uint64_t *k, uint8_t n_k, bool bias);
void hwl_hb_conv2d(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t out, uint64_t in, uint64_t k, bool bias);
void hwl_hb_conv1d(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t out, uint64_t in, uint64_t k, bool bias);
/* n experts: name holds * where the running number stands; name.weight [out, in] each */
void hwl_hb_experts(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t n, uint64_t out, uint64_t in, bool bias);
/* The same storage as a tensor before: counts nothing. */
void hwl_hb_tied(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t rows, uint64_t cols);
/* Stored but no parameter: bytes count, elements do not. */
void hwl_hb_buffer(struct hwl_hb *b, const char *name, enum hwl_role role, uint64_t n);

/* Room for n decoder (or only), mtp and encoder layers, zeroed, with kv_shared_with = -1. */
bool hwl_hb_layers(struct hwl_hb *b, uint64_t n, uint64_t n_mtp, uint64_t n_encoder);
/* Appends a tower to the model; NULL when out of memory. */
struct hwl_encoder *hwl_hb_encoder(struct hwl_hb *b, uint8_t component, uint64_t n_layers, uint64_t n_heads, uint64_t hidden, uint64_t d_ff);

/* Products and sums for shapes, sticky. */
static inline uint64_t hwl_hb_mul(struct hwl_hb *b, uint64_t x, uint64_t y)
{
    return hwl_ck_mul(&b->ck, x, y);
}

static inline uint64_t hwl_hb_add(struct hwl_hb *b, uint64_t x, uint64_t y)
{
    return hwl_ck_add(&b->ck, x, y);
}

/* x / y, noting a problem at key when y is 0 or does not divide. */
uint64_t hwl_hb_div(struct hwl_hb *b, const char *key, uint64_t x, uint64_t y);

#endif
