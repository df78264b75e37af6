/* SPDX-License-Identifier: Apache-2.0 */
/* The heatmap. Shade is bytes on one scale; place is the strip above the columns, and hatching for what lies on the host. */
#include "gtk/heatmap.h"

#include "gtk/pattern.h"
#include "gtk/theme.h"
#include "gtk/ui.h"

#define LABEL 86.0f /* width of the row names */
#define CELL_HEIGHT 22.0f
#define STRIP 18.0f
#define AXIS 18.0f
#define GAP 2.0f

struct _HwlHeatmap {
    GtkWidget parent_instance;
    const struct hwl_view_model *view;
    uint32_t column;
    enum hwl_heat_row row;
};

enum { CELL, OPENED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(HwlHeatmap, hwl_heatmap, GTK_TYPE_WIDGET)

static uint32_t n_rows(const struct hwl_view_model *v)
{
    uint32_t n = 0;
    for (int i = 0; i < HWL_HEAT_ROWS; i++)
        n += v->heat_row[i];
    return n;
}

static float column_width(HwlHeatmap *m)
{
    const float w = (float)gtk_widget_get_width(GTK_WIDGET(m)) - LABEL;
    return m->view && m->view->n_columns ? w / (float)m->view->n_columns : w;
}

static void text_at(HwlHeatmap *m, GtkSnapshot *snapshot, const char *text, float x, float y, float h, const GdkRGBA *ink, float room)
{
    PangoLayout *layout = gtk_widget_create_pango_layout(GTK_WIDGET(m), text);
    PangoAttrList *attrs = pango_attr_list_new();
    int w, th;
    pango_attr_list_insert(attrs, pango_attr_scale_new(0.87));
    pango_layout_set_attributes(layout, attrs);
    pango_layout_get_pixel_size(layout, &w, &th);
    if ((float)w <= room) {
        gtk_snapshot_save(snapshot);
        gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT(x, y + (h - (float)th) / 2));
        gtk_snapshot_append_layout(snapshot, layout, ink);
        gtk_snapshot_restore(snapshot);
    }
    pango_attr_list_unref(attrs);
    g_object_unref(layout);
}

/* The device that a column mostly lies on: that of its weights. */
static uint16_t home(const struct hwl_heat_column *c)
{
    for (int r = 0; r < HWL_HEAT_ROWS; r++)
        if (c->cell[r].bytes)
            return c->cell[r].device;
    return HWL_HEAT_NOWHERE;
}

static bool is_host(const struct hwl_view_model *v, uint16_t device)
{
    return device < hwl_plan_n_devices(v->plan) && hwl_plan_get_device(v->plan, device)->device->kind == HWL_DEVICE_CPU;
}

static void draw_strip(HwlHeatmap *m, GtkSnapshot *snapshot, float w)
{
    const struct hwl_palette *p = hwl_theme_palette();
    const struct hwl_view_model *v = m->view;
    const GdkRGBA ink = hwl_theme_rgba(p->text), line = hwl_theme_rgba(p->line), dim = hwl_theme_rgba(p->dim);
    text_at(m, snapshot, "place", 0, 0, STRIP, &dim, LABEL - 6);
    for (uint32_t i = 0, end; i < v->n_columns; i = end) {
        const uint16_t device = home(&v->column[i]);
        for (end = i + 1; end < v->n_columns && home(&v->column[end]) == device;)
            end++;
        const float x = LABEL + (float)i * w, width = (float)(end - i) * w - 1;
        const graphene_rect_t rect = GRAPHENE_RECT_INIT(x, 1, width, STRIP - 3);
        gtk_snapshot_append_color(snapshot, &line, &GRAPHENE_RECT_INIT(x, STRIP - 4, width, 2));
        const char *id = device == HWL_HEAT_SPREAD ? "several devices" : NULL;
        if (device < hwl_plan_n_devices(v->plan))
            id = hwl_plan_get_device(v->plan, device)->device->id;
        if (id)
            text_at(m, snapshot, id, x + 2, rect.origin.y, rect.size.height - 2, &ink, width - 4);
    }
}

