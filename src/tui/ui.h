/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_TUI_UI_H
#define HWL_TUI_UI_H

#include "tui/cells.h"
#include "tui/desk.h"
#include "view/watch.h"

/* The planner as a person meets it: where the focus is, what lies over it, what a key or the mouse does. Knows no terminal. */

enum tui_area { TUI_AREA_CONTROLS, TUI_AREA_MEMORY, TUI_AREA_LAYERS, TUI_AREA_ADVICE, TUI_AREAS };

enum tui_popup {
    TUI_NONE,
    TUI_MODELS,
    TUI_DEVICES,
    TUI_ENGINES,
    TUI_CHOICES, /* of the control in focus */
    TUI_ENTRY,   /* a value typed for it */
    TUI_LINES,   /* text to read: explanation, help, comparison, charts */
    TUI_EXPORT,
};

/* Keys beyond characters. */
enum tui_key {
    TUI_KEY_NONE,
    TUI_KEY_UP = 0x110000,
    TUI_KEY_DOWN,
    TUI_KEY_LEFT,
    TUI_KEY_RIGHT,
    TUI_KEY_PAGE_UP,
    TUI_KEY_PAGE_DOWN,
    TUI_KEY_HOME,
    TUI_KEY_END,
    TUI_KEY_ENTER,
    TUI_KEY_ESCAPE,
    TUI_KEY_TAB,
    TUI_KEY_BACKTAB,
    TUI_KEY_BACKSPACE,
    TUI_KEY_DELETE,
    TUI_KEY_F1,
    TUI_KEY_F2,
    TUI_KEY_CLICK, /* at x, y */
    TUI_KEY_WHEEL_UP,
    TUI_KEY_WHEEL_DOWN,
    TUI_KEY_ALT = 0x200000, /* added to a character */
};
struct tui_event {
    uint32_t key;
    int x, y;
};

struct tui_item {
    char *text, *value;
};

/* A rectangle of the screen and what a click there means. */
struct tui_hit {
    int x, y, width, height;
    uint8_t area;     /* enum tui_area; TUI_AREAS: a key is pressed */
    uint32_t index;   /* of the area; or the key */
    bool slider;      /* the place in it counts */
};
#define TUI_HITS 600
#define TUI_HEAT_LEFT 14 /* where the columns of the heatmap begin */

struct tui_ui {
    struct tui_desk desk;
    struct tui_grid grid;
    enum tui_area area;
    uint32_t at[TUI_AREAS];    /* selected line of each area */
    uint32_t heat_row;         /* of the layers */
    uint32_t top;              /* first control that is shown */
    uint32_t first_device;     /* that the memory box shows, where there are more than it has room for */
    enum tui_popup popup;
    char title[96];
    struct tui_item *item;
    uint32_t n_items, cap_items, sel, scroll;
    char typed[128];
    struct tui_hit hit[TUI_HITS];
    uint32_t n_hits;
    bool monitor;              /* the monitor's page is shown */
    uint32_t page_top;         /* its first line that is in sight */
    struct hwl_watch live;
    bool quit;
    uint8_t theme;             /* index of the terminal's themes */
    uint32_t jump;             /* a key that waits for the marks of the control in focus, 0 none */
    bool idle_left;            /* something is to be worked out when no key waits */
    /* what the program does outside: NULL where it cannot */
    void *user;
    void (*open_model)(void *user, const char *name); /* starts reading; the desk gets the model later */
    void (*copy)(void *user, const char *text);
    char reading[160];         /* what is being read, "" nothing */
    const struct hwl_open_options *stores; /* for the list of models; NULL: the catalogue alone */
    const hwl_probe_options *probe;
};

void tui_ui_free(struct tui_ui *ui);
void tui_ui_event(struct tui_ui *ui, struct tui_event event);
/* Works out one thing that a picture would like to have (marks of a slider, advice): true while there is more. */
bool tui_ui_idle(struct tui_ui *ui);
/* Answers of a worker have come: a key that waited for them is taken, an open chart is drawn again. */
void tui_ui_came(struct tui_ui *ui);
/* Draws everything into the grid. */
void tui_ui_draw(struct tui_ui *ui);

/* parts, each in a file of its own */
void tui_draw_planner(struct tui_ui *ui);
void tui_draw_controls(struct tui_ui *ui, int x, int y, int width, int height);
void tui_draw_memory(struct tui_ui *ui, int x, int y, int width, int height);
void tui_draw_layers(struct tui_ui *ui, int y, int height);
void tui_draw_advice(struct tui_ui *ui, int y, int height);
void tui_draw_monitor(struct tui_ui *ui);
void tui_draw_popup(struct tui_ui *ui);
void tui_hit(struct tui_ui *ui, int x, int y, int width, int height, uint8_t area, uint32_t index, bool slider);
/* The value of a control: what the plan says, and while there is trouble what was asked for. */
const char *tui_value(const struct tui_ui *ui, const struct hwl_control *control, char *buf, uint64_t size);
uint32_t tui_memory_lines(const struct tui_ui *ui); /* that the box of memory would like to have */
uint32_t tui_memory_rows(const struct tui_ui *ui); /* lines that can be selected */

void tui_popup_open(struct tui_ui *ui, enum tui_popup popup, const char *title);
int tui_popup_width(const struct tui_ui *ui);
void tui_popup_close(struct tui_ui *ui);
void tui_popup_add(struct tui_ui *ui, const char *text, const char *value);
bool tui_popup_event(struct tui_ui *ui, struct tui_event event); /* false: not its business */
void tui_popup_models(struct tui_ui *ui);
void tui_popup_devices(struct tui_ui *ui);
void tui_popup_engines(struct tui_ui *ui);
void tui_popup_choices(struct tui_ui *ui);
void tui_popup_export(struct tui_ui *ui);
void tui_popup_help(struct tui_ui *ui);
void tui_popup_compare(struct tui_ui *ui);
void tui_popup_charts(struct tui_ui *ui);
void tui_popup_explain(struct tui_ui *ui);
/* Items that the typed text leaves: the index of the n-th, or UINT32_MAX. */
uint32_t tui_popup_shown(const struct tui_ui *ui, uint32_t n);
void tui_export_run(struct tui_ui *ui, const char *what);

#endif
