/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done from the keyboard and the menu. */
#include "gtk/window_actions.h"

#include "gtk/dialogs.h"
#include "gtk/row.h"
#include "gtk/ui.h"

#include <string.h>

#define EXAMPLE "llama-3.1-8b"

typedef void activate(GSimpleAction *action, GVariant *target, gpointer window);

static void model(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    hwl_model_dialog_show(window);
}

static void devices(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    hwl_devices_dialog_show(window);
}

static GtkWidget *find_engine_row(GtkWidget *widget)
{
    GtkWidget *row = g_object_get_data(G_OBJECT(widget), "hwl-engine-row");
    for (GtkWidget *c = gtk_widget_get_first_child(widget); c && !row; c = gtk_widget_get_next_sibling(c))
        row = find_engine_row(c);
    return row;
}

static void engine(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    GtkWidget *row = find_engine_row(window);
    if (row)
        (void)gtk_widget_grab_focus(row);
}

static void example(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    HwlDesk *desk = hwl_window_desk(window);
    struct hwl_ask *ask = hwl_ask_copy(hwl_desk_session(desk)->ask);
    ask->model = g_strdup(EXAMPLE);
    (void)hwl_settings_set(ask->settings, "engine", "llama.cpp", NULL);
    (void)hwl_settings_set(ask->settings, "quant", "Q4_K_M", NULL);
    (void)hwl_settings_set(ask->settings, "ctx", "16k", NULL);
    if (!hwl_devices_gpus(hwl_desk_session(desk)->machine))
        g_ptr_array_add(ask->gpus, g_strdup("gpu=RTX4060Ti16GB"));
    hwl_desk_open_ask(desk, ask);
}

static void undo(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    if (!hwl_desk_undo(hwl_window_desk(window)))
        hwl_window_toast(window, "Nothing to undo", NULL, NULL);
}

static void pin(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    struct hwl_session *s = hwl_desk_session(hwl_window_desk(window));
    if (hwl_session_pin(s))
        hwl_window_toast(window, "Put aside to compare", "Compare", "win.page-compare");
    else
        hwl_window_toast(window, "There is no plan to put aside", NULL, NULL);
}

static void export(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    hwl_export_dialog_show(window);
}

static void copy_command(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    char *text = hwl_ask_command(hwl_desk_session(hwl_window_desk(window))->ask, "");
    gdk_clipboard_set_text(gtk_widget_get_clipboard(window), text);
    g_free(text);
    hwl_window_toast(window, "Command copied", NULL, NULL);
}

static void opened(GtkNativeDialog *dialog, int response, gpointer window)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        GFile *file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        char *path = file ? g_file_get_path(file) : NULL;
        if (path)
            hwl_desk_open_file(hwl_window_desk(window), path);
        g_free(path);
        g_clear_object(&file);
    }
    g_object_unref(dialog);
}

static void choose(gpointer window, const char *title, GtkFileChooserAction what, const char *name, GCallback then)
{
    GtkFileChooserNative *d = gtk_file_chooser_native_new(title, window, what, NULL, NULL);
    if (name)
        gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(d), name);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(d), TRUE);
    g_signal_connect(d, "response", then, window);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(d));
}

static void open_file(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    choose(window, "Open a model or a plan", GTK_FILE_CHOOSER_ACTION_OPEN, NULL, G_CALLBACK(opened));
}

static void open_folder(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    choose(window, "Open a model's folder", GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, NULL, G_CALLBACK(opened));
}

static void saved(GtkNativeDialog *dialog, int response, gpointer window)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        GFile *file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        char *text = hwl_ask_text(hwl_desk_session(hwl_window_desk(window))->ask);
        GError *error = NULL;
        if (file && !g_file_replace_contents(file, text, strlen(text), NULL, FALSE, G_FILE_CREATE_NONE, NULL, NULL, &error)) {
            hwl_window_toast(window, error->message, NULL, NULL);
            g_error_free(error);
        }
        g_free(text);
        g_clear_object(&file);
    }
    g_object_unref(dialog);
}

static void save(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    choose(window, "Save the plan", GTK_FILE_CHOOSER_ACTION_SAVE, "plan.hwplan", G_CALLBACK(saved));
}

static void jump(gpointer window, bool limit)
{
    GtkWidget *focus = gtk_window_get_focus(window);
    struct hwl_row *row = focus ? hwl_row_of(focus) : NULL;
    if (!row || !hwl_number_row_jump(row, limit))
        hwl_window_toast(window, "Choose a slider that has such a mark first", NULL, NULL);
}

static void recommended(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    jump(window, false);
}

static void limit(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    jump(window, true);
}

static void advice(GSimpleAction *action, GVariant *target, gpointer window)
{
    HwlDesk *desk = hwl_window_desk(window);
    const struct hwl_extras *x = hwl_desk_extras(desk);
    const guint32 i = g_variant_get_uint32(target);
    (void)action;
    if (i >= x->n_advice || !hwl_desk_extras_fresh(desk) || !x->has_advice)
        return;
    const hwl_advice chosen = x->advice[i];
    hwl_desk_use(desk, &chosen);
    hwl_window_toast(window, "Advice used", "Undo", "win.undo");
}

static void page(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)target;
    hwl_window_show_page(window, g_action_get_name(G_ACTION(action)) + strlen("page-"));
}

static void probe(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    hwl_desk_reprobe(hwl_window_desk(window));
    hwl_window_toast(window, "Devices read again", NULL, NULL);
}

static void keys(GSimpleAction *action, GVariant *target, gpointer window);

