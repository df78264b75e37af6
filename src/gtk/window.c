/* SPDX-License-Identifier: Apache-2.0 */
/* The window: controls to the left, answers to the right; folded to one column where there is no room, the verdict always in sight. */
#include "gtk/window.h"

#include "gtk/cards.h"
#include "gtk/controls_pane.h"
#include "gtk/dialogs.h"
#include "gtk/panes.h"
#include "gtk/prefs.h"
#include "gtk/row.h"
#include "gtk/theme.h"
#include "gtk/ui.h"
#include "gtk/window_actions.h"
#include "view/view.h"

struct _HwlWindow {
    AdwApplicationWindow parent_instance;
    HwlDesk *desk;
    GtkWidget *toasts, *stack, *panes, *pages, *compare;
    GtkWidget *reading, *reading_label, *reading_bar, *message, *message_label;
    GtkWidget *pin, *export;
    GtkWidget *summary, *summary_text, *summary_button;
    char *remembered; /* model that is in the list of recent ones */
};

G_DEFINE_FINAL_TYPE(HwlWindow, hwl_window, ADW_TYPE_APPLICATION_WINDOW)

HwlDesk *hwl_window_desk(HwlWindow *w)
{
    return w->desk;
}

void hwl_window_toast(HwlWindow *w, const char *text, const char *button, const char *action)
{
    AdwToast *toast = adw_toast_new(text);
    if (button) {
        adw_toast_set_button_label(toast, button);
        adw_toast_set_action_name(toast, action);
    }
    adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(w->toasts), toast);
}

void hwl_window_show_page(HwlWindow *w, const char *name)
{
    adw_view_stack_set_visible_child_name(ADW_VIEW_STACK(w->pages), name);
    hwl_panes_turn(HWL_PANES(w->panes), true);
    if (g_strcmp0(name, "compare") == 0)
        hwl_compare_page_refresh(w->compare);
}

static void show_summary(HwlWindow *w)
{
    const struct hwl_session *s = hwl_desk_session(w->desk);
    char text[300], line[400];
    const bool folded = hwl_panes_folded(HWL_PANES(w->panes)), right = hwl_panes_right(HWL_PANES(w->panes));
    gtk_widget_set_visible(w->pin, !folded); /* both are in the menu, and there is no room */
    gtk_widget_set_visible(w->export, !folded);
    gtk_widget_set_visible(w->summary, folded && (s->plan || s->failed));
    gtk_button_set_label(GTK_BUTTON(w->summary_button), right ? "Settings" : "Result");
    if (s->failed)
        hwl_ui_set(w->summary_text, "No plan for these settings");
    else if (s->plan)
        hwl_ui_set(w->summary_text, hwl_ui_unbroken(hwl_view_headline(&s->view, text, sizeof text), line, sizeof line));
    hwl_theme_set_level(w->summary_text, s->failed ? HWL_LEVEL_UNKNOWN : s->view.level);
}

/* Folding happens while sizes are given out: what is shown then changes after it. */
static gboolean show_summary_later(void *window)
{
    if (HWL_WINDOW(window)->desk)
        show_summary(window);
    return G_SOURCE_REMOVE;
}

static void folded(HwlWindow *w)
{
    g_idle_add_full(G_PRIORITY_DEFAULT, show_summary_later, g_object_ref(w), g_object_unref);
}

/* The machine can be watched without a model; the other pages have nothing to show then, nor have the settings. */
static void show_stage(HwlWindow *w)
{
    const bool any = hwl_desk_session(w->desk)->planner != NULL;
    const bool monitor = g_strcmp0(adw_view_stack_get_visible_child_name(ADW_VIEW_STACK(w->pages)), "monitor") == 0;
    hwl_panes_show_left(HWL_PANES(w->panes), any);
    gtk_stack_set_visible_child_name(GTK_STACK(w->stack), any || monitor ? "planner" : "welcome");
}

static void answer(HwlDesk *desk, HwlWindow *w)
{
    const struct hwl_session *s = hwl_desk_session(desk);
    show_stage(w);
    if (s->plan && !s->failed) {
        gtk_widget_set_visible(w->message, FALSE);
        if (g_strcmp0(w->remembered, s->ask->model) != 0) {
            hwl_model_info m;
            char title[200], name[160];
            hwl_model_get_info(s->planner->model->model, &m);
            g_snprintf(title, sizeof title, "%s – hwLedger", hwl_view_clean(m.name, name, sizeof name));
            gtk_window_set_title(GTK_WINDOW(w), title);
            g_free(w->remembered);
            w->remembered = g_strdup(s->ask->model);
            hwl_prefs_add_recent(s->ask->model);
        }
    }
    show_summary(w);
}

