/* SPDX-License-Identifier: Apache-2.0 */
/* The program hwledger: finds the command, reads the options, opens models and devices. Only here is the environment read. */
#include "cli/cli.h"

#include "view/stores.h"
#include "view/view.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int cli_fail(const hwl_error *error)
{
    char text[1200], clean[1200]; /* names of files may hold anything */
    (void)fprintf(stderr, "hwledger: %s\n", hwl_view_clean(hwl_error_text(error, text, sizeof text), clean, sizeof clean));
    return error->status == HWL_E_USAGE ? EXIT_USAGE : EXIT_INPUT;
}

static bool coloured(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

const char *cli_colour(int number, char *buf, uint64_t size)
{
    *buf = 0;
    if (coloured())
        (void)snprintf(buf, (size_t)size, "\033[38;5;%dm", number);
    return buf;
}

const char *cli_plain(void)
{
    return coloured() ? "\033[0m" : "";
}

struct progress {
    struct timespec start;
    bool shown;
};

/* A line on a terminal's stderr once opening takes over half a second. */
static void show_progress(void *user, uint64_t done, uint64_t total)
{
    struct progress *p = user;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    double s = (double)(now.tv_sec - p->start.tv_sec) + (double)(now.tv_nsec - p->start.tv_nsec) / 1e9;
    if (s < 0.5)
        return;
    (void)fprintf(stderr, "\rreading the model: %u %%", hwl_view_percent(done, total));
    p->shown = true;
}

int cli_open(struct cli_args *args, const char *name, hwl_model **out)
{
    static const char cannot[] = "out of memory";
    struct hwl_view_stores stores;
    struct progress progress = {.shown = false};
    hwl_error error = {.offset = HWL_NO_OFFSET};
    hwl_view_stores(&stores);
    stores.options.generic = args->flag[CLI_GENERIC];
    stores.options.progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    stores.options.user = &progress;
    (void)clock_gettime(CLOCK_MONOTONIC, &progress.start);
    hwl_status status = hwl_model_open(name, &stores.options, out, &error);
    if (progress.shown)
        (void)fputs("\r\033[K", stderr);
    if (status == HWL_OK)
        return 0;
    error.status = status;
    if (!*error.message)
        (void)snprintf(error.message, sizeof error.message, "%s", cannot);
    (void)cli_fail(&error);
    return EXIT_INPUT;
}

int cli_devices(struct cli_args *args, hwl_devices **out)
{
    hwl_error error = {.offset = HWL_NO_OFFSET};
    hwl_devices *d = NULL;
    uint64_t total = 0, available = 0;
    hwl_status status = args->n_gpus ? hwl_devices_new(&d) : hwl_probe_devices(NULL, &d, &error);
    bool none = args->n_gpus == 1 && args->gpu[0].id == CLI_GPU && strcmp(args->gpu[0].value, "none") == 0;
    for (uint32_t i = 0; status == HWL_OK && !none && i < args->n_gpus; i++)
        status = args->gpu[i].id == CLI_GPU ? hwl_devices_add_gpu(d, args->gpu[i].value, &error)
                                            : hwl_devices_add_gpu_memory(d, args->gpu[i].value, &error);
    if (status == HWL_OK && args->ram) {
        status = hwl_view_set_ram(d, args->ram, &error);
    } else if (status == HWL_OK && args->n_gpus) {
        status = hwl_probe_ram(NULL, &total, &available, &error);
        if (status == HWL_OK)
            hwl_devices_set_ram(d, total, available);
    }
    if (status == HWL_OK) {
        *out = d;
        return 0;
    }
    hwl_devices_free(d);
    error.status = status == HWL_E_NOT_FOUND ? HWL_E_USAGE : status; /* a name on the command line */
    return cli_fail(&error);
}

int cli_later(struct cli_args *args)
{
    return cli_usage("'%s' is not in this version", args->command->name);
}

static int no_command(const char *name)
{
    const char *best = NULL;
    uint32_t least = 4;
    for (uint32_t i = 0; i < cli_n_commands; i++)
        if (cli_distance(name, cli_commands[i].name) < least) {
            least = cli_distance(name, cli_commands[i].name);
            best = cli_commands[i].name;
        }
    if (best)
        return cli_usage("no command '%s'; did you mean '%s'?", name, best);
    return cli_usage("no command '%s'; 'hwledger --help' lists them", name);
}

static int run(const struct cli_command *command, int argc, const char *const *argv)
{
    struct cli_args *args = calloc(1, sizeof *args);
    if (!args || hwl_settings_new(&args->settings) != HWL_OK || hwl_view_use_stores(args->settings) != HWL_OK) {
        if (args)
            hwl_settings_free(args->settings);
        free(args);
        (void)fputs("hwledger: out of memory\n", stderr);
        return EXIT_INPUT;
    }
    args->command = command;
    int rc = cli_parse(args, argc, argv);
    if (!rc)
        rc = args->flag[CLI_HELP] ? cli_help(command) : command->run(args);
    hwl_settings_free(args->settings);
    free(args);
    return rc;
}

/* Files are mapped: one that is cut short while it is read raises SIGBUS. */
static void file_was_cut(int number)
{
    static const char line[] = "hwledger: a file was cut short, or its disk failed, while it was read\n";
    (void)number;
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
        _exit(EXIT_INPUT + 1);
    _exit(EXIT_INPUT);
}

int main(int argc, char **argv)
{
    const struct sigaction cut = {.sa_handler = file_was_cut};
    (void)sigaction(SIGBUS, &cut, NULL);
    const char *name = argc > 1 ? argv[1] : "--help";
    int rc = -1;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        rc = cli_help(NULL);
    else if (strcmp(name, "--version") == 0)
        rc = printf("hwledger %s\n", HWLEDGER_VERSION) < 0;
    else if (strcmp(name, "--man") == 0)
        rc = cli_man();
    else if (strcmp(name, "--completion") == 0)
        rc = cli_completion(argc > 2 ? argv[2] : "");
    for (uint32_t i = 0; rc < 0 && i < cli_n_commands; i++)
        if (strcmp(cli_commands[i].name, name) == 0)
            rc = run(&cli_commands[i], argc - 2, (const char *const *)argv + 2);
    if (rc < 0)
        rc = no_command(name);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fputs("hwledger: standard output cannot be written\n", stderr);
        return EXIT_INPUT;
    }
    return rc;
}
