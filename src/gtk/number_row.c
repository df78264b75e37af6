/* SPDX-License-Identifier: Apache-2.0 */
/* A number: slider and entry side by side. Arrows move a step, Page Up and Page Down a mark, any value can be typed. */
#include "gtk/row.h"

#include "gtk/slider.h"
#include "gtk/ui.h"

#include <math.h>
#include <string.h>

#define MIB 1048576.0
#define RESERVE_STEP (256 * MIB)

struct number_row {
    struct hwl_row row; /* first */
    GtkWidget *slider, *entry, *sentence;
    bool dragging; /* the range stands still meanwhile */
};

static bool is_bytes(const struct number_row *n)
{
    return n->row.control->kind == HWL_CONTROL_BYTES;
}

static bool is_share(const struct number_row *n)
{
    return n->row.control->kind == HWL_CONTROL_SHARE;
}

/* How a value is written in the entry; the same text is what the option is set to. */
static void write_value(const struct number_row *n, double value, char *buf, gsize size)
{
    const guint64 whole = value > 0 ? (guint64)(value + 0.5) : 0;
    if (is_share(n))
        g_snprintf(buf, (gulong)size, "%d.%02d", (int)(value + 0.005), (int)((value - floor(value + 0.005)) * 100 + 0.5));
    else if (is_bytes(n) && whole && whole % (1u << 30) == 0)
        g_snprintf(buf, (gulong)size, "%" G_GUINT64_FORMAT "Gi", whole >> 30);
    else if (is_bytes(n) && whole && whole % (1u << 20) == 0)
        g_snprintf(buf, (gulong)size, "%" G_GUINT64_FORMAT "Mi", whole >> 20);
    else
        g_snprintf(buf, (gulong)size, "%" G_GUINT64_FORMAT, whole);
}

static double current(struct number_row *n)
{
    char text[64];
    const struct hwl_session *s = hwl_desk_session(n->row.desk);
    (void)hwl_view_control_value(n->row.control, s->failed ? NULL : s->plan, s->ask->settings, text, sizeof text);
    return g_ascii_strtod(text, NULL);
}

static void apply(struct number_row *n, double value)
{
    char text[64];
    write_value(n, value, text, sizeof text);
    hwl_desk_set(n->row.desk, n->row.control->option, text);
}

/* Within 2 % of a mark a dragged knob stands on it: powers of two, the recommended value, the limit. */
static double snap(const struct number_row *n, double value, const hwl_range *range)
{
    GtkAdjustment *a = gtk_range_get_adjustment(GTK_RANGE(n->slider));
    const double near = (gtk_adjustment_get_upper(a) - gtk_adjustment_get_lower(a)) * 0.02;
    if (is_share(n))
        return round(value * 100) / 100;
    if (is_bytes(n))
        return round(value / RESERVE_STEP) * RESERVE_STEP;
    value = round(value);
    if (!range || near < 2)
        return value;
    if (range->limit != HWL_UNKNOWN && fabs(value - (double)range->limit) < near)
        return (double)range->limit;
    if (range->recommended != HWL_UNKNOWN && fabs(value - (double)range->recommended) < near)
        return (double)range->recommended;
    const double power = exp2(round(log2(value > 1 ? value : 1)));
    if (strcmp(n->row.control->unit, "tokens") != 0)
        return value;
    return fabs(value - power) < near ? power : near > 256 ? round(value / 256) * 256 : value;
}

static double step(struct number_row *n, double value, bool up, bool page, const hwl_range *range)
{
    const double sign = up ? 1 : -1;
    if (is_share(n))
        return value + sign * (page ? 0.05 : 0.01);
    if (is_bytes(n))
        return value + sign * RESERVE_STEP * (page ? 4 : 1);
    if (range)
        return (double)hwl_view_control_step(n->row.control, range, value > 0 ? (uint64_t)value : 0, up, page);
    return value + sign;
}

