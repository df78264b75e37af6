/* SPDX-License-Identifier: Apache-2.0 */
/* What llama.cpp loads beside the model: a draft, a projector, adapters. */
#include "engine/llamacpp/params.h"

void hwl_lc_extras(struct lc_plan *p, struct hwl_ledger *l)
{
    static const struct {
        enum hwl_opt option;
        const char *name;
    } parts[] = {{HWL_OPT_DRAFT, "draft"}, {HWL_OPT_MMPROJ, "mmproj"}, {HWL_OPT_LORA, "lora"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (hwl_opt_has(p->settings, parts[i].option))
            hwl_ledger_note(l, "--%s moves memory and is not modelled", parts[i].name);
}
