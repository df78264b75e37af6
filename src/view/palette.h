/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_VIEW_PALETTE_H
#define HWL_VIEW_PALETTE_H

#include "view/model.h"

/* Colours as 0xRRGGBB. Safe for red-green blindness: blue, teal, purple, amber, sky, grey; neighbours differ in lightness too.
 * Every pair of text and ground has a contrast of 4.5:1 at least (7:1 in the contrast schemes): a test counts it. */
enum hwl_scheme { HWL_SCHEME_LIGHT, HWL_SCHEME_DARK, HWL_SCHEME_CONTRAST_LIGHT, HWL_SCHEME_CONTRAST_DARK, HWL_SCHEME_COUNT };

struct hwl_palette {
    uint32_t page, ground, text, dim, line; /* behind the cards, cards, text on both, lesser text, borders */
    uint32_t segment[HWL_VIEW_SEGMENTS];   /* fills, free last */
    uint32_t on_segment[HWL_VIEW_SEGMENTS]; /* text on them */
    uint32_t level[HWL_LEVEL_COUNT];       /* text of the verdict on ground, fill of the gauge */
    uint32_t heat[2];                      /* least and most of the heatmap */
    uint32_t mark;                         /* limit and recommended marks */
};
const struct hwl_palette *hwl_view_palette(enum hwl_scheme scheme);
uint32_t hwl_view_heat_colour(const struct hwl_palette *palette, uint8_t shade); /* 0 .. 8: a step between heat[0] and heat[1] */
/* Contrast ratio of WCAG 2 times 100: 450 is 4.5:1. */
unsigned hwl_view_contrast(uint32_t a, uint32_t b);
const char *hwl_view_pattern(uint32_t segment); /* hatching for print and high contrast: "solid", "diagonal", "dots" ... */

#endif