static void busy(HwlDesk *desk, HwlWindow *w)
{
    double share = -1;
    const char *what = hwl_desk_reading(desk, &share);
    char text[300];
    gtk_widget_set_visible(w->reading, what != NULL);
    if (!what) {
        /* a bar that pulses asks for 60 pictures a second, out of sight too */
        gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(w->reading_bar), 0);
        return;
    }
    char *base = g_path_get_basename(what);
    g_snprintf(text, sizeof text, "Reading %s", base);
    g_free(base);
    hwl_ui_set(w->reading_label, text);
    if (share < 0)
        gtk_progress_bar_pulse(GTK_PROGRESS_BAR(w->reading_bar));
    else
        gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(w->reading_bar), share);
}

static void trouble(HwlDesk *desk, const char *text, HwlWindow *w)
{
    char clean[1200];
    (void)desk;
    hwl_ui_set(w->message_label, hwl_view_clean(text, clean, sizeof clean));
    gtk_widget_set_visible(w->message, TRUE);
}

static void other_side(GtkButton *button, HwlWindow *w)
{
    (void)button;
    hwl_window_turn(w);
}

static void hide_message(GtkButton *button, HwlWindow *w)
{
    (void)button;
    gtk_widget_set_visible(w->message, FALSE);
}

static void cancel(GtkButton *button, HwlWindow *w)
{
    (void)button;
    hwl_desk_cancel(w->desk);
}

void hwl_window_turn(HwlWindow *w)
{
    hwl_panes_turn(HWL_PANES(w->panes), !hwl_panes_right(HWL_PANES(w->panes)));
}

static void page_changed(HwlWindow *w)
{
    const char *name = adw_view_stack_get_visible_child_name(ADW_VIEW_STACK(w->pages));
    hwl_desk_want_charts(w->desk, g_strcmp0(name, "charts") == 0);
    if (g_strcmp0(name, "compare") == 0)
        hwl_compare_page_refresh(w->compare);
    show_stage(w);
}

static gboolean dropped(GtkDropTarget *target, const GValue *value, double x, double y, HwlWindow *w)
{
    (void)target;
    (void)x;
    (void)y;
    GSList *files = g_value_get_boxed(value);
    char *path = files ? g_file_get_path(files->data) : NULL;
    if (!path)
        return FALSE;
    hwl_desk_open_file(w->desk, path);
    g_free(path);
    return TRUE;
}

static gboolean close_request(GtkWindow *window)
{
    const struct hwl_session *s = hwl_desk_session(HWL_WINDOW(window)->desk);
    if (s->ask->model)
        hwl_prefs_save_last(s->ask);
    return GTK_WINDOW_CLASS(hwl_window_parent_class)->close_request(window);
}

static void dispose(GObject *object)
{
    HwlWindow *w = HWL_WINDOW(object);
    if (w->desk) {
        g_signal_handlers_disconnect_by_data(w->desk, w);
        hwl_desk_stop(w->desk);
    }
    G_OBJECT_CLASS(hwl_window_parent_class)->dispose(object);
    g_clear_object(&w->desk); /* after the widgets that read it */
    g_clear_pointer(&w->remembered, g_free);
}

static void hwl_window_class_init(HwlWindowClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
    GTK_WINDOW_CLASS(class)->close_request = close_request;
}

static GtkWidget *result_page(HwlWindow *w)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    gtk_box_append(GTK_BOX(box), hwl_verdict_card_new(w->desk));
    gtk_box_append(GTK_BOX(box), hwl_memory_card_new(w->desk));
    gtk_box_append(GTK_BOX(box), hwl_layers_card_new(w->desk));
    gtk_box_append(GTK_BOX(box), hwl_advice_card_new(w->desk));
    gtk_box_append(GTK_BOX(box), hwl_notes_card_new(w->desk));
    gtk_widget_set_margin_top(box, 12);
    gtk_widget_set_margin_bottom(box, 12);
    gtk_widget_set_margin_start(box, 12);
    gtk_widget_set_margin_end(box, 12);
    return hwl_ui_scrolled(box, 860);
}

