/* SPDX-License-Identifier: Apache-2.0 */
/* What recurrent layers hold over a prompt where their kernels (mamba-ssm, flash-linear-attention) are not installed:
 * the reference passes in PyTorch of transformers 5.24, read off passes over the meta device. */
#include "engine/transformers/forms.h"
#include "engine/transformers/transformers.h"

#define F32 4
#define GDN_CHUNK 64

/* All dimensions of a layer with state-space heads or delta rules, for one sequence. */
struct sizes {
    uint64_t heads, head, state, padded, chunks, chunk;
};

static uint64_t of(const struct sizes *s, uint64_t width, uint64_t count, struct hwl_ck *ck)
{
    return hwl_ck_mul4(ck, hwl_ck_mul(ck, s->heads, width), s->padded, count, F32);
}

/* Mamba 2: chunks of a matrix form (pad, segment sums, three products). */
static uint64_t mamba2(const struct hwl_state *st, uint64_t chunk, uint64_t length, struct hwl_ck *ck)
{
    const uint64_t chunks = hwl_div_ceil(length, chunk);
    const struct sizes s = {st->n_heads, st->head_dim, st->d_state, hwl_ck_mul(ck, chunks, chunk), chunks, chunk};
    const uint64_t square = of(&s, chunk, 3, ck); /* decays, products of B and C, both together */
    const uint64_t matrix = hwl_ck_mul4(ck, s.heads, s.head, s.state, F32);
    /* B, C and the decayed B are spread over the heads; C once more inside its product */
    const uint64_t inside = hwl_ck_add(ck, of(&s, s.state, 4, ck),
                                       hwl_ck_add(ck, of(&s, s.head, 4, ck), hwl_ck_mul(ck, matrix, chunks)));
    const uint64_t after = hwl_ck_add(ck, of(&s, s.state, 3, ck), of(&s, s.head, 7, ck));
    return hwl_ck_add(ck, square, hwl_ck_add(ck, hwl_max(inside, after), hwl_ck_mul(ck, matrix, chunks + 1)));
}

/* Delta rules: chunks of 64, everything in fp32. */
static struct sizes delta_sizes(const struct hwl_state *st, uint64_t length)
{
    const uint64_t chunks = hwl_div_ceil(length, GDN_CHUNK), matrix = (uint64_t)st->n_heads * st->head_dim;
    const uint64_t key = st->head_dim_k ? st->head_dim_k : matrix ? st->ssm_elems / matrix : 0;
    return (struct sizes){st->n_heads, st->head_dim, key, chunks * GDN_CHUNK, chunks, GDN_CHUNK};
}

static uint64_t delta_rule(const struct hwl_state *st, uint64_t length, struct hwl_ck *ck)
{
    const struct sizes s = delta_sizes(st, length);
    const uint64_t step = hwl_ck_mul4(ck, s.heads, s.head, GDN_CHUNK, 2 * F32); /* of the last chunk */
    return hwl_ck_add(ck, hwl_ck_add(ck, of(&s, s.state, 5, ck), step), hwl_ck_add(ck, of(&s, s.head, 5, ck), of(&s, s.chunk, 3, ck)));
}

/* A decay for every channel of a key: its differences within a chunk, and their products with keys, are written out. */
static uint64_t channel_delta_rule(const struct hwl_state *st, uint64_t length, struct hwl_ck *ck)
{
    const struct sizes s = delta_sizes(st, length);
    const uint64_t squares = of(&s, hwl_ck_mul(ck, s.chunk, s.state), 3, ck);
    return hwl_ck_add(ck, squares, hwl_ck_add(ck, of(&s, s.state, 5, ck), of(&s, s.head, 2, ck)));
}

/* Mamba 1: a state for every token of the prompt, three times. */
static uint64_t mamba1(const struct hwl_state *st, uint64_t length, struct hwl_ck *ck)
{
    return hwl_ck_add(ck, hwl_ck_mul4(ck, length, st->d_inner, st->d_state, 3 * F32), hwl_ck_mul3(ck, length, st->d_inner, 2 * F32));
}

uint64_t hwl_tf_recurrent(const struct hwl_layer *layer, const struct hwl_model *model, const struct hwl_tf_traits *has, uint64_t length,
                          uint64_t sequences, uint64_t dtype_bytes, struct hwl_ck *ck)
{
    const struct hwl_state *st = &layer->state;
    uint64_t states, narrow; /* in fp32; elements in the model's type, a token */
    if (!st->ssm_elems)
        return 0;
    const bool delta = layer->mixer == HWL_MIXER_GATED_DELTA_NET || layer->mixer == HWL_MIXER_KDA || layer->mixer == HWL_MIXER_LINEAR;
    if (st->n_heads && st->d_state && !delta) {
        states = mamba2(st, model->hints.state_chunk ? model->hints.state_chunk : 256, length, ck);
        narrow = hwl_ck_add(ck, 2 * st->conv_dim, hwl_ck_add(ck, st->d_inner, st->n_heads)); /* projected, convolved */
    } else if (layer->mixer == HWL_MIXER_GATED_DELTA_NET) {
        states = delta_rule(st, length, ck);
        const uint64_t gate = hwl_ck_mul(ck, st->n_heads, st->head_dim);
        /* convolved; the gate where it is projected before; both once more where one matrix projects them */
        narrow = hwl_ck_add(ck, st->conv_dim, has->state_in ? gate : 0);
        if (has->state_in > st->conv_dim)
            narrow = hwl_ck_mul(ck, narrow, 2);
    } else if (layer->mixer == HWL_MIXER_KDA) {
        states = channel_delta_rule(st, length, ck);
        narrow = st->conv_dim;
    } else if (layer->mixer == HWL_MIXER_MAMBA) {
        states = mamba1(st, length, ck);
        narrow = hwl_ck_mul(ck, st->d_inner, 7);
    } else {
        return 0;
    }
    const uint64_t rest = hwl_ck_mul3(ck, length, hwl_ck_add(ck, narrow, 3 * model->hidden), dtype_bytes);
    return hwl_ck_mul(ck, hwl_ck_add(ck, states, rest), sequences);
}
