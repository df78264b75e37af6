/* SPDX-License-Identifier: Apache-2.0 */
/* Layers as people read them: runs of equal layers, and patterns that repeat. */
#include "view/layers.h"

#include <stdio.h>

#define PERIOD_MAX 64u /* Gemma 3 repeats after 6 layers, Jamba and MiniMax-01 after 8: longer patterns say little */

bool hwl_view_same_layer(const hwl_layer_info *a, const hwl_layer_info *b)
{
    return a->mixer == b->mixer && a->feed_forward == b->feed_forward && a->parameters == b->parameters && a->bytes == b->bytes &&
           a->kv_bytes_per_token == b->kv_bytes_per_token && a->window == b->window && a->state_bytes == b->state_bytes;
}

uint32_t hwl_view_layer_group(const hwl_layer_info *layers, uint32_t n, uint32_t *period)
{
    uint32_t best = n ? 1 : 0;
    *period = best;
    for (uint32_t p = 1; p <= PERIOD_MAX && p <= n / 2; p++) {
        uint32_t end = p; /* the last repetition may be cut short */
        while (end < n && hwl_view_same_layer(&layers[end], &layers[end - p]))
            end++;
        if (end >= 2 * p && end > best) {
            best = end;
            *period = p;
        }
    }
    return best;
}

uint32_t hwl_view_layer_count(const hwl_layer_info *layers, uint32_t n, uint32_t i)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < n; k++) {
        const bool same = hwl_view_same_layer(&layers[k], &layers[i]);
        if (same && k < i)
            return 0;
        count += same;
    }
    return count;
}

/* What tells layers of a pattern apart: the mixer, and where those differ the feed-forward. */
static bool same_label(const hwl_layer_info *a, const hwl_layer_info *b, bool ffn)
{
    return a->mixer == b->mixer && (!ffn || a->feed_forward == b->feed_forward);
}

/* A layer may be a mixer or a feed-forward alone. */
static const char *label(const hwl_layer_info *l, bool ffn, char *buf, size_t size)
{
    const bool both = l->mixer != HWL_MIXER_NONE && l->feed_forward != HWL_FFN_NONE;
    if (!ffn || (!both && l->mixer != HWL_MIXER_NONE))
        return hwl_mixer_name(l->mixer);
    if (!both)
        return hwl_feed_forward_name(l->feed_forward);
    (void)snprintf(buf, size, "%s %s", hwl_mixer_name(l->mixer), hwl_feed_forward_name(l->feed_forward));
    return buf;
}

const char *hwl_view_layer_pattern(const hwl_layer_info *layers, uint32_t period, char *buf, uint64_t size)
{
    bool ffn = false;
    uint64_t o = 0;
    char text[64];
    for (uint32_t i = 1; i < period; i++)
        ffn = ffn || layers[i].feed_forward != layers[0].feed_forward;
    buf[0] = 0;
    for (uint32_t i = 0, next; i < period; i = next) {
        for (next = i + 1; next < period && same_label(&layers[next], &layers[i], ffn);)
            next++;
        const int n = snprintf(buf + o, (size_t)(size - o), "%s%u x %s", i ? ", " : "", next - i,
                               label(&layers[i], ffn, text, sizeof text));
        if (n < 0 || (uint64_t)n >= size - o)
            break;
        o += (uint64_t)n;
    }
    return buf;
}
