/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_GTK_PREFS_H
#define HWL_GTK_PREFS_H

#include "gtk/ask.h"

/* What is remembered between runs, in the user's state folder: the last plan and the models opened of late. */
#define HWL_RECENT 12

void hwl_prefs_save_last(const struct hwl_ask *ask);
struct hwl_ask *hwl_prefs_load_last(void); /* NULL: none, or one that cannot be read */
void hwl_prefs_add_recent(const char *model);
char **hwl_prefs_recent(void); /* newest first; free with g_strfreev */

#endif
