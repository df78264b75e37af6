/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_ITEM_LIST_H
#define HWL_GTK_ITEM_LIST_H

#include "gtk/model_item.h"

#include <gtk/gtk.h>

/* A searchable list of items in its scroller; chosen is called with the item that a click or Enter picks. */
GtkWidget *hwl_item_list_new(GListStore *items, GtkWidget *search, const char *name, void (*chosen)(HwlModelItem *item, void *user), void *user);

/* How many items the search leaves. */
guint hwl_item_list_count(GtkWidget *list);

#endif
