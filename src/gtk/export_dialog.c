/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as text for elsewhere: seen before it is copied or saved. */
#include "gtk/dialogs.h"

#include "gtk/ui.h"
#include "view/report.h"

#include <stdio.h>
#include <string.h>

enum format { JSON, COMMAND, ENGINE, HTML, SVG, PLAN, N_FORMATS };

static const struct {
    const char *label, *file;
} formats[N_FORMATS] = {
    [JSON] = {"JSON document", "plan.json"},     [COMMAND] = {"Command line", "plan.sh"},
    [ENGINE] = {"Engine's command line", "engine.sh"}, [HTML] = {"Web page", "plan.html"},
    [SVG] = {"Picture (SVG)", "plan.svg"},       [PLAN] = {"Plan file", "plan.hwplan"},
};

struct export {
    HwlWindow *window;
    GtkWidget *dialog, *view;
    char *text; /* whole; the preview may be cut */
    enum format format;
};

#define PREVIEW_MAX 200000

static char *json(HwlDesk *desk)
{
    const struct hwl_session *s = hwl_desk_session(desk);
    const struct hwl_extras *x = hwl_desk_extras(desk);
    hwl_limits limits;
    char *text = NULL, *copy;
    uint64_t n = 0;
    const bool fresh = hwl_desk_extras_fresh(desk), known = fresh && x->has_limits;
    const bool found = known || hwl_planner_limits(s->planner->planner, s->devices, s->ask->settings, &limits, NULL) == HWL_OK;
    struct hwl_view_request r = {.word = NULL};
    hwl_ask_request(s->ask, &r);
    const bool good = hwl_plan_json_asked(s->plan, known ? &x->limits : found ? &limits : NULL, fresh && x->has_advice ? x->advice : NULL,
                                          fresh && x->has_advice && s->view.level == HWL_LEVEL_OVER ? x->n_advice : 0, (const char *const *)r.word,
                                          r.failed ? 0 : r.n, &text, &n, NULL) == HWL_OK;
    hwl_view_request_free(&r);
    if (!good)
        return g_strdup("");
    copy = g_strndup(text, (gsize)n);
    hwl_text_free(text);
    return copy;
}

/* The report writers want a stream. */
static char *report(HwlDesk *desk, bool page)
{
    struct hwl_session *s = hwl_desk_session(desk);
    const struct hwl_extras *x = hwl_desk_extras(desk);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return g_strdup("");
    if (page) {
        const bool fresh = hwl_desk_extras_fresh(desk);
        const struct hwl_view_report r = {&s->view, fresh && x->has_limits ? &x->limits : NULL, fresh ? x->advice : NULL,
                                          fresh && x->has_advice ? x->n_advice : 0, s->ask->settings};
        hwl_view_html(out, &r);
    } else {
        hwl_view_svg(out, &s->view);
    }
    const bool good = fclose(out) == 0;
    char *copy = g_strndup(good && text ? text : "", good ? n : 0);
    free(text);
    return copy;
}

/* What the engine itself would be started with; the reason where it has no command line. */
static char *engine_line(HwlDesk *desk)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    char *text = NULL, *copy, message[1200];
    if (hwl_plan_command(hwl_desk_session(desk)->plan, &text, &error) != HWL_OK)
        return g_strdup_printf("# %s", hwl_error_text(&error, message, sizeof message));
    copy = g_strdup(text);
    hwl_text_free(text);
    return copy;
}

static char *text_of(HwlDesk *desk, enum format format)
{
    switch (format) {
    case JSON: return json(desk);
    case COMMAND: return hwl_ask_command(hwl_desk_session(desk)->ask, "");
    case ENGINE: return engine_line(desk);
    case HTML: return report(desk, true);
    case SVG: return report(desk, false);
    case PLAN: return hwl_ask_text(hwl_desk_session(desk)->ask);
    case N_FORMATS: break;
    }
    return g_strdup("");
}

static void show(struct export *e)
{
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(e->view));
    g_free(e->text);
    e->text = text_of(hwl_window_desk(e->window), e->format);
    const gsize n = strlen(e->text);
    const char *cut = n > PREVIEW_MAX ? g_utf8_find_prev_char(e->text, e->text + PREVIEW_MAX) : e->text + n;
    gtk_text_buffer_set_text(buffer, e->text, (int)(cut - e->text));
}

