/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_OLLAMA_H
#define HWL_SOURCE_OLLAMA_H

#include "base/arena.h"

#include <hwledger/model.h>

#define HWL_OLLAMA_ADAPTERS 8

/* A model of the local Ollama store: paths of its blobs. */
struct hwl_ollama_model {
    const char *name;      /* NAME:TAG */
    const char *manifest;
    const char *model;     /* the GGUF */
    const char *projector; /* NULL none */
    const char *params;    /* the text of the parameter layer (JSON), NULL none */
    const char *template;  /* path, NULL none */
    const char *adapters[HWL_OLLAMA_ADAPTERS];
    uint32_t n_adapters;
};

/* name: NAME[:TAG], NAMESPACE/NAME[:TAG] or HOST/NAMESPACE/NAME[:TAG]. Strings live in arena. */
hwl_status hwl_ollama_find(const char *name, const hwl_open_options *options, struct hwl_arena *arena, struct hwl_ollama_model *out,
                           hwl_error *error);
/* The models folder: false where neither an option nor a home says. */
bool hwl_ollama_root(const hwl_open_options *options, char *out, uint64_t size);

#endif
