/* SPDX-License-Identifier: Apache-2.0 */
/* Names and components of tensor roles, from the one list in role.h. */
#include "arch/role.h"

#include <hwledger/plan.h>

#define NAME(id, name, component) [HWL_ROLE_##id] = (name),
#define COMPONENT(id, name, component) [HWL_ROLE_##id] = HWL_COMP_##component,

const char *hwl_role_name(enum hwl_role role)
{
    static const char *const names[] = {HWL_ROLES(NAME)};
    return (unsigned)role < HWL_ROLE_COUNT ? names[role] : "other";
}

uint8_t hwl_role_component(enum hwl_role role)
{
    static const uint8_t components[] = {HWL_ROLES(COMPONENT)};
    return (unsigned)role < HWL_ROLE_COUNT ? components[role] : (uint8_t)HWL_COMP_OTHER;
}
