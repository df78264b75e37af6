/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_VIEW_H
#define HWL_VIEW_VIEW_H

#include <hwledger/hwledger.h>

/* What the command line, the terminal and the desktop planner show alike: words, order, letters, colours, numbers. */

/* "12.34 GiB", one unit for a whole column where asked: hwl_view_gib writes "12.34". HWL_UNKNOWN is "unknown". All return buf. */
const char *hwl_view_bytes(uint64_t bytes, char *buf, uint64_t size);
const char *hwl_view_gib(uint64_t bytes, char *buf, uint64_t size);
const char *hwl_view_params(uint64_t n, char *buf, uint64_t size); /* 8.03 B */
/* Foreign text (names of models and devices) without control characters. */
const char *hwl_view_clean(const char *s, char *buf, uint64_t size);

/* Per kind: the letter of the bar, the words, an ANSI colour (256-colour palette number, safe for red-green blindness). */
struct hwl_view_kind {
    char letter;
    const char *label;
    int colour;
};
const struct hwl_view_kind *hwl_view_kind(hwl_kind kind);

/* "FITS" "TIGHT" "DOES NOT FIT", and the mark "ok" "!" "x". */
const char *hwl_view_verdict(hwl_verdict verdict);
const char *hwl_view_mark(hwl_verdict verdict);
int hwl_view_verdict_colour(hwl_verdict verdict);

/* Used share of what is usable in whole per cent, rounded up; 0 where nothing is known. */
unsigned hwl_view_percent(uint64_t used, uint64_t usable);

/* Weakest basis among entries of a kind and its largest error; false where there are none. */
bool hwl_view_basis(const hwl_plan *plan, hwl_kind kind, hwl_basis *basis, double *error);
#endif
