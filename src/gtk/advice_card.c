/* SPDX-License-Identifier: Apache-2.0 */
/* What to change, each proved by a plan with it, with a button that does it. */
#include "gtk/cards.h"

#include "gtk/ui.h"

#include <string.h>

struct advice {
    HwlDesk *desk;
    GtkWidget *list, *none;
    uint64_t shown; /* generation of what the list shows, + 1 */
};

static GtkWidget *row_of(const struct hwl_view_advice *text, uint32_t index)
{
    GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *words = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2), *use = gtk_button_new_with_label("Use");
    char line[400], name[200];
    g_snprintf(line, sizeof line, "%c%s", g_ascii_toupper(*text->title), *text->title ? text->title + 1 : "");
    gtk_box_append(GTK_BOX(words), hwl_ui_label(line, "heading"));
    g_snprintf(line, sizeof line, "%s%s%s", text->gain, *text->gain && *text->result ? "; " : "", text->result);
    gtk_box_append(GTK_BOX(words), hwl_ui_label(line, "number"));
    if (*text->cost)
        gtk_box_append(GTK_BOX(words), hwl_ui_label(text->cost, "dim small"));
    gtk_widget_set_hexpand(words, TRUE);
    gtk_widget_set_valign(use, GTK_ALIGN_CENTER);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(use), "win.advice");
    gtk_actionable_set_action_target(GTK_ACTIONABLE(use), "u", index);
    g_snprintf(name, sizeof name, "Use: %s", text->title);
    hwl_ui_name(use, name);
    g_snprintf(name, sizeof name, "Alt+%u", index + 1);
    gtk_widget_set_tooltip_text(use, name);
    gtk_box_append(GTK_BOX(box), words);
    gtk_box_append(GTK_BOX(box), use);
    gtk_widget_add_css_class(box, "control");
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
    hwl_ui_name(row, text->sentence);
    return row;
}

static void follow(HwlDesk *desk, GtkWidget *card)
{
    struct advice *a = g_object_get_data(G_OBJECT(card), "hwl-advice");
    const struct hwl_extras *x = hwl_desk_extras(desk);
    const struct hwl_session *s = hwl_desk_session(desk);
    const bool fresh = hwl_desk_extras_fresh(desk) && x->has_advice;
    gtk_widget_set_sensitive(a->list, fresh);
    if (!fresh || a->shown == x->generation + 1)
        return;
    a->shown = x->generation + 1;
    hwl_ui_clear(a->list);
    for (uint32_t i = 0; i < x->n_advice; i++) {
        struct hwl_view_advice text;
        hwl_view_advice(&x->advice[i], s->ask->settings, &text);
        gtk_list_box_append(GTK_LIST_BOX(a->list), row_of(&text, i));
    }
    gtk_widget_set_visible(a->list, x->n_advice > 0);
    gtk_widget_set_visible(a->none, !x->n_advice);
    hwl_ui_set(a->none, s->view.level == HWL_LEVEL_OVER ? "Nothing that was tried makes this fit." : "Nothing to do: there is room.");
}

GtkWidget *hwl_advice_card_new(HwlDesk *desk)
{
    struct advice *a = g_new0(struct advice, 1);
    GtkWidget *box, *card = hwl_ui_card("Advice", &box);
    a->desk = desk;
    a->list = gtk_list_box_new();
    a->none = hwl_ui_label("", "dim");
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(a->list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(a->list, "plain");
    gtk_widget_set_visible(a->list, FALSE);
    hwl_ui_name(a->list, "Advice");
    gtk_box_append(GTK_BOX(box), a->list);
    gtk_box_append(GTK_BOX(box), a->none);
    g_object_set_data_full(G_OBJECT(card), "hwl-advice", a, g_free);
    g_signal_connect_object(desk, "answer", G_CALLBACK(follow), card, 0);
    g_signal_connect_object(desk, "extras", G_CALLBACK(follow), card, 0);
    return card;
}
