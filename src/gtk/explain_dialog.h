/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_EXPLAIN_DIALOG_H
#define HWL_GTK_EXPLAIN_DIALOG_H

#include "gtk/desk.h"
#include "view/explain.h"

#include <gtk/gtk.h>

/* Why a figure is what it is: rule, numbers, source and how sure, line by line. */
void hwl_explain_show(GtkWindow *parent, HwlDesk *desk, const struct hwl_view_filter *filter, const char *title);

#endif