static void add_page(HwlWindow *w, GtkWidget *page, const char *name, const char *title, const char *icon)
{
    AdwViewStackPage *p = adw_view_stack_add_titled(ADW_VIEW_STACK(w->pages), page, name, title);
    adw_view_stack_page_set_icon_name(p, icon);
}

static GtkWidget *welcome(void)
{
    GtkWidget *page = adw_status_page_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    const char *const buttons[][2] = {{"Choose a model", "win.model"}, {"Try an example", "win.example"}};
    adw_status_page_set_title(ADW_STATUS_PAGE(page), "What will it take?");
    adw_status_page_set_description(ADW_STATUS_PAGE(page), "Choose a model, or drop a .gguf file or a model folder here. Nothing is downloaded.");
    adw_status_page_set_icon_name(ADW_STATUS_PAGE(page), "org.hwledger.Desktop");
    gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
    for (int i = 0; i < 2; i++) {
        GtkWidget *b = gtk_button_new_with_label(buttons[i][0]);
        gtk_actionable_set_action_name(GTK_ACTIONABLE(b), buttons[i][1]);
        gtk_widget_add_css_class(b, "pill");
        if (!i)
            gtk_widget_add_css_class(b, "suggested-action");
        gtk_box_append(GTK_BOX(box), b);
    }
    adw_status_page_set_child(ADW_STATUS_PAGE(page), box);
    return page;
}

static GtkWidget *header(HwlWindow *w, GtkWidget **title)
{
    GtkWidget *bar = adw_header_bar_new(), *menu = gtk_menu_button_new();
    GMenu *model = hwl_window_menu();
    *title = adw_view_switcher_title_new();
    adw_view_switcher_title_set_stack(ADW_VIEW_SWITCHER_TITLE(*title), ADW_VIEW_STACK(w->pages));
    adw_view_switcher_title_set_title(ADW_VIEW_SWITCHER_TITLE(*title), "hwLedger");
    adw_header_bar_set_centering_policy(ADW_HEADER_BAR(bar), ADW_CENTERING_POLICY_LOOSE);
    adw_header_bar_set_title_widget(ADW_HEADER_BAR(bar), *title);
    gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(menu), "open-menu-symbolic");
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(menu), G_MENU_MODEL(model));
    gtk_menu_button_set_primary(GTK_MENU_BUTTON(menu), TRUE);
    g_object_unref(model);
    hwl_ui_name(menu, "Menu");
    gtk_widget_set_tooltip_text(menu, "Menu");
    adw_header_bar_pack_start(ADW_HEADER_BAR(bar), hwl_ui_icon_button("edit-undo-symbolic", "Undo", "win.undo"));
    w->pin = hwl_ui_icon_button("view-pin-symbolic", "Pin to compare", "win.pin");
    w->export = hwl_ui_icon_button("document-send-symbolic", "Export", "win.export");
    adw_header_bar_pack_start(ADW_HEADER_BAR(bar), w->pin);
    adw_header_bar_pack_end(ADW_HEADER_BAR(bar), menu);
    adw_header_bar_pack_end(ADW_HEADER_BAR(bar), w->export);
    return bar;
}

static GtkWidget *reading_bar(HwlWindow *w)
{
    GtkWidget *button = gtk_button_new_with_label("Cancel");
    w->reading = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    w->reading_label = hwl_ui_short_label("", "");
    w->reading_bar = gtk_progress_bar_new();
    gtk_widget_set_hexpand(w->reading_bar, TRUE);
    gtk_widget_set_valign(w->reading_bar, GTK_ALIGN_CENTER);
    hwl_ui_name(w->reading_bar, "Read so far");
    gtk_box_append(GTK_BOX(w->reading), w->reading_label);
    gtk_box_append(GTK_BOX(w->reading), w->reading_bar);
    gtk_box_append(GTK_BOX(w->reading), button);
    gtk_widget_add_css_class(w->reading, "summary");
    gtk_widget_set_visible(w->reading, FALSE);
    g_signal_connect(button, "clicked", G_CALLBACK(cancel), w);
    return w->reading;
}

static GtkWidget *message_bar(HwlWindow *w)
{
    GtkWidget *button = hwl_ui_icon_button("window-close-symbolic", "Close the message", NULL);
    w->message = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    w->message_label = hwl_ui_label("", "level-red");
    gtk_widget_set_hexpand(w->message_label, TRUE);
    gtk_label_set_selectable(GTK_LABEL(w->message_label), TRUE);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(w->message), w->message_label);
    gtk_box_append(GTK_BOX(w->message), button);
    gtk_widget_add_css_class(w->message, "summary");
    gtk_widget_set_visible(w->message, FALSE);
    hwl_ui_name(w->message, "Message");
    g_signal_connect(button, "clicked", G_CALLBACK(hide_message), w);
    return w->message;
}

