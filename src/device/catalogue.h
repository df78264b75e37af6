/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_DEVICE_CATALOGUE_H
#define HWL_DEVICE_CATALOGUE_H

#include <hwledger/device.h>

/* data/accelerators.csv as a table (tools/gen_accelerators.py). */
struct hwl_accelerator_row {
    hwl_accelerator a;
    const char *aliases; /* separated by |, may be "" */
};
extern const struct hwl_accelerator_row hwl_accelerator_rows[];
extern const uint32_t hwl_n_accelerator_rows;

#endif
