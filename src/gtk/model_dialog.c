/* SPDX-License-Identifier: Apache-2.0 */
/* The chooser of models: recent ones, those in the stores of this machine, the catalogue; files and folders by their own button. */
#include "gtk/dialogs.h"

#include "gtk/item_list.h"
#include "gtk/prefs.h"
#include "gtk/threads.h"
#include "gtk/ui.h"
#include "view/stores.h"
#include "view/view.h"

struct chooser {
    HwlWindow *window;
    GtkWidget *dialog, *stack;
    GListStore *local;
};

static void chosen(HwlModelItem *item, void *user)
{
    struct chooser *c = user;
    hwl_desk_open(hwl_window_desk(c->window), hwl_model_item_name(item));
    gtk_window_close(GTK_WINDOW(c->dialog));
}

static GListStore *recent(void)
{
    GListStore *store = g_list_store_new(HWL_TYPE_MODEL_ITEM);
    char **names = hwl_prefs_recent();
    for (char **n = names; *n; n++) {
        HwlModelItem *item = hwl_model_item_new(*n, "", "");
        g_list_store_append(store, item);
        g_object_unref(item);
    }
    g_strfreev(names);
    return store;
}

static GListStore *catalogue(void)
{
    GListStore *store = g_list_store_new(HWL_TYPE_MODEL_ITEM);
    const hwl_catalogue_model *m;
    char text[300], params[32];
    for (uint32_t i = 0; (m = hwl_catalogue_at(i)); i++) {
        g_snprintf(text, sizeof text, "%s%s%s", m->parameters ? hwl_view_params(m->parameters, params, sizeof params) : "",
                   m->parameters ? " parameters, " : "", m->id);
        HwlModelItem *item = hwl_model_item_new(m->name, text, m->aliases);
        g_list_store_append(store, item);
        g_object_unref(item);
    }
    return store;
}

static bool found(void *user, const hwl_local_model *m)
{
    char text[4400], bytes[40];
    g_snprintf(text, sizeof text, "%s, %s, %s  %s", m->store, m->format, hwl_view_bytes(m->bytes, bytes, sizeof bytes), m->path);
    g_ptr_array_add(user, hwl_model_item_new(m->name, text, ""));
    return true;
}

/* Stores may lie on slow disks: they are read beside the window. */
static void look(GTask *task, void *source, void *data, GCancellable *cancellable)
{
    struct hwl_view_stores stores;
    GPtrArray *items = g_ptr_array_new_with_free_func(g_object_unref);
    (void)source;
    (void)data;
    (void)cancellable;
    hwl_view_stores(&stores);
    (void)hwl_local_list(&stores.options, found, items, NULL);
    g_task_return_pointer(task, items, (GDestroyNotify)g_ptr_array_unref);
}

static void looked(GObject *source, GAsyncResult *result, void *user)
{
    GPtrArray *items = g_task_propagate_pointer(G_TASK(result), NULL);
    (void)user;
    for (guint i = 0; items && i < items->len; i++)
        g_list_store_append(G_LIST_STORE(source), g_ptr_array_index(items, i));
    if (items)
        g_ptr_array_unref(items);
}

static void close_then(GtkButton *button, struct chooser *c)
{
    HwlWindow *window = c->window;
    char *action = g_strdup(g_object_get_data(G_OBJECT(button), "hwl-action"));
    gtk_window_close(GTK_WINDOW(c->dialog));
    gtk_widget_activate_action(GTK_WIDGET(window), action, NULL);
    g_free(action);
}

static GtkWidget *opener(struct chooser *c, const char *icon, const char *name, const char *action)
{
    GtkWidget *b = hwl_ui_icon_button(icon, name, NULL);
    g_object_set_data(G_OBJECT(b), "hwl-action", (void *)action);
    g_signal_connect(b, "clicked", G_CALLBACK(close_then), c);
    return b;
}

/* A search that finds nothing on this page goes on to the one where it does. */
static void searched(GtkWidget *search, struct chooser *c)
{
    static const char *const pages[] = {"recent", "local", "catalogue"};
    (void)search;
    if (hwl_item_list_count(adw_view_stack_get_visible_child(ADW_VIEW_STACK(c->stack))))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++)
        if (hwl_item_list_count(adw_view_stack_get_child_by_name(ADW_VIEW_STACK(c->stack), pages[i]))) {
            adw_view_stack_set_visible_child_name(ADW_VIEW_STACK(c->stack), pages[i]);
            return;
        }
}

static void add(GtkWidget *stack, struct chooser *c, GtkWidget *search, GListStore *items, const char *name, const char *title, const char *icon)
{
    GtkWidget *list = hwl_item_list_new(items, search, title, chosen, c);
    AdwViewStackPage *page = adw_view_stack_add_titled(ADW_VIEW_STACK(stack), list, name, title);
    adw_view_stack_page_set_icon_name(page, icon);
}

void hwl_model_dialog_show(HwlWindow *window)
{
    struct chooser *c = g_new0(struct chooser, 1);
    GtkWidget *content, *bar, *stack = adw_view_stack_new(), *switcher = adw_view_switcher_new(), *search = gtk_search_entry_new();
    c->window = window;
    c->dialog = hwl_ui_dialog(GTK_WINDOW(window), "Choose a model", 560, 600, &content, &bar);
    c->local = g_list_store_new(HWL_TYPE_MODEL_ITEM);
    GListStore *old = recent(), *known = catalogue();
    const bool any = g_list_model_get_n_items(G_LIST_MODEL(old)) > 0;
    g_object_set_data_full(G_OBJECT(c->dialog), "hwl-chooser", c, g_free);
    add(stack, c, search, old, "recent", "Recent", "document-open-recent-symbolic");
    add(stack, c, search, c->local, "local", "On this machine", "drive-harddisk-symbolic");
    add(stack, c, search, known, "catalogue", "Catalogue", "view-list-symbolic");
    adw_view_stack_set_visible_child_name(ADW_VIEW_STACK(stack), any ? "recent" : "catalogue");
    adw_view_switcher_set_stack(ADW_VIEW_SWITCHER(switcher), ADW_VIEW_STACK(stack));
    adw_view_switcher_set_policy(ADW_VIEW_SWITCHER(switcher), ADW_VIEW_SWITCHER_POLICY_WIDE);
    gtk_widget_set_halign(switcher, GTK_ALIGN_CENTER);
    adw_header_bar_pack_start(ADW_HEADER_BAR(bar), opener(c, "document-open-symbolic", "Open a file", "win.open-file"));
    adw_header_bar_pack_start(ADW_HEADER_BAR(bar), opener(c, "folder-open-symbolic", "Open a folder", "win.open-folder"));
    gtk_widget_set_margin_start(search, 12);
    gtk_widget_set_margin_end(search, 12);
    gtk_widget_set_margin_bottom(search, 6);
    hwl_ui_name(search, "Search models");
    gtk_box_append(GTK_BOX(content), search);
    gtk_box_append(GTK_BOX(content), switcher);
    gtk_box_append(GTK_BOX(content), stack);
    c->stack = stack;
    g_signal_connect(search, "search-changed", G_CALLBACK(searched), c); /* behind the lists' own */
    gtk_widget_grab_focus(search);
    GTask *task = g_task_new(c->local, NULL, looked, NULL);
    hwl_threads_run(task, look);
    g_object_unref(task);
    gtk_window_present(GTK_WINDOW(c->dialog));
}
