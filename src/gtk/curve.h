/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_CURVE_H
#define HWL_GTK_CURVE_H

#include "view/charts.h"

#include <gtk/gtk.h>

/* Memory against context, the limit marked. A click on the curve asks for that context: "chosen" with tokens. */
#define HWL_TYPE_CURVE (hwl_curve_get_type())
G_DECLARE_FINAL_TYPE(HwlCurve, hwl_curve, HWL, CURVE, GtkWidget)

GtkWidget *hwl_curve_new(void);
void hwl_curve_set(HwlCurve *curve, const struct hwl_chart *chart); /* copied */

#endif
