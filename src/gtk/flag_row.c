/* SPDX-License-Identifier: Apache-2.0 */
/* A flag: the switch shows what is in force. */
#include "gtk/row.h"

#include "gtk/ui.h"

#include <string.h>

struct flag_row {
    struct hwl_row row; /* first */
    GtkWidget *button;
};

static void refresh(struct hwl_row *row)
{
    struct flag_row *f = (struct flag_row *)row;
    const struct hwl_session *s = hwl_desk_session(row->desk);
    char value[16];
    (void)hwl_view_control_value(row->control, s->plan, s->ask->settings, value, sizeof value);
    row->quiet = true;
    gtk_switch_set_active(GTK_SWITCH(f->button), strcmp(value, "true") == 0);
    row->quiet = false;
}

static void switched(GObject *object, GParamSpec *pspec, void *user)
{
    struct flag_row *f = user;
    (void)pspec;
    if (!f->row.quiet)
        hwl_desk_set(f->row.desk, f->row.control->option, gtk_switch_get_active(GTK_SWITCH(object)) ? "true" : "false");
}

struct hwl_row *hwl_flag_row_new(HwlDesk *desk, const struct hwl_control *control)
{
    struct flag_row *f = g_new0(struct flag_row, 1);
    f->row = (struct hwl_row){.control = control, .desk = desk, .widget = adw_action_row_new(), .refresh = refresh};
    f->button = gtk_switch_new();
    gtk_widget_set_valign(f->button, GTK_ALIGN_CENTER);
    hwl_ui_name(f->button, control->label);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(f->row.widget), control->label);
    adw_action_row_add_suffix(ADW_ACTION_ROW(f->row.widget), f->button);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(f->row.widget), f->button);
    g_signal_connect(f->button, "notify::active", G_CALLBACK(switched), f);
    hwl_row_attach(&f->row);
    return &f->row;
}
