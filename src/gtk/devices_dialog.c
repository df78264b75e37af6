/* SPDX-License-Identifier: Apache-2.0 */
/* The chooser of devices: this machine's, any of the catalogue, any amount of memory; several of each; host memory. */
#include "gtk/dialogs.h"

#include "gtk/item_list.h"
#include "gtk/ui.h"
#include "view/view.h"

#include <string.h>

struct devices {
    HwlWindow *window;
    GtkWidget *dialog, *list, *detected, *ram, *custom, *message;
    GPtrArray *gpus; /* as in the question */
};

static void show(struct devices *d);

static void apply(struct devices *d)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    GPtrArray *lines = g_ptr_array_new();
    for (guint i = 0; i < d->gpus->len; i++)
        g_ptr_array_add(lines, g_ptr_array_index(d->gpus, i));
    g_ptr_array_add(lines, NULL);
    char *ram = g_strdup(gtk_editable_get_text(GTK_EDITABLE(d->ram)));
    g_strstrip(ram);
    const bool good = hwl_desk_set_devices(hwl_window_desk(d->window), gtk_switch_get_active(GTK_SWITCH(d->detected)),
                                           (const char *const *)lines->pdata, *ram ? ram : NULL, &error);
    hwl_ui_set(d->message, good ? "" : error.message);
    gtk_widget_set_visible(d->message, !good);
    if (!good) { /* what was added last is not there */
        const struct hwl_ask *ask = hwl_desk_session(hwl_window_desk(d->window))->ask;
        g_ptr_array_set_size(d->gpus, 0);
        for (guint i = 0; i < ask->gpus->len; i++)
            g_ptr_array_add(d->gpus, g_strdup(g_ptr_array_index(ask->gpus, i)));
    }
    g_ptr_array_unref(lines);
    g_free(ram);
    show(d);
}

static void removed(GtkButton *button, struct devices *d)
{
    const guint i = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(button), "hwl-index"));
    if (i < d->gpus->len)
        g_ptr_array_remove_index(d->gpus, i);
    apply(d);
}

static void one_more(GtkButton *button, struct devices *d)
{
    const guint i = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(button), "hwl-index"));
    if (i < d->gpus->len)
        g_ptr_array_insert(d->gpus, (int)i + 1, g_strdup(g_ptr_array_index(d->gpus, i)));
    apply(d);
}

static GtkWidget *small_button(struct devices *d, const char *icon, const char *name, guint index, GCallback run)
{
    GtkWidget *b = hwl_ui_icon_button(icon, name, NULL);
    gtk_widget_add_css_class(b, "flat");
    gtk_widget_set_valign(b, GTK_ALIGN_CENTER);
    g_object_set_data(G_OBJECT(b), "hwl-index", GUINT_TO_POINTER(index));
    g_signal_connect(b, "clicked", run, d);
    return b;
}

static void show(struct devices *d)
{
    char name[300];
    hwl_ui_clear(d->list);
    for (guint i = 0; i < d->gpus->len; i++) {
        const char *line = g_ptr_array_index(d->gpus, i), *value = strchr(line, '=');
        GtkWidget *row = adw_action_row_new();
        char *safe = g_markup_escape_text(value ? value + 1 : line, -1);
        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), safe);
        adw_action_row_set_subtitle(ADW_ACTION_ROW(row), g_str_has_prefix(line, "gpu-memory=") ? "a CUDA device of that memory" : "of the catalogue");
        g_snprintf(name, sizeof name, "One more %s", value ? value + 1 : line);
        adw_action_row_add_suffix(ADW_ACTION_ROW(row), small_button(d, "list-add-symbolic", name, i, G_CALLBACK(one_more)));
        g_snprintf(name, sizeof name, "Remove %s", value ? value + 1 : line);
        adw_action_row_add_suffix(ADW_ACTION_ROW(row), small_button(d, "list-remove-symbolic", name, i, G_CALLBACK(removed)));
        gtk_list_box_append(GTK_LIST_BOX(d->list), row);
        g_free(safe);
    }
    gtk_widget_set_visible(d->list, d->gpus->len > 0);
}

static void add_line(struct devices *d, const char *option, const char *value)
{
    g_ptr_array_add(d->gpus, g_strdup_printf("%s=%s", option, value));
    gtk_switch_set_active(GTK_SWITCH(d->detected), FALSE);
    apply(d);
}

static void chosen(HwlModelItem *item, void *user)
{
    add_line(user, "gpu", hwl_model_item_name(item));
}

static void custom(GtkWidget *entry, struct devices *d)
{
    char *text = g_strdup(gtk_editable_get_text(GTK_EDITABLE(d->custom)));
    (void)entry;
    g_strstrip(text);
    if (*text)
        add_line(d, "gpu-memory", text);
    g_free(text);
}

static void changed(struct devices *d)
{
    apply(d);
}

