/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_DEVICE_DEVICES_H
#define HWL_DEVICE_DEVICES_H

#include <hwledger/device.h>

#define HWL_MAX_GPUS 256

struct hwl_devices {
    uint32_t n_gpus;
    hwl_device gpu[HWL_MAX_GPUS];
    hwl_device host;
};

#endif
