/* SPDX-License-Identifier: Apache-2.0 */
/* The left pane. Which controls there are is the view's table; this file only lays them out. */
#include "gtk/controls_pane.h"

#include "gtk/row.h"
#include "gtk/setup_rows.h"
#include "gtk/ui.h"

#include <string.h>

struct pane {
    HwlDesk *desk;
    GtkWidget *main, *more, *more_button, *revealer; /* lists */
    GPtrArray *rows;          /* struct hwl_row, owned by their widgets */
    char engine[64];          /* whose rows they are */
};

static void free_row(void *row)
{
    g_free(row);
}

void hwl_row_attach(struct hwl_row *row)
{
    g_object_set_data_full(G_OBJECT(row->widget), "hwl-row", row, free_row);
}

struct hwl_row *hwl_row_of(GtkWidget *widget)
{
    for (; widget; widget = gtk_widget_get_parent(widget)) {
        struct hwl_row *row = g_object_get_data(G_OBJECT(widget), "hwl-row");
        if (row)
            return row;
    }
    return NULL;
}

static struct hwl_row *make(HwlDesk *desk, const struct hwl_control *c)
{
    switch (c->kind) {
    case HWL_CONTROL_CHOICE: return hwl_choice_row_new(desk, c);
    case HWL_CONTROL_FLAG: return hwl_flag_row_new(desk, c);
    case HWL_CONTROL_NUMBER:
    case HWL_CONTROL_BYTES:
    case HWL_CONTROL_SHARE: break;
    }
    return hwl_number_row_new(desk, c);
}

static bool has_experts(const struct hwl_session *s)
{
    hwl_layer_info layer;
    for (uint32_t i = 0; s->planner && hwl_model_get_layer(s->planner->model->model, i, &layer); i++)
        if (layer.feed_forward == HWL_FFN_MOE)
            return true;
    return false;
}

/* What this model does not have: experts to move, ranks to split over. */
static bool of_use(HwlDesk *desk, const struct hwl_control *c)
{
    const hwl_range *r = hwl_desk_range(desk, c->option);
    if (strcmp(c->option, "n-cpu-moe") == 0)
        return has_experts(hwl_desk_session(desk));
    if (strcmp(c->option, "tp") == 0 || strcmp(c->option, "pp") == 0)
        return !r || r->most > 1;
    if (strcmp(c->option, "split-mode") == 0)
        return hwl_devices_gpus(hwl_desk_session(desk)->devices) > 1;
    return true;
}

static void rebuild(struct pane *p, const char *engine)
{
    const struct hwl_control *c;
    g_strlcpy(p->engine, engine, sizeof p->engine);
    g_ptr_array_set_size(p->rows, 0);
    hwl_ui_clear(p->main);
    hwl_ui_clear(p->more);
    for (uint32_t i = 0; (c = hwl_view_control(engine, i)); i++) {
        struct hwl_row *row = make(p->desk, c);
        g_ptr_array_add(p->rows, row);
        gtk_list_box_append(GTK_LIST_BOX(c->more ? p->more : p->main), row->widget);
    }
}

static void refresh(struct pane *p)
{
    char engine[64];
    const struct hwl_session *s = hwl_desk_session(p->desk);
    (void)hwl_session_engine(s, engine, sizeof engine);
    if (*engine && strcmp(engine, p->engine) != 0)
        rebuild(p, engine);
    for (guint i = 0; i < p->rows->len; i++) {
        struct hwl_row *row = g_ptr_array_index(p->rows, i);
        row->refresh(row);
        gtk_widget_set_visible(row->widget, of_use(p->desk, row->control));
    }
}

static void follow(HwlDesk *desk, GtkWidget *pane)
{
    (void)desk;
    refresh(g_object_get_data(G_OBJECT(pane), "hwl-pane"));
}

static GtkWidget *list(const char *name)
{
    GtkWidget *l = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(l), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(l, "boxed-list");
    hwl_ui_name(l, name);
    return l;
}

static void toggled(GtkToggleButton *button, void *user)
{
    struct pane *p = user;
    const bool open = gtk_toggle_button_get_active(button);
    gtk_revealer_set_reveal_child(GTK_REVEALER(p->revealer), open);
    gtk_button_set_label(GTK_BUTTON(button), open ? "Fewer settings" : "More settings");
}

static void free_pane(void *data)
{
    struct pane *p = data;
    g_ptr_array_unref(p->rows);
    g_free(p);
}

GtkWidget *hwl_controls_pane_new(HwlDesk *desk)
{
    struct pane *p = g_new0(struct pane, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12), *setup = list("Question");
    p->desk = desk;
    p->rows = g_ptr_array_new();
    p->main = list("Settings");
    p->more = list("More settings");
    p->revealer = gtk_revealer_new();
    p->more_button = gtk_toggle_button_new_with_label("More settings");
    gtk_widget_add_css_class(p->more_button, "flat");
    gtk_revealer_set_child(GTK_REVEALER(p->revealer), p->more);
    gtk_widget_set_margin_top(box, 12);
    gtk_widget_set_margin_bottom(box, 12);
    gtk_widget_set_margin_start(box, 12);
    gtk_widget_set_margin_end(box, 12);
    hwl_setup_rows_add(setup, desk);
    gtk_box_append(GTK_BOX(box), setup);
    gtk_box_append(GTK_BOX(box), p->main);
    gtk_box_append(GTK_BOX(box), p->more_button);
    gtk_box_append(GTK_BOX(box), p->revealer);
    g_signal_connect(p->more_button, "toggled", G_CALLBACK(toggled), p);
    GtkWidget *pane = hwl_ui_scrolled(box, 420);
    gtk_widget_set_hexpand(pane, FALSE);
    gtk_widget_set_size_request(pane, 340, -1);
    g_object_set_data_full(G_OBJECT(pane), "hwl-pane", p, free_pane);
    for (const char *const *name = (const char *const[]){"answer", "extras", "question", NULL}; *name; name++)
        g_signal_connect_object(desk, *name, G_CALLBACK(follow), pane, 0);
    return pane;
}
