/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_GAUGE_H
#define HWL_GTK_GAUGE_H

#include "view/model.h"

#include <gtk/gtk.h>

/* How full the fullest device is: a level bar whose value is used bytes, exactly, so that a screen reader can read them. Past the limit the
 * bar stands for what is needed, and a line shows where the device ends. */
#define HWL_TYPE_GAUGE (hwl_gauge_get_type())
G_DECLARE_FINAL_TYPE(HwlGauge, hwl_gauge, HWL, GAUGE, GtkWidget)

GtkWidget *hwl_gauge_new(void);
void hwl_gauge_set(HwlGauge *gauge, const struct hwl_view_device *device);

#endif
