/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_ENGINE_H
#define HWL_ENGINE_ENGINE_H

#include "arch/model.h"
#include "device/devices.h"
#include "ledger/ledger.h"
#include "settings/settings.h"

/* One engine: a const table of pure functions and the versions whose rules it knows.
 *
 * prepare turns a model into what the engine would load (llama.cpp: the GGUF that a configuration would become,
 * quantised; digests of tensors), once per model, engine version and quantisation. plan writes the ledger for given
 * devices and settings; it allocates only in the ledger's arena, reads no files, keeps nothing, and is called
 * thousands of times a second, from several threads at once over the same prepared model. */
struct hwl_engine {
    const char *id;
    const char *const *versions; /* newest (the default) first, NULL-terminated */
    /* Resolves what the user wrote ("b9000", a commit, "0.33") to one of versions; NULL: exact match only. */
    const char *(*version)(const char *text);
    const struct hwl_engine_arg *args; /* its own command line */
    uint32_t n_args;
    bool python_args; /* "None" behind one of them leaves it as it is; "--x.member value" */
    /* Has the release the option of that row (the first name)? version NULL: the newest. NULL: all of them have all. */
    bool (*has_arg)(const char *name, const char *version);
    /* Is a row's option written for a release, beside being read? NULL: whatever it has. */
    bool (*writes_arg)(const char *name, const char *version);
    /* The option by which a release fixes what its cache has, and the figure of a plan that it takes. NULL: no such option. */
    const char *(*pin)(const char *version, const char **view);
    /* *prepared may stay NULL where nothing is needed. Lives in arena. version is one of versions. */
    hwl_status (*prepare)(const struct hwl_model *model, const char *version, const struct hwl_settings *settings, struct hwl_arena *arena,
                          void **prepared, hwl_error *error);
    void (*release)(void *prepared); /* what prepare holds outside the arena; may be NULL */
    hwl_status (*plan)(const struct hwl_model *model, const void *prepared, const char *version, const struct hwl_devices *devices,
                       const struct hwl_settings *settings, struct hwl_ledger *ledger, hwl_error *error);
    /* Calls put for each part of one entry of a plan of the same arguments, until it is false; the name is gone behind the call.
     * work: for what need not outlive the call. NULL: entries have no parts. */
    hwl_status (*parts)(const struct hwl_model *model, const void *prepared, const char *version, const struct hwl_devices *devices,
                        const struct hwl_settings *settings, const hwl_entry *entry, struct hwl_arena *work,
                        bool (*put)(void *user, const char *name, uint64_t bytes), void *user, hwl_error *error);
    /* What the context and concurrency limits vary; NULL: the options ctx and concurrency. Reserved for engines that differ. */
    hwl_status (*limits)(const struct hwl_model *model, const void *prepared, const char *version, const struct hwl_devices *devices,
                         const struct hwl_settings *settings, hwl_limits *out, hwl_error *error);
};

extern const struct hwl_engine hwl_engine_llamacpp, hwl_engine_ollama, hwl_engine_vllm, hwl_engine_sglang, hwl_engine_tensorrt, hwl_engine_tgi,
    hwl_engine_transformers, hwl_engine_mlx, hwl_engine_lmstudio;

/* All engines, NULL-terminated, in the order of help. */
extern const struct hwl_engine *const hwl_engines[];
/* Opens a model that an option names: a file, a folder, a name of the catalogue, or an id in the settings' stores. */
hwl_status hwl_engine_open_named(const struct hwl_settings *settings, const char *name, struct hwl_model **out, hwl_error *error);
const struct hwl_engine *hwl_engine_find(const char *id, hwl_error *error);

#endif