static gboolean change_value(GtkRange *slider, GtkScrollType scroll, double value, void *user)
{
    struct number_row *n = user;
    const hwl_range *range = hwl_desk_range(n->row.desk, n->row.control->option);
    GtkAdjustment *a = gtk_range_get_adjustment(slider);
    const double now = gtk_adjustment_get_value(a);
    switch (scroll) {
    case GTK_SCROLL_STEP_BACKWARD:
    case GTK_SCROLL_STEP_LEFT:
    case GTK_SCROLL_STEP_DOWN: value = step(n, now, false, false, range); break;
    case GTK_SCROLL_STEP_FORWARD:
    case GTK_SCROLL_STEP_RIGHT:
    case GTK_SCROLL_STEP_UP: value = step(n, now, true, false, range); break;
    case GTK_SCROLL_PAGE_BACKWARD:
    case GTK_SCROLL_PAGE_LEFT:
    case GTK_SCROLL_PAGE_DOWN: value = step(n, now, false, true, range); break;
    case GTK_SCROLL_PAGE_FORWARD:
    case GTK_SCROLL_PAGE_RIGHT:
    case GTK_SCROLL_PAGE_UP: value = step(n, now, true, true, range); break;
    case GTK_SCROLL_START: value = gtk_adjustment_get_lower(a); break;
    case GTK_SCROLL_END: value = gtk_adjustment_get_upper(a); break;
    default: value = snap(n, value, range); break;
    }
    gtk_adjustment_set_value(a, value);
    return TRUE;
}

/* Also what assistive programs do: they set the adjustment. */
static void value_changed(GtkRange *slider, void *user)
{
    struct number_row *n = user;
    if (n->row.quiet)
        return;
    n->dragging = true;
    apply(n, gtk_range_get_value(slider));
    n->dragging = false;
}

static void typed(GtkWidget *entry, void *user)
{
    struct number_row *n = user;
    const char *text = gtk_editable_get_text(GTK_EDITABLE(entry));
    char **words = g_strsplit_set(text, " ,", -1); /* "65,536", "1 Gi" */
    char *bare = g_strjoinv("", words), shown[64];
    g_strfreev(words);
    write_value(n, current(n), shown, sizeof shown);
    if (strcmp(bare, shown) != 0) {
        hwl_error error = {.offset = HWL_NO_OFFSET};
        hwl_settings *trial = NULL;
        const bool good = hwl_settings_new(&trial) == HWL_OK && (!*bare || hwl_settings_set(trial, n->row.control->option, bare, &error) == HWL_OK);
        hwl_settings_free(trial);
        if (good) {
            gtk_widget_remove_css_class(entry, "wrong");
            hwl_desk_set(n->row.desk, n->row.control->option, *bare ? bare : NULL);
        } else {
            gtk_widget_add_css_class(entry, "wrong");
            hwl_ui_set(n->sentence, error.message);
        }
    }
    g_free(bare);
}

static void left(GtkEventControllerFocus *focus, void *user)
{
    struct number_row *n = user;
    (void)focus;
    typed(n->entry, n);
}

/* Two powers of two above what fits: the useful part of the slider stays wide. It never cuts off the value in force. */
static double top_of(const struct number_row *n, const hwl_range *range, double value)
{
    double top = (double)range->most;
    const double least = strcmp(n->row.control->unit, "tokens") == 0 ? 32768 : 64;
    if (range->limit != HWL_UNKNOWN && !range->falling && top > least) {
        const double want = exp2(ceil(log2((double)range->limit + 1)) + 1);
        top = want < least ? least : want < top ? want : top;
    }
    return top < value ? value : top;
}

static void set_range(struct number_row *n, double value)
{
    GtkAdjustment *a = gtk_range_get_adjustment(GTK_RANGE(n->slider));
    const hwl_range *r = hwl_desk_range(n->row.desk, n->row.control->option);
    const struct hwl_session *s = hwl_desk_session(n->row.desk);
    double low = 0, high = value > 1 ? value : 1;
    if (is_share(n)) {
        low = 0.01;
        high = 1;
    } else if (is_bytes(n)) {
        const hwl_device *d = s->devices ? hwl_devices_get(s->devices, 0) : NULL;
        high = d && d->memory_bytes != HWL_UNKNOWN ? floor((double)d->memory_bytes / 2 / RESERVE_STEP) * RESERVE_STEP : 16 * 1024 * MIB;
        high = high < value ? value : high;
    } else if (r) {
        low = (double)r->least < value ? (double)r->least : value;
        high = top_of(n, r, value);
    }
    if (high <= low)
        high = low + 1;
    gtk_widget_set_sensitive(n->slider, is_share(n) || is_bytes(n) || !r || r->most > r->least);
    if (!n->dragging) {
        gtk_adjustment_configure(a, value, low, high, is_share(n) ? 0.01 : 1, is_share(n) ? 0.05 : 1, 0);
    } else if (fabs(gtk_adjustment_get_value(a) - value) > 1e-9) {
        gtk_adjustment_set_value(a, value);
    }
    hwl_slider_set_marks(HWL_SLIDER(n->slider), r && r->recommended != HWL_UNKNOWN ? (double)r->recommended : -1,
                         !r ? -1 : r->limit != HWL_UNKNOWN ? (double)r->limit : r->falling ? high : low, r && r->falling);
}

