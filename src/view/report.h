/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_REPORT_H
#define HWL_VIEW_REPORT_H

#include "view/model.h"

#include <stdio.h>

/* A plan as a picture, and as a page that holds it: self-contained, light and dark by themselves, readable by a screen reader.
 * Foreign text is escaped. Errors of out are the caller's to look at (ferror). */
void hwl_view_svg(FILE *out, struct hwl_view_model *view);
/* The same as a part of a page, which has the verdict in its own words when it is not headed. */
void hwl_view_picture(FILE *out, struct hwl_view_model *view, bool headed);
struct hwl_view_report {
    struct hwl_view_model *view;
    const hwl_limits *limits; /* NULL: none */
    const hwl_advice *advice;
    uint32_t n_advice;
    const hwl_settings *settings;
};
void hwl_view_html(FILE *out, const struct hwl_view_report *report);

/* Text inside elements and quoted attributes of HTML and XML: markup escaped, what is no UTF-8 or no XML character '?'. */
void hwl_view_escape(FILE *out, const char *text);

#endif