static const char *pattern_of(const struct hwl_view_model *v, const struct hwl_heat_cell *c)
{
    static const char host[] = "diagonal", spread[] = "cross";
    return !c->bytes ? NULL : c->device == HWL_HEAT_SPREAD ? spread : is_host(v, c->device) ? host : NULL;
}

/* Everything spread, as a server spreads it: the strip says so, hatching each cell would only hide its shade. */
static bool all_spread(const struct hwl_view_model *v)
{
    for (uint32_t i = 0; i < v->n_columns; i++)
        for (int r = 0; r < HWL_HEAT_ROWS; r++)
            if (v->column[i].cell[r].bytes && v->column[i].cell[r].device != HWL_HEAT_SPREAD)
                return false;
    return true;
}

static void draw_cells(HwlHeatmap *m, GtkSnapshot *snapshot, float w)
{
    const struct hwl_palette *p = hwl_theme_palette();
    const struct hwl_view_model *v = m->view;
    const GdkRGBA ink = hwl_theme_rgba(p->text), hatch = hwl_theme_rgba(p->ground);
    const bool hatched = !all_spread(v);
    float y = STRIP;
    for (int r = 0; r < HWL_HEAT_ROWS; r++) {
        if (!v->heat_row[r])
            continue;
        text_at(m, snapshot, hwl_view_heat_row((enum hwl_heat_row)r), 0, y, CELL_HEIGHT, &ink, LABEL);
        for (uint32_t i = 0; i < v->n_columns; i++) {
            const struct hwl_heat_cell *c = &v->column[i].cell[r];
            const GdkRGBA fill = hwl_theme_rgba(hwl_view_heat_colour(p, c->shade));
            const graphene_rect_t rect = GRAPHENE_RECT_INIT(LABEL + (float)i * w, y + 1, w > 4 ? w - 1 : w, CELL_HEIGHT - GAP);
            gtk_snapshot_append_color(snapshot, &fill, &rect);
        }
        /* runs that lie on the host, or on several devices, are hatched as one */
        for (uint32_t i = 0, end; hatched && i < v->n_columns; i = end) {
            const char *pattern = pattern_of(v, &v->column[i].cell[r]);
            for (end = i + 1; end < v->n_columns && pattern_of(v, &v->column[end].cell[r]) == pattern;)
                end++;
            if (pattern)
                hwl_pattern_draw(snapshot, &GRAPHENE_RECT_INIT(LABEL + (float)i * w, y + 1, (float)(end - i) * w - 1, CELL_HEIGHT - GAP), pattern, &hatch);
        }
        y += CELL_HEIGHT;
    }
}

static void draw_axis(HwlHeatmap *m, GtkSnapshot *snapshot, float w)
{
    const struct hwl_view_model *v = m->view;
    const GdkRGBA dim = hwl_theme_rgba(hwl_theme_palette()->dim);
    const float y = STRIP + (float)n_rows(v) * CELL_HEIGHT;
    uint32_t step = 1;
    while ((float)step * w < 34)
        step *= 2;
    text_at(m, snapshot, "layer", 0, y, AXIS, &dim, LABEL);
    for (uint32_t i = 0; i < v->n_columns; i += step) {
        char text[40];
        const char letter[2] = {v->column[i].letter == '.' ? 0 : v->column[i].letter, 0};
        g_snprintf(text, sizeof text, "%u%s%s", v->column[i].first, *letter ? " " : "", letter);
        text_at(m, snapshot, text, LABEL + (float)i * w, y, AXIS, &dim, (float)(step + 1) * w);
    }
}

