/* SPDX-License-Identifier: Apache-2.0 */
/* Shares the cells or pixels of a bar among the classes of bytes. */
#include "view/model.h"

/* bytes * width / whole for any bytes <= whole, rounded down: exact up to 2^44 bytes and 2^20 cells, else to 1 part in 2^43. */
static uint32_t share(uint64_t bytes, uint64_t whole, uint32_t width)
{
    while (whole >> 43) {
        whole >>= 1;
        bytes >>= 1;
    }
    return whole ? (uint32_t)(bytes * width / whole) : 0;
}

/* The widest of those that have more than over; what is free may go to nothing. */
static uint32_t widest(const struct hwl_view_device *d, uint32_t over)
{
    uint32_t best = HWL_VIEW_SEGMENTS;
    for (uint32_t i = 0; i < HWL_VIEW_SEGMENTS; i++)
        if (d->segment[i].width > (i == HWL_VIEW_FREE ? 0 : over) && (best == HWL_VIEW_SEGMENTS || d->segment[i].width > d->segment[best].width))
            best = i;
    return best;
}

void hwl_view_layout(struct hwl_view_device *d, uint32_t width, uint32_t least, uint32_t *limit)
{
    const bool over = d->level == HWL_LEVEL_OVER, known = d->usable != HWL_UNKNOWN;
    const uint64_t whole = over || !known ? d->used : d->usable;
    uint64_t sum = 0;
    uint32_t end = 0, n = 0, used_width;
    for (uint32_t i = 0; i < HWL_KIND_COUNT; i++)
        n += d->segment[i].bytes > 0;
    if (limit)
        *limit = over ? share(d->usable, d->used, width) : width;
    if (n && least > width / n)
        least = width / n;
    /* Ends are rounded, not widths: the sum is what it should be. Then the narrow ones take from the widest. */
    for (uint32_t i = 0; i < HWL_KIND_COUNT; i++) {
        sum += d->segment[i].bytes;
        const uint32_t next = share(sum, whole, width);
        d->segment[i].width = next - end;
        end = next;
    }
    d->segment[HWL_VIEW_FREE].width = width - end;
    for (uint32_t i = 0; i < HWL_KIND_COUNT; i++) {
        struct hwl_view_segment *s = &d->segment[i];
        while (s->bytes && s->width < least) {
            const uint32_t from = widest(d, least);
            if (from == HWL_VIEW_SEGMENTS) /* all others are narrow too: least leaves room for that */
                break;
            d->segment[from].width--;
            s->width++;
        }
    }
    used_width = 0;
    for (uint32_t i = 0; i < HWL_VIEW_SEGMENTS; i++) {
        d->segment[i].at = used_width;
        used_width += d->segment[i].width;
    }
}
