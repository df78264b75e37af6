/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_SLIDER_H
#define HWL_GTK_SLIDER_H

#include <gtk/gtk.h>
#include <stdbool.h>

/* A GtkScale that shows how far one can go: a mark where the recommended value is, one at the limit, and hatching behind it. */
#define HWL_TYPE_SLIDER (hwl_slider_get_type())
G_DECLARE_FINAL_TYPE(HwlSlider, hwl_slider, HWL, SLIDER, GtkScale)

GtkWidget *hwl_slider_new(void);
/* Negative: none. falling: what lies below the limit does not fit. */
void hwl_slider_set_marks(HwlSlider *slider, double recommended, double limit, bool falling);

#endif