static void draw_focus(HwlHeatmap *m, GtkSnapshot *snapshot, float w)
{
    const GdkRGBA mark = hwl_theme_rgba(hwl_theme_palette()->mark);
    const GdkRGBA colours[4] = {mark, mark, mark, mark};
    const float widths[4] = {2, 2, 2, 2};
    float y = STRIP;
    for (int r = 0; r < (int)m->row; r++)
        y += m->view->heat_row[r] ? CELL_HEIGHT : 0;
    GskRoundedRect rect;
    gsk_rounded_rect_init_from_rect(&rect, &GRAPHENE_RECT_INIT(LABEL + (float)m->column * w - 1, y, (w > 4 ? w - 1 : w) + 2, CELL_HEIGHT), 2);
    gtk_snapshot_append_border(snapshot, &rect, widths, colours);
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    HwlHeatmap *m = HWL_HEATMAP(widget);
    const float w = column_width(m);
    if (!m->view || !m->view->n_columns || w <= 0)
        return;
    draw_strip(m, snapshot, w);
    draw_cells(m, snapshot, w);
    draw_axis(m, snapshot, w);
    if (gtk_widget_has_focus(widget))
        draw_focus(m, snapshot, w);
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *least, int *natural, int *a, int *b)
{
    HwlHeatmap *m = HWL_HEATMAP(widget);
    const uint32_t rows = m->view ? n_rows(m->view) : 2;
    (void)for_size;
    *least = orientation == GTK_ORIENTATION_VERTICAL ? (int)(STRIP + AXIS + (float)rows * CELL_HEIGHT) : 240;
    *natural = orientation == GTK_ORIENTATION_VERTICAL ? *least : 600;
    *a = *b = -1;
}

static void choose(HwlHeatmap *m, uint32_t column, enum hwl_heat_row row)
{
    char text[300];
    if (!m->view || column >= m->view->n_columns || !m->view->heat_row[row])
        return;
    m->column = column;
    m->row = row;
    hwl_ui_describe(m, hwl_view_cell_sentence(m->view, column, row, text, sizeof text));
    g_signal_emit(m, signals[CELL], 0);
    gtk_widget_queue_draw(GTK_WIDGET(m));
}

static void vertical(HwlHeatmap *m, int sign)
{
    for (int r = (int)m->row + sign; r >= 0 && r < HWL_HEAT_ROWS; r += sign)
        if (m->view->heat_row[r]) {
            choose(m, m->column, (enum hwl_heat_row)r);
            return;
        }
}

static gboolean key(GtkEventControllerKey *controller, guint value, guint code, GdkModifierType state, void *user)
{
    HwlHeatmap *m = user;
    (void)controller;
    (void)code;
    if (!m->view || !m->view->n_columns || (state & (GDK_CONTROL_MASK | GDK_ALT_MASK)))
        return FALSE;
    const uint32_t last = m->view->n_columns - 1, page = 8;
    switch (value) {
    case GDK_KEY_Left: choose(m, m->column ? m->column - 1 : 0, m->row); return TRUE;
    case GDK_KEY_Right: choose(m, m->column < last ? m->column + 1 : last, m->row); return TRUE;
    case GDK_KEY_Page_Up: choose(m, m->column > page ? m->column - page : 0, m->row); return TRUE;
    case GDK_KEY_Page_Down: choose(m, m->column + page < last ? m->column + page : last, m->row); return TRUE;
    case GDK_KEY_Home: choose(m, 0, m->row); return TRUE;
    case GDK_KEY_End: choose(m, last, m->row); return TRUE;
    case GDK_KEY_Up: vertical(m, -1); return TRUE;
    case GDK_KEY_Down: vertical(m, 1); return TRUE;
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
    case GDK_KEY_F2: g_signal_emit(m, signals[OPENED], 0); return TRUE;
    default: return FALSE;
    }
}

static void point(HwlHeatmap *m, double x, double y)
{
    const float w = column_width(m);
    if (!m->view || x < (double)LABEL || y < (double)STRIP || w <= 0)
        return;
    int row = (int)((y - (double)STRIP) / (double)CELL_HEIGHT);
    for (int r = 0; r < HWL_HEAT_ROWS; r++)
        if (m->view->heat_row[r] && !row--) {
            choose(m, (uint32_t)((x - (double)LABEL) / (double)w), (enum hwl_heat_row)r);
            return;
        }
}

static void motion(GtkEventControllerMotion *controller, double x, double y, void *user)
{
    (void)controller;
    point(user, x, y);
}

static void pressed(GtkGestureClick *click, int n, double x, double y, void *user)
{
    (void)click;
    (void)gtk_widget_grab_focus(user);
    point(user, x, y);
    if (n == 2)
        g_signal_emit(user, signals[OPENED], 0);
}

static void focused(HwlHeatmap *m)
{
    if (gtk_widget_has_focus(GTK_WIDGET(m)))
        choose(m, m->column, m->row);
    gtk_widget_queue_draw(GTK_WIDGET(m));
}

