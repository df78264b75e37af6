/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown, said: headline, and a whole sentence for each part that a screen reader or a tooltip names. */
#include "view/model.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

const char *hwl_view_level_word(enum hwl_level level)
{
    static const char *const words[HWL_LEVEL_COUNT] = {"fits", "tight", "very tight", "does not fit", "unknown"};
    return words[level < HWL_LEVEL_COUNT ? level : HWL_LEVEL_UNKNOWN];
}

const char *hwl_view_level_mark(enum hwl_level level)
{
    static const char *const marks[HWL_LEVEL_COUNT] = {"ok", "!", "!!", "x", "?"};
    return marks[level < HWL_LEVEL_COUNT ? level : HWL_LEVEL_UNKNOWN];
}

const char *hwl_view_segment_label(uint32_t segment)
{
    return segment < HWL_KIND_COUNT ? hwl_view_kind((hwl_kind)segment)->label : "free";
}

char hwl_view_segment_letter(uint32_t segment)
{
    return segment < HWL_KIND_COUNT ? hwl_view_kind((hwl_kind)segment)->letter : '.';
}

const char *hwl_view_heat_row(enum hwl_heat_row row)
{
    static const char *const names[HWL_HEAT_ROWS] = {"attention", "feed-forward", "KV cache", "state"};
    return row < HWL_HEAT_ROWS ? names[row] : "";
}

/* "21.40 of 23.99 GiB": one unit where both have it. */
static const char *part_of(uint64_t used, uint64_t usable, char *buf, size_t size)
{
    char a[32], b[32];
    if (usable != HWL_UNKNOWN && usable >= 1u << 30 && usable >> 40 == 0)
        (void)snprintf(buf, size, "%s of %s GiB", hwl_view_gib(used, a, sizeof a), hwl_view_gib(usable, b, sizeof b));
    else
        (void)snprintf(buf, size, "%s of %s", hwl_view_bytes(used, a, sizeof a), hwl_view_bytes(usable, b, sizeof b));
    return buf;
}

static const char *remainder_of(const struct hwl_view_device *d, char *buf, size_t size)
{
    char text[32];
    if (d->usable == HWL_UNKNOWN)
        (void)snprintf(buf, size, "memory unknown");
    else
        (void)snprintf(buf, size, "%s %s", hwl_view_bytes(d->missing ? d->missing : d->device->free_bytes, text, sizeof text),
                       d->missing ? "missing" : "left");
    return buf;
}

const char *hwl_view_headline(const struct hwl_view_model *view, char *buf, uint64_t size)
{
    char part[72], rest[48];
    const hwl_verdict v = hwl_plan_verdict(view->plan);
    const struct hwl_view_device *d = &view->device[view->speaker];
    /* An engine may refuse to serve a request although the sums fit: its cache is what is left, and that is too little. */
    const bool engine_says = v == HWL_VERDICT_EXCEEDS && !d->missing;
    (void)snprintf(buf, (size_t)size, "%s %s  %s%s on %s, %s (%u %%)", hwl_view_verdict(v), hwl_view_mark(v),
                   engine_says ? "too little cache for one request: " : "", part_of(d->used, d->usable, part, sizeof part), d->id,
                   remainder_of(d, rest, sizeof rest), d->percent);
    return buf;
}

const char *hwl_view_brief(const struct hwl_view_model *view, char *buf, uint64_t size)
{
    char rest[48];
    const struct hwl_view_device *d = &view->device[view->speaker];
    (void)snprintf(buf, (size_t)size, "%s %s %u %%, %s", hwl_view_verdict(hwl_plan_verdict(view->plan)), hwl_view_mark(hwl_plan_verdict(view->plan)),
                   d->percent, remainder_of(d, rest, sizeof rest));
    return buf;
}

const char *hwl_view_device_sentence(const struct hwl_view_device *d, char *buf, uint64_t size)
{
    char part[72], rest[48];
    (void)snprintf(buf, (size_t)size, "%s%s, %s: %s used, %u %%, %s, %s", d->id, d->end - d->first > 1 ? " each" : "", d->name,
                   part_of(d->used, d->usable, part, sizeof part), d->percent, hwl_view_level_word(d->level), remainder_of(d, rest, sizeof rest));
    return buf;
}

const char *hwl_view_segment_sentence(const struct hwl_view_device *d, uint32_t segment, char *buf, uint64_t size)
{
    char text[32], exact[40];
    const uint64_t bytes = d->segment[segment].bytes;
    (void)snprintf(buf, (size_t)size, "%s on %s: %s, %s bytes, %u %% of what is usable", hwl_view_segment_label(segment), d->id,
                   hwl_view_bytes(bytes, text, sizeof text), hwl_count_text(bytes, exact, sizeof exact), hwl_view_percent(bytes, d->usable));
    return buf;
}

static const char *place(const struct hwl_view_model *view, uint16_t device)
{
    if (device == HWL_HEAT_NOWHERE)
        return "nowhere";
    return device == HWL_HEAT_SPREAD ? "several devices" : hwl_plan_get_device(view->plan, device)->device->id;
}

const char *hwl_view_cell_sentence(const struct hwl_view_model *view, uint32_t column, enum hwl_heat_row row, char *buf, uint64_t size)
{
    const struct hwl_heat_column *c = &view->column[column];
    const struct hwl_heat_cell *cell = &c->cell[row];
    char layers[40], bytes[32], exact[40];
    if (c->first == c->last)
        (void)snprintf(layers, sizeof layers, "layer %u", c->first);
    else
        (void)snprintf(layers, sizeof layers, "layers %u to %u", c->first, c->last);
    if (!cell->bytes)
        (void)snprintf(buf, (size_t)size, "%s, %s: nothing", layers, hwl_view_heat_row(row));
    else
        (void)snprintf(buf, (size_t)size, "%s, %s: %s, %s bytes, on %s", layers, hwl_view_heat_row(row),
                       hwl_view_bytes(cell->bytes, bytes, sizeof bytes), hwl_count_text(cell->bytes, exact, sizeof exact),
                       place(view, cell->device));
    return buf;
}

const char *hwl_view_column_sentence(const struct hwl_view_model *view, char *buf, uint64_t size)
{
    const uint32_t n = view->n_columns ? view->column[view->n_columns - 1].last + 1 : 0;
    if (view->per_column > 1)
        (void)snprintf(buf, (size_t)size, "%u layers, %u a column", n, view->per_column);
    else
        (void)snprintf(buf, (size_t)size, "%u layer%s", n, n == 1 ? "" : "s");
    return buf;
}
