/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger-desktop [FILE]: the planner in a window. */
#include "gtk/harness.h"
#include "gtk/prefs.h"
#include "gtk/theme.h"
#include "gtk/threads.h"
#include "gtk/window_actions.h"

#include <stdlib.h>
#include <unistd.h>

static void startup(GApplication *app, void *user)
{
    (void)user;
    hwl_harness_prepare();
    hwl_theme_start();
    hwl_app_add_keys(GTK_APPLICATION(app));
}

static HwlWindow *window_of(GApplication *app)
{
    GtkWindow *window = gtk_application_get_active_window(GTK_APPLICATION(app));
    while (window && !HWL_IS_WINDOW(window))
        window = gtk_window_get_transient_for(window);
    return window ? HWL_WINDOW(window) : hwl_window_new(ADW_APPLICATION(app));
}

static void activate(GApplication *app, void *user)
{
    HwlWindow *window = window_of(app);
    HwlDesk *desk = hwl_window_desk(window);
    (void)user;
    struct hwl_ask *last = hwl_desk_session(desk)->plan ? NULL : hwl_prefs_load_last();
    if (last)
        hwl_desk_open_ask(desk, last);
    gtk_window_present(GTK_WINDOW(window));
    hwl_harness_start(window);
}

static void open_files(GApplication *app, GFile **files, int n, const char *hint, void *user)
{
    HwlWindow *window = window_of(app);
    (void)hint;
    (void)user;
    for (int i = 0; i < n && i < 1; i++) {
        char *path = g_file_get_path(files[i]);
        if (path)
            hwl_desk_open_file(hwl_window_desk(window), path);
        g_free(path);
    }
    gtk_window_present(GTK_WINDOW(window));
    hwl_harness_start(window);
}

static void quit(GSimpleAction *action, GVariant *target, void *app)
{
    (void)action;
    (void)target;
    GList *windows = g_list_copy(gtk_application_get_windows(app));
    for (GList *l = windows; l; l = l->next)
        gtk_window_close(l->data); /* the planner's saves its plan */
    g_list_free(windows);
    g_application_quit(app);
}

int main(int argc, char **argv)
{
    static const GActionEntry entries[] = {{.name = "quit", .activate = quit}};
    AdwApplication *app = adw_application_new("org.hwledger.Desktop", G_APPLICATION_HANDLES_OPEN | G_APPLICATION_NON_UNIQUE);
    hwl_harness_options(G_APPLICATION(app));
    g_action_map_add_action_entries(G_ACTION_MAP(app), entries, G_N_ELEMENTS(entries), app);
    g_signal_connect(app, "startup", G_CALLBACK(startup), NULL);
    g_signal_connect(app, "activate", G_CALLBACK(activate), NULL);
    g_signal_connect(app, "open", G_CALLBACK(open_files), NULL);
    const int rc = g_application_run(G_APPLICATION(app), argc, argv);
    if (!hwl_threads_wait(5000))
        _exit(rc); /* a disk that does not answer: what it would hand over is nowhere any more */
    while (g_main_context_iteration(NULL, FALSE)) /* what threads have handed over */
        continue;
    g_object_unref(app);
    return rc;
}
