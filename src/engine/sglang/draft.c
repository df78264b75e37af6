/* SPDX-License-Identifier: Apache-2.0 */
/* What SGLang loads: the target, and the draft model where one is named. */
#include "engine/sglang/sglang.h"

#include "base/status.h"
#include "base/str.h"

#include <string.h>

static bool whole_model(const char *algorithm)
{
    return hwl_words_have("STANDALONE standalone DFLASH dflash DSPARK dspark", algorithm);
}

/* A draft is opened as any model: a folder, a file, a catalogue name. EAGLE heads that are not there are taken to be like the
 * target's last layer, as they are built; a draft that is a model of its own cannot be guessed. */
static hwl_status open_draft(const struct hwl_settings *settings, struct hwl_arena *arena, struct hwl_sglang_ready *r,
                             hwl_error *error)
{
    const char *name = hwl_opt_text(settings, HWL_OPT_DRAFT, ""), *algorithm = hwl_opt_text(settings, HWL_OPT_SPEC_METHOD, "");
    if (!*algorithm || hwl_words_have("NGRAM ngram", algorithm))
        return HWL_OK;
    if (!*name)
        return whole_model(algorithm) ? hwl_fail(error, HWL_E_NOT_FOUND, "sglang: --speculative-algorithm %s wants a draft model",
                                                 algorithm)
                                      : HWL_OK;
    hwl_error e = {.offset = HWL_NO_OFFSET};
    const hwl_status status = hwl_engine_open_named(settings, name, &r->owned, &e);
    if (status != HWL_OK) {
        if (whole_model(algorithm) && error)
            *error = e;
        return whole_model(algorithm) ? status : HWL_OK;
    }
    static const hwl_settings plain; /* --quant is the target's */
    const hwl_status prepared = hwl_shard_prepare(r->owned, &plain, arena, &r->draft, error);
    if (prepared != HWL_OK)
        hwl_sglang_release(r);
    return prepared;
}

hwl_status hwl_sglang_prepare(const struct hwl_model *model, const char *version, const struct hwl_settings *settings,
                              struct hwl_arena *arena, void **prepared, hwl_error *error)
{
    struct hwl_sglang_ready *r = HWL_NEW(arena, struct hwl_sglang_ready);
    (void)version;
    if (!r)
        return hwl_fail(error, HWL_E_NOMEM, "out of memory");
    HWL_TRY(hwl_shard_prepare(model, settings, arena, &r->target, error));
    HWL_TRY(open_draft(settings, arena, r, error));
    *prepared = r;
    return HWL_OK;
}

void hwl_sglang_release(void *prepared)
{
    hwl_model_free(((struct hwl_sglang_ready *)prepared)->owned);
}

const struct hwl_model *hwl_sglang_draft(const struct hwl_sglang_ready *ready)
{
    return ready->draft ? ready->draft->model : NULL;
}

uint64_t hwl_sglang_draft_row(const struct hwl_sglang_setup *setup, struct hwl_ck *ck)
{
    uint64_t row = 0;
    for (uint32_t i = 0; i < setup->draft->n_layers; i++) {
        const struct hwl_sglang_row r = hwl_sglang_row_of(&setup->draft->layers[i], setup, ck);
        row = hwl_ck_add(ck, row, hwl_ck_add(ck, r.kv, r.index));
    }
    return row;
}