static void hwl_heatmap_class_init(HwlHeatmapClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);
    w->snapshot = snapshot;
    w->measure = measure;
    gtk_widget_class_set_accessible_role(w, GTK_ACCESSIBLE_ROLE_IMG);
    gtk_widget_class_set_css_name(w, "heatmap");
    signals[CELL] = g_signal_new("cell", HWL_TYPE_HEATMAP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[OPENED] = g_signal_new("opened", HWL_TYPE_HEATMAP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void hwl_heatmap_init(HwlHeatmap *m)
{
    GtkEventController *keys = gtk_event_controller_key_new(), *pointer = gtk_event_controller_motion_new();
    GtkGesture *click = gtk_gesture_click_new();
    g_signal_connect(keys, "key-pressed", G_CALLBACK(key), m);
    g_signal_connect(pointer, "motion", G_CALLBACK(motion), m);
    g_signal_connect(click, "pressed", G_CALLBACK(pressed), m);
    g_signal_connect(m, "notify::has-focus", G_CALLBACK(focused), NULL);
    gtk_widget_add_controller(GTK_WIDGET(m), keys);
    gtk_widget_add_controller(GTK_WIDGET(m), pointer);
    gtk_widget_add_controller(GTK_WIDGET(m), GTK_EVENT_CONTROLLER(click));
    gtk_widget_set_focusable(GTK_WIDGET(m), TRUE);
    gtk_widget_set_hexpand(GTK_WIDGET(m), TRUE);
    hwl_theme_watch(GTK_WIDGET(m));
}

GtkWidget *hwl_heatmap_new(void)
{
    return g_object_new(HWL_TYPE_HEATMAP, NULL);
}

void hwl_heatmap_set(HwlHeatmap *m, const struct hwl_view_model *view)
{
    char text[200];
    const uint32_t rows = m->view ? n_rows(m->view) : 0;
    m->view = view;
    if (m->column >= view->n_columns)
        m->column = 0;
    if (!view->heat_row[m->row])
        for (int r = 0; r < HWL_HEAT_ROWS; r++)
            if (view->heat_row[r]) {
                m->row = (enum hwl_heat_row)r;
                break;
            }
    hwl_ui_name(m, hwl_view_column_sentence(view, text, sizeof text));
    if (rows != n_rows(view))
        gtk_widget_queue_resize(GTK_WIDGET(m));
    gtk_widget_queue_draw(GTK_WIDGET(m));
}

/* "E experts. Hatched: on the host.": what of the signs is there. */
const char *hwl_heatmap_legend(const struct hwl_view_model *v, char *buf, gsize size)
{
    static const struct {
        char letter;
        const char *words;
    } letters[] = {{'E', "E experts"}, {'S', "S window"}, {'M', "M latent"}, {'R', "R recurrent"}, {'*', "* layers that differ"}};
    bool seen[G_N_ELEMENTS(letters)] = {false}, host = false, cross = false;
    GString *s = g_string_new(NULL);
    for (uint32_t i = 0; i < v->n_columns; i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(letters); k++)
            seen[k] = seen[k] || v->column[i].letter == letters[k].letter;
        for (int r = 0; r < HWL_HEAT_ROWS; r++) {
            const struct hwl_heat_cell *c = &v->column[i].cell[r];
            host = host || (c->bytes && is_host(v, c->device));
            cross = cross || (c->bytes && c->device == HWL_HEAT_SPREAD);
        }
    }
    for (size_t k = 0; k < G_N_ELEMENTS(letters); k++)
        if (seen[k])
            g_string_append_printf(s, "%s%s", s->len ? ", " : " ", letters[k].words);
    g_string_append(s, s->len ? "." : "");
    g_string_append(s, host ? " Hatched: on the host." : "");
    g_string_append(s, cross && !all_spread(v) ? " Cross-hatched: on several devices." : "");
    g_strlcpy(buf, s->str, size);
    g_string_free(s, TRUE);
    return buf;
}

bool hwl_heatmap_chosen(HwlHeatmap *m, uint32_t *column, enum hwl_heat_row *row)
{
    *column = m->column;
    *row = m->row;
    return m->view && m->column < m->view->n_columns;
}
