/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_SHARED_ARGS_H
#define HWL_ENGINE_SHARED_ARGS_H

#include "arch/model.h"
#include "base/arena.h"
#include "ledger/ledger.h"
#include "settings/settings.h"

/* "8192", "1k" (1,000), "1K" (1,024), "25.6k": human_readable_int of vLLM and SGLang. */
bool hwl_args_human_int(const char *s, uint64_t *out);
/* Sets a COUNT or BYTES option from such a number; engine and flag are for the message. */
hwl_status hwl_args_set_int(struct hwl_settings *s, const char *engine, const char *option, const char *flag,
                            const char *value, hwl_error *error);

/* The settings that were given, as the engine's options: " --tp-size 2 --disable-cuda-graph". Options of skip, and rows
 * with a function of their own, are the caller's. style: '-' or '_' between the words of a name. */
char *hwl_args_given(struct hwl_arena *arena, const struct hwl_settings *s, const struct hwl_engine_arg *args, uint32_t n,
                     const char *skip, char style);
/* The plan's view "command_line": PROGRAM MODEL, the settings that were given, and what the engine pins. given or pinned NULL: there
 * was no memory for them. */
void hwl_args_put_line(struct hwl_ledger *ledger, const char *program, const struct hwl_model *model, const char *given, const char *pinned);

#endif
