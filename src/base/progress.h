/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_BASE_PROGRESS_H
#define HWL_BASE_PROGRESS_H

#include "base/status.h"

#include <stddef.h>

/* Who waits for a long piece of work: told how far it is, asked whether it is still wanted. NULL: nobody. */
struct hwl_progress {
    void (*report)(void *user, uint64_t done, uint64_t total); /* NULL: none */
    bool (*stop)(void *user);                                  /* NULL: never */
    void *user;
};

/* Between two parts of the work. HWL_E_CANCELLED: it is not wanted any more. */
static inline hwl_status hwl_progress_step(const struct hwl_progress *p, uint64_t done, uint64_t total, hwl_error *error)
{
    if (p && p->report)
        p->report(p->user, done, total);
    if (p && p->stop && p->stop(p->user))
        return hwl_fail_at(error, HWL_E_CANCELLED, "", HWL_NO_OFFSET, "", "cancelled");
    return HWL_OK;
}

#endif
