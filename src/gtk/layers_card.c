/* SPDX-License-Identifier: Apache-2.0 */
/* The heatmap, what its chosen cell says, and what is of no layer. */
#include "gtk/cards.h"

#include "gtk/explain_dialog.h"
#include "gtk/heatmap.h"
#include "gtk/ui.h"
#include "view/view.h"

struct layers {
    HwlDesk *desk;
    GtkWidget *map, *cell, *rest;
};

static void answer(HwlDesk *desk, GtkWidget *card)
{
    struct layers *l = g_object_get_data(G_OBJECT(card), "hwl-layers");
    const struct hwl_session *s = hwl_desk_session(desk);
    char text[300], columns[120], a[40], b[40], legend[200];
    if (s->failed)
        gtk_widget_add_css_class(card, "stale");
    else
        gtk_widget_remove_css_class(card, "stale");
    if (!s->plan)
        return;
    /* a server's plan may have no bytes of single layers */
    gtk_widget_set_visible(card, s->view.n_columns > 0 && s->view.heat_max > 0);
    hwl_heatmap_set(HWL_HEATMAP(l->map), &s->view);
    g_snprintf(text, sizeof text, "%s. Of no layer: weights %s, other %s.%s",
               hwl_view_column_sentence(&s->view, columns, sizeof columns), hwl_view_bytes(s->view.rest.weights, a, sizeof a),
               hwl_view_bytes(s->view.rest.other, b, sizeof b), hwl_heatmap_legend(&s->view, legend, sizeof legend));
    hwl_ui_set(l->rest, text);
}

static void cell(GtkWidget *map, void *user)
{
    struct layers *l = user;
    uint32_t column;
    enum hwl_heat_row row;
    char text[300];
    if (hwl_heatmap_chosen(HWL_HEATMAP(map), &column, &row))
        hwl_ui_set(l->cell, hwl_view_cell_sentence(&hwl_desk_session(l->desk)->view, column, row, text, sizeof text));
}

static void opened(GtkWidget *map, void *user)
{
    struct layers *l = user;
    const struct hwl_session *s = hwl_desk_session(l->desk);
    struct hwl_view_filter filter = HWL_VIEW_ALL;
    uint32_t column;
    enum hwl_heat_row row;
    char title[80];
    if (!hwl_heatmap_chosen(HWL_HEATMAP(map), &column, &row))
        return;
    filter.row = (int32_t)row;
    filter.first_layer = (int32_t)s->view.column[column].first;
    filter.last_layer = (int32_t)s->view.column[column].last;
    g_snprintf(title, sizeof title, "%s of layer %d", hwl_view_heat_row(row), filter.first_layer);
    hwl_explain_show(GTK_WINDOW(gtk_widget_get_root(map)), l->desk, &filter, title);
}

GtkWidget *hwl_layers_card_new(HwlDesk *desk)
{
    struct layers *l = g_new0(struct layers, 1);
    GtkWidget *box, *card = hwl_ui_card("Layers", &box);
    l->desk = desk;
    l->map = hwl_heatmap_new();
    l->cell = hwl_ui_label("Point at a cell, or move with the arrow keys; Enter explains it.", "number");
    l->rest = hwl_ui_label("", "dim small number");
    gtk_box_append(GTK_BOX(box), l->map);
    gtk_box_append(GTK_BOX(box), l->cell);
    gtk_box_append(GTK_BOX(box), l->rest);
    g_signal_connect(l->map, "cell", G_CALLBACK(cell), l);
    g_signal_connect(l->map, "opened", G_CALLBACK(opened), l);
    g_object_set_data_full(G_OBJECT(card), "hwl-layers", l, g_free);
    g_signal_connect_object(desk, "answer", G_CALLBACK(answer), card, 0);
    return card;
}
