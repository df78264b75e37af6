/* SPDX-License-Identifier: Apache-2.0 */
/* Up to four plans put aside, side by side on one scale, with the difference from the first. */
#include "gtk/cards.h"

#include "gtk/bar.h"
#include "gtk/theme.h"
#include "gtk/ui.h"
#include "view/view.h"

#include <string.h>

#define COLUMN_CHARS 24

struct compare {
    HwlDesk *desk;
    GtkWidget *columns, *empty;
};

static uint64_t total_of(const hwl_plan *plan)
{
    uint64_t sum = 0;
    for (int k = 0; k < HWL_KIND_COUNT; k++)
        sum += hwl_plan_total(plan, (hwl_kind)k);
    return sum;
}

/* "12.34 GiB", and against the first "+1.20 GiB" or "the same". */
static GtkWidget *figure(const char *label, uint64_t bytes, uint64_t first, bool is_first)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *top = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *name = hwl_ui_short_label(label, strcmp(label, "all") == 0 ? "small heading" : "small");
    char text[64], other[40], exact[40], sentence[200], difference[64] = "";
    gtk_widget_set_hexpand(name, TRUE);
    gtk_box_append(GTK_BOX(top), name);
    gtk_box_append(GTK_BOX(top), hwl_ui_short_label(hwl_view_bytes(bytes, text, sizeof text), "number"));
    gtk_box_append(GTK_BOX(box), top);
    if (!is_first && bytes != first)
        g_snprintf(difference, sizeof difference, "%s%s", bytes > first ? "+" : "−",
                   hwl_view_bytes(bytes > first ? bytes - first : first - bytes, other, sizeof other));
    else if (!is_first)
        g_strlcpy(difference, "the same", sizeof difference);
    GtkWidget *d = hwl_ui_short_label(difference, "dim small number");
    gtk_label_set_xalign(GTK_LABEL(d), 1);
    gtk_box_append(GTK_BOX(box), d);
    gtk_widget_add_css_class(box, "compare-cell");
    g_snprintf(sentence, sizeof sentence, "%s %s bytes%s%s", label, hwl_count_text(bytes, exact, sizeof exact), *difference ? ", " : "", difference);
    hwl_ui_name(box, sentence);
    return box;
}

static void removed(GtkButton *button, GtkWidget *page)
{
    struct compare *c = g_object_get_data(G_OBJECT(page), "hwl-compare");
    hwl_session_unpin(hwl_desk_session(c->desk), GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(button), "hwl-index")));
    hwl_compare_page_refresh(page);
}

static void back(GtkButton *button, GtkWidget *page)
{
    struct compare *c = g_object_get_data(G_OBJECT(page), "hwl-compare");
    const guint i = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(button), "hwl-index"));
    const struct hwl_session *s = hwl_desk_session(c->desk);
    if (i < s->n_pins)
        hwl_desk_open_ask(c->desk, hwl_ask_copy(s->pin[i].ask));
}

static GtkWidget *button_of(GtkWidget *page, const char *icon, const char *name, guint index, GCallback run)
{
    GtkWidget *b = hwl_ui_icon_button(icon, name, NULL);
    gtk_widget_add_css_class(b, "flat");
    g_object_set_data(G_OBJECT(b), "hwl-index", GUINT_TO_POINTER(index));
    g_signal_connect(b, "clicked", G_CALLBACK(run), page);
    return b;
}

/* A class that none of the plans has is left out. */
static bool anywhere(const struct hwl_session *s, hwl_kind kind)
{
    for (uint32_t i = 0; i < s->n_pins; i++)
        if (hwl_plan_total(s->pin[i].plan, kind))
            return true;
    return false;
}

