/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_MODEL_H
#define HWLEDGER_MODEL_H

#include <hwledger/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A model described neutrally. Immutable after opening: share it between threads freely. */
typedef struct hwl_model hwl_model;

typedef enum hwl_mixer {
    HWL_MIXER_NONE,
    HWL_MIXER_FULL,     /* attention over the whole context */
    HWL_MIXER_SLIDING,  /* attention over the last `window` tokens */
    HWL_MIXER_CHUNKED,  /* attention inside chunks of `window` tokens */
    HWL_MIXER_MLA,      /* multi-head latent attention: one latent row a token */
    HWL_MIXER_SPARSE,   /* latent or full attention behind an indexer with its own key cache */
    HWL_MIXER_MAMBA,
    HWL_MIXER_MAMBA2,
    HWL_MIXER_GATED_DELTA_NET,
    HWL_MIXER_KDA,
    HWL_MIXER_RWKV,
    HWL_MIXER_SHORT_CONV,
    HWL_MIXER_LINEAR,   /* linear attention with a plain matrix state (MiniMax-01) */
    HWL_MIXER_COUNT
} hwl_mixer;

typedef enum hwl_feed_forward { HWL_FFN_NONE, HWL_FFN_DENSE, HWL_FFN_MOE, HWL_FFN_COUNT } hwl_feed_forward;

typedef struct hwl_model_info {
    const char *name;         /* as the file or catalogue names it */
    const char *architecture; /* model_type or general.architecture */
    const char *source;       /* where it was read from */
    const char *form;         /* "gguf", "safetensors", "config" */
    uint64_t parameters;        /* weight elements, tied matrices once, without multi-token prediction */
    uint64_t active_parameters; /* without the routed experts that a token does not use */
    uint64_t weights_bytes;     /* of those, as stored */
    uint64_t n_tensors;
    uint64_t context_train;     /* tokens; 0 unknown */
    uint64_t hidden;
    uint64_t vocabulary;
    uint32_t n_layers;          /* decoder (or only) stack, without MTP layers */
    uint32_t n_mtp_layers;
    bool generic;               /* read by the generic fallback: everything is modelled */
    uint64_t mtp_parameters;    /* of the layers for multi-token prediction, with the copies of embedding and output that they bring */
    uint64_t mtp_bytes;
    uint64_t stored_elements;   /* numbers in the checkpoint, as a header counts them: multi-token prediction, scales and copies too */
    uint64_t stored_bytes;
} hwl_model_info;

typedef struct hwl_layer_info {
    hwl_mixer mixer;
    hwl_feed_forward feed_forward;
    uint64_t parameters;
    uint64_t bytes;               /* stored weights */
    uint64_t kv_bytes_per_token;  /* at 16 bits an element; window layers too */
    uint64_t window;              /* tokens, 0 where none */
    uint64_t state_bytes;         /* recurrent state of one sequence in the engine-neutral reading (f32 SSM state, 16-bit conv) */
} hwl_layer_info;

typedef struct hwl_open_options {
    bool generic;           /* read unknown decoder architectures as dense, marked modelled */
    const char *home;       /* for ~/.cache, ~/.ollama ...; NULL: those stores are not looked at */
    const char *hf_cache;   /* Hugging Face hub folder; NULL: home/.cache/huggingface/hub */
    const char *ollama;     /* Ollama models folder; NULL: home/.ollama/models */
    const char *llama_cache; /* llama.cpp's download cache, for hwl_local_list; NULL: home/.cache/llama.cpp */
    void (*progress)(void *user, uint64_t done, uint64_t total); /* parts of the work, in the thread that opens; NULL: none */
    void *user;
    /* Asked between parts of a file, from the thread that opens: true ends it with HWL_E_CANCELLED. NULL: never. */
    bool (*stop)(void *user);
} hwl_open_options;

/* Opens what name says: a .gguf file, a folder with config.json, a safetensors file or index, "ollama:NAME[:TAG]",
 * a Hugging Face id in the local cache, a catalogue name or alias. options may be NULL. Never the network.
 * The caller owns *out: hwl_model_free. */
HWL_API hwl_status hwl_model_open(const char *name, const hwl_open_options *options, hwl_model **out, hwl_error *error);
/* Opens a config.json text held in memory (length bytes, no NUL needed). */
HWL_API hwl_status hwl_model_from_config(const char *json, uint64_t length, const char *name, const hwl_open_options *options,
                                         hwl_model **out, hwl_error *error);
HWL_API void hwl_model_free(hwl_model *model);

/* Strings live as long as the model. */
HWL_API void hwl_model_get_info(const hwl_model *model, hwl_model_info *out);
HWL_API bool hwl_model_get_layer(const hwl_model *model, uint32_t index, hwl_layer_info *out);
HWL_API const char *hwl_mixer_name(hwl_mixer mixer);
HWL_API const char *hwl_feed_forward_name(hwl_feed_forward feed_forward);

/* Bytes by stored type: false past the end. */
HWL_API bool hwl_model_get_type(const hwl_model *model, uint32_t index, const char **type, uint64_t *bytes);

/* A fact that the reader used and where it stands: provenance. False past the end. */
typedef struct hwl_fact {
    const char *key;    /* "hidden_size" */
    const char *value;  /* as text */
    const char *origin; /* file, or "derived", "default of model_type llama" */
} hwl_fact;
HWL_API bool hwl_model_get_fact(const hwl_model *model, uint32_t index, hwl_fact *out);

/* The inspect document of schema hwledger.model/1. The caller frees *out with hwl_text_free. */
HWL_API hwl_status hwl_model_json(const hwl_model *model, char **out, uint64_t *length, hwl_error *error);
HWL_API void hwl_text_free(char *text);

/* A model found on disk. name opens it with hwl_model_open and the same options. Valid during the call only. */
typedef struct hwl_local_model {
    const char *name;   /* "ollama:NAME:TAG", "org/name", or the path */
    const char *path;
    const char *format; /* "gguf", "safetensors", "config" (no weights there) */
    const char *store;  /* "ollama", "huggingface", "lmstudio", "llama.cpp" */
    uint64_t bytes;     /* of its weight files */
} hwl_local_model;
/* Calls found for every model of the local stores, store by store, in order of names; false from it stops. Opens no weight file.
 * A store that is not there has no models. */
HWL_API hwl_status hwl_local_list(const hwl_open_options *options, bool (*found)(void *user, const hwl_local_model *model), void *user,
                                  hwl_error *error);

/* Catalogue names in a fixed order: NULL past the end. */
typedef struct hwl_catalogue_model {
    const char *name;    /* short name: "llama-3.1-8b" */
    const char *id;      /* publisher's id */
    const char *aliases; /* comma separated, may be "" */
    const char *family;
    uint64_t parameters; /* known count, 0 unknown */
} hwl_catalogue_model;
HWL_API const hwl_catalogue_model *hwl_catalogue_at(uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