static void refresh(struct hwl_row *row)
{
    struct number_row *n = (struct number_row *)row;
    const struct hwl_session *s = hwl_desk_session(row->desk);
    char text[64], sentence[256];
    const double value = current(n);
    row->quiet = true;
    set_range(n, value);
    row->quiet = false;
    write_value(n, value, text, sizeof text);
    if (!gtk_widget_has_focus(n->entry) && !(gtk_widget_get_state_flags(n->entry) & GTK_STATE_FLAG_FOCUS_WITHIN) &&
        strcmp(gtk_editable_get_text(GTK_EDITABLE(n->entry)), text) != 0)
        gtk_editable_set_text(GTK_EDITABLE(n->entry), text);
    gtk_widget_remove_css_class(n->entry, "wrong");
    if (is_bytes(n)) {
        char bytes[40];
        g_snprintf(sentence, sizeof sentence, "%s kept free on each device", hwl_bytes_text((uint64_t)value, bytes, sizeof bytes));
    } else if (is_share(n)) {
        g_snprintf(sentence, sizeof sentence, "%.0f %% of each GPU for the engine", value * 100);
    } else {
        (void)hwl_view_control_sentence(row->control, s->failed ? NULL : s->plan, hwl_desk_range(row->desk, row->control->option), sentence,
                                        sizeof sentence);
    }
    hwl_ui_set(n->sentence, sentence);
    hwl_ui_describe(n->slider, sentence);
}

bool hwl_number_row_jump(struct hwl_row *row, bool limit)
{
    const hwl_range *r = row->refresh == refresh ? hwl_desk_range(row->desk, row->control->option) : NULL;
    const uint64_t to = !r ? HWL_UNKNOWN : limit ? r->limit : r->recommended;
    if (to == HWL_UNKNOWN)
        return false;
    apply((struct number_row *)row, (double)to);
    return true;
}

struct hwl_row *hwl_number_row_new(HwlDesk *desk, const struct hwl_control *control)
{
    struct number_row *n = g_new0(struct number_row, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *top = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    GtkWidget *label = hwl_ui_short_label(control->label, "");
    char name[96];
    n->row = (struct hwl_row){.control = control, .desk = desk, .widget = adw_preferences_row_new(), .refresh = refresh};
    n->slider = hwl_slider_new();
    n->entry = gtk_entry_new();
    n->sentence = hwl_ui_label("", "dim small number");
    gtk_widget_set_hexpand(label, TRUE);
    gtk_editable_set_width_chars(GTK_EDITABLE(n->entry), 9);
    gtk_editable_set_max_width_chars(GTK_EDITABLE(n->entry), 9);
    gtk_entry_set_alignment(GTK_ENTRY(n->entry), 1);
    gtk_widget_add_css_class(n->entry, "number");
    gtk_widget_add_css_class(box, "control");
    hwl_ui_name(n->row.widget, control->label);
    hwl_ui_name(n->slider, control->label);
    g_snprintf(name, sizeof name, "%s, exact value", control->label);
    hwl_ui_name(n->entry, name);
    gtk_box_append(GTK_BOX(top), label);
    gtk_box_append(GTK_BOX(top), n->entry);
    gtk_box_append(GTK_BOX(box), top);
    gtk_box_append(GTK_BOX(box), n->slider);
    gtk_box_append(GTK_BOX(box), n->sentence);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(n->row.widget), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(n->row.widget), FALSE);
    gtk_widget_set_focusable(n->row.widget, FALSE);
    g_signal_connect(n->slider, "change-value", G_CALLBACK(change_value), n);
    g_signal_connect(n->slider, "value-changed", G_CALLBACK(value_changed), n);
    g_signal_connect(n->entry, "activate", G_CALLBACK(typed), n);
    GtkEventController *focus = gtk_event_controller_focus_new();
    g_signal_connect(focus, "leave", G_CALLBACK(left), n);
    gtk_widget_add_controller(n->entry, focus);
    hwl_row_attach(&n->row);
    return &n->row;
}
