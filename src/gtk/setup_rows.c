/* SPDX-License-Identifier: Apache-2.0 */
/* Model, devices, engine, version. */
#include "gtk/setup_rows.h"

#include "gtk/ui.h"
#include "view/view.h"

#include <string.h>

struct setup {
    HwlDesk *desk;
    GtkWidget *model, *devices, *engine, *version;
    GtkStringList *engines, *versions;
    char versions_of[64];
    bool quiet;
};

const char *hwl_devices_words(const hwl_devices *devices, char *buf, gsize size)
{
    const uint32_t n = hwl_devices_gpus(devices);
    char bytes[40], name[100];
    gsize at = 0;
    *buf = 0;
    for (uint32_t i = 0, end; i < n && at < size; i = end) {
        const hwl_device *d = hwl_devices_get(devices, i);
        for (end = i + 1; end < n && strcmp(hwl_devices_get(devices, end)->name, d->name) == 0 &&
                          hwl_devices_get(devices, end)->memory_bytes == d->memory_bytes;)
            end++;
        at += (gsize)g_snprintf(buf + at, (gulong)(size - at), "%s", i ? ", " : "");
        if (end - i > 1 && at < size)
            at += (gsize)g_snprintf(buf + at, (gulong)(size - at), "%u × ", end - i);
        if (at < size)
            at += (gsize)g_snprintf(buf + at, (gulong)(size - at), "%s, %s", hwl_view_clean(d->name, name, sizeof name),
                                    hwl_view_bytes(d->memory_bytes, bytes, sizeof bytes));
    }
    if (!n)
        g_snprintf(buf, (gulong)size, "CPU alone, %s", hwl_view_bytes(hwl_devices_get(devices, 0)->memory_bytes, bytes, sizeof bytes));
    return buf;
}

static void model_row(struct setup *s)
{
    const struct hwl_session *session = hwl_desk_session(s->desk);
    hwl_model_info m;
    char text[512], params[32], bytes[40], name[300];
    if (!session->planner) {
        adw_action_row_set_subtitle(ADW_ACTION_ROW(s->model), "Choose a model");
        return;
    }
    hwl_model_get_info(session->planner->model->model, &m);
    g_snprintf(text, sizeof text, "%s\n%s, %u layers, %s", hwl_view_clean(m.name, name, sizeof name),
               hwl_view_params(m.parameters, params, sizeof params), m.n_layers, hwl_view_bytes(m.weights_bytes, bytes, sizeof bytes));
    char *safe = g_markup_escape_text(text, -1);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(s->model), safe);
    g_free(safe);
}

static void devices_row(struct setup *s)
{
    const struct hwl_session *session = hwl_desk_session(s->desk);
    char text[600], all[700];
    g_snprintf(all, sizeof all, "%s%s", hwl_devices_words(session->devices, text, sizeof text),
               session->ask->detected ? "\nfound on this machine" : "");
    char *safe = g_markup_escape_text(all, -1);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(s->devices), safe);
    g_free(safe);
}

static guint place_of(GtkStringList *list, const char *word)
{
    const guint n = g_list_model_get_n_items(G_LIST_MODEL(list));
    for (guint i = 1; *word && i < n; i++)
        if (strcmp(gtk_string_list_get_string(list, i), word) == 0)
            return i;
    return 0;
}

static void fill_versions(struct setup *s, const char *engine)
{
    const char *const *versions = NULL, *name;
    if (strcmp(engine, s->versions_of) == 0)
        return;
    g_strlcpy(s->versions_of, engine, sizeof s->versions_of);
    gtk_string_list_splice(s->versions, 0, g_list_model_get_n_items(G_LIST_MODEL(s->versions)), NULL);
    gtk_string_list_append(s->versions, "newest known");
    for (uint32_t i = 0; (name = hwl_engine_at(i, &versions)); i++)
        for (; strcmp(name, engine) == 0 && versions && *versions; versions++)
            gtk_string_list_append(s->versions, *versions);
}

