/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_REGEX_H
#define HWL_LLAMACPP_REGEX_H

#include <hwledger/error.h>

#include <stdbool.h>

/* Does pattern match anywhere in text? std::regex_search with the ECMAScript grammar, as -ot is read
 * (llama_model_loader::create_tensor): alternation, groups, look-ahead, lazy and counted repetition, classes, \b \d \w \s,
 * back references. HWL_E_USAGE: no such pattern; HWL_E_LIMIT: too much work. */
hwl_status hwl_lc_regex(const char *pattern, const char *text, bool *matches, hwl_error *error);

#endif