static GtkWidget *column(GtkWidget *page, const struct hwl_session *s, uint32_t i, const uint64_t scale[2])
{
    const struct hwl_pin *pin = &s->pin[i];
    struct hwl_view_model view = {0};
    hwl_model_info m;
    GtkWidget *box, *card = hwl_ui_card(NULL, &box), *head = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
    char text[400], line[500], name[160], quant[64], a[40], b[40];
    uint64_t sequences = 0;
    hwl_model_get_info(hwl_plan_model(pin->plan), &m);
    if (!hwl_view_update(&view, pin->plan, true, 0))
        return card;
    GtkWidget *title = hwl_ui_label(hwl_view_clean(m.name, name, sizeof name), "heading");
    gtk_widget_set_hexpand(title, TRUE);
    gtk_box_append(GTK_BOX(head), title);
    gtk_box_append(GTK_BOX(head), button_of(page, "edit-undo-symbolic", "Back to this plan", i, G_CALLBACK(back)));
    gtk_box_append(GTK_BOX(head), button_of(page, "window-close-symbolic", "Remove from the comparison", i, G_CALLBACK(removed)));
    gtk_box_append(GTK_BOX(box), head);
    const uint64_t context = hwl_plan_context(pin->plan, &sequences);
    (void)hwl_settings_get(pin->ask->settings, "quant", quant, sizeof quant);
    g_snprintf(text, sizeof text, "%s %s%s%s\ncontext %s × %s", hwl_plan_engine(pin->plan), hwl_plan_engine_version(pin->plan), *quant ? ", " : "", quant,
               hwl_count_text(context, a, sizeof a), hwl_count_text(sequences, b, sizeof b));
    gtk_box_append(GTK_BOX(box), hwl_ui_label(text, "dim small number"));
    GtkWidget *verdict = hwl_ui_label(hwl_ui_unbroken(hwl_view_headline(&view, text, sizeof text), line, sizeof line), "number");
    gtk_label_set_max_width_chars(GTK_LABEL(verdict), COLUMN_CHARS); /* it wraps, so that plans stand side by side */
    gtk_label_set_max_width_chars(GTK_LABEL(title), COLUMN_CHARS);
    hwl_theme_set_level(verdict, view.level);
    gtk_box_append(GTK_BOX(box), verdict);
    for (uint32_t d = 0; d < view.n_devices; d++)
        if (!(view.device[d].idle && view.device[d].host)) {
            GtkWidget *bar = hwl_bar_new();
            hwl_bar_set(HWL_BAR(bar), &view.device[d], scale[view.device[d].host]);
            gtk_box_append(GTK_BOX(box), hwl_ui_short_label(view.device[d].id, "small"));
            gtk_box_append(GTK_BOX(box), bar);
        }
    for (int k = 0; k < HWL_KIND_COUNT; k++)
        if (anywhere(s, (hwl_kind)k))
            gtk_box_append(GTK_BOX(box), figure(hwl_view_segment_label((uint32_t)k), hwl_plan_total(pin->plan, (hwl_kind)k),
                                            hwl_plan_total(s->pin[0].plan, (hwl_kind)k), !i));
    gtk_box_append(GTK_BOX(box), figure("all", total_of(pin->plan), total_of(s->pin[0].plan), !i));
    gtk_widget_set_size_request(card, 240, -1);
    g_snprintf(text, sizeof text, "Plan %u: %s", i + 1, name);
    hwl_ui_name(card, text);
    hwl_view_clear(&view);
    return card;
}

/* One scale for GPUs, one for hosts: bars of a kind can be compared by eye. */
static uint64_t scale_of(const struct hwl_session *s, bool host)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < s->n_pins; i++)
        for (uint32_t d = 0; d < hwl_plan_n_devices(s->pin[i].plan); d++) {
            const hwl_plan_device *p = hwl_plan_get_device(s->pin[i].plan, d);
            const uint64_t own = p->usable_bytes == HWL_UNKNOWN || p->used_bytes > p->usable_bytes ? p->used_bytes : p->usable_bytes;
            if (p->used_bytes && own > most && (p->device->kind == HWL_DEVICE_CPU) == host)
                most = own;
        }
    return most;
}

void hwl_compare_page_refresh(GtkWidget *page)
{
    struct compare *c = g_object_get_data(G_OBJECT(page), "hwl-compare");
    const struct hwl_session *s = hwl_desk_session(c->desk);
    hwl_ui_clear(c->columns);
    const uint64_t scale[2] = {scale_of(s, false), scale_of(s, true)};
    for (uint32_t i = 0; i < s->n_pins; i++)
        gtk_flow_box_insert(GTK_FLOW_BOX(c->columns), column(page, s, i, scale), -1);
    gtk_widget_set_visible(c->empty, !s->n_pins);
    gtk_widget_set_visible(c->columns, s->n_pins > 0);
}

GtkWidget *hwl_compare_page_new(HwlDesk *desk)
{
    struct compare *c = g_new0(struct compare, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    c->desk = desk;
    c->columns = gtk_flow_box_new();
    c->empty = adw_status_page_new();
    gtk_flow_box_set_selection_mode(GTK_FLOW_BOX(c->columns), GTK_SELECTION_NONE);
    gtk_flow_box_set_max_children_per_line(GTK_FLOW_BOX(c->columns), HWL_PINS);
    gtk_flow_box_set_min_children_per_line(GTK_FLOW_BOX(c->columns), 1);
    gtk_flow_box_set_homogeneous(GTK_FLOW_BOX(c->columns), TRUE);
    gtk_flow_box_set_column_spacing(GTK_FLOW_BOX(c->columns), 6);
    gtk_widget_set_valign(c->columns, GTK_ALIGN_START);
    hwl_ui_name(c->columns, "Plans put aside");
    adw_status_page_set_title(ADW_STATUS_PAGE(c->empty), "Nothing to compare yet");
    adw_status_page_set_description(ADW_STATUS_PAGE(c->empty), "Ctrl+P puts the plan aside. Up to four stand side by side.");
    adw_status_page_set_icon_name(ADW_STATUS_PAGE(c->empty), "view-dual-symbolic");
    gtk_widget_add_css_class(box, "padded");
    gtk_box_append(GTK_BOX(box), c->empty);
    gtk_box_append(GTK_BOX(box), c->columns);
    GtkWidget *page = hwl_ui_scrolled(box, 1200);
    g_object_set_data_full(G_OBJECT(page), "hwl-compare", c, g_free);
    hwl_compare_page_refresh(page);
    return page;
}
