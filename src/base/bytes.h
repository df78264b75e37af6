/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_BASE_BYTES_H
#define HWL_BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

/* Checked 64-bit arithmetic. The bool forms return true on success and leave *out alone on overflow.
 * The struct hwl_ck forms are sticky: they return UINT64_MAX after an overflow and set ck->overflow,
 * so a formula can be written in one line and checked once. */

#define HWL_MUST_USE __attribute__((warn_unused_result))

HWL_MUST_USE static inline bool hwl_add(uint64_t *out, uint64_t a, uint64_t b)
{
    uint64_t r;
    if (__builtin_add_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

HWL_MUST_USE static inline bool hwl_mul(uint64_t *out, uint64_t a, uint64_t b)
{
    uint64_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

/* a / b rounded up; b > 0. Cannot overflow. */
static inline uint64_t hwl_div_ceil(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

/* a rounded up to a multiple of b; b > 0. */
HWL_MUST_USE static inline bool hwl_align_up(uint64_t *out, uint64_t a, uint64_t b)
{
    return hwl_mul(out, hwl_div_ceil(a, b), b);
}

struct hwl_ck {
    bool overflow;
};

static inline uint64_t hwl_ck_add(struct hwl_ck *ck, uint64_t a, uint64_t b)
{
    uint64_t r = UINT64_MAX;
    if (ck->overflow || !hwl_add(&r, a, b)) {
        ck->overflow = true;
        return UINT64_MAX;
    }
    return r;
}

static inline uint64_t hwl_ck_mul(struct hwl_ck *ck, uint64_t a, uint64_t b)
{
    uint64_t r = UINT64_MAX;
    if (ck->overflow || !hwl_mul(&r, a, b)) {
        ck->overflow = true;
        return UINT64_MAX;
    }
    return r;
}

static inline uint64_t hwl_ck_mul3(struct hwl_ck *ck, uint64_t a, uint64_t b, uint64_t c)
{
    return hwl_ck_mul(ck, hwl_ck_mul(ck, a, b), c);
}

static inline uint64_t hwl_ck_mul4(struct hwl_ck *ck, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return hwl_ck_mul(ck, hwl_ck_mul3(ck, a, b, c), d);
}

/* a - b; a < b counts as overflow: byte counts are never negative. */
static inline uint64_t hwl_ck_sub(struct hwl_ck *ck, uint64_t a, uint64_t b)
{
    if (ck->overflow || a < b) {
        ck->overflow = true;
        return UINT64_MAX;
    }
    return a - b;
}

static inline uint64_t hwl_ck_align(struct hwl_ck *ck, uint64_t a, uint64_t b)
{
    return hwl_ck_mul(ck, hwl_div_ceil(a, b), b);
}

static inline uint64_t hwl_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t hwl_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
