/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes are: a bar for every device (devices alike are one), and the classes with their totals and how they are known. */
#include "gtk/cards.h"

#include "gtk/bar.h"
#include "gtk/ends.h"
#include "gtk/explain_dialog.h"
#include "gtk/theme.h"
#include "gtk/ui.h"
#include "view/view.h"

#include <string.h>

struct device_line {
    GtkWidget *box, *name, *figures, *bar;
};

struct legend_item {
    GtkWidget *child, *swatch, *bytes, *how;
    uint32_t segment;
    char sentence[300];
};

struct memory {
    HwlDesk *desk;
    GtkWidget *devices, *legend;
    GArray *line; /* struct device_line */
    struct legend_item item[HWL_KIND_COUNT];
};

static void draw_swatch(GtkDrawingArea *area, cairo_t *cr, int width, int height, void *user)
{
    const struct legend_item *item = user;
    const struct hwl_palette *p = hwl_theme_palette();
    const GdkRGBA fill = hwl_theme_rgba(p->segment[item->segment]), ink = hwl_theme_rgba(p->on_segment[item->segment]);
    const char text[2] = {hwl_view_segment_letter(item->segment), 0};
    PangoLayout *layout = gtk_widget_create_pango_layout(GTK_WIDGET(area), text);
    int w, h;
    pango_layout_get_pixel_size(layout, &w, &h);
    gdk_cairo_set_source_rgba(cr, &fill);
    cairo_rectangle(cr, 0, 0, width, height);
    cairo_fill(cr);
    gdk_cairo_set_source_rgba(cr, &ink);
    cairo_move_to(cr, (width - w) / 2.0, (height - h) / 2.0);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
}

static struct device_line add_line(struct memory *m)
{
    struct device_line l;
    l.box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    l.name = hwl_ui_label("", "");
    l.figures = hwl_ui_short_label("", "number");
    l.bar = hwl_bar_new();
    gtk_label_set_ellipsize(GTK_LABEL(l.figures), PANGO_ELLIPSIZE_NONE);
    gtk_box_append(GTK_BOX(l.box), hwl_ends_new(l.name, l.figures));
    gtk_box_append(GTK_BOX(l.box), l.bar);
    gtk_box_append(GTK_BOX(m->devices), l.box);
    g_array_append_val(m->line, l);
    return l;
}

static void show_line(const struct device_line *l, const struct hwl_view_device *d)
{
    char text[200], used[32], usable[40];
    g_snprintf(text, sizeof text, "%s  %s%s", d->id, d->name, d->end - d->first > 1 ? ", each" : "");
    hwl_ui_set(l->name, text);
    g_snprintf(text, sizeof text, "%s of %s · %u %% %s", hwl_view_bytes(d->used, used, sizeof used), hwl_view_bytes(d->usable, usable, sizeof usable),
               d->percent, hwl_view_level_mark(d->level));
    hwl_ui_set(l->figures, text);
    hwl_theme_set_level(l->figures, d->level == HWL_LEVEL_GREEN ? HWL_LEVEL_UNKNOWN : d->level);
    hwl_bar_set(HWL_BAR(l->bar), d, 0);
    gtk_widget_set_visible(l->box, TRUE);
}

static void show_item(struct legend_item *item, const hwl_plan *plan)
{
    char text[64], exact[40], sentence[sizeof item->sentence], bytes[40];
    hwl_basis basis;
    double error;
    const hwl_kind kind = (hwl_kind)item->segment;
    const bool any = hwl_view_basis(plan, kind, &basis, &error);
    const uint64_t total = hwl_plan_total(plan, kind);
    gtk_widget_set_visible(item->child, any);
    if (!any)
        return;
    hwl_ui_set(item->bytes, hwl_view_bytes(total, bytes, sizeof bytes));
    if (error > 0)
        g_snprintf(text, sizeof text, "%s, within %.3g %%", hwl_basis_name(basis), error * 100);
    else
        g_strlcpy(text, hwl_basis_name(basis), sizeof text);
    hwl_ui_set(item->how, text);
    g_snprintf(sentence, sizeof sentence, "%s, %s bytes, %s, %s", hwl_view_segment_label(item->segment),
               hwl_count_text(total, exact, sizeof exact), bytes, text);
    if (strcmp(item->sentence, sentence) != 0) {
        g_strlcpy(item->sentence, sentence, sizeof item->sentence);
        hwl_ui_name(item->child, sentence);
    }
}

/* Asked for when it is shown: GTK asks the display where the pointer is each time that a tooltip's text is set. */
static gboolean tooltip(GtkWidget *child, int x, int y, gboolean keyboard, GtkTooltip *tip, struct legend_item *item)
{
    (void)child;
    (void)x;
    (void)y;
    (void)keyboard;
    gtk_tooltip_set_text(tip, item->sentence);
    return TRUE;
}

static void answer(HwlDesk *desk, GtkWidget *card)
{
    struct memory *m = g_object_get_data(G_OBJECT(card), "hwl-memory");
    const struct hwl_session *s = hwl_desk_session(desk);
    guint n = 0;
    if (s->failed)
        gtk_widget_add_css_class(card, "stale");
    else
        gtk_widget_remove_css_class(card, "stale");
    if (!s->plan || s->failed)
        return;
    for (uint32_t i = 0; i < s->view.n_devices; i++) {
        const struct hwl_view_device *d = &s->view.device[i];
        if (d->idle && d->host)
            continue;
        const struct device_line l = n < m->line->len ? g_array_index(m->line, struct device_line, n) : add_line(m);
        show_line(&l, d);
        n++;
    }
    for (; n < m->line->len; n++)
        gtk_widget_set_visible(g_array_index(m->line, struct device_line, n).box, FALSE);
    for (uint32_t k = 0; k < HWL_KIND_COUNT; k++)
        show_item(&m->item[k], s->plan);
}

