/* SPDX-License-Identifier: Apache-2.0 */
/* A searchable list: rows are made only for what is in sight, so a catalogue of thousands opens at once. */
#include "gtk/item_list.h"

#include "gtk/ui.h"
#include "view/view.h"

struct list {
    GtkFilterListModel *filtered;
    GtkFilter *filter;
    GtkWidget *search; /* as long as the list */
    void (*chosen)(HwlModelItem *item, void *user);
    void *user;
};

static void setup(GtkSignalListItemFactory *factory, GtkListItem *row)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2), *name = hwl_ui_short_label("", ""), *detail = hwl_ui_short_label("", "dim small number");
    (void)factory;
    gtk_box_append(GTK_BOX(box), name);
    gtk_box_append(GTK_BOX(box), detail);
    gtk_widget_add_css_class(box, "control");
    gtk_list_item_set_child(row, box);
}

static void bind(GtkSignalListItemFactory *factory, GtkListItem *row)
{
    HwlModelItem *item = gtk_list_item_get_item(row);
    GtkWidget *box = gtk_list_item_get_child(row), *name = gtk_widget_get_first_child(box);
    char clean[1000];
    (void)factory;
    gtk_label_set_text(GTK_LABEL(name), hwl_view_clean(hwl_model_item_name(item), clean, sizeof clean));
    gtk_label_set_text(GTK_LABEL(gtk_widget_get_next_sibling(name)), hwl_model_item_detail(item));
    gtk_widget_set_visible(gtk_widget_get_next_sibling(name), *hwl_model_item_detail(item) != 0);
}

static gboolean matches(void *item, void *user)
{
    const struct list *l = user;
    return hwl_model_item_matches(item, gtk_editable_get_text(GTK_EDITABLE(l->search)));
}

static void searched(GtkWidget *search, GtkWidget *view)
{
    struct list *l = g_object_get_data(G_OBJECT(view), "hwl-list");
    (void)search;
    gtk_filter_changed(l->filter, GTK_FILTER_CHANGE_DIFFERENT);
}

static void activate(GtkListView *view, guint position, struct list *l)
{
    HwlModelItem *item = g_list_model_get_item(G_LIST_MODEL(gtk_list_view_get_model(view)), position);
    if (item)
        l->chosen(item, l->user);
    g_clear_object(&item);
}

/* Enter in the search field takes the first row, where the page is the one in sight. */
static void entered(GtkWidget *search, GtkWidget *view)
{
    (void)search;
    if (gtk_widget_get_mapped(view))
        activate(GTK_LIST_VIEW(view), 0, g_object_get_data(G_OBJECT(view), "hwl-list"));
}

/* The list is one stop for Tab, as every list; GTK 4.8 would go through its rows, hundreds of them. */
static gboolean tab(GtkEventControllerKey *keys, guint value, guint code, GdkModifierType state, GtkWidget *search)
{
    GtkRoot *root = gtk_widget_get_root(search);
    (void)keys;
    (void)code;
    if (!root || (value != GDK_KEY_Tab && value != GDK_KEY_ISO_Left_Tab) || (state & GDK_CONTROL_MASK))
        return FALSE;
    if (value == GDK_KEY_ISO_Left_Tab || (state & GDK_SHIFT_MASK))
        return gtk_widget_grab_focus(search);
    gtk_root_set_focus(root, NULL); /* it is the last: round to the first */
    return gtk_widget_child_focus(GTK_WIDGET(root), GTK_DIR_TAB_FORWARD);
}

GtkWidget *hwl_item_list_new(GListStore *items, GtkWidget *search, const char *name, void (*chosen)(HwlModelItem *item, void *user), void *user)
{
    struct list *l = g_new0(struct list, 1);
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    GtkWidget *scrolled = gtk_scrolled_window_new();
    l->search = search;
    l->chosen = chosen;
    l->user = user;
    l->filter = GTK_FILTER(gtk_custom_filter_new(matches, l, NULL));
    l->filtered = gtk_filter_list_model_new(G_LIST_MODEL(items), l->filter);
    GtkSingleSelection *selection = gtk_single_selection_new(G_LIST_MODEL(l->filtered));
    g_signal_connect(factory, "setup", G_CALLBACK(setup), NULL);
    g_signal_connect(factory, "bind", G_CALLBACK(bind), NULL);
    GtkWidget *view = gtk_list_view_new(GTK_SELECTION_MODEL(selection), factory);
    gtk_list_view_set_single_click_activate(GTK_LIST_VIEW(view), TRUE);
    hwl_ui_name(view, name);
    g_object_set_data_full(G_OBJECT(view), "hwl-list", l, g_free);
    g_signal_connect(view, "activate", G_CALLBACK(activate), l);
    GtkEventController *keys = gtk_event_controller_key_new();
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(tab), search);
    gtk_widget_add_controller(view, keys);
    g_signal_connect_object(search, "search-changed", G_CALLBACK(searched), view, 0);
    g_signal_connect_object(search, "activate", G_CALLBACK(entered), view, 0);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), view);
    gtk_widget_set_vexpand(scrolled, TRUE);
    return scrolled;
}

guint hwl_item_list_count(GtkWidget *list)
{
    GtkWidget *view = gtk_scrolled_window_get_child(GTK_SCROLLED_WINDOW(list));
    return g_list_model_get_n_items(G_LIST_MODEL(gtk_list_view_get_model(GTK_LIST_VIEW(view))));
}
