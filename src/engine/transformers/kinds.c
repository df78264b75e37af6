/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of cache that generate() makes beside the common one: on the host, or quantised (cache_utils.py, 5.24). */
#include "engine/transformers/kinds.h"

#include "base/status.h"
#include "base/str.h"

#include <string.h>

#define GROUP 64     /* q_group_size: elements with a scale and a zero point */
#define RESIDUAL 128 /* residual_length: tokens that are quantised together */

static hwl_status choose_bits(struct hwl_tf_choice *c, const struct hwl_settings *s, hwl_error *error)
{
    const char *type = hwl_opt_text(s, HWL_OPT_KV_TYPE, "int4");
    static const struct {
        const char *names;
        uint8_t bits;
    } types[] = {{"int4 qint4 4", 4}, {"int2 qint2 2", 2}, {"int1 1", 1}, {"int3 3", 3}, {"int8 8", 8}, {"fp8", 0}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (hwl_words_have(types[i].names, type)) {
            c->bits = types[i].bits;
            c->grouped = c->bits != 0;
            return HWL_OK;
        }
    return hwl_fail(error, HWL_E_USAGE, "transformers: unknown type '%s' of a quantised cache; int2, int4 (quanto, hqq), int1, int3, int8 (hqq) and fp8", type);
}

hwl_status hwl_tf_choose(const struct hwl_model *m, const struct hwl_settings *s, struct hwl_tf_choice *c, hwl_error *error)
{
    const char *cache = hwl_opt_text(s, HWL_OPT_CACHE, "dynamic");
    *c = (struct hwl_tf_choice){.name = cache};
    if (!hwl_words_have("dynamic static offloaded offloaded_static quantized", cache))
        return hwl_fail(error, HWL_E_UNSUPPORTED,
                        "transformers: cache '%s' is not modelled; dynamic, static, offloaded, offloaded_static and quantized are", cache);
    c->fixed = hwl_words_have("static offloaded_static", cache);
    c->offloads = hwl_words_have("offloaded offloaded_static", cache);
    c->quantized = strcmp(cache, "quantized") == 0;
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct hwl_attention *a = &m->layers[i].attn;
        if (c->fixed && a->compress_ratio > 1)
            return hwl_fail(error, HWL_E_REFUSED, "transformers refuses: no static cache for layers of compressed attention");
        if (c->quantized && (a->window || a->compress_ratio > 1 || m->layers[i].state.conv_dim || m->layers[i].state.ssm_elems))
            return hwl_fail(error, HWL_E_REFUSED, "transformers refuses: a quantised cache is for models with full attention alone");
    }
    if (c->quantized && m->n_encoder)
        return hwl_fail(error, HWL_E_REFUSED, "transformers refuses: no quantised cache for encoder-decoders");
    return c->quantized ? choose_bits(c, s, error) : HWL_OK;
}

uint64_t hwl_tf_quantized(const struct hwl_tf_choice *c, const struct hwl_tf_cached *cached, uint64_t sequences, uint64_t dtype,
                          struct hwl_ck *ck)
{
    const uint64_t row = cached->row / dtype, elements = hwl_ck_mul(ck, cached->tokens, row);
    if (!c->grouped)
        return hwl_ck_add(ck, elements, 2 * 4); /* a scale each for keys and values */
    const uint64_t groups = hwl_div_ceil(elements, GROUP);
    const uint64_t rest = hwl_min(hwl_ck_mul(ck, sequences, RESIDUAL - 1), cached->tokens);
    return hwl_ck_add(ck, hwl_ck_mul(ck, elements, c->bits == 3 ? 4 : c->bits) / 8,
                      hwl_ck_add(ck, hwl_ck_mul3(ck, groups, 2, dtype), hwl_ck_mul(ck, rest, cached->row)));
}

uint64_t hwl_tf_unquantized(const struct hwl_tf_choice *c, const struct hwl_tf_cached *cached, uint64_t dtype, struct hwl_ck *ck)
{
    const uint64_t elements = hwl_ck_mul(ck, cached->tokens, cached->row / dtype);
    /* both as they come out and as they are joined with the residual; FP8: keys, and values in fp32 before and behind their scale */
    return c->grouped ? hwl_ck_mul3(ck, elements, 2, dtype) : hwl_ck_mul(ck, elements, dtype + 8) / 2;
}

bool hwl_tf_offloaded(const struct hwl_tf_choice *c, const struct hwl_layer *layer)
{
    return c->offloads && !(c->fixed && layer->attn.window);
}
