/* SPDX-License-Identifier: Apache-2.0 */
/* hwledger-tui: what 'hwledger tui' and 'hwledger top' start, with their arguments. A program of its own, so that nothing else waits
 * for a terminal library to load. */
#include "tui/reader.h"
#include "tui/term.h"
#include "tui/worker.h"
#include "view/stores.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

struct program {
    struct tui_ui ui;
    struct hwl_view_stores stores;
    struct tui_reader *reader;
    struct tui_worker *worker; /* NULL: none, then the idle turns work */
    const char *model;
    enum tui_theme theme;
};

static int usage(const char *what, const char *why)
{
    (void)fprintf(stderr, "hwledger: %s%s\n", what, why);
    return 2;
}

static void open_model(void *user, const char *name)
{
    struct program *p = user;
    if (p->reader)
        tui_reader_leave(&p->reader);
    p->reader = tui_reader_start(name, &p->stores.options);
    if (!p->reader)
        (void)snprintf(p->ui.desk.notice, sizeof p->ui.desk.notice, "no memory to read it");
}

static void copy(void *user, const char *text)
{
    (void)user;
    tui_term_copy(text);
}

/* The model that is being read: still underway, or taken. True when the screen has changed. */
static bool follow(struct program *p)
{
    hwl_model *model = NULL;
    hwl_error error;
    char name[512], text[1200], clean[300];
    *p->ui.reading = 0;
    if (!p->reader)
        return false;
    (void)snprintf(name, sizeof name, "%s", tui_reader_name(p->reader));
    if (!tui_reader_take(&p->reader, &model, &error)) {
        (void)snprintf(p->ui.reading, sizeof p->ui.reading, "reading %.80s: %u %%", hwl_view_clean(name, clean, sizeof clean),
                       tui_reader_percent(p->reader));
        return true;
    }
    if (model)
        (void)tui_desk_take_model(&p->ui.desk, model, name);
    else
        (void)snprintf(p->ui.desk.notice, sizeof p->ui.desk.notice, "%.190s",
                       hwl_view_clean(hwl_error_text(&error, text, sizeof text), clean, sizeof clean));
    p->ui.idle_left = true;
    return true;
}

static enum tui_theme theme_of(const char *name)
{
    static const char *const names[TUI_THEMES] = {"dark", "light", "contrast", "none"};
    for (int i = 0; i < TUI_THEMES; i++)
        if (strcasecmp(names[i], name) == 0)
            return (enum tui_theme)i;
    return TUI_THEMES;
}

/* What the terminal says of itself: COLORFGBG ends with its ground, 7 and 15 are light. */
static enum tui_theme default_theme(void)
{
    const char *no = getenv("NO_COLOR"), *ground = getenv("COLORFGBG");
    if (no && *no)
        return TUI_THEME_NONE;
    ground = ground ? strrchr(ground, ';') : NULL;
    return ground && (strcmp(ground, ";7") == 0 || strcmp(ground, ";15") == 0) ? TUI_THEME_LIGHT : TUI_THEME_DARK;
}

static bool locale_is_utf8(void)
{
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *v = getenv(names[i]);
        if (v && *v)
            return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
    }
    return false;
}

/* One option; 0 done, else an exit code. hwledger has checked the line before. */
static int option(struct program *p, hwl_devices *devices, const char *name, const char *value, bool *gpus, const char **ram)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    hwl_status status = HWL_OK;
    if (strcmp(name, "ram") == 0) {
        *ram = value;
    } else if (strcmp(name, "gpu") == 0 || strcmp(name, "gpu-memory") == 0) {
        *gpus = true;
        if (strcmp(value, "none") != 0)
            status = name[3] ? hwl_devices_add_gpu_memory(devices, value, &error) : hwl_devices_add_gpu(devices, value, &error);
    } else if (strcmp(name, "theme") == 0) {
        p->theme = theme_of(value);
        if (p->theme == TUI_THEMES)
            return usage("--theme wants dark, light, contrast or none", "");
    } else {
        status = hwl_settings_set(p->ui.desk.settings, name, value, &error);
    }
    return status == HWL_OK ? 0 : usage(error.message, "");
}

static bool is_flag(const char *name)
{
    const hwl_option_info *o;
    for (uint32_t i = 0; (o = hwl_option_at(i)); i++)
        if (strcmp(o->name, name) == 0)
            return o->type == HWL_TYPE_FLAG;
    return false;
}

