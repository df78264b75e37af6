/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TUI_READER_H
#define HWL_TUI_READER_H

#include <hwledger/hwledger.h>

/* Opens a model on a thread of its own, so that a large file holds nothing up. */
struct tui_reader;

struct tui_reader *tui_reader_start(const char *name, const hwl_open_options *options); /* NULL: cannot */
unsigned tui_reader_percent(struct tui_reader *r);
const char *tui_reader_name(const struct tui_reader *r);
/* True once it is done: *out or *error is filled, r is gone. */
bool tui_reader_take(struct tui_reader **r, hwl_model **out, hwl_error *error);
/* Leaves it: what it opens is thrown away when it is done. */
void tui_reader_leave(struct tui_reader **r);

#endif
