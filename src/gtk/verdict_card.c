/* SPDX-License-Identifier: Apache-2.0 */
/* The answer first: does it fit, how full, what is left, how far one can go. */
#include "gtk/cards.h"

#include "gtk/gauge.h"
#include "gtk/theme.h"
#include "gtk/ui.h"
#include "view/view.h"

#include <string.h>

struct verdict {
    HwlDesk *desk;
    GtkWidget *mark, *word, *detail, *percent, *gauge, *limits, *why, *figures;
};

static void show_limits(struct verdict *v)
{
    const struct hwl_extras *x = hwl_desk_extras(v->desk);
    char a[40], b[40], text[200] = "";
    if (hwl_desk_extras_fresh(v->desk) && x->has_limits && x->limits.max_context)
        g_snprintf(text, sizeof text, "Largest context %s tokens, or %s %s, with all else equal", hwl_count_text(x->limits.max_context, a, sizeof a),
                   hwl_count_text(x->limits.max_concurrency, b, sizeof b), x->limits.max_concurrency == 1 ? "sequence" : "sequences at once");
    else if (hwl_desk_extras_fresh(v->desk) && x->has_limits)
        g_strlcpy(text, "No context fits with all else equal", sizeof text);
    else
        g_strlcpy(text, "Looking for the largest context …", sizeof text);
    hwl_ui_set(v->limits, text);
}

static void show(struct verdict *v)
{
    const struct hwl_session *s = hwl_desk_session(v->desk);
    char text[1400];
    gtk_widget_set_visible(v->why, s->failed);
    if (s->failed) {
        hwl_ui_set(v->why, hwl_error_text(&s->error, text, sizeof text));
        hwl_ui_set(v->word, "No plan");
        hwl_ui_set(v->mark, "?");
        hwl_ui_set(v->detail, "The figures below are of the last plan.");
        hwl_theme_set_level(v->word, HWL_LEVEL_UNKNOWN);
        hwl_theme_set_level(v->mark, HWL_LEVEL_UNKNOWN);
        gtk_widget_add_css_class(v->figures, "stale");
        return;
    }
    gtk_widget_remove_css_class(v->figures, "stale");
    if (!s->plan)
        return;
    const struct hwl_view_model *view = &s->view;
    const struct hwl_view_device *d = &view->device[view->speaker];
    const char *word = hwl_view_level_word(view->level);
    char used[32], usable[40], left[40];
    g_snprintf(text, sizeof text, "%c%s", g_ascii_toupper(*word), word + 1);
    hwl_ui_set(v->word, text);
    static const char *const marks[HWL_LEVEL_COUNT] = {"✓", "!", "!!", "✕", "?"};
    hwl_ui_set(v->mark, marks[view->level]);
    hwl_theme_set_level(v->word, view->level);
    hwl_theme_set_level(v->mark, view->level);
    hwl_theme_set_level(v->percent, d->level);
    g_snprintf(text, sizeof text, d->usable == HWL_UNKNOWN ? "?" : "%u %%", d->percent);
    hwl_ui_set(v->percent, text);
    g_snprintf(text, sizeof text, "%s of %s on %s, %s %s", hwl_view_bytes(d->used, used, sizeof used),
               hwl_view_bytes(d->usable, usable, sizeof usable), d->id,
               hwl_view_bytes(d->missing ? d->missing : d->usable == HWL_UNKNOWN ? HWL_UNKNOWN : d->usable - d->used, left, sizeof left),
               d->missing ? "missing" : "left");
    hwl_ui_set(v->detail, text);
    hwl_gauge_set(HWL_GAUGE(v->gauge), d);
}

static void answer(HwlDesk *desk, GtkWidget *card)
{
    struct verdict *v = g_object_get_data(G_OBJECT(card), "hwl-verdict");
    (void)desk;
    show(v);
    show_limits(v);
}

static void extras(HwlDesk *desk, GtkWidget *card)
{
    (void)desk;
    show_limits(g_object_get_data(G_OBJECT(card), "hwl-verdict"));
}

GtkWidget *hwl_verdict_card_new(HwlDesk *desk)
{
    struct verdict *v = g_new0(struct verdict, 1);
    GtkWidget *box, *card = hwl_ui_card(NULL, &box);
    GtkWidget *top = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12), *words = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    v->desk = desk;
    v->mark = hwl_ui_short_label("?", "verdict-mark");
    v->word = hwl_ui_label("", "verdict-word");
    v->detail = hwl_ui_label("", "number");
    v->percent = hwl_ui_short_label("", "figure");
    v->gauge = hwl_gauge_new();
    v->limits = hwl_ui_label("", "dim number");
    v->why = hwl_ui_label("", "level-red");
    v->figures = gtk_box_new(GTK_ORIENTATION_VERTICAL, 8);
    gtk_label_set_ellipsize(GTK_LABEL(v->mark), PANGO_ELLIPSIZE_NONE);
    gtk_label_set_ellipsize(GTK_LABEL(v->percent), PANGO_ELLIPSIZE_NONE);
    gtk_label_set_xalign(GTK_LABEL(v->mark), 0.5f);
    gtk_widget_set_hexpand(words, TRUE);
    gtk_widget_set_valign(v->percent, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(words), v->word);
    gtk_box_append(GTK_BOX(words), v->detail);
    gtk_box_append(GTK_BOX(top), v->mark);
    gtk_box_append(GTK_BOX(top), words);
    gtk_box_append(GTK_BOX(top), v->percent);
    gtk_box_append(GTK_BOX(v->figures), v->gauge);
    gtk_box_append(GTK_BOX(v->figures), v->limits);
    gtk_box_append(GTK_BOX(box), top);
    gtk_box_append(GTK_BOX(box), v->why);
    gtk_box_append(GTK_BOX(box), v->figures);
    hwl_ui_name(card, "Verdict");
    g_object_set_data_full(G_OBJECT(card), "hwl-verdict", v, g_free);
    g_signal_connect_object(desk, "answer", G_CALLBACK(answer), card, 0);
    g_signal_connect_object(desk, "extras", G_CALLBACK(extras), card, 0);
    return card;
}
