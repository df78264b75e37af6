/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_CONFIG_H
#define HWL_SOURCE_CONFIG_H

#include "base/arena.h"
#include "base/json.h"

/* A view of one object of a config.json with provenance: every value that is read is recorded as a fact, every
 * problem is kept, so that a family's reader can be written as straight lines and checked once at its end.
 *
 * Keys may list alternatives, old and new spellings: "num_key_value_heads|n_kv_heads|multi_query_group_num". The first
 * that is present (and not null) wins. A key with dots reaches into nested objects: "rope_parameters.rope_theta".
 * Values above `HWL_CFG_MAX` or of the wrong type are errors. */
/* The default that the configuration class of a model_type has for one of the keys; false: none, *out left alone. */
typedef bool hwl_config_default_fn(const char *type, const char *keys, uint64_t *out);

struct hwl_config_log; /* shared by all views of a file */

struct hwl_config {
    yyjson_val *obj;             /* NULL: an absent object, every get gives its default */
    const char *path;            /* key path of this object: "" or "text_config" */
    struct hwl_config_log *log;
};

#define HWL_CFG_MAX ((uint64_t)1 << 40)

/* log lives in arena, and so do the strings that are returned. file is used in messages. */
struct hwl_config hwl_config_root(yyjson_val *root, const char *file, struct hwl_arena *arena);

/* From then on an absent key has the default of its object's model_type before the one that the reader gives. */
void hwl_config_set_defaults(const struct hwl_config *root, hwl_config_default_fn *defaults);

/* Optional with default; required (missing: 0 and noted); all are recorded. bool accepts true/false and 0/1. */
uint64_t hwl_cfg_u64(const struct hwl_config *c, const char *keys, uint64_t def);
/* The same, def before the class's. */
uint64_t hwl_cfg_u64_or(const struct hwl_config *c, const char *keys, uint64_t def);
uint64_t hwl_cfg_need(const struct hwl_config *c, const char *keys);
double hwl_cfg_real(const struct hwl_config *c, const char *keys, double def);
bool hwl_cfg_is_bool(const struct hwl_config *c, const char *keys); /* the first that is there holds true or false */
bool hwl_cfg_bool(const struct hwl_config *c, const char *keys, bool def);
const char *hwl_cfg_str(const struct hwl_config *c, const char *keys, const char *def);
bool hwl_cfg_has(const struct hwl_config *c, const char *keys); /* present and not null */
/* A nested object; obj NULL when absent. */
struct hwl_config hwl_cfg_obj(const struct hwl_config *c, const char *keys);
/* Arrays: the number of elements (0 when absent), element i as an integer or string. A scalar counts as 1 element
 * and is given at every i. Past the end: the default. */
uint64_t hwl_cfg_n(const struct hwl_config *c, const char *keys);
uint64_t hwl_cfg_at_u64(const struct hwl_config *c, const char *keys, uint64_t i, uint64_t def);
const char *hwl_cfg_at_str(const struct hwl_config *c, const char *keys, uint64_t i, const char *def);
bool hwl_cfg_at_bool(const struct hwl_config *c, const char *keys, uint64_t i, bool def);
/* Is the integer i among the array's elements? */
bool hwl_cfg_in(const struct hwl_config *c, const char *keys, uint64_t i);
/* Records a value that was worked out. */
void hwl_cfg_derived(const struct hwl_config *c, const char *key, uint64_t value, const char *how);
/* A problem of the family's own ("hidden_size is no multiple of num_attention_heads"). The first problem is kept. */
void hwl_cfg_bad(const struct hwl_config *c, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* HWL_OK, or the first problem; missing required keys are listed all in one message. */
hwl_status hwl_config_status(const struct hwl_config *c, hwl_error *error);
/* Facts in order of reading: false past the end. */
bool hwl_config_fact(const struct hwl_config *c, uint64_t i, const char **key, const char **value, const char **origin);

#endif
