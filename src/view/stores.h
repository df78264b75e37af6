/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_STORES_H
#define HWL_VIEW_STORES_H

#include <hwledger/hwledger.h>

/* What a program takes from its surroundings: the library itself never looks. */

/* The stores of models that the environment names (HOME, HF_HOME, HF_HUB_CACHE, OLLAMA_MODELS, LLAMA_CACHE, XDG_CACHE_HOME). */
struct hwl_view_stores {
    hwl_open_options options; /* its strings live in the environment and below */
    char hf[4096], llama[4096];
};
void hwl_view_stores(struct hwl_view_stores *stores);

/* Lets the settings find drafts there too. */
hwl_status hwl_view_use_stores(hwl_settings *settings);

/* Host memory from "TOTAL[/FREE]": the form of --gpu-memory. */
hwl_status hwl_view_set_ram(hwl_devices *devices, const char *ram, hwl_error *error);

#endif