static void about(GSimpleAction *action, GVariant *target, gpointer window)
{
    (void)action;
    (void)target;
    adw_show_about_window(window, "application-name", "hwLedger", "application-icon", "org.hwledger.Desktop", "version", HWLEDGER_VERSION,
                          "comments", "What a language model takes in memory, byte by byte, before it is loaded.", "license-type",
                          GTK_LICENSE_APACHE_2_0, NULL);
}

static const struct {
    const char *name, *target, *label, *keys[3];
    activate *run;
} rows[] = {
    {"open-file", NULL, "Open a file", {"<Control>o"}, open_file},
    {"open-folder", NULL, "Open a model's folder", {"<Control><Shift>o"}, open_folder},
    {"model", NULL, "Choose a model", {"<Control>m"}, model},
    {"devices", NULL, "Choose devices", {"<Control>d"}, devices},
    {"engine", NULL, "Choose an engine", {"<Control>e"}, engine},
    {"recommended", NULL, "Slider to the recommended value", {"<Control>r"}, recommended},
    {"limit", NULL, "Slider to the limit", {"<Control>l"}, limit},
    {"undo", NULL, "Undo", {"<Control>z"}, undo},
    {"pin", NULL, "Pin the plan to compare", {"<Control>p"}, pin},
    {"export", NULL, "Export", {"<Control><Shift>e"}, export},
    {"copy-command", NULL, "Copy the command line", {"<Control><Shift>c"}, copy_command},
    {"save", NULL, "Save the plan", {"<Control>s"}, save},
    {"page-plan", NULL, "Plan", {"<Alt>p", "<Control>1"}, page},
    {"page-charts", NULL, "Charts", {"<Control>2"}, page},
    {"page-compare", NULL, "Compare", {"<Control>3"}, page},
    {"page-monitor", NULL, "Monitor", {"<Control>4"}, page},
    {"probe", NULL, "Read this machine's devices again", {"F5"}, probe},
    {"keys", NULL, "Keys", {"F1", "<Control>question"}, keys},
    {"example", NULL, NULL, {NULL}, example},
    {"about", NULL, NULL, {NULL}, about},
    {"advice", "u", NULL, {NULL}, advice},
};

static void keys(GSimpleAction *action, GVariant *target, gpointer window)
{
    GtkWidget *content, *list = gtk_list_box_new();
    GtkWidget *dialog = hwl_ui_dialog(window, "Keys", 460, 560, &content, NULL);
    (void)action;
    (void)target;
    gtk_widget_add_css_class(list, "boxed-list");
    gtk_widget_set_valign(list, GTK_ALIGN_START);
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!rows[i].label)
            continue;
        GtkWidget *row = adw_action_row_new();
        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), rows[i].label);
        adw_action_row_add_suffix(ADW_ACTION_ROW(row), gtk_shortcut_label_new(rows[i].keys[0]));
        gtk_list_box_append(GTK_LIST_BOX(list), row);
    }
    const char *const more[][2] = {{"Slider: a step, a mark, to an end", "Left Right  Page_Up Page_Down  Home End"}, {"Use advice", "<Alt>1...5"}};
    for (int i = 0; i < 2; i++) {
        GtkWidget *row = adw_action_row_new();
        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), more[i][0]);
        if (i)
            adw_action_row_add_suffix(ADW_ACTION_ROW(row), gtk_shortcut_label_new(more[i][1]));
        else
            adw_action_row_set_subtitle(ADW_ACTION_ROW(row), "arrows; Page Up and Page Down; Home and End");
        gtk_list_box_append(GTK_LIST_BOX(list), row);
    }
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_widget_add_css_class(box, "padded");
    gtk_box_append(GTK_BOX(box), list);
    gtk_box_append(GTK_BOX(content), hwl_ui_scrolled(box, 560));
    gtk_window_present(GTK_WINDOW(dialog));
}

void hwl_window_add_actions(HwlWindow *window)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        GVariantType *type = rows[i].target ? g_variant_type_new(rows[i].target) : NULL;
        GSimpleAction *action = g_simple_action_new(rows[i].name, type);
        g_signal_connect(action, "activate", G_CALLBACK(rows[i].run), window);
        g_action_map_add_action(G_ACTION_MAP(window), G_ACTION(action));
        g_object_unref(action);
        if (type)
            g_variant_type_free(type);
    }
}

void hwl_app_add_keys(GtkApplication *app)
{
    char name[64], key[16];
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_snprintf(name, sizeof name, "win.%s", rows[i].name);
        if (rows[i].keys[0])
            gtk_application_set_accels_for_action(app, name, (const char *const *)rows[i].keys);
    }
    for (unsigned i = 0; i < HWL_ADVICE_MAX; i++) {
        g_snprintf(name, sizeof name, "win.advice(uint32 %u)", i);
        g_snprintf(key, sizeof key, "<Alt>%u", i + 1);
        gtk_application_set_accels_for_action(app, name, (const char *const[]){key, NULL});
    }
    gtk_application_set_accels_for_action(app, "app.quit", (const char *const[]){"<Control>q", NULL});
}

GMenu *hwl_window_menu(void)
{
    static const char *const names[] = {"open-file", "open-folder", "save", NULL, "pin", "export", "copy-command", NULL, "probe", "keys", NULL};
    GMenu *menu = g_menu_new(), *section = g_menu_new();
    char action[64];
    for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
        if (!names[n]) {
            g_menu_append_section(menu, NULL, G_MENU_MODEL(section));
            g_object_unref(section);
            section = g_menu_new();
            continue;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
            if (g_strcmp0(rows[i].name, names[n]) == 0) {
                g_snprintf(action, sizeof action, "win.%s", names[n]);
                g_menu_append(section, rows[i].label, action);
            }
    }
    g_menu_append(section, "About hwLedger", "win.about");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(section));
    g_object_unref(section);
    return menu;
}
