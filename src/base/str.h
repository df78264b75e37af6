/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_BASE_STR_H
#define HWL_BASE_STR_H

#include <hwledger/text.h>

#include <stdbool.h>
#include <stdint.h>

/* A view: not NUL-terminated, owned by whatever it points into. */
struct hwl_str {
    const char *p;
    uint64_t n;
};

struct hwl_str hwl_str_of(const char *s);
bool hwl_str_eq(struct hwl_str a, const char *b);
bool hwl_str_starts(struct hwl_str a, const char *prefix);
bool hwl_str_ends(struct hwl_str a, const char *suffix);
/* Case-insensitive ASCII. */
bool hwl_text_eq_nocase(const char *a, const char *b);
/* Does text hold part, which is in lower case, in any case? */
bool hwl_text_holds(const char *text, const char *part);
/* Does the space-separated list hold the word? */
bool hwl_words_have(const char *words, const char *word);
/* Edit distance (Levenshtein, capped at limit + 1), for "did you mean". */
uint32_t hwl_text_distance(const char *a, const char *b, uint32_t limit);
/* Whole string as an unsigned decimal; false on anything else or overflow. */
bool hwl_text_u64(const char *s, uint64_t *out);
/* "32k" -> 32768 (token counts: suffixes are binary). */
bool hwl_text_count(const char *s, uint64_t *out);
/* "24GiB", "80G", "512MB", plain bytes; K M G T decimal, Ki Mi Gi Ti binary, B allowed; decimal fractions allowed
 * and rounded to the nearest byte. */
bool hwl_text_bytes(const char *s, uint64_t *out);

#endif
