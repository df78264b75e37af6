/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_ROW_H
#define HWL_GTK_ROW_H

#include "gtk/desk.h"

#include <adwaita.h>

/* One control of the left pane: a row of a list that shows and changes one option. Freed with its widget. */
struct hwl_row {
    const struct hwl_control *control;
    HwlDesk *desk;     /* outlives the row */
    GtkWidget *widget; /* for the list box */
    void (*refresh)(struct hwl_row *row); /* from plan, settings and ranges */
    bool quiet;        /* the widget is being set: not the person's doing */
};

struct hwl_row *hwl_number_row_new(HwlDesk *desk, const struct hwl_control *control); /* numbers, bytes, shares */
struct hwl_row *hwl_choice_row_new(HwlDesk *desk, const struct hwl_control *control);
struct hwl_row *hwl_flag_row_new(HwlDesk *desk, const struct hwl_control *control);
struct hwl_row *hwl_row_of(GtkWidget *widget); /* the row that widget stands in, NULL none */
void hwl_row_attach(struct hwl_row *row);      /* binds its life to row->widget */
/* Jumps to the recommended value or the limit; false where the row has none. */
bool hwl_number_row_jump(struct hwl_row *row, bool limit);

#endif
