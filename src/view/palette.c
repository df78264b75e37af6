/* SPDX-License-Identifier: Apache-2.0 */
/* The colours, and the contrast by which they are judged (WCAG 2.1, relative luminance and contrast ratio). */
#include "view/palette.h"

#include <math.h>

const struct hwl_palette *hwl_view_palette(enum hwl_scheme scheme)
{
    /* In the order weights, KV cache, state, compute, output, overhead, free: dark and light alternate. */
    static const struct hwl_palette rows[HWL_SCHEME_COUNT] = {
        [HWL_SCHEME_LIGHT] = {.page = 0xf3f3f6, .ground = 0xffffff, .text = 0x1c1c1e, .dim = 0x5c5c63, .line = 0xc8c8cd,
            .segment = {0x1a5fb4, 0x9fe3d8, 0x5e2d86, 0xc77700, 0x1d5a74, 0xb9b9c0, 0xededf0},
            .on_segment = {0xffffff, 0x10201e, 0xffffff, 0x000000, 0xffffff, 0x000000, 0x1c1c1e},
            .level = {0x1e7a3c, 0x8a5a00, 0xb3261e, 0x8c0f3c, 0x5c5c63}, .heat = {0xe3ecf7, 0x123f78}, .mark = 0x1c1c1e},
        [HWL_SCHEME_DARK] = {.page = 0x151517, .ground = 0x1e1e20, .text = 0xf2f2f4, .dim = 0xb0b0b8, .line = 0x4a4a50,
            .segment = {0x3a78cc, 0x7fe0cf, 0x9a5cc4, 0xd98a1f, 0x2f7f9e, 0xc4c4cc, 0x333337},
            .on_segment = {0x000000, 0x08201c, 0x000000, 0x000000, 0x000000, 0x000000, 0xf2f2f4},
            .level = {0x6fd48b, 0xf5c24d, 0xff8a80, 0xff7eb0, 0xb0b0b8}, .heat = {0x2a3440, 0x9cc4ff}, .mark = 0xf2f2f4},
        [HWL_SCHEME_CONTRAST_LIGHT] = {.page = 0xffffff, .ground = 0xffffff, .text = 0x000000, .dim = 0x3a3a3e, .line = 0x000000,
            .segment = {0x0b3d7e, 0x8fe6d8, 0x5a1f7d, 0xffcf4d, 0x0a4a63, 0xb4b4ba, 0xffffff},
            .on_segment = {0xffffff, 0x000000, 0xffffff, 0x000000, 0xffffff, 0x000000, 0x000000},
            .level = {0x0c5428, 0x623f00, 0x8a0f0a, 0x6b002b, 0x3a3a3e}, .heat = {0xe8eef6, 0x08264c}, .mark = 0x000000},
        [HWL_SCHEME_CONTRAST_DARK] = {.page = 0x000000, .ground = 0x000000, .text = 0xffffff, .dim = 0xd8d8de, .line = 0xffffff,
            .segment = {0x6cabff, 0xa8fff0, 0xcf9bf2, 0xffdc7a, 0x74cdf0, 0xc8c8d0, 0x000000},
            .on_segment = {0x000000, 0x000000, 0x000000, 0x000000, 0x000000, 0x000000, 0xffffff},
            .level = {0x8ff0aa, 0xffdc7a, 0xffb0a8, 0xffa6cb, 0xd8d8de}, .heat = {0x1a2430, 0xbad6ff}, .mark = 0xffffff},
    };
    return &rows[scheme < HWL_SCHEME_COUNT ? scheme : HWL_SCHEME_LIGHT];
}

static double channel(uint32_t value)
{
    const double c = (double)value / 255;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t rgb)
{
    return 0.2126 * channel(rgb >> 16 & 0xff) + 0.7152 * channel(rgb >> 8 & 0xff) + 0.0722 * channel(rgb & 0xff);
}

unsigned hwl_view_contrast(uint32_t a, uint32_t b)
{
    const double x = luminance(a), y = luminance(b);
    return (unsigned)(((x > y ? x : y) + 0.05) / ((x > y ? y : x) + 0.05) * 100);
}

uint32_t hwl_view_heat_colour(const struct hwl_palette *palette, uint8_t shade)
{
    uint32_t rgb = 0;
    if (!shade)
        return palette->ground;
    const uint32_t step = shade > 8 ? 7 : shade - 1u;
    for (int shift = 16; shift >= 0; shift -= 8) {
        const uint32_t low = palette->heat[0] >> shift & 0xff, high = palette->heat[1] >> shift & 0xff;
        rgb |= (low * (7 - step) + high * step) / 7 << shift;
    }
    return rgb;
}

const char *hwl_view_pattern(uint32_t segment)
{
    static const char *const names[HWL_VIEW_SEGMENTS] = {"solid", "dots", "cross", "diagonal", "horizontal", "vertical", "empty"};
    return names[segment < HWL_VIEW_SEGMENTS ? segment : HWL_VIEW_FREE];
}
