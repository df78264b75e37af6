/* SPDX-License-Identifier: Apache-2.0 */
/* A row of a chooser. */
#include "gtk/model_item.h"

#include <string.h>

struct _HwlModelItem {
    GObject parent_instance;
    char *name, *detail, *folded;
};

G_DEFINE_FINAL_TYPE(HwlModelItem, hwl_model_item, G_TYPE_OBJECT)

static void finalize(GObject *object)
{
    HwlModelItem *i = HWL_MODEL_ITEM(object);
    g_free(i->name);
    g_free(i->detail);
    g_free(i->folded);
    G_OBJECT_CLASS(hwl_model_item_parent_class)->finalize(object);
}

static void hwl_model_item_class_init(HwlModelItemClass *class)
{
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void hwl_model_item_init(HwlModelItem *item)
{
    (void)item;
}

HwlModelItem *hwl_model_item_new(const char *name, const char *detail, const char *more)
{
    HwlModelItem *i = g_object_new(HWL_TYPE_MODEL_ITEM, NULL);
    char *all = g_strconcat(name, " ", detail, " ", more, NULL);
    i->name = g_strdup(name);
    i->detail = g_utf8_make_valid(detail, -1);
    i->folded = g_ascii_strdown(all, -1);
    g_free(all);
    return i;
}

const char *hwl_model_item_name(HwlModelItem *item)
{
    return item->name;
}

const char *hwl_model_item_detail(HwlModelItem *item)
{
    return item->detail;
}

gboolean hwl_model_item_matches(HwlModelItem *item, const char *words)
{
    char *folded = g_ascii_strdown(words, -1), **list = g_strsplit(folded, " ", -1);
    gboolean all = TRUE;
    for (char **w = list; *w && all; w++)
        all = strstr(item->folded, *w) != NULL;
    g_strfreev(list);
    g_free(folded);
    return all;
}