static GtkWidget *summary_bar(HwlWindow *w)
{
    w->summary = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    w->summary_text = hwl_ui_label("", "heading number");
    w->summary_button = gtk_button_new_with_label("Settings");
    gtk_widget_set_hexpand(w->summary_text, TRUE);
    gtk_widget_set_valign(w->summary_button, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(w->summary), w->summary_text);
    gtk_box_append(GTK_BOX(w->summary), w->summary_button);
    gtk_widget_add_css_class(w->summary, "summary");
    gtk_widget_set_visible(w->summary, FALSE);
    g_signal_connect(w->summary_button, "clicked", G_CALLBACK(other_side), w);
    return w->summary;
}

static GtkWidget *planner(HwlWindow *w)
{
    w->compare = hwl_compare_page_new(w->desk);
    add_page(w, result_page(w), "plan", "Plan", "view-list-symbolic");
    add_page(w, hwl_charts_page_new(w->desk), "charts", "Charts", "view-grid-symbolic");
    add_page(w, w->compare, "compare", "Compare", "view-dual-symbolic");
    add_page(w, hwl_monitor_page_new(w->desk), "monitor", "Monitor", "power-profile-performance-symbolic");
    gtk_widget_set_size_request(w->pages, 340, -1);
    w->panes = hwl_panes_new(hwl_controls_pane_new(w->desk), w->pages);
    gtk_widget_set_vexpand(w->panes, TRUE);
    g_signal_connect_swapped(w->panes, "folded", G_CALLBACK(folded), w);
    g_signal_connect_swapped(w->pages, "notify::visible-child", G_CALLBACK(page_changed), w);
    return w->panes;
}

static void hwl_window_init(HwlWindow *w)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *switcher = adw_view_switcher_bar_new(), *title;
    GtkDropTarget *drop = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
    w->desk = hwl_desk_new();
    w->toasts = adw_toast_overlay_new();
    w->stack = gtk_stack_new();
    w->pages = adw_view_stack_new();
    adw_view_stack_set_hhomogeneous(ADW_VIEW_STACK(w->pages), FALSE); /* a wide page makes no narrow one wide */
    gtk_box_append(GTK_BOX(box), header(w, &title));
    gtk_box_append(GTK_BOX(box), reading_bar(w));
    gtk_box_append(GTK_BOX(box), message_bar(w));
    gtk_stack_add_named(GTK_STACK(w->stack), welcome(), "welcome");
    gtk_stack_add_named(GTK_STACK(w->stack), planner(w), "planner");
    gtk_stack_set_hhomogeneous(GTK_STACK(w->stack), FALSE);
    gtk_box_append(GTK_BOX(box), w->stack);
    gtk_box_append(GTK_BOX(box), summary_bar(w));
    adw_view_switcher_bar_set_stack(ADW_VIEW_SWITCHER_BAR(switcher), ADW_VIEW_STACK(w->pages));
    g_object_bind_property(title, "title-visible", switcher, "reveal", G_BINDING_SYNC_CREATE);
    gtk_box_append(GTK_BOX(box), switcher);
    adw_toast_overlay_set_child(ADW_TOAST_OVERLAY(w->toasts), box);
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(w), w->toasts);
    gtk_window_set_title(GTK_WINDOW(w), "hwLedger");
    gtk_window_set_default_size(GTK_WINDOW(w), 1180, 780);
    gtk_widget_set_size_request(GTK_WIDGET(w), 360, 400);
    g_signal_connect(drop, "drop", G_CALLBACK(dropped), w);
    gtk_widget_add_controller(GTK_WIDGET(w), GTK_EVENT_CONTROLLER(drop));
    g_signal_connect(w->desk, "answer", G_CALLBACK(answer), w);
    g_signal_connect(w->desk, "busy", G_CALLBACK(busy), w);
    g_signal_connect(w->desk, "trouble", G_CALLBACK(trouble), w);
    hwl_window_add_actions(w);
    show_stage(w);
}

HwlWindow *hwl_window_new(AdwApplication *app)
{
    return g_object_new(HWL_TYPE_WINDOW, "application", app, NULL);
}
