/* SPDX-License-Identifier: Apache-2.0 */
/* Every number opens. */
#include "gtk/explain_dialog.h"

#include "gtk/ui.h"
#include "view/view.h"

#include <adwaita.h>

static bool add_line(void *user, const struct hwl_view_line *line)
{
    GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    GtkWidget *top = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    char text[600], bytes[40], exact[40];
    GtkWidget *what = hwl_ui_label(line->what, ""), *size = hwl_ui_short_label(hwl_view_bytes(line->bytes, bytes, sizeof bytes), "number");
    gtk_widget_set_hexpand(what, TRUE);
    gtk_box_append(GTK_BOX(top), what);
    gtk_box_append(GTK_BOX(top), size);
    gtk_box_append(GTK_BOX(box), top);
    GtkWidget *formula = hwl_ui_label(line->formula, "number small");
    gtk_label_set_selectable(GTK_LABEL(formula), TRUE);
    gtk_widget_set_can_focus(formula, FALSE);
    gtk_box_append(GTK_BOX(box), formula);
    g_snprintf(text, sizeof text, "%s on %s, %s%s%s", line->n > 1 ? "each," : "", line->device, line->basis,
               line->entry->source ? "; " : "", line->entry->source ? line->entry->source : "");
    gtk_box_append(GTK_BOX(box), hwl_ui_label(g_strchug(text), "dim small"));
    gtk_widget_add_css_class(box, "control");
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
    g_snprintf(text, sizeof text, "%s, %s bytes, %s", line->what, hwl_count_text(line->bytes, exact, sizeof exact), line->formula);
    hwl_ui_name(row, text);
    gtk_list_box_append(GTK_LIST_BOX(user), row);
    return true;
}

void hwl_explain_show(GtkWindow *parent, HwlDesk *desk, const struct hwl_view_filter *filter, const char *title)
{
    const struct hwl_session *s = hwl_desk_session(desk);
    GtkWidget *content, *list = gtk_list_box_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    char text[128], bytes[40], exact[40];
    if (!s->plan)
        return;
    g_snprintf(text, sizeof text, "Where it comes from: %s", title);
    GtkWidget *window = hwl_ui_dialog(parent, text, 620, 520, &content, NULL);
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    gtk_widget_set_valign(list, GTK_ALIGN_START);
    hwl_ui_name(list, "Entries");
    const uint64_t total = hwl_view_explain(s->plan, filter, add_line, list);
    g_snprintf(text, sizeof text, "%s in all, %s bytes", hwl_view_bytes(total, bytes, sizeof bytes), hwl_count_text(total, exact, sizeof exact));
    gtk_box_append(GTK_BOX(box), hwl_ui_label(text, "heading number"));
    gtk_box_append(GTK_BOX(box), list);
    gtk_widget_add_css_class(box, "padded");
    gtk_box_append(GTK_BOX(content), hwl_ui_scrolled(box, 700));
    gtk_window_present(GTK_WINDOW(window));
}