static void highlight(struct memory *m, int segment)
{
    for (guint i = 0; i < m->line->len; i++)
        hwl_bar_highlight(HWL_BAR(g_array_index(m->line, struct device_line, i).bar), segment);
}

static void selected(GtkFlowBox *legend, void *user)
{
    struct memory *m = user;
    GList *list = gtk_flow_box_get_selected_children(legend);
    highlight(m, list ? GPOINTER_TO_INT(g_object_get_data(list->data, "hwl-segment")) : -1);
    g_list_free(list);
}

static void activated(GtkFlowBox *legend, GtkFlowBoxChild *child, void *user)
{
    struct memory *m = user;
    struct hwl_view_filter filter = HWL_VIEW_ALL;
    filter.kind = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(child), "hwl-segment"));
    hwl_explain_show(GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(legend))), m->desk, &filter,
                     hwl_view_segment_label((uint32_t)filter.kind));
}

/* F2 explains what is selected, as everywhere. */
static gboolean explain(GtkWidget *legend, GVariant *args, gpointer user)
{
    GList *list = gtk_flow_box_get_selected_children(GTK_FLOW_BOX(legend));
    GtkWidget *focus = gtk_widget_get_focus_child(legend);
    (void)args;
    if (focus || list)
        activated(GTK_FLOW_BOX(legend), focus ? GTK_FLOW_BOX_CHILD(focus) : list->data, user);
    const gboolean done = focus || list;
    g_list_free(list);
    return done;
}

static void add_item(struct memory *m, uint32_t segment)
{
    struct legend_item *item = &m->item[segment];
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8), *words = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *top = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8), *label = hwl_ui_short_label(hwl_view_segment_label(segment), "");
    item->segment = segment;
    item->child = gtk_flow_box_child_new();
    item->swatch = gtk_drawing_area_new();
    item->bytes = hwl_ui_short_label("", "number");
    item->how = hwl_ui_short_label("", "dim small");
    gtk_widget_set_size_request(item->swatch, 24, 24);
    gtk_widget_set_valign(item->swatch, GTK_ALIGN_CENTER);
    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(item->swatch), draw_swatch, item, NULL);
    hwl_theme_watch(item->swatch);
    gtk_widget_set_hexpand(label, TRUE);
    gtk_widget_set_hexpand(words, TRUE);
    gtk_box_append(GTK_BOX(top), label);
    gtk_box_append(GTK_BOX(top), item->bytes);
    gtk_box_append(GTK_BOX(words), top);
    gtk_box_append(GTK_BOX(words), item->how);
    gtk_box_append(GTK_BOX(box), item->swatch);
    gtk_box_append(GTK_BOX(box), words);
    gtk_widget_add_css_class(box, "legend-item");
    gtk_widget_set_has_tooltip(item->child, TRUE);
    g_signal_connect(item->child, "query-tooltip", G_CALLBACK(tooltip), item);
    gtk_flow_box_child_set_child(GTK_FLOW_BOX_CHILD(item->child), box);
    g_object_set_data(G_OBJECT(item->child), "hwl-segment", GINT_TO_POINTER((int)segment));
    gtk_flow_box_insert(GTK_FLOW_BOX(m->legend), item->child, -1);
}

static void free_memory(void *data)
{
    struct memory *m = data;
    g_array_unref(m->line);
    g_free(m);
}

GtkWidget *hwl_memory_card_new(HwlDesk *desk)
{
    struct memory *m = g_new0(struct memory, 1);
    GtkWidget *box, *card = hwl_ui_card("Memory", &box);
    m->desk = desk;
    m->line = g_array_new(FALSE, TRUE, sizeof(struct device_line));
    m->devices = gtk_box_new(GTK_ORIENTATION_VERTICAL, 10);
    m->legend = gtk_flow_box_new();
    gtk_flow_box_set_max_children_per_line(GTK_FLOW_BOX(m->legend), 3);
    gtk_flow_box_set_homogeneous(GTK_FLOW_BOX(m->legend), TRUE);
    gtk_flow_box_set_activate_on_single_click(GTK_FLOW_BOX(m->legend), FALSE);
    gtk_widget_add_css_class(m->legend, "legend");
    hwl_ui_name(m->legend, "Classes of memory, Enter explains one");
    for (uint32_t k = 0; k < HWL_KIND_COUNT; k++)
        add_item(m, k);
    GtkEventController *keys = gtk_shortcut_controller_new();
    gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(keys), gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_F2, 0),
                                                                                         gtk_callback_action_new(explain, m, NULL)));
    gtk_widget_add_controller(m->legend, keys);
    gtk_box_append(GTK_BOX(box), m->devices);
    gtk_box_append(GTK_BOX(box), m->legend);
    g_signal_connect(m->legend, "selected-children-changed", G_CALLBACK(selected), m);
    g_signal_connect(m->legend, "child-activated", G_CALLBACK(activated), m);
    g_object_set_data_full(G_OBJECT(card), "hwl-memory", m, free_memory);
    g_signal_connect_object(desk, "answer", G_CALLBACK(answer), card, 0);
    return card;
}