static GListStore *accelerators(void)
{
    GListStore *store = g_list_store_new(HWL_TYPE_MODEL_ITEM);
    const hwl_accelerator *a;
    char text[200], bytes[40];
    for (uint32_t i = 0; (a = hwl_accelerator_at(i)); i++) {
        g_snprintf(text, sizeof text, "%s, %s usable%s", a->vendor, hwl_view_bytes(a->usable_bytes, bytes, sizeof bytes),
                   a->driver_bytes == HWL_UNKNOWN ? ", estimated" : "");
        HwlModelItem *item = hwl_model_item_new(a->name, text, "");
        g_list_store_append(store, item);
        g_object_unref(item);
    }
    return store;
}

static GtkWidget *entry_row(const char *title, const char *subtitle, GtkWidget **entry)
{
    GtkWidget *row = adw_action_row_new();
    *entry = gtk_entry_new();
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    gtk_widget_set_valign(*entry, GTK_ALIGN_CENTER);
    gtk_editable_set_width_chars(GTK_EDITABLE(*entry), 12);
    hwl_ui_name(*entry, title);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), *entry);
    return row;
}

static GtkWidget *machine(struct devices *d, const struct hwl_session *s)
{
    GtkWidget *list = gtk_list_box_new(), *row = adw_action_row_new();
    char text[300], bytes[40], name[100];
    d->detected = gtk_switch_new();
    gtk_widget_set_valign(d->detected, GTK_ALIGN_CENTER);
    gtk_switch_set_active(GTK_SWITCH(d->detected), s->ask->detected);
    hwl_ui_name(d->detected, "This machine's GPUs");
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), "This machine's GPUs");
    if (hwl_devices_gpus(s->machine)) {
        const hwl_device *g = hwl_devices_get(s->machine, 0);
        g_snprintf(text, sizeof text, "%u found: %s, %s free", hwl_devices_gpus(s->machine), hwl_view_clean(g->name, name, sizeof name),
                   hwl_view_bytes(g->free_bytes, bytes, sizeof bytes));
    } else {
        g_strlcpy(text, "none was found", sizeof text);
    }
    char *safe = g_markup_escape_text(text, -1);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), safe);
    g_free(safe);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), d->detected);
    gtk_list_box_append(GTK_LIST_BOX(list), row);
    gtk_list_box_append(GTK_LIST_BOX(list), entry_row("Host memory", "empty: this machine's; 64G, or 64G/40G free", &d->ram));
    gtk_list_box_append(GTK_LIST_BOX(list), entry_row("Add by memory", "24G, 24G/20G free, 80Gi x 4 as 80Gix4", &d->custom));
    gtk_editable_set_text(GTK_EDITABLE(d->ram), s->ask->ram ? s->ask->ram : "");
    gtk_widget_add_css_class(list, "boxed-list");
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    g_signal_connect_swapped(d->detected, "notify::active", G_CALLBACK(changed), d);
    g_signal_connect_swapped(d->ram, "activate", G_CALLBACK(changed), d);
    g_signal_connect(d->custom, "activate", G_CALLBACK(custom), d);
    return list;
}

static void free_devices(void *data)
{
    struct devices *d = data;
    g_ptr_array_unref(d->gpus);
    g_free(d);
}

void hwl_devices_dialog_show(HwlWindow *window)
{
    struct devices *d = g_new0(struct devices, 1);
    const struct hwl_session *s = hwl_desk_session(hwl_window_desk(window));
    GtkWidget *content, *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12), *search = gtk_search_entry_new();
    d->window = window;
    d->gpus = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < s->ask->gpus->len; i++)
        g_ptr_array_add(d->gpus, g_strdup(g_ptr_array_index(s->ask->gpus, i)));
    d->dialog = hwl_ui_dialog(GTK_WINDOW(window), "Devices", 540, 640, &content, NULL);
    d->list = gtk_list_box_new();
    d->message = hwl_ui_label("", "level-red");
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(d->list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(d->list, "boxed-list");
    hwl_ui_name(d->list, "Chosen devices");
    hwl_ui_name(search, "Search accelerators");
    gtk_widget_set_visible(d->message, FALSE);
    gtk_box_append(GTK_BOX(box), machine(d, s));
    gtk_box_append(GTK_BOX(box), d->message);
    gtk_box_append(GTK_BOX(box), d->list);
    gtk_box_append(GTK_BOX(box), hwl_ui_label("Add from the catalogue", "heading"));
    gtk_box_append(GTK_BOX(box), search);
    gtk_box_append(GTK_BOX(box), hwl_item_list_new(accelerators(), search, "Accelerators", chosen, d));
    gtk_widget_add_css_class(box, "padded");
    gtk_widget_set_vexpand(box, TRUE);
    gtk_box_append(GTK_BOX(content), box);
    g_object_set_data_full(G_OBJECT(d->dialog), "hwl-devices", d, free_devices);
    show(d);
    gtk_widget_grab_focus(search);
    gtk_window_present(GTK_WINDOW(d->dialog));
}
