/* SPDX-License-Identifier: Apache-2.0 */
/* tui_screen WxH[:ascii] [NAME=VALUE ...] [-- KEY ...]: what the terminal planner would show, as text. Names are options, and model, gpu,
 * ram, root and nvml (of the machine that is watched). Keys are characters, words (up, enter, alt-1), click:X,Y; "idle" works out what a waiting screen would have. */
#include "tui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint32_t key;
} keys[] = {{"up", TUI_KEY_UP},       {"down", TUI_KEY_DOWN},      {"left", TUI_KEY_LEFT},    {"right", TUI_KEY_RIGHT}, {"pgup", TUI_KEY_PAGE_UP},
            {"pgdn", TUI_KEY_PAGE_DOWN}, {"home", TUI_KEY_HOME},   {"end", TUI_KEY_END},      {"enter", TUI_KEY_ENTER}, {"esc", TUI_KEY_ESCAPE},
            {"tab", TUI_KEY_TAB},     {"backtab", TUI_KEY_BACKTAB}, {"backspace", TUI_KEY_BACKSPACE}, {"f1", TUI_KEY_F1}, {"space", ' '}};

static void fail(const char *what, const hwl_error *e)
{
    char text[1200];
    (void)fprintf(stderr, "tui_screen: %s: %s\n", what, e ? hwl_error_text(e, text, sizeof text) : "");
    exit(1);
}

static void open_model(void *user, const char *name)
{
    struct tui_ui *ui = user;
    hwl_model *model = NULL;
    hwl_error error = {.offset = HWL_NO_OFFSET};
    if (hwl_model_open(name, NULL, &model, &error) == HWL_OK)
        (void)tui_desk_take_model(&ui->desk, model, name);
    else
        (void)snprintf(ui->desk.notice, sizeof ui->desk.notice, "%.190s", error.message);
}

static void option(struct tui_ui *ui, char *arg, const char **model)
{
    hwl_error e = {.offset = HWL_NO_OFFSET};
    hwl_status status = HWL_OK;
    char *value = strchr(arg, '=');
    if (!value)
        fail(arg, NULL);
    *value++ = 0;
    static hwl_probe_options probe;
    ui->probe = &probe;
    if (strcmp(arg, "root") == 0)
        probe.root = value;
    else if (strcmp(arg, "nvml") == 0)
        probe.nvml = value;
    else if (strcmp(arg, "model") == 0)
        *model = value;
    else if (strcmp(arg, "gpu") == 0)
        status = hwl_devices_add_gpu(ui->desk.devices, value, &e);
    else if (strcmp(arg, "ram") == 0)
        hwl_devices_set_ram(ui->desk.devices, strtoull(value, NULL, 10) << 30, strtoull(value, NULL, 10) << 30);
    else
        status = hwl_settings_set(ui->desk.settings, arg, value, &e);
    if (status != HWL_OK)
        fail(arg, &e);
}

static void press(struct tui_ui *ui, const char *word)
{
    struct tui_event e = {.key = (unsigned char)*word};
    if (strncmp(word, "look:", 5) == 0) {
        hwl_watch_look(&ui->live, ui->probe, NULL, strtoull(word + 5, NULL, 10));
        return;
    }
    if (strcmp(word, "idle") == 0) {
        while (tui_ui_idle(ui))
            ;
        return;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].name, word) == 0)
            e.key = keys[i].key;
    if (sscanf(word, "click:%d,%d", &e.x, &e.y) == 2)
        e.key = TUI_KEY_CLICK;
    else if (strncmp(word, "alt-", 4) == 0)
        e.key = TUI_KEY_ALT + (unsigned char)word[4];
    else if (word[1] && e.key < 0x110000) /* text */
        for (; word[1]; word++)
            tui_ui_event(ui, (struct tui_event){.key = (unsigned char)*word});
    if (e.key < 0x110000)
        e.key = (unsigned char)*word;
    tui_ui_event(ui, e);
    tui_ui_draw(ui); /* clicks go by what is seen */
}

int main(int argc, char **argv)
{
    struct tui_ui *ui = calloc(1, sizeof *ui);
    const char *model = NULL;
    int width = 80, height = 24, i = 2;
    if (argc < 2 || !ui || sscanf(argv[1], "%dx%d", &width, &height) != 2)
        return 2;
    ui->grid.ascii = strstr(argv[1], ":ascii") != NULL;
    ui->user = ui;
    ui->open_model = open_model;
    if (!tui_grid_size(&ui->grid, width, height) || hwl_devices_new(&ui->desk.devices) != HWL_OK || hwl_settings_new(&ui->desk.settings) != HWL_OK)
        return 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        option(ui, argv[i], &model);
    if (model)
        open_model(ui, model);
    tui_ui_draw(ui);
    for (i++; i < argc; i++)
        press(ui, argv[i]);
    tui_ui_draw(ui);
    char *text = tui_dump(&ui->grid);
    (void)fputs(text ? text : "", stdout);
    free(text);
    tui_ui_free(ui);
    free(ui);
    return 0;
}
