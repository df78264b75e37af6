/* SPDX-License-Identifier: Apache-2.0 */
/* A config.json through to the model. */
#include "fuzz.h"

#include <hwledger/hwledger.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hwl_model *model;
    hwl_error error;
    if (hwl_model_from_config((const char *)data, size, "fuzz", NULL, &model, &error) == HWL_OK)
        hwl_model_free(model);
    else if (!error.message[0])
        abort();
    return 0;
}
