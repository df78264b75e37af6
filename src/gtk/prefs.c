/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered between runs. Nothing here is needed: what cannot be read or written is as if it were not there. */
#include "gtk/prefs.h"

#include <string.h>

static char *path_of(const char *name)
{
    char *dir = g_build_filename(g_get_user_state_dir(), "hwledger", NULL);
    (void)g_mkdir_with_parents(dir, 0700);
    char *path = g_build_filename(dir, name, NULL);
    g_free(dir);
    return path;
}

void hwl_prefs_save_last(const struct hwl_ask *ask)
{
    char *path = path_of("last.hwplan"), *text = hwl_ask_text(ask);
    (void)g_file_set_contents(path, text, -1, NULL);
    g_free(text);
    g_free(path);
}

struct hwl_ask *hwl_prefs_load_last(void)
{
    char *path = path_of("last.hwplan"), *text = NULL;
    gsize n = 0;
    hwl_error error;
    struct hwl_ask *ask = g_file_get_contents(path, &text, &n, NULL) ? hwl_ask_parse(text, n, &error) : NULL;
    g_free(text);
    g_free(path);
    return ask;
}

char **hwl_prefs_recent(void)
{
    char *path = path_of("recent"), *text = NULL;
    GPtrArray *list = g_ptr_array_new();
    if (g_file_get_contents(path, &text, NULL, NULL) && g_utf8_validate(text, -1, NULL)) {
        char **lines = g_strsplit(text, "\n", HWL_RECENT + 1);
        for (char **l = lines; *l && list->len < HWL_RECENT; l++)
            if (**l)
                g_ptr_array_add(list, g_strdup(*l));
        g_strfreev(lines);
    }
    g_free(text);
    g_free(path);
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

void hwl_prefs_add_recent(const char *model)
{
    char *path = path_of("recent"), **old = hwl_prefs_recent();
    GString *s = g_string_new(model);
    unsigned n = 1;
    if (!strchr(model, '\n')) {
        for (char **l = old; *l && n < HWL_RECENT; l++)
            if (strcmp(*l, model) != 0) {
                g_string_append_printf(s, "\n%s", *l);
                n++;
            }
        (void)g_file_set_contents(path, s->str, (gssize)s->len, NULL);
    }
    g_string_free(s, TRUE);
    g_strfreev(old);
    g_free(path);
}
