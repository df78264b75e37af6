/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ARCH_RECIPE_H
#define HWL_ARCH_RECIPE_H

#include "arch/hf_build.h"

/* Architectures written as text (data/recipes, docs/adding-an-architecture.md): towers, projectors, encoders and decoders as
 * lines of names and shapes, with sums over the keys of config.json. */

#define HWL_RECIPE_VARS 48

struct hwl_recipe_var {
    const char *name; /* in the text, not terminated */
    size_t n;
    uint64_t value;
};

/* An object of the configuration under a short name, and the model_type whose class defaults apply. */
struct hwl_recipe_object {
    char name[16];
    struct hwl_config cfg;
    const char *type;
};

/* The recipe under way. */
struct hwl_recipe {
    struct hwl_hb *b;
    struct hwl_recipe_object objects[6]; /* [0]: the root, read by keys without a name */
    uint32_t n_objects;
    struct hwl_recipe_var vars[HWL_RECIPE_VARS];
    uint32_t n_vars;
    uint64_t index[3];
    uint32_t depth;
};

/* The lines of all recipes, generated: a byte from 128 on stands for a word. */
extern const uint8_t hwl_recipe_line[], hwl_recipe_word[];
extern const uint32_t hwl_recipe_line_at[];
extern const uint16_t hwl_recipe_word_at[];

void hwl_recipe_read(struct hwl_build *b, const uint16_t *lines);

/* The value of the expression at *p, which ends at a comma, an @ or the line's end; *p moves there. */
uint64_t hwl_recipe_eval(struct hwl_recipe *r, const char **p);
bool hwl_recipe_set(struct hwl_recipe *r, const char *name, size_t n, uint64_t value);
/* A fault of the recipe itself, told as a problem of the configuration. */
void hwl_recipe_bad(struct hwl_recipe *r, const char *what, const char *at);

#endif
