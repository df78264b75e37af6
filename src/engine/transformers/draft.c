/* SPDX-License-Identifier: Apache-2.0 */
/* assistant_model= of generate(): a second model with a cache of its own, on the device that the first one starts on
 * (generation/candidate_generator.py, 5.24). */
#include "engine/transformers/draft.h"

#include "base/status.h"
#include "settings/settings.h"

#define TOKENS 20 /* num_assistant_tokens */

hwl_status hwl_tf_prepare(const struct hwl_model *model, const char *version, const hwl_settings *settings, struct hwl_arena *arena,
                          void **prepared, hwl_error *error)
{
    (void)model;
    (void)version;
    (void)arena;
    const char *name = hwl_opt_text(settings, HWL_OPT_DRAFT, "");
    struct hwl_model *draft = NULL;
    *prepared = NULL;
    if (*name)
        HWL_TRY(hwl_engine_open_named(settings, name, &draft, error));
    *prepared = draft;
    return HWL_OK;
}

void hwl_tf_release(void *prepared)
{
    hwl_model_free(prepared);
}

hwl_status hwl_tf_put_draft(const struct hwl_model *draft, const struct hwl_model *model, const struct hwl_settings *settings,
                            const struct hwl_tf_draft *at, struct hwl_ledger *ledger, struct hwl_ck *ck, hwl_error *error)
{
    if (at->sequences > 1)
        return hwl_fail(error, HWL_E_REFUSED, "transformers refuses: assisted generation takes one sequence, not %llu",
                        (unsigned long long)at->sequences);
    if (at->fixed)
        return hwl_fail(error, HWL_E_REFUSED, "transformers refuses: assisted generation with a static cache");
    const uint64_t dtype = at->types->cast ? at->types->dtype_bytes : draft->dtype == HWL_DTYPE_F32 ? 4 : 2;
    const struct hwl_tf_types types = {.dtype_bytes = dtype, .cast = at->types->cast, .fused_experts = at->types->fused_experts};
    const struct hwl_tf_cache_kind kind = {.ctx = at->ctx, .sequences = 1, .dtype = dtype, .encoder = hwl_tf_encoder_tokens(draft, at->ctx)};
    for (uint64_t i = 0; i < draft->n_tensors; i++)
        if (hwl_tf_loaded(draft, &draft->tensors[i]))
            hwl_ledger_put(ledger, at->device, -1, HWL_KIND_WEIGHTS, HWL_COMP_DRAFT, hwl_tf_tensor_bytes(&draft->tensors[i], &types, ck),
                           HWL_BASIS_EXACT, "transformers: from_pretrained, the assistant");
    uint64_t cache = 0;
    for (uint32_t i = 0; i < draft->n_layers; i++) {
        const struct hwl_tf_cached c = hwl_tf_cache(&draft->layers[i], &kind, ck);
        cache = hwl_ck_add(ck, cache, hwl_ck_add(ck, hwl_ck_mul(ck, c.tokens, c.row), c.extra));
        cache = hwl_ck_add(ck, cache, hwl_tf_states(&draft->layers[i], &kind, ck));
    }
    hwl_ledger_put(ledger, at->device, -1, HWL_KIND_KV_CACHE, HWL_COMP_DRAFT, cache, HWL_BASIS_EXACT, "transformers: the assistant's cache");
    /* the model gives logits of every candidate and of one token more, in its type and in fp32 */
    const uint64_t tokens = hwl_opt_u64(settings, HWL_OPT_DRAFT_MAX, TOKENS);
    hwl_ledger_put(ledger, at->head, -1, HWL_KIND_OUTPUT, HWL_COMP_OUTPUT, hwl_ck_mul3(ck, tokens, model->vocab, at->types->dtype_bytes + 4),
                   HWL_BASIS_MODELLED, "transformers: logits of the candidates")
        ->error = 0.3f;
    return HWL_OK;
}
