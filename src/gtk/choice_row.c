/* SPDX-License-Identifier: Apache-2.0 */
/* A choice among words that the engine knows, and its own default. */
#include "gtk/row.h"

#include <string.h>

#define ENGINES_OWN "as the engine does"

struct choice_row {
    struct hwl_row row; /* first */
    GtkStringList *words;
    char engine[64]; /* whose words they are */
};

static const char *own(const struct hwl_control *c)
{
    return strcmp(c->option, "quant") == 0 ? "as stored" : ENGINES_OWN;
}

static void fill(struct choice_row *c, const char *engine)
{
    const char *word;
    if (strcmp(c->engine, engine) == 0)
        return;
    g_strlcpy(c->engine, engine, sizeof c->engine);
    gtk_string_list_splice(c->words, 0, g_list_model_get_n_items(G_LIST_MODEL(c->words)), NULL);
    gtk_string_list_append(c->words, own(c->row.control));
    for (uint32_t i = 0; (word = hwl_option_choice(engine, c->row.control->option, i)); i++)
        gtk_string_list_append(c->words, word);
}

/* A value that is set but not in the list (from a file or an advice) is added to it. */
static guint index_of(struct choice_row *c, const char *value)
{
    const guint n = g_list_model_get_n_items(G_LIST_MODEL(c->words));
    if (!*value)
        return 0;
    for (guint i = 1; i < n; i++)
        if (g_ascii_strcasecmp(gtk_string_list_get_string(c->words, i), value) == 0)
            return i;
    gtk_string_list_append(c->words, value);
    return n;
}

static void refresh(struct hwl_row *row)
{
    struct choice_row *c = (struct choice_row *)row;
    const struct hwl_session *s = hwl_desk_session(row->desk);
    char engine[64], value[64], in_force[96], text[160];
    row->quiet = true;
    fill(c, hwl_session_engine(s, engine, sizeof engine));
    (void)hwl_settings_get(s->ask->settings, row->control->option, value, sizeof value);
    adw_combo_row_set_selected(ADW_COMBO_ROW(row->widget), index_of(c, value));
    row->quiet = false;
    (void)hwl_view_control_value(row->control, s->plan, s->ask->settings, in_force, sizeof in_force);
    g_snprintf(text, sizeof text, !*value && *in_force ? "In force: %s" : "%s", !*value ? in_force : "");
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row->widget), text);
}

static void selected(GObject *object, GParamSpec *pspec, void *user)
{
    struct choice_row *c = user;
    (void)pspec;
    if (c->row.quiet)
        return;
    const guint i = adw_combo_row_get_selected(ADW_COMBO_ROW(object));
    if (i == GTK_INVALID_LIST_POSITION)
        return;
    hwl_session_settle(hwl_desk_session(c->row.desk));
    char *word = g_strdup(gtk_string_list_get_string(c->words, i));
    hwl_desk_set(c->row.desk, c->row.control->option, i ? word : NULL);
    g_free(word);
}

struct hwl_row *hwl_choice_row_new(HwlDesk *desk, const struct hwl_control *control)
{
    struct choice_row *c = g_new0(struct choice_row, 1);
    c->words = gtk_string_list_new(NULL);
    c->row = (struct hwl_row){.control = control, .desk = desk, .widget = adw_combo_row_new(), .refresh = refresh};
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(c->row.widget), control->label);
    adw_combo_row_set_model(ADW_COMBO_ROW(c->row.widget), G_LIST_MODEL(c->words));
    g_object_unref(c->words); /* the row holds it */
    g_signal_connect(c->row.widget, "notify::selected", G_CALLBACK(selected), c);
    hwl_row_attach(&c->row);
    return &c->row;
}