static void refresh(struct setup *s)
{
    const struct hwl_session *session = hwl_desk_session(s->desk);
    char engine[64], set[64], text[120];
    s->quiet = true;
    model_row(s);
    devices_row(s);
    (void)hwl_session_engine(session, engine, sizeof engine);
    (void)hwl_settings_get(session->ask->settings, "engine", set, sizeof set);
    adw_combo_row_set_selected(ADW_COMBO_ROW(s->engine), place_of(s->engines, set));
    g_snprintf(text, sizeof text, !*set && *engine ? "In force: %s" : "%s", !*set ? engine : "");
    adw_action_row_set_subtitle(ADW_ACTION_ROW(s->engine), text);
    fill_versions(s, engine);
    (void)hwl_settings_get(session->ask->settings, "engine-version", set, sizeof set);
    adw_combo_row_set_selected(ADW_COMBO_ROW(s->version), place_of(s->versions, set));
    adw_action_row_set_subtitle(ADW_ACTION_ROW(s->version), session->plan && !*set ? hwl_plan_engine_version(session->plan) : "");
    s->quiet = false;
}

static void follow(HwlDesk *desk, GtkWidget *list)
{
    (void)desk;
    refresh(g_object_get_data(G_OBJECT(list), "hwl-setup"));
}

static void engine_chosen(GObject *row, GParamSpec *pspec, void *user)
{
    struct setup *s = user;
    (void)pspec;
    const guint i = adw_combo_row_get_selected(ADW_COMBO_ROW(row));
    if (!s->quiet && i != GTK_INVALID_LIST_POSITION)
        hwl_desk_set_engine(s->desk, i ? gtk_string_list_get_string(s->engines, i) : NULL);
}

static void version_chosen(GObject *row, GParamSpec *pspec, void *user)
{
    struct setup *s = user;
    (void)pspec;
    const guint i = adw_combo_row_get_selected(ADW_COMBO_ROW(row));
    if (!s->quiet && i != GTK_INVALID_LIST_POSITION)
        hwl_desk_set(s->desk, "engine-version", i ? gtk_string_list_get_string(s->versions, i) : NULL);
}

static GtkWidget *opener(const char *title, const char *icon, const char *action)
{
    GtkWidget *row = adw_action_row_new(), *next = gtk_image_new_from_icon_name("go-next-symbolic");
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_icon_name(ADW_ACTION_ROW(row), icon);
    adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 3);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), next);
    gtk_accessible_update_state(GTK_ACCESSIBLE(next), GTK_ACCESSIBLE_STATE_HIDDEN, TRUE, -1);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), TRUE);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(row), action);
    return row;
}

static GtkWidget *combo(const char *title, GtkStringList *words, GCallback chosen, struct setup *s)
{
    GtkWidget *row = adw_combo_row_new();
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_combo_row_set_model(ADW_COMBO_ROW(row), G_LIST_MODEL(words));
    g_signal_connect(row, "notify::selected", chosen, s);
    return row;
}

static void free_setup(void *data)
{
    struct setup *s = data;
    g_object_unref(s->engines);
    g_object_unref(s->versions);
    g_free(s);
}

void hwl_setup_rows_add(GtkWidget *list, HwlDesk *desk)
{
    struct setup *s = g_new0(struct setup, 1);
    const char *name;
    s->desk = desk;
    s->quiet = true;
    s->engines = gtk_string_list_new(NULL);
    s->versions = gtk_string_list_new(NULL);
    gtk_string_list_append(s->engines, "by the model");
    for (uint32_t i = 0; (name = hwl_engine_at(i, NULL)); i++)
        gtk_string_list_append(s->engines, name);
    s->model = opener("Model", "folder-symbolic", "win.model");
    s->devices = opener("Devices", "computer-symbolic", "win.devices");
    s->engine = combo("Engine", s->engines, G_CALLBACK(engine_chosen), s);
    s->version = combo("Version", s->versions, G_CALLBACK(version_chosen), s);
    gtk_list_box_append(GTK_LIST_BOX(list), s->model);
    gtk_list_box_append(GTK_LIST_BOX(list), s->devices);
    gtk_list_box_append(GTK_LIST_BOX(list), s->engine);
    gtk_list_box_append(GTK_LIST_BOX(list), s->version);
    g_object_set_data_full(G_OBJECT(list), "hwl-setup", s, free_setup);
    g_object_set_data(G_OBJECT(list), "hwl-engine-row", s->engine);
    g_signal_connect_object(desk, "answer", G_CALLBACK(follow), list, 0);
    g_signal_connect_object(desk, "question", G_CALLBACK(follow), list, 0);
    refresh(s);
}
