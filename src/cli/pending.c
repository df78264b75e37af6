/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-ins for what the library does not have yet; weak, so that the real ones win as soon as they are linked. */
#include <hwledger/hwledger.h>

#include <stdio.h>

#define WEAK __attribute__((weak))

WEAK hwl_status hwl_model_open(const char *name, const hwl_open_options *options, hwl_model **out, hwl_error *error)
{
    (void)options, (void)out;
    if (error)
        (void)snprintf(error->message, sizeof error->message, "'%.200s': opening models is not in this version", name);
    return HWL_E_UNSUPPORTED;
}

WEAK const hwl_catalogue_model *hwl_catalogue_at(uint32_t index)
{
    (void)index;
    return NULL;
}

WEAK void hwl_model_free(hwl_model *model)
{
    (void)model;
}

WEAK void hwl_model_get_info(const hwl_model *model, hwl_model_info *out)
{
    (void)model;
    *out = (hwl_model_info){.name = "", .architecture = "", .source = "", .form = ""};
}

WEAK bool hwl_model_get_layer(const hwl_model *model, uint32_t index, hwl_layer_info *out)
{
    (void)model, (void)index, (void)out;
    return false;
}

WEAK bool hwl_model_get_type(const hwl_model *model, uint32_t index, const char **type, uint64_t *bytes)
{
    (void)model, (void)index, (void)type, (void)bytes;
    return false;
}

WEAK bool hwl_model_get_fact(const hwl_model *model, uint32_t index, hwl_fact *out)
{
    (void)model, (void)index, (void)out;
    return false;
}

WEAK const char *hwl_mixer_name(hwl_mixer mixer)
{
    (void)mixer;
    return "none";
}

WEAK const char *hwl_feed_forward_name(hwl_feed_forward feed_forward)
{
    (void)feed_forward;
    return "none";
}
