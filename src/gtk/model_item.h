/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_MODEL_ITEM_H
#define HWL_GTK_MODEL_ITEM_H

#include <gio/gio.h>

/* A row of a chooser: what opens it, what is shown. */
#define HWL_TYPE_MODEL_ITEM (hwl_model_item_get_type())
G_DECLARE_FINAL_TYPE(HwlModelItem, hwl_model_item, HWL, MODEL_ITEM, GObject)

HwlModelItem *hwl_model_item_new(const char *name, const char *detail, const char *more); /* more: searched, not shown */
const char *hwl_model_item_name(HwlModelItem *item);
const char *hwl_model_item_detail(HwlModelItem *item);
gboolean hwl_model_item_matches(HwlModelItem *item, const char *words); /* every word stands somewhere */

#endif
