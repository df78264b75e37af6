/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the plan document. */
#include <hwledger/plan.h>

static const char *pick(const char *const *names, unsigned n, unsigned i)
{
    return i < n ? names[i] : "unknown";
}

#define COUNT(a) (unsigned)(sizeof(a) / sizeof *(a))

const char *hwl_kind_name(hwl_kind kind)
{
    static const char *const names[] = {"weights", "kv_cache", "recurrent_state", "compute", "output", "overhead"};
    _Static_assert(COUNT(names) == HWL_KIND_COUNT, "a name for each kind");
    return pick(names, COUNT(names), (unsigned)kind);
}

const char *hwl_component_name(hwl_component component)
{
    static const char *const names[] = {"attention", "ffn",    "experts", "shared_expert", "router", "norm",  "embedding", "output", "recurrent",
                                        "vision",    "audio",  "projector", "draft",       "lora",   "graph", "context",   "other"};
    _Static_assert(COUNT(names) == HWL_COMP_COUNT, "a name for each component");
    return pick(names, COUNT(names), (unsigned)component);
}

const char *hwl_basis_name(hwl_basis basis)
{
    static const char *const names[] = {"exact", "modelled", "measured"};
    return pick(names, COUNT(names), (unsigned)basis);
}

const char *hwl_memory_name(hwl_memory memory)
{
    static const char *const names[] = {"device", "pinned", "pageable", "repacked", "mapped"};
    return pick(names, COUNT(names), (unsigned)memory);
}

const char *hwl_verdict_name(hwl_verdict verdict)
{
    static const char *const names[] = {"fits", "tight", "exceeds"};
    return pick(names, COUNT(names), (unsigned)verdict);
}
