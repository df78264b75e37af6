/* SPDX-License-Identifier: Apache-2.0 */
/* Small pieces that every page uses. */
#include "gtk/ui.h"

#include "gtk/clamp.h"

#include <string.h>

static void add_classes(GtkWidget *widget, const char *classes)
{
    char **words = g_strsplit(classes ? classes : "", " ", -1);
    for (char **w = words; *w; w++)
        if (**w)
            gtk_widget_add_css_class(widget, *w);
    g_strfreev(words);
}

GtkWidget *hwl_ui_label(const char *text, const char *classes)
{
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    add_classes(label, classes);
    return label;
}

GtkWidget *hwl_ui_short_label(const char *text, const char *classes)
{
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    add_classes(label, classes);
    return label;
}

GtkWidget *hwl_ui_card(const char *heading, GtkWidget **box)
{
    GtkWidget *card = gtk_box_new(GTK_ORIENTATION_VERTICAL, 10);
    add_classes(card, "card padded");
    if (heading) {
        GtkWidget *title = hwl_ui_label(heading, "heading");
        gtk_box_append(GTK_BOX(card), title);
        hwl_ui_name(card, heading);
    }
    *box = card;
    return card;
}

GtkWidget *hwl_ui_icon_button(const char *icon, const char *name, const char *action)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon);
    gtk_widget_set_tooltip_text(button, name);
    hwl_ui_name(button, name);
    if (action)
        gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    return button;
}

GtkWidget *hwl_ui_scrolled(GtkWidget *child, int clamp)
{
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), hwl_clamp_new(child, clamp));
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_widget_set_hexpand(scrolled, TRUE);
    return scrolled;
}

void hwl_ui_name(void *widget, const char *name)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

void hwl_ui_describe(void *widget, const char *description)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, description, -1);
}

void hwl_ui_set(void *label, const char *text)
{
    if (strcmp(gtk_label_get_text(GTK_LABEL(label)), text) != 0)
        gtk_label_set_text(GTK_LABEL(label), text);
}

const char *hwl_ui_unbroken(const char *text, char *buf, gsize size)
{
    static const char *const units[] = {" %", " GiB", " MiB", " KiB", " TiB", " left", " missing"};
    gsize at = 0;
    while (*text && at + 3 < size) {
        bool unit = false;
        for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
            unit = unit || g_str_has_prefix(text, units[i]);
        if (unit) {
            memcpy(buf + at, "\xc2\xa0", 2);
            at += 2;
        } else {
            buf[at++] = *text;
        }
        text++;
    }
    buf[at] = 0;
    return buf;
}

void hwl_ui_clear(GtkWidget *box)
{
    GtkWidget *child;
    while ((child = gtk_widget_get_first_child(box))) {
        if (GTK_IS_LIST_BOX(box))
            gtk_list_box_remove(GTK_LIST_BOX(box), child);
        else if (GTK_IS_FLOW_BOX(box))
            gtk_flow_box_remove(GTK_FLOW_BOX(box), child);
        else
            gtk_widget_unparent(child);
    }
}

static gboolean escape(GtkWidget *widget, GVariant *args, gpointer user)
{
    (void)args;
    (void)user;
    gtk_window_close(GTK_WINDOW(widget));
    return TRUE;
}

GtkWidget *hwl_ui_dialog(GtkWindow *parent, const char *title, int width, int height, GtkWidget **content, GtkWidget **header)
{
    GtkWidget *window = adw_window_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *bar = adw_header_bar_new();
    GtkEventController *keys = gtk_shortcut_controller_new();
    gtk_window_set_title(GTK_WINDOW(window), title);
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_set_application(GTK_WINDOW(window), gtk_window_get_application(parent)); /* the program's keys work here too */
    gtk_window_set_modal(GTK_WINDOW(window), TRUE);
    gtk_window_set_default_size(GTK_WINDOW(window), width, height);
    gtk_box_append(GTK_BOX(box), bar);
    adw_window_set_content(ADW_WINDOW(window), box);
    gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(keys),
                                         gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                                                          gtk_callback_action_new(escape, NULL, NULL)));
    gtk_widget_add_controller(window, keys);
    *content = box;
    if (header)
        *header = bar;
    return window;
}