static int arguments(struct program *p, int argc, char **argv)
{
    hwl_devices *devices = NULL;
    hwl_error error = {.offset = HWL_NO_OFFSET};
    bool gpus = false;
    const char *ram = NULL;
    int rc = 0;
    uint64_t total = 0, free_bytes = 0;
    if (hwl_devices_new(&devices) != HWL_OK || hwl_settings_new(&p->ui.desk.settings) != HWL_OK ||
        hwl_view_use_stores(p->ui.desk.settings) != HWL_OK)
        return usage("out of memory", "");
    for (int i = 1; i < argc && !rc; i++) {
        char name[64];
        const char *a = argv[i], *equals = strchr(a, '=');
        if (strcmp(a, "--") == 0) {
            char engine[64] = "llama.cpp";
            (void)hwl_settings_get(p->ui.desk.settings, "engine", engine, sizeof engine);
            if (hwl_settings_engine_args(p->ui.desk.settings, *engine ? engine : "llama.cpp", argc - i - 1, (const char *const *)argv + i + 1, &error) != HWL_OK)
                rc = usage(error.message, "");
            break;
        }
        if (strncmp(a, "--", 2) != 0) {
            p->model = a;
            continue;
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)(equals ? equals - a - 2 : 60), a + 2);
        if (strcmp(name, "ascii") == 0)
            p->ui.grid.ascii = true;
        else if (strcmp(name, "monitor") == 0)
            p->ui.monitor = true;
        else if (strcmp(name, "generic") == 0)
            p->stores.options.generic = true;
        else if (is_flag(name))
            rc = option(p, devices, name, equals ? equals + 1 : "true", &gpus, &ram);
        else if (strncmp(name, "no-", 3) == 0 && is_flag(name + 3))
            rc = option(p, devices, name + 3, "false", &gpus, &ram);
        else if (!equals && i + 1 == argc)
            rc = usage("a value is missing behind --", name);
        else
            rc = option(p, devices, name, equals ? equals + 1 : argv[++i], &gpus, &ram);
    }
    if (!rc && !gpus) {
        hwl_devices_free(devices);
        devices = NULL;
        if (hwl_probe_devices(NULL, &devices, &error) != HWL_OK)
            rc = usage(error.message, "");
    } else if (!rc && !ram && hwl_probe_ram(NULL, &total, &free_bytes, &error) == HWL_OK) {
        hwl_devices_set_ram(devices, total, free_bytes);
    }
    if (!rc && ram && hwl_view_set_ram(devices, ram, &error) != HWL_OK)
        rc = usage(error.message, "");
    p->ui.desk.devices = devices;
    return rc;
}

/* Once a second. */
static void look(struct program *p)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t second = (uint64_t)now.tv_sec + 1;
    if (second != p->ui.live.live.last_second)
        hwl_watch_look(&p->ui.live, p->ui.probe, p->ui.stores, second);
}

static void loop(struct program *p)
{
    struct tui_ui *ui = &p->ui;
    enum tui_theme shown = p->theme;
    ui->theme = (uint8_t)p->theme;
    while (!ui->quit) {
        int width, height;
        tui_term_size(&width, &height);
        if ((width != ui->grid.width || height != ui->grid.height) && !tui_grid_size(&ui->grid, width, height))
            return;
        if (ui->theme % TUI_THEMES != shown)
            tui_term_theme(shown = (enum tui_theme)(ui->theme % TUI_THEMES));
        (void)follow(p);
        if (ui->monitor)
            look(p);
        tui_ui_draw(ui);
        tui_term_show(&ui->grid);
        const bool working = p->worker && tui_worker_follow(p->worker), alone = !ui->desk.async && ui->idle_left;
        struct tui_event e = tui_term_event(p->reader || working ? 30 : alone ? 0 : ui->monitor ? 1000 : -1);
        if (e.key == TUI_KEY_NONE && alone)
            (void)tui_ui_idle(ui);
        /* keys that wait are taken before the next picture */
        for (int n = 0; e.key != TUI_KEY_NONE && n < 64 && !ui->quit; n++) {
            if (e.key == TUI_KEY_ESCAPE && p->reader)
                tui_reader_leave(&p->reader);
            else
                tui_ui_event(ui, e);
            e = tui_term_event(0);
        }
    }
}

int main(int argc, char **argv)
{
    struct program *p = calloc(1, sizeof *p);
    if (!p)
        return usage("out of memory", "");
    hwl_view_stores(&p->stores);
    p->theme = default_theme();
    p->ui.grid.ascii = !locale_is_utf8();
    p->ui.user = p;
    p->ui.open_model = open_model;
    p->ui.copy = copy;
    p->ui.stores = &p->stores.options;
    p->ui.idle_left = true;
    int rc = arguments(p, argc, argv);
    if (!rc && p->model)
        open_model(p, p->model);
    if (!rc && !tui_term_open(p->theme))
        rc = usage("this terminal cannot be drawn on", "");
    else if (!rc) {
        p->worker = tui_worker_new(&p->ui);
        loop(p);
    }
    tui_term_close();
    if (p->worker && tui_worker_busy(p->worker)) /* nobody waits for an answer any more */
        _exit(rc);
    tui_worker_free(p->worker);
    if (p->reader)
        tui_reader_leave(&p->reader);
    tui_ui_free(&p->ui);
    free(p);
    return rc;
}
