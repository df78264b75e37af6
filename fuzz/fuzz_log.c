/* SPDX-License-Identifier: Apache-2.0 */
/* A start-up log: read, opened and planned as far as it goes, written as JSON. */
#include "fuzz.h"

#include "log/internal.h"

#include <hwledger/hwledger.h>

#include <stdlib.h>

static void plan_with(hwl_log *log, const hwl_model *model)
{
    hwl_devices *devices;
    hwl_error error;
    if (hwl_log_devices(log, &devices, &error) == HWL_OK) {
        (void)hwl_log_plan(log, model, devices, &error);
        hwl_devices_free(devices);
    }
    (void)hwl_log_plan(log, model, NULL, &error); /* no card */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hwl_log *log;
    hwl_model *model;
    hwl_error error;
    char *text;
    uint64_t n;
    if (hwl_log_from_text((const char *)data, size, "fuzz", &log, &error) != HWL_OK) {
        if (!error.message[0])
            abort();
        return 0;
    }
    /* a path in the text must not send the fuzzer over the disk: the model of the log's metadata, or one that stands for all */
    if (hwl_log_model_of_metadata(log, NULL, &model, &error) == HWL_OK || hwl_model_open("llama-3.2-1b", NULL, &model, &error) == HWL_OK) {
        plan_with(log, model);
        hwl_model_free(model);
    }
    (void)hwl_log_plan(log, NULL, NULL, &error); /* what the log alone tells */
    if (hwl_log_json(log, &text, &n, &error) == HWL_OK)
        hwl_text_free(text);
    hwl_log_free(log);
    return 0;
}
