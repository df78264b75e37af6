/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_DIALOGS_H
#define HWL_GTK_DIALOGS_H

#include "gtk/window.h"

void hwl_model_dialog_show(HwlWindow *window);   /* recent, local stores, catalogue; with search */
void hwl_devices_dialog_show(HwlWindow *window); /* this machine's, the catalogue's, custom */
void hwl_export_dialog_show(HwlWindow *window);  /* preview, copy, save */

#endif
