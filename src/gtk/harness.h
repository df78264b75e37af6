/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_HARNESS_H
#define HWL_GTK_HARNESS_H

#include "gtk/window.h"

/* For scripts: --bench N measures slider steps and the first frame, --shot FILE writes a picture of the window (--page, --size) and
 * leaves. Nothing happens where none of them is given. */
void hwl_harness_options(GApplication *app);
void hwl_harness_prepare(void); /* before anything is opened */
void hwl_harness_start(HwlWindow *window);

#endif
