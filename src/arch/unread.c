/* SPDX-License-Identifier: Apache-2.0 */
/* Weak: takes the place of the GGUF reader until it is there. The last file of the folder, so that the true one wins. */
#include "arch/readers.h"
#include "base/status.h"

__attribute__((weak)) hwl_status hwl_arch_from_gguf(const struct hwl_gguf *gguf, struct hwl_model *model, hwl_error *error)
{
    (void)gguf;
    (void)model;
    return hwl_fail(error, HWL_E_UNSUPPORTED, "GGUF models are not read yet");
}
