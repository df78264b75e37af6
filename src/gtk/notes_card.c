/* SPDX-License-Identifier: Apache-2.0 */
/* What the plan says beside its figures. */
#include "gtk/cards.h"

#include "gtk/ui.h"
#include "view/view.h"

static void answer(HwlDesk *desk, GtkWidget *card)
{
    GtkWidget *label = g_object_get_data(G_OBJECT(card), "hwl-notes");
    const struct hwl_session *s = hwl_desk_session(desk);
    const char *note;
    char clean[500];
    GString *text = g_string_new(NULL);
    for (uint32_t i = 0; s->plan && !s->failed && (note = hwl_plan_note(s->plan, i)); i++)
        g_string_append_printf(text, "%s%s", i ? "\n" : "", hwl_view_clean(note, clean, sizeof clean));
    gtk_widget_set_visible(card, text->len > 0);
    hwl_ui_set(label, text->str);
    g_string_free(text, TRUE);
}

GtkWidget *hwl_notes_card_new(HwlDesk *desk)
{
    GtkWidget *box, *card = hwl_ui_card("Notes", &box), *label = hwl_ui_label("", "dim");
    gtk_box_append(GTK_BOX(box), label);
    gtk_widget_set_visible(card, FALSE);
    g_object_set_data(G_OBJECT(card), "hwl-notes", label);
    g_signal_connect_object(desk, "answer", G_CALLBACK(answer), card, 0);
    return card;
}
