/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_SETTINGS_H
#define HWLEDGER_SETTINGS_H

#include <hwledger/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the user asked for. An option that is not set takes the engine's own default. */
typedef struct hwl_settings hwl_settings;

typedef enum hwl_option_type {
    HWL_TYPE_FLAG,   /* true / false */
    HWL_TYPE_COUNT,  /* integer, K/M suffixes binary ("32k" = 32,768) */
    HWL_TYPE_INT,    /* signed integer */
    HWL_TYPE_BYTES,  /* integer with K/M/G/T decimal or Ki/Mi/Gi/Ti */
    HWL_TYPE_REAL,   /* decimal fraction */
    HWL_TYPE_TEXT,   /* one word */
    HWL_TYPE_LIST,   /* repeatable text */
} hwl_option_type;

typedef struct hwl_option_info {
    const char *name;    /* "kv-type" */
    hwl_option_type type;
    const char *argument; /* "N", "SIZE", "" for flags */
    const char *engines; /* "" all, else words: "llama.cpp ollama" */
    const char *help;
} hwl_option_info;

HWL_API const hwl_option_info *hwl_option_at(uint32_t index); /* NULL past the end */

HWL_API hwl_status hwl_settings_new(hwl_settings **out);
/* Where models that options name (a draft) are looked for beside files and the catalogue: as in hwl_open_options, copied; NULL:
 * that store is not looked at. */
HWL_API hwl_status hwl_settings_set_stores(hwl_settings *settings, const char *home, const char *hf_cache);
HWL_API hwl_status hwl_settings_copy(const hwl_settings *settings, hwl_settings **out);
HWL_API void hwl_settings_free(hwl_settings *settings);

/* Sets an option by its long name from text. Flags take "true"/"false" (NULL = true). A later call wins; a list appends. */
HWL_API hwl_status hwl_settings_set(hwl_settings *settings, const char *name, const char *value, hwl_error *error);
HWL_API hwl_status hwl_settings_set_count(hwl_settings *settings, const char *name, uint64_t value, hwl_error *error);
HWL_API hwl_status hwl_settings_clear(hwl_settings *settings, const char *name, hwl_error *error);
/* Writes the value as text ("" when not set) and returns whether it is set. */
HWL_API bool hwl_settings_get(const hwl_settings *settings, const char *name, char *buf, uint64_t size);
/* Item index of a list, as it was given; false past the end and for what is no list. */
HWL_API bool hwl_settings_item(const hwl_settings *settings, const char *name, uint32_t index, char *buf, uint64_t size);

/* Reads an engine's own command line ("-c 8192 -ngl 99 ..."), by that engine's table of options.
 * HWL_E_USAGE for an option that the engine does not have. */
HWL_API hwl_status hwl_settings_engine_args(hwl_settings *settings, const char *engine, int argc, const char *const *argv,
                                            hwl_error *error);

#ifdef __cplusplus
}
#endif
#endif
