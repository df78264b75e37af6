/* SPDX-License-Identifier: Apache-2.0 */
/* Hatching: what colour says, said without colour. */
#include "gtk/pattern.h"

#include <math.h>
#include <string.h>

#define STEP 6.0

static void lines(cairo_t *cr, double x0, double y0, double w, double h, const char *pattern)
{
    const bool cross = strcmp(pattern, "cross") == 0;
    if (cross || strcmp(pattern, "diagonal") == 0)
        for (double x = floor((x0 - h) / STEP) * STEP; x < x0 + w; x += STEP) {
            cairo_move_to(cr, x, y0 + h);
            cairo_line_to(cr, x + h, y0);
        }
    if (cross)
        for (double x = floor((x0 - h) / STEP) * STEP; x < x0 + w; x += STEP) {
            cairo_move_to(cr, x, y0);
            cairo_line_to(cr, x + h, y0 + h);
        }
    if (strcmp(pattern, "horizontal") == 0)
        for (double y = y0 + STEP / 2; y < y0 + h; y += STEP) {
            cairo_move_to(cr, x0, y);
            cairo_line_to(cr, x0 + w, y);
        }
    if (strcmp(pattern, "vertical") == 0)
        for (double x = x0 + STEP / 2; x < x0 + w; x += STEP) {
            cairo_move_to(cr, x, y0);
            cairo_line_to(cr, x, y0 + h);
        }
    cairo_stroke(cr);
    if (strcmp(pattern, "dots") == 0)
        for (double y = y0 + STEP / 2; y < y0 + h; y += STEP)
            for (double x = x0 + STEP / 2; x < x0 + w; x += STEP) {
                cairo_arc(cr, x, y, 1.1, 0, 2 * G_PI);
                cairo_fill(cr);
            }
}

void hwl_pattern_draw(GtkSnapshot *snapshot, const graphene_rect_t *rect, const char *pattern, const GdkRGBA *colour)
{
    if (rect->size.width < 2 || strcmp(pattern, "solid") == 0 || strcmp(pattern, "empty") == 0)
        return;
    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, rect);
    gdk_cairo_set_source_rgba(cr, colour);
    cairo_set_line_width(cr, 1);
    lines(cr, (double)rect->origin.x, (double)rect->origin.y, (double)rect->size.width, (double)rect->size.height, pattern);
    cairo_destroy(cr);
}
