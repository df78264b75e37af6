/* SPDX-License-Identifier: Apache-2.0 */
/* The shared palette in GTK: every colour of this program comes from view/palette.c, so that its contrast is judged in one place. */
#include "gtk/theme.h"

#include <string.h>

static enum hwl_scheme scheme(void)
{
    AdwStyleManager *m = adw_style_manager_get_default();
    const bool dark = adw_style_manager_get_dark(m);
    if (hwl_theme_contrast())
        return dark ? HWL_SCHEME_CONTRAST_DARK : HWL_SCHEME_CONTRAST_LIGHT;
    return dark ? HWL_SCHEME_DARK : HWL_SCHEME_LIGHT;
}

bool hwl_theme_contrast(void)
{
    return adw_style_manager_get_high_contrast(adw_style_manager_get_default());
}

const struct hwl_palette *hwl_theme_palette(void)
{
    return hwl_view_palette(scheme());
}

GdkRGBA hwl_theme_rgba(uint32_t rgb)
{
    return (GdkRGBA){(float)(rgb >> 16 & 0xff) / 255.0f, (float)(rgb >> 8 & 0xff) / 255.0f, (float)(rgb & 0xff) / 255.0f, 1};
}

const char *hwl_theme_level_class(enum hwl_level level)
{
    static const char *const names[HWL_LEVEL_COUNT] = {"level-green", "level-yellow", "level-red", "level-over", "level-unknown"};
    return names[level < HWL_LEVEL_COUNT ? level : HWL_LEVEL_UNKNOWN];
}

void hwl_theme_set_level(GtkWidget *widget, enum hwl_level level)
{
    for (int i = 0; i < HWL_LEVEL_COUNT; i++)
        if (i != (int)level)
            gtk_widget_remove_css_class(widget, hwl_theme_level_class((enum hwl_level)i));
    gtk_widget_add_css_class(widget, hwl_theme_level_class(level));
}

static void load(GtkCssProvider *provider)
{
    const struct hwl_palette *p = hwl_theme_palette();
    GString *css = g_string_new(NULL);
    g_string_append_printf(css, "@define-color card_bg_color #%06x;\n@define-color card_fg_color #%06x;\n", p->ground, p->text);
    g_string_append_printf(css, "@define-color window_bg_color #%06x;\n@define-color window_fg_color #%06x;\n", p->page, p->text);
    /* libadwaita makes subtitles half transparent: less than 4.5:1 */
    g_string_append_printf(css, "label.dim, row .subtitle { color: #%06x; opacity: 1; }\n", p->dim);
    g_string_append_printf(css, ".card { border: 1px solid #%06x; }\n", hwl_theme_contrast() ? p->line : p->ground);
    for (int i = 0; i < HWL_LEVEL_COUNT; i++) {
        const char *name = hwl_theme_level_class((enum hwl_level)i);
        g_string_append_printf(css, "label.%s { color: #%06x; }\n", name, p->level[i]);
    }
    gtk_css_provider_load_from_data(provider, css->str, -1);
    g_string_free(css, TRUE);
}

static void changed(AdwStyleManager *manager, GParamSpec *pspec, void *provider)
{
    (void)manager;
    (void)pspec;
    load(provider);
}

void hwl_theme_start(void)
{
    GdkDisplay *display = gdk_display_get_default();
    GtkCssProvider *fixed = gtk_css_provider_new(), *colours = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(fixed, "/org/hwledger/Desktop/style.css");
    gtk_style_context_add_provider_for_display(display, GTK_STYLE_PROVIDER(fixed), GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    gtk_style_context_add_provider_for_display(display, GTK_STYLE_PROVIDER(colours), GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + 1);
    AdwStyleManager *m = adw_style_manager_get_default();
    g_signal_connect_data(m, "notify::dark", G_CALLBACK(changed), g_object_ref(colours), (GClosureNotify)(void (*)(void))g_object_unref, 0);
    g_signal_connect(m, "notify::high-contrast", G_CALLBACK(changed), colours);
    load(colours);
    g_object_unref(fixed);
    g_object_unref(colours);
}

void hwl_theme_watch(GtkWidget *widget)
{
    AdwStyleManager *m = adw_style_manager_get_default();
    g_signal_connect_object(m, "notify::dark", G_CALLBACK(gtk_widget_queue_draw), widget, G_CONNECT_SWAPPED);
    g_signal_connect_object(m, "notify::high-contrast", G_CALLBACK(gtk_widget_queue_draw), widget, G_CONNECT_SWAPPED);
}
