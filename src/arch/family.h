/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_FAMILY_H
#define HWL_ARCH_FAMILY_H

#include "arch/model.h"
#include "source/config.h"

#include <hwledger/device.h>
#include <hwledger/plan.h>

/* config.json -> neutral model with the exact tensor inventory of the Hugging Face checkpoint, without weights.
 * A family is a row: the model types it reads and either a row of the text decoder (hf_text.h) or a reader of its own. */

/* The reading under way. Sticky: failures are collected and told once at the end. */
struct hwl_build {
    const struct hwl_config *root;
    struct hwl_config cfg; /* the object being read: root or text_config */
    struct hwl_model *model;
    const char *type;      /* model_type whose class defaults apply */
    const char *prefix;    /* before every name: "language_model." or "" */
    const char *body;      /* stands for a leading "model." of names ("model.language_model."), the others keep theirs; NULL: no */
    const char *outer;     /* PARENT/PART whose assumptions go before the class's own; NULL none */
    uint8_t tie;           /* output matrix of a text part: 0 as its own object says, 1 apart, 2 tied */
    uint8_t component;     /* of every tensor; HWL_COMP_COUNT: by role */
    bool nomem, overflow, headless;
};

struct hwl_text_row;
struct hwl_family {
    const char *types;   /* model types, space separated */
    const char *classes; /* names in `architectures`, space separated, or NULL */
    void (*read)(struct hwl_build *b, const struct hwl_text_row *row);
    const struct hwl_text_row *row;
    const uint16_t *recipe; /* numbers of lines up to 0xffff, instead of read: data/recipes */
};

/* model->generic set by the caller allows the dense reading of unknown decoders. Fills everything but name and source. */
hwl_status hwl_arch_from_config(const struct hwl_config *root, struct hwl_model *model, hwl_error *error);

/* The language model of a multimodal configuration: text is its object, prefix stands before its names,
 * type serves where the object names no model_type of its own. Problems are kept in b. */
void hwl_build_text(struct hwl_build *b, const struct hwl_config *text, const char *type, const char *prefix);
/* The same where the object's own model_type is another's: type decides. */
void hwl_build_text_as(struct hwl_build *b, const struct hwl_config *text, const char *type, const char *prefix);
/* The family by type, then by class; NULL unknown. */
/* Files that name another family's type, or one that says nothing, and are a family's all the same. */
struct hwl_family_rule {
    const char *type, *key;     /* files of the type that hold the key; NULL: any */
    const char *classes;        /* whose class is one of these; NULL: any */
    uint32_t family;            /* of hwl_families_recipes */
};
extern const struct hwl_family_rule hwl_family_rules[]; /* generated from data/recipes; closed by one without key and classes */
/* The family that a rule gives; NULL none. */
const struct hwl_family *hwl_family_special(const struct hwl_config *c, const char *type, const char *class_name);
const struct hwl_family *hwl_family_find(const char *type, const char *class_name);

/* The default of a model type's configuration class (data/config_defaults.csv); false and *out alone where it has none.
 * "PARENT/PART>TYPE": what the class around a part assumes goes before what its own does. */
bool hwl_class_default(const char *type, const char *keys, uint64_t *out);
bool hwl_class_known(const char *type); /* it has any */
/* Values with the class's default of b->type (data/config_defaults.csv) where the file is silent; def where that is too.
 * An explicit null gives def. need: a key that has no default is noted as missing. */
uint64_t hwl_b_u64(const struct hwl_build *b, const char *keys, uint64_t def);
uint64_t hwl_b_need(const struct hwl_build *b, const char *keys);
bool hwl_b_bool(const struct hwl_build *b, const char *keys, bool def);
/* "1", "0", or "key|key=default"; NULL is false. */
bool hwl_b_flag(const struct hwl_build *b, const char *spec);
uint32_t hwl_b_u32(const struct hwl_build *b, const char *keys, uint32_t def);

/* layers[n_layers + n_mtp + n_encoder], zeroed, with kv_shared_with -1 and causal attention; NULL and noted when too many. */
struct hwl_layer *hwl_b_layers(struct hwl_build *b, uint64_t n_layers, uint64_t n_mtp, uint64_t n_encoder);

/* One tensor [out, in]; in = 0: [out]. The part follows from the name's end (.bias). layer -1: of none. */
struct hwl_tensor *hwl_emit(struct hwl_build *b, enum hwl_role role, int32_t layer, uint64_t out, uint64_t in, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* count equal tensors; the name holds * for the running number. Routed where role is of experts. */
struct hwl_tensor *hwl_emit_n(struct hwl_build *b, enum hwl_role role, int32_t layer, uint64_t count, uint64_t out, uint64_t in,
                              const char *format, ...) __attribute__((format(printf, 7, 8)));
/* Any number of dimensions, outermost first. */
struct hwl_tensor *hwl_emit_dims(struct hwl_build *b, enum hwl_role role, int32_t layer, const uint64_t *dims, uint32_t n, const char *format,
                                 ...) __attribute__((format(printf, 6, 7)));
/* weight [out, in] and, where bias, the vector [out], of the module that format names. */
void hwl_emit_linear(struct hwl_build *b, enum hwl_role role, int32_t layer, uint64_t out, uint64_t in, bool bias, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

extern const struct hwl_family hwl_families_more[]; /* encoders, towers, hybrids (hf.c) */
extern const struct hwl_family hwl_families_text[], hwl_families_moe[], hwl_families_further[];
extern const struct hwl_family hwl_families_recipes[]; /* generated from data/recipes */

/* prefix + name, or name with body for its "model."; in arena, NULL out of memory. */
const char *hwl_full_name(struct hwl_arena *arena, const char *prefix, const char *body, const char *name, const char *tail);

#endif
