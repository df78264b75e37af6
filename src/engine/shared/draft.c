/* SPDX-License-Identifier: Apache-2.0 */
/* A draft model of its own beside the target of a server. */
#include "engine/shared/shard.h"

#include "base/status.h"

hwl_status hwl_shard_alone(const struct hwl_shard_prepared *draft, const struct hwl_shard_run *target,
                           struct hwl_shard_weights *out, hwl_error *error)
{
    const uint16_t whole[2] = {0, (uint16_t)draft->model->n_layers};
    struct hwl_shard_run run = *target;
    run.pp = 1;
    run.stage_first = whole;
    run.spec_method = "";
    run.draft_layers = 0;
    run.max_loras = 0;
    return hwl_shard_weights(draft, &run, out, NULL, error);
}

/* A head whose checkpoint names its joint: all of its tensors are its own, and what it shares is not among them. */
static bool described(const struct hwl_model *m)
{
    for (uint64_t i = 0; i < m->n_tensors; i++)
        if (m->tensors[i].role == HWL_ROLE_MTP_FC && m->tensors[i].layer < 0)
            return true;
    return false;
}

hwl_status hwl_shard_draft_weights(const struct hwl_shard_prepared *draft, const struct hwl_shard_run *target, uint32_t joined,
                                   uint64_t *bytes, hwl_error *error)
{
    const struct hwl_model *m = draft->model;
    struct hwl_shard_weights w;
    struct hwl_ck ck = {0};
    HWL_TRY(hwl_shard_alone(draft, target, &w, error));
    *bytes = w.total;
    if (joined && !described(m))
        *bytes = hwl_ck_add(&ck, w.total - w.component[HWL_COMP_EMBEDDING] - w.component[HWL_COMP_OUTPUT] - w.component[HWL_COMP_OTHER],
                            hwl_ck_mul4(&ck, joined, m->hidden, m->hidden, target->dtype_bytes));
    return ck.overflow ? hwl_fail(error, HWL_E_OVERFLOW, "%s: the weights are beyond 64 bits", target->engine) : HWL_OK;
}