static void selected(GObject *object, GParamSpec *pspec, struct export *e)
{
    (void)pspec;
    const guint i = gtk_drop_down_get_selected(GTK_DROP_DOWN(object));
    if (i < N_FORMATS) {
        e->format = (enum format)i;
        show(e);
    }
}

static void copied(GtkButton *button, struct export *e)
{
    (void)button;
    gdk_clipboard_set_text(gtk_widget_get_clipboard(e->dialog), e->text);
    hwl_window_toast(e->window, "Copied", NULL, NULL);
}

static void saved(GtkNativeDialog *dialog, int response, char *text)
{
    GFile *file = response == GTK_RESPONSE_ACCEPT ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog)) : NULL;
    GError *error = NULL;
    if (file && !g_file_replace_contents(file, text, strlen(text), NULL, FALSE, G_FILE_CREATE_NONE, NULL, NULL, &error)) {
        GtkWindow *parent = gtk_native_dialog_get_transient_for(GTK_NATIVE_DIALOG(dialog));
        GtkWidget *said = adw_message_dialog_new(parent, "The file was not written", error->message);
        adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(said), "ok", "OK");
        gtk_window_present(GTK_WINDOW(said));
        g_error_free(error);
    }
    g_clear_object(&file);
    g_object_unref(dialog);
}

static void save(GtkButton *button, struct export *e)
{
    (void)button;
    GtkFileChooserNative *d = gtk_file_chooser_native_new("Save", GTK_WINDOW(e->dialog), GTK_FILE_CHOOSER_ACTION_SAVE, NULL, NULL);
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(d), formats[e->format].file);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(d), TRUE);
    g_signal_connect_data(d, "response", G_CALLBACK(saved), g_strdup(e->text), (GClosureNotify)(void (*)(void))g_free, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(d));
}

static void free_export(void *data)
{
    struct export *e = data;
    g_free(e->text);
    g_free(e);
}

void hwl_export_dialog_show(HwlWindow *window)
{
    struct export *e = g_new0(struct export, 1);
    const struct hwl_session *s = hwl_desk_session(hwl_window_desk(window));
    GtkWidget *content, *bar, *scrolled = gtk_scrolled_window_new(), *copy = gtk_button_new_with_label("Copy");
    GtkWidget *keep = gtk_button_new_with_label("Save …");
    const char *labels[N_FORMATS + 1] = {NULL};
    if (!s->plan || s->failed) {
        hwl_window_toast(window, "There is no plan to export", NULL, NULL);
        g_free(e);
        return;
    }
    for (int i = 0; i < N_FORMATS; i++)
        labels[i] = formats[i].label;
    e->window = window;
    e->dialog = hwl_ui_dialog(GTK_WINDOW(window), "Export", 720, 560, &content, &bar);
    e->view = gtk_text_view_new();
    GtkWidget *choice = gtk_drop_down_new_from_strings(labels);
    gtk_text_view_set_editable(GTK_TEXT_VIEW(e->view), FALSE);
    gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(e->view), GTK_WRAP_WORD_CHAR);
    gtk_text_view_set_monospace(GTK_TEXT_VIEW(e->view), TRUE);
    gtk_text_view_set_left_margin(GTK_TEXT_VIEW(e->view), 12);
    gtk_text_view_set_right_margin(GTK_TEXT_VIEW(e->view), 12);
    gtk_text_view_set_top_margin(GTK_TEXT_VIEW(e->view), 12);
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(e->view), FALSE);
    hwl_ui_name(e->view, "Preview");
    hwl_ui_name(choice, "Format");
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), e->view);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_widget_add_css_class(keep, "suggested-action");
    adw_header_bar_pack_start(ADW_HEADER_BAR(bar), choice);
    adw_header_bar_pack_end(ADW_HEADER_BAR(bar), keep);
    adw_header_bar_pack_end(ADW_HEADER_BAR(bar), copy);
    gtk_box_append(GTK_BOX(content), scrolled);
    g_object_set_data_full(G_OBJECT(e->dialog), "hwl-export", e, free_export);
    g_signal_connect(choice, "notify::selected", G_CALLBACK(selected), e);
    g_signal_connect(copy, "clicked", G_CALLBACK(copied), e);
    g_signal_connect(keep, "clicked", G_CALLBACK(save), e);
    show(e);
    gtk_widget_grab_focus(choice);
    gtk_window_present(GTK_WINDOW(e->dialog));
}
