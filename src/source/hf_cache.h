/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_SOURCE_HF_CACHE_H
#define HWL_SOURCE_HF_CACHE_H

#include <hwledger/model.h>

/* The snapshot folder of id ("org/name", "name", either with "@revision") in the local Hugging Face cache: false when it is not there. */
bool hwl_hf_cache_find(const char *id, const hwl_open_options *options, char *folder, uint64_t size);

#endif
